/* SPDX-License-Identifier: MIT */
/*
 * test_fat.c - the volume that the drive shows, as a host would read it.  It
 * is parsed here from the FAT specification's offsets, not by core/fat.h, and
 * shown to fsck.fat, blkid and mtools.  Built once per board.
 */
#include "fat.h"

#include "plat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SERIAL "0123456789ABCDEF76543210"

void plat_serial(char *digits)
{
    memcpy(digits, SERIAL, PLAT_SERIAL_DIGITS);
}

static const struct fat ready = {.state = FAT_READY};
static const struct fat success = {.state = FAT_SUCCESS};
static const struct fat failed = {
    .state = FAT_ERROR, .err = ERR_CHECK, .offset = 0x0012ABCD};

static const struct {
    const struct fat *fat;
    const char *name;  /* as it is stored */
    const char *shown; /* as hosts show it */
    const char *result;
} states[] = {
    {&ready, "READY   TXT", "READY.txt", "result: READY   0x00 no error\n"},
    {&success, "SUCCESS TXT", "SUCCESS.txt", "result: SUCCESS 0x00 no error\n"},
    {&failed, "ERROR   TXT", "ERROR.txt",
     "result: ERROR   0x07 image damaged, copy again\n"},
};
#define STATES (sizeof(states) / sizeof(states[0]))

/* ---- the volume, as its own boot sector describes it ---- */

struct volume {
    const struct fat *fat;
    uint32_t sectors, reserved, fat_size, cluster_size; /* sectors */
    uint32_t data, clusters, root, fsinfo, backup;
};

static uint32_t u16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

struct sector {
    _Alignas(4) uint8_t bytes[512];
};

/* What was in the buffer before must not show, nor may more be written. */
static struct sector read_sector(const struct fat *fat, uint32_t lba)
{
    struct {
        struct sector sector;
        uint8_t behind[16];
    } buffer;

    struct fat_cluster cluster[FAT_FREE_END] = {0};

    fat_mount(cluster);
    memset(&buffer, 0xA5, sizeof(buffer));
    fat_read(fat, cluster, lba, buffer.sector.bytes);
    for (size_t i = 0; i < sizeof(buffer.behind); i++)
        assert_int_equal(buffer.behind[i], 0xA5);
    return buffer.sector;
}

static struct volume open_volume(const struct fat *fat)
{
    struct sector boot = read_sector(fat, 0);
    const uint8_t *b = boot.bytes;
    struct volume v = {
        .fat = fat,
        .sectors = u32(b + 32),
        .reserved = u16(b + 14),
        .fat_size = u32(b + 36),
        .cluster_size = b[13],
        .root = u32(b + 44),
        .fsinfo = u16(b + 48),
        .backup = u16(b + 50),
    };

    v.data = v.reserved + b[16] * v.fat_size;
    v.clusters = (v.sectors - v.data) / v.cluster_size;
    return v;
}

static uint32_t fat_value(const struct volume *v, uint32_t cluster)
{
    struct sector s = read_sector(v->fat, v->reserved + cluster / 128);

    return u32(s.bytes + cluster % 128 * 4) & 0x0FFFFFFF;
}

static uint32_t cluster_lba(const struct volume *v, uint32_t cluster)
{
    return v->data + (cluster - 2) * v->cluster_size;
}

/* Clusters of the chain, which has to be one behind the other. */
static uint32_t chain_length(const struct volume *v, uint32_t cluster)
{
    uint32_t n = 1;

    for (; fat_value(v, cluster) < 0x0FFFFFF8; n++) {
        assert_int_equal(fat_value(v, cluster), cluster + 1);
        cluster++;
        assert_true(n < v->clusters);
    }
    return n;
}

/* The entries of the root directory that are not empty. */
static uint32_t root_entries(const struct volume *v, uint8_t entries[][32],
                             uint32_t max)
{
    uint32_t sectors = chain_length(v, v->root) * v->cluster_size;
    uint32_t n = 0;

    for (uint32_t i = 0; i < sectors; i++) {
        struct sector s = read_sector(v->fat, cluster_lba(v, v->root) + i);

        for (uint32_t j = 0; j < 512; j += 32) {
            if (s.bytes[j] == 0)
                continue;
            assert_int_equal(n, i * 16 + j / 32); /* no hole: 0 is the end */
            assert_true(n < max);
            memcpy(entries[n++], s.bytes + j, 32);
        }
    }
    return n;
}

/* The status file, NUL behind it.  It is in one sector, so its size is. */
static char *status_text(const struct volume *v, char text[513])
{
    uint8_t entries[2][32];
    struct sector s;
    uint32_t cluster, size;

    assert_int_equal(root_entries(v, entries, 2), 2);
    cluster = u16(entries[1] + 26) | u16(entries[1] + 20) << 16;
    size = u32(entries[1] + 28);
    assert_in_range(size, 1, 512);
    s = read_sector(v->fat, cluster_lba(v, cluster));
    memset(text, 0, 513);
    memcpy(text, s.bytes, size);
    assert_int_equal(strlen(text), size);
    for (uint32_t i = size; i < 512; i++)
        assert_int_equal(s.bytes[i], 0);
    return text;
}

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

/* Right behind the two clusters in use, without a gap, room for the largest
 * file and the litter of hosts; all others are bad. */
static void free_clusters_are_a_window(void **state)
{
    struct volume v = open_volume(&ready);
    uint32_t bytes = v.cluster_size * 512;
    uint32_t want = (2 * PART_APP_SIZE + 128 * 1024 + bytes - 1) / bytes;

    (void)state;
    for (uint32_t c = 2; c < v.fat_size * 128; c++) {
        uint32_t entry = fat_value(&v, c);

        if (c < 4)
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
        uint8_t e[2][32];
        uint32_t cluster, size;

        assert_int_equal(root_entries(&v, e, 2), 2);
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
                 "%s",
                 PART_APP_START, PART_APP_SIZE, states[i].fat->offset,
                 states[i].result);
        assert_string_equal(status_text(&v, text), want);
    }
}

/* Each with its own sentence, its code as GETSTATUS has it, in a sector. */
static void every_error_has_its_sentence(void **state)
{
#define SENTENCE(name, status, sentence) {name, sentence},
    static const struct {
        enum err err;
        const char *sentence;
    } list[] = {ERR_UPDATE_LIST(SENTENCE)};

    (void)state;
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        struct fat f = {.state = FAT_ERROR, .err = (uint8_t)list[i].err};
        struct volume v = open_volume(&f);
        char text[513], want[128];

        snprintf(want, sizeof(want), "\nresult: ERROR   0x%02X %s\n",
                 (unsigned)list[i].err, list[i].sentence);
        status_text(&v, text);
        assert_string_equal(text + strlen(text) - strlen(want), want);
        for (const char *c = text; *c; c++)
            assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7F));
    }
}

/* ---- tools of others ---- */

static char directory[] = "/tmp/sallyport-fat-XXXXXX";

static int set_up(void **state)
{
    char path[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin", getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("LC_ALL", "C", 1);
    setenv("MTOOLSRC", "/dev/null", 1);
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    remove("image");
    remove("file");
    return rmdir(directory);
}

/* The volume as a sparse file "image". */
static void dump(const struct fat *fat)
{
    FILE *file = fopen("image", "wb");

    assert_non_null(file);
    for (uint32_t lba = 0; lba < FAT_LBA(FAT_FREE); lba++) {
        struct sector s = read_sector(fat, lba);

        assert_int_equal(fwrite(s.bytes, 512, 1, file), 1);
    }
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), (off_t)FAT_VOLUME * 512), 0);
    fclose(file);
}

/* Runs a command; its output, at most size - 1 bytes, and exit status. */
static int run(const char *command, char *out, size_t size)
{
    FILE *pipe = popen(command, "r");
    size_t n;
    int result;

    assert_non_null(pipe);
    n = fread(out, 1, size - 1, pipe);
    out[n] = 0;
    while (fgetc(pipe) != EOF)
        ;
    result = pclose(pipe);
    if (!WIFEXITED(result) || WEXITSTATUS(result) == 127)
        fail_msg("%s: %s", command, out);
    return WEXITSTATUS(result);
}

static void assert_run(const char *command, const char *line)
{
    char out[8192];

    if (run(command, out, sizeof(out)) != 0 || !strstr(out, line))
        fail_msg("%s: no \"%s\" in: %s", command, line, out);
}

static void fsck_finds_nothing(void **state)
{
    char want[64];

    (void)state;
    snprintf(want, sizeof(want), "image: 2 files, %u/%u clusters\n",
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

static void make_file(uint32_t size)
{
    FILE *file = fopen("file", "wb");

    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), size), 0);
    fclose(file);
}

/* The .uf2 of a whole slot fits with 128 KB of other files, no byte more. */
static void the_largest_file_fits_with_litter(void **state)
{
    char out[8192];

    (void)state;
    dump(&ready);
    make_file(2 * PART_APP_SIZE);
    assert_run("mcopy -i image file ::/a.uf2", "");
    make_file(128 * 1024);
    assert_run("mcopy -i image file ::/litter", "");
    assert_run("fsck.fat -n image", "image: 4 files");
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

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
