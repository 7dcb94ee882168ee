/* SPDX-License-Identifier: MIT */
/* unpack.c - see unpack.h.  host/pack is built with it, too. */
#include "unpack.h"

#ifdef __arm__
#include "boot.h"
#else
#define BOOT_PATH /* wherever it likes */
#endif

/* n with one bit more on its right. */
BOOT_PATH __attribute__((noinline)) static uint32_t
bit(struct unpack *u, uint32_t context, uint32_t n)
{
    uint32_t range = u->range, code = u->code;
    uint32_t chance = u->chance[context];
    uint32_t ones;

    while (range < 1u << 24) {
        range <<= 8;
        code = code << 8 | *u->from++;
    }
    ones = (range >> 16) * chance;
    chance -= chance >> UNPACK_RATE;
    n <<= 1;
    if (code < ones) {
        range = ones;
        chance += UNPACK_ONE;
        n++;
    } else {
        code -= ones;
        range -= ones;
    }
    u->range = range;
    u->code = code;
    u->chance[context] = (uint16_t)chance;
    return n;
}

BOOT_PATH __attribute__((noinline)) static uint32_t number(struct unpack *u,
                                                           uint32_t context)
{
    uint32_t n = 1, at = context;

    while (bit(u, at, 0))
        at += 2;
    while (at > context) {
        at -= 2;
        n = bit(u, at + 1, n);
    }
    return n;
}

BOOT_PATH void unpack(struct unpack *u, uint8_t *to, const uint8_t *end,
                      const uint8_t *from)
{
    uint32_t n;
    uint8_t *start = to;

    u->range = 1; /* 3 bytes are taken first */
    u->code = 0;
    u->from = from;
    for (n = UNPACK_CONTEXTS; n--;)
        u->chance[n] = UNPACK_EVEN;
    while (to < end) {
        if (bit(u, UNPACK_COPY, 0)) {
            const uint8_t *earlier = to - number(u, UNPACK_DISTANCE);

            n = number(u, UNPACK_LENGTH);
            do
                *to++ = *earlier++;
            while (n--);
        } else {
            uint32_t context = UNPACK_BYTE + (((uintptr_t)to & 1) << 8);

            n = 1;
            do
                n = bit(u, context + n, n);
            while (n < 0x100);
            *to++ = (uint8_t)n;
        }
    }
    unpack_calls((uint16_t *)(void *)start, (const uint16_t *)(const void *)end,
                 -1);
}
