/* SPDX-License-Identifier: MIT */
/*
 * cells.c - the cells of a flash array whose erased state is all ones.
 */
#include "cells.h"

#include <string.h>

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
        p[i] |= made;
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
        last--;
        bit = (uint8_t)(~p[last] & (p[last] + 1));
    }
    erase_bytes(c, off, n, false);
    chip_flash(c)[off + last] = (uint8_t)~bit;
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

void cells_program(struct chip *c, uint32_t off, unsigned size, uint32_t value)
{
    uint8_t *p = chip_flash(c) + off;
    enum flash_fate fate = chip_flash_op(c, FLASH_OP_PROGRAM);
    uint32_t cells = 0, falling;

    memcpy(&cells, p, size); /* little-endian on both sides */
    falling = cells & ~value;
    if (fate == FLASH_FATE_NONE)
        return;
    if (fate == FLASH_FATE_TORN)
        falling &= ~torn_bits(c, size);
    if (fate == FLASH_FATE_BIT)
        falling &= falling - 1;
    cells &= ~falling;
    memcpy(p, &cells, size);
    chip_flash_written(c, off, size);
}
