/* SPDX-License-Identifier: MIT */
/* front.c - see front.h. */
#include "front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A transfer that got nowhere for so long is waiting for the chip to have
 * something to say: a serial port's IN endpoint, say. */
#define WORK_LIMIT (2 * SIM_S)

void front_say(struct front *f, const char *name, const char *text)
{
    char line[160];

    snprintf(line, sizeof(line), "%s: %s", name, text);
    f->print(f->print_ctx, line);
}

/* ---- transfers ---- */

bool front_is_in(const struct transfer *t)
{
    if (t->urb.type == URB_CONTROL)
        return t->urb.setup[0] & 0x80;
    return t->urb.endpoint & 0x80;
}

static void unlink_transfer(struct transfer *t)
{
    struct transfer **p = &t->front->transfers;

    while (*p && *p != t)
        p = &(*p)->next;
    if (*p)
        *p = t->next;
}

static void transfer_done(struct urb *urb)
{
    struct transfer *t = (struct transfer *)urb;
    struct front *f = t->front;

    if (f->ops && f->ops->answer(f->ctx, t))
        return;
    unlink_transfer(t);
    free(t);
    chip_stop(host_chip(f->host));
}

struct transfer *front_transfer(struct front *f, enum urb_type type,
                                unsigned endpoint, uint64_t id, size_t length)
{
    struct transfer *t = calloc(1, sizeof(*t) + length), **p = &f->transfers;

    if (!t)
        return NULL;
    t->front = f;
    t->id = id;
    t->urb = (struct urb){.type = type,
                          .address = 0xff,
                          .endpoint = (uint8_t)endpoint,
                          .data = t->data,
                          .length = length,
                          .done = transfer_done};
    while (*p)
        p = &(*p)->next;
    *p = t;
    return t;
}

static void end(struct transfer *t, enum urb_status status)
{
    t->urb.status = status;
    transfer_done(&t->urb);
}

void front_start(struct transfer *t)
{
    struct front *f = t->front;

    if (f->ready) {
        host_submit(f->host, &t->urb);
        return;
    }
    t->urb.status = URB_PENDING;
    if (!f->en.busy)
        end(t, URB_GONE);
}

void front_cancel(struct transfer *t)
{
    struct front *f = t->front;

    if (f->ready && t->urb.status == URB_PENDING)
        host_cancel(f->host, &t->urb);
    else
        end(t, URB_CANCELLED);
}

void front_cancel_all(struct front *f)
{
    while (f->transfers) {
        f->transfers->stopped = true;
        front_cancel(f->transfers);
    }
}

void front_fail_waiting(struct front *f)
{
    while (f->transfers) {
        f->transfers->stopped = true;
        end(f->transfers, URB_GONE);
    }
}

bool front_busy(const struct front *f)
{
    sim_time now = chip_now(host_chip(f->host));

    if (f->en.busy)
        return true;
    for (const struct transfer *t = f->transfers; t; t = t->next)
        if (t->urb.type != URB_INTERRUPT && now - t->urb.started < WORK_LIMIT)
            return true;
    return false;
}

/* ---- the device comes, is reset, goes ---- */

static void gone(struct front *f, const char *why)
{
    front_fail_waiting(f);
    if (f->ops)
        f->ops->gone(f->ctx, why);
    chip_stop(host_chip(f->host));
}

static void enumerated(void *ctx, enum enum_result result)
{
    struct front *f = ctx;

    if (result != ENUM_READY) {
        gone(f, f->en.why);
        return;
    }
    f->ready = true;
    f->ops->ready(f->ctx);
    for (struct transfer *t = f->transfers; t; t = t->next)
        host_submit(f->host, &t->urb);
    chip_stop(host_chip(f->host));
}

static void attach_changed(void *ctx, bool attached)
{
    struct front *f = ctx;

    if (!f->begun)
        return;
    if (attached) {
        front_enumerate(f);
        return;
    }
    enumerate_stop(&f->en);
    f->ready = false;
    gone(f, NULL);
}

void front_enumerate(struct front *f)
{
    f->ready = false;
    enumerate_start(&f->en);
}

void front_begin(struct front *f)
{
    f->begun = true;
    if (host_attached(f->host))
        front_enumerate(f);
}

/* ---- whose it is ---- */

bool front_claim(struct front *f, const struct front_ops *ops, void *ctx)
{
    if (f->ops)
        return false;
    f->ops = ops;
    f->ctx = ctx;
    f->begun = false;
    return true;
}

void front_release(struct front *f)
{
    f->ops = NULL;
    f->begun = false;
    enumerate_stop(&f->en);
    front_cancel_all(f);
    f->ready = false;
}

void front_open(struct front *f, struct host *h,
                void (*print)(void *ctx, const char *line), void *ctx)
{
    memset(f, 0, sizeof(*f));
    f->host = h;
    f->print = print;
    f->print_ctx = ctx;
    f->en.host = h;
    f->en.done = enumerated;
    f->en.ctx = f;
    host_on_attach(h, attach_changed, f);
}

void front_close(struct front *f)
{
    if (!f->host)
        return;
    front_release(f);
    host_on_attach(f->host, NULL, NULL);
    f->host = NULL;
}
