/* SPDX-License-Identifier: MIT */
/*
 * usbredir_urb.c - the peer's requests as transfers of our host, and their
 * answers.  While the chip is being enumerated they wait in the list.
 */
#include <string.h>

#include "usbredir_priv.h"

enum kind {
    KIND_CONTROL,
    KIND_BULK,
    KIND_INTERRUPT,
    KIND_SET_CONFIG,
    KIND_SET_ALT,
    KIND_RECEIVE
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

/* ---- answers, by kind ---- */

static void answer_control(struct usbredir *r, struct transfer *t,
                           uint8_t *data, int n)
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

    usbredirparser_send_control_packet(r->parser, t->id, &h, data, n);
}

static void answer_bulk(struct usbredir *r, struct transfer *t, uint8_t *data,
                        int n)
{
    struct usb_redir_bulk_packet_header h = {
        .endpoint = t->urb.endpoint,
        .status = redir_status(&t->urb),
        .length = (uint16_t)t->urb.actual,
        .length_high = (uint16_t)(t->urb.actual >> 16),
        .stream_id = t->number,
    };

    usbredirparser_send_bulk_packet(r->parser, t->id, &h, data, n);
}

static void answer_interrupt(struct usbredir *r, struct transfer *t,
                             uint8_t *data, int n)
{
    struct usb_redir_interrupt_packet_header h = {
        .endpoint = t->urb.endpoint,
        .status = redir_status(&t->urb),
        .length = (uint16_t)t->urb.actual,
    };

    usbredirparser_send_interrupt_packet(r->parser, t->id, &h, data, n);
}

static void answer_set_config(struct usbredir *r, struct transfer *t)
{
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

static void answer_set_alt(struct usbredir *r, struct transfer *t)
{
    uint8_t interface = t->urb.setup[4] % DESC_INTERFACES;
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
static bool answer_receive(struct usbredir *r, struct transfer *t,
                           uint8_t *data, int n)
{
    struct usb_redir_interrupt_receiving_status_header h = {
        .status = redir_status(&t->urb), .endpoint = t->urb.endpoint};

    if (t->stopped)
        return false;
    if (t->urb.status == URB_OK) {
        answer_interrupt(r, t, data, n);
        t->id++;
        host_submit(r->front->host, &t->urb);
        return true;
    }
    usbredirparser_send_interrupt_receiving_status(r->parser, t->id, &h);
    return false;
}

bool redir_answer(void *ctx, struct transfer *t)
{
    struct usbredir *r = ctx;
    int n = front_is_in(t) ? (int)t->urb.actual : 0;
    uint8_t *data = n ? t->data : NULL;

    switch ((enum kind)t->kind) {
    case KIND_CONTROL:
        answer_control(r, t, data, n);
        return false;
    case KIND_BULK:
        answer_bulk(r, t, data, n);
        return false;
    case KIND_INTERRUPT:
        answer_interrupt(r, t, data, n);
        return false;
    case KIND_SET_CONFIG:
        answer_set_config(r, t);
        return false;
    case KIND_SET_ALT:
        answer_set_alt(r, t);
        return false;
    default:
        return answer_receive(r, t, data, n);
    }
}

static struct transfer *new_transfer(struct usbredir *r, enum kind kind,
                                     enum urb_type type, uint64_t id,
                                     unsigned endpoint, size_t length)
{
    struct transfer *t = front_transfer(r->front, type, endpoint, id, length);

    if (t)
        t->kind = kind;
    return t;
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
    front_start(t);
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
        .alt = r->alt[q->interface % DESC_INTERFACES]};

    usbredirparser_send_alt_setting_status(r->parser, id, &h);
}

/* Takes over what the peer sends along, and frees it. */
static void take_data(struct usbredir *r, struct transfer *t, uint8_t *data,
                      int n)
{
    if (t && data && !front_is_in(t) && (size_t)n <= t->urb.length)
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
        t->number = h->stream_id;
    take_data(r, t, data, n);
    if (t)
        front_start(t);
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
        front_start(t);
}

static struct transfer *receiving(struct usbredir *r, uint8_t endpoint)
{
    struct transfer *t = r->front->transfers;

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
                     host_max_packet(r->front->host, h->endpoint));
    if (!t)
        return;
    receiving_status(r, id, h->endpoint, usb_redir_success);
    front_start(t);
}

static void
on_stop_interrupt(void *priv, uint64_t id,
                  struct usb_redir_stop_interrupt_receiving_header *h)
{
    struct usbredir *r = priv;
    struct transfer *t = receiving(r, h->endpoint);

    if (t) {
        t->stopped = true;
        front_cancel(t);
    }
    receiving_status(r, id, h->endpoint, usb_redir_success);
}

static void on_cancel(void *priv, uint64_t id)
{
    struct usbredir *r = priv;
    struct transfer *t = r->front->transfers;

    while (t && (t->id != id || t->kind == KIND_RECEIVE))
        t = t->next;
    if (t)
        front_cancel(t);
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
