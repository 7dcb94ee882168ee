/* SPDX-License-Identifier: MIT */
/*
 * scs.c - registers of the private peripheral bus: NVIC, SysTick, SCB, the
 * cycle counter of the DWT, and DBGMCU_IDCODE.  ARMv7-M ARM (DDI 0403) B3 and
 * C1; ARMv6-M ARM (DDI 0419) B3; STM32 specifics from PM0056 (SysTick counts
 * HCLK or HCLK / 8).
 *
 * Not here: MPU (reads as absent), ITM, FPB, debug halting.
 */
#include <string.h>

#include "core.h"

enum {
    ICTR = 0x004,
    SYST_CSR = 0x010,
    SYST_RVR = 0x014,
    SYST_CVR = 0x018,
    SYST_CALIB = 0x01c,
    NVIC_ISER = 0x100,
    NVIC_ICER = 0x180,
    NVIC_ISPR = 0x200,
    NVIC_ICPR = 0x280,
    NVIC_IABR = 0x300,
    NVIC_IPR = 0x400,
    NVIC_IPR_END = 0x4f0,
    CPUID = 0xd00,
    ICSR = 0xd04,
    VTOR = 0xd08,
    AIRCR = 0xd0c,
    SCR = 0xd10,
    CCR = 0xd14,
    SHPR = 0xd18,
    SHPR_END = 0xd24,
    SHCSR = 0xd24,
    CFSR = 0xd28,
    HFSR = 0xd2c,
    DFSR = 0xd30,
    MMFAR = 0xd34,
    BFAR = 0xd38,
    AFSR = 0xd3c,
    CPACR = 0xd88,
    MPU_TYPE = 0xd90,
    MPU_END = 0xdbc,
    DHCSR = 0xdf0,
    DEMCR = 0xdfc,
    STIR = 0xf00,
};

#define SCS_BASE   0xe000e000u
#define DWT_CTRL   0xe0001000u
#define DWT_CYCCNT 0xe0001004u

#define CSR_ENABLE    (1u << 0)
#define CSR_TICKINT   (1u << 1)
#define CSR_CLKSOURCE (1u << 2)
#define CSR_COUNTFLAG (1u << 16)
#define TICK_MASK     0xffffffu

#define AIRCR_KEY      0x05fau
#define AIRCR_KEY_READ 0xfa05u

static bool is_v6m(const struct chip *c)
{
    return cpu_is_v6m(c->model->cpu);
}

/* ---- SysTick ---- */

static unsigned tick_cycles(const struct systick *t)
{
    return t->ctrl & CSR_CLKSOURCE ? 1 : 8;
}

static bool tick_runs(const struct systick *t)
{
    return t->ctrl & CSR_ENABLE && (t->load || t->value);
}

/* Ticks from t->since to the first zero: a counter at zero reloads first. */
static uint64_t ticks_to_zero(const struct systick *t)
{
    return t->value ? t->value : (uint64_t)t->load + 1;
}

static uint32_t tick_value(struct chip *c)
{
    const struct systick *t = &c->live->cortex.tick;
    uint64_t ticks;

    if (!tick_runs(t))
        return t->value;
    ticks = (c->live->cpu.cycles - t->since) / tick_cycles(t);
    if (!ticks)
        return t->value;
    if (ticks <= ticks_to_zero(t))
        return (uint32_t)(ticks_to_zero(t) - ticks);
    if (!t->load)
        return 0;
    ticks = (ticks - ticks_to_zero(t)) % ((uint64_t)t->load + 1);
    return ticks ? (uint32_t)(t->load + 1 - ticks) : 0;
}

uint64_t systick_next(struct chip *c)
{
    const struct systick *t = &c->live->cortex.tick;

    if (!tick_runs(t))
        return UINT64_MAX;
    return t->since + ticks_to_zero(t) * tick_cycles(t);
}

void systick_event(struct chip *c)
{
    struct systick *t = &c->live->cortex.tick;

    while (systick_next(c) <= c->live->cpu.cycles) {
        t->since = systick_next(c);
        t->value = 0;
        t->counted = true;
        if (t->ctrl & CSR_TICKINT)
            cortex_pend(c, EXC_SYSTICK);
    }
}

/* Freezes the counter at its present value, so that a register may change. */
static void tick_hold(struct chip *c)
{
    struct systick *t = &c->live->cortex.tick;

    systick_event(c);
    t->value = tick_value(c);
    t->since = c->live->cpu.cycles;
}

static uint32_t tick_read(struct chip *c, uint32_t off)
{
    struct systick *t = &c->live->cortex.tick;
    uint32_t v;

    if (off == SYST_RVR)
        return t->load;
    if (off == SYST_CALIB)
        return c->model->tick_calib;
    systick_event(c);
    if (off == SYST_CVR) {
        idle_broken(c);
        return tick_value(c);
    }
    v = t->ctrl | (t->counted ? CSR_COUNTFLAG : 0);
    t->counted = false;
    return v;
}

static void tick_write(struct chip *c, uint32_t off, uint32_t value)
{
    struct systick *t = &c->live->cortex.tick;

    tick_hold(c);
    if (off == SYST_CSR)
        t->ctrl = value & 7;
    if (off == SYST_RVR)
        t->load = value & TICK_MASK;
    if (off == SYST_CVR) {
        t->value = 0;
        t->counted = false;
    }
    chip_touch(c);
}

/* ---- NVIC ---- */

static unsigned first_of(uint32_t off)
{
    return EXC_IRQ0 + (off & 0x7f) * 8;
}

static bool irq_exists(struct chip *c, unsigned e)
{
    return e >= EXC_IRQ0 && e - EXC_IRQ0 < c->model->irqs && e < EXC_MAX;
}

static uint32_t set_read(struct chip *c, const struct exc_set *s, uint32_t off)
{
    unsigned e = first_of(off), i;
    uint32_t v = 0;

    for (i = 0; i < 32; i++)
        if (irq_exists(c, e + i) && exc_has(s, e + i))
            v |= 1u << i;
    return v;
}

static void set_write(struct chip *c, struct exc_set *s, uint32_t off,
                      uint32_t value, bool on)
{
    struct cortex *k = &c->live->cortex;
    unsigned e = first_of(off), i;

    for (i = 0; i < 32; i++) {
        if (!(value >> i & 1) || !irq_exists(c, e + i))
            continue;
        exc_put(s, e + i, on);
        /* A line that is still high pends again. */
        if (s == &k->pending && !on && exc_has(&k->level, e + i) &&
            !exc_has(&k->active, e + i))
            exc_put(s, e + i, true);
    }
    cortex_update(c);
}

/* The four priorities in a word, from exception e on. */
static uint32_t priority_read(struct chip *c, unsigned e)
{
    uint32_t v = 0;
    unsigned i;

    for (i = 0; i < 4; i++)
        if (e + i < EXC_MAX)
            v |= (uint32_t)c->live->cortex.priority[e + i] << 8 * i;
    return v;
}

static bool has_priority(struct chip *c, unsigned e)
{
    if (e >= EXC_IRQ0)
        return irq_exists(c, e);
    return is_v6m(c) ? e == EXC_SVC || e >= EXC_PENDSV : e >= EXC_MEM;
}

static void priority_write(struct chip *c, unsigned e, unsigned n,
                           uint32_t value)
{
    unsigned mask = 0xff00u >> c->model->priority_bits & 0xff;

    for (; n--; e++, value >>= 8)
        if (has_priority(c, e))
            c->live->cortex.priority[e] = (uint8_t)(value & mask);
    cortex_update(c);
}

/* ---- SCB ---- */

static uint32_t icsr_read(struct chip *c)
{
    struct cortex *k = &c->live->cortex;
    uint32_t v = cpu_get(c->cpu, CPU_XPSR) & 0x1ff;
    unsigned e, best = 0;
    bool irq = false;

    for (e = EXC_NMI; e < EXC_MAX; e++) {
        if (!exc_has(&k->pending, e))
            continue;
        irq |= e >= EXC_IRQ0;
        if (e >= EXC_IRQ0 && !exc_has(&k->enabled, e))
            continue;
        if (!best || k->priority[e] < k->priority[best])
            best = e;
    }
    v |= best << 12 | (irq ? 1u << 22 : 0);
    v |= exc_has(&k->pending, EXC_SYSTICK) ? 1u << 26 : 0;
    v |= exc_has(&k->pending, EXC_PENDSV) ? 1u << 28 : 0;
    v |= exc_has(&k->pending, EXC_NMI) ? 1u << 31 : 0;
    return v;
}

static void icsr_write(struct chip *c, uint32_t value)
{
    struct cortex *k = &c->live->cortex;

    if (value >> 25 & 1)
        exc_put(&k->pending, EXC_SYSTICK, false);
    if (value >> 26 & 1)
        cortex_pend(c, EXC_SYSTICK);
    if (value >> 27 & 1)
        exc_put(&k->pending, EXC_PENDSV, false);
    if (value >> 28 & 1)
        cortex_pend(c, EXC_PENDSV);
    if (value >> 31)
        cortex_pend(c, EXC_NMI);
    cortex_update(c);
}

static void vtor_write(struct chip *c, uint32_t value)
{
    struct cortex *k = &c->live->cortex;
    unsigned align = 128;

    if (c->model->cpu == CPU_CORTEX_M0) {
        /* RAZ/WI (DDI 0419, B3.2.5): not wrong, but it has misled many. */
        if (report_once(c, SCS_BASE + VTOR))
            chip_report(c, EV_CORE,
                        "SCB_VTOR 0x%08x: a Cortex-M0 has none, its vectors "
                        "stay at address 0, at PC 0x%08x",
                        value, chip_pc(c));
        return;
    }
    while (align < 4 * (EXC_IRQ0 + c->model->irqs))
        align *= 2;
    if (value & (align - 1) & ~0x7fu)
        chip_guest_error(c, "SCB_VTOR 0x%08x is not aligned to %u bytes", value,
                         align);
    value &= 0x3fffff80;
    if (value != k->vtor)
        chip_report(c, EV_CORE, "vtor 0x%08x", value);
    k->vtor = value;
}

static void aircr_write(struct chip *c, uint32_t value)
{
    if (value >> 16 != AIRCR_KEY) {
        chip_guest_error(c, "SCB_AIRCR written without VECTKEY");
        return;
    }
    if (!is_v6m(c))
        c->live->cortex.aircr_group = value >> 8 & 7;
    if (value & 4)
        chip_want_reset(c, RESET_SOFTWARE);
    cortex_update(c);
}

static uint32_t shcsr_read(struct chip *c)
{
    static const uint8_t active[] = {EXC_MEM, EXC_BUS, 0,          EXC_USAGE,
                                     0,       0,       0,          EXC_SVC,
                                     0,       0,       EXC_PENDSV, EXC_SYSTICK};
    const struct cortex *k = &c->live->cortex;
    uint32_t v = k->shcsr;
    unsigned i;

    for (i = 0; i < sizeof(active); i++)
        if (active[i] && exc_has(&k->active, active[i]))
            v |= 1u << i;
    return v;
}

/* DDI 0419, table B3-3 and following; the MPU's read as absent. */
static bool v6m_has(uint32_t off)
{
    static const struct {
        uint16_t first, last;
    } has[] = {{SYST_CSR, SYST_CALIB}, {NVIC_ISER, NVIC_ISER},
               {NVIC_ICER, NVIC_ICER}, {NVIC_ISPR, NVIC_ISPR},
               {NVIC_ICPR, NVIC_ICPR}, {NVIC_IPR, NVIC_IPR + 0x1c},
               {CPUID, CCR},           {SHPR + 4, SHCSR},
               {DFSR, DFSR},           {MPU_TYPE, MPU_END},
               {DHCSR, DEMCR}};
    size_t i;

    for (i = 0; i < sizeof(has) / sizeof(has[0]); i++)
        if (off >= has[i].first && off <= has[i].last)
            return true;
    return false;
}

static void unknown(struct chip *c, uint32_t addr)
{
    if (report_once(c, addr))
        chip_report(c, EV_UNMODELLED,
                    "core register 0x%08x is not modelled, at PC 0x%08x", addr,
                    chip_pc(c));
}

static uint32_t scb_read(struct chip *c, uint32_t off)
{
    const struct cortex *k = &c->live->cortex;

    switch (off) {
    case CPUID:
        return c->model->cpuid;
    case ICSR:
        return icsr_read(c);
    case VTOR:
        return k->vtor;
    case AIRCR:
        return AIRCR_KEY_READ << 16 | k->aircr_group << 8;
    case SCR:
        return k->scr;
    case CCR:
        return k->ccr;
    case SHCSR:
        return shcsr_read(c);
    case CFSR:
        return k->cfsr;
    case HFSR:
        return k->hfsr;
    case DFSR:
        return k->dfsr;
    case MMFAR:
        return k->mmfar;
    case BFAR:
        return k->bfar;
    case AFSR:
    case DHCSR: /* no debugger */
        return 0;
    case CPACR: /* no coprocessor */
        return 0;
    case DEMCR:
        return k->demcr;
    }
    if (off < MPU_TYPE || off > MPU_END)
        unknown(c, SCS_BASE + off);
    return 0;
}

static void scr_write(struct chip *c, uint32_t value)
{
    if (value & 4 && report_once(c, SCS_BASE + SCR))
        chip_report(c, EV_UNMODELLED,
                    "SCB_SCR.SLEEPDEEP: stop and standby are modelled as "
                    "sleep");
    c->live->cortex.scr = value & 0x16;
}

static void scb_write(struct chip *c, uint32_t off, uint32_t value)
{
    struct cortex *k = &c->live->cortex;

    switch (off) {
    case CPUID:
    case AFSR:
    case MMFAR:
    case BFAR:
    case DHCSR:
        break;
    case ICSR:
        icsr_write(c, value);
        break;
    case VTOR:
        vtor_write(c, value);
        break;
    case AIRCR:
        aircr_write(c, value);
        break;
    case SCR:
        scr_write(c, value);
        break;
    case CCR:
        if (value & 1u << 3 && !is_v6m(c) && report_once(c, SCS_BASE + CCR))
            chip_report(c, EV_UNMODELLED, "SCB_CCR.UNALIGN_TRP is ignored");
        if (!is_v6m(c)) /* read-only there */
            k->ccr = value & 0x31b;
        break;
    case SHCSR:
        k->shcsr = value & 0x70000;
        break;
    case CFSR:
        k->cfsr &= ~value;
        break;
    case HFSR:
        k->hfsr &= ~value;
        break;
    case DFSR:
        k->dfsr &= ~value;
        break;
    case CPACR:
        break;
    case DEMCR:
        k->demcr = value;
        break;
    default:
        if (off < MPU_TYPE || off > MPU_END)
            unknown(c, SCS_BASE + off);
    }
}

/* ---- dispatch ---- */

static uint32_t word_read(struct chip *c, uint32_t off)
{
    struct cortex *k = &c->live->cortex;

    if (is_v6m(c) && !v6m_has(off)) {
        unknown(c, SCS_BASE + off);
        return 0;
    }
    if (off >= SYST_CSR && off <= SYST_CALIB)
        return tick_read(c, off);
    if (off >= NVIC_ISER && off < NVIC_ISPR)
        return set_read(c, &k->enabled, off);
    if (off >= NVIC_ISPR && off < NVIC_IABR)
        return set_read(c, &k->pending, off);
    if (off >= NVIC_IABR && off < NVIC_IABR + 0x80)
        return set_read(c, &k->active, off);
    if (off >= NVIC_IPR && off < NVIC_IPR_END)
        return priority_read(c, EXC_IRQ0 + off - NVIC_IPR);
    if (off >= SHPR && off < SHPR_END)
        return priority_read(c, 4 + off - SHPR);
    if (off == ICTR)
        return (c->model->irqs + 31) / 32 - 1;
    if (fpu_has(c, off))
        return fpu_read(c, off);
    return scb_read(c, off);
}

static void word_write(struct chip *c, uint32_t off, uint32_t value)
{
    struct cortex *k = &c->live->cortex;

    if (is_v6m(c) && !v6m_has(off))
        unknown(c, SCS_BASE + off);
    else if (off >= SYST_CSR && off <= SYST_CVR)
        tick_write(c, off, value);
    else if (off >= NVIC_ISER && off < NVIC_ICER)
        set_write(c, &k->enabled, off, value, true);
    else if (off >= NVIC_ICER && off < NVIC_ISPR)
        set_write(c, &k->enabled, off, value, false);
    else if (off >= NVIC_ISPR && off < NVIC_ICPR)
        set_write(c, &k->pending, off, value, true);
    else if (off >= NVIC_ICPR && off < NVIC_IABR)
        set_write(c, &k->pending, off, value, false);
    else if (off == STIR && irq_exists(c, EXC_IRQ0 + (value & 0x1ff)))
        cortex_pend(c, EXC_IRQ0 + (value & 0x1ff));
    else if (fpu_has(c, off))
        fpu_write(c, off, value);
    else
        scb_write(c, off, value);
}

/* C1.8: only the cycle counter is of use without a debugger. */
static uint32_t dwt_read(struct chip *c, uint32_t addr)
{
    struct cortex *k = &c->live->cortex;

    if (addr == DWT_CTRL)
        return 0x40000000 | k->dwt_ctrl;
    idle_broken(c);
    if (k->dwt_ctrl & 1)
        return (uint32_t)(c->live->cpu.cycles - k->cyccnt_base);
    return (uint32_t)k->cyccnt_base;
}

/* While stopped, cyccnt_base holds the count itself. */
static void dwt_write(struct chip *c, uint32_t addr, uint32_t value)
{
    struct cortex *k = &c->live->cortex;
    uint32_t count = dwt_read(c, DWT_CYCCNT);

    if (addr == DWT_CTRL)
        k->dwt_ctrl = value & 1;
    else
        count = value;
    k->cyccnt_base = k->dwt_ctrl & 1 ? c->live->cpu.cycles - count : count;
}

static void words_only(struct chip *c, uint32_t addr)
{
    chip_guest_error(c, "core register 0x%08x takes words only", addr);
}

uint32_t scs_read(struct chip *c, uint32_t addr, unsigned size)
{
    uint32_t word = addr & ~3u, v = 0;

    if (size != 4 && is_v6m(c))
        words_only(c, addr);
    if ((word == DWT_CTRL || word == DWT_CYCCNT) && !is_v6m(c))
        v = dwt_read(c, word);
    else if (addr - SCS_BASE < 0x1000)
        v = word_read(c, word - SCS_BASE);
    else
        unknown(c, word);
    v >>= 8 * (addr & 3);
    return size == 4 ? v : v & ((1u << 8 * size) - 1);
}

/* Priorities and fault status may be written in bytes; nothing else, and not
 * on ARMv6-M (DDI 0419, B3.2.1, B3.4). */
static bool narrow_write(struct chip *c, uint32_t off, unsigned size,
                         uint32_t value)
{
    if (is_v6m(c) && (size != 4 || !v6m_has(off)))
        return false;
    if (off >= NVIC_IPR && off < NVIC_IPR_END)
        priority_write(c, EXC_IRQ0 + off - NVIC_IPR, size, value);
    else if (off >= SHPR && off < SHPR_END)
        priority_write(c, 4 + off - SHPR, size, value);
    else if ((off & ~3u) == CFSR)
        scb_write(c, CFSR, value << 8 * (off & 3));
    else
        return false;
    return true;
}

void scs_write(struct chip *c, uint32_t addr, unsigned size, uint32_t value)
{
    uint32_t off = addr - SCS_BASE;

    idle_broken(c);
    if ((addr == DWT_CTRL || addr == DWT_CYCCNT) && !is_v6m(c)) {
        dwt_write(c, addr, value);
        return;
    }
    if (off >= 0x1000) {
        unknown(c, addr & ~3u);
        return;
    }
    if (narrow_write(c, off, size, value))
        return;
    if (size != 4) {
        words_only(c, addr);
        return;
    }
    word_write(c, off, value);
}
