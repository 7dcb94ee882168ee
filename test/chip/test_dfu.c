/* SPDX-License-Identifier: MIT */
/*
 * test_dfu.c - the state table of USB DFU 1.1 (appendix A) with DfuSe's
 * differences (AN3156): every state times every request.
 *
 * States 0 and 1 belong to the application: see test_entry.c.
 */
#include "states.h"

/* The states in the order of the columns below. */
static const uint8_t states[] = {2, 3, 4, 5, 6, 7, 9, 10};

static const struct row rows[] = {
    /*                                       state: 2345679A */
    {"DETACH", OUT, DETACH, 1000, 0, 0, "xxxxxxxs", 0},
    {"DNLOAD nothing", OUT, DNLOAD, 2, 0, 0, "6xx6xxxs", 0},
    {"DNLOAD nothing, block 0", OUT, DNLOAD, 0, 0, 0, "6xx6xxxs", 0},
    {"DNLOAD 1 byte", OUT, DNLOAD, 2, 0, 1, "3xx3xxxs", 0},
    {"DNLOAD a packet", OUT, DNLOAD, 2, 0, 64, "3xx3xxxs", 0},
    {"DNLOAD a block", OUT, DNLOAD, 2, 0, FULL, "3xx3xxxs", 0},
    {"DNLOAD more than a block", OUT, DNLOAD, 2, 0, TOO_LONG, "xxxxxxxs", 0},
    {"DNLOAD 65535 bytes", OUT, DNLOAD, 2, 0, 65535, "xxxxxxxs", 0},
    {"DNLOAD the last block number", OUT, DNLOAD, 65535, 0, 8, "3xx3xxxs", 0},
    {"DNLOAD block 1", OUT, DNLOAD, 1, 0, 5, "xxxxxxxs", 0},
    {"Set Address", OUT, DNLOAD, 0, 0, 5, "3xx3xxxs", "\x21" SLOT},
    {"Erase", OUT, DNLOAD, 0, 0, 5, "3xx3xxxs", "\x41" SLOT},
    {"Mass Erase", OUT, DNLOAD, 0, 0, 1, "3xx3xxxs", "\x41"},
    {"Set Address, short", OUT, DNLOAD, 0, 0, 4, "xxxxxxxs", "\x21" SLOT},
    {"Set Address, bare", OUT, DNLOAD, 0, 0, 1, "xxxxxxxs", "\x21"},
    {"Set Address, long", OUT, DNLOAD, 0, 0, 6, "xxxxxxxs", "\x21" SLOT},
    {"Erase, short", OUT, DNLOAD, 0, 0, 3, "xxxxxxxs", "\x41" SLOT},
    {"Read Unprotect", OUT, DNLOAD, 0, 0, 1, "xxxxxxxs", "\x92"},
    {"Get Commands as a command", OUT, DNLOAD, 0, 0, 1, "xxxxxxxs", "\0"},
    {"unknown command", OUT, DNLOAD, 0, 0, 5, "xxxxxxxs", "\xFF" SLOT},
    {"command of a block", OUT, DNLOAD, 0, 0, FULL, "xxxxxxxs", 0},
    {"UPLOAD nothing", IN, UPLOAD, 2, 0, 0, "9xxxxx9s", 0},
    {"UPLOAD 1 byte", IN, UPLOAD, 2, 0, 1, "9xxxxx9s", 0},
    {"UPLOAD a packet", IN, UPLOAD, 2, 0, 64, "9xxxxx9s", 0},
    {"UPLOAD a block", IN, UPLOAD, 2, 0, FULL, "9xxxxx9s", 0},
    {"UPLOAD more than a block", IN, UPLOAD, 2, 0, TOO_LONG, "xxxxxxxs", 0},
    {"UPLOAD behind the flash", IN, UPLOAD, 65535, 0, 64, "2xxxxx2s", 0},
    {"UPLOAD block 1", IN, UPLOAD, 1, 0, 64, "xxxxxxxs", 0},
    {"Get Commands", IN, UPLOAD, 0, 0, FULL, "2xxxxx2s", 0},
    {"Get Commands, exactly", IN, UPLOAD, 0, 0, 3, "9xxxxx9s", 0},
    {"Get Commands, in part", IN, UPLOAD, 0, 0, 1, "9xxxxx9s", 0},
    {"GETSTATUS", IN, GETSTATUS, 0, 0, 6, "====7===", 0},
    {"CLRSTATUS", OUT, CLRSTATUS, 0, 0, 0, "xxxxxxx2", 0},
    {"GETSTATE", IN, GETSTATE, 0, 0, 1, "========", 0},
    {"ABORT", OUT, ABORT, 0, 0, 0, "2xx2xx2s", 0},
    {"request 7", OUT, 7, 0, 0, 0, "xxxxxxxs", 0},
    {"request 7 IN", IN, 7, 0, 0, 8, "xxxxxxxs", 0},
    {"request 31", OUT, 31, 0, 0, 0, "xxxxxxxs", 0},
    {"request 32", IN, 32, 0, 0, 1, "xxxxxxxs", 0},
    {"request 255", IN, 255, 0, 0, 64, "xxxxxxxs", 0},
    {"DETACH IN", IN, DETACH, 0, 0, 8, "xxxxxxxs", 0},
    {"DNLOAD IN", IN, DNLOAD, 2, 0, 64, "xxxxxxxs", 0},
    {"UPLOAD OUT", OUT, UPLOAD, 2, 0, 64, "xxxxxxxs", 0},
    {"GETSTATUS OUT", OUT, GETSTATUS, 0, 0, 6, "xxxxxxxs", 0},
    {"CLRSTATUS IN", IN, CLRSTATUS, 0, 0, 1, "xxxxxxxs", 0},
    {"GETSTATE OUT", OUT, GETSTATE, 0, 0, 1, "xxxxxxxs", 0},
    {"ABORT IN", IN, ABORT, 0, 0, 1, "xxxxxxxs", 0},
    /* There is no such interface: nobody's state changes. */
    {"DNLOAD, interface 1", OUT, DNLOAD, 2, 1, 64, "ssssssss", 0},
    {"GETSTATUS, interface 1", IN, GETSTATUS, 0, 1, 6, "ssssssss", 0},
    {"ABORT, interface 256", OUT, ABORT, 0, 256, 0, "ssssssss", 0},
};

static uint8_t buffer[65536];

/* ---- ways into the states ---- */

/* What lies in the slot: something to erase in some pages, so that a mass
 * erase takes long enough to be looked at, and an image to leave for. */
static void fill_slot(struct rig *r)
{
    static uint8_t image[16 * 1024];
    const struct rig_board *b = r->board;
    unsigned pages = rig_pages(b, b->slot, b->slot_end - b->slot);

    rig_image(b, image, sizeof(image), 1);
    rig_flash_put(r, b->slot, image, sizeof(image));
    for (unsigned i = 1; i < 8 && i < pages; i++)
        rig_flash_put(r, rig_nth_page(b, i).start + 64, "data", 4);
}

static void enter(struct rig *r, unsigned state)
{
    fill_slot(r);
    switch (state) {
    case DFU_DNLOAD_SYNC:
        rig_dnload(r, 2, "data", 4);
        break;
    case DFU_DNBUSY:
        rig_dnload(r, 0, "\x41", 1);
        rig_getstatus(r);
        break;
    case DFU_DNLOAD_IDLE:
        rig_set_address(r, r->board->slot);
        break;
    case DFU_MANIFEST_SYNC:
        rig_dnload(r, 2, NULL, 0);
        break;
    case DFU_MANIFEST:
        rig_leave(r);
        break;
    case DFU_UPLOAD_IDLE:
        rig_upload(r, 2, buffer, 64);
        break;
    case DFU_ERROR:
        rig_clrstatus(r);
        break;
    default:
        break;
    }
    assert_int_equal(rig_getstate(r), state);
}

static const struct state_table table = {
    states, rows, COUNT(states), COUNT(rows), enter,
};

static void test_state_table(void **state)
{
    states_assert(*state, &table);
}

/* ---- around the table ---- */

/* What is refused changes nothing in flash, whatever the state. */
static void test_refused_changes_nothing(void **state)
{
    struct rig *r = *state;
    uint64_t before;

    for (size_t i = 0; i < COUNT(states); i++)
        for (size_t j = 0; j < COUNT(rows); j++) {
            /* A mass erase goes on, and so does what was accepted. */
            if (states[i] == DFU_DNBUSY || states[i] == DFU_DNLOAD_SYNC ||
                !strchr("xs", rows[j].expect[i]))
                continue;
            bench_restart(r);
            enter(r, states[i]);
            before = chip_flash_ops(r->chip);
            states_request(r, &rows[j]);
            host_wait(r->host, 20 * SIM_MS);
            assert_int_equal(chip_flash_ops(r->chip), before);
        }
}

/* The first error is the one that is told. */
static void test_first_error_stays(void **state)
{
    struct rig *r = *state;

    bench_assert_op_error(rig_erase(r, r->board->flash), ERR_WRITE);
    assert_int_equal(rig_abort(r), URB_STALL);
    assert_int_equal(rig_dnload(r, 2, "x", 1), URB_STALL);
    bench_assert_error(rig_getstatus(r), ERR_WRITE);
    assert_int_equal(rig_clrstatus(r), 0);
    assert_int_equal(rig_getstatus(r).state, DFU_IDLE);
    assert_int_equal(rig_getstatus(r).status, 0);
}

/* Clause 6.1.2: a host may ask for less than the six bytes. */
static void test_short_getstatus(void **state)
{
    struct rig *r = *state;

    for (uint16_t n = 0; n <= 64; n++) {
        uint8_t s[64] = {0};

        assert_int_equal(rig_request(r, IN, GETSTATUS, 0, 0, s, n),
                         n < 6 ? n : 6);
        assert_int_equal(s[4], n > 4 ? DFU_IDLE : 0);
        assert_int_equal(rig_request(r, IN, GETSTATE, 0, 0, s, n), n ? 1 : 0);
    }
}

/* The reserved string index and the top byte of bwPollTimeout. */
static void test_getstatus_bytes(void **state)
{
    struct rig *r = *state;
    uint8_t s[6];

    memset(s, 0xEE, sizeof(s));
    assert_int_equal(rig_request(r, IN, GETSTATUS, 0, 0, s, 6), 6);
    assert_memory_equal(s, ((uint8_t[]){0, 0, 0, 0, DFU_IDLE, 0}), 6);
}

/* A bus reset leads to dfuIDLE from everywhere. */
static void test_bus_reset(void **state)
{
    struct rig *r = *state;

    for (size_t i = 0; i < COUNT(states); i++) {
        bench_restart(r);
        enter(r, states[i]);
        assert_int_equal(rig_bus_reset(r), 0);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
        assert_int_equal(rig_getstatus(r).status, 0);
        assert_int_equal(bench_check(r), 0);
    }
}

/* DfuSe knows no requests to other recipients.  Which state follows is not
 * said anywhere; the device stays usable. */
static void test_other_recipients(void **state)
{
    static const uint8_t types[] = {0x20, 0xA0, 0x22, 0xA2, 0x40, 0xC0,
                                    0x41, 0xC1, 0x60, 0xE1, 0x3F, 0xBF};
    struct rig *r = *state;

    for (size_t i = 0; i < COUNT(types); i++)
        for (uint8_t request = 0; request < 8; request++) {
            assert_int_equal(rig_request(r, types[i], request, 2, 0, buffer, 4),
                             URB_STALL);
            if (rig_getstate(r) == DFU_ERROR)
                assert_int_equal(rig_clrstatus(r), 0);
            assert_int_equal(rig_getstate(r), DFU_IDLE);
        }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_state_table),
        CHIP_TEST(test_refused_changes_nothing),
        CHIP_TEST(test_first_error_stays),
        CHIP_TEST(test_short_getstatus),
        CHIP_TEST(test_getstatus_bytes),
        CHIP_TEST(test_bus_reset),
        CHIP_TEST(test_other_recipients),
    };

    return BENCH_MAIN(argc, argv, tests);
}
