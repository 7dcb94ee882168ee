/* SPDX-License-Identifier: MIT */
/*
 * pwr_f4.c - power control and backup registers of STM32F405, F407 and F411.
 * RM0090 5.4 and 26.6.20 (the backup registers are part of the RTC); RM0383
 * 5.4.
 *
 * No board here has a battery: the backup domain lives as long as the power.
 * Not here: voltage detector, stop and standby, backup SRAM, the RTC itself.
 */
#include "periph.h"

/* ---- PWR ---- */

enum { PWR_CR = 0x00, PWR_CSR = 0x04 };

#define CR_PDDS   (1u << 1)
#define CR_PVDE   (1u << 4)
#define CR_DBP    (1u << 8)
#define CR_VOS_AT 14
#define CR_WRITE  0x3f3u /* but for VOS; CWUF and CSBF read as 0 */
#define CSR_BRR   (1u << 3)
#define CSR_BRE   (1u << 9)
#define CSR_WRITE 0x300u     /* EWUP, BRE */
#define CSR_READY (1u << 14) /* VOSRDY */

#define MHZ 1000000u

struct pwr_f4 {
    uint32_t cr, csr;
};

static const struct pwr_f4_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

static uint32_t vos_mask(const struct dev *d)
{
    return ((1u << facts(d)->vos_bits) - 1) << CR_VOS_AT;
}

uint32_t pwr_f4_max_hz(struct chip *c)
{
    struct dev *d = chip_dev(c, "PWR");
    const struct pwr_f4 *p = d->state;

    return facts(d)->scale_mhz[p->cr >> CR_VOS_AT & 3] * MHZ;
}

static uint32_t pwr_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct pwr_f4 *p = d->state;
    uint32_t v = 0;

    (void)range, (void)size;
    if ((off & ~3u) == PWR_CR)
        v = p->cr;
    else if ((off & ~3u) == PWR_CSR)
        v = p->csr | CSR_READY | (p->csr & CSR_BRE ? CSR_BRR : 0);
    else
        dev_unmodelled(d, off, "register");
    return v >> 8 * (off & 3);
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct pwr_f4 *p = d->state;

    v &= CR_WRITE | vos_mask(d);
    if ((v ^ p->cr) & vos_mask(d) && facts(d)->pll_off &&
        rcc_f4_pll_on(d->chip)) {
        chip_guest_error(d->chip, "PWR_CR.VOS changed while the PLL is on");
        v = (v & ~vos_mask(d)) | (p->cr & vos_mask(d));
    }
    p->cr = v;
}

static void pwr_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct pwr_f4 *p = d->state;
    uint32_t old = p->cr;

    (void)range;
    if ((off & ~3u) == PWR_CR)
        cr_write(d, reg_merge(p->cr, off, size, value));
    else if ((off & ~3u) == PWR_CSR)
        p->csr = reg_merge(p->csr, off, size, value) & CSR_WRITE;
    else
        dev_unmodelled(d, off, "register");
    if (p->cr & (CR_PDDS | CR_PVDE))
        dev_unmodelled(d, PWR_CR, "standby or voltage detector");
    if ((p->cr ^ old) & vos_mask(d))
        chip_clocks_changed(d->chip);
}

static void pwr_reset(struct dev *d, enum reset_cause cause)
{
    struct pwr_f4 *p = d->state;

    (void)cause;
    *p = (struct pwr_f4){.cr = (uint32_t)facts(d)->vos << CR_VOS_AT};
}

const struct device_ops pwr_f4_ops = {
    .state_size = sizeof(struct pwr_f4),
    .reset = pwr_reset,
    .read = pwr_read,
    .write = pwr_write,
};

/* ---- RTC: its backup registers ---- */

enum { BKP0R = 0x50, BKP_REGS = 20 /* F4; F0 and L0: 5 */ };

struct rtc_f4 {
    uint32_t bkp[BKP_REGS];
};

static bool is_backup(struct dev *d, uint32_t off)
{
    const struct rtc_f4_facts *f = d->desc->facts;

    return off >= BKP0R && (off - BKP0R) / 4 < (f ? f->registers : BKP_REGS);
}

static uint32_t rtc_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct rtc_f4 *r = d->state;
    unsigned i = (off - BKP0R) / 4;

    (void)range, (void)size;
    if (is_backup(d, off))
        return r->bkp[i] >> 8 * (off & 3);
    dev_unmodelled(d, off & ~3u, "register");
    return 0;
}

/* 26.3.5: all are write-protected by PWR_CR.DBP; the backup registers need
 * no key in RTC_WPR. */
static void rtc_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct rtc_f4 *r = d->state;
    unsigned i = (off - BKP0R) / 4;

    (void)range;
    if (!pwr_backup_open(d->chip))
        chip_guest_error(d->chip, "RTC written without PWR_CR.DBP");
    else if (is_backup(d, off))
        r->bkp[i] = reg_merge(r->bkp[i], off, size, value);
    else
        dev_unmodelled(d, off & ~3u, "register");
}

static void rtc_reset(struct dev *d, enum reset_cause cause)
{
    struct rtc_f4 *r = d->state;

    if (cause == RESET_POWER)
        *r = (struct rtc_f4){0};
}

const struct device_ops rtc_f4_ops = {
    .state_size = sizeof(struct rtc_f4),
    .reset = rtc_reset,
    .read = rtc_read,
    .write = rtc_write,
};
