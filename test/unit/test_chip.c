/* SPDX-License-Identifier: MIT */
/*
 * test_chip.c - the virtual chip without USB: CPU, exceptions, clocks, time,
 * reset, pins, serial output, snapshots.  Flash has test_chip_flash.c.
 */
#include "chip_bench.h"

#include "model.h"
#include "thumb.h"

#define RCC    0x40021000u
#define CR     (RCC + 0x00)
#define CFGR   (RCC + 0x04)
#define APB2EN (RCC + 0x18)
#define APB1EN (RCC + 0x1c)
#define BDCR   (RCC + 0x20)
#define CSR    (RCC + 0x24)
#define ACR    0x40022000u
#define UCNTR  0x40005c40u
#define PMA    0x40006000u
#define GPIOA  0x40010800u
#define GPIOB  0x40010c00u
#define USART1 0x40013800u
#define IWDG   0x40003000u
#define CRC    0x40023000u
#define BKP    0x40006c00u
#define PWR    0x40007000u
#define NVIC   0xe000e100u
#define ISPR   (NVIC + 0x100)
#define IPR    (NVIC + 0x300)
#define ICSR   0xe000ed04u
#define VTOR   0xe000ed08u
#define AIRCR  0xe000ed0cu
#define SHCSR  0xe000ed24u
#define CFSR   0xe000ed28u
#define TICK   0xe000e010u

static int set_up(void **state)
{
    return bench_new(state, "STM32F103ZE", sim_board_find("stm32f103ze"));
}

/* ---- CPU ---- */

static void runs_a_program(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RAM, 0x12345678);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x12345678);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(chip_pc(b->c), k.at - 2);
    assert_string_equal(b->last[EV_RESET], "reset: power-on");
    /* b . is 1 cycle and a refill of 2 at 8 MHz. */
    assert_in_range(chip_instructions(b->c), 2600, 2700);
    assert_in_range(chip_now(b->c), SIM_MS, SIM_MS + SIM_US);
}

static void without_power_time_passes(void **state)
{
    struct bench *b = *state;

    run_for(b, 5 * SIM_MS);
    assert_true(chip_now(b->c) == 5 * SIM_MS);
    assert_int_equal(chip_instructions(b->c), 0);
}

static void empty_flash_locks_up(void **state)
{
    struct bench *b = *state;

    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_non_null(strstr(chip_last_guest_error(b->c), "lock-up"));
}

static void it_block_is_exact(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    mov(&k, 2, 5);
    op(&k, 0x2a05); /* cmp r2, #5 */
    op(&k, 0xbf0c); /* ite eq */
    op(&k, 0x3201); /* addeq r2, #1 */
    op(&k, 0x3240); /* addne r2, #64 */
    op(&k, 0xbf1c); /* itt ne */
    op(&k, 0x3210); /* addne r2, #16 */
    op(&k, 0x3210);
    save(&k, RAM);
    store(&k, TICK + 4, 100); /* interrupts at odd places */
    store(&k, TICK, 7);
    mov(&k, 4, 0);
    mov(&k, 5, 1000);
    op(&k, 0x3d01); /* 1: subs r5, #1 */
    op(&k, 0xbf1e); /*    ittt ne */
    op(&k, 0x3401); /*    addne r4, #1 */
    op(&k, 0x3401);
    op(&k, 0x3401);
    op(&k, 0xd1f9); /*    bne 1b */
    mov(&k, 0, RAM + 4);
    op(&k, 0x6004); /* str r4, [r0] */
    spin(&k);
    vector(b->c, 15, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, RAM + 8);
    chip_power(b->c, true);
    word(b->c, RAM + 8, 0);
    run_for(b, 10 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 6);
    assert_int_equal(peek(b->c, RAM + 4), 999 * 3);
    assert_true(peek(b->c, RAM + 8) > 50);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void data_may_be_unaligned(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RAM, 0x44332211);
    store(&k, RAM + 4, 0x88776655);
    copy(&k, RAM + 1, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 8), 0x55443322);
}

static void multiple_data_may_not(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    mov(&k, 0, RAM + 2);
    op(&k, 0xe9d0), op(&k, 0x2300); /* ldrd r2, r3, [r0] */
    spin(&k);
    start(b, SIM_MS);
    assert_string_equal(b->last[EV_GUEST_ERROR],
                        "hard fault: LDM, STM, LDRD, STRD or exclusive access "
                        "at an unaligned address, at PC 0x08000208");
}

static void bits_have_words(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, RAM + 0x100, 0x00000010);
    store(&k, 0x22000000 + 0x101 * 32 + 4 * 3, 1); /* bit 11 */
    copy(&k, 0x22000000 + 0x100 * 32 + 4 * 4, RAM);
    store(&k, 0x42000000 + 0x21018 * 32 + 4 * 3, 1); /* APB2ENR.IOPBEN */
    copy(&k, APB2EN, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 0x100), 0x810);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, RAM + 4), 8);
}

static void identity_can_be_read(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, 0x1ffff7e0, RAM);
    copy(&k, 0x1ffff7e8, RAM + 4);
    copy(&k, 0xe0042000, RAM + 8);
    copy(&k, 0xe000ed00, RAM + 12);
    copy(&k, 4, RAM + 16);          /* flash at 0 */
    copy(&k, 0xe000e01c, RAM + 20); /* SYST_CALIB */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM) & 0xffff, 512);
    assert_int_not_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(peek(b->c, RAM + 8) & 0xfff, 0x414);
    assert_int_equal(peek(b->c, RAM + 12), 0x411fc231);
    assert_int_equal(peek(b->c, RAM + 16), CODE | 1);
    assert_int_equal(peek(b->c, RAM + 20) & 0xffffff, 9000);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- exceptions ---- */

static void interrupts_nest_by_priority(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), low = {b->c, FLASH + 0x1000};

    store(&k, IPR + 0, 0x00204080); /* IRQ0 low, IRQ1 middle, IRQ2 high */
    store(&k, NVIC, 7);
    store(&k, ISPR, 1);
    spin(&k);
    vector(b->c, 16, low.at);
    vector(b->c, 17, FLASH + 0x1100);
    vector(b->c, 18, FLASH + 0x1200);
    store(&low, ISPR, 6); /* both preempt; the higher one goes first */
    copy(&low, RAM + 4, RAM + 12);
    count(&low, RAM);
    ret(&low);
    counting_handler(b->c, FLASH + 0x1100, RAM + 4);
    counting_handler(b->c, FLASH + 0x1200, RAM + 8);
    chip_power(b->c, true);
    memset(b->last, 0, sizeof(b->last));
    word(b->c, RAM, 0);
    word(b->c, RAM + 4, 0);
    word(b->c, RAM + 8, 0);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, RAM + 4), 1);
    assert_int_equal(peek(b->c, RAM + 8), 1);
    assert_int_equal(peek(b->c, RAM + 12), 1); /* ran inside the low one */
    assert_int_equal(chip_pc(b->c), k.at - 2);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void primask_holds_interrupts_back(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vector(b->c, 16, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, RAM);
    store(&k, RAM, 0);
    op(&k, 0xb672); /* cpsid i */
    store(&k, NVIC, 1);
    store(&k, ISPR, 1);
    wfi(&k); /* a pending interrupt ends it all the same */
    copy(&k, RAM, RAM + 4);
    op(&k, 0xb662); /* cpsie i */
    copy(&k, RAM, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(peek(b->c, RAM + 8), 1);
}

static void process_stack_and_svc(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 11, h.at);
    mov(&k, 0, RAM + 0x1000);
    op(&k, 0xf380), op(&k, 0x8809); /* msr psp, r0 */
    mov(&k, 0, 2);
    op(&k, 0xf380), op(&k, 0x8814); /* msr control, r0 */
    op(&k, 0xdf07);                 /* svc 7 */
    op(&k, 0x466a);                 /* mov r2, sp */
    save(&k, RAM);
    spin(&k);
    op(&h, 0x466a); /* mov r2, sp: the main stack */
    save(&h, RAM + 4);
    op(&h, 0xf3ef), op(&h, 0x8205); /* mrs r2, ipsr */
    save(&h, RAM + 8);
    op(&h, 0x4672); /* mov r2, lr */
    save(&h, RAM + 12);
    ret(&h);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), RAM + 0x1000);
    assert_int_equal(peek(b->c, RAM + 4), STACK);
    assert_int_equal(peek(b->c, RAM + 8), 11);
    assert_int_equal(peek(b->c, RAM + 12), 0xfffffffd);
}

static void systick_counts_the_real_clock(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vector(b->c, 15, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, RAM);
    store(&k, RAM, 0);
    store(&k, TICK + 4, 7999);
    store(&k, TICK + 8, 0);
    store(&k, TICK, 7);
    wfi(&k);
    op(&k, 0xe7fd); /* b to the wfi */
    start(b, 100 * SIM_MS + 100 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 100);
    assert_true(chip_instructions(b->c) < 2000); /* it slept */
}

static void handlers_chain(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vector(b->c, 14, FLASH + 0x1000);
    vector(b->c, 15, FLASH + 0x1100);
    counting_handler(b->c, FLASH + 0x1000, RAM);
    counting_handler(b->c, FLASH + 0x1100, RAM + 4);
    store(&k, RAM, 0);
    store(&k, RAM + 4, 0);
    store(&k, ICSR, 1u << 28 | 1u << 26);
    op(&k, 0x466a); /* mov r2, sp */
    save(&k, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, RAM + 4), 1);
    assert_int_equal(peek(b->c, RAM + 8), STACK);
}

static void own_fault_handlers(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1000};

    vector(b->c, 5, h.at);
    store(&k, SHCSR, 1u << 17);
    mov(&k, 0, 0x60000000);
    op(&k, 0x6802); /* ldr r2, [r0] */
    spin(&k);
    copy(&h, 0xe000ed38, RAM); /* BFAR */
    copy(&h, CFSR, RAM + 4);
    op(&h, 0x9a06); /* ldr r2, [sp, #24]: the stacked PC */
    save(&h, RAM + 8);
    spin(&h);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x60000000);
    assert_int_equal(peek(b->c, RAM + 4), 0x8200);
    assert_int_equal(peek(b->c, RAM + 8), k.at - 4);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void faults_escalate(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    op(&k, 0xde00); /* udf */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_pc(b->c), FLASH + 0x1f0);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_string_equal(b->last[EV_GUEST_ERROR],
                        "hard fault: undefined instruction, at PC 0x08000200");
}

static void a_fault_in_the_fault_handler_locks_up(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), h = {b->c, FLASH + 0x1f0};

    op(&k, 0xde00);
    op(&h, 0xde00);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 2);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "lock-up"));
    run_for(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 2);
}

static void jump_into_nothing(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    jump(&k, 0x1ffff000);
    start(b, SIM_MS);
    assert_string_equal(b->last[EV_GUEST_ERROR],
                        "hard fault: no code at 0x1ffff000, at PC 0x08000208");
}

static void vtor_is_reported(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, VTOR, 0x08001000);
    spin(&k);
    start(b, SIM_MS);
    assert_string_equal(b->last[EV_CORE], "vtor 0x08001000");
    assert_int_equal(chip_vtor(b->c), 0x08001000);
}

/* ---- clocks ---- */

/* What every start-up code does: 72 MHz from an 8 MHz crystal. */
static void clocks_72(struct code *k)
{
    store(k, ACR, 0x12);
    store(k, CR, 0x10083);
    wait_set(k, CR, 1 << 17);
    store(k, CFGR, 7 << 18 | 1 << 16 | 4 << 8);
    store(k, CR, 0x1010083);
    wait_set(k, CR, 1 << 25);
    store(k, CFGR, 7 << 18 | 1 << 16 | 4 << 8 | 2);
    wait_set(k, CFGR, 8);
}

static void pll_from_the_crystal(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    uint64_t before;

    clocks_72(&k);
    store(&k, RAM, 1);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, 2 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0); /* the crystal takes 2 ms */
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    before = chip_instructions(b->c);
    run_for(b, SIM_MS);
    /* b . at two wait states: 1 + 2 + 2 cycles */
    assert_in_range(chip_instructions(b->c) - before, 14300, 14500);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* 1 KB of one instruction in a loop; how many run in a millisecond. */
static uint64_t straight_code(struct bench *b, unsigned op1, unsigned op2)
{
    struct code k = program(b->c);
    uint32_t loop;
    uint64_t before;

    clocks_72(&k);
    while (k.at & 15)
        op(&k, 0xbf00); /* nop */
    loop = k.at;
    while (k.at < loop + 1024) {
        op(&k, op1);
        if (op2)
            op(&k, op2);
    }
    op(&k, 0xe000 | ((loop - (k.at + 4)) >> 1 & 0x7ff)); /* b loop */
    chip_power(b->c, true);
    run_for(b, 3 * SIM_MS);
    before = chip_instructions(b->c);
    run_for(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    return chip_instructions(b->c) - before;
}

/* 8 bytes come every 3 cycles at two wait states. */
static void prefetch_keeps_up_with_short_code(void **state)
{
    /* movs r3, r0: 512 and a branch of 5 cycles */
    assert_in_range(straight_code(*state, 0x0003, 0), 71300, 71600);
}

static void prefetch_holds_up_long_code(void **state)
{
    /* add.w r3, r3, #0: 2 a line; 128 lines of 3 cycles, and the branch */
    assert_in_range(straight_code(*state, 0xf103, 0x0300), 47400, 47700);
}

static void no_crystal_no_hse(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clocks_72(&k);
    store(&k, RAM, 1);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, 20 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
}

static void flash_must_not_be_too_fast(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clocks_72(&k);
    store(&k, ACR, 0x11);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "wait states"));
}

static void apb1_has_its_limit(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clocks_72(&k);
    store(&k, CFGR, 7 << 18 | 1 << 16 | 2);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "APB1"));
}

/* USB runs on 48 MHz out of the HSI, as boards without a crystal show; the
 * data sheet forbids it. */
static void usb_clock_wants_a_crystal(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, ACR, 0x11);
    store(&k, CFGR, 1 << 22 | 10 << 18 | 4 << 8);
    store(&k, CR, 0x1000083);
    wait_set(&k, CR, 1 << 25);
    store(&k, APB1EN, 1 << 23);
    store(&k, UCNTR, 1);
    store(&k, RAM, 0); /* 1 us takes 8 instructions or more */
    store(&k, RAM, 0);
    store(&k, UCNTR, 0);
    copy(&k, UCNTR, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "comes from the HSI"));
    assert_int_equal(peek(b->c, RAM), 0);
}

/* The packet memory has 16 bits: a byte can be read, a written one lands in
 * both halves. */
static void packet_memory_takes_no_bytes(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 1 << 23);
    store16(&k, PMA + 4, 0x1234);
    mov(&k, 0, PMA + 4);
    op(&k, 0x7842); /* ldrb r2, [r0, #1] */
    save(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x12);
    assert_int_equal(chip_guest_errors(b->c), 0);

    k.at -= 2;
    mov(&k, 0, PMA + 4);
    mov(&k, 1, 0x56);
    op(&k, 0x7001); /* strb r1, [r0] */
    copy(&k, PMA + 4, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0x5656);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "packet memory"));
}

static void pll_is_fixed_while_on(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    clocks_72(&k);
    store(&k, CFGR, 6 << 18 | 1 << 16 | 4 << 8 | 2);
    copy(&k, CFGR, RAM);
    spin(&k);
    start(b, 5 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_int_equal(peek(b->c, RAM) >> 18 & 15, 7);
}

static void gated_peripherals_read_zero(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, GPIOA, 0x33333333);
    copy(&k, GPIOA, RAM);
    store(&k, APB2EN, 4);
    copy(&k, GPIOA, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_int_equal(peek(b->c, RAM + 4), 0x44444444);
    assert_int_equal(chip_guest_errors(b->c), 1); /* once */
}

static void what_is_not_modelled_reads_zero(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 1);
    store(&k, 0x40000000, 0x81);
    copy(&k, 0x40000000, RAM);
    copy(&k, 0x40000024, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_int_equal(b->n[EV_UNMODELLED], 1);
    assert_non_null(strstr(b->last[EV_UNMODELLED], "TIM2"));
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* ---- reset ---- */

static void software_reset_and_flags(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    copy(&k, CSR, RAM + 4);
    store(&k, CSR, 1u << 24);
    count(&k, RAM);
    op(&k, 0x2a02); /* cmp r2, #2 */
    op(&k, 0xd100); /* bne over the next */
    spin(&k);
    store(&k, AIRCR, 0x05fa0004);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 2); /* RAM survives */
    assert_int_equal(peek(b->c, RAM + 4) >> 24, 0x14);
    assert_string_equal(b->last[EV_RESET], "reset: software");
    chip_reset(b->c, RESET_PIN);
    word(b->c, RAM, 1);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 4) >> 24, 0x04);
    chip_power(b->c, false);
    chip_power(b->c, true);
    word(b->c, RAM, 1);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 4) >> 24, 0x0c);
}

static void backup_registers(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 3u << 27);
    copy(&k, BKP + 4, RAM);
    copy(&k, BKP + 0xbc, RAM + 4);
    copy(&k, BDCR, RAM + 8);
    copy(&k, CSR, RAM + 12);
    store(&k, PWR, 1 << 8);
    store16(&k, BKP + 4, 0xb007);
    store(&k, BKP + 0xbc, 0x1234);
    store(&k, BDCR, 0x8101); /* RTC from LSE */
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    chip_reset(b->c, RESET_PIN);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0xb007);
    assert_int_equal(peek(b->c, RAM + 4), 0x1234);
    assert_int_equal(peek(b->c, RAM + 8), 0x8101);
    assert_int_equal(peek(b->c, RAM + 12) >> 24, 0x0c); /* not cleared */
    run_for(b, 2500 * SIM_MS);
    chip_reset(b->c, RESET_PIN);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM + 8), 0x8103); /* LSE goes on */
    chip_power(b->c, false);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_int_equal(peek(b->c, RAM + 8), 0);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void backup_domain_is_locked(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB1EN, 3u << 27);
    store(&k, BKP + 4, 1);
    copy(&k, BKP + 4, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_int_equal(chip_guest_errors(b->c), 1);
}

static void watchdog_bites(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    count(&k, RAM);
    store(&k, IWDG, 0x5555);
    store(&k, IWDG + 4, 0); /* 10 kHz */
    store(&k, IWDG + 8, 99);
    wait_clear(&k, IWDG + 12, 3);
    store(&k, IWDG, 0xcccc);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, 9 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    run_for(b, 2 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_string_equal(b->last[EV_RESET], "reset: watchdog");
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void crc_unit(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, 0x40021014, 1u << 6); /* AHBENR.CRCEN */
    store(&k, CRC + 4, 0x1ab);
    store(&k, CRC, 0x31323334); /* "1234", "5678": CRC-32/MPEG-2 */
    copy(&k, CRC, RAM);
    store(&k, CRC + 8, 1);
    copy(&k, CRC + 4, RAM + 8); /* not touched by the reset */
    store(&k, CRC, 0x31323334);
    store(&k, CRC, 0x35363738);
    copy(&k, CRC, RAM + 4);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0xa695c4aa);
    assert_int_equal(peek(b->c, RAM + 4), 0x49e3c2fb);
    assert_int_equal(peek(b->c, RAM + 8), 0xab);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

/* A word takes 4 AHB cycles: stores that follow each other wait for it. */
static void crc_takes_its_time(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    unsigned i;

    store(&k, 0x40021014, 1u << 6);
    store(&k, 0xe0001000, 1); /* DWT_CTRL.CYCCNTENA */
    mov(&k, 0, CRC);
    mov(&k, 3, 0xe0001004);
    op(&k, 0x681c); /* ldr r4, [r3] */
    for (i = 0; i < 101; i++)
        op(&k, 0x6001); /* str r1, [r0] */
    op(&k, 0x681a);     /* ldr r2, [r3] */
    op(&k, 0x1b12);     /* subs r2, r2, r4 */
    save(&k, RAM);
    store16(&k, CRC, 1);
    spin(&k);
    start(b, SIM_MS);
    assert_in_range(peek(b->c, RAM), 400, 410);
    assert_int_equal(b->n[EV_GUEST_ERROR], 1);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "32-bit accesses only"));
}

static void power_on_leaves_noise(void **state)
{
    struct bench *b = *state;
    uint32_t first;
    struct code k = program(b->c);

    spin(&k);
    chip_power(b->c, true);
    first = peek(b->c, RAM + 0x100);
    chip_power(b->c, false);
    chip_power(b->c, true);
    assert_int_not_equal(first, 0);
    assert_int_not_equal(first, peek(b->c, RAM + 0x100));
}

/* ---- pins and serial output ---- */

static void pins(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, APB2EN, 0xc);
    store(&k, GPIOB, 0x44344444); /* PB5 is the LED */
    store(&k, GPIOB + 0x10, 1 << 5);
    store(&k, GPIOB + 0x10, 1 << 21);
    store(&k, GPIOA, 0x44444448);
    store(&k, GPIOA + 0x10, 1 << 0); /* PA0: pull-up */
    copy(&k, GPIOA + 8, RAM);
    op(&k, 0xe7f4); /* back to the copy */
    chip_power(b->c, true);
    chip_pin_drive(b->c, 'A', 3, 1);
    run_for(b, SIM_MS);
    assert_int_equal(chip_pin_level(b->c, 'B', 5), 0);
    assert_int_equal(chip_pin_level(b->c, 'A', 0), 1);
    assert_int_equal(chip_pin_level(b->c, 'A', 1), -1);
    assert_int_equal(peek(b->c, RAM), 9);
    chip_pin_drive(b->c, 'A', 0, 0);
    run_for(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), 8);
    assert_string_equal(b->last[EV_PIN], "key PA0 = 0 (off)");
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void usart_set_up(struct code *k)
{
    store(k, APB2EN, 1 << 14 | 1 << 2);
    store(k, GPIOA + 4, 0x444444b4);
    store(k, USART1 + 8, 80); /* 100 kbit/s at 8 MHz */
    store(k, USART1 + 12, 1 << 13 | 1 << 3);
}

static void usart_sends(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);
    const char *p;

    usart_set_up(&k);
    for (p = "hi!\n"; *p; p++) {
        store(&k, USART1 + 4, (uint8_t)*p);
        wait_set(&k, USART1, 1 << 7);
    }
    wait_set(&k, USART1, 1 << 6);
    store(&k, RAM, 1);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    run_for(b, 390 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 0); /* 40 bits take 400 us */
    run_for(b, 30 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_string_equal(chip_usart_text(b->c), "hi!\n");
    assert_string_equal(b->last[EV_USART], "USART1: hi!");
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void usart_must_not_be_overrun(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    usart_set_up(&k);
    store(&k, USART1 + 4, 'a');
    store(&k, USART1 + 4, 'b');
    store(&k, USART1 + 4, 'c');
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_string_equal(chip_usart_text(b->c), "ac");
}

/* ---- snapshots ---- */

static void busy_program(struct bench *b)
{
    struct code k = program(b->c);

    vector(b->c, 15, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, RAM + 4);
    clocks_72(&k);
    usart_set_up(&k);
    store(&k, RAM + 4, 0);
    store(&k, TICK + 4, 71999);
    store(&k, TICK, 7);
    store(&k, USART1 + 4, 'x');   /* 9 half-words */
    wait_set(&k, USART1, 1 << 6); /* 11 */
    op(&k, 0xe7ea);               /* back to the store */
}

static void snapshots_are_exact(void **state)
{
    struct bench *b = *state;
    struct chip_snapshot *s;
    uint64_t n[2];
    uint32_t ram[2], pc[2];
    sim_time now[2];
    char text[2][2000];
    unsigned i;

    busy_program(b);
    start(b, 7 * SIM_MS + 123457);
    s = chip_save(b->c);
    assert_non_null(s);
    for (i = 0; i < 2; i++) {
        if (i) {
            uint32_t junk = 0xdeadbeef;

            chip_poke(b->c, RAM, &junk, 4);
            chip_poke(b->c, FLASH + 0x4000, &junk, 4);
            chip_restore(b->c, s);
        }
        run_for(b, 5 * SIM_MS);
        n[i] = chip_instructions(b->c);
        now[i] = chip_now(b->c);
        ram[i] = peek(b->c, RAM + 4);
        pc[i] = chip_pc(b->c);
        strncpy(text[i], chip_usart_text(b->c), sizeof(text[i]) - 1);
    }
    assert_true(n[0] == n[1]);
    assert_true(now[0] == now[1]);
    assert_int_equal(ram[0], ram[1]);
    assert_int_equal(pc[0], pc[1]);
    assert_string_equal(text[0], text[1]);
    assert_int_equal(peek(b->c, FLASH + 0x4000), 0xffffffff);
    chip_snapshot_free(s);
}

static void runs_are_the_same_however_cut_up(void **state)
{
    struct bench *b = *state;
    struct bench other = {0};
    unsigned i;

    busy_program(b);
    start(b, 10 * SIM_MS);
    other.c = chip_new(chip_model_find("stm32f103ze"),
                       sim_board_find("stm32f103ze"), bench_event, &other);
    busy_program(&other);
    chip_power(other.c, true);
    for (i = 1; i <= 1000; i++)
        chip_run(other.c, i * 10 * SIM_US);
    assert_true(chip_instructions(b->c) == chip_instructions(other.c));
    assert_true(chip_now(b->c) == chip_now(other.c));
    assert_int_equal(chip_pc(b->c), chip_pc(other.c));
    assert_string_equal(chip_usart_text(b->c), chip_usart_text(other.c));
    chip_free(other.c);
}

static int set_up_without_crystal(void **state)
{
    static const struct sim_board bare = {.name = "no crystal"};

    return bench_new(state, "STM32F103ZE", &bare);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(runs_a_program),
        TEST(without_power_time_passes),
        TEST(empty_flash_locks_up),
        TEST(it_block_is_exact),
        TEST(data_may_be_unaligned),
        TEST(multiple_data_may_not),
        TEST(bits_have_words),
        TEST(identity_can_be_read),
        TEST(interrupts_nest_by_priority),
        TEST(primask_holds_interrupts_back),
        TEST(process_stack_and_svc),
        TEST(systick_counts_the_real_clock),
        TEST(handlers_chain),
        TEST(own_fault_handlers),
        TEST(faults_escalate),
        TEST(a_fault_in_the_fault_handler_locks_up),
        TEST(jump_into_nothing),
        TEST(vtor_is_reported),
        TEST(pll_from_the_crystal),
        TEST(prefetch_keeps_up_with_short_code),
        TEST(prefetch_holds_up_long_code),
        TEST(flash_must_not_be_too_fast),
        TEST(apb1_has_its_limit),
        TEST(usb_clock_wants_a_crystal),
        TEST(packet_memory_takes_no_bytes),
        TEST(pll_is_fixed_while_on),
        TEST(gated_peripherals_read_zero),
        TEST(what_is_not_modelled_reads_zero),
        TEST(software_reset_and_flags),
        TEST(backup_registers),
        TEST(backup_domain_is_locked),
        TEST(watchdog_bites),
        TEST(crc_unit),
        TEST(crc_takes_its_time),
        TEST(power_on_leaves_noise),
        TEST(pins),
        TEST(usart_sends),
        TEST(usart_must_not_be_overrun),
        TEST(snapshots_are_exact),
        TEST(runs_are_the_same_however_cut_up),
        cmocka_unit_test_setup_teardown(no_crystal_no_hse,
                                        set_up_without_crystal, bench_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
