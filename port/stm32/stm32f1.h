/* SPDX-License-Identifier: MIT */
/*
 * stm32f1.h - the registers of STM32F103 and F107 that the bootloader and the
 * demo use, as RM0008 rev 21 names them; included by stm32.h.
 */
#ifndef PORT_STM32F1_H
#define PORT_STM32F1_H

#include <stdint.h>

/* What port_clock_start() sets. */
#ifdef STM32F107
#define PORT_HCLK_HZ 72000000u
#else
#define PORT_HCLK_HZ 48000000u
#endif
/* Of port_spin() after a reset: a turn takes 4 cycles of HSI at 8 MHz without
 * wait states; good to some per cent, which is all that is asked of it. */
#define PORT_TURNS_PER_MS 2000u

/* ---- RCC, RM0008 clauses 7.3 and, of F107, 8.3 ---- */
struct rcc {
    volatile uint32_t CR, CFGR, CIR, APB2RSTR, APB1RSTR, AHBENR, APB2ENR,
        APB1ENR, BDCR, CSR, AHBRSTR, CFGR2; /* the last two: F107 */
};
#define RCC ((struct rcc *)0x40021000u)

#define RCC_CR_HSEON         (1u << 16)
#define RCC_CR_HSERDY        (1u << 17)
#define RCC_CR_PLLON         (1u << 24)
#define RCC_CR_PLLRDY        (1u << 25)
#define RCC_CR_PLL2ON        (1u << 26)
#define RCC_CFGR_SW_PLL      2u
#define RCC_CFGR_SWS_MASK    (3u << 2)
#define RCC_CFGR_SWS_PLL     (2u << 2)
#define RCC_CFGR_PPRE1_DIV2  (4u << 8)
#define RCC_CFGR_PLLSRC_HSE  (1u << 16)
#define RCC_CFGR_PLLMUL(n)   (((n)-2u) << 18) /* 2..16 */
#define RCC_CFGR_USBPRE_DIV1 (1u << 22)       /* F107: OTGFSPRE */
#define RCC_AHB_RESET        0x14u            /* FLITF and SRAM in sleep */
#define RCC_AHB_CRC          (1u << 6)
#ifdef STM32F107
#define RCC_AHB_USB (1u << 12)
#else
#define RCC_AHB_USB 0u /* it is on APB1 */
#endif
#define RCC_APB2_IOP(port) (1u << (2 + (port) - 'A'))
#define RCC_APB2_USART1    (1u << 14)
#define RCC_APB1_USART2    (1u << 17)
#define RCC_APB1_USB       (1u << 23)

#define RCC_CFGR2_PREDIV1(n)      ((n)-1u)
#define RCC_CFGR2_PREDIV2(n)      (((n)-1u) << 4)
#define RCC_CFGR2_PLL2MUL(n)      (((n)-2u) << 8) /* 8..14 */
#define RCC_CFGR2_PREDIV1SRC_PLL2 (1u << 16)

/* ---- GPIO, RM0008 clause 9.2 ---- */
struct gpio {
    volatile uint32_t CR[2], IDR, ODR, BSRR, BRR, LCKR;
};
#define GPIO(port) ((struct gpio *)(0x40010800u + 0x400u * ((port) - 'A')))

#define GPIO_OUT          0x2u /* push-pull */
#define GPIO_OUT_ALT_2MHZ 0xAu
#define GPIO_IN_FLOATING  0x4u /* as after reset */
#define GPIO_IN_PULL      0x8u /* ODR: up or down */

/* One read-modify-write; pin and mode should be constants. */
BOOT_PATH static inline void gpio_mode(struct gpio *gpio, uint32_t pin,
                                       uint32_t mode)
{
    volatile uint32_t *cr = &gpio->CR[pin / 8];
    uint32_t shift = pin % 8 * 4;

    *cr = (*cr & ~(15u << shift)) | mode << shift;
}

/* BSRR: the upper half resets. */
BOOT_PATH static inline void gpio_write(struct gpio *gpio, uint32_t pin,
                                        uint32_t level)
{
    gpio->BSRR = 1u << (level ? pin : pin + 16);
}

/* ---- FLASH, PM0075 clause 3 ---- */
struct flash_regs {
    volatile uint32_t ACR, KEYR, OPTKEYR, SR, CR, AR;
};
#define FLASH ((struct flash_regs *)0x40022000u)

#define FLASH_ACR_LATENCY_1 1u
#define FLASH_ACR_LATENCY_2 2u
#define FLASH_ACR_PRFTBE    (1u << 4)
#define FLASH_KEY1          0x45670123u
#define FLASH_KEY2          0xCDEF89ABu
#define FLASH_SR_BSY        (1u << 0)
#define FLASH_CR_PG         (1u << 0)
#define FLASH_CR_PER        (1u << 1)
#define FLASH_CR_STRT       (1u << 6)
#define FLASH_CR_LOCK       (1u << 7)

/* ---- device id, RM0008 clause 30.2 ---- */
#define UID_BASE 0x1FFFF7E8u /* 96 bits */

#define USART1 ((struct usart *)0x40013800u)
#define USART2 ((struct usart *)0x40004400u)

#endif
