/* SPDX-License-Identifier: MIT */
/*
 * iwdg.c - independent watchdog on the LSI clock.  RM0008 chapter 19, RM0090
 * chapter 21.
 *
 * Once started it runs until a reset.  It has an LSI of its own accord: the
 * start switches it on whatever RCC says.
 */
#include "periph.h"

enum { KR = 0x00, PR = 0x04, RLR = 0x08, SR = 0x0c };

enum { KEY_UNLOCK = 0x5555, KEY_RELOAD = 0xaaaa, KEY_START = 0xcccc };

#define RLR_MAX 0xfffu

/* 19.4.4: a new value takes up to five periods of the clock. */
enum { UPDATE_PERIODS = 5 };

struct iwdg {
    bool started, open;
    uint32_t pr, rlr;       /* as last written */
    sim_time pr_at, rlr_at; /* when they took effect, or will */
    sim_time fed_at;
};

static sim_time period(struct dev *d)
{
    const struct iwdg_facts *f = d->desc->facts;

    return SIM_S / f->lsi_hz;
}

static sim_time bites_at(struct dev *d)
{
    const struct iwdg *w = d->state;
    uint64_t ticks = (uint64_t)(w->rlr + 1) << ((w->pr > 6 ? 6 : w->pr) + 2);

    return w->fed_at + ticks * period(d);
}

static void key(struct dev *d, uint32_t v)
{
    struct iwdg *w = d->state;

    w->open = v == KEY_UNLOCK;
    if (v == KEY_START)
        w->started = true;
    if (w->started && (v == KEY_START || v == KEY_RELOAD))
        w->fed_at = chip_now(d->chip);
    if (v != KEY_UNLOCK && v != KEY_START && v != KEY_RELOAD)
        chip_guest_error(d->chip, "IWDG_KR takes 0x5555, 0xAAAA and 0xCCCC");
}

/* Refused while locked (19.3.2) and while the last value is on its way. */
static void set(struct dev *d, uint32_t *reg, sim_time *at, uint32_t v,
                const char *name)
{
    const struct iwdg *w = d->state;
    sim_time now = chip_now(d->chip);

    if (!w->open) {
        chip_guest_error(d->chip, "%s written without the key 0x5555", name);
    } else if (now < *at) {
        chip_guest_error(d->chip,
                         "%s written while IWDG_SR says that it is "
                         "being updated",
                         name);
    } else {
        *reg = v;
        *at = now + UPDATE_PERIODS * period(d);
    }
}

static uint32_t iwdg_read(struct dev *d, unsigned range, uint32_t off,
                          unsigned size)
{
    const struct iwdg *w = d->state;
    sim_time now = chip_now(d->chip);

    (void)range, (void)size;
    switch (off) {
    case KR:
        return 0;
    case PR:
        return w->pr;
    case RLR:
        return w->rlr;
    case SR:
        return (now < w->pr_at ? 1u : 0) | (now < w->rlr_at ? 2u : 0);
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void iwdg_write(struct dev *d, unsigned range, uint32_t off,
                       unsigned size, uint32_t value)
{
    struct iwdg *w = d->state;

    (void)range, (void)size;
    if (off == KR)
        key(d, value & 0xffff);
    else if (off == PR)
        set(d, &w->pr, &w->pr_at, value & 7, "IWDG_PR");
    else if (off == RLR)
        set(d, &w->rlr, &w->rlr_at, value & RLR_MAX, "IWDG_RLR");
    else if (off != SR)
        dev_unmodelled(d, off, "register");
}

static sim_time iwdg_deadline(struct dev *d)
{
    const struct iwdg *w = d->state;

    return w->started ? bites_at(d) : SIM_NEVER;
}

static void iwdg_event(struct dev *d)
{
    struct iwdg *w = d->state;

    w->started = false;
    chip_want_reset(d->chip, RESET_IWDG);
}

static void iwdg_reset(struct dev *d, enum reset_cause cause)
{
    struct iwdg *w = d->state;

    (void)cause;
    *w = (struct iwdg){.rlr = RLR_MAX};
}

const struct device_ops iwdg_ops = {
    .state_size = sizeof(struct iwdg),
    .plain = true,
    .reset = iwdg_reset,
    .read = iwdg_read,
    .write = iwdg_write,
    .deadline = iwdg_deadline,
    .event = iwdg_event,
};
