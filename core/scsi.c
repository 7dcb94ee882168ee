/* SPDX-License-Identifier: MIT */
/* scsi.c - see scsi.h.  Clauses are those of SPC-2 and SBC. */
#include "scsi.h"

#include <string.h>

/* Operation codes. */
enum {
    TEST_UNIT_READY = 0x00,
    REQUEST_SENSE = 0x03,
    INQUIRY = 0x12,
    MODE_SENSE_6 = 0x1A,
    START_STOP_UNIT = 0x1B,
    PREVENT_ALLOW = 0x1E,
    READ_FORMAT_CAPACITIES = 0x23,
    READ_CAPACITY = 0x25,
    READ_10 = 0x28,
    WRITE_10 = 0x2A,
    VERIFY_10 = 0x2F,
    SYNCHRONIZE_CACHE = 0x35,
    MODE_SENSE_10 = 0x5A,
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
    'l', 'l',  'y', 'p', 'o',
    'r', 't',  ' ', 'B', 'o',
    'o', 't',  'l', 'o', 'a',
    'd', 'e',  'r', ' ', ' ',
    ' ', ' ',  '1', '.', '0',
    '0'};

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static void put_be32(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t)(n >> 24);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
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

/* READ, WRITE, VERIFY, SYNCHRONIZE CACHE: n sectors from s->lba on. */
static bool sectors(struct scsi *s, const uint8_t *cdb, uint8_t *data,
                    uint32_t n)
{
    uint32_t count = block_count();

    if (s->lba >= count || n > count - s->lba)
        return fail(s, LBA_OUT_OF_RANGE);
    switch (cdb[0]) {
    case SYNCHRONIZE_CACHE:
        block_sync(s->drive);
        return true;
    case VERIFY_10: /* what is there can be read; BYTCHK has data to compare */
        return cdb[1] & 2 ? fail(s, INVALID_FIELD) : true;
    case WRITE_10:
        s->in = false;
        break;
    default:
        if (n)
            scsi_read(s, data);
    }
    s->length = n * BLOCK_SIZE;
    return true;
}

bool scsi_command(struct scsi *s, const uint8_t *cdb, uint8_t *data)
{
    uint32_t op = cdb[0];
    uint32_t n = be16(cdb + 7); /* of 10 bytes: allocation, transfer length */
    uint32_t size = 0;          /* of the answer */

    memset(data, 0, BLOCK_SIZE);
    s->in = true;
    s->length = 0;
    s->lba = be32(cdb + 2);

    /* SPC-2 clause 5.6: kept until the next command, whatever it is. */
    if (op != REQUEST_SENSE)
        s->sense = SENSE_NONE;
    else if (!s->sense)
        ready(s);

    switch (op) {
    case REQUEST_SENSE: /* fixed format */
        data[0] = 0x70;
        data[2] = (uint8_t)(s->sense >> 8);
        data[7] = SENSE_SIZE - 8;
        data[12] = (uint8_t)s->sense;
        s->sense = SENSE_NONE;
        size = SENSE_SIZE;
        n = cdb[4];
        break;
    case INQUIRY: /* vital product data are optional */
        if (cdb[1] & 3 || cdb[2])
            return fail(s, INVALID_FIELD);
        memcpy(data, inquiry, INQUIRY_SIZE);
        size = INQUIRY_SIZE;
        n = be16(cdb + 3);
        break;
    /* Not write-protected, and no pages, whichever are asked for: macOS takes
     * a failure for write protection. */
    case MODE_SENSE_6:
        size = 4;
        data[0] = 3;
        n = cdb[4];
        break;
    case MODE_SENSE_10:
        size = 8;
        data[1] = 6;
        break;
    case READ_FORMAT_CAPACITIES: /* 2: formatted, 3: no medium */
        data[3] = 8;
        put_be32(data + 4, block_count());
        put_be32(data + 8, BLOCK_SIZE);
        data[8] = (uint8_t)(3 - block_present(s->drive));
        size = 12;
        break;
    case START_STOP_UNIT:
        /* Neither START nor a power condition: stop, with or without LOEJ. */
        if (!(cdb[4] & 0xF1))
            block_eject(s->drive);
        break;
    case PREVENT_ALLOW:
        break;
    case TEST_UNIT_READY:
        return ready(s);
    case READ_CAPACITY:
        if (!ready(s))
            return false;
        put_be32(data, block_count() - 1);
        put_be32(data + 4, BLOCK_SIZE);
        size = n = 8;
        break;
    case READ_10:
    case WRITE_10:
    case VERIFY_10:
    case SYNCHRONIZE_CACHE:
        return ready(s) && sectors(s, cdb, data, n);
    default:
        return fail(s, UNKNOWN_COMMAND);
    }
    s->length = size < n ? size : n;
    return true;
}

void scsi_read(struct scsi *s, uint8_t *to)
{
    block_read(s->drive, s->lba++, to);
}

void scsi_write(struct scsi *s, const uint8_t *from)
{
    block_write(s->drive, s->lba++, from);
}
