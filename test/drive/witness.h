/* SPDX-License-Identifier: MIT
 *
 * The volume as a host wrote it: between host and drive, remembers all that
 * was accepted, and knows what files are on it, whatever the drive makes of
 * them.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "trial.h"

struct witness {
    struct blockdev dev; /* what the host gets */
    const struct trial_rig *rig;
    unsigned mount;  /* of the rig's, that this host has */
    uint64_t wait;   /* ms since witness_begin() that the host let pass */
    bool trace;      /* prints its commands */
    uint64_t garble; /* not 0: garbles some sectors of metadata, by this seed */

    /* Up to the last cluster that is free on a volume nobody wrote to. */
    uint32_t sectors;
    uint32_t fat_lba, fat_size, data_lba, per_cluster, root, clusters;
    uint32_t status_lba; /* of the status file, one sector */
    uint8_t *pristine;   /* what they read as then */
    uint8_t *now;        /* and with all that was written */
    uint8_t *touched;
    uint32_t *list;
    uint32_t touches;
    uint8_t garbled[FH_TRANSFER * FH_SECTOR];
    uint32_t outside; /* sectors written behind them; there should be none */
};

/* Reads the volume of a rig that was just started. */
void witness_init(struct witness *w, const struct trial_rig *rig);
void witness_free(struct witness *w);

/* A host comes: nothing was written so far. */
void witness_begin(struct witness *w);
/* Its medium is gone for good. */
bool witness_gone(const struct witness *w);

/* There is a file in the root directory for everybody to see, with at least
 * the first `least` of these bytes and nothing else in it, by the chain of one
 * of the FATs. */
bool witness_has(const struct witness *w, const uint8_t *data, uint32_t least,
                 uint32_t size);

/* Is the volume that the rig has now as one that nobody wrote to?  Of sectors
 * of data one in `every` is looked at.  Returns the first one that differs,
 * or -1. */
int64_t witness_fresh(struct witness *w, uint32_t every);

#endif
