/* SPDX-License-Identifier: MIT */
/* upd_place.c - see upd_store.h: the update is written in place. */
#include "boot.h"
#include "flash.h"
#include "plan.h"
#include "upd_store.h"

#include <string.h>

#define ERASED BOARD_FLASH_ERASED
#define PAGE   BOARD_FLASH_PAGE

/* The slot as it lies in flash. */
static const uint32_t *slot(void)
{
    return (const uint32_t *)PART_APP_START;
}

const uint32_t *store_head(const struct upd *u)
{
    (void)u;
    return slot();
}

uint8_t store_byte(const struct upd *u, uint32_t addr)
{
    uint32_t at = addr - PART_APP_START;

    if (at < PART_APP_SIZE && u->erase[part_unit(addr)])
        return (uint8_t)ERASED;
    if (!CONFIG_MARK && u->held && at < sizeof(u->first))
        addr = (uint32_t)&u->first + at;
    return *(const uint8_t *)addr;
}

/* What it takes to make a page hold the buffer. */
static uint32_t plan(const struct upd *u, uint32_t page)
{
    /* More than a page is erased at once: what else is there is to go. */
    return plan_page(
        (const void *)page, u->buf,
        PART_BIG_UNITS && u->erase[part_unit(page)] ? PLAN_ERASE : 0, false);
}

/* ---- changing flash: nothing more happens after an error ---- */

/* ARMv6-M has no access to a word at any other address. */
#ifdef __ARM_ARCH_6M__
typedef uint8_t look_t;
#else
typedef uint32_t look_t;
#endif

/* From addr to the end of its erase unit, which has the number before end. */
static bool blank(uint32_t addr, uint32_t end)
{
    const look_t *w = (const look_t *)addr;

    while ((uint32_t)w < part_unit_start(end) + 1 - sizeof(*w))
        if (*w++ != (look_t)ERASED)
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
    if (!CONFIG_MARK)
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

/* Makes the installed image unbootable, by the mark, or by as much of the upper
 * end of its initial stack pointer as the flash programs at least: of what a
 * power cut may leave of it, only the old value points into RAM
 * (docs/design.md). */
static void invalidate(struct upd *u)
{
    if (CONFIG_MARK) {
        if (!u->held && !u->err && !flash_mark(true))
            u->err = ERR_PROGRAM;
        u->held |= !u->err;
        return;
    }
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
    if (!CONFIG_MARK && unit == PART_APP_UNIT)
        u->held = false;
}

/* A block that broke off is dropped, with the erase that it implied. */
void store_drop_page(struct upd *u)
{
    u->page = 0;
#if PART_BIG_UNITS
    u->erase[u->implied] = 0; /* unit 0 is not writable */
    u->implied = 0;
#endif
}

/* The open page goes to flash; of the first page all but its first word where
 * that is what makes the image bootable. */
void store_commit(struct upd *u)
{
    uint32_t page = u->page;
    uint32_t unit = part_unit(page);
    uint32_t *first = (uint32_t *)u->buf;
    uint32_t todo;

    u->page = 0;
    if (!page || u->err)
        return;
#if PART_BIG_UNITS
    u->implied = 0;
#endif
    todo = plan(u, page);
    if (!PART_BIG_UNITS)
        u->erase[unit] = 0;
    else if ((todo & PLAN_ERASE) && !u->erase[unit])
        u->err = ERR_NOT_ERASED; /* other data would go with it */
    else if (todo & PLAN_ERASE)
        erase_marked(u, unit);
    if (!todo)
        return;
    touch(u, page);
    if (u->err)
        return;
    if (!CONFIG_MARK && page == PART_APP_START) {
        u->held = true;
        u->first = *first;
        /* What is invalid there may stay where nothing is erased. */
        *first = PART_BIG_UNITS ? *slot() : ERASED;
        if (!PART_BIG_UNITS)
            todo = plan(u, page);
    }
    if (!PART_BIG_UNITS && (todo & PLAN_ERASE))
        erase(u, unit);
    program(u, page, u->buf, PAGE);
}

/* The page as the host sees it. */
void store_load(struct upd *u, uint32_t page)
{
    const uint32_t *from = (const uint32_t *)page;
    uint32_t *to = (uint32_t *)u->buf;
    bool erased = u->erase[part_unit(page)];

    u->page = page;
    while (to < (uint32_t *)(u->buf + PAGE))
        *to++ = erased ? ERASED : *from++;
    if (!CONFIG_MARK && u->held && !erased && page == PART_APP_START)
        *(uint32_t *)u->buf = u->first;
}

/* Takes the mark away, or writes back the first word; from here on the image
 * boots. */
void store_install(struct upd *u)
{
    if (CONFIG_MARK) {
        u->held = !flash_mark(false);
        if (u->held)
            u->err = ERR_PROGRAM;
        return;
    }
    if (*slot() != ERASED) {
#if PART_BIG_UNITS
        /* The rest of the unit goes with the first word and comes back. */
        upd_read(u, PART_APP_START, u->unit, sizeof(u->unit));
        u->erase[PART_APP_UNIT] = 1;
        u->write = PART_APP_START;
        upd_feed(u, u->unit, sizeof(u->unit));
#else
        store_load(u, PART_APP_START);
#endif
        store_commit(u);
    }
    program(u, PART_APP_START, &u->first, 4);
    if (!u->err)
        u->held = false;
}

/* Marks the erase units from an address on; what is blank from there has
 * nothing to wait for. */
__attribute__((noinline)) void store_erase(struct upd *u, uint32_t from,
                                           uint32_t end)
{
    for (uint32_t unit = part_unit(from); unit < end; unit++) {
        if (!blank(from, unit + 1))
            u->erase[unit] = 1;
        from = part_unit_start(unit + 1);
    }
}

/* Who writes the slot from its start need not erase it first. */
void store_imply_erase(struct upd *u)
{
#if PART_BIG_UNITS
    uint32_t unit = part_unit(u->write);

    if (u->gapless != UPD_ALL || u->write != part_unit_start(unit) ||
        u->erase[unit])
        return;
    store_erase(u, u->write, unit + 1);
    u->implied = (uint8_t)unit;
#else
    (void)u;
#endif
}

uint32_t store_commit_ms(struct upd *u)
{
    uint32_t todo = !u->err ? plan(u, u->page) : 0;
    uint32_t ms = PLAN_MS(todo % PLAN_ERASE);

    if (todo & PLAN_ERASE)
        ms += part_erase_ms(part_unit(u->page));
    if (CONFIG_MARK && ms && !u->held)
        ms += BOARD_FLASH_MARK_MS;
    return ms;
}

bool store_settle(struct upd *u)
{
    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (u->erase[i]) {
            erase_marked(u, i);
            return true;
        }
    return false;
}

uint32_t store_settle_ms(const struct upd *u)
{
    uint32_t ms = 0;

    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (u->erase[i])
            ms += part_erase_ms(i);
    if (!CONFIG_MARK && u->held && u->whole == UPD_WHOLE && *slot() != ERASED)
        ms += part_erase_ms(PART_APP_UNIT) +
              BOARD_FLASH_PROGRAM_MS *
                  (part_unit_start(PART_APP_UNIT + 1) - PART_APP_START) / PAGE;
    return ms;
}

void store_trim(struct upd *u, uint32_t end)
{
    for (uint32_t i = PART_APP_UNIT; i < PART_APP_UNIT_END; i++)
        if (part_unit_start(i) - PART_APP_START >= end)
            u->erase[i] = 0;
        else if (u->erase[i]) /* else what came may be there already, */
            touch(u, part_unit_start(i)); /* and would not be verified */
}

void store_forget(struct upd *u)
{
    memset(u->erase, 0, sizeof(u->erase));
}
