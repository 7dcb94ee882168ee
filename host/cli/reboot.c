/* SPDX-License-Identifier: MIT */
/* reboot.c - the verb `reboot`: to the application, or to the bootloader. */
#include "target.h"

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    {0},
};

static bool work(struct target *t, void *ctx, struct fail *f)
{
    (void)ctx;
    if (!update_reboot(&t->update, f))
        return false;
    target_say(t, t->d.runtime ? "the device goes to its bootloader"
                               : "the application is started");
    return true;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    return target_verb(call, work, NULL, f);
}

const struct cli_verb cli_reboot = {
    .name = "reboot",
    .synopsis = TARGET_SYNOPSIS,
    .summary = "start the application, or its bootloader",
    .details = "A device in its bootloader starts the application that is\n"
               "installed.  An application with a DFU interface goes to its\n"
               "bootloader.",
    .options = options,
    .run = run,
};
