/* SPDX-License-Identifier: MIT */
/*
 * json.h - writes one JSON object (RFC 8259) into memory, so that several
 * threads can each make theirs.  Nothing fails: where memory runs out the text
 * ends early and json_text() is NULL.
 */
#ifndef SALLYPORT_JSON_H
#define SALLYPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero before the first use, json_free() after the last. */
struct json {
    char *text;
    size_t n, size;
    bool more; /* a value stands before: a comma comes first */
    bool broken;
};

/* name NULL: in an array, or the outermost. */
void json_open(struct json *j, const char *name, char bracket); /* { or [ */
void json_close(struct json *j, char bracket);                  /* } or ] */
void json_string(struct json *j, const char *name, const char *value);
void json_number(struct json *j, const char *name, uint64_t value);
void json_seconds(struct json *j, const char *name, double value);
void json_bool(struct json *j, const char *name, bool value);
/* "0x0800..." with so many digits. */
void json_hex(struct json *j, const char *name, uint32_t value, int digits);
/* Text of another one, as it is. */
void json_raw(struct json *j, const char *name, const char *text);

const char *json_text(const struct json *j);
void json_free(struct json *j);

#endif
