/* SPDX-License-Identifier: MIT */
/*
 * msc_bench.h - what stands around msc.c and scsi.c in their tests: a drive,
 * a bulk pair that keeps halts and data toggles as a controller does, the
 * calls of usbd.c and main.c, and a strict USB host.
 */
#ifndef SALLYPORT_MSC_BENCH_H
#define SALLYPORT_MSC_BENCH_H

#include "msc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECTORS 600u
#define OUT     0
#define IN      1
#define NO_DATA 2 /* of a command: no bytes, and the direction is no matter */

struct drive {
    uint8_t image[SECTORS][BLOCK_SIZE];
    bool present;
    bool may_write; /* inside msc_poll() */
    bool full;      /* no room for a write */
    uint32_t writes, reads, syncs, ejects;
};

struct endpoint {
    bool open, halted;
    bool busy;   /* OUT: takes a packet.  IN: has one */
    bool toggle; /* of the next packet */
    bool event;  /* to be told */
    uint8_t data[DCD_PACKET];
    uint32_t n;
};

struct bench {
    struct msc m;
    uint32_t guard;
    struct drive drive;
    struct usbd usbd;
    bool deaf;    /* a control transfer is under way: no msc_poll() */
    bool stopped; /* and no events */
    bool host_toggle[2];
    uint32_t tag;
    uint32_t sent; /* bytes of usbd_send() */
    uint8_t answer;
};

extern struct endpoint ep[2];
extern struct bench b;

/* Everything as after SET_CONFIGURATION. */
void start(void);
/* SET_CONFIGURATION; of 0: a bus reset. */
void configure(bool config);
/* The device goes on until it waits for the host. */
void run(void);

/* ---- the host ---- */

enum reply { ACK, NAK, STALL };

enum reply host_out(const void *packet, uint32_t n);
enum reply host_in(void *packet, uint32_t *n);
/* SET_FEATURE and CLEAR_FEATURE(ENDPOINT_HALT), as usbd.c carries them out. */
void host_halt(int in);
void host_clear(int in);
/* A class request; false: stalled. */
bool request(uint8_t type, uint8_t bRequest, uint16_t wValue, uint16_t wLength);
/* Reset recovery, clause 5.3.4. */
void recover(void);

/* What became of a command. */
struct result {
    uint32_t moved;   /* bytes of data */
    uint32_t residue; /* of the CSW */
    uint8_t status;
    bool stalled; /* the data stage ended so */
};

void make_cbw(uint8_t *cbw, uint32_t length, int direction, const uint8_t *cdb);
/* Takes the CSW and checks it; r->moved and r->stalled are told. */
struct result status_stage(struct result r, uint32_t length);
/* A command as a host runs it; data out are in `data`, so are those in. */
struct result command(const uint8_t *cdb, uint32_t length, int direction);
extern uint8_t data[1u << 18];

#define CDB(...)                                                               \
    (const uint8_t[16])                                                        \
    {                                                                          \
        __VA_ARGS__                                                            \
    }
#define RW(op, lba, n)                                                         \
    CDB((op), 0, (uint8_t)((uint32_t)(lba) >> 24),                             \
        (uint8_t)((uint32_t)(lba) >> 16), (uint8_t)((uint32_t)(lba) >> 8),     \
        (uint8_t)(lba), 0, (uint8_t)((n) >> 8), (uint8_t)(n))
#define READ(lba, n)  RW(0x28, lba, n)
#define WRITE(lba, n) RW(0x2A, lba, n)
extern const uint8_t test_unit_ready[16];

/* The sense data, 0xKKCCQQ. */
uint32_t sense(void);
/* All data moved, no residue. */
void passes(const uint8_t *cdb, uint32_t length, int direction);
/* No data moved, and the sense data are these. */
void fails(const uint8_t *cdb, uint32_t length, int direction, uint32_t why);
/* A READ and a TEST UNIT READY pass: nothing is left of what was before. */
void works(void);
/* Something to write. */
void fill(uint32_t n, uint8_t salt);

#endif
