/* SPDX-License-Identifier: MIT */
/* update_more.c - see update.h: verify, read, erase, start. */
#include "img.h"
#include "place.h"
#include "stamp.h"
#include "update_priv.h"
#include "usb.h"

#include <stdlib.h>
#include <string.h>

/* ---- what all of them do ---- */

const char *update_phase_name(enum update_phase phase)
{
    static const char *const names[] = {"compare", "erase", "program", "verify",
                                        "read"};

    return names[phase];
}

bool update_go_on(const struct update *u, struct fail *f)
{
    if (!u->stop || !*u->stop)
        return true;
    return fail(f, FAIL_INTERRUPTED,
                "interrupted: the device stays in its bootloader, the "
                "application may be incomplete until it is flashed again");
}

void update_tell(const struct update *u, enum update_phase phase, uint64_t done,
                 uint64_t total)
{
    if (u->progress)
        u->progress(u->ctx, phase, done, total);
}

void update_recover(const struct update *u, const struct fail *f)
{
    struct fail ignored = {0};

    if (f->code == FAIL_DEVICE || f->code == FAIL_DIFFERS ||
        f->code == FAIL_INTERRUPTED)
        dfu_begin(u->d, u->d->current, &ignored);
}

/* One stretch of bytes that the image has. */
static size_t compare_stretch(uint32_t addr, const uint8_t *is,
                              const uint8_t *want, size_t n, uint32_t *first,
                              update_differ *differ, void *ctx)
{
    size_t count = 0, at = 0;

    while (at < n) {
        size_t from = at;

        while (at < n && is[at] != want[at])
            at++;
        if (at > from && !count && first)
            *first = addr + (uint32_t)from;
        if (at > from && differ)
            differ(ctx, addr + (uint32_t)from, is + from, want + from,
                   at - from);
        count += at - from;
        while (at < n && is[at] == want[at])
            at++;
    }
    return count;
}

size_t update_compare(const struct fw *fw, uint32_t addr, const uint8_t *is,
                      size_t n, uint32_t *first, update_differ *differ,
                      void *ctx)
{
    uint64_t end = (uint64_t)addr + n, at = fw_find(fw, addr, true);
    uint8_t want[1024];
    size_t count = 0;

    while (at < end) {
        uint64_t stop = fw_find(fw, at, false);
        size_t part = (size_t)((stop < end ? stop : end) - at);

        if (part > sizeof(want))
            part = sizeof(want);
        fw_get(fw, at, want, part, 0xFF);
        count += compare_stretch((uint32_t)at, is + (at - addr), want, part,
                                 count ? NULL : first, differ, ctx);
        at = fw_find(fw, at + part, true);
    }
    return count;
}

static bool report_difference(uint32_t at, uint64_t count, uint8_t is,
                              const struct fw *fw, struct fail *f)
{
    uint8_t want;

    fw_get(fw, at, &want, 1, 0xFF);
    return fail(f, FAIL_DIFFERS,
                "the device differs from the file: 0x%02X in place of 0x%02X "
                "at 0x%08X is the first of %llu bytes",
                is, want, at, (unsigned long long)count);
}

bool update_differs(const struct fw *fw, uint32_t addr, const uint8_t *is,
                    size_t n, struct fail *f)
{
    uint32_t first = addr;
    size_t count = update_compare(fw, addr, is, n, &first, NULL, NULL);

    report_difference(first, count, is[first - addr], fw, f);
    return fail_at(f, "after writing, ");
}

/* ---- reading ---- */

/* What is done with the bytes of a block. */
typedef bool take_block(void *ctx, uint32_t addr, const uint8_t *data, size_t n,
                        struct fail *f);

struct reading {
    const struct update *u;
    enum update_phase phase;
    uint64_t done, total;
    take_block *take;
    void *ctx;
    uint8_t *buffer;
};

static bool read_range(struct reading *r, uint64_t start, uint64_t end,
                       struct fail *f)
{
    struct device *d = r->u->d;

    for (uint64_t at = start; at < end;) {
        size_t n = end - at < d->block ? (size_t)(end - at) : d->block;

        if (!update_go_on(r->u, f) ||
            !dfuse_read(d, (uint32_t)at, r->buffer, n, f) ||
            !r->take(r->ctx, (uint32_t)at, r->buffer, n, f))
            return false;
        at += n;
        r->done += n;
        update_tell(r->u, r->phase, r->done, r->total);
    }
    return true;
}

/* Plain DFU: a short block is the end.  `start` stands for its first byte. */
static bool read_plain(struct reading *r, uint64_t start, uint64_t end,
                       struct fail *f)
{
    struct device *d = r->u->d;
    int got = d->block;

    for (unsigned block = 0; got == d->block && (!end || start < end);
         block++) {
        if (!update_go_on(r->u, f))
            return false;
        got = dfu_upload(d, block, r->buffer, d->block, f);
        if (got < 0)
            return false;
        if (end && start + (uint64_t)got > end)
            got = (int)(end - start);
        if (!r->take(r->ctx, (uint32_t)start, r->buffer, (size_t)got, f))
            return false;
        start += (uint64_t)got;
        r->done += (uint64_t)got;
        update_tell(r->u, r->phase, r->done,
                    end ? r->total : r->done + (got == d->block));
    }
    return true;
}

static bool begin_reading(struct reading *r, size_t index, struct fail *f)
{
    struct device *d = r->u->d;

    if (!(d->attributes & DFU_CAN_UPLOAD))
        return fail(f, FAIL_DEVICE, "the device cannot be read");
    r->buffer = malloc(d->block);
    return r->buffer ? dfu_begin(d, index, f)
                     : fail(f, FAIL_SYSTEM, "no memory");
}

static bool end_reading(struct reading *r, bool ok, struct fail *f)
{
    free(r->buffer);
    if (!ok)
        update_recover(r->u, f);
    return ok && dfu_idle(r->u->d, f);
}

static bool check_readable(const struct update *u, size_t index, uint64_t start,
                           uint64_t end, struct fail *f)
{
    uint64_t bad =
        layout_outside(&u->d->alt[index].layout, start, end, LAYOUT_READ);

    return bad == end ||
           fail(f, FAIL_UNFIT, "0x%08X cannot be read on this device",
                (uint32_t)bad);
}

static bool keep(void *ctx, uint32_t addr, const uint8_t *data, size_t n,
                 struct fail *f)
{
    return fw_add(ctx, addr, data, n, f);
}

bool update_read(const struct update *u, size_t index, uint64_t start,
                 uint64_t end, struct fw *out, struct fail *f)
{
    struct reading r = {.u = u, .phase = UPDATE_READ, .take = keep, .ctx = out};
    bool layout = u->d->alt[index].has_layout, ok;

    if (layout && !check_readable(u, index, start, end, f))
        return false;
    r.total = end - start;
    out->placed = layout;
    ok = begin_reading(&r, index, f) &&
         (layout ? read_range(&r, start, end, f)
                 : read_plain(&r, 0, end ? end - start : 0, f));
    return end_reading(&r, ok, f);
}

/* Behind the last byte that is not blank. */
static uint64_t trim(const struct device *d, const struct fw *fw,
                     uint64_t start, uint64_t end)
{
    uint8_t byte, erased = device_erased(d);

    while (end > start) {
        fw_get(fw, end - 1, &byte, 1, erased);
        if (byte != erased)
            break;
        end--;
    }
    return end;
}

static bool copy_range(const struct fw *from, uint64_t start, uint64_t end,
                       struct fw *out, struct fail *f)
{
    uint8_t part[1024];

    out->placed = from->placed;
    for (uint64_t at = start; at < end; at += sizeof(part)) {
        size_t n = end - at < sizeof(part) ? (size_t)(end - at) : sizeof(part);

        fw_get(from, at, part, n, 0xFF);
        if (!fw_add(out, (uint32_t)at, part, n, f))
            return false;
    }
    return true;
}

/* The words that a stamp is in.  *end: one past the image, where there is a
 * stamp that tells, or start where there is nothing. */
static bool read_stamp(const struct update *u, size_t index, uint64_t start,
                       uint64_t *end, struct fail *f)
{
    struct update quiet = *u;
    struct stamp stamp;
    struct fw head;
    bool ok;

    quiet.progress = NULL;
    fw_init(&head);
    ok = update_read(&quiet, index, start, start + IMG_HEADER_SIZE, &head, f);
    if (ok && trim(u->d, &head, start, start + IMG_HEADER_SIZE) == start)
        *end = start;
    else if (ok && stamp_get(&head, start, &stamp) &&
             stamp.length >= IMG_HEADER_SIZE && stamp.length <= *end - start)
        *end = start + stamp.length;
    fw_free(&head);
    return ok;
}

bool update_read_image(const struct update *u, size_t index, struct fw *out,
                       struct fail *f)
{
    uint64_t start = 0, end = 0, slot_end;
    struct fw all;
    bool ok;

    if (u->d->alt[index].has_layout) {
        if (!place_slot(u->d, index, &start, &end))
            return fail(f, FAIL_UNFIT, "nothing of the device can be written");
        slot_end = end;
        if (!read_stamp(u, index, start, &end, f))
            return false;
        if (end == start)
            return true;
        if (end < slot_end)
            return update_read(u, index, start, end, out, f);
    }
    fw_init(&all);
    ok = update_read(u, index, start, end, &all, f);
    if (ok && fw_span(&all, &start, &end))
        ok = copy_range(&all, start, trim(u->d, &all, start, end), out, f);
    fw_free(&all);
    return ok;
}

/* ---- verify ---- */

struct verifying {
    const struct fw *fw;
    update_differ *differ;
    void *ctx;
    uint64_t count;
    uint32_t first;
    uint8_t is; /* there */
};

static bool judge(void *ctx, uint32_t addr, const uint8_t *data, size_t n,
                  struct fail *f)
{
    struct verifying *v = ctx;
    uint32_t first = addr;
    size_t count =
        update_compare(v->fw, addr, data, n, &first, v->differ, v->ctx);

    (void)f;
    if (count && !v->count) {
        v->first = first;
        v->is = data[first - addr];
    }
    v->count += count;
    return true;
}

/* Piece by piece: what lies between does not matter. */
static bool verify_pieces(struct reading *r, const struct fw *fw, size_t index,
                          struct fail *f)
{
    uint64_t at, end;

    for (at = fw_find(fw, 0, true); at < FW_END; at = fw_find(fw, end, true)) {
        end = fw_find(fw, at, false);
        r->total += end - at;
        if (!check_readable(r->u, index, at, end, f))
            return false;
    }
    for (at = fw_find(fw, 0, true); at < FW_END; at = fw_find(fw, end, true)) {
        end = fw_find(fw, at, false);
        if (!read_range(r, at, end, f))
            return false;
    }
    return true;
}

bool update_verify(const struct update *u, const struct fw *fw, size_t index,
                   update_differ *differ, void *ctx, struct fail *f)
{
    struct verifying v = {.fw = fw, .differ = differ, .ctx = ctx};
    struct reading r = {
        .u = u, .phase = UPDATE_VERIFY, .take = judge, .ctx = &v};
    uint64_t start = 0, end = 0;
    bool ok = begin_reading(&r, index, f);

    fw_span(fw, &start, &end);
    if (ok && u->d->alt[index].has_layout) {
        ok = verify_pieces(&r, fw, index, f);
    } else if (ok) {
        r.total = end - start;
        ok = read_plain(&r, start, end, f);
        if (ok && r.done < r.total)
            ok = fail(f, FAIL_DIFFERS,
                      "the device has %llu bytes, the file %llu",
                      (unsigned long long)r.done, (unsigned long long)r.total);
    }
    ok = end_reading(&r, ok, f);
    return ok && v.count ? report_difference(v.first, v.count, v.is, fw, f)
                         : ok;
}

/* ---- erase ---- */

static bool erase_range(const struct update *u, const struct layout *l,
                        uint64_t start, uint64_t end, struct update_result *r,
                        struct fail *f)
{
    uint64_t at = start;
    struct layout_sector s;

    while (at < end && layout_at(l, at, &s)) {
        if (!update_go_on(u, f) || !dfuse_erase(u->d, s.start, f))
            return false;
        at = (uint64_t)s.start + s.size;
        r->erased += s.size;
        update_tell(u, UPDATE_ERASE, at < end ? at - start : end - start,
                    end - start);
    }
    /* One that erases when the host is done is waited for. */
    return dfu_idle(u->d, f) && dfuse_set_address(u->d, (uint32_t)start, f) &&
           dfu_idle(u->d, f);
}

/* All of a board that we know: its mass erase leaves the bootloader alone,
 * which that of others may not. */
static bool erase_all(const struct update *u, uint64_t start, uint64_t end,
                      struct update_result *r, struct fail *f)
{
    update_tell(u, UPDATE_ERASE, 0, end - start);
    if (!dfuse_mass_erase(u->d, f))
        return false;
    r->erased = end - start;
    update_tell(u, UPDATE_ERASE, end - start, end - start);
    return dfu_idle(u->d, f);
}

bool update_erase(const struct update *u, size_t index, uint64_t start,
                  uint64_t end, struct update_result *r, struct fail *f)
{
    const struct layout *l = &u->d->alt[index].layout;
    bool all = !end, ok;
    uint64_t bad;

    memset(r, 0, sizeof(*r));
    if (!u->d->alt[index].has_layout)
        return fail(f, FAIL_DEVICE, "plain DFU has no erase command");
    if (all && !layout_area(l, LAYOUT_ERASE | LAYOUT_WRITE, &start, &end))
        return fail(f, FAIL_UNFIT, "nothing of the device can be erased");
    bad = layout_outside(l, start, end, LAYOUT_ERASE | LAYOUT_WRITE);
    if (bad < end)
        return fail(f, FAIL_UNFIT, "0x%08X cannot be erased on this device",
                    (uint32_t)bad);
    if (u->dry_run)
        return true;
    ok = dfu_begin(u->d, index, f) &&
         (all && u->d->board ? erase_all(u, start, end, r, f)
                             : erase_range(u, l, start, end, r, f));
    if (!ok)
        update_recover(u, f);
    return ok;
}

/* ---- start ---- */

bool update_reboot(const struct update *u, struct fail *f)
{
    struct device *d = u->d;
    struct dfu_reply s;
    uint64_t start = 0, end;
    int error;

    if (d->runtime)
        return dfu_detach(d, f);
    if (!dfu_begin(d, 0, f))
        return false;
    if (d->alt[0].has_layout) {
        place_slot(d, 0, &start, &end);
        return dfuse_leave(d, (uint32_t)start, &s, f);
    }
    error = d->t->ops->reset(d->t); /* DFU 1.1 clause 7 */
    return error >= 0 || error == TRANSPORT_GONE ||
           device_fail(error, "a bus reset", f);
}
