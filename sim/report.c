/* SPDX-License-Identifier: MIT */
/*
 * report.c - what a chip tells the world outside: lines of text, and the
 * count of broken rules.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

static void tell(struct chip *c, enum chip_event ev, const char *text)
{
    idle_broken(c);
    if (c->on_event)
        c->on_event(c->ctx, ev, text);
}

void chip_report(struct chip *c, enum chip_event ev, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    tell(c, ev, text);
}

void chip_guest_error(struct chip *c, const char *fmt, ...)
{
    struct chip_live *l = c->live;
    char text[TEXT_MAX - 24];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(l->last_error, sizeof(l->last_error), "%s, at PC 0x%08x", text,
             chip_pc(c));
    l->guest_errors++;
    tell(c, EV_GUEST_ERROR, l->last_error);
}

unsigned chip_guest_errors(const struct chip *c)
{
    return c->live->guest_errors;
}

const char *chip_last_guest_error(const struct chip *c)
{
    return c->live->last_error;
}

bool report_once(struct chip *c, uint32_t key)
{
    struct chip_live *l = c->live;
    unsigned i;

    for (i = 0; i < l->n_seen; i++)
        if (l->seen[i] == key)
            return false;
    if (l->n_seen == SEEN_MAX)
        return false;
    l->seen[l->n_seen++] = key;
    return true;
}

void dev_unmodelled(struct dev *d, uint32_t off, const char *what)
{
    struct chip *c = d->chip;

    if (report_once(c, d->desc->range[0].base + off))
        chip_report(c, EV_UNMODELLED, "%s: %s is not modelled, at PC 0x%08x",
                    d->desc->name, what, chip_pc(c));
}

void report_flash_totals(struct chip *c)
{
    struct chip_live *l = c->live;

    l->flash_report_at = SIM_NEVER;
    chip_report(c, EV_FLASH, "flash: %llu erases, %llu programs in total",
                (unsigned long long)l->erases, (unsigned long long)l->programs);
}

/* ---- USART output ---- */

void chip_usart_put(struct chip *c, char ch)
{
    size_t cap = c->usart_cap ? 2 * c->usart_cap : 1024;
    char *p;

    if (c->live->usart_len + 2 > c->usart_cap) {
        p = realloc(c->usart, cap);
        if (!p)
            return;
        c->usart = p;
        c->usart_cap = cap;
    }
    c->usart[c->live->usart_len++] = ch;
    c->usart[c->live->usart_len] = 0;
}

const char *chip_usart_text(const struct chip *c)
{
    return c->usart ? c->usart : "";
}
