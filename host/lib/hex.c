/* SPDX-License-Identifier: MIT */
/* hex.c - see hex.h. */
#include "hex.h"

#include "record.h"

#include <string.h>

enum record_type {
    DATA = 0,
    END = 1,
    SEGMENT_BASE = 2,
    SEGMENT_START = 3,
    LINEAR_BASE = 4,
    LINEAR_START = 5,
};

/* Length, address (2), type, data, checksum. */
#define DATA_AT 4

struct hex_reader {
    struct record_reader in;
    uint32_t base;   /* of the last type 02 or 04 record */
    uint32_t window; /* offsets wrap at its end: 64 K or, as 0, 4 G */
    bool ended;
};

#define BAD(r, ...) RECORD_BAD(&(r)->in, __VA_ARGS__)

/* The bytes of a record add up to 0. */
static bool check_record(struct hex_reader *r, size_t n)
{
    const uint8_t *record = r->in.bytes;
    uint8_t sum = (uint8_t)-record_sum(record, n - 1);

    if (n != DATA_AT + record[0] + 1u)
        return BAD(r, "the record has %zu data bytes, its length says %u",
                   n - DATA_AT - 1, record[0]);
    if (record[n - 1] != sum)
        return BAD(r, "the checksum is 0x%02X, expected 0x%02X", record[n - 1],
                   sum);
    return true;
}

/* Offsets wrap: at 64 K behind a segment base, at 4 G behind a linear one
 * (specification, "Data Record": (DRLO + DRI) MOD 64K or MOD 4G). */
static bool data_record(struct hex_reader *r, uint32_t offset, size_t n)
{
    const uint8_t *data = r->in.bytes + DATA_AT;
    uint64_t room =
        r->window ? r->window - offset : FW_END - (uint32_t)(r->base + offset);
    size_t part = n < room ? n : (size_t)room;

    if (!record_add(&r->in, r->base + offset, data, part))
        return false;
    return n == part ||
           record_add(&r->in, r->window ? r->base : 0, data + part, n - part);
}

static void set_entry(struct hex_reader *r, uint32_t entry)
{
    r->in.fw->has_entry = true;
    r->in.fw->entry = entry;
}

static bool special_record(struct hex_reader *r, enum record_type type)
{
    static const uint8_t length_of[] = {
        [END] = 0,         [SEGMENT_BASE] = 2, [SEGMENT_START] = 4,
        [LINEAR_BASE] = 2, [LINEAR_START] = 4,
    };
    const uint8_t *data = r->in.bytes + DATA_AT;

    if (type > LINEAR_START)
        return BAD(r, "record type 0x%02X, expected 00 to 05", (unsigned)type);
    if (r->in.bytes[0] != length_of[type])
        return BAD(r, "a record of type 0%u has %u data bytes, expected %u",
                   (unsigned)type, r->in.bytes[0], length_of[type]);
    switch (type) {
    case SEGMENT_BASE:
        r->base = record_number(data, 2) << 4;
        r->window = 0x10000;
        break;
    case LINEAR_BASE:
        r->base = record_number(data, 2) << 16;
        r->window = 0;
        break;
    case SEGMENT_START: /* CS:IP */
        set_entry(r,
                  (record_number(data, 2) << 4) + record_number(data + 2, 2));
        break;
    case LINEAR_START:
        set_entry(r, record_number(data, 4));
        break;
    default:
        r->ended = true;
        break;
    }
    return true;
}

static bool take_line(void *reader, const char *text, size_t length)
{
    struct hex_reader *r = reader;
    const uint8_t *record = r->in.bytes;
    size_t n = 0;

    if (r->ended)
        return BAD(r, "there is more behind the end record");
    if (text[0] != ':')
        return BAD(r, "the line does not start with ':'");
    if (!record_decode(&r->in, text, length, 1, DATA_AT + 1, RECORD_MAX, &n) ||
        !check_record(r, n))
        return false;
    if (record[3] == DATA)
        return data_record(r, record_number(record + 1, 2), record[0]);
    return special_record(r, record[3]);
}

bool hex_read(struct fw *fw, FILE *file, const char *name, struct fail *f)
{
    struct hex_reader r = {.in = {.fw = fw, .f = f, .name = name}};

    if (!record_lines(&r.in, file, take_line, &r))
        return false;
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
    uint8_t record[RECORD_MAX] = {(uint8_t)n, (uint8_t)(offset >> 8),
                                  (uint8_t)offset, (uint8_t)type};

    memcpy(record + DATA_AT, data, n);
    n += DATA_AT;
    record[n] = (uint8_t)-record_sum(record, n);
    record_write(file, ":", record, n + 1);
}

/* The n most significant bytes of a number. */
static void write_number(FILE *file, enum record_type type, uint32_t number,
                         size_t n)
{
    uint8_t bytes[4];

    record_put_number(bytes, sizeof(bytes), number);
    write_record(file, type, 0, bytes, n);
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
            write_number(file, LINEAR_BASE, (uint32_t)at, 2);
        }
        fw_get(fw, at, data, n, 0xFF);
        write_record(file, DATA, at & 0xFFFF, data, n);
        at += n;
    }
    if (fw->has_entry)
        write_number(file, LINEAR_START, fw->entry, 4);
    write_record(file, END, 0, (const uint8_t *)"", 0);
}
