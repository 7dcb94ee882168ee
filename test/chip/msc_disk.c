/* SPDX-License-Identifier: MIT */
/* msc_disk.c - see msc_disk.h. */
#include "msc_disk.h"

enum { MEDIUM_CHANGED = 0x062800, NO_MEDIUM = 0x023A00 };

/* Once more where the disk says that the medium is another one. */
static bool command(struct msc_disk *d, const uint8_t cdb[MSC_CDB],
                    enum msc_way way, uint32_t length, void *data)
{
    for (unsigned i = 0; i < 2; i++) {
        struct msc_result r;

        if (d->before)
            d->before(d->before_ctx);
        r = msc_command(&d->msc, cdb, way, length, data);
        if (msc_ok(r, length))
            return true;
        if (r.status != MSC_FAILED)
            break;
        d->sense = msc_sense(&d->msc);
        if (d->sense != MEDIUM_CHANGED)
            break;
    }
    d->refused += !d->msc.gone && d->sense != NO_MEDIUM;
    return false;
}

static uint32_t disk_count(void *ctx)
{
    uint8_t answer[8] = {0};

    if (!command(ctx, MSC_CDB(0x25), MSC_IN, 8, answer))
        return 0;
    return ((uint32_t)answer[0] << 24 | (uint32_t)answer[1] << 16 |
            (uint32_t)answer[2] << 8 | answer[3]) +
           1;
}

static bool disk_read(void *ctx, uint32_t lba, uint32_t n, uint8_t *to)
{
    return command(ctx, MSC_RW(0x28, lba, n), MSC_IN, n * MSC_SECTOR, to);
}

static bool disk_write(void *ctx, uint32_t lba, uint32_t n, const uint8_t *from)
{
    return command(ctx, MSC_RW(0x2A, lba, n), MSC_OUT, n * MSC_SECTOR,
                   (uint8_t *)from);
}

static bool disk_sync(void *ctx)
{
    return command(ctx, MSC_CDB(0x35), MSC_NONE, 0, NULL);
}

/* LOEJ, and not START */
static bool disk_eject(void *ctx)
{
    return command(ctx, MSC_CDB(0x1B, 0, 0, 0, 2), MSC_NONE, 0, NULL);
}

static bool disk_ready(void *ctx)
{
    return command(ctx, MSC_CDB(0), MSC_NONE, 0, NULL);
}

static void disk_wait(void *ctx, uint32_t ms)
{
    struct msc_disk *d = ctx;

    clock_pass(&d->clock, ms);
}

bool msc_disk_open(struct msc_disk *d, struct rig *r)
{
    d->dev = (struct blockdev){.ctx = d,
                               .count = disk_count,
                               .read = disk_read,
                               .write = disk_write,
                               .sync = disk_sync,
                               .eject = disk_eject,
                               .ready = disk_ready,
                               .wait = disk_wait};
    d->clock.rig = r;
    d->sense = 0;
    return msc_open(&d->msc, r) && msc_max_lun(&d->msc) == 0;
}

/* Linux' hub driver tries four times (hub.c, PORT_INIT_TRIES) before it gives a
 * device up; one that erases a large sector when the cable comes back misses
 * the first bus reset. */
bool msc_disk_again(struct msc_disk *d, sim_time limit)
{
    enum { TRIES = 4 };
    struct rig *r = d->msc.rig;
    bool there = false;

    for (unsigned i = 0; i < TRIES && !there; i++) {
        if (host_wait_attach(r->host, true, limit))
            return false;
        there = host_enumerate(r->host) == 0;
        if (!there)
            host_wait(r->host, 200 * SIM_MS);
    }
    return there && msc_disk_open(d, r);
}

bool msc_disk_until_gone(struct msc_disk *d, uint32_t ms)
{
    enum { STEP = 20 };

    for (uint32_t i = 0; i < ms && !d->msc.gone; i += STEP)
        clock_pass(&d->clock, STEP);
    return d->msc.gone;
}
