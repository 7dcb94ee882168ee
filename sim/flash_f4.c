/* SPDX-License-Identifier: MIT */
/*
 * flash_f4.c - flash and its controller on STM32F405, F407 and, with other
 * facts, F411.  RM0090 chapter 3: 3.5 for wait states and caches, 3.6 for
 * operations, 3.9 for registers; alike in RM0383 chapter 3.
 *
 * Supply is 3.3 V without VPP.  Caches cost or save time and hold no data:
 * what an erase leaves stale in them is not seen.  Not here: changing option
 * bytes (accepted and ignored, with a note), programming the OTP area.
 */
#include "cells.h"
#include "periph.h"

enum {
    ACR = 0x00,
    KEYR = 0x04,
    OPTKEYR = 0x08,
    SR = 0x0c,
    CR = 0x10,
    OPTCR = 0x14,
};

#define ACR_LATENCY 7u
#define ACR_PRFTEN  (1u << 8)
#define ACR_ICEN    (1u << 9)
#define ACR_DCEN    (1u << 10)
#define ACR_ICRST   (1u << 11)
#define ACR_DCRST   (1u << 12)
#define ACR_WRITE   0x1707u /* ICRST is write-only */

#define SR_EOP    (1u << 0)
#define SR_OPERR  (1u << 1)
#define SR_WRPERR (1u << 4)
#define SR_PGPERR (1u << 6)
#define SR_PGSERR (1u << 7)
#define SR_BSY    (1u << 16)
#define SR_CLEAR  0xf3u

#define CR_PG    (1u << 0)
#define CR_SER   (1u << 1)
#define CR_MER   (1u << 2)
#define CR_STRT  (1u << 16)
#define CR_EOPIE (1u << 24)
#define CR_ERRIE (1u << 25)
#define CR_LOCK  (1u << 31)
#define CR_WRITE 0x0300037fu

#define OPTCR_LOCK  (1u << 0)
#define OPTCR_STRT  (1u << 1)
#define OPTCR_BYTES 0x0fffffecu
#define OPTCR_RESET 0x0000aaedu /* and nWRP in bits 27:16 */

#define KEY1    0x45670123u
#define KEY2    0xcdef89abu
#define OPTKEY1 0x08192a3bu
#define OPTKEY2 0x4c5d6e7fu

#define KB  1024u
#define MHZ 1000000u

enum { X8, X16, X32, X64 }; /* PSIZE */
enum { ROW = 16, SECTORS = 12 };

/* DS8626 table 40, typical, by PSIZE. */
#define T_PROGRAM (16 * SIM_US)
static const sim_time t_erase_16k[] = {400 * SIM_MS, 300 * SIM_MS,
                                       250 * SIM_MS};
static const sim_time t_erase_64k[] = {1200 * SIM_MS, 700 * SIM_MS,
                                       550 * SIM_MS};
static const sim_time t_erase_128k[] = {2 * SIM_S, 1300 * SIM_MS, 1 * SIM_S};

enum keys { WANT_KEY1, WANT_KEY2, OPEN, DEAD };

struct flash_f4 {
    uint32_t acr, cr, sr, optcr;
    enum keys keys, option_keys;
    bool working;  /* an operation is under way, until busy_until */
    bool too_fast; /* said: more wait states are needed */
    sim_time busy_until;
};

static const struct flash_f4_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

static void update_irq(struct dev *d)
{
    const struct flash_f4 *f = d->state;

    chip_irq(d->chip, d->desc->irq[0],
             (f->sr & SR_OPERR && f->cr & CR_ERRIE) ||
                 (f->sr & SR_EOP && f->cr & CR_EOPIE));
}

/* 3.9.5: EOP is set only while its interrupt is enabled. */
static void settle(struct dev *d)
{
    struct flash_f4 *f = d->state;

    if (!f->working || chip_now(d->chip) < f->busy_until)
        return;
    f->working = false;
    f->cr &= ~CR_STRT;
    if (f->cr & CR_EOPIE)
        f->sr |= SR_EOP;
    update_irq(d);
}

static void begin(struct dev *d, sim_time time)
{
    struct flash_f4 *f = d->state;

    f->working = true;
    f->busy_until = chip_now(d->chip) + time;
}

/* 3.9.5: so is OPERR. */
static void fail(struct dev *d, uint32_t error)
{
    struct flash_f4 *f = d->state;

    f->sr |= error;
    if (f->cr & CR_ERRIE)
        f->sr |= SR_OPERR;
    update_irq(d);
}

/* ---- sectors: table 5 ---- */

static uint32_t offset(struct dev *d, uint32_t addr)
{
    return addr - chip_flash_base(d->chip);
}

static unsigned sector_at(uint32_t off)
{
    if (off < 64 * KB)
        return off / (16 * KB);
    return off < 128 * KB ? 4 : 4 + off / (128 * KB);
}

static uint32_t sector_start(unsigned n)
{
    if (n < 5)
        return n * 16 * KB;
    return (n - 4) * 128 * KB;
}

static uint32_t sector_size(unsigned n)
{
    return n < 4 ? 16 * KB : n == 4 ? 64 * KB : 128 * KB;
}

static bool is_protected(struct dev *d, unsigned sector)
{
    return !(facts(d)->wrp >> sector & 1);
}

/* ---- operations ---- */

static unsigned parallelism(const struct flash_f4 *f)
{
    return f->cr >> 8 & 3;
}

/* Table 13, and 3.6 for the clock. */
static bool conditions(struct dev *d)
{
    const struct flash_f4 *f = d->state;

    if (parallelism(f) == X64)
        chip_guest_error(d->chip, "FLASH_CR.PSIZE is x64, which needs VPP");
    else if (chip_clock_hz(d->chip, CLOCK_AHB) < MHZ)
        chip_guest_error(d->chip, "flash operation with HCLK below 1 MHz");
    else
        return true;
    return false;
}

/* What 3.6.4 and 3.9.5 say of this store, NULL when there is nothing.  PGAERR
 * cannot be: a unit of 8 to 32 bits never crosses a row of 128, and unaligned
 * stores come in parts. */
static const char *broken_rule(struct dev *d, uint32_t addr, unsigned size,
                               uint32_t *flags)
{
    const struct flash_f4 *f = d->state;
    unsigned width = 1u << parallelism(f);
    const char *text = NULL;

    *flags = 0;
    if (is_protected(d, sector_at(offset(d, addr)))) {
        *flags |= SR_WRPERR;
        text = "in a write-protected sector: WRPERR";
    }
    if (size != width || addr % width) {
        *flags |= SR_PGPERR;
        text = "in another width than FLASH_CR.PSIZE says: PGPERR";
    }
    if (f->cr & (CR_SER | CR_MER)) {
        *flags |= SR_PGSERR;
        text = "with an erase selected in FLASH_CR: PGSERR";
    }
    if (!(f->cr & CR_PG)) {
        *flags |= SR_PGSERR;
        text = "without FLASH_CR.PG: PGSERR";
    }
    if (f->cr & CR_LOCK)
        text = "while FLASH_CR is locked: PGSERR";
    return text;
}

/* A bit that is 0 stays 0, silently: successive writes are allowed as long as
 * an erase is what sets bits (3.6.4, note). */
static void store(struct dev *d, uint32_t addr, unsigned size, uint32_t value)
{
    uint32_t flags;
    const char *why;

    settle(d);
    why = broken_rule(d, addr, size, &flags);
    if (why) {
        chip_guest_error(d->chip, "flash written at 0x%08x %s", addr, why);
        fail(d, flags);
    } else if (conditions(d)) {
        cells_program(d->chip, offset(d, addr), size, value);
        begin(d, T_PROGRAM);
    }
}

static const sim_time *erase_times(unsigned sector)
{
    return sector < 4 ? t_erase_16k : sector == 4 ? t_erase_64k : t_erase_128k;
}

static void erase_sector(struct dev *d, unsigned n)
{
    const struct flash_f4 *f = d->state;
    const sim_time *time = erase_times(n);

    if (n >= SECTORS || sector_start(n) >= chip_flash_size(d->chip)) {
        chip_guest_error(d->chip, "FLASH_CR.SNB %u: there is no such sector",
                         n);
    } else if (is_protected(d, n)) {
        chip_guest_error(d->chip, "erase of write-protected sector %u: WRPERR",
                         n);
        fail(d, SR_WRPERR);
    } else {
        cells_erase(d->chip, sector_start(n), sector_size(n));
        begin(d, time[parallelism(f)]);
    }
}

static void erase_all(struct dev *d)
{
    const struct flash_f4 *f = d->state;
    unsigned all = (1u << SECTORS) - 1;

    if ((facts(d)->wrp & all) != all) {
        chip_guest_error(d->chip, "mass erase with write-protected sectors: "
                                  "WRPERR");
        fail(d, SR_WRPERR);
        return;
    }
    cells_erase(d->chip, 0, chip_flash_size(d->chip));
    begin(d, facts(d)->erase_ms[parallelism(f)] * SIM_MS);
}

/* 3.6.3; early revisions of the manual have no erase at all with both bits. */
static void start(struct dev *d)
{
    const struct flash_f4 *f = d->state;

    if (!conditions(d))
        return;
    if (!(f->cr & (CR_SER | CR_MER)))
        chip_guest_error(d->chip, "FLASH_CR.STRT without SER and MER");
    else if (f->cr & CR_SER && f->cr & CR_MER)
        chip_guest_error(d->chip, "FLASH_CR.STRT with both SER and MER");
    else if (f->cr & CR_MER)
        erase_all(d);
    else
        erase_sector(d, f->cr >> 3 & 15);
}

/* ---- registers ---- */

static void cr_unlocked_write(struct dev *d, uint32_t v)
{
    struct flash_f4 *f = d->state;

    f->cr = v & CR_WRITE;
    if (v & CR_STRT) {
        start(d);
        if (f->working)
            f->cr |= CR_STRT;
    }
    if (v & CR_LOCK) {
        f->cr |= CR_LOCK;
        f->keys = WANT_KEY1;
    }
    update_irq(d);
}

/* 3.6.1, note: a write while busy waits until the operation is done.  An
 * erase that is started so has not looked at BSY, as 3.6.3 wants. */
static void cr_write(struct dev *d, uint32_t v)
{
    struct flash_f4 *f = d->state;

    if (f->cr & CR_LOCK) {
        if (v & ~CR_LOCK)
            chip_guest_error(d->chip, "FLASH_CR written while locked");
        return;
    }
    if (f->working) {
        if (v & CR_STRT)
            chip_guest_error(d->chip, "erase started while the flash is busy");
        chip_stall(d->chip, f->busy_until);
        settle(d);
    }
    if (!f->working)
        cr_unlocked_write(d, v);
}

/* 3.6.1: a wrong sequence locks until reset and faults. */
static bool key(struct dev *d, enum keys *state, uint32_t v, uint32_t key1,
                uint32_t key2, const char *name)
{
    if (*state == OPEN)
        return true;
    if (*state == WANT_KEY1 && v == key1) {
        *state = WANT_KEY2;
    } else if (*state == WANT_KEY2 && v == key2) {
        *state = OPEN;
    } else {
        chip_guest_error(d->chip, "wrong key in %s: locked until reset", name);
        *state = DEAD;
        chip_bus_fault(d->chip);
    }
    return *state == OPEN;
}

static void optcr_write(struct dev *d, uint32_t v)
{
    struct flash_f4 *f = d->state;

    if (f->optcr & OPTCR_LOCK) {
        if (v & ~OPTCR_LOCK)
            chip_guest_error(d->chip, "FLASH_OPTCR written while locked");
        return;
    }
    f->optcr = v & OPTCR_BYTES;
    if (v & OPTCR_STRT && !f->working) {
        dev_unmodelled(d, OPTCR, "changing option bytes");
        begin(d, t_erase_16k[X32]);
    }
    if (v & OPTCR_LOCK) {
        f->optcr |= OPTCR_LOCK;
        f->option_keys = WANT_KEY1;
    }
}

/* RM0090 table 11, RM0383 table 5: 2.7 to 3.6 V. */
static void check_latency(struct dev *d)
{
    struct flash_f4 *f = d->state;
    uint32_t hclk = chip_clock_hz(d->chip, CLOCK_AHB);
    bool too_fast = hclk > facts(d)->mhz[f->acr & ACR_LATENCY] * MHZ;

    if (too_fast && !f->too_fast)
        chip_guest_error(d->chip, "too few flash wait states in FLASH_ACR for "
                                  "this clock");
    f->too_fast = too_fast;
}

static void acr_write(struct dev *d, uint32_t v)
{
    struct flash_f4 *f = d->state;

    if ((v & ACR_ICRST && f->acr & ACR_ICEN) ||
        (v & ACR_DCRST && f->acr & ACR_DCEN))
        chip_guest_error(d->chip, "FLASH_ACR resets a cache that is enabled");
    f->acr = v & ACR_WRITE;
    chip_clocks_changed(d->chip);
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct flash_f4 *f = d->state;

    switch (off) {
    case ACR:
        return f->acr;
    case KEYR:
    case OPTKEYR:
        return 0;
    case SR:
        return f->sr | (f->working ? SR_BSY : 0);
    case CR:
        return f->cr;
    case OPTCR:
        return f->optcr;
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct flash_f4 *f = d->state;

    switch (off) {
    case ACR:
        acr_write(d, v);
        break;
    case KEYR:
        if (key(d, &f->keys, v, KEY1, KEY2, "FLASH_KEYR"))
            f->cr &= ~CR_LOCK;
        break;
    case OPTKEYR:
        if (key(d, &f->option_keys, v, OPTKEY1, OPTKEY2, "FLASH_OPTKEYR"))
            f->optcr &= ~OPTCR_LOCK;
        break;
    case SR:
        f->sr &= ~(v & SR_CLEAR);
        update_irq(d);
        break;
    case CR:
        cr_write(d, v);
        break;
    case OPTCR:
        optcr_write(d, v);
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}

/* ---- the peripheral ---- */

static uint32_t flash_read(struct dev *d, unsigned range, uint32_t off,
                           unsigned size)
{
    (void)range, (void)size;
    settle(d);
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

static void flash_write(struct dev *d, unsigned range, uint32_t off,
                        unsigned size, uint32_t value)
{
    uint32_t reg = off & ~3u;
    uint32_t old = 0;

    (void)range;
    settle(d);
    if (reg != SR) /* whose bits are cleared by ones */
        old = reg_read(d, reg);
    reg_write(d, reg, reg_merge(old, off, size, value));
}

static sim_time flash_deadline(struct dev *d)
{
    const struct flash_f4 *f = d->state;

    return f->working ? f->busy_until : SIM_NEVER;
}

static void flash_reset(struct dev *d, enum reset_cause cause)
{
    struct flash_f4 *f = d->state;

    (void)cause;
    *f = (struct flash_f4){
        .cr = CR_LOCK,
        .optcr = OPTCR_RESET | (facts(d)->wrp & 0xfffu) << 16,
    };
}

static size_t page_size(struct dev *d, uint32_t addr)
{
    return sector_size(sector_at(offset(d, addr)));
}

/* With the 32 bits at once that 2.7 V and more allow (table 11). */
static struct chip_flash_times times(struct dev *d, uint32_t addr)
{
    return (struct chip_flash_times){
        .erase = erase_times(sector_at(offset(d, addr)))[X32],
        .program = T_PROGRAM,
        .unit = 4,
        .clears = true};
}

/* 3.5.2: a cache that is on counts as one that always hits. */
static struct flash_cost cost(struct dev *d)
{
    const struct flash_f4 *f = d->state;
    uint8_t wait = f->acr & ACR_LATENCY;

    return (struct flash_cost){
        .branch = f->acr & ACR_ICEN ? 0 : wait,
        .literal = f->acr & ACR_DCEN ? 0 : wait,
        .line = f->acr & (ACR_ICEN | ACR_PRFTEN) ? 0 : wait,
        .line_bytes = ROW,
        .fetch = wait && (f->acr & (ACR_ICEN | ACR_PRFTEN)) == ACR_PRFTEN
                     ? wait + 1
                     : 0,
    };
}

const struct device_ops flash_f4_ops = {
    .state_size = sizeof(struct flash_f4),
    .steady = true,
    .reset = flash_reset,
    .read = flash_read,
    .write = flash_write,
    .deadline = flash_deadline,
    .event = settle,
    .clocks_changed = check_latency,
};

const struct flash_ops flash_f4_flash = {
    .page_size = page_size,
    .times = times,
    .store = store,
    .cost = cost,
};
