/* SPDX-License-Identifier: MIT */
/*
 * silicon.c - see silicon.h.  Typical values; where a data sheet has none, the
 * middle of what it allows.
 */
#include "silicon.h"

#include <string.h>

static const struct silicon table[] = {
    {
        /* DS5792 table 28: 16-bit programming 40, 52.5, 70 us; page erase 20
         * to 40 ms, no typical value.
         * A half-word has to be erased before (PM0075, "Main Flash memory
         * programming"). */
        .board = "stm32f103ze",
        .flash = 0x08000000,
        .run = {{256, 2048, 30 * SIM_MS}},
        .unit = 2,
        .program = 52500 * SIM_NS,
    },
    {
        /* DS8626 table 40, x32: word 16 us; sector erase of 16 KB 250 ms, 64
         * KB 550 ms, 128 KB 1 s.
         * 1 to 0 needs no erase (RM0090, "Standard programming"). */
        .board = "stm32f407",
        .flash = 0x08000000,
        .run = {{4, 16 * 1024, 250 * SIM_MS},
                {1, 64 * 1024, 550 * SIM_MS},
                {7, 128 * 1024, 1 * SIM_S}},
        .unit = 4,
        .program = 16 * SIM_US,
        .clears = true,
    },
};

const struct silicon *silicon_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct silicon *silicon_find(const char *board)
{
    const struct silicon *s;

    for (size_t i = 0; (s = silicon_at(i)); i++)
        if (!strcmp(s->board, board))
            return s;
    return NULL;
}

static bool blank(const uint8_t *p, uint32_t n)
{
    while (n && *p == 0xFF)
        p++, n--;
    return !n;
}

/* Without an erase. */
static bool programmable(const struct silicon *s, const uint8_t *from,
                         const uint8_t *to)
{
    if (!s->clears)
        return blank(from, s->unit);
    for (uint32_t i = 0; i < s->unit; i++)
        if (to[i] & ~from[i])
            return false;
    return true;
}

/* One erase unit, or the part of it that belongs to the range. */
static void add_sector(struct silicon_work *w, const struct silicon *s,
                       sim_time erase, const uint8_t *from, const uint8_t *to,
                       size_t n)
{
    unsigned changed = 0, filled = 0;
    bool erases = false;

    for (size_t i = 0; i < n; i += s->unit) {
        filled += !blank(to + i, s->unit);
        if (!memcmp(from + i, to + i, s->unit))
            continue;
        changed++;
        erases |= !programmable(s, from + i, to + i);
    }
    w->erases += erases;
    w->programs += erases ? filled : changed;
    w->time += (erases ? erase : 0) + (erases ? filled : changed) * s->program;
}

struct silicon_work silicon_work(const struct silicon *s, uint32_t addr,
                                 const uint8_t *from, const uint8_t *to,
                                 size_t n)
{
    const struct silicon_run *end = s->run + 3;
    struct silicon_work w = {0};
    uint32_t sector = s->flash;

    for (const struct silicon_run *r = s->run; r < end && r->count; r++)
        for (uint32_t i = 0; i < r->count; i++, sector += r->size) {
            uint32_t start = sector > addr ? sector : addr;
            uint32_t stop = sector + r->size;

            if (stop > addr + n)
                stop = addr + (uint32_t)n;
            if (start < stop)
                add_sector(&w, s, r->erase, from + (start - addr),
                           to + (start - addr), stop - start);
        }
    return w;
}

sim_time silicon_wire(size_t n)
{
    /* USB 2.0 table 5-9: 19 packets of 64 bytes a frame, what the bulk of a
     * long data stage can reach as well. */
    return (sim_time)n * SIM_MS / (19 * 64);
}
