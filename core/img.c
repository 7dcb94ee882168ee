/* SPDX-License-Identifier: MIT */
/*
 * img.c - the CRC of the stamp in plain C, for the host; the bootloader has
 * the chip's CRC unit (plat_crc()).
 */
#include "img.h"

/* The polynomial 0x04C11DB7, bits reversed because the CRC is. */
#define POLYNOMIAL 0xEDB88320u

uint32_t img_crc32(uint32_t crc, const uint8_t *data, uint32_t n)
{
    crc = ~crc;
    while (n--) {
        crc ^= *data++;
        for (uint32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (POLYNOMIAL & (0 - (crc & 1)));
    }
    return ~crc;
}
