/* SPDX-License-Identifier: MIT */
/*
 * port.h - what the drivers of this port ask of each other.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdbool.h>
#include <stdint.h>

/* SYSCLK 48 MHz and the USB clock from the board's crystal, or, where that
 * does not start, from the internal oscillator (port clock_f1.c). */
#define PORT_HCLK_HZ 48000000u
void port_clock_start(void);

/* The D+ pin: true drives it low against the board's pull-up, false leaves
 * it to the USB block. */
void port_usb_disconnect(bool disconnect);

#endif
