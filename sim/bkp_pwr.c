/* SPDX-License-Identifier: MIT */
/*
 * bkp_pwr.c - backup registers and power control of the STM32F10x, and the
 * identity in DBGMCU.  RM0008 chapters 5, 6 and 31.6.1.
 *
 * No board here has a battery: the backup domain lives as long as the power.
 * Not here: tamper pin, RTC calibration, voltage detector, stop and standby.
 */
#include "periph.h"

/* ---- PWR ---- */

enum { PWR_CR = 0x00, PWR_CSR = 0x04 };

#define CR_DBP   (1u << 8)
#define CR_WRITE 0x1f3u /* CWUF and CSBF read as 0 */

struct pwr {
    uint32_t cr, csr;
};

bool pwr_backup_open(struct chip *c)
{
    struct dev *d = chip_dev(c, "PWR");

    return d && d->desc->ops->read(d, 0, PWR_CR, 4) & CR_DBP;
}

static uint32_t pwr_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct pwr *p = d->state;

    (void)range, (void)size;
    if (off == PWR_CR)
        return p->cr;
    if (off != PWR_CSR)
        dev_unmodelled(d, off, "register");
    return off == PWR_CSR ? p->csr : 0;
}

static void pwr_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct pwr *p = d->state;

    (void)range;
    if (off == PWR_CR)
        p->cr = reg_merge(p->cr, off, size, value) & CR_WRITE;
    else if (off == PWR_CSR)
        p->csr = value & 0x100; /* EWUP */
    else
        dev_unmodelled(d, off, "register");
    if (off == PWR_CR && value & 0x12)
        dev_unmodelled(d, off, "standby or voltage detector");
}

static void pwr_reset(struct dev *d, enum reset_cause cause)
{
    struct pwr *p = d->state;

    (void)cause;
    *p = (struct pwr){0};
}

const struct device_ops pwr_ops = {
    .state_size = sizeof(struct pwr),
    .reset = pwr_reset,
    .read = pwr_read,
    .write = pwr_write,
};

/* ---- BKP ---- */

enum {
    DR1 = 0x04, /* to DR10 at 0x28 */
    RTCCR = 0x2c,
    BKP_CR = 0x30,
    BKP_CSR = 0x34,
    DR11 = 0x40, /* to DR42 at 0xbc */
    BKP_REGS = 42,
};

struct bkp {
    uint16_t dr[BKP_REGS];
    uint32_t rtccr, cr;
};

/* The data register at this offset, NULL if there is none. */
static uint16_t *data_register(struct dev *d, uint32_t off)
{
    const struct bkp_facts *f = d->desc->facts;
    struct bkp *b = d->state;
    unsigned i = off >= DR11 ? 10 + (off - DR11) / 4 : (off - DR1) / 4;

    if (off < DR1 || (off > 0x28 && off < DR11) || i >= f->registers)
        return NULL;
    return &b->dr[i];
}

static uint32_t bkp_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct bkp *b = d->state;
    const uint16_t *dr = data_register(d, off & ~3u);

    (void)range, (void)size;
    if (dr)
        return (uint32_t)*dr >> 8 * (off & 3);
    if (off == RTCCR)
        return b->rtccr;
    if (off == BKP_CR)
        return b->cr;
    if (off != BKP_CSR)
        dev_unmodelled(d, off, "register");
    return 0;
}

/* 5.1.2: read-only until PWR_CR.DBP is set. */
static void bkp_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct bkp *b = d->state;
    uint16_t *dr = data_register(d, off & ~3u);

    (void)range;
    if (!pwr_backup_open(d->chip)) {
        chip_guest_error(d->chip, "BKP written without PWR_CR.DBP");
        return;
    }
    if (dr)
        *dr = (uint16_t)reg_merge(*dr, off, size, value);
    else if (off == RTCCR)
        b->rtccr = value & 0x3ff;
    else if (off == BKP_CR)
        b->cr = value & 3;
    else
        dev_unmodelled(d, off, "register");
}

static void bkp_reset(struct dev *d, enum reset_cause cause)
{
    struct bkp *b = d->state;

    if (cause == RESET_POWER)
        *b = (struct bkp){0};
}

const struct device_ops bkp_ops = {
    .state_size = sizeof(struct bkp),
    .reset = bkp_reset,
    .read = bkp_read,
    .write = bkp_write,
};

/* ---- DBGMCU: F1 and F4 ---- */

struct dbgmcu {
    uint32_t cr;
    uint32_t fz[2]; /* F4: what stops while a debugger halts the core */
};

static uint32_t *dbgmcu_register(struct dev *d, uint32_t off)
{
    struct dbgmcu *m = d->state;

    if (off / 4 == 1)
        return &m->cr;
    return off / 4 == 2 || off / 4 == 3 ? &m->fz[off / 4 - 2] : NULL;
}

static uint32_t dbgmcu_read(struct dev *d, unsigned range, uint32_t off,
                            unsigned size)
{
    const struct dbgmcu_facts *f = d->desc->facts;
    const uint32_t *reg = dbgmcu_register(d, off);

    (void)range, (void)size;
    return (off < 4 ? f->idcode : reg ? *reg : 0) >> 8 * (off & 3);
}

static void dbgmcu_write(struct dev *d, unsigned range, uint32_t off,
                         unsigned size, uint32_t value)
{
    uint32_t *reg = dbgmcu_register(d, off);

    (void)range;
    if (reg)
        *reg = reg_merge(*reg, off, size, value);
}

static void dbgmcu_reset(struct dev *d, enum reset_cause cause)
{
    struct dbgmcu *m = d->state;

    if (cause == RESET_POWER)
        *m = (struct dbgmcu){0};
}

const struct device_ops dbgmcu_ops = {
    .state_size = sizeof(struct dbgmcu),
    .reset = dbgmcu_reset,
    .read = dbgmcu_read,
    .write = dbgmcu_write,
};
