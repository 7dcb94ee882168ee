/* SPDX-License-Identifier: MIT
 *
 * A FAT32 volume as a host's file system driver works on it: sectors come
 * from a block device through a cache, changes stay in the cache until
 * somebody writes them.  Which sector goes to the device when is the business
 * of hosts.c; here are the structures (Microsoft's FAT specification 1.03)
 * and each system's own rules for them.
 */
#ifndef FATHOST_H
#define FATHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define FH_SECTOR   512u
#define FH_CACHE    2304u       /* sectors: both FATs of a drive, and more */
#define FH_BUCKETS  4096u       /* of the cache's hash; a power of two */
#define FH_CLUSTERS (1u << 18)  /* the largest volume */
#define FH_CHAINS   (1u << 16)  /* clusters of all files of one copy */
#define FH_TRANSFER 600u        /* sectors of the largest command */
#define FH_BAD      0x0FFFFFF7u /* entry of a cluster not to be used */
#define FH_LAST     0x0FFFFFF8u /* this and above: end of a chain */
#define FH_CLEAN    0x08000000u /* in FAT[1]: was unmounted */

/* What a host can do to a disk.  false is an error of the command, and false
 * of ready() a medium that is not there.  wait() lets time pass. */
struct blockdev {
    void *ctx;
    uint32_t (*count)(void *ctx);
    bool (*read)(void *ctx, uint32_t lba, uint32_t n, uint8_t *to);
    bool (*write)(void *ctx, uint32_t lba, uint32_t n, const uint8_t *from);
    bool (*sync)(void *ctx);  /* SYNCHRONIZE CACHE */
    bool (*eject)(void *ctx); /* START STOP UNIT, eject */
    bool (*ready)(void *ctx); /* TEST UNIT READY */
    void (*wait)(void *ctx, uint32_t ms);
};

enum fh_os { FH_LINUX, FH_WINDOWS, FH_MACOS, FH_FREEBSD };

enum fh_error {
    FH_OK,
    FH_REFUSED, /* this system does not mount the volume; see .why */
    FH_IO,      /* a command failed */
    FH_GONE,    /* the medium went away while there was work to do */
    FH_FULL,    /* no free cluster */
    FH_CORRUPT, /* chains or entries that make no sense; see .why */
    FH_PULLED,  /* the cable was pulled, as the plan said */
};

/* Parts of the volume, for fh_flush(). */
enum {
    FH_BOOT = 1, /* LBA 0 */
    FH_INFO = 2, /* FSINFO */
    FH_FAT1 = 4,
    FH_FAT2 = 8,
    FH_META = 16, /* directories */
    FH_FATS = FH_FAT1 | FH_FAT2,
    FH_ALL = 31,
};

/* How the next free cluster is found. */
enum fh_alloc {
    FH_NEXT,    /* behind the one taken last */
    FH_LOWEST,  /* the first of the volume */
    FH_SCATTER, /* anywhere: a fragmented volume */
};

struct fh_sector {
    uint32_t lba;
    uint16_t next; /* index + 1 of the next one of the same bucket */
    bool dirty;
    bool written; /* by this host, at least once */
    uint8_t data[FH_SECTOR];
};

struct fathost {
    const struct blockdev *dev;
    enum fh_os os;
    enum fh_alloc alloc;
    bool no_cache;       /* fh_sync() sends nothing */
    bool contiguous;     /* looks for one run for a whole file first */
    bool whole_clusters; /* writes a file's last cluster to its end */
    uint32_t page;       /* sectors that metadata is written in, 0: one */
    uint32_t transfer;   /* sectors of the largest command */
    uint64_t random;     /* state of fh_random() */
    int64_t pull;        /* sectors until the cable is pulled, < 0: never */
    void (*after)(void *ctx, uint32_t lba); /* after each command that writes */
    void *after_ctx;

    enum fh_error error; /* sticky: after it nothing reaches the device */
    uint32_t error_lba;
    const char *why;

    /* The volume. */
    uint32_t per_cluster; /* sectors */
    uint32_t fat_lba, fat_size, data_lba, info_lba, root, clusters;
    uint32_t free, next; /* as FSINFO has them; free 0xFFFFFFFF: unknown */
    bool was_dirty;      /* at mount */
    bool whole;          /* .used is valid: the FAT was read at mount */

    /* Statistics. */
    uint32_t commands, sectors, reads, syncs;
    uint64_t ms;

    uint16_t bucket[FH_BUCKETS];
    uint32_t cached;
    struct fh_sector cache[FH_CACHE];
    uint8_t used[FH_CLUSTERS / 8];
    uint32_t chains[FH_CHAINS];
    uint32_t chained;
    uint8_t scratch[FH_TRANSFER * FH_SECTOR];
};

/* A file that is being written, or a directory. */
struct fh_file {
    const uint8_t *data;
    uint32_t size;
    uint32_t dir, slot, slots; /* its entry: directory, first slot, number */
    uint32_t *chain;           /* its clusters */
    uint32_t count, room;
};

/* What a directory shows. */
struct fh_entry {
    char name[256];
    uint8_t attr;
    uint32_t first, size, slot, slots;
};

/* A limit of the hosts themselves, in every kind of build. */
static inline void fh_require(bool held)
{
    if (!held)
        abort();
}

uint32_t fh_random(struct fathost *v);
uint32_t fh_below(struct fathost *v, uint32_t n); /* 0..n-1 */
bool fh_chance(struct fathost *v, uint32_t one_in);

/* Forgets everything and mounts.  False: .error and .why say the reason. */
bool fh_mount(struct fathost *v, const struct blockdev *dev, enum fh_os os);

/* Commands. */
void fh_read(struct fathost *v, uint32_t lba, uint32_t n, uint8_t *to);
void fh_write(struct fathost *v, uint32_t lba, uint32_t n, const uint8_t *from);
void fh_sync(struct fathost *v);
void fh_eject(struct fathost *v);
bool fh_ready(struct fathost *v);
void fh_wait(struct fathost *v, uint32_t ms);

/* Writes what is dirty in these parts, by rising LBA, neighbours in one
 * command.  fh_flush_one() writes one sector in any case. */
void fh_flush(struct fathost *v, unsigned parts);
void fh_flush_one(struct fathost *v, uint32_t lba);
uint32_t fh_dirty(const struct fathost *v); /* sectors */

/* The sector in the cache; if it is not there, it is read, or new.  Without
 * `read` it is zeros. */
struct fh_sector *fh_sector(struct fathost *v, uint32_t lba, bool read);
struct fh_sector *fh_cached(const struct fathost *v, uint32_t lba);
void fh_fail(struct fathost *v, enum fh_error error, uint32_t lba);
void fh_corrupt(struct fathost *v, const char *why);

/* The FAT, in the cache; set changes both copies. */
uint32_t fh_fat(struct fathost *v, uint32_t cluster);
void fh_fat_set(struct fathost *v, uint32_t cluster, uint32_t value);
uint32_t fh_fat_lba(const struct fathost *v, uint32_t cluster, int copy);
uint32_t fh_cluster_lba(const struct fathost *v, uint32_t cluster);

/* Marks the volume dirty or clean in the cache, the way of the system. */
void fh_mark(struct fathost *v, bool dirty);
/* Brings FSINFO in the cache up to date. */
void fh_info(struct fathost *v);

/* Directories.  A directory is named by its first cluster. */
uint8_t *fh_slot(struct fathost *v, uint32_t dir, uint32_t slot, uint32_t *lba);
bool fh_next(struct fathost *v, uint32_t dir, uint32_t *slot,
             struct fh_entry *entry);
bool fh_find(struct fathost *v, uint32_t dir, const char *name,
             struct fh_entry *entry);
/* Makes an entry without clusters; an existing one is emptied. */
void fh_create(struct fathost *v, struct fh_file *f, uint32_t dir,
               const char *name, uint8_t attr, const uint8_t *data,
               uint32_t size);
/* A directory with its two entries; returns its first cluster. */
uint32_t fh_mkdir(struct fathost *v, uint32_t dir, const char *name,
                  uint8_t attr);
void fh_entry_set(struct fathost *v, const struct fh_file *f, uint32_t size);
uint32_t fh_entry_lba(struct fathost *v, const struct fh_file *f);
void fh_remove(struct fathost *v, struct fh_file *f);
void fh_rename(struct fathost *v, struct fh_file *f, const char *name);

/* Chooses a free cluster, best behind `behind` and with `want` in a row. */
uint32_t fh_take(struct fathost *v, uint32_t behind, uint32_t want);
/* Allocates up to `clusters` clusters in all. */
void fh_extend(struct fathost *v, struct fh_file *f, uint32_t clusters);
uint32_t fh_need(const struct fathost *v, uint32_t size); /* clusters */
/* Writes sectors of the file that have a cluster; behind its end, zeros. */
void fh_data(struct fathost *v, const struct fh_file *f, uint32_t sector,
             uint32_t n);
/* Are these sectors on the device what they should be?  Data of a file, and
 * every sector of metadata that this host has written. */
bool fh_same_data(struct fathost *v, const struct fh_file *f);
bool fh_same_meta(struct fathost *v);

#endif
