/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: one struct cli_verb a verb, one file a verb.
 * Help texts and parsing come from the same table of options.
 */
#ifndef SALLYPORT_CLI_H
#define SALLYPORT_CLI_H

#include "board_info.h"
#include "fail.h"
#include "fw.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_OPTIONS_MAX 24
#define CLI_FILES_MAX   64
#define CLI_GIVEN_MAX   64

struct cli_option {
    const char *name; /* "board": --board; NULL ends the table */
    char letter;      /* 'o': -o as well; 0: none */
    const char *arg;  /* name of its value in the help; NULL: it has none */
    const char *help;
    bool many; /* may be given more than once */
};

/* What the user said. */
struct cli_call {
    const char *file; /* the first positional argument, NULL: none */
    const char *files[CLI_FILES_MAX]; /* all of them */
    size_t n_files;
    /* As in the verb's table: the first value, "" where it takes none; NULL:
     * not given. */
    const char *value[CLI_OPTIONS_MAX];
    struct {
        unsigned option;
        const char *value;
    } given[CLI_GIVEN_MAX]; /* all of them in order, for what is there twice */
    size_t n_given;
    bool help; /* --help: nothing else counts */
};

struct cli_verb {
    const char *name;
    const char *synopsis;
    const char *summary; /* one line */
    const char *details;
    const struct cli_option *options;
    unsigned files_min, files_max; /* positional arguments, how many */
    bool (*run)(const struct cli_call *call, struct fail *f);
};

extern const struct cli_verb cli_stamp;
extern const struct cli_verb cli_convert;
extern const struct cli_verb cli_merge;
extern const struct cli_verb cli_info;
extern const struct cli_verb cli_drive;
extern const struct cli_verb cli_list;
extern const struct cli_verb cli_flash;
extern const struct cli_verb cli_verify;
extern const struct cli_verb cli_read;
extern const struct cli_verb cli_erase;
extern const struct cli_verb cli_reboot;
extern const struct cli_verb cli_watch;

/* All verbs in the order of the help (verbs.c), NULL behind the last. */
extern const struct cli_verb *const cli_verbs[];

/* NULL: there is no such verb. */
const struct cli_verb *cli_find_verb(const char *name);

/* Sorts the arguments behind the verb.  FAIL_USAGE. */
bool cli_parse(const struct cli_verb *verb, char *const *argv,
               struct cli_call *call, struct fail *f);

/* The value behind the one at *at (set it to 0 before the first call) of an
 * option that may be given more than once; NULL: there is none. */
const char *cli_next(const struct cli_call *call, unsigned option, size_t *at);

/* Synopsis, what it does, options. */
void cli_print_help(const struct cli_verb *verb, FILE *out);

/* Values of options, whose name is for the message.  FAIL_USAGE. */
bool cli_number(const char *option, const char *text, uint32_t *value,
                struct fail *f);
bool cli_board(const char *text, const struct board_info **board,
               struct fail *f);

#endif
