/* SPDX-License-Identifier: MIT */
/*
 * test_foreign.c - libsallyport on devices that are none of ours: several
 * memories, no answer after leave, memory that cannot be read, plain DFU; and
 * layout strings.
 */
#include "fake_dfu.h"
#include "place.h"
#include "update.h"
#include "usb.h"

/* Behind those: cmocka has a macro of the name fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static uint8_t image[FAKE_FLASH];

static void noise(uint8_t *p, size_t n, uint32_t seed)
{
    while (n--) {
        seed = seed * 1664525 + 1013904223;
        *p++ = (uint8_t)(seed >> 24);
    }
}

struct run {
    struct fake fake;
    struct device d;
    struct update u;
    struct update_result r;
    struct fail f;
};

static struct run *setup(struct run *run)
{
    memset(run, 0, sizeof(*run));
    fake_new(&run->fake);
    noise(image, sizeof(image), 1);
    return run;
}

static void open_it(struct run *run)
{
    if (run->fake.gone) { /* it comes back after a reset */
        run->fake.gone = false;
        run->fake.state = DFU_dfuIDLE;
    }
    assert_true(device_take(&run->fake.t, "fake", &run->d, &run->f));
    run->u.d = &run->d;
}

static bool flash(struct run *run, const struct fw *fw)
{
    size_t index = 0;
    struct fw out;
    bool ok;

    open_it(run);
    fw_init(&out);
    run->f = (struct fail){0};
    ok = place_image(&run->d, fw, NULL, &out, &index, &run->f) &&
         update_flash(&run->u, &out, index, &run->r, &run->f);
    fw_free(&out);
    return ok;
}

static bool flash_bytes(struct run *run, const uint8_t *data, size_t n,
                        const uint32_t *at)
{
    struct fw fw;
    bool ok;

    fw_init(&fw);
    assert_true(fw_add(&fw, at ? *at : 0, data, n, &run->f));
    fw.placed = at;
    ok = flash(run, &fw);
    fw_free(&fw);
    return ok;
}

/* ---- DfuSe ---- */

static void test_what_it_says(void **state)
{
    struct run run;

    (void)state;
    open_it(setup(&run));
    assert_int_equal(run.d.vid, 0x0483);
    assert_int_equal(run.d.pid, 0xDF11);
    assert_string_equal(run.d.vendor, "ACME");
    assert_string_equal(run.d.model, "Gadget");
    assert_string_equal(run.d.serial, "0042");
    assert_true(run.d.dfuse);
    assert_null(run.d.board);
    assert_int_equal(run.d.alts, 2);
    assert_string_equal(run.d.alt[0].layout.name, "Internal Flash");
    assert_string_equal(run.d.alt[1].layout.name, "Option Bytes");
    assert_int_equal(run.d.alt[1].layout.run[0].sector, 16);
}

/* Erased and written once each; the second time not at all. */
static void test_flash(void **state)
{
    struct run run;

    (void)state;
    setup(&run);
    assert_true(flash_bytes(&run, image, 2000, NULL));
    assert_memory_equal(run.fake.flash, image, 2000);
    assert_int_equal(run.fake.erases, 2);
    assert_int_equal(run.fake.writes, 4);
    assert_int_equal(run.fake.hurried, 0);
    assert_true(run.r.verified && run.r.started && run.fake.gone);
    assert_true(flash_bytes(&run, image, 2000, NULL));
    assert_int_equal(run.fake.erases, 2);
    assert_int_equal(run.fake.writes, 4);
    assert_true(run.r.unchanged && run.r.verified);
    /* in its second sector; the first one goes along */
    image[1500] ^= 1;
    assert_true(flash_bytes(&run, image, 2000, NULL));
    assert_memory_equal(run.fake.flash, image, 2000);
    assert_int_equal(run.fake.erases, 4);
}

/* By its address, or the number that a .dfu file has. */
static void test_other_memory(void **state)
{
    const uint32_t at = FAKE_OPTIONS_AT + 4;
    struct run run;
    struct fw fw;

    (void)state;
    setup(&run);
    assert_true(flash_bytes(&run, image, 12, &at));
    assert_memory_equal(run.fake.options + 4, image, 12);
    assert_int_equal(run.fake.erases, 0);
    fw_init(&fw);
    assert_true(fw_add(&fw, FAKE_OPTIONS_AT, image, 16, &run.f));
    fw.placed = true;
    fw.format = FW_DFUSE;
    fw.vid = fw.pid = FW_ANY_ID;
    fw.alternate = 1;
    assert_true(flash(&run, &fw));
    assert_memory_equal(run.fake.options, image, 16);
    fw.alternate = 7;
    assert_false(flash(&run, &fw));
    assert_int_equal(run.f.code, FAIL_UNFIT);
    fw.alternate = 1;
    fw.vid = 0x1209;
    assert_false(flash(&run, &fw));
    assert_non_null(strstr(run.f.text, "1209"));
    fw_free(&fw);
}

static void test_does_not_fit(void **state)
{
    const uint32_t read_only = FAKE_FLASH_AT + 4 * 1024;
    const uint32_t across = FAKE_FLASH_AT + 3 * 1024;
    struct run run;

    (void)state;
    setup(&run);
    assert_false(flash_bytes(&run, image, 4 * 1024 + 1, NULL));
    assert_int_equal(run.f.code, FAIL_UNFIT);
    assert_false(flash_bytes(&run, image, 4, &read_only));
    assert_int_equal(run.f.code, FAIL_UNFIT);
    assert_false(flash_bytes(&run, image, 2000, &across));
    assert_int_equal(run.f.code, FAIL_UNFIT);
    assert_int_equal(run.fake.erases + run.fake.writes, 0);
}

/* Letter f: no read. */
static void test_not_readable(void **state)
{
    struct run run;

    (void)state;
    setup(&run)->fake.layout = "@Internal Flash  /0x08000000/05*001Kf";
    assert_true(flash_bytes(&run, image, 1500, NULL));
    assert_memory_equal(run.fake.flash, image, 1500);
    assert_int_equal(run.fake.reads, 0);
    assert_false(run.r.verified || run.r.compared);
}

static void test_refuses(void **state)
{
    struct run run;

    (void)state;
    setup(&run)->fake.bad_cell = true;
    assert_false(flash_bytes(&run, image, 1500, NULL));
    assert_int_equal(run.f.code, FAIL_DEVICE);
    assert_non_null(strstr(run.f.text, "errPROG (0x06): write failed"));
    assert_non_null(strstr(run.f.text, "0x08000000"));
    assert_int_equal(run.fake.state, DFU_dfuIDLE);
}

/* Mass erase would take the bootloader of others: sector by sector. */
static void test_erase(void **state)
{
    struct run run;

    (void)state;
    setup(&run);
    memset(run.fake.flash, 0x55, FAKE_FLASH);
    open_it(&run);
    assert_true(update_erase(&run.u, 0, 0, 0, &run.r, &run.f));
    assert_int_equal(run.fake.erases, 4);
    assert_int_equal(run.fake.flash[4095], 0xFF);
    assert_int_equal(run.fake.flash[4096], 0x55);
}

/* ---- plain DFU ---- */

static void plain(struct run *run, bool tolerant)
{
    setup(run)->fake.plain = true;
    run->fake.layout = "Firmware";
    run->fake.tolerant = tolerant;
}

static void test_plain(void **state)
{
    struct run run;

    (void)state;
    plain(&run, false);
    assert_true(flash_bytes(&run, image, 1700, NULL));
    assert_memory_equal(run.fake.flash, image, 1700);
    assert_true(run.r.started && !run.r.verified);
    assert_int_equal(run.fake.resets, 1); /* DFU 1.1 clause 7 */
}

static void test_plain_tolerant(void **state)
{
    struct run run;

    (void)state;
    plain(&run, true);
    run.u.stay = true;
    assert_true(flash_bytes(&run, image, 1700, NULL));
    assert_true(run.r.verified && !run.r.started);
    assert_int_equal(run.fake.resets, 0);
    run.u.stay = false;
    assert_true(flash_bytes(&run, image, 1700, NULL));
    assert_true(run.r.started);
    assert_int_equal(run.fake.resets, 1);
}

/* ---- layout strings ---- */

static void test_layouts(void **state)
{
    static const char *const bad[] = {
        "Internal Flash",
        "@Flash",
        "@Flash /",
        "@Flash /08000000/1*1Kg",
        "@Flash /0x08000000",
        "@Flash /0x08000000/",
        "@Flash /0x08000000/1",
        "@Flash /0x08000000/*1Kg",
        "@Flash /0x08000000/0*1Kg",
        "@Flash /0x08000000/1*Kg",
        "@Flash /0x08000000/1*0Kg",
        "@Flash /0x08000000/1*1K",
        "@Flash /0x08000000/1*1Kh",
        "@Flash /0x08000000/1*1Kg,",
        "@Flash /0x08000000/1*1Kg;",
        "@Flash /0x108000000/1*1Kg",
        "@Flash /0xFFFFFC00/2*1Kg",
        "@Flash /0x08000000/99999999999*1Kg",
    };
    struct layout l;
    struct layout_sector s;
    uint64_t start, end;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fail f = {0};

        assert_false(layout_parse(bad[i], &l, &f));
        assert_int_equal(f.code, FAIL_DEVICE);
        assert_non_null(strstr(f.text, bad[i]));
    }
    struct fail f = {0};
    /* Units, several areas, a device that leaves the unit out, blanks. */
    assert_true(layout_parse("@Two / 0x08000000/02*016Ka,3*1Mg/0x1FFF0000/"
                             "4*128Bb,1*64e",
                             &l, &f));
    assert_string_equal(l.name, "Two");
    assert_int_equal(l.runs, 4);
    assert_int_equal(l.run[1].start, 0x08008000);
    assert_int_equal(l.run[1].sector, 1 << 20);
    assert_int_equal(l.run[2].start, 0x1FFF0000);
    assert_int_equal(l.run[3].start, 0x1FFF0200);
    assert_int_equal(l.run[3].type, LAYOUT_READ | LAYOUT_WRITE);
    assert_true(layout_at(&l, 0x08108000, &s));
    assert_int_equal(s.start, 0x08108000);
    assert_false(layout_at(&l, 0x08308000, &s));
    assert_true(layout_area(&l, LAYOUT_WRITE, &start, &end));
    assert_int_equal(start, 0x08008000);
    assert_int_equal(end, 0x08308000);
    assert_int_equal(layout_outside(&l, 0x08000000, 0x08400000, LAYOUT_READ),
                     0x08308000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_flash),
        cmocka_unit_test(test_other_memory),
        cmocka_unit_test(test_does_not_fit),
        cmocka_unit_test(test_not_readable),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain_tolerant),
        cmocka_unit_test(test_layouts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
