/* SPDX-License-Identifier: MIT */
/*
 * usbip.c - see usbip.h.  usbip_urb.c has the transfers.
 *
 * What the client's kernel never sends, a bus reset and SET_ADDRESS, is done
 * here when it imports the device; the configuration it sets itself.  An
 * import of a device that is not on the bus waits for it, so that a script can
 * attach at once after a reset or a DFU detach.  When the device leaves the
 * bus the connection ends, which is how the protocol says so.
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

#define VERSION      0x0111
#define DEFAULT_PORT "3240"
#define WAIT         (5 * SIM_S) /* for a request, for the device */
#define MESSAGES     64          /* of one client, then the chip has a turn */
#define OUT_MAX      (4u * 1024 * 1024) /* unsent: read no more requests */

enum { REQ_DEVLIST = 0x8005, REP_DEVLIST = 5 };
enum { REQ_IMPORT = 0x8003, REP_IMPORT = 3 };
enum { OP_HEADER = 8, PATH = 256, BUSID = 32, DEVICE = 312 };
enum { SPEED_FULL = 2, BUSNUM = 1 };

/* Status of a reply; Linux's usbip prints them in words. */
enum op_status { OP_OK, OP_NOT_FOR_IMPORT, OP_BUSY, OP_FAILED, OP_NO_DEVICE };

static void say(struct usbip *u, const char *text)
{
    front_say(u->front, "usbip", text);
}

static sim_time now(const struct usbip *u)
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
        say(u, text);
    }
    release(u, c);
    close(c->fd);
    free(c->in);
    free(c->out);
    memset(c, 0, sizeof(*c));
}

/* Sends what there is, then closes. */
static void end(struct usbip *u, struct conn *c)
{
    release(u, c);
    c->state = CONN_ENDING;
    c->limit = now(u) + WAIT;
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
        say(u, "client left");
}

/* ---- OP_REP_... ---- */

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static bool put_reply(struct conn *c, unsigned code, enum op_status status)
{
    uint8_t *m = usbip_reply(c, OP_HEADER);

    if (!m)
        return false;
    put16(m, VERSION);
    put16(m + 2, code);
    put32(m + 4, status);
    return true;
}

static void put_device(const struct usbip *u, struct conn *c)
{
    const struct enumerator *en = &u->front->en;
    const uint8_t *d = en->device;
    uint8_t *m = usbip_reply(c, DEVICE);

    if (!m)
        return;
    snprintf((char *)m, PATH, "/sallyport-chip/usb1/" USBIP_BUSID);
    m += PATH;
    snprintf((char *)m, BUSID, USBIP_BUSID);
    m += BUSID;
    put32(m, BUSNUM);
    put32(m + 4, en->address);
    put32(m + 8, SPEED_FULL);
    put16(m + 12, d[8] | (unsigned)d[9] << 8);   /* idVendor */
    put16(m + 14, d[10] | (unsigned)d[11] << 8); /* idProduct */
    put16(m + 16, d[12] | (unsigned)d[13] << 8); /* bcdDevice */
    memcpy(m + 18, d + 4, 3);                    /* class */
    m[21] = 0;                                   /* not configured */
    m[22] = d[17];
    m[23] = en->config[4]; /* bNumInterfaces */
}

static void put_interfaces(const struct usbip *u, struct conn *c)
{
    static const uint8_t first[DESC_INTERFACES];
    const struct enumerator *en = &u->front->en;
    size_t left = en->config[4], at = 0;
    uint8_t *m = usbip_reply(c, left * 4);
    const uint8_t *d;

    while (m && left && (d = desc_next(en->config, en->config_size, &at))) {
        if (!desc_is_current(d, first))
            continue;
        memcpy(m, d + 5, 3); /* class */
        m += 4;
        left--;
    }
}

/* The device is in use, not there, or dead: nothing can be imported. */
static void answer_list(struct usbip *u, struct conn *c, bool there)
{
    uint8_t *count =
        put_reply(c, REP_DEVLIST, OP_OK) ? usbip_reply(c, 4) : NULL;

    if (count)
        put32(count, there);
    if (there) {
        put_device(u, c);
        put_interfaces(u, c);
    }
    end(u, c);
}

static void refuse_import(struct usbip *u, struct conn *c,
                          enum op_status status, const char *why)
{
    char text[120];

    snprintf(text, sizeof(text), "import refused: %s", why);
    say(u, text);
    put_reply(c, REP_IMPORT, status);
    end(u, c);
}

static void answer_import(struct usbip *u, struct conn *c)
{
    const uint8_t *d = u->front->en.device;
    char text[64];

    put_reply(c, REP_IMPORT, OP_OK);
    put_device(u, c);
    c->state = CONN_IMPORTED;
    u->devid = (uint32_t)BUSNUM << 16 | u->front->en.address;
    u->used = false;
    memset(u->alt, 0, sizeof(u->alt));
    snprintf(text, sizeof(text), "device %02x%02x:%02x%02x imported", d[9],
             d[8], d[11], d[10]);
    say(u, text);
}

/* ---- the device comes and goes ---- */

static void on_ready(void *ctx)
{
    struct usbip *u = ctx;

    if (u->owner->state == CONN_LISTING)
        answer_list(u, u->owner, true);
    else if (u->owner->state == CONN_IMPORTING)
        answer_import(u, u->owner);
}

static void on_gone(void *ctx, const char *why)
{
    struct usbip *u = ctx;
    struct conn *c = u->owner;

    if (c->state == CONN_LISTING) {
        answer_list(u, c, false);
    } else if (c->state == CONN_IMPORTED) {
        say(u, why ? why : "device disconnected");
        end(u, c);
    } else if (why && host_attached(u->front->host)) {
        refuse_import(u, c, OP_FAILED, why);
    }
}

static const struct front_ops ops = {
    .ready = on_ready, .gone = on_gone, .answer = usbip_answer};

/* ---- OP_REQ_... ---- */

static bool claim(struct usbip *u, struct conn *c, enum conn_state state)
{
    if (!front_claim(u->front, &ops, u))
        return false;
    u->owner = c;
    c->state = state;
    c->limit = now(u) + WAIT;
    front_begin(u->front);
    return true;
}

static void request(struct usbip *u, struct conn *c)
{
    unsigned code = c->in[2] << 8 | c->in[3];

    if (code == REQ_DEVLIST) {
        if (!host_attached(u->front->host) || !claim(u, c, CONN_LISTING))
            answer_list(u, c, false);
        return;
    }
    if (strncmp((char *)c->in + OP_HEADER, USBIP_BUSID, BUSID))
        refuse_import(u, c, OP_NO_DEVICE, "no such bus ID, it is " USBIP_BUSID);
    else if (!claim(u, c, CONN_IMPORTING))
        refuse_import(u, c, OP_BUSY, "a second client, one at a time");
}

/* Length of the request that has begun, as far as it is known; 0: `why`. */
static size_t request_length(const struct conn *c, const char **why)
{
    unsigned code;

    if (c->in_n < OP_HEADER)
        return OP_HEADER;
    code = c->in[2] << 8 | c->in[3];
    if ((c->in[0] << 8 | c->in[1]) != VERSION)
        *why = "not USB/IP 1.1.1";
    else if (code == REQ_DEVLIST)
        return OP_HEADER;
    else if (code == REQ_IMPORT)
        return OP_HEADER + BUSID;
    else
        *why = "no such request";
    return 0;
}

/* ---- reading and writing ---- */

static size_t length_of(struct usbip *u, struct conn *c, const char **why)
{
    if (c->state == CONN_ASKED)
        return request_length(c, why);
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
        request(u, c);
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
    if (n < 0 || now(u) >= c->limit)
        drop(u, c, NULL);
}

static void time_out(struct usbip *u, struct conn *c)
{
    if (c->state == CONN_ASKED)
        drop(u, c, "no request came");
    else if (c->state == CONN_IMPORTING)
        refuse_import(u, c, OP_NO_DEVICE, "the device is not on the bus");
    else if (c->state == CONN_LISTING)
        answer_list(u, c, false);
}

static void conn_io(struct usbip *u, struct conn *c)
{
    if (c->state != CONN_FREE)
        read_all(u, c);
    if (c->broken)
        drop(u, c, "no memory");
    if (c->state != CONN_FREE && c->state != CONN_IMPORTED &&
        now(u) >= c->limit)
        time_out(u, c);
    if (c->state != CONN_FREE)
        write_all(u, c);
    if (c->state == CONN_ENDING)
        finish(u, c);
}

static void accept_all(struct usbip *u)
{
    int fd;

    while ((fd = net_accept(u->listener)) >= 0) {
        struct conn *c = NULL;

        for (unsigned i = 0; i < USBIP_CONNECTIONS && !c; i++)
            if (u->conns[i].state == CONN_FREE)
                c = &u->conns[i];
        if (!c) {
            say(u, "a client was turned away: too many connections");
            close(fd);
            continue;
        }
        *c = (struct conn){
            .state = CONN_ASKED, .fd = fd, .limit = now(u) + WAIT};
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

void usbip_io(struct usbip *u)
{
    accept_all(u);
    for (unsigned i = 0; i < USBIP_CONNECTIONS; i++)
        conn_io(u, &u->conns[i]);
}
