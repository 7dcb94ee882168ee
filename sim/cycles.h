/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - how long an instruction takes: the stated cycle model.
 *
 * Sources: Cortex-M3 TRM r1p1 (DDI 0337) chapter 18, Cortex-M4 TRM (DDI 0439)
 * section 3.3, Cortex-M0 TRM (DDI 0432) section 3.3.  Simplified:
 *
 *   everything else        1
 *   load                   2 (neighbours do not overlap)
 *   store                  M3, M4: 1 (write buffer); M0: 2
 *   LDM, STM, PUSH, POP    1 + registers; with PC: see taken branch
 *   LDRD, STRD             3
 *   multiply               1; 32x32->64: M3 4 (3..5), M4 1; M0 1
 *   SDIV, UDIV             M3, M4 7 (2..12)
 *   taken branch           + 2 refill (any write of PC) + flash wait states
 *   data read from flash   + wait states (literal pools only; other reads of
 *                          flash are not told from reads of RAM)
 *   straight code          prefetch on: a line (F1: 64 bits) comes 1 + wait
 *                          states after the one before, so long instructions
 *                          may have to wait; a literal read holds that up.
 *                          Prefetch off: wait states per line.  F4 with its
 *                          cache on: none, it counts as always right
 *   exception              12 entry, 10 return, 6 tail-chained; an extended
 *                          frame 17 more each way, nothing when it is lazy
 *
 * Error, by published measurements of programs that were built again with GCC
 * 12.2 (docs/simulator-limits.md has the figures): 3 % fast on average without
 * wait states, single programs 29 % fast to 23 % slow; 8 to 12 % fast on an
 * STM32F103 at two wait states.
 */
#ifndef SIM_CYCLES_H
#define SIM_CYCLES_H

#include <stdint.h>

#include "model.h"

/* One byte for each first half-word of an instruction. */
enum {
    OP_CYCLES = 0x1f,
    OP_LITERAL = 0x20, /* reads the literal pool */
    OP_LIST = 0x40,    /* register list in the second half-word */
    OP_SPECIAL = 0x80, /* IT, hints, CPS, MSR, aligned access: look closer */
};

enum {
    CYCLES_REFILL = 2,
    CYCLES_ENTRY = 12,
    CYCLES_RETURN = 10,
    CYCLES_TAIL = 6,
    CYCLES_FPU = 17,
};

void cycles_table(enum cpu_kind kind, uint8_t table[65536]);

#endif
