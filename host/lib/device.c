/* SPDX-License-Identifier: MIT */
/* device.c - see device.h. */
#include "device.h"

#include "usb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool device_fail(int error, const char *doing, struct fail *f)
{
    switch (error) {
    case TRANSPORT_GONE:
        return fail(f, FAIL_LOST,
                    "the device went away (%s): plug it in and try again",
                    doing);
    case TRANSPORT_STALL:
        return fail(f, FAIL_DEVICE, "the device refuses: %s", doing);
    case TRANSPORT_TIMEOUT:
        return fail(f, FAIL_DEVICE,
                    "the device does not answer (%s): plug it in again", doing);
    default:
        return fail(f, FAIL_LOST,
                    "the connection to the device failed (%s): plug it in "
                    "and try again",
                    doing);
    }
}

/* ---- descriptors ---- */

static int get_descriptor(struct device *d, unsigned type, unsigned index,
                          uint16_t language, void *data, uint16_t n)
{
    struct usb_setup s = {USB_DIR_IN, USB_GET_DESCRIPTOR,
                          (uint16_t)(type << 8 | index), language, n};

    return d->t->ops->control(d->t, &s, data);
}

/* As ASCII, '?' for what is not.  A device that refuses has no such string. */
static void read_string(struct device *d, unsigned index, char *text)
{
    uint8_t m[255];
    int n = index ? get_descriptor(d, USB_DESC_STRING, index,
                                   USB_LANGID_ENGLISH_US, m, sizeof(m))
                  : 0;

    *text = 0;
    for (int i = 2; i + 1 < n && i + 1 < m[0]; i += 2)
        *text++ = m[i + 1] || m[i] < 0x20 || m[i] > 0x7E ? '?' : (char)m[i];
    *text = 0;
}

static unsigned word_at(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static void take_functional(struct device *d, const uint8_t *p)
{
    d->attributes = p[2];
    d->block = (uint16_t)word_at(p + 5);
    /* DFU 1.0 has seven bytes. */
    d->dfu_version = p[0] >= 9 ? (uint16_t)word_at(p + 7) : 0x0100;
}

/* One interface descriptor of a DFU interface. */
static void take_alt(struct device *d, const uint8_t *p, uint8_t *names)
{
    if (d->alts == DEVICE_ALTS || (d->alts && p[2] != d->interface))
        return;
    d->interface = p[2];
    d->runtime = p[7] == DFU_PROTOCOL_RUNTIME;
    d->alt[d->alts].number = p[3];
    names[d->alts++] = p[8];
}

/* Configuration descriptor c of n bytes, USB 2.0 clause 9.6.3.  The
 * functional descriptor stands behind the last alternate setting, or each. */
static void take_configuration(struct device *d, const uint8_t *c, size_t n,
                               uint8_t *names)
{
    bool inside = false;

    d->configuration = c[5];
    d->configuration_name = c[6];
    for (size_t at = 0; at + 2 <= n && c[at] >= 2 && at + c[at] <= n;
         at += c[at]) {
        const uint8_t *p = c + at;

        if (p[1] == USB_DESC_INTERFACE && p[0] >= 9) {
            inside = p[5] == DFU_CLASS && p[6] == DFU_SUBCLASS;
            if (inside)
                take_alt(d, p, names);
        } else if (p[1] == DFU_DESC_FUNCTIONAL && p[0] >= 7 && inside) {
            take_functional(d, p);
        }
    }
}

static bool read_configuration(struct device *d, unsigned index, uint8_t *names,
                               struct fail *f)
{
    uint8_t *c;
    uint8_t head[9];
    unsigned n;
    int got = get_descriptor(d, USB_DESC_CONFIGURATION, index, 0, head, 9);

    if (got < 0)
        return device_fail(got, "reading its descriptors", f);
    n = got < 4 ? 0 : word_at(head + 2);
    c = n >= 9 ? calloc(1, n) : NULL;
    if (!c)
        return fail(f, FAIL_DEVICE, "the device's descriptors are damaged");
    got = get_descriptor(d, USB_DESC_CONFIGURATION, index, 0, c, (uint16_t)n);
    if (got >= 9)
        take_configuration(d, c, (size_t)got, names);
    free(c);
    return got >= 0 || device_fail(got, "reading its descriptors", f);
}

/* ---- what they mean ---- */

static void find_board(struct device *d)
{
    for (int i = 0; board_infos[i] && !d->board; i++) {
        const struct board_info *b = board_infos[i];

        if (b->vid == d->vid && b->pid == d->pid && !strcmp(b->model, d->model))
            d->board = b;
    }
}

/* Ours has its version there (core/boot.h). */
static void take_bootloader(struct device *d)
{
    static const char ours[] = "Sallyport ";
    char text[DEVICE_TEXT];

    read_string(d, d->configuration_name, text);
    if (!strncmp(text, ours, sizeof(ours) - 1))
        strcpy(d->bootloader, text + sizeof(ours) - 1);
}

static bool take_names(struct device *d, const uint8_t *names, struct fail *f)
{
    d->dfuse = d->dfu_version == DFUSE_BCD && !d->runtime;
    for (size_t i = 0; i < d->alts; i++) {
        struct device_alt *a = &d->alt[i];

        read_string(d, names[i], a->name);
        if (d->dfuse && a->name[0] == '@' &&
            !layout_parse(a->name, &a->layout, f))
            return false;
        a->has_layout = d->dfuse && a->name[0] == '@';
    }
    return true;
}

static bool read_device(struct device *d, struct fail *f)
{
    uint8_t m[18] = {0}, names[DEVICE_ALTS] = {0};
    int got = get_descriptor(d, USB_DESC_DEVICE, 0, 0, m, sizeof(m));

    if (got < 18)
        return device_fail(got < 0 ? got : TRANSPORT_ERROR,
                           "reading its descriptor", f);
    d->vid = (uint16_t)word_at(m + 8);
    d->pid = (uint16_t)word_at(m + 10);
    d->bcd = (uint16_t)word_at(m + 12);
    for (unsigned i = 0; i < m[17] && !d->alts; i++) {
        if (!read_configuration(d, i, names, f))
            return false;
    }
    if (!d->alts || !d->block)
        return fail(f, FAIL_NO_DEVICE, "%s: %04x:%04x has no DFU interface",
                    d->path, d->vid, d->pid);
    read_string(d, m[14], d->vendor);
    read_string(d, m[15], d->model);
    read_string(d, m[16], d->serial);
    take_bootloader(d);
    find_board(d);
    return take_names(d, names, f) &&
           d->t->ops->claim(d->t, d->configuration, d->interface, f);
}

bool device_take(struct transport *t, const char *path, struct device *d,
                 struct fail *f)
{
    memset(d, 0, sizeof(*d));
    d->t = t;
    snprintf(d->path, sizeof(d->path), "%s", path);
    if (read_device(d, f))
        return true;
    device_close(d);
    return false;
}

bool device_open(struct bus *bus, const char *path, struct device *d,
                 struct fail *f)
{
    struct transport *t = bus->ops->open(bus, path, f);

    return t && device_take(t, path, d, f);
}

void device_close(struct device *d)
{
    if (d->t)
        d->t->ops->close(d->t);
    d->t = NULL;
}

uint8_t device_erased(const struct device *d)
{
    return d->board ? d->board->flash_erased : 0xFF;
}
