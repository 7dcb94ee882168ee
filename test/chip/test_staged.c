/* SPDX-License-Identifier: MIT */
/*
 * test_staged.c - updates by DFU that go to a partition of their own first and
 * are installed by the next reset: what the host sees, what becomes of the
 * application, and what the record says (docs/design.md).  Power cuts:
 * test_staged_cuts.c.
 */
#include "records.h"
#include "sample.h"

static uint8_t slot_image[512 * 1024];

/* What is in the slot is `is`, byte for byte; so is what was behind it. */
static bool slot_is(struct rig *r, const uint8_t *is)
{
    return rig_flash_is(r, r->board->slot, is, sample_size(r));
}

static void assert_record(struct rig *r, enum record_state state,
                          unsigned attempts)
{
    struct record rec = record_last(r);

    assert_int_equal(rec.state, state);
    assert_int_equal(rec.attempts, attempts);
    assert_int_equal(record_count(r, true), state == RECORD_PENDING);
}

/* ---- an update ---- */

static void install_over(struct rig *r, bool old_stamped, bool new_stamped)
{
    struct record rec;

    sample_installed(r, old_stamped);
    sample_plain(r, 30);
    if (new_stamped) {
        rig_put32(image + 0x34, 0x01020003);
        rig_stamp(r->board, image, sample_size(r));
    }
    assert_int_equal(sample_update(r, true), 0);
    assert_true(slot_is(r, old_image)); /* not before the reset */
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(slot_is(r, image));
    assert_record(r, RECORD_DONE, 1);
    rec = record_last(r);
    assert_int_equal(rec.size, sample_size(r));
    assert_int_equal(rec.version, new_stamped ? 0x01020003 : 0);
    assert_string_equal(rec.name, "");
    assert_true(rig_boots_after_power_cycle(r));
    assert_record(r, RECORD_DONE, 1);
    assert_int_equal(bench_check(r), 0);
}

static void test_update(void **state)
{
    for (unsigned i = 0; i < 4; i++)
        install_over(*state, i & 1, i & 2);
}

static void test_onto_empty(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 31);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
    assert_record(r, RECORD_DONE, 1);
}

/* Verified at its last block: a reset installs it, without leave. */
static void test_stamped_without_leave(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    sample_stamped(r, 32);
    assert_int_equal(sample_update(r, false), 0);
    rig_settle(r);
    assert_record(r, RECORD_PENDING, 0);
    assert_true(slot_is(r, old_image));
    assert_true(rig_boots_after_reset(r));
    assert_true(sample_is_there(r));
    assert_record(r, RECORD_DONE, 1);
}

/* More than the records' area has room for. */
static void test_many_updates(void **state)
{
    struct rig *r = *state;
    unsigned most = r->board->whole_pages ? 10 : 34; /* 8 and 32 */
    uint32_t n = r->board->whole_pages ? 4096 : 1024;

    for (unsigned i = 0; i < most; i++) {
        rig_image_stamped(r->board, image, n, 100 + i);
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(rig_install(r, image, n), 0);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(rig_flash_is(r, r->board->slot, image, n));
        assert_record(r, RECORD_DONE, 1);
        assert_int_equal(rig_reset_with_key(r), 0);
    }
}

/* All pages of the slot; but large sectors are not filled. */
static void make_full(struct rig *r, uint32_t n, uint32_t seed)
{
    rig_image(r->board, slot_image, n, seed);
    for (uint32_t at = 0; !r->board->whole_pages && at < n;
         at += r->board->block)
        memset(slot_image + at + 128, 0xFF, r->board->block - 128);
    rig_stamp(r->board, slot_image, n);
}

static void test_full_slot(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->slot_end - r->board->slot;

    make_full(r, n, 33);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_install(r, slot_image, n), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, slot_image, n));
    /* Again, while the session before it is still there: a page that is in the
     * way finds another place, or the room is erased. */
    assert_int_equal(rig_reset_with_key(r), 0);
    for (unsigned i = 0; i < 2; i++) {
        make_full(r, n, 34 + i);
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(
            rig_update(r, &(struct rig_update){.addr = r->board->slot,
                                               .data = slot_image,
                                               .n = n,
                                               .leave = i == 1}),
            0);
    }
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, slot_image, n));
    assert_record(r, RECORD_DONE, 1);
}

/* ---- what does not become an update ---- */

/* The old application stays, whatever is wrong with the new one. */
static void assert_refused_at_reset(struct rig *r)
{
    uint64_t erases;

    rig_settle(r);
    erases = chip_flash_erases(r->chip);
    assert_true(rig_boots_after_reset(r));
    assert_true(slot_is(r, old_image));
    assert_int_equal(chip_flash_erases(r->chip), erases);
    assert_int_equal(bench_check(r), 0);
}

static void assert_refused(struct rig *r)
{
    rig_settle(r);
    assert_int_equal(record_count(r, true), 0);
    assert_refused_at_reset(r);
}

static void test_wrong_check(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    sample_stamped(r, 35);
    image[5000] ^= 1;
    assert_int_equal(sample_update(r, true), -ERR_VERIFY);
    assert_refused(r);
}

static void test_host_dies(void **state)
{
    struct rig *r = *state;

    for (uint32_t n = r->board->block; n < sample_size(r);
         n += r->board->block) {
        struct rig_update u;

        sample_installed(r, n & r->board->block);
        sample_stamped(r, 36);
        u = sample_all(r);
        u.n = n;
        u.no_abort = true;
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(rig_update(r, &u), 0);
        assert_refused(r);
    }
}

static void test_plain_full_block(void **state)
{
    struct rig *r = *state;

    sample_installed(r, false);
    sample_plain(r, 37);
    assert_int_equal(sample_update(r, false), 0);
    assert_refused(r);
}

/* Erases belong to an image that does not come. */
static void test_erase_alone(void **state)
{
    struct rig *r = *state;

    for (unsigned all = 0; all < 2; all++) {
        sample_installed(r, true);
        assert_int_equal(rig_open(r), 0);
        bench_assert_ok(all ? rig_mass_erase(r) : rig_erase(r, r->board->slot));
        assert_int_equal(rig_read(r, r->board->slot, back, r->board->block),
                         r->board->block);
        for (uint32_t i = 0; i < r->board->block; i++)
            assert_int_equal(back[i], chip_flash_erased(r->chip));
        assert_int_equal(chip_flash_ops(r->chip), 0);
        bench_assert_error(rig_leave(r), ERR_FIRMWARE);
        assert_refused(r);
    }
}

/* ---- what the host sees ---- */

static void test_reads_what_it_wrote(void **state)
{
    struct rig *r = *state;
    uint32_t half = sample_size(r) / 2;
    struct rig_update u;

    sample_installed(r, true);
    sample_stamped(r, 38);
    u = sample_all(r);
    u.n = half;
    u.no_erase = true;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                     sample_size(r));
    assert_memory_equal(back, image, half);
    assert_memory_equal(back + half, old_image + half, sample_size(r) - half);
    /* Its last page was written in two pieces, without an erase. */
    bench_assert_ok(rig_write_at(r, r->board->slot + half, image + half, 100));
    bench_assert_ok(
        rig_write_at(r, r->board->slot + half + 100, image + half + 100, 300));
    rig_read(r, r->board->slot + half, back, 1000);
    assert_memory_equal(back, image + half, 400);
    assert_memory_equal(back + 400, old_image + half + 400, 600);
    assert_refused(r);
}

/* Without an erase command what was not written stays, in silicon that erases
 * more than a page at once as well. */
static void test_patch(void **state)
{
    struct rig *r = *state;
    uint32_t at = 2 * r->board->block;

    sample_installed(r, true);
    sample_stamped(r, 39);
    memcpy(image, old_image, sample_size(r));
    image[at + 5] ^= 0xFF;
    rig_put32(image + 0x24, 0);
    rig_stamp(r->board, image, sample_size(r));
    assert_int_equal(rig_open(r), 0);
    bench_assert_ok(sample_block(r, at));
    bench_assert_ok(sample_block(r, 0));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(slot_is(r, image));
}

/* The same image again: nothing to write. */
static void test_unchanged(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_int_equal(chip_flash_ops(r->chip), 0);
}

/* ---- pending ---- */

static void make_pending(struct rig *r, uint32_t seed)
{
    sample_installed(r, true);
    sample_stamped(r, seed);
    assert_int_equal(sample_update(r, false), 0);
    rig_settle(r);
    assert_record(r, RECORD_PENDING, 0);
}

/* With the key held it waits; the host reads what will be installed. */
static void test_key_waits(void **state)
{
    struct rig *r = *state;

    make_pending(r, 40);
    assert_int_equal(rig_reset_with_key(r), 0);
    assert_record(r, RECORD_PENDING, 0);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                     sample_size(r));
    assert_memory_equal(back, image, sample_size(r));
    assert_true(slot_is(r, old_image));
    bench_assert_ok(rig_set_address(r, r->board->slot));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(slot_is(r, image));
}

/* Another image takes its place; the record of the first one is void before
 * anything of it changes. */
static void test_pending_replaced(void **state)
{
    struct rig *r = *state;

    make_pending(r, 41);
    assert_int_equal(rig_reset_with_key(r), 0);
    sample_plain(r, 42);
    assert_int_equal(rig_open(r), 0);
    bench_assert_ok(rig_erase(r, r->board->slot));
    bench_assert_ok(sample_block(r, 0));
    assert_int_equal(record_count(r, true), 0);
    assert_refused(r);
}

/* What is installed comes again: what was pending is so no more. */
static void test_pending_taken_back(void **state)
{
    struct rig *r = *state;

    make_pending(r, 43);
    assert_int_equal(rig_reset_with_key(r), 0);
    memcpy(image, old_image, sample_size(r));
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_int_equal(record_count(r, true), 0);
    assert_true(slot_is(r, old_image));
}

/* A bit of download fell over meanwhile: refused, the old one stays. */
static void test_damaged_download(void **state)
{
    struct rig *r = *state;
    uint32_t at;

    make_pending(r, 44);
    at = r->board->download + 2 * r->board->block;
    *rig_flash(r, at) ^= 1;
    chip_flash_changed(r->chip);
    assert_refused_at_reset(r);
    assert_int_equal(record_last(r).state, RECORD_VOID);
}

/* So it is with the record itself. */
static void test_damaged_record(void **state)
{
    struct rig *r = *state;

    make_pending(r, 45);
    *rig_flash(r, record_last(r).at + 80) ^= 4;
    chip_flash_changed(r->chip);
    assert_refused_at_reset(r);
    assert_int_equal(record_last(r).state, RECORD_VOID);
}

/* The power failed while the first unit of the application was erased, its
 * vectors look as before, and now the key is held: another update makes the
 * record void, and nothing starts that is not whole. */
static void test_begun_and_replaced(void **state)
{
    struct rig *r = *state;
    struct record rec;

    make_pending(r, 49);
    rec = record_last(r);
    record_begin(r, &rec);
    *rig_flash(r, r->board->slot + 100) ^= 0x10;
    chip_flash_changed(r->chip);
    assert_int_equal(rig_reset_with_key(r), 0);
    assert_record(r, RECORD_PENDING, 1);
    sample_plain(r, 50);
    assert_int_equal(rig_open(r), 0);
    bench_assert_ok(sample_block(r, 0));
    rig_settle(r);
    assert_int_equal(record_count(r, true), 0);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(slot_is(r, image));
}

/* The same, and what was to be installed is damaged as well. */
static void test_begun_and_damaged(void **state)
{
    struct rig *r = *state;
    struct record rec;

    make_pending(r, 51);
    rec = record_last(r);
    record_begin(r, &rec);
    *rig_flash(r, r->board->download + 2 * r->board->block) ^= 1;
    chip_flash_changed(r->chip);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    sample_plain(r, 52);
    assert_int_equal(sample_update(r, true), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(slot_is(r, image));
}

/* A cell that does not take its bits: the bootloader stays, nothing starts; the
 * next reset tries again, and counts it. */
static void test_worn_application(void **state)
{
    struct rig *r = *state;

    make_pending(r, 47);
    chip_flash_fail_at(r->chip, 40, 1, FLASH_FAIL_ALL);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
    assert_record(r, RECORD_PENDING, 1);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                     sample_size(r));
    assert_memory_equal(back, image, sample_size(r));
    assert_true(rig_boots_after_reset(r));
    assert_true(slot_is(r, image));
    assert_record(r, RECORD_DONE, 2);
}

/* Nor does one of download: the host is told, the old application stays. */
static void test_worn_download(void **state)
{
    struct rig *r = *state;

    sample_installed(r, true);
    sample_stamped(r, 48);
    chip_flash_fail_at(r->chip, 40, 1, FLASH_FAIL_ALL);
    assert_int_equal(sample_update(r, true), -ERR_PROG);
    assert_refused(r);
}

/* The record is what makes the image with the map. */
static void test_record_tells_the_image(void **state)
{
    struct rig *r = *state;
    struct record rec;

    make_pending(r, 46);
    rec = record_last(r);
    assert_int_equal(rec.size, sample_size(r));
    record_image(r, &rec, slot_image, sample_size(r));
    assert_memory_equal(slot_image, image, sample_size(r));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CHIP_TEST(test_update),
        CHIP_TEST(test_onto_empty),
        CHIP_TEST(test_stamped_without_leave),
        CHIP_TEST(test_many_updates),
        CHIP_TEST(test_full_slot),
        CHIP_TEST(test_wrong_check),
        CHIP_TEST(test_host_dies),
        CHIP_TEST(test_plain_full_block),
        CHIP_TEST(test_erase_alone),
        CHIP_TEST(test_reads_what_it_wrote),
        CHIP_TEST(test_patch),
        CHIP_TEST(test_unchanged),
        CHIP_TEST(test_key_waits),
        CHIP_TEST(test_pending_replaced),
        CHIP_TEST(test_pending_taken_back),
        CHIP_TEST(test_damaged_download),
        CHIP_TEST(test_damaged_record),
        CHIP_TEST(test_begun_and_replaced),
        CHIP_TEST(test_begun_and_damaged),
        CHIP_TEST(test_worn_application),
        CHIP_TEST(test_worn_download),
        CHIP_TEST(test_record_tells_the_image),
    };

    return BENCH_MAIN_OF("sallyport-staged.elf", argc, argv, tests);
}
