/* SPDX-License-Identifier: MIT */
/*
 * Board gadget, the worked example of docs/porting.md: a product with an
 * STM32F103RCT6 (256 KB flash in 2 KB pages, 48 KB RAM), an 8 MHz crystal and
 * 1.5 kOhm from D+ (PA12) to 3.3 V.
 */
#ifndef BOARD_H
#define BOARD_H

#define BOARD_NAME   "gadget"
#define BOARD_HSE_HZ 8000000u

/* Product id that a stamp has to carry (or 0) to be accepted here. */
#define BOARD_PRODUCT 0x47414447u

/* Id of the chip's family in a UF2 file (microsoft/uf2, uf2families.json). */
#define BOARD_UF2_FAMILY 0x5EE21072u

/* Yours: the host finds its driver and its settings by these.  0x0002 is a
 * test id of pid.codes, for the bench and not for a product. */
#define BOARD_VID    0x1209u
#define BOARD_PID    0x0002u
#define BOARD_VENDOR "Example"
#define BOARD_MODEL  "Gadget"

/* Memories: STM32F103xE data sheet (DS5792) figure 9. */
#define BOARD_FLASH_BASE   0x08000000u
#define BOARD_FLASH_SIZE   (256u * 1024u)
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
#define BOARD_RAM_SIZE (48u * 1024u)

/* The drive may keep so many sectors of 512 bytes in RAM. */
#define BOARD_DRIVE_SECTORS 57u
#define BOARD_DRIVE_SPARE   4u

/* The application's own settings, survive every update: two pages, the
 * least that an EEPROM emulation needs (AN2594). */
#define BOARD_KV_SIZE 4096u

/* Staged: two pages for the records of updates, which are all that is left
 * over when application and download have got the same number. */
#define BOARD_RECORD_SIZE 4096u

/* LED on PA8 (lit when low) and key on PC5 (pressed = low), demo's console on
 * PA9. */
#define BOARD_LED_PORT   'A'
#define BOARD_LED_PIN    8u
#define BOARD_LED_ACTIVE 0u
#define BOARD_KEY_PORT   'C'
#define BOARD_KEY_PIN    5u
#define BOARD_KEY_ACTIVE 0u

#endif
