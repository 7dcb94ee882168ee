/* SPDX-License-Identifier: MIT */
/*
 * dwc2.h - the device side of ST's OTG_FS (Synopsys DWC2, full speed, no DMA),
 * for the chip tables.  A row in a table of peripherals:
 *
 *   ranges    [0] everything, 0x40000 from OTG_FS_GOTGCTL
 *   irq       [0] the global interrupt
 *   facts     a struct dwc2_facts
 *   wire_ops  &dwc2_wire_ops
 */
#ifndef SIM_DWC2_H
#define SIM_DWC2_H

#include "model.h"
#include "wire.h"

struct dwc2_facts {
    uint8_t endpoints;   /* each way, EP0 included; up to DWC2_EPS */
    uint16_t ram_words;  /* all FIFOs together */
    uint32_t gccfg_mask; /* bits of GCCFG that exist */
    uint32_t cid;        /* product id */
    uint32_t release;    /* the core's own id, behind CID */
    uint32_t config[4];  /* GHWCFG1 to 4 */
    uint32_t ahb_min_hz; /* below it the FIFOs are too slow */
    int function;        /* alternate function of DM and DP; -1: no set-up */
    struct board_pin dm, dp;
};

extern const struct dwc2_facts dwc2_facts_f4;   /* RM0090: F405, F407 */
extern const struct dwc2_facts dwc2_facts_f107; /* RM0008: F105, F107 */

extern const struct device_ops dwc2_ops;
extern const struct wire_ops dwc2_wire_ops;

#endif
