/* SPDX-License-Identifier: MIT */
/*
 * test_fat.c - the volume that the drive shows, as a host would read it.  It
 * is parsed here from the FAT specification's offsets, not by core/fat.h, and
 * shown to fsck.fat, blkid and mtools.  Built once per board.
 */
#include "fat_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct fat ready = {.state = FAT_READY};
static const struct fat success = {.state = FAT_SUCCESS};
static const struct fat failed = {
    .state = FAT_ERROR, .err = ERR_CHECK, .offset = 0x0012ABCD};

static const struct {
    const struct fat *fat;
    const char *name;  /* as it is stored */
    const char *shown; /* as hosts show it */
    const char *result, *chinese;
} states[] = {
    {&ready, "READY   TXT", "READY.txt", "result: READY   0x00 no error\n",
     "没有错误\n"},
    {&success, "SUCCESS TXT", "SUCCESS.txt", "result: SUCCESS 0x00 no error\n",
     "没有错误\n"},
    {&failed, "ERROR   TXT", "ERROR.txt",
     "result: ERROR   0x07 image damaged, copy again\n",
     "固件已损坏，请重新复制\n"},
};
#define STATES (sizeof(states) / sizeof(states[0]))

/* ---- boot sector, FSINFO, FAT ---- */

static void boot_sector_is_one_of_fat32(void **state)
{
    struct sector s = read_sector(&ready, 0);
    const uint8_t *b = s.bytes;

    (void)state;
    assert_int_equal(b[0], 0xEB);
    assert_int_equal(b[2], 0x90);
    assert_int_equal(u16(b + 11), 512); /* bytes of a sector */
    assert_int_equal(b[13] & (b[13] - 1), 0);
    assert_in_range(b[13], 1, 64); /* at most 32 KB a cluster */
    assert_true(u16(b + 14) > 7);  /* reserved: the backups are inside */
    assert_int_equal(b[16], 2);    /* FATs */
    assert_int_equal(u16(b + 17), 0);
    assert_int_equal(u16(b + 19), 0);
    assert_int_equal(b[21], 0xF8);
    assert_int_equal(u16(b + 22), 0); /* FATSz16: FAT32 for Windows, Linux */
    assert_int_equal(u32(b + 28), 0); /* no partition before it */
    assert_int_equal(u16(b + 40), 0); /* mirrored */
    assert_int_equal(u16(b + 42), 0); /* version */
    assert_int_equal(b[0x41], 0);     /* clean */
    assert_int_equal(b[66], 0x29);
    assert_memory_equal(b + 71, "BOOTLOADER ", 11);
    assert_memory_equal(b + 82, "FAT32   ", 8);
    for (int i = 446; i < 510; i++) /* a partition table with nothing in it */
        assert_int_equal(b[i], 0);
    assert_int_equal(u16(b + 510), 0xAA55);
}

static void geometry_is_fat32_with_a_margin(void **state)
{
    struct volume v = open_volume(&ready);

    (void)state;
    assert_int_equal(v.sectors, FAT_VOLUME); /* the disk is all of it */
    assert_int_equal((v.sectors - v.data) % v.cluster_size, 0);
    assert_true(v.clusters >= 65525 + 32);
    assert_true(v.fat_size * 128 >= v.clusters + 2);
    assert_int_equal(v.root, 2);
    assert_int_equal(v.fsinfo, 1);
    assert_int_equal(v.backup, 6);
}

static void backups_are_equal(void **state)
{
    struct volume v = open_volume(&ready);

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct sector a = read_sector(&ready, i);
        struct sector b = read_sector(&ready, v.backup + i);

        assert_memory_equal(a.bytes, b.bytes, 512);
    }
}

static void fsinfo_is_exact(void **state)
{
    struct volume v = open_volume(&ready);
    struct sector s = read_sector(&ready, v.fsinfo);
    uint32_t count = 0, first = 0, hint = u32(s.bytes + 492);

    (void)state;
    assert_int_equal(u32(s.bytes), 0x41615252);
    assert_int_equal(u32(s.bytes + 484), 0x61417272);
    assert_int_equal(u32(s.bytes + 508), 0xAA550000);
    for (uint32_t c = 2; c < v.clusters + 2; c++) {
        if (fat_value(&v, c) == 0) {
            first = first ? first : c;
            count++;
        }
    }
    assert_int_equal(u32(s.bytes + 488), count);
    assert_int_equal(hint + 1, first); /* Linux starts behind the hint */
}

static void fats_are_equal_and_clean(void **state)
{
    struct volume v = open_volume(&ready);
    struct sector first = read_sector(&ready, v.reserved);

    (void)state;
    for (uint32_t i = 0; i < v.fat_size; i++) {
        struct sector a = read_sector(&ready, v.reserved + i);
        struct sector b = read_sector(&ready, v.reserved + v.fat_size + i);

        assert_memory_equal(a.bytes, b.bytes, 512);
    }
    assert_int_equal(u32(first.bytes), 0x0FFFFFF8);
    /* bit 27: clean, bit 26: no error; FreeBSD and macOS want the rest, too */
    assert_int_equal(u32(first.bytes + 4), 0x0FFFFFFF);
}

/* A .uf2 is twice its image, a .hex at most three times. */
#define LARGEST ((CONFIG_FORMATS ? 3 : 2) * PART_APP_SIZE)

/* Right behind the two clusters in use, without a gap, room for the largest
 * file and the litter of hosts; all others are bad, but for those of two more
 * files and directories behind the window. */
static void free_clusters_are_a_window(void **state)
{
    struct volume v = open_volume(&ready);
    uint32_t bytes = v.cluster_size * 512;
    uint32_t want = (LARGEST + 128 * 1024 + bytes - 1) / bytes;

    (void)state;
    for (uint32_t c = 2; c < v.fat_size * 128; c++) {
        uint32_t entry = fat_value(&v, c);

        if (c < 4 || (CONFIG_FILES && c - 4 - want < 2))
            assert_true(entry >= 0x0FFFFFF8);
        else
            assert_int_equal(entry, c < 4 + want ? 0 : 0x0FFFFFF7);
    }
}

static void data_area_reads_as_zero(void **state)
{
    static const uint8_t zero[512];
    struct volume v = open_volume(&ready);

    (void)state;
    for (uint32_t lba = cluster_lba(&v, 3) + 1; lba < v.sectors; lba++) {
        struct sector s = read_sector(&ready, lba);

        if (CONFIG_FILES && (lba == cluster_lba(&v, FAT_FREE_END) ||
                             lba == cluster_lba(&v, FAT_FREE_END + 1)))
            continue;

        assert_memory_equal(s.bytes, zero, 512);
    }
}

/* ---- root directory, status file ---- */

static void assert_date(const uint8_t *p)
{
    assert_in_range(u16(p) & 31, 1, 28);
    assert_in_range(u16(p) >> 5 & 15, 1, 12);
    assert_in_range(u16(p) >> 9, 2023 - 1980, 2043 - 1980);
}

static void root_has_label_and_status_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        struct volume v = open_volume(states[i].fat);
        uint8_t e[16][32];
        uint32_t cluster, size;

        assert_int_equal(root_entries(&v, e, 16), CONFIG_FILES ? 13 : 2);
        assert_memory_equal(e[0], "BOOTLOADER ", 11);
        assert_int_equal(e[0][11], 0x08);
        assert_int_equal(u16(e[0] + 20) | u16(e[0] + 26), 0);
        assert_int_equal(u32(e[0] + 28), 0);
        assert_date(e[0] + 24);

        assert_memory_equal(e[1], states[i].name, 11);
        assert_int_equal(e[1][11], 0x20); /* a file, no other attribute */
        assert_int_equal(e[1][12], 0x10); /* extension in lower case */
        assert_date(e[1] + 16);
        assert_date(e[1] + 18);
        assert_date(e[1] + 24);
        size = u32(e[1] + 28);
        cluster = u16(e[1] + 26) | u16(e[1] + 20) << 16;
        assert_in_range(cluster, 3, v.clusters + 1);
        assert_int_equal(chain_length(&v, cluster),
                         (size + v.cluster_size * 512 - 1) /
                             (v.cluster_size * 512));
    }
}

static void status_says_what_it_is(void **state)
{
    char want[512];

    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        struct volume v = open_volume(states[i].fat);
        char text[513];

        snprintf(want, sizeof(want),
                 "product: " BOARD_MODEL "\n"
                 "board: " BOARD_NAME "\n"
                 "version: " CONFIG_VERSION "+" CONFIG_BUILD "\n"
                 "slot: 0x%08X+0x%08X\n"
                 "flash: " LAYOUT "\n"
                 "serial: " SERIAL "\n"
                 "offset: 0x%08X\n"
                 "%s%s",
                 PART_APP_START, PART_APP_SIZE, states[i].fat->offset,
                 states[i].result, CONFIG_FILES ? states[i].chinese : "");
        assert_string_equal(status_text(&v, text), want);
    }
}

/* Each with its own sentence, its code as GETSTATUS has it, in a sector. */
static void every_error_has_its_sentence(void **state)
{
#define SENTENCE(name, status, sentence, chinese) {name, sentence, chinese},
    static const bool both = CONFIG_FILES;
    static const struct {
        enum err err;
        const char *sentence, *chinese;
    } list[] = {ERR_LIST_OF(SENTENCE, ERR_SKIP, SENTENCE)};

    (void)state;
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        struct fat f = {.state = FAT_ERROR, .err = (uint8_t)list[i].err};
        struct volume v = open_volume(&f);
        char text[513], want[256], *end;

        snprintf(want, sizeof(want), "\nresult: ERROR   0x%02X %s\n%s%s",
                 (unsigned)list[i].err, list[i].sentence,
                 both ? list[i].chinese : "", both ? "\n" : "");
        status_text(&v, text);
        assert_string_equal(text + strlen(text) - strlen(want), want);
        /* ASCII as far as tools read it; and UTF-8 needs no mark before it. */
        end = text + strlen(text) - (both ? strlen(list[i].chinese) + 1 : 0);
        for (const char *c = text; c < end; c++)
            assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7F));
    }
}

/* ---- tools of others ---- */

/* As fsck.fat counts: the label, files, directories and what is in them. */
#define FILES (CONFIG_FILES ? 8u : 2u)

static void fsck_finds_nothing(void **state)
{
    char want[64];

    (void)state;
    snprintf(want, sizeof(want), "image: %u files, %u/%u clusters\n", FILES,
             FAT_CLUSTERS - FAT_FREE_CLUSTERS, FAT_CLUSTERS);
    for (size_t i = 0; i < STATES; i++) {
        char out[8192], *line;

        dump(states[i].fat);
        assert_int_equal(run("fsck.fat -n image 2>&1", out, sizeof(out)), 0);
        line = strchr(out, '\n'); /* the first line is the version */
        assert_non_null(line);
        assert_string_equal(line + 1, want);
    }
}

static void blkid_knows_it(void **state)
{
    (void)state;
    dump(&ready);
    assert_run("blkid -p -o export image", "\nTYPE=vfat\n");
    assert_run("blkid -p -o export image", "\nVERSION=FAT32\n");
    assert_run("blkid -p -o export image", "\nLABEL=BOOTLOADER\n");
    assert_run("blkid -p -o export image", "\nLABEL_FATBOOT=BOOTLOADER\n");
}

static void mtools_read_it(void **state)
{
    char command[64], want[64];

    (void)state;
    for (size_t i = 0; i < STATES; i++) {
        dump(states[i].fat);
        snprintf(want, sizeof(want), "::/%s\n", states[i].shown);
        assert_run("mdir -b -i image ::", want);
        snprintf(command, sizeof(command), "mtype -i image ::/%s",
                 states[i].shown);
        assert_run(command, states[i].result);
    }
    assert_run("mlabel -s -i image ::", "BOOTLOADER");
    assert_run("minfo -i image ::", "disk type=\"FAT32   \"");
    snprintf(want, sizeof(want), "free clusters=%u\n", FAT_FREE_CLUSTERS);
    assert_run("minfo -i image ::", want);
}

/* The largest file, of a whole slot, fits with 128 KB of other files, no byte
 * more. */
static void the_largest_file_fits_with_litter(void **state)
{
    char out[8192];

    (void)state;
    dump(&ready);
    make_file(LARGEST);
    assert_run("mcopy -i image file ::/largest", "");
    make_file(128 * 1024);
    assert_run("mcopy -i image file ::/litter", "");
    snprintf(out, sizeof(out), "image: %u files", FILES + 2);
    assert_run("fsck.fat -n image", out);
    make_file(1);
    assert_int_not_equal(
        run("mcopy -i image file ::/more 2>&1", out, sizeof(out)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boot_sector_is_one_of_fat32),
        cmocka_unit_test(geometry_is_fat32_with_a_margin),
        cmocka_unit_test(backups_are_equal),
        cmocka_unit_test(fsinfo_is_exact),
        cmocka_unit_test(fats_are_equal_and_clean),
        cmocka_unit_test(free_clusters_are_a_window),
        cmocka_unit_test(data_area_reads_as_zero),
        cmocka_unit_test(root_has_label_and_status_file),
        cmocka_unit_test(status_says_what_it_is),
        cmocka_unit_test(every_error_has_its_sentence),
        cmocka_unit_test(fsck_finds_nothing),
        cmocka_unit_test(blkid_knows_it),
        cmocka_unit_test(mtools_read_it),
        cmocka_unit_test(the_largest_file_fits_with_litter),
    };

    return cmocka_run_group_tests(tests, fat_bench_set_up, fat_bench_tear_down);
}
