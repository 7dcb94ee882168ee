/* SPDX-License-Identifier: MIT */
/*
 * front.h - what the front ends (usbredir, USB/IP) have in common: whose the
 * chip is, its enumeration, and the transfers that are under way.  While the
 * chip is being enumerated, transfers wait in the list.
 *
 * One client has the chip at a time, whatever the number of front ends.
 */
#ifndef SIM_FRONT_H
#define SIM_FRONT_H

#include "enumerate.h"

enum { FRONT_ERROR_MAX = 200 };

struct front;

struct transfer {
    struct urb urb; /* first: found by its address */
    struct front *front;
    /* the front end's */
    uint64_t id;
    unsigned kind;
    uint32_t number;
    bool stopped; /* does not go on */
    struct transfer *next;
    uint8_t data[];
};

/* Of the client that has the chip. */
struct front_ops {
    /* The chip is enumerated and not configured. */
    void (*ready)(void *ctx);
    /* It left the bus (why is NULL) or could not be enumerated.  What was
     * under way has been answered with URB_GONE. */
    void (*gone)(void *ctx, const char *why);
    /* A transfer is over.  True: it was submitted again. */
    bool (*answer)(void *ctx, struct transfer *t);
};

struct front {
    struct host *host;
    void (*print)(void *ctx, const char *line);
    void *print_ctx;
    struct enumerator en;
    bool ready;                  /* enumerated, transfers go to the chip */
    const struct front_ops *ops; /* NULL: nobody has the chip */
    void *ctx;
    bool begun;
    struct transfer *transfers;
};

/* print gets one line at a time. */
void front_open(struct front *f, struct host *h,
                void (*print)(void *ctx, const char *line), void *ctx);
void front_close(struct front *f);
/* One line, with the name of the front end before it. */
void front_say(struct front *f, const char *name, const char *text);

/* False: another client has the chip. */
bool front_claim(struct front *f, const struct front_ops *ops, void *ctx);
/* Ends all transfers, which nobody is told. */
void front_release(struct front *f);
/* From now on the chip is enumerated whenever it appears on the bus, and now
 * if it is there. */
void front_begin(struct front *f);
/* Bus reset and enumeration; no transfer may be with the host. */
void front_enumerate(struct front *f);
/* The client waits for the chip to work.  Not for transfers that wait for the
 * chip to have something to say. */
bool front_busy(const struct front *f);

/* A transfer in the list, with room for `length` bytes; NULL: no memory. */
struct transfer *front_transfer(struct front *f, enum urb_type type,
                                unsigned endpoint, uint64_t id, size_t length);
bool front_is_in(const struct transfer *t);
/* To the chip, or into the queue until it has been enumerated. */
void front_start(struct transfer *t);
/* It is answered at once. */
void front_cancel(struct transfer *t);
void front_cancel_all(struct front *f);
/* What waits for the enumeration ends with URB_GONE. */
void front_fail_waiting(struct front *f);

#endif
