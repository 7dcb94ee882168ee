/* SPDX-License-Identifier: MIT */
/*
 * dcd_fsdev.c - ST's USB full-speed device block ("USB" in RM0008 clause 23;
 * the same block with other facts is in F0 and L0).
 *
 * Endpoint 0 only; its buffers lie behind the buffer table in packet memory.
 */
#include "dcd.h"

#include "fsdev.h"
#include "port.h"

/* Buffer table at 0: one entry of 8 bytes. */
#define PMA_TABLE 0u
#define PMA_TX    8u
#define PMA_RX    (PMA_TX + DCD_PACKET)

/* Changes the toggle-only fields under `mask` of EP0R to `value`, keeps both
 * CTR flags (written as 1: no effect) and the read-write fields. */
static void ep0_set(uint32_t mask, uint32_t value)
{
    uint32_t r = FSDEV_EPR(0);

    /* A SETUP has come: what was to be sent or received is void. */
    if (r & FSDEV_EPR_CTR_RX)
        return;
    FSDEV_EPR(0) = (uint16_t)(((r ^ value) & mask) | (r & FSDEV_EPR_RW) |
                              FSDEV_EPR_CTR_RX | FSDEV_EPR_CTR_TX);
}

/* Clears one CTR flag (written as 0) and leaves the rest. */
static void ep0_clear(uint32_t ctr)
{
    FSDEV_EPR(0) = (uint16_t)((FSDEV_EPR(0) & FSDEV_EPR_RW) |
                              ((FSDEV_EPR_CTR_RX | FSDEV_EPR_CTR_TX) & ~ctr));
}

static void open_ep0(void)
{
    FSDEV_BTABLE = PMA_TABLE;
    FSDEV_PMA16(PMA_TABLE + 0) = PMA_TX;
    FSDEV_PMA16(PMA_TABLE + 4) = PMA_RX;
    FSDEV_PMA16(PMA_TABLE + 6) = FSDEV_COUNT_RX_64;
    FSDEV_EPR(0) = FSDEV_EPR_CONTROL; /* a reset cleared it */
    ep0_set(FSDEV_EPR_STAT_RX | FSDEV_EPR_STAT_TX,
            FSDEV_EPR_RX_NAK | FSDEV_EPR_TX_NAK);
    FSDEV_DADDR = FSDEV_DADDR_EF;
}

void dcd_connect(void)
{
    port_usb_disconnect(false);
    FSDEV_CNTR = FSDEV_CNTR_FRES; /* power on */
    /* tSTARTUP is 1 us (DS5792 table 56) */
    for (uint32_t i = 0; i < PORT_HCLK_HZ / 1000000u; i++)
        (void)FSDEV_CNTR;
    FSDEV_CNTR = 0;
    FSDEV_ISTR = 0;
}

void dcd_disconnect(void)
{
    FSDEV_CNTR = FSDEV_CNTR_FRES | FSDEV_CNTR_PDWN;
    port_usb_disconnect(true);
}

enum dcd_event dcd_poll(void)
{
    uint32_t r;

    if (FSDEV_ISTR & FSDEV_ISTR_RESET) {
        FSDEV_ISTR = (uint16_t)~FSDEV_ISTR_RESET;
        open_ep0();
        return DCD_RESET;
    }
    r = FSDEV_EPR(0);
    if (r & FSDEV_EPR_CTR_TX) {
        ep0_clear(FSDEV_EPR_CTR_TX);
        return DCD_IN;
    }
    if (r & FSDEV_EPR_CTR_RX)
        return r & FSDEV_EPR_SETUP ? DCD_SETUP : DCD_OUT;
    return DCD_NONE;
}

bool dcd_quiet(void)
{
    return !(FSDEV_ISTR & (FSDEV_ISTR_RESET | FSDEV_ISTR_CTR));
}

const bool dcd_address_first = false;

void dcd_set_address(uint8_t address)
{
    FSDEV_DADDR = FSDEV_DADDR_EF | address;
}

uint32_t dcd_read(void *data)
{
    uint32_t n = FSDEV_PMA16(PMA_TABLE + 6) & FSDEV_COUNT_RX_MASK;
    uint16_t *to = data;

    for (uint32_t i = 0; i < n; i += 2)
        *to++ = FSDEV_PMA16(PMA_RX + i);
    /* Only now may the next packet come in (RM0008 clause 23.4.2: a SETUP
     * that finds CTR_RX set is dropped and sent again). */
    ep0_clear(FSDEV_EPR_CTR_RX);
    return n;
}

void dcd_write(const void *data, uint32_t n)
{
    const uint16_t *from = data;

    for (uint32_t i = 0; i < n; i += 2)
        FSDEV_PMA16(PMA_TX + i) = *from++;
    FSDEV_PMA16(PMA_TABLE + 2) = (uint16_t)n;
    ep0_set(FSDEV_EPR_STAT_TX, FSDEV_EPR_TX_VALID);
}

void dcd_receive(void)
{
    ep0_set(FSDEV_EPR_STAT_RX, FSDEV_EPR_RX_VALID);
}

void dcd_stall(void)
{
    ep0_set(FSDEV_EPR_STAT_RX | FSDEV_EPR_STAT_TX,
            FSDEV_EPR_RX_STALL | FSDEV_EPR_TX_STALL);
}
