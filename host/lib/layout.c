/* SPDX-License-Identifier: MIT */
/* layout.c - see layout.h. */
#include "layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool bad(const char *text, const char *at, const char *want,
                struct fail *f)
{
    return fail(f, FAIL_DEVICE,
                "the device's memory layout '%s' cannot be read: %s expected "
                "at character %zu",
                text, want, (size_t)(at - text) + 1);
}

/* Decimal digits; false: there are none, or the number is too large. */
static bool number(const char **p, uint64_t *value)
{
    const char *start = *p;

    for (*value = 0; isdigit((unsigned char)**p); ++*p) {
        *value = *value * 10 + (uint64_t)(**p - '0');
        if (*value > UINT32_MAX)
            return false;
    }
    return *p > start;
}

/* n*sizeMt: unit M is one of ' ', 'B', 'K', 'M'; some devices leave it out. */
static bool take_run(const char *text, const char **p, uint64_t *at,
                     struct layout *l, struct fail *f)
{
    struct layout_run *run = &l->run[l->runs];
    uint64_t count, size;

    if (!number(p, &count) || !count)
        return bad(text, *p, "a number of sectors", f);
    if (**p != '*')
        return bad(text, *p, "'*'", f);
    ++*p;
    if (!number(p, &size) || !size)
        return bad(text, *p, "the size of a sector", f);
    if (**p == 'K' || **p == 'M')
        size <<= **p == 'K' ? 10 : 20;
    if (**p && strchr(" BKM", **p))
        ++*p;
    if (**p < 'a' || **p > 'g')
        return bad(text, *p, "a letter from a to g", f);
    if (l->runs == LAYOUT_RUNS || size > UINT32_MAX ||
        *at + count * size > 1ull << 32)
        return bad(text, *p, "less memory", f);
    *run = (struct layout_run){(uint32_t)*at, (uint32_t)size, (uint32_t)count,
                               (unsigned)(**p - 'a') + 1};
    l->runs++;
    *at += count * size;
    ++*p;
    while (**p == ' ')
        ++*p;
    return true;
}

/* /0xADDR/run,run... */
static bool take_area(const char *text, const char **p, struct layout *l,
                      struct fail *f)
{
    uint64_t at;
    char *end;

    ++*p; /* the '/' */
    while (**p == ' ')
        ++*p;
    if (strncmp(*p, "0x", 2) || !isxdigit((unsigned char)(*p)[2]))
        return bad(text, *p, "an address (0x...)", f);
    at = strtoull(*p, &end, 16);
    if (at > UINT32_MAX || *end != '/')
        return bad(text, end, "'/' behind a 32-bit address", f);
    *p = end;
    do {
        ++*p;
        if (!take_run(text, p, &at, l, f))
            return false;
    } while (**p == ',');
    return true;
}

bool layout_parse(const char *text, struct layout *l, struct fail *f)
{
    const char *p = text;
    size_t n;

    memset(l, 0, sizeof(*l));
    if (*p != '@')
        return bad(text, p, "'@'", f);
    n = strcspn(++p, "/");
    if (p[n] != '/')
        return bad(text, p + n, "'/'", f);
    memcpy(l->name, p, n < sizeof(l->name) ? n : sizeof(l->name) - 1);
    for (size_t i = strlen(l->name); i && l->name[i - 1] == ' '; i--)
        l->name[i - 1] = 0;
    for (p += n; *p == '/';) {
        if (!take_area(text, &p, l, f))
            return false;
    }
    return !*p || bad(text, p, "',' or '/' or the end", f);
}

uint64_t layout_end(const struct layout_run *run)
{
    return run->start + (uint64_t)run->count * run->sector;
}

bool layout_at(const struct layout *l, uint64_t addr, struct layout_sector *s)
{
    for (size_t i = 0; i < l->runs; i++) {
        const struct layout_run *run = &l->run[i];

        if (addr < run->start || addr >= layout_end(run))
            continue;
        s->size = run->sector;
        s->start = run->start +
                   (uint32_t)((addr - run->start) / run->sector * run->sector);
        s->type = run->type;
        return true;
    }
    return false;
}

bool layout_area(const struct layout *l, unsigned type, uint64_t *start,
                 uint64_t *end)
{
    struct layout_sector s;

    for (size_t i = 0; i < l->runs; i++) {
        if ((l->run[i].type & type) != type)
            continue;
        *start = *end = l->run[i].start;
        while (layout_at(l, *end, &s) && (s.type & type) == type)
            *end = (uint64_t)s.start + s.size;
        return true;
    }
    return false;
}

uint64_t layout_outside(const struct layout *l, uint64_t from, uint64_t to,
                        unsigned type)
{
    struct layout_sector s;

    while (from < to && layout_at(l, from, &s) && (s.type & type) == type)
        from = (uint64_t)s.start + s.size;
    return from < to ? from : to;
}
