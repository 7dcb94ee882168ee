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
#include "script.h"
#include "tally.h"
#include "trial.h"

#include "config.h"
#include "fat.h"
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
static struct core_disk *disk;

/* Trials that ended in a wrong image once, or in a right one refused. */
static const struct tally_miss failed_once[] = {
    {HOST_LINUX_FLUSH, 32},
    {HOST_WINDOWS_STREAMS, 105},
    {HOST_WINDOWS_STREAMS, 218},
    {HOST_WINDOWS_STREAMS, 286},
    {HOST_LINUX_FLUSH, 338},
    {HOST_MACOS_14_4, 362},
    {HOST_MACOS_14_4, 494},
    {HOST_MACOS_14_4, 420},
    {HOST_MACOS_14_4, 552},
    {HOST_LINUX, 374},
    {HOST_LINUX, 456},
    {HOST_WINDOWS, 645},
    {HOST_WINDOWS, 201},
    {HOST_WINDOWS_STREAMS, 705},
    {HOST_WINDOWS_STREAMS, 516},
    {HOST_LINUX, 416},
    {HOST_LINUX, 666},
    {HOST_WINDOWS_2023, 677},
    {HOST_RANDOM, 680},
    {HOST_LINUX, 1},
    {HOST_LINUX_FSYNC, 371},
    {HOST_LINUX_FSYNC, 240},
    {HOST_LINUX_FSYNC, 378},
    {HOST_MACOS_15, 66},
    {HOST_MACOS_15, 67},
    {HOST_WINDOWS, 86},
    {HOST_WINDOWS, 592},
    {HOST_WINDOWS, 95},
    {HOST_WINDOWS_STREAMS, 104},
    {HOST_WINDOWS_STREAMS, 153},
    {HOST_WINDOWS_STREAMS, 533},
    {HOST_LINUX_SYNC, 85},
    {HOST_LINUX, 19},
    {HOST_LINUX_FLUSH, 24},
    {HOST_MACOS_15, 49},
    {HOST_MACOS_13, 108056},
    {HOST_WINDOWS_STREAMS, 115828},
    {HOST_MACOS_14_4, 102505},
    {HOST_MACOS_14_4, 105562},
    {HOST_MACOS_14, 105744},
    {HOST_MACOS_14_4, 105803},
    {HOST_FREEBSD, 105833},
    {HOST_LINUX_FLUSH, 100248},
    {HOST_LINUX_FLUSH, 100427},
    {HOST_LINUX_FLUSH, 102253},
    {HOST_LINUX_RENAME, 101107},
    {HOST_LINUX_RENAME, 101432},
    {HOST_LINUX_RENAME, 102771},
    {HOST_WINDOWS, 100214},
    {HOST_WINDOWS, 100666},
    {HOST_WINDOWS, 101894},
    {HOST_WINDOWS, 102041},
    {HOST_WINDOWS_STREAMS, 100305},
    {HOST_WINDOWS_STREAMS, 102063},
    {HOST_WINDOWS_2023, 100120},
    {HOST_MACOS_15, 100097},
    {HOST_MACOS_15, 100596},
    {HOST_MACOS_15, 101750},
    {HOST_RANDOM, 100108},
    {HOST_RANDOM, 100143},
    {HOST_RANDOM, 100342},
    {HOST_RANDOM, 100401},
#if !CONFIG_STAGED /* there it is larger than download is twice */
    {HOST_RANDOM, 101721},
#endif
    {HOST_RANDOM, 101905},
    {HOST_UEFI, 100000},
    {HOST_UEFI, 100382},
    {HOST_UEFI, 100435},
    {HOST_UEFI, 100490},
    {HOST_UEFI, 100810},
};

static void those_that_failed_once(void **state)
{
    struct trials *t = trials_new(&rig);
    struct trial_result r;
    struct tally tally = {.all = rig.staged};

    (void)state;
    for (size_t i = 0; i < sizeof failed_once / sizeof failed_once[0]; i++) {
        const struct tally_miss *m = &failed_once[i];
        trial_run(t, m->kind, m->seed, &r);
        tally_add(&tally, m->kind, m->seed, &r);
    }
    trials_free(t);
    assert_true(tally_good(&tally));
}

static bool many(uint64_t seed, uint32_t count, int host)
{
    struct trials *t = trials_new(&rig);
    struct trial_result r;
    struct tally tally = {.all = rig.staged};

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

/* ---- by hand: what no system does, or seldom ---- */

/* Each more than the window holds, and together less than download does. */
enum {
    CLUSTER = 4096,
    CLUSTERS = PART_APP_SIZE < 30 * 4096 ? 12 : 30,
    OTHERS = CLUSTERS * 4 / 5
};

static uint8_t image[CLUSTERS * CLUSTER], erased[PART_APP_SIZE];
static uint32_t chain[CLUSTERS];

/* A plain image: nothing in it says what is right. */
static void begin(struct script *s)
{
    payload_image(rig.board, 1, sizeof image, false, image);
    memset(erased, 0xFF, sizeof erased);
    for (uint32_t i = 0; i < CLUSTERS; i++)
        chain[i] = SCRIPT_FREE + i;
    script_begin(s, &rig, erased);
}

static void assert_is_image(void)
{
    static uint8_t slot[PART_APP_SIZE];

    rig.slot(rig.dev.ctx, slot);
    assert_memory_equal(slot, image, sizeof image);
    assert_true(rig.boots(rig.dev.ctx));
    assert_null(rig.fault(rig.dev.ctx));
}

static void assert_installed(struct script *s, uint32_t ms)
{
    assert_int_equal(script_result(s, ms), 'S');
    assert_is_image();
}

static void assert_refused(struct script *s, uint32_t ms)
{
    assert_int_equal(script_result(s, ms), 'E');
    assert_false(rig.boots(rig.dev.ctx));
    assert_null(rig.fault(rig.dev.ctx));
}

static void data(struct script *s, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        script_data(s, chain[i], 0, 8, image + i * CLUSTER);
}

/* Other sectors, until nothing of before is left in the window. */
static void push_out(struct script *s)
{
    static uint8_t other[CLUSTER];

    for (uint32_t i = 0; i < OTHERS; i++)
        script_data(s, SCRIPT_FREE + CLUSTERS + 20 + i, 0, 8, other);
}

/* All data before the FAT, by rising LBA: the clusters are guessed to be in
 * that order.  By falling LBA what was placed wrongly is moved, where pages can
 * be written again. */
static void the_chain_has_the_last_word(void **state)
{
    struct script s;

    (void)state;
    begin(&s);
    data(&s, 0, CLUSTERS);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    assert_installed(&s, 20000);

    begin(&s);
    for (uint32_t i = 1; i < CLUSTERS; i++)
        chain[i] = SCRIPT_FREE + CLUSTERS - i;
    data(&s, 0, 1);
    for (uint32_t i = CLUSTERS - 1; i; i--)
        data(&s, i, i + 1);
    push_out(&s);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    if (rig.staged || !PART_BIG_UNITS)
        assert_installed(&s, 45000);
    else
        assert_refused(&s, 20000);
}

/* What is larger than the window goes to the slot only where it may be an
 * image's: a photo that comes in order leaves the application. */
static void a_photo_changes_nothing(void **state)
{
    static uint8_t slot[PART_APP_SIZE];
    struct script s;

    (void)state;
    begin(&s);
    memcpy(slot, image, sizeof image);
    memset(slot + sizeof image, 0xFF, sizeof slot - sizeof image);
    script_begin(&s, &rig, slot);
    for (uint32_t i = 0; i < CLUSTERS; i++)
        script_data(&s, chain[i], 0, 8, image + 64);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    assert_int_equal(script_result(&s, 20000), 'E');
    assert_is_image();
}

/* A cluster is written again while nobody knows whose it is, and that has
 * left the window when it becomes known: what the slot has is outdated. */
static void what_was_lost_is_missed(void **state)
{
    static uint8_t other[CLUSTER];
    struct script s;

    (void)state;
    begin(&s);
    data(&s, 0, CLUSTERS);
    script_chain(&s, chain, CLUSTERS, false);
    push_out(&s);
    script_chain(&s, chain, CLUSTERS, true);
    memset(other, 0x55, sizeof other);
    script_data(&s, chain[10], 0, 8, other);
    push_out(&s);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    assert_refused(&s, 20000);
}

/* Entry and chain agree on a part of the file, all of which is there: who
 * cleans or synchronises may still go on. */
static void a_part_is_not_the_whole(void **state)
{
    struct script s;

    for (int clean = 0; clean < 2; clean++) {
        (void)state;
        begin(&s);
        script_mark(&s, true);
        data(&s, 0, CLUSTERS / 2);
        script_chain(&s, chain, CLUSTERS / 2, false);
        script_entry(&s, chain[0], sizeof image / 2);
        script_info(&s);
        if (clean)
            script_mark(&s, false);
        else
            script_sync(&s);
        script_wait(&s, 20000);
        script_mark(&s, true);
        data(&s, CLUSTERS / 2, CLUSTERS);
        script_chain(&s, chain, CLUSTERS, false);
        script_entry(&s, chain[0], sizeof image);
        assert_installed(&s, 60000);
    }
}

/* A download by DFU begins in the middle of a copy.  Staged, all of the copy
 * may still be there. */
static void another_door_wins(void **state)
{
    struct script s;
    uint8_t sector[FH_SECTOR + 1] = {0};

    (void)state;
    begin(&s);
    data(&s, 0, CLUSTERS / 2);
    core_disk_other_door(disk);
    data(&s, CLUSTERS / 2, CLUSTERS);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    if (rig.staged) {
        if (script_result(&s, 20000) == 'S')
            assert_is_image();
    } else {
        assert_refused(&s, 20000);
        assert_true(rig.dev.read(rig.dev.ctx, FAT_LBA(FAT_STATUS), 1, sector));
        assert_non_null(strstr((char *)sector, "interrupted"));
    }
    /* Then the same again. */
    s.mounts = rig.mounts(rig.dev.ctx);
    data(&s, 0, CLUSTERS);
    script_chain(&s, chain, CLUSTERS, false);
    script_entry(&s, chain[0], sizeof image);
    script_eject(&s);
    assert_installed(&s, 20000);
}

/* The flash notices what the silicon does not do. */
static void flash_has_rules(void **state)
{
    struct fake_flash *f = core_disk_flash(disk);
    static _Alignas(4) const uint8_t one[4] = {0x12, 0x34, 0x56, 0x78};
    static _Alignas(4) const uint8_t two[4] = {0x13, 0x34, 0x56, 0x78};
    static _Alignas(4) const uint8_t none[4];
    uint8_t byte = 0xFF;
    uint32_t at = PART_APP_START;

    (void)state;
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flash_has_rules),
        cmocka_unit_test(the_chain_has_the_last_word),
        cmocka_unit_test(a_photo_changes_nothing),
        cmocka_unit_test(what_was_lost_is_missed),
        cmocka_unit_test(a_part_is_not_the_whole),
        cmocka_unit_test(another_door_wins),
        cmocka_unit_test(those_that_failed_once),
        cmocka_unit_test(hosts),
    };
    int status;

    disk = core_disk_new(&rig);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1)
        status = replay(argc, argv);
    else
        status = cmocka_run_group_tests_name(BOARD_NAME, tests, NULL, NULL);
    core_disk_free(disk);
    return status;
}
