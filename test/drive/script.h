/* SPDX-License-Identifier: MIT
 *
 * A host by hand: a test says each write.  It has one file, in the root
 * directory behind the status file.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "trial.h"

#define SCRIPT_FREE 4u /* the first cluster that is free on the drive */

struct script {
    const struct trial_rig *rig;
    unsigned mounts;
    uint8_t fat[16 * FH_SECTOR]; /* as far as clusters are free */
    uint8_t root[FH_SECTOR];
};

/* Power on, with this in the slot. */
void script_begin(struct script *s, const struct trial_rig *rig,
                  const uint8_t *slot);

/* Sectors of a cluster. */
void script_data(struct script *s, uint32_t cluster, uint32_t sector,
                 uint32_t n, const uint8_t *data);
/* A chain of n clusters into both FATs; free: they become free. */
void script_chain(struct script *s, const uint32_t *clusters, uint32_t n,
                  bool free);
void script_entry(struct script *s, uint32_t first, uint32_t size);
void script_info(struct script *s);
/* LBA 0, marked dirty or clean. */
void script_mark(struct script *s, bool dirty);
void script_sync(struct script *s);
void script_eject(struct script *s);
void script_wait(struct script *s, uint32_t ms);

/* 'R', 'S' or 'E', as the name of the status file begins; waits for up to so
 * many milliseconds for the fresh mount, and is 0 where there was none. */
char script_result(struct script *s, uint32_t ms);

#endif
