/* SPDX-License-Identifier: MIT */
/*
 * test_unplug.c - the cable is pulled, or the host program killed, before and
 * inside every control transfer of an update.
 *
 *   test_unplug BOARD
 *
 * A killed host leaves a configured device and a session behind; its successor
 * opens the device as dfu-util does (SET_INTERFACE, strings, GETSTATUS), with
 * or without a bus reset before, and says leave.
 */
#include "cuts.h"

#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum kind { PULLED, KILLED, KILLED_AND_RESET, KINDS };
static const char *const kind_name[] = {"cable pulled", "host killed",
                                        "host killed, bus reset"};

/* The end of a host at a transfer, counted from 0. */
struct end {
    struct lab *l;
    enum kind kind;
    unsigned at, seen;
    bool inside; /* else before it */
    bool over;
    uint32_t state;
};

/* Starts the transfer, and lets some of its bytes or of its time pass. */
static void begin_transfer(struct end *e, const uint8_t setup[8],
                           const void *data, uint16_t length)
{
    static uint8_t buffer[LAB_BLOCK];
    struct host *h = e->l->r->host;
    struct chip *c = e->l->r->chip;
    size_t bytes = length ? rig_random(&e->state) % length : 0;
    sim_time end = chip_now(c) + rig_random(&e->state) % (200 * SIM_US);
    struct urb urb = {
        .type = URB_CONTROL, .address = 0xff, .data = buffer, .length = length};

    memcpy(urb.setup, setup, 8);
    if (!(setup[0] & 0x80) && length)
        memcpy(buffer, data, length);
    host_submit(h, &urb);
    while (urb.status == URB_PENDING &&
           (urb.actual < bytes || chip_now(c) < end))
        host_wait(h, 5 * SIM_US);
    if (e->kind == PULLED)
        wire_plug(chip_wire(c), false);
    if (urb.status == URB_PENDING)
        host_cancel(h, &urb);
}

static bool gate(void *ctx, uint8_t type, uint8_t request, uint16_t value,
                 const void *data, uint16_t length)
{
    struct end *e = ctx;
    uint8_t setup[8] = {type, request, (uint8_t)value,  (uint8_t)(value >> 8),
                        0,    0,       (uint8_t)length, (uint8_t)(length >> 8)};

    if (e->over)
        return false;
    if (e->seen++ != e->at)
        return true;
    e->over = true;
    if (request == 6)
        setup[4] = 9, setup[5] = 4; /* wIndex: language */
    if (e->inside)
        begin_transfer(e, setup, data, length);
    else if (e->kind == PULLED)
        wire_plug(chip_wire(e->l->r->chip), false);
    return false;
}

/* Would half an image start if the chip were reset now? */
static void check_reset(struct lab *l, bool pin)
{
    struct chip_snapshot *now = chip_save(l->r->chip);

    if (pin) {
        chip_reset(l->r->chip, RESET_PIN);
    } else {
        chip_power(l->r->chip, false);
        chip_power(l->r->chip, true);
    }
    lab_started(l);
    chip_restore(l->r->chip, now);
    chip_snapshot_free(now);
}

/* Until no erase is under way: a reset in the middle of one is what
 * test_cuts.c is for. */
static void calm(struct lab *l)
{
    rig_calm(l->r, 35);
}

/* The cable comes back, at once or after the second in which the chip carries
 * out what it had put off. */
static void come_back(struct lab *l, const struct end *e)
{
    if (e->kind == PULLED) {
        host_wait(l->r->host, (e->at % 8 ? 20 : 1300) * SIM_MS);
        check_reset(l, false);
        wire_plug(chip_wire(l->r->chip), true);
    }
    if (e->kind == KILLED) {
        host_wait(l->r->host, 2 * SIM_MS); /* no program starts sooner */
        return;
    }
    if (!rig_in_app(l->r) && host_enumerate(l->r->host) < 0 &&
        !rig_in_app(l->r))
        lab_fail(l, &l->count.bricks, "does not enumerate");
}

/* dfu-util 0.11 selects the alternate setting before anything else (seen in
 * its traffic); so do WebUSB pages.  Then the state that a killed host left is
 * gone: no second start is needed. */
static bool open_device(struct lab *l)
{
    return rig_request(l->r, 0x01, 0x0B, 0, 0, NULL, 0) == 0 &&
           rig_open(l->r) == 0;
}

/* A leave that was accepted is carried out, whatever the bus does. */
#define LEAVE (400 * SIM_MS)

/* Its leave must not make an image of a torso.  Where the one before was killed
 * inside the answer to its own leave, the chip waits for the end of that
 * transfer, and leaves with the first request of this one. */
static void successor(struct lab *l)
{
    if (!open_device(l)) {
        host_wait(l->r->host, LEAVE);
        if (!rig_app_runs(l->r, 0))
            lab_fail(l, &l->count.bricks, "the next host cannot open it");
        return;
    }
    check_reset(l, false);
    if (l->seed % 2)
        rig_set_address(l->r, l->r->board->slot);
    rig_leave(l->r);
    calm(l);
    host_wait(l->r->host, LEAVE);
    check_reset(l, true);
}

static bool app_took_over(struct lab *l)
{
    return rig_app_runs(l->r, 0) || !host_attached(l->r->host);
}

/* False where the update has no such transfer. */
static bool end_at(struct lab *l, const struct chip_snapshot *start,
                   enum kind kind, unsigned at, bool inside)
{
    struct end e = {.l = l,
                    .kind = kind,
                    .at = at,
                    .inside = inside,
                    .state = l->seed * 2654435761u + at * 4 + kind + 1};

    snprintf(l->where, sizeof(l->where), "%s %s transfer %u", kind_name[kind],
             inside ? "inside" : "before", at);
    chip_restore(l->r->chip, start);
    l->r->gate = gate;
    l->r->gate_ctx = &e;
    rig_install(l->r, l->goal.data, l->goal.n);
    l->r->gate = NULL;
    if (!e.over)
        return false;
    check_reset(l, false);
    come_back(l, &e);
    host_wait(l->r->host, LEAVE);
    if (!app_took_over(l)) {
        successor(l);
        if (!app_took_over(l))
            host_enumerate(l->r->host);
    }
    if (chip_guest_errors(l->r->chip))
        lab_fail(l, &l->count.errors, chip_last_guest_error(l->r->chip));
    if (app_took_over(l)) {
        chip_power(l->r->chip, false);
        chip_power(l->r->chip, true);
        lab_started(l);
        lab_update_again(l);
    } else if (!open_device(l) || !lab_install(l)) {
        lab_fail(l, &l->count.unrecovered, "the update after it fails");
    }
    return true;
}

static struct rig *rig;

static void end_everywhere(void **state)
{
    struct lab *l = lab_new(rig, *state);
    struct chip_snapshot *start;
    unsigned transfers = 0, points = 0;
    /* Odd: every other one is interrupted inside. */
    unsigned step = rig->board->whole_pages || lab_deep() ? 1 : 11;

    assert_non_null(l);
    start = lab_start(l);
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (transfers = step > 1 ? kind : 0;
             end_at(l, start, kind, transfers, (transfers + kind) % 2);
             transfers += step)
            points++;
    printf(
        "unplug %s %s: %u transfers, %u points; half images %lu, bricks %lu, "
        "failed recoveries %lu, damage outside %lu, guest errors %lu; "
        "seed %u\n",
        rig->board->name, l->s->name, transfers, points, l->count.half,
        l->count.bricks, l->count.unrecovered, l->count.damaged,
        l->count.errors, (unsigned)l->seed);
    assert_int_equal(lab_failures(&l->count), 0);
    assert_true(transfers > 40);
    chip_snapshot_free(start);
    lab_free(l);
}

/* The check of a large stamped image takes most of a second: it must not keep
 * a chip that has its cable back from enumerating.  Linux tries more often. */
static void large_torso(void **state)
{
    enum { BYTES = 480 * 1024, TRIES = 3 };
    uint8_t *image = malloc(BYTES);
    unsigned tries = 1;

    (void)state;
    assert_non_null(image);
    chip_power(rig->chip, false);
    memset(rig_flash(rig, rig->board->slot), 0xFF, BYTES);
    chip_flash_changed(rig->chip);
    assert_int_equal(rig_power_cycle(rig), 0);
    assert_int_equal(rig_open(rig), 0);
    rig_image_stamped(rig->board, image, BYTES, 7);
    assert_true(rig_ok(rig_erase(rig, rig->board->slot)));
    assert_true(
        rig_ok(rig_write_at(rig, rig->board->slot, image, rig->board->block)));
    wire_plug(chip_wire(rig->chip), false);
    host_wait(rig->host, 3 * SIM_S);
    wire_plug(chip_wire(rig->chip), true);
    while (host_enumerate(rig->host) < 0 && tries < TRIES)
        tries++;
    assert_int_equal(rig_open(rig), 0);
    assert_int_equal(chip_guest_errors(rig->chip), 0);
    free(image);
}

int main(int argc, char **argv)
{
    const char *board = argc > 1 ? argv[1] : "stm32f103ze";
    static const char *const names[] = {"onto-empty", "stamped", "plain"};
    struct CMUnitTest tests[4] = {cmocka_unit_test(large_torso)};
    int failed;

    rig = rig_new(board, rig_firmware(board, "sallyport-dfu.elf"));
    if (!rig)
        return 1;
    for (unsigned i = 0; i < 3; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = names[i],
            .test_func = end_everywhere,
            .initial_state = (void *)lab_scenario(rig->board, i)};
    failed = _cmocka_run_group_tests("unplug", tests, 4, NULL, NULL);
    rig_free(rig);
    return failed;
}
