/* SPDX-License-Identifier: MIT */
/*
 * gpio_f4.c - ports and system configuration of STM32F4, and of F0 and L0,
 * whose ports are the same.  RM0090 chapters 8 and 9, RM0091 chapters 8 and 9.
 *
 * Not here: what alternate functions drive (an alternate output counts as
 * released), EXTI, other memories at address 0 than flash and RAM.
 */
#include "periph.h"

enum {
    MODER = 0x00,
    OTYPER = 0x04,
    OSPEEDR = 0x08,
    PUPDR = 0x0c,
    IDR = 0x10,
    ODR = 0x14,
    BSRR = 0x18,
    LCKR = 0x1c,
    AFRL = 0x20,
    AFRH = 0x24,
    BRR = 0x28, /* not on F4 */
};

enum { PINS = 16, REGS = 10 };
enum { MODE_INPUT, MODE_OUTPUT, MODE_ALTERNATE, MODE_ANALOG };
enum { PULL_NONE, PULL_UP, PULL_DOWN };

#define LCKK (1u << 16)

struct gpio_f4 {
    uint32_t reg[REGS]; /* by offset / 4; IDR and BSRR are not kept here */
    unsigned lock_step;
    bool idr_known; /* firmware polls keys: no pin moved since idr */
    uint16_t idr;
};

static unsigned two_bits(struct dev *d, uint32_t off, unsigned pin)
{
    const struct gpio_f4 *g = d->state;

    return g->reg[off / 4] >> 2 * pin & 3;
}

static bool one_bit(struct dev *d, uint32_t off, unsigned pin)
{
    const struct gpio_f4 *g = d->state;

    return g->reg[off / 4] >> pin & 1;
}

static int output(struct dev *d, unsigned pin)
{
    bool high = one_bit(d, ODR, pin);

    if (two_bits(d, MODER, pin) != MODE_OUTPUT)
        return -1;
    return one_bit(d, OTYPER, pin) && high ? -1 : high;
}

/* 8.3.12: an analog pin has its resistors off. */
static int pull(struct dev *d, unsigned pin)
{
    unsigned p = two_bits(d, PUPDR, pin);

    if (two_bits(d, MODER, pin) == MODE_ANALOG)
        return -1;
    return p == PULL_UP ? 1 : p == PULL_DOWN ? 0 : -1;
}

static int function(struct dev *d, unsigned pin)
{
    const struct gpio_f4 *g = d->state;

    if (two_bits(d, MODER, pin) != MODE_ALTERNATE)
        return -1;
    return g->reg[AFRL / 4 + pin / 8] >> 4 * (pin % 8) & 15;
}

static char port_letter(const struct dev *d)
{
    return d->desc->name[4]; /* "GPIOx" */
}

/* Floating reads as 0; so does an analog pin (8.3.12). */
static uint16_t look_at_pins(struct dev *d)
{
    uint16_t v = 0;
    unsigned i;

    for (i = 0; i < PINS; i++)
        if (two_bits(d, MODER, i) != MODE_ANALOG &&
            chip_pin_level(d->chip, port_letter(d), i) > 0)
            v |= (uint16_t)(1u << i);
    return v;
}

static uint32_t idr(struct dev *d)
{
    struct gpio_f4 *g = d->state;

    if (!g->idr_known)
        g->idr = look_at_pins(d);
    g->idr_known = true;
    return g->idr;
}

static void gpio_pins_changed(struct dev *d)
{
    struct gpio_f4 *g = d->state;

    g->idr_known = false;
}

/* ---- writes ---- */

/* Bits of this register that belong to locked pins (8.4.8). */
static uint32_t locked_bits(const struct gpio_f4 *g, uint32_t off)
{
    unsigned width = off == OTYPER ? 1 : off >= AFRL ? 4 : 2, i;
    unsigned first = off == AFRH ? 8 : 0;
    uint32_t mask = 0;

    if (!(g->reg[LCKR / 4] & LCKK))
        return 0;
    for (i = 0; i < 32 / width && first + i < PINS; i++)
        if (g->reg[LCKR / 4] >> (first + i) & 1)
            mask |= ((1u << width) - 1) << width * i;
    return mask;
}

static void write_config(struct dev *d, uint32_t off, uint32_t v)
{
    struct gpio_f4 *g = d->state;
    uint32_t *reg = &g->reg[off / 4];
    uint32_t locked = locked_bits(g, off);

    v = (v & ~locked) | (*reg & locked);
    if (off == OTYPER)
        v &= 0xffff;
    if (v == *reg)
        return;
    *reg = v;
    chip_pins_changed(d->chip);
}

static void write_odr(struct dev *d, uint32_t v)
{
    struct gpio_f4 *g = d->state;

    v &= 0xffff;
    if (v == g->reg[ODR / 4])
        return;
    g->reg[ODR / 4] = v;
    chip_pins_changed(d->chip);
}

/* The lock key: 1, 0, 1 in LCKK with the same pins, in words. */
static void write_lock(struct dev *d, unsigned size, uint32_t v)
{
    static const uint32_t key[] = {LCKK, 0, LCKK};
    struct gpio_f4 *g = d->state;
    uint32_t *lckr = &g->reg[LCKR / 4];

    if (*lckr & LCKK)
        return;
    if (size != 4) {
        chip_guest_error(d->chip, "%s_LCKR takes 32-bit accesses only",
                         d->desc->name);
        return;
    }
    if (g->lock_step && (uint16_t)v != (uint16_t)*lckr)
        g->lock_step = 0;
    g->lock_step = (v & LCKK) == key[g->lock_step] ? g->lock_step + 1 : 0;
    *lckr = v & 0xffff;
    if (g->lock_step == 3) {
        *lckr |= LCKK;
        g->lock_step = 0;
    }
}

static uint32_t gpio_read(struct dev *d, unsigned range, uint32_t off,
                          unsigned size)
{
    const struct gpio_f4_facts *f = d->desc->facts;
    const struct gpio_f4 *g = d->state;
    uint32_t reg = off & ~3u, v = 0;

    (void)range, (void)size;
    if (reg == BRR && f->brr)
        return 0;
    if (reg == IDR)
        v = idr(d);
    else if (reg < 4 * REGS)
        v = g->reg[reg / 4];
    else
        dev_unmodelled(d, reg, "register");
    return v >> 8 * (off & 3);
}

/* Bytes, half-words and words (8.4). */
static void gpio_write(struct dev *d, unsigned range, uint32_t off,
                       unsigned size, uint32_t value)
{
    const struct gpio_f4_facts *f = d->desc->facts;
    const struct gpio_f4 *g = d->state;
    uint32_t reg = off & ~3u, odr = g->reg[ODR / 4], v;

    (void)range;
    if (reg == BRR && f->brr) {
        write_odr(d, odr & ~reg_merge(0, off, size, value));
        return;
    }
    if (reg >= 4 * REGS) {
        dev_unmodelled(d, reg, "register");
        return;
    }
    v = reg_merge(reg == BSRR ? 0 : g->reg[reg / 4], off, size, value);
    if (reg == BSRR) /* set wins */
        write_odr(d, (odr & ~(v >> 16)) | (v & 0xffff));
    else if (reg == ODR)
        write_odr(d, v);
    else if (reg == LCKR)
        write_lock(d, size, v);
    else if (reg != IDR)
        write_config(d, reg, v);
}

static void gpio_reset(struct dev *d, enum reset_cause cause)
{
    const struct gpio_f4_facts *f = d->desc->facts;
    struct gpio_f4 *g = d->state;

    (void)cause;
    *g = (struct gpio_f4){0};
    g->reg[MODER / 4] = f->moder;
    g->reg[OSPEEDR / 4] = f->ospeedr;
    g->reg[PUPDR / 4] = f->pupdr;
}

const struct device_ops gpio_f4_ops = {
    .state_size = sizeof(struct gpio_f4),
    .steady = true,
    .plain = true,
    .reset = gpio_reset,
    .read = gpio_read,
    .write = gpio_write,
    .pins_changed = gpio_pins_changed,
};

const struct gpio_ops gpio_f4_gpio = {
    .output = output,
    .pull = pull,
    .function = function,
};

/* ---- SYSCFG: it remembers ---- */

enum {
    MEMRMP = 0x00, /* CFGR1 on F0 and L0 */
    MEM_MODE = 3,
    MEM_RAM = 3,
    CMPCR = 0x20, /* F4 */
    SYSCFG_REGS = 9,
    CMPCR_READY = 0x100,
};

struct syscfg_f4 {
    uint32_t reg[SYSCFG_REGS];
};

static const struct syscfg_f4_facts *syscfg_facts(struct dev *d)
{
    static const struct syscfg_f4_facts f4 = {SYSCFG_REGS, true};

    return d->desc->facts ? d->desc->facts : &f4;
}

static void remap(struct dev *d)
{
    const struct syscfg_f4 *s = d->state;
    unsigned mode = s->reg[MEMRMP] & MEM_MODE;

    if (mode && mode != MEM_RAM)
        dev_unmodelled(d, MEMRMP,
                       "other memory than flash and RAM at "
                       "address 0");
    chip_remap(d->chip, mode == MEM_RAM);
}

static uint32_t syscfg_read(struct dev *d, unsigned range, uint32_t off,
                            unsigned size)
{
    const struct syscfg_f4 *s = d->state;
    uint32_t v;

    (void)range, (void)size;
    if (off / 4 >= syscfg_facts(d)->registers) {
        dev_unmodelled(d, off, "register");
        return 0;
    }
    v = s->reg[off / 4];
    if (off / 4 == CMPCR / 4 && v & 1 && syscfg_facts(d)->cmpcr)
        v |= CMPCR_READY;
    return v >> 8 * (off & 3);
}

static void syscfg_write(struct dev *d, unsigned range, uint32_t off,
                         unsigned size, uint32_t value)
{
    struct syscfg_f4 *s = d->state;

    (void)range;
    if (off / 4 >= syscfg_facts(d)->registers) {
        dev_unmodelled(d, off, "register");
        return;
    }
    s->reg[off / 4] = reg_merge(s->reg[off / 4], off, size, value);
    if (off / 4 == MEMRMP)
        remap(d);
}

static void syscfg_reset(struct dev *d, enum reset_cause cause)
{
    struct syscfg_f4 *s = d->state;

    (void)cause;
    *s = (struct syscfg_f4){0};
    remap(d);
}

const struct device_ops syscfg_f4_ops = {
    .state_size = sizeof(struct syscfg_f4),
    .reset = syscfg_reset,
    .read = syscfg_read,
    .write = syscfg_write,
};
