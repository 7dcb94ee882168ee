/* SPDX-License-Identifier: MIT */
/*
 * wire.c - the cable: joins the chip's USB block and one host.
 *
 * It knows no protocol beyond "nobody is there": a transaction on a cable
 * that is unplugged, or without a pull-up at the far end, times out.
 *
 * Source: USB 2.0, 7.1.7.3 (connect), 8.7.2 (time-out of a response).
 */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"

struct wire_state {
    bool pullup, plugged;
};

struct wire {
    struct chip *chip;
    const struct wire_ops *ops;
    void *dev;
    struct wire_host host; /* deadline == NULL: no host */
    struct wire_state s;
};

struct wire *wire_new(struct chip *c, const struct wire_ops *ops, void *dev)
{
    struct wire *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->chip = c;
    w->ops = ops;
    w->dev = dev;
    w->s.plugged = true;
    return w;
}

void wire_free(struct wire *w)
{
    free(w);
}

bool wire_attached(struct wire *w)
{
    return w->s.pullup && w->s.plugged;
}

bool wire_plugged(struct wire *w)
{
    return w->s.plugged;
}

/* Tell both sides when what the host sees has changed. */
static void attach_change(struct wire *w, bool before)
{
    bool now = wire_attached(w);

    if (now == before)
        return;
    chip_report(w->chip, EV_USB, now ? "usb: connect" : "usb: disconnect");
    if (w->host.attach_changed)
        w->host.attach_changed(w->host.host, now);
    wire_touch(w);
}

void wire_plug(struct wire *w, bool plugged)
{
    bool before = wire_attached(w);

    w->s.plugged = plugged;
    attach_change(w, before);
    if (w->ops->vbus)
        w->ops->vbus(w->chip, w->dev, plugged);
}

void wire_set_pullup(struct wire *w, bool on)
{
    bool before = wire_attached(w);

    w->s.pullup = on;
    attach_change(w, before);
}

sim_time wire_frozen_until(struct wire *w)
{
    return chip_frozen_until(w->chip);
}

enum wire_result wire_setup(struct wire *w, unsigned addr, unsigned ep,
                            const uint8_t data[8])
{
    if (!wire_attached(w))
        return WIRE_TIMEOUT;
    return w->ops->setup(w->chip, w->dev, addr, ep, data);
}

enum wire_result wire_out(struct wire *w, unsigned addr, unsigned ep,
                          unsigned toggle, const uint8_t *data, size_t n)
{
    if (!wire_attached(w))
        return WIRE_TIMEOUT;
    return w->ops->out(w->chip, w->dev, addr, ep, toggle, data, n);
}

enum wire_result wire_in_start(struct wire *w, unsigned addr, unsigned ep,
                               uint8_t *data, size_t *n, unsigned *toggle)
{
    if (!wire_attached(w))
        return WIRE_TIMEOUT;
    return w->ops->in(w->chip, w->dev, addr, ep, data, n, toggle);
}

void wire_in_end(struct wire *w, unsigned ep, bool acked)
{
    if (wire_attached(w))
        w->ops->in_ack(w->chip, w->dev, ep, acked);
}

enum wire_result wire_in(struct wire *w, unsigned addr, unsigned ep,
                         uint8_t *data, size_t *n, unsigned *toggle,
                         bool lose_ack)
{
    enum wire_result r = wire_in_start(w, addr, ep, data, n, toggle);

    if (r == WIRE_ACK)
        wire_in_end(w, ep, !lose_ack);
    return r;
}

void wire_bad_packet(struct wire *w)
{
    if (wire_attached(w) && w->ops->bad_packet)
        w->ops->bad_packet(w->chip, w->dev);
}

void wire_sof(struct wire *w, unsigned frame)
{
    if (wire_attached(w) && w->ops->sof)
        w->ops->sof(w->chip, w->dev, frame);
}

void wire_bus_reset(struct wire *w, bool begin)
{
    if (begin && !wire_attached(w))
        return;
    if (begin)
        chip_report(w->chip, EV_USB, "usb: bus reset");
    if (w->ops->bus_reset)
        w->ops->bus_reset(w->chip, w->dev, begin);
}

void wire_suspend(struct wire *w, bool suspended)
{
    if (wire_attached(w) && w->ops->suspend)
        w->ops->suspend(w->chip, w->dev, suspended);
}

void wire_set_host(struct wire *w, const struct wire_host *host)
{
    if (host)
        w->host = *host;
    else
        memset(&w->host, 0, sizeof(w->host));
    wire_touch(w);
}

void wire_touch(struct wire *w)
{
    chip_touch(w->chip);
}

void wire_report(struct wire *w, const char *text)
{
    chip_report(w->chip, EV_USB, "usb: %s", text);
}

sim_time wire_deadline(struct wire *w)
{
    return w->host.deadline ? w->host.deadline(w->host.host) : SIM_NEVER;
}

void wire_event(struct wire *w)
{
    if (w->host.event)
        w->host.event(w->host.host);
}

/* ---- snapshots ---- */

/* What a snapshot starts with.  A host that came or went since the snapshot
 * was taken keeps its own state: it is not the one that was saved. */
struct wire_saved {
    struct wire_state s;
    size_t host_size;
};

size_t wire_state_size(struct wire *w)
{
    return sizeof(struct wire_saved) + w->host.state_size;
}

void wire_save(struct wire *w, void *buf)
{
    struct wire_saved saved = {.s = w->s, .host_size = w->host.state_size};

    memcpy(buf, &saved, sizeof(saved));
    if (w->host.state_size)
        memcpy((char *)buf + sizeof(saved), w->host.state, w->host.state_size);
}

void wire_restore(struct wire *w, const void *buf)
{
    struct wire_saved saved;

    memcpy(&saved, buf, sizeof(saved));
    w->s = saved.s;
    if (!saved.host_size || saved.host_size != w->host.state_size)
        return;
    memcpy(w->host.state, (const char *)buf + sizeof(saved), saved.host_size);
    if (w->host.restored)
        w->host.restored(w->host.host);
}
