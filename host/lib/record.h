/* SPDX-License-Identifier: MIT */
/*
 * record.h - lines of hexadecimal digits: what Intel HEX and S-records have
 * in common.
 */
#ifndef SALLYPORT_RECORD_H
#define SALLYPORT_RECORD_H

#include "fw.h"

#include <stdio.h>

/* Bytes of the longest record: Intel HEX has length, address (2), type, data
 * (up to 255) and checksum. */
#define RECORD_MAX 260

struct record_reader {
    struct fw *fw;
    struct fail *f;
    const char *name;
    unsigned long line; /* counts from 1 */
    uint8_t bytes[RECORD_MAX];
};

/* FAIL_INPUT with the place, as name:line, in front. */
#define RECORD_BAD(r, ...)                                                     \
    (fail((r)->f, FAIL_INPUT, __VA_ARGS__), record_place(r))
bool record_place(const struct record_reader *r); /* returns false */

/* Calls `take` with each line that is not blank, without what is blank at its
 * end, until it returns false.  `reader` is what it gets. */
bool record_lines(struct record_reader *r, FILE *file,
                  bool (*take)(void *reader, const char *text, size_t length),
                  void *reader);

/* The digits behind the first `from` characters of a line into r->bytes:
 * at least `least` bytes, at most `most`; *n is how many. */
bool record_decode(struct record_reader *r, const char *text, size_t length,
                   size_t from, size_t least, size_t most, size_t *n);

/* Adds data, which is in r->bytes. */
bool record_add(struct record_reader *r, uint64_t addr, const uint8_t *data,
                size_t n);

uint8_t record_sum(const uint8_t *bytes, size_t n);

/* Big-endian. */
uint32_t record_number(const uint8_t *bytes, size_t n);
void record_put_number(uint8_t *bytes, size_t n, uint32_t number);

/* `head`, the bytes as upper-case digits, a newline. */
void record_write(FILE *file, const char *head, const uint8_t *bytes, size_t n);

#endif
