/* SPDX-License-Identifier: MIT */
/*
 * usbip_op.c - OP_REQ_DEVLIST and OP_REQ_IMPORT: what is there, whose it is,
 * and what becomes of a connection when the device leaves.
 *
 * What the client's kernel never sends, a bus reset and SET_ADDRESS, is done
 * here when it imports the device; the configuration it sets itself.  An
 * import of a device that is not on the bus waits for it, so that a script can
 * attach at once after a reset or a DFU detach.  When the device leaves the
 * bus the connection ends, which is how the protocol says so.
 *
 * Source: Linux, Documentation/usb/usbip_protocol.rst.
 */
#include <stdio.h>
#include <string.h>

#include "usbip_priv.h"

#define VERSION     0x0111
#define DEVICE_WAIT (5 * SIM_S) /* for the device to be on the bus */
/* For another client to go: `usbip detach` returns before it has. */
#define BUSY_WAIT SIM_S

enum { REQ_DEVLIST = 0x8005, REP_DEVLIST = 5 };
enum { REQ_IMPORT = 0x8003, REP_IMPORT = 3 };
enum { OP_HEADER = 8, PATH = 256, BUSID = 32, DEVICE = 312 };
enum { SPEED_FULL = 2, BUSNUM = 1 };

/* Status of a reply; Linux's usbip prints them in words. */
enum op_status { OP_OK, OP_NOT_FOR_IMPORT, OP_BUSY, OP_FAILED, OP_NO_DEVICE };

/* ---- OP_REP_... ---- */

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static bool put_reply(struct conn *c, unsigned code, enum op_status status)
{
    uint8_t *m = usbip_reply(c, OP_HEADER);

    if (!m)
        return false;
    put16(m, VERSION);
    put16(m + 2, code);
    put32(m + 4, status);
    return true;
}

static void put_device(const struct usbip *u, struct conn *c)
{
    const struct enumerator *en = &u->front->en;
    const uint8_t *d = en->device;
    uint8_t *m = usbip_reply(c, DEVICE);

    if (!m)
        return;
    snprintf((char *)m, PATH, "/sallyport-chip/usb1/" USBIP_BUSID);
    m += PATH;
    snprintf((char *)m, BUSID, USBIP_BUSID);
    m += BUSID;
    put32(m, BUSNUM);
    put32(m + 4, en->address);
    put32(m + 8, SPEED_FULL);
    put16(m + 12, d[8] | (unsigned)d[9] << 8);   /* idVendor */
    put16(m + 14, d[10] | (unsigned)d[11] << 8); /* idProduct */
    put16(m + 16, d[12] | (unsigned)d[13] << 8); /* bcdDevice */
    memcpy(m + 18, d + 4, 3);                    /* class */
    m[21] = 0;                                   /* not configured */
    m[22] = d[17];
    m[23] = en->config[4]; /* bNumInterfaces */
}

static void put_interfaces(const struct usbip *u, struct conn *c)
{
    static const uint8_t first[DESC_INTERFACES];
    const struct enumerator *en = &u->front->en;
    size_t left = en->config[4], at = 0;
    uint8_t *m = usbip_reply(c, left * 4);
    const uint8_t *d;

    while (m && left && (d = desc_next(en->config, en->config_size, &at))) {
        if (!desc_is_current(d, first))
            continue;
        memcpy(m, d + 5, 3); /* class */
        m += 4;
        left--;
    }
}

/* The device is in use, not there, or dead: nothing can be imported. */
static void answer_list(struct usbip *u, struct conn *c, bool there)
{
    uint8_t *count =
        put_reply(c, REP_DEVLIST, OP_OK) ? usbip_reply(c, 4) : NULL;

    if (count)
        put32(count, there);
    if (there) {
        put_device(u, c);
        put_interfaces(u, c);
    }
    usbip_end(u, c);
}

static void refuse_import(struct usbip *u, struct conn *c,
                          enum op_status status, const char *why)
{
    char text[120];

    snprintf(text, sizeof(text), "import refused: %s", why);
    usbip_say(u, text);
    put_reply(c, REP_IMPORT, status);
    usbip_end(u, c);
}

static void answer_import(struct usbip *u, struct conn *c)
{
    const uint8_t *d = u->front->en.device;
    char text[64];

    put_reply(c, REP_IMPORT, OP_OK);
    put_device(u, c);
    c->state = CONN_IMPORTED;
    u->devid = (uint32_t)BUSNUM << 16 | u->front->en.address;
    u->used = false;
    memset(u->alt, 0, sizeof(u->alt));
    snprintf(text, sizeof(text), "device %02x%02x:%02x%02x imported", d[9],
             d[8], d[11], d[10]);
    usbip_say(u, text);
}

/* ---- the device comes and goes ---- */

static void on_ready(void *ctx)
{
    struct usbip *u = ctx;

    if (u->owner->state == CONN_LISTING)
        answer_list(u, u->owner, true);
    else if (u->owner->state == CONN_IMPORTING)
        answer_import(u, u->owner);
}

static void on_gone(void *ctx, const char *why)
{
    struct usbip *u = ctx;
    struct conn *c = u->owner;

    if (c->state == CONN_LISTING) {
        answer_list(u, c, false);
    } else if (c->state == CONN_IMPORTED) {
        usbip_say(u, why ? why : "device disconnected");
        usbip_end(u, c);
    } else if (why && host_attached(u->front->host)) {
        refuse_import(u, c, OP_FAILED, why);
    }
}

static const struct front_ops ops = {
    .ready = on_ready, .gone = on_gone, .answer = usbip_answer};

/* ---- OP_REQ_... ---- */

static bool claim(struct usbip *u, struct conn *c, enum conn_state state)
{
    if (!front_claim(u->front, &ops, u))
        return false;
    u->owner = c;
    c->state = state;
    c->limit = usbip_now(u) + DEVICE_WAIT;
    front_begin(u->front);
    return true;
}

void usbip_request(struct usbip *u, struct conn *c)
{
    unsigned code = c->in[2] << 8 | c->in[3];

    if (code == REQ_DEVLIST) {
        if (!host_attached(u->front->host) || !claim(u, c, CONN_LISTING))
            answer_list(u, c, false);
        return;
    }
    if (strncmp((char *)c->in + OP_HEADER, USBIP_BUSID, BUSID)) {
        refuse_import(u, c, OP_NO_DEVICE, "no such bus ID, it is " USBIP_BUSID);
        return;
    }
    c->state = CONN_IMPORTING;
    c->limit = usbip_now(u) + BUSY_WAIT;
}

size_t usbip_request_length(const struct conn *c, const char **why)
{
    unsigned code;

    if (c->in_n < OP_HEADER)
        return OP_HEADER;
    code = c->in[2] << 8 | c->in[3];
    if ((c->in[0] << 8 | c->in[1]) != VERSION)
        *why = "not USB/IP 1.1.1";
    else if (code == REQ_DEVLIST)
        return OP_HEADER;
    else if (code == REQ_IMPORT)
        return OP_HEADER + BUSID;
    else
        *why = "no such request";
    return 0;
}

/* ---- waiting ---- */

void usbip_wait(struct usbip *u, struct conn *c)
{
    bool late = usbip_now(u) >= c->limit;

    if (c->state == CONN_IMPORTING && u->owner != c) {
        if (!claim(u, c, CONN_IMPORTING) && late)
            refuse_import(u, c, OP_BUSY, "a second client, one at a time");
    } else if (c->state == CONN_IMPORTING && late) {
        refuse_import(u, c, OP_NO_DEVICE, "the device is not on the bus");
    } else if (c->state == CONN_LISTING && late) {
        answer_list(u, c, false);
    }
}
