/* SPDX-License-Identifier: MIT */
/*
 * Board apm32f407: Geehy's APM32F407 MINI, an APM32F407IGT6 with 1 MB flash,
 * 128 KB RAM and 64 KB CCM, an 8 MHz crystal; LED3 and KEY1 (APM32F4xx_SDK,
 * board_apm32f407_mini.h), USB on PA11 and PA12, VBUS not looked at: PA9 is the
 * TX of the board's COM1.  The chip has the registers of the STM32F407.
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "apm32f407"
#define BOARD_HSE_HZ 8000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5AF40700u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json): that
 * of the STM32F4, whose applications run here.  The list has none of Geehy's.
 */
#define BOARD_UF2_FAMILY 0x57755A57u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "APM32F407IG"

/* Memories: as STM32F407 (RM0090 table 5), and in Geehy's linker scripts. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (1024u * 1024u)
#define BOARD_FLASH_F4              /* sectors of 4 x 16, 64, 7 x 128 KB */
#define BOARD_FLASH_PAGE   4096u    /* what is written at once, of a sector */
#define BOARD_FLASH_UNIT   1u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint32_t /* usually (RM0090 clause 3.6.2) */
#define BOARD_FLASH_CLEARS 1 /* bits of what is not erased can be cleared */
/* Typical time for a page, milliseconds: 16 us a word, as the STM32F407 has it
 * (DS8626 table 40).  Those of erases are the family's (core/part.h). */
#define BOARD_FLASH_PROGRAM_MS 17u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   3u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (128u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS  165u
#define BOARD_STAGED_SECTORS 224u /* staged, where the code is in flash */
#define BOARD_DRIVE_SPARE    32u
/* Data RAM of the core alone: stacks may lie there, code may not. */
#define BOARD_CCM_BASE 0x10000000u
#define BOARD_CCM_SIZE (64u * 1024u)

/* No area for the application's own settings: it would be a sector. */
#define BOARD_KV_SIZE 0u

/* Staged: the record lies in the last sector of download, which is larger than
 * the application's space by the bootloader's sector. */
#define BOARD_RECORD_SIZE 16384u

/* LED3 on PE5 and KEY1 on PA1 (both active low), demo's console on PA2 (COM2).
 */
#define BOARD_LED_PORT   'E'
#define BOARD_LED_PIN    5u
#define BOARD_LED_ACTIVE 0u
#define BOARD_KEY_PORT   'A'
#define BOARD_KEY_PIN    1u
#define BOARD_KEY_ACTIVE 0u

#endif
