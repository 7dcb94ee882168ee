/* SPDX-License-Identifier: MIT */
/* fake_dfu.c - see fake_dfu.h. */
#include "fake_dfu.h"

#include "err.h"
#include "usb.h"

#include <string.h>

static const char *const strings[] = {
    "", "ACME", "Gadget", "0042", NULL, "@Option Bytes  /0x1FFF7800/01*016 e"};

static int get_string(const struct fake *f, unsigned index, uint8_t *to)
{
    const char *text = index == 4 ? f->layout : strings[index];
    size_t n = strlen(text);

    to[0] = (uint8_t)(2 + 2 * n);
    to[1] = USB_DESC_STRING;
    for (size_t i = 0; i < n; i++) {
        to[2 + 2 * i] = (uint8_t)text[i];
        to[3 + 2 * i] = 0;
    }
    return to[0];
}

static int get_configuration(const struct fake *f, uint8_t *to)
{
    unsigned alts = f->plain ? 1 : 2, n = 9;

    for (unsigned i = 0; i < alts; i++, n += 9) {
        const uint8_t d[9] = {9,
                              USB_DESC_INTERFACE,
                              0,
                              (uint8_t)i,
                              0,
                              DFU_CLASS,
                              DFU_SUBCLASS,
                              DFU_PROTOCOL_DFU,
                              (uint8_t)(4 + i)};

        memcpy(to + n, d, 9);
    }
    const uint8_t functional[9] = {9,
                                   DFU_DESC_FUNCTIONAL,
                                   (uint8_t)(DFU_CAN_DNLOAD | DFU_CAN_UPLOAD |
                                             (f->tolerant ? DFU_TOLERANT : 0)),
                                   USB_U16(255),
                                   USB_U16(FAKE_BLOCK),
                                   USB_U16(f->plain ? DFU_BCD : DFUSE_BCD)};
    const uint8_t head[9] = {
        9, USB_DESC_CONFIGURATION, USB_U16(n + 9), 1, 1, 0, 0x80, 50};

    memcpy(to + n, functional, 9);
    memcpy(to, head, 9);
    return (int)n + 9;
}

static int get_descriptor(const struct fake *f, const struct usb_setup *s,
                          uint8_t *to)
{
    static const uint8_t device[18] = {18,   USB_DESC_DEVICE,
                                       0,    2,
                                       0,    0,
                                       0,    64,
                                       0x83, 0x04,
                                       0x11, 0xDF,
                                       0,    0x22,
                                       1,    2,
                                       3,    1};
    uint8_t m[256] = {0};
    int n = 18;

    if (s->wValue >> 8 == USB_DESC_STRING)
        n = get_string(f, s->wValue & 0xFF, m);
    else if (s->wValue >> 8 == USB_DESC_CONFIGURATION)
        n = get_configuration(f, m);
    else
        memcpy(m, device, sizeof(device));
    n = n < s->wLength ? n : s->wLength;
    memcpy(to, m, (size_t)n);
    return n;
}

/* ---- DFU ---- */

static int stall(struct fake *f, unsigned status)
{
    f->state = DFU_dfuERROR;
    f->status = status;
    return TRANSPORT_STALL;
}

static uint8_t *memory(struct fake *f, uint32_t addr, uint32_t n)
{
    uint32_t at = addr - (f->alt ? FAKE_OPTIONS_AT : FAKE_FLASH_AT);
    uint32_t size = f->alt ? FAKE_OPTIONS : FAKE_FLASH;

    if (at >= size || n > size - at)
        return NULL;
    return (f->alt ? f->options : f->flash) + at;
}

static void program(struct fake *f, uint32_t addr)
{
    uint8_t *to = memory(f, addr, f->n);

    f->writes++;
    if (!to)
        f->status = DFU_STATUS_ADDRESS;
    for (unsigned i = 0; to && i < f->n && !f->alt && !f->plain; i++) {
        if (to[i] != 0xFF)
            f->status = DFU_STATUS_PROG;
    }
    if (f->bad_cell && addr == FAKE_FLASH_AT)
        f->status = DFU_STATUS_PROG;
    if (to && !f->status)
        memcpy(to, f->data, f->n);
}

static void run_command(struct fake *f)
{
    uint32_t addr;

    memcpy(&addr, f->data + 1, 4);
    if (!memory(f, addr, 1)) {
        f->status = DFU_STATUS_TARGET;
    } else if (f->data[0] == DFUSE_SET_ADDRESS) {
        f->pointer = addr;
    } else {
        f->erases++;
        memset(memory(f, addr & ~1023u, 1024), 0xFF, 1024);
    }
}

static void carry_out(struct fake *f)
{
    f->pending = false;
    if (f->plain)
        program(f, FAKE_FLASH_AT + f->block * FAKE_BLOCK);
    else if (f->block)
        program(f, f->pointer + (f->block - 2) * FAKE_BLOCK);
    else
        run_command(f);
    f->state = f->status ? DFU_dfuERROR : DFU_dfuDNLOAD_IDLE;
}

static int get_status(struct fake *f, uint8_t *to)
{
    if (f->state == DFU_dfuMANIFEST_SYNC && !f->plain) {
        f->gone = true;
        return TRANSPORT_GONE;
    }
    if (f->state == DFU_dfuMANIFEST_SYNC)
        f->state = f->tolerant ? DFU_dfuIDLE : DFU_dfuMANIFEST_WAIT_RESET;
    else if (f->state == DFU_dfuDNLOAD_SYNC) {
        f->state = DFU_dfuDNBUSY;
        f->poll_ms = 7;
    } else if (f->state == DFU_dfuDNBUSY) {
        f->hurried += f->poll_ms > 0;
        f->poll_ms = 0;
        carry_out(f);
    }
    memset(to, 0, 6);
    to[0] = (uint8_t)f->status;
    to[1] = (uint8_t)f->poll_ms;
    to[4] = (uint8_t)f->state;
    return 6;
}

static int dnload(struct fake *f, const struct usb_setup *s, const void *data)
{
    if (f->state != DFU_dfuIDLE && f->state != DFU_dfuDNLOAD_IDLE)
        return stall(f, DFU_STATUS_STALLEDPKT);
    if (!s->wLength) {
        f->state = DFU_dfuMANIFEST_SYNC;
        return 0;
    }
    memcpy(f->data, data, s->wLength);
    f->block = s->wValue;
    f->n = s->wLength;
    f->state = DFU_dfuDNLOAD_SYNC;
    return s->wLength;
}

static int upload(struct fake *f, const struct usb_setup *s, void *data)
{
    uint32_t addr = f->plain ? FAKE_FLASH_AT + s->wValue * FAKE_BLOCK
                             : f->pointer + (s->wValue - 2u) * FAKE_BLOCK;
    uint32_t n = s->wLength;

    if (f->state != DFU_dfuIDLE && f->state != DFU_dfuUPLOAD_IDLE)
        return stall(f, DFU_STATUS_STALLEDPKT);
    while (n && !memory(f, addr, n))
        n--;
    if (n)
        memcpy(data, memory(f, addr, n), n);
    f->reads++;
    f->state = n < s->wLength ? DFU_dfuIDLE : DFU_dfuUPLOAD_IDLE;
    return (int)n;
}

static int class_request(struct fake *f, const struct usb_setup *s, void *data)
{
    switch (s->bRequest) {
    case DFU_DNLOAD:
        return dnload(f, s, data);
    case DFU_UPLOAD:
        return upload(f, s, data);
    case DFU_GETSTATUS:
        return get_status(f, data);
    case DFU_CLRSTATUS:
        f->status = 0;
        f->state = DFU_dfuIDLE;
        return 0;
    case DFU_ABORT:
        if (f->state == DFU_dfuERROR)
            return TRANSPORT_STALL;
        f->state = DFU_dfuIDLE;
        return 0;
    default:
        return stall(f, DFU_STATUS_STALLEDPKT);
    }
}

/* ---- the transport ---- */

static int control(struct transport *t, const struct usb_setup *s, void *data)
{
    struct fake *f = (struct fake *)t;

    if (f->gone)
        return TRANSPORT_GONE;
    if (s->bmRequestType == USB_DIR_IN)
        return get_descriptor(f, s, data);
    return class_request(f, s, data);
}

static bool claim(struct transport *t, uint8_t configuration, uint8_t interface,
                  struct fail *f)
{
    (void)t;
    (void)f;
    return configuration == 1 && interface == 0;
}

static int set_alt(struct transport *t, uint8_t interface, uint8_t alt)
{
    (void)interface;
    ((struct fake *)t)->alt = alt;
    return 0;
}

static int reset(struct transport *t)
{
    ((struct fake *)t)->resets++;
    ((struct fake *)t)->gone = true; /* the application runs */
    return TRANSPORT_GONE;
}

static void sleep_ms(struct transport *t, unsigned ms)
{
    struct fake *f = (struct fake *)t;

    f->poll_ms -= ms < f->poll_ms ? ms : f->poll_ms;
}

static void close_it(struct transport *t)
{
    (void)t;
}

static const struct transport_ops ops = {
    .control = control,
    .claim = claim,
    .set_alt = set_alt,
    .reset = reset,
    .sleep = sleep_ms,
    .close = close_it,
};

void fake_new(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    f->t.ops = &ops;
    f->layout = FAKE_LAYOUT;
    memset(f->flash, 0xFF, sizeof(f->flash));
    f->state = DFU_dfuERROR;
    f->status = DFU_STATUS_UNKNOWN;
}
