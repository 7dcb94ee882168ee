/* SPDX-License-Identifier: MIT */
/* fw_bench.c - see fw_bench.h. */
#include "fw_bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t seed_of_run(void)
{
    const char *text = getenv("SALLYPORT_TEST_SEED");

    return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

uint32_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 16);
}

void add_random_parts(struct fw *fw, uint64_t *random)
{
    uint32_t base = next(random);
    uint32_t parts = 1 + next(random) % 8;

    for (uint32_t i = 0; i < parts; i++) {
        uint8_t data[9000];
        uint32_t n = 1 + next(random) % sizeof(data);
        uint32_t addr = base + next(random) % 0x40000;
        struct fail f = {0};

        if (n > UINT32_MAX - addr)
            n = UINT32_MAX - addr + 1;
        for (uint32_t k = 0; k < n; k++)
            data[k] = (uint8_t)next(random);
        if (n)
            assert_true(fw_set(fw, addr, data, n, &f));
    }
}

static bool same_bytes(const struct fw *a, const struct fw *b, uint64_t from,
                       uint64_t to)
{
    while (from < to) {
        uint8_t x[512], y[512];
        size_t n = to - from < sizeof(x) ? (size_t)(to - from) : sizeof(x);

        fw_get(a, from, x, n, 0);
        fw_get(b, from, y, n, 0);
        if (memcmp(x, y, n))
            return false;
        from += n;
    }
    return true;
}

void round_trip(void (*write)(const struct fw *, FILE *),
                bool (*read)(struct fw *, FILE *, const char *, struct fail *),
                const struct fw *fw, struct fw *copy)
{
    struct fail f = {0};
    FILE *file = tmpfile();

    assert_non_null(file);
    write(fw, file);
    rewind(file);
    if (!read(copy, file, "copy", &f))
        fail_msg("%s", f.text);
    fclose(file);
}

bool same(const struct fw *a, const struct fw *b)
{
    uint64_t at = 0;

    while (at < FW_END) {
        uint64_t start = fw_find(a, at, true);
        uint64_t end = start < FW_END ? fw_find(a, start, false) : FW_END;

        if (fw_find(b, at, true) != start ||
            (start < FW_END && fw_find(b, start, false) != end))
            return false;
        if (start < FW_END && !same_bytes(a, b, start, end))
            return false;
        at = end;
    }
    return true;
}
