/* SPDX-License-Identifier: MIT */
/*
 * test_uf2.c - UF2 files, read and written; where a board's applications
 * start.
 *
 * The random tests print their seed when they fail; SALLYPORT_TEST_SEED=n
 * replays it.
 */
#include "board_info.h"
#include "bytes.h"
#include "fw_bench.h"
#include "uf2.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BLOCK        512u
#define BLOCKS       3u
#define FLASH        0x08001000u
#define FAMILY       0x5EE21072u

/* ---- helpers ---- */

static void make_block(uint8_t *block, uint32_t addr, uint32_t size,
                       uint32_t number, uint32_t count)
{
    const uint32_t head[] = {0x0A324655, 0x9E5D5157, 0x2000, addr,
                             size,       number,     count,  FAMILY};

    memset(block, 0, BLOCK);
    for (size_t i = 0; i < COUNT(head); i++)
        put_le32(block + 4 * i, head[i]);
    for (uint32_t i = 0; i < size; i++)
        block[32 + i] = (uint8_t)(addr + i + i / 256);
    put_le32(block + 508, 0x0AB16F30);
}

static void make_file(uint8_t *file)
{
    for (uint32_t i = 0; i < BLOCKS; i++)
        make_block(file + i * BLOCK, FLASH + i * 256, 256, i, BLOCKS);
}

static bool load(struct fw *fw, const uint8_t *data, size_t n, struct fail *f)
{
    FILE *file = tmpfile();
    bool ok;

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    rewind(file);
    ok = uf2_read(fw, file, "t.uf2", f);
    fclose(file);
    return ok;
}

static void expect_bad(const uint8_t *data, size_t n, const char *message)
{
    struct fail f = {0};
    struct fw fw;

    fw_init(&fw);
    assert_false(load(&fw, data, n, &f));
    fw_free(&fw);
    assert_int_equal(f.code, FAIL_INPUT);
    assert_string_equal(f.text, message);
}

/* What uf2_write() makes of it; the size. */
static size_t written(const struct fw *fw, uint8_t *data, size_t room)
{
    FILE *file = tmpfile();
    size_t n;

    assert_non_null(file);
    uf2_write(fw, file);
    rewind(file);
    n = fread(data, 1, room, file);
    fclose(file);
    return n;
}

/* ---- writing ---- */

static void blocks_are_as_specified(void **state)
{
    uint8_t data[257], file[4 * BLOCK], want[BLOCK];
    struct fail f = {0};
    struct fw fw;

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(FLASH + i);
    fw_init(&fw);
    assert_true(fw_add(&fw, FLASH, data, sizeof(data), &f));
    fw_set_family(&fw, FAMILY);
    assert_int_equal(written(&fw, file, sizeof(file)), 2 * BLOCK);
    make_block(want, FLASH, 256, 0, 2);
    assert_memory_equal(file, want, BLOCK);
    make_block(want, FLASH + 256, 256, 1, 2);
    memset(want + 32 + 1, 0xFF, 255);
    assert_memory_equal(file + BLOCK, want, BLOCK);
    fw_free(&fw);
}

static void no_family_is_no_flag(void **state)
{
    struct fail f = {0};
    uint8_t file[BLOCK];
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(fw_add(&fw, 0, "x", 1, &f));
    assert_int_equal(written(&fw, file, sizeof(file)), BLOCK);
    assert_int_equal(get_le32(file + 8), 0);
    assert_int_equal(get_le32(file + 28), 0);
    fw_free(&fw);
}

/* Each block that has data, filled up with 0xFF. */
static void fill_blocks(struct fw *fw)
{
    struct fail f = {0};

    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END;) {
        uint64_t end = fw_find(fw, at, false);

        assert_true(
            fw_fill(fw, at / 256 * 256, (end + 255) / 256 * 256, 0xFF, &f));
        at = end;
    }
}

static void random_parts_survive_uf2(void **state)
{
    uint64_t seed = seed_of_run();

    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t random = (seed + i) * 0x9E3779B97F4A7C15ull | 1;
        struct fw fw, copy;
        bool ok;

        fw_init(&fw);
        fw_init(&copy);
        add_random_parts(&fw, &random);
        if (next(&random) % 2)
            fw_set_family(&fw, next(&random));
        round_trip(uf2_write, uf2_read, &fw, &copy);
        fill_blocks(&fw);
        ok = same(&fw, &copy) && fw.has_family == copy.has_family &&
             fw.family == copy.family;
        fw_free(&fw);
        fw_free(&copy);
        if (!ok)
            fail_msg("replay: SALLYPORT_TEST_SEED=%llu",
                     (unsigned long long)(seed + i));
    }
}

/* ---- reading ---- */

struct field_case {
    uint32_t offset; /* in the file; a number is put there */
    uint32_t value;
    const char *message;
};

static void malformed_blocks_are_refused_with_their_place(void **state)
{
    static const struct field_case cases[] = {
        {0, 0x0A324654,
         "t.uf2:0x0: not a UF2 block: the magic number is "
         "0x0A324654, expected 0x0A324655"},
        {516, 0,
         "t.uf2:0x204: not a UF2 block: the magic number is "
         "0x00000000, expected 0x9E5D5157"},
        {1532, 0x0AB16F31,
         "t.uf2:0x5FC: not a UF2 block: the magic number is "
         "0x0AB16F31, expected 0x0AB16F30"},
        {520, 0x3000,
         "t.uf2:0x208: the block holds a part of a file, "
         "expected data for flash"},
        {520, 0x2002,
         "t.uf2:0x208: the flags are 0x00002002, of which "
         "0x00000002 is unknown"},
        {520, 0x80002000,
         "t.uf2:0x208: the flags are 0x80002000, of which "
         "0x80000000 is unknown"},
        {520, 0,
         "t.uf2:0x208: a block for no family, those before are for "
         "family 0x5EE21072: firmware for one chip is expected"},
        {540, 0x57755A57,
         "t.uf2:0x21C: a block for family 0x57755A57, those before are for "
         "family 0x5EE21072: firmware for one chip is expected"},
        {528, 0,
         "t.uf2:0x210: the block has 0 bytes of data, expected 1 to "
         "476"},
        {528, 477,
         "t.uf2:0x210: the block has 477 bytes of data, expected 1 "
         "to 476"},
        {532, 2, "t.uf2:0x214: the block's number is 2, expected 1"},
        {536, 4,
         "t.uf2:0x218: a block of a file of 4 blocks, the first one "
         "says 3: files that were put together are not read"},
        {524, FLASH,
         "t.uf2:0x20C: two values for address 0x08001001: 0x01 "
         "before, 0x58 here"},
        {524, 0xFFFFFF04,
         "t.uf2:0x20C: 256 bytes at 0xFFFFFF04 go past the "
         "end of the address space"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t file[BLOCKS * BLOCK];

        make_file(file);
        file[BLOCK + 32 + 1] = 0x58;
        put_le32(file + cases[i].offset, cases[i].value);
        expect_bad(file, sizeof(file), cases[i].message);
    }
}

static void files_that_end_too_soon_or_too_late(void **state)
{
    uint8_t file[(BLOCKS + 1) * BLOCK];

    (void)state;
    make_file(file);
    make_block(file + BLOCKS * BLOCK, FLASH + 0x1000, 256, BLOCKS, BLOCKS);
    expect_bad(file, sizeof(file),
               "t.uf2:0x618: the file goes on behind the last of 3 blocks");
    expect_bad(file, 2 * BLOCK,
               "t.uf2:0x400: cut short: 2 blocks, there should be 3");
    expect_bad(file, 3 * BLOCK - 1,
               "t.uf2:0x400: cut short: 511 bytes, a UF2 block has 512");
    expect_bad(file, 3, "t.uf2:0x0: cut short: 3 bytes, a UF2 block has 512");
    put_le32(file + 24, 0);
    expect_bad(file, BLOCK,
               "t.uf2:0x18: the file goes on behind the last of 0 blocks");
}

/* Other producers' payload sizes and flags. */
static void what_the_format_allows_is_read(void **state)
{
    uint8_t file[BLOCKS * BLOCK], got[476];
    struct fail f = {0};
    uint64_t a = 0, b = 0;
    struct fw fw;

    (void)state;
    make_block(file, 0x1000, 4, 0, BLOCKS); /* not for flash, of no family */
    put_le32(file + 8, 0x0001);
    make_block(file + BLOCK, FLASH, 476, 1, BLOCKS);
    make_block(file + 2 * BLOCK, FLASH + 0x1001, 452, 2, BLOCKS);
    put_le32(file + 2 * BLOCK + 8, 0xE000); /* an MD5 sum and tags */
    fw_init(&fw);
    assert_true(load(&fw, file, sizeof(file), &f));
    assert_true(fw_span(&fw, &a, &b));
    assert_int_equal(a, FLASH);
    assert_int_equal(fw_find(&fw, a, false), FLASH + 476);
    assert_int_equal(fw_find(&fw, FLASH + 476, true), FLASH + 0x1001);
    assert_int_equal(b, FLASH + 0x1001 + 452);
    fw_get(&fw, a, got, sizeof(got), 0);
    assert_memory_equal(got, file + BLOCK + 32, sizeof(got));
    assert_true(fw.placed && fw.has_family);
    assert_int_equal(fw.family, FAMILY);
    fw_free(&fw);
    put_le32(file + 2 * BLOCK + 16, 453);
    expect_bad(file, sizeof(file),
               "t.uf2:0x410: the block has 453 bytes of data, expected 1 to "
               "452");
}

/* Whatever is done to a UF2 file: an answer, never a crash; and what is read
 * all the same is at most what the blocks can hold. */
static void damaged_uf2_does_no_harm(void **state)
{
    uint64_t seed = seed_of_run(), random = seed * 2 + 1;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint8_t file[BLOCKS * BLOCK];
        size_t n = sizeof(file);
        struct fail f = {0};
        struct fw fw;

        make_file(file);
        for (uint32_t k = next(&random) % 4; k < 4; k++)
            file[next(&random) % BLOCKS * BLOCK + next(&random) % 32] =
                (uint8_t)next(&random);
        if (next(&random) % 4 == 0)
            n = next(&random) % sizeof(file);
        fw_init(&fw);
        if (!load(&fw, file, n, &f))
            assert_int_equal(f.code, n ? FAIL_INPUT : FAIL_NONE);
        if (fw.pages > 2 * BLOCKS)
            fail_msg("replay: SALLYPORT_TEST_SEED=%llu",
                     (unsigned long long)seed);
        fw_free(&fw);
    }
}

/* ---- boards ---- */

static void an_address_that_depends_on_the_profile_is_not_guessed(void **state)
{
    struct board_info board = {
        .flash_base = 0x08000000, .boot_size = 4096, .boot_size_max = 4096};
    uint32_t start = 0;

    (void)state;
    assert_true(board_info_app_start(&board, &start));
    assert_int_equal(start, 0x08001000);
    board.boot_size_max = 8192;
    assert_false(board_info_app_start(&board, &start));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_as_specified),
        cmocka_unit_test(no_family_is_no_flag),
        cmocka_unit_test(random_parts_survive_uf2),
        cmocka_unit_test(malformed_blocks_are_refused_with_their_place),
        cmocka_unit_test(files_that_end_too_soon_or_too_late),
        cmocka_unit_test(what_the_format_allows_is_read),
        cmocka_unit_test(damaged_uf2_does_no_harm),
        cmocka_unit_test(an_address_that_depends_on_the_profile_is_not_guessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
