/* SPDX-License-Identifier: MIT
 *
 * Flash of STM32F103 (PM0075: a half-word is programmed when it is erased, or
 * to zero; pages), of STM32F407 (RM0090: bits are cleared, bytes or words;
 * sectors) and of STM32L072 (RM0376: words or half-pages, which have to be
 * zeros; a mark in its data EEPROM).
 */
#include "fake_flash.h"

#include "board.h"
#include "config.h"
#include "flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ERASED (BOARD_FLASH_ERASED & 0xFF)

static struct fake_flash the;

#ifdef BOARD_FLASH_MARK
#define MARK_PAGE (BOARD_FLASH_MARK & ~0xFFFu)

static void mark(uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)BOARD_FLASH_MARK = value;
}

static void map_mark(void)
{
    void *at = (void *)(uintptr_t)MARK_PAGE;

    if (mmap(at, 0x1000, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at) {
        perror("data EEPROM");
        abort();
    }
}

bool flash_mark(bool on)
{
    mark(on ? FLASH_MARK : 0);
    the.busy_us += 3280;
    return true;
}
#else
static void mark(uint32_t value)
{
    (void)value;
}

static void map_mark(void)
{
}
#endif

struct fake_flash *fake_flash_map(void)
{
    void *at = (void *)(uintptr_t)BOARD_FLASH_BASE;
    int fd = memfd_create("flash", 0);

    if (fd < 0 || ftruncate(fd, BOARD_FLASH_SIZE) != 0 ||
        mmap(at, BOARD_FLASH_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE,
             fd, 0) != at) {
        perror("flash");
        abort();
    }
    the.cells =
        mmap(NULL, BOARD_FLASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (the.cells == MAP_FAILED)
        abort();
    close(fd);
    map_mark();
    return &the;
}

void fake_flash_load(struct fake_flash *f, uint32_t addr, const uint8_t *data,
                     uint32_t n)
{
    memset(f->cells, ERASED, BOARD_FLASH_SIZE);
    mark(0);
    memcpy(f->cells + (addr - BOARD_FLASH_BASE), data, n);
    f->from = addr;
    f->to = addr + n;
    f->busy_us = 0;
    f->erases = f->programs = 0;
    f->fault[0] = 0;
}

static void fault(const char *what, uint32_t addr, uint32_t is, uint32_t value)
{
    if (!the.fault[0])
        snprintf(the.fault, sizeof the.fault,
                 "flash at 0x%08X: %s (is 0x%X, gets 0x%X)", (unsigned)addr,
                 what, (unsigned)is, (unsigned)value);
}

static uint8_t *cell(uint32_t addr)
{
    return the.cells + (addr - BOARD_FLASH_BASE);
}

/* Start and size of the erase unit at an address, and its typical time. */
static void unit(uint32_t addr, uint32_t *start, uint32_t *size, uint32_t *ms)
{
    uint32_t at = addr - BOARD_FLASH_BASE;

#ifdef BOARD_FLASH_F4
    *size = at < 0x10000 ? 0x4000 : at < 0x20000 ? 0x10000 : 0x20000;
    *ms = at < 0x10000 ? 250 : at < 0x20000 ? 550 : 1000;
#else
    *size = BOARD_FLASH_PAGE;
    *ms = BOARD_FLASH_ERASE_MS;
#endif
    *start = BOARD_FLASH_BASE + at / *size * *size;
}

void flash_erase(uint32_t addr)
{
    uint32_t start, size, ms;

    unit(addr, &start, &size, &ms);
    if (addr != start)
        fault("erase inside of a unit", addr, 0, 0);
    else if (addr < the.from || addr + size > the.to)
        fault("erase outside of the slot", addr, 0, 0);
    else
        memset(cell(addr), ERASED, size);
    the.busy_us += 1000 * ms;
    the.erases++;
}

/* One operation; n is its width. */
#ifdef BOARD_FLASH_ROW
static void program(uint32_t addr, const uint8_t *from, uint32_t n)
{
    uint8_t *to = cell(addr);

    if (!memcmp(to, from, n))
        return;
    the.busy_us += 3280;
    for (uint32_t i = 0; i < n; i++)
        if (to[i] != ERASED) {
            fault("row is not erased", addr, to[i], from[i]);
            return;
        }
    memcpy(to, from, n);
    the.programs++;
}
#else
static void program(uint32_t addr, const uint8_t *from, uint32_t n)
{
    uint8_t *to = cell(addr);
    uint32_t is = 0, value = 0;

    memcpy(&is, to, n);
    memcpy(&value, from, n);
    if (is == value)
        return;
#ifdef BOARD_FLASH_F4
    the.busy_us += 16;
    if (value & ~is) {
        fault("bits to be set", addr, is, value);
        return;
    }
#else
    the.busy_us += 53;
    if (is != 0xFFFF && value != 0) {
        fault("half-word is not erased", addr, is, value);
        return;
    }
#endif
    memcpy(to, from, n);
    the.programs++;
}
#endif

bool flash_program(uint32_t addr, const void *src, uint32_t n)
{
    const uint8_t *from = src;
#ifdef BOARD_FLASH_F4
    uint32_t width = n <= 4 ? 1 : 4;
#elif defined(BOARD_FLASH_ROW)
    uint32_t width = n < BOARD_FLASH_ROW ? 4 : BOARD_FLASH_ROW;
#else
    uint32_t width = 2;
#endif

    if (addr < the.from || addr >= the.to || n > the.to - addr) {
        fault("program outside of the slot", addr, 0, n);
        return false;
    }
    if (addr % width || n % width || (uintptr_t)src % (width > 4 ? 4 : width))
        fault("alignment", addr, (uint32_t)(uintptr_t)src, n);
    for (uint32_t i = 0; i < n; i += width)
        program(addr + i, from + i, width);
    return memcmp(cell(addr), src, n) == 0;
}
