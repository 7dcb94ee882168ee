/* SPDX-License-Identifier: MIT */
/*
 * fw.h - firmware in memory: bytes at 32-bit addresses, with gaps.  Every
 * reader fills one of these and every writer takes one.
 *
 * Held in pages with a bit for each byte that is there, so the order in
 * which a file brings its data does not matter for the time that it takes,
 * and two parts that overlap are noticed at once.
 */
#ifndef SALLYPORT_FW_H
#define SALLYPORT_FW_H

#include "fail.h"

#include <stddef.h>
#include <stdint.h>

#define FW_PAGE   4096u
#define FW_TABLES 1024u /* of FW_TABLES pages each: 4 GB */

/* One past the last address; what fw_find() returns for "nowhere". */
#define FW_END (1ull << 32)

/* No firmware for a microcontroller is larger; a damaged file may claim to
 * be.  Bytes. */
#define FW_MAX_SIZE (256u * 1024 * 1024)

enum fw_format {
    FW_BIN,
    FW_HEX,
    FW_ELF,
    FW_UF2,
    FW_SREC,
    FW_DFUSE, /* .dfu with addresses */
    FW_DFU,   /* plain .dfu: a raw binary with a suffix */
};

/* An id in a .dfu file that fits every device. */
#define FW_ANY_ID 0xFFFFu

struct fw_table;

/* Contents belong to fw.c and the readers; others may read and set the lower
 * part.  fw_init() before, fw_free() after use. */
struct fw {
    struct fw_table *table[FW_TABLES];
    uint32_t pages; /* allocated */

    enum fw_format format; /* of the file that it came from */
    bool placed;           /* the addresses are real; else they start at 0 */
    bool has_entry;        /* the file names an entry point */
    uint32_t entry;
    bool has_family; /* it is for chips of one family: an id of UF2 */
    uint32_t family;
    uint16_t vid, pid; /* of a .dfu: the device that it is for */
    uint16_t bcd_device;
    bool plain_dfu; /* a .dfu that is written gets no addresses */

    /* Alternate setting of the DFU interface that the bytes are for (for
     * ST's: internal flash, option bytes ...), and what the file calls it.
     * Other formats have but one, 0; an S-record file has a name as well. */
    uint8_t alternate;
    char name[256];
    struct fw *next; /* the bytes of another one, owned; NULL behind the last */
};

void fw_init(struct fw *fw);
void fw_free(struct fw *fw);

void fw_set_family(struct fw *fw, uint32_t family);

/* The bytes of an alternate setting: fw or one behind it, made where there is
 * none.  NULL: FAIL_SYSTEM, no memory. */
struct fw *fw_at_alternate(struct fw *fw, uint8_t alternate, struct fail *f);

/* Drops all alternate settings but this one.  FAIL_UNFIT: it is not there. */
bool fw_keep_alternate(struct fw *fw, uint8_t alternate, struct fail *f);

/* Adds n bytes.  Bytes that are there already must be the same.
 * FAIL_INPUT: they differ, or the data goes past the end of the address
 * space, or there is too much of it; FAIL_SYSTEM: no memory. */
bool fw_add(struct fw *fw, uint32_t addr, const void *data, size_t n,
            struct fail *f);

/* Puts n bytes over whatever is there.  Errors as fw_add(). */
bool fw_set(struct fw *fw, uint32_t addr, const void *data, size_t n,
            struct fail *f);

/* Sets the bytes of [from, to) that are not there.  Errors as fw_add(). */
bool fw_fill(struct fw *fw, uint64_t from, uint64_t to, uint8_t byte,
             struct fail *f);

/* Copies n bytes at addr, `fill` for those that are not there. */
void fw_get(const struct fw *fw, uint64_t addr, void *dst, size_t n,
            uint8_t fill);

/* First address at or behind `from` where a byte is there (present) or not
 * there; FW_END where there is none. */
uint64_t fw_find(const struct fw *fw, uint64_t from, bool present);

/* First address and one past the last.  False: there is no data. */
bool fw_span(const struct fw *fw, uint64_t *start, uint64_t *end);

/* Reads a file of any format, told apart by content.  address: where the data
 * of one without addresses (fw_format_has_place()) belongs, or NULL: it is
 * placed at 0 and fw->placed stays false.  Ignored by the other formats.  fw
 * has to be empty; after an error its contents are undefined (still to be
 * freed). */
bool fw_load(struct fw *fw, const char *path, const uint32_t *address,
             struct fail *f);

/* What fw_save() makes of a file name, by its ending: .bin, .hex, .srec, .uf2,
 * or FW_DFUSE for .dfu.  FAIL_USAGE for another. */
bool fw_format_of(const char *path, enum fw_format *format, struct fail *f);

/* Writes the format of the name; .bin and a plain .dfu from the first byte on
 * (gaps 0xFF).  An existing file is replaced in one step or stays as it is.
 * FAIL_UNFIT: the format cannot hold this, or it needs addresses and there are
 * none; FAIL_SYSTEM: the file cannot be written. */
bool fw_save(const struct fw *fw, const char *path, struct fail *f);

/* "Intel HEX" ... */
const char *fw_format_name(enum fw_format format);

/* Does a file of this format say where its data belongs? */
bool fw_format_has_place(enum fw_format format);

#endif
