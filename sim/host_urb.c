/* SPDX-License-Identifier: MIT */
/*
 * host_urb.c - transfers, and the transactions they are made of.
 *
 * Bit times are nominal: 12 Mb/s without stuffed bits (under 1 % with random
 * data).  Source: USB 2.0, 7.1.18 (gaps), 7.1.19 (time-out), 8.3 (packets),
 * 8.5 (transactions), 8.6 (toggles), 11.2.5 (end of frame).
 */
#include <stdio.h>
#include <string.h>

#include "host_priv.h"

#define BITS_DATA(n)   (35 + 8 * (unsigned)(n)) /* CRC 16 */
#define BITS_HANDSHAKE 19
#define BITS_TIMEOUT   18 /* 7.1.19.1 */
#define BITS_EOF       32 /* 11.2.5.1: nothing may be sent so late in a frame */

/* A host controller tries again in its next micro-frame; three errors in a
 * row end the transfer (xHCI CErr, EHCI Cerr). */
#define ERROR_RETRY (125 * SIM_US)
#define ERROR_LIMIT 3

enum stage { STAGE_SETUP, STAGE_DATA, STAGE_STATUS };

/* ---- URBs ---- */

static bool control_in(const struct urb *u)
{
    return u->setup[0] & 0x80;
}

static enum host_token token_of(const struct urb *u)
{
    if (u->type != URB_CONTROL)
        return u->endpoint & 0x80 ? HOST_IN : HOST_OUT;
    if (u->stage == STAGE_SETUP)
        return HOST_SETUP;
    if (u->stage == STAGE_DATA)
        return control_in(u) ? HOST_IN : HOST_OUT;
    return control_in(u) && u->length ? HOST_OUT : HOST_IN;
}

static struct host_ep *ep_of(struct host *h, const struct urb *u)
{
    bool in = token_of(u) == HOST_IN;

    return &h->s.eps.ep[host_ep_index((u->endpoint & 15) | (in ? 0x80 : 0))];
}

/* Bytes of the next SETUP or OUT packet. */
static size_t out_size(struct host *h, const struct urb *u)
{
    size_t left = u->length - u->actual;
    size_t max = ep_of(h, u)->max_packet;

    if (token_of(u) == HOST_SETUP)
        return 8;
    if (u->stage == STAGE_STATUS)
        return 0;
    return left < max ? left : max;
}

static void observe(struct host *h, char type, const struct urb *u)
{
    if (h->monitor)
        h->monitor(h->monitor_ctx, type, u, chip_now(h->chip));
}

static void unlink_urb(struct host *h, struct urb *u)
{
    struct urb **p = &h->queue;

    while (*p && *p != u)
        p = &(*p)->next;
    if (*p)
        *p = u->next;
    u->next = NULL;
}

static void report_configured(struct host *h, const struct urb *u)
{
    char text[32];

    if (u->setup[0] != 0x00 || u->setup[1] != 9)
        return;
    if (u->setup[2])
        snprintf(text, sizeof(text), "configured %u", u->setup[2]);
    else
        snprintf(text, sizeof(text), "unconfigured");
    wire_report(h->wire, text);
}

static void complete(struct host *h, struct urb *u, enum urb_status status)
{
    unlink_urb(h, u);
    if (h->in.urb == u)
        h->in.urb = NULL;
    u->status = status;
    u->finished = chip_now(h->chip);
    if (u->type == URB_CONTROL && status == URB_OK) {
        host_eps_learn(&h->s.eps, u);
        report_configured(h, u);
    }
    observe(h, 'C', u);
    if (u->done)
        u->done(u);
}

void host_flush(struct host *h, enum urb_status status)
{
    struct urb *old = h->queue, *u;

    h->queue = NULL;
    h->in.urb = NULL;
    while ((u = old)) {
        old = u->next;
        complete(h, u, status);
    }
}

/* When the first transaction of a URB that is submitted now may start. */
static sim_time first_try(struct host *h, const struct urb *u)
{
    sim_time t = chip_now(h->chip) + h->timing.turnaround + u->delay;

    if (h->timing.frame_bound && u->type == URB_CONTROL &&
        h->s.port == PORT_ACTIVE)
        t = later(t, h->s.next_sof);
    return t;
}

void host_submit(struct host *h, struct urb *u)
{
    struct urb **p = &h->queue;

    if (u->address == 0xff)
        u->address = (uint8_t)h->s.address;
    u->status = URB_PENDING;
    u->actual = 0;
    u->stage = u->type == URB_CONTROL ? STAGE_SETUP : STAGE_DATA;
    u->toggle = 0;
    u->errors = 0;
    u->started = chip_now(h->chip);
    u->ready = first_try(h, u);
    u->next = NULL;
    while (*p)
        p = &(*p)->next;
    *p = u;
    observe(h, 'S', u);
    wire_touch(h->wire);
}

void host_cancel(struct host *h, struct urb *u)
{
    if (u->status != URB_PENDING)
        return;
    /* Without an ACK the chip keeps the packet for the next URB. */
    if (h->in.urb == u)
        wire_in_end(h->wire, u->endpoint & 15, false);
    complete(h, u, URB_CANCELLED);
    wire_touch(h->wire);
}

/* ---- transactions ---- */

/* From its start until the chip has to answer. */
static sim_time lead_time(struct host *h, const struct urb *u)
{
    if (token_of(u) == HOST_IN)
        return bits(BITS_TOKEN + BITS_GAP);
    return bits(BITS_TOKEN + BITS_GAP + BITS_DATA(out_size(h, u)) + BITS_GAP);
}

/* From its start until the bus is free again, at most. */
static sim_time whole_time(struct host *h, const struct urb *u)
{
    sim_time t = lead_time(h, u) + bits(BITS_HANDSHAKE + BITS_GAP);

    if (token_of(u) == HOST_IN)
        t += bits(BITS_DATA(ep_of(h, u)->max_packet) + BITS_GAP);
    return t;
}

/* A transaction that does not fit into the frame waits for the next one. */
static sim_time start_time(struct host *h, const struct urb *u)
{
    sim_time t = later(h->s.bus_free, u->ready);

    if (t + whole_time(h, u) > h->s.next_sof - bits(BITS_EOF))
        t = later(t, h->s.next_sof + bits(BITS_TOKEN + BITS_GAP));
    return t;
}

/* The first of its endpoint that may start first,
 * and of those the one that has waited longest. */
struct urb *host_next_urb(struct host *h, sim_time *when)
{
    struct urb *best = NULL;
    uint32_t seen = 0;

    *when = SIM_NEVER;
    if (h->s.port != PORT_ACTIVE || h->in.urb)
        return NULL;
    for (struct urb *u = h->queue; u; u = u->next) {
        uint32_t bit = (uint32_t)1 << host_ep_index(u->endpoint);
        sim_time t = start_time(h, u);

        if (seen & bit)
            continue;
        seen |= bit;
        if (best && (t > *when || (t == *when && u->ready >= best->ready)))
            continue;
        best = u;
        *when = t;
    }
    if (best)
        *when += lead_time(h, best);
    return best;
}

static void retry_error(struct host *h, struct urb *u)
{
    if (++u->errors >= ERROR_LIMIT) {
        complete(h, u, URB_GONE);
        return;
    }
    u->ready = h->s.bus_free + ERROR_RETRY;
}

/* A chip whose CPU waits for the flash refuses each of these: of those that
 * fit into the frame only the last one is carried out. */
static void skip_naks(struct host *h, struct urb *u)
{
    sim_time frozen = wire_frozen_until(h->wire);
    sim_time lead = lead_time(h, u), whole = whole_time(h, u), last;
    sim_time period =
        h->timing.nak_retry + lead + bits(BITS_HANDSHAKE + BITS_GAP);

    if (frozen <= u->ready + lead ||
        h->s.next_sof <= u->ready + whole + bits(BITS_EOF))
        return;
    last = frozen - lead - 1; /* when it may begin */
    if (last > h->s.next_sof - whole - bits(BITS_EOF))
        last = h->s.next_sof - whole - bits(BITS_EOF);
    last = (last - u->ready) / period * period;
    u->ready += last;
    h->s.bus_free += last;
}

static void retry_nak(struct host *h, struct urb *u)
{
    u->errors = 0;
    if (u->type == URB_INTERRUPT) {
        u->ready += ep_of(h, u)->interval * SIM_MS;
        return;
    }
    u->ready = h->s.bus_free + h->timing.nak_retry;
    if (!h->fault && h->queue == u && !u->next)
        skip_naks(h, u);
}

/* The packet of a control transfer's stage was accepted. */
static void control_next(struct host *h, struct urb *u, bool data_done)
{
    if (u->stage == STAGE_STATUS) {
        complete(h, u, URB_OK);
        return;
    }
    if (u->stage == STAGE_SETUP) {
        u->stage = u->length ? STAGE_DATA : STAGE_STATUS;
        u->toggle = 1; /* 8.5.3: the first packet after SETUP is DATA1 */
    } else if (data_done) {
        u->stage = STAGE_STATUS;
        u->toggle = 1;
    }
    u->ready = h->s.bus_free;
}

static void out_accepted(struct host *h, struct urb *u)
{
    size_t n = out_size(h, u);
    bool full = n == ep_of(h, u)->max_packet, data_done;

    u->errors = 0;
    if (u->stage == STAGE_DATA)
        u->actual += n;
    data_done = u->actual >= u->length && !(u->zero && full);
    if (u->type == URB_CONTROL) {
        u->toggle ^= 1;
        control_next(h, u, data_done);
        return;
    }
    ep_of(h, u)->toggle ^= 1;
    u->ready = h->s.bus_free;
    if (data_done)
        complete(h, u, URB_OK);
}

/* Any answer to SETUP and OUT, and an answer to IN that is not data. */
static void answered(struct host *h, struct urb *u, enum wire_result r)
{
    if (r == WIRE_TIMEOUT)
        retry_error(h, u);
    else if (token_of(u) == HOST_SETUP && r != WIRE_ACK)
        complete(h, u, URB_PROTOCOL); /* 8.5.3: SETUP must be accepted */
    else if (r == WIRE_NAK)
        retry_nak(h, u);
    else if (r == WIRE_STALL)
        complete(h, u, URB_STALL);
    else
        out_accepted(h, u);
}

static unsigned toggle_of(struct host *h, const struct urb *u)
{
    return u->type == URB_CONTROL ? u->toggle : ep_of(h, u)->toggle;
}

static enum host_fault ask_fault(struct host *h, const struct urb *u)
{
    return h->fault ? h->fault(h->fault_ctx, u, token_of(u)) : HOST_FAULT_NONE;
}

static void send_packet(struct host *h, struct urb *u, sim_time now)
{
    enum host_fault fault = ask_fault(h, u);
    enum wire_result r = WIRE_TIMEOUT;
    unsigned ep = u->endpoint & 15;

    if (fault == HOST_FAULT_CORRUPT)
        wire_bad_packet(h->wire);
    else if (token_of(u) == HOST_SETUP)
        r = wire_setup(h->wire, u->address, ep, u->setup);
    else
        r = wire_out(h->wire, u->address, ep, toggle_of(h, u),
                     u->data + u->actual, out_size(h, u));
    if (fault == HOST_FAULT_LOSE_ACK && r == WIRE_ACK)
        r = WIRE_TIMEOUT;
    h->s.bus_free = now + bits(r == WIRE_TIMEOUT ? BITS_TIMEOUT
                                                 : BITS_HANDSHAKE + BITS_GAP);
    answered(h, u, r);
}

static void ask_packet(struct host *h, struct urb *u, sim_time now)
{
    enum host_fault fault = ask_fault(h, u);
    enum wire_result r;

    r = wire_in_start(h->wire, u->address, u->endpoint & 15, h->in.data,
                      &h->in.n, &h->in.toggle);
    if (r == WIRE_ACK && fault == HOST_FAULT_CORRUPT) {
        wire_in_end(h->wire, u->endpoint & 15, false);
        r = WIRE_TIMEOUT;
    }
    if (r != WIRE_ACK) {
        h->s.bus_free =
            now +
            bits(r == WIRE_TIMEOUT ? BITS_TIMEOUT : BITS_HANDSHAKE + BITS_GAP);
        answered(h, u, r);
        return;
    }
    h->in.urb = u;
    h->in.lose_ack = fault == HOST_FAULT_LOSE_ACK;
    h->in.end = now + bits(BITS_DATA(h->in.n) + BITS_GAP + BITS_HANDSHAKE);
}

static void data_accepted(struct host *h, struct urb *u)
{
    size_t n = h->in.n, max = ep_of(h, u)->max_packet;
    bool done;

    if (u->stage == STAGE_STATUS) {
        if (n)
            complete(h, u, URB_PROTOCOL);
        else
            control_next(h, u, true);
        return;
    }
    if (n > max || n > u->length - u->actual) {
        complete(h, u, URB_BABBLE);
        return;
    }
    if (n)
        memcpy(u->data + u->actual, h->in.data, n);
    u->actual += n;
    u->ready = h->s.bus_free;
    done = n < max || u->actual == u->length;
    if (u->type == URB_CONTROL)
        control_next(h, u, done);
    else if (done)
        complete(h, u, URB_OK);
}

/* The chip's data packet has arrived and the host's ACK is out. */
void host_finish_in(struct host *h)
{
    struct urb *u = h->in.urb;
    struct host_ep *ep = ep_of(h, u);
    bool expected = h->in.toggle == toggle_of(h, u);
    bool duplicate = ep->duplicate;

    h->in.urb = NULL;
    h->s.bus_free = h->in.end + bits(BITS_GAP);
    u->errors = 0;
    wire_in_end(h->wire, u->endpoint & 15, !h->in.lose_ack);
    ep->duplicate = h->in.lose_ack;
    if (!expected && duplicate) { /* 8.6.4: acknowledged and dropped */
        u->ready = h->s.bus_free;
        return;
    }
    if (!expected) {
        complete(h, u, URB_PROTOCOL);
        return;
    }
    if (u->type == URB_CONTROL)
        u->toggle ^= 1;
    else
        ep->toggle ^= 1;
    data_accepted(h, u);
}

void host_packet(struct host *h, struct urb *u, sim_time now)
{
    if (h->s.port != PORT_ACTIVE)
        complete(h, u, URB_GONE);
    else if (token_of(u) == HOST_IN)
        ask_packet(h, u, now);
    else
        send_packet(h, u, now);
}
