/* SPDX-License-Identifier: MIT */
/* hex.c - see hex.h. */
#include "hex.h"

char *hex_word(char *to, uint32_t word)
{
    for (uint32_t i = 0; i < 8; i++, word <<= 4) {
        uint32_t nibble = word >> 28;

        *to++ = (char)(nibble < 10 ? '0' + nibble : 'A' - 10 + nibble);
    }
    return to;
}
