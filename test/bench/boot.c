/* SPDX-License-Identifier: MIT */
/* boot.c - how late the bootloader makes the application. */
#include "bench.h"

#define STEP  SIM_US /* so exact is the result */
#define LIMIT (2 * SIM_S)

sim_time bench_boot(struct rig *r, enum reset_cause cause)
{
    sim_time start;

    if (cause == RESET_POWER) {
        chip_power(r->chip, false);
        chip_run(r->chip, chip_now(r->chip) + 100 * SIM_MS);
        start = chip_now(r->chip);
        chip_power(r->chip, true);
    } else {
        start = chip_now(r->chip);
        chip_reset(r->chip, cause);
    }
    while (chip_pc(r->chip) - r->board->slot >= bench_slot_size(r)) {
        if (chip_now(r->chip) - start > LIMIT)
            return SIM_NEVER;
        chip_run(r->chip, chip_now(r->chip) + STEP);
    }
    return chip_now(r->chip) - start;
}
