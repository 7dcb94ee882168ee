/* SPDX-License-Identifier: MIT */
/*
 * img.h - the stamp: how an image says where it ends.
 *
 * The stamp lives in words of the vector table that ARMv6-M and ARMv7-M both
 * reserve (RM0008 table 63, ARMv6-M ARM B1.5.3), so a stamped image is still
 * a plain .bin linked at the start of its slot:
 *
 *   0x1C  IMG_MAGIC; the stamp is present when this matches
 *   0x20  length of the image in bytes, from the start of the slot
 *   0x24  CRC-32 (ISO-HDLC, zlib's) over [0, length), this word taken as 0
 *   0x28  product id, 0 fits every product
 *   0x34  version, major << 24 | minor << 16 | patch
 *
 * Bytes behind the length are data, not image.  All words little-endian.
 */
#ifndef SALLYPORT_IMG_H
#define SALLYPORT_IMG_H

#include <stdint.h>

#define IMG_MAGIC       0x594C4153u /* "SALY" in memory */
#define IMG_OFF_SP      0x00u
#define IMG_OFF_RESET   0x04u
#define IMG_OFF_MAGIC   0x1Cu
#define IMG_OFF_LENGTH  0x20u
#define IMG_OFF_CRC     0x24u
#define IMG_OFF_PRODUCT 0x28u
#define IMG_OFF_VERSION 0x34u
#define IMG_HEADER_SIZE 0x38u /* smallest image that can carry a stamp */

/* Continues a CRC-32 over n bytes; start with crc = 0. */
uint32_t img_crc32(uint32_t crc, const uint8_t *data, uint32_t n);

#endif
