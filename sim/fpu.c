/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - the floating-point extension around the engine: access by CPACR,
 * extended exception frames, registers.  ARMv7-M ARM (DDI 0403), B1.5.6 to
 * B1.5.8 and B3.2.20 to B3.2.22; Cortex-M4 TRM (DDI 0439), chapter 7.
 *
 * Not here: lazy saving (the registers are saved at once, in the same frame),
 * FPDSCR, access for privileged code alone (counts as access for all).
 */
#include "core.h"
#include "cycles.h"

enum { CPACR = 0xd88, FPCCR = 0xf34, FPCAR = 0xf38, FPDSCR = 0xf3c };
enum { MVFR0 = 0xf40, MVFR1 = 0xf44 };
enum { REGS = 16 }; /* of a frame: s0 to s15, then FPSCR */

#define SCS_BASE     0xe000e000u
#define CPACR_CP10   (1u << 20) /* the lower of two bits */
#define CPACR_WRITE  0x00f00000u
#define FPCCR_ASPEN  (1u << 31)
#define FPCCR_LSPEN  (1u << 30)
#define FPDSCR_WRITE 0x07c00000u
#define CONTROL_FPCA 4u

/* ---- access ---- */

static bool is_m4f(const struct chip *c)
{
    return c->model->cpu == CPU_CORTEX_M4F;
}

void fpu_follow_cpacr(struct chip *c)
{
    cpu_fpu(c->cpu, c->live->cortex.cpacr & CPACR_CP10);
}

void fpu_reset(struct chip *c)
{
    struct cortex *k = &c->live->cortex;

    k->cpacr = k->fpcar = k->fpdscr = 0;
    k->fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
    fpu_follow_cpacr(c);
}

/* ---- frames ---- */

static bool frames_follow(struct chip *c)
{
    return is_m4f(c) && c->live->cortex.fpccr & FPCCR_ASPEN;
}

/* The engine sets CONTROL.FPCA. */
bool fpu_used(struct chip *c)
{
    return frames_follow(c) && cpu_get(c->cpu, CPU_CONTROL) & CONTROL_FPCA;
}

void fpu_set_used(struct chip *c, bool used)
{
    uint32_t control;

    if (!frames_follow(c))
        return;
    control = cpu_get(c->cpu, CPU_CONTROL);
    if (used != !!(control & CONTROL_FPCA))
        cpu_set(c->cpu, CPU_CONTROL, control ^ CONTROL_FPCA);
}

/* A lazy frame takes no time unless its owner's registers are needed. */
static void take_time(struct chip *c)
{
    if (!(c->live->cortex.fpccr & FPCCR_LSPEN))
        c->live->cpu.cycles += CYCLES_FPU;
}

bool fpu_push(struct chip *c, uint32_t sp)
{
    bool ok = true;
    unsigned i;

    c->live->cortex.fpcar = sp;
    take_time(c);
    for (i = 0; i < REGS; i++)
        ok = bus_write_word(c, sp + 4 * i,
                            cpu_get(c->cpu, (enum cpu_reg)(CPU_S0 + i))) &&
             ok;
    return bus_write_word(c, sp + 4 * i, cpu_get(c->cpu, CPU_FPSCR)) && ok;
}

bool fpu_pop(struct chip *c, uint32_t sp)
{
    uint32_t w[REGS + 1];
    unsigned i;

    for (i = 0; i <= REGS; i++)
        if (!bus_read_word(c, sp + 4 * i, &w[i]))
            return false;
    take_time(c);
    for (i = 0; i < REGS; i++)
        cpu_set(c->cpu, (enum cpu_reg)(CPU_S0 + i), w[i]);
    cpu_set(c->cpu, CPU_FPSCR, w[REGS]);
    return true;
}

/* ---- registers ---- */

bool fpu_has(const struct chip *c, uint32_t off)
{
    return is_m4f(c) && (off == CPACR || (off >= FPCCR && off <= MVFR1));
}

uint32_t fpu_read(struct chip *c, uint32_t off)
{
    const struct cortex *k = &c->live->cortex;

    switch (off) {
    case CPACR:
        return k->cpacr;
    case FPCCR:
        return k->fpccr;
    case FPCAR:
        return k->fpcar;
    case FPDSCR:
        return k->fpdscr;
    case MVFR0: /* TRM table 7-1 */
        return 0x10110021;
    case MVFR1:
        return 0x11000011;
    }
    return 0;
}

/* LSPACT and what goes with it stay 0: a frame is complete at once. */
void fpu_write(struct chip *c, uint32_t off, uint32_t value)
{
    struct cortex *k = &c->live->cortex;

    switch (off) {
    case CPACR:
        k->cpacr = value & CPACR_WRITE;
        fpu_follow_cpacr(c);
        break;
    case FPCCR:
        k->fpccr = value & (FPCCR_ASPEN | FPCCR_LSPEN);
        break;
    case FPCAR:
        k->fpcar = value & ~7u;
        break;
    case FPDSCR:
        k->fpdscr = value & FPDSCR_WRITE;
        if (k->fpdscr && report_once(c, SCS_BASE + FPDSCR))
            chip_report(c, EV_UNMODELLED,
                        "FPDSCR is ignored: FPSCR of a new context is 0");
        break;
    }
}
