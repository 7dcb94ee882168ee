/* SPDX-License-Identifier: MIT */
/* upd.c - see upd.h; the reasons for the rules stand in docs/design.md. */
#include "upd.h"

#include "boot.h"
#include "img.h"
#include "part.h"
#include "plat.h"
#include "upd_store.h"

#include <string.h>

#define PAGE BOARD_FLASH_PAGE

enum err upd_area(uint32_t addr)
{
    if (addr - PART_APP_START < PART_APP_SIZE)
        return ERR_NONE;
    return addr - BOARD_FLASH_BASE < BOARD_FLASH_SIZE ? ERR_READ_ONLY
                                                      : ERR_ADDRESS;
}

/* ---- what the host sees ---- */

void upd_read(const struct upd *u, uint32_t addr, uint8_t *dst, uint32_t n)
{
    while (n--)
        *dst++ = store_byte(u, addr++);
}

static void fail(struct upd *u, enum err err)
{
    if (!u->err)
        u->err = err;
}

/* ---- the image ---- */

__attribute__((noinline)) static bool stamped(const struct upd *u)
{
    return store_head(u)[IMG_OFF_MAGIC / 4] == IMG_MAGIC;
}

/* The CRC of the image as the host sees it, its own word taken as 0. */
static uint32_t image_crc(struct upd *u, uint32_t size)
{
    uint32_t crc = 0;

    for (uint32_t pos = 0; pos < size; pos += 4) {
        uint32_t *word = (uint32_t *)(u->buf + pos % PAGE);

        if (pos % PAGE == 0) {
            store_load(u, PART_APP_START + pos);
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

    store_load(u, PART_APP_START);
    product = v[IMG_OFF_PRODUCT / 4];
    crc = v[IMG_OFF_CRC / 4];
    if (!boot_vectors_ok(v))
        fail(u, ERR_NO_IMAGE);
    else if (u->held && stamped(u)) {
        if (product && product != BOARD_PRODUCT)
            fail(u, ERR_PRODUCT);
        else if (!u->err && image_crc(u, boot_image_size(v)) != crc)
            u->err = ERR_CHECK;
    }
    u->whole = UPD_WHOLE;
    if (u->err)
        u->whole = UPD_TORSO;
}

/* ---- blocks ---- */

/* Something comes: what was deferred stays so. */
static void carry_on(struct upd *u, enum err err)
{
    u->err = err;
    store_drop_page(u);
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

#if CONFIG_MSC
__attribute__((noinline))
#endif
uint8_t *
upd_page(struct upd *u, uint32_t addr)
{
    uint32_t page = addr & ~(PAGE - 1);

    if (u->page != page) {
        store_commit(u);
        store_imply_erase(u);
        store_load(u, page);
    }
    return u->buf + addr % PAGE;
}

void upd_put(struct upd *u, uint32_t addr, const uint8_t *data, uint32_t n)
{
    memcpy(upd_page(u, addr), data, n);
}

void upd_swap(struct upd *u, uint32_t addr, uint8_t *data, uint32_t n)
{
    uint8_t *to = upd_page(u, addr);

    while (n--) {
        uint8_t was = *to;

        *to++ = *data;
        *data++ = was;
    }
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
    return stamped(u) && u->run && u->gapless &&
           u->write - PART_APP_START - boot_image_size(store_head(u)) < n;
}

void upd_end(struct upd *u, uint32_t n)
{
    u->run = u->run == UPD_RUN_OPEN;
    store_commit(u);
    if (ends_image(u, n)) {
        verify(u);
        u->settling = true;
    }
}

uint32_t upd_end_ms(struct upd *u, uint32_t n)
{
    uint32_t ms = store_commit_ms(u);

    if ((ms || u->held) && ends_image(u, n))
        ms += UPD_CRC_MS(boot_image_size(store_head(u)));
    return ms;
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
    store_erase(u, from, end);
}

void upd_erase_all(struct upd *u)
{
    upd_lost(u);
    u->whole = UPD_UNKNOWN;
    store_erase(u, PART_APP_START, PART_APP_UNIT_END);
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
    store_drop_page(u);
    u->run = UPD_NO_RUN;
    if (PART_BIG_UNITS)
        u->gapless = UPD_ALL;
    u->write = PART_APP_START;
    u->settling = true;
}

void upd_stop(struct upd *u, bool last_short)
{
    if (u->run == UPD_RUN && last_short && !stamped(u))
        u->whole = UPD_WHOLE;
    u->settling = true;
}

void upd_leave(struct upd *u)
{
    if (u->held && !stamped(u) && u->run != UPD_RUN)
        fail(u, ERR_NO_IMAGE);
    verify(u);
    u->whole = !u->err && !stamped(u) && u->run == UPD_RUN;
    u->settling = true;
}

/* All is carried out; is there an image to install? */
static void settled(struct upd *u)
{
    u->settling = false;
    if (!u->held)
        return;
    if (!u->whole && stamped(u)) {
        verify(u);
        u->err = ERR_NONE; /* nobody asked; it just stays unbootable */
    }
    if (u->whole == UPD_WHOLE)
        store_install(u);
}

void upd_poll(struct upd *u)
{
    if (!u->settling)
        return;
    store_drop_page(u);
    if (!store_settle(u))
        settled(u);
}

bool upd_busy(const struct upd *u)
{
    return u->settling && !u->err;
}

uint32_t upd_busy_ms(const struct upd *u)
{
    return u->settling ? store_settle_ms(u) : 0;
}

/* ---- pieces in any order ---- */

void upd_open(struct upd *u)
{
    upd_lost(u);
    u->settling = false;
    u->gapless = UPD_GAPS; /* nothing is implied: all is marked */
    u->whole = UPD_UNKNOWN;
    u->open = true;
    store_erase(u, PART_APP_START, PART_APP_UNIT_END);
}

void upd_close(struct upd *u, uint32_t end)
{
    store_commit(u);
    if (stamped(u))
        end = boot_image_size(store_head(u));
    store_trim(u, end);
    u->open = false;
    verify(u);
    u->settling = true;
}

void upd_drop(struct upd *u)
{
    store_forget(u);
    u->open = false;
    upd_lost(u);
    u->whole = UPD_TORSO; /* what is there has been given up */
}
