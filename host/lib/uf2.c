/* SPDX-License-Identifier: MIT */
/* uf2.c - see uf2.h.  "Clauses" are headings of the specification. */
#include "uf2.h"

#include "bytes.h"

/* Clause "File format": 32-bit numbers, little-endian, at these offsets. */
enum block_offset {
    MAGIC0 = 0,
    MAGIC1 = 4,
    FLAGS = 8,
    ADDRESS = 12,
    SIZE = 16,   /* of the data */
    NUMBER = 20, /* of the block, from 0 */
    COUNT = 24,  /* of blocks in the file */
    FAMILY = 28, /* or something else, as the flags say */
    DATA = 32,
    MAGIC_END = 508,
    BLOCK_SIZE = 512,
};
#define DATA_MAX ((uint32_t)MAGIC_END - DATA)

/* Clause "Flags" */
#define NOT_FLASH  0x00000001u
#define CONTAINER  0x00001000u
#define HAS_FAMILY 0x00002000u
#define HAS_MD5    0x00004000u
#define HAS_TAGS   0x00008000u
/* Those that say nothing about where the data goes. */
#define KNOWN (NOT_FLASH | HAS_FAMILY | HAS_MD5 | HAS_TAGS)

struct magic {
    uint32_t offset;
    uint32_t value;
};

static const struct magic magics[] = {
    {MAGIC0, 0x0A324655}, {MAGIC1, 0x9E5D5157}, {MAGIC_END, 0x0AB16F30}};

struct uf2_reader {
    struct fw *fw;
    struct fail *f;
    const char *name;
    uint32_t number; /* of the block that is read */
    uint32_t count;  /* as the first block says */
    bool has_data;   /* a block for flash has said which family it is for */
    uint8_t block[BLOCK_SIZE];
};

/* The place is that of a field of the block. */
#define BAD(r, at, ...)                                                        \
    (fail((r)->f, FAIL_INPUT, __VA_ARGS__), put_place(r, at))

static bool put_place(const struct uf2_reader *r, uint32_t at)
{
    return fail_at(r->f, "%s:0x%llX: ", r->name,
                   (unsigned long long)r->number * BLOCK_SIZE + at);
}

static uint32_t field(const struct uf2_reader *r, enum block_offset offset)
{
    return get_le32(r->block + offset);
}

static bool check_magics(struct uf2_reader *r)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        uint32_t value = get_le32(r->block + magics[i].offset);

        if (value != magics[i].value)
            return BAD(r, magics[i].offset,
                       "not a UF2 block: the magic number is 0x%08X, expected "
                       "0x%08X",
                       value, magics[i].value);
    }
    return true;
}

static bool check_numbers(struct uf2_reader *r)
{
    if (r->number == 0)
        r->count = field(r, COUNT);
    if (field(r, COUNT) != r->count)
        return BAD(r, COUNT,
                   "a block of a file of %u blocks, the first one says %u: "
                   "files that were put together are not read",
                   field(r, COUNT), r->count);
    if (field(r, NUMBER) != r->number)
        return BAD(r, NUMBER, "the block's number is %u, expected %u",
                   field(r, NUMBER), r->number);
    if (r->number >= r->count)
        return BAD(r, COUNT, "the file goes on behind the last of %u blocks",
                   r->count);
    return true;
}

static bool check_flags(struct uf2_reader *r)
{
    uint32_t flags = field(r, FLAGS);
    /* an MD5 sum takes the end of the data */
    uint32_t most = flags & HAS_MD5 ? DATA_MAX - 24 : DATA_MAX;

    if (flags & CONTAINER)
        return BAD(r, FLAGS,
                   "the block holds a part of a file, expected data for flash");
    if (flags & ~KNOWN)
        return BAD(r, FLAGS, "the flags are 0x%08X, of which 0x%08X is unknown",
                   flags, flags & ~KNOWN);
    if (field(r, SIZE) < 1 || field(r, SIZE) > most)
        return BAD(r, SIZE, "the block has %u bytes of data, expected 1 to %u",
                   field(r, SIZE), most);
    return true;
}

static void print_family(char text[24], bool has_family, uint32_t family)
{
    if (has_family)
        snprintf(text, 24, "family 0x%08X", family);
    else
        snprintf(text, 24, "no family");
}

static bool take_family(struct uf2_reader *r)
{
    struct fw *fw = r->fw;
    bool has_family = field(r, FLAGS) & HAS_FAMILY;
    uint32_t family = has_family ? field(r, FAMILY) : 0;
    char here[24], before[24];

    if (!r->has_data) {
        r->has_data = true;
        fw->has_family = has_family;
        fw->family = family;
    }
    if (fw->has_family == has_family && fw->family == family)
        return true;
    print_family(here, has_family, family);
    print_family(before, fw->has_family, fw->family);
    return BAD(r, has_family ? FAMILY : FLAGS,
               "a block for %s, those before are for %s: firmware for one "
               "chip is expected",
               here, before);
}

static bool read_block(struct uf2_reader *r)
{
    if (!check_magics(r) || !check_numbers(r) || !check_flags(r))
        return false;
    if (field(r, FLAGS) & NOT_FLASH)
        return true;
    if (!take_family(r))
        return false;
    return fw_add(r->fw, field(r, ADDRESS), r->block + DATA, field(r, SIZE),
                  r->f) ||
           put_place(r, ADDRESS);
}

bool uf2_is(const uint8_t *head, size_t n)
{
    return n >= 4 && get_le32(head) == magics[0].value;
}

bool uf2_read(struct fw *fw, FILE *file, const char *name, struct fail *f)
{
    struct uf2_reader r = {.fw = fw, .f = f, .name = name};
    size_t n;

    while ((n = fread(r.block, 1, BLOCK_SIZE, file)) == BLOCK_SIZE) {
        if (!read_block(&r))
            return false;
        r.number++;
    }
    if (ferror(file))
        return fail(f, FAIL_INPUT, "%s: cannot be read", name);
    if (n > 0)
        return BAD(&r, 0, "cut short: %zu bytes, a UF2 block has %d", n,
                   BLOCK_SIZE);
    if (r.number < r.count)
        return BAD(&r, 0, "cut short: %u blocks, there should be %u", r.number,
                   r.count);
    fw->format = FW_UF2;
    fw->placed = true;
    return true;
}

/* Start of the first block at or behind `at` that has data, or FW_END. */
static uint64_t find_block(const struct fw *fw, uint64_t at)
{
    uint64_t found = fw_find(fw, at, true);

    return found - found % UF2_PAYLOAD;
}

/* Padded with zeros, as the specification has it; that is not flashed. */
void uf2_write(const struct fw *fw, FILE *file)
{
    uint8_t block[BLOCK_SIZE] = {0};
    uint32_t count = 0, number = 0;
    uint64_t at;

    for (at = 0; (at = find_block(fw, at)) < FW_END; at += UF2_PAYLOAD)
        count++;
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        put_le32(block + magics[i].offset, magics[i].value);
    put_le32(block + FLAGS, fw->has_family ? HAS_FAMILY : 0);
    put_le32(block + FAMILY, fw->has_family ? fw->family : 0);
    put_le32(block + SIZE, UF2_PAYLOAD);
    put_le32(block + COUNT, count);
    for (at = 0; (at = find_block(fw, at)) < FW_END; at += UF2_PAYLOAD) {
        put_le32(block + ADDRESS, (uint32_t)at);
        put_le32(block + NUMBER, number++);
        fw_get(fw, at, block + DATA, UF2_PAYLOAD, 0xFF);
        fwrite(block, 1, sizeof(block), file);
    }
}
