/* SPDX-License-Identifier: MIT */
/*
 * rcc_f1.c - reset and clock control of the STM32F10x.  RM0008 chapter 7, and
 * chapter 8 for the connectivity line (F105, F107), which has two more PLLs;
 * times from DS5792, 5.3.6 to 5.3.8, and DS6014 5.3.8.
 *
 * Not here: clock security system, MCO output, clock interrupts, RTC clock,
 * what PLL3 drives (I2S, MCO).
 */
#include <stdio.h>

#include "rcc.h"

enum {
    CR = 0x00,
    CFGR = 0x04,
    CIR = 0x08,
    APB2RSTR = 0x0c,
    APB1RSTR = 0x10,
    AHBENR = 0x14,
    APB2ENR = 0x18,
    APB1ENR = 0x1c,
    BDCR = 0x20,
    CSR = 0x24,
    /* connectivity line: */
    AHBRSTR = 0x28,
    CFGR2 = 0x2c,
};

#define CR_TRIM    0xf8u
#define CR_HSEBYP  (1u << 18)
#define CR_CSSON   (1u << 19)
#define CR_SWITCH  (CR_HSEON | CR_HSEBYP | CR_CSSON | CR_PLLON)
#define CR_PLL2ON  (1u << 26)
#define CR_PLL2RDY (1u << 27)
#define CR_PLL3ON  (1u << 28)
#define CR_PLL3RDY (1u << 29)
#define CR_WRITE   (CR_HSION | CR_TRIM | CR_SWITCH)
#define CR_RESET   0x00000083u /* HSI on, trim at its middle */
#define CR_HSICAL  0x00007600u /* factory calibration: any value */

#define CFGR_PLLSRC   (1u << 16)
#define CFGR_PLLXTPRE (1u << 17)
#define CFGR_PLLMUL   (15u << 18)
#define CFGR_PLL      (CFGR_PLLSRC | CFGR_PLLXTPRE | CFGR_PLLMUL)
#define CFGR_USBPRE   (1u << 22)
#define CFGR_WRITE    0x077ffff3u

#define CFGR2_PREDIV1 15u
#define CFGR2_PREDIV2 (15u << 4)
#define CFGR2_PLL2MUL (15u << 8)
#define CFGR2_PLL3MUL (15u << 12)
#define CFGR2_ON_PLL2 (1u << 16) /* PREDIV1SRC */
#define CFGR2_WRITE   0x0007ffffu

#define CSR_FLAGS 0xfc000000u

#define MHZ     1000000u
#define HSI_HZ  (8 * MHZ)
#define LSI_HZ  40000u /* 30 to 60 kHz, table 26: typical */
#define USB_HZ  (48 * MHZ)
#define SYS_MAX (72 * MHZ)
#define AP1_MAX (36 * MHZ)

static const struct rcc_times times = {
    .hsi = 2 * SIM_US,    /* table 25, maximum */
    .hse = 2 * SIM_MS,    /* table 23, typical */
    .pll = 200 * SIM_US,  /* table 28, maximum */
    .lsi = 85 * SIM_US,   /* table 26, maximum */
    .lse = 2500 * SIM_MS, /* table 24, typical at 25 C */
};
/* DS6014: the same, but */
#define T_PLL_CL (350 * SIM_US)

/* For rcc_rule(). */
enum {
    RULE_AHB = 1,
    RULE_APB1 = 2,
    RULE_PLL = 4,
    RULE_USB = 8,
    RULE_FACTOR = 16,
    RULE_INPUT = 32,
    RULE_PLL2_FACTOR = 64,
    RULE_PLL2_INPUT = 128,
    RULE_PLL2 = 256,
};

struct rcc_f1 {
    struct rcc rcc; /* first, as rcc.h wants it */
    uint32_t cir, apb2rst, apb1rst, ahben, apb2en, apb1en;
    uint32_t ahbrst, cfgr2;
    sim_time pll2_at, pll3_at; /* as in struct rcc */
};

static const struct rcc_f1_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

/* ---- frequencies ---- */

/* 8.3.12: 8 to 14, 16 and 20; 0 where it is reserved. */
static unsigned pll2_factor(const struct rcc_f1 *r)
{
    unsigned code = r->cfgr2 >> 8 & 15;

    if (code >= 6 && code <= 12)
        return code + 2;
    return code == 14 ? 16 : code == 15 ? 20 : 0;
}

static uint32_t pll2_input(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    return chip_hse_hz(d->chip) / ((r->cfgr2 >> 4 & 15) + 1);
}

static uint32_t pll2_hz(struct dev *d)
{
    return pll2_input(d) * pll2_factor(d->state);
}

static bool on_pll2(const struct rcc_f1 *r)
{
    return r->rcc.cfgr & CFGR_PLLSRC && r->cfgr2 & CFGR2_ON_PLL2;
}

static uint32_t pll_input(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (!(r->rcc.cfgr & CFGR_PLLSRC))
        return HSI_HZ / 2;
    if (facts(d)->plls)
        return (on_pll2(r) ? pll2_hz(d) : chip_hse_hz(d->chip)) /
               ((r->cfgr2 & CFGR2_PREDIV1) + 1);
    return chip_hse_hz(d->chip) / (r->rcc.cfgr & CFGR_PLLXTPRE ? 2 : 1);
}

/* Twice the factor, 0 where it is reserved (8.3.2: 4 to 9 and 6.5). */
static unsigned pll_halves(struct dev *d)
{
    const struct rcc_f1 *r = d->state;
    unsigned code = r->rcc.cfgr >> 18 & 15;

    if (!facts(d)->plls)
        return 2 * (code > 14 ? 16 : code + 2);
    return code == 13 ? 13 : code >= 2 && code <= 7 ? 2 * (code + 2) : 0;
}

static uint32_t pll_hz(struct dev *d)
{
    return pll_input(d) * pll_halves(d) / 2;
}

/* Never 0: a PLL without a proper setting runs at some frequency. */
static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (r->rcc.used == SW_HSE)
        return chip_hse_hz(d->chip);
    return r->rcc.used == SW_PLL && pll_hz(d) ? pll_hz(d) : HSI_HZ;
}

static uint32_t ahb_hz(struct dev *d)
{
    return rcc_ahb_hz(d, sys_hz(d));
}

static uint32_t apb_hz(struct dev *d, unsigned at)
{
    return rcc_apb_hz(d, ahb_hz(d), at);
}

/* By 1.5 or 1; OTGFSPRE says by 3 and 2, of the PLL's VCO, which is twice as
 * fast. */
static uint32_t usb_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (!rcc_ready(d, r->rcc.pll_at))
        return 0;
    return r->rcc.cfgr & CFGR_USBPRE ? pll_hz(d) : pll_hz(d) / 3 * 2;
}

static uint32_t hz(struct dev *d, enum chip_clock which)
{
    const struct rcc_f1 *r = d->state;

    switch (which) {
    case CLOCK_SYS:
        return sys_hz(d);
    case CLOCK_AHB:
        return ahb_hz(d);
    case CLOCK_APB1:
        return apb_hz(d, 8);
    case CLOCK_APB2:
        return apb_hz(d, 11);
    case CLOCK_LSI:
        return rcc_ready(d, r->rcc.lsi_at) ? LSI_HZ : 0;
    case CLOCK_HSI:
        return rcc_ready(d, r->rcc.hsi_at) ? HSI_HZ : 0;
    case CLOCK_USB:
        return usb_hz(d);
    case CLOCK_HSI48:
        break;
    }
    return 0;
}

static bool usb_ok(struct dev *d)
{
    return usb_hz(d) == USB_HZ;
}

/* ---- rules ---- */

/* 8.3.2, 8.3.12 and DS6014 5.3.8 */
static void check_plls(struct dev *d)
{
    struct rcc_f1 *r = d->state;
    bool on = r->rcc.cr & CR_PLLON, on2 = r->rcc.cr & CR_PLL2ON;
    uint32_t in = pll_input(d), in2 = pll2_input(d), out2 = pll2_hz(d);

    rcc_rule(d, &r->rcc.broken, RULE_FACTOR, on && !pll_halves(d),
             "RCC_CFGR.PLLMUL is none of 4 to 9 and 6.5");
    rcc_rule(d, &r->rcc.broken, RULE_INPUT,
             on && in && (in < 3 * MHZ || in > 12 * MHZ),
             "PLL input outside 3 to 12 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_PLL2_FACTOR, on2 && !pll2_factor(r),
             "RCC_CFGR2.PLL2MUL is none of 8 to 14, 16 and 20");
    rcc_rule(d, &r->rcc.broken, RULE_PLL2_INPUT,
             on2 && (in2 < 3 * MHZ || in2 > 5 * MHZ),
             "PLL2 input outside 3 to 5 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_PLL2,
             on2 && pll2_factor(r) && (out2 < 40 * MHZ || out2 > 74 * MHZ),
             "PLL2 output outside 40 to 74 MHz");
}

static bool enabled(struct dev *d, struct rcc_bit bit)
{
    const struct rcc_f1 *r = d->state;
    uint32_t v = bit.reg == AHBENR    ? r->ahben
                 : bit.reg == APB2ENR ? r->apb2en
                                      : r->apb1en;

    return v >> bit.bit & 1;
}

static bool usb_clocked(struct dev *d)
{
    return enabled(d, facts(d)->usb);
}

static void check_limits(struct dev *d)
{
    struct rcc_f1 *r = d->state;
    uint32_t pll = pll_hz(d);
    unsigned least = facts(d)->pll_min_mhz;
    char text[48];

    if (facts(d)->plls)
        check_plls(d);
    snprintf(text, sizeof(text), "PLL output outside %u to 72 MHz", least);

    rcc_rule(d, &r->rcc.broken, RULE_AHB, ahb_hz(d) > SYS_MAX,
             "AHB clock above 72 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_APB1, apb_hz(d, 8) > AP1_MAX,
             "APB1 clock above 36 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_PLL,
             r->rcc.cr & CR_PLLON && pll &&
                 (pll < least * MHZ || pll > SYS_MAX),
             text);
    /* 48 MHz out of the HSI is refused by USB 2.0, 7.1.11 (0.25 %) and by the
     * data sheet (clock tree: USB needs the HSE), not by the silicon. */
    rcc_rule(
        d, &r->rcc.broken, RULE_USB,
        usb_clocked(d) && usb_ok(d) && !(r->rcc.cfgr & CFGR_PLLSRC),
        "the 48 MHz clock of USB comes from the HSI, which is not accurate "
        "enough");
}

/* ---- CR, CFGR ---- */

/* 8.3.1: PLL2 before the PLL that runs on it, and not off before it. */
static uint32_t pll2_rules(struct dev *d, uint32_t v)
{
    const struct rcc_f1 *r = d->state;
    uint32_t old = r->rcc.cr;

    if (!on_pll2(r))
        return v;
    if (v & ~old & CR_PLLON && !rcc_ready(d, r->pll2_at)) {
        chip_guest_error(d->chip, "PLL switched on before PLL2, which is its "
                                  "input, is stable");
        v &= ~CR_PLLON;
    }
    if (old & ~v & CR_PLL2ON && v & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_CR switches off PLL2, which the PLL "
                                  "runs on");
        v |= CR_PLL2ON;
    }
    return v;
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    struct rcc_times t = times;
    uint32_t old = r->rcc.cr, writable = CR_WRITE;

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    if (facts(d)->plls) {
        writable |= CR_PLL2ON | CR_PLL3ON;
        t.pll = T_PLL_CL;
        v = pll2_rules(d, v);
    }
    rcc_cr_write(d, r->rcc.cfgr & CFGR_PLLSRC ? SW_HSE : SW_HSI, v & writable,
                 &t);
    r->pll2_at = rcc_start_pll(d, SW_HSE, old, CR_PLL2ON, r->pll2_at, t.pll);
    r->pll3_at = rcc_start_pll(d, SW_HSE, old, CR_PLL3ON, r->pll3_at, t.pll);
}

static uint32_t cr_read(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    return rcc_cr_read(d) | CR_HSICAL |
           (rcc_ready(d, r->pll2_at) ? CR_PLL2RDY : 0) |
           (rcc_ready(d, r->pll3_at) ? CR_PLL3RDY : 0);
}

static void cfgr2_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t changed = (r->cfgr2 ^ v) & CFGR2_WRITE, cr = r->rcc.cr;
    uint32_t fixed = 0;

    if (cr & CR_PLLON)
        fixed |= CFGR2_PREDIV1 | CFGR2_ON_PLL2;
    if (cr & CR_PLL2ON)
        fixed |= CFGR2_PLL2MUL | CFGR2_PREDIV2;
    if (cr & CR_PLL3ON)
        fixed |= CFGR2_PLL3MUL | CFGR2_PREDIV2;
    if (changed & fixed)
        chip_guest_error(d->chip, "RCC_CFGR2 changes a PLL while it is on");
    v = (v & ~fixed) | (r->cfgr2 & fixed);
    r->cfgr2 = v & CFGR2_WRITE;
    r->rcc.cfgr = (r->rcc.cfgr & ~CFGR_PLLXTPRE) | (v & 1 ? CFGR_PLLXTPRE : 0);
}

static void cfgr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t changed = (r->rcc.cfgr ^ v) & CFGR_WRITE;

    if (changed & CFGR_PLL && r->rcc.cr & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_CFGR changes the PLL while it is on");
        v = (v & ~CFGR_PLL) | (r->rcc.cfgr & CFGR_PLL);
    }
    if (changed & CFGR_USBPRE && usb_clocked(d))
        chip_guest_error(d->chip,
                         "RCC_CFGR.%s changed while the USB clock is "
                         "enabled",
                         facts(d)->plls ? "OTGFSPRE" : "USBPRE");
    rcc_cfgr_write(d, v & CFGR_WRITE);
    if (facts(d)->plls) /* the same bit (8.3.12, PREDIV1) */
        r->cfgr2 = (r->cfgr2 & ~1u) | (v & CFGR_PLLXTPRE ? 1 : 0);
    if (v >> 24 & 7)
        dev_unmodelled(d, CFGR, "clock output on MCO");
}

/* ---- the peripheral ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct rcc_f1 *r = d->state;

    switch (off) {
    case CR:
        return cr_read(d);
    case CFGR:
        return r->rcc.cfgr | r->rcc.used << 2;
    case CIR:
        return r->cir;
    case APB2RSTR:
        return r->apb2rst;
    case APB1RSTR:
        return r->apb1rst;
    case AHBENR:
        return r->ahben;
    case APB2ENR:
        return r->apb2en;
    case APB1ENR:
        return r->apb1en;
    case BDCR:
        return r->rcc.bdcr | (rcc_ready(d, r->rcc.lse_at) ? BDCR_LSERDY : 0);
    case CSR:
        return r->rcc.csr | (rcc_ready(d, r->rcc.lsi_at) ? CSR_LSIRDY : 0);
    }
    if (facts(d)->plls && off == AHBRSTR)
        return r->ahbrst;
    if (facts(d)->plls && off == CFGR2)
        return r->cfgr2;
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct rcc_f1 *r = d->state;

    switch (off) {
    case CR:
        cr_write(d, v);
        break;
    case CFGR:
        cfgr_write(d, v);
        break;
    case CIR:
        if (v & 0x1f00)
            dev_unmodelled(d, CIR, "clock ready interrupt");
        r->cir = v & 0x1f00;
        break;
    case APB2RSTR:
        rcc_pulse(d, APB2RSTR, &r->apb2rst, v);
        break;
    case APB1RSTR:
        rcc_pulse(d, APB1RSTR, &r->apb1rst, v);
        break;
    case AHBENR:
        r->ahben = v;
        break;
    case APB2ENR:
        r->apb2en = v;
        break;
    case APB1ENR:
        r->apb1en = v;
        break;
    case BDCR:
        rcc_bdcr_write(d, v, times.lse, "BKP");
        break;
    case CSR:
        rcc_csr_write(d, v, CSR_FLAGS, times.lsi);
        break;
    default:
        if (facts(d)->plls && off == AHBRSTR)
            rcc_pulse(d, AHBRSTR, &r->ahbrst, v);
        else if (facts(d)->plls && off == CFGR2)
            cfgr2_write(d, v);
        else
            dev_unmodelled(d, off, "register");
    }
}

static uint32_t rcc_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    (void)range, (void)size;
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

static void rcc_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    uint32_t reg = off & ~3u;

    (void)range;
    reg_write(d, reg, reg_merge(reg_read(d, reg), off, size, value));
    if (reg == CIR || reg == APB2RSTR || reg == APB1RSTR || reg == AHBRSTR)
        return;
    rcc_try_switch(d);
    check_limits(d);
    chip_clocks_changed(d->chip);
}

/* The next time that a clock becomes stable. */
static sim_time rcc_deadline(struct dev *d)
{
    const struct rcc_f1 *r = d->state;
    const sim_time at[] = {r->rcc.hsi_at, r->rcc.hse_at, r->rcc.pll_at,
                           r->rcc.lsi_at, r->pll2_at,    r->pll3_at};

    return rcc_next(d, at, sizeof(at) / sizeof(at[0]));
}

static void rcc_event(struct dev *d)
{
    rcc_try_switch(d);
    check_limits(d);
    chip_clocks_changed(d->chip);
}

static void rcc_reset(struct dev *d, enum reset_cause cause)
{
    struct rcc_f1 *r = d->state;

    rcc_restart(d, cause, CR_RESET & CR_WRITE, CSR_FLAGS);
    *r = (struct rcc_f1){.rcc = r->rcc,
                         .ahben = 0x14,
                         .pll2_at = SIM_NEVER,
                         .pll3_at = SIM_NEVER};
}

static void reset_flag(struct dev *d, enum reset_cause cause)
{
    rcc_reset_flag(d, cause, CSR_PORRSTF);
}

const struct device_ops rcc_f1_ops = {
    .state_size = sizeof(struct rcc_f1),
    .steady = true,
    .reset = rcc_reset,
    .read = rcc_read,
    .write = rcc_write,
    .deadline = rcc_deadline,
    .event = rcc_event,
};

const struct rcc_ops rcc_f1_rcc = {
    .hz = hz,
    .usb_ok = usb_ok,
    .enabled = enabled,
    .reset_flag = reset_flag,
};
