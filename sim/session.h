/* SPDX-License-Identifier: MIT */
/*
 * session.h - one run of sallyport-chip: the chip, its host and front end, the
 * commands on standard input, until its time is over.
 */
#ifndef SIM_SESSION_H
#define SIM_SESSION_H

#include "host.h"
#include "log.h"
#include "options.h"
#include "pace.h"
#include "pcap.h"
#include "usbip.h"
#include "usbredir.h"

struct session {
    const struct options *o;
    struct log log;
    struct chip *chip;
    struct host *host; /* NULL: no front end */
    struct front front;
    struct usbredir *redir; /* NULL: not wanted */
    struct usbip *usbip;    /* NULL: not wanted */
    struct pcap *pcap;
    struct pace pace;
    int signals; /* signalfd of SIGINT, SIGTERM */
    bool input;  /* standard input may still have commands */
    bool quit;
    bool powered;
    sim_time power_back; /* after a cut; SIM_NEVER */
    char line[256];      /* a command that is not complete */
    size_t line_len;
};

/* Runs until the time is over, `quit` or a signal. */
void session_run(struct session *s);
/* Writes the flash contents; false with a line printed. */
bool session_save(struct session *s, const char *path);

/* Switches the supply, which is printed. */
void session_power(struct session *s, bool on);

/* command.c: one line of standard input. */
void session_command(struct session *s, char *line);
/* What comes in on standard input, as far as it is there. */
void session_input(struct session *s);

#endif
