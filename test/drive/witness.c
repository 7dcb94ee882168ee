/* SPDX-License-Identifier: MIT
 *
 * The volume as a host wrote it.
 */
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

/* ---- between host and drive ---- */

bool witness_gone(const struct witness *w)
{
    return w->rig->mounts(w->rig->dev.ctx) != w->mount;
}

/* A command, and what it is about. */
static void trace(const struct witness *w, const char *name, uint32_t lba,
                  uint32_t n, bool done)
{
    if (!w->trace)
        return;
    printf("%8llu ms %s", (unsigned long long)w->wait, name);
    if (n && lba < w->fat_lba)
        printf(" LBA %u", (unsigned)lba);
    else if (n && lba < w->data_lba)
        printf(" FAT%u sector %u",
               (unsigned)((lba - w->fat_lba) / w->fat_size + 1),
               (unsigned)((lba - w->fat_lba) % w->fat_size));
    else if (n)
        printf(" cluster %u sector %u",
               (unsigned)((lba - w->data_lba) / w->per_cluster + 2),
               (unsigned)((lba - w->data_lba) % w->per_cluster));
    if (n > 1)
        printf(", %u", (unsigned)n);
    printf("%s\n", done ? "" : ": fails");
}

static uint32_t count(void *ctx)
{
    const struct witness *w = ctx;

    return w->rig->dev.count(w->rig->dev.ctx);
}

static bool read_sectors(void *ctx, uint32_t lba, uint32_t n, uint8_t *to)
{
    const struct witness *w = ctx;

    return !witness_gone(w) && w->rig->dev.read(w->rig->dev.ctx, lba, n, to);
}

/* A word of a FAT or of the root directory's cluster becomes anything. */
static void garble(struct witness *w, uint32_t lba, uint8_t *sector)
{
    uint64_t *random = &w->garble;
    uint32_t root_lba = w->data_lba + (w->root - 2) * w->per_cluster;
    uint32_t value = payload_random(random);

    if (lba < w->fat_lba || lba >= root_lba + w->per_cluster ||
        payload_below(random, 12))
        return;
    for (uint32_t n = 1 + payload_below(random, 4); n; n--) {
        uint8_t *at = sector + 4 * payload_below(random, FH_SECTOR / 4);
        if (payload_below(random, 3))
            value = payload_below(random, w->clusters + 2);
        memcpy(at, &value, 4);
    }
}

static bool write_sectors(void *ctx, uint32_t lba, uint32_t n,
                          const uint8_t *from)
{
    struct witness *w = ctx;
    bool done;

    if (w->garble && n <= FH_TRANSFER) {
        memcpy(w->garbled, from, (size_t)n * FH_SECTOR);
        for (uint32_t i = 0; i < n; i++)
            garble(w, lba + i, w->garbled + i * FH_SECTOR);
        from = w->garbled;
    }
    done = !witness_gone(w) && w->rig->dev.write(w->rig->dev.ctx, lba, n, from);

    trace(w, "write", lba, n, done);
    if (w->trace && done && n <= 2 && lba == 0)
        printf("            %s\n", from[0x41] & 1 ? "dirty" : "clean");
    if (!done)
        return false;
    for (uint32_t i = 0; i < n; i++, lba++, from += FH_SECTOR) {
        if (lba >= w->sectors) {
            w->outside++;
            continue;
        }
        memcpy(w->now + (size_t)lba * FH_SECTOR, from, FH_SECTOR);
        if (!w->touched[lba])
            w->list[w->touches++] = lba;
        w->touched[lba] = 1;
    }
    return true;
}

static bool sync_cache(void *ctx)
{
    const struct witness *w = ctx;

    bool done = !witness_gone(w) && w->rig->dev.sync(w->rig->dev.ctx);

    trace(w, "sync", 0, 0, done);
    return done;
}

static bool eject(void *ctx)
{
    const struct witness *w = ctx;

    bool done = !witness_gone(w) && w->rig->dev.eject(w->rig->dev.ctx);

    trace(w, "eject", 0, 0, done);
    return done;
}

static bool ready(void *ctx)
{
    const struct witness *w = ctx;

    bool done = !witness_gone(w) && w->rig->dev.ready(w->rig->dev.ctx);

    if (!done)
        trace(w, "ready", 0, 0, done);
    return done;
}

static void wait_ms(void *ctx, uint32_t ms)
{
    struct witness *w = ctx;

    w->wait += ms;
    w->rig->dev.wait(w->rig->dev.ctx, ms);
}

/* ---- the volume ---- */

static bool rig_read(const struct witness *w, uint32_t lba, uint32_t n,
                     uint8_t *to)
{
    return w->rig->dev.read(w->rig->dev.ctx, lba, n, to);
}

/* Sectors up to the end of the free clusters. */
static void measure(struct witness *w)
{
    uint8_t sector[FH_SECTOR];
    uint32_t end = 0, c = 0, entries;

    fh_require(rig_read(w, 0, 1, sector));
    w->per_cluster = sector[13];
    w->fat_lba = get16(sector + 14);
    w->fat_size = get32(sector + 36);
    w->data_lba = w->fat_lba + 2 * w->fat_size;
    w->root = get32(sector + 44);
    entries = (get32(sector + 32) - w->data_lba) / w->per_cluster + 2;
    for (uint32_t i = 0; i < w->fat_size; i++) {
        fh_require(rig_read(w, w->fat_lba + i, 1, sector));
        for (uint32_t k = 0; k < FH_SECTOR && c < entries; k += 4, c++)
            if (c >= 2 && get32(sector + k) == 0)
                end = c + 1;
    }
    fh_require(end > 2);
    w->clusters = end;
    w->sectors = w->data_lba + (end - 2) * w->per_cluster;
    /* The status file is the second entry of the root directory. */
    uint32_t root_lba = w->data_lba + (w->root - 2) * w->per_cluster;
    fh_require(rig_read(w, root_lba, 1, sector));
    w->status_lba =
        w->data_lba + (get16(sector + 32 + 26) - 2) * w->per_cluster;
    fh_require(w->status_lba > root_lba && w->status_lba < w->sectors);
}

void witness_init(struct witness *w, const struct trial_rig *rig)
{
    *w = (struct witness){.rig = rig};
    w->dev = (struct blockdev){w,          count, read_sectors, write_sectors,
                               sync_cache, eject, ready,        wait_ms};
    measure(w);
    w->pristine = malloc((size_t)w->sectors * FH_SECTOR);
    w->now = malloc((size_t)w->sectors * FH_SECTOR);
    w->touched = calloc(w->sectors, 1);
    w->list = malloc(w->sectors * sizeof *w->list);
    fh_require(w->pristine && w->now && w->touched && w->list);
    for (uint32_t lba = 0; lba < w->sectors; lba++)
        fh_require(rig_read(w, lba, 1, w->pristine + (size_t)lba * FH_SECTOR));
    memcpy(w->now, w->pristine, (size_t)w->sectors * FH_SECTOR);
}

void witness_free(struct witness *w)
{
    free(w->pristine);
    free(w->now);
    free(w->touched);
    free(w->list);
}

void witness_begin(struct witness *w)
{
    for (uint32_t i = 0; i < w->touches; i++) {
        size_t at = (size_t)w->list[i] * FH_SECTOR;
        memcpy(w->now + at, w->pristine + at, FH_SECTOR);
        w->touched[w->list[i]] = 0;
    }
    w->touches = w->outside = 0;
    w->wait = 0;
    w->mount = w->rig->mounts(w->rig->dev.ctx);
}

/* ---- files ---- */

static uint32_t next_of(const struct witness *w, uint32_t cluster,
                        uint32_t copy)
{
    size_t at = (size_t)(w->fat_lba + copy * w->fat_size) * FH_SECTOR;

    return get32(w->now + at + 4 * cluster) & 0x0FFFFFFF;
}

static const uint8_t *cluster_data(const struct witness *w, uint32_t cluster)
{
    return w->now +
           (size_t)(w->data_lba + (cluster - 2) * w->per_cluster) * FH_SECTOR;
}

static bool has_at(const struct witness *w, uint32_t first, uint32_t copy,
                   const uint8_t *data, uint32_t size)
{
    uint32_t bytes = w->per_cluster * FH_SECTOR, at = 0;

    for (uint32_t c = first; at < size; at += bytes) {
        uint32_t n = size - at < bytes ? size - at : bytes;
        if (c < 2 || c >= w->clusters ||
            memcmp(cluster_data(w, c), data + at, n) != 0)
            return false;
        c = next_of(w, c, copy);
    }
    return true;
}

bool witness_has(const struct witness *w, const uint8_t *data, uint32_t least,
                 uint32_t size)
{
    uint32_t bytes = w->per_cluster * FH_SECTOR;

    for (uint32_t copy = 0; copy < 2; copy++) {
        uint32_t c = w->root;
        for (uint32_t n = 0; c >= 2 && c < w->clusters && n < w->clusters;
             n++, c = next_of(w, c, copy)) {
            const uint8_t *e = cluster_data(w, c);
            for (uint32_t i = 0; i < bytes; i += 32, e += 32) {
                uint32_t first = get16(e + 20) << 16 | get16(e + 26);
                uint32_t bytes_of = get32(e + 28);
                /* Hidden, label, directory; free, deleted. */
                if (e[0] == 0 || e[0] == 0xE5 || (e[11] & 0x1A) ||
                    bytes_of < least || bytes_of > size)
                    continue;
                if (has_at(w, first, copy, data, bytes_of))
                    return true;
            }
        }
    }
    return false;
}

/* ---- a fresh mount ---- */

/* Bytes of a FAT's sector up to the last free cluster's entry: the application
 * may be read from files behind it. */
static uint32_t bytes_of_fat(const struct witness *w, uint32_t lba)
{
    uint32_t first = (lba - w->fat_lba) % w->fat_size * (FH_SECTOR / 4);

    if (first >= w->clusters)
        return 0;
    return w->clusters - first < FH_SECTOR / 4 ? (w->clusters - first) * 4
                                               : FH_SECTOR;
}

/* What the root directory may have otherwise: name and size of the status file,
 * which say what happened, and the entries of such files. */
static void forgive(const struct witness *w, uint8_t *root, const uint8_t *was)
{
    memcpy(root + 32, was + 32, 8);
    memcpy(root + 60, was + 60, 4);
    for (uint32_t i = 0; i < FH_SECTOR; i += 32)
        if (get16(root + i + 26) >= w->clusters ||
            get16(was + i + 26) >= w->clusters)
            memcpy(root + i, was + i, 32);
}

int64_t witness_fresh(struct witness *w, uint32_t every)
{
    uint8_t sector[FH_SECTOR];
    uint32_t root_lba = w->data_lba + (w->root - 2) * w->per_cluster;

    for (uint32_t lba = 0; lba < w->sectors; lba++) {
        const uint8_t *was = w->pristine + (size_t)lba * FH_SECTOR;
        bool is_fat = lba >= w->fat_lba && lba < w->data_lba;
        uint32_t n = is_fat ? bytes_of_fat(w, lba) : FH_SECTOR;
        bool much = !n || lba >= w->status_lba + w->per_cluster;

        if (lba == w->status_lba || (much && lba % every && !w->touched[lba]))
            continue;
        if (!rig_read(w, lba, 1, sector))
            return lba;
        if (lba == root_lba)
            forgive(w, sector, was);
        if (memcmp(sector, was, n) != 0)
            return lba;
    }
    return -1;
}
