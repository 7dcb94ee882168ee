/* SPDX-License-Identifier: MIT */
/*
 * test_files.c - the files beside the status file, as tools of others read
 * them: what UF2 hosts look for, the application as it lies in flash, and what
 * keeps systems from writing files of their own.  Built once per board.
 */
#include "fat_bench.h"

#include "fake_flash.h"
#include "img.h"
#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SLOT PART_APP_START

static struct fake_flash *flash;
static uint8_t image[PART_APP_SIZE], file[2 * PART_APP_SIZE + 1024];

/* ---- the application ---- */

static void put32(uint32_t at, uint32_t word)
{
    memcpy(image + at, &word, 4);
}

/* n bytes in flash that a bootloader would start; version: 0 for no stamp. */
static struct fat with_app(uint32_t n, uint32_t version)
{
    struct fat f = {.state = FAT_READY};

    memset(image, 0xFF, sizeof(image));
    for (uint32_t i = 0; i < n; i++)
        image[i] = (uint8_t)(i * 7 + (i >> 8) * 31 + 1);
    put32(IMG_OFF_SP, BOARD_RAM_BASE + BOARD_RAM_SIZE);
    put32(IMG_OFF_RESET, SLOT + 0x41);
    put32(IMG_OFF_MAGIC, version ? IMG_MAGIC : 0);
    put32(IMG_OFF_LENGTH, n);
    put32(IMG_OFF_VERSION, version);
    if (n % 4 == 0)
        put32(n - 4, 0x12345678); /* not blank at the end */
    fake_flash_load(flash, SLOT, image, sizeof(image));
    fat_files_mount(&f);
    return f;
}

static void put_record(const char *name, uint32_t end)
{
    struct stage_record r = {.ready = STAGE_READY, .end = end};

    memcpy(r.source.name, name, sizeof(r.source.name));
    memcpy(flash->cells + (PART_RECORD_START - BOARD_FLASH_BASE), &r,
           sizeof(r));
}

/* A file of the volume, through mtools; its size. */
static uint32_t get(const struct fat *f, const char *name)
{
    char command[128];
    uint32_t n;
    FILE *in;

    dump(f);
    snprintf(command, sizeof(command), "mcopy -n -i image '::/%s' file", name);
    assert_run(command, "");
    in = fopen("file", "rb");
    assert_non_null(in);
    n = (uint32_t)fread(file, 1, sizeof(file), in);
    fclose(in);
    remove("file");
    return n;
}

static bool is_there(const struct fat *f, const char *name)
{
    char command[128], out[512];

    dump(f);
    snprintf(command, sizeof(command), "mdir -b -i image '::/%s' 2>&1", name);
    return run(command, out, sizeof(out)) == 0;
}

static void assert_clean(const struct fat *f, unsigned files)
{
    char want[64], out[8192], *line;

    dump(f);
    snprintf(want, sizeof(want), "image: %u files, %u/%u clusters\n", files,
             FAT_CLUSTERS - FAT_FREE_CLUSTERS, FAT_CLUSTERS);
    assert_int_equal(run("fsck.fat -n image 2>&1", out, sizeof(out)), 0);
    line = strchr(out, '\n'); /* the first line is the version */
    assert_non_null(line);
    assert_string_equal(line + 1, want);
}

/* ---- CURRENT.BIN, CURRENT.UF2 ---- */

/* Sizes around those of sectors, blocks and clusters, and the largest. */
static const uint32_t sizes[] = {0x44, 508,  512,  516,  4096,
                                 4100, 8188, 8192, 20004};

static void current_bin_is_the_image(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct fat f = with_app(sizes[i], 0x01020003);

        assert_int_equal(get(&f, "CURRENT.BIN"), sizes[i]);
        assert_memory_equal(file, image, sizes[i]);
        assert_clean(&f, 10);
    }
}

/* Behind the stamped length are data of the application's. */
static void data_behind_the_image_are_not_in_it(void **state)
{
    struct fat f = with_app(9000, 0x01020003);

    (void)state;
    memset(image + 9000, 0x5A, 5000);
    fake_flash_load(flash, SLOT, image, sizeof(image));
    fat_files_mount(&f);
    assert_int_equal(get(&f, "CURRENT.BIN"), 9000);
}

static void plain_image_ends_with_what_is_not_blank(void **state)
{
    struct fat f = with_app(20004, 0);

    (void)state;
    assert_int_equal(get(&f, "CURRENT.BIN"), 20004);
    assert_memory_equal(file, image, 20004);
    f = with_app(sizeof(image), 0);
    assert_int_equal(get(&f, "CURRENT.BIN"), sizeof(image));
    assert_memory_equal(file, image, sizeof(image));
    assert_clean(&f, 10);
}

/* As the specification has it; what it says makes the image again. */
static void current_uf2_makes_the_image(void **state)
{
    static uint8_t made[PART_APP_SIZE];

    (void)state;
    for (size_t i = 0; i <= sizeof(sizes) / sizeof(sizes[0]); i++) {
        bool full = i == sizeof(sizes) / sizeof(sizes[0]);
        uint32_t size = full ? (uint32_t)sizeof(image) : sizes[i];
        uint32_t blocks = (size + 255) / 256;
        struct fat f = with_app(size, full ? 0 : 0x01020003);

        assert_int_equal(get(&f, "CURRENT.UF2"), blocks * 512);
        memset(made, 0xFF, sizeof(made));
        for (uint32_t k = 0; k < blocks; k++) {
            const uint8_t *b = file + k * 512;

            assert_int_equal(u32(b), 0x0A324655);
            assert_int_equal(u32(b + 4), 0x9E5D5157);
            assert_int_equal(u32(b + 8), 0x2000); /* family, and nothing else */
            assert_int_equal(u32(b + 12), SLOT + 256 * k);
            assert_int_equal(u32(b + 16), 256);
            assert_int_equal(u32(b + 20), k);
            assert_int_equal(u32(b + 24), blocks);
            assert_int_equal(u32(b + 28), BOARD_UF2_FAMILY);
            assert_int_equal(u32(b + 508), 0x0AB16F30);
            memcpy(made + 256 * k, b + 32, 256);
        }
        assert_memory_equal(made, image, sizeof(made));
    }
}

static void without_an_application_they_are_not_there(void **state)
{
    struct fat f = with_app(8192, 0x01020003);

    (void)state;
    assert_true(is_there(&f, "CURRENT.BIN"));
    assert_true(is_there(&f, "CURRENT.UF2"));
    put32(IMG_OFF_SP, 0); /* killed */
    fake_flash_load(flash, SLOT, image, sizeof(image));
    fat_files_mount(&f);
    assert_false(is_there(&f, "CURRENT.BIN"));
    assert_false(is_there(&f, "CURRENT.UF2"));
    assert_clean(&f, 8);
}

/* ---- the others ---- */

static void info_uf2_is_as_specified(void **state)
{
    struct fat f = with_app(8192, 0);
    uint32_t n = get(&f, "INFO_UF2.TXT");

    (void)state;
    file[n] = 0;
    assert_string_equal((char *)file,
                        "UF2 Bootloader v" CONFIG_VERSION
                        " Sallyport " CONFIG_BUILD "\n"
                        "Model: " BOARD_MODEL "\n"
                        "Board-ID: " BOARD_MODEL "-" BOARD_NAME "-v0\n");
}

static void names_are_long_and_hidden(void **state)
{
    static const char *const attributes[] = {
        "      H      ::/.metadata_never_index\n",
        "      H      ::/.fseventsd\n",
        "      H      ::/.Trashes\n",
        "     SH      ::/System Volume Information\n",
        "  A          ::/INFO_UF2.TXT\n",
    };
    struct fat f = with_app(8192, 0);
    char out[2048];

    (void)state;
    dump(&f);
    assert_int_equal(run("mdir -a -b -i image ::", out, sizeof(out)), 0);
    assert_string_equal(out, "::/READY.txt\n"
                             "::/INFO_UF2.TXT\n"
                             "::/.metadata_never_index\n"
                             "::/.fseventsd/\n"
                             "::/.Trashes\n"
                             "::/System Volume Information\n"
                             "::/CURRENT.BIN\n"
                             "::/CURRENT.UF2\n");
    assert_run("mdir -a -b -i image ::/.fseventsd", "::/.fseventsd/no_log\n");
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        assert_run("mattrib -i image '::/*'", attributes[i]);
}

/* ---- status file ---- */

static void status_ends_with(const struct fat *f, const char *line)
{
    struct volume v = open_volume(f);
    char text[513];

    status_text(&v, text);
    assert_true(strlen(text) > strlen(line));
    assert_string_equal(text + strlen(text) - strlen(line), line);
}

static void status_names_the_application(void **state)
{
    struct fat f = with_app(8192, 0x01020003);

    (void)state;
    status_ends_with(&f, "没有错误\nfirmware: 1.2.3\n");
    f = with_app(8192, 0xFFFFFFFF);
    status_ends_with(&f, "\nfirmware: 255.255.65535\n");
    f = with_app(8192, 0);
    status_ends_with(&f, "没有错误\n"); /* nobody knows */

    put_record("DEMO    BIN", STAGE_DONE);
    fat_files_mount(&f);
    status_ends_with(&f, "\nfirmware: DEMO.BIN\n");
    f = with_app(8192, 0x0A000100);
    put_record("MY\x99"
               "PP~12HEX",
               STAGE_DONE);
    fat_files_mount(&f);
    status_ends_with(&f, "\nfirmware: 10.0.256 MY_PP~12.HEX\n");
    put_record("NEXT       ", 0xFFFFFFFF); /* not installed yet */
    fat_files_mount(&f);
    status_ends_with(&f, "\nfirmware: 10.0.256\n");
}

/* The longest of everything is a sector still. */
static void longest_status_is_a_sector(void **state)
{
    struct fat f = with_app(8192, 0xFFFFFFFF);

    (void)state;
    put_record("12345678HEX", STAGE_DONE);
    fat_files_mount(&f);
    f.state = FAT_ERROR;
    for (f.err = 0; f.err <= ERR_BUSY; f.err++)
        status_ends_with(&f, "\nfirmware: 255.255.65535 12345678.HEX\n");
}

static int set_up(void **state)
{
    flash = fake_flash_map();
    return fat_bench_set_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(current_bin_is_the_image),
        cmocka_unit_test(data_behind_the_image_are_not_in_it),
        cmocka_unit_test(plain_image_ends_with_what_is_not_blank),
        cmocka_unit_test(current_uf2_makes_the_image),
        cmocka_unit_test(without_an_application_they_are_not_there),
        cmocka_unit_test(info_uf2_is_as_specified),
        cmocka_unit_test(names_are_long_and_hidden),
        cmocka_unit_test(status_names_the_application),
        cmocka_unit_test(longest_status_is_a_sector),
    };

    return cmocka_run_group_tests(tests, set_up, fat_bench_tear_down);
}
