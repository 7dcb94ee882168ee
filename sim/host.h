/* SPDX-License-Identifier: MIT */
/*
 * host.h - a USB host controller with one port, in virtual time: it turns
 * transfers (URBs) into transactions on the wire, keeps frames, toggles and
 * retries, and takes bit times into account.
 *
 * Used by the in-process host of the tests (synchronous calls at the end) and
 * by the front ends (asynchronous URBs).  Nothing in here depends on wall
 * time: the same calls give the same run.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "wire.h"

enum urb_status {
    URB_PENDING = 1,
    URB_OK = 0,
    URB_STALL = -1,
    URB_TIMEOUT = -2, /* host_* synchronous calls: limit reached */
    URB_GONE = -3,    /* device disconnected or does not answer */
    URB_CANCELLED = -4,
    URB_BABBLE = -5,   /* more data than asked for, or packet too long */
    URB_PROTOCOL = -6, /* wrong toggle, wrong handshake: the device's fault */
};

enum urb_type { URB_CONTROL, URB_BULK, URB_INTERRUPT };

/* A transfer.  Owned by the caller, must stay until done() was called. */
struct urb {
    enum urb_type type;
    uint8_t address;  /* filled from host when 0xff */
    uint8_t endpoint; /* number | 0x80 for IN; control: 0 */
    uint8_t setup[8]; /* control only */
    uint8_t *data;
    size_t length; /* to send, or room to receive */
    bool zero;     /* bulk OUT: when the last packet is full, an empty one
                      follows */
    size_t actual; /* bytes moved */
    int status;    /* enum urb_status */
    sim_time started, finished;
    void (*done)(struct urb *urb);
    void *ctx;
    sim_time delay;   /* submitted now, to be started so much later */
    struct urb *next; /* host's */
    /* host's bookkeeping of the transfer in progress */
    uint8_t stage, toggle, errors;
    sim_time ready; /* not before */
};

/* Stated turnaround of the host; all in virtual time. */
struct host_timing {
    sim_time nak_retry;  /* between a NAK and the next try */
    sim_time turnaround; /* between end of a URB and the first transaction of
                            the next one */
    bool frame_bound;    /* a new control URB starts in the next 1 ms frame */
};
extern const struct host_timing host_timing_fast; /* tests */
extern const struct host_timing host_timing_pc;   /* 1 ms frames, bench */

/* A usbmon-like observer: called for each URB at submit ('S') and at
 * completion ('C'); for pcap.c. */
typedef void host_monitor_fn(void *ctx, char type, const struct urb *urb,
                             sim_time now);

/* Damage on the cable, for tests of data toggles (USB 2.0, 8.6.4, 8.7). */
enum host_fault {
    HOST_FAULT_NONE,
    /* The handshake is lost.  After OUT and SETUP the host sends the packet
     * again; after IN the host has the data and the chip sends it again. */
    HOST_FAULT_LOSE_ACK,
    /* The data packet is damaged: its receiver drops it, the host retries. */
    HOST_FAULT_CORRUPT,
};
enum host_token { HOST_SETUP, HOST_OUT, HOST_IN };
/* Asked once for each transaction; urb->actual and urb->stage (0 SETUP,
 * 1 data, 2 status; bulk 1) say how far the transfer is. */
typedef enum host_fault host_fault_fn(void *ctx, const struct urb *urb,
                                      enum host_token token);

struct host;
/* One host for a chip at a time.  NULL: no USB block, or out of memory. */
struct host *host_new(struct chip *c, const struct host_timing *timing);
void host_free(struct host *h);
void host_monitor(struct host *h, host_monitor_fn *fn, void *ctx);
void host_on_fault(struct host *h, host_fault_fn *fn, void *ctx);
/* Told when the device appears (after 100 ms debounce) or goes. */
void host_on_attach(struct host *h, void (*fn)(void *ctx, bool attached),
                    void *ctx);

struct chip *host_chip(const struct host *h);
bool host_attached(const struct host *h);
/* 10 ms of SE0 and 10 ms of recovery in virtual time, asynchronous; address
 * becomes 0. */
void host_bus_reset(struct host *h);
bool host_reset_busy(const struct host *h);
/* SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(ENDPOINT_HALT) that
 * succeed reset the host's toggles as well, as every host stack does.
 *
 * A snapshot (chip.h) is taken while no URB is pending; those that are pending
 * at a restore are cancelled. */
void host_submit(struct host *h, struct urb *urb);
void host_cancel(struct host *h, struct urb *urb); /* done() comes at once */
/* The host's own view of the address and of the endpoint toggles. */
void host_set_address(struct host *h, unsigned address);
void host_clear_toggle(struct host *h, unsigned endpoint);
unsigned host_address(const struct host *h);
/* Stops SOFs (the chip sees suspend 3 ms later), or drives 20 ms of resume.
 * URBs wait meanwhile. */
void host_suspend(struct host *h, bool suspended);
/* wMaxPacketSize, polling interval in frames: learnt from the descriptors that
 * pass through control transfers; 64 and 1 before that. */
void host_set_endpoint(struct host *h, unsigned endpoint, unsigned max_packet,
                       unsigned interval);
unsigned host_max_packet(const struct host *h, unsigned endpoint);

/* ---- synchronous calls for tests: they run the chip ---- */

/* Runs until attached, then bus reset, GET_DESCRIPTOR(8), SET_ADDRESS,
 * device descriptor, configuration, SET_CONFIGURATION(its first value).  Begins
 * anew when the device leaves meanwhile.  0 or a negative enum urb_status. */
int host_enumerate(struct host *h);
/* A control transfer with a 5 s limit (virtual).  Returns bytes moved (data
 * stage) or a negative enum urb_status. */
int host_control(struct host *h, uint8_t bmRequestType, uint8_t bRequest,
                 uint16_t wValue, uint16_t wIndex, void *data,
                 uint16_t wLength);
int host_bulk(struct host *h, unsigned endpoint, void *data, size_t length,
              sim_time limit);
/* The next SOF has a number that is so much higher: more frames have passed,
 * for a device that counts them. */
void host_skip_frames(struct host *h, unsigned frames);
/* Runs the chip for a while with the bus idle (SOFs go on). */
void host_wait(struct host *h, sim_time time);
/* Any URB, run to its end or to the limit; returns bytes moved or a negative
 * enum urb_status.  URB_GONE at a power cut. */
int host_run_urb(struct host *h, struct urb *urb, sim_time limit);
/* Runs the chip until attached() == want or the limit; 0 or URB_TIMEOUT. */
int host_wait_attach(struct host *h, bool want, sim_time limit);

#endif
