/* SPDX-License-Identifier: MIT */
/*
 * rcc.h - what the reset and clock controllers of all families have in
 * common: clocks that need time to start, reset bits, limits.
 */
#ifndef SIM_RCC_H
#define SIM_RCC_H

#include "periph.h"

/* Alike in RM0008 7.3 and RM0090 7.3. */
#define CR_HSION     (1u << 0)
#define CR_HSIRDY    (1u << 1)
#define CR_HSEON     (1u << 16)
#define CR_HSERDY    (1u << 17)
#define CR_PLLON     (1u << 24)
#define CR_PLLRDY    (1u << 25)
#define CFGR_SW      3u
#define BDCR_LSEON   (1u << 0)
#define BDCR_LSERDY  (1u << 1)
#define BDCR_BDRST   (1u << 16)
#define BDCR_WRITE   0x18305u
#define CSR_LSION    (1u << 0)
#define CSR_LSIRDY   (1u << 1)
#define CSR_RMVF     (1u << 24)
#define CSR_PINRSTF  (1u << 26)
#define CSR_PORRSTF  (1u << 27)
#define CSR_SFTRSTF  (1u << 28)
#define CSR_IWDGRSTF (1u << 29)

/* The source of the system clock, and that of the PLL (but SW_PLL).  HSI48 is
 * F0's; the others have nothing in its place. */
enum { SW_HSI, SW_HSE, SW_PLL, SW_HSI48 };

/* How long each takes to be stable. */
struct rcc_times {
    sim_time hsi, hse, pll, lsi, lse;
};

/* What all have, at the start of the state of each. */
struct rcc {
    uint32_t cr, cfgr, bdcr, csr;
    unsigned used; /* SWS: the switch happens when the source is ready */
    unsigned broken;
    /* When they are stable, SIM_NEVER while off. */
    sim_time hsi_at, hse_at, pll_at, hsi48_at, lsi_at, lse_at;
};

/* By HPRE and, at that bit, PPRE of CFGR. */
uint32_t rcc_ahb_hz(struct dev *rcc, uint32_t sys_hz);
uint32_t rcc_apb_hz(struct dev *rcc, uint32_t ahb_hz, unsigned at);
/* With the ready bits of HSI, HSE and PLL. */
uint32_t rcc_cr_read(struct dev *rcc);
/* v: only bits that can be written.  source: what the PLL runs on. */
void rcc_cr_write(struct dev *rcc, unsigned source, uint32_t v,
                  const struct rcc_times *times);
/* As rcc_start(), of a PLL with its enable bit in CR. */
sim_time rcc_start_pll(struct dev *rcc, unsigned source, uint32_t old,
                       uint32_t bit, sim_time at, sim_time lock);
/* v: only bits that can be written. */
void rcc_cfgr_write(struct dev *rcc, uint32_t v);
/* To the source that CFGR.SW selects, as soon as it is ready (7.2.6). */
void rcc_try_switch(struct dev *rcc);
/* backup: the device that a reset of the backup domain clears. */
void rcc_bdcr_write(struct dev *rcc, uint32_t v, sim_time lse_start,
                    const char *backup);
/* flags: the reset flags of the family, which RMVF clears. */
void rcc_csr_write(struct dev *rcc, uint32_t v, uint32_t flags,
                   sim_time lsi_start);
/* The backup domain and the reset flags outlive a system reset. */
void rcc_restart(struct dev *rcc, enum reset_cause cause, uint32_t cr,
                 uint32_t flags);
/* power: the flags of power-on. */
void rcc_reset_flag(struct dev *rcc, enum reset_cause cause, uint32_t power);

/* A clock that is stable from `at` on; SIM_NEVER while it is off. */
bool rcc_ready(struct dev *rcc, sim_time at);
/* When a clock is stable after the register with its enable bit went from old
 * to now. */
sim_time rcc_start(struct dev *rcc, uint32_t old, uint32_t now, uint32_t bit,
                   sim_time at, sim_time delay);
/* The nearest of n such times that is still to come. */
sim_time rcc_next(struct dev *rcc, const sim_time *at, unsigned n);
/* A reset register at offset reg is written: rising bits reset. */
void rcc_pulse(struct dev *rcc, uint16_t reg, uint32_t *was, uint32_t v);
/* A rule that is broken for as long as a setting stands: told once each. */
void rcc_rule(struct dev *rcc, unsigned *broken, unsigned which, bool is_broken,
              const char *text);

#endif
