/* SPDX-License-Identifier: MIT */
/*
 * plat.h - what the core asks of the rest of the chip and board.
 */
#ifndef SALLYPORT_PLAT_H
#define SALLYPORT_PLAT_H

#include "boot.h"

#include <stdbool.h>
#include <stdint.h>

/* Right after reset, clocks as reset leaves them.  Reads the key, the RAM
 * mailbox (and clears it), the vectors of the application. */
void plat_boot_facts(struct boot_facts *facts);

/* Waits, with a mark in the mailbox that a reset meanwhile leaves behind. */
void plat_double_reset_window(uint32_t ms);

/* Starts the application; everything is as after a reset but for the stack
 * pointer, the program counter and VTOR.  Does not return. */
_Noreturn void plat_jump(uint32_t vectors);

/* Time base, LED; clocks run. */
void plat_start(void);

/* Milliseconds since plat_start(), wraps after 49 days.  Counts while it is
 * called at least once a millisecond: the time of a flash operation, which
 * stalls the CPU, is not in it. */
uint32_t plat_ms(void);

void plat_led(bool on);

/* Continues a CRC-32 of ISO-HDLC (zlib's; it starts with 0) over a word, or
 * over its lower n bytes where n is less than 4, by the chip's CRC unit. */
uint32_t plat_crc(uint32_t crc, uint32_t word, uint32_t n);

/* Writes the chip's unique id as upper-case hexadecimal digits, without a
 * NUL.  The application uses the same rule (app/sallyport_app.h). */
#define PLAT_SERIAL_DIGITS 24u
void plat_serial(char *digits);

_Noreturn void plat_reset(void);

#endif
