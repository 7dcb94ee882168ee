/* SPDX-License-Identifier: MIT */
/*
 * drive.h - the drive's write side: what a host writes onto the synthetic
 * volume (fat.h) becomes an image in the slot, by way of the update session.
 * scsi.c calls it through block.h.
 *
 * Nothing is assumed about the order of writes.  A sector is placed by where
 * it belongs in the file:
 *  - a UF2 block says so itself;
 *  - of a .bin, the first sector is known by its vectors, and each cluster by
 *    its place in the chain.  Where the chain is not written yet, it is taken
 *    to go on in the next cluster that is free as far as is known, which is
 *    what every host does; the chain has to bear it out in the end.
 * What cannot be placed yet waits in a window of sectors, which is also what
 * makes metadata and small files read back as they were written.
 *
 * The image is installed when chain and directory entry cover it, each of its
 * sectors was placed where the chain has it, and upd.c finds it right.
 */
#ifndef SALLYPORT_DRIVE_H
#define SALLYPORT_DRIVE_H

#include "block.h"
#include "fat.h"
#include "upd.h"

#include <stdbool.h>
#include <stdint.h>

/* Sectors that read back as written, and wait to be placed. */
#ifndef CONFIG_DRIVE_SECTORS
#define CONFIG_DRIVE_SECTORS 16
#endif

/* A UF2 block carries so many bytes of an image. */
#define DRIVE_UF2_PAYLOAD 256u
#define DRIVE_UF2_BLOCKS  (PART_APP_SIZE / DRIVE_UF2_PAYLOAD)

struct drive_sector {
    uint32_t lba; /* 0: free; the boot sector itself is never kept */
    _Alignas(4) uint8_t data[FAT_SECTOR];
};

/* A cluster of the free window; there clusters are counted from 1. */
#define DRIVE_LAST      0xFFFFu
#define DRIVE_ELSEWHERE 0xFFFEu
struct drive_cluster {
    uint16_t next;   /* as in the FAT: 0 free, or one of these two */
    uint16_t place;  /* in the file, from 1, where it was written; 0 none */
    uint8_t sectors; /* one bit each: written there */
};

/* The owner sets all of it to zero, then upd, then calls drive_mount(). */
struct drive {
    struct upd *upd;
    struct fat fat;
    uint16_t head;    /* first cluster of the image; 0: none known */
    uint16_t cluster; /* the one that was placed last, and its place: what */
    uint16_t place;   /* comes is most often the next */
    uint8_t oldest;   /* sector of the window that goes next */
    bool opened;      /* the update session has begun */
    bool absent;      /* between the end of an update and the fresh mount */
    uint16_t units;   /* large erase units that were written to, one bit each */
    uint32_t size;    /* of the image's file by its entry, 0: not known */
    uint32_t blocks;  /* UF2: so many there are, 0: no UF2 */
    uint32_t have;    /* and so many came */
    struct drive_cluster window[FAT_FREE_CLUSTERS];
    struct drive_sector sector[CONFIG_DRIVE_SECTORS];
    uint8_t received[(DRIVE_UF2_BLOCKS + 7) / 8];
};

/* A fresh mount: the volume is clean, whatever was written before; the result
 * of the last update stays in fat. */
void drive_mount(struct drive *d);

#endif
