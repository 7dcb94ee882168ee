/* SPDX-License-Identifier: MIT */
/* test_scsi.c - the SCSI commands, through the transport. */
#include "msc_bench.h"

static uint32_t be32(const uint8_t *p)
{
    return p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 |
           (uint32_t)p[0] << 24;
}

static bool is_known(uint8_t op)
{
    static const uint8_t known[] = {0x00, 0x03, 0x12, 0x1A, 0x1B, 0x1E, 0x23,
                                    0x25, 0x28, 0x2A, 0x2F, 0x35, 0x5A};

    return memchr(known, op, sizeof(known));
}

static void every_opcode(void **state)
{
    static const uint32_t lengths[] = {0,   1,    6,    13,    31,     63,
                                       64,  65,   192,  511,   512,    513,
                                       576, 1000, 1024, 65536, 0x20001};
    uint32_t unknown = 0;

    (void)state;
    start();
    for (uint32_t op = 0; op < 256; op++)
        for (int direction = OUT; direction <= NO_DATA; direction++)
            for (uint32_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
                uint8_t cdb[16] = {(uint8_t)op};
                uint32_t n = lengths[i], reads, writes = b.drive.writes;
                struct result r;

                if (direction == NO_DATA && n)
                    continue;
                for (int k = 1; k < 16 && i & 1; k++)
                    cdb[k] = (uint8_t)(op * 31 + i * 7 + (uint32_t)k * 5);
                if (is_known((uint8_t)op)) {
                    r = command(cdb, n, direction);
                    if (r.status == 1)
                        assert_int_not_equal(sense(), 0);
                    continue;
                }
                reads = b.drive.reads;
                fails(cdb, n, direction, 0x052000);
                assert_int_equal(b.drive.reads, reads);
                assert_int_equal(b.drive.writes, writes);
                unknown++;
            }
    assert_int_equal(unknown, 243 * (2 * 17 + 1));
    works();
}

static void inquiry(void **state)
{
    (void)state;
    start();
    passes(CDB(0x12, 0, 0, 0, 36), 36, IN);
    assert_int_equal(data[0], 0x00); /* a disk */
    assert_int_equal(data[1], 0x80); /* removable */
    assert_int_equal(data[3], 2);
    assert_int_equal(data[4], 31);
    assert_memory_equal(data + 8, "SallyprtBootloader      1.00", 28);
    for (int i = 8; i < 36; i++)
        assert_in_range(data[i], 0x20, 0x7E);
    passes(CDB(0x12, 0, 0, 0, 5), 5, IN);
    passes(CDB(0x12), 0, NO_DATA);
    passes(CDB(0x12, 0, 0, 1, 0), 36, IN);           /* two bytes */
    fails(CDB(0x12, 1, 0, 0, 36), 36, IN, 0x052400); /* VPD */
    fails(CDB(0x12, 1, 0x80, 0, 36), 36, IN, 0x052400);
    fails(CDB(0x12, 1, 0x83, 0, 255), 255, IN, 0x052400);
    fails(CDB(0x12, 0, 0x80, 0, 36), 36, IN, 0x052400);
    fails(CDB(0x12, 2, 0, 0, 36), 36, IN, 0x052400); /* command data */
}

static void request_sense(void **state)
{
    (void)state;
    start();
    assert_int_equal(sense(), 0);
    assert_int_equal(command(CDB(0xFF), 0, NO_DATA).status, 1);
    passes(CDB(0x03, 0, 0, 0, 8), 8, IN);
    assert_int_equal(data[2], 5);
    assert_int_equal(sense(), 0); /* told once */
    assert_int_equal(command(CDB(0xFF), 0, NO_DATA).status, 1);
    passes(test_unit_ready, 0, NO_DATA);
    assert_int_equal(sense(), 0); /* of the last command */
    assert_int_equal(command(CDB(0x03, 0, 0, 0, 252), 252, IN).residue,
                     252 - 18);
}

static void capacities(void **state)
{
    (void)state;
    start();
    passes(CDB(0x25), 8, IN);
    assert_int_equal(be32(data), SECTORS - 1);
    assert_int_equal(be32(data + 4), 512);
    passes(CDB(0x23, 0, 0, 0, 0, 0, 0, 0, 12), 12, IN);
    assert_int_equal(be32(data), 8);
    assert_int_equal(be32(data + 4), SECTORS);
    assert_int_equal(be32(data + 8), 0x02000200); /* formatted */
    b.drive.present = false;
    passes(CDB(0x23, 0, 0, 0, 0, 0, 0, 0, 12), 12, IN);
    assert_int_equal(be32(data + 8), 0x03000200); /* no medium */
}

/* It never fails, with or without a medium, and says "not protected". */
static void mode_sense(void **state)
{
    static const uint8_t six[] = {3, 0, 0, 0}, ten[] = {0, 6, 0, 0, 0, 0, 0, 0};

    (void)state;
    start();
    for (uint32_t page = 0; page < 256; page++) {
        b.drive.present = page % 3;
        b.m.scsi.changed = page % 5 == 0;
        passes(CDB(0x1A, 8, (uint8_t)page, 0, 4), 4, IN);
        assert_memory_equal(data, six, 4);
        assert_int_equal(
            command(CDB(0x1A, 0, (uint8_t)page, 0xFF, 192), 192, IN).residue,
            188);
        assert_memory_equal(data, six, 4);
        passes(CDB(0x5A, 8, (uint8_t)page, 0, 0, 0, 0, 0, 8), 8, IN);
        assert_memory_equal(data, ten, 8);
        assert_int_equal(
            command(CDB(0x5A, 0, (uint8_t)page, 0, 0, 0, 0, 0, 27), 27, IN)
                .residue,
            19);
        assert_memory_equal(data, ten, 8);
    }
    b.drive.present = true;
    b.m.scsi.changed = false;
    fails(CDB(0x15, 0x10, 0, 0, 24), 24, OUT, 0x052000); /* MODE SELECT */
    fails(CDB(0x55, 0x10, 0, 0, 0, 0, 0, 0, 24), 24, OUT, 0x052000);
    works();
}

static void range(void **state)
{
    static const uint8_t ops[] = {0x28, 0x2A, 0x2F, 0x35};

    (void)state;
    start();
    for (uint32_t i = 0; i < sizeof(ops); i++) {
        uint8_t op = ops[i];
        int direction = i == 0 ? IN : i == 1 ? OUT : NO_DATA;
        uint32_t one = i < 2 ? 512 : 0;

        passes(RW(op, SECTORS - 1, 1), one, direction);
        passes(RW(op, 0, 0), 0, NO_DATA);
        fails(RW(op, SECTORS - 1, 2), 2 * one, direction, 0x052100);
        fails(RW(op, SECTORS, 1), one, direction, 0x052100);
        fails(RW(op, SECTORS, 0), 0, NO_DATA, 0x052100);
        fails(RW(op, 0xFFFFFFFF, 1), one, direction, 0x052100);
        fails(RW(op, 0xFFFFFFFF, 0xFFFF), one, direction, 0x052100);
        fails(RW(op, 1, SECTORS), one, direction, 0x052100);
        fails(RW(op, 0x01000000, 1), one, direction, 0x052100);
    }
    assert_int_equal(b.drive.writes, 1);
    assert_int_equal(b.drive.syncs, 2);
}

static void small_commands(void **state)
{
    (void)state;
    start();
    passes(CDB(0x1E, 0, 0, 0, 1), 0, NO_DATA);
    passes(CDB(0x1E), 0, NO_DATA);
    passes(CDB(0x35), 0, NO_DATA);
    assert_int_equal(b.drive.syncs, 1);
    passes(RW(0x2F, 3, 9), 0, NO_DATA);
    fails(CDB(0x2F, 2, 0, 0, 0, 0, 0, 0, 1), 512, OUT, 0x052400);
    passes(CDB(0x1B, 0, 0, 0, 1), 0, NO_DATA);    /* start */
    passes(CDB(0x1B, 0, 0, 0, 3), 0, NO_DATA);    /* load */
    passes(CDB(0x1B, 0, 0, 0, 0x20), 0, NO_DATA); /* idle */
    assert_int_equal(b.drive.ejects, 0);
    passes(CDB(0x1B, 0, 0, 0, 2), 0, NO_DATA);
    assert_int_equal(b.drive.ejects, 1);
    passes(CDB(0x1B, 1, 0, 0, 0), 0, NO_DATA);
    assert_int_equal(b.drive.ejects, 2);
    assert_int_equal(b.drive.writes, 0);
}

/* Bytes of CBWCB behind the command count for nothing. */
static void padding_is_ignored(void **state)
{
    (void)state;
    start();
    for (uint32_t i = 0; i < 256; i++) {
        uint8_t cdb[16];

        memset(cdb, (int)i, 16);
        memset(cdb, 0, 6);
        passes(cdb, 0, NO_DATA);
        memset(cdb + 10, (int)i, 6);
        memcpy(cdb, READ(7, 1), 10);
        passes(cdb, 512, IN);
    }
}

static void medium_changes(void **state)
{
    static const uint8_t ops[] = {0x00, 0x25, 0x28, 0x2A, 0x2F, 0x35};

    (void)state;
    start();
    for (uint32_t i = 0; i < sizeof(ops); i++) {
        uint32_t length = ops[i] == 0x25 ? 8 : 512;
        int direction = ops[i] == 0x2A ? OUT : IN;

        if (ops[i] == 0x00 || ops[i] > 0x2A) {
            length = 0;
            direction = NO_DATA;
        }
        b.drive.present = false;
        for (int k = 0; k < 3; k++) {
            struct result r =
                command(RW(ops[i], 0, length / 512), length, direction);

            assert_int_equal(r.status, 1);
            assert_int_equal(r.residue, length);
            assert_int_equal(sense(), 0x023A00);
        }
        assert_int_equal(sense(), 0x023A00); /* it is so now, too */
        assert_int_equal(command(CDB(0xC0), 0, NO_DATA).status, 1);
        assert_int_equal(sense(), 0x052000);
    }
    assert_int_equal(b.drive.writes + b.drive.reads + b.drive.syncs, 0);
}

static void medium_returns(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 3; i++) {
        b.drive.present = false;
        assert_int_equal(command(test_unit_ready, 0, NO_DATA).status, 1);
        b.drive.present = true;
        passes(CDB(0x12, 0, 0, 0, 36), 36, IN); /* does not take it away */
        if (i == 0) {
            fails(test_unit_ready, 0, NO_DATA, 0x062800);
        } else if (i == 1) {
            fails(WRITE(0, 1), 512, OUT, 0x062800);
        } else {
            assert_int_equal(sense(), 0x062800);
        }
        works();
    }
    assert_int_equal(b.drive.writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_opcode),   cmocka_unit_test(inquiry),
        cmocka_unit_test(request_sense),  cmocka_unit_test(capacities),
        cmocka_unit_test(mode_sense),     cmocka_unit_test(range),
        cmocka_unit_test(small_commands), cmocka_unit_test(padding_is_ignored),
        cmocka_unit_test(medium_changes), cmocka_unit_test(medium_returns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
