/* SPDX-License-Identifier: MIT */
/*
 * rcc.h - what the reset and clock controllers of all families have in
 * common: clocks that need time to start, reset bits, limits.
 */
#ifndef SIM_RCC_H
#define SIM_RCC_H

#include "periph.h"

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
