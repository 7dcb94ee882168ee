/* SPDX-License-Identifier: MIT */
/*
 * personality.c - what the host sees: descriptors, strings, and which interface
 * takes which request.
 */
#include "personality.h"

#include "part.h"

#include <string.h>

#define BCD_DEVICE 0x0100u

#define DFU_INTERFACE 0u
#define MSC_INTERFACE (CONFIG_INTERFACES - 1u)

enum {
    STRING_LANGUAGES,
    STRING_VENDOR,
    STRING_PRODUCT,
#if CONFIG_DFU
    STRING_LAYOUT,
#endif
    STRING_VERSION,
    STRING_SERIAL
};

static struct sallyport *self(struct usbd *u)
{
    return (struct sallyport *)u;
}

/* Without DFU, packets are taken from here (dcd_write()). */
#define SENT _Alignas(CONFIG_DFU ? 1 : 4)

/* Windows finds its own driver for the DFU interface beside another one. */
#define MS_OS (CONFIG_DFU && CONFIG_MSC)

/* USB 2.0 table 9-8.  The class is told by the interface.  Hosts ask for a BOS
 * where bcdUSB is 2.01. */
static const SENT uint8_t device_descriptor[18] = {
    18,
    USB_DESC_DEVICE,
    USB_U16(MS_OS ? 0x0201 : 0x0200),
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

#define CONFIG_LENGTH (9 + (9 + 9) * CONFIG_DFU + (9 + 7 + 7) * CONFIG_MSC)
static const SENT uint8_t config_descriptor[CONFIG_LENGTH] = {
    /* USB 2.0 table 9-10: bus-powered, 100 mA */
    9,
    USB_DESC_CONFIGURATION,
    USB_U16(CONFIG_LENGTH),
    CONFIG_INTERFACES,
    1,
    STRING_VERSION,
    0x80,
    50,
#if CONFIG_DFU
    /* DFU 1.1 table 4.4 */
    9,
    USB_DESC_INTERFACE,
    DFU_INTERFACE,
    0,
    0,
    DFU_CLASS,
    DFU_SUBCLASS,
    DFU_PROTOCOL_DFU,
    STRING_LAYOUT,
    /* DFU 1.1 clause 4.1.3; wDetachTimeOut 255 ms as ST's ROM has it */
    9,
    DFU_DESC_FUNCTIONAL,
    DFU_CAN_DNLOAD | DFU_CAN_UPLOAD *CONFIG_READBACK | DFU_WILL_DETACH,
    USB_U16(255),
    USB_U16(UPD_BLOCK),
    USB_U16(CONFIG_DFUSE ? DFUSE_BCD : DFU_BCD),
#endif
#if CONFIG_MSC
    /* Bulk-Only Transport 1.0 clause 4 */
    9,
    USB_DESC_INTERFACE,
    MSC_INTERFACE,
    0,
    2,
    MSC_CLASS,
    MSC_SUBCLASS,
    MSC_PROTOCOL,
    0,
    7,
    USB_DESC_ENDPOINT,
    0x01,
    USB_BULK,
    USB_U16(DCD_PACKET),
    0,
    7,
    USB_DESC_ENDPOINT,
    0x81,
    USB_BULK,
    USB_U16(DCD_PACKET),
    0,
#endif
};

static const SENT uint8_t languages[4] = {4, USB_DESC_STRING,
                                          USB_U16(USB_LANGID_ENGLISH_US)};

_Static_assert(2 * PART_LAYOUT_SIZE <= USBD_TEXT, "longer than its buffer");

/* ---- Microsoft OS 2.0 Descriptors, specification of July 2018 ---- */

#define MS_OS_VENDOR_CODE 1u /* bRequest, for wIndex: */
#define MS_OS_DESCRIPTOR  7u

#define MS_OS_WINDOWS    0x06030000u /* 8.1, the first that knows these */
#define MS_OS_NAME_SIZE  42u         /* DeviceInterfaceGUIDs */
#define MS_OS_VALUE_SIZE 80u         /* of one GUID, with both NULs */
#define MS_OS_PROPERTY   (10u + MS_OS_NAME_SIZE + MS_OS_VALUE_SIZE)
#define MS_OS_FUNCTION   (8u + 20u + MS_OS_PROPERTY)
#define MS_OS_SET        (10u + 8u + MS_OS_FUNCTION)
_Static_assert(MS_OS_SET < 256 && MS_OS_SET <= USBD_TEXT, "see ms_os_set");

/* USB 3.1 clause 9.6.2, and the platform capability of tables 1 and 4. */
#define BOS_LENGTH (5 + 28)
static const uint8_t bos[BOS_LENGTH] = {
    5, USB_DESC_BOS, USB_U16(BOS_LENGTH), 1, 28, USB_DESC_DEVICE_CAPABILITY,
    5, /* platform */
    0,
    /* D8DD60DF-4589-4CC7-9CD2-659D9E648A9F */
    USB_U16(0x60DF), USB_U16(0xD8DD), USB_U16(0x4589), USB_U16(0x4CC7), 0x9C,
    0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F, USB_U16(MS_OS_WINDOWS & 0xFFFF),
    USB_U16(MS_OS_WINDOWS >> 16), USB_U16(MS_OS_SET), MS_OS_VENDOR_CODE,
    0, /* no other set of descriptors */
};

/* The set, of each 16 bits the lower half.  The function subset is for the DFU
 * interface alone: WINUSB for the device would take the drive too. */
static const struct {
    uint8_t set[5], config[4], function[4], compatible[2 + 8], property[4];
    char name[MS_OS_NAME_SIZE / 2];
    uint8_t value_size;
    char value[MS_OS_VALUE_SIZE / 2];
} ms_os_set = {
    {10, 0, 0, 3, MS_OS_SET},
    {8, 1, 0, 8 + MS_OS_FUNCTION},
    {8, 2, DFU_INTERFACE, MS_OS_FUNCTION},
    {20, 3, 'W', 'N', 'S'},
    {MS_OS_PROPERTY, 4, 7, MS_OS_NAME_SIZE}, /* REG_MULTI_SZ */
    "DeviceInterfaceGUIDs",
    MS_OS_VALUE_SIZE,
    "{67DDDA9F-30AC-444B-A495-3C90C731248E}",
};

static bool send_ms_os_set(struct usbd *u)
{
    const uint8_t *from = (const uint8_t *)&ms_os_set;
    uint8_t *bytes = (uint8_t *)u->text;

    for (uint32_t i = 0; i < sizeof(ms_os_set); i++)
        u->text[i] = from[i];
    bytes[7] = MS_OS_WINDOWS >> 24;
    bytes[31] = 'I';
    bytes[33] = 'U';
    bytes[35] = 'B';
    usbd_send(u, bytes, MS_OS_SET);
    return true;
}

/* ---- what usbd.c asks ---- */

static bool send_bytes(struct usbd *u, const uint8_t *bytes, uint32_t n)
{
    usbd_send(u, bytes, n);
    return true;
}

/* From STRING_VENDOR on; the serial number is made at start. */
static const char *const strings[] = {
    BOARD_VENDOR,
#if CONFIG_MSC
    fat_text.product,
#if CONFIG_DFU
    fat_text.layout,
#endif
#else
    BOARD_MODEL,
    CONFIG_DFUSE ? part_layout : "Application",
#endif
    boot_table.version,
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
    case USB_DESC_BOS:
        return MS_OS && index == 0 && send_bytes(u, bos, sizeof(bos));
    default:
        return false;
    }
}

bool fn_setup(struct usbd *u)
{
    const struct usb_setup *s = &u->setup;

    if (MS_OS && s->bRequest == MS_OS_VENDOR_CODE && s->wValue == 0 &&
        s->wIndex == MS_OS_DESCRIPTOR &&
        s->bmRequestType == (USB_DIR_IN | USB_TYPE_VENDOR))
        return send_ms_os_set(u);
    if ((s->bmRequestType & ~USB_DIR_IN) !=
        (USB_TYPE_CLASS | USB_RECIP_INTERFACE))
        return false;
#if CONFIG_MSC
    if (s->wIndex == MSC_INTERFACE)
        return msc_setup(&self(u)->msc, u);
#endif
    if (!CONFIG_DFU || s->wIndex != DFU_INTERFACE)
        return false;
#if CONFIG_MSC
    if (s->bRequest == DFU_DNLOAD)
        drive_lost(&self(u)->drive);
#endif
    return dfu_setup(&self(u)->dfu, u, plat_ms());
}

void fn_read(struct usbd *u, uint32_t from, uint8_t *to, uint32_t n)
{
    if (CONFIG_DFU)
        upd_read(&self(u)->dfu.upd, from, to, n);
    else
        memcpy(to, (const void *)from, n);
}

void fn_data(struct usbd *u, const uint8_t *data, uint32_t n)
{
    if (CONFIG_DFU)
        dfu_data(&self(u)->dfu, data, n);
}

bool fn_end(struct usbd *u)
{
    return CONFIG_DFU && dfu_end(&self(u)->dfu);
}

void fn_reset(struct usbd *u)
{
    if (CONFIG_DFU)
        dfu_reset(&self(u)->dfu);
}

#if CONFIG_MSC
void fn_bulk_open(struct usbd *u)
{
    msc_reset(&self(u)->msc);
}

void fn_bulk_halt(struct usbd *u, bool in)
{
    msc_halt(&self(u)->msc, in);
}

void fn_bulk_out(struct usbd *u)
{
    msc_out(&self(u)->msc);
}

void fn_bulk_in(struct usbd *u)
{
    msc_in(&self(u)->msc);
}
#endif
