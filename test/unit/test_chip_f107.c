/* SPDX-License-Identifier: MIT */
/*
 * test_chip_f107.c - in what the virtual STM32F107 differs from the F103: two
 * more PLLs, 48 MHz for USB from the crystal alone, DWC2 that wants VBUS.
 */
#include "chip_bench.h"

#include "model.h"
#include "thumb.h"
#include "wire.h"

#define RCC     0x40021000u
#define CR      (RCC + 0x00)
#define CFGR    (RCC + 0x04)
#define AHBEN   (RCC + 0x14)
#define AHBRST  (RCC + 0x28)
#define CFGR2   (RCC + 0x2c)
#define ACR     0x40022000u
#define OTG     0x50000000u
#define GUSBCFG (OTG + 0x00c)
#define GCCFG   (OTG + 0x038)
#define GINTMSK (OTG + 0x018)
#define CID     (OTG + 0x03c)
#define DCTL    (OTG + 0x804)

#define HSI       0x83u
#define HSE       (HSI | 1u << 16)
#define PLL       (HSE | 1u << 24)
#define PLL2      (HSE | 1u << 26)
#define BOTH      (PLL | PLL2)
#define PLL3      (HSE | 1u << 28)
#define READY(on) ((on) << 1)

#define MUL(code) ((code) << 18)
#define FROM_HSE  (1u << 16)
#define OTGFSPRE  (1u << 22)
#define BY_9      (FROM_HSE | MUL(7u))
#define BY_6      (FROM_HSE | MUL(4u))
#define APB1_BY_2 (4u << 8)
/* 25 MHz / 5 * 8 / 5: 8 MHz for the PLL */
#define DIV1(n)    ((n)-1u)
#define DIV2(n)    (((n)-1u) << 4)
#define MUL2(code) ((code) << 8)
#define PREDIV1SRC (1u << 16)
#define USUAL      (PREDIV1SRC | MUL2(6u) | DIV2(5u) | DIV1(5u))
#define MHZ        1000000u

static int set_up(void **state)
{
    return bench_new(state, "STM32F107VC", sim_board_find("stm32f107"));
}

static void identity_can_be_read(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, 0x1ffff7e0, RAM);
    copy(&k, 0xe0042000, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 256);
    assert_int_equal(peek(b->c, RAM + 4) & 0xfff, 0x418);
    assert_int_equal(chip_flash_page(b->c, 0x08000000), 2048);
    assert_int_equal(chip_flash_size(b->c), 256 * 1024);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- clocks ---- */

static void plls_on(struct code *k, uint32_t cfgr2, uint32_t cfgr)
{
    store(k, ACR, 0x12);
    store(k, CR, HSE);
    wait_set(k, CR, READY(1u << 16));
    store(k, CFGR2, cfgr2);
    store(k, CR, PLL2);
    wait_set(k, CR, READY(1u << 26));
    store(k, CFGR, cfgr | (cfgr2 & 1) << 17);
    store(k, CR, BOTH);
    wait_set(k, CR, READY(1u << 24));
}

static void run_on_pll(struct code *k, uint32_t cfgr2, uint32_t cfgr)
{
    plls_on(k, cfgr2, cfgr);
    store(k, CFGR, cfgr | (cfgr2 & 1) << 17 | 2);
    wait_set(k, CFGR, 8);
}

static void two_plls_make_72_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | APB1_BY_2);
    store(&k, AHBEN, 0x14 | 1 << 12);
    copy(&k, CR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 72 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_APB1), 36 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 48 * MHZ);
    assert_true(chip_usb_clock_ok(b->c));
    assert_int_equal(peek(b->c, RAM) >> 24 & 15, 15); /* PLL, PLL2: on, ready */
}

static void otgfspre_is_for_48_mhz(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_6 | OTGFSPRE | APB1_BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 48 * MHZ);
    assert_true(chip_usb_clock_ok(b->c));
}

static void wrong_otgfspre_is_no_usb_clock(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | OTGFSPRE | APB1_BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 72 * MHZ);
    assert_false(chip_usb_clock_ok(b->c));
}

/* PLLMUL ends at 9: 36 MHz are all that it makes of HSI / 2. */
static void hsi_makes_no_48_mhz(void **state)
{
    struct bench *b = *state;

    for (uint32_t code = 2; code <= 7; code++)
        for (uint32_t pre = 0; pre < 2; pre++) {
            struct code k = program(b->c);

            store(&k, CFGR, MUL(code) | pre * OTGFSPRE);
            store(&k, CR, HSI | 1u << 24);
            wait_set(&k, CR, READY(1u << 24));
            spin(&k);
            start(b, SIM_MS);
            assert_false(chip_usb_clock_ok(b->c));
            chip_power(b->c, false);
        }
}

static void limits(void **state)
{
    static const struct {
        uint32_t cfgr2, cfgr;
        const char *text;
    } t[] = {
        {USUAL, FROM_HSE | MUL(10u), "PLLMUL is none of 4 to 9 and 6.5"},
        {USUAL, FROM_HSE | MUL(0u), "PLLMUL is none of 4 to 9 and 6.5"},
        {PREDIV1SRC | MUL2(6u) | DIV2(5u) | DIV1(16u), BY_9,
         "PLL input outside 3 to 12 MHz"},
        {MUL2(6u) | DIV2(5u) | DIV1(2u), FROM_HSE | MUL(2u),
         "PLL input outside 3 to 12 MHz"},
        {PREDIV1SRC | MUL2(5u) | DIV2(5u) | DIV1(5u), BY_9,
         "PLL2MUL is none of 8 to 14, 16 and 20"},
        {PREDIV1SRC | MUL2(6u) | DIV2(3u) | DIV1(10u), BY_9,
         "PLL2 input outside 3 to 5 MHz"},
        {PREDIV1SRC | MUL2(14u) | DIV2(5u) | DIV1(10u), BY_9,
         "PLL2 output outside 40 to 74 MHz"},
        {PREDIV1SRC | MUL2(6u) | DIV2(5u) | DIV1(4u), BY_9,
         "PLL output outside 18 to 72 MHz"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        unsigned before = chip_guest_errors(b->c);
        struct code k = program(b->c);

        plls_on(&k, t[i].cfgr2, t[i].cfgr);
        spin(&k);
        start(b, 5 * SIM_MS);
        assert_true(chip_guest_errors(b->c) > before);
        chip_power(b->c, false);
        assert_non_null(strstr(b->last[EV_GUEST_ERROR], t[i].text));
    }
}

/* By 6.5, and PLL2 by 16 (8.3.2, 8.3.12). */
static void odd_factors(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, FROM_HSE | MUL(13u) | APB1_BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 52 * MHZ);

    chip_power(b->c, false);
    k = program(b->c);
    run_on_pll(&k, PREDIV1SRC | MUL2(14u) | DIV2(8u) | DIV1(5u),
               FROM_HSE | MUL(2u) | APB1_BY_2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 40 * MHZ);
}

static void usb_divider_is_fixed_while_used(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHBEN, 1u << 12);
    store(&k, CFGR, OTGFSPRE);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "RCC_CFGR.OTGFSPRE changed while the USB clock is");
}

static void pll2_comes_first(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CR, HSE);
    wait_set(&k, CR, READY(1u << 16));
    store(&k, CFGR2, USUAL);
    store(&k, CFGR, BY_9);
    store(&k, CR, BOTH); /* both at once */
    copy(&k, CR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "PLL switched on before PLL2, which is its input, is");
    assert_int_equal(peek(b->c, RAM) >> 24 & 1, 0);
}

static void pll2_stays_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | APB1_BY_2);
    store(&k, CR, PLL);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "RCC_CR switches off PLL2, which the PLL runs on");
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 72 * MHZ);
}

static void dividers_are_fixed_while_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | APB1_BY_2);
    store(&k, CFGR2, USUAL ^ DIV1(2u));
    copy(&k, CFGR2, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "RCC_CFGR2 changes a PLL while it is on");
    assert_int_equal(peek(b->c, RAM), USUAL);
}

/* The lowest bit of PREDIV1 is that of PLLXTPRE. */
static void prediv1_has_two_homes(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CFGR2, 1);
    copy(&k, CFGR, RAM);
    store(&k, CFGR, 0);
    copy(&k, CFGR2, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1u << 17);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- USB block ---- */

static void reset_bit(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | APB1_BY_2);
    store(&k, AHBEN, 0x14 | 1 << 12);
    copy(&k, CID, RAM);
    store(&k, GINTMSK, 0x10);
    copy(&k, GINTMSK, RAM + 4);
    store(&k, AHBRST, 1 << 12);
    store(&k, AHBRST, 0);
    copy(&k, GINTMSK, RAM + 8);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x1000);
    assert_int_equal(peek(b->c, RAM + 4), 0x10);
    assert_int_equal(peek(b->c, RAM + 8), 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* Connects with this in GCCFG. */
static void connect(struct bench *b, uint32_t gccfg)
{
    struct code k = program(b->c);

    run_on_pll(&k, USUAL, BY_9 | APB1_BY_2);
    store(&k, AHBEN, 0x14 | 1 << 12);
    store(&k, GUSBCFG, 1u << 30 | 6 << 10);
    store(&k, GCCFG, gccfg);
    store(&k, DCTL, 0);
    copy(&k, GCCFG, RAM);
    spin(&k);
    start(b, 40 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* No alternate functions, no port clock. */
static void connects_with_vbus(void **state)
{
    struct bench *b = *state;

    connect(b, 1u << 16 | 1u << 19);
    assert_true(wire_attached(chip_wire(b->c)));
    wire_plug(chip_wire(b->c), false);
    run_for(b, SIM_MS);
    wire_plug(chip_wire(b->c), true);
    run_for(b, SIM_MS);
    assert_true(wire_attached(chip_wire(b->c)));
}

/* What other chips have for "do not look" is not there. */
static void vbus_has_to_be_looked_at(void **state)
{
    struct bench *b = *state;

    connect(b, 1u << 16 | 1u << 21);
    assert_int_equal(peek(b->c, RAM), 1u << 16);
    assert_false(wire_attached(chip_wire(b->c)));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(identity_can_be_read),
        TEST(two_plls_make_72_mhz),
        TEST(otgfspre_is_for_48_mhz),
        TEST(wrong_otgfspre_is_no_usb_clock),
        TEST(hsi_makes_no_48_mhz),
        TEST(limits),
        TEST(odd_factors),
        TEST(usb_divider_is_fixed_while_used),
        TEST(pll2_comes_first),
        TEST(pll2_stays_on),
        TEST(dividers_are_fixed_while_on),
        TEST(prediv1_has_two_homes),
        TEST(reset_bit),
        TEST(connects_with_vbus),
        TEST(vbus_has_to_be_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
