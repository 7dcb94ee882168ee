/* SPDX-License-Identifier: MIT */
/*
 * fsdev.h - ST's full-speed USB device block with dedicated packet memory, for
 * the chip tables.  A row in a table of peripherals:
 *
 *   ranges  [0] registers, 0x400 from USB_EP0R; [1] the packet memory
 *   irq     [0] high priority, [1] low priority; the same number twice where
 *           the chip has one line
 *   facts   a struct fsdev_facts
 *   wire_ops  &fsdev_wire_ops
 */
#ifndef SIM_FSDEV_H
#define SIM_FSDEV_H

#include "model.h"
#include "wire.h"

struct fsdev_facts {
    uint16_t pma_bytes;  /* as the block addresses it */
    uint8_t pma_stride;  /* bus bytes per 16-bit word of packet memory */
    uint8_t pma_sizes;   /* bit n: n bytes at once are allowed */
    uint16_t cntr_mask;  /* bits of USB_CNTR that exist */
    bool second;         /* BCDR with DPPU, and LPMCSR */
    uint32_t apb_min_hz; /* below it the packet memory is too slow */
    struct board_pin dp; /* pin that the block takes when it is enabled */
};

extern const struct fsdev_facts fsdev_facts_f1; /* RM0008: F102, F103 */
extern const struct fsdev_facts fsdev_facts_v2; /* RM0091 F072, RM0367 L0x2 */

extern const struct device_ops fsdev_ops;
extern const struct wire_ops fsdev_wire_ops;

#endif
