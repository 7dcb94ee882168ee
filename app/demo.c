/* SPDX-License-Identifier: MIT */
/*
 * demo.c - an application that lives behind the bootloader: it blinks, prints
 * its version, and goes back to the bootloader when its key is pressed or the
 * host sends DFU_DETACH to its run-time DFU interface (USB DFU 1.1 clause 5).
 *
 * It uses the bootloader's own USB core; an application takes its own.
 */
#include "demo.h"

#include "board.h"
#include "dcd.h"
#include "usbd.h"

#ifndef DEMO_VERSION
#error "DEMO_VERSION comes from the build"
#endif

#define BLINK_MS      250u
#define DISCONNECT_MS 50u /* a host sees that the device left */
#define DETACH_MS     20u /* the status stage of DETACH gets through */

struct demo {
    struct usbd usbd; /* first: the functions of usbd.h find the rest */
    char serial[DEMO_SERIAL_DIGITS + 1];
    uint8_t state; /* enum dfu_state */
    uint8_t status[6];
    bool detached;
    bool led;
    uint32_t detached_ms;
    uint32_t led_ms; /* of its last change */
};

static struct demo *self(struct usbd *u)
{
    return (struct demo *)u;
}

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
    USB_U16(0x0100),
    1,
    2,
    3,
    1,
};

#define CONFIG_LENGTH (9 + 9 + 9)
static const uint8_t config_descriptor[CONFIG_LENGTH] = {
    9,
    USB_DESC_CONFIGURATION,
    USB_U16(CONFIG_LENGTH),
    1,
    1,
    0,
    0x80,
    50,
    9,
    USB_DESC_INTERFACE,
    0,
    0,
    0,
    DFU_CLASS,
    DFU_SUBCLASS,
    DFU_PROTOCOL_RUNTIME,
    2,
    /* DFU 1.1 table 4.2: it detaches by itself */
    9,
    DFU_DESC_FUNCTIONAL,
    DFU_CAN_DNLOAD | DFU_CAN_UPLOAD | DFU_WILL_DETACH,
    USB_U16(255),
    USB_U16(BOARD_FLASH_PAGE),
    USB_U16(DFUSE_BCD),
};

static const uint8_t languages[4] = {4, USB_DESC_STRING,
                                     USB_U16(USB_LANGID_ENGLISH_US)};

static bool send_string(struct usbd *u, uint8_t index)
{
    switch (index) {
    case 0:
        usbd_send(u, languages, sizeof(languages));
        return true;
    case 1:
        usbd_send_string(u, BOARD_VENDOR);
        return true;
    case 2:
        usbd_send_string(u, "Sallyport demo " DEMO_VERSION);
        return true;
    case 3:
        usbd_send_string(u, self(u)->serial);
        return true;
    default:
        return false;
    }
}

bool fn_descriptor(struct usbd *u, uint8_t type, uint8_t index)
{
    switch (type) {
    case USB_DESC_DEVICE:
        usbd_send(u, device_descriptor, sizeof(device_descriptor));
        return index == 0;
    case USB_DESC_CONFIGURATION:
        usbd_send(u, config_descriptor, sizeof(config_descriptor));
        return index == 0;
    case USB_DESC_STRING:
        return send_string(u, index);
    default:
        return false;
    }
}

/* DFU 1.1 A.2.2: in appDETACH a request that is stalled ends the wish. */
static bool no_request(struct demo *d)
{
    d->state = DFU_appIDLE;
    d->detached = false;
    return false;
}

bool fn_setup(struct usbd *u)
{
    const struct usb_setup *s = &u->setup;
    struct demo *d = self(u);

    if (s->wIndex != 0)
        return false;
    if (s->wLength && !(s->bmRequestType & USB_DIR_IN))
        return no_request(d); /* nothing here takes data */
    switch (s->bmRequestType << 8 | s->bRequest) {
    case 0x21 << 8 | DFU_DETACH:
        d->state = DFU_appDETACH;
        d->detached = true;
        d->detached_ms = demo_ms();
        return true;
    case 0xA1 << 8 | DFU_GETSTATUS:
        d->status[4] = d->state;
        usbd_send(u, d->status, sizeof(d->status));
        return true;
    case 0xA1 << 8 | DFU_GETSTATE:
        usbd_send(u, &d->state, 1);
        return true;
    default:
        return no_request(d);
    }
}

void fn_read(struct usbd *u, uint32_t from, uint8_t *to, uint32_t n)
{
    const uint8_t *p = (const uint8_t *)from;

    (void)u;
    while (n--)
        *to++ = *p++;
}

void fn_data(struct usbd *u, const uint8_t *data, uint32_t n)
{
    (void)u;
    (void)data;
    (void)n;
}

bool fn_end(struct usbd *u)
{
    (void)u;
    return false;
}

void fn_reset(struct usbd *u)
{
    self(u)->state = DFU_appIDLE;
}

static _Noreturn void enter_bootloader(void)
{
    uint32_t start = demo_ms();

    demo_print("entering the bootloader\r\n");
    dcd_disconnect();
    while (demo_ms() - start < DISCONNECT_MS)
        ;
    demo_enter_bootloader();
}

static void connect(void)
{
    uint32_t start = demo_ms();

    dcd_disconnect();
    while (demo_ms() - start < DISCONNECT_MS)
        ;
    dcd_connect();
}

int main(void)
{
    static struct demo demo; /* the application's whole state */
    const char *version = demo_bootloader_version();

    demo_start();
    demo_serial(demo.serial);
    demo_print("\r\nSallyport demo " DEMO_VERSION ", serial number ");
    demo_print(demo.serial);
    demo_print("\r\n");
    if (version) {
        demo_print("bootloader ");
        demo_print(version);
        demo_print("\r\n");
    }
    connect();
    for (;;) {
        uint32_t now;

        usbd_poll(&demo.usbd);
        now = demo_ms();
        if (now - demo.led_ms >= BLINK_MS) {
            demo.led_ms += BLINK_MS;
            demo.led = !demo.led;
            demo_led(demo.led);
        }
        if (demo_key() ||
            (demo.detached && now - demo.detached_ms >= DETACH_MS))
            enter_bootloader();
    }
}
