/* SPDX-License-Identifier: MIT */
/*
 * output.h - what verbs that write a firmware file have in common: the
 * options that say what goes into it beside the bytes.
 */
#ifndef SALLYPORT_CLI_OUTPUT_H
#define SALLYPORT_CLI_OUTPUT_H

#include "cli.h"

/* The first option of these verbs is the output, those that are seldom needed
 * come last: from number `first` on. */
enum { CLI_OUTPUT };
enum { CLI_ALT, CLI_USB, CLI_DFU, CLI_FAMILY, CLI_JSON };
/* clang-format off */
#define CLI_OUTPUT_FIRST                                                       \
    [CLI_OUTPUT] = {"output", 'o', "OUT",                                      \
                    "file to write: .bin, .hex, .srec, .dfu or .uf2", false}
#define CLI_OUTPUT_REST(first)                                                 \
    [(first) + CLI_ALT] = {"alt", 0, "N",                                      \
        "alternate setting: the one to take, or of a .dfu", false},            \
    [(first) + CLI_USB] = {"vid:pid", 0, "VID:PID",                                \
        "USB device that a .dfu is for, in hexadecimal", false},               \
    [(first) + CLI_DFU] = {"dfu", 0, "KIND",                                   \
        "a .dfu is 'dfuse' or 'plain', without addresses", false},             \
    [(first) + CLI_FAMILY] = {"family", 0, "ID",                               \
        "family id of a .uf2", false},                                         \
    [(first) + CLI_JSON] = {"json", 0, NULL, "print one JSON object", false}
/* clang-format on */
#define CLI_OUTPUT_SYNOPSIS                                                    \
    "[--alt N] [--vid:pid VID:PID] [--dfu KIND] [--family ID] [--json]"

struct cli_output {
    const char *path;
    enum fw_format format;          /* of its name */
    const struct board_info *board; /* or NULL; the verb's option */
    bool has_alt, has_usb, has_dfu, has_family;
    uint8_t alt;
    uint16_t vid, pid, bcd_device;
    bool plain;
    bool json;
    uint32_t family;
};

/* Reads these options of a verb, whose name is for the message.
 * FAIL_USAGE. */
bool cli_output_get(struct cli_output *out, const char *verb, unsigned first,
                    const struct cli_call *call, struct fail *f);

/* Takes the alternate setting that was asked for.  FAIL_UNFIT, with the
 * file's name. */
bool cli_output_choose(const struct cli_output *out, struct fw *fw,
                       const char *path, struct fail *f);

/* Puts into fw what goes into the file beside the bytes.  A file that says
 * where its data belongs cannot be made of one that does not.  path: the one
 * that was read; remedy: options that help.  FAIL_USAGE. */
bool cli_output_prepare(const struct cli_output *out, struct fw *fw,
                        const char *path, const char *remedy, struct fail *f);

/* "OUT: 1001 bytes, 0x08001000 to 0x080013E8, ...", but for --json. */
void cli_output_report(const struct cli_output *out, const struct fw *fw);

/* With --json what is in the file now, or the error, as one object.  Returns
 * ok, which is what came of the verb. */
bool cli_output_end(const struct cli_call *call, unsigned first, bool ok,
                    const struct fail *f);

#endif
