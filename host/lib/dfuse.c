/* SPDX-License-Identifier: MIT */
/* dfuse.c - see dfuse.h.  Clauses are those of USB DFU 1.1. */
#include "dfuse.h"

#include "err.h"
#include "usb.h"

#include <stdio.h>
#include <string.h>

#define CLASS_OUT (USB_TYPE_CLASS | USB_RECIP_INTERFACE)
#define CLASS_IN  (USB_DIR_IN | CLASS_OUT)

/* A device that says "busy" for longer is stuck: a mass erase of the largest
 * STM32F4 takes 32 s at most (STM32F42x data sheet, table 50). */
#define BUSY_MAX_MS 120000u
/* Between two looks at a device that is busy and does not say for how long. */
#define BUSY_STEP_MS 1u

/* ---- names and sentences ---- */

static const char *const status_names[] = {
    "OK",         "errTARGET",       "errFILE",     "errWRITE",
    "errERASE",   "errCHECK_ERASED", "errPROG",     "errVERIFY",
    "errADDRESS", "errNOTDONE",      "errFIRMWARE", "errVENDOR",
    "errUSBR",    "errPOR",          "errUNKNOWN",  "errSTALLEDPKT",
};

const char *dfu_status_name(unsigned status)
{
    return status < sizeof(status_names) / sizeof(status_names[0])
               ? status_names[status]
               : "unknown status";
}

const char *dfu_status_sentence(unsigned status)
{
    switch (status) {
#define SENTENCE(name, of, sentence, chinese)                                  \
    case DFU_STATUS_##of:                                                      \
        return sentence;
        ERR_LIST(SENTENCE)
#undef SENTENCE
    case DFU_STATUS_USBR:
        return "unexpected bus reset";
    case DFU_STATUS_POR:
        return "unexpected power-on reset";
    default:
        return "something went wrong";
    }
}

const char *dfu_state_name(unsigned state)
{
    static const char *const names[] = {
        "appIDLE",          "appDETACH",   "dfuIDLE",
        "dfuDNLOAD-SYNC",   "dfuDNBUSY",   "dfuDNLOAD-IDLE",
        "dfuMANIFEST-SYNC", "dfuMANIFEST", "dfuMANIFEST-WAIT-RESET",
        "dfuUPLOAD-IDLE",   "dfuERROR",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state]
                                                    : "unknown state";
}

/* ---- requests ---- */

static int request(struct device *d, uint8_t type, uint8_t code, uint16_t value,
                   void *data, uint16_t n)
{
    struct usb_setup s = {type, code, value, d->interface, n};

    return d->t->ops->control(d->t, &s, data);
}

bool dfu_get_status(struct device *d, struct dfu_reply *s, struct fail *f)
{
    uint8_t m[6];
    int n = request(d, CLASS_IN, DFU_GETSTATUS, 0, m, sizeof(m));

    if (n >= 0 && n < (int)sizeof(m))
        return fail(f, FAIL_DEVICE, "the device's status has %d bytes, not 6",
                    n);
    if (n < 0)
        return device_fail(n, "asking for its status", f);
    s->status = m[0];
    s->poll_ms = m[1] | (uint32_t)m[2] << 8 | (uint32_t)m[3] << 16;
    s->state = m[4];
    return true;
}

static bool simple(struct device *d, uint8_t code, const char *doing,
                   struct fail *f)
{
    int n = request(d, CLASS_OUT, code, 0, NULL, 0);

    return n >= 0 || device_fail(n, doing, f);
}

static bool reports(const struct dfu_reply *s, struct fail *f)
{
    return fail(f, FAIL_DEVICE, "the device reports %s (0x%02X): %s",
                dfu_status_name(s->status), s->status,
                dfu_status_sentence(s->status));
}

/* What a stalled DNLOAD was about, says the status. */
static bool stalled(struct device *d, int error, const char *doing,
                    struct fail *f)
{
    struct dfu_reply s;

    if (error != TRANSPORT_STALL || !dfu_get_status(d, &s, f) || !s.status)
        return device_fail(error, doing, f);
    d->pointer_known = false;
    return reports(&s, f);
}

/* GETSTATUS until the device is neither at it nor about to be. */
static bool wait_done(struct device *d, struct dfu_reply *s, struct fail *f)
{
    uint32_t waited = 0;

    for (;;) {
        if (!dfu_get_status(d, s, f))
            return false;
        if (s->state != DFU_dfuDNLOAD_SYNC && s->state != DFU_dfuDNBUSY)
            return true;
        if (waited > BUSY_MAX_MS)
            return fail(f, FAIL_DEVICE,
                        "the device stays busy: plug it in again");
        if (s->poll_ms)
            d->t->ops->sleep(d->t, s->poll_ms);
        else if (waited) /* the first look may come at once */
            d->t->ops->sleep(d->t, BUSY_STEP_MS);
        waited += s->poll_ms ? s->poll_ms : BUSY_STEP_MS;
    }
}

bool dfu_download(struct device *d, unsigned block, const void *data, size_t n,
                  struct fail *f)
{
    struct dfu_reply s;
    int sent = request(d, CLASS_OUT, DFU_DNLOAD, (uint16_t)block,
                       (void *)(uintptr_t)data, (uint16_t)n);

    if (sent < 0)
        return stalled(d, sent, "a download", f);
    if (!wait_done(d, &s, f))
        return false;
    if (s.state == DFU_dfuDNLOAD_IDLE && !s.status)
        return true;
    d->pointer_known = false;
    if (s.status)
        return reports(&s, f);
    return fail(f, FAIL_DEVICE, "the device is in %s after a download",
                dfu_state_name(s.state));
}

int dfu_upload(struct device *d, unsigned block, void *data, size_t n,
               struct fail *f)
{
    int got =
        request(d, CLASS_IN, DFU_UPLOAD, (uint16_t)block, data, (uint16_t)n);

    if (got < 0)
        stalled(d, got, "an upload", f);
    return got < 0 ? -1 : got;
}

/* ---- states ---- */

/* One step towards dfuIDLE. */
static bool step_to_idle(struct device *d, const struct dfu_reply *s,
                         struct fail *f)
{
    int error;

    switch (s->state) {
    case DFU_dfuERROR:
        return simple(d, DFU_CLRSTATUS, "clearing its status", f);
    case DFU_dfuDNLOAD_IDLE:
    case DFU_dfuUPLOAD_IDLE:
        return simple(d, DFU_ABORT, "back to idle", f);
    case DFU_dfuMANIFEST_WAIT_RESET:
        error = d->t->ops->reset(d->t);
        return error >= 0 || device_fail(error, "a bus reset", f);
    default: /* GETSTATUS moves it on */
        d->t->ops->sleep(d->t, s->poll_ms ? s->poll_ms : BUSY_STEP_MS);
        return true;
    }
}

bool dfu_idle(struct device *d, struct fail *f)
{
    struct dfu_reply s;

    /* dfuDNBUSY, dfuDNLOAD-IDLE, dfuERROR ... : a handful of steps, and a
     * device that is busy with something long. */
    for (unsigned i = 0; i < 1000; i++) {
        if (!dfu_get_status(d, &s, f))
            return false;
        if (s.state == DFU_dfuIDLE)
            return true;
        if (s.state == DFU_appIDLE || s.state == DFU_appDETACH)
            return fail(f, FAIL_DEVICE,
                        "the device is not in DFU mode: it "
                        "runs its application");
        if (!step_to_idle(d, &s, f))
            return false;
    }
    return fail(f, FAIL_DEVICE, "the device stays in %s: plug it in again",
                dfu_state_name(s.state));
}

bool dfu_begin(struct device *d, size_t index, struct fail *f)
{
    int error = d->t->ops->set_alt(d->t, d->interface, d->alt[index].number);

    d->current = index;
    d->pointer_known = false;
    /* One with a single alternate setting may refuse (USB 2.0, 9.4.10). */
    if (error < 0 && (error != TRANSPORT_STALL || d->alts > 1))
        return device_fail(error, "selecting its memory", f);
    return dfu_idle(d, f);
}

/* ---- DfuSe ---- */

static bool command(struct device *d, uint8_t code, uint32_t addr, size_t n,
                    struct fail *f)
{
    uint8_t m[5] = {code, (uint8_t)addr, (uint8_t)(addr >> 8),
                    (uint8_t)(addr >> 16), (uint8_t)(addr >> 24)};

    return dfu_download(d, 0, m, n, f);
}

bool dfuse_set_address(struct device *d, uint32_t addr, struct fail *f)
{
    d->pointer_known = false;
    if (!command(d, DFUSE_SET_ADDRESS, addr, 5, f))
        return fail_at(f, "address 0x%08X: ", addr);
    d->pointer = addr;
    d->pointer_known = true;
    return true;
}

bool dfuse_erase(struct device *d, uint32_t addr, struct fail *f)
{
    return command(d, DFUSE_ERASE, addr, 5, f) ||
           fail_at(f, "erase at 0x%08X: ", addr);
}

bool dfuse_mass_erase(struct device *d, struct fail *f)
{
    return command(d, DFUSE_ERASE, 0, 1, f) || fail_at(f, "erase: ");
}

/* The number of the block at addr; 0: the pointer has to be set first. */
static unsigned block_of(const struct device *d, uint32_t addr)
{
    uint32_t at = addr - d->pointer;

    if (!d->pointer_known || addr < d->pointer || at % d->block ||
        at / d->block > UINT16_MAX - DFUSE_FIRST_BLOCK)
        return 0;
    return at / d->block + DFUSE_FIRST_BLOCK;
}

bool dfuse_write(struct device *d, uint32_t addr, const void *data, size_t n,
                 struct fail *f)
{
    unsigned block = block_of(d, addr);

    if (!block && !dfuse_set_address(d, addr, f))
        return false;
    return dfu_download(d, block ? block : DFUSE_FIRST_BLOCK, data, n, f) ||
           fail_at(f, "write at 0x%08X: ", addr);
}

bool dfuse_read(struct device *d, uint32_t addr, void *data, size_t n,
                struct fail *f)
{
    unsigned block = block_of(d, addr);
    int got;

    /* AN3156 clause 3: an upload starts from dfuIDLE. */
    if (!block &&
        (!dfu_idle(d, f) || !dfuse_set_address(d, addr, f) || !dfu_idle(d, f)))
        return false;
    got = dfu_upload(d, block ? block : DFUSE_FIRST_BLOCK, data, n, f);
    if (got < 0)
        return fail_at(f, "read at 0x%08X: ", addr);
    if ((size_t)got != n)
        return fail(f, FAIL_DEVICE,
                    "read at 0x%08X: the device gives %d bytes of %zu", addr,
                    got, n);
    return true;
}

/* The answer to a command has the time of what is under way as its
 * bwPollTimeout, which is waited for. */
bool dfuse_settle(struct device *d, struct fail *f)
{
    return dfu_idle(d, f) && dfuse_set_address(d, d->pointer, f) &&
           dfu_idle(d, f);
}

bool dfuse_leave(struct device *d, uint32_t addr, struct dfu_reply *status,
                 struct fail *f)
{
    struct fail ignored = {0};
    int sent;

    *status = (struct dfu_reply){0};
    if (!dfu_idle(d, f) || !dfuse_set_address(d, addr, f))
        return false;
    sent = request(d, CLASS_OUT, DFU_DNLOAD, DFUSE_FIRST_BLOCK, NULL, 0);
    if (sent < 0)
        return stalled(d, sent, "starting the application", f);
    /* Many devices do not answer this one: they have left. */
    if (!dfu_get_status(d, status, &ignored)) {
        *status = (struct dfu_reply){0};
        return true;
    }
    if (status->status)
        return reports(status, f);
    /* It may have to write what makes the image bootable. */
    d->t->ops->sleep(d->t, status->poll_ms);
    return true;
}

/* ---- plain DFU ---- */

bool dfu_manifest(struct device *d, struct fail *f)
{
    struct dfu_reply s;
    uint32_t waited = 0;
    int sent = request(d, CLASS_OUT, DFU_DNLOAD, 0, NULL, 0);

    if (sent < 0)
        return stalled(d, sent, "ending the download", f);
    for (;;) {
        if (!dfu_get_status(d, &s, f))
            return false;
        if (s.status)
            return reports(&s, f);
        if (s.state == DFU_dfuIDLE)
            return true;
        if (s.state == DFU_dfuMANIFEST_WAIT_RESET)
            break;
        if (waited > BUSY_MAX_MS)
            return fail(f, FAIL_DEVICE,
                        "the device stays busy: plug it in again");
        d->t->ops->sleep(d->t, s.poll_ms ? s.poll_ms : BUSY_STEP_MS);
        waited += s.poll_ms ? s.poll_ms : BUSY_STEP_MS;
    }
    d->t->ops->reset(d->t); /* it may not come back */
    return true;
}

bool dfu_detach(struct device *d, struct fail *f)
{
    /* wDetachTimeOut; most come back by themselves (bitWillDetach). */
    int n = request(d, CLASS_OUT, DFU_DETACH, 1000, NULL, 0);

    if (n < 0 && n != TRANSPORT_GONE)
        return device_fail(n, "leaving the application", f);
    if (!(d->attributes & DFU_WILL_DETACH))
        d->t->ops->reset(d->t);
    return true;
}
