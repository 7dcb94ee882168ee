/* SPDX-License-Identifier: MIT */
/*
 * records.h - the records of staged updates, as docs/design.md and the header
 * of the product describe them; typed a second time.
 */
#ifndef TEST_RECORDS_H
#define TEST_RECORDS_H

#include "rig.h"

enum { RECORD_ROOM = 512, RECORD_ATTEMPTS = 8 };

enum record_state { RECORD_NONE, RECORD_VOID, RECORD_PENDING, RECORD_DONE };

/* The last complete one. */
struct record {
    enum record_state state;
    uint32_t at; /* its address */
    unsigned attempts;
    uint32_t size, version;
    char name[13];
};

struct record record_last(struct rig *r);
/* How many are complete, and of them pending. */
unsigned record_count(struct rig *r, bool pending);

/* Marks one more try. */
void record_begin(struct rig *r, const struct record *rec);

/* Takes its marks of tries for what they count, and puts them back. */
void record_marks(struct rig *r, const struct record *rec,
                  uint8_t was[4 * RECORD_ATTEMPTS]);
void record_put_marks(struct rig *r, const struct record *rec,
                      const uint8_t was[4 * RECORD_ATTEMPTS]);

/* The first n bytes, whole pages, of the image that the record says, made from
 * its map, download and application as they lie in flash. */
void record_image(struct rig *r, const struct record *rec, uint8_t *image,
                  uint32_t n);

#endif
