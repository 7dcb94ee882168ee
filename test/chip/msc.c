/* SPDX-License-Identifier: MIT */
/* msc.c - see msc.h. */
#include "msc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Linux and macOS give a command 30 s. */
#define LIMIT (30 * SIM_S)

enum { GET_STATUS, CLEAR_FEATURE };
enum { BOT_RESET = 0xFF, GET_MAX_LUN = 0xFE };
enum { WRITE_10 = 0x2A };

static void broke(struct msc *m, const char *format, ...)
{
    va_list args;

    if (m->broken[0])
        return;
    va_start(args, format);
    vsnprintf(m->broken, sizeof(m->broken), format, args);
    va_end(args);
}

/* ---- requests ---- */

int msc_clear_halt(struct msc *m, unsigned ep)
{
    return rig_request(m->rig, 0x02, CLEAR_FEATURE, 0, (uint16_t)ep, NULL, 0);
}

int msc_halted(struct msc *m, unsigned ep)
{
    uint8_t status[2] = {0xEE, 0xEE};
    int n = rig_request(m->rig, 0x82, GET_STATUS, 0, (uint16_t)ep, status, 2);

    return n == 2 && !status[1] && status[0] < 2 ? status[0]
           : n < 0                               ? n
                                                 : URB_PROTOCOL;
}

int msc_reset(struct msc *m)
{
    return rig_request(m->rig, 0x21, BOT_RESET, 0, (uint16_t)m->interface, NULL,
                       0);
}

int msc_max_lun(struct msc *m)
{
    uint8_t lun = 0xEE;
    int n = rig_request(m->rig, 0xA1, GET_MAX_LUN, 0, (uint16_t)m->interface,
                        &lun, 1);

    return n < 0 ? n : n == 1 ? lun : URB_PROTOCOL;
}

bool msc_recover(struct msc *m)
{
    return msc_reset(m) == 0 && msc_clear_halt(m, m->in) == 0 &&
           msc_clear_halt(m, m->out) == 0;
}

/* ---- the configuration ---- */

/* Mass storage, SCSI transparent command set, bulk-only (Mass Storage
 * Overview 1.4, tables 1 and 2), with two bulk endpoints. */
static bool find(struct msc *m, const uint8_t *d, size_t n)
{
    bool inside = false;

    for (size_t i = 0; i + 2 <= n && d[i] >= 2 && i + d[i] <= n; i += d[i]) {
        if (d[i + 1] == 4) {
            inside = d[i + 5] == 8 && d[i + 6] == 6 && d[i + 7] == 0x50;
            if (inside)
                m->interface = d[i + 2];
        } else if (inside && d[i + 1] == 5 && (d[i + 3] & 3) == 2) {
            *(d[i + 2] & 0x80 ? &m->in : &m->out) = d[i + 2];
        }
    }
    return m->in && m->out;
}

static void on_attach(void *ctx, bool attached)
{
    if (!attached)
        ((struct msc *)ctx)->gone = true;
}

bool msc_open(struct msc *m, struct rig *r)
{
    uint8_t config[256];
    int n = rig_request(r, 0x80, 6, 0x0200, 0, config, sizeof(config));

    m->rig = r;
    m->in = m->out = 0;
    m->gone = false;
    host_on_attach(r->host, on_attach, m);
    if (n < 0 || !find(m, config, (size_t)n)) {
        fprintf(stderr, "%s: no mass storage interface (%d)\n", r->board->name,
                n);
        return false;
    }
    return true;
}

/* ---- the transport ---- */

int msc_send(struct msc *m, const void *data, size_t n)
{
    return m->gone ? URB_GONE
                   : host_bulk(m->rig->host, m->out, (void *)data, n, LIMIT);
}

int msc_receive(struct msc *m, void *data, size_t n)
{
    return m->gone ? URB_GONE : host_bulk(m->rig->host, m->in, data, n, LIMIT);
}

void msc_make_cbw(struct msc *m, uint8_t cbw[MSC_CBW], enum msc_way way,
                  uint32_t length, const uint8_t cdb[MSC_CDB])
{
    static const uint8_t sizes[8] = {6, 10, 10, 6, 16, 12, 16, 16};

    memcpy(cbw, "USBC", 4);
    rig_put32(cbw + 4, ++m->tag);
    rig_put32(cbw + 8, length);
    cbw[12] = way == MSC_IN ? 0x80 : 0;
    cbw[13] = 0;
    cbw[14] = sizes[cdb[0] >> 5];
    memcpy(cbw + 15, cdb, MSC_CDB);
}

/* 6.3: a valid CSW has the size, the signature and the tag; 6.3.2: it is
 * meaningful where the residue is no more than the length. */
void msc_status(struct msc *m, uint32_t length, struct msc_result *r)
{
    uint8_t csw[64] = {0};
    int n = msc_receive(m, csw, sizeof(csw));

    if (n == URB_STALL) { /* figure 2: once more */
        msc_clear_halt(m, m->in);
        n = msc_receive(m, csw, sizeof(csw));
    }
    r->status = n;
    if (n < 0)
        return;
    r->status = csw[12];
    r->residue = rig_get32(csw + 8);
    if (n != MSC_CSW)
        broke(m, "CSW of %d bytes", n);
    else if (memcmp(csw, "USBS", 4) || rig_get32(csw + 4) != m->tag)
        broke(m, "CSW with wrong signature or tag");
    else if (csw[12] > MSC_PHASE)
        broke(m, "bCSWStatus %u", csw[12]);
    else if (csw[12] != MSC_PHASE && r->residue > length)
        broke(m, "residue %u of %u", (unsigned)r->residue, (unsigned)length);
}

static int data_stage(struct msc *m, enum msc_way way, uint32_t length,
                      void *data, struct msc_result *r)
{
    struct urb urb = {
        .type = URB_BULK,
        .address = 0xff,
        .endpoint = (uint8_t)(way == MSC_IN ? m->in : m->out),
        .data = data,
        .length = length,
    };
    int n = m->gone ? URB_GONE : host_run_urb(m->rig->host, &urb, LIMIT);

    r->moved = (uint32_t)urb.actual;
    r->stalled = n == URB_STALL;
    if (r->stalled)
        n = msc_clear_halt(m, urb.endpoint);
    return n < 0 ? n : 0;
}

static void note_time(struct msc *m, uint8_t op, sim_time time)
{
    if (op == WRITE_10) {
        if (time > m->slowest_write)
            m->slowest_write = time;
    } else if (time > m->slowest) {
        m->slowest = time;
        m->slow_op = op;
    }
}

struct msc_result msc_command(struct msc *m, const uint8_t cdb[MSC_CDB],
                              enum msc_way way, uint32_t length, void *data)
{
    struct msc_result r = {.status = URB_GONE};
    sim_time start = chip_now(m->rig->chip);
    uint8_t cbw[MSC_CBW];
    int bad;

    m->commands++;
    msc_make_cbw(m, cbw, way, length, cdb);
    bad = msc_send(m, cbw, MSC_CBW);
    if (bad == MSC_CBW && length)
        bad = data_stage(m, way, length, data, &r);
    r.status = bad;
    if (bad >= 0)
        msc_status(m, length, &r);
    r.time = chip_now(m->rig->chip) - start;
    note_time(m, cdb[0], r.time);
    /* What did not move is in the residue: an answer may be padded, so that
     * more has moved than is in it. */
    if (r.status >= 0 && r.status != MSC_PHASE && length - r.moved > r.residue)
        broke(m, "command 0x%02x: %u of %u bytes moved, residue %u", cdb[0],
              (unsigned)r.moved, (unsigned)length, (unsigned)r.residue);
    if ((r.status == MSC_PHASE || (r.status < 0 && r.status != URB_GONE)) &&
        !msc_recover(m))
        broke(m, "command 0x%02x: reset recovery fails", cdb[0]);
    return r;
}

/* ---- commands ---- */

struct msc_result msc_test_unit_ready(struct msc *m)
{
    return msc_command(m, MSC_CDB(0), MSC_NONE, 0, NULL);
}

uint32_t msc_sense(struct msc *m)
{
    uint8_t s[18] = {0};
    struct msc_result r =
        msc_command(m, MSC_CDB(3, 0, 0, 0, 18), MSC_IN, 18, s);

    if (!msc_ok(r, 18) || (s[0] & 0x7F) != 0x70 || s[7] != 10)
        return ~0u;
    return (uint32_t)(s[2] & 15) << 16 | (uint32_t)s[12] << 8 | s[13];
}

struct msc_result msc_read(struct msc *m, uint32_t lba, uint32_t n, void *to)
{
    return msc_command(m, MSC_RW(0x28, lba, n), MSC_IN, n * MSC_SECTOR, to);
}

struct msc_result msc_write(struct msc *m, uint32_t lba, uint32_t n,
                            const void *from)
{
    return msc_command(m, MSC_RW(WRITE_10, lba, n), MSC_OUT, n * MSC_SECTOR,
                       (void *)from);
}

bool msc_ok(struct msc_result r, uint32_t length)
{
    return r.status == MSC_PASSED && !r.stalled && !r.residue &&
           r.moved == length;
}
