/* SPDX-License-Identifier: MIT */
/*
 * fsdev.h - registers of the full-speed device block, RM0008 clause 23.5,
 * and the facts in which its generations differ.
 */
#ifndef PORT_FSDEV_H
#define PORT_FSDEV_H

#include <stdint.h>

#define FSDEV_BASE 0x40005C00u
#define FSDEV_PMA  0x40006000u

/* On F103 each 16-bit word of packet memory has a 32-bit slot of the bus. */
#ifndef FSDEV_PMA_STRIDE
#define FSDEV_PMA_STRIDE 2u
#endif

/* 16 bits each; as words, because a Cortex-M0 reaches farther with those.
 * LPMCSR and BCDR: second generation. */
struct fsdev {
    volatile uint32_t EPR[8], reserved[8], CNTR, ISTR, FNR, DADDR, BTABLE,
        LPMCSR, BCDR;
};
#define FSDEV ((struct fsdev *)FSDEV_BASE)
/* The half-word at byte offset off (even) of packet memory. */
#define FSDEV_PMA16(off)                                                       \
    (*(volatile uint16_t *)(FSDEV_PMA + FSDEV_PMA_STRIDE * (off)))

#define FSDEV_CNTR_FRES (1u << 0)
#define FSDEV_CNTR_PDWN (1u << 1)

#define FSDEV_ISTR_RESET (1u << 10)
#define FSDEV_ISTR_CTR   (1u << 15)

#define FSDEV_DADDR_EF 0x80u

#define FSDEV_BCDR_DPPU (1u << 15) /* D+ is pulled up, in the chip */

#define FSDEV_EPR_CTR_RX   (1u << 15)
#define FSDEV_EPR_DTOG_RX  (1u << 14)
#define FSDEV_EPR_STAT_RX  (3u << 12)
#define FSDEV_EPR_RX_STALL (1u << 12)
#define FSDEV_EPR_RX_NAK   (2u << 12)
#define FSDEV_EPR_RX_VALID (3u << 12)
#define FSDEV_EPR_SETUP    (1u << 11)
#define FSDEV_EPR_CONTROL  (1u << 9)
#define FSDEV_EPR_CTR_TX   (1u << 7)
#define FSDEV_EPR_DTOG_TX  (1u << 6)
#define FSDEV_EPR_STAT_TX  (3u << 4)
#define FSDEV_EPR_TX_STALL (1u << 4)
#define FSDEV_EPR_TX_NAK   (2u << 4)
#define FSDEV_EPR_TX_VALID (3u << 4)

/* BL_SIZE 1, NUM_BLOCK 1: two blocks of 32 bytes */
#define FSDEV_COUNT_RX_64   (1u << 15 | 1u << 10)
#define FSDEV_COUNT_RX_MASK 0x3FFu

#endif
