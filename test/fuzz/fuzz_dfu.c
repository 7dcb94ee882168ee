/* SPDX-License-Identifier: MIT */
/* fuzz_dfu.c - what dfu_file.c reads, DfuSe and plain. */
#include "dfu_file.h"
#include "fuzz.h"

#include <stdlib.h>

static bool read_plain(struct fw *fw, FILE *file, const char *name,
                       struct fail *f)
{
    return dfu_file_read_plain(fw, file, name, NULL, f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *repaired = fuzz_repair_dfu(data, size);

    fuzz_format(data, size, dfu_file_read_dfuse, dfu_file_write_dfuse);
    fuzz_format(repaired, size, dfu_file_read_dfuse, dfu_file_write_dfuse);
    fuzz_format(repaired, size, read_plain, dfu_file_write_plain);
    free(repaired);
    return 0;
}
