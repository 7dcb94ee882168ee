/* SPDX-License-Identifier: MIT */
/*
 * fat.h - the volume that the drive shows: FAT32 as every host takes it,
 * made sector by sector from constants.  Nothing of it is stored, so it is
 * clean and whole at each mount, whatever was written to it before.
 *
 * The number of clusters is what makes a volume FAT32 (FAT specification 1.03,
 * "FAT Type Determination"), so it has 257 MB of addresses.  Of its clusters
 * only a window right behind the volume's own ones is free, with room for the
 * largest file that is accepted and for what hosts leave on a volume; the FAT
 * says of all others that they are bad.
 */
#ifndef SALLYPORT_FAT_H
#define SALLYPORT_FAT_H

#include "config.h"
#include "err.h"
#include "part.h"
#include "plat.h"

#include <stdbool.h>
#include <stdint.h>

#define FAT_SECTOR  512u
#define FAT_CLUSTER 4096u

/* A FAT of whole sectors, all of its entries in use.  65,525 clusters are the
 * fewest of FAT32, and one keeps away from that number. */
#define FAT_SIZE          516u /* sectors of each of the two */
#define FAT_RESERVED      32u  /* sectors before the first one */
#define FAT_ENTRIES       (FAT_SECTOR / 4u * FAT_SIZE)
#define FAT_FIRST_CLUSTER 2u
#define FAT_CLUSTERS      (FAT_ENTRIES - FAT_FIRST_CLUSTER)

/* Sectors, as LBA: a cluster, the end of the volume. */
#define FAT_LBA(cluster)                                                       \
    (FAT_RESERVED + 2u * FAT_SIZE +                                            \
     ((cluster)-FAT_FIRST_CLUSTER) * (FAT_CLUSTER / FAT_SECTOR))
#define FAT_VOLUME FAT_LBA(FAT_ENTRIES)

#define FAT_INFO 1u /* sector: FSINFO */
/* Offset in the boot sector: bit 0 is set by hosts while the volume is in use.
 */
#define FAT_DIRTY 0x41u

/* Clusters: root directory, status file, and the free ones behind them. */
#define FAT_ROOT   2u
#define FAT_STATUS 3u
#define FAT_FREE   4u

/* A .uf2 takes twice its image, a .hex with 16 bytes a record 2.8 times. */
#define FAT_LARGEST_FILE ((CONFIG_FORMATS ? 3u : 2u) * PART_APP_SIZE)
#define FAT_LITTER       (128u * 1024u)
#define FAT_FREE_CLUSTERS                                                      \
    ((FAT_LARGEST_FILE + FAT_LITTER + FAT_CLUSTER - 1u) / FAT_CLUSTER)
#define FAT_FREE_END (FAT_FREE + FAT_FREE_CLUSTERS)

/* Behind those, with CONFIG_FILES, the other files that can be read:
 * INFO_UF2.TXT, the directory .fseventsd, CURRENT.BIN, CURRENT.UF2.  Systems
 * that take the lowest free clusters do not get to theirs when they are deleted
 * or replaced. */
#define FAT_INFO_UF2  FAT_FREE_END
#define FAT_FSEVENTSD (FAT_INFO_UF2 + 1u)
#define FAT_BIN       (FAT_FSEVENTSD + 1u)
#define FAT_UF2       (FAT_BIN + PART_APP_SIZE / FAT_CLUSTER + 1u)
#define FAT_FILES_END (FAT_UF2 + 2u * PART_APP_SIZE / FAT_CLUSTER + 1u)

_Static_assert(!CONFIG_FILES || FAT_FILES_END < 0x10000u,
               "entries have 16 bits of a cluster's number");
_Static_assert(CONFIG_MSC || !CONFIG_FILES, "files of what?");
_Static_assert(FAT_CLUSTERS >= 65525u + 32u, "hosts would take it for FAT16");
_Static_assert(FAT_FREE_END <= FAT_ENTRIES, "no room for the largest file");

/* What the name of the status file says: READY.txt, ... */
enum fat_state { FAT_READY, FAT_SUCCESS, FAT_ERROR };

/* All zero is READY. */
struct fat {
    uint8_t state;   /* enum fat_state */
    uint8_t err;     /* enum err: of what the drive says, why with FAT_ERROR */
    uint32_t offset; /* where in the file, as far as that is known */
#if CONFIG_FORMATS
    uint32_t line; /* of a .hex, where offset is an address; or 0 */
#endif
#if CONFIG_FILES
    /* Of the application, since the last fat_files_mount(): */
    uint32_t current; /* bytes of CURRENT.BIN; 0: there is none */
    bool stamped;
    uint32_t version; /* if so */
    char name[12];    /* of the file that it came as, 8.3 as a directory has it,
                         or zeros */
#endif
};

/* What is known of a cluster.  All in one place, and its size a power of two:
 * that makes the code shorter. */
struct fat_cluster {
    uint16_t link;  /* the entry in the FAT: its lower half; from FAT_LAST on
                       the upper half is ones, else zero */
    uint16_t place; /* in the file that is looked at: sectors to the cluster's
                       end; 0: not in it */
    uint16_t came;  /* one bit a sector: was written; staged: eight bits more:
                       and lies in download */
    uint8_t page[CONFIG_STAGED ? FAT_CLUSTER / BOARD_FLASH_PAGE
                               : 2]; /* staged: where, of each of the cluster's
pages: 0: nowhere (stage_file_write()) */
};

/* FAT_FREE_END of them, all zero: makes the FAT as it is on a volume that
 * nobody wrote to. */
#define FAT_LAST 0xFFF8u
void fat_mount(struct fat_cluster *cluster);

/* The end of a chain, and what no host uses. */
#define FAT_END 0x0FFFFFFFu
#define FAT_BAD 0x0FFFFFF7u

/* Laid over the bytes of a sector, in the byte order of the CPU. */
#define FAT_OVERLAY __attribute__((may_alias))

/* A sector of the FAT has so many. */
typedef uint32_t FAT_OVERLAY fat_entry;
#define FAT_SECTOR_ENTRIES (FAT_SECTOR / sizeof(fat_entry))

/* Clauses "Directory Structure" and "Long Names". */
struct FAT_OVERLAY fat_dir {
    uint8_t DIR_Name[11];
    uint8_t DIR_Attr;
    uint8_t DIR_NTRes;
    uint8_t DIR_CrtTimeTenth;
    uint16_t DIR_CrtTime;
    uint16_t DIR_CrtDate;
    uint16_t DIR_LstAccDate;
    uint16_t DIR_FstClusHI;
    uint16_t DIR_WrtTime;
    uint16_t DIR_WrtDate;
    uint16_t DIR_FstClusLO;
    uint32_t DIR_FileSize;
};
_Static_assert(sizeof(struct fat_dir) == 32, "clause 6");

#define FAT_ATTR_HIDDEN          0x02u
#define FAT_ATTR_SYSTEM          0x04u
#define FAT_ATTR_VOLUME_ID       0x08u
#define FAT_ATTR_DIRECTORY       0x10u
#define FAT_ATTR_ARCHIVE         0x20u
#define FAT_ATTR_LONG_NAME       0x0Fu
#define FAT_LONG_NAME_PART       0x1Fu /* its number, in the first byte */
#define FAT_DELETED              0xE5u /* in the first byte */
#define FAT_NAME_LOWER_CASE      0x08u /* as Windows NT has it, */
#define FAT_EXTENSION_LOWER_CASE 0x10u /* and this */

/* Of everything on the volume. */
#define FAT_DATE(year, month, day) (((year)-1980) << 9 | (month) << 5 | (day))
#define FAT_DAY                    FAT_DATE(2026, 2, 28)

/* The status file as far as the error's sentence.  Its lines serve as string
 * descriptors, too. */
#define FAT_VERSION CONFIG_VERSION "+" CONFIG_BUILD
struct FAT_OVERLAY fat_text {
    char product_key[9];
    char product[sizeof(BOARD_MODEL)];
    char board[sizeof("board: " BOARD_NAME)];
    char version[sizeof("version: " FAT_VERSION)];
    char slot_key[8];
    char slot_start[8];
    char plus[3];
    char slot_size[8 + 1];
    char flash_key[7];
    char layout[PART_LAYOUT_SIZE];
    char serial_key[8];
    char serial[PLAT_SERIAL_DIGITS + 1];
    char offset_key[10];
    char offset[8 + 1];
    char state_key[8];
    char state[7];
    char code_key[4];
    char sentence[];
};
extern const struct fat_text fat_text;

/* The sector as it is on a volume where nobody wrote to more than the FAT.
 * `to` is aligned to 4 bytes. */
void fat_read(const struct fat *f, const struct fat_cluster *cluster,
              uint32_t lba, uint8_t *to);

#if CONFIG_FILES
/* ---- fat_files.c ---- */

/* Before each connection to the bus: looks at the application, which is what
 * CURRENT.BIN and CURRENT.UF2 are until the next time. */
void fat_files_mount(struct fat *f);
/* Behind the status file's entry: those of the others. */
void fat_files_root(const struct fat *f, struct fat_dir *to);
/* The entry in the FAT of a cluster from FAT_INFO_UF2 on. */
uint32_t fat_files_link(const struct fat *f, uint32_t cluster);
/* A sector of those clusters, counted from the first one's; `to` is zeros. */
void fat_files_read(const struct fat *f, uint32_t sector, uint8_t *to);
/* The status file's line about the application, where its version or name is
 * known; returns where the text goes on. */
#define FAT_FILES_STATUS sizeof("firmware: 255.255.65535 12345678.BIN")
char *fat_files_status(const struct fat *f, char *to);
#endif

#endif
