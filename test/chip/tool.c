/* SPDX-License-Identifier: MIT */
/* tool.c - see tool.h. */
#include "tool.h"

#include "usb.h"

#include <string.h>

static int error_of(int status)
{
    switch (status) {
    case URB_STALL:
        return TRANSPORT_STALL;
    case URB_GONE:
        return TRANSPORT_GONE;
    case URB_TIMEOUT:
        return TRANSPORT_TIMEOUT;
    default:
        return TRANSPORT_ERROR;
    }
}

static void count(struct tool *tool, const struct usb_setup *s,
                  const uint8_t *data)
{
    if ((s->bmRequestType & 0x7F) != 0x21 || s->bRequest > DFU_ABORT)
        return;
    tool->requests[s->bRequest]++;
    if (s->bRequest == DFU_DNLOAD && !s->wValue && s->wLength)
        tool->erases += data[0] == DFUSE_ERASE;
    else if (s->bRequest == DFU_DNLOAD)
        tool->down += s->wLength;
    else if (s->bRequest == DFU_UPLOAD)
        tool->up += s->wLength;
}

static int control(struct transport *t, const struct usb_setup *s, void *data)
{
    struct tool *tool = (struct tool *)t;
    int n;

    if (!tool->gone && tool->cut)
        tool->gone = tool->cut(tool->ctx, tool);
    if (tool->gone)
        return TRANSPORT_GONE;
    count(tool, s, data);
    n = rig_request(tool->rig, s->bmRequestType, s->bRequest, s->wValue,
                    s->wIndex, data, s->wLength);
    if (n > 0 && s->bmRequestType == 0xA1 && s->bRequest == DFU_UPLOAD &&
        tool->spoil_after && tool->down >= tool->spoil_after)
        *(uint8_t *)data ^= 1;
    return n < 0 ? error_of(n) : n;
}

static bool claim(struct transport *t, uint8_t configuration, uint8_t interface,
                  struct fail *f)
{
    (void)t;
    (void)configuration;
    (void)interface;
    (void)f;
    return true;
}

static int set_alt(struct transport *t, uint8_t interface, uint8_t alt)
{
    struct usb_setup s = {USB_RECIP_INTERFACE, USB_SET_INTERFACE, alt,
                          interface, 0};

    return control(t, &s, NULL);
}

static int reset(struct transport *t)
{
    int bad = rig_bus_reset(((struct tool *)t)->rig);

    return bad ? error_of(bad) : 0;
}

static void sleep_ms(struct transport *t, unsigned ms)
{
    host_wait(((struct tool *)t)->rig->host, ms * SIM_MS);
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

bool tool_open(struct tool *tool, struct rig *r, struct device *d,
               struct fail *f)
{
    memset(tool, 0, sizeof(*tool));
    tool->t.ops = &ops;
    tool->rig = r;
    return device_take(&tool->t, "rig", d, f);
}
