/* SPDX-License-Identifier: MIT */
/* drive_convert.c - see drive_inside.h.  Files that say themselves where their
 * bytes belong (formats.h) are kept as they came, like all others.  One that is
 * whole is read in the order of its chain: first to check all of it, then to
 * write the image's pages, which takes the place of what has been read. */
#include "drive_inside.h"

#include <stddef.h>
#include <string.h>

enum {
    PASS_NONE,
    PASS_SUFFIX, /* a .dfu's suffix, for its CRC over all of the file */
    PASS_RIGHT,  /* that is right */
    PASS_PLAIN,  /* there is none */
    PASS_CHECK,
    PASS_WRITE, /* from here on the host may write what it likes */
};

/* Clusters that are read between two looks at the bus, if nothing is written.
 */
#define STEP 8u

/* A file whose bytes go back to an earlier page more often than that is read
 * once for each page: a page that is written again may have to be erased, or to
 * go to another place. */
#define RETURNS 8u

void convert_changed(struct drive *d)
{
    d->changed = true;
    if (d->pass < PASS_WRITE)
        d->pass = PASS_NONE;
}

__attribute__((noinline)) enum format_kind
convert_kind(const struct drive *d, uint32_t cluster, const void *v)
{
    if (v)
        return format_of(v);
    return IN_WINDOW(cluster) && d->fed[cluster] == CLUSTER_SECTORS
               ? d->format.kind
               : FORMAT_NONE;
}

/* ---- the file ---- */

/* That with the file's byte at an offset; 0: there is none. */
static uint32_t cluster_at(const struct drive *d, uint32_t offset)
{
    uint32_t place = (offset / FAT_CLUSTER + 1) * CLUSTER_SECTORS;

    for (uint32_t i = FAT_STATUS; i < FAT_FREE_END; i++)
        if (d->cluster[i].place == place)
            return i;
    return 0;
}

/* What the image has taken is of this chain, and as it was. */
static bool is_fed(const struct drive *d)
{
    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        if (d->fed[i] && d->fed[i] != d->cluster[i].place)
            return false;
    return true;
}

/* ---- passes ---- */

static void begin(struct drive *d, uint32_t pass, enum format_kind kind,
                  uint32_t size)
{
    d->pass = (uint8_t)pass;
    d->page = STAGE_PAGES;
    d->taken = 0;
    format_begin(&d->format, kind, size);
}

static void begin_check(struct drive *d, enum format_kind kind)
{
    d->returns = 0;
    d->last = 0;
    begin(d, PASS_CHECK, kind, 0);
}

static void begin_write(struct drive *d, enum format_kind kind)
{
    drive_open(d); /* nothing but this */
    d->only = 0;
    begin(d, PASS_WRITE, kind, 0);
}

/* What is not of the chain makes room. */
static void forget_others(struct drive *d)
{
    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        if (!d->cluster[i].place)
            raw_forget(d, i);
}

/* A byte of the image. */
static void put(struct drive *d)
{
    uint32_t offset = d->format.address - PART_APP_START;
    uint32_t page = offset / BOARD_FLASH_PAGE;

    if (page < d->page && d->returns <= RETURNS)
        d->returns++;
    d->page = (uint8_t)page;
    if (page > d->last)
        d->last = (uint8_t)page;
    if (d->pass != PASS_WRITE || (d->only && d->only - 1u != page))
        return;
    upd_put(d->upd, d->format.address, &d->format.byte, 1);
    if (d->end <= offset)
        d->end = offset + 1;
}

/* The next n bytes of the file, which lie in this cluster. */
static enum err read_cluster(struct drive *d, uint32_t cluster, uint32_t n)
{
    const uint8_t *from = NULL;
    enum err err;

    for (uint32_t i = 0; i < n; i++) {
        if (i % FAT_SECTOR == 0)
            from = raw_bytes(d, cluster * CLUSTER_SECTORS + i / FAT_SECTOR);
        if (!from)
            return ERR_INCOMPLETE;
        err = format_take(&d->format, from[i % FAT_SECTOR]);
        if (err)
            return err;
        if (d->format.data && d->format.kind != FORMAT_DFU)
            put(d);
    }
    return d->pass == PASS_WRITE ? d->upd->err : ERR_NONE;
}

/* The image has it: its room is free. */
static void release(struct drive *d, uint32_t cluster)
{
    uint32_t place = (d->taken / FAT_CLUSTER + 1) * CLUSTER_SECTORS;

    raw_forget(d, cluster);
    for (uint32_t i = 0; i < CLUSTER_SECTORS; i++) {
        struct drive_sector *s = drive_find(d, cluster * CLUSTER_SECTORS + i);

        if (s)
            raw_leave(d, s);
    }
    d->fed[cluster] = (uint16_t)place;
    d->fed_last = (uint16_t)cluster;
}

static enum raw_state refuse(struct drive *d, enum err err)
{
    drive_fail(d, err, d->format.address);
    return RAW_FAILED;
}

/* The file has been read. */
static enum raw_state end_of_pass(struct drive *d, enum format_kind kind)
{
    if (!d->format.ended) {
        d->pass = PASS_NONE;
        return RAW_WAITS;
    }
    if (d->pass >= PASS_CHECK && d->page == STAGE_PAGES)
        return refuse(d, ERR_FILE); /* no byte */
    if (d->pass == PASS_SUFFIX && kind == FORMAT_DFU)
        d->pass = PASS_RIGHT;
    else if (d->pass == PASS_SUFFIX)
        begin_check(d, kind);
    else if (d->pass == PASS_CHECK) {
        forget_others(d);
        begin_write(d, kind);
        d->only = d->returns > RETURNS;
    } else {
        if (!d->only || d->only++ > d->last)
            return RAW_TAKEN;
        begin(d, PASS_WRITE, kind, 0);
    }
    return RAW_BUSY;
}

enum raw_state convert_file(struct drive *d, enum format_kind kind,
                            uint32_t size)
{
    enum err err;

    if (d->pass == PASS_RIGHT)
        return RAW_TAKEN;
    if (d->pass == PASS_PLAIN)
        return RAW_WAITS;
    if (d->pass == PASS_WRITE && !d->opened)
        drive_open(d); /* another door has what was written */
    if (d->pass == PASS_NONE || d->changed) {
        bool fed = is_fed(d) && d->taken <= size;

        if (fed && d->failed)
            return refuse(d, d->failed);
        if (raw_missing(d, size, fed ? LOOK_FED : LOOK))
            return RAW_WAITS;
        if (!fed)
            drive_open(d); /* another file's */
        d->changed = false;
    }
    if (d->pass == PASS_NONE) {
        if (kind == FORMAT_HEX)
            begin_check(d, kind);
        else
            begin(d, PASS_SUFFIX, FORMAT_DFU, size);
    }
    for (uint32_t i = 0; i < STEP; i++) {
        uint32_t n = size - d->taken, cluster = cluster_at(d, d->taken);

        if (!n)
            return end_of_pass(d, kind);
        if (n > FAT_CLUSTER)
            n = FAT_CLUSTER;
        err = read_cluster(d, cluster, n);
        if (d->pass == PASS_SUFFIX && err == ERR_INCOMPLETE) {
            d->pass = PASS_PLAIN;
            return RAW_WAITS;
        }
        if (err)
            return refuse(d, err);
        if (d->pass == PASS_WRITE && !d->only) {
            release(d, cluster);
            i = STEP;
        }
        d->taken += n;
    }
    return RAW_BUSY;
}

/* ---- files for which there is no room ---- */

/* The cluster that comes next: as the FAT says, or else the next higher one
 * that came as a whole and is free as far as is known; if sure, with nothing
 * between that may still come.  0: not known. */
static uint32_t next_of(const struct drive *d, uint32_t at, bool sure)
{
    uint32_t link = d->cluster[at].link;

    if (IN_WINDOW(link))
        return link;
    while (++at < FAT_FREE_END) {
        if (d->cluster[at].link || d->fed[at])
            continue;
        if ((uint8_t)d->cluster[at].came == 0xFF)
            return at;
        if (sure)
            break;
    }
    return 0;
}

bool convert_early(struct drive *d, bool sure)
{
    bool begun = d->pass == PASS_WRITE && d->opened;
    uint32_t cluster = d->start;

    if (begun)
        cluster =
            d->fed_last && !d->format.ended ? next_of(d, d->fed_last, sure) : 0;
    /* What another one follows is full. */
    if (!d->upd->stage.spare || d->failed || !cluster ||
        !next_of(d, cluster, false))
        return false;
    for (uint32_t i = 0; i < CLUSTER_SECTORS; i++)
        if (!raw_bytes(d, cluster * CLUSTER_SECTORS + i))
            return false;
    if (!begun)
        begin_write(d, format_of(raw_bytes(d, cluster * CLUSTER_SECTORS)));
    d->failed = (uint8_t)read_cluster(d, cluster, FAT_CLUSTER);
    release(d, cluster);
    d->taken += FAT_CLUSTER;
    return true;
}
