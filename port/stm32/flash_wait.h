/* SPDX-License-Identifier: MIT */
/*
 * flash_wait.h - how the flash drivers wait for the end of an operation.
 */
#ifndef PORT_FLASH_WAIT_H
#define PORT_FLASH_WAIT_H

#include "board.h"
#include "flash.h"
#include "stm32.h"

#if defined(CONFIG_PACKED) && CONFIG_MSC /* the drivers run from RAM */
#define MEANWHILE() flash_meanwhile()
#else
#define MEANWHILE() false
#endif

/* A read from flash makes the CPU wait.  A Cortex-M0 loads to low registers. */
static inline void flash_wait(void)
{
    uint32_t word;

    while (FLASH->SR & FLASH_SR_BSY)
        if (!MEANWHILE())
            __asm volatile("ldr %0, [%1]" : "=l"(word) : "l"(BOARD_FLASH_BASE));
    (void)word;
}

#endif
