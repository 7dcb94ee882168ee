/* SPDX-License-Identifier: MIT */
/*
 * Board stm32f072: STM32F072RBT6 with 128 KB flash in 2 KB pages and 16 KB RAM,
 * no crystal, LED and key wired as on ST's discovery board STM32F072B-DISCO;
 * USB on PA11 and PA12.
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME "stm32f072"

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A072B00u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x647824B6u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32F072RB"

/* Memories: STM32F072xB data sheet (DS9826) figure 9, RM0091 table 5. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (128u * 1024u)
#define BOARD_FLASH_PAGE   2048u
#define BOARD_FLASH_UNIT   2u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint16_t /* usually (RM0091 clause 3.2.2) */
#define BOARD_FLASH_CLEARS 0 /* bits of what is not erased can be cleared */
/* Typical times, milliseconds: an erase is 20 to 40 ms and a half-word 53.5 us
 * (DS9826 table 47), so a page is 54.8 ms. */
#define BOARD_FLASH_ERASE_MS   30u
#define BOARD_FLASH_PROGRAM_MS 55u
/* The check of 32 KB of an image, measured on the virtual chip. */
#define BOARD_CRC_MS   12u
#define BOARD_RAM_BASE 0x20000000u
#define BOARD_RAM_SIZE (16u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS 17u
#define BOARD_DRIVE_SPARE   2u

/* The application's own settings, survive every update: two pages, the
 * least that an EEPROM emulation needs (AN4061). */
#define BOARD_KV_SIZE 4096u

/* Staged: two pages for the records of updates. */
#define BOARD_RECORD_SIZE 4096u

/* LED on PC6 and key on PA0 (pressed = high), demo's console on PA9. */
#define BOARD_LED_PORT   'C'
#define BOARD_LED_PIN    6u
#define BOARD_LED_ACTIVE 1u
#define BOARD_KEY_PORT   'A'
#define BOARD_KEY_PIN    0u
#define BOARD_KEY_ACTIVE 1u

#endif
