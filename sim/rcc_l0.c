/* SPDX-License-Identifier: MIT */
/*
 * rcc_l0.c - reset and clock control of STM32L072.  RM0376 chapter 7 (7.2 is
 * the clock tree, 7.3 the registers), times and limits from DS10689, 6.3.7 to
 * 6.3.9.
 *
 * Not here: clock security systems, MCO output, clock interrupts, LSE and RTC
 * clock, clocks of kernels other than USB's, clock gating while asleep.
 */
#include "rcc.h"

enum {
    CR = 0x00,
    ICSCR = 0x04,
    CRRCR = 0x08,
    CFGR = 0x0c,
    CIER = 0x10,
    CIFR = 0x14,
    CICR = 0x18,
    IOPRSTR = 0x1c,
    APB1RSTR = 0x28,
    IOPENR = 0x2c,
    APB1ENR = 0x38,
    IOPSMENR = 0x3c,
    APB1SMENR = 0x48,
    CCIPR = 0x4c,
    CSR = 0x50,
};

/* IOP, AHB, APB2, APB1: so do all registers with one bit for each peripheral
 * follow each other. */
enum { BUSES = 4, BUS_AHB = 1, BUS_APB1 = 3 };

/* Others than on the families that rcc.h has: HSIRDY is bit 2. */
#define CR_HSIKERON  (1u << 1)
#define CR_L0_HSIRDY (1u << 2)
#define CR_HSIDIVEN  (1u << 3)
#define CR_HSIDIVF   (1u << 4)
#define CR_MSION     (1u << 8)
#define CR_MSIRDY    (1u << 9)
#define CR_CSSON     (1u << 19)
#define CR_WRITE     0x013d012bu
#define CR_RESET     CR_MSION

#define ICSCR_RESET   0x0000b000u /* MSI range 5, HSI trim at its middle */
#define ICSCR_WRITE   0xff00ff00u
#define CRRCR_HSI48ON (1u << 0)
#define CRRCR_RDY     (1u << 1)
#define CRRCR_WRITE   5u
#define CFGR_PLLSRC   (1u << 16)
#define CFGR_PLL      0x00fd0000u /* PLLSRC, PLLMUL, PLLDIV */
#define CFGR_MCO      0x7f000000u
#define CFGR_WRITE    0x7ffdbff3u
#define CCIPR_HSI48   (1u << 26)
#define AHB_RESET     (1u << 8) /* the memory interface */
#define APB1_USB      (1u << 23)

#define L0_CSR_RMVF  (1u << 23)
#define L0_CSR_FLAGS 0xff000000u

#define MHZ     1000000u
#define HSI_HZ  (16 * MHZ)
#define LSI_HZ  37000u     /* DS10689 table 45, typical */
#define USB_HZ  (48 * MHZ) /* and HSI48 */
#define USB_APB (10 * MHZ) /* the least that the USB block wants */
#define PLL_IN  (2 * MHZ)  /* table 49 */
#define PLL_TOP (24 * MHZ)

enum { L0_MSI, L0_HSI, L0_HSE, L0_PLL }; /* SW */

/* Until stable. */
#define T_MSI   (5 * SIM_US)   /* table 48, range 5: typical */
#define T_HSI   (4 * SIM_US)   /* table 43: typical 3.7 */
#define T_HSI48 (6 * SIM_US)   /* table 44: maximum */
#define T_HSE   (2 * SIM_MS)   /* table 41: typical */
#define T_PLL   (160 * SIM_US) /* table 49: maximum */
#define T_LSI   (200 * SIM_US) /* table 45: maximum */

/* For rcc_rule(). */
enum {
    RULE_AHB = 1,
    RULE_PLL_IN = 2,
    RULE_PLL_FACTORS = 4,
    RULE_VCO = 8,
    RULE_USB_APB = 16,
    RULE_HSI48 = 32,
    RULE_TRIM = 64,
};

struct rcc_l0 {
    struct rcc rcc; /* first, as rcc.h wants it */
    uint32_t icscr, crrcr, cier, ccipr;
    uint32_t rst[BUSES], en[BUSES], smen[BUSES];
    sim_time msi_at; /* as in struct rcc */
};

static const uint32_t smen_reset[BUSES] = {0x9f, 0x00111301, 0x00405225,
                                           0xf8fe4833};

/* ---- frequencies ---- */

/* 7.3.2: 65.536 kHz to 4.194 MHz. */
static uint32_t msi_hz(const struct rcc_l0 *r)
{
    return 65536u << (r->icscr >> 13 & 7);
}

static uint32_t hsi_hz(const struct rcc_l0 *r)
{
    return r->rcc.cr & CR_HSIDIVEN ? HSI_HZ / 4 : HSI_HZ;
}

static uint32_t pll_source(struct dev *d)
{
    const struct rcc_l0 *r = d->state;

    return r->rcc.cfgr & CFGR_PLLSRC ? chip_hse_hz(d->chip) : hsi_hz(r);
}

/* 0 where the manual has no such factor. */
static uint32_t vco_hz(struct dev *d)
{
    static const uint8_t times[] = {3, 4, 6, 8, 12, 16, 24, 32, 48};
    const struct rcc_l0 *r = d->state;
    unsigned code = r->rcc.cfgr >> 18 & 15;

    return code < sizeof(times) ? pll_source(d) * times[code] : 0;
}

static uint32_t pll_hz(struct dev *d)
{
    const struct rcc_l0 *r = d->state;
    unsigned code = r->rcc.cfgr >> 22 & 3;

    return code ? vco_hz(d) / (code + 1) : 0;
}

/* Never 0. */
static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_l0 *r = d->state;
    uint32_t hz = 0;

    if (r->rcc.used == L0_HSI)
        hz = hsi_hz(r);
    if (r->rcc.used == L0_HSE)
        hz = chip_hse_hz(d->chip);
    if (r->rcc.used == L0_PLL)
        hz = pll_hz(d);
    return hz ? hz : msi_hz(r);
}

static uint32_t ahb_hz(struct dev *d)
{
    return rcc_ahb_hz(d, sys_hz(d));
}

static uint32_t apb_hz(struct dev *d, unsigned at)
{
    return rcc_apb_hz(d, ahb_hz(d), at);
}

/* 7.2, figure 17: HSI48, or half of the PLL's VCO. */
static uint32_t usb_hz(struct dev *d)
{
    const struct rcc_l0 *r = d->state;

    if (r->ccipr & CCIPR_HSI48)
        return rcc_ready(d, r->rcc.hsi48_at) ? USB_HZ : 0;
    return rcc_ready(d, r->rcc.pll_at) ? vco_hz(d) / 2 : 0;
}

static uint32_t hz(struct dev *d, enum chip_clock which)
{
    const struct rcc_l0 *r = d->state;

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
        return rcc_ready(d, r->rcc.hsi_at) ? hsi_hz(r) : 0;
    case CLOCK_HSI48:
        return rcc_ready(d, r->rcc.hsi48_at) ? USB_HZ : 0;
    case CLOCK_USB:
        return usb_hz(d);
    }
    return 0;
}

/* ---- rules ---- */

/* HSI48 alone is within 4 % (DS10689 table 44), HSI16 within 1 %; USB 2.0
 * wants 0.25 % (7.1.11). */
static bool accurate(struct dev *d)
{
    const struct rcc_l0 *r = d->state;

    if (r->ccipr & CCIPR_HSI48)
        return crs_trims_by_usb(d->chip);
    return r->rcc.cfgr & CFGR_PLLSRC;
}

/* Asked when the USB block begins to work. */
static bool usb_ok(struct dev *d)
{
    struct rcc_l0 *r = d->state;

    if (usb_hz(d) != USB_HZ)
        return false;
    rcc_rule(d, &r->rcc.broken, RULE_TRIM, !accurate(d),
             "the 48 MHz clock of USB is neither made from HSE nor from an "
             "HSI48 that CRS trims by USB, so it is not accurate enough");
    return true;
}

/* 7.2.4: it needs its reference, which comes from VREFINT by SYSCFG; either may
 * be switched on first. */
static void follow_hsi48(struct dev *d)
{
    struct rcc_l0 *r = d->state;

    if (!(r->crrcr & CRRCR_HSI48ON) || !syscfg_l0_hsi48_reference(d->chip))
        r->rcc.hsi48_at = SIM_NEVER;
    else if (r->rcc.hsi48_at == SIM_NEVER)
        r->rcc.hsi48_at = chip_now(d->chip) + T_HSI48;
}

/* By the voltage of the core: table 20 of DS10689, 6.1.4 of the manual. */
static void check_limits(struct dev *d)
{
    static const struct {
        uint32_t sys, vco;
        const char *too_fast, *vco_too_fast;
    } range[] = {
        {32 * MHZ, 96 * MHZ, "AHB clock above 32 MHz", "PLL VCO above 96 MHz"},
        {16 * MHZ, 48 * MHZ, "AHB clock above 16 MHz in voltage range 2",
         "PLL VCO above 48 MHz in voltage range 2"},
        {4200000, 24 * MHZ, "AHB clock above 4.2 MHz in voltage range 3",
         "PLL VCO above 24 MHz in voltage range 3"},
    };
    struct rcc_l0 *r = d->state;
    unsigned at = pwr_l0_range(d->chip) - 1;
    bool on = r->rcc.cr & CR_PLLON;

    follow_hsi48(d);
    rcc_rule(d, &r->rcc.broken, RULE_AHB, ahb_hz(d) > range[at].sys,
             range[at].too_fast);
    rcc_rule(d, &r->rcc.broken, RULE_PLL_FACTORS, on && !pll_hz(d),
             "RCC_CFGR has a PLLMUL or PLLDIV that does not exist");
    rcc_rule(d, &r->rcc.broken, RULE_PLL_IN,
             on && (pll_source(d) < PLL_IN || pll_source(d) > PLL_TOP),
             "PLL input outside 2 to 24 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_VCO, on && vco_hz(d) > range[at].vco,
             range[at].vco_too_fast);
    rcc_rule(d, &r->rcc.broken, RULE_USB_APB,
             r->en[BUS_APB1] & APB1_USB && usb_hz(d) == USB_HZ &&
                 apb_hz(d, 8) < USB_APB,
             "APB1 clock below 10 MHz, too slow for the USB block");
    rcc_rule(d, &r->rcc.broken, RULE_HSI48,
             r->en[BUS_APB1] & APB1_USB && r->ccipr & CCIPR_HSI48 &&
                 r->crrcr & CRRCR_HSI48ON &&
                 !syscfg_l0_hsi48_reference(d->chip),
             "HSI48 on without SYSCFG_CFGR3.ENREF_HSI48, which it needs");
}

/* ---- CR, CRRCR ---- */

static sim_time source_at(const struct rcc_l0 *r, unsigned sw)
{
    const sim_time at[] = {r->msi_at, r->rcc.hsi_at, r->rcc.hse_at,
                           r->rcc.pll_at};

    return at[sw];
}

static uint32_t needs(const struct rcc_l0 *r, unsigned sw)
{
    static const uint32_t bit[] = {CR_MSION, CR_HSION, CR_HSEON, CR_PLLON};

    if (sw != L0_PLL)
        return bit[sw];
    return CR_PLLON | (r->rcc.cfgr & CFGR_PLLSRC ? CR_HSEON : CR_HSION);
}

static uint32_t cr_read(struct dev *d)
{
    const struct rcc_l0 *r = d->state;
    uint32_t v = r->rcc.cr;

    v |= rcc_ready(d, r->msi_at) ? CR_MSIRDY : 0;
    v |= rcc_ready(d, r->rcc.hse_at) ? CR_HSERDY : 0;
    v |= rcc_ready(d, r->rcc.pll_at) ? CR_PLLRDY : 0;
    if (rcc_ready(d, r->rcc.hsi_at))
        v |= CR_L0_HSIRDY | (v & CR_HSIDIVEN ? CR_HSIDIVF : 0);
    return v;
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct rcc_l0 *r = d->state;
    uint32_t old = r->rcc.cr;
    uint32_t keep = needs(r, r->rcc.used) | needs(r, r->rcc.cfgr & CFGR_SW);

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    keep &= old & ~v;
    if (keep)
        chip_guest_error(d->chip, "RCC_CR switches off a clock that the "
                                  "system runs on");
    r->rcc.cr = (v & CR_WRITE) | keep;
    r->msi_at = rcc_start(d, old, r->rcc.cr, CR_MSION, r->msi_at, T_MSI);
    r->rcc.hsi_at =
        rcc_start(d, old, r->rcc.cr, CR_HSION, r->rcc.hsi_at, T_HSI);
    r->rcc.hse_at =
        rcc_start(d, old, r->rcc.cr, CR_HSEON, r->rcc.hse_at, T_HSE);
    if (!chip_hse_hz(d->chip))
        r->rcc.hse_at = SIM_NEVER;
    r->rcc.pll_at =
        rcc_start_pll(d, r->rcc.cfgr & CFGR_PLLSRC ? SW_HSE : SW_HSI, old,
                      CR_PLLON, r->rcc.pll_at, T_PLL);
}

/* ---- CFGR ---- */

static void cfgr_write(struct dev *d, uint32_t v)
{
    struct rcc_l0 *r = d->state;
    uint32_t changed = r->rcc.cfgr ^ v;

    if (changed & CFGR_PLL && r->rcc.cr & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_CFGR changes the PLL while it is on");
        v = (v & ~CFGR_PLL) | (r->rcc.cfgr & CFGR_PLL);
    }
    r->rcc.cfgr = v & CFGR_WRITE;
    if (changed & CFGR_SW && source_at(r, v & CFGR_SW) == SIM_NEVER)
        chip_guest_error(d->chip, "RCC_CFGR.SW selects a clock that is off");
    if (changed & CFGR_MCO)
        dev_unmodelled(d, CFGR, "clock output on MCO");
}

static void try_switch(struct dev *d)
{
    struct rcc_l0 *r = d->state;
    unsigned sw = r->rcc.cfgr & CFGR_SW;

    if (sw != r->rcc.used && rcc_ready(d, source_at(r, sw)))
        r->rcc.used = sw;
}

/* ---- the peripheral ---- */

static uint32_t *bus_register(struct rcc_l0 *r, uint32_t off)
{
    if (off >= IOPRSTR && off <= APB1RSTR)
        return &r->rst[(off - IOPRSTR) / 4];
    if (off >= IOPENR && off <= APB1ENR)
        return &r->en[(off - IOPENR) / 4];
    if (off >= IOPSMENR && off <= APB1SMENR)
        return &r->smen[(off - IOPSMENR) / 4];
    return NULL;
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    struct rcc_l0 *r = d->state;
    const uint32_t *bus = bus_register(r, off);

    if (bus)
        return *bus;
    switch (off) {
    case CR:
        return cr_read(d);
    case ICSCR:
        return r->icscr;
    case CRRCR:
        return r->crrcr | (rcc_ready(d, r->rcc.hsi48_at) ? CRRCR_RDY : 0);
    case CFGR:
        return r->rcc.cfgr | r->rcc.used << 2;
    case CIER:
        return r->cier;
    case CIFR:
    case CICR:
        return 0;
    case CCIPR:
        return r->ccipr;
    case CSR:
        return r->rcc.csr | (rcc_ready(d, r->rcc.lsi_at) ? CSR_LSIRDY : 0);
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void csr_write(struct dev *d, uint32_t v)
{
    struct rcc_l0 *r = d->state;
    uint32_t old = r->rcc.csr;

    if (v & L0_CSR_RMVF)
        r->rcc.csr &= ~L0_CSR_FLAGS;
    if (v & 0x000d3d00)
        dev_unmodelled(d, CSR, "LSE or RTC clock");
    r->rcc.csr = (r->rcc.csr & L0_CSR_FLAGS) | (v & CSR_LSION);
    r->rcc.lsi_at =
        rcc_start(d, old, r->rcc.csr, CSR_LSION, r->rcc.lsi_at, T_LSI);
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct rcc_l0 *r = d->state;

    switch (off) {
    case CR:
        cr_write(d, v);
        break;
    case ICSCR:
        r->icscr = v & ICSCR_WRITE;
        break;
    case CRRCR:
        r->crrcr = v & CRRCR_WRITE;
        break;
    case CFGR:
        cfgr_write(d, v);
        break;
    case CIER:
        if (v)
            dev_unmodelled(d, CIER, "clock ready interrupt");
        r->cier = v & 0xff;
        break;
    case CICR:
        break;
    case CCIPR:
        r->ccipr = v & 0x040f3c0f;
        break;
    case CSR:
        csr_write(d, v);
        break;
    default:
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
    uint32_t *bus = bus_register(d->state, reg);
    uint32_t v = reg_merge(reg_read(d, reg), off, size, value);

    (void)range;
    if (reg >= IOPRSTR && reg <= APB1RSTR) {
        rcc_pulse(d, (uint16_t)reg, bus, v);
        return;
    }
    if (bus)
        *bus = v;
    else
        reg_write(d, reg, v);
    try_switch(d);
    chip_clocks_changed(d->chip);
}

static sim_time rcc_deadline(struct dev *d)
{
    const struct rcc_l0 *r = d->state;
    const sim_time at[] = {r->msi_at,     r->rcc.hsi_at,   r->rcc.hse_at,
                           r->rcc.pll_at, r->rcc.hsi48_at, r->rcc.lsi_at};

    return rcc_next(d, at, sizeof(at) / sizeof(at[0]));
}

static void rcc_event(struct dev *d)
{
    try_switch(d);
    chip_clocks_changed(d->chip);
}

static void rcc_reset(struct dev *d, enum reset_cause cause)
{
    struct rcc_l0 *r = d->state;
    unsigned i;

    rcc_restart(d, cause, CR_RESET, L0_CSR_FLAGS);
    *r = (struct rcc_l0){
        .rcc = r->rcc,
        .icscr = ICSCR_RESET,
        .en[BUS_AHB] = AHB_RESET,
        .msi_at = 0,
    };
    r->rcc.hsi_at = SIM_NEVER;
    for (i = 0; i < BUSES; i++)
        r->smen[i] = smen_reset[i];
}

static void reset_flag(struct dev *d, enum reset_cause cause)
{
    rcc_reset_flag(d, cause, CSR_PORRSTF);
}

static bool enabled(struct dev *d, struct rcc_bit bit)
{
    const uint32_t *bus = bus_register(d->state, bit.reg);

    return bus && *bus >> bit.bit & 1;
}

const struct device_ops rcc_l0_ops = {
    .state_size = sizeof(struct rcc_l0),
    .steady = true,
    .reset = rcc_reset,
    .read = rcc_read,
    .write = rcc_write,
    .deadline = rcc_deadline,
    .event = rcc_event,
    .clocks_changed = check_limits,
};

const struct rcc_ops rcc_l0_rcc = {
    .hz = hz,
    .usb_ok = usb_ok,
    .enabled = enabled,
    .reset_flag = reset_flag,
};
