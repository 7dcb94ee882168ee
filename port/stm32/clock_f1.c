/* SPDX-License-Identifier: MIT */
/*
 * clock_f1.c - clocks and pins of STM32F103 for USB.  RM0008 clause 7.2.
 *
 * 48 MHz for everything: SYSCLK and USB then share one divider, and one flash
 * wait state is enough (PM0075 clause 3.1: 24 < SYSCLK <= 48).
 */
#include "port.h"

#include "board.h"
#include "stm32.h"

/* HSE starts within 2 ms (DS5792 table 23); HSI runs the loop at 8 MHz with
 * about 6 cycles a turn, so this is 20 ms at least. */
#define HSE_START_TURNS 30000u

#define CFGR_USB (RCC_CFGR_USBPRE_DIV1 | RCC_CFGR_PPRE1_DIV2)

BOOT_PATH void port_clock_start(void)
{
    /* No crystal: HSI / 2 * 12.  Outside the USB tolerance, but many hosts
     * take it, and the alternative is a dead device. */
    uint32_t cfgr = CFGR_USB | RCC_CFGR_PLLMUL(12u);

    RCC->CR |= RCC_CR_HSEON;
    for (uint32_t turns = HSE_START_TURNS; turns; turns--)
        if (RCC->CR & RCC_CR_HSERDY) {
            cfgr = CFGR_USB | RCC_CFGR_PLLSRC_HSE |
                   RCC_CFGR_PLLMUL(48000000u / BOARD_HSE_HZ);
            break;
        }
    FLASH->ACR = FLASH_ACR_PRFTBE | FLASH_ACR_LATENCY_1;
    RCC->CFGR = cfgr;
    RCC->CR |= RCC_CR_PLLON;
    while (!(RCC->CR & RCC_CR_PLLRDY))
        ;
    RCC->CFGR = cfgr | RCC_CFGR_SW_PLL;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL)
        ;
    RCC->APB1ENR = RCC_APB1_USB;
}

BOOT_PATH void port_usb_disconnect(bool disconnect)
{
    struct gpio *gpio = GPIO('A');

    /* ODR is 0 after a reset, and nobody else has this pin. */
    gpio_mode(gpio, 12, disconnect ? GPIO_OUT : GPIO_IN_FLOATING);
}
