/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - four words at the very end of RAM through which application and
 * bootloader talk across a reset.  Both ends of it are in this repository:
 * port/ and app/.
 */
#ifndef SALLYPORT_MAILBOX_H
#define SALLYPORT_MAILBOX_H

#include <stdint.h>

/* Enter the bootloader: the application wants it, or a reset came while the
 * bootloader waited for a second one.  "SALY" */
#define MAILBOX_REQUEST 0x594C4153u

struct mailbox {
    uint32_t request;
    uint32_t reserved[3];
};

#endif
