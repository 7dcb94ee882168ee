/* SPDX-License-Identifier: MIT */
/*
 * cpu.h - the instruction engine behind one small interface: it executes
 * Thumb code, counts cycles, and comes back whenever something happens that
 * is not an ordinary instruction.  Exceptions, sleep and time are not its
 * business (cortex.c, chip.c).
 */
#ifndef SIM_CPU_H
#define SIM_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

/* Why cpu_run() came back. */
enum cpu_event {
    CPU_RAN,        /* the cycle limit, or somebody wanted attention */
    CPU_WFI,        /* PC is behind the instruction */
    CPU_WFE,        /* same */
    CPU_SVC,        /* same */
    CPU_BKPT,       /* PC is on the instruction */
    CPU_UNDEF,      /* same */
    CPU_UNALIGNED,  /* same */
    CPU_NO_FPU,     /* same: FPU instruction while it is off */
    CPU_INVSTATE,   /* branch to an address without the Thumb bit */
    CPU_EXC_RETURN, /* PC holds the EXC_RETURN value, bit 0 lost */
    CPU_FAULT,      /* bus error: hot->fault_*; PC is on the instruction */
};

enum cpu_access { CPU_READ, CPU_WRITE, CPU_FETCH };

/* What changes while the CPU runs, apart from its registers.  It lives in the
 * chip's arena. */
struct cpu_hot {
    uint64_t cycles, limit; /* AHB cycles; stop before passing limit */
    uint64_t instructions;
    uint32_t pc;   /* of the instruction being executed */
    uint32_t next; /* where it goes on without a branch */
    uint32_t it_pc, it_end;
    uint32_t flash_cost;   /* wait states of a branch into flash */
    uint32_t literal_cost; /* same of a literal read from flash */
    uint32_t line_cost;    /* same of each line of straight code */
    uint32_t line_mask;    /* bytes of a line - 1 */
    uint32_t fetch;        /* cycles between lines with prefetch; 0: none */
    uint32_t fetch_mask;   /* of the address of a line, while that counts */
    uint32_t line;         /* an address in the line being executed */
    uint64_t ready;        /* when the prefetch has the line behind it */
    bool ram_at_0;         /* address 0 is the start of the RAM */
    bool attention;        /* come back before the next instruction */
    bool watch_flash;      /* flash is busy: come back before touching it */
    bool stalled;          /* that is why it came back */
    bool irq_waiting;      /* come back after PRIMASK and friends change */
    bool event;            /* the event register of WFE */
    bool faulted;
    enum cpu_access fault_access;
    uint32_t fault_addr, fault_pc;
};

/* What lies behind the CPU.  Called with the chip as context. */
struct cpu_bus {
    void *ctx;
    uint32_t (*read)(void *ctx, uint32_t addr, unsigned size);
    void (*write)(void *ctx, uint32_t addr, unsigned size, uint32_t value);
    void (*store_flash)(void *ctx, uint32_t addr, unsigned size,
                        uint32_t value);
};

enum cpu_reg {
    CPU_R0 = 0, /* .. R12 */
    CPU_SP = 13,
    CPU_LR,
    CPU_PC,
    CPU_XPSR,
    CPU_MSP,
    CPU_PSP,
    CPU_PRIMASK,
    CPU_BASEPRI,
    CPU_FAULTMASK,
    CPU_CONTROL,
    CPU_FPSCR,
    CPU_S0 = 32, /* .. S31, of a Cortex-M4F */
};

struct cpu;
struct cpu *cpu_new(const struct chip_model *m, struct cpu_hot *hot,
                    const struct cpu_bus *bus, uint8_t *flash, uint8_t *ram,
                    uint8_t *ccm);
void cpu_free(struct cpu *cpu);
/* All registers zero; thread mode, main stack.  (Not cpu_reset: libunicorn
 * exports that name, with 30000 others.) */
void cpu_clear_regs(struct cpu *cpu);
/* A Cortex-M4F's FPU, off until CPACR says otherwise. */
void cpu_fpu(struct cpu *cpu, bool on);
enum cpu_event cpu_run(struct cpu *cpu);
/* Inside a callback: the round of a loop that just ended, with its cycles and
 * instructions, is done again as often as it ends before the limit. */
void cpu_repeat(struct cpu *cpu, uint64_t cycles, uint64_t instructions);
/* Off: neither that nor a branch to itself is shortened.  On at first. */
void cpu_skip(struct cpu *cpu, bool on);
/* Instructions that were counted without being executed. */
uint64_t cpu_skipped(const struct cpu *cpu);
uint32_t cpu_get(struct cpu *cpu, enum cpu_reg reg);
void cpu_set(struct cpu *cpu, enum cpu_reg reg, uint32_t value);
/* The instruction being executed ends in a bus error. */
void cpu_fault(struct cpu *cpu, enum cpu_access access, uint32_t addr);
/* Bytes that may have been translated changed behind the CPU's back. */
void cpu_code_changed(struct cpu *cpu, uint32_t addr, size_t n);

/* Register contents for snapshots; owned by the caller. */
struct cpu_regs;
struct cpu_regs *cpu_save(struct cpu *cpu);
void cpu_restore(struct cpu *cpu, const struct cpu_regs *regs);
/* The same into what cpu_save() made. */
void cpu_save_to(struct cpu *cpu, struct cpu_regs *regs);
/* True where nothing of it has changed since. */
bool cpu_same(struct cpu *cpu, const struct cpu_regs *regs);
void cpu_regs_free(struct cpu_regs *regs);

#endif
