/* SPDX-License-Identifier: MIT */
/*
 * fsdev_packet.c - what ST's USB block does with SETUP, OUT and IN: which
 * endpoint register answers, where the data goes, what the register says
 * afterwards.
 *
 * Source: RM0008 rev 21, 23.4.2 (endpoints, control transfers), 23.4.3 (double
 * buffering), 23.5.2 and 23.5.3 (registers).
 */
#include <string.h>

#include "fsdev_regs.h"

#define NO_REG (-1)

bool fsdev_double_buffered(uint16_t epr)
{
    return (epr & EP_TYPE) == EP_TYPE_ISO ||
           ((epr & EP_TYPE) == EP_TYPE_BULK && (epr & EP_KIND));
}

static enum fsdev_stat stat_rx(uint16_t epr)
{
    return (epr & EP_STAT_RX) / (EP_STAT_RX & -EP_STAT_RX);
}

static enum fsdev_stat stat_tx(uint16_t epr)
{
    return (epr & EP_STAT_TX) / (EP_STAT_TX & -EP_STAT_TX);
}

static void set_stat_rx(uint16_t *epr, enum fsdev_stat v)
{
    *epr = (uint16_t)((*epr & ~EP_STAT_RX) | v * (EP_STAT_RX & -EP_STAT_RX));
}

static void set_stat_tx(uint16_t *epr, enum fsdev_stat v)
{
    *epr = (uint16_t)((*epr & ~EP_STAT_TX) | v * (EP_STAT_TX & -EP_STAT_TX));
}

/* ---- packet memory, as the block sees it ---- */

static uint16_t pma_get(struct dev *d, unsigned at)
{
    const struct fsdev *s = d->state;

    at %= fsdev_facts(d)->pma_bytes;
    return (uint16_t)(s->pma[at & ~1u] | s->pma[at | 1] << 8);
}

static unsigned bd_at(struct dev *d, unsigned reg, unsigned entry)
{
    const struct fsdev *s = d->state;

    return (s->btable + reg * 8 + entry) % fsdev_facts(d)->pma_bytes;
}

static uint16_t bd_get(struct dev *d, unsigned reg, unsigned entry)
{
    return pma_get(d, bd_at(d, reg, entry));
}

/* False, with a guest error, for a buffer that is not inside the memory. */
static bool buffer_ok(struct dev *d, unsigned reg, unsigned addr, size_t n)
{
    if (addr & 1)
        chip_guest_error(d->chip,
                         "the packet buffer of USB_EP%uR is at the odd address "
                         "0x%x",
                         reg, addr);
    else if (addr + n > fsdev_facts(d)->pma_bytes)
        chip_guest_error(d->chip,
                         "the packet buffer of USB_EP%uR, 0x%x + %u, is beyond "
                         "the packet memory",
                         reg, addr, (unsigned)n);
    else
        return true;
    return false;
}

/* Bytes that COUNTn_RX allocates (23.5.3). */
static size_t rx_room(uint16_t count)
{
    size_t blocks = (count >> 10) & 31;

    return count & 0x8000 ? (blocks + 1) * 32 : blocks * 2;
}

/* Which half of the buffer description entry: double-buffered endpoints use
 * both for one direction, chosen by their DTOG. */
static unsigned rx_half(uint16_t epr)
{
    if (fsdev_double_buffered(epr) && !(epr & EP_DTOG_RX))
        return BD_ADDR_TX;
    return BD_ADDR_RX;
}

static unsigned tx_half(uint16_t epr)
{
    if (fsdev_double_buffered(epr) && (epr & EP_DTOG_TX))
        return BD_ADDR_RX;
    return BD_ADDR_TX;
}

/* The packet and its CRC go to the buffer, up to its end (23.4.2).  False:
 * it was too small.  A buffer of no bytes is "not allowed" (23.5.3), but
 * ST's own driver waits for an empty status stage with one: it is a fault where
 * there is something to store. */
static bool store(struct dev *d, unsigned reg, unsigned half,
                  const uint8_t *data, size_t n)
{
    struct fsdev *s = d->state;
    unsigned addr = bd_get(d, reg, half);
    size_t room = rx_room(bd_get(d, reg, half + 2));

    if (!room && !n)
        return true;
    if (!room)
        chip_guest_error(d->chip, "COUNT%u_RX allocates no memory", reg);
    if (!room || !buffer_ok(d, reg, addr, room))
        return false;
    for (size_t i = 0; i < room && i < n + 2; i++)
        s->pma[addr + i] = i < n ? data[i] : 0xcc; /* stands for the CRC */
    return n <= room;
}

static void store_count(struct dev *d, unsigned reg, unsigned half, size_t n)
{
    struct fsdev *s = d->state;
    unsigned at = bd_at(d, reg, half + 2);
    uint16_t v = (uint16_t)((bd_get(d, reg, half + 2) & 0xfc00) | n);

    s->pma[at] = (uint8_t)v;
    s->pma[at + 1] = (uint8_t)(v >> 8);
}

/* ---- who answers ---- */

/* Clocks that are too slow or wrong are a fault of the firmware; one line of
 * it is enough. */
static bool clocks_ok(struct dev *d)
{
    struct fsdev *s = d->state;
    uint32_t apb = chip_clock_hz(d->chip, CLOCK_APB1);
    bool ok = chip_usb_clock_ok(d->chip);

    if (ok && apb >= fsdev_facts(d)->apb_min_hz) {
        s->told_clock = false;
        return true;
    }
    if (!s->told_clock && !ok)
        chip_guest_error(d->chip, "the USB block runs without a 48 MHz clock");
    else if (!s->told_clock)
        chip_guest_error(d->chip, "USB with an APB1 clock of %u Hz", apb);
    s->told_clock = true;
    return false;
}

/* A token for this device reaches the endpoint registers. */
static bool listens(struct dev *d, unsigned addr)
{
    struct fsdev *s = d->state;

    if (!fsdev_enabled(d) || s->se0 || (s->cntr & CNTR_FSUSP))
        return false;
    fsdev_activity(d);
    /* 23.5.1: nothing is received or sent until RESET has been cleared */
    if ((s->istr & ISTR_RESET) || !(s->daddr & DADDR_EF) ||
        (s->daddr & 0x7f) != addr)
        return false;
    return clocks_ok(d);
}

static int find(const struct fsdev *s, unsigned ep,
                enum fsdev_stat (*stat)(uint16_t epr))
{
    for (int i = 0; i < EP_REGS; i++)
        if ((s->epr[i] & EP_EA) == ep && stat(s->epr[i]) != STAT_DISABLED)
            return i;
    return NO_REG;
}

static bool is_iso(struct dev *d, int reg)
{
    const struct fsdev *s = d->state;

    if ((s->epr[reg] & EP_TYPE) != EP_TYPE_ISO)
        return false;
    dev_unmodelled(d, (uint32_t)reg * 4, "isochronous endpoint");
    return true;
}

static enum wire_result refusal(enum fsdev_stat stat)
{
    return stat == STAT_STALL ? WIRE_STALL : WIRE_NAK;
}

/* Double-buffered bulk, from its second packet on: NAK only while both sides
 * want the same buffer, DTOG == SW_BUF (23.4.3). */
static bool buffer_conflict(const struct fsdev *s, int reg)
{
    bool dtog_rx = s->epr[reg] & EP_DTOG_RX, dtog_tx = s->epr[reg] & EP_DTOG_TX;

    return (s->dbl_started >> reg & 1) && dtog_rx == dtog_tx;
}

/* STAT after a packet: NAK, but for double buffering in its stride. */
static bool keeps_stat(struct fsdev *s, int reg)
{
    bool started = s->dbl_started >> reg & 1;

    if (fsdev_double_buffered(s->epr[reg]))
        s->dbl_started |= (uint8_t)(1u << reg);
    return started;
}

/* 23.4.2: software clears CTR before it makes the endpoint valid again, or
 * it loses the notification of the next packet. */
static void check_lost(struct dev *d, int reg, uint16_t ctr)
{
    const struct fsdev *s = d->state;

    if ((s->epr[reg] & ctr) && !fsdev_double_buffered(s->epr[reg]))
        chip_guest_error(
            d->chip,
            "USB_EP%dR was made valid before CTR_%s was cleared: a "
            "packet goes unnoticed",
            reg, ctr == EP_CTR_RX ? "RX" : "TX");
}

/* ---- transactions ---- */

enum wire_result fsdev_setup(struct chip *c, void *dev, unsigned addr,
                             unsigned ep, const uint8_t data[8])
{
    struct dev *d = dev;
    struct fsdev *s = d->state;
    int reg = listens(d, addr) ? find(s, ep, stat_rx) : NO_REG;

    (void)c;
    if (reg == NO_REG || (s->epr[reg] & EP_TYPE) != EP_TYPE_CONTROL)
        return WIRE_TIMEOUT;
    /* NAK and STALL do not hold for SETUP, but while the packet before it is
     * not dealt with it is dropped in silence (23.4.2). */
    if (s->epr[reg] & EP_CTR_RX)
        return WIRE_TIMEOUT;
    if (!store(d, (unsigned)reg, BD_ADDR_RX, data, 8))
        return WIRE_TIMEOUT;
    store_count(d, (unsigned)reg, BD_ADDR_RX, 8);
    /* DTOG_RX is cleared by the token and toggled by its DATA0. */
    s->epr[reg] |= EP_CTR_RX | EP_SETUP | EP_DTOG_RX | EP_DTOG_TX;
    set_stat_rx(&s->epr[reg], STAT_NAK);
    set_stat_tx(&s->epr[reg], STAT_NAK);
    s->tx = NO_TX;
    fsdev_irq(d);
    return WIRE_ACK;
}

static void received(struct dev *d, int reg, unsigned half, size_t n)
{
    struct fsdev *s = d->state;

    store_count(d, (unsigned)reg, half, n);
    check_lost(d, reg, EP_CTR_RX);
    if (!(s->epr[reg] & EP_CTR_RX))
        s->epr[reg] &= (uint16_t)~EP_SETUP; /* frozen while CTR_RX is set */
    s->epr[reg] |= EP_CTR_RX;
    s->epr[reg] ^= EP_DTOG_RX;
    if (!keeps_stat(s, reg))
        set_stat_rx(&s->epr[reg], STAT_NAK);
    fsdev_irq(d);
}

enum wire_result fsdev_out(struct chip *c, void *dev, unsigned addr,
                           unsigned ep, unsigned toggle, const uint8_t *data,
                           size_t n)
{
    struct dev *d = dev;
    struct fsdev *s = d->state;
    int reg = listens(d, addr) ? find(s, ep, stat_rx) : NO_REG;
    unsigned half;

    (void)c;
    if (reg == NO_REG || is_iso(d, reg))
        return WIRE_TIMEOUT;
    if (stat_rx(s->epr[reg]) != STAT_VALID)
        return refusal(stat_rx(s->epr[reg]));
    if (buffer_conflict(s, reg))
        return WIRE_NAK;
    half = rx_half(s->epr[reg]);
    /* Too long for the buffer: STALL, and nobody is told (23.4.2). */
    if (!store(d, (unsigned)reg, half, data, n))
        return WIRE_STALL;
    /* STATUS_OUT */
    if ((s->epr[reg] & EP_TYPE) == EP_TYPE_CONTROL && (s->epr[reg] & EP_KIND) &&
        n)
        return WIRE_STALL;
    /* A repeated packet: acknowledged, not counted (USB 2.0, 8.6.4). */
    if (toggle != !!(s->epr[reg] & EP_DTOG_RX))
        return WIRE_ACK;
    received(d, reg, half, n);
    return WIRE_ACK;
}

enum wire_result fsdev_in(struct chip *c, void *dev, unsigned addr, unsigned ep,
                          uint8_t *data, size_t *n, unsigned *toggle)
{
    struct dev *d = dev;
    struct fsdev *s = d->state;
    int reg = listens(d, addr) ? find(s, ep, stat_tx) : NO_REG;
    unsigned half, from;

    (void)c;
    if (reg == NO_REG || is_iso(d, reg))
        return WIRE_TIMEOUT;
    if (stat_tx(s->epr[reg]) != STAT_VALID)
        return refusal(stat_tx(s->epr[reg]));
    if (buffer_conflict(s, reg))
        return WIRE_NAK;
    half = tx_half(s->epr[reg]);
    from = bd_get(d, (unsigned)reg, half);
    *n = bd_get(d, (unsigned)reg, half + 2) & 0x3ff;
    *toggle = !!(s->epr[reg] & EP_DTOG_TX);
    if (!buffer_ok(d, (unsigned)reg, from, *n))
        return WIRE_TIMEOUT;
    if (*n > FS_BYTES)
        chip_guest_error(d->chip, "COUNT%d_TX is %u, a packet has 64 bytes",
                         reg, (unsigned)*n);
    memcpy(data, s->pma + from, *n < FS_BYTES ? *n : FS_BYTES);
    s->tx = (uint8_t)reg;
    return WIRE_ACK;
}

/* Without ACK nothing changes: the next IN gets the same packet. */
void fsdev_in_ack(struct chip *c, void *dev, unsigned ep, bool acked)
{
    struct dev *d = dev;
    struct fsdev *s = d->state;
    int reg = s->tx;

    (void)c;
    (void)ep;
    s->tx = NO_TX;
    if (reg == NO_TX || !acked)
        return;
    check_lost(d, reg, EP_CTR_TX);
    s->epr[reg] |= EP_CTR_TX;
    s->epr[reg] ^= EP_DTOG_TX;
    if (!keeps_stat(s, reg))
        set_stat_tx(&s->epr[reg], STAT_NAK);
    fsdev_irq(d);
}
