/* SPDX-License-Identifier: MIT */
/*
 * dfuse.h - the host's side of USB DFU 1.1 and of ST's DfuSe extension
 * (AN3156, UM0424).
 *
 * Each function does one operation to its end: request, GETSTATUS, waiting
 * for bwPollTimeout, GETSTATUS.  Errors: FAIL_DEVICE with the status and its
 * sentence, FAIL_LOST.
 */
#ifndef SALLYPORT_DFUSE_H
#define SALLYPORT_DFUSE_H

#include "device.h"

/* The answer to GETSTATUS, DFU 1.1 clause 6.1.2. */
struct dfu_reply {
    uint8_t status;   /* DFU_STATUS_... */
    uint8_t state;    /* bState */
    uint32_t poll_ms; /* bwPollTimeout */
};

/* "errADDRESS" and what that means. */
const char *dfu_status_name(unsigned status);
const char *dfu_status_sentence(unsigned status);
const char *dfu_state_name(unsigned state);

bool dfu_get_status(struct device *d, struct dfu_reply *s, struct fail *f);

/* Selects alt[index] and brings the device to dfuIDLE from whatever state an
 * earlier host has left it in. */
bool dfu_begin(struct device *d, size_t index, struct fail *f);
/* To dfuIDLE from the state that a read or a write has left. */
bool dfu_idle(struct device *d, struct fail *f);

/* One block: DNLOAD; what it did is done when this returns. */
bool dfu_download(struct device *d, unsigned block, const void *data, size_t n,
                  struct fail *f);
/* UPLOAD.  Bytes, -1: f says why. */
int dfu_upload(struct device *d, unsigned block, void *data, size_t n,
               struct fail *f);

/* ---- DfuSe ---- */

bool dfuse_set_address(struct device *d, uint32_t addr, struct fail *f);
/* The sector at addr; all that is writable. */
bool dfuse_erase(struct device *d, uint32_t addr, struct fail *f);
bool dfuse_mass_erase(struct device *d, struct fail *f);

/* At most wTransferSize bytes at addr.  The address pointer is set only where
 * block numbers do not reach; reads begin and end in dfuIDLE or
 * dfuUPLOAD-IDLE, writes in dfuIDLE or dfuDNLOAD-IDLE. */
bool dfuse_write(struct device *d, uint32_t addr, const void *data, size_t n,
                 struct fail *f);
bool dfuse_read(struct device *d, uint32_t addr, void *data, size_t n,
                struct fail *f);

/* Waits for what the device has put off until the host is done. */
bool dfuse_settle(struct device *d, struct fail *f);

/* Zero-length DNLOAD: the device checks what it has and starts it.  The
 * device is gone soon after.  *status is what it said, status DFU_STATUS_OK
 * where it said nothing any more; FAIL_DEVICE where that is an error. */
bool dfuse_leave(struct device *d, uint32_t addr, struct dfu_reply *status,
                 struct fail *f);

/* ---- plain DFU ---- */

/* Zero-length DNLOAD and the manifestation, with the bus reset that it may
 * need (DFU 1.1 clause 7). */
bool dfu_manifest(struct device *d, struct fail *f);

/* An application to its DFU mode (DFU 1.1 clause 5.1).  The device is gone
 * after that. */
bool dfu_detach(struct device *d, struct fail *f);

#endif
