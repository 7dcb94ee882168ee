/* SPDX-License-Identifier: MIT */
/* msc_trial.c - see msc_trial.h. */
#include "msc_trial.h"

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The drive is back on the bus sooner than this, all of its slot erased. */
#define BACK (30 * SIM_S)
/* A mass storage driver asks until the medium is there. */
enum { TRIES = 20 };

static struct rig *rig_of(struct msc_trial *t)
{
    return t->disk.msc.rig;
}

static void note_times(struct msc_trial *t)
{
    const struct msc *m = &t->disk.msc;

    if (m->slowest > t->slowest) {
        t->slowest = m->slowest;
        t->slow_op = m->slow_op;
    }
    if (m->slowest_write > t->slowest_write)
        t->slowest_write = m->slowest_write;
}

static void broke(struct msc_trial *t, const char *what)
{
    if (!t->fault[0])
        snprintf(t->fault, sizeof(t->fault), "%s", what);
}

static bool wait_ready(struct msc_trial *t)
{
    const struct blockdev *dev = &t->disk.dev;

    for (unsigned i = 0; i < TRIES; i++) {
        if (dev->ready(dev->ctx))
            return true;
        dev->wait(dev->ctx, 10);
    }
    broke(t, "the drive does not become ready");
    return false;
}

/* A connection that is new. */
static bool connected(struct msc_trial *t)
{
    if (!msc_disk_again(&t->disk, BACK)) {
        if (chip_was_cut(rig_of(t)->chip))
            return false; /* as the test wants it */
        broke(t, "the drive does not come back");
        return false;
    }
    t->mounts++;
    return wait_ready(t);
}

/* ---- trial.h ---- */

/* The FATs, behind the free clusters: hosts read them again and again, a
 * quarter of a megabyte that stays the same. */
enum { FATS = 32, FAT_LENGTH = 516, FREE = 128, LONG = 64 };

static struct msc_trial *of(void *ctx)
{
    return (struct msc_trial *)((char *)ctx - offsetof(struct msc_trial, disk));
}

/* It left the bus: the system finds out, and looks at what is there now. */
static void wait_ms(void *ctx, uint32_t ms)
{
    struct msc_trial *t = of(ctx);

    clock_pass(&t->disk.clock, ms);
    if (t->disk.msc.gone && !t->fault[0] && !chip_was_cut(rig_of(t)->chip))
        connected(t);
}

static bool read_sectors(void *ctx, uint32_t lba, uint32_t n, uint8_t *to)
{
    struct msc_trial *t = of(ctx);
    bool same = n >= LONG && lba >= FATS + FREE && lba + n <= FATS + FAT_LENGTH;
    uint8_t *data = t->fat.data + (lba - FATS) * (size_t)MSC_SECTOR;
    bool *known = &t->fat.known[lba - FATS];

    if (same && !t->disk.msc.gone && !memchr(known, 0, n)) {
        memcpy(to, data, n * MSC_SECTOR);
        return true;
    }
    if (!t->read(ctx, lba, n, to))
        return false;
    if (same) {
        memcpy(data, to, n * MSC_SECTOR);
        memset(known, true, n);
    }
    return true;
}

void msc_trial_start(struct msc_trial *t, const void *slot, size_t n)
{
    struct rig *r = rig_of(t);

    note_times(t);
    chip_restore(r->chip, t->home);
    rig_flash_put(r, r->board->slot, slot, n);
    t->mounts = 0;
    t->fault[0] = 0;
    memset(&t->disk.msc, 0, sizeof(t->disk.msc));
    if (!msc_disk_open(&t->disk, r) || !wait_ready(t))
        broke(t, "no drive");
}

bool msc_trial_result(struct msc_trial *t, uint32_t ms)
{
    enum { STEP = 100 };
    unsigned mounts = t->mounts;

    for (uint32_t i = 0; i < ms && t->mounts == mounts && !t->fault[0] &&
                         !chip_was_cut(rig_of(t)->chip);
         i += STEP)
        wait_ms(&t->disk, STEP);
    return t->mounts != mounts;
}

bool msc_trial_replug(struct msc_trial *t, uint32_t ms, bool power)
{
    struct rig *r = rig_of(t);
    bool back;

    wire_plug(chip_wire(r->chip), false);
    if (power) {
        chip_power(r->chip, false);
        chip_run(r->chip, chip_now(r->chip) + 100 * SIM_MS);
        rig_key(r, true);
        wire_plug(chip_wire(r->chip), true);
        chip_power(r->chip, true);
    } else {
        /* Until the host has seen it, too. */
        clock_pass(&t->disk.clock, ms < 20 ? 20 : ms);
        wire_plug(chip_wire(r->chip), true);
    }
    back = connected(t);
    if (power)
        rig_key(r, false);
    return back;
}

bool msc_trial_boots(struct msc_trial *t)
{
    struct rig *r = rig_of(t);
    struct chip_snapshot *now = chip_save(r->chip);
    bool gone = t->disk.msc.gone, boots = rig_boots_after_reset(r);

    chip_restore(r->chip, now);
    chip_snapshot_free(now);
    t->disk.msc.gone = gone;
    return boots;
}

void msc_trial_slot(struct msc_trial *t, uint8_t *to)
{
    struct rig *r = rig_of(t);
    struct chip_snapshot *now = chip_save(r->chip);
    bool gone = t->disk.msc.gone;

    if (r->board->download)
        rig_boots_after_reset(r);
    memcpy(to, rig_flash(r, t->board.slot), t->board.slot_size);
    chip_restore(r->chip, now);
    chip_snapshot_free(now);
    t->disk.msc.gone = gone;
}

static void start(void *ctx, const uint8_t *slot)
{
    struct msc_trial *t = of(ctx);

    msc_trial_start(t, slot, t->board.slot_size);
}

static unsigned mounts(void *ctx)
{
    return of(ctx)->mounts;
}

static void replug(void *ctx, uint32_t ms, bool power)
{
    msc_trial_replug(of(ctx), ms, power);
}

static void slot(void *ctx, uint8_t *to)
{
    msc_trial_slot(of(ctx), to);
}

static bool boots(void *ctx)
{
    return msc_trial_boots(of(ctx));
}

static const char *fault(void *ctx)
{
    struct msc_trial *t = of(ctx);

    if (chip_guest_errors(rig_of(t)->chip))
        broke(t, chip_last_guest_error(rig_of(t)->chip));
    if (t->disk.msc.broken[0])
        broke(t, t->disk.msc.broken);
    return t->fault[0] ? t->fault : NULL;
}

bool msc_trial_open(struct msc_trial *t, struct rig *r)
{
    /* github.com/microsoft/uf2, utils/uf2families.json */
    const uint32_t f1 = 0x5EE21072, f4 = 0x57755A57;
    const struct rig_board *b = r->board;

    memset(t, 0, sizeof(*t));
    if (!msc_disk_open(&t->disk, r) || !clock_find(&t->disk.clock, r)) {
        fprintf(stderr, "%s: no drive, or no clock\n", b->name);
        return false;
    }
    t->board = (struct trial_board){
        .name = b->name,
        .slot = b->slot,
        .slot_size = b->slot_end - b->slot,
        .ram = b->ram,
        .ram_size = b->ram_end - b->ram,
        .product = b->product,
        .family = b->uf2           ? b->uf2
                  : b->whole_pages ? f1
                                   : f4,
        .other_family = b->whole_pages ? f4 : f1,
        .vid =
            0x1209, /* of the boards as they are here: pid.codes' test pair */
        .pid = 0x0001,
    };
    t->home = chip_save(r->chip);
    t->fat.data = calloc(FAT_LENGTH, MSC_SECTOR);
    t->fat.known = calloc(FAT_LENGTH, sizeof(bool));
    t->read = t->disk.dev.read;
    t->trial = (struct trial_rig){
        .board = &t->board,
        .staged = b->download != 0,
        .dev = t->disk.dev,
        .start = start,
        .mounts = mounts,
        .replug = replug,
        .slot = slot,
        .boots = boots,
        .fault = fault,
    };
    t->trial.dev.read = read_sectors;
    t->trial.dev.wait = wait_ms;
    return t->home && t->fat.data && t->fat.known;
}

void msc_trial_close(struct msc_trial *t)
{
    chip_snapshot_free(t->home);
    free(t->fat.data);
    free(t->fat.known);
}
