/* SPDX-License-Identifier: MIT */
/*
 * stm32f0.h - the registers of STM32F072 that the bootloader and the demo use,
 * as RM0091 rev 9 names them; included by stm32.h.
 */
#ifndef PORT_STM32F0_H
#define PORT_STM32F0_H

#include "gpio_moder.h"

#include <stdint.h>

/* What port_clock_start() sets. */
#define PORT_HCLK_HZ 48000000u
#define PORT_APB1_HZ PORT_HCLK_HZ
/* Of port_spin() after a reset: a turn takes 5 cycles of HSI at 8 MHz without
 * wait states; good to some per cent, which is all that is asked of it. */
#define PORT_TURNS_PER_MS 1600u
/* A Cortex-M0 takes its vectors from address 0 (ARMv6-M ARM, B3.2.5). */
#define PORT_NO_VTOR

/* ---- RCC, clause 6.4 ---- */
struct rcc {
    volatile uint32_t CR, CFGR, CIR, APB2RSTR, APB1RSTR, AHBENR, APB2ENR,
        APB1ENR, BDCR, CSR, AHBRSTR, CFGR2, CFGR3, CR2;
};
#define RCC ((struct rcc *)0x40021000u)

#define RCC_CFGR_SW_HSI48  3u
#define RCC_CFGR_SWS_MASK  (3u << 2)
#define RCC_CFGR_SWS_HSI48 (3u << 2)
#define RCC_CR2_HSI48ON    (1u << 16)
#define RCC_CR2_HSI48RDY   (1u << 17)
#define RCC_AHB_RESET      0x14u /* FLITF and SRAM in sleep */
#define RCC_AHB_CRC        (1u << 6)
#define RCC_AHB_IOP(port)  (1u << (17 + (port) - 'A'))
#define RCC_APB2_USART1    (1u << 14)
#define RCC_APB1_USB       (1u << 23)
#define RCC_APB1_CRS       (1u << 27)

/* ---- CRS, clause 7.7: after a reset it listens to USB ---- */
#define CRS_CR            REG32(0x40006C00u)
#define CRS_CR_AUTOTRIM   (1u << 6 | 1u << 5) /* and CEN */
#define CRS_CR_TRIM_RESET (0x20u << 8)

/* ---- GPIO, clause 8.4 ---- */
#define GPIO(port) ((struct gpio *)(0x48000000u + 0x400u * ((port) - 'A')))

/* For a pin whose bits are 0 after a reset: all but 13 and 14 of port A. */
BOOT_PATH static inline void gpio_mode(struct gpio *gpio, uint32_t pin,
                                       uint32_t mode)
{
    gpio->MODER |= mode << 2 * pin;
}

/* ---- FLASH, clause 3.5 ---- */
struct flash_regs {
    volatile uint32_t ACR, KEYR, OPTKEYR, SR, CR, AR;
};
#define FLASH ((struct flash_regs *)0x40022000u)

#define FLASH_ACR_LATENCY_1 1u
#define FLASH_ACR_PRFTBE    (1u << 4)
#define FLASH_KEY1          0x45670123u
#define FLASH_KEY2          0xCDEF89ABu
#define FLASH_SR_BSY        (1u << 0)
#define FLASH_CR_PG         (1u << 0)
#define FLASH_CR_PER        (1u << 1)
#define FLASH_CR_STRT       (1u << 6)
#define FLASH_CR_LOCK       (1u << 7)

/* ---- device id, clause 33.1 ---- */
#define UID_BASE 0x1FFFF7ACu /* 96 bits */

#define USART1 ((struct usart *)0x40013800u)

#endif
