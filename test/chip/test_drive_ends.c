/* SPDX-License-Identifier: MIT */
/*
 * test_drive_ends.c - updates by the drive that do not come to their end: the
 * power fails at flash operations of any kind, the cable is pulled, another
 * host downloads by DFU.  No half image starts, and the next copy is installed.
 */
#include "msc_copy.h"

enum { CUTS = 12, PULLS = 12 };

static uint8_t image[COPY_ROOM], old[COPY_ROOM], file[COPY_ROOM];
static uint32_t seed = 7;

static unsigned any(unsigned below)
{
    return rig_random(&seed) % below;
}

/* What is installed, and what comes: a stamped .bin, or a .uf2. */
static struct host_file two_images(struct rig *r, bool uf2)
{
    uint32_t n = r->board->image;

    rig_image_stamped(r->board, old, n, any(1000));
    rig_image_stamped(r->board, image, n, 1000 + any(1000));
    copy_start(old, n);
    if (!uf2)
        return (struct host_file){"new.bin", image, n};
    return (struct host_file){"new.uf2", file,
                              (uint32_t)copy_uf2(r->board, image, n, file)};
}

/* Nothing starts, or one of the two images as a whole. */
static void assert_whole(struct rig *r)
{
    uint32_t n = r->board->image;

    if (msc_trial_boots(&copy_trial))
        assert_true(rig_flash_is(r, r->board->slot, old, n) ||
                    rig_flash_is(r, r->board->slot, image, n));
}

/* The volume is as new, whatever happened, and takes the file. */
static void comes_back(const struct rig *r, const struct host_file *f)
{
    struct copy c = {0};

    copy_status(&c);
    assert_true(c.state == COPY_READY || c.state == COPY_ERROR);
    copy_installs(HOST_LINUX_FLUSH, f, image, r->board->image);
}

/* ---- power ---- */

static void test_power_cuts(void **state)
{
    struct rig *r = *state;
    static const enum host_kind kinds[] = {HOST_LINUX, HOST_LINUX_FSYNC,
                                           HOST_WINDOWS_2023, HOST_RANDOM};

    for (unsigned i = 0; i < CUTS; i++) {
        struct host_file f = two_images(r, i & 1);
        struct host_plan plan = copy_plan(kinds[i % 4], HOST_EJECT, &f);
        uint64_t ops = chip_flash_ops(r->chip);
        uint32_t n = r->board->image;

        plan.seed = i;
        copy_run(&plan);
        ops = chip_flash_ops(r->chip) - ops;
        copy_assert_installed(image, n);

        copy_start(old, n);
        /* Erases are few, and at the ends it is decided. */
        ops = i < 4 ? i : i < 8 ? ops - 1 - (i - 4) : any((unsigned)ops);
        chip_cut_at(r->chip, ops, (enum cut_mode)(i % 3), any(1u << 30));
        copy_host(&plan);
        msc_trial_result(&copy_trial, COPY_PATIENCE);
        assert_true(chip_was_cut(r->chip));
        assert_true(msc_trial_replug(&copy_trial, 0, true));
        assert_whole(r);
        comes_back(r, &f);
    }
}

/* ---- cable ---- */

static void pull(struct rig *r, unsigned i, bool power)
{
    struct host_file f = two_images(r, any(2));
    struct host_plan plan =
        copy_plan((enum host_kind)(i % HOST_KINDS), HOST_EJECT, &f);
    struct host_result host;

    plan.seed = i;
    plan.pull = (int32_t)any(f.size / 512);
    host = copy_host(&plan);
    assert_int_equal(host.status, HOST_UNPLUGGED);
    assert_true(msc_trial_replug(&copy_trial, any(3) * any(3000), power));
    assert_whole(r);
    comes_back(r, &f);
}

static void test_unplugged(void **state)
{
    for (unsigned i = 0; i < PULLS; i++)
        pull(*state, i, true);
}

/* A board that has power of its own. */
static void test_unplugged_alive(void **state)
{
    for (unsigned i = 0; i < PULLS; i++)
        pull(*state, i + 5, false);
}

/* ---- the other door ---- */

/* All of dfu-util's update but the last block and what follows. */
static struct rig_update part(struct rig *r, size_t from, size_t n)
{
    return (struct rig_update){.addr = r->board->slot + (uint32_t)from,
                               .data = image + from,
                               .n = n,
                               .no_abort = true};
}

/* Half a file is on the drive when DFU begins: DFU wins. */
static void test_dfu_in_a_copy(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->image;

    for (unsigned i = 0; i < 3; i++) {
        struct host_file f = {"lost.bin", file, n};
        struct host_plan plan = copy_plan(HOST_LINUX_FLUSH, HOST_EJECT, &f);
        struct copy c = {0};
        struct rig_update u;

        two_images(r, false);
        rig_image_stamped(r->board, file, n, 55);
        plan.pull = (int32_t)(n / 512 / 2);
        copy_host(&plan); /* stops in the middle; nobody pulls the cable */
        u = part(r, 0, n);
        u.no_abort = false;
        assert_int_equal(rig_open(r), 0);
        assert_int_equal(rig_update(r, &u), 0);
        rig_settle(r);
        if (i == 1) { /* the rest of the file is of no use then */
            struct msc_result w =
                msc_write(&copy_trial.disk.msc, 1096, 64, file);

            assert_int_equal(w.status, MSC_PASSED);
        }
        /* Its entry was not written yet: there may be no file to refuse. */
        if (i < 2 && msc_trial_result(&copy_trial, COPY_PATIENCE)) {
            copy_status(&c);
            assert_int_equal(c.state, COPY_ERROR);
        }
        copy_assert_installed(image, n);
    }
}

/* A copy begins while DFU downloads: DFU goes on to its end. */
static void test_copy_in_a_dfu_download(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->image, half = n / 2 / r->board->block;
    struct host_file f = {"late.bin", file, n};
    struct host_plan plan = copy_plan(HOST_LINUX_FLUSH, HOST_EJECT, &f);
    struct rig_update u;
    struct copy c = {0};

    two_images(r, false);
    half *= r->board->block;
    rig_image_stamped(r->board, file, n, 55);
    u = part(r, 0, half);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    c.host = copy_host(&plan);
    assert_int_equal(c.host.status, HOST_OK);
    u = part(r, half, n - half);
    u.no_abort = false;
    u.no_erase = !r->board->whole_pages; /* its sectors are erased */
    if (u.no_erase)
        for (uint32_t a = half; a < n; a++)
            if (*rig_flash(r, r->board->slot + a) != 0xFF)
                u.no_erase = false;
    assert_int_equal(rig_update(r, &u), 0);
    rig_settle(r);
    assert_true(msc_trial_result(&copy_trial, COPY_PATIENCE));
    copy_status(&c);
    /* A file that fits into the drive's window waits there and comes after. */
    if (c.state == COPY_SUCCESS)
        copy_assert_installed(file, n);
    else
        copy_assert_installed(image, n);
}

/* The drive is there after an update by DFU, and installs. */
static void test_dfu_then_copy(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->image;
    struct host_file f = two_images(r, true);
    struct rig_update u = part(r, 0, n);

    u.data = old;
    u.no_abort = false;
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    copy_installs(HOST_LINUX_SYNC, &f, image, n);
}

int main(int argc, char **argv)
{
    if (argc == 4) /* a test's name */
        cmocka_set_test_filter(argv[3]);
    const struct CMUnitTest tests[] = {
        COPY_TEST(test_power_cuts),      COPY_TEST(test_unplugged),
        COPY_TEST(test_unplugged_alive), COPY_TEST(test_dfu_then_copy),
        COPY_TEST(test_dfu_in_a_copy),   COPY_TEST(test_copy_in_a_dfu_download),
    };

    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, tests);
}
