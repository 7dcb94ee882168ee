/* SPDX-License-Identifier: MIT */
/*
 * usb_echo.h - a USB device as firmware on the bench: it answers control
 * requests and sends back on EP2 what arrives on EP1.  usb_echo.c drives the
 * F103's USB block, usb_echo_dwc2.c the F407's; each touches registers only.
 */
#ifndef TEST_USB_ECHO_H
#define TEST_USB_ECHO_H

#include "usb_bench.h"

enum { CNTR = 0x40, ISTR = 0x44, FNR = 0x48, DADDR = 0x4c, BTABLE = 0x50 };
enum { RESET = 1 << 10, SUSP = 1 << 11, WKUP = 1 << 12, ERR = 1 << 13 };
enum { CTR_RX = 1 << 15, CTR_TX = 1 << 7, SETUP = 1 << 11 };
enum { DISABLED, STALL, NAK, VALID };
enum { CONTROL = 1 << 9, KIND = 1 << 8 };
#define EPR(n) ((n)*4u)

struct echo {
    uint8_t setup[8];
    const uint8_t *tx;
    size_t left;
    bool zlp;
    unsigned address; /* to be set after the status stage */
    uint8_t data[256];
    size_t got, want;
    bool slow;          /* never answers bulk OUT */
    bool early_address; /* F103: before the status stage, which is wrong */
    bool late_address;  /* F407: after the status stage */
    uint8_t desc[18];
    uint8_t bulk[64]; /* F407: what is on its way from EP1 to EP2 */
    size_t bulk_n;
    unsigned resets;
    uint8_t product; /* low byte of idProduct */
};

/* What tests do not want to know of a USB block. */
struct echo_block {
    void (*bench_new)(struct chip *c);
    void (*power_up)(struct chip *c);
    void (*firmware)(struct chip *c); /* chip->fw is a struct echo */
    unsigned (*address)(struct chip *c);
    unsigned (*frame)(struct chip *c);
    /* Since clear_events(): no activity, activity again. */
    bool (*saw_suspend)(struct chip *c);
    bool (*saw_wakeup)(struct chip *c);
    void (*clear_events)(struct chip *c);
    void (*sleep)(struct chip *c, bool asleep);
};
extern const struct echo_block echo_fsdev, echo_dwc2;

/* What a request asks for; the data of an answer is in tx, left and zlp. */
enum echo_answer { ECHO_ANSWER, ECHO_RECEIVE, ECHO_STALL };
enum echo_answer echo_decide(struct echo *f);

/* chip->firmware; chip->fw is a struct echo. */
void echo_firmware(struct chip *c);
/* Out of reset, as the manual wants it. */
void echo_power_up(struct chip *c);

/* Register idioms. */
void echo_set_stat(struct chip *c, unsigned n, int rx, int tx); /* -1: keep */
void echo_clear_ctr(struct chip *c, unsigned n, unsigned ctr);
void echo_set_buffers(struct chip *c, unsigned n, unsigned tx, unsigned rx);
void echo_copy_in(struct chip *c, unsigned at, const uint8_t *p, size_t n);

#endif
