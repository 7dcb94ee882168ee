/* SPDX-License-Identifier: MIT */
/*
 * mailbox.h - four words at the very end of RAM through which application and
 * bootloader talk across a reset.  Both ends of it are in this repository:
 * port/ and app/.
 */
#ifndef SALLYPORT_MAILBOX_H
#define SALLYPORT_MAILBOX_H

#include <stdint.h>

#define MAILBOX_REQUEST 0x594C4153u /* enter the bootloader; "SALY" */
/* A reset came while the bootloader waited for a second one. */
#define MAILBOX_RESET_SEEN 0x32545352u /* "RST2" */

struct mailbox {
    uint32_t request;
    uint32_t reset_seen;
    uint32_t reserved[2];
};

#endif
