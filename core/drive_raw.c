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
#if CONFIG_FORMATS
    if (d->fed[cluster])
        d->fed[cluster] = FED_BROKEN;
#endif
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
    d->upd->stage.spare = !blocks && format_of(data) ? CONVERT_SPARE : 0;
#endif
}

void raw_forget(struct drive *d, uint32_t cluster)
{
    struct fat_cluster *c = &d->cluster[cluster];

    c->came &= 0xFF;
#if CONFIG_FORMATS
    if (d->fed[cluster])
        d->fed[cluster] = FED_BROKEN;
#endif
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
        memset(d->cluster[i].page, 0, sizeof(d->cluster[i].page));
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
    if (drive_put(d, s->number, s->data))
        return !store(d, s->number);
    raw_leave(d, s);
    return true;
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

/* The chain that was walked is a file of so many bytes: all of it is here, goes
 * to download, and is taken in the second round. */
static enum raw_state take(struct drive *d, uint32_t need)
{
    uint32_t end = (need + FAT_SECTOR - 1) / FAT_SECTOR;
    uint32_t missing = end, waiting = 0;
    enum err err;

    for (uint32_t round = 0;; round++) {
        for (uint32_t number = FAT_STATUS * CLUSTER_SECTORS;
             number < FAT_FREE_END * CLUSTER_SECTORS; number++) {
            uint32_t at = d->cluster[number / CLUSTER_SECTORS].place -
                          CLUSTER_SECTORS + number % CLUSTER_SECTORS;

            if (at >= end) /* or not of the file */
                continue;
            if (round) {
                if (at % PAGE_SECTORS == 0)
                    stage_file_take(&d->upd->stage, at / PAGE_SECTORS,
                                    *place_of(d, number));
            } else if (raw_bytes(d, number)) {
                missing--;
                if (drive_find(d, number))
                    waiting = number;
            }
        }
        if (round) {
            d->end = end * FAT_SECTOR;
            return RAW_TAKEN;
        }
        if (missing)
            return RAW_WAITS;
        if (waiting) {
            err = store(d, waiting);
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
    }
}

/* v: its first bytes. */
static enum raw_state whole(struct drive *d, const struct fat_dir *e,
                            const void *v, bool last)
{
    uint32_t need = e->DIR_FileSize, size = d->blocks * FAT_SECTOR;

    drive_walk(d, e->DIR_FstClusLO);
    if (CONFIG_FORMATS && !d->blocks) {
        enum format_kind kind = convert_kind(d, e->DIR_FstClusLO, v);
        enum raw_state state;

        if (!kind && convert_has_suffix(d, need))
            kind = FORMAT_DFU;
        if (kind) {
            state = convert_file(d, kind, need);
            if (kind == FORMAT_DFU && state == RAW_TAKEN)
                state = take(d, need - FORMAT_SUFFIX);
            return state;
        }
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
    if (found) {
        state = whole(d, found, found_v, last);
        if (CONFIG_FORMATS && state == RAW_TAKEN)
            memcpy(d->upd->stage.source.name, found->DIR_Name,
                   sizeof(found->DIR_Name));
    }
    return state;
}
