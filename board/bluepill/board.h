/* SPDX-License-Identifier: MIT */
/*
 * Board bluepill: STM32F103C8T6 with 64 KB flash in 1 KB pages, 20 KB RAM, an
 * 8 MHz crystal, a fixed pull-up on D+ (PA12).  Many of these boards have 10
 * kOhm there, where USB 2.0 clause 7.1.5.1 wants 1.5 kOhm (docs/bring-up.md).
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "bluepill"
#define BOARD_HSE_HZ 8000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A103C00u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x5EE21072u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32F103C8"

/* Memories: STM32F103x8/xB data sheet (DS5319) figure 11. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (64u * 1024u)
#define BOARD_FLASH_PAGE   1024u
#define BOARD_FLASH_UNIT   2u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint16_t /* usually (PM0075 clause 2.3) */
#define BOARD_FLASH_CLEARS 0 /* bits of what is not erased can be cleared */
/* Typical times, milliseconds: an erase is 20 to 40 ms and a half-word 52.5 us
 * (DS5319 table 28), so a page is 26.9 ms. */
#define BOARD_FLASH_ERASE_MS   30u
#define BOARD_FLASH_PROGRAM_MS 27u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   10u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (20u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM, which is what code
 * and buffers leave of it. */
#define BOARD_DRIVE_SECTORS 13u
#define BOARD_DRIVE_SPARE   2u

/* The application's own settings, survive every update: two pages, the
 * least that an EEPROM emulation needs (AN2594). */
#define BOARD_KV_SIZE 2048u

/* Staged: two pages for the records of updates; application and download are
 * 22 KB each. */
#define BOARD_RECORD_SIZE 2048u

/* LED on PC13 (lit when low).  The key is the jumper BOOT1 on PB2: high where
 * it is set to 1; BOOT0 stays at 0.  Demo's console on PA9. */
#define BOARD_LED_PORT   'C'
#define BOARD_LED_PIN    13u
#define BOARD_LED_ACTIVE 0u
#define BOARD_KEY_PORT   'B'
#define BOARD_KEY_PIN    2u
#define BOARD_KEY_ACTIVE 1u

#endif
