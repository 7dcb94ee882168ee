/* SPDX-License-Identifier: MIT */
/*
 * rcc.c - what the reset and clock controllers of all families share.
 */
#include "rcc.h"

bool rcc_ready(struct dev *rcc, sim_time at)
{
    return at <= chip_now(rcc->chip);
}

sim_time rcc_start(struct dev *rcc, uint32_t old, uint32_t now, uint32_t bit,
                   sim_time at, sim_time delay)
{
    if (!(now & bit))
        return SIM_NEVER;
    return old & bit ? at : chip_now(rcc->chip) + delay;
}

sim_time rcc_next(struct dev *rcc, const sim_time *at, unsigned n)
{
    sim_time next = SIM_NEVER, now = chip_now(rcc->chip);
    unsigned i;

    for (i = 0; i < n; i++)
        if (at[i] > now && at[i] < next)
            next = at[i];
    return next;
}

void rcc_pulse(struct dev *rcc, uint16_t reg, uint32_t *was, uint32_t v)
{
    uint32_t rising = v & ~*was;
    uint8_t i;

    *was = v;
    for (i = 0; i < 32; i++)
        if (rising >> i & 1)
            chip_reset_dev(rcc->chip, (struct rcc_bit){reg, i});
}

void rcc_rule(struct dev *rcc, unsigned *broken, unsigned which, bool is_broken,
              const char *text)
{
    if (is_broken && !(*broken & which))
        chip_guest_error(rcc->chip, "%s", text);
    *broken = is_broken ? *broken | which : *broken & ~which;
}
