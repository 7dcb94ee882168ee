/* SPDX-License-Identifier: MIT */
/*
 * cuts.h - a laboratory for updates that end badly: it walks through an
 * update, hands every flash operation to a visitor, and judges what a chip
 * does that wakes up with the flash as it then is.
 *
 * It knows what DFU hosts do (rig.h) and what the product promises; it knows
 * nothing about the firmware's insides.
 */
#ifndef TEST_CUTS_H
#define TEST_CUTS_H

#include "rig.h"

enum {
    LAB_ROOM = 64 * 1024, /* for images and the sectors that hold them */
    LAB_BLOCK = 4096,     /* for a block */
    LAB_FORKS = 64,
};

struct lab_image {
    const uint8_t *data;
    size_t n; /* 0: there is none */
};

/* What the host does, and to what. */
struct lab_scenario {
    const char *name;
    /* LAB_PATCH: an update with the second page and nothing else */
    enum { LAB_UPDATE, LAB_PATCH, LAB_MASS_ERASE, LAB_PAGE_ERASE } action;
    struct lab_image before, after;
};

struct lab_counts {
    unsigned long ops, before, torn, later; /* cut points */
    unsigned long states; /* different flash contents among them */
    unsigned long boots;  /* different states of RAM after them */
    unsigned long apps;   /* flash contents that start an application */
    unsigned long half, bricks, unrecovered, damaged, errors;
    unsigned long again; /* recoveries that were cut as well */
};

/* A set of 64-bit hashes. */
struct lab_set {
    uint64_t *slot;
    size_t room, n;
};

/* A recovery that is about to write a page, with nothing but that page of
 * the flash still to be filled in: before its block, and with the block in
 * the chip's RAM (the same where the block does not fill the page). */
struct lab_fork {
    uint64_t key, ram;
    struct chip_snapshot *before, *sent;
};

struct lab;
/* Called with the chip at `from`: n operations start from there before the
 * walk goes on.  May do anything to the chip. */
typedef void lab_visit_fn(struct lab *l, const struct chip_snapshot *from,
                          unsigned n);

struct lab {
    struct rig *r;
    const struct lab_scenario *s;
    uint32_t bytes, window;    /* of an image; of the sectors that hold it */
    uint32_t block;            /* wTransferSize */
    unsigned programs;         /* that an image takes */
    struct lab_image goal;     /* what recoveries install */
    struct lab_image whole[3]; /* what may start: before, after, goal */
    lab_visit_fn *visit;
    uint64_t op; /* number of the first operation at `from` */
    uint32_t seed;
    unsigned every;   /* one in so many points gets the long treatment */
    uint8_t *outside; /* the flash before; outside the window it stays so */
    struct chip_snapshot *idle; /* an empty chip, enumerated and opened */
    struct lab_set states, boots, tails;
    struct lab_fork fork[LAB_FORKS];
    unsigned forks;
    struct lab_counts count;
    char where[120]; /* what replays the point being judged */
};

/* NULL after a line on stderr. */
struct lab *lab_new(struct rig *r, const struct lab_scenario *s);
void lab_free(struct lab *l);

/* The whole scenario as dfu-util does it, with a visit to every operation.
 * False where the chip did not take it. */
bool lab_walk(struct lab *l, lab_visit_fn *visit);

/* The flash as before the update, the bootloader enumerated and idle; for the
 * caller to free. */
struct chip_snapshot *lab_start(struct lab *l);

/* The chip is off, its flash is to be judged: it is switched on, must start a
 * whole image or enumerate as the bootloader, and must then take the goal. */
void lab_judge(struct lab *l);
/* The same for flash contents that were judged before: nothing. */
bool lab_known(struct lab *l);

/* The pieces of lab_judge(), for tests that go other ways. */

/* Just switched on or reset: true where the application started; counts it
 * as half where it is not whole. */
bool lab_started(struct lab *l);
/* The flash as it is under an idle, enumerated bootloader; a normal update
 * with the goal, then power off and on.  Counts what goes wrong. */
void lab_update_again(struct lab *l);
/* Installs the goal with the host session that is there. */
bool lab_install(struct lab *l);

/* One more failure, with a line that says where. */
void lab_fail(struct lab *l, unsigned long *counter, const char *what);
unsigned long lab_failures(const struct lab_counts *c);

/* ---- scenarios ---- */

/* By number, then NULL; images are made once. */
const struct lab_scenario *lab_scenario(const struct rig_board *b, unsigned i);

/* $SALLYPORT_TEST_SEED or 1; $SALLYPORT_TEST_DEEP: 0 or how deep;
 * $SALLYPORT_TEST_SAMPLE: part of the points will do. */
uint32_t lab_seed(void);
unsigned lab_deep(void);
bool lab_sample(void);

#endif
