/* SPDX-License-Identifier: MIT */
/* update.c - see update.h: flashing. */
#include "update.h"

#include "err.h"
#include "place.h"
#include "update_priv.h"
#include "usb.h"

#include <stdlib.h>
#include <string.h>

/* A look at a sector before all of it is read. */
#define PROBE 64u
/* Where a sector has so many blocks or more, it is looked at in four places. */
#define PROBE_BLOCKS 8u
/* Of a plain image whose last block would be a full one, so much is sent by
 * itself: the end of a download without "leave" is a short block, see
 * docs/design.md. */
#define TAIL 16u

/* ---- the plan ---- */

/* Sectors that are handled together, a block of data at least. */
struct unit {
    uint32_t start, size;
    uint32_t end; /* of the image's data in it */
    unsigned type;
    bool write; /* it differs, or goes along */
};

struct plan {
    const struct update *u;
    const struct fw *fw;
    const struct layout *layout;
    struct unit *unit;
    size_t n;
    uint8_t *buffer; /* a block */
    uint32_t start;  /* of the image */
    struct update_result *r;
};

static bool add_unit(struct plan *p, const struct unit *unit, struct fail *f)
{
    struct unit *more = realloc(p->unit, (p->n + 1) * sizeof(*more));

    if (!more)
        return fail(f, FAIL_SYSTEM, "no memory");
    p->unit = more;
    p->unit[p->n++] = *unit;
    return true;
}

static uint64_t data_end(const struct fw *fw, uint64_t from, uint64_t to)
{
    uint64_t end = from;

    for (uint64_t at = fw_find(fw, from, true); at < to;
         at = fw_find(fw, end, true))
        end = fw_find(fw, at, false);
    return end < to ? end : to;
}

static bool make_units(struct plan *p, struct fail *f)
{
    uint64_t at = fw_find(p->fw, 0, true);

    while (at < FW_END) {
        struct layout_sector s, next;
        struct unit unit;
        uint64_t end;

        if (!layout_at(p->layout, at, &s))
            return fail(f, FAIL_UNFIT, "0x%08X is in no memory of the device",
                        (uint32_t)at);
        end = (uint64_t)s.start + s.size;
        while (end - s.start < p->u->d->block &&
               layout_at(p->layout, end, &next) && next.type == s.type)
            end += next.size;
        unit = (struct unit){s.start, (uint32_t)(end - s.start),
                             (uint32_t)data_end(p->fw, s.start, end), s.type,
                             false};
        if (!add_unit(p, &unit, f))
            return false;
        at = fw_find(p->fw, end, true);
    }
    return true;
}

/* ---- comparing ---- */

/* Does [addr, addr + n) hold what the image has there? */
static bool same(struct plan *p, uint32_t addr, size_t n, bool *is,
                 struct fail *f)
{
    if (!dfuse_read(p->u->d, addr, p->buffer, n, f))
        return false;
    *is = !update_compare(p->fw, addr, p->buffer, n, NULL, NULL, NULL);
    return true;
}

static bool looks_same(struct plan *p, const struct unit *unit, bool *is,
                       struct fail *f)
{
    uint32_t block = p->u->d->block;
    uint32_t blocks = (unit->end - unit->start + block - 1) / block;
    uint32_t looks = blocks >= PROBE_BLOCKS ? 4 : 1;

    *is = true;
    for (uint32_t i = 0; i < looks && *is; i++) {
        uint32_t at = unit->start + blocks * i / looks * block;
        uint32_t n = unit->end - at < PROBE ? unit->end - at : PROBE;

        if (!same(p, at, n, is, f))
            return false;
    }
    return true;
}

static bool compare_unit(struct plan *p, struct unit *unit, uint64_t done,
                         uint64_t total, bool look, struct fail *f)
{
    uint32_t block = p->u->d->block;
    bool is = true;

    if (look && !looks_same(p, unit, &is, f))
        return false;
    for (uint32_t at = unit->start; at < unit->end && is; at += block) {
        uint32_t n = unit->end - at < block ? unit->end - at : block;

        if (!update_go_on(p->u, f) || !same(p, at, n, &is, f))
            return false;
        update_tell(p->u, UPDATE_COMPARE, done + at - unit->start, total);
    }
    unit->write = !is;
    return true;
}

static bool compare(struct plan *p, struct fail *f)
{
    uint64_t done = 0, total = 0;
    bool look = true; /* where one differs the next one may as well */

    for (size_t i = 0; i < p->n; i++)
        total += p->unit[i].end - p->unit[i].start;
    for (size_t i = 0; i < p->n; i++) {
        struct unit *unit = &p->unit[i];

        if (!(unit->type & LAYOUT_READ)) {
            unit->write = true;
            p->r->compared = false;
        } else if (!compare_unit(p, unit, done, total, look, f)) {
            return false;
        }
        look = unit->write;
        done += unit->end - unit->start;
        if (unit->write)
            p->r->changed += unit->end - unit->start;
    }
    update_tell(p->u, UPDATE_COMPARE, total, total);
    return true;
}

/* ---- erasing, programming, verifying: the units that are to be written ----
 */

static uint64_t total_of(const struct plan *p, bool sectors)
{
    uint64_t total = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct unit *unit = &p->unit[i];

        if (unit->write)
            total += sectors ? unit->size : unit->end - unit->start;
    }
    return total;
}

static bool erase(struct plan *p, struct fail *f)
{
    uint64_t total = total_of(p, true), done = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct unit *unit = &p->unit[i];
        uint64_t at = unit->start;
        struct layout_sector s;

        while (unit->write && (unit->type & LAYOUT_ERASE) &&
               at < (uint64_t)unit->start + unit->size &&
               layout_at(p->layout, at, &s)) {
            if (!update_go_on(p->u, f) || !dfuse_erase(p->u->d, s.start, f))
                return false;
            at += s.size;
            done += s.size;
            p->r->erased += s.size;
            update_tell(p->u, UPDATE_ERASE, done, total);
        }
    }
    return true;
}

static bool blank(const struct device *d, const uint8_t *data, size_t n)
{
    uint8_t erased = device_erased(d);

    while (n && data[n - 1] == erased)
        n--;
    return !n;
}

static bool write_block(struct plan *p, uint32_t at, uint32_t n, bool last,
                        struct fail *f)
{
    uint32_t tail = last && p->u->stay && n == p->u->d->block ? TAIL : 0;

    p->r->written += n;
    return dfuse_write(p->u->d, at, p->buffer, n - tail, f) &&
           (!tail ||
            dfuse_write(p->u->d, at + n - tail, p->buffer + n - tail, tail, f));
}

/* What is erased needs no blank bytes, but for the first and the last block:
 * those tell a bootloader where the image begins and ends. */
static bool program_unit(struct plan *p, const struct unit *unit, bool ends,
                         uint64_t *done, uint64_t total, struct fail *f)
{
    uint32_t block = p->u->d->block;

    for (uint32_t at = unit->start; at < unit->end; at += block) {
        uint32_t n = unit->end - at < block ? unit->end - at : block;
        bool last = ends && unit->end - at == n;
        bool needed = last || at == unit->start || !(unit->type & LAYOUT_ERASE);

        fw_get(p->fw, at, p->buffer, n, 0xFF);
        if (!update_go_on(p->u, f))
            return false;
        if ((needed || !blank(p->u->d, p->buffer, n)) &&
            !write_block(p, at, n, last, f))
            return false;
        *done += n;
        update_tell(p->u, UPDATE_PROGRAM, *done, total);
    }
    return true;
}

static bool program(struct plan *p, struct fail *f)
{
    uint64_t total = total_of(p, false), done = 0;
    size_t last = 0;

    for (size_t i = 0; i < p->n; i++)
        last = p->unit[i].write ? i : last;
    for (size_t i = 0; i < p->n; i++) {
        if (p->unit[i].write &&
            !program_unit(p, &p->unit[i], i == last, &done, total, f))
            return false;
    }
    return true;
}

static bool verify_unit(struct plan *p, const struct unit *unit, uint64_t *done,
                        uint64_t total, struct fail *f)
{
    uint32_t block = p->u->d->block;

    for (uint32_t at = unit->start; at < unit->end; at += block) {
        uint32_t n = unit->end - at < block ? unit->end - at : block;
        bool is;

        if (!update_go_on(p->u, f) || !same(p, at, n, &is, f))
            return false;
        if (!is)
            return update_differs(p->fw, at, p->buffer, n, f);
        *done += n;
        update_tell(p->u, UPDATE_VERIFY, *done, total);
    }
    return true;
}

static bool verify(struct plan *p, struct fail *f)
{
    uint64_t total = total_of(p, false), done = 0;

    for (size_t i = 0; i < p->n; i++) {
        const struct unit *unit = &p->unit[i];

        if (!unit->write)
            continue;
        if (!(unit->type & LAYOUT_READ))
            p->r->verified = false;
        else if (!verify_unit(p, unit, &done, total, f))
            return false;
    }
    return true;
}

/* The end of the writing.  A command before ABORT: without it a bootloader
 * that takes a short block and ABORT for the end of a file would install the
 * image before it is verified. */
static bool end_writing(struct plan *p, struct fail *f)
{
    struct device *d = p->u->d;

    if (p->u->stay)
        return dfu_idle(d, f) && dfuse_set_address(d, p->start, f) &&
               dfu_idle(d, f);
    return dfuse_set_address(d, p->start, f) && dfu_idle(d, f);
}

static bool write_units(struct plan *p, struct fail *f)
{
    p->r->verified = !p->u->no_verify;
    /* The comparison has left it in dfuUPLOAD-IDLE. */
    return dfu_idle(p->u->d, f) && erase(p, f) && program(p, f) &&
           end_writing(p, f) && (p->u->no_verify || verify(p, f));
}

/* ---- starting ---- */

/* A bootloader that has an image in parts, or one that was not ended, refuses
 * to start it before its first word comes (errFIRMWARE). */
static bool start(struct plan *p, struct fail *f)
{
    struct dfu_reply s;

    if (p->u->stay)
        return true;
    p->r->started = true;
    if (dfuse_leave(p->u->d, p->start, &s, f))
        return true;
    p->r->started = false;
    if (s.status != DFU_STATUS_FIRMWARE || !p->r->unchanged)
        return false;
    p->unit[0].write = true;
    p->r->unchanged = false;
    if (!write_units(p, f) || !dfuse_leave(p->u->d, p->start, &s, f))
        return false;
    p->r->started = true;
    return true;
}

static bool run(struct plan *p, size_t index, struct fail *f)
{
    bool differs = false;

    p->r->compared = true;
    if (!make_units(p, f) || !dfu_begin(p->u->d, index, f) || !compare(p, f))
        return false;
    for (size_t i = 0; i < p->n; i++)
        differs |= p->unit[i].write;
    p->r->unchanged = p->r->verified = !differs;
    if (p->u->dry_run)
        return dfu_idle(p->u->d, f);
    if (differs) {
        p->unit[0].write = true;
        if (!write_units(p, f))
            return false;
    }
    return start(p, f);
}

/* ---- plain DFU: blocks follow each other ---- */

/* What is written cannot be read until the device has manifested it, and only
 * some stay for that (bitManifestationTolerant).  Those start the application
 * at a bus reset (DFU 1.1 clause 7), the others do so anyway. */
static bool end_plain(const struct update *u, const struct fw *fw,
                      struct update_result *r, struct fail *f)
{
    unsigned attributes = u->d->attributes;

    if (attributes & DFU_TOLERANT && attributes & DFU_CAN_UPLOAD &&
        !u->no_verify) {
        if (!update_verify(u, fw, 0, NULL, NULL, f))
            return fail_at(f, "after writing, ");
        r->verified = true;
    }
    r->started = !(attributes & DFU_TOLERANT) || !u->stay;
    if (attributes & DFU_TOLERANT && !u->stay)
        u->d->t->ops->reset(u->d->t);
    return true;
}

static bool run_plain(const struct update *u, const struct fw *fw,
                      uint64_t first, uint64_t end, struct update_result *r,
                      struct fail *f)
{
    struct device *d = u->d;
    uint8_t *buffer = malloc(d->block);
    unsigned block = 0;
    bool ok = buffer || fail(f, FAIL_SYSTEM, "no memory");

    ok = ok && dfu_begin(d, 0, f);
    if (u->dry_run) {
        free(buffer);
        return ok;
    }
    for (uint64_t at = first; ok && at < end; at += d->block) {
        size_t n = end - at < d->block ? (size_t)(end - at) : d->block;

        fw_get(fw, at, buffer, n, 0xFF);
        ok = update_go_on(u, f) && dfu_download(d, block++, buffer, n, f);
        r->written += ok ? n : 0;
        update_tell(u, UPDATE_PROGRAM, r->written, end - first);
    }
    free(buffer);
    return ok && dfu_manifest(d, f) && end_plain(u, fw, r, f);
}

bool update_flash(const struct update *u, const struct fw *fw, size_t index,
                  struct update_result *r, struct fail *f)
{
    struct plan p = {.u = u,
                     .fw = fw,
                     .layout = &u->d->alt[index].layout,
                     .buffer = malloc(u->d->block),
                     .r = r};
    uint64_t first = 0, end = 0;
    bool ok;

    memset(r, 0, sizeof(*r));
    fw_span(fw, &first, &end);
    r->size = end - first;
    p.start = (uint32_t)first;
    if (!p.buffer)
        ok = fail(f, FAIL_SYSTEM, "no memory");
    else if (u->d->alt[index].has_layout)
        ok = run(&p, index, f);
    else
        ok = run_plain(u, fw, first, end, r, f);
    free(p.unit);
    free(p.buffer);
    if (!ok) {
        r->verified = false;
        update_recover(u, f);
    }
    return ok;
}
