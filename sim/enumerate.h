/* SPDX-License-Identifier: MIT */
/*
 * enumerate.h - enumerates the chip the way a host's kernel does, without
 * waiting: for front ends whose peer never sees a bus reset or SET_ADDRESS
 * (QEMU swallows both) but has to be told what the device is.
 *
 * Source: USB 2.0, 9.1.2.
 */
#ifndef SIM_ENUMERATE_H
#define SIM_ENUMERATE_H

#include "host.h"

#define ENUM_CONFIG_MAX 1024

enum enum_result {
    ENUM_READY,  /* addressed, not configured; descriptors are filled in */
    ENUM_FAILED, /* tried again and again; `why` has the reason */
};

struct enumerator {
    struct host *host;
    void (*done)(void *ctx, enum enum_result result);
    void *ctx;

    uint8_t device[18];
    uint8_t config[ENUM_CONFIG_MAX]; /* the first one, as the chip sent it */
    size_t config_size;
    const char *why;

    bool busy;
    unsigned step, tries, address;
    struct urb urb;
};

/* host, done and ctx are set by the caller, the rest is zero. */
void enumerate_start(struct enumerator *e); /* begins with a bus reset */
void enumerate_stop(struct enumerator *e);  /* done() is not called */

#endif
