/* SPDX-License-Identifier: MIT */
/*
 * test_msc_chip.c - the drive's door on the real ELF: bulk-only transport with
 * its thirteen cases, class requests, reset recovery, each of the 256 operation
 * codes, and what hosts send to find out what they have.  test_drive_chip.c
 * has the times and the updates.
 */
#include "bench.h"
#include "msc.h"

#define SECOND (SIM_S)
/* Nothing here changes the flash. */
#define SOON (100 * SIM_MS)

enum { ROOM = 64 * 1024, LBA = 1 };

static struct msc disk;
static uint8_t data[ROOM], other[ROOM];
static uint32_t seed = 1;

static int set_up(void **state)
{
    bench_set_up(state);
    memset(&disk, 0, sizeof(disk));
    return msc_open(&disk, *state) ? 0 : -1;
}

static int tear_down(void **state)
{
    int bad = bench_tear_down(state);

    if (disk.broken[0]) {
        print_error("against the transport: %s\n", disk.broken);
        bad = -1;
    }
    if (disk.slowest > SECOND) {
        print_error("command 0x%02x took %.3f s\n", disk.slow_op,
                    (double)disk.slowest / (double)SIM_S);
        bad = -1;
    }
    return bad;
}

#define DISK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(rig_random(&seed) >> 16);
}

/* Nothing is left of what was before: a READ and a TEST UNIT READY pass. */
static void works(void)
{
    uint8_t sector[MSC_SECTOR] = {0};

    assert_true(msc_ok(msc_read(&disk, 0, 1, sector), MSC_SECTOR));
    assert_int_equal(sector[510], 0x55);
    assert_int_equal(sector[511], 0xAA);
    assert_true(msc_ok(msc_test_unit_ready(&disk), 0));
    assert_int_equal(msc_halted(&disk, disk.in), 0);
    assert_int_equal(msc_halted(&disk, disk.out), 0);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static uint32_t sectors(void)
{
    uint8_t answer[8];

    assert_true(
        msc_ok(msc_command(&disk, MSC_CDB(0x25), MSC_IN, 8, answer), 8));
    assert_int_equal(be32(answer + 4), MSC_SECTOR);
    return be32(answer) + 1;
}

/* ---- the thirteen cases, clause 6.7 ---- */

struct thirteen {
    uint8_t number, op;
    uint16_t sectors; /* that the device wants to move */
    uint32_t length;  /* what the host wants to */
    enum msc_way way;
    bool phase; /* else passed */
    bool stalls;
    uint32_t residue, moved;
};

static const struct thirteen cases[] = {
    {1, 0x00, 0, 0, MSC_NONE, false, false, 0, 0},
    {2, 0x28, 1, 0, MSC_NONE, true, false, 0, 0},
    {3, 0x2A, 1, 0, MSC_NONE, true, false, 0, 0},
    {4, 0x00, 0, 512, MSC_IN, false, true, 512, 0},
    {4, 0x00, 0, 1, MSC_IN, false, true, 1, 0},
    {5, 0x28, 1, 1024, MSC_IN, false, true, 512, 512},
    {5, 0x28, 3, 1537, MSC_IN, false, true, 1, 1536},
    {6, 0x28, 1, 512, MSC_IN, false, false, 0, 512},
    {6, 0x28, 64, 32768, MSC_IN, false, false, 0, 32768},
    {7, 0x28, 2, 512, MSC_IN, true, true, 0, 0},
    {7, 0x28, 1, 511, MSC_IN, true, true, 0, 0},
    {8, 0x2A, 1, 512, MSC_IN, true, true, 0, 0},
    {9, 0x00, 0, 512, MSC_OUT, false, true, 512, 0},
    {9, 0x00, 0, 7, MSC_OUT, false, true, 7, 0},
    {10, 0x28, 1, 512, MSC_OUT, true, true, 0, 0},
    {11, 0x2A, 1, 1024, MSC_OUT, false, true, 512, 512},
    {11, 0x2A, 2, 1025, MSC_OUT, false, true, 1, 1024},
    {12, 0x2A, 1, 512, MSC_OUT, false, false, 0, 512},
    {12, 0x2A, 2, 1024, MSC_OUT, false, false, 0, 1024},
    {13, 0x2A, 2, 512, MSC_OUT, true, true, 0, 0},
    {13, 0x2A, 1, 511, MSC_OUT, true, true, 0, 0},
};

static void test_thirteen_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct thirteen *c = &cases[i];
        struct msc_result r;

        /* FSINFO: what is written there reads back, and nothing comes of it. */
        assert_true(msc_ok(msc_read(&disk, LBA, 2, other), 1024));
        memcpy(data, other, sizeof(data));
        data[MSC_SECTOR - 30]++;
        r = msc_command(&disk, MSC_RW(c->op, LBA, c->sectors), c->way,
                        c->length, data);
        /* What the host sends and nobody takes may be a packet or two. */
        if (r.status != (c->phase ? MSC_PHASE : MSC_PASSED) ||
            r.residue != c->residue || r.stalled != c->stalls ||
            (c->way == MSC_IN && r.moved != c->moved) || r.time > SOON)
            fail_msg("case %u: status %d, residue %u, moved %u, stall %d",
                     c->number, r.status, (unsigned)r.residue,
                     (unsigned)r.moved, r.stalled);
        if (c->op == 0x28 && c->moved)
            assert_memory_equal(data, other, MSC_SECTOR);
        works();
        assert_true(msc_ok(msc_read(&disk, LBA, 1, data), MSC_SECTOR));
        assert_int_equal(data[MSC_SECTOR - 30] - other[MSC_SECTOR - 30],
                         c->op == 0x2A && c->moved && c->way == MSC_OUT);
    }
}

/* Clause 6.7.2: what hosts that know no stall ask for is padded. */
static void test_answers_are_padded(void **state)
{
    static const uint16_t lengths[] = {36, 37, 64, 96, 255, 512};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct msc_result r = msc_command(&disk, MSC_CDB(0x12, 0, 0, 0, 36),
                                          MSC_IN, lengths[i], data);

        assert_int_equal(r.status, MSC_PASSED);
        assert_int_equal(r.moved, lengths[i]);
        assert_int_equal(r.residue, lengths[i] - 36);
        for (unsigned k = 36; k < lengths[i]; k++)
            assert_int_equal(data[k], 0);
    }
}

/* ---- class requests, clauses 3.1 and 3.2 ---- */

static void test_class_requests(void **state)
{
    struct rig *r = *state;
    const uint16_t own = (uint16_t)disk.interface;
    struct {
        uint8_t type, request;
        uint16_t value, index, length;
    } wrong[] = {
        {0xA1, 0xFE, 1, own, 1},     {0xA1, 0xFE, 0x100, own, 1},
        {0xA1, 0xFE, 0, own + 1, 1}, {0xA1, 0xFE, 0, 0x81, 1},
        {0xA1, 0xFE, 0, own, 0},     {0xA1, 0xFE, 0, own, 2},
        {0xA1, 0xFE, 0, own, 64},    {0x21, 0xFE, 0, own, 0},
        {0x21, 0xFF, 1, own, 0},     {0x21, 0xFF, 0xFF00, own, 0},
        {0x21, 0xFF, 0, own + 1, 0}, {0x21, 0xFF, 0, own | 0x100, 0},
        {0x21, 0xFF, 0, own, 1},     {0x21, 0xFF, 0, own, 31},
        {0xA1, 0xFF, 0, own, 0},     {0xA1, 0xFF, 0, own, 1},
        {0x21, 0xFD, 0, own, 0},     {0xA1, 0xFD, 0, own, 1},
        {0x22, 0xFF, 0, own, 0},     {0xA0, 0xFE, 0, own, 1},
        {0x41, 0xFF, 0, own, 0},     {0xC1, 0xFE, 0, own, 1},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint8_t bytes[64] = {0};
        int n = rig_request(r, wrong[i].type, wrong[i].request, wrong[i].value,
                            wrong[i].index, bytes, wrong[i].length);

        if (n != URB_STALL)
            fail_msg("request %u: %d", (unsigned)i, n);
        assert_int_equal(msc_max_lun(&disk), 0);
        works();
    }
    /* Whatever is under way. */
    for (unsigned n = 0; n < 4; n++) {
        assert_int_equal(msc_reset(&disk), 0);
        works();
    }
}

/* ---- commands that are none: clauses 6.2, 6.6.1 ---- */

/* Both endpoints stall, whatever is cleared, until reset recovery. */
static void is_refused(const uint8_t *cbw, size_t n)
{
    uint8_t csw[64];

    assert_int_equal(msc_send(&disk, cbw, n), n);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(msc_receive(&disk, csw, sizeof(csw)), URB_STALL);
        assert_int_equal(msc_send(&disk, cbw, MSC_CBW), URB_STALL);
        assert_int_equal(msc_clear_halt(&disk, i & 1 ? disk.in : disk.out), 0);
        assert_int_equal(msc_clear_halt(&disk, i & 1 ? disk.out : disk.in), 0);
        assert_int_equal(msc_halted(&disk, disk.in), 1);
        assert_int_equal(msc_halted(&disk, disk.out), 1);
    }
    /* The other requests go on. */
    assert_int_equal(msc_max_lun(&disk), 0);
    assert_true(msc_recover(&disk));
    works();
}

static void test_bad_commands(void **state)
{
    static const struct {
        uint8_t at, value;
    } wrong[] = {
        {0, 'V'}, {3, 'S'},   {12, 0x01}, {12, 0x40}, {13, 1},
        {13, 15}, {13, 0x10}, {14, 0},    {14, 17},   {14, 0x86},
    };
    uint8_t cbw[64] = {0};

    (void)state;
    for (size_t n = 1; n <= sizeof(cbw); n++) {
        msc_make_cbw(&disk, cbw, MSC_NONE, 0, MSC_CDB(0));
        if (n != MSC_CBW)
            is_refused(cbw, n);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        msc_make_cbw(&disk, cbw, MSC_NONE, 0, MSC_CDB(0));
        cbw[wrong[i].at] = wrong[i].value;
        is_refused(cbw, MSC_CBW);
    }
}

/* Clause 6.4: what is behind the command in its block is no matter. */
static void test_padding_of_commands(void **state)
{
    uint8_t cbw[MSC_CBW];
    struct msc_result r = {0};

    (void)state;
    msc_make_cbw(&disk, cbw, MSC_NONE, 0, MSC_CDB(0));
    memset(cbw + 15 + 6, 0xFF, 10);
    assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), sizeof(cbw));
    msc_status(&disk, 0, &r);
    assert_int_equal(r.status, MSC_PASSED);
}

/* ---- the host gives up in the middle ---- */

/* Bytes that move before: of a READ of four sectors, or a WRITE. */
static void test_recovery_in_the_middle(void **state)
{
    static const uint32_t moved[] = {0,   1,   63,  64,  65,
                                     128, 511, 512, 576, 1024};
    uint8_t cbw[MSC_CBW], packet[64];

    (void)state;
    for (unsigned write = 0; write < 2; write++)
        for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
            uint32_t n = moved[i];

            msc_make_cbw(&disk, cbw, write ? MSC_OUT : MSC_IN, 2048,
                         MSC_RW(write ? 0x2A : 0x28, LBA, 4));
            assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), sizeof(cbw));
            memset(data, 0, sizeof(data));
            if (write) /* a short packet ends it: */
                assert_int_equal(msc_send(&disk, data, n), n);
            else
                for (; n >= 64; n -= 64)
                    assert_int_equal(msc_receive(&disk, packet, 64), 64);
            assert_true(msc_recover(&disk));
            works();
        }
}

/* A new configuration, and a bus reset, are a fresh start. */
static void test_reset_in_the_middle(void **state)
{
    struct rig *r = *state;
    uint8_t cbw[MSC_CBW];

    for (unsigned i = 0; i < 12; i++) {
        bool write = i & 1;

        msc_make_cbw(&disk, cbw, write ? MSC_OUT : MSC_IN, 2048,
                     MSC_RW(write ? 0x2A : 0x28, LBA, 4));
        if (i >= 8)
            cbw[0] = 0; /* stalls */
        assert_int_equal(msc_send(&disk, cbw, sizeof(cbw)), sizeof(cbw));
        if (i < 8)
            assert_int_equal(write ? msc_send(&disk, data, 128)
                                   : msc_receive(&disk, data, 128),
                             128);
        if (i & 2)
            assert_int_equal(rig_bus_reset(r), 0);
        else
            assert_int_equal(rig_request(r, 0x00, 9, 1, 0, NULL, 0), 0);
        works();
    }
}

/* ---- every operation code ---- */

static bool is_known(unsigned op)
{
    static const uint8_t known[] = {0x00, 0x03, 0x12, 0x1A, 0x1B, 0x1E, 0x23,
                                    0x25, 0x28, 0x2A, 0x2F, 0x35, 0x5A};

    return memchr(known, (int)op, sizeof(known)) != NULL;
}

static void try_code(uint8_t op, uint8_t rest, enum msc_way way,
                     uint32_t length)
{
    uint8_t cdb[MSC_CDB];
    struct msc_result r;

    memset(cdb, rest, sizeof(cdb));
    cdb[0] = op;
    if (op == 0x1B)
        cdb[4] |= 1; /* START: without it, it is an eject */
    r = msc_command(&disk, cdb, way, length, data);
    if (r.status < 0 || r.time > SOON)
        fail_msg("0x%02x, way %d: no answer (%d)", op, way, r.status);
    if (r.status == MSC_FAILED && r.residue != length)
        fail_msg("0x%02x, way %d: fails, residue %u of %u", op, way,
                 (unsigned)r.residue, (unsigned)length);
    if (!is_known(op)) {
        uint32_t sense = msc_sense(&disk);

        if (r.status != MSC_FAILED || (way == MSC_IN && r.moved) ||
            sense != 0x052000)
            fail_msg("0x%02x, way %d: status %d, %u bytes moved, sense %06x",
                     op, way, r.status, (unsigned)r.moved, (unsigned)sense);
    } else if (r.status == MSC_FAILED) {
        assert_int_equal(msc_sense(&disk) >> 16, 5);
    }
    assert_int_equal(msc_test_unit_ready(&disk).status, MSC_PASSED);
}

static void test_every_code(void **state)
{
    static const uint32_t lengths[] = {1, 64, 512, 4096};

    (void)state;
    for (unsigned op = 0; op < 256; op++) {
        for (unsigned rest = 0; rest < 256; rest += 255) {
            try_code((uint8_t)op, (uint8_t)rest, MSC_NONE, 0);
            for (enum msc_way way = MSC_OUT; way <= MSC_IN; way++)
                try_code((uint8_t)op, (uint8_t)rest, way, lengths[op % 4]);
        }
        if (op % 16 == 15)
            works();
    }
    assert_int_equal(disk.gone, false);
}

/* fwupd asks every disk: SAT, IDENTIFY DEVICE, and the 12-byte one. */
static void test_ata_pass_through(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct msc_result r = msc_command(
            &disk,
            MSC_CDB(0x85, 8, 0x0E, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xEC),
            MSC_IN, 512, data);

        assert_int_equal(r.status, MSC_FAILED);
        assert_int_equal(r.residue, 512);
        assert_int_equal(msc_sense(&disk), 0x052000);
        r = msc_command(&disk, MSC_CDB(0xA1, 8, 0x0E, 0, 1, 0, 0, 0, 0, 0xEC),
                        MSC_IN, 512, data);
        assert_int_equal(r.status, MSC_FAILED);
        assert_int_equal(r.residue, 512);
        assert_int_equal(msc_sense(&disk), 0x052000);
        works();
    }
}

/* ---- what hosts ask first ---- */

/* All of it moves, nothing stalls. */
static void passes(const uint8_t *cdb, enum msc_way way, uint32_t length)
{
    struct msc_result r;

    memset(data, 0xEE, length);
    r = msc_command(&disk, cdb, way, length, data);
    if (r.status != MSC_PASSED || r.stalled || r.moved != length)
        fail_msg("0x%02x: status %d, %u of %u bytes%s", cdb[0], r.status,
                 (unsigned)r.moved, (unsigned)length,
                 r.stalled ? ", stalled" : "");
}

static void inquiry(uint32_t length)
{
    passes(MSC_CDB(0x12, 0, 0, 0, (uint8_t)length), MSC_IN, length);
    assert_int_equal(data[0], 0);    /* a disk, */
    assert_int_equal(data[1], 0x80); /* removable */
    assert_int_equal(data[4], 31);
    for (unsigned i = 8; i < 36; i++)
        assert_in_range(data[i], 0x20, 0x7E);
}

/* Not write-protected. */
static void mode_sense_6(uint8_t page, uint8_t length)
{
    passes(MSC_CDB(0x1A, 0, page, 0, length), MSC_IN, length);
    assert_int_equal(data[0], 3);
    assert_int_equal(data[2], 0);
}

static void mode_sense_10(uint8_t page, uint8_t length)
{
    passes(MSC_CDB(0x5A, 0, page, 0, 0, 0, 0, 0, length), MSC_IN, length);
    assert_int_equal(data[0], 0);
    assert_int_equal(data[1], 6);
    assert_int_equal(data[3], 0);
}

static void test_linux_probe(void **state)
{
    (void)state;
    inquiry(36);
    passes(MSC_CDB(0), MSC_NONE, 0);
    assert_true(sectors() > 65525 * 8);
    passes(MSC_RW(0x28, 0, 1), MSC_IN, 512);
    for (unsigned i = 0; i < 4; i++)
        mode_sense_6(0x3F, 192);
    passes(MSC_CDB(0x1E, 0, 0, 0, 1), MSC_NONE, 0);
    passes(MSC_RW(0x28, 0, 8), MSC_IN, 4096);
    passes(MSC_RW(0x28, sectors() - 1, 1), MSC_IN, 512);
    passes(MSC_CDB(0x1E), MSC_NONE, 0);
    passes(MSC_CDB(0x35), MSC_NONE, 0);
}

/* It clears no stall. */
static void test_seabios_probe(void **state)
{
    (void)state;
    inquiry(36);
    passes(MSC_CDB(0), MSC_NONE, 0);
    sectors();
    mode_sense_10(4, 27);
    passes(MSC_RW(0x28, 0, 1), MSC_IN, 512);
}

static void test_macos_probe(void **state)
{
    (void)state;
    assert_int_equal(msc_sense(&disk), 0);
    inquiry(36);
    passes(MSC_CDB(0), MSC_NONE, 0);
    passes(MSC_CDB(0x1E, 0, 0, 0, 1), MSC_NONE, 0);
    sectors();
    mode_sense_6(0x3F, 8);
    mode_sense_10(0x3F, 8);
    passes(MSC_RW(0x28, 0, 1), MSC_IN, 512);
}

static void test_windows_probe(void **state)
{
    struct msc_result r;

    (void)state;
    inquiry(36);
    /* Unit serial number: there is none. */
    r = msc_command(&disk, MSC_CDB(0x12, 1, 0x80, 0, 255), MSC_IN, 255, data);
    assert_int_equal(r.status, MSC_FAILED);
    assert_int_equal(msc_sense(&disk), 0x052400);
    passes(MSC_CDB(0x23, 0, 0, 0, 0, 0, 0, 0, 252), MSC_IN, 252);
    assert_int_equal(data[3], 8);
    assert_int_equal(be32(data + 4), sectors());
    mode_sense_6(0x1C, 192);
    mode_sense_6(0x3F, 192);
    passes(MSC_CDB(0), MSC_NONE, 0);
    passes(MSC_CDB(0x2F, 0, 0, 0, 0, 1, 0, 0, 8), MSC_NONE, 0);
}

/* Windows and the test suites want 12 digits or more that stay. */
static void test_serial_number(void **state)
{
    struct rig *r = *state;
    uint8_t device[18], first[255], text[255];
    int n = 0;

    for (unsigned i = 0; i < 3; i++) {
        int got;

        assert_int_equal(
            rig_request(r, 0x80, 6, 0x0100, 0, device, sizeof(device)), 18);
        assert_int_not_equal(device[16], 0);
        got = rig_request(r, 0x80, 6, 0x0300 | device[16], 0x0409, text,
                          sizeof(text));
        assert_true(got >= 2 + 2 * 12);
        for (int k = 2; k < got; k += 2) {
            assert_non_null(memchr("0123456789ABCDEF", text[k], 16));
            assert_int_equal(text[k + 1], 0);
        }
        if (i)
            assert_memory_equal(text, first, n);
        n = got;
        memcpy(first, text, sizeof(first));
        assert_int_equal(i ? rig_reset_with_key(r) : rig_bus_reset(r), 0);
    }
}

/* ---- a bad cable ---- */

struct cable {
    unsigned row[32], faults;
};

/* Damages packets, but never so often that the host gives up.  A handshake of
 * the last packet OUT, or of a CSW, is not lost: a device that awaits nothing
 * more from there says NAK, and only the host's time limit ends that. */
static enum host_fault damage(void *ctx, const struct urb *urb,
                              enum host_token token)
{
    struct cable *cable = ctx;
    unsigned *row =
        &cable->row[(urb->endpoint & 15) | (token == HOST_IN ? 16 : 0)];
    bool last = urb->length - urb->actual <= 64;

    if (*row == 2 || rig_random(&seed) % 4) {
        *row = 0;
        return HOST_FAULT_NONE;
    }
    ++*row;
    cable->faults++;
    return !last && rig_random(&seed) % 2 ? HOST_FAULT_LOSE_ACK
                                          : HOST_FAULT_CORRUPT;
}

/* The FATs are long and say something else in each sector of the window. */
static void test_damaged_packets(void **state)
{
    struct rig *r = *state;
    struct cable cable = {0};

    assert_true(msc_ok(msc_read(&disk, 0, 64, other), 64 * 512));
    host_on_fault(r->host, damage, &cable);
    for (unsigned i = 0; i < 40; i++) {
        uint32_t lba = rig_random(&seed) % 60, n = 1 + rig_random(&seed) % 4;

        assert_true(msc_ok(msc_read(&disk, lba, n, data), n * 512));
        assert_memory_equal(data, other + lba * 512, n * 512);
        if (i % 8)
            continue;
        memcpy(data, other + LBA * 512, 512);
        fill(data + 488, 8); /* FSINFO's free count and hint */
        assert_true(msc_ok(msc_write(&disk, LBA, 1, data), 512));
        memcpy(other + LBA * 512, data, 512);
    }
    host_on_fault(r->host, NULL, NULL);
    assert_true(cable.faults > 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        DISK_TEST(test_thirteen_cases),
        DISK_TEST(test_answers_are_padded),
        DISK_TEST(test_class_requests),
        DISK_TEST(test_bad_commands),
        DISK_TEST(test_padding_of_commands),
        DISK_TEST(test_recovery_in_the_middle),
        DISK_TEST(test_reset_in_the_middle),
        DISK_TEST(test_every_code),
        DISK_TEST(test_ata_pass_through),
        DISK_TEST(test_linux_probe),
        DISK_TEST(test_seabios_probe),
        DISK_TEST(test_macos_probe),
        DISK_TEST(test_windows_probe),
        DISK_TEST(test_serial_number),
        DISK_TEST(test_damaged_packets),
    };

    return BENCH_MAIN_OF("sallyport-both.elf", argc, argv, tests);
}
