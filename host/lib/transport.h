/* SPDX-License-Identifier: MIT */
/*
 * transport.h - what carries requests to a USB device.  A bus lists the
 * devices that it has and opens one; a transport is one open device, to
 * which control transfers go.  All of DFU needs no more.
 *
 * usb_libusb.c is the machine's own USB, usb_usbip.c the network protocol of
 * Linux' usbip, which sallyport-chip speaks as well.  A transport belongs to
 * one thread; a bus may be used by several at once.
 */
#ifndef SALLYPORT_TRANSPORT_H
#define SALLYPORT_TRANSPORT_H

#include "fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a transfer can end but well; control() returns it. */
enum transport_error {
    TRANSPORT_STALL = -1,   /* the device refuses the request */
    TRANSPORT_GONE = -2,    /* the device, or what it hangs on, is gone */
    TRANSPORT_TIMEOUT = -3, /* no answer */
    TRANSPORT_ERROR = -4,   /* anything else */
};

/* Long enough for what keeps a chip from answering: an erase of 128 KB on an
 * STM32F4, 4 s at most (DS8626 table 40).  Milliseconds. */
#define TRANSPORT_TIMEOUT_MS 10000u

struct transport;
struct usb_setup; /* the eight bytes of a SETUP packet, USB 2.0 table 9-2 */

struct transport_ops {
    /* One control transfer of s->wLength bytes.  Bytes that were moved, or an
     * enum transport_error. */
    int (*control)(struct transport *t, const struct usb_setup *s, void *data);
    /* Takes a device into use: configuration, interface.  FAIL_SYSTEM: others
     * have it; FAIL_LOST, FAIL_DEVICE. */
    bool (*claim)(struct transport *t, uint8_t configuration, uint8_t interface,
                  struct fail *f);
    /* SET_INTERFACE; 0 or an enum transport_error. */
    int (*set_alt)(struct transport *t, uint8_t interface, uint8_t alt);
    /* A bus reset.  The device may come back as another one: TRANSPORT_GONE. */
    int (*reset)(struct transport *t);
    /* Not less than that. */
    void (*sleep)(struct transport *t, unsigned ms);
    void (*close)(struct transport *t);
};

struct transport {
    const struct transport_ops *ops;
};

enum { BUS_PATH = 160 };

/* A device as its bus sees it, before it is opened. */
struct bus_entry {
    char path[BUS_PATH]; /* where it is plugged in, for --path */
    uint16_t vid, pid;
    bool dfu;     /* it has a DFU interface, class 0xFE subclass 1, */
    bool runtime; /* of an application, not of a bootloader */
};

struct bus;

struct bus_ops {
    /* *entries is to be freed by the caller.  FAIL_SYSTEM, FAIL_NO_DEVICE. */
    bool (*list)(struct bus *b, struct bus_entry **entries, size_t *n,
                 struct fail *f);
    /* NULL: f says why.  FAIL_NO_DEVICE: not there (any more), FAIL_SYSTEM:
     * no access. */
    struct transport *(*open)(struct bus *b, const char *path, struct fail *f);
    void (*free)(struct bus *b);
};

struct bus {
    const struct bus_ops *ops;
};

/* The machine's USB.  NULL: FAIL_SYSTEM. */
struct bus *bus_libusb(struct fail *f);
/* A USB/IP server, HOST[:PORT], port 3240 by default.  Nothing is connected
 * before it is used.  NULL: FAIL_USAGE, FAIL_SYSTEM. */
struct bus *bus_usbip(const char *address, struct fail *f);

#endif
