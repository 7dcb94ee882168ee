/* SPDX-License-Identifier: MIT */
/*
 * log.h - what sallyport-chip prints: one line an event, with virtual time,
 * and nothing that floods: a blinking LED and an error in a loop are
 * summed up.
 */
#ifndef SIM_LOG_H
#define SIM_LOG_H

#include "chip.h"

enum { LOG_PINS = 8, LOG_ERRORS = 32, LOG_TEXT = 200 };

struct log_pin {
    char name[24];
    char last[48];       /* what is to be said when it is quiet again */
    sim_time changed[4]; /* the latest changes, newest first */
    unsigned hidden;     /* changes that were not printed */
};

struct log_error {
    char text[LOG_TEXT];
    unsigned count;
};

struct log {
    struct chip *chip;
    bool verbose;
    struct log_pin pins[LOG_PINS];
    unsigned n_pins;
    struct log_error errors[LOG_ERRORS];
    unsigned n_errors;
};

/* The chip's chip_event_fn; ctx is a struct log. */
void log_event(void *ctx, enum chip_event ev, const char *text);
/* A line of the program's own; ctx is a struct log. */
void log_line(void *ctx, const char *text);
/* Call now and then: says what became of pins that blinked. */
void log_tick(struct log *l);
/* At the end: errors that came more than once. */
void log_end(struct log *l);

#endif
