/* SPDX-License-Identifier: MIT */
/* personality.h - the bootloader as the host sees it: see personality.c. */
#ifndef SALLYPORT_PERSONALITY_H
#define SALLYPORT_PERSONALITY_H

#include "dfu.h"
#include "plat.h"

/* All state of the bootloader.  usbd is first, so that the functions that
 * usbd.c calls find the rest behind it. */
struct sallyport {
    struct usbd usbd;
    struct dfu dfu;
    char serial[PLAT_SERIAL_DIGITS + 1];
};

#endif
