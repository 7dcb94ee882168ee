/* SPDX-License-Identifier: MIT */
/*
 * dwc2_core.c - the core registers of OTG_FS, global ones and those of the
 * device role.
 *
 * Source: RM0090 rev 21, 34.16.2 (global), 34.16.4 (device), 34.16.5 (power
 * and clock gating).
 */
#include "dwc2_regs.h"

#define CLEAR_TIME (167 * SIM_NS) /* 8 PHY clocks: GRSTCTL, RXFFLSH */

uint32_t dwc2_global_read(struct dev *d, uint32_t off)
{
    const struct dwc2 *s = d->state;
    const struct dwc2_facts *f = dwc2_facts(d);

    switch (off) {
    case OTG_GOTGCTL:
        return (s->session ? GOTGCTL_BSVLD : 0) |
               (s->host_mode ? 0 : GOTGCTL_CIDSTS);
    case OTG_GOTGINT:
        return s->gotgint;
    case OTG_GAHBCFG:
        return s->gahbcfg;
    case OTG_GUSBCFG:
        return s->gusbcfg;
    case OTG_GRSTCTL:
        return s->grst | GRSTCTL_AHBIDL;
    case OTG_GINTSTS:
        return dwc2_gintsts(d);
    case OTG_GINTMSK:
        return s->gintmsk;
    case OTG_GRXSTSR:
    case OTG_GRXSTSP:
        return dwc2_rx_status(d, off == OTG_GRXSTSP);
    case OTG_GRXFSIZ:
        return s->grxfsiz;
    case OTG_DIEPTXF0:
        return s->dieptxf[0];
    case OTG_HNPTXSTS:
        return 0x00080200; /* of the host role */
    case OTG_GCCFG:
        return s->gccfg;
    case OTG_CID:
        return f->cid;
    case OTG_RELEASE:
        return f->release;
    case OTG_HPTXFSIZ:
        return 0x02000400; /* of the host role */
    }
    if (off >= OTG_CONFIG1 && off <= OTG_CONFIG4)
        return f->config[(off - OTG_CONFIG1) / 4];
    if (off >= OTG_DIEPTXF1 && off < OTG_DIEPTXF1 + 4u * (f->endpoints - 1u))
        return s->dieptxf[(off - OTG_DIEPTXF1) / 4 + 1];
    dev_unmodelled(d, off, "register");
    return 0;
}

uint32_t dwc2_device_read(struct dev *d, uint32_t off)
{
    const struct dwc2 *s = d->state;

    switch (off) {
    case OTG_DCFG:
        return s->dcfg;
    case OTG_DCTL:
        return s->dctl;
    case OTG_DSTS:
        return s->dsts | (uint32_t)s->frame << 8;
    case OTG_DIEPMSK:
        return s->diepmsk;
    case OTG_DOEPMSK:
        return s->doepmsk;
    case OTG_DAINT:
        return dwc2_daint(d);
    case OTG_DAINTMSK:
        return s->daintmsk;
    case OTG_DVBUSDIS:
        return s->dvbusdis;
    case OTG_DVBUSPULSE:
        return s->dvbuspulse;
    case OTG_DIEPEMPMSK:
        return s->diepempmsk;
    case OTG_PCGCCTL:
        return s->pcgcctl |
               (s->pcgcctl & s->dsts & PCGCCTL_STPPCLK ? PCGCCTL_PHYSUSP : 0);
    default:
        dev_unmodelled(d, off, "register");
        return 0;
    }
}

static void write_gusbcfg(struct dev *d, uint32_t v)
{
    struct dwc2 *s = d->state;
    bool host = (v & (GUSBCFG_FHMOD | GUSBCFG_FDMOD)) == GUSBCFG_FHMOD;

    s->gusbcfg = (v & GUSBCFG_MASK) | GUSBCFG_PHYSEL;
    s->told_trdt = false;
    /* Without FHMOD the ID pin decides; it is pulled up: device. */
    if (host == s->host_mode)
        s->mode_at = SIM_NEVER;
    else if (s->mode_at == SIM_NEVER)
        s->mode_at = chip_now(d->chip) + DWC2_MODE_DELAY;
}

static void flush_tx(struct dev *d, unsigned fifo)
{
    struct dwc2 *s = d->state;

    for (unsigned i = 0; i < DWC2_EPS; i++)
        if (fifo == i || fifo >= GRSTCTL_TXFNUM_ALL)
            dwc2_tx_flush(s, i);
}

/* The bits clear themselves; each takes effect at once. */
static void write_grstctl(struct dev *d, uint32_t v)
{
    struct dwc2 *s = d->state;
    uint32_t work = v & (GRSTCTL_CSRST | GRSTCTL_RXFFLSH | GRSTCTL_TXFFLSH);

    if (work & GRSTCTL_CSRST)
        dwc2_core_reset(d);
    if (work & GRSTCTL_RXFFLSH)
        dwc2_rx_flush(s);
    if (work & GRSTCTL_TXFFLSH)
        flush_tx(d, GRSTCTL_TXFNUM(v));
    if (work)
        s->grst_at = chip_now(d->chip) + CLEAR_TIME;
    s->grst = (s->grst & 0x31) | work | (work ? v & 0x7c0 : 0);
    dwc2_update(d);
}

static void write_gintsts(struct dwc2 *s, uint32_t v)
{
    s->gintsts &=
        ~(v & (GINT_MMIS | GINT_SOF | GINT_ESUSP | GINT_USBSUSP | GINT_USBRST |
               GINT_ENUMDNE | GINT_EOPF | GINT_SRQINT | GINT_WKUPINT));
}

static void write_fifo_size(struct dev *d, uint32_t off, uint32_t v)
{
    struct dwc2 *s = d->state;
    unsigned i = off == OTG_DIEPTXF0 ? 0 : (off - OTG_DIEPTXF1) / 4 + 1;

    s->told_rx = false;
    s->told_tx = 0;
    if (off == OTG_GRXFSIZ)
        s->grxfsiz = v & 0xffff;
    else if (i < dwc2_facts(d)->endpoints)
        s->dieptxf[i] = v;
    else
        dev_unmodelled(d, OTG_DIEPTXF15,
                       "register of a FIFO that the core has not got");
}

void dwc2_global_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct dwc2 *s = d->state;

    switch (off) {
    case OTG_GOTGCTL:
        if (v & GOTGCTL_OTG)
            dev_unmodelled(d, off, "OTG role");
        break;
    case OTG_GOTGINT:
        s->gotgint &= ~v;
        break;
    case OTG_GAHBCFG:
        s->gahbcfg = v & GAHBCFG_MASK;
        break;
    case OTG_GUSBCFG:
        write_gusbcfg(d, v);
        break;
    case OTG_GRSTCTL:
        write_grstctl(d, v);
        break;
    case OTG_GINTSTS:
        write_gintsts(s, v);
        break;
    case OTG_GINTMSK:
        s->gintmsk = v & GINTMSK_MASK;
        break;
    case OTG_GCCFG:
        s->gccfg = v & dwc2_facts(d)->gccfg_mask;
        dwc2_update(d);
        break;
    case OTG_GRXSTSR:
    case OTG_GRXSTSP:
    case OTG_CID: /* free for the firmware on silicon; nobody uses it */
        break;
    default:
        if (off == OTG_GRXFSIZ || off == OTG_DIEPTXF0 ||
            (off >= OTG_DIEPTXF1 && off <= OTG_DIEPTXF15))
            write_fifo_size(d, off, v);
        else
            dev_unmodelled(d, off, "register");
    }
}

/* A new address holds at once, but not for the status stage of the control
 * transfer that brought it (34.17.5: DCFG is written before that stage). */
static void write_dcfg(struct dwc2 *s, uint32_t v)
{
    s->dcfg = DCFG_RESET | (v & DCFG_MASK);
    s->addr_later = s->control && DCFG_DAD(v) != s->addr;
    if (!s->addr_later)
        s->addr = (uint8_t)DCFG_DAD(v);
}

static void write_dctl(struct dev *d, uint32_t v)
{
    struct dwc2 *s = d->state;

    if (v & ~s->dctl & DCTL_RWUSIG)
        dev_unmodelled(d, OTG_DCTL, "remote wake-up");
    if (v & DCTL_TCTL)
        dev_unmodelled(d, OTG_DCTL, "test mode");
    s->dctl = (s->dctl & ~DCTL_MASK) | (v & DCTL_MASK);
    if (v & DCTL_SGINAK) {
        s->dctl |= DCTL_GINSTS;
        s->ginak_eff = true;
    }
    if (v & DCTL_CGINAK) {
        s->dctl &= ~DCTL_GINSTS;
        s->ginak_eff = false;
    }
    /* GONAKEFF follows when the status word is popped (34.17.6). */
    if ((v & DCTL_SGONAK) && !(s->dctl & DCTL_GONSTS)) {
        s->dctl |= DCTL_GONSTS;
        dwc2_rx_push(d, PKTSTS_GONAK, 0, 0, NULL, 0);
    }
    if (v & DCTL_CGONAK) {
        s->dctl &= ~DCTL_GONSTS;
        s->gonak_eff = false;
    }
    dwc2_update(d);
}

void dwc2_device_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct dwc2 *s = d->state;

    switch (off) {
    case OTG_DCFG:
        write_dcfg(s, v);
        break;
    case OTG_DCTL:
        write_dctl(d, v);
        break;
    case OTG_DIEPMSK:
        s->diepmsk = v & 0x7b;
        break;
    case OTG_DOEPMSK:
        s->doepmsk = v & 0x5b;
        break;
    case OTG_DSTS:
    case OTG_DAINT:
        break;
    case OTG_DAINTMSK:
        s->daintmsk = v;
        break;
    case OTG_DVBUSDIS:
        s->dvbusdis = v & 0xffff;
        break;
    case OTG_DVBUSPULSE:
        s->dvbuspulse = v & 0xfff;
        break;
    case OTG_DIEPEMPMSK:
        s->diepempmsk = v & 0xffff;
        break;
    case OTG_PCGCCTL:
        s->pcgcctl = v & PCGCCTL_MASK;
        break;
    default:
        dev_unmodelled(d, off, "register");
    }
}
