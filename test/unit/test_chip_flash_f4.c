/* SPDX-License-Identifier: MIT */
/*
 * test_chip_flash_f4.c - flash of the virtual STM32F407: sectors, parallelism,
 * times, error flags, and power that fails in the middle.
 */
#include "chip_bench.h"

#include "periph.h"
#include "thumb.h"

#define ACR      0x40023c00u
#define KEYR     0x40023c04u
#define OPTKEYR  0x40023c08u
#define SR       0x40023c0cu
#define CR       0x40023c10u
#define OPTCR    0x40023c14u
#define RCC_CFGR 0x40023808u
#define ISER     0xe000e100u
#define TARGET   0x08008000u /* sector 2 */

enum {
    PG = 1,
    SER = 2,
    MER = 4,
    X8 = 0,
    X16 = 0x100,
    X32 = 0x200,
    X64 = 0x300
};
#define STRT   (1u << 16)
#define EOPIE  (1u << 24)
#define ERRIE  (1u << 25)
#define LOCK   (1u << 31)
#define BSY    (1u << 16)
#define SNB(n) ((uint32_t)(n) << 3)

enum { EOP = 1, OPERR = 2, WRPERR = 0x10, PGPERR = 0x40, PGSERR = 0x80 };

static int set_up(void **state)
{
    return bench_new(state, "stm32f407vg", NULL);
}

static void unlock(struct code *k)
{
    store(k, KEYR, 0x45670123);
    store(k, KEYR, 0xcdef89ab);
}

static void store8(struct code *k, uint32_t addr, uint32_t v)
{
    mov(k, 0, addr);
    mov(k, 1, v);
    op(k, 0x7001); /* strb r1, [r0] */
}

static void erase(struct code *k, unsigned sector)
{
    store(k, CR, SER | X32 | SNB(sector));
    store(k, CR, SER | X32 | SNB(sector) | STRT);
    wait_clear(k, SR, BSY);
    store(k, CR, 0);
}

static void program32(struct code *k, uint32_t addr, uint32_t v)
{
    store(k, CR, PG | X32);
    store(k, addr, v);
    wait_clear(k, SR, BSY);
    store(k, CR, 0);
}

/* ---- what works ---- */

static void erases_and_programs(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET - 4, 0x1111);
    word(b->c, TARGET, 0);
    word(b->c, TARGET + 0x3ffc, 0);
    word(b->c, TARGET + 0x4000, 0x55aa);
    unlock(&k);
    erase(&k, 2);
    program32(&k, TARGET, 0x12345678);
    store(&k, CR, PG | X8);
    store8(&k, TARGET + 5, 0xab);
    wait_clear(&k, SR, BSY);
    store(&k, CR, PG | X16);
    store16(&k, TARGET + 10, 0xcdef);
    wait_clear(&k, SR, BSY);
    copy(&k, SR, RAM);
    store(&k, CR, LOCK);
    copy(&k, CR, RAM + 4);
    spin(&k);
    start(b, SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET - 4), 0x1111);
    assert_int_equal(peek(b->c, TARGET), 0x12345678);
    assert_int_equal(peek(b->c, TARGET + 4), 0xffffabff);
    assert_int_equal(peek(b->c, TARGET + 8), 0xcdefffff);
    assert_int_equal(peek(b->c, TARGET + 0x3ffc), 0xffffffff);
    assert_int_equal(peek(b->c, TARGET + 0x4000), 0x55aa);
    assert_int_equal(peek(b->c, RAM), 0); /* EOP needs EOPIE */
    assert_int_equal(peek(b->c, RAM + 4), LOCK);
    assert_int_equal(chip_flash_erases(b->c), 1);
    assert_int_equal(chip_flash_programs(b->c), 3);
}

/* Clearing bits needs no erase, setting them is not noticed. */
static void bits_only_fall(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0xffff1234);
    unlock(&k);
    program32(&k, TARGET, 0x0f0fff0f);
    copy(&k, SR, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET), 0x0f0f1204);
    assert_int_equal(peek(b->c, RAM), 0);
}

static void sectors_are_as_in_the_manual(void **state)
{
    static const struct {
        uint32_t at, kbytes;
    } t[] = {{0, 16},   {1, 16},    {16, 16},   {63, 16},   {64, 64},
             {127, 64}, {128, 128}, {255, 128}, {256, 128}, {1023, 128}};
    struct bench *b = *state;
    size_t i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
        assert_int_equal(chip_flash_page(b->c, FLASH + t[i].at * 1024),
                         t[i].kbytes * 1024);
}

/* DS8626 table 40. */
static void time_is_the_data_sheet_s(void **state)
{
    static const struct {
        uint32_t cr;
        uint32_t begin, kbytes, ms;
    } t[] = {
        {SER | SNB(3) | X8, 48, 16, 400},
        {SER | SNB(3) | X16, 48, 16, 300},
        {SER | SNB(3) | X32, 48, 16, 250},
        {SER | SNB(4) | X8, 64, 64, 1200},
        {SER | SNB(4) | X16, 64, 64, 700},
        {SER | SNB(4) | X32, 64, 64, 550},
        {SER | SNB(5) | X8, 128, 128, 2000},
        {SER | SNB(11) | X16, 896, 128, 1300},
        {SER | SNB(8) | X32, 512, 128, 1000},
    };
    struct bench *b = *state;
    size_t i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        uint32_t at = FLASH + t[i].begin * 1024, n = t[i].kbytes * 1024;
        struct code k;
        sim_time t0;

        chip_power(b->c, false);
        memset(chip_flash(b->c), 0, chip_flash_size(b->c));
        chip_flash_changed(b->c);
        k = program(b->c);
        unlock(&k);
        store(&k, CR, t[i].cr | STRT);
        wait_clear(&k, SR, BSY);
        store(&k, RAM, 1);
        spin(&k);
        t0 = chip_now(b->c);
        chip_power(b->c, true);
        word(b->c, RAM, 0);
        chip_run(b->c, t0 + t[i].ms * SIM_MS);
        assert_int_equal(peek(b->c, RAM), 0);
        chip_run(b->c, t0 + t[i].ms * SIM_MS + 50 * SIM_US);
        assert_int_equal(peek(b->c, RAM), 1);
        assert_int_equal(peek(b->c, at), 0xffffffff);
        assert_int_equal(peek(b->c, at + n - 4), 0xffffffff);
        assert_int_equal(peek(b->c, at - 4), 0);
        if (t[i].begin + t[i].kbytes < 1024)
            assert_int_equal(peek(b->c, at + n), 0);
        assert_int_equal(chip_guest_errors(b->c), 0);
    }
}

/* 100 bytes and 100 words: 16 us each. */
static void programming_takes_16_us_a_unit(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    unsigned i, pass;

    unlock(&k);
    for (pass = 0; pass < 2; pass++) {
        store(&k, CR, PG | (pass ? X32 : X8));
        mov(&k, 0, TARGET + 0x1000 * pass);
        mov(&k, 1, 0);
        for (i = 0; i < 100; i++)
            op(&k, pass ? 0x6001 : 0x7001), op(&k, pass ? 0x3004 : 0x3001);
        wait_clear(&k, SR, BSY);
        store(&k, RAM, pass + 1);
    }
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    chip_run(b->c, 1599 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 0);
    chip_run(b->c, 1700 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    chip_run(b->c, 3190 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    chip_run(b->c, 3300 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_int_equal(chip_flash_programs(b->c), 200);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void mass_erase(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), r = {b->c, RAM + 0x1000};

    unlock(&k);
    jump(&k, RAM + 0x1000);
    chip_power(b->c, true);
    store(&r, CR, MER | X32 | STRT);
    wait_clear(&r, SR, BSY);
    store(&r, RAM, 1);
    spin(&r);
    word(b->c, RAM, 0);
    word(b->c, FLASH + 0xffffc, 0);
    chip_run(b->c, 7999 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    chip_run(b->c, 8001 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, FLASH), 0xffffffff);
    assert_int_equal(peek(b->c, FLASH + 0xffffc), 0xffffffff);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void interrupts_tell_the_end_and_errors(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 16 + 4, h.at);
    count(&h, RAM);
    copy(&h, SR, RAM + 4);
    store(&h, SR, 0xf3);
    ret(&h);
    store(&k, RAM, 0);
    store(&k, ISER, 1u << 4);
    unlock(&k);
    store(&k, CR, PG | X32 | EOPIE | ERRIE);
    store(&k, TARGET, 0);
    wait_clear(&k, SR, BSY);
    copy(&k, RAM + 4, RAM + 8);
    store16(&k, TARGET, 0);
    op(&k, 0xbf00);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_int_equal(peek(b->c, RAM + 8), EOP);
    assert_int_equal(peek(b->c, RAM + 4), PGPERR | OPERR);
}

/* ---- stalls ---- */

static void ram_code_polls(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), r = {b->c, RAM + 0x1000};

    unlock(&k);
    jump(&k, RAM + 0x1000);
    chip_power(b->c, true);
    store(&r, CR, SER | X32 | SNB(2) | STRT);
    wait_clear(&r, SR, BSY);
    store(&r, RAM, 1);
    spin(&r);
    word(b->c, RAM, 0);
    chip_run(b->c, 249 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_true(chip_instructions(b->c) > 100000); /* it polled */
    chip_run(b->c, 251 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void flash_code_stalls(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    erase(&k, 2);
    spin(&k);
    start(b, 249 * SIM_MS);
    assert_true(chip_instructions(b->c) < 100);
}

/* 3.6.1: a write to CR waits for the flash. */
static void control_waits_while_busy(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), r = {b->c, RAM + 0x1000};

    unlock(&k);
    jump(&k, RAM + 0x1000);
    chip_power(b->c, true);
    store(&r, CR, SER | X32 | SNB(2) | STRT);
    store(&r, CR, PG | X32);
    store(&r, RAM, 1);
    store(&r, CR, SER | X32 | SNB(3) | STRT);
    store(&r, CR, SER | X32 | SNB(2) | STRT);
    store(&r, RAM, 2);
    spin(&r);
    word(b->c, RAM, 0);
    chip_run(b->c, 249 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    chip_run(b->c, 251 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    expect_error(b, 1, "erase started while the flash is busy");
    chip_run(b->c, 501 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_int_equal(chip_flash_erases(b->c), 3);
}

/* ---- rules ---- */

static void stores_that_are_refused(void **state)
{
    static const struct {
        bool unlock;
        uint32_t cr;
        unsigned size;
        uint32_t off, sr;
        const char *text;
    } t[] = {
        {false, 0, 1, 0, PGSERR, "while FLASH_CR is locked: PGSERR"},
        {false, 0, 4, 0, PGSERR | PGPERR, "while FLASH_CR is locked"},
        {true, X32, 4, 0, PGSERR, "without FLASH_CR.PG: PGSERR"},
        {true, PG | SER | X32, 4, 0, PGSERR, "an erase selected in FLASH_CR"},
        {true, PG | X32, 1, 0, PGPERR, "another width than FLASH_CR.PSIZE"},
        {true, PG | X32, 2, 0, PGPERR, "another width than FLASH_CR.PSIZE"},
        {true, PG | X16, 4, 0, PGPERR, "another width than FLASH_CR.PSIZE"},
        {true, PG | X8, 4, 0, PGPERR, "another width than FLASH_CR.PSIZE"},
        {true, PG | X64, 4, 0, PGPERR, "another width than FLASH_CR.PSIZE"},
        {true, PG | X32, 4, 2, PGPERR, "another width than FLASH_CR.PSIZE"},
    };
    struct bench *b = *state;
    unsigned n = 0;
    size_t i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct code k = program(b->c);
        uint32_t at = TARGET + t[i].off;

        if (t[i].unlock) {
            unlock(&k);
            store(&k, CR, t[i].cr);
        }
        if (t[i].size == 1)
            store8(&k, at, 0);
        else if (t[i].size == 2)
            store16(&k, at, 0);
        else
            store(&k, at, 0);
        copy(&k, SR, RAM);
        store(&k, SR, t[i].sr);
        copy(&k, SR, RAM + 4);
        spin(&k);
        start(b, SIM_MS);
        n += t[i].off ? 5 : 1; /* unaligned: the word and its bytes */
        expect_error(b, n, t[i].text);
        assert_int_equal(peek(b->c, RAM), t[i].sr);
        assert_int_equal(peek(b->c, RAM + 4), 0);
        assert_int_equal(peek(b->c, TARGET), 0xffffffff);
        assert_int_equal(peek(b->c, TARGET + 16), 0xffffffff);
        assert_int_equal(chip_flash_ops(b->c), 0);
        chip_power(b->c, false);
    }
}

static void erases_that_are_refused(void **state)
{
    static const struct {
        uint32_t cr;
        const char *text;
    } t[] = {
        {X32 | SNB(2), "STRT without SER and MER"},
        {SER | MER | X32, "STRT with both SER and MER"},
        {SER | X32 | SNB(12), "SNB 12: there is no such sector"},
        {SER | X64 | SNB(2), "PSIZE is x64, which needs VPP"},
        {MER | X64, "PSIZE is x64, which needs VPP"},
    };
    struct bench *b = *state;
    size_t i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct code k = program(b->c);

        unlock(&k);
        store(&k, CR, t[i].cr | STRT);
        copy(&k, CR, RAM);
        spin(&k);
        start(b, SIM_MS);
        expect_error(b, (unsigned)i + 1, t[i].text);
        assert_int_equal(peek(b->c, RAM), t[i].cr);
        assert_int_equal(chip_flash_ops(b->c), 0);
        chip_power(b->c, false);
    }
}

static void a_slow_clock_does_not_do(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RCC_CFGR, 0xb << 4); /* HCLK = 16 MHz / 16 */
    unlock(&k);
    program32(&k, TARGET, 0x12345678);
    store(&k, RCC_CFGR, 0xc << 4); /* by 64 */
    program32(&k, TARGET + 4, 0x12345678);
    spin(&k);
    start(b, 10 * SIM_MS);
    expect_error(b, 1, "flash operation with HCLK below 1 MHz");
    assert_int_equal(peek(b->c, TARGET), 0x12345678);
    assert_int_equal(peek(b->c, TARGET + 4), 0xffffffff);
}

static void wrong_key_locks_until_reset(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vector(b->c, 3, FLASH + 0x1000);
    store(&k, KEYR, 0x45670123);
    store(&k, KEYR, 0x45670123);
    spin(&k);
    k.at = FLASH + 0x1000;
    copy(&k, CR, RAM);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 2, "hard fault: bus error: write to 0x40023c04");
    assert_int_equal(peek(b->c, RAM), LOCK);
}

static void control_is_locked(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CR, PG);
    copy(&k, CR, RAM);
    copy(&k, OPTCR, RAM + 4);
    store(&k, OPTCR, 2);
    store(&k, OPTKEYR, 0x08192a3b);
    store(&k, OPTKEYR, 0x4c5d6e7f);
    copy(&k, OPTCR, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 2, "FLASH_OPTCR written while locked");
    assert_int_equal(peek(b->c, RAM), LOCK);
    assert_int_equal(peek(b->c, RAM + 4), 0x0fffaaed);
    assert_int_equal(peek(b->c, RAM + 8), 0x0fffaaec);
}

/* The same chip with sector 2 protected by option bytes. */
static struct chip *protected_chip(struct bench *b, struct chip_model *m,
                                   struct device *rows)
{
    static struct flash_f4_facts facts;
    size_t i;

    *m = *chip_model_find("stm32f407vg");
    for (i = 0; i < m->n_devices; i++) {
        rows[i] = m->devices[i];
        if (!strcmp(rows[i].name, "FLASH")) {
            facts = *(const struct flash_f4_facts *)rows[i].facts;
            facts.wrp = 0xfffb;
            rows[i].facts = &facts;
        }
    }
    m->devices = rows;
    return chip_new(m, NULL, bench_event, b);
}

static void protected_sectors_stay(void **state)
{
    struct bench *b = *state;
    struct chip_model m;
    struct device rows[96];
    struct code k;

    chip_free(b->c);
    b->c = protected_chip(b, &m, rows);
    k = program(b->c);
    unlock(&k);
    program32(&k, TARGET, 0);
    copy(&k, SR, RAM);
    store(&k, SR, WRPERR);
    erase(&k, 2);
    copy(&k, SR, RAM + 4);
    store(&k, SR, WRPERR);
    store(&k, CR, MER | X32 | STRT);
    copy(&k, SR, RAM + 8);
    store(&k, SR, WRPERR);
    program32(&k, TARGET + 0x4000, 0);
    copy(&k, SR, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), WRPERR);
    assert_int_equal(peek(b->c, RAM + 4), WRPERR);
    assert_int_equal(peek(b->c, RAM + 8), WRPERR);
    assert_int_equal(peek(b->c, RAM + 12), 0);
    assert_int_equal(peek(b->c, TARGET), 0xffffffff);
    assert_int_equal(peek(b->c, TARGET + 0x4000), 0);
    assert_int_equal(chip_guest_errors(b->c), 3);
    assert_int_equal(chip_flash_ops(b->c), 1);
    chip_free(b->c); /* before the tables go */
    b->c = NULL;
}

/* ---- power cuts, worn flash ---- */

static void eraser(struct bench *b)
{
    struct code k = program(b->c);

    unlock(&k);
    erase(&k, 2);
    program32(&k, TARGET, 0x0f0f0f0f);
    store(&k, CR, PG | X8);
    store8(&k, TARGET + 1, 0);
    spin(&k);
    memset(chip_flash(b->c) + TARGET - FLASH, 0, 0x4000);
    chip_flash_changed(b->c);
}

static uint32_t cut(struct bench *b, uint64_t n, enum cut_mode mode,
                    uint32_t seed)
{
    chip_power(b->c, false);
    eraser(b);
    chip_cut_at(b->c, n, mode, seed);
    start(b, SIM_S);
    assert_true(chip_was_cut(b->c));
    assert_int_equal(chip_guest_errors(b->c), 0);
    return peek(b->c, TARGET);
}

static unsigned ones(struct bench *b)
{
    const uint8_t *p = chip_flash(b->c) + (TARGET - FLASH);
    unsigned n = 0, i;

    for (i = 0; i < 0x4000; i++)
        n += (unsigned)__builtin_popcount(p[i]);
    return n;
}

static void power_fails(void **state)
{
    struct bench *b = *state;
    uint32_t torn;

    assert_int_equal(cut(b, 0, CUT_BEFORE, 1), 0);
    assert_int_equal(cut(b, 0, CUT_AFTER, 1), 0xffffffff);
    assert_int_equal(cut(b, 1, CUT_BEFORE, 1), 0xffffffff);
    assert_int_equal(cut(b, 1, CUT_AFTER, 1), 0x0f0f0f0f);
    torn = cut(b, 1, CUT_TORN, 7);
    assert_int_equal(torn & 0x0f0f0f0f, 0x0f0f0f0f);
    assert_int_not_equal(torn, 0x0f0f0f0f);
    assert_int_not_equal(torn, 0xffffffff);
    assert_int_equal(cut(b, 1, CUT_TORN, 7), torn);
    assert_int_not_equal(cut(b, 1, CUT_TORN, 8), torn);
    torn = cut(b, 2, CUT_TORN, 3);
    assert_int_equal(torn | 0x0f00, 0x0f0f0f0f);
    assert_int_equal(cut(b, 2, CUT_AFTER, 1), 0x0f0f000f);
}

/* Early: hardly a bit is set; late: half of them. */
static void erase_is_torn_early_or_late(void **state)
{
    struct bench *b = *state;
    unsigned early = 0x20000, late = 0, n;
    uint32_t seed;

    for (seed = 1; seed <= 12; seed++) {
        cut(b, 0, CUT_TORN, seed * 1000);
        n = ones(b);
        early = n < early ? n : early;
        late = n > late ? n : late;
    }
    assert_in_range(early, 1, 0x20000 / 20);
    assert_in_range(late, 0x20000 / 5, 0x20000 - 1);
}

static void worn_cells_fail(void **state)
{
    struct bench *b = *state;

    eraser(b);
    chip_flash_fail_at(b->c, 1, 1, FLASH_FAIL_BIT);
    start(b, SIM_S);
    assert_int_equal(peek(b->c, TARGET), 0x0f0f001f);
    chip_power(b->c, false);
    eraser(b);
    chip_flash_fail_at(b->c, 1, 1, FLASH_FAIL_ALL);
    start(b, SIM_S);
    assert_int_equal(peek(b->c, TARGET), 0xffff00ff);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void reset_while_busy(void **state)
{
    struct bench *b = *state;

    eraser(b);
    start(b, 10 * SIM_MS);
    chip_reset(b->c, RESET_PIN);
    expect_error(b, 1, "reset while the flash is busy");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(erases_and_programs),
        TEST(bits_only_fall),
        TEST(sectors_are_as_in_the_manual),
        TEST(time_is_the_data_sheet_s),
        TEST(programming_takes_16_us_a_unit),
        TEST(mass_erase),
        TEST(interrupts_tell_the_end_and_errors),
        TEST(ram_code_polls),
        TEST(flash_code_stalls),
        TEST(control_waits_while_busy),
        TEST(stores_that_are_refused),
        TEST(erases_that_are_refused),
        TEST(a_slow_clock_does_not_do),
        TEST(wrong_key_locks_until_reset),
        TEST(control_is_locked),
        TEST(protected_sectors_stay),
        TEST(power_fails),
        TEST(erase_is_torn_early_or_late),
        TEST(worn_cells_fail),
        TEST(reset_while_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
