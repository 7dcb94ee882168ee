/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - code that lies packed in flash and runs from RAM.  Profiles with
 * the drive are built so: they take a fifth less of flash, and take data
 * while the flash works.  host/pack makes the packed form.
 *
 * LZ77 with an adaptive binary range coder.  A bit says whether a byte comes
 * or a copy of bytes that came before; each bit is coded with the chance that
 * the earlier ones of its context give it.
 *   byte:  eight bits, the highest first; the context is those before it and
 *          whether the address is odd, as instructions are half-words
 *   copy:  its distance, and its length less 1
 *   number, from 1 on: as many ones as it has bits below its highest, a zero,
 *          those bits; each place has a context of its own
 * Before that, calls get where they go to in place of how far that is, because
 * many go to the same (unpack_calls()).
 *
 * The range coder is that of the LZMA SDK (its clause "range decoder" in
 * lzma-specification.txt) without the first byte, which is always 0, with
 * chances of 16 bits.
 */
#ifndef PORT_UNPACK_H
#define PORT_UNPACK_H

#include <stdint.h>

/* Contexts. */
enum {
    UNPACK_COPY = 0,
    UNPACK_DISTANCE = 1, /* two for each place of a number: more?, bit */
    UNPACK_LENGTH = 33,
    UNPACK_BYTE = 64, /* + 256 at an odd address, + the bits before, behind a
                         one */
    UNPACK_CONTEXTS = UNPACK_BYTE + 512
};

#define UNPACK_RATE 5u      /* a chance moves by the 32nd part */
#define UNPACK_EVEN 0x8000u /* one half, where each begins */
/* What a one adds: never more than 16 bits can hold. */
#define UNPACK_ONE ((0x10000u >> UNPACK_RATE) - 1u)

/* BL is two half-words, the first of which begins with 11110 and the second
 * with 1 (Arm v7-M manual, A7.7.18 T1, and the other branches of 32 bits); the
 * lower 11 bits of the second are those of the distance in half-words. */
#define UNPACK_CALL(h)   ((h)[0] >> 11 == 0x1E && (h)[1] >> 15)
#define UNPACK_CALL_BITS 0x7FFu

/* Scratch. */
struct unpack {
    uint32_t range, code;
    const uint8_t *from;
    uint16_t chance[UNPACK_CONTEXTS]; /* of a one, in 65536 */
};

/* Fills [to, end) from what is packed at `from`. */
void unpack(struct unpack *u, uint8_t *to, const uint8_t *end,
            const uint8_t *from);

/* What calls in [code, end) go to becomes a distance again (sign -1), or their
 * distance becomes that (1), of both the lower bits. */
static inline __attribute__((always_inline)) void
unpack_calls(uint16_t *code, const uint16_t *end, int sign)
{
    for (uint16_t *h = code; h + 1 < end; h++) {
        uint32_t to;

        if (!UNPACK_CALL(h))
            continue;
        h++;
        to = *h ^ (uint32_t)(*h + sign * (h - code));
        *h ^= (uint16_t)(to & UNPACK_CALL_BITS);
    }
}

#endif
