/* SPDX-License-Identifier: MIT
 *
 * Files that users drop onto a drive, made from a seed: firmware as .bin,
 * .uf2, .hex and .dfu, and all that is none.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The board as its data sheet has it. */
struct trial_board {
    const char *name;
    uint32_t slot, slot_size; /* of the application */
    uint32_t ram, ram_size;
    uint32_t product, family; /* of stamps; of UF2 blocks */
    uint32_t other_family;    /* that of another board */
    uint16_t vid, pid;        /* of the device, as a .dfu has them */
};

enum payload_kind {
    PAYLOAD_BIN,        /* stamped */
    PAYLOAD_BIN_TAIL,   /* and with data behind the image */
    PAYLOAD_PLAIN,      /* no stamp */
    PAYLOAD_UF2,        /* of a stamped image */
    PAYLOAD_UF2_PLAIN,  /* of one without a stamp */
    PAYLOAD_UF2_GAPS,   /* blank blocks are left out */
    PAYLOAD_UF2_ORDER,  /* blocks in any order */
    PAYLOAD_UF2_BEFORE, /* behind the blocks of another family */
    PAYLOAD_UF2_BEHIND, /* before them */
    PAYLOAD_FIRMWARE,   /* number of those above; from here on, none: */
    PAYLOAD_PHOTO = PAYLOAD_FIRMWARE,
    PAYLOAD_TEXT,
    PAYLOAD_EMPTY,          /* no byte */
    PAYLOAD_BIN_SHORT,      /* the end is missing */
    PAYLOAD_BIN_DAMAGED,    /* a byte differs */
    PAYLOAD_BIN_PRODUCT,    /* for another product */
    PAYLOAD_BIN_LARGE,      /* larger than the slot */
    PAYLOAD_BIN_INSIDE,     /* firmware, but inside of something else */
    PAYLOAD_UF2_SHORT,      /* the end is missing */
    PAYLOAD_UF2_HOLE,       /* a block is missing */
    PAYLOAD_UF2_DAMAGED,    /* a byte of a stamped image differs */
    PAYLOAD_UF2_FAMILY,     /* for another family */
    PAYLOAD_UF2_BOOTLOADER, /* for where the bootloader lies */
    PAYLOAD_UF2_HOSTILE,    /* fields of some blocks are anything */
    PAYLOAD_KINDS,          /* of every profile.  With formats also: */
    PAYLOAD_HEX_GCC = PAYLOAD_KINDS, /* as objcopy makes it, */
    PAYLOAD_HEX_KEIL,                /* MDK, */
    PAYLOAD_HEX_IAR,                 /* ielftool, */
    PAYLOAD_HEX_SREC,                /* srec_cat: gaps, odd tails */
    PAYLOAD_HEX_ORDER,               /* records in any order, of any length */
    PAYLOAD_HEX_LOWER,   /* lower case, a segment record, no line end at last */
    PAYLOAD_DFUSE,       /* one element */
    PAYLOAD_DFUSE_MANY,  /* some, with gaps */
    PAYLOAD_DFUSE_NAMES, /* names and ids are anything */
    PAYLOAD_DFU,         /* a .bin with a suffix */
    PAYLOAD_MORE,        /* number of those above; from here on, none: */
    PAYLOAD_HEX_CHECKSUM = PAYLOAD_MORE, /* a digit differs */
    PAYLOAD_HEX_OUTSIDE,                 /* a record outside of the slot */
    PAYLOAD_HEX_SHORT,                   /* the end is missing */
    PAYLOAD_HEX_NO_END,                  /* its last record is */
    PAYLOAD_HEX_PRODUCT,                 /* for another product */
    PAYLOAD_HEX_DAMAGED,                 /* a byte of a stamped image differs */
    PAYLOAD_HEX_HOSTILE,                 /* some characters are anything */
    PAYLOAD_DFU_CRC,                     /* that of the suffix is wrong */
    PAYLOAD_DFU_PRODUCT,                 /* for another device */
    PAYLOAD_DFUSE_SHORT,                 /* the end is missing */
    PAYLOAD_DFUSE_OUTSIDE,               /* an element outside of the slot */
    PAYLOAD_DFUSE_HOSTILE, /* sizes and counts are anything, the CRC is right */
    PAYLOAD_ALL
};

struct payload {
    enum payload_kind kind;
    uint8_t *data;
    uint32_t size;
    uint32_t needed; /* bytes of it that the image needs */
    bool firmware;   /* whole, and for this board: */
    uint8_t *image;  /* what the slot holds from its start */
    uint32_t length; /* bytes of it */
    uint8_t code;    /* that ERROR.txt has to have (bStatus of DFU 1.1); 0: one
                        that is not said */
};

/* splitmix64 */
uint32_t payload_random(uint64_t *state);
uint32_t payload_below(uint64_t *state, uint32_t n);

/* An image: noise, vectors, and a stamp over all of it or none. */
void payload_image(const struct trial_board *board, uint64_t seed,
                   uint32_t length, bool stamped, uint8_t *to);

/* Over all of it. */
void payload_stamp(uint8_t *image, uint32_t length, uint32_t product);

/* Room for the largest one; p is all zero. */
void payload_init(struct payload *p, const struct trial_board *board);
void payload_free(struct payload *p);

/* length: bytes of the image, of which a stamp needs 56; what has none is
 * about as long. */
void payload_make(struct payload *p, const struct trial_board *board,
                  enum payload_kind kind, uint64_t seed, uint32_t length);

/* Those kinds of PAYLOAD_HEX_GCC and above. */
void payload_format(struct payload *p, const struct trial_board *board,
                    uint64_t *state, uint32_t length);

/* Its image has a stamp; else all of the slot is image. */
bool payload_stamped(const struct payload *p);

const char *payload_name(enum payload_kind kind); /* "uf2-gaps" */
const char *payload_file(enum payload_kind kind); /* "firmware.uf2" */

#endif
