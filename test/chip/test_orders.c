/* SPDX-License-Identifier: MIT */
/*
 * test_orders.c - blocks in orders that no usual host takes, and blocks that
 * break off: what was acknowledged stays, and what is not whole does not
 * start.
 */
#include "sample.h"
#include "wire.h"

/* Set Address, and a block of which only the first packets come. */
static void break_off(struct rig *r, uint32_t at, unsigned packets)
{
    uint32_t n = r->board->block;
    uint8_t setup[8] = {0x21, 1, 2, 0, 0, 0, n & 0xff, (uint8_t)(n >> 8)};

    bench_assert_ok(rig_set_address(r, r->board->slot + at));
    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    for (unsigned i = 0; i < packets; i++)
        assert_int_equal(rig_raw_out(r, !(i & 1), image + at + 64 * i, 64),
                         WIRE_ACK);
    host_wait(r->host, 5 * SIM_MS);
}

static void blocks_of_sample(struct rig *r, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at += r->board->block)
        bench_assert_ok(sample_block(r, at));
}

/* ---- the first block ---- */

/* A careful host: what makes the image bootable comes last. */
static void test_first_block_last(void **state)
{
    struct rig *r = *state;

    for (unsigned with_stamp = 0; with_stamp < 2; with_stamp++)
        for (unsigned was_blank = 0; was_blank < 2; was_blank++) {
            bench_restart(r);
            if (!was_blank)
                sample_installed(r, false);
            if (with_stamp)
                sample_stamped(r, 51);
            else
                sample_plain(r, 51);
            assert_int_equal(rig_open(r), 0);
            bench_assert_ok(rig_mass_erase(r));
            blocks_of_sample(r, r->board->block, sample_size(r));
            bench_assert_ok(sample_block(r, 0));
            assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                             sample_size(r));
            assert_memory_equal(back, image, sample_size(r));
            assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
            assert_true(rig_app_runs(r, SIM_S));
            assert_true(sample_is_there(r));
        }
}

/* It comes a second time, when all the others are there. */
static void test_first_block_again(void **state)
{
    struct rig *r = *state;

    for (unsigned no_erase = 0; no_erase < 2; no_erase++) {
        struct rig_update u;

        sample_installed(r, false);
        sample_plain(r, 52);
        u = sample_all(r);
        u.no_abort = true;
        u.no_erase = no_erase;
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(rig_update(r, &u), 0);
        bench_assert_ok(sample_block(r, 0));
        assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
    }
}

/* Data is written first, then from the slot's start up to it. */
static void test_up_to_what_is_there(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    sample_installed(r, false);
    sample_plain(r, 53);
    bench_assert_ok(rig_mass_erase(r));
    bench_assert_ok(sample_block(r, sample_size(r) - n));
    blocks_of_sample(r, 0, sample_size(r) - n);
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

/* ---- blocks that break off ---- */

/* The host goes on behind it as if it were there, and says that all is. */
static void test_on_behind_a_broken_block(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    for (uint32_t at = 0; at < 3 * n; at += n)
        for (unsigned packets = 1; packets < 4; packets += 2)
            for (unsigned leave = 0; leave < 2; leave++) {
                sample_installed(r, false);
                sample_plain(r, 54);
                for (uint32_t i = 0; i < sample_size(r); i += n)
                    bench_assert_ok(rig_erase(r, r->board->slot + i));
                blocks_of_sample(r, 0, at);
                break_off(r, at, packets);
                blocks_of_sample(r, at + n, sample_size(r) - n);
                bench_assert_ok(
                    rig_write_at(r, r->board->slot + sample_size(r) - n,
                                 image + sample_size(r) - n, n - 64));
                if (leave)
                    bench_assert_error(rig_leave(r), ERR_FIRMWARE);
                else
                    assert_int_equal(rig_abort(r), 0);
                rig_settle(r);
                assert_false(rig_boots_after_reset(r));
            }
}

/* The same where what is installed has all but one block of it already. */
static void test_broken_block_among_old_ones(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    sample_installed(r, false);
    break_off(r, 0, 3);
    memset(image + 2 * n, 0, 64);
    if (r->board->whole_pages) {
        bench_assert_ok(
            rig_write_at(r, r->board->slot + 2 * n, image + 2 * n, n - 64));
    } else { /* it can clear bits of what is there */
        bench_assert_ok(
            rig_write_at(r, r->board->slot + 2 * n, image + 2 * n, 64));
    }
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
}

/* A block that breaks off is dropped, and nothing is erased for it. */
static void test_broken_block_alone(void **state)
{
    struct rig *r = *state;

    for (unsigned packets = 1; packets < 4; packets++) {
        sample_installed(r, packets & 1);
        sample_plain(r, 55);
        assert_int_equal(rig_open(r), 0);
        break_off(r, 0, packets);
        if (packets == 2)
            assert_int_equal(rig_bus_reset(r), 0);
        else
            assert_int_equal(rig_abort(r), 0);
        rig_settle(r);
        assert_int_equal(chip_flash_ops(r->chip), 0);
        assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
        assert_true(rig_boots_after_reset(r));
    }
}

/* It does not take an erase with it that the host asked for. */
static void test_broken_block_and_erase(void **state)
{
    struct rig *r = *state;

    for (unsigned all = 0; all < 2; all++) {
        sample_installed(r, false);
        sample_plain(r, 56);
        assert_int_equal(rig_open(r), 0);
        if (!all)
            bench_assert_ok(rig_erase(r, r->board->slot));
        break_off(r, 0, 3);
        if (all)
            bench_assert_ok(rig_mass_erase(r));
        else
            assert_int_equal(rig_abort(r), 0);
        rig_settle(r);
        assert_true(rig_flash_blank(r, r->board->slot,
                                    rig_sector(r->board, r->board->slot).size));
    }
}

/* ---- erase commands ---- */

/* What was written just before is spared only where the rest is blank. */
static void test_erase_behind_a_block(void **state)
{
    struct rig *r = *state;
    struct rig_span s = rig_nth_sector(r->board, 1);
    uint32_t at = s.start - r->board->slot;

    for (uint32_t n = 97; n < 104; n++) {
        sample_installed(r, false);
        bench_assert_ok(rig_write_at(r, s.start, image + at, n));
        bench_assert_ok(rig_erase(r, s.start + n));
        assert_int_equal(rig_abort(r), 0);
        rig_settle(r);
        assert_true(rig_flash_blank(r, s.start + n, s.size - n));
    }
}

/* The first word goes with its sector, also when another page of that is
 * written first. */
static void test_first_word_goes_with_its_sector(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    sample_installed(r, false);
    sample_plain(r, 57);
    image[2 * n] ^= 1;
    bench_assert_ok(rig_erase(r, r->board->slot));
    blocks_of_sample(r, 0, n);
    bench_assert_ok(rig_erase(r, r->board->slot));
    bench_assert_ok(sample_block(r, n));
    assert_int_equal(rig_read(r, r->board->slot, back, 2 * n), 2 * n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(back[i], 0xFF);
    assert_memory_equal(back + n, image + n, n);
}

/* After a power cut the first word is invalid.  A block in its page that only
 * clears bits takes nothing else of the sector with it. */
static void test_beside_an_invalid_first_word(void **state)
{
    struct rig *r = *state;
    uint32_t at = 0x300;

    sample_plain(r, 58);
    image[3] = 0;
    rig_flash_put(r, r->board->slot, image, sample_size(r));
    for (unsigned i = 0; i < 2; i++) {
        memset(image + at, 0, 64);
        bench_assert_ok(rig_write_at(r, r->board->slot + at, image + at, 64));
        assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                         sample_size(r));
        assert_memory_equal(back, image, sample_size(r));
        at += 64;
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_first_block_last),
        CHIP_TEST(test_first_block_again),
        CHIP_TEST(test_up_to_what_is_there),
        CHIP_TEST(test_on_behind_a_broken_block),
        CHIP_TEST(test_broken_block_among_old_ones),
        CHIP_TEST(test_broken_block_alone),
        CHIP_TEST(test_broken_block_and_erase),
        CHIP_TEST(test_erase_behind_a_block),
        CHIP_TEST(test_first_word_goes_with_its_sector),
        CHIP_TEST(test_beside_an_invalid_first_word),
    };

    return BENCH_MAIN(argc, argv, tests);
}
