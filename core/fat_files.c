/* SPDX-License-Identifier: MIT */
/* fat_files.c - the files beside the status file (fat.h): what UF2 hosts look
 * for, the application as it is, and what keeps systems from writing files of
 * their own.  docs/drive.md has the reasons for each of them. */
#include "fat.h"

#include "boot.h"
#include "img.h"
#include "uf2.h"
#if CONFIG_STAGED
#include "stage.h"
#endif

#include <stddef.h>
#include <string.h>

#define CLUSTERS(bytes) (((bytes) + FAT_CLUSTER - 1u) / FAT_CLUSTER)
#define SECTORS(from, to)                                                      \
    (((to) - (from)) * (FAT_CLUSTER / FAT_SECTOR)) /* of these clusters */

/* Blocks of CURRENT.UF2, a sector each. */
static uint32_t blocks(const struct fat *f)
{
    return (f->current + UF2_DATA - 1) / UF2_DATA;
}

/* ---- root directory ---- */

/* Clause "Long Names": 13 characters; part, from 1 on, and LAST_PART for the
 * one that comes first; sum: of the short name. */
struct __attribute__((packed)) long_name {
    uint8_t LDIR_Ord;
    uint16_t LDIR_Name1[5];
    uint8_t LDIR_Attr;
    uint8_t LDIR_Type;
    uint8_t LDIR_Chksum;
    uint16_t LDIR_Name2[6];
    uint16_t LDIR_FstClusLO;
    uint16_t LDIR_Name3[2];
};
_Static_assert(sizeof(struct long_name) == sizeof(struct fat_dir), "an entry");
#define LAST_PART 0x40u
#define NO        0xFFFFu /* character behind the NUL */
#define PART(part, sum, a, b, c, d, e, f, g, h, i, j, k, l, m)                 \
    {                                                                          \
        part, {a, b, c, d, e}, FAT_ATTR_LONG_NAME, 0, sum, {f, g, h, i, j, k}, \
            0,                                                                 \
        {                                                                      \
            l, m                                                               \
        }                                                                      \
    }

#define ENTRY(name, attr, lower_case, cluster, size)                           \
    {                                                                          \
        .DIR_Name = name, .DIR_Attr = attr, .DIR_NTRes = lower_case,           \
        .DIR_CrtDate = FAT_DAY, .DIR_LstAccDate = FAT_DAY,                     \
        .DIR_WrtDate = FAT_DAY, .DIR_FstClusLO = cluster, .DIR_FileSize = size \
    }
#define HIDDEN FAT_ATTR_HIDDEN

/* Lines end in LF: fwupd takes the rest of a line as it is. */
static const char info_uf2[] =
    "UF2 Bootloader v" CONFIG_VERSION " Sallyport " CONFIG_BUILD "\n"
    "Model: " BOARD_MODEL "\n"
    "Board-ID: " BOARD_UF2_ID "\n";

static const struct {
    struct fat_dir info;
    struct long_name never_2, never_1;
    struct fat_dir never;
    struct long_name events_1;
    struct fat_dir events;
    struct long_name trashes_1;
    struct fat_dir trashes;
    struct long_name system_2, system_1;
    struct fat_dir system;
    struct fat_dir bin, uf2; /* where there is an application to read */
} directory = {
    ENTRY("INFO_UF2TXT", FAT_ATTR_ARCHIVE, 0, FAT_INFO_UF2,
          sizeof(info_uf2) - 1),
    PART(LAST_PART | 2, 0xA8, 'e', 'r', '_', 'i', 'n', 'd', 'e', 'x', 0, NO, NO,
         NO, NO),
    PART(1, 0xA8, '.', 'm', 'e', 't', 'a', 'd', 'a', 't', 'a', '_', 'n', 'e',
         'v'),
    ENTRY("METADA~1   ", HIDDEN, 0, 0, 0),
    PART(LAST_PART | 1, 0xDA, '.', 'f', 's', 'e', 'v', 'e', 'n', 't', 's', 'd',
         0, NO, NO),
    ENTRY("FSEVEN~1   ", HIDDEN | FAT_ATTR_DIRECTORY, 0, FAT_FSEVENTSD, 0),
    PART(LAST_PART | 1, 0x25, '.', 'T', 'r', 'a', 's', 'h', 'e', 's', 0, NO, NO,
         NO, NO),
    ENTRY("TRASHE~1   ", HIDDEN, 0, 0, 0),
    PART(LAST_PART | 2, 0x72, ' ', 'I', 'n', 'f', 'o', 'r', 'm', 'a', 't', 'i',
         'o', 'n', 0),
    PART(1, 0x72, 'S', 'y', 's', 't', 'e', 'm', ' ', 'V', 'o', 'l', 'u', 'm',
         'e'),
    ENTRY("SYSTEM~1   ", HIDDEN | FAT_ATTR_SYSTEM, 0, 0, 0),
    ENTRY("CURRENT BIN", FAT_ATTR_ARCHIVE, 0, FAT_BIN, 0),
    ENTRY("CURRENT UF2", FAT_ATTR_ARCHIVE, 0, FAT_UF2, 0),
};
_Static_assert(sizeof(directory) <= FAT_SECTOR - 2 * sizeof(struct fat_dir),
               "the root directory is more than a sector");

static const struct fat_dir fseventsd[] = {
    ENTRY(".          ", FAT_ATTR_DIRECTORY, 0, FAT_FSEVENTSD, 0),
    ENTRY("..         ", FAT_ATTR_DIRECTORY, 0, 0, 0),
    ENTRY("NO_LOG     ", HIDDEN, FAT_NAME_LOWER_CASE, 0, 0),
};

void fat_files_root(const struct fat *f, struct fat_dir *to)
{
    uint32_t n = sizeof(directory);

    if (!f->current)
        n -= sizeof(directory.bin) + sizeof(directory.uf2);
    memcpy(to, &directory, n);
    if (!f->current)
        return;
    to += n / sizeof(*to);
    to[-2].DIR_FileSize = f->current;
    to[-1].DIR_FileSize = blocks(f) * FAT_SECTOR;
}

/* ---- what is in them ---- */

static const uint8_t *app(void)
{
    return (const uint8_t *)PART_APP_START;
}

void fat_files_mount(struct fat *f)
{
    const uint32_t *v = (const uint32_t *)app();
    uint32_t size;

    memset(&f->current, 0, sizeof(*f) - offsetof(struct fat, current));
    if (!boot_vectors_ok(v))
        return;
    f->stamped = v[IMG_OFF_MAGIC / 4] == IMG_MAGIC;
    f->version = v[IMG_OFF_VERSION / 4];
#if CONFIG_STAGED
    if (stage_state(stage_record()) == STAGE_INSTALLED)
        memcpy(f->name, stage_record()->source.name, sizeof(f->name));
#endif
    size = boot_image_size(v);
    /* It goes as far as anything was written. */
    while (!f->stamped && v[size / 4 - 1] == BOARD_FLASH_ERASED)
        size -= 4;
    if (CONFIG_READBACK)
        f->current = size;
}

uint32_t fat_files_link(const struct fat *f, uint32_t cluster)
{
    uint32_t start = FAT_BIN, size = f->current;

    if (cluster < FAT_BIN)
        return FAT_END;
    if (cluster >= FAT_UF2) {
        start = FAT_UF2;
        size = blocks(f) * FAT_SECTOR;
    }
    start += CLUSTERS(size); /* behind its last one */
    if (cluster >= start)
        return FAT_BAD;
    return cluster + 1 == start ? FAT_END : cluster + 1;
}

/* n bytes of the application from an offset on, as far as it goes. */
static void current(const struct fat *f, uint32_t offset, uint8_t *to,
                    uint32_t n)
{
    if (offset >= f->current)
        return;
    if (n > f->current - offset)
        n = f->current - offset;
    memcpy(to, app() + offset, n);
}

/* A UF2 host could write it back as it is. */
static void block(const struct fat *f, uint32_t number, struct uf2 *to)
{
    if (number >= blocks(f))
        return;
    to->magic[0] = UF2_MAGIC0;
    to->magic[1] = UF2_MAGIC1;
    to->flags = UF2_HAS_FAMILY;
    to->address = PART_APP_START + number * UF2_DATA;
    to->size = UF2_DATA;
    to->number = number;
    to->blocks = blocks(f);
    to->family = BOARD_UF2_FAMILY;
    memset(to->data, BOARD_FLASH_ERASED & 0xFF, UF2_DATA);
    current(f, number * UF2_DATA, to->data, UF2_DATA);
    to->magic_end = UF2_MAGIC_END;
}

void fat_files_read(const struct fat *f, uint32_t sector, uint8_t *to)
{
    if (sector == 0)
        memcpy(to, info_uf2, sizeof(info_uf2) - 1);
    else if (sector == SECTORS(FAT_INFO_UF2, FAT_FSEVENTSD))
        memcpy(to, fseventsd, sizeof(fseventsd));
    else if (sector >= SECTORS(FAT_INFO_UF2, FAT_UF2))
        block(f, sector - SECTORS(FAT_INFO_UF2, FAT_UF2), (struct uf2 *)to);
    else if (sector >= SECTORS(FAT_INFO_UF2, FAT_BIN))
        current(f, (sector - SECTORS(FAT_INFO_UF2, FAT_BIN)) * FAT_SECTOR, to,
                FAT_SECTOR);
}
_Static_assert(sizeof(info_uf2) - 1 <= FAT_SECTOR, "it is one sector");

/* ---- status file ---- */

/* At most five digits. */
static char *decimal(char *to, uint32_t n)
{
    uint32_t unit = 10000;

    while (unit > 1 && unit > n)
        unit /= 10;
    for (; unit; unit /= 10)
        *to++ = (char)('0' + n / unit % 10);
    return to;
}

char *fat_files_status(const struct fat *f, char *to)
{
    static const char key[9] = "firmware:";

    if (!f->stamped && !f->name[0])
        return to;
    memcpy(to, key, sizeof(key));
    to += sizeof(key);
    if (f->stamped) {
        *to++ = ' ';
        to = decimal(to, f->version >> 24);
        *to++ = '.';
        to = decimal(to, f->version >> 16 & 0xFF);
        *to++ = '.';
        to = decimal(to, f->version & 0xFFFF);
    }
    for (uint32_t i = 0; f->name[0] && i < 11; i++) {
        uint8_t c = (uint8_t)f->name[i];

        if (i == 0)
            *to++ = ' ';
        if (c == ' ')
            continue;
        if (i == 8)
            *to++ = '.';
        /* in the code page of whoever wrote it */
        *to++ = c < ' ' || c > '~' ? '_' : (char)c;
    }
    *to++ = '\n';
    return to;
}
