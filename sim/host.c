/* SPDX-License-Identifier: MIT */
/*
 * host.c - the host controller: its port, its frames and its clock.
 * host_urb.c has the transfers, host_ep.c the endpoints, host_sync.c the calls
 * that run the chip.
 *
 * It does not model hubs, isochronous transfers, low or high speed.
 *
 * Source: USB 2.0, 7.1.7 (attach, reset, suspend).
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include "host_priv.h"

#define DEBOUNCE   (100 * SIM_MS)  /* 7.1.7.3 TATTDB */
#define DISCONNECT (2500 * SIM_NS) /* 7.1.7.3 TDDIS */
#define RESET_SE0  (10 * SIM_MS)   /* 7.1.7.5 TDRST */
#define RECOVERY   (10 * SIM_MS)   /* 7.1.7.5 TRSTRCY */
#define RESUME     (20 * SIM_MS)   /* 7.1.7.7 TDRSMDN */
#define IDLE       (3 * SIM_MS)    /* 7.1.7.6: suspend */
#define FRAME      SIM_MS
const struct host_timing host_timing_fast = {
    .nak_retry = 10 * SIM_US,
    .turnaround = 20 * SIM_US,
    .frame_bound = false,
};
const struct host_timing host_timing_pc = {
    .nak_retry = 50 * SIM_US,
    .turnaround = 100 * SIM_US,
    .frame_bound = true,
};

/* ---- port ---- */

static void set_port(struct host *h, enum port_state port, sim_time until)
{
    h->s.port = port;
    h->s.port_until = until;
}

static void attach_changed(void *host, bool attached)
{
    struct host *h = host;
    sim_time now = chip_now(h->chip);

    if (!attached) {
        if (h->s.port > PORT_DEBOUNCE)
            h->s.gone_at = now + DISCONNECT;
        else
            set_port(h, PORT_EMPTY, SIM_NEVER);
        h->s.idle_at = SIM_NEVER;
    } else if (h->s.gone_at == now + DISCONNECT) {
        h->s.gone_at = now; /* no firmware is so fast: power was off and on */
    } else if (h->s.gone_at != SIM_NEVER) {
        h->s.gone_at = SIM_NEVER; /* too short to be seen */
    } else {
        set_port(h, PORT_DEBOUNCE, now + DEBOUNCE);
        h->s.idle_at = now + IDLE;
    }
    wire_touch(h->wire);
}

static void port_gone(struct host *h)
{
    if (h->s.port == PORT_RESET)
        wire_bus_reset(h->wire, false);
    h->s.gone_at = SIM_NEVER;
    h->s.next_sof = SIM_NEVER;
    h->s.idle_at = SIM_NEVER;
    h->s.address = 0;
    set_port(h, PORT_EMPTY, SIM_NEVER);
    host_eps_reset(&h->s.eps);
    if (wire_attached(h->wire))
        attach_changed(h, true);
    host_flush(h, URB_GONE);
    if (h->attach)
        h->attach(h->attach_ctx, false);
}

static void start_frames(struct host *h, sim_time now)
{
    h->s.next_sof = now;
    h->s.bus_free = now + bits(BITS_TOKEN + BITS_GAP);
}

static void port_step(struct host *h, sim_time now)
{
    switch (h->s.port) {
    case PORT_DEBOUNCE:
        set_port(h, PORT_ATTACHED, SIM_NEVER);
        if (h->attach)
            h->attach(h->attach_ctx, true);
        break;
    case PORT_RESET:
        wire_bus_reset(h->wire, false);
        start_frames(h, now);
        set_port(h, PORT_RECOVERY, now + RECOVERY);
        break;
    case PORT_RESUME:
        start_frames(h, now);
        set_port(h, PORT_RECOVERY, now + RECOVERY);
        break;
    default:
        set_port(h, PORT_ACTIVE, SIM_NEVER);
    }
}

void host_bus_reset(struct host *h)
{
    if (h->s.port < PORT_ATTACHED)
        return;
    set_port(h, PORT_RESET, chip_now(h->chip) + RESET_SE0);
    h->s.address = 0;
    h->s.next_sof = SIM_NEVER;
    h->s.idle_at = SIM_NEVER;
    host_eps_reset(&h->s.eps);
    wire_bus_reset(h->wire, true);
    host_flush(h, URB_CANCELLED);
    wire_touch(h->wire);
}

bool host_reset_busy(const struct host *h)
{
    return h->s.port == PORT_RESET || h->s.port == PORT_RECOVERY;
}

void host_suspend(struct host *h, bool suspended)
{
    sim_time now = chip_now(h->chip);

    if (suspended && h->s.port == PORT_ACTIVE) {
        set_port(h, PORT_SUSPENDED, SIM_NEVER);
        h->s.next_sof = SIM_NEVER;
        h->s.idle_at = now + IDLE;
    } else if (!suspended && h->s.port == PORT_SUSPENDED) {
        set_port(h, PORT_RESUME, now + RESUME);
        h->s.idle_at = SIM_NEVER;
        wire_suspend(h->wire, false);
    }
    wire_touch(h->wire);
}

/* ---- the chip's clock calls ---- */

enum happening {
    HAPPENS_GONE,
    HAPPENS_PORT,
    HAPPENS_IDLE,
    HAPPENS_IN_END,
    HAPPENS_SOF,
    HAPPENS_PACKET,
    HAPPENINGS
};

/* What comes next, and when. */
static sim_time next_event(struct host *h, enum happening *what, struct urb **u)
{
    sim_time at[HAPPENINGS] = {
        [HAPPENS_GONE] = h->s.gone_at,
        [HAPPENS_PORT] = h->s.port_until,
        [HAPPENS_IDLE] = h->s.idle_at,
        [HAPPENS_IN_END] = h->in.urb ? h->in.end : SIM_NEVER,
        [HAPPENS_SOF] = h->s.next_sof,
    };

    *u = host_next_urb(h, &at[HAPPENS_PACKET]);
    if (h->queue && h->s.port <= PORT_ATTACHED) {
        *u = h->queue; /* nobody there: ends at once */
        at[HAPPENS_PACKET] = h->queue->ready;
    }
    *what = HAPPENS_GONE;
    for (enum happening i = HAPPENS_PORT; i < HAPPENINGS; i++)
        if (at[i] < at[*what])
            *what = i;
    return at[*what];
}

static sim_time deadline(void *host)
{
    enum happening what;
    struct urb *u;

    return next_event(host, &what, &u);
}

void host_skip_frames(struct host *h, unsigned frames)
{
    h->s.frame = (h->s.frame + frames) & 0x7ff;
}

static void send_sof(struct host *h)
{
    sim_time end = h->s.next_sof + bits(BITS_TOKEN + BITS_GAP);

    h->s.next_sof += FRAME;
    h->s.bus_free = later(h->s.bus_free, end);
    h->s.frame = (h->s.frame + 1) & 0x7ff;
    wire_sof(h->wire, h->s.frame);
}

static void event(void *host)
{
    struct host *h = host;
    enum happening what;
    struct urb *u;
    sim_time now = next_event(h, &what, &u);

    if (now > chip_now(h->chip))
        return;
    switch (what) {
    case HAPPENS_GONE:
        port_gone(h);
        break;
    case HAPPENS_PORT:
        port_step(h, now);
        break;
    case HAPPENS_IDLE:
        h->s.idle_at = SIM_NEVER;
        wire_suspend(h->wire, true);
        break;
    case HAPPENS_IN_END:
        host_finish_in(h);
        break;
    case HAPPENS_SOF:
        send_sof(h);
        break;
    default:
        host_packet(h, u, now);
    }
}

/* The URBs belong to a future that did not happen. */
static void restored(void *host)
{
    struct host *h = host;

    host_flush(h, URB_CANCELLED);
}

/* ---- life and small questions ---- */

struct host *host_new(struct chip *c, const struct host_timing *timing)
{
    struct host *h = chip_wire(c) ? calloc(1, sizeof(*h)) : NULL;

    if (!h)
        return NULL;
    h->chip = c;
    h->wire = chip_wire(c);
    h->timing = *timing;
    h->s.port_until = h->s.gone_at = h->s.idle_at = SIM_NEVER;
    h->s.next_sof = SIM_NEVER;
    host_eps_reset(&h->s.eps);
    wire_set_host(h->wire, &(struct wire_host){.deadline = deadline,
                                               .event = event,
                                               .attach_changed = attach_changed,
                                               .state = &h->s,
                                               .state_size = sizeof(h->s),
                                               .restored = restored,
                                               .host = h});
    if (wire_attached(h->wire))
        attach_changed(h, true);
    return h;
}

void host_free(struct host *h)
{
    if (!h)
        return;
    host_flush(h, URB_CANCELLED);
    wire_set_host(h->wire, NULL);
    free(h);
}

void host_monitor(struct host *h, host_monitor_fn *fn, void *ctx)
{
    h->monitor = fn;
    h->monitor_ctx = ctx;
}

void host_on_fault(struct host *h, host_fault_fn *fn, void *ctx)
{
    h->fault = fn;
    h->fault_ctx = ctx;
}

void host_on_attach(struct host *h, void (*fn)(void *ctx, bool attached),
                    void *ctx)
{
    h->attach = fn;
    h->attach_ctx = ctx;
}

struct chip *host_chip(const struct host *h)
{
    return h->chip;
}

bool host_attached(const struct host *h)
{
    return h->s.port >= PORT_ATTACHED;
}

void host_set_address(struct host *h, unsigned address)
{
    char text[32];

    h->s.address = address;
    snprintf(text, sizeof(text), "address %u", address);
    wire_report(h->wire, text);
}

unsigned host_address(const struct host *h)
{
    return h->s.address;
}

void host_clear_toggle(struct host *h, unsigned endpoint)
{
    struct host_ep *ep = &h->s.eps.ep[host_ep_index(endpoint)];

    ep->toggle = 0;
    ep->duplicate = false;
}

void host_set_endpoint(struct host *h, unsigned endpoint, unsigned max_packet,
                       unsigned interval)
{
    struct host_ep *ep = &h->s.eps.ep[host_ep_index(endpoint)];

    ep->max_packet = (uint16_t)max_packet;
    ep->interval = (uint8_t)interval;
}

unsigned host_max_packet(const struct host *h, unsigned endpoint)
{
    return h->s.eps.ep[host_ep_index(endpoint)].max_packet;
}
