/* SPDX-License-Identifier: MIT */
/*
 * flash_l0.c - flash, data EEPROM and their controller on STM32L072 (category
 * 5).  RM0376 chapter 3: 3.3.3 and 3.3.4 for reading and operations, 3.7 for
 * registers.  Erased cells read 0; programming sets bits.
 *
 * Supply is 3.3 V.  Both banks count as one: an access to one of them waits
 * for the other, too.  Not here: changing option bytes, power-down of the
 * array, mass erase by option bytes, both banks in parallel.
 */
#include <stddef.h>
#include <string.h>

#include "cells.h"
#include "periph.h"

enum {
    ACR = 0x00,
    PECR = 0x04,
    PDKEYR = 0x08,
    PEKEYR = 0x0c,
    PRGKEYR = 0x10,
    OPTKEYR = 0x14,
    SR = 0x18,
    OPTR = 0x1c,
    WRPROT1 = 0x20,
    WRPROT2 = 0x80,
};
enum { RANGE_REGISTERS, RANGE_EEPROM };

#define ACR_LATENCY  1u
#define ACR_PRFTEN   (1u << 1)
#define ACR_SLEEP_PD (1u << 3)
#define ACR_RUN_PD   (1u << 4)
#define ACR_DISABBUF (1u << 5)
#define ACR_WRITE    0x6bu

#define PECR_PELOCK    (1u << 0)
#define PECR_PRGLOCK   (1u << 1)
#define PECR_OPTLOCK   (1u << 2)
#define PECR_LOCKS     7u
#define PECR_PROG      (1u << 3)
#define PECR_DATA      (1u << 4)
#define PECR_FIX       (1u << 8)
#define PECR_ERASE     (1u << 9)
#define PECR_FPRG      (1u << 10)
#define PECR_PARALLEL  (1u << 15)
#define PECR_EOPIE     (1u << 16)
#define PECR_ERRIE     (1u << 17)
#define PECR_OBL       (1u << 18)
#define PECR_NZDISABLE (1u << 22)
#define PECR_WRITE                                                             \
    (PECR_PROG | PECR_DATA | PECR_FIX | PECR_ERASE | PECR_FPRG |               \
     PECR_PARALLEL | PECR_EOPIE | PECR_ERRIE | PECR_NZDISABLE)

#define SR_BSY        (1u << 0)
#define SR_EOP        (1u << 1)
#define SR_HVOFF      (1u << 2)
#define SR_READY      (1u << 3)
#define SR_WRPERR     (1u << 8)
#define SR_PGAERR     (1u << 9)
#define SR_SIZERR     (1u << 10)
#define SR_NOTZEROERR (1u << 16)
#define SR_FWWERR     (1u << 17)
#define SR_ERRORS     0x32f00u
#define SR_CLEAR      (SR_EOP | SR_ERRORS)

#define OPTR_RESET 0x807000aau /* level 0, watchdog by software */

#define KB     1024u
#define MHZ    1000000u
#define PAGE   128u
#define HALF   64u
#define WORDS  (HALF / 4)
#define SECTOR (4 * KB) /* of the write protection */
#define EEPROM (6 * KB)

/* DS10689 table 58, typical: erasing, or programming a word or a half-page. */
#define T_OP (3280 * SIM_US)

enum keys { WANT_KEY1, WANT_KEY2, OPEN, DEAD };
enum { KEY_PE, KEY_PRG, KEY_OPT, KEY_KINDS };

static const struct {
    uint32_t key[2];
    const char *name;
} lock[KEY_KINDS] = {
    [KEY_PE] = {{0x89abcdef, 0x02030405}, "FLASH_PEKEYR"},
    [KEY_PRG] = {{0x8c9daebf, 0x13141516}, "FLASH_PRGKEYR"},
    [KEY_OPT] = {{0xfbead9c8, 0x24252627}, "FLASH_OPTKEYR"},
};

struct flash_l0 {
    uint32_t acr, pecr, sr; /* pecr without its lock bits */
    enum keys keys[KEY_KINDS];
    bool working;  /* an operation is under way, until busy_until */
    bool too_fast; /* said: more wait states are needed */
    sim_time busy_until;
    /* The half-page that is being loaded, and how many of its words came. */
    uint32_t half, loaded;
    uint32_t word[WORDS];
    uint8_t eeprom[EEPROM];
};

static const struct flash_l0_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

static void update_irq(struct dev *d)
{
    const struct flash_l0 *f = d->state;

    chip_irq(d->chip, d->desc->irq[0],
             (f->sr & SR_ERRORS && f->pecr & PECR_ERRIE) ||
                 (f->sr & SR_EOP && f->pecr & PECR_EOPIE));
}

static void settle(struct dev *d)
{
    struct flash_l0 *f = d->state;

    if (!f->working || chip_now(d->chip) < f->busy_until)
        return;
    f->working = false;
    f->sr |= SR_EOP;
    update_irq(d);
}

static void begin(struct dev *d)
{
    struct flash_l0 *f = d->state;

    f->working = true;
    f->busy_until = chip_now(d->chip) + T_OP;
}

static void fail(struct dev *d, uint32_t error)
{
    struct flash_l0 *f = d->state;

    f->sr |= error;
    f->loaded = 0;
    update_irq(d);
}

/* ---- operations on the array ---- */

static uint32_t offset(struct dev *d, uint32_t addr)
{
    return addr - chip_flash_base(d->chip);
}

static bool is_protected(struct dev *d, uint32_t addr)
{
    return facts(d)->wrp >> offset(d, addr) / SECTOR & 1;
}

static bool open_for(const struct flash_l0 *f, unsigned kind)
{
    return f->keys[KEY_PE] == OPEN && f->keys[kind] == OPEN;
}

/* What 3.3.4 and 3.7.7 say of any store, NULL when there is nothing. */
static const char *broken_rule(struct dev *d, uint32_t addr, unsigned size,
                               uint32_t *flag)
{
    const struct flash_l0 *f = d->state;

    if (!open_for(f, KEY_PRG)) {
        *flag = SR_WRPERR;
        return "while FLASH_PECR.PRGLOCK is set: WRPERR";
    }
    if (is_protected(d, addr)) {
        *flag = SR_WRPERR;
        return "in a write-protected sector: WRPERR";
    }
    if (size != 4 || addr % 4) {
        *flag = SR_SIZERR;
        return "by less than a word: SIZERR";
    }
    *flag = 0;
    if (f->pecr & (PECR_ERASE | PECR_FPRG) && !(f->pecr & PECR_PROG))
        return "with FLASH_PECR.ERASE or FPRG and without PROG";
    if (f->pecr & PECR_ERASE && f->pecr & PECR_FPRG)
        return "with both FLASH_PECR.ERASE and FPRG";
    return NULL;
}

/* Programming adds bits to a word, and to the six of its ECC, which then are
 * wrong: the controller refuses it where the word is not 0, unless NZDISABLE
 * says that it should not look. */
static bool is_zero(struct dev *d, uint32_t addr, size_t n)
{
    const struct flash_l0 *f = d->state;
    const uint8_t *p = chip_flash(d->chip) + offset(d, addr);

    if (f->pecr & PECR_NZDISABLE)
        return true;
    while (n--)
        if (*p++) {
            chip_guest_error(d->chip,
                             "flash programmed at 0x%08x, which is not "
                             "erased: NOTZEROERR",
                             addr);
            fail(d, SR_NOTZEROERR);
            return false;
        }
    return true;
}

static void program_half(struct dev *d)
{
    struct flash_l0 *f = d->state;

    f->loaded = 0;
    if (!is_zero(d, f->half, HALF))
        return;
    cells_program_row(d->chip, offset(d, f->half), f->word, WORDS);
    begin(d);
}

/* Sixteen words to one half-page, at whatever address in it, and no fetch from
 * flash from the first of them on. */
static void load_half(struct dev *d, uint32_t addr, uint32_t value)
{
    struct flash_l0 *f = d->state;

    if (chip_in_flash(d->chip, chip_pc(d->chip))) {
        chip_guest_error(d->chip, "half-page programmed by code that runs "
                                  "from flash: FWWERR");
        fail(d, SR_FWWERR);
        return;
    }
    if (f->loaded ? addr / HALF != f->half / HALF : addr % HALF) {
        chip_guest_error(d->chip,
                         "half-page programmed at 0x%08x: PGAERR, it "
                         "does not begin there",
                         addr);
        fail(d, SR_PGAERR);
        return;
    }
    if (!f->loaded)
        f->half = addr;
    f->word[f->loaded++] = value;
    if (f->loaded == WORDS)
        program_half(d);
}

static void store(struct dev *d, uint32_t addr, unsigned size, uint32_t value)
{
    const struct flash_l0 *f = d->state;
    uint32_t flag;
    const char *why;

    settle(d);
    why = broken_rule(d, addr, size, &flag);
    if (why) {
        chip_guest_error(d->chip, "flash written at 0x%08x %s", addr, why);
        fail(d, flag);
    } else if (f->pecr & PECR_ERASE) {
        cells_erase(d->chip, offset(d, addr) & ~(PAGE - 1), PAGE);
        begin(d);
    } else if (f->pecr & PECR_FPRG) {
        load_half(d, addr, value);
    } else if (is_zero(d, addr, 4)) {
        cells_program(d->chip, offset(d, addr), 4, value);
        begin(d);
    }
}

/* ---- data EEPROM: what is not 0 is erased on the way ---- */

static void eeprom_store(struct dev *d, uint32_t off, unsigned size,
                         uint32_t value)
{
    struct flash_l0 *f = d->state;

    chip_stall(d->chip, f->working ? f->busy_until : 0);
    settle(d);
    if (f->keys[KEY_PE] != OPEN) {
        chip_guest_error(d->chip, "data EEPROM written while FLASH_PECR.PELOCK "
                                  "is set: WRPERR");
        fail(d, SR_WRPERR);
        return;
    }
    if (f->pecr & (PECR_PROG | PECR_FPRG)) {
        chip_guest_error(d->chip, "data EEPROM written with FLASH_PECR.PROG");
        return;
    }
    if (f->pecr & PECR_ERASE)
        value = 0;
    cells_rewrite(d->chip, f->eeprom + off, size, value);
    begin(d);
}

static uint32_t eeprom_read(struct dev *d, uint32_t off, unsigned size)
{
    struct flash_l0 *f = d->state;
    uint32_t v = 0;

    chip_stall(d->chip, f->working ? f->busy_until : 0);
    settle(d);
    memcpy(&v, f->eeprom + off, size);
    return v;
}

/* ---- registers ---- */

/* 3.3.4: a wrong sequence locks until reset and faults; so does a key for one
 * of the other locks while PECR is locked. */
static void key(struct dev *d, unsigned kind, uint32_t v)
{
    struct flash_l0 *f = d->state;
    enum keys *state = &f->keys[kind];

    if (*state == OPEN)
        return;
    if (kind != KEY_PE && f->keys[KEY_PE] != OPEN) {
        chip_guest_error(d->chip,
                         "key in %s while FLASH_PECR.PELOCK is set: "
                         "locked until reset",
                         lock[kind].name);
    } else if (*state == WANT_KEY1 && v == lock[kind].key[0]) {
        *state = WANT_KEY2;
        return;
    } else if (*state == WANT_KEY2 && v == lock[kind].key[1]) {
        *state = OPEN;
        return;
    } else {
        chip_guest_error(d->chip, "wrong key in %s: locked until reset",
                         lock[kind].name);
    }
    *state = DEAD;
    chip_bus_fault(d->chip);
}

static uint32_t locks(const struct flash_l0 *f)
{
    return (f->keys[KEY_PE] == OPEN ? 0 : PECR_PELOCK) |
           (f->keys[KEY_PRG] == OPEN ? 0 : PECR_PRGLOCK) |
           (f->keys[KEY_OPT] == OPEN ? 0 : PECR_OPTLOCK);
}

/* PELOCK brings the other two. */
static void lock_again(struct flash_l0 *f, uint32_t v)
{
    unsigned i;

    for (i = 0; i < KEY_KINDS; i++)
        if (f->keys[i] == OPEN && v & (PECR_PELOCK | 1u << i))
            f->keys[i] = WANT_KEY1;
}

static void pecr_write(struct dev *d, uint32_t v)
{
    struct flash_l0 *f = d->state;

    if (f->keys[KEY_PE] != OPEN) {
        if (v & ~PECR_LOCKS)
            chip_guest_error(d->chip, "FLASH_PECR written while locked");
        return;
    }
    if (f->working) {
        chip_guest_error(d->chip, "FLASH_PECR written while the flash is busy");
        chip_stall(d->chip, f->busy_until);
        settle(d);
    }
    if (f->loaded) {
        chip_guest_error(d->chip, "FLASH_PECR written with half a half-page "
                                  "loaded");
        f->loaded = 0;
    }
    if (v & (PECR_PARALLEL | PECR_OBL))
        dev_unmodelled(d, PECR, "PARALLBANK or OBL_LAUNCH");
    f->pecr = v & PECR_WRITE;
    lock_again(f, v);
    update_irq(d);
}

/* 3.3.3, table 13, with the voltage range of the core. */
static void check_latency(struct dev *d)
{
    static const uint32_t zero_wait[] = {16 * MHZ, 8 * MHZ, 4200000};
    struct flash_l0 *f = d->state;
    uint32_t hclk = chip_clock_hz(d->chip, CLOCK_AHB);
    bool too_fast =
        !(f->acr & ACR_LATENCY) && hclk > zero_wait[pwr_l0_range(d->chip) - 1];

    if (too_fast && !f->too_fast)
        chip_guest_error(d->chip, "too few flash wait states in FLASH_ACR for "
                                  "this clock and PWR_CR.VOS");
    f->too_fast = too_fast;
}

static void acr_write(struct dev *d, uint32_t v)
{
    struct flash_l0 *f = d->state;

    if (v & ACR_PRFTEN && v & ACR_DISABBUF)
        chip_guest_error(d->chip, "FLASH_ACR.PRFTEN needs the buffers that "
                                  "DISAB_BUF switches off");
    if (v & (ACR_SLEEP_PD | ACR_RUN_PD))
        dev_unmodelled(d, ACR, "power-down of the array");
    f->acr = v & ACR_WRITE;
    chip_clocks_changed(d->chip);
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct flash_l0 *f = d->state;

    switch (off) {
    case ACR:
        return f->acr;
    case PECR:
        return f->pecr | locks(f);
    case PDKEYR:
    case PEKEYR:
    case PRGKEYR:
    case OPTKEYR:
        return 0;
    case SR:
        return f->sr | (f->working ? SR_BSY : SR_HVOFF | SR_READY);
    case OPTR:
        return OPTR_RESET;
    case WRPROT1:
        return (uint32_t)facts(d)->wrp;
    case WRPROT2:
        return (uint32_t)(facts(d)->wrp >> 32);
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct flash_l0 *f = d->state;

    switch (off) {
    case ACR:
        acr_write(d, v);
        break;
    case PECR:
        pecr_write(d, v);
        break;
    case PEKEYR:
        key(d, KEY_PE, v);
        break;
    case PRGKEYR:
        key(d, KEY_PRG, v);
        break;
    case OPTKEYR:
        key(d, KEY_OPT, v);
        break;
    case SR:
        f->sr &= ~(v & SR_CLEAR);
        update_irq(d);
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}

/* ---- the peripheral ---- */

static uint32_t flash_read(struct dev *d, unsigned range, uint32_t off,
                           unsigned size)
{
    if (range == RANGE_EEPROM)
        return eeprom_read(d, off, size);
    settle(d);
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

static void flash_write(struct dev *d, unsigned range, uint32_t off,
                        unsigned size, uint32_t value)
{
    uint32_t reg = off & ~3u;
    uint32_t old = 0;

    if (range == RANGE_EEPROM) {
        eeprom_store(d, off, size, value);
        return;
    }
    settle(d);
    if (reg != SR) /* whose bits are cleared by ones */
        old = reg_read(d, reg);
    reg_write(d, reg, reg_merge(old, off, size, value));
}

static sim_time flash_deadline(struct dev *d)
{
    const struct flash_l0 *f = d->state;

    return f->working ? f->busy_until : SIM_NEVER;
}

/* The data EEPROM keeps what it holds. */
static void flash_reset(struct dev *d, enum reset_cause cause)
{
    struct flash_l0 *f = d->state;

    (void)cause;
    memset(f, 0, offsetof(struct flash_l0, eeprom));
}

static size_t page_size(struct dev *d, uint32_t addr)
{
    (void)d, (void)addr;
    return PAGE;
}

static struct chip_flash_times times(struct dev *d, uint32_t addr)
{
    (void)d, (void)addr;
    return (struct chip_flash_times){
        .erase = T_OP, .program = T_OP, .unit = HALF};
}

/* 3.3.3: buffers of one 32-bit word, and a word ahead with the prefetch. */
static struct flash_cost cost(struct dev *d)
{
    const struct flash_l0 *f = d->state;
    uint8_t wait = f->acr & ACR_LATENCY;
    bool prefetch = f->acr & ACR_PRFTEN;

    return (struct flash_cost){
        .branch = wait,
        .literal = wait,
        .line = prefetch ? 0 : wait,
        .line_bytes = 4,
        .fetch = prefetch && wait ? wait + 1 : 0,
    };
}

const struct device_ops flash_l0_ops = {
    .state_size = sizeof(struct flash_l0),
    .kept = sizeof(struct flash_l0) - offsetof(struct flash_l0, eeprom),
    .steady = true,
    .reset = flash_reset,
    .read = flash_read,
    .write = flash_write,
    .deadline = flash_deadline,
    .event = settle,
    .clocks_changed = check_latency,
};

const struct flash_ops flash_l0_flash = {
    .page_size = page_size,
    .times = times,
    .store = store,
    .cost = cost,
};
