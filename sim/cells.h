/* SPDX-License-Identifier: MIT */
/*
 * cells.h - the cells of a flash array under an operation that a controller
 * starts: done, torn by a power cut, or failing because they are worn.
 */
#ifndef SIM_CELLS_H
#define SIM_CELLS_H

#include "model.h"

/* One erase: all n bytes at this offset become 0xFF. */
void cells_erase(struct chip *c, uint32_t off, size_t n);
/* One program of 1, 2 or 4 bytes: bits go from 1 to 0 only. */
void cells_program(struct chip *c, uint32_t off, unsigned size, uint32_t value);

#endif
