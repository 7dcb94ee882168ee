/* SPDX-License-Identifier: MIT */
/* flash.c - the verb `flash`: installs firmware on devices. */
#include "flash.h"

#include "place.h"

enum { ADDRESS = TARGET_OPTIONS, STAY, NO_VERIFY, DRY_RUN };

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    [ADDRESS] = {.name = "address",
                 .arg = "ADDR",
                 .help = "where a raw binary goes, not the start of the slot"},
    [STAY] = {.name = "stay",
              .help = "do not start the application afterwards"},
    [NO_VERIFY] = {.name = "no-verify", .help = "do not read back"},
    [DRY_RUN] = {.name = "dry-run",
                 .help = "check and compare, change nothing"},
    {0},
};

static void add(struct update_result *sum, const struct update_result *r)
{
    sum->size += r->size;
    sum->erased += r->erased;
    sum->written += r->written;
    sum->changed += r->changed;
    sum->compared &= r->compared;
    sum->unchanged &= r->unchanged;
    sum->verified &= r->verified;
    sum->started |= r->started;
}

/* The parts of a .dfu file for the alternate settings, the first one last:
 * that is the application. */
static bool flash_part(struct target *t, const struct fw *part, bool first,
                       const uint32_t *address, struct update_result *sum,
                       struct fail *f)
{
    struct update u = t->update;
    struct update_result r = {0};
    size_t index = 0;
    struct fw fw;
    bool ok;

    u.stay |= !first;
    fw_init(&fw);
    ok = place_image(&t->d, part, address, &fw, &index, f) &&
         update_flash(&u, &fw, index, &r, f);
    fw_free(&fw);
    add(sum, &r);
    return ok;
}

static bool flash_from(struct target *t, const struct fw *part, bool first,
                       const uint32_t *address, struct update_result *sum,
                       struct fail *f)
{
    return (!part->next || flash_from(t, part->next, false, address, sum, f)) &&
           flash_part(t, part, first, address, sum, f);
}

/* None of them is wrong, before anything changes. */
static bool check_all(struct target *t, const struct fw *part,
                      const uint32_t *address, struct fail *f)
{
    bool ok = true;

    for (; part && ok; part = part->next) {
        size_t index;
        struct fw fw;

        fw_init(&fw);
        ok = place_image(&t->d, part, address, &fw, &index, f);
        fw_free(&fw);
    }
    return ok;
}

bool flash_target(struct target *t, const struct flash_job *job,
                  struct update_result *r, struct fail *f)
{
    *r = (struct update_result){
        .compared = true, .unchanged = true, .verified = true};
    if (t->d.runtime && !target_to_bootloader(t, f))
        return false;
    return (check_all(t, job->fw, job->address, f) &&
            flash_from(t, job->fw, true, job->address, r, f)) ||
           (f->code == FAIL_UNFIT && fail_at(f, "%s: ", job->path));
}

void flash_json(struct json *j, const struct update_result *r)
{
    json_number(j, "size", r->size);
    json_number(j, "erased", r->erased);
    json_number(j, "written", r->written);
    json_bool(j, "unchanged", r->unchanged);
    json_bool(j, "verified", r->verified);
    json_bool(j, "started", r->started);
}

static void report(struct target *t, const struct update_result *r)
{
    if (t->update.dry_run && r->unchanged)
        target_say(t, "nothing would change, %llu bytes are there already",
                   (unsigned long long)r->size);
    else if (t->update.dry_run)
        target_say(t, "it fits: %llu of %llu bytes would be written",
                   (unsigned long long)r->changed, (unsigned long long)r->size);
    else
        target_say(t, "%s, %llu bytes%s%s",
                   r->unchanged ? "unchanged" : "installed",
                   (unsigned long long)r->size,
                   r->verified ? ", verified" : ", not read back",
                   r->started ? ", application started" : "");
}

static bool work(struct target *t, void *ctx, struct fail *f)
{
    const struct cli_call *call = t->all->call;
    struct update_result r;
    bool ok;

    t->update.stay = call->value[STAY];
    t->update.no_verify = call->value[NO_VERIFY];
    t->update.dry_run = call->value[DRY_RUN];
    ok = flash_target(t, ctx, &r, f);
    if (t->all->json)
        flash_json(&t->json, &r);
    if (ok)
        report(t, &r);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct flash_job job = {.path = call->file};
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

const struct cli_verb cli_flash = {
    .name = "flash",
    .synopsis = "FILE " TARGET_SYNOPSIS
                " [--address ADDR] [--stay] [--no-verify] [--dry-run]",
    .summary = "install firmware on devices",
    .details =
        "Checks that FILE fits the device, compares, erases and writes the\n"
        "sectors that differ, reads them back, and starts the application.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
