/* SPDX-License-Identifier: MIT */
/* drive.c - see drive.h. */
#include "drive.h"

#include "boot.h"

#include <stddef.h>
#include <string.h>

#define CLUSTER_SECTORS (FAT_CLUSTER / FAT_SECTOR)
#define WINDOW          FAT_FREE_CLUSTERS

/* Number of a cluster in the window, from 1; 0 where it is not in it. */
static uint32_t in_window(uint32_t cluster)
{
    return cluster - FAT_FREE < WINDOW ? cluster - FAT_FREE + 1 : 0;
}

/* The same of a sector, and which of the cluster it is. */
static uint32_t window_of(uint32_t lba)
{
    if (lba < FAT_LBA(FAT_FREE))
        return 0;
    return in_window(FAT_FREE + (lba - FAT_LBA(FAT_FREE)) / CLUSTER_SECTORS);
}

static uint32_t sector_of(uint32_t lba)
{
    return (lba - FAT_LBA(FAT_FREE)) % CLUSTER_SECTORS;
}

static uint32_t word_at(const uint8_t *p)
{
    return *(const uint32_t *)p; /* aligned */
}

static void fail(struct drive *d, enum err err, uint32_t offset)
{
    if (d->fat.state == FAT_ERROR)
        return; /* the first reason counts */
    d->fat.state = FAT_ERROR;
    d->fat.err = (uint16_t)err;
    d->fat.offset = offset;
}

/* ---- the window of sectors ---- */

static struct drive_sector *find(struct drive *d, uint32_t lba)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++)
        if (d->sector[i].lba == lba)
            return &d->sector[i];
    return NULL;
}

static void keep(struct drive *d, uint32_t lba, const uint8_t *data)
{
    struct drive_sector *s = find(d, lba);

    if (!s) {
        s = &d->sector[d->oldest];
        d->oldest = (uint8_t)((d->oldest + 1) % CONFIG_DRIVE_SECTORS);
    }
    s->lba = lba;
    memcpy(s->data, data, FAT_SECTOR);
}

/* ---- chains ---- */

/* What a cluster is followed by: as the FAT has it, else the next one that is
 * free as far as is known.  0: nothing. */
static uint32_t next_of(const struct drive *d, uint32_t cluster)
{
    uint32_t next = d->window[cluster - 1].next;

    if (next)
        return next <= WINDOW ? next : 0;
    while (++cluster <= WINDOW)
        if (!d->window[cluster - 1].next)
            return cluster;
    return 0;
}

/* The place of a cluster in the file, from 1; 0: it is not in it. */
static uint32_t place_of(const struct drive *d, uint32_t cluster)
{
    uint32_t at = d->head, place = 1;

    if (cluster == d->cluster)
        return d->place;
    if (d->cluster && next_of(d, d->cluster) == cluster)
        return d->place + 1u;
    for (; at && at != cluster && place <= WINDOW; place++)
        at = next_of(d, at);
    return at == cluster ? place : 0;
}

/* ---- into the slot ---- */

static void to_flash(struct drive *d, uint32_t addr, const uint8_t *data,
                     uint32_t n)
{
    if (!d->opened)
        upd_lost(d->upd); /* whatever another door left */
    d->opened = true;
    /* Large units are erased by command, at the first write to each. */
    if (PART_BIG_UNITS && !(d->units >> part_unit(addr) & 1)) {
        upd_erase(d->upd, addr);
        d->units |= (uint16_t)(1u << part_unit(addr));
    }
    upd_begin(d->upd, addr, n);
    upd_feed(d->upd, data, n);
    if (d->upd->err)
        fail(d, (enum err)d->upd->err, addr - PART_APP_START);
}

/* A sector of the image's file, if its cluster is known to be in it. */
static bool put(struct drive *d, uint32_t lba, const uint8_t *data)
{
    uint32_t cluster = window_of(lba), sector = sector_of(lba);
    struct drive_cluster *w = &d->window[cluster - 1];
    uint32_t place, offset;

    if (!cluster || !d->head || !(place = place_of(d, cluster)))
        return false;
    if (w->place != place)
        w->sectors = 0;
    w->place = (uint16_t)place;
    w->sectors |= (uint8_t)(1u << sector);
    d->cluster = (uint16_t)cluster;
    d->place = (uint16_t)place;
    offset = (place - 1) * FAT_CLUSTER + sector * FAT_SECTOR;
    /* What lies behind the slot is refused in the end, by the file's size. */
    if (offset < PART_APP_SIZE)
        to_flash(d, PART_APP_START + offset, data, FAT_SECTOR);
    return true;
}

/* Sectors that waited for what has become known. */
static void put_waiting(struct drive *d)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++)
        if (put(d, d->sector[i].lba, d->sector[i].data))
            d->sector[i].lba = 0;
}

/* ---- UF2: one block a sector (github.com/microsoft/uf2) ---- */

#define UF2_MAGIC0     0x0A324655u
#define UF2_MAGIC1     0x9E5D5157u
#define UF2_MAGIC_END  0x0AB16F30u
#define UF2_NOT_FLASH  0x00000001u
#define UF2_HAS_FAMILY 0x00002000u

static bool is_uf2(const uint8_t *b)
{
    return word_at(b) == UF2_MAGIC0 && word_at(b + 4) == UF2_MAGIC1 &&
           word_at(b + 508) == UF2_MAGIC_END;
}

static void uf2(struct drive *d, const uint8_t *b)
{
    uint32_t flags = word_at(b + 8), addr = word_at(b + 12);
    uint32_t number = word_at(b + 20), blocks = word_at(b + 24);
    uint8_t bit = (uint8_t)(1u << number % 8);

    if (flags & UF2_NOT_FLASH)
        return;
    if ((flags & UF2_HAS_FAMILY && word_at(b + 28) != BOARD_UF2_FAMILY) ||
        word_at(b + 16) != DRIVE_UF2_PAYLOAD || blocks > DRIVE_UF2_BLOCKS ||
        number >= blocks) {
        fail(d, ERR_PRODUCT, number * FAT_SECTOR);
        return;
    }
    if (blocks != d->blocks) { /* another file supersedes it */
        memset(d->received, 0, sizeof(d->received));
        d->blocks = blocks;
        d->have = 0;
    }
    to_flash(d, addr, b + 32, DRIVE_UF2_PAYLOAD);
    d->have += !(d->received[number / 8] & bit);
    d->received[number / 8] |= bit;
}

/* ---- what the host writes ---- */

static void fat_sector(struct drive *d, uint32_t first, const uint8_t *data)
{
    for (uint32_t i = 0; i < FAT_SECTOR / 4; i++) {
        uint32_t cluster = in_window(first + i);
        uint32_t next = word_at(data + 4 * i) & 0x0FFFFFFF;
        uint32_t to = in_window(next);

        if (!cluster)
            continue;
        if (next && !to)
            to = next >= 0x0FFFFFF8 ? DRIVE_LAST : DRIVE_ELSEWHERE;
        d->window[cluster - 1].next = (uint16_t)to;
    }
    d->cluster = 0; /* what was known of the chain may be wrong now */
    put_waiting(d);
}

/* FAT specification 1.03, "Directory Structure" */
struct FAT_OVERLAY entry {
    uint8_t name[11], attributes, case_bits, tenths;
    uint16_t created[2], accessed, cluster_high, written[2], cluster_low;
    uint32_t size;
};
#define DELETED       0xE5u
#define NOT_OF_A_USER (0x10u | 0x08u | 0x02u) /* directory, label, hidden */

static void root_sector(struct drive *d, const uint8_t *data)
{
    const struct entry *e = (const struct entry *)data;

    for (uint32_t i = 0; i < FAT_SECTOR / sizeof(*e); i++, e++) {
        uint32_t first = (uint32_t)e->cluster_high << 16 | e->cluster_low;

        if (e->name[0] && e->name[0] != DELETED &&
            !(e->attributes & NOT_OF_A_USER) && in_window(first) &&
            in_window(first) == d->head)
            d->size = e->size;
    }
}

/* ---- block.h ---- */

uint32_t block_count(void)
{
    return FAT_VOLUME;
}

bool block_present(const struct drive *d)
{
    return !d->absent;
}

void block_write(struct drive *d, uint32_t lba, const uint8_t *data)
{
    if (lba - FAT_RESERVED < 2 * FAT_SIZE) {
        fat_sector(d, (lba - FAT_RESERVED) % FAT_SIZE * (FAT_SECTOR / 4), data);
        return;
    }
    if (lba - FAT_LBA(FAT_ROOT) < CLUSTER_SECTORS)
        root_sector(d, data);
    if (window_of(lba) && is_uf2(data)) {
        uf2(d, data);
        return;
    }
    if (window_of(lba) && !sector_of(lba) &&
        boot_vectors_ok((const uint32_t *)data)) {
        d->head = (uint16_t)window_of(lba);
        d->cluster = 0;
    }
    if (put(d, lba, data))
        put_waiting(d);
    else
        keep(d, lba, data);
}

void block_read(struct drive *d, uint32_t lba, uint8_t *to)
{
    const struct drive_sector *s = find(d, lba);

    fat_read(&d->fat, lba, to);
    if (lba && s)
        memcpy(to, s->data, FAT_SECTOR);
}

void drive_mount(struct drive *d)
{
    struct upd *upd = d->upd;
    struct fat fat = d->fat;

    memset(d, 0, sizeof(*d));
    d->upd = upd;
    d->fat = fat;
}
