/* SPDX-License-Identifier: MIT */
/* record.c - see record.h. */
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

bool record_place(const struct record_reader *r)
{
    return fail_at(r->f, "%s:%lu: ", r->name, r->line);
}

/* One more than the value of a digit, 0 for what is none. */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
    ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12,
    ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool is_blank(char c)
{
    return c == '\r' || c == '\n' || c == ' ' || c == '\t';
}

bool record_lines(struct record_reader *r, FILE *file,
                  bool (*take)(void *reader, const char *text, size_t length),
                  void *reader)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    bool ok = true;

    while (ok && (n = getline(&text, &room, file)) >= 0) {
        size_t length = (size_t)n;

        r->line++;
        while (length > 0 && is_blank(text[length - 1]))
            length--;
        ok = length == 0 || take(reader, text, length);
    }
    free(text);
    if (ok && ferror(file))
        return RECORD_BAD(r, "cannot be read");
    return ok;
}

/* Which of them is no digit? */
static bool bad_digit(struct record_reader *r, const char *text, size_t from)
{
    while (digit_values[(uint8_t)text[from]])
        from++;
    return RECORD_BAD(r, "column %zu is not a hexadecimal digit", from + 1);
}

bool record_decode(struct record_reader *r, const char *text, size_t length,
                   size_t from, size_t least, size_t most, size_t *n)
{
    size_t digits = length - from;
    const uint8_t *p = (const uint8_t *)text + from;

    *n = digits / 2;
    for (size_t i = 0; i < *n && i < most; i++, p += 2) {
        uint8_t high = digit_values[p[0]], low = digit_values[p[1]];

        if (!high || !low)
            return bad_digit(r, text, from);
        r->bytes[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    if (digits % 2 && !digit_values[(uint8_t)text[length - 1]])
        return bad_digit(r, text, length - 1);
    if (digits % 2 || *n < least || *n > most)
        return RECORD_BAD(r,
                          "%zu digits, expected an even number from %zu to %zu",
                          digits, 2 * least, 2 * most);
    return true;
}

bool record_add(struct record_reader *r, uint64_t addr, const uint8_t *data,
                size_t n)
{
    return fw_add(r->fw, (uint32_t)addr, data, n, r->f) || record_place(r);
}

uint8_t record_sum(const uint8_t *bytes, size_t n)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

uint32_t record_number(const uint8_t *bytes, size_t n)
{
    uint32_t number = 0;

    for (size_t i = 0; i < n; i++)
        number = number << 8 | bytes[i];
    return number;
}

void record_put_number(uint8_t *bytes, size_t n, uint32_t number)
{
    for (size_t i = n; i-- > 0; number >>= 8)
        bytes[i] = (uint8_t)number;
}

void record_write(FILE *file, const char *head, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    char line[2 + 2 * RECORD_MAX + 1];
    size_t length = strlen(head); /* 1 or 2 */
    char *p = line + length;

    memcpy(line, head, length);
    for (size_t i = 0; i < n; i++) {
        *p++ = digits[bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
    }
    *p++ = '\n';
    fwrite(line, 1, (size_t)(p - line), file);
}
