/* SPDX-License-Identifier: MIT */
/*
 * formats.h - reads files that say themselves where their bytes belong, byte
 * by byte and without I/O: Intel HEX and DfuSe; and checks the suffix of a
 * .dfu.  The state is the caller's.
 *
 * Sources: Intel, "Hexadecimal Object File Format Specification", revision A
 * of 1988; ST UM0391, "DfuSe File Format Specification"; USB DFU 1.1,
 * appendix B.
 */
#ifndef SALLYPORT_FORMATS_H
#define SALLYPORT_FORMATS_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum format_kind {
    FORMAT_NONE,
    FORMAT_HEX,
    FORMAT_DFUSE,
    FORMAT_DFU, /* anything, and a suffix */
};

/* Bytes of a suffix (appendix B; the length that it says itself). */
#define FORMAT_SUFFIX 16u

struct format {
    uint8_t kind;     /* enum format_kind */
    uint8_t byte;     /* of the image, where `data` */
    bool data;        /* the last byte of the file gave one: */
    bool ended;       /* this is all of the file */
    uint32_t address; /* where it belongs; of an error: where that is, in a .dfu
                         also the offset in the file */
    uint32_t line;    /* of a .hex, from 1 */

    /* The rest is the reader's. */
    bool open;                /* inside a record */
    bool outside;             /* some of the record's data are */
    uint8_t digits;           /* a byte's first digit, 0x1x; 0: none yet */
    uint8_t sum, count, type; /* of the record */
    uint8_t step;             /* of a .dfu */
    uint8_t targets;          /* that follow */
    uint8_t alternate;        /* setting */
    bool foreign;             /* the suffix is another device's */
    uint16_t at;              /* bytes of the record or step so far */
    uint32_t base, wrap;      /* addresses are base + (offset & wrap) */
    uint32_t offset;          /* in the record's segment */
    uint32_t word;            /* the last four bytes */
    uint32_t pos;             /* in the file */
    uint32_t left;            /* bytes of the element */
    uint32_t elements;        /* that follow */
    uint32_t crc;
};

/* In the first record of a .hex: its type's last digit. */
#define FORMAT_HEX_TYPE 8u

/* What a file looks like by its first 16 bytes, aligned to 4. */
enum format_kind format_of(const void *start);

/* size: of the file, bytes; FORMAT_DFU needs it. */
void format_begin(struct format *f, enum format_kind kind, uint32_t size);

/* The next byte of the file.  ERR_CHECK: it is damaged, or malformed;
 * ERR_ADDRESS: it has data for outside of the slot; ERR_INCOMPLETE: there is no
 * suffix where it should be; ERR_PRODUCT: it is for another device.  Nothing
 * may follow an error. */
enum err format_take(struct format *f, uint8_t byte);

#endif
