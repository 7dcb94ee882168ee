/* SPDX-License-Identifier: MIT */
/*
 * test_dwc2.c - OTG_FS by itself, wire and registers: what the manual says it
 * does, and what it says firmware must not do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "dwc2.h"
#include "usb_echo_dwc2.h"

#define XFRC    BIT(0)
#define EPDISD  BIT(1)
#define STUP    BIT(3)
#define TOC     BIT(3)
#define ITTXFE  BIT(4)
#define OTEPDIS BIT(4)
#define INEPNE  BIT(6)
#define B2BSTUP BIT(6)
#define TXFE    BIT(7)

#define G_MMIS     BIT(1)
#define G_OTGINT   BIT(2)
#define G_SOF      BIT(3)
#define G_RXFLVL   BIT(4)
#define G_GONAKEFF BIT(7)
#define G_ESUSP    BIT(10)
#define G_USBSUSP  BIT(11)
#define G_USBRST   BIT(12)
#define G_ENUMDNE  BIT(13)
#define G_EOPF     BIT(15)
#define G_IEPINT   BIT(18)
#define G_OEPINT   BIT(19)
#define G_SRQINT   BIT(30)

static const uint8_t get_device[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
static const uint8_t vendor_out[8] = {0x40, 1, 0, 0, 0, 0, 64, 0};
static const uint8_t set_address[8] = {0, 5, 9, 0, 0, 0, 0, 0};
static const uint8_t data64[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static int setup(void **state)
{
    static struct chip c;

    bench_new_dwc2(&c);
    *state = &c;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    return 0;
}

/* Connected, reset by the host, EP0 as the manual wants it. */
static void start(struct chip *c)
{
    dwc2_power_up(c);
    wire_bus_reset(c->wire, true);
    chip_run(c, c->now + 10 * SIM_MS);
    wire_bus_reset(c->wire, false);
    otg_write(c, GINTSTS, 0xffffffff);
    dwc2_start_ep0(c);
    assert_int_equal(c->errors, 0);
}

static void open_bulk(struct chip *c)
{
    otg_write(c, DIEPCTL(2), USBAEP | BULK | SD0PID | SNAK | 2u << 22 | 64);
    otg_write(c, DOEPCTL(1), USBAEP | BULK | SD0PID | SNAK | 64);
}

static enum wire_result token_in(struct chip *c, unsigned ep, size_t *n,
                                 bool lose_ack)
{
    uint8_t data[64];
    unsigned toggle;

    return wire_in(c->wire, 0, ep, data, n, &toggle, lose_ack);
}

static enum wire_result token_out(struct chip *c, unsigned ep, unsigned toggle,
                                  size_t n)
{
    return wire_out(c->wire, 0, ep, toggle, data64, n);
}

/* Pops a status word and the data behind it. */
static uint32_t pop(struct chip *c)
{
    uint32_t v = otg_read(c, GRXSTSP);

    for (unsigned n = 0; n < (v >> 4 & 0x7ff); n += 4)
        otg_read(c, DFIFO(0));
    return v >> 17 & 15;
}

#define assert_fault(c, n, text)                                               \
    do {                                                                       \
        assert_int_equal((c)->errors, n);                                      \
        assert_non_null(strstr((c)->last_error, text));                        \
    } while (0)

/* ---- the core ---- */

static void reset_values(void **state)
{
    struct chip *c = *state;

    assert_int_equal(otg_read(c, GUSBCFG), 0xa40);
    assert_int_equal(otg_read(c, GRSTCTL), 0x80000000);
    assert_int_equal(otg_read(c, GINTSTS), 0x04000020);
    assert_int_equal(otg_read(c, GRXFSIZ), 0x200);
    assert_int_equal(otg_read(c, DIEPTXF(1)), 0x02000200);
    assert_int_equal(otg_read(c, GOTGCTL) & ~BIT(19), BIT(16)); /* CIDSTS */
    assert_int_equal(otg_read(c, DCFG), 0x02200000);
    assert_int_equal(otg_read(c, DCTL), 0);
    assert_int_equal(otg_read(c, DIEPINT(1)), TXFE);
    assert_int_equal(otg_read(c, DOEPCTL(0)), USBAEP);
    assert_int_equal(otg_read(c, 0x40), 0x4f54281a);
    otg_write(c, GUSBCFG, 0);
    assert_int_equal(otg_read(c, GUSBCFG), BIT(6)); /* PHYSEL */
    assert_int_equal(c->errors, 0);
}

static void soft_reset(void **state)
{
    struct chip *c = *state;

    otg_write(c, GINTMSK, 0xffffffff);
    assert_int_equal(otg_read(c, GINTMSK), 0xf73efcfe);
    otg_write(c, GCCFG, BIT(16));
    otg_write(c, DCFG, 0x7f << 4 | 3);
    c->clock_ok = false; /* without the PHY's clock it never ends */
    otg_write(c, GRSTCTL, BIT(0));
    chip_run(c, c->now + SIM_MS);
    assert_true(otg_read(c, GRSTCTL) & BIT(0));
    c->clock_ok = true;
    chip_run(c, c->now + SIM_US);
    assert_false(otg_read(c, GRSTCTL) & BIT(0));
    assert_int_equal(otg_read(c, GINTMSK), 0);
    assert_int_equal(otg_read(c, GCCFG), BIT(16));
    assert_int_equal(otg_read(c, DCFG), 0x02200003);
}

static void pull_up(void **state)
{
    struct chip *c = *state;

    dwc2_power_up(c);
    assert_true(wire_attached(c->wire));
    c->alternate = false;
    c->desc.ops->pins_changed(&c->dev);
    assert_false(wire_attached(c->wire));
    c->alternate = true;
    c->desc.ops->pins_changed(&c->dev);
    assert_true(wire_attached(c->wire));
    c->clock_ok = false;
    c->desc.ops->clocks_changed(&c->dev);
    assert_false(wire_attached(c->wire));
    c->clock_ok = true;
    c->desc.ops->clocks_changed(&c->dev);
    otg_set(c, DCTL, BIT(1));
    assert_false(wire_attached(c->wire));
    otg_clear(c, DCTL, BIT(1));
    assert_true(wire_attached(c->wire));
    otg_clear(c, GCCFG, BIT(16));
    assert_false(wire_attached(c->wire));
    otg_write(c, GCCFG, BIT(16)); /* neither sensed nor taken for granted */
    assert_false(wire_attached(c->wire));
}

static void vbus_is_sensed(void **state)
{
    struct chip *c = *state;

    dwc2_power_up(c);
    otg_write(c, GINTSTS, 0xffffffff);
    otg_write(c, GCCFG, BIT(16));
    assert_true(otg_read(c, GINTSTS) & G_OTGINT);
    otg_write(c, GOTGINT, 0xffffffff);
    wire_plug(c->wire, false);
    otg_write(c, GCCFG, BIT(16) | BIT(19)); /* VBUSBSEN */
    assert_false(otg_read(c, GOTGCTL) & BIT(19));
    assert_false(otg_read(c, GINTSTS) & G_SRQINT);
    wire_plug(c->wire, true);
    assert_true(otg_read(c, GOTGCTL) & BIT(19)); /* BSVLD */
    assert_true(otg_read(c, GINTSTS) & G_SRQINT);
    assert_true(wire_attached(c->wire));
    wire_plug(c->wire, false);
    assert_int_equal(otg_read(c, GOTGINT), BIT(2)); /* SEDET */
}

static void forced_modes(void **state)
{
    struct chip *c = *state;

    dwc2_power_up(c);
    otg_write(c, GUSBCFG, BIT(29)); /* FHMOD */
    assert_false(otg_read(c, GINTSTS) & 1);
    chip_run(c, c->now + 26 * SIM_MS);
    assert_true(otg_read(c, GINTSTS) & 1);
    assert_false(wire_attached(c->wire));
    otg_write(c, GUSBCFG, BIT(30) | 6 << 10);
    chip_run(c, c->now + 24 * SIM_MS);
    assert_true(otg_read(c, GINTSTS) & 1);
    chip_run(c, c->now + 2 * SIM_MS);
    assert_false(otg_read(c, GINTSTS) & 1);
    assert_true(wire_attached(c->wire));
    otg_read(c, 0x400);
    assert_true(otg_read(c, GINTSTS) & G_MMIS);
    assert_int_equal(c->errors, 0);
}

static void interrupt_line(void **state)
{
    struct chip *c = *state;

    start(c);
    otg_write(c, GINTMSK, G_SOF | G_OEPINT);
    otg_write(c, DAINTMSK, BIT(16));
    otg_write(c, DOEPMSK, STUP);
    wire_sof(c->wire, 5);
    assert_false(c->irq[67]);
    otg_write(c, GAHBCFG, 1);
    assert_true(c->irq[67]);
    assert_int_equal(otg_read(c, DSTS) >> 8, 5);
    otg_write(c, GINTSTS, G_SOF);
    assert_false(c->irq[67]);
    chip_run(c, c->now + 850 * SIM_US);
    assert_true(otg_read(c, GINTSTS) & G_EOPF);
    wire_setup(c->wire, 0, 0, get_device);
    token_in(c, 0, &(size_t){0}, false);
    pop(c);
    assert_false(c->irq[67]);
    pop(c);
    assert_true(c->irq[67]);
    assert_int_equal(otg_read(c, DAINT), BIT(16));
    otg_write(c, DOEPINT(0), STUP);
    assert_false(c->irq[67]);
}

static void bus_states(void **state)
{
    struct chip *c = *state;

    dwc2_power_up(c);
    chip_run(c, c->now + 4 * SIM_MS);
    assert_int_equal(otg_read(c, GINTSTS) & (G_ESUSP | G_USBSUSP), G_ESUSP);
    assert_false(otg_read(c, DSTS) & 1);
    chip_run(c, c->now + 3 * SIM_MS);
    assert_true(otg_read(c, GINTSTS) & G_USBSUSP);
    assert_true(otg_read(c, DSTS) & 1);
    wire_bus_reset(c->wire, true);
    chip_run(c, c->now + 2 * SIM_US);
    assert_false(otg_read(c, GINTSTS) & G_USBRST);
    otg_write(c, DOEPCTL(1), USBAEP | BULK | 64);
    chip_run(c, c->now + SIM_US);
    assert_true(otg_read(c, GINTSTS) & G_USBRST);
    assert_false(otg_read(c, DOEPCTL(1)) & USBAEP);
    assert_false(otg_read(c, GINTSTS) & G_ENUMDNE);
    wire_bus_reset(c->wire, false);
    assert_true(otg_read(c, GINTSTS) & G_ENUMDNE);
    assert_int_equal(otg_read(c, DSTS) & 7, 6); /* full speed, awake */
    assert_int_equal(c->errors, 0);
}

/* ---- SETUP ---- */

static void setup_rules(void **state)
{
    struct chip *c = *state;
    size_t n;

    start(c);
    assert_int_equal(wire_setup(c->wire, 1, 0, get_device), WIRE_TIMEOUT);
    assert_int_equal(wire_setup(c->wire, 0, 1, get_device), WIRE_TIMEOUT);
    otg_set(c, DIEPCTL(0), STALLED);
    otg_clear(c, DIEPCTL(0), STALLED); /* only the core clears it */
    assert_int_equal(token_in(c, 0, &n, false), WIRE_STALL);
    otg_set(c, DOEPCTL(0), STALLED | CNAK | EPENA);
    assert_int_equal(token_out(c, 0, 0, 8), WIRE_STALL);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    assert_int_equal(otg_read(c, DIEPCTL(0)) & (STALLED | NAKSTS), NAKSTS);
    assert_int_equal(otg_read(c, DOEPCTL(0)) & (STALLED | NAKSTS | EPENA),
                     NAKSTS);
    assert_int_equal(otg_read(c, DOEPTSIZ(0)) >> 29, 2);
    assert_int_equal(otg_read(c, GRXSTSR) & 0x1fffff, 6 << 17 | 8 << 4);
    assert_int_equal(otg_read(c, GRXSTSP) & 0x1fffff, 6 << 17 | 8 << 4);
    assert_int_equal(otg_read(c, DFIFO(0)), 0x01000680);
    assert_int_equal(otg_read(c, DFIFO(2) + 0xffc), 0x00120000);
    assert_false(otg_read(c, GINTSTS) & G_RXFLVL); /* no other token yet */
    assert_int_equal(token_in(c, 0, &n, false), WIRE_NAK);
    assert_false(otg_read(c, DOEPINT(0)) & STUP);
    assert_int_equal(pop(c), 4);
    assert_true(otg_read(c, DOEPINT(0)) & STUP);
    assert_int_equal(c->errors, 0);
}

static void setups_in_a_row(void **state)
{
    struct chip *c = *state;

    start(c);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    assert_false(otg_read(c, DOEPINT(0)) & B2BSTUP);
    assert_int_equal(wire_setup(c->wire, 0, 0, vendor_out), WIRE_ACK);
    assert_true(otg_read(c, DOEPINT(0)) & B2BSTUP);
    assert_int_equal(token_out(c, 0, 1, 64), WIRE_NAK);
    assert_true(otg_read(c, DOEPINT(0)) & OTEPDIS);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pop(c), 6);
    assert_int_equal(pop(c), 4);
    assert_int_equal(otg_read(c, GINTSTS) & G_RXFLVL, 0);
    /* without room it is not answered */
    otg_write(c, GRXFSIZ, 3);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_TIMEOUT);
    assert_int_equal(c->errors, 0);
}

static void address_holds_after_status(void **state)
{
    struct chip *c = *state;
    size_t n;

    start(c);
    wire_setup(c->wire, 0, 0, set_address);
    token_in(c, 0, &n, false);
    pop(c);
    pop(c);
    otg_set(c, DCFG, 9 << 4);
    dwc2_send(c, 0, NULL, 0);
    assert_int_equal(token_in(c, 0, &n, true), WIRE_ACK); /* ACK is lost */
    assert_true(otg_read(c, DIEPINT(0)) & TOC);
    assert_int_equal(token_in(c, 0, &n, false), WIRE_ACK);
    assert_int_equal(n, 0);
    assert_int_equal(token_in(c, 0, &n, false), WIRE_TIMEOUT);
    assert_int_equal(wire_setup(c->wire, 9, 0, get_device), WIRE_ACK);
}

/* ---- OUT ---- */

static void out_rules(void **state)
{
    struct chip *c = *state;

    start(c);
    open_bulk(c);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_NAK);
    otg_write(c, DOEPTSIZ(1), PKT(3) | 192);
    otg_set(c, DOEPCTL(1), EPENA | CNAK);
    assert_int_equal(token_out(c, 1, 1, 64), WIRE_ACK); /* repeated */
    assert_false(otg_read(c, GINTSTS) & G_RXFLVL);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_ACK);
    assert_int_equal(otg_read(c, DOEPTSIZ(1)), PKT(2) | 192);
    assert_true(otg_read(c, DOEPCTL(1)) & DPID);
    assert_int_equal(otg_read(c, GRXSTSR) & 0x1fffff, 2 << 17 | 64 << 4 | 1);
    assert_int_equal(pop(c), 2);
    assert_int_equal(otg_read(c, DOEPTSIZ(1)), PKT(2) | 128);
    assert_int_equal(token_out(c, 1, 1, 10), WIRE_ACK); /* short: the end */
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_NAK);
    assert_int_equal(otg_read(c, DOEPCTL(1)) & (EPENA | NAKSTS), NAKSTS);
    assert_int_equal(pop(c), 2);
    assert_false(otg_read(c, DOEPINT(1)) & XFRC);
    assert_int_equal(pop(c), 3);
    assert_true(otg_read(c, DOEPINT(1)) & XFRC);
    assert_int_equal(otg_read(c, DOEPTSIZ(1)), PKT(1) | 118);
    /* the packet count ends it, too */
    dwc2_arm(c, 1);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_ACK);
    assert_int_equal(pop(c), 2);
    assert_int_equal(pop(c), 3);
    otg_set(c, DOEPCTL(1), STALLED);
    assert_int_equal(token_out(c, 1, 1, 64), WIRE_STALL);
    otg_clear(c, DOEPCTL(1), STALLED);
    assert_int_equal(token_out(c, 1, 1, 64), WIRE_NAK);
    assert_int_equal(token_out(c, 2, 0, 64), WIRE_TIMEOUT); /* not active */
    assert_int_equal(c->errors, 0);
}

/* Two packets of 17 words, room for one more with its end (18), but not while
 * ten words are kept for SETUP. */
static void rx_fifo_is_full(void **state)
{
    struct chip *c = *state;

    start(c);
    open_bulk(c);
    otg_write(c, GRXFSIZ, 17 + 17 + 18 + 9);
    otg_write(c, DOEPTSIZ(1), PKT(3) | 192);
    otg_set(c, DOEPCTL(1), EPENA | CNAK);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_ACK);
    assert_int_equal(token_out(c, 1, 1, 64), WIRE_ACK);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_NAK);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    assert_int_equal(pop(c), 2);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_ACK);
    assert_int_equal(pop(c), 2);
    assert_int_equal(pop(c), 6);
    assert_int_equal(pop(c), 2);
    assert_int_equal(pop(c), 3);
    assert_int_equal(c->errors, 0);
}

static void status_out_with_data(void **state)
{
    struct chip *c = *state;

    start(c);
    wire_setup(c->wire, 0, 0, get_device);
    dwc2_arm(c, 0);
    assert_int_equal(token_out(c, 0, 1, 4), WIRE_STALL); /* NZLSOHSK */
    assert_int_equal(token_out(c, 0, 1, 0), WIRE_ACK);
    otg_clear(c, DCFG, BIT(2));
    wire_setup(c->wire, 0, 0, get_device);
    dwc2_arm(c, 0);
    assert_int_equal(token_out(c, 0, 1, 4), WIRE_ACK);
}

static void global_out_nak(void **state)
{
    struct chip *c = *state;

    start(c);
    open_bulk(c);
    dwc2_arm(c, 1);
    otg_set(c, DCTL, BIT(9)); /* SGONAK */
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_NAK);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    assert_false(otg_read(c, GINTSTS) & G_GONAKEFF);
    assert_int_equal(pop(c), 1);
    assert_true(otg_read(c, GINTSTS) & G_GONAKEFF);
    otg_set(c, DOEPCTL(1), EPDIS);
    assert_true(otg_read(c, DOEPINT(1)) & EPDISD);
    assert_false(otg_read(c, DOEPCTL(1)) & EPENA);
    otg_set(c, DCTL, BIT(10)); /* CGONAK */
    assert_false(otg_read(c, GINTSTS) & G_GONAKEFF);
    dwc2_arm(c, 1);
    assert_int_equal(token_out(c, 1, 0, 64), WIRE_ACK);
}

/* ---- IN ---- */

static void in_rules(void **state)
{
    struct chip *c = *state;
    size_t n;

    start(c);
    open_bulk(c);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_NAK);
    assert_false(otg_read(c, DIEPINT(2)) & ITTXFE); /* NAK is set */
    otg_write(c, DIEPTSIZ(2), PKT(2) | 70);
    otg_set(c, DIEPCTL(2), EPENA | CNAK);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_NAK);
    assert_true(otg_read(c, DIEPINT(2)) & ITTXFE);
    assert_int_equal(otg_read(c, DTXFSTS(2)), 32);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(token_in(c, 2, &n, false), WIRE_NAK);
        otg_write(c, DFIFO(2) + 4 * i, i);
    }
    assert_int_equal(otg_read(c, DIEPTSIZ(2)), PKT(2) | 6);
    assert_int_equal(otg_read(c, DTXFSTS(2)), 16);
    assert_true(otg_read(c, DIEPINT(2)) & TXFE); /* half empty */
    otg_write(c, DFIFO(2), 0x11223344);
    assert_false(otg_read(c, DIEPINT(2)) & TXFE);
    otg_write(c, DFIFO(2), 0x5566);
    assert_int_equal(token_in(c, 2, &n, true), WIRE_ACK);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_ACK);
    assert_int_equal(n, 64);
    assert_int_equal(otg_read(c, DIEPTSIZ(2)), PKT(1));
    assert_false(otg_read(c, DIEPINT(2)) & XFRC);
    otg_write(c, GAHBCFG, BIT(7)); /* TXFELVL: empty */
    assert_false(otg_read(c, DIEPINT(2)) & TXFE);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_ACK);
    assert_int_equal(n, 6);
    assert_true(otg_read(c, DIEPINT(2)) & TXFE);
    assert_true(otg_read(c, DIEPINT(2)) & XFRC);
    assert_false(otg_read(c, DIEPCTL(2)) & EPENA);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_NAK);
    otg_write(c, GINTMSK, G_IEPINT);
    otg_write(c, DAINTMSK, BIT(2));
    otg_write(c, DIEPINT(2), 0xff);
    assert_false(otg_read(c, GINTSTS) & G_IEPINT);
    otg_write(c, DIEPEMPMSK, BIT(2));
    assert_true(otg_read(c, GINTSTS) & G_IEPINT);
    assert_int_equal(c->errors, 0);
}

static void toggles(void **state)
{
    struct chip *c = *state;
    uint8_t data[64];
    unsigned toggle;
    size_t n;

    start(c);
    open_bulk(c);
    for (unsigned i = 0; i < 3; i++) {
        dwc2_send(c, 2, data64, 3);
        wire_in(c->wire, 0, 2, data, &n, &toggle, false);
        assert_int_equal(toggle, i & 1);
        assert_memory_equal(data, data64, 3);
    }
    otg_set(c, DIEPCTL(2), SD0PID);
    dwc2_send(c, 2, data64, 3);
    wire_in(c->wire, 0, 2, data, &n, &toggle, false);
    assert_int_equal(toggle, 0);
    otg_set(c, DIEPCTL(2), STALLED);
    assert_int_equal(token_in(c, 2, &n, false), WIRE_STALL);
}

/* NAK takes effect behind the packet that is on the wire. */
static void disable_in(void **state)
{
    struct chip *c = *state;
    uint8_t data[64];
    unsigned toggle;
    size_t n;

    start(c);
    open_bulk(c);
    otg_write(c, DIEPINT(2), 0xff);
    otg_write(c, DIEPTSIZ(2), PKT(2) | 128);
    otg_set(c, DIEPCTL(2), EPENA | CNAK);
    for (unsigned i = 0; i < 32; i++)
        otg_write(c, DFIFO(2), i);
    assert_int_equal(wire_in_start(c->wire, 0, 2, data, &n, &toggle), WIRE_ACK);
    otg_set(c, DIEPCTL(2), SNAK);
    otg_set(c, DIEPCTL(2), EPDIS);
    assert_false(otg_read(c, DIEPINT(2)) & (INEPNE | EPDISD));
    wire_in_end(c->wire, 2, true);
    assert_int_equal(otg_read(c, DIEPINT(2)) & (INEPNE | EPDISD),
                     INEPNE | EPDISD);
    assert_false(otg_read(c, DIEPCTL(2)) & EPENA);
    assert_int_equal(otg_read(c, DTXFSTS(2)), 16);
    otg_write(c, GRSTCTL, BIT(5) | 2 << 6);
    assert_true(otg_read(c, GRSTCTL) & BIT(5));
    chip_run(c, c->now + SIM_US);
    assert_false(otg_read(c, GRSTCTL) & BIT(5));
    assert_int_equal(otg_read(c, DTXFSTS(2)), 32);
    assert_int_equal(c->errors, 0);
}

/* ---- what firmware must not do ---- */

static void access_faults(void **state)
{
    struct chip *c = *state;

    dwc2_ops.read(&c->dev, 0, GINTSTS, 2);
    assert_fault(c, 1, "16-bit access");
    dwc2_ops.write(&c->dev, 0, DFIFO(0), 1, 0);
    assert_fault(c, 2, "8-bit access");
    otg_read(c, GRXSTSR);
    assert_int_equal(c->errors, 2);
    otg_read(c, GRXSTSP);
    assert_fault(c, 3, "RXFLVL");
    otg_read(c, DFIFO(0));
    assert_fault(c, 4, "more was read");
}

static void fifo_faults(void **state)
{
    struct chip *c = *state;

    start(c);
    open_bulk(c);
    wire_setup(c->wire, 0, 0, get_device);
    token_out(c, 0, 1, 0);
    otg_read(c, GRXSTSP);
    assert_int_equal(otg_read(c, GRXSTSP) >> 17 & 15, 4);
    assert_fault(c, 1, "2 words");
    otg_write(c, DFIFO(2), 0);
    assert_fault(c, 2, "not enabled");
    dwc2_send(c, 2, data64, 8);
    otg_write(c, DFIFO(2), 0);
    assert_fault(c, 3, "DIEPTSIZ2");
    otg_set(c, DIEPCTL(2), SNAK);
    otg_set(c, DIEPCTL(2), EPDIS);
    dwc2_send(c, 2, data64, 8);
    assert_fault(c, 4, "not flushed");
    otg_set(c, DIEPCTL(2), SNAK);
    otg_write(c, GRSTCTL, BIT(5) | 2 << 6);
    otg_write(c, DIEPTSIZ(2), PKT(3) | 192);
    otg_set(c, DIEPCTL(2), EPENA | CNAK);
    assert_int_equal(c->errors, 4);
    for (unsigned i = 0; i < 33; i++)
        otg_write(c, DFIFO(2), 0);
    assert_fault(c, 5, "full");
}

static void layout_faults(void **state)
{
    struct chip *c = *state;

    start(c);
    open_bulk(c);
    otg_write(c, DIEPTXF(2), 32u << 16 | 159);
    dwc2_send(c, 2, data64, 0);
    assert_int_equal(c->errors, 0);
    otg_set(c, DIEPCTL(2), SNAK);
    otg_write(c, DIEPTXF(2), 32u << 16 | 143); /* EP0's: 128 to 143 */
    dwc2_send(c, 2, data64, 0);
    assert_fault(c, 1, "overlap");
    otg_set(c, DIEPCTL(2), SNAK);
    otg_write(c, DIEPTXF(2), 32u << 16 | 289);
    dwc2_send(c, 2, data64, 0);
    assert_fault(c, 2, "beyond the 320 words");
    otg_set(c, DIEPCTL(2), SNAK);
    otg_write(c, DIEPTXF(2), 32u << 16 | 127);
    dwc2_send(c, 2, data64, 0);
    assert_fault(c, 3, "inside the receive FIFO");
    otg_write(c, GRXFSIZ, 321);
    wire_setup(c->wire, 0, 0, get_device);
    wire_setup(c->wire, 0, 0, get_device);
    assert_fault(c, 4, "GRXFSIZ is 321");
}

static void endpoint_faults(void **state)
{
    struct chip *c = *state;

    start(c);
    otg_write(c, DIEPTSIZ(2), PKT(1));
    otg_write(c, DIEPCTL(2), BULK | 2u << 22 | 64 | EPENA);
    assert_fault(c, 1, "USBAEP");
    assert_false(otg_read(c, DIEPCTL(2)) & EPENA);
    open_bulk(c);
    otg_set(c, DOEPCTL(1), EPDIS);
    assert_fault(c, 2, "EPDIS");
    otg_write(c, DIEPTSIZ(2), PKT(1) | 65);
    otg_set(c, DIEPCTL(2), EPENA | CNAK);
    assert_fault(c, 3, "2 packets of 64");
    otg_write(c, DIEPTSIZ(2), PKT(1) | 64);
    assert_fault(c, 4, "while the endpoint is enabled");
    otg_write(c, DOEPTSIZ(1), PKT(1) | 10);
    otg_set(c, DOEPCTL(1), EPENA | CNAK);
    assert_int_equal(token_out(c, 1, 0, 10), WIRE_ACK);
    assert_int_equal(c->errors, 4);
    otg_write(c, DOEPTSIZ(1), PKT(1) | 10);
    otg_set(c, DOEPCTL(1), EPENA | CNAK);
    token_out(c, 1, 1, 11);
    assert_fault(c, 5, "no multiple");
}

static void clock_faults(void **state)
{
    struct chip *c = *state;

    start(c);
    otg_write(c, GUSBCFG, BIT(30) | 4 << 10);
    wire_setup(c->wire, 0, 0, get_device);
    wire_setup(c->wire, 0, 0, get_device);
    assert_fault(c, 1, "TRDT is 4");
    c->ahb_hz = 14000000;
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_TIMEOUT);
    assert_fault(c, 2, "AHB clock of 14000000");
    c->ahb_hz = 36000000;
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    otg_write(c, DCFG, 0);
    wire_bus_reset(c->wire, true);
    chip_run(c, c->now + SIM_MS);
    wire_bus_reset(c->wire, false);
    assert_fault(c, 3, "DSPD is 0");
}

/* A driver that stops the PHY clock when it is suspended, and leaves it so: it
 * runs again with the bus reset. */
static void stopped_clock(void **state)
{
    struct chip *c = *state;

    start(c);
    chip_run(c, c->now + 7 * SIM_MS);
    assert_true(otg_read(c, DSTS) & 1); /* SUSPSTS */
    otg_write(c, PCGCCTL, 1);           /* STPPCLK */
    assert_int_equal(otg_read(c, PCGCCTL), 0x11);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_TIMEOUT);
    wire_bus_reset(c->wire, true);
    chip_run(c, c->now + SIM_MS);
    wire_bus_reset(c->wire, false);
    assert_int_equal(otg_read(c, PCGCCTL), 1);
    assert_int_equal(wire_setup(c->wire, 0, 0, get_device), WIRE_ACK);
    assert_int_equal(c->errors, 0);
}

/* Habits of drivers in the field that silicon takes: all endpoints of a larger
 * core are cleared, EP0 OUT is armed again without a transfer size, and with
 * the data of a packet still in the FIFO. */
static void habits_of_drivers(void **state)
{
    struct chip *c = *state;

    start(c);
    for (unsigned i = 0; i < 15; i++) {
        otg_write(c, DIEPINT(i), 0xfb7f);
        otg_write(c, DOEPINT(i), 0xfb7f);
        otg_write(c, 0x104 + 4 * i, 0);
    }
    wire_setup(c->wire, 0, 0, vendor_out);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t v = otg_read(c, GRXSTSP);

        assert_int_equal(v >> 17 & 15, i ? 2 : 6);
        for (unsigned n = 0; n < (v >> 4 & 0x7ff); n += 4)
            otg_read(c, DFIFO(0));
        otg_set(c, DOEPCTL(0), EPENA | CNAK);
        while (otg_read(c, GINTSTS) & G_RXFLVL)
            otg_read(c, GRXSTSP);
        assert_int_equal(token_out(c, 0, ~i & 1, 64), WIRE_ACK);
        if (!i)
            assert_int_equal(pop(c), 4);
    }
    assert_int_equal(c->errors, 0);
}

/* What an IN endpoint is to send counts when NAK is cleared: until then it may
 * be enabled with a FIFO and a size that are yet to come. */
static void enabled_under_nak(void **state)
{
    struct chip *c = *state;
    uint8_t data[64];
    unsigned toggle;
    size_t n;

    start(c);
    otg_write(c, DIEPTXF0, 0x200);
    otg_write(c, DIEPTSIZ(0), 64); /* in no packet */
    otg_set(c, DIEPCTL(0), EPENA | SNAK);
    assert_int_equal(wire_in(c->wire, 0, 0, data, &n, &toggle, false),
                     WIRE_NAK);
    otg_write(c, DIEPTXF0, 16u << 16 | 128);
    dwc2_send(c, 0, data64, 64);
    assert_int_equal(c->errors, 0);
    assert_int_equal(wire_in(c->wire, 0, 0, data, &n, &toggle, false),
                     WIRE_ACK);
    assert_int_equal(n, 64);

    otg_write(c, DIEPTSIZ(0), 64);
    otg_set(c, DIEPCTL(0), EPENA | SNAK);
    assert_int_equal(c->errors, 0);
    otg_set(c, DIEPCTL(0), CNAK);
    assert_fault(c, 1, "0 packets for 64 bytes");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(reset_values),
        TEST(soft_reset),
        TEST(pull_up),
        TEST(vbus_is_sensed),
        TEST(forced_modes),
        TEST(interrupt_line),
        TEST(bus_states),
        TEST(setup_rules),
        TEST(setups_in_a_row),
        TEST(address_holds_after_status),
        TEST(out_rules),
        TEST(rx_fifo_is_full),
        TEST(status_out_with_data),
        TEST(global_out_nak),
        TEST(in_rules),
        TEST(toggles),
        TEST(disable_in),
        TEST(access_faults),
        TEST(fifo_faults),
        TEST(layout_faults),
        TEST(endpoint_faults),
        TEST(clock_faults),
        TEST(stopped_clock),
        TEST(habits_of_drivers),
        TEST(enabled_under_nak),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
