/* SPDX-License-Identifier: MIT */
/*
 * load.c - ELF (TIS ELF 1.2, through libelf), Intel HEX (rev. A, 1988), plain
 * binary.
 */
#include "load.h"

#include <errno.h>
#include <libelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct chip *chip;
    const char *path;
    char *error;
    uint8_t *data;
    size_t size;
};

enum { FILE_LIMIT = 64 << 20 };

static int fail(const struct job *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct job *j, const char *fmt, ...)
{
    int n = snprintf(j->error, LOAD_ERROR_MAX, "%.120s: ", j->path);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(j->error + n, LOAD_ERROR_MAX - (size_t)n, fmt, ap);
    va_end(ap);
    return -1;
}

static int put(const struct job *j, uint32_t addr, const uint8_t *p, size_t n)
{
    uint32_t base = chip_flash_base(j->chip);
    size_t size = chip_flash_size(j->chip);

    if (n == 0)
        return 0;
    if (addr < base || addr - base >= size || n > size - (addr - base))
        return fail(j,
                    "contents at 0x%08x..0x%08llx are outside this chip's "
                    "flash (0x%08x..0x%08llx); check the linker script",
                    addr, (unsigned long long)addr + n - 1, base,
                    (unsigned long long)base + size - 1);
    memcpy(chip_flash(j->chip) + (addr - base), p, n);
    return 0;
}

/* ---- the file ---- */

static int read_stream(struct job *j, FILE *f)
{
    long size;

    if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
        return fail(j, "cannot be read as a file: %s", strerror(errno));
    if (size == 0)
        return fail(j, "is empty; build the firmware first");
    if (size > FILE_LIMIT)
        return fail(j, "is larger than any firmware; is it the right file?");
    j->size = (size_t)size;
    j->data = malloc(j->size);
    if (!j->data)
        return fail(j, "out of memory");
    if (fread(j->data, 1, j->size, f) != j->size)
        return fail(j, "cannot be read: %s", strerror(errno));
    return 0;
}

static int read_file(struct job *j)
{
    FILE *f = fopen(j->path, "rb");
    int r;

    if (!f)
        return fail(j, "cannot be opened: %s", strerror(errno));
    r = read_stream(j, f);
    fclose(f);
    return r;
}

/* ---- ELF ---- */

static bool is_elf(const struct job *j)
{
    return j->size >= 4 && !memcmp(j->data,
                                   "\x7f"
                                   "ELF",
                                   4);
}

static int check_header(struct job *j, const Elf32_Ehdr *h)
{
    if (!h)
        return fail(j, "is not a 32-bit ELF file; build for ARM Cortex-M");
    if (h->e_machine != EM_ARM)
        return fail(j,
                    "is an ELF file for machine %u, not ARM (40); build "
                    "with arm-none-eabi-gcc",
                    h->e_machine);
    if (h->e_type != ET_EXEC)
        return fail(j,
                    "is not a linked program (ELF type %u); give the "
                    "linker's output",
                    h->e_type);
    return 0;
}

/* Program header before the first section's contents are not firmware: a
 * linker may put the ELF headers into the first segment. */
static int put_segment(struct job *j, const Elf32_Phdr *p, uint32_t headers)
{
    uint32_t skip = p->p_offset < headers ? headers - p->p_offset : 0;

    if (p->p_type != PT_LOAD || p->p_filesz <= skip)
        return 0;
    if (p->p_offset > j->size || p->p_filesz > j->size - p->p_offset)
        return fail(j, "is cut short; build or copy it again");
    return put(j, p->p_paddr + skip, j->data + p->p_offset + skip,
               p->p_filesz - skip);
}

static int load_segments(struct job *j, Elf *elf)
{
    const Elf32_Ehdr *h = elf32_getehdr(elf);
    const Elf32_Phdr *p;
    uint32_t headers;
    unsigned i, loaded = 0;

    if (check_header(j, h))
        return -1;
    p = elf32_getphdr(elf);
    if (!p)
        return fail(j, "has no program headers; give the linker's output");
    headers = h->e_phoff + (uint32_t)h->e_phnum * h->e_phentsize;
    for (i = 0; i < h->e_phnum; i++) {
        if (put_segment(j, &p[i], headers))
            return -1;
        loaded += p[i].p_type == PT_LOAD && p[i].p_filesz;
    }
    return loaded ? 0 : fail(j, "has nothing to load");
}

static int load_elf(struct job *j)
{
    Elf *elf;
    int r;

    elf_version(EV_CURRENT);
    elf = elf_memory((char *)j->data, j->size);
    if (!elf)
        return fail(j, "is a damaged ELF file (%s)", elf_errmsg(-1));
    r = load_segments(j, elf);
    elf_end(elf);
    return r;
}

/* ---- Intel HEX ---- */

enum { HEX_BYTES = 255 + 5 };

/* Plain binaries may begin with a colon; a record is told by its digits. */
static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const struct job *j)
{
    return j->size >= 11 && j->data[0] == ':' && digit(j->data[1]) >= 0 &&
           digit(j->data[2]) >= 0;
}

/* Bytes of the record at *at; the count, or -1. */
static int hex_record(const struct job *j, size_t *at, uint8_t *out)
{
    unsigned n = 0, sum = 0;

    for (++*at; *at + 1 < j->size && digit(j->data[*at]) >= 0; *at += 2) {
        int hi = digit(j->data[*at]), lo = digit(j->data[*at + 1]);

        if (lo < 0 || n == HEX_BYTES)
            return -1;
        out[n] = (uint8_t)(hi << 4 | lo);
        sum += out[n++];
    }
    return n >= 5 && n == out[0] + 5u && (sum & 0xff) == 0 ? (int)n : -1;
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* 1: the end record. */
static int hex_apply(const struct job *j, const uint8_t *r, uint32_t *base)
{
    switch (r[3]) {
    case 0:
        return put(j, *base + (uint32_t)be16(r + 1), r + 4, r[0]);
    case 1:
        return 1;
    case 2:
        *base = be16(r + 4) << 4;
        return 0;
    case 4:
        *base = be16(r + 4) << 16;
        return 0;
    case 3:
    case 5: /* start addresses: the vector table tells */
        return 0;
    }
    return fail(j, "has a record of unknown type %u; is it Intel HEX?", r[3]);
}

static int load_hex(struct job *j)
{
    uint8_t record[HEX_BYTES];
    uint32_t base = 0;
    unsigned line = 1;
    size_t at = 0;
    int r;

    while (at < j->size) {
        if (j->data[at] != ':') {
            line += j->data[at++] == '\n';
            continue;
        }
        if (hex_record(j, &at, record) < 0)
            return fail(j, "has a damaged record in line %u; copy it again",
                        line);
        r = hex_apply(j, record, &base);
        if (r)
            return r < 0 ? -1 : 0;
    }
    return fail(j, "has no end record; copy it again");
}

/* ---- by content ---- */

static int load_any(struct job *j, bool has_address, uint32_t address)
{
    bool addressed = is_elf(j) || is_hex(j);

    if (addressed && has_address)
        return fail(j, "carries its own addresses; leave out @0x%08x", address);
    if (is_elf(j))
        return load_elf(j);
    if (is_hex(j))
        return load_hex(j);
    if (!has_address)
        return fail(j,
                    "is neither ELF nor Intel HEX, so an address is "
                    "needed: %.80s@0x%08x",
                    j->path, chip_flash_base(j->chip));
    return put(j, address, j->data, j->size);
}

int chip_load(struct chip *c, const char *path, bool has_address,
              uint32_t address, char error[LOAD_ERROR_MAX])
{
    struct job j = {.chip = c, .path = path, .error = error};
    int r = read_file(&j);

    if (!r)
        r = load_any(&j, has_address, address);
    free(j.data);
    chip_flash_changed(c);
    return r;
}

int chip_load_spec(struct chip *c, const char *spec, char error[LOAD_ERROR_MAX])
{
    const char *at = strrchr(spec, '@');
    char *path, *end;
    unsigned long addr;
    int r;

    if (!at)
        return chip_load(c, spec, false, 0, error);
    addr = strtoul(at + 1, &end, 0);
    if (!at[1] || *end || addr > 0xffffffff) {
        snprintf(error, LOAD_ERROR_MAX,
                 "%.200s: what follows @ is not an address; write it like "
                 "@0x08000000",
                 spec);
        return -1;
    }
    path = strndup(spec, (size_t)(at - spec));
    if (!path) {
        snprintf(error, LOAD_ERROR_MAX, "%.200s: out of memory", spec);
        return -1;
    }
    r = chip_load(c, path, true, (uint32_t)addr, error);
    free(path);
    return r;
}
