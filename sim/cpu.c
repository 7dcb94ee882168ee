/* SPDX-License-Identifier: MIT */
/*
 * cpu.c - cpu.h on top of libunicorn 2.0.1.
 *
 * Traps of that version which shape this file:
 * - UC_MODE_MCLASS forces a Cortex-M33; the model is set by uc_ctl instead.
 * - uc_emu_stop() inside a memory callback leaves the instruction half done;
 *   so callbacks only set flags, and the code hook of the next instruction
 *   stops.  It stops before that instruction.
 * - A stop inside an IT block is swallowed, and the hook is not called for
 *   instructions whose condition fails: a block is one unit here.
 * - A store into flash that UC_HOOK_MEM_WRITE_PROT refuses ends the run in the
 *   middle of its instruction, before the write-back of its base register; so
 *   it is allowed, and what it did to the array is put right before the next
 *   instruction.
 * - WFE and YIELD are "invalid instructions": hints are done here.
 * - Writing XPSR or CONTROL leaves cached flags stale; writing APSR_NZCV
 *   rebuilds them.
 * - The engine does not survive a full translation buffer (tb_find() goes on
 *   with a block that the flush has freed), so it is never let that far.
 * - Any UC_HOOK_MEM_READ or _WRITE hook takes the fast path from all code, so
 *   there is none.
 *
 * Measured with the code hook: 140 to 175 million instructions a second in a
 * CRC loop, 95 to 105 with a store to RAM in every twelve (the engine has no
 * fast path for those), 57 polling a GPIO register.
 */
#include "cpu.h"

#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "cycles.h"

/* Memory as the host sees it. */
struct area {
    uint32_t base, size; /* size 0: this chip has no such memory */
    uint8_t *host;
    bool flash;
    bool data_only; /* no bus for instructions leads there */
};

enum { BRANCH_HERE = 0xe7fe };
enum { AREA_FLASH, AREA_RAM, AREA_LOW, AREA_CCM, AREAS };
enum { CODE_PAGE = 1024, NO_INTERRUPT = -1, REPAIRS = 32 };
/* Bytes of translated code before all of it is dropped; and what a block takes
 * of them, about (measured: 800 for one of 9 bytes). */
enum { TRANSLATED_MOST = 3 << 28, PER_BLOCK = 512, PER_BYTE = 64 };

/* Bytes of flash as they should be after the store under way. */
struct repair {
    uint8_t *at, n, bytes[8];
};

/* Exception numbers of the engine (target/arm/cpu.h). */
enum {
    ENGINE_UNDEF = 1,
    ENGINE_SVC = 2,
    ENGINE_PREFETCH_ABORT = 3,
    ENGINE_DATA_ABORT = 4,
    ENGINE_BKPT = 7,
    ENGINE_EXCEPTION_EXIT = 8,
    ENGINE_INVSTATE = 18,
};

/* Nothing is ever executed here: not a memory, an odd place to stop. */
#define NO_END 0xfffff000u

struct cpu {
    uc_engine *uc;
    struct cpu_hot *hot;
    struct cpu_bus bus;
    enum cpu_kind kind;
    struct area area[AREAS];
    const struct area *now; /* the one that PC was last seen in */
    int interrupt;          /* of the engine, during one run */
    uint16_t hint;          /* a hint or 0, during one run */
    unsigned refill;        /* cycles */
    bool v6m;
    bool ram_at_0;       /* what the engine has at address 0 */
    bool misaligned;     /* this is why it stopped, during one run */
    bool unknown;        /* so is this: not an instruction of ARMv6-M */
    bool no_fpu;         /* so is this */
    bool fpu_off;        /* FPU instructions are special, to be refused */
    bool run_all;        /* cpu_skip() */
    uint64_t skipped;    /* instructions */
    uint32_t translated; /* bytes, since all of it was dropped */
    unsigned n_repairs;
    struct repair repair[REPAIRS];
    uint8_t cycles[65536];
    uint8_t *code[AREAS]; /* one byte a page: has been executed */
    uc_context *now_regs; /* for cpu_same() */
};

struct cpu_regs {
    uc_context *context;
};

/* ---- decoding, as far as time and stops need it ---- */

static const struct area *find_area(const struct cpu *cpu, uint32_t addr)
{
    unsigned i;

    for (i = 0; i < AREAS; i++)
        if (addr - cpu->area[i].base < cpu->area[i].size)
            return &cpu->area[i];
    return NULL;
}

static uint16_t half_word(struct cpu *cpu, uint32_t addr)
{
    const struct area *a = cpu->now;
    uint16_t v;

    if (addr - a->base >= a->size) {
        a = find_area(cpu, addr);
        if (!a)
            return 0;
        cpu->now = a;
    }
    memcpy(&v, a->host + (addr - a->base), sizeof(v));
    return v;
}

static bool is_wide(uint16_t op)
{
    return op >= 0xe800;
}

/* The IT instruction tells how many follow; their sizes tell where it ends.
 * All are charged one cycle here, whether their condition holds or not. */
static void enter_it_block(struct cpu *cpu, uint32_t pc, uint16_t op)
{
    struct cpu_hot *h = cpu->hot;
    unsigned n = 4 - (unsigned)__builtin_ctz(op & 0xf);
    uint32_t end = pc + 2;

    h->cycles += n;
    h->instructions += n;
    while (n--)
        end += is_wide(half_word(cpu, end)) ? 4 : 2;
    h->it_pc = pc;
    h->it_end = end;
    h->next = end;
}

static unsigned bits_set(uint32_t v)
{
    return (unsigned)__builtin_popcount(v);
}

/* ---- addresses of loads, only while the flash is busy ---- */

static uint32_t reg32(struct cpu *cpu, unsigned r)
{
    return cpu_get(cpu, (enum cpu_reg)r);
}

/* Base (plus register offset) of a load; small immediates do not matter.
 * 0xffffffff when the instruction reads no memory. */
static uint32_t load_base_narrow(struct cpu *cpu, uint32_t pc, uint16_t op)
{
    unsigned top = op >> 11;

    if (top == 9)
        return pc;
    if ((op & 0xf000) == 0x5000 && ((op >> 9) & 7) >= 3)
        return reg32(cpu, (op >> 3) & 7) + reg32(cpu, (op >> 6) & 7);
    if (top == 13 || top == 15 || top == 17)
        return reg32(cpu, (op >> 3) & 7);
    if (top == 25) /* LDM */
        return reg32(cpu, (op >> 8) & 7);
    return 0xffffffff; /* from the stack, or no load */
}

static uint32_t load_base_wide(struct cpu *cpu, uint32_t pc, uint16_t op)
{
    unsigned rn = op & 0xf;
    uint16_t op2 = half_word(cpu, pc + 2);
    uint32_t base;

    if (!(op & 0x10))
        return 0xffffffff;
    if ((op & 0xfe00) != 0xf800 && (op & 0xfe00) != 0xe800)
        return 0xffffffff;
    base = rn == 15 ? pc : reg32(cpu, rn);
    if ((op & 0xfe80) == 0xf800 && rn != 15 && !(op2 & 0x0fc0))
        base += reg32(cpu, op2 & 0xf) << ((op2 >> 4) & 3);
    return base;
}

static bool touches_flash(struct cpu *cpu, uint32_t pc)
{
    const struct area *a = find_area(cpu, pc);
    uint16_t op = half_word(cpu, pc);
    uint32_t base;

    if (a && a->flash)
        return true;
    base = is_wide(op) ? load_base_wide(cpu, pc, op)
                       : load_base_narrow(cpu, pc, op);
    a = base == 0xffffffff ? NULL : find_area(cpu, base);
    return a && a->flash;
}

/* ---- hooks ---- */

static void mark_code(struct cpu *cpu, uint32_t addr)
{
    const struct area *a = find_area(cpu, addr);

    if (a)
        cpu->code[a - cpu->area][(addr - a->base) / CODE_PAGE] = 1;
}

static void on_translate(uc_engine *uc, uc_tb *tb, uc_tb *prev, void *user)
{
    struct cpu *cpu = user;

    (void)uc, (void)prev;
    cpu->translated += PER_BLOCK + PER_BYTE * tb->size;
    mark_code(cpu, (uint32_t)tb->pc);
    mark_code(cpu, (uint32_t)tb->pc + tb->size - 1);
}

/* LDM, STM, LDRD, STRD and exclusives fault where ordinary accesses may be
 * unaligned (ARMv7-M ARM, A3.2.1); the engine lets them pass. */
static bool unaligned(struct cpu *cpu, uint16_t op)
{
    unsigned rn = is_wide(op) ? op & 15 : op >> 8 & 7;

    return (reg32(cpu, rn) & 3) != 0;
}

static bool needs_alignment(uint16_t op)
{
    return (op & 0xf000) == 0xc000 || (op & 0xfe00) == 0xe800;
}

/* First half-words of coprocessor instructions (ARMv7-M ARM, A5.3.18). */
static bool is_coprocessor(unsigned op)
{
    return (op & 0xec00) == 0xec00;
}

/* The FPU is coprocessor 10 and 11. */
static bool is_fpu(struct cpu *cpu, uint32_t pc)
{
    return (half_word(cpu, pc + 2) >> 8 & 14) == 10;
}

/* IT, hints, CPS, MSR, aligned accesses, FPU while off, what ARMv6-M does not
 * have.  True: stop before it. */
static bool special(struct cpu *cpu, uint32_t pc, uint16_t op)
{
    struct cpu_hot *h = cpu->hot;

    if (cpu->v6m && !cycles_v6m_knows(op, half_word(cpu, pc + 2))) {
        cpu->unknown = true;
        h->pc = pc;
        return true;
    }
    if (needs_alignment(op)) {
        cpu->misaligned = unaligned(cpu, op);
        h->pc = pc;
        return cpu->misaligned;
    }
    if (is_coprocessor(op)) {
        cpu->no_fpu = is_fpu(cpu, pc);
        h->pc = pc;
        return cpu->no_fpu;
    }
    if ((op & 0xff00) != 0xbf00) { /* CPS, MSR */
        h->attention |= h->irq_waiting;
        return false;
    }
    if (op & 0xf) {
        enter_it_block(cpu, pc, op);
        return false;
    }
    if (op == 0xbf40) { /* SEV */
        h->event = true;
        return false;
    }
    cpu->hint = op;
    return true;
}

/* Instructions in an IT block cannot be stopped at, see the top. */
static bool in_it_block(struct cpu *cpu, uint32_t pc)
{
    struct cpu_hot *h = cpu->hot;
    unsigned cost;

    if (pc <= h->it_pc || pc >= h->it_end) {
        h->it_end = 0;
        return false;
    }
    cost = cpu->cycles[half_word(cpu, pc)];
    h->cycles += (cost & OP_CYCLES) - 1;
    h->attention |= (cost & OP_SPECIAL) && h->irq_waiting;
    h->pc = pc;
    return true;
}

/* Straight code comes to a new line of flash: it may still be on its way, and
 * the prefetch of the next one begins.  (A clock that changed may have left
 * `ready` far away.) */
static inline void enter_line(struct cpu_hot *h, uint32_t pc)
{
    h->line = pc;
    if (h->ready - h->cycles <= h->fetch)
        h->cycles = h->ready;
    h->ready = h->cycles + h->fetch;
}

static void branched(struct cpu *cpu, uint32_t pc)
{
    struct cpu_hot *h = cpu->hot;
    bool flash = cpu->now->flash;

    h->cycles += cpu->refill + (flash ? h->flash_cost : 0);
    h->fetch_mask = flash && h->fetch ? ~h->line_mask : 0;
    h->line = pc;
    h->ready = h->cycles + h->fetch;
}

/* What branched() and the instruction itself make of it. */
static unsigned branch_here(const struct cpu *cpu, unsigned cost)
{
    return cpu->refill + (cpu->now->flash ? cpu->hot->flash_cost : 0) +
           (cost & OP_CYCLES);
}

/* What is rare: costs beyond the table. */
static unsigned extra_cycles(struct cpu *cpu, uint32_t pc, unsigned cost)
{
    unsigned n = 0;

    if (cost & OP_LITERAL && cpu->now->flash) {
        n += cpu->hot->literal_cost;
        cpu->hot->ready += cpu->hot->fetch;
    }
    if (cost & OP_LIST)
        n += bits_set(half_word(cpu, pc + 2));
    return n;
}

/* As the flash controller left it. */
static void remember(struct cpu *cpu, uint32_t addr, unsigned n)
{
    const struct area *a = find_area(cpu, addr);
    struct repair *r = &cpu->repair[cpu->n_repairs];

    if (!a || n > a->size - (addr - a->base) || cpu->n_repairs == REPAIRS)
        return;
    r->at = a->host + (addr - a->base);
    r->n = (uint8_t)n;
    memcpy(r->bytes, r->at, n);
    cpu->n_repairs++;
}

static void repair_flash(struct cpu *cpu)
{
    unsigned i = cpu->n_repairs;

    while (i--) /* the first one has the oldest, the right bytes */
        memcpy(cpu->repair[i].at, cpu->repair[i].bytes, cpu->repair[i].n);
    cpu->n_repairs = 0;
}

void cpu_repeat(struct cpu *cpu, uint64_t cycles, uint64_t instructions)
{
    struct cpu_hot *h = cpu->hot;
    uint64_t n;

    if (cpu->run_all || h->cycles >= h->limit)
        return;
    n = (h->limit - 1 - h->cycles) / cycles;
    h->cycles += n * cycles;
    h->ready += n * cycles;
    h->instructions += n * instructions;
    cpu->skipped += n * instructions;
}

void cpu_skip(struct cpu *cpu, bool on)
{
    cpu->run_all = !on;
}

uint64_t cpu_skipped(const struct cpu *cpu)
{
    return cpu->skipped;
}

/* Any instruction.  noinline: on_code() is fast because it needs no stack. */
__attribute__((noinline)) static void any_code(struct cpu *cpu, uint32_t pc,
                                               uint32_t size)
{
    struct cpu_hot *h = cpu->hot;
    uint16_t op;
    unsigned cost;

    if (cpu->n_repairs)
        repair_flash(cpu);
    if (h->it_end && in_it_block(cpu, pc))
        return;
    if (h->watch_flash)
        h->stalled = touches_flash(cpu, pc);
    if (h->attention || h->cycles >= h->limit || h->stalled) {
        uc_emu_stop(cpu->uc);
        return;
    }
    op = half_word(cpu, pc);
    cost = cpu->cycles[op];
    if (pc == h->pc && op == BRANCH_HERE)
        cpu_repeat(cpu, branch_here(cpu, cost), 1);
    if (pc != h->next)
        branched(cpu, pc);
    else if ((pc ^ h->line) & h->fetch_mask)
        enter_line(h, pc);
    else if (h->line_cost && (pc & h->line_mask) < 4 && cpu->now->flash)
        h->cycles += h->line_cost;
    h->next = pc + size;
    if (cost & ~OP_CYCLES) {
        if (cost & OP_SPECIAL && special(cpu, pc, op)) {
            h->next = pc;
            uc_emu_stop(cpu->uc);
            return;
        }
        h->cycles += extra_cycles(cpu, pc, cost);
    }
    h->pc = pc;
    h->cycles += cost & OP_CYCLES;
    h->instructions++;
}

/* Called before every instruction: the same as any_code() for straight code
 * in the memory that the last one came from, with nothing going on. */
static void on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct cpu *cpu = user;
    struct cpu_hot *h = cpu->hot;
    const struct area *a = cpu->now;
    uint32_t pc = (uint32_t)address;
    uint16_t op;
    unsigned cost;

    (void)uc;
    if (pc == h->next && pc - a->base < a->size && h->cycles < h->limit &&
        !h->attention && !(h->watch_flash | h->line_cost | h->it_end)) {
        memcpy(&op, a->host + (pc - a->base), sizeof(op));
        cost = cpu->cycles[op];
        if (cost <= OP_CYCLES) {
            if ((pc ^ h->line) & h->fetch_mask)
                enter_line(h, pc);
            h->next = pc + size;
            h->pc = pc;
            h->cycles += cost;
            h->instructions++;
            return;
        }
    }
    any_code(cpu, pc, size);
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    struct cpu *cpu = user;

    cpu->interrupt = (int)number;
    uc_emu_stop(uc);
}

static bool on_unmapped(uc_engine *uc, uc_mem_type type, uint64_t address,
                        int size, int64_t value, void *user)
{
    struct cpu *cpu = user;
    enum cpu_access access = CPU_READ;

    (void)uc, (void)size, (void)value;
    if (type == UC_MEM_WRITE_UNMAPPED || type == UC_MEM_WRITE_PROT)
        access = CPU_WRITE;
    if (type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT)
        access = CPU_FETCH;
    cpu_fault(cpu, access, (uint32_t)address);
    return false;
}

static bool on_protected_write(uc_engine *uc, uc_mem_type type,
                               uint64_t address, int size, int64_t value,
                               void *user)
{
    struct cpu *cpu = user;

    (void)uc, (void)type;
    cpu->hot->attention = true;
    cpu->bus.store_flash(cpu->bus.ctx, (uint32_t)address, (unsigned)size,
                         (uint32_t)value);
    remember(cpu, (uint32_t)address, (unsigned)size);
    return true;
}

/* The engine gives the offset in the mapping: one callback context each. */
static uint64_t io_read(struct cpu *cpu, uint32_t addr, unsigned size)
{
    return cpu->bus.read(cpu->bus.ctx, addr, size);
}

static void io_write(struct cpu *cpu, uint32_t addr, unsigned size,
                     uint64_t value)
{
    cpu->bus.write(cpu->bus.ctx, addr, size, (uint32_t)value);
}

#define IO_WINDOW(name, base)                                                  \
    static uint64_t name##_read(uc_engine *uc, uint64_t off, unsigned size,    \
                                void *user)                                    \
    {                                                                          \
        (void)uc;                                                              \
        return io_read(user, (uint32_t)(base) + (uint32_t)off, size);          \
    }                                                                          \
    static void name##_write(uc_engine *uc, uint64_t off, unsigned size,       \
                             uint64_t value, void *user)                       \
    {                                                                          \
        (void)uc;                                                              \
        io_write(user, (uint32_t)(base) + (uint32_t)off, size, value);         \
    }

/* ARMv7-M memory map (DDI 0403 B3.1): system memory of the STM32, bit-band
 * alias of RAM, peripherals and their bit-band alias, static memory
 * controller, private peripheral bus. */
IO_WINDOW(system_memory, 0x1ff00000)
IO_WINDOW(ram_bits, 0x22000000)
IO_WINDOW(data_eeprom, 0x08080000)
IO_WINDOW(peripherals, 0x40000000)
IO_WINDOW(fsmc, 0xa0000000)
IO_WINDOW(private_bus, 0xe0000000)

static bool map_io(struct cpu *cpu, const struct chip_model *m)
{
    uc_engine *uc = cpu->uc;
    int bad = 0;

    bad |= uc_mmio_map(uc, 0x1ff00000, 0x100000, system_memory_read, cpu,
                       system_memory_write, cpu);
    if (!cpu->v6m)
        bad |= uc_mmio_map(uc, 0x22000000, 0x2000000, ram_bits_read, cpu,
                           ram_bits_write, cpu);
    if (m->data_size)
        bad |= uc_mmio_map(uc, m->data_base, m->data_size, data_eeprom_read,
                           cpu, data_eeprom_write, cpu);
    bad |= uc_mmio_map(uc, 0x40000000, 0x20000000, peripherals_read, cpu,
                       peripherals_write, cpu);
    bad |=
        uc_mmio_map(uc, 0xa0000000, 0x10000, fsmc_read, cpu, fsmc_write, cpu);
    bad |= uc_mmio_map(uc, 0xe0000000, 0x100000, private_bus_read, cpu,
                       private_bus_write, cpu);
    return !bad;
}

static bool map_memory(struct cpu *cpu, const struct area *a)
{
    uint32_t rights = a->flash       ? UC_PROT_READ | UC_PROT_EXEC
                      : a->data_only ? UC_PROT_READ | UC_PROT_WRITE
                                     : UC_PROT_ALL;

    return !uc_mem_map_ptr(cpu->uc, a->base, a->size, rights, a->host);
}

static bool map_memories(struct cpu *cpu)
{
    unsigned i;

    for (i = 0; i < AREAS; i++) {
        const struct area *a = &cpu->area[i];

        if (!a->size)
            continue;
        cpu->code[i] = calloc(a->size / CODE_PAGE + 1, 1);
        if (!cpu->code[i] || !map_memory(cpu, a))
            return false;
    }
    return true;
}

/* The RAM is smaller than the flash, so there is room for its code[]. */
static void remap(struct cpu *cpu)
{
    struct area *low = &cpu->area[AREA_LOW];
    const struct area *from =
        &cpu->area[cpu->hot->ram_at_0 ? AREA_RAM : AREA_FLASH];
    uint32_t old = low->size;

    cpu->ram_at_0 = cpu->hot->ram_at_0;
    uc_mem_unmap(cpu->uc, 0, old);
    *low = *from;
    low->base = 0;
    memset(cpu->code[AREA_LOW], 0, old / CODE_PAGE + 1);
    map_memory(cpu, low);
    /* What the engine has translated and looked up is of the old memory. */
    uc_ctl_remove_cache(cpu->uc, 0, (uint64_t)old);
    uc_ctl_flush_tlb(cpu->uc);
    cpu->now = find_area(cpu, cpu_get(cpu, CPU_PC));
    if (!cpu->now)
        cpu->now = &cpu->area[AREA_FLASH];
}

static bool add_hooks(struct cpu *cpu)
{
    uc_engine *uc = cpu->uc;
    uc_hook hook;
    int bad = 0;

    bad |= uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)on_code, cpu, 1, 0);
    bad |=
        uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, cpu, 1, 0);
    bad |= uc_hook_add(uc, &hook, UC_HOOK_EDGE_GENERATED, (void *)on_translate,
                       cpu, 1, 0);
    bad |= uc_hook_add(uc, &hook,
                       UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_FETCH_PROT |
                           UC_HOOK_MEM_READ_PROT,
                       (void *)on_unmapped, cpu, 1, 0);
    bad |= uc_hook_add(uc, &hook, UC_HOOK_MEM_WRITE_PROT,
                       (void *)on_protected_write, cpu, 1, 0);
    return !bad;
}

static bool open_engine(struct cpu *cpu, const struct chip_model *m)
{
    static const int model[] = {
        [CPU_CORTEX_M0] = UC_CPU_ARM_CORTEX_M0,
        [CPU_CORTEX_M0P] = UC_CPU_ARM_CORTEX_M0,
        [CPU_CORTEX_M3] = UC_CPU_ARM_CORTEX_M3,
        [CPU_CORTEX_M4F] = UC_CPU_ARM_CORTEX_M4,
    };

    if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &cpu->uc))
        return false;
    return !uc_ctl_set_cpu_model(cpu->uc, model[cpu->kind]) &&
           !uc_ctl_exits_enable(cpu->uc) && map_memories(cpu) &&
           map_io(cpu, m) && add_hooks(cpu) &&
           !uc_context_alloc(cpu->uc, &cpu->now_regs);
}

struct cpu *cpu_new(const struct chip_model *m, struct cpu_hot *hot,
                    const struct cpu_bus *bus, uint8_t *flash, uint8_t *ram,
                    uint8_t *ccm)
{
    struct cpu *cpu = calloc(1, sizeof(*cpu));

    if (!cpu)
        return NULL;
    cpu->hot = hot;
    cpu->bus = *bus;
    cpu->kind = m->cpu;
    cpu->v6m = cpu_is_v6m(m->cpu);
    cpu->refill = cycles_refill(m->cpu);
    cpu->area[AREA_FLASH] =
        (struct area){m->flash_base, m->flash_size, flash, true, false};
    cpu->area[AREA_RAM] =
        (struct area){m->ram_base, m->ram_size, ram, false, false};
    cpu->area[AREA_LOW] = (struct area){0, m->flash_size, flash, true, false};
    cpu->area[AREA_CCM] =
        (struct area){m->ccm_base, m->ccm_size, ccm, false, true};
    cpu->now = &cpu->area[0];
    cycles_table(m->cpu, cpu->cycles);
    if (!open_engine(cpu, m)) {
        cpu_free(cpu);
        return NULL;
    }
    return cpu;
}

void cpu_free(struct cpu *cpu)
{
    unsigned i;

    if (!cpu)
        return;
    if (cpu->now_regs)
        uc_context_free(cpu->now_regs);
    if (cpu->uc)
        uc_close(cpu->uc);
    for (i = 0; i < AREAS; i++)
        free(cpu->code[i]);
    free(cpu);
}

/* ---- running ---- */

static enum cpu_event done_hint(struct cpu *cpu)
{
    struct cpu_hot *h = cpu->hot;
    uint32_t pc = cpu_get(cpu, CPU_PC);

    h->pc = pc;
    h->next = pc + 2;
    h->cycles++;
    h->instructions++;
    cpu_set(cpu, CPU_PC, pc + 2);
    return cpu->hint == 0xbf30   ? CPU_WFI
           : cpu->hint == 0xbf20 ? CPU_WFE
                                 : CPU_RAN; /* YIELD and unknown hints */
}

static enum cpu_event at(struct cpu *cpu, enum cpu_event ev)
{
    cpu->hot->next = cpu->hot->pc;
    cpu_set(cpu, CPU_PC, cpu->hot->pc);
    return ev;
}

static enum cpu_event done_interrupt(struct cpu *cpu)
{
    switch (cpu->interrupt) {
    case ENGINE_SVC:
        return CPU_SVC;
    case ENGINE_BKPT:
        return at(cpu, CPU_BKPT);
    case ENGINE_UNDEF:
        return at(cpu, CPU_UNDEF);
    case ENGINE_PREFETCH_ABORT:
        cpu_fault(cpu, CPU_FETCH, cpu_get(cpu, CPU_PC));
        return CPU_FAULT;
    case ENGINE_DATA_ABORT: /* ARMv6-M: A3.2.1 */
        if (cpu->v6m)
            return at(cpu, CPU_UNALIGNED);
        break;
    }
    cpu_fault(cpu, CPU_READ, 0);
    return at(cpu, CPU_FAULT);
}

/* Order matters: a fault outranks the stop that it asked for. */
static enum cpu_event why(struct cpu *cpu, uc_err err)
{
    if (cpu_get(cpu, CPU_PC) >= 0xffffffe0u ||
        cpu->interrupt == ENGINE_EXCEPTION_EXIT) {
        cpu->hot->faulted = false;
        return CPU_EXC_RETURN;
    }
    if (cpu->hot->faulted) {
        cpu->hot->it_end = 0;
        return CPU_FAULT;
    }
    if (cpu->misaligned)
        return at(cpu, CPU_UNALIGNED);
    if (cpu->no_fpu)
        return at(cpu, CPU_NO_FPU);
    if (cpu->unknown)
        return at(cpu, CPU_UNDEF);
    if (cpu->hint)
        return done_hint(cpu);
    if (cpu->interrupt != NO_INTERRUPT)
        return done_interrupt(cpu);
    if (err == UC_ERR_INSN_INVALID)
        return at(cpu, CPU_UNDEF);
    if (err == UC_ERR_EXCEPTION)
        return CPU_INVSTATE;
    return CPU_RAN;
}

void cpu_fpu(struct cpu *cpu, bool on)
{
    unsigned op;

    if (cpu->kind != CPU_CORTEX_M4F || cpu->fpu_off == !on)
        return;
    cpu->fpu_off = !on;
    cycles_table(cpu->kind, cpu->cycles);
    for (op = 0xec00; !on && op < 0x10000; op++)
        if (is_coprocessor(op))
            cpu->cycles[op] |= OP_SPECIAL;
}

/* The engine keeps what it translated until its buffer of 1 GB is full, also
 * what is no longer valid, and crashes then. */
static void drop_translations(struct cpu *cpu)
{
    if (cpu->translated < TRANSLATED_MOST)
        return;
    cpu->translated = 0;
    uc_ctl_flush_tlb(cpu->uc);
}

enum cpu_event cpu_run(struct cpu *cpu)
{
    uint32_t pc = cpu_get(cpu, CPU_PC);
    uc_err err;

    cpu->hint = 0;
    cpu->misaligned = cpu->no_fpu = cpu->unknown = false;
    cpu->interrupt = NO_INTERRUPT;
    cpu->hot->attention = false;
    cpu->hot->faulted = false;
    cpu->hot->stalled = false;
    if (cpu->ram_at_0 != cpu->hot->ram_at_0)
        remap(cpu);
    drop_translations(cpu);
    mark_code(cpu, pc);
    err = uc_emu_start(cpu->uc, pc | 1, NO_END, 0, 0);
    repair_flash(cpu);
    return why(cpu, err);
}

void cpu_fault(struct cpu *cpu, enum cpu_access access, uint32_t addr)
{
    struct cpu_hot *h = cpu->hot;

    h->attention = true;
    if (h->faulted)
        return; /* the first one counts */
    h->faulted = true;
    h->fault_access = access;
    h->fault_addr = addr;
    h->fault_pc = access == CPU_FETCH ? addr : h->pc;
}

/* ---- registers ---- */

static int engine_reg(enum cpu_reg reg)
{
    static const int id[] = {
        [CPU_SP] = UC_ARM_REG_SP,
        [CPU_LR] = UC_ARM_REG_LR,
        [CPU_PC] = UC_ARM_REG_PC,
        [CPU_XPSR] = UC_ARM_REG_XPSR,
        [CPU_MSP] = UC_ARM_REG_MSP,
        [CPU_PSP] = UC_ARM_REG_PSP,
        [CPU_PRIMASK] = UC_ARM_REG_PRIMASK,
        [CPU_BASEPRI] = UC_ARM_REG_BASEPRI,
        [CPU_FAULTMASK] = UC_ARM_REG_FAULTMASK,
        [CPU_CONTROL] = UC_ARM_REG_CONTROL,
        [CPU_FPSCR] = UC_ARM_REG_FPSCR,
    };

    if (reg >= CPU_S0)
        return UC_ARM_REG_S0 + (int)reg - CPU_S0;
    return reg <= 12 ? UC_ARM_REG_R0 + (int)reg : id[reg];
}

uint32_t cpu_get(struct cpu *cpu, enum cpu_reg reg)
{
    uint32_t v = 0;

    uc_reg_read(cpu->uc, engine_reg(reg), &v);
    return v;
}

static void rebuild_cached_flags(struct cpu *cpu)
{
    uint32_t xpsr = cpu_get(cpu, CPU_XPSR);

    uc_reg_write(cpu->uc, UC_ARM_REG_APSR_NZCV, &xpsr);
}

void cpu_set(struct cpu *cpu, enum cpu_reg reg, uint32_t value)
{
    if (reg == CPU_PC)
        value |= 1; /* the engine takes the Thumb bit from here */
    uc_reg_write(cpu->uc, engine_reg(reg), &value);
    if (reg == CPU_XPSR || reg == CPU_CONTROL)
        rebuild_cached_flags(cpu);
}

void cpu_clear_regs(struct cpu *cpu)
{
    unsigned r;

    cpu_set(cpu, CPU_XPSR, 1u << 24);
    cpu_set(cpu, CPU_CONTROL, 0);
    cpu_set(cpu, CPU_PRIMASK, 0);
    if (!cpu->v6m) {
        cpu_set(cpu, CPU_BASEPRI, 0);
        cpu_set(cpu, CPU_FAULTMASK, 0);
    }
    cpu_set(cpu, CPU_MSP, 0);
    cpu_set(cpu, CPU_PSP, 0);
    for (r = 0; r <= 12; r++)
        cpu_set(cpu, (enum cpu_reg)r, 0);
    cpu_set(cpu, CPU_LR, 0xffffffff);
    for (r = 0; r < 32 && cpu->kind == CPU_CORTEX_M4F; r++)
        cpu_set(cpu, (enum cpu_reg)(CPU_S0 + r), 0);
    if (cpu->kind == CPU_CORTEX_M4F)
        cpu_set(cpu, CPU_FPSCR, 0);
    cpu->hot->it_end = 0;
}

/* ---- translations ---- */

static void drop_page(struct cpu *cpu, unsigned area, uint32_t page)
{
    uint32_t start = cpu->area[area].base + page * CODE_PAGE;

    if (!cpu->code[area][page])
        return;
    uc_ctl_remove_cache(cpu->uc, (uint64_t)start, (uint64_t)start + CODE_PAGE);
    cpu->code[area][page] = 0;
}

/* Flash has two aliases with translations of their own. */
void cpu_code_changed(struct cpu *cpu, uint32_t addr, size_t n)
{
    const struct area *a = find_area(cpu, addr);
    uint32_t page, last;
    unsigned i;

    if (!a || !n)
        return;
    page = (addr - a->base) / CODE_PAGE;
    last = (uint32_t)(addr - a->base + n - 1) / CODE_PAGE;
    for (; page <= last; page++)
        for (i = 0; i < AREAS; i++)
            if (cpu->area[i].host == a->host)
                drop_page(cpu, i, page);
}

/* ---- snapshots ---- */

struct cpu_regs *cpu_save(struct cpu *cpu)
{
    struct cpu_regs *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    if (uc_context_alloc(cpu->uc, &r->context)) {
        free(r);
        return NULL;
    }
    uc_context_save(cpu->uc, r->context);
    return r;
}

void cpu_save_to(struct cpu *cpu, struct cpu_regs *regs)
{
    uc_context_save(cpu->uc, regs->context);
}

bool cpu_same(struct cpu *cpu, const struct cpu_regs *regs)
{
    uc_context_save(cpu->uc, cpu->now_regs);
    return !memcmp(cpu->now_regs, regs->context, uc_context_size(cpu->uc));
}

void cpu_restore(struct cpu *cpu, const struct cpu_regs *regs)
{
    uc_context_restore(cpu->uc, regs->context);
}

void cpu_regs_free(struct cpu_regs *regs)
{
    if (!regs)
        return;
    uc_context_free(regs->context);
    free(regs);
}
