/* SPDX-License-Identifier: MIT */
/*
 * test_composite.c - DFU and the drive in one device, and the drive alone:
 * descriptors field by field, the Microsoft OS 2.0 descriptors by a parser of
 * their own, and that the two doors leave each other alone.
 *
 * Sources: USB 2.0 clause 9.6, Bulk-Only Transport 1.0 clause 4, Microsoft OS
 * 2.0 Descriptors Specification (July 2018), FAT specification 1.03.
 */
#include "bench.h"
#include "msc.h"

enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    GET_DESCRIPTOR = 6,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
};
enum { DFU_CLASS_REQUESTS = 7 };
enum { GET_MAX_LUN = 0xFE, BOT_RESET = 0xFF };
/* More than the drive keeps in RAM. */
enum { IMAGE = 128 * 1024, SMALL = 12 * 1024 };

static struct msc disk;
static uint8_t buffer[65536], image[IMAGE];

static int set_up(void **state)
{
    bench_set_up(state);
    memset(&disk, 0, sizeof(disk));
    return msc_open(&disk, *state) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct rig *r = *state;

    r->gate = NULL;
    if (disk.broken[0])
        print_error("against the transport: %s\n", disk.broken);
    return bench_tear_down(state) || disk.broken[0] ? -1 : 0;
}

#define DOOR_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* DFU is interface 0 and the drive the last one. */
static bool has_dfu(const struct rig *r)
{
    return !strcmp(r->board->profile, "both");
}

static uint16_t drive_interface(const struct rig *r)
{
    return has_dfu(r) ? 1 : 0;
}

static int get_descriptor(struct rig *r, unsigned type, unsigned index,
                          unsigned n)
{
    memset(buffer, 0xEE, 512);
    return rig_request(r, 0x80, GET_DESCRIPTOR, (uint16_t)(type << 8 | index),
                       type == 3 ? 0x0409 : 0, buffer, (uint16_t)n);
}

static unsigned le16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

/* ---- descriptors ---- */

static void test_device(void **state)
{
    struct rig *r = *state;

    assert_int_equal(get_descriptor(r, 1, 0, 64), 18);
    assert_int_equal(buffer[0], 18);
    assert_int_equal(buffer[1], 1);
    /* Hosts ask for a BOS from 2.01 on. */
    assert_int_equal(le16(buffer + 2), has_dfu(r) ? 0x0201 : 0x0200);
    /* usbccgp takes a device of class 0 whose one configuration has several
     * interfaces; 0xEF would promise association descriptors. */
    assert_memory_equal(buffer + 4, "\0\0\0", 3);
    assert_int_equal(buffer[7], 64);
    assert_int_equal(buffer[17], 1);
}

static void test_configuration(void **state)
{
    static const uint8_t dfu[] = {9, 4,    0,    0,   0, 0xFE, 1, 2,    3,
                                  9, 0x21, 0x0B, 255, 0, 0,    0, 0x1A, 0x01};
    static const uint8_t drive[] = {
        9, 4, 0xEE, 0, 2,  8, 6, 0x50, 0, /* no name */
        7, 5, 0x01, 2, 64, 0, 0,          /* bulk OUT */
        7, 5, 0x81, 2, 64, 0, 0,          /* bulk IN */
    };
    struct rig *r = *state;
    unsigned at = 9, total = has_dfu(r) ? 50 : 32;

    assert_int_equal(get_descriptor(r, 2, 0, 255), total);
    assert_int_equal(buffer[0], 9);
    assert_int_equal(buffer[1], 2);
    assert_int_equal(le16(buffer + 2), total);
    assert_int_equal(buffer[4], drive_interface(r) + 1);
    assert_int_equal(buffer[5], 1);
    assert_int_equal(buffer[7] & 0x9F, 0x80);
    if (has_dfu(r)) {
        uint8_t want[sizeof(dfu)];

        memcpy(want, dfu, sizeof(dfu));
        want[14] = (uint8_t)r->board->block;
        want[15] = (uint8_t)(r->board->block >> 8);
        assert_memory_equal(buffer + at, want, sizeof(dfu));
        at += sizeof(dfu);
    }
    assert_int_equal(buffer[at + 2], drive_interface(r));
    buffer[at + 2] = 0xEE;
    assert_memory_equal(buffer + at, drive, sizeof(drive));
    assert_int_equal(at + sizeof(drive), total);
    for (unsigned n = 0; n <= 255; n++)
        assert_int_equal(get_descriptor(r, 2, 0, n), n < total ? n : total);
}

static int read_serial(struct rig *r)
{
    get_descriptor(r, 1, 0, 18);
    return get_descriptor(r, 3, buffer[16], 255);
}

/* Bulk-Only Transport 1.0 clause 4.1.1: 12 digits or more, and the same ones
 * after each connection. */
static void test_serial_number(void **state)
{
    struct rig *r = *state;
    uint8_t before[64];
    int n = read_serial(r);

    assert_true(n >= 2 + 2 * 12 && n <= (int)sizeof(before));
    for (int i = 2; i < n; i += 2) {
        assert_non_null(strchr("0123456789ABCDEF", buffer[i]));
        assert_int_equal(buffer[i + 1], 0);
    }
    memcpy(before, buffer, (size_t)n);
    assert_int_equal(rig_reset(r, RESET_PIN), 0);
    assert_int_equal(read_serial(r), n);
    assert_memory_equal(buffer, before, (size_t)n);
}

/* ---- Microsoft OS 2.0 descriptors ---- */

/* What a host finds in the BOS. */
struct platform {
    unsigned set_length, vendor_code;
};

static const uint8_t ms_os_uuid[16] = {0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45,
                                       0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D,
                                       0x9E, 0x64, 0x8A, 0x9F};

static struct platform read_bos(struct rig *r)
{
    struct platform p = {0};
    int n = get_descriptor(r, 15, 0, 5);
    unsigned total = le16(buffer + 2), capabilities = buffer[4], at = 5;

    assert_int_equal(n, 5);
    assert_int_equal(buffer[0], 5);
    assert_int_equal(buffer[1], 15);
    assert_int_equal(get_descriptor(r, 15, 0, 255), total);
    while (at < total) {
        const uint8_t *c = buffer + at;

        assert_true(c[0] >= 3 && at + c[0] <= total);
        assert_int_equal(c[1], 16);
        capabilities--;
        at += c[0];
        if (c[2] != 5 || memcmp(c + 4, ms_os_uuid, 16) != 0)
            continue;
        assert_int_equal(c[0], 28);
        assert_int_equal(c[3], 0);
        assert_int_equal(rig_get32(c + 20), 0x06030000);
        p.set_length = le16(c + 24);
        p.vendor_code = c[26];
        assert_int_equal(c[27], 0); /* bAltEnumCode */
    }
    assert_int_equal(at, total);
    assert_int_equal(capabilities, 0);
    return p;
}

/* The functions of the set, by interface: which driver, which interface class
 * an application finds it by. */
struct found {
    unsigned functions, interface, others;
    char compatible[17], guid[41];
};

static void property(const uint8_t *d, unsigned length, struct found *f)
{
    static const char name[] = "DeviceInterfaceGUIDs";
    unsigned name_length = le16(d + 6), n = le16(d + 8 + name_length);
    const uint8_t *value = d + 10 + name_length;

    assert_int_equal(10 + name_length + n, length);
    assert_int_equal(le16(d + 4), 7); /* REG_MULTI_SZ */
    assert_int_equal(name_length, 2 * sizeof(name));
    for (unsigned i = 0; i < sizeof(name); i++)
        assert_int_equal(le16(d + 8 + 2 * i), name[i]);
    /* One string, and the empty one that ends the list. */
    assert_int_equal(n, 2 * (38 + 2));
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(value[2 * i + 1], 0);
        f->guid[i] = (char)value[2 * i];
    }
    assert_int_equal(strlen(f->guid), 38);
}

/* The descriptors of a set or subset, table by table. */
static void parse(const uint8_t *d, unsigned size, unsigned level,
                  struct found *f)
{
    unsigned at = 0;

    while (at < size) {
        unsigned length, type, inner = 0;

        assert_true(size - at >= 4);
        length = le16(d + at);
        type = le16(d + at + 2);
        assert_true(length >= 4 && at + length <= size);
        switch (type) {
        case 0: /* set header */
            assert_int_equal(level, 0);
            assert_int_equal(length, 10);
            assert_int_equal(rig_get32(d + at + 4), 0x06030000);
            inner = le16(d + at + 8);
            break;
        case 1: /* configuration subset: an index, not a value */
            assert_int_equal(level, 1);
            assert_int_equal(length, 8);
            assert_int_equal(d[at + 4], 0);
            assert_int_equal(d[at + 5], 0);
            inner = le16(d + at + 6);
            break;
        case 2: /* function subset */
            assert_int_equal(level, 2);
            assert_int_equal(length, 8);
            assert_int_equal(d[at + 5], 0);
            f->functions++;
            f->interface = d[at + 4];
            inner = le16(d + at + 6);
            break;
        case 3: /* compatible id, sub-compatible id */
            assert_int_equal(level, 3);
            assert_int_equal(length, 20);
            memcpy(f->compatible, d + at + 4, 16);
            break;
        case 4:
            assert_int_equal(level, 3);
            property(d + at, length, f);
            break;
        default:
            f->others++;
        }
        if (inner) {
            assert_true(inner > length && at + inner <= size);
            parse(d + at + length, inner - length, level + 1, f);
            length = inner;
        }
        at += length;
    }
    assert_int_equal(at, size);
}

static int ask_set(struct rig *r, const struct platform *p, uint16_t n)
{
    memset(buffer, 0xEE, 512);
    return rig_request(r, 0xC0, (uint8_t)p->vendor_code, 0, 7, buffer, n);
}

/* At device level, or for the other interface, WINUSB would take the drive
 * away from the system. */
static void test_windows_finds_its_driver(void **state)
{
    struct rig *r = *state;
    struct platform p;
    struct found f = {0};

    if (!has_dfu(r)) {
        assert_int_equal(get_descriptor(r, 15, 0, 5), URB_STALL);
        return;
    }
    p = read_bos(r);
    assert_true(p.vendor_code != 0);
    assert_int_equal(ask_set(r, &p, (uint16_t)p.set_length), p.set_length);
    parse(buffer, p.set_length, 0, &f);
    assert_int_equal(f.functions, 1);
    assert_int_equal(f.interface, 0);
    assert_int_equal(f.others, 0);
    assert_memory_equal(f.compatible, "WINUSB\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(f.guid[0], '{');
    for (unsigned i = 1; i < 37; i++)
        if (i == 9 || i == 14 || i == 19 || i == 24)
            assert_int_equal(f.guid[i], '-');
        else
            assert_non_null(strchr("0123456789ABCDEF", f.guid[i]));
    assert_int_equal(f.guid[15], '4'); /* random, RFC 4122 */
    assert_int_equal(f.guid[37], '}');
}

static void test_part_of_the_set(void **state)
{
    struct rig *r = *state;
    struct platform p;
    static uint8_t whole[512], name[256];
    int n;

    if (!has_dfu(r))
        return;
    n = get_descriptor(r, 3, 3, 255); /* the longest of the strings */
    memcpy(name, buffer, sizeof(name));
    p = read_bos(r);
    ask_set(r, &p, (uint16_t)p.set_length);
    memcpy(whole, buffer, p.set_length);
    for (unsigned i = 0; i <= p.set_length + 70; i++) {
        unsigned want = i < p.set_length ? i : p.set_length;

        assert_int_equal(ask_set(r, &p, (uint16_t)i), want);
        assert_memory_equal(buffer, whole, want);
        assert_int_equal(buffer[want], 0xEE);
    }
    assert_int_equal(get_descriptor(r, 3, 3, 255), n);
    assert_memory_equal(buffer, name, (size_t)n);
}

static void test_other_vendor_requests(void **state)
{
    struct rig *r = *state;
    unsigned code = has_dfu(r) ? read_bos(r).vendor_code : 1;

    for (unsigned request = 0; request < 256; request++)
        for (unsigned index = 0; index < 12; index++) {
            int n = rig_request(r, 0xC0, (uint8_t)request, 0, (uint16_t)index,
                                buffer, 64);

            if (has_dfu(r) && request == code && index == 7)
                assert_int_equal(n, 64);
            else
                assert_int_equal(n, URB_STALL);
        }
    for (unsigned type = 0; type < 256; type++) {
        /* Vendor requests of another direction or recipient. */
        if ((type & 0x60) != 0x40 || type == 0xC0)
            continue;
        assert_int_equal(
            rig_request(r, (uint8_t)type, (uint8_t)code, 0, 7, buffer, 8),
            URB_STALL);
    }
    assert_int_equal(rig_request(r, 0xC0, (uint8_t)code, 1, 7, buffer, 64),
                     URB_STALL);
    if (has_dfu(r))
        assert_int_equal(rig_getstate(r), DFU_IDLE);
}

/* ---- who takes which request ---- */

/* Reads the boot sector, by the drive's door. */
static bool drive_works(void)
{
    uint8_t sector[MSC_SECTOR] = {0};

    return msc_ok(msc_read(&disk, 0, 1, sector), MSC_SECTOR) &&
           sector[510] == 0x55 && sector[511] == 0xAA;
}

static bool dfu_works(struct rig *r)
{
    struct rig_status s = rig_getstatus(r);

    return !has_dfu(r) ||
           (s.result == 6 && s.state == DFU_IDLE && s.status == 0);
}

static void test_requests_to_the_wrong_interface(void **state)
{
    struct rig *r = *state;
    static const uint16_t others[] = {1, 2, 3, 0x80, 0x81, 255, 256, 0xFFFF};
    uint8_t n;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (unsigned request = 0; request < 256; request++) {
            bool in = request == 2 || request == 3 || request == 5 ||
                      request == GET_MAX_LUN;
            bool right = others[i] == drive_interface(r) &&
                         (request == GET_MAX_LUN || request == BOT_RESET);
            uint16_t length = request == GET_MAX_LUN ? 1
                              : request == BOT_RESET ? 0
                                                     : 6;

            n = 0xEE;
            memset(buffer, 0, 8);
            if (right)
                continue;
            assert_int_equal(rig_request(r, in ? 0xA1 : 0x21, (uint8_t)request,
                                         0, others[i], buffer, length),
                             URB_STALL);
        }
    /* Those of the other class at each of the interfaces. */
    if (has_dfu(r)) {
        assert_int_equal(rig_request(r, 0xA1, GET_MAX_LUN, 0, 0, &n, 1),
                         URB_STALL);
        /* DFU 1.1 A.2: unknown there, so it is an error of that interface. */
        assert_int_equal(rig_getstate(r), DFU_ERROR);
        assert_int_equal(rig_clrstatus(r), 0);
        assert_int_equal(rig_request(r, 0x21, BOT_RESET, 0, 0, NULL, 0),
                         URB_STALL);
        assert_int_equal(rig_clrstatus(r), 0);
    } else {
        for (uint8_t q = 0; q < DFU_CLASS_REQUESTS; q++)
            for (unsigned in = 0; in < 2; in++)
                assert_int_equal(
                    rig_request(r, in ? 0xA1 : 0x21, q, 0, 0, buffer, 6),
                    URB_STALL);
    }
    assert_int_equal(msc_max_lun(&disk), 0);
    assert_true(dfu_works(r));
    assert_true(drive_works());
}

/* Class requests go to an interface, never to device or endpoint. */
static void test_requests_to_the_wrong_recipient(void **state)
{
    struct rig *r = *state;

    for (uint8_t recipient = 0; recipient < 8; recipient++) {
        if (recipient == 1)
            continue;
        for (uint16_t i = 0; i < 2; i++) {
            assert_int_equal(rig_request(r, (uint8_t)(0xA0 | recipient),
                                         GET_MAX_LUN, 0, i, buffer, 1),
                             URB_STALL);
            assert_int_equal(
                rig_request(r, (uint8_t)(0xA0 | recipient), 3, 0, i, buffer, 6),
                URB_STALL);
        }
    }
    assert_true(dfu_works(r));
    assert_true(drive_works());
}

/* ---- both doors ---- */

static void test_one_after_the_other(void **state)
{
    struct rig *r = *state;
    uint32_t capacity;

    for (unsigned i = 0; i < 50; i++) {
        assert_true(drive_works());
        assert_true(dfu_works(r));
        assert_true(msc_ok(msc_test_unit_ready(&disk), 0));
        assert_int_equal(get_descriptor(r, 3, 2, 255) > 2, true);
        assert_true(
            msc_ok(msc_command(&disk, MSC_CDB(0x25), MSC_IN, 8, buffer), 8));
        capacity = rig_get32(buffer);
        assert_true(capacity != 0);
    }
}

/* Between any two packets of a READ(10), in each of its stages. */
static void test_between_the_packets(void **state)
{
    struct rig *r = *state;
    uint8_t cbw[MSC_CBW], sector[MSC_SECTOR];
    struct msc_result result = {0};

    if (!has_dfu(r))
        return;
    assert_true(msc_ok(msc_read(&disk, 0, 1, sector), MSC_SECTOR));
    for (unsigned stage = 0; stage < 12; stage++) {
        msc_make_cbw(&disk, cbw, MSC_IN, MSC_SECTOR, MSC_RW(0x28, 0, 1));
        assert_true(dfu_works(r));
        assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), MSC_CBW);
        for (unsigned packet = 0; packet < MSC_SECTOR / 64; packet++) {
            if (packet == stage || stage == 9)
                assert_true(dfu_works(r));
            assert_int_equal(msc_receive(&disk, buffer, 64), 64);
            assert_memory_equal(buffer, sector + packet * 64, 64);
        }
        if (stage >= 8)
            assert_int_equal(rig_abort(r), 0);
        msc_status(&disk, MSC_SECTOR, &result);
        assert_int_equal(result.status, MSC_PASSED);
        assert_int_equal(result.residue, 0);
    }
}

/* Before each request of a DFU host, somebody reads from the drive. */
static bool reads_too(void *ctx, uint8_t type, uint8_t request, uint16_t value,
                      const void *data, uint16_t length)
{
    struct rig *r = ctx;
    uint8_t sector[MSC_SECTOR];
    static uint32_t lba;

    (void)value;
    (void)data;
    (void)length;
    /* A SET_INTERFACE is the other interface's. */
    if ((type & 0x60) == 0 && request != GET_DESCRIPTOR)
        return true;
    r->gate = NULL;
    assert_true(msc_ok(msc_read(&disk, lba++ % 1200, 1, sector), MSC_SECTOR));
    r->gate = reads_too;
    return true;
}

static void test_dfu_update_while_somebody_reads(void **state)
{
    struct rig *r = *state;

    if (!has_dfu(r))
        return;
    rig_image_stamped(r->board, image, SMALL, 5);
    r->gate_ctx = r;
    r->gate = reads_too;
    assert_int_equal(rig_install(r, image, SMALL), 0);
    r->gate = NULL;
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SMALL));
}

/* ---- standard requests, interface by interface ---- */

static int set(struct rig *r, uint8_t type, uint8_t request, uint16_t value,
               uint16_t index)
{
    return rig_request(r, type, request, value, index, NULL, 0);
}

static void test_configuration_zero_and_back(void **state)
{
    struct rig *r = *state;
    uint8_t cbw[MSC_CBW];

    for (unsigned i = 0; i < 3; i++) {
        assert_true(drive_works());
        assert_int_equal(set(r, 0, SET_CONFIGURATION, 0, 0), 0);
        msc_make_cbw(&disk, cbw, MSC_NONE, 0, MSC_CDB(0));
        assert_true(host_bulk(r->host, 1, cbw, sizeof(cbw), 20 * SIM_MS) < 0);
        assert_true(host_bulk(r->host, 0x81, buffer, 13, 20 * SIM_MS) < 0);
        for (uint16_t interface = 0; interface < 3; interface++)
            assert_int_equal(
                rig_request(r, 0x81, GET_INTERFACE, 0, interface, buffer, 1),
                URB_STALL);
        assert_int_equal(set(r, 0, SET_CONFIGURATION, 2, 0), URB_STALL);
        assert_int_equal(set(r, 0, SET_CONFIGURATION, 1, 0), 0);
        assert_true(dfu_works(r));
        assert_true(drive_works());
    }
}

static void test_interfaces(void **state)
{
    struct rig *r = *state;

    for (uint16_t i = 0; i < 4; i++) {
        bool there = i <= drive_interface(r);
        int n;

        buffer[0] = 0xEE;
        n = rig_request(r, 0x81, GET_INTERFACE, 0, i, buffer, 1);
        assert_int_equal(n, there ? 1 : URB_STALL);
        if (there)
            assert_int_equal(buffer[0], 0);
        n = rig_request(r, 0x81, GET_STATUS, 0, i, buffer, 2);
        assert_int_equal(n, there ? 2 : URB_STALL);
        assert_int_equal(set(r, 1, SET_INTERFACE, 1, i), URB_STALL);
        assert_int_equal(set(r, 1, SET_INTERFACE, 0, i), there ? 0 : URB_STALL);
    }
    assert_true(dfu_works(r));
    assert_true(drive_works());
}

/* USB 2.0 clause 9.1.1.5: what belongs to an interface goes back to what it
 * was; the other one does not notice. */
static void test_set_interface_of_one(void **state)
{
    struct rig *r = *state;
    uint8_t cbw[MSC_CBW];
    struct msc_result result = {0};

    if (!has_dfu(r))
        return;
    rig_image_stamped(r->board, image, sizeof(image), 6);
    assert_true(rig_ok(rig_write(r, 2, image, r->board->block)));
    assert_int_equal(rig_getstate(r), DFU_DNLOAD_IDLE);
    assert_int_equal(set(r, 1, SET_INTERFACE, 0, 1), 0);
    assert_int_equal(rig_getstate(r), DFU_DNLOAD_IDLE);
    assert_true(drive_works());
    /* An odd number of packets, so that toggles matter. */
    msc_make_cbw(&disk, cbw, MSC_IN, 36, MSC_CDB(0x12, 0, 0, 0, 36));
    assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), MSC_CBW);
    assert_int_equal(set(r, 1, SET_INTERFACE, 0, 0), 0);
    assert_int_equal(rig_getstate(r), DFU_IDLE);
    assert_int_equal(msc_receive(&disk, buffer, 36), 36);
    msc_status(&disk, 36, &result);
    assert_int_equal(result.status, MSC_PASSED);
    assert_true(drive_works());
}

static void test_halts(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 2; i++) {
        unsigned ep = i ? disk.in : disk.out;

        assert_int_equal(msc_halted(&disk, ep), 0);
        assert_int_equal(set(r, 2, SET_FEATURE, 0, (uint16_t)ep), 0);
        assert_int_equal(msc_halted(&disk, ep), 1);
        assert_int_equal(msc_halted(&disk, i ? disk.out : disk.in), 0);
        assert_true(dfu_works(r));
        assert_int_equal(host_bulk(r->host, ep, buffer, 31, 20 * SIM_MS),
                         URB_STALL);
        assert_int_equal(msc_clear_halt(&disk, ep), 0);
        assert_int_equal(msc_halted(&disk, ep), 0);
        assert_true(drive_works());
    }
    /* An endpoint that there is not. */
    assert_int_equal(set(r, 2, SET_FEATURE, 0, 2), URB_STALL);
    assert_int_equal(set(r, 2, SET_FEATURE, 0, 0x82), URB_STALL);
}

static void test_bus_reset(void **state)
{
    struct rig *r = *state;
    uint8_t cbw[MSC_CBW];

    msc_make_cbw(&disk, cbw, MSC_IN, MSC_SECTOR, MSC_RW(0x28, 0, 1));
    assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), MSC_CBW);
    assert_int_equal(msc_receive(&disk, buffer, 64), 64);
    assert_int_equal(rig_bus_reset(r), 0);
    assert_true(msc_open(&disk, r));
    assert_true(dfu_works(r));
    assert_true(drive_works());
}

/* ---- files, as simple as can be ---- */

/* Where things are, from the boot sector. */
struct volume {
    uint32_t fat, fat_size, root, cluster; /* LBA, sectors */
};

static struct volume look_at_volume(void)
{
    uint8_t b[MSC_SECTOR] = {0};
    struct volume v;

    assert_true(msc_ok(msc_read(&disk, 0, 1, b), MSC_SECTOR));
    v.cluster = b[13];
    v.fat = le16(b + 14);
    v.fat_size = rig_get32(b + 36);
    v.root = v.fat + 2 * v.fat_size;
    return v;
}

static void write_sector(uint32_t lba, const uint8_t *data)
{
    assert_true(msc_ok(msc_write(&disk, lba, 1, data), MSC_SECTOR));
}

/* A file in clusters 4, 5, ... (2 is the root, 3 the status file): data, both
 * FATs, entry. */
static void copy_file(const uint8_t *data, size_t n, bool with_entry)
{
    struct volume v = look_at_volume();
    size_t sectors = (n + MSC_SECTOR - 1) / MSC_SECTOR;
    uint32_t clusters = (uint32_t)((sectors + v.cluster - 1) / v.cluster);
    uint8_t s[MSC_SECTOR], *entry;

    assert_true(4 + clusters < MSC_SECTOR / 4);
    for (uint32_t i = 0; i < sectors; i++)
        write_sector(v.root + 2 * v.cluster + i, data + i * MSC_SECTOR);
    if (!with_entry)
        return;
    for (unsigned copy = 0; copy < 2; copy++) {
        assert_true(msc_ok(msc_read(&disk, v.fat, 1, s), MSC_SECTOR));
        for (uint32_t i = 0; i < clusters; i++)
            rig_put32(s + 4 * (4 + i),
                      i + 1 < clusters ? 4 + i + 1 : 0x0FFFFFFF);
        write_sector(v.fat + copy * v.fat_size, s);
    }
    assert_true(msc_ok(msc_read(&disk, v.root, 1, s), MSC_SECTOR));
    for (entry = s; *entry; entry += 32)
        ;
    memcpy(entry, "FILE    BIN\x20", 12);
    entry[26] = 4;
    rig_put32(entry + 28, (uint32_t)n);
    write_sector(v.root, s);
}

/* The name of the status file, without the spaces. */
static const char *status_name(void)
{
    static char name[9];
    struct volume v = look_at_volume();
    uint8_t s[MSC_SECTOR] = {0};

    assert_true(msc_ok(msc_read(&disk, v.root, 1, s), MSC_SECTOR));
    memcpy(name, s + 32, 8);
    for (size_t n = 8; n && (n == 8 || name[n] <= ' '); n--)
        name[n] = '\0';
    return name;
}

static void eject(void)
{
    assert_true(msc_ok(
        msc_command(&disk, MSC_CDB(0x1B, 0, 0, 0, 2), MSC_NONE, 0, NULL), 0));
}

/* The device goes, after the answer to what ended the update, and comes back
 * as a new one. */
static void remounted(struct rig *r)
{
    assert_int_equal(host_wait_attach(r->host, false, 3 * SIM_S), 0);
    assert_int_equal(host_enumerate(r->host), 0);
    assert_true(msc_open(&disk, r));
}

static void test_remount(void **state)
{
    struct rig *r = *state;
    uint32_t seed = 9;
    int n;

    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(rig_random(&seed) >> 8);
    for (unsigned i = 0; i < 2; i++) {
        assert_string_equal(status_name(), i ? "ERROR" : "READY");
        copy_file(image, 5000, true);
        n = read_serial(r);
        assert_true(n > 0);
        memcpy(image + 8192, buffer, 255);
        eject();
        remounted(r);
        assert_string_equal(status_name(), "ERROR");
        assert_int_equal(read_serial(r), n);
        assert_memory_equal(image + 8192, buffer, (size_t)n);
        assert_true(dfu_works(r));
    }
    if (!has_dfu(r))
        return;
    /* The other door is as it was. */
    rig_image_stamped(r->board, image, SMALL, 7);
    assert_int_equal(rig_install(r, image, SMALL), 0);
    assert_true(rig_app_runs(r, SIM_S));
}

static void test_an_image(void **state)
{
    struct rig *r = *state;

    rig_image_stamped(r->board, image, sizeof(image), 8);
    copy_file(image, sizeof(image), true);
    eject();
    remounted(r);
    assert_string_equal(status_name(), "SUCCESS");
    assert_true(rig_flash_is(r, r->board->slot, image, sizeof(image)));
    assert_true(dfu_works(r));
    assert_true(rig_boots_after_reset(r));
}

/* ---- one update at a time ---- */

/* A file that is only half there is void when a DFU host begins. */
static void test_dfu_wins(void **state)
{
    struct rig *r = *state;
    static uint8_t second[SMALL];

    if (!has_dfu(r))
        return;
    rig_image_stamped(r->board, image, sizeof(image), 10);
    rig_image_stamped(r->board, second, sizeof(second), 11);
    copy_file(image, sizeof(image), false);
    assert_int_equal(rig_install(r, second, sizeof(second)), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, second, sizeof(second)));
}

/* In the middle of a DFU download a file is copied: the download is not
 * disturbed, and the file is refused. */
static void test_a_file_meanwhile(void **state)
{
    struct rig *r = *state;
    static uint8_t second[IMAGE];
    struct rig_update u = {.data = image, .no_abort = true};

    if (!has_dfu(r))
        return;
    u.addr = r->board->slot;
    u.n = 2 * (size_t)r->board->block;
    rig_image_stamped(r->board, image, SMALL, 12);
    rig_image_stamped(r->board, second, sizeof(second), 13);
    assert_int_equal(rig_open(r), 0);
    assert_int_equal(rig_update(r, &u), 0);
    assert_int_equal(rig_getstate(r), DFU_DNLOAD_IDLE);
    copy_file(second, sizeof(second), true);
    host_wait(r->host, 500 * SIM_MS);
    assert_int_equal(rig_getstate(r), DFU_DNLOAD_IDLE);
    u.addr += (uint32_t)u.n;
    u.data += u.n;
    u.n = SMALL - u.n;
    u.no_abort = false;
    u.no_erase = r->board->whole_pages;
    u.leave = true;
    assert_int_equal(rig_update(r, &u), 0);
    assert_true(rig_app_runs(r, SIM_S));
    assert_true(rig_flash_is(r, r->board->slot, image, SMALL));
}

/* What a DFU host asks and sets while a file is copied is no harm. */
static void test_a_look_meanwhile(void **state)
{
    struct rig *r = *state;

    if (!has_dfu(r))
        return;
    rig_image_stamped(r->board, image, sizeof(image), 14);
    copy_file(image, sizeof(image), false);
    assert_int_equal(rig_open(r), 0); /* strings, SET_INTERFACE, GETSTATUS */
    assert_int_equal(rig_upload(r, 2, buffer, 64), 64);
    assert_int_equal(rig_upload(r, 0x1000, NULL, 0), 0);
    assert_int_equal(rig_detach(r), URB_STALL); /* dfuERROR, */
    assert_int_equal(rig_clrstatus(r), 0);      /* and back */
    host_wait(r->host, 1500 * SIM_MS);
    copy_file(image, sizeof(image), true);
    eject();
    remounted(r);
    assert_string_equal(status_name(), "SUCCESS");
    assert_true(rig_flash_is(r, r->board->slot, image, sizeof(image)));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(test_device),
        DOOR_TEST(test_configuration),
        DOOR_TEST(test_serial_number),
        DOOR_TEST(test_windows_finds_its_driver),
        DOOR_TEST(test_part_of_the_set),
        DOOR_TEST(test_other_vendor_requests),
        DOOR_TEST(test_requests_to_the_wrong_interface),
        DOOR_TEST(test_requests_to_the_wrong_recipient),
        DOOR_TEST(test_one_after_the_other),
        DOOR_TEST(test_between_the_packets),
        DOOR_TEST(test_dfu_update_while_somebody_reads),
        DOOR_TEST(test_configuration_zero_and_back),
        DOOR_TEST(test_interfaces),
        DOOR_TEST(test_set_interface_of_one),
        DOOR_TEST(test_halts),
        DOOR_TEST(test_bus_reset),
        DOOR_TEST(test_remount),
        DOOR_TEST(test_an_image),
        DOOR_TEST(test_dfu_wins),
        DOOR_TEST(test_a_file_meanwhile),
        DOOR_TEST(test_a_look_meanwhile),
    };

    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, tests);
}
