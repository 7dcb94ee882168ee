/* SPDX-License-Identifier: MIT */
/*
 * doc.h - sallyport-doc: prints the manual page, the completions of shells
 * and the udev rule, made from the tables that the tool itself parses its
 * command line with.  Runs in the build only.
 */
#ifndef SALLYPORT_DOC_H
#define SALLYPORT_DOC_H

#include "cli.h"

/* What the value of an option is, for a shell that completes it. */
enum doc_value { DOC_NONE, DOC_FILE, DOC_DIR, DOC_BOARD, DOC_OTHER };
enum doc_value doc_value_of(const struct cli_option *option);

void doc_man(void);
/* A page for `program`, of its own --help on standard input. */
void doc_page(const char *program, const char *sentence);
void doc_bash(void);
void doc_zsh(void);
void doc_fish(void);
/* Who sits at the machine may use the boards' bootloaders. */
void doc_udev(void);

#endif
