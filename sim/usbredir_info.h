/* SPDX-License-Identifier: MIT */
/*
 * usbredir_info.h - what usbredir wants to be told about a device, out of its
 * descriptors.
 */
#ifndef SIM_USBREDIR_INFO_H
#define SIM_USBREDIR_INFO_H

#include <usbredirproto.h>

#include "desc.h"

/* Index of an endpoint address in the arrays of ep_info. */
unsigned info_ep_index(unsigned endpoint);
void info_device(const uint8_t device[18],
                 struct usb_redir_device_connect_header *h);
/* alt[n] is the current alternate setting of interface n. */
void info_interfaces(const uint8_t *config, size_t size,
                     const uint8_t alt[DESC_INTERFACES],
                     struct usb_redir_interface_info_header *h);
void info_endpoints(const uint8_t *config, size_t size,
                    const uint8_t alt[DESC_INTERFACES],
                    struct usb_redir_ep_info_header *h);

#endif
