/* SPDX-License-Identifier: MIT */
/*
 * crc.c - the CRC calculation unit, the same on F1 and F4: polynomial
 * 0x04C11DB7 over 32-bit words, most significant bit first, no reflection, no
 * final inversion.  RM0008 chapter 4, RM0090 chapter 4.
 */
#include "periph.h"

enum { DR = 0x00, IDR = 0x04, CR = 0x08 };

#define CR_RESET   1u
#define POLYNOMIAL 0x04c11db7u
#define INITIAL    0xffffffffu
#define WORD_TIME  4 /* AHB cycles (4.3) */

struct crc {
    uint32_t dr;
    uint8_t idr;
    sim_time ready_at; /* until then, the data register stalls the bus */
};

static uint32_t with_word(uint32_t crc, uint32_t word)
{
    unsigned i;

    crc ^= word;
    for (i = 0; i < 32; i++)
        crc = crc << 1 ^ (crc >> 31 ? POLYNOMIAL : 0);
    return crc;
}

/* 4.3: the next access waits until the last word has been worked in. */
static void wait_until_ready(struct dev *d)
{
    const struct crc *r = d->state;

    chip_stall(d->chip, r->ready_at);
}

static void feed(struct dev *d, uint32_t word)
{
    struct crc *r = d->state;

    wait_until_ready(d);
    r->dr = with_word(r->dr, word);
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
        feed(d, value);
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

const struct device_ops crc_ops = {
    .state_size = sizeof(struct crc),
    .reset = crc_reset,
    .read = crc_read,
    .write = crc_write,
};
