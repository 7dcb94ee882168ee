/* SPDX-License-Identifier: MIT */
/*
 * msc_disk.h - the drive of the virtual chip as a block device for the hosts
 * of test/drive, as a system's disk driver shows it to its file system: sense
 * data are asked for, a medium that is new is taken, the device may go and be
 * plugged in again.
 */
#ifndef TEST_MSC_DISK_H
#define TEST_MSC_DISK_H

#include "clock.h"
#include "fathost.h"
#include "msc.h"

struct msc_disk {
    struct blockdev dev; /* what a host gets */
    struct msc msc;
    struct clock clock;
    uint32_t sense;   /* of the last command that failed */
    uint32_t refused; /* commands that failed while a medium was there */
    void (*before)(void *ctx); /* asked before each command */
    void *before_ctx;
};

/* A rig whose bootloader is configured. */
bool msc_disk_open(struct msc_disk *d, struct rig *r);
/* It is new on the bus: waits until it is, and configures it.  False: it does
 * not come within `limit`. */
bool msc_disk_again(struct msc_disk *d, sim_time limit);
/* Lets it go on until it leaves the bus, at most so many milliseconds; they
 * pass for the bootloader only.  True: it has left. */
bool msc_disk_until_gone(struct msc_disk *d, uint32_t ms);

#endif
