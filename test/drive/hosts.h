/* SPDX-License-Identifier: MIT
 *
 * Hosts in the process: each mounts a FAT32 volume through a block device,
 * copies files onto it and sends the sector writes of a real system, in that
 * system's order.  Same plan, same commands: everything random comes from
 * the plan's seed.
 */
#ifndef HOSTS_H
#define HOSTS_H

#include "fathost.h"

#include <stddef.h>

enum host_kind {
    HOST_LINUX,        /* default mount: everything five seconds later */
    HOST_LINUX_FLUSH,  /* as desktops mount */
    HOST_LINUX_SYNC,   /* mounted with sync */
    HOST_LINUX_FSYNC,  /* 64 KB at a time, fsync after each */
    HOST_LINUX_RENAME, /* a browser: temporary name, then the real one */
    HOST_WINDOWS,
    HOST_WINDOWS_STREAMS, /* of a file with alternate data streams */
    HOST_WINDOWS_2023,    /* since KB5022913: blocks out of order */
    HOST_MACOS_13,
    HOST_MACOS_14,
    HOST_MACOS_14_4,
    HOST_MACOS_15,
    HOST_FREEBSD,
    HOST_RANDOM, /* no system: every order that ends in a right volume */
    HOST_UEFI,   /* the FAT driver of EDK II */
    HOST_KINDS
};

/* What the user does when the copy is through. */
enum host_end {
    HOST_LEAVE, /* nothing; the host goes on until .patience is over */
    HOST_SYNC,  /* sync, and the volume stays mounted */
    HOST_EJECT, /* unmount and eject */
};

/* What goes on besides the copy. */
enum {
    HOST_FRAGMENT = 1,    /* free space is in pieces */
    HOST_DUPLICATE = 2,   /* some writes are made twice */
    HOST_PAUSE = 4,       /* of up to 30 s between writes */
    HOST_LITTER = 8,      /* the system's own files, before, between, after */
    HOST_TOGETHER = 16,   /* the files are copied at the same time */
    HOST_NO_CACHE = 128,  /* the disk says that it has no write cache: no
                           * SYNCHRONIZE CACHE of Linux and FreeBSD */
    HOST_CHECK_META = 32, /* in the end, reads back what it wrote: */
    HOST_CHECK_DATA = 64, /* FATs, directories, litter; and the files */
};

struct host_file {
    const char *name;
    const uint8_t *data;
    uint32_t size;
};

struct host_plan {
    enum host_kind kind;
    uint64_t seed;
    unsigned flags;
    const struct host_file *files; /* one after the other; twice the same */
    unsigned count;                /* name overwrites; at most HOST_FILES */
    enum host_end end;
    uint32_t patience; /* ms of HOST_LEAVE; 0: what this system needs */
    int32_t pull;      /* sectors after which the cable is pulled; -1 never */
    uint32_t cut;      /* bytes after which the user cancels; 0: never */
};

enum host_status {
    HOST_OK,
    HOST_NOT_MOUNTED, /* what the volume shows is refused */
    HOST_IO_ERROR,    /* a command failed */
    HOST_VANISHED,    /* the medium went away before all was written */
    HOST_NO_SPACE,
    HOST_CORRUPT,   /* chains or entries make no sense */
    HOST_READ_BACK, /* what was written does not read back */
    HOST_UNPLUGGED, /* as planned */
    HOST_CANCELLED, /* as planned */
};

struct host_result {
    enum host_status status;
    char text[160]; /* as the system would put it */
    uint32_t lba;   /* of an error */
    bool clean;     /* marked clean on the disk, nothing left to write */
    bool was_dirty; /* when it was mounted */
    bool gone;      /* the medium went away after all was written, ... */
    uint64_t ms;    /* time it took, until then */
    uint32_t commands, sectors, reads, syncs;
};

#define HOST_FILES 4

struct copier;

struct copier *copier_new(void);
void copier_free(struct copier *h);

/* A plan with flags and end drawn from the seed; the files are still to be
 * filled in. */
void host_plan_seeded(struct host_plan *plan, enum host_kind kind,
                      uint64_t seed);
/* What to print so that somebody can run it again. */
const char *host_describe(const struct host_plan *plan, char *to, size_t room);

void host_copy(struct copier *h, const struct blockdev *dev,
               const struct host_plan *plan, struct host_result *result);

/* Mounts and reads a file of the root directory; false if it is not there or
 * something is wrong with the volume, in which case *text says what. */
bool host_load(struct copier *h, const struct blockdev *dev,
               enum host_kind kind, const char *name, uint8_t *to,
               uint32_t room, uint32_t *size, const char **text);

const char *host_name(enum host_kind kind); /* "linux", "macos-14.4" */

#endif
