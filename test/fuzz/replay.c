/* SPDX-License-Identifier: MIT */
/* replay.c - in place of libFuzzer: reads each file of a directory. */
#include "fuzz.h"

#include <dirent.h>
#include <stdlib.h>

static void replay(const char *directory, const char *name)
{
    static uint8_t data[1 << 20];
    char path[4096];
    FILE *file;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "rb");
    if (!file)
        return;
    n = fread(data, 1, sizeof(data), file);
    fclose(file);
    printf("%s\n", path); /* the last one is what it was */
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, n);
}

int main(int argc, char **argv)
{
    DIR *directory = argc > 1 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    unsigned count = 0;

    if (!directory) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] != '.') {
            replay(argv[1], entry->d_name);
            count++;
        }
    }
    closedir(directory);
    return count ? 0 : 1;
}
