/* SPDX-License-Identifier: MIT */
/*
 * clock_f0.c - clocks of STM32F072 for USB without a crystal.  RM0091 clause
 * 6.2.
 *
 * Everything runs on HSI48: CRS keeps it right by the starts of frame (chapter
 * 7), which is what it listens to after a reset, and one flash wait state is
 * enough (clause 3.5.1: 24 < SYSCLK <= 48).
 */
#include "fsdev.h"
#include "port.h"

BOOT_PATH void port_clock_start(void)
{
    RCC->CR2 = RCC_CR2_HSI48ON;
    RCC->APB1ENR = RCC_APB1_USB | RCC_APB1_CRS;
    CRS_CR = CRS_CR_TRIM_RESET | CRS_CR_AUTOTRIM;
    FLASH->ACR = FLASH_ACR_PRFTBE | FLASH_ACR_LATENCY_1;
    while (!(RCC->CR2 & RCC_CR2_HSI48RDY))
        ;
    RCC->CFGR = RCC_CFGR_SW_HSI48;
    while ((RCC->CFGR & RCC_CFGR_SWS_MASK) != RCC_CFGR_SWS_HSI48)
        ;
}

/* The pull-up is the USB block's own (RM0091 clause 30.6.1, BCDR). */
BOOT_PATH void port_usb_disconnect(bool disconnect)
{
    FSDEV->BCDR = disconnect ? 0 : FSDEV_BCDR_DPPU;
}
