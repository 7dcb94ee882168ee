/* SPDX-License-Identifier: MIT */
/*
 * usb_bench.h - a chip that is nothing but a clock, a pin and a USB block, for
 * tests of the wire, the host and the USB block without a CPU.  The firmware
 * is a C function that is called whenever time stands still.
 */
#ifndef TEST_USB_BENCH_H
#define TEST_USB_BENCH_H

#include "host.h"
#include "model.h"

struct chip {
    sim_time now;
    bool stop;
    bool clock_ok, clocked, board_pullup;
    bool alternate;  /* as chip_pin_function() */
    uint32_t ahb_hz; /* all bus clocks */
    int pa12;        /* as chip_pin_output() */
    unsigned errors;
    char last_error[200];
    char log[4096]; /* lines for the world outside */
    bool irq[96];
    struct wire *wire;
    struct dev dev;
    struct device desc;
    void (*firmware)(struct chip *c);
    void *fw;
};

/* With wire_ops and dev of the caller's, with the F103's USB block, or with
 * the F407's. */
void bench_new(struct chip *c, const struct wire_ops *ops, void *dev);
void bench_new_fsdev(struct chip *c);
void bench_new_dwc2(struct chip *c);
void bench_free(struct chip *c);
/* Half-word access to the USB block at 0x40005C00 + off, packet memory at
 * 0x40006000 + 2 * off. */
unsigned usb_read(struct chip *c, unsigned off);
void usb_write(struct chip *c, unsigned off, unsigned value);
unsigned pma_read(struct chip *c, unsigned off);
void pma_write(struct chip *c, unsigned off, unsigned value);
/* Word access to OTG_FS at 0x50000000 + off. */
uint32_t otg_read(struct chip *c, uint32_t off);
void otg_write(struct chip *c, uint32_t off, uint32_t value);

#endif
