/* SPDX-License-Identifier: MIT */
/*
 * flash.h - what the core asks of a flash memory.  One driver is bound at
 * link time.  upd.c is the only caller; it reads back what it asked for, so
 * the driver has no errors to report.
 *
 * Both functions return when the operation is over; on most chips the CPU is
 * stalled meanwhile.
 */
#ifndef SALLYPORT_FLASH_H
#define SALLYPORT_FLASH_H

#include <stdint.h>

/* One erase unit (BOARD_FLASH_PAGE bytes) starting at `page`. */
void flash_erase(uint32_t page);

/* Programs n bytes (a multiple of BOARD_FLASH_UNIT) from src, which is
 * aligned to it, at addr, in ascending order.  Units that already hold their
 * value are left alone. */
void flash_program(uint32_t addr, const void *src, uint32_t n);

#endif
