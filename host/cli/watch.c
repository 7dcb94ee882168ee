/* SPDX-License-Identifier: MIT */
/* watch.c - the verb `watch`: flashes each device that appears. */
#include "flash.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Between two looks at what is plugged in. */
#define POLL_MS 200

enum { ADDRESS = TARGET_OPTIONS, STAY, NO_VERIFY, COUNT, LOG };

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    [ADDRESS] = {.name = "address",
                 .arg = "ADDR",
                 .help = "where a raw binary goes, not the start of the slot"},
    [STAY] = {.name = "stay",
              .help = "do not start the application afterwards"},
    [NO_VERIFY] = {.name = "no-verify", .help = "do not read back"},
    [COUNT] = {.name = "count",
               .arg = "N",
               .help = "end after so many devices"},
    [LOG] = {.name = "log",
             .arg = "FILE",
             .help = "append a JSON object a device, one a line"},
    {0},
};

enum { PLACES = TARGETS_MAX };

struct watch;

/* Where a device is, or was until a moment ago. */
struct place {
    bool used;
    bool busy;    /* a thread works on it */
    bool again;   /* it was gone before anything changed */
    bool settled; /* it has been worked on; it has to go before it counts
                     as a new one */
    char path[BUS_PATH];
    struct bus *bus;
    struct target t;
    struct watch *w;
    pthread_t thread;
    bool joinable, over; /* over: under the lock */
};

struct watch {
    struct targets all;
    struct flash_job job;
    char sha256[2 * SHA256_DIGEST_SIZE + 1];
    FILE *log;
    uint32_t limit, begun; /* devices; limit 0: none */
    unsigned done, failed;
    struct fail first; /* of those that failed */
    pthread_mutex_t lock;
    struct place place[PLACES];
};

/* ---- the log ---- */

/* Of the image from its first byte to its last, gaps 0xFF: what `sha256sum`
 * says of a .bin of it. */
static void hash(const struct fw *fw, char text[2 * SHA256_DIGEST_SIZE + 1])
{
    uint8_t part[FW_PAGE], digest[SHA256_DIGEST_SIZE];
    uint64_t at = 0, end = 0;
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    fw_span(fw, &at, &end);
    while (at < end) {
        size_t n = end - at < FW_PAGE ? (size_t)(end - at) : FW_PAGE;

        fw_get(fw, at, part, n, 0xFF);
        sha256_update(&ctx, n, part);
        at += n;
    }
    sha256_digest(&ctx, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        sprintf(text + 2 * i, "%02x", digest[i]);
}

static void put_time(struct json *j)
{
    char text[32];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    json_string(j, "time", text);
}

static void put_line(FILE *out, const struct json *j)
{
    if (json_text(j)) {
        fprintf(out, "%s\n", json_text(j));
        fflush(out);
    }
}

/* Under the lock: one device's line is whole. */
static void report(struct place *p, const struct update_result *r)
{
    struct watch *w = p->w;
    struct target *t = &p->t;
    struct json j = {0};

    json_open(&j, NULL, '{');
    put_time(&j);
    if (t->d.model[0] || t->d.vid)
        target_json(&j, &t->d);
    else
        json_string(&j, "path", p->path);
    json_string(&j, "file", w->job.path);
    json_string(&j, "sha256", w->sha256);
    flash_json(&j, r);
    json_seconds(&j, "seconds", t->seconds);
    target_json_fail(&j, &t->f);
    json_close(&j, '}');
    if (w->log)
        put_line(w->log, &j);
    if (w->all.json)
        put_line(stdout, &j);
    else if (t->ok)
        printf("%s: %s, %llu bytes in %.1f s%s\n", t->label,
               r->unchanged ? "unchanged" : "installed",
               (unsigned long long)r->size, t->seconds,
               r->verified ? ", verified" : "");
    fflush(stdout);
    if (!t->ok)
        fprintf(stderr, "sallyport: %s: %s\n", t->label, t->f.text);
    json_free(&j);
}

/* ---- one device ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* False: it is not one that is wanted, by its serial number. */
static bool flash_place(struct place *p, struct update_result *r)
{
    const struct cli_call *call = p->w->all.call;
    struct target *t = &p->t;
    double start = now();

    *r = (struct update_result){0};
    snprintf(t->label, sizeof(t->label), "%.31s", p->path);
    if (device_open(p->bus, p->path, &t->d, &t->f)) {
        if (!target_wants_serial(call, t->d.serial)) {
            device_close(&t->d);
            return false;
        }
        if (t->d.serial[0])
            snprintf(t->label, sizeof(t->label), "%.31s", t->d.serial);
        t->update = (struct update){.d = &t->d,
                                    .stop = &target_stop,
                                    .stay = call->value[STAY],
                                    .no_verify = call->value[NO_VERIFY]};
        t->ok = flash_target(t, &p->w->job, r, &t->f);
        device_close(&t->d);
    }
    t->seconds = now() - start;
    return true;
}

static void *run_place(void *arg)
{
    struct place *p = arg;
    struct watch *w = p->w;
    struct update_result r;
    bool counts = flash_place(p, &r);

    pthread_mutex_lock(&w->lock);
    /* One that left before anything changed was none: who plugs it in needs a
     * moment, and its bootloader as well. */
    p->again = counts && !p->t.ok && !r.written && !r.erased &&
               (p->t.f.code == FAIL_NO_DEVICE || p->t.f.code == FAIL_LOST);
    counts = counts && !p->again;
    if (counts)
        report(p, &r);
    if (counts && !p->t.ok && !w->failed++)
        w->first = p->t.f;
    w->done += counts;
    w->begun -= !counts;
    p->over = true;
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void begin(struct watch *w, struct bus *bus, const char *path)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct place *p = &w->place[i];

        if (p->used)
            continue;
        memset(p, 0, sizeof(*p));
        p->w = w;
        p->bus = bus;
        p->t.all = &w->all;
        memcpy(p->path, path, BUS_PATH);
        p->joinable = !pthread_create(&p->thread, NULL, run_place, p);
        p->used = p->busy = p->joinable;
        w->begun += p->joinable;
        return;
    }
}

/* ---- what is plugged in ---- */

static struct place *find(struct watch *w, const char *path)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (w->place[i].used && !strcmp(w->place[i].path, path))
            return &w->place[i];
    }
    return NULL;
}

/* In its bootloader: an application, which may be the one that was just
 * installed, is not waited for. */
static bool is_listed(const struct bus_entry *entries, size_t n,
                      const char *path)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].dfu && !entries[i].runtime &&
            !strcmp(entries[i].path, path))
            return true;
    }
    return false;
}

/* Under the lock. */
static void end_finished(struct watch *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct place *p = &w->place[i];

        if (!p->used || !p->busy || !p->over)
            continue;
        pthread_mutex_unlock(&w->lock);
        pthread_join(p->thread, NULL);
        pthread_mutex_lock(&w->lock);
        p->busy = false;
        p->settled = true;
        p->used = !p->again;
    }
}

/* Under the lock. */
static bool look(struct watch *w, struct bus *bus, struct fail *f)
{
    struct bus_entry *entries;
    size_t n;

    if (!bus->ops->list(bus, &entries, &n, f))
        return false;
    for (size_t i = 0; i < PLACES; i++) {
        struct place *p = &w->place[i];

        if (p->used && p->bus == bus && p->settled &&
            !is_listed(entries, n, p->path))
            p->used = false;
    }
    for (size_t i = 0; i < n; i++) {
        if (target_wants(w->all.call, &entries[i]) && !entries[i].runtime &&
            !find(w, entries[i].path) && (!w->limit || w->begun < w->limit))
            begin(w, bus, entries[i].path);
    }
    free(entries);
    return true;
}

static void nap(void)
{
    struct timespec t = {0, POLL_MS * 1000000};

    nanosleep(&t, NULL); /* a signal ends it */
}

static bool busy(const struct watch *w)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (w->place[i].used && w->place[i].busy)
            return true;
    }
    return false;
}

/* The first look at a bus tells a wrong address; later ones may fail, a
 * server may be started anew. */
static bool watch(struct watch *w, struct fail *f)
{
    bool first = true, ok = true;

    pthread_mutex_lock(&w->lock);
    while (ok && !target_stop && (!w->limit || w->done < w->limit)) {
        for (size_t i = 0; i < w->all.buses && ok; i++) {
            struct fail why = {0};

            ok = look(w, w->all.bus[i], &why) || !first;
            if (!ok)
                *f = why;
        }
        first = false;
        pthread_mutex_unlock(&w->lock);
        if (ok)
            nap();
        pthread_mutex_lock(&w->lock);
        end_finished(w);
    }
    while (busy(w)) {
        pthread_mutex_unlock(&w->lock);
        nap();
        pthread_mutex_lock(&w->lock);
        end_finished(w);
    }
    pthread_mutex_unlock(&w->lock);
    return ok;
}

/* ---- the verb ---- */

static bool open_log(struct watch *w, const char *path, struct fail *f)
{
    w->log = path ? fopen(path, "a") : NULL;
    return !path || w->log ||
           fail(f, FAIL_SYSTEM, "%s: cannot be written: %s", path,
                strerror(errno));
}

static bool run_watch(struct watch *w, const struct cli_call *call,
                      struct fail *f)
{
    hash(w->job.fw, w->sha256);
    target_catch_signals();
    if (!w->all.json)
        printf("waiting for devices to install %s, SHA-256 %s\n", call->file,
               w->sha256);
    fflush(stdout);
    if (!watch(w, f))
        return false;
    if (!w->failed)
        return true;
    *f = w->first;
    return fail(f, f->code, "%u of %u devices failed", w->failed, w->done);
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct watch *w = calloc(1, sizeof(*w));
    uint32_t address;
    struct fw fw;
    bool ok;

    if (!w)
        return fail(f, FAIL_SYSTEM, "no memory");
    pthread_mutex_init(&w->lock, NULL);
    fw_init(&fw);
    w->job = (struct flash_job){.path = call->file, .fw = &fw};
    ok = (!call->value[COUNT] ||
          cli_number("count", call->value[COUNT], &w->limit, f)) &&
         target_load(call, ADDRESS, &fw, &w->job.address, &address, f) &&
         targets_buses(&w->all, call, f);
    if (ok) {
        ok = open_log(w, call->value[LOG], f) && run_watch(w, call, f);
        if (w->log && fclose(w->log) && ok)
            ok = fail(f, FAIL_SYSTEM, "%s: cannot be written: %s",
                      call->value[LOG], strerror(errno));
        targets_close(&w->all);
    }
    fw_free(&fw);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return ok;
}

const struct cli_verb cli_watch = {
    .name = "watch",
    .synopsis = "FILE " TARGET_SYNOPSIS
                " [--address ADDR] [--stay] [--no-verify] [--count N]"
                " [--log FILE]",
    .summary = "install firmware on each device that appears",
    .details =
        "For a bench or a production line: waits for devices in their\n"
        "bootloader and installs FILE on each, several at once.  With --json\n"
        "or in --log a JSON object a device, one a line: time, serial number,\n"
        "SHA-256 of the image, what was done.  Ctrl-C ends it.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
