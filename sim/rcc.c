/* SPDX-License-Identifier: MIT */
/*
 * rcc.c - what the reset and clock controllers of all families share.
 */
#include "rcc.h"

bool rcc_ready(struct dev *rcc, sim_time at)
{
    return at <= chip_now(rcc->chip);
}

sim_time rcc_start(struct dev *rcc, uint32_t old, uint32_t now, uint32_t bit,
                   sim_time at, sim_time delay)
{
    if (!(now & bit))
        return SIM_NEVER;
    return old & bit ? at : chip_now(rcc->chip) + delay;
}

sim_time rcc_next(struct dev *rcc, const sim_time *at, unsigned n)
{
    sim_time next = SIM_NEVER, now = chip_now(rcc->chip);
    unsigned i;

    for (i = 0; i < n; i++)
        if (at[i] > now && at[i] < next)
            next = at[i];
    return next;
}

void rcc_pulse(struct dev *rcc, uint16_t reg, uint32_t *was, uint32_t v)
{
    uint32_t rising = v & ~*was;
    uint8_t i;

    *was = v;
    for (i = 0; i < 32; i++)
        if (rising >> i & 1)
            chip_reset_dev(rcc->chip, (struct rcc_bit){reg, i});
}

void rcc_rule(struct dev *rcc, unsigned *broken, unsigned which, bool is_broken,
              const char *text)
{
    if (is_broken && !(*broken & which))
        chip_guest_error(rcc->chip, "%s", text);
    *broken = is_broken ? *broken | which : *broken & ~which;
}

/* ---- frequencies ---- */

uint32_t rcc_ahb_hz(struct dev *rcc, uint32_t sys_hz)
{
    static const uint8_t shift[] = {1, 2, 3, 4, 6, 7, 8, 9};
    const struct rcc *r = rcc->state;
    unsigned code = r->cfgr >> 4 & 15;

    return code < 8 ? sys_hz : sys_hz >> shift[code - 8];
}

uint32_t rcc_apb_hz(struct dev *rcc, uint32_t ahb_hz, unsigned at)
{
    const struct rcc *r = rcc->state;
    unsigned code = r->cfgr >> at & 7;

    return code < 4 ? ahb_hz : ahb_hz >> (code - 3);
}

/* ---- CR, CFGR ---- */

uint32_t rcc_cr_read(struct dev *rcc)
{
    const struct rcc *r = rcc->state;

    return r->cr | (rcc_ready(rcc, r->hsi_at) ? CR_HSIRDY : 0) |
           (rcc_ready(rcc, r->hse_at) ? CR_HSERDY : 0) |
           (rcc_ready(rcc, r->pll_at) ? CR_PLLRDY : 0);
}

static uint32_t needs(unsigned pll_source, unsigned source)
{
    if (source == SW_PLL)
        return CR_PLLON | needs(pll_source, pll_source);
    return source == SW_HSE ? CR_HSEON : source == SW_HSI ? CR_HSION : 0;
}

/* 7.3.1: a clock that the system runs on, or is about to, stays on. */
static uint32_t keep_used(struct dev *rcc, unsigned source, uint32_t v)
{
    const struct rcc *r = rcc->state;
    uint32_t keep = needs(source, r->used) | needs(source, r->cfgr & CFGR_SW);

    keep &= r->cr & ~v;
    if (keep)
        chip_guest_error(rcc->chip, "RCC_CR switches off a clock that the "
                                    "system runs on");
    return v | keep;
}

static sim_time source_at(const struct rcc *r, unsigned sw)
{
    const sim_time at[] = {r->hsi_at, r->hse_at, r->pll_at, r->hsi48_at};

    return at[sw];
}

sim_time rcc_start_pll(struct dev *rcc, unsigned source, uint32_t old,
                       uint32_t bit, sim_time at, sim_time lock)
{
    const struct rcc *r = rcc->state;

    if (old & bit || !(r->cr & bit))
        return rcc_start(rcc, old, r->cr, bit, at, 0);
    if (rcc_ready(rcc, source_at(r, source)))
        return chip_now(rcc->chip) + lock;
    chip_guest_error(rcc->chip, "PLL switched on before its input clock is "
                                "stable");
    return SIM_NEVER;
}

void rcc_cr_write(struct dev *rcc, unsigned source, uint32_t v,
                  const struct rcc_times *times)
{
    struct rcc *r = rcc->state;
    uint32_t old = r->cr;

    r->cr = keep_used(rcc, source, v);
    r->hsi_at = rcc_start(rcc, old, r->cr, CR_HSION, r->hsi_at, times->hsi);
    r->hse_at = rcc_start(rcc, old, r->cr, CR_HSEON, r->hse_at, times->hse);
    if (!chip_hse_hz(rcc->chip))
        r->hse_at = SIM_NEVER;
    r->pll_at =
        rcc_start_pll(rcc, source, old, CR_PLLON, r->pll_at, times->pll);
}

void rcc_cfgr_write(struct dev *rcc, uint32_t v)
{
    struct rcc *r = rcc->state;
    uint32_t changed = r->cfgr ^ v;
    unsigned sw = v & CFGR_SW;

    r->cfgr = v;
    if (changed & CFGR_SW && source_at(r, sw) == SIM_NEVER)
        chip_guest_error(rcc->chip, "RCC_CFGR.SW selects a clock that is off");
}

void rcc_try_switch(struct dev *rcc)
{
    struct rcc *r = rcc->state;
    unsigned sw = r->cfgr & CFGR_SW;

    if (sw != r->used && rcc_ready(rcc, source_at(r, sw)))
        r->used = sw;
}

/* ---- backup domain, reset flags ---- */

void rcc_bdcr_write(struct dev *rcc, uint32_t v, sim_time lse_start,
                    const char *backup)
{
    struct dev *domain = chip_dev(rcc->chip, backup);
    struct rcc *r = rcc->state;
    uint32_t old = r->bdcr;

    if (!pwr_backup_open(rcc->chip)) {
        chip_guest_error(rcc->chip, "RCC_BDCR written without PWR_CR.DBP");
        return;
    }
    r->bdcr = v & BDCR_WRITE;
    if (v & BDCR_BDRST) {
        r->bdcr = BDCR_BDRST;
        if (!(old & BDCR_BDRST) && domain)
            domain->desc->ops->reset(domain, RESET_POWER);
    }
    r->lse_at = rcc_start(rcc, old, r->bdcr, BDCR_LSEON, r->lse_at, lse_start);
}

void rcc_csr_write(struct dev *rcc, uint32_t v, uint32_t flags,
                   sim_time lsi_start)
{
    struct rcc *r = rcc->state;
    uint32_t old = r->csr;

    if (v & CSR_RMVF)
        r->csr &= ~flags;
    r->csr = (r->csr & flags) | (v & CSR_LSION);
    r->lsi_at = rcc_start(rcc, old, r->csr, CSR_LSION, r->lsi_at, lsi_start);
}

void rcc_restart(struct dev *rcc, enum reset_cause cause, uint32_t cr,
                 uint32_t flags)
{
    struct rcc *r = rcc->state;
    struct rcc old = *r;

    *r = (struct rcc){.cr = cr};
    r->hse_at = r->pll_at = r->hsi48_at = r->lsi_at = r->lse_at = SIM_NEVER;
    if (cause == RESET_POWER)
        return;
    r->bdcr = old.bdcr;
    r->lse_at = old.lse_at;
    r->csr = old.csr & flags;
}

/* 7.1.1: every source pulls NRST low as well. */
void rcc_reset_flag(struct dev *rcc, enum reset_cause cause, uint32_t power)
{
    const uint32_t flag[] = {
        [RESET_POWER] = power,
        [RESET_PIN] = 0,
        [RESET_SOFTWARE] = CSR_SFTRSTF,
        [RESET_IWDG] = CSR_IWDGRSTF,
    };
    struct rcc *r = rcc->state;

    r->csr |= CSR_PINRSTF | flag[cause];
}
