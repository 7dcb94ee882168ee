/* SPDX-License-Identifier: MIT */
/*
 * cycles.h - how long an instruction takes: the stated cycle model.
 *
 * Sources: Cortex-M3 TRM r1p1 (DDI 0337) chapter 18, Cortex-M4 TRM (DDI 0439)
 * section 3.3, Cortex-M0 TRM (DDI 0432) and Cortex-M0+ TRM (DDI 0484), section
 * 3.3 both.  Simplified:
 *
 *   everything else        1
 *   load                   2 (neighbours do not overlap)
 *   store                  M3, M4: 1 (write buffer); M0, M0+: 2
 *   LDM, STM, PUSH, POP    1 + registers; with PC: see taken branch, and 1
 *                          more on M0 and M0+
 *   LDRD, STRD             3
 *   multiply               1; 32x32->64: M3 4 (3..5), M4 1; M0 1
 *   SDIV, UDIV             M3, M4 7 (2..12)
 *   BL, MRS, MSR, barriers M0: 2, 4, 4, 4; M0+: 2, 3, 3, 3
 *   taken branch           + 2 refill (any write of PC; M0+: 1) + flash wait
 *                          states
 *   data read from flash   + wait states (literal pools only; other reads of
 *                          flash are not told from reads of RAM)
 *   straight code          prefetch on: a line (F1: 64 bits) comes 1 + wait
 *                          states after the one before, so long instructions
 *                          may have to wait; a literal read holds that up.
 *                          Prefetch off: wait states per line.  F4 with its
 *                          cache on: none, it counts as always right
 *   exception              12 entry (M0 16, M0+ 15), 10 return, 6
 *                          tail-chained; an extended frame 17 more each way,
 *                          nothing when it is lazy
 *
 * Error, by published measurements of programs that were built again with GCC
 * 12.2 (docs/simulator-limits.md has the figures): 3 % fast on average without
 * wait states, single programs 29 % fast to 23 % slow; 8 to 12 % fast on an
 * STM32F103 at two wait states.
 */
#ifndef SIM_CYCLES_H
#define SIM_CYCLES_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"

/* One byte for each first half-word of an instruction. */
enum {
    OP_CYCLES = 0x1f,
    OP_LITERAL = 0x20, /* reads the literal pool */
    OP_LIST = 0x40,    /* register list in the second half-word */
    /* IT, hints, CPS, MSR, aligned access, what an M0 may not know: look
     * closer */
    OP_SPECIAL = 0x80,
};

enum {
    CYCLES_RETURN = 10,
    CYCLES_TAIL = 6,
    CYCLES_FPU = 17,
};

void cycles_table(enum cpu_kind kind, uint8_t table[65536]);
unsigned cycles_refill(enum cpu_kind kind);
unsigned cycles_entry(enum cpu_kind kind);
/* ARMv6-M has this instruction; op2 is its second half-word, if it is one of
 * 32 bits (ARMv6-M ARM, DDI 0419, A5.2 and A5.3). */
bool cycles_v6m_knows(unsigned op, unsigned op2);

#endif
