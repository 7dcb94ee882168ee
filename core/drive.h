/* SPDX-License-Identifier: MIT */
/*
 * drive.h - the drive's write side: what a host writes onto the synthetic
 * volume (fat.h) becomes an image in the slot, by way of the update session.
 * scsi.c calls it through block.h.
 *
 * Nothing is assumed about the order of writes.  Sectors go into a window of
 * RAM first, where they read back and may be written again; what FAT sectors
 * say is noted.  A sector leaves the window for the slot when room is scarce
 * or when the host is through, and is placed by where it belongs in the file:
 *  - a UF2 block says so itself;
 *  - a .bin starts where a cluster's first sector has valid vectors, and each
 *    cluster has the place that the chain gives it.  As long as that is not
 *    known, a sector goes where it seems to belong, or anywhere; in the end the
 *    chain has to bear it out, or the sector is moved.
 *
 * The slot remembers which sector wrote which piece of it.  A file of the root
 * directory is complete when its chain covers its size and the slot has all of
 * it, each sector where the chain says.  It is installed when upd.c finds it
 * right; all else ends in an error with the reason.
 */
#ifndef SALLYPORT_DRIVE_H
#define SALLYPORT_DRIVE_H

#include "block.h"
#include "fat.h"
#include "formats.h"
#include "uf2.h"
#include "upd.h"

#include <stdbool.h>
#include <stdint.h>

/* What the slot remembers of its origin: pieces of so many bytes, which is
 * also what a UF2 block carries. */
#define DRIVE_PIECE  UF2_DATA
#define DRIVE_PIECES (PART_APP_SIZE / DRIVE_PIECE)

/* A sector of the window. */
struct drive_sector {
    uint32_t number; /* counted as if clusters began with 0.  0: free, as
                        that one lies in a FAT, which is never kept */
#if CONFIG_STAGED
    uint32_t age; /* count of writes when it came */
#endif
    _Alignas(4) uint8_t data[FAT_SECTOR];
};

/* The owner sets all of it to zero, then upd, then calls drive_mount(). */
struct drive {
    struct upd *upd;
    uint32_t now;   /* time of the last drive_poll(), frames of the bus */
    struct fat fat; /* the last result, which the volume shows */
    /* From here on a fresh mount clears it.  Small fields come first: the code
     * is shorter for offsets that fit an instruction. */
    bool shut;     /* the owner's word: another door is busy with an update */
    bool opened;   /* the update session is this door's */
    bool closing;  /* ... and the image is complete: to be installed */
    bool synced;   /* FSINFO was written after the last sector of a FAT */
    bool lost;     /* another door began an update: nothing goes to the slot */
    bool absent;   /* the host is done with the volume, nothing came of it */
    bool full;     /* a write waits for room */
    bool outdated; /* what is open is of an earlier file */
#if !CONFIG_STAGED
#if PART_BIG_UNITS
    bool eager; /* blocks of UF2 came, which need not wait for others */
    bool later; /* a .bin began after the last block of UF2 had come */
#endif
    uint8_t came;   /* not 0: all clusters of the chain have begun */
    uint16_t force; /* what has no place leaves the window even so */
#endif
    uint8_t next;  /* sector of the window to look at */
    uint8_t used;  /* sectors of the window */
    uint8_t err;   /* enum err: the first reason against an image, and where */
    uint16_t head; /* first cluster of a .bin; 0: none known */
    uint16_t tail; /* last cluster of the chain that is looked at */
    uint32_t offset;
    uint32_t size;     /* of the image of a .bin, bytes */
    uint32_t since;    /* the host is quiet since then, frames of the bus, */
    uint32_t patience; /* and the update is over after so many ticks */
    uint32_t blocks;   /* of the UF2 file that came last; 0: a .bin did */
    uint32_t end;      /* of the image, from the start of the slot */
#if CONFIG_STAGED
    uint16_t waiting; /* a sector of the file in the window, or 0 */
    uint32_t age;     /* writes to the window so far */
#endif
#if CONFIG_FORMATS
    bool changed;      /* the host wrote something since a file was looked at */
    uint8_t pass;      /* over the file of another format (drive_convert.c) */
    uint8_t only;      /* that page + 1 is written by this pass; 0: all are */
    uint8_t failed;    /* enum err: why a file went wrong while it came */
    uint8_t returns;   /* to an earlier page, in the first pass; */
    uint8_t last;      /* the highest page */
    uint8_t page;      /* of the image: the last byte's */
    uint16_t start;    /* cluster with which the latest file begins, it seems */
    uint16_t fed_last; /* cluster that the image took last */
    uint32_t taken;    /* bytes of the file in this pass */
    struct format format;
    /* What the image has taken of the file for good: the cluster's `place`;
     * FED_BROKEN: and the host wrote to it since; 0: nothing. */
    uint16_t fed[FAT_FREE_END];
#endif
    struct fat_cluster cluster[FAT_FREE_END];
    uint16_t owner[DRIVE_PIECES]; /* the sector that wrote it; 0: none */
    struct drive_sector sector[CONFIG_DRIVE_SECTORS];
};

/* Before each connection to the bus, and when a host has left or another one
 * comes: the volume is clean, whatever was written before.  The last result
 * stays in fat; an update that was under way is void. */
void drive_mount(struct drive *d);

enum drive_due {
    DRIVE_CARRY_ON,
    DRIVE_REMOUNT, /* disconnect, drive_mount(), connect */
    DRIVE_START,   /* leave for the application */
};

/* Carries on with what is due, for the time of a flash operation or the check
 * of an image.  frame as in dcd_frame(): what counts as quiet are milliseconds
 * of a bus that is alive, not those after the cable was pulled.  idle: no
 * command is under way and no other door is busy, else nothing ends.
 *
 * The functions of block.h may be called while this one changes flash
 * (flash_meanwhile()), no other one. */
enum drive_due drive_poll(struct drive *d, uint32_t frame, bool idle);

/* Another door begins an update: what came by this one is void. */
void drive_lost(struct drive *d);

/* An image is on its way into the slot. */
static inline bool drive_busy(const struct drive *d)
{
    return d->opened;
}

#endif
