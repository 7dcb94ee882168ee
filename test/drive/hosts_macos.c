/* SPDX-License-Identifier: MIT
 *
 * macOS 13 to 15: the Finder copies, msdosfs in the kernel (13) or under
 * FSKit (14 and later) writes.
 */
#include "hosts_inside.h"

#include <stdio.h>
#include <string.h>

static bool is(const struct copier *h, enum host_kind kind)
{
    return h->plan->kind == kind;
}

static void metadata(struct copier *h)
{
    fh_flush(&h->v, FH_FAT1);
    fh_flush(&h->v, FH_FAT2);
    fh_flush(&h->v, FH_META);
}

/* Between two files of the system: some time, sometimes a flush. */
static void breathe(struct copier *h)
{
    if (is(h, HOST_MACOS_15))
        host_idle(h, 1000 + fh_below(&h->v, 3000));
    if (fh_chance(&h->v, 2))
        metadata(h);
}

static struct fh_file *system_file(struct copier *h, uint32_t dir,
                                   const char *name, uint32_t size)
{
    uint8_t *page = litter_page(h);

    for (uint32_t i = 0; i < size; i++)
        page[i] = (uint8_t)(i * 7 + h->texts);
    struct fh_file *f = litter_add(h, dir, name, 0x20, page, size);
    litter_data(h, f);
    breathe(h);
    return f;
}

static void fsevents(struct copier *h)
{
    struct fathost *v = &h->v;
    struct fh_entry e;

    if (fh_find(v, v->root, ".fseventsd", &e) &&
        fh_find(v, e.first, "no_log", &e))
        return;
    uint32_t dir = fh_mkdir(v, v->root, ".fseventsd", 0x02);
    if (dir)
        system_file(h, dir, "fseventsd-uuid", 36);
}

/* The index of macOS 15 comes and goes in small files, and leaves holes. */
static void spotlight(struct copier *h)
{
    struct fathost *v = &h->v;
    struct fh_file *files[10];
    struct fh_entry e;
    char name[40];
    unsigned n = is(h, HOST_MACOS_15) ? 10 : 2;

    if (fh_find(v, v->root, ".metadata_never_index", &e))
        return;
    uint32_t dir = fh_mkdir(v, v->root, ".Spotlight-V100", 0x02);
    if (dir && is(h, HOST_MACOS_15))
        dir = fh_mkdir(v, dir, "Store-V2", 0);
    if (dir == 0)
        return;
    for (unsigned i = 0; i < n && v->error == FH_OK; i++) {
        snprintf(name, sizeof name, "0.indexPositions%u", i);
        files[i] = system_file(h, dir, name, 1 + fh_below(v, 4096));
    }
    for (unsigned i = 0; i < n && v->error == FH_OK; i++) {
        if (is(h, HOST_MACOS_15) && fh_chance(v, 3)) {
            fh_remove(v, files[i]);
            breathe(h);
        }
    }
}

void macos_mounted(struct copier *h)
{
    struct fathost *v = &h->v;
    struct fh_entry e;

    fh_mark(v, true);
    fh_flush(v, FH_FAT1);
    fh_flush(v, FH_FAT2);
    v->contiguous = !is(h, HOST_MACOS_15);
    if (is(h, HOST_MACOS_15))
        v->alloc = v->alloc == FH_SCATTER ? FH_SCATTER : FH_LOWEST;
    host_idle(h, 500 + fh_below(v, 2500));
    /* Version 15 always does it, for 20 to 60 seconds. */
    if (!is(h, HOST_MACOS_15) && !(h->plan->flags & HOST_LITTER))
        return;
    fsevents(h);
    spotlight(h);
    if (!fh_find(v, v->root, ".Trashes", &e))
        (void)fh_mkdir(v, v->root, ".Trashes", 0x02);
    if (fh_chance(v, 2))
        host_idle(h, fh_below(v, 20000));
    fh_info(v);
    metadata(h);
}

/* What the Finder keeps beside a file: AppleDouble with the attributes of a
 * download.  It is read again right away; zeros make error 100093. */
static void attributes(struct copier *h)
{
    static const uint8_t head[] = {
        0x00, 0x05, 0x16, 0x07, 0x00, 0x02, 0x00, 0x00, 'M',  'a', 'c', ' ',
        'O',  'S',  ' ',  'X',  ' ',  ' ',  ' ',  ' ',  ' ',  ' ', ' ', ' ',
        0x00, 0x02, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x32};
    char name[200];

    for (unsigned i = 0; i < h->files && h->v.error == FH_OK; i++) {
        uint8_t *page = litter_page(h);
        memcpy(page, head, sizeof head);
        memcpy(page + 84, "ATTR", 4);
        memcpy(page + 120, "com.apple.quarantine", 20);
        snprintf(name, sizeof name, "._%s", h->name[i]);
        struct fh_file *f = litter_add(h, h->v.root, name, 0x22, page, 4096);
        litter_data(h, f);
        if (h->v.error == FH_OK && f->count)
            h->mismatch |= !fh_same_data(&h->v, f);
    }
}

/* Jobs of 1 MB on four threads, each of which may be interrupted by another
 * at any command; smaller jobs in half of the seeds, so that small files see
 * it as well. */
static void interleave(struct copier *h)
{
    struct fathost *v = &h->v;
    enum { THREADS = 4 };
    unsigned unit = 8u << fh_below(v, 3);
    unsigned job = fh_chance(v, 2) ? 2048 / unit : 1 + fh_below(v, 3);
    unsigned at[THREADS] = {0}, end[THREADS] = {0}, next = 0, out = 0;

    pieces_cut(h, unit);
    pieces_allocate(h, h->pieces);
    /* The order goes behind the pieces, then to the front. */
    unsigned n = h->pieces < PIECES / 2 ? h->pieces : 0;
    while (out < n) {
        unsigned t = fh_below(v, THREADS);
        if (at[t] == end[t] && next < n) {
            at[t] = next;
            next = end[t] = next + job < n ? next + job : n;
        }
        if (at[t] < end[t])
            h->piece[n + out++] = h->piece[at[t]++];
    }
    memmove(h->piece, h->piece + n, n * sizeof h->piece[0]);
}

void macos_copy(struct copier *h)
{
    struct fathost *v = &h->v;
    bool early = fh_chance(v, 2);

    for (unsigned i = 0; i < h->files; i++)
        fh_create(v, &h->file[i], v->root, h->name[i], 0x20, h->file[i].data,
                  h->file[i].size);
    if (is(h, HOST_MACOS_13))
        interleave(h);
    else if (is(h, HOST_MACOS_14_4))
        pieces_cut(h, 8u << fh_below(v, 3));
    else
        pieces_cut(h, fh_chance(v, 2) ? 256 : 64);
    if (!is(h, HOST_MACOS_14) && early)
        fh_flush(v, FH_META);
    while (h->done < h->pieces && v->error == FH_OK) {
        unsigned until = h->done + 1;
        pieces_allocate(h, until);
        pieces_write(h, until);
        if (is(h, HOST_MACOS_14_4) ||
            (!is(h, HOST_MACOS_14) && fh_chance(v, 6))) {
            entries_set(h, false);
            metadata(h);
        }
    }
    if (h->cancelled) {
        for (unsigned i = 0; i < h->files; i++)
            fh_remove(v, &h->file[i]);
    } else {
        entries_set(h, true);
        attributes(h);
    }
    if ((h->plan->flags & HOST_LITTER) && fh_chance(v, 2))
        system_file(h, v->root, ".DS_Store", 4096);
    host_idle(h, fh_below(v, is(h, HOST_MACOS_14) ? 25000 : 3000));
    metadata(h);
}

void macos_end(struct copier *h)
{
    if (h->plan->end == HOST_LEAVE)
        host_leave(h, 0);
    else
        host_unmount(h);
}
