/* SPDX-License-Identifier: MIT */
/* usbredir_info.c - see usbredir_info.h.  USB 2.0, 9.6. */
#include "usbredir_info.h"

#include <stdbool.h>
#include <string.h>

#define EPS 32

unsigned info_ep_index(unsigned endpoint)
{
    return ((endpoint & 0x80) >> 3) | (endpoint & 15);
}

void info_device(const uint8_t device[18],
                 struct usb_redir_device_connect_header *h)
{
    memset(h, 0, sizeof(*h));
    h->speed = usb_redir_speed_full;
    h->device_class = device[4];
    h->device_subclass = device[5];
    h->device_protocol = device[6];
    h->vendor_id = (uint16_t)(device[8] | device[9] << 8);
    h->product_id = (uint16_t)(device[10] | device[11] << 8);
    h->device_version_bcd = (uint16_t)(device[12] | device[13] << 8);
}

void info_interfaces(const uint8_t *config, size_t size,
                     const uint8_t alt[DESC_INTERFACES],
                     struct usb_redir_interface_info_header *h)
{
    const uint8_t *d;
    size_t at = 0;
    uint32_t n = 0;

    memset(h, 0, sizeof(*h));
    while ((d = desc_next(config, size, &at)) && n < DESC_INTERFACES) {
        if (!desc_is_current(d, alt))
            continue;
        h->interface[n] = d[2];
        h->interface_class[n] = d[5];
        h->interface_subclass[n] = d[6];
        h->interface_protocol[n] = d[7];
        n++;
    }
    h->interface_count = n;
}

static void set_ep(struct usb_redir_ep_info_header *h, unsigned i, uint8_t type,
                   uint8_t interval, uint8_t interface, unsigned max_packet)
{
    h->type[i] = type;
    h->interval[i] = interval;
    h->interface[i] = interface;
    h->max_packet_size[i] = (uint16_t)max_packet;
}

void info_endpoints(const uint8_t *config, size_t size,
                    const uint8_t alt[DESC_INTERFACES],
                    struct usb_redir_ep_info_header *h)
{
    bool current = false;
    uint8_t interface = 0;
    const uint8_t *d;
    size_t at = 0;

    memset(h, 0, sizeof(*h));
    memset(h->type, usb_redir_type_invalid, sizeof(h->type));
    set_ep(h, 0, usb_redir_type_control, 0, 0, 64);
    set_ep(h, EPS / 2, usb_redir_type_control, 0, 0, 64);
    while ((d = desc_next(config, size, &at))) {
        if (d[1] == DESC_INTERFACE) {
            current = desc_is_current(d, alt);
            interface = d[0] >= 9 ? d[2] : 0;
        } else if (d[1] == DESC_ENDPOINT && d[0] >= 7 && current) {
            set_ep(h, info_ep_index(d[2]), d[3] & 3, d[6], interface,
                   (d[4] | (unsigned)d[5] << 8) & 0x7ff);
        }
    }
}
