/* SPDX-License-Identifier: MIT */
/*
 * test_chip_idle.c - loops of a few instructions on a virtual chip that jumps
 * over waiting (sim/idle.c), and on one that executes each instruction: both
 * are the same at any time.  test/chip/test_idle.c does it with the firmware.
 */
#include "chip_bench.h"

#include "model.h"
#include "thumb.h"

#define APB2EN 0x40021018u
#define GPIOB  0x40010c00u
#define USART1 0x40013800u
#define GPIOA  0x40010800u
#define IWDG   0x40003000u
#define TICK   0xe000e010u
#define DWT    0xe0001000u

enum { SKIPS, RUNS_ALL, CHIPS, WORDS = 4 };

static struct chip *chip[CHIPS];
static struct bench seen[CHIPS];

static int set_up(void **state)
{
    (void)state;
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < CHIPS; i++) {
        chip[i] =
            chip_new(chip_model_find("STM32F103ZE"),
                     sim_board_find("stm32f103ze"), bench_event, &seen[i]);
        if (!chip[i])
            return -1;
        chip_skip_idle(chip[i], i == SKIPS);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CHIPS; i++)
        chip_free(chip[i]);
    return 0;
}

static void assert_same(void)
{
    assert_true(chip_now(chip[SKIPS]) == chip_now(chip[RUNS_ALL]));
    assert_int_equal(chip_instructions(chip[SKIPS]),
                     chip_instructions(chip[RUNS_ALL]));
    assert_int_equal(chip_pc(chip[SKIPS]), chip_pc(chip[RUNS_ALL]));
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(peek(chip[SKIPS], RAM + 4 * i),
                         peek(chip[RUNS_ALL], RAM + 4 * i));
    assert_memory_equal(seen[SKIPS].n, seen[RUNS_ALL].n, sizeof(seen[0].n));
    assert_string_equal(chip_usart_text(chip[SKIPS]),
                        chip_usart_text(chip[RUNS_ALL]));
}

/* Slices of odd lengths; the key, PA0, is pressed in the middle.  True where
 * most of it was jumped over. */
static bool same(void (*make)(struct code *k), sim_time time)
{
    enum { SLICES = 40 };

    for (unsigned i = 0; i < CHIPS; i++) {
        struct code k = program(chip[i]);

        make(&k);
        vector(chip[i], 15, FLASH + 0x1000);
        counting_handler(chip[i], FLASH + 0x1000, RAM + 8);
        chip_pin_drive(chip[i], 'A', 0, 0);
        chip_power(chip[i], true);
        for (unsigned w = 0; w < WORDS; w++)
            word(chip[i], RAM + 4 * w, 0);
    }
    for (unsigned s = 0; s < SLICES; s++) {
        for (unsigned i = 0; i < CHIPS; i++) {
            chip_pin_drive(chip[i], 'A', 0, s == SLICES / 2);
            chip_run(chip[i], chip_now(chip[i]) + time / SLICES + s * 123457);
        }
        assert_same();
    }
    assert_int_equal(chip_skipped(chip[RUNS_ALL]), 0);
    return chip_skipped(chip[SKIPS]) > chip_instructions(chip[SKIPS]) / 2;
}

static void ports_on(struct code *k)
{
    store(k, APB2EN, 1 << 14 | 1 << 3 | 1 << 2);
}

/* r4 = port A, r6 = RAM; from here a loop reads IDR into r3 first. */
static uint32_t begin_loop(struct code *k)
{
    mov(k, 4, GPIOA);
    mov(k, 6, RAM);
    op(k, 0x68a3); /* ldr r3, [r4, #8] */
    return k->at - 2;
}

static void end_loop(struct code *k, uint32_t to)
{
    op(k, 0xe000 | ((to - k->at - 4) >> 1 & 0x7ff)); /* b to */
}

/* ---- loops that wait ---- */

static void wait_for_key(struct code *k)
{
    ports_on(k);
    wait_set(k, GPIOA + 8, 1);
    count(k, RAM);
    spin(k);
}

static void key_is_seen(void **state)
{
    (void)state;
    assert_true(same(wait_for_key, 20 * SIM_MS));
    assert_int_equal(peek(chip[SKIPS], RAM), 1);
}

static void tick_and_poll(struct code *k)
{
    uint32_t loop;

    ports_on(k);
    store(k, TICK + 4, 7999);
    store(k, TICK, 7);
    loop = begin_loop(k);
    end_loop(k, loop);
}

static void interrupts_come(void **state)
{
    (void)state;
    assert_true(same(tick_and_poll, 20 * SIM_MS));
    assert_in_range(peek(chip[SKIPS], RAM + 8), 19, 40);
}

static void tick_and_spin(struct code *k)
{
    store(k, TICK + 4, 7999);
    store(k, TICK, 7);
    spin(k);
}

static void interrupts_leave_a_branch_to_itself(void **state)
{
    (void)state;
    assert_true(same(tick_and_spin, 20 * SIM_MS));
    assert_in_range(peek(chip[SKIPS], RAM + 8), 19, 40);
}

/* The same level again, pushed and popped, with a round of many reads. */
static void keep_led(struct code *k)
{
    uint32_t loop;

    ports_on(k);
    store(k, TICK + 4, 7999);
    store(k, TICK, 5);
    loop = begin_loop(k);
    op(k, 0xb418); /* push {r3, r4} */
    op(k, 0xbc18); /* pop {r3, r4} */
    for (unsigned i = 0; i < 10; i++)
        op(k, 0x68e2); /* ldr r2, [r4, #12] */
    mov(k, 5, TICK);
    op(k, 0x682a); /* ldr r2, [r5]: COUNTFLAG */
    op(k, 0x0c12); /* lsrs r2, r2, #16 */
    op(k, 0xd002); /* beq 1f */
    op(k, 0x6832); /* ldr r2, [r6] */
    op(k, 0x3201); /* adds r2, #1 */
    op(k, 0x6032); /* str r2, [r6] */
    op(k, 0x2208); /* 1: movs r2, #8 */
    op(k, 0x6122); /* str r2, [r4, #16]: BSRR */
    end_loop(k, loop);
}

static void milliseconds_are_counted(void **state)
{
    (void)state;
    assert_true(same(keep_led, 20 * SIM_MS));
    assert_in_range(peek(chip[SKIPS], RAM), 19, 40);
}

static void print(struct code *k)
{
    ports_on(k);
    store(k, GPIOA + 4, 0x444444b4);
    store(k, USART1 + 8, 800); /* 10 kbit/s at 8 MHz */
    store(k, USART1 + 12, 1 << 13 | 1 << 3);
    for (const char *p = "idle\n"; *p; p++) {
        wait_set(k, USART1, 1 << 7);
        store(k, USART1 + 4, (uint8_t)*p);
    }
    wait_set(k, USART1, 1 << 6);
    spin(k);
}

static void characters_are_sent(void **state)
{
    (void)state;
    assert_true(same(print, 20 * SIM_MS));
    assert_string_equal(chip_usart_text(chip[SKIPS]), "idle\n");
}

/* ---- loops that look as if they waited ---- */

static void count_in_ram(struct code *k)
{
    uint32_t loop;

    ports_on(k);
    loop = begin_loop(k);
    op(k, 0x6832); /* ldr r2, [r6] */
    op(k, 0xf102); /* add r2, r2, #1: no flags */
    op(k, 0x0201);
    op(k, 0x6032); /* str r2, [r6] */
    op(k, 0x2200); /* movs r2, #0 */
    end_loop(k, loop);
}

static void ram_is_part_of_the_state(void **state)
{
    (void)state;
    assert_false(same(count_in_ram, 2 * SIM_MS));
    assert_true(peek(chip[SKIPS], RAM) > 100);
}

/* Reads *(r5), which falls from round to round and is forgotten, until its
 * upper bits are 0. */
static void wait_for_counter(struct code *k, uint32_t counter, unsigned shift,
                             unsigned leave)
{
    uint32_t loop;

    mov(k, 5, counter);
    loop = begin_loop(k);
    op(k, 0x682a);                   /* ldr r2, [r5] */
    op(k, 0x0812 | shift << 6);      /* lsrs r2, r2, #shift */
    op(k, leave << 8 | 0xd000 | 1u); /* beq or bne 1f */
    op(k, 0x2200);                   /* movs r2, #0 */
    end_loop(k, loop);
    count(k, RAM); /* 1: */
    spin(k);
}

static void wait_for_tick_value(struct code *k)
{
    ports_on(k);
    store(k, TICK + 4, 0xffff);
    store(k, TICK + 8, 0);
    store(k, TICK, 5);
    wait_for_counter(k, TICK + 8, 15, 0);
}

static void wait_for_cycle_count(struct code *k)
{
    ports_on(k);
    store(k, DWT, 1);
    wait_for_counter(k, DWT + 4, 14, 1);
}

static void counters_move(void **state)
{
    (void)state;
    same(wait_for_tick_value, 6 * SIM_MS);
    assert_int_equal(peek(chip[SKIPS], RAM), 1);
}

static void cycles_move(void **state)
{
    (void)state;
    same(wait_for_cycle_count, 6 * SIM_MS);
    assert_int_equal(peek(chip[SKIPS], RAM), 1);
}

static void blink(struct code *k)
{
    uint32_t loop;

    ports_on(k);
    store(k, GPIOB, 0x44333333);
    mov(k, 5, GPIOB);
    mov(k, 2, 0x21);
    mov(k, 7, 0x210000);
    loop = begin_loop(k);
    op(k, 0x612a); /* str r2, [r5, #16] */
    op(k, 0x612f); /* str r7, [r5, #16] */
    end_loop(k, loop);
}

static void what_others_see_is_done(void **state)
{
    (void)state;
    assert_false(same(blink, 2 * SIM_MS));
    assert_true(seen[SKIPS].n[EV_PIN] > 100);
}

static void feed(struct code *k)
{
    uint32_t loop;

    ports_on(k);
    store(k, IWDG, 0x5555);
    store(k, IWDG + 8, 9); /* 1 ms */
    store(k, IWDG, 0xcccc);
    mov(k, 5, IWDG);
    mov(k, 2, 0xaaaa);
    loop = begin_loop(k);
    op(k, 0x07db); /* lsls r3, r3, #31: the key */
    op(k, 0xd100); /* bne 1f */
    op(k, 0x602a); /* str r2, [r5] */
    op(k, 0x2300); /* 1: movs r3, #0 */
    end_loop(k, loop);
}

static void watchdog_is_fed(void **state)
{
    (void)state;
    same(feed, 200 * SIM_MS);
    assert_true(seen[SKIPS].n[EV_RESET] > 1); /* while the key is held */
    assert_true(seen[SKIPS].n[EV_RESET] < 10);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_is_seen),
        TEST(interrupts_come),
        TEST(interrupts_leave_a_branch_to_itself),
        TEST(milliseconds_are_counted),
        TEST(characters_are_sent),
        TEST(ram_is_part_of_the_state),
        TEST(counters_move),
        TEST(cycles_move),
        TEST(what_others_see_is_done),
        TEST(watchdog_is_fed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
