/* SPDX-License-Identifier: MIT */
/*
 * test_chip_flash_l0.c - flash and data EEPROM of the virtual STM32L072: keys,
 * words and half-pages, what is not erased, times, power that fails in the
 * middle; and the clocks and voltages that the flash depends on.
 */
#define THUMB_V6M

#include "chip_bench.h"

#include "periph.h"
#include "thumb.h"

#define ACR       0x40022000u
#define PECR      0x40022004u
#define PEKEYR    0x4002200cu
#define PRGKEYR   0x40022010u
#define SR        0x40022018u
#define RCC       0x40021000u
#define CRRCR     (RCC + 0x08)
#define CFGR      (RCC + 0x0c)
#define APB2ENR   (RCC + 0x34)
#define APB1ENR   (RCC + 0x38)
#define CCIPR     (RCC + 0x4c)
#define PWR_CR    0x40007000u
#define PWR_CSR   0x40007004u
#define CFGR3     0x40010020u
#define TARGET    0x08008000u
#define EEPROM    0x08080000u
#define LOADER    (RAM + 0x1000) /* code that runs from there */
#define STACK_TOP (RAM + 0x5000)

enum { PELOCK = 1, PRGLOCK = 2, PROG = 8, ERASE = 0x200, FPRG = 0x400 };
#define EOPIE     (1u << 16)
#define NZDISABLE (1u << 22)

enum { BSY = 1, EOP = 2, IDLE = 0xc, WRPERR = 0x100 };
enum { PGAERR = 0x200, SIZERR = 0x400, NOTZEROERR = 0x10000 };
enum { FWWERR = 0x20000 };

static int set_up(void **state)
{
    return bench_new(state, "stm32l072cz", NULL);
}

static void unlock(struct code *k)
{
    store(k, PEKEYR, 0x89abcdef);
    store(k, PEKEYR, 0x02030405);
    store(k, PRGKEYR, 0x8c9daebf);
    store(k, PRGKEYR, 0x13141516);
}

static void erase(struct code *k, uint32_t addr)
{
    store(k, PECR, ERASE | PROG);
    store(k, addr, 0x5555);
    wait_clear(k, SR, BSY);
    store(k, PECR, 0);
}

static void program32(struct code *k, uint32_t addr, uint32_t v)
{
    store(k, addr, v);
    wait_clear(k, SR, BSY);
}

/* Sixteen words to a half-page, all at one address. */
static void half_page(struct code *k, uint32_t addr)
{
    unsigned i;

    store(k, PECR, FPRG | PROG);
    for (i = 1; i <= 16; i++)
        store(k, addr, 0x1000000 * i + i);
    wait_clear(k, SR, BSY);
    store(k, PECR, 0);
}

/* What `k` has got from there on, up to here, is copied to RAM and run. */
static void run_from_ram(struct code *k, uint32_t from)
{
    uint32_t end = k->at = (k->at + 3) & ~3u;

    mov(k, 0, from);
    mov(k, 1, LOADER);
    mov(k, 2, end);
    op(k, 0x6803); /* 1: ldr r3, [r0] */
    op(k, 0x600b); /*    str r3, [r1] */
    op(k, 0x3004); /*    adds r0, #4 */
    op(k, 0x3104); /*    adds r1, #4 */
    op(k, 0x4290); /*    cmp r0, r2 */
    op(k, 0xd3f9); /*    bcc 1b */
    jump(k, LOADER);
}

#define PART 0x08004000u /* where code for RAM is assembled */

/* ---- what works ---- */

static void erases_and_programs(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET - 4, 0x1111);
    word(b->c, TARGET, 0x2222);
    word(b->c, TARGET + 124, 0x3333);
    word(b->c, TARGET + 128, 0x55aa);
    unlock(&k);
    erase(&k, TARGET + 64);
    copy(&k, SR, RAM);
    store(&k, SR, EOP);
    copy(&k, SR, RAM + 4);
    program32(&k, TARGET + 8, 0x12345678);
    store(&k, PECR, PELOCK);
    copy(&k, PECR, RAM + 8);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET - 4), 0x1111);
    assert_int_equal(peek(b->c, TARGET), 0);
    assert_int_equal(peek(b->c, TARGET + 8), 0x12345678);
    assert_int_equal(peek(b->c, TARGET + 124), 0);
    assert_int_equal(peek(b->c, TARGET + 128), 0x55aa);
    assert_int_equal(peek(b->c, RAM), IDLE | EOP);
    assert_int_equal(peek(b->c, RAM + 4), IDLE);
    assert_int_equal(peek(b->c, RAM + 8), 7); /* PELOCK brings the others */
    assert_int_equal(chip_flash_erases(b->c), 1);
    assert_int_equal(chip_flash_programs(b->c), 1);
    assert_int_equal(chip_flash_page(b->c, TARGET + 77), 128);
}

static void programs_half_pages_from_ram(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), part = {b->c, PART};

    unlock(&part);
    half_page(&part, TARGET + 64);
    copy(&part, SR, RAM);
    spin(&part);
    jump(&k, part.at = (part.at + 3) & ~3u);
    run_from_ram(&part, PART);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET + 60), 0);
    assert_int_equal(peek(b->c, TARGET + 64), 0x1000001);
    assert_int_equal(peek(b->c, TARGET + 124), 0x10000010);
    assert_int_equal(peek(b->c, RAM), IDLE | EOP);
    assert_int_equal(chip_flash_programs(b->c), 1); /* one for all of it */
}

static void data_eeprom_needs_no_erase(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, PEKEYR, 0x89abcdef);
    store(&k, PEKEYR, 0x02030405); /* PRGLOCK stays */
    program32(&k, EEPROM + 0x17fc, 0x12345678);
    program32(&k, EEPROM + 0x17fc, 0x00ff00ff);
    copy(&k, EEPROM + 0x17fc, RAM);
    copy(&k, EEPROM + 0x17f8, RAM + 4);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), 0x00ff00ff);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    chip_power(b->c, false);
    k = program(b->c);
    copy(&k, EEPROM + 0x17fc, RAM);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(peek(b->c, RAM), 0x00ff00ff);
}

/* DS10689 table 58: each takes 3.28 ms, and so long the array is closed. */
static void operations_take_their_time(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    sim_time before;

    store(&k, RAM + 4, 0);
    unlock(&k);
    store(&k, PECR, ERASE | PROG);
    store(&k, TARGET, 0);
    copy(&k, SR, RAM); /* the code itself waits: it is over by then */
    store(&k, RAM + 4, 1);
    spin(&k);
    start(b, 3 * SIM_MS);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    before = chip_now(b->c);
    while (!peek(b->c, RAM + 4) && chip_now(b->c) < before + SIM_S)
        run_for(b, 10 * SIM_US);
    assert_in_range(chip_now(b->c), 3280 * SIM_US, 3900 * SIM_US);
    assert_int_equal(peek(b->c, RAM), IDLE | EOP);
    assert_true(chip_flash_times(b->c, TARGET).erase == 3280 * SIM_US);
    assert_int_equal(chip_flash_times(b->c, TARGET).unit, 64);
}

/* ---- what the silicon refuses ---- */

/* A store of a word to TARGET after `k`; the flags that it leaves. */
static void refused(struct bench *b, struct code *k, uint32_t flag,
                    const char *text)
{
    uint32_t was = peek(b->c, TARGET);

    store(k, TARGET, 0x12345678);
    copy(k, SR, RAM);
    spin(k);
    start(b, 100 * SIM_MS);
    expect_error(b, 1, text);
    assert_int_equal(peek(b->c, RAM), IDLE | flag);
    assert_int_equal(peek(b->c, TARGET), was);
    assert_int_equal(chip_flash_ops(b->c), 0);
}

static void locked(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    refused(b, &k, WRPERR, "PRGLOCK is set");
}

static void half_locked(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, PEKEYR, 0x89abcdef);
    store(&k, PEKEYR, 0x02030405);
    refused(b, &k, WRPERR, "PRGLOCK is set");
}

static void not_erased(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0x00000008);
    unlock(&k);
    refused(b, &k, NOTZEROERR, "not erased: NOTZEROERR");
}

/* Who says so may add bits; ones stay. */
static void nzdisable_adds_bits(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0xf0000008);
    unlock(&k);
    store(&k, PECR, NZDISABLE);
    program32(&k, TARGET, 0x12345678);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET), 0xf2345678);
}

static void narrow_store(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store16(&k, TARGET, 0x1234);
    copy(&k, SR, RAM);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "by less than a word: SIZERR");
    assert_int_equal(peek(b->c, RAM), IDLE | SIZERR);
    assert_int_equal(peek(b->c, TARGET), 0);
}

static void erase_without_prog(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store(&k, PECR, ERASE);
    refused(b, &k, 0, "without PROG");
}

static void half_page_from_flash(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store(&k, PECR, FPRG | PROG);
    refused(b, &k, FWWERR, "runs from flash: FWWERR");
}

/* From RAM: the first word at `at`, the others at `then`. */
static void misplaced_half_page(struct bench *b, uint32_t at, uint32_t then)
{
    struct code k = program(b->c), part = {b->c, PART};

    unlock(&part);
    store(&part, PECR, FPRG | PROG);
    store(&part, at, 1);
    store(&part, then, 2);
    copy(&part, SR, RAM);
    spin(&part);
    jump(&k, part.at = (part.at + 3) & ~3u);
    run_from_ram(&part, PART);
    start(b, SIM_S);
    assert_int_equal(peek(b->c, RAM), IDLE | PGAERR);
    assert_int_equal(chip_flash_ops(b->c), 0);
}

static void half_page_that_begins_inside(void **state)
{
    struct bench *b = *state;

    misplaced_half_page(b, TARGET + 4, TARGET + 4);
    expect_error(b, 2, "PGAERR");
}

static void half_page_that_leaves_itself(void **state)
{
    struct bench *b = *state;

    misplaced_half_page(b, TARGET, TARGET + 64);
    expect_error(b, 1, "PGAERR");
}

static void half_page_not_erased(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), part = {b->c, PART};

    word(b->c, TARGET + 60, 1);
    unlock(&part);
    half_page(&part, TARGET);
    copy(&part, SR, RAM);
    spin(&part);
    jump(&k, part.at = (part.at + 3) & ~3u);
    run_from_ram(&part, PART);
    start(b, SIM_S);
    expect_error(b, 1, "NOTZEROERR");
    assert_int_equal(peek(b->c, RAM), IDLE | NOTZEROERR);
    assert_int_equal(peek(b->c, TARGET), 0);
}

static void half_a_half_page(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), part = {b->c, PART};

    unlock(&part);
    store(&part, PECR, FPRG | PROG);
    store(&part, TARGET, 1);
    store(&part, PECR, 0);
    spin(&part);
    jump(&k, part.at = (part.at + 3) & ~3u);
    run_from_ram(&part, PART);
    start(b, SIM_S);
    expect_error(b, 1, "half a half-page");
}

/* The next right ones do not help, before a reset. */
static void wrong_key(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, FLASH, STACK_TOP);
    store(&k, RAM, 0);
    store(&k, PEKEYR, 0x89abcdef);
    store(&k, PEKEYR, 0x45670123);
    store(&k, RAM, 1);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 2, "bus error: write to 0x4002200c");
    assert_int_equal(peek(b->c, RAM), 0); /* a hard fault */
}

static void key_behind_a_lock(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, FLASH, STACK_TOP);
    store(&k, PRGKEYR, 0x8c9daebf);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 2, "bus error: write to 0x40022010");
}

static void locked_control(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, PECR, ERASE | PROG);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "FLASH_PECR written while locked");
}

static void locked_data_eeprom(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, EEPROM, 1);
    copy(&k, EEPROM, RAM);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "data EEPROM written while FLASH_PECR.PELOCK");
    assert_int_equal(peek(b->c, RAM), 0);
}

/* ---- power that fails ---- */

/* Erases the page of TARGET, then programs a word of it. */
static void worker(struct bench *b)
{
    struct code k = program(b->c);
    unsigned i;

    for (i = 0; i < 32; i++)
        word(b->c, TARGET + 4 * i, 0xffffffff);
    unlock(&k);
    erase(&k, TARGET);
    program32(&k, TARGET + 4, 0xffffffff);
    store(&k, EEPROM, 0xffffffff);
    spin(&k);
}

static void cut(struct bench *b, uint64_t op, enum cut_mode how, uint32_t seed)
{
    chip_power(b->c, false);
    worker(b);
    chip_cut_at(b->c, op, how, seed);
    start(b, SIM_S);
}

static unsigned ones(struct bench *b, uint32_t from, unsigned words)
{
    unsigned n = 0, i;

    for (i = 0; i < words; i++)
        n += (unsigned)__builtin_popcount(peek(b->c, from + 4 * i));
    return n;
}

static void power_fails_in_an_erase(void **state)
{
    struct bench *b = *state;
    unsigned early = 0, late = 1024, n;
    uint32_t seed;

    cut(b, 0, CUT_BEFORE, 1);
    assert_int_equal(ones(b, TARGET, 32), 1024);
    cut(b, 0, CUT_AFTER, 1);
    assert_int_equal(ones(b, TARGET, 32), 0);
    for (seed = 1; seed <= 12; seed++) {
        cut(b, 0, CUT_TORN, seed * 1000);
        n = ones(b, TARGET, 32);
        early = n > early ? n : early;
        late = n < late ? n : late;
    }
    assert_in_range(early, 900, 1023); /* nearly all is still there */
    assert_in_range(late, 1, 1024 * 4 / 5);
}

static void power_fails_in_a_program(void **state)
{
    struct bench *b = *state;
    unsigned n;

    cut(b, 1, CUT_BEFORE, 1);
    assert_int_equal(ones(b, TARGET, 32), 0);
    cut(b, 1, CUT_TORN, 3);
    n = ones(b, TARGET, 32);
    assert_in_range(n, 1, 31);
    assert_int_equal(ones(b, TARGET + 4, 1), n);
    cut(b, 1, CUT_AFTER, 1);
    assert_int_equal(peek(b->c, TARGET + 4), 0xffffffff);
}

/* ---- clocks and voltages ---- */

#define HSI_PLL_32 (1u << 18 | 1u << 22) /* HSI16 * 4 / 2 */

static void range1(struct code *k)
{
    store(k, APB1ENR, 1u << 28);
    store(k, PWR_CR, 1u << 11);
    wait_clear(k, PWR_CSR, 1u << 4);
}

static void pll32(struct code *k)
{
    store(k, RCC, 0x101);
    wait_set(k, RCC, 4);
    store(k, CFGR, HSI_PLL_32);
    store(k, RCC, 0x1000101);
    wait_set(k, RCC, 1u << 25);
    store(k, CFGR, HSI_PLL_32 | 3);
    wait_set(k, CFGR, 0xc);
}

static void runs_at_32_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, CFGR, RAM);
    range1(&k);
    store(&k, ACR, 3);
    pll32(&k);
    spin(&k);
    start(b, 100 * SIM_US);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 2097152);
    run_for(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 32000000);
    assert_int_equal(peek(b->c, RAM), 0); /* MSI after a reset */
}

static void needs_wait_states(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    range1(&k);
    pll32(&k);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "too few flash wait states");
}

static void needs_range_1(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, ACR, 3);
    pll32(&k);
    spin(&k);
    start(b, SIM_S);
    assert_true(chip_guest_errors(b->c) > 0);
    assert_non_null(
        strstr(b->last[EV_GUEST_ERROR], "above 16 MHz in voltage range 2"));
}

/* 7.3.4 and DS10689 table 49, in voltage range 1. */
static void pll_limits(void **state)
{
    static const struct {
        uint32_t cfgr;
        const char *text;
    } t[] = {
        {3u << 18 | 2u << 22, "PLL VCO above 96 MHz"},
        {9u << 18 | 1u << 22, "PLLMUL or PLLDIV that does not exist"},
        {1u << 18, "PLLMUL or PLLDIV that does not exist"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct code k = program(b->c);

        range1(&k);
        store(&k, ACR, 3);
        store(&k, RCC, 0x101);
        wait_set(&k, RCC, 4);
        store(&k, CFGR, t[i].cfgr);
        store(&k, RCC, 0x1000101);
        spin(&k);
        b->last[EV_GUEST_ERROR][0] = 0;
        start(b, SIM_S);
        chip_power(b->c, false);
        assert_non_null(strstr(b->last[EV_GUEST_ERROR], t[i].text));
    }
}

static void pll_is_fixed_while_used(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    range1(&k);
    store(&k, ACR, 3);
    pll32(&k);
    store(&k, RCC, 0x101);
    copy(&k, RCC, RAM);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "switches off a clock that the system runs on");
    assert_int_equal(peek(b->c, RAM) >> 24 & 1, 1);

    chip_power(b->c, false);
    k = program(b->c);
    range1(&k);
    store(&k, ACR, 3);
    pll32(&k);
    store(&k, CFGR, (HSI_PLL_32 ^ 1u << 22 ^ 2u << 22) | 3);
    copy(&k, CFGR, RAM);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 2, "changes the PLL while it is on");
    assert_int_equal(peek(b->c, RAM) & 0xfd0000, HSI_PLL_32);
}

static void prefetch_needs_its_buffers(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, ACR, 1u << 1 | 1u << 5);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "PRFTEN needs the buffers");
}

static void usb_wants_a_fast_bus(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB2ENR, 1);
    store(&k, CFGR3, 1u << 13);
    store(&k, CRRCR, 1);
    wait_set(&k, CRRCR, 2);
    store(&k, CCIPR, 1u << 26);
    store(&k, APB1ENR, 1u << 23);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "APB1 clock below 10 MHz");
}

static void control_is_fixed_while_busy(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), part = {b->c, PART};

    unlock(&part);
    store(&part, TARGET, 1);
    store(&part, PECR, 0);
    spin(&part);
    jump(&k, part.at = (part.at + 3) & ~3u);
    run_from_ram(&part, PART);
    start(b, SIM_S);
    expect_error(b, 1, "FLASH_PECR written while the flash is busy");
}

static void hsi48(struct code *k)
{
    store(k, CRRCR, 1);
    wait_set(k, CRRCR, 2);
    store(k, CCIPR, 1u << 26);
}

static void hsi48_with_its_reference(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB2ENR, 1);
    store(&k, CFGR3, 1u << 13);
    hsi48(&k);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 48000000);
    assert_true(chip_usb_clock_ok(b->c)); /* not trimmed: it works, but */
    expect_error(b, 1, "neither made from HSE nor from an HSI48 that CRS");
}

/* ST's own driver switches it on first. */
static void hsi48_before_its_reference(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CRRCR, 1);
    store(&k, APB2ENR, 1);
    store(&k, CFGR3, 1u << 13);
    hsi48(&k);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_true(chip_usb_clock_ok(b->c));
}

static void hsi48_without_reference(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CRRCR, 1);
    store(&k, CCIPR, 1u << 26);
    store(&k, APB1ENR, 1u << 23);
    spin(&k);
    start(b, SIM_S);
    expect_error(b, 1, "HSI48 on without SYSCFG_CFGR3.ENREF_HSI48");
    assert_false(chip_usb_clock_ok(b->c));
}

static void tells_who_it_is(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, 0x1ff8007c, RAM);
    copy(&k, 0x1ff80050, RAM + 4);
    copy(&k, 0x1ff80064, RAM + 8);
    store(&k, APB2ENR, 1u << 22);
    copy(&k, 0x40015800, RAM + 12);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 192);
    assert_int_not_equal(peek(b->c, RAM + 4), 0xffffffff);
    assert_int_equal(peek(b->c, RAM + 8), 0x2a0049);
    assert_int_equal(peek(b->c, RAM + 12) & 0xfff, 0x447);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(erases_and_programs),
        TEST(programs_half_pages_from_ram),
        TEST(data_eeprom_needs_no_erase),
        TEST(operations_take_their_time),
        TEST(locked),
        TEST(half_locked),
        TEST(not_erased),
        TEST(nzdisable_adds_bits),
        TEST(narrow_store),
        TEST(erase_without_prog),
        TEST(half_page_from_flash),
        TEST(half_page_that_begins_inside),
        TEST(half_page_that_leaves_itself),
        TEST(half_page_not_erased),
        TEST(half_a_half_page),
        TEST(wrong_key),
        TEST(key_behind_a_lock),
        TEST(locked_control),
        TEST(locked_data_eeprom),
        TEST(power_fails_in_an_erase),
        TEST(power_fails_in_a_program),
        TEST(runs_at_32_mhz),
        TEST(needs_wait_states),
        TEST(needs_range_1),
        TEST(pll_limits),
        TEST(pll_is_fixed_while_used),
        TEST(prefetch_needs_its_buffers),
        TEST(usb_wants_a_fast_bus),
        TEST(control_is_fixed_while_busy),
        TEST(hsi48_with_its_reference),
        TEST(hsi48_before_its_reference),
        TEST(hsi48_without_reference),
        TEST(tells_who_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
