/* SPDX-License-Identifier: MIT */
/*
 * msc.h - a strict USB mass storage host on the bench: Bulk-Only Transport
 * 1.0, the commands that hosts send, all in virtual time.
 *
 * Each command is checked against the transport's rules whatever comes of it;
 * the first one that was broken stays in `broken`.  Clauses are those of the
 * transport.
 */
#ifndef TEST_MSC_H
#define TEST_MSC_H

#include "rig.h"

enum { MSC_SECTOR = 512, MSC_CBW = 31, MSC_CSW = 13, MSC_CDB = 16 };
/* Table 5.2, bCSWStatus */
enum { MSC_PASSED, MSC_FAILED, MSC_PHASE };
/* 5.1, bmCBWFlags; without data the direction is no matter. */
enum msc_way { MSC_NONE, MSC_OUT, MSC_IN };

struct msc {
    struct rig *rig;
    unsigned interface, in, out; /* of the configuration descriptor */
    uint32_t tag;
    bool gone;         /* the device left the bus: msc_open() again */
    uint32_t commands; /* so far */
    sim_time slowest;  /* of those that are not WRITE, */
    uint8_t slow_op;   /* this one */
    sim_time slowest_write;
    char broken[120];
};

struct msc_result {
    int status;       /* of the CSW; < 0: enum urb_status, there was none */
    uint32_t moved;   /* bytes of data */
    uint32_t residue; /* of the CSW */
    bool stalled;     /* the data stage ended so */
    sim_time time;    /* from the CBW to the CSW */
};

/* A configured device: finds the interface and its endpoints.  False after a
 * line on stderr: it is no disk. */
bool msc_open(struct msc *m, struct rig *r);

/* ---- the transport ---- */

/* A command with `length` bytes of data, which are sent or come back in data.
 * After a phase error, or no CSW, comes reset recovery, as hosts do it. */
struct msc_result msc_command(struct msc *m, const uint8_t cdb[MSC_CDB],
                              enum msc_way way, uint32_t length, void *data);
/* Its parts, without rules. */
void msc_make_cbw(struct msc *m, uint8_t cbw[MSC_CBW], enum msc_way way,
                  uint32_t length, const uint8_t cdb[MSC_CDB]);
int msc_send(struct msc *m, const void *data, size_t n);
int msc_receive(struct msc *m, void *data, size_t n);
/* Takes the CSW: r->status and r->residue. */
void msc_status(struct msc *m, uint32_t length, struct msc_result *r);

int msc_clear_halt(struct msc *m, unsigned ep);
int msc_halted(struct msc *m, unsigned ep); /* 0, 1; < 0: enum urb_status */
int msc_reset(struct msc *m);               /* 3.1 */
int msc_max_lun(struct msc *m);             /* 3.2; < 0: enum urb_status */
bool msc_recover(struct msc *m);            /* 5.3.4 */

/* ---- commands ---- */

#define MSC_CDB(...)                                                           \
    (const uint8_t[MSC_CDB])                                                   \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define MSC_RW(op, lba, n)                                                     \
    MSC_CDB((op), 0, (uint8_t)((uint32_t)(lba) >> 24),                         \
            (uint8_t)((uint32_t)(lba) >> 16), (uint8_t)((uint32_t)(lba) >> 8), \
            (uint8_t)(lba), 0, (uint8_t)((n) >> 8), (uint8_t)(n))

struct msc_result msc_test_unit_ready(struct msc *m);
/* Sense key, code, qualifier: 0xKKCCQQ; ~0: not even that. */
uint32_t msc_sense(struct msc *m);
struct msc_result msc_read(struct msc *m, uint32_t lba, uint32_t n, void *to);
struct msc_result msc_write(struct msc *m, uint32_t lba, uint32_t n,
                            const void *from);
/* All data moved and no residue. */
bool msc_ok(struct msc_result r, uint32_t length);

#endif
