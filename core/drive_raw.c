/* SPDX-License-Identifier: MIT */
/* drive_raw.c - see drive_inside.h.  What leaves the window goes to pages of
 * download in the order in which it comes, whatever it is, and reads back from
 * there: nothing has to be known of the order of a file before all of it is
 * there.  Blocks of UF2 are placed by their address, as everywhere. */
#include "boot.h"
#include "drive_inside.h"

#include <string.h>

#define PAGE_SECTORS (BOARD_FLASH_PAGE / FAT_SECTOR)
#define SECTOR(i)    (1u << (i))        /* came */
#define STORED(i)    (1u << ((i) + 8u)) /* lies in download */
_Static_assert(CLUSTER_SECTORS == 8, "bits of a cluster");

bool is_uf2(const uint8_t *data)
{
    const struct uf2 *uf2 = (const void *)data;

    return UF2_MAGICS(uf2);
}

static uint8_t *place_of(struct drive *d, uint32_t number)
{
    return &d->cluster[number / CLUSTER_SECTORS]
                .page[number % CLUSTER_SECTORS / PAGE_SECTORS];
}

/* Where a sector lies in download, or NULL. */
static const uint8_t *stored(const struct drive *d, uint32_t number)
{
    uint32_t i = number % CLUSTER_SECTORS;
    const struct fat_cluster *c;

    if (!IN_WINDOW(number / CLUSTER_SECTORS))
        return NULL;
    c = &d->cluster[number / CLUSTER_SECTORS];
    if (!(c->came & STORED(i)))
        return NULL;
    return stage_file_page(c->page[i / PAGE_SECTORS]) +
           i % PAGE_SECTORS * FAT_SECTOR;
}

bool raw_read(const struct drive *d, uint32_t number, uint8_t *to)
{
    const uint8_t *from = stored(d, number);

    if (from)
        memcpy(to, from, FAT_SECTOR);
    return from;
}

const uint8_t *raw_bytes(struct drive *d, uint32_t number)
{
    const struct drive_sector *s = drive_find(d, number);

    return s && IN_WINDOW(number / CLUSTER_SECTORS) ? s->data
                                                    : stored(d, number);
}

/* The first sector of a file; or NULL, as there is none. */
static bool is_firmware(struct drive *d, uint32_t cluster, const void *v)
{
    return (v && boot_vectors_ok(v)) ||
           (CONFIG_FORMATS && convert_kind(d, cluster, v));
}

void raw_came(struct drive *d, uint32_t number, const uint8_t *data)
{
    const struct uf2 *uf2 = (const void *)data;
    uint32_t cluster = number / CLUSTER_SECTORS, blocks = 0;

    d->cluster[cluster].came &= (uint16_t)~STORED(number % CLUSTER_SECTORS);
    /* The latest file that looks like firmware. */
    if (is_uf2(data) && uf2->family == BOARD_UF2_FAMILY)
        blocks = uf2->blocks;
    else if (number % CLUSTER_SECTORS || !is_firmware(d, cluster, data))
        return;
    if (d->blocks != blocks && d->opened)
        drive_open(d); /* blocks of another one are void */
    d->blocks = blocks;
    d->head = (uint16_t)cluster;
#if CONFIG_FORMATS
    d->upd->stage.spare = 0;
    if (!blocks && format_of(data)) {
        d->upd->stage.spare = CONVERT_SPARE;
        /* The address of a .hex comes first. */
        if (!d->start || data[FORMAT_HEX_TYPE] != '0')
            d->start = (uint16_t)cluster;
    }
#endif
}

void raw_forget(struct drive *d, uint32_t cluster)
{
    struct fat_cluster *c = &d->cluster[cluster];

    c->came &= 0xFF;
    for (uint32_t i = 0; i < sizeof(c->page); i++)
        stage_file_release(&d->upd->stage, &c->page[i]);
}

/* The update session had no room, and gave up all pages of files. */
static void notice(struct drive *d)
{
    if (!d->upd->stage.released)
        return;
    d->upd->stage.released = false;
    for (uint32_t i = 0; i < FAT_FREE_END; i++) {
        d->cluster[i].came &= 0xFF;
        for (uint32_t k = 0; k < sizeof(d->cluster[i].page); k++)
            d->cluster[i].page[k] = 0;
    }
}

/* ---- out of the window ---- */

void raw_leave(struct drive *d, struct drive_sector *s)
{
    s->number = 0;
    d->used--;
}

/* The page with this sector goes to download, with all that the window has of
 * it; blocks of UF2 left before. */
static enum err store(struct drive *d, uint32_t number)
{
    uint8_t *place = place_of(d, number), *buf;
    struct drive_sector *s;
    enum err err;

    if (!d->opened)
        drive_open(d);
    number -= number % PAGE_SECTORS;
    buf = upd_file_page(d->upd, *place);
    for (uint32_t i = 0; i < PAGE_SECTORS; i++) {
        s = drive_find(d, number + i);
        if (s)
            memcpy(buf + i * FAT_SECTOR, s->data, FAT_SECTOR);
    }
    err = upd_file_write(d->upd, place);
    for (uint32_t i = 0; !err && i < PAGE_SECTORS; i++) {
        s = drive_find(d, number + i);
        if (!s)
            continue;
        raw_leave(d, s);
        d->cluster[number / CLUSTER_SECTORS].came |=
            (uint16_t)STORED((number + i) % CLUSTER_SECTORS);
    }
    return err;
}

static enum turn turn_of(const struct drive *d, const struct drive_sector *s)
{
    uint32_t cluster = s->number / CLUSTER_SECTORS;
    uint32_t i = s->number % CLUSTER_SECTORS;
    uint32_t page = ((1u << PAGE_SECTORS) - 1) << (i - i % PAGE_SECTORS);
    const struct fat_cluster *c;

    if (!IN_WINDOW(cluster))
        return NEVER;
    c = &d->cluster[cluster];
    if (is_uf2(s->data) || !(c->came & SECTOR(i)))
        return NOW;
    if (~c->came & page || c->link >= FAT_LAST)
        return ANY;
    return WHOLE;
}

/* The oldest one that has its turn before `end`. */
static struct drive_sector *oldest(struct drive *d, enum turn end)
{
    struct drive_sector *s = d->sector, *found = NULL;

    for (; s < d->sector + CONFIG_DRIVE_SECTORS; s++) {
        enum turn turn = turn_of(d, s);

        if (s->number / CLUSTER_SECTORS <= FAT_ROOT || turn > end ||
            (turn == end && found && d->age - s->age < d->age - found->age))
            continue;
        end = turn;
        found = s;
    }
    return found;
}

bool raw_put_one(struct drive *d, enum turn last)
{
    struct drive_sector *s = oldest(d, last);

    notice(d);
    if (!s)
        return false;
    if (!drive_put(d, s->number, s->data)) {
        raw_leave(d, s);
        return true;
    }
#if CONFIG_FORMATS
    if (d->fed_last && last > NOW) {
        if (convert_early(d, true))
            return true;
        if (PART_BIG_UNITS && last < ANY)
            return false; /* a page would be lost to the image */
    }
#endif
    return !store(d, s->number) ||
           (CONFIG_FORMATS && last == ANY && convert_early(d, false));
}

void raw_lose_one(struct drive *d)
{
    raw_leave(d, oldest(d, NEVER));
}

/* ---- the end ---- */

/* Pieces of the image that the chain's sectors wrote: UF2.  More than there can
 * be where others wrote some, too. */
static uint32_t pieces(const struct drive *d)
{
    uint32_t n = 0, others = 0;

    for (uint32_t i = 0; i < DRIVE_PIECES; i++) {
        if (!d->owner[i])
            continue;
        if (d->cluster[d->owner[i] / CLUSTER_SECTORS].place)
            n++;
        else
            others = DRIVE_PIECES;
    }
    return n ? n + others : 0;
}

/* Room for a file: all that is not of the chain goes, once. */
static void only(struct drive *d)
{
    d->head = 0;
    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        if (!d->cluster[i].place)
            raw_forget(d, i);
    drive_open(d);
}

uint32_t raw_missing(struct drive *d, uint32_t size, enum raw_look look)
{
    uint32_t end = (size + FAT_SECTOR - 1) / FAT_SECTOR, missing = end;

    d->waiting = 0;
    for (uint32_t number = FAT_STATUS * CLUSTER_SECTORS;
         number < FAT_FREE_END * CLUSTER_SECTORS; number++) {
        uint32_t cluster = number / CLUSTER_SECTORS;
        uint32_t at = d->cluster[cluster].place - CLUSTER_SECTORS +
                      number % CLUSTER_SECTORS;

        if (at >= end) /* or not of the file */
            continue;
        if (look == LOOK_TAKE) {
            if (at % PAGE_SECTORS == 0)
                stage_file_take(&d->upd->stage, at / PAGE_SECTORS,
                                *place_of(d, number));
        } else if (raw_bytes(d, number)) {
            missing--;
            if (drive_find(d, number))
                d->waiting = (uint16_t)number;
        }
#if CONFIG_FORMATS
        else if (look == LOOK_FED && d->fed[cluster])
            missing--;
#endif
    }
    return missing;
}

/* The chain that was walked is a file of so many bytes: all of it is here, goes
 * to download, and is taken. */
static enum raw_state take(struct drive *d, uint32_t need)
{
    enum err err;

    if (raw_missing(d, need, LOOK))
        return RAW_WAITS;
    if (d->waiting) {
        err = store(d, d->waiting);
        if (!err)
            return RAW_BUSY;
        if (err == ERR_NOT_ERASED && d->head) {
            only(d);
            return RAW_BUSY;
        }
        drive_fail(d, err, 0);
        return RAW_FAILED;
    }
    drive_open(d); /* nothing but this */
    raw_missing(d, need, LOOK_TAKE);
    d->end = (need + FAT_SECTOR - 1) / FAT_SECTOR * FAT_SECTOR;
    return RAW_TAKEN;
}

/* v: its first bytes. */
static enum raw_state whole(struct drive *d, const struct fat_dir *e,
                            const void *v, bool last)
{
    uint32_t need = e->DIR_FileSize, size = d->blocks * FAT_SECTOR;

    drive_walk(d, e->DIR_FstClusLO);
    if (CONFIG_FORMATS && !d->blocks) {
        enum format_kind kind = convert_kind(d, e->DIR_FstClusLO, v);
        enum raw_state state = convert_file(d, kind ? kind : FORMAT_DFU, need);

        if (kind || state != RAW_WAITS)
            return state == RAW_TAKEN && !kind ? take(d, need - FORMAT_SUFFIX)
                                               : state;
    }
    if (!d->blocks) {
        size = boot_image_size(v);
        if (need > size) {
            if (size == PART_APP_SIZE) {
                drive_fail(d, ERR_ADDRESS, size);
                return RAW_WAITS;
            }
            need = size; /* behind the stamped length are data */
        }
    }
    /* What a host has not told in full it may still write.  A plain image may
     * be of any size, so nobody knows before the end. */
    if (!last && e->DIR_FileSize < size)
        return RAW_WAITS;
    if (d->blocks)
        return pieces(d) == d->blocks ? RAW_TAKEN : RAW_WAITS;
    return take(d, need);
}

enum raw_state raw_conclude(struct drive *d, bool last)
{
    const struct fat_dir *found = NULL;
    const void *found_v = NULL;
    enum raw_state state = RAW_NONE;

    if (raw_put_one(d, NOW))
        return RAW_BUSY;
    for (uint32_t i = ROOT; i < ROOT_END; i++) {
        const struct fat_dir *e = drive_file(d, i);
        const void *v;

        if (!e)
            continue;
        v = raw_bytes(d, e->DIR_FstClusLO * CLUSTER_SECTORS);
        /* Its first sector came, and was no image's. */
        if (last || v)
            state = RAW_OTHER;
        drive_walk(d, e->DIR_FstClusLO);
        if (!(d->blocks ? pieces(d) : is_firmware(d, e->DIR_FstClusLO, v)))
            continue;
        /* Of several, the latest. */
        if (!found || d->cluster[d->head].place) {
            found = e;
            found_v = v;
        }
    }
#if CONFIG_FORMATS
    if (d->upd->stage.spare && state == RAW_OTHER)
        state = RAW_WAITS; /* for what is lost of that file */
#endif
    if (found) {
        state = whole(d, found, found_v, last);
        if (CONFIG_FORMATS && state == RAW_TAKEN)
            memcpy(d->upd->stage.source.name, found->DIR_Name,
                   sizeof(found->DIR_Name));
    }
    return state;
}
