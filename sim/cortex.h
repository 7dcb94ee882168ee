/* SPDX-License-Identifier: MIT */
/*
 * cortex.h - what surrounds the instruction engine in a Cortex-M: exceptions
 * and their priorities, SysTick, the system control space.  ARMv7-M ARM
 * (DDI 0403) part B; an M0 is the same with parts missing.
 */
#ifndef SIM_CORTEX_H
#define SIM_CORTEX_H

#include <stdbool.h>
#include <stdint.h>

struct chip;

enum exception {
    EXC_NONE = 0,
    EXC_NMI = 2,
    EXC_HARD = 3,
    EXC_MEM = 4,
    EXC_BUS = 5,
    EXC_USAGE = 6,
    EXC_SVC = 11,
    EXC_DEBUG = 12,
    EXC_PENDSV = 14,
    EXC_SYSTICK = 15,
    EXC_IRQ0 = 16,
    EXC_MAX = 128, /* 112 interrupts: more than any chip here has */
};

/* One bit for each exception. */
struct exc_set {
    uint32_t word[EXC_MAX / 32];
};

struct systick {
    uint32_t ctrl, load;
    /* Counter was `value` at AHB cycle `since`; valid while it runs, else
     * value is the counter. */
    uint32_t value;
    uint64_t since;
    bool counted; /* COUNTFLAG */
};

struct cortex {
    struct exc_set pending, enabled, active, level;
    uint8_t priority[EXC_MAX];
    uint32_t vtor, aircr_group, scr, ccr, shcsr;
    uint32_t cfsr, hfsr, dfsr, mmfar, bfar, cpacr, demcr;
    uint32_t fpccr, fpcar, fpdscr;
    uint32_t dwt_ctrl;
    uint64_t cyccnt_base; /* AHB cycle at which CYCCNT was 0 */
    struct systick tick;
};

/* What went wrong in the program. */
enum fault {
    FAULT_BUS,       /* data access: hot->fault_addr */
    FAULT_FETCH,     /* instruction access: same */
    FAULT_UNDEF,     /* undefined instruction */
    FAULT_UNALIGNED, /* LDM, LDRD and the like */
    FAULT_NOCP,      /* FPU instruction while CPACR has it off */
    FAULT_INVSTATE,  /* Thumb bit clear */
    FAULT_INVPC,     /* bad EXC_RETURN */
    FAULT_UNSTACK,   /* bus error when an exception returns */
    FAULT_BREAK,     /* BKPT without debugger */
    FAULT_SVC,       /* SVC where its priority does not allow it */
};

/* ---- cortex.c ---- */

/* Loads SP and PC from the vector table at address 0. */
void cortex_reset(struct chip *c);
void cortex_irq(struct chip *c, unsigned irq, bool level);
void cortex_pend(struct chip *c, unsigned exception);
/* Takes the exception that is due, if any. */
bool cortex_take(struct chip *c);
/* Something is pending that ends WFI, whatever PRIMASK says. */
bool cortex_wakes(struct chip *c);
void cortex_svc(struct chip *c);
void cortex_return(struct chip *c, uint32_t exc_return);
void cortex_fault(struct chip *c, enum fault why);
/* After a register of the NVIC changed: is anything due or waiting? */
void cortex_update(struct chip *c);

bool exc_has(const struct exc_set *s, unsigned exception);
void exc_put(struct exc_set *s, unsigned exception, bool on);

/* ---- scs.c: private peripheral bus, 0xE0000000 to 0xE00FFFFF ---- */

uint32_t scs_read(struct chip *c, uint32_t addr, unsigned size);
void scs_write(struct chip *c, uint32_t addr, unsigned size, uint32_t value);
/* AHB cycle of SysTick's next zero, UINT64_MAX when there is none. */
uint64_t systick_next(struct chip *c);
/* To be called at that cycle. */
void systick_event(struct chip *c);

/* ---- fpu.c: what a Cortex-M4F has more ---- */

enum { FPU_BYTES = 72 }; /* s0 to s15, FPSCR, a word of padding */

void fpu_reset(struct chip *c);
/* Tells the engine what CPACR says. */
void fpu_follow_cpacr(struct chip *c);
/* The code that runs has used the FPU: its frame is an extended one. */
bool fpu_used(struct chip *c);
void fpu_set_used(struct chip *c, bool used);
/* The upper part of such a frame, at sp; false: bus error. */
bool fpu_push(struct chip *c, uint32_t sp);
bool fpu_pop(struct chip *c, uint32_t sp);
/* Its registers in the system control space. */
bool fpu_has(const struct chip *c, uint32_t off);
uint32_t fpu_read(struct chip *c, uint32_t off);
void fpu_write(struct chip *c, uint32_t off, uint32_t value);

#endif
