/* SPDX-License-Identifier: MIT */
/*
 * flash.h - what the core asks of a flash memory.  One driver is bound at
 * link time; upd.c is the only caller.
 *
 * Both functions return when the operation is over; on most chips the CPU is
 * stalled meanwhile.
 */
#ifndef SALLYPORT_FLASH_H
#define SALLYPORT_FLASH_H

#include "board.h"

#include <stdbool.h>
#include <stdint.h>

/* The erase unit that starts at addr. */
void flash_erase(uint32_t addr);

/* Programs n bytes from src at addr, in ascending order; all three are
 * multiples of BOARD_FLASH_UNIT, the least that the flash programs at once.
 * Up to 4 bytes are programmed in just such units: their order counts.  More
 * (a multiple of 4, aligned; of BOARD_FLASH_ROW where there are rows, and those
 * that change are blank) may go by larger ones.  What already holds its value
 * is left alone.  True where the flash has it all afterwards. */
bool flash_program(uint32_t addr, const void *src, uint32_t n);

/* With BOARD_FLASH_MARK: "what lies in the slot is not whole", in a word of
 * memory that lives without power and whose bits can go both ways.  It is set
 * when it holds just this value: a write that is cut leaves it as if it had not
 * been begun (set), or as if it were done (cleared). */
#ifdef BOARD_FLASH_MARK
#define FLASH_MARK 0x5A11C0DEu

static inline __attribute__((always_inline)) bool flash_marked(void)
{
    return *(const volatile uint32_t *)BOARD_FLASH_MARK == FLASH_MARK;
}
#endif

/* Writes it; true where it then is so. */
bool flash_mark(bool on);

/* Implemented by the core: a driver whose code runs from RAM calls it while
 * the flash works.  It uses the bus, and nothing that changes flash.  False:
 * there is nothing to do before the flash is through. */
bool flash_meanwhile(void);

#endif
