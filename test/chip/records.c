/* SPDX-License-Identifier: MIT */
/* records.c - see records.h. */
#include "records.h"

#include <string.h>

#define READY 0x59444552u
#define DONE  0x454E4F44u

/* Offsets in a record, and behind its first words, where the flash programs
 * rows at the start of one. */
enum { AT_READY = 0, AT_END = 4, AT_ATTEMPTS = 8, HEAD = 44 };
enum { AT_SIZE = 4, AT_VERSION = 8, AT_NAME = 12, AT_MAP = 24 };

static uint8_t *source(struct rig *r, uint32_t record)
{
    uint32_t unit = r->board->unit;

    return rig_flash(r, record) + (HEAD + unit - 1) / unit * unit;
}

/* A word of a record as it is before it is written. */
static uint32_t erased(struct rig *r)
{
    return chip_flash_erased(r->chip) * 0x01010101u;
}

enum { KEEP = 0xFFFF, BLANK = 0xFFFE };

static unsigned rooms(const struct rig_board *b)
{
    uint32_t end = b->kv;

    return (end - b->record) / RECORD_ROOM;
}

static struct record read_room(struct rig *r, unsigned i)
{
    struct record rec = {.at = r->board->record + i * RECORD_ROOM};
    const uint8_t *p = rig_flash(r, rec.at), *s = source(r, rec.at);
    uint32_t end = rig_get32(p + AT_END);

    if (rig_get32(p + AT_READY) != READY)
        return rec;
    rec.state = end == erased(r) ? RECORD_PENDING
                : end == DONE    ? RECORD_DONE
                                 : RECORD_VOID;
    while (rec.attempts < RECORD_ATTEMPTS &&
           rig_get32(p + AT_ATTEMPTS + 4 * rec.attempts) != erased(r))
        rec.attempts++;
    rec.size = rig_get32(s + AT_SIZE);
    rec.version = rig_get32(s + AT_VERSION);
    memcpy(rec.name, s + AT_NAME, 12);
    return rec;
}

struct record record_last(struct rig *r)
{
    struct record none = {0};

    for (unsigned i = rooms(r->board); i--;) {
        struct record rec = read_room(r, i);

        if (rec.state != RECORD_NONE)
            return rec;
    }
    return none;
}

unsigned record_count(struct rig *r, bool pending)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rooms(r->board); i++) {
        enum record_state state = read_room(r, i).state;

        n += pending ? state == RECORD_PENDING : state != RECORD_NONE;
    }
    return n;
}

void record_begin(struct rig *r, const struct record *rec)
{
    memset(rig_flash(r, rec->at + AT_ATTEMPTS + 4 * rec->attempts), 0x5A, 4);
    chip_flash_changed(r->chip);
}

void record_marks(struct rig *r, const struct record *rec,
                  uint8_t was[4 * RECORD_ATTEMPTS])
{
    uint8_t *p = rig_flash(r, rec->at + AT_ATTEMPTS);

    memcpy(was, p, 4 * RECORD_ATTEMPTS);
    memset(p, (int)erased(r), 4 * RECORD_ATTEMPTS);
    memset(p, 0x5A, 4 * rec->attempts);
}

void record_put_marks(struct rig *r, const struct record *rec,
                      const uint8_t was[4 * RECORD_ATTEMPTS])
{
    memcpy(rig_flash(r, rec->at + AT_ATTEMPTS), was, 4 * RECORD_ATTEMPTS);
}

void record_image(struct rig *r, const struct record *rec, uint8_t *image,
                  uint32_t n)
{
    const struct rig_board *b = r->board;
    const uint8_t *map = source(r, rec->at) + AT_MAP;

    for (uint32_t at = 0; at < n; at += b->block) {
        unsigned entry = map[0] | map[1] << 8;

        map += 2;
        if (entry == BLANK)
            memset(image + at, (int)erased(r), b->block);
        else
            memcpy(image + at,
                   rig_flash(r, entry == KEEP ? b->slot + at
                                              : b->download + entry * b->block),
                   b->block);
    }
}
