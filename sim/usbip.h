/* SPDX-License-Identifier: MIT */
/*
 * usbip.h - the chip as a USB device of a Linux (`usbip attach`, vhci_hcd), by
 * the USB/IP protocol 1.1.1: a TCP listener that exports one device, bus ID
 * 1-1.
 *
 * It never blocks and never runs the chip: main.c polls the descriptors, calls
 * usbip_io(), and runs the chip.  Transfers finish inside chip_run(), which
 * they stop, so that the answer leaves at once.
 */
#ifndef SIM_USBIP_H
#define SIM_USBIP_H

#include <poll.h>

#include "front.h"

#define USBIP_BUSID "1-1"

/* Connections at a time: one has the device, the others may ask for it. */
enum { USBIP_CONNECTIONS = 4, USBIP_FDS = 1 + USBIP_CONNECTIONS };

struct usbip;
/* spec is HOST or HOST:PORT, port 0 picks a free one, 3240 is the default.
 * NULL: `error` says why. */
struct usbip *usbip_new(struct front *f, const char *spec,
                        char error[FRONT_ERROR_MAX]);
void usbip_free(struct usbip *u);
/* HOST:PORT with the real port. */
const char *usbip_address(const struct usbip *u);

/* Fills in up to USBIP_FDS entries, returns how many. */
unsigned usbip_poll(const struct usbip *u, struct pollfd *fds);
/* What poll() said of these entries.  A system call that fails costs as much as
 * one that works, so usbip_io() leaves out what has nothing to say, until
 * it is told otherwise. */
void usbip_polled(struct usbip *u, const struct pollfd *fds);
/* Accepts, reads, writes, as far as it goes without waiting. */
void usbip_io(struct usbip *u);

#endif
