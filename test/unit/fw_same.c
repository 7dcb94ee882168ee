/* SPDX-License-Identifier: MIT */
/* fw_same.c - see fw_same.h. */
#include "fw_same.h"

#include <string.h>

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
