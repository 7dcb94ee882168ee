/* SPDX-License-Identifier: MIT */
/* fw_file.c - firmware files: which reader or writer, and raw binaries. */
#include "dfu_file.h"
#include "elf_fw.h"
#include "fw.h"
#include "hex.h"
#include "srec.h"
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
        [FW_BIN] = "raw binary",    [FW_HEX] = "Intel HEX",
        [FW_ELF] = "ELF for ARM",   [FW_UF2] = "UF2",
        [FW_SREC] = "S-record",     [FW_DFUSE] = "DfuSe",
        [FW_DFU] = "plain DFU 1.1",
    };

    return names[format];
}

bool fw_format_has_place(enum fw_format format)
{
    return format != FW_BIN && format != FW_DFU;
}

static bool ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n > m && !strcasecmp(path + n - m, ending);
}

/* What the ending of a name stands for. */
static bool format_by_name(const char *path, enum fw_format *format)
{
    static const struct {
        const char *ending;
        enum fw_format format;
    } endings[] = {
        {".bin", FW_BIN},   {".hex", FW_HEX},   {".ihex", FW_HEX},
        {".ihx", FW_HEX},   {".srec", FW_SREC}, {".s19", FW_SREC},
        {".s28", FW_SREC},  {".s37", FW_SREC},  {".mot", FW_SREC},
        {".dfu", FW_DFUSE}, {".uf2", FW_UF2},
    };

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (ends_in(path, endings[i].ending)) {
            *format = endings[i].format;
            return true;
        }
    }
    return false;
}

static bool is_blank(uint8_t c)
{
    return c == '\r' || c == '\n' || c == '\t' || c == ' ';
}

/* No vector table starts with ':' and printable text: that would be a stack
 * pointer outside every RAM. */
static bool is_hex_text(const uint8_t *head, size_t n)
{
    if (n == 0 || head[0] != ':')
        return false;
    for (size_t i = 1; i < n; i++) {
        if ((head[i] < ' ' || head[i] > '~') && !is_blank(head[i]))
            return false;
    }
    return true;
}

/* The ends of a file. */
struct ends {
    uint8_t head[64];
    size_t n; /* in head */
    uint8_t tail[DFU_SUFFIX_SIZE];
    bool has_tail;
};

/* By content.  The name only helps where the content is damaged, so that
 * the message speaks of the right format. */
static enum fw_format recognise(const struct ends *ends, const char *path)
{
    enum fw_format format = FW_BIN;
    const uint8_t *text = ends->head;
    size_t n = ends->n;

    if (n >= 4 && !memcmp(text, "\177ELF", 4))
        return FW_ELF;
    if (uf2_is(text, n))
        return FW_UF2;
    if (dfu_file_is_dfuse(text, n))
        return FW_DFUSE;
    for (; n > 0 && is_blank(*text); n--)
        text++;
    if (is_hex_text(text, n))
        return FW_HEX;
    if (srec_is(text, n))
        return FW_SREC;
    if (ends->has_tail && dfu_file_has_suffix(ends->tail))
        return FW_DFU;
    format_by_name(path, &format);
    return format == FW_DFUSE ? FW_DFU : format;
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

static bool get_ends(FILE *file, const char *path, struct ends *ends,
                     struct fail *f)
{
    const long size = DFU_SUFFIX_SIZE;

    ends->n = fread(ends->head, 1, sizeof(ends->head), file);
    if (ferror(file))
        return fail(f, FAIL_INPUT, "%s: %s", path, strerror(errno));
    if (ends->n == 0)
        return fail(f, FAIL_INPUT,
                    "%s:0x0: the file is empty, expected firmware", path);
    ends->has_tail =
        !fseek(file, -size, SEEK_END) &&
        fread(ends->tail, 1, sizeof(ends->tail), file) == sizeof(ends->tail);
    return !fseek(file, 0, SEEK_SET) ||
           fail(f, FAIL_INPUT, "%s: not a regular file", path);
}

static bool read_file(struct fw *fw, FILE *file, const char *path,
                      const uint32_t *address, struct fail *f)
{
    struct ends ends;

    if (!get_ends(file, path, &ends, f))
        return false;
    switch (recognise(&ends, path)) {
    case FW_ELF:
        return elf_fw_read(fw, fileno(file), path, f);
    case FW_HEX:
        return hex_read(fw, file, path, f);
    case FW_UF2:
        return uf2_read(fw, file, path, f);
    case FW_SREC:
        return srec_read(fw, file, path, f);
    case FW_DFUSE:
        return dfu_file_read_dfuse(fw, file, path, f);
    case FW_DFU:
        return dfu_file_read_plain(fw, file, path, address, f);
    default:
        return read_bin(fw, file, path, address, f);
    }
}

/* With the 4 KB that a stream has by itself, large files take twice as long.
 * The buffer is to be freed once the stream is closed. */
static char *add_buffer(FILE *file)
{
    const size_t size = 256 * 1024;
    char *buffer = malloc(size);

    if (buffer)
        setvbuf(file, buffer, _IOFBF, size);
    return buffer;
}

bool fw_load(struct fw *fw, const char *path, const uint32_t *address,
             struct fail *f)
{
    FILE *file = fopen(path, "rb");
    char *buffer;
    bool ok;

    if (!file)
        return fail(f, FAIL_INPUT, "%s: %s", path, strerror(errno));
    buffer = add_buffer(file);
    ok = read_file(fw, file, path, address, f);
    fclose(file);
    free(buffer);
    if (ok && fw_find(fw, 0, true) == FW_END) {
        bool is_text = fw->format == FW_HEX || fw->format == FW_SREC;

        return fail(f, FAIL_INPUT,
                    "%s:%s: no data in the %s file, expected firmware", path,
                    is_text ? "1" : "0x0", fw_format_name(fw->format));
    }
    return ok;
}

bool fw_format_of(const char *path, enum fw_format *format, struct fail *f)
{
    return format_by_name(path, format) ||
           fail(f, FAIL_USAGE,
                "%s: the name of the output has to end in .bin, .hex, .srec, "
                ".dfu or .uf2",
                path);
}

/* Not all formats tell alternate settings apart. */
static bool check_alternates(const struct fw *fw, enum fw_format format,
                             struct fail *f)
{
    if (!fw->next || format == FW_DFUSE)
        return true;
    return fail(f, FAIL_UNFIT,
                "there is data for alternate settings %u, %u%s, a file of "
                "format %s holds that of one: choose it with --alt",
                fw->alternate, fw->next->alternate,
                fw->next->next ? " and more" : "", fw_format_name(format));
}

static bool check_format(const struct fw *fw, enum fw_format format,
                         struct fail *f)
{
    uint64_t start = 0, end = 0;

    if (!check_alternates(fw, format, f))
        return false;
    if (!fw->placed && fw_format_has_place(format))
        return fail(f, FAIL_UNFIT,
                    "the data has no address, a file of format %s says one",
                    fw_format_name(format));
    fw_span(fw, &start, &end);
    if (!fw_format_has_place(format) && end - start > FW_MAX_SIZE)
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
    static void (*const writers[])(const struct fw *, FILE *) = {
        [FW_BIN] = write_bin,
        [FW_HEX] = hex_write,
        [FW_UF2] = uf2_write,
        [FW_SREC] = srec_write,
        [FW_DFUSE] = dfu_file_write_dfuse,
        [FW_DFU] = dfu_file_write_plain,
    };
    char *buffer = add_buffer(file);
    bool ok;

    writers[format](fw, file);
    ok = !ferror(file) && !fflush(file);
    ok = !fclose(file) && ok;
    free(buffer);
    return ok;
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
    if (format == FW_DFUSE && fw->plain_dfu)
        format = FW_DFU;
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
