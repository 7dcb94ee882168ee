/* SPDX-License-Identifier: MIT */
/* silicon.c - see silicon.h. */
#include "silicon.h"

#include <string.h>

static bool blank(const uint8_t *p, uint32_t n)
{
    while (n && *p == 0xFF)
        p++, n--;
    return !n;
}

/* Without an erase. */
static bool programmable(const struct chip_flash_times *t, const uint8_t *from,
                         const uint8_t *to)
{
    if (!t->clears)
        return blank(from, t->unit);
    for (uint32_t i = 0; i < t->unit; i++)
        if (to[i] & ~from[i])
            return false;
    return true;
}

/* One erase unit, or the part of it that belongs to the range. */
static void add_sector(struct silicon_work *w, const struct chip_flash_times *t,
                       const uint8_t *from, const uint8_t *to, size_t n)
{
    unsigned changed = 0, filled = 0;
    bool erases = false;

    for (size_t i = 0; i < n; i += t->unit) {
        filled += !blank(to + i, t->unit);
        if (!memcmp(from + i, to + i, t->unit))
            continue;
        changed++;
        erases |= !programmable(t, from + i, to + i);
    }
    w->erases += erases;
    w->programs += erases ? filled : changed;
    w->time +=
        (erases ? t->erase : 0) + (erases ? filled : changed) * t->program;
}

struct silicon_work silicon_work(const struct chip *c, uint32_t addr,
                                 const uint8_t *from, const uint8_t *to,
                                 size_t n)
{
    uint32_t end = addr + (uint32_t)n, sector = chip_flash_base(c);
    struct silicon_work w = {0};

    for (; sector < end; sector += (uint32_t)chip_flash_page(c, sector)) {
        struct chip_flash_times t = chip_flash_times(c, sector);
        uint32_t start = sector > addr ? sector : addr;
        uint32_t stop = sector + (uint32_t)chip_flash_page(c, sector);

        if (stop > end)
            stop = end;
        if (start < stop)
            add_sector(&w, &t, from + (start - addr), to + (start - addr),
                       stop - start);
    }
    return w;
}

sim_time silicon_wire(size_t n)
{
    /* USB 2.0 table 5-9: 19 packets of 64 bytes a frame, what the bulk of a
     * long data stage can reach as well. */
    return (sim_time)n * SIM_MS / (19 * 64);
}
