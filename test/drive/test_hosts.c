/* SPDX-License-Identifier: MIT
 *
 * The hosts on a disk in memory that mkfs.fat formatted: what they leave must
 * be right for fsck.fat and mtools, their writes in the order of the system
 * that they stand for, and their complaints those of that system.
 */
#include "hosts.h"
#include "ramdisk.h"

#include "fat.h"
#include "plat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* Both volumes have the drive's geometry (core/fat.h). */
#define DATA    FAT_LBA(2)
#define FAT1    FAT_RESERVED
#define FAT2    (FAT_RESERVED + FAT_SIZE)
#define WINDOW  600u /* clusters that are not bad, at most */
#define LARGEST (2u * 1024u * 1024u)
#ifndef TOOL_SEEDS
#define TOOL_SEEDS 3u /* of each host, for fsck.fat and mtools */
#endif

/* The drive's status file asks for it. */
void plat_serial(char *digits)
{
    memset(digits, '0', 24);
}

struct bench {
    struct ramdisk *disk;
    struct copier *host;
    uint8_t *data[3], *back;
    struct host_file file;
};

/* ---- the volume ---- */

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static uint8_t *fat_value(struct ramdisk *d, uint32_t cluster, int copy)
{
    return d->image + (size_t)(copy ? FAT2 : FAT1) * FH_SECTOR + 4 * cluster;
}

static int run(const char *format, ...)
{
    static const char path[] = "PATH=$PATH:/usr/sbin:/sbin; ";
    char command[512];
    va_list args;

    va_start(args, format);
    strcpy(command, path);
    vsnprintf(command + sizeof path - 1, sizeof command - sizeof path, format,
              args);
    va_end(args);
    return system(command);
}

/* All but a window of clusters are bad, as on the drive. */
static void close_window(struct ramdisk *d)
{
    for (uint32_t c = 4 + WINDOW; c < FAT_ENTRIES; c++) {
        put32(fat_value(d, c, 0), FH_BAD);
        put32(fat_value(d, c, 1), FH_BAD);
    }
    for (uint32_t c = 3; c < 4; c++) {
        put32(fat_value(d, c, 0), FH_BAD);
        put32(fat_value(d, c, 1), FH_BAD);
    }
    put32(d->image + FH_SECTOR + 488, WINDOW);
    put32(d->image + FH_SECTOR + 492, 3);
}

static struct bench *set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    uint64_t random = 1;

    *state = b;
    b->disk = ramdisk_new(FAT_VOLUME);
    b->host = copier_new();
    for (int i = 0; i < 3; i++) {
        b->data[i] = malloc(LARGEST);
        for (uint32_t k = 0; k < LARGEST; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            b->data[i][k] = (uint8_t)(random >> 56);
        }
    }
    b->back = malloc(LARGEST);
    return b;
}

/* A volume that mkfs.fat made. */
static int set_up_made(void **state)
{
    struct bench *b = set_up(state);

    if (run("mkfs.fat -a -F 32 -s 8 -R 32 -n BOOTLOADER %s >/dev/null",
            b->disk->path) != 0)
        return -1;
    close_window(b->disk);
    return 0;
}

/* The drive's own, all of its sectors. */
static int set_up_drive(void **state)
{
    struct bench *b = set_up(state);
    struct fat fat = {.state = FAT_READY};
    struct fat_cluster cluster[FAT_FREE_END] = {0};
    _Alignas(4) uint8_t sector[FH_SECTOR];

    fat_mount(cluster);
    for (uint32_t lba = 0; lba < FAT_LBA(FAT_FREE_END); lba++) {
        fat_read(&fat, cluster, lba, sector);
        memcpy(b->disk->image + (size_t)lba * FH_SECTOR, sector, FH_SECTOR);
    }
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    ramdisk_free(b->disk);
    copier_free(b->host);
    for (int i = 0; i < 3; i++)
        free(b->data[i]);
    free(b->back);
    free(b);
    return 0;
}

/* A volume that is mounted still has its dirty marks, and nothing else to be
 * ashamed of. */
static void unmark(struct ramdisk *d)
{
    d->image[0x41] &= (uint8_t)~1u;
    for (int copy = 0; copy < 2; copy++)
        put32(fat_value(d, 1, copy), get32(fat_value(d, 1, copy)) | FH_CLEAN);
}

/* A fast fsck: FATs equal, free count exact, and as many clusters in use as
 * the files that are there need is left to fsck.fat. */
static void check_fats(struct ramdisk *d)
{
    uint32_t free = 0;

    assert_memory_equal(fat_value(d, 0, 0), fat_value(d, 0, 1),
                        FAT_SIZE * FH_SECTOR);
    for (uint32_t c = 2; c < 8 + WINDOW; c++)
        free += (get32(fat_value(d, c, 0)) & 0x0FFFFFFF) == 0;
    assert_int_equal(get32(d->image + FH_SECTOR + 488), free);
}

static void check_file(struct bench *b, const char *name, const uint8_t *data,
                       uint32_t size)
{
    const char *text;
    uint32_t got = 0;

    b->disk->ejected = false;
    b->disk->zero_from = 0;
    if (!host_load(b->host, &b->disk->dev, HOST_LINUX, name, b->back, LARGEST,
                   &got, &text))
        fail_msg("%s: %s", name, text ? text : "not there");
    assert_int_equal(got, size);
    assert_memory_equal(b->back, data, size);
}

/* fsck.fat and mtools, as a stranger sees it. */
static void check_tools(struct bench *b, const char *name, const uint8_t *data,
                        uint32_t size)
{
    const char *path = b->disk->path;
    char command[300];
    uint32_t got = 0;

    if (run("fsck.fat -n %s >/tmp/test_hosts.fsck.%d 2>&1", path,
            (int)getpid()) != 0) {
        run("cat /tmp/test_hosts.fsck.%d", (int)getpid());
        fail_msg("fsck.fat is not content");
    }
    run("rm -f /tmp/test_hosts.fsck.%d", (int)getpid());
    if (size == 0)
        return;
    assert_int_equal(run("mdir -i %s '::%s' >/dev/null", path, name), 0);
    snprintf(command, sizeof command, "mcopy -n -i %s '::%s' -", path, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    got = (uint32_t)fread(b->back, 1, LARGEST, pipe);
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(got, size);
    assert_memory_equal(b->back, data, size);
}

/* ---- copies ---- */

static uint32_t size_of(uint64_t seed)
{
    uint32_t mixed = (uint32_t)((seed + 1) * 0x9E3779B97F4A7C15u >> 40);

    return seed % 16 == 0 ? 4096 * (1 + mixed % 15)
                          : 6144 + mixed % (65536 - 6144);
}

static void run_plan(struct bench *b, const struct host_plan *plan,
                     struct host_result *r)
{
    ramdisk_reset(b->disk);
    host_copy(b->host, &b->disk->dev, plan, r);
}

/* It must work; the text says which plan did not. */
static struct host_result must(struct bench *b, const struct host_plan *plan)
{
    struct host_result r;
    char what[200];

    run_plan(b, plan, &r);
    if (r.status != HOST_OK)
        fail_msg("%s: %s", host_describe(plan, what, sizeof what), r.text);
    return r;
}

static struct host_plan one_file(struct bench *b, enum host_kind kind,
                                 uint64_t seed)
{
    struct host_plan plan;

    host_plan_seeded(&plan, kind, seed);
    b->file =
        (struct host_file){"Firmware v1.2.bin", b->data[0], size_of(seed)};
    plan.files = &b->file;
    plan.count = 1;
    return plan;
}

/* Without litter, pauses and the like. */
static struct host_result plain(struct bench *b, enum host_kind kind,
                                uint64_t seed, enum host_end end)
{
    struct host_plan plan = one_file(b, kind, seed);
    struct host_result r;

    plan.flags = 0;
    plan.end = end;
    run_plan(b, &plan, &r);
    return r;
}

/* Each host, each way to end, with real tools. */
static void tools_are_content(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        for (uint64_t seed = 0; seed < TOOL_SEEDS; seed++) {
            struct host_plan plan = one_file(b, kind, seed);
            plan.flags |= HOST_CHECK_META | HOST_CHECK_DATA;
            plan.end = (enum host_end)(seed % 3);
            struct host_result r = must(b, &plan);
            if (plan.end == HOST_EJECT)
                assert_true(b->disk->ejected || kind == HOST_UEFI);
            else if (!r.clean)
                unmark(b->disk);
            check_tools(b, b->file.name, b->file.data, b->file.size);
        }
    }
}

/* Many seeds, with what is quick; the figure is what a copy costs. */
static void every_copy_is_right(void **state)
{
    struct bench *b = *state;
    clock_t spent = 0;
    unsigned copies = 0;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        uint32_t commands = 0, sectors = 0;
        for (uint64_t seed = 0; seed < 60; seed++, copies++) {
            struct host_plan plan = one_file(b, kind, seed);
            clock_t start = clock();
            struct host_result r = must(b, &plan);
            spent += clock() - start;
            commands += r.commands;
            sectors += r.sectors;
            check_fats(b->disk);
            unmark(b->disk);
            check_file(b, b->file.name, b->file.data, b->file.size);
        }
        printf("  %-16s %4u commands, %5u sectors a copy\n", host_name(kind),
               commands / 60, sectors / 60);
    }
    printf("  %u copies, %.0f us of CPU each\n", copies,
           1e6 * (double)spent / CLOCKS_PER_SEC / copies);
}

static void same_seed_same_commands(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        uint64_t hash[3];
        for (int i = 0; i < 3; i++) {
            struct host_plan plan = one_file(b, kind, 5 + i / 2);
            plan.flags = 15;
            (void)must(b, &plan);
            hash[i] = b->disk->hash;
        }
        assert_true(hash[0] == hash[1]);
        assert_true(hash[0] != hash[2]);
    }
}

/* ---- orders ---- */

/* The commands as letters: b LBA 0, i FSINFO, 1 and 2 the FATs, r the root
 * directory, d data; a letter stands for a run of the same kind. */
static const char *order(const struct bench *b, char *to, size_t room)
{
    size_t n = 0;

    for (uint32_t i = 0; i < b->disk->writes && n + 1 < room; i++) {
        uint32_t lba = b->disk->log[i].lba;
        char c = lba == 0         ? 'b'
                 : lba == 1       ? 'i'
                 : lba < FAT2     ? '1'
                 : lba < DATA     ? '2'
                 : lba < DATA + 8 ? 'r'
                                  : 'd';
        if (n == 0 || to[n - 1] != c)
            to[n++] = c;
    }
    to[n] = 0;
    return to;
}

static void linux_orders(void **state)
{
    struct bench *b = *state;
    char text[200];
    struct host_result r;

    /* The flusher comes once, or also in the middle of the copy. */
    for (uint64_t seed = 0; seed < 20; seed++) {
        (void)plain(b, HOST_LINUX, seed, HOST_EJECT);
        order(b, text, sizeof text);
        if (strcmp(text, "b12rdirb") != 0)
            assert_string_equal(text, "b12rdir12rdirb");
    }
    (void)plain(b, HOST_LINUX_FLUSH, 1, HOST_EJECT);
    assert_string_equal(order(b, text, sizeof text), "bd12rib");
    assert_true(b->disk->log[b->disk->writes - 1].n == 1);
    /* The second copy empties the file first. */
    struct host_plan twice = one_file(b, HOST_LINUX_FLUSH, 1);
    struct host_file same[2] = {b->file, b->file};
    twice.files = same;
    twice.count = 2;
    twice.flags = 0;
    twice.end = HOST_EJECT;
    (void)must(b, &twice);
    assert_string_equal(order(b, text, sizeof text), "bd12r12rd12rib");
    (void)plain(b, HOST_LINUX_RENAME, 1, HOST_EJECT);
    assert_string_equal(order(b, text, sizeof text), "bd12rib");

    r = plain(b, HOST_LINUX_SYNC, 1, HOST_EJECT);
    order(b, text, sizeof text);
    assert_memory_equal(text, "br12121212", 10);
    assert_string_equal(text + strlen(text) - 4, "drib");
    assert_true(r.commands > 2 * size_of(1) / 4096);
    assert_true(r.syncs >= 2);

    /* A disk without a write cache is sent no SYNCHRONIZE CACHE. */
    twice.kind = HOST_LINUX_SYNC;
    twice.flags = HOST_NO_CACHE;
    assert_int_equal(must(b, &twice).syncs, 0);

    r = plain(b, HOST_LINUX_FSYNC, 1, HOST_EJECT);
    order(b, text, sizeof text);
    if (strcmp(text, "bdr12ib") != 0)
        assert_string_equal(text, "brdr12ib");
    assert_int_equal(r.syncs, 3); /* of the file, of umount */
}

static void windows_orders(void **state)
{
    struct bench *b = *state;
    unsigned backwards = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct host_plan plan = one_file(b, HOST_WINDOWS_2023, seed);
        plan.flags = seed & 1 ? HOST_DUPLICATE | HOST_PAUSE : 0;
        plan.end = HOST_LEAVE;
        struct host_result r = must(b, &plan);
        const struct ramdisk_write *log = b->disk->log;
        uint32_t last = b->disk->writes - 1, data = 0;
        assert_true(r.clean);
        assert_true(log[0].lba == 0 && log[0].n == 1);
        assert_true(log[last].lba == 0 && log[last].n == 2);
        assert_true((seed & 1) || log[last].ms - log[last - 1].ms >= 1500);
        for (uint32_t i = 0; i <= last; i++) {
            /* Nothing is written to a volume that is clean. */
            if (i && log[i - 1].n == 2 && log[i - 1].lba == 0)
                assert_true(log[i].lba == 0 && log[i].n == 1);
            if (log[i].lba < DATA + 8 || seed & 1)
                continue;
            backwards += log[i].lba < data;
            data = log[i].lba;
        }
    }
    assert_true(backwards > 10);
}

static void macos_orders(void **state)
{
    struct bench *b = *state;
    unsigned late = 0, broken = 0, backwards = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        /* 14: metadata of the file up to 25 s after its data. */
        struct host_result r = plain(b, HOST_MACOS_14, seed, HOST_EJECT);
        uint64_t data_ms = 0, root_ms = 0;
        for (uint32_t i = 0; i < b->disk->writes; i++) {
            const struct ramdisk_write *w = &b->disk->log[i];
            if (w->lba >= DATA + 8)
                data_ms = w->ms;
            else if (w->lba >= DATA)
                root_ms = w->ms;
        }
        assert_true(root_ms >= data_ms && root_ms <= data_ms + 25000);
        late += root_ms > data_ms + 5000;

        /* 15: 20 s and more until the copy, and the file in pieces. */
        r = plain(b, HOST_MACOS_15, seed, HOST_EJECT);
        assert_true(r.ms > 10000);
        uint32_t c = 0, e = 0;
        for (c = 4; c < 4 + WINDOW; c++) {
            e = get32(fat_value(b->disk, c, 0)) & 0x0FFFFFFF;
            broken += e > c + 1 && e < FH_BAD;
        }

        /* 13: interleaved jobs. */
        (void)plain(b, HOST_MACOS_13, seed, HOST_EJECT);
        uint32_t data = 0;
        for (uint32_t i = 0; i < b->disk->writes; i++) {
            uint32_t lba = b->disk->log[i].lba;
            if (lba < DATA + 8)
                continue;
            backwards += lba < data;
            data = lba;
        }
    }
    assert_true(late > 10);
    assert_true(broken > 20);
    assert_true(backwards > 20);
}

/* ---- what users do ---- */

static void two_files(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        for (uint64_t seed = 0; seed < 12; seed++) {
            struct host_file files[3] = {
                {"one.uf2", b->data[0], size_of(seed)},
                {"IMG_0001.JPG", b->data[1], size_of(seed + 1)},
                {"one.uf2", b->data[2], size_of(seed + 2)},
            };
            struct host_plan plan = one_file(b, kind, seed);
            plan.files = files;
            plan.count = 2 + (seed & 1);
            if (plan.count == 2)
                plan.flags |= HOST_TOGETHER;
            plan.end = HOST_EJECT;
            (void)must(b, &plan);
            check_fats(b->disk);
            unsigned last = plan.count == 3 ? 2 : 0;
            check_file(b, "one.uf2", b->data[last], files[last].size);
            check_file(b, "IMG_0001.JPG", b->data[1], files[1].size);
            if (seed < 2)
                check_tools(b, "IMG_0001.JPG", b->data[1], files[1].size);
        }
    }
}

/* The first cluster of a file that is copied again. */
static uint32_t first_cluster(struct bench *b, const char *name83)
{
    const uint8_t *root = b->disk->image + (size_t)DATA * FH_SECTOR;

    for (unsigned i = 0; i < 128; i++, root += 32) {
        if (memcmp(root, name83, 11) == 0)
            return root[26] | (uint32_t)root[27] << 8;
    }
    fail_msg("no %s", name83);
    return 0;
}

/* Windows takes the clusters that the old file had, Linux others. */
static void overwriting(void **state)
{
    struct bench *b = *state;
    static const struct {
        enum host_kind kind;
        bool same;
    } hosts[] = {{HOST_LINUX_FLUSH, false}, {HOST_WINDOWS, true}};

    for (int i = 0; i < 2; i++) {
        struct host_file files[2] = {
            {"FIRMWARE.BIN", b->data[0], 20000},
            {"FIRMWARE.BIN", b->data[1], 20000},
        };
        struct host_plan plan = one_file(b, hosts[i].kind, 1);
        plan.flags = 0;
        plan.files = files;
        (void)must(b, &plan);
        uint32_t before = first_cluster(b, "FIRMWAREBIN");
        plan.count = 2;
        (void)must(b, &plan);
        uint32_t after = first_cluster(b, "FIRMWAREBIN");
        assert_int_equal(before == after, hosts[i].same);
    }
}

/* Names as the systems make them. */
static void short_names(void **state)
{
    struct bench *b = *state;
    struct host_file file = {"firmware.bin", b->data[0], 5000};
    struct host_plan plan = one_file(b, HOST_LINUX_RENAME, 1);
    const uint8_t *root = b->disk->image + (size_t)DATA * FH_SECTOR;
    bool temporary = false;

    plan.files = &file;
    plan.flags = 0;
    (void)must(b, &plan);
    for (unsigned i = 0; i < 128; i++)
        temporary |= root[32 * i] == 0xE5 &&
                     memcmp(root + 32 * i + 1, "IRMWA~1CRD", 10) == 0;
    assert_true(temporary);
    uint32_t cluster = first_cluster(b, "FIRMWAREBIN");
    assert_true(cluster >= 4);
    /* Behind the end of the file, its last sector has zeros. */
    const uint8_t *end = b->disk->image + (size_t)FAT_LBA(cluster) * 512;
    for (unsigned i = 5000; i < 5120; i++)
        assert_int_equal(end[i], 0);
    /* Windows says "lower case" in the entry and has no long name. */
    plan.kind = HOST_WINDOWS;
    (void)must(b, &plan);
    for (unsigned i = 0; i < 128; i++) {
        assert_int_not_equal(root[32 * i + 11], 0x0F);
        if (memcmp(root + 32 * i, "FIRMWAREBIN", 11) == 0)
            assert_int_equal(root[32 * i + 12], 0x18);
    }
}

/* The largest file that the drive takes, with all the litter there is. */
static void largest_file(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        struct host_file file = {"app.uf2", b->data[0], FAT_LARGEST_FILE};
        struct host_plan plan = one_file(b, kind, 2);
        plan.files = &file;
        plan.flags = HOST_LITTER;
        (void)must(b, &plan);
        check_fats(b->disk);
        unmark(b->disk);
        check_file(b, file.name, file.data, file.size);
    }
}

/* What a volume can have against the litter of macOS. */
static void litter_is_suppressed(void **state)
{
    struct bench *b = *state;
    struct host_file stop[3] = {{".metadata_never_index", b->data[0], 1},
                                {".Trashes", b->data[0], 1},
                                {"firmware.bin", b->data[0], 5000}};
    struct host_plan plan = one_file(b, HOST_LINUX, 1);
    const char *text;
    uint32_t size;

    plan.flags = 0;
    plan.files = stop;
    plan.count = 2;
    plan.end = HOST_EJECT;
    (void)must(b, &plan);
    b->disk->ejected = false;
    struct host_result r;
    plan = one_file(b, HOST_MACOS_15, 1);
    plan.files = stop + 2;
    host_copy(b->host, &b->disk->dev, &plan, &r);
    assert_int_equal(r.status, HOST_OK);
    b->disk->ejected = false;
    unmark(b->disk);
    assert_false(host_load(b->host, &b->disk->dev, HOST_LINUX,
                           ".Spotlight-V100", b->back, LARGEST, &size, &text));
    assert_null(text); /* it is not there */
    check_file(b, ".Trashes", b->data[0], 1);
    check_file(b, "firmware.bin", b->data[0], 5000);
}

static void cancelled_and_unplugged(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        struct host_file file = {"firmware.bin", b->data[0], 60000};
        struct host_plan plan = {.kind = kind,
                                 .seed = 3,
                                 .files = &file,
                                 .count = 1,
                                 .end = HOST_EJECT,
                                 .pull = -1,
                                 .cut = 20000};
        struct host_result r;
        const char *text;
        uint32_t size;

        ramdisk_reset(b->disk);
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_CANCELLED);
        check_fats(b->disk);
        check_tools(b, "firmware.bin", b->data[0], 0);
        b->disk->ejected = false;
        bool there = host_load(b->host, &b->disk->dev, HOST_LINUX,
                               "firmware.bin", b->back, LARGEST, &size, &text);
        assert_true(!there || size == 20000);

        plan.cut = 0;
        for (plan.pull = 0; plan.pull < 100; plan.pull += 9) {
            ramdisk_reset(b->disk);
            host_copy(b->host, &b->disk->dev, &plan, &r);
            assert_int_equal(r.status, HOST_UNPLUGGED);
            assert_int_equal(r.sectors, (uint32_t)plan.pull);
            assert_false(r.clean);
        }
    }
}

/* ---- what goes wrong ---- */

static void errors_are_reported(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        struct host_file file = {"firmware.bin", b->data[0], 60000};
        struct host_plan plan = {.kind = kind,
                                 .seed = 4,
                                 .files = &file,
                                 .count = 1,
                                 .end = HOST_LEAVE,
                                 .pull = -1};
        struct host_result r;

        ramdisk_reset(b->disk);
        b->disk->fail_write = 4;
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_IO_ERROR);
        assert_true(r.text[0] != 0);

        ramdisk_reset(b->disk);
        b->disk->fail_read = 1;
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_true(r.status == HOST_IO_ERROR || r.status == HOST_NOT_MOUNTED);

        /* Away while there is work to do, and away when there is none. */
        ramdisk_reset(b->disk);
        b->disk->vanish_ms = 1;
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_VANISHED);
        ramdisk_reset(b->disk);
        host_copy(b->host, &b->disk->dev, &plan, &r);
        uint64_t all = b->disk->log[b->disk->writes - 1].ms;
        ramdisk_reset(b->disk);
        b->disk->vanish_ms = (uint32_t)all + 3000;
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_OK);
        assert_true(r.gone);
        assert_true(r.ms <= all + 4000);
    }
}

static void what_does_not_read_back(void **state)
{
    struct bench *b = *state;

    /* Attributes that read as zeros: macOS notices at once. */
    for (int kind = HOST_MACOS_13; kind <= HOST_MACOS_15; kind++) {
        struct host_file file = {"firmware.bin", b->data[0], 9000};
        struct host_plan plan = {.kind = kind,
                                 .seed = 1,
                                 .files = &file,
                                 .count = 1,
                                 .end = HOST_EJECT,
                                 .pull = -1};
        struct host_result r;

        ramdisk_reset(b->disk);
        b->disk->zero_from = DATA + 8;
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_READ_BACK);
        assert_non_null(strstr(r.text, "100093"));
    }
    /* Others only when they look. */
    ramdisk_reset(b->disk);
    struct host_file file = {"firmware.bin", b->data[0], 9000};
    struct host_plan plan = {.kind = HOST_LINUX_FLUSH,
                             .files = &file,
                             .count = 1,
                             .end = HOST_SYNC,
                             .pull = -1};
    struct host_result r;
    b->disk->zero_from = DATA;
    host_copy(b->host, &b->disk->dev, &plan, &r);
    assert_int_equal(r.status, HOST_OK);
    plan.flags = HOST_CHECK_META;
    ramdisk_reset(b->disk);
    b->disk->zero_from = DATA;
    host_copy(b->host, &b->disk->dev, &plan, &r);
    assert_int_equal(r.status, HOST_READ_BACK);
    assert_int_equal(r.lba, DATA);
}

static void full_volume(void **state)
{
    struct bench *b = *state;

    for (int kind = 0; kind < HOST_KINDS; kind++) {
        struct host_file file = {"firmware.bin", b->data[0], 65536};
        struct host_plan plan = {.kind = kind,
                                 .files = &file,
                                 .count = 1,
                                 .end = HOST_EJECT,
                                 .pull = -1};
        struct host_result r;
        uint8_t saved[4 * WINDOW];

        ramdisk_reset(b->disk);
        memcpy(saved, fat_value(b->disk, 4, 0), sizeof saved);
        for (uint32_t c = 4 + 15; c < 4 + WINDOW; c++)
            put32(fat_value(b->disk, c, 0), FH_BAD);
        host_copy(b->host, &b->disk->dev, &plan, &r);
        assert_int_equal(r.status, HOST_NO_SPACE);
        for (uint32_t i = 0; i < b->disk->writes; i++)
            assert_true(b->disk->log[i].lba < DATA + (2 + 15) * 8);
        ramdisk_reset(b->disk);
        memcpy(fat_value(b->disk, 4, 0), saved, sizeof saved);
    }
}

/* What only some systems mind. */
static void mount_rules(void **state)
{
    struct bench *b = *state;
    uint8_t *image = b->disk->image;
    static const struct {
        uint32_t at;
        uint8_t value;
        bool linux_ok, windows_ok, macos_ok;
    } damage[] = {
        {510, 0, false, false, false},          /* signature */
        {0, 0, false, false, false},            /* jump */
        {22, 9, false, false, false},           /* sectors of a FAT16 */
        {42, 1, false, false, false},           /* version */
        {21, 0x12, false, false, false},        /* media byte */
        {512, 0, false, true, true},            /* FSINFO's signature */
        {0x41, 1, true, true, false},           /* dirty */
        {FAT1 * 512 + 7, 7, true, true, false}, /* FAT[1]: dirty */
        {FAT1 * 512, 0, false, false, false},   /* FAT[0]: media byte */
    };

    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        struct host_result r;
        ramdisk_reset(b->disk);
        uint8_t was = image[damage[i].at];
        assert_int_not_equal(was, damage[i].value);
        image[damage[i].at] = damage[i].value;
        ramdisk_keep(b->disk);
        r = plain(b, HOST_LINUX_FLUSH, 1, HOST_LEAVE);
        assert_int_equal(r.status == HOST_OK, damage[i].linux_ok);
        r = plain(b, HOST_WINDOWS, 1, HOST_LEAVE);
        assert_int_equal(r.status == HOST_OK, damage[i].windows_ok);
        r = plain(b, HOST_MACOS_14, 1, HOST_LEAVE);
        assert_int_equal(r.status == HOST_OK, damage[i].macos_ok);
        if (!damage[i].macos_ok)
            assert_int_equal(r.status, HOST_NOT_MOUNTED);
        ramdisk_reset(b->disk);
        image[damage[i].at] = was;
    }

    /* Too few clusters: FAT16 for macOS. */
    ramdisk_reset(b->disk);
    uint32_t sectors = get32(image + 32);
    put32(image + 32, DATA + 65000 * 8);
    ramdisk_keep(b->disk);
    assert_int_equal(plain(b, HOST_LINUX, 1, HOST_EJECT).status, HOST_OK);
    assert_int_equal(plain(b, HOST_MACOS_15, 1, HOST_EJECT).status,
                     HOST_NOT_MOUNTED);
    ramdisk_reset(b->disk);
    put32(image + 32, sectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tools_are_content),
        cmocka_unit_test(every_copy_is_right),
        cmocka_unit_test(same_seed_same_commands),
        cmocka_unit_test(linux_orders),
        cmocka_unit_test(windows_orders),
        cmocka_unit_test(macos_orders),
        cmocka_unit_test(two_files),
        cmocka_unit_test(overwriting),
        cmocka_unit_test(short_names),
        cmocka_unit_test(largest_file),
        cmocka_unit_test(litter_is_suppressed),
        cmocka_unit_test(cancelled_and_unplugged),
        cmocka_unit_test(errors_are_reported),
        cmocka_unit_test(what_does_not_read_back),
        cmocka_unit_test(full_volume),
        cmocka_unit_test(mount_rules),
    };

    return cmocka_run_group_tests_name("mkfs.fat", tests, set_up_made,
                                       tear_down) +
           cmocka_run_group_tests_name("drive", tests, set_up_drive, tear_down);
}
