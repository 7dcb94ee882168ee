/* SPDX-License-Identifier: MIT */
/* enumerate.c - see enumerate.h. */
#include "enumerate.h"

#include <string.h>

#define TRIES        5
#define RETRY_AFTER  (200 * SIM_MS) /* a kernel is not in a hurry either */
#define ADDRESS_WAIT (2 * SIM_MS)   /* 9.2.6.3 */

enum step {
    STEP_DEVICE8, /* finds out bMaxPacketSize0 */
    STEP_ADDRESS,
    STEP_DEVICE,
    STEP_CONFIG9, /* finds out wTotalLength */
    STEP_CONFIG,
    STEPS
};

static void step_done(struct urb *urb);

static void submit(struct enumerator *e, uint8_t type, uint8_t request,
                   uint16_t value, void *data, size_t length)
{
    memset(&e->urb, 0, sizeof(e->urb));
    e->urb = (struct urb){
        .type = URB_CONTROL,
        .address = 0xff,
        .setup = {type, request, value & 0xff, (uint8_t)(value >> 8), 0, 0,
                  length & 0xff, (uint8_t)(length >> 8)},
        .data = data,
        .length = length,
        .done = step_done,
        .ctx = e,
    };
    if (e->step == STEP_DEVICE8 && e->tries)
        e->urb.delay = RETRY_AFTER;
    if (e->step == STEP_DEVICE)
        e->urb.delay = ADDRESS_WAIT;
    host_submit(e->host, &e->urb);
}

static void run_step(struct enumerator *e)
{
    switch ((enum step)e->step) {
    case STEP_DEVICE8:
        submit(e, 0x80, 6, 0x0100, e->device, 8);
        break;
    case STEP_ADDRESS:
        e->address = e->address % 126 + 1;
        submit(e, 0x00, 5, (uint16_t)e->address, NULL, 0);
        break;
    case STEP_DEVICE:
        submit(e, 0x80, 6, 0x0100, e->device, sizeof(e->device));
        break;
    case STEP_CONFIG9:
        submit(e, 0x80, 6, 0x0200, e->config, 9);
        break;
    default:
        submit(e, 0x80, 6, 0x0200, e->config, e->config_size);
    }
}

static void restart(struct enumerator *e)
{
    e->step = STEP_DEVICE8;
    host_bus_reset(e->host);
    run_step(e);
}

static void finish(struct enumerator *e, enum enum_result result)
{
    e->busy = false;
    e->done(e->ctx, result);
}

/* Is what came complete?  NULL: yes. */
static const char *complaint(struct enumerator *e)
{
    static const char *const names[STEPS] = {
        "GET_DESCRIPTOR(device, 8) failed", "SET_ADDRESS failed",
        "GET_DESCRIPTOR(device) failed",
        "GET_DESCRIPTOR(configuration, 9) failed",
        "GET_DESCRIPTOR(configuration) failed"};

    if (e->urb.status != URB_OK || e->urb.actual != e->urb.length)
        return names[e->step];
    if (e->step == STEP_CONFIG9) {
        e->config_size = (size_t)(e->config[2] | e->config[3] << 8);
        if (e->config_size < 9 || e->config_size > ENUM_CONFIG_MAX)
            return "wTotalLength makes no sense";
    }
    return NULL;
}

static void step_done(struct urb *urb)
{
    struct enumerator *e = urb->ctx;

    if (!e->busy)
        return;
    e->why = complaint(e);
    if (e->why && ++e->tries < TRIES && host_attached(e->host)) {
        restart(e);
        return;
    }
    if (e->why) {
        finish(e, ENUM_FAILED);
        return;
    }
    if (e->step == STEP_ADDRESS)
        host_set_address(e->host, e->address);
    if (++e->step == STEPS)
        finish(e, ENUM_READY);
    else
        run_step(e);
}

void enumerate_start(struct enumerator *e)
{
    enumerate_stop(e);
    e->busy = true;
    e->tries = 0;
    restart(e);
}

void enumerate_stop(struct enumerator *e)
{
    if (!e->busy)
        return;
    e->busy = false;
    host_cancel(e->host, &e->urb);
}
