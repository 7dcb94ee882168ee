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

struct range {
    uint64_t start, end; /* end 0: all */
};

static bool work(struct target *t, void *ctx, struct fail *f)
{
    const struct range *range = ctx;
    struct update_result r;
    size_t index = 0;
    struct layout_sector s;

    if (!target_in_bootloader(t, f))
        return false;
    t->update.dry_run = t->all->call->value[DRY_RUN];
    for (size_t i = 0; i < t->d.alts && range->end; i++) {
        if (t->d.alt[i].has_layout &&
            layout_at(&t->d.alt[i].layout, range->start, &s)) {
            index = i;
            break;
        }
    }
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
    struct range range = {0};
    uint32_t address, length;

    if (!call->value[ADDRESS] != !call->value[LENGTH])
        return fail(f, FAIL_USAGE,
                    "erase: --address and --length belong "
                    "together (see 'sallyport help erase')");
    if (call->value[ADDRESS]) {
        if (!cli_number("address", call->value[ADDRESS], &address, f) ||
            !cli_number("length", call->value[LENGTH], &length, f))
            return false;
        if (!length)
            return fail(f, FAIL_USAGE, "--length: 0 bytes are nothing");
        range = (struct range){address, (uint64_t)address + length};
    }
    return target_verb(call, work, &range, f);
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
