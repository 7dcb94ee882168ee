/* SPDX-License-Identifier: MIT */
/* fw.c - the bytes of struct fw.  Files: fw_file.c. */
#include "fw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

struct fw_page {
    uint64_t have[FW_PAGE / WORD_BITS]; /* one bit a byte */
    uint8_t data[FW_PAGE];
};

struct fw_table {
    struct fw_page *page[FW_TABLES];
};

/* Size of a table's address range. */
#define TABLE_SPAN (FW_PAGE * FW_TABLES)

void fw_init(struct fw *fw)
{
    memset(fw, 0, sizeof(*fw));
    fw->vid = fw->pid = fw->bcd_device = FW_ANY_ID;
}

static void free_tables(struct fw *fw)
{
    for (size_t i = 0; i < FW_TABLES; i++) {
        if (!fw->table[i])
            continue;
        for (size_t j = 0; j < FW_TABLES; j++)
            free(fw->table[i]->page[j]);
        free(fw->table[i]);
    }
}

void fw_free(struct fw *fw)
{
    struct fw *next = fw->next;

    free_tables(fw);
    while (next) {
        struct fw *part = next;

        next = part->next;
        free_tables(part);
        free(part);
    }
    fw_init(fw);
}

void fw_set_family(struct fw *fw, uint32_t family)
{
    fw->has_family = true;
    fw->family = family;
}

struct fw *fw_at_alternate(struct fw *fw, uint8_t alternate, struct fail *f)
{
    struct fw *last = fw;

    for (struct fw *part = fw; part; part = part->next) {
        if (part->alternate == alternate)
            return part;
        last = part;
    }
    last->next = malloc(sizeof(*last->next));
    if (!last->next) {
        fail(f, FAIL_SYSTEM, "no memory left");
        return NULL;
    }
    fw_init(last->next);
    last->next->alternate = alternate;
    return last->next;
}

bool fw_keep_alternate(struct fw *fw, uint8_t alternate, struct fail *f)
{
    struct fw **link = &fw->next, *part, rest;

    if (fw->alternate != alternate) {
        while (*link && (*link)->alternate != alternate)
            link = &(*link)->next;
        part = *link;
        if (!part)
            return fail(f, FAIL_UNFIT,
                        "there is no data for alternate setting %u", alternate);
        /* Its bytes change places with the first one's. */
        rest = *part;
        memcpy(part->table, fw->table, sizeof(part->table));
        memcpy(fw->table, rest.table, sizeof(fw->table));
        fw->pages = rest.pages;
        fw->alternate = alternate;
        memcpy(fw->name, rest.name, sizeof(fw->name));
    }
    rest = (struct fw){.next = fw->next};
    fw_free(&rest);
    fw->next = NULL;
    return true;
}

static struct fw_page *page_at(const struct fw *fw, uint64_t addr)
{
    const struct fw_table *table = fw->table[addr / TABLE_SPAN];

    return table ? table->page[addr / FW_PAGE % FW_TABLES] : NULL;
}

/* The page at addr, made where there is none. */
static struct fw_page *page_for(struct fw *fw, uint64_t addr, struct fail *f)
{
    struct fw_table **table = &fw->table[addr / TABLE_SPAN];
    struct fw_page **page;

    if (!*table)
        *table = calloc(1, sizeof(**table));
    if (!*table) {
        fail(f, FAIL_SYSTEM, "no memory left");
        return NULL;
    }
    page = &(*table)->page[addr / FW_PAGE % FW_TABLES];
    if (*page)
        return *page;
    if (fw->pages == FW_MAX_SIZE / FW_PAGE) {
        fail(f, FAIL_INPUT, "more than %u MB of data is not firmware",
             FW_MAX_SIZE >> 20);
        return NULL;
    }
    *page = calloc(1, sizeof(**page));
    if (*page)
        fw->pages++;
    else
        fail(f, FAIL_SYSTEM, "no memory left");
    return *page;
}

/* The bits [from, to) that fall into word w. */
static uint64_t mask_of(size_t w, size_t from, size_t to)
{
    size_t low = w * WORD_BITS;
    uint64_t mask = ~0ull;

    if (from > low)
        mask &= ~0ull << (from - low);
    if (to < low + WORD_BITS)
        mask &= ~0ull >> (low + WORD_BITS - to);
    return mask;
}

static bool page_has_any(const struct fw_page *page, size_t from, size_t to)
{
    for (size_t w = from / WORD_BITS; w * WORD_BITS < to; w++) {
        if (page->have[w] & mask_of(w, from, to))
            return true;
    }
    return false;
}

static bool page_has_all(const struct fw_page *page, size_t from, size_t to)
{
    for (size_t w = from / WORD_BITS; w * WORD_BITS < to; w++) {
        if (~page->have[w] & mask_of(w, from, to))
            return false;
    }
    return true;
}

static bool page_has(const struct fw_page *page, size_t at)
{
    return page->have[at / WORD_BITS] >> (at % WORD_BITS) & 1;
}

static void page_put(struct fw_page *page, size_t at, const uint8_t *data,
                     size_t n)
{
    memcpy(page->data + at, data, n);
    for (size_t w = at / WORD_BITS; w * WORD_BITS < at + n; w++)
        page->have[w] |= mask_of(w, at, at + n);
}

/* False (with the place in f) where a byte is there and differs. */
static bool page_agrees(const struct fw_page *page, uint64_t addr,
                        const uint8_t *data, size_t n, struct fail *f)
{
    size_t at = addr % FW_PAGE;

    if (!page_has_any(page, at, at + n))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (page_has(page, at + i) && page->data[at + i] != data[i])
            return fail(f, FAIL_INPUT,
                        "two values for address 0x%08" PRIX64
                        ": 0x%02X before, 0x%02X here",
                        addr + i, page->data[at + i], data[i]);
    }
    return true;
}

static bool put(struct fw *fw, uint64_t addr, const uint8_t *data, size_t n,
                bool over, struct fail *f)
{
    if (n > FW_END - addr)
        return fail(f, FAIL_INPUT,
                    "%zu bytes at 0x%08" PRIX64
                    " go past the end of the address space",
                    n, addr);
    while (n > 0) {
        size_t room = FW_PAGE - addr % FW_PAGE;
        size_t part = n < room ? n : room;
        struct fw_page *page = page_for(fw, addr, f);

        if (!page || (!over && !page_agrees(page, addr, data, part, f)))
            return false;
        page_put(page, addr % FW_PAGE, data, part);
        addr += part;
        data += part;
        n -= part;
    }
    return true;
}

bool fw_add(struct fw *fw, uint32_t addr, const void *data, size_t n,
            struct fail *f)
{
    return put(fw, addr, data, n, false, f);
}

bool fw_set(struct fw *fw, uint32_t addr, const void *data, size_t n,
            struct fail *f)
{
    return put(fw, addr, data, n, true, f);
}

bool fw_fill(struct fw *fw, uint64_t from, uint64_t to, uint8_t byte,
             struct fail *f)
{
    uint8_t block[FW_PAGE];

    memset(block, byte, sizeof(block));
    for (;;) {
        uint64_t gap = fw_find(fw, from, false);
        uint64_t n;

        if (gap >= to)
            return true;
        from = fw_find(fw, gap, true);
        n = (from < to ? from : to) - gap;
        if (n > FW_PAGE)
            n = FW_PAGE;
        if (!put(fw, gap, block, (size_t)n, true, f))
            return false;
        from = gap + n;
    }
}

static void page_get(const struct fw_page *page, size_t at, uint8_t *dst,
                     size_t n, uint8_t fill)
{
    memcpy(dst, page->data + at, n);
    if (page_has_all(page, at, at + n))
        return;
    for (size_t i = 0; i < n; i++) {
        if (!page_has(page, at + i))
            dst[i] = fill;
    }
}

void fw_get(const struct fw *fw, uint64_t addr, void *dst, size_t n,
            uint8_t fill)
{
    uint8_t *out = dst;

    while (n > 0) {
        size_t room = FW_PAGE - addr % FW_PAGE;
        size_t part = n < room ? n : room;
        const struct fw_page *page = addr < FW_END ? page_at(fw, addr) : NULL;

        if (page)
            page_get(page, addr % FW_PAGE, out, part, fill);
        else
            memset(out, fill, part);
        addr += part;
        out += part;
        n -= part;
    }
}

/* First address at or behind `at` that need not be looked at one by one. */
static uint64_t skip(const struct fw *fw, uint64_t at)
{
    uint64_t step = fw->table[at / TABLE_SPAN] ? FW_PAGE : TABLE_SPAN;

    return (at / step + 1) * step;
}

uint64_t fw_find(const struct fw *fw, uint64_t from, bool present)
{
    uint64_t at = from;

    while (at < FW_END) {
        const struct fw_page *page = page_at(fw, at);
        uint64_t word;

        if (!page) {
            if (!present)
                return at;
            at = skip(fw, at);
            continue;
        }
        word = page->have[at % FW_PAGE / WORD_BITS];
        word = (present ? word : ~word) & (~0ull << (at % WORD_BITS));
        if (word)
            return at - at % WORD_BITS + (uint64_t)__builtin_ctzll(word);
        at = at - at % WORD_BITS + WORD_BITS;
    }
    return FW_END;
}

bool fw_span(const struct fw *fw, uint64_t *start, uint64_t *end)
{
    uint64_t at = fw_find(fw, 0, true);

    if (at == FW_END)
        return false;
    *start = at;
    while (at < FW_END) {
        *end = fw_find(fw, at, false);
        at = fw_find(fw, *end, true);
    }
    return true;
}
