/* SPDX-License-Identifier: MIT */
/*
 * power.c - power, reset, and power that fails in the middle of a flash
 * operation.
 */
#include <string.h>

#include "core.h"

enum { FLASH_QUIET_MS = 200 }; /* then totals are worth a line */

/* xorshift32: any fixed generator will do, it must only never change. */
static uint32_t draw(uint32_t *seed)
{
    uint32_t x = *seed ? *seed : 0x9e3779b9;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *seed = x;
    return x;
}

/* ---- reset ---- */

static const char *cause_name(enum reset_cause cause)
{
    switch (cause) {
    case RESET_POWER:
        return "power-on";
    case RESET_PIN:
        return "pin";
    case RESET_SOFTWARE:
        return "software";
    case RESET_IWDG:
        return "watchdog";
    }
    return "?";
}

static void reset_dev(struct dev *d, enum reset_cause cause)
{
    if (d->desc->ops && d->desc->ops->reset)
        d->desc->ops->reset(d, cause);
}

void power_do_reset(struct chip *c, enum reset_cause cause)
{
    size_t i;

    c->live->reset_wanted = false;
    if (chip_flash_busy(c))
        chip_guest_error(c, "reset while the flash is busy: its contents are "
                            "not guaranteed");
    reset_dev(c->rcc, cause);
    c->model->rcc_ops->reset_flag(c->rcc, cause);
    for (i = 0; i < c->n_devs; i++)
        if (&c->dev[i] != c->rcc)
            reset_dev(&c->dev[i], cause);
    chip_report(c, EV_RESET, "reset: %s", cause_name(cause));
    cortex_reset(c);
    chip_clocks_changed(c);
    chip_pins_changed(c);
}

void chip_reset(struct chip *c, enum reset_cause cause)
{
    if (c->live->powered)
        power_do_reset(c, cause);
}

void chip_want_reset(struct chip *c, enum reset_cause cause)
{
    c->live->reset_wanted = true;
    c->live->reset_cause = cause;
    c->live->cpu.attention = true;
}

void chip_reset_dev(struct chip *c, struct rcc_bit bit)
{
    size_t i;

    for (i = 0; i < c->n_devs; i++) {
        const struct rcc_bit *b = &c->dev[i].desc->reset;

        if (b->reg == bit.reg && b->bit == bit.bit)
            reset_dev(&c->dev[i], RESET_SOFTWARE);
    }
    chip_pins_changed(c);
    chip_touch(c);
}

/* ---- power ---- */

static void fill_with_noise(struct chip *c, uint8_t *p, size_t n)
{
    size_t i;
    uint32_t v;

    for (i = 0; i < n; i += sizeof(v)) {
        v = draw(&c->live->noise);
        memcpy(p + i, &v, sizeof(v));
    }
}

static void power_on(struct chip *c)
{
    size_t i;

    for (i = 0; i < c->n_devs; i++)
        if (c->dev[i].desc->ops)
            memset(c->dev[i].state, 0,
                   c->dev[i].desc->ops->state_size - c->dev[i].desc->ops->kept);
    fill_with_noise(c, c->ram, c->model->ram_size);
    cpu_code_changed(c->cpu, c->model->ram_base, c->model->ram_size);
    fill_with_noise(c, c->ccm, c->model->ccm_size);
    c->live->powered = true;
    c->live->was_cut = false;
    power_do_reset(c, RESET_POWER);
}

static void power_off(struct chip *c)
{
    struct chip_live *l = c->live;
    sim_time now = chip_now(c);
    size_t i;

    l->powered = false;
    l->reset_wanted = false;
    l->locked_up = l->sleeping = false;
    time_advance(c, now);
    for (i = 0; i < c->n_devs; i++)
        if (c->dev[i].desc->ops && c->dev[i].desc->ops->power_off)
            c->dev[i].desc->ops->power_off(&c->dev[i]);
    if (c->wire)
        wire_set_pullup(c->wire, false);
    l->cpu.attention = true;
    chip_touch(c);
}

void chip_power(struct chip *c, bool on)
{
    if (on && !c->live->powered)
        power_on(c);
    if (!on && c->live->powered)
        power_off(c);
}

/* ---- flash operations ---- */

uint64_t chip_flash_erases(const struct chip *c)
{
    return c->live->erases;
}

uint64_t chip_flash_programs(const struct chip *c)
{
    return c->live->programs;
}

uint64_t chip_flash_ops(const struct chip *c)
{
    return c->live->erases + c->live->programs;
}

void chip_cut_at(struct chip *c, uint64_t op, enum cut_mode mode, uint32_t seed)
{
    c->live->cut_armed = true;
    c->live->cut_op = chip_flash_ops(c) + op;
    c->live->cut_mode = mode;
    c->live->cut_seed = seed;
}

void chip_cut_never(struct chip *c)
{
    c->live->cut_armed = false;
}

bool chip_was_cut(const struct chip *c)
{
    return c->live->was_cut;
}

void chip_flash_fail_at(struct chip *c, uint64_t op, uint64_t n,
                        enum flash_failure how)
{
    c->live->fail_op = chip_flash_ops(c) + op;
    c->live->fail_n = n;
    c->live->fail_how = how;
}

/* Of an operation that the power does not cut. */
static enum flash_fate worn(const struct chip_live *l, uint64_t op)
{
    if (op - l->fail_op >= l->fail_n)
        return FLASH_FATE_DONE;
    return l->fail_how == FLASH_FAIL_ALL ? FLASH_FATE_NONE : FLASH_FATE_BIT;
}

uint32_t chip_cut_random(struct chip *c)
{
    return draw(&c->live->cut_seed);
}

enum flash_fate chip_flash_op(struct chip *c, enum flash_op op)
{
    struct chip_live *l = c->live;
    uint64_t number = chip_flash_ops(c);
    bool hit = l->cut_armed && number == l->cut_op;

    if (l->cut_now)
        return FLASH_FATE_NONE;
    if (hit) {
        l->cut_armed = false;
        l->cut_now = true;
        l->cpu.attention = true;
        if (l->cut_mode == CUT_BEFORE)
            return FLASH_FATE_NONE;
    }
    if (op == FLASH_OP_ERASE)
        l->erases++;
    else
        l->programs++;
    l->flash_report_at = chip_now(c) + FLASH_QUIET_MS * SIM_MS;
    time_reschedule(c, SLOT_FLASH_REPORT);
    if (!hit)
        return worn(l, number);
    return l->cut_mode == CUT_TORN ? FLASH_FATE_TORN : FLASH_FATE_DONE;
}

void power_cut(struct chip *c)
{
    c->live->cut_now = false;
    power_off(c);
    c->live->was_cut = true;
    chip_stop(c);
}
