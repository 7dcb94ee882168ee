/* SPDX-License-Identifier: MIT */
/*
 * host_sync.c - the calls of host.h that run the chip: what a test writes
 * down line by line.  Built on the asynchronous calls only.
 *
 * Source: USB 2.0, 9.1.2 (enumeration), 9.2.6.3 (time after SET_ADDRESS).
 */
#include <string.h>

#include "host.h"

#define CONTROL_LIMIT (5 * SIM_S) /* 9.2.6.1: of any request */
#define ADDRESS_WAIT  (2 * SIM_MS)
#define RESET_LIMIT   (100 * SIM_MS)
#define CONFIG_MAX    512
#define SETTLE        (3 * SIM_US)
#define TRIES         3

static void stop_chip(struct urb *urb)
{
    chip_stop(urb->ctx);
}

int host_run_urb(struct host *h, struct urb *urb, sim_time limit)
{
    struct chip *c = host_chip(h);
    sim_time end = chip_now(c) + limit;

    urb->done = stop_chip;
    urb->ctx = c;
    host_submit(h, urb);
    while (urb->status == URB_PENDING && chip_now(c) < end && !chip_was_cut(c))
        chip_run(c, end);
    if (urb->status == URB_PENDING) {
        host_cancel(h, urb);
        return chip_was_cut(c) ? URB_GONE : URB_TIMEOUT;
    }
    return urb->status == URB_OK ? (int)urb->actual : urb->status;
}

int host_control(struct host *h, uint8_t bmRequestType, uint8_t bRequest,
                 uint16_t wValue, uint16_t wIndex, void *data, uint16_t wLength)
{
    struct urb urb = {
        .type = URB_CONTROL,
        .address = 0xff,
        .setup = {bmRequestType, bRequest, wValue & 0xff, wValue >> 8,
                  wIndex & 0xff, wIndex >> 8, wLength & 0xff, wLength >> 8},
        .data = data,
        .length = wLength,
    };

    return host_run_urb(h, &urb, CONTROL_LIMIT);
}

int host_bulk(struct host *h, unsigned endpoint, void *data, size_t length,
              sim_time limit)
{
    struct urb urb = {
        .type = URB_BULK,
        .address = 0xff,
        .endpoint = (uint8_t)endpoint,
        .data = data,
        .length = length,
    };

    return host_run_urb(h, &urb, limit);
}

void host_wait(struct host *h, sim_time time)
{
    struct chip *c = host_chip(h);
    sim_time end = chip_now(c) + time;

    while (chip_now(c) < end && !chip_was_cut(c))
        chip_run(c, end);
}

/* The chip is looked at every millisecond: somebody else may have the attach
 * callback. */
int host_wait_attach(struct host *h, bool want, sim_time limit)
{
    sim_time end = chip_now(host_chip(h)) + limit;

    if (want) /* a disconnect that just happened comes first */
        host_wait(h, SETTLE);
    while (host_attached(h) != want) {
        if (chip_now(host_chip(h)) >= end)
            return URB_TIMEOUT;
        if (chip_was_cut(host_chip(h)))
            return URB_GONE;
        host_wait(h, SIM_MS);
    }
    return 0;
}

static int reset_and_wait(struct host *h)
{
    sim_time end = chip_now(host_chip(h)) + RESET_LIMIT;

    host_bus_reset(h);
    while (host_reset_busy(h)) {
        if (chip_now(host_chip(h)) >= end || chip_was_cut(host_chip(h)))
            return URB_GONE;
        host_wait(h, SIM_MS);
    }
    return host_attached(h) ? 0 : URB_GONE;
}

static int set_address(struct host *h, unsigned address)
{
    int r = host_control(h, 0x00, 5, (uint16_t)address, 0, NULL, 0);

    if (r < 0)
        return r;
    host_set_address(h, address);
    host_wait(h, ADDRESS_WAIT);
    return 0;
}

/* GET_DESCRIPTOR that has to deliver at least `want` bytes. */
static int get_descriptor(struct host *h, unsigned type, void *buf, size_t room,
                          int want)
{
    int r =
        host_control(h, 0x80, 6, (uint16_t)(type << 8), 0, buf, (uint16_t)room);

    if (r < 0)
        return r;
    return r < want ? URB_PROTOCOL : r;
}

/* Reads the first configuration; returns its bConfigurationValue. */
static int read_config(struct host *h)
{
    uint8_t config[CONFIG_MAX];
    size_t total;
    int r = get_descriptor(h, 2, config, 9, 9);

    if (r < 0)
        return r;
    total = (size_t)(config[2] | config[3] << 8);
    if (total > sizeof(config))
        return URB_BABBLE;
    r = get_descriptor(h, 2, config, total, (int)total);
    return r < 0 ? r : config[5];
}

static int enumerate_once(struct host *h)
{
    uint8_t device[18];
    int r;

    if ((r = host_wait_attach(h, true, CONTROL_LIMIT)) < 0 ||
        (r = reset_and_wait(h)) < 0 ||
        (r = get_descriptor(h, 1, device, 8, 8)) < 0 ||
        (r = set_address(h, 1)) < 0 ||
        (r = get_descriptor(h, 1, device, 18, 18)) < 0 ||
        (r = read_config(h)) < 0)
        return r;
    r = host_control(h, 0x00, 9, (uint16_t)r, 0, NULL, 0);
    return r < 0 ? r : 0;
}

int host_enumerate(struct host *h)
{
    int r = enumerate_once(h);

    /* A device that left meanwhile, to come back from its own reset say. */
    for (int i = 1; i < TRIES && r < 0 && !host_attached(h); i++)
        r = enumerate_once(h);
    return r;
}
