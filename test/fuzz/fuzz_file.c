/* SPDX-License-Identifier: MIT */
/* fuzz_file.c - fw_load(): which format it is, and reading that. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    struct fail f = {0};
    char path[40];
    struct fw fw;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    fw_init(&fw);
    if (fw_load(&fw, path, NULL, &f)) {
        uint64_t start, end;

        /* A file has no more bytes than it has. */
        if (!fw_span(&fw, &start, &end) || fw.pages > size + 1)
            abort();
    } else {
        if (strncmp(f.text, path, strlen(path)))
            abort();
        memmove(f.text + 1, f.text + strlen(path),
                strlen(f.text + strlen(path)) + 1);
        f.text[0] = 'f';
        fuzz_check_error(&f);
    }
    fw_free(&fw);
    close(fd);
    return 0;
}
