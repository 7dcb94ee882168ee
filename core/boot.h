/* SPDX-License-Identifier: MIT */
/*
 * boot.h - the decision after a reset: application or bootloader.  A pure
 * function of facts that the port gathers.
 */
#ifndef SALLYPORT_BOOT_H
#define SALLYPORT_BOOT_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

/* What runs before the application: stays in flash where the bootloader's own
 * code is packed (port/stm32/packed.ld), and calls nothing that does not. */
#ifdef CONFIG_PACKED
#define BOOT_PATH     __attribute__((section(".boot")))
#define BOOT_PATH_END __attribute__((noinline)) /* what it calls at last */
#else
#define BOOT_PATH
#define BOOT_PATH_END
#endif

struct boot_facts {
    const uint32_t *vectors; /* the slot as it lies in flash */
    bool asked;              /* by the application, or by a double reset */
    bool key;                /* the key is held */
#if CONFIG_MARK
    bool torn; /* what lies in the slot is not whole: flash_marked() */
#endif
#if CONFIG_STAGED
    bool pending; /* an update waits to be installed */
#endif
};

enum boot_decision {
    BOOT_STAY,       /* until an update or a reset */
    BOOT_STAY_TIMED, /* the same, but back after CONFIG_NO_HOST_MS */
    BOOT_APP,
    BOOT_INSTALL /* what is pending; then decide anew */
};

enum boot_decision boot_decide(const struct boot_facts *facts);

/* The vectors can be started: initial stack pointer in the chip's RAM and
 * word-aligned (not the first word: a stack grows down), reset vector Thumb
 * and inside the image (its length where the image is stamped, else the
 * slot). */
bool boot_vectors_ok(const uint32_t *vectors);

/* Bytes from the start of the slot that are image: the stamped length, or
 * the whole slot where there is no (plausible) stamp. */
uint32_t boot_image_size(const uint32_t *vectors);

#endif
