/* SPDX-License-Identifier: MIT */
/*
 * test_pages.c - what an update does to the flash: which pages are erased and
 * programmed, and when deferred erases are carried out.  When an image boots:
 * test_update.c.
 */
#include "sample.h"

static unsigned image_pages(struct rig *r)
{
    return rig_pages(r->board, r->board->slot, sample_size(r));
}

/* ---- what is changed in flash ---- */

/* Where pages go through RAM, nothing is; else what was to be erased is. */
static void unchanged_update(struct rig *r, bool with_stamp)
{
    sample_installed(r, with_stamp);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    if (r->board->whole_pages)
        assert_int_equal(chip_flash_ops(r->chip), 0);
    else
        assert_int_equal(rig_erases(r), image_pages(r));
    assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
}

static void test_unchanged(void **state)
{
    unchanged_update(*state, true);
    unchanged_update(*state, false);
}

/* Erases and programs of an update in which `pages` pages are written anew.
 * Beside the pages: the first word away and back, and before each erase one
 * word cleared, by the least that the flash programs. */
static void assert_pages_changed(struct rig *r, unsigned pages)
{
    const struct rig_board *b = r->board;
    uint32_t bytes = 0;

    if (!b->whole_pages)
        pages = image_pages(r);
    for (unsigned i = 0; i < pages; i++)
        bytes += rig_nth_page(b, i).size;
    assert_int_equal(rig_erases(r), pages);
    assert_in_range(chip_flash_programs(r->chip), 1,
                    bytes / b->unit + (pages + 2) * (4 / b->least));
}

/* The rest of a logical sector behind the image is blank already. */
static void one_page_changed(struct rig *r, unsigned page)
{
    sample_installed(r, true);
    image[rig_nth_page(r->board, page).start - r->board->slot + 1000] ^= 0x5A;
    /* changes the first page as well */
    rig_stamp(r->board, image, sample_size(r));
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
    assert_pages_changed(r, page ? 2 : 1);
}

static void test_one_page(void **state)
{
    for (unsigned page = 0; page < image_pages(*state); page++)
        one_page_changed(*state, page);
}

/* Without a stamp only the changed page and the first unit's page. */
static void test_one_page_plain(void **state)
{
    struct rig *r = *state;

    for (unsigned page = 1; page < image_pages(r); page++) {
        struct rig_span span = rig_nth_page(r->board, page);

        sample_installed(r, false);
        image[span.start - r->board->slot + 1000] ^= 0x5A;
        assert_int_equal(sample_update(r, true), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
        assert_pages_changed(r, 2);
    }
}

/* Into erased flash: each unit once, and none where there is nothing but
 * 0xFF. */
static void test_first_install(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;

    sample_plain(r, 1);
    memset(image + 2 * b->block, 0xFF, b->block);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
    assert_int_equal(rig_erases(r), 0);
    assert_in_range(chip_flash_programs(r->chip), 1,
                    (sample_size(r) - b->block - 4) / b->unit + 4 / b->least);
}

/* What the erase pass asked for beyond the image is erased in the end. */
static void test_old_tail_goes(void **state)
{
    struct rig *r = *state;
    uint32_t size = sample_size(r), end = sample_sectors_end(r), seed = 9;
    struct rig_update u;

    sample_installed(r, false);
    for (uint32_t i = size; i < 2 * size; i++)
        *rig_flash(r, r->board->slot + i) = (uint8_t)rig_random(&seed);
    chip_flash_changed(r->chip);
    sample_plain(r, 2);
    /* dfu-util's own mask may leave a sector out. */
    for (uint32_t at = r->board->slot; at < end;) {
        struct rig_span sector = rig_sector(r->board, at);

        bench_assert_ok(rig_erase(r, at));
        at = sector.start + sector.size;
    }
    u = sample_all(r);
    u.no_erase = u.leave = true;
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, 2 * SIM_S));
    assert_true(sample_is_there(r));
    assert_true(end - r->board->slot - size >= 4096);
    assert_true(
        rig_flash_blank(r, r->board->slot + size, end - r->board->slot - size));
    assert_false(rig_flash_blank(r, end, 2048));
}

/* ---- deferred erases ---- */

static void erase_second_sector(struct rig *r)
{
    sample_installed(r, true);
    bench_assert_ok(rig_erase(r, rig_nth_sector(r->board, 1).start));
    host_wait(r->host, 500 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

static void assert_erased(struct rig *r)
{
    struct rig_span sector = rig_nth_sector(r->board, 1);
    uint32_t n = r->board->slot + sample_size(r) - sector.start;

    if (n > sector.size)
        n = sector.size;
    assert_true(rig_flash_blank(r, sector.start, n));
    assert_int_equal(rig_erases(r), rig_pages(r->board, sector.start, n));
    assert_false(rig_boots_after_reset(r)); /* a stamped image with a hole */
    assert_true(rig_in_bootloader(r));
}

static void test_deferred_until_abort(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_erased(r);
}

static void test_deferred_until_leave(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    rig_leave(r);
    rig_settle(r);
    assert_erased(r);
}

static void test_deferred_until_bus_reset(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_bus_reset(r), 0);
    rig_settle(r);
    assert_erased(r);
}

static void test_deferred_until_silence(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r); /* and half a second of silence */
    host_wait(r->host, 400 * SIM_MS);
    assert_int_equal(chip_flash_ops(r->chip), 0);
    host_wait(r->host, 200 * SIM_MS);
    rig_settle(r);
    assert_erased(r);
}

static void test_deferred_until_clrstatus(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    assert_int_equal(rig_dnload(r, 1, "x", 1), URB_STALL);
    assert_int_equal(rig_clrstatus(r), 0);
    rig_settle(r);
    assert_erased(r);
}

/* Where something else went wrong meanwhile, nothing happens until the host
 * has said that it knows; then what it asked for is still to be done. */
static void test_deferred_behind_an_error(void **state)
{
    struct rig *r = *state;

    for (unsigned silent = 0; silent < 2; silent++) {
        erase_second_sector(r);
        bench_assert_op_error(rig_write_at(r, r->board->slot - 4, "abcd", 4),
                              ERR_WRITE);
        if (silent)
            host_wait(r->host, 1500 * SIM_MS);
        assert_int_equal(rig_clrstatus(r), 0);
        rig_settle(r);
        assert_erased(r);
    }
}

/* The flash fails while a mark is carried out: the host hears of it, and the
 * second sector, whose turn had not come, is erased once it goes on. */
static void test_deferred_behind_a_failure(void **state)
{
    struct rig *r = *state;

    erase_second_sector(r);
    bench_assert_ok(rig_erase(r, r->board->slot));
    chip_flash_fail_at(r->chip, 0, 8, FLASH_FAIL_ALL);
    assert_int_equal(rig_abort(r), 0);
    host_wait(r->host, 1500 * SIM_MS);
    assert_int_equal(rig_getstatus(r).state, DFU_ERROR);
    chip_flash_fail_at(r->chip, 0, 0, FLASH_FAIL_ALL);
    assert_int_equal(rig_clrstatus(r), 0);
    rig_settle(r);
    assert_true(rig_flash_blank(r, rig_nth_sector(r->board, 1).start, 4096));
    assert_false(rig_boots_after_reset(r));
}

/* A host that is slow between two blocks (fwupd may be) loses nothing. */
static void test_silence_in_the_middle(void **state)
{
    struct rig *r = *state;
    struct rig_update u;

    sample_installed(r, false);
    sample_plain(r, 3);
    u = sample_all(r);
    u.n = 2 * r->board->block;
    u.no_abort = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    host_wait(r->host, 2 * SIM_S);
    u = sample_all(r);
    u.addr += 2 * r->board->block;
    u.data += 2 * r->board->block;
    u.n -= 2 * r->board->block;
    u.leave = true;
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

/* ---- pages that are written more than once ---- */

/* The same page again and again: the last one counts, and where a write needs
 * an erase before it, none without. */
static void test_page_rewritten(void **state)
{
    struct rig *r = *state;
    uint32_t at = rig_nth_sector(r->board, 1).start, n = r->board->block;

    sample_plain(r, 30);
    bench_assert_ok(rig_write_at(r, at, image, n));
    for (uint32_t i = 1; i < 4; i++) {
        memcpy(old_image, image, n);
        sample_plain(r, 30 + i);
        if (!r->board->whole_pages) {
            bench_assert_op_error(rig_write_at(r, at, image, n),
                                  ERR_CHECK_ERASED);
            assert_int_equal(rig_clrstatus(r), 0);
            assert_true(rig_flash_is(r, at, old_image, n));
            bench_assert_ok(rig_erase(r, at));
        }
        bench_assert_ok(rig_write_at(r, at, image, n));
        assert_true(rig_flash_is(r, at, image, n));
    }
    assert_int_equal(rig_erases(r), 3);
}

/* ---- sectors that do not go through RAM ---- */

/* A refused block leaves what is installed as it is, and bootable. */
static void test_not_erased(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    if (r->board->whole_pages)
        skip();
    for (uint32_t at = n; at < sample_size(r); at += n) {
        sample_installed(r, at / n % 2);
        image[at + 99] ^= 0xFF; /* bits to be set, and to be cleared */
        bench_assert_op_error(sample_block(r, at), ERR_CHECK_ERASED);
        assert_int_equal(rig_clrstatus(r), 0);
        rig_settle(r);
        assert_int_equal(chip_flash_ops(r->chip), 0);
        assert_true(rig_boots_after_reset(r));
    }
}

/* What is there already, and what is erased yet, needs no erase. */
static void test_into_erased_cells(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    for (uint32_t at = n; at < sample_size(r); at += n) {
        sample_installed(r, true);
        bench_assert_ok(sample_block(r, at));
        assert_int_equal(chip_flash_ops(r->chip), 0);
        memset(rig_flash(r, r->board->slot + at + 64), 0xFF, 128);
        chip_flash_changed(r->chip);
        bench_assert_ok(sample_block(r, at));
        assert_int_equal(rig_erases(r), 0);
        assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
    }
}

/* Who writes the slot from its start has no need of an erase pass. */
static void test_no_erase_pass(void **state)
{
    struct rig *r = *state;

    for (unsigned with_stamp = 0; with_stamp < 2; with_stamp++) {
        struct rig_update u = sample_all(r);

        sample_installed(r, with_stamp);
        if (with_stamp)
            sample_stamped(r, 35);
        else
            sample_plain(r, 35);
        u.no_erase = u.leave = true;
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(rig_update(r, &u), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
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
        CHIP_TEST(test_deferred_behind_an_error),
        CHIP_TEST(test_deferred_behind_a_failure),
        CHIP_TEST(test_silence_in_the_middle),
        CHIP_TEST(test_page_rewritten),
        CHIP_TEST(test_not_erased),
        CHIP_TEST(test_into_erased_cells),
        CHIP_TEST(test_no_erase_pass),
    };

    return BENCH_MAIN(argc, argv, tests);
}
