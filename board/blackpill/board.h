/* SPDX-License-Identifier: MIT */
/*
 * Board blackpill: STM32F411CEU6 with 512 KB flash and 128 KB RAM, a 25 MHz
 * crystal, wired as WeAct's board is: USB on PA11 and PA12, VBUS not looked
 * at, the key between PA0 and ground.
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "blackpill"
#define BOARD_HSE_HZ 25000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A411C00u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x57755A57u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32F411CE"

/* Memories: RM0383 table 4, STM32F411xC/E data sheet (DS10314) figure 14. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (512u * 1024u)
#define BOARD_FLASH_F4              /* sectors of 4 x 16, 64, 3 x 128 KB */
#define BOARD_FLASH_PAGE   4096u    /* what is written at once, of a sector */
#define BOARD_FLASH_UNIT   1u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint32_t /* usually (RM0383 clause 3.5.2) */
#define BOARD_FLASH_CLEARS 1 /* bits of what is not erased can be cleared */
/* Typical time for a page, milliseconds: 16 us a word (DS10314 clause 6.3.12).
 * Those of erases are the family's (core/part.h). */
#define BOARD_FLASH_PROGRAM_MS 17u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   6u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (128u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS  166u
#define BOARD_STAGED_SECTORS 224u /* staged, where the code is in flash */
#define BOARD_DRIVE_SPARE    32u

/* No area for the application's own settings: it would be a sector. */
#define BOARD_KV_SIZE 0u

/* Staged: application and download are 240 KB, sectors 1 to 5 and 6 to 7; what
 * the bootloader's sector makes the difference is the record's. */
#define BOARD_RECORD_SIZE 16384u

/* LED on PC13 and key on PA0 (both active low), demo's console on PA2. */
#define BOARD_LED_PORT   'C'
#define BOARD_LED_PIN    13u
#define BOARD_LED_ACTIVE 0u
#define BOARD_KEY_PORT   'A'
#define BOARD_KEY_PIN    0u
#define BOARD_KEY_ACTIVE 0u

#endif
