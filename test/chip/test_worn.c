/* SPDX-License-Identifier: MIT */
/*
 * test_worn.c - flash that fails without saying so: each operation of an
 * update fails once, or from there on for ever; nothing changes, or all but
 * one bit.  The host has to see an error and nothing half may start; when
 * the flash works again, so does an update.
 *
 *   test_worn BOARD
 */
#include "cuts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Not every operation fails for ever: one in so many does. */
enum { EVER = 8, SAME_SESSION = 97 };

static unsigned long points, silent;
static unsigned stride;

/* Polls until the chip has gone through the failing operation and either
 * shows an error or has calmed down.  GETSTATUS is answered when the flash is
 * no longer busy. */
static struct rig_status poll_to_the_end(struct lab *l, uint64_t failing)
{
    struct rig_status s = {0};
    unsigned calm = 0;

    for (unsigned i = 0; i < 2000 && calm < 4; i++) {
        uint64_t ops = chip_flash_ops(l->r->chip);

        s = rig_getstatus(l->r);
        if (s.result < 0 || s.state == DFU_ERROR)
            break;
        if (s.state != DFU_DNBUSY && chip_flash_ops(l->r->chip) == ops &&
            ops > failing)
            calm++;
        host_wait(l->r->host, SIM_MS / 10);
    }
    return s;
}

static bool is_error(struct rig_status s)
{
    return s.result == 6 && s.state == DFU_ERROR &&
           (s.status == 4 || s.status == 6 || s.status == 7 || s.status == 10);
}

static void same_session(struct lab *l)
{
    chip_flash_fail_at(l->r->chip, 0, 0, FLASH_FAIL_ALL);
    if (rig_open(l->r) < 0 || !lab_install(l))
        lab_fail(l, &l->count.unrecovered, "the same host cannot go on");
}

/* Erases among the next n operations. */
static uint64_t erases_among(struct lab *l, const struct chip_snapshot *from,
                             unsigned n)
{
    struct chip *c = l->r->chip;
    uint64_t before, ops;

    if (!n)
        return 0;
    chip_restore(c, from);
    before = chip_flash_erases(c);
    ops = chip_flash_ops(c);
    chip_cut_at(c, n - 1, CUT_AFTER, 0);
    poll_to_the_end(l, ops + n);
    ops = chip_flash_erases(c) - before;
    chip_cut_never(c);
    return ops;
}

/* The word that is cleared before its page is erased: two half-words or four
 * bytes, which may fail without harm where the power stays. */
static bool cleared_before_erase(struct lab *l,
                                 const struct chip_snapshot *from, unsigned i)
{
    uint64_t so_far = erases_among(l, from, i);
    unsigned units = 4 / l->r->board->least;

    return erases_among(l, from, i + 1) == so_far &&
           erases_among(l, from, i + units + 1) > so_far;
}

static bool error_seen(struct lab *l, const struct chip_snapshot *from,
                       unsigned i, enum flash_failure how, bool ever)
{
    struct chip *c = l->r->chip;

    chip_restore(c, from);
    chip_flash_fail_at(c, i, ever ? UINT32_MAX : 1, how);
    return is_error(poll_to_the_end(l, chip_flash_ops(c) + i));
}

static void fail_op(struct lab *l, const struct chip_snapshot *from, unsigned i,
                    enum flash_failure how, bool ever)
{
    struct chip *c = l->r->chip;

    snprintf(l->where, sizeof(l->where), "operation %llu, %s fails%s",
             (unsigned long long)l->op + i,
             how == FLASH_FAIL_ALL ? "all" : "a bit", ever ? " for ever" : "");
    if (!error_seen(l, from, i, how, ever)) {
        if (ever || !cleared_before_erase(l, from, i))
            lab_fail(l, &silent, "the host sees no error");
        error_seen(l, from, i, how, ever); /* that looked elsewhere */
    }
    if (chip_guest_errors(c))
        lab_fail(l, &l->count.errors, chip_last_guest_error(c));
    points++;
    if ((l->op + i) % SAME_SESSION == 0) {
        same_session(l);
        return;
    }
    chip_flash_fail_at(c, 0, 0, FLASH_FAIL_ALL);
    chip_power(c, false);
    lab_judge(l);
}

static void visit(struct lab *l, const struct chip_snapshot *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t op = l->op + i;

        if (op % stride && op > 8 && i + 8 < n)
            continue;
        fail_op(l, from, i, FLASH_FAIL_ALL, false);
        fail_op(l, from, i, FLASH_FAIL_BIT, false);
        if (op % (EVER * stride))
            continue;
        fail_op(l, from, i, FLASH_FAIL_ALL, true);
        fail_op(l, from, i, FLASH_FAIL_BIT, true);
    }
}

static struct rig *rig;

static void wear(const struct lab_scenario *s, unsigned one_in)
{
    struct lab *l = lab_new(rig, s);

    assert_non_null(l);
    points = silent = 0;
    stride = one_in;
    assert_true(lab_walk(l, visit));
    printf(
        "worn %s %s: %lu operations, %lu failures; not seen by the host %lu, "
        "half images %lu, bricks %lu, failed recoveries %lu, damage outside "
        "%lu, guest errors %lu\n",
        rig->board->name, s->name, l->count.ops, points, silent, l->count.half,
        l->count.bricks, l->count.unrecovered, l->count.damaged,
        l->count.errors);
    assert_int_equal(silent, 0);
    assert_int_equal(lab_failures(&l->count), 0);
    lab_free(l);
}

static void every_operation(void **state)
{
    (void)state;
    wear(lab_scenario(rig->board, 3), 1); /* middle-page */
}

static void whole_update(void **state)
{
    (void)state;
    wear(lab_scenario(rig->board, 1), 8); /* stamped */
}

static void erases(void **state)
{
    (void)state;
    wear(lab_scenario(rig->board, 6), 1);
    wear(lab_scenario(rig->board, 7), 1);
}

int main(int argc, char **argv)
{
    const char *board = argc > 1 ? argv[1] : "stm32f103ze";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erases),
        cmocka_unit_test(every_operation),
        cmocka_unit_test(whole_update),
    };
    int failed;

    rig = rig_new(board, rig_firmware(board, "sallyport-dfu.elf"));
    if (!rig)
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rig_free(rig);
    return failed;
}
