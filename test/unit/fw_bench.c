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
