/* SPDX-License-Identifier: MIT */
/*
 * clock_f4.c - clocks and pins of STM32F405 and F407 for USB.  RM0090 clause
 * 7.2.
 *
 * 168 MHz, the most there is: checks and copies take as much less time, and
 * it costs no code.  The regulator is in scale 1 after a reset (clause 5.4.1,
 * VOS), and five wait states are right from 2.7 V on, which USB needs anyway
 * (table 11).  Instructions are cached, data are not: see flash_f4.c; and they
 * are not prefetched, which revision A of the chip gets wrong (ES0182).
 */
#include "port.h"

#include "board.h"

/* HSE starts within some 2 ms (DS8626 table 32); HSI runs the loop at 16
 * MHz with about 6 cycles a turn, so this is 20 ms at least. */
#define HSE_START_TURNS 60000u

/* Both sources give the PLL 2 MHz, the input of least jitter (clause
 * 7.3.2). */
#define PLL_FROM(source_hz) RCC_PLLCFGR((source_hz) / 2000000u, 168u, 7u)
#define HSI_HZ              16000000u

/* APB1 up to 42, APB2 up to 84 MHz */
#define CFGR_USB (RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2)

BOOT_PATH void port_clock_start(void)
{
    /* No crystal: outside the USB tolerance, but many hosts take it, and the
     * alternative is a dead device. */
    uint32_t pll = PLL_FROM(HSI_HZ);

    RCC->AHB1ENR = RCC_AHB1_RESET | RCC_AHB1_CRC | RCC_AHB1_GPIO('A') |
                   RCC_AHB1_GPIO(BOARD_LED_PORT);
    RCC->CR |= RCC_CR_HSEON;
    for (uint32_t turns = HSE_START_TURNS; turns; turns--)
        if (RCC->CR & RCC_CR_HSERDY) {
            pll = PLL_FROM(BOARD_HSE_HZ) | RCC_PLLCFGR_PLLSRC_HSE;
            break;
        }
    FLASH->ACR = FLASH_ACR_ICEN | FLASH_ACR_LATENCY(5u);
    RCC->PLLCFGR = pll;
    RCC->CR |= RCC_CR_PLLON;
    while (!(RCC->CR & RCC_CR_PLLRDY))
        ;
    RCC->CFGR = CFGR_USB | RCC_CFGR_SW_PLL;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL)
        ;
    RCC->AHB2ENR = RCC_AHB2_OTGFS;
    gpio_mode(GPIO('A'), 11, GPIO_ALT);
    gpio_mode(GPIO('A'), 12, GPIO_ALT);
    GPIO('A')->AFR[1] = 10u << 12 | 10u << 16;
}
