/* SPDX-License-Identifier: MIT */
/* host_ep.c - see host_ep.h. */
#include "host_ep.h"

#include <string.h>

/* USB 2.0, table 9-4, 9-5, 9-6 */
#define CLEAR_FEATURE     1
#define GET_DESCRIPTOR    6
#define SET_CONFIGURATION 9
#define SET_INTERFACE     11
#define DT_DEVICE         1
#define DT_CONFIG         2
#define DT_INTERFACE      4
#define DT_ENDPOINT       5
#define FS_PACKET         64

unsigned host_ep_index(unsigned endpoint)
{
    return (endpoint & 15) | ((endpoint & 0x80) ? 16 : 0);
}

void host_eps_reset(struct host_eps *eps)
{
    memset(eps, 0, sizeof(*eps));
    for (unsigned i = 0; i < 32; i++) {
        eps->ep[i].max_packet = FS_PACKET;
        eps->ep[i].interval = 1;
    }
}

/* Toggles back to DATA0: of one interface, or of all (-1). */
static void clear_toggles(struct host_eps *eps, int interface)
{
    for (unsigned i = 0; i < 32; i++) {
        if (interface >= 0 && eps->ep[i].interface != interface)
            continue;
        eps->ep[i].toggle = 0;
        eps->ep[i].duplicate = false;
    }
}

static void learn_device(struct host_eps *eps, const uint8_t *d, size_t n)
{
    if (n < 8 || d[1] != DT_DEVICE || !d[7])
        return;
    eps->ep[0].max_packet = d[7];
    eps->ep[16].max_packet = d[7];
}

static void learn_endpoint(struct host_eps *eps, const uint8_t *d,
                           uint8_t interface)
{
    struct host_ep *ep = &eps->ep[host_ep_index(d[2])];

    ep->max_packet = (uint16_t)((d[4] | d[5] << 8) & 0x7ff);
    ep->interval = d[6] ? d[6] : 1;
    ep->interface = interface;
}

static void learn_config(struct host_eps *eps, const uint8_t *d, size_t n)
{
    uint8_t interface = 0;

    for (size_t i = 0; i + 2 <= n && d[i] >= 2 && i + d[i] <= n; i += d[i]) {
        if (d[i + 1] == DT_INTERFACE && d[i] >= 9)
            interface = d[i + 2];
        else if (d[i + 1] == DT_ENDPOINT && d[i] >= 7)
            learn_endpoint(eps, d + i, interface);
    }
}

static void learn_descriptor(struct host_eps *eps, const struct urb *urb)
{
    if (urb->setup[3] == DT_DEVICE)
        learn_device(eps, urb->data, urb->actual);
    else if (urb->setup[3] == DT_CONFIG)
        learn_config(eps, urb->data, urb->actual);
}

void host_eps_learn(struct host_eps *eps, const struct urb *urb)
{
    const uint8_t *s = urb->setup;

    if (s[0] == 0x80 && s[1] == GET_DESCRIPTOR)
        learn_descriptor(eps, urb);
    else if (s[0] == 0x00 && s[1] == SET_CONFIGURATION)
        clear_toggles(eps, -1);
    else if (s[0] == 0x01 && s[1] == SET_INTERFACE)
        clear_toggles(eps, s[4]);
    else if (s[0] == 0x02 && s[1] == CLEAR_FEATURE && !s[2] && (s[4] & 15))
        eps->ep[host_ep_index(s[4])].toggle = 0;
}
