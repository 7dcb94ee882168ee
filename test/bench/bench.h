/* SPDX-License-Identifier: MIT */
/*
 * bench.h - the parts of the benchmark; main.c prints what they measure.  All
 * times are virtual: the same binaries give the same figures on any machine.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "rig.h"
#include "silicon.h"

#include <stdio.h>

/* The bootloader of profile dfu on a chip, in front of a host of
 * host_timing_pc.  NULL after a line on stderr. */
struct rig *bench_rig(const char *board);
/* Bytes of the slot. */
size_t bench_slot_size(const struct rig *r);
double bench_seconds(sim_time t);

/* ---- updates (update.c) ---- */

/* Requests of one kind in one update. */
enum bench_kind {
    KIND_OPEN,
    KIND_ERASE,
    KIND_SET_ADDRESS,
    KIND_DATA,
    KIND_GETSTATUS,
    KIND_END,
    KINDS,
};

struct bench_share {
    unsigned count;
    sim_time moving;   /* from submit to completion */
    sim_time sleeping; /* between completion and the next submit */
};

struct bench_update {
    struct silicon_work work; /* that the flash has to do */
    sim_time wire;
    sim_time limit;  /* the longer of the two */
    sim_time time;   /* dfu-util's first request to its last answer, or to
                        the last flash operation where that is later */
    sim_time to_app; /* to the application's first instruction */
    double cpu;      /* seconds of the simulator */
    unsigned erases, programs; /* that were made */
    struct bench_share share[KINDS];
    sim_time whole; /* of the shares: without what comes after dfu-util */
};

/* name: "full", "one-page" or "unchanged".  False after a line on stderr:
 * then something does not work. */
bool bench_update(struct rig *r, const char *name, bool stamped,
                  struct bench_update *u);

/* Prints the control requests of `dfu-util -a 0 -s SLOT:leave -D FILE` in
 * order: bmRequestType bRequest wValue wIndex wLength in hexadecimal. */
bool bench_print_sequence(struct rig *r, const char *file);

/* ---- a file copied onto the drive (drive.c) ---- */

#define BENCH_DRIVE "both" /* the profile */

struct bench_drive {
    sim_time time, limit;
    sim_time quiet;   /* that the drive waits for, not in time */
    sim_time writing; /* in WRITE commands, */
    unsigned writes;  /* so many */
    sim_time behind;  /* from the end of the copy on, with the quiet */
};

/* The whole slot, stamped: other noise than was in it; the same but for a page
 * in the middle, and the CRC; the same. */
enum bench_copy { COPY_BIN, COPY_UF2, COPY_ONE_PAGE, COPY_UNCHANGED, COPIES };

/* False after a line on stderr. */
bool bench_drive(const char *board, enum bench_copy copy,
                 struct bench_drive *d);

/* ---- bwPollTimeout (polls.c) ---- */

/* Promised and real time of everything that can be pending, as a table. */
bool bench_polls(struct rig *r, FILE *out);

/* ---- from reset to the application (boot.c) ---- */

/* An image is installed.  To its first instruction; SIM_NEVER where it is not
 * reached. */
sim_time bench_boot(struct rig *r, enum reset_cause cause);

/* ---- the simulator, while the chip computes (boot.c) ---- */

struct bench_speed {
    double mips;  /* million instructions a second of the host's CPU time */
    double ratio; /* virtual time to that */
};

/* False after a line on stderr. */
bool bench_speed(const char *board, struct bench_speed *s);

#endif
