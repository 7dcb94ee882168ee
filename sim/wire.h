/* SPDX-License-Identifier: MIT */
/*
 * wire.h - a full-speed USB cable between one host and the chip, at packet
 * level: what a protocol analyser would show, one transaction at a time.
 *
 * The chip's USB block implements struct wire_ops; host.c calls wire_*().
 * Errors of the wire itself (lost packets, bad CRC) can be asked for by the
 * caller, so that data toggles can be tested.
 *
 * Source: USB 2.0, clauses 7.1.7 (signalling), 8.4 to 8.6 (packets, toggles).
 */
#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "chip.h"

enum wire_result {
    WIRE_ACK,
    WIRE_NAK,
    WIRE_STALL,
    WIRE_TIMEOUT, /* no answer: no such address, endpoint, or device */
};

/* What a USB block does with what the host sends.  `dev` is the block's
 * state.  addr and ep are the token's; toggle is 0 or 1. */
struct wire_ops {
    enum wire_result (*setup)(struct chip *c, void *dev, unsigned addr,
                              unsigned ep, const uint8_t data[8]);
    enum wire_result (*out)(struct chip *c, void *dev, unsigned addr,
                            unsigned ep, unsigned toggle, const uint8_t *data,
                            size_t n);
    /* Fills data (64 bytes at least) and *n, *toggle; returns WIRE_ACK when
     * the block sent data.  The host's handshake follows in in_ack(). */
    enum wire_result (*in)(struct chip *c, void *dev, unsigned addr,
                           unsigned ep, uint8_t *data, size_t *n,
                           unsigned *toggle);
    /* acked false: the host's ACK was lost, the block will send again. */
    void (*in_ack)(struct chip *c, void *dev, unsigned ep, bool acked);
    void (*sof)(struct chip *c, void *dev, unsigned frame);
    void (*bus_reset)(struct chip *c, void *dev, bool begin);
    /* No SOF for 3 ms / activity again. */
    void (*suspend)(struct chip *c, void *dev, bool suspended);
    /* A packet that cannot be decoded went by (bad CRC, bit stuffing).  May be
     * NULL. */
    void (*bad_packet)(struct chip *c, void *dev);
    /* The cable was plugged in or out: VBUS came or went.  May be NULL. */
    void (*vbus)(struct chip *c, void *dev, bool on);
};

/* ---- host side ---- */

/* True while the host sees a pull-up on D+ (debounce is the host's job). */
bool wire_attached(struct wire *w);
/* True while the cable is plugged in: the host supplies VBUS. */
bool wire_plugged(struct wire *w);
/* Plug or unplug the cable; plugged in when the chip is made. */
void wire_plug(struct wire *w, bool plugged);
/* Up to then, not at it, the same transaction gets the same answer and leaves
 * the same state behind, whether it came once or many times; 0: not known. */
sim_time wire_frozen_until(struct wire *w);
/* Transactions.  They take no virtual time by themselves: the caller (host.c)
 * schedules them and accounts for bit times. */
enum wire_result wire_setup(struct wire *w, unsigned addr, unsigned ep,
                            const uint8_t data[8]);
enum wire_result wire_out(struct wire *w, unsigned addr, unsigned ep,
                          unsigned toggle, const uint8_t *data, size_t n);
/* lose_ack: the device's data arrives, the host's ACK does not. */
enum wire_result wire_in(struct wire *w, unsigned addr, unsigned ep,
                         uint8_t *data, size_t *n, unsigned *toggle,
                         bool lose_ack);
/* wire_in() in two steps, for a host that lets time pass while the data is on
 * the wire.  wire_in_end() only after WIRE_ACK. */
enum wire_result wire_in_start(struct wire *w, unsigned addr, unsigned ep,
                               uint8_t *data, size_t *n, unsigned *toggle);
void wire_in_end(struct wire *w, unsigned ep, bool acked);
/* The host sends a packet that is damaged on its way. */
void wire_bad_packet(struct wire *w);
void wire_sof(struct wire *w, unsigned frame);
void wire_bus_reset(struct wire *w, bool begin);
void wire_suspend(struct wire *w, bool suspended);

/* A host controller hooks into the chip's clock: chip_run() calls event()
 * when deadline() is reached.  attach_changed() is called as soon as the
 * pull-up appears or goes; it may be inside a store of the firmware, so it
 * only takes note and asks for an event().  state/state_size are part of chip
 * snapshots and hold no pointer that a restore would make stale; restored()
 * follows a restore and may be NULL.  One host at a time: NULL takes it off. */
struct wire_host {
    sim_time (*deadline)(void *host);
    void (*event)(void *host);
    void (*attach_changed)(void *host, bool attached);
    void *state;
    size_t state_size;
    void (*restored)(void *host);
    void *host; /* handed to the functions above */
};
void wire_set_host(struct wire *w, const struct wire_host *host);
/* The host's deadline moved although nothing happened on the wire. */
void wire_touch(struct wire *w);
/* A line for the world outside, kind EV_USB. */
void wire_report(struct wire *w, const char *text);

#endif
