/* SPDX-License-Identifier: MIT */
/*
 * dcd_dwc2.c - the DesignWare USB 2.0 OTG block as a full-speed device
 * (OTG_FS in RM0090 clause 34; with other facts in F105, F107 and L4).
 *
 * Endpoint 0 only, without DMA.  What comes from the host waits in a FIFO as
 * entries: SETUP data, end of the SETUP stage, OUT data, end of the OUT
 * transfer (clause 34.17.6).  The ends are what is told to usbd.c: only then
 * may the endpoint be armed again.
 */
#include "dcd.h"

#include "dwc2.h"
#include "port.h"

#include <string.h>

/* The FIFOs, words: 10 for three SETUP packets, 17 for an OUT packet with its
 * status, 2 for the ends, and room to spare; one IN packet behind them. */
#define RX_WORDS 128u
#define TX_WORDS (DCD_PACKET / 4u)

/* Turnaround time of 14.2 MHz and more: 6 from 32 MHz on (table 204). */
#define TRDT 6u

/* The packet that came last, until its end has been read as well. */
static struct {
    uint32_t status; /* GRXSTSP, 0: there is none */
    uint32_t data[DCD_PACKET / 4];
} rx;

/* What was to be sent is void: NAK, and when the core has taken notice (it may
 * have set NAK itself, for a SETUP) the endpoint is disabled and its FIFO
 * emptied (clause 34.17.6, "IN endpoint disable"). */
static void cancel_in(uint32_t flush)
{
    while (DWC2_DIEPCTL & DWC2_EPCTL_EPENA)
        DWC2_DIEPCTL =
            DWC2_EPCTL_SNAK | (DWC2_DIEPINT & DWC2_DIEPINT_INEPNE) *
                                  (DWC2_EPCTL_EPDIS / DWC2_DIEPINT_INEPNE);
    DWC2_GRSTCTL = flush;
    while (DWC2_GRSTCTL & flush)
        ;
}

const bool dcd_address_first = true; /* clause 34.17.5, "SetAddress" */

void dcd_set_address(uint8_t address)
{
    DWC2_DCFG = (DWC2_DCFG & ~DWC2_DCFG_DAD_MASK) | DWC2_DCFG_DAD(address);
}

/* What has come is a SETUP, or the status of a transfer that the host ends
 * early: what usbd.c does to the old one is too late. */
static bool overtaken(void)
{
    return DWC2_GINTSTS & DWC2_GINTSTS_RXFLVL;
}

void dcd_connect(void)
{
    DWC2_DCFG |= DWC2_DCFG_DSPD_FS;
    DWC2_GRXFSIZ = RX_WORDS;
    DWC2_DIEPTXF0 = TX_WORDS << 16 | RX_WORDS;
    DWC2_GCCFG = DWC2_GCCFG_PWRDWN | DWC2_GCCFG_NO_VBUS;
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

enum dcd_event dcd_poll(void)
{
    uint32_t pending = DWC2_GINTSTS;
    uint32_t status, kind;

    if (pending & DWC2_GINTSTS_USBRST) {
        DWC2_GINTSTS = DWC2_GINTSTS_USBRST;
        rx.status = 0;
        dcd_set_address(0);
        DWC2_DIEPINT = DWC2_DIEPINT_XFRC;
        DWC2_DOEPCTL = DWC2_EPCTL_SNAK;
        cancel_in(DWC2_GRSTCTL_RXFFLSH | DWC2_GRSTCTL_TXFFLSH);
        DWC2_DOEPTSIZ = DWC2_DOEPTSIZ_STUPCNT_3;
        return DCD_RESET;
    }
    if (DWC2_DIEPINT & DWC2_DIEPINT_XFRC) {
        DWC2_DIEPINT = DWC2_DIEPINT_XFRC;
        return DCD_IN;
    }
    if (!(pending & DWC2_GINTSTS_RXFLVL))
        return DCD_NONE;
    status = DWC2_GRXSTSP;
    kind = DWC2_GRXSTS_PKTSTS(status);
    if (kind == DWC2_PKTSTS_OUT_DONE)
        return DCD_OUT;
    if (kind == DWC2_PKTSTS_SETUP_DONE) {
        DWC2_DOEPINT = DWC2_DOEPINT_STUP;
        DWC2_DOEPTSIZ = DWC2_DOEPTSIZ_STUPCNT_3;
        cancel_in(DWC2_GRSTCTL_TXFFLSH);
        return DCD_SETUP;
    }
    rx.status = status;
    for (uint32_t i = 0; i < DWC2_GRXSTS_BCNT(status); i += 4)
        rx.data[i / 4] = DWC2_FIFO;
    return DCD_NONE;
}

bool dcd_quiet(void)
{
    return !(DWC2_GINTSTS & (DWC2_GINTSTS_USBRST | DWC2_GINTSTS_RXFLVL)) &&
           !(DWC2_DIEPINT & DWC2_DIEPINT_XFRC) && !rx.status;
}

uint32_t dcd_read(void *data)
{
    uint32_t n = DWC2_GRXSTS_BCNT(rx.status);

    memcpy(data, rx.data, n);
    rx.status = 0;
    return n;
}

void dcd_write(const void *data, uint32_t n)
{
    const uint32_t *from = data;

    DWC2_DIEPTSIZ = DWC2_EPTSIZ_PKTCNT_1 | n;
    DWC2_DIEPCTL = DWC2_EPCTL_EPENA | DWC2_EPCTL_CNAK;
    for (uint32_t i = 0; i < n; i += 4)
        DWC2_FIFO = *from++;
    /* A SETUP that came meanwhile set NAK, and it was cleared here. */
    if (overtaken())
        DWC2_DIEPCTL = DWC2_EPCTL_SNAK;
}

void dcd_receive(void)
{
    DWC2_DOEPTSIZ = DWC2_DOEPTSIZ_STUPCNT_3 | DWC2_EPTSIZ_PKTCNT_1 | DCD_PACKET;
    DWC2_DOEPCTL = DWC2_EPCTL_EPENA | DWC2_EPCTL_CNAK;
}

void dcd_stall(void)
{
    if (overtaken())
        return;
    DWC2_DIEPCTL = DWC2_EPCTL_STALL;
    DWC2_DOEPCTL = DWC2_EPCTL_STALL;
}
