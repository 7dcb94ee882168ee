/* SPDX-License-Identifier: MIT */
/*
 * test_pack.c - what host/pack packs, port/stm32/unpack.c unpacks; and
 * firmware-pack itself, on firmware that is linked here by hand.
 */
#include "pack.h"
#include "unpack.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>

/* Packing takes the square of it, and a run of equal bytes the cube. */
enum { MOST = 1400, RUN = 100, BEHIND = 16, GUARD = 0x5A };

static uint64_t seed;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static void put16(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t)n;
    p[1] = (uint8_t)(n >> 8);
}

/* ---- there and back ---- */

/* Returns how many bytes it takes. */
static size_t round_trip(const uint8_t *data, size_t n)
{
    static const int behind[] = {0x00, 0xFF, 0xA5};
    uint8_t *packed = malloc(PACK_BOUND(n) + BEHIND);
    uint8_t *back = malloc(n + 2);
    struct unpack *u = malloc(sizeof(*u));
    size_t made;

    assert_true(packed && back && u);
    memset(packed, GUARD, PACK_BOUND(n) + BEHIND);
    made = pack(data, n, packed);
    assert_in_range(made, 1, PACK_BOUND(n));
    for (size_t i = 0; i < BEHIND; i++)
        assert_int_equal(packed[PACK_BOUND(n) + i], GUARD);
    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        memset(packed + made, behind[i], BEHIND);
        memset(u, behind[i], sizeof(*u)); /* RAM at reset is anything */
        memset(back, GUARD, n + 2);
        unpack(u, back, back + n, packed);
        assert_memory_equal(back, data, n);
        assert_int_equal(back[n], GUARD);
        assert_int_equal(back[n + 1], GUARD);
    }
    free(packed);
    free(back);
    free(u);
    return made;
}

static void short_ones(void **state)
{
    uint8_t data[6];

    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        data[0] = (uint8_t)value;
        round_trip(data, 1);
        data[1] = (uint8_t)~value;
        round_trip(data, 2);
    }
    for (size_t n = 2; n <= sizeof(data); n += 2)
        for (unsigned value = 0; value < 256; value += 15) {
            memset(data, (int)value, n);
            round_trip(data, n);
        }
}

static void equal_bytes(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x55, 0x7F, 0x80, 0xFF};
    uint8_t data[RUN];

    (void)state;
    for (size_t i = 0; i < sizeof(values); i++) {
        memset(data, values[i], sizeof(data));
        assert_in_range(round_trip(data, sizeof(data)), 1, 16);
    }
}

/* Sequences that come again far behind, one byte in or out of step. */
static void copies(void **state)
{
    uint8_t data[900];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)((i % 401) * (i % 401) >> 3);
    assert_in_range(round_trip(data, sizeof(data)), 1, sizeof(data) * 3 / 4);
}

static void text(void **state)
{
    static const char line[] = "A host gives each of them some seconds, and "
                               "whoever looks at the volume %u times meanwhile "
                               "wants an answer.\n";
    char data[1200];
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; n + sizeof(line) + 8 < sizeof(data); i++)
        n += (size_t)snprintf(data + n, sizeof(data) - n, line, i * i);
    n &= ~(size_t)1;
    assert_in_range(round_trip((const uint8_t *)data, n), 1, n / 3);
}

/* SALLYPORT_TEST_SEED repeats one round. */
static void random_data(void **state)
{
    const char *again = getenv("SALLYPORT_TEST_SEED");
    uint64_t first = again ? strtoull(again, NULL, 0) : (uint64_t)time(NULL);
    unsigned rounds = again ? 1 : 60;

    (void)state;
    for (unsigned round = 0; round < rounds; round++) {
        uint8_t data[600];
        size_t n;
        uint32_t values;

        seed = first + round;
        printf("\rseed %#llx", (unsigned long long)seed);
        fflush(stdout); /* stands there when it fails */
        n = 2 + 2 * random_below(round % 10 ? 100 : sizeof(data) / 2 - 1);
        values = 2 + random_below(255);
        for (size_t i = 0; i < n; i++)
            data[i] = (uint8_t)random_below(values);
        if (round % 3 == 0) /* and what looks like calls, to the last byte */
            for (size_t i = 1; i < n; i += 2)
                data[i] = (uint8_t)(0xF0 + random_below(16));
        round_trip(data, n);
    }
    printf("\r%u seeds from %#llx\n", rounds, (unsigned long long)first);
}

/* ---- code ---- */

/* BL from the half-word `from` to the half-word `to` (Arm v7-M manual,
 * A7.7.18 T1), near enough for J1 and J2 to be 1. */
static void put_call(uint8_t *code, size_t from, size_t to)
{
    uint32_t distance = (uint32_t)to - (uint32_t)(from + 2);

    put16(code + 2 * from,
          0xF000 | (distance >> 21 & 1) << 10 | (distance >> 11 & 0x3FF));
    put16(code + 2 * from + 2, 0xF800 | (distance & 0x7FF));
}

/* Half-words without a call, as random as their order; then calls. */
static void make_code(uint8_t *code, size_t n, size_t shift, size_t targets)
{
    static const uint16_t some[] = {0xB510, 0x4604, 0x6803, 0x2000, 0xBD10,
                                    0x4620, 0x2101, 0x60A3, 0xD1F8, 0x4770};

    for (size_t i = 0; i + 1 < n; i += 2)
        put16(code + i, some[random_below(sizeof(some) / sizeof(some[0]))]);
    for (size_t i = 3; i + 4 < n / 2; i += 3 + random_below(4))
        put_call(code + shift, i, random_below((uint32_t)targets) * 16);
}

static void calls(void **state)
{
    uint8_t code[768];

    (void)state;
    seed = 7;
    /* From even and odd half-words, and what is like calls at odd bytes. */
    for (size_t shift = 0; shift < 4; shift++) {
        make_code(code, sizeof(code), shift, 4);
        round_trip(code, sizeof(code));
    }
    /* A call in the last half-words, one cut off by the end, calls only. */
    for (size_t n = 2; n <= 64; n += 2) {
        make_code(code, n, 0, 1);
        if (n >= 4)
            put_call(code, n / 2 - 2, 0);
        round_trip(code, n);
        put16(code + n - 2, 0xF7FF);
        round_trip(code, n);
        for (size_t i = 0; i + 2 <= n / 2; i += 2)
            put_call(code, i, n / 4);
        round_trip(code, n);
    }
}

/* Calls of one function are alike, from wherever they come. */
static void calls_of_one_function(void **state)
{
    uint8_t code[320];
    size_t one, many;

    (void)state;
    seed = 11;
    for (size_t i = 0; i < sizeof(code) / 4; i++)
        put_call(code, 2 * i, 100);
    one = round_trip(code, sizeof(code));
    for (size_t i = 0; i < sizeof(code) / 4; i++)
        put_call(code, 2 * i, random_below(800));
    many = round_trip(code, sizeof(code));
    assert_in_range(one, 1, 40);
    assert_in_range(many, sizeof(code) / 8, sizeof(code));
}

static uint8_t *load(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(1u << 20);

    if (!f || !bytes)
        fail_msg("%s: cannot be read", path);
    *n = fread(bytes, 1, 1u << 20, f);
    fclose(f);
    return bytes;
}

#ifdef FIRMWARE
/* The linker's: profile staged, which lies in flash as it is. */
static void real_code(void **state)
{
    glob_t found;

    (void)state;
    assert_int_equal(glob(FIRMWARE "/*/sallyport-staged.bin", 0, NULL, &found),
                     0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        size_t n;
        uint8_t *bytes = load(found.gl_pathv[i], &n);

        assert_in_range(n, 2000, 1u << 16);
        n = n < MOST ? n & ~(size_t)1 : MOST;
        assert_in_range(round_trip(bytes, n), 1, n * 9 / 10);
        free(bytes);
    }
    globfree(&found);
}
#endif

/* ---- firmware-pack ---- */

enum {
    BOOT = 0x100,
    CODE = 0x400,
    FLASH = 0x08000000,
    RAM = 0x20000000,
    SECTIONS = 5
};

static const char names[] = "\0.boot\0.packed\0.text\0.names";

struct linked {
    Elf32_Ehdr head;
    Elf32_Phdr segment[2];
    uint8_t boot[BOOT], code[CODE];
    char names[sizeof(names) + 3];
    Elf32_Shdr section[SECTIONS];
};

struct place {
    char dir[64], in[96], out[96];
    struct linked e;
};

/* As port/stm32/packed.ld has it. */
static void make_linked(struct linked *e)
{
    memset(e, 0, sizeof(*e));
    memcpy(e->head.e_ident, ELFMAG, SELFMAG);
    e->head.e_ident[EI_CLASS] = ELFCLASS32;
    e->head.e_ident[EI_DATA] = ELFDATA2LSB;
    e->head.e_phoff = offsetof(struct linked, segment);
    e->head.e_phnum = 2;
    e->head.e_shoff = offsetof(struct linked, section);
    e->head.e_shnum = SECTIONS;
    e->head.e_shstrndx = 4;
    e->segment[0] = (Elf32_Phdr){.p_type = PT_LOAD,
                                 .p_offset = offsetof(struct linked, boot),
                                 .p_vaddr = FLASH,
                                 .p_paddr = FLASH,
                                 .p_filesz = BOOT,
                                 .p_memsz = BOOT};
    e->segment[1] = (Elf32_Phdr){.p_type = PT_LOAD,
                                 .p_offset = offsetof(struct linked, code),
                                 .p_vaddr = RAM,
                                 .p_paddr = RAM,
                                 .p_filesz = CODE,
                                 .p_memsz = CODE};
    memset(e->boot, 0xB0, BOOT);
    make_code(e->code, CODE, 0, 4);
    memcpy(e->names, names, sizeof(names));
    e->section[1] = (Elf32_Shdr){.sh_name = 1,
                                 .sh_type = SHT_PROGBITS,
                                 .sh_addr = FLASH,
                                 .sh_offset = offsetof(struct linked, boot),
                                 .sh_size = BOOT};
    e->section[2] = (Elf32_Shdr){
        .sh_name = 7, .sh_type = SHT_NOBITS, .sh_addr = FLASH + BOOT};
    e->section[3] = (Elf32_Shdr){.sh_name = 15,
                                 .sh_type = SHT_PROGBITS,
                                 .sh_addr = RAM,
                                 .sh_offset = offsetof(struct linked, code),
                                 .sh_size = CODE};
    e->section[4] = (Elf32_Shdr){.sh_name = 21,
                                 .sh_type = SHT_STRTAB,
                                 .sh_offset = offsetof(struct linked, names),
                                 .sh_size = sizeof(names)};
}

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    if (!p)
        return -1;
    strcpy(p->dir, "/tmp/test_pack.XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->in, sizeof(p->in), "%s/in.elf", p->dir);
    snprintf(p->out, sizeof(p->out), "%s/out.elf", p->dir);
    seed = 3;
    make_linked(&p->e);
    *state = p;
    return 0;
}

static int leave_place(void **state)
{
    struct place *p = *state;

    remove(p->in);
    remove(p->out);
    rmdir(p->dir);
    free(p);
    return 0;
}

static void save(const struct place *p, size_t n)
{
    FILE *f = fopen(p->in, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(&p->e, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Its exit status; what it says is in `said`. */
static int run(const struct place *p, const char *before, unsigned budget,
               char said[256])
{
    char line[1024];
    FILE *f;
    size_t n;
    int status;

    snprintf(line, sizeof(line), "%s " FIRMWARE_PACK " %s %s %u 2>&1", before,
             p->in, p->out, budget);
    fflush(NULL);
    f = popen(line, "r");
    assert_non_null(f);
    n = fread(said, 1, 255, f);
    said[n] = 0;
    status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* One line that says why, and no file. */
static void is_refused(const struct place *p, const char *before,
                       unsigned budget, const char *why)
{
    char said[256];
    struct stat s;
    int status = run(p, before, budget, said);

    if (status != 1 || !strstr(said, why) ||
        strncmp(said, "firmware-pack: ", 15) ||
        strchr(said, '\n') != said + strlen(said) - 1)
        fail_msg("status %d, not \"%s\": %s", status, why, said);
    assert_int_not_equal(stat(p->out, &s), 0);
}

/* What is loaded to flash unpacks to the code; the least budget is what it
 * takes. */
static void packs(void **state)
{
    struct place *p = *state;
    struct unpack *u = malloc(sizeof(*u));
    uint8_t back[CODE], *out;
    const Elf32_Phdr *boot, *ram;
    struct linked *e;
    char said[256];
    size_t n, takes;

    save(p, sizeof(p->e));
    assert_int_equal(run(p, "", 0x2000, said), 0);
    assert_string_equal(said, "");
    out = load(p->out, &n);
    assert_int_equal(n, sizeof(p->e));
    e = (struct linked *)(void *)out;
    boot = &e->segment[0];
    ram = &e->segment[1];
    assert_int_equal(boot->p_paddr, FLASH);
    assert_int_equal(boot->p_filesz, BOOT);
    assert_memory_equal(out + boot->p_offset, p->e.boot, BOOT);
    assert_int_equal(ram->p_paddr, FLASH + BOOT);
    assert_int_equal(ram->p_filesz, ram->p_memsz);
    assert_in_range(ram->p_filesz, 1, CODE - 1);
    assert_non_null(u);
    unpack(u, back, back + CODE, out + ram->p_offset);
    assert_memory_equal(back, p->e.code, CODE);
    assert_int_equal(e->section[2].sh_addr, ram->p_paddr);
    assert_int_equal(e->section[2].sh_size, ram->p_filesz);
    assert_int_equal(e->section[3].sh_type, SHT_NOBITS);
    assert_int_equal(e->section[3].sh_size, CODE);
    takes = BOOT + ram->p_filesz;
    free(out);
    free(u);

    assert_int_equal(run(p, "", (unsigned)takes, said), 0);
    remove(p->out);
    snprintf(said, sizeof(said), "out.elf: takes %zu bytes of flash, %zu is",
             takes, takes - 1);
    is_refused(p, "", (unsigned)takes - 1, said);
    is_refused(p, "", 0, "is the budget");
}

static void wrong_files(void **state)
{
    static const size_t cuts[] = {0,
                                  1,
                                  51,
                                  52,
                                  offsetof(struct linked, boot),
                                  600,
                                  offsetof(struct linked, section),
                                  900,
                                  sizeof(struct linked) - 1};
    struct place *p = *state;
    const struct linked good = p->e;

    is_refused(p, "", 0x2000, "in.elf: cannot be read");
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        save(p, cuts[i]);
        is_refused(p, "", 0x2000, "in.elf: is cut short");
    }
    for (unsigned i = 0; i < 4; i++) {
        p->e.head.e_ident[i] ^= 0x20;
        save(p, sizeof(p->e));
        is_refused(p, "", 0x2000, "is not a 32-bit little-endian ELF file");
        p->e = good;
    }
    p->e.head.e_ident[EI_CLASS] = ELFCLASS64;
    save(p, sizeof(p->e));
    is_refused(p, "", 0x2000, "is not a 32-bit little-endian ELF file");
    p->e = good;
    p->e.names[15] = '_';
    save(p, sizeof(p->e));
    is_refused(p, "", 0x2000, "has no section .text");
    p->e = good;
    p->e.section[3].sh_addr = 0x10000000;
    save(p, sizeof(p->e));
    is_refused(p, "", 0x2000, "has a section in no segment");
    p->e = good;
    p->e.section[3].sh_offset = sizeof(p->e) - CODE + 2;
    save(p, sizeof(p->e));
    is_refused(p, "", 0x2000, "is cut short");
    p->e = good;
    p->e.section[3].sh_size = CODE - 1; /* half of an instruction */
    save(p, sizeof(p->e));
    is_refused(p, "", 0x2000, "is not what packed.ld makes");
}

/* The disk is full: SIGXFSZ aside, a limit of blocks is the same. */
static void no_half_file(void **state)
{
    struct place *p = *state;

    save(p, sizeof(p->e));
    is_refused(p, "trap '' XFSZ; ulimit -f 1;", 0x2000, "cannot be written");
    snprintf(p->out, sizeof(p->out), "%s/no/out.elf", p->dir);
    is_refused(p, "", 0x2000, "out.elf: cannot be written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ones),
        cmocka_unit_test(equal_bytes),
        cmocka_unit_test(copies),
        cmocka_unit_test(text),
        cmocka_unit_test(random_data),
        cmocka_unit_test(calls),
        cmocka_unit_test(calls_of_one_function),
#ifdef FIRMWARE
        cmocka_unit_test(real_code),
#endif
        cmocka_unit_test_setup_teardown(packs, make_place, leave_place),
        cmocka_unit_test_setup_teardown(wrong_files, make_place, leave_place),
        cmocka_unit_test_setup_teardown(no_half_file, make_place, leave_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
