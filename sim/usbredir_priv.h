/* SPDX-License-Identifier: MIT */
/*
 * usbredir_priv.h - what usbredir.c (the device, the client) and
 * usbredir_urb.c (transfers) share.
 */
#ifndef SIM_USBREDIR_PRIV_H
#define SIM_USBREDIR_PRIV_H

#include <usbredirparser.h>

#include "usbredir.h"
#include "usbredir_info.h"

struct usbredir {
    struct front *front;

    int listener, client; /* -1: none */
    char address[64];
    struct usbredirparser *parser;
    bool hello, closing;
    bool alone, quiet; /* nobody to be accepted; nothing to be read: as
                          usbredir_polled() was told */

    bool told;          /* the peer knows of the device */
    bool ack_owed;      /* the peer has not acknowledged a disconnect */
    uint8_t device[18]; /* as the peer was told */
    uint8_t configuration;
    uint8_t alt[DESC_INTERFACES];
};

/* ---- usbredir.c ---- */

/* Tells the peer of the current interfaces and endpoints. */
void redir_send_info(struct usbredir *r);

/* ---- usbredir_urb.c ---- */

/* The parser calls us for everything that becomes a transfer. */
void redir_urb_callbacks(struct usbredirparser *p);
bool redir_answer(void *ctx, struct transfer *t);

#endif
