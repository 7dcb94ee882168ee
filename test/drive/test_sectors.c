/* SPDX-License-Identifier: MIT
 *
 * Sectors written by hand, in ways that end in a wrong image where the drive
 * believes what an earlier version of a sector, another file or its own guess
 * has said.
 */
#include "core_disk.h"

#include "config.h"
#include "fat.h"
#include "payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 20000, BLOCK = 256, CLUSTER = 10, QUIET_MS = 40000 };

static struct trial_rig rig;
static struct trial_board board;
static uint8_t image[PART_APP_SIZE], other[PART_APP_SIZE], slot[PART_APP_SIZE];
static uint32_t
    table[(FAT_FREE_END / FAT_SECTOR_ENTRIES + 1) * FAT_SECTOR_ENTRIES];
static uint8_t root[2 * FAT_SECTOR]; /* its first sectors */
static uint32_t entries;             /* of the volume's own, there */

/* ---- a host ---- */

static void write_at(uint32_t lba, const void *data)
{
    assert_true(rig.dev.write(rig.dev.ctx, lba, 1, data));
}

static void read_at(uint32_t lba, void *data)
{
    assert_true(rig.dev.read(rig.dev.ctx, lba, 1, data));
}

static void read_root(void)
{
    read_at(FAT_LBA(FAT_ROOT), root);
    read_at(FAT_LBA(FAT_ROOT) + 1, root + FAT_SECTOR);
}

static void write_root(void)
{
    write_at(FAT_LBA(FAT_ROOT), root);
    write_at(FAT_LBA(FAT_ROOT) + 1, root + FAT_SECTOR);
}

/* Power on with n bytes of this in the slot, and the volume as it is then. */
static void start(const uint8_t *data, uint32_t n)
{
    memset(slot, 0xFF, sizeof slot);
    memcpy(slot, data, n);
    rig.start(rig.dev.ctx, slot);
    for (uint32_t i = 0; i * FAT_SECTOR_ENTRIES < FAT_FREE_END; i++)
        read_at(FAT_RESERVED + i, table + i * FAT_SECTOR_ENTRIES);
    read_root();
    for (entries = 0; root[32 * entries]; entries++)
        ;
}

static void wait_ms(uint32_t ms)
{
    rig.dev.wait(rig.dev.ctx, ms);
}

/* The k-th sector of a file that starts at a cluster. */
static void data_sector(uint32_t cluster, uint32_t k, const void *data)
{
    write_at(FAT_LBA(cluster) + k, data);
}

/* Entry and chain, which the next metadata() writes. */
static void file(uint32_t number, uint32_t cluster, uint32_t size)
{
    uint8_t *e = root + 32 * (entries + number);
    uint32_t n = (size + FAT_CLUSTER - 1) / FAT_CLUSTER;

    memset(e, 0, 32);
    memcpy(e, "FILE    BIN ", 12);
    e[4] = (uint8_t)('0' + number);
    memcpy(e + 26, &cluster, 2);
    memcpy(e + 28, &size, 4);
    for (uint32_t i = 0; i < n && cluster + i < sizeof(table) / sizeof(*table);
         i++) /* a small volume's has no more entries */
        table[cluster + i] = i + 1 < n ? cluster + i + 1 : 0x0FFFFFFF;
}

static void write_table(void)
{
    for (uint32_t copy = 0; copy < 2; copy++)
        for (uint32_t i = 0; i * FAT_SECTOR_ENTRIES < FAT_FREE_END; i++)
            write_at(FAT_RESERVED + copy * FAT_SIZE + i,
                     table + i * FAT_SECTOR_ENTRIES);
}

static void metadata(void)
{
    uint8_t info[FAT_SECTOR];

    write_table();
    write_root();
    read_at(FAT_INFO, info);
    write_at(FAT_INFO, info);
    assert_true(rig.dev.sync(rig.dev.ctx));
}

/* Sectors of a .bin. */
static void bin(uint32_t cluster, const uint8_t *data, uint32_t from,
                uint32_t to)
{
    for (uint32_t k = from; k < to; k++)
        data_sector(cluster, k, data + k * FAT_SECTOR);
}

/* The n blocks of a .uf2 with the data from an offset of the slot on, but for
 * those from `hole` to `hole_end`. */
static void uf2(uint32_t cluster, const uint8_t *data, uint32_t offset,
                uint32_t n, uint32_t hole, uint32_t hole_end)
{
    uint32_t blocks = n - (hole_end - hole), k = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t block[FAT_SECTOR / 4] = {
            0x0A324655, 0x9E5D5157, 0x2000, board.slot + offset + i * BLOCK,
            BLOCK,      k,          blocks, board.family};

        if (i >= hole && i < hole_end)
            continue;
        memcpy(block + 8, data + i * BLOCK, BLOCK);
        block[FAT_SECTOR / 4 - 1] = 0x0AB16F30;
        data_sector(cluster, k++, block);
    }
    file(cluster != CLUSTER, cluster, blocks * FAT_SECTOR);
}

static void photo(uint32_t cluster, uint32_t from, uint32_t to)
{
    uint8_t sector[FAT_SECTOR];

    for (uint32_t k = from; k < to; k++) {
        memset(sector, (int)(0x40 + k % 64), sizeof sector);
        data_sector(cluster, k, sector);
    }
}

/* What the fresh volume says. */
static bool success(void)
{
    read_root();
    assert_true(rig.mounts(rig.dev.ctx));
    return memcmp(root + 32, "SUCCESS ", 8) == 0;
}

/* Nothing of it starts; staged, all is as it was. */
static void nothing_of_it(void)
{
    static uint8_t now[PART_APP_SIZE];

    rig.slot(rig.dev.ctx, now);
    if (rig.staged)
        assert_memory_equal(now, slot, sizeof slot);
    else
        assert_false(rig.boots(rig.dev.ctx));
}

static void refused(void)
{
    wait_ms(QUIET_MS);
    assert_false(success());
    nothing_of_it();
    assert_null(rig.fault(rig.dev.ctx));
}

static int setup(void **state)
{
    (void)state;
    board = *rig.board;
    memset(image, 0xFF, sizeof image);
    payload_image(&board, 1, LENGTH, true, image);
    payload_image(&board, 2, sizeof other, false, other);
    return 0;
}

#define BLOCKS ((LENGTH + BLOCK - 1) / BLOCK)

/* ---- wrong images ---- */

/* What came of it is what the slot has already: the check of the stamp must
 * not be left out, since the gap is erased. */
static void blocks_missing_of_what_is_installed(void **state)
{
    (void)state;
    start(image, LENGTH);
    uf2(CLUSTER, image, 0, BLOCKS, 16, 32);
    metadata();
    refused();
}

static void whole_file_onto_itself(void **state)
{
    (void)state;
    start(image, LENGTH);
    uf2(CLUSTER, image, 0, BLOCKS, 0, 0);
    metadata();
    wait_ms(QUIET_MS);
    assert_true(success());
    assert_true(rig.boots(rig.dev.ctx));
}

/* Blocks that are in the slot, and are then overwritten on the volume. */
static void sectors_overwritten_by_another_file(void **state)
{
    uint32_t n = PART_APP_SIZE / BLOCK < 300 ? PART_APP_SIZE / BLOCK : 300;

    (void)state;
    payload_image(&board, 1, n * BLOCK, true, image);
    start(image, 0);
    uf2(CLUSTER, image, 0, n, 0, 0);
    photo(CLUSTER, 8, 16);
    metadata();
    refused();
}

/* Half of one file, and a whole one that has other parts of the slot. */
static void pieces_of_two_files(void **state)
{
    enum { N = 100, AT = PART_APP_SIZE / 2 / BLOCK * BLOCK };

    (void)state;
    for (int is_uf2 = 0; is_uf2 < 2; is_uf2++) {
        start(image, 0);
        if (is_uf2)
            uf2(CLUSTER, other, 0, 100, 0, 0);
        else
            bin(CLUSTER, other, 0, 50);
        file(0, CLUSTER, 60000);
        uf2(30, image, AT, N, 0, 0);
        metadata();
        wait_ms(3000);
        refused();
    }
}

/* The FAT never came: which cluster belongs to the file nobody knows. */
static void guessed_chain(void **state)
{
    (void)state;
    start(image, 0);
    bin(CLUSTER, other, 0, 16);
    photo(CLUSTER, 16, 24); /* of another file */
    photo(100, 0, CONFIG_DRIVE_SECTORS + 64);
    file(0, CLUSTER, 3 * FAT_CLUSTER);
    write_root();
    refused();
}

/* A file without a stamp is written over one that has one, and its entry is
 * still that of the old one. */
static void plain_over_stamped(void **state)
{
    (void)state;
    start(image, 0);
    bin(CLUSTER, image, 0, 40);
    file(0, CLUSTER, LENGTH);
    write_table();
    bin(CLUSTER, other, 0, 24);
    metadata();
    wait_ms(3000);
    assert_false(rig.mounts(rig.dev.ctx));
    nothing_of_it();
}

/* ---- the volume ---- */

static void fat_reads_as_written(void **state)
{
    uint32_t sector[FAT_SECTOR_ENTRIES];

    (void)state;
    start(image, 0);
    file(0, CLUSTER, 3 * FAT_CLUSTER);
    table[20] = 0x0FFFFFF8;
    write_table();
    for (uint32_t copy = 0; copy < 2; copy++) {
        read_at(FAT_RESERVED + copy * FAT_SIZE, sector);
        assert_memory_equal(sector, table, sizeof sector);
    }
}

/* With sectors of files in the window, too. */
static void both_fats_are_equal(void **state)
{
    uint8_t first[FAT_SECTOR], second[FAT_SECTOR];

    (void)state;
    start(image, 0);
    for (uint32_t turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < FAT_SIZE; i++) {
            read_at(FAT_RESERVED + i, first);
            read_at(FAT_RESERVED + FAT_SIZE + i, second);
            assert_memory_equal(first, second, sizeof first);
            if (i * FAT_SECTOR_ENTRIES >=
                (CONFIG_FILES ? FAT_FILES_END : FAT_FREE_END)) /* bad ones */
                assert_memory_equal(first, "\xF7\xFF\xFF\x0F", 4);
        }
        photo(CLUSTER, 0, 2 * CONFIG_DRIVE_SECTORS);
        uf2(200, image, 0, BLOCKS, 0, 0);
        wait_ms(100);
    }
}

#if CONFIG_FILES
/* ---- the volume's own files ---- */

static uint32_t entry_of(const char *name)
{
    for (uint32_t at = 0; at < sizeof(root); at += 32)
        if (!memcmp(root + at, name, 11))
            return at;
    fail_msg("no %s", name);
    return 0;
}

/* Power on with an application of LENGTH bytes. */
static void start_with_app(void)
{
    payload_image(&board, 1, LENGTH, true, image);
    start(image, LENGTH);
}

static void nothing_happens(void)
{
    static uint8_t now[PART_APP_SIZE];

    wait_ms(2 * QUIET_MS);
    assert_false(rig.mounts(rig.dev.ctx));
    rig.slot(rig.dev.ctx, now);
    assert_memory_equal(now, slot, sizeof slot);
    assert_null(rig.fault(rig.dev.ctx));
}

/* CURRENT.BIN and CURRENT.UF2, read from the volume, as a new file: on top of
 * what is there, and of another application. */
static void current_files_install_what_was_there(void **state)
{
    static uint8_t copy[2 * (LENGTH + BLOCK)];
    static uint8_t now[PART_APP_SIZE];

    (void)state;
    for (uint32_t turn = 0; turn < 4; turn++) {
        const char *name = turn % 2 ? "CURRENT UF2" : "CURRENT BIN";
        uint32_t cluster = 0, size, sectors;

        start_with_app();
        memcpy(&cluster, root + entry_of(name) + 26, 2);
        memcpy(&size, root + entry_of(name) + 28, 4);
        sectors = (size + FAT_SECTOR - 1) / FAT_SECTOR;
        assert_in_range(size, LENGTH, sizeof copy);
        for (uint32_t k = 0; k < sectors; k++)
            read_at(FAT_LBA(cluster) + k, copy + k * FAT_SECTOR);
        if (turn >= 2)
            start(other, sizeof other);
        bin(CLUSTER, copy, 0, sectors);
        file(0, CLUSTER, size);
        metadata();
        wait_ms(QUIET_MS);
        assert_true(success());
        rig.slot(rig.dev.ctx, now);
        assert_memory_equal(now, image, LENGTH);
        assert_true(rig.boots(rig.dev.ctx));
    }
}

/* As a user does it, and as a program that keeps a file and writes to it: no
 * update, no error, and the fresh volume has them all. */
static void own_files_deleted_or_written(void **state)
{
    static const char *const names[] = {"INFO_UF2TXT", "CURRENT BIN",
                                        "CURRENT UF2", "TRASHE~1   "};
    uint8_t before[FAT_SECTOR], now[FAT_SECTOR];
    uint32_t bin_cluster = 0;

    (void)state;
    start_with_app();
    memcpy(before, root, sizeof before);
    memcpy(&bin_cluster, root + entry_of("CURRENT BIN") + 26, 2);
    bin(bin_cluster, other, 0, 2 * CONFIG_DRIVE_SECTORS);
    metadata();
    nothing_happens();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        root[entry_of(names[i])] = 0xE5;
    metadata();
    nothing_happens();
    rig.replug(rig.dev.ctx, 1000, false);
    read_at(FAT_LBA(FAT_ROOT), now);
    assert_memory_equal(now, before, sizeof now);
    read_at(FAT_LBA(bin_cluster), now);
    assert_memory_equal(now, image, sizeof now);
}

/* Renamed to what looks like a new file. */
static void own_file_renamed(void **state)
{
    (void)state;
    start_with_app();
    memcpy(root + entry_of("CURRENT UF2"), "FIRMWAREUF2", 11);
    metadata();
    nothing_happens();
}

/* A file of the same name: systems take free clusters for it, and there are
 * lower ones. */
static void own_file_replaced(void **state)
{
    uint32_t size = LENGTH, at, cluster = CLUSTER;

    (void)state;
    start_with_app();
    payload_image(&board, 3, LENGTH, true, image);
    bin(CLUSTER, image, 0, (LENGTH + FAT_SECTOR - 1) / FAT_SECTOR);
    file(0, CLUSTER, LENGTH);
    memset(root + 32 * entries, 0, 32);
    at = entry_of("CURRENT BIN");
    memcpy(root + at + 26, &cluster, 2);
    memcpy(root + at + 28, &size, 4);
    metadata();
    wait_ms(QUIET_MS);
    assert_true(success());
    rig.slot(rig.dev.ctx, slot);
    assert_memory_equal(slot, image, LENGTH);
}

/* Its name and version, once it is installed. */
static void status_names_the_file(void **state)
{
    char text[FAT_SECTOR + 1] = "";

    (void)state;
    start_with_app();
    payload_image(&board, 3, LENGTH, true, image);
    bin(CLUSTER, image, 0, (LENGTH + FAT_SECTOR - 1) / FAT_SECTOR);
    file(0, CLUSTER, LENGTH);
    metadata();
    wait_ms(QUIET_MS);
    assert_true(success());
    read_at(FAT_LBA(FAT_STATUS), text);
    assert_null(strstr(text, "FILE0.BIN")); /* not yet */
    for (int i = 0; i < 50; i++) {          /* the key is not always held */
        rig.replug(rig.dev.ctx, 1000, true);
        read_at(FAT_LBA(FAT_STATUS), text);
        if (strstr(text, "FILE0.BIN"))
            break;
    }
    assert_non_null(strstr(text, "\nfirmware: "));
    assert_string_equal(text + strlen(text) - strlen(" FILE0.BIN\n"),
                        " FILE0.BIN\n");
}

/* As each system does it. */
static void own_file_replaced_by_hosts(void **state)
{
    static const char *const names[] = {"CURRENT.BIN", "CURRENT.UF2"};
    struct copier *copier = copier_new();
    struct host_file dropped = {.size = LENGTH};
    struct host_result result;

    (void)state;
    for (unsigned i = 0; i < 2 * HOST_KINDS; i++) {
        struct host_plan plan;

        start_with_app();
        payload_image(&board, 3, LENGTH, true, image);
        dropped.name = names[i % 2]; /* what is in it counts */
        dropped.data = image;
        host_plan_seeded(&plan, (enum host_kind)(i / 2), 1);
        plan.flags = 0;
        plan.files = &dropped;
        plan.count = 1;
        plan.end = HOST_EJECT;
        host_copy(copier, &rig.dev, &plan, &result);
        wait_ms(QUIET_MS);
        if (result.status != HOST_OK || !success())
            fail_msg("%s, %s: %s", host_name(plan.kind), dropped.name,
                     result.text);
        rig.slot(rig.dev.ctx, slot);
        assert_memory_equal(slot, image, LENGTH);
    }
    copier_free(copier);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(blocks_missing_of_what_is_installed, setup),
        cmocka_unit_test_setup(whole_file_onto_itself, setup),
        cmocka_unit_test_setup(sectors_overwritten_by_another_file, setup),
        cmocka_unit_test_setup(pieces_of_two_files, setup),
        cmocka_unit_test_setup(guessed_chain, setup),
        cmocka_unit_test_setup(plain_over_stamped, setup),
        cmocka_unit_test_setup(fat_reads_as_written, setup),
        cmocka_unit_test_setup(both_fats_are_equal, setup),
#if CONFIG_FILES
        cmocka_unit_test_setup(current_files_install_what_was_there, setup),
        cmocka_unit_test_setup(own_files_deleted_or_written, setup),
        cmocka_unit_test_setup(own_file_renamed, setup),
        cmocka_unit_test_setup(own_file_replaced, setup),
        cmocka_unit_test_setup(own_file_replaced_by_hosts, setup),
        cmocka_unit_test_setup(status_names_the_file, setup),
#endif
    };
    struct core_disk *disk = core_disk_new(&rig);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    core_disk_free(disk);
    return failed;
}
