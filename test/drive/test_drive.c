/* SPDX-License-Identifier: MIT
 *
 * The core's drive, built for this machine, and hosts that copy files onto
 * it: some ten thousand trials (trial.h), none of which may end in a wrong
 * image.
 *
 *   test_drive                       what the test suite runs
 *   test_drive --count N --seed S    N trials of each host from seed S on
 *   test_drive --host NAME --seed S  one trial, to see what happened;
 *              --save DIRECTORY      and its files
 */
#include "core_disk.h"
#include "fake_flash.h"
#include "tally.h"
#include "trial.h"

#include "config.h"
#include "flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Trials of each host: together ten thousand. */
#ifndef TRIALS
#define TRIALS 715u
#endif

static struct trial_rig rig;

/* Trials that went wrong once. */
static const struct tally_miss failed_once[] = {
    {HOST_LINUX, 0},
};

static void those_that_failed_once(void **state)
{
    struct trials *t = trials_new(&rig);
    struct trial_result r;
    struct tally tally = {0};

    (void)state;
    for (size_t i = 0; i < sizeof failed_once / sizeof failed_once[0]; i++) {
        const struct tally_miss *m = &failed_once[i];
        trial_run(t, m->kind, m->seed, &r);
        tally_add(&tally, m->kind, m->seed, &r);
    }
    trials_free(t);
    assert_int_equal(tally.wrong, 0);
}

static bool many(uint64_t seed, uint32_t count, int host)
{
    struct trials *t = trials_new(&rig);
    struct trial_result r;
    struct tally tally = {0};

    for (uint32_t i = 0; i < count; i++) {
        for (int kind = 0; kind < HOST_KINDS; kind++) {
            if (host >= 0 && kind != host)
                continue;
            trial_run(t, kind, seed + i, &r);
            tally_add(&tally, kind, seed + i, &r);
        }
    }
    trials_free(t);
    tally_print(&tally);
    return tally_good(&tally);
}

static void hosts(void **state)
{
    (void)state;
    assert_true(many(1, TRIALS, -1));
}

/* The flash notices what the silicon does not do. */
static void flash_has_rules(void **state)
{
    struct fake_flash *f = *state;
    static _Alignas(4) const uint8_t one[4] = {0x12, 0x34, 0x56, 0x78};
    static _Alignas(4) const uint8_t two[4] = {0x13, 0x34, 0x56, 0x78};
    static _Alignas(4) const uint8_t none[4];
    uint8_t byte = 0xFF;
    uint32_t at = PART_APP_START;

    fake_flash_load(f, at, &byte, 1);
    f->to = at + PART_APP_SIZE;
    assert_true(flash_program(at, one, 4));
    assert_true(flash_program(at, one, 4)); /* the same again */
    assert_string_equal(f->fault, "");
    assert_false(flash_program(at, two, 4));
    assert_non_null(strstr(f->fault, "flash at 0x0800"));
    f->fault[0] = 0;
    assert_true(flash_program(at, none, 4));
    assert_string_equal(f->fault, "");
    assert_int_equal(*(const uint32_t *)(uintptr_t)at, 0);
    flash_erase(at);
    assert_int_equal(*(const uint32_t *)(uintptr_t)at, 0xFFFFFFFF);
    assert_string_equal(f->fault, "");
    flash_erase(at + 4);
    assert_string_not_equal(f->fault, "");
    f->fault[0] = 0;
    flash_erase(BOARD_FLASH_BASE);
    assert_string_not_equal(f->fault, "");
    f->fault[0] = 0;
    assert_false(flash_program(at - 4, one, 4));
    assert_string_not_equal(f->fault, "");
    f->fault[0] = 0;
    flash_program(at + 16, one + 1, 2);
#ifndef BOARD_FLASH_F4
    assert_string_not_equal(f->fault, "");
#endif
    fake_flash_load(f, at, &byte, 1);
}

static int host_by_name(const char *name)
{
    for (int kind = 0; kind < HOST_KINDS; kind++)
        if (!strcmp(host_name(kind), name))
            return kind;
    fprintf(stderr, "no host %s\n", name);
    exit(2);
}

static int replay(int argc, char **argv)
{
    int host = -1;
    uint64_t seed = 1;
    uint32_t count = 0;
    const char *save = NULL;

    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--host"))
            host = host_by_name(value);
        else if (!strcmp(argv[i], "--seed"))
            seed = strtoull(value, NULL, 0);
        else if (!strcmp(argv[i], "--count"))
            count = (uint32_t)strtoul(value, NULL, 0);
        else if (!strcmp(argv[i], "--save"))
            save = value;
        else
            return 2;
    }
    if (count || host < 0)
        return !many(seed, count ? count : 1, host);
    struct trials *t = trials_new(&rig);
    struct trial_result r;
    trials_trace(t, true);
    trial_run(t, host, seed, &r);
    tally_print_trial(host, seed, &r);
    if (save && !trial_save(t, host, seed, save))
        perror(save);
    trials_free(t);
    return r.verdict == TRIAL_WRONG ||
           (r.promised && r.verdict != TRIAL_INSTALLED);
}

int main(int argc, char **argv)
{
    struct core_disk *disk = core_disk_new(&rig);
    struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_failed_once),
        cmocka_unit_test(hosts),
        cmocka_unit_test_prestate(flash_has_rules, core_disk_flash(disk)),
    };
    int status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        status = replay(argc, argv);
    else
        status = cmocka_run_group_tests_name(BOARD_NAME, tests, NULL, NULL);
    core_disk_free(disk);
    return status;
}
