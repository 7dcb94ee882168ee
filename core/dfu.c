/* SPDX-License-Identifier: MIT */
/* dfu.c - see dfu.h.  Clauses are those of USB DFU 1.1. */
#include "dfu.h"

#include "config.h"

#include <string.h>

#define CLASS_OUT 0x21u /* class request to the interface; with bit 7: IN */

/* A DfuSe command: a byte and, but for mass erase, an address. */
#define COMMAND_SIZE 5u
#define COMMAND_AT   3u

/* AN3156 clause 3.1: the commands that DNLOAD with wValue 0 takes. */
static const uint8_t get_commands[] = {DFUSE_GET_COMMANDS, DFUSE_SET_ADDRESS,
                                       DFUSE_ERASE};

/* A.2: whatever is not allowed in a state is stalled and leads to dfuERROR,
 * which keeps the first reason. */
__attribute__((noinline)) static void fail(struct dfu *d, enum err err)
{
    if (d->status.bState != DFU_dfuERROR) {
        d->status.bState = DFU_dfuERROR;
        d->status.bStatus = (uint8_t)err;
    }
}

/* Where the block of the DNLOAD or UPLOAD under way lies. */
static uint32_t block_address(const struct dfu *d)
{
    if (!CONFIG_DFUSE)
        return d->pointer;
    return d->pointer + (d->block - DFUSE_FIRST_BLOCK) * UPD_BLOCK;
}

/* DFU 1.1: blocks follow each other, from the start of the slot; the first
 * one's number is the host's choice (clause 6.1.1). */
static bool next_block(struct dfu *d, const struct usb_setup *s)
{
    if (d->status.bState == DFU_dfuIDLE)
        dfu_reset(d);
    else if (s->wValue != (uint16_t)(d->block + 1))
        return false;
    d->block = s->wValue;
    return true;
}

/* ---- DNLOAD and what it leads to ---- */

/* Not a command of DfuSe. */
static bool is_data(const struct dfu *d)
{
    return !CONFIG_DFUSE || d->block;
}

static bool dnload(struct dfu *d, const struct usb_setup *s)
{
    if (!s->wLength) { /* the end; DfuSe: leave, from both states */
        if (!CONFIG_DFUSE && d->status.bState == DFU_dfuIDLE)
            return false;
        d->status.bState = DFU_dfuMANIFEST_SYNC;
        return true;
    }
    if (!CONFIG_DFUSE && !next_block(d, s))
        return false;
    d->n = s->wLength;
    if (d->n > (is_data(d) ? UPD_BLOCK : COMMAND_SIZE))
        return false;
    if (is_data(d))
        upd_begin(&d->upd, block_address(d), d->n);
    return true;
}

void dfu_data(struct dfu *d, const uint8_t *data, uint32_t n)
{
    if (is_data(d))
        upd_feed(&d->upd, data, n);
    else
        memcpy(d->command + COMMAND_AT, data, n); /* one packet */
}

static bool command_known(const struct dfu *d)
{
    uint8_t command = d->command[COMMAND_AT];

    if (command == DFUSE_ERASE && d->n == 1)
        return true;
    return d->n == COMMAND_SIZE &&
           (command == DFUSE_SET_ADDRESS || command == DFUSE_ERASE);
}

bool dfu_end(struct dfu *d)
{
    if (!is_data(d) && !command_known(d)) {
        fail(d, ERR_REQUEST);
        return false;
    }
    d->status.bState = DFU_dfuDNLOAD_SYNC;
    d->pending = true;
    return true;
}

static void run_command(struct dfu *d)
{
    uint32_t addr = *(const uint32_t *)(d->command + COMMAND_AT + 1);

    if (d->n == 1)
        upd_erase_all(&d->upd);
    else if (d->command[COMMAND_AT] == DFUSE_ERASE)
        upd_erase(&d->upd, addr);
    else if (upd_area(addr) == ERR_ADDRESS)
        d->upd.err = ERR_ADDRESS;
    else
        d->pointer = addr;
}

static void end_block(struct dfu *d)
{
    d->pending = false;
    upd_end(&d->upd, d->n);
    if (!CONFIG_DFUSE)
        d->pointer += d->n;
}

/* ---- the other requests ---- */

/* Bytes of flash at addr, at most n. */
static uint32_t readable(uint32_t addr, uint32_t n)
{
    uint32_t end = CONFIG_DFUSE ? PART_FLASH_END : PART_APP_END;

    if (addr > end)
        return 0;
    return n < end - addr ? n : end - addr;
}

static bool upload(struct dfu *d, struct usbd *u)
{
    uint32_t n = u->setup.wLength;

    if (!CONFIG_READBACK && is_data(d))
        return false; /* A.2.3: bitCanUpload = 0 */
    if (n > UPD_BLOCK || (!CONFIG_DFUSE && !next_block(d, &u->setup)))
        return false;
    if (is_data(d))
        usbd_send(u, (const void *)block_address(d),
                  readable(block_address(d), n));
    else
        usbd_send(u, get_commands, sizeof(get_commands));
    if (!CONFIG_DFUSE)
        d->pointer += u->left;
    d->status.bState = u->left < n ? DFU_dfuIDLE : DFU_dfuUPLOAD_IDLE;
    return true;
}

/* Back to dfuIDLE; what was written so far is not the whole of anything. */
__attribute__((noinline)) static void restart(struct dfu *d)
{
    d->status.bState = DFU_dfuIDLE;
    d->status.bStatus = DFU_STATUS_OK;
    upd_lost(&d->upd);
}

/* GETSTATUS is what moves the machine on.  Returns bwPollTimeout: the typical
 * time of what is under way or about to start. */
static uint32_t advance(struct dfu *d)
{
    switch (d->status.bState) {
    case DFU_dfuDNLOAD_SYNC:
        if (d->pending) {
            d->status.bState = DFU_dfuDNBUSY;
            if (is_data(d))
                return upd_end_ms(&d->upd, d->n);
            /* It changes no flash, so it may be done here; a mass erase then
             * knows what it will take.  The next GETSTATUS tells errors. */
            d->pending = false;
            run_command(d);
        } else {
            d->status.bState = DFU_dfuDNLOAD_IDLE;
        }
        break;
    case DFU_dfuMANIFEST_SYNC:
        d->status.bState = DFU_dfuMANIFEST;
        upd_leave(&d->upd);
        d->leaving = !d->upd.err;
        break;
    case DFU_dfuMANIFEST:
        if (!CONFIG_DFUSE && !upd_busy(&d->upd))
            d->status.bState = DFU_dfuMANIFEST_WAIT_RESET;
        break;
    case DFU_dfuDNBUSY:
        break;
    default:
        return 0;
    }
    if (d->upd.err && d->status.bState != DFU_dfuDNBUSY)
        fail(d, (enum err)d->upd.err);
    return upd_busy_ms(&d->upd);
}

static void get_status(struct dfu *d, struct usbd *u)
{
    uint32_t ms = advance(d);

    d->status.bwPollTimeout[0] = (uint8_t)ms;
    d->status.bwPollTimeout[1] = (uint8_t)(ms >> 8);
    usbd_send(u, &d->status, sizeof(d->status));
}

/* Appendix A.2: in which states a request is allowed.  DfuSe adds ABORT in
 * dfuIDLE; GETSTATUS and GETSTATE are answered in every state. */
#define IN(state) (1u << DFU_##state)
#define ANY       0xFFFFu

static const uint16_t allowed[] = {
    [DFU_DETACH] = 0,
    [DFU_DNLOAD] = IN(dfuIDLE) | IN(dfuDNLOAD_IDLE),
    [DFU_UPLOAD] = IN(dfuIDLE) | IN(dfuUPLOAD_IDLE),
    [DFU_GETSTATUS] = ANY,
    [DFU_CLRSTATUS] = IN(dfuERROR),
    [DFU_GETSTATE] = ANY,
    [DFU_ABORT] = IN(dfuIDLE) | IN(dfuDNLOAD_IDLE) | IN(dfuUPLOAD_IDLE),
};

/* Requests with IN data, and with any */
#define READS     (1u << DFU_UPLOAD | 1u << DFU_GETSTATUS | 1u << DFU_GETSTATE)
#define USES_DATA (READS | 1u << DFU_DNLOAD)

/* False stalls. */
static bool handle(struct dfu *d, struct usbd *u)
{
    const struct usb_setup *s = &u->setup;

    if (s->bRequest > DFU_ABORT ||
        s->bmRequestType != (CLASS_OUT | (READS >> s->bRequest & 1) << 7) ||
        !(allowed[s->bRequest] >> d->status.bState & 1) ||
        (s->wLength && !(USES_DATA >> s->bRequest & 1)))
        return false;
    switch (s->bRequest) {
    case DFU_DNLOAD:
    case DFU_UPLOAD:
        if (CONFIG_DFUSE) {
            d->block = s->wValue;
            if (d->block == 1) /* reserved */
                return false;
        }
        return s->bRequest == DFU_DNLOAD ? dnload(d, s) : upload(d, u);
    case DFU_GETSTATUS:
        get_status(d, u);
        return true;
    case DFU_GETSTATE:
        usbd_send(u, &d->status.bState, 1);
        return true;
    case DFU_ABORT:
        if (d->status.bState == DFU_dfuDNLOAD_IDLE)
            upd_stop(&d->upd, CONFIG_DFUSE && d->block && d->n < UPD_BLOCK);
        d->status.bState = DFU_dfuIDLE;
        return true;
    default: /* CLRSTATUS */
        restart(d);
        return true;
    }
}

bool dfu_setup(struct dfu *d, struct usbd *u, uint32_t now_ms)
{
    if (!d->leaving)
        d->last_ms = now_ms;
    if (handle(d, u))
        return true;
    if (CONFIG_DFUSE || d->status.bState != DFU_dfuMANIFEST_WAIT_RESET)
        fail(d, ERR_REQUEST);
    return false;
}

/* After this the host, which may still finish its sleep and its requests,
 * does not wait for us any more.  DFU 1.1 clause 7: a device that is not
 * manifestation tolerant waits for the host's bus reset. */
static uint32_t patience(const struct dfu *d)
{
    if (CONFIG_DFUSE)
        return CONFIG_LEAVE_MS;
    return d->status.bState == DFU_dfuIDLE ? CONFIG_AFTER_RESET_MS
                                           : CONFIG_WAIT_RESET_MS;
}

/* The bus reset that dfuMANIFEST-WAIT-RESET waits for; n, of no use any more,
 * tells that it was seen. */
static void note_reset(struct dfu *d, uint32_t now_ms)
{
    if (d->leaving && d->status.bState == DFU_dfuIDLE && d->n) {
        d->n = 0;
        d->last_ms = now_ms;
    }
}

/* Called from three places: inlined it costs 80 bytes. */
__attribute__((noinline)) void dfu_reset(struct dfu *d)
{
    d->pointer = PART_APP_START;
    restart(d);
}

bool dfu_poll(struct dfu *d, uint32_t now_ms)
{
    uint32_t silent;
    bool busy;

    if (!CONFIG_DFUSE)
        note_reset(d, now_ms);
    silent = now_ms - d->last_ms;
    if (d->status.bState == DFU_dfuDNBUSY && d->pending)
        end_block(d);
    if (silent >= CONFIG_IDLE_MS && !d->pending)
        upd_settle(&d->upd);
    if (!d->upd.err)
        upd_poll(&d->upd);
    busy = upd_busy(&d->upd);
    if (d->status.bState == DFU_dfuDNBUSY) {
        /* Only a mass erase (one byte) is worth waiting for: what else is
         * deferred goes on behind the host's back. */
        if (!busy || d->n != 1)
            d->status.bState = DFU_dfuDNLOAD_SYNC;
    } else if (d->upd.err && d->status.bState != DFU_dfuDNLOAD_SYNC) {
        fail(d, (enum err)d->upd.err);
    }
    return d->leaving && !busy && !d->upd.err && silent >= patience(d);
}
