/* SPDX-License-Identifier: MIT */
/*
 * test_chip_f4.c - what the virtual STM32F407 has of its own: clocks and their
 * limits, ports, core-coupled memory, the FPU.  Its flash has
 * test_chip_flash_f4.c; what it shares with the F103 is in test_chip.c.
 */
#include "chip_bench.h"

#include "model.h"
#include "thumb.h"

#define RCC     0x40023800u
#define CR      (RCC + 0x00)
#define PLLCFGR (RCC + 0x04)
#define CFGR    (RCC + 0x08)
#define AHB1RST (RCC + 0x10)
#define AHB1EN  (RCC + 0x30)
#define AHB2EN  (RCC + 0x34)
#define APB1EN  (RCC + 0x40)
#define APB2EN  (RCC + 0x44)
#define BDCR    (RCC + 0x70)
#define CSR     (RCC + 0x74)
#define ACR     0x40023c00u
#define GPIOA   0x40020000u
#define GPIOB   0x40020400u
#define GPIOD   0x40020c00u
#define USART2  0x40004400u
#define RTC     0x40002800u
#define IWDG    0x40003000u
#define PWR     0x40007000u
#define CRC     0x40023000u
#define RNG     0x50060800u
#define CCM     0x10000000u
#define ICSR    0xe000ed04u
#define AIRCR   0xe000ed0cu
#define CFSR    0xe000ed28u
#define CPACR   0xe000ed88u
#define FPCCR   0xe000ef34u

enum { HSEON = 1 << 16, HSERDY = 1 << 17, PLLON = 1 << 24, PLLRDY = 1 << 25 };

#define FROM_HSE            (1u << 22)
#define PLL(m, n, p, q)     ((m) | (n) << 6 | ((p) / 2 - 1) << 16 | (q) << 24)
#define PLL_168             (PLL(4u, 168u, 2u, 7u) | FROM_HSE)
#define BUSES(ppre1, ppre2) ((ppre1) << 10 | (ppre2) << 13)
#define BUSES_168           BUSES(5u, 4u) /* by 4, by 2 */
#define MHZ                 1000000u

static int set_up(void **state)
{
    return bench_new(state, "STM32F407VG", sim_board_find("stm32f407"));
}

/* ---- identity, memories ---- */

static void identity_can_be_read(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, 0x1fff7a22, RAM);
    copy(&k, 0x1fff7a10, RAM + 4);
    copy(&k, 0xe0042000, RAM + 8);
    copy(&k, 0xe000ed00, RAM + 12);
    copy(&k, 0x1fffc000, RAM + 16);
    copy(&k, 0x1fff0000, RAM + 20);
    copy(&k, 0xe000e01c, RAM + 24); /* SYST_CALIB */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 1024);
    assert_int_not_equal(peek(b->c, RAM + 4), 0xffffffff);
    assert_int_equal(peek(b->c, RAM + 8) & 0xfff, 0x413);
    assert_int_equal(peek(b->c, RAM + 12), 0x410fc241);
    assert_int_equal(peek(b->c, RAM + 16) & 0xff00, 0xaa00);
    assert_int_equal(peek(b->c, RAM + 20), 0xffffffff);
    assert_int_equal(peek(b->c, RAM + 24) & 0xffffff, 18750);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* Data, and the stack of an exception. */
static void ccm_holds_data(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    struct chip_snapshot *s;

    word(b->c, FLASH, CCM + 0x10000);
    vector(b->c, 14, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, CCM + 4);
    store(&k, CCM, 0x12345678);
    store(&k, CCM + 4, 41);
    store(&k, ICSR, 1u << 28); /* PendSV */
    copy(&k, CCM, CCM + 8);
    spin(&k);
    start(b, SIM_MS);
    s = chip_save(b->c);
    assert_int_equal(peek(b->c, CCM + 4), 42);
    assert_int_equal(peek(b->c, CCM + 8), 0x12345678);
    assert_int_equal(peek(b->c, CCM + 0xfffc) & 0x01000000, 0x01000000);
    assert_int_equal(chip_guest_errors(b->c), 0);
    word(b->c, CCM + 8, 0);
    chip_restore(b->c, s);
    assert_int_equal(peek(b->c, CCM + 8), 0x12345678);
    chip_power(b->c, false);
    chip_power(b->c, true);
    assert_int_not_equal(peek(b->c, CCM + 8), 0x12345678); /* noise */
    chip_snapshot_free(s);
}

static void ccm_holds_no_code(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), f = {b->c, CCM + 0x100};

    jump(&k, CCM + 0x100);
    chip_power(b->c, true);
    store(&f, RAM, 1);
    spin(&f);
    word(b->c, RAM, 0);
    run_for(b, SIM_MS);
    expect_error(b, 1,
                 "hard fault: code at 0x10000100, but no instruction "
                 "bus leads to the core-coupled memory");
    assert_int_equal(peek(b->c, RAM), 0);
}

static void ram_ends_at_128k(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RAM + 0x1fffc, 7);
    store(&k, 0x22000000 + 0x1fffc * 32 + 4 * 4, 1); /* its bit 4 */
    store(&k, RAM + 0x20000, 7);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 0x1fffc), 0x17);
    expect_error(b, 1, "hard fault: bus error: write to 0x20020000");
}

static void second_ahb_has_its_devices(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, RNG, RAM);
    store(&k, AHB2EN, 1u << 6);
    copy(&k, RNG, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "RNG");
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_non_null(strstr(b->last[EV_UNMODELLED], "RNG is not modelled"));
}

static void behind_the_last_bus_is_nothing(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    load(&k, 0x50060c00);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "hard fault: bus error: read of 0x50060c00");
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

static void starts_on_the_hsi(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, CR, RAM);
    copy(&k, PLLCFGR, RAM + 4);
    copy(&k, CSR, RAM + 8);
    copy(&k, AHB1EN, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xff, 0x83);
    assert_int_equal(peek(b->c, RAM + 4), 0x24003010);
    assert_int_equal(peek(b->c, RAM + 8), 0x0e000000);
    assert_int_equal(peek(b->c, RAM + 12), 0x00100000);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 16 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 0);
    assert_false(chip_usb_clock_ok(b->c));
}

static void pll_from_the_crystal(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    uint64_t n;

    clock_to(&k, 0x705, PLL_168, BUSES_168);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 16 * MHZ); /* HSE: 2 ms */
    run_for(b, 2 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_SYS), 168 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 168 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_APB1), 42 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_APB2), 84 * MHZ);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 48 * MHZ);
    assert_true(chip_usb_clock_ok(b->c));
    n = chip_instructions(b->c);
    run_for(b, SIM_MS);
    /* b . is 3 cycles out of the instruction cache. */
    assert_in_range(chip_instructions(b->c) - n, 55990, 56010);
}

static void limits(void **state)
{
    static const struct {
        uint32_t acr, pllcfgr, buses;
        const char *text;
    } t[] = {
        {5, PLL(1u, 50u, 8u, 8u), BUSES_168, "PLLM 2 to 63"},
        {5, PLL(4u, 49u, 2u, 4u), BUSES_168, "PLLN 50 to 432"},
        {5, PLL(4u, 168u, 2u, 1u), BUSES_168, "PLLQ 2 to 15"},
        {5, PLL(9u, 168u, 2u, 7u), BUSES_168, "PLL input outside 1 to 2 MHz"},
        {5, PLL(3u, 120u, 2u, 7u), BUSES_168, "PLL input outside 1 to 2 MHz"},
        {5, PLL(8u, 99u, 4u, 3u), BUSES_168, "PLL VCO outside 100 to 432"},
        {5, PLL(4u, 217u, 4u, 9u), BUSES_168, "PLL VCO outside 100 to 432"},
        {5, PLL(8u, 342u, 2u, 8u), BUSES_168, "PLL output outside 24 to 168"},
        {5, PLL(8u, 160u, 8u, 4u), BUSES_168, "PLL output outside 24 to 168"},
        {5, PLL(4u, 168u, 2u, 4u), BUSES_168, "PLL48 output above 75 MHz"},
        {5, PLL(4u, 168u, 2u, 7u), BUSES(4u, 4u), "APB1 clock above 42 MHz"},
        {5, PLL(4u, 168u, 2u, 7u), BUSES(5u, 0u), "APB2 clock above 84 MHz"},
        {4, PLL(4u, 168u, 2u, 7u), BUSES_168, "too few flash wait states"},
    };
    struct bench *b = *state;
    struct code k;
    size_t i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        k = program(b->c);
        store(&k, ACR, t[i].acr);
        store(&k, CR, 0x83 | HSEON);
        wait_set(&k, CR, HSERDY);
        store(&k, PLLCFGR, t[i].pllcfgr | FROM_HSE);
        store(&k, CR, 0x83 | HSEON | PLLON);
        wait_set(&k, CR, PLLRDY);
        if (!strstr(t[i].text, "PLL")) /* else that is wrong, and enough */
            store(&k, CFGR, t[i].buses | 2);
        spin(&k);
        memset(b->last, 0, sizeof(b->last));
        start(b, 5 * SIM_MS);
        expect_error(b, (unsigned)i + 1, t[i].text);
        chip_power(b->c, false);
    }
}

static void regulator_has_two_scales(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 1u << 28);
    copy(&k, PWR, RAM);
    clock_to(&k, 0x705, PLL_168, BUSES_168);
    copy(&k, PWR + 4, RAM + 4);
    store(&k, PWR, 0);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x4000);
    assert_int_equal(peek(b->c, RAM + 4), 0x4000); /* VOSRDY */
    expect_error(b, 1, "AHB clock above 144 MHz, the most for this PWR_CR.VOS");
}

static void pll_is_fixed_while_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clock_to(&k, 0x705, PLL_168, BUSES_168);
    store(&k, PLLCFGR, PLL(8u, 168u, 2u, 7u) | FROM_HSE);
    copy(&k, PLLCFGR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "RCC_PLLCFGR written while the PLL is on");
    assert_int_equal(peek(b->c, RAM), PLL_168 | 0x20000000);
}

static void clocks_in_use_stay_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clock_to(&k, 0x705, PLL_168, BUSES_168);
    store(&k, CR, 0x80 | HSEON | PLLON); /* without HSI: fine */
    store(&k, CR, 0x80 | HSEON);
    copy(&k, CR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "switches off a clock that the system runs on");
    assert_int_equal(chip_clock_hz(b->c, CLOCK_AHB), 168 * MHZ);
    assert_true(peek(b->c, RAM) & PLLON && peek(b->c, RAM) & PLLRDY);
}

static void clocks_need_what_they_run_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CFGR, 3);
    store(&k, CFGR, 0);
    store(&k, CFGR, 2);
    store(&k, CFGR, 0);
    store(&k, PLLCFGR, PLL_168);
    store(&k, CR, 0x83 | HSEON | PLLON); /* HSI is stable, HSE not yet */
    spin(&k);
    start(b, 10 * SIM_US);
    expect_error(b, 3, "PLL switched on before its input clock is stable");
    run_for(b, 5 * SIM_MS);
    assert_int_equal(chip_clock_hz(b->c, CLOCK_USB), 0); /* it never locks */
}

static void usb_wants_the_crystal(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, PLLCFGR, PLL(8u, 168u, 4u, 7u)); /* 16 MHz / 8 * 168 */
    store(&k, CR, 0x83 | PLLON);
    wait_set(&k, CR, PLLRDY);
    store(&k, AHB2EN, 1u << 7);
    spin(&k);
    start(b, 5 * SIM_MS);
    expect_error(b, 1, "the 48 MHz clock of USB comes from the HSI");
    assert_true(chip_usb_clock_ok(b->c));
}

static void gated_and_reset(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, GPIOD, 1);
    store(&k, AHB1EN, 1u << 20 | 1u << 3);
    store(&k, GPIOD, 0x55);
    copy(&k, GPIOD, RAM);
    store(&k, AHB1RST, 1u << 3);
    store(&k, AHB1RST, 0);
    copy(&k, GPIOD, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "GPIOD");
    assert_int_equal(peek(b->c, RAM), 0x55);
    assert_int_equal(peek(b->c, RAM + 4), 0);
}

static void caches_are_reset_while_off(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, ACR, 0x1800);
    store(&k, ACR, 0x0600);
    copy(&k, ACR, RAM);
    store(&k, ACR, 0x0e00);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x0600);
    expect_error(b, 1, "resets a cache that is enabled");
}

/* ---- flags, backup domain, watchdog ---- */

static void backup_registers(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, RTC + 0x9c, RAM + 0x100);
    store(&k, APB1EN, 1u << 28);
    store(&k, RTC + 0x50, 1); /* locked */
    store(&k, PWR, 0x4100);
    store(&k, RTC + 0x50, 0x12345678);
    store(&k, RTC + 0x9c, 0xcafe0001);
    copy(&k, CSR, RAM);
    store(&k, CSR, 1u << 24);
    store(&k, AIRCR, 0x05fa0004);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM + 0x100, 1);
    run_for(b, SIM_US * 20);
    assert_int_equal(peek(b->c, RAM + 0x100), 0xcafe0001);
    assert_int_equal(peek(b->c, RAM), 0x14000000); /* SFTRSTF, PINRSTF */
    assert_non_null(
        strstr(b->last[EV_GUEST_ERROR], "RTC written without PWR_CR.DBP"));
    chip_power(b->c, false);
    chip_power(b->c, true);
    run_for(b, SIM_US);
    assert_int_equal(peek(b->c, RAM + 0x100), 0);
}

static void backup_domain_reset(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, BDCR, 1);
    store(&k, APB1EN, 1u << 28);
    store(&k, PWR, 0x4100);
    store(&k, RTC + 0x54, 7);
    store(&k, BDCR, 1u << 16);
    copy(&k, RTC + 0x54, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    expect_error(b, 1, "RCC_BDCR written without PWR_CR.DBP");
}

static void watchdog_bites(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, IWDG, 0x5555);
    store(&k, IWDG + 4, 0); /* 8 kHz */
    store(&k, IWDG + 8, 79);
    wait_clear(&k, IWDG + 12, 3);
    store(&k, IWDG, 0xcccc);
    spin(&k);
    start(b, 10 * SIM_MS);
    assert_int_equal(b->n[EV_RESET], 1);
    run_for(b, 300 * SIM_US);
    assert_int_equal(b->n[EV_RESET], 2);
    assert_string_equal(b->last[EV_RESET], "reset: watchdog");
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void crc_unit(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 1u << 12);
    store(&k, CRC, 0x31323334);
    copy(&k, CRC, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0xa695c4aa);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- ports ---- */

static void ports_begin_with_the_debug_pins(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 3);
    copy(&k, GPIOA, RAM);
    copy(&k, GPIOB, RAM + 4);
    copy(&k, GPIOA + 0x0c, RAM + 8);
    copy(&k, GPIOA + 0x10, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0xa8000000);
    assert_int_equal(peek(b->c, RAM + 4), 0x280);
    assert_int_equal(peek(b->c, RAM + 8), 0x64000000);
    /* Pulls work on alternate pins: PA13 and PA15 up, PA14 down. */
    assert_int_equal(peek(b->c, RAM + 12) & 0xe000, 0xa000);
}

static void pins(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 9);
    copy(&k, GPIOA + 0x10, RAM);
    store(&k, GPIOD, 1u << 24);           /* PD12 output */
    store(&k, GPIOD + 0x18, 1u << 12);    /* BSRR */
    copy(&k, GPIOD + 0x10, RAM + 4);      /* an output reads its pin */
    store16(&k, GPIOD + 0x1a, 1u << 12);  /* its upper half */
    store(&k, GPIOD + 0x18, 0x10001000u); /* set wins */
    store(&k, GPIOD + 4, 1u << 12);       /* open drain, high: released */
    spin(&k);
    chip_pin_drive(b->c, 'A', 0, 1);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 1, 1);
    assert_int_equal(peek(b->c, RAM + 4), 0x1000);
    assert_int_equal(chip_pin_level(b->c, 'D', 12), -1);
    assert_string_equal(b->last[EV_PIN], "LED PD12 released");
    assert_int_equal(b->n[EV_PIN], 1 + 5); /* key; off, on, off, on, released */
    chip_pin_drive(b->c, 'A', 0, -1);
    assert_int_equal(chip_pin_level(b->c, 'A', 0), 0); /* the board's */
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void locked_pins_keep_their_mode(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 8);
    store(&k, GPIOD, 0x02000001);
    store(&k, GPIOD + 0x1c, 0x11000); /* PD12 */
    store(&k, GPIOD + 0x1c, 0x01000);
    store(&k, GPIOD + 0x1c, 0x11000);
    copy(&k, GPIOD + 0x1c, RAM);
    store(&k, GPIOD, 0);
    copy(&k, GPIOD, RAM + 4);
    store(&k, GPIOD + 0x24, 0xffffffff);
    copy(&k, GPIOD + 0x24, RAM + 8);
    store(&k, GPIOD + 0x14, 0x1000); /* its level is free */
    copy(&k, GPIOD + 0x14, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x11000);
    assert_int_equal(peek(b->c, RAM + 4), 0x02000000);
    assert_int_equal(peek(b->c, RAM + 8), 0xfff0ffff);
    assert_int_equal(peek(b->c, RAM + 12), 0x1000);
}

static void send(struct code *k, uint32_t cr1, uint32_t brr, char ch)
{
    store(k, USART2 + 0x0c, 0);
    store(k, USART2 + 0x08, brr);
    store(k, USART2 + 0x0c, cr1 | 0x2008);
    store(k, USART2 + 4, (uint8_t)ch);
    wait_set(k, USART2, 1u << 6);
}

static void usart_sends(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 1);
    store(&k, APB1EN, 1u << 17);
    store(&k, GPIOA, 0xa8000020);     /* PA2 alternate */
    store(&k, GPIOA + 0x20, 7u << 8); /* AF7 */
    send(&k, 0, 16000, 'a');          /* 1000 baud: 10 ms */
    store(&k, RAM, 1);
    send(&k, 0x8000, 16000, 'b'); /* by 8: twice as fast */
    store(&k, RAM, 2);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, 9990 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 0);
    run_for(b, 30 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    run_for(b, 4960 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    run_for(b, 50 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_string_equal(chip_usart_text(b->c), "ab");
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void usart_needs_its_function(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, AHB1EN, 1u << 20 | 1);
    store(&k, APB1EN, 1u << 17);
    store(&k, GPIOA, 0xa8000020);
    store(&k, GPIOA + 0x20, 8u << 8);
    send(&k, 0, 160, 'a');
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1, "USART2 sends, but no TX pin");
    assert_string_equal(chip_usart_text(b->c), "");
}

/* ---- FPU ---- */

static void vmov_s0(struct code *k, uint32_t v)
{
    mov(k, 1, v);
    op(k, 0xee00), op(k, 0x1a10); /* vmov s0, r1 */
}

static void save_s0(struct code *k, uint32_t addr)
{
    op(k, 0xee10), op(k, 0x2a10); /* vmov r2, s0 */
    save(k, addr);
}

static void set_fpscr(struct code *k, uint32_t v)
{
    mov(k, 1, v);
    op(k, 0xeee1), op(k, 0x1a10); /* vmsr fpscr, r1 */
}

static void save_fpscr(struct code *k, uint32_t addr)
{
    op(k, 0xeef1), op(k, 0x2a10); /* vmrs r2, fpscr */
    save(k, addr);
}

static void save_reg(struct code *k, unsigned r, uint32_t addr)
{
    op(k, 0x4602 | r << 3); /* mov r2, r */
    save(k, addr);
}

static void save_control(struct code *k, uint32_t addr)
{
    op(k, 0xf3ef), op(k, 0x8214); /* mrs r2, control */
    save(k, addr);
}

static void pend(struct code *k)
{
    store(k, ICSR, 1u << 28);
    op(k, 0xbf00);
}

static void fpu_is_off_after_reset(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vmov_s0(&k, 1);
    spin(&k);
    vector(b->c, 3, FLASH + 0x1000);
    k.at = FLASH + 0x1000;
    copy(&k, CFSR, RAM);
    spin(&k);
    start(b, SIM_MS);
    expect_error(b, 1,
                 "hard fault: FPU instruction while SCB_CPACR has the FPU off, "
                 "at PC 0x08000208");
    assert_int_equal(peek(b->c, RAM), 1u << 19); /* NOCP */
}

static void fpu_can_be_switched(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CPACR, 0x00f00000);
    vmov_s0(&k, 0x40000000);
    op(&k, 0xee30), op(&k, 0x0a00); /* vadd.f32 s0, s0, s0 */
    save_s0(&k, RAM);
    store(&k, CPACR, 0);
    save_s0(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x40800000); /* 4.0 */
    expect_error(b, 1, "FPU off");
}

static void fpu_is_as_it_was_in_a_snapshot(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    struct chip_snapshot *off, *on;

    chip_power(b->c, true);
    off = chip_save(b->c);
    store(&k, CPACR, 0x00f00000);
    op(&k, 0xee00), op(&k, 0x1a10); /* 1: vmov s0, r1 */
    op(&k, 0xe7fc);                 /*    b 1b */
    run_for(b, SIM_MS);
    on = chip_save(b->c);
    chip_restore(b->c, off);
    chip_restore(b->c, on);
    run_for(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    chip_restore(b->c, off);
    k = program(b->c);
    op(&k, 0xee00), op(&k, 0x1a10);
    spin(&k);
    run_for(b, SIM_MS);
    expect_error(b, 1, "FPU off");
    chip_snapshot_free(on);
    chip_snapshot_free(off);
}

/* A handler that uses the FPU does not disturb the code that it interrupts. */
static void fpu_frames(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 14, h.at);
    save_reg(&h, 14, RAM + 0x10); /* lr */
    save_reg(&h, 13, RAM + 0x14); /* sp */
    save_control(&h, RAM + 0x18);
    save_fpscr(&h, RAM + 0x1c);
    vmov_s0(&h, 0x55555555);
    set_fpscr(&h, 0);
    ret(&h);
    store(&k, CPACR, 0x00f00000);
    pend(&k);
    copy(&k, RAM + 0x10, RAM + 0x20); /* EXC_RETURN without FPU context */
    copy(&k, RAM + 0x14, RAM + 0x24);
    vmov_s0(&k, 0x3f800000);
    set_fpscr(&k, 0x90000000);
    pend(&k);
    save_s0(&k, RAM);
    save_fpscr(&k, RAM + 4);
    save_control(&k, RAM + 8);
    save_reg(&k, 13, RAM + 12);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM + 0x20), 0xfffffff9);
    assert_int_equal(peek(b->c, RAM + 0x24), STACK - 0x20);
    assert_int_equal(peek(b->c, RAM + 0x10), 0xffffffe9);
    assert_int_equal(peek(b->c, RAM + 0x14), STACK - 0x68);
    assert_int_equal(peek(b->c, RAM + 0x18) & 4, 0); /* FPCA */
    assert_int_equal(peek(b->c, STACK - 0x68 + 0x20), 0x3f800000);
    assert_int_equal(peek(b->c, STACK - 0x68 + 0x60), 0x90000000);
    assert_int_equal(peek(b->c, RAM), 0x3f800000);
    assert_int_equal(peek(b->c, RAM + 4), 0x90000000);
    assert_int_equal(peek(b->c, RAM + 8), 4);
    assert_int_equal(peek(b->c, RAM + 12), STACK);
}

/* A basic frame leaves no context behind, even if the handler had one. */
static void fpu_context_ends_with_its_handler(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 14, h.at);
    vmov_s0(&h, 0x55555555);
    ret(&h);
    store(&k, CPACR, 0x00f00000);
    pend(&k);
    save_control(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), 0);
}

/* FPCCR.ASPEN clear: the software saves its own registers. */
static void fpu_frames_can_be_off(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 14, h.at);
    save_reg(&h, 14, RAM + 0x10);
    vmov_s0(&h, 0x55555555);
    ret(&h);
    store(&k, CPACR, 0x00f00000);
    store(&k, FPCCR, 0);
    vmov_s0(&k, 0x3f800000);
    pend(&k);
    save_s0(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 0x10), 0xfffffff9);
    assert_int_equal(peek(b->c, RAM), 0x55555555);
}

/* Chained handlers, nested ones: each FPU context in its own frame. */
static void fpu_frames_nest(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), outer = {b->c, FLASH + 0x1000},
                inner = {b->c, FLASH + 0x1100};

    vector(b->c, 14, outer.at);
    vector(b->c, 11, inner.at);
    vmov_s0(&outer, 0x22222222);
    op(&outer, 0xb500);                     /* push {lr} */
    op(&outer, 0xdf00);                     /* svc 0 */
    op(&outer, 0xf85d), op(&outer, 0xeb04); /* pop {lr} */
    save_s0(&outer, RAM + 4);
    ret(&outer);
    save_reg(&inner, 14, RAM + 8);
    vmov_s0(&inner, 0x33333333);
    ret(&inner);
    store(&k, 0xe000ed20, 0x00800000); /* PendSV below SVC */
    store(&k, CPACR, 0x00f00000);
    vmov_s0(&k, 0x11111111);
    pend(&k);
    save_s0(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), 0x11111111);
    assert_int_equal(peek(b->c, RAM + 4), 0x22222222);
    assert_int_equal(peek(b->c, RAM + 8), 0xffffffe1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(identity_can_be_read),
        TEST(ccm_holds_data),
        TEST(ccm_holds_no_code),
        TEST(ram_ends_at_128k),
        TEST(second_ahb_has_its_devices),
        TEST(behind_the_last_bus_is_nothing),
        TEST(starts_on_the_hsi),
        TEST(pll_from_the_crystal),
        TEST(limits),
        TEST(regulator_has_two_scales),
        TEST(pll_is_fixed_while_on),
        TEST(clocks_in_use_stay_on),
        TEST(clocks_need_what_they_run_on),
        TEST(usb_wants_the_crystal),
        TEST(gated_and_reset),
        TEST(caches_are_reset_while_off),
        TEST(backup_registers),
        TEST(backup_domain_reset),
        TEST(watchdog_bites),
        TEST(crc_unit),
        TEST(ports_begin_with_the_debug_pins),
        TEST(pins),
        TEST(locked_pins_keep_their_mode),
        TEST(usart_sends),
        TEST(usart_needs_its_function),
        TEST(fpu_is_off_after_reset),
        TEST(fpu_can_be_switched),
        TEST(fpu_is_as_it_was_in_a_snapshot),
        TEST(fpu_frames),
        TEST(fpu_context_ends_with_its_handler),
        TEST(fpu_frames_can_be_off),
        TEST(fpu_frames_nest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
