/* SPDX-License-Identifier: MIT */
/* drive.c - see drive.h. */
#include "drive_inside.h"

#include "boot.h"
#include "img.h"

#include <stddef.h>
#include <string.h>

/* Sectors are numbered as if clusters began with 0, so a number divided by
 * their size is the cluster. */
#define NUMBER_OF(lba) ((lba)-FAT_LBA(FAT_ROOT) + FAT_ROOT * CLUSTER_SECTORS)

_Static_assert(FAT_FREE_END *CLUSTER_SECTORS <= 0x10000u, "owner is 16 bits");

/* Times are counted in ticks, because small numbers fit an instruction. */
#define TICK_MS   256u
#define TICKS(ms) (((ms)-1u) / TICK_MS + 1u)
/* Odd: nothing more will come then. */
#define EJECT (TICKS(CONFIG_DRIVE_EJECT_MS) | 1u)
#define SYNC  ((TICKS(CONFIG_DRIVE_SYNC_MS) + 1u) & ~1u)
#define CLEAN ((TICKS(CONFIG_DRIVE_CLEAN_MS) + 1u) & ~1u)
#define QUIET (TICKS(CONFIG_DRIVE_QUIET_MS) | 1u)
#define START (CONFIG_DRIVE_START_MS ? TICKS(CONFIG_DRIVE_START_MS) : 0)
#define NEVER TICKS(CONFIG_DRIVE_NEVER)
_Static_assert(START != EJECT && START != SYNC && START != CLEAN &&
                   START != QUIET,
               "what is due is known by its time");
_Static_assert(CONFIG_DRIVE_SPARE > 0, "see make_room()");
_Static_assert(EJECT < SYNC && SYNC < CLEAN && CLEAN < QUIET, "see conclude()");

__attribute__((noinline)) void drive_fail(struct drive *d, enum err err,
                                          uint32_t offset)
{
    if (d->err)
        return;
    d->err = (uint8_t)err;
    d->offset = offset;
}

/* Ends the session that is open. */
static void drop(struct drive *d)
{
    if (d->opened)
        upd_drop(d->upd);
    d->opened = false;
    if (!CONFIG_STAGED)
        memset(d->owner, 0, sizeof(d->owner));
}

__attribute__((noinline)) struct drive_sector *drive_find(struct drive *d,
                                                          uint32_t number)
{
    struct drive_sector *s = d->sector;

    for (; s < d->sector + CONFIG_DRIVE_SECTORS; s++)
        if (s->number == number)
            return s;
    return NULL;
}

/* ---- files ---- */

#define NOT_OF_A_USER                                                          \
    (FAT_ATTR_DIRECTORY | FAT_ATTR_VOLUME_ID | FAT_ATTR_HIDDEN)

__attribute__((noinline)) static const struct fat_dir *entry(struct drive *d,
                                                             uint32_t i)
{
    const struct drive_sector *s = drive_find(d, i / ENTRIES);

    return s ? (const struct fat_dir *)s->data + i % ENTRIES : NULL;
}

const struct fat_dir *drive_file(struct drive *d, uint32_t i)
{
    const struct fat_dir *e = entry(d, i), *before = entry(d, i - 1);

    if (!e || e->DIR_Name[0] == 0 || e->DIR_Name[0] == FAT_DELETED ||
        e->DIR_Attr & NOT_OF_A_USER ||
        (CONFIG_FILES && e->DIR_FstClusLO >= FAT_INFO_UF2) ||
        (e->DIR_FstClusLO == FAT_STATUS && !d->cluster[FAT_STATUS].came))
        return NULL;
    /* Hosts hide what begins with a dot; that is in the entry before. */
    if (before && before->DIR_Attr == FAT_ATTR_LONG_NAME &&
        (before->DIR_Name[0] & FAT_LONG_NAME_PART) == 1 &&
        before->DIR_Name[1] == '.')
        return NULL;
    return e;
}

/* ---- chains ---- */

void drive_walk(struct drive *d, uint32_t at)
{
    uint32_t place = 0, came = 1;

    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        d->cluster[i].place = 0;
    d->tail = 0;
    while (IN_WINDOW(at) && !d->cluster[at].place) {
        place += CLUSTER_SECTORS;
        d->cluster[at].place = (uint16_t)place;
        d->tail = (uint16_t)at;
        came &= d->cluster[at].came;
        at = d->cluster[at].link;
    }
#if !CONFIG_STAGED
    d->came = (uint8_t)came;
#endif
    (void)came;
}

/* ---- into the slot ---- */

/* Owner of a piece that is of an earlier version of its sector: nobody's, but
 * not blank.  Cluster 0 has no place in any chain. */
#define STALE 1u
/* What leaves the window even so, where a write waits: clusters that came to
 * their end, then anything, and at last what there is no room for.  Added to
 * the bits of what came of a cluster, it is 0x100 and more. */
enum { FORCE_STEP = 0x80, FORCE_ANY = 0x100 };

/* A sector is written: what the slot has of it is an earlier version. */
__attribute__((noinline)) static void disown(struct drive *d, uint32_t number,
                                             uint32_t n)
{
    for (uint32_t i = 0; i < DRIVE_PIECES; i++)
        if (d->owner[i] - number < n)
            d->owner[i] = STALE;
#if CONFIG_FORMATS
    if (d->fed[number / CLUSTER_SECTORS])
        d->fed[number / CLUSTER_SECTORS] = FED_BROKEN;
#endif
}

void drive_open(struct drive *d)
{
    if (CONFIG_STAGED) {
        memset(d->owner, 0, sizeof(d->owner));
        d->end = 0;
    }
    upd_open(d->upd);
    d->opened = true;
#if CONFIG_FORMATS
    d->pass = 0;
    d->failed = 0;
    d->fed_last = 0;
    memset(d->fed, 0, sizeof(d->fed));
#endif
}

#if !CONFIG_STAGED
#define SLOT_SECTORS (PART_APP_SIZE / FAT_SECTOR)
#define NOWHERE      0xFFFFFFFFu

#define OWNER(d, at) ((d)->owner[(at) * (FAT_SECTOR / DRIVE_PIECE)])

#if PART_BIG_UNITS
/* Where a sector of cluster c goes that has no place yet.  What is written
 * cannot be changed: so behind the image, if the chain has a gap, where in most
 * cases a cluster is still to come.  Where there is no room behind it, the gap
 * may be another file's. */
static uint32_t guess(const struct drive *d, uint32_t c, uint32_t number)
{
    /* A plain one may be of any size. */
    uint32_t end =
        d->size < PART_APP_SIZE ? d->size / FAT_SECTOR + 1 : SLOT_SECTORS / 2;
    uint32_t k = c, behind = SLOT_SECTORS;
    bool gap = d->cluster[c].came != 0xFF;

    /* Another file's. */
    if (d->head && d->cluster[c].link && d->cluster[d->tail].link >= FAT_LAST)
        return NOWHERE;
    while (--k && !d->cluster[k].place)
        if (d->cluster[k].came == 0xFF && !d->cluster[k].link)
            number += CLUSTER_SECTORS;
        else
            gap = true;
    number += d->cluster[k].place;
    while (--behind >= end)
        if (!OWNER(d, behind)) {
            if (!k || gap)
                return behind;
            break;
        }
    if (!k || d->cluster[c].came != 0xFF || IN_WINDOW(d->cluster[k].link) ||
        number >= SLOT_SECTORS || OWNER(d, number) > STALE)
        return behind < end ? NOWHERE : behind;
    return number;
}
#else
/* Where a sector of cluster c goes that has no place yet: where it will stay,
 * if there is nothing else among the clusters of the file; else, and before the
 * head came, anywhere. */
static uint32_t guess(const struct drive *d, uint32_t c, uint32_t number)
{
    uint32_t k = c, at;

    while (k && !d->cluster[k].place)
        k--;
    at = d->cluster[k].place + (c - k - 1) * CLUSTER_SECTORS + number;
    if (at < SLOT_SECTORS && OWNER(d, at) <= STALE)
        return at;
    for (at = SLOT_SECTORS; at--;)
        if (OWNER(d, at) <= STALE)
            break;
    return at; /* NOWHERE, in the end */
}
#endif

/* Where in the slot a sector goes, counted in sectors.  With d->force it goes
 * somewhere, even if that is not known, and is moved when it is. */
static uint32_t spot(const struct drive *d, uint32_t number)
{
    uint32_t cluster = number / CLUSTER_SECTORS;
    const struct fat_cluster *c = &d->cluster[cluster];

    number %= CLUSTER_SECTORS;
    if (c->place)
        return c->place - CLUSTER_SECTORS + number;
    if (c->came + d->force <= 0xFFu || d->blocks)
        return NOWHERE;
    /* Before anything is lost for it: a file begins with its lowest cluster,
     * in most cases, so this one may only be an image's if the one below has
     * not begun. */
    if (!d->opened && (cluster == FAT_FREE || c[-1].came & 1))
        return NOWHERE;
    return guess(d, cluster, number);
}
#endif

__attribute__((noinline)) uint32_t drive_put(struct drive *d, uint32_t number,
                                             uint8_t *data)
{
    struct uf2 *uf2 = (struct uf2 *)data;
    uint32_t offset, n = FAT_SECTOR, old = 0;

    if (!IN_WINDOW(number / CLUSTER_SECTORS))
        return number;
    if (CONFIG_STAGED ? is_uf2(data) : UF2_MAGICS(uf2)) {
        offset = uf2->number * FAT_SECTOR;
        if ((uf2->flags & (UF2_NOT_FLASH | UF2_HAS_FAMILY)) != UF2_HAS_FAMILY ||
            uf2->family != BOARD_UF2_FAMILY) {
            drive_fail(d, ERR_PRODUCT, offset);
            return 0; /* for others */
        }
#if PART_BIG_UNITS && !CONFIG_STAGED
        if (d->later)
            return 0; /* of an earlier file */
#endif
        if (d->blocks != uf2->blocks) {
            if (CONFIG_STAGED)
                return 0; /* of an earlier file */
            drop(d);      /* another file, which may leave gaps */
        }
        d->blocks = uf2->blocks;
        n = DRIVE_PIECE;
        offset = uf2->address - PART_APP_START;
        if (uf2->size != DRIVE_PIECE || !d->blocks)
            offset |= 1; /* not a block that anybody makes */
        data = uf2->data;
    } else {
#if CONFIG_STAGED
        bool came = d->cluster[number / CLUSTER_SECTORS].came >>
                        number % CLUSTER_SECTORS &
                    1;

        return came ? number : 0;
#else
        offset = spot(d, number);
        if (offset == NOWHERE)
            return number;
        offset *= FAT_SECTOR;
        d->blocks = 0;
#endif
    }
    if (CONFIG_DFU && (d->shut || d->lost))
        drive_fail(d, ERR_BUSY, offset);
    else if (offset % DRIVE_PIECE || offset >= PART_APP_SIZE)
        drive_fail(d, ERR_ADDRESS, offset);
    else {
        uint16_t *owner = &d->owner[offset / DRIVE_PIECE];

        /* (Not this sector: who comes into the window owns nothing.) */
        old = *owner;
        if (old == STALE)
            old = 0;
        /* Another file, which may leave gaps, or a wrong place where what is
         * written cannot be changed. */
        if ((CONFIG_STAGED || PART_BIG_UNITS || d->blocks) && old) {
            if (CONFIG_STAGED)
                drive_open(d); /* what came as a file stays */
            else
                drop(d);
            old = 0;
        }
        if (!d->opened)
            drive_open(d);
        owner[0] = (uint16_t)number;
        owner[n / DRIVE_PIECE - 1] = (uint16_t)number;
#if CONFIG_STAGED
        upd_put(d->upd, PART_APP_START + offset, data, n);
#else
        upd_swap(d->upd, PART_APP_START + offset, data, n);
        /* Written again meanwhile: this is the version before. */
        if (old && drive_find(d, old))
            old = 0;
#endif
        if (CONFIG_STAGED && d->end < offset + n)
            d->end = offset + n;
    }
    return old;
}

/* ---- the window ---- */

#if CONFIG_STAGED
/* False: there is nothing that could be done, or that has to be. */
static bool make_room(struct drive *d)
{
    if (d->used <= CONFIG_DRIVE_SECTORS - CONFIG_DRIVE_SPARE)
        return false;
    if (!raw_put_one(d, d->full ? ANY : WHOLE)) {
        if (!d->full)
            return false;
        raw_lose_one(d);
    }
    d->full = false;
    return true;
}
#else
/* Of a sector that is on its way to the slot: the host may write it again
 * meanwhile, and that is another one. */
#define LEAVING 0xFFFFFFFFu

/* The oldest sector that can be goes to the slot; what it takes the place of
 * comes back in its stead. */
static bool put_one(struct drive *d)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++) {
        uint32_t next = d->next;
        struct drive_sector *s = &d->sector[next++];
        uint32_t number = s->number, left;

        if (next == CONFIG_DRIVE_SECTORS)
            next = 0;
        d->next = (uint8_t)next;
        s->number = LEAVING;
        left = drive_put(d, number, s->data);
        /* It is of no use, or it will be missed. */
        if (d->force > FORCE_ANY && left == number &&
            number / CLUSTER_SECTORS > FAT_ROOT)
            left = 0;
        s->number = left;
        if (left != number) {
            d->used -= !left;
            return true;
        }
    }
    return false;
}

/* False: there is nothing that could be done, or that has to be. */
static bool make_room(struct drive *d)
{
    uint32_t most = CONFIG_DRIVE_SECTORS - CONFIG_DRIVE_SPARE;

#if PART_BIG_UNITS
    if (d->eager)
        most = CONFIG_DRIVE_SECTORS / 4;
#endif
    if (d->used <= most)
        return false;
    while (!put_one(d)) {
        if (!d->full)
            return false;
        d->force += FORCE_STEP;
    }
    d->force = 0;
    d->full = false;
    return true;
}

#endif

static bool keep(struct drive *d, uint32_t number, const uint8_t *data)
{
    struct drive_sector *s;

    if (d->full) /* still: looking takes the time of a word of flash */
        return false;
    s = drive_find(d, number);
    if (!s) {
        s = drive_find(d, 0);
        if (!s) {
            d->full = true;
            return false;
        }
        d->used++;
    }
    s->number = number;
#if CONFIG_STAGED
    s->age = d->age++;
#endif
    /* By words: memcpy() is small, not fast. */
    for (uint32_t i = 0; i < FAT_SECTOR; i += 4)
        *(fat_entry *)(s->data + i) = *(const fat_entry *)(data + i);
    return true;
}

/* ---- what the host writes ---- */

static void fat_sector(struct drive *d, uint32_t cluster,
                       const fat_entry *entry)
{
    const fat_entry *end = entry + FAT_SECTOR_ENTRIES;

    for (; entry < end && cluster < FAT_FREE_END; entry++, cluster++) {
        uint32_t next = *entry & 0x0FFFFFFF;

        if (next && !IN_WINDOW(next))
            next |= ~0xFu; /* it reads back as it was written */
        if (!next) {
            if (!d->cluster[cluster].link)
                continue; /* not yet */
            /* a file was deleted */
            d->cluster[cluster].came = 0;
            if (CONFIG_STAGED)
                raw_forget(d, cluster);
            disown(d, cluster * CLUSTER_SECTORS, CLUSTER_SECTORS);
            if (cluster == d->head) {
                d->head = 0;
                d->outdated |= PART_BIG_UNITS;
            }
        }
        d->cluster[cluster].link = (uint16_t)next;
    }
    if (!CONFIG_STAGED)
        drive_walk(d, d->head);
}

#if !CONFIG_STAGED
/* The first sector of a cluster looks like that of an image. */
static void head(struct drive *d, uint32_t cluster, const uint32_t *vectors)
{
    uint32_t product = vectors[IMG_OFF_PRODUCT / 4];
    uint32_t size = boot_image_size(vectors);

    /* It may be a part of the image that is under way. */
    if (d->head && cluster != d->head &&
        (d->cluster[cluster].place ||
         (!d->cluster[cluster].link && cluster > d->head &&
          d->cluster[d->tail].link < FAT_LAST)))
        return;
    if (size < PART_APP_SIZE && product && product != BOARD_PRODUCT) {
        drive_fail(d, ERR_PRODUCT, IMG_OFF_PRODUCT);
        return;
    }
    d->size = size;
    if (d->blocks || (PART_BIG_UNITS && d->head && cluster != d->head))
        d->outdated = true;
#if PART_BIG_UNITS
    d->later |= cluster != d->head;
#endif
    d->head = (uint16_t)cluster;
    drive_walk(d, cluster);
}

#endif

/* The update is over when nothing comes for so long. */
static void wait(struct drive *d, uint32_t ticks)
{
    d->since = d->now;
    d->patience = ticks;
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

/* Not inlined into the loop of main.c, where registers are short. */
__attribute__((noinline)) bool block_write(struct drive *d, uint32_t lba,
                                           const uint8_t *data)
{
    uint32_t number = NUMBER_OF(lba), cluster = number / CLUSTER_SECTORS;

    if (lba == 0) {
        if (!(data[FAT_DIRTY] & 1))
            wait(d, CLEAN);
        return true;
    }
    if (CONFIG_FORMATS)
        convert_changed(d);
    if (lba == FAT_INFO) /* may come half a minute later */
        d->synced = true;
    else
        wait(d, QUIET);
    if (lba - FAT_RESERVED < 2 * FAT_SIZE) {
        d->synced = false;
        lba -= FAT_RESERVED;
        if (lba >= FAT_SIZE) /* the second one */
            lba -= FAT_SIZE;
        fat_sector(d, lba * FAT_SECTOR_ENTRIES, (const void *)data);
        return true;
    }
    if (!keep(d, number, data))
        return false;
    if (!IN_WINDOW(cluster))
        return true;
    if (d->cluster[cluster].came >> number % CLUSTER_SECTORS & 1)
        disown(d, number, 1);
    d->cluster[cluster].came |= (uint16_t)(1u << number % CLUSTER_SECTORS);
#if CONFIG_STAGED
    raw_came(d, number, data);
#else
    /* While the last of many sectors that wait is written, the cable rests. */
#if PART_BIG_UNITS
    d->eager = UF2_MAGICS(((const struct uf2 *)data));
    d->later &= !d->eager;
#endif
    if (number % CLUSTER_SECTORS == 0 && boot_vectors_ok((const void *)data))
        head(d, cluster, (const void *)data);
#endif
    return true;
}

void block_read(struct drive *d, uint32_t lba, uint8_t *to)
{
    uint32_t number = NUMBER_OF(lba); /* 0 is one of the FAT */
    const struct drive_sector *s = number ? drive_find(d, number) : NULL;

    /* Somebody still reads from the volume that is about to go. */
    if (d->patience < QUIET)
        d->since = d->now;
    if (s)
        memcpy(to, s->data, FAT_SECTOR);
    else if (!CONFIG_STAGED || !raw_read(d, number, to))
        fat_read(&d->fat, d->cluster, lba, to);
}

void block_sync(struct drive *d)
{
    /* A host that goes on using the volume writes FSINFO later. */
    wait(d, d->synced ? SYNC : QUIET);
}

void block_eject(struct drive *d)
{
    wait(d, EJECT);
}

/* ---- the end ---- */

#if !CONFIG_STAGED
/* A sector comes back into the window, because its place in the slot is another
 * one.  Where there is no room, some is made next. */
static void take_back(struct drive *d, uint32_t i)
{
    const uint8_t *from = upd_page(d->upd, PART_APP_START + i * DRIVE_PIECE);

    /* The host may have written it again meanwhile. */
    if (d->owner[i] != STALE && keep(d, d->owner[i], from))
        d->owner[i] = d->owner[i + 1] = STALE;
}

/* The slot has all of a file.  last: nothing more will come.  What is there,
 * but elsewhere, goes back into the window. */
static bool is_image(struct drive *d, const struct fat_dir *e, bool last)
{
    uint32_t need = d->blocks, end = DRIVE_PIECES, size = need * FAT_SECTOR;

    if (!need) {
        size = d->size;
        need = e->DIR_FileSize;
        if (need > size && size < PART_APP_SIZE)
            need = size; /* behind the stamped length are data */
        need = end =
            (need + FAT_SECTOR - 1) / FAT_SECTOR * (FAT_SECTOR / DRIVE_PIECE);
        if (!end || e->DIR_FstClusLO != d->head)
            return false;
    }
    /* What a host has not told in full it may still write.  A plain image may
     * be of any size, so nobody knows before the end. */
    if (!last && e->DIR_FileSize < size)
        return false;
    for (uint32_t i = 0; i < DRIVE_PIECES; i++) {
        uint32_t number = d->owner[i];
        uint32_t place = d->cluster[number / CLUSTER_SECTORS].place;

        if (!place) {
            if (d->blocks && number)
                return false; /* another file's */
        } else if (d->blocks ||
                   place - CLUSTER_SECTORS + number % CLUSTER_SECTORS ==
                       i / (FAT_SECTOR / DRIVE_PIECE)) {
            if (i < end) {
                need--;
                d->end = (i + 1) * DRIVE_PIECE;
            }
        } else
            take_back(d, i);
    }
    return !need;
}

#endif

/* Time is up: what do the files say? */
static enum drive_due conclude(struct drive *d)
{
    bool last = d->patience & 1;
    bool over = false;
    enum err err = ERR_FILE;

#if CONFIG_STAGED
    enum raw_state state = raw_conclude(d, last);

    if (state == RAW_BUSY)
        return DRIVE_CARRY_ON;
    if (state == RAW_TAKEN) {
        d->closing = true;
        upd_close(d->upd, d->end);
        return DRIVE_REMOUNT;
    }
    if (state == RAW_WAITS)
        err = ERR_INCOMPLETE;
    over = state > RAW_WAITS || (last && state);
#else
    uint32_t used = d->used;

    for (uint32_t i = ROOT; i < ROOT_END; i++) {
        const struct fat_dir *e = drive_file(d, i);

        if (!e)
            continue;
        drive_walk(d, e->DIR_FstClusLO);
        /* Something of each cluster came, and was no image. */
        if (last || (d->tail && d->came))
            over = true;
        if (d->opened && is_image(d, e, last)) {
            d->closing = true;
            upd_close(d->upd, d->end);
            return DRIVE_REMOUNT;
        }
        if (d->full || d->used != used)
            return DRIVE_CARRY_ON;
    }
    drive_walk(d, d->head);
    if (d->opened) {
        over = last;
        if (d->head || d->blocks)
            err = ERR_INCOMPLETE;
    }
#endif
    if (over) {
        drive_fail(d, err, 0);
        return DRIVE_REMOUNT;
    }
    if (d->patience == EJECT)
        d->absent = true;
    d->patience = last ? NEVER : QUIET;
    return DRIVE_CARRY_ON;
}

__attribute__((noinline)) enum drive_due drive_poll(struct drive *d,
                                                    uint32_t frame, bool idle)
{
    d->now += (frame - d->now) & 0x7FF;
    if (d->outdated)
        drop(d);
    d->outdated = false;
    if (make_room(d) || !idle || (d->now - d->since) / TICK_MS < d->patience)
        return DRIVE_CARRY_ON;
    if (START != NEVER && d->patience == START)
        return DRIVE_START;
#if !CONFIG_STAGED
    if (put_one(d))
        return DRIVE_CARRY_ON;
#endif
    return conclude(d);
}

void drive_lost(struct drive *d)
{
    drop(d);
    /* What waits in the window must not undo what the other door does. */
    if (d->patience <= QUIET)
        d->lost = true;
}

void drive_mount(struct drive *d)
{
    /* Nobody is on the bus, so that an erase holds up nobody. */
    if (d->closing) {
        while (upd_busy(d->upd))
            upd_poll(d->upd);
        d->err = d->upd->err;
        d->offset = 0;
    } else if (d->opened)
        drive_fail(d, ERR_INCOMPLETE, 0);
    if ((CONFIG_STAGED || PART_BIG_UNITS) && d->err == ERR_NOT_ERASED)
        d->err = ERR_INCOMPLETE;
    if (d->closing || d->err) {
        d->fat.state = d->err ? FAT_ERROR : FAT_SUCCESS;
        d->fat.err = d->err;
        d->fat.offset = d->offset;
#if CONFIG_FORMATS
        d->fat.line = d->err ? d->format.line : 0;
#endif
    }
    drop(d);
    memset(&d->shut, 0, sizeof(*d) - offsetof(struct drive, shut));
    fat_mount(d->cluster);
#if CONFIG_FILES
    fat_files_mount(&d->fat);
#endif
    wait(d, d->fat.state == FAT_SUCCESS ? START : NEVER);
}
