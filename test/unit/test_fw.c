/* SPDX-License-Identifier: MIT */
/*
 * test_fw.c - firmware in memory, Intel HEX and ELF readers, the stamp.
 *
 * The random tests print their seed when they fail; SALLYPORT_TEST_SEED=n
 * replays it.
 */
#include "bytes.h"
#include "elf_fw.h"
#include "fw.h"
#include "fw_bench.h"
#include "hex.h"
#include "img.h"
#include "stamp.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS       200

/* ---- helpers ---- */

static bool load_hex(struct fw *fw, const char *text, struct fail *f)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    bool ok;

    assert_non_null(file);
    ok = hex_read(fw, file, "t.hex", f);
    fclose(file);
    return ok;
}

static int temp_with(const void *data, size_t n)
{
    FILE *file = tmpfile();
    int fd;

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    fflush(file);
    fd = dup(fileno(file));
    fclose(file);
    return fd;
}

static bool load_elf(struct fw *fw, const void *data, size_t n, struct fail *f)
{
    int fd = temp_with(data, n);
    bool ok = elf_fw_read(fw, fd, "t.elf", f);

    close(fd);
    return ok;
}

/* ---- struct fw ---- */

static void an_empty_fw_has_no_span(void **state)
{
    uint64_t a, b;
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_false(fw_span(&fw, &a, &b));
    assert_true(fw_find(&fw, 0, true) == FW_END);
    assert_int_equal(fw_find(&fw, 0, false), 0);
    fw_free(&fw);
}

static void data_at_both_ends_of_the_address_space(void **state)
{
    struct fail f = {0};
    uint64_t a, b;
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(fw_add(&fw, 0xFFFFFFFE, "xy", 2, &f));
    assert_true(fw_add(&fw, 0, "z", 1, &f));
    assert_true(fw_span(&fw, &a, &b));
    assert_int_equal(a, 0);
    assert_true(b == FW_END);
    assert_true(fw_find(&fw, 1, true) == 0xFFFFFFFE);
    assert_true(fw_find(&fw, 0xFFFFFFFE, false) == FW_END);
    assert_false(fw_add(&fw, 0xFFFFFFFF, "ab", 2, &f));
    assert_int_equal(f.code, FAIL_INPUT);
    fw_free(&fw);
}

static void the_same_data_twice_is_fine_other_data_is_not(void **state)
{
    struct fail f = {0};
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(fw_add(&fw, 0x0FFE, "abcd", 4, &f));
    assert_true(fw_add(&fw, 0x1000, "cdef", 4, &f));
    assert_false(fw_add(&fw, 0x0FFF, "bX", 2, &f));
    assert_string_equal(
        f.text, "two values for address 0x00001000: 0x63 before, 0x58 here");
    assert_true(fw_set(&fw, 0x0FFF, "bX", 2, &f));
    fw_free(&fw);
}

static void fill_leaves_data_alone(void **state)
{
    struct fail f = {0};
    uint8_t got[6];
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(fw_add(&fw, 0x1000, "a", 1, &f));
    assert_true(fw_add(&fw, 0x3004, "b", 1, &f));
    assert_true(fw_fill(&fw, 0x0FFE, 0x3004, 0x55, &f));
    assert_true(fw_find(&fw, 0, true) == 0x0FFE);
    assert_true(fw_find(&fw, 0x0FFE, false) == 0x3005);
    fw_get(&fw, 0x0FFD, got, 5, 0xEE);
    assert_memory_equal(got, "\xEE\x55\x55\x61\x55", 5);
    fw_get(&fw, 0x3002, got, 4, 0xEE);
    assert_memory_equal(got, "\x55\x55\x62\xEE", 4);
    fw_free(&fw);
}

static void too_much_data_is_refused(void **state)
{
    struct fail f = {0};
    uint64_t at = 0;
    struct fw fw;

    (void)state;
    fw_init(&fw);
    fw.pages = FW_MAX_SIZE / FW_PAGE - 2; /* as if it were that full */
    while (fw_add(&fw, (uint32_t)at, "x", 1, &f))
        at += FW_PAGE;
    assert_int_equal(at, 2 * FW_PAGE);
    assert_int_equal(f.code, FAIL_INPUT);
    fw_free(&fw);
}

/* ---- Intel HEX ---- */

#define HEX_END ":00000001FF\n"

struct hex_case {
    const char *text;
    const char *message;
};

static void malformed_hex_is_refused_with_its_line(void **state)
{
    static const struct hex_case cases[] = {
        {"", "t.hex:0: the end record \":00000001FF\" is missing, the file may "
             "be cut short"},
        {":0100000041BE\n", "t.hex:1: the end record \":00000001FF\" is "
                            "missing, the file may be cut short"},
        {"\n\nhello\n" HEX_END, "t.hex:3: the line does not start with ':'"},
        {":01000000G1BE\n", "t.hex:1: column 10 is not a hexadecimal digit"},
        {": 0100000041BE\n", "t.hex:1: column 2 is not a hexadecimal digit"},
        {":0100000041B\n",
         "t.hex:1: 11 digits, expected an even number from 10 to 520"},
        {":00000001\n",
         "t.hex:1: 8 digits, expected an even number from 10 to 520"},
        {":\n", "t.hex:1: 0 digits, expected an even number from 10 to 520"},
        {":0100000041BF\n", "t.hex:1: the checksum is 0xBF, expected 0xBE"},
        {":0200000041BD\n",
         "t.hex:1: the record has 1 data bytes, its length says 2"},
        {":010000004142BE\n",
         "t.hex:1: the record has 2 data bytes, its length says 1"},
        {":00000006FA\n", "t.hex:1: record type 0x06, expected 00 to 05"},
        {":000000FF01\n", "t.hex:1: record type 0xFF, expected 00 to 05"},
        {":0100000400FB\n", "t.hex:1: a record of type 04 has 1 data bytes, "
                            "expected 2"},
        {":0300000200000"
         "0FB\n",
         "t.hex:1: a record of type 02 has 3 data "
         "bytes, expected 2"},
        {":020000030000FB\n", "t.hex:1: a record of type 03 has 2 data bytes, "
                              "expected 4"},
        {":020000050000F9\n", "t.hex:1: a record of type 05 has 2 data bytes, "
                              "expected 4"},
        {":0100000100FE\n", "t.hex:1: a record of type 01 has 1 data bytes, "
                            "expected 0"},
        {HEX_END ":0100000041BE\n",
         "t.hex:2: there is more behind the end record"},
        {":0100000041BE\r\n:0100000042BD\r\n" HEX_END,
         "t.hex:2: two values for address 0x00000000: 0x41 before, 0x42 here"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fail f = {0};
        struct fw fw;

        fw_init(&fw);
        assert_false(load_hex(&fw, cases[i].text, &f));
        fw_free(&fw);
        assert_int_equal(f.code, FAIL_INPUT);
        assert_string_equal(f.text, cases[i].message);
    }
}

struct hex_place {
    const char *text;
    uint64_t first;
    uint64_t last;
};

/* What the base records add up to; wraps as the specification says. */
static void hex_addresses(void **state)
{
    static const struct hex_place cases[] = {
        {":0100100041AE\n" HEX_END, 0x10, 0x10},
        {":020000040800F2\n:0100100041AE\n" HEX_END, 0x08000010, 0x08000010},
        {":020000021234B6\n:0100100041AE\n" HEX_END, 0x12350, 0x12350},
        {":02000002F000"
         "0C\n:02FFFF0041427D\n" HEX_END,
         0xF0000, 0xFFFFF},
        {":02000004FFFFFC\n:02FFFF0041427D\n" HEX_END, 0, 0xFFFFFFFF},
        {":020000040001F9\n:02FFFF0041427D\n" HEX_END, 0x1FFFF, 0x20000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fail f = {0};
        uint64_t a = 0, b = 0;
        struct fw fw;

        fw_init(&fw);
        assert_true(load_hex(&fw, cases[i].text, &f));
        assert_true(fw_span(&fw, &a, &b));
        fw_free(&fw);
        assert_true(a == cases[i].first);
        assert_true(b - 1 == cases[i].last);
    }
}

static void hex_entry_points(void **state)
{
    struct fail f = {0};
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(load_hex(&fw, ":0400000508002101CD\r\n" HEX_END, &f));
    assert_true(fw.has_entry);
    assert_int_equal(fw.entry, 0x08002101);
    assert_true(load_hex(&fw, ":0400000312340005AE\n\n" HEX_END "\n", &f));
    assert_int_equal(fw.entry, 0x12345);
    fw_free(&fw);
}

static void hex_in_lower_case(void **state)
{
    struct fail f = {0};
    uint8_t got[2];
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(load_hex(&fw, ":02000000abcd86\n:00000001ff", &f));
    fw_get(&fw, 0, got, 2, 0);
    assert_memory_equal(got, "\xAB\xCD", 2);
    fw_free(&fw);
}

/* ---- round trips ---- */

static void random_parts_survive_hex(void **state)
{
    uint64_t seed = seed_of_run();

    (void)state;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t random = (seed + i) * 0x9E3779B97F4A7C15ull | 1;
        struct fw fw, copy;
        bool ok;

        fw_init(&fw);
        fw_init(&copy);
        add_random_parts(&fw, &random);
        round_trip(hex_write, hex_read, &fw, &copy);
        ok = same(&fw, &copy);
        fw_free(&fw);
        fw_free(&copy);
        if (!ok)
            fail_msg("replay: SALLYPORT_TEST_SEED=%llu",
                     (unsigned long long)(seed + i));
    }
}

/* One data record with a base record of its own. */
static void print_record(FILE *file, uint32_t addr, const uint8_t *data,
                         uint32_t n)
{
    uint32_t sum = n + (addr >> 8 & 0xFF) + (addr & 0xFF);

    fprintf(file, ":02000004%04X%02X\n", addr >> 16,
            (0x100 - (6 + (addr >> 24) + (addr >> 16 & 0xFF))) & 0xFF);
    fprintf(file, ":%02X%04X00", n, addr & 0xFFFF);
    for (uint32_t i = 0; i < n; i++) {
        sum += data[i];
        fprintf(file, "%02X", data[i]);
    }
    fprintf(file, "%02X\n", -sum & 0xFF);
}

/* 64 records that tile [base, ...), written in a random order. */
static void print_shuffled(FILE *file, uint32_t base, const uint8_t *data,
                           uint64_t *random)
{
    uint32_t order[64];

    for (uint32_t i = 0; i < 64; i++)
        order[i] = i;
    for (uint32_t i = 63; i > 0; i--) {
        uint32_t k = next(random) % (i + 1), keep = order[i];

        order[i] = order[k];
        order[k] = keep;
    }
    for (uint32_t i = 0; i < 64; i++)
        print_record(file, base + order[i] * 255, data + order[i] * 255, 255);
    fprintf(file, HEX_END);
}

static void records_in_any_order_are_the_same(void **state)
{
    uint64_t seed = seed_of_run(), random = seed * 2 + 1;
    uint8_t data[64 * 255], got[sizeof(data)];
    uint32_t base = next(&random) & 0x7FFFFFFF;
    FILE *file = tmpfile();
    struct fail f = {0};
    struct fw fw;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)next(&random);
    print_shuffled(file, base, data, &random);
    rewind(file);
    fw_init(&fw);
    if (!hex_read(&fw, file, "t.hex", &f))
        fail_msg("%s; replay: SALLYPORT_TEST_SEED=%llu", f.text,
                 (unsigned long long)seed);
    fclose(file);
    assert_true(fw_find(&fw, 0, true) == base);
    assert_true(fw_find(&fw, base, false) == base + sizeof(data));
    fw_get(&fw, base, got, sizeof(got), 0);
    fw_free(&fw);
    assert_memory_equal(got, data, sizeof(data));
}

/* Whatever is done to a HEX file: an answer, never a crash. */
static void damaged_hex_does_no_harm(void **state)
{
    static const char good[] = ":020000040800F2\n:0400100041424344E2\n"
                               ":0400000508002101CD\n:00000001FF\n";
    uint64_t seed = seed_of_run(), random = seed * 2 + 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[sizeof(good)];
        struct fail f = {0};
        struct fw fw;

        memcpy(text, good, sizeof(text));
        for (uint32_t k = next(&random) % 4; k < 4; k++)
            text[next(&random) % (sizeof(text) - 1)] =
                ":0123456789AF\n\r x"[next(&random) % 17];
        fw_init(&fw);
        if (!load_hex(&fw, text, &f))
            assert_int_equal(f.code, FAIL_INPUT);
        fw_free(&fw);
    }
}

/* ---- ELF ---- */

struct tiny_elf {
    Elf32_Ehdr ehdr;
    Elf32_Phdr phdr;
    uint8_t code[64];
};

static struct tiny_elf good_elf(void)
{
    struct tiny_elf e = {
        .ehdr = {.e_type = ET_EXEC,
                 .e_machine = EM_ARM,
                 .e_version = EV_CURRENT,
                 .e_entry = 0x08001041,
                 .e_phoff = offsetof(struct tiny_elf, phdr),
                 .e_ehsize = sizeof(Elf32_Ehdr),
                 .e_phentsize = sizeof(Elf32_Phdr),
                 .e_phnum = 1},
        .phdr = {.p_type = PT_LOAD,
                 .p_offset = offsetof(struct tiny_elf, code),
                 .p_vaddr = 0x20000000,
                 .p_paddr = 0x08001000,
                 .p_filesz = 64,
                 .p_memsz = 4096},
    };

    memcpy(e.ehdr.e_ident, ELFMAG, SELFMAG);
    e.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
    e.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
    e.ehdr.e_ident[EI_VERSION] = EV_CURRENT;
    for (size_t i = 0; i < sizeof(e.code); i++)
        e.code[i] = (uint8_t)i;
    return e;
}

static void elf_is_placed_by_physical_address(void **state)
{
    struct tiny_elf e = good_elf();
    struct fail f = {0};
    uint64_t a = 0, b = 0;
    uint8_t got[64];
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(load_elf(&fw, &e, sizeof(e), &f));
    assert_true(fw_span(&fw, &a, &b));
    fw_get(&fw, a, got, sizeof(got), 0);
    assert_int_equal(a, 0x08001000);
    assert_int_equal(b, 0x08001040);
    assert_memory_equal(got, e.code, sizeof(got));
    assert_int_equal(fw.entry, 0x08001041);
    fw_free(&fw);
}

static void expect_bad_elf(const struct tiny_elf *e, size_t n,
                           const char *message)
{
    struct fail f = {0};
    struct fw fw;

    fw_init(&fw);
    assert_false(load_elf(&fw, e, n, &f));
    fw_free(&fw);
    assert_int_equal(f.code, FAIL_INPUT);
    if (message)
        assert_string_equal(f.text, message);
}

static void other_elf_files_are_refused(void **state)
{
    struct tiny_elf e = good_elf();

    (void)state;
    e.ehdr.e_machine = EM_RISCV;
    expect_bad_elf(&e, sizeof(e),
                   "t.elf:0x12: an ELF file for RISC-V (machine "
                   "243), expected ARM (40)");
    e = good_elf();
    e.ehdr.e_type = ET_REL;
    expect_bad_elf(&e, sizeof(e),
                   "t.elf:0x10: ELF type 1, expected an executable "
                   "(2): link it first");
    e = good_elf();
    e.phdr.p_paddr = 0xFFFFFFF0;
    expect_bad_elf(&e, sizeof(e),
                   "t.elf:0x54: 64 bytes for 0xFFFFFFF0 go past the end of the "
                   "address space");
    e = good_elf();
    expect_bad_elf(&e, sizeof(e) - 1,
                   "t.elf:0x54: cut short: 64 bytes are expected here");
    expect_bad_elf(&e, sizeof(e.ehdr) + 4, NULL);
    expect_bad_elf(&e, 20, NULL);
}

static void damaged_elf_does_no_harm(void **state)
{
    uint64_t seed = seed_of_run(), random = seed * 2 + 1;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct tiny_elf e = good_elf();
        uint8_t *bytes = (uint8_t *)&e;
        struct fail f = {0};
        struct fw fw;

        for (int k = 0; k < 3; k++)
            bytes[4 + next(&random) % 80] = (uint8_t)next(&random);
        fw_init(&fw);
        if (!load_elf(&fw, &e, 84 + next(&random) % 65, &f))
            assert_int_equal(f.code, FAIL_INPUT);
        fw_free(&fw);
    }
}

/* ---- stamp ---- */

/* 62 bytes, so the image is padded to 64. */
static void make_image(struct fw *fw, uint8_t *image)
{
    struct fail f = {0};

    memset(image, 0, 62);
    put_le32(image + IMG_OFF_SP, 0x20001000);
    put_le32(image + IMG_OFF_RESET, 0x08001001);
    image[60] = 0xA5;
    fw_init(fw);
    fw->placed = true;
    assert_true(fw_add(fw, 0x08001000, image, 62, &f));
}

static void a_stamp_is_what_img_h_says(void **state)
{
    struct stamp_request request = {.has_product = true,
                                    .product = 7,
                                    .has_version = true,
                                    .version = 0x01020003};
    struct fail f = {0};
    struct stamp s;
    uint8_t image[64];
    struct fw fw;

    (void)state;
    make_image(&fw, image);
    assert_true(stamp_put(&fw, &request, &s, &f));
    fw_get(&fw, 0x08001000, image, 64, 0);
    assert_memory_equal(image + IMG_OFF_MAGIC, "SALY", 4);
    assert_int_equal(get_le32(image + IMG_OFF_LENGTH), 64);
    assert_int_equal(get_le32(image + IMG_OFF_PRODUCT), 7);
    assert_int_equal(get_le32(image + IMG_OFF_VERSION), 0x01020003);
    assert_memory_equal(image + 60, "\xA5\x00\xFF\xFF", 4);
    assert_int_equal(get_le32(image + IMG_OFF_CRC), s.crc);
    put_le32(image + IMG_OFF_CRC, 0);
    assert_int_equal(img_crc32(0, image, 64), s.crc);
    fw_free(&fw);
}

static void a_second_stamp_changes_nothing(void **state)
{
    struct stamp_request first = {.has_product = true,
                                  .product = 7,
                                  .has_version = true,
                                  .version = 0x01020003};
    struct stamp_request second = {0};
    struct fail f = {0};
    struct stamp a, b;
    uint8_t image[64];
    struct fw fw;

    (void)state;
    make_image(&fw, image);
    assert_true(stamp_put(&fw, &first, &a, &f));
    assert_true(stamp_put(&fw, &second, &b, &f));
    assert_memory_equal(&a, &b, sizeof(a));
    fw_free(&fw);
}

static void used_words_are_not_lost(void **state)
{
    static const uint32_t offsets[] = {IMG_OFF_MAGIC, IMG_OFF_LENGTH,
                                       IMG_OFF_CRC, IMG_OFF_PRODUCT,
                                       IMG_OFF_VERSION};

    (void)state;
    for (size_t i = 0; i < COUNT(offsets); i++) {
        struct stamp_request request = {0};
        struct fail f = {0};
        struct stamp s;
        uint8_t image[64];
        struct fw fw;

        make_image(&fw, image);
        put_le32(image + offsets[i], 0xFFFFFFFF); /* not in use */
        assert_true(fw_set(&fw, 0x08001000, image, 62, &f));
        put_le32(image + offsets[i], 0x08001001);
        assert_true(fw_set(&fw, 0x08001000, image, 62, &f));
        assert_false(stamp_put(&fw, &request, &s, &f));
        assert_int_equal(f.code, FAIL_UNFIT);
        fw_free(&fw);
    }
}

struct version_case {
    const char *text;
    uint32_t version;
    bool good;
};

static void versions(void **state)
{
    static const struct version_case cases[] = {
        {"0.0.0", 0, true},
        {"1.2.3", 0x01020003, true},
        {"255.255.65535", 0xFFFFFFFF, true},
        {"256.0.0", 0, false},
        {"0.256.0", 0, false},
        {"0.0.65536", 0, false},
        {"99999999999.0.0", 0, false},
        {"1.2", 0, false},
        {"1.2.", 0, false},
        {"1..3", 0, false},
        {"1.2.3.4", 0, false},
        {"1.2.3-rc1", 0, false},
        {" 1.2.3", 0, false},
        {"-1.2.3", 0, false},
        {"", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t version = 0;
        struct fail f = {0};

        assert_int_equal(stamp_parse_version(cases[i].text, &version, &f),
                         cases[i].good);
        if (cases[i].good)
            assert_int_equal(version, cases[i].version);
        else
            assert_int_equal(f.code, FAIL_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_fw_has_no_span),
        cmocka_unit_test(data_at_both_ends_of_the_address_space),
        cmocka_unit_test(the_same_data_twice_is_fine_other_data_is_not),
        cmocka_unit_test(fill_leaves_data_alone),
        cmocka_unit_test(too_much_data_is_refused),
        cmocka_unit_test(malformed_hex_is_refused_with_its_line),
        cmocka_unit_test(hex_addresses),
        cmocka_unit_test(hex_entry_points),
        cmocka_unit_test(hex_in_lower_case),
        cmocka_unit_test(random_parts_survive_hex),
        cmocka_unit_test(records_in_any_order_are_the_same),
        cmocka_unit_test(damaged_hex_does_no_harm),
        cmocka_unit_test(elf_is_placed_by_physical_address),
        cmocka_unit_test(other_elf_files_are_refused),
        cmocka_unit_test(damaged_elf_does_no_harm),
        cmocka_unit_test(a_stamp_is_what_img_h_says),
        cmocka_unit_test(a_second_stamp_changes_nothing),
        cmocka_unit_test(used_words_are_not_lost),
        cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
