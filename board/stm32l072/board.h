/* SPDX-License-Identifier: MIT */
/*
 * Board stm32l072: STM32L072CZT6 with 192 KB flash and 20 KB RAM, no crystal,
 * LED, key and console wired as on ST's discovery board B-L072Z-LRWAN1; USB on
 * PA11 and PA12.
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME "stm32l072"

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A107200u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x202E3A91u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32L072CZ"

/* Memories: STM32L072xx data sheet (DS10689) figure 9, RM0376 table 6.  What
 * is compared and erased at once are eight pages of the silicon. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (192u * 1024u)
#define BOARD_FLASH_PAGE   1024u
#define BOARD_FLASH_UNIT   4u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint32_t /* as told apart (RM0376 clause 3.3.4) */
#define BOARD_FLASH_CLEARS 0   /* bits of what is not erased can be cleared */
#define BOARD_FLASH_ROW    64u /* bytes, as long as blank */
#define BOARD_FLASH_ERASED 0x00000000u
/* Typical times, milliseconds: erasing a page of 128 bytes or programming 64
 * takes 3.28 ms (DS10689 table 58). */
#define BOARD_FLASH_ERASE_MS   27u
#define BOARD_FLASH_PROGRAM_MS 53u
/* The last word of data EEPROM belongs to the bootloader: it says that an
 * update has begun and is not over (core/flash.h). */
#define BOARD_FLASH_MARK    0x080817FCu
#define BOARD_FLASH_MARK_MS 4u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   16u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (20u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS 24u
#define BOARD_DRIVE_SPARE   2u

/* No area for the application's own settings: there is data EEPROM. */
#define BOARD_KV_SIZE 0u

/* Staged: for the records of updates. */
#define BOARD_RECORD_SIZE 2048u

/* LED on PB5 and key on PB2 (pressed = low), demo's console on PA2. */
#define BOARD_LED_PORT   'B'
#define BOARD_LED_PIN    5u
#define BOARD_LED_ACTIVE 1u
#define BOARD_KEY_PORT   'B'
#define BOARD_KEY_PIN    2u
#define BOARD_KEY_ACTIVE 0u

#endif
