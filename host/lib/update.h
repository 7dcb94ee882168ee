/* SPDX-License-Identifier: MIT */
/*
 * update.h - what is done with a device: flash, verify, read, erase, start.
 *
 * Flashing compares first, sector by sector, and leaves out what does not
 * change: large sectors of an STM32F4 take a second each.  A sector that
 * differs is erased and written from its start to the last byte of the image;
 * what the image leaves free in it becomes 0xFF.  Where anything changes, the
 * sector with the first word of the image goes along, because a bootloader may
 * take what came since that word for the image.
 */
#ifndef SALLYPORT_UPDATE_H
#define SALLYPORT_UPDATE_H

#include "dfuse.h"
#include "fw.h"

#include <signal.h>

enum update_phase {
    UPDATE_COMPARE,
    UPDATE_ERASE,
    UPDATE_PROGRAM,
    UPDATE_VERIFY,
    UPDATE_READ,
    UPDATE_PHASES,
};

/* "compare" ... */
const char *update_phase_name(enum update_phase phase);

/* Filled in by the caller; what is 0 is left to its default. */
struct update {
    struct device *d;
    /* Bytes of a phase; done == total when it is over.  May be NULL. */
    void (*progress)(void *ctx, enum update_phase phase, uint64_t done,
                     uint64_t total);
    void *ctx;
    /* Looked at between two operations; not 0: stop (FAIL_INTERRUPTED) and
     * leave a device that can be used again.  May be NULL. */
    const volatile sig_atomic_t *stop;
    bool stay;      /* do not start the application afterwards */
    bool no_verify; /* do not read back */
    bool dry_run;   /* compare only */
};

/* What was done, also as far as it came before an error. */
struct update_result {
    uint64_t size;    /* bytes of the image, from its first to its last */
    uint64_t erased;  /* bytes of the sectors */
    uint64_t written; /* bytes sent */
    uint64_t changed; /* bytes of the image in sectors that differ */
    bool compared;    /* else all was written */
    bool unchanged;   /* compared, and nothing was written */
    bool verified;    /* all of it was read, and is right */
    bool started;     /* the device was told to start the application */
};

/* Installs what place_image() has placed.  FAIL_DIFFERS: what was read back is
 * something else, and the application is not started; FAIL_DEVICE, FAIL_LOST,
 * FAIL_INTERRUPTED, FAIL_SYSTEM. */
bool update_flash(const struct update *u, const struct fw *fw, size_t index,
                  struct update_result *r, struct fail *f);

/* Told of each stretch of bytes that differ, up to a block long. */
typedef void update_differ(void *ctx, uint32_t addr, const uint8_t *device,
                           const uint8_t *file, size_t n);

/* Compares the device with what place_data() has placed.  FAIL_DIFFERS with
 * the first difference; differ (may be NULL) is told of all of them. */
bool update_verify(const struct update *u, const struct fw *fw, size_t index,
                   update_differ *differ, void *ctx, struct fail *f);

/* Reads [start, end) into *out.  Plain DFU has no addresses: it gives what it
 * has, up to `end` (0: all), as data without a place. */
bool update_read(const struct update *u, size_t index, uint64_t start,
                 uint64_t end, struct fw *out, struct fail *f);

/* Reads the image that is installed in alt[index]: what its stamp covers, or
 * all of the slot up to its last byte that is not 0xFF; nothing where the slot
 * is empty.  Of plain DFU what it gives. */
bool update_read_image(const struct update *u, size_t index, struct fw *out,
                       struct fail *f);

/* Erases the sectors of [start, end), which have to be erasable: FAIL_UNFIT.
 * end 0: all that is writable. */
bool update_erase(const struct update *u, size_t index, uint64_t start,
                  uint64_t end, struct update_result *r, struct fail *f);

/* Starts what is installed; an application goes to its DFU mode. */
bool update_reboot(const struct update *u, struct fail *f);

#endif
