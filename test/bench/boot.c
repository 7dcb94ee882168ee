/* SPDX-License-Identifier: MIT */
/* boot.c - how late the bootloader makes the application, and how fast the
 * simulator is. */
#include "bench.h"

#include <time.h>
#include <unistd.h>

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

/* What a packed bootloader does first is to unpack itself: nothing but
 * instructions, none of them a wait.  That takes 25 ms and more.  Each board
 * has both or dfu packed. */
bool bench_speed(const char *board, struct bench_speed *s)
{
    enum { TIMES = 40, CLOCKS_MS = 6, BUSY_MS = 15 };
    bool packed = !access(rig_firmware(board, "linked/sallyport-both.elf"), 0);
    struct rig *r =
        rig_new(board, rig_firmware(board, packed ? "sallyport-both.elf"
                                                  : "sallyport-dfu.elf"));
    uint64_t instructions = 0;
    clock_t cpu = 0;

    if (!r)
        return false;
    for (unsigned i = 0; i < TIMES; i++) {
        uint64_t before;
        clock_t start;

        chip_power(r->chip, false);
        chip_run(r->chip, chip_now(r->chip) + SIM_MS);
        chip_power(r->chip, true);
        chip_run(r->chip, chip_now(r->chip) + CLOCKS_MS * SIM_MS);
        before = chip_instructions(r->chip);
        start = clock();
        chip_run(r->chip, chip_now(r->chip) + BUSY_MS * SIM_MS);
        cpu += clock() - start;
        instructions += chip_instructions(r->chip) - before;
    }
    rig_free(r);
    s->mips = (double)instructions / ((double)cpu / CLOCKS_PER_SEC) / 1e6;
    s->ratio = TIMES * BUSY_MS / 1e3 / ((double)cpu / CLOCKS_PER_SEC);
    return true;
}
