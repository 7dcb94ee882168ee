/* SPDX-License-Identifier: MIT */
/*
 * dwc2_fifo.c - the FIFOs of OTG_FS: one for everything that is received, one
 * for each IN endpoint, as words in 1.25 KB of RAM.
 *
 * Source: RM0090 rev 21, 34.11 (FIFO architecture), 34.16.2 (GRXSTSP,
 * GRXFSIZ, DIEPTXFx), 34.17.6 (packet read, packet write).
 */
#include <string.h>

#include "dwc2_regs.h"

/* ---- layout ---- */

static unsigned rx_room(struct dev *d)
{
    const struct dwc2 *s = d->state;
    unsigned ram = dwc2_facts(d)->ram_words;

    return s->grxfsiz < ram ? s->grxfsiz : ram;
}

void dwc2_check_rx(struct dev *d)
{
    struct dwc2 *s = d->state;

    if (s->told_rx || s->grxfsiz <= dwc2_facts(d)->ram_words)
        return;
    s->told_rx = true;
    chip_guest_error(d->chip, "OTG_FS_GRXFSIZ is %u words, the FIFO RAM has %u",
                     (unsigned)s->grxfsiz, dwc2_facts(d)->ram_words);
}

static bool overlap(unsigned a, unsigned na, unsigned b, unsigned nb)
{
    return na && nb && a < b + nb && b < a + na;
}

/* The other transmit FIFO of an active endpoint that shares RAM, -1: none. */
static int shared_with(struct dev *d, unsigned fifo)
{
    const struct dwc2 *s = d->state;

    for (unsigned i = 0; i < dwc2_facts(d)->endpoints; i++) {
        unsigned other = dwc2_txfnum(&s->in[i]);

        if (other == fifo || other >= dwc2_facts(d)->endpoints ||
            (i && !(s->in[i].ctl & CTL_USBAEP)))
            continue;
        if (overlap(dwc2_tx_start(s, fifo), dwc2_tx_depth(s, fifo),
                    dwc2_tx_start(s, other), dwc2_tx_depth(s, other)))
            return (int)other;
    }
    return -1;
}

void dwc2_check_tx(struct dev *d, unsigned fifo)
{
    struct dwc2 *s = d->state;
    unsigned start = dwc2_tx_start(s, fifo), depth = dwc2_tx_depth(s, fifo);
    int other = shared_with(d, fifo);

    if (s->told_tx & 1u << fifo)
        return;
    s->told_tx |= (uint8_t)(1u << fifo);
    if (start + depth > dwc2_facts(d)->ram_words)
        chip_guest_error(d->chip,
                         "transmit FIFO %u, %u + %u words, is beyond the %u "
                         "words of FIFO RAM",
                         fifo, start, depth, dwc2_facts(d)->ram_words);
    else if (overlap(start, depth, 0, s->grxfsiz))
        chip_guest_error(d->chip,
                         "transmit FIFO %u begins at word %u, inside the "
                         "receive FIFO of %u words",
                         fifo, start, (unsigned)s->grxfsiz);
    else if (other >= 0)
        chip_guest_error(d->chip, "transmit FIFOs %u and %d overlap", fifo,
                         other);
    else
        s->told_tx &= (uint8_t) ~(1u << fifo);
}

/* ---- receive FIFO ---- */

static void put(struct dwc2 *s, uint32_t word)
{
    s->rx[(s->rx_head + s->rx_words++) % DWC2_RAM_WORDS] = word;
}

static uint32_t take(struct dwc2 *s)
{
    uint32_t word = s->rx[s->rx_head];

    s->rx_head = (uint16_t)((s->rx_head + 1) % DWC2_RAM_WORDS);
    s->rx_words--;
    return word;
}

static uint32_t word_of(const uint8_t *data, size_t n)
{
    uint32_t word = 0;

    for (size_t i = 0; i < n && i < 4; i++)
        word |= (uint32_t)data[i] << 8 * i;
    return word;
}

static bool is_setup(enum dwc2_pktsts what)
{
    return what == PKTSTS_SETUP || what == PKTSTS_SETUP_DONE;
}

/* Ten words are for SETUP packets and nothing else; an OUT packet also needs
 * one for "transfer completed" (34.13.1). */
static bool fits(struct dev *d, enum dwc2_pktsts what, size_t words)
{
    const struct dwc2 *s = d->state;
    unsigned room = rx_room(d);

    if (what == PKTSTS_SETUP)
        words++; /* "SETUP completed" */
    if (is_setup(what))
        return s->rx_words + words <= room;
    if (what == PKTSTS_OUT)
        words++;
    return s->rx_words - s->rx_setup + words + SETUP_WORDS <= room &&
           s->rx_words + words <= room;
}

bool dwc2_rx_push(struct dev *d, enum dwc2_pktsts what, unsigned ep,
                  unsigned toggle, const uint8_t *data, size_t n)
{
    struct dwc2 *s = d->state;
    size_t words = 1 + (n + 3) / 4;

    dwc2_check_rx(d);
    if (!fits(d, what, words))
        return false;
    put(s, ep | (uint32_t)n << 4 | (toggle ? 2u << 15 : 0) |
               (uint32_t)what << 17 | (s->frame & 15u) << 21);
    for (size_t i = 0; i < n; i += 4)
        put(s, word_of(data + i, n - i));
    if (is_setup(what))
        s->rx_setup = (uint16_t)(s->rx_setup + words);
    return true;
}

void dwc2_rx_flush(struct dwc2 *s)
{
    s->rx_words = s->rx_unread = s->rx_setup = 0;
}

/* What popping a status word sets off (34.17.6). */
static void popped(struct dev *d, uint32_t status)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->out[RXSTS_EP(status) % DWC2_EPS];
    uint32_t n = RXSTS_BCNT(status);

    s->rx_unread = (uint16_t)((n + 3) / 4);
    switch (RXSTS_PKTSTS(status)) {
    case PKTSTS_GONAK:
        s->gonak_eff = s->dctl & DCTL_GONSTS;
        break;
    case PKTSTS_OUT:
        ep->xfrsiz -= n < ep->xfrsiz ? n : ep->xfrsiz;
        break;
    case PKTSTS_OUT_DONE:
        ep->flags |= INT_XFRC;
        break;
    case PKTSTS_SETUP_DONE:
        ep->flags |= INT_STUP;
        s->rx_setup--;
        break;
    default:
        s->rx_setup = (uint16_t)(s->rx_setup - 1 - s->rx_unread);
    }
}

uint32_t dwc2_rx_status(struct dev *d, bool pop)
{
    struct dwc2 *s = d->state;
    uint32_t status;

    if (s->rx_unread && pop) {
        chip_guest_error(d->chip,
                         "OTG_FS_GRXSTSP was read with %u words of the packet "
                         "before still in the receive FIFO",
                         s->rx_unread);
        while (s->rx_unread) {
            take(s);
            s->rx_unread--;
        }
    }
    if (s->rx_words == s->rx_unread) {
        if (pop)
            chip_guest_error(d->chip,
                             "OTG_FS_GRXSTSP was read while RXFLVL was 0");
        return 0;
    }
    if (!pop)
        return s->rx[(s->rx_head + s->rx_unread) % DWC2_RAM_WORDS];
    status = take(s);
    popped(d, status);
    return status;
}

uint32_t dwc2_fifo_read(struct dev *d)
{
    struct dwc2 *s = d->state;

    if (!s->rx_unread) {
        chip_guest_error(d->chip, "more was read from the receive FIFO than "
                                  "the packet has words");
        return 0;
    }
    s->rx_unread--;
    return take(s);
}

/* ---- transmit FIFOs ---- */

void dwc2_tx_flush(struct dwc2 *s, unsigned fifo)
{
    s->tx[fifo].words = 0;
    for (unsigned i = 0; i < DWC2_EPS; i++)
        if (dwc2_txfnum(&s->in[i]) == fifo)
            s->in[i].partial = 0;
}

void dwc2_tx_peek(const struct dwc2 *s, unsigned fifo, uint8_t *data, size_t n)
{
    const struct dwc2_txfifo *f = &s->tx[fifo];

    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(f->word[(f->head + i / 4) % DWC2_RAM_WORDS] >>
                            8 * (i % 4));
}

void dwc2_tx_drop(struct dwc2 *s, unsigned fifo, size_t bytes)
{
    struct dwc2_txfifo *f = &s->tx[fifo];
    size_t words = (bytes + 3) / 4;

    if (words > f->words)
        words = f->words;
    f->head = (uint16_t)((f->head + words) % DWC2_RAM_WORDS);
    f->words = (uint16_t)(f->words - words);
}

/* XFRSIZ counts down when a packet is complete in the FIFO. */
static void count_written(struct dwc2 *s, unsigned i)
{
    struct dwc2_ep *ep = &s->in[i];
    uint32_t mps = dwc2_max_packet(s, true, i);
    uint32_t packet = ep->xfrsiz < mps ? ep->xfrsiz : mps;

    if (!ep->partial)
        ep->partial = packet;
    ep->partial -= ep->partial < 4 ? ep->partial : 4;
    if (!ep->partial)
        ep->xfrsiz -= packet;
}

void dwc2_fifo_write(struct dev *d, unsigned window, uint32_t v)
{
    struct dwc2 *s = d->state;
    struct dwc2_ep *ep = &s->in[window];
    struct dwc2_txfifo *f;
    unsigned fifo = dwc2_txfnum(ep);

    if (fifo >= dwc2_facts(d)->endpoints)
        return;
    f = &s->tx[fifo];
    if (!(ep->ctl & CTL_EPENA)) {
        chip_guest_error(d->chip,
                         "transmit FIFO %u was written while endpoint %u is "
                         "not enabled",
                         fifo, window);
    } else if (!ep->xfrsiz) {
        chip_guest_error(d->chip,
                         "more was written to transmit FIFO %u than "
                         "OTG_FS_DIEPTSIZ%u says",
                         fifo, window);
    } else if (f->words >= dwc2_tx_depth(s, fifo) ||
               f->words >= DWC2_RAM_WORDS) {
        chip_guest_error(d->chip,
                         "transmit FIFO %u was written while its %u words are "
                         "full",
                         fifo, dwc2_tx_depth(s, fifo));
    } else {
        f->word[(f->head + f->words++) % DWC2_RAM_WORDS] = v;
        count_written(s, window);
    }
}
