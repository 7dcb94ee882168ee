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

bool record_decode(struct record_reader *r, const char *text, size_t length,
                   size_t from, size_t least, size_t most, size_t *n)
{
    size_t digits = length - from;

    *n = digits / 2;
    for (size_t i = 0; i < digits; i++) {
        int value = digit_value(text[from + i]);

        if (value < 0)
            return RECORD_BAD(r, "column %zu is not a hexadecimal digit",
                              from + i + 1);
        if (i / 2 < sizeof(r->bytes))
            r->bytes[i / 2] = (uint8_t)(r->bytes[i / 2] << 4 | value);
    }
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
