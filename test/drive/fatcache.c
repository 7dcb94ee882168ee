/* SPDX-License-Identifier: MIT
 *
 * A host's block layer: commands to the device, the cache of sectors, what
 * is written together.
 */
#include "fathost.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64: any seed is a good one. */
uint32_t fh_random(struct fathost *v)
{
    uint64_t z = v->random += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

uint32_t fh_below(struct fathost *v, uint32_t n)
{
    return n ? fh_random(v) % n : 0;
}

bool fh_chance(struct fathost *v, uint32_t one_in)
{
    return fh_below(v, one_in) == 0;
}

/* ---- commands ---- */

void fh_fail(struct fathost *v, enum fh_error error, uint32_t lba)
{
    if (v->error == FH_OK) {
        v->error = error;
        v->error_lba = lba;
    }
}

void fh_corrupt(struct fathost *v, const char *why)
{
    if (v->error == FH_OK)
        v->why = why;
    fh_fail(v, FH_CORRUPT, 0);
}

void fh_read(struct fathost *v, uint32_t lba, uint32_t n, uint8_t *to)
{
    if (v->error == FH_OK) {
        v->reads++;
        if (v->dev->read(v->dev->ctx, lba, n, to))
            return;
        fh_fail(v, fh_ready(v) ? FH_IO : FH_GONE, lba);
    }
    memset(to, 0, (size_t)n * FH_SECTOR);
}

void fh_write(struct fathost *v, uint32_t lba, uint32_t n, const uint8_t *from)
{
    bool pulled = false;

    if (v->error != FH_OK)
        return;
    if (v->pull >= 0 && v->pull < n) {
        n = (uint32_t)v->pull;
        pulled = true;
    }
    if (n && !v->dev->write(v->dev->ctx, lba, n, from)) {
        fh_fail(v, fh_ready(v) ? FH_IO : FH_GONE, lba);
        return;
    }
    v->commands++;
    v->sectors += n;
    if (pulled) {
        fh_fail(v, FH_PULLED, lba + n);
        return;
    }
    if (v->pull >= 0)
        v->pull -= n;
    if (v->after)
        v->after(v->after_ctx, lba);
}

void fh_sync(struct fathost *v)
{
    if (v->error != FH_OK || v->no_cache)
        return;
    v->syncs++;
    if (!v->dev->sync(v->dev->ctx))
        fh_fail(v, fh_ready(v) ? FH_IO : FH_GONE, 0);
}

void fh_eject(struct fathost *v)
{
    if (v->error == FH_OK && !v->dev->eject(v->dev->ctx))
        fh_fail(v, FH_IO, 0);
}

bool fh_ready(struct fathost *v)
{
    return v->dev->ready(v->dev->ctx);
}

void fh_wait(struct fathost *v, uint32_t ms)
{
    if (v->error == FH_PULLED)
        return;
    v->ms += ms;
    v->dev->wait(v->dev->ctx, ms);
}

/* ---- cache ---- */

struct fh_sector *fh_cached(const struct fathost *v, uint32_t lba)
{
    uint16_t i = v->bucket[(lba * 2654435761u >> 16) % FH_BUCKETS];

    while (i && v->cache[i - 1].lba != lba)
        i = v->cache[i - 1].next;
    return i ? (struct fh_sector *)&v->cache[i - 1] : NULL;
}

struct fh_sector *fh_sector(struct fathost *v, uint32_t lba, bool read)
{
    struct fh_sector *s = fh_cached(v, lba);

    if (s) {
        if (!read)
            memset(s->data, 0, sizeof s->data);
        return s;
    }
    fh_require(v->cached < FH_CACHE);
    uint16_t *head = &v->bucket[(lba * 2654435761u >> 16) % FH_BUCKETS];
    s = &v->cache[v->cached++];
    s->lba = lba;
    s->dirty = s->written = false;
    s->next = *head;
    *head = (uint16_t)v->cached;
    if (read)
        fh_read(v, lba, 1, s->data);
    else
        memset(s->data, 0, sizeof s->data);
    return s;
}

static unsigned part(const struct fathost *v, uint32_t lba)
{
    if (lba == 0)
        return FH_BOOT;
    if (lba == v->info_lba)
        return FH_INFO;
    if (lba >= v->data_lba)
        return FH_META;
    return lba < v->fat_lba + v->fat_size ? FH_FAT1 : FH_FAT2;
}

/* Windows' cache manager writes pages: what shares one with a dirty sector
 * is written with it. */
static void dirty_pages(struct fathost *v, unsigned parts)
{
    uint32_t known = v->cached;

    for (uint32_t i = 0; i < known; i++) {
        const struct fh_sector *s = &v->cache[i];
        unsigned in = part(v, s->lba);
        if (!s->dirty || !(in & parts) || in < FH_FAT1)
            continue;
        uint32_t start = v->fat_lba, size = v->fat_size;
        if (in == FH_FAT2)
            start += v->fat_size;
        if (in == FH_META) {
            size = v->per_cluster;
            start = s->lba - (s->lba - v->data_lba) % size;
        }
        uint32_t from = (s->lba - start) / v->page * v->page;
        for (uint32_t k = from; k < from + v->page && k < size; k++) {
            /* Of the second FAT nothing is read, it is a copy. */
            struct fh_sector *with = fh_sector(v, start + k, in != FH_FAT2);
            if (in == FH_FAT2)
                memcpy(with->data, fh_sector(v, v->fat_lba + k, true)->data,
                       FH_SECTOR);
            with->dirty = true;
        }
    }
}

static int by_lba(const void *a, const void *b)
{
    uint32_t x = (*(struct fh_sector *const *)a)->lba;
    uint32_t y = (*(struct fh_sector *const *)b)->lba;

    return (x > y) - (x < y);
}

void fh_flush(struct fathost *v, unsigned parts)
{
    struct fh_sector *list[FH_CACHE];
    uint32_t n = 0;

    if (v->page > 1)
        dirty_pages(v, parts);
    for (uint32_t i = 0; i < v->cached; i++) {
        if (v->cache[i].dirty && (part(v, v->cache[i].lba) & parts))
            list[n++] = &v->cache[i];
    }
    qsort(list, n, sizeof *list, by_lba);
    for (uint32_t i = 0, run; i < n; i += run) {
        for (run = 0; i + run < n && run < v->transfer &&
                      list[i + run]->lba == list[i]->lba + run;
             run++) {
            struct fh_sector *s = list[i + run];
            memcpy(v->scratch + run * FH_SECTOR, s->data, FH_SECTOR);
            s->dirty = false;
            s->written = true;
        }
        fh_write(v, list[i]->lba, run, v->scratch);
    }
}

void fh_flush_one(struct fathost *v, uint32_t lba)
{
    struct fh_sector *s = fh_sector(v, lba, true);

    s->dirty = false;
    s->written = true;
    fh_write(v, lba, 1, s->data);
}

uint32_t fh_dirty(const struct fathost *v)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->cached; i++)
        n += v->cache[i].dirty;
    return n;
}
