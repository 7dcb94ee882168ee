/* SPDX-License-Identifier: MIT */
/*
 * usbredir.c - see usbredir.h.  usbredir_urb.c has the transfers.
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

#include "net.h"
#include "usbredir_priv.h"

static void say(struct usbredir *r, const char *text)
{
    front_say(r->front, "usbredir", text);
}

/* ---- the device comes, is reset, goes ---- */

void redir_send_info(struct usbredir *r)
{
    struct usb_redir_interface_info_header interfaces;
    struct usb_redir_ep_info_header eps;

    info_interfaces(r->front->en.config, r->front->en.config_size, r->alt,
                    &interfaces);
    info_endpoints(r->front->en.config, r->front->en.config_size, r->alt, &eps);
    usbredirparser_send_interface_info(r->parser, &interfaces);
    usbredirparser_send_ep_info(r->parser, &eps);
}

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

    if (!r->front->ready || r->told || r->ack_owed)
        return;
    memcpy(r->device, r->front->en.device, sizeof(r->device));
    info_device(r->device, &h);
    redir_send_info(r);
    usbredirparser_send_device_connect(r->parser, &h);
    r->told = true;
    snprintf(text, sizeof(text), "device %04x:%04x connected", h.vendor_id,
             h.product_id);
    say(r, text);
}

static void on_ready(void *ctx)
{
    struct usbredir *r = ctx;

    r->configuration = 0;
    memset(r->alt, 0, sizeof(r->alt));
    /* 9.1.2 allows no other device after a reset, DFU 1.1 A.1 demands it. */
    if (r->told && memcmp(r->device, r->front->en.device, sizeof(r->device))) {
        front_fail_waiting(r->front);
        tell_disconnect(r);
    }
    tell_connect(r);
}

static void on_gone(void *ctx, const char *why)
{
    struct usbredir *r = ctx;

    if (why)
        say(r, why);
    tell_disconnect(r);
}

static const struct front_ops ops = {
    .ready = on_ready, .gone = on_gone, .answer = redir_answer};

static void on_hello(void *priv, struct usb_redir_hello_header *h)
{
    struct usbredir *r = priv;
    char text[128];

    snprintf(text, sizeof(text), "client: %.60s", h->version);
    say(r, text);
    if (r->hello)
        return;
    r->hello = true;
    front_begin(r->front);
}

static void on_reset(void *priv)
{
    struct usbredir *r = priv;

    if (!r->told || !host_attached(r->front->host))
        return;
    front_cancel_all(r->front);
    front_enumerate(r->front);
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
    int n = r->quiet ? 0 : net_read(r->client, data, count);

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
    redir_urb_callbacks(p);
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
    front_release(r->front);
    usbredirparser_destroy(r->parser);
    close(r->client);
    r->parser = NULL;
    r->client = -1;
    r->hello = r->closing = r->told = r->ack_owed = r->quiet = false;
    say(r, "client left");
}

static void accept_client(struct usbredir *r)
{
    int fd = r->alone ? -1 : net_accept(r->listener);

    if (fd < 0)
        return;
    if (!front_claim(r->front, &ops, r)) {
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

struct usbredir *usbredir_new(struct front *f, const char *spec,
                              char error[FRONT_ERROR_MAX])
{
    struct usbredir *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->front = f;
    r->client = -1;
    r->listener = net_listen(spec, r->address, sizeof(r->address), error,
                             FRONT_ERROR_MAX);
    if (r->listener < 0) {
        free(r);
        return NULL;
    }
    return r;
}

void usbredir_free(struct usbredir *r)
{
    if (!r)
        return;
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

void usbredir_polled(struct usbredir *r, const struct pollfd *fds)
{
    r->alone = !fds->revents;
    if (r->client >= 0)
        r->quiet = !(fds[1].revents & ~POLLOUT);
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
