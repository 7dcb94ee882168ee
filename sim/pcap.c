/* SPDX-License-Identifier: MIT */
/*
 * pcap.c - see pcap.h.
 *
 * Source: Linux, Documentation/usb/usbmon.rst (struct mon_bin_hdr); the pcap
 * file format (draft-ietf-opsawg-pcap); tcpdump.org's list of link types, 220.
 */
#include "pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKTYPE_USB_LINUX_MMAPPED 220
#define SNAPLEN                    262144
#define BUS                        1
#define HEADER                     64

struct pcap {
    FILE *file;
};

/* In the byte order of this machine, as both formats want it. */
struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    int32_t zone;
    uint32_t sigfigs, snaplen, linktype;
};

struct record_header {
    uint32_t sec, usec, captured, length;
};

struct mon_header {
    uint64_t id;
    uint8_t type, xfer_type, epnum, devnum;
    uint16_t busnum;
    char flag_setup, flag_data;
    int64_t sec;
    int32_t usec, status;
    uint32_t length, captured;
    uint8_t setup[8];
    int32_t interval, start_frame;
    uint32_t xfer_flags, ndesc;
};

_Static_assert(sizeof(struct mon_header) == HEADER, "struct mon_bin_hdr");

struct pcap *pcap_open(const char *path)
{
    const struct file_header h = {
        .magic = 0xa1b2c3d4,
        .major = 2,
        .minor = 4,
        .snaplen = SNAPLEN,
        .linktype = LINKTYPE_USB_LINUX_MMAPPED,
    };
    struct pcap *p = malloc(sizeof(*p));

    if (!p)
        return NULL;
    p->file = fopen(path, "wb");
    if (!p->file) {
        free(p);
        return NULL;
    }
    fwrite(&h, sizeof(h), 1, p->file);
    fflush(p->file);
    return p;
}

static bool is_in(const struct urb *u)
{
    if (u->type == URB_CONTROL)
        return u->setup[0] & 0x80;
    return u->endpoint & 0x80;
}

/* usbmon numbers isochronous 0, interrupt 1, control 2, bulk 3. */
static uint8_t xfer_type(const struct urb *u)
{
    if (u->type == URB_CONTROL)
        return 2;
    return u->type == URB_BULK ? 3 : 1;
}

/* What Linux would say. */
static int32_t linux_status(const struct urb *u)
{
    switch (u->status) {
    case URB_PENDING:
        return -EINPROGRESS;
    case URB_OK:
        return 0;
    case URB_STALL:
        return -EPIPE;
    case URB_GONE:
        return -ENODEV;
    case URB_CANCELLED:
    case URB_TIMEOUT:
        return -ENOENT;
    case URB_BABBLE:
        return -EOVERFLOW;
    default:
        return -EPROTO;
    }
}

/* Data that travels with this record: OUT at submit, IN at completion. */
static size_t data_size(char type, const struct urb *u)
{
    size_t n = type == 'S' ? u->length : u->actual;

    if ((type == 'S') == is_in(u))
        return 0;
    return n < SNAPLEN - HEADER ? n : SNAPLEN - HEADER;
}

static struct mon_header make_header(char type, const struct urb *u,
                                     sim_time now)
{
    struct mon_header h = {
        .id = (uintptr_t)u,
        .type = (uint8_t)type,
        .xfer_type = xfer_type(u),
        .epnum = (uint8_t)((u->endpoint & 15) | (is_in(u) ? 0x80 : 0)),
        .devnum = u->address,
        .busnum = BUS,
        .flag_setup = '-',
        .flag_data = is_in(u) ? '<' : '>',
        .sec = (int64_t)(now / SIM_S),
        .usec = (int32_t)(now % SIM_S / SIM_US),
        .status = linux_status(u),
        .length = (uint32_t)(type == 'S' ? u->length : u->actual),
        .captured = (uint32_t)data_size(type, u),
    };

    if (type == 'S' && u->type == URB_CONTROL) {
        h.flag_setup = 0;
        memcpy(h.setup, u->setup, sizeof(h.setup));
    }
    if (h.captured)
        h.flag_data = 0;
    return h;
}

static void observe(void *ctx, char type, const struct urb *u, sim_time now)
{
    struct pcap *p = ctx;
    struct mon_header m = make_header(type, u, now);
    uint32_t n = HEADER + m.captured;
    struct record_header r = {(uint32_t)m.sec, (uint32_t)m.usec, n, n};

    fwrite(&r, sizeof(r), 1, p->file);
    fwrite(&m, sizeof(m), 1, p->file);
    if (m.captured)
        fwrite(u->data, 1, m.captured, p->file);
}

void pcap_attach(struct pcap *p, struct host *h)
{
    host_monitor(h, observe, p);
}

bool pcap_close(struct pcap *p)
{
    bool ok = !ferror(p->file);

    ok = !fclose(p->file) && ok;
    free(p);
    return ok;
}
