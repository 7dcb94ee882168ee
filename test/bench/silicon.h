/* SPDX-License-Identifier: MIT */
/*
 * silicon.h - the least time that an update takes, whatever the firmware: what
 * the flash needs for the erases and programs, or the cable for the bytes.
 *
 * The one table of the benchmark's reference times, from the data sheets and
 * neither from the firmware nor from the virtual chip.
 */
#ifndef BENCH_SILICON_H
#define BENCH_SILICON_H

#include "chip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many erase units of that size, one after the other. */
struct silicon_run {
    uint32_t count, size;
    sim_time erase;
};

struct silicon {
    const char *board;
    uint32_t flash;
    struct silicon_run run[3]; /* ends with count 0, or with the array */
    uint32_t unit;             /* bytes programmed at once */
    sim_time program;          /* of one */
    bool clears; /* bits of a unit that is not erased may be cleared */
};

/* NULL where there is no such board; by number for a list. */
const struct silicon *silicon_find(const char *board);
const struct silicon *silicon_at(size_t i);

/* What has to be done to make [addr, addr + n) hold `to` instead of `from`. */
struct silicon_work {
    unsigned erases, programs;
    sim_time time;
};
struct silicon_work silicon_work(const struct silicon *s, uint32_t addr,
                                 const uint8_t *from, const uint8_t *to,
                                 size_t n);

/* n bytes over a full-speed cable. */
sim_time silicon_wire(size_t n);

#endif
