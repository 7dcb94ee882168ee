/* SPDX-License-Identifier: MIT */
/*
 * states.h - state tables of DFU 1.1 (appendix A): every state times every
 * request, and what a host can see of it.
 */
#ifndef TEST_STATES_H
#define TEST_STATES_H

#include "bench.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { IN = 0xA1, OUT = 0x21 };
enum { DETACH, DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT };

/* Lengths that depend on the board. */
#define FULL     0x10000u
#define TOO_LONG 0x10001u
/* In the data of a row: there goes the start of the slot. */
#define SLOT "AAAA"

/*
 * What has to happen, one letter a state:
 *   2 3 6 7 8 9  answered, and this is the next state
 *   =            answered, the state stays
 *   x            stalled, dfuERROR with errSTALLEDPKT
 *   s            stalled, state and status stay
 */
struct row {
    const char *name;
    uint8_t type, request;
    uint16_t value, index;
    uint32_t length;
    char expect[9];
    const char *data; /* NULL: any */
};

struct state_table {
    const uint8_t *states; /* in the order of the letters */
    const struct row *rows;
    size_t n_states, n_rows;
    /* From what a test starts with; asserts that it is there. */
    void (*enter)(struct rig *r, unsigned state);
};

/* Makes the request of a row; as rig_request(). */
int states_request(struct rig *r, const struct row *row);
/* All of the table; says which cells are not as they should be. */
void states_assert(struct rig *r, const struct state_table *t);

#endif
