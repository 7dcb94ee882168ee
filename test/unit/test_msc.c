/* SPDX-License-Identifier: MIT */
/* test_msc.c - the bulk-only transport, against a strict host and a rude one.
 */
#include "msc_bench.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the transport ---- */

struct thirteen {
    uint8_t number, op;
    uint16_t sectors; /* that the device wants to move */
    uint32_t length;  /* what the host wants to */
    int direction;
    uint8_t status, stalls;
    uint32_t residue, moved, writes;
};

/* Clause 6.7; status, stall, residue, bytes moved, sectors written. */
static const struct thirteen cases[] = {
    {1, 0x00, 0, 0, NO_DATA, 0, 0, 0, 0, 0},
    {2, 0x28, 1, 0, NO_DATA, 2, 0, 0, 0, 0},
    {3, 0x2A, 1, 0, NO_DATA, 2, 0, 0, 0, 0},
    {4, 0x00, 0, 512, IN, 0, 1, 512, 0, 0},
    {4, 0x00, 0, 1, IN, 0, 1, 1, 0, 0},
    {5, 0x28, 1, 1024, IN, 0, 1, 512, 512, 0},
    {5, 0x28, 3, 1537, IN, 0, 1, 1, 1536, 0},
    {6, 0x28, 1, 512, IN, 0, 0, 0, 512, 0},
    {6, 0x28, 5, 2560, IN, 0, 0, 0, 2560, 0},
    {7, 0x28, 2, 512, IN, 2, 1, 0, 0, 0},
    {7, 0x28, 1, 511, IN, 2, 1, 0, 0, 0},
    {8, 0x2A, 1, 512, IN, 2, 1, 0, 0, 0},
    {9, 0x00, 0, 512, OUT, 0, 1, 512, 0, 0},
    {9, 0x00, 0, 7, OUT, 0, 1, 7, 0, 0},
    {10, 0x28, 1, 512, OUT, 2, 1, 0, 0, 0},
    {11, 0x2A, 1, 1024, OUT, 0, 1, 512, 512, 1},
    {11, 0x2A, 2, 1025, OUT, 0, 1, 1, 1024, 2},
    {12, 0x2A, 1, 512, OUT, 0, 0, 0, 512, 1},
    {12, 0x2A, 2, 1024, OUT, 0, 0, 0, 1024, 2},
    {13, 0x2A, 2, 512, OUT, 2, 1, 0, 0, 0},
    {13, 0x2A, 1, 511, OUT, 2, 1, 0, 0, 0},
};

static void thirteen_cases(void **state)
{
    (void)state;
    start();
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct thirteen *c = &cases[i];
        uint32_t lba = 10 + 10 * i, writes = b.drive.writes;
        struct result r;

        fill(c->length, (uint8_t)i);
        r = command(c->op ? RW(c->op, lba, c->sectors) : test_unit_ready,
                    c->length, c->direction);
        if (r.status != c->status || r.residue != c->residue ||
            r.stalled != c->stalls || r.moved != c->moved ||
            b.drive.writes - writes != c->writes)
            fail_msg("case %u: status %u, residue %u, moved %u, stall %d, "
                     "wrote %u",
                     c->number, r.status, r.residue, r.moved, r.stalled,
                     b.drive.writes - writes);
        if (c->op == 0x28 || c->writes)
            assert_memory_equal(data, b.drive.image[lba], c->moved);
        works();
    }
}

/* Clause 6.7.2: an answer that is shorter than what the host has room for is
 * padded, so hosts that know no stall (SeaBIOS) go on. */
static void answers_are_padded(void **state)
{
    static const uint32_t lengths[] = {36, 37, 63, 64, 65, 96, 255, 512};
    struct result r;

    (void)state;
    start();
    for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(data, 0xAA, sizeof(data));
        r = command(CDB(0x12, 0, 0, 0, 36), lengths[i], IN);
        assert_int_equal(r.status, 0);
        assert_int_equal(r.moved, lengths[i]);
        assert_int_equal(r.residue, lengths[i] - 36);
        for (uint32_t k = 36; k < lengths[i]; k++)
            assert_int_equal(data[k], 0);
    }
    r = command(CDB(0x12, 0, 0, 0, 36), 4096, IN);
    assert_true(r.stalled);
    assert_int_equal(r.residue, 4096 - 36);
    works();
    /* The host has less room than it said in the CDB: case 7. */
    r = command(CDB(0x12, 0, 0, 0, 36), 35, IN);
    assert_int_equal(r.status, 2);
    works();
}

/* Stalls both endpoints, whatever is cleared, until reset recovery. */
static void is_refused(const uint8_t *cbw, uint32_t n)
{
    uint8_t packet[64];
    uint32_t got, writes = b.drive.writes;

    assert_int_equal(host_out(cbw, n), ACK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(host_in(packet, &got), STALL);
        assert_int_equal(host_out(cbw, 31), STALL);
        host_clear(i & 1);
        host_clear(IN);
        host_clear(OUT);
    }
    assert_false(msc_idle(&b.m));
    assert_true(request(0x21, 0xFF, 0, 0));
    /* 3.1: the reset itself leaves the halts. */
    assert_int_equal(host_in(packet, &got), STALL);
    assert_int_equal(host_out(cbw, 31), STALL);
    host_clear(IN);
    assert_int_equal(host_in(packet, &got), NAK);
    assert_int_equal(host_out(cbw, 31), STALL);
    host_clear(OUT);
    assert_int_equal(b.drive.writes, writes);
    works();
}

static void invalid_commands(void **state)
{
    uint8_t cbw[64];

    (void)state;
    start();
    for (uint32_t n = 0; n <= 64; n++) {
        if (n == 31)
            continue;
        memset(cbw, 0, sizeof(cbw));
        make_cbw(cbw, 0, OUT, test_unit_ready);
        is_refused(cbw, n);
    }
    for (uint32_t i = 0; i < 32; i++) {
        make_cbw(cbw, 512, OUT, WRITE(3, 1));
        cbw[i / 8] ^= (uint8_t)(1 << i % 8); /* signature */
        is_refused(cbw, 31);
    }
    for (uint32_t i = 0; i < 7; i++) {
        make_cbw(cbw, 512, IN, READ(3, 1));
        cbw[12] |= (uint8_t)(1 << i); /* reserved flags */
        is_refused(cbw, 31);
    }
    for (uint32_t i = 1; i < 256; i++) {
        make_cbw(cbw, 0, OUT, test_unit_ready);
        cbw[13] = (uint8_t)i; /* reserved bits, LUN */
        is_refused(cbw, 31);
    }
    for (uint32_t i = 0; i < 256; i++) {
        make_cbw(cbw, 0, OUT, test_unit_ready);
        cbw[14] = (uint8_t)i; /* reserved bits, length of the CDB */
        if (i < 1 || i > 16) {
            is_refused(cbw, 31);
            continue;
        }
        assert_int_equal(host_out(cbw, 31), ACK);
        status_stage((struct result){0}, 0);
    }
    /* SET_CONFIGURATION and a bus reset help as well. */
    make_cbw(cbw, 0, OUT, test_unit_ready);
    assert_int_equal(host_out(cbw, 30), ACK);
    configure(true);
    works();
    assert_int_equal(host_out(cbw, 30), ACK);
    configure(false);
    assert_int_equal(host_out(cbw, 31), NAK);
    configure(true);
    works();
}

static void class_requests(void **state)
{
    (void)state;
    start();
    assert_true(request(0xA1, 0xFE, 0, 1));
    assert_int_equal(b.sent, 1);
    assert_int_equal(b.answer, 0);
    assert_true(request(0x21, 0xFF, 0, 0));
    works();
    for (uint32_t i = 0; i < 256; i++) {
        assert_int_equal(request(0xA1, (uint8_t)i, 0, 1), i == 0xFE);
        assert_int_equal(request(0x21, (uint8_t)i, 0, 0), i == 0xFF);
    }
    for (uint32_t i = 0; i < 16; i++) {
        uint16_t bit = (uint16_t)(1 << i);

        assert_false(request(0xA1, 0xFE, bit, 1));
        assert_false(request(0x21, 0xFF, bit, 0));
        assert_false(request(0xA1, 0xFE, 0, bit ^ 1));
        assert_false(request(0x21, 0xFF, 0, bit));
    }
    assert_false(request(0xA1, 0xFF, 0, 0));
    assert_false(request(0x21, 0xFE, 0, 1));
    works();
}

/* Reset recovery after any number of packets of any transfer. */
static void reset_anywhere(void **state)
{
    uint8_t cbw[31], packet[64];
    uint32_t got;

    (void)state;
    start();
    for (int direction = OUT; direction <= IN; direction++) {
        for (int moved = 0; moved <= 33; moved++) {
            uint32_t writes = b.drive.writes;

            make_cbw(cbw, 2048, direction,
                     direction == IN ? READ(7, 4) : WRITE(7, 4));
            assert_int_equal(host_out(cbw, 31), ACK);
            for (int i = 0; i < moved; i++)
                if (direction == IN)
                    assert_int_equal(host_in(packet, &got), ACK);
                else if (i < 32)
                    assert_int_equal(host_out(data, 64), ACK);
            if (moved % 3 == 2)
                configure(true);
            else
                recover();
            if (direction == OUT)
                assert_int_equal(b.drive.writes - writes, moved / 8);
            works();
        }
    }
    /* The reset alone, while a packet is to be taken: that one is void. */
    make_cbw(cbw, 512, IN, READ(7, 1));
    assert_int_equal(host_out(cbw, 31), ACK);
    assert_true(request(0x21, 0xFF, 0, 0));
    make_cbw(cbw, 0, OUT, test_unit_ready);
    assert_int_equal(host_out(cbw, 31), ACK);
    assert_int_equal(host_in(packet, &got), STALL);
    host_clear(IN);
    status_stage((struct result){0}, 0);
}

/* CLEAR_FEATURE where nothing is halted, and SET_FEATURE, at any time: the
 * transfer goes on, with fresh toggles. */
static void clear_anywhere(void **state)
{
    (void)state;
    start();
    for (int direction = OUT; direction <= IN; direction++)
        for (int halt = 0; halt < 4; halt++)
            for (int at = 0; at <= 18; at++) {
                struct result r = {0};
                uint8_t cbw[31];
                int who = halt & 1;

                make_cbw(cbw, 1024, direction,
                         direction == IN ? READ(7, 2) : WRITE(7, 2));
                fill(1024, (uint8_t)(at + halt));
                for (int i = 0; i <= 18; i++) {
                    if (i == at) {
                        if (halt & 2)
                            host_halt(who);
                        host_clear(who);
                    }
                    if (i == 0)
                        assert_int_equal(host_out(cbw, 31), ACK);
                    else if (i == 17)
                        r = status_stage((struct result){.moved = 1024}, 1024);
                    else if (i < 17 && direction == OUT)
                        assert_int_equal(host_out(data + 64 * (i - 1), 64),
                                         ACK);
                    else if (i < 17) {
                        uint32_t n;

                        assert_int_equal(host_in(data + 64 * (i - 1), &n), ACK);
                        assert_int_equal(n, 64);
                    }
                }
                assert_int_equal(r.status, 0);
                assert_int_equal(r.residue, 0);
                assert_memory_equal(data, b.drive.image[7], 1024);
                works();
            }
}

/* The host sends less than it announced: nothing of a torn sector is
 * written. */
static void short_packets(void **state)
{
    (void)state;
    start();
    for (uint32_t whole = 0; whole < 16; whole++)
        for (uint32_t n = 0; n < 64; n += 21) {
            uint32_t writes = b.drive.writes, got;
            uint8_t cbw[31], packet[64];

            make_cbw(cbw, 1024, OUT, WRITE(20, 2));
            assert_int_equal(host_out(cbw, 31), ACK);
            for (uint32_t i = 0; i < whole; i++)
                assert_int_equal(host_out(data, 64), ACK);
            assert_int_equal(host_out(data, n), ACK);
            assert_int_equal(host_out(data, 64), STALL);
            assert_int_equal(host_in(packet, &got), ACK);
            assert_int_equal(got, 13);
            assert_int_equal(packet[12], 2);
            assert_int_equal(b.drive.writes - writes, whole / 8);
            recover();
            works();
        }
}

/* 240 sectors, and the most that a command can have. */
static void large_transfers(void **state)
{
    (void)state;
    start();
    fill(240 * 512, 9);
    passes(WRITE(100, 240), 240 * 512, OUT);
    assert_memory_equal(b.drive.image[100], data, 240 * 512);
    memset(data, 0, sizeof(data));
    passes(READ(100, 240), 240 * 512, IN);
    assert_memory_equal(b.drive.image[100], data, 240 * 512);
    passes(READ(SECTORS - 512, 512), 512 * 512, IN);
    assert_memory_equal(b.drive.image[SECTORS - 512], data, 512 * 512);
    assert_int_equal(b.drive.writes, 240);
}

/* While a control transfer is under way nothing is looked at, and what comes
 * right then is not taken twice. */
static void waits_for_the_control_pipe(void **state)
{
    uint8_t cbw[31], packet[64];
    uint32_t got;

    (void)state;
    start();
    b.deaf = true;
    make_cbw(cbw, 0, OUT, test_unit_ready);
    assert_int_equal(host_out(cbw, 31), ACK);
    assert_false(msc_idle(&b.m));
    assert_int_equal(host_in(packet, &got), NAK);
    assert_int_equal(host_out(cbw, 31), NAK);
    host_clear(OUT);
    assert_int_equal(host_out(cbw, 31), NAK);
    host_clear(IN);
    b.deaf = false;
    run();
    status_stage((struct result){0}, 0);
    works();

    /* The last packet of a sector waits, and the host does not. */
    fill(1024, 77);
    make_cbw(cbw, 1024, OUT, WRITE(7, 2));
    assert_int_equal(host_out(cbw, 31), ACK);
    b.deaf = true;
    for (int i = 0; i < 8; i++)
        assert_int_equal(host_out(data + 64 * i, 64), ACK);
    assert_int_equal(b.drive.writes, 0);
    assert_int_equal(host_out(data + 512, 64), NAK);
    ep[OUT].event = true; /* one that nobody asked for */
    run();
    b.deaf = false;
    run();
    assert_int_equal(b.drive.writes, 1);
    for (int i = 8; i < 16; i++)
        assert_int_equal(host_out(data + 64 * i, 64), ACK);
    status_stage((struct result){.moved = 1024}, 1024);
    assert_memory_equal(b.drive.image[7], data, 1024);

    /* A packet was taken, and before that is told OUT is cleared. */
    make_cbw(cbw, 1024, IN, READ(7, 2));
    assert_int_equal(host_out(cbw, 31), ACK);
    for (int i = 0; i < 16; i++) {
        b.stopped = true;
        assert_int_equal(host_in(packet, &got), ACK);
        assert_memory_equal(packet, data + 64 * i, 64);
        host_clear(OUT);
        b.stopped = false;
        run();
    }
    status_stage((struct result){.moved = 1024}, 1024);
    works();
}

/* There is no room for what came: NAK, no status, as long as that lasts. */
static void is_held(uint32_t writes)
{
    uint8_t packet[64];
    uint32_t got;

    memset(packet, 0xEE, sizeof(packet));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(host_out(packet, 64), NAK);
        assert_int_equal(host_in(packet, &got), NAK);
        assert_false(msc_idle(&b.m));
        assert_true(request(0xA1, 0xFE, 0, 1)); /* the control pipe works */
        run();
    }
    assert_int_equal(b.drive.writes, writes);
}

/* No room from the sector `full` of a WRITE on, in which a halt is cleared:
 * -1: none. */
static void write_without_room(uint32_t lba, uint32_t n, uint32_t full,
                               int clear)
{
    uint32_t writes = b.drive.writes;
    uint8_t cbw[31];

    make_cbw(cbw, 512 * n, OUT, WRITE(lba, n));
    assert_int_equal(host_out(cbw, 31), ACK);
    for (uint32_t i = 0; i < 8 * n; i++) {
        b.drive.full = i / 8 >= full;
        assert_int_equal(host_out(data + 64 * i, 64), ACK);
        if (i % 8 < 7 || i / 8 < full)
            continue;
        is_held(writes + i / 8);
        if (clear >= 0) {
            host_halt(clear);
            host_clear(clear);
            is_held(writes + i / 8);
        }
        b.drive.full = false;
        run();
        assert_int_equal(b.drive.writes, writes + i / 8 + 1);
    }
    assert_int_equal(
        status_stage((struct result){.moved = 512 * n}, 512 * n).status, 0);
    assert_int_equal(b.drive.writes, writes + n);
}

static void writes_wait_for_room(void **state)
{
    (void)state;
    start();
    for (uint32_t n = 1; n <= 4; n++)
        for (uint32_t full = 0; full < n; full++)
            for (int clear = -1; clear <= IN; clear++) {
                uint32_t lba = 20 + 10 * n + full;
                static struct drive reference;

                fill(512 * n, (uint8_t)(n * 16 + full * 4 + clear));
                reference = b.drive;
                memcpy(reference.image[lba], data, 512 * n);
                write_without_room(lba, n, full, clear);
                assert_memory_equal(b.drive.image, reference.image,
                                    sizeof(reference.image));
                works();
            }

    /* Everything but a WRITE is answered where there is no room. */
    b.drive.full = true;
    works();
    passes(CDB(0x12, 0, 0, 0, 36), 36, IN);
    b.drive.full = false;
}

/* What is held when the host gives up is not written, then or later. */
static void reset_without_room(void **state)
{
    (void)state;
    start();
    for (int how = 0; how < 2; how++) {
        static struct drive reference;
        uint8_t cbw[31];

        fill(1024, (uint8_t)(90 + how));
        reference = b.drive;
        memcpy(reference.image[30], data, 512);
        make_cbw(cbw, 1536, OUT, WRITE(30, 3));
        assert_int_equal(host_out(cbw, 31), ACK);
        for (int i = 0; i < 16; i++) {
            b.drive.full = i >= 8;
            assert_int_equal(host_out(data + 64 * i, 64), ACK);
        }
        is_held(reference.writes + 1);
        if (how)
            configure(true);
        else
            recover();
        works(); /* still no room */
        b.drive.full = false;
        works();
        assert_int_equal(b.drive.writes, reference.writes + 1);
        assert_memory_equal(b.drive.image, reference.image,
                            sizeof(reference.image));
        fill(1024, 3);
        passes(WRITE(30, 2), 1024, OUT);
        assert_memory_equal(b.drive.image[30], data, 1024);
    }
}

/* ---- a host that does anything ---- */

static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

/* SALLYPORT_TEST_SEED repeats one round. */
static uint64_t first_seed(uint64_t first, uint32_t *rounds)
{
    const char *text = getenv("SALLYPORT_TEST_SEED");

    if (!text)
        return first;
    *rounds = 1;
    return strtoull(text, NULL, 0);
}

static void random_cdb(uint8_t *cdb)
{
    static const uint8_t ops[] = {0x00, 0x03, 0x12, 0x1A, 0x1B, 0x1E,
                                  0x23, 0x25, 0x28, 0x28, 0x28, 0x2A,
                                  0x2A, 0x2A, 0x2F, 0x35, 0x5A, 0x85};

    for (int i = 0; i < 16; i++)
        cdb[i] = (uint8_t)random_below(256);
    cdb[0] = ops[random_below(sizeof(ops))];
    if (random_below(4)) {
        cdb[1] = cdb[2] = cdb[3] = 0;
        cdb[4] &= 7;
        cdb[7] = 0;
        cdb[8] &= 7;
    }
}

static void anything(void)
{
    uint8_t packet[64];
    uint32_t n;

    for (uint32_t i = 0; i < sizeof(packet); i++)
        packet[i] = (uint8_t)random_below(256);
    switch (random_below(12)) {
    case 0:
        host_clear((int)random_below(2));
        break;
    case 1:
        host_halt((int)random_below(2));
        break;
    case 2:
        request(random_below(2) ? 0x21 : 0xA1,
                (uint8_t)(0xFD + random_below(3)), 0,
                (uint16_t)random_below(2));
        break;
    case 3:
        b.drive.present = random_below(3);
        b.drive.full = !random_below(3);
        break;
    case 4:
        if (random_below(20) == 0)
            configure(random_below(2));
        break;
    case 5:
    case 6:
    case 7:
        host_in(packet, &n);
        break;
    case 8:
        host_out(packet, random_below(65));
        break;
    case 9:
        host_out(packet, 64);
        break;
    default: {
        uint8_t cdb[16];

        random_cdb(cdb);
        make_cbw(packet, random_below(3) * 512 + random_below(2) * 36,
                 (int)random_below(2), cdb);
        if (random_below(8) == 0)
            packet[random_below(15)] ^= (uint8_t)(1 << random_below(8));
        host_out(packet, 31);
    }
    }
}

/* WRITE as the host meant it, against a copy; the rest of the volume does
 * not change. */
static struct drive reference;

static void anything_goes(void **state)
{
    uint32_t rounds = 1000;
    uint64_t first = first_seed(0x5A11, &rounds);

    (void)state;
    for (uint32_t i = 0; i < rounds; i++) {
        seed = first + i;
        printf("\rseed %#llx", (unsigned long long)seed);
        fflush(stdout); /* stands there when it fails */
        start();
        for (uint32_t k = 10 + random_below(200); k; k--)
            anything();
        b.drive.present = true;
        b.drive.full = false;
        configure(true);
        command(test_unit_ready, 0, NO_DATA); /* a change is told */
        works();
        reference = b.drive;
        for (int k = 0; k < 5; k++) {
            uint32_t lba = random_below(SECTORS - 4);
            uint32_t count = 1 + random_below(4);

            fill(count * 512, (uint8_t)random_below(256));
            passes(WRITE(lba, count), count * 512, OUT);
            memcpy(reference.image[lba], data, count * 512);
        }
        assert_memory_equal(reference.image, b.drive.image,
                            sizeof(reference.image));
    }
    printf("\r%u seeds from %#llx\n", rounds, (unsigned long long)first);
}

/* The same, but only reset recovery in the end. */
static void recovery_from_anything(void **state)
{
    uint32_t rounds = 1000;
    uint64_t first = first_seed(0xB07, &rounds);

    (void)state;
    for (uint32_t i = 0; i < rounds; i++) {
        seed = first + i;
        printf("\rseed %#llx", (unsigned long long)seed);
        fflush(stdout);
        start();
        for (uint32_t k = 10 + random_below(200); k; k--)
            anything();
        b.drive.present = true;
        b.drive.full = false;
        if (!ep[IN].open)
            configure(true);
        recover();
        command(test_unit_ready, 0, NO_DATA);
        works();
    }
    printf("\r%u seeds from %#llx\n", rounds, (unsigned long long)first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirteen_cases),
        cmocka_unit_test(answers_are_padded),
        cmocka_unit_test(invalid_commands),
        cmocka_unit_test(class_requests),
        cmocka_unit_test(reset_anywhere),
        cmocka_unit_test(clear_anywhere),
        cmocka_unit_test(short_packets),
        cmocka_unit_test(large_transfers),
        cmocka_unit_test(waits_for_the_control_pipe),
        cmocka_unit_test(writes_wait_for_room),
        cmocka_unit_test(reset_without_room),
        cmocka_unit_test(anything_goes),
        cmocka_unit_test(recovery_from_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
