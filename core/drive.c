/* SPDX-License-Identifier: MIT */
/* drive.c - see drive.h. */
#include "drive.h"

#include "boot.h"
#include "img.h"

#include <stddef.h>
#include <string.h>

#define CLUSTER_SECTORS (FAT_CLUSTER / FAT_SECTOR)
#define WINDOW          FAT_FREE_CLUSTERS

/* Sectors are numbered as if clusters began with 0, so a number divided by
 * their size is the cluster. */
static uint32_t number_of(uint32_t lba)
{
    return lba - FAT_LBA(FAT_ROOT) + FAT_ROOT * CLUSTER_SECTORS;
}

_Static_assert(FAT_FREE_END *CLUSTER_SECTORS <= 0x10000u, "owner is 16 bits");

static bool in_window(uint32_t cluster)
{
    return cluster - FAT_FREE < WINDOW;
}

static uint32_t word_at(const uint8_t *p)
{
    return *(const uint32_t *)p; /* aligned */
}

/* The first reason counts. */
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

    memset(d->place, 0, sizeof(d->place));
    d->tail = 0;
    while (in_window(at) && !d->place[at]) {
        d->place[at] = ++place;
        d->tail = (uint16_t)at;
        at = d->link[at];
    }
}

/* Guesses how the chain goes on that is not all written yet. */
static bool guess(struct drive *d)
{
    uint32_t at = d->tail;

    if (d->link[at])
        return false;
    while (++at < FAT_FREE_END)
        if (d->came[at] == 0xFF && !d->link[at] && !d->place[at]) {
            d->place[at] = (uint16_t)(d->place[d->tail] + 1);
            d->tail = (uint16_t)at;
            return true;
        }
    return false;
}

/* ---- into the slot ---- */

/* Where large units are erased at once, a piece that another sector wrote
 * takes those around it with it. */
static void renew(struct drive *d, uint32_t piece, uint32_t number)
{
#if PART_BIG_UNITS
    uint32_t unit = part_unit(PART_APP_START + piece * DRIVE_PIECE);

    if (!d->owner[piece] || d->owner[piece] == number)
        return;
    upd_renew(d->upd, unit);
    for (uint32_t i = 0; i < DRIVE_PIECES; i++)
        if (part_unit(PART_APP_START + i * DRIVE_PIECE) == unit)
            d->owner[i] = 0;
#else
    (void)d;
    (void)piece;
    (void)number;
#endif
}

/* UF2, one block a sector: github.com/microsoft/uf2 */
#define UF2_MAGIC0     0x0A324655u
#define UF2_MAGIC1     0x9E5D5157u
#define UF2_MAGIC_END  0x0AB16F30u
#define UF2_NOT_FLASH  0x00000001u
#define UF2_HAS_FAMILY 0x00002000u

/* Puts a sector of the window into the slot, if it is known where it belongs.
 * False: it is not, or there is no sector. */
static bool put(struct drive *d, const struct drive_sector *s)
{
    const uint8_t *b = s->data;
    uint32_t number = number_of(s->lba);
    uint32_t place, offset, blocks = 0, n = FAT_SECTOR;

    if (!in_window(number / CLUSTER_SECTORS))
        return false;
    place = d->place[number / CLUSTER_SECTORS] - 1u;
    offset = place * FAT_CLUSTER + number % CLUSTER_SECTORS * FAT_SECTOR;
    if (word_at(b) == UF2_MAGIC0 && word_at(b + 4) == UF2_MAGIC1 &&
        word_at(b + 508) == UF2_MAGIC_END) {
        if ((word_at(b + 8) & (UF2_NOT_FLASH | UF2_HAS_FAMILY)) !=
                UF2_HAS_FAMILY ||
            word_at(b + 28) != BOARD_UF2_FAMILY) {
            fail(d, ERR_PRODUCT, word_at(b + 20) * FAT_SECTOR);
            return true; /* for others */
        }
        n = word_at(b + 16);
        offset = word_at(b + 12) - PART_APP_START;
        blocks = word_at(b + 24);
        b += 32;
    } else if (place >= WINDOW)
        return false;
    if (n % DRIVE_PIECE || offset % DRIVE_PIECE || offset >= PART_APP_SIZE) {
        fail(d, ERR_ADDRESS, offset);
        return true;
    }
    if (d->shut) {
        fail(d, ERR_BUSY, offset);
        return true;
    }
    if (!d->opened)
        upd_open(d->upd);
    d->opened = true;
    d->blocks = blocks;
    for (uint32_t i = 0; i < n; i += DRIVE_PIECE) {
        uint32_t piece = (offset + i) / DRIVE_PIECE;

        renew(d, piece, number);
        d->owner[piece] = (uint16_t)number;
    }
    upd_put(d->upd, PART_APP_START + offset, b, n);
    if (d->end < offset + n)
        d->end = offset + n;
    return true;
}

/* ---- the window ---- */

static struct drive_sector *find(struct drive *d, uint32_t lba)
{
    struct drive_sector *s = d->sector;

    for (; s < d->sector + CONFIG_DRIVE_SECTORS; s++)
        if (s->lba == lba)
            return s;
    return NULL;
}

/* The oldest sector that can be goes to the slot. */
static struct drive_sector *put_one(struct drive *d)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++) {
        struct drive_sector *s = &d->sector[d->next];

        d->next = (uint8_t)((d->next + 1u) % CONFIG_DRIVE_SECTORS);
        if (put(d, s)) {
            s->lba = 0;
            return s;
        }
    }
    return NULL;
}

/* Gives up the oldest sector: it is of no use, or it will be missed. */
static struct drive_sector *lose_one(struct drive *d)
{
    struct drive_sector *s;
    uint32_t number;

    do {
        s = &d->sector[d->next];
        d->next = (uint8_t)((d->next + 1u) % CONFIG_DRIVE_SECTORS);
        number = number_of(s->lba);
    } while (number / CLUSTER_SECTORS == FAT_ROOT);
    for (uint32_t i = 0; i < DRIVE_PIECES; i++)
        if (d->owner[i] == number)
            d->owner[i] = 0; /* an earlier version of it */
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
    if (!s)
        s = lose_one(d);
    s->lba = lba;
    memcpy(s->data, data, FAT_SECTOR);
}

/* ---- what the host writes ---- */

static void fat_sector(struct drive *d, uint32_t cluster, const uint8_t *data)
{
    const uint8_t *end = data + FAT_SECTOR;

    for (; data < end && cluster < FAT_FREE_END; data += 4, cluster++) {
        uint16_t next = (uint16_t)word_at(data);

        if (next && !in_window(word_at(data) & 0x0FFFFFFF))
            next |= FAT_LAST;
        if (!next && d->link[cluster]) { /* a file was deleted */
            d->came[cluster] = 0;
            if (cluster == d->head)
                d->head = 0;
        }
        d->link[cluster] = next;
    }
    walk(d, d->head);
}

/* The first sector of a cluster looks like that of an image. */
static void head(struct drive *d, uint32_t cluster, const uint32_t *vectors)
{
    uint32_t product = vectors[IMG_OFF_PRODUCT / 4];

    /* It may be a part of the image that is under way. */
    if (d->head &&
        (d->place[cluster] || (!d->link[cluster] && cluster > d->head &&
                               d->link[d->tail] < FAT_LAST)))
        return;
    if (vectors[IMG_OFF_MAGIC / 4] == IMG_MAGIC && product &&
        product != BOARD_PRODUCT) {
        fail(d, ERR_PRODUCT, IMG_OFF_PRODUCT);
        return;
    }
    d->size = boot_image_size(vectors);
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
    uint32_t number = number_of(lba), cluster = number / CLUSTER_SECTORS;

    if (lba == 0) {
        bool dirty = data[FAT_DIRTY] & 1;

        if (d->dirty && !dirty) {
            d->wrote = true;
            d->patience = CONFIG_DRIVE_CLEAN_MS;
        }
        d->dirty = dirty;
        return;
    }
    if (lba >= FAT_RESERVED) { /* FSINFO may come half a minute later */
        d->wrote = true;
        d->used = true;
        d->patience = CONFIG_DRIVE_QUIET_MS;
    }
    if (lba - FAT_RESERVED < 2 * FAT_SIZE) {
        fat_sector(d, (lba - FAT_RESERVED) % FAT_SIZE * FAT_SECTOR_ENTRIES,
                   data);
        return;
    }
    keep(d, lba, data);
    if (!in_window(cluster))
        return;
    d->came[cluster] |= (uint8_t)(1u << number % CLUSTER_SECTORS);
    if (number % CLUSTER_SECTORS == 0 &&
        boot_vectors_ok((const uint32_t *)data))
        head(d, cluster, (const uint32_t *)data);
}

void block_read(struct drive *d, uint32_t lba, uint8_t *to)
{
    const struct drive_sector *s = lba ? find(d, lba) : NULL;

    if (s)
        memcpy(to, s->data, FAT_SECTOR);
    else
        fat_read(&d->fat, d->link, lba, to);
}

void block_sync(struct drive *d)
{
    d->wrote = true;
    d->patience = CONFIG_DRIVE_SYNC_MS;
}

void block_eject(struct drive *d)
{
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
        e->attributes & NOT_OF_A_USER || e->cluster_low == FAT_STATUS)
        return false;
    /* Hosts hide what begins with a dot; that is in the entry before. */
    return first || e[-1].attributes != LONG_NAME ||
           (e[-1].name[0] & LONG_NAME_PART) != 1 || e[-1].name[1] != '.';
}

/* The slot has all of a file.  last: nothing more will come. */
static bool is_image(struct drive *d, const struct entry *e, bool last)
{
    uint32_t need = d->blocks;

    if (!need) {
        need = (e->size + FAT_SECTOR - 1) / FAT_SECTOR *
               (FAT_SECTOR / DRIVE_PIECE);
        /* A plain image may be shorter, but before the end nobody knows. */
        if (!need || (e->size < d->size && !last))
            return false;
    }
    walk(d, e->cluster_low);
    for (uint32_t i = 0; i < DRIVE_PIECES; i++) {
        uint32_t number = d->owner[i];
        uint32_t place = d->place[number / CLUSTER_SECTORS];

        if (place && (d->blocks || (place - 1) * CLUSTER_SECTORS +
                                           number % CLUSTER_SECTORS ==
                                       i / (FAT_SECTOR / DRIVE_PIECE)))
            need--;
    }
    return !need;
}

/* Ends the session that is open. */
static void drop(struct drive *d)
{
    if (d->opened)
        upd_drop(d->upd);
    d->opened = false;
}

static enum drive_due result(struct drive *d, enum err err)
{
    d->fat.state = err ? FAT_ERROR : FAT_SUCCESS;
    d->fat.err = (uint16_t)err;
    d->fat.offset = d->offset;
    return !err && !CONFIG_DRIVE_START_MS ? DRIVE_START : DRIVE_REMOUNT;
}

/* Time is up: what do the files say? */
static enum drive_due conclude(struct drive *d)
{
    bool last = !d->patience || d->patience == CONFIG_DRIVE_QUIET_MS;
    bool files = false;

    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++) {
        const struct entry *e = (const struct entry *)d->sector[i].data;

        if (number_of(d->sector[i].lba) / CLUSTER_SECTORS != FAT_ROOT)
            continue;
        for (uint32_t k = 0; k < FAT_SECTOR / sizeof(*e); k++, e++) {
            if (!of_a_user(e, k == 0))
                continue;
            files |= e->size || last;
            if (d->opened && is_image(d, e, last)) {
                d->closing = true;
                d->offset = 0;
                upd_close(d->upd, PART_APP_START + d->end);
                return DRIVE_CARRY_ON;
            }
        }
    }
    walk(d, d->head);
    if (d->opened ? last : files) {
        fail(d, d->opened ? ERR_INCOMPLETE : ERR_FILE, 0);
        return result(d, (enum err)d->err);
    }
    d->absent |= !d->patience;
    d->used &= !last;
    d->patience = CONFIG_DRIVE_QUIET_MS;
    return DRIVE_CARRY_ON;
}

enum drive_due drive_poll(struct drive *d, uint32_t now_ms)
{
    if (d->wrote)
        d->since = now_ms;
    d->wrote = false;
    if (d->closing) {
        upd_poll(d->upd);
        return upd_busy(d->upd) ? DRIVE_CARRY_ON
                                : result(d, (enum err)d->upd->err);
    }
    if (now_ms - d->since < d->patience)
        return DRIVE_CARRY_ON;
    if (d->used || !d->patience)
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
    drop(d);
    memset(&d->shut, 0, sizeof(*d) - offsetof(struct drive, shut));
    fat_mount(d->link);
    d->wrote = true; /* from now on */
    d->patience =
        CONFIG_DRIVE_START_MS ? CONFIG_DRIVE_START_MS : CONFIG_DRIVE_QUIET_MS;
}
