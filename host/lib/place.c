/* SPDX-License-Identifier: MIT */
/* place.c - see place.h. */
#include "place.h"

#include "fit.h"
#include "img.h"
#include "stamp.h"
#include "vec.h"

#include <stdlib.h>

bool place_slot(const struct device *d, size_t index, uint64_t *start,
                uint64_t *end)
{
    if (d->alt[index].has_layout)
        return layout_area(&d->alt[index].layout, LAYOUT_WRITE, start, end);
    *start = d->board ? board_info_slot_start(d->board) : 0;
    *end = d->board ? board_info_slot_end(d->board) : 0;
    return d->board;
}

/* ---- to its place ---- */

/* All of fw, so much higher. */
static bool copy(const struct fw *fw, uint64_t up, struct fw *out,
                 struct fail *f)
{
    uint8_t *part = malloc(FW_PAGE);
    uint64_t at = fw_find(fw, 0, true);
    bool ok = part || fail(f, FAIL_SYSTEM, "no memory");

    while (ok && at < FW_END) {
        uint64_t n = fw_find(fw, at, false) - at;

        if (n > FW_PAGE)
            n = FW_PAGE;
        if (at + up + n > FW_END) {
            ok = fail(f, FAIL_UNFIT, "the data goes past address 0xFFFFFFFF");
            break;
        }
        fw_get(fw, at, part, n, 0xFF);
        ok = fw_add(out, (uint32_t)(at + up), part, n, f);
        at = fw_find(fw, at + n, true);
    }
    free(part);
    return ok;
}

/* A .dfu file says for which device it is. */
static bool check_ids(const struct device *d, const struct fw *fw,
                      struct fail *f)
{
    if ((fw->format != FW_DFUSE && fw->format != FW_DFU) ||
        ((fw->vid == FW_ANY_ID || fw->vid == d->vid) &&
         (fw->pid == FW_ANY_ID || fw->pid == d->pid)))
        return true;
    return fail(f, FAIL_UNFIT,
                "the file is for USB device %04x:%04x, this one is %04x:%04x",
                fw->vid, fw->pid, d->vid, d->pid);
}

/* The alternate setting with this number, which the file asks for. */
static bool numbered_alt(const struct device *d, const struct fw *fw,
                         size_t *index, struct fail *f)
{
    for (*index = 0; *index < d->alts; ++*index) {
        if (d->alt[*index].number == fw->alternate)
            return true;
    }
    *index = 0;
    return fail(f, FAIL_UNFIT,
                "the file is for alternate setting %u, which the device does "
                "not have",
                fw->alternate);
}

/* The memory that an address is in. */
static bool find_alt(const struct device *d, uint64_t addr, size_t *index,
                     struct fail *f)
{
    struct layout_sector s;

    for (*index = 0; *index < d->alts; ++*index) {
        const struct device_alt *a = &d->alt[*index];

        if (!a->has_layout || layout_at(&a->layout, addr, &s))
            return true;
    }
    *index = 0;
    return fail(f, FAIL_UNFIT,
                "address 0x%08X is in no memory of the device: it has '%s'",
                (uint32_t)addr, d->alt[0].name);
}

/* Where data goes that says nothing about it. */
static bool find_base(const struct device *d, const uint32_t *address,
                      uint64_t *base, struct fail *f)
{
    uint64_t end;

    if (address)
        *base = *address;
    else if (!place_slot(d, 0, base, &end) && d->dfuse)
        return fail(f, FAIL_UNFIT, "nothing of the device can be written");
    return true;
}

static bool put(const struct device *d, const struct fw *fw,
                const uint32_t *address, struct fw *out, size_t *index,
                struct fail *f)
{
    uint64_t start, end, base = 0;

    if (!fw_span(fw, &start, &end))
        return fail(f, FAIL_UNFIT, "there is no data");
    if (!check_ids(d, fw, f))
        return false;
    if (!fw->placed && !find_base(d, address, &base, f))
        return false;
    if (!copy(fw, base, out, f))
        return false;
    out->format = fw->format;
    out->placed = true;
    out->has_family = fw->has_family;
    out->family = fw->family;
    if (fw->format == FW_DFUSE)
        return numbered_alt(d, fw, index, f);
    return find_alt(d, start + base, index, f);
}

bool place_data(const struct device *d, const struct fw *fw,
                const uint32_t *address, struct fw *out, size_t *index,
                struct fail *f)
{
    struct stamp stamp;
    uint64_t start, end;

    if (!put(d, fw, address, out, index, f))
        return false;
    fw_span(out, &start, &end);
    /* The stamp's CRC counts gaps as 0xFF. */
    if (stamp_get(out, start, &stamp) && stamp.length <= STAMP_MAX_SIZE &&
        start + stamp.length <= FW_END)
        return fw_fill(out, start, start + stamp.length, 0xFF, f);
    return true;
}

/* ---- does it fit? ---- */

/* Something of it lies where nothing can be written. */
static bool outside(const struct device *d, size_t index, const struct fw *fw,
                    uint64_t at, struct fail *f)
{
    const struct layout *l = &d->alt[index].layout;
    struct layout_sector s;
    uint64_t from = 0, to = 0, start, end;

    layout_area(l, LAYOUT_WRITE, &from, &to);
    fw_span(fw, &start, &end);
    if (from <= start && start < to && at == to)
        return fail(f, FAIL_UNFIT,
                    "the image has %llu bytes from 0x%08X on, the device has "
                    "room for %llu",
                    (unsigned long long)(end - start), (uint32_t)start,
                    (unsigned long long)(to - start));
    if (layout_at(l, at, &s) && at < from)
        return fail(f, FAIL_UNFIT,
                    "0x%08X is the bootloader's flash, which is read-only: "
                    "the application's is 0x%08X to 0x%08X",
                    (uint32_t)at, (uint32_t)from, (uint32_t)(to - 1));
    return fail(f, FAIL_UNFIT,
                "0x%08X cannot be written on this device, only 0x%08X to "
                "0x%08X",
                (uint32_t)at, (uint32_t)from, (uint32_t)(to - 1));
}

static bool check_layout(const struct device *d, size_t index,
                         const struct fw *fw, struct fail *f)
{
    uint64_t at = fw_find(fw, 0, true);

    while (d->alt[index].has_layout && at < FW_END) {
        uint64_t end = fw_find(fw, at, false);
        uint64_t bad =
            layout_outside(&d->alt[index].layout, at, end, LAYOUT_WRITE);

        if (bad < end)
            return outside(d, index, fw, bad, f);
        at = fw_find(fw, end, true);
    }
    return true;
}

static bool check_product(const struct device *d, const struct fw *fw,
                          uint64_t start, struct fail *f)
{
    struct stamp s;

    if (!stamp_get(fw, start, &s) || !s.product ||
        s.product == d->board->product)
        return true;
    return fail(f, FAIL_UNFIT,
                "the image is for product 0x%08X, the device is %s, product "
                "0x%08X",
                s.product, d->board->name, d->board->product);
}

static bool check_stamp(const struct fw *fw, uint64_t start, uint64_t end,
                        struct fail *f)
{
    struct stamp s;

    if (!stamp_get(fw, start, &s))
        return true;
    if (s.length < IMG_HEADER_SIZE || s.length % 4 || s.length > end - start)
        return fail(f, FAIL_UNFIT, "the stamp says %u bytes, the file has %llu",
                    s.length, (unsigned long long)(end - start));
    if (stamp_crc(fw, start, s.length) != s.crc)
        return fail(f, FAIL_UNFIT,
                    "the image is damaged: its stamp has CRC 0x%08X, the data "
                    "0x%08X",
                    s.crc, stamp_crc(fw, start, s.length));
    return true;
}

/* What can be said of a board whose bootloader we know: it starts what lies
 * at the start of its slot. */
static bool check_board(const struct device *d, size_t index,
                        const struct fw *fw, uint64_t start, uint64_t end,
                        struct fail *f)
{
    uint64_t from, to;

    if (!check_product(d, fw, start, f) ||
        !fit_board(fw, start, end, d->board, f))
        return false;
    if (d->dfuse && place_slot(d, index, &from, &to) && start != from)
        return fail(f, FAIL_UNFIT,
                    "the image starts at 0x%08X, this device's applications "
                    "start at 0x%08X: link it for that",
                    (uint32_t)start, (uint32_t)from);
    return vec_check(fw, start, end, d->board, f);
}

bool place_image(const struct device *d, const struct fw *fw,
                 const uint32_t *address, struct fw *out, size_t *index,
                 struct fail *f)
{
    uint64_t start = 0, end = 0, data_end;

    if (!put(d, fw, address, out, index, f))
        return false;
    fw_span(out, &start, &data_end);
    if (!check_layout(d, *index, out, f) ||
        !check_stamp(out, start, data_end, f))
        return false;
    if (d->board && !check_board(d, *index, out, start, data_end, f))
        return false;
    fw_free(out);
    fw_init(out);
    if (!place_data(d, fw, address, out, index, f))
        return false;
    fw_span(out, &start, &end);
    /* A stamp that claims more than there is would reach further. */
    return check_layout(d, *index, out, f);
}
