/* SPDX-License-Identifier: MIT */
/*
 * clock_f107.c - clocks of STM32F105 and F107 for USB.  RM0008 clause 8.2.
 *
 * 72 MHz, the most there is, out of two PLLs: the crystal by PREDIV2 is 5 MHz,
 * PLL2 makes 40 of that, PREDIV1 8 and the PLL 72.  USB gets the third part of
 * its VCO, which is twice as fast.  The pins of the USB block need no set-up
 * (table 30).
 */
#include "port.h"

#include "board.h"
#include "stm32.h"

/* 2^n; HSI runs the loop at 8 MHz with about 10 cycles a turn.  HSE starts
 * within 2 ms (DS6014 5.3.6). */
#define BLINK_TURNS 0x20000u

#define CFGR_USB                                                               \
    (RCC_CFGR_PPRE1_DIV2 | RCC_CFGR_PLLSRC_HSE | RCC_CFGR_PLLMUL(9u))

_Static_assert(BOARD_HSE_HZ % 5000000u == 0 && BOARD_HSE_HZ <= 25000000u,
               "PREDIV2 makes 5 MHz of the crystal");

/* Without the crystal there is no USB: the HSI gives the PLL 4 MHz, and 9 is
 * the highest factor (clause 8.3.2).  The LED flickers until it starts. */
BOOT_PATH static void wait_for_hse(void)
{
    struct gpio *led = GPIO(BOARD_LED_PORT);
    uint32_t turns = 0;

    RCC->CR |= RCC_CR_HSEON;
    while (!(RCC->CR & RCC_CR_HSERDY)) {
        if (++turns % BLINK_TURNS)
            continue;
        IWDG->KR = IWDG_KR_RELOAD; /* may have been started by option byte */
        RCC->APB2ENR = RCC_APB2_IOP(BOARD_LED_PORT);
        gpio_mode(led, BOARD_LED_PIN, GPIO_OUT);
        led->ODR ^= 1u << BOARD_LED_PIN;
    }
}

BOOT_PATH static void start_pll(uint32_t on)
{
    RCC->CR |= on;
    while (!(RCC->CR & on << 1)) /* its ready bit */
        ;
}

BOOT_PATH void port_clock_start(void)
{
    wait_for_hse();
    FLASH->ACR = FLASH_ACR_PRFTBE | FLASH_ACR_LATENCY_2;
    RCC->CFGR2 = RCC_CFGR2_PREDIV1SRC_PLL2 | RCC_CFGR2_PLL2MUL(8u) |
                 RCC_CFGR2_PREDIV2(BOARD_HSE_HZ / 5000000u) |
                 RCC_CFGR2_PREDIV1(5u);
    start_pll(RCC_CR_PLL2ON);
    /* The lowest bit of PREDIV1 is in CFGR as well. */
    RCC->CFGR |= CFGR_USB;
    start_pll(RCC_CR_PLLON);
    RCC->CFGR |= RCC_CFGR_SW_PLL;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL)
        ;
    RCC->AHBENR = RCC_AHB_RESET | RCC_AHB_USB;
}
