/* SPDX-License-Identifier: MIT */
/* crc32.h - CRC-32 of ISO-HDLC (zlib's), for tests that make and judge images:
 * another one than the firmware's and the tool's. */
#ifndef TEST_CRC32_H
#define TEST_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues a CRC over n bytes; start with crc = 0. */
uint32_t test_crc32(uint32_t crc, const uint8_t *data, size_t n);

#endif
