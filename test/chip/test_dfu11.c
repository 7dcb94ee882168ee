/* SPDX-License-Identifier: MIT */
/*
 * test_dfu11.c - profile dfu11: plain DFU 1.1 without ST's extension.  Its
 * descriptors, the state table of appendix A, a download as clause 6 and 7
 * have it, and downloads that do not come to their end.
 */
#include "sample.h"
#include "states.h"
#include "wire.h"

static uint8_t buffer[65536];

/* ---- downloads ---- */

static uint32_t blocks(const struct rig *r)
{
    return sample_size(r) / r->board->block;
}

/* The first n blocks of `image`, numbered from `first`. */
static void send_blocks(struct rig *r, uint16_t first, uint32_t n)
{
    uint32_t size = r->board->block;

    for (uint32_t i = 0; i < n; i++)
        bench_assert_ok(
            rig_write(r, (uint16_t)(first + i), image + i * size, size));
}

/* The zero-length DNLOAD behind block number `last`, and its GETSTATUS. */
static struct rig_status end_download(struct rig *r, uint16_t last)
{
    assert_int_equal(rig_dnload(r, (uint16_t)(last + 1), NULL, 0), 0);
    return rig_getstatus(r);
}

/* All of `image`, to dfuMANIFEST. */
static void download(struct rig *r)
{
    struct rig_status s;

    send_blocks(r, 0, blocks(r));
    s = end_download(r, (uint16_t)(blocks(r) - 1));
    assert_int_equal(s.state, DFU_MANIFEST);
    assert_int_equal(s.status, 0);
    host_wait(r->host, s.poll_ms * SIM_MS);
}

/* As dfu-util does it: a second of sleep, then it asks again. */
static void manifest(struct rig *r)
{
    struct rig_status s;

    host_wait(r->host, SIM_S);
    s = rig_getstatus(r);
    assert_int_equal(s.result, 6);
    assert_int_equal(s.state, DFU_MANIFEST_WAIT_RESET);
    assert_int_equal(s.status, 0);
}

/* ---- descriptors ---- */

static void test_functional_descriptor(void **state)
{
    struct rig *r = *state;
    const uint8_t *interface = buffer + 9, *dfu = buffer + 18;
    int n;

    assert_int_equal(rig_request(r, 0x80, 6, 0x0200, 0, buffer, 255), 27);
    assert_memory_equal(interface, "\x09\x04\x00\x00\x00\xFE\x01\x02", 8);
    assert_memory_equal(dfu, "\x09\x21", 2);
    /* download and upload, not manifestation tolerant */
    assert_int_equal(dfu[2] & 0x07, 0x03);
    assert_int_equal(dfu[2] & 0xF0, 0);
    assert_int_equal(dfu[5] | dfu[6] << 8, r->board->block);
    assert_int_equal(dfu[7] | dfu[8] << 8, 0x0110);
    /* Hosts take a name that begins with '@' for a memory layout. */
    n = rig_request(r, 0x80, 6, (uint16_t)(0x0300 | interface[8]), 0x0409,
                    buffer + 64, 255);
    assert_true(n > 2);
    assert_int_not_equal(buffer[64 + 2], '@');
}

/* ---- the state table ---- */

/* The columns.  dfuDNBUSY is not among them: what is asked meanwhile is
 * answered afterwards.  dfuDNLOAD-IDLE and dfuUPLOAD-IDLE come after a block
 * number 0. */
static const uint8_t states[] = {2, 3, 5, 6, 7, 8, 9, 10};

static const struct row rows[] = {
    /*                                       state: 2356789A */
    {"DETACH", OUT, DETACH, 1000, 0, 0, "xxxxxsxs", 0},
    {"DNLOAD nothing", OUT, DNLOAD, 1, 0, 0, "xx6xxsxs", 0},
    {"DNLOAD 1 byte", OUT, DNLOAD, 1, 0, 1, "3x3xxsxs", 0},
    {"DNLOAD a packet", OUT, DNLOAD, 1, 0, 64, "3x3xxsxs", 0},
    {"DNLOAD a block", OUT, DNLOAD, 1, 0, FULL, "3x3xxsxs", 0},
    {"DNLOAD more than a block", OUT, DNLOAD, 1, 0, TOO_LONG, "xxxxxsxs", 0},
    {"DNLOAD block 0", OUT, DNLOAD, 0, 0, 64, "3xxxxsxs", 0},
    {"DNLOAD block 2", OUT, DNLOAD, 2, 0, 64, "3xxxxsxs", 0},
    {"DNLOAD block 65535", OUT, DNLOAD, 65535, 0, 64, "3xxxxsxs", 0},
    {"UPLOAD 1 byte", IN, UPLOAD, 1, 0, 1, "9xxxxs9s", 0},
    {"UPLOAD a packet", IN, UPLOAD, 1, 0, 64, "9xxxxs9s", 0},
    {"UPLOAD a block", IN, UPLOAD, 1, 0, FULL, "9xxxxs9s", 0},
    {"UPLOAD more than a block", IN, UPLOAD, 1, 0, TOO_LONG, "xxxxxsxs", 0},
    {"UPLOAD block 0", IN, UPLOAD, 0, 0, 64, "9xxxxsxs", 0},
    {"UPLOAD block 2", IN, UPLOAD, 2, 0, 64, "9xxxxsxs", 0},
    {"GETSTATUS", IN, GETSTATUS, 0, 0, 6, "===78===", 0},
    {"CLRSTATUS", OUT, CLRSTATUS, 0, 0, 0, "xxxxxsx2", 0},
    {"GETSTATE", IN, GETSTATE, 0, 0, 1, "========", 0},
    {"ABORT", OUT, ABORT, 0, 0, 0, "2x2xxs2s", 0},
    {"request 7", OUT, 7, 0, 0, 0, "xxxxxsxs", 0},
    {"request 7 IN", IN, 7, 0, 0, 8, "xxxxxsxs", 0},
    {"DNLOAD IN", IN, DNLOAD, 1, 0, 64, "xxxxxsxs", 0},
    {"UPLOAD OUT", OUT, UPLOAD, 1, 0, 64, "xxxxxsxs", 0},
    {"GETSTATUS OUT", OUT, GETSTATUS, 0, 0, 6, "xxxxxsxs", 0},
    {"ABORT IN", IN, ABORT, 0, 0, 1, "xxxxxsxs", 0},
    /* There is no such interface: nobody's state changes. */
    {"DNLOAD, interface 1", OUT, DNLOAD, 1, 1, 64, "ssssssss", 0},
    {"GETSTATUS, interface 1", IN, GETSTATUS, 0, 1, 6, "ssssssss", 0},
};

static void enter(struct rig *r, unsigned state)
{
    sample_plain(r, 1);
    switch (state) {
    case DFU_DNLOAD_SYNC:
        rig_dnload(r, 0, image, 64);
        break;
    case DFU_DNLOAD_IDLE:
        rig_write(r, 0, image, r->board->block);
        break;
    case DFU_MANIFEST_SYNC:
        send_blocks(r, 0, blocks(r));
        rig_dnload(r, (uint16_t)blocks(r), NULL, 0);
        break;
    case DFU_MANIFEST:
        download(r);
        break;
    case DFU_MANIFEST_WAIT_RESET:
        download(r);
        manifest(r);
        break;
    case DFU_UPLOAD_IDLE:
        rig_upload(r, 0, buffer, 64);
        break;
    case DFU_ERROR:
        rig_clrstatus(r);
        break;
    default:
        break;
    }
    host_wait(r->host, 10 * SIM_MS);
    assert_int_equal(rig_getstate(r), state);
}

static const struct state_table table = {
    states, rows, COUNT(states), COUNT(rows), enter,
};

static void test_state_table(void **state)
{
    states_assert(*state, &table);
}

/* ---- a download ---- */

/* A bus reset ends dfuMANIFEST-WAIT-RESET, and the application starts. */
static void downloaded(struct rig *r, bool with_stamp, bool over_old)
{
    if (over_old)
        sample_installed(r, !with_stamp);
    else
        bench_restart(r);
    if (with_stamp)
        sample_stamped(r, 2);
    else
        sample_plain(r, 2);
    assert_int_equal(rig_open(r), 0);
    download(r);
    manifest(r);
    assert_false(rig_app_runs(r, 500 * SIM_MS));
    host_bus_reset(r->host);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
    assert_true(rig_boots_after_reset(r));
}

/* Linux looks whether it still has the same device after its reset. */
static void test_stays_for_the_reset(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 14);
    download(r);
    manifest(r);
    assert_int_equal(host_enumerate(r->host), 0);
    host_wait(r->host, 250 * SIM_MS);
    assert_int_equal(rig_request(r, 0x80, 6, 0x0100, 0, buffer, 18), 18);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_download(void **state)
{
    for (unsigned i = 0; i < 4; i++)
        downloaded(*state, i & 1, i & 2);
}

/* The last block is not a whole one. */
static void test_short_end(void **state)
{
    struct rig *r = *state;
    uint32_t whole = blocks(r) - 1;
    struct rig_status s;

    sample_plain(r, 3);
    send_blocks(r, 0, whole);
    bench_assert_ok(
        rig_write(r, (uint16_t)whole, image + whole * r->board->block, 77));
    s = end_download(r, (uint16_t)whole);
    assert_int_equal(s.state, DFU_MANIFEST);
    manifest(r);
    host_bus_reset(r->host);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(
        rig_flash_is(r, r->board->slot, image, whole * r->board->block + 77));
}

/* Clause 6.1.1 leaves the first number to the host; it wraps. */
static void test_first_numbers(void **state)
{
    struct rig *r = *state;
    static const uint16_t firsts[] = {1, 2, 100, 65534, 65535};

    for (size_t i = 0; i < COUNT(firsts); i++) {
        bench_restart(r);
        sample_plain(r, 4);
        send_blocks(r, firsts[i], blocks(r));
        assert_int_equal(
            end_download(r, (uint16_t)(firsts[i] + blocks(r) - 1)).state,
            DFU_MANIFEST);
        manifest(r);
        host_bus_reset(r->host);
        assert_true(rig_app_runs(r, SIM_S));
        assert_true(sample_is_there(r));
    }
}

/* A host that makes no bus reset gets five seconds at least, in which it is
 * answered; then the application starts all the same. */
static void test_patience(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 5);
    download(r);
    manifest(r);
    for (unsigned i = 0; i < 2; i++) {
        bench_set_forward(r, 900);
        assert_false(rig_app_runs(r, SIM_MS));
        assert_int_equal(rig_getstatus(r).state, DFU_MANIFEST_WAIT_RESET);
    }
    bench_set_forward(r, 10000);
    assert_true(rig_app_runs(r, SIM_S));
    /* The host is killed after the zero-length DNLOAD's GETSTATUS. */
    bench_restart(r);
    sample_plain(r, 6);
    download(r);
    bench_set_forward(r, 3900);
    assert_false(rig_app_runs(r, SIM_MS));
    bench_set_forward(r, 10000);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_largest(void **state)
{
    struct rig *r = *state;
    uint32_t block = r->board->block;
    uint32_t n = r->board->slot_end - r->board->slot;
    uint8_t *large = malloc(n);
    uint16_t number = 0;

    assert_non_null(large);
    rig_image_stamped(r->board, large, n, 7);
    for (uint32_t at = 0; at < n; at += block)
        bench_assert_ok(rig_write(r, number++, large + at, block));
    /* There is no more room. */
    bench_assert_op_error(
        rig_write(r, number, large, 64),
        r->board->slot_end < r->board->flash_end ? ERR_WRITE : ERR_ADDRESS);
    assert_int_equal(rig_clrstatus(r), 0);
    assert_true(rig_flash_is(r, r->board->slot + 4, large + 4, n - 4));
    assert_int_equal(bench_check(r), 0);
    free(large);
}

/* ---- upload ---- */

/* The slot and nothing else, whatever lies behind it. */
static void test_upload(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    uint32_t n = b->slot_end - b->slot, done = 0, seed = 8;
    uint8_t *all = malloc(n + b->block);
    uint16_t number = 0;
    int got;

    assert_non_null(all);
    for (uint32_t i = 0; i < n; i++)
        *rig_flash(r, b->slot + i) = (uint8_t)rig_random(&seed);
    chip_flash_changed(r->chip);
    do {
        got = rig_upload(r, number++, all + done, b->block);
        assert_true(got >= 0);
        done += (uint32_t)got;
        assert_true(done <= n);
    } while (got == (int)b->block);
    assert_int_equal(done, n);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
    assert_true(rig_flash_is(r, b->slot, all, n));
    /* It begins anew. */
    assert_int_equal(rig_upload(r, 0, all, 64), 64);
    assert_true(rig_flash_is(r, b->slot, all, 64));
    assert_int_equal(chip_flash_ops(r->chip), 0);
    free(all);
}

/* ---- downloads that do not come to their end ---- */

static void interrupt(struct rig *r, unsigned how)
{
    switch (how) {
    case 0: /* killed */
        break;
    case 1:
        assert_int_equal(rig_abort(r), 0);
        break;
    case 2:
        assert_int_equal(rig_bus_reset(r), 0);
        break;
    case 3: /* its successor ends the download of another */
        assert_int_equal(rig_open(r), 0);
        rig_dnload(r, 0, NULL, 0);
        break;
    case 4:
        assert_int_equal(rig_open(r), 0);
        rig_write(r, 7, image + 7, 100);
        rig_abort(r);
        break;
    default:
        wire_plug(chip_wire(r->chip), false);
        host_wait(r->host, 1500 * SIM_MS);
        wire_plug(chip_wire(r->chip), true);
        assert_int_equal(rig_bus_reset(r), 0);
        break;
    }
}

static void interrupted(struct rig *r, uint32_t sent, unsigned how, bool short_)
{
    uint32_t block = r->board->block;

    sample_installed(r, how & 1);
    sample_plain(r, 9);
    assert_int_equal(rig_open(r), 0);
    send_blocks(r, 0, sent);
    if (short_)
        bench_assert_ok(
            rig_write(r, (uint16_t)sent, image + sent * block, 100));
    interrupt(r, how);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
    assert_true(rig_in_bootloader(r));
}

static void test_interrupted(void **state)
{
    struct rig *r = *state;

    for (unsigned how = 0; how < 6; how++)
        for (uint32_t sent = 1; sent < blocks(r); sent += 1 + blocks(r) / 4)
            interrupted(r, sent, how, sent % 4 != 3);
    /* All of it, but not its end. */
    for (unsigned how = 0; how < 3; how++)
        interrupted(r, blocks(r), how, false);
}

static void test_wrong_sequence(void **state)
{
    struct rig *r = *state;
    static const uint16_t wrong[] = {0, 1, 3, 4, 0x0102, 65535};

    for (size_t i = 0; i < COUNT(wrong); i++) {
        sample_installed(r, false);
        sample_plain(r, 10);
        send_blocks(r, 0, 2);
        assert_int_equal(rig_dnload(r, wrong[i], image, 64), URB_STALL);
        bench_assert_error(rig_getstatus(r), ERR_STALLEDPKT);
        assert_int_equal(rig_clrstatus(r), 0);
        rig_settle(r);
        assert_false(rig_boots_after_reset(r));
        assert_true(rig_in_bootloader(r));
        /* It takes a whole one. */
        download(r);
        manifest(r);
        host_bus_reset(r->host);
        assert_true(rig_app_runs(r, SIM_S));
    }
}

static void test_upload_sequence(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_upload(r, 0, buffer, 64), 64);
    assert_int_equal(rig_upload(r, 2, buffer, 64), URB_STALL);
    bench_assert_error(rig_getstatus(r), ERR_STALLEDPKT);
}

/* ---- images that are not right ---- */

static void test_wrong_crc(void **state)
{
    struct rig *r = *state;
    uint32_t last = blocks(r) - 1, block = r->board->block;

    sample_installed(r, true);
    sample_stamped(r, 11);
    image[3000] ^= 1;
    send_blocks(r, 0, last);
    bench_assert_op_error(
        rig_write(r, (uint16_t)last, image + last * block, block), ERR_VERIFY);
    assert_int_equal(rig_clrstatus(r), 0);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
}

/* Stamped and right: it needs no more than its last block. */
static void test_stamped_without_end(void **state)
{
    struct rig *r = *state;

    sample_stamped(r, 12);
    send_blocks(r, 0, blocks(r));
    rig_settle(r);
    assert_true(rig_boots_after_reset(r));
}

/* A block breaks off, and the host sends the next one. */
static void test_on_behind_a_broken_block(void **state)
{
    struct rig *r = *state;
    uint32_t n = r->board->block;
    uint8_t setup[8] = {OUT, DNLOAD, 2, 0, 0, 0, n & 0xff, (uint8_t)(n >> 8)};

    sample_plain(r, 14);
    send_blocks(r, 0, 2);
    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    assert_int_equal(rig_raw_out(r, 1, image + 2 * n, 64), WIRE_ACK);
    host_wait(r->host, 5 * SIM_MS);
    send_blocks(r, 3, blocks(r) - 3);
    bench_assert_error(end_download(r, (uint16_t)(blocks(r) - 1)),
                       ERR_FIRMWARE);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
}

/* ABORT, and all of it from the start, in one session of the host. */
static void test_begun_again(void **state)
{
    struct rig *r = *state;

    sample_installed(r, false);
    sample_plain(r, 15);
    send_blocks(r, 0, blocks(r) / 2);
    assert_int_equal(rig_abort(r), 0);
    sample_plain(r, 16);
    download(r);
    manifest(r);
    assert_int_equal(rig_bus_reset(r), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(sample_is_there(r));
}

static void test_bad_vectors(void **state)
{
    struct rig *r = *state;

    sample_plain(r, 13);
    rig_put32(image + 4, r->board->slot + 0x30);
    send_blocks(r, 0, blocks(r));
    bench_assert_error(end_download(r, (uint16_t)(blocks(r) - 1)),
                       ERR_FIRMWARE);
    rig_settle(r);
    assert_false(rig_boots_after_reset(r));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_functional_descriptor),
        CHIP_TEST(test_state_table),
        CHIP_TEST(test_stays_for_the_reset),
        CHIP_TEST(test_download),
        CHIP_TEST(test_short_end),
        CHIP_TEST(test_first_numbers),
        CHIP_TEST(test_patience),
        CHIP_TEST(test_largest),
        CHIP_TEST(test_upload),
        CHIP_TEST(test_interrupted),
        CHIP_TEST(test_wrong_sequence),
        CHIP_TEST(test_upload_sequence),
        CHIP_TEST(test_wrong_crc),
        CHIP_TEST(test_stamped_without_end),
        CHIP_TEST(test_on_behind_a_broken_block),
        CHIP_TEST(test_begun_again),
        CHIP_TEST(test_bad_vectors),
    };

    return BENCH_MAIN_OF("sallyport-dfu11.elf", argc, argv, tests);
}
