/* SPDX-License-Identifier: MIT */
/*
 * dwc2_packet.c - what OTG_FS does with SETUP, OUT and IN: who answers, what
 * goes into and out of the FIFOs, what the registers say afterwards.
 *
 * Source: RM0090 rev 21, 34.17.6 (SETUP, OUT and IN transfers, stall).
 */
#include <string.h>

#include "dwc2_regs.h"

/* ---- clocks ---- */

/* Table 204, TRDT for AHB clocks (34.16.2): the limit below which it grows. */
static unsigned trdt_min(uint32_t ahb)
{
    static const struct {
        uint32_t below;
        unsigned trdt;
    } table[] = {{15000000, 15}, {16000000, 14}, {17200000, 13},
                 {18500000, 12}, {20000000, 11}, {21800000, 10},
                 {24000000, 9},  {27500000, 8},  {32000000, 7}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (ahb < table[i].below)
            return table[i].trdt;
    return 6;
}

/* One less than the table is let pass: older drivers have 5. */
static void check_trdt(struct dev *d, uint32_t ahb)
{
    struct dwc2 *s = d->state;

    if (s->told_trdt || GUSBCFG_TRDT(s->gusbcfg) + 1 >= trdt_min(ahb))
        return;
    s->told_trdt = true;
    chip_guest_error(d->chip,
                     "OTG_FS_GUSBCFG.TRDT is %u, an AHB clock of %u Hz needs "
                     "%u",
                     GUSBCFG_TRDT(s->gusbcfg), ahb, trdt_min(ahb));
}

/* Clocks that are too slow or wrong are a fault of the firmware; one line of
 * it is enough. */
static bool clocks_ok(struct dev *d)
{
    struct dwc2 *s = d->state;
    uint32_t ahb = chip_clock_hz(d->chip, CLOCK_AHB);
    bool ok = chip_usb_clock_ok(d->chip);

    if (ok && ahb >= dwc2_facts(d)->ahb_min_hz) {
        s->told_clock = false;
        check_trdt(d, ahb);
        return true;
    }
    if (!s->told_clock && !ok)
        chip_guest_error(d->chip, "OTG_FS runs without a 48 MHz clock");
    else if (!s->told_clock)
        chip_guest_error(d->chip, "OTG_FS with an AHB clock of %u Hz", ahb);
    s->told_clock = true;
    return false;
}

/* ---- who answers ---- */

/* A token for this device reaches the endpoints. */
static bool listens(struct dev *d, unsigned addr, unsigned ep)
{
    struct dwc2 *s = d->state;

    if (!dwc2_on_bus(d) || dwc2_clock_stopped(s))
        return false;
    dwc2_activity(d);
    return s->addr == addr && ep < dwc2_facts(d)->endpoints && clocks_ok(d);
}

/* Active, and of a type that is modelled. */
static bool active(struct dev *d, bool in, unsigned i)
{
    const struct dwc2 *s = d->state;
    uint32_t ctl = in ? s->in[i].ctl : s->out[i].ctl;

    if (!i)
        return true;
    if (!(ctl & CTL_USBAEP))
        return false;
    return (ctl & CTL_EPTYP) != CTL_ISO;
}

/* ---- control transfers ---- */

enum wire_result dwc2_setup(struct chip *c, void *dev, unsigned addr,
                            unsigned ep, const uint8_t data[8])
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;
    struct dwc2_ep *out = &s->out[0];

    (void)c;
    if (ep || !listens(d, addr, ep))
        return WIRE_TIMEOUT;
    /* SETUP is never refused, but it needs room (34.13.1). */
    if (!dwc2_rx_push(d, PKTSTS_SETUP, 0, 0, data, 8))
        return WIRE_TIMEOUT;
    if (s->setup_open && !out->count)
        out->flags |= INT_B2BSTUP;
    if (out->count)
        out->count--;
    out->ctl &= ~(CTL_STALL | CTL_EPENA);
    out->ctl |= CTL_NAKSTS | CTL_DPID;
    s->in[0].ctl &= ~CTL_STALL;
    s->in[0].ctl |= CTL_NAKSTS | CTL_DPID;
    s->in[0].flags |= INT_INEPNE;
    s->setup_open = true;
    s->control = true;
    s->control_in = (data[0] & 0x80) && (data[6] || data[7]);
    dwc2_irq(d);
    return WIRE_ACK;
}

/* The first token after SETUP ends the setup stage.  False: no room yet. */
static bool end_setup(struct dev *d, unsigned ep)
{
    struct dwc2 *s = d->state;

    if (ep || !s->setup_open)
        return true;
    if (!dwc2_rx_push(d, PKTSTS_SETUP_DONE, 0, 0, NULL, 0))
        return false;
    s->setup_open = false;
    dwc2_irq(d);
    return true;
}

/* The status stage is over: an address that was set before it holds. */
static void end_control(struct dwc2 *s)
{
    s->control = false;
    if (s->addr_later)
        s->addr = (uint8_t)DCFG_DAD(s->dcfg);
    s->addr_later = false;
}

/* ---- OUT ---- */

/* Room for the data and for what may follow it. */
static bool store(struct dev *d, unsigned i, unsigned toggle,
                  const uint8_t *data, size_t n)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->out[i];

    if (!dwc2_rx_push(d, PKTSTS_OUT, i, toggle, data, n))
        return false;
    if (ep->fresh && ep->xfrsiz && n > ep->xfrsiz)
        chip_guest_error(d->chip,
                         "OTG_FS_DOEPTSIZ%u has %u bytes left for a packet of "
                         "%u: its size is no multiple of the packet size",
                         i, (unsigned)ep->xfrsiz, (unsigned)n);
    ep->ctl ^= CTL_DPID;
    /* Software that does not program it again lets it wrap. */
    ep->pktcnt = (ep->pktcnt - 1) & (i ? 0x3ff : 1);
    if (n == dwc2_max_packet(s, false, i) && ep->pktcnt)
        return true;
    ep->ctl = (ep->ctl | CTL_NAKSTS) & ~CTL_EPENA;
    ep->fresh = false;
    dwc2_rx_push(d, PKTSTS_OUT_DONE, i, toggle, NULL, 0);
    return true;
}

static enum wire_result accept(struct dev *d, unsigned i, unsigned toggle,
                               const uint8_t *data, size_t n)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->out[i];
    bool status = !i && s->control_in;

    if (n > dwc2_max_packet(s, false, i))
        return WIRE_TIMEOUT; /* babble: discarded */
    /* A repeated packet: acknowledged, not stored (34.17.6). */
    if (toggle != !!(ep->ctl & CTL_DPID))
        return WIRE_ACK;
    if (status && n && (s->dcfg & DCFG_NZLSOHSK))
        return WIRE_STALL;
    if (!store(d, i, toggle, data, n))
        return WIRE_NAK;
    if (status)
        end_control(s);
    dwc2_irq(d);
    return WIRE_ACK;
}

enum wire_result dwc2_out(struct chip *c, void *dev, unsigned addr, unsigned i,
                          unsigned toggle, const uint8_t *data, size_t n)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->out[i % DWC2_EPS];

    (void)c;
    if (!listens(d, addr, i) || !active(d, false, i))
        return WIRE_TIMEOUT;
    if (!end_setup(d, i))
        return WIRE_NAK;
    if (ep->ctl & CTL_STALL)
        return WIRE_STALL;
    if (!(ep->ctl & CTL_EPENA) && !i) {
        ep->flags |= INT_OTEPDIS;
        dwc2_irq(d);
    }
    if (!(ep->ctl & CTL_EPENA) || (ep->ctl & CTL_NAKSTS) ||
        (s->dctl & DCTL_GONSTS))
        return WIRE_NAK;
    return accept(d, i, toggle, data, n);
}

/* ---- IN ---- */

/* The whole packet is in the FIFO. */
static bool packet_ready(struct dev *d, unsigned i, size_t *n)
{
    const struct dwc2 *s = d->state;
    const struct dwc2_ep *ep = &s->in[i];
    unsigned fifo = dwc2_txfnum(ep);
    size_t mps = dwc2_max_packet(s, true, i);

    if (!(ep->ctl & CTL_EPENA) || !ep->pktcnt ||
        fifo >= dwc2_facts(d)->endpoints)
        return false;
    *n = ep->unsent < mps ? ep->unsent : mps;
    return *n <= 4u * s->tx[fifo].words && *n <= 64;
}

enum wire_result dwc2_in(struct chip *c, void *dev, unsigned addr, unsigned i,
                         uint8_t *data, size_t *n, unsigned *toggle)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->in[i % DWC2_EPS];

    (void)c;
    if (!listens(d, addr, i) || !active(d, true, i))
        return WIRE_TIMEOUT;
    end_setup(d, i);
    if (ep->ctl & CTL_STALL)
        return WIRE_STALL;
    if ((ep->ctl & CTL_NAKSTS) || (s->dctl & DCTL_GINSTS))
        return WIRE_NAK;
    if (!packet_ready(d, i, n)) {
        ep->flags |= INT_ITTXFE;
        dwc2_irq(d);
        return WIRE_NAK;
    }
    *toggle = !!(ep->ctl & CTL_DPID);
    s->sending = (uint8_t)i;
    s->send_fifo = (uint8_t)dwc2_txfnum(ep);
    s->send_bytes = (uint8_t)*n;
    dwc2_tx_peek(s, s->send_fifo, data, *n);
    return WIRE_ACK;
}

static void sent(struct dev *d, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->in[i];

    dwc2_tx_drop(s, s->send_fifo, s->send_bytes);
    ep->unsent -= s->send_bytes < ep->unsent ? s->send_bytes : ep->unsent;
    ep->ctl ^= CTL_DPID;
    if (ep->pktcnt)
        ep->pktcnt--;
    if (!ep->pktcnt) {
        ep->ctl &= ~CTL_EPENA;
        ep->disable_later = false;
        ep->flags |= INT_XFRC;
    }
    if (!i && !s->send_bytes && !s->control_in)
        end_control(s);
}

/* Without ACK the core winds the FIFO back: the next IN gets the same. */
void dwc2_in_ack(struct chip *c, void *dev, unsigned ep, bool acked)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;
    unsigned i = s->sending;

    (void)c;
    (void)ep;
    s->sending = NO_EP;
    if (i == NO_EP)
        return;
    if (acked)
        sent(d, i);
    else if (!i)
        s->in[0].flags |= INT_TOC;
    dwc2_ep_idle(d, i);
    dwc2_irq(d);
}
