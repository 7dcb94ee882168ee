/* SPDX-License-Identifier: MIT */
/*
 * front_bench.h - the echo device behind the front ends, for tests of their
 * protocols over a real socket.
 */
#ifndef TEST_FRONT_BENCH_H
#define TEST_FRONT_BENCH_H

#include "front.h"
#include "usb_echo.h"

struct front_bench {
    struct chip chip;
    struct echo echo;
    struct host *host;
    struct front front;
    char log[4096]; /* what the front ends said, line by line */
};

/* The device is plugged in and out of reset. */
void front_bench_new(struct front_bench *b, const struct echo_block *block);
void front_bench_free(struct front_bench *b);
/* Connects to 127.0.0.1 and the port in HOST:PORT. */
int front_bench_dial(const char *address);

#endif
