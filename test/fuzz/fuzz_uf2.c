/* SPDX-License-Identifier: MIT */
/* fuzz_uf2.c - what uf2.c reads.  It writes whole blocks only, so that what it
 * makes of a file differs from it; its own files it has to read. */
#include "fuzz.h"
#include "uf2.h"

#include <stdlib.h>

/* Blocks filled up, as they are in a file. */
static bool read_filled(struct fw *fw, FILE *file, const char *name,
                        struct fail *f)
{
    uint64_t end;

    if (!uf2_read(fw, file, name, f))
        return false;
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; at = end) {
        end = fw_find(fw, at, false);
        end += -end % UF2_PAYLOAD;
        if (!fw_fill(fw, at - at % UF2_PAYLOAD, end, 0xFF, f))
            abort();
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format(data, size, read_filled, uf2_write);
    return 0;
}
