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
extern const struct device_ops bkp_ops, pwr_ops, dbgmcu_ops;
extern const struct device_ops crc_ops, crc_v2_ops, usart_v2_ops;
extern const struct device_ops rcc_f4_ops, flash_f4_ops, gpio_f4_ops;
extern const struct device_ops syscfg_f4_ops, pwr_f4_ops, rtc_f4_ops;
extern const struct device_ops rcc_l0_ops, flash_l0_ops, pwr_l0_ops;
extern const struct device_ops syscfg_l0_ops;
extern const struct rcc_ops rcc_l0_rcc;
extern const struct flash_ops flash_l0_flash;
extern const struct device_ops rcc_f0_ops, crs_ops;
extern const struct rcc_ops rcc_f0_rcc, rcc_f1_rcc, rcc_f4_rcc;
extern const struct flash_ops flash_f1_flash, flash_f4_flash;
extern const struct gpio_ops gpio_f1_gpio, gpio_f4_gpio;

struct flash_f1_facts {
    uint32_t page;          /* bytes */
    uint32_t pages_per_bit; /* of FLASH_WRPR; bit 31 has all the rest */
    uint32_t wrpr;          /* 0 bits are write-protected */
    sim_time program;       /* typical */
    unsigned max_latency;   /* wait states */
    bool half_cycle;        /* FLASH_ACR.HLFCYA */
    uint8_t line_bytes;     /* of the array, as the prefetch reads it */
};

struct rcc_f1_facts {
    bool plls;           /* connectivity line: PLL2, PLL3 and their dividers */
    uint8_t pll_min_mhz; /* slowest output of the PLL */
    struct rcc_bit usb;  /* clock enable bit of the USB block */
};

struct flash_f4_facts {
    uint16_t wrp;         /* 0 bits are write-protected sectors */
    uint8_t mhz[8];       /* highest HCLK with so many wait states, 2.7 V */
    uint16_t erase_ms[3]; /* of all, typical, by PSIZE */
};

/* Buses in the order of the registers: AHB1, AHB2, AHB3, none, APB1, APB2. */
enum { RCC_F4_BUSES = 6 };
struct rcc_f4_facts {
    uint8_t pll_mhz, apb1_mhz, apb2_mhz; /* highest */
    uint32_t has[RCC_F4_BUSES];          /* enable bits that exist */
    uint32_t asleep[RCC_F4_BUSES];       /* ...LPENR after a reset */
    uint32_t on;                         /* AHB1ENR after a reset */
};

struct pwr_f4_facts {
    uint8_t vos_bits;     /* of PWR_CR.VOS, from bit 14 */
    uint8_t vos;          /* after a reset */
    bool pll_off;         /* VOS can be changed only then */
    uint8_t scale_mhz[4]; /* highest HCLK by VOS */
};

struct flash_l0_facts {
    uint64_t wrp; /* 1 bits are write-protected sectors of 4 KB */
};

struct gpio_f4_facts {
    uint32_t moder, ospeedr, pupdr; /* after a reset */
    bool brr;                       /* has the register BRR */
};

/* Of F4 where a device has no facts. */
struct syscfg_f4_facts {
    unsigned registers; /* up to 9 */
    bool cmpcr;         /* the last one is the compensation cell's */
};

struct rtc_f4_facts {
    unsigned registers; /* RTC_BKP0R.. */
};

enum { USART_PINS = 3 };
struct usart_facts {
    enum chip_clock clock;
    unsigned function;               /* alternate function of its pins */
    bool over8;                      /* can sample 8 times a bit */
    struct board_pin tx[USART_PINS]; /* where TX can come out */
};

struct iwdg_facts {
    uint32_t lsi_hz;
};

struct bkp_facts {
    unsigned registers; /* BKP_DR1.. */
};

struct dbgmcu_facts {
    uint32_t idcode;
};

/* CRS keeps HSI48 right by the starts of frame. */
bool crs_trims_by_usb(struct chip *c);
/* PWR_CR.DBP: the backup domain may be written. */
bool pwr_backup_open(struct chip *c);
/* F4: the highest AHB clock that the regulator's scale allows, Hz. */
uint32_t pwr_f4_max_hz(struct chip *c);
bool rcc_f4_pll_on(struct chip *c);
/* L0: the voltage range of the core, 1 to 3. */
unsigned pwr_l0_range(struct chip *c);
/* L0: HSI48 has its reference. */
bool syscfg_l0_hsi48_reference(struct chip *c);

#endif
