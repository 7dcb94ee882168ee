/* SPDX-License-Identifier: MIT */
/*
 * drive.c - a file that fills the slot, copied onto the drive the way Linux
 * does it, and ejected.  The time is that of the commands from the first WRITE
 * on, and of the drive until the image is verified and installed; what the
 * host sleeps is not in it, nor the time that the drive waits for the host to
 * be quiet, which is stated beside it.
 */
#include "bench.h"
#include "hosts.h"
#include "msc_trial.h"

#include <stdlib.h>
#include <string.h>

/* docs/design.md: after the volume was ejected. */
#define QUIET (768 * SIM_MS)
#define STEP  (100 * SIM_US)
#define LIMIT (60 * SIM_S)
/* With this the host of test/drive sends WRITEs of 240 sectors. */
enum { SEED = 2 };

static struct {
    struct msc_trial trial;
    struct blockdev dev; /* the disk's own */
    bool started;
    sim_time first, waited;
    struct bench_drive *result;
} self;

static sim_time now(void)
{
    return chip_now(self.trial.disk.msc.rig->chip);
}

static bool timed_write(void *ctx, uint32_t lba, uint32_t n,
                        const uint8_t *from)
{
    sim_time start = now();
    bool ok;

    if (!self.started) {
        self.started = true;
        self.first = start;
    }
    ok = self.dev.write(ctx, lba, n, from);
    self.result->writes++;
    self.result->writing += now() - start;
    return ok;
}

static void timed_wait(void *ctx, uint32_t ms)
{
    sim_time start = now();

    self.dev.wait(ctx, ms);
    if (self.started)
        self.waited += now() - start;
}

/* Until it left the bus and is back: the time of the last flash operation. */
static sim_time installed(struct rig *r, sim_time start)
{
    uint64_t ops = chip_flash_ops(r->chip);
    sim_time last = start;

    while (now() - start < LIMIT &&
           !(self.trial.disk.msc.gone && host_attached(r->host))) {
        host_wait(r->host, STEP);
        if (chip_flash_ops(r->chip) != ops)
            last = now();
        ops = chip_flash_ops(r->chip);
    }
    return last;
}

static bool copy(struct rig *r, const struct payload *p)
{
    const struct host_file file = {payload_file(p->kind), p->data, p->size};
    const struct host_plan plan = {.kind = HOST_LINUX,
                                   .seed = SEED,
                                   .files = &file,
                                   .count = 1,
                                   .end = HOST_EJECT,
                                   .pull = -1};
    struct copier *host = copier_new();
    struct blockdev dev = self.dev;
    struct host_result result;
    sim_time ejected;

    dev.write = timed_write;
    dev.wait = timed_wait;
    self.started = false;
    self.waited = 0;
    if (!host)
        return false;
    host_copy(host, &dev, &plan, &result);
    copier_free(host);
    ejected = now();
    self.result->behind = installed(r, ejected) - ejected;
    self.result->time =
        ejected + self.result->behind - self.first - self.waited;
    if (self.result->behind >= QUIET) {
        self.result->quiet = QUIET;
        self.result->time -= QUIET;
    }
    if (result.status != HOST_OK)
        fprintf(stderr, "bench: the host says: %s\n", result.text);
    return result.status == HOST_OK;
}

static void make(struct rig *r, enum bench_copy what, struct payload *p)
{
    size_t n = self.trial.board.slot_size;
    bool full = what == COPY_BIN || what == COPY_UF2;

    payload_make(p, &self.trial.board,
                 what == COPY_UF2 ? PAYLOAD_UF2 : PAYLOAD_BIN, full ? 2 : 1,
                 (uint32_t)n);
    if (what != COPY_ONE_PAGE)
        return;
    p->image[n / 2] ^= 0x55;
    rig_stamp(r->board, p->image, n);
    memcpy(p->data, p->image, n);
}

static bool measure(struct rig *r, enum bench_copy what, struct bench_drive *d)
{
    size_t n = self.trial.board.slot_size;
    struct payload old = {0}, p = {0};
    struct silicon_work work;
    bool ok;

    payload_init(&old, &self.trial.board);
    payload_init(&p, &self.trial.board);
    payload_make(&old, &self.trial.board, PAYLOAD_BIN, 1, (uint32_t)n);
    make(r, what, &p);
    msc_trial_start(&self.trial, old.image, n);
    self.dev = self.trial.disk.dev;
    work = silicon_work(r->chip, r->board->slot, old.image, p.image, n);
    d->limit = silicon_wire(p.size);
    if (work.time > d->limit)
        d->limit = work.time;
    ok = copy(r, &p) && rig_flash_is(r, r->board->slot, p.image, p.length);
    if (!ok)
        fprintf(stderr, "bench: the slot differs from the image\n");
    payload_free(&old);
    payload_free(&p);
    return ok;
}

bool bench_drive(const char *board, enum bench_copy what, struct bench_drive *d)
{
    static const struct host_timing stated = {.nak_retry = 50 * SIM_US,
                                              .turnaround = 100 * SIM_US};
    struct rig *r =
        rig_new(board, rig_firmware(board, "sallyport-" BENCH_DRIVE ".elf"));
    bool ok = false;

    memset(&self, 0, sizeof(self));
    *d = (struct bench_drive){0};
    self.result = d;
    if (!r)
        return false;
    host_free(r->host);
    r->host = host_new(r->chip, &stated);
    if (r->host && !rig_power_on(r) && msc_trial_open(&self.trial, r)) {
        ok = measure(r, what, d);
        if (chip_guest_errors(r->chip)) {
            fprintf(stderr, "bench: guest error: %s\n",
                    chip_last_guest_error(r->chip));
            ok = false;
        }
        msc_trial_close(&self.trial);
    }
    rig_free(r);
    return ok;
}
