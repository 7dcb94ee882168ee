/* SPDX-License-Identifier: MIT */
/* fw_file.c - firmware files: which reader or writer, and raw binaries. */
#include "elf_fw.h"
#include "fw.h"
#include "hex.h"
#include "uf2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char *fw_format_name(enum fw_format format)
{
    static const char *const names[] = {
        [FW_BIN] = "raw binary",
        [FW_HEX] = "Intel HEX",
        [FW_ELF] = "ELF for ARM",
        [FW_UF2] = "UF2",
    };

    return names[format];
}

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n > m && !strcasecmp(path + n - m, ending);
}

static bool is_hex_name(const char *path)
{
    return ends_in(path, ".hex") || ends_in(path, ".ihex") ||
           ends_in(path, ".ihx");
}

/* No vector table starts with ':' and printable text: that would be a stack
 * pointer outside every RAM. */
static bool is_hex_text(const uint8_t *head, size_t n)
{
    if (n == 0 || head[0] != ':')
        return false;
    for (size_t i = 1; i < n; i++) {
        bool blank = head[i] == '\r' || head[i] == '\n' || head[i] == '\t';

        if ((head[i] < ' ' || head[i] > '~') && !blank)
            return false;
    }
    return true;
}

/* By content.  The name only helps where the content is damaged, so that
 * the message speaks of the right format. */
static enum fw_format recognise(const uint8_t *head, size_t n, const char *path)
{
    if (n >= 4 && !memcmp(head, "\177ELF", 4))
        return FW_ELF;
    if (uf2_is(head, n))
        return FW_UF2;
    if (is_hex_text(head, n) || is_hex_name(path))
        return FW_HEX;
    return ends_in(path, ".uf2") ? FW_UF2 : FW_BIN;
}

static bool read_bin(struct fw *fw, FILE *file, const char *path,
                     const uint32_t *address, struct fail *f)
{
    uint8_t block[16 * FW_PAGE];
    uint64_t addr = address ? *address : 0;
    size_t n;

    while ((n = fread(block, 1, sizeof(block), file)) > 0) {
        if (addr >= FW_END)
            return fail(f, FAIL_INPUT,
                        "%s: goes past the end of the address space", path);
        if (!fw_add(fw, (uint32_t)addr, block, n, f))
            return fail_at(f, "%s: ", path);
        addr += n;
    }
    if (ferror(file))
        return fail(f, FAIL_INPUT, "%s: %s", path, strerror(errno));
    fw->format = FW_BIN;
    fw->placed = address != NULL;
    return true;
}

static bool read_file(struct fw *fw, FILE *file, const char *path,
                      const uint32_t *address, struct fail *f)
{
    uint8_t head[16];
    size_t n = fread(head, 1, sizeof(head), file);

    if (ferror(file))
        return fail(f, FAIL_INPUT, "%s: %s", path, strerror(errno));
    if (n == 0)
        return fail(f, FAIL_INPUT, "%s: the file is empty", path);
    if (fseek(file, 0, SEEK_SET))
        return fail(f, FAIL_INPUT, "%s: not a regular file", path);
    switch (recognise(head, n, path)) {
    case FW_ELF:
        return elf_fw_read(fw, fileno(file), path, f);
    case FW_HEX:
        return hex_read(fw, file, path, f);
    case FW_UF2:
        return uf2_read(fw, file, path, f);
    default:
        return read_bin(fw, file, path, address, f);
    }
}

bool fw_load(struct fw *fw, const char *path, const uint32_t *address,
             struct fail *f)
{
    FILE *file = fopen(path, "rb");
    bool ok;

    if (!file)
        return fail(f, FAIL_INPUT, "%s: %s", path, strerror(errno));
    ok = read_file(fw, file, path, address, f);
    fclose(file);
    if (ok && fw_find(fw, 0, true) == FW_END)
        return fail(f, FAIL_INPUT, "%s: no data in the %s file", path,
                    fw_format_name(fw->format));
    return ok;
}

bool fw_format_of(const char *path, enum fw_format *format, struct fail *f)
{
    if (is_hex_name(path))
        *format = FW_HEX;
    else if (ends_in(path, ".bin"))
        *format = FW_BIN;
    else if (ends_in(path, ".uf2"))
        *format = FW_UF2;
    else
        return fail(f, FAIL_USAGE,
                    "%s: the name of the output has to end in .bin, .hex or "
                    ".uf2",
                    path);
    return true;
}

static bool check_format(const struct fw *fw, enum fw_format format,
                         struct fail *f)
{
    uint64_t start = 0, end = 0;

    fw_span(fw, &start, &end);
    if (format == FW_BIN && end - start > FW_MAX_SIZE)
        return fail(f, FAIL_UNFIT,
                    "the data reaches from 0x%08X to 0x%08X, more than %u MB "
                    "with its gaps: take out what is not the application",
                    (uint32_t)start, (uint32_t)(end - 1), FW_MAX_SIZE >> 20);
    /* The block would begin with padding, and nothing boots from that. */
    if (format == FW_UF2 && start % UF2_PAYLOAD)
        return fail(f, FAIL_UNFIT,
                    "the data starts at 0x%08X, in a UF2 file it has to start "
                    "at a multiple of %u: link it there, or give its address",
                    (uint32_t)start, UF2_PAYLOAD);
    return true;
}

static void write_bin(const struct fw *fw, FILE *file)
{
    uint8_t block[16 * FW_PAGE];
    uint64_t at = 0, end = 0;

    fw_span(fw, &at, &end);
    while (at < end) {
        size_t n =
            end - at < sizeof(block) ? (size_t)(end - at) : sizeof(block);

        fw_get(fw, at, block, n, 0xFF);
        if (fwrite(block, 1, n, file) != n)
            return;
        at += n;
    }
}

/* Keeps errno of the first thing that went wrong. */
static bool write_file(const struct fw *fw, enum fw_format format, FILE *file)
{
    bool ok;

    if (format == FW_HEX)
        hex_write(fw, file);
    else if (format == FW_UF2)
        uf2_write(fw, file);
    else
        write_bin(fw, file);
    ok = !ferror(file) && !fflush(file);
    return !fclose(file) && ok;
}

/* A new file beside `path`, which rename() can then put in its place.  Its
 * name goes into temp. */
static FILE *open_beside(const char *path, char **temp)
{
    int fd;

    if (asprintf(temp, "%s.%ld.tmp", path, (long)getpid()) < 0) {
        *temp = NULL;
        return NULL;
    }
    fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 ? NULL : fdopen(fd, "wb");
}

bool fw_save(const struct fw *fw, const char *path, struct fail *f)
{
    enum fw_format format;
    char *temp;
    FILE *file;
    bool ok;

    if (!fw_format_of(path, &format, f))
        return false;
    if (!check_format(fw, format, f))
        return fail_at(f, "%s: ", path);
    file = open_beside(path, &temp);
    if (!file) {
        fail(f, FAIL_SYSTEM, "%s: cannot be written: %s", path,
             strerror(errno));
        free(temp);
        return false;
    }
    ok = write_file(fw, format, file) && !rename(temp, path);
    if (!ok) {
        fail(f, FAIL_SYSTEM, "%s: cannot be written: %s", path,
             strerror(errno));
        unlink(temp);
    }
    free(temp);
    return ok;
}
