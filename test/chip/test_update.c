/* SPDX-License-Identifier: MIT */
/*
 * test_update.c - when an image boots and when not: stamped and plain images,
 * hosts that stop half-way, the first word, vectors (docs/design.md).  What
 * happens to the pages: test_pages.c.  Power cuts: test_cuts.c.
 */
#include "crc32.h"
#include "sample.h"
#include "wire.h"

/* ---- stamped images ---- */

static void test_stamped_without_leave(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 4);
    assert_int_equal(sample_update(r, false), 0);
    rig_settle(r);
    assert_true(rig_boots_after_reset(r));
    assert_true(sample_is_there(r));
}

/* Not even the ABORT: the host was killed after the last block. */
static void test_stamped_without_abort(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    sample_stamped(r, 5);
    u = sample_all(r);
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    rig_settle(r);
    assert_true(rig_boots_after_reset(r));
}

/* An image with one thing wrong: that error on its last data block, and it
 * does not boot whatever is tried. */
static void stamped_and_refused(struct rig *r, unsigned status)
{
    struct rig_update u = sample_all(r);
    uint32_t last = sample_size(r) - r->board->block;

    u.no_abort = true;
    u.n = last;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    bench_assert_op_error(sample_block(r, last), status);
    assert_int_equal(rig_clrstatus(r), 0);
    bench_assert_error(
        rig_leave(r),
        status == ERR_TARGET || status == ERR_VERIFY ? status : ERR_FIRMWARE);
    rig_settle(r);
    assert_false(rig_app_runs(r, 200 * SIM_MS));
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    rig_settle(r);
    bench_assert_error(rig_leave(r), r->board->marked ? status : ERR_FIRMWARE);
    assert_false(rig_boots_after_power_cycle(r));
}

static void test_wrong_crc(void **state)
{
    struct rig *r = *state;
    const size_t at[] = {0x24, 0x38, 3000, sample_size(r) - 1};

    for (size_t i = 0; i < 4; i++) {
        bench_restart(r);
        sample_stamped(r, 6);
        image[at[i]] ^= 1;
        stamped_and_refused(r, ERR_VERIFY);
    }
}

static void test_wrong_product(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 7);
    rig_put32(image + 0x28, r->board->product + 1);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x24, test_crc32(0, image, sample_size(r)));
    stamped_and_refused(r, ERR_TARGET);
}

static void test_any_product(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 8);
    rig_put32(image + 0x28, 0);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x24, test_crc32(0, image, sample_size(r)));
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

/* The error of the last block reaches dfu-util's exit status. */
static void test_wrong_crc_over_installed(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    sample_stamped(r, 9);
    image[5000] ^= 0x10;
    assert_int_equal(sample_update(r, true), -ERR_VERIFY);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    sample_stamped(r, 10);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

/* A stamp whose length cannot be: no stamp to go by, so a plain image's
 * rules or none, but never a boot of what is not whole. */
static void test_absurd_length(void **state)
{
    struct rig *r = *state;
    const uint32_t slot_size = r->board->slot_end - r->board->slot;
    const uint32_t lengths[] = {0,          1,         0x37, slot_size + 1,
                                0x80000000, 0xFFFFFFFF};

    for (size_t i = 0; i < 6; i++) {
        bench_restart(r);
        sample_stamped(r, 11);
        rig_put32(image + 0x20, lengths[i]);
        assert_int_equal(sample_update(r, false), 0);
        rig_settle(r);
        assert_false(rig_boots_after_reset(r));
    }
}

/* The length says more than what came. */
static void test_stamped_too_short(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 12);
    for (size_t n = r->board->block; n < sample_size(r); n += r->board->block) {
        struct rig_update u = sample_all(r);

        bench_restart(r);
        u.n = n;
        u.leave = true;
        assert_true(rig_update(r, &u) < 0);
        rig_settle(r);
        assert_false(rig_app_runs(r, 200 * SIM_MS));
        assert_false(rig_boots_after_reset(r));
    }
}

/* Bytes behind the length are data. */
static void test_data_behind_stamped(void **state)
{
    struct rig *r = *state;
    uint32_t at = sample_sectors_end(r);

    sample_installed(r, true);
    sample_plain(r, 13);
    bench_assert_ok(rig_erase(r, at));
    bench_assert_ok(rig_write_at(r, at, image, r->board->block));
    assert_true(rig_flash_is(r, at, image, r->board->block));
    assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
    assert_int_equal(chip_flash_erases(r->chip), 0);
    assert_true(rig_boots_after_reset(r));
}

static void test_data_behind_stamped_leaves(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    sample_plain(r, 14);
    bench_assert_ok(
        rig_write_at(r, sample_sectors_end(r), image, r->board->block));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
}

/* A page of what is installed, replaced by that of `data`; erased before where
 * the board wants it so. */
static void replace_page(struct rig *r, uint32_t at, const uint8_t *data)
{
    struct rig_span page = rig_page(r->board, r->board->slot + at);
    uint32_t step = r->board->block;

    data += page.start - r->board->slot;
    if (!r->board->whole_pages)
        bench_assert_ok(rig_erase(r, page.start));
    for (uint32_t i = 0; i < page.size; i += step)
        bench_assert_ok(rig_write_at(r, page.start + i, data + i, step));
}

/* A page of it changed on its own: its check no longer holds; changed back,
 * it does. */
static void test_patch_of_stamped(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    image[5000] ^= 1;
    replace_page(r, 5000, image);
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    sample_installed(r, true);
    image[5000] ^= 1;
    replace_page(r, 5000, image);
    replace_page(r, 5000, old_image);
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_true(rig_boots_after_reset(r));
}

/* Nothing of what is written changes the image, but an erase inside it is
 * pending: leave checks all of it. */
static void test_erase_before_leave(void **state)
{
    struct rig *r = *state;
    uint32_t hole = rig_nth_sector(r->board, 1).start;

    for (unsigned aborts = 0; aborts < 2; aborts++) {
        sample_installed(r, true);
        assert_int_equal(rig_open(r), 0);
        bench_assert_ok(rig_erase(r, hole));
        bench_assert_ok(sample_block(r, 0));
        if (aborts)
            assert_int_equal(rig_abort(r), 0);
        if (rig_leave(r).state == DFU_ERROR)
            assert_int_equal(rig_clrstatus(r), 0);
        assert_false(rig_app_runs(r, 500 * SIM_MS));
        rig_settle(r);
        assert_true(rig_flash_blank(r, hole, 1024));
        assert_false(rig_boots_after_reset(r));
        assert_true(rig_in_bootloader(r));
    }
}

/* ---- plain images ---- */

static void test_plain_with_leave(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 15);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_boots_after_reset(r));
}

static void test_plain_short_block(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    sample_plain(r, 16);
    u = sample_all(r);
    u.n = sample_size(r) - 100;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    rig_settle(r);
    assert_true(rig_boots_after_reset(r));
    assert_true(rig_flash_is(r, r->board->slot, image, sample_size(r) - 100));
}

/* Might be the end of the file, might be a host that was stopped. */
static void test_plain_full_block(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 17);
    assert_int_equal(sample_update(r, false), 0);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
}

/* ABORT and leave may be some time apart: the user's second command. */
static void test_plain_late_leave(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 18);
    assert_int_equal(sample_update(r, false), 0);
    host_wait(r->host, 2 * SIM_S);
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
}

/* Killed after some blocks; whoever comes then does not finish it. */
static void killed_after(struct rig *r, size_t n, bool over_old)
{
    struct rig_update u;

    if (over_old)
        sample_installed(r, false);
    else
        bench_restart(r);
    sample_plain(r, 19);
    u = sample_all(r);
    u.n = n;
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
}

static void test_killed_then_leave(void **state)
{
    struct rig *r = *state;

    for (size_t n = r->board->block; n <= sample_size(r); n += r->board->block)
        for (unsigned over_old = 0; over_old < 2; over_old++) {
            killed_after(r, n, over_old);
            assert_int_equal(rig_open(r), 0);
            bench_assert_ok(rig_set_address(r, r->board->slot));
            bench_assert_error(rig_leave(r), ERR_FIRMWARE);
            rig_settle(r);
            assert_false(rig_boots_after_reset(r));
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
        rig_settle(r);
        assert_false(rig_boots_after_reset(r));
    }
}

static void test_killed_then_reset(void **state)
{
    struct rig *r = *state;

    for (size_t n = r->board->block; n <= sample_size(r);
         n += r->board->block) {
        killed_after(r, n, true);
        assert_false(rig_boots_after_reset(r));
        assert_true(rig_in_bootloader(r));
        sample_plain(r, 20);
        assert_int_equal(sample_update(r, true), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
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
        killed_after(r, 2 * r->board->block, true);
        break_off(r, sent, 1000); /* a short block, but for its data */
        rig_abort(r);
        rig_settle(r);
        assert_false(rig_boots_after_reset(r));
    }
}

static void test_broken_off_then_leave(void **state)
{
    struct rig *r = *state;

    for (size_t sent = r->board->setup_alone ? 0 : 64; sent <= 512;
         sent += 256) {
        killed_after(r, 2 * r->board->block, true);
        break_off(r, sent, r->board->block);
        bench_assert_error(rig_leave(r), ERR_FIRMWARE);
        rig_settle(r);
        assert_false(rig_boots_after_reset(r));
    }
}

/* ---- the first unit ---- */

static void test_first_unit_not_covered(void **state)
{
    struct rig *r = *state;
    uint32_t at = rig_nth_page(r->board, 2).start - r->board->slot;
    struct rig_update u;

    sample_installed(r, false);
    sample_plain(r, 21);
    u = sample_all(r);
    u.addr += at;
    u.data += at;
    u.n = 2 * r->board->block;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    bench_assert_error(rig_leave(r), ERR_FIRMWARE);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    /* With the rest of it, it is an image again. */
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_erase_of_image(void **state)
{
    struct rig *r = *state;

    for (unsigned with_stamp = 0; with_stamp < 2; with_stamp++) {
        for (unsigned i = 0;; i++) {
            uint32_t at = rig_nth_sector(r->board, i).start;

            if (at >= r->board->slot + sample_size(r))
                break;
            sample_installed(r, with_stamp);
            bench_assert_ok(rig_erase(r, at));
            assert_int_equal(rig_abort(r), 0);
            rig_settle(r);
            assert_false(rig_boots_after_reset(r));
            assert_true(rig_in_bootloader(r));
        }
        sample_installed(r, with_stamp);
        bench_assert_ok(rig_mass_erase(r));
        assert_false(rig_boots_after_reset(r));
        assert_true(rig_in_bootloader(r));
    }
}

/* ---- vectors ---- */

static void bad_vectors(struct rig *r, uint32_t sp, uint32_t reset)
{
    bench_restart(r);
    sample_plain(r, 22);
    rig_put32(image, sp);
    rig_put32(image + 4, reset);
    assert_int_equal(sample_update(r, true), -ERR_FIRMWARE);
    rig_settle(r);
    assert_true(host_attached(r->host));
    assert_false(rig_boots_after_reset(r));
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
    if (b->ccm) {
        bad_vectors(r, b->ccm, reset);
        bad_vectors(r, b->ccm + 2, reset);
        bad_vectors(r, b->ccm_end + 4, reset);
        bad_vectors(r, sp, b->ccm + 1);
    } else {
        bad_vectors(r, 0x10001000, reset);
    }
}

static void good_vectors(struct rig *r, uint32_t sp)
{
    bench_restart(r);
    sample_plain(r, 23);
    rig_put32(image, sp);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_good_vectors(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    good_vectors(r, b->ram + 4);
    good_vectors(r, b->ram_end);
    good_vectors(r, b->ram_end - 8);
    if (!b->ccm)
        return;
    good_vectors(r, b->ccm + 4);
    good_vectors(r, b->ccm_end);
    good_vectors(r, b->ccm_end - 8);
}

/* Stamped: the reset vector has to lie in the image. */
static void test_bad_vectors_stamped(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    const uint32_t vectors[][2] = {
        {b->ram_end + 4, b->slot + 0x31},
        {b->ram + 0x1000, b->slot + 0x30},
        {b->ram + 0x1000, b->slot + sample_size(r) + 1},
    };

    for (size_t i = 0; i < 3; i++) {
        bench_restart(r);
        sample_plain(r, 24);
        rig_put32(image, vectors[i][0]);
        rig_put32(image + 4, vectors[i][1]);
        rig_stamp(b, image, sample_size(r));
        stamped_and_refused(r, ERR_FIRMWARE);
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
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
        CHIP_TEST(test_erase_before_leave),
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
    };

    return BENCH_MAIN(argc, argv, tests);
}
