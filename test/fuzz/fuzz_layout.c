/* SPDX-License-Identifier: MIT */
/* fuzz_layout.c - what layout.c makes of a memory layout string: sectors that
 * follow each other within 4 GB. */
#include "layout.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check(const struct layout *l)
{
    for (size_t i = 0; i < l->runs; i++) {
        const struct layout_run *run = &l->run[i];
        uint64_t last = layout_end(run) - 1, start, end;
        struct layout_sector s;

        if (last < run->start || last >= 1ull << 32 || !run->sector ||
            !(run->type & 7) || !layout_at(l, run->start, &s) ||
            !layout_at(l, last, &s) || s.start > last ||
            last - s.start >= s.size)
            abort();
        if (layout_area(l, run->type, &start, &end) &&
            layout_outside(l, start, end, run->type) != end)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + 1);
    struct layout *l = malloc(sizeof(*l));
    struct fail f = {0};

    if (!text || !l)
        abort();
    if (size)
        memcpy(text, data, size);
    if (layout_parse(text, l, &f))
        check(l);
    else if (f.code != FAIL_DEVICE || !f.text[0])
        abort();
    free(text);
    free(l);
    return 0;
}
