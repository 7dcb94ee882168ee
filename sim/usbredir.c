/* SPDX-License-Identifier: MIT */
/*
 * usbredir.c - see usbredir.h.  usbredir_net.c has the sockets.
 *
 * QEMU keeps SET_ADDRESS to itself, turns SET_CONFIGURATION and SET_INTERFACE
 * into messages and passes bus resets on: all are replayed to the chip, which
 * is enumerated anew after each reset.  What the peer sends meanwhile waits.
 *
 * Not supported: isochronous streams, bulk streams, buffered bulk input (its
 * capability is not announced), filters.
 *
 * Source: usbredir 0.13, docs/usb-redirection-protocol.md.
 */
#include "usbredir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usbredirparser.h>

#include "enumerate.h"
#include "usbredir_info.h"
#include "usbredir_net.h"

/* A transfer that got nowhere for so long is waiting for the chip to have
 * something to say: a serial port's IN endpoint, say. */
#define WORK_LIMIT (2 * SIM_S)

enum kind {
    KIND_CONTROL,
    KIND_BULK,
    KIND_INTERRUPT,
    KIND_SET_CONFIG,
    KIND_SET_ALT,
    KIND_RECEIVE
};

struct transfer {
    struct urb urb; /* first: found by its address */
    struct usbredir *r;
    enum kind kind;
    uint64_t id;
    uint32_t stream_id;
    bool stopped; /* KIND_RECEIVE: does not go on */
    struct transfer *next;
    uint8_t data[];
};

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

static void say(struct usbredir *r, const char *text)
{
    char line[160];

    snprintf(line, sizeof(line), "usbredir: %s", text);
    r->print(r->print_ctx, line);
}

/* ---- transfers ---- */

static uint8_t redir_status(const struct urb *u)
{
    switch (u->status) {
    case URB_OK:
        return usb_redir_success;
    case URB_STALL:
        return usb_redir_stall;
    case URB_CANCELLED:
        return usb_redir_cancelled;
    case URB_BABBLE:
        return usb_redir_babble;
    default:
        return usb_redir_ioerror;
    }
}

static bool is_in(const struct transfer *t)
{
    if (t->urb.type == URB_CONTROL)
        return t->urb.setup[0] & 0x80;
    return t->urb.endpoint & 0x80;
}

static void unlink_transfer(struct transfer *t)
{
    struct transfer **p = &t->r->transfers;

    while (*p && *p != t)
        p = &(*p)->next;
    if (*p)
        *p = t->next;
}

/* ---- answers, by kind ---- */

static void answer_control(struct transfer *t, uint8_t *data, int n)
{
    const uint8_t *s = t->urb.setup;
    struct usb_redir_control_packet_header h = {
        .endpoint = t->urb.endpoint,
        .request = s[1],
        .requesttype = s[0],
        .status = redir_status(&t->urb),
        .value = (uint16_t)(s[2] | s[3] << 8),
        .index = (uint16_t)(s[4] | s[5] << 8),
        .length = (uint16_t)t->urb.actual,
    };

    usbredirparser_send_control_packet(t->r->parser, t->id, &h, data, n);
}

static void answer_bulk(struct transfer *t, uint8_t *data, int n)
{
    struct usb_redir_bulk_packet_header h = {
        .endpoint = t->urb.endpoint,
        .status = redir_status(&t->urb),
        .length = (uint16_t)t->urb.actual,
        .length_high = (uint16_t)(t->urb.actual >> 16),
        .stream_id = t->stream_id,
    };

    usbredirparser_send_bulk_packet(t->r->parser, t->id, &h, data, n);
}

static void answer_interrupt(struct transfer *t, uint8_t *data, int n)
{
    struct usb_redir_interrupt_packet_header h = {
        .endpoint = t->urb.endpoint,
        .status = redir_status(&t->urb),
        .length = (uint16_t)t->urb.actual,
    };

    usbredirparser_send_interrupt_packet(t->r->parser, t->id, &h, data, n);
}

static void send_info(struct usbredir *r)
{
    struct usb_redir_interface_info_header interfaces;
    struct usb_redir_ep_info_header eps;

    info_interfaces(r->en.config, r->en.config_size, r->alt, &interfaces);
    info_endpoints(r->en.config, r->en.config_size, r->alt, &eps);
    usbredirparser_send_interface_info(r->parser, &interfaces);
    usbredirparser_send_ep_info(r->parser, &eps);
}

static void answer_set_config(struct transfer *t)
{
    struct usbredir *r = t->r;
    struct usb_redir_configuration_status_header h = {
        .status = redir_status(&t->urb)};

    if (t->urb.status == URB_OK) {
        r->configuration = t->urb.setup[2];
        memset(r->alt, 0, sizeof(r->alt));
        send_info(r);
    }
    h.configuration = r->configuration;
    usbredirparser_send_configuration_status(r->parser, t->id, &h);
}

static void answer_set_alt(struct transfer *t)
{
    struct usbredir *r = t->r;
    uint8_t interface = t->urb.setup[4] % INFO_INTERFACES;
    struct usb_redir_alt_setting_status_header h = {
        .status = redir_status(&t->urb), .interface = interface};

    if (t->urb.status == URB_OK) {
        r->alt[interface] = t->urb.setup[2];
        send_info(r);
    }
    h.alt = r->alt[interface];
    usbredirparser_send_alt_setting_status(r->parser, t->id, &h);
}

/* True: the transfer goes on, for the next packet. */
static bool answer_receive(struct transfer *t, uint8_t *data, int n)
{
    struct usb_redir_interrupt_receiving_status_header h = {
        .status = redir_status(&t->urb), .endpoint = t->urb.endpoint};

    if (t->stopped)
        return false;
    if (t->urb.status == URB_OK) {
        answer_interrupt(t, data, n);
        t->id++;
        host_submit(t->r->host, &t->urb);
        return true;
    }
    usbredirparser_send_interrupt_receiving_status(t->r->parser, t->id, &h);
    return false;
}

static bool answer(struct transfer *t)
{
    int n = is_in(t) ? (int)t->urb.actual : 0;
    uint8_t *data = n ? t->data : NULL;

    switch (t->kind) {
    case KIND_CONTROL:
        answer_control(t, data, n);
        return false;
    case KIND_BULK:
        answer_bulk(t, data, n);
        return false;
    case KIND_INTERRUPT:
        answer_interrupt(t, data, n);
        return false;
    case KIND_SET_CONFIG:
        answer_set_config(t);
        return false;
    case KIND_SET_ALT:
        answer_set_alt(t);
        return false;
    default:
        return answer_receive(t, data, n);
    }
}

static void transfer_done(struct urb *urb)
{
    struct transfer *t = (struct transfer *)urb;
    struct usbredir *r = t->r;

    if (r->parser && answer(t))
        return;
    unlink_transfer(t);
    free(t);
    chip_stop(host_chip(r->host));
}

/* A transfer in the list, with room for `length` bytes. */
static struct transfer *new_transfer(struct usbredir *r, enum kind kind,
                                     enum urb_type type, uint64_t id,
                                     unsigned endpoint, size_t length)
{
    struct transfer *t = calloc(1, sizeof(*t) + length), **p = &r->transfers;

    if (!t)
        return NULL;
    t->r = r;
    t->kind = kind;
    t->id = id;
    t->urb = (struct urb){.type = type,
                          .address = 0xff,
                          .endpoint = (uint8_t)endpoint,
                          .data = t->data,
                          .length = length,
                          .done = transfer_done};
    while (*p)
        p = &(*p)->next;
    *p = t;
    return t;
}

/* To the chip, or into the queue until it has been enumerated. */
static void start(struct transfer *t)
{
    if (t->r->ready) {
        host_submit(t->r->host, &t->urb);
        return;
    }
    t->urb.status = URB_PENDING;
    if (!t->r->en.busy) {
        t->urb.status = URB_GONE;
        transfer_done(&t->urb);
    }
}

static bool at_host(const struct transfer *t)
{
    return t->r->ready && t->urb.status == URB_PENDING;
}

static void cancel(struct transfer *t, enum urb_status status)
{
    if (at_host(t)) {
        host_cancel(t->r->host, &t->urb);
        return;
    }
    t->urb.status = status;
    transfer_done(&t->urb);
}

static void cancel_all(struct usbredir *r)
{
    struct transfer *t;

    while ((t = r->transfers)) {
        t->stopped = true;
        cancel(t, URB_CANCELLED);
    }
}

/* ---- the device comes, is reset, goes ---- */

static void tell_disconnect(struct usbredir *r)
{
    if (!r->told)
        return;
    r->told = false;
    r->ack_owed = usbredirparser_peer_has_cap(
        r->parser, usb_redir_cap_device_disconnect_ack);
    usbredirparser_send_device_disconnect(r->parser);
    say(r, "device disconnected");
}

static void tell_connect(struct usbredir *r)
{
    struct usb_redir_device_connect_header h;
    char text[64];

    if (!r->ready || r->told || r->ack_owed)
        return;
    memcpy(r->device, r->en.device, sizeof(r->device));
    info_device(r->device, &h);
    send_info(r);
    usbredirparser_send_device_connect(r->parser, &h);
    r->told = true;
    snprintf(text, sizeof(text), "device %04x:%04x connected", h.vendor_id,
             h.product_id);
    say(r, text);
}

/* What waited for the enumeration. */
static void submit_waiting(struct usbredir *r)
{
    for (struct transfer *t = r->transfers; t; t = t->next)
        host_submit(r->host, &t->urb);
}

static void fail_waiting(struct usbredir *r)
{
    while (r->transfers) {
        r->transfers->urb.status = URB_GONE;
        r->transfers->stopped = true;
        transfer_done(&r->transfers->urb);
    }
}

static void enumerated(void *ctx, enum enum_result result)
{
    struct usbredir *r = ctx;

    chip_stop(host_chip(r->host));
    if (result != ENUM_READY) {
        say(r, r->en.why);
        fail_waiting(r);
        tell_disconnect(r);
        return;
    }
    r->configuration = 0;
    memset(r->alt, 0, sizeof(r->alt));
    /* 9.1.2 allows no other device after a reset, DFU 1.1 A.1 demands it. */
    if (r->told && memcmp(r->device, r->en.device, sizeof(r->device))) {
        fail_waiting(r);
        tell_disconnect(r);
    }
    r->ready = true;
    submit_waiting(r);
    tell_connect(r);
}

static void begin_enumeration(struct usbredir *r)
{
    r->ready = false;
    enumerate_start(&r->en);
}

static void attach_changed(void *ctx, bool attached)
{
    struct usbredir *r = ctx;

    if (!r->hello)
        return;
    if (attached) {
        begin_enumeration(r);
        return;
    }
    enumerate_stop(&r->en);
    r->ready = false;
    fail_waiting(r);
    tell_disconnect(r);
    chip_stop(host_chip(r->host));
}

/* ---- messages of the peer ---- */

static void on_hello(void *priv, struct usb_redir_hello_header *h)
{
    struct usbredir *r = priv;
    char text[128];

    snprintf(text, sizeof(text), "client: %.60s", h->version);
    say(r, text);
    r->hello = true;
    if (host_attached(r->host))
        begin_enumeration(r);
}

static void on_reset(void *priv)
{
    struct usbredir *r = priv;

    if (!r->told || !host_attached(r->host))
        return;
    cancel_all(r);
    begin_enumeration(r);
}

static void control_request(struct transfer *t, uint8_t type, uint8_t request,
                            uint16_t value, uint16_t index)
{
    const size_t n = t->urb.length;
    const uint8_t s[8] = {type,         request,
                          value & 0xff, (uint8_t)(value >> 8),
                          index & 0xff, (uint8_t)(index >> 8),
                          n & 0xff,     (uint8_t)(n >> 8)};

    memcpy(t->urb.setup, s, sizeof(s));
    start(t);
}

static void on_set_configuration(void *priv, uint64_t id,
                                 struct usb_redir_set_configuration_header *h)
{
    struct transfer *t =
        new_transfer(priv, KIND_SET_CONFIG, URB_CONTROL, id, 0, 0);

    if (t)
        control_request(t, 0x00, 9, h->configuration, 0);
}

static void on_get_configuration(void *priv, uint64_t id)
{
    struct usbredir *r = priv;
    struct usb_redir_configuration_status_header h = {
        .status = usb_redir_success, .configuration = r->configuration};

    usbredirparser_send_configuration_status(r->parser, id, &h);
}

static void on_set_alt(void *priv, uint64_t id,
                       struct usb_redir_set_alt_setting_header *h)
{
    struct transfer *t =
        new_transfer(priv, KIND_SET_ALT, URB_CONTROL, id, 0, 0);

    if (t)
        control_request(t, 0x01, 11, h->alt, h->interface);
}

static void on_get_alt(void *priv, uint64_t id,
                       struct usb_redir_get_alt_setting_header *q)
{
    struct usbredir *r = priv;
    struct usb_redir_alt_setting_status_header h = {
        .status = usb_redir_success,
        .interface = q->interface,
        .alt = r->alt[q->interface % INFO_INTERFACES]};

    usbredirparser_send_alt_setting_status(r->parser, id, &h);
}

/* Takes over what the peer sends along, and frees it. */
static void take_data(struct usbredir *r, struct transfer *t, uint8_t *data,
                      int n)
{
    if (t && data && !is_in(t) && (size_t)n <= t->urb.length)
        memcpy(t->data, data, (size_t)n);
    if (data)
        usbredirparser_free_packet_data(r->parser, data);
}

static void on_control(void *priv, uint64_t id,
                       struct usb_redir_control_packet_header *h, uint8_t *data,
                       int n)
{
    struct usbredir *r = priv;
    bool in = h->requesttype & 0x80;
    size_t length = in ? h->length : (size_t)n;
    struct transfer *t =
        new_transfer(r, KIND_CONTROL, URB_CONTROL, id, h->endpoint, length);

    if (t)
        t->urb.setup[0] = h->requesttype;
    take_data(r, t, data, n);
    if (t)
        control_request(t, h->requesttype, h->request, h->value, h->index);
}

static void on_bulk(void *priv, uint64_t id,
                    struct usb_redir_bulk_packet_header *h, uint8_t *data,
                    int n)
{
    struct usbredir *r = priv;
    size_t length = h->length | (size_t)h->length_high << 16;
    struct transfer *t = new_transfer(r, KIND_BULK, URB_BULK, id, h->endpoint,
                                      h->endpoint & 0x80 ? length : (size_t)n);

    if (t)
        t->stream_id = h->stream_id;
    take_data(r, t, data, n);
    if (t)
        start(t);
}

static void on_interrupt(void *priv, uint64_t id,
                         struct usb_redir_interrupt_packet_header *h,
                         uint8_t *data, int n)
{
    struct usbredir *r = priv;
    struct transfer *t = new_transfer(r, KIND_INTERRUPT, URB_INTERRUPT, id,
                                      h->endpoint, (size_t)n);

    take_data(r, t, data, n);
    if (t)
        start(t);
}

static struct transfer *receiving(struct usbredir *r, uint8_t endpoint)
{
    struct transfer *t = r->transfers;

    while (t && (t->kind != KIND_RECEIVE || t->urb.endpoint != endpoint))
        t = t->next;
    return t;
}

static void receiving_status(struct usbredir *r, uint64_t id, uint8_t endpoint,
                             uint8_t status)
{
    struct usb_redir_interrupt_receiving_status_header h = {
        .status = status, .endpoint = endpoint};

    usbredirparser_send_interrupt_receiving_status(r->parser, id, &h);
}

static void
on_start_interrupt(void *priv, uint64_t id,
                   struct usb_redir_start_interrupt_receiving_header *h)
{
    struct usbredir *r = priv;
    struct transfer *t;

    if (receiving(r, h->endpoint)) {
        receiving_status(r, id, h->endpoint, usb_redir_inval);
        return;
    }
    t = new_transfer(r, KIND_RECEIVE, URB_INTERRUPT, 0, h->endpoint,
                     host_max_packet(r->host, h->endpoint));
    if (!t)
        return;
    receiving_status(r, id, h->endpoint, usb_redir_success);
    start(t);
}

static void
on_stop_interrupt(void *priv, uint64_t id,
                  struct usb_redir_stop_interrupt_receiving_header *h)
{
    struct usbredir *r = priv;
    struct transfer *t = receiving(r, h->endpoint);

    if (t) {
        t->stopped = true;
        cancel(t, URB_CANCELLED);
    }
    receiving_status(r, id, h->endpoint, usb_redir_success);
}

static void on_cancel(void *priv, uint64_t id)
{
    struct usbredir *r = priv;
    struct transfer *t = r->transfers;

    while (t && (t->id != id || t->kind == KIND_RECEIVE))
        t = t->next;
    if (t)
        cancel(t, URB_CANCELLED);
}

static void on_disconnect_ack(void *priv)
{
    struct usbredir *r = priv;

    r->ack_owed = false;
    tell_connect(r);
}

/* ---- the client ---- */

static void on_log(void *priv, int level, const char *msg)
{
    if (level <= usbredirparser_warning)
        say(priv, msg);
}

static int on_read(void *priv, uint8_t *data, int count)
{
    struct usbredir *r = priv;
    int n = net_read(r->client, data, count);

    if (n < 0)
        r->closing = true;
    return n;
}

static int on_write(void *priv, uint8_t *data, int count)
{
    struct usbredir *r = priv;
    int n = net_write(r->client, data, count);

    if (n < 0)
        r->closing = true;
    return n;
}

static struct usbredirparser *make_parser(struct usbredir *r)
{
    uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
    struct usbredirparser *p = usbredirparser_create();

    if (!p)
        return NULL;
    p->priv = r;
    p->log_func = on_log;
    p->read_func = on_read;
    p->write_func = on_write;
    p->hello_func = on_hello;
    p->reset_func = on_reset;
    p->set_configuration_func = on_set_configuration;
    p->get_configuration_func = on_get_configuration;
    p->set_alt_setting_func = on_set_alt;
    p->get_alt_setting_func = on_get_alt;
    p->start_interrupt_receiving_func = on_start_interrupt;
    p->stop_interrupt_receiving_func = on_stop_interrupt;
    p->cancel_data_packet_func = on_cancel;
    p->control_packet_func = on_control;
    p->bulk_packet_func = on_bulk;
    p->interrupt_packet_func = on_interrupt;
    p->device_disconnect_ack_func = on_disconnect_ack;
    usbredirparser_caps_set_cap(caps, usb_redir_cap_connect_device_version);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_device_disconnect_ack);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_ep_info_max_packet_size);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_64bits_ids);
    usbredirparser_caps_set_cap(caps, usb_redir_cap_32bits_bulk_length);
    usbredirparser_init(p, "sallyport-chip", caps, USB_REDIR_CAPS_SIZE,
                        usbredirparser_fl_usb_host);
    return p;
}

static void drop_client(struct usbredir *r)
{
    enumerate_stop(&r->en);
    cancel_all(r);
    usbredirparser_destroy(r->parser);
    close(r->client);
    r->parser = NULL;
    r->client = -1;
    r->hello = r->closing = r->ready = r->told = r->ack_owed = false;
    say(r, "client left");
}

static void accept_client(struct usbredir *r)
{
    int fd = net_accept(r->listener);

    if (fd < 0)
        return;
    if (r->client >= 0) {
        say(r, "a second client was turned away: one at a time");
        close(fd);
        return;
    }
    r->client = fd;
    r->parser = make_parser(r);
    if (!r->parser)
        drop_client(r);
}

/* ---- for main.c ---- */

struct usbredir *usbredir_new(struct host *h, const char *spec,
                              void (*print)(void *ctx, const char *line),
                              void *ctx, char error[USBREDIR_ERROR_MAX])
{
    struct usbredir *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->host = h;
    r->print = print;
    r->print_ctx = ctx;
    r->client = -1;
    r->en.host = h;
    r->en.done = enumerated;
    r->en.ctx = r;
    r->listener = net_listen(spec, r->address, sizeof(r->address), error,
                             USBREDIR_ERROR_MAX);
    if (r->listener < 0) {
        free(r);
        return NULL;
    }
    host_on_attach(h, attach_changed, r);
    return r;
}

void usbredir_free(struct usbredir *r)
{
    if (!r)
        return;
    host_on_attach(r->host, NULL, NULL);
    if (r->client >= 0)
        drop_client(r);
    close(r->listener);
    free(r);
}

const char *usbredir_address(const struct usbredir *r)
{
    return r->address;
}

unsigned usbredir_poll(const struct usbredir *r, struct pollfd *fds)
{
    unsigned n = 0;

    fds[n++] = (struct pollfd){.fd = r->listener, .events = POLLIN};
    if (r->client >= 0) {
        short out = usbredirparser_has_data_to_write(r->parser) ? POLLOUT : 0;

        fds[n++] =
            (struct pollfd){.fd = r->client, .events = (short)(POLLIN | out)};
    }
    return n;
}

void usbredir_io(struct usbredir *r)
{
    accept_client(r);
    if (r->client < 0)
        return;
    if (usbredirparser_do_read(r->parser) == usbredirparser_read_parse_error)
        say(r, "a message of the client made no sense and was skipped");
    if (!r->closing && usbredirparser_has_data_to_write(r->parser))
        usbredirparser_do_write(r->parser);
    if (r->closing)
        drop_client(r);
}

bool usbredir_busy(const struct usbredir *r)
{
    sim_time now = chip_now(host_chip(r->host));

    if (r->en.busy)
        return true;
    for (const struct transfer *t = r->transfers; t; t = t->next)
        if (t->urb.type != URB_INTERRUPT && now - t->urb.started < WORK_LIMIT)
            return true;
    return false;
}
