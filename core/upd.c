/* SPDX-License-Identifier: MIT */
/* upd.c - see upd.h; the reasons for the rules stand in docs/design.md. */
#include "upd.h"

#include "boot.h"
#include "flash.h"
#include "img.h"
#include "part.h"
#include "plat.h"

#include <string.h>

#define ERASED        0xFFFFFFFFu
#define PAGE          BOARD_FLASH_PAGE
#define CRC_MS(bytes) ((bytes)*BOARD_CRC_MS >> 15)

/* The slot as it lies in flash. */
static const uint32_t *slot(void)
{
    return (const uint32_t *)PART_APP_START;
}

enum err upd_area(uint32_t addr)
{
    if (addr - PART_APP_START < PART_APP_SIZE)
        return ERR_NONE;
    return addr - BOARD_FLASH_BASE < BOARD_FLASH_SIZE ? ERR_READ_ONLY
                                                      : ERR_ADDRESS;
}

/* ---- what the host sees ---- */

static uint8_t read_byte(const struct upd *u, uint32_t addr)
{
    uint32_t at = addr - PART_APP_START;

    if (at < PART_APP_SIZE && u->erase[part_unit(addr)])
        return 0xFF;
    if (u->held && at < sizeof(u->first))
        addr = (uint32_t)&u->first + at;
    return *(const uint8_t *)addr;
}

void upd_read(const struct upd *u, uint32_t addr, uint8_t *dst, uint32_t n)
{
    while (n--)
        *dst++ = read_byte(u, addr++);
}

/* ---- one page ---- */

/* What the silicon programs at once. */
typedef BOARD_FLASH_WORD word_t;
#define ERASED_WORD ((word_t)ERASED)
#define PAGE_WORDS  (PAGE / sizeof(word_t))

/* What it takes to make a page hold the buffer: the number of words to
 * program, plus PLAN_ERASE where one cannot be without. */
#define PLAN_ERASE 0x10000u

static uint32_t plan_page(const struct upd *u, uint32_t page)
{
    const word_t *want = (const word_t *)u->buf;
    const word_t *is = (const word_t *)page;
    uint32_t plan = 0, filled = PLAN_ERASE;

    /* More than a page is erased at once: what else is there is to go. */
    if (PART_BIG_UNITS && u->erase[part_unit(page)])
        plan = PLAN_ERASE;
    for (uint32_t i = 0; i < PAGE_WORDS; i++) {
        filled += want[i] != ERASED_WORD;
        if (is[i] == want[i])
            continue;
        plan++;
        if (BOARD_FLASH_CLEARS ? want[i] & ~is[i] : is[i] != ERASED_WORD)
            plan |= PLAN_ERASE;
    }
    return plan & PLAN_ERASE ? filled : plan;
}

/* ---- changing flash: nothing more happens after an error ---- */

static void fail(struct upd *u, enum err err)
{
    if (!u->err)
        u->err = err;
}

/* From addr to the end of its erase unit, which has the number before end. */
static bool blank(uint32_t addr, uint32_t end)
{
    const uint32_t *w = (const uint32_t *)addr;

    while ((uint32_t)w < part_unit_start(end) - 3)
        if (*w++ != ERASED)
            return false;
    return true;
}

static void erase(struct upd *u, uint32_t unit)
{
    uint32_t start = part_unit_start(unit);

    if (u->err)
        return;
    /* A cut erase may bring back some bits and not others: in the first page
     * the reset vector goes first.  (u->page is 0 here.) */
    flash_program(start + 4, &u->page, 4);
    flash_erase(start);
    u->erase[unit] = 0;
    if (!blank(start, unit + 1))
        u->err = ERR_ERASE;
}

static void program(struct upd *u, uint32_t addr, const void *src, uint32_t n)
{
    if (!u->err && !flash_program(addr, src, n))
        u->err = ERR_PROGRAM;
}

/* Makes the installed image unbootable, by as much of the upper end of its
 * initial stack pointer as the flash programs at least: of what a power cut
 * may leave of it, only the old value points into RAM (docs/design.md). */
static void invalidate(struct upd *u)
{
    if (u->held || u->err || *slot() == ERASED)
        return;
    u->first = *slot();
    program(u, PART_APP_START + 4 - BOARD_FLASH_UNIT, &u->page, /* 0 */
            BOARD_FLASH_UNIT);
    if (!u->err)
        u->held = true;
}

/* Before anything at `page` changes. */
static void touch(struct upd *u, uint32_t page)
{
    if (page - PART_APP_START < boot_image_size(slot()))
        invalidate(u);
}

/* Carries out the erase of a unit. */
static void erase_marked(struct upd *u, uint32_t unit)
{
    touch(u, part_unit_start(unit));
    erase(u, unit);
    if (unit == PART_APP_UNIT)
        u->held = false;
}

/* A block that broke off is dropped, with the erase that it implied. */
static void drop_page(struct upd *u)
{
    u->page = 0;
#if PART_BIG_UNITS
    u->erase[u->implied] = 0; /* unit 0 is not writable */
    u->implied = 0;
#endif
}

/* The open page goes to flash; of the first page all but its first word. */
static void commit(struct upd *u)
{
    uint32_t page = u->page;
    uint32_t unit = part_unit(page);
    uint32_t *first = (uint32_t *)u->buf;
    uint32_t plan;

    u->page = 0;
    if (!page || u->err)
        return;
#if PART_BIG_UNITS
    u->implied = 0;
#endif
    plan = plan_page(u, page);
    if (!PART_BIG_UNITS)
        u->erase[unit] = 0;
    else if ((plan & PLAN_ERASE) && !u->erase[unit])
        u->err = ERR_NOT_ERASED; /* other data would go with it */
    else if (plan & PLAN_ERASE)
        erase_marked(u, unit);
    if (!plan)
        return;
    touch(u, page);
    if (u->err)
        return;
    if (page == PART_APP_START) {
        u->held = true;
        u->first = *first;
        /* What is invalid there may stay where nothing is erased. */
        *first = PART_BIG_UNITS ? *slot() : ERASED;
        if (!PART_BIG_UNITS)
            plan = plan_page(u, page);
    }
    if (!PART_BIG_UNITS && (plan & PLAN_ERASE))
        erase(u, unit);
    program(u, page, u->buf, PAGE);
}

/* The page as the host sees it. */
static void load(struct upd *u, uint32_t page)
{
    const uint32_t *from = (const uint32_t *)page;
    uint32_t *to = (uint32_t *)u->buf;
    bool erased = u->erase[part_unit(page)];

    u->page = page;
    while (to < (uint32_t *)(u->buf + PAGE))
        *to++ = erased ? ERASED : *from++;
    if (u->held && !erased && page == PART_APP_START)
        *(uint32_t *)u->buf = u->first;
}

/* ---- the image ---- */

__attribute__((noinline)) static bool stamped(void)
{
    return slot()[IMG_OFF_MAGIC / 4] == IMG_MAGIC;
}

/* The CRC of the image as the host sees it, its own word taken as 0. */
static uint32_t image_crc(struct upd *u, uint32_t size)
{
    uint32_t crc = 0;

    for (uint32_t pos = 0; pos < size; pos += 4) {
        uint32_t *word = (uint32_t *)(u->buf + pos % PAGE);

        if (pos % PAGE == 0) {
            load(u, PART_APP_START + pos);
            plat_ms();
        }
        if (pos == IMG_OFF_CRC)
            *word = 0;
        crc = plat_crc(crc, *word, size - pos);
    }
    return crc;
}

/* Is what lies in the slot, as the host sees it, an image?  A plain one cannot
 * tell; who calls has to know that it is whole. */
static void verify(struct upd *u)
{
    const uint32_t *v = (const uint32_t *)u->buf;
    uint32_t product, crc;

    load(u, PART_APP_START);
    product = v[IMG_OFF_PRODUCT / 4];
    crc = v[IMG_OFF_CRC / 4];
    if (!boot_vectors_ok(v))
        fail(u, ERR_NO_IMAGE);
    else if (u->held && stamped()) {
        if (product && product != BOARD_PRODUCT)
            fail(u, ERR_PRODUCT);
        else if (!u->err && image_crc(u, boot_image_size(v)) != crc)
            u->err = ERR_CHECK;
    }
    u->whole = UPD_WHOLE;
    if (u->err)
        u->whole = UPD_TORSO;
}

/* Writes back the first word; from here on the image boots. */
static void install(struct upd *u)
{
    if (*slot() != ERASED) {
#if PART_BIG_UNITS
        /* The rest of the unit goes with the first word and comes back. */
        upd_read(u, PART_APP_START, u->unit, sizeof(u->unit));
        u->erase[PART_APP_UNIT] = 1;
        u->write = PART_APP_START;
        upd_feed(u, u->unit, sizeof(u->unit));
#else
        load(u, PART_APP_START);
#endif
        commit(u);
    }
    program(u, PART_APP_START, &u->first, 4);
    if (!u->err)
        u->held = false;
}

/* ---- blocks ---- */

/* Something comes: what was deferred stays so. */
static void carry_on(struct upd *u, enum err err)
{
    u->err = err;
    drop_page(u);
    u->settling = false;
    u->whole = UPD_UNKNOWN;
}

void upd_begin(struct upd *u, uint32_t addr, uint32_t n)
{
    carry_on(u, upd_area(addr));
    fail(u, upd_area(addr + n - 1));
    if (addr != u->write)
        u->gapless = UPD_GAPS;
    u->run <<= 1;
    if (addr == PART_APP_START) {
        u->run = UPD_RUN_OPEN;
        u->gapless =
            PART_BIG_UNITS ? u->gapless | UPD_SINCE_START : UPD_SINCE_START;
    }
    u->write = addr;
}

__attribute__((noinline)) static void mark(struct upd *u, uint32_t from,
                                           uint32_t end);

/* Who writes the slot from its start need not erase it first. */
static void imply_erase(struct upd *u)
{
#if PART_BIG_UNITS
    uint32_t unit = part_unit(u->write);

    if (u->gapless != UPD_ALL || u->write != part_unit_start(unit) ||
        u->erase[unit])
        return;
    mark(u, u->write, unit + 1);
    u->implied = (uint8_t)unit;
#else
    (void)u;
#endif
}

void upd_put(struct upd *u, uint32_t addr, const uint8_t *data, uint32_t n)
{
    uint32_t page = addr & ~(PAGE - 1);

    if (u->page != page) {
        commit(u);
        imply_erase(u);
        load(u, page);
    }
    memcpy(u->buf + addr % PAGE, data, n);
}

void upd_feed(struct upd *u, const uint8_t *data, uint32_t n)
{
    while (n && !u->err) {
        uint32_t part = PAGE - u->write % PAGE;

        if (part > n)
            part = n;
        upd_put(u, u->write, data, part);
        u->write += part;
        data += part;
        n -= part;
    }
}

/* The block of n bytes ends the stamped image, and all before it is there. */
static bool ends_image(const struct upd *u, uint32_t n)
{
    return stamped() && u->run && u->gapless &&
           u->write - PART_APP_START - boot_image_size(slot()) < n;
}

void upd_end(struct upd *u, uint32_t n)
{
    u->run = u->run == UPD_RUN_OPEN;
    commit(u);
    if (ends_image(u, n)) {
        verify(u);
        u->settling = true;
    }
}

uint32_t upd_end_ms(struct upd *u, uint32_t n)
{
    uint32_t plan = !u->err ? plan_page(u, u->page) : 0;
    uint32_t ms;

    ms = (plan % PLAN_ERASE * BOARD_FLASH_PROGRAM_MS + PAGE_WORDS - 1) /
         PAGE_WORDS;
    if (plan & PLAN_ERASE)
        ms += part_erase_ms(part_unit(u->page));
    if ((plan || u->held) && ends_image(u, n))
        ms += CRC_MS(boot_image_size(slot()));
    return ms;
}

/* Marks the erase units from an address on; what is blank from there has
 * nothing to wait for. */
static void mark(struct upd *u, uint32_t from, uint32_t end)
{
    for (uint32_t unit = part_unit(from); unit < end; unit++) {
        if (!blank(from, unit + 1))
            u->erase[unit] = 1;
        from = part_unit_start(unit + 1);
    }
}

void upd_erase(struct upd *u, uint32_t addr)
{
    uint32_t from = part_sector_start(addr);
    uint32_t end = part_unit(from) + PART_SECTOR_UNITS;

    if (PART_APP_REST && end > PART_APP_UNIT_END)
        end = PART_APP_UNIT_END; /* the last one is smaller */
    carry_on(u, upd_area(addr));
    if (u->err)
        return;
    /* dfu-util up to 0.9 erases as it goes, and by addresses that are
     * multiples of the sector size: what it just wrote stays. */
    if (addr < u->write)
        u->gapless = UPD_GAPS;
    else if (from < u->write)
        from = u->write;
    mark(u, from, end);
}

void upd_erase_all(struct upd *u)
{
    upd_lost(u);
    u->whole = UPD_UNKNOWN;
    mark(u, PART_APP_START, PART_APP_UNIT_END);
}

/* ---- ends ---- */

void upd_settle(struct upd *u)
{
    u->settling = true;
}

void upd_lost(struct upd *u)
{
    if (CONFIG_MSC && u->open)
        return;
    u->err = ERR_NONE;
    drop_page(u);
    u->run = UPD_NO_RUN;
    if (PART_BIG_UNITS)
        u->gapless = UPD_ALL;
    u->write = PART_APP_START;
    u->settling = true;
}

void upd_stop(struct upd *u, bool last_short)
{
    if (u->run == UPD_RUN && last_short && !stamped())
        u->whole = UPD_WHOLE;
    u->settling = true;
}

void upd_leave(struct upd *u)
{
    if (u->held && !stamped() && u->run != UPD_RUN)
        fail(u, ERR_NO_IMAGE);
    verify(u);
    u->whole = !u->err && !stamped() && u->run == UPD_RUN;
    u->settling = true;
}

/* All is carried out; is there an image to install? */
static void settled(struct upd *u)
{
    u->settling = false;
    if (!u->held)
        return;
    if (!u->whole && stamped()) {
        verify(u);
        u->err = ERR_NONE; /* nobody asked; it just stays unbootable */
    }
    if (u->whole == UPD_WHOLE)
        install(u);
}

void upd_poll(struct upd *u)
{
    if (!u->settling)
        return;
    drop_page(u);
    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (u->erase[i]) {
            erase_marked(u, i);
            return;
        }
    settled(u);
}

bool upd_busy(const struct upd *u)
{
    return u->settling && !u->err;
}

uint32_t upd_busy_ms(const struct upd *u)
{
    uint32_t ms = 0;

    if (!u->settling)
        return 0;
    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (u->erase[i])
            ms += part_erase_ms(i);
    if (u->held && u->whole == UPD_WHOLE && *slot() != ERASED)
        ms += part_erase_ms(PART_APP_UNIT) +
              BOARD_FLASH_PROGRAM_MS *
                  (part_unit_start(PART_APP_UNIT + 1) - PART_APP_START) / PAGE;
    return ms;
}

/* ---- pieces in any order ---- */

void upd_open(struct upd *u)
{
    upd_lost(u);
    u->settling = false;
    u->gapless = UPD_GAPS; /* nothing is implied: all is marked */
    u->whole = UPD_UNKNOWN;
    u->open = true;
    mark(u, PART_APP_START, PART_APP_UNIT_END);
}

void upd_close(struct upd *u, uint32_t end)
{
    commit(u);
    if (stamped())
        end = boot_image_size(slot());
    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (part_unit_start(i) - PART_APP_START >= end)
            u->erase[i] = 0;
        else if (u->erase[i]) /* else what came may be there already, */
            touch(u, part_unit_start(i)); /* and would not be verified */
    u->open = false;
    verify(u);
    u->settling = true;
}

void upd_drop(struct upd *u)
{
    memset(u->erase, 0, sizeof(u->erase));
    u->open = false;
    upd_lost(u);
    u->whole = UPD_TORSO; /* what is there has been given up */
}
