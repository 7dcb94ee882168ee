/* SPDX-License-Identifier: MIT */
/*
 * test_update.c - what an update does to the flash and when an image boots:
 * docs/design.md, "semantics that every door shares", and the rules of
 * stamped and plain images.  Power cuts: test_cuts.c.
 */
#include "bench.h"
#include "wire.h"

enum { SIZE = 12 * 1024, PAGES = SIZE / 2048 };

static uint8_t old_image[SIZE], image[SIZE], back[SIZE];

/* ---- how an update is moved, step by step ---- */

static struct rig_update all_of(struct rig *r)
{
    return (struct rig_update){
        .addr = r->board->slot, .data = image, .n = SIZE};
}

static int update(struct rig *r, bool leave)
{
    struct rig_update u = all_of(r);

    u.leave = leave;
    return rig_open(r) ? -100 : rig_update(r, &u);
}

static bool boots(struct rig *r)
{
    return rig_boots_after_reset(r);
}

/* The last erases and the first word; silence would take a second. */
static void settle(struct rig *r)
{
    host_wait(r->host, 250 * SIM_MS);
}

static void plain(struct rig *r, uint32_t seed)
{
    rig_image(r->board, image, SIZE, seed);
}

static void stamped(struct rig *r, uint32_t seed)
{
    rig_image_stamped(r->board, image, SIZE, seed);
}

/* The installed image is `old_image`, and so is `image`, to be changed. */
static void installed(struct rig *r, bool with_stamp)
{
    if (with_stamp)
        rig_image_stamped(r->board, old_image, SIZE, 100);
    else
        rig_image(r->board, old_image, SIZE, 100);
    memcpy(image, old_image, SIZE);
    bench_installed(r, old_image, SIZE);
}

/* ---- what is changed in flash ---- */

static void unchanged_update(struct rig *r, bool with_stamp)
{
    installed(r, with_stamp);
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_int_equal(chip_flash_ops(r->chip), 0);
    assert_true(rig_flash_is(r, r->board->slot, old_image, SIZE));
}

static void test_unchanged(void **state)
{
    unchanged_update(*state, true);
    unchanged_update(*state, false);
}

/* The rest of a logical sector behind the image is blank already. */
static void one_page_changed(struct rig *r, unsigned page)
{
    uint64_t erases, programs;

    installed(r, true);
    image[page * 2048 + 1000] ^= 0x5A;
    rig_stamp(r->board, image, SIZE); /* changes the first page as well */
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
    erases = chip_flash_erases(r->chip);
    programs = chip_flash_programs(r->chip);
    assert_int_equal(erases, page ? 2 : 1);
    /* beside the pages: the first word away and back, and before each erase
     * one word cleared */
    assert_in_range(programs, 1, (page ? 2 : 1) * (1024 + 2) + 4);
}

static void test_one_page(void **state)
{
    for (unsigned page = 0; page < PAGES; page++)
        one_page_changed(*state, page);
}

/* Without a stamp only the changed page and the first unit's page. */
static void test_one_page_plain(void **state)
{
    struct rig *r = *state;

    for (unsigned page = 1; page < PAGES; page++) {
        uint8_t *first;

        installed(r, false);
        image[page * 2048 + 1000] ^= 0x5A;
        first = rig_flash(r, r->board->slot);
        assert_int_equal(update(r, true), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
        assert_memory_equal(first, image, 2048);
        assert_int_equal(chip_flash_erases(r->chip), 2);
    }
}

/* Into erased flash: each unit once, and none where there is nothing but
 * 0xFF. */
static void test_first_install(void **state)
{
    struct rig *r = *state;

    plain(r, 1);
    memset(image + 4096, 0xFF, 2048);
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
    assert_int_equal(chip_flash_erases(r->chip), 0);
    assert_in_range(chip_flash_programs(r->chip), 1, (SIZE - 2048) / 2);
}

/* What the erase pass asked for beyond the image is erased in the end. */
static void test_old_tail_goes(void **state)
{
    struct rig *r = *state;
    uint32_t seed = 9;
    struct rig_update u;

    installed(r, false);
    for (size_t i = 0; i < SIZE; i++)
        *rig_flash(r, r->board->slot + SIZE + (uint32_t)i) =
            (uint8_t)rig_random(&seed);
    chip_flash_changed(r->chip);
    plain(r, 2);
    /* dfu-util's own mask leaves the second sector out. */
    bench_assert_ok(rig_erase(r, r->board->slot));
    bench_assert_ok(rig_erase(r, r->board->slot + r->board->sector));
    u = all_of(r);
    u.no_erase = u.leave = true;
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, 2 * SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
    /* 12 KB of image in sectors of 8 KB: 4 KB of tail. */
    assert_true(rig_flash_blank(r, r->board->slot + SIZE, 4096));
    assert_false(rig_flash_blank(r, r->board->slot + 16384, 2048));
}

/* ---- deferred erases ---- */

static void erase_second_sector(struct rig *r)
{
    installed(r, true);
    bench_assert_ok(rig_erase(r, r->board->slot + r->board->sector));
    host_wait(r->host, 500 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

static void assert_erased(struct rig *r)
{
    assert_true(rig_flash_blank(r, r->board->slot + r->board->sector,
                                SIZE - r->board->sector));
    assert_int_equal(chip_flash_erases(r->chip), 2);
    assert_false(boots(r)); /* a stamped image with a hole */
    assert_true(rig_in_bootloader(r));
}

static void test_deferred_until_abort(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_abort(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_erased(r);
}

static void test_deferred_until_leave(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    rig_leave(r);
    host_wait(r->host, 100 * SIM_MS);
    assert_erased(r);
}

static void test_deferred_until_bus_reset(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_bus_reset(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_erased(r);
}

static void test_deferred_until_silence(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r); /* and half a second of silence */
    host_wait(r->host, 400 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
    host_wait(r->host, 200 * SIM_MS);
    assert_erased(r);
}

static void test_deferred_until_clrstatus(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_dnload(r, 1, "x", 1), URB_STALL);
    assert_int_equal(rig_clrstatus(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_erased(r);
}

/* A host that is slow between two blocks (fwupd may be) loses nothing. */
static void test_silence_in_the_middle(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    installed(r, false);
    plain(r, 3);
    u = all_of(r);
    u.n = 4096;
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    host_wait(r->host, 2 * SIM_S);
    u = all_of(r);
    u.addr += 4096;
    u.data += 4096;
    u.n -= 4096;
    u.leave = true;
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
}

/* ---- stamped images ---- */

static void test_stamped_without_leave(void **state)
{
    struct rig *r = *state;

    stamped(r, 4);
    assert_int_equal(update(r, false), 0);
    host_wait(r->host, 200 * SIM_MS);
    assert_true(boots(r));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
}

/* Not even the ABORT: the host was killed after the last block. */
static void test_stamped_without_abort(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    stamped(r, 5);
    u = all_of(r);
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    host_wait(r->host, 200 * SIM_MS);
    assert_true(boots(r));
}

/* An image with one thing wrong: that error on its last data block, and it
 * does not boot whatever is tried. */
static void stamped_and_refused(struct rig *r, unsigned status)
{
    struct rig_update u = all_of(r);

    u.no_abort = true;
    u.n = SIZE - 2048;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    bench_assert_op_error(rig_write_at(r, r->board->slot + SIZE - 2048,
                                       image + SIZE - 2048, 2048),
                          status);
    assert_int_equal(rig_clrstatus(r), 0);
    bench_assert_error(
        rig_leave(r),
        status == ERR_TARGET || status == ERR_VERIFY ? status : ERR_FIRMWARE);
    settle(r);
    assert_false(rig_app_runs(r, 200 * SIM_MS));
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
    settle(r);
    bench_assert_error(rig_leave(r), ERR_FIRMWARE);
    assert_false(rig_boots_after_power_cycle(r));
}

static void test_wrong_crc(void **state)
{
    struct rig *r = *state;
    static const size_t at[] = {0x24, 0x38, 3000, SIZE - 1};

    for (size_t i = 0; i < 4; i++) {
        bench_restart(r);
        stamped(r, 6);
        image[at[i]] ^= 1;
        stamped_and_refused(r, ERR_VERIFY);
    }
}

static void test_wrong_product(void **state)
{
    struct rig *r = *state;

    stamped(r, 7);
    rig_put32(image + 0x28, r->board->product + 1);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x24, rig_crc32(image, SIZE));
    stamped_and_refused(r, ERR_TARGET);
}

static void test_any_product(void **state)
{
    struct rig *r = *state;

    stamped(r, 8);
    rig_put32(image + 0x28, 0);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x24, rig_crc32(image, SIZE));
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

/* The error of the last block reaches dfu-util's exit status. */
static void test_wrong_crc_over_installed(void **state)
{
    struct rig *r = *state;

    installed(r, true);
    stamped(r, 9);
    image[5000] ^= 0x10;
    assert_int_equal(update(r, true), -ERR_VERIFY);
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
    stamped(r, 10);
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

/* A stamp whose length cannot be: no stamp to go by, so a plain image's
 * rules or none, but never a boot of what is not whole. */
static void test_absurd_length(void **state)
{
    struct rig *r = *state;
    static const uint32_t lengths[] = {0,       1,          0x37,
                                       0x7E001, 0x80000000, 0xFFFFFFFF};

    for (size_t i = 0; i < 6; i++) {
        bench_restart(r);
        stamped(r, 11);
        rig_put32(image + 0x20, lengths[i]);
        assert_int_equal(update(r, false), 0);
        host_wait(r->host, 200 * SIM_MS);
        assert_false(boots(r));
    }
}

/* The length says more than what came. */
static void test_stamped_too_short(void **state)
{
    struct rig *r = *state;

    stamped(r, 12);
    for (size_t n = 2048; n < SIZE; n += 2048) {
        struct rig_update u = all_of(r);

        bench_restart(r);
        u.n = n;
        u.leave = true;
        assert_true(rig_update(r, &u) < 0);
        settle(r);
        assert_false(rig_app_runs(r, 200 * SIM_MS));
        assert_false(boots(r));
    }
}

/* Bytes behind the length are data. */
static void test_data_behind_stamped(void **state)
{
    struct rig *r = *state;
    uint32_t at = r->board->slot + 2 * r->board->sector;

    installed(r, true);
    plain(r, 13);
    bench_assert_ok(rig_erase(r, at));
    bench_assert_ok(rig_write_at(r, at, image, 2048));
    assert_true(rig_flash_is(r, at, image, 2048));
    assert_true(rig_flash_is(r, r->board->slot, old_image, SIZE));
    assert_int_equal(rig_abort(r), 0);
    host_wait(r->host, 100 * SIM_MS);
    assert_true(rig_flash_is(r, r->board->slot, old_image, SIZE));
    assert_int_equal(chip_flash_erases(r->chip), 0);
    assert_true(boots(r));
}

static void test_data_behind_stamped_leaves(void **state)
{
    struct rig *r = *state;

    installed(r, true);
    plain(r, 14);
    bench_assert_ok(rig_write_at(r, r->board->slot + 16384, image, 2048));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, old_image, SIZE));
}

/* A page of it changed on its own: its check no longer holds; changed back,
 * it does. */
static void test_patch_of_stamped(void **state)
{
    struct rig *r = *state;

    installed(r, true);
    image[5000] ^= 1;
    bench_assert_ok(rig_write_at(r, r->board->slot + 4096, image + 4096, 2048));
    assert_int_equal(rig_abort(r), 0);
    settle(r);
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
    installed(r, true);
    image[5000] ^= 1;
    bench_assert_ok(rig_write_at(r, r->board->slot + 4096, image + 4096, 2048));
    bench_assert_ok(
        rig_write_at(r, r->board->slot + 4096, old_image + 4096, 2048));
    assert_int_equal(rig_abort(r), 0);
    settle(r);
    assert_true(boots(r));
}

/* ---- plain images ---- */

static void test_plain_with_leave(void **state)
{
    struct rig *r = *state;

    plain(r, 15);
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(boots(r));
}

static void test_plain_short_block(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    plain(r, 16);
    u = all_of(r);
    u.n = SIZE - 100;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    host_wait(r->host, 200 * SIM_MS);
    assert_true(boots(r));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE - 100));
}

/* Might be the end of the file, might be a host that was stopped. */
static void test_plain_full_block(void **state)
{
    struct rig *r = *state;

    plain(r, 17);
    assert_int_equal(update(r, false), 0);
    settle(r);
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
}

/* ABORT and leave may be some time apart: the user's second command. */
static void test_plain_late_leave(void **state)
{
    struct rig *r = *state;

    plain(r, 18);
    assert_int_equal(update(r, false), 0);
    host_wait(r->host, 2 * SIM_S);
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
}

/* Killed after some blocks; whoever comes then does not finish it. */
static void killed_after(struct rig *r, size_t n, bool over_old)
{
    struct rig_update u;

    if (over_old)
        installed(r, false);
    else
        bench_restart(r);
    plain(r, 19);
    u = all_of(r);
    u.n = n;
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
}

static void test_killed_then_leave(void **state)
{
    struct rig *r = *state;

    for (size_t n = 2048; n <= SIZE; n += 2048)
        for (unsigned over_old = 0; over_old < 2; over_old++) {
            killed_after(r, n, over_old);
            assert_int_equal(rig_open(r), 0);
            bench_assert_ok(rig_set_address(r, r->board->slot));
            bench_assert_error(rig_leave(r), ERR_FIRMWARE);
            settle(r);
            assert_false(boots(r));
        }
}

static void test_killed_then_other_requests(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 4; i++) {
        killed_after(r, 6000, true);
        if (i == 0)
            rig_request(r, 0x00, 9, 1, 0, NULL, 0); /* SET_CONFIGURATION */
        else if (i == 1)
            rig_request(r, 0x01, 11, 0, 0, NULL, 0); /* SET_INTERFACE */
        else if (i == 2)
            rig_reset(r, RESET_PIN);
        else
            rig_bus_reset(r);
        rig_abort(r); /* and 6000 bytes end with a short block */
        rig_getstatus(r);
        bench_assert_error(rig_leave(r), ERR_FIRMWARE);
        settle(r);
        assert_false(boots(r));
    }
}

static void test_killed_then_reset(void **state)
{
    struct rig *r = *state;

    for (size_t n = 2048; n <= SIZE; n += 2048) {
        killed_after(r, n, true);
        assert_false(boots(r));
        assert_true(rig_in_bootloader(r));
        plain(r, 20);
        assert_int_equal(update(r, true), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
    }
}

/* A block whose data never came is no end of a file. */
static void break_off(struct rig *r, size_t sent, size_t announced)
{
    uint8_t setup[8] = {
        0x21, 1, 2, 0, 0, 0, announced & 0xff, (uint8_t)(announced >> 8)};
    unsigned toggle = 1;

    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    for (size_t at = 0; at < sent; at += 64, toggle ^= 1)
        assert_int_equal(rig_raw_out(r, toggle, image + at, 64), WIRE_ACK);
    host_wait(r->host, SIM_MS);
}

static void test_broken_off_then_abort(void **state)
{
    struct rig *r = *state;

    for (size_t sent = 0; sent <= 512; sent += 256) {
        killed_after(r, 4096, true);
        break_off(r, sent, 1000); /* a short block, but for its data */
        rig_abort(r);
        settle(r);
        assert_false(boots(r));
    }
}

static void test_broken_off_then_leave(void **state)
{
    struct rig *r = *state;

    for (size_t sent = 0; sent <= 512; sent += 256) {
        killed_after(r, 4096, true);
        break_off(r, sent, 2048);
        bench_assert_error(rig_leave(r), ERR_FIRMWARE);
        settle(r);
        assert_false(boots(r));
    }
}

/* ---- the first unit ---- */

static void test_first_unit_not_covered(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    installed(r, false);
    plain(r, 21);
    u = all_of(r);
    u.addr += 4096;
    u.data += 4096;
    u.n = 4096;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    bench_assert_error(rig_leave(r), ERR_FIRMWARE);
    settle(r);
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
    /* With the rest of it, it is an image again. */
    assert_int_equal(update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_erase_of_image(void **state)
{
    struct rig *r = *state;

    for (unsigned with_stamp = 0; with_stamp < 2; with_stamp++) {
        for (uint32_t at = 0; at < SIZE; at += r->board->sector) {
            installed(r, with_stamp);
            bench_assert_ok(rig_erase(r, r->board->slot + at));
            assert_int_equal(rig_abort(r), 0);
            settle(r);
            assert_false(boots(r));
            assert_true(rig_in_bootloader(r));
        }
        installed(r, with_stamp);
        bench_assert_ok(rig_mass_erase(r));
        assert_false(boots(r));
        assert_true(rig_in_bootloader(r));
    }
}

/* ---- vectors ---- */

static void bad_vectors(struct rig *r, uint32_t sp, uint32_t reset)
{
    bench_restart(r);
    plain(r, 22);
    rig_put32(image, sp);
    rig_put32(image + 4, reset);
    assert_int_equal(update(r, true), -ERR_FIRMWARE);
    settle(r);
    assert_true(host_attached(r->host));
    assert_false(boots(r));
    assert_true(rig_in_bootloader(r));
}

static void test_bad_vectors(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    uint32_t sp = b->ram + 0x1000, reset = b->slot + 0x31;

    bad_vectors(r, 0, reset);
    bad_vectors(r, 0xFFFFFFFF, reset);
    bad_vectors(r, b->ram, reset);
    bad_vectors(r, b->ram_end + 4, reset);
    bad_vectors(r, b->flash, reset);
    bad_vectors(r, sp + 1, reset);
    bad_vectors(r, sp + 2, reset);
    bad_vectors(r, sp, b->slot + 0x30);
    bad_vectors(r, sp, b->flash + 0x101);
    bad_vectors(r, sp, b->slot - 1);
    bad_vectors(r, sp, b->slot_end + 1);
    bad_vectors(r, sp, 0);
    bad_vectors(r, sp, 0xFFFFFFFF);
    bad_vectors(r, sp, b->ram + 1);
}

static void test_good_vectors(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const uint32_t sp[] = {b->ram + 4, b->ram_end, b->ram_end - 8};

    for (size_t i = 0; i < 3; i++) {
        bench_restart(r);
        plain(r, 23);
        rig_put32(image, sp[i]);
        assert_int_equal(update(r, true), 0);
        assert_true(rig_app_runs(r, SIM_S));
    }
}

/* Stamped: the reset vector has to lie in the image. */
static void test_bad_vectors_stamped(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const uint32_t vectors[][2] = {
        {b->ram_end + 4, b->slot + 0x31},
        {b->ram + 0x1000, b->slot + 0x30},
        {b->ram + 0x1000, b->slot + SIZE + 1},
    };

    for (size_t i = 0; i < 3; i++) {
        bench_restart(r);
        plain(r, 24);
        rig_put32(image, vectors[i][0]);
        rig_put32(image + 4, vectors[i][1]);
        rig_stamp(b, image, SIZE);
        stamped_and_refused(r, ERR_FIRMWARE);
    }
}

/* ---- data that belongs to no block ---- */

/* ABORT, CLRSTATUS and the like have no data stage: what comes with them may
 * go neither to flash nor over the bootloader's variables. */
static void data_with(struct rig *r, uint8_t type, uint8_t request,
                      uint16_t value, uint32_t behind)
{
    static uint8_t junk[4096];
    struct rig_status s;

    installed(r, true);
    memset(junk, 0x21, sizeof(junk));
    if (behind) /* the pointer of the next byte lies there */
        bench_assert_ok(rig_write_at(r, behind - 4, "\1\2\3\4", 4));
    if (request == 4)
        assert_int_equal(rig_dnload(r, 1, junk, 1), URB_STALL);
    assert_int_equal(rig_request(r, type, request, value, 0, junk, 4096),
                     URB_STALL);
    settle(r);
    assert_int_equal(rig_bus_reset(r), 0);
    s = rig_getstatus(r);
    assert_int_equal(s.state, DFU_IDLE);
    assert_int_equal(s.status, 0);
    assert_true(rig_flash_is(r, r->board->slot, old_image, SIZE));
    assert_int_equal(bench_check(r), 0);
}

static void test_data_with_other_requests(void **state)
{
    struct rig *r = *state;
    const uint32_t behind[] = {0, r->board->slot + r->board->sector * 2,
                               r->board->slot_end};

    for (size_t i = 0; i < 3; i++) {
        data_with(r, 0x21, 6, 0, behind[i]);  /* ABORT */
        data_with(r, 0x21, 4, 0, behind[i]);  /* CLRSTATUS */
        data_with(r, 0x21, 0, 0, behind[i]);  /* DETACH */
        data_with(r, 0x00, 9, 1, behind[i]);  /* SET_CONFIGURATION */
        data_with(r, 0x01, 11, 0, behind[i]); /* SET_INTERFACE */
        data_with(r, 0x02, 1, 0, behind[i]);  /* CLEAR_FEATURE */
        data_with(r, 0x00, 5, 1, behind[i]);  /* SET_ADDRESS */
    }
}

/* ---- blocks of any size, anywhere, in any order ---- */

static void test_small_blocks(void **state)
{
    struct rig *r = *state;
    static const size_t chunks[] = {64, 100, 1000, 1024, 2046};

    for (size_t i = 0; i < 5; i++)
        for (unsigned with_stamp = 0; with_stamp < 2; with_stamp++) {
            struct rig_update u;

            installed(r, with_stamp);
            if (with_stamp)
                stamped(r, 25);
            else
                plain(r, 25);
            u = all_of(r);
            u.chunk = chunks[i];
            u.leave = true;
            assert_int_equal(rig_open(r), 0);
            assert_int_equal(rig_update(r, &u), 0);
            assert_true(rig_app_runs(r, SIM_S));
            assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
        }
}

/* wBlockNum counts on from one Set Address, as fwupd does it. */
static void test_counted_blocks(void **state)
{
    struct rig *r = *state;

    installed(r, true);
    stamped(r, 26);
    bench_assert_ok(rig_set_address(r, r->board->slot));
    for (uint16_t i = 0; i < PAGES; i++)
        bench_assert_ok(rig_write(r, 2 + i, image + i * 2048u, 2048));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
}

/* A file of two elements, the second one at an odd address, both with block
 * borders inside pages. */
static void elements(struct rig *r, bool descending)
{
    uint32_t at = r->board->slot + 3 * r->board->sector + 1001;
    struct rig_update u[2];

    installed(r, false);
    plain(r, 27);
    u[0] = all_of(r);
    u[0].n = 7001;
    u[0].no_abort = true;
    u[1] = (struct rig_update){
        .addr = at, .data = image + 50, .n = 5003, .no_abort = true};
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u[descending]), 0);
    assert_int_equal(rig_update(r, &u[!descending]), 0);
    assert_int_equal(rig_abort(r), 0);
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, 7001));
    assert_true(rig_flash_blank(r, r->board->slot + 7001, 1100));
    assert_true(rig_flash_blank(r, at - 64, 64));
    assert_true(rig_flash_is(r, at, image + 50, 5003));
    assert_true(rig_flash_blank(r, at + 5003, 64));
}

static void test_elements_ascending(void **state)
{
    elements(*state, false);
}

/* The page of the first word is written while data of the second element
 * lies in flash already. */
static void test_elements_descending(void **state)
{
    elements(*state, true);
}

/* Elements that share a page, the second one written first, unaligned. */
static void test_elements_in_one_page(void **state)
{
    struct rig *r = *state;
    uint32_t at = r->board->slot + r->board->sector;

    plain(r, 28);
    bench_assert_ok(rig_erase(r, at));
    bench_assert_ok(rig_write_at(r, at + 1001, image + 1001, 333));
    bench_assert_ok(rig_write_at(r, at, image, 1001));
    bench_assert_ok(rig_write_at(r, at + 1334, image + 1334, 2001));
    assert_int_equal(rig_abort(r), 0);
    settle(r);
    assert_true(rig_flash_is(r, at, image, 3335));
    assert_true(rig_flash_blank(r, at + 3335, 700));
}

static void test_unaligned_blocks(void **state)
{
    struct rig *r = *state;
    static const uint16_t offsets[] = {1, 2, 3, 63, 1023, 2047};

    for (size_t i = 0; i < 6; i++) {
        uint32_t at = r->board->slot + r->board->sector + offsets[i];

        bench_restart(r);
        plain(r, 29);
        bench_assert_ok(rig_set_address(r, at));
        for (uint16_t b = 0; b < 3; b++)
            bench_assert_ok(rig_write(r, 2 + b, image + 2048u * b, 2048));
        assert_int_equal(rig_abort(r), 0);
        settle(r);
        assert_true(rig_flash_is(r, at, image, 3 * 2048));
        assert_true(rig_flash_blank(r, at + 3 * 2048, 64));
        assert_true(rig_flash_blank(r, at - 1, 1));
    }
}

/* The same page again and again: the last one counts. */
static void test_page_rewritten(void **state)
{
    struct rig *r = *state;
    uint32_t at = r->board->slot + r->board->sector;

    for (uint32_t i = 0; i < 4; i++) {
        plain(r, 30 + i);
        bench_assert_ok(rig_write_at(r, at, image, 2048));
        assert_true(rig_flash_is(r, at, image, 2048));
    }
    assert_int_equal(chip_flash_erases(r->chip), 3);
}

/* All of the slot, to the last byte. */
static void test_largest_image(void **state)
{
    struct rig *r = *state;
    size_t n = r->board->slot_end - r->board->slot;
    uint8_t *large = malloc(n);
    struct rig_update u = {.addr = r->board->slot, .data = large, .n = n};

    assert_non_null(large);
    rig_image_stamped(r->board, large, n, 31);
    u.leave = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, large, n));
    free(large);
}

/* dfu-util up to 0.9 erases each sector right before its first chunk. */
static void test_erase_as_it_goes(void **state)
{
    struct rig *r = *state;

    installed(r, true);
    stamped(r, 32);
    for (uint32_t p = 0; p < SIZE; p += 2048) {
        if (p % r->board->sector == 0)
            bench_assert_ok(rig_erase(r, r->board->slot + p));
        bench_assert_ok(rig_write_at(r, r->board->slot + p, image + p, 2048));
    }
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SIZE));
}

/* Read back, then go: as a host that verifies does. */
static void test_verify_then_leave(void **state)
{
    struct rig *r = *state;

    installed(r, false);
    plain(r, 33);
    assert_int_equal(update(r, false), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, SIZE), SIZE);
    assert_memory_equal(back, image, SIZE);
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
}

/* The demo applications as they come out of the build. */
static void test_demo_files(void **state)
{
    struct rig *r = *state;
    static const char *const files[] = {"demo-dfu.bin", "demo-plain-dfu.bin",
                                        "demo2-dfu.bin", "demo2-plain-dfu.bin"};

    for (size_t i = 0; i < 4; i++) {
        size_t n =
            rig_read_file(rig_firmware(r->board->name, files[i]), image, SIZE);

        bench_restart(r);
        assert_int_equal(rig_install(r, image, n), 0);
        assert_true(rig_app_runs(r, SIM_S));
        host_wait(r->host, 100 * SIM_MS);
        assert_non_null(
            strstr(chip_usart_text(r->chip), i < 2 ? "demo 1.0" : "demo 2.0"));
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_unchanged),
        CHIP_TEST(test_one_page),
        CHIP_TEST(test_one_page_plain),
        CHIP_TEST(test_first_install),
        CHIP_TEST(test_old_tail_goes),
        CHIP_TEST(test_deferred_until_abort),
        CHIP_TEST(test_deferred_until_leave),
        CHIP_TEST(test_deferred_until_bus_reset),
        CHIP_TEST(test_deferred_until_silence),
        CHIP_TEST(test_deferred_until_clrstatus),
        CHIP_TEST(test_silence_in_the_middle),
        CHIP_TEST(test_stamped_without_leave),
        CHIP_TEST(test_stamped_without_abort),
        CHIP_TEST(test_wrong_crc),
        CHIP_TEST(test_wrong_product),
        CHIP_TEST(test_any_product),
        CHIP_TEST(test_wrong_crc_over_installed),
        CHIP_TEST(test_absurd_length),
        CHIP_TEST(test_stamped_too_short),
        CHIP_TEST(test_data_behind_stamped),
        CHIP_TEST(test_data_behind_stamped_leaves),
        CHIP_TEST(test_patch_of_stamped),
        CHIP_TEST(test_plain_with_leave),
        CHIP_TEST(test_plain_short_block),
        CHIP_TEST(test_plain_full_block),
        CHIP_TEST(test_plain_late_leave),
        CHIP_TEST(test_killed_then_leave),
        CHIP_TEST(test_killed_then_other_requests),
        CHIP_TEST(test_killed_then_reset),
        CHIP_TEST(test_broken_off_then_abort),
        CHIP_TEST(test_broken_off_then_leave),
        CHIP_TEST(test_first_unit_not_covered),
        CHIP_TEST(test_erase_of_image),
        CHIP_TEST(test_bad_vectors),
        CHIP_TEST(test_good_vectors),
        CHIP_TEST(test_bad_vectors_stamped),
        CHIP_TEST(test_data_with_other_requests),
        CHIP_TEST(test_small_blocks),
        CHIP_TEST(test_counted_blocks),
        CHIP_TEST(test_elements_ascending),
        CHIP_TEST(test_elements_descending),
        CHIP_TEST(test_elements_in_one_page),
        CHIP_TEST(test_unaligned_blocks),
        CHIP_TEST(test_page_rewritten),
        CHIP_TEST(test_largest_image),
        CHIP_TEST(test_erase_as_it_goes),
        CHIP_TEST(test_verify_then_leave),
        CHIP_TEST(test_demo_files),
    };

    return BENCH_MAIN(argc, argv, tests);
}
