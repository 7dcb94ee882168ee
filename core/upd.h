/* SPDX-License-Identifier: MIT */
/*
 * upd.h - the update session: the only writer of flash.  Doors (dfu.c) hand
 * it addresses and bytes; it decides when a page is erased and programmed and
 * when the image becomes bootable.
 *
 * Rules, with their reasons in docs/design.md:
 *  - What makes the image bootable is its first word (the initial stack
 *    pointer).  It is made invalid before anything else of the installed
 *    image changes and is written last, after the image was verified.
 *  - A page goes through one buffer.  It is compared with the flash before
 *    anything happens: what does not change is neither erased nor programmed.
 *    A block is in flash when its GETSTATUS says so.
 *  - An erase is remembered, and carried out when the page is written with
 *    something else or when the session settles.  What is read meanwhile is
 *    what was asked for: 0xFF, or what the silicon has there.
 *  - Where the silicon erases more than a page at once (PART_BIG_UNITS), the
 *    erase is carried out at the first write to the unit.  If nobody asked
 *    for it, it is implied by a write of the slot from its start, without a
 *    gap, where the host wrote nothing else before; else what needs it is
 *    refused (ERR_NOT_ERASED), because other data would go with it.
 *  - Nothing here waits for the host.  Each call changes one page at most,
 *    but for the last of a settling, which may also write the first one.
 */
#ifndef SALLYPORT_UPD_H
#define SALLYPORT_UPD_H

#include "err.h"
#include "part.h"
#if CONFIG_STAGED
#include "stage.h"
#endif

#include <stdbool.h>
#include <stdint.h>

/* Largest block of a door, bytes: a page, so that an aligned block is one
 * page (and at most 4096, which Linux moves). */
#define UPD_BLOCK BOARD_FLASH_PAGE

/* A verdict is remembered, because it takes a fraction of a second. */
enum upd_whole { UPD_UNKNOWN, UPD_WHOLE, UPD_TORSO };

/* This host wrote the first word and everything since.  A block that begins
 * shifts this to the left, and only its end brings it back: no run goes on
 * behind a block that broke off. */
enum upd_run { UPD_NO_RUN, UPD_RUN, UPD_RUN_OPEN };

/* What came without a gap from the slot's start: UPD_ALL is all that this host
 * wrote, and only then an erase is implied.  Else that would take what it has
 * written to the unit before. */
enum upd_gapless { UPD_GAPS, UPD_SINCE_START = 2, UPD_ALL };

/* The owner sets all of it to zero once.  The small fields come first: the
 * code is shorter for offsets that fit an instruction. */
struct upd {
    bool held;       /* the flash has no valid first word, `first` is it; with
                        CONFIG_MARK: what lies there is marked as not whole;
                        staged: what was written is not yet to be installed */
    uint8_t run;     /* enum upd_run */
    uint8_t gapless; /* enum upd_gapless */
    bool settling;   /* carry out what is deferred, then install if whole */
    bool open;       /* between upd_open() and upd_close() or upd_drop() */
#if PART_BIG_UNITS && !CONFIG_STAGED
    uint8_t implied; /* erase unit that the open page implies to erase, or 0 */
#endif
    uint8_t whole;  /* enum upd_whole: is the image complete and right? */
    uint8_t err;    /* enum err: the first one since upd_begin(), upd_erase()
                       or upd_lost(); nothing is done while it stands */
    uint32_t page;  /* address of the page that a block fills, 0: none */
    uint32_t write; /* where the next byte of the block goes */
#if CONFIG_STAGED
    struct stage stage;
#else
    uint32_t first;                   /* first word of the slot, where held */
    uint8_t erase[PART_APP_UNIT_END]; /* 1: the erase unit is to be erased */
#endif
    _Alignas(4) uint8_t buf[BOARD_FLASH_PAGE]; /* contents of the open page */
#if PART_BIG_UNITS && !CONFIG_STAGED
    /* what the erase unit of the first word holds, while it is rewritten */
    _Alignas(4) uint8_t
        unit[PART_F4_OFFSET(PART_APP_UNIT + 1) - PART_F4_OFFSET(PART_APP_UNIT)];
#endif
};

/* What may be done at addr: ERR_NONE read and write, ERR_READ_ONLY,
 * ERR_ADDRESS where there is no flash. */
enum err upd_area(uint32_t addr);

/* Starts a block of data.  ERR_ADDRESS or ERR_READ_ONLY where [addr, addr +
 * n) is not all writable. */
void upd_begin(struct upd *u, uint32_t addr, uint32_t n);

/* The bytes of the block, in any pieces. */
void upd_feed(struct upd *u, const uint8_t *data, uint32_t n);

/* The block is all there (n as in upd_begin): writes the page, verifies a
 * stamped image where this was its end: ERR_CHECK, ERR_PRODUCT. */
void upd_end(struct upd *u, uint32_t n);

/* Time that upd_end() will take, typical, in milliseconds. */
uint32_t upd_end_ms(struct upd *u, uint32_t n);

/* Marks the sector of the layout string at addr; upd_erase_all() marks the
 * whole writable area and starts at once. */
void upd_erase(struct upd *u, uint32_t addr);
void upd_erase_all(struct upd *u);

/* The host ended a download in an orderly way (ABORT).  last_short: right
 * before it came a block shorter than UPD_BLOCK, the end of a file; then a
 * plain image counts as complete. */
void upd_stop(struct upd *u, bool last_short);

/* The host fell silent: carry out what is deferred. */
void upd_settle(struct upd *u);

/* The host is gone (bus reset), or what it said was wrong: as upd_settle(),
 * and what it wrote so far is not the whole of a plain image.  Clears err. */
void upd_lost(struct upd *u);

/* The host wants the application started.  Without an error upd_poll()
 * installs the image, then upd_busy() is false; else err says why there is
 * nothing to start. */
void upd_leave(struct upd *u);

/* ---- a file whose pieces come in any order (drive.c) ---- */

/* It begins: all of the slot is to be replaced, but nothing of that happens
 * before the first piece.  Until upd_close() or upd_drop() the doors above
 * keep away, and a bus reset means nothing. */
void upd_open(struct upd *u);
/* A piece, inside the slot and inside one page. */
void upd_put(struct upd *u, uint32_t addr, const uint8_t *data, uint32_t n);
/* Opens the page that has an address, and returns where its bytes from there on
 * lie until the next one is opened; what has changed is written then.  Swaps a
 * piece with them. */
uint8_t *upd_page(struct upd *u, uint32_t addr);
void upd_swap(struct upd *u, uint32_t addr, uint8_t *data, uint32_t n);
/* The file is complete and ends so far behind the start of the slot, or where
 * its stamp says: gaps in it are erased, what lies behind it stays.  Verifies
 * the image. Without an error upd_poll() installs it, then upd_busy() is false.
 */
void upd_close(struct upd *u, uint32_t end);
/* The file is void. */
void upd_drop(struct upd *u);

/* Staged: a page of a file that may be an image, for stage_file_write().  Lends
 * the page buffer with what lies at a place, or blank; and writes it there or
 * elsewhere. */
uint8_t *upd_file_page(struct upd *u, uint8_t place);
enum err upd_file_write(struct upd *u, uint8_t *place);

/* Carries on with what is deferred, one page at most; to be called while no
 * control transfer is under way. */
void upd_poll(struct upd *u);
/* True while upd_poll() has work; its typical time in milliseconds. */
bool upd_busy(const struct upd *u);
uint32_t upd_busy_ms(const struct upd *u);

/* Reads n bytes at addr as the host should see them; outside the writable
 * area that is what is there. */
void upd_read(const struct upd *u, uint32_t addr, uint8_t *dst, uint32_t n);

#endif
