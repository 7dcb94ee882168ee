/* SPDX-License-Identifier: MIT */
/* fw_bench.h - random firmware for the tests of the host library. */
#ifndef TEST_FW_BENCH_H
#define TEST_FW_BENCH_H

#include "fw_same.h" /* before cmocka, which has a macro fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* SALLYPORT_TEST_SEED where it is set, else another one each time. */
uint64_t seed_of_run(void);

/* xorshift64: Marsaglia, "Xorshift RNGs", 2003.  The state is not 0. */
uint32_t next(uint64_t *random);

/* A few pieces within 256 KB, anywhere in the address space. */
void add_random_parts(struct fw *fw, uint64_t *random);

/* Writes fw in a format and reads it back as copy. */
void round_trip(void (*write)(const struct fw *, FILE *),
                bool (*read)(struct fw *, FILE *, const char *, struct fail *),
                const struct fw *fw, struct fw *copy);

#endif
