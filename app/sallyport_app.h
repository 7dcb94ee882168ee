/* SPDX-License-Identifier: MIT */
/*
 * sallyport_app.h - the few lines that an application needs to live with the
 * bootloader.  No other file of this repository is required; the words are
 * those of core/mailbox.h and core/img.h.
 *
 * What the application's linker script has to do stands in app.ld: start at
 * the slot, leave the vector table's reserved words alone (`sallyport stamp`
 * fills them in), and keep the last 16 bytes of RAM free.
 */
#ifndef SALLYPORT_APP_H
#define SALLYPORT_APP_H

#include <stdint.h>

/* Digits of the serial number, without the NUL. */
#define SALLYPORT_SERIAL_DIGITS 24u

/* Resets into the bootloader, which stays there until it got an update, or
 * for a minute where no host comes.  ram_end: one past the last byte of the
 * RAM that starts at 0x20000000.  Cut the USB connection first, long enough
 * for the host to see it. */
_Noreturn void sallyport_enter_bootloader(uint32_t ram_end);

/* Version and build of the bootloader, "0.1.0+3ad45081", in its flash; NULL
 * where the flash begins with another bootloader, or an older one. */
const char *sallyport_bootloader_version(void);

/* For an STM32F0, whose Cortex-M0 has no VTOR: interrupts go through the table
 * at address 0, which is the bootloader's, until this has copied n vectors to
 * `ram` and put the RAM there (SYSCFG_CFGR1, RM0091 clause 9.1.1).  `ram` is
 * the start of the RAM, 0x20000000; app.ld keeps it free for the section
 * .ram_vectors.  Call it before the first interrupt; it leaves SYSCFG's clock
 * on. */
void sallyport_vectors_to_ram(uint32_t *ram, const void *const *vectors,
                              uint32_t n);

/* The serial number that the bootloader shows to the host: 96 bits of unique
 * id at uid_base (0x1FFFF7E8 on STM32F1, 0x1FFF7A10 on STM32F4, 0x1FFFF7AC on
 * STM32F0) as upper-case hexadecimal digits and a NUL. */
void sallyport_serial(uint32_t uid_base,
                      char serial[SALLYPORT_SERIAL_DIGITS + 1]);

#endif
