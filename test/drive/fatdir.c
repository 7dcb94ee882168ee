/* SPDX-License-Identifier: MIT
 *
 * FAT32 directories as hosts read and write them: long and short names,
 * entries of files, new directories.
 */
#include "fathost.h"

#include <stdio.h>
#include <string.h>

/* 2026-11-21 12:00:00, as an entry has it. */
#define FAT_DATE ((2026 - 1980) << 9 | 11 << 5 | 21)
#define FAT_TIME (12 << 11)

enum { VOLUME = 0x08, DIRECTORY = 0x10, LONG_NAME = 0x0F };

/* Where the 13 characters of a long name's slot are. */
static const uint8_t LONG_AT[13] = {1,  3,  5,  7,  9,  14, 16,
                                    18, 20, 22, 24, 28, 30};

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

uint8_t *fh_slot(struct fathost *v, uint32_t dir, uint32_t slot, uint32_t *lba)
{
    uint32_t per = v->per_cluster * (FH_SECTOR / 32), c = dir;

    for (uint32_t k = slot / per; k > 0; k--) {
        uint32_t next = fh_fat(v, c);
        if (next >= FH_LAST)
            return NULL;
        if (next < 2 || next >= v->clusters + 2) {
            fh_corrupt(v, "a directory's chain is broken");
            return NULL;
        }
        c = next;
    }
    *lba = fh_cluster_lba(v, c) + slot % per / (FH_SECTOR / 32);
    return fh_sector(v, *lba, true)->data + slot % (FH_SECTOR / 32) * 32;
}

/* The same slot, to be changed. */
static uint8_t *change(struct fathost *v, uint32_t dir, uint32_t slot)
{
    uint32_t lba;
    uint8_t *e = fh_slot(v, dir, slot, &lba);

    if (e)
        fh_sector(v, lba, true)->dirty = true;
    return e;
}

/* ---- names ---- */

static uint8_t checksum(const uint8_t *name)
{
    uint8_t sum = 0;

    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((uint8_t)(sum >> 1 | sum << 7) + name[i]);
    return sum;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && upper(*a) == upper(*b))
        a++, b++;
    return upper(*a) == upper(*b);
}

static void short_name(const uint8_t *e, char *to)
{
    for (int i = 0; i < 8 && e[i] != ' '; i++)
        *to++ = e[12] & 0x08 ? lower((char)e[i]) : (char)e[i];
    if (e[8] != ' ')
        *to++ = '.';
    for (int i = 8; i < 11 && e[i] != ' '; i++)
        *to++ = e[12] & 0x10 ? lower((char)e[i]) : (char)e[i];
    *to = 0;
}

bool fh_next(struct fathost *v, uint32_t dir, uint32_t *slot,
             struct fh_entry *entry)
{
    uint32_t pieces = 0, left = 0, lba;
    uint8_t sum = 0;
    char name[20 * 13 + 1] = "";

    for (; v->error == FH_OK; (*slot)++) {
        const uint8_t *e = fh_slot(v, dir, *slot, &lba);
        if (!e || e[0] == 0)
            return false;
        if (e[0] == 0xE5) {
            pieces = 0;
            continue;
        }
        if ((e[11] & 0x3F) == LONG_NAME) {
            uint32_t number = e[0] & 0x1F;
            if (e[0] & 0x40) {
                memset(name, 0, sizeof name);
                pieces = left = number <= 20 ? number : 0;
                sum = e[13];
            }
            if (pieces == 0 || number == 0 || number != left || e[13] != sum) {
                pieces = 0;
                continue;
            }
            left--;
            for (uint32_t i = 0; i < 13; i++) {
                uint32_t c = get16(e + LONG_AT[i]);
                name[left * 13 + i] = (char)(c == 0xFFFF ? 0
                                             : c > 126   ? '?'
                                                         : c);
            }
            continue;
        }
        if (pieces && (left || sum != checksum(e)))
            pieces = 0;
        if (pieces)
            snprintf(entry->name, sizeof entry->name, "%.255s", name);
        else
            short_name(e, entry->name);
        entry->slot = *slot - pieces;
        entry->slots = pieces + 1;
        entry->attr = e[11];
        entry->first = get16(e + 20) << 16 | get16(e + 26);
        entry->size = get32(e + 28);
        (*slot)++;
        return true;
    }
    return false;
}

bool fh_find(struct fathost *v, uint32_t dir, const char *name,
             struct fh_entry *entry)
{
    for (uint32_t slot = 0; fh_next(v, dir, &slot, entry);) {
        if (!(entry->attr & VOLUME) && same_name(entry->name, name))
            return true;
    }
    return false;
}

static bool short_taken(struct fathost *v, uint32_t dir, const uint8_t *name)
{
    uint32_t lba;

    for (uint32_t slot = 0;; slot++) {
        const uint8_t *e = fh_slot(v, dir, slot, &lba);
        if (!e || e[0] == 0)
            return false;
        if (e[0] != 0xE5 && !(e[11] & VOLUME) && memcmp(e, name, 11) == 0)
            return true;
    }
}

/* Puts the letters that a short name can have into at most `room` bytes;
 * says whether anything got lost. */
static bool squeeze(const char *from, const char *end, uint8_t *to, int room)
{
    bool lost = false;

    memset(to, ' ', (size_t)room);
    for (; from < end; from++) {
        if (*from == ' ' || *from == '.' || room == 0) {
            lost = true;
            continue;
        }
        bool odd = strchr("+,;=[]", *from) != NULL;
        lost |= odd;
        *to++ = (uint8_t)(odd ? '_' : upper(*from));
        room--;
    }
    return lost;
}

/* The short name, and whether a long one is needed besides.  `lcase` is byte
 * 12 of the entry, with which Windows NT does without a long one where base
 * or extension is all lower case; Linux writes it never ("mixed"). */
static bool make_short(struct fathost *v, uint32_t dir, const char *name,
                       uint8_t *to, uint8_t *lcase)
{
    const char *start = name, *dot = strrchr(name, '.');
    const char *end = name + strlen(name);
    bool needed;

    /* macOS keeps an empty base for names that begin with a dot. */
    if (v->os != FH_MACOS || dot != name)
        while (*start == '.')
            start++;
    if (!dot || dot < start)
        dot = end;
    needed = start != name || dot == name;
    needed |= squeeze(start, dot, to, 8);
    needed |= squeeze(dot + (dot < end), end, to + 8, 3);
    *lcase = 0;
    if (!needed) {
        bool up[2] = {false, false}, low[2] = {false, false};
        for (const char *p = name; p < end; p++) {
            up[p > dot] |= *p != lower(*p);
            low[p > dot] |= *p != upper(*p);
        }
        needed = low[0] || low[1];
        if (v->os == FH_WINDOWS && !(up[0] && low[0]) && !(up[1] && low[1])) {
            *lcase = (uint8_t)(low[0] << 3 | low[1] << 4);
            needed = false;
        }
        if (!short_taken(v, dir, to))
            return needed;
    }
    for (unsigned number = 1;; number++) {
        char tail[8];
        int n = snprintf(tail, sizeof tail, "~%u", number), at = 0;
        while (at < 8 - n && to[at] != ' ' && to[at] != '~')
            at++;
        memset(to + at, ' ', 8 - (size_t)at);
        memcpy(to + at, tail, (size_t)n);
        if (!short_taken(v, dir, to))
            return true;
    }
}

/* ---- entries ---- */

/* One more cluster, of zeros, at the end of a directory. */
static void grow(struct fathost *v, uint32_t dir)
{
    uint32_t last = dir, lba;

    while (fh_fat(v, last) < FH_LAST && v->error == FH_OK)
        last = fh_fat(v, last);
    uint32_t c = fh_take(v, last, 1);
    if (c == 0)
        return;
    fh_fat_set(v, c, 0x0FFFFFFF);
    fh_fat_set(v, last, c);
    lba = fh_cluster_lba(v, c);
    for (uint32_t i = 0; i < v->per_cluster; i++)
        fh_sector(v, lba + i, false)->dirty = true;
}

/* The first of `n` free slots in a row. */
static uint32_t free_slots(struct fathost *v, uint32_t dir, uint32_t n)
{
    uint32_t run = 0, lba;

    for (uint32_t slot = 0; v->error == FH_OK; slot++) {
        const uint8_t *e = fh_slot(v, dir, slot, &lba);
        if (!e) {
            if (v->error == FH_OK)
                grow(v, dir);
            e = fh_slot(v, dir, slot, &lba);
            if (!e)
                break;
        }
        run = e[0] == 0 || e[0] == 0xE5 ? run + 1 : 0;
        if (run == n)
            return slot + 1 - n;
    }
    return 0;
}

/* Writes the slots of a name, the last one with these 20 bytes behind it. */
static void put_name(struct fathost *v, struct fh_file *f, const char *name,
                     const uint8_t *rest)
{
    uint8_t eight3[11], lcase;
    size_t length = strlen(name);
    uint32_t pieces = 0;

    if (make_short(v, f->dir, name, eight3, &lcase))
        pieces = (uint32_t)(length + 12) / 13;
    f->slots = pieces + 1;
    f->slot = free_slots(v, f->dir, f->slots);
    for (uint32_t k = 0; k < pieces && v->error == FH_OK; k++) {
        uint32_t number = pieces - k;
        uint8_t *e = change(v, f->dir, f->slot + k);
        if (!e)
            return;
        memset(e, 0, 32);
        e[0] = (uint8_t)(number | (k == 0 ? 0x40 : 0));
        e[11] = LONG_NAME;
        e[13] = checksum(eight3);
        for (uint32_t i = 0; i < 13; i++) {
            size_t at = (number - 1) * 13 + i;
            put16(e + LONG_AT[i], at < length    ? (uint8_t)name[at]
                                  : at == length ? 0
                                                 : 0xFFFF);
        }
    }
    uint8_t *e = change(v, f->dir, f->slot + pieces);
    if (!e || v->error != FH_OK)
        return;
    memcpy(e, eight3, 11);
    memcpy(e + 11, rest, 21);
    e[12] = lcase;
}

static void free_chain(struct fathost *v, uint32_t first)
{
    uint32_t left = v->clusters;

    while (first >= 2 && first < FH_BAD && v->error == FH_OK) {
        if (first >= v->clusters + 2 || left-- == 0) {
            fh_corrupt(v, "a file's chain is broken");
            return;
        }
        uint32_t next = fh_fat(v, first);
        fh_fat_set(v, first, 0);
        first = next;
    }
}

void fh_create(struct fathost *v, struct fh_file *f, uint32_t dir,
               const char *name, uint8_t attr, const uint8_t *data,
               uint32_t size)
{
    struct fh_entry old;

    f->data = data;
    f->size = size;
    f->dir = dir;
    f->count = 0;
    f->room = fh_need(v, size) + 1;
    fh_require(v->chained + f->room <= FH_CHAINS);
    f->chain = v->chains + v->chained;
    v->chained += f->room;
    if (fh_find(v, dir, name, &old)) {
        f->slot = old.slot;
        f->slots = old.slots;
        fh_entry_set(v, f, 0);
        free_chain(v, old.first);
        return;
    }
    uint8_t rest[21] = {0};
    rest[0] = attr;
    put16(rest + 14 - 11, FAT_TIME);
    put16(rest + 16 - 11, FAT_DATE);
    put16(rest + 18 - 11, FAT_DATE);
    put16(rest + 22 - 11, FAT_TIME);
    put16(rest + 24 - 11, FAT_DATE);
    put_name(v, f, name, rest);
}

uint32_t fh_mkdir(struct fathost *v, uint32_t dir, const char *name,
                  uint8_t attr)
{
    struct fh_file f;
    struct fh_entry old;

    if (fh_find(v, dir, name, &old))
        return old.attr & DIRECTORY ? old.first : 0;
    fh_create(v, &f, dir, name, attr | DIRECTORY, NULL, 0);
    fh_extend(v, &f, 1);
    if (v->error != FH_OK)
        return 0;
    uint32_t c = f.chain[0], lba = fh_cluster_lba(v, c);
    for (uint32_t i = 0; i < v->per_cluster; i++)
        fh_sector(v, lba + i, false)->dirty = true;
    fh_entry_set(v, &f, 0);
    const uint8_t *own = fh_slot(v, dir, f.slot + f.slots - 1, &lba);
    for (uint32_t i = 0; i < 2 && own; i++) {
        uint8_t *e = change(v, c, i);
        uint32_t to = i == 0 ? c : dir == v->root ? 0 : dir;
        if (!e)
            return 0;
        memcpy(e, own, 32);
        memset(e, ' ', 11);
        memset(e, '.', i + 1);
        e[11] = DIRECTORY;
        e[12] = 0;
        put16(e + 20, to >> 16);
        put16(e + 26, to);
    }
    return c;
}

void fh_entry_set(struct fathost *v, const struct fh_file *f, uint32_t size)
{
    uint8_t *e = change(v, f->dir, f->slot + f->slots - 1);
    uint32_t first = f->count ? f->chain[0] : 0;

    if (!e)
        return;
    put16(e + 20, first >> 16);
    put16(e + 26, first);
    put16(e + 28, size);
    put16(e + 30, size >> 16);
}

uint32_t fh_entry_lba(struct fathost *v, const struct fh_file *f)
{
    uint32_t lba = 0;

    (void)fh_slot(v, f->dir, f->slot + f->slots - 1, &lba);
    return lba;
}

static void drop_slots(struct fathost *v, const struct fh_file *f)
{
    for (uint32_t i = 0; i < f->slots; i++) {
        uint8_t *e = change(v, f->dir, f->slot + i);
        if (e)
            e[0] = 0xE5;
    }
}

void fh_remove(struct fathost *v, struct fh_file *f)
{
    drop_slots(v, f);
    if (f->count)
        free_chain(v, f->chain[0]);
    f->count = 0;
}

void fh_rename(struct fathost *v, struct fh_file *f, const char *name)
{
    struct fh_file was = *f;
    struct fh_entry old;
    uint32_t lba;

    if (fh_find(v, f->dir, name, &old)) {
        struct fh_file gone = {
            .dir = f->dir, .slot = old.slot, .slots = old.slots};
        drop_slots(v, &gone);
        free_chain(v, old.first);
    }
    const uint8_t *e = fh_slot(v, f->dir, f->slot + f->slots - 1, &lba);
    if (!e)
        return;
    put_name(v, f, name, e + 11);
    drop_slots(v, &was);
}
