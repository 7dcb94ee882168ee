/* SPDX-License-Identifier: MIT */
/* srec.c - see srec.h.  "S1" and its like are the manual's names for types. */
#include "srec.h"

#include "record.h"

#include <string.h>

/* Length (of all that follows), address, data, checksum. */
#define SREC_MAX    256u
#define LENGTH_MOST 255u
#define WRITE_DATA  32u /* bytes of data in a record, at most */

struct srec_reader {
    struct record_reader in;
    uint32_t count; /* of S1, S2 and S3 */
    bool ended;     /* by S7, S8 or S9 */
    bool counted;   /* the last record was S5 or S6 */
};

#define BAD(r, ...) RECORD_BAD(&(r)->in, __VA_ARGS__)

/* Bytes of the address by type; S4 is reserved. */
static size_t address_size(unsigned type)
{
    static const uint8_t sizes[10] = {2, 2, 3, 4, 0, 2, 3, 4, 3, 2};

    return sizes[type];
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

bool srec_is(const uint8_t *head, size_t n)
{
    if (n < 4 || head[0] != 'S' || !is_digit(head[1]))
        return false;
    for (size_t i = 2; i < n && head[i] != '\r' && head[i] != '\n'; i++) {
        if (!is_hex_digit(head[i]) && head[i] != ' ' && head[i] != '\t')
            return false;
    }
    return is_hex_digit(head[2]) && is_hex_digit(head[3]);
}

/* All bytes but the checksum, and that, add up to 0xFF. */
static bool check_record(struct srec_reader *r, unsigned type, size_t n)
{
    const uint8_t *record = r->in.bytes;
    uint8_t sum = (uint8_t)~record_sum(record, n - 1);

    if (record[0] != n - 1)
        return BAD(r,
                   "the record has %zu bytes behind its length, which says "
                   "%u",
                   n - 1, record[0]);
    if (record[n - 1] != sum)
        return BAD(r, "the checksum is 0x%02X, expected 0x%02X", record[n - 1],
                   sum);
    if (n < 1 + address_size(type) + 1)
        return BAD(r,
                   "an S%u record has %zu bytes behind its length, expected "
                   "%zu or more",
                   type, n - 1, address_size(type) + 1);
    if (type >= 5 && n > 1 + address_size(type) + 1)
        return BAD(r,
                   "an S%u record has %zu bytes behind its length, expected "
                   "%zu",
                   type, n - 1, address_size(type) + 1);
    return true;
}

/* The text of S0 is free; what comes first of it and can be printed is kept
 * as a name. */
static void take_header(struct fw *fw, const uint8_t *text, size_t n)
{
    size_t length = 0;

    while (length < n && text[length] >= ' ' && text[length] <= '~')
        length++;
    memcpy(fw->name, text, length);
    fw->name[length] = '\0';
}

static bool take_count(struct srec_reader *r, uint32_t count)
{
    if (count != r->count)
        return BAD(r,
                   "the count says %u data records, there are %u: lines are "
                   "missing",
                   count, r->count);
    r->counted = true;
    return true;
}

static bool take_record(struct srec_reader *r, unsigned type, size_t n)
{
    const uint8_t *record = r->in.bytes;
    size_t size = address_size(type);
    uint32_t address = record_number(record + 1, size);
    size_t data = n - 1 - size - 1;

    r->counted = false;
    switch (type) {
    case 0:
        take_header(r->in.fw, record + 1 + size, data);
        return true;
    case 1:
    case 2:
    case 3:
        r->count++;
        return record_add(&r->in, address, record + 1 + size, data);
    case 5:
    case 6:
        return take_count(r, address);
    default:
        r->in.fw->has_entry = address != 0;
        r->in.fw->entry = address;
        r->ended = true;
        return true;
    }
}

static bool take_line(void *reader, const char *text, size_t length)
{
    struct srec_reader *r = reader;
    unsigned type;
    size_t n = 0;

    if (r->ended)
        return BAD(r, "there is more behind the end record");
    if (text[0] != 'S')
        return BAD(r, "the line does not start with 'S'");
    if (length < 2 || !is_digit((uint8_t)text[1]) || text[1] == '4')
        return BAD(r, "no type of record behind 'S', expected S0 to S3 or S5 "
                      "to S9");
    type = (unsigned)(text[1] - '0');
    return record_decode(&r->in, text, length, 2, 2, SREC_MAX, &n) &&
           check_record(r, type, n) && take_record(r, type, n);
}

bool srec_read(struct fw *fw, FILE *file, const char *name, struct fail *f)
{
    struct srec_reader r = {.in = {.fw = fw, .f = f, .name = name}};

    if (!record_lines(&r.in, file, take_line, &r))
        return false;
    if (!r.ended && !r.counted)
        return BAD(&r, "the end record (S7, S8 or S9) is missing, the file may "
                       "be cut short");
    fw->format = FW_SREC;
    fw->placed = true;
    return true;
}

static void write_record(FILE *file, unsigned type, uint32_t address,
                         const void *data, size_t n)
{
    const char head[3] = {'S', (char)('0' + type), '\0'};
    size_t size = address_size(type);
    uint8_t record[SREC_MAX] = {(uint8_t)(size + n + 1)};

    record_put_number(record + 1, size, address);
    memcpy(record + 1 + size, data, n);
    n += 1 + size;
    record[n] = (uint8_t)~record_sum(record, n);
    record_write(file, head, record, n + 1);
}

/* S1, S2 or S3: the shortest addresses that hold the data and the entry. */
static unsigned data_type(const struct fw *fw)
{
    uint64_t start = 0, end = 1;
    uint32_t last;

    fw_span(fw, &start, &end);
    last = (uint32_t)(end - 1);
    if (fw->has_entry && fw->entry > last)
        last = fw->entry;
    return last < 0x10000 ? 1 : last < 0x1000000 ? 2 : 3;
}

static void write_header(const struct fw *fw, FILE *file)
{
    size_t most = LENGTH_MOST - address_size(0) - 1;
    size_t n = strlen(fw->name);

    write_record(file, 0, 0, fw->name, n < most ? n : most);
}

void srec_write(const struct fw *fw, FILE *file)
{
    unsigned type = data_type(fw);
    uint32_t count = 0;
    uint64_t end = 0;

    write_header(fw, file);
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; count++) {
        uint8_t data[WRITE_DATA];
        size_t n = WRITE_DATA - at % WRITE_DATA;

        if (at >= end)
            end = fw_find(fw, at, false);
        if (end - at < n)
            n = (size_t)(end - at);
        fw_get(fw, at, data, n, 0xFF);
        write_record(file, type, (uint32_t)at, data, n);
        at += n;
    }
    if (count < 0x1000000) /* more than S6 can say */
        write_record(file, count < 0x10000 ? 5 : 6, count, "", 0);
    write_record(file, 10 - type, fw->has_entry ? fw->entry : 0, "", 0);
}
