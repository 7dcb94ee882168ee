/* SPDX-License-Identifier: MIT */
/*
 * img_crc.c - the CRC of core/img.h on the host; the bootloader has the
 * chip's CRC unit (plat_crc()).
 */
#include "img.h"

#include <zlib.h>

uint32_t img_crc32(uint32_t crc, const uint8_t *data, uint32_t n)
{
    return (uint32_t)crc32(crc, data, n);
}
