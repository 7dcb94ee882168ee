/* SPDX-License-Identifier: MIT */
/* formats.c - see formats.h. */
#include "formats.h"

#include "part.h"
#include "plat.h"

#include <string.h>

static bool inside(uint32_t address, uint32_t n)
{
    uint32_t offset = address - PART_APP_START;

    return offset < PART_APP_SIZE && n <= PART_APP_SIZE - offset;
}

/* ---- Intel HEX ---- */

enum { HEX_DATA, HEX_END, HEX_SEGMENT, HEX_CS_IP, HEX_LINEAR, HEX_EIP, TYPES };

/* Data of a record by its type, from the lowest digit on. */
#define HEX_LENGTHS 0x424200u
/* Length, address, type; then data and the checksum. */
#define HEX_AT_DATA 4u

static void hex_data(struct format *f, uint8_t byte)
{
    uint32_t address = f->base + (f->offset++ & f->wrap);

    if (f->outside)
        return;
    f->address = address;
    f->outside = !inside(address, 1);
    f->data = !f->outside;
    f->byte = byte;
}

/* "Extended Linear Address Record", and what the others say of offsets: behind
 * a segment's base they wrap at 64 K, behind a linear one at 4 G. */
static enum err hex_end_of_record(struct format *f)
{
    f->open = false;
    if (f->sum)
        return ERR_CHECK;
    if (f->outside)
        return ERR_ADDRESS;
    if (f->type == HEX_SEGMENT) {
        f->base = f->word << 4;
        f->wrap = 0xFFFF;
    } else if (f->type == HEX_LINEAR) {
        f->base = f->word << 16;
        f->wrap = 0xFFFFFFFF;
    }
    f->ended = f->type == HEX_END;
    return ERR_NONE;
}

static enum err hex_byte(struct format *f, uint8_t byte)
{
    uint32_t at = f->at++;

    f->sum = (uint8_t)(f->sum + byte);
    if (at == 0) {
        f->count = byte;
    } else if (at < 3) {
        f->offset = (f->offset << 8 | byte) & 0xFFFF;
    } else if (at == 3) {
        f->type = byte;
        f->address = f->base + f->offset;
        if (byte >= TYPES ||
            (byte && f->count != (HEX_LENGTHS >> 4 * byte & 15)))
            return ERR_CHECK;
    } else if (at == HEX_AT_DATA + f->count) {
        return hex_end_of_record(f);
    } else if (f->type == HEX_DATA) {
        hex_data(f, byte);
    } else {
        f->word = f->word << 8 | byte;
    }
    return ERR_NONE;
}

static enum err hex_character(struct format *f, uint8_t c)
{
    uint32_t digit = c - '0';

    if (!f->open) {
        if (c == '\n')
            f->line++;
        if (c <= ' ') /* ends of lines; of files, as CP/M had them */
            return ERR_NONE;
        f->open = true;
        f->outside = false;
        f->sum = 0;
        f->at = 0;
        f->word = 0;
        return c == ':' && !f->ended ? ERR_NONE : ERR_CHECK;
    }
    if (digit > 9) {
        digit = (c | 0x20u) - 'a';
        if (digit > 5)
            return ERR_CHECK;
        digit += 10;
    }
    if (!f->digits) {
        f->digits = (uint8_t)(0x10 | digit);
        return ERR_NONE;
    }
    digit |= (uint32_t)f->digits << 4;
    f->digits = 0;
    return hex_byte(f, (uint8_t)digit);
}

/* ---- .dfu ---- */

/* The prefix: "DfuSe", version, size (4 bytes), number of targets.  A target:
 * "Target", alternate setting, name (259), size (4), number of elements (4).
 * An element: address, size; then its data.  Sizes of larger things say
 * nothing new. */
enum { PREFIX, TARGET, ELEMENT, DATA, SUFFIX, AT_END };
enum {
    LAST_OF_PREFIX = 10,
    TARGET_ALTERNATE = 6,
    LAST_OF_TARGET = 273,
    LAST_OF_ADDRESS = 3,
    LAST_OF_ELEMENT = 7,
    /* Of the suffix: bcdDevice, idProduct, idVendor, bcdDFU, "UFD", length,
     * and the CRC of all before. */
    LAST_OF_PRODUCT = 3,
    LAST_OF_VENDOR = 5,
    LAST_OF_LENGTH = 11,
    LAST_OF_SUFFIX = 15,
};

/* What comes next. */
static void next_step(struct format *f)
{
    f->at = 0;
    if (f->left)
        f->step = DATA;
    else if (f->elements) {
        f->elements--;
        f->step = ELEMENT;
    } else if (f->targets) {
        f->targets--;
        f->step = TARGET;
    } else
        f->step = SUFFIX;
}

#define UFD_AND_LENGTH 0x10444655u

static enum err suffix_byte(struct format *f, uint32_t at)
{
    uint32_t id = f->word >> 16;

    f->address = f->pos;
    if (id != 0xFFFF && ((at == LAST_OF_PRODUCT && id != BOARD_PID) ||
                         (at == LAST_OF_VENDOR && id != BOARD_VID)))
        f->foreign = true;
    if (at == LAST_OF_LENGTH) {
        uint32_t n = f->pos % 4;

        if (f->word != UFD_AND_LENGTH)
            return ERR_INCOMPLETE;
        if (n)
            f->crc = plat_crc(f->crc, f->word >> (32 - 8 * n), n);
    }
    if (at != LAST_OF_SUFFIX)
        return ERR_NONE;
    f->step = AT_END;
    f->ended = true;
    if (f->word != ~f->crc) /* which others turn over in the end */
        return ERR_CHECK;
    return f->foreign ? ERR_PRODUCT : ERR_NONE;
}

static enum err dfu_byte(struct format *f, uint8_t byte)
{
    uint32_t at = f->at++;

    f->word = f->word >> 8 | (uint32_t)byte << 24;
    f->pos++;
    if (f->pos % 4 == 0 && (f->step != SUFFIX || at <= LAST_OF_LENGTH))
        f->crc = plat_crc(f->crc, f->word, 4);
    switch (f->step) {
    case PREFIX:
        if (at != LAST_OF_PREFIX)
            return ERR_NONE;
        f->targets = byte;
        break;
    case TARGET:
        if (at == TARGET_ALTERNATE)
            f->alternate = byte;
        if (at != LAST_OF_TARGET)
            return ERR_NONE;
        f->elements = f->word;
        break;
    case ELEMENT:
        if (at == LAST_OF_ADDRESS)
            f->address = f->word;
        if (at != LAST_OF_ELEMENT)
            return ERR_NONE;
        f->left = f->word;
        /* Other settings are other memories; dfu-util skips them, too. */
        if (!f->alternate && f->left && !inside(f->address, f->left))
            return ERR_ADDRESS;
        f->address--;
        break;
    case DATA:
        f->address++;
        f->byte = byte;
        f->data = !f->alternate;
        if (--f->left)
            return ERR_NONE;
        break;
    case SUFFIX:
        return suffix_byte(f, at);
    default:
        return ERR_CHECK; /* more than the file */
    }
    next_step(f);
    return ERR_NONE;
}

/* ---- both ---- */

typedef uint32_t __attribute__((may_alias)) first_word;
#define DFUS 0x53756644u /* "DfuS" */

void format_begin(struct format *f, enum format_kind kind, uint32_t size)
{
    memset(f, 0, sizeof(*f));
    f->kind = (uint8_t)kind;
    f->wrap = 0xFFFFFFFF;
    if (kind == FORMAT_HEX)
        f->line = 1;
    if (kind == FORMAT_DFU) {
        f->left = size - FORMAT_SUFFIX;
        next_step(f);
    }
}

/* Not inlined into loops, where registers are short. */
__attribute__((noinline)) enum err format_take(struct format *f, uint8_t byte)
{
    f->data = false;
    return f->kind == FORMAT_HEX ? hex_character(f, byte) : dfu_byte(f, byte);
}

enum format_kind format_of(const void *start)
{
    const uint8_t *c = start;
    const first_word *word = start;
    struct format f;

    if (*word == DFUS && c[4] == 'e')
        return FORMAT_DFUSE;
    format_begin(&f, FORMAT_HEX, 0);
    /* A record as far as its type, right at the start. */
    if (*c != ':')
        return FORMAT_NONE;
    while (f.at < HEX_AT_DATA)
        if (format_take(&f, *c++))
            return FORMAT_NONE;
    return FORMAT_HEX;
}
