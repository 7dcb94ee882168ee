/* SPDX-License-Identifier: MIT */
/*
 * The step behind the linker for firmware whose code runs from RAM
 * (port/stm32/packed.ld): IN has that code in .text, to be loaded to nowhere;
 * OUT has it packed in .packed in flash, and what .text takes in RAM is told
 * as room.
 *
 *   firmware-pack IN.elf OUT.elf BUDGET
 *
 * Fails where flash has more than BUDGET bytes of it.
 */
#include "pack.h"
#include "unpack.h"

#include <elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image {
    const char *path;
    uint8_t *bytes;
    size_t n;
};

static _Noreturn __attribute__((format(printf, 1, 2))) void
die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("firmware-pack: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    _Exit(1); /* what is allocated goes with the process */
}

static struct image load(const char *path)
{
    struct image e = {path, NULL, 0};
    FILE *f = fopen(path, "rb");
    long size;

    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 ||
        fseek(f, 0, SEEK_SET) || !(e.bytes = malloc((size_t)size + 1)) ||
        fread(e.bytes, 1, (size_t)size, f) != (size_t)size)
        die("%s: cannot be read", path);
    fclose(f);
    e.n = (size_t)size;
    return e;
}

/* n bytes of the file, where an offset in it says. */
static void *at(const struct image *e, size_t offset, size_t n)
{
    if (offset > e->n || n > e->n - offset)
        die("%s: is cut short", e->path);
    return e->bytes + offset;
}

static Elf32_Shdr *section(const struct image *e, const char *name)
{
    const Elf32_Ehdr *h = at(e, 0, sizeof *h);
    Elf32_Shdr *s = at(e, h->e_shoff, h->e_shnum * sizeof *s);
    const Elf32_Shdr *names =
        at(e, h->e_shoff + h->e_shstrndx * sizeof *s, sizeof *names);

    for (unsigned i = 0; i < h->e_shnum; i++)
        if (!strcmp(at(e, names->sh_offset + s[i].sh_name, strlen(name) + 1),
                    name))
            return &s[i];
    die("%s: has no section %s", e->path, name);
}

/* The segment that a section is in. */
static Elf32_Phdr *segment(const struct image *e, const Elf32_Shdr *s)
{
    const Elf32_Ehdr *h = at(e, 0, sizeof *h);
    Elf32_Phdr *p = at(e, h->e_phoff, h->e_phnum * sizeof *p);

    for (unsigned i = 0; i < h->e_phnum; i++)
        if (p[i].p_type == PT_LOAD && p[i].p_vaddr <= s->sh_addr &&
            s->sh_addr - p[i].p_vaddr < p[i].p_memsz)
            return &p[i];
    die("%s: has a section in no segment", e->path);
}

int main(int argc, char **argv)
{
    struct image e;
    const Elf32_Ehdr *h;
    Elf32_Shdr *code, *boot, *packed;
    Elf32_Phdr *flash, *ram;
    uint8_t *data, *out, *back;
    struct unpack *u = malloc(sizeof *u);
    size_t made, size;
    FILE *f;
    bool done;

    if (argc != 4)
        die("usage: firmware-pack IN.elf OUT.elf BUDGET");
    e = load(argv[1]);
    h = at(&e, 0, sizeof *h);
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) ||
        h->e_ident[EI_CLASS] != ELFCLASS32 ||
        h->e_ident[EI_DATA] != ELFDATA2LSB)
        die("%s: is not a 32-bit little-endian ELF file", argv[1]);
    code = section(&e, ".text");
    boot = section(&e, ".boot");
    packed = section(&e, ".packed");
    flash = segment(&e, boot);
    ram = segment(&e, code);
    if (ram == flash || code->sh_addr % 2 ||
        code->sh_size % 2) /* half of an instruction */
        die("%s: is not what packed.ld makes", argv[1]);
    data = at(&e, code->sh_offset, code->sh_size);
    out = malloc(PACK_BOUND(code->sh_size));
    back = malloc(code->sh_size);
    if (!u || !out || !back)
        die("no memory");
    made = pack(data, code->sh_size, out);
    unpack(u, back, back + code->sh_size, out);
    if (memcmp(back, data, code->sh_size))
        die("%s: does not unpack to what it was", argv[1]);
    if (made > code->sh_size)
        die("%s: is not what packed.ld makes", argv[1]);
    size = packed->sh_addr - boot->sh_addr + made;
    if (size > strtoul(argv[3], NULL, 0))
        die("%s: takes %zu bytes of flash, %s is the budget", argv[2], size,
            argv[3]);
    /* The packed form takes the place of the other one in the file. */
    memcpy(data, out, made);
    packed->sh_offset = code->sh_offset;
    packed->sh_size = (Elf32_Word)made;
    packed->sh_flags = SHF_ALLOC;
    code->sh_type = SHT_NOBITS;
    flash->p_filesz = flash->p_memsz = packed->sh_addr - flash->p_paddr;
    ram->p_vaddr = ram->p_paddr = packed->sh_addr;
    ram->p_filesz = ram->p_memsz = (Elf32_Word)made;
    ram->p_align = 1;
    ram->p_flags = flash->p_flags = PF_R | PF_X;
    f = fopen(argv[2], "wb");
    if (!f)
        die("%s: cannot be written", argv[2]);
    done = fwrite(e.bytes, 1, e.n, f) == e.n;
    if (fclose(f) || !done) {
        remove(argv[2]); /* all of it or nothing */
        die("%s: cannot be written", argv[2]);
    }
    free(u);
    free(out);
    free(back);
    free(e.bytes);
    return 0;
}
