/* SPDX-License-Identifier: MIT */
/* fuzz.c - see fuzz.h. */
#include "fuzz.h"
#include "bytes.h"
#include "fw_same.h"
#include "img.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "does not hold: %s\n", #condition);                \
            abort();                                                           \
        }                                                                      \
    } while (0)

static FILE *open_data(const uint8_t *data, size_t size)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "rb")
                      : fopen("/dev/null", "rb");

    CHECK(file);
    return file;
}

void fuzz_check_error(const struct fail *f)
{
    CHECK(f->code == FAIL_INPUT);
    CHECK(!strncmp(f->text, "f:", 2) && f->text[2] >= '0' && f->text[2] <= '9');
    CHECK(strstr(f->text, ": "));
    CHECK(!strchr(f->text, '\n'));
}

static void check_same(const struct fw *a, const struct fw *b)
{
    for (; a && b; a = a->next, b = b->next) {
        CHECK(same(a, b));
        CHECK(a->alternate == b->alternate && !strcmp(a->name, b->name));
        CHECK(a->has_family == b->has_family && a->family == b->family);
        CHECK(a->vid == b->vid && a->pid == b->pid);
        CHECK(a->has_entry == b->has_entry &&
              (!a->has_entry || a->entry == b->entry));
    }
    CHECK(!a && !b);
}

void fuzz_format(const uint8_t *data, size_t size, fuzz_read *read,
                 fuzz_write *write)
{
    struct fail f = {0};
    struct fw fw, copy;
    FILE *file = open_data(data, size);

    fw_init(&fw);
    fw_init(&copy);
    if (!read(&fw, file, "f", &f)) {
        fuzz_check_error(&f);
    } else if (write && fw_find(&fw, 0, true) < FW_END) {
        FILE *again = tmpfile();

        CHECK(again);
        write(&fw, again);
        rewind(again);
        if (!read(&copy, again, "f", &f)) {
            fprintf(stderr, "%s\n", f.text);
            abort();
        }
        check_same(&fw, &copy);
        fclose(again);
    }
    fclose(file);
    fw_free(&fw);
    fw_free(&copy);
}

/* ---- checksums ---- */

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* Sum of the digits' bytes; -1 where one is none. */
static int sum_of(const uint8_t *text, size_t n)
{
    int sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2) {
        if (digit(text[i]) < 0 || digit(text[i + 1]) < 0)
            return -1;
        sum += digit(text[i]) * 16 + digit(text[i + 1]);
    }
    return sum;
}

static void repair_line(uint8_t *line, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = n > 0 && line[0] == 'S' ? 2 : 1;
    int sum;

    while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
        n--;
    if (n < from + 4)
        return;
    sum = sum_of(line + from, n - 2 - from);
    if (sum < 0)
        return;
    sum = from == 2 ? ~sum : -sum;
    line[n - 2] = (uint8_t)digits[sum >> 4 & 15];
    line[n - 1] = (uint8_t)digits[sum & 15];
}

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    CHECK(copy);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

uint8_t *fuzz_repair_lines(const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size);
    size_t start = 0;

    for (size_t i = 0; i <= size; i++) {
        if (i < size && copy[i] != '\n')
            continue;
        repair_line(copy + start, i - start);
        start = i + 1;
    }
    return copy;
}

uint8_t *fuzz_repair_dfu(const uint8_t *data, size_t size)
{
    uint8_t *copy = copy_of(data, size);

    if (size >= 16)
        put_le32(copy + size - 4, ~img_crc32(0, copy, (uint32_t)size - 4));
    return copy;
}
