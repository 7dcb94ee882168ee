/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how virtual time follows the clock on the wall.
 *
 * wall: never more than 1 ms ahead; when it falls behind it runs as fast as
 * it can, and what it cannot make up within 50 ms is forgotten.
 * fast: without regard to the wall while there is work, else like wall, from
 * the moment the work ended: a host that sleeps gives the chip its time.
 */
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include "chip.h"

struct pace {
    bool fast;
    bool anchored;
    sim_time virtual_0; /* virtual time at ... */
    uint64_t wall_0;    /* ... this time on the wall, ns */
};

enum pace_work {
    PACE_IDLE,   /* nobody waits */
    PACE_URGENT, /* a host waits for the chip */
    PACE_ALONE,  /* there is no host that could wait */
};

struct pace_step {
    sim_time until;   /* run the chip so far now */
    uint64_t wait_ns; /* then wait so long for something to happen */
};

uint64_t pace_wall_ns(void);
struct pace_step pace_next(struct pace *p, sim_time now, enum pace_work work);

#endif
