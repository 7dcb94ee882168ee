/* SPDX-License-Identifier: MIT */
/*
 * cortex.c - exceptions of a Cortex-M: priorities, entry, return with tail
 * chaining, faults, escalation and lock-up.  ARMv7-M ARM (DDI 0403), B1.5.
 *
 * Not here: registers (scs.c), late arrival (the higher priority is entered
 * one exception later), the debug monitor, lazy saving of the FPU's registers
 * (they are saved at once, in the same frame).
 */
#include "cortex.h"

#include <stdio.h>

#include "core.h"
#include "cycles.h"

enum {
    PRIORITY_NMI = -2,
    PRIORITY_HARD = -1,
    PRIORITY_THREAD = 256,
};

enum {
    FRAME_WORDS = 8,
    FRAME_BYTES = 4 * FRAME_WORDS,
    FRAME_LR = 5, /* index: r0-r3, r12, lr, pc, xpsr */
    FRAME_PC = 6,
    FRAME_XPSR = 7,
};

#define XPSR_IPSR    0x1ffu
#define XPSR_T       (1u << 24)
#define XPSR_PADDED  (1u << 9) /* in a frame: SP was not 8-byte aligned */
#define CONTROL_PSP  2u
#define CONTROL_USER 1u

/* Bit 4 is clear for an extended frame. */
#define RETURN_BASIC      0x10u
#define RETURN_HANDLER    0xfffffff1u
#define RETURN_THREAD_MSP 0xfffffff9u
#define RETURN_THREAD_PSP 0xfffffffdu

#define CCR_UNALIGN_TRP (1u << 3)
#define CCR_STKALIGN    (1u << 9)
#define SCR_SLEEPONEXIT (1u << 1)
#define SCR_SEVONPEND   (1u << 4)
#define HFSR_VECTTBL    (1u << 1)
#define HFSR_FORCED     (1u << 30)
#define HFSR_DEBUGEVT   (1u << 31)

bool exc_has(const struct exc_set *s, unsigned exception)
{
    return s->word[exception / 32] >> (exception % 32) & 1;
}

void exc_put(struct exc_set *s, unsigned exception, bool on)
{
    uint32_t bit = 1u << (exception % 32);

    if (on)
        s->word[exception / 32] |= bit;
    else
        s->word[exception / 32] &= ~bit;
}

static bool exc_any(const struct exc_set *s)
{
    unsigned i;
    uint32_t any = 0;

    for (i = 0; i < EXC_MAX / 32; i++)
        any |= s->word[i];
    return any != 0;
}

/* ---- priorities ---- */

static int priority_of(const struct cortex *k, unsigned exception)
{
    if (exception == EXC_NMI)
        return PRIORITY_NMI;
    if (exception == EXC_HARD)
        return PRIORITY_HARD;
    return k->priority[exception];
}

/* What counts for preemption: sub-priority bits removed. */
static int group_of(const struct cortex *k, int priority)
{
    if (priority < 0)
        return priority;
    return priority & ~((2 << k->aircr_group) - 1);
}

static int active_priority(const struct cortex *k)
{
    int best = PRIORITY_THREAD;
    unsigned e;

    if (!exc_any(&k->active))
        return best;
    for (e = EXC_NMI; e < EXC_MAX; e++) {
        int p;

        if (!exc_has(&k->active, e))
            continue;
        p = group_of(k, priority_of(k, e));
        if (p < best)
            best = p;
    }
    return best;
}

/* B1.5.4: active exceptions boosted by the mask registers. */
static int execution_priority(struct chip *c, bool ignore_primask)
{
    struct cortex *k = &c->live->cortex;
    int best = active_priority(k);
    int basepri = 0;

    if (!cpu_is_v6m(c->model->cpu)) {
        basepri = (int)cpu_get(c->cpu, CPU_BASEPRI);
        if (cpu_get(c->cpu, CPU_FAULTMASK) & 1 && best > PRIORITY_HARD)
            best = PRIORITY_HARD;
    }
    if (basepri && group_of(k, basepri) < best)
        best = group_of(k, basepri);
    if (!ignore_primask && cpu_get(c->cpu, CPU_PRIMASK) & 1 && best > 0)
        best = 0;
    return best;
}

static bool deliverable(const struct cortex *k, unsigned e)
{
    return exc_has(&k->pending, e) && (e < EXC_IRQ0 || exc_has(&k->enabled, e));
}

/* The pending exception that comes first; lower numbers win ties. */
static unsigned first_pending(const struct cortex *k)
{
    unsigned best = EXC_NONE, e;

    for (e = EXC_NMI; e < EXC_MAX; e++) {
        if (e % 32 == 0 && !k->pending.word[e / 32]) {
            e += 31;
            continue;
        }
        if (deliverable(k, e) &&
            (!best || priority_of(k, e) < priority_of(k, best)))
            best = e;
    }
    return best;
}

static unsigned due(struct chip *c, bool ignore_primask)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = exc_any(&k->pending) ? first_pending(k) : EXC_NONE;

    if (!e ||
        group_of(k, priority_of(k, e)) >= execution_priority(c, ignore_primask))
        return EXC_NONE;
    return e;
}

bool cortex_wakes(struct chip *c)
{
    return due(c, true) != EXC_NONE;
}

void cortex_update(struct chip *c)
{
    c->live->cpu.attention = true;
}

void cortex_pend(struct chip *c, unsigned exception)
{
    struct cortex *k = &c->live->cortex;

    if (k->scr & SCR_SEVONPEND && !exc_has(&k->pending, exception))
        c->live->cpu.event = true;
    exc_put(&k->pending, exception, true);
    if (deliverable(k, exception) || k->scr & SCR_SEVONPEND)
        cortex_update(c);
}

void cortex_irq(struct chip *c, unsigned irq, bool level)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = EXC_IRQ0 + irq;

    if (e >= EXC_MAX || exc_has(&k->level, e) == level)
        return;
    exc_put(&k->level, e, level);
    if (level)
        cortex_pend(c, e);
}

/* ---- entry ---- */

static void lock_up(struct chip *c, const char *why)
{
    c->live->locked_up = true;
    chip_guest_error(c, "lock-up: %s", why);
}

static bool in_handler(struct chip *c)
{
    return (cpu_get(c->cpu, CPU_XPSR) & XPSR_IPSR) != 0;
}

static bool push_frame(struct chip *c, uint32_t *exc_return)
{
    struct cpu *cpu = c->cpu;
    uint32_t xpsr = cpu_get(cpu, CPU_XPSR);
    bool psp = !in_handler(c) && cpu_get(cpu, CPU_CONTROL) & CONTROL_PSP;
    bool fpu = fpu_used(c);
    uint32_t old = cpu_get(cpu, psp ? CPU_PSP : CPU_MSP);
    bool pad = (fpu || c->live->cortex.ccr & CCR_STKALIGN) && old & 4;
    uint32_t sp = old - FRAME_BYTES - (fpu ? FPU_BYTES : 0) - (pad ? 4 : 0);
    uint32_t w[FRAME_WORDS];
    bool ok = true;
    unsigned i;

    for (i = 0; i < 4; i++)
        w[i] = cpu_get(cpu, (enum cpu_reg)i);
    w[4] = cpu_get(cpu, (enum cpu_reg)12);
    w[FRAME_LR] = cpu_get(cpu, CPU_LR);
    w[FRAME_PC] = cpu_get(cpu, CPU_PC) & ~1u;
    w[FRAME_XPSR] = (xpsr & ~XPSR_PADDED) | (pad ? XPSR_PADDED : 0);
    for (i = 0; i < FRAME_WORDS; i++)
        ok = bus_write_word(c, sp + 4 * i, w[i]) && ok;
    if (fpu)
        ok = fpu_push(c, sp + FRAME_BYTES) && ok;
    *exc_return = in_handler(c) ? RETURN_HANDLER
                  : psp         ? RETURN_THREAD_PSP
                                : RETURN_THREAD_MSP;
    if (fpu)
        *exc_return &= ~RETURN_BASIC;
    /* Handler mode first: it has the right to write stack pointers. */
    cpu_set(cpu, CPU_XPSR, (xpsr & ~XPSR_IPSR) | EXC_HARD | XPSR_T);
    cpu_set(cpu, psp ? CPU_PSP : CPU_MSP, sp);
    return ok;
}

/* Marks it active and jumps to its handler; the frame is on the stack. */
static void start_handler(struct chip *c, unsigned e, uint32_t exc_return)
{
    struct cortex *k = &c->live->cortex;
    uint32_t xpsr = cpu_get(c->cpu, CPU_XPSR);
    uint32_t vector;

    if (!bus_read_word(c, k->vtor + 4 * e, &vector)) {
        k->hfsr |= HFSR_VECTTBL;
        lock_up(c, "vector table cannot be read");
        return;
    }
    exc_put(&k->pending, e, false);
    exc_put(&k->active, e, true);
    cpu_set(c->cpu, CPU_XPSR, (xpsr & 0xf8000000u) | XPSR_T | (e & XPSR_IPSR));
    fpu_set_used(c, false);
    cpu_set(c->cpu, CPU_LR, exc_return);
    cpu_set(c->cpu, CPU_PC, vector & ~1u);
    c->live->cpu.next = vector & ~1u;
    c->live->cpu.pc = vector & ~1u;
    c->live->cpu.event = true;
    c->live->sleeping = false;
    if (!(vector & 1))
        lock_up(c, "vector without Thumb bit");
}

static void enter(struct chip *c, unsigned e)
{
    uint32_t exc_return;

    c->live->cpu.cycles += cycles_entry(c->model->cpu);
    if (!push_frame(c, &exc_return)) {
        if (e == EXC_HARD || active_priority(&c->live->cortex) < 0) {
            lock_up(c, "no stack for the hard fault handler");
            return;
        }
        c->live->cortex.cfsr |= 1u << 12; /* STKERR */
        c->live->cortex.hfsr |= HFSR_FORCED;
        chip_guest_error(c, "hard fault: no memory at the stack pointer "
                            "when an exception is entered");
        e = EXC_HARD;
    }
    start_handler(c, e, exc_return);
}

bool cortex_take(struct chip *c)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = due(c, false);

    c->live->cpu.irq_waiting = !e && exc_any(&k->pending) && first_pending(k);
    if (!e)
        return false;
    enter(c, e);
    return true;
}

/* ---- return ---- */

static void deactivate(struct cortex *k, unsigned e)
{
    exc_put(&k->active, e, false);
    if (e >= EXC_IRQ0 && exc_has(&k->level, e))
        exc_put(&k->pending, e, true);
}

static bool read_frame(struct chip *c, uint32_t sp, uint32_t w[FRAME_WORDS])
{
    unsigned i;

    for (i = 0; i < FRAME_WORDS; i++)
        if (!bus_read_word(c, sp + 4 * i, &w[i]))
            return false;
    return true;
}

/* The right to choose a stack is lost with handler mode, so nPRIV is put
 * aside until the mode has changed. */
static void restore_mode(struct chip *c, uint32_t exc_return, uint32_t xpsr)
{
    uint32_t control = cpu_get(c->cpu, CPU_CONTROL);

    cpu_set(c->cpu, CPU_CONTROL, control & ~CONTROL_USER);
    cpu_set(c->cpu, CPU_XPSR, xpsr);
    fpu_set_used(c, !(exc_return & RETURN_BASIC));
    exc_return |= RETURN_BASIC;
    control = cpu_get(c->cpu, CPU_CONTROL) | (control & CONTROL_USER);
    if (exc_return != RETURN_HANDLER)
        control &= ~CONTROL_PSP;
    if (exc_return == RETURN_THREAD_PSP)
        control |= CONTROL_PSP;
    cpu_set(c->cpu, CPU_CONTROL, control);
}

static void pop_frame(struct chip *c, uint32_t exc_return)
{
    enum cpu_reg sp_reg =
        (exc_return | RETURN_BASIC) == RETURN_THREAD_PSP ? CPU_PSP : CPU_MSP;
    bool fpu = !(exc_return & RETURN_BASIC);
    uint32_t sp = cpu_get(c->cpu, sp_reg);
    uint32_t w[FRAME_WORDS];
    unsigned i;

    if (!read_frame(c, sp, w) || (fpu && !fpu_pop(c, sp + FRAME_BYTES))) {
        cortex_fault(c, FAULT_UNSTACK);
        return;
    }
    for (i = 0; i < 4; i++)
        cpu_set(c->cpu, (enum cpu_reg)i, w[i]);
    cpu_set(c->cpu, (enum cpu_reg)12, w[4]);
    cpu_set(c->cpu, CPU_LR, w[FRAME_LR]);
    sp += FRAME_BYTES + (fpu ? FPU_BYTES : 0) +
          (w[FRAME_XPSR] & XPSR_PADDED ? 4 : 0);
    cpu_set(c->cpu, sp_reg, sp);
    restore_mode(c, exc_return, w[FRAME_XPSR] & ~XPSR_PADDED);
    cpu_set(c->cpu, CPU_PC, w[FRAME_PC]);
    c->live->cpu.next = w[FRAME_PC] & ~1u;
    c->live->cpu.pc = w[FRAME_PC] & ~1u;
}

static bool valid_return(struct chip *c, uint32_t r, unsigned e)
{
    if (!exc_has(&c->live->cortex.active, e))
        return false;
    if (c->model->cpu == CPU_CORTEX_M4F)
        r |= RETURN_BASIC;
    return r == RETURN_HANDLER || r == RETURN_THREAD_MSP ||
           r == RETURN_THREAD_PSP;
}

void cortex_return(struct chip *c, uint32_t exc_return)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = cpu_get(c->cpu, CPU_XPSR) & XPSR_IPSR;
    unsigned next;

    exc_return |= 1; /* the engine loses it */
    if (!e || !valid_return(c, exc_return, e)) {
        cpu_fault(c->cpu, CPU_FETCH, exc_return & ~1u);
        cortex_fault(c, e ? FAULT_INVPC : FAULT_FETCH);
        return;
    }
    deactivate(k, e);
    if (!cpu_is_v6m(c->model->cpu) && e != EXC_NMI)
        cpu_set(c->cpu, CPU_FAULTMASK, 0);
    c->live->cpu.event = true;
    next = due(c, false);
    if (next) {
        c->live->cpu.cycles += CYCLES_TAIL;
        start_handler(c, next, exc_return);
        return;
    }
    c->live->cpu.cycles += CYCLES_RETURN;
    pop_frame(c, exc_return);
    if ((exc_return | RETURN_BASIC) != RETURN_HANDLER &&
        k->scr & SCR_SLEEPONEXIT)
        c->live->sleeping = true;
    cortex_update(c);
}

void cortex_svc(struct chip *c)
{
    struct cortex *k = &c->live->cortex;

    c->live->cpu.next = cpu_get(c->cpu, CPU_PC);
    if (group_of(k, k->priority[EXC_SVC]) >= execution_priority(c, false)) {
        cortex_fault(c, FAULT_SVC);
        return;
    }
    enter(c, EXC_SVC);
}

/* ---- faults ---- */

/* Never executable: ARMv7-M ARM, table B3-1. */
static bool execute_never(uint32_t addr)
{
    return (addr >= 0x40000000 && addr < 0x60000000) || addr >= 0xa0000000;
}

/* Bits of CFSR (B3.2.15) for what happened, and the handler for it. */
static unsigned note_fault(struct chip *c, enum fault why)
{
    struct cortex *k = &c->live->cortex;
    uint32_t addr = c->live->cpu.fault_addr;

    switch (why) {
    case FAULT_BUS:
        k->cfsr |= 1u << 9 | 1u << 15; /* PRECISERR, BFARVALID */
        k->bfar = addr;
        return EXC_BUS;
    case FAULT_FETCH:
        k->cfsr |= execute_never(addr) ? 1u << 0 : 1u << 8;
        return execute_never(addr) ? EXC_MEM : EXC_BUS;
    case FAULT_UNSTACK:
        k->cfsr |= 1u << 11;
        return EXC_BUS;
    case FAULT_UNDEF:
        k->cfsr |= 1u << 16;
        return EXC_USAGE;
    case FAULT_UNALIGNED:
        k->cfsr |= 1u << 24;
        return EXC_USAGE;
    case FAULT_NOCP:
        k->cfsr |= 1u << 19;
        return EXC_USAGE;
    case FAULT_INVSTATE:
        k->cfsr |= 1u << 17;
        return EXC_USAGE;
    case FAULT_INVPC:
        k->cfsr |= 1u << 18;
        return EXC_USAGE;
    case FAULT_BREAK:
        k->dfsr |= 1u << 1;
        return EXC_DEBUG;
    case FAULT_SVC:
        break;
    }
    return EXC_HARD;
}

static bool in_ccm(const struct chip *c, uint32_t addr)
{
    return addr - c->model->ccm_base < c->model->ccm_size;
}

static void describe(struct chip *c, enum fault why, char *text, size_t n)
{
    const struct cpu_hot *h = &c->live->cpu;

    switch (why) {
    case FAULT_BUS:
        snprintf(text, n, "bus error: %s 0x%08x",
                 h->fault_access == CPU_WRITE ? "write to" : "read of",
                 h->fault_addr);
        break;
    case FAULT_FETCH:
        if (in_ccm(c, h->fault_addr))
            snprintf(text, n,
                     "code at 0x%08x, but no instruction bus leads to the "
                     "core-coupled memory",
                     h->fault_addr);
        else
            snprintf(text, n, "no code at 0x%08x", h->fault_addr);
        break;
    case FAULT_UNDEF:
        snprintf(text, n, "undefined instruction");
        break;
    case FAULT_UNALIGNED:
        snprintf(text, n,
                 cpu_is_v6m(c->model->cpu)
                     ? "access at an unaligned address"
                     : "LDM, STM, LDRD, STRD or exclusive access at an "
                       "unaligned address");
        break;
    case FAULT_NOCP:
        snprintf(text, n, "FPU instruction while SCB_CPACR has the FPU off");
        break;
    case FAULT_INVSTATE:
        snprintf(text, n, "branch without Thumb bit");
        break;
    case FAULT_INVPC:
        snprintf(text, n, "bad EXC_RETURN");
        break;
    case FAULT_UNSTACK:
        snprintf(text, n,
                 "no memory at the stack pointer when an exception "
                 "returns");
        break;
    case FAULT_BREAK:
        snprintf(text, n, "BKPT without a debugger");
        break;
    case FAULT_SVC:
        snprintf(text, n, "SVC where its priority forbids it");
        break;
    }
}

/* The handler of its own takes a fault only if it is enabled and its priority
 * allows; else it escalates (B1.5.11).  An ARMv6-M has hard faults only. */
static bool has_handler(struct chip *c, unsigned e)
{
    struct cortex *k = &c->live->cortex;

    if (cpu_is_v6m(c->model->cpu) || e < EXC_MEM || e > EXC_USAGE)
        return false;
    return k->shcsr >> (16 + e - EXC_MEM) & 1 &&
           group_of(k, priority_of(k, e)) < execution_priority(c, false);
}

void cortex_fault(struct chip *c, enum fault why)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = note_fault(c, why);
    char text[TEXT_MAX];

    describe(c, why, text, sizeof(text));
    c->live->cpu.faulted = false;
    if (has_handler(c, e)) {
        chip_report(c, EV_CORE, "fault: %s at PC 0x%08x", text, chip_pc(c));
        enter(c, e);
        return;
    }
    if (execution_priority(c, true) < 0) {
        lock_up(c, text);
        return;
    }
    k->hfsr |= why == FAULT_BREAK ? HFSR_DEBUGEVT : HFSR_FORCED;
    chip_guest_error(c, "hard fault: %s", text);
    enter(c, EXC_HARD);
}

/* ---- reset ---- */

void cortex_reset(struct chip *c)
{
    struct cortex *k = &c->live->cortex;
    uint32_t sp, pc;

    *k = (struct cortex){.ccr = CCR_STKALIGN};
    if (cpu_is_v6m(c->model->cpu))
        k->ccr |= CCR_UNALIGN_TRP; /* both are fixed there: DDI 0419, B3.2.8 */
    cpu_clear_regs(c->cpu);
    fpu_reset(c);
    c->live->cpu.attention = false;
    c->live->cpu.irq_waiting = false;
    c->live->cpu.event = false;
    c->live->cpu.faulted = false;
    c->live->locked_up = false;
    c->live->sleeping = false;
    if (!bus_read_word(c, 0, &sp) || !bus_read_word(c, 4, &pc))
        return;
    cpu_set(c->cpu, CPU_MSP, sp & ~3u);
    cpu_set(c->cpu, CPU_PC, pc & ~1u);
    c->live->cpu.pc = pc & ~1u;
    c->live->cpu.next = pc & ~1u;
    if (pc == 0xffffffff)
        lock_up(c, "no program in flash, its vector table is erased");
    else if (!(pc & 1))
        lock_up(c, "reset vector without Thumb bit");
}
