/* SPDX-License-Identifier: MIT */
/* msc_bench.c - see msc_bench.h. */
#include "msc_bench.h"

/* ---- the drive ---- */

uint32_t block_count(void)
{
    return SECTORS;
}

void block_read(struct drive *d, uint32_t lba, uint8_t *to)
{
    assert_in_range(lba, 0, SECTORS - 1);
    d->reads++;
    memcpy(to, d->image[lba], BLOCK_SIZE);
}

bool block_write(struct drive *d, uint32_t lba, const uint8_t *from)
{
    assert_in_range(lba, 0, SECTORS - 1);
    assert_true(d->may_write);
    if (d->full)
        return false;
    d->writes++;
    memcpy(d->image[lba], from, BLOCK_SIZE);
    return true;
}

void block_sync(struct drive *d)
{
    assert_true(d->may_write);
    d->syncs++;
}

void block_eject(struct drive *d)
{
    assert_true(d->may_write);
    d->ejects++;
}

bool block_present(const struct drive *d)
{
    return d->present;
}

/* ---- the controller's bulk pair ---- */

struct endpoint ep[2];

static void ep_clear(struct endpoint *e)
{
    e->halted = e->busy = e->toggle = e->event = false;
}

void dcd_bulk_set(bool in, enum dcd_bulk_state state)
{
    ep_clear(&ep[in]);
    ep[in].open = state != DCD_BULK_CLOSED;
    ep[in].halted = state == DCD_BULK_HALTED;
}

static void open_pair(bool open)
{
    for (int i = 0; i < 2; i++)
        dcd_bulk_set(i, open ? DCD_BULK_OPEN : DCD_BULK_CLOSED);
}

void dcd_bulk_write(const void *packet, uint32_t n)
{
    struct endpoint *e = &ep[IN];

    assert_int_equal((uintptr_t)packet % 4, 0);
    assert_in_range(n, 0, DCD_PACKET);
    if (!e->open || e->halted || e->busy)
        return;
    assert_false(e->event); /* the packet before was not told yet */
    memcpy(e->data, packet, n);
    e->n = n;
    e->busy = true;
}

void dcd_bulk_receive(void)
{
    struct endpoint *e = &ep[OUT];

    if (!e->open || e->halted || e->event)
        return;
    e->busy = true;
}

uint32_t dcd_bulk_read(void *packet)
{
    struct endpoint *e = &ep[OUT];

    assert_int_equal((uintptr_t)packet % 2, 0);
    assert_true(e->event);
    memset(packet, 0xEE, DCD_PACKET); /* its room is its own */
    memcpy(packet, e->data, e->n);
    e->event = false;
    return e->n;
}

/* ---- the device: what usbd.c and main.c do ---- */

struct bench b;

void usbd_send(struct usbd *u, const void *from, uint32_t n)
{
    assert_ptr_equal(u, &b.usbd);
    b.answer = *(const uint8_t *)from;
    b.sent = n;
}

void run(void)
{
    for (int i = 0; i < 4 && !b.stopped; i++) {
        if (ep[IN].event) {
            ep[IN].event = false;
            msc_in(&b.m);
        }
        if (ep[OUT].event)
            msc_out(&b.m);
        if (b.deaf)
            continue;
        b.drive.may_write = true;
        msc_poll(&b.m);
        b.drive.may_write = false;
    }
    assert_int_equal(b.guard, 0x12345678);
}

void configure(bool config)
{
    open_pair(config);
    b.host_toggle[OUT] = b.host_toggle[IN] = false;
    msc_reset(&b.m);
    run();
}

void start(void)
{
    static struct bench fresh;

    if (!fresh.guard) {
        fresh.guard = 0x12345678;
        fresh.drive.present = true;
        for (uint32_t i = 0; i < SECTORS; i++)
            for (uint32_t k = 0; k < BLOCK_SIZE; k++)
                fresh.drive.image[i][k] =
                    (uint8_t)(i * 7 + k * 3 + k / 256 + 1);
    }
    b = fresh;
    b.m.scsi.drive = &b.drive;
    configure(true);
}

/* ---- the host ---- */

enum reply host_out(const void *packet, uint32_t n)
{
    struct endpoint *e = &ep[OUT];

    if (e->halted)
        return STALL;
    if (!e->busy)
        return NAK;
    assert_int_equal(e->toggle, b.host_toggle[OUT]);
    e->toggle = !e->toggle;
    b.host_toggle[OUT] = !b.host_toggle[OUT];
    memcpy(e->data, packet, n);
    e->n = n;
    e->busy = false;
    e->event = true;
    run();
    return ACK;
}

enum reply host_in(void *packet, uint32_t *n)
{
    struct endpoint *e = &ep[IN];

    if (e->halted)
        return STALL;
    if (!e->busy)
        return NAK;
    assert_int_equal(e->toggle, b.host_toggle[IN]);
    e->toggle = !e->toggle;
    b.host_toggle[IN] = !b.host_toggle[IN];
    memcpy(packet, e->data, e->n);
    *n = e->n;
    e->busy = false;
    e->event = true;
    run();
    return ACK;
}

void host_halt(int in)
{
    if (!ep[in].open)
        return;
    dcd_bulk_stall(in);
    msc_halt(&b.m, in);
    run();
}

void host_clear(int in)
{
    if (!ep[in].open)
        return;
    dcd_bulk_set(in, DCD_BULK_OPEN);
    b.host_toggle[in] = false;
    msc_halt(&b.m, in);
    run();
}

bool request(uint8_t type, uint8_t bRequest, uint16_t wValue, uint16_t wLength)
{
    bool ok;

    b.usbd.setup = (struct usb_setup){type, bRequest, wValue, 0, wLength};
    b.sent = 0;
    ok = msc_setup(&b.m, &b.usbd);
    run();
    return ok;
}

void recover(void)
{
    assert_true(request(0x21, 0xFF, 0, 0));
    host_clear(IN);
    host_clear(OUT);
}

static void put_le32(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(n >> 8 * i);
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

void make_cbw(uint8_t *cbw, uint32_t length, int direction, const uint8_t *cdb)
{
    put_le32(cbw, 0x43425355);
    put_le32(cbw + 4, ++b.tag * 0x01010107u);
    put_le32(cbw + 8, length);
    cbw[12] = direction == IN ? 0x80 : 0;
    cbw[13] = 0;
    cbw[14] = cdb[0] >= 0x80 ? 12 : cdb[0] >= 0x20 ? 10 : 6;
    memcpy(cbw + 15, cdb, 16);
}

uint8_t data[1u << 18];

static void data_stage(struct result *r, uint32_t length, int direction)
{
    enum reply reply = ACK;

    while (r->moved < length) {
        uint32_t n = length - r->moved < 64 ? length - r->moved : 64;
        uint8_t packet[DCD_PACKET];
        uint32_t got = n;

        reply = direction == IN ? host_in(packet, &got)
                                : host_out(data + r->moved, n);
        if (reply != ACK)
            break;
        assert_in_range(got, 0, n); /* more would be babble */
        if (direction == IN)
            memcpy(data + r->moved, packet, got);
        r->moved += got;
        if (got < n)
            fail_msg("a short packet without a stall");
    }
    if (reply == NAK)
        fail_msg("hangs in data");
    r->stalled = reply == STALL;
    if (r->stalled)
        host_clear(direction);
}

struct result status_stage(struct result r, uint32_t length)
{
    uint8_t csw[DCD_PACKET];
    uint32_t n = 0;

    if (host_in(csw, &n) != ACK)
        fail_msg("no status");
    assert_int_equal(n, 13);
    assert_int_equal(le32(csw), 0x53425355);
    assert_int_equal(le32(csw + 4), b.tag * 0x01010107u);
    r.residue = le32(csw + 8);
    r.status = csw[12];
    assert_in_range(r.status, 0, 2);
    assert_in_range(r.residue, 0, length);
    if (r.status < 2 && !r.stalled)
        assert_int_equal(r.moved, length);
    return r;
}

struct result command(const uint8_t *cdb, uint32_t length, int direction)
{
    struct result r = {0};
    uint8_t cbw[31];

    assert_true(direction != NO_DATA || length == 0);
    make_cbw(cbw, length, direction, cdb);
    assert_int_equal(host_out(cbw, 31), ACK);
    data_stage(&r, length, direction);
    r = status_stage(r, length);
    if (r.status == 2)
        recover();
    return r;
}

const uint8_t test_unit_ready[16] = {0};

uint32_t sense(void)
{
    struct result r = command(CDB(0x03, 0, 0, 0, 18), 18, IN);

    assert_int_equal(r.status, 0);
    assert_int_equal(r.residue, 0);
    assert_int_equal(data[0], 0x70);
    assert_int_equal(data[7], 10);
    return (uint32_t)data[2] << 16 | (uint32_t)data[12] << 8 | data[13];
}

void passes(const uint8_t *cdb, uint32_t length, int direction)
{
    struct result r = command(cdb, length, direction);

    assert_int_equal(r.status, 0);
    assert_int_equal(r.residue, 0);
    assert_int_equal(r.moved, length);
    assert_false(r.stalled);
}

void fails(const uint8_t *cdb, uint32_t length, int direction, uint32_t why)
{
    struct result r = command(cdb, length, direction);

    assert_int_equal(r.status, 1);
    assert_int_equal(r.residue, length);
    assert_int_equal(r.moved, 0);
    assert_int_equal(sense(), why);
    assert_int_equal(sense(), 0);
}

void works(void)
{
    uint32_t lba = b.tag % SECTORS;

    passes(READ(lba, 1), 512, IN);
    assert_memory_equal(data, b.drive.image[lba], 512);
    passes(test_unit_ready, 0, NO_DATA);
    assert_true(msc_idle(&b.m));
}

void fill(uint32_t n, uint8_t salt)
{
    for (uint32_t i = 0; i < n; i++)
        data[i] = (uint8_t)(salt + i + i / 251);
}
