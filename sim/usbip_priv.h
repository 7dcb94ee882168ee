/* SPDX-License-Identifier: MIT */
/*
 * usbip_priv.h - what usbip.c (connections), usbip_op.c (the list,
 * the import) and usbip_urb.c (transfers) share.
 *
 * Source: Linux, Documentation/usb/usbip_protocol.rst.  All numbers are big
 * endian.
 */
#ifndef SIM_USBIP_PRIV_H
#define SIM_USBIP_PRIV_H

#include "desc.h"
#include "usbip.h"

enum {
    URB_HEADER = 48,                  /* CMD_SUBMIT, CMD_UNLINK, RET_... */
    URB_LENGTH_MAX = 1024 * 1024,     /* transfer_buffer_length */
    URB_PENDING_MAX = 256,            /* transfers under way, and ... */
    URB_BYTES_MAX = 16 * 1024 * 1024, /* ... what they take in all */
};

enum conn_state {
    CONN_FREE,
    CONN_ASKED,     /* nothing yet: OP_REQ_... is to come */
    CONN_LISTING,   /* OP_REQ_DEVLIST waits for the enumeration */
    CONN_IMPORTING, /* OP_REQ_IMPORT waits for the device */
    CONN_IMPORTED,
    CONN_ENDING, /* sends what is left, then waits for the peer to close */
};

struct conn {
    enum conn_state state;
    int fd;
    bool quiet;     /* nothing to be read, as usbip_polled() was told */
    sim_time limit; /* of every state but IMPORTED */
    bool shut;      /* ENDING: nothing more is sent */
    bool broken;    /* no memory for an answer */
    /* a message as far as it is there */
    uint8_t *in;
    size_t in_n, in_size;
    /* what has not been sent */
    uint8_t *out;
    size_t out_at, out_n, out_size;
};

struct usbip {
    struct front *front;
    int listener;
    bool quiet; /* nobody to be accepted, the same */
    char address[64];
    struct conn conns[USBIP_CONNECTIONS];
    struct conn *owner; /* for whom the chip is claimed; NULL: nobody */
    uint32_t devid;     /* as the owner was told */
    bool used;          /* a transfer went to the chip since its reset */
    uint8_t alt[DESC_INTERFACES];
};

static inline void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* ---- usbip.c ---- */

void usbip_say(struct usbip *u, const char *text);
sim_time usbip_now(const struct usbip *u);
/* Sends what there is, then closes.  The chip is free at once. */
void usbip_end(struct usbip *u, struct conn *c);
/* Room for n more bytes of answer, zero; NULL: no memory, the peer is
 * dropped. */
uint8_t *usbip_reply(struct conn *c, size_t n);

/* ---- usbip_op.c ---- */

/* Length of the request that has begun, as far as it is known; 0: *why. */
size_t usbip_request_length(const struct conn *c, const char **why);
/* Carries out a whole request. */
void usbip_request(struct usbip *u, struct conn *c);
/* For a connection that may wait for the chip. */
void usbip_wait(struct usbip *u, struct conn *c);

/* ---- usbip_urb.c ---- */

/* The length of a message of which the first URB_HEADER bytes are there; 0:
 * *why says what is wrong with it. */
size_t usbip_message_length(const struct usbip *u, const uint8_t *m,
                            const char **why);
/* Carries out a whole message of the owner. */
void usbip_message(struct usbip *u, const uint8_t *m);
/* front_ops.answer; ctx is a struct usbip. */
bool usbip_answer(void *ctx, struct transfer *t);

#endif
