/* SPDX-License-Identifier: MIT */
/*
 * test_idle.c - a virtual chip that jumps over waiting (sim/idle.c) against
 * one that executes every instruction: the same host does the same to both,
 * and after each step they are the same chip, to the cycle and the byte.
 *
 *   test_idle BOARD
 */
#include "rig.h"

#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SKIPS, RUNS_ALL, RIGS };
enum { IMAGE = 20 * 1024, RAM = 192 * 1024 };

static const char *board;
static struct rig *rig[RIGS];
static uint8_t image[IMAGE];
static uint8_t memory[RIGS][RAM];

static uint32_t ram_bytes(const struct rig *r)
{
    return r->board->ram_end - r->board->ram;
}

static void assert_same(const char *step)
{
    struct chip *a = rig[SKIPS]->chip, *b = rig[RUNS_ALL]->chip;
    uint32_t n = ram_bytes(rig[SKIPS]);

    if (chip_now(a) != chip_now(b) ||
        chip_instructions(a) != chip_instructions(b))
        fail_msg("%s: %llu ps, %llu instructions, not %llu and %llu", step,
                 (unsigned long long)chip_now(a),
                 (unsigned long long)chip_instructions(a),
                 (unsigned long long)chip_now(b),
                 (unsigned long long)chip_instructions(b));
    assert_int_equal(chip_pc(a), chip_pc(b));
    assert_int_equal(chip_flash_ops(a), chip_flash_ops(b));
    assert_memory_equal(chip_flash(a), chip_flash(b), chip_flash_size(a));
    for (unsigned i = 0; i < RIGS; i++)
        assert_true(chip_peek(rig[i]->chip, rig[i]->board->ram, memory[i], n));
    assert_memory_equal(memory[SKIPS], memory[RUNS_ALL], n);
    assert_string_equal(chip_usart_text(a), chip_usart_text(b));
    assert_int_equal(chip_guest_errors(a), 0);
}

/* ---- what is done to both ---- */

static bool waits(struct rig *r)
{
    host_wait(r->host, 60 * SIM_MS + 12345 * SIM_NS);
    return true;
}

static bool enumerates(struct rig *r)
{
    return rig_power_cycle(r) >= 0 && rig_open(r) >= 0;
}

/* Between the bus's frames, in which the host asks for nothing. */
static bool waits_in_small_steps(struct rig *r)
{
    for (unsigned i = 0; i < 500; i++)
        host_wait(r->host, 7 * SIM_US);
    return true;
}

static bool erases(struct rig *r)
{
    return rig_ok(rig_erase(r, r->board->slot));
}

static bool writes(struct rig *r)
{
    return rig_ok(rig_write_at(r, r->board->slot, image, r->board->block));
}

/* Asks again and again while the chip waits for its flash. */
static bool writes_impatiently(struct rig *r)
{
    return rig_ok(
        rig_write_impatient(r, 3, image + r->board->block, r->board->block));
}

static bool loses_the_cable(struct rig *r)
{
    wire_plug(chip_wire(r->chip), false);
    host_wait(r->host, 30 * SIM_MS);
    wire_plug(chip_wire(r->chip), true);
    return host_enumerate(r->host) >= 0;
}

static bool installs(struct rig *r)
{
    return rig_install(r, image, IMAGE) == 0 && rig_app_runs(r, 500 * SIM_MS);
}

static bool returns(struct rig *r)
{
    return rig_reset_with_key(r) >= 0 && rig_open(r) >= 0;
}

static bool starts_the_demo(struct rig *r)
{
    static uint8_t demo[64 * 1024];
    size_t n = rig_read_file(rig_demo(r, "demo"), demo, sizeof(demo));

    chip_power(r->chip, false);
    rig_flash_put(r, r->board->slot, demo, n);
    chip_power(r->chip, true);
    host_wait(r->host, 150 * SIM_MS);
    return n && rig_app_runs(r, 0);
}

static const struct {
    const char *name;
    bool (*act)(struct rig *r);
} steps[] = {
    {"power on, enumerate, open", enumerates},
    {"wait", waits},
    {"wait in small steps", waits_in_small_steps},
    {"erase", erases},
    {"write", writes},
    {"write, ask at once", writes_impatiently},
    {"cable out and in", loses_the_cable},
    {"install", installs},
    {"wait in the application", waits},
    {"reset with the key held", returns},
    {"the demo application", starts_the_demo},
};

/* And most of it was jumped over. */
static void same_chip(void **state)
{
    const char *elf = *state;

    for (unsigned i = 0; i < RIGS; i++) {
        rig[i] = rig_new(board, rig_firmware(board, elf));
        assert_non_null(rig[i]);
        chip_skip_idle(rig[i]->chip, i == SKIPS);
    }
    assert_true(ram_bytes(rig[SKIPS]) <= RAM);
    rig_image_stamped(rig[SKIPS]->board, image, IMAGE, 5);
    for (unsigned s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (unsigned i = 0; i < RIGS; i++)
            if (!steps[s].act(rig[i]))
                fail_msg("%s: does not work", steps[s].name);
        assert_same(steps[s].name);
    }
    assert_int_equal(chip_skipped(rig[RUNS_ALL]->chip), 0);
    assert_true(chip_skipped(rig[SKIPS]->chip) >
                chip_instructions(rig[SKIPS]->chip) / 2);
    for (unsigned i = 0; i < RIGS; i++)
        rig_free(rig[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(same_chip, "sallyport-dfu.elf"),
        cmocka_unit_test_prestate(same_chip, "sallyport-both.elf"),
    };

    board = argc > 1 ? argv[1] : "stm32f103ze";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
