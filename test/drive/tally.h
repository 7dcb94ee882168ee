/* SPDX-License-Identifier: MIT
 *
 * What became of many trials: counts by host and by what was copied, the
 * reasons of those that were not installed, and whether that is good enough.
 */
#ifndef TALLY_H
#define TALLY_H

#include "trial.h"

struct tally_cell {
    uint32_t trials, installed, refused, nothing, wrong, complaints;
};

struct tally_miss {
    enum host_kind kind;
    uint64_t seed;
};

struct tally {
    bool all; /* whatever was promised has to be installed */
    struct tally_cell cell[HOST_KINDS][TRIAL_GROUPS];
    uint32_t trials, wrong, missed, complained;
    uint64_t ms; /* longest time from the end of a copy to the fresh mount */
    /* ERROR.txt of what was promised, and of the rest, by code. */
    uint32_t code[2][16];
    char sentence[16][48];
    unsigned printed[4]; /* trials that were printed in full: wrong, missed,
 complained */
};

/* Takes a result; prints it if it is wrong or, the first ones, missed. */
void tally_add(struct tally *t, enum host_kind kind, uint64_t seed,
               const struct trial_result *r);
void tally_print(const struct tally *t);

/* No wrong image; and of what was promised all, or, of .uf2, all; of a stamped
 * .bin, all from Linux and 95 % from each Windows, macOS and UEFI.  Prints what
 * falls short. */
bool tally_good(const struct tally *t);

/* One trial in words. */
void tally_print_trial(enum host_kind kind, uint64_t seed,
                       const struct trial_result *r);

#endif
