/* SPDX-License-Identifier: MIT */
/*
 * bus.c - what an address means.  Ordinary loads and stores of flash and RAM
 * never come here, the CPU engine does them alone.
 */
#include <string.h>

#include "core.h"

#define IO_BASE      0x40000000u
#define SLOT_SIZE    0x400u
#define BITBAND_IO   0x42000000u
#define BITBAND_RAM  0x22000000u
#define BITBAND_SIZE 0x02000000u
#define SCS_BASE     0xe000e000u /* no peripheral of a table is there */
#define SCS_SIZE     0x1000u
#define PRIVATE_BASE 0xe0000000u
#define PRIVATE_SIZE 0x00100000u
#define ERASED       0xff

static uint32_t low_bytes(unsigned size)
{
    return size >= 4 ? 0xffffffffu : (1u << 8 * size) - 1;
}

/* ---- memories, by host pointer ---- */

/* RAM or flash at addr, at least n bytes; NULL if it is neither. */
static uint8_t *memory_at(struct chip *c, uint32_t addr, size_t n)
{
    const struct chip_model *m = c->model;
    uint32_t off = addr - m->ram_base;

    if (off < m->ram_size)
        return n <= m->ram_size - off ? c->ram + off : NULL;
    off = addr - m->ccm_base;
    if (off < m->ccm_size)
        return n <= m->ccm_size - off ? c->ccm + off : NULL;
    if (c->live->cpu.ram_at_0 && addr < m->ram_size)
        return n <= m->ram_size - addr ? c->ram + addr : NULL;
    off = addr - m->flash_base;
    if (addr < m->flash_size && !c->live->cpu.ram_at_0)
        off = addr;
    if (off < m->flash_size)
        return n <= m->flash_size - off ? c->flash + off : NULL;
    return NULL;
}

static bool rom_byte(struct chip *c, uint32_t addr, uint8_t *byte)
{
    size_t i;

    for (i = 0; i < c->model->n_roms; i++) {
        const struct rom_area *r = &c->model->roms[i];

        if (addr - r->base >= r->size)
            continue;
        *byte =
            addr - r->base < r->data_size ? r->data[addr - r->base] : ERASED;
        return true;
    }
    return false;
}

bool bus_read_word(struct chip *c, uint32_t addr, uint32_t *value)
{
    const uint8_t *p = memory_at(c, addr, 4);

    if (!p)
        return false;
    if (chip_in_flash(c, addr))
        chip_stall(c, chip_flash_busy(c));
    memcpy(value, p, 4);
    return true;
}

bool bus_write_word(struct chip *c, uint32_t addr, uint32_t value)
{
    uint8_t *p = memory_at(c, addr, 4);

    if (!p || chip_in_flash(c, addr))
        return false;
    memcpy(p, &value, 4);
    return true;
}

/* ---- peripherals ---- */

unsigned bus_slot(uint32_t addr)
{
    /* The second one is F0's for its ports. */
    static const uint32_t window[IO_WINDOWS] = {IO_BASE, 0x48000000,
                                                0x50000000};
    unsigned i;

    for (i = 0; i < IO_WINDOWS; i++)
        if (addr - window[i] < IO_SLOTS * SLOT_SIZE)
            return i * IO_SLOTS + (addr - window[i]) / SLOT_SIZE;
    return IO_WINDOWS * IO_SLOTS;
}

static struct dev *dev_at(struct chip *c, uint32_t addr)
{
    unsigned slot = bus_slot(addr);
    size_t i;

    if (slot < IO_WINDOWS * IO_SLOTS) {
        i = c->io_slot[slot];
        return i ? &c->dev[i - 1] : NULL;
    }
    for (i = 0; i < c->n_devs; i++)
        if (addr - c->dev[i].desc->range[0].base <
                c->dev[i].desc->range[0].size ||
            addr - c->dev[i].desc->range[1].base <
                c->dev[i].desc->range[1].size)
            return &c->dev[i];
    return NULL;
}

static unsigned range_of(const struct dev *d, uint32_t addr)
{
    return addr - d->desc->range[0].base < d->desc->range[0].size ? 0 : 1;
}

/* Says once what is wrong with this peripheral, if anything. */
static bool usable(struct dev *d, bool is_write)
{
    struct chip *c = d->chip;

    if (!dev_clocked(d)) {
        if (report_once(c, d->desc->range[0].base + 0x3fd))
            chip_guest_error(c, "%s %s while its clock is off in RCC",
                             d->desc->name, is_write ? "written" : "read");
        return false;
    }
    if (!d->desc->ops) {
        if (report_once(c, d->desc->range[0].base + 0x3fe))
            chip_report(c, EV_UNMODELLED,
                        "%s is not modelled and reads 0, at PC 0x%08x",
                        d->desc->name, chip_pc(c));
        return false;
    }
    return true;
}

static void hole(struct chip *c, uint32_t addr)
{
    if (addr >= c->model->io_end) {
        chip_bus_fault(c);
        return;
    }
    if (report_once(c, (addr & ~0x3ffu) + 0x3ff))
        chip_report(c, EV_UNMODELLED,
                    "reserved address 0x%08x reads 0, at PC 0x%08x", addr,
                    chip_pc(c));
}

static uint32_t dev_read(struct dev *d, uint32_t addr, unsigned size)
{
    unsigned r = range_of(d, addr);
    uint32_t v;

    if (!usable(d, false) || !d->desc->ops->read)
        return 0;
    if (!d->desc->ops->steady)
        idle_broken(d->chip);
    v = d->desc->ops->read(d, r, addr - d->desc->range[r].base, size);
    time_reschedule_dev(d);
    return v & low_bytes(size);
}

static void dev_write(struct dev *d, uint32_t addr, unsigned size,
                      uint32_t value)
{
    unsigned r = range_of(d, addr);

    if (!usable(d, true) || !d->desc->ops->write)
        return;
    if (!d->desc->ops->plain)
        idle_broken(d->chip);
    d->desc->ops->write(d, r, addr - d->desc->range[r].base, size,
                        value & low_bytes(size));
    time_reschedule_dev(d);
    if (d == d->chip->flash_dev)
        d->chip->live->cpu.attention = true; /* it may be busy now */
}

/* ---- bit-band (PM0056 2.2.5): a word for each bit ---- */

static uint32_t bit_byte(uint32_t base, uint32_t alias)
{
    return base + (alias & (BITBAND_SIZE - 1)) / 32;
}

static unsigned bit_number(uint32_t alias)
{
    return (alias & (BITBAND_SIZE - 1)) / 4 % 32;
}

static uint32_t any_read(struct chip *c, uint32_t addr, unsigned size);

static uint32_t io_bit_read(struct chip *c, uint32_t addr)
{
    uint32_t word = any_read(c, bit_byte(IO_BASE, addr) & ~3u, 4);

    return word >> bit_number(addr) & 1;
}

static void io_bit_write(struct chip *c, uint32_t addr, uint32_t value)
{
    uint32_t at = bit_byte(IO_BASE, addr) & ~3u;
    uint32_t bit = 1u << bit_number(addr);
    uint32_t word = any_read(c, at, 4);

    bus_write(c, at, 4, value & 1 ? word | bit : word & ~bit);
}

static uint8_t *ram_bit(struct chip *c, uint32_t addr)
{
    uint32_t off = bit_byte(0, addr);

    if (off < c->model->ram_size)
        return c->ram + off;
    chip_bus_fault(c);
    return NULL;
}

static uint32_t ram_bit_read(struct chip *c, uint32_t addr)
{
    const uint8_t *p = ram_bit(c, addr);

    return p ? *p >> bit_number(addr) % 8 & 1 : 0;
}

static void ram_bit_write(struct chip *c, uint32_t addr, uint32_t value)
{
    uint8_t *p = ram_bit(c, addr);
    unsigned bit = 1u << bit_number(addr) % 8;

    if (p)
        *p = (uint8_t)(value & 1 ? *p | bit : *p & ~bit);
}

static bool has_bitband(const struct chip *c)
{
    return !cpu_is_v6m(c->model->cpu);
}

/* ---- the CPU's view ---- */

static uint32_t rom_read(struct chip *c, uint32_t addr, unsigned size)
{
    uint32_t v = 0;
    uint8_t byte;
    unsigned i;

    for (i = 0; i < size; i++) {
        if (!rom_byte(c, addr + i, &byte)) {
            chip_bus_fault(c);
            return 0;
        }
        v |= (uint32_t)byte << 8 * i;
    }
    return v;
}

static uint32_t any_read(struct chip *c, uint32_t addr, unsigned size)
{
    struct dev *d;

    if (addr - BITBAND_IO < BITBAND_SIZE && has_bitband(c))
        return io_bit_read(c, addr);
    if (addr - BITBAND_RAM < BITBAND_SIZE && has_bitband(c))
        return ram_bit_read(c, addr);
    if (addr - SCS_BASE < SCS_SIZE)
        return scs_read(c, addr, size);
    d = dev_at(c, addr);
    if (d)
        return dev_read(d, addr, size);
    if (addr - PRIVATE_BASE < PRIVATE_SIZE)
        return scs_read(c, addr, size);
    if (addr < IO_BASE)
        return rom_read(c, addr, size);
    hole(c, addr);
    return 0;
}

uint32_t bus_read(void *chip, uint32_t addr, unsigned size)
{
    struct chip *c = chip;

    c->serving = addr;
    c->serving_write = false;
    idle_look(c);
    return any_read(c, addr, size);
}

void bus_write(void *chip, uint32_t addr, unsigned size, uint32_t value)
{
    struct chip *c = chip;
    struct dev *d;

    c->serving = addr;
    c->serving_write = true;
    if (addr - BITBAND_IO < BITBAND_SIZE && has_bitband(c)) {
        io_bit_write(c, addr, value);
        return;
    }
    if (addr - BITBAND_RAM < BITBAND_SIZE && has_bitband(c)) {
        ram_bit_write(c, addr, value);
        return;
    }
    d = dev_at(c, addr);
    if (d)
        dev_write(d, addr, size, value);
    else if (addr - PRIVATE_BASE < PRIVATE_SIZE)
        scs_write(c, addr, size, value);
    else if (addr < IO_BASE)
        chip_bus_fault(c); /* system memory cannot be written */
    else
        hole(c, addr);
}

void bus_store_flash(void *chip, uint32_t addr, unsigned size, uint32_t value)
{
    struct chip *c = chip;
    uint32_t base = c->model->flash_base;

    c->serving = addr;
    c->serving_write = true;
    if (addr < c->model->flash_size)
        addr += base;
    idle_broken(c);
    chip_stall(c, chip_flash_busy(c));
    c->model->flash_ops->store(c->flash_dev, addr, size,
                               value & low_bytes(size));
    time_reschedule_dev(c->flash_dev);
}

void chip_bus_fault(struct chip *c)
{
    cpu_fault(c->cpu, c->serving_write ? CPU_WRITE : CPU_READ, c->serving);
}

/* ---- the programmer's view: no side effects ---- */

uint32_t chip_flash_base(const struct chip *c)
{
    return c->model->flash_base;
}

size_t chip_flash_size(const struct chip *c)
{
    return c->model->flash_size;
}

size_t chip_flash_page(const struct chip *c, uint32_t addr)
{
    return c->model->flash_ops->page_size(c->flash_dev, addr);
}

struct chip_flash_times chip_flash_times(const struct chip *c, uint32_t addr)
{
    return c->model->flash_ops->times(c->flash_dev, addr);
}

uint8_t *chip_flash(struct chip *c)
{
    return c->flash;
}

uint8_t chip_flash_erased(const struct chip *c)
{
    return c->model->flash_erased;
}

void chip_remap(struct chip *c, bool ram)
{
    c->live->cpu.ram_at_0 = ram;
    c->live->cpu.attention = true;
}

void chip_flash_written(struct chip *c, uint32_t offset, size_t n)
{
    c->flash_dirty = true;
    cpu_code_changed(c->cpu, c->model->flash_base + offset, n);
}

void chip_flash_changed(struct chip *c)
{
    chip_flash_written(c, 0, c->model->flash_size);
}

bool chip_peek(struct chip *c, uint32_t addr, void *buf, size_t n)
{
    const uint8_t *p = memory_at(c, addr, n);
    uint8_t *out = buf;
    size_t i;

    if (p) {
        memcpy(buf, p, n);
        return true;
    }
    for (i = 0; i < n; i++)
        if (!rom_byte(c, addr + (uint32_t)i, &out[i]))
            return false;
    return n > 0;
}

bool chip_poke(struct chip *c, uint32_t addr, const void *buf, size_t n)
{
    uint8_t *p = memory_at(c, addr, n);

    if (!p)
        return false;
    memcpy(p, buf, n);
    if (chip_in_flash(c, addr))
        c->flash_dirty = true;
    cpu_code_changed(c->cpu, addr, n);
    return true;
}
