/* SPDX-License-Identifier: MIT */
/*
 * drive_inside.h - what drive.c and drive_raw.c share.  drive_raw.c is bound in
 * staged profiles: there a file is kept as it came, in download, and looked at
 * when it is whole.
 */
#ifndef SALLYPORT_DRIVE_INSIDE_H
#define SALLYPORT_DRIVE_INSIDE_H

#include "drive.h"

#define CLUSTER_SECTORS (FAT_CLUSTER / FAT_SECTOR)
#define WINDOW          FAT_FREE_CLUSTERS

/* The status file's is one of them, because users delete that file.  A macro:
 * gcc would make a value of a function's result. */
#define IN_WINDOW(cluster) ((cluster)-FAT_STATUS < WINDOW + 1)

/* Entries of the root directory, numbered as sectors are. */
#define ENTRIES  (FAT_SECTOR / sizeof(struct fat_dir))
#define ROOT     (FAT_ROOT * CLUSTER_SECTORS * ENTRIES)
#define ROOT_END ((FAT_ROOT + 1) * CLUSTER_SECTORS * ENTRIES)

/* The first reason counts. */
void drive_fail(struct drive *d, enum err err, uint32_t offset);
/* The update session becomes this door's, anew if it was. */
void drive_open(struct drive *d);
/* A sector of the window by its number, 0: a free one; NULL: there is none. */
struct drive_sector *drive_find(struct drive *d, uint32_t number);
/* The entry i, if somebody put a file there to be installed, or NULL. */
const struct fat_dir *drive_file(struct drive *d, uint32_t i);
/* Follows a chain and gives its clusters their places. */
void drive_walk(struct drive *d, uint32_t at);
/* Puts a sector of the window into the slot, if it is known where it belongs,
 * and drops what belongs nowhere; staged, that is also what was deleted.
 * Returns the number of what lies in data now: 0 nothing, its own where nothing
 * happened, or that of the sector whose place it took. */
uint32_t drive_put(struct drive *d, uint32_t number, uint8_t *data);

/* ---- drive_raw.c ---- */

bool is_uf2(const uint8_t *data);
/* A sector came. */
void raw_came(struct drive *d, uint32_t number, const uint8_t *data);
/* The cluster is free again. */
void raw_forget(struct drive *d, uint32_t cluster);
/* Reads a sector that lies in download.  False: it does not. */
bool raw_read(const struct drive *d, uint32_t number, uint8_t *to);
/* What leaves the window first: blocks of UF2 and what was deleted; then of
 * data that may be a file's the pages that are whole; and what systems leave
 * behind at last, because it may be written again. */
enum turn { NOW, CHAINED, WHOLE, ANY, NEVER };
/* Takes the oldest of those out, which have their turn by `last`.  False: there
 * is none, or no room. */
bool raw_put_one(struct drive *d, enum turn last);
/* The same where a write waits: something has to go. */
void raw_lose_one(struct drive *d);

enum raw_state {
    RAW_NONE,   /* there is no file */
    RAW_WAITS,  /* one looks like firmware, and is not complete */
    RAW_OTHER,  /* there are files, and none that looks like firmware */
    RAW_FAILED, /* one cannot be taken; drive_fail() has the reason */
    RAW_BUSY,   /* something was written for one; go on */
    RAW_TAKEN,  /* it is the update session's now */
};
/* What do the files say?  last: nothing more will come. */
enum raw_state raw_conclude(struct drive *d, bool last);

/* A sector as the host wrote it; NULL: it did not, or it is lost. */
const uint8_t *raw_bytes(struct drive *d, uint32_t number);
/* Of a file of so many bytes, in the chain that was walked: sectors that have
 * not come, or are lost.  d->waiting is one that is in the window, if any. */
enum raw_look {
    LOOK,
    LOOK_FED,  /* what the image has is there */
    LOOK_TAKE, /* pages become those of the image */
};
uint32_t raw_missing(struct drive *d, uint32_t size, enum raw_look look);
/* A sector of the window has gone. */
void raw_leave(struct drive *d, struct drive_sector *s);

/* ---- drive_convert.c: files of other formats; with CONFIG_FORMATS ---- */

#define FED_BROKEN 0xFFFFu

/* Pages of download that stay free of such files: enough to begin with where
 * several are erased at once. */
#define CONVERT_SPARE (PART_BIG_UNITS ? 0x20000u / BOARD_FLASH_PAGE : 4u)

/* The host writes something. */
void convert_changed(struct drive *d);
/* What the file looks like that begins with this cluster; v: its first sector,
 * or NULL. */
enum format_kind convert_kind(const struct drive *d, uint32_t cluster,
                              const void *v);
/* The chain that was walked is a file of so many bytes.  FORMAT_DFU: is it one
 * with a suffix, and right?  Else also makes the image of it. */
enum raw_state convert_file(struct drive *d, enum format_kind kind,
                            uint32_t size);
/* There is no room to keep all of the latest file: a cluster of it goes to the
 * image, in the order as it seems.  In the end the chain has to bear it out.
 * sure: only where nothing may still come between.  False: none can. */
bool convert_early(struct drive *d, bool sure);

#endif
