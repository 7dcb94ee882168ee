/* SPDX-License-Identifier: MIT */
/*
 * sample.h - the small image that tests of updates move: board->image bytes,
 * whole blocks, more than a sector and less than two or three.
 */
#ifndef TEST_SAMPLE_H
#define TEST_SAMPLE_H

#include "bench.h"

enum { SAMPLE_ROOM = 64 * 1024 };

/* What is to be installed, what is installed, what was read. */
extern uint8_t image[SAMPLE_ROOM], old_image[SAMPLE_ROOM], back[SAMPLE_ROOM];

/* Bytes of each. */
uint32_t sample_size(const struct rig *r);

/* `image` anew. */
void sample_plain(struct rig *r, uint32_t seed);
void sample_stamped(struct rig *r, uint32_t seed);
/* `old_image` is installed, and so is `image`, to be changed. */
void sample_installed(struct rig *r, bool with_stamp);

/* Where the sectors that hold the image end. */
uint32_t sample_sectors_end(const struct rig *r);

/* dfu-util's update with all of `image`. */
struct rig_update sample_all(struct rig *r);
/* rig_open() and that update; as rig_update(). */
int sample_update(struct rig *r, bool leave);
/* One block of `image` to its place, without an erase. */
struct rig_op sample_block(struct rig *r, uint32_t at);
/* All of `image` is in the slot. */
bool sample_is_there(struct rig *r);

#endif
