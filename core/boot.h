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

/* What the start of flash has: the vectors that the bootloader uses, and behind
 * them, at BOOT_OFF_VERSION, who it is.  Applications find that there
 * (app/sallyport_app.h), hosts as string iConfiguration.  The vectors in its
 * place are those of faults that are not enabled, of calls and interrupts that
 * there are none of, and of reserved words (ARMv7-M manual B1.5.2, ARMv6-M
 * B1.5.3). */
#define BOOT_VERSION     "Sallyport " CONFIG_VERSION "+" CONFIG_BUILD
#define BOOT_OFF_VERSION 0x10u
struct boot_table {
    const void *vectors[4];
    char version[sizeof(BOOT_VERSION)];
};
extern const struct boot_table boot_table;

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
