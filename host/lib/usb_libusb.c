/* SPDX-License-Identifier: MIT */
/* usb_libusb.c - the machine's own USB, see transport.h. */
#include "transport.h"

#include "usb.h"

#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct usb_bus {
    struct bus bus; /* first */
    libusb_context *context;
};

struct usb_transport {
    struct transport t; /* first */
    libusb_device_handle *handle;
    int interface; /* claimed, -1: none */
};

/* ---- a device ---- */

static int error_of(int code)
{
    switch (code) {
    case LIBUSB_ERROR_PIPE:
        return TRANSPORT_STALL;
    case LIBUSB_ERROR_NO_DEVICE:
    case LIBUSB_ERROR_NOT_FOUND: /* of a reset: it is another device now */
        return TRANSPORT_GONE;
    case LIBUSB_ERROR_TIMEOUT:
        return TRANSPORT_TIMEOUT;
    default:
        return TRANSPORT_ERROR;
    }
}

static int usb_control(struct transport *t, const struct usb_setup *s,
                       void *data)
{
    struct usb_transport *u = (struct usb_transport *)t;
    int n = libusb_control_transfer(u->handle, s->bmRequestType, s->bRequest,
                                    s->wValue, s->wIndex, data, s->wLength,
                                    TRANSPORT_TIMEOUT_MS);

    return n < 0 ? error_of(n) : n;
}

static bool usb_claim(struct transport *t, uint8_t configuration,
                      uint8_t interface, struct fail *f)
{
    struct usb_transport *u = (struct usb_transport *)t;
    int current, bad = libusb_get_configuration(u->handle, &current);

    /* Set again it would take other drivers' interfaces away. */
    if (!bad && current != configuration)
        bad = libusb_set_configuration(u->handle, configuration);
    if (!bad)
        bad = libusb_claim_interface(u->handle, interface);
    if (bad == LIBUSB_ERROR_BUSY)
        return fail(f, FAIL_SYSTEM,
                    "another program has the device: end it first");
    if (bad == LIBUSB_ERROR_NO_DEVICE)
        return fail(f, FAIL_LOST, "the device went away");
    if (bad)
        return fail(f, FAIL_SYSTEM, "the DFU interface cannot be claimed: %s",
                    libusb_strerror((enum libusb_error)bad));
    u->interface = interface;
    return true;
}

static int usb_set_alt(struct transport *t, uint8_t interface, uint8_t alt)
{
    struct usb_transport *u = (struct usb_transport *)t;
    int bad = libusb_set_interface_alt_setting(u->handle, interface, alt);

    return bad ? error_of(bad) : 0;
}

static int usb_reset(struct transport *t)
{
    struct usb_transport *u = (struct usb_transport *)t;
    int bad = libusb_reset_device(u->handle);

    return bad ? error_of(bad) : 0;
}

static void usb_sleep(struct transport *t, unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)t;
    while (nanosleep(&left, &left)) /* a signal does not end it */
        ;
}

static void usb_close(struct transport *t)
{
    struct usb_transport *u = (struct usb_transport *)t;

    if (u->interface >= 0)
        libusb_release_interface(u->handle, u->interface);
    libusb_close(u->handle);
    free(u);
}

static const struct transport_ops transport_ops = {
    .control = usb_control,
    .claim = usb_claim,
    .set_alt = usb_set_alt,
    .reset = usb_reset,
    .sleep = usb_sleep,
    .close = usb_close,
};

/* ---- the bus ---- */

/* BUS-PORT.PORT..., as the kernel has it in /sys/bus/usb/devices. */
static void path_of(libusb_device *device, char path[BUS_PATH])
{
    uint8_t ports[8];
    int n = libusb_get_port_numbers(device, ports, sizeof(ports));
    int at = snprintf(path, BUS_PATH, "%u", libusb_get_bus_number(device));

    if (n <= 0)
        snprintf(path + at, BUS_PATH - (size_t)at, "-0");
    for (int i = 0; i < n; i++)
        at += snprintf(path + at, BUS_PATH - (size_t)at, "%c%u", i ? '.' : '-',
                       ports[i]);
}

static void look_for_dfu(const struct libusb_config_descriptor *config,
                         struct bus_entry *e)
{
    for (int i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *all = &config->interface[i];

        for (int k = 0; k < all->num_altsetting; k++) {
            const struct libusb_interface_descriptor *d = &all->altsetting[k];

            if (d->bInterfaceClass != DFU_CLASS ||
                d->bInterfaceSubClass != DFU_SUBCLASS)
                continue;
            e->dfu = true;
            e->runtime = d->bInterfaceProtocol == DFU_PROTOCOL_RUNTIME;
        }
    }
}

static void fill_entry(libusb_device *device, struct bus_entry *e)
{
    struct libusb_device_descriptor d;

    memset(e, 0, sizeof(*e));
    path_of(device, e->path);
    if (libusb_get_device_descriptor(device, &d))
        return;
    e->vid = d.idVendor;
    e->pid = d.idProduct;
    for (uint8_t i = 0; i < d.bNumConfigurations && !e->dfu; i++) {
        struct libusb_config_descriptor *config;

        if (libusb_get_config_descriptor(device, i, &config))
            continue;
        look_for_dfu(config, e);
        libusb_free_config_descriptor(config);
    }
}

static bool usb_list(struct bus *b, struct bus_entry **entries, size_t *n,
                     struct fail *f)
{
    struct usb_bus *u = (struct usb_bus *)b;
    libusb_device **devices;
    ssize_t count = libusb_get_device_list(u->context, &devices);

    *n = 0;
    *entries = calloc(count > 0 ? (size_t)count : 1, sizeof(**entries));
    if (count < 0 || !*entries) {
        if (count >= 0)
            libusb_free_device_list(devices, 1);
        free(*entries);
        return fail(f, FAIL_SYSTEM, "USB: the list of devices: %s",
                    count < 0 ? libusb_strerror((enum libusb_error)count)
                              : "no memory");
    }
    for (ssize_t i = 0; i < count; i++)
        fill_entry(devices[i], &(*entries)[(*n)++]);
    libusb_free_device_list(devices, 1);
    return true;
}

static struct transport *open_device(libusb_device *device, const char *path,
                                     struct fail *f)
{
    struct usb_transport *u = calloc(1, sizeof(*u));
    int bad = u ? libusb_open(device, &u->handle) : LIBUSB_ERROR_NO_MEM;

    if (!bad) {
        u->t.ops = &transport_ops;
        u->interface = -1;
        libusb_set_auto_detach_kernel_driver(u->handle, 1);
        return &u->t;
    }
    free(u);
    if (bad == LIBUSB_ERROR_ACCESS)
        fail(f, FAIL_SYSTEM,
             "%s: no access to the device: install the udev rule "
             "(70-sallyport.rules into /etc/udev/rules.d, then 'udevadm "
             "control --reload'), plug it in again, or run as root",
             path);
    else if (bad == LIBUSB_ERROR_NOT_SUPPORTED)
        fail(f, FAIL_SYSTEM,
             "%s: no driver that lets programs use it: WinUSB "
             "is what it needs",
             path);
    else
        fail(f, bad == LIBUSB_ERROR_NO_DEVICE ? FAIL_NO_DEVICE : FAIL_SYSTEM,
             "%s: the device cannot be opened: %s", path,
             libusb_strerror((enum libusb_error)bad));
    return NULL;
}

static struct transport *usb_open(struct bus *b, const char *path,
                                  struct fail *f)
{
    struct usb_bus *u = (struct usb_bus *)b;
    struct transport *t = NULL;
    libusb_device **devices;
    ssize_t n = libusb_get_device_list(u->context, &devices);
    bool found = false;
    char at[BUS_PATH];

    for (ssize_t i = 0; i < n && !found; i++) {
        path_of(devices[i], at);
        found = !strcmp(at, path);
        if (found)
            t = open_device(devices[i], path, f);
    }
    if (n >= 0)
        libusb_free_device_list(devices, 1);
    if (!found)
        fail(f, FAIL_NO_DEVICE, "%s: there is no device any more", path);
    return t;
}

static void usb_free(struct bus *b)
{
    struct usb_bus *u = (struct usb_bus *)b;

    libusb_exit(u->context);
    free(u);
}

static const struct bus_ops bus_ops = {
    .list = usb_list, .open = usb_open, .free = usb_free};

struct bus *bus_libusb(struct fail *f)
{
    struct usb_bus *u = calloc(1, sizeof(*u));
    int bad = u ? libusb_init(&u->context) : LIBUSB_ERROR_NO_MEM;

    if (!bad) {
        u->bus.ops = &bus_ops;
        return &u->bus;
    }
    free(u);
    fail(f, FAIL_SYSTEM, "USB cannot be used here: %s",
         libusb_strerror((enum libusb_error)bad));
    return NULL;
}
