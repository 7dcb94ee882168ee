/* SPDX-License-Identifier: MIT */
/* fuzz_device.c - what device.c makes of descriptors and strings: each control
 * transfer is answered from the input, whose first byte says how long the
 * answer is (0xFF: a stall). */
#include "device.h"

#include "fuzz.h"
#include "usb.h"

#include <stdlib.h>
#include <string.h>

struct answers {
    struct transport t;
    const uint8_t *data;
    size_t size;
};

static int control(struct transport *t, const struct usb_setup *s, void *data)
{
    struct answers *a = (struct answers *)t;
    size_t n = a->size ? *a->data : 0;

    if (a->size) {
        a->data++;
        a->size--;
    }
    if (n == 0xFF)
        return TRANSPORT_STALL;
    n = n < a->size ? n : a->size;
    n = n < s->wLength ? n : s->wLength;
    memcpy(data, a->data, n);
    a->data += n;
    a->size -= n;
    return (int)n;
}

static bool claim(struct transport *t, uint8_t configuration, uint8_t interface,
                  struct fail *f)
{
    (void)t, (void)configuration, (void)interface, (void)f;
    return true;
}

static void close_it(struct transport *t)
{
    (void)t;
}

/* Which of them it is makes no difference here. */
const struct board_info *const board_infos[] = {NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct transport_ops ops = {
        .control = control, .claim = claim, .close = close_it};
    struct answers a = {.t = {&ops}, .data = data, .size = size};
    struct device *d = malloc(sizeof(*d));
    struct fail f = {0};

    if (!d)
        abort();
    if (device_take(&a.t, "fuzz", d, &f))
        device_close(d);
    else if (!f.code || !f.text[0])
        abort();
    free(d);
    return 0;
}
