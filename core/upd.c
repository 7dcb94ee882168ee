/* SPDX-License-Identifier: MIT */
/* upd.c - see upd.h; the reasons for the rules stand in docs/design.md. */
#include "upd.h"

#include "boot.h"
#include "flash.h"
#include "img.h"
#include "plat.h"

#define ERASED 0xFFFFFFFFu
#define PAGE   BOARD_FLASH_PAGE
/* What image_crc() takes, measured on the virtual Cortex-M3 at 48 MHz. */
#define CRC_MS(bytes) ((bytes)*3u / 1024u)

/* The slot as it lies in flash. */
static const uint32_t *slot(void)
{
    return (const uint32_t *)PART_APP_START;
}

static uint32_t page_index(uint32_t addr)
{
    return (addr - PART_APP_START) / PAGE;
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
    if (!upd_area(addr) && u->erase[page_index(addr)])
        return 0xFF;
    if (u->held && addr - PART_APP_START < sizeof(u->first))
        return ((const uint8_t *)&u->first)[addr & 3];
    return *(const uint8_t *)addr;
}

void upd_read(const struct upd *u, uint32_t addr, uint8_t *dst, uint32_t n)
{
    while (n--)
        *dst++ = read_byte(u, addr++);
}

/* ---- one page ---- */

/* What it takes to make a page hold the buffer: the number of half-words to
 * program, plus PLAN_ERASE where one is neither erased nor right already. */
#define PLAN_ERASE 0x10000u

static uint32_t plan_page(const struct upd *u, uint32_t page)
{
    const uint16_t *want = (const uint16_t *)u->buf;
    const uint16_t *is = (const uint16_t *)page;
    uint32_t plan = 0, filled = PLAN_ERASE;

    for (uint32_t i = 0; i < PAGE / 2; i++) {
        filled += want[i] != 0xFFFF;
        if (is[i] == want[i])
            continue;
        plan++;
        if (is[i] != 0xFFFF)
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

static bool blank(uint32_t page)
{
    const uint32_t *w = (const uint32_t *)page;

    for (uint32_t i = 0; i < PAGE / 4; i++)
        if (w[i] != ERASED)
            return false;
    return true;
}

static void erase(struct upd *u, uint32_t page)
{
    if (u->err)
        return;
    /* A cut erase may bring back some bits and not others: in the first page
     * the reset vector goes first.  (u->page is 0 here.) */
    flash_program(page + 4, &u->page, 4);
    flash_erase(page);
    if (!blank(page))
        u->err = ERR_ERASE;
}

/* Programs the first word of the slot; `skip` bytes of it stay. */
static void program_first(struct upd *u, uint32_t word, uint32_t skip)
{
    if (u->err)
        return;
    flash_program(PART_APP_START + skip, (uint8_t *)&word + skip, 4 - skip);
    if (*slot() >> 8 * skip != word >> 8 * skip)
        u->err = ERR_PROGRAM;
}

/* Makes the installed image unbootable.  On flash that programs half-words
 * this is the upper half of the initial stack pointer: of what a power cut
 * may leave of it, only the old value points into RAM (docs/design.md). */
static void invalidate(struct upd *u)
{
    if (u->held || u->err || *slot() == ERASED)
        return;
    u->first = *slot();
    program_first(u, 0, 4 - BOARD_FLASH_UNIT);
    u->held = !u->err;
}

/* Before anything at `page` changes. */
static void touch(struct upd *u, uint32_t page)
{
    if (page - PART_APP_START < boot_image_size(slot()))
        invalidate(u);
}

/* The open page goes to flash; of the first page all but its first word. */
static void commit(struct upd *u)
{
    uint32_t page = u->page;
    uint32_t *first = (uint32_t *)u->buf;

    u->page = 0;
    if (!page || u->err)
        return;
    u->erase[page_index(page)] = 0;
    if (!plan_page(u, page))
        return;
    touch(u, page);
    if (u->err)
        return;
    if (page == PART_APP_START) {
        u->held = true;
        u->first = *first;
        *first = ERASED;
    }
    if (plan_page(u, page) & PLAN_ERASE)
        erase(u, page);
    if (u->err)
        return;
    flash_program(page, u->buf, PAGE);
    if (plan_page(u, page))
        u->err = ERR_PROGRAM;
}

static void load(struct upd *u, uint32_t page)
{
    upd_read(u, page, u->buf, PAGE);
    u->page = page;
}

/* ---- the image ---- */

__attribute__((noinline)) static bool stamped(void)
{
    return slot()[IMG_OFF_MAGIC / 4] == IMG_MAGIC;
}

/* The CRC of the image as the host sees it, its own word taken as 0. */
static uint32_t image_crc(const struct upd *u, uint32_t size)
{
    uint32_t crc = 0;

    for (uint32_t pos = 0; pos < size; pos++) {
        uint8_t byte = read_byte(u, PART_APP_START + pos);

        plat_ms();

        if (pos - IMG_OFF_CRC < 4)
            byte = 0;
        crc = img_crc32(crc, &byte, 1);
    }
    return crc;
}

/* Is what lies in the slot, with the first word that is held, an image?  A
 * plain one cannot tell; who calls has to know that it is whole. */
static void verify(struct upd *u)
{
    const uint32_t *v = slot();
    uint32_t product = v[IMG_OFF_PRODUCT / 4];
    uint32_t sp;

    upd_read(u, PART_APP_START, (uint8_t *)&sp, 4);
    if (!boot_vectors_ok(v, sp))
        fail(u, ERR_NO_IMAGE);
    if (u->err || !u->held || !stamped())
        return;
    if (product && product != BOARD_PRODUCT)
        u->err = ERR_PRODUCT;
    else if (image_crc(u, boot_image_size(v)) != v[IMG_OFF_CRC / 4])
        u->err = ERR_CHECK;
}

static void judge(struct upd *u)
{
    verify(u);
    u->whole = u->err ? UPD_TORSO : UPD_WHOLE;
}

/* Writes back the first word; from here on the image boots. */
static void install(struct upd *u)
{
    if (*slot() != ERASED) {
        load(u, PART_APP_START);
        commit(u);
    }
    program_first(u, u->first, 0);
    if (!u->err)
        u->held = false;
}

/* ---- blocks ---- */

/* Something comes: what was deferred stays so. */
static void carry_on(struct upd *u, enum err err)
{
    u->err = err;
    u->page = 0;
    u->settling = false;
    u->whole = UPD_UNKNOWN;
}

void upd_begin(struct upd *u, uint32_t addr, uint32_t n)
{
    carry_on(u, upd_area(addr));
    fail(u, upd_area(addr + n - 1));
    if (addr != u->write)
        u->ascending = false;
    u->partial = true;
    if (addr == PART_APP_START)
        u->run = u->ascending = true;
    u->write = addr;
}

void upd_feed(struct upd *u, const uint8_t *data, uint32_t n)
{
    while (n-- && !u->err) {
        uint32_t page = u->write & ~(PAGE - 1);

        if (u->page != page) {
            commit(u);
            load(u, page);
        }
        u->buf[u->write++ - page] = *data++;
    }
}

/* The block of n bytes ends the stamped image, and all before it is there. */
static bool ends_image(const struct upd *u, uint32_t n)
{
    return stamped() && u->run && u->ascending &&
           u->write - PART_APP_START - boot_image_size(slot()) < n;
}

void upd_end(struct upd *u, uint32_t n)
{
    u->partial = false;
    commit(u);
    if (ends_image(u, n)) {
        judge(u);
        u->settling = true;
    }
}

uint32_t upd_end_ms(struct upd *u, uint32_t n)
{
    uint32_t plan = !u->err ? plan_page(u, u->page) : 0;
    uint32_t ms = 0;

    if (plan)
        ms = 1 + plan % PLAN_ERASE * BOARD_FLASH_PROGRAM_MS * BOARD_FLASH_UNIT /
                     PAGE;
    if (plan & PLAN_ERASE)
        ms += BOARD_FLASH_ERASE_MS;
    if (ends_image(u, n))
        ms += CRC_MS(boot_image_size(slot()));
    return ms;
}

/* Marks pages; what is blank has nothing to wait for. */
__attribute__((noinline)) static void mark(struct upd *u, uint32_t first,
                                           uint32_t end)
{
    for (; first < end; first++)
        u->erase[first] = !blank(PART_APP_START + first * PAGE);
}

void upd_erase(struct upd *u, uint32_t addr)
{
    uint32_t page = page_index(addr);
    uint32_t first = page - page % PART_SECTOR_PAGES(PART_APP_SIZE);
    uint32_t end = first + PART_SECTOR_PAGES(PART_APP_SIZE);

    carry_on(u, upd_area(addr));
    if (u->err)
        return;
    /* dfu-util up to 0.9 erases as it goes, and by addresses that are
     * multiples of the sector size: what it just wrote stays. */
    if (addr >= u->write && first < page_index(u->write + PAGE - 1))
        first = page_index(u->write + PAGE - 1);
    mark(u, first, end);
    if (PART_APP_START + first * PAGE < u->write)
        u->ascending = false;
}

void upd_erase_all(struct upd *u)
{
    mark(u, 0, PART_APP_PAGES);
    u->whole = UPD_UNKNOWN;
    upd_lost(u);
}

/* ---- ends ---- */

void upd_settle(struct upd *u)
{
    u->settling = true;
}

void upd_lost(struct upd *u)
{
    u->err = ERR_NONE;
    u->page = 0;
    u->run = false;
    u->write = PART_APP_START;
    u->settling = true;
}

void upd_stop(struct upd *u, bool last_short)
{
    if (u->partial)
        u->run = false;
    if (u->run && last_short && !stamped())
        u->whole = UPD_WHOLE;
    u->settling = true;
}

void upd_leave(struct upd *u)
{
    if (u->held && !stamped() && (!u->run || u->partial))
        fail(u, ERR_NO_IMAGE);
    verify(u);
    u->whole = !u->err && !stamped() && (u->held || u->run);
    u->settling = true;
}

/* Carries out the erase of page i. */
static void erase_marked(struct upd *u, uint32_t i)
{
    uint32_t page = PART_APP_START + i * PAGE;

    u->erase[i] = 0;
    touch(u, page);
    erase(u, page);
    if (i == 0)
        u->held = false;
}

/* All is carried out; is there an image to install? */
static void settled(struct upd *u)
{
    u->settling = false;
    if (!u->held)
        return;
    if (!u->whole && stamped()) {
        judge(u);
        u->err = ERR_NONE; /* nobody asked; it just stays unbootable */
    }
    if (u->whole == UPD_WHOLE)
        install(u);
}

void upd_poll(struct upd *u)
{
    if (!u->settling)
        return;
    u->page = 0; /* of a block that broke off */
    for (uint32_t i = 0; i < PART_APP_PAGES; i++)
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
    for (uint32_t i = 0; i < PART_APP_PAGES; i++)
        if (u->erase[i])
            ms += BOARD_FLASH_ERASE_MS;
    if (u->held && u->whole == UPD_WHOLE && *slot() != ERASED)
        ms += BOARD_FLASH_ERASE_MS + BOARD_FLASH_PROGRAM_MS;
    return ms;
}
