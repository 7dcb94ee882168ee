/* SPDX-License-Identifier: MIT */
/*
 * dfu.h - the DFU door: the state machine of USB DFU 1.1 (appendix A) with
 * ST's DfuSe extension (AN3156, UM0424), over the update session.
 *
 * It answers requests and keeps the state; what changes flash runs from
 * dfu_poll() after the control transfer is over, because the chip is deaf
 * while the flash is busy.
 */
#ifndef SALLYPORT_DFU_H
#define SALLYPORT_DFU_H

#include "upd.h"
#include "usbd.h"

/* The answer to GETSTATUS, DFU 1.1 clause 6.1.2; also where the state is. */
struct dfu_answer {
    uint8_t bStatus;
    uint8_t bwPollTimeout[3]; /* ms */
    uint8_t bState;
    uint8_t iString;
};

/* The owner sets all of it to zero once, then dfu_reset(). */
struct dfu {
    struct dfu_answer status;
    bool pending;   /* dfuDNLOAD-SYNC: something was downloaded */
    bool leaving;   /* dfuMANIFEST was reached */
    uint16_t block; /* wBlockNum of the DNLOAD or UPLOAD under way */
    uint16_t n;     /* its bytes */
    /* of DfuSe, from the fourth byte on: so its address is aligned */
    _Alignas(4) uint8_t command[8];
    uint32_t pointer; /* DfuSe address pointer */
    uint32_t last_ms; /* of the last request */
    struct upd upd;
};

/* The requests of the DFU interface, as usbd.h has them. */
bool dfu_setup(struct dfu *d, struct usbd *u, uint32_t now_ms);
void dfu_data(struct dfu *d, const uint8_t *data, uint32_t n);
bool dfu_end(struct dfu *d);
/* Bus reset, or a host that begins anew (SET_CONFIGURATION,
 * SET_INTERFACE): back to dfuIDLE. */
void dfu_reset(struct dfu *d);

/* No download is under way. */
static inline bool dfu_idle(const struct dfu *d)
{
    return (uint32_t)d->status.bState - DFU_dfuDNLOAD_SYNC >
           DFU_dfuMANIFEST_WAIT_RESET - DFU_dfuDNLOAD_SYNC;
}

/* While no control transfer is under way.  True when it is time to leave for
 * the application. */
bool dfu_poll(struct dfu *d, uint32_t now_ms);

#endif
