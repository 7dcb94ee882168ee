/* SPDX-License-Identifier: MIT */
/*
 * upd_store.h - where the bytes of an update session lie: what upd.c asks of
 * upd_place.c (in place) or upd_staged.c (download, then the application).  One
 * of them is bound at link time; each owns the fields of struct upd that the
 * other does not have.
 *
 * Nothing changes flash while u->err stands; what fails sets it.
 */
#ifndef SALLYPORT_UPD_STORE_H
#define SALLYPORT_UPD_STORE_H

#include "upd.h"

/* Typical time of a check, milliseconds; the board has that of 32 KB. */
#define UPD_CRC_MS(bytes) ((bytes)*BOARD_CRC_MS >> 15)

/* The first page, for its vectors and stamp. */
const uint32_t *store_head(const struct upd *u);
/* A byte as the host should see it. */
uint8_t store_byte(const struct upd *u, uint32_t addr);

/* Opens a page: u->page, and u->buf as the host sees it. */
void store_load(struct upd *u, uint32_t page);
/* Drops it; or keeps it, if there is one, and its typical time, 0 where nothing
 * will change. */
void store_drop_page(struct upd *u);
void store_commit(struct upd *u);
uint32_t store_commit_ms(struct upd *u);
/* The block goes on at u->write, in a page that is not open yet. */
void store_imply_erase(struct upd *u);
/* What is not blank from an address to the erase unit `end` is to be blank. */
void store_erase(struct upd *u, uint32_t from, uint32_t end);

/* Carries out something of what was deferred, a page at most; false where there
 * is nothing left.  Time of all that, and of the installation if the image is
 * whole. */
bool store_settle(struct upd *u);
uint32_t store_settle_ms(const struct upd *u);
/* The image is verified: makes it bootable. */
void store_install(struct upd *u);

/* A file was written that ends so far behind the start of the slot: what it
 * does not reach stays.  Or it is void. */
void store_trim(struct upd *u, uint32_t end);
void store_forget(struct upd *u);

#endif
