/* SPDX-License-Identifier: MIT */
/*
 * dwc2.c - ST's OTG_FS as a device: core registers, interrupts, states of the
 * bus.  dwc2_ep.c has the endpoint registers, dwc2_fifo.c the FIFOs,
 * dwc2_packet.c the transactions.
 *
 * It does not model the host and OTG roles, isochronous endpoints, remote
 * wake-up, test modes, nor the SOF output.
 *
 * Source: RM0090 rev 18, chapter 34 (F405, F407); RM0008 rev 21, chapter 28
 * (F105, F107).  A value that the manual leaves open is commented where it is
 * used.
 */
#include "dwc2.h"

#include <string.h>

#include "dwc2_regs.h"

#define TDETRST    (2500 * SIM_NS) /* USB 2.0, 7.1.7.5: reset is seen */
#define IDLE       (3 * SIM_MS)    /* 34.6.2: ESUSP, and USBSUSP 3 ms later */
#define MODE_DELAY (25 * SIM_MS)   /* 34.16.2, GUSBCFG: FHMOD, FDMOD */
#define CLEAR_TIME (167 * SIM_NS)  /* 8 PHY clocks: GRSTCTL, TXFFLSH */

/* The core's ids are those that silicon reads (TinyUSB's list of cores); the
 * manual has only CID. */
const struct dwc2_facts dwc2_facts_f4 = {
    .endpoints = 4,
    .ram_words = 320,
    .gccfg_mask = 0x003d0000,
    .cid = 0x00001200,
    .release = 0x4f54281a,
    .config = {0, 0x229dcd20, 0x020001e8, 0x0ff08030},
    .ahb_min_hz = 14200000, /* 34.3 */
    .pins_alternate = true,
    .dm = {'A', 11},
    .dp = {'A', 12},
};

/* The same core; no NOVBUSSENS, and the pins need no set-up (RM0008, table
 * 29). */
const struct dwc2_facts dwc2_facts_f107 = {
    .endpoints = 4,
    .ram_words = 320,
    .gccfg_mask = 0x001d0000,
    .cid = 0x00001000,
    .release = 0x4f54281a,
    .config = {0, 0x229dcd20, 0x020001e8, 0x0ff08030},
    .ahb_min_hz = 14200000,
    .dm = {'A', 11},
    .dp = {'A', 12},
};

/* ---- interrupts ---- */

static uint32_t read_daint(struct dev *d)
{
    const struct dwc2 *s = d->state;
    uint32_t v = 0;

    for (unsigned i = 0; i < dwc2_facts(d)->endpoints; i++) {
        uint32_t in = dwc2_in_flags(d, i);

        if ((in & s->diepmsk & ~INT_TXFE) ||
            ((in & INT_TXFE) && (s->diepempmsk & 1u << i)))
            v |= 1u << i;
        if (s->out[i].flags & s->doepmsk)
            v |= 1u << (16 + i);
    }
    return v;
}

static uint32_t read_gintsts(struct dev *d)
{
    const struct dwc2 *s = d->state;
    uint32_t v = s->gintsts | GINT_NPTXFE | GINT_PTXFE;
    uint32_t daint = read_daint(d) & s->daintmsk;

    if (s->host_mode)
        v |= GINT_CMOD;
    if (s->gotgint)
        v |= GINT_OTGINT;
    if (s->rx_words)
        v |= GINT_RXFLVL;
    if (s->ginak_eff)
        v |= GINT_GINAKEFF;
    if (s->gonak_eff)
        v |= GINT_GONAKEFF;
    if (daint & 0xffff)
        v |= GINT_IEPINT;
    if (daint >> 16)
        v |= GINT_OEPINT;
    return v;
}

void dwc2_irq(struct dev *d)
{
    const struct dwc2 *s = d->state;

    chip_irq(d->chip, d->desc->irq[0],
             (s->gahbcfg & GAHBCFG_GINT) && (read_gintsts(d) & s->gintmsk));
}

static void flag(struct dev *d, uint32_t gint)
{
    struct dwc2 *s = d->state;

    s->gintsts |= gint;
    dwc2_irq(d);
}

/* ---- states of the core and of the bus ---- */

static bool pins_ok(struct dev *d)
{
    const struct dwc2_facts *f = dwc2_facts(d);

    return !f->pins_alternate ||
           (chip_pin_alternate(d->chip, f->dm.port, f->dm.pin) &&
            chip_pin_alternate(d->chip, f->dp.port, f->dp.pin));
}

/* B-session valid: VBUS is sensed, or taken for granted (34.4.2). */
static void update_session(struct dev *d)
{
    struct dwc2 *s = d->state;
    bool valid =
        (s->gccfg & GCCFG_NOVBUSSENS) ||
        ((s->gccfg & GCCFG_VBUSBSEN) && wire_plugged(chip_wire(d->chip)));

    if (valid && !s->session)
        flag(d, GINT_SRQINT);
    if (!valid && s->session) {
        s->gotgint |= GOTGINT_SEDET;
        dwc2_irq(d);
    }
    s->session = valid;
}

static void update_pullup(struct dev *d)
{
    struct dwc2 *s = d->state;
    bool before = s->pullup;

    if (s->powered)
        update_session(d);
    s->pullup = s->powered && dev_clocked(d) && s->session &&
                (s->gccfg & GCCFG_PWRDWN) && !(s->dctl & DCTL_SDIS) &&
                !s->host_mode && chip_usb_clock_ok(d->chip) && pins_ok(d);
    if (s->pullup && !before)
        dwc2_activity(d);
    if (!s->pullup && before)
        s->sending = NO_EP;
    wire_set_pullup(chip_wire(d->chip), s->pullup);
}

bool dwc2_on_bus(struct dev *d)
{
    const struct dwc2 *s = d->state;

    return s->pullup && !s->se0;
}

void dwc2_activity(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->active = chip_now(d->chip);
    s->early = false;
    s->dsts &= ~DSTS_SUSPSTS;
}

static void bus_reset_seen(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->reset_at = SIM_NEVER;
    s->reset_seen = true;
    s->sending = NO_EP;
    s->setup_open = s->control = s->addr_later = false;
    s->dctl &= ~DCTL_RWUSIG;
    dwc2_ep_bus_reset(d);
    dwc2_activity(d);
    flag(d, GINT_USBRST);
}

/* The end of the reset: the speed is known (34.17.5). */
static void enumerated(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->reset_seen = false;
    s->dsts |= DSTS_FS;
    if ((s->dcfg & DCFG_DSPD) != DCFG_FS)
        chip_guest_error(d->chip,
                         "OTG_FS_DCFG.DSPD is %u at a bus reset, full speed "
                         "is 3",
                         (unsigned)(s->dcfg & DCFG_DSPD));
    flag(d, GINT_ENUMDNE);
}

/* ESUSP after 3 ms without activity, USBSUSP after 3 ms more (34.6.2). */
static sim_time next_idle(struct dev *d)
{
    const struct dwc2 *s = d->state;

    if (!s->pullup || s->se0 || (s->dsts & DSTS_SUSPSTS))
        return SIM_NEVER;
    return s->active + (s->early ? 2 * IDLE : IDLE);
}

static void idle(struct dev *d)
{
    struct dwc2 *s = d->state;

    if (!s->early) {
        s->early = true;
        flag(d, GINT_ESUSP);
        return;
    }
    s->dsts |= DSTS_SUSPSTS;
    flag(d, GINT_USBSUSP);
}

static void mode_settled(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->mode_at = SIM_NEVER;
    s->host_mode =
        (s->gusbcfg & (GUSBCFG_FHMOD | GUSBCFG_FDMOD)) == GUSBCFG_FHMOD;
    if (s->host_mode)
        dev_unmodelled(d, OTG_GUSBCFG, "host role");
    update_pullup(d);
}

static void core_reset(struct dev *d);

/* CSRST does not end without a PHY clock. */
static sim_time grst_end(struct dev *d)
{
    const struct dwc2 *s = d->state;

    if (!s->grst || ((s->grst & GRSTCTL_CSRST) && !chip_usb_clock_ok(d->chip)))
        return SIM_NEVER;
    return s->grst_at;
}

static void eopf(struct dev *d)
{
    ((struct dwc2 *)d->state)->eopf_at = SIM_NEVER;
    flag(d, GINT_EOPF);
}

static sim_time sooner(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

static sim_time deadline(struct dev *d)
{
    const struct dwc2 *s = d->state;
    sim_time t = sooner(s->reset_at, next_idle(d));

    t = sooner(t, sooner(s->mode_at, s->eopf_at));
    return sooner(t, grst_end(d));
}

static void event(struct dev *d)
{
    struct dwc2 *s = d->state;
    sim_time now = chip_now(d->chip);

    if (s->reset_at <= now)
        bus_reset_seen(d);
    if (next_idle(d) <= now)
        idle(d);
    if (s->mode_at <= now)
        mode_settled(d);
    if (s->eopf_at <= now)
        eopf(d);
    if (grst_end(d) <= now)
        s->grst = 0;
}

/* ---- what the wire does, but for transactions ---- */

static void sof(struct chip *c, void *dev, unsigned frame)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;

    if (!dwc2_on_bus(d) || (s->pcgcctl & PCGCCTL_STPPCLK))
        return;
    s->frame = (uint16_t)frame;
    dwc2_activity(d);
    if (!(s->gintsts & GINT_EOPF)) /* 80, 85, 90, 95 % of a frame */
        s->eopf_at =
            chip_now(c) + (80 + 5 * DCFG_PFIVL(s->dcfg)) * (SIM_MS / 100);
    flag(d, GINT_SOF);
}

static void bus_reset(struct chip *c, void *dev, bool begin)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;

    s->se0 = begin;
    s->reset_at = begin && s->pullup ? chip_now(c) + TDETRST : SIM_NEVER;
    if (!begin)
        dwc2_activity(d);
    if (!begin && s->reset_seen)
        enumerated(d);
    chip_touch(c);
}

/* The core finds out about suspend itself; this is the start of resume. */
static void suspend(struct chip *c, void *dev, bool suspended)
{
    struct dev *d = dev;
    struct dwc2 *s = d->state;
    bool asleep = s->dsts & DSTS_SUSPSTS;

    (void)c;
    if (suspended || !dwc2_on_bus(d))
        return;
    dwc2_activity(d);
    if (asleep)
        flag(d, GINT_WKUPINT);
}

static void bad_packet(struct chip *c, void *dev)
{
    (void)c;
    if (dwc2_on_bus(dev))
        dwc2_activity(dev);
}

static void vbus(struct chip *c, void *dev, bool on)
{
    (void)on;
    update_pullup(dev);
    chip_touch(c);
}

const struct wire_ops dwc2_wire_ops = {
    .setup = dwc2_setup,
    .out = dwc2_out,
    .in = dwc2_in,
    .in_ack = dwc2_in_ack,
    .sof = sof,
    .bus_reset = bus_reset,
    .suspend = suspend,
    .bad_packet = bad_packet,
    .vbus = vbus,
};

/* ---- resets ---- */

/* CSRST: all registers but DSPD and PCGCCTL.  GCCFG is not the core's but
 * ST's own; it keeps its value (TinyUSB switches the PHY on before CSRST). */
static void core_reset(struct dev *d)
{
    struct dwc2 *s = d->state;
    const struct dwc2_facts *f = dwc2_facts(d);

    s->gotgint = s->gahbcfg = s->gintsts = s->gintmsk = 0;
    s->gusbcfg = GUSBCFG_RESET;
    s->grxfsiz = 0x200;
    s->dieptxf[0] = 0x00000200;
    for (unsigned i = 1; i < f->endpoints; i++)
        s->dieptxf[i] = 0x02000400 + 0x200 * (i - 1);
    s->dcfg = DCFG_RESET | (s->dcfg & DCFG_DSPD);
    s->dctl = 0;
    s->dsts = DSTS_RESET;
    s->diepmsk = s->doepmsk = s->daintmsk = s->diepempmsk = 0;
    s->dvbusdis = 0x17d7;
    s->dvbuspulse = 0x5b8;
    s->addr = 0;
    s->addr_later = s->control = s->setup_open = false;
    s->gonak_eff = s->ginak_eff = false;
    s->told_rx = s->told_trdt = false;
    s->told_tx = 0;
    s->sending = NO_EP;
    s->mode_at = s->host_mode ? chip_now(d->chip) + MODE_DELAY : SIM_NEVER;
    s->eopf_at = SIM_NEVER;
    dwc2_ep_reset(d);
}

static void reset(struct dev *d, enum reset_cause cause)
{
    struct dwc2 *s = d->state;
    bool se0 = s->se0;

    (void)cause;
    memset(s, 0, sizeof(*s));
    s->powered = true;
    s->se0 = se0;
    s->reset_at = SIM_NEVER;
    core_reset(d);
    dwc2_irq(d);
    update_pullup(d);
}

static void power_off(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->powered = false;
    s->se0 = false;
    s->session = false;
    s->reset_at = s->mode_at = s->eopf_at = SIM_NEVER;
    update_pullup(d);
}

/* ---- core registers ---- */

static uint32_t read_global(struct dev *d, uint32_t off)
{
    const struct dwc2 *s = d->state;
    const struct dwc2_facts *f = dwc2_facts(d);

    switch (off) {
    case OTG_GOTGCTL:
        return GOTGCTL_RESET | (s->session ? GOTGCTL_BSVLD : 0) |
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
        return read_gintsts(d);
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
        return 0x02000600; /* of the host role */
    }
    if (off >= OTG_CONFIG1 && off <= OTG_CONFIG4)
        return f->config[(off - OTG_CONFIG1) / 4];
    if (off >= OTG_DIEPTXF1 && off < OTG_DIEPTXF1 + 4u * (f->endpoints - 1u))
        return s->dieptxf[(off - OTG_DIEPTXF1) / 4 + 1];
    dev_unmodelled(d, off, "register");
    return 0;
}

static uint32_t read_device(struct dev *d, uint32_t off)
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
        return read_daint(d);
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

    s->gusbcfg = v & GUSBCFG_MASK;
    s->told_trdt = false;
    /* Without FHMOD the ID pin decides; it is pulled up: device. */
    if (host == s->host_mode)
        s->mode_at = SIM_NEVER;
    else if (s->mode_at == SIM_NEVER)
        s->mode_at = chip_now(d->chip) + MODE_DELAY;
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
        core_reset(d);
    if (work & GRSTCTL_RXFFLSH)
        dwc2_rx_flush(s);
    if (work & GRSTCTL_TXFFLSH)
        flush_tx(d, GRSTCTL_TXFNUM(v));
    if (work)
        s->grst_at = chip_now(d->chip) + CLEAR_TIME;
    s->grst = (s->grst & 0x31) | work | (work ? v & 0x7c0 : 0);
    update_pullup(d);
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

static void write_global(struct dev *d, uint32_t off, uint32_t v)
{
    struct dwc2 *s = d->state;

    switch (off) {
    case OTG_GOTGCTL:
        if (v & 0x00000f02) /* SRQ, HNPRQ, HSHNPEN, DHNPEN */
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
        update_pullup(d);
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
    s->addr_later = s->control && DCFG_DAD(v) && DCFG_DAD(v) != s->addr;
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
    update_pullup(d);
}

static void write_device(struct dev *d, uint32_t off, uint32_t v)
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

/* ---- the bus side ---- */

/* Words only (34.16). */
static bool access_ok(struct dev *d, unsigned size)
{
    if (size == 4)
        return true;
    chip_guest_error(d->chip, "%u-bit access to OTG_FS, which has words only",
                     size * 8);
    return false;
}

/* Host registers in device mode are a mode mismatch (GINTSTS.MMIS). */
static bool host_register(struct dev *d, uint32_t off)
{
    if (off < OTG_HOST || off >= OTG_DCFG)
        return false;
    dev_unmodelled(d, OTG_HOST, "host role");
    flag(d, GINT_MMIS);
    return true;
}

static uint32_t read_any(struct dev *d, uint32_t off)
{
    if (host_register(d, off))
        return 0;
    if (off < OTG_HOST)
        return read_global(d, off);
    if (off >= OTG_DIEP && off < OTG_DOEP_END)
        return dwc2_ep_read(d, off);
    return read_device(d, off);
}

static void write_any(struct dev *d, uint32_t off, uint32_t v)
{
    if (host_register(d, off))
        return;
    if (off < OTG_HOST)
        write_global(d, off, v);
    else if (off >= OTG_DIEP && off < OTG_DOEP_END)
        dwc2_ep_write(d, off, v);
    else
        write_device(d, off, v);
}

static bool in_fifos(struct dev *d, uint32_t off)
{
    return off >= OTG_FIFO &&
           off < OTG_FIFO + dwc2_facts(d)->endpoints * (uint32_t)OTG_FIFO_SIZE;
}

static uint32_t read(struct dev *d, unsigned range, uint32_t off, unsigned size)
{
    uint32_t v;

    (void)range;
    if (!access_ok(d, size))
        return 0;
    v = in_fifos(d, off) ? dwc2_fifo_read(d) : read_any(d, off);
    dwc2_irq(d);
    return v;
}

static void write(struct dev *d, unsigned range, uint32_t off, unsigned size,
                  uint32_t value)
{
    (void)range;
    if (!access_ok(d, size))
        return;
    if (in_fifos(d, off))
        dwc2_fifo_write(d, (off - OTG_FIFO) / OTG_FIFO_SIZE, value);
    else
        write_any(d, off, value);
    dwc2_irq(d);
}

const struct device_ops dwc2_ops = {
    .state_size = sizeof(struct dwc2),
    .reset = reset,
    .read = read,
    .write = write,
    .deadline = deadline,
    .event = event,
    .pins_changed = update_pullup,
    .clocks_changed = update_pullup,
    .power_off = power_off,
};
