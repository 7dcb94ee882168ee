/* SPDX-License-Identifier: MIT */
/*
 * usart.c - transmitter of the USARTs of F1 and F4, and of F0 and L0, where the
 * same lies elsewhere.  RM0008 chapter 27, RM0090 chapter 30, RM0091 chapter
 * 27.
 *
 * Not here: the receiver, DMA, synchronous, LIN, IrDA and smartcard modes,
 * parity errors.
 */
#include "periph.h"

enum {
    SR = 0x00,
    DR = 0x04,
    BRR = 0x08,
    CR1 = 0x0c,
    CR2 = 0x10,
    CR3 = 0x14,
    GTPR = 0x18,
};

enum { REGS = 7, LINE_MAX = 120 };

#define SR_TC      (1u << 6)
#define SR_TXE     (1u << 7)
#define CR1_RE     (1u << 2)
#define CR1_TE     (1u << 3)
#define CR1_RXNEIE (1u << 5)
#define CR1_TCIE   (1u << 6)
#define CR1_TXEIE  (1u << 7)
#define CR1_M      (1u << 12)
#define CR1_UE     (1u << 13)
#define CR1_OVER8  (1u << 15) /* F4 */
#define CR3_DMA    0xc0u

struct usart {
    uint32_t reg[REGS]; /* by offset / 4; SR and DR are not kept here */
    uint32_t sr;
    bool shifting, full; /* shift register, data register */
    uint8_t shift, data;
    sim_time done_at;
    bool silent; /* no pin carries TX, and that was said */
    unsigned n;
    char line[LINE_MAX + 1];
};

static const struct usart_facts *facts(const struct dev *d)
{
    return d->desc->facts;
}

static void update_irq(struct dev *d)
{
    const struct usart *u = d->state;
    uint32_t cr1 = u->reg[CR1 / 4];

    chip_irq(d->chip, d->desc->irq[0],
             (cr1 & CR1_TXEIE && u->sr & SR_TXE) ||
                 (cr1 & CR1_TCIE && u->sr & SR_TC));
}

/* Clock cycles of a bit.  Oversampling by 8: BRR has three bits of fraction
 * instead of four, in the same place (RM0090 30.3.4). */
static uint64_t bit_cycles(struct dev *d)
{
    const struct usart *u = d->state;
    uint32_t brr = u->reg[BRR / 4] & 0xffff;

    if (facts(d)->over8 && u->reg[CR1 / 4] & CR1_OVER8)
        return (brr >> 4) * 8 + (brr & 7);
    return brr;
}

/* Start bit, 8 or 9 data bits, 0.5 to 2 stop bits, in picoseconds. */
static sim_time frame_time(struct dev *d)
{
    static const uint8_t stop_halves[] = {2, 1, 4, 3};
    const struct usart *u = d->state;
    uint32_t hz = chip_clock_hz(d->chip, facts(d)->clock);
    uint64_t halves = u->reg[CR1 / 4] & CR1_M ? 20 : 18;

    halves += stop_halves[u->reg[CR2 / 4] >> 12 & 3];
    return halves * bit_cycles(d) * (SIM_S / 1000) / hz * 1000 / 2;
}

static bool pin_carries_tx(struct dev *d)
{
    const struct usart_facts *f = facts(d);
    unsigned i;

    for (i = 0; i < USART_PINS && f->tx[i].port; i++)
        if (chip_pin_function(d->chip, f->tx[i].port, f->tx[i].pin) ==
            (int)f->function)
            return true;
    return false;
}

static void end_line(struct dev *d)
{
    struct usart *u = d->state;

    u->line[u->n] = 0;
    if (u->n)
        chip_report(d->chip, EV_USART, "%s: %s", d->desc->name, u->line);
    u->n = 0;
}

static void show(struct dev *d, uint8_t ch)
{
    struct usart *u = d->state;

    chip_usart_put(d->chip, (char)ch);
    if (ch == '\n' || ch == '\r') {
        end_line(d);
        return;
    }
    u->line[u->n++] = ch >= 0x20 && ch < 0x7f ? (char)ch : '.';
    if (u->n == LINE_MAX)
        end_line(d);
}

static void begin_frame(struct dev *d, sim_time from)
{
    struct usart *u = d->state;

    if (!bit_cycles(d)) {
        chip_guest_error(d->chip, "%s sends without a baud rate in BRR",
                         d->desc->name);
        u->full = false;
        return;
    }
    u->shift = u->data;
    u->full = false;
    u->shifting = true;
    u->sr = (u->sr | SR_TXE) & ~SR_TC;
    u->done_at = from + frame_time(d);
}

static void end_frame(struct dev *d)
{
    struct usart *u = d->state;

    u->shifting = false;
    if (pin_carries_tx(d))
        show(d, u->shift);
    else if (!u->silent)
        chip_guest_error(d->chip,
                         "%s sends, but no TX pin is an alternate function "
                         "output",
                         d->desc->name);
    u->silent = !pin_carries_tx(d);
    if (u->full)
        begin_frame(d, u->done_at);
    else
        u->sr |= SR_TC;
    update_irq(d);
}

static void data_write(struct dev *d, uint32_t v)
{
    struct usart *u = d->state;

    if ((u->reg[CR1 / 4] & (CR1_UE | CR1_TE)) != (CR1_UE | CR1_TE)) {
        chip_guest_error(d->chip, "%s written without UE and TE",
                         d->desc->name);
        return;
    }
    if (u->full)
        chip_guest_error(d->chip,
                         "%s overwrites a byte that was not sent yet "
                         "(TXE clear)",
                         d->desc->name);
    u->data = (uint8_t)v;
    u->full = true;
    u->sr &= ~(SR_TXE | SR_TC);
    if (!u->shifting)
        begin_frame(d, chip_now(d->chip));
}

static void note_unmodelled(struct dev *d, uint32_t off, uint32_t v)
{
    if (off == CR1 && v & CR1_RXNEIE)
        dev_unmodelled(d, CR1, "receiver");
    if (off == CR3 && v & CR3_DMA)
        dev_unmodelled(d, CR3, "DMA");
}

static void reg_write(struct dev *d, uint32_t off, uint32_t v)
{
    struct usart *u = d->state;

    if (off == SR) {
        u->sr &= v | ~SR_TC; /* TC is cleared by writing 0 */
    } else if (off == DR) {
        data_write(d, v);
    } else if (off / 4 < REGS) {
        note_unmodelled(d, off, v);
        u->reg[off / 4] = v;
    } else {
        dev_unmodelled(d, off, "register");
    }
    update_irq(d);
}

static uint32_t reg_read(struct dev *d, uint32_t off)
{
    const struct usart *u = d->state;

    if (off == SR)
        return u->sr;
    if (off == DR)
        return 0; /* nothing was received */
    if (off / 4 < REGS)
        return u->reg[off / 4];
    dev_unmodelled(d, off, "register");
    return 0;
}

static uint32_t usart_read(struct dev *d, unsigned range, uint32_t off,
                           unsigned size)
{
    (void)range, (void)size;
    return reg_read(d, off & ~3u) >> 8 * (off & 3);
}

static void usart_write(struct dev *d, unsigned range, uint32_t off,
                        unsigned size, uint32_t value)
{
    const struct usart *u = d->state;
    uint32_t reg = off & ~3u;
    uint32_t old = reg == SR || reg == DR ? 0 : reg_read(d, reg);

    (void)range;
    if (reg == SR)
        old = u->sr;
    reg_write(d, reg, reg_merge(old, off, size, value));
}

static sim_time usart_deadline(struct dev *d)
{
    const struct usart *u = d->state;

    return u->shifting ? u->done_at : SIM_NEVER;
}

static void usart_reset(struct dev *d, enum reset_cause cause)
{
    struct usart *u = d->state;

    (void)cause;
    end_line(d);
    *u = (struct usart){.sr = SR_TXE | SR_TC};
    update_irq(d);
}

/* ---- F0 and L0: ISR and ICR in place of SR, RDR and TDR in place of DR ----
 */

enum {
    V2_CR1 = 0x00,
    V2_CR2 = 0x04,
    V2_CR3 = 0x08,
    V2_BRR = 0x0c,
    V2_GTPR = 0x10,
    V2_RTOR = 0x14,
    V2_RQR = 0x18,
    V2_ISR = 0x1c,
    V2_ICR = 0x20,
    V2_RDR = 0x24,
    V2_TDR = 0x28,
};

#define V2_CR1_UE    1u
#define V2_ISR_TEACK (1u << 21)
#define V2_ISR_REACK (1u << 22)
/* What cannot be written while UE is set (27.8.1): M1, DEAT, DEDT, OVER8, M0,
 * WAKE, PCE, PS. */
#define V2_CR1_FIXED 0x13ffb600u

static uint32_t to_v2(const struct usart *u, uint32_t off)
{
    uint32_t cr1 = u->reg[CR1 / 4];

    switch (off) {
    case V2_CR1:
        return (cr1 & ~CR1_UE) | (cr1 & CR1_UE ? V2_CR1_UE : 0);
    case V2_CR2:
        return u->reg[CR2 / 4];
    case V2_CR3:
        return u->reg[CR3 / 4];
    case V2_BRR:
        return u->reg[BRR / 4];
    case V2_GTPR:
        return u->reg[GTPR / 4];
    case V2_ISR:
        return u->sr | (cr1 & CR1_UE && cr1 & CR1_TE ? V2_ISR_TEACK : 0) |
               (cr1 & CR1_UE && cr1 & CR1_RE ? V2_ISR_REACK : 0);
    }
    return 0;
}

static bool fixed(struct dev *d, const char *reg)
{
    const struct usart *u = d->state;

    if (!(u->reg[CR1 / 4] & CR1_UE))
        return false;
    chip_guest_error(d->chip, "%s_%s changed while UE is set", d->desc->name,
                     reg);
    return true;
}

static void write_v2(struct dev *d, uint32_t off, uint32_t v)
{
    struct usart *u = d->state;
    uint32_t old = to_v2(u, off);

    switch (off) {
    case V2_CR1:
        if ((old ^ v) & V2_CR1_FIXED && fixed(d, "CR1"))
            v = (v & ~V2_CR1_FIXED) | (old & V2_CR1_FIXED);
        reg_write(d, CR1,
                  (v & ~(V2_CR1_UE | CR1_UE)) | (v & V2_CR1_UE ? CR1_UE : 0));
        break;
    case V2_CR2:
        reg_write(d, CR2, v);
        break;
    case V2_CR3:
        reg_write(d, CR3, v);
        break;
    case V2_BRR:
        if (v == old || !fixed(d, "BRR"))
            reg_write(d, BRR, v);
        break;
    case V2_GTPR:
        reg_write(d, GTPR, v);
        break;
    case V2_ICR:
        reg_write(d, SR, u->sr & ~(v & SR_TC));
        break;
    case V2_TDR:
        reg_write(d, DR, v);
        break;
    case V2_ISR:
    case V2_RDR:
        break;
    default: /* RTOR and RQR are the receiver's, or of special modes */
        dev_unmodelled(d, off, "register");
    }
}

static uint32_t usart_v2_read(struct dev *d, unsigned range, uint32_t off,
                              unsigned size)
{
    (void)range, (void)size;
    if (off > V2_TDR + 3)
        dev_unmodelled(d, off & ~3u, "register");
    return to_v2(d->state, off & ~3u) >> 8 * (off & 3);
}

static void usart_v2_write(struct dev *d, unsigned range, uint32_t off,
                           unsigned size, uint32_t value)
{
    uint32_t reg = off & ~3u;

    (void)range;
    write_v2(d, reg, reg_merge(to_v2(d->state, reg), off, size, value));
}

const struct device_ops usart_v2_ops = {
    .state_size = sizeof(struct usart),
    .steady = true,
    .reset = usart_reset,
    .read = usart_v2_read,
    .write = usart_v2_write,
    .deadline = usart_deadline,
    .event = end_frame,
};

const struct device_ops usart_ops = {
    .state_size = sizeof(struct usart),
    .steady = true,
    .reset = usart_reset,
    .read = usart_read,
    .write = usart_write,
    .deadline = usart_deadline,
    .event = end_frame,
};
