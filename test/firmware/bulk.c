/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - test firmware: the real usbd.c and drivers under a device that
 * sends back what it gets on its bulk endpoints, packet by packet, and does
 * what a test asks for with vendor requests (test_bulk.c).
 *
 * Interface 0 has no endpoints, interface 1 has the bulk endpoints.
 */
#include "boot.h"
#include "plat.h"
#include "usbd.h"

#define QUEUE 4u /* packets */
#define ECHO  256u

/* Vendor requests to the device. */
enum {
    BULK_BUSY = 1, /* from now on wValue loops of work for each packet */
    BULK_STALL,    /* wValue 0: OUT, 1: IN */
    BULK_ECHO,     /* OUT data, and the same back with IN */
    BULK_STRAY,    /* how many events came while there was no configuration */
};

struct packet {
    _Alignas(4) uint8_t data[DCD_PACKET];
    uint32_t n;
};

static struct {
    struct usbd usbd;
    uint32_t busy, stray;
    uint32_t head, count; /* of the queue */
    struct packet queue[QUEUE];
    uint32_t at; /* of the echo */
    uint8_t echo[ECHO];
} self;

static const uint8_t device_descriptor[18] = {
    18,
    USB_DESC_DEVICE,
    USB_U16(0x0200),
    0,
    0,
    0,
    DCD_PACKET,
    USB_U16(0x1209),
    USB_U16(0x0001),
    USB_U16(0x0100),
    0,
    0,
    0,
    1,
};

#define CONFIG_LENGTH (9 + 9 + 9 + 7 + 7)
static const uint8_t config_descriptor[CONFIG_LENGTH] = {
    9,
    USB_DESC_CONFIGURATION,
    USB_U16(CONFIG_LENGTH),
    2,
    1,
    0,
    0x80,
    50,
    9,
    USB_DESC_INTERFACE,
    0,
    0,
    0,
    0xFF,
    0,
    0,
    0,
    9,
    USB_DESC_INTERFACE,
    1,
    0,
    2,
    0xFF,
    0,
    0,
    0,
    7,
    USB_DESC_ENDPOINT,
    0x01,
    2,
    USB_U16(DCD_PACKET),
    0,
    7,
    USB_DESC_ENDPOINT,
    0x81,
    2,
    USB_U16(DCD_PACKET),
    0,
};

bool fn_descriptor(struct usbd *u, uint8_t type, uint8_t index)
{
    if (type == USB_DESC_DEVICE)
        usbd_send(u, device_descriptor, sizeof(device_descriptor));
    else if (type == USB_DESC_CONFIGURATION)
        usbd_send(u, config_descriptor, sizeof(config_descriptor));
    else
        return false;
    return index == 0;
}

/* ---- bulk ---- */

static void send_first(void)
{
    const struct packet *p = &self.queue[self.head];

    if (self.count)
        dcd_bulk_write(p->data, p->n);
}

static void receive(void)
{
    if (self.count < QUEUE)
        dcd_bulk_receive();
}

void fn_bulk_open(struct usbd *u)
{
    (void)u;
    self.count = 0;
    receive();
}

void fn_bulk_halt(struct usbd *u, bool in)
{
    (void)u;
    if (in)
        send_first();
    else
        receive();
}

void fn_bulk_out(struct usbd *u)
{
    struct packet *p = &self.queue[(self.head + self.count) % QUEUE];

    self.stray += !u->config;
    p->n = dcd_bulk_read(p->data);
    self.count++;
    receive(); /* before the work */
    for (volatile uint32_t i = 0; i < self.busy; i++)
        ;
    if (self.count == 1)
        send_first();
}

void fn_bulk_in(struct usbd *u)
{
    self.stray += !u->config;
    self.head = (self.head + 1) % QUEUE;
    self.count--;
    receive();
    send_first();
}

/* ---- endpoint 0 ---- */

bool fn_setup(struct usbd *u)
{
    const struct usb_setup *s = &u->setup;

    switch (s->bmRequestType << 8 | s->bRequest) {
    case 0x40 << 8 | BULK_BUSY:
        self.busy = s->wValue;
        return s->wLength == 0;
    case 0x40 << 8 | BULK_STALL:
        dcd_bulk_stall(s->wValue);
        return s->wLength == 0;
    case 0x40 << 8 | BULK_ECHO:
        self.at = 0;
        return s->wLength <= ECHO;
    case 0xC0 << 8 | BULK_ECHO:
        usbd_send(u, self.echo, ECHO);
        return true;
    case 0xC0 << 8 | BULK_STRAY:
        usbd_send(u, &self.stray, 1);
        return true;
    default:
        return false;
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
    while (n--)
        self.echo[self.at++] = *data++;
}

bool fn_end(struct usbd *u)
{
    (void)u;
    return true;
}

void fn_reset(struct usbd *u)
{
    (void)u;
}

/* ---- what startup.c calls ---- */

struct sallyport;
enum boot_decision sallyport_boot(void);
_Noreturn void sallyport_serve(struct sallyport *s, enum boot_decision stay);

enum boot_decision sallyport_boot(void)
{
    return BOOT_STAY;
}

_Noreturn void sallyport_serve(struct sallyport *s, enum boot_decision stay)
{
    (void)s;
    (void)stay;
    plat_start();
    dcd_disconnect();
    while (plat_ms() < 50)
        ;
    dcd_connect();
    for (;;)
        usbd_poll(&self.usbd);
}
