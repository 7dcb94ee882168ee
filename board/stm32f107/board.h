/* SPDX-License-Identifier: MIT */
/*
 * Board stm32f107: STM32F107VCT6 with 256 KB flash in 2 KB pages, 64 KB RAM, a
 * 25 MHz crystal, wired as the STM3210C-EVAL is: USB on PA11 and PA12, VBUS on
 * PA9, LED1 and the button "Key".
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "stm32f107"
#define BOARD_HSE_HZ 25000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A107C00u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json),
 * which has one for all STM32F1. */
#define BOARD_UF2_FAMILY 0x5EE21072u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32F107VC"

/* Memories: STM32F105/107 data sheet (DS6014) figure 5, RM0008 table 6. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (256u * 1024u)
#define BOARD_FLASH_PAGE   2048u
#define BOARD_FLASH_UNIT   2u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint16_t /* usually (PM0075 clause 2.3) */
#define BOARD_FLASH_CLEARS 0 /* bits of what is not erased can be cleared */
/* Typical times, milliseconds: an erase is 20 to 40 ms and a half-word 52.5 us
 * (DS6014 5.3.9), so a page is 53.8 ms. */
#define BOARD_FLASH_ERASE_MS   30u
#define BOARD_FLASH_PROGRAM_MS 54u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   10u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (64u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS  87u
#define BOARD_STAGED_SECTORS 106u /* staged, where the code is in flash */
#define BOARD_DRIVE_SPARE    4u

/* The application's own settings, survive every update: two pages, the
 * least that an EEPROM emulation needs (AN2594). */
#define BOARD_KV_SIZE 4096u

/* Staged: two pages for the records of updates, which are all that is left
 * over when application and download have got the same number. */
#define BOARD_RECORD_SIZE 4096u

/* LED on PD7, key on PB9 (pressed = low), demo's console on PA2. */
#define BOARD_LED_PORT   'D'
#define BOARD_LED_PIN    7u
#define BOARD_LED_ACTIVE 1u
#define BOARD_KEY_PORT   'B'
#define BOARD_KEY_PIN    9u
#define BOARD_KEY_ACTIVE 0u

#endif
