/* SPDX-License-Identifier: MIT */
/* target.c - see target.h: selection. */
#include "target.h"

#include "progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For a bootloader to come, after its application left: a guest of a busy
 * machine takes ten to enumerate it. */
#define TO_BOOTLOADER_S 30.0

volatile sig_atomic_t target_stop;

static void on_signal(int number)
{
    (void)number;
    target_stop = 1;
}

void target_catch_signals(void)
{
    /* SA_RESETHAND: the second one does what it does to any program. */
    struct sigaction a = {.sa_handler = on_signal,
                          .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

/* ---- selection ---- */

/* XXXX:XXXX; a side that is left out fits all. */
static bool parse_id(const char *text, long *vid, long *pid)
{
    char *end;

    *vid = *pid = -1;
    if (*text != ':') {
        *vid = strtol(text, &end, 16);
        if (end == text || *end != ':')
            return false;
        text = end;
    }
    if (!*++text)
        return *vid >= 0 && *vid <= 0xFFFF;
    *pid = strtol(text, &end, 16);
    return !*end && *vid <= 0xFFFF && *pid >= 0 && *pid <= 0xFFFF;
}

bool target_check(const struct cli_call *call, struct fail *f)
{
    const char *text = call->value[TARGET_ID];
    long vid, pid;

    return !text || parse_id(text, &vid, &pid) ||
           fail(f, FAIL_USAGE,
                "--vid:pid: '%s' is not VID:PID in hexadecimal, like 1209:0001",
                text);
}

static bool named(const struct cli_call *call, unsigned option,
                  const char *name)
{
    const char *value;
    size_t at = 0;

    if (!call->value[option])
        return true;
    while ((value = cli_next(call, option, &at))) {
        if (!strcasecmp(value, name))
            return true;
    }
    return false;
}

bool target_wants(const struct cli_call *call, const struct bus_entry *e)
{
    long vid = -1, pid = -1;

    if (call->value[TARGET_ID])
        parse_id(call->value[TARGET_ID], &vid, &pid);
    return e->dfu && (vid < 0 || vid == e->vid) && (pid < 0 || pid == e->pid) &&
           named(call, TARGET_PATH, e->path);
}

bool target_wants_serial(const struct cli_call *call, const char *serial)
{
    return named(call, TARGET_SERIAL, serial);
}

static size_t times(const struct cli_call *call, unsigned option)
{
    size_t at = 0, n = 0;

    while (cli_next(call, option, &at))
        n++;
    return n;
}

/* ---- buses ---- */

static bool add_bus(struct targets *all, struct bus *bus, struct fail *f)
{
    if (!bus)
        return false;
    if (all->buses == TARGETS_MAX) {
        bus->ops->free(bus);
        return fail(f, FAIL_USAGE, "--via: more than %d servers", TARGETS_MAX);
    }
    all->bus[all->buses++] = bus;
    return true;
}

bool targets_buses(struct targets *all, const struct cli_call *call,
                   struct fail *f)
{
    const char *via;
    size_t at = 0;

    memset(all, 0, sizeof(*all));
    all->call = call;
    all->json = call->value[TARGET_JSON];
    if (!target_check(call, f))
        return target_json_none(call, f);
    while ((via = cli_next(call, TARGET_VIA, &at))) {
        bool ok;

        if (!strcmp(via, "usb"))
            ok = add_bus(all, bus_libusb(f), f);
        else if (!strncmp(via, "usbip:", 6))
            ok = add_bus(all, bus_usbip(via + 6, f), f);
        else
            ok = fail(f, FAIL_USAGE, "--via: '%s' is not usbip:HOST:PORT", via);
        if (!ok) {
            targets_close(all);
            return target_json_none(call, f);
        }
    }
    return all->buses || add_bus(all, bus_libusb(f), f) ||
           target_json_none(call, f);
}

void targets_close(struct targets *all)
{
    for (size_t i = 0; i < all->n; i++) {
        device_close(&all->target[i].d);
        json_free(&all->target[i].json);
    }
    free(all->target);
    for (size_t i = 0; i < all->buses; i++)
        all->bus[i]->ops->free(all->bus[i]);
    memset(all, 0, sizeof(*all));
}

/* ---- devices ---- */

/* Why a device that may be the one was not taken: told if none is. */
static void remember(struct fail *why, const struct fail *f)
{
    if (!why->code)
        *why = *f;
}

static bool take(struct targets *all, struct bus *bus,
                 const struct bus_entry *e, struct fail *why)
{
    struct target *more = realloc(all->target, (all->n + 1) * sizeof(*more));
    struct fail f = {0};
    struct target *t;

    if (!more)
        return fail(why, FAIL_SYSTEM, "no memory");
    all->target = more;
    t = &more[all->n];
    memset(t, 0, sizeof(*t));
    if (!device_open(bus, e->path, &t->d, &f)) {
        remember(why, &f);
        return true;
    }
    if (!target_wants_serial(all->call, t->d.serial)) {
        device_close(&t->d);
        return true;
    }
    t->bus = bus;
    all->n++;
    return true;
}

static bool take_bus(struct targets *all, struct bus *bus, struct fail *why,
                     struct fail *f)
{
    struct bus_entry *entries;
    bool ok = true;
    size_t n;

    if (!bus->ops->list(bus, &entries, &n, f))
        return false;
    for (size_t i = 0; i < n && ok; i++) {
        if (!target_wants(all->call, &entries[i]))
            continue;
        if (all->n == TARGETS_MAX)
            ok = fail(f, FAIL_USAGE, "more than %d devices", TARGETS_MAX);
        else
            ok = take(all, bus, &entries[i], why);
    }
    free(entries);
    return ok;
}

/* "1-2 (serial 1234), 1-3 (...)" */
static void describe_all(const struct targets *all, char *text, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n && n < room; i++)
        n += (size_t)snprintf(text + n, room - n, "%s%s (serial %s)",
                              i ? ", " : "", all->target[i].d.path,
                              all->target[i].d.serial);
}

/* As many as were named, or one. */
static bool check_count(const struct targets *all, const struct fail *why,
                        struct fail *f)
{
    const struct cli_call *call = all->call;
    size_t named_ones[3] = {times(call, TARGET_SERIAL),
                            times(call, TARGET_PATH), times(call, TARGET_VIA)};
    size_t want = 1;
    char list[320];

    for (size_t i = 0; i < 3; i++)
        want = named_ones[i] > want ? named_ones[i] : want;
    if (all->n >= (call->value[TARGET_ALL] ? 1 : want) &&
        (call->value[TARGET_ALL] || all->n <= want))
        return true;
    if (!all->n && why->code) {
        *f = *why;
        return false;
    }
    if (!all->n)
        return fail(f, FAIL_NO_DEVICE, "%s",
                    call->value[TARGET_SERIAL] || call->value[TARGET_PATH] ||
                            call->value[TARGET_ID]
                        ? "no such device: 'sallyport list' shows what there is"
                        : "no device with a DFU interface: bring it into its "
                          "bootloader and plug it in");
    describe_all(all, list, sizeof(list));
    if (all->n < want)
        return fail(f, FAIL_NO_DEVICE, "%zu of %zu devices are there: %s",
                    all->n, want, list);
    return fail(f, FAIL_NO_DEVICE,
                "which one? say it with --serial or --path, or --all: %s",
                list);
}

bool targets_open(struct targets *all, const struct cli_call *call,
                  struct fail *f)
{
    struct fail why = {0};
    bool ok = targets_buses(all, call, f);

    if (!ok)
        return false;
    for (size_t i = 0; ok && i < all->buses; i++)
        ok = take_bus(all, all->bus[i], &why, f);
    if (ok && check_count(all, &why, f))
        return true;
    targets_close(all);
    return target_json_none(call, f);
}

/* ---- work ---- */

struct job {
    pthread_t thread;
    bool begun; /* it has a thread of its own */
    struct target *t;
    target_work *work;
    void *ctx;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *run_job(void *arg)
{
    struct job *job = arg;
    struct target *t = job->t;
    double start = now();

    t->ok = job->work(t, job->ctx, &t->f);
    t->seconds = now() - start;
    progress_end(t);
    return NULL;
}

static void prepare(struct targets *all, struct target *t)
{
    t->all = all;
    t->phase = t->percent = -1;
    if (all->n > 1)
        snprintf(t->label, sizeof(t->label), "%.31s",
                 t->d.serial[0] ? t->d.serial : t->d.path);
    t->update.d = &t->d;
    t->update.stop = &target_stop;
    t->update.ctx = t;
    t->update.progress = all->json ? NULL : progress_show;
}

static enum fail_code first_failure(const struct targets *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (!all->target[i].ok)
            return all->target[i].f.code;
    }
    return FAIL_NONE;
}

static void print_json(const struct targets *all)
{
    struct json j = {0};

    json_open(&j, NULL, '{');
    json_open(&j, "devices", '[');
    for (size_t i = 0; i < all->n; i++) {
        const struct target *t = &all->target[i];

        json_open(&j, NULL, '{');
        target_json(&j, &t->d);
        if (json_text(&t->json) && t->json.n > 0) {
            json_raw(&j, NULL, json_text(&t->json));
        }
        json_seconds(&j, "seconds", t->seconds);
        target_json_fail(&j, &t->f);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_number(&j, "status", first_failure(all));
    json_close(&j, '}');
    if (json_text(&j))
        puts(json_text(&j));
    json_free(&j);
}

static bool sum_up(struct targets *all, struct fail *f)
{
    size_t bad = 0;

    for (size_t i = 0; i < all->n; i++) {
        const struct target *t = &all->target[i];

        if (t->ok)
            continue;
        if (!bad++)
            *f = t->f;
        if (all->n > 1)
            fprintf(stderr, "sallyport: %s: %s\n", t->label, t->f.text);
    }
    if (all->n > 1 && bad)
        return fail(f, f->code, "%zu of %zu devices failed", bad, all->n);
    return !bad;
}

bool targets_run_each(struct targets *all, target_work *work, void *ctx,
                      struct fail *f)
{
    target_catch_signals();
    for (size_t i = 0; i < all->n; i++) {
        struct job job = {.t = &all->target[i], .work = work, .ctx = ctx};

        prepare(all, job.t);
        if (i && !all->json)
            printf("\n");
        run_job(&job);
    }
    if (all->json)
        print_json(all);
    return sum_up(all, f);
}

bool targets_run(struct targets *all, target_work *work, void *ctx,
                 struct fail *f)
{
    struct job *jobs = calloc(all->n, sizeof(*jobs));

    if (!jobs)
        return fail(f, FAIL_SYSTEM, "no memory");
    target_catch_signals();
    for (size_t i = 0; i < all->n; i++) {
        jobs[i] = (struct job){.t = &all->target[i], .work = work, .ctx = ctx};
        prepare(all, jobs[i].t);
        if (i == 0) /* this thread's own */
            continue;
        jobs[i].begun =
            !pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]);
        if (!jobs[i].begun)
            fail(&jobs[i].t->f, FAIL_SYSTEM, "no thread for this device");
    }
    run_job(&jobs[0]);
    for (size_t i = 1; i < all->n; i++) {
        if (jobs[i].begun)
            pthread_join(jobs[i].thread, NULL);
    }
    free(jobs);
    if (all->json)
        print_json(all);
    return sum_up(all, f);
}

bool target_verb(const struct cli_call *call, target_work *work, void *ctx,
                 struct fail *f)
{
    struct targets all;
    bool ok;

    if (!targets_open(&all, call, f))
        return false;
    ok = targets_run(&all, work, ctx, f);
    targets_close(&all);
    return ok;
}

/* ---- output ---- */

void target_say(struct target *t, const char *format, ...)
{
    char line[600];
    va_list args;

    if (t->all->json)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    progress_end(t);
    if (t->label[0])
        printf("%s: %s\n", t->label, line);
    else
        printf("%s\n", line);
    fflush(stdout);
}

void target_json(struct json *j, const struct device *d)
{
    json_string(j, "path", d->path);
    json_hex(j, "vid", d->vid, 4);
    json_hex(j, "pid", d->pid, 4);
    json_string(j, "vendor", d->vendor);
    json_string(j, "product", d->model);
    json_string(j, "serial", d->serial);
    json_string(j, "board", d->board ? d->board->name : "");
}

void target_json_fail(struct json *j, const struct fail *f)
{
    json_number(j, "status", f->code);
    if (f->code)
        json_string(j, "error", f->text);
}

bool target_json_none(const struct cli_call *call, const struct fail *f)
{
    struct json j = {0};

    if (!call->value[TARGET_JSON])
        return false;
    json_open(&j, NULL, '{');
    json_open(&j, "devices", '[');
    json_close(&j, ']');
    target_json_fail(&j, f);
    json_close(&j, '}');
    if (json_text(&j))
        puts(json_text(&j));
    json_free(&j);
    return false;
}

/* ---- from the application to the bootloader ---- */

bool target_in_bootloader(const struct target *t, struct fail *f)
{
    return !t->d.runtime ||
           fail(f, FAIL_DEVICE,
                "the device runs its application: 'sallyport reboot' brings "
                "it into its bootloader");
}

/* It leaves the bus, and another device comes to the same place. */
bool target_to_bootloader(struct target *t, struct fail *f)
{
    const struct timespec step = {0, 200 * 1000000};
    double limit = now() + TO_BOOTLOADER_S;
    struct device old = t->d;

    if (!dfu_detach(&t->d, f))
        return false;
    device_close(&t->d);
    while (now() < limit && !target_stop) {
        struct fail ignored = {0};

        nanosleep(&step, NULL);
        if (!device_open(t->bus, old.path, &t->d, &ignored))
            continue;
        if (!t->d.runtime)
            return true;
        device_close(&t->d);
    }
    old.t = NULL;
    t->d = old; /* for the report */
    return fail(f, FAIL_LOST,
                "the application left, and no bootloader came in its place");
}

/* ---- ranges ---- */

bool target_range(const struct cli_call *call, unsigned address,
                  unsigned length, struct target_range *range, struct fail *f)
{
    uint32_t start, n;

    *range = (struct target_range){0};
    if (!call->value[address] != !call->value[length])
        return fail(f, FAIL_USAGE,
                    "--address and --length belong together: give both");
    if (!call->value[address])
        return true;
    if (!cli_number("address", call->value[address], &start, f) ||
        !cli_number("length", call->value[length], &n, f))
        return false;
    if (!n)
        return fail(f, FAIL_USAGE, "--length: 0 bytes are nothing");
    *range = (struct target_range){start, (uint64_t)start + n};
    return true;
}

size_t target_alt(const struct device *d, uint64_t addr)
{
    struct layout_sector s;

    for (size_t i = 0; i < d->alts; i++)
        if (d->alt[i].has_layout && layout_at(&d->alt[i].layout, addr, &s))
            return i;
    return 0;
}

/* ---- files ---- */

static bool load(const struct cli_call *call, unsigned index, struct fw *fw,
                 const uint32_t **address, uint32_t *room, struct fail *f)
{
    *address = NULL;
    if (call->value[index]) {
        if (!cli_number("address", call->value[index], room, f))
            return false;
        *address = room;
    }
    return fw_load(fw, call->file, *address, f);
}

bool target_load(const struct cli_call *call, unsigned index, struct fw *fw,
                 const uint32_t **address, uint32_t *room, struct fail *f)
{
    return load(call, index, fw, address, room, f) || target_json_none(call, f);
}
