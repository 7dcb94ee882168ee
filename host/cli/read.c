/* SPDX-License-Identifier: MIT */
/* read.c - the verb `read`: a device's memory into a file. */
#include "target.h"

enum { OUTPUT = TARGET_OPTIONS, ADDRESS, LENGTH };

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .arg = "OUT",
                .help = "file to write: .bin, .hex, .srec, .dfu or .uf2"},
    [ADDRESS] = {.name = "address",
                 .arg = "ADDR",
                 .help = "read from here on, not the image"},
    [LENGTH] = {.name = "length", .arg = "BYTES", .help = "so much"},
    {0},
};

static bool read_device(struct target *t, const struct target_range *range,
                        struct fw *fw, struct fail *f)
{
    size_t index = range->end ? target_alt(&t->d, range->start) : 0;
    uint64_t start, end;

    if (!target_in_bootloader(t, f))
        return false;
    if (range->end && !t->d.dfuse)
        return fail(f, FAIL_DEVICE, "plain DFU has no addresses to read at");
    if (range->end
            ? !update_read(&t->update, index, range->start, range->end, fw, f)
            : !update_read_image(&t->update, 0, fw, f))
        return false;
    return fw_span(fw, &start, &end) ||
           fail(f, FAIL_DEVICE,
                "the application's flash is empty: say with "
                "--address and --length what to read");
}

/* What a file says of the device that it is for. */
static void describe(const struct device *d, struct fw *fw)
{
    fw->vid = d->vid;
    fw->pid = d->pid;
    fw->bcd_device = d->bcd;
    fw->alternate = d->alt[d->current].number;
    fw->plain_dfu = !d->dfuse;
    if (d->board)
        fw_set_family(fw, d->board->uf2_family);
}

static bool work(struct target *t, void *ctx, struct fail *f)
{
    const char *output = t->all->call->value[OUTPUT];
    uint64_t start = 0, end = 0;
    struct fw fw;
    bool ok;

    fw_init(&fw);
    ok = read_device(t, ctx, &fw, f);
    if (ok) {
        describe(&t->d, &fw);
        ok = fw_save(&fw, output, f);
    }
    if (ok) {
        fw_span(&fw, &start, &end);
        json_string(&t->json, "file", output);
        if (fw.placed)
            json_hex(&t->json, "address", (uint32_t)start, 8);
        json_number(&t->json, "size", end - start);
        target_say(t, "%s: %llu bytes", output,
                   (unsigned long long)(end - start));
    }
    fw_free(&fw);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct target_range range;
    enum fw_format format;
    struct targets all;
    bool ok;

    if (!call->value[OUTPUT])
        return fail(f, FAIL_USAGE, "read: no output given, add -o OUT");
    if (!fw_format_of(call->value[OUTPUT], &format, f) ||
        !target_range(call, ADDRESS, LENGTH, &range, f))
        return false;
    if (!targets_open(&all, call, f))
        return false;
    ok = all.n == 1 || fail(f, FAIL_USAGE,
                            "read: one device at a time, a "
                            "file has room for one");
    ok = ok && targets_run(&all, work, &range, f);
    targets_close(&all);
    return ok;
}

const struct cli_verb cli_read = {
    .name = "read",
    .synopsis = "-o OUT " TARGET_SYNOPSIS " [--address ADDR] [--length BYTES]",
    .summary = "copy a device's memory into a file",
    .details =
        "Writes the image that is installed to OUT: what its stamp covers, or\n"
        "all up to the last byte of the slot that is not 0xFF.  With\n"
        "--address and --length any memory that the device lets read.",
    .options = options,
    .run = run,
};
