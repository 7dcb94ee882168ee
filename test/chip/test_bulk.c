/* SPDX-License-Identifier: MIT */
/*
 * test_bulk.c - the bulk endpoints: usbd.c and the driver of the board under
 * test/firmware/bulk.c, which sends back each packet that it gets.
 */
#include "bench.h"
#include "wire.h"

enum { OUT_EP = 0x01, IN_EP = 0x81 };

/* Standard requests */
enum {
    GET_STATUS = 0,
    CLEAR_FEATURE = 1,
    SET_FEATURE = 3,
    GET_CONFIGURATION = 8,
    SET_CONFIGURATION = 9,
    GET_INTERFACE = 10,
    SET_INTERFACE = 11,
};
/* test/firmware/bulk.c */
enum { BULK_BUSY = 1, BULK_STALL, BULK_ECHO, BULK_STRAY };
enum { QUEUE = 4 };

enum { STREAM = 48 * 1024, LONGEST = 1000 };
#define LIMIT (SIM_S)
#define SOON  (20 * SIM_MS) /* what is not answered by then is not answered */

static uint8_t sent[STREAM], got[STREAM + 4096];
static uint32_t seed;

static unsigned any(unsigned below)
{
    return rig_random(&seed) % below;
}

static int standard(struct rig *r, uint8_t recipient, uint8_t request,
                    uint16_t value, uint16_t index)
{
    return rig_request(r, recipient, request, value, index, NULL, 0);
}

static int clear_halt(struct rig *r, unsigned ep)
{
    return standard(r, 0x02, CLEAR_FEATURE, 0, (uint16_t)ep);
}

static int set_halt(struct rig *r, unsigned ep)
{
    return standard(r, 0x02, SET_FEATURE, 0, (uint16_t)ep);
}

/* 0 or 1; < 0: enum urb_status */
static int halted(struct rig *r, unsigned ep)
{
    uint8_t status[2] = {0xEE, 0xEE};
    int n = rig_request(r, 0x82, GET_STATUS, 0, (uint16_t)ep, status, 2);

    if (n < 0)
        return n;
    assert_int_equal(n, 2);
    assert_int_equal(status[1], 0);
    return status[0];
}

static void vendor(struct rig *r, uint8_t request, uint16_t value)
{
    assert_int_equal(rig_request(r, 0x40, request, value, 0, NULL, 0), 0);
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(rig_random(&seed) >> 16);
}

static int put(struct rig *r, const void *data, size_t n)
{
    return host_bulk(r->host, OUT_EP, (void *)data, n, SOON);
}

static int get(struct rig *r, void *data, size_t n)
{
    return host_bulk(r->host, IN_EP, data, n, SOON);
}

/* A packet there and the same back: toggles agree on both sides. */
static void one_packet(struct rig *r, size_t n)
{
    uint8_t out[64], in[64] = {0};

    fill(out, sizeof(out));
    assert_int_equal(put(r, out, n), n);
    assert_int_equal(get(r, in, sizeof(in)), n);
    assert_memory_equal(in, out, n);
}

static void packets(struct rig *r, unsigned n)
{
    while (n--)
        one_packet(r, 1 + any(64));
}

/* Nothing waits to be read. */
static void assert_silent(struct rig *r)
{
    uint8_t in[64];

    assert_int_equal(get(r, in, sizeof(in)), URB_TIMEOUT);
}

/* ---- streams ---- */

/* Damages any packet, but never so often that the host gives up. */
struct cable {
    bool on;
    unsigned row[32]; /* faults one after the other, by endpoint */
    unsigned faults;
};

static enum host_fault damage(void *ctx, const struct urb *urb,
                              enum host_token token)
{
    struct cable *cable = ctx;
    unsigned *row =
        &cable->row[(urb->endpoint & 15) | (token == HOST_IN ? 16 : 0)];

    if (!cable->on || *row == 2 || any(4)) {
        *row = 0;
        return HOST_FAULT_NONE;
    }
    ++*row;
    cable->faults++;
    return any(2) ? HOST_FAULT_LOSE_ACK : HOST_FAULT_CORRUPT;
}

struct stream {
    struct rig *rig;
    size_t total;
    bool control; /* traffic on endpoint 0 as well */
    bool slow;    /* the host reads now and then */
    unsigned transfers, echoes;
};

static void start_out(struct stream *s, struct urb *urb, size_t at)
{
    size_t n = 1 + any(LONGEST);

    *urb = (struct urb){.type = URB_BULK,
                        .address = 0xff,
                        .endpoint = OUT_EP,
                        .data = sent + at,
                        .length = n < s->total - at ? n : s->total - at,
                        .zero = any(2)};
    host_submit(s->rig->host, urb);
    s->transfers++;
}

static void start_in(struct stream *s, struct urb *urb, size_t at)
{
    *urb = (struct urb){.type = URB_BULK,
                        .address = 0xff,
                        .endpoint = IN_EP,
                        .data = got + at,
                        .length = 64 * (1 + any(16)),
                        .delay = s->slow ? any(2000) * SIM_US : 0};
    host_submit(s->rig->host, urb);
}

/* A control write and the read of the same bytes, by turns. */
static void next_control(struct stream *s, struct urb *urb)
{
    static uint8_t out[256], in[256];
    bool write = !(s->echoes++ & 1);
    uint16_t n = (uint16_t)(write ? 1 + any(sizeof(out)) : urb->length);

    if (urb->setup[1])
        assert_int_equal(urb->status, URB_OK);
    if (write) {
        if (urb->setup[1])
            assert_memory_equal(in, out, urb->length);
        fill(out, n);
    }
    *urb = (struct urb){.type = URB_CONTROL,
                        .address = 0xff,
                        .setup = {write ? 0x40 : 0xC0, BULK_ECHO, 0, 0, 0, 0,
                                  n & 0xff, (uint8_t)(n >> 8)},
                        .data = write ? out : in,
                        .length = n};
    host_submit(s->rig->host, urb);
}

/* Random transfers both ways at once until all is back. */
static void run_stream(struct stream *s)
{
    struct urb out = {0}, in = {0}, control = {0};
    size_t put_n = 0, got_n = 0;

    fill(sent, s->total);
    start_out(s, &out, 0);
    start_in(s, &in, 0);
    if (s->control)
        next_control(s, &control);
    for (unsigned quiet = 0; got_n < s->total; quiet++) {
        assert_true(quiet < 100000);
        host_wait(s->rig->host, 20 * SIM_US);
        if (s->control && control.status != URB_PENDING)
            next_control(s, &control);
        if (out.status != URB_PENDING && put_n < s->total) {
            assert_int_equal(out.status, URB_OK);
            put_n += out.actual;
            if (put_n < s->total)
                start_out(s, &out, put_n);
        }
        if (in.status == URB_PENDING)
            continue;
        assert_int_equal(in.status, URB_OK);
        quiet = 0;
        got_n += in.actual;
        assert_true(got_n <= s->total);
        if (got_n < s->total)
            start_in(s, &in, got_n);
    }
    /* Its empty packet may still be on its way. */
    host_wait(s->rig->host, 5 * SIM_MS);
    if (control.status == URB_PENDING)
        host_cancel(s->rig->host, &control);
    assert_int_equal(out.status, URB_OK);
    assert_memory_equal(got, sent, s->total);
}

static void test_stream(void **state)
{
    struct stream s = {.rig = *state, .total = STREAM};

    run_stream(&s);
}

static void test_stream_beside_control(void **state)
{
    struct stream s = {.rig = *state, .total = STREAM, .control = true};

    run_stream(&s);
    assert_true(s.echoes > 20);
}

/* The queue of the firmware is full most of the time. */
static void test_slow_reader(void **state)
{
    struct stream s = {
        .rig = *state, .total = 16384, .slow = true, .control = true};

    run_stream(&s);
}

/* The CPU comes late: the block says NAK. */
static void test_busy_device(void **state)
{
    struct stream s = {.rig = *state, .total = 16384};

    vendor(*state, BULK_BUSY, 2000);
    run_stream(&s);
}

static void test_damaged_packets(void **state)
{
    struct stream s = {.rig = *state, .total = STREAM, .control = true};
    struct cable cable = {.on = true};

    host_on_fault(s.rig->host, damage, &cable);
    run_stream(&s);
    assert_true(cable.faults > STREAM / 64 / 4);
}

/* ---- one packet is taken while the CPU works ---- */

static void test_armed_early(void **state)
{
    struct rig *r = *state;
    uint8_t data[64];
    sim_time start, times[3];

    vendor(r, BULK_BUSY, 65535); /* some milliseconds */
    for (unsigned i = 0; i < 3; i++) {
        start = chip_now(r->chip);
        assert_int_equal(put(r, data, sizeof(data)), 64);
        times[i] = chip_now(r->chip) - start;
    }
    assert_true(times[0] < SIM_MS);
    assert_true(times[1] < SIM_MS);
    assert_true(times[2] > 2 * SIM_MS);
}

/* ---- halts ---- */

static void test_halt(void **state)
{
    struct rig *r = *state;
    static const unsigned eps[] = {OUT_EP, IN_EP};
    uint8_t data[64] = {0};

    for (unsigned before = 0; before < 4; before++)
        for (unsigned i = 0; i < 2; i++) {
            unsigned ep = eps[i], other = eps[!i];

            packets(r, before);
            assert_int_equal(halted(r, ep), 0);
            assert_int_equal(set_halt(r, ep), 0);
            assert_int_equal(halted(r, ep), 1);
            assert_int_equal(halted(r, other), 0);
            for (unsigned n = 0; n < 3; n++)
                assert_int_equal(host_bulk(r->host, ep, data, 64, SOON),
                                 URB_STALL);
            assert_int_equal(set_halt(r, ep), 0); /* again */
            assert_int_equal(halted(r, ep), 1);
            assert_int_equal(clear_halt(r, ep), 0);
            assert_int_equal(halted(r, ep), 0);
            packets(r, 3);
        }
}

/* The direction that is not halted goes on, and keeps its toggle. */
static void test_halt_of_the_other(void **state)
{
    struct rig *r = *state;
    uint8_t out[QUEUE][64], in[64];

    for (unsigned odd = 0; odd < 2; odd++) {
        packets(r, odd);
        assert_int_equal(set_halt(r, IN_EP), 0);
        fill(out[0], sizeof(out));
        for (unsigned i = 0; i < QUEUE; i++)
            assert_int_equal(put(r, out[i], 64), 64);
        assert_int_equal(get(r, in, 64), URB_STALL);
        assert_int_equal(halted(r, IN_EP), 1);
        assert_int_equal(clear_halt(r, IN_EP), 0);
        assert_int_equal(set_halt(r, OUT_EP), 0);
        for (unsigned i = 0; i < QUEUE; i++) {
            assert_int_equal(get(r, in, 64), 64);
            assert_memory_equal(in, out[i], 64);
        }
        assert_int_equal(put(r, out[0], 64), URB_STALL);
        assert_int_equal(halted(r, OUT_EP), 1);
        assert_int_equal(clear_halt(r, OUT_EP), 0);
        packets(r, 2);
    }
}

/* CLEAR_FEATURE puts the toggles back where nothing is halted, too, and what
 * waits to be read is sent again with DATA0. */
static void test_clear_without_halt(void **state)
{
    struct rig *r = *state;
    uint8_t out[64], in[64];

    for (unsigned before = 0; before < 4; before++) {
        packets(r, before);
        assert_int_equal(clear_halt(r, OUT_EP), 0);
        packets(r, before);
        assert_int_equal(clear_halt(r, IN_EP), 0);
        packets(r, before);
        fill(out, 64);
        assert_int_equal(put(r, out, 64), 64);
        assert_int_equal(clear_halt(r, IN_EP), 0);
        assert_int_equal(get(r, in, 64), 64);
        assert_memory_equal(in, out, 64);
        assert_silent(r);
    }
}

/* A packet was read and its handshake waits for the CPU: CLEAR_FEATURE comes
 * after it and must not bring it back. */
static void test_clear_behind_a_packet(void **state)
{
    struct rig *r = *state;
    uint8_t first[64], second[64], in[64];

    for (unsigned wait = 0; wait < 200; wait += 7) {
        bench_restart(r);
        vendor(r, BULK_BUSY, 700); /* less than a host's three tries */
        fill(first, 64);
        fill(second, 64);
        assert_int_equal(put(r, first, 64), 64);
        host_wait(r->host, 2 * SIM_MS);
        assert_int_equal(put(r, second, 64), 64); /* the CPU is busy */
        host_wait(r->host, wait * SIM_US);
        assert_int_equal(get(r, in, 64), 64);
        assert_memory_equal(in, first, 64);
        assert_int_equal(clear_halt(r, IN_EP), 0);
        assert_int_equal(get(r, in, 64), 64);
        assert_memory_equal(in, second, 64);
        assert_silent(r);
    }
}

static void test_halt_by_device(void **state)
{
    struct rig *r = *state;
    uint8_t data[64] = {0};

    for (unsigned before = 0; before < 3; before++)
        for (unsigned in = 0; in < 2; in++) {
            unsigned ep = in ? IN_EP : OUT_EP;

            packets(r, before);
            vendor(r, BULK_STALL, (uint16_t)in);
            assert_int_equal(halted(r, ep), 1);
            assert_int_equal(host_bulk(r->host, ep, data, 64, SOON), URB_STALL);
            assert_int_equal(clear_halt(r, ep), 0);
            assert_int_equal(halted(r, ep), 0);
            packets(r, 3);
        }
}

/* The device halts OUT at any moment of a packet of the host: the endpoint
 * stalls from then on, and works after CLEAR_FEATURE. */
static void test_halt_at_any_time(void **state)
{
    struct rig *r = *state;
    static uint8_t data[64 * QUEUE];

    for (unsigned i = 0; i < 400; i++) {
        struct urb out = {.type = URB_BULK,
                          .address = 0xff,
                          .endpoint = OUT_EP,
                          .data = data,
                          .length = sizeof(data)};
        struct urb stall = {
            .type = URB_CONTROL, .address = 0xff, .setup = {0x40, BULK_STALL}};

        bench_restart(r);
        stall.delay = i * 300 * SIM_NS;
        host_submit(r->host, &stall);
        host_submit(r->host, &out);
        host_wait(r->host, SIM_MS);
        assert_int_equal(stall.status, URB_OK);
        assert_true(out.status == URB_STALL || out.status == URB_OK);
        assert_int_equal(halted(r, OUT_EP), 1);
        assert_int_equal(put(r, data, 64), URB_STALL);
        assert_int_equal(clear_halt(r, OUT_EP), 0);
        while (get(r, data, 64) > 0)
            ;
        packets(r, 3);
        assert_int_equal(bench_check(r), 0);
    }
}

/* The same cycle by cycle where the block takes a packet while the driver
 * changes the endpoint. */
static void test_halt_meets_packet(void **state)
{
    static const uint8_t stall[8] = {0x40, BULK_STALL};
    struct rig *r = *state;
    struct wire *wire = chip_wire(r->chip);
    uint8_t data[64] = {0};
    unsigned taken = 0;

    for (sim_time t = 0; t < 16 * SIM_US; t += 40 * SIM_NS) {
        enum wire_result result;
        unsigned toggle;
        size_t n;

        bench_restart(r);
        assert_int_equal(wire_setup(wire, host_address(r->host), 0, stall),
                         WIRE_ACK);
        /* DWC2 tells of a SETUP when the next token comes. */
        assert_int_equal(
            wire_in(wire, host_address(r->host), 0, data, &n, &toggle, false),
            WIRE_NAK);
        host_wait(r->host, t);
        result = wire_out(wire, host_address(r->host), 1, 0, data, 1);
        taken += result == WIRE_ACK;
        assert_int_equal(result,
                         taken > t / (40 * SIM_NS) ? WIRE_ACK : WIRE_STALL);
        host_wait(r->host, 100 * SIM_US);
        assert_int_equal(halted(r, OUT_EP), 1);
        assert_int_equal(put(r, data, 64), URB_STALL);
        assert_int_equal(clear_halt(r, OUT_EP), 0);
        while (get(r, data, 64) > 0)
            ;
        packets(r, 2);
    }
    assert_in_range(taken, 10, 390); /* it happened between */
}

/* ---- interfaces and configurations ---- */

static void test_set_interface(void **state)
{
    struct rig *r = *state;
    uint8_t out[64], in[64];

    for (unsigned before = 0; before < 4; before++) {
        packets(r, before);
        /* That of another interface leaves toggles and packets alone. */
        fill(out, 64);
        assert_int_equal(put(r, out, 64), 64);
        assert_int_equal(standard(r, 0x01, SET_INTERFACE, 0, 0), 0);
        assert_int_equal(get(r, in, 64), 64);
        assert_memory_equal(in, out, 64);
        packets(r, 2);
        /* Its own takes back everything, a halt as well. */
        assert_int_equal(put(r, out, 64), 64);
        if (before & 1)
            assert_int_equal(set_halt(r, OUT_EP), 0);
        if (before & 2)
            assert_int_equal(set_halt(r, IN_EP), 0);
        assert_int_equal(standard(r, 0x01, SET_INTERFACE, 0, 1), 0);
        assert_int_equal(halted(r, OUT_EP), 0);
        assert_int_equal(halted(r, IN_EP), 0);
        assert_silent(r);
        packets(r, 3);
    }
}

static void assert_closed(struct rig *r)
{
    uint8_t data[64] = {0};

    assert_int_equal(put(r, data, 64), URB_GONE);
    assert_int_equal(get(r, data, 64), URB_GONE);
    assert_int_equal(halted(r, 0), 0);
    for (unsigned ep = OUT_EP; ep <= IN_EP; ep += IN_EP - OUT_EP) {
        assert_int_equal(halted(r, ep), URB_STALL);
        assert_int_equal(set_halt(r, ep), URB_STALL);
        assert_int_equal(clear_halt(r, ep), URB_STALL);
    }
    assert_int_equal(put(r, data, 64), URB_GONE);
}

static void test_configuration(void **state)
{
    struct rig *r = *state;
    uint8_t out[64] = {0};

    for (unsigned before = 0; before < 4; before++) {
        packets(r, before);
        assert_int_equal(put(r, out, 64), 64);
        if (before & 1)
            assert_int_equal(set_halt(r, OUT_EP), 0);
        if (before & 2)
            assert_int_equal(set_halt(r, IN_EP), 0);
        assert_int_equal(standard(r, 0x00, SET_CONFIGURATION, 1, 0), 0);
        assert_int_equal(halted(r, OUT_EP), 0);
        assert_silent(r);
        packets(r, 3);
        assert_int_equal(put(r, out, 64), 64);
        assert_int_equal(standard(r, 0x00, SET_CONFIGURATION, 0, 0), 0);
        assert_closed(r);
        assert_int_equal(standard(r, 0x00, SET_CONFIGURATION, 1, 0), 0);
        assert_silent(r);
        packets(r, 3);
    }
}

static void test_wrong_requests(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint8_t type, request;
        uint16_t value, index, length;
    } wrong[] = {
        {0x02, SET_FEATURE, 0, 0x00, 0},    {0x02, SET_FEATURE, 0, 0x80, 0},
        {0x02, SET_FEATURE, 0, 0x02, 0},    {0x02, SET_FEATURE, 0, 0x82, 0},
        {0x02, SET_FEATURE, 0, 0x101, 0},   {0x02, SET_FEATURE, 1, 0x81, 0},
        {0x82, SET_FEATURE, 0, 0x81, 2},    {0x02, CLEAR_FEATURE, 1, 0x01, 0},
        {0x02, CLEAR_FEATURE, 0, 0x02, 0},  {0x82, CLEAR_FEATURE, 0, 0x81, 2},
        {0x00, SET_FEATURE, 1, 0, 0},       {0x01, SET_FEATURE, 0, 1, 0},
        {0x82, GET_STATUS, 0, 0x02, 2},     {0x82, GET_STATUS, 0, 0x82, 2},
        {0x82, GET_STATUS, 0, 0x181, 2},    {0x81, GET_STATUS, 0, 2, 2},
        {0x02, SET_CONFIGURATION, 1, 1, 0}, {0x82, GET_CONFIGURATION, 0, 1, 1},
        {0x01, SET_INTERFACE, 1, 1, 0},     {0x01, SET_INTERFACE, 0, 2, 0},
        {0x81, GET_INTERFACE, 0, 2, 1},
    };
    uint8_t answer[2];

    packets(r, 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rig_request(r, wrong[i].type, wrong[i].request,
                                     wrong[i].value, wrong[i].index, answer,
                                     wrong[i].length),
                         URB_STALL);
    for (uint16_t i = 0; i < 2; i++) {
        assert_int_equal(rig_request(r, 0x81, GET_STATUS, 0, i, answer, 2), 2);
        assert_int_equal(rig_request(r, 0x81, GET_INTERFACE, 0, i, answer, 1),
                         1);
        assert_int_equal(answer[0], 0);
    }
    assert_int_equal(halted(r, OUT_EP), 0);
    assert_int_equal(halted(r, IN_EP), 0);
    packets(r, 3);
}

/* ---- bus reset ---- */

/* Between reset and SET_CONFIGURATION there are no bulk endpoints. */
static void test_bus_reset(void **state)
{
    struct rig *r = *state;

    packets(r, 1);
    host_bus_reset(r->host);
    while (host_reset_busy(r->host))
        host_wait(r->host, SIM_MS);
    assert_closed(r);
    assert_int_equal(host_enumerate(r->host), 0);
    packets(r, 3);
}

static void test_bus_reset_in_a_stream(void **state)
{
    struct rig *r = *state;
    uint8_t stray = 0xEE;

    for (unsigned i = 0; i < 100; i++) {
        struct urb out = {.type = URB_BULK,
                          .address = 0xff,
                          .endpoint = OUT_EP,
                          .data = sent,
                          .length = 64 * 12};
        struct urb in = {.type = URB_BULK,
                         .address = 0xff,
                         .endpoint = IN_EP,
                         .data = got,
                         .length = 64 * 6};

        if (i % 3 == 0)
            vendor(r, BULK_BUSY, (uint16_t)(i % 2 ? 500 : 0));
        if (i % 5 == 0)
            assert_int_equal(set_halt(r, i & 1 ? OUT_EP : IN_EP), 0);
        host_submit(r->host, &out);
        host_submit(r->host, &in);
        host_wait(r->host, any(1200) * SIM_US);
        assert_int_equal(rig_bus_reset(r), 0);
        assert_true(out.status != URB_PENDING && in.status != URB_PENDING);
        assert_silent(r);
        packets(r, 1 + any(3));
        assert_int_equal(bench_check(r), 0);
    }
    assert_int_equal(rig_request(r, 0xC0, BULK_STRAY, 0, 0, &stray, 1), 1);
    assert_int_equal(stray, 0);
}

static int set_up(void **state)
{
    seed = 0x5A11;
    return bench_set_up(state);
}

#define BULK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, bench_tear_down)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        BULK_TEST(test_stream),
        BULK_TEST(test_stream_beside_control),
        BULK_TEST(test_slow_reader),
        BULK_TEST(test_busy_device),
        BULK_TEST(test_damaged_packets),
        BULK_TEST(test_armed_early),
        BULK_TEST(test_halt),
        BULK_TEST(test_halt_of_the_other),
        BULK_TEST(test_clear_without_halt),
        BULK_TEST(test_clear_behind_a_packet),
        BULK_TEST(test_halt_by_device),
        BULK_TEST(test_halt_at_any_time),
        BULK_TEST(test_halt_meets_packet),
        BULK_TEST(test_set_interface),
        BULK_TEST(test_configuration),
        BULK_TEST(test_wrong_requests),
        BULK_TEST(test_bus_reset),
        BULK_TEST(test_bus_reset_in_a_stream),
    };

    return BENCH_MAIN_OF("test-bulk.elf", argc, argv, tests);
}
