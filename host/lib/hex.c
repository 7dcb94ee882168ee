/* SPDX-License-Identifier: MIT */
/* hex.c - see hex.h. */
#include "hex.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/types.h>

enum record_type {
    DATA = 0,
    END = 1,
    SEGMENT_BASE = 2,
    SEGMENT_START = 3,
    LINEAR_BASE = 4,
    LINEAR_START = 5,
};

/* Length, address (2), type, data (up to 255), checksum. */
#define RECORD_MAX (1 + 2 + 1 + 255 + 1)
#define DATA_AT    4

struct hex_reader {
    struct fw *fw;
    struct fail *f;
    const char *name;
    unsigned long line;
    uint32_t base;   /* of the last type 02 or 04 record */
    uint32_t window; /* offsets wrap at its end: 64 K or, as 0, 4 G */
    bool ended;
    uint8_t record[RECORD_MAX];
};

#define BAD(r, ...)                                                            \
    (fail((r)->f, FAIL_INPUT, __VA_ARGS__),                                    \
     fail_at((r)->f, "%s:%lu: ", (r)->name, (r)->line))

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* ":10..." into r->record; *n is the number of bytes. */
static bool decode_line(struct hex_reader *r, const char *text, size_t length,
                        size_t *n)
{
    if (text[0] != ':')
        return BAD(r, "the line does not start with ':'");
    text++;
    length--;
    for (size_t i = 0; i < length; i++) {
        if (digit_value(text[i]) < 0)
            return BAD(r, "column %zu is not a hexadecimal digit", i + 2);
    }
    if (length % 2 || length < 2 * (DATA_AT + 1) || length > 2 * RECORD_MAX)
        return BAD(r, "%zu digits, expected an even number from 10 to %d",
                   length, 2 * RECORD_MAX);
    *n = length / 2;
    for (size_t i = 0; i < *n; i++)
        r->record[i] = (uint8_t)(digit_value(text[2 * i]) * 16 +
                                 digit_value(text[2 * i + 1]));
    return true;
}

/* The bytes of a record add up to 0. */
static bool check_record(struct hex_reader *r, size_t n)
{
    size_t length = r->record[0];
    uint8_t sum = 0;

    if (n != DATA_AT + length + 1)
        return BAD(r, "the record has %zu data bytes, its length says %zu",
                   n - DATA_AT - 1, length);
    for (size_t i = 0; i < n - 1; i++)
        sum = (uint8_t)(sum + r->record[i]);
    sum = (uint8_t)(0x100 - sum);
    if (r->record[n - 1] != sum)
        return BAD(r, "the checksum is 0x%02X, expected 0x%02X",
                   r->record[n - 1], sum);
    return true;
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static bool add_data(struct hex_reader *r, uint32_t addr, const uint8_t *data,
                     size_t n)
{
    if (fw_add(r->fw, addr, data, n, r->f))
        return true;
    return fail_at(r->f, "%s:%lu: ", r->name, r->line);
}

/* Offsets wrap: at 64 K behind a segment base, at 4 G behind a linear one
 * (specification, "Data Record": (DRLO + DRI) MOD 64K or MOD 4G). */
static bool data_record(struct hex_reader *r, uint32_t offset, size_t n)
{
    const uint8_t *data = r->record + DATA_AT;
    uint64_t room =
        r->window ? r->window - offset : FW_END - (uint32_t)(r->base + offset);
    size_t part = n < room ? n : (size_t)room;

    if (!add_data(r, r->base + offset, data, part))
        return false;
    return n == part ||
           add_data(r, r->window ? r->base : 0, data + part, n - part);
}

static void set_entry(struct hex_reader *r, uint32_t entry)
{
    r->fw->has_entry = true;
    r->fw->entry = entry;
}

static bool special_record(struct hex_reader *r, enum record_type type)
{
    static const uint8_t length_of[] = {
        [END] = 0,         [SEGMENT_BASE] = 2, [SEGMENT_START] = 4,
        [LINEAR_BASE] = 2, [LINEAR_START] = 4,
    };
    const uint8_t *data = r->record + DATA_AT;

    if (type > LINEAR_START)
        return BAD(r, "record type 0x%02X, expected 00 to 05", (unsigned)type);
    if (r->record[0] != length_of[type])
        return BAD(r, "a record of type 0%u has %u data bytes, expected %u",
                   (unsigned)type, r->record[0], length_of[type]);
    switch (type) {
    case SEGMENT_BASE:
        r->base = be16(data) << 4;
        r->window = 0x10000;
        break;
    case LINEAR_BASE:
        r->base = be16(data) << 16;
        r->window = 0;
        break;
    case SEGMENT_START: /* CS:IP */
        set_entry(r, (be16(data) << 4) + be16(data + 2));
        break;
    case LINEAR_START:
        set_entry(r, be32(data));
        break;
    default:
        r->ended = true;
        break;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

static bool read_line(struct hex_reader *r, const char *text, size_t length)
{
    size_t n = 0;

    while (length > 0 && is_blank(text[length - 1]))
        length--;
    if (length == 0)
        return true;
    if (r->ended)
        return BAD(r, "there is more behind the end record");
    if (!decode_line(r, text, length, &n) || !check_record(r, n))
        return false;
    if (r->record[3] == DATA)
        return data_record(r, be16(r->record + 1), r->record[0]);
    return special_record(r, r->record[3]);
}

bool hex_read(struct fw *fw, FILE *file, const char *name, struct fail *f)
{
    struct hex_reader r = {.fw = fw, .f = f, .name = name};
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    bool ok = true;

    while (ok && (length = getline(&text, &room, file)) >= 0) {
        r.line++;
        ok = read_line(&r, text, (size_t)length);
    }
    free(text);
    if (!ok)
        return false;
    if (ferror(file))
        return fail(f, FAIL_INPUT, "%s: cannot be read", name);
    if (!r.ended)
        return BAD(&r, "the end record \":00000001FF\" is missing, the file "
                       "may be cut short");
    fw->format = FW_HEX;
    fw->placed = true;
    return true;
}

static void write_record(FILE *file, enum record_type type, uint32_t offset,
                         const uint8_t *data, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t head[DATA_AT] = {(uint8_t)n, (uint8_t)(offset >> 8),
                             (uint8_t)offset, (uint8_t)type};
    char line[2 * RECORD_MAX + 2];
    char *p = line;
    uint8_t sum = 0;

    *p++ = ':';
    for (size_t i = 0; i < DATA_AT + n + 1; i++) {
        uint8_t byte = i < DATA_AT       ? head[i]
                       : i < DATA_AT + n ? data[i - DATA_AT]
                                         : (uint8_t)(0x100 - sum);

        sum = (uint8_t)(sum + byte);
        *p++ = digits[byte >> 4];
        *p++ = digits[byte & 15];
    }
    *p++ = '\n';
    fwrite(line, 1, (size_t)(p - line), file);
}

static void write_base(FILE *file, uint32_t addr)
{
    uint8_t base[2] = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16)};

    write_record(file, LINEAR_BASE, 0, base, sizeof(base));
}

static void write_entry(FILE *file, uint32_t entry)
{
    uint8_t start[4] = {(uint8_t)(entry >> 24), (uint8_t)(entry >> 16),
                        (uint8_t)(entry >> 8), (uint8_t)entry};

    write_record(file, LINEAR_START, 0, start, sizeof(start));
}

void hex_write(const struct fw *fw, FILE *file)
{
    uint32_t base = 0; /* in force at the start of a file */
    uint64_t end = 0;

    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END;) {
        uint8_t data[16];
        size_t n = 16 - at % 16;

        if (at >= end)
            end = fw_find(fw, at, false);
        if (end - at < n)
            n = (size_t)(end - at);
        if (at >> 16 != base) {
            base = (uint32_t)(at >> 16);
            write_base(file, (uint32_t)at);
        }
        fw_get(fw, at, data, n, 0xFF);
        write_record(file, DATA, at & 0xFFFF, data, n);
        at += n;
    }
    if (fw->has_entry)
        write_entry(file, fw->entry);
    write_record(file, END, 0, NULL, 0);
}
