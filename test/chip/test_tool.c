/* SPDX-License-Identifier: MIT */
/*
 * test_tool.c - libsallyport's update (host/lib/update.h) on the real ELF, in
 * virtual time: what it changes, what it leaves out, how long it takes beside
 * dfu-util's request sequence (rig.c), what becomes of it when it is
 * interrupted.  The tool itself, over USB/IP: test/unit/test_device.py.
 */
#include "place.h"
#include "tool.h"
#include "update.h"

/* Behind those: cmocka has a macro of the name fail. */
#include "bench.h"
#include "crc32.h"

static uint8_t old[1024 * 1024], image[1024 * 1024], back[1024 * 1024];

static uint32_t slot_size(struct rig *r)
{
    return r->board->slot_end - r->board->slot;
}

/* ---- one run of the tool ---- */

struct run {
    struct tool tool;
    struct device d;
    struct update u;
    struct update_result r;
    struct fail f;
    bool ok;
    sim_time took;
    /* not 0: Ctrl-C or the cable after so many bytes */
    uint64_t stop_at, cut_at, spoil_after;
    volatile sig_atomic_t stop;
};

static bool look(void *ctx, const struct tool *tool)
{
    struct run *run = ctx;

    if (run->stop_at && tool->down >= run->stop_at)
        run->stop = 1;
    return run->cut_at && tool->down >= run->cut_at;
}

static void open_run(struct run *run, struct rig *r)
{
    assert_true(tool_open(&run->tool, r, &run->d, &run->f));
    run->tool.cut = look;
    run->tool.ctx = run;
    run->tool.spoil_after = run->spoil_after;
    run->u.d = &run->d;
    run->u.stop = &run->stop;
}

static void flash(struct run *run, struct rig *r, const uint8_t *data, size_t n)
{
    sim_time start = chip_now(r->chip);
    struct fw fw, placed;
    size_t index = 0;

    open_run(run, r);
    fw_init(&fw);
    fw_init(&placed);
    assert_true(fw_add(&fw, 0, data, n, &run->f));
    run->ok = place_image(&run->d, &fw, NULL, &placed, &index, &run->f) &&
              update_flash(&run->u, &placed, index, &run->r, &run->f);
    run->took = chip_now(r->chip) - start;
    if (!run->ok)
        print_message("%s\n", run->f.text);
    fw_free(&fw);
    fw_free(&placed);
}

/* What dfu-util takes to write it and to read it back. */
static sim_time dfu_util(struct rig *r, const uint8_t *data, size_t n)
{
    struct rig_update u = {.addr = r->board->slot, .data = data, .n = n};
    sim_time start = chip_now(r->chip);

    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_read(r, r->board->slot, back, n), n);
    assert_memory_equal(back, data, n);
    return chip_now(r->chip) - start;
}

static void installed(struct rig *r, const uint8_t *data, size_t n)
{
    rig_flash_put(r, r->board->slot, data, n);
    assert_int_equal(rig_reset_with_key(r), 0);
}

static void make(struct rig *r, uint8_t *to, size_t n, bool stamped,
                 uint32_t seed)
{
    if (stamped)
        rig_image_stamped(r->board, to, n, seed);
    else
        rig_image(r->board, to, n, seed);
}

static void assert_runs(struct rig *r, const uint8_t *data, size_t n)
{
    assert_true(rig_app_runs(r, 2 * SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, data, n));
    assert_true(rig_boots_after_reset(r));
}

/* ---- time ---- */

/* A full slot of noise over noise, and then the same again.  With a stamp and
 * without. */
static void full_slot(struct rig *r, bool stamped)
{
    size_t n = slot_size(r);
    struct run run = {0};
    sim_time reference;

    make(r, old, n, stamped, 1);
    make(r, image, n, stamped, 2);
    installed(r, old, n);
    reference = dfu_util(r, image, n);
    bench_restart(r);
    installed(r, old, n);
    flash(&run, r, image, n);
    assert_true(run.ok && run.r.verified && !run.r.unchanged);
    print_message("full slot: %u ms, dfu-util -D and -U %u ms\n",
                  (unsigned)(run.took / SIM_MS),
                  (unsigned)(reference / SIM_MS));
    assert_true(run.took <= reference);
    assert_runs(r, image, n);

    assert_int_equal(rig_reset_with_key(r), 0);
    run = (struct run){0};
    flash(&run, r, image, n);
    print_message("unchanged: %u ms\n", (unsigned)(run.took / SIM_MS));
    assert_true(run.ok && run.r.verified && run.r.unchanged);
    assert_int_equal(run.tool.erases, 0);
    assert_true(run.took * 10 <= reference);
    assert_runs(r, image, n);
}

static void test_full_slot(void **state)
{
    full_slot(*state, true);
}

/* It takes the silicon a while, so on one chip only. */
static void test_full_slot_plain(void **state)
{
    struct rig *r = *state;

    if (slot_size(r) > 600 * 1024)
        skip();
    full_slot(r, false);
}

/* ---- what changes and what does not ---- */

/* One byte somewhere: its sector and the first one are written. */
static void one_byte(struct rig *r, uint32_t at, bool stamped)
{
    struct rig_span sector = rig_sector(r->board, r->board->slot + at);
    struct rig_span first = rig_sector(r->board, r->board->slot);
    size_t n = slot_size(r) / 4 - 100; /* F407: up to the first 128 KB */
    uint64_t most = sector.size;
    struct run run = {0};

    make(r, old, n, stamped, 3);
    installed(r, old, n);
    memcpy(image, old, n);
    image[at] ^= 0x10;
    if (stamped)
        rig_stamp(r->board, image, n);
    if (first.start != sector.start)
        most += first.size;
    flash(&run, r, image, n);
    assert_true(run.ok && run.r.verified);
    assert_true(run.r.erased <= most && run.r.written <= most);
    assert_true(run.r.written > 0);
    assert_runs(r, image, n);
}

static void test_one_byte(void **state)
{
    struct rig *r = *state;
    const uint32_t at[] = {0x38, 0x4321, slot_size(r) / 4 - 101};

    for (unsigned i = 0; i < 3; i++) {
        bench_restart(r);
        one_byte(r, at[i], i % 2);
    }
}

/* The empty chip; sizes around a block and a sector. */
static void test_sizes(void **state)
{
    struct rig *r = *state;
    uint32_t block = r->board->block;
    const size_t sizes[] = {0x38, block, 3 * block + 60, 8 * block - 2};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (unsigned stay = 0; stay < 2; stay++) {
            struct run run = {.u.stay = stay};

            bench_restart(r);
            make(r, image, sizes[i], false, 7 + i);
            flash(&run, r, image, sizes[i]);
            assert_true(run.ok && run.r.verified);
            if (stay) {
                assert_true(rig_in_bootloader(r));
                rig_settle(r);
                assert_true(rig_boots_after_reset(r));
            } else {
                assert_runs(r, image, sizes[i]);
            }
        }
    }
}

/* Data with 0xFF in it, and an image with a hole. */
static void test_gaps(void **state)
{
    struct rig *r = *state;
    size_t n = 20 * r->board->block;
    struct run run = {0};

    make(r, old, slot_size(r), false, 3);
    installed(r, old, slot_size(r));
    make(r, image, n, false, 4);
    memset(image + 3 * r->board->block, 0xFF, 6 * r->board->block);
    flash(&run, r, image, n);
    assert_true(run.ok && run.r.verified);
    assert_runs(r, image, n);
}

static void test_dry_run(void **state)
{
    struct rig *r = *state;
    struct run run = {.u.dry_run = true};
    size_t n = 5000;

    make(r, old, n, false, 1);
    make(r, image, n, false, 2);
    installed(r, old, n);
    flash(&run, r, image, n);
    assert_true(run.ok && !run.r.unchanged && run.r.changed == n);
    assert_int_equal(run.tool.down, 0);
    assert_int_equal(run.tool.erases, 0);
    assert_true(rig_flash_is(r, r->board->slot, old, n));
    assert_true(rig_boots_after_reset(r));
}

/* Read back, it is something else: nothing is started, now or later.  A plain
 * image that ends with a short block is one that the bootloader would take for
 * complete. */
static void test_bad_read_back(void **state)
{
    struct rig *r = *state;
    size_t n = 4 * r->board->block + 100;
    struct run run = {.spoil_after = 1};

    make(r, old, n, false, 1);
    make(r, image, n, false, 2);
    installed(r, old, n);
    flash(&run, r, image, n);
    assert_false(run.ok);
    assert_int_equal(run.f.code, FAIL_DIFFERS);
    assert_false(run.r.started || run.r.verified);
    rig_settle(r);
    assert_false(rig_app_runs(r, 300 * SIM_MS));
    assert_false(rig_boots_after_reset(r));
}

/* ---- ends that come early ---- */

/* An old application under an update that breaks off after so many bytes, and
 * the next try. */
static void broken(struct rig *r, uint64_t stop_at, uint64_t cut_at)
{
    size_t n = 12 * r->board->block + 100;
    struct run run = {.stop_at = stop_at, .cut_at = cut_at};

    bench_restart(r);
    make(r, old, n, false, 1);
    make(r, image, n, false, 2);
    installed(r, old, n);
    flash(&run, r, image, n);
    assert_false(run.ok);
    assert_int_equal(run.f.code, cut_at ? FAIL_LOST : FAIL_INTERRUPTED);
    if (stop_at) /* as the next host finds it */
        assert_int_equal(rig_getstatus(r).state, DFU_IDLE);
    rig_settle(r);
    if (stop_at)
        assert_true(rig_in_bootloader(r));
    /* Nothing but a whole image starts: the old one before anything changed. */
    if (cut_at && rig_boots_after_power_cycle(r))
        assert_true(rig_flash_is(r, r->board->slot, old, n));
    if (cut_at)
        assert_int_equal(rig_reset_with_key(r), 0);

    run = (struct run){0};
    flash(&run, r, image, n);
    assert_true(run.ok);
    assert_runs(r, image, n);
}

static void test_ctrl_c(void **state)
{
    struct rig *r = *state;
    uint32_t block = r->board->block;

    broken(r, 1, 0);
    broken(r, 5 * block, 0);
    broken(r, 12 * block + 100, 0); /* all is there, not verified */
}

static void test_pulled_out(void **state)
{
    struct rig *r = *state;
    uint32_t block = r->board->block;

    broken(r, 0, 1);
    broken(r, 0, 5 * block);
    broken(r, 0, 12 * block + 100);
}

/* Ctrl-C before anything is written leaves the old application. */
static void test_ctrl_c_at_once(void **state)
{
    struct rig *r = *state;
    struct run run = {.stop = 1};
    size_t n = 5000;

    make(r, old, n, false, 1);
    make(r, image, n, false, 2);
    installed(r, old, n);
    flash(&run, r, image, n);
    assert_int_equal(run.f.code, FAIL_INTERRUPTED);
    assert_true(rig_boots_after_reset(r));
    assert_true(rig_flash_is(r, r->board->slot, old, n));
}

/* Whatever state an earlier host has left: it goes on. */
static void test_states(void **state)
{
    struct rig *r = *state;
    size_t n = 3 * r->board->block;

    for (unsigned i = 0; i < 5; i++) {
        struct run run = {0};
        uint8_t junk[64] = {0};

        bench_restart(r);
        make(r, image, n, true, 20 + i);
        if (i == 0) /* dfuERROR */
            rig_dnload(r, 1, junk, 64);
        else if (i == 1) /* dfuDNLOAD-SYNC */
            rig_dnload(r, 2, junk, 64);
        else if (i == 2) /* dfuDNLOAD-IDLE */
            rig_write_at(r, r->board->slot, junk, 64);
        else if (i == 3) /* dfuUPLOAD-IDLE */
            rig_upload(r, 2, back, r->board->block);
        else /* an image in parts that nobody ended */
            rig_write_at(r, r->board->slot, image, r->board->block);
        flash(&run, r, image, n);
        assert_true(run.ok);
        assert_runs(r, image, n);
    }
}

/* All was written, but the host was gone before it said so: there is nothing
 * to write any more, and yet it has to be told again. */
static void test_unended(void **state)
{
    struct rig *r = *state;
    size_t n = 6 * r->board->block;
    struct rig_update u = {
        .addr = r->board->slot, .data = image, .n = n, .no_abort = true};
    struct run run = {0};

    make(r, old, n, false, 30);
    installed(r, old, n);
    make(r, image, n, false, 31);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    flash(&run, r, image, n);
    assert_true(run.ok && run.r.started);
    assert_runs(r, image, n);
}

/* ---- what does not fit is refused before an erase ---- */

static void refused(struct rig *r, const uint8_t *data, size_t n,
                    const uint32_t *address, const char *text)
{
    struct run run = {0};
    struct fw fw, placed;
    size_t index;

    open_run(&run, r);
    fw_init(&fw);
    fw_init(&placed);
    assert_true(fw_add(&fw, address ? *address : 0, data, n, &run.f));
    fw.placed = address;
    assert_false(place_image(&run.d, &fw, NULL, &placed, &index, &run.f));
    assert_int_equal(run.f.code, FAIL_UNFIT);
    assert_non_null(strstr(run.f.text, text));
    assert_int_equal(run.tool.down + run.tool.erases, 0);
    fw_free(&fw);
    fw_free(&placed);
}

static void test_refused(void **state)
{
    struct rig *r = *state;
    uint32_t at = r->board->flash, end = r->board->slot_end - 16;
    size_t n = slot_size(r);

    make(r, image, n, true, 1);
    refused(r, image, n, &at, "is the bootloader's flash");
    at = r->board->slot + r->board->block;
    refused(r, image, 4096, &at, "stamp"); /* a torso */
    make(r, image, 4096, false, 1);
    refused(r, image, 4096, &at, "applications start at");
    refused(r, image, 4096, &end, "room for");
    at = 0x90000000;
    refused(r, image, 4096, &at, "in no memory of the device");
    make(r, image, n, false, 1);
    memset(image + n, 0x55, 64);
    refused(r, image, n + 64, NULL, "room for");
    rig_image_stamped(r->board, image, 4096, 1);
    rig_put32(image + 0x28, r->board->product + 1);
    rig_put32(image + 0x24, 0);
    rig_put32(image + 0x24, test_crc32(0, image, 4096));
    refused(r, image, 4096, NULL, "is for product");
    image[1000] ^= 1;
    refused(r, image, 4096, NULL, "damaged");
    memset(image, 0x11, 4096);
    refused(r, image, 4096, NULL, "no stack pointer");
}

/* ---- read, verify, erase, reboot ---- */

static void test_read_verify_erase(void **state)
{
    struct rig *r = *state;
    size_t n = 5 * r->board->block + 12;
    struct run run = {0};
    struct update_result result;
    uint64_t start, end;
    struct fw fw;

    make(r, image, n, true, 5);
    installed(r, image, n);
    open_run(&run, r);
    fw_init(&fw);
    assert_true(update_read_image(&run.u, 0, &fw, &run.f));
    assert_true(fw_span(&fw, &start, &end));
    assert_int_equal(start, r->board->slot);
    assert_int_equal(end - start, n);
    fw_get(&fw, start, back, n, 0);
    assert_memory_equal(back, image, n);
    assert_true(update_verify(&run.u, &fw, 0, NULL, NULL, &run.f));
    *rig_flash(r, r->board->slot + (uint32_t)n - 1) ^= 1;
    chip_flash_changed(r->chip);
    assert_false(update_verify(&run.u, &fw, 0, NULL, NULL, &run.f));
    assert_int_equal(run.f.code, FAIL_DIFFERS);
    fw_free(&fw);

    run.f = (struct fail){0};
    assert_true(update_erase(&run.u, 0, 0, 0, &result, &run.f));
    assert_true(rig_flash_blank(r, r->board->slot, slot_size(r)));
    assert_int_equal(result.erased, slot_size(r));
    installed(r, image, n);
    /* The sector that has the byte, when it returns. */
    assert_true(update_erase(&run.u, 0, r->board->slot + 4, r->board->slot + 5,
                             &result, &run.f));
    assert_true(rig_flash_blank(r, r->board->slot, r->board->block));
    assert_false(update_erase(&run.u, 0, r->board->flash, r->board->flash + 5,
                              &result, &run.f));
    assert_int_equal(run.f.code, FAIL_UNFIT);
}

static void test_reboot(void **state)
{
    struct rig *r = *state;
    struct run run = {0};

    open_run(&run, r);
    assert_false(update_reboot(&run.u, &run.f)); /* there is nothing */
    assert_int_equal(run.f.code, FAIL_DEVICE);
    make(r, image, 5000, false, 5);
    installed(r, image, 5000);
    run.f = (struct fail){0};
    open_run(&run, r);
    assert_true(update_reboot(&run.u, &run.f));
    assert_true(rig_app_runs(r, SIM_S));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CHIP_TEST(test_full_slot),     CHIP_TEST(test_full_slot_plain),
        CHIP_TEST(test_one_byte),      CHIP_TEST(test_sizes),
        CHIP_TEST(test_gaps),          CHIP_TEST(test_dry_run),
        CHIP_TEST(test_bad_read_back), CHIP_TEST(test_ctrl_c),
        CHIP_TEST(test_pulled_out),    CHIP_TEST(test_ctrl_c_at_once),
        CHIP_TEST(test_states),        CHIP_TEST(test_unended),
        CHIP_TEST(test_refused),       CHIP_TEST(test_read_verify_erase),
        CHIP_TEST(test_reboot),
    };

    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, tests);
}
