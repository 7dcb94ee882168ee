/* SPDX-License-Identifier: MIT */
/*
 * dcd_dwc2.c - the DesignWare USB 2.0 OTG block as a full-speed device
 * (OTG_FS in RM0090 clause 34; with other facts in F105, F107 and L4).
 *
 * Endpoint 0 and, with CONFIG_MSC, the bulk endpoints; without DMA.  What comes
 * from the host waits in one FIFO as entries: SETUP data, end of the SETUP
 * stage, OUT data, end of the OUT transfer (clause 34.17.6).  The ends are what
 * is told to usbd.c: only then may the endpoint be armed again.
 */
#include "config.h"
#include "dcd.h"

#include "dwc2.h"
#include "port.h"

#include <string.h>

/* The FIFOs, words: 10 for three SETUP packets, 17 for an OUT packet of either
 * endpoint with its status, 3 for the ends, and room to spare; behind them one
 * IN packet of each endpoint. */
#define RX_WORDS 128u
#define TX_WORDS (DCD_PACKET / 4u)

/* Turnaround time of 14.2 MHz and more: 6 from 32 MHz on (table 204). */
#define TRDT 6u

/* The packet that came last, of each endpoint. */
static struct {
    uint32_t status; /* GRXSTSP, 0: there is none */
    uint32_t data[DCD_PACKET / 4];
} rx[1 + CONFIG_MSC];

/* In rx[1].status, where GRXSTSP has nothing that is looked at: a packet may
 * come; its end has been read as well. */
#define BULK_ARMED (1u << 0)
#define BULK_WHOLE (1u << 31)

/* Both clear themselves; with TXFNUM, which does not. */
#define FLUSHES (CONFIG_MSC ? DWC2_GRSTCTL_RXFFLSH | DWC2_GRSTCTL_TXFFLSH : ~0u)

/* What DIEPCTL and DOEPCTL of the bulk endpoints always say. */
#define BULK_OUT                                                               \
    (DWC2_EPCTL_USBAEP | DWC2_EPCTL_BULK | DWC2_EPCTL_MPSIZ(DCD_PACKET))
#define BULK_IN (BULK_OUT | DWC2_EPCTL_TXFNUM(1u))

/* What was to be sent is void: NAK, and when the core has taken notice (it may
 * have set NAK itself, for a SETUP) the endpoint is disabled and its FIFO
 * emptied (clause 34.17.6, "IN endpoint disable"). */
static void cancel_in(uint32_t n, uint32_t flush)
{
    if (!CONFIG_MSC)
        n = 0;
    while (DWC2_DIEPCTL(n) & DWC2_EPCTL_EPENA)
        DWC2_DIEPCTL(n) = (n ? BULK_IN : 0) | DWC2_EPCTL_SNAK |
                          (DWC2_DIEPINT(n) & DWC2_DIEPINT_INEPNE) *
                              (DWC2_EPCTL_EPDIS / DWC2_DIEPINT_INEPNE);
    DWC2_GRSTCTL = flush;
    flush &= FLUSHES;
    while (DWC2_GRSTCTL & flush)
        ;
}

const bool dcd_address_first = true; /* clause 34.17.5, "SetAddress" */

void dcd_set_address(uint8_t address)
{
    DWC2_DCFG = (DWC2_DCFG & ~DWC2_DCFG_DAD_MASK) | DWC2_DCFG_DAD(address);
}

static void take_data(uint32_t n, uint32_t status)
{
    rx[n].status = status;
    for (uint32_t i = 0; i < DWC2_GRXSTS_BCNT(status); i += 4)
        rx[n].data[i / 4] = DWC2_FIFO(0);
}

/* An entry of endpoint 0 waits; those of the bulk endpoint before it have been
 * taken out of its way. */
static bool ep0_waits(void)
{
    while (DWC2_GINTSTS & DWC2_GINTSTS_RXFLVL) {
        uint32_t status;

        if (!CONFIG_MSC || !DWC2_GRXSTS_EPNUM(DWC2_GRXSTSR))
            return true;
        status = DWC2_GRXSTSP;
        if (DWC2_GRXSTS_PKTSTS(status) == DWC2_PKTSTS_OUT)
            take_data(1, status);
        else if (rx[1].status)
            rx[1].status |= BULK_WHOLE;
    }
    return false;
}

/* What has come is a SETUP, or the status of a transfer that the host ends
 * early: what usbd.c does to the old one is too late. */
static bool overtaken(void)
{
    return ep0_waits();
}

void dcd_connect(void)
{
    DWC2_DCFG |= DWC2_DCFG_DSPD_FS;
    DWC2_GRXFSIZ = RX_WORDS;
    DWC2_DIEPTXF0 = TX_WORDS << 16 | RX_WORDS;
    if (CONFIG_MSC)
        DWC2_DIEPTXF1 = TX_WORDS << 16 | (RX_WORDS + TX_WORDS);
    DWC2_GCCFG = DWC2_GCCFG_PWRDWN | DWC2_GCCFG_VBUS;
    DWC2_DCTL = 0;
}

/* Forces device mode as well, whatever the ID pin is: it takes 25 ms
 * (GUSBCFG.FDMOD), less than the caller waits. */
void dcd_disconnect(void)
{
    DWC2_GUSBCFG =
        DWC2_GUSBCFG_FDMOD | DWC2_GUSBCFG_TRDT(TRDT) | DWC2_GUSBCFG_PHYSEL;
    DWC2_DCTL = DWC2_DCTL_SDIS;
}

enum dcd_event dcd_bulk_poll(void)
{
    if (DWC2_DIEPINT(1) & DWC2_DIEPINT_XFRC) {
        DWC2_DIEPINT(1) = DWC2_DIEPINT_XFRC;
        return DCD_BULK_IN;
    }
    ep0_waits();
    return rx[1].status & BULK_WHOLE ? DCD_BULK_OUT : DCD_NONE;
}

enum dcd_event dcd_poll(void)
{
    uint32_t pending = DWC2_GINTSTS;
    uint32_t status, kind;

    if (pending & DWC2_GINTSTS_USBRST) {
        DWC2_GINTSTS = DWC2_GINTSTS_USBRST;
        rx[0].status = 0;
        dcd_set_address(0);
        DWC2_DIEPINT(0) = DWC2_DIEPINT_XFRC;
        DWC2_DOEPCTL(0) = DWC2_EPCTL_SNAK;
        cancel_in(0, DWC2_GRSTCTL_RXFFLSH | DWC2_GRSTCTL_TXFFLSH);
        DWC2_DOEPTSIZ(0) = DWC2_DOEPTSIZ_STUPCNT_3;
        return DCD_RESET;
    }
    if (DWC2_DIEPINT(0) & DWC2_DIEPINT_XFRC) {
        DWC2_DIEPINT(0) = DWC2_DIEPINT_XFRC;
        return DCD_IN;
    }
    if (CONFIG_MSC) {
        /* Before endpoint 0: CLEAR_FEATURE comes after what it is about. */
        enum dcd_event event = dcd_bulk_poll();

        if (event)
            return event;
        pending = ep0_waits() * DWC2_GINTSTS_RXFLVL;
    }
    if (!(pending & DWC2_GINTSTS_RXFLVL))
        return DCD_NONE;
    status = DWC2_GRXSTSP;
    kind = DWC2_GRXSTS_PKTSTS(status);
    if (kind == DWC2_PKTSTS_OUT_DONE)
        return DCD_OUT;
    if (kind == DWC2_PKTSTS_SETUP_DONE) {
        DWC2_DOEPINT(0) = DWC2_DOEPINT_STUP;
        DWC2_DOEPTSIZ(0) = DWC2_DOEPTSIZ_STUPCNT_3;
        cancel_in(0, DWC2_GRSTCTL_TXFFLSH);
        return DCD_SETUP;
    }
    take_data(0, status);
    return DCD_NONE;
}

uint32_t dcd_frame(void)
{
    return DWC2_DSTS >> DWC2_DSTS_FNSOF;
}

bool dcd_quiet(void)
{
    return !(DWC2_GINTSTS & (DWC2_GINTSTS_USBRST | DWC2_GINTSTS_RXFLVL)) &&
           !(DWC2_DIEPINT(0) & DWC2_DIEPINT_XFRC) && !rx[0].status &&
           !(CONFIG_MSC && (rx[1].status & BULK_WHOLE));
}

static uint32_t take(uint32_t ep, void *data)
{
    uint32_t n = DWC2_GRXSTS_BCNT(rx[ep].status);

    memcpy(data, rx[ep].data, n);
    rx[ep].status = 0;
    return n;
}

static void put(uint32_t ep, const void *data, uint32_t n)
{
    const uint32_t *from = data;

    DWC2_DIEPTSIZ(ep) = DWC2_EPTSIZ_PKTCNT_1 | n;
    DWC2_DIEPCTL(ep) = (ep ? BULK_IN : 0) | DWC2_EPCTL_EPENA | DWC2_EPCTL_CNAK;
    for (uint32_t i = 0; i < n; i += 4)
        DWC2_FIFO(ep) = *from++;
}

uint32_t dcd_read(void *data)
{
    return take(0, data);
}

/* noinline: found by measuring. */
__attribute__((noinline)) void dcd_write(const void *data, uint32_t n)
{
    put(0, data, n);
    /* A SETUP that came meanwhile set NAK, and it was cleared here. */
    if (overtaken())
        DWC2_DIEPCTL(0) = DWC2_EPCTL_SNAK;
}

void dcd_receive(void)
{
    DWC2_DOEPTSIZ(0) =
        DWC2_DOEPTSIZ_STUPCNT_3 | DWC2_EPTSIZ_PKTCNT_1 | DCD_PACKET;
    DWC2_DOEPCTL(0) = DWC2_EPCTL_EPENA | DWC2_EPCTL_CNAK;
}

void dcd_stall(void)
{
    if (overtaken())
        return;
    DWC2_DIEPCTL(0) = DWC2_EPCTL_STALL;
    DWC2_DOEPCTL(0) = DWC2_EPCTL_STALL;
}

/* ---- bulk ---- */

bool dcd_bulk_halted(bool in)
{
    return (in ? DWC2_DIEPCTL(1) : DWC2_DOEPCTL(1)) & DWC2_EPCTL_STALL;
}

/* OUT stays enabled where it was, with NAK: to disable it takes the global NAK
 * of clause 34.17.5, and NAK alone keeps packets out as well. */
void dcd_bulk_set(bool in, enum dcd_bulk_state state)
{
    uint32_t ctl = DWC2_EPCTL_SNAK | DWC2_EPCTL_SD0PID;

    if (state != DCD_BULK_CLOSED)
        ctl |= BULK_OUT;
    if (state == DCD_BULK_HALTED)
        ctl |= DWC2_EPCTL_STALL;
    if (in) {
        cancel_in(1, DWC2_GRSTCTL_TXFFLSH | DWC2_GRSTCTL_TXFNUM(1u));
        DWC2_DIEPINT(1) = DWC2_DIEPINT_XFRC;
        DWC2_DIEPCTL(1) = ctl | DWC2_EPCTL_TXFNUM(1u);
    } else {
        rx[1].status = 0;
        DWC2_DOEPCTL(1) = ctl;
    }
}

uint32_t dcd_bulk_read(void *data)
{
    return take(1, data);
}

void dcd_bulk_write(const void *data, uint32_t n)
{
    if ((DWC2_DIEPCTL(1) & (DWC2_EPCTL_USBAEP | DWC2_EPCTL_STALL |
                            DWC2_EPCTL_EPENA)) == DWC2_EPCTL_USBAEP)
        put(1, data, n);
}

/* Where OUT is still enabled the same values are written again. */
void dcd_bulk_receive(void)
{
    if (rx[1].status ||
        (DWC2_DOEPCTL(1) & (DWC2_EPCTL_USBAEP | DWC2_EPCTL_STALL)) !=
            DWC2_EPCTL_USBAEP)
        return;
    rx[1].status = BULK_ARMED;
    DWC2_DOEPTSIZ(1) = DWC2_EPTSIZ_PKTCNT_1 | DCD_PACKET;
    DWC2_DOEPCTL(1) = BULK_OUT | DWC2_EPCTL_EPENA | DWC2_EPCTL_CNAK;
}
