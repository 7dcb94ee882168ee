/* SPDX-License-Identifier: MIT */
/* merge.c - see merge.h. */
#include "merge.h"

#include <inttypes.h>
#include <string.h>

static uint8_t byte_at(const struct fw *fw, uint64_t addr)
{
    uint8_t byte;

    fw_get(fw, addr, &byte, 1, 0);
    return byte;
}

/* The bytes for an alternate setting, NULL where there are none. */
static const struct fw *find_alternate(const struct fw *fw, uint8_t alternate)
{
    while (fw && fw->alternate != alternate)
        fw = fw->next;
    return fw;
}

/* Which of the first i parts has a byte at an address? */
static const struct merge_part *owner(const struct merge_part *parts, size_t i,
                                      uint8_t alternate, uint64_t addr)
{
    while (i-- > 0) {
        const struct fw *fw = find_alternate(&parts[i].fw, alternate);

        if (fw && fw_find(fw, addr, true) == addr)
            return &parts[i];
    }
    return NULL;
}

/* First address from [from, to) where both have a byte and it differs, or
 * `to`. */
static uint64_t difference(const struct fw *a, const struct fw *b,
                           uint64_t from, uint64_t to)
{
    while ((from = fw_find(b, from, true)) < to) {
        uint64_t end = fw_find(b, from, false);

        if (end > to)
            end = to;
        for (; from < end; from++) {
            if (byte_at(a, from) != byte_at(b, from))
                return from;
        }
    }
    return to;
}

static bool add_bytes(struct fw *into, const struct fw *fw,
                      const struct merge_part *parts, size_t i, struct fail *f)
{
    uint64_t end;

    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; at = end) {
        uint8_t block[16 * FW_PAGE];
        uint64_t differs;

        end = fw_find(fw, at, false);
        if (end - at > sizeof(block))
            end = at + sizeof(block);
        differs = difference(fw, into, at, end);
        if (differs < end)
            return fail(f, FAIL_UNFIT,
                        "%s: 0x%02X at 0x%08" PRIX64 ", where %s has 0x%02X: "
                        "they overlap",
                        parts[i].path, byte_at(fw, differs), differs,
                        owner(parts, i, fw->alternate, differs)->path,
                        byte_at(into, differs));
        fw_get(fw, at, block, (size_t)(end - at), 0xFF);
        if (!fw_add(into, (uint32_t)at, block, (size_t)(end - at), f))
            return fail_at(f, "%s: ", parts[i].path);
    }
    return true;
}

static bool add_family(struct fw *into, const struct merge_part *parts,
                       size_t i, struct fail *f)
{
    const struct fw *fw = &parts[i].fw;

    if (!fw->has_family)
        return true;
    for (size_t k = 0; k < i; k++) {
        if (parts[k].fw.has_family && parts[k].fw.family != fw->family)
            return fail(f, FAIL_UNFIT,
                        "%s: the file is for family 0x%08X, %s for 0x%08X",
                        parts[i].path, fw->family, parts[k].path,
                        parts[k].fw.family);
    }
    fw_set_family(into, fw->family);
    return true;
}

static bool has_ids(const struct fw *fw)
{
    return fw->vid != FW_ANY_ID || fw->pid != FW_ANY_ID;
}

static bool add_ids(struct fw *into, const struct merge_part *parts, size_t i,
                    struct fail *f)
{
    const struct fw *fw = &parts[i].fw;

    if (!has_ids(fw))
        return true;
    for (size_t k = 0; k < i; k++) {
        const struct fw *other = &parts[k].fw;

        if (has_ids(other) && (other->vid != fw->vid || other->pid != fw->pid))
            return fail(f, FAIL_UNFIT,
                        "%s: the file is for device %04X:%04X, %s for "
                        "%04X:%04X",
                        parts[i].path, fw->vid, fw->pid, parts[k].path,
                        other->vid, other->pid);
    }
    into->vid = fw->vid;
    into->pid = fw->pid;
    into->bcd_device = fw->bcd_device;
    return true;
}

bool merge_add(struct fw *into, const struct merge_part *parts, size_t i,
               struct fail *f)
{
    const struct fw *fw = &parts[i].fw;

    if (!add_family(into, parts, i, f) || !add_ids(into, parts, i, f))
        return false;
    if (!into->has_entry && fw->has_entry) {
        into->has_entry = true;
        into->entry = fw->entry;
    }
    if (i == 0)
        into->alternate = fw->alternate;
    into->placed = true;
    for (; fw; fw = fw->next) {
        struct fw *to = fw_at_alternate(into, fw->alternate, f);

        if (!to || !add_bytes(to, fw, parts, i, f))
            return false;
        to->placed = true;
        if (!to->name[0])
            strcpy(to->name, fw->name);
    }
    return true;
}
