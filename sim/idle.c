/* SPDX-License-Identifier: MIT */
/*
 * idle.c - firmware that waits does the same over and over; here virtual time
 * jumps over the repetitions.
 *
 * A loop that polls reads a peripheral.  Where two of these reads, with
 * nothing but instructions between them, find the whole chip in the same
 * state (registers, RAM, peripherals; time is no part of it), the next round
 * takes the same way as the last one did, and so does each that ends before
 * the next event: cycles and instructions are added up, the rounds are not
 * run.  What the firmware does, and when, is the same to the cycle.
 *
 * That needs reads which depend on the state alone.  Peripherals say so
 * (device_ops.steady); reading anything else, writing anything but a port, a
 * store into flash, and each line for the world outside end the search.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum {
    ROUND = 64, /* reads in the longest round that is looked for */
    REGS = 15,  /* R0 to LR */
    MARKS = 2,  /* rounds with other registers that are waited for */
    PAUSE = 16, /* reads after rounds that were not the same; then twice */
    KNOWN = 4,  /* loops that are recognised */
};

/* What is cheap comes first: NAMED knows where a round may begin, MARKED the
 * registers there, SAVED all. */
enum stage { LOOKING, NAMED, MARKED, SAVED, AGAIN, RESTING };

struct idle {
    enum stage stage;
    unsigned reads, marks, rest, pause;
    uint32_t pc, reg[REGS];
    uint32_t
        known[KNOWN]; /* where loops were jumped over, the last one first */
    struct cpu_regs *regs;
    struct chip_live *live; /* the arena */
    uint8_t *ram, *ccm;
    uint64_t cycles, instructions;
};

void chip_skip_idle(struct chip *c, bool on)
{
    c->run_all = !on;
    cpu_skip(c->cpu, on);
}

uint64_t chip_skipped(const struct chip *c)
{
    return cpu_skipped(c->cpu);
}

void idle_free(struct idle *w)
{
    if (!w)
        return;
    cpu_regs_free(w->regs);
    free(w->live);
    free(w->ram);
    free(w->ccm);
    free(w);
}

struct idle *idle_new(struct chip *c)
{
    struct idle *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->regs = cpu_save(c->cpu);
    w->live = malloc(c->arena_size);
    w->ram = malloc(c->model->ram_size);
    w->ccm = malloc(c->model->ccm_size + 1);
    if (!w->regs || !w->live || !w->ram || !w->ccm) {
        idle_free(w);
        return NULL;
    }
    return w;
}

void idle_begin(struct chip *c)
{
    c->idle->stage = LOOKING;
    c->idle->pause = PAUSE;
}

void idle_broken(struct chip *c)
{
    if (c->idle && c->idle->stage != RESTING)
        c->idle->stage = LOOKING;
}

/* ---- the same state ---- */

static bool same_regs(struct chip *c, uint32_t *reg)
{
    bool same = true;
    unsigned i;

    for (i = 0; i < REGS && same; i++)
        same = cpu_get(c->cpu, (enum cpu_reg)i) == reg[i];
    return same;
}

static void mark(struct chip *c)
{
    struct idle *w = c->idle;
    unsigned i;

    w->stage = MARKED;
    w->reads = 0;
    for (i = 0; i < REGS; i++)
        w->reg[i] = cpu_get(c->cpu, (enum cpu_reg)i);
}

/* Counts, and times of the prefetch, as seen from now. */
static void forget_time(struct cpu_hot *h)
{
    h->ready -= h->cycles;
    h->cycles = h->instructions = 0;
}

static void save(struct chip *c, enum stage stage)
{
    struct idle *w = c->idle;

    w->stage = stage;
    w->reads = 0;
    w->cycles = c->live->cpu.cycles;
    w->instructions = c->live->cpu.instructions;
    cpu_save_to(c->cpu, w->regs);
    memcpy(w->live, c->live, c->arena_size);
    forget_time(&w->live->cpu);
    memcpy(w->ram, c->ram, c->model->ram_size);
    if (c->ccm)
        memcpy(w->ccm, c->ccm, c->model->ccm_size);
}

static bool same_live(struct chip *c)
{
    struct cpu_hot now;
    size_t end = offsetof(struct chip_live, cpu) + sizeof(now);

    memcpy(&now, &c->live->cpu, sizeof(now));
    forget_time(&now);
    return !memcmp(&now, &c->idle->live->cpu, sizeof(now)) &&
           !memcmp(c->live, c->idle->live, offsetof(struct chip_live, cpu)) &&
           !memcmp((char *)c->live + end, (char *)c->idle->live + end,
                   c->arena_size - end);
}

static bool same(struct chip *c)
{
    const struct idle *w = c->idle;

    return same_live(c) && cpu_same(c->cpu, w->regs) &&
           !memcmp(c->ram, w->ram, c->model->ram_size) &&
           (!c->ccm || !memcmp(c->ccm, w->ccm, c->model->ccm_size));
}

/* ---- the search ---- */

static void rest(struct idle *w, unsigned reads)
{
    w->stage = RESTING;
    w->rest = reads;
}

/* All rounds that end before the next event; there is no other behind them. */
static bool is_known(const struct idle *w, uint32_t pc)
{
    unsigned i;

    for (i = 0; i < KNOWN; i++)
        if (w->known[i] == pc)
            return true;
    return false;
}

static void know(struct idle *w)
{
    if (is_known(w, w->pc))
        return;
    memmove(w->known + 1, w->known, sizeof(w->known) - sizeof(w->known[0]));
    w->known[0] = w->pc;
}

/* All rounds that end before the next event; there is no other behind them. */
static void skip(struct chip *c)
{
    struct idle *w = c->idle;
    const struct cpu_hot *h = &c->live->cpu;

    cpu_repeat(c->cpu, h->cycles - w->cycles,
               h->instructions - w->instructions);
    know(w);
    rest(w, 2 * ROUND);
}

static void give_up(struct idle *w)
{
    rest(w, w->pause);
    w->pause *= 2;
}

/* The first round after an event is often not like those that follow. */
static void compare(struct chip *c)
{
    struct idle *w = c->idle;

    if (same(c))
        skip(c);
    else if (w->stage == SAVED)
        save(c, AGAIN);
    else
        give_up(w);
}

static void round_ends(struct chip *c)
{
    struct idle *w = c->idle;

    if (w->stage >= SAVED)
        compare(c);
    else if (w->stage == NAMED)
        mark(c);
    else if (same_regs(c, w->reg))
        save(c, SAVED);
    else if (++w->marks < MARKS)
        mark(c);
    else
        give_up(w);
}

static void begin_round(struct chip *c)
{
    struct idle *w = c->idle;

    w->stage = NAMED;
    w->reads = w->marks = 0;
    w->pc = c->live->cpu.pc;
    if (is_known(w, w->pc))
        save(c, SAVED);
}

void idle_look(struct chip *c)
{
    struct idle *w = c->idle;
    uint32_t pc = c->live->cpu.pc;

    if (c->run_all)
        return;
    if (w->stage == RESTING) {
        if (w->rest--)
            return;
        w->stage = LOOKING;
    }
    if (w->stage == LOOKING || ++w->reads > ROUND)
        begin_round(c);
    else if (pc == w->pc)
        round_ends(c);
    else if (w->stage < SAVED && is_known(w, pc))
        begin_round(c);
}
