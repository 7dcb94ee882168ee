/* SPDX-License-Identifier: MIT */
/*
 * usbd.h - the USB device core: the control pipe and the standard requests of
 * USB 2.0 chapter 9.  It splits transfers into packets; what a device *is*
 * (descriptors, classes) comes from the functions named fn_ below, bound at
 * link time: personality.c in the bootloader, demo.c in the demo.
 *
 * With CONFIG_MSC the last interface has the pair of bulk endpoints of dcd.h.
 * Their data goes from the driver to the personality and back without a copy
 * in here; this file opens, halts and closes them as the host asks.
 */
#ifndef SALLYPORT_USBD_H
#define SALLYPORT_USBD_H

#include "dcd.h"
#include "usb.h"

#include <stdbool.h>
#include <stdint.h>

#define USBD_TEXT 256u /* longest string descriptor, bytes */

enum usbd_stage {
    USBD_IDLE,
    USBD_DATA_IN,
    USBD_DATA_OUT,
    USBD_STATUS_IN,
};

/* The owner sets all of it to zero once. */
struct usbd {
    uint8_t stage;          /* enum usbd_stage */
    uint8_t config;         /* 0: not configured */
    struct usb_setup setup; /* of the transfer under way */
    uint32_t left;          /* to send or receive in the data stage, bytes */
    uint32_t wanted;        /* more than that, where the host asked for it */
    uint32_t from;          /* address of the rest of an IN data stage */
    uint8_t answer[2];      /* small answers; the second byte stays 0 */
    _Alignas(4) uint8_t zero;
    _Alignas(4) uint8_t packet[DCD_PACKET];
    uint16_t text[USBD_TEXT / 2]; /* a string descriptor */
};

/* Handles one event of the controller, if there is one. */
void usbd_poll(struct usbd *u);

/* No control transfer is under way and none waits. */
bool usbd_quiet(const struct usbd *u);

/* For an IN request, from fn_setup() or fn_descriptor(): answer with the n
 * bytes at `from`, which stay there until the transfer is over, or with as
 * many of them as the host asks for.  Aligned to 4 without CONFIG_DFU. */
void usbd_send(struct usbd *u, const void *from, uint32_t n);
/* The same with a string descriptor made from ASCII up to a NUL or the end of a
 * line, at most USBD_TEXT / 2 - 1 characters. */
void usbd_send_string(struct usbd *u, const char *ascii);

/* ---- what the device is; implemented by its personality ---- */

/* GET_DESCRIPTOR: usbd_send() and true, or false for a stall. */
bool fn_descriptor(struct usbd *u, uint8_t type, uint8_t index);
/* A class or vendor request; the same, and true without usbd_send() where
 * there is no IN data stage.  An OUT data stage follows if wLength is not 0:
 * refuse it where fn_data() does not expect it. */
bool fn_setup(struct usbd *u);
/* Copies n bytes from an address given to usbd_send(). */
void fn_read(struct usbd *u, uint32_t from, uint8_t *to, uint32_t n);
/* Data of an OUT request, packet by packet; after the last one fn_end():
 * false stalls the status stage. */
void fn_data(struct usbd *u, const uint8_t *data, uint32_t n);
bool fn_end(struct usbd *u);
/* Bus reset, SET_CONFIGURATION or SET_INTERFACE: interfaces are as they are
 * after a reset (clauses 9.1.1.5, 9.4.10).  Not for a SET_INTERFACE to the one
 * that has the bulk endpoints. */
void fn_reset(struct usbd *u);

/* Only with CONFIG_MSC.  The bulk endpoints were opened, or closed where
 * u->config is 0: nothing is under way, the first dcd_bulk_receive() is to be
 * called (it does nothing where they are closed). */
void fn_bulk_open(struct usbd *u);
/* The host set or cleared ENDPOINT_HALT of one of them, which may have been as
 * it is now before: what was under way there is void and has to be asked for
 * again.  That does nothing while it is halted. */
void fn_bulk_halt(struct usbd *u, bool in);
/* A packet is to be taken with dcd_bulk_read(); one was taken by the host. */
void fn_bulk_out(struct usbd *u);
void fn_bulk_in(struct usbd *u);

#endif
