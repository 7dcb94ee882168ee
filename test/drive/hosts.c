/* SPDX-License-Identifier: MIT
 *
 * What all hosts have in common: the frame of a copy, pieces of data, litter,
 * pauses and repeated writes, what the user is told.
 */
#include "hosts_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct system host_systems[HOST_KINDS] = {
    [HOST_LINUX] = {FH_LINUX, linux_mounted, linux_copy, linux_end, "linux",
                    40000},
    [HOST_LINUX_FLUSH] = {FH_LINUX, linux_mounted, linux_copy, linux_end,
                          "linux-flush", 40000},
    [HOST_LINUX_SYNC] = {FH_LINUX, linux_mounted, linux_copy, linux_end,
                         "linux-sync", 40000},
    [HOST_LINUX_FSYNC] = {FH_LINUX, linux_mounted, linux_copy, linux_end,
                          "linux-fsync", 40000},
    [HOST_LINUX_RENAME] = {FH_LINUX, linux_mounted, linux_copy, linux_end,
                           "linux-rename", 40000},
    [HOST_WINDOWS] = {FH_WINDOWS, windows_mounted, windows_copy, windows_end,
                      "windows", 40000},
    [HOST_WINDOWS_STREAMS] = {FH_WINDOWS, windows_mounted, windows_copy,
                              windows_end, "windows-streams", 40000},
    [HOST_WINDOWS_2023] = {FH_WINDOWS, windows_mounted, windows_copy,
                           windows_end, "windows-2023", 40000},
    [HOST_MACOS_13] = {FH_MACOS, macos_mounted, macos_copy, macos_end,
                       "macos-13", 60000},
    [HOST_MACOS_14] = {FH_MACOS, macos_mounted, macos_copy, macos_end,
                       "macos-14", 60000},
    [HOST_MACOS_14_4] = {FH_MACOS, macos_mounted, macos_copy, macos_end,
                         "macos-14.4", 60000},
    [HOST_MACOS_15] = {FH_MACOS, macos_mounted, macos_copy, macos_end,
                       "macos-15", 60000},
    [HOST_FREEBSD] = {FH_FREEBSD, bsd_mounted, bsd_copy, bsd_end, "freebsd",
                      40000},
    [HOST_RANDOM] = {FH_FREEBSD, bsd_mounted, random_copy, bsd_end, "random",
                     40000},
    [HOST_UEFI] = {FH_FREEBSD, uefi_mounted, uefi_copy, uefi_end, "uefi",
                   40000},
};

const char *host_name(enum host_kind kind)
{
    return host_systems[kind].name;
}

void host_plan_seeded(struct host_plan *plan, enum host_kind kind,
                      uint64_t seed)
{
    uint64_t mixed = (seed + 1) * 0x9E3779B97F4A7C15u;

    *plan = (struct host_plan){.kind = kind, .seed = seed, .pull = -1};
    plan->end = (enum host_end)((mixed >> 40) % 3);
    plan->flags =
        (unsigned)(mixed >> 56) & (HOST_FRAGMENT | HOST_DUPLICATE | HOST_PAUSE |
                                   HOST_LITTER | HOST_NO_CACHE);
    /* Nothing but the file, by the next free clusters, and no word of its
     * end. */
    if (kind == HOST_UEFI) {
        plan->end = HOST_LEAVE;
        plan->flags &= ~(unsigned)(HOST_LITTER | HOST_FRAGMENT);
    }
}

const char *host_describe(const struct host_plan *plan, char *to, size_t room)
{
    static const char *const ends[] = {"leave", "sync", "eject"};

    snprintf(to, room, "%s seed %llu %s%s%s%s%s%s%s files %u pull %d cut %u",
             host_name(plan->kind), (unsigned long long)plan->seed,
             ends[plan->end], plan->flags & HOST_FRAGMENT ? " fragment" : "",
             plan->flags & HOST_DUPLICATE ? " duplicate" : "",
             plan->flags & HOST_PAUSE ? " pause" : "",
             plan->flags & HOST_LITTER ? " litter" : "",
             plan->flags & HOST_TOGETHER ? " together" : "",
             plan->flags & HOST_NO_CACHE ? " no-cache" : "", plan->count,
             (int)plan->pull, (unsigned)plan->cut);
    return to;
}

struct copier *copier_new(void)
{
    return calloc(1, sizeof(struct copier));
}

void copier_free(struct copier *h)
{
    free(h);
}

/* ---- pieces ---- */

uint32_t file_sectors(const struct fh_file *f)
{
    return (f->size + FH_SECTOR - 1) / FH_SECTOR;
}

void pieces_cut(struct copier *h, uint32_t sectors)
{
    uint32_t at[HOST_FILES] = {0};
    bool more = true;

    h->pieces = h->done = 0;
    while (more) {
        more = false;
        for (unsigned i = 0; i < h->files; i++) {
            struct fh_file *f = &h->file[i];
            uint32_t n = file_sectors(f) - at[i];
            if (n == 0)
                continue;
            if (n > sectors)
                n = sectors;
            fh_require(h->pieces < PIECES);
            h->piece[h->pieces++] = (struct piece){f, at[i], n};
            at[i] += n;
            more = true;
        }
    }
}

void pieces_shuffle(struct copier *h, unsigned reach)
{
    for (unsigned i = 0; i + 1 < h->pieces; i++) {
        unsigned left = h->pieces - i;
        unsigned k = i + fh_below(&h->v, left < reach ? left : reach);
        struct piece was = h->piece[i];
        h->piece[i] = h->piece[k];
        h->piece[k] = was;
    }
}

static int by_first(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    uint32_t per = 8; /* sectors of a cluster, here */
    uint32_t i = x->file->chain[x->from / per] * per + x->from % per;
    uint32_t k = y->file->chain[y->from / per] * per + y->from % per;

    return (i > k) - (i < k);
}

void pieces_sort(struct copier *h)
{
    fh_require(h->v.error != FH_OK || h->v.per_cluster == 8);
    if (h->v.error == FH_OK)
        qsort(h->piece, h->pieces, sizeof h->piece[0], by_first);
}

void pieces_allocate(struct copier *h, unsigned until)
{
    for (unsigned i = h->done; i < until && i < h->pieces; i++) {
        struct piece *p = &h->piece[i];
        fh_extend(&h->v, p->file,
                  (p->from + p->n + h->v.per_cluster - 1) / h->v.per_cluster);
    }
}

void pieces_write(struct copier *h, unsigned until)
{
    for (; h->done < until && h->done < h->pieces; h->done++) {
        if (h->v.error != FH_OK)
            return;
        struct piece *p = &h->piece[h->done];
        fh_data(&h->v, p->file, p->from, p->n);
    }
}

void entries_set(struct copier *h, bool final)
{
    for (unsigned i = 0; i < h->files; i++) {
        const struct fh_file *f = &h->file[i];
        uint32_t size = final ? f->size : 0;
        for (unsigned k = 0; !final && k < h->done; k++) {
            const struct piece *p = &h->piece[k];
            uint32_t end = (p->from + p->n) * FH_SECTOR;
            if (p->file == f && end > size)
                size = end < f->size ? end : f->size;
        }
        fh_entry_set(&h->v, f, size);
    }
}

/* ---- time ---- */

bool host_idle(struct copier *h, uint32_t ms)
{
    while (ms && h->v.error == FH_OK && !h->gone) {
        uint32_t slice = ms < 1000 ? ms : 1000;
        if (h->copying && h->quiet + slice > HOST_QUIET)
            break;
        fh_wait(&h->v, slice);
        h->quiet += slice;
        ms -= slice;
        if (fh_ready(&h->v))
            continue;
        if (h->done < h->pieces || fh_dirty(&h->v))
            h->v.error = FH_GONE;
        h->gone = true;
    }
    return h->v.error == FH_OK && !h->gone;
}

bool host_through(struct copier *h)
{
    if (h->v.error == FH_OK && !h->gone && !fh_ready(&h->v))
        host_idle(h, 1);
    return h->gone;
}

void host_wait_patiently(struct copier *h)
{
    host_idle(h, h->plan->patience ? h->plan->patience
                                   : host_systems[h->plan->kind].patience);
}

void host_leave(struct copier *h, uint32_t ms)
{
    host_idle(h, ms);
    fh_info(&h->v);
    fh_flush(&h->v, FH_ALL);
    host_wait_patiently(h);
}

void host_unmount(struct copier *h)
{
    bool eject = h->plan->end == HOST_EJECT;

    fh_info(&h->v);
    fh_flush(&h->v, FH_ALL);
    if (eject) {
        fh_mark(&h->v, false);
        fh_flush(&h->v, FH_FATS);
    }
    fh_sync(&h->v);
    if (eject)
        fh_eject(&h->v);
}

/* After each command that writes. */
static void noise(void *ctx, uint32_t lba)
{
    struct copier *h = ctx;
    struct fathost *v = &h->v;

    if (lba != v->info_lba) /* that one may come half a minute later */
        h->quiet = 0;
    if (h->busy || !h->copying)
        return;
    h->busy = true;
    if ((h->plan->flags & HOST_PAUSE) && fh_chance(v, 24))
        host_idle(h, 200 + fh_below(v, 29800));
    if ((h->plan->flags & HOST_DUPLICATE) && fh_chance(v, 8)) {
        if (h->done && fh_chance(v, 2)) {
            const struct piece *p = &h->piece[fh_below(v, h->done)];
            uint32_t skip = fh_below(v, p->n);
            fh_data(v, p->file, p->from + skip, 1 + fh_below(v, p->n - skip));
        } else {
            const struct fh_sector *s = &v->cache[fh_below(v, v->cached)];
            if (s->written && !s->dirty)
                fh_flush_one(v, s->lba);
        }
    }
    h->busy = false;
}

/* ---- litter ---- */

uint8_t *litter_page(struct copier *h)
{
    uint8_t *page = h->text[h->texts++ % 32];

    memset(page, 0, sizeof h->text[0]);
    return page;
}

void litter_data(struct copier *h, struct fh_file *f)
{
    fh_data(&h->v, f, 0, file_sectors(f));
}

struct fh_file *litter_add(struct copier *h, uint32_t dir, const char *name,
                           uint8_t attr, const void *data, uint32_t size)
{
    struct fh_file *f = &h->litter[h->litters % LITTER];

    /* Full: the last one is forgotten, and is not read back in the end. */
    if (h->litters < LITTER - 1)
        h->litters++;
    fh_create(&h->v, f, dir, name, attr, data, size);
    fh_extend(&h->v, f, fh_need(&h->v, size));
    fh_entry_set(&h->v, f, size);
    return f;
}

/* ---- the frame ---- */

static void say(struct copier *h, struct host_result *r)
{
    enum fh_os os = host_systems[h->plan->kind].os;
    const char *name = h->plan->count ? h->plan->files[0].name : "";
    char *to = r->text;
    size_t n = sizeof r->text;

    switch (r->status) {
    case HOST_OK:
        break;
    case HOST_NOT_MOUNTED:
        if (os == FH_LINUX)
            snprintf(to, n, "mount: wrong fs type, bad superblock: %s",
                     h->v.why);
        else if (os == FH_WINDOWS)
            snprintf(to, n, "You need to format the disk: %s", h->v.why);
        else
            snprintf(to, n, "The disk could not be mounted: %s", h->v.why);
        break;
    case HOST_IO_ERROR:
    case HOST_VANISHED:
        if (os == FH_LINUX)
            snprintf(to, n,
                     "Buffer I/O error, logical block %u, lost async page "
                     "write%s",
                     (unsigned)r->lba,
                     r->status == HOST_VANISHED ? " (disconnected)" : "");
        else if (os == FH_WINDOWS)
            snprintf(to, n, "An unexpected error: 0x%s",
                     r->status == HOST_VANISHED ? "800701B1, no such device"
                                                : "8007045D, I/O error");
        else
            snprintf(to, n,
                     "some data in \"%s\" can't be read or written (-36)",
                     name);
        break;
    case HOST_NO_SPACE:
        snprintf(to, n, "not enough free space for \"%s\"", name);
        break;
    case HOST_CORRUPT:
        snprintf(to, n, "the volume is corrupt: %s", h->v.why);
        break;
    case HOST_READ_BACK:
        snprintf(to, n, "LBA %u does not read back%s", (unsigned)r->lba,
                 os == FH_MACOS ? " (100093)" : "");
        break;
    case HOST_UNPLUGGED:
        snprintf(to, n, "unplugged after %u sectors", (unsigned)r->sectors);
        break;
    case HOST_CANCELLED:
        snprintf(to, n, "cancelled after %u bytes", (unsigned)h->plan->cut);
        break;
    }
}

static void finish(struct copier *h, struct host_result *r)
{
    static const enum host_status status[] = {
        [FH_OK] = HOST_OK,
        [FH_REFUSED] = HOST_NOT_MOUNTED,
        [FH_IO] = HOST_IO_ERROR,
        [FH_GONE] = HOST_VANISHED,
        [FH_FULL] = HOST_NO_SPACE,
        [FH_CORRUPT] = HOST_CORRUPT,
        [FH_PULLED] = HOST_UNPLUGGED,
    };
    struct fathost *v = &h->v;

    r->status = status[v->error];
    if (v->error == FH_OK && h->mismatch)
        r->status = HOST_READ_BACK;
    else if (v->error == FH_OK && h->cancelled)
        r->status = HOST_CANCELLED;
    r->lba = v->error_lba;
    r->was_dirty = v->was_dirty;
    r->ms = v->ms;
    r->commands = v->commands;
    r->sectors = v->sectors;
    r->reads = v->reads;
    r->syncs = v->syncs;
    say(h, r);
}

/* Reads back what the plan wants read back. */
static void check(struct copier *h)
{
    struct fathost *v = &h->v;
    unsigned flags = h->plan->flags;

    if (flags & HOST_CHECK_META) {
        h->mismatch |= !fh_same_meta(v);
        for (unsigned i = 0; i < h->litters && !h->mismatch; i++) {
            if (h->litter[i].count)
                h->mismatch |= !fh_same_data(v, &h->litter[i]);
        }
    }
    for (unsigned i = 0; i < h->files && !h->mismatch; i++) {
        if ((flags & HOST_CHECK_DATA) && h->file[i].count)
            h->mismatch |= !fh_same_data(v, &h->file[i]);
    }
}

static void start(struct copier *h, const struct host_plan *plan)
{
    h->plan = plan;
    h->busy = h->copying = h->cancelled = h->mismatch = h->gone = false;
    h->files = h->pieces = h->done = h->litters = h->litter_step = 0;
    h->texts = h->quiet = 0;
    h->v.random = plan->seed * 64 + (uint64_t)plan->kind;
    h->v.pull = plan->pull;
    h->v.after = noise;
    h->v.after_ctx = h;
    h->v.no_cache = (plan->flags & HOST_NO_CACHE) &&
                    (host_systems[plan->kind].os == FH_LINUX ||
                     host_systems[plan->kind].os == FH_FREEBSD);
}

static void take_file(struct copier *h, const struct host_file *from)
{
    struct fh_file *f = &h->file[h->files];

    h->name[h->files++] = from->name;
    f->data = from->data;
    f->size = from->size;
    f->count = 0;
    if (h->plan->cut && h->plan->cut < f->size) {
        f->size = h->plan->cut;
        h->cancelled = true;
    }
}

void host_copy(struct copier *h, const struct blockdev *dev,
               const struct host_plan *plan, struct host_result *r)
{
    const struct system *sys = &host_systems[plan->kind];
    struct fathost *v = &h->v;

    memset(r, 0, sizeof *r);
    start(h, plan);
    if (!fh_mount(v, dev, sys->os)) {
        finish(h, r);
        return;
    }
    v->transfer = fh_chance(v, 4) ? FH_TRANSFER : 240;
    if (plan->flags & HOST_FRAGMENT)
        v->alloc = FH_SCATTER;
    sys->mounted(h);
    for (unsigned i = 0; i < plan->count && v->error == FH_OK; i++) {
        if (!(plan->flags & HOST_TOGETHER) || i == 0)
            h->files = 0;
        take_file(h, &plan->files[i]);
        if ((plan->flags & HOST_TOGETHER) && i + 1 < plan->count)
            continue;
        h->copying = true;
        sys->copy(h);
        h->copying = false;
        if (i + 1 < plan->count && !host_idle(h, 100 + fh_below(v, 3000)))
            break;
    }
    sys->end(h);
    if (v->error == FH_OK && fh_ready(v)) {
        const struct fh_sector *boot = fh_sector(v, 0, true);
        r->clean = fh_dirty(v) == 0 && !(boot->data[0x41] & 1) &&
                   (fh_fat(v, 1) & FH_CLEAN);
        check(h);
    } else {
        r->gone = v->error == FH_OK;
    }
    finish(h, r);
}

bool host_load(struct copier *h, const struct blockdev *dev,
               enum host_kind kind, const char *name, uint8_t *to,
               uint32_t room, uint32_t *size, const char **text)
{
    static const struct host_plan look = {.pull = -1};
    struct fathost *v = &h->v;
    struct fh_entry e;
    uint32_t done = 0;

    start(h, &look);
    *text = NULL;
    if (!fh_mount(v, dev, host_systems[kind].os) ||
        !fh_find(v, v->root, name, &e)) {
        *text = v->why;
        return false;
    }
    *size = e.size;
    if (e.size > room || (e.size == 0) != (e.first == 0)) {
        *text = "size does not fit";
        return false;
    }
    uint32_t c = e.first, bytes = v->per_cluster * FH_SECTOR;
    for (; done < e.size; c = fh_fat(v, c)) {
        uint32_t n = e.size - done < bytes ? e.size - done : bytes;
        if (c < 2 || c >= v->clusters + 2) {
            *text = "chain shorter than its file";
            return false;
        }
        fh_read(v, fh_cluster_lba(v, c), v->per_cluster, v->scratch);
        memcpy(to + done, v->scratch, n);
        done += n;
    }
    if (e.size && c < FH_LAST)
        *text = "chain longer than its file";
    return *text == NULL && v->error == FH_OK;
}
