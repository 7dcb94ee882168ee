/* SPDX-License-Identifier: MIT */
/*
 * usbip.c - see usbip.h: the connections.  usbip_op.c has what happens before
 * the device is imported, usbip_urb.c the transfers.
 *
 * Not supported: isochronous transfers; more than one configuration.
 *
 * Source: Linux, Documentation/usb/usbip_protocol.rst.
 */
#include "usbip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "usbip_priv.h"

#define CONN_WAIT    (5 * SIM_S) /* for a request, for the peer's end */
#define DEFAULT_PORT "3240"
#define MESSAGES     64 /* of one client, then the chip has a turn */
#define OUT_MAX      (4u * 1024 * 1024) /* unsent: read no more requests */

void usbip_say(struct usbip *u, const char *text)
{
    front_say(u->front, "usbip", text);
}

sim_time usbip_now(const struct usbip *u)
{
    return chip_now(host_chip(u->front->host));
}

/* ---- one connection ---- */

uint8_t *usbip_reply(struct conn *c, size_t n)
{
    size_t need = c->out_n + n;

    if (c->out_at) {
        need -= c->out_at;
        c->out_n -= c->out_at;
        memmove(c->out, c->out + c->out_at, c->out_n);
        c->out_at = 0;
    }
    if (need > c->out_size) {
        uint8_t *bigger = realloc(c->out, 2 * need);

        if (!bigger) {
            c->broken = true;
            return NULL;
        }
        c->out = bigger;
        c->out_size = 2 * need;
    }
    memset(c->out + c->out_n, 0, n);
    c->out_n = need;
    return c->out + need - n;
}

static void release(struct usbip *u, struct conn *c)
{
    if (u->owner != c)
        return;
    u->owner = NULL;
    front_release(u->front);
}

static void drop(struct usbip *u, struct conn *c, const char *why)
{
    char text[120];

    if (why) {
        snprintf(text, sizeof(text), "connection dropped: %s", why);
        usbip_say(u, text);
    }
    release(u, c);
    close(c->fd);
    free(c->in);
    free(c->out);
    memset(c, 0, sizeof(*c));
}

/* Sends what there is, then closes. */
void usbip_end(struct usbip *u, struct conn *c)
{
    release(u, c);
    c->state = CONN_ENDING;
    c->limit = usbip_now(u) + CONN_WAIT;
}

static void peer_left(struct usbip *u, struct conn *c)
{
    bool imported = c->state == CONN_IMPORTED;

    if (c->in_n && c->state != CONN_ENDING) {
        drop(u, c, "it ended in the middle of a message");
        return;
    }
    drop(u, c, NULL);
    if (imported)
        usbip_say(u, "client left");
}

/* ---- reading and writing ---- */

static size_t length_of(struct usbip *u, struct conn *c, const char **why)
{
    if (c->state == CONN_ASKED)
        return usbip_request_length(c, why);
    if (c->state != CONN_IMPORTED || c->in_n < URB_HEADER)
        return URB_HEADER;
    return usbip_message_length(u, c->in, why);
}

static bool make_room(struct conn *c, size_t n)
{
    uint8_t *bigger;

    if (n <= c->in_size)
        return true;
    bigger = realloc(c->in, n);
    if (!bigger)
        return false;
    c->in = bigger;
    c->in_size = n;
    return true;
}

static void take_message(struct usbip *u, struct conn *c)
{
    c->in_n = 0;
    if (c->state == CONN_ASKED)
        usbip_request(u, c);
    else
        usbip_message(u, c->in);
}

/* False: there is nothing more to be read now. */
static bool read_more(struct usbip *u, struct conn *c)
{
    const char *why = "no memory";
    size_t n = length_of(u, c, &why);
    int got;

    if (!n || !make_room(c, n)) {
        drop(u, c, why);
        return false;
    }
    if (c->in_n == n) { /* a client that waits has nothing to say */
        if (c->state == CONN_LISTING || c->state == CONN_IMPORTING)
            return false;
        take_message(u, c);
        return true;
    }
    if (c->quiet)
        return false;
    got = net_read(c->fd, c->in + c->in_n, (int)(n - c->in_n));
    if (got < 0)
        peer_left(u, c);
    else
        c->in_n += (size_t)got;
    return got > 0;
}

static bool wants_input(const struct conn *c)
{
    if (c->state == CONN_LISTING || c->state == CONN_IMPORTING)
        return c->in_n < URB_HEADER;
    return c->out_n - c->out_at < OUT_MAX;
}

static void read_all(struct usbip *u, struct conn *c)
{
    /* A message takes two or three turns: header, data, itself. */
    for (unsigned i = 0; i < 3 * MESSAGES; i++)
        if (c->state == CONN_ENDING || !wants_input(c) || !read_more(u, c))
            return;
}

static void write_all(struct usbip *u, struct conn *c)
{
    int n = 1;

    while (n > 0 && c->out_at < c->out_n) {
        n = net_write(c->fd, c->out + c->out_at, (int)(c->out_n - c->out_at));
        if (n > 0)
            c->out_at += (size_t)n;
    }
    if (n < 0)
        peer_left(u, c);
}

/* A socket that is closed with input unread would take back what it sent. */
static void finish(struct usbip *u, struct conn *c)
{
    uint8_t junk[4096];
    int n;

    if (!c->shut && c->out_at == c->out_n) {
        shutdown(c->fd, SHUT_WR);
        c->shut = true;
    }
    n = net_read(c->fd, junk, sizeof(junk));
    if (n < 0 || usbip_now(u) >= c->limit)
        drop(u, c, NULL);
}

static void conn_io(struct usbip *u, struct conn *c)
{
    if (c->state != CONN_FREE)
        read_all(u, c);
    if (c->broken)
        drop(u, c, "no memory");
    if (c->state == CONN_ASKED && usbip_now(u) >= c->limit)
        drop(u, c, "no request came");
    usbip_wait(u, c);
    if (c->state != CONN_FREE)
        write_all(u, c);
    if (c->state == CONN_ENDING)
        finish(u, c);
}

static void accept_all(struct usbip *u)
{
    int fd;

    while (!u->quiet && (fd = net_accept(u->listener)) >= 0) {
        struct conn *c = NULL;

        for (unsigned i = 0; i < USBIP_CONNECTIONS && !c; i++)
            if (u->conns[i].state == CONN_FREE)
                c = &u->conns[i];
        if (!c) {
            usbip_say(u, "a client was turned away: too many connections");
            close(fd);
            continue;
        }
        *c = (struct conn){
            .state = CONN_ASKED, .fd = fd, .limit = usbip_now(u) + CONN_WAIT};
    }
}

/* ---- for main.c ---- */

struct usbip *usbip_new(struct front *f, const char *spec,
                        char error[FRONT_ERROR_MAX])
{
    struct usbip *u = calloc(1, sizeof(*u));
    const char *host_end = strrchr(spec, ']');
    char text[100];

    if (!u)
        return NULL;
    u->front = f;
    if (!strchr(host_end ? host_end : spec, ':')) {
        snprintf(text, sizeof(text), "%.80s:" DEFAULT_PORT, spec);
        spec = text;
    }
    u->listener = net_listen(spec, u->address, sizeof(u->address), error,
                             FRONT_ERROR_MAX);
    if (u->listener < 0) {
        free(u);
        return NULL;
    }
    return u;
}

void usbip_free(struct usbip *u)
{
    if (!u)
        return;
    for (unsigned i = 0; i < USBIP_CONNECTIONS; i++)
        if (u->conns[i].state != CONN_FREE)
            drop(u, &u->conns[i], NULL);
    close(u->listener);
    free(u);
}

const char *usbip_address(const struct usbip *u)
{
    return u->address;
}

unsigned usbip_poll(const struct usbip *u, struct pollfd *fds)
{
    unsigned n = 0;

    fds[n++] = (struct pollfd){.fd = u->listener, .events = POLLIN};
    for (unsigned i = 0; i < USBIP_CONNECTIONS; i++) {
        const struct conn *c = &u->conns[i];
        short in = wants_input(c) ? POLLIN : 0;
        short out = c->out_at < c->out_n ? POLLOUT : 0;

        if (c->state != CONN_FREE)
            fds[n++] =
                (struct pollfd){.fd = c->fd, .events = (short)(in | out)};
    }
    return n;
}

void usbip_polled(struct usbip *u, const struct pollfd *fds)
{
    u->quiet = !fds++->revents;
    for (unsigned i = 0; i < USBIP_CONNECTIONS; i++)
        if (u->conns[i].state != CONN_FREE)
            u->conns[i].quiet = !(fds++->revents & ~POLLOUT);
}

void usbip_io(struct usbip *u)
{
    accept_all(u);
    for (unsigned i = 0; i < USBIP_CONNECTIONS; i++)
        conn_io(u, &u->conns[i]);
}
