/* SPDX-License-Identifier: MIT */
/*
 * thumb.h - a few Thumb instructions as a test needs them, put straight
 * into a chip's flash: "store this there, wait for that bit".  Encodings:
 * ARMv7-M ARM (DDI 0403), A5 and A7.  With THUMB_V6M they are those of ARMv6-M
 * (DDI 0419).
 */
#ifndef TEST_THUMB_H
#define TEST_THUMB_H

#include "chip.h"

#define FLASH 0x08000000u
#define RAM   0x20000000u
#define STACK 0x20010000u
#define CODE  0x08000200u /* main program */

/* Where code goes.  r0 and r1 are used up by everything below, r2 holds what
 * was read last. */
struct code {
    struct chip *chip;
    uint32_t at;
};

static inline void word(struct chip *c, uint32_t addr, uint32_t value)
{
    chip_poke(c, addr, &value, 4);
}

static inline uint32_t peek(struct chip *c, uint32_t addr)
{
    uint32_t v = 0;

    chip_peek(c, addr, &v, 4);
    return v;
}

static inline void op(struct code *k, unsigned half_word)
{
    uint16_t v = (uint16_t)half_word;

    chip_poke(k->chip, k->at, &v, 2);
    k->at += 2;
}

#ifdef THUMB_V6M

/* Byte by byte: there is no MOVW. */
static inline void mov(struct code *k, unsigned r, uint32_t v)
{
    op(k, 0x2000 | r << 8 | v >> 24); /* movs r, # */
    for (int shift = 16; shift >= 0; shift -= 8) {
        op(k, 0x0200 | r << 3 | r);                  /* lsls r, r, #8 */
        op(k, 0x3000 | r << 8 | (v >> shift & 255)); /* adds r, # */
    }
}

#else

/* MOVW and MOVT, both of 32 bits. */
static inline void mov_half(struct code *k, unsigned first, unsigned r,
                            unsigned v)
{
    op(k, first | (v >> 12 & 15) | (v >> 11 & 1) << 10);
    op(k, (v >> 8 & 7) << 12 | r << 8 | (v & 255));
}

static inline void mov(struct code *k, unsigned r, uint32_t v)
{
    mov_half(k, 0xf240, r, v & 0xffff);
    mov_half(k, 0xf2c0, r, v >> 16);
}

#endif

static inline void store(struct code *k, uint32_t addr, uint32_t v)
{
    mov(k, 0, addr);
    mov(k, 1, v);
    op(k, 0x6001); /* str r1, [r0] */
}

static inline void store16(struct code *k, uint32_t addr, uint32_t v)
{
    mov(k, 0, addr);
    mov(k, 1, v);
    op(k, 0x8001); /* strh r1, [r0] */
}

static inline void load(struct code *k, uint32_t addr)
{
    mov(k, 0, addr);
    op(k, 0x6802); /* ldr r2, [r0] */
}

/* What was loaded last goes to memory. */
static inline void save(struct code *k, uint32_t addr)
{
    mov(k, 0, addr);
    op(k, 0x6002); /* str r2, [r0] */
}

static inline void copy(struct code *k, uint32_t from, uint32_t to)
{
    load(k, from);
    save(k, to);
}

static inline void wait_set(struct code *k, uint32_t addr, uint32_t mask)
{
    mov(k, 0, addr);
    mov(k, 1, mask);
    op(k, 0x6802); /* 1: ldr r2, [r0] */
    op(k, 0x420a); /*    tst r2, r1 */
    op(k, 0xd0fc); /*    beq 1b */
}

static inline void wait_clear(struct code *k, uint32_t addr, uint32_t mask)
{
    mov(k, 0, addr);
    mov(k, 1, mask);
    op(k, 0x6802);
    op(k, 0x420a);
    op(k, 0xd1fc); /* bne 1b */
}

/* Adds 1 to a word in RAM. */
static inline void count(struct code *k, uint32_t addr)
{
    load(k, addr);
    op(k, 0x3201); /* adds r2, #1 */
    op(k, 0x6002); /* str r2, [r0] */
}

static inline void jump(struct code *k, uint32_t to)
{
    mov(k, 2, to | 1);
    op(k, 0x4710); /* bx r2 */
}

static inline void call(struct code *k, uint32_t to)
{
    mov(k, 2, to | 1);
    op(k, 0x4790); /* blx r2 */
}

static inline void ret(struct code *k)
{
    op(k, 0x4770); /* bx lr */
}

static inline void spin(struct code *k)
{
    op(k, 0xe7fe); /* b . */
}

static inline void wfi(struct code *k)
{
    op(k, 0xbf30);
}

/* A handler that counts and returns. */
static inline void counting_handler(struct chip *c, uint32_t at,
                                    uint32_t counter)
{
    struct code k = {c, at};

    count(&k, counter);
    ret(&k);
}

static inline void vector(struct chip *c, unsigned exception, uint32_t to)
{
    word(c, FLASH + 4 * exception, to | 1);
}

/* An empty vector table that leads to CODE; every fault spins at FLASH +
 * 0x1f0. */
static inline struct code program(struct chip *c)
{
    struct code dead = {c, FLASH + 0x1f0};
    unsigned i;

    word(c, FLASH, STACK);
    for (i = 2; i < 76; i++)
        vector(c, i, FLASH + 0x1f0);
    vector(c, 1, CODE);
    spin(&dead);
    return (struct code){c, CODE};
}

#endif
