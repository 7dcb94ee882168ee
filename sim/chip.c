/* SPDX-License-Identifier: MIT */
/*
 * chip.c - puts a chip together and runs it.
 *
 * The loop of chip_run(): events that are due, then whatever keeps the CPU
 * from running (no power, lock-up, sleep, a busy flash: time jumps), then a
 * pending exception, then the CPU up to the next deadline.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* ---- small questions ---- */

uint32_t chip_pc(const struct chip *c)
{
    return c->live->cpu.pc;
}

uint64_t chip_instructions(const struct chip *c)
{
    return c->live->cpu.instructions;
}

uint32_t chip_vtor(const struct chip *c)
{
    return c->live->cortex.vtor;
}

struct wire *chip_wire(struct chip *c)
{
    return c->wire;
}

const struct sim_board *chip_board(const struct chip *c)
{
    return c->board;
}

uint32_t chip_hse_hz(const struct chip *c)
{
    return c->board ? c->board->hse_hz : c->model->hse_hz;
}

struct dev *chip_dev(struct chip *c, const char *name)
{
    size_t i;

    for (i = 0; i < c->n_devs; i++)
        if (!strcmp(c->dev[i].desc->name, name))
            return &c->dev[i];
    return NULL;
}

void chip_usb_sof(struct chip *c)
{
    size_t i;

    for (i = 0; i < c->n_devs; i++)
        if (c->dev[i].desc->ops && c->dev[i].desc->ops->usb_sof) {
            c->dev[i].desc->ops->usb_sof(&c->dev[i]);
            time_reschedule_dev(&c->dev[i]);
        }
}

bool chip_in_flash(const struct chip *c, uint32_t addr)
{
    return addr - c->model->flash_base < c->model->flash_size ||
           (addr < c->model->flash_size && !c->live->cpu.ram_at_0);
}

sim_time chip_flash_busy(struct chip *c)
{
    sim_time t = c->flash_dev->desc->ops->deadline(c->flash_dev);

    return t > chip_now(c) && t != SIM_NEVER ? t : 0;
}

uint32_t chip_clock_hz(struct chip *c, enum chip_clock which)
{
    return c->model->rcc_ops->hz(c->rcc, which);
}

bool chip_usb_clock_ok(struct chip *c)
{
    return c->model->rcc_ops->usb_ok(c->rcc);
}

bool dev_clocked(struct dev *d)
{
    struct rcc_bit none = {0, 0};
    const struct rcc_bit *b = &d->desc->clock;

    if (b->reg == none.reg && b->bit == none.bit)
        return true;
    return d->chip->model->rcc_ops->enabled(d->chip->rcc, *b);
}

void chip_irq(struct chip *c, unsigned irq, bool level)
{
    cortex_irq(c, irq, level);
}

void chip_clocks_changed(struct chip *c)
{
    size_t i;

    time_new_clock(c);
    for (i = 0; i < c->n_devs; i++)
        if (c->dev[i].desc->ops && c->dev[i].desc->ops->clocks_changed)
            c->dev[i].desc->ops->clocks_changed(&c->dev[i]);
    chip_touch(c);
}

/* ---- assembly ---- */

static size_t aligned(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static size_t state_size(const struct device *d)
{
    return d->ops ? aligned(d->ops->state_size) : 0;
}

static bool make_arena(struct chip *c)
{
    const struct chip_model *m = c->model;
    size_t at = aligned(sizeof(struct chip_live)), i;

    c->n_devs = m->n_devices;
    for (i = 0; i < m->n_devices; i++)
        at += state_size(&m->devices[i]);
    c->arena_size = at;
    c->live = calloc(1, c->arena_size);
    if (!c->live)
        return false;
    at = aligned(sizeof(struct chip_live));
    for (i = 0; i < c->n_devs; i++) {
        c->dev[i].chip = c;
        c->dev[i].desc = &m->devices[i];
        c->dev[i].state = (uint8_t *)c->live + at;
        at += state_size(&m->devices[i]);
    }
    return true;
}

static void index_addresses(struct chip *c)
{
    size_t i;
    unsigned r;

    for (i = 0; i < c->n_devs; i++) {
        for (r = 0; r < DEV_RANGES; r++) {
            const struct dev_range *range = &c->dev[i].desc->range[r];
            uint32_t at;

            for (at = 0; at < range->size; at += 0x400)
                if (bus_slot(range->base + at) < IO_WINDOWS * IO_SLOTS)
                    c->io_slot[bus_slot(range->base + at)] = (uint8_t)(i + 1);
        }
    }
}

static bool find_devices(struct chip *c)
{
    char name[] = "GPIOA";
    unsigned i;

    c->rcc = chip_dev(c, c->model->rcc);
    c->flash_dev = chip_dev(c, c->model->flash);
    for (i = 0; i < PORTS_MAX; i++, name[4]++)
        c->port[i] = chip_dev(c, name);
    return c->rcc && c->flash_dev;
}

static bool make_memories(struct chip *c)
{
    c->flash = aligned_alloc(4096, c->model->flash_size);
    c->ram = aligned_alloc(4096, c->model->ram_size);
    if (c->model->ccm_size)
        c->ccm = aligned_alloc(4096, c->model->ccm_size);
    if (!c->flash || !c->ram || (c->model->ccm_size && !c->ccm))
        return false;
    memset(c->flash, c->model->flash_erased, c->model->flash_size);
    memset(c->ram, 0, c->model->ram_size);
    if (c->ccm)
        memset(c->ccm, 0, c->model->ccm_size);
    c->flash_dirty = true;
    return true;
}

static bool make_wire(struct chip *c)
{
    size_t i;

    for (i = 0; i < c->n_devs; i++) {
        if (!c->dev[i].desc->wire_ops)
            continue;
        c->wire = wire_new(c, c->dev[i].desc->wire_ops, &c->dev[i]);
        return c->wire != NULL;
    }
    return true;
}

static void first_state(struct chip *c)
{
    struct chip_live *l = c->live;

    time_init(c);
    l->hz = 8000000; /* any; RCC tells at reset */
    l->flash_report_at = SIM_NEVER;
    l->noise = 0x5a11f00d;
    memset(l->drive, -1, sizeof(l->drive));
    memset(l->named, -1, sizeof(l->named));
}

static bool make(struct chip *c)
{
    const struct cpu_bus bus = {c, bus_read, bus_write, bus_store_flash};

    if (c->model->n_devices > DEVS_MAX || !make_arena(c) || !find_devices(c) ||
        !make_memories(c))
        return false;
    index_addresses(c);
    first_state(c);
    c->cpu = cpu_new(c->model, &c->live->cpu, &bus, c->flash, c->ram, c->ccm);
    c->idle = c->cpu ? idle_new(c) : NULL;
    return c->idle && make_wire(c);
}

struct chip *chip_new(const struct chip_model *model,
                      const struct sim_board *board, chip_event_fn *on_event,
                      void *ctx)
{
    struct chip *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->model = model;
    c->board = board;
    c->on_event = on_event;
    c->ctx = ctx;
    if (!make(c)) {
        chip_free(c);
        return NULL;
    }
    return c;
}

void chip_free(struct chip *c)
{
    if (!c)
        return;
    if (c->wire)
        wire_free(c->wire);
    cpu_free(c->cpu);
    idle_free(c->idle);
    if (c->image && --c->image->refs == 0)
        free(c->image);
    free(c->flash);
    free(c->ram);
    free(c->ccm);
    free(c->live);
    free(c->usart);
    free(c);
}

/* ---- running ---- */

void chip_stop(struct chip *c)
{
    c->stop = true;
    c->live->cpu.attention = true;
}

static void skip_time(struct chip *c)
{
    time_advance(c, c->live->next < c->until ? c->live->next : c->until);
}

static bool asleep(struct chip *c)
{
    struct chip_live *l = c->live;

    if (!l->sleeping)
        return false;
    if (l->sleep_is_wfe && l->cpu.event)
        l->cpu.event = l->sleeping = false;
    else if (cortex_wakes(c))
        l->sleeping = false;
    return l->sleeping;
}

static bool stalled(struct chip *c)
{
    sim_time busy = chip_flash_busy(c);
    struct cpu_hot *h = &c->live->cpu;
    sim_time t = c->live->next < c->until ? c->live->next : c->until;

    h->watch_flash = busy != 0;
    if (!busy || !(h->stalled || chip_in_flash(c, cpu_get(c->cpu, CPU_PC))))
        return false;
    time_advance(c, busy < t ? busy : t);
    return true;
}

static void sleep_now(struct chip *c, bool wfe)
{
    struct chip_live *l = c->live;

    if (wfe && l->cpu.event) {
        l->cpu.event = false;
        return;
    }
    l->sleeping = true;
    l->sleep_is_wfe = wfe;
}

static void run_cpu(struct chip *c)
{
    struct cpu_hot *h = &c->live->cpu;

    idle_begin(c);
    switch (cpu_run(c->cpu)) {
    case CPU_RAN:
        break;
    case CPU_WFI:
        sleep_now(c, false);
        break;
    case CPU_WFE:
        sleep_now(c, true);
        break;
    case CPU_SVC:
        cortex_svc(c);
        break;
    case CPU_BKPT:
        cortex_fault(c, FAULT_BREAK);
        break;
    case CPU_UNDEF:
        cortex_fault(c, FAULT_UNDEF);
        break;
    case CPU_UNALIGNED:
        cortex_fault(c, FAULT_UNALIGNED);
        break;
    case CPU_NO_FPU:
        cortex_fault(c, FAULT_NOCP);
        break;
    case CPU_INVSTATE:
        cortex_fault(c, FAULT_INVSTATE);
        break;
    case CPU_EXC_RETURN:
        cortex_return(c, cpu_get(c->cpu, CPU_PC));
        break;
    case CPU_FAULT:
        cpu_set(c->cpu, CPU_PC, h->fault_pc);
        cortex_fault(c, h->fault_access == CPU_FETCH ? FAULT_FETCH : FAULT_BUS);
        break;
    }
}

static void step(struct chip *c)
{
    struct chip_live *l = c->live;

    if (l->cut_now)
        power_cut(c);
    else if (l->next <= chip_now(c))
        time_fire(c);
    else if (!l->powered)
        skip_time(c);
    else if (l->reset_wanted)
        power_do_reset(c, l->reset_cause);
    else if (l->locked_up || asleep(c))
        skip_time(c);
    else if (!stalled(c) && !cortex_take(c))
        run_cpu(c);
}

void chip_run(struct chip *c, sim_time until)
{
    c->stop = false;
    c->until = until;
    chip_touch(c);
    while (!c->stop && chip_now(c) < until)
        step(c);
}
