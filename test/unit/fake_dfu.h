/* SPDX-License-Identifier: MIT */
/*
 * fake_dfu.h - a DFU device that is none of ours, behind a transport
 * (host/lib/transport.h): two memories as in ST's boot ROM, which programs
 * nothing but erased cells and does not answer once it was told to leave; or
 * plain DFU 1.1.
 */
#ifndef TEST_FAKE_DFU_H
#define TEST_FAKE_DFU_H

#include "transport.h"

enum { FAKE_FLASH = 5 * 1024, FAKE_OPTIONS = 16, FAKE_BLOCK = 512 };
#define FAKE_FLASH_AT   0x08000000u
#define FAKE_OPTIONS_AT 0x1FFF7800u
#define FAKE_LAYOUT     "@Internal Flash  /0x08000000/04*001Kg,01*001Ka"

struct fake {
    struct transport t; /* first */
    const char *layout; /* of alternate setting 0; plain: its name */
    bool plain, tolerant;
    bool bad_cell; /* nothing can be programmed at the start of flash */
    uint8_t flash[FAKE_FLASH], options[FAKE_OPTIONS];
    unsigned alt, state, status, poll_ms;
    uint32_t pointer;
    uint8_t data[FAKE_BLOCK]; /* of the DNLOAD to be carried out */
    unsigned block, n;
    bool pending, gone;
    /* what it saw */
    unsigned erases, writes, reads, resets, hurried;
};

/* Erased, in dfuERROR: so an earlier host has left it. */
void fake_new(struct fake *f);

#endif
