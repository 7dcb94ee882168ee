/* SPDX-License-Identifier: MIT */
/*
 * flash_f4.c - flash of STM32F405, F407 and F411: bytes or words, sectors.
 * RM0090 clause 3.6.  A read from flash stalls while it is busy, and so does
 * code that runs from there.
 *
 * The data cache, which an erase would leave stale (clause 3.6.4), is never
 * switched on (clock_f4.c).
 */
#include "flash_wait.h"

static void unlock(uint32_t operation)
{
    FLASH->KEYR = FLASH_KEY1;
    FLASH->KEYR = FLASH_KEY2;
    FLASH->CR = operation;
}

static void lock(void)
{
    FLASH->CR = FLASH_CR_LOCK;
    __asm volatile("" : : : "memory"); /* the cells have changed */
}

/* RM0090 table 5: up to 128 KB sectors begin at 0, 16, 32, 48 and 64 KB,
 * from there on every 128 KB. */
static uint32_t sector(uint32_t offset)
{
    return offset < 0x20000u ? offset / 0x4000u : 4u + offset / 0x20000u;
}

void flash_erase(uint32_t page)
{
    uint32_t cr = FLASH_CR_SER | FLASH_CR_X32 |
                  FLASH_CR_SNB(sector(page - BOARD_FLASH_BASE));

    unlock(cr);
    FLASH->CR = cr | FLASH_CR_STRT;
    flash_wait();
    lock();
}

bool flash_program(uint32_t addr, const void *src, uint32_t n)
{
    bool same = true;

    if (n <= 4) {
        volatile uint8_t *to = (volatile uint8_t *)addr;
        const uint8_t *from = src;

        unlock(FLASH_CR_PG | FLASH_CR_X8);
        for (; n; n--, to++, from++) {
            if (*to != *from)
                *to = *from;
            same &= *to == *from;
        }
    } else {
        volatile uint32_t *to = (volatile uint32_t *)addr;
        const uint32_t *from = src;

        unlock(FLASH_CR_PG | FLASH_CR_X32);
        for (; n; n -= 4, to++, from++) {
            if (*to != *from)
                *to = *from;
            (void)MEANWHILE();
            same &= *to == *from; /* waits until it is done */
        }
    }
    lock();
    return same;
}
