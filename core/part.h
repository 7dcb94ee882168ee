/* SPDX-License-Identifier: MIT */
/*
 * part.h - erase units: what the silicon erases at once, numbered from the
 * start of flash.  Most chips have small ones of one size, which are the
 * pages that upd.c writes; the STM32F4 has few large ones.
 */
#ifndef SALLYPORT_PART_H
#define SALLYPORT_PART_H

#include "config.h"
#include "hex.h"

#include <stdint.h>

#ifdef BOARD_FLASH_F4

/* RM0090 table 5, and alike in all of the family: sectors 0 to 3 of 16 KB, 4
 * of 64 KB, the others of 128 KB.  This is the number of a sector by the
 * offset of an address in it, and back. */
#define PART_F4_SECTOR(offset)                                                 \
    ((offset) < 0x10000u   ? (offset) >> 14                                    \
     : (offset) < 0x20000u ? 4u                                                \
                           : 4u + ((offset) >> 17))
#define PART_F4_OFFSET(sector)                                                 \
    ((sector) < 5u ? (sector) << 14 : ((sector)-4u) << 17)

#define PART_BIG_UNITS    1
#define PART_UNIT(addr)   PART_F4_SECTOR((addr)-BOARD_FLASH_BASE)
#define PART_SECTOR_UNITS 1u
#define PART_APP_REST     0

/* The number behind the last one gives the end of flash. */
static inline uint32_t part_unit_start(uint32_t unit)
{
    return BOARD_FLASH_BASE + PART_F4_OFFSET(unit);
}

/* Typical, with 32 bits at once (DS8626 table 40), milliseconds. */
static inline uint32_t part_erase_ms(uint32_t unit)
{
    return unit < 4 ? 250 : unit == 4 ? 550 : 1000;
}

/* The layout string: run(sectors, bytes of each, type), separated by commas. */
#if CONFIG_STAGED
#define PART_STAGED_RUN(run, type)                                             \
    , ',', run(PART_UNIT(PART_RECORD_END) - PART_APP_UNIT_END, 0x20000u, type)
#else
#define PART_STAGED_RUN(run, type)
#endif
#if BOARD_KV_SIZE
#define PART_KV_RUN(run, type)                                                 \
    , ',', run(BOARD_KV_SIZE / 0x20000u, 0x20000u, type)
#else
#define PART_KV_RUN(run, type)
#endif
#define PART_RUNS(run, read_only, writable)                                    \
    run(PART_BOOT_SIZE / 0x4000u, 0x4000u, read_only), ',',                    \
        run(4u - PART_BOOT_SIZE / 0x4000u, 0x4000u, writable), ',',            \
        run(1u, 0x10000u, writable), ',',                                      \
        run(PART_APP_UNIT_END - 5u, 0x20000u, writable)                        \
            PART_STAGED_RUN(run, read_only) PART_KV_RUN(run, read_only)

#define PART_ALIGNED(offset)                                                   \
    (PART_F4_OFFSET(PART_F4_SECTOR(offset)) == (offset))
_Static_assert(PART_ALIGNED(PART_BOOT_SIZE) && PART_BOOT_SIZE < 0x10000u &&
                   PART_ALIGNED(PART_BOOT_SIZE + PART_APP_SIZE) &&
                   BOARD_KV_SIZE % 0x20000u == 0,
               "partitions start at sector boundaries");

#else

#define PART_BIG_UNITS         0
#define PART_UNIT(addr)        (((addr)-BOARD_FLASH_BASE) / BOARD_FLASH_PAGE)

/* Layout strings: hosts take at most 99 sectors a run, so what the string
 * calls a sector is the smallest power-of-two multiple of the page for which
 * that holds.  An erase command covers all pages of it. */
#define PART_FITS(size, pages) ((size) / (BOARD_FLASH_PAGE * (pages)) <= 99)
#define PART_PAGES(size)                                                       \
    (PART_FITS(size, 1)   ? 1u                                                 \
     : PART_FITS(size, 2) ? 2u                                                 \
     : PART_FITS(size, 4) ? 4u                                                 \
     : PART_FITS(size, 8) ? 8u                                                 \
                          : 16u)
#define PART_SECTOR_UNITS PART_PAGES(PART_APP_SIZE)

/* What the sectors leave of the slot is one more, smaller sector. */
#define PART_SECTOR(size) (BOARD_FLASH_PAGE * PART_PAGES(size))
#define PART_APP_REST     (PART_APP_SIZE % PART_SECTOR(PART_APP_SIZE))
#if PART_APP_REST
#define PART_REST_RUN(run, type) , ',', run(1u, PART_APP_REST, type)
#else
#define PART_REST_RUN(run, type)
#endif

/* The layout string: run(sectors, bytes of each, type), separated by commas. */
#define PART_RUN(run, size, type)                                              \
    run((size) / PART_SECTOR(size), PART_SECTOR(size), type)
#if CONFIG_STAGED
#define PART_STAGED_RUN(run, type)                                             \
    , ',', PART_RUN(run, PART_RECORD_END - PART_DOWNLOAD_START, type)
#else
#define PART_STAGED_RUN(run, type)
#endif
#if BOARD_KV_SIZE
#define PART_KV_RUN(run, type) , ',', PART_RUN(run, BOARD_KV_SIZE, type)
#else
#define PART_KV_RUN(run, type)
#endif
#define PART_RUNS(run, read_only, writable)                                    \
    PART_RUN(run, PART_BOOT_SIZE, read_only), ',',                             \
        PART_RUN(run, PART_APP_SIZE, writable) PART_REST_RUN(run, writable)    \
            PART_STAGED_RUN(run, read_only) PART_KV_RUN(run, read_only)

_Static_assert(PART_FITS(PART_APP_SIZE, PART_PAGES(PART_APP_SIZE)),
               "the app partition is more than 99 sectors");
_Static_assert(PART_BOOT_SIZE % BOARD_FLASH_PAGE == 0 &&
                   PART_APP_SIZE % BOARD_FLASH_PAGE == 0 &&
                   BOARD_KV_SIZE % BOARD_FLASH_PAGE == 0,
               "partitions start at page boundaries");

static inline uint32_t part_unit_start(uint32_t unit)
{
    return BOARD_FLASH_BASE + unit * BOARD_FLASH_PAGE;
}

static inline uint32_t part_erase_ms(uint32_t unit)
{
    (void)unit;
    return BOARD_FLASH_ERASE_MS;
}

#endif

/* Those of the slot. */
#define PART_APP_UNIT     PART_UNIT(PART_APP_START)
#define PART_APP_UNIT_END PART_UNIT(PART_APP_END)

static inline uint32_t part_unit(uint32_t addr)
{
    return PART_UNIT(addr);
}

/* Where the sector of the layout string starts in which addr lies; they are
 * counted from the start of the slot. */
static inline uint32_t part_sector_start(uint32_t addr)
{
#if PART_BIG_UNITS
    return part_unit_start(part_unit(addr));
#else
    return addr - (addr - PART_APP_START) % PART_SECTOR(PART_APP_SIZE);
#endif
}

/* ---- the layout string of DfuSe (UM0424), made by the compiler:
 * "@Internal Flash /0x08000000/02*002Ka,63*008Kg,02*002Ka"; a: read-only, g:
 * can be read, erased and written ---- */

#define PART_DIGIT(n, unit) (char)('0' + (n) / (unit) % 10)
/* n sectors of so many bytes each; in units of KB where it is one or more. */
#define PART_RUN_UNITS(size) ((size) < 1024 ? (size) : (size) / 1024)
#define PART_RUN_CHARS(n, size, type)                                          \
    PART_DIGIT(n, 10), PART_DIGIT(n, 1), '*',                                  \
        PART_DIGIT(PART_RUN_UNITS(size), 100),                                 \
        PART_DIGIT(PART_RUN_UNITS(size), 10),                                  \
        PART_DIGIT(PART_RUN_UNITS(size), 1), (size) < 1024 ? ' ' : 'K', type

#define PART_LAYOUT_ENDING(end)                                                \
    '@', 'I', 'n', 't', 'e', 'r', 'n', 'a', 'l', ' ', 'F', 'l', 'a', 's', 'h', \
        ' ', '/', '0', 'x', HEX_CHARS(BOARD_FLASH_BASE), '/',                  \
        PART_RUNS(PART_RUN_CHARS, 'a', 'g'), end
#define PART_LAYOUT      PART_LAYOUT_ENDING('\0')
#define PART_LAYOUT_SIZE sizeof((const char[]){PART_LAYOUT})
extern const char part_layout[];

_Static_assert(PART_LAYOUT_SIZE - 1 <= 126, "longer than a string descriptor");

#endif
