/* SPDX-License-Identifier: MIT */
/*
 * clock.h - lets the bootloader wait without simulating each millisecond of
 * it: while it has nothing to do, its millisecond counter is set forward, and
 * so is the number of the bus's frames.  Its own rules for time are what is
 * tested then; nothing else of it is touched.
 */
#ifndef TEST_CLOCK_H
#define TEST_CLOCK_H

#include "rig.h"

struct clock {
    struct rig *rig;
    uint32_t counter; /* its address in RAM */
    uint64_t skipped; /* milliseconds */
};

/* Finds the counter: the word of RAM that grows by as many as milliseconds
 * pass, and that keeps what it is set to.  The chip is put back.  False: there
 * is none. */
bool clock_find(struct clock *c, struct rig *r);

/* `ms` pass, as far as the bootloader knows.  While it works on the flash, or
 * is not on the bus, they are real. */
void clock_pass(struct clock *c, uint32_t ms);

#endif
