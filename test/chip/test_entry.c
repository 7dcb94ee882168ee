/* SPDX-License-Identifier: MIT */
/*
 * test_entry.c - ways into the bootloader and out of it: key, request in RAM,
 * no host, the application's DFU states 0 and 1, and the state of the chip
 * when the application starts.
 */
#include "bench.h"

#define MAILBOX(b)   ((b)->ram_end - 16u)
#define NOINIT(b)    ((b)->ram_end - 16u - 1024u)
#define MAIL_REQUEST 0x594C4153u
#define NO_HOST      (60 * SIM_S)

static uint8_t image[8192];

/* An application that does nothing, and the chip off. */
static void with_app(struct rig *r)
{
    bench_restart(r);
    rig_image_stamped(r->board, image, sizeof(image), 1);
    rig_flash_put(r, r->board->slot, image, sizeof(image));
}

static void poke32(struct rig *r, uint32_t addr, uint32_t word)
{
    uint8_t bytes[4];

    rig_put32(bytes, word);
    assert_true(chip_poke(r->chip, addr, bytes, 4));
}

static uint32_t peek32(struct rig *r, uint32_t addr)
{
    uint8_t bytes[4];

    assert_true(chip_peek(r->chip, addr, bytes, 4));
    return rig_get32(bytes);
}

static bool app_after(struct rig *r, enum reset_cause cause)
{
    chip_reset(r->chip, cause);
    return rig_app_runs(r, 50 * SIM_MS);
}

/* ---- key and mailbox ---- */

static void test_any_reset_starts_the_app(void **state)
{
    struct rig *r = *state;

    with_app(r);
    assert_true(app_after(r, RESET_PIN));
    assert_true(app_after(r, RESET_SOFTWARE));
    assert_true(app_after(r, RESET_IWDG));
    for (unsigned i = 0; i < 10; i++) /* RAM comes up with noise */
        assert_true(rig_boots_after_power_cycle(r));
}

static void test_key(void **state)
{
    struct rig *r = *state;

    with_app(r);
    rig_key(r, true);
    assert_false(app_after(r, RESET_PIN));
    assert_false(app_after(r, RESET_SOFTWARE));
    assert_false(rig_boots_after_power_cycle(r));
    assert_true(rig_in_bootloader(r));
    rig_key(r, false);
    host_wait(r->host, SIM_S); /* to release it changes nothing */
    assert_true(rig_in_bootloader(r));
    assert_true(app_after(r, RESET_PIN));
    /* Driven the other way is not pressed. */
    chip_pin_drive(r->chip, r->board->key_port, r->board->key_pin,
                   !r->board->key_pressed);
    assert_true(app_after(r, RESET_PIN));
}

static void test_request(void **state)
{
    struct rig *r = *state;

    with_app(r);
    assert_true(app_after(r, RESET_PIN));
    poke32(r, MAILBOX(r->board), MAIL_REQUEST);
    assert_false(app_after(r, RESET_SOFTWARE));
    assert_true(rig_in_bootloader(r));
    assert_int_equal(peek32(r, MAILBOX(r->board)), 0); /* used up */
    assert_true(app_after(r, RESET_SOFTWARE));
}

static void test_wrong_request(void **state)
{
    struct rig *r = *state;

    with_app(r);
    for (unsigned bit = 0; bit < 32; bit++) {
        poke32(r, MAILBOX(r->board), MAIL_REQUEST ^ 1u << bit);
        assert_true(app_after(r, RESET_SOFTWARE));
    }
    for (unsigned word = 1; word < 4; word++)
        poke32(r, MAILBOX(r->board) + 4 * word, MAIL_REQUEST);
    poke32(r, MAILBOX(r->board), 0);
    assert_true(app_after(r, RESET_SOFTWARE));
}

static void test_no_app(void **state)
{
    struct rig *r = *state;

    assert_false(app_after(r, RESET_PIN));
    assert_true(rig_in_bootloader(r));
    assert_false(rig_boots_after_power_cycle(r));
    assert_true(rig_in_bootloader(r));
}

/* Crash dumps survive an update and the start of the application. */
static void test_noinit(void **state)
{
    struct rig *r = *state;
    uint8_t pattern[1024], back[1024];
    uint32_t seed = 3;

    rig_image_stamped(r->board, image, sizeof(image), 2);
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)rig_random(&seed);
    assert_true(chip_poke(r->chip, NOINIT(r->board), pattern, 1024));
    assert_int_equal(rig_reset(r, RESET_PIN), 0);
    assert_int_equal(rig_install(r, image, sizeof(image)), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(chip_peek(r->chip, NOINIT(r->board), back, 1024));
    assert_memory_equal(back, pattern, 1024);
}

/* ---- nobody comes ---- */

/* A minute of idling is 20 s of ours.  It is waited for in full where
 * SALLYPORT_TEST_SLOW is set; elsewhere the bootloader's clock is set
 * forward. */
static void requested(struct rig *r)
{
    with_app(r);
    poke32(r, MAILBOX(r->board), MAIL_REQUEST);
    chip_reset(r->chip, RESET_SOFTWARE);
}

static void test_no_host(void **state)
{
    struct rig *r = *state;

    if (!getenv("SALLYPORT_TEST_SLOW"))
        skip();
    requested(r);
    host_wait(r->host, NO_HOST - SIM_S);
    assert_false(rig_in_app(r));
    assert_true(rig_app_runs(r, 2 * SIM_S));
}

static void test_no_host_skipped(void **state)
{
    struct rig *r = *state;

    requested(r);
    host_wait(r->host, 200 * SIM_MS);
    bench_set_forward(r, 57000);
    assert_false(rig_app_runs(r, 500 * SIM_MS));
    assert_true(rig_app_runs(r, 2500 * SIM_MS));
}

/* A host came, even though it does nothing. */
static void test_host_came(void **state)
{
    struct rig *r = *state;

    requested(r);
    host_wait(r->host, 20 * SIM_MS);
    assert_int_equal(host_enumerate(r->host), 0);
    bench_set_forward(r, 100000);
    assert_false(rig_app_runs(r, 200 * SIM_MS));
    /* It went again: the bootloader was wanted, it stays. */
    assert_int_equal(rig_request(r, 0, 9, 0, 0, NULL, 0), 0);
    assert_false(rig_app_runs(r, 500 * SIM_MS));
    assert_true(rig_in_bootloader(r));
}

/* By key, or because there was no application: no time-out. */
static void test_not_timed(void **state)
{
    struct rig *r = *state;

    with_app(r);
    rig_key(r, true);
    chip_reset(r->chip, RESET_PIN);
    host_wait(r->host, 200 * SIM_MS);
    rig_key(r, false);
    bench_set_forward(r, 100000);
    assert_false(rig_app_runs(r, 500 * SIM_MS));
    bench_restart(r);
    poke32(r, MAILBOX(r->board), MAIL_REQUEST);
    chip_reset(r->chip, RESET_SOFTWARE);
    host_wait(r->host, 200 * SIM_MS);
    bench_set_forward(r, 100000);
    assert_false(rig_app_runs(r, 500 * SIM_MS));
}

/* ---- the state of the chip at the application's start ---- */

/*
 * A program that notes registers in RAM, from 0x20002000 on: MSP, PRIMASK,
 * CONTROL, BASEPRI, FAULTMASK, IPSR, then what its table says:
 *
 *      mrs r0, msp ... mrs r5, ipsr; ldr r7, out; stmia r7!, {r0-r5}
 *      adr r6, table
 * loop: ldmia r6!, {r1, r2, r3}      @ kind, address, value
 *      cmp r1, #0; beq end; cmp r1, #2; beq write
 *      ldr r0, [r2]; stmia r7!, {r0}; b loop
 * write: str r3, [r2]; b loop
 * end: str r2, [r7]; b .
 * out: .word 0x20002000
 * table:
 */
static const uint16_t probe[] = {
    0xf3ef, 0x8008, 0xf3ef, 0x8110, 0xf3ef, 0x8214, 0xf3ef, 0x8311,
    0xf3ef, 0x8413, 0xf3ef, 0x8505, 0x4f07, 0xc73f, 0xa607, 0xce0e,
    0x2900, 0xd006, 0x2902, 0xd002, 0x6810, 0xc701, 0xe7f7, 0x6013,
    0xe7f5, 0x603a, 0xe7fe, 0xbf00, 0x2000, 0x2000,
};
enum { PROBE_AT = 0x40, PROBE_OUT = 0x20002000, CORE_REGISTERS = 6 };
enum { END, READ, WRITE };

struct look {
    uint32_t kind, addr, value;
};

/* STM32F103: RM0008, PM0056.  RCC_CSR says which reset it was, the flash's
 * KEYR and the counters that run by themselves are left out. */
#define LOOKS_F1                                                               \
    /* SysTick, NVIC, SCB but for VTOR */                                      \
    {READ, 0xE000E010, 0}, {READ, 0xE000E014, 0}, {READ, 0xE000E018, 0},       \
        {READ, 0xE000E100, 0}, {READ, 0xE000E104, 0}, {READ, 0xE000E200, 0},   \
        {READ, 0xE000E204, 0}, {READ, 0xE000E300, 0}, {READ, 0xE000E304, 0},   \
        {READ, 0xE000E400, 0}, {READ, 0xE000E414, 0}, {READ, 0xE000ED04, 0},   \
        {READ, 0xE000ED0C, 0}, {READ, 0xE000ED10, 0}, {READ, 0xE000ED14, 0},   \
        {READ, 0xE000ED18, 0}, {READ, 0xE000ED1C, 0}, {READ, 0xE000ED20, 0},   \
        {READ, 0xE000ED24, 0}, {READ, 0xE000ED28, 0},                          \
        {READ, 0xE000ED2C, 0}, /* RCC */                                       \
        {READ, 0x40021000, 0}, {READ, 0x40021004, 0}, {READ, 0x40021008, 0},   \
        {READ, 0x4002100C, 0}, {READ, 0x40021010, 0}, {READ, 0x40021014, 0},   \
        {READ, 0x40021018, 0}, {READ, 0x4002101C, 0},                          \
        {READ, 0x40021020, 0}, /* FLASH: ACR, SR, CR (locked) */               \
        {READ, 0x40022000, 0}, {READ, 0x4002200C, 0},                          \
        {READ, 0x40022010, 0}, /* With their clocks on: ports A to E, AFIO,    \
                                  USART1; USB, BKP, PWR */                     \
        {WRITE, 0x40021018, 0x0000407D}, {WRITE, 0x4002101C, 0x18800000},      \
        {READ, 0x40010800, 0}, {READ, 0x40010804, 0}, {READ, 0x4001080C, 0},   \
        {READ, 0x40010818, 0}, {READ, 0x40010C00, 0}, {READ, 0x40010C04, 0},   \
        {READ, 0x40010C0C, 0}, {READ, 0x40011000, 0}, {READ, 0x40011004, 0},   \
        {READ, 0x4001100C, 0}, {READ, 0x40011400, 0}, {READ, 0x40011404, 0},   \
        {READ, 0x40011800, 0}, {READ, 0x40011804, 0}, {READ, 0x40010000, 0},   \
        {READ, 0x40010004, 0}, {READ, 0x40010008, 0}, {READ, 0x4001380C, 0},   \
        {READ, 0x40013808, 0}, {READ, 0x40007000, 0}, {READ, 0x40007004, 0},   \
    {                                                                          \
        READ, 0x40006C04, 0                                                    \
    }

static const struct look looks_f1[] = {
    LOOKS_F1,
    {READ, 0x40005C00, 0},
    {READ, 0x40005C04, 0},
    {READ, 0x40005C40, 0},
    {READ, 0x40005C44, 0},
    {READ, 0x40005C4C, 0},
    {READ, 0x40005C50, 0},
    {END, 0x600DF00D, 0},
};

/* STM32F107: RM0008 chapters 8 and 28; AHBRSTR and CFGR2, OTG_FS. */
static const struct look looks_f107[] = {
    LOOKS_F1,
    {READ, 0x40021028, 0},
    {READ, 0x4002102C, 0},
    {WRITE, 0x40021014, 0x00001014},
    {READ, 0x50000000, 0},
    {READ, 0x50000008, 0},
    {READ, 0x5000000C, 0},
    {READ, 0x50000018, 0},
    {READ, 0x50000024, 0},
    {READ, 0x50000028, 0},
    {READ, 0x50000038, 0},
    {READ, 0x50000800, 0},
    {READ, 0x50000804, 0},
    {READ, 0x50000810, 0},
    {READ, 0x50000814, 0},
    {READ, 0x5000081C, 0},
    {READ, 0x50000900, 0},
    {READ, 0x50000B00, 0},
    {READ, 0x50000E00, 0},
    {END, 0x600DF00D, 0},
};

/* STM32F072: RM0091, PM0215. */
static const struct look looks_f0[] = {
    /* SysTick, NVIC, SCB */
    {READ, 0xE000E010, 0},
    {READ, 0xE000E014, 0},
    {READ, 0xE000E018, 0},
    {READ, 0xE000E100, 0},
    {READ, 0xE000E200, 0},
    {READ, 0xE000E400, 0},
    {READ, 0xE000E41C, 0},
    {READ, 0xE000ED04, 0},
    {READ, 0xE000ED0C, 0},
    {READ, 0xE000ED10, 0},
    {READ, 0xE000ED14, 0},
    {READ, 0xE000ED1C, 0},
    {READ, 0xE000ED20, 0},
    /* RCC */
    {READ, 0x40021000, 0},
    {READ, 0x40021004, 0},
    {READ, 0x40021008, 0},
    {READ, 0x4002100C, 0},
    {READ, 0x40021010, 0},
    {READ, 0x40021014, 0},
    {READ, 0x40021018, 0},
    {READ, 0x4002101C, 0},
    {READ, 0x40021020, 0},
    {READ, 0x40021028, 0},
    {READ, 0x4002102C, 0},
    {READ, 0x40021030, 0},
    {READ, 0x40021034, 0},
    /* FLASH: ACR, SR, CR (locked) */
    {READ, 0x40022000, 0},
    {READ, 0x4002200C, 0},
    {READ, 0x40022010, 0},
    /* With their clocks on: ports, CRC; SYSCFG, USART1; USB, CRS, PWR */
    {WRITE, 0x40021014, 0x007E0054},
    {WRITE, 0x40021018, 0x00004001},
    {WRITE, 0x4002101C, 0x18800000},
    {READ, 0x48000000, 0},
    {READ, 0x48000004, 0},
    {READ, 0x48000008, 0},
    {READ, 0x4800000C, 0},
    {READ, 0x48000014, 0},
    {READ, 0x48000400, 0},
    {READ, 0x48000404, 0},
    {READ, 0x48000408, 0},
    {READ, 0x4800040C, 0},
    {READ, 0x48000414, 0},
    {READ, 0x48000800, 0},
    {READ, 0x48000804, 0},
    {READ, 0x48000808, 0},
    {READ, 0x4800080C, 0},
    {READ, 0x48000814, 0},
    {READ, 0x48000C00, 0},
    {READ, 0x48000C04, 0},
    {READ, 0x48000C08, 0},
    {READ, 0x48000C0C, 0},
    {READ, 0x48000C14, 0},
    {READ, 0x48001000, 0},
    {READ, 0x48001004, 0},
    {READ, 0x48001008, 0},
    {READ, 0x4800100C, 0},
    {READ, 0x48001014, 0},
    {READ, 0x48001400, 0},
    {READ, 0x48001404, 0},
    {READ, 0x48001408, 0},
    {READ, 0x4800140C, 0},
    {READ, 0x48001414, 0},
    {READ, 0x48000020, 0},
    {READ, 0x48000024, 0},
    {READ, 0x40023008, 0},
    {READ, 0x40023010, 0},
    {READ, 0x40010000, 0},
    {READ, 0x40013800, 0},
    {READ, 0x4001380C, 0},
    {READ, 0x4001381C, 0},
    {READ, 0x40005C00, 0},
    {READ, 0x40005C04, 0},
    {READ, 0x40005C40, 0},
    {READ, 0x40005C44, 0},
    {READ, 0x40005C4C, 0},
    {READ, 0x40005C50, 0},
    {READ, 0x40005C58, 0},
    {READ, 0x40006C00, 0},
    {READ, 0x40006C04, 0},
    {READ, 0x40006C08, 0},
    {READ, 0x40007000, 0},
    {END, 0x600DF00D, 0},
};

/* STM32F407: RM0090, PM0214.  Left out as well: what runs by itself, and the
 * interrupt flags of the USB block that its pins set. */
static const struct look looks_f4[] = {
    /* SysTick, NVIC, SCB but for VTOR, FPU */
    {READ, 0xE000E010, 0},
    {READ, 0xE000E014, 0},
    {READ, 0xE000E018, 0},
    {READ, 0xE000E100, 0},
    {READ, 0xE000E104, 0},
    {READ, 0xE000E108, 0},
    {READ, 0xE000E200, 0},
    {READ, 0xE000E204, 0},
    {READ, 0xE000E208, 0},
    {READ, 0xE000E300, 0},
    {READ, 0xE000E304, 0},
    {READ, 0xE000E400, 0},
    {READ, 0xE000E440, 0},
    {READ, 0xE000ED04, 0},
    {READ, 0xE000ED0C, 0},
    {READ, 0xE000ED10, 0},
    {READ, 0xE000ED14, 0},
    {READ, 0xE000ED18, 0},
    {READ, 0xE000ED1C, 0},
    {READ, 0xE000ED20, 0},
    {READ, 0xE000ED24, 0},
    {READ, 0xE000ED28, 0},
    {READ, 0xE000ED2C, 0},
    {READ, 0xE000ED88, 0},
    /* RCC */
    {READ, 0x40023800, 0},
    {READ, 0x40023804, 0},
    {READ, 0x40023808, 0},
    {READ, 0x4002380C, 0},
    {READ, 0x40023810, 0},
    {READ, 0x40023814, 0},
    {READ, 0x40023818, 0},
    {READ, 0x40023820, 0},
    {READ, 0x40023824, 0},
    {READ, 0x40023830, 0},
    {READ, 0x40023834, 0},
    {READ, 0x40023840, 0},
    {READ, 0x40023844, 0},
    {READ, 0x40023870, 0},
    /* FLASH: ACR, SR, CR (locked), OPTCR */
    {READ, 0x40023C00, 0},
    {READ, 0x40023C0C, 0},
    {READ, 0x40023C10, 0},
    {READ, 0x40023C14, 0},
    /* With their clocks on: ports A, C, D and CRC; OTG_FS; USART2, PWR;
     * SYSCFG */
    {WRITE, 0x40023830, 0x0010100D},
    {WRITE, 0x40023834, 0x00000080},
    {WRITE, 0x40023840, 0x10020000},
    {WRITE, 0x40023844, 0x00004000},
    {READ, 0x40020000, 0},
    {READ, 0x40020004, 0},
    {READ, 0x40020008, 0},
    {READ, 0x4002000C, 0},
    {READ, 0x40020014, 0},
    {READ, 0x40020020, 0},
    {READ, 0x40020024, 0},
    {READ, 0x40020800, 0},
    {READ, 0x4002080C, 0},
    {READ, 0x40020C00, 0},
    {READ, 0x40020C04, 0},
    {READ, 0x40020C0C, 0},
    {READ, 0x40020C14, 0},
    {READ, 0x40023000, 0},
    {READ, 0x40023008, 0},
    {READ, 0x50000000, 0},
    {READ, 0x50000008, 0},
    {READ, 0x5000000C, 0},
    {READ, 0x50000018, 0},
    {READ, 0x50000024, 0},
    {READ, 0x50000028, 0},
    {READ, 0x50000038, 0},
    {READ, 0x50000800, 0},
    {READ, 0x50000804, 0},
    {READ, 0x50000810, 0},
    {READ, 0x50000814, 0},
    {READ, 0x5000081C, 0},
    {READ, 0x50000900, 0},
    {READ, 0x50000B00, 0},
    {READ, 0x50000E00, 0},
    {READ, 0x4000440C, 0},
    {READ, 0x40004408, 0},
    {READ, 0x40007000, 0},
    {READ, 0x40007004, 0},
    {READ, 0x40013800, 0},
    {READ, 0x40013808, 0},
    {END, 0x600DF00D, 0},
};

/* STM32L072: RM0376, PM0223. */
static const struct look looks_l0[] = {
    /* SysTick, NVIC, SCB but for VTOR */
    {READ, 0xE000E010, 0},
    {READ, 0xE000E014, 0},
    {READ, 0xE000E018, 0},
    {READ, 0xE000E100, 0},
    {READ, 0xE000E200, 0},
    {READ, 0xE000E400, 0},
    {READ, 0xE000E41C, 0},
    {READ, 0xE000ED04, 0},
    {READ, 0xE000ED0C, 0},
    {READ, 0xE000ED10, 0},
    {READ, 0xE000ED14, 0},
    {READ, 0xE000ED1C, 0},
    {READ, 0xE000ED20, 0},
    /* RCC */
    {READ, 0x40021000, 0},
    {READ, 0x40021004, 0},
    {READ, 0x40021008, 0},
    {READ, 0x4002100C, 0},
    {READ, 0x40021010, 0},
    {READ, 0x4002101C, 0},
    {READ, 0x40021020, 0},
    {READ, 0x40021024, 0},
    {READ, 0x40021028, 0},
    {READ, 0x4002102C, 0},
    {READ, 0x40021030, 0},
    {READ, 0x40021034, 0},
    {READ, 0x40021038, 0},
    {READ, 0x4002103C, 0},
    {READ, 0x40021040, 0},
    {READ, 0x40021044, 0},
    {READ, 0x40021048, 0},
    {READ, 0x4002104C, 0},
    /* FLASH: ACR, PECR (locked), SR */
    {READ, 0x40022000, 0},
    {READ, 0x40022004, 0},
    {READ, 0x40022018, 0},
    /* With their clocks on: ports A and B; CRC; SYSCFG; USART2, USB, CRS, PWR
     */
    {WRITE, 0x4002102C, 0x00000003},
    {WRITE, 0x40021030, 0x00001100},
    {WRITE, 0x40021034, 0x00000001},
    {WRITE, 0x40021038, 0x18820000},
    {READ, 0x50000000, 0},
    {READ, 0x50000004, 0},
    {READ, 0x50000008, 0},
    {READ, 0x5000000C, 0},
    {READ, 0x50000014, 0},
    {READ, 0x50000020, 0},
    {READ, 0x50000024, 0},
    {READ, 0x50000400, 0},
    {READ, 0x50000404, 0},
    {READ, 0x50000408, 0},
    {READ, 0x5000040C, 0},
    {READ, 0x50000414, 0},
    {READ, 0x50000420, 0},
    {READ, 0x50000424, 0},
    {READ, 0x40023008, 0},
    {READ, 0x40023010, 0},
    {READ, 0x40010000, 0},
    {READ, 0x40010020, 0},
    {READ, 0x40004400, 0},
    {READ, 0x4000440C, 0},
    {READ, 0x40005C40, 0},
    {READ, 0x40005C50, 0},
    {READ, 0x40006C00, 0},
    {READ, 0x40006C04, 0},
    {READ, 0x40007000, 0},
    {READ, 0x40007004, 0},
    {END, 0x600DF00D, 0},
};

static const struct {
    const char *family;
    const struct look *look;
    size_t n;
} looks[] = {
    {"F0", looks_f0, sizeof(looks_f0) / sizeof(looks_f0[0])},
    {"F1", looks_f1, sizeof(looks_f1) / sizeof(looks_f1[0])},
    {"F107", looks_f107, sizeof(looks_f107) / sizeof(looks_f107[0])},
    {"F4", looks_f4, sizeof(looks_f4) / sizeof(looks_f4[0])},
    {"L0", looks_l0, sizeof(looks_l0) / sizeof(looks_l0[0])},
};
enum { NOTES = CORE_REGISTERS + 128 };

/* Those of this board's family; their number. */
static size_t looks_of(const struct rig *r, const struct look **look)
{
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (!strcmp(r->board->family, looks[i].family)) {
            *look = looks[i].look;
            assert_true(looks[i].n <= NOTES - CORE_REGISTERS);
            return looks[i].n;
        }
    fail_msg("no registers to look at for %s", r->board->name);
    return 0;
}

static void put_probe(const struct rig *r, uint32_t base)
{
    uint8_t *p = image + PROBE_AT;
    const struct look *look = NULL;
    size_t n = looks_of(r, &look);

    rig_image(r->board, image, sizeof(image), 3);
    rig_put32(image, 0x20003000);
    rig_put32(image + 4, (base + PROBE_AT) | 1);
    for (size_t i = 0; i < sizeof(probe) / 2; i++) {
        *p++ = (uint8_t)probe[i];
        *p++ = (uint8_t)(probe[i] >> 8);
    }
    for (; n; n--, look++, p += 12) {
        rig_put32(p, look->kind);
        rig_put32(p + 4, look->addr);
        rig_put32(p + 8, look->value);
    }
}

/* What the probe noted; it has to have come to its end. */
static void read_notes(struct rig *r, uint32_t notes[NOTES])
{
    const struct look *look = NULL;
    size_t looks_n = looks_of(r, &look), n = 0;

    host_wait(r->host, 10 * SIM_MS);
    for (size_t i = 0; i < CORE_REGISTERS; i++, n++)
        notes[n] = peek32(r, PROBE_OUT + (uint32_t)(4 * n));
    for (size_t i = 0; i < looks_n; i++)
        if (look[i].kind != WRITE) {
            notes[n] = peek32(r, PROBE_OUT + (uint32_t)(4 * n));
            n++;
        }
    assert_int_equal(notes[n - 1], 0x600DF00D);
}

/* The probe at the start of flash, without any bootloader: what reset does. */
static void notes_after_reset(const struct rig *like, uint32_t notes[NOTES])
{
    struct rig *r = rig_new(like->board->name, NULL);

    assert_non_null(r);
    put_probe(r, r->board->flash);
    rig_flash_put(r, r->board->flash, image, sizeof(image));
    chip_power(r->chip, true);
    host_wait(r->host, 50 * SIM_MS);
    read_notes(r, notes);
    rig_free(r);
}

static void assert_as_after_reset(struct rig *r)
{
    uint32_t want[NOTES] = {0}, is[NOTES] = {0};
    const struct look *look = NULL;
    size_t looks_n = looks_of(r, &look), n = CORE_REGISTERS;
    unsigned bad = 0;

    notes_after_reset(r, want);
    read_notes(r, is);
    for (size_t i = 0; i < CORE_REGISTERS; i++)
        assert_int_equal(is[i], want[i]);
    for (size_t i = 0; i < looks_n; i++) {
        if (look[i].kind == WRITE)
            continue;
        if (is[n] != want[n]) {
            print_error("0x%08x is 0x%08x, 0x%08x after reset\n", look[i].addr,
                        is[n], want[n]);
            bad++;
        }
        n++;
    }
    assert_int_equal(bad, 0);
    assert_true(rig_in_app(r));
}

static void test_state_after_reset(void **state)
{
    struct rig *r = *state;

    put_probe(r, r->board->slot);
    rig_flash_put(r, r->board->slot, image, sizeof(image));
    assert_true(app_after(r, RESET_PIN));
    assert_as_after_reset(r);
    assert_true(rig_boots_after_power_cycle(r));
    put_probe(r, r->board->slot);
    assert_as_after_reset(r);
}

static void test_state_after_update(void **state)
{
    struct rig *r = *state;

    put_probe(r, r->board->slot);
    assert_int_equal(rig_install(r, image, sizeof(image)), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_as_after_reset(r);
}

/* ---- the application's states 0 and 1, in the demo ---- */

static void start_demo(struct rig *r)
{
    size_t n = rig_read_file(rig_demo(r, "demo"), image, sizeof(image));

    bench_restart(r);
    assert_int_equal(rig_install(r, image, n), 0);
    assert_true(rig_app_runs(r, SIM_S));
    host_wait(r->host, 20 * SIM_MS);
    assert_int_equal(host_enumerate(r->host), 0);
    assert_int_equal(rig_getstate(r), APP_IDLE);
}

static const struct {
    uint8_t type, request;
    uint16_t length;
} app_stalls[] = {
    {0x21, 1, 0}, {0x21, 1, 64}, {0xA1, 2, 64}, {0x21, 4, 0}, {0x21, 6, 0},
    {0x21, 7, 0}, {0xA1, 7, 8},  {0x21, 3, 6},  {0xA1, 0, 1}, {0x21, 255, 0},
};
enum { APP_STALLS = sizeof(app_stalls) / sizeof(app_stalls[0]) };

static int app_request(struct rig *r, size_t i)
{
    uint8_t data[64] = {0};

    return rig_request(r, app_stalls[i].type, app_stalls[i].request, 0, 0, data,
                       app_stalls[i].length);
}

/* Who the bootloader is: its configuration's string tells a host, and the same
 * text in its flash an application. */
static void test_version(void **state)
{
    struct rig *r = *state;
    char version[64] = "", line[96], build[16], more;
    uint8_t d[255];
    unsigned parts[3];
    int n;

    assert_int_equal(rig_request(r, 0x80, 6, 0x0200, 0, d, 9), 9);
    assert_true(d[6]);
    n = rig_request(r, 0x80, 6, (uint16_t)(0x0300 | d[6]), 0x0409, d, 255);
    assert_in_range(n, 4, 2 * sizeof(version));
    for (int i = 2; i < n; i += 2)
        version[i / 2 - 1] = (char)d[i];
    assert_int_equal(sscanf(version, "Sallyport %u.%u.%u+%15[0-9a-z~]%c",
                            &parts[0], &parts[1], &parts[2], build, &more),
                     4);
    assert_string_equal((char *)rig_flash(r, 0x08000010), version);
    start_demo(r);
    snprintf(line, sizeof(line), "\r\nbootloader %s\r\n",
             strchr(version, ' ') + 1);
    assert_non_null(strstr(chip_usart_text(r->chip), line));

    /* Behind another bootloader: a vector, or nothing. */
    for (int other = 0; other < 2; other++) {
        static const uint8_t vectors[2][4] = {{0x61, 0x6C, 0x00, 0x08}, {0}};
        uint8_t ours[4];
        size_t printed = strlen(chip_usart_text(r->chip));

        memcpy(ours, rig_flash(r, 0x08000010), sizeof(ours));
        rig_flash_put(r, 0x08000010, vectors[other], sizeof(ours));
        assert_true(app_after(r, RESET_PIN));
        host_wait(r->host, 20 * SIM_MS);
        rig_flash_put(r, 0x08000010, ours, sizeof(ours));
        assert_non_null(strstr(chip_usart_text(r->chip) + printed, "demo"));
        assert_null(strstr(chip_usart_text(r->chip) + printed, "bootloader"));
    }
}

static void test_app_idle(void **state)
{
    struct rig *r = *state;
    struct rig_status s;

    start_demo(r);
    for (size_t i = 0; i < APP_STALLS; i++) {
        assert_int_equal(app_request(r, i), URB_STALL);
        assert_int_equal(rig_getstate(r), APP_IDLE);
    }
    s = rig_getstatus(r);
    assert_int_equal(s.result, 6);
    assert_int_equal(s.state, APP_IDLE);
    assert_int_equal(s.status, 0);
    host_wait(r->host, 300 * SIM_MS);
    assert_true(rig_in_app(r));
}

/* Table A.2.2: what does not belong there is stalled, back to appIDLE. */
static void test_app_detach(void **state)
{
    struct rig *r = *state;

    start_demo(r);
    assert_int_equal(rig_detach(r), 0);
    assert_int_equal(rig_getstate(r), APP_DETACH);
    assert_int_equal(rig_getstatus(r).state, APP_DETACH);
    host_wait(r->host, 400 * SIM_MS);
    assert_true(rig_in_bootloader(r));
}

static void test_app_detach_stalls(void **state)
{
    struct rig *r = *state;

    for (size_t i = 0; i < APP_STALLS; i++) {
        start_demo(r);
        assert_int_equal(rig_detach(r), 0);
        assert_int_equal(app_request(r, i), URB_STALL);
        assert_int_equal(rig_getstate(r), APP_IDLE);
    }
}

/* A bus reset in state 1 leads to dfuIDLE: with bitWillDetach, soon. */
static void test_app_detach_reset(void **state)
{
    struct rig *r = *state;

    start_demo(r);
    assert_int_equal(rig_detach(r), 0);
    host_bus_reset(r->host);
    host_wait(r->host, 400 * SIM_MS);
    assert_true(rig_in_bootloader(r));
}

static void test_app_key(void **state)
{
    struct rig *r = *state;

    start_demo(r);
    rig_key(r, true);
    host_wait(r->host, 300 * SIM_MS);
    rig_key(r, false);
    host_wait(r->host, 300 * SIM_MS);
    assert_true(rig_in_bootloader(r));
    assert_non_null(
        strstr(chip_usart_text(r->chip), "entering the bootloader"));
}

/* ---- double reset, an option: its own binary ---- */

static struct rig *with_double_reset(const struct rig *like)
{
    const char *name = like->board->name;
    struct rig *r = rig_new(name, rig_firmware(name, "sallyport-dfu-dr.elf"));

    assert_non_null(r);
    rig_image_stamped(r->board, image, sizeof(image), 4);
    rig_flash_put(r, r->board->slot, image, sizeof(image));
    chip_power(r->chip, true);
    return r;
}

static void test_double_reset(void **state)
{
    struct rig *r = with_double_reset(*state);

    /* A single one is late, by the window of 500 ms. */
    assert_false(rig_app_runs(r, 450 * SIM_MS));
    assert_true(rig_app_runs(r, 100 * SIM_MS));
    chip_reset(r->chip, RESET_PIN);
    host_wait(r->host, 300 * SIM_MS);
    chip_reset(r->chip, RESET_PIN);
    assert_false(rig_app_runs(r, 700 * SIM_MS));
    assert_true(rig_in_bootloader(r));
    /* The third one is a first one. */
    chip_reset(r->chip, RESET_PIN);
    assert_true(rig_app_runs(r, 600 * SIM_MS));
    chip_reset(r->chip, RESET_PIN);
    assert_true(rig_app_runs(r, 600 * SIM_MS));
    assert_int_equal(chip_guest_errors(r->chip), 0);
    rig_free(r);
}

static void test_double_reset_state(void **state)
{
    struct rig *r = with_double_reset(*state);

    put_probe(r, r->board->slot);
    rig_flash_put(r, r->board->slot, image, sizeof(image));
    chip_reset(r->chip, RESET_POWER);
    assert_true(rig_app_runs(r, 600 * SIM_MS));
    assert_as_after_reset(r);
    assert_int_equal(chip_guest_errors(r->chip), 0);
    rig_free(r);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_any_reset_starts_the_app),
        CHIP_TEST(test_key),
        CHIP_TEST(test_request),
        CHIP_TEST(test_wrong_request),
        CHIP_TEST(test_no_app),
        CHIP_TEST(test_noinit),
        CHIP_TEST(test_no_host),
        CHIP_TEST(test_no_host_skipped),
        CHIP_TEST(test_host_came),
        CHIP_TEST(test_not_timed),
        CHIP_TEST(test_state_after_reset),
        CHIP_TEST(test_state_after_update),
        CHIP_TEST(test_version),
        CHIP_TEST(test_app_idle),
        CHIP_TEST(test_app_detach),
        CHIP_TEST(test_app_detach_stalls),
        CHIP_TEST(test_app_detach_reset),
        CHIP_TEST(test_app_key),
        CHIP_TEST(test_double_reset),
        CHIP_TEST(test_double_reset_state),
    };

    return BENCH_MAIN(argc, argv, tests);
}
