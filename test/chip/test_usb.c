/* SPDX-License-Identifier: MIT */
/*
 * test_usb.c - USB 2.0 chapter 9 and the control pipe (8.5.3), bootloader and
 * demo application, with a cable that damages packets.
 */
#include "bench.h"
#include "wire.h"

enum { LONGEST = 300 };

static uint8_t buffer[65536];

/* Standard requests */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    SET_ADDRESS = 5,
    GET_DESCRIPTOR = 6,
    SET_DESCRIPTOR = 7,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
    SYNCH_FRAME = 12,
};

static int get_descriptor(struct rig *r, unsigned type, unsigned index,
                          unsigned n)
{
    memset(buffer, 0xEE, LONGEST);
    return rig_request(r, 0x80, GET_DESCRIPTOR, (uint16_t)(type << 8 | index),
                       type == 3 ? 0x0409 : 0, buffer, (uint16_t)n);
}

static int set(struct rig *r, uint8_t type, uint8_t request, uint16_t value,
               uint16_t index)
{
    return rig_request(r, type, request, value, index, NULL, 0);
}

/* The demo instead of the bootloader, enumerated. */
static void start_demo(struct rig *r)
{
    size_t n = rig_read_file(rig_demo(r, "demo"), buffer, sizeof(buffer));

    assert_int_equal(rig_install(r, buffer, n), 0);
    assert_true(rig_app_runs(r, SIM_S));
    host_wait(r->host, 20 * SIM_MS);
    assert_int_equal(host_enumerate(r->host), 0);
}

/* ---- descriptors ---- */

/* Any wLength gets the start of the descriptor, and not a byte more. */
static void every_length(struct rig *r, unsigned type, unsigned index)
{
    static uint8_t whole[LONGEST];
    static const uint16_t longer[] = {256,  257,  319,  320,   511,  512,
                                      1024, 4095, 4096, 65472, 65535};
    int total = get_descriptor(r, type, index, 255);

    assert_in_range(total, 2, 255);
    memcpy(whole, buffer, (size_t)total);
    assert_int_equal(whole[1], type);
    assert_int_equal(type == 2 ? whole[2] | whole[3] << 8 : whole[0], total);
    for (int n = 0; n <= 255; n++) {
        int want = n < total ? n : total;

        assert_int_equal(get_descriptor(r, type, index, (unsigned)n), want);
        assert_memory_equal(buffer, whole, (size_t)want);
        assert_int_equal(buffer[want], 0xEE);
    }
    for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
        assert_int_equal(get_descriptor(r, type, index, longer[i]), total);
        assert_memory_equal(buffer, whole, (size_t)total);
    }
}

static void every_descriptor(struct rig *r, unsigned strings)
{
    every_length(r, 1, 0);
    every_length(r, 2, 0);
    for (unsigned i = 0; i < strings; i++)
        every_length(r, 3, i);
}

static void test_descriptors(void **state)
{
    every_descriptor(*state, 6);
}

static void test_descriptors_of_demo(void **state)
{
    start_demo(*state);
    every_descriptor(*state, 4);
}

static void test_unknown_descriptors(void **state)
{
    struct rig *r = *state;

    for (unsigned type = 0; type < 256; type++)
        for (unsigned index = 0; index < 256; index += index < 8 ? 1 : 31) {
            bool known = (type >= 1 && type <= 2 && index == 0) ||
                         (type == 3 && index <= 5);
            int n = get_descriptor(r, type, index, 64);

            if (known)
                assert_true(n > 0);
            else
                assert_int_equal(n, URB_STALL);
        }
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

static void test_device_descriptor(void **state)
{
    struct rig *r = *state;
    static const uint8_t want[] = {18, 1, 0x00, 0x02, 0, 0, 0, 64};

    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    assert_memory_equal(buffer, want, sizeof(want));
    assert_int_equal(buffer[8] | buffer[9] << 8, 0x1209);
    assert_true(buffer[16]); /* iSerialNumber: dfu-util and fwupd go by it */
    assert_int_equal(buffer[17], 1); /* one configuration */
}

/* DFU 1.1 tables 4.4 and 4.2, facts of DfuSe. */
static void test_config_descriptor(void **state)
{
    struct rig *r = *state;
    const uint8_t *interface = buffer + 9, *dfu = buffer + 18;

    assert_int_equal(get_descriptor(r, 2, 0, 255), 27);
    assert_memory_equal(buffer, "\x09\x02\x1B\x00\x01\x01", 6);
    assert_int_equal(buffer[7] & 0x9F, 0x80);
    assert_memory_equal(interface, "\x09\x04\x00\x00\x00\xFE\x01\x02", 8);
    assert_memory_equal(dfu, "\x09\x21\x0B", 3);
    assert_int_equal(dfu[5] | dfu[6] << 8, r->board->block);
    assert_int_equal(dfu[7] | dfu[8] << 8, 0x011A);
}

/* The text of string `index`, "" where there is none. */
static const char *text(struct rig *r, unsigned index)
{
    static char ascii[128];
    int n = get_descriptor(r, 3, index, 255);
    size_t length = 0;

    for (int i = 2; i + 1 < n; i += 2) {
        assert_int_equal(buffer[i + 1], 0);
        ascii[length++] = (char)buffer[i];
    }
    ascii[length] = '\0';
    return ascii;
}

/* The index of a string, from the byte at `at` of a descriptor. */
static unsigned index_in(struct rig *r, unsigned type, size_t at)
{
    assert_true(get_descriptor(r, type, 0, 255) > (int)at);
    assert_int_not_equal(buffer[at], 0);
    return buffer[at];
}

static void test_strings(void **state)
{
    struct rig *r = *state;

    assert_int_equal(get_descriptor(r, 3, 0, 255), 4);
    assert_memory_equal(buffer, "\x04\x03\x09\x04", 4);
    assert_string_equal(text(r, index_in(r, 1, 14)), "Sallyport");
    assert_non_null(strstr(text(r, index_in(r, 1, 15)), r->board->model));
    assert_string_equal(text(r, index_in(r, 2, 9 + 8)), r->board->layout);
}

static void test_serial_number(void **state)
{
    struct rig *r = *state;
    char serial[64];

    strncpy(serial, text(r, index_in(r, 1, 16)), sizeof(serial) - 1);
    serial[sizeof(serial) - 1] = '\0';
    assert_int_equal(strlen(serial), 24);
    assert_int_equal(strspn(serial, "0123456789ABCDEF"), 24);
    /* The words of the unique id, highest digit first. */
    for (uint32_t word = 0; word < 3; word++) {
        uint8_t id[4];
        char want[9];

        uint32_t at = r->board->unique_id + 4 * word;

        at += word == 2 ? r->board->unique_gap : 0;
        assert_true(chip_peek(r->chip, at, id, 4));
        snprintf(want, sizeof(want), "%08X", rig_get32(id));
        assert_memory_equal(serial + 8 * word, want, 8);
    }
    start_demo(r);
    assert_string_equal(text(r, index_in(r, 1, 16)), serial);
}

/* ---- standard requests ---- */

static void test_set_address(void **state)
{
    struct rig *r = *state;
    static const uint8_t addresses[] = {2, 55, 127, 1, 0, 9};

    for (size_t i = 0; i < sizeof(addresses); i++) {
        unsigned old = host_address(r->host);

        assert_int_equal(set(r, 0, SET_ADDRESS, addresses[i], 0), 0);
        host_wait(r->host, 2 * SIM_MS); /* 9.2.6.3 */
        assert_int_equal(get_descriptor(r, 1, 0, 18), URB_GONE);
        host_set_address(r->host, addresses[i]);
        assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
        assert_int_not_equal(old, addresses[i]);
    }
    /* 9.4.6 leaves addresses above 127 undefined. */
}

/* 9.4.6: the status stage itself is still at the old address. */
static void test_address_after_status(void **state)
{
    struct rig *r = *state;
    static const uint8_t setup[8] = {0, SET_ADDRESS, 77};
    unsigned toggle;

    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    host_wait(r->host, 10 * SIM_MS);
    /* The host has not asked for the status: nothing has changed. */
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    host_wait(r->host, 10 * SIM_MS);
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    assert_int_equal(rig_raw_in(r, buffer, &toggle), 0);
    assert_int_equal(toggle, 1);
    host_wait(r->host, 2 * SIM_MS);
    assert_int_equal(get_descriptor(r, 1, 0, 18), URB_GONE);
    host_set_address(r->host, 77);
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
}

static int configuration(struct rig *r)
{
    uint8_t value = 0xEE;
    int n = rig_request(r, 0x80, GET_CONFIGURATION, 0, 0, &value, 1);

    return n == 1 ? value : -1;
}

static void test_configuration(void **state)
{
    struct rig *r = *state;

    assert_int_equal(configuration(r), 1);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 2, 0), URB_STALL);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 255, 0), URB_STALL);
    assert_int_equal(configuration(r), 1);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 0, 0), 0);
    assert_int_equal(configuration(r), 0);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 1, 0), 0);
    assert_int_equal(configuration(r), 1);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 1, 0), 0);
    host_bus_reset(r->host);
    host_wait(r->host, 30 * SIM_MS);
    assert_int_equal(host_address(r->host), 0);
    assert_int_equal(configuration(r), 0);
}

static void get_status_is(struct rig *r, uint8_t type, uint16_t index,
                          bool exists)
{
    uint8_t s[2] = {0xEE, 0xEE};
    int n = rig_request(r, type, GET_STATUS, 0, index, s, 2);

    assert_int_equal(n, exists ? 2 : URB_STALL);
    if (exists)
        assert_memory_equal(s, "\0\0", 2);
}

static void test_get_status(void **state)
{
    struct rig *r = *state;

    get_status_is(r, 0x80, 0, true);
    get_status_is(r, 0x81, 0, true);
    get_status_is(r, 0x81, 1, false);
    get_status_is(r, 0x82, 0, true);
    get_status_is(r, 0x82, 0x80, true);
    get_status_is(r, 0x82, 1, false);
    get_status_is(r, 0x82, 0x81, false);
    get_status_is(r, 0x83, 0, false);
    /* 9.4.5: without a configuration there is no interface. */
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 0, 0), 0);
    get_status_is(r, 0x80, 0, true);
    get_status_is(r, 0x81, 0, false);
    get_status_is(r, 0x82, 0, true);
    get_status_is(r, 0x82, 0x81, false);
}

static void test_interface(void **state)
{
    struct rig *r = *state;
    uint8_t alternate = 0xEE;

    assert_int_equal(rig_request(r, 0x81, GET_INTERFACE, 0, 0, &alternate, 1),
                     1);
    assert_int_equal(alternate, 0);
    assert_int_equal(set(r, 0x01, SET_INTERFACE, 0, 0), 0);
    assert_int_equal(set(r, 0x01, SET_INTERFACE, 1, 0), URB_STALL);
    assert_int_equal(set(r, 0x01, SET_INTERFACE, 0, 1), URB_STALL);
    assert_int_equal(rig_request(r, 0x81, GET_INTERFACE, 0, 1, &alternate, 1),
                     URB_STALL);
    assert_int_equal(set(r, 0, SET_CONFIGURATION, 0, 0), 0);
    assert_int_equal(set(r, 0x01, SET_INTERFACE, 0, 0), URB_STALL);
    assert_int_equal(rig_request(r, 0x81, GET_INTERFACE, 0, 0, &alternate, 1),
                     URB_STALL);
}

static void test_features(void **state)
{
    struct rig *r = *state;

    assert_int_equal(set(r, 0x02, CLEAR_FEATURE, 0, 0), 0);
    assert_int_equal(set(r, 0x02, CLEAR_FEATURE, 0, 0x80), 0);
    assert_int_equal(set(r, 0x02, CLEAR_FEATURE, 0, 0x81), URB_STALL);
    assert_int_equal(set(r, 0x02, CLEAR_FEATURE, 1, 0), URB_STALL);
    assert_int_equal(set(r, 0x00, CLEAR_FEATURE, 1, 0), URB_STALL);
    assert_int_equal(set(r, 0x00, SET_FEATURE, 1, 0), URB_STALL);
    assert_int_equal(set(r, 0x02, SET_FEATURE, 0, 0x81), URB_STALL);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

static void test_unsupported(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_request(r, 0x00, SET_DESCRIPTOR, 0x100, 0, buffer, 18),
                     URB_STALL);
    assert_int_equal(rig_request(r, 0x82, SYNCH_FRAME, 0, 0, buffer, 2),
                     URB_STALL);
    for (unsigned request = 2; request < 256; request += request == 4 ? 9 : 1) {
        if (request == 3 || (request >= 5 && request <= 12))
            continue;
        assert_int_equal(
            rig_request(r, 0x80, (uint8_t)request, 0, 0, buffer, 8), URB_STALL);
        assert_int_equal(set(r, 0x00, (uint8_t)request, 0, 0), URB_STALL);
    }
    /* Right request, wrong direction */
    assert_int_equal(rig_request(r, 0x00, GET_DESCRIPTOR, 0x100, 0, buffer, 18),
                     URB_STALL);
    assert_int_equal(rig_request(r, 0x80, SET_CONFIGURATION, 1, 0, buffer, 1),
                     URB_STALL);
    assert_int_equal(configuration(r), 1);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

/* ---- the control pipe ---- */

/* The host stops after any number of packets and goes to the status stage
 * (8.5.3.1), or starts something else. */
static void stop_after(struct rig *r, unsigned packets, bool status)
{
    const uint8_t setup[8] = {0xA1, 2, 2, 0,
                              0,    0, 0, (uint8_t)(r->board->block >> 8)};
    unsigned toggle = 0;

    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    for (unsigned i = 0; i < packets; i++) {
        assert_int_equal(rig_raw_in(r, buffer, &toggle), 64);
        assert_int_equal(toggle, !(i & 1));
    }
    if (status)
        assert_int_equal(rig_raw_out(r, 1, NULL, 0), WIRE_ACK);
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    /* A SETUP with another one right behind it: some blocks tell the firmware
     * of both, some of the last one only (OTG_FS: RM0090 34.17.6). */
    if (packets || status || rig_getstate(r) != DFU_IDLE)
        assert_int_equal(rig_getstate(r), DFU_UPLOAD_IDLE);
}

static void test_early_end_of_read(void **state)
{
    struct rig *r = *state;

    for (unsigned packets = 0; packets < r->board->block / 64; packets++) {
        bench_restart(r);
        stop_after(r, packets, true);
        bench_restart(r);
        stop_after(r, packets, false);
    }
}

/* Where the length is a multiple of 64: an empty packet exactly where fewer
 * bytes come than asked for. */
static unsigned packets_of(struct rig *r, uint16_t left, uint16_t asked)
{
    const uint8_t setup[8] = {
        0xA1, 2, 2, 0, 0, 0, asked & 0xff, (uint8_t)(asked >> 8)};
    unsigned toggle, packets = 0, bytes = 0;
    int n = 64;

    bench_restart(r);
    bench_assert_ok(rig_set_address(r, r->board->flash_end - left));
    assert_int_equal(rig_abort(r), 0);
    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    while (n == 64 && bytes < asked) {
        n = rig_raw_in(r, buffer, &toggle);
        assert_true(n >= 0);
        packets++;
        bytes += (unsigned)n;
    }
    assert_int_equal(rig_raw_out(r, 1, NULL, 0), WIRE_ACK);
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    return packets;
}

static void test_empty_packets(void **state)
{
    struct rig *r = *state;
    uint16_t block = (uint16_t)r->board->block;

    assert_int_equal(packets_of(r, 64, 64), 1);
    assert_int_equal(packets_of(r, 64, 65), 2);
    assert_int_equal(packets_of(r, 64, block), 2);
    assert_int_equal(packets_of(r, 128, 128), 2);
    assert_int_equal(packets_of(r, 128, 129), 3);
    assert_int_equal(packets_of(r, 128, 192), 3);
    assert_int_equal(packets_of(r, 63, block), 1);
    assert_int_equal(packets_of(r, 65, block), 2);
    assert_int_equal(packets_of(r, block - 64, block), block / 64);
}

/* An OUT data stage that is broken off by another SETUP. */
static void test_broken_off_write(void **state)
{
    struct rig *r = *state;
    const uint8_t setup[8] = {0x21, 1, 2, 0,
                              0,    0, 0, (uint8_t)(r->board->block >> 8)};

    for (unsigned packets = 0; packets < r->board->block / 64; packets++) {
        bench_restart(r);
        memset(buffer, 0x11, 64);
        assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
        for (unsigned i = 0; i < packets; i++)
            assert_int_equal(rig_raw_out(r, !(i & 1), buffer, 64), WIRE_ACK);
        host_wait(r->host, 5 * SIM_MS); /* a host waits longer yet */
        assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
        assert_int_equal(chip_flash_ops(r->chip), 0);
    }
}

/* The packet is not what wLength said. */
static void test_wrong_packet_size(void **state)
{
    struct rig *r = *state;
    static const uint8_t setup[8] = {0x21, 1, 2, 0, 0, 0, 100, 0};
    static const uint8_t first[] = {0, 1, 63}, second[] = {0, 35, 37, 64};
    unsigned toggle;

    for (size_t i = 0; i < 3; i++) {
        bench_restart(r);
        rig_raw_setup(r, setup);
        rig_raw_out(r, 1, buffer, first[i]);
        assert_int_equal(rig_raw_in(r, buffer, &toggle), -WIRE_STALL);
        assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    }
    for (size_t i = 0; i < 4; i++) {
        bench_restart(r);
        rig_raw_setup(r, setup);
        assert_int_equal(rig_raw_out(r, 1, buffer, 64), WIRE_ACK);
        rig_raw_out(r, 0, buffer, second[i]);
        assert_int_equal(rig_raw_in(r, buffer, &toggle), -WIRE_STALL);
        assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
    }
}

/* 8.5.3.4: SETUP ends a stall, and nothing else does. */
static void test_stall_lasts_until_setup(void **state)
{
    struct rig *r = *state;
    static const uint8_t setup[8] = {0x80, 255, 0, 0, 0, 0, 64, 0};
    unsigned toggle;

    assert_int_equal(rig_raw_setup(r, setup), WIRE_ACK);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(rig_raw_in(r, buffer, &toggle), -WIRE_STALL);
        assert_int_equal(rig_raw_out(r, 1, buffer, 0), WIRE_STALL);
    }
    assert_int_equal(get_descriptor(r, 1, 0, 18), 18);
}

/* ---- a bad cable ---- */

struct cable {
    unsigned seen, hit; /* transactions; the one that is damaged */
    enum host_fault fault;
    char what[40]; /* the damaged one, for a failure's message */
};

static enum host_fault damage(void *ctx, const struct urb *urb,
                              enum host_token token)
{
    static const char *const names[] = {"SETUP", "OUT", "IN"};
    struct cable *cable = ctx;

    if (cable->seen++ != cable->hit)
        return HOST_FAULT_NONE;
    snprintf(cable->what, sizeof(cable->what), "%s of request %u, stage %u",
             names[token], urb->setup[1], urb->stage);
    return cable->fault;
}

/* A download, its read-back and what stands around them: whether all went
 * well. */
static bool there_and_back(struct rig *r)
{
    uint32_t at = rig_nth_sector(r->board, 1).start;
    static uint8_t data[256], back[256];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + 1);
    memset(back, 0, sizeof(back));
    if (!rig_ok(rig_set_address(r, at)) ||
        rig_dnload(r, 2, data, sizeof(data)) != sizeof(data) ||
        rig_getstatus(r).state != DFU_DNBUSY)
        return false;
    /* Longer than the chip is deaf: it would drop a SETUP that is repeated. */
    host_wait(r->host, 20 * SIM_MS);
    return rig_getstatus(r).state == DFU_DNLOAD_IDLE && rig_abort(r) == 0 &&
           rig_upload(r, 2, back, sizeof(back)) == sizeof(back) &&
           !memcmp(back, data, sizeof(back)) &&
           rig_flash_is(r, at, data, sizeof(data));
}

/* Each transaction of it is damaged once.  Data that was lost comes again,
 * data that came twice counts once. */
static void damaged_transfers(struct rig *r, enum host_fault fault)
{
    struct cable cable = {.fault = fault};
    unsigned bad = 0;

    do {
        bench_restart(r);
        cable.seen = 0;
        host_on_fault(r->host, damage, &cable);
        if (!there_and_back(r)) {
            print_error("transaction %u, %s\n", cable.hit, cable.what);
            bad++;
        }
        cable.hit++;
        assert_int_equal(bench_check(r), 0);
    } while (cable.hit < cable.seen && cable.hit < 200);
    host_on_fault(r->host, NULL, NULL);
    assert_int_equal(bad, 0);
}

static void test_corrupt_packets(void **state)
{
    damaged_transfers(*state, HOST_FAULT_CORRUPT);
}

static void test_lost_acks(void **state)
{
    damaged_transfers(*state, HOST_FAULT_LOSE_ACK);
}

/* The ACK of the status stage of SET_ADDRESS is lost: the host goes to the
 * new address, and the device may be at either; a bus reset helps always. */
static void test_lost_ack_of_set_address(void **state)
{
    struct rig *r = *state;
    struct cable cable = {.hit = 1, .fault = HOST_FAULT_LOSE_ACK};

    host_on_fault(r->host, damage, &cable);
    set(r, 0, SET_ADDRESS, 66, 0);
    host_on_fault(r->host, NULL, NULL);
    assert_int_equal(rig_bus_reset(r), 0);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

/* ---- bus reset and suspend ---- */

/* While a page is erased and programmed: as soon as the firmware has seen the
 * end of the request that lets it begin.  A reset before that ends the
 * download instead. */
static void test_bus_reset_at_any_time(void **state)
{
    struct rig *r = *state;
    const struct rig_board *b = r->board;
    uint32_t at = rig_nth_sector(b, 1).start, n = b->block;
    sim_time step = (rig_erase_ms(b, at, 1) * SIM_MS +
                     n / b->unit * b->program_us * SIM_US) /
                    49;

    memset(buffer, 0x5A, n);
    for (unsigned i = 0; i < 60; i++) {
        struct urb urb = {.type = URB_CONTROL,
                          .address = 0xff,
                          .setup = {0xA1, 3, 0, 0, 0, 0, 6, 0},
                          .data = buffer + n,
                          .length = 6};

        bench_restart(r);
        rig_flash_put(r, at, "not erased", 10);
        if (!b->whole_pages)
            bench_assert_ok(rig_erase(r, at));
        bench_assert_ok(rig_set_address(r, at));
        assert_int_equal(rig_dnload(r, 2, buffer, n), n);
        rig_getstatus(r); /* from here on the page is written */
        host_submit(r->host, &urb);
        host_wait(r->host, 100 * SIM_US + i * step);
        if (urb.status == URB_PENDING)
            host_cancel(r->host, &urb);
        assert_int_equal(rig_bus_reset(r), 0);
        assert_int_equal(rig_getstate(r), DFU_IDLE);
        assert_int_equal(rig_getstatus(r).status, 0);
        assert_int_equal(bench_check(r), 0);
        assert_true(rig_flash_is(r, at, buffer, n));
    }
}

static void test_bus_reset_in_a_stage(void **state)
{
    struct rig *r = *state;
    const uint8_t high = (uint8_t)(r->board->block >> 8);
    const uint8_t setups[][8] = {
        {0xA1, 2, 2, 0, 0, 0, 0x00, high}, {0x21, 1, 2, 0, 0, 0, 0x00, high},
        {0x80, 6, 0, 1, 0, 0, 18, 0},      {0x00, 5, 9, 0, 0, 0, 0, 0},
        {0x21, 6, 0, 0, 0, 0, 0, 0},
    };

    for (size_t i = 0; i < 5; i++)
        for (unsigned packets = 0; packets < 3; packets++) {
            unsigned toggle;

            bench_restart(r);
            assert_int_equal(rig_raw_setup(r, setups[i]), WIRE_ACK);
            for (unsigned j = 0; j < packets; j++)
                if (setups[i][0] & 0x80)
                    rig_raw_in(r, buffer, &toggle);
                else
                    rig_raw_out(r, !(j & 1), buffer, 64);
            assert_int_equal(rig_bus_reset(r), 0);
            assert_int_equal(rig_getstate(r), DFU_IDLE);
        }
}

static void test_suspend(void **state)
{
    struct rig *r = *state;

    bench_assert_ok(rig_set_address(r, r->board->slot));
    host_suspend(r->host, true);
    host_wait(r->host, 100 * SIM_MS);
    host_suspend(r->host, false);
    host_wait(r->host, 100 * SIM_MS);
    assert_int_equal(rig_getstate(r), DFU_DNLOAD_IDLE);
    host_suspend(r->host, true);
    host_wait(r->host, 100 * SIM_MS);
    assert_int_equal(rig_bus_reset(r), 0);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

static void test_unplugged(void **state)
{
    struct rig *r = *state;

    bench_assert_ok(rig_set_address(r, r->board->slot));
    wire_plug(chip_wire(r->chip), false);
    host_wait(r->host, 300 * SIM_MS);
    wire_plug(chip_wire(r->chip), true);
    assert_int_equal(host_enumerate(r->host), 0);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        CHIP_TEST(test_descriptors),
        CHIP_TEST(test_descriptors_of_demo),
        CHIP_TEST(test_unknown_descriptors),
        CHIP_TEST(test_device_descriptor),
        CHIP_TEST(test_config_descriptor),
        CHIP_TEST(test_strings),
        CHIP_TEST(test_serial_number),
        CHIP_TEST(test_set_address),
        CHIP_TEST(test_address_after_status),
        CHIP_TEST(test_configuration),
        CHIP_TEST(test_get_status),
        CHIP_TEST(test_interface),
        CHIP_TEST(test_features),
        CHIP_TEST(test_unsupported),
        CHIP_TEST(test_early_end_of_read),
        CHIP_TEST(test_empty_packets),
        CHIP_TEST(test_broken_off_write),
        CHIP_TEST(test_wrong_packet_size),
        CHIP_TEST(test_stall_lasts_until_setup),
        CHIP_TEST(test_corrupt_packets),
        CHIP_TEST(test_lost_acks),
        CHIP_TEST(test_lost_ack_of_set_address),
        CHIP_TEST(test_bus_reset_at_any_time),
        CHIP_TEST(test_bus_reset_in_a_stage),
        CHIP_TEST(test_suspend),
        CHIP_TEST(test_unplugged),
    };

    return BENCH_MAIN(argc, argv, tests);
}
