/* SPDX-License-Identifier: MIT */
/*
 * rcc_f1.c - reset and clock control of the STM32F10x (not the connectivity
 * line, which has two more PLLs).  RM0008 chapter 7; times from DS5792, 5.3.6
 * to 5.3.8.
 *
 * Not here: clock security system, MCO output, clock interrupts, RTC clock.
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
};

#define CR_TRIM   0xf8u
#define CR_HSEBYP (1u << 18)
#define CR_CSSON  (1u << 19)
#define CR_SWITCH (CR_HSEON | CR_HSEBYP | CR_CSSON | CR_PLLON)
#define CR_WRITE  (CR_HSION | CR_TRIM | CR_SWITCH)
#define CR_RESET  0x00000083u /* HSI on, trim at its middle */
#define CR_HSICAL 0x00007600u /* factory calibration: any value */

#define CFGR_PLLSRC   (1u << 16)
#define CFGR_PLLXTPRE (1u << 17)
#define CFGR_PLLMUL   (15u << 18)
#define CFGR_PLL      (CFGR_PLLSRC | CFGR_PLLXTPRE | CFGR_PLLMUL)
#define CFGR_USBPRE   (1u << 22)
#define CFGR_WRITE    0x077ffff3u

#define APB1ENR_USBEN (1u << 23)
#define CSR_FLAGS     0xfc000000u

#define MHZ     1000000u
#define HSI_HZ  (8 * MHZ)
#define LSI_HZ  40000u /* 30 to 60 kHz, table 26: typical */
#define USB_HZ  (48 * MHZ)
#define SYS_MAX (72 * MHZ)
#define AP1_MAX (36 * MHZ)
#define PLL_MIN (16 * MHZ)

static const struct rcc_times times = {
    .hsi = 2 * SIM_US,    /* table 25, maximum */
    .hse = 2 * SIM_MS,    /* table 23, typical */
    .pll = 200 * SIM_US,  /* table 28, maximum */
    .lsi = 85 * SIM_US,   /* table 26, maximum */
    .lse = 2500 * SIM_MS, /* table 24, typical at 25 C */
};

/* For rcc_rule(). */
enum { RULE_AHB = 1, RULE_APB1 = 2, RULE_PLL = 4, RULE_USB = 8 };

struct rcc_f1 {
    struct rcc rcc; /* first, as rcc.h wants it */
    uint32_t cir, apb2rst, apb1rst, ahben, apb2en, apb1en;
};

/* ---- frequencies ---- */

static uint32_t pll_input(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (!(r->rcc.cfgr & CFGR_PLLSRC))
        return HSI_HZ / 2;
    return chip_hse_hz(d->chip) / (r->rcc.cfgr & CFGR_PLLXTPRE ? 2 : 1);
}

static uint32_t pll_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;
    unsigned mul = (r->rcc.cfgr >> 18 & 15) + 2;

    return pll_input(d) * (mul > 16 ? 16 : mul);
}

static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (r->rcc.used == SW_HSE)
        return chip_hse_hz(d->chip);
    return r->rcc.used == SW_PLL ? pll_hz(d) : HSI_HZ;
}

static uint32_t ahb_hz(struct dev *d)
{
    return rcc_ahb_hz(d, sys_hz(d));
}

static uint32_t apb_hz(struct dev *d, unsigned at)
{
    return rcc_apb_hz(d, ahb_hz(d), at);
}

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

static void check_limits(struct dev *d)
{
    struct rcc_f1 *r = d->state;
    uint32_t pll = pll_hz(d);

    rcc_rule(d, &r->rcc.broken, RULE_AHB, ahb_hz(d) > SYS_MAX,
             "AHB clock above 72 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_APB1, apb_hz(d, 8) > AP1_MAX,
             "APB1 clock above 36 MHz");
    rcc_rule(d, &r->rcc.broken, RULE_PLL,
             r->rcc.cr & CR_PLLON && (pll < PLL_MIN || pll > SYS_MAX),
             "PLL output outside 16 to 72 MHz");
    /* 48 MHz out of the HSI is refused by USB 2.0, 7.1.11 (0.25 %) and by the
     * data sheet (clock tree: USB needs the HSE), not by the silicon. */
    rcc_rule(
        d, &r->rcc.broken, RULE_USB,
        r->apb1en & APB1ENR_USBEN && usb_ok(d) && !(r->rcc.cfgr & CFGR_PLLSRC),
        "the 48 MHz clock of USB comes from the HSI, which is not accurate "
        "enough");
}

/* ---- CR, CFGR ---- */

static void cr_write(struct dev *d, uint32_t v)
{
    const struct rcc_f1 *r = d->state;

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    rcc_cr_write(d, r->rcc.cfgr & CFGR_PLLSRC ? SW_HSE : SW_HSI, v & CR_WRITE,
                 &times);
}

static void cfgr_write(struct dev *d, uint32_t v)
{
    const struct rcc_f1 *r = d->state;
    uint32_t changed = (r->rcc.cfgr ^ v) & CFGR_WRITE;

    if (changed & CFGR_PLL && r->rcc.cr & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_CFGR changes the PLL while it is on");
        v = (v & ~CFGR_PLL) | (r->rcc.cfgr & CFGR_PLL);
    }
    if (changed & CFGR_USBPRE && r->apb1en & APB1ENR_USBEN)
        chip_guest_error(d->chip, "RCC_CFGR.USBPRE changed while the USB "
                                  "clock is enabled");
    rcc_cfgr_write(d, v & CFGR_WRITE);
    if (v >> 24 & 7)
        dev_unmodelled(d, CFGR, "clock output on MCO");
}

/* ---- the peripheral ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct rcc_f1 *r = d->state;

    switch (off) {
    case CR:
        return rcc_cr_read(d) | CR_HSICAL;
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
    if (reg == CIR || reg == APB2RSTR || reg == APB1RSTR)
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
                           r->rcc.lsi_at};

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
    *r = (struct rcc_f1){.rcc = r->rcc, .ahben = 0x14};
}

static void reset_flag(struct dev *d, enum reset_cause cause)
{
    rcc_reset_flag(d, cause, CSR_PORRSTF);
}

static bool enabled(struct dev *d, struct rcc_bit bit)
{
    const struct rcc_f1 *r = d->state;
    uint32_t v = bit.reg == AHBENR    ? r->ahben
                 : bit.reg == APB2ENR ? r->apb2en
                                      : r->apb1en;

    return v >> bit.bit & 1;
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
