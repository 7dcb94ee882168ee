/* SPDX-License-Identifier: MIT */
/*
 * flash_f1.c - flash of STM32F1 (and F0): half-words and pages.  PM0075
 * clause 2.3.  A read from flash stalls while it is busy, and so does code that
 * runs from there.
 */
#include "flash_wait.h"

static void unlock(uint32_t operation)
{
    FLASH->KEYR = FLASH_KEY1;
    FLASH->KEYR = FLASH_KEY2;
    FLASH->CR = operation;
}

void flash_erase(uint32_t page)
{
    unlock(FLASH_CR_PER);
    FLASH->AR = page;
    FLASH->CR = FLASH_CR_PER | FLASH_CR_STRT;
    flash_wait();
    FLASH->CR = FLASH_CR_LOCK;
    __asm volatile("" : : : "memory"); /* the cells have changed */
}

bool flash_program(uint32_t addr, const void *src, uint32_t n)
{
    volatile uint16_t *to = (volatile uint16_t *)addr;
    const uint16_t *from = src;
    bool same = true;

    unlock(FLASH_CR_PG);
    for (; n; n -= 2, to++, from++) {
        if (*to != *from)
            *to = *from;
        (void)MEANWHILE();
        same &= *to == *from; /* waits until it is done */
    }
    FLASH->CR = FLASH_CR_LOCK;
    __asm volatile("" : : : "memory"); /* the cells have changed */
    return same;
}
