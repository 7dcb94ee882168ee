/* SPDX-License-Identifier: MIT */
/*
 * test_closed.c - CONFIG_READBACK=0: what is in flash cannot be read by DFU's
 * upload nor from the drive, and all else works.  Profile full.
 */
#include "bench.h"
#include "msc.h"

enum { SIZE = 12 * 1024, BLOCK = 2048 };

static uint8_t image[SIZE], buffer[BLOCK];

/* An application, and the bootloader entered by key. */
static void with_app(struct rig *r)
{
    rig_image_stamped(r->board, image, sizeof(image), 1);
    bench_installed(r, image, sizeof(image));
}

/* DFU 1.1: table 4.2, bitCanUpload; A.2.3: a stall, and dfuERROR. */
static void test_upload(void **state)
{
    static const uint8_t commands[] = {0x00, 0x21, 0x41};
    struct rig *r = *state;
    struct rig_status s;

    with_app(r);
    assert_true(rig_request(r, 0x80, 6, 0x0200, 0, buffer, 255) > 27);
    assert_int_equal(buffer[18 + 2], 0x09); /* downloads, detaches */
    for (unsigned block = 2; block < 5; block++) {
        bench_assert_ok(rig_set_address(r, r->board->slot));
        assert_int_equal(rig_abort(r), 0);
        assert_int_equal(rig_upload(r, (uint16_t)block, buffer, BLOCK),
                         URB_STALL);
        s = rig_getstatus(r);
        assert_int_equal(s.state, DFU_ERROR);
        assert_int_equal(s.status, ERR_STALLEDPKT);
        assert_int_equal(rig_clrstatus(r), 0);
    }
    /* That is no memory: AN3156 clause 3.1. */
    assert_int_equal(rig_upload(r, 0, buffer, BLOCK), sizeof(commands));
    assert_memory_equal(buffer, commands, sizeof(commands));
}

/* Nothing of the application is on the volume: not in what is listed, and not
 * in any other sector. */
static void test_drive(void **state)
{
    struct rig *r = *state;
    static uint8_t sectors[8 * MSC_SECTOR];
    static struct msc disk;
    uint32_t root, end;
    unsigned others = 0;

    with_app(r);
    assert_true(msc_open(&disk, r));
    assert_true(msc_ok(msc_read(&disk, 0, 1, sectors), MSC_SECTOR));
    root = (uint32_t)(sectors[14] | sectors[15] << 8) +
           2 * rig_get32(sectors + 36);
    /* Room for the largest file, litter, and what the files would take. */
    end = root + 7 * (r->board->slot_end - r->board->slot) / MSC_SECTOR;
    for (uint32_t lba = root; lba < end; lba += 8) {
        assert_true(msc_ok(msc_read(&disk, lba, 8, sectors), sizeof(sectors)));
        for (size_t at = 0; at < sizeof(sectors); at += 16) {
            assert_memory_not_equal(sectors + at, "CURRENT ", 8);
            assert_memory_not_equal(sectors + at, image + 512, 16);
            others += !memcmp(sectors + at, "INFO_UF2TXT", 11);
        }
    }
    assert_int_equal(others, 1); /* it is the volume that has files */
}

static void test_update(void **state)
{
    struct rig *r = *state;

    with_app(r);
    rig_image_stamped(r->board, image, sizeof(image), 2);
    assert_int_equal(rig_install(r, image, sizeof(image)), 0);
    assert_true(rig_app_runs(r, 5 * SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, sizeof(image)));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CHIP_TEST(test_upload),
        CHIP_TEST(test_drive),
        CHIP_TEST(test_update),
    };

    return BENCH_MAIN_OF("sallyport-full-closed.elf", argc, argv, tests);
}
