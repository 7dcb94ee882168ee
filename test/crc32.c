/* SPDX-License-Identifier: MIT */
/* crc32.c - see crc32.h. */
#include "crc32.h"

uint32_t test_crc32(uint32_t crc, const uint8_t *data, size_t n)
{
    static uint32_t table[256]; /* made once: trials check many images */

    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (0xEDB88320u & (0 - (c & 1)));
        table[i] = c;
    }
    crc = ~crc;
    while (n--)
        crc = table[(crc ^ *data++) & 0xFF] ^ crc >> 8;
    return ~crc;
}
