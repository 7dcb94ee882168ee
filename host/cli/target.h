/* SPDX-License-Identifier: MIT */
/*
 * target.h - which devices a verb works on, and the work on all of them at
 * once: options, selection, a thread each, output that does not mix.
 */
#ifndef SALLYPORT_TARGET_H
#define SALLYPORT_TARGET_H

#include "cli.h"
#include "json.h"
#include "update.h"

/* The options that come first in the table of a verb with devices. */
enum {
    TARGET_VIA,
    TARGET_SERIAL,
    TARGET_PATH,
    TARGET_ID,
    TARGET_ALL,
    TARGET_JSON,
    TARGET_OPTIONS /* the first one of the verb */
};
#define TARGET_OPTION_TABLE                                                    \
    [TARGET_VIA] = {.name = "via",                                             \
                    .arg = "usbip:HOST:PORT",                                  \
                    .help = "devices of a USB/IP server, not the machine's",   \
                    .many = true},                                             \
    [TARGET_SERIAL] = {.name = "serial",                                       \
                       .arg = "SERIAL",                                        \
                       .help = "the device with this serial number",           \
                       .many = true},                                          \
    [TARGET_PATH] = {.name = "path",                                           \
                     .arg = "PATH",                                            \
                     .help = "the device that is plugged in here",             \
                     .many = true},                                            \
    [TARGET_ID] = {.name = "vid:pid",                                          \
                   .letter = 'd',                                              \
                   .arg = "VID:PID",                                           \
                   .help = "devices with these USB ids, hexadecimal"},         \
    [TARGET_ALL] = {.name = "all", .help = "all devices that are found"},      \
    [TARGET_JSON] = {.name = "json", .help = "print one JSON object"}

#define TARGET_SYNOPSIS                                                        \
    "[--via usbip:HOST:PORT] [--serial SERIAL] [--path PATH] "                 \
    "[--vid:pid VID:PID] [--all] [--json]"

enum { TARGETS_MAX = 64 };

struct targets;

/* One device, and what comes of the work on it. */
struct target {
    struct device d;
    struct bus *bus;
    struct targets *all;
    struct update update; /* progress and stop are filled in */
    struct json json;     /* the verb's part of the object */
    struct fail f;
    bool ok;
    double seconds;
    /* progress */
    char label[32];
    int phase;   /* that is shown */
    int percent; /* -1: none */
};

struct targets {
    const struct cli_call *call;
    bool json;
    struct bus *bus[TARGETS_MAX];
    size_t buses;
    struct target *target;
    size_t n;
};

/* Work on one device.  What it prints goes through target_say(). */
typedef bool target_work(struct target *t, void *ctx, struct fail *f);

/* Opens what the call selects: one device, unless several are named or --all
 * is given.  FAIL_NO_DEVICE with what there is instead, FAIL_USAGE,
 * FAIL_SYSTEM. */
bool targets_open(struct targets *all, const struct cli_call *call,
                  struct fail *f);
/* The same without devices: the buses only, for a list. */
bool targets_buses(struct targets *all, const struct cli_call *call,
                   struct fail *f);
void targets_close(struct targets *all);

/* Does the work on all devices at once and prints the JSON object, if that is
 * asked for.  False: f is the failure of the only device, or says how many
 * failed, with the code of the first one. */
bool targets_run(struct targets *all, target_work *work, void *ctx,
                 struct fail *f);

/* The same, one device after the other. */
bool targets_run_each(struct targets *all, target_work *work, void *ctx,
                      struct fail *f);

/* Opens targets, runs, closes: all that most verbs do. */
bool target_verb(const struct cli_call *call, target_work *work, void *ctx,
                 struct fail *f);

/* Is this entry of a bus, or the open device, one that the call selects?
 * FAIL_USAGE: a bad --vid:pid. */
bool target_wants(const struct cli_call *call, const struct bus_entry *e);
bool target_wants_serial(const struct cli_call *call, const char *serial);
bool target_check(const struct cli_call *call, struct fail *f);

/* An application is sent to its bootloader, and that is opened in its place.
 * FAIL_LOST: it does not come. */
bool target_to_bootloader(struct target *t, struct fail *f);

/* FAIL_DEVICE with what to do: it runs its application. */
bool target_in_bootloader(const struct target *t, struct fail *f);

/* A line on standard output, with the device's name where there are several;
 * nothing with --json. */
__attribute__((format(printf, 2, 3))) void target_say(struct target *t,
                                                      const char *format, ...);
/* The device in the JSON object: path, ids, strings. */
void target_json(struct json *j, const struct device *d);
void target_json_fail(struct json *j, const struct fail *f);
/* The whole object where it did not come to a device, with --json.  Returns
 * false. */
bool target_json_none(const struct cli_call *call, const struct fail *f);

/* Not 0 after Ctrl-C or SIGTERM.  The first one lets an operation come to its
 * end, the second one ends the program. */
extern volatile sig_atomic_t target_stop;
void target_catch_signals(void);

/* ---- a range of a device's memory ---- */

struct target_range {
    uint64_t start, end; /* end 0: none was given */
};

/* Of --address and --length at options[address] and options[length], which
 * belong together. */
bool target_range(const struct cli_call *call, unsigned address,
                  unsigned length, struct target_range *range, struct fail *f);
/* The memory (index of d->alt) that has an address; the first one where none
 * has it. */
size_t target_alt(const struct device *d, uint64_t addr);

/* ---- firmware files for devices ---- */

/* Loads call->file; address: of --address at options[index], or NULL. */
bool target_load(const struct cli_call *call, unsigned index, struct fw *fw,
                 const uint32_t **address, uint32_t *room, struct fail *f);

#endif
