/* SPDX-License-Identifier: MIT */
/* pace.c - see pace.h. */
#include "pace.h"

#include <time.h>

#define SLICE    SIM_MS        /* sockets are looked at between slices */
#define AHEAD    SIM_MS        /* how far a waiting host may pull the chip */
#define MAX_DEBT (50 * SIM_MS) /* more is forgotten */

uint64_t pace_wall_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void anchor(struct pace *p, sim_time now, uint64_t wall)
{
    p->anchored = true;
    p->virtual_0 = now;
    p->wall_0 = wall;
}

/* Where virtual time should be. */
static sim_time target(struct pace *p, sim_time now)
{
    uint64_t wall = pace_wall_ns();
    sim_time t = p->virtual_0 + (wall - p->wall_0) * SIM_NS;

    if (p->anchored && t <= now + MAX_DEBT)
        return t;
    t = p->anchored ? now + MAX_DEBT : now;
    anchor(p, t, wall);
    return t;
}

struct pace_step pace_next(struct pace *p, sim_time now, enum pace_work work)
{
    struct pace_step step = {now, 0};
    sim_time limit;

    if (p->fast && work != PACE_IDLE) {
        p->anchored = false;
        step.until = now + SLICE;
        return step;
    }
    limit = target(p, now);
    if (work == PACE_URGENT)
        limit += AHEAD;
    if (now < limit) {
        step.until = limit - now < SLICE ? limit : now + SLICE;
        return step;
    }
    step.wait_ns = (now - limit + SLICE) / SIM_NS;
    return step;
}
