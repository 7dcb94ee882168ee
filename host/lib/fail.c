/* SPDX-License-Identifier: MIT */
/* fail.c - see fail.h. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool fail(struct fail *f, enum fail_code code, const char *format, ...)
{
    va_list args;

    f->code = code;
    va_start(args, format);
    vsnprintf(f->text, sizeof(f->text), format, args);
    va_end(args);
    return false;
}

bool fail_at(struct fail *f, const char *format, ...)
{
    char rest[sizeof(f->text)];
    va_list args;
    int n;

    memcpy(rest, f->text, sizeof(rest));
    va_start(args, format);
    n = vsnprintf(f->text, sizeof(f->text), format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof(f->text))
        snprintf(f->text + n, sizeof(f->text) - (size_t)n, "%s", rest);
    return false;
}
