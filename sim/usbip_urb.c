/* SPDX-License-Identifier: MIT */
/*
 * usbip_urb.c - USBIP_CMD_SUBMIT and USBIP_CMD_UNLINK as transfers of our
 * host, and their answers.
 *
 * A vhci_hcd keeps to itself what a host controller does with the port and
 * SET_ADDRESS; no message says that the port was reset.  But after each reset
 * Linux (hub_port_init) and Windows read 64 bytes of the device descriptor at
 * address 0, which they never do later: that request, unless it is the first
 * one since our own reset, resets the chip.  SET_FEATURE(PORT_RESET), which
 * usbip-host takes for a reset, does so too.
 *
 * Source: Linux, Documentation/usb/usbip_protocol.rst and
 * Documentation/driver-api/usb/error-codes.rst.
 */
#include <string.h>

#include "usbip_priv.h"

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };
enum { DIR_OUT, DIR_IN };
enum { AT_LENGTH = 0x18, AT_PACKETS = 0x20, AT_SETUP = 0x28 };
enum { SHORT_NOT_OK = 0x0001, ZERO_PACKET = 0x0040 }; /* transfer_flags */
enum { ISO_DESCRIPTOR = 16, ISO_PACKETS_MAX = 1024 };

/* Errors on the wire have Linux's numbers, whatever the system has. */
enum {
    NO_ENDPOINT = -2,   /* ENOENT */
    NO_MEMORY = -12,    /* ENOMEM */
    INVALID = -22,      /* EINVAL: transfer type not supported */
    STALLED = -32,      /* EPIPE */
    BAD_LENGTH = -53,   /* EBADR: wLength is not the buffer's length */
    BAD_PROTOCOL = -71, /* EPROTO */
    OVERFLOW = -75,     /* EOVERFLOW: babble */
    UNLINKED = -104,    /* ECONNRESET */
    SHUT_DOWN = -108,   /* ESHUTDOWN: the device is gone */
    SHORT_READ = -121,  /* EREMOTEIO */
};

struct submit {
    uint32_t seqnum, flags, packets;
    size_t length;
    bool in;
    unsigned endpoint; /* with 0x80 for IN */
    const uint8_t *setup, *data;
};

/* ---- answers ---- */

static void ret_submit(struct usbip *u, uint32_t seqnum, uint32_t packets,
                       int status, size_t actual, const uint8_t *data)
{
    size_t n = data ? actual : 0;
    uint8_t *m = usbip_reply(u->owner, URB_HEADER + n);

    if (!m)
        return;
    put32(m, RET_SUBMIT);
    put32(m + 4, seqnum);
    put32(m + 0x14, (uint32_t)status);
    put32(m + AT_LENGTH, (uint32_t)actual);
    put32(m + AT_PACKETS, packets);
    if (n)
        memcpy(m + URB_HEADER, data, n);
}

static int status_of(struct usbip *u, const struct transfer *t)
{
    switch (t->urb.status) {
    case URB_OK:
        break;
    case URB_STALL:
        return STALLED;
    case URB_BABBLE:
        return OVERFLOW;
    case URB_GONE:
        return host_attached(u->front->host) ? BAD_PROTOCOL : SHUT_DOWN;
    default:
        return BAD_PROTOCOL;
    }
    if (front_is_in(t) && t->kind & SHORT_NOT_OK &&
        t->urb.actual < t->urb.length)
        return SHORT_READ;
    return 0;
}

static void note_interface(struct usbip *u, const struct transfer *t)
{
    const uint8_t *s = t->urb.setup;

    if (t->urb.type != URB_CONTROL || t->urb.status != URB_OK)
        return;
    if (s[0] == 0x00 && s[1] == 9) /* SET_CONFIGURATION */
        memset(u->alt, 0, sizeof(u->alt));
    else if (s[0] == 0x01 && s[1] == 11 && s[4] < DESC_INTERFACES)
        u->alt[s[4]] = s[2];
}

bool usbip_answer(void *ctx, struct transfer *t)
{
    struct usbip *u = ctx;

    note_interface(u, t);
    if (!t->stopped)
        ret_submit(u, (uint32_t)t->id, t->number, status_of(u, t),
                   t->urb.actual, front_is_in(t) ? t->data : NULL);
    return false;
}

/* ---- requests that are not passed on ---- */

static void reset(struct usbip *u)
{
    struct transfer *t;

    while ((t = u->front->transfers)) /* ends with EPROTO */
        front_cancel(t);
    memset(u->alt, 0, sizeof(u->alt));
    u->used = false;
    front_enumerate(u->front);
}

static bool is_request(const uint8_t *s, uint8_t type, uint8_t request)
{
    return s[0] == type && s[1] == request;
}

/* True: there is nothing more to be done. */
static bool take_request(struct usbip *u, const struct submit *s)
{
    static const uint8_t after_reset[8] = {0x80, 6, 0, 1, 0, 0, 64, 0};

    if (u->used && !memcmp(s->setup, after_reset, 8))
        reset(u);
    else if (is_request(s->setup, 0x23, 3) && s->setup[2] == 4)
        reset(u); /* to a port: SET_FEATURE(PORT_RESET) */
    if (!is_request(s->setup, 0x23, 3) && !is_request(s->setup, 0x00, 5))
        return false;
    /* Nor does SET_ADDRESS concern the chip, which has its own. */
    ret_submit(u, s->seqnum, s->packets, 0, 0, NULL);
    return true;
}

/* ---- requests that become transfers ---- */

static bool too_much(const struct usbip *u, size_t more)
{
    size_t bytes = more, n = 0;

    for (const struct transfer *t = u->front->transfers; t; t = t->next) {
        bytes += t->urb.length;
        n++;
    }
    return n >= URB_PENDING_MAX || bytes > URB_BYTES_MAX;
}

/* The type of the transfer, or what is wrong with the request. */
static int type_of(const struct usbip *u, const struct submit *s)
{
    const struct enumerator *en = &u->front->en;
    const uint8_t *d;

    if (s->packets && s->packets != UINT32_MAX)
        return INVALID;
    if (!(s->endpoint & 15)) {
        if (s->length != (s->setup[6] | (unsigned)s->setup[7] << 8))
            return BAD_LENGTH;
        if (s->length && s->in != !!(s->setup[0] & 0x80))
            return INVALID;
        return URB_CONTROL;
    }
    d = desc_endpoint(en->config, en->config_size, u->alt, s->endpoint);
    if (!d)
        return NO_ENDPOINT;
    switch (d[3] & 3) {
    case 2:
        return URB_BULK;
    case 3:
        return URB_INTERRUPT;
    default:
        return INVALID;
    }
}

static void start(struct usbip *u, const struct submit *s, enum urb_type type)
{
    unsigned endpoint = type == URB_CONTROL ? 0 : s->endpoint;
    struct transfer *t =
        too_much(u, s->length)
            ? NULL
            : front_transfer(u->front, type, endpoint, s->seqnum, s->length);

    if (!t) {
        ret_submit(u, s->seqnum, s->packets, NO_MEMORY, 0, NULL);
        return;
    }
    t->kind = s->flags;
    t->number = s->packets;
    t->urb.zero =
        type == URB_BULK && !s->in && s->flags & ZERO_PACKET && s->length;
    memcpy(t->urb.setup, s->setup, 8);
    if (!s->in && s->length)
        memcpy(t->data, s->data, s->length);
    u->used = true;
    front_start(t);
}

static void submit(struct usbip *u, const uint8_t *m)
{
    struct submit s = {
        .seqnum = get32(m + 4),
        .flags = get32(m + 0x14),
        .packets = get32(m + AT_PACKETS),
        .length = get32(m + AT_LENGTH),
        .in = get32(m + 0x0c) == DIR_IN,
        .setup = m + AT_SETUP,
        .data = m + URB_HEADER,
    };
    int type;

    s.endpoint = get32(m + 0x10) | (s.in ? 0x80 : 0);
    type = type_of(u, &s);
    if (type < 0)
        ret_submit(u, s.seqnum, s.packets, type, 0, NULL);
    else if (type != URB_CONTROL || !take_request(u, &s))
        start(u, &s, (enum urb_type)type);
}

static void unlink_request(struct usbip *u, const uint8_t *m)
{
    struct transfer *t = u->front->transfers;
    uint32_t wanted = get32(m + 0x14);
    bool found;
    uint8_t *r;

    while (t && t->id != wanted)
        t = t->next;
    found = t;
    if (found) {
        t->stopped = true; /* no RET_SUBMIT */
        front_cancel(t);
    }
    r = usbip_reply(u->owner, URB_HEADER);
    if (!r)
        return;
    put32(r, RET_UNLINK);
    put32(r + 4, get32(m + 4));
    put32(r + 0x14, found ? (uint32_t)UNLINKED : 0);
}

/* ---- for usbip.c ---- */

size_t usbip_message_length(const struct usbip *u, const uint8_t *m,
                            const char **why)
{
    uint32_t command = get32(m), direction = get32(m + 0x0c);
    uint32_t length = get32(m + AT_LENGTH), packets = get32(m + AT_PACKETS);
    size_t n = URB_HEADER;

    *why = NULL;
    if (command != CMD_SUBMIT && command != CMD_UNLINK)
        *why = "no such command";
    else if (get32(m + 8) != u->devid)
        *why = "devid of another device";
    else if (command == CMD_UNLINK)
        return n;
    else if (direction > DIR_IN || get32(m + 0x10) > 15)
        *why = "no such endpoint";
    else if (length > URB_LENGTH_MAX)
        *why = "transfer_buffer_length is more than 1 MiB";
    else if (packets != UINT32_MAX && packets > ISO_PACKETS_MAX)
        *why = "number_of_packets is more than 1024";
    if (*why)
        return 0;
    if (direction == DIR_OUT)
        n += length;
    return packets == UINT32_MAX ? n : n + (size_t)packets * ISO_DESCRIPTOR;
}

void usbip_message(struct usbip *u, const uint8_t *m)
{
    if (get32(m) == CMD_SUBMIT)
        submit(u, m);
    else
        unlink_request(u, m);
}
