/* SPDX-License-Identifier: MIT */
/*
 * stage.h - staged updates: what the doors write lies in the partition
 * `download` until it is whole, and the boot copies it to the application's.
 * upd.c decides when that is; this knows where each page lies, keeps the record
 * in flash and does the copy.
 *
 * An image is made of pages of BOARD_FLASH_PAGE bytes, counted from the start
 * of the slot.  A page of it comes from the application as it is, is blank, or
 * lies somewhere in download: the map says where.  So images that come by
 * address (DFU, UF2) and files whose order is known at the end only (.bin) are
 * the same in the end, and one function, stage_page(), gives the bytes of a
 * page to whoever reads, verifies or installs.
 *
 * The record, in the order in which it is written (each step survives a cut
 * before, inside and after it):
 *
 *   1  a pending record is made void, before download changes
 *   2  pages of download, in any order
 *   3  the image is verified as it lies in flash
 *   4  a free place of the record's area gets source and check
 *   5  ready = STAGE_READY: from here on the next reset installs
 *   6  one more of attempts[] is used, at the start of each installation
 *   7  the application's first erase unit is erased, the others are rewritten
 *      where they differ, the first one is written; its first 8 bytes are the
 *      last ones
 *   8  end = STAGE_DONE
 *
 * A cut between 5 and 8 comes back to 6, and 7 finds what is there already by
 * comparing.  Before 5 the old application is whole and boots.  In 7 there are
 * no valid vectors, but for a cut erase of the first unit; where the bootloader
 * stays after that (the key), they are erased before the record can be made
 * void.
 *
 * Records lie one behind the other in their area, the last one counts.  The
 * area is erased when it is full and none is pending; where it shares a sector
 * with download (F4), also when a page goes to that sector.
 */
#ifndef SALLYPORT_STAGE_H
#define SALLYPORT_STAGE_H

#include "err.h"
#include "part.h"

#include <stdbool.h>
#include <stdint.h>

#define STAGE_PAGES (PART_APP_SIZE / BOARD_FLASH_PAGE)

/* Of the map: the page is the application's and stays; it is blank; else the
 * number of a page of download. */
#define STAGE_KEEP  0xFFFFu
#define STAGE_BLANK 0xFFFEu

/* What is to be installed, and what the record says of it.  It is programmed
 * by rows where the flash has them. */
#ifdef BOARD_FLASH_ROW
#define STAGE_ALIGNED _Alignas(BOARD_FLASH_ROW)
#else
#define STAGE_ALIGNED
#endif
struct stage_source {
    STAGE_ALIGNED
    uint32_t crc;     /* CRC-32 of all pages of the image that come from
                         download, as stage_page() gives them */
    uint32_t size;    /* of the image: bytes from the start of the slot, as
                         stamped, or to behind the last one that was written */
    uint32_t version; /* as stamped, or 0 */
    char name[12];    /* of the file: 8.3 as a directory has it, with spaces
                         and without a dot; or zeros */
    uint16_t map[STAGE_PAGES];
};

/* As it lies in flash, little-endian.  What is not written is erased, and a
 * word is written once: STAGE_USED is any other value, of which a power cut may
 * leave a part of its bits, but never STAGE_DONE. */
#define STAGE_READY    0x59444552u /* "REDY" */
#define STAGE_DONE     0x454E4F44u /* "DONE" */
#define STAGE_USED     (BOARD_FLASH_ERASED ? 0u : 1u)
#define STAGE_ATTEMPTS 8u /* that are counted; there may be more */
struct stage_record {
    uint32_t ready; /* STAGE_READY: the record is complete */
    uint32_t end;   /* erased: pending.  STAGE_DONE: installed.  Else void */
    uint32_t attempts[STAGE_ATTEMPTS]; /* used for each installation begun */
    uint32_t check;                    /* CRC-32 of source */
    struct stage_source source;
};

/* Places in the record's area, bytes. */
#define STAGE_RECORD_ROOM 512u
_Static_assert(sizeof(struct stage_record) <= STAGE_RECORD_ROOM,
               "a record is larger than its place");

enum stage_state {
    STAGE_NONE,      /* no record */
    STAGE_VOID,      /* begun, refused or replaced: nothing to install */
    STAGE_PENDING,   /* to be installed */
    STAGE_INSTALLED, /* the application is what the record says */
};

/* The session's view; stage_start() before all else. */
struct stage {
    bool begun; /* no record is pending, and there is room for one */
    bool loose; /* pages may change places: none is left to the application
                   for being the same */
#if CONFIG_MSC
    bool released; /* by stage_release_all() since this was cleared */
#endif
#if CONFIG_FORMATS
    uint8_t spare; /* pages of files stay out of so many first ones */
#endif
    struct stage_source source;
    uint8_t used[STAGE_PAGES]; /* what each page of download holds */
};

/* The last record, or NULL; not complete unless its state is STAGE_PENDING or
 * STAGE_INSTALLED.  How often its installation was begun, at most
 * STAGE_ATTEMPTS. */
const struct stage_record *stage_record(void);
enum stage_state stage_state(const struct stage_record *record);
uint32_t stage_attempts(const struct stage_record *record);

/* The fact for the boot decision: the next thing to do is stage_install(). */
static inline bool stage_pending(void)
{
    return stage_state(stage_record()) == STAGE_PENDING;
}

/* The view of a chip that has just started: what is pending, or else the
 * application.  What an installation has begun to change does not boot any
 * more, whatever becomes of its record. */
void stage_start(struct stage *s);

/* Fills buf with a page of the image.  False where it stays as it is in the
 * application, whose bytes these are then. */
bool stage_page(const struct stage *s, uint32_t page, uint8_t *buf);
/* A byte of it, by its offset in the slot; and at least IMG_HEADER_SIZE bytes
 * of its first page. */
uint8_t stage_byte(const struct stage *s, uint32_t offset);
const uint32_t *stage_head(const struct stage *s);

/* A page of the map gets these bytes; voids a pending record before.  Where
 * there is no room, pages of files are given up.  ERR_NOT_ERASED: no room,
 * where several pages are erased at once and others are still needed;
 * ERR_ERASE, ERR_PROGRAM. */
enum err stage_write(struct stage *s, uint32_t page, const uint8_t *buf);
/* Its typical time, milliseconds; 0 where it changes no flash. */
uint32_t stage_write_ms(const struct stage *s, uint32_t page,
                        const uint8_t *buf);
/* The page becomes blank.  This changes no flash. */
void stage_blank(struct stage *s, uint32_t page);

/* Pages of files that may be an image or not: they lie anywhere in download,
 * `place` says where: its number + 1, or 0.  Writes one (ERR_NOT_ERASED: no
 * room); gives up one, or all of them; makes one the image's. */
enum err stage_file_write(struct stage *s, uint8_t *place, const uint8_t *buf);
const uint8_t *stage_file_page(uint8_t place);
void stage_file_release(struct stage *s, uint8_t *place);
void stage_release_all(struct stage *s);
void stage_file_take(struct stage *s, uint32_t page, uint8_t place);
_Static_assert(STAGE_PAGES < 0xFF, "a place is a byte");

/* The image ends so far behind the start of the slot: what lies behind it
 * stays, by erase units.  So do units that are as they were. */
void stage_trim(struct stage *s, uint32_t end);

/* The image is whole and verified.  First, as long as stage_copy() is true and
 * without an error: a page that stays, but will be erased with others, goes to
 * download, too.  Then stage_commit() writes the record, where something
 * changes; else just nothing is pending any more.  buf: a page. */
bool stage_copy(struct stage *s, uint8_t *buf, enum err *err);
enum err stage_commit(struct stage *s, uint8_t *buf);

/* Installs what is pending, for as long as that takes, without a host.
 * ERR_NONE: it is done, or was refused because it is damaged; reset.  Else the
 * bootloader stays. */
enum err stage_install(struct stage *s, uint8_t *buf);

#endif
