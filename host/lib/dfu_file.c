/* SPDX-License-Identifier: MIT */
/* dfu_file.c - see dfu_file.h.  "Clauses" are UM0391's. */
#include "dfu_file.h"

#include "bytes.h"
#include "img.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Clause 2.1, DFU prefix: "DfuSe", version, size, number of targets. */
#define PREFIX_SIZE     11u
#define PREFIX_VERSION  5u
#define PREFIX_LENGTH   6u
#define PREFIX_TARGETS  10u
#define PREFIX_REVISION 1u

/* Clause 2.3.2, target prefix: "Target", alternate setting, is it named (4
 * bytes), name, size of the elements, number of elements. */
#define TARGET_SIZE      274u
#define TARGET_ALTERNATE 6u
#define TARGET_NAMED     7u
#define TARGET_NAME      11u
#define TARGET_NAME_SIZE 255u
#define TARGET_LENGTH    266u
#define TARGET_ELEMENTS  270u

/* Clause 2.3.3, image element: address, size, data. */
#define ELEMENT_SIZE   8u
#define ELEMENT_LENGTH 4u

/* Clause 2.2 and DFU 1.1 appendix B, suffix. */
#define SUFFIX_BCD_DEVICE 0u
#define SUFFIX_PRODUCT    2u
#define SUFFIX_VENDOR     4u
#define SUFFIX_BCD_DFU    6u
#define SUFFIX_SIGNATURE  8u
#define SUFFIX_LENGTH     11u
#define SUFFIX_CRC        12u
#define BCD_DFUSE         0x011Au
#define BCD_PLAIN         0x0100u

#define BLOCK 65536u

struct dfu_reader {
    struct fw *fw;
    struct fail *f;
    const char *name;
    FILE *file;
    uint64_t at;   /* offset of what is read next */
    uint64_t size; /* of the file without its suffix */
    bool has_data; /* fw has that of the first alternate setting */
};

/* The place is an offset in the file. */
#define BAD(r, offset, ...)                                                    \
    (fail((r)->f, FAIL_INPUT, __VA_ARGS__), put_place(r, offset))

static bool put_place(const struct dfu_reader *r, uint64_t offset)
{
    return fail_at(r->f, "%s:0x%" PRIX64 ": ", r->name, offset);
}

/* ---- suffix ---- */

/* All versions of DFU are 1.x; the length may grow with them. */
bool dfu_file_has_suffix(const uint8_t tail[DFU_SUFFIX_SIZE])
{
    return !memcmp(tail + SUFFIX_SIGNATURE, "UFD", 3) &&
           tail[SUFFIX_LENGTH] >= DFU_SUFFIX_SIZE &&
           tail[SUFFIX_BCD_DFU + 1] == BCD_DFUSE >> 8;
}

bool dfu_file_is_dfuse(const uint8_t *head, size_t n)
{
    return n >= 5 && !memcmp(head, "DfuSe", 5);
}

static bool get(struct dfu_reader *r, uint8_t *to, size_t n)
{
    errno = 0;
    if (fread(to, 1, n, r->file) != n)
        return BAD(r, r->at, "cannot be read: %s",
                   errno ? strerror(errno) : "the file became shorter");
    r->at += n;
    return true;
}

static bool seek(struct dfu_reader *r, uint64_t offset)
{
    r->at = offset;
    return !fseeko(r->file, (off_t)offset, SEEK_SET) ||
           BAD(r, offset, "cannot be read: %s", strerror(errno));
}

/* The CRC is over all of the file but itself and is not inverted at its end,
 * as other CRC-32s are. */
static bool check_crc(struct dfu_reader *r, uint64_t whole, uint32_t want)
{
    uint8_t block[BLOCK];
    uint32_t crc = 0;

    if (!seek(r, 0))
        return false;
    while (r->at < whole - 4) {
        size_t n =
            whole - 4 - r->at < BLOCK ? (size_t)(whole - 4 - r->at) : BLOCK;

        if (!get(r, block, n))
            return false;
        crc = img_crc32(crc, block, (uint32_t)n);
    }
    return ~crc == want || BAD(r, whole - 4,
                               "the suffix has CRC 0x%08X, expected 0x%08X: "
                               "the file is damaged",
                               want, ~crc);
}

/* Takes ids out of the suffix and finds the size of what is before it. */
static bool read_suffix(struct dfu_reader *r, bool dfuse)
{
    uint8_t suffix[DFU_SUFFIX_SIZE];
    uint64_t whole, at;
    uint32_t bcd;

    if (fseeko(r->file, 0, SEEK_END))
        return BAD(r, 0, "cannot be read: %s", strerror(errno));
    whole = (uint64_t)ftello(r->file);
    if (whole < DFU_SUFFIX_SIZE)
        return BAD(r, 0, "cut short: %" PRIu64 " bytes, the DFU suffix has %u",
                   whole, DFU_SUFFIX_SIZE);
    at = whole - DFU_SUFFIX_SIZE;
    if (!seek(r, at) || !get(r, suffix, sizeof(suffix)))
        return false;
    if (!dfu_file_has_suffix(suffix))
        return BAD(r, at,
                   "the last %u bytes are no DFU suffix, expected \"UFD\" at "
                   "0x%" PRIX64 ": the file may be cut short",
                   DFU_SUFFIX_SIZE, at + SUFFIX_SIGNATURE);
    if (suffix[SUFFIX_LENGTH] > whole)
        return BAD(r, at + SUFFIX_LENGTH,
                   "the suffix has %u bytes, the file %" PRIu64,
                   suffix[SUFFIX_LENGTH], whole);
    bcd = get_le16(suffix + SUFFIX_BCD_DFU);
    if (dfuse && bcd != BCD_DFUSE)
        return BAD(r, at + SUFFIX_BCD_DFU,
                   "the suffix is one of DFU 0x%04X, expected 0x%04X in a "
                   "DfuSe file",
                   bcd, BCD_DFUSE);
    if (!dfuse && bcd == BCD_DFUSE)
        return BAD(r, 0,
                   "the suffix (bcdDFU 0x%04X) is a DfuSe file's, expected "
                   "\"DfuSe\" here",
                   bcd);
    r->size = whole - suffix[SUFFIX_LENGTH];
    r->fw->vid = get_le16(suffix + SUFFIX_VENDOR);
    r->fw->pid = get_le16(suffix + SUFFIX_PRODUCT);
    r->fw->bcd_device = get_le16(suffix + SUFFIX_BCD_DEVICE);
    return check_crc(r, whole, get_le32(suffix + SUFFIX_CRC)) && seek(r, 0);
}

/* ---- reading ---- */

/* Puts n bytes of the file at an address. */
static bool read_data(struct dfu_reader *r, struct fw *fw, uint64_t addr,
                      uint64_t n)
{
    uint8_t block[BLOCK];

    while (n > 0) {
        size_t part = n < BLOCK ? (size_t)n : BLOCK;
        uint64_t here = r->at;

        if (!get(r, block, part))
            return false;
        if (addr >= FW_END)
            return BAD(r, here,
                       "the data goes past the end of the address "
                       "space");
        if (!fw_add(fw, (uint32_t)addr, block, part, r->f))
            return put_place(r, here);
        addr += part;
        n -= part;
    }
    return true;
}

/* Where the data of a target goes. */
static struct fw *target_fw(struct dfu_reader *r, const uint8_t *head)
{
    struct fw *fw = r->fw;

    if (r->has_data)
        fw = fw_at_alternate(r->fw, head[TARGET_ALTERNATE], r->f);
    if (!fw)
        return NULL;
    if (!r->has_data)
        fw->alternate = head[TARGET_ALTERNATE];
    r->has_data = true;
    if (get_le32(head + TARGET_NAMED) && !fw->name[0])
        memcpy(fw->name, head + TARGET_NAME, TARGET_NAME_SIZE);
    return fw;
}

static bool read_element(struct dfu_reader *r, const uint8_t *target,
                         uint64_t end)
{
    uint64_t at = r->at;
    uint8_t head[ELEMENT_SIZE];
    uint32_t addr, n;
    struct fw *fw;

    if (end - at < ELEMENT_SIZE)
        return BAD(r, at,
                   "an element is expected, the target has %" PRIu64
                   " bytes left",
                   end - at);
    if (!get(r, head, sizeof(head)))
        return false;
    addr = get_le32(head);
    n = get_le32(head + ELEMENT_LENGTH);
    if (n > end - r->at)
        return BAD(r, at + ELEMENT_LENGTH,
                   "an element of %u bytes, the target has %" PRIu64 " left", n,
                   end - r->at);
    if (n > FW_END - addr)
        return BAD(r, at,
                   "%u bytes at 0x%08X go past the end of the address space", n,
                   addr);
    if (n == 0)
        return true;
    fw = target_fw(r, target);
    return fw ? read_data(r, fw, addr, n) : put_place(r, at);
}

static bool read_target(struct dfu_reader *r)
{
    uint64_t at = r->at, end;
    uint8_t head[TARGET_SIZE];
    uint32_t size;

    if (r->size - at < TARGET_SIZE)
        return BAD(r, at,
                   "a target is expected, which begins with %u bytes; the file "
                   "has %" PRIu64 " left",
                   TARGET_SIZE, r->size - at);
    if (!get(r, head, sizeof(head)))
        return false;
    if (memcmp(head, "Target", 6))
        return BAD(r, at, "this is no target, expected \"Target\"");
    size = get_le32(head + TARGET_LENGTH);
    if (size > r->size - r->at)
        return BAD(r, at + TARGET_LENGTH,
                   "a target of %u bytes, the file has %" PRIu64 " left", size,
                   r->size - r->at);
    end = r->at + size;
    for (uint32_t i = get_le32(head + TARGET_ELEMENTS); i > 0; i--) {
        if (!read_element(r, head, end))
            return false;
    }
    return r->at == end ||
           BAD(r, r->at,
               "%" PRIu64 " bytes behind the last of %u elements of the target",
               end - r->at, get_le32(head + TARGET_ELEMENTS));
}

/* The size counts all but the suffix.  UM0391 can be read as if it counted
 * that as well, and dfuse-pack does. */
static bool check_prefix(struct dfu_reader *r, const uint8_t *head)
{
    uint32_t size = get_le32(head + PREFIX_LENGTH);

    if (!dfu_file_is_dfuse(head, PREFIX_SIZE))
        return BAD(r, 0, "this is no DfuSe file, expected \"DfuSe\"");
    if (head[PREFIX_VERSION] != PREFIX_REVISION)
        return BAD(r, PREFIX_VERSION, "DfuSe format %u, expected %u",
                   head[PREFIX_VERSION], PREFIX_REVISION);
    if (size != r->size && size != r->size + DFU_SUFFIX_SIZE)
        return BAD(r, PREFIX_LENGTH,
                   "the file says that it has %u bytes without its suffix, "
                   "there are %" PRIu64,
                   size, r->size);
    return true;
}

bool dfu_file_read_dfuse(struct fw *fw, FILE *file, const char *name,
                         struct fail *f)
{
    struct dfu_reader r = {.fw = fw, .f = f, .name = name, .file = file};
    uint8_t head[PREFIX_SIZE];

    if (!read_suffix(&r, true))
        return false;
    if (r.size < PREFIX_SIZE)
        return BAD(&r, 0,
                   "cut short: %" PRIu64 " bytes, the DfuSe prefix has %u",
                   r.size, PREFIX_SIZE);
    if (!get(&r, head, sizeof(head)) || !check_prefix(&r, head))
        return false;
    for (unsigned i = 0; i < head[PREFIX_TARGETS]; i++) {
        if (!read_target(&r))
            return false;
    }
    if (r.at != r.size)
        return BAD(&r, r.at, "%" PRIu64 " bytes behind the last of %u targets",
                   r.size - r.at, head[PREFIX_TARGETS]);
    for (struct fw *part = fw; part; part = part->next) {
        part->format = FW_DFUSE;
        part->placed = true;
    }
    return true;
}

bool dfu_file_read_plain(struct fw *fw, FILE *file, const char *name,
                         const uint32_t *address, struct fail *f)
{
    struct dfu_reader r = {.fw = fw, .f = f, .name = name, .file = file};

    if (!read_suffix(&r, false) ||
        !read_data(&r, fw, address ? *address : 0, r.size))
        return false;
    fw->format = FW_DFU;
    fw->placed = address != NULL;
    fw->plain_dfu = true;
    return true;
}

/* ---- writing ---- */

struct dfu_writer {
    FILE *file;
    uint32_t crc;
};

static void put(struct dfu_writer *w, const uint8_t *data, size_t n)
{
    w->crc = img_crc32(w->crc, data, (uint32_t)n);
    fwrite(data, 1, n, w->file);
}

static void put_data(struct dfu_writer *w, const struct fw *fw, uint64_t from,
                     uint64_t to)
{
    uint8_t block[BLOCK];

    while (from < to) {
        size_t n = to - from < BLOCK ? (size_t)(to - from) : BLOCK;

        fw_get(fw, from, block, n, 0xFF);
        put(w, block, n);
        from += n;
    }
}

static void put_suffix(struct dfu_writer *w, const struct fw *fw, uint16_t bcd)
{
    uint8_t suffix[DFU_SUFFIX_SIZE] = {0};

    put_le16(suffix + SUFFIX_BCD_DEVICE, fw->bcd_device);
    put_le16(suffix + SUFFIX_PRODUCT, fw->pid);
    put_le16(suffix + SUFFIX_VENDOR, fw->vid);
    put_le16(suffix + SUFFIX_BCD_DFU, bcd);
    memcpy(suffix + SUFFIX_SIGNATURE, "UFD", 3);
    suffix[SUFFIX_LENGTH] = sizeof(suffix);
    put(w, suffix, SUFFIX_CRC);
    put_le32(suffix + SUFFIX_CRC, ~w->crc);
    put(w, suffix + SUFFIX_CRC, 4);
}

/* Size and number of the elements of a target. */
static void measure(const struct fw *fw, uint32_t *size, uint32_t *elements)
{
    *size = *elements = 0;
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END;) {
        uint64_t end = fw_find(fw, at, false);

        *size += ELEMENT_SIZE + (uint32_t)(end - at);
        ++*elements;
        at = end;
    }
}

static void put_target(struct dfu_writer *w, const struct fw *fw)
{
    uint8_t head[TARGET_SIZE] = "Target";
    uint32_t size, elements;

    measure(fw, &size, &elements);
    head[TARGET_ALTERNATE] = fw->alternate;
    head[TARGET_NAMED] = fw->name[0] != '\0';
    memcpy(head + TARGET_NAME, fw->name, strlen(fw->name));
    put_le32(head + TARGET_LENGTH, size);
    put_le32(head + TARGET_ELEMENTS, elements);
    put(w, head, sizeof(head));
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END;) {
        uint64_t end = fw_find(fw, at, false);
        uint8_t element[ELEMENT_SIZE];

        put_le32(element, (uint32_t)at);
        put_le32(element + ELEMENT_LENGTH, (uint32_t)(end - at));
        put(w, element, sizeof(element));
        put_data(w, fw, at, end);
        at = end;
    }
}

void dfu_file_write_dfuse(const struct fw *fw, FILE *file)
{
    struct dfu_writer w = {.file = file};
    uint8_t head[PREFIX_SIZE] = "DfuSe";
    uint32_t size = PREFIX_SIZE;

    head[PREFIX_VERSION] = PREFIX_REVISION;
    for (const struct fw *part = fw; part; part = part->next) {
        uint32_t data, elements;

        measure(part, &data, &elements);
        size += TARGET_SIZE + data;
        head[PREFIX_TARGETS]++;
    }
    put_le32(head + PREFIX_LENGTH, size);
    put(&w, head, sizeof(head));
    for (const struct fw *part = fw; part; part = part->next)
        put_target(&w, part);
    put_suffix(&w, fw, BCD_DFUSE);
}

void dfu_file_write_plain(const struct fw *fw, FILE *file)
{
    struct dfu_writer w = {.file = file};
    uint64_t start = 0, end = 0;

    fw_span(fw, &start, &end);
    put_data(&w, fw, start, end);
    put_suffix(&w, fw, BCD_PLAIN);
}
