/* SPDX-License-Identifier: MIT */
/* erase.c - the verb `erase`. */
#include "target.h"

enum { ADDRESS = TARGET_OPTIONS, LENGTH, DRY_RUN };

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    [ADDRESS] = {.name = "address",
                 .arg = "ADDR",
                 .help = "erase from here on, not all that is writable"},
    [LENGTH] = {.name = "length",
                .arg = "BYTES",
                .help = "so much; all sectors with a byte of it"},
    [DRY_RUN] = {.name = "dry-run", .help = "check only, erase nothing"},
    {0},
};

static bool work(struct target *t, void *ctx, struct fail *f)
{
    const struct target_range *range = ctx;
    size_t index = range->end ? target_alt(&t->d, range->start) : 0;
    struct update_result r;

    if (!target_in_bootloader(t, f))
        return false;
    t->update.dry_run = t->all->call->value[DRY_RUN];
    if (!update_erase(&t->update, index, range->start, range->end, &r, f))
        return false;
    json_number(&t->json, "erased", r.erased);
    if (t->update.dry_run)
        target_say(t, "that can be erased");
    else
        target_say(t, "erased %llu bytes", (unsigned long long)r.erased);
    return true;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct target_range range;

    return target_range(call, ADDRESS, LENGTH, &range, f) &&
           target_verb(call, work, &range, f);
}

const struct cli_verb cli_erase = {
    .name = "erase",
    .synopsis =
        TARGET_SYNOPSIS " [--address ADDR] [--length BYTES] [--dry-run]",
    .summary = "erase the application",
    .details = "Erases all that is writable, or the sectors of a range.  The\n"
               "bootloader is never touched.",
    .options = options,
    .run = run,
};
