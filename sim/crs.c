/* SPDX-License-Identifier: MIT */
/*
 * crs.c - the clock recovery system of F0 and L0: it counts HSI48 between two
 * starts of frame and trims it.  RM0091 chapter 7, RM0376 chapter 8.
 *
 * Time in this chip runs at 48 MHz whatever HSI48 does; how far an untrimmed
 * one would be off is known here alone, and is what the counter sees.
 *
 * Not here: LSE and the CRS_SYNC pin as sources.
 */
#include "periph.h"

enum { CR = 0x00, CFGR = 0x04, ISR = 0x08, ICR = 0x0c };

#define CR_CEN        (1u << 5)
#define CR_AUTOTRIMEN (1u << 6)
#define CR_SWSYNC     (1u << 7)
#define CR_TRIM       (0x3fu << 8)
#define CR_RESET      0x2000u /* TRIM in its middle */
#define CR_WRITE      0x3f6fu

#define CFGR_RELOAD  0xffffu
#define CFGR_SYNCSRC (3u << 28)
#define CFGR_USB     (2u << 28)
#define CFGR_RESET   0x2022bb7fu
#define CFGR_WRITE   0xb7ffffffu

/* The lower four are the interrupts, in CR, ISR and ICR at the same places. */
#define FLAG_SYNCOK   (1u << 0)
#define FLAG_SYNCWARN (1u << 1)
#define FLAG_ERR      (1u << 2)
#define FLAG_ESYNC    (1u << 3)
#define FLAGS         15u
#define ISR_SYNCERR   (1u << 8)
#define ISR_SYNCMISS  (1u << 9)
#define ISR_TRIMOVF   (1u << 10)
#define ISR_ERRORS    (ISR_SYNCERR | ISR_SYNCMISS | ISR_TRIMOVF)
#define ISR_FEDIR     (1u << 15)

enum {
    TRIM_MIDDLE = 32,
    TRIM_MAX = 63,
    /* DS9826 table 41: a step is 0.14 % typically, and an untrimmed HSI48 is
     * within 2.9 % at 25 C; USB wants 0.25 %. */
    STEP_PPM = 1400,
    UNTRIMMED_PPM = 9000,
    HSI48_MHZ = 48,
    OUTRANGE = 128, /* times FELIM */
};

struct crs {
    uint32_t cr, cfgr, isr;
    bool counting;  /* since `since`; it begins at the first sync */
    bool expected;  /* the counter has been at zero since then */
    unsigned syncs; /* not counted yet, of SYNCDIV */
    sim_time since;
};

/* ---- the counter: from RELOAD to zero, and up again ---- */

static unsigned trim(const struct crs *s)
{
    return (s->cr & CR_TRIM) >> 8;
}

/* Periods of HSI48 in that time. */
static uint64_t periods(const struct crs *s, sim_time t)
{
    int ppm = UNTRIMMED_PPM + ((int)trim(s) - TRIM_MIDDLE) * STEP_PPM;
    uint64_t khz = HSI48_MHZ * (uint64_t)(1000000 + ppm) / 1000;

    return t / SIM_NS * khz / 1000000;
}

/* When the counter has made n periods. */
static sim_time after(const struct crs *s, uint64_t n)
{
    sim_time t = s->since + n * SIM_US / HSI48_MHZ;

    while (periods(s, t - s->since) < n)
        t += SIM_NS;
    return t;
}

static uint32_t reload(const struct crs *s)
{
    return s->cfgr & CFGR_RELOAD;
}

static uint32_t limit(const struct crs *s)
{
    return s->cfgr >> 16 & 0xff;
}

static void update_irq(struct dev *d)
{
    const struct crs *s = d->state;

    chip_irq(d->chip, d->desc->irq[0], s->isr & s->cr & FLAGS);
}

static void flag(struct dev *d, uint32_t flags)
{
    struct crs *s = d->state;

    s->isr |= flags;
    if (flags & ISR_ERRORS)
        s->isr |= FLAG_ERR;
    update_irq(d);
}

/* What has happened by now without a sync (7.4.3): zero, and too late. */
static void settle(struct dev *d)
{
    struct crs *s = d->state;
    uint64_t n;

    if (!s->counting)
        return;
    n = periods(s, chip_now(d->chip) - s->since);
    if (!s->expected && n >= reload(s)) {
        s->expected = true;
        flag(d, FLAG_ESYNC);
    }
    if (n >= reload(s) + OUTRANGE * limit(s)) {
        s->counting = false;
        flag(d, ISR_SYNCMISS);
    }
}

/* 7.4.4: a step up where HSI48 is slow (FEDIR), down where it is fast. */
static void correct(struct dev *d, int steps)
{
    struct crs *s = d->state;
    int v = (int)trim(s) + steps;

    if (!(s->cr & CR_AUTOTRIMEN))
        return;
    if (v < 0 || v > TRIM_MAX) {
        flag(d, ISR_TRIMOVF);
        return;
    }
    s->cr = (s->cr & ~CR_TRIM) | (uint32_t)v << 8;
}

static void evaluate(struct dev *d)
{
    struct crs *s = d->state;
    uint64_t n = periods(s, chip_now(d->chip) - s->since);
    /* A counter of RELOAD is right for RELOAD + 1 periods. */
    bool slow = n <= reload(s);
    uint32_t error = (uint32_t)(slow ? reload(s) - n : n - reload(s) - 1);
    int way = slow ? 1 : -1;

    s->isr = (s->isr & 0x7fff) | error << 16 | (slow ? ISR_FEDIR : 0);
    if (error < limit(s)) {
        flag(d, FLAG_SYNCOK);
    } else if (error < 3 * limit(s)) {
        flag(d, FLAG_SYNCOK);
        correct(d, way);
    } else if (error < OUTRANGE * limit(s)) {
        flag(d, FLAG_SYNCWARN);
        correct(d, 2 * way);
    } else {
        flag(d, ISR_SYNCERR);
    }
}

static void sync(struct dev *d)
{
    struct crs *s = d->state;

    if (!(s->cr & CR_CEN) || !chip_clock_hz(d->chip, CLOCK_HSI48))
        return;
    if (++s->syncs < 1u << (s->cfgr >> 24 & 7))
        return;
    s->syncs = 0;
    settle(d);
    if (s->counting)
        evaluate(d);
    s->counting = true;
    s->expected = false;
    s->since = chip_now(d->chip);
}

static void usb_sof(struct dev *d)
{
    const struct crs *s = d->state;

    if ((s->cfgr & CFGR_SYNCSRC) == CFGR_USB)
        sync(d);
}

bool crs_trims_by_usb(struct chip *c)
{
    const struct dev *d = chip_dev(c, "CRS");
    const struct crs *s = d ? d->state : NULL;
    const uint32_t on = CR_CEN | CR_AUTOTRIMEN;

    return s && (s->cr & on) == on && (s->cfgr & CFGR_SYNCSRC) == CFGR_USB;
}

/* ---- registers ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct crs *s = d->state;

    switch (off) {
    case CR:
        return s->cr;
    case CFGR:
        return s->cfgr;
    case ISR:
        return s->isr;
    case ICR:
        return 0;
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

/* 7.7.1: TRIM is the hardware's while AUTOTRIMEN is set. */
static void cr_write(struct dev *d, uint32_t v)
{
    struct crs *s = d->state;
    uint32_t mask = CR_WRITE;

    if (s->cr & v & CR_AUTOTRIMEN)
        mask &= ~CR_TRIM;
    s->cr = (s->cr & ~mask) | (v & mask);
    if (!(s->cr & CR_CEN))
        s->counting = false;
    if (v & CR_SWSYNC)
        sync(d);
}

/* 7.7.2: write-protected while CEN is set. */
static void cfgr_write(struct dev *d, uint32_t v)
{
    struct crs *s = d->state;

    if (s->cr & CR_CEN)
        chip_guest_error(d->chip, "CRS_CFGR written while CRS_CR.CEN is set");
    else
        s->cfgr = v & CFGR_WRITE;
    if ((s->cfgr & CFGR_SYNCSRC) != CFGR_USB)
        dev_unmodelled(d, CFGR, "another source than USB");
}

static void crs_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct crs *s = d->state;
    uint32_t reg = off & ~3u;
    uint32_t v = reg_merge(reg == ICR ? 0 : reg_read(d, reg), off, size, value);

    (void)range;
    settle(d);
    if (reg == CR) {
        cr_write(d, v);
    } else if (reg == CFGR) {
        cfgr_write(d, v);
    } else if (reg == ICR) {
        s->isr &= ~(v & FLAGS);
        if (v & FLAG_ERR)
            s->isr &= ~ISR_ERRORS;
    }
    update_irq(d);
}

static uint32_t crs_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    (void)range, (void)size;
    settle(d);
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

/* Only where somebody waits for it. */
static sim_time deadline(struct dev *d)
{
    const struct crs *s = d->state;

    if (!s->counting)
        return SIM_NEVER;
    if (s->cr & FLAG_ESYNC && !s->expected)
        return after(s, reload(s));
    return s->cr & FLAG_ERR ? after(s, reload(s) + OUTRANGE * limit(s))
                            : SIM_NEVER;
}

static void crs_reset(struct dev *d, enum reset_cause cause)
{
    struct crs *s = d->state;

    (void)cause;
    *s = (struct crs){.cr = CR_RESET, .cfgr = CFGR_RESET};
    update_irq(d);
}

const struct device_ops crs_ops = {
    .state_size = sizeof(struct crs),
    .reset = crs_reset,
    .read = crs_read,
    .write = crs_write,
    .deadline = deadline,
    .event = settle,
    .usb_sof = usb_sof,
};
