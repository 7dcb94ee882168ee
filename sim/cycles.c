/* SPDX-License-Identifier: MIT */
/*
 * cycles.c - the table behind cycles.h.  Encodings: ARMv7-M ARM (DDI 0403) and
 * ARMv6-M ARM (DDI 0419), chapter A5 both.
 */
#include "cycles.h"

static unsigned bits_set(unsigned v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

/* A5.2.5 miscellaneous 16-bit instructions, 0xBxxx. */
static unsigned misc16(unsigned op)
{
    if ((op & 0xfe00) == 0xb400 || (op & 0xfe00) == 0xbc00) /* PUSH, POP */
        return 1 + bits_set(op & 0x1ff);
    if ((op & 0xffe8) == 0xb660) /* CPS */
        return 1 | OP_SPECIAL;
    if ((op & 0xff00) == 0xbf00 && op != 0xbf00) /* IT and hints, not NOP */
        return 1 | OP_SPECIAL;
    return 1;
}

/* Loading PC from the stack: 4 + registers there, 3 + registers here. */
static unsigned misc16_v6m(unsigned op)
{
    unsigned cost = misc16(op);

    if ((op & 0xff00) == 0xbd00)
        cost++;
    return cycles_v6m_knows(op, 0) ? cost : cost | OP_SPECIAL;
}

static unsigned narrow(unsigned op, unsigned store, enum cpu_kind kind)
{
    unsigned top = op >> 11;

    if (top == 9) /* LDR literal */
        return 2 | OP_LITERAL;
    if ((op & 0xf000) == 0x5000) /* register offset: stores are 0..2 */
        return ((op >> 9) & 7) < 3 ? store : 2;
    if (top >= 12 && top <= 19) /* immediate offset, odd = load */
        return top & 1 ? 2 : store;
    if ((op & 0xf000) == 0xc000) /* LDM, STM */
        return (1 + bits_set(op & 0xff)) | OP_SPECIAL;
    if ((op & 0xf000) == 0xb000)
        return cpu_is_v6m(kind) ? misc16_v6m(op) : misc16(op);
    return 1;
}

/* All are looked at: BL is known by its second half-word. */
static unsigned wide_v6m(unsigned op, enum cpu_kind kind)
{
    return (op < 0xf380 ? 2 : kind == CPU_CORTEX_M0 ? 4 : 3) | OP_SPECIAL;
}

/* A5.3: first half-words 0xE8xx to 0xFFxx. */
static unsigned wide(unsigned op, enum cpu_kind kind)
{
    if ((op & 0xfe40) == 0xe800) /* LDM, STM; PUSH, POP with base SP */
        return 1 | OP_LIST | ((op & 15) == 13 ? 0 : OP_SPECIAL);
    if ((op & 0xffe0) == 0xe8c0) /* narrow exclusives, table branch */
        return 2;
    if ((op & 0xfe40) == 0xe840) /* LDRD, STRD, LDREX, STREX */
        return 3 | ((op & 15) >= 13 ? 0 : OP_SPECIAL);
    if ((op & 0xfff0) == 0xf380) /* MSR */
        return 2 | OP_SPECIAL;
    if ((op & 0xfe00) == 0xf800) /* single load, store */
        return !(op & 0x10) ? 1 : (op & 0xf) == 15 ? 2 | OP_LITERAL : 2;
    if ((op & 0xffd0) == 0xfb90) /* SDIV, UDIV */
        return 7;
    if ((op & 0xff80) == 0xfb80) /* long multiply */
        return kind == CPU_CORTEX_M4F ? 1 : 4;
    if ((op & 0xee00) == 0xec00) /* coprocessor (FPU) load, store */
        return 2;
    return 1;
}

void cycles_table(enum cpu_kind kind, uint8_t table[65536])
{
    bool v6m = cpu_is_v6m(kind);
    unsigned op;

    for (op = 0; op < 0x10000; op++)
        table[op] = (uint8_t)(op < 0xe800 ? narrow(op, v6m ? 2 : 1, kind)
                              : v6m       ? wide_v6m(op, kind)
                                          : wide(op, kind));
}

unsigned cycles_refill(enum cpu_kind kind)
{
    return kind == CPU_CORTEX_M0P ? 1 : 2;
}

unsigned cycles_entry(enum cpu_kind kind)
{
    return kind == CPU_CORTEX_M0 ? 16 : kind == CPU_CORTEX_M0P ? 15 : 12;
}

bool cycles_v6m_knows(unsigned op, unsigned op2)
{
    if (op >= 0xe800) /* A5.3: BL, MSR, barriers, MRS */
        return ((op & 0xf800) == 0xf000 && (op2 & 0xd000) == 0xd000) ||
               ((op & 0xffe0) == 0xf380 && (op2 & 0xd000) == 0x8000) ||
               (op == 0xf3bf && (op2 & 0xffc0) == 0x8f40) ||
               (op == 0xf3ef && (op2 & 0xd000) == 0x8000);
    if ((op & 0xf500) == 0xb100) /* CBZ, CBNZ */
        return false;
    if ((op & 0xffc0) == 0xb640) /* of CPS and SETEND: CPS i */
        return op == 0xb662 || op == 0xb672;
    return (op & 0xff00) != 0xbf00 || !(op & 0xf); /* no IT */
}
