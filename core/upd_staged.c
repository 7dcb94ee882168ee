/* SPDX-License-Identifier: MIT */
/* upd_staged.c - see upd_store.h: the update goes to download (stage.h), and is
 * installed by the next reset.  An error that leaves no way on, and a file that
 * is void, take the view back to the application. */
#include "boot.h"
#include "img.h"
#include "plan.h"
#include "upd_store.h"

#include <string.h>

#define PAGE BOARD_FLASH_PAGE

/* The record by half-words of 53 us (DS5792 table 29); by rows, and three words
 * that take as long. */
#define RECORD_MS                                                              \
    (10u + (PLAN_ROW > 1                                                       \
                ? PLAN_MS(sizeof(struct stage_source) / sizeof(plan_word))     \
                : 0))

static uint32_t page_number(uint32_t addr)
{
    return (addr - PART_APP_START) / PAGE;
}

const uint32_t *store_head(const struct upd *u)
{
    return stage_head(&u->stage);
}

uint8_t store_byte(const struct upd *u, uint32_t addr)
{
    uint32_t at = addr - PART_APP_START;

    return at < PART_APP_SIZE ? stage_byte(&u->stage, at)
                              : *(const uint8_t *)addr;
}

void store_load(struct upd *u, uint32_t page)
{
    u->page = page;
    stage_page(&u->stage, page_number(page), u->buf);
}

void store_drop_page(struct upd *u)
{
    u->page = 0;
}

void store_imply_erase(struct upd *u)
{
    (void)u; /* a page that was not erased finds another place */
}

void store_commit(struct upd *u)
{
    uint32_t page = u->page;

    u->page = 0;
    if (!page || u->err)
        return;
    u->held = true;
    u->err = (uint8_t)stage_write(&u->stage, page_number(page), u->buf);
    if (!u->open) {
        memset(u->stage.source.name, 0, sizeof(u->stage.source.name));
        if (u->err)
            stage_start(&u->stage);
    }
    if (page == PART_APP_START)
        u->stage.source.size = 0;
    if (u->write - PART_APP_START > u->stage.source.size)
        u->stage.source.size = u->write - PART_APP_START;
}

uint32_t store_commit_ms(struct upd *u)
{
    if (!u->page || u->err)
        return 0;
    return stage_write_ms(&u->stage, page_number(u->page), u->buf);
}

void store_erase(struct upd *u, uint32_t from, uint32_t end)
{
    uint32_t stop = part_unit_start(end);
    uint32_t addr = from;

    u->held = true;
    u->stage.loose = u->open;
    if (u->open) { /* perhaps once more */
        u->page = 0;
        u->err = ERR_NONE;
    }
    /* What was written just before stays, where nothing follows in its page. */
    while (addr % PAGE && store_byte(u, addr) == (uint8_t)BOARD_FLASH_ERASED)
        addr++;
    for (addr &= ~(PAGE - 1); addr < stop; addr += PAGE)
        stage_blank(&u->stage, page_number(addr));
}

uint8_t *upd_file_page(struct upd *u, uint8_t place)
{
    store_commit(u);
    if (place)
        memcpy(u->buf, stage_file_page(place), PAGE);
    else
        memset(u->buf, (uint8_t)BOARD_FLASH_ERASED, PAGE);
    return u->buf;
}

enum err upd_file_write(struct upd *u, uint8_t *place)
{
    return stage_file_write(&u->stage, place, u->buf);
}

bool store_settle(struct upd *u)
{
    (void)u; /* nothing is deferred */
    return false;
}

uint32_t store_settle_ms(const struct upd *u)
{
    if (!u->held || u->whole != UPD_WHOLE)
        return 0;
    return RECORD_MS + UPD_CRC_MS(u->stage.source.size);
}

void store_install(struct upd *u)
{
    const uint32_t *v = store_head(u);
    enum err err = ERR_NONE;

    if (stage_copy(&u->stage, u->buf, &err)) {
        u->settling = true; /* one page at a time */
    } else {
        u->stage.source.version = 0;
        if (v[IMG_OFF_MAGIC / 4] == IMG_MAGIC) {
            u->stage.source.version = v[IMG_OFF_VERSION / 4];
            u->stage.source.size = boot_image_size(v);
        }
        err = stage_commit(&u->stage, u->buf);
        u->held = false;
    }
    if (err) {
        u->err = (uint8_t)err;
        stage_start(&u->stage);
    }
}

void store_trim(struct upd *u, uint32_t end)
{
    stage_trim(&u->stage, end);
}

void store_forget(struct upd *u)
{
    stage_start(&u->stage);
    u->held = false;
}
