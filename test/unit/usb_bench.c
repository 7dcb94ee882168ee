/* SPDX-License-Identifier: MIT */
/* usb_bench.c - see usb_bench.h. */
#include "usb_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dwc2.h"
#include "fsdev.h"

/* ---- the services of model.h and chip.h that wire, host and blocks use ----
 */

sim_time chip_now(const struct chip *c)
{
    return c->now;
}

static sim_time dev_deadline(struct chip *c)
{
    return c->desc.ops ? c->desc.ops->deadline(&c->dev) : SIM_NEVER;
}

void chip_run(struct chip *c, sim_time until)
{
    c->stop = false;
    while (!c->stop) {
        sim_time host = wire_deadline(c->wire), dev = dev_deadline(c);
        sim_time next = host < dev ? host : dev;

        if (next > until)
            break;
        if (next > c->now)
            c->now = next;
        if (host <= dev)
            wire_event(c->wire);
        else
            c->desc.ops->event(&c->dev);
        if (c->firmware)
            c->firmware(c);
    }
    if (!c->stop && c->now < until)
        c->now = until;
}

void chip_stop(struct chip *c)
{
    c->stop = true;
}

bool chip_was_cut(const struct chip *c)
{
    (void)c;
    return false;
}

struct wire *chip_wire(struct chip *c)
{
    return c->wire;
}

sim_time chip_frozen_until(struct chip *c)
{
    (void)c;
    return 0;
}

void chip_touch(struct chip *c)
{
    (void)c;
}

void chip_report(struct chip *c, enum chip_event ev, const char *fmt, ...)
{
    size_t n = strlen(c->log);
    va_list ap;

    (void)ev;
    va_start(ap, fmt);
    vsnprintf(c->log + n, sizeof(c->log) - n, fmt, ap);
    va_end(ap);
    n = strlen(c->log);
    snprintf(c->log + n, sizeof(c->log) - n, "\n");
}

void chip_guest_error(struct chip *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->last_error, sizeof(c->last_error), fmt, ap);
    va_end(ap);
    c->errors++;
}

void dev_unmodelled(struct dev *d, uint32_t off, const char *what)
{
    (void)off;
    chip_report(d->chip, EV_UNMODELLED, "%s is not modelled", what);
}

void chip_irq(struct chip *c, unsigned irq, bool level)
{
    c->irq[irq] = level;
}

void chip_usb_sof(struct chip *c)
{
    (void)c; /* nobody else is there */
}

bool chip_usb_clock_ok(struct chip *c)
{
    return c->clock_ok;
}

uint32_t chip_clock_hz(struct chip *c, enum chip_clock which)
{
    (void)which;
    return c->ahb_hz;
}

bool dev_clocked(struct dev *d)
{
    return d->chip->clocked;
}

int chip_pin_output(struct chip *c, char port, unsigned pin)
{
    return port == 'A' && pin == 12 ? c->pa12 : -1;
}

int chip_pin_function(struct chip *c, char port, unsigned pin)
{
    return port == 'A' && (pin == 11 || pin == 12) && c->alternate ? 10 : -1;
}

bool chip_board_pullup(struct chip *c)
{
    return c->board_pullup;
}

/* ---- the bench ---- */

void bench_new(struct chip *c, const struct wire_ops *ops, void *dev)
{
    memset(c, 0, sizeof(*c));
    c->clock_ok = c->clocked = c->board_pullup = true;
    c->alternate = true;
    c->ahb_hz = 36000000;
    c->pa12 = -1;
    c->wire = wire_new(c, ops, dev);
}

static void add_block(struct chip *c, const struct device_ops *ops,
                      const char *name, const void *facts)
{
    c->desc.name = name;
    c->desc.ops = ops;
    c->desc.facts = facts;
    c->dev.chip = c;
    c->dev.desc = &c->desc;
    c->dev.state = calloc(1, ops->state_size);
}

void bench_new_fsdev(struct chip *c)
{
    bench_new(c, &fsdev_wire_ops, &c->dev);
    c->desc.irq[0] = 19;
    c->desc.irq[1] = 20;
    add_block(c, &fsdev_ops, "USB", &fsdev_facts_f1);
    fsdev_ops.reset(&c->dev, RESET_POWER);
}

void bench_new_dwc2(struct chip *c)
{
    bench_new(c, &dwc2_wire_ops, &c->dev);
    c->desc.irq[0] = 67;
    add_block(c, &dwc2_ops, "OTG_FS", &dwc2_facts_f4);
    dwc2_ops.reset(&c->dev, RESET_POWER);
}

void bench_free(struct chip *c)
{
    wire_free(c->wire);
    free(c->dev.state);
}

unsigned usb_read(struct chip *c, unsigned off)
{
    return fsdev_ops.read(&c->dev, 0, off, 2);
}

void usb_write(struct chip *c, unsigned off, unsigned value)
{
    fsdev_ops.write(&c->dev, 0, off, 2, value);
}

unsigned pma_read(struct chip *c, unsigned off)
{
    return fsdev_ops.read(&c->dev, 1, off * 2, 2);
}

void pma_write(struct chip *c, unsigned off, unsigned value)
{
    fsdev_ops.write(&c->dev, 1, off * 2, 2, value);
}

uint32_t otg_read(struct chip *c, uint32_t off)
{
    return dwc2_ops.read(&c->dev, 0, off, 4);
}

void otg_write(struct chip *c, uint32_t off, uint32_t value)
{
    dwc2_ops.write(&c->dev, 0, off, 4, value);
}
