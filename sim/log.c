/* SPDX-License-Identifier: MIT */
/* log.c - see log.h. */
#include "log.h"

#include <stdio.h>
#include <string.h>

/* A pin blinks when its last four changes are within 2 s; it is quiet after
 * 2 s without one. */
#define BLINK (2 * SIM_S)

void log_line(void *ctx, const char *text)
{
    struct log *l = ctx;
    sim_time us = l->chip ? chip_now(l->chip) / SIM_US : 0;

    printf("[%4u.%06u] %s\n", (unsigned)(us / 1000000),
           (unsigned)(us % 1000000), text);
}

static struct log_pin *find_pin(struct log *l, const char *text)
{
    size_t n = strcspn(text, "=");

    if (n >= sizeof(l->pins[0].name))
        return NULL;
    for (unsigned i = 0; i < l->n_pins; i++)
        if (!strncmp(l->pins[i].name, text, n) && !l->pins[i].name[n])
            return &l->pins[i];
    if (l->n_pins == LOG_PINS)
        return NULL;
    memcpy(l->pins[l->n_pins].name, text, n);
    return &l->pins[l->n_pins++];
}

static void pin_event(struct log *l, const char *text)
{
    struct log_pin *p = l->verbose ? NULL : find_pin(l, text);
    sim_time now = chip_now(l->chip);
    char line[80];

    if (!p) {
        log_line(l, text);
        return;
    }
    memmove(p->changed + 1, p->changed, sizeof(p->changed[0]) * 3);
    p->changed[0] = now;
    snprintf(p->last, sizeof(p->last), "%s", text);
    if (!p->hidden && (!p->changed[3] || now - p->changed[3] > BLINK)) {
        log_line(l, text);
        return;
    }
    if (!p->hidden++) {
        snprintf(line, sizeof(line), "%sblinks", p->name);
        log_line(l, line);
    }
}

static void error_event(struct log *l, const char *text)
{
    char line[LOG_TEXT + 16];
    unsigned i;

    for (i = 0; i < l->n_errors; i++)
        if (!strcmp(l->errors[i].text, text)) {
            l->errors[i].count++;
            return;
        }
    if (i < LOG_ERRORS) {
        snprintf(l->errors[i].text, LOG_TEXT, "%s", text);
        l->errors[i].count = 1;
        l->n_errors++;
    }
    snprintf(line, sizeof(line), "guest error: %s", text);
    log_line(l, line);
}

static void note(struct log *l, const char *text)
{
    char line[LOG_TEXT + 16];

    snprintf(line, sizeof(line), "note: %s", text);
    log_line(l, line);
}

void log_event(void *ctx, enum chip_event ev, const char *text)
{
    struct log *l = ctx;

    if (ev == EV_PIN)
        pin_event(l, text);
    else if (ev == EV_GUEST_ERROR)
        error_event(l, text);
    else if (ev == EV_UNMODELLED)
        note(l, text);
    else
        log_line(l, text);
}

void log_tick(struct log *l)
{
    sim_time now = chip_now(l->chip);

    for (unsigned i = 0; i < l->n_pins; i++) {
        struct log_pin *p = &l->pins[i];
        char line[96];

        if (!p->hidden || now - p->changed[0] < BLINK)
            continue;
        snprintf(line, sizeof(line), "%s after %u changes", p->last, p->hidden);
        log_line(l, line);
        p->hidden = 0;
    }
}

void log_end(struct log *l)
{
    char line[LOG_TEXT + 48];

    for (unsigned i = 0; i < l->n_errors; i++) {
        if (l->errors[i].count == 1)
            continue;
        snprintf(line, sizeof(line), "guest error, %u times: %s",
                 l->errors[i].count, l->errors[i].text);
        log_line(l, line);
    }
}
