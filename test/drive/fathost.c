/* SPDX-License-Identifier: MIT
 *
 * FAT32 as hosts read and write it: what each system mounts, the FAT, data.
 * The cache is in fatcache.c, directories are in fatdir.c.
 */
#include "fathost.h"

#include <string.h>

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* ---- mount ---- */

static bool refuse(struct fathost *v, const char *why)
{
    if (v->error == FH_OK) {
        v->why = why;
        v->error = FH_REFUSED;
    }
    return false;
}

/* The free map and count, by reading the whole FAT as Windows and macOS. */
static void read_fat(struct fathost *v)
{
    uint32_t free = 0, cluster = 0;

    memset(v->used, 0xFF, v->clusters / 8 + 2);
    for (uint32_t at = 0; at < v->fat_size && cluster < v->clusters + 2;) {
        uint32_t n = v->fat_size - at < 128 ? v->fat_size - at : 128;
        fh_read(v, v->fat_lba + at, n, v->scratch);
        at += n;
        for (uint32_t i = 0; i < n * 128 && cluster < v->clusters + 2;
             i++, cluster++) {
            uint32_t value;
            memcpy(&value, v->scratch + 4 * i, 4);
            if (cluster < 2 || value & 0x0FFFFFFF)
                continue;
            v->used[cluster / 8] &= (uint8_t) ~(1u << cluster % 8);
            free++;
        }
    }
    v->whole = true;
    v->free = free;
    v->next = 1;
}

/* What each system wants of the boot sector.  Linux: fat_read_bpb() of
 * fs/fat/inode.c, behind blkid's vfat probe, without which no desktop mounts.
 * Windows: FatIsBootSectorFat() of fastfat.  macOS and FreeBSD:
 * mountmsdosfs(); FSKit takes the type from the number of clusters. */
static bool check_boot(struct fathost *v, const uint8_t *b)
{
    uint32_t bytes = get16(b + 11), per = b[13], reserved = get16(b + 14);
    uint32_t sectors = get16(b + 19) ? get16(b + 19) : get32(b + 32);
    uint32_t fat16 = get16(b + 22), fat32 = get32(b + 36);

    if (b[510] != 0x55 || b[511] != 0xAA)
        return refuse(v, "no signature 55 AA");
    if (b[0] != 0xE9 && b[0] != 0xEB)
        return refuse(v, "no jump at the start of the boot sector");
    if (bytes != FH_SECTOR)
        return refuse(v, "sector size");
    if (per == 0 || (per & (per - 1)))
        return refuse(v, "sectors of a cluster");
    if (reserved == 0 || b[16] == 0)
        return refuse(v, "reserved sectors or number of FATs");
    if (b[21] != 0xF0 && b[21] < 0xF8)
        return refuse(v, "media byte");
    if (fat16 || !fat32 || get16(b + 17))
        return refuse(v, "not FAT32");
    if (get16(b + 42))
        return refuse(v, "FAT32 version");
    if (b[16] != 2 || (get16(b + 40) & 0x80))
        return refuse(v, "no two mirrored FATs"); /* not modelled here */
    if (sectors > v->dev->count(v->dev->ctx))
        return refuse(v, "larger than the disk");
    v->per_cluster = per;
    v->fat_lba = reserved;
    v->fat_size = fat32;
    v->data_lba = reserved + 2 * fat32;
    v->root = get32(b + 44);
    v->info_lba = get16(b + 48);
    if (sectors <= v->data_lba)
        return refuse(v, "no room for clusters");
    v->clusters = (sectors - v->data_lba) / per;
    if (v->os == FH_MACOS && v->clusters < 65525)
        return refuse(v, "not FAT32 by its number of clusters");
    if (v->clusters + 2 > fat32 * (FH_SECTOR / 4)) {
        if (v->os != FH_LINUX)
            return refuse(v, "FAT too small");
        v->clusters = fat32 * (FH_SECTOR / 4) - 2;
    }
    if (v->root < 2 || v->root >= v->clusters + 2)
        return refuse(v, "root cluster");
    if (v->clusters + 18 > FH_CLUSTERS)
        return refuse(v, "larger than the hosts here can handle");
    return true;
}

static bool check_info(struct fathost *v)
{
    const uint8_t *info = fh_sector(v, v->info_lba, true)->data;

    if (get32(info) != 0x41615252 || get32(info + 484) != 0x61417272 ||
        get32(info + 508) != 0xAA550000) {
        if (v->os == FH_LINUX)
            return refuse(v, "FSINFO without signature, blkid sees no type");
        v->info_lba = 0; /* the others do without */
        return true;
    }
    v->free = get32(info + 488);
    v->next = get32(info + 492);
    if (v->free > v->clusters)
        v->free = UINT32_MAX;
    if (v->next < 2 || v->next >= v->clusters + 2)
        v->next = 2;
    return true;
}

bool fh_mount(struct fathost *v, const struct blockdev *dev, enum fh_os os)
{
    memset(v->bucket, 0, sizeof v->bucket);
    v->cached = v->chained = 0;
    v->dev = dev;
    v->os = os;
    v->error = FH_OK;
    v->why = NULL;
    v->whole = false;
    v->info_lba = v->commands = v->sectors = v->reads = v->syncs = 0;
    v->ms = 0;
    v->alloc = os == FH_WINDOWS ? FH_LOWEST : FH_NEXT;
    v->contiguous = v->whole_clusters = false;
    v->page = os == FH_WINDOWS ? 8 : 0;
    v->transfer = 240;
    v->free = UINT32_MAX;
    v->next = 2;

    const uint8_t *boot = fh_sector(v, 0, true)->data;
    if (!check_boot(v, boot) || !check_info(v))
        return false;
    uint32_t fat0 = fh_fat(v, 0), fat1 = fh_fat(v, 1);
    if ((fat0 & 0xFF) != boot[21])
        return refuse(v, "FAT[0] without the media byte");
    v->was_dirty = (boot[0x41] & 1) || !(fat1 & FH_CLEAN);
    if (os == FH_MACOS && v->was_dirty)
        return refuse(v, "volume is dirty, mounted read-only");
    if (os != FH_LINUX) {
        uint32_t next = v->next;
        read_fat(v);
        if (os == FH_FREEBSD)
            v->next = next;
    }
    return v->error == FH_OK;
}

void fh_mark(struct fathost *v, bool dirty)
{
    if (v->os == FH_LINUX || v->os == FH_WINDOWS) {
        struct fh_sector *s = fh_sector(v, 0, true);
        s->data[0x41] = (uint8_t)((s->data[0x41] & ~1u) | dirty);
        s->dirty = true;
        return;
    }
    uint32_t value = fh_fat(v, 1);
    fh_fat_set(v, 1, dirty ? value & ~FH_CLEAN : value | FH_CLEAN);
}

void fh_info(struct fathost *v)
{
    uint8_t was[8];

    if (!v->info_lba)
        return;
    struct fh_sector *s = fh_sector(v, v->info_lba, true);
    memcpy(was, s->data + 488, 8);
    put32(s->data + 488, v->free);
    put32(s->data + 492, v->next < 2 ? 2 : v->next);
    if (memcmp(was, s->data + 488, 8) != 0)
        s->dirty = true;
}

/* ---- the FAT ---- */

uint32_t fh_cluster_lba(const struct fathost *v, uint32_t cluster)
{
    return v->data_lba + (cluster - 2) * v->per_cluster;
}

uint32_t fh_fat_lba(const struct fathost *v, uint32_t cluster, int copy)
{
    return v->fat_lba + (uint32_t)copy * v->fat_size + cluster / 128;
}

uint32_t fh_fat(struct fathost *v, uint32_t cluster)
{
    const struct fh_sector *s = fh_sector(v, fh_fat_lba(v, cluster, 0), true);

    return get32(s->data + cluster % 128 * 4) & 0x0FFFFFFF;
}

void fh_fat_set(struct fathost *v, uint32_t cluster, uint32_t value)
{
    struct fh_sector *one = fh_sector(v, fh_fat_lba(v, cluster, 0), true);
    uint8_t *at = one->data + cluster % 128 * 4;
    bool was_free = (get32(at) & 0x0FFFFFFF) == 0;

    /* The upper four bits of an entry are kept.  The second FAT is not read:
     * every system copies the sector of the first one. */
    put32(at, (get32(at) & 0xF0000000) | value);
    one->dirty = true;
    struct fh_sector *two = fh_sector(v, fh_fat_lba(v, cluster, 1), false);
    memcpy(two->data, one->data, FH_SECTOR);
    two->dirty = true;
    if (cluster < 2)
        return;
    if (v->free != UINT32_MAX)
        v->free += (value == 0) - was_free;
    if (value)
        v->used[cluster / 8] |= (uint8_t)(1u << cluster % 8);
    else
        v->used[cluster / 8] &= (uint8_t) ~(1u << cluster % 8);
}

static bool is_free(struct fathost *v, uint32_t cluster)
{
    if (v->whole)
        return !(v->used[cluster / 8] >> cluster % 8 & 1);
    return fh_fat(v, cluster) == 0;
}

/* The first free cluster at or behind `from`, going round once; 0: none. */
static uint32_t free_from(struct fathost *v, uint32_t from)
{
    uint32_t c = from;

    for (uint32_t i = 0; i < v->clusters && v->error == FH_OK; i++, c++) {
        if (c < 2 || c >= v->clusters + 2)
            c = 2;
        if (is_free(v, c))
            return c;
    }
    return 0;
}

/* The lowest run of n free clusters, for systems that know all of them. */
static uint32_t free_run(struct fathost *v, uint32_t n)
{
    uint32_t run = 0;

    for (uint32_t c = 2; c < v->clusters + 2; c++) {
        if (run == 0 && c % 8 == 0 && v->used[c / 8] == 0xFF) {
            c += 7;
            continue;
        }
        run = is_free(v, c) ? run + 1 : 0;
        if (run == n)
            return c + 1 - n;
    }
    return 0;
}

uint32_t fh_take(struct fathost *v, uint32_t behind, uint32_t want)
{
    uint32_t c = 0;

    if (v->alloc == FH_SCATTER) {
        if (behind && !fh_chance(v, 3))
            c = free_from(v, behind + 1);
        else
            c = free_from(v, free_from(v, 2) + fh_below(v, 2 * want + 64));
    } else {
        if (v->contiguous && v->whole)
            c = behind ? free_from(v, behind + 1) : free_run(v, want);
        if (c == 0)
            c = free_from(v, v->alloc == FH_LOWEST ? 2 : v->next + 1);
    }
    if (c == 0) {
        fh_fail(v, FH_FULL, 0);
        return 0;
    }
    v->next = c;
    return c;
}

uint32_t fh_need(const struct fathost *v, uint32_t size)
{
    uint32_t cluster = v->per_cluster * FH_SECTOR;

    return (size + cluster - 1) / cluster;
}

void fh_extend(struct fathost *v, struct fh_file *f, uint32_t clusters)
{
    while (f->count < clusters && v->error == FH_OK) {
        uint32_t last = f->count ? f->chain[f->count - 1] : 0;
        uint32_t c = fh_take(v, last, clusters - f->count);
        if (c == 0)
            return;
        fh_require(f->count < f->room);
        fh_fat_set(v, c, 0x0FFFFFFF);
        if (last)
            fh_fat_set(v, last, c);
        f->chain[f->count++] = c;
    }
}

/* ---- data ---- */

/* Sectors from here that lie next to each other on the disk. */
static uint32_t data_run(const struct fathost *v, const struct fh_file *f,
                         uint32_t sector, uint32_t n, uint32_t *lba)
{
    uint32_t k = sector / v->per_cluster, in = sector % v->per_cluster;
    uint32_t run = v->per_cluster - in;

    *lba = fh_cluster_lba(v, f->chain[k]) + in;
    for (; run < n && k + 1 < f->count && f->chain[k + 1] == f->chain[k] + 1;
         k++)
        run += v->per_cluster;
    return run < n ? run : n;
}

void fh_data(struct fathost *v, const struct fh_file *f, uint32_t at,
             uint32_t n)
{
    uint32_t end = (f->size + FH_SECTOR - 1) / FH_SECTOR;

    if (v->whole_clusters && n && at + n == end)
        n += (v->per_cluster - end % v->per_cluster) % v->per_cluster;
    while (n && at / v->per_cluster < f->count && v->error == FH_OK) {
        uint32_t lba;
        uint32_t run =
            data_run(v, f, at, n < v->transfer ? n : v->transfer, &lba);
        uint32_t from = at * FH_SECTOR, bytes = run * FH_SECTOR;
        const uint8_t *data = f->data + from;
        if (from + bytes > f->size) {
            uint32_t have = from < f->size ? f->size - from : 0;
            memset(v->scratch + have, 0, bytes - have);
            if (have)
                memcpy(v->scratch, data, have);
            data = v->scratch;
        }
        /* Left over from a directory that was here: no longer metadata. */
        for (uint32_t i = 0; i < run; i++) {
            struct fh_sector *s = fh_cached(v, lba + i);
            if (s) {
                memcpy(s->data, data + i * FH_SECTOR, FH_SECTOR);
                s->dirty = s->written = false;
            }
        }
        fh_write(v, lba, run, data);
        at += run;
        n -= run;
    }
}

bool fh_same_data(struct fathost *v, const struct fh_file *f)
{
    uint32_t sectors = (f->size + FH_SECTOR - 1) / FH_SECTOR;

    for (uint32_t at = 0; at < sectors && v->error == FH_OK;) {
        uint32_t lba;
        uint32_t run = data_run(v, f, at, sectors - at, &lba);
        if (run > FH_TRANSFER)
            run = FH_TRANSFER;
        uint32_t from = at * FH_SECTOR, bytes = run * FH_SECTOR;
        fh_read(v, lba, run, v->scratch);
        if (from + bytes > f->size)
            bytes = f->size - from;
        if (memcmp(v->scratch, f->data + from, bytes) != 0) {
            v->error_lba = lba;
            return false;
        }
        at += run;
    }
    return true;
}

bool fh_same_meta(struct fathost *v)
{
    for (uint32_t i = 0; i < v->cached && v->error == FH_OK; i++) {
        const struct fh_sector *s = &v->cache[i];
        if (!s->written || s->dirty)
            continue;
        fh_read(v, s->lba, 1, v->scratch);
        if (memcmp(v->scratch, s->data, FH_SECTOR) != 0) {
            v->error_lba = s->lba;
            return false;
        }
    }
    return true;
}
