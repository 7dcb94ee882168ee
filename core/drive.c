/* SPDX-License-Identifier: MIT */
/* drive.c - see drive.h. */
#include "drive.h"

#include "boot.h"
#include "img.h"

#include <stddef.h>
#include <string.h>

#define CLUSTER_SECTORS (FAT_CLUSTER / FAT_SECTOR)
#define WINDOW          FAT_FREE_CLUSTERS

_Static_assert(WINDOW < DRIVE_ELSEWHERE, "numbers of clusters");

/* Number of a cluster in the window, from 1; 0 where it is not in it. */
static uint32_t in_window(uint32_t cluster)
{
    return cluster - FAT_FREE < WINDOW ? cluster - FAT_FREE + 1 : 0;
}

/* Number of a sector among those of the window, from 0. */
static uint32_t number_of(uint32_t lba)
{
    return lba - FAT_LBA(FAT_FREE);
}

static struct drive_cluster *cluster_of(struct drive *d, uint32_t number)
{
    return number < WINDOW * CLUSTER_SECTORS
               ? &d->window[number / CLUSTER_SECTORS]
               : NULL;
}

static uint8_t bit_of(uint32_t number)
{
    return (uint8_t)(1u << number % CLUSTER_SECTORS);
}

static bool in_root(uint32_t lba)
{
    return lba - FAT_LBA(FAT_ROOT) < CLUSTER_SECTORS;
}

static uint32_t word_at(const uint8_t *p)
{
    return *(const uint32_t *)p; /* aligned */
}

static void fail(struct drive *d, enum err err, uint32_t offset)
{
    if (d->err)
        return;
    d->err = (uint16_t)err;
    d->offset = offset;
}

/* ---- chains ---- */

/* Follows a chain and gives its clusters their places. */
static void walk(struct drive *d, uint32_t at)
{
    uint16_t place = 0;

    for (uint32_t i = 0; i < WINDOW; i++)
        d->window[i].place = 0;
    while (at - 1 < WINDOW && !d->window[at - 1].place) {
        d->window[at - 1].place = ++place;
        d->tail = (uint16_t)at;
        at = d->window[at - 1].next & (uint16_t)~DRIVE_GUESS;
    }
}

/* Guesses how the chain of the .bin goes on. */
static bool guess(struct drive *d)
{
    struct drive_cluster *tail = &d->window[d->tail - 1];

    if (!d->head || tail->next)
        return false;
    for (uint32_t i = d->tail; i < WINDOW; i++) {
        struct drive_cluster *w = &d->window[i];

        if (w->came != 0xFF || w->next || w->place)
            continue;
        tail->next = (uint16_t)(DRIVE_GUESS | (i + 1));
        w->place = (uint16_t)(tail->place + 1);
        d->tail = (uint16_t)(i + 1);
        return true;
    }
    return false;
}

/* ---- into the slot ---- */

/* A sector of the volume takes a piece of the slot. */
static void own(struct drive *d, uint32_t piece, uint32_t number)
{
    uint32_t before = d->owner[piece];

    if (before == number + 1)
        return;
    if (before) {
        cluster_of(d, before - 1)->done &= (uint8_t)~bit_of(before - 1);
#if PART_BIG_UNITS
        /* It is to be erased, and others go with it. */
        uint32_t unit = part_unit(PART_APP_START + piece * DRIVE_PIECE);

        upd_renew(d->upd, unit);
        for (uint32_t i = 0; i < DRIVE_PIECES; i++)
            if (d->owner[i] &&
                part_unit(PART_APP_START + i * DRIVE_PIECE) == unit) {
                before = d->owner[i] - 1u;
                cluster_of(d, before)->done &= (uint8_t)~bit_of(before);
                d->owner[i] = 0;
            }
#endif
    }
    d->owner[piece] = (uint16_t)(number + 1);
}

/* Writes a sector, or the part of it that is the image's. */
static void put(struct drive *d, uint32_t number, uint32_t offset,
                const uint8_t *data, uint32_t n)
{
    if (offset % DRIVE_PIECE || offset >= PART_APP_SIZE) {
        fail(d, ERR_ADDRESS, offset);
        return;
    }
    if (d->shut) {
        fail(d, ERR_BUSY, offset);
        return;
    }
    if (!d->opened)
        upd_open(d->upd);
    d->opened = true;
    for (uint32_t i = 0; i < n; i += DRIVE_PIECE)
        own(d, (offset + i) / DRIVE_PIECE, number);
    upd_put(d->upd, PART_APP_START + offset, data, n);
    if (d->end < PART_APP_START + offset + n)
        d->end = PART_APP_START + offset + n;
    if (d->upd->err)
        fail(d, (enum err)d->upd->err, offset);
    else
        cluster_of(d, number)->done |= bit_of(number);
}

/* UF2, one block a sector: github.com/microsoft/uf2 */
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

static void put_uf2(struct drive *d, uint32_t number, const uint8_t *b)
{
    uint32_t flags = word_at(b + 8);

    /* What is for others need not be in the slot. */
    if ((flags & (UF2_NOT_FLASH | UF2_HAS_FAMILY)) != UF2_HAS_FAMILY ||
        word_at(b + 28) != BOARD_UF2_FAMILY) {
        fail(d, ERR_PRODUCT, word_at(b + 20) * FAT_SECTOR);
        cluster_of(d, number)->done |= bit_of(number);
        return;
    }
    if (word_at(b + 16) != DRIVE_PIECE) {
        fail(d, ERR_FILE, word_at(b + 20) * FAT_SECTOR);
        return;
    }
    d->blocks = word_at(b + 24);
    put(d, number, word_at(b + 12) - PART_APP_START, b + 32, DRIVE_PIECE);
}

/* ---- the window ---- */

static struct drive_sector *find(struct drive *d, uint32_t lba)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++)
        if (d->sector[i].lba == lba)
            return &d->sector[i];
    return NULL;
}

/* It is known where it belongs. */
static bool can_be_put(struct drive *d, const struct drive_sector *s)
{
    const struct drive_cluster *w = cluster_of(d, number_of(s->lba));

    return w && (w->place || is_uf2(s->data));
}

/* The oldest of those that can be put, or of those that cannot; root
 * directory and free ones are neither. */
static struct drive_sector *oldest(struct drive *d, bool put)
{
    struct drive_sector *found = NULL, *s = d->sector;

    for (; s < d->sector + CONFIG_DRIVE_SECTORS; s++)
        if (s->lba && !in_root(s->lba) && can_be_put(d, s) == put &&
            (!found || s->age < found->age))
            found = s;
    return found;
}

/* The oldest sector that can be goes to the slot. */
static struct drive_sector *put_one(struct drive *d)
{
    struct drive_sector *s = oldest(d, true);
    uint32_t number;
    struct drive_cluster *w;
    uint16_t place = DRIVE_UF2;

    if (!s)
        return NULL;
    number = number_of(s->lba);
    w = cluster_of(d, number);
    if (!is_uf2(s->data))
        place = w->place;
    if (w->put != place)
        w->done = 0;
    w->put = place;
    if (place == DRIVE_UF2)
        put_uf2(d, number, s->data);
    else
        put(d, number,
            (place - 1u) * FAT_CLUSTER + number % CLUSTER_SECTORS * FAT_SECTOR,
            s->data, FAT_SECTOR);
    s->lba = 0;
    return s;
}

static void keep(struct drive *d, uint32_t lba, const uint8_t *data)
{
    struct drive_sector *s = find(d, lba);

    if (!s)
        s = find(d, 0);
    if (!s)
        s = put_one(d);
    if (!s && guess(d))
        s = put_one(d);
    if (!s) /* of no use, or it will be missed in the end */
        s = oldest(d, false);
    s->lba = lba;
    s->age = d->age++;
    memcpy(s->data, data, FAT_SECTOR);
}

/* ---- what the host writes ---- */

static void fat_sector(struct drive *d, uint32_t first, const uint8_t *data)
{
    for (uint32_t i = 0; i < FAT_SECTOR / 4; i++) {
        uint32_t cluster = in_window(first + i);
        uint32_t entry = word_at(data + 4 * i) & 0x0FFFFFFF;
        uint32_t next = in_window(entry);
        struct drive_cluster *w;

        if (!cluster)
            continue;
        w = &d->window[cluster - 1];
        if (entry && !next)
            next = entry >= 0x0FFFFFF8 ? DRIVE_LAST : DRIVE_ELSEWHERE;
        if (!next) {
            if (!w->next || w->next & DRIVE_GUESS)
                continue; /* not yet */
            w->came = 0;  /* a file was deleted */
            if (cluster == d->head)
                d->head = 0;
        }
        w->next = (uint16_t)next;
    }
    walk(d, d->head);
}

/* The first sector of a cluster looks like that of an image. */
static void head(struct drive *d, uint32_t number, const uint32_t *vectors)
{
    uint32_t cluster = number / CLUSTER_SECTORS + 1;
    const struct drive_cluster *w = cluster_of(d, number);
    uint32_t product = vectors[IMG_OFF_PRODUCT / 4];

    /* It may be a part of the image that is under way. */
    if (d->head && (w->place || (!w->next && cluster > d->head &&
                                 d->window[d->tail - 1].next != DRIVE_LAST)))
        return;
    if (vectors[IMG_OFF_MAGIC / 4] == IMG_MAGIC && product &&
        product != BOARD_PRODUCT) {
        fail(d, ERR_PRODUCT, IMG_OFF_PRODUCT);
        return;
    }
    d->head = (uint16_t)cluster;
    walk(d, cluster);
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
    uint32_t number = number_of(lba);
    struct drive_cluster *w = cluster_of(d, number);

    d->wrote = true;
    if (lba == 0) {
        bool dirty = data[FAT_DIRTY] & 1;

        if (d->dirty && !dirty)
            d->patience = CONFIG_DRIVE_CLEAN_MS;
        d->dirty = dirty;
        return;
    }
    if (lba >= FAT_RESERVED) {
        d->used = true;
        d->patience = CONFIG_DRIVE_QUIET_MS;
    }
    if (lba - FAT_RESERVED < 2 * FAT_SIZE) {
        fat_sector(d, (lba - FAT_RESERVED) % FAT_SIZE * (FAT_SECTOR / 4), data);
        return;
    }
    keep(d, lba, data);
    if (!w)
        return;
    w->came |= bit_of(number);
    w->done &= (uint8_t)~bit_of(number);
    if (number % CLUSTER_SECTORS == 0 &&
        boot_vectors_ok((const uint32_t *)data))
        head(d, number, (const uint32_t *)data);
}

void block_read(struct drive *d, uint32_t lba, uint8_t *to)
{
    const struct drive_sector *s = lba ? find(d, lba) : NULL;
    uint32_t number = number_of(lba);
    const struct drive_cluster *w = cluster_of(d, number);

    fat_read(&d->fat, lba, to);
    if (s)
        memcpy(to, s->data, FAT_SECTOR);
    else if (w && w->done & bit_of(number) && w->put != DRIVE_UF2)
        upd_read(d->upd,
                 PART_APP_START + (w->put - 1u) * FAT_CLUSTER +
                     number % CLUSTER_SECTORS * FAT_SECTOR,
                 to, FAT_SECTOR);
    if (lba - FAT_RESERVED >= 2 * FAT_SIZE)
        return;
    lba = (lba - FAT_RESERVED) % FAT_SIZE * (FAT_SECTOR / 4);
    for (uint32_t i = 0; i < FAT_SECTOR; i += 4) {
        uint32_t cluster = in_window(lba++);
        uint32_t next = cluster ? d->window[cluster - 1].next : 0;

        if (next - 1 < DRIVE_GUESS - 1)
            *(uint32_t *)(to + i) =
                next == DRIVE_LAST ? 0x0FFFFFFF : next + FAT_FREE - 1;
    }
}

void block_sync(struct drive *d)
{
    d->wrote = true;
    d->patience = CONFIG_DRIVE_SYNC_MS;
}

void block_eject(struct drive *d)
{
    d->ejected = true;
    d->patience = 0;
}

/* ---- the end ---- */

/* FAT specification 1.03, "Directory Structure" and "Long Names" */
struct FAT_OVERLAY entry {
    uint8_t name[11], attributes, case_bits, tenths;
    uint16_t created[2], accessed, cluster_high, written[2], cluster_low;
    uint32_t size;
};
#define DELETED        0xE5u
#define NOT_OF_A_USER  (0x10u | 0x08u | 0x02u) /* directory, label, hidden */
#define LONG_NAME      0x0Fu
#define LONG_NAME_PART 0x1Fu

/* Somebody put this file there, to be installed. */
static bool of_a_user(const struct entry *e, bool first)
{
    if (e->name[0] == 0 || e->name[0] == DELETED ||
        e->attributes & NOT_OF_A_USER ||
        (e->cluster_low == FAT_STATUS && !e->cluster_high))
        return false;
    /* Hosts hide what begins with a dot; that is in the entry before. */
    return first || e[-1].attributes != LONG_NAME ||
           (e[-1].name[0] & LONG_NAME_PART) != 1 || e[-1].name[1] != '.';
}

enum look { LOOK_OTHER, LOOK_PART, LOOK_IMAGE };

/* What a file is.  last: nothing more will come. */
static enum look look(struct drive *d, const struct entry *e, bool last)
{
    uint32_t at = in_window((uint32_t)e->cluster_high << 16 | e->cluster_low);
    uint32_t sectors = (e->size + FAT_SECTOR - 1) / FAT_SECTOR;
    uint32_t need = d->blocks;
    const struct drive_cluster *w;

    if (!at)
        return LOOK_PART;
    walk(d, at);
    w = &d->window[d->tail - 1];
    if (w->next != DRIVE_LAST ||
        w->place != (sectors + CLUSTER_SECTORS - 1) / CLUSTER_SECTORS)
        return LOOK_PART;
    w = &d->window[at - 1];
    if (!(w->done & 1))
        return LOOK_OTHER;
    if (w->put != DRIVE_UF2)
        need = boot_image_size((const uint32_t *)PART_APP_START) / FAT_SECTOR;
    /* A plain image may be shorter, but nobody can tell before the end. */
    if (sectors < need && (!last || w->put == DRIVE_UF2))
        return LOOK_PART;
    for (uint32_t i = 0; i < sectors; i++) {
        if (i && i % CLUSTER_SECTORS == 0)
            w = &d->window[w->next - 1];
        if (!(w->done & bit_of(i)) ||
            (w->put != w->place && w->put != DRIVE_UF2)) {
            fail(d, ERR_INCOMPLETE, i * FAT_SECTOR);
            return LOOK_OTHER;
        }
    }
    /* The start of the slot has to be this file's. */
    if (!d->owner[0] || !cluster_of(d, d->owner[0] - 1u)->place)
        return LOOK_OTHER;
    return LOOK_IMAGE;
}

/* Ends the session that is open. */
static void drop(struct drive *d)
{
    if (d->opened)
        upd_drop(d->upd);
    d->opened = false;
    d->closing = false;
}

static enum drive_due result(struct drive *d, enum err err)
{
    drop(d);
    d->fat.state = err ? FAT_ERROR : FAT_SUCCESS;
    d->fat.err = (uint16_t)err;
    d->fat.offset = err ? d->offset : 0;
    return !err && !CONFIG_DRIVE_START_MS ? DRIVE_START : DRIVE_REMOUNT;
}

/* Time is up: what do the files say? */
static enum drive_due conclude(struct drive *d)
{
    bool last = d->ejected || d->patience == CONFIG_DRIVE_QUIET_MS;
    enum err err = ERR_NONE;

    upd_flush(d->upd);
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++) {
        const struct entry *e = (const struct entry *)d->sector[i].data;

        if (!in_root(d->sector[i].lba))
            continue;
        for (uint32_t k = 0; k < FAT_SECTOR / sizeof(*e); k++, e++) {
            enum look is;

            if (!of_a_user(e, k == 0))
                continue;
            is = look(d, e, last);
            if (is == LOOK_IMAGE) {
                d->closing = true;
                upd_close(d->upd, d->end);
                return DRIVE_CARRY_ON;
            }
            if (is == LOOK_PART || !err)
                err = is == LOOK_PART ? ERR_INCOMPLETE : ERR_FILE;
        }
    }
    walk(d, d->head);
    d->patience = CONFIG_DRIVE_QUIET_MS;
    if (last && d->opened && !err)
        err = ERR_INCOMPLETE;
    if (err && (last || err != ERR_INCOMPLETE)) {
        fail(d, err, 0);
        return result(d, (enum err)d->err);
    }
    if (last)
        d->used = false;
    d->absent = d->absent || d->ejected;
    d->ejected = false;
    return DRIVE_CARRY_ON;
}

enum drive_due drive_poll(struct drive *d, uint32_t now_ms)
{
    if (d->wrote)
        d->since = now_ms;
    d->wrote = false;
    if (d->closing) {
        upd_poll(d->upd);
        if (upd_busy(d->upd))
            return DRIVE_CARRY_ON;
        if (d->upd->err)
            d->offset = 0;
        return result(d, (enum err)d->upd->err);
    }
    if (now_ms - d->since < d->patience)
        return DRIVE_CARRY_ON;
    if (d->used || d->ejected)
        return put_one(d) ? DRIVE_CARRY_ON : conclude(d);
    return CONFIG_DRIVE_START_MS != CONFIG_DRIVE_NEVER &&
                   d->fat.state == FAT_SUCCESS
               ? DRIVE_START
               : DRIVE_CARRY_ON;
}

void drive_lost(struct drive *d)
{
    if (d->opened)
        fail(d, ERR_BUSY, 0);
    drop(d);
}

void drive_mount(struct drive *d)
{
    struct upd *upd = d->upd;
    struct fat fat = d->fat;

    drop(d);
    memset(d, 0, sizeof(*d));
    d->upd = upd;
    d->fat = fat;
    d->wrote = true; /* from now on */
    d->patience = CONFIG_DRIVE_START_MS;
}
