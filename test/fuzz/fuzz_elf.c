/* SPDX-License-Identifier: MIT */
/* fuzz_elf.c - what elf_fw.c reads, with libelf under it. */
#include "elf_fw.h"
#include "fuzz.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    struct fail f = {0};
    struct fw fw;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    fw_init(&fw);
    if (!elf_fw_read(&fw, fd, "f", &f))
        fuzz_check_error(&f);
    fw_free(&fw);
    close(fd);
    return 0;
}
