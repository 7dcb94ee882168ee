/* SPDX-License-Identifier: MIT */
/*
 * rcc_f4.c - reset and clock control of STM32F405, F407 and, with other facts,
 * F411.  RM0090 chapter 7 (7.2 is the clock tree, 7.3 the registers), times and
 * limits from DS8626, 6.3.8 to 6.3.10; RM0383 chapter 6, DS10314.
 *
 * Not here: clock security system, MCO outputs, clock interrupts, RTC clock,
 * spread spectrum, what PLLI2S drives, clock gating while asleep.
 */
#include <stdio.h>

#include "rcc.h"

enum {
    CR = 0x00,
    PLLCFGR = 0x04,
    CFGR = 0x08,
    CIR = 0x0c,
    AHB1RSTR = 0x10,
    APB2RSTR = 0x24,
    AHB1ENR = 0x30,
    APB2ENR = 0x44,
    AHB1LPENR = 0x50,
    APB2LPENR = 0x64,
    BDCR = 0x70,
    CSR = 0x74,
    SSCGR = 0x80,
    PLLI2SCFGR = 0x84,
};

/* AHB1, AHB2, AHB3, none, APB1, APB2: so do all registers with one bit for
 * each peripheral follow each other. */
enum { BUSES = RCC_F4_BUSES, BUS_AHB1 = 0, BUS_AHB2 = 1 };

#define CR_TRIM      0xf8u
#define CR_HSEBYP    (1u << 18)
#define CR_CSSON     (1u << 19)
#define CR_PLLI2SON  (1u << 26)
#define CR_PLLI2SRDY (1u << 27)
#define CR_SWITCH    (CR_HSEON | CR_HSEBYP | CR_CSSON | CR_PLLON | CR_PLLI2SON)
#define CR_WRITE     (CR_HSION | CR_TRIM | CR_SWITCH)
#define CR_RESET     0x00000083u /* HSI on, trim at its middle */
#define CR_HSICAL    0x00007600u /* factory calibration: any value */

#define PLLCFGR_SRC    (1u << 22)
#define PLLCFGR_WRITE  0x0f437fffu
#define PLLCFGR_RESET  0x24003010u /* bit 29 is reserved and stays set */
#define PLLI2S_WRITE   0x70007fc0u
#define PLLI2SCF_RESET 0x20003000u

#define CFGR_MCO   0xc0600000u
#define CFGR_WRITE 0xfffffcf3u

#define AHB1_CCM    (1u << 20)
#define AHB2_OTG    (1u << 7)
#define CSR_BORRSTF (1u << 25)
#define CSR_FLAGS   0xfe000000u

#define MHZ     1000000u
#define HSI_HZ  (16 * MHZ)
#define LSI_HZ  32000u /* 17 to 47 kHz, table 35: typical */
#define USB_HZ  (48 * MHZ)
#define PLL_MIN (24 * MHZ) /* DS8626 table 36, as the next three */
#define Q_MAX   (75 * MHZ)
#define VCO_MIN (100 * MHZ)
#define VCO_MAX (432 * MHZ)

static const struct rcc_times times = {
    .hsi = 4 * SIM_US,   /* table 34, maximum */
    .hse = 2 * SIM_MS,   /* table 32, typical */
    .pll = 300 * SIM_US, /* table 36, maximum */
    .lsi = 40 * SIM_US,  /* table 35, maximum */
    .lse = 2 * SIM_S,    /* table 33, typical */
};

/* For rcc_rule(). */
enum {
    RULE_AHB = 1,
    RULE_APB1 = 2,
    RULE_APB2 = 4,
    RULE_FACTORS = 8,
    RULE_INPUT = 16,
    RULE_VCO = 32,
    RULE_OUTPUT = 64,
    RULE_Q = 128,
    RULE_USB = 256,
};

struct rcc_f4 {
    struct rcc rcc; /* first, as rcc.h wants it */
    uint32_t pllcfgr, cir, sscgr, plli2scfgr;
    uint32_t rst[BUSES], en[BUSES], lpen[BUSES];
    sim_time i2s_at; /* as in struct rcc */
};

static const struct rcc_f4_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

bool rcc_f4_pll_on(struct chip *c)
{
    const struct rcc_f4 *r = chip_dev(c, "RCC")->state;

    return r->rcc.cr & CR_PLLON;
}

/* ---- frequencies ---- */

static uint32_t pll_source(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

    return r->pllcfgr & PLLCFGR_SRC ? chip_hse_hz(d->chip) : HSI_HZ;
}

static unsigned pll_m(const struct rcc_f4 *r)
{
    return r->pllcfgr & 63;
}

static unsigned pll_n(const struct rcc_f4 *r)
{
    return r->pllcfgr >> 6 & 511;
}

static unsigned pll_q(const struct rcc_f4 *r)
{
    return r->pllcfgr >> 24 & 15;
}

static uint32_t vco_hz(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

    if (!pll_m(r))
        return 0;
    return (uint32_t)((uint64_t)pll_source(d) * pll_n(r) / pll_m(r));
}

static uint32_t pll_hz(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

    return vco_hz(d) / (2 * (r->pllcfgr >> 16 & 3) + 2);
}

static uint32_t q_hz(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

    return pll_q(r) ? vco_hz(d) / pll_q(r) : 0;
}

/* Never 0: a PLL without a proper setting runs at some frequency. */
static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

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

static uint32_t hz(struct dev *d, enum chip_clock which)
{
    const struct rcc_f4 *r = d->state;

    switch (which) {
    case CLOCK_SYS:
        return sys_hz(d);
    case CLOCK_AHB:
        return ahb_hz(d);
    case CLOCK_APB1:
        return apb_hz(d, 10);
    case CLOCK_APB2:
        return apb_hz(d, 13);
    case CLOCK_LSI:
        return rcc_ready(d, r->rcc.lsi_at) ? LSI_HZ : 0;
    case CLOCK_HSI:
        return rcc_ready(d, r->rcc.hsi_at) ? HSI_HZ : 0;
    case CLOCK_USB:
        return rcc_ready(d, r->rcc.pll_at) ? q_hz(d) : 0;
    case CLOCK_HSI48:
        break;
    }
    return 0;
}

static bool usb_ok(struct dev *d)
{
    return hz(d, CLOCK_USB) == USB_HZ;
}

/* ---- rules ---- */

/* A clock that is too fast; `why` ends the sentence. */
static void limit(struct dev *d, unsigned rule, const char *clock, uint32_t at,
                  unsigned mhz, const char *why)
{
    struct rcc_f4 *r = d->state;
    char text[80];

    snprintf(text, sizeof(text), "%s clock above %u MHz%s", clock, mhz, why);
    rcc_rule(d, &r->rcc.broken, rule, at > mhz * MHZ, text);
}

/* 7.3.2 */
static void check_pll(struct dev *d)
{
    struct rcc_f4 *r = d->state;
    bool on = r->rcc.cr & CR_PLLON;
    unsigned m = pll_m(r), n = pll_n(r), q = pll_q(r);
    bool good = m >= 2 && n >= 50 && n <= 432 && q >= 2;
    uint32_t input = m ? pll_source(d) / m : 0, vco = vco_hz(d);
    unsigned most = facts(d)->pll_mhz;
    char text[48];

    rcc_rule(d, &r->rcc.broken, RULE_FACTORS, on && !good,
             "RCC_PLLCFGR outside PLLM 2 to 63, PLLN 50 to 432, PLLQ 2 to 15");
    rcc_rule(d, &r->rcc.broken, RULE_INPUT,
             on && good && (input < MHZ || input > 2 * MHZ),
             "PLL input outside 1 to 2 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_VCO,
             on && good && (vco < VCO_MIN || vco > VCO_MAX),
             "PLL VCO outside 100 to 432 MHz");
    snprintf(text, sizeof(text), "PLL output outside 24 to %u MHz", most);
    rcc_rule(d, &r->rcc.broken, RULE_OUTPUT,
             on && good && (pll_hz(d) < PLL_MIN || pll_hz(d) > most * MHZ),
             text);
    rcc_rule(d, &r->rcc.broken, RULE_Q, on && good && q_hz(d) > Q_MAX,
             "PLL48 output above 75 MHz");
}

/* DS8626 table 14; 5.1.3 for the regulator's scale.  RM0383 5.4.1. */
static void check_limits(struct dev *d)
{
    struct rcc_f4 *r = d->state;
    unsigned ahb = pwr_f4_max_hz(d->chip) / MHZ;

    check_pll(d);
    limit(d, RULE_AHB, "AHB", ahb_hz(d), ahb,
          ahb < facts(d)->pll_mhz ? ", the most for this PWR_CR.VOS" : "");
    limit(d, RULE_APB1, "APB1", apb_hz(d, 10), facts(d)->apb1_mhz, "");
    limit(d, RULE_APB2, "APB2", apb_hz(d, 13), facts(d)->apb2_mhz, "");
    /* Works, but USB 2.0, 7.1.11 wants 0.25 % (DS8626 table 34: 1 % at best).
     */
    rcc_rule(
        d, &r->rcc.broken, RULE_USB,
        r->en[BUS_AHB2] & AHB2_OTG && usb_ok(d) && !(r->pllcfgr & PLLCFGR_SRC),
        "the 48 MHz clock of USB comes from the HSI, which is not accurate "
        "enough");
}

/* ---- CR ---- */

static uint32_t cr_read(struct dev *d)
{
    const struct rcc_f4 *r = d->state;

    return rcc_cr_read(d) | CR_HSICAL |
           (rcc_ready(d, r->i2s_at) ? CR_PLLI2SRDY : 0);
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct rcc_f4 *r = d->state;
    uint32_t old = r->rcc.cr;
    unsigned source = r->pllcfgr & PLLCFGR_SRC ? SW_HSE : SW_HSI;

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    rcc_cr_write(d, source, v & CR_WRITE, &times);
    r->i2s_at =
        rcc_start_pll(d, source, old, CR_PLLI2SON, r->i2s_at, times.pll);
}

/* ---- PLLCFGR, CFGR ---- */

static void pllcfgr_write(struct dev *d, uint32_t v)
{
    struct rcc_f4 *r = d->state;

    v = (v & PLLCFGR_WRITE) | (PLLCFGR_RESET & ~PLLCFGR_WRITE);
    if (v != r->pllcfgr && r->rcc.cr & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_PLLCFGR written while the PLL is on");
        return;
    }
    if ((v ^ r->pllcfgr) & (PLLCFGR_SRC | 63) && r->rcc.cr & CR_PLLI2SON)
        chip_guest_error(d->chip, "RCC_PLLCFGR changes the input of PLLI2S "
                                  "while it is on");
    r->pllcfgr = v;
}

static void cfgr_write(struct dev *d, uint32_t v)
{
    const struct rcc_f4 *r = d->state;
    uint32_t changed = r->rcc.cfgr ^ v;

    rcc_cfgr_write(d, v & CFGR_WRITE);
    if (changed & CFGR_MCO)
        dev_unmodelled(d, CFGR, "clock output on MCO1 or MCO2");
}

/* ---- the peripheral ---- */

/* Which of these registers, one for each bus, is at off; NULL if none. */
static uint32_t *bus_register(struct rcc_f4 *r, uint32_t off)
{
    if (off >= AHB1RSTR && off <= APB2RSTR)
        return &r->rst[(off - AHB1RSTR) / 4];
    if (off >= AHB1ENR && off <= APB2ENR)
        return &r->en[(off - AHB1ENR) / 4];
    if (off >= AHB1LPENR && off <= APB2LPENR)
        return &r->lpen[(off - AHB1LPENR) / 4];
    return NULL;
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    struct rcc_f4 *r = d->state;
    const uint32_t *bus = bus_register(r, off);

    if (bus)
        return *bus;
    switch (off) {
    case CR:
        return cr_read(d);
    case PLLCFGR:
        return r->pllcfgr;
    case CFGR:
        return r->rcc.cfgr | r->rcc.used << 2;
    case CIR:
        return r->cir;
    case BDCR:
        return r->rcc.bdcr | (rcc_ready(d, r->rcc.lse_at) ? BDCR_LSERDY : 0);
    case CSR:
        return r->rcc.csr | (rcc_ready(d, r->rcc.lsi_at) ? CSR_LSIRDY : 0);
    case SSCGR:
        return r->sscgr;
    case PLLI2SCFGR:
        return r->plli2scfgr;
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void bus_write(struct dev *d, uint32_t off, uint32_t *reg, uint32_t v)
{
    struct rcc_f4 *r = d->state;

    if (off <= APB2RSTR) {
        rcc_pulse(d, (uint16_t)off, reg, v);
        return;
    }
    *reg = off <= APB2ENR ? v & facts(d)->has[reg - r->en] : v;
    if (reg == &r->en[BUS_AHB1] && ~v & facts(d)->on & AHB1_CCM)
        dev_unmodelled(d, off, "switching off the clock of the CCM RAM");
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct rcc_f4 *r = d->state;

    switch (off) {
    case CR:
        cr_write(d, v);
        break;
    case PLLCFGR:
        pllcfgr_write(d, v);
        break;
    case CFGR:
        cfgr_write(d, v);
        break;
    case CIR:
        if (v & 0x3f00)
            dev_unmodelled(d, CIR, "clock ready interrupt");
        r->cir = v & 0x3f00;
        break;
    case BDCR:
        rcc_bdcr_write(d, v, times.lse, "RTC");
        break;
    case CSR:
        rcc_csr_write(d, v, CSR_FLAGS, times.lsi);
        break;
    case SSCGR:
        if (v >> 31)
            dev_unmodelled(d, SSCGR, "spread spectrum");
        r->sscgr = v;
        break;
    case PLLI2SCFGR:
        r->plli2scfgr = (v & PLLI2S_WRITE) | (PLLI2SCF_RESET & ~PLLI2S_WRITE);
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
    if (bus)
        bus_write(d, reg, bus, v);
    else
        reg_write(d, reg, v);
    if (reg == CIR || (reg >= AHB1RSTR && reg <= APB2RSTR))
        return;
    rcc_try_switch(d);
    chip_clocks_changed(d->chip);
}

/* The next time that a clock becomes stable. */
static sim_time rcc_deadline(struct dev *d)
{
    const struct rcc_f4 *r = d->state;
    const sim_time at[] = {r->rcc.hsi_at, r->rcc.hse_at, r->rcc.pll_at,
                           r->i2s_at, r->rcc.lsi_at};

    return rcc_next(d, at, sizeof(at) / sizeof(at[0]));
}

static void rcc_event(struct dev *d)
{
    rcc_try_switch(d);
    chip_clocks_changed(d->chip);
}

static void rcc_reset(struct dev *d, enum reset_cause cause)
{
    struct rcc_f4 *r = d->state;
    unsigned i;

    rcc_restart(d, cause, CR_RESET & CR_WRITE, CSR_FLAGS);
    *r = (struct rcc_f4){
        .rcc = r->rcc,
        .pllcfgr = PLLCFGR_RESET,
        .plli2scfgr = PLLI2SCF_RESET,
        .en[BUS_AHB1] = facts(d)->on,
        .i2s_at = SIM_NEVER,
    };
    for (i = 0; i < BUSES; i++)
        r->lpen[i] = facts(d)->asleep[i];
}

static void reset_flag(struct dev *d, enum reset_cause cause)
{
    rcc_reset_flag(d, cause, CSR_PORRSTF | CSR_BORRSTF);
}

static bool enabled(struct dev *d, struct rcc_bit bit)
{
    const uint32_t *bus = bus_register(d->state, bit.reg);

    return bus && *bus >> bit.bit & 1;
}

const struct device_ops rcc_f4_ops = {
    .state_size = sizeof(struct rcc_f4),
    .steady = true,
    .reset = rcc_reset,
    .read = rcc_read,
    .write = rcc_write,
    .deadline = rcc_deadline,
    .event = rcc_event,
    .clocks_changed = check_limits,
};

const struct rcc_ops rcc_f4_rcc = {
    .hz = hz,
    .usb_ok = usb_ok,
    .enabled = enabled,
    .reset_flag = reset_flag,
};
