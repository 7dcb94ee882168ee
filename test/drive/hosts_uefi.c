/* SPDX-License-Identifier: MIT
 *
 * UEFI: the FAT driver of EDK II (FatPkg/EnhancedFatDxe: DiskCache.c, Flush.c),
 * as the shell's cp and programs of others use it; compared with what OVMF
 * sends (docs/testing.md).  Its cache reads and writes pages of 64 KB of data
 * and of 32 KB of the FAT, with all that is in them.
 */
#include "hosts_inside.h"

#include <string.h>

enum { FAT_PAGE = 64 };

void uefi_mounted(struct copier *h)
{
    for (unsigned i = 0; i < UEFI_PAGES; i++)
        h->page[i].known = h->page[i].dirty = false;
    host_idle(h, 1000);
}

/* The page with a sector of data, read where it is not there. */
static struct uefi_page *page_of(struct copier *h, uint32_t lba)
{
    struct fathost *v = &h->v;
    uint32_t i = (lba - v->data_lba) / UEFI_PAGE;

    fh_require(i < UEFI_PAGES);
    if (!h->page[i].known)
        fh_read(v, v->data_lba + i * UEFI_PAGE, UEFI_PAGE, h->page[i].data);
    h->page[i].known = true;
    return &h->page[i];
}

static void put(struct copier *h, uint32_t lba, const uint8_t *sector)
{
    struct uefi_page *p = page_of(h, lba);

    memcpy(p->data + (lba - h->v.data_lba) % UEFI_PAGE * FH_SECTOR, sector,
           FH_SECTOR);
    p->dirty = true;
}

/* Directories lie among the data. */
static void put_directories(struct copier *h)
{
    struct fathost *v = &h->v;

    for (uint32_t i = 0; i < v->cached; i++) {
        struct fh_sector *s = &v->cache[i];
        if (!s->dirty || s->lba < v->data_lba)
            continue;
        put(h, s->lba, s->data);
        s->dirty = false;
        s->written = true;
    }
}

static bool fat_dirty(const struct fathost *v, uint32_t from)
{
    for (uint32_t i = from; i < from + FAT_PAGE && i < v->fat_size; i++) {
        const struct fh_sector *s = fh_cached(v, v->fat_lba + i);
        if (s && s->dirty)
            return true;
    }
    return false;
}

/* A page of the first FAT, and the same of the second. */
static void flush_fat(struct fathost *v, uint32_t from)
{
    uint32_t n = v->fat_size - from < FAT_PAGE ? v->fat_size - from : FAT_PAGE;

    for (uint32_t copy = 0; copy < 2; copy++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t lba = v->fat_lba + from + i;
            const struct fh_sector *one = fh_sector(v, lba, true);
            struct fh_sector *s =
                fh_sector(v, lba + copy * v->fat_size, copy == 0);
            if (copy)
                memcpy(s->data, one->data, FH_SECTOR);
            memcpy(v->scratch + i * FH_SECTOR, one->data, FH_SECTOR);
            s->dirty = false;
            s->written = true;
        }
        fh_write(v, v->fat_lba + copy * v->fat_size + from, n, v->scratch);
    }
}

/* FSINFO, the FATs, the data, each by rising LBA.  Its mass storage driver
 * makes nothing of FlushBlocks(). */
static void flush(struct copier *h)
{
    struct fathost *v = &h->v;

    put_directories(h);
    fh_flush(v, FH_INFO);
    for (uint32_t from = 0; from < v->fat_size; from += FAT_PAGE)
        if (fat_dirty(v, from))
            flush_fat(v, from);
    for (uint32_t i = 0; i < UEFI_PAGES; i++) {
        if (!h->page[i].dirty)
            continue;
        fh_write(v, v->data_lba + i * UEFI_PAGE, UEFI_PAGE, h->page[i].data);
        h->page[i].dirty = false;
    }
}

/* n sectors of the file, one behind the other on the volume.  Whole pages go
 * to the disk at once, and the cache forgets what it has of them. */
static void write_run(struct copier *h, const struct fh_file *f, uint32_t from,
                      uint32_t n)
{
    struct fathost *v = &h->v;
    uint8_t sector[FH_SECTOR];

    while (n) {
        uint32_t lba = fh_cluster_lba(v, f->chain[from / v->per_cluster]) +
                       from % v->per_cluster;
        uint32_t left = f->size - from * FH_SECTOR;

        if ((lba - v->data_lba) % UEFI_PAGE == 0 && n >= UEFI_PAGE) {
            uint32_t whole = n / UEFI_PAGE * UEFI_PAGE;
            fh_data(v, f, from, whole);
            for (uint32_t i = 0; i < whole; i += UEFI_PAGE) {
                struct uefi_page *p =
                    &h->page[(lba - v->data_lba + i) / UEFI_PAGE];
                p->known = p->dirty = false;
            }
            from += whole;
            n -= whole;
            continue;
        }
        memset(sector, 0, sizeof sector); /* the cache has what was there */
        memcpy(sector, f->data + from * FH_SECTOR,
               left < FH_SECTOR ? left : FH_SECTOR);
        put(h, lba, sector);
        from++;
        n--;
    }
}

/* So many sectors on from `from` that follow each other on the volume. */
static uint32_t run_of(const struct fathost *v, const struct fh_file *f,
                       uint32_t from, uint32_t n)
{
    uint32_t c = from / v->per_cluster;
    uint32_t run = v->per_cluster - from % v->per_cluster;

    for (; run < n && f->chain[c + 1] == f->chain[c] + 1; c++)
        run += v->per_cluster;
    return run < n ? run : n;
}

static void copy_file(struct copier *h, unsigned number)
{
    struct fathost *v = &h->v;
    struct fh_file *f = &h->file[number];
    uint32_t all = file_sectors(f), done = 0;
    /* The shell writes 4 KB at a time, others up to all of it; and some flush
     * in between. */
    uint32_t piece = fh_chance(v, 2) ? 8 : 8u << fh_below(v, 10);
    uint32_t every = fh_chance(v, 4) ? 1 + fh_below(v, 40) : 0;

    fh_create(v, f, v->root, h->name[number], 0x20, f->data, f->size);
    flush(h);
    page_of(h, fh_entry_lba(v, f))->dirty = true; /* its time */
    flush(h);
    for (uint32_t i = 1; done < all && v->error == FH_OK; i++) {
        uint32_t n = all - done < piece ? all - done : piece;
        fh_extend(v, f, (done + n + v->per_cluster - 1) / v->per_cluster);
        for (uint32_t end = done + n; done < end && v->error == FH_OK;) {
            uint32_t run = run_of(v, f, done, end - done);
            write_run(h, f, done, run);
            done += run;
        }
        if (every && i % every == 0 && done < all) {
            fh_entry_set(v, f, done * FH_SECTOR);
            fh_info(v);
            flush(h);
            host_idle(h, fh_below(v, 2000));
        }
    }
    fh_entry_set(v, f, f->size);
    fh_info(v);
    flush(h);
}

void uefi_copy(struct copier *h)
{
    h->pieces = h->done = 0;
    for (unsigned i = 0; i < h->files && h->v.error == FH_OK; i++) {
        copy_file(h, i);
        host_idle(h, 500);
    }
}

void uefi_end(struct copier *h)
{
    host_wait_patiently(h);
}
