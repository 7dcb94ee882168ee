/* SPDX-License-Identifier: MIT */
/* stamp.c - see stamp.h. */
#include "stamp.h"

#include "bytes.h"
#include "fit.h"
#include "img.h"
#include "vec.h"

static uint32_t word_at(const struct fw *fw, uint64_t addr)
{
    uint8_t word[4];

    fw_get(fw, addr, word, sizeof(word), 0xFF);
    return get_le32(word);
}

static bool set_word(struct fw *fw, uint64_t addr, uint32_t value,
                     struct fail *f)
{
    uint8_t word[4];

    put_le32(word, value);
    return fw_set(fw, (uint32_t)addr, word, sizeof(word), f);
}

bool stamp_get(const struct fw *fw, uint64_t start, struct stamp *stamp)
{
    if (word_at(fw, start + IMG_OFF_MAGIC) != IMG_MAGIC)
        return false;
    *stamp = (struct stamp){
        .length = word_at(fw, start + IMG_OFF_LENGTH),
        .crc = word_at(fw, start + IMG_OFF_CRC),
        .product = word_at(fw, start + IMG_OFF_PRODUCT),
        .version = word_at(fw, start + IMG_OFF_VERSION),
    };
    return true;
}

uint32_t stamp_crc(const struct fw *fw, uint64_t start, uint32_t length)
{
    uint8_t block[FW_PAGE];
    uint32_t crc = 0;

    for (uint32_t at = 0, n; at < length; at += n) {
        n = length - at < sizeof(block) ? length - at : sizeof(block);
        fw_get(fw, start + at, block, n, 0xFF);
        if (at == 0 && n >= IMG_OFF_CRC + 4)
            put_le32(block + IMG_OFF_CRC, 0);
        crc = img_crc32(crc, block, n);
    }
    return crc;
}

bool stamp_fill(struct fw *fw, struct fail *f)
{
    for (; fw; fw = fw->next) {
        uint64_t start, end;
        struct stamp s;

        if (!fw_span(fw, &start, &end) || !stamp_get(fw, start, &s) ||
            s.length > end - start)
            continue;
        if (!fw_fill(fw, start, start + s.length, 0xFF, f))
            return false;
    }
    return true;
}

/* The image's place: [*start, *end), its size a multiple of 4. */
static bool find_image(const struct fw *fw, const struct stamp_request *request,
                       uint64_t *start, uint64_t *end, struct fail *f)
{
    uint64_t low;

    if (!fw_span(fw, &low, end))
        return fail(f, FAIL_UNFIT, "there is no data");
    *start = request->has_start && fw->placed ? request->start : low;
    if (low < *start)
        return fail(f, FAIL_UNFIT,
                    "there is data at 0x%08X, below --address 0x%08X",
                    (uint32_t)low, (uint32_t)*start);
    if (*start % 4)
        return fail(f, FAIL_UNFIT,
                    "the image starts at 0x%08X, a vector table needs a "
                    "multiple of 4",
                    (uint32_t)*start);
    *end += (*start - *end) % 4;
    if (*end > *start && *end - *start > STAMP_MAX_SIZE)
        return fail(f, FAIL_UNFIT,
                    "the data reaches from 0x%08X to 0x%08X, more than %u MB: "
                    "take out what is not the application",
                    (uint32_t)*start, (uint32_t)(*end - 1),
                    STAMP_MAX_SIZE >> 20);
    if (*end < *start + IMG_HEADER_SIZE)
        return fail(f, FAIL_UNFIT,
                    "an image of %llu bytes is too small for a stamp, it "
                    "needs %u",
                    (unsigned long long)(*end < *start ? 0 : *end - *start),
                    IMG_HEADER_SIZE);
    return true;
}

/* Some vector tables fill the reserved words with something of their own
 * (NXP's checksum in 0x1C, a handler address): that must not be lost. */
static bool check_words_free(const struct fw *fw, uint64_t start,
                             struct fail *f)
{
    static const uint8_t offsets[] = {IMG_OFF_MAGIC, IMG_OFF_LENGTH,
                                      IMG_OFF_CRC, IMG_OFF_PRODUCT,
                                      IMG_OFF_VERSION};

    if (word_at(fw, start + IMG_OFF_MAGIC) == IMG_MAGIC)
        return true;
    for (size_t i = 0; i < sizeof(offsets); i++) {
        uint32_t word = word_at(fw, start + offsets[i]);

        if (word != 0 && word != 0xFFFFFFFFu)
            return fail(f, FAIL_UNFIT,
                        "the reserved vector at offset 0x%02X is in use "
                        "(0x%08X): set it to 0 in the start-up code, the "
                        "stamp goes there",
                        offsets[i], word);
    }
    return true;
}

static struct stamp new_stamp(const struct fw *fw, uint64_t start,
                              uint32_t length,
                              const struct stamp_request *request)
{
    struct stamp s = {0};

    stamp_get(fw, start, &s);
    s.length = length;
    if (request->has_product)
        s.product = request->product;
    else if (request->board)
        s.product = request->board->product;
    if (request->has_version)
        s.version = request->version;
    return s;
}

static bool write_stamp(struct fw *fw, uint64_t start, struct stamp *s,
                        struct fail *f)
{
    if (!set_word(fw, start + IMG_OFF_MAGIC, IMG_MAGIC, f) ||
        !set_word(fw, start + IMG_OFF_LENGTH, s->length, f) ||
        !set_word(fw, start + IMG_OFF_PRODUCT, s->product, f) ||
        !set_word(fw, start + IMG_OFF_VERSION, s->version, f))
        return false;
    s->crc = stamp_crc(fw, start, s->length);
    return set_word(fw, start + IMG_OFF_CRC, s->crc, f);
}

bool stamp_put(struct fw *fw, const struct stamp_request *request,
               struct stamp *stamp, struct fail *f)
{
    const struct board_info *board = request->board;
    uint64_t start = 0, end = 0;

    if (!find_image(fw, request, &start, &end, f) ||
        !vec_check(fw, start, end, board, f) || !check_words_free(fw, start, f))
        return false;
    if (board && !fit_board(fw, start, end, board, f))
        return false;
    *stamp = new_stamp(fw, start, (uint32_t)(end - start), request);
    return fw_fill(fw, start, end, 0xFF, f) && write_stamp(fw, start, stamp, f);
}

bool stamp_parse_version(const char *text, uint32_t *version, struct fail *f)
{
    static const uint32_t limits[3] = {255, 255, 65535};
    uint32_t part[3];
    const char *p = text;

    for (int i = 0; i < 3; i++) {
        uint32_t value = 0;
        const char *digits = p;

        while (*p >= '0' && *p <= '9' && value <= limits[i])
            value = value * 10 + (uint32_t)(*p++ - '0');
        if (p == digits || value > limits[i] || *p != (i < 2 ? '.' : '\0'))
            return fail(f, FAIL_USAGE,
                        "version '%s' is not X.Y.Z with X and Y up to 255 and "
                        "Z up to 65535",
                        text);
        part[i] = value;
        p++;
    }
    *version = part[0] << 24 | part[1] << 16 | part[2];
    return true;
}
