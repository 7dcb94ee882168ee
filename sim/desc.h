/* SPDX-License-Identifier: MIT */
/*
 * desc.h - finds descriptors in a configuration as a device sent it.
 *
 * Source: USB 2.0, 9.6.
 */
#ifndef SIM_DESC_H
#define SIM_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DESC_INTERFACE = 4, DESC_ENDPOINT = 5 };
enum { DESC_INTERFACES = 32 }; /* numbers below this are told apart */

/* The descriptor at *at that is whole, and steps to the next; NULL: no more. */
const uint8_t *desc_next(const uint8_t *config, size_t size, size_t *at);
/* The endpoint with this address in the current alternate settings (alt[n]
 * for interface n); NULL: there is none. */
const uint8_t *desc_endpoint(const uint8_t *config, size_t size,
                             const uint8_t alt[DESC_INTERFACES],
                             unsigned address);
/* Is this an interface descriptor of a current alternate setting? */
bool desc_is_current(const uint8_t *d, const uint8_t alt[DESC_INTERFACES]);

#endif
