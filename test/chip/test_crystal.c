/* SPDX-License-Identifier: MIT */
/*
 * test_crystal.c - a board whose crystal does not start: the application runs
 * as ever, and the bootloader is on the bus by the internal oscillator or,
 * where that cannot give 48 MHz, says so by the LED.
 *
 *   test_crystal BOARD
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "load.h"
#include "model.h"
#include "rig.h"
#include "wire.h"

static const struct rig_board *facts;
static struct sim_board board; /* without its crystal */
static struct chip *chip;

static int set_up(void **state)
{
    char error[LOAD_ERROR_MAX] = "";

    (void)state;
    chip = chip_new(board.model, &board, NULL, NULL);
    return !chip ||
           chip_load(chip, rig_firmware(facts->name, "sallyport-dfu.elf"),
                     false, 0, error);
}

static int tear_down(void **state)
{
    (void)state;
    chip_free(chip);
    return 0;
}

static void run_for(sim_time t)
{
    chip_run(chip, chip_now(chip) + t);
}

/* What the LED does, looked at every 5 ms. */
static unsigned led_changes(sim_time t)
{
    const struct board_named_pin *led = &board.pins[0];
    unsigned changes = 0;
    int level = chip_pin_level(chip, led->at.port, led->at.pin);

    for (sim_time end = chip_now(chip) + t; chip_now(chip) < end;) {
        int now;

        run_for(5 * SIM_MS);
        now = chip_pin_level(chip, led->at.port, led->at.pin);
        changes += now != level;
        level = now;
    }
    return changes;
}

/* F107: its PLL makes 36 MHz at most of the HSI (RM0008 clause 8.3.2). */
static bool can_do_without(void)
{
    return strcmp(facts->family, "F107") != 0;
}

static void test_bootloader(void **state)
{
    struct host *host;

    (void)state;
    chip_power(chip, true);
    if (!can_do_without()) {
        /* Twice as fast as a bootloader that waits for a host. */
        assert_in_range(led_changes(2 * SIM_S), 8, 30);
        assert_false(wire_attached(chip_wire(chip)));
        assert_int_equal(chip_guest_errors(chip), 0);
        return;
    }
    host = host_new(chip, &host_timing_fast);
    assert_non_null(host);
    assert_int_equal(host_enumerate(host), 0);
    host_free(host);
    assert_int_equal(chip_guest_errors(chip), 1);
    assert_non_null(strstr(chip_last_guest_error(chip),
                           "comes from the HSI, which is not accurate"));
}

static void test_application(void **state)
{
    static uint8_t image[4096];

    (void)state;
    rig_image_stamped(facts, image, sizeof(image), 1);
    memcpy(chip_flash(chip) + (facts->slot - facts->flash), image,
           sizeof(image));
    chip_flash_changed(chip);
    chip_power(chip, true);
    run_for(2 * SIM_MS);
    assert_int_equal(chip_vtor(chip), facts->slot);
    assert_int_equal(chip_guest_errors(chip), 0);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "stm32f103ze";
    const struct sim_board *found = sim_board_find(name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bootloader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_application, set_up, tear_down),
    };

    facts = rig_board(name);
    if (!found || !facts) {
        fprintf(stderr, "test_crystal: there is no board %s\n", name);
        return 2;
    }
    board = *found;
    board.hse_hz = 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
