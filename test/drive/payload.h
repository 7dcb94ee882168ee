/* SPDX-License-Identifier: MIT
 *
 * Files that users drop onto a drive, made from a seed: firmware as .bin and
 * .uf2, and all that is none.
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
    PAYLOAD_KINDS
};

struct payload {
    enum payload_kind kind;
    uint8_t *data;
    uint32_t size;
    uint32_t needed; /* bytes of it that the image needs */
    bool firmware;   /* whole, and for this board: */
    uint8_t *image;  /* what the slot holds from its start */
    uint32_t length; /* bytes of it */
};

/* splitmix64 */
uint32_t payload_random(uint64_t *state);
uint32_t payload_below(uint64_t *state, uint32_t n);

/* An image: noise, vectors, and a stamp over all of it or none. */
void payload_image(const struct trial_board *board, uint64_t seed,
                   uint32_t length, bool stamped, uint8_t *to);

/* Room for the largest one; p is all zero. */
void payload_init(struct payload *p, const struct trial_board *board);
void payload_free(struct payload *p);

/* length: bytes of the image, of which a stamp needs 56; what has none is
 * about as long. */
void payload_make(struct payload *p, const struct trial_board *board,
                  enum payload_kind kind, uint64_t seed, uint32_t length);

/* Its image has a stamp; else all of the slot is image. */
bool payload_stamped(const struct payload *p);

const char *payload_name(enum payload_kind kind); /* "uf2-gaps" */
const char *payload_file(enum payload_kind kind); /* "firmware.uf2" */

#endif
