/* SPDX-License-Identifier: MIT */
/*
 * usbredir.h - the chip as a USB device of a QEMU guest (`-device usb-redir`),
 * by the usbredir protocol 0.7: a TCP listener, one client at a time.
 *
 * It never blocks and never runs the chip: main.c polls the descriptors, calls
 * usbredir_io(), and runs the chip.  Transfers finish inside chip_run(), which
 * they stop, so that the answer leaves at once.
 */
#ifndef SIM_USBREDIR_H
#define SIM_USBREDIR_H

#include <poll.h>

#include "front.h"

enum { USBREDIR_FDS = 2 };

struct usbredir;
/* spec is HOST:PORT, port 0 picks a free one.  NULL: `error` says why. */
struct usbredir *usbredir_new(struct front *f, const char *spec,
                              char error[FRONT_ERROR_MAX]);
void usbredir_free(struct usbredir *r);
/* HOST:PORT with the real port. */
const char *usbredir_address(const struct usbredir *r);

/* Fills in up to USBREDIR_FDS entries, returns how many. */
unsigned usbredir_poll(const struct usbredir *r, struct pollfd *fds);
/* What poll() said of these entries.  A system call that fails costs as much as
 * one that works, so usbredir_io() leaves out what has nothing to say, until
 * it is told otherwise. */
void usbredir_polled(struct usbredir *r, const struct pollfd *fds);
/* Accepts, reads, writes, as far as it goes without waiting. */
void usbredir_io(struct usbredir *r);

#endif
