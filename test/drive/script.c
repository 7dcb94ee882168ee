/* SPDX-License-Identifier: MIT
 *
 * A host by hand, for the drive's own geometry (core/fat.h).
 */
#include "script.h"

#include "fat.h"

#include <string.h>

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static void write(struct script *s, uint32_t lba, uint32_t n,
                  const uint8_t *data)
{
    fh_require(s->rig->dev.write(s->rig->dev.ctx, lba, n, data));
}

static void read(struct script *s, uint32_t lba, uint32_t n, uint8_t *data)
{
    fh_require(s->rig->dev.read(s->rig->dev.ctx, lba, n, data));
}

void script_begin(struct script *s, const struct trial_rig *rig,
                  const uint8_t *slot)
{
    _Static_assert(SCRIPT_FREE == FAT_FREE, "first free cluster");
    s->rig = rig;
    rig->start(rig->dev.ctx, slot);
    s->mounts = rig->mounts(rig->dev.ctx);
    read(s, FAT_RESERVED, 16, s->fat);
    read(s, FAT_LBA(FAT_ROOT), 1, s->root);
}

void script_data(struct script *s, uint32_t cluster, uint32_t sector,
                 uint32_t n, const uint8_t *data)
{
    write(s, FAT_LBA(cluster) + sector, n, data);
}

void script_chain(struct script *s, const uint32_t *clusters, uint32_t n,
                  bool free)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = i + 1 < n ? clusters[i + 1] : 0x0FFFFFFF;

        fh_require(4 * clusters[i] < sizeof s->fat);
        put32(s->fat + 4 * clusters[i], free ? 0 : next);
    }
    write(s, FAT_RESERVED, 16, s->fat);
    write(s, FAT_RESERVED + FAT_SIZE, 16, s->fat);
}

void script_entry(struct script *s, uint32_t first, uint32_t size)
{
    uint8_t *e = s->root + 64;

    memset(e, 0, 32);
    memcpy(e, "FIRMWAREBIN\x20", 12);
    e[26] = (uint8_t)first;
    e[27] = (uint8_t)(first >> 8);
    put32(e + 28, size);
    write(s, FAT_LBA(FAT_ROOT), 1, s->root);
}

void script_info(struct script *s)
{
    uint8_t sector[FH_SECTOR];

    read(s, 1, 1, sector);
    write(s, 1, 1, sector);
}

void script_mark(struct script *s, bool dirty)
{
    uint8_t sector[FH_SECTOR];

    read(s, 0, 1, sector);
    sector[FAT_DIRTY] = dirty;
    write(s, 0, 1, sector);
}

void script_sync(struct script *s)
{
    fh_require(s->rig->dev.sync(s->rig->dev.ctx));
}

void script_eject(struct script *s)
{
    fh_require(s->rig->dev.eject(s->rig->dev.ctx));
}

void script_wait(struct script *s, uint32_t ms)
{
    s->rig->dev.wait(s->rig->dev.ctx, ms);
}

char script_result(struct script *s, uint32_t ms)
{
    uint8_t root[FH_SECTOR];

    for (; s->rig->mounts(s->rig->dev.ctx) == s->mounts; ms -= 100) {
        if (ms < 100)
            return 0;
        script_wait(s, 100);
    }
    read(s, FAT_LBA(FAT_ROOT), 1, root);
    return (char)root[32];
}
