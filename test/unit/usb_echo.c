/* SPDX-License-Identifier: MIT */
/* usb_echo.c - see usb_echo.h. */
#include "usb_echo.h"

/* ---- register idioms ---- */

void echo_set_stat(struct chip *c, unsigned n, int rx, int tx)
{
    unsigned v = usb_read(c, EPR(n)), w = (v & 0x070f) | CTR_RX | CTR_TX;

    if (rx >= 0)
        w |= (v ^ (unsigned)rx << 12) & 0x3000;
    if (tx >= 0)
        w |= (v ^ (unsigned)tx << 4) & 0x0030;
    usb_write(c, EPR(n), w);
}

void echo_clear_ctr(struct chip *c, unsigned n, unsigned ctr)
{
    unsigned v = usb_read(c, EPR(n));

    usb_write(c, EPR(n), (v & 0x070f) | ((CTR_RX | CTR_TX) & ~ctr));
}

void echo_power_up(struct chip *c)
{
    usb_write(c, CNTR, 1);
    chip_run(c, c->now + 2 * SIM_US);
    usb_write(c, CNTR, 0);
    usb_write(c, ISTR, 0);
    usb_write(c, BTABLE, 0);
}

void echo_set_buffers(struct chip *c, unsigned n, unsigned tx, unsigned rx)
{
    pma_write(c, n * 8 + 0, tx);
    pma_write(c, n * 8 + 2, 0);
    pma_write(c, n * 8 + 4, rx);
    pma_write(c, n * 8 + 6, 0x8400); /* 64 bytes */
}

void echo_copy_in(struct chip *c, unsigned at, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 2)
        pma_write(c, at + (unsigned)i,
                  p[i] | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0));
}

static void copy_out(struct chip *c, unsigned at, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(pma_read(c, at + (unsigned)(i & ~1u)) >> (i & 1) * 8);
}

/* ---- a device: control requests, and an echo from EP1 to EP2 ---- */

static const uint8_t device_desc[18] = {18,   1,    0, 2, 0, 0, 0, 64, 0x09,
                                        0x12, 0x01, 0, 0, 1, 0, 0, 0,  1};
static const uint8_t config_desc[32] = {
    9, 2, 32, 0, 1,  1, 0, 0x80, 50,                    /* configuration */
    9, 4, 0,  0, 2,  8, 6, 0x50, 0,                     /* interface */
    7, 5, 1,  2, 64, 0, 0, 7,    5,  0x82, 2, 64, 0, 0, /* endpoints */
};

static void send_next(struct chip *c, struct echo *f)
{
    size_t n = f->left < 64 ? f->left : 64;

    echo_copy_in(c, 0x40, f->tx, n);
    pma_write(c, 2, (unsigned)n);
    f->tx += n;
    f->left -= n;
    if (n < 64)
        f->zlp = false;
    echo_set_stat(c, 0, VALID, VALID);
}

static enum echo_answer answer(struct echo *f, const uint8_t *p, size_t n)
{
    size_t asked = f->setup[6] | f->setup[7] << 8;

    f->tx = p;
    f->left = n < asked ? n : asked;
    f->zlp = n < asked && n % 64 == 0;
    return ECHO_ANSWER;
}

static enum echo_answer answer_device(struct echo *f)
{
    for (unsigned i = 0; i < sizeof(f->desc); i++)
        f->desc[i] = device_desc[i];
    f->desc[10] = (uint8_t)(f->desc[10] + f->product);
    return answer(f, f->desc, sizeof(f->desc));
}

enum echo_answer echo_decide(struct echo *f)
{
    f->got = 0;
    f->want = f->setup[6] | f->setup[7] << 8;
    if (f->setup[0] == 0 && f->setup[1] == 5)
        f->address = f->setup[2];
    if (f->setup[0] == 0x80 && f->setup[1] == 6 && f->setup[3] == 1)
        return answer_device(f);
    if (f->setup[0] == 0x80 && f->setup[1] == 6 && f->setup[3] == 2)
        return answer(f, config_desc, sizeof(config_desc));
    if (f->setup[0] == 0xc0)
        return answer(f, f->data, 128);
    if (f->setup[0] == 0x40 && f->want)
        return ECHO_RECEIVE;
    if (f->setup[0] & 0x80 || f->want)
        return ECHO_STALL;
    return answer(f, f->data, 0);
}

static void echo_setup(struct chip *c, struct echo *f)
{
    copy_out(c, 0x80, f->setup, 8);
    switch (echo_decide(f)) {
    case ECHO_ANSWER:
        send_next(c, f);
        break;
    case ECHO_RECEIVE:
        echo_set_stat(c, 0, VALID, NAK);
        break;
    case ECHO_STALL:
        echo_set_stat(c, 0, STALL, STALL);
    }
    if (f->address && f->early_address)
        usb_write(c, DADDR, 0x80 | f->address);
}

static void echo_control(struct chip *c, struct echo *f)
{
    unsigned v = usb_read(c, EPR(0));
    unsigned n;

    if (v & CTR_RX) {
        echo_clear_ctr(c, 0, CTR_RX);
        n = pma_read(c, 6) & 0x3ff;
        if (v & SETUP) {
            echo_setup(c, f);
        } else if (n) {
            copy_out(c, 0x80, f->data + f->got, n);
            f->got += n;
            if (f->got == f->want) {
                answer(f, f->data, 0);
                send_next(c, f);
            } else {
                echo_set_stat(c, 0, VALID, NAK);
            }
        } else {
            echo_set_stat(c, 0, VALID, NAK);
        }
    }
    if (v & CTR_TX) {
        echo_clear_ctr(c, 0, CTR_TX);
        if (f->address)
            usb_write(c, DADDR, 0x80 | f->address);
        f->address = 0;
        if (f->left || f->zlp)
            send_next(c, f);
    }
}

static void echo_bulk(struct chip *c, struct echo *f)
{
    uint8_t buf[64];
    unsigned n;

    if (usb_read(c, EPR(1)) & CTR_RX && !f->slow) {
        echo_clear_ctr(c, 1, CTR_RX);
        n = pma_read(c, 8 + 6) & 0x3ff;
        copy_out(c, 0xc0, buf, n);
        echo_copy_in(c, 0x100, buf, n);
        pma_write(c, 16 + 2, n);
        echo_set_stat(c, 2, -1, VALID);
    }
    if (usb_read(c, EPR(2)) & CTR_TX) {
        echo_clear_ctr(c, 2, CTR_TX);
        echo_set_stat(c, 1, VALID, -1);
    }
}

static void echo_reset(struct chip *c)
{
    echo_set_buffers(c, 0, 0x40, 0x80);
    echo_set_buffers(c, 1, 0, 0xc0);
    echo_set_buffers(c, 2, 0x100, 0);
    usb_write(c, EPR(0), CONTROL | CTR_RX | CTR_TX);
    usb_write(c, EPR(1), 1 | CTR_RX | CTR_TX);
    usb_write(c, EPR(2), 2 | CTR_RX | CTR_TX);
    echo_set_stat(c, 0, VALID, NAK);
    echo_set_stat(c, 1, VALID, -1);
    echo_set_stat(c, 2, -1, NAK);
    usb_write(c, DADDR, 0x80);
}

void echo_firmware(struct chip *c)
{
    struct echo *f = c->fw;

    if (usb_read(c, ISTR) & RESET) {
        usb_write(c, ISTR, 0xffff & ~RESET);
        f->resets++;
        echo_reset(c);
    }
    echo_control(c, f);
    echo_bulk(c, f);
}

/* ---- for tests that run on both blocks ---- */

static unsigned address(struct chip *c)
{
    return usb_read(c, DADDR) & 0x7f;
}

static unsigned frame(struct chip *c)
{
    return usb_read(c, FNR) & 0x7ff;
}

static bool saw_suspend(struct chip *c)
{
    return usb_read(c, ISTR) & SUSP;
}

static bool saw_wakeup(struct chip *c)
{
    return usb_read(c, ISTR) & WKUP;
}

static void clear_events(struct chip *c)
{
    usb_write(c, ISTR, 0);
}

static void sleep(struct chip *c, bool asleep)
{
    usb_write(c, CNTR, asleep ? 1 << 3 : 0); /* FSUSP */
}

const struct echo_block echo_fsdev = {
    .bench_new = bench_new_fsdev,
    .power_up = echo_power_up,
    .firmware = echo_firmware,
    .address = address,
    .frame = frame,
    .saw_suspend = saw_suspend,
    .saw_wakeup = saw_wakeup,
    .clear_events = clear_events,
    .sleep = sleep,
};
