/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct json *j, const char *text, size_t n)
{
    if (j->n + n + 1 > j->size) {
        size_t size = 2 * (j->n + n) + 256;
        char *more = j->broken ? NULL : realloc(j->text, size);

        if (!more) {
            j->broken = true;
            return;
        }
        j->text = more;
        j->size = size;
    }
    memcpy(j->text + j->n, text, n);
    j->n += n;
    j->text[j->n] = 0;
}

static void puts_(struct json *j, const char *text)
{
    put(j, text, strlen(text));
}

/* RFC 8259 clause 7.  Bytes above 0x7F are passed on: file names are UTF-8. */
static void quote(struct json *j, const char *s)
{
    char code[8];

    put(j, "\"", 1);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            put(j, "\\", 1);
            put(j, s, 1);
        } else if ((unsigned char)*s < 0x20) {
            snprintf(code, sizeof(code), "\\u%04x", *s);
            puts_(j, code);
        } else {
            put(j, s, 1);
        }
    }
    put(j, "\"", 1);
}

static void begin(struct json *j, const char *name)
{
    if (j->more)
        put(j, ",", 1);
    j->more = true;
    if (name) {
        quote(j, name);
        put(j, ":", 1);
    }
}

void json_open(struct json *j, const char *name, char bracket)
{
    begin(j, name);
    put(j, &bracket, 1);
    j->more = false;
}

void json_close(struct json *j, char bracket)
{
    put(j, &bracket, 1);
    j->more = true;
}

void json_string(struct json *j, const char *name, const char *value)
{
    begin(j, name);
    quote(j, value);
}

void json_number(struct json *j, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    begin(j, name);
    puts_(j, text);
}

void json_seconds(struct json *j, const char *name, double value)
{
    char text[40];

    snprintf(text, sizeof(text), "%.3f", value);
    begin(j, name);
    puts_(j, text);
}

void json_bool(struct json *j, const char *name, bool value)
{
    begin(j, name);
    puts_(j, value ? "true" : "false");
}

void json_hex(struct json *j, const char *name, uint32_t value, int digits)
{
    char text[16];

    snprintf(text, sizeof(text), "0x%0*X", digits, value);
    json_string(j, name, text);
}

void json_raw(struct json *j, const char *name, const char *text)
{
    begin(j, name);
    puts_(j, text);
}

const char *json_text(const struct json *j)
{
    return j->broken ? NULL : j->text;
}

void json_free(struct json *j)
{
    free(j->text);
    *j = (struct json){0};
}
