/* SPDX-License-Identifier: MIT
 *
 * What the hosts share among each other: the copy that is going on.
 */
#ifndef HOSTS_INSIDE_H
#define HOSTS_INSIDE_H

#include "hosts.h"

#define LITTER 24u
/* UEFI's cache of data: so many pages, of so many sectors. */
#define UEFI_PAGES 64u
#define UEFI_PAGE  128u
/* In the middle of a copy, no system is quiet for longer, ms; FSINFO is no sign
 * of life. */
#define HOST_QUIET 30000u
#define PIECES     16384u

/* Some sectors of a file. */
struct piece {
    struct fh_file *file;
    uint32_t from, n;
};

struct copier {
    struct fathost v;
    const struct host_plan *plan;
    bool busy;      /* inside the hook of a write: no more of them */
    bool copying;   /* a copy is going on */
    bool cancelled; /* the user did */
    bool gone;      /* the medium is */
    bool mismatch;  /* what it read back is not what it wrote */
    uint32_t quiet; /* ms since the last write but of FSINFO */

    /* The files being copied now, and their names. */
    struct fh_file file[HOST_FILES];
    const char *name[HOST_FILES];
    unsigned files;

    /* Data in the order it is to be written; ends at `pieces`. */
    struct piece piece[PIECES];
    unsigned pieces, done;

    struct fh_file litter[LITTER];
    unsigned litters;
    unsigned litter_step; /* how much of the system's litter is there */
    uint8_t text[32][4096];
    unsigned texts;

    struct uefi_page {
        bool known, dirty;
        uint8_t data[UEFI_PAGE * FH_SECTOR];
    } page[UEFI_PAGES];
};

/* Writes of data: cut into pieces of n sectors, of all files in turn, ... */
void pieces_cut(struct copier *h, uint32_t sectors);
/* ... put into another order: a piece moves at most `reach` places. */
void pieces_shuffle(struct copier *h, unsigned reach);
/* ... or by rising LBA, as a disk queue sorts; they have their clusters. */
void pieces_sort(struct copier *h);
/* Allocates for the pieces not yet done up to `until`. */
void pieces_allocate(struct copier *h, unsigned until);
/* Writes them. */
void pieces_write(struct copier *h, unsigned until);

/* Sizes, into the entries: 0, what is allocated, or what is written. */
void entries_set(struct copier *h, bool final);
uint32_t file_sectors(const struct fh_file *f);

/* One of the system's own files: made, allocated, its data written. */
struct fh_file *litter_add(struct copier *h, uint32_t dir, const char *name,
                           uint8_t attr, const void *data, uint32_t size);
/* A page to fill with such data. */
uint8_t *litter_page(struct copier *h);
void litter_data(struct copier *h, struct fh_file *f);

/* Lets time pass, polling the medium once a second; false if it is gone. */
bool host_idle(struct copier *h, uint32_t ms);
/* Nothing is left to do for a medium that went away. */
bool host_through(struct copier *h);

/* As long as the plan says, or else this system needs. */
void host_wait_patiently(struct copier *h);
/* Nobody unmounts: what is still to be written comes after so many ms. */
void host_leave(struct copier *h, uint32_t ms);
/* Sync, or with the plan's eject as systems do it that mark in the FAT that a
 * volume is clean. */
void host_unmount(struct copier *h);

/* Each system: what it does when the volume appears, a copy of h->file, and
 * what comes when the user is through. */
struct system {
    enum fh_os os;
    void (*mounted)(struct copier *h);
    void (*copy)(struct copier *h);
    void (*end)(struct copier *h);
    const char *name;
    uint32_t patience; /* ms */
};

extern const struct system host_systems[HOST_KINDS];

void linux_mounted(struct copier *h);
void linux_copy(struct copier *h);
void linux_end(struct copier *h);
void windows_mounted(struct copier *h);
void windows_copy(struct copier *h);
void windows_end(struct copier *h);
void macos_mounted(struct copier *h);
void macos_copy(struct copier *h);
void macos_end(struct copier *h);
void bsd_mounted(struct copier *h);
void bsd_copy(struct copier *h);
void bsd_end(struct copier *h);
void random_copy(struct copier *h);
void uefi_mounted(struct copier *h);
void uefi_copy(struct copier *h);
void uefi_end(struct copier *h);

#endif
