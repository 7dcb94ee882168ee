/* SPDX-License-Identifier: MIT */
/* pack.h - packs what port/stm32/unpack.h unpacks. */
#ifndef SALLYPORT_PACK_H
#define SALLYPORT_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that n bytes take at most. */
#define PACK_BOUND(n) (2 * (n) + 16)

/* Packs n bytes, 1 at least, into `out` of PACK_BOUND(n) bytes; returns how
 * many it has made. */
size_t pack(const uint8_t *data, size_t n, uint8_t *out);

#endif
