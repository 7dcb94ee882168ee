/* SPDX-License-Identifier: MIT */
/*
 * usb_echo_dwc2.c - the echo device on OTG_FS, polled.
 *
 * Source: RM0090, 34.17.3 (device initialisation), 34.17.5 (endpoint
 * initialisation), 34.17.6 (transfers).
 */
#include "usb_echo_dwc2.h"

#define USBRST  BIT(12)
#define ENUMDNE BIT(13)
#define USBSUSP BIT(11)
#define WKUP_   BIT(31)
#define RXFLVL  BIT(4)

void otg_set(struct chip *c, uint32_t off, uint32_t bits)
{
    otg_write(c, off, otg_read(c, off) | bits);
}

void otg_clear(struct chip *c, uint32_t off, uint32_t bits)
{
    otg_write(c, off, otg_read(c, off) & ~bits);
}

void dwc2_power_up(struct chip *c)
{
    otg_set(c, GUSBCFG, BIT(6)); /* PHYSEL */
    otg_set(c, GRSTCTL, BIT(0)); /* CSRST */
    while (otg_read(c, GRSTCTL) & BIT(0))
        chip_run(c, c->now + SIM_US);
    otg_write(c, GUSBCFG, BIT(30) | 6 << 10); /* FDMOD, TRDT */
    chip_run(c, c->now + 25 * SIM_MS);
    otg_set(c, DCTL, BIT(1));     /* SDIS */
    otg_set(c, DCFG, 3 | BIT(2)); /* DSPD, NZLSOHSK */
    otg_write(c, GCCFG, CONNECT);
    otg_write(c, GINTSTS, 0xffffffff);
    otg_clear(c, DCTL, BIT(1));
}

/* Neither FIFO is in use: nothing is enabled, and the bench's clock stands
 * still until the flush is done. */
void dwc2_start_ep0(struct chip *c)
{
    otg_write(c, GRSTCTL, BIT(5) | 0x10 << 6 | BIT(4)); /* TXFFLSH, RXFFLSH */
    otg_clear(c, DCFG, 0x7f << 4);
    otg_write(c, GRXFSIZ, 128);
    otg_write(c, DIEPTXF0, 16u << 16 | 128);
    otg_write(c, DIEPTXF(2), 32u << 16 | 144);
    otg_write(c, DIEPCTL(0), SNAK);
    otg_write(c, DOEPTSIZ(0), 3u << 29 | PKT(1) | 64);
}

void dwc2_arm(struct chip *c, unsigned ep)
{
    otg_write(c, DOEPTSIZ(ep), (ep ? 0 : 3u << 29) | PKT(1) | 64);
    otg_set(c, DOEPCTL(ep), EPENA | CNAK);
}

void dwc2_send(struct chip *c, unsigned ep, const uint8_t *p, size_t n)
{
    otg_write(c, DIEPTSIZ(ep), PKT(1) | (uint32_t)n);
    otg_set(c, DIEPCTL(ep), EPENA | CNAK);
    for (size_t i = 0; i < n; i += 4) {
        uint32_t v = 0;

        for (size_t k = 0; k < 4 && i + k < n; k++)
            v |= (uint32_t)p[i + k] << 8 * k;
        otg_write(c, DFIFO(ep), v);
    }
}

static void receive(struct chip *c, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 4) {
        uint32_t v = otg_read(c, DFIFO(0));

        for (size_t k = 0; k < 4 && i + k < n; k++)
            p[i + k] = (uint8_t)(v >> 8 * k);
    }
}

/* ---- control requests ---- */

static void send_next(struct chip *c, struct echo *f)
{
    size_t n = f->left < 64 ? f->left : 64;

    dwc2_send(c, 0, f->tx, n);
    f->tx += n;
    f->left -= n;
    if (n < 64)
        f->zlp = false;
}

/* A transfer that the host gave up. */
static void abandon_ep0(struct chip *c)
{
    if (!(otg_read(c, DIEPCTL(0)) & EPENA))
        return;
    otg_set(c, DIEPCTL(0), SNAK);
    otg_set(c, DIEPCTL(0), EPDIS);
    otg_write(c, DIEPINT(0), BIT(1));
    otg_write(c, GRSTCTL, BIT(5));
}

static void setup(struct chip *c, struct echo *f)
{
    abandon_ep0(c);
    dwc2_arm(c, 0);
    switch (echo_decide(f)) {
    case ECHO_ANSWER:
        if (f->address && !f->late_address)
            otg_set(c, DCFG, f->address << 4);
        send_next(c, f);
        break;
    case ECHO_RECEIVE:
        break;
    case ECHO_STALL:
        otg_set(c, DIEPCTL(0), STALLED);
        otg_set(c, DOEPCTL(0), STALLED);
    }
}

static void control_done(struct chip *c, struct echo *f)
{
    if (f->address && f->late_address)
        otg_set(c, DCFG, f->address << 4);
    f->address = 0;
    if (f->left || f->zlp)
        send_next(c, f);
}

static void control_data(struct chip *c, struct echo *f)
{
    dwc2_arm(c, 0);
    if (f->want && f->got == f->want && !(f->setup[0] & 0x80)) {
        f->want = 0;
        f->left = 0;
        send_next(c, f);
    }
}

/* ---- everything ---- */

static void pop(struct chip *c, struct echo *f)
{
    uint32_t v = otg_read(c, GRXSTSP);
    unsigned ep = v & 15, n = v >> 4 & 0x7ff;

    switch (v >> 17 & 15) {
    case 2: /* OUT data */
        receive(c, ep ? f->bulk : f->data + f->got, n);
        if (ep)
            f->bulk_n = n;
        else
            f->got += n;
        break;
    case 3: /* OUT completed */
        otg_write(c, DOEPINT(ep), BIT(0));
        if (!ep)
            control_data(c, f);
        else if (!f->slow)
            dwc2_send(c, 2, f->bulk, f->bulk_n);
        break;
    case 4: /* SETUP completed */
        otg_write(c, DOEPINT(0), BIT(3));
        setup(c, f);
        break;
    case 6: /* SETUP data */
        receive(c, f->setup, 8);
    }
}

static void bus_reset(struct chip *c, struct echo *f)
{
    otg_write(c, GINTSTS, USBRST);
    f->resets++;
    for (unsigned i = 0; i < 3; i++) {
        otg_set(c, DOEPCTL(i), SNAK);
        if (otg_read(c, DIEPCTL(i)) & EPENA)
            otg_set(c, DIEPCTL(i), SNAK | EPDIS);
        otg_write(c, DIEPINT(i), 0xff);
        otg_write(c, DOEPINT(i), 0xff);
    }
    dwc2_start_ep0(c);
}

static void enumerated(struct chip *c)
{
    otg_write(c, GINTSTS, ENUMDNE);
    otg_write(c, DIEPCTL(2), USBAEP | BULK | SD0PID | SNAK | 2u << 22 | 64);
    otg_write(c, DOEPCTL(1), USBAEP | BULK | SD0PID | SNAK | 64);
    dwc2_arm(c, 1);
}

static void firmware(struct chip *c)
{
    struct echo *f = c->fw;
    uint32_t v = otg_read(c, GINTSTS);

    if (v & USBRST)
        bus_reset(c, f);
    if (v & ENUMDNE)
        enumerated(c);
    if (otg_read(c, DIEPINT(0)) & BIT(0)) {
        otg_write(c, DIEPINT(0), BIT(0));
        control_done(c, f);
    }
    while (otg_read(c, GINTSTS) & RXFLVL)
        pop(c, f);
    if (otg_read(c, DIEPINT(2)) & BIT(0)) {
        otg_write(c, DIEPINT(2), BIT(0));
        dwc2_arm(c, 1);
    }
}

/* ---- for tests that run on both blocks ---- */

static unsigned address(struct chip *c)
{
    return otg_read(c, DCFG) >> 4 & 0x7f;
}

static unsigned frame(struct chip *c)
{
    return otg_read(c, DSTS) >> 8 & 0x7ff;
}

static bool saw_suspend(struct chip *c)
{
    return otg_read(c, GINTSTS) & USBSUSP;
}

static bool saw_wakeup(struct chip *c)
{
    return otg_read(c, GINTSTS) & WKUP_;
}

static void clear_events(struct chip *c)
{
    otg_write(c, GINTSTS, USBSUSP | WKUP_ | BIT(10));
}

static void sleep(struct chip *c, bool asleep)
{
    otg_write(c, PCGCCTL, asleep ? BIT(0) : 0); /* STPPCLK */
}

const struct echo_block echo_dwc2 = {
    .bench_new = bench_new_dwc2,
    .power_up = dwc2_power_up,
    .firmware = firmware,
    .address = address,
    .frame = frame,
    .saw_suspend = saw_suspend,
    .saw_wakeup = saw_wakeup,
    .clear_events = clear_events,
    .sleep = sleep,
};
