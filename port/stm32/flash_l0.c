/* SPDX-License-Identifier: MIT */
/*
 * flash_l0.c - flash of STM32L072: words or half-pages of 64 bytes, pages of
 * 128.  RM0376 clause 3.3.4.  Erased cells read 0, and what is programmed is
 * not programmed again before an erase.
 *
 * A half-page takes as long as a word, but nothing may be fetched from flash
 * from its first word on, so the loop that writes it runs from RAM.
 */
#include "flash_wait.h"

#include <string.h>

#define PAGE 128u
#define HALF 64u

static void unlock(uint32_t operation)
{
    FLASH->PEKEYR = FLASH_PEKEY1;
    FLASH->PEKEYR = FLASH_PEKEY2;
    FLASH->PRGKEYR = FLASH_PRGKEY1;
    FLASH->PRGKEYR = FLASH_PRGKEY2;
    FLASH->PECR = operation;
}

static void lock(void)
{
    FLASH->PECR = FLASH_PECR_PELOCK;
    __asm volatile("" : : : "memory"); /* the cells have changed */
}

void flash_erase(uint32_t page)
{
    uint32_t end = page + BOARD_FLASH_PAGE;

    unlock(FLASH_PECR_PROG | FLASH_PECR_ERASE);
    for (; page < end; page += PAGE) {
        REG32(page) = 0;
        flash_wait();
    }
    lock();
}

/* Sixteen words. */
#ifdef CONFIG_PACKED
static void program_half(volatile uint32_t *to, const uint32_t *from)
{
    FLASH->PECR = FLASH_PECR_PROG | FLASH_PECR_FPRG;
    for (uint32_t n = HALF / 4; n--;)
        *to++ = *from++;
    flash_wait();
    FLASH->PECR = 0;
}
#else
/* Position-independent, and it uses no literal: it is copied to the stack.
 * Ends when BSY, bit 0 of *sr, has gone. */
__attribute__((naked, noinline, aligned(4))) static void
load_half(volatile uint32_t *to, const uint32_t *from, volatile uint32_t *sr)
{
    (void)to, (void)from, (void)sr;
    __asm volatile(".syntax unified\n"
                   "\tpush {r4, lr}\n"
                   "\tmovs r3, #16\n"
                   "1:\tldmia r1!, {r4}\n"
                   "\tstmia r0!, {r4}\n"
                   "\tsubs r3, #1\n"
                   "\tbne 1b\n"
                   "2:\tldr r4, [r2]\n"
                   "\tlsrs r4, r4, #1\n"
                   "\tbcs 2b\n"
                   "\tpop {r4, pc}\n");
}

static void program_half(volatile uint32_t *to, const uint32_t *from)
{
    uint32_t code[5]; /* its ten instructions */
    uint32_t entry = (uint32_t)load_half;

    memcpy(code, (const void *)(entry & ~1u), sizeof(code));
    FLASH->PECR = FLASH_PECR_PROG | FLASH_PECR_FPRG;
    __asm volatile("" : : "r"(code) : "memory");
    ((void (*)(volatile uint32_t *, const uint32_t *, volatile uint32_t *))(
        (uint32_t)code | 1u))(to, from, &FLASH->SR);
    FLASH->PECR = 0;
}
#endif

bool flash_program(uint32_t addr, const void *src, uint32_t n)
{
    volatile uint32_t *to = (volatile uint32_t *)addr;
    const uint32_t *from = src, *end = from + n / 4;
    bool same = true;

    unlock(0);
    while (from < end) {
        uint32_t differ = 0;

        if (n >= HALF && (uint32_t)to % HALF == 0) {
            for (uint32_t i = HALF / 4; i--;)
                differ |= to[i] ^ from[i];
            if (differ)
                program_half(to, from); /* the core sees to it: it is blank */
        } else if (n < HALF && *to != *from) {
            *to = *from;
            flash_wait();
        }
        same &= *to++ == *from++;
    }
    lock();
    return same;
}

/* By a word of data EEPROM: it needs no erase, and PECR alone unlocked. */
bool flash_mark(bool on)
{
    volatile uint32_t *mark = (volatile uint32_t *)BOARD_FLASH_MARK;

    unlock(0);
    *mark = on ? FLASH_MARK : 0;
    flash_wait();
    lock();
    return flash_marked() == on;
}
