/* SPDX-License-Identifier: MIT */
/*
 * update.c - updates with the request sequence of dfu-util 0.11 (rig.c; the
 * end-to-end tests compare it with the real one's), their time, and where it
 * goes.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the host's view ---- */

struct watch {
    struct bench_share *share;
    enum bench_kind kind; /* of the last one submitted */
    sim_time last;
    FILE *print;
};

static enum bench_kind kind_of(const struct urb *u)
{
    const uint8_t *s = u->setup;

    if (s[0] == 0xA1 && s[1] == 3)
        return KIND_GETSTATUS;
    if (s[0] != 0x21)
        return KIND_OPEN;
    if (s[1] != 1 || !u->length)
        return KIND_END;
    if (s[2] | s[3])
        return KIND_DATA;
    return u->data[0] == 0x41 ? KIND_ERASE : KIND_SET_ADDRESS;
}

static void on_urb(void *ctx, char type, const struct urb *u, sim_time now)
{
    struct watch *w = ctx;
    const uint8_t *s = u->setup;

    if (type == 'S') {
        if (w->print)
            fprintf(w->print, "%02x %02x %04x %04x %04x\n", s[0], s[1],
                    s[2] | s[3] << 8, s[4] | s[5] << 8, s[6] | s[7] << 8);
        w->share[w->kind].sleeping += now - w->last;
        w->kind = kind_of(u);
        w->share[w->kind].count++;
    } else {
        w->share[w->kind].moving += now - w->last;
    }
    w->last = now;
}

/* ---- one update ---- */

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Until the application runs: the time of that and of the last operation. */
static bool finish(struct rig *r, sim_time start, struct bench_update *u)
{
    uint64_t ops = chip_flash_ops(r->chip);
    sim_time end = chip_now(r->chip) + 30 * SIM_S;

    while (!rig_in_app(r)) {
        if (chip_now(r->chip) >= end)
            return false;
        host_wait(r->host, 100 * SIM_US);
        if (chip_flash_ops(r->chip) != ops) {
            ops = chip_flash_ops(r->chip);
            u->time = chip_now(r->chip) - start;
        }
    }
    u->to_app = chip_now(r->chip) - start;
    return true;
}

/* A fast update that does not do its job is no figure. */
static bool holds(struct rig *r, const uint8_t *image, size_t n)
{
    size_t at = 0;

    while (at < n && *rig_flash(r, r->board->slot + (uint32_t)at) == image[at])
        at++;
    if (at < n)
        fprintf(stderr, "bench: the slot differs from the image at 0x%zx\n",
                at);
    if (chip_guest_errors(r->chip))
        fprintf(stderr, "bench: guest error: %s\n",
                chip_last_guest_error(r->chip));
    return at == n && !chip_guest_errors(r->chip);
}

static bool install(struct rig *r, const uint8_t *image, size_t n,
                    struct bench_update *u, FILE *print)
{
    uint64_t erases = chip_flash_erases(r->chip);
    uint64_t programs = chip_flash_programs(r->chip);
    sim_time start = chip_now(r->chip);
    struct watch w = {.share = u->share, .last = start, .print = print};
    double cpu = cpu_seconds();
    int bad;

    host_monitor(r->host, on_urb, &w);
    bad = rig_install(r, image, n);
    host_monitor(r->host, NULL, NULL);
    u->time = u->whole = chip_now(r->chip) - start;
    if (bad || !finish(r, start, u)) {
        fprintf(stderr, "bench: the update fails (%d)\n", bad);
        return false;
    }
    u->cpu = cpu_seconds() - cpu;
    u->erases = (unsigned)(chip_flash_erases(r->chip) - erases);
    u->programs = (unsigned)(chip_flash_programs(r->chip) - programs);
    return holds(r, image, n);
}

/* ---- the cases ---- */

static void make_image(struct rig *r, uint8_t *image, size_t n, bool stamped,
                       uint32_t seed)
{
    if (stamped)
        rig_image_stamped(r->board, image, n, seed);
    else
        rig_image(r->board, image, n, seed);
}

/* What is installed, and what comes. */
static void prepare(struct rig *r, const char *name, bool stamped,
                    uint8_t *from, uint8_t *to, size_t n)
{
    struct rig_span middle;

    make_image(r, from, n, stamped, 1);
    if (!strcmp(name, "full")) {
        make_image(r, to, n, stamped, 2);
        return;
    }
    memcpy(to, from, n);
    if (strcmp(name, "one-page"))
        return;
    middle = rig_page(r->board, r->board->slot + (uint32_t)n / 2);
    make_image(r, to, middle.size, false, 3);
    memmove(to + (middle.start - r->board->slot), to, middle.size);
    memcpy(to, from, middle.size);
    if (stamped)
        rig_stamp(r->board, to, n);
}

/* Profile staged: another update was there before, so that all of it has to be
 * erased; what comes is written once more. */
static void add_download(struct rig *r, uint8_t *scratch, const uint8_t *to,
                         size_t n, struct bench_update *u)
{
    struct silicon_work w;

    make_image(r, scratch, n, false, 4);
    rig_flash_put(r, r->board->download, scratch, n);
    w = silicon_work(r->chip, r->board->download, scratch, to, n);
    u->work.erases += w.erases;
    u->work.programs += w.programs;
    u->work.time += w.time;
}

static bool run(struct rig *r, uint8_t *from, const uint8_t *to, size_t n,
                struct bench_update *u)
{
    rig_flash_put(r, r->board->slot, from, n);
    if (rig_reset_with_key(r)) {
        fprintf(stderr, "bench: the bootloader does not enumerate\n");
        return false;
    }
    u->work = silicon_work(r->chip, r->board->slot, from, to, n);
    if (r->board->download)
        add_download(r, from, to, n, u);
    u->wire = silicon_wire(n);
    u->limit = u->work.time > u->wire ? u->work.time : u->wire;
    return install(r, to, n, u, NULL);
}

bool bench_update(struct rig *r, const char *name, bool stamped,
                  struct bench_update *u)
{
    size_t n = bench_slot_size(r);
    uint8_t *from = malloc(n), *to = malloc(n);
    bool ok = false;

    *u = (struct bench_update){0};
    if (from && to) {
        prepare(r, name, stamped, from, to, n);
        ok = run(r, from, to, n, u);
    }
    free(from);
    free(to);
    return ok;
}

bool bench_print_sequence(struct rig *r, const char *file)
{
    struct bench_update u = {0};
    size_t room = bench_slot_size(r), n;
    uint8_t *image = malloc(room);
    bool ok = false;

    if (image && (n = rig_read_file(file, image, room)))
        ok = install(r, image, n, &u, stdout);
    free(image);
    return ok;
}
