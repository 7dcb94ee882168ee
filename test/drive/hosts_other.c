/* SPDX-License-Identifier: MIT
 *
 * FreeBSD, and the host that is no system and writes in any order.
 */
#include "hosts_inside.h"

/* ---- FreeBSD: soft updates or not, the disk queue sorts as it likes ---- */

void bsd_mounted(struct copier *h)
{
    /* Its buffers are clusters. */
    h->v.whole_clusters = h->plan->kind == HOST_FREEBSD || fh_chance(&h->v, 2);
    /* markvoldirty() of msdosfs: FAT[1], at once. */
    fh_mark(&h->v, true);
    fh_flush(&h->v, FH_FATS);
    host_idle(h, 1000);
}

void bsd_copy(struct copier *h)
{
    struct fathost *v = &h->v;

    for (unsigned i = 0; i < h->files; i++)
        fh_create(v, &h->file[i], v->root, h->name[i], 0x20, h->file[i].data,
                  h->file[i].size);
    if (fh_chance(v, 2))
        fh_flush(v, FH_META);
    pieces_cut(h, fh_chance(v, 2) ? 128 : 8u << fh_below(v, 3));
    pieces_allocate(h, h->pieces);
    pieces_shuffle(h, 2 + fh_below(v, 15));
    while (h->done < h->pieces && v->error == FH_OK) {
        pieces_write(h, h->done + 1 + fh_below(v, 16));
        if (fh_chance(v, 4)) {
            entries_set(h, false);
            fh_flush(v, fh_chance(v, 2) ? FH_META : FH_FAT1);
        }
    }
    entries_set(h, true);
    /* The syncer's turn: the queue is sorted, the hole comes last. */
    host_idle(h, fh_below(v, 30000));
    fh_flush(v, fh_chance(v, 2) ? FH_META : FH_FAT2);
    fh_flush(v, FH_FATS | FH_META);
}

void bsd_end(struct copier *h)
{
    if (h->plan->end == HOST_LEAVE)
        host_leave(h, 30000);
    else
        host_unmount(h);
}

/* ---- any order ---- */

static void flush_any(struct copier *h)
{
    struct fathost *v = &h->v;
    uint32_t dirty = fh_dirty(v), k = fh_below(v, dirty);

    for (uint32_t i = 0; i < v->cached && dirty; i++) {
        if (v->cache[i].dirty && k-- == 0) {
            fh_flush_one(v, v->cache[i].lba);
            return;
        }
    }
}

/* Something else where a piece will come, as of a file that is saved twice. */
static void outdated(struct copier *h)
{
    struct fathost *v = &h->v;
    const struct piece *p =
        &h->piece[h->done + fh_below(v, h->pieces - h->done)];
    struct fh_file other = *p->file;
    bool whole = v->whole_clusters;

    other.data = p->file->data + fh_below(v, p->file->size / 2);
    other.size = p->file->size / 2;
    /* No more than the piece: what lies behind may be written already. */
    v->whole_clusters = false;
    fh_data(v, &other, p->from, p->n);
    v->whole_clusters = whole;
}

void random_copy(struct copier *h)
{
    struct fathost *v = &h->v;
    bool stale;
    unsigned eager = fh_below(v, 8); /* how early metadata goes out */

    if (fh_chance(v, 2))
        v->alloc = fh_chance(v, 2) ? FH_SCATTER : FH_LOWEST;
    for (unsigned i = 0; i < h->files; i++)
        fh_create(v, &h->file[i], v->root, h->name[i], 0x20, h->file[i].data,
                  h->file[i].size);
    pieces_cut(h, 1u << fh_below(v, 6));
    if (eager & 1)
        flush_any(h);
    pieces_allocate(h, h->pieces);
    if (fh_chance(v, 3))
        pieces_sort(h);
    else
        pieces_shuffle(h, fh_chance(v, 2) ? h->pieces : 1 + fh_below(v, 9));
    stale = fh_chance(v, 4);
    if (eager & 4)
        entries_set(h, true);
    while (h->done < h->pieces && v->error == FH_OK) {
        if (stale && fh_chance(v, 3))
            outdated(h);
        pieces_write(h, h->done + 1 + fh_below(v, 8));
        if (fh_below(v, 8) < eager)
            flush_any(h);
    }
    entries_set(h, true);
    fh_info(v);
    while (fh_dirty(v) && v->error == FH_OK)
        flush_any(h);
}
