/* SPDX-License-Identifier: MIT
 *
 * A trial: a host copies files onto the drive, all of it drawn from a seed,
 * and what became of it is judged.  It runs on whatever behaves as a
 * bootloader with a drive (struct trial_rig): the core built for this machine
 * (core_disk.h), or the real one on the virtual chip.
 *
 * What counts is the volume as the host wrote it, which the trial keeps by
 * itself.  SUCCESS.txt is right only if a file was whole on that volume, it is
 * firmware for this board, and the slot now holds its image; with ERROR.txt
 * or READY.txt, nothing starts or the old application is there unharmed.
 * Anything else is a wrong image.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include "hosts.h"
#include "payload.h"

/* What runs the bootloader. */
struct trial_rig {
    const struct trial_board *board;
    uint32_t largest; /* bytes of an image at most; 0: the slot */
    uint32_t beside;  /* less, where the host writes more than the file */
    bool staged;      /* what comes is installed by the next reset; until then
                         the application stays as it is */
    bool formats;     /* takes .hex and .dfu, too: */
    uint32_t whole;   /* of so many bytes at least, in whatever order they
                         come */
    /* The disk of the connection that is there now. */
    struct blockdev dev;
    /* These get dev.ctx.  Power on with this in the slot (all of it); comes
     * back when the volume can be read. */
    void (*start)(void *ctx, const uint8_t *slot);
    /* How many fresh mounts there were since then.  When this changes, the
     * host that had mounted the volume has no medium any more. */
    unsigned (*mounts)(void *ctx);
    /* The cable was pulled, and is put in again `ms` later; power: it was the
     * supply as well.  Comes back when the volume can be read. */
    void (*replug)(void *ctx, uint32_t ms, bool power);
    /* What it holds, all of it; staged: after the next reset. */
    void (*slot)(void *ctx, uint8_t *to);
    bool (*boots)(void *ctx); /* a reset now would start the application */
    /* A rule of the silicon that was broken; NULL: none. */
    const char *(*fault)(void *ctx);
};

/* What is copied. */
enum trial_group {
    TRIAL_BIN,      /* a stamped .bin, */
    TRIAL_BIN_BITS, /* the same, and its clusters lie anywhere, as on no volume
                       that was empty before */
    TRIAL_PLAIN,    /* a .bin without a stamp */
    TRIAL_UF2,      /* a .uf2, of a stamped image or not */
    TRIAL_UF2_ODD,  /* with gaps, in another order, of several families */
    TRIAL_HEX,      /* Intel HEX of several compilers */
    TRIAL_DFU,      /* .dfu, with DfuSe's prefix or without */
    TRIAL_TWO,      /* two files or three, firmware among them */
    TRIAL_NONE,     /* no firmware for this board, or a damaged one */
    TRIAL_GARBLED,  /* firmware, and some sectors of metadata are garbled */
    TRIAL_BROKEN,   /* cancelled, or the cable is pulled */
    TRIAL_GROUPS
};
const char *trial_group_name(enum trial_group group);
/* A single whole firmware: it should be installed. */
bool trial_group_promised(enum trial_group group);

enum trial_verdict {
    TRIAL_INSTALLED, /* SUCCESS.txt, and it is true */
    TRIAL_REFUSED,   /* ERROR.txt, and nothing is broken */
    TRIAL_NOTHING,   /* READY.txt, and nothing is broken */
    TRIAL_WRONG,     /* anything else: .text says what */
};

struct trial_result {
    enum trial_group group;
    enum trial_verdict verdict;
    bool promised;  /* a single whole firmware was copied to its end: it
                     * should be installed */
    bool complaint; /* this host told its user of an error, although it was
                     * promised: .host.text */
    uint8_t code;   /* of ERROR.txt, and the sentence: */
    char sentence[48];
    char what[200]; /* the trial in words: host_describe(), files, slot */
    char text[300]; /* of TRIAL_WRONG; a sentence of the trial's own where
                     * something promised was not kept */
    struct host_result host;
    uint64_t ms; /* from the end of the copy to the fresh mount */
};

struct trials;

/* Starts the rig to learn its volume.  The rig stays the caller's. */
struct trials *trials_new(const struct trial_rig *rig);
void trials_free(struct trials *t);
/* Prints what the hosts send. */
void trials_trace(struct trials *t, bool on);

void trial_run(struct trials *t, enum host_kind kind, uint64_t seed,
               struct trial_result *result);

/* The files of a trial into this directory, to look at. */
bool trial_save(struct trials *t, enum host_kind kind, uint64_t seed,
                const char *directory);

#endif
