/* SPDX-License-Identifier: MIT */
/*
 * pins.c - what is on a pin: the chip's output, the world outside, resistors
 * on the board, resistors in the chip, in this order.
 */
#include "core.h"

static struct dev *port_of(struct chip *c, char port)
{
    unsigned i = (unsigned)(port - 'A');

    return i < PORTS_MAX ? c->port[i] : NULL;
}

int chip_pin_output(struct chip *c, char port, unsigned pin)
{
    struct dev *d = port_of(c, port);

    if (!d || pin >= PORT_PINS || !c->live->powered)
        return -1;
    return c->model->gpio_ops->output(d, pin);
}

int chip_pin_function(struct chip *c, char port, unsigned pin)
{
    struct dev *d = port_of(c, port);

    return d ? c->model->gpio_ops->function(d, pin) : -1;
}

static int board_pull(struct chip *c, char port, unsigned pin)
{
    unsigned i;

    for (i = 0; c->board && i < BOARD_PINS; i++)
        if (c->board->pulls[i].at.port == port &&
            c->board->pulls[i].at.pin == pin)
            return c->board->pulls[i].high;
    return -1;
}

int chip_pin_level(struct chip *c, char port, unsigned pin)
{
    struct dev *d = port_of(c, port);
    int level;

    if (!d || pin >= PORT_PINS)
        return -1;
    level = chip_pin_output(c, port, pin);
    if (level < 0)
        level = c->live->drive[port - 'A'][pin];
    if (level < 0)
        level = board_pull(c, port, pin);
    if (level < 0 && c->live->powered)
        level = c->model->gpio_ops->pull(d, pin);
    return level;
}

void chip_pin_drive(struct chip *c, char port, unsigned pin, int level)
{
    if (!port_of(c, port) || pin >= PORT_PINS)
        return;
    c->live->drive[port - 'A'][pin] = (int8_t)level;
    chip_pins_changed(c);
}

static void look_at(struct chip *c, unsigned i)
{
    const struct board_named_pin *p = &c->board->pins[i];
    int level = chip_pin_level(c, p->at.port, p->at.pin);

    if (level == c->live->named[i])
        return;
    c->live->named[i] = (int8_t)level;
    if (level < 0)
        chip_report(c, EV_PIN, "%s P%c%u released", p->name, p->at.port,
                    p->at.pin);
    else
        chip_report(c, EV_PIN, "%s P%c%u = %d (%s)", p->name, p->at.port,
                    p->at.pin, level, level != p->active_low ? "on" : "off");
}

void chip_pins_changed(struct chip *c)
{
    size_t i;

    if (!c->live->powered)
        return;
    for (i = 0; c->board && i < BOARD_PINS; i++)
        if (c->board->pins[i].at.port)
            look_at(c, (unsigned)i);
    for (i = 0; i < c->n_devs; i++) {
        if (!c->dev[i].desc->ops || !c->dev[i].desc->ops->pins_changed)
            continue;
        c->dev[i].desc->ops->pins_changed(&c->dev[i]);
        time_reschedule_dev(&c->dev[i]);
    }
}

bool chip_board_pullup(struct chip *c)
{
    const struct sim_board *b = c->board;
    int level;

    if (!c->live->powered)
        return false;
    if (!b)
        return true; /* a bare chip comes with a fixed resistor */
    if (b->pullup != PULLUP_SWITCH)
        return b->pullup == PULLUP_FIXED;
    level = chip_pin_level(c, b->pullup_pin.port, b->pullup_pin.pin);
    return level >= 0 && level != b->pullup_active_low;
}
