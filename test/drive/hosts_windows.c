/* SPDX-License-Identifier: MIT
 *
 * Windows, fastfat: dirty byte through the cache, metadata when the lazy
 * writer comes by, and the volume cleaned soon after the last change.
 */
#include "hosts_inside.h"

#include <string.h>

/* The first change of a clean volume: LBA 0, at once. */
static void dirty(struct copier *h)
{
    if (!(fh_sector(&h->v, 0, true)->data[0x41] & 1)) {
        fh_mark(&h->v, true);
        fh_flush(&h->v, FH_BOOT);
    }
}

/* 1.5 s after the last change, or 8 s if that came late: everything that is
 * still dirty, then LBA 0 and 1 in one command. */
static void clean(struct copier *h)
{
    struct fathost *v = &h->v;

    if (!host_idle(h, fh_chance(v, 2) ? 1500 : 8000))
        return;
    fh_flush(v, FH_FATS | FH_META);
    if (!(fh_sector(v, 0, true)->data[0x41] & 1))
        return;
    fh_mark(v, false);
    fh_info(v);
    if (v->info_lba == 1)
        fh_sector(v, 1, true)->dirty = true;
    h->busy = true;
    fh_flush(v, FH_BOOT | FH_INFO);
    h->busy = false;
}

/* The system's own files come one by one, at any time. */
static void litter(struct copier *h, unsigned steps)
{
    static const char guid[] = "{2C5B9B1E-6D3F-4A70-9F45-0C6A1B7E3D22}";
    struct fathost *v = &h->v;

    if (!(h->plan->flags & HOST_LITTER))
        return;
    for (; steps && h->litter_step < 2 && v->error == FH_OK; steps--) {
        uint8_t *page = litter_page(h);
        dirty(h);
        uint32_t dir = fh_mkdir(v, v->root, "System Volume Information", 0x06);
        if (dir == 0)
            return;
        struct fh_file *f;
        if (h->litter_step++ == 0) {
            static const uint8_t settings[12] = {0x0C, 0,    0,    0,
                                                 0xE1, 0x32, 0x9A, 0x5D};
            memcpy(page, settings, sizeof settings);
            f = litter_add(h, dir, "WPSettings.dat", 0x20, page, 12);
        } else {
            for (unsigned i = 0; i < 38; i++)
                page[2 * i] = (uint8_t)guid[i];
            f = litter_add(h, dir, "IndexerVolumeGuid", 0x20, page, 76);
        }
        litter_data(h, f);
        if (fh_chance(v, 2))
            fh_flush(v, FH_FATS | FH_META);
    }
}

void windows_mounted(struct copier *h)
{
    h->v.contiguous = fh_chance(&h->v, 2);
    host_idle(h, 500 + fh_below(&h->v, 3000));
    if (fh_chance(&h->v, 2))
        litter(h, fh_below(&h->v, 3));
    if (fh_chance(&h->v, 2))
        clean(h);
}

/* A page of metadata now and then, in no order. */
static void lazy(struct copier *h)
{
    struct fathost *v = &h->v;

    switch (fh_below(v, 4)) {
    case 0:
        fh_flush(v, FH_FATS);
        break;
    case 1:
        fh_flush(v, FH_META);
        break;
    case 2:
        fh_flush(v, FH_META);
        fh_flush(v, FH_FAT2);
        fh_flush(v, FH_FAT1);
        break;
    default:
        break;
    }
    if (fh_chance(v, 6))
        litter(h, 1);
}

static void create(struct copier *h, bool full)
{
    struct fathost *v = &h->v;

    for (unsigned i = 0; i < h->files; i++) {
        struct fh_file *f = &h->file[i];
        fh_create(v, f, v->root, h->name[i], 0x20, f->data, f->size);
        if (full) {
            fh_extend(v, f, fh_need(v, f->size));
            fh_entry_set(v, f, f->size);
        }
    }
    if (fh_chance(v, 2))
        lazy(h);
}

static void reverse(struct piece *p, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        struct piece was = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = was;
    }
}

/* Two stretches of a small file in the wrong order: of a 16 KB file, the
 * blocks 6 to 21 were seen first and 3 to 5 later. */
static void swap(struct copier *h)
{
    unsigned cut = 1 + fh_below(&h->v, h->pieces - 1);

    reverse(h->piece, cut);
    reverse(h->piece + cut, h->pieces - cut);
    reverse(h->piece, h->pieces);
}

void windows_copy(struct copier *h)
{
    struct fathost *v = &h->v;
    bool full = fh_chance(v, 2);

    dirty(h);
    if (h->plan->kind == HOST_WINDOWS_STREAMS) {
        create(h, true);
        for (unsigned i = 0; i < h->files; i++)
            fh_remove(v, &h->file[i]);
        lazy(h);
        full = false;
    }
    create(h, full);
    pieces_cut(h, fh_chance(v, 2) ? 128 : 8);
    if (h->plan->kind == HOST_WINDOWS_2023) {
        pieces_allocate(h, h->pieces);
        pieces_shuffle(h, 2 + fh_below(v, 15));
    } else if (fh_chance(v, 4)) {
        pieces_cut(h, 1 + fh_below(v, 4));
        pieces_allocate(h, h->pieces);
        if (h->pieces > 1)
            swap(h);
    }
    while (h->done < h->pieces && v->error == FH_OK) {
        unsigned until = h->done + 1 + fh_below(v, 16);
        pieces_allocate(h, until);
        pieces_write(h, until);
        if (fh_chance(v, 3)) {
            entries_set(h, full);
            lazy(h);
        }
        /* Data of a file that has its clusters does not count as a change:
         * a slow copy may find the volume cleaned in between. */
        if ((h->plan->flags & HOST_PAUSE) && fh_chance(v, 8)) {
            clean(h);
            if (fh_chance(v, 2)) /* where the files come from is slow */
                host_idle(h, fh_below(v, 8000));
            dirty(h);
        }
    }
    if (h->cancelled) {
        for (unsigned i = 0; i < h->files; i++)
            fh_remove(v, &h->file[i]);
    } else {
        entries_set(h, true);
    }
    fh_flush(v, FH_FATS);
    fh_flush(v, FH_META);
    if (fh_chance(v, 3))
        clean(h);
}

void windows_end(struct copier *h)
{
    struct fathost *v = &h->v;

    clean(h);
    if (fh_chance(v, 2) && fh_ready(v)) {
        litter(h, 2);
        clean(h);
    }
    if (h->plan->end == HOST_LEAVE) {
        host_wait_patiently(h);
        return;
    }
    if (host_through(h))
        return;
    fh_sync(v);
    if (h->plan->end == HOST_EJECT)
        fh_eject(v);
}
