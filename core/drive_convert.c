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
    PASS_SUFFIX, /* the suffix of a .dfu */
    PASS_RIGHT,  /* that was right */
    PASS_CHECK,
    PASS_WRITE, /* from here on the host may write what it likes */
};

/* Clusters that are read between two looks at the bus, if nothing is written.
 */
#define STEP 8u

/* A file whose records go back to a page more often than that is read once for
 * each page: a page that is written again may have to be erased, or to go to
 * another place. */
#define RETURNS 8u

void convert_changed(struct drive *d)
{
    d->changed = true;
    if (d->pass < PASS_WRITE)
        d->pass = PASS_NONE;
}

enum format_kind convert_kind(const struct drive *d, uint32_t cluster,
                              const void *v)
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

static uint32_t byte_at(struct drive *d, uint32_t offset)
{
    const uint8_t *from =
        raw_bytes(d, cluster_at(d, offset) * CLUSTER_SECTORS +
                         offset / FAT_SECTOR % CLUSTER_SECTORS);

    return from ? from[offset % FAT_SECTOR] : 0;
}

bool convert_has_suffix(struct drive *d, uint32_t size)
{
    uint32_t word = 0;

    if (size <= FORMAT_SUFFIX)
        return false;
    for (uint32_t i = 0; i < 4; i++)
        word = word >> 8 | byte_at(d, size - 8 + i) << 24;
    return word == FORMAT_UFD;
}

/* All of it is there, or was, and the image has it now. */
static bool is_whole(struct drive *d, uint32_t size)
{
    uint32_t end = (size + FAT_SECTOR - 1) / FAT_SECTOR, n = 0;

    for (uint32_t number = FAT_STATUS * CLUSTER_SECTORS;
         number < FAT_FREE_END * CLUSTER_SECTORS; number++) {
        uint32_t cluster = number / CLUSTER_SECTORS;
        uint32_t at = d->cluster[cluster].place - CLUSTER_SECTORS +
                      number % CLUSTER_SECTORS;

        if (at < end && (d->fed[cluster] || raw_bytes(d, number)))
            n++;
    }
    return n == end;
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
    memset(d->has, 0, sizeof(d->has));
    d->returns = 0;
    begin(d, PASS_CHECK, kind, 0);
}

/* False: there is no page for a pass of its own any more. */
static bool next_page(struct drive *d)
{
    while (d->only < STAGE_PAGES)
        if (d->has[d->only++])
            return true;
    return false;
}

static void begin_write(struct drive *d, enum format_kind kind)
{
    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        if (!d->cluster[i].place)
            raw_forget(d, i);
    drive_open(d); /* nothing but this */
    d->only = 0;
    if (d->returns > RETURNS)
        next_page(d);
    begin(d, PASS_WRITE, kind, 0);
}

/* A byte of the image. */
static void put(struct drive *d)
{
    uint32_t offset = d->format.address - PART_APP_START;
    uint32_t page = offset / BOARD_FLASH_PAGE;

    if (page != d->page) {
        d->page = (uint16_t)page;
        if (d->has[page] && d->returns <= RETURNS)
            d->returns++;
        d->has[page] = true;
    }
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
    if (d->pass != PASS_WRITE)
        return ERR_NONE;
    return d->upd->stage.released ? ERR_INCOMPLETE : d->upd->err;
}

/* The image has it: its room is free. */
static void release(struct drive *d, uint32_t cluster)
{
    raw_forget(d, cluster);
    for (uint32_t i = 0; i < CLUSTER_SECTORS; i++) {
        struct drive_sector *s = drive_find(d, cluster * CLUSTER_SECTORS + i);

        if (s)
            raw_leave(d, s);
    }
    d->fed[cluster] = d->cluster[cluster].place;
}

static enum raw_state refuse(struct drive *d, enum err err)
{
    d->line = d->format.line;
    drive_fail(d, err, d->format.address);
    return RAW_FAILED;
}

/* The file has been read. */
static enum raw_state end_of_pass(struct drive *d, enum format_kind kind)
{
    if (!d->format.ended) {
        d->pass = PASS_NONE;
        d->line = d->format.line;
        return RAW_WAITS;
    }
    if (d->pass >= PASS_CHECK && d->page == STAGE_PAGES)
        return refuse(d, ERR_FILE); /* no byte */
    if (d->pass == PASS_SUFFIX && kind == FORMAT_DFU)
        d->pass = PASS_RIGHT;
    else if (d->pass == PASS_SUFFIX)
        begin_check(d, kind);
    else if (d->pass == PASS_CHECK)
        begin_write(d, kind);
    else if (d->only && next_page(d))
        begin(d, PASS_WRITE, kind, 0);
    else
        return RAW_TAKEN;
    return RAW_BUSY;
}

enum raw_state convert_file(struct drive *d, enum format_kind kind,
                            uint32_t size)
{
    enum err err;

    if (d->pass == PASS_RIGHT)
        return RAW_TAKEN;
    if (d->pass == PASS_WRITE && !d->opened)
        drive_open(d); /* another door has what was written */
    if (d->pass == PASS_NONE || d->changed) {
        if (!is_fed(d) || d->taken > size)
            drive_open(d);
        if (!is_whole(d, size))
            return RAW_WAITS;
        d->changed = false;
    }
    if (d->pass == PASS_NONE) {
        if (kind == FORMAT_HEX)
            begin_check(d, kind);
        else if (convert_has_suffix(d, size))
            begin(d, PASS_SUFFIX, FORMAT_DFU, size);
        else
            return RAW_WAITS;
    }
    for (uint32_t i = 0; i < STEP; i++) {
        uint32_t n = size - d->taken, cluster = cluster_at(d, d->taken);

        if (!n)
            return end_of_pass(d, kind);
        if (n > FAT_CLUSTER)
            n = FAT_CLUSTER;
        err = read_cluster(d, cluster, n);
        if (err)
            return refuse(d, err);
        d->taken += n;
        if (d->pass == PASS_WRITE && !d->only) {
            release(d, cluster);
            break;
        }
    }
    return RAW_BUSY;
}
