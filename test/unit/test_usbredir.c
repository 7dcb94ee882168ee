/* SPDX-License-Identifier: MIT */
/*
 * test_usbredir.c - the usbredir front end against the other half of
 * libusbredirparser, over a real socket: what QEMU does, without QEMU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <usbredirparser.h>

#include "front_bench.h"
#include "usbredir.h"

struct guest {
    int fd;
    struct usbredirparser *parser;
    struct usb_redir_device_connect_header device;
    struct usb_redir_interface_info_header interfaces;
    struct usb_redir_ep_info_header eps;
    unsigned connects, disconnects;
    /* the latest answer of any kind */
    unsigned answers;
    uint64_t id;
    int status;
    uint8_t data[256];
    int n;
    uint8_t configuration, alt;
};

struct fixture {
    struct front_bench b;
    struct usbredir *redir;
    struct guest guest;
};

/* ---- the guest ---- */

static void answered(struct guest *g, uint64_t id, int status, uint8_t *data,
                     int n)
{
    g->answers++;
    g->id = id;
    g->status = status;
    g->n = n;
    if (data)
        memcpy(g->data, data, (size_t)n);
    if (data)
        usbredirparser_free_packet_data(g->parser, data);
}

static void on_hello(void *p, struct usb_redir_hello_header *h)
{
    (void)p, (void)h;
}

static void on_connect(void *p, struct usb_redir_device_connect_header *h)
{
    ((struct guest *)p)->device = *h;
    ((struct guest *)p)->connects++;
}

static void on_disconnect(void *p)
{
    ((struct guest *)p)->disconnects++;
}

static void on_interfaces(void *p, struct usb_redir_interface_info_header *h)
{
    ((struct guest *)p)->interfaces = *h;
}

static void on_eps(void *p, struct usb_redir_ep_info_header *h)
{
    ((struct guest *)p)->eps = *h;
}

static void on_config(void *p, uint64_t id,
                      struct usb_redir_configuration_status_header *h)
{
    ((struct guest *)p)->configuration = h->configuration;
    answered(p, id, h->status, NULL, 0);
}

static void on_alt(void *p, uint64_t id,
                   struct usb_redir_alt_setting_status_header *h)
{
    ((struct guest *)p)->alt = h->alt;
    answered(p, id, h->status, NULL, 0);
}

static void on_control(void *p, uint64_t id,
                       struct usb_redir_control_packet_header *h, uint8_t *data,
                       int n)
{
    answered(p, id, h->status, data, n);
}

static void on_bulk(void *p, uint64_t id,
                    struct usb_redir_bulk_packet_header *h, uint8_t *data,
                    int n)
{
    answered(p, id, h->status, data, n);
}

static void on_interrupt(void *p, uint64_t id,
                         struct usb_redir_interrupt_packet_header *h,
                         uint8_t *data, int n)
{
    answered(p, id, h->status, data, n);
}

static void on_receiving(void *p, uint64_t id,
                         struct usb_redir_interrupt_receiving_status_header *h)
{
    answered(p, id, h->status, NULL, 0);
}

static int guest_read(void *p, uint8_t *data, int n)
{
    ssize_t r = recv(((struct guest *)p)->fd, data, (size_t)n, MSG_DONTWAIT);

    return r < 0 && errno == EAGAIN ? 0 : r <= 0 ? -1 : (int)r;
}

static int guest_write(void *p, uint8_t *data, int n)
{
    return (int)send(((struct guest *)p)->fd, data, (size_t)n, MSG_NOSIGNAL);
}

static void no_log(void *p, int level, const char *msg)
{
    (void)p, (void)level, (void)msg;
}

static void guest_start(struct guest *g, const char *address)
{
    uint32_t caps[USB_REDIR_CAPS_SIZE] = {0};
    struct usbredirparser *p = usbredirparser_create();

    memset(g, 0, sizeof(*g));
    g->fd = front_bench_dial(address);
    assert_true(g->fd >= 0);
    g->parser = p;
    p->priv = g;
    p->log_func = no_log;
    p->read_func = guest_read;
    p->write_func = guest_write;
    p->hello_func = on_hello;
    p->device_connect_func = on_connect;
    p->device_disconnect_func = on_disconnect;
    p->interface_info_func = on_interfaces;
    p->ep_info_func = on_eps;
    p->configuration_status_func = on_config;
    p->alt_setting_status_func = on_alt;
    p->control_packet_func = on_control;
    p->bulk_packet_func = on_bulk;
    p->interrupt_packet_func = on_interrupt;
    p->interrupt_receiving_status_func = on_receiving;
    for (int cap = usb_redir_cap_connect_device_version;
         cap <= usb_redir_cap_32bits_bulk_length; cap++)
        usbredirparser_caps_set_cap(caps, cap);
    usbredirparser_init(p, "test", caps, USB_REDIR_CAPS_SIZE, 0);
}

static void guest_stop(struct guest *g)
{
    usbredirparser_destroy(g->parser);
    close(g->fd);
}

/* Both ends and the chip, for some virtual milliseconds. */
static void pump(struct fixture *f, unsigned ms)
{
    while (ms--) {
        if (usbredirparser_has_data_to_write(f->guest.parser))
            usbredirparser_do_write(f->guest.parser);
        usbredir_io(f->redir);
        chip_run(&f->b.chip, f->b.chip.now + SIM_MS);
        usbredir_io(f->redir);
        usbredirparser_do_read(f->guest.parser);
    }
}

static void wait_answer(struct fixture *f)
{
    unsigned before = f->guest.answers;

    for (unsigned i = 0; i < 500 && f->guest.answers == before; i++) {
        pump(f, 1);
        if (i > 50)
            usleep(1000); /* a loaded machine: the socket is slow */
    }
    assert_int_equal(f->guest.answers, before + 1);
}

static void control(struct fixture *f, uint64_t id, uint8_t type,
                    uint8_t request, uint16_t value, uint8_t *data,
                    uint16_t length)
{
    struct usb_redir_control_packet_header h = {.endpoint = type & 0x80,
                                                .request = request,
                                                .requesttype = type,
                                                .value = value,
                                                .length = length};

    usbredirparser_send_control_packet(f->guest.parser, id, &h, data,
                                       data ? length : 0);
}

static void bulk(struct fixture *f, uint64_t id, uint8_t ep, uint8_t *data,
                 uint16_t length)
{
    struct usb_redir_bulk_packet_header h = {.endpoint = ep, .length = length};

    usbredirparser_send_bulk_packet(f->guest.parser, id, &h, data,
                                    data ? length : 0);
}

static void configure(struct fixture *f)
{
    struct usb_redir_set_configuration_header h = {1};

    usbredirparser_send_set_configuration(f->guest.parser, 7, &h);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_success);
    assert_int_equal(f->guest.configuration, 1);
}

/* ---- set-up ---- */

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char error[FRONT_ERROR_MAX];

    front_bench_new(&f->b, *state);
    f->redir = usbredir_new(&f->b.front, "127.0.0.1:0", error);
    guest_start(&f->guest, usbredir_address(f->redir));
    pump(f, 200);
    *state = f;
    return f->guest.connects != 1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    guest_stop(&f->guest);
    usbredir_free(f->redir);
    front_bench_free(&f->b);
    free(f);
    return 0;
}

/* ---- tests ---- */

static void tells_of_the_device(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guest;

    assert_int_equal(g->device.speed, usb_redir_speed_full);
    assert_int_equal(g->device.vendor_id, 0x1209);
    assert_int_equal(g->device.product_id, 1);
    assert_int_equal(g->interfaces.interface_count, 1);
    assert_int_equal(g->interfaces.interface_class[0], 8);
    assert_int_equal(g->eps.type[0], usb_redir_type_control);
    assert_int_equal(g->eps.type[1], usb_redir_type_bulk);
    assert_int_equal(g->eps.type[16 + 2], usb_redir_type_bulk);
    assert_int_equal(g->eps.type[2], usb_redir_type_invalid);
    assert_int_equal(g->eps.max_packet_size[1], 64);
    assert_false(front_busy(&f->b.front));
}

static void transfers(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guest;
    uint8_t out[200];

    memset(out, 0x5b, sizeof(out));
    configure(f);
    control(f, 100, 0x80, 6, 0x0100, NULL, 18);
    wait_answer(f);
    assert_int_equal(g->id, 100);
    assert_int_equal(g->status, usb_redir_success);
    assert_int_equal(g->n, 18);
    assert_int_equal(g->data[1], 1);
    control(f, 101, 0x40, 1, 0, out, sizeof(out));
    wait_answer(f);
    assert_int_equal(g->status, usb_redir_success);
    assert_int_equal(f->b.echo.got, 200);
    control(f, 102, 0xc0, 1, 0, NULL, 200);
    wait_answer(f);
    assert_int_equal(g->n, 128);
    assert_memory_equal(g->data, out, 128);
    control(f, 103, 0x81, 6, 0, NULL, 8);
    wait_answer(f);
    assert_int_equal(g->status, usb_redir_stall);
    bulk(f, 104, 0x01, out, 40);
    wait_answer(f);
    assert_int_equal(g->status, usb_redir_success);
    bulk(f, 105, 0x82, NULL, 64);
    wait_answer(f);
    assert_int_equal(g->id, 105);
    assert_int_equal(g->n, 40);
    assert_memory_equal(g->data, out, 40);
}

static void alternate_settings(void **state)
{
    struct fixture *f = *state;
    struct usb_redir_set_alt_setting_header h = {.interface = 0, .alt = 0};
    struct usb_redir_get_alt_setting_header q = {.interface = 0};

    configure(f);
    usbredirparser_send_set_alt_setting(f->guest.parser, 8, &h);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_success);
    usbredirparser_send_get_alt_setting(f->guest.parser, 9, &q);
    wait_answer(f);
    assert_int_equal(f->guest.alt, 0);
    usbredirparser_send_get_configuration(f->guest.parser, 10);
    wait_answer(f);
    assert_int_equal(f->guest.configuration, 1);
}

/* A transfer that the chip answers with NAK goes on until it is cancelled. */
static void cancels(void **state)
{
    struct fixture *f = *state;
    uint8_t out[8] = {1};

    configure(f);
    bulk(f, 200, 0x82, NULL, 64);
    pump(f, 50);
    assert_true(front_busy(&f->b.front));
    pump(f, 3000);
    assert_false(front_busy(&f->b.front)); /* waits, but that is no work */
    usbredirparser_send_cancel_data_packet(f->guest.parser, 200);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_cancelled);
    bulk(f, 201, 0x01, out, 8);
    wait_answer(f);
    bulk(f, 202, 0x82, NULL, 64);
    wait_answer(f);
    assert_int_equal(f->guest.n, 8);
}

/* EP2 read as an interrupt endpoint: packets come without being asked for. */
static void interrupt_receiving(void **state)
{
    struct fixture *f = *state;
    struct guest *g = &f->guest;
    struct usb_redir_start_interrupt_receiving_header start = {0x82};
    struct usb_redir_stop_interrupt_receiving_header stop = {0x82};
    uint8_t out[8] = {3, 1, 4};

    configure(f);
    usbredirparser_send_start_interrupt_receiving(g->parser, 1, &start);
    wait_answer(f);
    assert_int_equal(g->status, usb_redir_success);
    for (unsigned i = 0; i < 3; i++) {
        bulk(f, 1000 + i, 0x01, out, 8);
        pump(f, 10);
        assert_int_equal(g->answers, 2 + 2 * (i + 1));
        assert_int_equal(g->id, i);
        assert_int_equal(g->n, 8);
        assert_memory_equal(g->data, out, 8);
    }
    usbredirparser_send_stop_interrupt_receiving(g->parser, 2, &stop);
    wait_answer(f);
    bulk(f, 1100, 0x01, out, 8);
    wait_answer(f);
    pump(f, 20);
    assert_int_equal(g->id, 1100);
}

/* The reset reaches the chip; requests that follow at once wait for it. */
static void replays_reset(void **state)
{
    struct fixture *f = *state;
    unsigned resets = f->b.echo.resets;

    configure(f);
    usbredirparser_send_reset(f->guest.parser);
    control(f, 300, 0x80, 6, 0x0100, NULL, 18);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_success);
    assert_int_equal(f->b.echo.resets, resets + 1);
    assert_true(host_address(f->b.host) != 0);
    assert_int_equal(f->guest.disconnects, 0);
}

static void other_device_after_reset(void **state)
{
    struct fixture *f = *state;

    f->b.echo.product = 5;
    usbredirparser_send_reset(f->guest.parser);
    control(f, 400, 0x80, 6, 0x0100, NULL, 18);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_ioerror);
    pump(f, 20);
    assert_int_equal(f->guest.disconnects, 1);
    assert_int_equal(f->guest.connects, 2);
    assert_int_equal(f->guest.device.product_id, 6);
}

static void disconnect_and_back(void **state)
{
    struct fixture *f = *state;

    configure(f);
    bulk(f, 500, 0x82, NULL, 64);
    pump(f, 5);
    f->b.echo.product = 1;
    wire_plug(f->b.chip.wire, false);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_ioerror);
    pump(f, 5);
    assert_int_equal(f->guest.disconnects, 1);
    control(f, 501, 0x80, 6, 0x0100, NULL, 18);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_ioerror);
    wire_plug(f->b.chip.wire, true);
    pump(f, 300);
    assert_int_equal(f->guest.connects, 2);
    assert_int_equal(f->guest.device.product_id, 2);
}

/* It is tried a few times, then the front end says why and leaves it. */
static void dead_device(void **state)
{
    struct fixture *f = *state;

    f->b.chip.firmware = NULL;
    usbredirparser_send_reset(f->guest.parser);
    pump(f, 2000);
    assert_int_equal(f->guest.disconnects, 1);
    assert_non_null(strstr(f->b.log, "GET_DESCRIPTOR(device, 8) failed"));
    assert_false(front_busy(&f->b.front));
}

static void one_client(void **state)
{
    struct fixture *f = *state;
    int fd = front_bench_dial(usbredir_address(f->redir));
    char byte;

    pump(f, 2);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
    assert_non_null(strstr(f->b.log, "turned away"));
    control(f, 600, 0x80, 6, 0x0100, NULL, 18);
    wait_answer(f);
    assert_int_equal(f->guest.status, usb_redir_success);
}

static void next_client(void **state)
{
    struct fixture *f = *state;

    bulk(f, 700, 0x82, NULL, 64);
    pump(f, 5);
    guest_stop(&f->guest);
    usbredir_io(f->redir);
    assert_non_null(strstr(f->b.log, "client left"));
    guest_start(&f->guest, usbredir_address(f->redir));
    pump(f, 100);
    assert_int_equal(f->guest.connects, 1);
    configure(f);
}

static void nonsense_is_survived(void **state)
{
    struct fixture *f = *state;

    guest_stop(&f->guest);
    usbredir_io(f->redir);
    for (unsigned i = 0; i < 20; i++) {
        uint8_t junk[300];
        int fd = front_bench_dial(usbredir_address(f->redir));

        for (unsigned k = 0; k < sizeof(junk); k++)
            junk[k] = (uint8_t)(k * i + (k >> 3));
        send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
        usbredir_io(f->redir);
        usbredir_io(f->redir);
        close(fd);
        usbredir_io(f->redir);
    }
    guest_start(&f->guest, usbredir_address(f->redir));
    pump(f, 100);
    assert_int_equal(f->guest.connects, 1);
}

static void bad_addresses(void **state)
{
    struct fixture *f = *state;
    char error[FRONT_ERROR_MAX];

    assert_null(usbredir_new(&f->b.front, "nowhere", error));
    assert_non_null(strstr(error, "HOST:PORT"));
    assert_null(usbredir_new(&f->b.front, usbredir_address(f->redir), error));
    assert_non_null(strstr(error, "choose another port"));
}

int main(void)
{
#define ON(block, f)                                                           \
    {                                                                          \
#f "." #block, f, setup, teardown, (void *)(uintptr_t)&echo_##block    \
    }
#define TEST(f) ON(fsdev, f), ON(dwc2, f)
    const struct CMUnitTest tests[] = {
        TEST(tells_of_the_device),
        TEST(transfers),
        TEST(alternate_settings),
        TEST(cancels),
        TEST(interrupt_receiving),
        TEST(replays_reset),
        TEST(other_device_after_reset),
        TEST(disconnect_and_back),
        TEST(dead_device),
        TEST(one_client),
        TEST(next_client),
        TEST(nonsense_is_survived),
        TEST(bad_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
