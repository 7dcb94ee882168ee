/* SPDX-License-Identifier: MIT */
/* usbd.c - see usbd.h.  Clauses are those of USB 2.0. */
#include "usbd.h"

#include "config.h"

/* ---- data stages ---- */

void usbd_send(struct usbd *u, const void *from, uint32_t n)
{
    u->from = (uint32_t)from;
    u->left = n;
}

void usbd_send_string(struct usbd *u, const char *ascii)
{
    uint16_t *to = u->text;
    uint32_t n;

    do
        *++to = (uint8_t)*ascii;
    while (*ascii++ > '\n');
    n = (uint32_t)to - (uint32_t)u->text;
    u->text[0] = (uint16_t)(n | USB_DESC_STRING << 8);
    usbd_send(u, u->text, n);
}

static void send_packet(struct usbd *u)
{
    uint32_t n = u->left < DCD_PACKET ? u->left : DCD_PACKET;
    const void *from = (const void *)u->from;

    if (CONFIG_DFU) {
        fn_read(u, u->from, u->packet, n);
        from = u->packet;
    }
    u->from += n;
    u->left -= n;
    u->wanted -= n;
    /* 8.5.3.2: less than asked for ends with a packet that is not full. */
    if (n < DCD_PACKET)
        u->wanted = 0;
    dcd_write(from, n);
}

static void in_done(struct usbd *u)
{
    if (u->stage == USBD_STATUS_IN) {
        u->stage = USBD_IDLE;
        if (!dcd_address_first && u->setup.bRequest == USB_SET_ADDRESS &&
            !u->setup.bmRequestType)
            dcd_set_address((uint8_t)u->setup.wValue);
    } else if (u->wanted) {
        send_packet(u);
    }
}

static void stall(struct usbd *u)
{
    u->stage = USBD_IDLE;
    dcd_stall();
}

__attribute__((noinline)) static void status_in(struct usbd *u)
{
    u->stage = USBD_STATUS_IN;
    dcd_write(u->packet, 0);
}

static void out_done(struct usbd *u)
{
    uint32_t n = dcd_read(u->packet);

    dcd_receive(); /* 8.5.3.3: the host may not have seen our ACK */
    if (!CONFIG_DFU || u->stage != USBD_DATA_OUT) {
        u->stage = USBD_IDLE; /* status, also where the host wants no more */
        return;
    }
    /* 8.5.3: a packet that is not full ends the stage; the host announced
     * how much it would send. */
    if (n != (u->left < DCD_PACKET ? u->left : DCD_PACKET)) {
        stall(u);
        return;
    }
    fn_data(u, u->packet, n);
    u->left -= n;
    if (u->left)
        return;
    if (fn_end(u))
        status_in(u);
    else
        stall(u);
}

/* ---- standard requests, clause 9.4 ---- */

static bool send_byte(struct usbd *u, uint8_t a)
{
    u->answer[0] = a;
    usbd_send(u, u->answer, u->setup.bRequest == USB_GET_STATUS ? 2 : 1);
    return true;
}

/* Opens the bulk endpoints anew where there is a configuration, else closes
 * them. */
static void bulk_reset(struct usbd *u)
{
    enum dcd_bulk_state state = u->config ? DCD_BULK_OPEN : DCD_BULK_CLOSED;

    if (!CONFIG_MSC)
        return;
    dcd_bulk_set(false, state);
    dcd_bulk_set(true, state);
    fn_bulk_open(u);
}

/* GET_STATUS, CLEAR_FEATURE or SET_FEATURE of a bulk endpoint. */
static bool bulk_request(struct usbd *u)
{
    bool in = u->setup.wIndex / USB_DIR_IN;

    if (u->setup.bRequest == USB_GET_STATUS)
        return send_byte(u, dcd_bulk_halted(in));
    if (u->setup.wValue != USB_ENDPOINT_HALT)
        return false;
    dcd_bulk_set(in, u->setup.bRequest == USB_SET_FEATURE ? DCD_BULK_HALTED
                                                          : DCD_BULK_OPEN);
    fn_bulk_halt(u, in);
    return true;
}

/* The recipient exists: the device, an interface of the configuration,
 * endpoint 0. */
static bool recipient_ok(const struct usbd *u)
{
    uint32_t recipient = u->setup.bmRequestType & 3;
    uint32_t i = u->setup.wIndex & ~USB_DIR_IN;

    return recipient == USB_RECIP_DEVICE ||
           (recipient == USB_RECIP_ENDPOINT
                ? i == 0
                : i < CONFIG_INTERFACES && u->config);
}

/* bmRequestType of what is known; GET_STATUS goes to any recipient. */
static const uint8_t types[] = {
    [USB_GET_STATUS] = USB_DIR_IN,
    [USB_CLEAR_FEATURE] = USB_RECIP_ENDPOINT,
    [USB_SET_FEATURE] = CONFIG_MSC ? USB_RECIP_ENDPOINT : 0,
    [USB_SET_ADDRESS] = USB_RECIP_DEVICE,
    [USB_GET_DESCRIPTOR] = USB_DIR_IN,
    [USB_GET_CONFIGURATION] = USB_DIR_IN,
    [USB_SET_CONFIGURATION] = USB_RECIP_DEVICE,
    [USB_GET_INTERFACE] = USB_DIR_IN | USB_RECIP_INTERFACE,
    [USB_SET_INTERFACE] = USB_RECIP_INTERFACE,
};

/* noinline, like the other few of these: found by measuring. */
__attribute__((noinline)) static bool standard(struct usbd *u)
{
    const struct usb_setup *s = &u->setup;
    uint8_t type = s->bmRequestType;

    if (s->bRequest == USB_GET_STATUS && (type & ~USB_DIR_IN) <= 2)
        type = USB_DIR_IN;
    if (s->bRequest > USB_SET_INTERFACE || type != types[s->bRequest])
        return false;
    if (CONFIG_MSC && (s->bmRequestType & USB_RECIP_ENDPOINT) &&
        (s->wIndex & ~USB_DIR_IN) == 1)
        return u->config && bulk_request(u);
    if (!recipient_ok(u))
        return false;
    switch (s->bRequest) {
    case USB_GET_STATUS: /* bus-powered, no remote wake-up, nothing halted */
    case USB_GET_INTERFACE:
        return send_byte(u, 0);
    case USB_GET_CONFIGURATION:
        return send_byte(u, u->config);
    case USB_GET_DESCRIPTOR:
        return fn_descriptor(u, (uint8_t)(s->wValue >> 8), (uint8_t)s->wValue);
    case USB_SET_ADDRESS:
        if (dcd_address_first)
            dcd_set_address((uint8_t)s->wValue);
        return true;
    case USB_CLEAR_FEATURE: /* ENDPOINT_HALT is 0 */
        return s->wValue == 0;
    case USB_SET_CONFIGURATION:
        if (s->wValue > 1)
            return false;
        u->config = (uint8_t)s->wValue;
        bulk_reset(u);
        break;
    case USB_SET_INTERFACE:
        if (s->wValue)
            return false;
        if (CONFIG_MSC && s->wIndex == CONFIG_INTERFACES - 1) {
            bulk_reset(u);
            return true;
        }
        break;
    default:
        return false;
    }
    fn_reset(u);
    return true;
}

/* ---- the control pipe ---- */

static bool dispatch(struct usbd *u)
{
    if (u->setup.bmRequestType & USB_TYPE_MASK)
        return fn_setup(u);
    /* No standard request that is known here has an OUT data stage. */
    if (u->setup.wLength && !(u->setup.bmRequestType & USB_DIR_IN))
        return false;
    return standard(u);
}

static void setup(struct usbd *u)
{
    dcd_read(&u->setup);
    u->left = u->setup.wLength;
    if (!dispatch(u)) {
        stall(u);
    } else if (!u->setup.wLength) {
        status_in(u);
    } else if (u->setup.bmRequestType & USB_DIR_IN) {
        u->stage = USBD_DATA_IN;
        u->wanted = u->setup.wLength;
        if (u->left > u->wanted)
            u->left = u->wanted;
        dcd_receive(); /* the status stage, whenever the host wants it */
        send_packet(u);
    } else if (CONFIG_DFU) { /* no other class has such requests */
        u->stage = USBD_DATA_OUT;
        dcd_receive();
    }
}

void usbd_poll(struct usbd *u)
{
    switch (dcd_poll()) {
    case DCD_RESET:
        u->stage = USBD_IDLE;
        u->config = 0;
        bulk_reset(u);
        fn_reset(u);
        break;
    case DCD_SETUP:
        setup(u);
        break;
    case DCD_OUT:
        out_done(u);
        break;
    case DCD_IN:
        in_done(u);
        break;
    case DCD_BULK_OUT:
        if (CONFIG_MSC)
            fn_bulk_out(u);
        break;
    case DCD_BULK_IN:
        if (CONFIG_MSC)
            fn_bulk_in(u);
        break;
    case DCD_NONE:
        break;
    }
}

bool usbd_quiet(const struct usbd *u)
{
    return u->stage == USBD_IDLE && dcd_quiet();
}
