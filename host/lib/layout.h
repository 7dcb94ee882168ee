/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the memory layout string of DfuSe (UM0424, the name of an
 * alternate setting): which sectors there are and what may be done to them.
 *
 *   @Internal Flash /0x08000000/02*002Ka,63*008Kg,02*002Ka
 */
#ifndef SALLYPORT_LAYOUT_H
#define SALLYPORT_LAYOUT_H

#include "fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of the letter that ends a run, 'a' is LAYOUT_READ. */
enum { LAYOUT_READ = 1, LAYOUT_ERASE = 2, LAYOUT_WRITE = 4 };

enum { LAYOUT_RUNS = 64 };

/* Sectors of one size that follow each other. */
struct layout_run {
    uint32_t start;
    uint32_t sector; /* bytes of one */
    uint32_t count;
    unsigned type; /* bits of above */
};

struct layout {
    char name[64];
    struct layout_run run[LAYOUT_RUNS];
    size_t runs;
};

/* One sector. */
struct layout_sector {
    uint32_t start, size; /* address, bytes */
    unsigned type;
};

/* FAIL_DEVICE: this is not a layout, with what is wrong where. */
bool layout_parse(const char *text, struct layout *l, struct fail *f);

/* One past the last byte of a run. */
uint64_t layout_end(const struct layout_run *run);

/* The sector that holds addr.  False: there is none. */
bool layout_at(const struct layout *l, uint64_t addr, struct layout_sector *s);

/* The first stretch of sectors that have all bits of `type`.  False: there is
 * none. */
bool layout_area(const struct layout *l, unsigned type, uint64_t *start,
                 uint64_t *end);

/* First address in [from, to) that is not in a sector with all bits of
 * `type`; `to` where there is none. */
uint64_t layout_outside(const struct layout *l, uint64_t from, uint64_t to,
                        unsigned type);

#endif
