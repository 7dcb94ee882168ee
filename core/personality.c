/* SPDX-License-Identifier: MIT */
/*
 * personality.c - what the host sees of the DFU profiles: descriptors, strings,
 * and which interface takes which request.
 */
#include "personality.h"

#include "part.h"

#define BCD_DEVICE 0x0100u

enum {
    STRING_LANGUAGES,
    STRING_VENDOR,
    STRING_PRODUCT,
    STRING_LAYOUT,
    STRING_SERIAL
};

static struct sallyport *self(struct usbd *u)
{
    return (struct sallyport *)u;
}

/* USB 2.0 table 9-8.  The class is told by the interface. */
static const uint8_t device_descriptor[18] = {
    18,
    USB_DESC_DEVICE,
    USB_U16(0x0200),
    0,
    0,
    0,
    DCD_PACKET,
    USB_U16(BOARD_VID),
    USB_U16(BOARD_PID),
    USB_U16(BCD_DEVICE),
    STRING_VENDOR,
    STRING_PRODUCT,
    STRING_SERIAL,
    1,
};

#define CONFIG_LENGTH (9 + 9 + 9)
static const uint8_t config_descriptor[CONFIG_LENGTH] = {
    /* USB 2.0 table 9-10: bus-powered, 100 mA */
    9,
    USB_DESC_CONFIGURATION,
    USB_U16(CONFIG_LENGTH),
    1,
    1,
    0,
    0x80,
    50,
    /* DFU 1.1 table 4.4 */
    9,
    USB_DESC_INTERFACE,
    0,
    0,
    0,
    DFU_CLASS,
    DFU_SUBCLASS,
    DFU_PROTOCOL_DFU,
    STRING_LAYOUT,
    /* DFU 1.1 clause 4.1.3; wDetachTimeOut 255 ms as ST's ROM has it */
    9,
    DFU_DESC_FUNCTIONAL,
    DFU_CAN_DNLOAD | DFU_CAN_UPLOAD | DFU_WILL_DETACH,
    USB_U16(255),
    USB_U16(UPD_BLOCK),
    USB_U16(CONFIG_DFUSE ? DFUSE_BCD : DFU_BCD),
};

static const uint8_t languages[4] = {4, USB_DESC_STRING,
                                     USB_U16(USB_LANGID_ENGLISH_US)};

_Static_assert(2 * PART_LAYOUT_SIZE <= USBD_TEXT, "longer than its buffer");

/* ---- what usbd.c asks ---- */

static bool send_bytes(struct usbd *u, const uint8_t *bytes, uint32_t n)
{
    usbd_send(u, bytes, n);
    return true;
}

/* From STRING_VENDOR on; the serial number is made at start. */
static const char *const strings[] = {
    BOARD_VENDOR,
    BOARD_MODEL,
    CONFIG_DFUSE ? part_layout : "Application",
};

static bool string_descriptor(struct usbd *u, uint8_t index)
{
    const char *text = self(u)->serial;

    if (index == STRING_LANGUAGES)
        return send_bytes(u, languages, sizeof(languages));
    if (index > STRING_SERIAL)
        return false;
    if (index < STRING_SERIAL)
        text = strings[index - STRING_VENDOR];
    usbd_send_string(u, text);
    return true;
}

bool fn_descriptor(struct usbd *u, uint8_t type, uint8_t index)
{
    switch (type) {
    case USB_DESC_STRING:
        return string_descriptor(u, index);
    case USB_DESC_DEVICE:
        return index == 0 &&
               send_bytes(u, device_descriptor, sizeof(device_descriptor));
    case USB_DESC_CONFIGURATION:
        return index == 0 &&
               send_bytes(u, config_descriptor, sizeof(config_descriptor));
    default:
        return false;
    }
}

bool fn_setup(struct usbd *u)
{
    if (u->setup.wIndex != 0 || (u->setup.bmRequestType & ~USB_DIR_IN) !=
                                    (USB_TYPE_CLASS | USB_RECIP_INTERFACE))
        return false;
    return dfu_setup(&self(u)->dfu, u, plat_ms());
}

void fn_read(struct usbd *u, uint32_t from, uint8_t *to, uint32_t n)
{
    upd_read(&self(u)->dfu.upd, from, to, n);
}

void fn_data(struct usbd *u, const uint8_t *data, uint32_t n)
{
    dfu_data(&self(u)->dfu, data, n);
}

bool fn_end(struct usbd *u)
{
    return dfu_end(&self(u)->dfu);
}

void fn_reset(struct usbd *u)
{
    dfu_reset(&self(u)->dfu);
}
