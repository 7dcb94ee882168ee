/* SPDX-License-Identifier: MIT */
/*
 * crc.c - the CRC of plat.h by the chip's unit, RM0008 and RM0090 chapter 4.
 * The unit takes words, highest bit first; zlib's CRC takes the lowest first
 * and is turned over, so words and result are mirrored.
 */
#include "plat.h"
#include "port.h"

struct crc {
    volatile uint32_t DR, IDR, CR;
};
#define CRC ((struct crc *)0x40023000u) /* RM0008 3.3, RM0090 2.3 */
#ifdef __ARM_ARCH_6M__
#define CRC_CR_RESET (1u | 3u << 5 | 1u << 7) /* REV_IN, REV_OUT */
#else
#define CRC_CR_RESET 1u
#endif

/* The unit of the chips with a Cortex-M0 mirrors itself, bits of a word that
 * comes in and the result (RM0091 clause 12.4, RM0376 clause 16.4); their CPU
 * cannot. */
static uint32_t mirror(uint32_t word)
{
#ifndef __ARM_ARCH_6M__
    __asm("rbit %0, %0" : "+r"(word));
#endif
    return word;
}

/* The unit starts with all ones and steps 32 bits on.  n bytes less: the
 * bits that are to be stepped over come last, behind zeros that only shift;
 * what is not stepped over is added afterwards. */
uint32_t plat_crc(uint32_t crc, uint32_t word, uint32_t n)
{
    uint32_t rest = 0;

    word ^= crc;
    if (n < 4) {
        rest = ~crc >> 8 * n;
        word = ~(~word << (32 - 8 * n));
    }
    CRC->CR = CRC_CR_RESET;
    CRC->DR = mirror(word);
    return ~(mirror(CRC->DR) ^ rest);
}
