/* SPDX-License-Identifier: MIT */
/*
 * chip_bench.h - one virtual chip for each test of a cmocka program, and what
 * it last said: the set-up that the tests of CPU, peripherals and flash share.
 */
#ifndef TEST_CHIP_BENCH_H
#define TEST_CHIP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "chip.h"

/* *state of a test. */
struct bench {
    struct chip *c; /* without power */
    char last[EV_UNMODELLED + 1][200];
    unsigned n[EV_UNMODELLED + 1]; /* how many there were */
};

/* For set-ups: that chip on that board, NULL for a bare one. */
int bench_new(void **state, const char *model, const struct sim_board *board);
int bench_free(void **state);
/* What takes note of an event in the bench `ctx`; for a second chip. */
void bench_event(void *ctx, enum chip_event ev, const char *text);

/* Power on, and a while. */
void start(struct bench *b, sim_time t);
void run_for(struct bench *b, sim_time t);

/* There were n guest errors, and that text is in the last one. */
void expect_error(struct bench *b, unsigned n, const char *text);

#endif
