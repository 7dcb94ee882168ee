/* SPDX-License-Identifier: MIT */
/* elf_fw.c - see elf_fw.h. */
#include "elf_fw.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <unistd.h>

struct elf_reader {
    struct fw *fw;
    struct fail *f;
    const char *name;
    int fd;
    Elf *elf;
    uint64_t segments; /* offset of the program headers */
};

/* The place is an offset in the file. */
#define BAD(r, at, ...)                                                        \
    (fail((r)->f, FAIL_INPUT, __VA_ARGS__), put_place(r, at))

static bool put_place(const struct elf_reader *r, uint64_t at)
{
    return fail_at(r->f, "%s:0x%" PRIX64 ": ", r->name, at);
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386:
        return "x86";
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "64-bit ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_XTENSA:
        return "Xtensa";
    default:
        return "another processor";
    }
}

static bool check_header(struct elf_reader *r, const GElf_Ehdr *ehdr)
{
    if (ehdr->e_machine != EM_ARM)
        return BAD(r, offsetof(Elf32_Ehdr, e_machine),
                   "an ELF file for %s (machine %u), expected ARM (%u)",
                   machine_name(ehdr->e_machine), ehdr->e_machine, EM_ARM);
    if (ehdr->e_ident[EI_CLASS] != ELFCLASS32)
        return BAD(r, EI_CLASS, "ELF class %u, expected %u (32-bit)",
                   ehdr->e_ident[EI_CLASS], ELFCLASS32);
    if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
        return BAD(r, EI_DATA, "ELF data %u, expected %u (little-endian)",
                   ehdr->e_ident[EI_DATA], ELFDATA2LSB);
    if (ehdr->e_type != ET_EXEC)
        return BAD(r, offsetof(Elf32_Ehdr, e_type),
                   "ELF type %u, expected an executable (%u): link it first",
                   ehdr->e_type, ET_EXEC);
    return true;
}

static bool copy(struct elf_reader *r, uint64_t offset, uint64_t addr,
                 uint64_t n)
{
    uint8_t block[16 * FW_PAGE];

    if (addr >= FW_END || n > FW_END - addr)
        return BAD(r, offset,
                   "%" PRIu64 " bytes for 0x%" PRIX64
                   " go past the end of the address space",
                   n, addr);
    while (n > 0) {
        size_t part = n < sizeof(block) ? (size_t)n : sizeof(block);

        if (pread(r->fd, block, part, (off_t)offset) != (ssize_t)part)
            return BAD(r, offset, "cut short: %zu bytes are expected here",
                       part);
        if (!fw_add(r->fw, (uint32_t)addr, block, part, r->f))
            return put_place(r, offset);
        offset += part;
        addr += part;
        n -= part;
    }
    return true;
}

static bool in_segment(const GElf_Shdr *section, const GElf_Phdr *segment)
{
    return section->sh_type != SHT_NOBITS && (section->sh_flags & SHF_ALLOC) &&
           section->sh_size > 0 && section->sh_offset >= segment->p_offset &&
           section->sh_size <= segment->p_filesz &&
           section->sh_offset - segment->p_offset <=
               segment->p_filesz - section->sh_size;
}

/* GNU ld lets the first segment begin with the ELF headers where the page
 * has room for them: they would land in front of the image, in the
 * bootloader.  So what counts is the sections, as for objcopy; a file whose
 * section table was stripped has only the segment. */
static bool read_segment(struct elf_reader *r, const GElf_Phdr *segment)
{
    Elf_Scn *scn = NULL;
    bool found = false;

    while ((scn = elf_nextscn(r->elf, scn))) {
        GElf_Shdr s;

        if (!gelf_getshdr(scn, &s) || !in_segment(&s, segment))
            continue;
        found = true;
        if (!copy(r, s.sh_offset,
                  segment->p_paddr + (s.sh_offset - segment->p_offset),
                  s.sh_size))
            return false;
    }
    return found ||
           copy(r, segment->p_offset, segment->p_paddr, segment->p_filesz);
}

static bool read_segments(struct elf_reader *r)
{
    size_t count;

    if (elf_getphdrnum(r->elf, &count))
        return BAD(r, offsetof(Elf32_Ehdr, e_phnum), "%s", elf_errmsg(-1));
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;

        if (!gelf_getphdr(r->elf, (int)i, &segment))
            return BAD(r, r->segments, "program header %zu: %s", i,
                       elf_errmsg(-1));
        if (segment.p_type == PT_LOAD && segment.p_filesz > 0 &&
            !read_segment(r, &segment))
            return false;
    }
    if (fw_find(r->fw, 0, true) == FW_END)
        return BAD(r, r->segments,
                   "nothing to load in the ELF file: not linked for flash, or "
                   "cut short");
    return true;
}

static bool read_elf(struct elf_reader *r)
{
    GElf_Ehdr ehdr;

    if (elf_kind(r->elf) != ELF_K_ELF || !gelf_getehdr(r->elf, &ehdr))
        return BAD(r, 0, "a damaged ELF file: %s", elf_errmsg(-1));
    r->segments = ehdr.e_phoff;
    if (!check_header(r, &ehdr) || !read_segments(r))
        return false;
    r->fw->format = FW_ELF;
    r->fw->placed = true;
    r->fw->has_entry = true;
    r->fw->entry = (uint32_t)ehdr.e_entry;
    return true;
}

bool elf_fw_read(struct fw *fw, int fd, const char *name, struct fail *f)
{
    struct elf_reader r = {.fw = fw, .f = f, .name = name, .fd = fd};
    bool ok;

    elf_version(EV_CURRENT);
    r.elf = elf_begin(fd, ELF_C_READ, NULL);
    if (!r.elf)
        return BAD(&r, 0, "a damaged ELF file: %s", elf_errmsg(-1));
    ok = read_elf(&r);
    elf_end(r.elf);
    return ok;
}
