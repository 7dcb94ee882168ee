/* SPDX-License-Identifier: MIT */
/*
 * host_priv.h - what host.c (port, frames, clock) and host_urb.c (transfers)
 * share.  Internal to the host controller.
 */
#ifndef SIM_HOST_PRIV_H
#define SIM_HOST_PRIV_H

#include "host_ep.h"

/* Bit times of a packet: SYNC 8, PID 8, fields, EOP 3 (USB 2.0, 8.3). */
#define BITS_TOKEN 35 /* address 7+4, CRC 5 */
#define BITS_GAP   4  /* 7.1.18: between 2 and 7.5 */

enum port_state {
    PORT_EMPTY,
    PORT_DEBOUNCE,
    PORT_ATTACHED, /* nobody has reset it yet: no SOF */
    PORT_RESET,
    PORT_RECOVERY,
    PORT_ACTIVE,
    PORT_SUSPENDED,
    PORT_RESUME,
};

/* Goes into snapshots: no pointers. */
struct host_state {
    enum port_state port;
    sim_time port_until; /* end of DEBOUNCE, RESET, RECOVERY, RESUME */
    sim_time gone_at;    /* pull-up is off: disconnected from then on */
    sim_time idle_at;    /* tell the chip of suspend */
    sim_time next_sof;
    sim_time bus_free;
    unsigned frame;
    unsigned address;
    struct host_eps eps;
};

struct host {
    struct chip *chip;
    struct wire *wire;
    struct host_timing timing;
    struct host_state s;
    struct urb *queue; /* in order of submission */
    /* The data packet that the chip is sending. */
    struct {
        struct urb *urb; /* NULL: none */
        sim_time end;
        bool lose_ack;
        unsigned toggle;
        size_t n;
        uint8_t data[1024];
    } in;
    host_monitor_fn *monitor;
    void *monitor_ctx;
    host_fault_fn *fault;
    void *fault_ctx;
    void (*attach)(void *ctx, bool attached);
    void *attach_ctx;
};

static inline sim_time bits(unsigned n)
{
    return (sim_time)n * SIM_US / 12;
}

static inline sim_time later(sim_time a, sim_time b)
{
    return a > b ? a : b;
}

/* ---- host_urb.c ---- */

/* Ends all URBs that are queued now; done() may submit new ones. */
void host_flush(struct host *h, enum urb_status status);
/* The URB whose turn it is, and when the chip has to answer; NULL: none. */
struct urb *host_next_urb(struct host *h, sim_time *when);
/* Carries out its next transaction.  now: as host_next_urb() said. */
void host_packet(struct host *h, struct urb *u, sim_time now);
/* The data packet of host.in has arrived. */
void host_finish_in(struct host *h);

#endif
