/* SPDX-License-Identifier: MIT
 *
 * Files of other formats that the trials copy, against the reader of the host
 * library, which nobody made for them: right ones have the image and nothing
 * else, wrong ones what is wrong with them.
 */
#include "payload.h"

#include "fw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEDS = 60, LONGEST = 80000 };

static const struct trial_board board = {
    .name = "f103",
    .slot = 0x08004000,
    .slot_size = 244 * 1024,
    .ram = 0x20000000,
    .ram_size = 64 * 1024,
    .product = 0x12345678,
    .vid = 0x1209,
    .pid = 0x0001,
};

static bool load(struct fw *fw, const struct payload *p)
{
    char path[40];
    struct fail f = {0};
    int fd = memfd_create("payload", 0);
    bool read;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, p->data, p->size), p->size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    fw_init(fw);
    read = fw_load(fw, path, &board.slot, &f);
    if (!read && p->firmware)
        fail_msg("%s: %s", payload_name(p->kind), f.text);
    close(fd);
    return read;
}

static bool has_image(const struct fw *fw, const struct payload *p)
{
    static uint8_t bytes[LONGEST + 64];

    fw_get(fw, board.slot, bytes, p->length, 0xFF);
    return memcmp(bytes, p->image, p->length) == 0;
}

static bool inside(const struct fw *fw, uint32_t length)
{
    uint64_t start, end;

    return fw_span(fw, &start, &end) && start >= board.slot &&
           end <= board.slot + length;
}

static void each(void **state)
{
    const enum payload_kind *kind = *state;
    struct payload p = {0};
    struct fw fw;

    payload_init(&p, &board);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t random = seed;
        bool read;

        payload_make(&p, &board, *kind, seed,
                     payload_below(&random, seed % 8 ? 5000 : LONGEST));
        read = load(&fw, &p);
        if (p.firmware) {
            assert_int_equal(p.code, 0);
            assert_true(p.needed <= p.size);
            assert_true(inside(&fw, p.length));
            assert_true(has_image(&fw, &p));
        } else if (*kind == PAYLOAD_HEX_OUTSIDE ||
                   *kind == PAYLOAD_DFUSE_OUTSIDE) {
            assert_true(!read || !inside(&fw, board.slot_size));
        } else if (*kind == PAYLOAD_HEX_PRODUCT ||
                   *kind == PAYLOAD_HEX_DAMAGED) {
            assert_true(read && has_image(&fw, &p));
        } else if (*kind == PAYLOAD_DFU_PRODUCT) {
            assert_true(read && fw.vid != board.vid && fw.vid != FW_ANY_ID);
        } else if (*kind != PAYLOAD_HEX_HOSTILE &&
                   *kind != PAYLOAD_DFUSE_HOSTILE && read &&
                   fw.format != FW_BIN) {
            fail_msg("%s, seed %d is read as %s", payload_name(*kind),
                     (int)seed, fw_format_name(fw.format));
        }
        fw_free(&fw);
    }
    payload_free(&p);
}

int main(void)
{
    static enum payload_kind kinds[PAYLOAD_ALL];
    struct CMUnitTest tests[PAYLOAD_ALL];
    size_t n = 0;

    for (int kind = PAYLOAD_KINDS; kind < PAYLOAD_ALL; kind++, n++) {
        kinds[n] = kind;
        tests[n] = (struct CMUnitTest){.name = payload_name(kind),
                                       .test_func = each,
                                       .initial_state = &kinds[n]};
    }
    return _cmocka_run_group_tests("payloads", tests, n, NULL, NULL);
}
