/* SPDX-License-Identifier: MIT */
/* list.c - the verb `list`: which devices there are. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    {0},
};

static const char *mode(const struct device *d)
{
    return d->runtime ? "application" : d->dfuse ? "DfuSe" : "DFU";
}

static void print_device(const struct targets *all, const struct device *d,
                         struct json *j)
{
    if (!all->json) {
        printf("%-12s %04x:%04x  %-24s  %-11s  %s%s%s\n", d->path, d->vid,
               d->pid, d->serial[0] ? d->serial : "-", mode(d), d->model,
               d->vendor[0] ? ", " : "", d->vendor);
        return;
    }
    json_open(j, NULL, '{');
    target_json(j, d);
    json_string(j, "mode", mode(d));
    json_number(j, "status", 0);
    json_close(j, '}');
}

/* One that cannot be opened is there nevertheless. */
static void print_closed(const struct targets *all, const struct bus_entry *e,
                         const struct fail *f, struct json *j)
{
    if (!all->json) {
        printf("%-12s %04x:%04x  cannot be opened: %s\n", e->path, e->vid,
               e->pid, f->text);
        return;
    }
    json_open(j, NULL, '{');
    json_string(j, "path", e->path);
    json_hex(j, "vid", e->vid, 4);
    json_hex(j, "pid", e->pid, 4);
    target_json_fail(j, f);
    json_close(j, '}');
}

static bool list_bus(const struct targets *all, struct bus *bus,
                     unsigned *count, struct json *j, struct fail *f)
{
    struct bus_entry *entries;
    size_t n;

    if (!bus->ops->list(bus, &entries, &n, f))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct fail why = {0};
        struct device d;

        if (!target_wants(all->call, &entries[i]))
            continue;
        if (!device_open(bus, entries[i].path, &d, &why)) {
            print_closed(all, &entries[i], &why, j);
        } else {
            if (!target_wants_serial(all->call, d.serial)) {
                device_close(&d);
                continue;
            }
            print_device(all, &d, j);
            device_close(&d);
        }
        ++*count;
    }
    free(entries);
    return true;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct targets all;
    struct json j = {0};
    unsigned count = 0;
    bool ok = targets_buses(&all, call, f);

    if (!ok)
        return false;
    json_open(&j, NULL, '{');
    json_open(&j, "devices", '[');
    for (size_t i = 0; i < all.buses && ok; i++)
        ok = list_bus(&all, all.bus[i], &count, &j, f);
    json_close(&j, ']');
    json_number(&j, "status", ok && count ? FAIL_NONE : FAIL_NO_DEVICE);
    json_close(&j, '}');
    if (all.json && json_text(&j))
        puts(json_text(&j));
    json_free(&j);
    targets_close(&all);
    if (ok && !count)
        return fail(f, FAIL_NO_DEVICE,
                    "no device with a DFU interface: bring it into its "
                    "bootloader and plug it in");
    return ok;
}

const struct cli_verb cli_list = {
    .name = "list",
    .synopsis = TARGET_SYNOPSIS,
    .summary = "show the devices that are plugged in",
    .details =
        "One line for each device with a DFU interface: where it is plugged\n"
        "in, USB ids, serial number, mode, product.  Exit status 5 where\n"
        "there is none.",
    .options = options,
    .run = run,
};
