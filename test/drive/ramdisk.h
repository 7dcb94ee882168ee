/* SPDX-License-Identifier: MIT
 *
 * A disk in memory that other programs can open as a file, and that goes
 * back to its first state quickly.
 */
#ifndef RAMDISK_H
#define RAMDISK_H

#include "fathost.h"

#include <stddef.h>

struct ramdisk {
    struct blockdev dev; /* what a host gets */
    uint8_t *image;
    uint32_t sectors;
    char path[64]; /* of the file */

    /* What may go wrong. */
    uint32_t fail_write; /* the n-th write command fails; 0: none */
    uint32_t fail_read;
    uint32_t vanish_ms; /* from then on there is no medium; 0: never */
    uint32_t zero_from; /* sectors from here on read as zeros; 0: none */
    uint64_t ms;
    bool ejected;

    /* Commands since ramdisk_reset(): the first ones, and a hash of all. */
    struct ramdisk_write {
        uint32_t lba, n;
        uint64_t ms;
    } log[4096];
    uint32_t writes, reads, syncs;
    uint64_t hash;

    /* For the way back. */
    int fd;
    uint8_t *touched;
    struct ramdisk_old {
        uint32_t lba;
        uint8_t data[FH_SECTOR];
    } * old;
    uint32_t olds, room;
};

struct ramdisk *ramdisk_new(uint32_t sectors);
void ramdisk_free(struct ramdisk *d);
/* What is there now is what ramdisk_reset() comes back to. */
void ramdisk_keep(struct ramdisk *d);
void ramdisk_reset(struct ramdisk *d);

#endif
