/* SPDX-License-Identifier: MIT */
/*
 * usbredir_urb.c - the peer's requests as transfers of our host, and their
 * answers.  While the chip is being enumerated they wait in the list.
 */
#include <stdlib.h>
#include <string.h>

#include "usbredir_priv.h"

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

static void answer_set_config(struct transfer *t)
{
    struct usbredir *r = t->r;
    struct usb_redir_configuration_status_header h = {
        .status = redir_status(&t->urb)};

    if (t->urb.status == URB_OK) {
        r->configuration = t->urb.setup[2];
        memset(r->alt, 0, sizeof(r->alt));
        redir_send_info(r);
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
        redir_send_info(r);
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

void redir_cancel_all(struct usbredir *r)
{
    struct transfer *t;

    while ((t = r->transfers)) {
        t->stopped = true;
        cancel(t, URB_CANCELLED);
    }
}

/* ---- for usbredir.c ---- */

void redir_submit_waiting(struct usbredir *r)
{
    for (struct transfer *t = r->transfers; t; t = t->next)
        host_submit(r->host, &t->urb);
}

void redir_fail_waiting(struct usbredir *r)
{
    while (r->transfers) {
        r->transfers->urb.status = URB_GONE;
        r->transfers->stopped = true;
        transfer_done(&r->transfers->urb);
    }
}

bool redir_urb_busy(const struct usbredir *r)
{
    sim_time now = chip_now(host_chip(r->host));

    for (const struct transfer *t = r->transfers; t; t = t->next)
        if (t->urb.type != URB_INTERRUPT && now - t->urb.started < WORK_LIMIT)
            return true;
    return false;
}

/* ---- messages of the peer ---- */

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

void redir_urb_callbacks(struct usbredirparser *p)
{
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
}
