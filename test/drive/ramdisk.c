/* SPDX-License-Identifier: MIT
 *
 * The disk in memory: a mapped file without a name.
 */
#include "ramdisk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool present(const struct ramdisk *d)
{
    return !d->ejected && (d->vanish_ms == 0 || d->ms < d->vanish_ms);
}

static uint32_t count(void *ctx)
{
    return ((struct ramdisk *)ctx)->sectors;
}

static bool read_sectors(void *ctx, uint32_t lba, uint32_t n, uint8_t *to)
{
    struct ramdisk *d = ctx;

    if (!present(d) || ++d->reads == d->fail_read || lba > d->sectors ||
        n > d->sectors - lba)
        return false;
    memcpy(to, d->image + (size_t)lba * FH_SECTOR, (size_t)n * FH_SECTOR);
    if (d->zero_from && lba >= d->zero_from)
        memset(to, 0, (size_t)n * FH_SECTOR);
    return true;
}

static bool write_sectors(void *ctx, uint32_t lba, uint32_t n,
                          const uint8_t *from)
{
    struct ramdisk *d = ctx;

    if (d->writes < sizeof d->log / sizeof d->log[0])
        d->log[d->writes] = (struct ramdisk_write){lba, n, d->ms};
    if (!present(d) || ++d->writes == d->fail_write || lba > d->sectors ||
        n > d->sectors - lba)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (d->touched[lba + i])
            continue;
        if (d->olds == d->room) {
            d->room = d->room ? 2 * d->room : 256;
            d->old = realloc(d->old, d->room * sizeof *d->old);
            if (!d->old)
                abort();
        }
        d->touched[lba + i] = 1;
        d->old[d->olds].lba = lba + i;
        memcpy(d->old[d->olds++].data, d->image + (size_t)(lba + i) * FH_SECTOR,
               FH_SECTOR);
    }
    memcpy(d->image + (size_t)lba * FH_SECTOR, from, (size_t)n * FH_SECTOR);
    d->hash =
        (d->hash ^ lba ^ (uint64_t)n << 32 ^ d->ms << 40) * 0x9E3779B97F4A7C15u;
    return true;
}

static bool sync_cache(void *ctx)
{
    struct ramdisk *d = ctx;

    d->syncs++;
    return present(d);
}

static bool eject(void *ctx)
{
    ((struct ramdisk *)ctx)->ejected = true;
    return true;
}

static bool ready(void *ctx)
{
    return present(ctx);
}

static void wait_ms(void *ctx, uint32_t ms)
{
    ((struct ramdisk *)ctx)->ms += ms;
}

struct ramdisk *ramdisk_new(uint32_t sectors)
{
    struct ramdisk *d = calloc(1, sizeof *d);

    if (!d)
        abort();
    d->dev = (struct blockdev){d,          count, read_sectors, write_sectors,
                               sync_cache, eject, ready,        wait_ms};
    d->sectors = sectors;
    d->fd = memfd_create("disk", 0);
    if (d->fd < 0 || ftruncate(d->fd, (off_t)sectors * FH_SECTOR) != 0)
        abort();
    d->image = mmap(NULL, (size_t)sectors * FH_SECTOR, PROT_READ | PROT_WRITE,
                    MAP_SHARED, d->fd, 0);
    d->touched = calloc(1, sectors);
    if (d->image == MAP_FAILED || !d->touched)
        abort();
    snprintf(d->path, sizeof d->path, "/proc/%d/fd/%d", (int)getpid(), d->fd);
    return d;
}

void ramdisk_free(struct ramdisk *d)
{
    munmap(d->image, (size_t)d->sectors * FH_SECTOR);
    close(d->fd);
    free(d->touched);
    free(d->old);
    free(d);
}

void ramdisk_keep(struct ramdisk *d)
{
    for (uint32_t i = 0; i < d->olds; i++)
        d->touched[d->old[i].lba] = 0;
    d->olds = 0;
}

void ramdisk_reset(struct ramdisk *d)
{
    for (uint32_t i = 0; i < d->olds; i++)
        memcpy(d->image + (size_t)d->old[i].lba * FH_SECTOR, d->old[i].data,
               FH_SECTOR);
    ramdisk_keep(d);
    d->fail_write = d->fail_read = d->vanish_ms = d->zero_from = 0;
    d->writes = d->reads = d->syncs = 0;
    d->ms = d->hash = 0;
    d->ejected = false;
}
