/* SPDX-License-Identifier: MIT */
/*
 * silicon.h - the least time that an update takes, whatever the firmware: what
 * the flash needs for the erases and programs, or the cable for the bytes.
 *
 * The times are those of the data sheets that the virtual chip has as well
 * (chip_flash_times()): there is one table.
 */
#ifndef BENCH_SILICON_H
#define BENCH_SILICON_H

#include "chip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What has to be done to make [addr, addr + n) hold `to` instead of `from`. */
struct silicon_work {
    unsigned erases, programs;
    sim_time time;
};
struct silicon_work silicon_work(const struct chip *c, uint32_t addr,
                                 const uint8_t *from, const uint8_t *to,
                                 size_t n);

/* n bytes over a full-speed cable. */
sim_time silicon_wire(size_t n);

#endif
