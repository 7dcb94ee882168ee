/* SPDX-License-Identifier: MIT */
/*
 * vec.h - the first two words of an image: can a Cortex-M be started with
 * them?  The same rules as the bootloader's boot_vectors_ok(), as far as
 * they can be known without the chip.
 */
#ifndef SALLYPORT_VEC_H
#define SALLYPORT_VEC_H

#include "board_info.h"
#include "fw.h"

struct vec {
    uint32_t sp;
    uint32_t reset;
};

struct vec vec_get(const struct fw *fw, uint64_t start);

/* FAIL_UNFIT with what is wrong and what to do (without the file's name).
 * The image is [start, end); board may be NULL. */
bool vec_check(const struct fw *fw, uint64_t start, uint64_t end,
               const struct board_info *board, struct fail *f);

#endif
