/* SPDX-License-Identifier: MIT */
/* msc.c - see msc.h.  Clauses are those of Bulk-Only Transport 1.0. */
#include "msc.h"

#define OUT false
#define IN  true

#define CBW_SIGNATURE 0x43425355u /* USBC */
#define CBW_SIZE      31u
#define CBW_IN        0x80u
#define CSW_SIZE      13u
#define PHASE_ERROR   2u /* bCSWStatus; 0: passed, 1: failed */

/* ---- stages ---- */

/* The stage awaits the host at the endpoint IN, else at OUT. */
static bool is_in(const struct msc *m)
{
    return m->stage >> 1 & 1;
}

/* What is due: a packet for the host, or one from it.  The driver does nothing
 * where the endpoint is halted; msc_halt() comes back to it. */
__attribute__((noinline)) static void go(struct msc *m)
{
    if (is_in(m))
        dcd_bulk_write(m->at, m->n);
    else
        dcd_bulk_receive();
}

__attribute__((noinline)) static void await_command(struct msc *m)
{
    m->stage = MSC_COMMAND;
    m->waiting = false;
    m->at = m->u.packet;
    go(m);
}

/* The next packet of data.  Or data are over: what the host still wants to
 * move is stalled, and the status comes, in the end after the host has cleared
 * that. */
__attribute__((noinline)) static void move(struct msc *m)
{
    m->n = m->left < DCD_PACKET ? m->left : DCD_PACKET;
    if (!m->n) {
        if (m->extra)
            dcd_bulk_stall(is_in(m));
        m->stage = MSC_STATUS;
        m->at = m->u.packet;
        m->n = CSW_SIZE;
    }
    go(m);
}

/* n bytes of data were moved: true at the end of the sector. */
static bool moved(struct msc *m, uint32_t n)
{
    m->left -= n;
    m->at += n;
    return m->at == m->sector + BLOCK_SIZE;
}

/* 6.7: the thirteen cases. */
static void command(struct msc *m)
{
    const struct msc_cbw *c = &m->u.cbw;
    uint32_t length = c->dCBWDataTransferLength;
    uint32_t left;
    bool in = c->bmCBWFlags & CBW_IN;
    uint32_t status;

    /* 6.2: valid and meaningful. */
    if (m->n != CBW_SIZE || c->dCBWSignature != CBW_SIGNATURE ||
        (c->bmCBWFlags & ~CBW_IN) || c->bCBWLUN ||
        c->bCBWCBLength - 1u >= SCSI_CDB) {
        m->stage = MSC_INVALID;
        dcd_bulk_stall(OUT);
        dcd_bulk_stall(IN);
        return;
    }
    status = !scsi_command(&m->scsi, c->CBWCB, m->sector);
    left = m->scsi.length;
    m->u.packet[3] = 'S'; /* dCSWSignature is USBS */
    m->u.csw.dCSWDataResidue = length - left;
    if (left && (left > length || m->scsi.in != in)) {
        status = PHASE_ERROR;
        m->u.csw.dCSWDataResidue = left = 0;
    }
    m->u.csw.bCSWStatus = (uint8_t)status;
    /* 6.7.2: an answer is padded, with zeros, rather than stalled. */
    if (left && left < BLOCK_SIZE)
        left = length < BLOCK_SIZE ? length : BLOCK_SIZE;
    m->left = left;
    m->extra = length - left;
    m->at = m->sector;
    m->stage = (uint8_t)(MSC_DATA_OUT + in);
    move(m);
}

void msc_poll(struct msc *m)
{
    if (!m->waiting)
        return;
    if (m->stage != MSC_COMMAND && m->n == DCD_PACKET &&
        !scsi_write(&m->scsi, m->sector))
        return; /* no room yet */
    m->waiting = false;
    if (m->stage == MSC_COMMAND) {
        command(m);
        return;
    }
    if (m->n == DCD_PACKET) { /* the last one of a sector */
        m->at = m->sector;
        if (m->left) {
            go(m);
            return;
        }
    } else { /* too short: the host ends what it announced */
        m->u.csw.bCSWStatus = PHASE_ERROR;
        m->left = 0;
        m->extra = 1;
    }
    move(m);
}

/* ---- events ---- */

void msc_out(struct msc *m)
{
    uint32_t n = dcd_bulk_read(m->at);

    if (m->waiting)
        return; /* came right before a halt */
    if (m->stage == MSC_DATA_OUT && n == DCD_PACKET && !moved(m, n)) {
        go(m);
        return;
    }
    m->n = n;
    m->waiting = true;
}

void msc_in(struct msc *m)
{
    if (m->stage == MSC_DATA_IN) {
        if (moved(m, m->n) && m->left) {
            m->at = m->sector;
            scsi_read(&m->scsi, m->sector);
        }
        move(m);
    } else if (m->stage == MSC_STATUS) {
        await_command(m);
    }
}

void msc_halt(struct msc *m, bool in)
{
    if (m->stage == MSC_INVALID) /* 6.6.1: until reset recovery */
        dcd_bulk_stall(in);
    else if (in == is_in(m) && !m->waiting)
        go(m);
}

void msc_reset(struct msc *m)
{
    await_command(m);
}

bool msc_setup(struct msc *m, struct usbd *u)
{
    const struct usb_setup *s = &u->setup;
    bool in = s->bmRequestType & USB_DIR_IN;

    /* 3.2: GET MAX LUN has a byte of data; 3.1: the reset has none. */
    if (s->wValue || s->wLength != in || s->bRequest + in != MSC_RESET)
        return false;
    if (in) {
        usbd_send(u, &u->zero, 1);
        return true;
    }
    /* Halts and toggles stay as they are.  But a packet of before must not be
     * taken for an answer to the next command. */
    if (is_in(m))
        dcd_bulk_stall(IN);
    await_command(m);
    return true;
}
