/* SPDX-License-Identifier: MIT */
/*
 * Board stm32f103ze: STM32F103ZET6 with 512 KB flash in 2 KB pages, 64 KB
 * RAM, an 8 MHz crystal, a fixed 1.5 kOhm pull-up on D+ (PA12).
 *
 * Data only; every line can be changed for another board with the same chip.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "stm32f103ze"
#define BOARD_HSE_HZ 8000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x5A103E00u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x5EE21072u

/* A test pair from pid.codes; a product takes its own. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0001u
#define BOARD_VENDOR "Sallyport"
#define BOARD_MODEL  "STM32F103ZE"

/* Memories: STM32F103xE data sheet (DS5792) figure 9. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (512u * 1024u)
#define BOARD_FLASH_PAGE   2048u
#define BOARD_FLASH_UNIT   2u       /* bytes programmed at once, at least and */
#define BOARD_FLASH_WORD   uint16_t /* usually (PM0075 clause 2.3) */
#define BOARD_FLASH_CLEARS 0 /* bits of what is not erased can be cleared */
/* Typical times, milliseconds: an erase is 20 to 40 ms and a half-word 52.5 us
 * (DS5792 table 29), so a page is 53.8 ms. */
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

/* LED on PB5 and key on PA0 (pressed = high), demo's console on PA9. */
#define BOARD_LED_PORT   'B'
#define BOARD_LED_PIN    5u
#define BOARD_LED_ACTIVE 0u
#define BOARD_KEY_PORT   'A'
#define BOARD_KEY_PIN    0u
#define BOARD_KEY_ACTIVE 1u

#endif
