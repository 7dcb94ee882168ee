/* SPDX-License-Identifier: MIT */
/* fuzz_srec.c - what srec.c reads. */
#include "fuzz.h"
#include "srec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *repaired = fuzz_repair_lines(data, size);

    fuzz_format(data, size, srec_read, srec_write);
    fuzz_format(repaired, size, srec_read, srec_write);
    free(repaired);
    return 0;
}
