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

#define GUESSES (FAT_GUESS | FAT_GUESS_OVER_END)

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

static const struct fat_dir *entry(struct drive *d, uint32_t i)
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

bool drive_began(const struct drive *d, const struct fat_dir *e)
{
    return IN_WINDOW(e->DIR_FstClusLO) &&
           (d->cluster[e->DIR_FstClusLO].came & 1);
}

/* ---- chains ---- */

void drive_walk(struct drive *d, uint32_t at, uint32_t guesses)
{
    uint32_t place = 0;

    for (uint32_t i = 0; i < FAT_FREE_END; i++)
        d->cluster[i].place = 0;
    d->tail = 0;
    while (IN_WINDOW(at) && !d->cluster[at].place) {
        place += CLUSTER_SECTORS;
        d->cluster[at].place = (uint16_t)place;
        d->tail = (uint16_t)at;
        at = d->cluster[at].link & ~guesses;
    }
}

#if !CONFIG_STAGED
/* The chain has not all of the image yet, as far as that is known. */
static bool is_short(const struct drive *d)
{
    return d->cluster[d->tail].place * FAT_SECTOR < d->size;
}

/* Data came before the head of its file: what the directory says of one that
 * has not begun. */
static bool head_by_entry(struct drive *d)
{
    for (uint32_t i = ROOT; i < ROOT_END; i++) {
        const struct fat_dir *e = drive_file(d, i);

        if (!e || drive_began(d, e) || !IN_WINDOW(e->DIR_FstClusLO))
            continue;
        d->head = e->DIR_FstClusLO;
        d->size = PART_APP_SIZE; /* not known yet */
        drive_walk(d, d->head, GUESSES);
        return true;
    }
    return false;
}

/* Guesses how the chain goes on that is not all written yet, or grows. */
static bool guess(struct drive *d)
{
    uint32_t tail = d->tail;

    if (!d->head)
        return !d->opened && head_by_entry(d);
    if (!is_short(d))
        return false;
    for (uint32_t at = tail + 1; at < FAT_FREE_END; at++)
        if (d->cluster[at].came == 0xFF && !d->cluster[at].link &&
            !d->cluster[at].place) {
            d->cluster[at].place =
                (uint16_t)(d->cluster[tail].place + CLUSTER_SECTORS);
            d->cluster[tail].link =
                (uint16_t)(at + (d->cluster[tail].link ? GUESSES : FAT_GUESS));
            d->tail = (uint16_t)at;
            return true;
        }
    return false;
}

#endif

/* ---- into the slot ---- */

/* Owner of a piece that is of an earlier version of its sector: nobody's, but
 * not blank.  Cluster 0 has no place in any chain. */
#define STALE 1u

/* A sector is written: what the slot has of it is an earlier version. */
__attribute__((noinline)) static void disown(struct drive *d, uint32_t number,
                                             uint32_t n)
{
    for (uint32_t i = 0; i < DRIVE_PIECES; i++)
        if (d->owner[i] - number < n)
            d->owner[i] = STALE;
}

void drive_open(struct drive *d)
{
    memset(d->owner, 0, sizeof(d->owner));
    upd_open(d->upd);
    d->opened = true;
    if (CONFIG_STAGED)
        d->end = 0;
#if CONFIG_FORMATS
    d->pass = 0;
    memset(d->fed, 0, sizeof(d->fed));
#endif
}

bool drive_put(struct drive *d, uint32_t number, const uint8_t *data)
{
    const struct uf2 *uf2 = (const struct uf2 *)data;
    uint32_t offset, n = FAT_SECTOR;

    if (!IN_WINDOW(number / CLUSTER_SECTORS))
        return false;
    offset = d->cluster[number / CLUSTER_SECTORS].place;
    if (CONFIG_STAGED ? is_uf2(data) : UF2_MAGICS(uf2)) {
        offset = uf2->number * FAT_SECTOR;
        if ((uf2->flags & (UF2_NOT_FLASH | UF2_HAS_FAMILY)) != UF2_HAS_FAMILY ||
            uf2->family != BOARD_UF2_FAMILY) {
            drive_fail(d, ERR_PRODUCT, offset);
            return true; /* for others */
        }
        if (d->blocks != uf2->blocks) {
            if (CONFIG_STAGED)
                return true; /* of an earlier file */
            drop(d);         /* another file, which may leave gaps */
        }
        d->blocks = uf2->blocks;
        n = DRIVE_PIECE;
        offset = uf2->address - PART_APP_START;
        if (uf2->size != DRIVE_PIECE || !d->blocks)
            offset |= 1; /* not a block that anybody makes */
        data = uf2->data;
    } else if (!CONFIG_STAGED && offset) {
        offset =
            (offset - CLUSTER_SECTORS + number % CLUSTER_SECTORS) * FAT_SECTOR;
        d->blocks = 0;
    } else
        return CONFIG_STAGED && !(d->cluster[number / CLUSTER_SECTORS].came >>
                                      number % CLUSTER_SECTORS &
                                  1);
    if (d->shut || d->lost)
        drive_fail(d, ERR_BUSY, offset);
    else if (offset % DRIVE_PIECE || offset >= PART_APP_SIZE)
        drive_fail(d, ERR_ADDRESS, offset);
    else {
        uint16_t *owner = &d->owner[offset / DRIVE_PIECE];

        /* Another file, which may leave gaps, or a wrong guess where what is
         * written cannot be changed. */
        if ((CONFIG_STAGED || PART_BIG_UNITS || d->blocks) && *owner > STALE &&
            *owner != number) {
            if (CONFIG_STAGED)
                drive_open(d); /* what came as a file stays */
            else
                drop(d);
        }
        if (!d->opened)
            drive_open(d);
        owner[0] = (uint16_t)number;
        owner[n / DRIVE_PIECE - 1] = (uint16_t)number;
        upd_put(d->upd, PART_APP_START + offset, data, n);
        if (d->end < offset + n)
            d->end = offset + n;
    }
    return true;
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

/* The oldest sector that can be goes to the slot.  lose: or else the oldest
 * one is given up: it is of no use, or it will be missed. */
static bool put_one(struct drive *d, bool lose)
{
    for (uint32_t i = 0; i < CONFIG_DRIVE_SECTORS; i++) {
        uint32_t next = d->next;
        struct drive_sector *s = &d->sector[next++];
        uint32_t number = s->number;

        if (next == CONFIG_DRIVE_SECTORS)
            next = 0;
        d->next = (uint8_t)next;
        s->number = LEAVING;
        if (drive_put(d, number, s->data) ||
            (lose && number / CLUSTER_SECTORS > FAT_ROOT)) {
            s->number = 0;
            d->used--;
            return true;
        }
        s->number = number;
    }
    return false;
}

/* False: there is nothing that could be done, or that has to be. */
static bool make_room(struct drive *d)
{
    bool lose = false;

    if (d->used <= CONFIG_DRIVE_SECTORS - CONFIG_DRIVE_SPARE)
        return false;
    while (!put_one(d, lose)) {
        if (!d->full)
            return false;
        lose = !guess(d);
    }
    d->full = false;
    return true;
}

#endif

__attribute__((noinline)) static bool keep(struct drive *d, uint32_t number,
                                           const uint8_t *data)
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
            if (!d->cluster[cluster].link ||
                (d->cluster[cluster].link & GUESSES) == FAT_GUESS)
                continue; /* not yet */
            /* a file was deleted */
            d->cluster[cluster].came = 0;
            if (CONFIG_STAGED)
                raw_forget(d, cluster);
            disown(d, cluster * CLUSTER_SECTORS, CLUSTER_SECTORS);
            if (cluster == d->head)
                d->head = 0;
        }
        d->cluster[cluster].link = (uint16_t)next;
    }
    if (!CONFIG_STAGED)
        drive_walk(d, d->head, GUESSES);
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
          (d->size < PART_APP_SIZE ? is_short(d)
                                   : d->cluster[d->tail].link < FAT_LAST))))
        return;
    if (size < PART_APP_SIZE && product && product != BOARD_PRODUCT) {
        drive_fail(d, ERR_PRODUCT, IMG_OFF_PRODUCT);
        return;
    }
    d->size = size;
    if (cluster != d->head)
        d->outdated = true;
    d->head = (uint16_t)cluster;
    drive_walk(d, cluster, GUESSES);
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
/* The slot has all of a file.  last: nothing more will come. */
__attribute__((noinline)) static bool
is_image(struct drive *d, const struct fat_dir *e, bool last)
{
    uint32_t need = d->blocks, end = DRIVE_PIECES, size = need * FAT_SECTOR;

    if (!need) {
        size = d->size;
        need = e->DIR_FileSize;
        if (need > size) {
            if (size == PART_APP_SIZE)
                return false;
            need = size; /* behind the stamped length are data */
        }
        need = end =
            (need + FAT_SECTOR - 1) / FAT_SECTOR * (FAT_SECTOR / DRIVE_PIECE);
        if (!end)
            return false;
    }
    /* What a host has not told in full it may still write.  A plain image may
     * be of any size, so nobody knows before the end. */
    if (!last && e->DIR_FileSize < size)
        return false;
    drive_walk(d, e->DIR_FstClusLO, 0);
    for (uint32_t i = 0; i < end; i++) {
        uint32_t number = d->owner[i];
        uint32_t place = d->cluster[number / CLUSTER_SECTORS].place;

        if (!number)
            continue;
        /* Another file's, or not its place. */
        if (!place ||
            (!d->blocks && place - CLUSTER_SECTORS + number % CLUSTER_SECTORS !=
                               i / (FAT_SECTOR / DRIVE_PIECE)))
            return false;
        need--;
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
    for (uint32_t i = ROOT; i < ROOT_END; i++) {
        const struct fat_dir *e = drive_file(d, i);

        if (!e)
            continue;
        /* Its first sector came, and was no image's. */
        if (last || drive_began(d, e))
            over = true;
        if (d->opened && is_image(d, e, last)) {
            d->closing = true;
            upd_close(d->upd, d->end);
            return DRIVE_REMOUNT;
        }
    }
    drive_walk(d, d->head, GUESSES);
    if (d->opened) {
        over = last;
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
    if (put_one(d, false))
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
    if (d->err == ERR_NOT_ERASED)
        d->err = ERR_INCOMPLETE;
    if (d->closing || d->err) {
        d->fat.state = d->err ? FAT_ERROR : FAT_SUCCESS;
        d->fat.err = d->err;
        d->fat.offset = d->offset;
#if CONFIG_FORMATS
        d->fat.line = d->err ? d->line : 0;
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
