/* SPDX-License-Identifier: MIT */
/*
 * cells.h - the cells of a flash array under an operation that a controller
 * starts: done, torn by a power cut, or failing because they are worn.
 */
#ifndef SIM_CELLS_H
#define SIM_CELLS_H

#include "model.h"

/* One erase: all n bytes at this offset become what erased cells read. */
void cells_erase(struct chip *c, uint32_t off, size_t n);
/* One program of 1, 2 or 4 bytes: bits leave the erased state only. */
void cells_program(struct chip *c, uint32_t off, unsigned size, uint32_t value);
/* One program of n words that follow each other. */
void cells_program_row(struct chip *c, uint32_t off, const uint32_t *word,
                       unsigned n);
/* One write of 1, 2 or 4 bytes of a data EEPROM, which erases them as needed;
 * torn, each bit is the old one or the new one. */
void cells_rewrite(struct chip *c, uint8_t *cells, unsigned size,
                   uint32_t value);

#endif
