/* SPDX-License-Identifier: MIT
 *
 * The core's drive, built for this machine, as a disk for the hosts: flash.h
 * and plat.h by a flash at its real address (fake_flash.h) and a virtual
 * clock, the loop of main.c between commands.
 */
#ifndef CORE_DISK_H
#define CORE_DISK_H

#include "trial.h"

struct core_disk;
struct fake_flash;

/* There is one in a process. */
struct core_disk *core_disk_new(struct trial_rig *rig);
void core_disk_free(struct core_disk *d);

/* A download by DFU begins, and is given up. */
void core_disk_other_door(struct core_disk *d);

struct fake_flash *core_disk_flash(const struct core_disk *d);

#endif
