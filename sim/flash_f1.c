/* SPDX-License-Identifier: MIT */
/*
 * flash_f1.c - flash and its controller on the STM32F10x and, with other
 * facts, F0.  PM0075; RM0008 3.3.3 for wait states; RM0091 chapter 3.
 *
 * Not here: programming option bytes (accepted and ignored, with a note).
 */
#include <string.h>

#include "cells.h"
#include "periph.h"

enum {
    ACR = 0x00,
    KEYR = 0x04,
    OPTKEYR = 0x08,
    SR = 0x0c,
    CR = 0x10,
    AR = 0x14,
    OBR = 0x1c,
    WRPR = 0x20,
};

#define ACR_LATENCY 7u
#define ACR_HLFCYA  (1u << 3)
#define ACR_PRFTBE  (1u << 4)
#define ACR_PRFTBS  (1u << 5)

#define SR_BSY      (1u << 0)
#define SR_PGERR    (1u << 2)
#define SR_WRPRTERR (1u << 4)
#define SR_EOP      (1u << 5)

#define CR_PG     (1u << 0)
#define CR_PER    (1u << 1)
#define CR_MER    (1u << 2)
#define CR_OPTPG  (1u << 4)
#define CR_OPTER  (1u << 5)
#define CR_STRT   (1u << 6)
#define CR_LOCK   (1u << 7)
#define CR_OPTWRE (1u << 9)
#define CR_ERRIE  (1u << 10)
#define CR_EOPIE  (1u << 12)
#define CR_WRITE                                                               \
    (CR_PG | CR_PER | CR_MER | CR_OPTPG | CR_OPTER | CR_ERRIE | CR_EOPIE)

#define KEY1      0x45670123u
#define KEY2      0xcdef89abu
#define OBR_RESET 0x03fffffcu

/* DS5792 table 29 (STM32F103xC/D/E); the same in DS5319 (x8/B) and DS9826
 * (F072). */
#define T_PAGE_ERASE (30 * SIM_MS) /* 20 to 40 ms, no typical given */
#define T_MASS_ERASE (40 * SIM_MS) /* 20 to 40 ms */

#define MHZ 1000000u

enum keys { WANT_KEY1, WANT_KEY2, OPEN, DEAD };

/* Rules that are broken for as long as a setting stands: told once each. */
enum { RULE_LATENCY = 1, RULE_HALF = 2, RULE_PREFETCH = 4 };

struct flash_f1 {
    uint32_t acr, cr, sr, ar;
    enum keys keys;
    bool option_key1;
    bool working; /* an operation is under way, until busy_until */
    bool failed;  /* no EOP at its end */
    sim_time busy_until;
    unsigned broken;
};

static const struct flash_f1_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

static void update_irq(struct dev *d)
{
    const struct flash_f1 *f = d->state;
    bool error = f->sr & (SR_PGERR | SR_WRPRTERR) && f->cr & CR_ERRIE;

    chip_irq(d->chip, d->desc->irq[0],
             error || (f->sr & SR_EOP && f->cr & CR_EOPIE));
}

static void settle(struct dev *d)
{
    struct flash_f1 *f = d->state;

    if (!f->working || chip_now(d->chip) < f->busy_until)
        return;
    f->working = false;
    f->cr &= ~CR_STRT;
    if (!f->failed)
        f->sr |= SR_EOP;
    update_irq(d);
}

static void begin(struct dev *d, sim_time time)
{
    struct flash_f1 *f = d->state;

    f->working = true;
    f->failed = false;
    f->busy_until = chip_now(d->chip) + time;
}

static void fail(struct dev *d, uint32_t error)
{
    struct flash_f1 *f = d->state;

    f->sr |= error;
    f->cr &= ~CR_STRT;
    update_irq(d);
}

/* ---- the array ---- */

static uint32_t offset(struct dev *d, uint32_t addr)
{
    return addr - chip_flash_base(d->chip);
}

static bool is_protected(struct dev *d, uint32_t addr)
{
    uint32_t bit = offset(d, addr) / facts(d)->page / facts(d)->pages_per_bit;

    return !(facts(d)->wrpr >> (bit > 31 ? 31 : bit) & 1);
}

static void erase(struct dev *d, uint32_t off, size_t n, sim_time time)
{
    cells_erase(d->chip, off, n);
    begin(d, time);
}

static void program(struct dev *d, uint32_t off, uint16_t value)
{
    cells_program(d->chip, off, 2, value);
    begin(d, facts(d)->program);
}

static bool hsi_runs(struct dev *d)
{
    if (chip_clock_hz(d->chip, CLOCK_HSI))
        return true;
    chip_guest_error(d->chip, "flash operation while HSI is off");
    return false;
}

static void refuse_store(struct dev *d, const char *why, uint32_t addr)
{
    chip_guest_error(d->chip, "flash written at 0x%08x %s", addr, why);
    chip_bus_fault(d->chip);
}

/* PM0075 2.3.3; PGERR unless erased or the value is 0. */
static void store(struct dev *d, uint32_t addr, unsigned size, uint32_t value)
{
    struct flash_f1 *f = d->state;
    uint16_t cell;

    settle(d);
    if (f->cr & CR_LOCK) {
        refuse_store(d, "while FLASH_CR is locked", addr);
    } else if (!(f->cr & CR_PG)) {
        refuse_store(d, "without FLASH_CR.PG", addr);
    } else if (size != 2 || addr & 1) {
        refuse_store(d, "in another width than 16 bits", addr);
    } else if (f->cr & (CR_PER | CR_MER)) {
        refuse_store(d, "with an erase selected in FLASH_CR", addr);
    } else if (is_protected(d, addr)) {
        chip_guest_error(d->chip, "write-protected page at 0x%08x", addr);
        fail(d, SR_WRPRTERR);
    } else if (hsi_runs(d)) {
        memcpy(&cell, chip_flash(d->chip) + offset(d, addr), 2);
        if (cell == 0xffff || value == 0) {
            program(d, offset(d, addr), (uint16_t)value);
            return;
        }
        chip_guest_error(d->chip, "flash at 0x%08x is not erased: PGERR", addr);
        fail(d, SR_PGERR);
    }
}

/* ---- CR ---- */

static void erase_page(struct dev *d)
{
    const struct flash_f1 *f = d->state;
    uint32_t off = offset(d, f->ar);

    if (off >= chip_flash_size(d->chip)) {
        chip_guest_error(d->chip, "FLASH_AR 0x%08x is outside the flash",
                         f->ar);
        return;
    }
    if (is_protected(d, f->ar)) {
        chip_guest_error(d->chip, "write-protected page at 0x%08x", f->ar);
        fail(d, SR_WRPRTERR);
        return;
    }
    erase(d, off - off % facts(d)->page, facts(d)->page, T_PAGE_ERASE);
}

static void start(struct dev *d)
{
    const struct flash_f1 *f = d->state;
    uint32_t what = f->cr & (CR_PG | CR_PER | CR_MER | CR_OPTER | CR_OPTPG);

    if (what == CR_OPTER) {
        dev_unmodelled(d, OPTKEYR, "erasing option bytes");
        begin(d, T_PAGE_ERASE);
    } else if (what == CR_MER && facts(d)->wrpr != 0xffffffff) {
        chip_guest_error(d->chip, "mass erase with write-protected pages");
        fail(d, SR_WRPRTERR);
    } else if (what != CR_PER && what != CR_MER) {
        chip_guest_error(d->chip, "FLASH_CR.STRT without exactly one of PER "
                                  "and MER");
    } else if (hsi_runs(d)) {
        if (what == CR_PER)
            erase_page(d);
        else
            erase(d, 0, chip_flash_size(d->chip), T_MASS_ERASE);
    }
}

static bool busy(struct dev *d)
{
    const struct flash_f1 *f = d->state;

    return f->working;
}

static void cr_write(struct dev *d, uint32_t v)
{
    struct flash_f1 *f = d->state;

    if (f->cr & CR_LOCK) {
        if (v & ~CR_LOCK)
            chip_guest_error(d->chip, "FLASH_CR written while locked");
        return;
    }
    if (busy(d)) {
        chip_guest_error(d->chip, "FLASH_CR written while the flash is busy");
        return;
    }
    f->cr = (v & CR_WRITE) | (f->cr & v & CR_OPTWRE);
    if (v & CR_STRT) {
        f->cr |= CR_STRT;
        start(d);
        if (!f->working)
            f->cr &= ~CR_STRT;
    }
    if (v & CR_LOCK) {
        f->cr |= CR_LOCK;
        f->keys = WANT_KEY1;
    }
    update_irq(d);
}

/* PM0075 2.3.2: a wrong key locks until reset and faults. */
static void key_write(struct dev *d, uint32_t v)
{
    struct flash_f1 *f = d->state;

    if (f->keys == OPEN)
        return;
    if (f->keys == WANT_KEY1 && v == KEY1) {
        f->keys = WANT_KEY2;
    } else if (f->keys == WANT_KEY2 && v == KEY2) {
        f->keys = OPEN;
        f->cr &= ~CR_LOCK;
    } else {
        chip_guest_error(d->chip, "wrong key in FLASH_KEYR: locked until "
                                  "reset");
        f->keys = DEAD;
        chip_bus_fault(d->chip);
    }
}

static void option_key_write(struct dev *d, uint32_t v)
{
    struct flash_f1 *f = d->state;

    if (f->option_key1 && v == KEY2)
        f->cr |= CR_OPTWRE;
    f->option_key1 = v == KEY1;
}

/* ---- wait states ---- */

static void rule(struct dev *d, unsigned which, bool broken, const char *text)
{
    struct flash_f1 *f = d->state;

    if (broken && !(f->broken & which))
        chip_guest_error(d->chip, "%s", text);
    f->broken = broken ? f->broken | which : f->broken & ~which;
}

/* RM0008 3.3.3, RM0091 3.5.1 */
static void check_latency(struct dev *d)
{
    const struct flash_f1 *f = d->state;
    uint32_t sys = chip_clock_hz(d->chip, CLOCK_SYS);
    unsigned need = sys > 48 * MHZ ? 2 : sys > 24 * MHZ ? 1 : 0;

    rule(d, RULE_LATENCY, (f->acr & ACR_LATENCY) < need,
         "too few flash wait states in FLASH_ACR for this clock");
    rule(d, RULE_HALF, f->acr & ACR_HLFCYA && sys > 8 * MHZ,
         "half-cycle flash access above 8 MHz");
    rule(d, RULE_PREFETCH,
         !(f->acr & ACR_PRFTBE) && chip_clock_hz(d->chip, CLOCK_AHB) != sys,
         "flash prefetch off while AHB is slower than SYSCLK");
}

static void acr_write(struct dev *d, uint32_t v)
{
    struct flash_f1 *f = d->state;

    if ((f->acr ^ v) & ACR_PRFTBE &&
        chip_clock_hz(d->chip, CLOCK_SYS) > 24 * MHZ)
        chip_guest_error(d->chip, "flash prefetch switched above 24 MHz");
    if ((v & ACR_LATENCY) > facts(d)->max_latency)
        chip_guest_error(d->chip, "FLASH_ACR.LATENCY above %u is reserved",
                         facts(d)->max_latency);
    f->acr = v & (ACR_LATENCY | ACR_PRFTBE |
                  (facts(d)->half_cycle ? ACR_HLFCYA : 0));
    if (f->acr & ACR_PRFTBE)
        f->acr |= ACR_PRFTBS;
    chip_clocks_changed(d->chip);
}

/* ---- the peripheral ---- */

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct flash_f1 *f = d->state;

    switch (off) {
    case ACR:
        return f->acr;
    case KEYR:
    case OPTKEYR:
        return 0;
    case SR:
        return f->sr | (busy(d) ? SR_BSY : 0);
    case CR:
        return f->cr;
    case AR:
        return f->ar;
    case OBR:
        return OBR_RESET;
    case WRPR:
        return facts(d)->wrpr;
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct flash_f1 *f = d->state;

    switch (off) {
    case ACR:
        acr_write(d, v);
        break;
    case KEYR:
        key_write(d, v);
        break;
    case OPTKEYR:
        option_key_write(d, v);
        break;
    case SR:
        f->sr &= ~(v & (SR_PGERR | SR_WRPRTERR | SR_EOP));
        update_irq(d);
        break;
    case CR:
        cr_write(d, v);
        break;
    case AR:
        if (busy(d))
            chip_guest_error(d->chip,
                             "FLASH_AR written while the flash is busy");
        else
            f->ar = v;
        break;
    case OBR:
    case WRPR:
        break; /* read only */
    default:
        dev_unmodelled(d, off, "register");
    }
}

/* Range 1 is the option bytes: readable from the chip's table of ROMs. */
static uint32_t flash_read(struct dev *d, unsigned range, uint32_t off,
                           unsigned size)
{
    static const uint8_t option[16] = {
        0xa5, 0x5a, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00, /* RDP USER DATA01 */
        0xff, 0x00, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00, /* WRP0..3 */
    };
    uint32_t v = 0;

    settle(d);
    if (range == 0)
        return reg_read(d, off & ~3u) >> 8 * (off & 3);
    while (size--)
        v = v << 8 | option[off + size];
    return v;
}

static void flash_write(struct dev *d, unsigned range, uint32_t off,
                        unsigned size, uint32_t value)
{
    const struct flash_f1 *f = d->state;
    uint32_t reg = off & ~3u;

    settle(d);
    if (range == 0) {
        reg_write(d, reg, reg_merge(reg_read(d, reg), off, size, value));
        return;
    }
    if (f->cr & CR_OPTPG && f->cr & CR_OPTWRE && size == 2)
        dev_unmodelled(d, OPTKEYR + 1, "programming option bytes");
    else
        refuse_store(d, "in the option bytes without OPTPG and OPTWRE",
                     d->desc->range[1].base + off);
}

static sim_time flash_deadline(struct dev *d)
{
    const struct flash_f1 *f = d->state;

    return f->working ? f->busy_until : SIM_NEVER;
}

static void flash_reset(struct dev *d, enum reset_cause cause)
{
    struct flash_f1 *f = d->state;

    (void)cause;
    *f = (struct flash_f1){.acr = ACR_PRFTBE | ACR_PRFTBS, .cr = CR_LOCK};
}

static size_t page_size(struct dev *d, uint32_t addr)
{
    (void)addr;
    return facts(d)->page;
}

/* A half-word has to be erased before, but for writing 0 (PM0075, "Main Flash
 * memory programming"). */
static struct chip_flash_times times(struct dev *d, uint32_t addr)
{
    (void)addr;
    return (struct chip_flash_times){
        .erase = T_PAGE_ERASE, .program = facts(d)->program, .unit = 2};
}

/* The prefetch buffer (FLASH_ACR.PRFTBE) is some lines, of 64 bits on F1; while
 * one is executed the next is read. */
static struct flash_cost cost(struct dev *d)
{
    const struct flash_f1 *f = d->state;
    uint8_t wait = f->acr & ACR_LATENCY;
    bool prefetch = f->acr & ACR_PRFTBE;

    return (struct flash_cost){
        .branch = wait,
        .literal = wait,
        .line = prefetch ? 0 : wait,
        .line_bytes = facts(d)->line_bytes,
        .fetch = prefetch && wait ? wait + 1 : 0,
    };
}

const struct device_ops flash_f1_ops = {
    .state_size = sizeof(struct flash_f1),
    .steady = true,
    .reset = flash_reset,
    .read = flash_read,
    .write = flash_write,
    .deadline = flash_deadline,
    .event = settle,
    .clocks_changed = check_latency,
};

const struct flash_ops flash_f1_flash = {
    .page_size = page_size,
    .times = times,
    .store = store,
    .cost = cost,
};
