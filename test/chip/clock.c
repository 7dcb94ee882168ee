/* SPDX-License-Identifier: MIT */
/* clock.c - see clock.h. */
#include "clock.h"

#include "wire.h"

#include <stdlib.h>

enum { ROOM = 128 * 1024, STEP = 200, FORWARD = 100000, SOON = 5 };

static uint32_t word(struct clock *c, uint32_t addr)
{
    uint8_t p[4] = {0};

    chip_peek(c->rig->chip, addr, p, 4);
    return rig_get32(p);
}

static void add(struct clock *c, uint32_t addr, uint32_t ms)
{
    uint8_t p[4];

    rig_put32(p, word(c, addr) + ms);
    chip_poke(c->rig->chip, addr, p, 4);
}

/* A copy of the counter is overwritten by it, and what counts frames takes
 * them by their number. */
static bool keeps(struct clock *c, uint32_t addr, const struct chip_snapshot *s)
{
    uint32_t was = word(c, addr), is;

    add(c, addr, FORWARD);
    host_wait(c->rig->host, SOON * SIM_MS);
    is = word(c, addr) - was - FORWARD;
    chip_restore(c->rig->chip, s);
    return is <= SOON + 2;
}

static bool search(struct clock *c, uint8_t *before, uint8_t *after)
{
    const struct rig_board *b = c->rig->board;
    uint32_t n = b->ram_end - b->ram, found = 0;
    struct chip_snapshot *s;

    /* Clearing a drive's RAM takes some milliseconds of the counter. */
    host_wait(c->rig->host, STEP * SIM_MS);
    s = chip_save(c->rig->chip);
    chip_peek(c->rig->chip, b->ram, before, n);
    host_wait(c->rig->host, STEP * SIM_MS);
    chip_peek(c->rig->chip, b->ram, after, n);
    chip_restore(c->rig->chip, s);
    for (uint32_t i = 0; i < n; i += 4) {
        uint32_t grown = rig_get32(after + i) - rig_get32(before + i);

        if (grown < STEP - 2 || grown > STEP + 2 || !keeps(c, b->ram + i, s))
            continue;
        c->counter = b->ram + i;
        found++;
    }
    chip_snapshot_free(s);
    return found == 1;
}

bool clock_find(struct clock *c, struct rig *r)
{
    uint8_t *room = malloc(2 * ROOM);
    bool found;

    *c = (struct clock){.rig = r};
    found = room && search(c, room, room + ROOM);
    free(room);
    return found;
}

/* A millisecond of it; true where the CPU ran all the time and came by its
 * counter, as it waits for nothing but the host, and the bootloader is what
 * runs.  It may run while the flash works, or read a file that is whole. */
static bool calm(struct clock *c)
{
    struct chip *chip = c->rig->chip;
    uint64_t ops = chip_flash_ops(chip), work = chip_instructions(chip);
    uint32_t counted = word(c, c->counter);

    host_wait(c->rig->host, SIM_MS);
    return ops == chip_flash_ops(chip) && !chip_flash_busy(chip) &&
           chip_instructions(chip) - work > 5000 &&
           word(c, c->counter) != counted &&
           host_attached(c->rig->host) == wire_plugged(chip_wire(chip)) &&
           !rig_in_app(c->rig);
}

/* A few milliseconds behind each step: what was due then happens. */
void clock_pass(struct clock *c, uint32_t ms)
{
    enum { SETTLED = 2, LEAP = 1000 };
    unsigned row = 0;

    while (ms && !chip_was_cut(c->rig->chip)) {
        row = calm(c) ? row + 1 : 0;
        ms--;
        if (row < SETTLED || !ms || !c->counter)
            continue;
        uint32_t n = ms < LEAP ? ms : LEAP;
        add(c, c->counter, n);
        host_skip_frames(c->rig->host, n);
        c->skipped += n;
        ms -= n;
        row = 0;
    }
}
