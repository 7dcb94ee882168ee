/* SPDX-License-Identifier: MIT */
/*
 * rcc_f0.c - reset and clock control of STM32F04x, F07x and F09x.  RM0091
 * chapter 6; times from DS9826 (F072), 6.3.6 to 6.3.9.
 *
 * Not here: clock security system, MCO output, clock interrupts, HSI14, RTC
 * clock, kernel clocks of USART, I2C and CEC other than the first choice.
 */
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
    AHBRSTR = 0x28,
    CFGR2 = 0x2c,
    CFGR3 = 0x30,
    CR2 = 0x34,
};

#define CR_TRIM   0xf8u
#define CR_HSEBYP (1u << 18)
#define CR_CSSON  (1u << 19)
#define CR_SWITCH (CR_HSEON | CR_HSEBYP | CR_CSSON | CR_PLLON)
#define CR_WRITE  (CR_HSION | CR_TRIM | CR_SWITCH)
#define CR_RESET  0x00000083u /* HSI on, trim at its middle */
#define CR_HSICAL 0x00007600u /* factory calibration: any value */

#define CFGR_PLLSRC   (3u << 15)
#define CFGR_PLLXTPRE (1u << 17) /* the same as bit 0 of CFGR2 */
#define CFGR_PLLMUL   (15u << 18)
#define CFGR_PLL      (CFGR_PLLSRC | CFGR_PLLXTPRE | CFGR_PLLMUL)
#define CFGR_WRITE    0xff3f87f3u /* PLLXTPRE is kept in CFGR2 */

#define CFGR2_PREDIV 15u

#define CFGR3_USBSW (1u << 7)
#define CFGR3_WRITE 0x000301d3u

#define CR2_HSI14ON  (1u << 0)
#define CR2_HSI48ON  (1u << 16)
#define CR2_HSI48RDY (1u << 17)
#define CR2_WRITE    0x000100fdu
#define CR2_RESET    0x00000080u
#define CR2_CAL      0x5b007600u /* factory calibration: any values */

#define APB1ENR_USBEN (1u << 23)
#define CSR_FLAGS     0xfe800000u

#define MHZ      1000000u
#define HSI_HZ   (8 * MHZ)
#define HSI48_HZ (48 * MHZ)
#define LSI_HZ   40000u /* 30 to 50 kHz: typical */
#define USB_HZ   (48 * MHZ)
#define SYS_MAX  (48 * MHZ)
#define PLL_MIN  (16 * MHZ)
#define PLL_MAX  (48 * MHZ)

#define T_HSI48 (6 * SIM_US) /* maximum */

static const struct rcc_times times = {
    .hsi = 2 * SIM_US,   /* maximum */
    .hse = 2 * SIM_MS,   /* typical */
    .pll = 200 * SIM_US, /* maximum */
    .lsi = 85 * SIM_US,  /* maximum */
    .lse = 2 * SIM_S,    /* typical */
};

/* For rcc_rule(). */
enum { RULE_AHB = 1, RULE_PLL = 2, RULE_TRIM = 4 };

struct rcc_f0 {
    struct rcc rcc; /* first, as rcc.h wants it */
    uint32_t cir, apb2rst, apb1rst, ahbrst, ahben, apb2en, apb1en;
    uint32_t cfgr2, cfgr3, cr2;
};

/* ---- frequencies ---- */

static unsigned pll_source(const struct rcc_f0 *r)
{
    static const uint8_t source[] = {SW_HSI, SW_HSI, SW_HSE, SW_HSI48};

    return source[(r->rcc.cfgr & CFGR_PLLSRC) >> 15];
}

static uint32_t source_hz(struct dev *d, unsigned source)
{
    if (source == SW_HSE)
        return chip_hse_hz(d->chip);
    return source == SW_HSI48 ? HSI48_HZ : HSI_HZ;
}

static uint32_t pll_hz(struct dev *d)
{
    const struct rcc_f0 *r = d->state;
    unsigned mul = (r->rcc.cfgr >> 18 & 15) + 2;
    unsigned div =
        r->rcc.cfgr & CFGR_PLLSRC ? (r->cfgr2 & CFGR2_PREDIV) + 1 : 2;

    return source_hz(d, pll_source(r)) / div * (mul > 16 ? 16 : mul);
}

static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_f0 *r = d->state;

    return r->rcc.used == SW_PLL ? pll_hz(d) : source_hz(d, r->rcc.used);
}

static uint32_t usb_hz(struct dev *d)
{
    const struct rcc_f0 *r = d->state;

    if (r->cfgr3 & CFGR3_USBSW)
        return rcc_ready(d, r->rcc.pll_at) ? pll_hz(d) : 0;
    return rcc_ready(d, r->rcc.hsi48_at) ? HSI48_HZ : 0;
}

static uint32_t hz(struct dev *d, enum chip_clock which)
{
    const struct rcc_f0 *r = d->state;
    uint32_t ahb = rcc_ahb_hz(d, sys_hz(d));

    switch (which) {
    case CLOCK_SYS:
        return sys_hz(d);
    case CLOCK_AHB:
        return ahb;
    case CLOCK_APB1: /* there is one APB, with two enable registers */
    case CLOCK_APB2:
        return rcc_apb_hz(d, ahb, 8);
    case CLOCK_LSI:
        return rcc_ready(d, r->rcc.lsi_at) ? LSI_HZ : 0;
    case CLOCK_HSI:
        return rcc_ready(d, r->rcc.hsi_at) ? HSI_HZ : 0;
    case CLOCK_HSI48:
        return rcc_ready(d, r->rcc.hsi48_at) ? HSI48_HZ : 0;
    case CLOCK_USB:
        return usb_hz(d);
    }
    return 0;
}

/* ---- rules ---- */

/* HSI48 alone is within 2.9 %, USB 2.0 wants 0.25 % (7.1.11); HSI has 1 %. */
static bool accurate(struct dev *d)
{
    const struct rcc_f0 *r = d->state;
    unsigned source = r->cfgr3 & CFGR3_USBSW ? pll_source(r) : SW_HSI48;

    return source == SW_HSE ||
           (source == SW_HSI48 && crs_trims_by_usb(d->chip));
}

/* Asked when the USB block begins to work. */
static bool usb_ok(struct dev *d)
{
    struct rcc_f0 *r = d->state;

    if (usb_hz(d) != USB_HZ)
        return false;
    rcc_rule(d, &r->rcc.broken, RULE_TRIM, !accurate(d),
             "the 48 MHz clock of USB is neither made from HSE nor from an "
             "HSI48 that CRS trims by USB, so it is not accurate enough");
    return true;
}

static void check_limits(struct dev *d)
{
    struct rcc_f0 *r = d->state;
    uint32_t pll = pll_hz(d);

    rcc_rule(d, &r->rcc.broken, RULE_AHB, sys_hz(d) > SYS_MAX,
             "system clock above 48 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_PLL,
             r->rcc.cr & CR_PLLON && (pll < PLL_MIN || pll > PLL_MAX),
             "PLL output outside 16 to 48 MHz");
}

/* ---- CR, CFGR, CR2 ---- */

static void cr_write(struct dev *d, uint32_t v)
{
    const struct rcc_f0 *r = d->state;

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    rcc_cr_write(d, pll_source(r), v & CR_WRITE, &times);
}

static bool pll_stays(struct dev *d, bool changed)
{
    const struct rcc_f0 *r = d->state;

    if (!changed || !(r->rcc.cr & CR_PLLON))
        return true;
    chip_guest_error(d->chip, "the PLL is changed while it is on");
    return false;
}

static void cfgr2_write(struct dev *d, uint32_t v)
{
    struct rcc_f0 *r = d->state;

    v &= CFGR2_PREDIV;
    if (pll_stays(d, r->cfgr2 != v))
        r->cfgr2 = v;
}

static void cfgr_write(struct dev *d, uint32_t v)
{
    struct rcc_f0 *r = d->state;
    uint32_t xtpre = v & CFGR_PLLXTPRE ? 1 : 0;

    cfgr2_write(d, (r->cfgr2 & ~1u) | xtpre);
    v &= CFGR_WRITE;
    if (!pll_stays(d, (r->rcc.cfgr ^ v) & CFGR_PLL))
        v = (v & ~CFGR_PLL) | (r->rcc.cfgr & CFGR_PLL);
    rcc_cfgr_write(d, v);
    if (v >> 24 & 15)
        dev_unmodelled(d, CFGR, "clock output on MCO");
}

/* 6.4.14: HSI48 stays on while the system runs on it. */
static void cr2_write(struct dev *d, uint32_t v)
{
    struct rcc_f0 *r = d->state;
    uint32_t old = r->cr2;

    if (v & CR2_HSI14ON)
        dev_unmodelled(d, CR2, "HSI14");
    if (old & ~v & CR2_HSI48ON &&
        (r->rcc.used == SW_HSI48 || (r->rcc.cfgr & CFGR_SW) == SW_HSI48 ||
         (r->rcc.used == SW_PLL && pll_source(r) == SW_HSI48))) {
        chip_guest_error(d->chip, "RCC_CR2 switches off a clock that the "
                                  "system runs on");
        v |= CR2_HSI48ON;
    }
    r->cr2 = v & CR2_WRITE;
    r->rcc.hsi48_at =
        rcc_start(d, old, r->cr2, CR2_HSI48ON, r->rcc.hsi48_at, T_HSI48);
}

static void cfgr3_write(struct dev *d, uint32_t v)
{
    struct rcc_f0 *r = d->state;

    if ((r->cfgr3 ^ v) & CFGR3_USBSW && r->apb1en & APB1ENR_USBEN)
        chip_guest_error(d->chip, "RCC_CFGR3.USBSW changed while the USB "
                                  "clock is enabled");
    r->cfgr3 = v & CFGR3_WRITE;
    if (r->cfgr3 & ~CFGR3_USBSW)
        dev_unmodelled(d, CFGR3, "another kernel clock");
}

/* ---- the peripheral ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct rcc_f0 *r = d->state;

    switch (off) {
    case CR:
        return rcc_cr_read(d) | CR_HSICAL;
    case CFGR:
        return r->rcc.cfgr | r->rcc.used << 2 |
               (r->cfgr2 & 1 ? CFGR_PLLXTPRE : 0);
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
    case AHBRSTR:
        return r->ahbrst;
    case CFGR2:
        return r->cfgr2;
    case CFGR3:
        return r->cfgr3;
    case CR2:
        return r->cr2 | CR2_CAL |
               (rcc_ready(d, r->rcc.hsi48_at) ? CR2_HSI48RDY : 0);
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct rcc_f0 *r = d->state;

    switch (off) {
    case CR:
        cr_write(d, v);
        break;
    case CFGR:
        cfgr_write(d, v);
        break;
    case CIR:
        if (v & 0x7f00)
            dev_unmodelled(d, CIR, "clock ready interrupt");
        r->cir = v & 0x7f00;
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
        rcc_bdcr_write(d, v, times.lse, "RTC");
        break;
    case CSR:
        rcc_csr_write(d, v, CSR_FLAGS, times.lsi);
        break;
    case AHBRSTR:
        rcc_pulse(d, AHBRSTR, &r->ahbrst, v);
        break;
    case CFGR2:
        cfgr2_write(d, v);
        break;
    case CFGR3:
        cfgr3_write(d, v);
        break;
    case CR2:
        cr2_write(d, v);
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

static void settle(struct dev *d)
{
    rcc_try_switch(d);
    check_limits(d);
    chip_clocks_changed(d->chip);
}

static void rcc_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    uint32_t reg = off & ~3u;

    (void)range;
    reg_write(d, reg, reg_merge(reg_read(d, reg), off, size, value));
    if (reg != CIR && reg != APB2RSTR && reg != APB1RSTR && reg != AHBRSTR)
        settle(d);
}

/* The next time that a clock becomes stable. */
static sim_time rcc_deadline(struct dev *d)
{
    const struct rcc *r = d->state;
    const sim_time at[] = {r->hsi_at, r->hse_at, r->pll_at, r->hsi48_at,
                           r->lsi_at};

    return rcc_next(d, at, sizeof(at) / sizeof(at[0]));
}

static void rcc_reset(struct dev *d, enum reset_cause cause)
{
    struct rcc_f0 *r = d->state;

    rcc_restart(d, cause, CR_RESET & CR_WRITE, CSR_FLAGS);
    *r = (struct rcc_f0){.rcc = r->rcc, .ahben = 0x14, .cr2 = CR2_RESET};
}

static void reset_flag(struct dev *d, enum reset_cause cause)
{
    rcc_reset_flag(d, cause, CSR_PORRSTF);
}

static bool enabled(struct dev *d, struct rcc_bit bit)
{
    const struct rcc_f0 *r = d->state;
    uint32_t v = bit.reg == AHBENR    ? r->ahben
                 : bit.reg == APB2ENR ? r->apb2en
                                      : r->apb1en;

    return v >> bit.bit & 1;
}

const struct device_ops rcc_f0_ops = {
    .state_size = sizeof(struct rcc_f0),
    .steady = true,
    .reset = rcc_reset,
    .read = rcc_read,
    .write = rcc_write,
    .deadline = rcc_deadline,
    .event = settle,
};

const struct rcc_ops rcc_f0_rcc = {
    .hz = hz,
    .usb_ok = usb_ok,
    .enabled = enabled,
    .reset_flag = reset_flag,
};
