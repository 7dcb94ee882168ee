/* SPDX-License-Identifier: MIT */
/*
 * clock_l0.c - clocks of STM32L072 for USB without a crystal.  RM0376 clause
 * 7.2.
 *
 * SYSCLK is 32 MHz, the most there is, from HSI16 by the PLL: that needs the
 * core's voltage range 1 and one flash wait state (tables 13 and 34).  USB has
 * its 48 MHz from HSI48, which CRS keeps right by the starts of frame (chapter
 * 8): after a reset that is what it listens to.
 */
#include "fsdev.h"
#include "port.h"

#define PLL_32MHZ (RCC_CFGR_PLLMUL4 | RCC_CFGR_PLLDIV2)

BOOT_PATH void port_clock_start(void)
{
    RCC->APB1ENR = RCC_APB1_PWR | RCC_APB1_CRS;
    PWR->CR = PWR_CR_RANGE1;
    RCC->CR |= RCC_CR_HSION;
    RCC->APB2ENR = RCC_APB2_SYSCFG;
    SYSCFG_CFGR3 = SYSCFG_CFGR3_ENREF_HSI48; /* HSI48's reference */
    RCC->CRRCR = RCC_CRRCR_HSI48ON;
    RCC->CCIPR = RCC_CCIPR_HSI48SEL;
    while ((PWR->CSR & PWR_CSR_VOSF) || !(RCC->CR & RCC_CR_HSIRDY) ||
           !(RCC->CRRCR & RCC_CRRCR_HSI48RDY))
        ;
    CRS_CR = CRS_CR_TRIM_RESET | CRS_CR_AUTOTRIM;
    FLASH->ACR = FLASH_ACR_LATENCY_1;
    FLASH->ACR = FLASH_ACR_LATENCY_1 | FLASH_ACR_PRFTEN;
    RCC->CFGR = PLL_32MHZ;
    RCC->CR |= RCC_CR_PLLON;
    while (!(RCC->CR & RCC_CR_PLLRDY))
        ;
    RCC->CFGR = PLL_32MHZ | RCC_CFGR_SW_PLL;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_PLL)
        ;
    RCC->APB1ENR = RCC_APB1_CRS | RCC_APB1_USB; /* wants 10 MHz */
}

/* The pull-up is the USB block's own (RM0376 clause 30.6.1, BCDR). */
BOOT_PATH void port_usb_disconnect(bool disconnect)
{
    FSDEV->BCDR = disconnect ? 0 : FSDEV_BCDR_DPPU;
}
