/* SPDX-License-Identifier: MIT */
/* scsi.c - see scsi.h.  Clauses are those of SPC-2 and SBC. */
#include "scsi.h"

#include <string.h>

/* Operation codes, in the order of enum command. */
static const uint8_t opcodes[] = {
    0x2A, 0x28, 0x2F, 0x35, 0x25, 0x00, 0x03,
    0x12, 0x1A, 0x5A, 0x23, 0x1B, 0x1E,
};
enum command {
    UNKNOWN,
    WRITE_10,
    READ_10,
    VERIFY_10,
    SYNCHRONIZE_CACHE, /* up to here: of sectors */
    READ_CAPACITY,
    TEST_UNIT_READY, /* up to here: of a medium */
    REQUEST_SENSE,
    INQUIRY,
    MODE_SENSE_6,
    MODE_SENSE_10,
    READ_FORMAT_CAPACITIES,
    START_STOP_UNIT,
    PREVENT_ALLOW,
};

/* Sense key and additional sense code, SPC-2 tables 107 and 108. */
enum {
    SENSE_NONE = 0,
    NOT_PRESENT = 0x023A,
    UNKNOWN_COMMAND = 0x0520,
    LBA_OUT_OF_RANGE = 0x0521,
    INVALID_FIELD = 0x0524,
    MEDIUM_CHANGED = 0x0628,
};

#define SENSE_SIZE   18u
#define INQUIRY_SIZE 36u

/* SPC-2 clause 7.3.2: removable disk, SCSI-2, response format 2. */
static const uint8_t inquiry[INQUIRY_SIZE] = {
    0,   0x80, 2,   2,   INQUIRY_SIZE - 5,
    0,   0,    0,   'S', 'a',
    'l', 'l',  'y', 'p', 'r',
    't', /* vendor, of 8 characters */
    'B', 'o',  'o', 't', 'l',
    'o', 'a',  'd', 'e', 'r',
    ' ', ' ',  ' ', ' ', ' ',
    ' ', '1',  '.', '0', '0'};

/* What a CDB has in the middle of it. */
struct __attribute__((packed, may_alias)) unaligned16 {
    uint16_t n;
};
struct __attribute__((packed, may_alias)) unaligned32 {
    uint32_t n;
};
typedef uint32_t __attribute__((may_alias)) word;

static uint32_t be16(const uint8_t *p)
{
    return __builtin_bswap16(((const struct unaligned16 *)p)->n);
}

static uint32_t be32(const uint8_t *p)
{
    return __builtin_bswap32(((const struct unaligned32 *)p)->n);
}

static bool fail(struct scsi *s, uint32_t sense)
{
    s->sense = (uint16_t)sense;
    return false;
}

/* There is a medium, and the host knows which. */
static bool ready(struct scsi *s)
{
    if (!block_present(s->drive)) {
        s->changed = true;
        return fail(s, NOT_PRESENT);
    }
    if (s->changed) {
        s->changed = false;
        return fail(s, MEDIUM_CHANGED);
    }
    return true;
}

bool scsi_command(struct scsi *s, const uint8_t *cdb, uint8_t *data)
{
    word *to = (word *)data;
    uint32_t command = sizeof(opcodes);
    uint32_t size = 0; /* of the answer */
    uint32_t count = block_count();
    uint32_t n; /* allocation length, transfer length */

    while (command && opcodes[command - 1] != cdb[0])
        command--;
    memset(data, 0, BLOCK_SIZE);
    s->in = true;
    s->length = 0;
    s->lba = be32(cdb + 2);
    n = be16(cdb + (cdb[0] < 0x20 ? 3 : 7)); /* of 6 bytes, of 10 */

    /* SPC-2 clause 5.6: kept until the next command, whatever it is. */
    if (command != REQUEST_SENSE)
        s->sense = SENSE_NONE;
    else if (!s->sense)
        ready(s);

    if (command - 1 < TEST_UNIT_READY && !ready(s))
        return false;
    if (command - 1 < SYNCHRONIZE_CACHE &&
        (s->lba >= count || n > count - s->lba))
        return fail(s, LBA_OUT_OF_RANGE);

    switch (command) {
    case WRITE_10:
        s->in = false;
        size = n *= BLOCK_SIZE;
        break;
    case READ_10:
        if (n)
            scsi_read(s, data);
        size = n *= BLOCK_SIZE;
        break;
    case VERIFY_10: /* what is there can be read; BYTCHK has data to compare */
        if (cdb[1] & 2)
            return fail(s, INVALID_FIELD);
        break;
    case SYNCHRONIZE_CACHE:
        block_sync(s->drive);
        break;
    case READ_CAPACITY:
        to[0] = __builtin_bswap32(count - 1);
        to[1] = __builtin_bswap32(BLOCK_SIZE);
        size = n = 8;
        break;
    case REQUEST_SENSE: /* fixed format */
        to[0] = 0x70u | (s->sense & 0xFF00u) << 8;
        data[7] = SENSE_SIZE - 8;
        data[12] = (uint8_t)s->sense;
        s->sense = SENSE_NONE;
        size = SENSE_SIZE;
        break;
    case INQUIRY: /* vital product data are optional */
        if (cdb[1] & 3 || cdb[2])
            return fail(s, INVALID_FIELD);
        memcpy(data, inquiry, INQUIRY_SIZE);
        size = INQUIRY_SIZE;
        break;
    /* Not write-protected, and no pages, whichever are asked for: macOS takes
     * a failure for write protection. */
    case MODE_SENSE_6:
        data[0] = 3;
        size = 4;
        n = (uint8_t)n;
        break;
    case MODE_SENSE_10:
        data[1] = 6;
        size = 8;
        break;
    case READ_FORMAT_CAPACITIES: /* 2: formatted, 3: no medium */
        data[3] = 8;
        to[1] = __builtin_bswap32(count);
        to[2] = __builtin_bswap32(BLOCK_SIZE) | (3u - block_present(s->drive));
        size = 12;
        break;
    case START_STOP_UNIT:
        /* Neither START nor a power condition: stop, with or without LOEJ. */
        if (!(cdb[4] & 0xF1))
            block_eject(s->drive);
        break;
    case UNKNOWN:
        return fail(s, UNKNOWN_COMMAND);
    default:
        break;
    }
    s->length = size < n ? size : n;
    return true;
}

void scsi_read(struct scsi *s, uint8_t *to)
{
    block_read(s->drive, s->lba++, to);
}

bool scsi_write(struct scsi *s, const uint8_t *from)
{
    if (!block_write(s->drive, s->lba, from))
        return false;
    s->lba++;
    return true;
}
