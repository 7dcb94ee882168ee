/* SPDX-License-Identifier: MIT */
/*
 * tool.h - libsallyport's host side on a virtual chip in virtual time: a
 * transport (host/lib/transport.h) over the rig's host.
 */
#ifndef TEST_TOOL_H
#define TEST_TOOL_H

#include "device.h"
#include "rig.h"

/* Counts what went over it. */
struct tool {
    struct transport t; /* first */
    struct rig *rig;
    unsigned requests[7]; /* DFU's, by bRequest */
    unsigned erases;      /* erase commands */
    uint64_t down, up;    /* bytes of data */
    /* Called before each request; true: the cable is out from now on. */
    bool (*cut)(void *ctx, const struct tool *tool);
    void *ctx;
    bool gone;
    /* What is read after so many bytes were written is wrong; 0: nothing. */
    uint64_t spoil_after;
};

/* The rig's device, enumerated already. */
bool tool_open(struct tool *tool, struct rig *r, struct device *d,
               struct fail *f);

#endif
