/* SPDX-License-Identifier: MIT */
/* options.h - the command line of sallyport-chip. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "chip.h"
#include "model.h"

enum { OPTIONS_FLASH = 16, OPTIONS_PINS = 16, OPTIONS_ERROR_MAX = 300 };

struct pin_level {
    char port;
    unsigned pin;
    int level; /* 0, 1, -1: released */
};

struct cut_option {
    bool set;
    uint64_t op;
    enum cut_mode mode;
};

struct options {
    const struct sim_board *board; /* or NULL */
    struct sim_board own;          /* that, for --chip with --crystal */
    const struct chip_model *model;
    const char *flash[OPTIONS_FLASH];
    unsigned n_flash;
    struct pin_level pins[OPTIONS_PINS];
    unsigned n_pins;
    const char *usbredir; /* HOST:PORT */
    const char *usbip;    /* HOST[:PORT] */
    const char *save, *pcap;
    sim_time end; /* SIM_NEVER without --seconds */
    bool fast, verbose;
    struct cut_option cut;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP, /* --help: options_help() */
    OPTIONS_VERSION,
    OPTIONS_ERROR, /* one line in error */
};

enum options_result options_parse(struct options *o, int argc, char **argv,
                                  char error[OPTIONS_ERROR_MAX]);
const char *options_help(void);

/* Parts of a command line that the commands on standard input share: "PA0=1"
 * ("PA0=z" releases it), "12" or "12:torn".  False: not of that form. */
bool parse_pin(const char *text, struct pin_level *p);
bool parse_cut(const char *text, struct cut_option *cut);

#endif
