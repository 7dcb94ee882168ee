/* SPDX-License-Identifier: MIT */
/*
 * msc.h - the drive's door: USB Mass Storage Class, Bulk-Only Transport 1.0,
 * over the bulk pair of dcd.h, with the commands of scsi.c.
 *
 * Packets are taken from the controller at once; what they lead to happens in
 * msc_poll(), which changes no flash.  Nothing waits for the host.
 */
#ifndef SALLYPORT_MSC_H
#define SALLYPORT_MSC_H

#include "scsi.h"
#include "usbd.h"

/* Class requests, clause 3. */
#define MSC_GET_MAX_LUN 0xFEu
#define MSC_RESET       0xFFu

/* Bit 1: the device has something for the host, or would have. */
enum msc_stage {
    MSC_COMMAND = 0, /* a CBW is awaited */
    MSC_DATA_OUT = 1,
    MSC_DATA_IN = 2,
    MSC_STATUS = 3,
    MSC_INVALID = 6, /* stalls until reset recovery */
};

/* Clause 5.1. */
struct msc_cbw {
    uint32_t dCBWSignature;
    uint32_t dCBWTag;
    uint32_t dCBWDataTransferLength;
    uint8_t bmCBWFlags;
    uint8_t bCBWLUN;
    uint8_t bCBWCBLength;
    uint8_t CBWCB[SCSI_CDB];
};

/* Clause 5.2. */
struct msc_csw {
    uint32_t dCSWSignature;
    uint32_t dCSWTag;
    uint32_t dCSWDataResidue;
    uint8_t bCSWStatus;
};

/* The owner sets scsi.drive and all else to zero, then msc_reset(). */
struct msc {
    struct scsi scsi;
    uint8_t stage; /* enum msc_stage */
    bool waiting;  /* a packet of n bytes waits for msc_poll() */
    /* A command, and then its status in its place: the tag stays. */
    _Alignas(4) union {
        struct msc_cbw cbw;
        struct msc_csw csw;
        uint8_t packet[DCD_PACKET];
    } u;
    uint8_t *at;    /* the packet that is due */
    uint32_t n;     /* its bytes, or those of the packet that waits */
    uint32_t left;  /* data still to be moved, bytes */
    uint32_t extra; /* those that the host wants to move beyond */
    /* A sector, and room for a packet that nobody asked for. */
    _Alignas(4) uint8_t sector[BLOCK_SIZE + DCD_PACKET];
};

/* The bulk pair was opened or closed (SET_CONFIGURATION, SET_INTERFACE, bus
 * reset): awaits a command. */
void msc_reset(struct msc *m);

/* A class request to the interface, as fn_setup() of usbd.h has it. */
bool msc_setup(struct msc *m, struct usbd *u);

/* The host set or cleared ENDPOINT_HALT, and the driver has done so. */
void msc_halt(struct msc *m, bool in);

/* DCD_BULK_OUT and DCD_BULK_IN. */
void msc_out(struct msc *m);
void msc_in(struct msc *m);

/* While no control transfer is under way: a step, if there is one. */
void msc_poll(struct msc *m);

/* No command is under way, and the host has the status of the last one. */
static inline bool msc_idle(const struct msc *m)
{
    return m->stage == MSC_COMMAND && !m->waiting;
}

#endif
