/* SPDX-License-Identifier: MIT */
/*
 * pwr_l0.c - power control and system configuration of STM32L072.  RM0376
 * chapters 6 and 10.
 *
 * Not here: low-power modes, voltage detector, EXTI, remapping of memory to
 * address 0.
 */
#include "periph.h"

/* ---- PWR ---- */

enum { PWR_CR = 0x00, PWR_CSR = 0x04 };

#define CR_CLEARS 0xcu /* CWUF, CSBF: read as 0 */
#define CR_LPDS   (1u << 0)
#define CR_PDDS   (1u << 1)
#define CR_PVDE   (1u << 4)
#define CR_LPRUN  (1u << 14)
#define CR_WRITE  0x7ff3u
#define CR_RESET  0x1000u /* 6.4.1: range 2 */
#define CSR_VREF  (1u << 3)
#define CSR_VOSF  (1u << 4)
#define CSR_EWUP  0x700u

/* For the regulator to reach another voltage; the manual wants VOSF waited
 * for and has no time. */
#define T_VOS (20 * SIM_US)

struct pwr_l0 {
    uint32_t cr, csr;
    unsigned range;
    sim_time ready_at; /* that range is reached; SIM_NEVER: it is */
};

unsigned pwr_l0_range(struct chip *c)
{
    const struct pwr_l0 *p = chip_dev(c, "PWR")->state;

    return p->range;
}

static uint32_t pwr_read(struct dev *d, unsigned range, uint32_t off,
                         unsigned size)
{
    const struct pwr_l0 *p = d->state;
    uint32_t v = 0;

    (void)range, (void)size;
    if ((off & ~3u) == PWR_CR)
        v = p->cr;
    else if ((off & ~3u) == PWR_CSR)
        v = p->csr | CSR_VREF | (p->ready_at != SIM_NEVER ? CSR_VOSF : 0);
    else
        dev_unmodelled(d, off, "register");
    return v >> 8 * (off & 3);
}

/* 6.1.5: VOS may change while VOSF is 0.  The clocks have to fit the lower of
 * both voltages meanwhile. */
static void new_range(struct dev *d)
{
    struct pwr_l0 *p = d->state;
    unsigned vos = p->cr >> 11 & 3;

    if (p->ready_at != SIM_NEVER)
        chip_guest_error(d->chip, "PWR_CR.VOS written while PWR_CSR.VOSF is "
                                  "set");
    if (!vos) {
        chip_guest_error(d->chip, "PWR_CR.VOS has a range that does not exist");
        return;
    }
    p->ready_at = chip_now(d->chip) + T_VOS;
    if (vos > p->range)
        p->range = vos;
    chip_clocks_changed(d->chip);
}

static void pwr_write(struct dev *d, unsigned range, uint32_t off,
                      unsigned size, uint32_t value)
{
    struct pwr_l0 *p = d->state;
    uint32_t old = p->cr;

    (void)range;
    if ((off & ~3u) == PWR_CR)
        p->cr = reg_merge(p->cr, off, size, value) & CR_WRITE;
    else if ((off & ~3u) == PWR_CSR)
        p->csr = reg_merge(p->csr, off, size, value) & CSR_EWUP;
    else
        dev_unmodelled(d, off, "register");
    if (p->cr & (CR_LPDS | CR_PDDS | CR_PVDE | CR_LPRUN))
        dev_unmodelled(d, PWR_CR, "low-power modes or voltage detector");
    if ((p->cr ^ old) >> 11 & 3)
        new_range(d);
}

static sim_time pwr_deadline(struct dev *d)
{
    const struct pwr_l0 *p = d->state;

    return p->ready_at;
}

static void pwr_event(struct dev *d)
{
    struct pwr_l0 *p = d->state;

    p->ready_at = SIM_NEVER;
    p->range = p->cr >> 11 & 3;
    chip_clocks_changed(d->chip);
}

static void pwr_reset(struct dev *d, enum reset_cause cause)
{
    struct pwr_l0 *p = d->state;

    (void)cause;
    *p = (struct pwr_l0){
        .cr = CR_RESET, .range = CR_RESET >> 11, .ready_at = SIM_NEVER};
}

const struct device_ops pwr_l0_ops = {
    .state_size = sizeof(struct pwr_l0),
    .reset = pwr_reset,
    .read = pwr_read,
    .write = pwr_write,
    .deadline = pwr_deadline,
    .event = pwr_event,
};

/* ---- SYSCFG: it remembers ---- */

enum {
    CFGR1 = 0x00,
    CFGR3 = 0x20,
    SYSCFG_REGS = 9,
};

#define CFGR3_ENREF_HSI48  (1u << 13)
#define CFGR3_VREFINT_RDYF (1u << 30)

struct syscfg_l0 {
    uint32_t reg[SYSCFG_REGS];
};

/* 10.2.3; VREFINT itself is always on while the chip runs (6.1.3). */
bool syscfg_l0_hsi48_reference(struct chip *c)
{
    const struct syscfg_l0 *s = chip_dev(c, "SYSCFG")->state;

    return s->reg[CFGR3 / 4] & CFGR3_ENREF_HSI48;
}

static uint32_t syscfg_read(struct dev *d, unsigned range, uint32_t off,
                            unsigned size)
{
    const struct syscfg_l0 *s = d->state;
    uint32_t v;

    (void)range, (void)size;
    if (off / 4 >= SYSCFG_REGS) {
        dev_unmodelled(d, off, "register");
        return 0;
    }
    v = s->reg[off / 4];
    if (off / 4 == CFGR3 / 4)
        v |= CFGR3_VREFINT_RDYF;
    return v >> 8 * (off & 3);
}

static void syscfg_write(struct dev *d, unsigned range, uint32_t off,
                         unsigned size, uint32_t value)
{
    struct syscfg_l0 *s = d->state;

    (void)range;
    if (off / 4 >= SYSCFG_REGS) {
        dev_unmodelled(d, off, "register");
        return;
    }
    s->reg[off / 4] = reg_merge(s->reg[off / 4], off, size, value);
    if (s->reg[CFGR1] & 3)
        dev_unmodelled(d, CFGR1, "other memory than flash at address 0");
    chip_clocks_changed(d->chip);
}

static void syscfg_reset(struct dev *d, enum reset_cause cause)
{
    struct syscfg_l0 *s = d->state;

    (void)cause;
    *s = (struct syscfg_l0){0};
}

const struct device_ops syscfg_l0_ops = {
    .state_size = sizeof(struct syscfg_l0),
    .reset = syscfg_reset,
    .read = syscfg_read,
    .write = syscfg_write,
};
