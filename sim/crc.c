/* SPDX-License-Identifier: MIT */
/*
 * crc.c - the CRC calculation unit, the same on F1 and F4: polynomial
 * 0x04C11DB7 over 32-bit words, most significant bit first, no reflection, no
 * final inversion.  RM0008 chapter 4, RM0090 chapter 4.  That of F0 and L0
 * also takes half-words and bytes, begins with what it is told, and mirrors
 * what goes in and out (RM0091 chapter 12, RM0376 chapter 16).
 *
 * Not here: other polynomials and lengths.
 */
#include "periph.h"

enum { DR = 0x00, IDR = 0x04, CR = 0x08, INIT = 0x10, POL = 0x14 };

#define CR_RESET   1u
#define CR_REV_IN  (3u << 5)
#define CR_REV_OUT (1u << 7)
#define POLYNOMIAL 0x04c11db7u
#define INITIAL    0xffffffffu
#define WORD_TIME  4 /* AHB cycles (4.3) */

struct crc {
    uint32_t dr, cr, init; /* cr and init: second generation */
    uint8_t idr;
    sim_time ready_at; /* until then, the data register stalls the bus */
};

static uint32_t with_bits(uint32_t crc, uint32_t data, unsigned n)
{
    unsigned i;

    crc ^= data << (32 - n);
    for (i = 0; i < n; i++)
        crc = crc << 1 ^ (crc >> 31 ? POLYNOMIAL : 0);
    return crc;
}

/* 4.3: the next access waits until the last word has been worked in. */
static void wait_until_ready(struct dev *d)
{
    const struct crc *r = d->state;

    chip_stall(d->chip, r->ready_at);
}

static void feed(struct dev *d, uint32_t data, unsigned size)
{
    struct crc *r = d->state;

    wait_until_ready(d);
    r->dr = with_bits(r->dr, data, 8 * size);
    r->ready_at = chip_now(d->chip) +
                  WORD_TIME * SIM_S / chip_clock_hz(d->chip, CLOCK_AHB);
}

/* 4.4: words only. */
static bool is_word(struct dev *d, unsigned size)
{
    if (size != 4)
        chip_guest_error(d->chip, "%s takes 32-bit accesses only",
                         d->desc->name);
    return size == 4;
}

static uint32_t crc_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct crc *r = d->state;

    (void)range;
    if (!is_word(d, size))
        return 0;
    switch (off) {
    case DR:
        wait_until_ready(d);
        return r->dr;
    case IDR:
        return r->idr;
    case CR:
        return 0; /* the hardware clears RESET at once */
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void crc_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct crc *r = d->state;

    (void)range;
    if (!is_word(d, size))
        return;
    switch (off) {
    case DR:
        feed(d, value, size);
        break;
    case IDR: /* a scratch register of 8 bits, not touched by CR.RESET */
        r->idr = (uint8_t)value;
        break;
    case CR:
        if (value & CR_RESET)
            r->dr = INITIAL;
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}

static void crc_reset(struct dev *d, enum reset_cause cause)
{
    struct crc *r = d->state;

    (void)cause;
    *r = (struct crc){.dr = INITIAL};
}

/* ---- second generation ---- */

/* In groups of `group` bits, a power of two. */
static uint32_t mirror(uint32_t v, unsigned bits, unsigned group)
{
    uint32_t out = 0;
    unsigned i;

    for (i = 0; i < bits; i++)
        if (v >> i & 1)
            out |= 1u << (i ^ (group - 1));
    return out;
}

/* REV_IN: bytes, half-words or the word, as far as they are written. */
static uint32_t turned(const struct crc *r, uint32_t data, unsigned size)
{
    unsigned group = 4u << ((r->cr & CR_REV_IN) >> 5);

    if (!(r->cr & CR_REV_IN))
        return data;
    return mirror(data, 8 * size, group > 8 * size ? 8 * size : group);
}

static uint32_t crc_v2_read(struct dev *d, unsigned range, uint32_t off,
                            unsigned size)
{
    const struct crc *r = d->state;
    uint32_t v;

    switch (off & ~3u) {
    case DR:
        wait_until_ready(d);
        v = r->cr & CR_REV_OUT ? mirror(r->dr, 32, 32) : r->dr;
        return v >> 8 * (off & 3);
    case CR:
        return r->cr >> 8 * (off & 3);
    case INIT:
        return r->init >> 8 * (off & 3);
    case POL:
        return POLYNOMIAL >> 8 * (off & 3);
    }
    return crc_read(d, range, off, size);
}

static void crc_v2_write(struct dev *d, unsigned range, uint32_t off,
                         unsigned size, uint32_t value)
{
    struct crc *r = d->state;

    if (off == DR) /* right-aligned (12.4.1) */
        feed(d, turned(r, value, size), size);
    else if (!is_word(d, size))
        return;
    else if (off == INIT)
        r->init = value;
    else if (off != CR)
        crc_write(d, range, off, size, value);
    if (off != CR)
        return;
    r->cr = value & (CR_REV_IN | CR_REV_OUT);
    if (value & CR_RESET)
        r->dr = r->init;
    if (value & 0x18)
        dev_unmodelled(d, CR, "polynomial of another length");
}

static void crc_v2_reset(struct dev *d, enum reset_cause cause)
{
    struct crc *r = d->state;

    (void)cause;
    *r = (struct crc){.dr = INITIAL, .init = INITIAL};
}

const struct device_ops crc_v2_ops = {
    .state_size = sizeof(struct crc),
    .reset = crc_v2_reset,
    .read = crc_v2_read,
    .write = crc_v2_write,
};

const struct device_ops crc_ops = {
    .state_size = sizeof(struct crc),
    .reset = crc_reset,
    .read = crc_read,
    .write = crc_write,
};
