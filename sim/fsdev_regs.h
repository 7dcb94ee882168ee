/* SPDX-License-Identifier: MIT */
/*
 * fsdev_regs.h - registers and state of the USB block, shared by fsdev.c
 * (registers, interrupts, bus states) and fsdev_packet.c (transactions).
 *
 * Source: RM0008 rev 21, 23.5; RM0091 rev 9, 30.6.
 */
#ifndef SIM_FSDEV_REGS_H
#define SIM_FSDEV_REGS_H

#include "fsdev.h"

enum {
    USB_EP0R = 0x00,
    USB_EP7R = 0x1c,
    USB_CNTR = 0x40,
    USB_ISTR = 0x44,
    USB_FNR = 0x48,
    USB_DADDR = 0x4c,
    USB_BTABLE = 0x50,
    USB_LPMCSR = 0x54,
    USB_BCDR = 0x58,
};

enum {
    EP_CTR_RX = 1 << 15,
    EP_DTOG_RX = 1 << 14,
    EP_STAT_RX = 3 << 12,
    EP_SETUP = 1 << 11,
    EP_TYPE = 3 << 9,
    EP_KIND = 1 << 8,
    EP_CTR_TX = 1 << 7,
    EP_DTOG_TX = 1 << 6,
    EP_STAT_TX = 3 << 4,
    EP_EA = 15,

    EP_TYPE_BULK = 0 << 9,
    EP_TYPE_CONTROL = 1 << 9,
    EP_TYPE_ISO = 2 << 9,
};

/* STAT_RX and STAT_TX */
enum fsdev_stat { STAT_DISABLED, STAT_STALL, STAT_NAK, STAT_VALID };

enum {
    CNTR_FRES = 1 << 0,
    CNTR_PDWN = 1 << 1,
    CNTR_LP_MODE = 1 << 2,
    CNTR_FSUSP = 1 << 3,
    CNTR_RESUME = 1 << 4,

    /* ISTR; the upper byte of CNTR has the masks in the same places */
    ISTR_CTR = 1 << 15,
    ISTR_PMAOVR = 1 << 14,
    ISTR_ERR = 1 << 13,
    ISTR_WKUP = 1 << 12,
    ISTR_SUSP = 1 << 11,
    ISTR_RESET = 1 << 10,
    ISTR_SOF = 1 << 9,
    ISTR_ESOF = 1 << 8,
    ISTR_DIR = 1 << 4,

    FNR_RXDP = 1 << 15,
    FNR_LCK = 1 << 13,
    FNR_LSOF = 1 << 11,

    DADDR_EF = 1 << 7,
    BCDR_DPPU = 1 << 15,
};

#define EP_REGS  8
#define PMA_MAX  1024
#define NO_TX    0xff
#define FS_BYTES 64 /* largest packet but isochronous ones, USB 2.0 5.5.3 */

struct fsdev {
    uint16_t epr[EP_REGS];
    uint16_t cntr, istr, daddr, btable, lpmcsr, bcdr;
    uint16_t frame;
    uint8_t sofs;        /* in a row, up to 2: FNR.LCK */
    uint8_t lost;        /* SOFs missing in a row: FNR.LSOF, suspend */
    uint8_t tx;          /* register of the packet being sent, or NO_TX */
    uint8_t dbl_started; /* bit n: double buffering is in its stride */
    bool powered;
    bool se0;          /* the host holds the bus in reset */
    bool told_clock;   /* one complaint is enough */
    sim_time pdwn_off; /* when PDWN was cleared */
    sim_time active;   /* last activity on the bus */
    sim_time reset_at; /* SE0 will have lasted 2.5 us */
    uint8_t pma[PMA_MAX];
};

/* Entries of the buffer description table. */
enum { BD_ADDR_TX = 0, BD_COUNT_TX = 2, BD_ADDR_RX = 4, BD_COUNT_RX = 6 };

/* ---- fsdev.c ---- */

const struct fsdev_facts *fsdev_facts(struct dev *d);
/* Clocked, powered, out of reset. */
bool fsdev_enabled(struct dev *d);
/* Note what happened, raise interrupts. */
void fsdev_flag(struct dev *d, uint16_t istr);
void fsdev_irq(struct dev *d);
/* Traffic of any kind: not suspended. */
void fsdev_activity(struct dev *d);

/* ---- fsdev_packet.c ---- */

bool fsdev_double_buffered(uint16_t epr);
enum wire_result fsdev_setup(struct chip *c, void *dev, unsigned addr,
                             unsigned ep, const uint8_t data[8]);
enum wire_result fsdev_out(struct chip *c, void *dev, unsigned addr,
                           unsigned ep, unsigned toggle, const uint8_t *data,
                           size_t n);
enum wire_result fsdev_in(struct chip *c, void *dev, unsigned addr, unsigned ep,
                          uint8_t *data, size_t *n, unsigned *toggle);
void fsdev_in_ack(struct chip *c, void *dev, unsigned ep, bool acked);

#endif
