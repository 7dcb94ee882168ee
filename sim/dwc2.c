/* SPDX-License-Identifier: MIT */
/*
 * dwc2.c - ST's OTG_FS as a device: interrupts, resets, states of the
 * bus.  dwc2_core.c has the core registers, dwc2_ep.c those of the endpoints,
 * dwc2_fifo.c the FIFOs, dwc2_packet.c the transactions.
 *
 * It does not model the host and OTG roles, isochronous endpoints, remote
 * wake-up, test modes, nor the SOF output.
 *
 * Source: RM0090 rev 21, chapter 34 (F405, F407); RM0008 rev 21, chapter 28
 * (F105, F107).  A value that the manual leaves open is commented where it is
 * used.
 */
#include "dwc2.h"

#include <string.h>

#include "dwc2_regs.h"

#define TDETRST (2500 * SIM_NS) /* USB 2.0, 7.1.7.5: reset is seen */
#define IDLE    (3 * SIM_MS)    /* 34.5.2: ESUSP, and USBSUSP 3 ms later */

/* The core's ids are those that silicon reads (TinyUSB's list of cores); the
 * manual has only CID. */
const struct dwc2_facts dwc2_facts_f4 = {
    .endpoints = 4,
    .ram_words = 320,
    .gccfg_mask = 0x003d0000,
    .cid = 0x00001200,
    .release = 0x4f54281a,
    .config = {0, 0x229dcd20, 0x020001e8, 0x0ff08030},
    .ahb_min_hz = 14200000, /* 34.3.3 */
    .function = 10,         /* DS8626 table 9 */
    .dm = {'A', 11},
    .dp = {'A', 12},
};

/* The same core; no NOVBUSSENS, and the pins need no set-up (RM0008, table
 * 30). */
const struct dwc2_facts dwc2_facts_f107 = {
    .endpoints = 4,
    .ram_words = 320,
    .gccfg_mask = 0x001d0000,
    .cid = 0x00001000,
    .release = 0x4f54281a,
    .config = {0, 0x229dcd20, 0x020001e8, 0x0ff08030},
    .ahb_min_hz = 14200000,
    .function = -1,
    .dm = {'A', 11},
    .dp = {'A', 12},
};

/* ---- interrupts ---- */

uint32_t dwc2_daint(struct dev *d)
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

uint32_t dwc2_gintsts(struct dev *d)
{
    const struct dwc2 *s = d->state;
    uint32_t v = s->gintsts | GINT_NPTXFE | GINT_PTXFE;
    uint32_t daint = dwc2_daint(d) & s->daintmsk;

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
             (s->gahbcfg & GAHBCFG_GINT) && (dwc2_gintsts(d) & s->gintmsk));
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

    return f->function < 0 ||
           (chip_pin_function(d->chip, f->dm.port, f->dm.pin) == f->function &&
            chip_pin_function(d->chip, f->dp.port, f->dp.pin) == f->function);
}

/* B-session valid: VBUS is sensed, or taken for granted (34.5). */
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

void dwc2_update(struct dev *d)
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

/* ESUSP after 3 ms without activity, USBSUSP after 3 ms more (34.5.2). */
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
    dwc2_update(d);
}

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

    if (!dwc2_on_bus(d) || dwc2_clock_stopped(s))
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
    dwc2_update(dev);
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
void dwc2_core_reset(struct dev *d)
{
    struct dwc2 *s = d->state;
    const struct dwc2_facts *f = dwc2_facts(d);

    s->gotgint = s->gahbcfg = s->gintsts = s->gintmsk = 0;
    s->gusbcfg = GUSBCFG_RESET;
    s->grxfsiz = 0x200;
    s->dieptxf[0] = 0x00000200;
    for (unsigned i = 1; i < f->endpoints; i++)
        s->dieptxf[i] = 0x02000200;
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
    s->mode_at = s->host_mode ? chip_now(d->chip) + DWC2_MODE_DELAY : SIM_NEVER;
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
    dwc2_core_reset(d);
    dwc2_irq(d);
    dwc2_update(d);
}

static void power_off(struct dev *d)
{
    struct dwc2 *s = d->state;

    s->powered = false;
    s->se0 = false;
    s->session = false;
    s->reset_at = s->mode_at = s->eopf_at = SIM_NEVER;
    dwc2_update(d);
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
        return dwc2_global_read(d, off);
    if (off >= OTG_DIEP && off < OTG_DOEP_END)
        return dwc2_ep_read(d, off);
    return dwc2_device_read(d, off);
}

static void write_any(struct dev *d, uint32_t off, uint32_t v)
{
    if (host_register(d, off))
        return;
    if (off < OTG_HOST)
        dwc2_global_write(d, off, v);
    else if (off >= OTG_DIEP && off < OTG_DOEP_END)
        dwc2_ep_write(d, off, v);
    else
        dwc2_device_write(d, off, v);
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
    .steady = true,
    .reset = reset,
    .read = read,
    .write = write,
    .deadline = deadline,
    .event = event,
    .pins_changed = dwc2_update,
    .clocks_changed = dwc2_update,
    .power_off = power_off,
};
