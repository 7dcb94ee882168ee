/* SPDX-License-Identifier: MIT */
/*
 * clock_f4.c - clocks and pins of STM32F405, F407 and F411 for USB.  RM0090
 * clause 7.2, RM0383 clause 6.2.
 *
 * As fast as the chip is without another setting of its regulator (stm32f4.h):
 * checks and copies take as much less time, and it costs no code.  Instructions
 * are cached, data are not: see flash_f4.c; and they are not prefetched, which
 * revision A of the F407 gets wrong (ES0182).
 */
#include "port.h"

#include "board.h"

/* HSE starts within some 2 ms (DS8626 table 32); HSI runs the loop at 16
 * MHz with about 6 cycles a turn, so this is 20 ms at least. */
#define HSE_START_TURNS 60000u

/* Both sources give the PLL 2 MHz, the input of least jitter (clause
 * 7.3.2), or 1 MHz where the crystal is no multiple of that. */
#define PLL_INPUT_HZ (BOARD_HSE_HZ % 2000000u ? 1000000u : 2000000u)
#define PLL_FROM(source_hz)                                                    \
    RCC_PLLCFGR((source_hz) / PLL_INPUT_HZ, PORT_VCO_HZ / PLL_INPUT_HZ,        \
                PORT_PLLP, 7u)
#define HSI_HZ 16000000u

_Static_assert(BOARD_HSE_HZ % 1000000u == 0, "the PLL wants whole MHz");

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
    FLASH->ACR = FLASH_ACR_ICEN | FLASH_ACR_LATENCY(PORT_LATENCY);
    RCC->PLLCFGR = pll;
    RCC->CR |= RCC_CR_PLLON;
    while (!(RCC->CR & RCC_CR_PLLRDY))
        ;
    RCC->CFGR = PORT_BUSES | RCC_CFGR_SW_PLL;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL)
        ;
    RCC->AHB2ENR = RCC_AHB2_OTGFS;
    gpio_mode(GPIO('A'), 11, GPIO_ALT);
    gpio_mode(GPIO('A'), 12, GPIO_ALT);
    GPIO('A')->AFR[1] = 10u << 12 | 10u << 16;
}
