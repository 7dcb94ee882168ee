/* SPDX-License-Identifier: MIT */
/*
 * pack.c - what port/stm32/unpack.c unpacks.
 *
 * The cheapest sequence of bytes and copies is looked for by dynamic
 * programming, with the costs that the bits had in the last round, in a few
 * rounds.
 */
#include "pack.h"

#include "unpack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 24

struct token {
    size_t length; /* 0: a byte */
    size_t distance;
};

/* The cheapest way to a place. */
struct way {
    double cost; /* bits */
    struct token last;
};

struct packer {
    const uint8_t *data;
    size_t n;
    uint16_t chance[UNPACK_CONTEXTS];
    double price[UNPACK_CONTEXTS][2]; /* of this round, bits */
    struct way *way;                  /* [n + 1] */
    /* what is made */
    uint8_t *out;
    size_t made;
    uint64_t low;
    uint32_t range;
};

/* ---- range encoder: one bit into `out` ---- */

static void put_byte(struct packer *p)
{
    if (p->low >> 32) /* a carry */
        for (size_t i = p->made; i-- > 0 && ++p->out[i] == 0;)
            ;
    p->out[p->made++] = (uint8_t)(p->low >> 24);
    p->low = (uint32_t)p->low << 8;
}

static void encode(struct packer *p, unsigned context, unsigned bit)
{
    uint16_t *chance = &p->chance[context];
    uint32_t ones;

    while (p->range < 1u << 24) {
        p->range <<= 8;
        put_byte(p);
    }
    ones = (p->range >> 16) * *chance;
    *chance = (uint16_t)(*chance - (*chance >> UNPACK_RATE));
    if (bit) {
        p->range = ones;
        *chance = (uint16_t)(*chance + UNPACK_ONE);
    } else {
        p->low += ones;
        p->range -= ones;
    }
}

/* ---- tokens: each as its bits, given to `bit` or added up ---- */

typedef double bit_fn(struct packer *p, unsigned context, unsigned bit);

static double put_bit(struct packer *p, unsigned context, unsigned bit)
{
    encode(p, context, bit);
    return 0;
}

static double price_of(struct packer *p, unsigned context, unsigned bit)
{
    return p->price[context][bit];
}

static double number(struct packer *p, bit_fn *f, unsigned context, size_t n)
{
    unsigned places = 0;
    double cost = 0;

    while (n >> places > 1)
        cost += f(p, context + 2 * places++, 1);
    cost += f(p, context + 2 * places, 0);
    while (places--)
        cost += f(p, context + 2 * places + 1, n >> places & 1);
    return cost;
}

static double byte(struct packer *p, bit_fn *f, size_t at)
{
    unsigned odd = (unsigned)(at & 1), n = 1;
    double cost = 0;

    for (unsigned place = 8; place--;) {
        unsigned bit = p->data[at] >> place & 1;

        cost += f(p, UNPACK_BYTE + (odd << 8) + n, bit);
        n = n << 1 | bit;
    }
    return cost;
}

static double token(struct packer *p, bit_fn *f, size_t at, struct token t)
{
    if (!t.length)
        return f(p, UNPACK_COPY, 0) + byte(p, f, at);
    return f(p, UNPACK_COPY, 1) + number(p, f, UNPACK_DISTANCE, t.distance) +
           number(p, f, UNPACK_LENGTH, t.length - 1);
}

/* ---- the way ---- */

static void go(struct packer *p, size_t at, struct token t)
{
    struct way *to = &p->way[at + (t.length ? t.length : 1)];
    double cost = p->way[at].cost + token(p, price_of, at, t);

    if (cost < to->cost)
        *to = (struct way){cost, t};
}

static void find_way(struct packer *p)
{
    for (size_t i = 1; i <= p->n; i++)
        p->way[i].cost = INFINITY;
    for (size_t at = 0; at < p->n; at++) {
        go(p, at, (struct token){0});
        for (size_t distance = 1; distance <= at; distance++) {
            size_t length = 0;

            while (at + length < p->n &&
                   p->data[at + length] == p->data[at + length - distance])
                length++;
            for (; length > 1; length--)
                go(p, at, (struct token){length, distance});
        }
    }
}

/* Writes the tokens of the way, which is known from its end: turns it round
 * first. */
static void write_way(struct packer *p)
{
    struct token next = {0};
    size_t at = p->n;

    while (at) {
        struct token t = p->way[at].last;

        p->way[at].last = next;
        at -= t.length ? t.length : 1;
        next = t;
    }
    p->way[0].last = next;
    while (at < p->n) {
        struct token t = p->way[at].last;

        token(p, put_bit, at, t);
        at += t.length ? t.length : 1;
    }
}

static void write_all(struct packer *p)
{
    for (unsigned i = 0; i < UNPACK_CONTEXTS; i++)
        p->chance[i] = UNPACK_EVEN;
    p->made = 0;
    p->low = 0;
    p->range = 1u << 24;
    write_way(p);
    /* As few bytes as say enough, whatever is read behind them. */
    for (unsigned bits = 24;; bits -= 8) {
        uint64_t some = (1u << bits) - 1, up = (p->low + some) & ~some;

        if (up + some < p->low + p->range || !bits) {
            p->low = up;
            p->range = 1; /* no more */
            for (; bits < 32; bits += 8)
                put_byte(p);
            break;
        }
    }
    /* The first byte is 0, and the decoder does without it. */
    memmove(p->out, p->out + 1, --p->made);
}

size_t pack(const uint8_t *data, size_t n, uint8_t *out)
{
    struct packer *p = calloc(1, sizeof *p);
    uint8_t *best = malloc(PACK_BOUND(n));
    uint8_t *code = malloc(n + 2);
    size_t smallest = 0;

    if (!p || !best || !code || !(p->way = calloc(n + 1, sizeof *p->way)))
        abort();
    memcpy(code, data, n);
    unpack_calls((uint16_t *)(void *)code, (uint16_t *)(void *)(code + n), 1);
    p->data = code;
    p->n = n;
    p->out = best;
    for (unsigned i = 0; i < UNPACK_CONTEXTS; i++)
        p->price[i][0] = p->price[i][1] = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        find_way(p);
        write_all(p);
        if (!smallest || p->made < smallest) {
            smallest = p->made;
            memcpy(out, best, smallest);
        }
        for (unsigned i = 0; i < UNPACK_CONTEXTS; i++) {
            double one = p->chance[i] / 65536.0;

            p->price[i][1] = -log2(one);
            p->price[i][0] = -log2(1 - one);
        }
    }
    free(p->way);
    free(best);
    free(code);
    free(p);
    return smallest;
}
