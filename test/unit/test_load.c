/* SPDX-License-Identifier: MIT */
/*
 * test_load.c - firmware files into the virtual chip: what is taken, what is
 * refused, and that the message helps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>

#include "load.h"
#include "thumb.h"

struct bench {
    struct chip *c;
    char path[64], spec[96], error[LOAD_ERROR_MAX];
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    int fd;

    *state = b;
    strcpy(b->path, "/tmp/test_load.XXXXXX");
    fd = mkstemp(b->path);
    close(fd);
    b->c = chip_new(chip_model_find("stm32f103c8"), NULL, NULL, NULL);
    return b->c && fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    unlink(b->path);
    chip_free(b->c);
    free(b);
    return 0;
}

static int load_bytes(struct bench *b, const void *data, size_t n,
                      const char *at)
{
    FILE *f = fopen(b->path, "wb");

    fwrite(data, 1, n, f);
    fclose(f);
    snprintf(b->spec, sizeof(b->spec), "%s%s", b->path, at);
    return chip_load_spec(b->c, b->spec, b->error);
}

static int load_text(struct bench *b, const char *text)
{
    return load_bytes(b, text, strlen(text), "");
}

static void refused(struct bench *b, int result, const char *why)
{
    assert_int_equal(result, -1);
    assert_non_null(strstr(b->error, why));
    assert_null(strchr(b->error, '\n'));
}

/* ---- plain bytes ---- */

static void plain_bytes(void **state)
{
    struct bench *b = *state;

    assert_int_equal(load_bytes(b, "abcd", 4, "@0x08000100"), 0);
    assert_int_equal(peek(b->c, FLASH + 0x100), 0x64636261);
    refused(b, load_bytes(b, "abcd", 4, ""), "an address is needed");
    refused(b, load_bytes(b, "abcd", 4, "@0x0800fffd"), "outside");
    refused(b, load_bytes(b, "abcd", 4, "@0x07ffffff"), "outside");
    refused(b, load_bytes(b, "abcd", 4, "@flash"), "not an address");
    refused(b, load_bytes(b, "", 0, "@0x08000000"), "empty");
    refused(b, chip_load_spec(b->c, "/nowhere", b->error), "/nowhere: ");
}

/* ---- Intel HEX ---- */

static void intel_hex(void **state)
{
    struct bench *b = *state;

    assert_int_equal(load_text(b, ":020000040800F2\r\n"
                                  ":0401000061626364717\r\n"),
                     -1);
    assert_int_equal(load_text(b, ":020000040800F2\n"
                                  ":040100006162636471\n"
                                  ":00000001FF\n"),
                     0);
    assert_int_equal(peek(b->c, FLASH + 0x100), 0x64636261);
    refused(b, load_text(b, ":020000040800F2\n:040100006162636472\n"),
            "line 2");
    refused(b, load_text(b, ":020000040800F2\n:040100006162636471\n"),
            "no end record");
    refused(b, load_text(b, ":020000042000DA\n:040100006162636471\n"),
            "outside");
    refused(b, load_bytes(b, ":00000001FF\n", 12, "@0x08000000"),
            "leave out @");
}

/* ---- ELF ---- */

struct image {
    Elf32_Ehdr h;
    Elf32_Phdr p;
    uint8_t data[8];
};

static struct image image(void)
{
    struct image i = {
        .h = {.e_type = ET_EXEC,
              .e_machine = EM_ARM,
              .e_version = EV_CURRENT,
              .e_phoff = sizeof(Elf32_Ehdr),
              .e_ehsize = sizeof(Elf32_Ehdr),
              .e_phentsize = sizeof(Elf32_Phdr),
              .e_phnum = 1},
        .p = {.p_type = PT_LOAD,
              .p_offset = offsetof(struct image, data),
              .p_vaddr = 0x20000000,
              .p_paddr = 0x08000200,
              .p_filesz = 8,
              .p_memsz = 8},
        .data = "abcdefg",
    };

    memcpy(i.h.e_ident, ELFMAG, SELFMAG);
    i.h.e_ident[EI_CLASS] = ELFCLASS32;
    i.h.e_ident[EI_DATA] = ELFDATA2LSB;
    i.h.e_ident[EI_VERSION] = EV_CURRENT;
    return i;
}

static int load_image(struct bench *b, const struct image *i)
{
    return load_bytes(b, i, sizeof(*i), "");
}

static void elf(void **state)
{
    struct bench *b = *state;
    struct image i = image();

    assert_int_equal(load_image(b, &i), 0);
    assert_int_equal(peek(b->c, FLASH + 0x200), 0x64636261);
    i = image();
    i.p.p_offset = 0; /* headers in front of the contents */
    i.p.p_filesz = sizeof(i);
    i.p.p_paddr = 0x08000300;
    assert_int_equal(load_image(b, &i), 0);
    assert_int_equal(peek(b->c, FLASH + 0x300), 0xffffffff);
    assert_int_equal(peek(b->c, FLASH + 0x300 + sizeof(i) - 8), 0x64636261);
}

static void elf_that_does_not_fit(void **state)
{
    struct bench *b = *state;
    struct image i = image();

    i.h.e_machine = EM_386;
    refused(b, load_image(b, &i), "not ARM");
    i = image();
    i.h.e_type = ET_REL;
    refused(b, load_image(b, &i), "not a linked program");
    i = image();
    i.p.p_paddr = 0x20000000;
    refused(b, load_image(b, &i), "outside");
    i = image();
    i.p.p_filesz = 1000;
    refused(b, load_image(b, &i), "cut short");
    i = image();
    i.p.p_type = PT_NOTE;
    refused(b, load_image(b, &i), "nothing to load");
    i = image();
    refused(b, load_bytes(b, &i, 20, ""), "ELF");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(plain_bytes),
        TEST(intel_hex),
        TEST(elf),
        TEST(elf_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
