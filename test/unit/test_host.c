/* SPDX-License-Identifier: MIT */
/*
 * test_host.c - the cable, the host and the USB blocks, without a CPU: the
 * firmware is usb_echo.c or usb_echo_dwc2.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fsdev.h"
#include "usb_echo.h"

/* ---- set-up ---- */

struct bench {
    struct chip chip;
    struct echo echo;
    struct host *host;
    const struct echo_block *block;
};

static int setup_echo(void **state)
{
    static struct bench b;

    memset(&b, 0, sizeof(b));
    b.block = *state;
    b.block->bench_new(&b.chip);
    b.host = host_new(&b.chip, &host_timing_fast);
    b.chip.firmware = b.block->firmware;
    b.chip.fw = &b.echo;
    b.block->power_up(&b.chip);
    *state = &b;
    return !b.host;
}

static int teardown_echo(void **state)
{
    struct bench *b = *state;

    host_free(b->host);
    bench_free(&b->chip);
    return 0;
}

/* ---- tests ---- */

static void enumerates(void **state)
{
    struct bench *b = *state;

    assert_int_equal(host_enumerate(b->host), 0);
    assert_int_equal(b->chip.errors, 0);
    assert_int_equal(host_address(b->host), 1);
    assert_int_equal(b->block->address(&b->chip), 1);
    assert_int_equal(b->echo.resets, 1);
    assert_string_equal(b->chip.log, "usb: connect\nusb: bus reset\n"
                                     "usb: address 1\nusb: configured 1\n");
}

static void address_before_status_fails(void **state)
{
    struct bench *b = *state;

    b->echo.early_address = true;
    assert_int_equal(host_enumerate(b->host), URB_GONE);
}

static void control_in_and_out(void **state)
{
    struct bench *b = *state;
    uint8_t out[200], in[200];

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 7);
    assert_int_equal(host_enumerate(b->host), 0);
    assert_int_equal(host_control(b->host, 0x40, 1, 0, 0, out, 200), 200);
    assert_int_equal(b->echo.got, 200);
    /* 128 of 200: two full packets and a zero-length one */
    assert_int_equal(host_control(b->host, 0xc0, 1, 0, 0, in, 200), 128);
    assert_memory_equal(in, out, 128);
    assert_int_equal(host_control(b->host, 0xc0, 1, 0, 0, in, 128), 128);
    assert_int_equal(host_control(b->host, 0x81, 6, 0, 0, in, 8), URB_STALL);
    assert_int_equal(host_control(b->host, 0x80, 6, 0x100, 0, in, 18), 18);
    assert_int_equal(b->chip.errors, 0);
}

static void bulk_echo(void **state)
{
    struct bench *b = *state;
    uint8_t out[64] = {1, 2, 3}, in[64];

    assert_int_equal(host_enumerate(b->host), 0);
    for (unsigned i = 0; i < 5; i++) {
        size_t n = i * 13;

        out[0] = (uint8_t)i;
        assert_int_equal(host_bulk(b->host, 1, out, n, SIM_S), (int)n);
        assert_int_equal(host_bulk(b->host, 0x82, in, 64, SIM_S), (int)n);
        assert_memory_equal(in, out, n);
    }
    assert_int_equal(b->chip.errors, 0);
}

/* 64 bytes take 608 bit times and gaps: 19 a frame (USB 2.0, table 5-9). */
static void nak_and_limit(void **state)
{
    struct bench *b = *state;
    uint8_t out[128] = {0};
    sim_time t;

    assert_int_equal(host_enumerate(b->host), 0);
    b->echo.slow = true;
    t = b->chip.now;
    assert_int_equal(host_bulk(b->host, 1, out, 64, SIM_S), 64);
    t = b->chip.now - t;
    assert_in_range(t, 65 * SIM_US, 80 * SIM_US);
    t = b->chip.now;
    assert_int_equal(host_bulk(b->host, 1, out, 64, 50 * SIM_MS), URB_TIMEOUT);
    assert_int_equal(b->chip.now - t, 50 * SIM_MS);
    assert_int_equal(b->chip.errors, 0);
}

/* Loses every n-th handshake, or damages every n-th packet, but never the
 * third in a row. */
struct damage {
    unsigned every, count;
    enum host_fault fault;
};

static enum host_fault inject(void *ctx, const struct urb *urb,
                              enum host_token token)
{
    struct damage *d = ctx;

    (void)token;
    if (++d->count % d->every || (urb->errors == 2 && d->every > 1))
        return HOST_FAULT_NONE;
    return d->fault;
}

static void survive(struct bench *b, enum host_fault fault, unsigned every)
{
    struct damage d = {.every = every, .fault = fault};
    uint8_t out[64], in[64];

    host_on_fault(b->host, inject, &d);
    for (unsigned i = 0; i < 50; i++) {
        size_t n = i % 65;
        /* Waits before the data is sent: where the ACK of the last packet was
         * lost, the chip sends that again first. */
        struct urb urb = {.type = URB_BULK,
                          .address = 0xff,
                          .endpoint = 0x82,
                          .data = in,
                          .length = 64};

        memset(out, (int)i, sizeof(out));
        host_submit(b->host, &urb);
        assert_int_equal(host_bulk(b->host, 1, out, n, SIM_S), (int)n);
        host_wait(b->host, SIM_MS);
        assert_int_equal(urb.status, URB_OK);
        assert_int_equal(urb.actual, n);
        assert_memory_equal(in, out, n);
    }
    host_on_fault(b->host, NULL, NULL);
}

static void damaged_bulk(void **state)
{
    struct bench *b = *state;

    assert_int_equal(host_enumerate(b->host), 0);
    for (unsigned every = 2; every < 9; every++) {
        survive(b, HOST_FAULT_LOSE_ACK, every);
        survive(b, HOST_FAULT_CORRUPT, every);
    }
    assert_int_equal(b->chip.errors, 0);
}

static void damage_is_noticed(void **state)
{
    struct bench *b = *state;

    assert_int_equal(host_enumerate(b->host), 0);
    assert_false(usb_read(&b->chip, ISTR) & ERR);
    survive(b, HOST_FAULT_CORRUPT, 5);
    assert_true(usb_read(&b->chip, ISTR) & ERR);
}

static void damaged_control(void **state)
{
    struct bench *b = *state;
    uint8_t out[200], in[200];

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 5);
    assert_int_equal(host_enumerate(b->host), 0);
    for (unsigned every = 2; every < 9; every++) {
        for (int f = HOST_FAULT_LOSE_ACK; f <= HOST_FAULT_CORRUPT; f++) {
            struct damage d = {.every = every, .fault = (enum host_fault)f};

            host_on_fault(b->host, inject, &d);
            assert_int_equal(host_control(b->host, 0x40, 1, 0, 0, out, 200),
                             200);
            assert_int_equal(host_control(b->host, 0xc0, 1, 0, 0, in, 200),
                             128);
            assert_memory_equal(in, out, 128);
        }
    }
    assert_int_equal(b->chip.errors, 0);
}

static void always_damaged_is_gone(void **state)
{
    struct bench *b = *state;
    struct damage d = {.every = 1, .fault = HOST_FAULT_CORRUPT};

    assert_int_equal(host_enumerate(b->host), 0);
    host_on_fault(b->host, inject, &d);
    assert_int_equal(host_control(b->host, 0x80, 0, 0, 0, NULL, 0), URB_GONE);
    assert_int_equal(d.count, 3);
}

static void pin_low_disconnects(void **state)
{
    struct bench *b = *state;
    struct chip *c = &b->chip;

    assert_int_equal(host_enumerate(b->host), 0);
    c->pa12 = 0; /* while the block is on, the GPIO has no say */
    c->desc.ops->pins_changed(&c->dev);
    assert_true(wire_attached(c->wire));
    usb_write(c, CNTR, 3);
    assert_false(wire_attached(c->wire));
    chip_run(c, c->now + 2 * SIM_US); /* too short: TDDIS is 2.5 us */
    assert_true(host_attached(b->host));
    c->pa12 = -1;
    c->desc.ops->pins_changed(&c->dev);
    chip_run(c, c->now + SIM_MS);
    assert_true(host_attached(b->host));
    c->pa12 = 0;
    c->desc.ops->pins_changed(&c->dev);
    assert_int_equal(host_wait_attach(b->host, false, SIM_S), 0);
    assert_int_equal(host_control(b->host, 0x80, 0, 0, 0, NULL, 0), URB_GONE);
    c->pa12 = -1;
    echo_power_up(c);
    assert_int_equal(host_enumerate(b->host), 0);
}

/* Tests switch power without letting time pass: never a glitch. */
static void power_cycle_disconnects(void **state)
{
    struct bench *b = *state;
    struct chip *c = &b->chip;

    assert_int_equal(host_enumerate(b->host), 0);
    c->desc.ops->power_off(&c->dev);
    c->desc.ops->reset(&c->dev, RESET_POWER);
    chip_run(c, c->now + 3 * SIM_US); /* TDDIS is 2.5 us */
    assert_false(host_attached(b->host));
    assert_int_equal(host_address(b->host), 0);
    b->block->power_up(c);
    assert_int_equal(host_enumerate(b->host), 0);
}

static void unplugged_urb_is_gone(void **state)
{
    struct bench *b = *state;
    uint8_t buf[64] = {0};
    struct urb urb = {.type = URB_BULK,
                      .address = 0xff,
                      .endpoint = 0x82,
                      .data = buf,
                      .length = 64};

    assert_int_equal(host_enumerate(b->host), 0);
    host_submit(b->host, &urb);
    chip_run(&b->chip, b->chip.now + 3 * SIM_MS);
    assert_int_equal(urb.status, URB_PENDING);
    wire_plug(b->chip.wire, false);
    assert_int_equal(urb.status, URB_PENDING); /* not inside the call */
    chip_run(&b->chip, b->chip.now + SIM_MS);
    assert_int_equal(urb.status, URB_GONE);
    wire_plug(b->chip.wire, true);
    assert_int_equal(host_enumerate(b->host), 0);
}

static void suspend_and_resume(void **state)
{
    struct bench *b = *state;
    struct chip *c = &b->chip;
    const struct echo_block *k = b->block;
    uint8_t buf[18];

    assert_int_equal(host_enumerate(b->host), 0);
    k->clear_events(c);
    chip_run(c, c->now + 20 * SIM_MS);
    assert_false(k->saw_suspend(c));
    host_suspend(b->host, true);
    chip_run(c, c->now + 2 * SIM_MS);
    assert_false(k->saw_suspend(c));
    chip_run(c, c->now + 5 * SIM_MS);
    assert_true(k->saw_suspend(c));
    k->clear_events(c);
    k->sleep(c, true);
    chip_run(c, c->now + 10 * SIM_MS);
    assert_false(k->saw_suspend(c) || k->saw_wakeup(c));
    host_suspend(b->host, false);
    assert_true(k->saw_wakeup(c));
    k->clear_events(c);
    k->sleep(c, false);
    chip_run(c, c->now + 40 * SIM_MS);
    assert_int_equal(host_control(b->host, 0x80, 6, 0x100, 0, buf, 18), 18);
    assert_int_equal(c->errors, 0);
}

static void frames(void **state)
{
    struct bench *b = *state;
    struct chip *c = &b->chip;
    unsigned first;

    assert_int_equal(host_enumerate(b->host), 0);
    first = b->block->frame(c);
    chip_run(c, c->now + 100 * SIM_MS);
    assert_int_equal((b->block->frame(c) - first) & 0x7ff, 100);
}

static void frames_are_locked(void **state)
{
    struct bench *b = *state;

    assert_int_equal(host_enumerate(b->host), 0);
    assert_true(usb_read(&b->chip, FNR) & 1 << 13); /* LCK */
}

/* The F407's block wants the address before the status stage, and the F103's
 * takes it after: neither may lose the stage. */
static void address_after_status(void **state)
{
    struct bench *b = *state;

    b->echo.late_address = true;
    assert_int_equal(host_enumerate(b->host), 0);
    assert_int_equal(host_address(b->host), 1);
    assert_int_equal(b->block->address(&b->chip), 1);
    assert_int_equal(b->chip.errors, 0);
}

/* ---- the block by itself, wire and registers ---- */

static void start_ep0(struct chip *c)
{
    echo_power_up(c);
    echo_set_buffers(c, 0, 0x40, 0x80);
    usb_write(c, EPR(0), CONTROL | CTR_RX | CTR_TX);
    echo_set_stat(c, 0, VALID, NAK);
    usb_write(c, DADDR, 0x80);
}

static const uint8_t a_setup[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};

static void setup_rules(void **state)
{
    struct chip c;

    (void)state;
    bench_new_fsdev(&c);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    start_ep0(&c);
    echo_set_stat(&c, 0, STALL, STALL);
    assert_int_equal(wire_setup(c.wire, 1, 0, a_setup), WIRE_TIMEOUT);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_ACK);
    /* the value that everybody who debugged this block knows */
    assert_int_equal(usb_read(&c, EPR(0)), 0xea60);
    assert_int_equal(usb_read(&c, ISTR) & 0x801f, 0x8010);
    assert_int_equal(pma_read(&c, 6), 0x8408);
    assert_int_equal(pma_read(&c, 0x80), 0x0680);
    /* dropped in silence while CTR_RX stands */
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    echo_clear_ctr(&c, 0, CTR_RX);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_ACK);
    echo_clear_ctr(&c, 0, CTR_RX);
    echo_set_stat(&c, 0, DISABLED, -1);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    assert_int_equal(c.errors, 0);
    bench_free(&c);
}

static void out_rules(void **state)
{
    struct chip c;
    uint8_t data[64] = {0x11, 0x22, 0x33};

    (void)state;
    bench_new_fsdev(&c);
    start_ep0(&c);
    assert_int_equal(wire_out(c.wire, 0, 0, 1, data, 3), WIRE_ACK);
    assert_false(usb_read(&c, EPR(0)) & CTR_RX); /* DATA0 was expected */
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 3), WIRE_ACK);
    assert_int_equal(usb_read(&c, EPR(0)),
                     CTR_RX | 1 << 14 | NAK << 12 | CONTROL | NAK << 4);
    assert_int_equal(pma_read(&c, 6) & 0x3ff, 3);
    assert_int_equal(pma_read(&c, 0x82) & 0xff, 0x33);
    assert_int_equal(wire_out(c.wire, 0, 0, 1, data, 3), WIRE_NAK);
    echo_clear_ctr(&c, 0, CTR_RX);
    /* STATUS_OUT: an empty packet and nothing else */
    usb_write(&c, EPR(0), CONTROL | KIND | CTR_RX | CTR_TX);
    echo_set_stat(&c, 0, VALID, NAK);
    assert_int_equal(wire_out(c.wire, 0, 0, 1, data, 1), WIRE_STALL);
    assert_int_equal(wire_out(c.wire, 0, 0, 1, data, 0), WIRE_ACK);
    echo_clear_ctr(&c, 0, CTR_RX);
    /* a buffer of 32 bytes */
    usb_write(&c, EPR(0), CONTROL | CTR_RX | CTR_TX);
    pma_write(&c, 6, 0x8000);
    pma_write(&c, 0xa0, 0x1234);
    echo_set_stat(&c, 0, VALID, NAK);
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 33), WIRE_STALL);
    assert_false(usb_read(&c, EPR(0)) & CTR_RX);
    assert_int_equal(pma_read(&c, 0xa0), 0x1234);
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 32), WIRE_ACK);
    assert_int_equal(c.errors, 0);
    bench_free(&c);
}

static void in_rules(void **state)
{
    struct chip c;
    uint8_t data[64];
    size_t n;
    unsigned toggle;

    (void)state;
    bench_new_fsdev(&c);
    start_ep0(&c);
    wire_setup(c.wire, 0, 0, a_setup);
    echo_clear_ctr(&c, 0, CTR_RX);
    assert_int_equal(wire_in(c.wire, 0, 0, data, &n, &toggle, false), WIRE_NAK);
    echo_copy_in(&c, 0x40, (const uint8_t *)"hello", 5);
    pma_write(&c, 2, 5);
    echo_set_stat(&c, 0, -1, VALID);
    assert_int_equal(wire_in(c.wire, 0, 0, data, &n, &toggle, true), WIRE_ACK);
    assert_int_equal(toggle, 1);
    assert_false(usb_read(&c, EPR(0)) & CTR_TX);
    assert_int_equal(wire_in(c.wire, 0, 0, data, &n, &toggle, false), WIRE_ACK);
    assert_int_equal(toggle, 1);
    assert_int_equal(n, 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(usb_read(&c, EPR(0)) & 0xf0, CTR_TX | NAK << 4);
    /* valid again with CTR_TX standing: the next one goes unnoticed */
    echo_set_stat(&c, 0, -1, VALID);
    wire_in(c.wire, 0, 0, data, &n, &toggle, false);
    assert_int_equal(c.errors, 1);
    echo_set_stat(&c, 0, -1, STALL);
    assert_int_equal(wire_in(c.wire, 0, 0, data, &n, &toggle, false),
                     WIRE_STALL);
    bench_free(&c);
}

static void double_buffered_out(void **state)
{
    struct chip c;
    uint8_t a[2] = {1, 1}, b[2] = {2, 2};

    (void)state;
    bench_new_fsdev(&c);
    echo_power_up(&c);
    echo_set_buffers(&c, 1, 0x100, 0x140);
    pma_write(&c, 8 + 2, 0x8400);                               /* COUNT_RX_0 */
    usb_write(&c, EPR(1), 1 | KIND | CTR_RX | CTR_TX | 1 << 6); /* SW_BUF 1 */
    echo_set_stat(&c, 1, VALID, -1);
    usb_write(&c, DADDR, 0x80);
    usb_write(&c, CNTR, 1 << 15);
    assert_int_equal(wire_out(c.wire, 0, 1, 0, a, 2), WIRE_ACK);
    assert_true(c.irq[19] && c.irq[20]);
    assert_int_equal(pma_read(&c, 0x100), 0x0101);
    echo_clear_ctr(&c, 1, CTR_RX);
    assert_false(c.irq[19] || c.irq[20]);
    echo_set_stat(&c, 1, VALID, -1);
    /* DTOG 1, SW_BUF 1: the firmware has that buffer */
    assert_int_equal(wire_out(c.wire, 0, 1, 1, b, 2), WIRE_NAK);
    usb_write(&c, EPR(1), 1 | KIND | CTR_RX | CTR_TX | 1 << 6);
    assert_int_equal(wire_out(c.wire, 0, 1, 1, b, 2), WIRE_ACK);
    assert_int_equal(pma_read(&c, 0x140), 0x0202);
    assert_int_equal(usb_read(&c, EPR(1)) >> 12 & 3, VALID);
    assert_int_equal(c.errors, 0);
    bench_free(&c);
}

static void reset_rules(void **state)
{
    struct chip c;

    (void)state;
    bench_new_fsdev(&c);
    assert_int_equal(usb_read(&c, CNTR), 3);
    start_ep0(&c);
    wire_setup(c.wire, 0, 0, a_setup);
    usb_write(&c, CNTR, 1 << 10);
    assert_false(c.irq[20]);
    wire_bus_reset(c.wire, true);
    chip_run(&c, c.now + 10 * SIM_US);
    assert_true(c.irq[20]);
    assert_int_equal(usb_read(&c, EPR(0)), CTR_RX);
    assert_int_equal(usb_read(&c, DADDR), 0);
    wire_bus_reset(c.wire, false);
    /* disabled until ISTR.RESET has been cleared */
    usb_write(&c, EPR(0), CONTROL | CTR_TX);
    echo_set_stat(&c, 0, VALID, NAK);
    usb_write(&c, DADDR, 0x80);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    usb_write(&c, ISTR, 0);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_ACK);
    assert_int_equal(c.errors, 0);
    bench_free(&c);
}

static void rules_of_silicon(void **state)
{
    struct chip c;
    uint8_t data[8] = {0};

    (void)state;
    bench_new_fsdev(&c);
    usb_write(&c, CNTR, 0); /* no time for the transceiver */
    assert_int_equal(c.errors, 1);
    fsdev_ops.write(&c.dev, 1, 0, 1, 0);
    assert_int_equal(c.errors, 2);
    fsdev_ops.write(&c.dev, 1, 2, 2, 0);
    assert_int_equal(c.errors, 3);
    fsdev_ops.read(&c.dev, 0, CNTR, 1);
    assert_int_equal(c.errors, 4);
    fsdev_ops.write(&c.dev, 1, 4, 4, 0x11223344);
    assert_int_equal(fsdev_ops.read(&c.dev, 1, 4, 4), 0x3344);
    assert_int_equal(c.errors, 4);
    usb_write(&c, CNTR, 1);
    usb_write(&c, EPR(0), CONTROL);
    assert_int_equal(c.errors, 5);
    assert_int_equal(usb_read(&c, EPR(0)), 0);
    start_ep0(&c);
    pma_write(&c, 4, 0x1f0); /* RX buffer behind the end */
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 8), WIRE_STALL);
    assert_int_equal(c.errors, 6);
    pma_write(&c, 4, 0x81);
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 8), WIRE_STALL);
    assert_int_equal(c.errors, 7);
    pma_write(&c, 4, 0x80);
    pma_write(&c, 6, 0); /* no memory: enough for a packet without data */
    assert_int_equal(wire_out(c.wire, 0, 0, 0, data, 0), WIRE_ACK);
    assert_int_equal(c.errors, 7);
    echo_clear_ctr(&c, 0, CTR_RX);
    echo_set_stat(&c, 0, VALID, -1);
    assert_int_equal(wire_out(c.wire, 0, 0, 1, data, 1), WIRE_STALL);
    assert_int_equal(c.errors, 8);
    c.clock_ok = false;
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    assert_int_equal(wire_setup(c.wire, 0, 0, a_setup), WIRE_TIMEOUT);
    assert_int_equal(c.errors, 9);
    bench_free(&c);
}

/* ---- devices that break USB's rules ---- */

struct liar {
    size_t n;
    unsigned toggle;
    enum wire_result setup;
};

static enum wire_result liar_setup(struct chip *c, void *dev, unsigned addr,
                                   unsigned ep, const uint8_t data[8])
{
    (void)c, (void)addr, (void)ep, (void)data;
    return ((struct liar *)dev)->setup;
}

static enum wire_result liar_out(struct chip *c, void *dev, unsigned addr,
                                 unsigned ep, unsigned toggle,
                                 const uint8_t *data, size_t n)
{
    (void)c, (void)dev, (void)addr, (void)ep, (void)toggle, (void)data, (void)n;
    return WIRE_ACK;
}

static enum wire_result liar_in(struct chip *c, void *dev, unsigned addr,
                                unsigned ep, uint8_t *data, size_t *n,
                                unsigned *toggle)
{
    struct liar *l = dev;

    (void)c, (void)addr, (void)ep;
    memset(data, 0, l->n);
    *n = l->n;
    *toggle = l->toggle;
    return WIRE_ACK;
}

static void liar_ack(struct chip *c, void *dev, unsigned ep, bool acked)
{
    (void)c, (void)dev, (void)ep, (void)acked;
}

static const struct wire_ops liar_ops = {
    .setup = liar_setup, .out = liar_out, .in = liar_in, .in_ack = liar_ack};

static void host_refuses(void **state)
{
    struct liar l = {.setup = WIRE_ACK};
    struct chip c;
    struct host *h;
    uint8_t buf[64];

    (void)state;
    bench_new(&c, &liar_ops, &l);
    h = host_new(&c, &host_timing_pc);
    wire_set_pullup(c.wire, true);
    assert_int_equal(host_wait_attach(h, true, SIM_S), 0);
    assert_int_equal(host_control(h, 0x80, 6, 0, 0, buf, 8), URB_GONE);
    host_bus_reset(h);
    host_wait(h, 30 * SIM_MS);
    l.n = 8;
    l.toggle = 1;
    assert_int_equal(host_control(h, 0x80, 6, 0, 0, buf, 8), 8);
    assert_int_equal(host_control(h, 0x80, 6, 0, 0, buf, 4), URB_BABBLE);
    l.toggle = 0;
    assert_int_equal(host_control(h, 0x80, 6, 0, 0, buf, 8), URB_PROTOCOL);
    l.toggle = 1; /* a status stage with data in it */
    assert_int_equal(host_control(h, 0x00, 9, 0, 0, NULL, 0), URB_PROTOCOL);
    l.setup = WIRE_STALL;
    assert_int_equal(host_control(h, 0x80, 6, 0, 0, buf, 8), URB_PROTOCOL);
    l.toggle = 0;
    assert_int_equal(host_bulk(h, 0x81, buf, 64, SIM_S), 8);
    assert_int_equal(host_bulk(h, 0x81, buf, 64, SIM_S), URB_PROTOCOL);
    l.n = 65;
    host_clear_toggle(h, 0x81);
    assert_int_equal(host_bulk(h, 0x81, buf, 64, SIM_S), URB_BABBLE);
    host_free(h);
    bench_free(&c);
}

int main(void)
{
#define ON(block, f)                                                           \
    {                                                                          \
#f "." #block, f, setup_echo, teardown_echo,                           \
            (void *)(uintptr_t)&echo_##block                                   \
    }
#define ECHO(f) ON(fsdev, f), ON(dwc2, f)
    const struct CMUnitTest tests[] = {
        ECHO(enumerates),
        ON(fsdev, address_before_status_fails),
        ECHO(control_in_and_out),
        ECHO(bulk_echo),
        ECHO(nak_and_limit),
        ECHO(damaged_bulk),
        ON(fsdev, damage_is_noticed),
        ECHO(damaged_control),
        ECHO(always_damaged_is_gone),
        ON(fsdev, pin_low_disconnects),
        ECHO(power_cycle_disconnects),
        ECHO(unplugged_urb_is_gone),
        ECHO(suspend_and_resume),
        ECHO(frames),
        ON(fsdev, frames_are_locked),
        ECHO(address_after_status),
        cmocka_unit_test(setup_rules),
        cmocka_unit_test(out_rules),
        cmocka_unit_test(in_rules),
        cmocka_unit_test(double_buffered_out),
        cmocka_unit_test(reset_rules),
        cmocka_unit_test(rules_of_silicon),
        cmocka_unit_test(host_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
