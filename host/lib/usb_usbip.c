/* SPDX-License-Identifier: MIT */
/*
 * usb_usbip.c - devices of a USB/IP server, see transport.h: the client's
 * side of the protocol, without a kernel in between.
 *
 * Source: Linux, Documentation/usb/usbip_protocol.rst.  All numbers are big
 * endian.
 */
#include "transport.h"

#include "usb.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_PORT "3240"
#define VERSION      0x0111u
/* For the server; it may wait some seconds for a device to appear. */
#define REPLY_MS 10000
/* For its end of a connection. */
#define HANG_UP_MS 1000

enum { REQ_DEVLIST = 0x8005, REP_DEVLIST = 0x0005 };
enum { REQ_IMPORT = 0x8003, REP_IMPORT = 0x0003 };
enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };
enum { OP_HEADER = 8, BUSID = 32, DEVICE = 312, URB_HEADER = 48 };
enum { DEVICES_MAX = 1024 }; /* of one server; a damaged list may say more */
/* Errors on the wire have Linux's numbers. */
enum { STALLED = -32, NO_DEVICE = -19, SHUT_DOWN = -108 };

struct ip_bus {
    struct bus bus;                  /* first */
    char name[BUS_PATH - BUSID - 1]; /* usbip:HOST:PORT, of paths */
    char host[80], port[8];
};

struct ip_transport {
    struct transport t; /* first */
    int fd;
    uint32_t devid, seqnum;
    bool broken; /* what comes next on the connection is not known */
};

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* ---- the connection ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int send_all(int fd, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return TRANSPORT_GONE;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int receive_all(int fd, void *data, size_t n, int64_t deadline)
{
    uint8_t *p = data;

    while (n) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - now_ms();
        ssize_t got;

        if (poll(&wait, 1, left > 0 ? (int)left : 0) == 0)
            return TRANSPORT_TIMEOUT;
        got = recv(fd, p, n, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return TRANSPORT_GONE;
        p += got;
        n -= (size_t)got;
    }
    return 0;
}

/* A descriptor, or -1 and f. */
static int dial(const struct ip_bus *u, struct fail *f)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *all, *a;
    int fd = -1, one = 1, bad = getaddrinfo(u->host, u->port, &want, &all);

    if (bad) {
        fail(f, FAIL_NO_DEVICE, "%s: %s", u->name, gai_strerror(bad));
        return -1;
    }
    for (a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
            bad = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    if (fd < 0)
        fail(f, FAIL_NO_DEVICE, "%s: no connection: %s", u->name,
             strerror(bad));
    else
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

/* Sends a request, and receives the head of its reply: its status, or -1 and
 * f. */
static int ask(const struct ip_bus *u, int fd, unsigned code, const char *busid,
               struct fail *f)
{
    uint8_t m[OP_HEADER + BUSID] = {VERSION >> 8, VERSION & 0xFF,
                                    (uint8_t)(code >> 8), (uint8_t)code};
    size_t n = busid ? sizeof(m) : OP_HEADER;

    if (busid)
        snprintf((char *)m + OP_HEADER, BUSID, "%s", busid);
    if (send_all(fd, m, n) ||
        receive_all(fd, m, OP_HEADER, now_ms() + REPLY_MS)) {
        fail(f, FAIL_NO_DEVICE, "%s: the server does not answer", u->name);
        return -1;
    }
    if (get16(m) != VERSION || get16(m + 2) != (code & 0x7FFFu)) {
        fail(f, FAIL_NO_DEVICE, "%s: this is no USB/IP 1.1.1 server", u->name);
        return -1;
    }
    return (int)(get32(m + 4) & 0xFF);
}

/* ---- transfers ---- */

static void put_header(struct ip_transport *u, uint8_t m[URB_HEADER],
                       unsigned command, bool in)
{
    memset(m, 0, URB_HEADER);
    put32(m, command);
    put32(m + 4, ++u->seqnum);
    put32(m + 8, u->devid);
    put32(m + 12, in);
}

static int submit(struct ip_transport *u, const struct usb_setup *s,
                  const void *data)
{
    uint8_t m[URB_HEADER];
    bool in = s->bmRequestType & USB_DIR_IN;
    int bad;

    put_header(u, m, CMD_SUBMIT, in);
    put32(m + 24, s->wLength);
    put32(m + 32, UINT32_MAX); /* not isochronous */
    memcpy(m + 40, s, 8);
    bad = send_all(u->fd, m, URB_HEADER);
    if (!bad && !in && s->wLength)
        bad = send_all(u->fd, data, s->wLength);
    return bad;
}

/* The transfer whose answer does not come is taken back.  What crosses that
 * is not sorted out: the connection is no more of use. */
static int give_up(struct ip_transport *u)
{
    uint8_t m[URB_HEADER];
    uint32_t seqnum = u->seqnum;

    put_header(u, m, CMD_UNLINK, false);
    put32(m + 20, seqnum);
    send_all(u->fd, m, URB_HEADER);
    u->broken = true;
    return TRANSPORT_TIMEOUT;
}

static int status_of(int status)
{
    switch (status) {
    case STALLED:
        return TRANSPORT_STALL;
    case NO_DEVICE:
    case SHUT_DOWN:
        return TRANSPORT_GONE;
    default:
        return TRANSPORT_ERROR;
    }
}

static int ip_control(struct transport *t, const struct usb_setup *s,
                      void *data)
{
    struct ip_transport *u = (struct ip_transport *)t;
    int64_t deadline = now_ms() + TRANSPORT_TIMEOUT_MS;
    bool in = s->bmRequestType & USB_DIR_IN;
    uint8_t m[URB_HEADER];
    uint32_t actual;
    int status, bad;

    if (u->broken)
        return TRANSPORT_GONE;
    bad = submit(u, s, data);
    if (!bad)
        bad = receive_all(u->fd, m, URB_HEADER, deadline);
    if (bad == TRANSPORT_TIMEOUT)
        return give_up(u);
    if (bad)
        return bad;
    status = (int)get32(m + 20);
    actual = get32(m + 24);
    if (get32(m) != RET_SUBMIT || get32(m + 4) != u->seqnum ||
        actual > s->wLength) {
        u->broken = true;
        return TRANSPORT_ERROR;
    }
    if (in && actual && receive_all(u->fd, data, actual, deadline)) {
        u->broken = true;
        return TRANSPORT_GONE;
    }
    return status ? status_of(status) : (int)actual;
}

static int request(struct transport *t, uint8_t type, uint8_t code,
                   uint16_t value, uint16_t index)
{
    struct usb_setup s = {type, code, value, index, 0};
    int n = ip_control(t, &s, NULL);

    return n < 0 ? n : 0;
}

static bool ip_claim(struct transport *t, uint8_t configuration,
                     uint8_t interface, struct fail *f)
{
    int bad =
        request(t, USB_RECIP_DEVICE, USB_SET_CONFIGURATION, configuration, 0);

    (void)interface; /* an import is exclusive */
    if (!bad)
        return true;
    return fail(f, bad == TRANSPORT_GONE ? FAIL_LOST : FAIL_DEVICE, "%s",
                bad == TRANSPORT_GONE ? "the device went away"
                                      : "the device refuses to be configured");
}

static int ip_set_alt(struct transport *t, uint8_t interface, uint8_t alt)
{
    return request(t, USB_RECIP_INTERFACE, USB_SET_INTERFACE, alt, interface);
}

/* To a port, which the protocol has no message for: this is what servers
 * take for it (Linux, drivers/usb/usbip/stub_rx.c, is_reset_device_cmd). */
static int ip_reset(struct transport *t)
{
    return request(t, 0x23, USB_SET_FEATURE, 4, 1);
}

static void ip_sleep(struct transport *t, unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)t;
    while (nanosleep(&left, &left)) /* a signal does not end it */
        ;
}

/* The server is done with us when it closes its side: who asks for the device
 * right after this gets it. */
static void hang_up(int fd)
{
    int64_t deadline = now_ms() + HANG_UP_MS;
    uint8_t junk[256];

    shutdown(fd, SHUT_WR);
    while (receive_all(fd, junk, sizeof(junk), deadline) == 0)
        ;
    close(fd);
}

static void ip_close(struct transport *t)
{
    struct ip_transport *u = (struct ip_transport *)t;

    hang_up(u->fd);
    free(u);
}

static const struct transport_ops transport_ops = {
    .control = ip_control,
    .claim = ip_claim,
    .set_alt = ip_set_alt,
    .reset = ip_reset,
    .sleep = ip_sleep,
    .close = ip_close,
};

/* ---- the list ---- */

/* One device of the list, with its interfaces. */
static bool take_entry(const struct ip_bus *u, int fd, int64_t deadline,
                       struct bus_entry *e)
{
    uint8_t m[DEVICE], interface[4];

    memset(e, 0, sizeof(*e));
    if (receive_all(fd, m, DEVICE, deadline))
        return false;
    m[256 + BUSID - 1] = 0;
    snprintf(e->path, sizeof(e->path), "%s/%.31s", u->name, (char *)m + 256);
    e->vid = (uint16_t)get16(m + 300);
    e->pid = (uint16_t)get16(m + 302);
    for (unsigned i = 0; i < m[311]; i++) {
        if (receive_all(fd, interface, 4, deadline))
            return false;
        if (interface[0] != DFU_CLASS || interface[1] != DFU_SUBCLASS)
            continue;
        e->dfu = true;
        e->runtime = interface[2] == DFU_PROTOCOL_RUNTIME;
    }
    return true;
}

static bool take_list(const struct ip_bus *u, int fd,
                      struct bus_entry **entries, size_t *n, struct fail *f)
{
    int64_t deadline = now_ms() + REPLY_MS;
    uint8_t m[4];
    uint32_t count = 0;

    if (receive_all(fd, m, 4, deadline) == 0)
        count = get32(m);
    if (count <= DEVICES_MAX)
        *entries = calloc(count ? count : 1, sizeof(**entries));
    if (!*entries)
        return fail(f, FAIL_SYSTEM, "%s: a list of %u devices is too long",
                    u->name, count);
    for (; *n < count; (*n)++) {
        if (!take_entry(u, fd, deadline, &(*entries)[*n]))
            return fail(f, FAIL_NO_DEVICE,
                        "%s: the server's list of devices breaks off", u->name);
    }
    return true;
}

static bool ip_list(struct bus *b, struct bus_entry **entries, size_t *n,
                    struct fail *f)
{
    struct ip_bus *u = (struct ip_bus *)b;
    int fd = dial(u, f);
    bool ok;

    *entries = NULL;
    *n = 0;
    if (fd < 0)
        return false;
    ok = ask(u, fd, REQ_DEVLIST, NULL, f) >= 0 &&
         take_list(u, fd, entries, n, f);
    hang_up(fd);
    if (!ok) {
        free(*entries);
        *entries = NULL;
    }
    return ok;
}

/* ---- the import ---- */

/* Status of a reply, as Linux' usbip has them. */
static const char *const refusals[] = {
    NULL,
    "the server does not give the device away",
    "another client has the device",
    "the device does not work",
    "there is no such device",
};

static struct transport *ip_open(struct bus *b, const char *path,
                                 struct fail *f)
{
    struct ip_bus *u = (struct ip_bus *)b;
    const char *busid = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    struct ip_transport *t = calloc(1, sizeof(*t));
    uint8_t m[DEVICE];
    int fd = t ? dial(u, f) : -1;
    int status = fd >= 0 ? ask(u, fd, REQ_IMPORT, busid, f) : -1;

    if (!t)
        fail(f, FAIL_SYSTEM, "no memory");
    if (status > 0)
        fail(f, FAIL_NO_DEVICE, "%s: %s", path,
             status < 5 ? refusals[status] : "the server refuses");
    if (status == 0 && receive_all(fd, m, DEVICE, now_ms() + REPLY_MS)) {
        fail(f, FAIL_NO_DEVICE, "%s: the server's reply breaks off", path);
        status = -1;
    }
    if (status) {
        if (fd >= 0)
            close(fd);
        free(t);
        return NULL;
    }
    t->t.ops = &transport_ops;
    t->fd = fd;
    t->devid = get32(m + 288) << 16 | get32(m + 292);
    return &t->t;
}

static void ip_free(struct bus *b)
{
    free(b);
}

static const struct bus_ops bus_ops = {
    .list = ip_list, .open = ip_open, .free = ip_free};

/* HOST, HOST:PORT, [ADDRESS]:PORT */
static bool split(struct ip_bus *u, const char *address)
{
    bool brackets = address[0] == '[';
    const char *host = address + brackets;
    size_t n = strcspn(host, brackets ? "]" : ":");
    const char *rest = host + n + (brackets && host[n]);
    const char *port = rest[0] == ':' ? rest + 1 : DEFAULT_PORT;

    if (!n || n >= sizeof(u->host) || (rest[0] && rest[0] != ':') || !*port ||
        strlen(port) >= sizeof(u->port) ||
        strspn(port, "0123456789") != strlen(port))
        return false;
    memcpy(u->host, host, n);
    strcpy(u->port, port);
    snprintf(u->name, sizeof(u->name), "usbip:%s:%s", u->host, u->port);
    return true;
}

struct bus *bus_usbip(const char *address, struct fail *f)
{
    struct ip_bus *u = calloc(1, sizeof(*u));

    if (!u) {
        fail(f, FAIL_SYSTEM, "no memory");
        return NULL;
    }
    u->bus.ops = &bus_ops;
    if (split(u, address))
        return &u->bus;
    free(u);
    fail(f, FAIL_USAGE, "usbip:%s: this is not usbip:HOST[:PORT]", address);
    return NULL;
}
