/* SPDX-License-Identifier: MIT */
/*
 * cells.c - the cells of a flash array.  Here an erased cell is a one; where
 * the chip reads it as zero, its bytes are seen inverted.
 */
#include "cells.h"

#include <string.h>

/* What turns the array's bytes into those with erased ones, and back. */
static uint8_t inverted(const struct chip *c)
{
    return (uint8_t)~chip_flash_erased(c);
}

/* Every bit on its own may have made it or not: half of them, or, when the
 * power fails early, far fewer. */
static void erase_bytes(struct chip *c, uint32_t off, size_t n, bool torn)
{
    uint8_t *p = chip_flash(c) + off;
    unsigned depth = torn ? chip_cut_random(c) >> 9 & 7 : 0, k;
    size_t i;

    for (i = 0; i < n; i++) {
        uint8_t made = torn ? (uint8_t)(chip_cut_random(c) >> 11) : 0xff;

        for (k = 0; k < depth; k++)
            made &= (uint8_t)(chip_cut_random(c) >> 11);
        p[i] = (uint8_t)(((p[i] ^ inverted(c)) | made) ^ inverted(c));
    }
    chip_flash_written(c, off, n);
}

/* The lowest bit that was programmed in the last such byte stays. */
static void erase_but_one(struct chip *c, uint32_t off, size_t n)
{
    const uint8_t *p = chip_flash(c) + off;
    size_t last = n;
    uint8_t bit = 0;

    while (last && !bit) {
        uint8_t cells = p[--last] ^ inverted(c);

        bit = (uint8_t)(~cells & (cells + 1));
    }
    erase_bytes(c, off, n, false);
    chip_flash(c)[off + last] ^= bit;
}

void cells_erase(struct chip *c, uint32_t off, size_t n)
{
    enum flash_fate fate = chip_flash_op(c, FLASH_OP_ERASE);

    if (fate == FLASH_FATE_BIT)
        erase_but_one(c, off, n);
    else if (fate != FLASH_FATE_NONE)
        erase_bytes(c, off, n, fate == FLASH_FATE_TORN);
}

/* An arbitrary part of the bits stays as it is. */
static uint32_t torn_bits(struct chip *c, unsigned size)
{
    uint32_t v = 0;
    unsigned i;

    for (i = 0; i < size; i += 2)
        v |= (uint32_t)(uint16_t)(chip_cut_random(c) >> 7) << 8 * i;
    return v;
}

static void program(struct chip *c, enum flash_fate fate, uint32_t off,
                    unsigned size, uint32_t value)
{
    uint8_t *p = chip_flash(c) + off;
    uint32_t invert = inverted(c) * 0x01010101u;
    uint32_t cells = 0, falling;

    memcpy(&cells, p, size); /* little-endian on both sides */
    cells ^= invert;
    falling = cells & ~(value ^ invert);
    if (fate == FLASH_FATE_NONE)
        return;
    if (fate == FLASH_FATE_TORN)
        falling &= ~torn_bits(c, size);
    if (fate == FLASH_FATE_BIT)
        falling &= falling - 1;
    cells = (cells & ~falling) ^ invert;
    memcpy(p, &cells, size);
    chip_flash_written(c, off, size);
}

void cells_program(struct chip *c, uint32_t off, unsigned size, uint32_t value)
{
    program(c, chip_flash_op(c, FLASH_OP_PROGRAM), off, size, value);
}

void cells_program_row(struct chip *c, uint32_t off, const uint32_t *word,
                       unsigned n)
{
    enum flash_fate fate = chip_flash_op(c, FLASH_OP_PROGRAM);
    unsigned i;

    for (i = 0; i < n; i++)
        program(c, fate, off + 4 * i, 4, word[i]);
}

void cells_rewrite(struct chip *c, uint8_t *cells, unsigned size,
                   uint32_t value)
{
    enum flash_fate fate = chip_flash_op(c, FLASH_OP_PROGRAM);
    uint32_t old = 0, changed;

    memcpy(&old, cells, size);
    changed = old ^ value;
    if (fate == FLASH_FATE_NONE)
        changed = 0;
    if (fate == FLASH_FATE_TORN)
        changed &= ~torn_bits(c, size);
    if (fate == FLASH_FATE_BIT)
        changed &= changed - 1;
    old ^= changed;
    memcpy(cells, &old, size);
}
