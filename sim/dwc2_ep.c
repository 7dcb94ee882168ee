/* SPDX-License-Identifier: MIT */
/*
 * dwc2_ep.c - the endpoint registers of OTG_FS: control, interrupts, transfer
 * size, FIFO status.
 *
 * Source: RM0090 rev 21, 34.16.4 (registers), 34.17.5 (endpoint activation),
 * 34.17.6 (NAK, disable, stall).
 */
#include <string.h>

#include "dwc2_regs.h"

#define KEPT_IN   (CTL_MPSIZ | CTL_USBAEP | CTL_EPTYP | CTL_STALL | CTL_TXFNUM)
#define KEPT_OUT  (CTL_MPSIZ | CTL_USBAEP | CTL_EPTYP | CTL_SNPM | CTL_STALL)
#define FLAGS_IN  (INT_XFRC | INT_EPDISD | INT_TOC | INT_ITTXFE | INT_INEPNE)
#define FLAGS_OUT (INT_XFRC | INT_EPDISD | INT_STUP | INT_OTEPDIS | INT_B2BSTUP)

/* EP0: 64, 32, 16, 8; OUT has what IN says (34.16.4, DOEPCTL0). */
unsigned dwc2_max_packet(const struct dwc2 *s, bool in, unsigned i)
{
    if (!i)
        return 64u >> (s->in[0].ctl & 3);
    return (in ? s->in[i].ctl : s->out[i].ctl) & CTL_MPSIZ;
}

static char direction(bool in)
{
    return in ? 'I' : 'O';
}

/* ---- interrupts ---- */

static bool tx_empty(const struct dwc2 *s, unsigned i)
{
    unsigned fifo = dwc2_txfnum(&s->in[i]);

    if (fifo >= DWC2_EPS)
        return false;
    if (s->gahbcfg & GAHBCFG_TXFELVL)
        return !s->tx[fifo].words;
    return s->tx[fifo].words <= dwc2_tx_depth(s, fifo) / 2;
}

uint32_t dwc2_in_flags(struct dev *d, unsigned i)
{
    const struct dwc2 *s = d->state;

    return s->in[i].flags | (tx_empty(s, i) ? INT_TXFE : 0);
}

/* ---- NAK and disable, which wait for a packet that is being sent ---- */

static void disable_now(struct dwc2_ep *ep)
{
    ep->ctl &= ~CTL_EPENA;
    ep->flags |= INT_EPDISD;
    ep->disable_later = false;
}

void dwc2_ep_idle(struct dev *d, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->in[i];

    if (ep->nak_later)
        ep->flags |= INT_INEPNE;
    ep->nak_later = false;
    if (ep->disable_later)
        disable_now(ep);
}

static void set_nak(struct dwc2 *s, bool in, unsigned i)
{
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];

    ep->ctl |= CTL_NAKSTS;
    if (in && s->sending == i)
        ep->nak_later = true;
    else if (in)
        ep->flags |= INT_INEPNE;
}

static void clear_nak(struct dwc2_ep *ep, bool in)
{
    ep->ctl &= ~CTL_NAKSTS;
    if (in)
        ep->flags &= ~INT_INEPNE;
    ep->nak_later = false;
}

/* EP0 OUT cannot be disabled: the bit is read-only there (DOEPCTL0). */
static void disable(struct dev *d, bool in, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];

    if (!in && !i)
        return;
    if (!(ep->ctl & CTL_EPENA)) {
        chip_guest_error(d->chip,
                         "OTG_FS_D%cEPCTL%u.EPDIS was set on an endpoint that "
                         "is not enabled",
                         direction(in), i);
        return;
    }
    if (in && s->sending == i)
        ep->disable_later = true;
    else
        disable_now(ep);
}

/* ---- enable ---- */

static bool may_enable(struct dev *d, bool in, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];

    if (i && !(ep->ctl & CTL_USBAEP)) {
        chip_guest_error(d->chip,
                         "OTG_FS_D%cEPCTL%u.EPENA was set while USBAEP is 0",
                         direction(in), i);
        return false;
    }
    if (i && (ep->ctl & CTL_EPTYP) == CTL_ISO) {
        dev_unmodelled(d, (in ? OTG_DIEP : OTG_DOEP) + 0x20 * i,
                       "isochronous endpoint");
        return true;
    }
    if (!dwc2_max_packet(s, in, i))
        chip_guest_error(d->chip,
                         "endpoint %u was enabled with a maximum packet size "
                         "of 0",
                         i);
    return true;
}

/* Packets that a transfer is cut into; one that is empty is one, too.  A
 * zero-length packet at the end is a transfer of its own (34.17.6). */
static void check_in_size(struct dev *d, unsigned i)
{
    const struct dwc2 *s = d->state;
    const struct dwc2_ep *ep = &s->in[i];
    unsigned mps = dwc2_max_packet(s, true, i);
    unsigned want = mps ? (ep->unsent + mps - 1) / mps : 0;

    if (!want)
        want = 1;
    if (ep->pktcnt != want)
        chip_guest_error(d->chip,
                         "OTG_FS_DIEPTSIZ%u has %u packets for %u bytes, which "
                         "are %u packets of %u",
                         i, (unsigned)ep->pktcnt, (unsigned)ep->unsent, want,
                         mps);
}

static void check_in_fifo(struct dev *d, unsigned i)
{
    const struct dwc2 *s = d->state;
    unsigned fifo = dwc2_txfnum(&s->in[i]);

    if (fifo >= dwc2_facts(d)->endpoints) {
        chip_guest_error(d->chip, "OTG_FS_DIEPCTL%u names transmit FIFO %u", i,
                         fifo);
        return;
    }
    dwc2_check_tx(d, fifo);
    if (s->tx[fifo].words)
        chip_guest_error(d->chip,
                         "transmit FIFO %u still has %u words of a transfer "
                         "that was given up: it was not flushed",
                         fifo, s->tx[fifo].words);
}

static void enable(struct dev *d, bool in, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];

    /* Writing back a 1 that was read is no new transfer. */
    if ((ep->ctl & CTL_EPENA) && !ep->fresh)
        return;
    if (!may_enable(d, in, i))
        return;
    ep->ctl |= CTL_EPENA;
}

/* A transfer must be in order when its first packet may go.  While NAK holds
 * it may not: libopencm3 enables IN endpoints with SNAK before it has anything
 * to send. */
static void check_in(struct dev *d, unsigned i)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->in[i];

    if ((ep->ctl & (CTL_EPENA | CTL_NAKSTS)) != CTL_EPENA || !ep->fresh)
        return;
    ep->fresh = false;
    if (i && (ep->ctl & CTL_EPTYP) == CTL_ISO)
        return;
    check_in_size(d, i);
    check_in_fifo(d, i);
}

/* ---- registers ---- */

static uint32_t read_ctl(const struct dwc2 *s, bool in, unsigned i)
{
    uint32_t v = in ? s->in[i].ctl : s->out[i].ctl;

    if (i)
        return v;
    v &= ~(CTL_MPSIZ | CTL_EPTYP | CTL_DPID);
    return v | CTL_USBAEP | (s->in[0].ctl & 3);
}

static void write_ctl(struct dev *d, bool in, unsigned i, uint32_t v)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];
    uint32_t kept = in ? KEPT_IN : KEPT_OUT;

    if (!i) /* software sets STALL on EP0, the core clears it */
        v |= ep->ctl & CTL_STALL;
    ep->ctl = (ep->ctl & ~kept) | (v & kept);
    if (i && (v & CTL_SD0PID))
        ep->ctl &= ~CTL_DPID;
    if (i && (v & CTL_SD1PID))
        ep->ctl |= CTL_DPID;
    if (v & CTL_CNAK)
        clear_nak(ep, in);
    if (v & CTL_SNAK)
        set_nak(s, in, i);
    if (v & CTL_EPDIS)
        disable(d, in, i);
    else if (v & CTL_EPENA)
        enable(d, in, i);
    if (in)
        check_in(d, i);
}

static uint32_t read_tsiz(const struct dwc2_ep *ep)
{
    return ep->xfrsiz | ep->pktcnt << 19 | ep->count << 29;
}

/* EP0 has narrow fields. */
static void write_tsiz(struct dev *d, bool in, unsigned i, uint32_t v)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = in ? &s->in[i] : &s->out[i];
    uint32_t active = CTL_EPENA | CTL_NAKSTS | (i ? CTL_USBAEP : 0);

    /* A bus reset takes EP0 OUT by surprise: nobody can disable it. */
    if ((in || i) && (ep->ctl & active) == (active & ~CTL_NAKSTS))
        chip_guest_error(d->chip,
                         "OTG_FS_D%cEPTSIZ%u was written while the endpoint is "
                         "enabled",
                         direction(in), i);
    ep->xfrsiz = v & (i ? 0x7ffff : 0x7f);
    ep->pktcnt = v >> 19 & (i ? 0x3ff : in ? 3 : 1);
    ep->count = v >> 29 & 3;
    ep->unsent = ep->xfrsiz;
    ep->partial = 0;
    ep->fresh = true;
}

static uint32_t read_txfsts(const struct dwc2 *s, unsigned i)
{
    unsigned fifo = dwc2_txfnum(&s->in[i]);
    unsigned depth = fifo < DWC2_EPS ? dwc2_tx_depth(s, fifo) : 0;

    return fifo < DWC2_EPS && s->tx[fifo].words < depth
               ? depth - s->tx[fifo].words
               : 0;
}

/* Drivers that know larger cores write 0 to endpoints that this one has not
 * got. */
static bool exists(struct dev *d, uint32_t off, unsigned i)
{
    (void)off;
    if (i < dwc2_facts(d)->endpoints)
        return true;
    dev_unmodelled(d, OTG_DIEP + 0x20 * dwc2_facts(d)->endpoints,
                   "register of an endpoint that the core has not got");
    return false;
}

uint32_t dwc2_ep_read(struct dev *d, uint32_t off)
{
    struct dwc2 *s = d->state;
    bool in = off < OTG_DOEP;
    unsigned i = (off - (in ? OTG_DIEP : OTG_DOEP)) / 0x20;

    if (!exists(d, off, i))
        return 0;
    switch (off % 0x20) {
    case EP_CTL:
        return read_ctl(s, in, i);
    case EP_INT:
        return in ? dwc2_in_flags(d, i) : s->out[i].flags | INT_TXFE;
    case EP_TSIZ:
        return read_tsiz(in ? &s->in[i] : &s->out[i]);
    case EP_TXFSTS:
        if (in)
            return read_txfsts(s, i);
    }
    dev_unmodelled(d, off, "register");
    return 0;
}

void dwc2_ep_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct dwc2 *s = d->state;
    bool in = off < OTG_DOEP;
    unsigned i = (off - (in ? OTG_DIEP : OTG_DOEP)) / 0x20;

    if (!exists(d, off, i))
        return;
    switch (off % 0x20) {
    case EP_CTL:
        write_ctl(d, in, i, v);
        break;
    case EP_INT:
        if (in)
            s->in[i].flags &= ~(v & FLAGS_IN);
        else
            s->out[i].flags &= ~(v & FLAGS_OUT);
        break;
    case EP_TSIZ:
        write_tsiz(d, in, i, v);
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}

/* ---- resets ---- */

void dwc2_ep_bus_reset(struct dev *d)
{
    struct dwc2 *s = d->state;

    for (unsigned i = 1; i < DWC2_EPS; i++) {
        s->in[i].ctl &= ~CTL_USBAEP;
        s->out[i].ctl &= ~CTL_USBAEP;
    }
}

void dwc2_ep_reset(struct dev *d)
{
    struct dwc2 *s = d->state;

    memset(s->in, 0, sizeof(s->in));
    memset(s->out, 0, sizeof(s->out));
    for (unsigned i = 0; i < DWC2_EPS; i++)
        dwc2_tx_flush(s, i);
    dwc2_rx_flush(s);
}
