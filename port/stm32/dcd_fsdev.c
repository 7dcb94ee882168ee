/* SPDX-License-Identifier: MIT */
/*
 * dcd_fsdev.c - ST's USB full-speed device block ("USB" in RM0008 clause 23;
 * the same block with other facts is in F0 and L0).
 *
 * Endpoint 0 and, with CONFIG_MSC, the bulk endpoints in the register of
 * number 1.  Their buffers lie behind the buffer table in packet memory.  OUT
 * has a single buffer: it is empty again before the host's next packet is
 * complete, and while the flash stalls the CPU (14 ms a sector) the second one
 * of clause 23.4.3 would save the time of one packet, 55 us.
 */
#include "config.h"
#include "dcd.h"

#include "fsdev.h"
#include "port.h"

/* Buffer table at 0, where a reset puts it: an entry of 8 bytes for each
 * endpoint number. */
#define PMA_TABLE(n) (8u * (n))
#define PMA_TX(n)    (PMA_TABLE(1u + CONFIG_MSC) + 2u * DCD_PACKET * (n))
#define PMA_RX(n)    (PMA_TX(n) + DCD_PACKET)

/* What is plain read-write: type (0 is bulk) and address. */
#define EPR_RW(n) ((n) ? 1u : FSDEV_EPR_CONTROL)
#define EPR_CTR   (FSDEV_EPR_CTR_RX | FSDEV_EPR_CTR_TX)

/* Changes the toggle-only fields under `mask` of EP0R to `value`, keeps both
 * CTR flags (written as 1: no effect). */
static void ep0_set(uint32_t mask, uint32_t value)
{
    uint32_t r = FSDEV->EPR[0];

    /* A SETUP has come: what was to be sent or received is void. */
    if (r & FSDEV_EPR_CTR_RX)
        return;
    FSDEV->EPR[0] = ((r ^ value) & mask) | EPR_RW(0) | EPR_CTR;
}

/* Clears one CTR flag (written as 0) and leaves the rest. */
static void ep_clear(uint32_t n, uint32_t ctr)
{
    FSDEV->EPR[n] = EPR_RW(n) | (EPR_CTR & ~ctr);
}

static void open_ep0(void)
{
    for (uint32_t n = 0; n <= CONFIG_MSC; n++) {
        FSDEV_PMA16(PMA_TABLE(n) + 0) = (uint16_t)PMA_TX(n);
        FSDEV_PMA16(PMA_TABLE(n) + 4) = (uint16_t)PMA_RX(n);
        FSDEV_PMA16(PMA_TABLE(n) + 6) = FSDEV_COUNT_RX_64;
    }
    FSDEV->EPR[0] = FSDEV_EPR_CONTROL; /* a reset cleared it */
    ep0_set(FSDEV_EPR_STAT_RX | FSDEV_EPR_STAT_TX,
            FSDEV_EPR_RX_NAK | FSDEV_EPR_TX_NAK);
    FSDEV->DADDR = FSDEV_DADDR_EF;
}

void dcd_connect(void)
{
    port_usb_disconnect(false);
    FSDEV->CNTR = FSDEV_CNTR_FRES; /* power on */
    /* tSTARTUP is 1 us (DS5792 table 56) */
    for (uint32_t i = 0; i < PORT_HCLK_HZ / 1000000u; i++)
        (void)FSDEV->CNTR;
    FSDEV->CNTR = 0;
    FSDEV->ISTR = 0;
}

void dcd_disconnect(void)
{
    FSDEV->CNTR = FSDEV_CNTR_FRES | FSDEV_CNTR_PDWN;
    port_usb_disconnect(true);
}

enum dcd_event dcd_bulk_poll(void)
{
    uint32_t r = FSDEV->EPR[1];

    if (r & FSDEV_EPR_CTR_TX) {
        ep_clear(1, FSDEV_EPR_CTR_TX);
        return DCD_BULK_IN;
    }
    return r & FSDEV_EPR_CTR_RX ? DCD_BULK_OUT : DCD_NONE;
}

enum dcd_event dcd_poll(void)
{
    uint32_t r;

    if (FSDEV->ISTR & FSDEV_ISTR_RESET) {
        FSDEV->ISTR = (uint16_t)~FSDEV_ISTR_RESET;
        open_ep0();
        return DCD_RESET;
    }
    if (CONFIG_MSC) {
        /* First: CLEAR_FEATURE comes after the packets it is about. */
        enum dcd_event event = dcd_bulk_poll();

        if (event)
            return event;
    }
    r = FSDEV->EPR[0];
    if (r & FSDEV_EPR_CTR_TX) {
        ep_clear(0, FSDEV_EPR_CTR_TX);
        return DCD_IN;
    }
    if (r & FSDEV_EPR_CTR_RX)
        return r & FSDEV_EPR_SETUP ? DCD_SETUP : DCD_OUT;
    return DCD_NONE;
}

uint32_t dcd_frame(void)
{
    return FSDEV->FNR;
}

bool dcd_quiet(void)
{
    return !(FSDEV->ISTR & (FSDEV_ISTR_RESET | FSDEV_ISTR_CTR));
}

const bool dcd_address_first = false;

void dcd_set_address(uint8_t address)
{
    FSDEV->DADDR = FSDEV_DADDR_EF | address;
}

static uint32_t take(uint32_t ep, void *data)
{
    uint32_t n = FSDEV_PMA16(PMA_TABLE(ep) + 6) & FSDEV_COUNT_RX_MASK;
    uint16_t *to = data;

    for (uint32_t i = 0; i < n; i += 2)
        *to++ = FSDEV_PMA16(PMA_RX(ep) + i);
    /* Only now may the next packet come in (RM0008 clause 23.4.2: a SETUP
     * that finds CTR_RX set is dropped and sent again). */
    ep_clear(ep, FSDEV_EPR_CTR_RX);
    return n;
}

__attribute__((noinline)) static void put(uint32_t ep, const void *data,
                                          uint32_t n)
{
    const uint16_t *from = data;

    for (uint32_t i = 0; i < n; i += 2)
        FSDEV_PMA16(PMA_TX(ep) + i) = *from++;
    FSDEV_PMA16(PMA_TABLE(ep) + 2) = (uint16_t)n;
}

uint32_t dcd_read(void *data)
{
    return take(0, data);
}

/* noinline, like the other few of these: found by measuring. */
__attribute__((noinline)) void dcd_write(const void *data, uint32_t n)
{
    put(0, data, n);
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

/* ---- bulk ---- */

/* EP1R has the fields of IN 8 bits below those of OUT.  STAT has the values of
 * enum dcd_bulk_state, and VALID. */
bool dcd_bulk_halted(bool in)
{
    return (FSDEV->EPR[1] << 8 * in & FSDEV_EPR_STAT_RX) == FSDEV_EPR_RX_STALL;
}

/* What toggles where a 1 is written may be changed by the block between
 * reading and writing, until it sees the new status. */
void dcd_bulk_set(bool in, enum dcd_bulk_state state)
{
    uint32_t mask = (FSDEV_EPR_DTOG_RX | FSDEV_EPR_STAT_RX) >> 8 * in, change;

    while ((change = (FSDEV->EPR[1] ^ state * 0x1010u) & mask))
        FSDEV->EPR[1] = change | EPR_CTR | EPR_RW(1);
    ep_clear(1, FSDEV_EPR_CTR_RX >> 8 * in);
}

uint32_t dcd_bulk_read(void *data)
{
    return take(1, data);
}

/* NAK to VALID, where no packet waits: the lower bit of the status toggles. */
static void bulk_arm(bool in)
{
    if (!((FSDEV->EPR[1] ^ 0x2020) & (in ? 0xB0 : 0xB000)))
        FSDEV->EPR[1] = EPR_CTR | EPR_RW(1) | (in ? 0x10 : 0x1000);
}

void dcd_bulk_write(const void *data, uint32_t n)
{
    put(1, data, n);
    bulk_arm(true);
}

void dcd_bulk_receive(void)
{
    bulk_arm(false);
}
