/* SPDX-License-Identifier: MIT */
/*
 * stm32f4.h - the registers of STM32F405, F407 and F411 that the bootloader and
 * the demo use, as RM0090 rev 21 names them (RM0383 has the same); included by
 * stm32.h.  And what port_clock_start() makes of the chip's clocks.
 */
#ifndef PORT_STM32F4_H
#define PORT_STM32F4_H

#include "gpio_moder.h"

#include <stdint.h>

/* Of all: 336 MHz in the PLL, which are 48 MHz by 7, and APB1.  HCLK is the
 * most that the regulator allows as a reset leaves it: F405 and F407 scale 1
 * (RM0090 clause 5.4.1), F411 scale 2 (RM0383 clause 5.4.1).  Wait states
 * from 2.7 V on, which USB needs anyway: RM0090 table 11, RM0383 table 5.  APB1
 * up to 42 MHz, F411 50; APB2 84 and 100. */
#define PORT_VCO_HZ  336000000u
#define PORT_APB1_HZ 42000000u
#ifdef STM32F411
#define PORT_PLLP       4u
#define PORT_LATENCY    2u
#define PORT_BUSES      RCC_CFGR_PPRE1_DIV2
#define PORT_AHB1_RESET 0u
#else
#define PORT_PLLP       2u
#define PORT_LATENCY    5u
#define PORT_BUSES      (RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2)
#define PORT_AHB1_RESET (1u << 20) /* the clock of the data RAM */
#endif
#define PORT_HCLK_HZ (PORT_VCO_HZ / PORT_PLLP)
/* Of port_spin() after a reset: a turn takes 4 cycles of HSI at 16 MHz without
 * wait states; good to some per cent, which is all that is asked of it. */
#define PORT_TURNS_PER_MS 4000u

/* ---- RCC, clause 7.3 ---- */
struct rcc {
    volatile uint32_t CR, PLLCFGR, CFGR, CIR, AHB1RSTR, AHB2RSTR, AHB3RSTR,
        reserved1, APB1RSTR, APB2RSTR, reserved2[2], AHB1ENR, AHB2ENR, AHB3ENR,
        reserved3, APB1ENR, APB2ENR;
};
#define RCC ((struct rcc *)0x40023800u)

#define RCC_CR_HSEON        (1u << 16)
#define RCC_CR_HSERDY       (1u << 17)
#define RCC_CR_PLLON        (1u << 24)
#define RCC_CR_PLLRDY       (1u << 25)
#define RCC_CFGR_SW_PLL     2u
#define RCC_CFGR_SWS_MASK   (3u << 2)
#define RCC_CFGR_SWS_PLL    (2u << 2)
#define RCC_CFGR_PPRE1_DIV2 (4u << 10)
#define RCC_CFGR_PPRE1_DIV4 (5u << 10)
#define RCC_CFGR_PPRE2_DIV2 (4u << 13)
/* VCO input = source / m, VCO = input * n, SYSCLK = VCO / p, USB = VCO / q */
#define RCC_PLLCFGR(m, n, p, q)                                                \
    (2u << 28 | (q) << 24 | ((p) / 2u - 1u) << 16 | (n) << 6 | (m))
#define RCC_PLLCFGR_PLLSRC_HSE (1u << 22)
/* After a reset nothing has its clock but that. */
#define RCC_AHB1_RESET      PORT_AHB1_RESET
#define RCC_AHB1_GPIO(port) (1u << ((port) - 'A'))
#define RCC_AHB1_CRC        (1u << 12)
#define RCC_AHB2_OTGFS      (1u << 7)
#define RCC_APB1_USART2     (1u << 17)

/* ---- GPIO, clause 8.4 ---- */
#define GPIO(port) ((struct gpio *)(0x40020000u + 0x400u * ((port) - 'A')))

/* For a pin whose bits are 0 after a reset: all but 13 to 15 of port A and 3
 * and 4 of port B. */
BOOT_PATH static inline void gpio_mode(struct gpio *gpio, uint32_t pin,
                                       uint32_t mode)
{
    gpio->MODER |= mode << 2 * pin;
}

/* ---- FLASH, clause 3.9 ---- */
struct flash_regs {
    volatile uint32_t ACR, KEYR, OPTKEYR, SR, CR, OPTCR;
};
#define FLASH ((struct flash_regs *)0x40023C00u)

#define FLASH_ACR_LATENCY(n) (n)
#define FLASH_ACR_ICEN       (1u << 9)
#define FLASH_KEY1           0x45670123u
#define FLASH_KEY2           0xCDEF89ABu
#define FLASH_SR_BSY         (1u << 16)
#define FLASH_CR_PG          (1u << 0)
#define FLASH_CR_SER         (1u << 1)
#define FLASH_CR_SNB(n)      ((n) << 3)
#define FLASH_CR_X8          (0u << 8)
#define FLASH_CR_X32         (2u << 8)
#define FLASH_CR_STRT        (1u << 16)
#define FLASH_CR_LOCK        (1u << 31)

/* ---- device id, clause 39.1 ---- */
#define UID_BASE 0x1FFF7A10u /* 96 bits */

#define USART2 ((struct usart *)0x40004400u)

#endif
