/* SPDX-License-Identifier: MIT */
/*
 * test_chip_flash.c - the virtual chip's flash: programming, erasing, its
 * time, its rules, and power that fails in the middle.
 */
#include "chip_bench.h"

#include "periph.h"
#include "thumb.h"

#define KEYR   0x40022004u
#define SR     0x4002200cu
#define CR     0x40022010u
#define AR     0x40022014u
#define KEY1   0x45670123u
#define KEY2   0xcdef89abu
#define TICK   0xe000e010u
#define TARGET 0x08010000u

enum { PG = 1, PER = 2, MER = 4, STRT = 0x40, LOCK = 0x80 };
enum { BSY = 1, PGERR = 4, WRPRTERR = 0x10, EOP = 0x20 };

static int set_up(void **state)
{
    return bench_new(state, "stm32f103ze", NULL);
}

static void unlock(struct code *k)
{
    store(k, KEYR, KEY1);
    store(k, KEYR, KEY2);
}

static void erase(struct code *k, uint32_t addr)
{
    store(k, CR, PER);
    store(k, AR, addr);
    store(k, CR, PER | STRT);
    wait_clear(k, SR, BSY);
    store(k, CR, 0);
}

static void program16(struct code *k, uint32_t addr, uint16_t v)
{
    store(k, CR, PG);
    store16(k, addr, v);
    wait_clear(k, SR, BSY);
    store(k, CR, 0);
}

/* ---- what works ---- */

static void erases_and_programs(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0);
    word(b->c, TARGET + 0x7fc, 0);
    word(b->c, TARGET + 0x800, 0x55aa);
    unlock(&k);
    erase(&k, TARGET + 0x10);
    program16(&k, TARGET, 0x1234);
    program16(&k, TARGET + 2, 0x5678);
    copy(&k, SR, RAM);
    store(&k, SR, EOP);
    copy(&k, SR, RAM + 4);
    spin(&k);
    start(b, 100 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET), 0x56781234);
    assert_int_equal(peek(b->c, TARGET + 0x7fc), 0xffffffff);
    assert_int_equal(peek(b->c, TARGET + 0x800), 0x55aa);
    assert_int_equal(peek(b->c, RAM), EOP);
    assert_int_equal(peek(b->c, RAM + 4), 0);
    assert_int_equal(chip_flash_erases(b->c), 1);
    assert_int_equal(chip_flash_programs(b->c), 2);
}

static void time_is_the_data_sheet_s(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    erase(&k, TARGET);
    store(&k, RAM, 1);
    program16(&k, TARGET, 0);
    store(&k, RAM, 2);
    spin(&k);
    chip_power(b->c, true);
    word(b->c, RAM, 0);
    chip_run(b->c, 30 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    chip_run(b->c, 30 * SIM_MS + 50 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 1);
    chip_run(b->c, 30 * SIM_MS + 120 * SIM_US);
    assert_int_equal(peek(b->c, RAM), 2);
    assert_true(chip_instructions(b->c) < 400); /* it stalled */
}

static void base_register_is_written_back(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store(&k, CR, PG);
    mov(&k, 0, TARGET);
    mov(&k, 1, 0xabcd);
    op(&k, 0xf820), op(&k, 0x1b02); /* strh r1, [r0], #2 */
    op(&k, 0x2900);                 /* cmp r1, #0 */
    op(&k, 0xbf1c);                 /* itt ne */
    op(&k, 0xf820), op(&k, 0x1b02); /* strhne r1, [r0], #2 */
    op(&k, 0x4602);                 /* movne r2, r0 */
    save(&k, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET), 0xabcdabcd);
    assert_int_equal(peek(b->c, RAM), TARGET + 4);
}

static void zero_may_go_over_anything(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0xffff1234);
    unlock(&k);
    program16(&k, TARGET, 0);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, TARGET), 0xffff0000);
}

static void mass_erase(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store(&k, CR, MER);
    store(&k, CR, MER | STRT);
    spin(&k);
    start(b, 39 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0); /* still stalled */
    assert_int_equal(peek(b->c, FLASH), 0xffffffff);
    chip_run(b->c, 50 * SIM_MS); /* erased words are undefined: 0xffff */
    assert_true(chip_guest_errors(b->c) > 0);
}

/* ---- stale code ---- */

static void new_code_is_run(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), f = {b->c, TARGET};

    op(&f, 0x2201); /* movs r2, #1 */
    ret(&f);
    call(&k, TARGET);
    save(&k, RAM);
    call(&k, TARGET - FLASH); /* the alias at 0 */
    unlock(&k);
    erase(&k, TARGET);
    program16(&k, TARGET, 0x2202); /* movs r2, #2 */
    program16(&k, TARGET + 2, 0x4770);
    call(&k, TARGET);
    save(&k, RAM + 4);
    call(&k, TARGET - FLASH);
    save(&k, RAM + 8);
    spin(&k);
    start(b, 100 * SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 0);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(peek(b->c, RAM + 4), 2);
    assert_int_equal(peek(b->c, RAM + 8), 2);
}

/* ---- code in RAM goes on ---- */

static void ram_code_polls(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), r = {b->c, RAM + 0x1000};

    unlock(&k);
    jump(&k, RAM + 0x1000);
    chip_power(b->c, true);
    store(&r, CR, PER);
    store(&r, AR, TARGET);
    store(&r, CR, PER | STRT);
    wait_clear(&r, SR, BSY);
    store(&r, RAM, 1);
    spin(&r);
    word(b->c, RAM, 0);
    chip_run(b->c, 29 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 0);
    assert_true(chip_instructions(b->c) > 10000); /* it polled */
    chip_run(b->c, 31 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_int_equal(chip_guest_errors(b->c), 0);
}

static void ram_code_stalls_on_a_read(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c), r = {b->c, RAM + 0x1000};

    unlock(&k);
    jump(&k, RAM + 0x1000);
    chip_power(b->c, true);
    store(&r, CR, PER);
    store(&r, AR, TARGET);
    store(&r, CR, PER | STRT);
    store(&r, RAM, 1);
    load(&r, FLASH + 0x8000);
    store(&r, RAM, 2);
    spin(&r);
    word(b->c, RAM, 0);
    chip_run(b->c, 29 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 1);
    assert_true(chip_instructions(b->c) < 100);
    chip_run(b->c, 31 * SIM_MS);
    assert_int_equal(peek(b->c, RAM), 2);
}

static void interrupts_wait_for_the_flash(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    vector(b->c, 15, FLASH + 0x1000);
    counting_handler(b->c, FLASH + 0x1000, RAM);
    store(&k, RAM, 0);
    store(&k, TICK + 4, 7999);
    store(&k, TICK + 8, 0);
    store(&k, TICK, 7);
    unlock(&k);
    erase(&k, TARGET);
    copy(&k, RAM, RAM + 4);
    spin(&k);
    start(b, 31 * SIM_MS);
    assert_int_equal(peek(b->c, RAM + 4), 1); /* 30 ticks became one */
}

/* ---- rules ---- */

static void expect_fault(struct bench *b, const char *text)
{
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 2);
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], "hard fault"));
    assert_non_null(strstr(b->last[EV_GUEST_ERROR], text));
    assert_int_equal(peek(b->c, TARGET), 0xffffffff);
    assert_int_equal(chip_flash_ops(b->c), 0);
}

static void locked_flash_is_not_written(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store16(&k, TARGET, 0);
    spin(&k);
    expect_fault(b, "write to 0x08010000");
}

static void words_are_refused(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store(&k, CR, PG);
    store(&k, TARGET, 0);
    spin(&k);
    expect_fault(b, "write to 0x08010000");
}

static void stores_without_pg_are_refused(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    unlock(&k);
    store16(&k, TARGET, 0);
    spin(&k);
    expect_fault(b, "write to 0x08010000");
}

static void wrong_key_locks_until_reset(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, KEYR, 0x12345678);
    spin(&k);
    expect_fault(b, "write to 0x40022004");
}

static void cells_must_be_erased(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    word(b->c, TARGET, 0xffff1234);
    unlock(&k);
    program16(&k, TARGET, 0x1230);
    copy(&k, SR, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_int_equal(peek(b->c, TARGET), 0xffff1234);
    assert_int_equal(peek(b->c, RAM), PGERR);
    assert_int_equal(chip_flash_ops(b->c), 0);
}

static void control_is_locked(void **state)
{
    struct bench *b = *state;
    struct code k = program(b->c);

    store(&k, CR, PG);
    copy(&k, CR, RAM);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(chip_guest_errors(b->c), 1);
    assert_int_equal(peek(b->c, RAM), LOCK);
}

/* The same chip with its first pages protected by option bytes. */
static struct chip *protected_chip(struct bench *b, struct chip_model *m,
                                   struct device *rows)
{
    static const struct flash_f1_facts facts = {2048, 2, 0xfffffffe};
    size_t i;

    *m = *chip_model_find("stm32f103ze");
    for (i = 0; i < m->n_devices; i++) {
        rows[i] = m->devices[i];
        if (!strcmp(rows[i].name, "FLASH"))
            rows[i].facts = &facts;
    }
    m->devices = rows;
    return chip_new(m, NULL, bench_event, b);
}

static void protected_pages_stay(void **state)
{
    struct bench *b = *state;
    struct chip_model m;
    struct device rows[64];
    struct code k;

    chip_free(b->c);
    b->c = protected_chip(b, &m, rows);
    k = program(b->c);
    unlock(&k);
    program16(&k, FLASH + 0xffe, 0);
    copy(&k, SR, RAM);
    store(&k, SR, WRPRTERR);
    erase(&k, FLASH);
    copy(&k, SR, RAM + 4);
    store(&k, SR, WRPRTERR);
    program16(&k, FLASH + 0x1000, 0);
    copy(&k, SR, RAM + 8);
    spin(&k);
    start(b, SIM_MS);
    assert_int_equal(peek(b->c, RAM), WRPRTERR);
    assert_int_equal(peek(b->c, RAM + 4), WRPRTERR);
    assert_int_equal(peek(b->c, RAM + 8), EOP);
    assert_int_equal(peek(b->c, FLASH + 0xffc), 0xffffffff);
    assert_int_equal(peek(b->c, FLASH + 0x1000), 0xffff0000);
    assert_int_equal(chip_guest_errors(b->c), 2);
    chip_free(b->c); /* before the tables go */
    b->c = NULL;
}

/* ---- power cuts ---- */

static void eraser(struct bench *b)
{
    struct code k = program(b->c);

    unlock(&k);
    erase(&k, TARGET);
    program16(&k, TARGET, 0x0f0f);
    program16(&k, TARGET + 2, 0);
    spin(&k);
    word(b->c, TARGET, 0x00000000);
    word(b->c, TARGET + 4, 0x00000000);
}

static uint32_t cut(struct bench *b, uint64_t n, enum cut_mode mode,
                    uint32_t seed)
{
    chip_power(b->c, false);
    eraser(b);
    chip_cut_at(b->c, n, mode, seed);
    start(b, 100 * SIM_MS);
    assert_true(chip_was_cut(b->c));
    assert_int_equal(chip_guest_errors(b->c), 0);
    return peek(b->c, TARGET);
}

static void power_fails(void **state)
{
    struct bench *b = *state;
    uint32_t torn, half;

    assert_int_equal(cut(b, 0, CUT_BEFORE, 1), 0);
    assert_int_equal(cut(b, 0, CUT_AFTER, 1), 0xffffffff);
    torn = cut(b, 0, CUT_TORN, 1);
    assert_int_not_equal(torn, 0);
    assert_int_not_equal(torn, 0xffffffff);
    assert_int_equal(cut(b, 0, CUT_TORN, 1), torn);
    assert_int_not_equal(cut(b, 0, CUT_TORN, 2), torn);
    assert_int_equal(cut(b, 1, CUT_BEFORE, 1), 0xffffffff);
    assert_int_equal(cut(b, 1, CUT_AFTER, 1), 0xffff0f0f);
    half = cut(b, 1, CUT_TORN, 7);
    assert_int_equal(half & 0xffff0f0f, 0xffff0f0f);
    assert_int_equal(cut(b, 2, CUT_BEFORE, 1), 0xffff0f0f);
    assert_int_equal(cut(b, 2, CUT_AFTER, 1), 0x00000f0f);
}

static void cut_stops_the_run(void **state)
{
    struct bench *b = *state;
    sim_time at;

    eraser(b);
    chip_cut_at(b->c, 1, CUT_AFTER, 0);
    start(b, 100 * SIM_MS);
    at = chip_now(b->c);
    assert_in_range(at / SIM_US, 30000, 30100);
    chip_run(b->c, at + SIM_MS);
    assert_true(chip_was_cut(b->c));
    chip_power(b->c, true);
    assert_false(chip_was_cut(b->c));
    chip_run(b->c, at + 100 * SIM_MS);
    assert_int_equal(peek(b->c, TARGET), 0x00000f0f);
    assert_int_equal(chip_flash_ops(b->c), 2 + 3);
}

static void never_means_never(void **state)
{
    struct bench *b = *state;

    eraser(b);
    chip_cut_at(b->c, 0, CUT_BEFORE, 0);
    chip_cut_never(b->c);
    start(b, 100 * SIM_MS);
    assert_false(chip_was_cut(b->c));
    assert_int_equal(peek(b->c, TARGET), 0x00000f0f);
}

/* ---- snapshots ---- */

static void snapshot_in_the_middle_of_an_erase(void **state)
{
    struct bench *b = *state;
    struct chip_snapshot *before, *during;
    unsigned i;

    eraser(b);
    chip_power(b->c, true);
    before = chip_save(b->c);
    chip_run(b->c, 10 * SIM_MS);
    during = chip_save(b->c);
    for (i = 0; i < 3; i++) {
        chip_restore(b->c, i == 1 ? before : during);
        if (i == 1)
            assert_int_equal(peek(b->c, TARGET), 0);
        chip_run(b->c, 100 * SIM_MS);
        assert_int_equal(peek(b->c, TARGET), 0x00000f0f);
        assert_int_equal(chip_flash_ops(b->c), 3);
        assert_int_equal(chip_guest_errors(b->c), 0);
    }
    chip_snapshot_free(before);
    chip_snapshot_free(during);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_free)
    const struct CMUnitTest tests[] = {
        TEST(erases_and_programs),
        TEST(time_is_the_data_sheet_s),
        TEST(base_register_is_written_back),
        TEST(zero_may_go_over_anything),
        TEST(mass_erase),
        TEST(new_code_is_run),
        TEST(ram_code_polls),
        TEST(ram_code_stalls_on_a_read),
        TEST(interrupts_wait_for_the_flash),
        TEST(locked_flash_is_not_written),
        TEST(words_are_refused),
        TEST(stores_without_pg_are_refused),
        TEST(wrong_key_locks_until_reset),
        TEST(cells_must_be_erased),
        TEST(control_is_locked),
        TEST(protected_pages_stay),
        TEST(power_fails),
        TEST(cut_stops_the_run),
        TEST(never_means_never),
        TEST(snapshot_in_the_middle_of_an_erase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
