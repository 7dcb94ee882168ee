/* SPDX-License-Identifier: MIT */
/*
 * stm32f4.h - the registers of STM32F405 and F407 that the bootloader and the
 * demo use, as RM0090 rev 21 names them; included by stm32.h.
 */
#ifndef PORT_STM32F4_H
#define PORT_STM32F4_H

#include <stdint.h>

/* What port_clock_start() sets. */
#define PORT_HCLK_HZ 168000000u
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
#define RCC_CFGR_PPRE1_DIV4 (5u << 10)
#define RCC_CFGR_PPRE2_DIV2 (4u << 13)
/* VCO input = source / m, VCO = input * n, SYSCLK = VCO / 2, USB = VCO / q */
#define RCC_PLLCFGR(m, n, q)   (2u << 28 | (q) << 24 | (n) << 6 | (m))
#define RCC_PLLCFGR_PLLSRC_HSE (1u << 22)
/* After a reset the data RAM at 0x10000000 has its clock, and nothing else. */
#define RCC_AHB1_RESET      (1u << 20)
#define RCC_AHB1_GPIO(port) (1u << ((port) - 'A'))
#define RCC_AHB1_CRC        (1u << 12)
#define RCC_AHB2_OTGFS      (1u << 7)
#define RCC_APB1_USART2     (1u << 17)

/* ---- GPIO, clause 8.4 ---- */
struct gpio {
    volatile uint32_t MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR,
        AFR[2];
};
#define GPIO(port) ((struct gpio *)(0x40020000u + 0x400u * ((port) - 'A')))

#define GPIO_OUT      1u /* push-pull, 2 MHz, as after reset */
#define GPIO_ALT      2u
#define GPIO_PULL(up) ((up) ? 1u : 2u)

/* For a pin whose bits are 0 after a reset: all but 13 to 15 of port A and 3
 * and 4 of port B. */
BOOT_PATH static inline void gpio_mode(struct gpio *gpio, uint32_t pin,
                                       uint32_t mode)
{
    gpio->MODER |= mode << 2 * pin;
}

/* BSRR: the upper half resets. */
BOOT_PATH static inline void gpio_write(struct gpio *gpio, uint32_t pin,
                                        uint32_t level)
{
    gpio->BSRR = 1u << (level ? pin : pin + 16);
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
