/* SPDX-License-Identifier: MIT
 *
 * Files that users drop onto a drive.  The stamp and the UF2 format
 * (github.com/microsoft/uf2) are made here on their own, without the core or
 * the host library.
 */
#include "payload.h"

#include "crc32.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAGIC = 0x1C, /* the stamp: "SALY", length, CRC, product */
    LENGTH = 0x20,
    CRC = 0x24,
    PRODUCT = 0x28,
    STAMPED_LEAST = 0x38,
    PLAIN_LEAST = 8, /* two vectors */
    UF2_BLOCK = 512, /* and the bytes of the image in it: */
    UF2_BYTES = 256,
    ROOM = 160 * 1024, /* more than the largest image takes */
};

static const struct {
    const char *name, *file;
} kinds[PAYLOAD_ALL] = {
    [PAYLOAD_BIN] = {"bin", "firmware.bin"},
    [PAYLOAD_BIN_TAIL] = {"bin-tail", "firmware.bin"},
    [PAYLOAD_PLAIN] = {"plain", "APP.BIN"},
    [PAYLOAD_UF2] = {"uf2", "firmware.uf2"},
    [PAYLOAD_UF2_PLAIN] = {"uf2-plain", "app.uf2"},
    [PAYLOAD_UF2_GAPS] = {"uf2-gaps", "Firmware 2.0 (new).uf2"},
    [PAYLOAD_UF2_ORDER] = {"uf2-order", "APP.UF2"},
    [PAYLOAD_UF2_BEFORE] = {"uf2-family-before", "firmware.uf2"},
    [PAYLOAD_UF2_BEHIND] = {"uf2-family-behind", "firmware.uf2"},
    [PAYLOAD_PHOTO] = {"photo", "IMG_0001.JPG"},
    [PAYLOAD_TEXT] = {"text", "notes.txt"},
    [PAYLOAD_EMPTY] = {"empty", "empty.bin"},
    [PAYLOAD_BIN_SHORT] = {"bin-short", "torso.bin"},
    [PAYLOAD_BIN_DAMAGED] = {"bin-damaged", "damaged.bin"},
    [PAYLOAD_BIN_PRODUCT] = {"bin-product", "other.bin"},
    [PAYLOAD_BIN_LARGE] = {"bin-large", "large.bin"},
    [PAYLOAD_BIN_INSIDE] = {"bin-inside", "backup.img"},
    [PAYLOAD_UF2_SHORT] = {"uf2-short", "torso.uf2"},
    [PAYLOAD_UF2_HOLE] = {"uf2-hole", "hole.uf2"},
    [PAYLOAD_UF2_DAMAGED] = {"uf2-damaged", "damaged.uf2"},
    [PAYLOAD_UF2_FAMILY] = {"uf2-family", "other.uf2"},
    [PAYLOAD_UF2_BOOTLOADER] = {"uf2-bootloader", "bootloader.uf2"},
    [PAYLOAD_UF2_HOSTILE] = {"uf2-hostile", "hostile.uf2"},
    [PAYLOAD_HEX_GCC] = {"hex-gcc", "firmware.hex"},
    [PAYLOAD_HEX_KEIL] = {"hex-keil", "Project.hex"},
    [PAYLOAD_HEX_IAR] = {"hex-iar", "APP.HEX"},
    [PAYLOAD_HEX_SREC] = {"hex-srec", "merged image.hex"},
    [PAYLOAD_HEX_ORDER] = {"hex-order", "APP.HEX"},
    [PAYLOAD_HEX_LOWER] = {"hex-lower", "app.hex"},
    [PAYLOAD_DFUSE] = {"dfuse", "firmware.dfu"},
    [PAYLOAD_DFUSE_MANY] = {"dfuse-many", "Firmware (2).dfu"},
    [PAYLOAD_DFUSE_NAMES] = {"dfuse-names", "APP.DFU"},
    [PAYLOAD_DFU] = {"dfu", "app.dfu"},
    [PAYLOAD_HEX_CHECKSUM] = {"hex-checksum", "damaged.hex"},
    [PAYLOAD_HEX_OUTSIDE] = {"hex-outside", "options.hex"},
    [PAYLOAD_HEX_SHORT] = {"hex-short", "torso.hex"},
    [PAYLOAD_HEX_NO_END] = {"hex-no-end", "noend.hex"},
    [PAYLOAD_HEX_PRODUCT] = {"hex-product", "other.hex"},
    [PAYLOAD_HEX_DAMAGED] = {"hex-damaged", "damaged.hex"},
    [PAYLOAD_HEX_HOSTILE] = {"hex-hostile", "hostile.hex"},
    [PAYLOAD_DFU_CRC] = {"dfu-crc", "damaged.dfu"},
    [PAYLOAD_DFU_PRODUCT] = {"dfu-product", "other.dfu"},
    [PAYLOAD_DFUSE_SHORT] = {"dfuse-short", "torso.dfu"},
    [PAYLOAD_DFUSE_OUTSIDE] = {"dfuse-outside", "system.dfu"},
    [PAYLOAD_DFUSE_HOSTILE] = {"dfuse-hostile", "hostile.dfu"},
};

const char *payload_name(enum payload_kind kind)
{
    return kinds[kind].name;
}

const char *payload_file(enum payload_kind kind)
{
    return kinds[kind].file;
}

static uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t payload_random(uint64_t *state)
{
    return (uint32_t)(random64(state) >> 16);
}

uint32_t payload_below(uint64_t *state, uint32_t n)
{
    return n ? payload_random(state) % n : 0;
}

static void put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static void noise(uint64_t *state, uint8_t *to, uint32_t n)
{
    while (n) {
        uint64_t word = random64(state);
        uint32_t part = n < 8 ? n : 8;

        memcpy(to, &word, part);
        to += part;
        n -= part;
    }
}

/* ---- images ---- */

static void vectors(const struct trial_board *board, uint64_t *state,
                    uint32_t length, uint8_t *to)
{
    put32(to, board->ram + 4 * (1 + payload_below(state, board->ram_size / 4)));
    put32(to + 4, board->slot + (payload_below(state, length) | 1));
    if ((payload_random(state) & 1) == 0)
        put32(to, board->ram + board->ram_size); /* as most have it */
}

void payload_stamp(uint8_t *to, uint32_t length, uint32_t product)
{
    memcpy(to + MAGIC, "SALY", 4);
    put32(to + LENGTH, length);
    put32(to + CRC, 0);
    put32(to + PRODUCT, product);
    put32(to + CRC, test_crc32(0, to, length));
}

/* Where it starts, it stays: something may run it.  Not among the words of
 * the stamp. */
static void loop(const struct trial_board *board, uint32_t length, uint8_t *to)
{
    uint32_t entry = ((uint32_t)to[4] | (uint32_t)to[5] << 8 |
                      (uint32_t)to[6] << 16 | (uint32_t)to[7] << 24) -
                     board->slot - 1;

    if (entry < STAMPED_LEAST)
        entry = STAMPED_LEAST;
    if (entry + 3 > length)
        return;
    put32(to + 4, (board->slot + entry) | 1);
    to[entry] = 0xFE; /* b . */
    to[entry + 1] = 0xE7;
}

void payload_image(const struct trial_board *board, uint64_t seed,
                   uint32_t length, bool stamped, uint8_t *to)
{
    uint64_t state = seed;

    noise(&state, to, length);
    /* As code has it: the same again, and blank parts. */
    for (uint32_t i = payload_below(&state, 4); i && length > 2048; i--) {
        uint32_t from = payload_below(&state, length);
        uint32_t n = payload_below(&state, length - from) / 4;
        memset(to + from, i == 1 ? 0xFF : 0, n);
    }
    to[length - 1] = 0x5A; /* no padding makes up for a missing end */
    vectors(board, &state, length - 1, to);
    loop(board, length, to);
    if (stamped)
        payload_stamp(to, length,
                      payload_below(&state, 4) ? board->product : 0);
    else if (length > MAGIC)
        to[MAGIC] = 0;
}

bool payload_stamped(const struct payload *p)
{
    return p->length >= STAMPED_LEAST && !memcmp(p->image + MAGIC, "SALY", 4);
}

void payload_init(struct payload *p, const struct trial_board *board)
{
    p->data = malloc(3 * board->slot_size + ROOM);
    p->image = malloc(board->slot_size + ROOM);
    if (!p->data || !p->image)
        abort();
}

void payload_free(struct payload *p)
{
    free(p->data);
    free(p->image);
}

/* ---- UF2 ---- */

/* Block `number` of `blocks`, without its bytes. */
static uint8_t *uf2_block(uint8_t *to, uint32_t addr, uint32_t number,
                          uint32_t blocks, uint32_t family)
{
    memset(to, 0, UF2_BLOCK);
    put32(to, 0x0A324655);
    put32(to + 4, 0x9E5D5157);
    put32(to + 8, 0x2000); /* family id is there */
    put32(to + 12, addr);
    put32(to + 16, UF2_BYTES);
    put32(to + 20, number);
    put32(to + 24, blocks);
    put32(to + 28, family);
    put32(to + 508, 0x0AB16F30);
    return to + 32;
}

static bool blank(const uint8_t *data)
{
    for (uint32_t i = 0; i < UF2_BYTES; i++)
        if (data[i] != 0xFF)
            return false;
    return true;
}

/* A gap may be left out; but the last block says where the file ends. */
static bool left_out(const struct payload *p, uint32_t block, bool gaps)
{
    return gaps && (block + 1) * UF2_BYTES < p->length &&
           blank(p->image + block * UF2_BYTES);
}

/* The image as blocks, behind those that are there. */
static void uf2(struct payload *p, uint32_t addr, uint32_t family, bool gaps)
{
    uint32_t all = p->length / UF2_BYTES, blocks = 0, number = 0;

    for (uint32_t i = 0; i < all; i++)
        blocks += !left_out(p, i, gaps);
    for (uint32_t i = 0; i < all; i++) {
        const uint8_t *from = p->image + i * UF2_BYTES;
        if (left_out(p, i, gaps))
            continue;
        memcpy(uf2_block(p->data + p->size, addr + i * UF2_BYTES, number++,
                         blocks, family),
               from, UF2_BYTES);
        p->size += UF2_BLOCK;
    }
}

/* Blocks of another family, for the same addresses. */
static void uf2_other(struct payload *p, const struct trial_board *board,
                      uint64_t *state)
{
    uint32_t blocks = 1 + payload_below(state, 200);
    uint32_t room = 2 * board->slot_size - 2 * p->length;

    if (blocks > room / UF2_BLOCK)
        blocks = room / UF2_BLOCK;
    for (uint32_t i = 0; i < blocks; i++, p->size += UF2_BLOCK)
        noise(state,
              uf2_block(p->data + p->size, board->slot + i * UF2_BYTES, i,
                        blocks, board->other_family),
              UF2_BYTES);
}

static void swap_blocks(uint8_t *a, uint8_t *b)
{
    uint8_t was[UF2_BLOCK];

    memcpy(was, a, UF2_BLOCK);
    memmove(a, b, UF2_BLOCK);
    memcpy(b, was, UF2_BLOCK);
}

static void uf2_shuffle(struct payload *p, uint64_t *state)
{
    uint32_t n = p->size / UF2_BLOCK;
    uint32_t reach = payload_below(state, 2) ? n : 8;

    for (uint32_t i = 0; i + 1 < n; i++) {
        uint32_t left = n - i;
        uint32_t k = i + payload_below(state, left < reach ? left : reach);
        swap_blocks(p->data + i * UF2_BLOCK, p->data + k * UF2_BLOCK);
    }
}

/* Flags, address, size, number, count or family of a few blocks. */
static void uf2_spoil(struct payload *p, uint64_t *state)
{
    static const uint32_t values[] = {
        0,          1,          255,        476,        512,
        0x10000,    0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF,
        0x08000000, 0x08001F00, 0x080FFF00, 0x20000000};

    for (uint32_t i = 1 + payload_below(state, 4); i; i--) {
        uint32_t block = payload_below(state, p->size / UF2_BLOCK);
        uint32_t field = 8 + 4 * payload_below(state, 6);
        uint32_t value =
            values[payload_below(state, sizeof values / sizeof values[0])];
        if (payload_below(state, 4) == 0)
            value = payload_random(state);
        put32(p->data + block * UF2_BLOCK + field, value);
    }
}

static void make_uf2(struct payload *p, const struct trial_board *board,
                     uint64_t *state, uint32_t length)
{
    enum payload_kind kind = p->kind;
    bool stamped = kind == PAYLOAD_UF2 || kind == PAYLOAD_UF2_DAMAGED ||
                   kind == PAYLOAD_UF2_HOSTILE ||
                   (kind != PAYLOAD_UF2_PLAIN && payload_below(state, 2));
    uint32_t addr = kind == PAYLOAD_UF2_BOOTLOADER ? 0x08000000 : board->slot;
    uint32_t family =
        kind == PAYLOAD_UF2_FAMILY ? board->other_family : board->family;

    payload_image(board, payload_random(state), length, stamped, p->image);
    p->length = (length + UF2_BYTES - 1) / UF2_BYTES * UF2_BYTES;
    memset(p->image + length, payload_below(state, 2) ? 0xFF : 0,
           p->length - length);
    if (kind == PAYLOAD_UF2_GAPS) {
        for (uint32_t i = 1; i < p->length / UF2_BYTES; i++)
            if (payload_below(state, 3) == 0)
                memset(p->image + i * UF2_BYTES, 0xFF, UF2_BYTES);
        if (stamped)
            payload_stamp(p->image, length, board->product);
        /* Without a stamp, an image ends with its last block. */
        while (!stamped && blank(p->image + p->length - UF2_BYTES))
            p->length -= UF2_BYTES;
    }
    if (kind == PAYLOAD_UF2_DAMAGED)
        p->image[payload_below(state, length - STAMPED_LEAST) +
                 STAMPED_LEAST] ^= 0x10;
    if (kind == PAYLOAD_UF2_BEFORE)
        uf2_other(p, board, state);
    uf2(p, addr, family, kind == PAYLOAD_UF2_GAPS);
    p->needed = p->size;
    if (kind == PAYLOAD_UF2_BEHIND)
        uf2_other(p, board, state);
    if (kind == PAYLOAD_UF2_ORDER)
        uf2_shuffle(p, state);
    if (kind == PAYLOAD_UF2_HOSTILE)
        uf2_spoil(p, state);
    if (kind == PAYLOAD_UF2_SHORT)
        p->size -= 1 + payload_below(state, p->size / 2);
    if (kind == PAYLOAD_UF2_HOLE) {
        uint32_t at = payload_below(state, p->size / UF2_BLOCK) * UF2_BLOCK;
        p->size -= UF2_BLOCK;
        memmove(p->data + at, p->data + at + UF2_BLOCK, p->size - at);
    }
}

/* ---- the others ---- */

static void make_bin(struct payload *p, const struct trial_board *board,
                     uint64_t *state, uint32_t length)
{
    bool plain = p->kind == PAYLOAD_PLAIN;
    uint32_t inside = 0, more = 1 + payload_below(state, 20000);

    if (p->kind == PAYLOAD_BIN_LARGE)
        length = board->slot_size;
    payload_image(board, payload_random(state), length, !plain, p->image);
    p->length = length;
    if (p->kind == PAYLOAD_BIN_PRODUCT)
        payload_stamp(p->image, length, board->product ^ 0x100);
    if (p->kind == PAYLOAD_BIN_INSIDE) {
        inside = 4096 * (1 + payload_below(state, 3));
        noise(state, p->data, inside);
    }
    memcpy(p->data + inside, p->image, length);
    p->size = p->needed = inside + length;
    switch (p->kind) {
    case PAYLOAD_BIN_TAIL:
        if (more > board->slot_size - length)
            more = board->slot_size - length;
        noise(state, p->data + length, more);
        p->size += more;
        break;
    case PAYLOAD_BIN_LARGE:
        /* The stamp says as much. */
        noise(state, p->data + length, more);
        p->size += more;
        payload_stamp(p->data, p->size, board->product);
        break;
    case PAYLOAD_BIN_SHORT:
        p->size -= 1 + payload_below(state, length - STAMPED_LEAST);
        break;
    case PAYLOAD_BIN_DAMAGED:
        p->data[payload_below(state, length - STAMPED_LEAST) + STAMPED_LEAST] ^=
            0x10;
        break;
    default:
        break;
    }
}

static void make_other(struct payload *p, uint64_t *state, uint32_t length)
{
    static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF, 0xE1, 0x1C, 0x45,
                                   'E',  'x',  'i',  'f',  0,    0};

    p->size = p->kind == PAYLOAD_EMPTY ? 0 : length;
    noise(state, p->data, p->size);
    if (p->kind == PAYLOAD_PHOTO && length > sizeof jpeg)
        memcpy(p->data, jpeg, sizeof jpeg);
    for (uint32_t i = 0; p->kind == PAYLOAD_TEXT && i < p->size; i++)
        p->data[i] = p->data[i] % 16 ? 'a' + p->data[i] % 26 : '\n';
}

void payload_make(struct payload *p, const struct trial_board *board,
                  enum payload_kind kind, uint64_t seed, uint32_t length)
{
    uint64_t state = seed;
    uint32_t least = kind == PAYLOAD_PLAIN || kind == PAYLOAD_UF2_PLAIN
                         ? PLAIN_LEAST
                         : STAMPED_LEAST + 8;

    p->kind = kind;
    p->size = p->needed = p->length = 0;
    p->code = 0;
    p->firmware = kind < PAYLOAD_FIRMWARE ||
                  (kind >= PAYLOAD_KINDS && kind < PAYLOAD_MORE);
    if (length < least)
        length = least;
    if (kind == PAYLOAD_PHOTO || kind == PAYLOAD_TEXT || kind == PAYLOAD_EMPTY)
        make_other(p, &state, length);
    else if (kind >= PAYLOAD_KINDS)
        payload_format(p, board, &state, length);
    else if (kind >= PAYLOAD_UF2_SHORT ||
             (kind >= PAYLOAD_UF2 && kind < PAYLOAD_FIRMWARE))
        make_uf2(p, board, &state, length);
    else
        make_bin(p, board, &state, length);
}
