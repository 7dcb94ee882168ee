/* SPDX-License-Identifier: MIT */
/*
 * test_blocks.c - how data comes: blocks of any size in any order, files of
 * several elements, whole updates as hosts make them, and data that belongs to
 * no block.
 */
#include "sample.h"

/* ---- data that belongs to no block ---- */

/* ABORT, CLRSTATUS and the like have no data stage: what comes with them may
 * go neither to flash nor over the bootloader's variables. */
static void data_with(struct rig *r, uint8_t type, uint8_t request,
                      uint16_t value, uint32_t behind)
{
    static uint8_t junk[8192];
    uint16_t n = (uint16_t)(2 * r->board->block);
    struct rig_status s;

    sample_installed(r, true);
    memset(junk, 0x21, sizeof(junk));
    if (behind) /* the pointer of the next byte lies there */
        bench_assert_ok(rig_write_at(r, behind - 4, "\1\2\3\4", 4));
    if (request == 4)
        assert_int_equal(rig_dnload(r, 1, junk, 1), URB_STALL);
    assert_int_equal(rig_request(r, type, request, value, 0, junk, n),
                     URB_STALL);
    rig_settle(r);
    assert_int_equal(rig_bus_reset(r), 0);
    s = rig_getstatus(r);
    assert_int_equal(s.state, DFU_IDLE);
    assert_int_equal(s.status, 0);
    assert_true(rig_flash_is(r, r->board->slot, old_image, sample_size(r)));
    assert_int_equal(bench_check(r), 0);
}

static void test_data_with_other_requests(void **state)
{
    struct rig *r = *state;
    const uint32_t behind[] = {0, sample_sectors_end(r), r->board->slot_end};

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

            sample_installed(r, with_stamp);
            if (with_stamp)
                sample_stamped(r, 25);
            else
                sample_plain(r, 25);
            u = sample_all(r);
            u.chunk = chunks[i];
            u.leave = true;
            assert_int_equal(rig_open(r), 0);
            assert_int_equal(rig_update(r, &u), 0);
            assert_true(rig_app_runs(r, SIM_S));
            assert_true(sample_is_there(r));
        }
}

/* wBlockNum counts on from one Set Address, as fwupd does it. */
static void test_counted_blocks(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;

    sample_installed(r, true);
    sample_stamped(r, 26);
    bench_assert_ok(rig_set_address(r, r->board->slot));
    for (uint16_t i = 0; i < sample_size(r) / n; i++)
        bench_assert_ok(rig_write(r, 2 + i, image + i * n, n));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

/* A host that sleeps between a block and its GETSTATUS: the block is there. */
static void test_late_getstatus(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;
    struct rig_status s;

    sample_installed(r, true);
    sample_plain(r, 28);
    bench_assert_ok(rig_set_address(r, r->board->slot));
    for (uint16_t i = 0; i < sample_size(r) / n; i++) {
        assert_int_equal(rig_dnload(r, 2 + i, image + i * n, n), (int)n);
        if (i % 3 == 1)
            rig_calm(r, 2500);
        do {
            s = rig_getstatus(r);
            assert_int_equal(s.status, 0);
            rig_calm(r, s.poll_ms);
        } while (s.state != DFU_DNLOAD_IDLE);
    }
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

/* A file of two elements, the second one at an odd address, both with block
 * borders inside pages. */
static void elements(struct rig *r, bool descending)
{
    uint32_t at = rig_nth_sector(r->board, 3).start + 1001;
    struct rig_update u[2];

    sample_installed(r, false);
    sample_plain(r, 27);
    u[0] = sample_all(r);
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
    uint32_t at = rig_nth_sector(r->board, 1).start;

    sample_plain(r, 28);
    bench_assert_ok(rig_erase(r, at));
    bench_assert_ok(rig_write_at(r, at + 1001, image + 1001, 333));
    bench_assert_ok(rig_write_at(r, at, image, 1001));
    bench_assert_ok(rig_write_at(r, at + 1334, image + 1334, 2001));
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_true(rig_flash_is(r, at, image, 3335));
    assert_true(rig_flash_blank(r, at + 3335, 700));
}

/* Elements of a .dfu file that share a sector, whose erase passes ask for it
 * twice: what the first one wrote stays. */
static void elements_in_one_sector(struct rig *r, uint32_t second)
{
    uint32_t at = rig_nth_sector(r->board, 1).start, seed = 7;
    uint32_t size = rig_nth_sector(r->board, 1).size;
    struct rig_update u[2] = {
        {.addr = at, .data = image, .n = 3000, .no_abort = true},
        {.addr = at + second,
         .data = image + second,
         .n = 1111,
         .no_abort = true},
    };

    bench_restart(r);
    for (uint32_t i = 0; i < size; i++)
        *rig_flash(r, at + i) = (uint8_t)rig_random(&seed);
    chip_flash_changed(r->chip);
    sample_plain(r, 34);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u[0]), 0);
    assert_int_equal(rig_update(r, &u[1]), 0);
    assert_int_equal(rig_abort(r), 0);
    rig_settle(r);
    assert_true(rig_flash_is(r, at, image, 3000));
    assert_true(rig_flash_blank(r, at + 3000, second - 3000));
    assert_true(rig_flash_is(r, at + second, image + second, 1111));
    assert_true(rig_flash_blank(r, at + second + 1111, size - second - 1111));
}

static void test_elements_in_one_sector(void **state)
{
    static const uint32_t second[] = {3000, 3001, 3500, 4095, 4096, 5000, 7000};

    for (size_t i = 0; i < 7; i++)
        elements_in_one_sector(*state, second[i]);
}

static void test_unaligned_blocks(void **state)
{
    struct rig *r = *state;
    static const uint16_t offsets[] = {1, 2, 3, 63, 1023, 2047};

    for (size_t i = 0; i < 6; i++) {
        uint32_t at = rig_nth_sector(r->board, 1).start + offsets[i];
        uint32_t n = r->board->block;

        bench_restart(r);
        sample_plain(r, 29);
        bench_assert_ok(rig_set_address(r, at));
        for (uint16_t b = 0; b < 3; b++)
            bench_assert_ok(rig_write(r, 2 + b, image + n * b, n));
        assert_int_equal(rig_abort(r), 0);
        rig_settle(r);
        assert_true(rig_flash_is(r, at, image, 3 * n));
        assert_true(rig_flash_blank(r, at + 3 * n, 64));
        assert_true(rig_flash_blank(r, at - 1, 1));
    }
}

/* ---- whole updates ---- */

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

    sample_installed(r, true);
    sample_stamped(r, 32);
    for (uint32_t p = 0; p < sample_size(r); p += r->board->block) {
        uint32_t at = r->board->slot + p;

        if (rig_sector(r->board, at).start == at)
            bench_assert_ok(rig_erase(r, at));
        bench_assert_ok(sample_block(r, p));
    }
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

/* Read back, then go: as a host that verifies does. */
static void test_verify_then_leave(void **state)
{
    struct rig *r = *state;

    sample_installed(r, false);
    sample_plain(r, 33);
    assert_int_equal(sample_update(r, false), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, sample_size(r)),
                     sample_size(r));
    assert_memory_equal(back, image, sample_size(r));
    assert_int_equal(rig_leave(r).state, DFU_MANIFEST);
    assert_true(rig_app_runs(r, SIM_S));
}

/* The demo applications as they come out of the build. */
static void test_demo_files(void **state)
{
    struct rig *r = *state;
    static const char *const files[] = {"demo", "demo-plain", "demo2",
                                        "demo2-plain"};

    for (size_t i = 0; i < 4; i++) {
        size_t n = rig_read_file(rig_demo(r, files[i]), image, SAMPLE_ROOM);

        bench_restart(r);
        assert_int_equal(rig_install(r, image, n), 0);
        assert_true(rig_app_runs(r, SIM_S));
        rig_settle(r);
        assert_non_null(
            strstr(chip_usart_text(r->chip), i < 2 ? "demo 1.0" : "demo 2.0"));
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_data_with_other_requests),
        CHIP_TEST(test_small_blocks),
        CHIP_TEST(test_counted_blocks),
        CHIP_TEST(test_late_getstatus),
        CHIP_TEST(test_elements_ascending),
        CHIP_TEST(test_elements_descending),
        CHIP_TEST(test_elements_in_one_page),
        CHIP_TEST(test_elements_in_one_sector),
        CHIP_TEST(test_unaligned_blocks),
        CHIP_TEST(test_largest_image),
        CHIP_TEST(test_erase_as_it_goes),
        CHIP_TEST(test_verify_then_leave),
        CHIP_TEST(test_demo_files),
    };

    return BENCH_MAIN(argc, argv, tests);
}
