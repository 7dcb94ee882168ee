/* SPDX-License-Identifier: MIT */
/*
 * device.h - a device with a DFU interface: what its descriptors and strings
 * say, and the board that it is.  What can be done with it: dfuse.h, update.h.
 */
#ifndef SALLYPORT_DEVICE_H
#define SALLYPORT_DEVICE_H

#include "board_info.h"
#include "layout.h"
#include "transport.h"

enum { DEVICE_ALTS = 8, DEVICE_TEXT = 256 };

/* An alternate setting of the DFU interface: a memory. */
struct device_alt {
    uint8_t number;
    char name[DEVICE_TEXT]; /* as the device says it */
    bool has_layout;        /* DfuSe: its name is one */
    struct layout layout;
};

struct device {
    struct transport *t;
    char path[BUS_PATH];
    uint16_t vid, pid, bcd;
    char vendor[DEVICE_TEXT], model[DEVICE_TEXT], serial[DEVICE_TEXT];
    uint8_t configuration, interface;
    uint8_t configuration_name;   /* index of its string */
    char bootloader[DEVICE_TEXT]; /* version and build of ours; "" where it is
                                     another one, or does not say so */
    bool runtime;         /* an application: it can be sent to its DFU mode */
    uint8_t attributes;   /* of the functional descriptor, DFU_CAN_... */
    uint16_t block;       /* wTransferSize, bytes */
    uint16_t dfu_version; /* bcdDFUVersion */
    bool dfuse;           /* it has addresses */
    struct device_alt alt[DEVICE_ALTS];
    size_t alts;
    size_t current;                 /* the one of alt[] that is in use */
    const struct board_info *board; /* by ids and product; NULL: not known */
    /* dfuse.c's: where DfuSe's address pointer is */
    bool pointer_known;
    uint32_t pointer;
};

/* Reads descriptors and strings of the device at path, claims the DFU
 * interface.  FAIL_NO_DEVICE: there is none, or it does no DFU; FAIL_SYSTEM:
 * no access; FAIL_LOST, FAIL_DEVICE.  After false there is nothing to close. */
bool device_open(struct bus *bus, const char *path, struct device *d,
                 struct fail *f);

/* The same on a transport that is open; it is closed where that fails. */
bool device_take(struct transport *t, const char *path, struct device *d,
                 struct fail *f);

void device_close(struct device *d);

/* A byte of its flash that is blank, by its board; 0xFF where that is not
 * known. */
uint8_t device_erased(const struct device *d);

/* What a negative result of a transport means; `doing` for the message: "the
 * device went away: DOING".  Returns false. */
bool device_fail(int error, const char *doing, struct fail *f);

#endif
