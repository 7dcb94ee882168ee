/* SPDX-License-Identifier: MIT */
/*
 * msc_copy.h - one copy onto the drive and what came of it, for tests that say
 * themselves what is copied: one set of a rig, a disk and hosts for a program.
 */
#ifndef TEST_MSC_COPY_H
#define TEST_MSC_COPY_H

#include "bench.h"
#include "msc_trial.h"
#include "witness.h"

enum { COPY_ROOM = 2 * 1024 * 1024 + 4096, COPY_PATIENCE = 120000 };

enum copy_state { COPY_NONE, COPY_READY, COPY_SUCCESS, COPY_ERROR };

struct copy {
    struct host_result host;
    bool mounted;          /* there was a fresh mount, with this result: */
    enum copy_state state; /* the name of the status file */
    unsigned code;         /* in its text, and the sentence */
    char sentence[64];
};

extern struct msc_trial copy_trial;
extern struct witness copy_witness; /* what the host sees */

/* Of cmocka, in place of bench_set_up() and bench_tear_down(). */
int copy_set_up(void **state);
int copy_tear_down(void **state);
#define COPY_TEST(f)                                                           \
    cmocka_unit_test_setup_teardown(f, copy_set_up, copy_tear_down)

/* The bootloader is on the bus, and this is in its slot. */
void copy_start(const void *slot, size_t n);
struct host_plan copy_plan(enum host_kind kind, enum host_end end,
                           const struct host_file *file);
/* The host's part alone, and with the fresh mount. */
struct host_result copy_host(const struct host_plan *plan);
struct copy copy_run(const struct host_plan *plan);
/* Of the volume that is there now. */
void copy_status(struct copy *c);
/* A host that copies this and ejects ends in SUCCESS, and the flash has the
 * image, which is started by a reset. */
void copy_installs(enum host_kind kind, const struct host_file *file,
                   const void *image, size_t n);
void copy_assert_installed(const void *image, size_t n);

/* A .uf2 of an image; bytes.  to has room for twice the image and 512. */
size_t copy_uf2(const struct rig_board *b, const uint8_t *image, size_t n,
                uint8_t *to);

#endif
