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

#define CR_HSION  (1u << 0)
#define CR_HSIRDY (1u << 1)
#define CR_TRIM   0xf8u
#define CR_HSEON  (1u << 16)
#define CR_HSERDY (1u << 17)
#define CR_HSEBYP (1u << 18)
#define CR_CSSON  (1u << 19)
#define CR_PLLON  (1u << 24)
#define CR_PLLRDY (1u << 25)
#define CR_SWITCH (CR_HSEON | CR_HSEBYP | CR_CSSON | CR_PLLON)
#define CR_WRITE  (CR_HSION | CR_TRIM | CR_SWITCH)
#define CR_RESET  0x00000083u /* HSI on, trim at its middle */
#define CR_HSICAL 0x00007600u /* factory calibration: any value */

#define CFGR_SW       3u
#define CFGR_PLLSRC   (1u << 16)
#define CFGR_PLLXTPRE (1u << 17)
#define CFGR_PLLMUL   (15u << 18)
#define CFGR_PLL      (CFGR_PLLSRC | CFGR_PLLXTPRE | CFGR_PLLMUL)
#define CFGR_USBPRE   (1u << 22)
#define CFGR_WRITE    0x077ffff3u

#define APB1ENR_USBEN (1u << 23)
#define BDCR_LSEON    (1u << 0)
#define BDCR_LSERDY   (1u << 1)
#define BDCR_BDRST    (1u << 16)
#define CSR_LSION     (1u << 0)
#define CSR_LSIRDY    (1u << 1)
#define CSR_RMVF      (1u << 24)
#define CSR_PINRSTF   (1u << 26)
#define CSR_PORRSTF   (1u << 27)
#define CSR_SFTRSTF   (1u << 28)
#define CSR_IWDGRSTF  (1u << 29)
#define CSR_FLAGS     0xfc000000u

enum { SW_HSI, SW_HSE, SW_PLL, SW_NONE };

#define MHZ     1000000u
#define HSI_HZ  (8 * MHZ)
#define LSI_HZ  40000u /* 30 to 60 kHz, table 26: typical */
#define USB_HZ  (48 * MHZ)
#define SYS_MAX (72 * MHZ)
#define AP1_MAX (36 * MHZ)
#define PLL_MIN (16 * MHZ)

#define HSI_START (2 * SIM_US)    /* table 25, maximum */
#define HSE_START (2 * SIM_MS)    /* table 23, typical */
#define PLL_LOCK  (200 * SIM_US)  /* table 28, maximum */
#define LSI_START (85 * SIM_US)   /* table 26, maximum */
#define LSE_START (2500 * SIM_MS) /* table 24, typical at 25 C */

/* For rcc_rule(). */
enum { RULE_AHB = 1, RULE_APB1 = 2, RULE_PLL = 4, RULE_USB = 8 };

struct rcc_f1 {
    uint32_t cr, cfgr, cir, apb2rst, apb1rst, ahben, apb2en, apb1en;
    uint32_t bdcr, csr;
    unsigned used; /* SWS: the switch happens when the source is ready */
    unsigned broken;
    /* When they are stable, SIM_NEVER while off. */
    sim_time hsi_at, hse_at, pll_at, lsi_at, lse_at;
};

/* ---- frequencies ---- */

static uint32_t pll_input(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (!(r->cfgr & CFGR_PLLSRC))
        return HSI_HZ / 2;
    return chip_hse_hz(d->chip) / (r->cfgr & CFGR_PLLXTPRE ? 2 : 1);
}

static uint32_t pll_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;
    unsigned mul = (r->cfgr >> 18 & 15) + 2;

    return pll_input(d) * (mul > 16 ? 16 : mul);
}

static uint32_t sys_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (r->used == SW_HSE)
        return chip_hse_hz(d->chip);
    return r->used == SW_PLL ? pll_hz(d) : HSI_HZ;
}

static uint32_t ahb_hz(struct dev *d)
{
    static const uint8_t shift[] = {1, 2, 3, 4, 6, 7, 8, 9};
    const struct rcc_f1 *r = d->state;
    unsigned code = r->cfgr >> 4 & 15;

    return code < 8 ? sys_hz(d) : sys_hz(d) >> shift[code - 8];
}

static uint32_t apb_hz(struct dev *d, unsigned at)
{
    const struct rcc_f1 *r = d->state;
    unsigned code = r->cfgr >> at & 7;

    return code < 4 ? ahb_hz(d) : ahb_hz(d) >> (code - 3);
}

static uint32_t usb_hz(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    if (!rcc_ready(d, r->pll_at))
        return 0;
    return r->cfgr & CFGR_USBPRE ? pll_hz(d) : pll_hz(d) / 3 * 2;
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
        return rcc_ready(d, r->lsi_at) ? LSI_HZ : 0;
    case CLOCK_HSI:
        return rcc_ready(d, r->hsi_at) ? HSI_HZ : 0;
    case CLOCK_USB:
        return usb_hz(d);
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

    rcc_rule(d, &r->broken, RULE_AHB, ahb_hz(d) > SYS_MAX,
             "AHB clock above 72 MHz");
    rcc_rule(d, &r->broken, RULE_APB1, apb_hz(d, 8) > AP1_MAX,
             "APB1 clock above 36 MHz");
    rcc_rule(d, &r->broken, RULE_PLL,
             r->cr & CR_PLLON && (pll < PLL_MIN || pll > SYS_MAX),
             "PLL output outside 16 to 72 MHz");
    /* 48 MHz out of the HSI is refused by USB 2.0, 7.1.11 (0.25 %) and by the
     * data sheet (clock tree: USB needs the HSE), not by the silicon. */
    rcc_rule(
        d, &r->broken, RULE_USB,
        r->apb1en & APB1ENR_USBEN && usb_ok(d) && !(r->cfgr & CFGR_PLLSRC),
        "the 48 MHz clock of USB comes from the HSI, which is not accurate "
        "enough");
}

/* ---- CR ---- */

static bool uses_hse(const struct rcc_f1 *r, unsigned source)
{
    return source == SW_HSE || (source == SW_PLL && r->cfgr & CFGR_PLLSRC);
}

static bool uses_hsi(const struct rcc_f1 *r, unsigned source)
{
    return source == SW_HSI || (source == SW_PLL && !(r->cfgr & CFGR_PLLSRC));
}

/* 7.3.1: a clock that the system runs on, or is about to, stays on. */
static uint32_t keep_used_clocks(struct dev *d, uint32_t v)
{
    const struct rcc_f1 *r = d->state;
    unsigned sw = r->cfgr & CFGR_SW;
    uint32_t keep = 0;

    if (uses_hsi(r, r->used) || uses_hsi(r, sw))
        keep |= CR_HSION;
    if (uses_hse(r, r->used) || uses_hse(r, sw))
        keep |= CR_HSEON;
    if (r->used == SW_PLL || sw == SW_PLL)
        keep |= CR_PLLON;
    keep &= r->cr & ~v;
    if (keep)
        chip_guest_error(d->chip, "RCC_CR switches off a clock that the "
                                  "system runs on");
    return v | keep;
}

static sim_time start_pll(struct dev *d, uint32_t old)
{
    const struct rcc_f1 *r = d->state;
    sim_time source = r->cfgr & CFGR_PLLSRC ? r->hse_at : r->hsi_at;

    if (old & CR_PLLON || !(r->cr & CR_PLLON))
        return rcc_start(d, old, r->cr, CR_PLLON, r->pll_at, 0);
    if (rcc_ready(d, source))
        return chip_now(d->chip) + PLL_LOCK;
    chip_guest_error(d->chip, "PLL switched on before its input clock is "
                              "stable");
    return SIM_NEVER;
}

static uint32_t cr_read(struct dev *d)
{
    const struct rcc_f1 *r = d->state;

    return r->cr | CR_HSICAL | (rcc_ready(d, r->hsi_at) ? CR_HSIRDY : 0) |
           (rcc_ready(d, r->hse_at) ? CR_HSERDY : 0) |
           (rcc_ready(d, r->pll_at) ? CR_PLLRDY : 0);
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t old = r->cr;
    bool crystal = chip_hse_hz(d->chip) != 0;

    if (v & CR_CSSON)
        dev_unmodelled(d, CR, "clock security system");
    r->cr = keep_used_clocks(d, v & CR_WRITE);
    r->hsi_at = rcc_start(d, old, r->cr, CR_HSION, r->hsi_at, HSI_START);
    r->hse_at = rcc_start(d, old, r->cr, CR_HSEON, r->hse_at, HSE_START);
    if (!crystal)
        r->hse_at = SIM_NEVER;
    r->pll_at = start_pll(d, old);
}

/* ---- CFGR ---- */

static sim_time source_at(const struct rcc_f1 *r, unsigned sw)
{
    if (sw == SW_PLL)
        return r->pll_at;
    return sw == SW_HSE ? r->hse_at : r->hsi_at;
}

/* 7.2.6: the switch waits until the source is ready. */
static void try_switch(struct dev *d)
{
    struct rcc_f1 *r = d->state;
    unsigned sw = r->cfgr & CFGR_SW;

    if (sw != r->used && sw != SW_NONE && rcc_ready(d, source_at(r, sw)))
        r->used = sw;
}

static void check_source(struct dev *d, unsigned sw)
{
    const struct rcc_f1 *r = d->state;

    if (sw == SW_NONE || source_at(r, sw) == SIM_NEVER)
        chip_guest_error(d->chip, "RCC_CFGR.SW selects a clock that is off");
}

static void cfgr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t changed = (r->cfgr ^ v) & CFGR_WRITE;

    if (changed & CFGR_PLL && r->cr & CR_PLLON) {
        chip_guest_error(d->chip, "RCC_CFGR changes the PLL while it is on");
        v = (v & ~CFGR_PLL) | (r->cfgr & CFGR_PLL);
    }
    if (changed & CFGR_USBPRE && r->apb1en & APB1ENR_USBEN)
        chip_guest_error(d->chip, "RCC_CFGR.USBPRE changed while the USB "
                                  "clock is enabled");
    r->cfgr = v & CFGR_WRITE;
    if (changed & CFGR_SW)
        check_source(d, v & CFGR_SW);
    if (v >> 24 & 7)
        dev_unmodelled(d, CFGR, "clock output on MCO");
}

/* ---- reset bits, backup domain ---- */

static void reset_backup(struct dev *d)
{
    struct dev *bkp = chip_dev(d->chip, "BKP");

    if (bkp)
        bkp->desc->ops->reset(bkp, RESET_POWER);
}

static void bdcr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t old = r->bdcr;

    if (!pwr_backup_open(d->chip)) {
        chip_guest_error(d->chip, "RCC_BDCR written without PWR_CR.DBP");
        return;
    }
    r->bdcr = v & 0x18305;
    if (v & BDCR_BDRST) {
        r->bdcr = BDCR_BDRST;
        if (!(old & BDCR_BDRST))
            reset_backup(d);
    }
    r->lse_at = rcc_start(d, old, r->bdcr, BDCR_LSEON, r->lse_at, LSE_START);
}

static void csr_write(struct dev *d, uint32_t v)
{
    struct rcc_f1 *r = d->state;
    uint32_t old = r->csr;

    if (v & CSR_RMVF)
        r->csr &= ~CSR_FLAGS;
    r->csr = (r->csr & CSR_FLAGS) | (v & CSR_LSION);
    r->lsi_at = rcc_start(d, old, r->csr, CSR_LSION, r->lsi_at, LSI_START);
}

/* ---- the peripheral ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct rcc_f1 *r = d->state;

    switch (off) {
    case CR:
        return cr_read(d);
    case CFGR:
        return r->cfgr | r->used << 2;
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
        return r->bdcr | (rcc_ready(d, r->lse_at) ? BDCR_LSERDY : 0);
    case CSR:
        return r->csr | (rcc_ready(d, r->lsi_at) ? CSR_LSIRDY : 0);
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
        bdcr_write(d, v);
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

    (void)range;
    reg_write(d, reg, reg_merge(reg_read(d, reg), off, size, value));
    if (reg == CIR || reg == APB2RSTR || reg == APB1RSTR)
        return;
    try_switch(d);
    check_limits(d);
    chip_clocks_changed(d->chip);
}

/* The next time that a clock becomes stable. */
static sim_time rcc_deadline(struct dev *d)
{
    const struct rcc_f1 *r = d->state;
    const sim_time at[] = {r->hsi_at, r->hse_at, r->pll_at, r->lsi_at};

    return rcc_next(d, at, sizeof(at) / sizeof(at[0]));
}

static void rcc_event(struct dev *d)
{
    try_switch(d);
    check_limits(d);
    chip_clocks_changed(d->chip);
}

/* The backup domain and the reset flags outlive a system reset. */
static void rcc_reset(struct dev *d, enum reset_cause cause)
{
    struct rcc_f1 *r = d->state;
    struct rcc_f1 old = *r;

    *r = (struct rcc_f1){.cr = CR_RESET & CR_WRITE, .ahben = 0x14};
    r->hse_at = r->pll_at = r->lsi_at = r->lse_at = SIM_NEVER;
    if (cause == RESET_POWER)
        return;
    r->bdcr = old.bdcr;
    r->lse_at = old.lse_at;
    r->csr = old.csr & CSR_FLAGS;
}

/* 7.3.10; 7.1.1: every source pulls NRST low as well. */
static void reset_flag(struct dev *d, enum reset_cause cause)
{
    static const uint32_t flag[] = {
        [RESET_POWER] = CSR_PORRSTF,
        [RESET_PIN] = 0,
        [RESET_SOFTWARE] = CSR_SFTRSTF,
        [RESET_IWDG] = CSR_IWDGRSTF,
    };
    struct rcc_f1 *r = d->state;

    r->csr |= CSR_PINRSTF | flag[cause];
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
