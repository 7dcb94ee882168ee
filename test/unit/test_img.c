/* SPDX-License-Identifier: MIT */
/* test_img.c - the CRC of the stamp against published values. */
#include "img.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct vector {
    const char *text;
    uint32_t crc;
};

/* The check value of CRC-32/ISO-HDLC and what zlib.crc32() says. */
static void crc_of_known_texts(void **state)
{
    static const struct vector vectors[] = {
        {"", 0x00000000},
        {"a", 0xE8B7BE43},
        {"abc", 0x352441C2},
        {"123456789", 0xCBF43926},
        {"The quick brown fox jumps over the lazy dog", 0x414FA339},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const char *text = vectors[i].text;

        assert_int_equal(
            img_crc32(0, (const uint8_t *)text, (uint32_t)strlen(text)),
            vectors[i].crc);
    }
}

/* 32 bytes of each: zlib.crc32(b"\0" * 32), zlib.crc32(b"\xFF" * 32). */
static void crc_of_equal_bytes(void **state)
{
    uint8_t bytes[32];

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(img_crc32(0, bytes, sizeof(bytes)), 0x190A55AD);
    memset(bytes, 0xFF, sizeof(bytes));
    assert_int_equal(img_crc32(0, bytes, sizeof(bytes)), 0xFF6CAB0B);
}

/* zlib.crc32(bytes(range(256))): every byte value takes part. */
static void crc_of_all_bytes(void **state)
{
    uint8_t bytes[256];

    (void)state;
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(img_crc32(0, bytes, sizeof(bytes)), 0x29058C73);
}

static void crc_in_two_parts_is_the_same(void **state)
{
    const uint8_t *text = (const uint8_t *)"123456789";

    (void)state;
    for (uint32_t n = 0; n <= 9; n++)
        assert_int_equal(img_crc32(img_crc32(0, text, n), text + n, 9 - n),
                         0xCBF43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_of_known_texts),
        cmocka_unit_test(crc_of_equal_bytes),
        cmocka_unit_test(crc_of_all_bytes),
        cmocka_unit_test(crc_in_two_parts_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
