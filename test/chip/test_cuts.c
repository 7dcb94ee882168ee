/* SPDX-License-Identifier: MIT */
/*
 * test_cuts.c - power cuts: before, inside and after every flash operation of
 * an update, then again in the update that follows.
 *
 *   test_cuts BOARD [SCENARIO...]
 *
 * SALLYPORT_TEST_SEED=n changes the torn patterns, SALLYPORT_TEST_DEEP=n takes
 * n patterns an operation and the long treatment n times as often, and
 * SALLYPORT_TEST_SAMPLE=1 takes some points of each step of the update: its
 * first and last operations and some between, fewer patterns.
 */
#include "cuts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Torn patterns where there is more than one kind of half: erases, and the
 * words that decide whether an image starts. */
enum { TORN_MANY = 32, TORN_SAMPLE = 3 };

static const char *const mode_name[] = {"before", "torn", "after"};

static uint32_t draw(uint32_t *state, uint32_t n)
{
    return rig_random(state) % n;
}

/* ---- one point ---- */

static void cut(struct lab *l, const struct chip_snapshot *from, unsigned i,
                enum cut_mode mode, uint32_t seed)
{
    snprintf(l->where, sizeof(l->where), "operation %llu, %s, seed %u",
             (unsigned long long)l->op + i, mode_name[mode], (unsigned)seed);
    chip_restore(l->r->chip, from);
    chip_cut_at(l->r->chip, i, mode, seed);
    host_wait(l->r->host, SIM_S);
    if (!chip_was_cut(l->r->chip))
        lab_fail(l, &l->count.errors, "the operation did not come");
}

/* The chip is off after a cut.  It is switched on, takes an update that is
 * cut as well, then one that is not. */
static void cut_again(struct lab *l, uint32_t seed)
{
    uint32_t state = seed | 1;
    uint8_t flash[LAB_ROOM];
    size_t n = strlen(l->where);
    unsigned op = draw(&state, l->programs);
    enum cut_mode mode = draw(&state, 3);

    chip_power(l->r->chip, true);
    if (lab_started(l))
        return;
    snprintf(l->where + n, sizeof(l->where) - n, "; then operation %u, %s", op,
             mode_name[mode]);
    if (!rig_in_bootloader(l->r))
        lab_fail(l, &l->count.bricks, "not in the bootloader");
    chip_cut_at(l->r->chip, op, mode, state);
    rig_install(l->r, l->goal.data, l->goal.n);
    host_wait(l->r->host, 50 * SIM_MS);
    chip_cut_never(l->r->chip);
    chip_power(l->r->chip, false);
    memcpy(flash, rig_flash(l->r, l->r->board->slot), l->window);
    chip_power(l->r->chip, true);
    lab_started(l);
    lab_update_again(l);
    l->count.again++;
}

static uint32_t torn_seed(const struct lab *l, unsigned i, unsigned pattern)
{
    return (l->seed * 2654435761u) ^ ((uint32_t)(l->op + i) * 64 + pattern + 1);
}

static void torn_points(struct lab *l, const struct chip_snapshot *from,
                        unsigned i, unsigned patterns)
{
    for (unsigned p = 0; p < patterns; p++) {
        cut(l, from, i, CUT_TORN, torn_seed(l, i, p));
        lab_judge(l);
        l->count.torn++;
    }
}

/* Whether the operation that is done in `from` was an erase or changed the
 * first words of the slot. */
static bool decides(struct lab *l, const uint8_t *first, uint64_t erases)
{
    return chip_flash_erases(l->r->chip) != erases ||
           memcmp(rig_flash(l->r, l->r->board->slot), first, 8);
}

static void visit_op(struct lab *l, const struct chip_snapshot *from,
                     unsigned i)
{
    unsigned patterns = 1 + lab_deep();
    uint64_t erases;
    uint8_t first[8];

    cut(l, from, i, CUT_BEFORE, 1);
    erases = chip_flash_erases(l->r->chip);
    memcpy(first, rig_flash(l->r, l->r->board->slot), sizeof(first));
    lab_judge(l);
    l->count.before++;

    cut(l, from, i, CUT_AFTER, 1);
    if (decides(l, first, erases) && patterns < TORN_MANY)
        patterns = lab_sample() ? TORN_SAMPLE : TORN_MANY;
    lab_judge(l);
    l->count.later++;

    torn_points(l, from, i, patterns);
    if ((l->op + i) % l->every == 0) {
        cut(l, from, i, (l->op + i) / l->every % 3, torn_seed(l, i, 0));
        cut_again(l, torn_seed(l, i, 0));
    }
}

/* The ends of a step of n operations, and some of an image between. */
static bool in_sample(const struct lab *l, unsigned i, unsigned n)
{
    enum { AN_IMAGE = 16 };
    unsigned every = l->programs / AN_IMAGE + 1;

    return !i || i == n - 1 || (l->op + i) % every == l->seed % every;
}

static void visit_all(struct lab *l, const struct chip_snapshot *from,
                      unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!lab_sample() || in_sample(l, i, n))
            visit_op(l, from, i);
}

/* ---- a scenario is a test ---- */

static struct rig *rig;

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void print_counts(const struct lab *l, double time)
{
    const struct lab_counts *c = &l->count;

    printf(
        "cuts %s %s: %lu operations; points %lu before, %lu torn, %lu after; "
        "%lu different flash contents (%lu start an application, %lu kinds "
        "of start of the bootloader); cut again in the recovery %lu; "
        "half images %lu, bricks %lu, failed recoveries %lu, damage outside "
        "%lu, guest errors %lu; seed %u; %.1f s\n",
        rig->board->name, l->s->name, c->ops, c->before, c->torn, c->later,
        c->states, c->apps, c->boots, c->again, c->half, c->bricks,
        c->unrecovered, c->damaged, c->errors, (unsigned)l->seed, time);
}

static void cut_everywhere(void **state)
{
    struct lab *l = lab_new(rig, *state);
    double start = seconds();

    assert_non_null(l);
    if (lab_deep())
        l->every = l->every / lab_deep() + 1;
    assert_true(lab_walk(l, visit_all));
    print_counts(l, seconds() - start);
    assert_int_equal(lab_failures(&l->count), 0);
    if (!lab_sample())
        assert_int_equal(l->count.before, l->count.ops);
    assert_true(l->count.before > 0);
    assert_int_equal(l->count.later, l->count.before);
    assert_true(l->count.torn >= l->count.before);
    lab_free(l);
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (!strcmp(name, argv[i]))
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    const char *board = argc > 1 ? argv[1] : "stm32f103ze";
    struct CMUnitTest tests[16];
    const struct lab_scenario *s;
    size_t n = 0;
    int failed;

    rig = rig_new(board, rig_firmware(board, "sallyport-dfu.elf"));
    if (!rig)
        return 1;
    for (unsigned i = 0; (s = lab_scenario(rig->board, i)); i++)
        if (wanted(s->name, argc, argv))
            tests[n++] = (struct CMUnitTest){.name = s->name,
                                             .test_func = cut_everywhere,
                                             .initial_state = (void *)s};
    failed = n ? _cmocka_run_group_tests("cuts", tests, n, NULL, NULL) : 1;
    rig_free(rig);
    return failed;
}
