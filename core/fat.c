/* SPDX-License-Identifier: MIT */
/*
 * fat.c - the volume of fat.h.  Names, offsets and values of fields are those
 * of the FAT32 File System Specification 1.03.
 */
#include "fat.h"

#include "hex.h"
#include "part.h"
#include "plat.h"

#include <string.h>

/* ---- reserved sectors ---- */

#define BACKUP_SECTOR 6u
#define MEDIA         0xF8u /* fixed disk; in the first FAT entry, too */

static const struct __attribute__((packed)) boot_sector {
    uint8_t BS_jmpBoot[3];
    char BS_OEMName[8];
    uint16_t BPB_BytsPerSec;
    uint8_t BPB_SecPerClus;
    uint16_t BPB_RsvdSecCnt;
    uint8_t BPB_NumFATs;
    uint16_t BPB_RootEntCnt;
    uint16_t BPB_TotSec16;
    uint8_t BPB_Media;
    uint16_t BPB_FATSz16;
    uint16_t BPB_SecPerTrk;
    uint16_t BPB_NumHeads;
    uint32_t BPB_HiddSec;
    uint32_t BPB_TotSec32;
    uint32_t BPB_FATSz32;
    uint16_t BPB_ExtFlags;
    uint16_t BPB_FSVer;
    uint32_t BPB_RootClus;
    uint16_t BPB_FSInfo;
    uint16_t BPB_BkBootSec;
    uint8_t BPB_Reserved[12];
    uint8_t BS_DrvNum;
    uint8_t BS_Reserved1; /* Windows and Linux note here: not clean */
    uint8_t BS_BootSig;
    uint32_t BS_VolID;
    char BS_VolLab[11];
    char BS_FilSysType[8];
} boot_sector = {
    .BS_jmpBoot = {0xEB, 0x58, 0x90},
    .BS_OEMName = "MSWIN4.1",
    .BPB_BytsPerSec = FAT_SECTOR,
    .BPB_SecPerClus = FAT_CLUSTER / FAT_SECTOR,
    .BPB_RsvdSecCnt = FAT_RESERVED,
    .BPB_NumFATs = 2,
    .BPB_Media = MEDIA,
    .BPB_SecPerTrk = 63,
    .BPB_NumHeads = 255,
    .BPB_TotSec32 = FAT_VOLUME,
    .BPB_FATSz32 = FAT_SIZE,
    .BPB_RootClus = FAT_ROOT,
    .BPB_FSInfo = FAT_INFO,
    .BPB_BkBootSec = BACKUP_SECTOR,
    .BS_DrvNum = 0x80,
    .BS_BootSig = 0x29,
    .BS_VolID = BOARD_PRODUCT,
    .BS_VolLab = "BOOTLOADER ",
    .BS_FilSysType = "FAT32   ",
};

struct FAT_OVERLAY fsinfo {
    uint32_t FSI_LeadSig;
    uint8_t FSI_Reserved1[480];
    uint32_t FSI_StrucSig;
    uint32_t FSI_Free_Count;
    uint32_t FSI_Nxt_Free;
    uint8_t FSI_Reserved2[12];
    uint32_t FSI_TrailSig;
};
_Static_assert(sizeof(struct fsinfo) == FAT_SECTOR, "a sector");

static void reserved(uint32_t sector, struct fsinfo *to)
{
    if (sector >= BACKUP_SECTOR)
        sector -= BACKUP_SECTOR;
    if (sector == 0)
        memcpy(to, &boot_sector, sizeof(boot_sector));
    else if (sector == FAT_INFO) {
        to->FSI_LeadSig = 0x41615252;
        to->FSI_Free_Count = FAT_FREE_CLUSTERS;
        to->FSI_Nxt_Free = FAT_FREE - 1; /* Linux looks behind it */
        to->FSI_StrucSig = 0x61417272;
    }
    to->FSI_TrailSig = 0xAA550000; /* a boot sector has the same */
}

/* ---- FAT ---- */

static void table(const struct fat *f, const struct fat_cluster *clusters,
                  uint32_t cluster, fat_entry *to)
{
    fat_entry *end = to + FAT_SECTOR_ENTRIES;

    for (; to < end; cluster++) {
        uint32_t entry = FAT_BAD;

        if (cluster < FAT_FREE_END)
            entry = (uint32_t)(int16_t)clusters[cluster].link;
#if CONFIG_FILES
        else
            entry = fat_files_link(f, cluster);
#endif
        *to++ = entry & 0x0FFFFFFF;
    }
    (void)f;
}

void fat_mount(struct fat_cluster *cluster)
{
    for (uint32_t i = 0; i < FAT_FREE; i++)
        cluster[i].link = 0xFFFF; /* of 1: clean */
    cluster[0].link = 0xFF00 | MEDIA;
}

/* ---- status file ---- */

const struct fat_text fat_text = {
    .product_key = "product: ",
    .product = BOARD_MODEL "\n",
    .board = "board: " BOARD_NAME "\n",
    .version = "version: " FAT_VERSION "\n",
    .slot_key = "slot: 0x",
    .slot_start = {HEX_CHARS(PART_APP_START)},
    .plus = "+0x",
    .slot_size = {HEX_CHARS(PART_APP_SIZE), '\n'},
    .flash_key = "flash: ",
    .layout = {PART_LAYOUT_ENDING('\n')},
    .serial_key = "serial: ",
    .serial = {[PLAT_SERIAL_DIGITS] = '\n'},
    .offset_key = "offset: 0x",
    .offset = {[8] = '\n'},
    .state_key = "result: ",
    .code_key = " 0x0",
};

/* Seven of the eight characters of a name; the last is a space. */
static const char state_name[][8] = {"READY  ", "SUCCESS", "ERROR  "};

/* The sentences one behind the other, as many times LINES down as the error's
 * number is, each after its number's digit.  What the drive never says is
 * empty. */
#if CONFIG_FILES
#define LINES                   2u
#define SAYS(sentence, chinese) " " sentence "\n" chinese "\n"
#define NOTHING                 "\n\n"
#define BEHIND                  FAT_FILES_STATUS
#else
#define LINES                   1u
#define SAYS(sentence, chinese) " " sentence "\n"
#define NOTHING                 "\n"
#define BEHIND                  0
#endif
#define ERR_FIELDS(name, status, sentence, chinese)                            \
    char name##_digit;                                                         \
    char name##_text[sizeof(SAYS(sentence, chinese)) - 1];
#define NO_FIELDS(name, status, sentence, chinese) char name##_text[LINES];
#define ERR_FILL(name, status, sentence, chinese)                              \
    HEX_CHAR(DFU_STATUS_##status, 0), SAYS(sentence, chinese),
#define NO_FILL(name, status, sentence, chinese) NOTHING,
#if CONFIG_DFU
#define BOTH_FIELDS ERR_FIELDS
#define BOTH_FILL   ERR_FILL
#else
#define BOTH_FIELDS NO_FIELDS
#define BOTH_FILL   NO_FILL
#endif
static const struct {
    ERR_LIST_OF(ERR_FIELDS, NO_FIELDS, BOTH_FIELDS)
} sentences = {ERR_LIST_OF(ERR_FILL, NO_FILL, BOTH_FILL)};

#define ERR_LINE(name, status, sentence, chinese) name##_line,
enum { ERR_LIST(ERR_LINE) };
#define IN_ORDER(name, status, sentence, chinese)                              \
    _Static_assert((int)name##_line == (int)name, #name " is at its line");
ERR_LIST_OF(IN_ORDER, ERR_SKIP, IN_ORDER)

static const char *err_sentence(uint32_t e)
{
    const char *s = (const char *)&sentences;

    e *= LINES;
    while (e)
        if (*s++ == '\n')
            e--;
    return s;
}

#if CONFIG_FORMATS
#define LINE_SIZE sizeof("line: 123456")

static char *line(uint32_t n, char *to)
{
    static const char key[6] = "line: ";

    memcpy(to, key, sizeof(key));
    to += sizeof(key);
    for (uint32_t unit = 100000; unit; unit /= 10)
        if (n >= unit)
            *to++ = (char)('0' + n / unit % 10);
    *to++ = '\n';
    return to;
}
#else
#define LINE_SIZE 0
#endif

#define FITS(name, status, sentence, chinese)                                  \
    _Static_assert(sizeof(struct fat_text) + 1 +                               \
                           sizeof(SAYS(sentence, chinese)) + LINE_SIZE +       \
                           BEHIND <=                                           \
                       FAT_SECTOR,                                             \
                   #name ": the text is more than a sector");
ERR_LIST(FITS)

/* Returns its length. */
static uint32_t status(const struct fat *f, const char *name,
                       struct fat_text *to)
{
    const char *from;
    char *end = to->sentence, c;

    memcpy(to, &fat_text, sizeof(*to));
    plat_serial(to->serial);
    hex_word(to->offset, f->offset);
    memcpy(to->state, name, sizeof(to->state));
    from = err_sentence(f->err);
    for (uint32_t lines = LINES; lines; lines--)
        do {
            c = *from++;
            *end++ = c;
        } while (c != '\n');
#if CONFIG_FORMATS
    if (f->line)
        end = line(f->line, end);
#endif
#if CONFIG_FILES
    end = fat_files_status(f, end);
#endif
    return (uint32_t)(end - (char *)to);
}

/* ---- root directory ---- */

static void root(const struct fat *f, const char *name, struct fat_dir *to,
                 uint32_t size)
{
    memcpy(to->DIR_Name, boot_sector.BS_VolLab, sizeof(to->DIR_Name));
    to->DIR_Attr = FAT_ATTR_VOLUME_ID;
    to->DIR_WrtDate = FAT_DAY;
    to++;
    memcpy(to->DIR_Name, name, 7);
    to->DIR_Name[7] = ' ';
    to->DIR_Name[8] = 'T';
    to->DIR_Name[9] = 'X';
    to->DIR_Name[10] = 'T';
    to->DIR_Attr = FAT_ATTR_ARCHIVE;
    to->DIR_NTRes = FAT_EXTENSION_LOWER_CASE;
    to->DIR_CrtTimeTenth = 0;
    to->DIR_CrtTime = 0;
    to->DIR_CrtDate = FAT_DAY;
    to->DIR_LstAccDate = FAT_DAY;
    to->DIR_WrtDate = FAT_DAY;
    to->DIR_FstClusLO = FAT_STATUS;
    to->DIR_FileSize = size;
#if CONFIG_FILES
    fat_files_root(f, to + 1);
#endif
    (void)f;
}

void fat_read(const struct fat *f, const struct fat_cluster *cluster,
              uint32_t lba, uint8_t *to)
{
    const char *name = state_name[f->state];
    uint32_t size;

    memset(to, 0, FAT_SECTOR);
    if (lba < FAT_RESERVED) {
        reserved(lba, (void *)to);
        return;
    }
    lba -= FAT_RESERVED;
    if (lba < 2 * FAT_SIZE) {
        if (lba >= FAT_SIZE)
            lba -= FAT_SIZE;
        table(f, cluster, lba * FAT_SECTOR_ENTRIES, (void *)to);
        return;
    }
    lba -= FAT_LBA(FAT_ROOT) - FAT_RESERVED;
#if CONFIG_FILES
    if (lba >= FAT_LBA(FAT_INFO_UF2) - FAT_LBA(FAT_ROOT)) {
        fat_files_read(f, lba - (FAT_LBA(FAT_INFO_UF2) - FAT_LBA(FAT_ROOT)),
                       to);
        return;
    }
#endif
    if (lba != 0 && lba != FAT_LBA(FAT_STATUS) - FAT_LBA(FAT_ROOT))
        return;
    /* Made for both, because the directory needs its size. */
    size = status(f, name, (void *)to);
    if (lba == 0) {
        memset(to, 0, size);
        root(f, name, (void *)to, size);
    }
}
