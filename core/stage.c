/* SPDX-License-Identifier: MIT */
/* stage.c - see stage.h; the reasons for the rules stand in docs/design.md. */
#include "stage.h"

#include "flash.h"
#include "img.h"
#include "plan.h"
#include "plat.h"

#include <stddef.h>
#include <string.h>

#define ERASED BOARD_FLASH_ERASED
#define PAGE   BOARD_FLASH_PAGE
#define ROOMS  (BOARD_RECORD_SIZE / STAGE_RECORD_ROOM)
#define NONE   0xFFFFu

static const uint8_t *app_page(uint32_t page)
{
    return (const uint8_t *)(PART_APP_START + page * PAGE);
}

static const uint8_t *download_page(uint32_t place)
{
    return (const uint8_t *)(PART_DOWNLOAD_START + place * PAGE);
}

static uint32_t download_unit(uint32_t place)
{
    return part_unit(PART_DOWNLOAD_START + place * PAGE);
}

/* Of an erase unit of the application's, or behind the last. */
static uint32_t first_page(uint32_t unit)
{
    return (part_unit_start(unit) - PART_APP_START) / PAGE;
}

static bool blank(const void *p, uint32_t n)
{
    const uint32_t *w = p;

    for (; n; n -= 4)
        if (*w++ != ERASED)
            return false;
    return true;
}

static bool same(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    for (uint32_t i = 0; i < PAGE / 4; i++)
        if (x[i] != y[i])
            return false;
    return true;
}

static uint32_t plan(const void *is, const void *want, bool quick)
{
    return plan_page(is, want, 0, quick);
}

static enum err program(const volatile void *to, const void *from, uint32_t n)
{
    return flash_program((uint32_t)to, from, n) ? ERR_NONE : ERR_PROGRAM;
}

static enum err erase(uint32_t unit)
{
    uint32_t start = part_unit_start(unit);

    flash_erase(start);
    plat_ms();
    return blank((const void *)start, part_unit_start(unit + 1) - start)
               ? ERR_NONE
               : ERR_ERASE;
}

/* ---- records ---- */

static const struct stage_record *room(uint32_t i)
{
    return (const struct stage_record *)(PART_RECORD_START +
                                         i * STAGE_RECORD_ROOM);
}

const struct stage_record *stage_record(void)
{
    for (uint32_t i = ROOMS; i--;)
        if (room(i)->ready == STAGE_READY)
            return room(i);
    return NULL;
}

enum stage_state stage_state(const struct stage_record *record)
{
    if (!record)
        return STAGE_NONE;
    if (record->end == STAGE_DONE)
        return STAGE_INSTALLED;
    return record->end == ERASED ? STAGE_PENDING : STAGE_VOID;
}

uint32_t stage_attempts(const struct stage_record *record)
{
    uint32_t n = 0;

    while (n < STAGE_ATTEMPTS && record->attempts[n] != ERASED)
        n++;
    return n;
}

/* A word of a record. */
static enum err program_word(const uint32_t *to, uint32_t word)
{
    return program(to, &word, 4);
}

/* Behind the last one that anything was written to; ROOMS: there is none. */
static uint32_t free_room(void)
{
    uint32_t i = ROOMS;

    while (i && blank(room(i - 1), STAGE_RECORD_ROOM))
        i--;
    return i;
}

static uint32_t source_crc(const struct stage_source *source)
{
    const uint32_t *word = (const uint32_t *)source;
    uint32_t crc = 0;

    for (uint32_t left = sizeof(*source); left; left -= 4)
        crc = plat_crc(crc, *word++, left);
    return crc;
}
_Static_assert(sizeof(struct stage_source) % 4 == 0, "it goes by words");

/* ---- pages ---- */

static bool is_download(uint16_t entry)
{
    return entry < STAGE_PAGES;
}

/* Of what a page of download holds. */
enum { FREE, IMAGE, FILE_PAGE };

/* The map says something else of a page. */
static void set_entry(struct stage *s, uint32_t page, uint32_t entry)
{
    uint16_t *at = &s->source.map[page];

    if (is_download(*at))
        s->used[*at] = FREE;
    if (entry < STAGE_PAGES)
        s->used[entry] = IMAGE;
    *at = (uint16_t)entry;
}

/* Where the bytes of a page lie; NULL: it is blank. */
static const uint8_t *bytes_of(const struct stage *s, uint32_t page)
{
    uint16_t entry = s->source.map[page];

    if (is_download(entry))
        return download_page(entry);
    return entry == STAGE_KEEP ? app_page(page) : NULL;
}

const uint32_t *stage_head(const struct stage *s)
{
    const uint8_t *bytes = bytes_of(s, 0);

    /* Blank: the bootloader's vectors are no image's either. */
    return (const uint32_t *)(bytes ? bytes
                                    : (const uint8_t *)BOARD_FLASH_BASE);
}

uint8_t stage_byte(const struct stage *s, uint32_t offset)
{
    const uint8_t *bytes = bytes_of(s, offset / PAGE);

    return bytes ? bytes[offset % PAGE] : (uint8_t)ERASED;
}

bool stage_page(const struct stage *s, uint32_t page, uint8_t *buf)
{
    const uint8_t *bytes = bytes_of(s, page);

    if (bytes)
        memcpy(buf, bytes, PAGE);
    else
        memset(buf, (uint8_t)ERASED, PAGE);
    return s->source.map[page] != STAGE_KEEP;
}

/* The application has the same page. */
static bool is_as_app(const struct stage *s, uint32_t page)
{
    const uint8_t *bytes = bytes_of(s, page);

    return bytes ? same(bytes, app_page(page)) : blank(app_page(page), PAGE);
}

/* Known without a look at it. */
static bool stays(const struct stage *s, uint32_t page)
{
    return s->source.map[page] == STAGE_KEEP;
}

static bool changed(const struct stage *s)
{
    for (uint32_t i = 0; i < STAGE_PAGES; i++)
        if (!stays(s, i))
            return true;
    return false;
}

/* From here on nothing boots but what is complete. */
static enum err take_vectors(void)
{
    if (blank(app_page(0), 8))
        return ERR_NONE;
    return erase(PART_APP_UNIT);
}

void stage_start(struct stage *s)
{
    const struct stage_record *record = stage_record();

    memset(s, 0, sizeof(*s));
    memset(s->source.map, 0xFF, sizeof(s->source.map));
    if (stage_state(record) != STAGE_PENDING)
        return;
    if (stage_attempts(record))
        take_vectors();
    if (source_crc(&record->source) == record->check) {
        s->source = record->source;
        for (uint32_t i = 0; i < STAGE_PAGES; i++)
            set_entry(s, i, s->source.map[i]);
    }
}

/* The CRC of what is to be copied or erased for. */
static uint32_t pages_crc(const struct stage *s, uint8_t *buf)
{
    uint32_t crc = 0;

    for (uint32_t page = 0; page < STAGE_PAGES; page++) {
        if (!is_download(s->source.map[page]))
            continue;
        stage_page(s, page, buf);
        plat_ms();
        for (uint32_t i = 0; i < PAGE; i += 4)
            crc = plat_crc(crc, *(const uint32_t *)(buf + i), 4);
    }
    return crc;
}

/* ---- writing to download ---- */

/* Nothing is lost with a page of download; what is at `own` is to go. */
static bool is_free(const struct stage *s, uint32_t place, uint32_t own)
{
    return place == own || s->used[place] == FREE;
}

/* Nothing that is erased with it is needed. */
static bool erasable(const struct stage *s, uint32_t place, uint32_t own)
{
    uint32_t unit = download_unit(place);

    for (uint32_t i = 0; i < STAGE_PAGES; i++)
        if (download_unit(i) == unit && !is_free(s, i, own))
            return false;
    return true;
}

/* A unit of several pages is blank before the first of them is used: what is
 * left in one would keep the others from being erased. */
static bool needs_erase(const struct stage *s, uint32_t place, uint32_t own,
                        const uint8_t *buf)
{
    const uint8_t *page = download_page(place);
    uint32_t n = PAGE;

    if (!PART_BIG_UNITS || place == own)
        return plan(page, buf, true) & PLAN_ERASE;
    if (erasable(s, place, own)) {
        uint32_t unit = download_unit(place);

        page = (const uint8_t *)part_unit_start(unit);
        n = part_unit_start(unit + 1) - part_unit_start(unit);
    }
    return !blank(page, n);
}

static bool programmable(const struct stage *s, uint32_t place, uint32_t own,
                         const uint8_t *buf)
{
    return is_free(s, place, own) && !needs_erase(s, place, own, buf);
}

/* Where bytes can go that were at `own` before, or nowhere: to a page of
 * download without an erase if there is one, at first to `best`; kind: what
 * they are.  NONE: nowhere. */
#if CONFIG_FORMATS
/* Nothing of the other kind is in its unit: files go as images are made of
 * them, and leave units that can be erased. */
static bool apart(const struct stage *s, uint32_t place, uint32_t kind)
{
    uint32_t unit = download_unit(place);

    for (uint32_t i = 0; PART_BIG_UNITS && i < STAGE_PAGES; i++)
        if (download_unit(i) == unit &&
            s->used[i] == (IMAGE ^ FILE_PAGE ^ kind))
            return false;
    return true;
}

static uint32_t find_place(const struct stage *s, uint32_t own, uint32_t best,
                           uint32_t kind, const uint8_t *buf)
{
    (void)best;
    /* A page may come piece by piece. */
    if (own < STAGE_PAGES && !needs_erase(s, own, own, buf))
        return own;
    for (uint32_t pass = 0; pass < 3; pass++) {
        for (uint32_t n = 0; n < STAGE_PAGES; n++) {
            uint32_t i = n;

            if (kind == FILE_PAGE) { /* from the end */
                i = STAGE_PAGES - 1 - n;
                if (i < s->spare)
                    break;
            }
            if (pass == 1 ? erasable(s, i, own)
                          : programmable(s, i, own, buf) &&
                                (pass || apart(s, i, kind)))
                return i;
        }
    }
    return NONE;
}
#else
static uint32_t find_place(const struct stage *s, uint32_t own, uint32_t best,
                           uint32_t kind, const uint8_t *buf)
{
    (void)kind;
    if (best < STAGE_PAGES &&
        (programmable(s, best, own, buf) || erasable(s, best, own)))
        return best;
    for (uint32_t i = 0; i < STAGE_PAGES; i++)
        if (programmable(s, i, own, buf))
            return i;
    for (uint32_t i = 0; i < STAGE_PAGES; i++)
        if (erasable(s, i, own))
            return i;
    return NONE;
}
#endif

/* A page with these bytes takes no room in download. */
static bool needs_no_place(const struct stage *s, uint32_t page,
                           const uint8_t *buf)
{
    return blank(buf, PAGE) || (!s->loose && same(buf, app_page(page)));
}

/* Erases the area of the records. */
static enum err clear_records(const struct stage *s)
{
    uint32_t unit = part_unit(PART_RECORD_START);
    enum err err = ERR_NONE;

    for (uint32_t i = 0; PART_BIG_UNITS && i < STAGE_PAGES; i++)
        if (download_unit(i) == unit && !is_free(s, i, NONE))
            return ERR_NOT_ERASED;
    for (; !err && unit < part_unit(PART_RECORD_END - 1) + 1; unit++)
        err = erase(unit);
    return err;
}

/* Before download changes: nothing is pending, and there is room for the record
 * of what comes. */
static enum err begin(struct stage *s)
{
    enum err err = ERR_NONE;

    if (s->begun)
        return ERR_NONE;
    if (stage_pending())
        err = program_word(&stage_record()->end, STAGE_USED);
    if (!err && free_room() == ROOMS)
        err = clear_records(s);
    s->begun = !err;
    return err;
}

/* To a place of find_place(). */
static enum err write_page(struct stage *s, uint32_t place, uint32_t own,
                           const uint8_t *buf)
{
    enum err err = ERR_NONE;

    if (place == NONE)
        return ERR_NOT_ERASED;
    if (needs_erase(s, place, own, buf))
        err = erase(download_unit(place));
    return err ? err : program(download_page(place), buf, PAGE);
}

/* The image is made of pages of a file: they stay. */
static bool makes(const struct stage *s)
{
#if CONFIG_FORMATS
    return s->spare;
#else
    (void)s;
    return false;
#endif
}

enum err stage_write(struct stage *s, uint32_t page, const uint8_t *buf)
{
    uint32_t own = s->source.map[page], place;
    enum err err;

    if (needs_no_place(s, page, buf)) {
        set_entry(s, page,
                  same(buf, app_page(page)) && !s->loose ? STAGE_KEEP
                                                         : STAGE_BLANK);
        return ERR_NONE;
    }
    err = begin(s);
    if (err)
        return err;
    place = find_place(s, own, page, IMAGE, buf);
    if (place == NONE && CONFIG_MSC && !makes(s)) {
        stage_release_all(s);
        place = find_place(s, own, page, IMAGE, buf);
    }
    err = write_page(s, place, own, buf);
    if (!err)
        set_entry(s, page, place);
    return err;
}

uint32_t stage_write_ms(const struct stage *s, uint32_t page,
                        const uint8_t *buf)
{
    uint32_t place, words, ms = 0;

    if (needs_no_place(s, page, buf))
        return 0;
    place = find_place(s, s->source.map[page], page, IMAGE, buf);
    if (place == NONE)
        return 0;
    words = plan(download_page(place), buf, false) % PLAN_ERASE;
    if (needs_erase(s, place, s->source.map[page], buf))
        ms = part_erase_ms(download_unit(place));
    return ms + PLAN_MS(words);
}

void stage_blank(struct stage *s, uint32_t page)
{
    bool same_there = !s->loose && blank(app_page(page), PAGE);

    set_entry(s, page, same_there ? STAGE_KEEP : STAGE_BLANK);
}

/* ---- pages of files ---- */

#if CONFIG_MSC
const uint8_t *stage_file_page(uint8_t place)
{
    return download_page(place - 1u);
}

enum err stage_file_write(struct stage *s, uint8_t *place, const uint8_t *buf)
{
    uint32_t own = *place - 1u, to;
    enum err err = begin(s);

    if (err)
        return err;
    to = find_place(s, own, own, FILE_PAGE, buf);
    err = write_page(s, to, own, buf);
    if (err)
        return err;
    stage_file_release(s, place);
    s->used[to] = FILE_PAGE;
    *place = (uint8_t)(to + 1);
    return ERR_NONE;
}

void stage_file_release(struct stage *s, uint8_t *place)
{
    if (*place)
        s->used[*place - 1] = FREE;
    *place = 0;
}

void stage_release_all(struct stage *s)
{
    for (uint32_t i = 0; i < STAGE_PAGES; i++)
        if (s->used[i] == FILE_PAGE)
            s->used[i] = FREE;
    s->released = true;
}

void stage_file_take(struct stage *s, uint32_t page, uint8_t place)
{
    set_entry(s, page, place - 1u);
}
#endif

void stage_trim(struct stage *s, uint32_t end)
{
    s->loose = false;
    s->source.size = end;
    for (uint32_t unit = PART_APP_UNIT; unit < PART_APP_UNIT_END; unit++) {
        uint32_t i = first_page(unit);

        if (i * PAGE < end)
            while (i < first_page(unit + 1) && is_as_app(s, i))
                i++;
        else
            i = first_page(unit + 1);
        if (i == first_page(unit + 1))
            while (i-- > first_page(unit))
                set_entry(s, i, STAGE_KEEP);
    }
}

/* ---- the record of a whole image ---- */

/* A page that stays and will be erased with others; NONE: there is none.  With
 * the first unit it is so in any case. */
static uint32_t page_in_the_way(const struct stage *s)
{
    for (uint32_t unit = PART_APP_UNIT; unit < PART_APP_UNIT_END; unit++) {
        bool erases = unit == PART_APP_UNIT;
        uint32_t found = NONE;

        for (uint32_t i = first_page(unit); i < first_page(unit + 1); i++)
            if (stays(s, i))
                found = i;
            else
                erases = true;
        if (erases && found != NONE)
            return found;
    }
    return NONE;
}

bool stage_copy(struct stage *s, uint8_t *buf, enum err *err)
{
    uint32_t page = changed(s) ? page_in_the_way(s) : NONE;

    if (page == NONE)
        return false;
    s->loose = true; /* whatever the application has there */
    stage_page(s, page, buf);
    *err = stage_write(s, page, buf);
    s->loose = false;
    return true;
}

enum err stage_commit(struct stage *s, uint8_t *buf)
{
    const struct stage_record *record;
    enum err err = begin(s);

    if (err || !changed(s))
        return err;
    record = room(free_room());
    s->source.crc = pages_crc(s, buf);
    s->begun = false;
    err = program(&record->source, &s->source, sizeof(s->source));
    if (!err)
        err = program_word(&record->check, source_crc(&s->source));
    if (!err)
        err = program_word(&record->ready, STAGE_READY);
    return err;
}

/* ---- installing ---- */

/* The page goes to the application; of the first one what is programmed with
 * the first word, the last of all, stays blank. */
#define LAST (PLAN_ROW > 1 ? PLAN_ROW * sizeof(plan_word) : 4u)

static enum err copy_page(uint32_t page, const uint8_t *buf)
{
    uint32_t skip = page ? 0 : LAST;

    return program(app_page(page) + skip, buf + skip, PAGE - skip);
}

static enum err install_unit(const struct stage *s, uint32_t unit, uint8_t *buf)
{
    uint32_t end = first_page(unit + 1);
    enum err err = ERR_NONE;

    for (uint32_t i = first_page(unit); i < end && !err; i++)
        if (stage_page(s, i, buf) && plan(app_page(i), buf, true) & PLAN_ERASE)
            err = erase(unit);
    for (uint32_t i = first_page(unit); i < end && !err; i++)
        if (stage_page(s, i, buf))
            err = copy_page(i, buf);
    plat_ms();
    return err;
}

enum err stage_install(struct stage *s, uint8_t *buf)
{
    const struct stage_record *record = stage_record();
    uint32_t tries = stage_attempts(record);
    enum err err = ERR_NONE;

    stage_start(s);
    if (!changed(s) || pages_crc(s, buf) != s->source.crc)
        return tries ? ERR_CHECK : program_word(&record->end, STAGE_USED);
    if (tries < STAGE_ATTEMPTS)
        err = program_word(&record->attempts[tries], STAGE_USED);
    if (!err)
        err = take_vectors();
    for (uint32_t unit = PART_APP_UNIT_END; unit-- > PART_APP_UNIT && !err;)
        err = install_unit(s, unit, buf);
    if (!err) {
        stage_page(s, 0, buf);
        err = program(app_page(0), buf, LAST);
    }
    return err ? err : program_word(&record->end, STAGE_DONE);
}
