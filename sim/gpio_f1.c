/* SPDX-License-Identifier: MIT */
/*
 * gpio_f1.c - ports and AFIO of the STM32F10x.  RM0008 chapter 9.
 *
 * Not here: what alternate functions drive (an alternate output counts as
 * released), AFIO's event output; EXTI.
 */
#include "periph.h"

enum {
    CRL = 0x00,
    CRH = 0x04,
    IDR = 0x08,
    ODR = 0x0c,
    BSRR = 0x10,
    BRR = 0x14,
    LCKR = 0x18,
};

enum { PINS = 16 };

/* The four bits of a pin in CRL/CRH: CNF in the upper two, MODE below. */
enum {
    MODE = 3,
    CNF = 12,
    IN_ANALOG = 0,
    IN_PULL = 8,
    OUT_OPEN_DRAIN = 4, /* in CNF */
    OUT_ALTERNATE = 8,
};

#define LCKK     (1u << 16)
#define CR_RESET 0x44444444u /* floating inputs */

struct gpio_f1 {
    uint32_t cr[2]; /* CRL, CRH */
    uint16_t odr;
    uint32_t lckr;
    unsigned lock_step;
    bool idr_known; /* firmware polls keys: no pin moved since idr */
    uint16_t idr;
};

static unsigned config(struct dev *d, unsigned pin)
{
    const struct gpio_f1 *g = d->state;

    return g->cr[pin / 8] >> 4 * (pin % 8) & 15;
}

static bool odr_bit(struct dev *d, unsigned pin)
{
    const struct gpio_f1 *g = d->state;

    return g->odr >> pin & 1;
}

static int output(struct dev *d, unsigned pin)
{
    unsigned c = config(d, pin);
    bool high = odr_bit(d, pin);

    if (!(c & MODE) || c & OUT_ALTERNATE)
        return -1;
    return c & OUT_OPEN_DRAIN && high ? -1 : high;
}

static int pull(struct dev *d, unsigned pin)
{
    return config(d, pin) == IN_PULL ? odr_bit(d, pin) : -1;
}

static int function(struct dev *d, unsigned pin)
{
    unsigned c = config(d, pin);

    return c & MODE && c & OUT_ALTERNATE ? 0 : -1;
}

static char port_letter(const struct dev *d)
{
    return d->desc->name[4]; /* "GPIOx" */
}

/* Floating reads as 0; so does an analog pin (9.1.12). */
static uint16_t look_at_pins(struct dev *d)
{
    uint16_t v = 0;
    unsigned i;

    for (i = 0; i < PINS; i++)
        if (config(d, i) != IN_ANALOG &&
            chip_pin_level(d->chip, port_letter(d), i) > 0)
            v |= (uint16_t)(1u << i);
    return v;
}

static uint32_t idr(struct dev *d)
{
    struct gpio_f1 *g = d->state;

    if (!g->idr_known)
        g->idr = look_at_pins(d);
    g->idr_known = true;
    return g->idr;
}

static void gpio_pins_changed(struct dev *d)
{
    struct gpio_f1 *g = d->state;

    g->idr_known = false;
}

/* ---- writes ---- */

/* The configuration of locked pins is frozen (9.2.7). */
static uint32_t locked_bits(const struct gpio_f1 *g, unsigned half)
{
    uint32_t mask = 0;
    unsigned i;

    if (!(g->lckr & LCKK))
        return 0;
    for (i = 0; i < 8; i++)
        if (g->lckr >> (8 * half + i) & 1)
            mask |= 15u << 4 * i;
    return mask;
}

static void write_config(struct dev *d, unsigned half, uint32_t v)
{
    struct gpio_f1 *g = d->state;
    uint32_t locked = locked_bits(g, half);

    v = (v & ~locked) | (g->cr[half] & locked);
    if (v == g->cr[half])
        return;
    g->cr[half] = v;
    chip_pins_changed(d->chip);
}

static void write_odr(struct dev *d, uint32_t v)
{
    struct gpio_f1 *g = d->state;

    if ((uint16_t)v == g->odr)
        return;
    g->odr = (uint16_t)v;
    chip_pins_changed(d->chip);
}

/* The lock key: 1, 0, 1 in LCKK with the same pins, then a read. */
static void write_lock(struct dev *d, uint32_t v)
{
    struct gpio_f1 *g = d->state;
    static const uint32_t key[] = {LCKK, 0, LCKK};

    if (g->lckr & LCKK)
        return;
    if (g->lock_step && (uint16_t)v != (uint16_t)g->lckr)
        g->lock_step = 0;
    g->lock_step = (v & LCKK) == key[g->lock_step] ? g->lock_step + 1 : 0;
    g->lckr = v & 0xffff;
    if (g->lock_step == 3) {
        g->lckr |= LCKK;
        g->lock_step = 0;
    }
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct gpio_f1 *g = d->state;

    switch (off) {
    case CRL:
    case CRH:
        return g->cr[off / 4];
    case IDR:
        return idr(d);
    case ODR:
        return g->odr;
    case LCKR:
        return g->lckr;
    case BSRR:
    case BRR:
        return 0;
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    const struct gpio_f1 *g = d->state;

    switch (off) {
    case CRL:
    case CRH:
        write_config(d, off / 4, v);
        break;
    case ODR:
        write_odr(d, v);
        break;
    case BSRR: /* set wins */
        write_odr(d, (g->odr & ~(v >> 16)) | (v & 0xffff));
        break;
    case BRR:
        write_odr(d, g->odr & ~v);
        break;
    case LCKR:
        write_lock(d, v);
        break;
    case IDR:
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}

/* 9.2: words only. */
static void check_width(struct dev *d, unsigned size)
{
    if (size != 4)
        chip_guest_error(d->chip, "%s takes 32-bit accesses only",
                         d->desc->name);
}

static uint32_t gpio_read(struct dev *d, unsigned range, uint32_t off,
                          unsigned size)
{
    (void)range;
    check_width(d, size);
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

static void gpio_write(struct dev *d, unsigned range, uint32_t off,
                       unsigned size, uint32_t value)
{
    (void)range;
    check_width(d, size);
    if (size == 4)
        reg_write(d, off, value);
}

static void gpio_reset(struct dev *d, enum reset_cause cause)
{
    struct gpio_f1 *g = d->state;

    (void)cause;
    *g = (struct gpio_f1){.cr = {CR_RESET, CR_RESET}};
}

const struct device_ops gpio_f1_ops = {
    .state_size = sizeof(struct gpio_f1),
    .steady = true,
    .plain = true,
    .reset = gpio_reset,
    .read = gpio_read,
    .write = gpio_write,
    .pins_changed = gpio_pins_changed,
};

const struct gpio_ops gpio_f1_gpio = {
    .output = output,
    .pull = pull,
    .function = function,
};

/* ---- AFIO: it remembers; nobody here asks it ---- */

enum { AFIO_REGS = 8, MAPR = 1, SWJ_CFG = 0x07000000 };

struct afio_f1 {
    uint32_t reg[AFIO_REGS];
};

static uint32_t afio_read(struct dev *d, unsigned range, uint32_t off,
                          unsigned size)
{
    const struct afio_f1 *a = d->state;

    (void)range, (void)size;
    if (off / 4 < AFIO_REGS)
        return a->reg[off / 4] >> 8 * (off & 3);
    dev_unmodelled(d, off, "register");
    return 0;
}

/* SWJ_CFG is write-only (9.4.2). */
static void afio_write(struct dev *d, unsigned range, uint32_t off,
                       unsigned size, uint32_t value)
{
    struct afio_f1 *a = d->state;

    (void)range;
    if (off / 4 >= AFIO_REGS) {
        dev_unmodelled(d, off, "register");
        return;
    }
    a->reg[off / 4] = reg_merge(a->reg[off / 4], off, size, value);
    a->reg[MAPR] &= ~(uint32_t)SWJ_CFG;
}

static void afio_reset(struct dev *d, enum reset_cause cause)
{
    struct afio_f1 *a = d->state;

    (void)cause;
    *a = (struct afio_f1){0};
}

const struct device_ops afio_f1_ops = {
    .state_size = sizeof(struct afio_f1),
    .reset = afio_reset,
    .read = afio_read,
    .write = afio_write,
};
