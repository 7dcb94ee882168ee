/* SPDX-License-Identifier: MIT */
/*
 * usbredir_priv.h - what usbredir.c (the device, the client) and
 * usbredir_urb.c (transfers) share.
 */
#ifndef SIM_USBREDIR_PRIV_H
#define SIM_USBREDIR_PRIV_H

#include <usbredirparser.h>

#include "enumerate.h"
#include "usbredir.h"
#include "usbredir_info.h"

struct transfer;

struct usbredir {
    struct host *host;
    void (*print)(void *ctx, const char *line);
    void *print_ctx;

    int listener, client; /* -1: none */
    char address[64];
    struct usbredirparser *parser;
    bool hello, closing;

    struct enumerator en;
    bool ready;         /* enumerated, transfers go to the chip */
    bool told;          /* the peer knows of the device */
    bool ack_owed;      /* the peer has not acknowledged a disconnect */
    uint8_t device[18]; /* as the peer was told */
    uint8_t configuration;
    uint8_t alt[INFO_INTERFACES];
    struct transfer *transfers;
};

/* ---- usbredir.c ---- */

/* Tells the peer of the current interfaces and endpoints. */
void redir_send_info(struct usbredir *r);

/* ---- usbredir_urb.c ---- */

/* The parser calls us for everything that becomes a transfer. */
void redir_urb_callbacks(struct usbredirparser *p);
/* What waited for the enumeration: to the chip, or back with an error. */
void redir_submit_waiting(struct usbredir *r);
void redir_fail_waiting(struct usbredir *r);
/* Ends all, waiting or with the host; the peer is told. */
void redir_cancel_all(struct usbredir *r);
/* Some transfer waits for the chip to work. */
bool redir_urb_busy(const struct usbredir *r);

#endif
