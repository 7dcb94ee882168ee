/* SPDX-License-Identifier: MIT */
/*
 * test_usbip.c - the USB/IP front end against a small client over a real
 * socket: what `usbip attach` and vhci_hcd do, without Linux.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_bench.h"
#include "usbip.h"
#include "usbredir.h"

enum { DEVLIST = 0x8005, IMPORT = 0x8003 };
enum { OUT, IN };
enum { SHORT_NOT_OK = 1, ZERO_PACKET = 0x40 };
#define HEADER 48
#define DEVICE 312

struct fixture {
    struct front_bench b;
    struct usbip *usbip;
    int fd;
    uint32_t devid, seqnum;
    /* the latest answer */
    uint8_t m[HEADER], data[4096];
    uint32_t command, id, actual;
    int status;
};

/* ---- the client ---- */

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

static void pump(struct fixture *f, unsigned ms)
{
    while (ms--) {
        usbip_io(f->usbip);
        chip_run(&f->b.chip, f->b.chip.now + SIM_MS);
        usbip_io(f->usbip);
    }
}

/* n bytes of the server; what there is before it closes or says nothing more
 * for a while. */
static size_t receive(struct fixture *f, int fd, void *p, size_t n)
{
    size_t got = 0;

    for (unsigned i = 0; got < n && i < 7000; i++) {
        ssize_t r = recv(fd, (uint8_t *)p + got, n - got, MSG_DONTWAIT);

        if (r == 0 || (r < 0 && errno != EAGAIN))
            return got;
        if (r > 0)
            got += (size_t)r;
        else
            pump(f, 1);
    }
    return got;
}

static bool closed(struct fixture *f, int fd)
{
    uint8_t byte;

    for (unsigned i = 0; i < 6000; i++) {
        ssize_t r = recv(fd, &byte, 1, MSG_DONTWAIT);

        if (r == 0 || (r < 0 && errno != EAGAIN))
            return true;
        pump(f, 1);
    }
    return false;
}

static int dial(struct fixture *f)
{
    int fd = front_bench_dial(usbip_address(f->usbip));

    assert_true(fd >= 0);
    return fd;
}

static void transmit(int fd, const void *p, size_t n)
{
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

static void ask(int fd, unsigned code, const char *busid)
{
    uint8_t m[40] = {1, 0x11, (uint8_t)(code >> 8), (uint8_t)code};

    if (busid)
        strcpy((char *)m + 8, busid);
    transmit(fd, m, busid ? 40 : 8);
}

/* The status of the reply, whose code has to be right. */
static uint32_t reply(struct fixture *f, int fd, unsigned code)
{
    uint8_t m[8] = {0};

    assert_int_equal(receive(f, fd, m, 8), 8);
    assert_int_equal(get32(m), 0x01110000 | (code & 0xff));
    return get32(m + 4);
}

static void import(struct fixture *f)
{
    uint8_t d[DEVICE];

    f->fd = dial(f);
    ask(f->fd, IMPORT, "1-1");
    assert_int_equal(reply(f, f->fd, IMPORT), 0);
    assert_int_equal(receive(f, f->fd, d, DEVICE), DEVICE);
    assert_string_equal((char *)d + 256, "1-1");
    assert_int_equal(get32(d + 296), 2); /* full speed */
    assert_int_equal(get32(d + 300), 0x12090001 + f->b.echo.product);
    f->devid = get32(d + 288) << 16 | get32(d + 292);
}

static void header(struct fixture *f, uint8_t m[HEADER], unsigned command,
                   unsigned direction, unsigned ep)
{
    memset(m, 0, HEADER);
    put32(m, command);
    put32(m + 4, ++f->seqnum);
    put32(m + 8, f->devid);
    put32(m + 12, direction);
    put32(m + 16, ep);
}

/* Returns its seqnum. */
static uint32_t submit(struct fixture *f, unsigned direction, unsigned ep,
                       uint32_t flags, const uint8_t *setup,
                       const uint8_t *data, uint32_t length)
{
    uint8_t m[HEADER];

    header(f, m, 1, direction, ep);
    put32(m + 20, flags);
    put32(m + 24, length);
    put32(m + 32, UINT32_MAX);
    if (setup)
        memcpy(m + 40, setup, 8);
    transmit(f->fd, m, HEADER);
    if (direction == OUT && length)
        transmit(f->fd, data, length);
    return f->seqnum;
}

static uint32_t control(struct fixture *f, uint8_t type, uint8_t request,
                        uint16_t value, uint8_t *data, uint16_t length)
{
    uint8_t s[8] = {type, request, value & 0xff,  (uint8_t)(value >> 8),
                    0,    0,       length & 0xff, (uint8_t)(length >> 8)};

    return submit(f, type & 0x80 ? IN : OUT, 0, 0, s, data, length);
}

static uint32_t unlink_urb(struct fixture *f, uint32_t seqnum)
{
    uint8_t m[HEADER];

    header(f, m, 2, 0, 0);
    put32(m + 20, seqnum);
    transmit(f->fd, m, HEADER);
    return f->seqnum;
}

/* The next answer, to a request of this direction. */
static void answer(struct fixture *f, unsigned direction)
{
    assert_int_equal(receive(f, f->fd, f->m, HEADER), HEADER);
    f->command = get32(f->m);
    f->id = get32(f->m + 4);
    f->status = (int)get32(f->m + 20);
    f->actual = get32(f->m + 24);
    assert_int_equal(get32(f->m + 8), 0);
    if (f->command != 3)
        return;
    assert_int_equal(get32(f->m + 32), UINT32_MAX);
    assert_true(f->actual <= sizeof(f->data));
    if (direction == IN)
        assert_int_equal(receive(f, f->fd, f->data, f->actual), f->actual);
}

static void expect(struct fixture *f, uint32_t id, unsigned direction,
                   int status, uint32_t actual)
{
    answer(f, direction);
    assert_int_equal(f->command, 3);
    assert_int_equal(f->id, id);
    assert_int_equal(f->status, status);
    assert_int_equal(f->actual, actual);
}

static void configure(struct fixture *f)
{
    expect(f, control(f, 0x00, 9, 1, NULL, 0), OUT, 0, 0);
}

/* ---- set-up ---- */

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char error[FRONT_ERROR_MAX];

    front_bench_new(&f->b, &echo_fsdev);
    f->usbip = usbip_new(&f->b.front, "127.0.0.1:0", error);
    f->fd = -1;
    *state = f;
    if (!f->usbip)
        return 1;
    pump(f, 150);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->fd >= 0)
        close(f->fd);
    usbip_free(f->usbip);
    front_bench_free(&f->b);
    free(f);
    return 0;
}

static int setup_imported(void **state)
{
    if (setup(state))
        return 1;
    import(*state);
    return 0;
}

/* ---- the list, the import ---- */

static uint32_t listed(struct fixture *f, uint8_t *rest, size_t n)
{
    int fd = dial(f);
    uint8_t m[4];

    ask(fd, DEVLIST, NULL);
    assert_int_equal(reply(f, fd, DEVLIST), 0);
    assert_int_equal(receive(f, fd, m, 4), 4);
    assert_int_equal(receive(f, fd, rest, n), get32(m) ? n : 0);
    assert_true(closed(f, fd));
    close(fd);
    return get32(m);
}

static void lists_the_device(void **state)
{
    struct fixture *f = *state;
    uint8_t d[DEVICE + 4];

    assert_int_equal(f->b.echo.resets, 0); /* without a client: no host */
    assert_int_equal(listed(f, d, sizeof(d)), 1);
    assert_string_equal((char *)d + 256, "1-1");
    assert_int_equal(get32(d + 300), 0x12090001);
    assert_int_equal(d[310], 1); /* configurations */
    assert_int_equal(d[311], 1); /* interfaces */
    assert_int_equal(d[312], 8); /* class of the first */
    assert_int_equal(d[313], 6);
    assert_false(front_busy(&f->b.front));
    wire_plug(f->b.chip.wire, false);
    pump(f, 5);
    assert_int_equal(listed(f, d, sizeof(d)), 0);
}

static void list_of_a_used_device_is_empty(void **state)
{
    struct fixture *f = *state;
    uint8_t d[DEVICE + 4];

    assert_int_equal(listed(f, d, sizeof(d)), 0);
    configure(f);
}

/* The chip sees what the client's kernel keeps to itself. */
static void import_resets_and_addresses(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->b.echo.resets, 1);
    assert_int_not_equal(host_address(f->b.host), 0);
    assert_int_equal(usb_read(&f->b.chip, DADDR),
                     0x80 | host_address(f->b.host));
    assert_non_null(strstr(f->b.log, "device 1209:0001 imported"));
    configure(f);
    assert_int_equal(f->b.echo.resets, 1);
}

static void other_bus_id_refused(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);

    ask(fd, IMPORT, "1-2");
    assert_int_equal(reply(f, fd, IMPORT), 4);
    assert_true(closed(f, fd));
    close(fd);
    import(f);
}

static void second_client_refused(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);

    ask(fd, IMPORT, "1-1");
    assert_int_equal(reply(f, fd, IMPORT), 2);
    assert_true(closed(f, fd));
    close(fd);
    assert_non_null(strstr(f->b.log, "second client"));
    configure(f);
}

/* `usbip detach` returns before its connection is closed. */
static void attach_at_once_after_a_detach(void **state)
{
    struct fixture *f = *state;
    int first = f->fd, second = dial(f);

    ask(second, IMPORT, "1-1");
    pump(f, 200);
    close(first);
    f->fd = second;
    assert_int_equal(reply(f, second, IMPORT), 0);
}

/* A script can attach while the device is not there yet. */
static void import_waits_for_the_device(void **state)
{
    struct fixture *f = *state;
    uint8_t byte;

    wire_plug(f->b.chip.wire, false);
    pump(f, 5);
    f->fd = dial(f);
    ask(f->fd, IMPORT, "1-1");
    pump(f, 2000);
    assert_int_equal(recv(f->fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_false(front_busy(&f->b.front));
    wire_plug(f->b.chip.wire, true);
    assert_int_equal(reply(f, f->fd, IMPORT), 0);
}

static void import_does_not_wait_for_ever(void **state)
{
    struct fixture *f = *state;
    int fd;

    wire_plug(f->b.chip.wire, false);
    pump(f, 5);
    fd = dial(f);
    ask(fd, IMPORT, "1-1");
    assert_int_equal(reply(f, fd, IMPORT), 4);
    assert_non_null(strstr(f->b.log, "not on the bus"));
    close(fd);
    wire_plug(f->b.chip.wire, true);
    import(f);
}

static void dead_device_refused(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);

    f->b.chip.firmware = NULL;
    ask(fd, IMPORT, "1-1");
    assert_int_equal(reply(f, fd, IMPORT), 3);
    assert_non_null(strstr(f->b.log, "GET_DESCRIPTOR(device, 8) failed"));
    close(fd);
}

/* ---- transfers ---- */

static void transfers(void **state)
{
    struct fixture *f = *state;
    uint8_t out[200];

    memset(out, 0x5b, sizeof(out));
    expect(f, control(f, 0x80, 6, 0x0100, NULL, 18), IN, 0, 18);
    assert_int_equal(f->data[1], 1);
    configure(f);
    expect(f, control(f, 0x40, 1, 0, out, sizeof(out)), OUT, 0, 200);
    assert_int_equal(f->b.echo.got, 200);
    expect(f, control(f, 0xc0, 1, 0, NULL, 200), IN, 0, 128);
    assert_memory_equal(f->data, out, 128);
    expect(f, control(f, 0x81, 6, 0, NULL, 8), IN, -32, 0);
    expect(f, submit(f, OUT, 1, 0, NULL, out, 40), OUT, 0, 40);
    expect(f, submit(f, IN, 2, 0, NULL, NULL, 64), IN, 0, 40);
    assert_memory_equal(f->data, out, 40);
}

/* The client's address is not the chip's. */
static void set_address_stays_here(void **state)
{
    struct fixture *f = *state;
    unsigned address = host_address(f->b.host);

    expect(f, control(f, 0x00, 5, 77, NULL, 0), OUT, 0, 0);
    assert_int_equal(host_address(f->b.host), address);
    assert_int_equal(usb_read(&f->b.chip, DADDR), 0x80 | address);
    configure(f);
}

static void short_reads(void **state)
{
    struct fixture *f = *state;
    uint8_t out[40] = {1}, s[8] = {0xc0, 1, 0, 0, 0, 0, 200, 0};

    configure(f);
    expect(f, submit(f, OUT, 1, 0, NULL, out, 40), OUT, 0, 40);
    expect(f, submit(f, IN, 2, SHORT_NOT_OK, NULL, NULL, 64), IN, -121, 40);
    assert_memory_equal(f->data, out, 40);
    expect(f, submit(f, IN, 0, SHORT_NOT_OK, s, NULL, 200), IN, -121, 128);
    expect(f, submit(f, OUT, 1, 0, NULL, out, 40), OUT, 0, 40);
    expect(f, submit(f, IN, 2, 0, NULL, NULL, 8), IN, -75, 0); /* babble */
}

static void zero_packet(void **state)
{
    struct fixture *f = *state;
    uint8_t out[64] = {1};
    uint32_t in[3], id;

    configure(f);
    for (unsigned i = 0; i < 3; i++)
        in[i] = submit(f, IN, 2, 0, NULL, NULL, 64);
    id = submit(f, OUT, 1, ZERO_PACKET, NULL, out, 64);
    expect(f, in[0], IN, 0, 64);
    expect(f, id, OUT, 0, 64);
    expect(f, in[1], IN, 0, 0);
    id = submit(f, OUT, 1, ZERO_PACKET, NULL, out, 40);
    expect(f, id, OUT, 0, 40);
    expect(f, in[2], IN, 0, 40);
    in[0] = submit(f, IN, 2, 0, NULL, NULL, 64);
    id = submit(f, OUT, 1, 0, NULL, out, 64);
    expect(f, id, OUT, 0, 64);
    expect(f, in[0], IN, 0, 64);
    submit(f, IN, 2, 0, NULL, NULL, 64);
    pump(f, 50);
    assert_int_equal(recv(f->fd, out, 1, MSG_DONTWAIT), -1);
}

/* They end in order, whatever the other endpoints do. */
static void many_at_once(void **state)
{
    struct fixture *f = *state;
    uint32_t in[8], next = 0;
    uint8_t out[8] = {0};

    configure(f);
    for (unsigned i = 0; i < 8; i++)
        in[i] = submit(f, IN, 2, 0, NULL, NULL, 64);
    expect(f, control(f, 0x80, 6, 0x0100, NULL, 18), IN, 0, 18);
    for (unsigned i = 0; i < 8; i++) {
        out[0] = (uint8_t)i;
        submit(f, OUT, 1, 0, NULL, out, 8);
    }
    for (unsigned i = 0; i < 16; i++) {
        bool is_in;

        assert_int_equal(receive(f, f->fd, f->m, HEADER), HEADER);
        is_in = get32(f->m + 4) <= in[7];
        if (!is_in)
            continue;
        assert_int_equal(get32(f->m + 4), in[next]);
        assert_int_equal(receive(f, f->fd, f->data, 8), 8);
        assert_int_equal(f->data[0], next);
        next++;
    }
    assert_int_equal(next, 8);
}

static void bad_requests(void **state)
{
    struct fixture *f = *state;
    uint8_t s[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
    uint8_t junk[18] = {0};

    configure(f);
    expect(f, submit(f, IN, 5, 0, NULL, NULL, 64), IN, -2, 0);
    expect(f, submit(f, OUT, 2, 0, NULL, s, 8), OUT, -2, 0);
    expect(f, submit(f, IN, 0, 0, s, NULL, 64), IN, -53, 0);
    expect(f, submit(f, OUT, 0, 0, s, junk, 18), OUT, -22, 0);
    configure(f);
}

static void isochronous_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t m[HEADER], rest[8 + 16] = {0};

    configure(f);
    header(f, m, 1, OUT, 1);
    put32(m + 24, 8);
    put32(m + 32, 1);
    transmit(f->fd, m, HEADER);
    transmit(f->fd, rest, sizeof(rest));
    assert_int_equal(receive(f, f->fd, m, HEADER), HEADER);
    assert_int_equal((int)get32(m + 20), -22);
    configure(f);
}

/* ---- unlinking ---- */

static void unlinks(void **state)
{
    struct fixture *f = *state;
    uint32_t pending, over;
    uint8_t out[8] = {1};

    configure(f);
    pending = submit(f, IN, 2, 0, NULL, NULL, 64);
    pump(f, 50);
    assert_true(front_busy(&f->b.front));
    pump(f, 3000);
    assert_false(front_busy(&f->b.front)); /* waits, but that is no work */
    over = unlink_urb(f, pending);
    answer(f, OUT);
    assert_int_equal(f->command, 4);
    assert_int_equal(f->id, over);
    assert_int_equal(f->status, -104);
    expect(f, submit(f, OUT, 1, 0, NULL, out, 8), OUT, 0, 8);
    pending = submit(f, IN, 2, 0, NULL, NULL, 64);
    expect(f, pending, IN, 0, 8);
    over = unlink_urb(f, pending);
    answer(f, OUT);
    assert_int_equal(f->command, 4);
    assert_int_equal(f->id, over);
    assert_int_equal(f->status, 0);
}

/* ---- resets ---- */

/* What Linux sends after it has reset the port, the first time at once after
 * the import. */
static void port_reset_is_inferred(void **state)
{
    struct fixture *f = *state;
    uint32_t pending;

    expect(f, control(f, 0x80, 6, 0x0100, NULL, 64), IN, 0, 18);
    assert_int_equal(f->b.echo.resets, 1);
    configure(f);
    pending = submit(f, IN, 2, 0, NULL, NULL, 64);
    control(f, 0x80, 6, 0x0100, NULL, 64);
    expect(f, pending, IN, -71, 0);
    expect(f, f->seqnum, IN, 0, 18);
    assert_int_equal(f->b.echo.resets, 2);
    assert_int_not_equal(host_address(f->b.host), 0);
    configure(f);
}

static void port_reset_is_asked_for(void **state)
{
    struct fixture *f = *state;

    expect(f, control(f, 0x23, 3, 4, NULL, 0), OUT, 0, 0);
    configure(f);
    assert_int_equal(f->b.echo.resets, 2);
}

static void other_device_after_reset(void **state)
{
    struct fixture *f = *state;

    configure(f);
    f->b.echo.product = 5;
    expect(f, control(f, 0x80, 6, 0x0100, NULL, 64), IN, 0, 18);
    assert_int_equal(f->data[10], 6);
}

/* ---- the device and the client come and go ---- */

static void disconnect_and_back(void **state)
{
    struct fixture *f = *state;
    uint32_t pending;

    configure(f);
    pending = submit(f, IN, 2, 0, NULL, NULL, 64);
    pump(f, 5);
    wire_plug(f->b.chip.wire, false);
    expect(f, pending, IN, -108, 0);
    assert_true(closed(f, f->fd));
    close(f->fd);
    assert_non_null(strstr(f->b.log, "device disconnected"));
    f->b.echo.product = 1;
    wire_plug(f->b.chip.wire, true);
    import(f);
    configure(f);
}

static void next_client(void **state)
{
    struct fixture *f = *state;

    configure(f);
    submit(f, IN, 2, 0, NULL, NULL, 64);
    pump(f, 5);
    close(f->fd);
    import(f);
    assert_non_null(strstr(f->b.log, "client left"));
    configure(f);
    assert_int_equal(f->b.echo.resets, 2);
}

static void usbredir_has_it(void **state)
{
    struct fixture *f = *state;
    char error[FRONT_ERROR_MAX];
    struct usbredir *r = usbredir_new(&f->b.front, "127.0.0.1:0", error);
    int first, fd;

    assert_non_null(r);
    first = front_bench_dial(usbredir_address(r));
    usbredir_io(r);
    fd = dial(f);
    ask(fd, IMPORT, "1-1");
    assert_int_equal(reply(f, fd, IMPORT), 2);
    close(fd);
    close(first);
    usbredir_io(r);
    import(f);
    fd = front_bench_dial(usbredir_address(r));
    usbredir_io(r);
    assert_true(closed(f, fd));
    close(fd);
    configure(f);
    usbredir_free(r);
}

/* ---- hostile clients ---- */

static void requests_that_make_no_sense(void **state)
{
    static const uint8_t bad[][8] = {
        {1, 6, 0x80, 5}, {1, 0x11, 0x80, 4}, {'G', 'E', 'T', ' ', '/'}};
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++) {
        int fd = dial(f);

        transmit(fd, bad[i], 8);
        assert_true(closed(f, fd));
        close(fd);
    }
    assert_non_null(strstr(f->b.log, "dropped: not USB/IP 1.1.1"));
    assert_non_null(strstr(f->b.log, "dropped: no such request"));
    import(f);
}

static void half_a_request(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f), silent = dial(f);

    transmit(fd, "\1\x11\x80", 3);
    pump(f, 1);
    close(fd);
    pump(f, 1);
    assert_non_null(strstr(f->b.log, "ended in the middle of a message"));
    assert_true(closed(f, silent));
    assert_non_null(strstr(f->b.log, "no request came"));
    close(silent);
}

static void messages_that_make_no_sense(void **state)
{
    /* offset of a word in the header, its value, what is said of it */
    static const struct {
        unsigned at;
        uint32_t value;
        const char *text;
    } bad[] = {
        {0, 3, "no such command"},
        {0, 0, "no such command"},
        {8, 0, "devid of another device"},
        {12, 2, "no such endpoint"},
        {16, 16, "no such endpoint"},
        {24, 0xffffffff, "more than 1 MiB"},
        {24, 1024 * 1024 + 1, "more than 1 MiB"},
        {32, 1025, "number_of_packets"},
        {32, 0x80000000, "number_of_packets"},
    };
    struct fixture *f = *state;
    uint8_t m[HEADER];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        f->b.log[0] = 0;
        header(f, m, 1, OUT, 1);
        put32(m + bad[i].at, bad[i].value);
        transmit(f->fd, m, HEADER);
        assert_true(closed(f, f->fd));
        assert_non_null(strstr(f->b.log, bad[i].text));
        close(f->fd);
        import(f);
    }
    configure(f);
}

static void half_a_message(void **state)
{
    struct fixture *f = *state;
    uint8_t m[HEADER];

    header(f, m, 1, OUT, 1);
    put32(m + 24, 100);
    transmit(f->fd, m, HEADER);
    transmit(f->fd, m, 40);
    pump(f, 10);
    assert_false(front_busy(&f->b.front));
    close(f->fd);
    import(f);
    assert_non_null(strstr(f->b.log, "ended in the middle of a message"));
}

/* The pending ones are bounded, in number and in bytes. */
static void too_many(void **state)
{
    struct fixture *f = *state;
    unsigned refused = 0;

    configure(f);
    for (unsigned i = 0; i < 300; i++) {
        submit(f, IN, 2, 0, NULL, NULL, i < 10 ? 1024 * 1024 : 64);
        pump(f, 1);
    }
    while (recv(f->fd, f->m, HEADER, MSG_DONTWAIT) == HEADER) {
        assert_int_equal((int)get32(f->m + 20), -12);
        refused++;
    }
    assert_int_equal(refused, 300 - 256);
}

static void too_much(void **state)
{
    struct fixture *f = *state;

    configure(f);
    for (unsigned i = 0; i < 16; i++)
        submit(f, IN, 2, 0, NULL, NULL, 1024 * 1024);
    expect(f, submit(f, IN, 2, 0, NULL, NULL, 64), IN, -12, 0);
    configure(f);
}

/* It is not read from any more, and the chip goes on. */
static void takes_no_answers(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0, blocked = 0;
    uint8_t m[HEADER];

    header(f, m, 1, IN, 9); /* no such endpoint: answered at once */
    while (blocked < 50 && sent < 64u * 1024 * 1024) {
        ssize_t n = send(f->fd, m + sent % HEADER, HEADER - sent % HEADER,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            sent += (unsigned)n;
        if (n > 0 && sent % (64 * HEADER))
            continue;
        usbip_io(f->usbip);
        blocked = n > 0 ? 0 : blocked + 1;
    }
    assert_int_equal(blocked, 50);
    assert_null(strstr(f->b.log, "dropped"));
    close(f->fd);
    import(f);
}

static void noise(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 1;

    for (unsigned i = 0; i < 200; i++) {
        uint8_t junk[600];
        int fd = dial(f);

        for (unsigned k = 0; k < sizeof(junk); k++) {
            seed = seed * 1664525 + 1013904223;
            junk[k] = (uint8_t)(seed >> 24);
        }
        if (i & 1)
            memcpy(junk, "\1\x11\x80\3\0\0\0\0" USBIP_BUSID "\0", 12);
        if (i & 2)
            memcpy(junk + 40, "\0\0\0\1", 4);
        send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
        pump(f, i & 1 ? 60 : 2);
        close(fd);
        pump(f, 2);
    }
    import(f);
    configure(f);
}

static void bad_addresses(void **state)
{
    struct fixture *f = *state;
    char error[FRONT_ERROR_MAX];

    assert_null(usbip_new(&f->b.front, usbip_address(f->usbip), error));
    assert_non_null(strstr(error, "choose another port"));
    assert_null(usbip_new(&f->b.front, "127.0.0.1:x", error));
    assert_non_null(strstr(error, "HOST:PORT"));
}

/* The port is taken, or free. */
static void default_port(void **state)
{
    struct fixture *f = *state;
    char error[FRONT_ERROR_MAX];
    struct usbip *u = usbip_new(&f->b.front, "127.0.0.1", error);

    assert_non_null(strstr(u ? usbip_address(u) : error, "127.0.0.1:3240"));
    usbip_free(u);
}

int main(void)
{
#define TEST(f)     cmocka_unit_test_setup_teardown(f, setup, teardown)
#define IMPORTED(f) cmocka_unit_test_setup_teardown(f, setup_imported, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lists_the_device),
        IMPORTED(list_of_a_used_device_is_empty),
        IMPORTED(import_resets_and_addresses),
        TEST(other_bus_id_refused),
        IMPORTED(second_client_refused),
        IMPORTED(attach_at_once_after_a_detach),
        TEST(import_waits_for_the_device),
        TEST(import_does_not_wait_for_ever),
        TEST(dead_device_refused),
        IMPORTED(transfers),
        IMPORTED(set_address_stays_here),
        IMPORTED(short_reads),
        IMPORTED(zero_packet),
        IMPORTED(many_at_once),
        IMPORTED(bad_requests),
        IMPORTED(isochronous_refused),
        IMPORTED(unlinks),
        IMPORTED(port_reset_is_inferred),
        IMPORTED(port_reset_is_asked_for),
        IMPORTED(other_device_after_reset),
        IMPORTED(disconnect_and_back),
        IMPORTED(next_client),
        TEST(usbredir_has_it),
        TEST(requests_that_make_no_sense),
        TEST(half_a_request),
        IMPORTED(messages_that_make_no_sense),
        IMPORTED(half_a_message),
        IMPORTED(too_many),
        IMPORTED(too_much),
        IMPORTED(takes_no_answers),
        TEST(noise),
        TEST(bad_addresses),
        TEST(default_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
