/* SPDX-License-Identifier: MIT */
/*
 * uf2.h - a block of a UF2 file, which is a sector: github.com/microsoft/uf2.
 */
#ifndef SALLYPORT_UF2_H
#define SALLYPORT_UF2_H

#include <stdint.h>

/* Laid over the bytes of a sector, in the byte order of the CPU. */
struct __attribute__((may_alias)) uf2 {
    uint32_t magic[2];
    uint32_t flags;
    uint32_t address;
    uint32_t size; /* of the data */
    uint32_t number, blocks;
    uint32_t family;
    uint8_t data[476];
    uint32_t magic_end;
};
_Static_assert(sizeof(struct uf2) == 512, "a sector");

#define UF2_MAGIC0     0x0A324655u
#define UF2_MAGIC1     0x9E5D5157u
#define UF2_MAGIC_END  0x0AB16F30u
#define UF2_NOT_FLASH  0x00000001u
#define UF2_HAS_FAMILY 0x00002000u

#define UF2_MAGICS(uf2)                                                        \
    (((uf2->magic[0] ^ UF2_MAGIC0) | (uf2->magic[1] ^ UF2_MAGIC1) |            \
      (uf2->magic_end ^ UF2_MAGIC_END)) == 0)

/* What a block carries here, bytes. */
#define UF2_DATA 256u

#endif
