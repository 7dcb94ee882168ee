/* SPDX-License-Identifier: MIT */
/*
 * host_ep.h - what the host remembers of a device's endpoints: data toggles,
 * packet sizes, polling intervals.  Internal to host.c.
 *
 * Source: USB 2.0, 9.4.1, 9.4.5, 9.4.7, 9.4.10 (toggles), 9.6 (descriptors).
 */
#ifndef SIM_HOST_EP_H
#define SIM_HOST_EP_H

#include "host.h"

struct host_ep {
    uint16_t max_packet;
    uint8_t interval; /* frames */
    uint8_t interface;
    uint8_t toggle;
    /* The chip did not get our ACK: its next packet may be one we have. */
    bool duplicate;
};

struct host_eps {
    struct host_ep ep[32]; /* by host_ep_index() */
};

/* endpoint as in bEndpointAddress */
unsigned host_ep_index(unsigned endpoint);
/* After power-on and bus reset. */
void host_eps_reset(struct host_eps *eps);
/* A control transfer ended well: draw the conclusions a host draws. */
void host_eps_learn(struct host_eps *eps, const struct urb *urb);

#endif
