/* SPDX-License-Identifier: MIT */
/*
 * fsdev.c - ST's full-speed USB device block: registers, interrupts, states
 * of the bus.  fsdev_packet.c has the transactions.
 *
 * It does not model isochronous endpoints, remote wake-up, link power
 * management, battery charging, nor the CAN that shares the packet memory.
 *
 * Source: RM0008 rev 21, chapter 23 (F102, F103); RM0091 rev 9, chapter 30
 * (F072).  A value that the manual leaves open is commented where it is used.
 */
#include "fsdev.h"

#include <string.h>

#include "fsdev_regs.h"

#define TSTARTUP SIM_US          /* data sheet F103, USB startup time */
#define TDETRST  (2500 * SIM_NS) /* USB 2.0, 7.1.7.5: reset is seen */
/* A missing SOF is noticed after a frame and what a host may be late. */
#define ESOF_AFTER (SIM_MS + 10 * SIM_US)

const struct fsdev_facts fsdev_facts_f1 = {
    .pma_bytes = 512,
    .pma_stride = 4,
    .pma_sizes = 1 << 2 | 1 << 4,
    .cntr_mask = 0xff1f,
    .apb_min_hz = 8000000, /* 23.4.1 */
    .dp = {'A', 12},
};

const struct fsdev_facts fsdev_facts_v2 = {
    .pma_bytes = 1024,
    .pma_stride = 2,
    .pma_sizes = 1 << 2,
    .cntr_mask = 0xffbf,
    .second = true,
    .apb_min_hz = 10000000, /* RM0091, 30.4.1 */
    .dp = {'A', 12},
};

const struct fsdev_facts *fsdev_facts(struct dev *d)
{
    return d->desc->facts;
}

/* ---- interrupts ---- */

static uint16_t ctr_bits(const struct fsdev *s, unsigned i)
{
    return s->epr[i] & (EP_CTR_RX | EP_CTR_TX);
}

/* The endpoint register that EP_ID names: isochronous and double-buffered
 * ones first, then the lowest (23.5.1, EP_ID).  -1: none. */
static int first_done(const struct fsdev *s)
{
    for (unsigned i = 0; i < EP_REGS; i++)
        if (ctr_bits(s, i) && fsdev_double_buffered(s->epr[i]))
            return (int)i;
    for (unsigned i = 0; i < EP_REGS; i++)
        if (ctr_bits(s, i))
            return (int)i;
    return -1;
}

static uint16_t read_istr(const struct fsdev *s)
{
    int i = first_done(s);
    uint16_t v = s->istr;

    if (i < 0)
        return v;
    v |= ISTR_CTR | (uint16_t)i;
    if (s->epr[i] & EP_CTR_RX)
        v |= ISTR_DIR;
    return v;
}

void fsdev_irq(struct dev *d)
{
    struct fsdev *s = d->state;
    int i = first_done(s);
    bool low = read_istr(s) & s->cntr & 0xff00;
    bool high =
        i >= 0 && (s->cntr & ISTR_CTR) && fsdev_double_buffered(s->epr[i]);

    if (d->desc->irq[0] != d->desc->irq[1])
        chip_irq(d->chip, d->desc->irq[0], high);
    chip_irq(d->chip, d->desc->irq[1], low);
}

void fsdev_flag(struct dev *d, uint16_t istr)
{
    struct fsdev *s = d->state;

    s->istr |= istr;
    fsdev_irq(d);
}

/* ---- states of the block and of the bus ---- */

static bool transceiver_on(struct dev *d)
{
    const struct fsdev *s = d->state;

    return s->powered && dev_clocked(d) && !(s->cntr & CNTR_PDWN);
}

bool fsdev_enabled(struct dev *d)
{
    const struct fsdev *s = d->state;

    return transceiver_on(d) && !(s->cntr & CNTR_FRES);
}

/* The block takes D+ and D- away from the GPIO as soon as it is enabled
 * (RM0008, 9.1.11); until then the firmware can hold D+ low. */
static void update_pullup(struct dev *d)
{
    const struct fsdev *s = d->state;
    const struct fsdev_facts *f = fsdev_facts(d);
    bool on = chip_board_pullup(d->chip);

    if (f->second && transceiver_on(d) && (s->bcdr & BCDR_DPPU))
        on = true;
    if (!transceiver_on(d) &&
        chip_pin_output(d->chip, f->dp.port, f->dp.pin) == 0)
        on = false;
    wire_set_pullup(chip_wire(d->chip), on && s->powered);
}

void fsdev_activity(struct dev *d)
{
    struct fsdev *s = d->state;

    s->active = chip_now(d->chip);
    s->lost = 0;
}

/* What USB reset and FRES do: endpoints and address are cleared, completed
 * transactions stay to be seen (23.4.2, 23.5.2). */
static void protocol_reset(struct fsdev *s)
{
    for (unsigned i = 0; i < EP_REGS; i++)
        s->epr[i] &= EP_CTR_RX | EP_CTR_TX;
    s->daddr = 0;
    s->tx = NO_TX;
    s->dbl_started = 0;
    s->sofs = 0;
}

/* Anything on a suspended bus (23.4.5). */
static void wake_up(struct dev *d)
{
    struct fsdev *s = d->state;

    if (!(s->cntr & CNTR_FSUSP))
        return;
    s->cntr &= (uint16_t)~CNTR_LP_MODE;
    fsdev_flag(d, ISTR_WKUP);
}

static void bus_reset_seen(struct dev *d)
{
    struct fsdev *s = d->state;

    s->reset_at = SIM_NEVER;
    if (!fsdev_enabled(d))
        return;
    wake_up(d);
    protocol_reset(s);
    fsdev_activity(d);
    fsdev_flag(d, ISTR_RESET);
}

/* SOFs are missed while the block listens and software has not suspended it
 * (23.4.5: FSUSP switches the check off). */
static sim_time next_esof(struct dev *d)
{
    const struct fsdev *s = d->state;

    if (!fsdev_enabled(d) || (s->cntr & CNTR_FSUSP) || s->se0)
        return SIM_NEVER;
    return s->active + (s->lost + (sim_time)1) * ESOF_AFTER;
}

static void sof_missed(struct dev *d)
{
    struct fsdev *s = d->state;

    s->sofs = 0;
    s->lost++;
    if (s->lost == 3) {
        fsdev_activity(d); /* counts anew until FSUSP is set */
        fsdev_flag(d, ISTR_ESOF | ISTR_SUSP);
        return;
    }
    fsdev_flag(d, ISTR_ESOF);
}

static sim_time deadline(struct dev *d)
{
    const struct fsdev *s = d->state;
    sim_time t = next_esof(d);

    return s->reset_at < t ? s->reset_at : t;
}

static void event(struct dev *d)
{
    const struct fsdev *s = d->state;
    sim_time now = chip_now(d->chip);

    if (s->reset_at <= now)
        bus_reset_seen(d);
    if (next_esof(d) <= now)
        sof_missed(d);
}

/* ---- what the wire does, but for transactions ---- */

static void sof(struct chip *c, void *dev, unsigned frame)
{
    struct dev *d = dev;
    struct fsdev *s = d->state;

    if (!fsdev_enabled(d) || (s->cntr & CNTR_FSUSP))
        return;
    s->frame = (uint16_t)frame;
    if (s->sofs < 2)
        s->sofs++;
    fsdev_activity(d);
    fsdev_flag(d, ISTR_SOF);
    chip_usb_sof(c);
}

static void bus_reset(struct chip *c, void *dev, bool begin)
{
    struct dev *d = dev;
    struct fsdev *s = d->state;

    s->se0 = begin;
    s->reset_at = begin ? chip_now(c) + TDETRST : SIM_NEVER;
    s->tx = NO_TX;
    if (!begin)
        fsdev_activity(d);
    chip_touch(c);
}

/* The block finds out about suspend itself; this is the start of resume. */
static void suspend(struct chip *c, void *dev, bool suspended)
{
    (void)c;
    if (suspended || !fsdev_enabled(dev))
        return;
    fsdev_activity(dev);
    wake_up(dev);
}

static void bad_packet(struct chip *c, void *dev)
{
    const struct fsdev *s = ((struct dev *)dev)->state;

    (void)c;
    if (!fsdev_enabled(dev) || (s->cntr & CNTR_FSUSP))
        return;
    fsdev_activity(dev);
    fsdev_flag(dev, ISTR_ERR);
}

const struct wire_ops fsdev_wire_ops = {
    .setup = fsdev_setup,
    .out = fsdev_out,
    .in = fsdev_in,
    .in_ack = fsdev_in_ack,
    .sof = sof,
    .bus_reset = bus_reset,
    .suspend = suspend,
    .bad_packet = bad_packet,
};

/* ---- registers ---- */

/* STAT and DTOG toggle where a 1 is written, CTR is cleared by a 0, SETUP is
 * read-only (23.5.2). */
static void write_epr(struct dev *d, unsigned i, uint16_t v)
{
    struct fsdev *s = d->state;
    const uint16_t rw = EP_TYPE | EP_KIND | EP_EA;
    const uint16_t t = EP_STAT_RX | EP_STAT_TX | EP_DTOG_RX | EP_DTOG_TX;
    const uint16_t rc_w0 = EP_CTR_RX | EP_CTR_TX;
    uint16_t old = s->epr[i];

    if (s->cntr & CNTR_FRES) {
        chip_guest_error(d->chip,
                         "USB_EP%uR was written while FRES holds the endpoints "
                         "in reset",
                         i);
        return;
    }
    s->epr[i] = (uint16_t)((v & rw) | ((old ^ v) & t) | (old & v & rc_w0) |
                           (old & EP_SETUP));
    if (!fsdev_double_buffered(s->epr[i]))
        s->dbl_started &= (uint8_t) ~(1u << i);
}

/* Out of reset: only with a clock and when the transceiver has started
 * (23.4.2). */
static void leave_reset(struct dev *d)
{
    struct fsdev *s = d->state;
    sim_time now = chip_now(d->chip);

    if (now - s->pdwn_off < TSTARTUP)
        chip_guest_error(d->chip,
                         "USB_CNTR.FRES was cleared %u ns after PDWN, the "
                         "transceiver needs 1 us (tSTARTUP)",
                         (unsigned)((now - s->pdwn_off) / SIM_NS));
    if (!chip_usb_clock_ok(d->chip))
        chip_guest_error(d->chip,
                         "the USB block was enabled without a 48 MHz clock");
    fsdev_activity(d);
    if (s->se0)
        s->reset_at = now + TDETRST;
}

static void write_cntr(struct dev *d, uint16_t v)
{
    struct fsdev *s = d->state;
    uint16_t old = s->cntr;

    s->cntr = v & fsdev_facts(d)->cntr_mask;
    if ((old & CNTR_PDWN) && !(s->cntr & CNTR_PDWN))
        s->pdwn_off = chip_now(d->chip);
    if (s->cntr & ~old & CNTR_RESUME)
        dev_unmodelled(d, USB_CNTR, "remote wake-up");
    /* FRES is a USB reset that software makes: it leaves ISTR.RESET behind,
     * one of the "spurious pending interrupts" of 23.4.2. */
    if ((old | s->cntr) & CNTR_FRES) {
        protocol_reset(s);
        s->istr |= ISTR_RESET;
    }
    if ((old & (CNTR_FRES | CNTR_PDWN)) && fsdev_enabled(d))
        leave_reset(d);
    if (old & ~s->cntr & CNTR_FSUSP)
        fsdev_activity(d); /* the check for suspend begins anew */
    update_pullup(d);
    fsdev_irq(d);
}

static void write_daddr(struct dev *d, uint16_t v)
{
    struct fsdev *s = d->state;

    if (s->cntr & CNTR_FRES)
        chip_guest_error(d->chip, "USB_DADDR was written while FRES holds the "
                                  "address in reset");
    else
        s->daddr = v & 0xff;
}

static void write_bcdr(struct dev *d, uint16_t v)
{
    struct fsdev *s = d->state;

    if (v & ~BCDR_DPPU)
        dev_unmodelled(d, USB_BCDR, "battery charging detection");
    s->bcdr = v & BCDR_DPPU;
    update_pullup(d);
}

static uint16_t read_fnr(struct dev *d)
{
    const struct fsdev *s = d->state;
    uint16_t v = s->frame;

    if (transceiver_on(d) && wire_attached(chip_wire(d->chip)) && !s->se0)
        v |= FNR_RXDP; /* J, the idle state */
    if (s->sofs == 2)
        v |= FNR_LCK;
    return (uint16_t)(v + s->lost * FNR_LSOF);
}

static uint16_t read_second(struct dev *d, uint32_t off)
{
    const struct fsdev *s = d->state;

    if (off == USB_BCDR && fsdev_facts(d)->second)
        return s->bcdr;
    if (off == USB_LPMCSR && fsdev_facts(d)->second)
        return s->lpmcsr;
    dev_unmodelled(d, off, "register");
    return 0;
}

static uint16_t read_reg(struct dev *d, uint32_t off)
{
    const struct fsdev *s = d->state;

    if (off <= USB_EP7R)
        return s->epr[off / 4];
    switch (off) {
    case USB_CNTR:
        return s->cntr;
    case USB_ISTR:
        return read_istr(s);
    case USB_FNR:
        return read_fnr(d);
    case USB_DADDR:
        return s->daddr;
    case USB_BTABLE:
        return s->btable;
    default:
        return read_second(d, off);
    }
}

static void write_second(struct dev *d, uint32_t off, uint16_t v)
{
    struct fsdev *s = d->state;

    if (off == USB_BCDR && fsdev_facts(d)->second) {
        write_bcdr(d, v);
    } else if (off == USB_LPMCSR && fsdev_facts(d)->second) {
        s->lpmcsr = v & 0x03; /* LPMEN, LPMACK: kept, without effect */
    } else {
        dev_unmodelled(d, off, "register");
    }
}

static void write_reg(struct dev *d, uint32_t off, uint16_t v)
{
    struct fsdev *s = d->state;

    if (off <= USB_EP7R) {
        write_epr(d, off / 4, v);
        return;
    }
    switch (off) {
    case USB_CNTR:
        write_cntr(d, v);
        break;
    case USB_ISTR: /* rc_w0; CTR, DIR and EP_ID are read-only */
        s->istr &= v;
        break;
    case USB_FNR:
        break;
    case USB_DADDR:
        write_daddr(d, v);
        break;
    case USB_BTABLE:
        s->btable = v & 0xfff8;
        break;
    default:
        write_second(d, off, v);
    }
}

/* ---- the bus side ---- */

/* Index of a 16-bit word of packet memory, -1 where there is none.  An access
 * of a size that the memory is not made for is complained of and carried out
 * as the bus would: it always moves the whole word.  Reading a byte of that
 * word is therefore harmless (RM0091, 30.6.2 allows it, RM0008 is silent);
 * writing one is not. */
static int pma_index(struct dev *d, uint32_t off, unsigned size, bool write)
{
    const struct fsdev_facts *f = fsdev_facts(d);
    uint32_t i = off / f->pma_stride * 2;

    if (!(f->pma_sizes & 1u << size) && (write || size != 1))
        chip_guest_error(d->chip, "%u-bit access to the USB packet memory",
                         size * 8);
    if (off % f->pma_stride > 1 || i >= f->pma_bytes) {
        chip_guest_error(d->chip,
                         "access to offset 0x%x of the USB packet memory, "
                         "where there is none",
                         (unsigned)off);
        return -1;
    }
    return (int)i;
}

/* Registers: half-words and words (23.5). */
static bool reg_access(struct dev *d, uint32_t off, unsigned size)
{
    if (size == 1) {
        chip_guest_error(d->chip, "8-bit access to a USB register");
        return false;
    }
    if (off & 2) {
        dev_unmodelled(d, off, "upper half of a USB register");
        return false;
    }
    return true;
}

/* A 32-bit read sees the 16 bits of its slot. */
static uint32_t read(struct dev *d, unsigned range, uint32_t off, unsigned size)
{
    struct fsdev *s = d->state;
    int i;

    if (range == 0)
        return reg_access(d, off, size) ? read_reg(d, off) : 0;
    i = pma_index(d, off, size, false);
    if (i < 0)
        return 0;
    if (size == 1)
        return s->pma[i + (int)(off & 1)];
    return (uint32_t)(s->pma[i] | s->pma[i + 1] << 8);
}

static void write(struct dev *d, unsigned range, uint32_t off, unsigned size,
                  uint32_t value)
{
    struct fsdev *s = d->state;
    int i;

    if (range == 0) {
        if (reg_access(d, off, size))
            write_reg(d, off, (uint16_t)value);
        fsdev_irq(d);
        return;
    }
    i = pma_index(d, off, size, true);
    if (i < 0)
        return;
    if (size == 1) /* a byte is on all lanes of the bus */
        value = (value & 0xff) * 0x101;
    s->pma[i] = (uint8_t)value;
    s->pma[i + 1] = (uint8_t)(value >> 8);
}

static void reset(struct dev *d, enum reset_cause cause)
{
    struct fsdev *s = d->state;
    struct fsdev old = *s;

    memset(s, 0, sizeof(*s));
    s->cntr = CNTR_FRES | CNTR_PDWN;
    s->tx = NO_TX;
    s->powered = true;
    s->se0 = old.se0;
    s->reset_at = SIM_NEVER;
    /* Only power-on loses the packet memory; its contents are then noise. */
    if (cause == RESET_POWER)
        memset(s->pma, 0x5a, sizeof(s->pma));
    else
        memcpy(s->pma, old.pma, sizeof(s->pma));
    fsdev_irq(d);
    update_pullup(d);
}

static void power_off(struct dev *d)
{
    struct fsdev *s = d->state;

    s->powered = false;
    s->se0 = false;
    s->reset_at = SIM_NEVER;
    update_pullup(d);
}

const struct device_ops fsdev_ops = {
    .state_size = sizeof(struct fsdev),
    .steady = true,
    .reset = reset,
    .read = read,
    .write = write,
    .deadline = deadline,
    .event = event,
    .pins_changed = update_pullup,
    .clocks_changed = update_pullup,
    .power_off = power_off,
};
