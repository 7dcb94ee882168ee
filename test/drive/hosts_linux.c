/* SPDX-License-Identifier: MIT
 *
 * Linux, fs/fat: four ways to mount and copy, and a browser's download.  The
 * orders are those of a Linux 6.1 that was watched by QEMU's usb-storage.
 */
#include "hosts_inside.h"

#include <stdio.h>

/* fat_set_state(): the dirty bit of LBA 0 is written through at mount; a
 * volume that was dirty already is left as it is. */
void linux_mounted(struct copier *h)
{
    if (!h->v.was_dirty) {
        fh_mark(&h->v, true);
        fh_flush(&h->v, FH_BOOT);
    }
    host_idle(h, 200 + fh_below(&h->v, 2000));
}

static void create(struct copier *h, const char *ending)
{
    struct fh_entry old;
    char name[200];
    bool was_there = false;

    for (unsigned i = 0; i < h->files; i++) {
        struct fh_file *f = &h->file[i];
        snprintf(name, sizeof name, "%s%s", h->name[i], ending);
        was_there |= fh_find(&h->v, h->v.root, name, &old);
        fh_create(&h->v, f, h->v.root, name, 0x20, f->data, f->size);
    }
    /* The option flush works on truncating as well. */
    if (was_there && h->plan->kind == HOST_LINUX_FLUSH)
        fh_flush(&h->v, FH_FATS | FH_META);
}

/* Pieces of one file after the other. */
static void by_file(struct copier *h)
{
    unsigned at = 0;

    for (unsigned i = 0; i < h->files; i++) {
        for (uint32_t k = 0; k < file_sectors(&h->file[i]); k += 128) {
            uint32_t n = file_sectors(&h->file[i]) - k;
            h->piece[at++] = (struct piece){&h->file[i], k, n < 128 ? n : 128};
        }
    }
    h->pieces = at;
}

/* The flusher thread: first the disk's own pages by rising LBA, then the
 * file's pages, then its entry; FSINFO in between. */
static void write_back(struct copier *h, unsigned until)
{
    struct fathost *v = &h->v;
    unsigned was = h->done;

    pieces_allocate(h, until);
    entries_set(h, false);
    fh_flush(v, FH_FATS | FH_META);
    pieces_write(h, until);
    if (h->done == was && was < h->pieces)
        return;
    fh_info(v);
    fh_flush(v, FH_INFO);
    entries_set(h, h->done == h->pieces);
    fh_flush(v, FH_META);
}

static void copy_default(struct copier *h)
{
    create(h, "");
    pieces_cut(h, 8u << fh_below(&h->v, 6));
    /* The five seconds may well be over in the middle of a copy. */
    if (fh_chance(&h->v, 3) && h->pieces > 1)
        write_back(h, 1 + fh_below(&h->v, h->pieces - 1));
    pieces_allocate(h, h->pieces);
    host_idle(h, 4000 + fh_below(&h->v, 2000));
    write_back(h, h->pieces);
}

/* On close: data, then the disk's pages. */
static void copy_flush(struct copier *h, const char *ending)
{
    struct fathost *v = &h->v;

    create(h, ending);
    pieces_cut(h, 128);
    pieces_allocate(h, h->pieces);
    by_file(h);
    for (unsigned i = 0, until = 0; i < h->files; i++) {
        while (until < h->pieces && h->piece[until].file == &h->file[i])
            until++;
        pieces_write(h, until);
        fh_entry_set(v, &h->file[i], h->file[i].size);
        fh_wait(v, fh_below(v, 30));
        fh_flush(v, FH_FAT1);
        fh_flush(v, FH_FAT2);
        fh_flush(v, FH_META);
    }
}

/* Each cluster of each write() goes to both FATs at once, twice: its own
 * entry, and the link from the one before. */
static void copy_sync(struct copier *h)
{
    struct fathost *v = &h->v;

    create(h, "");
    fh_flush(v, FH_META);
    pieces_cut(h, fh_chance(v, 2) ? 256 : 512);
    while (h->done < h->pieces && v->error == FH_OK) {
        struct piece *p = &h->piece[h->done];
        uint32_t want = (p->from + p->n + v->per_cluster - 1) / v->per_cluster;
        while (p->file->count < want && v->error == FH_OK) {
            uint32_t n = p->file->count;
            fh_extend(v, p->file, n + 1);
            if (v->error != FH_OK)
                return;
            uint32_t c = p->file->chain[n];
            uint32_t last = n ? p->file->chain[n - 1] : 0;
            for (int copy = 0; copy < 2; copy++)
                fh_flush_one(v, fh_fat_lba(v, c, copy));
            for (int copy = 0; copy < 2 && last; copy++)
                fh_flush_one(v, fh_fat_lba(v, last, copy));
        }
        pieces_write(h, h->done + 1);
        entries_set(h, false);
        fh_flush(v, FH_META);
        fh_sync(v);
    }
    entries_set(h, true);
    fh_flush(v, FH_META);
}

/* Chunks of 64 KB, or of a size that ends in the middle of sectors: then the
 * last sector of a chunk is written again with the next one. */
static void copy_fsync(struct copier *h)
{
    struct fathost *v = &h->v;
    uint32_t chunk = fh_chance(v, 3) ? 1000 + fh_below(v, 60000) : 65536;
    bool more = true;

    create(h, "");
    if (fh_chance(v, 2))
        fh_flush(v, FH_META);
    pieces_cut(h, 65536);
    for (uint32_t at = 0; more && v->error == FH_OK; at += chunk) {
        more = false;
        for (unsigned i = 0; i < h->files; i++) {
            struct fh_file *f = &h->file[i];
            uint32_t size = f->size, from = at / FH_SECTOR;
            if (at >= size)
                continue;
            if (size - at > chunk)
                f->size = at + chunk; /* as it is at this time */
            fh_extend(v, f, fh_need(v, f->size));
            fh_data(v, f, from, file_sectors(f) - from);
            fh_entry_set(v, f, f->size);
            more |= f->size < size;
            f->size = size;
            fh_flush(v, FH_META);
            fh_flush(v, FH_FAT1);
            fh_flush(v, FH_FAT2);
            fh_sync(v);
        }
    }
    h->done = h->pieces;
}

static void copy_rename(struct copier *h)
{
    struct fathost *v = &h->v;

    uint32_t ms = fh_below(v, 20000), at = fh_below(v, ms);

    copy_flush(h, ".crdownload");
    host_idle(h, at);
    for (unsigned i = 0; i < h->files; i++)
        fh_rename(v, &h->file[i], h->name[i]);
    host_idle(h, ms - at);
    fh_flush(v, FH_META);
}

void linux_copy(struct copier *h)
{
    switch (h->plan->kind) {
    case HOST_LINUX_FLUSH:
        copy_flush(h, "");
        break;
    case HOST_LINUX_SYNC:
        copy_sync(h);
        break;
    case HOST_LINUX_FSYNC:
        copy_fsync(h);
        break;
    case HOST_LINUX_RENAME:
        copy_rename(h);
        break;
    default:
        copy_default(h);
        break;
    }
}

void linux_end(struct copier *h)
{
    struct fathost *v = &h->v;

    if (h->plan->end == HOST_LEAVE) {
        /* FSINFO is an inode like others: 30 s, then the flusher has it. */
        host_leave(h, 30000);
        return;
    }
    fh_info(v);
    fh_flush(v, FH_ALL);
    fh_sync(v);
    if (h->plan->end == HOST_EJECT) {
        if (!v->was_dirty) {
            fh_mark(v, false);
            fh_flush(v, FH_BOOT);
            fh_sync(v);
        }
        fh_eject(v);
    }
}
