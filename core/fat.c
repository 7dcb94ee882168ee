/* SPDX-License-Identifier: MIT */
/*
 * fat.c - the volume of fat.h.  Names, offsets and values of fields are those
 * of the FAT32 File System Specification 1.03.
 */
#include "fat.h"

#include "part.h"
#include "plat.h"

#include <string.h>

#define U16(n) (uint8_t)((n)&0xFFu), (uint8_t)((n) >> 8 & 0xFFu)
#define U32(n) U16((n)), U16((n) >> 16)

/* ---- reserved sectors ---- */

#define LABEL        'B', 'O', 'O', 'T', 'L', 'O', 'A', 'D', 'E', 'R', ' '
#define LABEL_LENGTH 11u

#define FSINFO_SECTOR 1u
#define BACKUP_SECTOR 6u

static const uint8_t boot_sector[] = {
    0xEB,
    0x58,
    0x90, /* BS_jmpBoot */
    'M',
    'S',
    'W',
    'I',
    'N',
    '4',
    '.',
    '1',                      /* BS_OEMName */
    U16(FAT_SECTOR),          /* BPB_BytsPerSec */
    FAT_CLUSTER / FAT_SECTOR, /* BPB_SecPerClus */
    U16(FAT_RESERVED),        /* BPB_RsvdSecCnt */
    2,                        /* BPB_NumFATs */
    U16(0),                   /* BPB_RootEntCnt */
    U16(0),                   /* BPB_TotSec16 */
    0xF8,                     /* BPB_Media */
    U16(0),                   /* BPB_FATSz16 */
    U16(63),                  /* BPB_SecPerTrk */
    U16(255),                 /* BPB_NumHeads */
    U32(0),                   /* BPB_HiddSec */
    U32(FAT_VOLUME),          /* BPB_TotSec32 */
    U32(FAT_SIZE),            /* BPB_FATSz32 */
    U16(0),                   /* BPB_ExtFlags: FATs mirrored */
    U16(0),                   /* BPB_FSVer */
    U32(FAT_ROOT),            /* BPB_RootClus */
    U16(FSINFO_SECTOR),       /* BPB_FSInfo */
    U16(BACKUP_SECTOR),       /* BPB_BkBootSec */
    U32(0),
    U32(0),
    U32(0),             /* BPB_Reserved */
    0x80,               /* BS_DrvNum */
    0,                  /* BS_Reserved1: clean */
    0x29,               /* BS_BootSig */
    U32(BOARD_PRODUCT), /* BS_VolID */
    LABEL,              /* BS_VolLab */
    'F',
    'A',
    'T',
    '3',
    '2',
    ' ',
    ' ',
    ' ', /* BS_FilSysType */
};
#define BS_VOLLAB 71u

static void put32(uint8_t *to, uint32_t value)
{
    memcpy(__builtin_assume_aligned(to, 4), &value, 4);
}

static void reserved(uint32_t sector, uint8_t *to)
{
    if (sector >= BACKUP_SECTOR)
        sector -= BACKUP_SECTOR;
    if (sector == 0)
        memcpy(to, boot_sector, sizeof(boot_sector));
    else if (sector == FSINFO_SECTOR) {
        put32(to, 0x41615252);              /* FSI_LeadSig */
        put32(to + 484, 0x61417272);        /* FSI_StrucSig */
        put32(to + 488, FAT_FREE_CLUSTERS); /* FSI_Free_Count */
        put32(to + 492, FAT_FREE - 1);      /* FSI_Nxt_Free: Linux starts
                                               behind it */
    }
    if (sector <= 2)
        put32(to + 508, 0xAA550000);
}

/* ---- FAT ---- */

#define END_OF_CHAIN 0x0FFFFFFFu /* and clean, in the second entry */
#define BAD_CLUSTER  0x0FFFFFF7u

static void table(uint32_t cluster, uint8_t *to)
{
    uint32_t n;

    for (n = 0; n < FAT_SECTOR; n += 4, cluster++) {
        uint32_t entry = END_OF_CHAIN;

        if (cluster >= FAT_FREE)
            entry = cluster < FAT_FREE_END ? 0 : BAD_CLUSTER;
        if (cluster == 0)
            entry = 0x0FFFFFF8; /* BPB_Media */
        put32(to + n, entry);
    }
}

/* ---- status file ---- */

static const char state_name[][8] = {"READY", "SUCCESS", "ERROR"};

static char *put(char *to, const char *text)
{
    while (*text)
        *to++ = *text++;
    return to;
}

static char *put_hex(char *to, uint32_t value, uint32_t digits)
{
    for (value <<= 32 - 4 * digits; digits; digits--, value <<= 4) {
        uint32_t nibble = value >> 28;

        *to++ = (char)(nibble < 10 ? '0' + nibble : 'A' - 10 + nibble);
    }
    return to;
}

/* The sentences one behind the other, each with its error before it in a
 * byte: the status is less than 16, so is the number. */
#define ERR_KEY(e) ((uint8_t)((e) | (e) >> 4))
#define ERR_FIELDS(name, status, number, sentence)                             \
    uint8_t name##_key;                                                        \
    char name##_text[sizeof(sentence)];
#define ERR_FILL(name, status, number, sentence) ERR_KEY(name), sentence,
static const struct {
    ERR_LIST(ERR_FIELDS)
} sentences = {ERR_LIST(ERR_FILL)};

static const char *err_sentence(uint32_t e)
{
    const char *s = (const char *)&sentences;

    while ((uint8_t)*s != ERR_KEY(e))
        while (*s++)
            ;
    return s + 1;
}

/* "1008" without a format: the compiler makes the digits. */
#define DIGIT(n, unit) (char)((n) < (unit) ? ' ' : '0' + (n) / (unit) % 10)
#define KB             (PART_APP_SIZE / 1024u)

#define HEAD                                                                   \
    "product: " BOARD_MODEL "\r\n"                                             \
    "board: " BOARD_NAME "\r\n"                                                \
    "version: " CONFIG_VERSION "\r\n"                                          \
    "build: " CONFIG_BUILD "\r\n"                                              \
    "flash: "

/* Returns its length; never more than a sector. */
static uint32_t status(const struct fat *f, uint8_t *to)
{
    char *t = put((char *)to, HEAD);

    t = put(t, part_layout);
    t = put(t, "\r\nslot: 0x");
    t = put_hex(t, PART_APP_START, 8);
    t = put(t, "+0x");
    t = put_hex(t, PART_APP_SIZE, 8);
    t = put(t, "\r\nserial: ");
    plat_serial(t);
    t = put(t + PLAT_SERIAL_DIGITS, "\r\nstate: ");
    t = put(t, state_name[f->state]);
    t = put(t, "\r\ncode: 0x");
    t = put_hex(t, err_dfu_status(f->err), 2);
    t = put(t, "\r\nreason: ");
    t = put(t, err_sentence(f->err));
    t = put(t, "\r\noffset: 0x");
    t = put_hex(t, f->offset, 8);
    t = put(t, "\r\n");
    return (uint32_t)(t - (char *)to);
}

/* ---- root directory ---- */

#define DATE(year, month, day) (((year)-1980) << 9 | (month) << 5 | (day))

#define ATTR_VOLUME_ID       0x08
#define ATTR_ARCHIVE         0x20
#define EXTENSION_LOWER_CASE 0x10 /* of Windows NT, in DIR_NTRes */

#define ENTRY(attributes, nt, date, cluster)                                   \
    attributes, nt, 0, U16(0), U16(date), U16(date), U16((cluster) >> 16),     \
        U16(0), U16(date), U16((cluster)&0xFFFFu)

static const uint8_t root[] = {
    LABEL,
    ENTRY(ATTR_VOLUME_ID, 0, DATE(2026, 1, 1), 0),
    U32(0),
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
    ' ',
    'T',
    'X',
    'T',
    ENTRY(ATTR_ARCHIVE, EXTENSION_LOWER_CASE, DATE(2026, 1, 1), FAT_STATUS),
};
_Static_assert(sizeof(root) == 60, "the size is next");

void fat_read(const struct fat *f, uint32_t lba, uint8_t *to)
{
    uint32_t size = 0;

    memset(to, 0, FAT_SECTOR);
    if (lba < FAT_RESERVED)
        reserved(lba, to);
    else if (lba < FAT_RESERVED + 2 * FAT_SIZE)
        table((lba - FAT_RESERVED) % FAT_SIZE * (FAT_SECTOR / 4), to);
    else if (lba == FAT_LBA(FAT_STATUS))
        status(f, to);
    else if (lba == FAT_LBA(FAT_ROOT)) {
        size = status(f, to);
        memset(to, 0, FAT_SECTOR);
        memcpy(to, root, sizeof(root));
        put((char *)to + 32, state_name[f->state]);
        put32(to + 60, size);
    }
}
