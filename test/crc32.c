/* SPDX-License-Identifier: MIT */
/* crc32.c - see crc32.h. */
#include "crc32.h"

/* table[k][byte]: the CRC of that byte with k bytes of 0 behind it.  Made
 * once: trials check many images, most of them a word at a time. */
static uint32_t table[4][256];

static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (0xEDB88320u & (0 - (c & 1)));
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 4; k++)
            table[k][i] =
                table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xFF];
}

uint32_t test_crc32(uint32_t crc, const uint8_t *data, size_t n)
{
    if (!table[0][255])
        make_tables();
    crc = ~crc;
    for (; n >= 4; n -= 4, data += 4) {
        crc ^= (uint32_t)data[0] | (uint32_t)data[1] << 8 |
               (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        crc = table[3][crc & 0xFF] ^ table[2][crc >> 8 & 0xFF] ^
              table[1][crc >> 16 & 0xFF] ^ table[0][crc >> 24];
    }
    while (n--)
        crc = table[0][(crc ^ *data++) & 0xFF] ^ crc >> 8;
    return ~crc;
}
