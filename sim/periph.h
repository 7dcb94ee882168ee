/* SPDX-License-Identifier: MIT */
/*
 * periph.h - the peripherals that models.c may put on a chip, with the facts
 * each wants in its row of the table.
 */
#ifndef SIM_PERIPH_H
#define SIM_PERIPH_H

#include "model.h"

extern const struct device_ops rcc_f1_ops, flash_f1_ops, gpio_f1_ops;
extern const struct device_ops afio_f1_ops, usart_ops, iwdg_ops;
extern const struct device_ops bkp_ops, pwr_ops, dbgmcu_ops, crc_ops;
extern const struct rcc_ops rcc_f1_rcc;
extern const struct flash_ops flash_f1_flash;
extern const struct gpio_ops gpio_f1_gpio;

struct flash_f1_facts {
    uint32_t page;          /* bytes */
    uint32_t pages_per_bit; /* of FLASH_WRPR; bit 31 has all the rest */
    uint32_t wrpr;          /* 0 bits are write-protected */
};

enum { USART_PINS = 3 };
struct usart_facts {
    enum chip_clock clock;
    struct board_pin tx[USART_PINS]; /* where TX can come out */
};

struct bkp_facts {
    unsigned registers; /* BKP_DR1.. */
};

struct dbgmcu_facts {
    uint32_t idcode;
};

/* PWR_CR.DBP: the backup domain may be written. */
bool pwr_backup_open(struct chip *c);

#endif
