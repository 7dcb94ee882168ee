/* SPDX-License-Identifier: MIT */
/*
 * port.h - what the drivers of this port ask of each other; each family
 * answers in its clock_ and plat_ file.
 */
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include "stm32.h"

#include <stdbool.h>
#include <stdint.h>

/* At the end of the reset path: SYSCLK of PORT_HCLK_HZ and the USB clock from
 * the board's crystal, or, where that does not start, from the internal
 * oscillator; the USB block has its clock and its pins. */
void port_clock_start(void);

/* Waits on the reset path, PORT_TURNS_PER_MS turns a millisecond. */
void port_spin(uint32_t turns);

/* On the reset path: the key is held.  Leaves its pin as after reset. */
bool port_key_held(void);

/* What the bootloader needs once the clocks run; off the bus where the board
 * itself would show a device. */
void port_start(void);

/* FSDEV has no pull-up of its own.  The D+ pin: true drives it low against
 * the board's, false leaves it to the USB block. */
void port_usb_disconnect(bool disconnect);

#endif
