/* SPDX-License-Identifier: MIT */
/*
 * stm32l0.h - the registers of STM32L072 that the bootloader and the demo use,
 * as RM0376 rev 7 names them; included by stm32.h.
 */
#ifndef PORT_STM32L0_H
#define PORT_STM32L0_H

#include "gpio_moder.h"

#include <stdint.h>

/* What port_clock_start() sets. */
#define PORT_HCLK_HZ 32000000u
#define PORT_APB1_HZ PORT_HCLK_HZ
/* Of port_spin() after a reset: a turn takes 4 cycles of MSI at 2.1 MHz
 * without wait states; good to some per cent, which is all that is asked of
 * it. */
#define PORT_TURNS_PER_MS 524u

/* ---- RCC, clause 7.3 ---- */
struct rcc {
    volatile uint32_t CR, ICSCR, CRRCR, CFGR, CIER, CIFR, CICR, IOPRSTR,
        AHBRSTR, APB2RSTR, APB1RSTR, IOPENR, AHBENR, APB2ENR, APB1ENR, IOPSMEN,
        AHBSMENR, APB2SMENR, APB1SMENR, CCIPR, CSR;
};
#define RCC ((struct rcc *)0x40021000u)

#define RCC_CR_HSION       (1u << 0)
#define RCC_CR_HSIRDY      (1u << 2)
#define RCC_CR_PLLON       (1u << 24)
#define RCC_CR_PLLRDY      (1u << 25)
#define RCC_CRRCR_HSI48ON  (1u << 0)
#define RCC_CRRCR_HSI48RDY (1u << 1)
#define RCC_CFGR_SW_PLL    3u
#define RCC_CFGR_SWS_MASK  (3u << 2)
#define RCC_CFGR_SWS_PLL   (3u << 2)
#define RCC_CFGR_PLLMUL4   (1u << 18)
#define RCC_CFGR_PLLDIV2   (1u << 22)
#define RCC_IOP(port)      (1u << ((port) - 'A'))
#define RCC_AHB_RESET      (1u << 8) /* the memory interface */
#define RCC_AHB_CRC        (1u << 12)
#define RCC_APB2_SYSCFG    (1u << 0)
#define RCC_APB1_USART2    (1u << 17)
#define RCC_APB1_USB       (1u << 23)
#define RCC_APB1_CRS       (1u << 27)
#define RCC_APB1_PWR       (1u << 28)
#define RCC_CCIPR_HSI48SEL (1u << 26)

/* ---- PWR, clause 6.4 ---- */
struct pwr {
    volatile uint32_t CR, CSR;
};
#define PWR           ((struct pwr *)0x40007000u)
#define PWR_CR_RANGE1 (1u << 11)
#define PWR_CSR_VOSF  (1u << 4)

/* ---- SYSCFG, clause 10.2 ---- */
#define SYSCFG_CFGR3             REG32(0x40010020u)
#define SYSCFG_CFGR3_ENREF_HSI48 (1u << 13)

/* ---- CRS, clause 8.6 ---- */
#define CRS_CR            REG32(0x40006C00u)
#define CRS_CR_AUTOTRIM   (1u << 6 | 1u << 5) /* and CEN */
#define CRS_CR_TRIM_RESET (0x20u << 8)

/* ---- GPIO, clause 9.4 ---- */
#define GPIO(port) ((struct gpio *)(0x50000000u + 0x400u * ((port) - 'A')))

/* Pins are analog after a reset: both bits are set. */
BOOT_PATH static inline void gpio_mode(struct gpio *gpio, uint32_t pin,
                                       uint32_t mode)
{
    gpio->MODER &= ~((3u ^ mode) << 2 * pin);
}

/* ---- FLASH, clause 3.7 ---- */
struct flash_regs {
    volatile uint32_t ACR, PECR, PDKEYR, PEKEYR, PRGKEYR, OPTKEYR, SR;
};
#define FLASH ((struct flash_regs *)0x40022000u)

#define FLASH_ACR_LATENCY_1 1u
#define FLASH_ACR_PRFTEN    (1u << 1)
#define FLASH_PEKEY1        0x89ABCDEFu
#define FLASH_PEKEY2        0x02030405u
#define FLASH_PRGKEY1       0x8C9DAEBFu
#define FLASH_PRGKEY2       0x13141516u
#define FLASH_SR_BSY        (1u << 0)
#define FLASH_PECR_PELOCK   (1u << 0) /* and the other locks */
#define FLASH_PECR_PROG     (1u << 3)
#define FLASH_PECR_ERASE    (1u << 9)
#define FLASH_PECR_FPRG     (1u << 10)

/* ---- device id, clause 33.2: words at 0, 4 and 0x14 ---- */
#define UID_BASE    0x1FF80050u
#define UID_WORD(i) (UID_BASE + ((i) < 2 ? 4u * (i) : 0x14u))

#define USART2 ((struct usart *)0x40004400u)

#endif
