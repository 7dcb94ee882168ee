/* SPDX-License-Identifier: MIT */
/* fuzz_hex.c - what hex.c reads. */
#include "fuzz.h"
#include "hex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *repaired = fuzz_repair_lines(data, size);

    fuzz_format(data, size, hex_read, hex_write);
    fuzz_format(repaired, size, hex_read, hex_write);
    free(repaired);
    return 0;
}
