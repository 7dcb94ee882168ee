/* SPDX-License-Identifier: MIT
 *
 * Intel HEX (Intel's specification of 1988, revision A) as compilers write it,
 * and .dfu (USB DFU 1.1 appendix B; DfuSe: UM0391), made here on their own,
 * without the core or the host library; and what may be wrong with them.
 */
#include "payload.h"

#include "crc32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* bStatus of ERROR.txt (USB DFU 1.1 clause 6.1.2). */
enum { TARGET = 1, VERIFY = 7, ADDRESS = 8, NOTDONE = 9 };

enum {
    STAMP_END = 0x38,
    PIECES = 1 << 17,
    BLANK_RUN = 24, /* so many erased bytes in a row are a gap */
};

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

/* ---- the image ---- */

/* Parts that the file leaves out. */
static void blank_parts(uint8_t *image, uint64_t *state, uint32_t length)
{
    for (uint32_t i = 1 + payload_below(state, 6); i && length > 1024; i--) {
        uint32_t from = STAMP_END + payload_below(state, length - STAMP_END);
        uint32_t n = payload_below(state, (length - 1 - from) / 2 + 1);

        memset(image + from, 0xFF, n);
    }
}

static void make_image(struct payload *p, const struct trial_board *board,
                       uint64_t *state, uint32_t length, bool gaps)
{
    enum payload_kind kind = p->kind;
    uint32_t product = board->product;
    bool stamped = payload_below(state, 2) || kind == PAYLOAD_HEX_PRODUCT ||
                   kind == PAYLOAD_HEX_DAMAGED || kind == PAYLOAD_HEX_HOSTILE ||
                   kind == PAYLOAD_DFUSE_HOSTILE;

    payload_image(board, payload_random(state), length, stamped, p->image);
    if (gaps)
        blank_parts(p->image, state, length);
    if (kind == PAYLOAD_HEX_PRODUCT)
        product ^= 0x100;
    if (stamped)
        payload_stamp(p->image, length, product);
    if (kind == PAYLOAD_HEX_DAMAGED)
        p->image[STAMP_END + payload_below(state, length - STAMP_END)] ^= 0x10;
    p->length = length;
}

/* From here to the end, or to a gap. */
static uint32_t run_of(const struct payload *p, uint32_t at, bool gaps)
{
    uint32_t i = at, erased = 0;

    for (; i < p->length && (!gaps || erased < BLANK_RUN); i++)
        erased = p->image[i] == 0xFF ? erased + 1 : 0;
    return erased < BLANK_RUN || !gaps ? i - at : i - erased - at;
}

static uint32_t behind_gap(const struct payload *p, uint32_t at)
{
    while (at < p->length && p->image[at] == 0xFF)
        at++;
    return at;
}

/* ---- Intel HEX ---- */

struct hex {
    struct payload *p;
    bool lower;
    const char *newline;
    uint32_t upper; /* half of the address, as the file has it now */
};

static void record(struct hex *h, uint32_t type, uint32_t addr,
                   const uint8_t *data, uint32_t n)
{
    const char *digits = h->lower ? "0123456789abcdef" : "0123456789ABCDEF";
    uint8_t raw[4 + 255 + 1] = {(uint8_t)n, (uint8_t)(addr >> 8), (uint8_t)addr,
                                (uint8_t)type};
    uint8_t sum = 0, *to = h->p->data + h->p->size;

    memcpy(raw + 4, data, n);
    for (uint32_t i = 0; i < 4 + n; i++)
        sum = (uint8_t)(sum - raw[i]);
    raw[4 + n] = sum;
    *to++ = ':';
    for (uint32_t i = 0; i < 5 + n; i++) {
        *to++ = (uint8_t)digits[raw[i] >> 4];
        *to++ = (uint8_t)digits[raw[i] & 15];
    }
    for (const char *c = h->newline; *c; c++)
        *to++ = (uint8_t)*c;
    h->p->size = (uint32_t)(to - h->p->data);
}

/* Two bytes, the upper one first: a segment or the upper half of an address. */
static void extended(struct hex *h, uint32_t type, uint32_t value)
{
    uint8_t data[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    record(h, type, 0, data, 2);
}

/* In two records where the upper half of the address changes. */
static void data_record(struct hex *h, uint32_t addr, const uint8_t *data,
                        uint32_t n)
{
    while (n) {
        uint32_t part = 0x10000 - (addr & 0xFFFF);

        if (part > n)
            part = n;
        if (addr >> 16 != h->upper)
            extended(h, 4, addr >> 16);
        h->upper = addr >> 16;
        record(h, 0, addr & 0xFFFF, data, part);
        addr += part;
        data += part;
        n -= part;
    }
}

struct piece {
    uint32_t at, n;
};

/* Cuts what is not a gap into lines; 0: of any length. */
static uint32_t cut(const struct payload *p, uint64_t *state, uint32_t line,
                    bool gaps, struct piece *to)
{
    uint32_t count = 0;

    for (uint32_t at = 0; at < p->length && count < PIECES;
         at = gaps ? behind_gap(p, at) : at) {
        uint32_t end = at + run_of(p, at, gaps);
        while (at < end && count < PIECES) {
            uint32_t n = line ? line : 1 + payload_below(state, 64);
            if (n > end - at)
                n = end - at;
            to[count++] = (struct piece){at, n};
            at += n;
        }
    }
    if (count == PIECES)
        abort();
    return count;
}

static void shuffle(struct piece *piece, uint32_t count, uint64_t *state)
{
    uint32_t reach = payload_below(state, 2) ? count : 8;

    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t left = count - i;
        uint32_t k = i + payload_below(state, left < reach ? left : reach);
        struct piece was = piece[i];
        piece[i] = piece[k];
        piece[k] = was;
    }
}

/* Option bytes, system memory, RAM, the bootloader, behind the slot. */
static void outside(struct hex *h, const struct trial_board *board,
                    uint64_t *state)
{
    static const uint8_t bytes[16] = {0xA5, 0x5A, 0xFF, 0, 0xFF, 0};
    const uint32_t places[] = {0x1FFFF800,
                               0x1FFFC000,
                               0x20000000,
                               0x08000000,
                               0x0000FFF0,
                               0xFFFFFFF0,
                               board->slot - 16,
                               board->slot - 8,
                               board->slot + board->slot_size,
                               board->slot + board->slot_size - 8};

    if (payload_below(state, 8) == 0) { /* all of them are, by a segment */
        extended(h, 2, 0x0800);
        h->upper = 0xFFFFFFFF;
        record(h, 0, 0, bytes, sizeof bytes);
        return;
    }
    data_record(h, places[payload_below(state, sizeof places / sizeof *places)],
                bytes, sizeof bytes);
}

static void start_record(struct hex *h, uint32_t type)
{
    uint8_t data[4] = {h->p->image[7], h->p->image[6], h->p->image[5],
                       h->p->image[4]};

    record(h, type, 0, data, 4);
}

/* A digit of a record's data or of its checksum becomes another. */
static void other_digit(struct payload *p, uint64_t *state)
{
    uint32_t at, colon;

    do {
        colon = at = payload_below(state, p->needed);
        while (p->data[colon] != ':')
            colon--;
    } while (p->data[at] <= ' ' || at - colon <= 8);
    p->data[at] = p->data[at] == '0' ? '8' : '0';
}

static void spoil_hex(struct payload *p, uint64_t *state)
{
    static const char any[] = ":0123456789ABCDEFg\r\n\t \0\x1A;S";

    for (uint32_t i = 1 + payload_below(state, 4); i; i--) {
        uint32_t at = payload_below(state, p->needed);
        p->data[at] = (uint8_t)any[payload_below(state, sizeof any)];
    }
}

static void make_hex(struct payload *p, const struct trial_board *board,
                     uint64_t *state)
{
    struct hex h = {p, false, "\r\n", 0xFFFFFFFF};
    struct piece *piece = malloc(PIECES * sizeof *piece);
    uint32_t line = 16, start = 5, count, end, odd;
    enum payload_kind kind = p->kind;
    bool gaps = kind == PAYLOAD_HEX_SREC || kind == PAYLOAD_HEX_ORDER;

    if (!piece)
        abort();
    if (kind >= PAYLOAD_MORE)
        gaps = payload_below(state, 2);
    switch (kind) {
    case PAYLOAD_HEX_IAR:
        line = payload_below(state, 2) ? 16 : 32;
        start = payload_below(state, 2) ? 3 : 5;
        h.newline = payload_below(state, 2) ? "\n" : "\r\n";
        break;
    case PAYLOAD_HEX_SREC:
        line = payload_below(state, 2) ? 32 : 4 + payload_below(state, 252);
        h.newline = "\n";
        break;
    case PAYLOAD_HEX_ORDER:
        line = payload_below(state, 2) ? 16 : 0;
        h.newline = payload_below(state, 2) ? "\n" : "\r\n";
        break;
    case PAYLOAD_HEX_LOWER:
        h.lower = true;
        h.newline = payload_below(state, 3) ? "\n" : "\r\n";
        start = 0;
        extended(&h, 2, 0); /* as 16-bit tools have it at the beginning */
        break;
    default:
        break;
    }
    count = cut(p, state, line, gaps, piece);
    if (kind == PAYLOAD_HEX_ORDER)
        shuffle(piece, count, state);
    odd = kind == PAYLOAD_HEX_OUTSIDE ? payload_below(state, count + 1)
                                      : count + 1;
    for (uint32_t i = 0; i < count; i++) {
        if (i == odd)
            outside(&h, board, state);
        data_record(&h, board->slot + piece[i].at, p->image + piece[i].at,
                    piece[i].n);
        if (kind == PAYLOAD_HEX_KEIL && payload_below(state, 400) == 0)
            extended(&h, 4, h.upper); /* again, as for each section */
    }
    if (odd == count)
        outside(&h, board, state);
    free(piece);
    if (start && payload_below(state, 8))
        start_record(&h, start);
    end = p->size;
    record(&h, 1, 0, p->image, 0);
    p->needed = p->size - (uint32_t)strlen(h.newline);
    if (kind == PAYLOAD_HEX_LOWER && payload_below(state, 2))
        p->size = p->needed;
    switch (kind) {
    case PAYLOAD_HEX_CHECKSUM:
        other_digit(p, state);
        break;
    case PAYLOAD_HEX_SHORT:
        p->size = p->size / 3 + payload_below(state, end - p->size / 3);
        break;
    case PAYLOAD_HEX_NO_END:
        p->size = end;
        break;
    case PAYLOAD_HEX_HOSTILE:
        spoil_hex(p, state);
        break;
    default:
        break;
    }
}

/* ---- .dfu ---- */

static void suffix(struct payload *p, const struct trial_board *board,
                   uint64_t *state, uint32_t bcd)
{
    uint8_t *to = p->data + p->size;
    bool any = payload_below(state, 3) == 0;
    uint32_t vid = any ? 0xFFFF : board->vid;

    if (p->kind == PAYLOAD_DFU_PRODUCT)
        vid = 0x0483;
    put16(to, 0xFFFF); /* bcdDevice */
    put16(to + 2, any ? 0xFFFF : board->pid);
    put16(to + 4, vid);
    put16(to + 6, bcd);
    memcpy(to + 8, "UFD\x10", 4);
    p->size += 16;
    put32(to + 12, ~test_crc32(0, p->data, p->size - 4));
    p->needed = p->size;
}

static void element(struct payload *p, uint32_t addr, const uint8_t *data,
                    uint32_t n)
{
    put32(p->data + p->size, addr);
    put32(p->data + p->size + 4, n);
    memcpy(p->data + p->size + 8, data, n);
    p->size += 8 + n;
}

/* Prefix and the target's prefix, up to the first element. */
enum { PREFIX = 11, TARGET_PREFIX = 274 };

static uint32_t elements(struct payload *p, const struct trial_board *board,
                         uint64_t *state)
{
    bool many = p->kind == PAYLOAD_DFUSE_MANY;
    uint32_t count = 0, at = 0, most = many ? 2 + payload_below(state, 8) : 1;

    while (at < p->length) {
        uint32_t n = run_of(p, at, many);
        if (count + 1 < most)
            n = 1 + payload_below(state, n);
        else if (many) /* the last one has the rest, gaps and all */
            n = p->length - at;
        element(p, board->slot + at, p->image + at, n);
        count++;
        at += n;
        if (many)
            at = behind_gap(p, at);
    }
    return count;
}

static void spoil_dfuse(struct payload *p, uint64_t *state)
{
    /* DFUImageSize, bTargets, name's flag, sizes and number, address, size. */
    static const uint16_t fields[] = {6, 10, 17, 277, 281, 285, 289};
    static const uint32_t values[] = {0,          1,          2,
                                      0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
                                      0x08000000, 0xFFFFFFF8, 0x10000};
    uint32_t field = fields[payload_below(state, sizeof fields / 2)];
    uint32_t value = values[payload_below(state, sizeof values / 4)];

    if (payload_below(state, 3) == 0)
        value = payload_random(state);
    put32(p->data + field, value);
    put32(p->data + p->size - 4, ~test_crc32(0, p->data, p->size - 4));
}

static void make_dfuse(struct payload *p, const struct trial_board *board,
                       uint64_t *state)
{
    enum payload_kind kind = p->kind;
    uint8_t *target = p->data + PREFIX;
    bool named = payload_below(state, 2);
    uint32_t count;

    memcpy(p->data, "DfuSe\x01", 6);
    p->data[10] = 1; /* bTargets */
    memset(target, 0, TARGET_PREFIX);
    memcpy(target, "Target", 6);
    put32(target + 7, named);
    if (named)
        snprintf((char *)target + 11, 255, "ST...");
    if (kind == PAYLOAD_DFUSE_NAMES) /* fields that nobody initialised */
        for (uint32_t i = 0; i < 255; i++)
            target[11 + i] = (uint8_t)payload_random(state);
    p->size = PREFIX + TARGET_PREFIX;
    count = elements(p, board, state);
    if (kind == PAYLOAD_DFUSE_OUTSIDE) {
        const uint32_t places[] = {0x1FFFF800, 0x08000000, 0x20000000,
                                   board->slot + board->slot_size,
                                   board->slot - 4};
        element(p, places[payload_below(state, 5)], p->image, 8);
        count++;
    }
    put32(target + 266, p->size - PREFIX - TARGET_PREFIX);
    put32(target + 270, count);
    put32(p->data + 6, p->size);
    suffix(p, board, state, 0x011A);
    if (kind == PAYLOAD_DFUSE_SHORT)
        p->size = p->size / 3 + payload_below(state, p->size - p->size / 3);
    if (kind == PAYLOAD_DFUSE_HOSTILE)
        spoil_dfuse(p, state);
}

static void make_dfu(struct payload *p, const struct trial_board *board,
                     uint64_t *state)
{
    memcpy(p->data, p->image, p->length);
    p->size = p->length;
    suffix(p, board, state, 0x0100);
}

/* ---- all ---- */

void payload_format(struct payload *p, const struct trial_board *board,
                    uint64_t *state, uint32_t length)
{
    static const uint8_t codes[PAYLOAD_ALL] = {
        [PAYLOAD_HEX_CHECKSUM] = VERIFY, [PAYLOAD_HEX_OUTSIDE] = ADDRESS,
        [PAYLOAD_HEX_SHORT] = NOTDONE,   [PAYLOAD_HEX_NO_END] = NOTDONE,
        [PAYLOAD_HEX_PRODUCT] = TARGET,  [PAYLOAD_HEX_DAMAGED] = VERIFY,
        [PAYLOAD_DFU_CRC] = VERIFY,      [PAYLOAD_DFU_PRODUCT] = TARGET,
        [PAYLOAD_DFUSE_SHORT] = NOTDONE, [PAYLOAD_DFUSE_OUTSIDE] = ADDRESS,
    };
    enum payload_kind kind = p->kind;
    bool dfuse = kind >= PAYLOAD_DFUSE && kind <= PAYLOAD_DFUSE_NAMES;

    make_image(p, board, state, length,
               kind != PAYLOAD_DFU && payload_below(state, 2));
    p->code = codes[kind];
    if (kind < PAYLOAD_DFUSE ||
        (kind >= PAYLOAD_MORE && kind <= PAYLOAD_HEX_HOSTILE))
        make_hex(p, board, state);
    else if (dfuse || kind >= PAYLOAD_DFUSE_SHORT ||
             (kind != PAYLOAD_DFU && payload_below(state, 2)))
        make_dfuse(p, board, state);
    else
        make_dfu(p, board, state);
    if (kind == PAYLOAD_DFU_CRC)
        p->data[payload_below(state, p->size - 16)] ^= 0x10;
}
