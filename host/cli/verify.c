/* SPDX-License-Identifier: MIT */
/* verify.c - the verb `verify`: is this firmware on the devices? */
#include "place.h"
#include "target.h"

enum { ADDRESS = TARGET_OPTIONS, DIFF };

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    [ADDRESS] = {.name = "address",
                 .arg = "ADDR",
                 .help = "where a raw binary is, not at the start of the slot"},
    [DIFF] = {.name = "diff", .help = "print all bytes that differ"},
    {0},
};

struct verify_job {
    const struct fw *fw;
    const uint32_t *address;
};

enum { ROW = 8 }; /* bytes in a line of --diff */

static void put_bytes(char *text, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text += sprintf(text, i ? " %02X" : "%02X", p[i]);
}

static void differ(void *ctx, uint32_t addr, const uint8_t *device,
                   const uint8_t *file, size_t n)
{
    struct target *t = ctx;

    for (size_t at = 0; at < n; at += ROW) {
        char is[3 * ROW + 1], want[3 * ROW + 1];
        size_t part = n - at < ROW ? n - at : ROW;

        put_bytes(is, device + at, part);
        put_bytes(want, file + at, part);
        if (t->all->json) {
            json_open(&t->json, NULL, '{');
            json_hex(&t->json, "address", addr + (uint32_t)at, 8);
            json_string(&t->json, "device", is);
            json_string(&t->json, "file", want);
            json_close(&t->json, '}');
        } else {
            target_say(t, "0x%08X  device %-23s  file %s", addr + (uint32_t)at,
                       is, want);
        }
    }
}

static bool verify_parts(struct target *t, const struct verify_job *job,
                         update_differ *tell, struct fail *f)
{
    bool same = true;

    for (const struct fw *part = job->fw; part; part = part->next) {
        struct fail later = {0};
        struct fail *why = same ? f : &later;
        size_t index;
        struct fw fw;
        bool ok;

        fw_init(&fw);
        ok = place_data(&t->d, part, job->address, &fw, &index, why) &&
             update_verify(&t->update, &fw, index, tell, t, why);
        fw_free(&fw);
        if (!ok && why->code != FAIL_DIFFERS) {
            *f = *why;
            return false;
        }
        same &= ok;
    }
    return same;
}

static bool work(struct target *t, void *ctx, struct fail *f)
{
    const struct cli_call *call = t->all->call;
    bool diff = call->value[DIFF], ok;

    if (!target_in_bootloader(t, f))
        return false;
    if (diff)
        json_open(&t->json, "differences", '[');
    ok = verify_parts(t, ctx, diff ? differ : NULL, f);
    if (diff)
        json_close(&t->json, ']');
    json_bool(&t->json, "same", ok);
    if (ok)
        target_say(t, "the device has what is in %s", call->file);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct verify_job job;
    uint32_t address;
    struct fw fw;
    bool ok;

    fw_init(&fw);
    job.fw = &fw;
    ok = target_load(call, ADDRESS, &fw, &job.address, &address, f) &&
         target_verb(call, work, &job, f);
    fw_free(&fw);
    return ok;
}

const struct cli_verb cli_verify = {
    .name = "verify",
    .synopsis = "FILE " TARGET_SYNOPSIS " [--address ADDR] [--diff]",
    .summary = "compare devices with a firmware file",
    .details =
        "Reads what FILE has data for and compares.  Exit status 8 where\n"
        "something differs.  The device stays in its bootloader.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
