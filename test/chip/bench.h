/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what the cmocka programs of this directory share: one rig for
 * all tests of a program, put back to the same state before each, and what
 * has to hold after each: the firmware broke no rule of the silicon, and
 * neither the bootloader nor the kv area changed.
 */
#ifndef TEST_BENCH_H
#define TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"

/* A test gets the rig as *state: the bootloader enumerated, the slot empty,
 * a pattern in the kv area. */
#define CHIP_TEST(f)                                                           \
    cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)
#define BENCH_MAIN(argc, argv, tests)                                          \
    BENCH_MAIN_OF("sallyport-dfu.elf", argc, argv, tests)
/* The bootloader of another profile. */
#define BENCH_MAIN_OF(elf, argc, argv, tests)                                  \
    bench_main(elf, argc, argv, tests, sizeof(tests) / sizeof((tests)[0]))

int bench_set_up(void **state);
int bench_tear_down(void **state);
/* argv[1]: name of the board, default stm32f103ze; argv[2]: a profile in place
 * of elf's. */
int bench_main(const char *elf, int argc, char **argv,
               const struct CMUnitTest *tests, size_t n);

/* Back to what a test starts with, in the middle of one. */
void bench_restart(struct rig *r);
/* 0, or -1 after a line that says what should not have happened. */
int bench_check(struct rig *r);

/* dfuERROR with that bStatus. */
void bench_assert_error(struct rig_status s, unsigned status);
/* The operation was answered with dfuDNBUSY first, then with that error. */
void bench_assert_op_error(struct rig_op op, unsigned status);
/* The operation ended well. */
#define bench_assert_ok(op) assert_true(rig_ok(op))
/* A time that was promised in ms and the one it took: 2 ms + 10 %. */
void bench_assert_honest(unsigned ms, sim_time took);

/* An installed image that boots, and the bootloader entered by key. */
void bench_installed(struct rig *r, const uint8_t *image, size_t n);

/* Waits for a second and sets the bootloader's millisecond counter forward:
 * the words of RAM that grow by as many as milliseconds pass. */
void bench_set_forward(struct rig *r, uint32_t ms);

/* DFU 1.1 clause 6.1.2 */
enum {
    ERR_TARGET = 1,
    ERR_WRITE = 3,
    ERR_CHECK_ERASED = 5,
    ERR_PROG = 6,
    ERR_VERIFY = 7,
    ERR_ADDRESS = 8,
    ERR_FIRMWARE = 10,
    ERR_STALLEDPKT = 15,
};

#endif
