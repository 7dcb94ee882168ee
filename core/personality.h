/* SPDX-License-Identifier: MIT */
/* personality.h - the bootloader as the host sees it: see personality.c. */
#ifndef SALLYPORT_PERSONALITY_H
#define SALLYPORT_PERSONALITY_H

#include "dfu.h"
#include "plat.h"
#if CONFIG_MSC
#include "drive.h"
#include "msc.h"
#endif

/* All state of the bootloader.  usbd is first, so that the functions that
 * usbd.c calls find the rest behind it.  Without CONFIG_DFU only the update
 * session of dfu is used. */
struct sallyport {
    struct usbd usbd;
    char serial[PLAT_SERIAL_DIGITS + 1];
    struct dfu dfu;
#if CONFIG_MSC
    uint8_t configured; /* usbd.config as the drive knows it */
    struct msc msc;
    struct drive drive;
#endif
};

#endif
