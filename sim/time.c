/* SPDX-License-Identifier: MIT */
/*
 * time.c - virtual time and the event queue.  Time is counted in AHB cycles;
 * a change of clock starts a new base with the remainder kept, so that
 * rounding never adds up.
 */
#include "core.h"

typedef unsigned __int128 wide;

#define PS_PER_S 1000000000000ull
/* So many cycles in picoseconds per second fit into 64 bits, with room for the
 * remainder: a division of 128 bits costs ten times as much. */
#define SMALL (UINT64_MAX / PS_PER_S / 2)

sim_time chip_now(const struct chip *c)
{
    const struct chip_live *l = c->live;
    uint64_t n = l->cpu.cycles - l->base_cycles;

    if (n < SMALL)
        return l->base_time + (n * PS_PER_S + l->base_rem) / l->hz;
    return l->base_time +
           (sim_time)(((wide)n * PS_PER_S + l->base_rem) / l->hz);
}

/* First AHB cycle that is not before t. */
static uint64_t cycle_at(const struct chip *c, sim_time t)
{
    const struct chip_live *l = c->live;
    uint64_t small;
    wide n;

    if (t <= l->base_time)
        return l->base_cycles;
    if (!__builtin_mul_overflow(t - l->base_time, (uint64_t)l->hz, &small) &&
        small < UINT64_MAX - PS_PER_S)
        return l->base_cycles + (small - l->base_rem + PS_PER_S - 1) / PS_PER_S;
    n = (wide)(t - l->base_time) * l->hz - l->base_rem;
    return l->base_cycles + (uint64_t)((n + PS_PER_S - 1) / PS_PER_S);
}

static sim_time time_of_cycle(const struct chip *c, uint64_t cycle)
{
    const struct chip_live *l = c->live;
    uint64_t cycles = cycle - l->base_cycles;

    if (cycles < SMALL)
        return l->base_time +
               (cycles * PS_PER_S + l->base_rem + l->hz - 1) / l->hz;
    return l->base_time +
           (sim_time)(((wide)cycles * PS_PER_S + l->base_rem + l->hz - 1) /
                      l->hz);
}

static void rebase(struct chip *c)
{
    struct chip_live *l = c->live;
    wide n = (wide)(l->cpu.cycles - l->base_cycles) * PS_PER_S + l->base_rem;

    l->base_time += (sim_time)(n / l->hz);
    l->base_rem = (uint64_t)(n % l->hz);
    l->base_cycles = l->cpu.cycles;
}

void time_advance(struct chip *c, sim_time t)
{
    struct chip_live *l = c->live;

    if (!l->powered) { /* no clock, no cycles */
        if (t > chip_now(c)) {
            rebase(c);
            l->base_time = t;
            l->base_rem = 0;
        }
        return;
    }
    if (cycle_at(c, t) > l->cpu.cycles)
        l->cpu.cycles = cycle_at(c, t);
}

static void set_limit(struct chip *c)
{
    sim_time t = c->live->next < c->until ? c->live->next : c->until;

    c->live->cpu.limit = cycle_at(c, t);
}

void time_new_clock(struct chip *c)
{
    struct chip_live *l = c->live;
    const struct chip_model *m = c->model;
    uint32_t hz = m->rcc_ops->hz(c->rcc, CLOCK_AHB);
    struct flash_cost cost = m->flash_ops->cost(c->flash_dev);

    rebase(c);
    if (hz != l->hz) {
        l->base_rem = (uint64_t)((wide)l->base_rem * hz / l->hz);
        l->hz = hz;
    }
    l->cpu.flash_cost = cost.branch;
    l->cpu.literal_cost = cost.literal;
    l->cpu.line_cost = cost.line;
    l->cpu.line_mask = cost.line_bytes - 1u;
    l->cpu.fetch = cost.fetch;
    chip_touch(c);
}

/* ---- deadlines ---- */

static sim_time ask(struct chip *c, unsigned slot)
{
    if (slot == SLOT_WIRE)
        return c->wire ? wire_deadline(c->wire) : SIM_NEVER;
    if (slot == SLOT_FLASH_REPORT)
        return c->live->flash_report_at;
    if (!c->live->powered)
        return SIM_NEVER;
    if (slot == SLOT_TICK) {
        uint64_t cycle = systick_next(c);
        return cycle == UINT64_MAX ? SIM_NEVER : time_of_cycle(c, cycle);
    }
    if (!c->dev[slot].desc->ops || !c->dev[slot].desc->ops->deadline)
        return SIM_NEVER;
    return c->dev[slot].desc->ops->deadline(&c->dev[slot]);
}

void time_init(struct chip *c)
{
    unsigned i;

    c->n_timed = 0;
    for (i = 0; i < SLOTS_MAX; i++) {
        c->live->deadline[i] = SIM_NEVER;
        if (i >= DEVS_MAX || (i < c->n_devs && c->dev[i].desc->ops &&
                              c->dev[i].desc->ops->deadline))
            c->timed[c->n_timed++] = (uint8_t)i;
    }
}

static unsigned earliest(const struct chip *c)
{
    const struct chip_live *l = c->live;
    unsigned best = SLOT_TICK, i;

    for (i = 0; i < c->n_timed; i++)
        if (l->deadline[c->timed[i]] < l->deadline[best])
            best = c->timed[i];
    return best;
}

static void find_next(struct chip *c)
{
    c->live->next = c->live->deadline[earliest(c)];
    set_limit(c);
}

void time_reschedule(struct chip *c, unsigned slot)
{
    sim_time t = ask(c, slot);

    if (t == c->live->deadline[slot])
        return;
    c->live->deadline[slot] = t;
    find_next(c);
}

void time_reschedule_dev(struct dev *d)
{
    struct chip *c = d->chip;

    time_reschedule(c, (unsigned)(d - c->dev));
    if (d->desc->wire_ops)
        time_reschedule(c, SLOT_WIRE);
}

void chip_touch(struct chip *c)
{
    unsigned i;

    if (c->live->cpu.cycles - c->live->base_cycles > SMALL / 2)
        rebase(c);
    for (i = 0; i < c->n_timed; i++)
        c->live->deadline[c->timed[i]] = ask(c, c->timed[i]);
    find_next(c);
}

/* Whatever the CPU would do next, it waits for the flash first; nor do
 * peripherals do anything of their own accord. */
sim_time chip_frozen_until(struct chip *c)
{
    const struct chip_live *l = c->live;
    sim_time t = chip_flash_busy(c), next;
    unsigned i;

    if (!t || c->run_all || c->stop || l->cut_now || l->reset_wanted ||
        !(c->stalling || l->cpu.stalled ||
          chip_in_flash(c, cpu_get(c->cpu, CPU_PC))))
        return 0;
    t = t < c->until ? t : c->until;
    for (i = 0; i < c->n_timed; i++) {
        next = c->timed[i] == SLOT_WIRE ? SIM_NEVER : ask(c, c->timed[i]);
        t = next < t ? next : t;
    }
    return t;
}

static void fire_slot(struct chip *c, unsigned slot)
{
    if (slot == SLOT_TICK)
        systick_event(c);
    else if (slot == SLOT_WIRE)
        wire_event(c->wire);
    else if (slot == SLOT_FLASH_REPORT)
        report_flash_totals(c);
    else
        c->dev[slot].desc->ops->event(&c->dev[slot]);
}

void time_fire(struct chip *c)
{
    unsigned slot = earliest(c);

    fire_slot(c, slot);
    /* A host's event runs the USB block as well; and the block's interrupt
     * handlers may talk to the host. */
    if (slot == SLOT_WIRE)
        chip_touch(c);
    else if (slot < DEVS_MAX)
        time_reschedule_dev(&c->dev[slot]);
    else
        time_reschedule(c, slot);
}

void chip_stall(struct chip *c, sim_time t)
{
    struct chip_live *l = c->live;

    c->stalling = true;
    while (chip_now(c) < t && !l->reset_wanted && !l->cut_now) {
        if (l->next <= chip_now(c))
            time_fire(c);
        else
            time_advance(c, l->next < t ? l->next : t);
    }
    c->stalling = false;
}
