/* SPDX-License-Identifier: MIT */
/*
 * test_drive_chip.c - updates by the drive on the real ELF: hosts of every
 * kind with files of every kind (test/drive), and the demo application as its
 * users have it.
 *
 *   test_drive_chip BOARD [PROFILE]
 *   test_drive_chip BOARD PROFILE TEST        one test
 *   test_drive_chip BOARD PROFILE HOST SEED   one trial
 */
#include "msc_copy.h"
#include "tally.h"

#include <unistd.h>

#ifndef TOOL
#define TOOL "build/bin/sallyport" /* the build says better */
#endif

/* Of each of the 15 hosts; F103 and F407, each with profile `drive` as well,
 * together have 300. */
enum { SEEDS_F1 = 12, SEEDS_F4 = 6, SEEDS_DRIVE = 1, LARGEST = 40000 };

static uint8_t image[COPY_ROOM], old[COPY_ROOM], file[COPY_ROOM];
static const char *one_host;
static uint64_t one_seed;

static bool is_f4(const struct rig *r)
{
    return !r->board->whole_pages;
}

/* ---- every host ---- */

static void test_hosts(void **state)
{
    struct rig *r = *state;
    uint64_t count = is_f4(r) ? SEEDS_F4 : SEEDS_F1, first = 1;
    struct trials *trials;
    struct trial_result result;
    struct tally tally = {0};

    if (!strcmp(r->board->profile, "drive")) {
        first = 100;
        count = SEEDS_DRIVE;
    }
    copy_trial.trial.largest = LARGEST;
    trials = trials_new(&copy_trial.trial);
    if (one_host) {
        trials_trace(trials, true);
        first = one_seed;
        count = 1;
    }
    for (uint64_t seed = first; seed < first + count; seed++)
        for (int kind = 0; kind < HOST_KINDS; kind++) {
            if (one_host && strcmp(host_name(kind), one_host))
                continue;
            trial_run(trials, kind, seed, &result);
            tally_add(&tally, kind, seed, &result);
        }
    trials_free(trials);
    tally_print(&tally);
    assert_int_equal(tally.wrong, 0);
    assert_true(tally_good(&tally));
    copy_start("", 0);
}

/* ---- the demo ---- */

static size_t convert(struct rig *r, const char *from, uint8_t *to)
{
    char command[4096], path[] = "/tmp/sallyport-XXXXXX";
    size_t n;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    snprintf(command, sizeof(command),
             "%s convert --board %s --address 0x%08x %s -o %s.uf2 >/dev/null",
             TOOL, r->board->name, (unsigned)r->board->slot, from, path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "%s.uf2", path);
    n = rig_read_file(command, to, COPY_ROOM);
    remove(command);
    remove(path);
    return n;
}

/* It starts, says so, and is a USB device. */
static void demo_runs(struct rig *r, const char *version)
{
    assert_true(rig_boots_after_reset(r));
    host_wait(r->host, 20 * SIM_MS);
    assert_int_equal(host_enumerate(r->host), 0);
    assert_int_equal(rig_getstate(r), APP_IDLE);
    assert_non_null(strstr(chip_usart_text(r->chip), version));
}

static void test_demo(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *file, *version;
        bool uf2;
        enum host_kind kind;
        enum host_end end;
    } cases[] = {
        {"demo", "demo 1.0", false, HOST_LINUX, HOST_EJECT},
        {"demo2", "demo 2.0", false, HOST_LINUX_FLUSH, HOST_SYNC},
        {"demo-plain", "demo 1.0", false, HOST_LINUX, HOST_LEAVE},
        {"demo2-plain", "demo 2.0", false, HOST_WINDOWS, HOST_EJECT},
        {"demo", "demo 1.0", true, HOST_MACOS_14, HOST_LEAVE},
        {"demo2-plain", "demo 2.0", true, HOST_LINUX_SYNC, HOST_SYNC},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = rig_demo(r, cases[i].file);
        size_t n = rig_read_file(path, image, sizeof(image));
        struct host_file f = {"demo.bin", image, (uint32_t)n};
        struct host_plan plan = copy_plan(cases[i].kind, cases[i].end, &f);
        struct copy c;

        copy_start("", 0);
        if (cases[i].uf2) {
            f.name = "demo.uf2";
            f.size = (uint32_t)convert(r, path, file);
            f.data = file;
        }
        c = copy_run(&plan);
        assert_int_equal(c.host.status, HOST_OK);
        if (!c.mounted || c.state != COPY_SUCCESS)
            fail_msg("%s by %s: %s", cases[i].file, host_name(cases[i].kind),
                     c.sentence);
        demo_runs(r, cases[i].version);
        assert_true(rig_flash_is(r, r->board->slot, image, n));
    }
}

/* ---- what is not for it ---- */

static void test_wrong_files(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    static const struct {
        enum payload_kind kind;
        unsigned code;                    /* DFU 1.1's bStatus */
        enum { STAYS, GOES, MAY_GO } old; /* application */
    } cases[] = {
        {PAYLOAD_PHOTO, 0x02, STAYS},
        {PAYLOAD_TEXT, 0x02, STAYS},
        {PAYLOAD_BIN_PRODUCT, 0x01, STAYS},
        {PAYLOAD_UF2_FAMILY, 0x01, STAYS},
        {PAYLOAD_BIN_SHORT, 0x07, GOES},
        {PAYLOAD_BIN_DAMAGED, 0x07, GOES},
        {PAYLOAD_UF2_SHORT, 0x09, GOES},
        {PAYLOAD_UF2_HOLE, 0x09, GOES},
        {PAYLOAD_UF2_DAMAGED, 0x07, GOES},
        {PAYLOAD_UF2_BOOTLOADER, 0x08, MAY_GO},
    };
    struct payload p = {0};

    payload_init(&p, &copy_trial.board);
    rig_image_stamped(b, old, b->image, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host_file f = {0};
        struct host_plan plan = copy_plan(HOST_LINUX_FLUSH, HOST_EJECT, &f);
        struct copy c;
        bool stays;

        payload_make(&p, &copy_trial.board, cases[i].kind, i + 1, 20000);
        f = (struct host_file){payload_file(p.kind), p.data, p.size};
        copy_start(old, b->image);
        c = copy_run(&plan);
        assert_int_equal(c.host.status, HOST_OK);
        if (!c.mounted || c.state != COPY_ERROR || c.code != cases[i].code)
            fail_msg("%s: state %d, 0x%02x %s", payload_name(p.kind), c.state,
                     c.code, c.sentence);
        stays = msc_trial_boots(&copy_trial);
        if (stays && !rig_flash_is(r, b->slot, old, b->image))
            fail_msg("%s: something starts", payload_name(p.kind));
        if (b->download
                ? !stays
                : cases[i].old != MAY_GO && stays != (cases[i].old == STAYS))
            fail_msg("%s: the old application %s", payload_name(p.kind),
                     stays ? "starts" : "is lost");
        /* The right one is taken then. */
        rig_image_stamped(b, image, b->image, (uint32_t)i + 10);
        f = (struct host_file){"right.bin", image, b->image};
        copy_installs(HOST_LINUX_FLUSH, &f, image, b->image);
    }
    payload_free(&p);
}

/* ---- what is there already ---- */

/* Pages that do not change are neither erased nor programmed; the first word
 * was killed before that was known. */
static void test_same_again(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    struct host_file f = {"again.bin", image, b->image};
    uint64_t erases;

    rig_image_stamped(b, image, b->image, 3);
    copy_start(image, b->image);
    erases = chip_flash_erases(r->chip);
    copy_installs(HOST_LINUX_FLUSH, &f, image, b->image);
    erases = chip_flash_erases(r->chip) - erases;
    assert_true(!b->whole_pages || erases <= 1);
}

/* The whole slot by .uf2, and with nothing to spare. */
static void test_full_slot(void **state)
{
    struct rig *r = *state;
    size_t n = r->board->slot_end - r->board->slot;
    struct host_file f = {"full.bin", image, (uint32_t)n};

    rig_image_stamped(r->board, image, n, 4);
    copy_installs(HOST_LINUX, &f, image, n);
    rig_image_stamped(r->board, image, n, 5);
    f = (struct host_file){"full.uf2", file,
                           (uint32_t)copy_uf2(r->board, image, n, file)};
    copy_installs(HOST_WINDOWS_2023, &f, image, n);
}

/* ---- profile full: .hex and .dfu, as the tool makes them ---- */

static size_t make_file(struct rig *r, size_t n, const char *ending)
{
    char command[4096], path[] = "/tmp/sallyport-XXXXXX";
    int fd = mkstemp(path);
    size_t size;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image, n), n);
    close(fd);
    snprintf(command, sizeof(command),
             "%s convert --board %s --address 0x%08x %s -o %s.%s >/dev/null",
             TOOL, r->board->name, (unsigned)r->board->slot, path, path,
             ending);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof(command), "%s.%s", path, ending);
    size = rig_read_file(command, file, sizeof(file));
    remove(command);
    remove(path);
    return size;
}

/* Those that download can keep, and of the whole slot. */
static void test_formats(void **state)
{
    struct rig *r = *state;
    size_t slot = r->board->slot_end - r->board->slot;
    static const char *const name[] = {"app.hex", "app.dfu"};

    if (strcmp(r->board->profile, "full") != 0)
        skip();
    for (uint32_t i = 0; i < 4; i++) {
        size_t n = i < 2 ? r->board->image : slot;
        struct host_file f = {name[i % 2], file, 0};

        rig_image_stamped(r->board, image, n, 20 + i);
        f.size = (uint32_t)make_file(r, n, name[i % 2] + 4);
        copy_installs(i < 2 ? HOST_WINDOWS : HOST_LINUX, &f, image, n);
    }
}

/* ---- in and out ---- */

static void test_key(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    struct host_file f = {"key.bin", image, b->image};
    struct copy c = {0};

    rig_image_stamped(b, image, b->image, 6);
    copy_installs(HOST_LINUX_FLUSH, &f, image, b->image);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(rig_boots_after_reset(r));
        assert_true(i ? msc_trial_replug(&copy_trial, 0, true)
                      : rig_reset_with_key(r) == 0 &&
                            msc_disk_open(&copy_trial.disk, r));
        copy_status(&c);
        assert_int_equal(c.state, COPY_READY);
        copy_assert_installed(image, b->image);
        rig_image_stamped(b, image, b->image, 7 + i);
        copy_installs(HOST_LINUX_FLUSH, &f, image, b->image);
    }
    assert_true(rig_boots_after_power_cycle(r));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest all[] = {
        COPY_TEST(test_demo),       COPY_TEST(test_wrong_files),
        COPY_TEST(test_same_again), COPY_TEST(test_full_slot),
        COPY_TEST(test_key),        COPY_TEST(test_formats),
        COPY_TEST(test_hosts),
    };
    const struct CMUnitTest one[] = {COPY_TEST(test_hosts)};

    if (argc == 4) /* a test's name */
        cmocka_set_test_filter(argv[3]);
    if (argc < 5)
        return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, all);
    one_host = argv[3];
    one_seed = strtoull(argv[4], NULL, 0);
    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, one);
}
