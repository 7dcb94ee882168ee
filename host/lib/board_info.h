/* SPDX-License-Identifier: MIT */
/*
 * board_info.h - what the host knows about the boards: the same
 * board/<name>/board.h that the firmware is built from, compiled in once per
 * board (board_info.c).
 */
#ifndef SALLYPORT_BOARD_INFO_H
#define SALLYPORT_BOARD_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct board_info {
    const char *name;
    uint32_t product; /* id that its bootloader accepts, besides 0 */
    uint16_t vid;     /* USB ids of its bootloader, */
    uint16_t pid;
    const char *model;   /* and its product string */
    uint32_t flash_base; /* addresses and sizes in bytes */
    uint32_t flash_size;
    uint32_t flash_page;
    uint8_t flash_erased; /* a byte of it that is blank */
    uint32_t ram_base;
    uint32_t ram_size;
    uint32_t ccm_base; /* data RAM of the core, may hold the stack */
    uint32_t ccm_size; /* 0: there is none */
    /* Flash that is the bootloader's, for the profile with the least of it,
     * which leaves the largest slot, and for the one with the most. */
    uint32_t boot_size;
    uint32_t boot_size_max;
    uint32_t kv_size;    /* at the end of flash, not the application's */
    uint32_t uf2_family; /* id that a UF2 file has to carry */
};

/* All boards, NULL behind the last. */
extern const struct board_info *const board_infos[];

/* NULL: there is no such board. */
const struct board_info *board_info_find(const char *name);

/* The largest slot that a profile of this board leaves to an application:
 * its first address and one past its last. */
uint32_t board_info_slot_start(const struct board_info *board);
uint64_t board_info_slot_end(const struct board_info *board);

/* Where applications of this board start, if that is the same for all its
 * profiles. */
bool board_info_app_start(const struct board_info *board, uint32_t *start);

#endif
