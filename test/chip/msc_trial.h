/* SPDX-License-Identifier: MIT */
/*
 * msc_trial.h - the bootloader's real ELF on the virtual chip as what the
 * trials of test/drive run on (trial.h).
 */
#ifndef TEST_MSC_TRIAL_H
#define TEST_MSC_TRIAL_H

#include "msc_disk.h"
#include "trial.h"

struct msc_trial {
    struct trial_rig trial; /* what they get */
    struct trial_board board;
    struct msc_disk disk;
    struct chip_snapshot *home; /* the bootloader on the bus, slot empty */
    unsigned mounts;
    bool (*read)(void *ctx, uint32_t lba, uint32_t n, uint8_t *to);
    struct { /* long reads of the FATs, where all clusters are bad */
        uint8_t *data;
        bool *known;
    } fat;
    char fault[160];
    sim_time slowest; /* command that is not WRITE, of all */
    uint8_t slow_op;
    sim_time slowest_write;
};

/* The rig's bootloader is configured, its slot is empty: that is where each
 * trial starts from.  False after a line on stderr. */
bool msc_trial_open(struct msc_trial *t, struct rig *r);
void msc_trial_close(struct msc_trial *t);

/* Back to the start, with n bytes in the slot. */
void msc_trial_start(struct msc_trial *t, const void *slot, size_t n);
/* Lets time pass until the drive was mounted afresh; false: not in `ms`. */
bool msc_trial_result(struct msc_trial *t, uint32_t ms);
/* The cable is put in again, or the power with the key held. */
bool msc_trial_replug(struct msc_trial *t, uint32_t ms, bool power);
/* A reset now would start the application; the chip stays as it is. */
bool msc_trial_boots(struct msc_trial *t);
/* What is in the slot after a reset; the chip is as before then. */
void msc_trial_slot(struct msc_trial *t, uint8_t *to);

#endif
