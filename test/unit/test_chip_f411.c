/* SPDX-License-Identifier: MIT */
/*
 * test_chip_f411.c - in what the virtual STM32F411 differs from the F407: a
 * regulator in scale 2, wait states, fewer peripherals, eight sectors.
 */
#include "chip_bench.h"

#include "model.h"
#include "thumb.h"

#define RCC     0x40023800u
#define CR      (RCC + 0x00)
#define PLLCFGR (RCC + 0x04)
#define CFGR    (RCC + 0x08)
#define AHB1EN  (RCC + 0x30)
#define AHB2EN  (RCC + 0x34)
#define APB1EN  (RCC + 0x40)
#define ACR     0x40023c00u
#define KEYR    0x40023c04u
#define FLASHCR 0x40023c10u
#define PWR     0x40007000u
#define USART3  0x40004800u
#define GPIOA   0x40020000u
#define GPIOF   0x40021400u

enum { HSEON = 1 << 16, HSERDY = 1 << 17, PLLON = 1 << 24, PLLRDY = 1 << 25 };

#define FROM_HSE            (1u << 22)
#define PLL(m, n, p, q)     ((m) | (n) << 6 | ((p) / 2 - 1) << 16 | (q) << 24)
#define PLL_84              (PLL(25u, 336u, 4u, 7u) | FROM_HSE)
#define PLL_96              (PLL(25u, 192u, 2u, 4u) | FROM_HSE)
#define BUSES(ppre1, ppre2) ((ppre1) << 10 | (ppre2) << 13)
#define BY_2                BUSES(4u, 0u)
#define VOS(n)              ((n) << 14)
#define MHZ                 1000000u

static int set_up(void **state)
{
    return bench_new(state, "STM32F411CE", sim_board_find("blackpill"));
}

/* The board without its crystal. */
static int set_up_without_crystal(void **state)
{
    static struct sim_board board;

    board = *sim_board_find("blackpill");
    board.hse_hz = 0;
    return bench_new(state, "STM32F411CE", &board);
}

static void identity_can_be_read(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, 0x1fff7a22, RAM);
    copy(&k, 0xe0042000, RAM + 4);
    copy(&k, 0xe000ed00, RAM + 8);
    copy(&k, AHB1EN, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 512);
    assert_int_equal(peek(b->c, RAM + 4), 0x10006431);
    assert_int_equal(peek(b->c, RAM + 8), 0x410fc241);
    assert_int_equal(peek(b->c, RAM + 12), 0); /* no CCM */
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void there_is_no_ccm(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, 0x10000000, 1);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "hard fault: bus error: write to 0x10000000");
}

/* Bits of peripherals that it has not got stay 0, and nothing answers. */
static void missing_peripherals(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 0xffffffff);
    store(&k, AHB2EN, 0xffffffff);
    store(&k, APB1EN, 0xffffffff);
    copy(&k, AHB1EN, RAM);
    copy(&k, AHB2EN, RAM + 4);
    copy(&k, APB1EN, RAM + 8);
    store(&k, GPIOF, 0x12345678);
    copy(&k, GPIOF, RAM + 12);
    copy(&k, USART3, RAM + 16);
    copy(&k, GPIOA, RAM + 20);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x0060109f);
    assert_int_equal(peek(b->c, RAM + 4), 0x80);
    assert_int_equal(peek(b->c, RAM + 8), 0x10e2c80f);
    assert_int_equal(peek(b->c, RAM + 12), 0);
    assert_int_equal(peek(b->c, RAM + 16), 0);
    assert_int_equal(peek(b->c, RAM + 20), 0xa8000000);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void behind_the_usb_block_is_nothing(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    load(&k, 0x50060800);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "hard fault: bus error: read of 0x50060800");
}

/* ---- clocks ---- */

static void clock_to(struct code *k, uint32_t acr, uint32_t pllcfgr,
                     uint32_t buses)
{
    store(k, ACR, acr);
    store(k, CR, 0x83 | HSEON);
    wait_set(k, CR, HSERDY);
    store(k, PLLCFGR, pllcfgr);
    store(k, CR, 0x83 | HSEON | PLLON);
    wait_set(k, CR, PLLRDY);
    store(k, CFGR, buses | 2);
    wait_set(k, CFGR, 8);
}

static void set_vos(struct code *k, uint32_t vos)
{
    store(k, APB1EN, 1u << 28);
    store(k, PWR, VOS(vos));
}

/* As a reset leaves the regulator. */
static void scale_2_has_84_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 1u << 28);
    copy(&k, PWR, RAM);
    clock_to(&k, 0x702, PLL_84, BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), VOS(2u));
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 84 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_APB1), 42 * MHZ);
    assert_true(chip_usb_clock_ok(b->c));
}

static void scale_1_has_96_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    set_vos(&k, 3);
    clock_to(&k, 0x703, PLL_96, BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 96 * MHZ);
    assert_true(chip_usb_clock_ok(b->c));
}

static void limits(void **state)
{
    static const struct {
        uint32_t vos, acr, pllcfgr, buses;
        const char *text;
    } t[] = {
        {2, 3, PLL_96, BY_2, "AHB clock above 84 MHz, the most for this"},
        {1, 2, PLL_84, BY_2, "AHB clock above 64 MHz, the most for this"},
        {3, 3, PLL(25u, 204u, 2u, 4u) | FROM_HSE, BY_2,
         "PLL output outside 24 to 100 MHz"},
        {3, 3, PLL_96, BUSES(0u, 0u), "APB1 clock above 50 MHz"},
        {2, 1, PLL_84, BY_2, "too few flash wait states"},
        {3, 2, PLL_96, BY_2, "too few flash wait states"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        struct code k = program(b->c);

        set_vos(&k, t[i].vos);
        if (strstr(t[i].text, "PLL")) { /* that is wrong, and enough */
            store(&k, CR, 0x83 | HSEON);
            wait_set(&k, CR, HSERDY);
            store(&k, PLLCFGR, t[i].pllcfgr);
            store(&k, CR, 0x83 | HSEON | PLLON);
        } else {
            clock_to(&k, t[i].acr, t[i].pllcfgr, t[i].buses);
        }
        spin(&k);
        memset(b->last, 0, sizeof(b->last));
        start(b, 5 * SIM_MS);
        assert_true(chip_guest_errors(b->c));
        assert_non_null(strstr(b->last[EV_GUEST_ERROR], t[i].text));
        chip_power(b->c, false);
    }
}

/* 64 MHz with one wait state: more than 30 MHz for each. */
static void one_wait_state_has_64_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clock_to(&k, 0x701, PLL(25u, 384u, 6u, 8u) | FROM_HSE, BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 64 * MHZ);
}

static void regulator_is_fixed_while_the_pll_is_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clock_to(&k, 0x702, PLL_84, BY_2);
    set_vos(&k, 3);
    copy(&k, PWR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "PWR_CR.VOS changed while the PLL is on");
    assert_int_equal(peek(b->c, RAM), VOS(2u));
}

static void without_a_crystal(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RAM, 0);
    store(&k, CR, 0x83 | HSEON);
    wait_set(&k, CR, HSERDY);
    store(&k, RAM, 1);
    spin(&k);
    start(b, 50 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), 0);
}

/* ---- flash ---- */

static void unlock(struct code *k)
{
    store(k, KEYR, 0x45670123);
    store(k, KEYR, 0xcdef89ab);
}

static void erase(struct code *k, uint32_t cr)
{
    unlock(k);
    store(k, FLASHCR, cr | 2 << 8);
    store(k, FLASHCR, cr | 2 << 8 | 1u << 16);
    wait_clear(k, 0x40023c0c, 1 << 16);
}

static void last_sector(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    uint8_t *flash = chip_flash(b->c);

    flash[0x5ffff] = flash[0x60000] = flash[0x7ffff] = 0;
    erase(&k, 2 | 7 << 3);
    spin(&k);
    start(b, 2 * SIM_S);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_flash_page(b->c, 0x0807ffff), 0x20000);
    assert_int_equal(flash[0x5ffff], 0);
    assert_int_equal(flash[0x60000], 0xff);
    assert_int_equal(flash[0x7ffff], 0xff);
}

static void there_is_no_sector_8(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    erase(&k, 2 | 8 << 3);
    spin(&k);
    start(b, 2 * SIM_S);
    expect_error(b, 1, "FLASH_CR.SNB 8: there is no such sector");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(identity_can_be_read),
        TEST(there_is_no_ccm),
        TEST(missing_peripherals),
        TEST(behind_the_usb_block_is_nothing),
        TEST(scale_2_has_84_mhz),
        TEST(scale_1_has_96_mhz),
        TEST(limits),
        TEST(one_wait_state_has_64_mhz),
        TEST(regulator_is_fixed_while_the_pll_is_on),
        cmocka_unit_test_setup_teardown(without_a_crystal,
                                        set_up_without_crystal, bench_free),
        TEST(last_sector),
        TEST(there_is_no_sector_8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
