/* SPDX-License-Identifier: MIT */
/*
 * test_formats.c - S-records and .dfu files, and every format made of every
 * other.
 *
 * The random tests print their seed when they fail; SALLYPORT_TEST_SEED=n
 * replays it.
 */
#include "bytes.h"
#include "dfu_file.h"
#include "fw.h"
#include "fw_bench.h"
#include "img.h"
#include "srec.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS       200
#define PAIR_ROUNDS  4

static FILE *file_of(const void *data, size_t n)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    rewind(file);
    return file;
}

/* ---- S-records ---- */

static bool load_srec(struct fw *fw, const char *text, struct fail *f)
{
    FILE *file = file_of(text, strlen(text));
    bool ok = srec_read(fw, file, "t.srec", f);

    fclose(file);
    return ok;
}

#define S_END "S9030000FC\n"

struct text_case {
    const char *text;
    const char *message;
};

static void malformed_srec_is_refused_with_its_line(void **state)
{
    static const struct text_case cases[] = {
        {"S1040000419A\n", "1: the checksum is 0x9A, expected 0xBA"},
        {"S1040000", "1: the record has 2 bytes behind its length, which says "
                     "4"},
        {"S104000041BA\n", "1: the end record (S7, S8 or S9) is missing, the "
                           "file may be cut short"},
        {"", "0: the end record (S7, S8 or S9) is missing, the file may be cut "
             "short"},
        {"\n\nhello\n", "3: the line does not start with 'S'"},
        {"S4030000FC\n", "1: no type of record behind 'S', expected S0 to S3 "
                         "or S5 to S9"},
        {"S\n", "1: no type of record behind 'S', expected S0 to S3 or S5 to "
                "S9"},
        {"Sx\n", "1: no type of record behind 'S', expected S0 to S3 or S5 to "
                 "S9"},
        {"S10400G041BA\n", "1: column 7 is not a hexadecimal digit"},
        {"S1040000 41BA\n", "1: column 9 is not a hexadecimal digit"},
        {"S104000041B\n", "1: 9 digits, expected an even number from 4 to 512"},
        {"S1\n", "1: 0 digits, expected an even number from 4 to 512"},
        {"S10200FD\n", "1: an S1 record has 2 bytes behind its length, "
                       "expected 3 or more"},
        {"S3040000003B\n", "1: the checksum is 0x3B, expected 0xFB"},
        {"S304000000FB\n", "1: an S3 record has 4 bytes behind its length, "
                           "expected 5 or more"},
        {"S904000041BA\n", "1: an S9 record has 4 bytes behind its length, "
                           "expected 3"},
        {"S504000041BA\n", "1: an S5 record has 4 bytes behind its length, "
                           "expected 3"},
        {"S104000041BA\nS5030002FA\n" S_END,
         "2: the count says 2 data records, there are 1: lines are missing"},
        {"S104000041BA\nS5030000FC\n" S_END,
         "2: the count says 0 data records, there are 1: lines are missing"},
        {"S104000041BA\nS5030001FB\nS104000042B9\n",
         "3: two values for address 0x00000000: 0x41 before, 0x42 here"},
        {"S104000041BA\nS5030001FB\nS104000142B8\n",
         "3: the end record (S7, S8 or S9) is missing, the file may be cut "
         "short"},
        {"S104000041BAx\n", "1: column 13 is not a hexadecimal digit"},
        {S_END "S104000041BA\n", "2: there is more behind the end record"},
        {"S104000041BA\r\nS104000042B9\r\n" S_END,
         "2: two values for address 0x00000000: 0x41 before, 0x42 here"},
        {"S307FFFFFFFF414279\n" S_END,
         "1: 2 bytes at 0xFFFFFFFF go past the end of the address space"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fail f = {0};
        struct fw fw;
        char want[200];

        fw_init(&fw);
        if (load_srec(&fw, cases[i].text, &f))
            fail_msg("'%s' is read", cases[i].text);
        fw_free(&fw);
        assert_int_equal(f.code, FAIL_INPUT);
        snprintf(want, sizeof(want), "t.srec:%s", cases[i].message);
        assert_string_equal(f.text, want);
    }
}

/* Header, the three lengths of addresses, no order, CR LF, lower case, both
 * kinds of count. */
static void every_kind_of_srec_is_read(void **state)
{
    struct fail f = {0};
    uint8_t got[4];
    struct fw fw;

    (void)state;
    fw_init(&fw);
    if (!load_srec(&fw,
                   "S00B00006D79206170700001AC\r\n"
                   "S3060800000043AE\r\n"
                   "S206123456abcde5\r\n\r\n"
                   "S104100041AA\r\n"
                   "S5030003F9\r\n"
                   "S604000003F8\r\n"
                   "S70508000101F0",
                   &f))
        fail_msg("%s", f.text);
    assert_string_equal(fw.name, "my app");
    assert_true(fw.placed && fw.has_entry && fw.format == FW_SREC);
    assert_int_equal(fw.entry, 0x08000101);
    assert_int_equal(fw_find(&fw, 0, true), 0x1000);
    assert_int_equal(fw_find(&fw, 0x1001, true), 0x123456);
    assert_int_equal(fw_find(&fw, 0x123458, true), 0x08000000);
    assert_true(fw_find(&fw, 0x08000001, true) == FW_END);
    fw_get(&fw, 0x123456, got, 2, 0);
    assert_memory_equal(got, "\xAB\xCD", 2);
    fw_free(&fw);
}

/* What srec_cat makes without a start address ends with a count. */
static void a_count_ends_a_file_as_well(void **state)
{
    struct fail f = {0};
    struct fw fw;

    (void)state;
    fw_init(&fw);
    assert_true(load_srec(&fw, "S104100041AA\nS5030001FB\n", &f));
    assert_false(fw.has_entry);
    fw_free(&fw);
}

static void srec_gets_the_shortest_addresses(void **state)
{
    static const struct {
        uint32_t addr, entry;
        const char *text;
    } cases[] = {
        {0x0000FFFF, 0, "S0030000FC\nS104FFFF41BC\nS5030001FB\nS9030000FC\n"},
        {0x00010000, 0,
         "S0030000FC\nS20501000041B8\nS5030001FB\nS804000000FB\n"},
        {0x01000000, 0,
         "S0030000FC\nS3060100000041B7\nS5030001FB\nS70500000000FA\n"},
        {0x00000000, 0x01000001,
         "S0030000FC\nS3060000000041B8\nS5030001FB\nS70501000001F8\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fail f = {0};
        char text[200];
        struct fw fw;
        FILE *file = tmpfile();
        size_t n;

        fw_init(&fw);
        assert_true(fw_add(&fw, cases[i].addr, "A", 1, &f));
        fw.has_entry = cases[i].entry != 0;
        fw.entry = cases[i].entry;
        srec_write(&fw, file);
        rewind(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        text[n] = '\0';
        fclose(file);
        fw_free(&fw);
        assert_string_equal(text, cases[i].text);
    }
}

/* S5 holds 16 bits. */
static void many_records_are_counted(void **state)
{
    static const char end[] = "S604010000FA\nS804000000FB\n";
    struct fail f = {0};
    char text[sizeof(end)] = "";
    struct fw fw, copy;
    FILE *file = tmpfile();

    (void)state;
    fw_init(&fw);
    fw_init(&copy);
    for (uint32_t i = 0; i < 0x10000; i++)
        assert_true(fw_add(&fw, 32 * i, "A", 1, &f));
    srec_write(&fw, file);
    fseek(file, -(long)(sizeof(end) - 1), SEEK_END);
    assert_int_equal(fread(text, 1, sizeof(text), file), sizeof(end) - 1);
    rewind(file);
    assert_true(srec_read(&copy, file, "t", &f));
    assert_true(same(&fw, &copy));
    assert_string_equal(text, end);
    fclose(file);
    fw_free(&fw);
    fw_free(&copy);
}

static void random_parts_survive_srec(void **state)
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
        fw.entry = next(&random) & (0xFFFFFFFF << next(&random) % 32);
        fw.has_entry = fw.entry != 0;
        round_trip(srec_write, srec_read, &fw, &copy);
        ok = same(&fw, &copy) && fw.has_entry == copy.has_entry &&
             fw.entry == copy.entry;
        fw_free(&fw);
        fw_free(&copy);
        if (!ok)
            fail_msg("replay: SALLYPORT_TEST_SEED=%llu",
                     (unsigned long long)(seed + i));
    }
}

/* ---- .dfu ---- */

#define TARGET 274u

/* "DfuSe" with two targets (2 elements, 1 element), as UM0391 has it; the
 * rest of a name's field is what ST's tools leave there. */
#define SAMPLE_SIZE (11u + 2 * TARGET + (8 + 4) + (8 + 2) + (8 + 3) + 16u)
#define SECOND      (11u + TARGET + (8 + 4) + (8 + 2))
#define SAMPLE_BODY (SAMPLE_SIZE - 16u)
#define FIRST_DATA  (11u + TARGET)

static void put_target(uint8_t *p, uint8_t alternate, const char *name,
                       uint32_t size, uint32_t elements)
{
    memset(p, 0xCD, TARGET);
    memcpy(p, "Target", 6);
    p[6] = alternate;
    put_le32(p + 7, 1);
    memcpy(p + 11, name, strlen(name) + 1);
    put_le32(p + 266, size);
    put_le32(p + 270, elements);
}

static void put_element(uint8_t *p, uint32_t addr, const char *data)
{
    put_le32(p, addr);
    put_le32(p + 4, (uint32_t)strlen(data));
    memcpy(p + 8, data, strlen(data));
}

static void seal(uint8_t *file, size_t n)
{
    put_le32(file + n - 4, ~img_crc32(0, file, (uint32_t)n - 4));
}

static void make_sample(uint8_t *p)
{
    memset(p, 0, SAMPLE_SIZE);
    memcpy(p, "DfuSe\1", 6);
    put_le32(p + 6, SAMPLE_BODY);
    p[10] = 2;
    put_target(p + 11, 0, "Internal Flash", 22, 2);
    put_element(p + FIRST_DATA, 0x08004000, "abcd");
    put_element(p + FIRST_DATA + 12, 0x08004100, "ef");
    put_target(p + SECOND, 3, "Option Bytes", 11, 1);
    put_element(p + SECOND + TARGET, 0x08004000, "xyz");
    memcpy(p + SAMPLE_BODY, "\x34\x12\x11\xDF\x83\x04\x1A\x01UFD\x10", 12);
    seal(p, SAMPLE_SIZE);
}

static bool load_dfu(struct fw *fw, const uint8_t *data, size_t n, bool plain,
                     struct fail *f)
{
    FILE *file = file_of(data, n);
    bool ok = plain ? dfu_file_read_plain(fw, file, "t.dfu", NULL, f)
                    : dfu_file_read_dfuse(fw, file, "t.dfu", f);

    fclose(file);
    return ok;
}

static void check_part(const struct fw *fw, uint64_t addr, const char *data)
{
    char got[16] = "";
    size_t n = strlen(data);

    assert_int_equal(fw_find(fw, addr, true), addr);
    assert_int_equal(fw_find(fw, addr, false), addr + n);
    fw_get(fw, addr, got, n, 0);
    assert_string_equal(got, data);
}

/* The two alternate settings have different bytes at one address. */
static void check_sample(const struct fw *fw)
{
    assert_int_equal(fw->format, FW_DFUSE);
    assert_true(fw->placed);
    assert_int_equal(fw->vid, 0x0483);
    assert_int_equal(fw->pid, 0xDF11);
    assert_int_equal(fw->bcd_device, 0x1234);
    assert_int_equal(fw->alternate, 0);
    assert_string_equal(fw->name, "Internal Flash");
    check_part(fw, 0x08004000, "abcd");
    check_part(fw, 0x08004100, "ef");
    assert_non_null(fw->next);
    assert_null(fw->next->next);
    assert_int_equal(fw->next->alternate, 3);
    assert_string_equal(fw->next->name, "Option Bytes");
    check_part(fw->next, 0x08004000, "xyz");
}

static void dfuse_with_several_targets_and_garbage_in_names(void **state)
{
    uint8_t data[SAMPLE_SIZE], again[SAMPLE_SIZE + 1];
    struct fail f = {0};
    FILE *file = tmpfile();
    struct fw fw;

    (void)state;
    make_sample(data);
    fw_init(&fw);
    if (!load_dfu(&fw, data, sizeof(data), false, &f))
        fail_msg("%s", f.text);
    check_sample(&fw);
    dfu_file_write_dfuse(&fw, file);
    fw_free(&fw);
    rewind(file);
    assert_int_equal(fread(again, 1, sizeof(again), file), SAMPLE_SIZE);
    fclose(file);
    /* The same file but for the garbage. */
    memset(data + 11 + 11 + 14, 0, 255 - 14);
    memset(data + SECOND + 11 + 12, 0, 255 - 12);
    memset(data + 11 + 8, 0, 3);
    seal(data, sizeof(data));
    assert_memory_equal(again, data, SAMPLE_SIZE);
}

/* As dfuse-pack counts; targets of one alternate setting; a name that fills
 * its field; one that is said not to be there; elements of nothing. */
static void what_others_write_is_read(void **state)
{
    uint8_t data[SAMPLE_SIZE];
    struct fail f = {0};
    struct fw fw;

    (void)state;
    make_sample(data);
    put_le32(data + 6, SAMPLE_SIZE);
    data[SECOND + 6] = 0;                         /* alternate setting */
    memset(data + 11 + 11, 'n', 255);             /* name */
    put_le32(data + SECOND + 7, 0);               /* named */
    put_le32(data + SECOND + TARGET, 0x08004004); /* address */
    seal(data, sizeof(data));
    fw_init(&fw);
    if (!load_dfu(&fw, data, sizeof(data), false, &f))
        fail_msg("%s", f.text);
    assert_null(fw.next);
    assert_int_equal(strlen(fw.name), 255);
    check_part(&fw, 0x08004000, "abcdxyz");
    fw_free(&fw);

    make_sample(data);
    data[SECOND + 6] = 0;
    put_le32(data + SECOND + TARGET, 0x08005000);
    seal(data, sizeof(data));
    fw_init(&fw);
    assert_true(load_dfu(&fw, data, sizeof(data), false, &f));
    assert_string_equal(fw.name, "Internal Flash"); /* the first one's */
    fw_free(&fw);

    make_sample(data);
    put_le32(data + SECOND + TARGET + 4, 0); /* then 3 bytes are too many */
    put_le32(data + SECOND + 266, 8);
    memmove(data + SAMPLE_BODY - 3, data + SAMPLE_BODY, 16);
    put_le32(data + 6, SAMPLE_BODY - 3);
    seal(data, sizeof(data) - 3);
    fw_init(&fw);
    if (!load_dfu(&fw, data, sizeof(data) - 3, false, &f))
        fail_msg("%s", f.text);
    assert_null(fw.next);
    fw_free(&fw);
}

struct dfu_case {
    uint32_t offset; /* a 32-bit number is put there */
    uint32_t value;
    const char *message;
};

static void malformed_dfuse_is_refused_with_its_place(void **state)
{
    static const struct dfu_case cases[] = {
        {5, 0x00024E02, "0x5: DfuSe format 2, expected 1"},
        {6, SAMPLE_BODY - 1,
         "0x6: the file says that it has 591 bytes without its suffix, there "
         "are 592"},
        {11, 0x67726155, "0xB: this is no target, expected \"Target\""},
        {11 + 266, 23,
         "0x133: 1 bytes behind the last of 2 elements of the target"},
        {11 + 266, 15,
         "0x129: an element is expected, the target has 3 bytes left"},
        {11 + 266, 0x10000000,
         "0x115: a target of 268435456 bytes, the file has 307 left"},
        {11 + 270, 3,
         "0x133: an element is expected, the target has 0 bytes left"},
        {11 + 270, 1,
         "0x129: 10 bytes behind the last of 1 elements of the target"},
        {FIRST_DATA, 0xFFFFFFFD,
         "0x11D: 4 bytes at 0xFFFFFFFD go past the end of the address space"},
        {FIRST_DATA + 4, 15,
         "0x121: an element of 15 bytes, the target has 14 left"},
        {FIRST_DATA + 4, 0xFFFFFFFF,
         "0x121: an element of 4294967295 bytes, the target has 14 left"},
        {FIRST_DATA + 12, 0x08004003,
         "0x131: two values for address 0x08004003: 0x64 before, 0x65 here"},
        {10, 0x72615403,
         "0x250: a target is expected, which begins with 274 bytes; the file "
         "has 0 left"},
        {10, 0x72615401, "0x133: 285 bytes behind the last of 1 targets"},
        {SAMPLE_BODY + 6, 0x46550100,
         "0x256: the suffix is one of DFU 0x0100, expected 0x011A in a DfuSe "
         "file"},
        {SAMPLE_BODY + 8, 0x11444655,
         "0x6: the file says that it has 592 bytes without its suffix, there "
         "are 591"},
        {SAMPLE_BODY + 8, 0x0F444655,
         "0x250: the last 16 bytes are no DFU suffix, expected \"UFD\" at "
         "0x258: the file may be cut short"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t data[SAMPLE_SIZE];
        struct fail f = {0};
        char want[200];
        struct fw fw;

        make_sample(data);
        put_le32(data + cases[i].offset, cases[i].value);
        seal(data, sizeof(data));
        fw_init(&fw);
        if (load_dfu(&fw, data, sizeof(data), false, &f))
            fail_msg("'%s' is read", cases[i].message);
        fw_free(&fw);
        assert_int_equal(f.code, FAIL_INPUT);
        snprintf(want, sizeof(want), "t.dfu:%s", cases[i].message);
        assert_string_equal(f.text, want);
    }
}

/* Every length is too short, every flipped bit is found. */
static void dfuse_that_is_cut_or_flipped(void **state)
{
    uint8_t data[SAMPLE_SIZE];

    (void)state;
    make_sample(data);
    for (size_t n = 0; n < sizeof(data); n++) {
        struct fail f = {0};
        struct fw fw;

        fw_init(&fw);
        assert_false(load_dfu(&fw, data, n, n % 2, &f));
        fw_free(&fw);
        assert_int_equal(f.code, FAIL_INPUT);
        assert_true(!strncmp(f.text, "t.dfu:0x", 8));
    }
    for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
        struct fail f = {0};
        struct fw fw;

        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        fw_init(&fw);
        assert_false(load_dfu(&fw, data, sizeof(data), false, &f));
        fw_free(&fw);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* CRC over everything before it, not inverted (DFU 1.1 appendix B). */
static void plain_dfu_is_a_binary_with_a_suffix(void **state)
{
    uint8_t data[64];
    struct fail f = {0};
    FILE *file = tmpfile();
    struct fw fw;
    size_t n;

    (void)state;
    fw_init(&fw);
    assert_true(fw_add(&fw, 0x08004000, "abcd", 4, &f));
    assert_true(fw_add(&fw, 0x08004006, "ef", 2, &f));
    fw.vid = 0x1209;
    fw.pid = 0x0001;
    dfu_file_write_plain(&fw, file);
    fw_free(&fw);
    rewind(file);
    n = fread(data, 1, sizeof(data), file);
    fclose(file);
    assert_int_equal(n, 8 + 16);
    assert_memory_equal(data,
                        "abcd\xFF\xFF"
                        "ef\xFF\xFF\x01\x00\x09\x12\x00\x01UFD\x10",
                        20);
    assert_int_equal(get_le32(data + 20), ~img_crc32(0, data, 20));
    fw_init(&fw);
    assert_true(load_dfu(&fw, data, n, true, &f));
    assert_false(fw.placed);
    assert_true(fw.plain_dfu && fw.format == FW_DFU);
    assert_int_equal(fw.vid, 0x1209);
    assert_int_equal(fw.pid, 1);
    check_part(&fw, 0,
               "abcd\xFF\xFF"
               "ef");
    fw_free(&fw);
    put_le16(data + 14, 0x011A);
    seal(data, n);
    fw_init(&fw);
    assert_false(load_dfu(&fw, data, n, true, &f));
    fw_free(&fw);
    assert_string_equal(f.text,
                        "t.dfu:0x0: the suffix (bcdDFU 0x011A) is a DfuSe "
                        "file's, expected \"DfuSe\" here");
    data[3] ^= 1;
    put_le16(data + 14, 0x0100);
    fw_init(&fw);
    assert_false(load_dfu(&fw, data, n, true, &f));
    fw_free(&fw);
    assert_memory_equal(f.text, "t.dfu:0x14: the suffix has CRC 0x", 33);
}

/* ---- alternate settings ---- */

static void one_alternate_setting_is_taken(void **state)
{
    static const struct {
        uint8_t alternate;
        const char *data, *name;
    } cases[] = {{0, "abcd", "Internal Flash"}, {3, "xyz", "Option Bytes"}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t data[SAMPLE_SIZE];
        struct fail f = {0};
        struct fw fw;

        make_sample(data);
        fw_init(&fw);
        assert_true(load_dfu(&fw, data, sizeof(data), false, &f));
        assert_false(fw_keep_alternate(&fw, 1, &f));
        assert_int_equal(f.code, FAIL_UNFIT);
        check_sample(&fw);
        assert_true(fw_keep_alternate(&fw, cases[i].alternate, &f));
        assert_null(fw.next);
        assert_int_equal(fw.alternate, cases[i].alternate);
        assert_string_equal(fw.name, cases[i].name);
        check_part(&fw, 0x08004000, cases[i].data);
        fw_free(&fw);
    }
}

/* ---- every format made of every other ---- */

/* What comes out of a file where it is not what went in. */
static void fill_blocks(struct fw *fw, uint32_t size)
{
    struct fail f = {0};

    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END;) {
        uint64_t end = fw_find(fw, at, false);

        assert_true(fw_fill(fw, at / size * size,
                            (end + size - 1) / size * size, 0xFF, &f));
        at = end;
    }
}

static void fill_gaps(struct fw *fw)
{
    struct fail f = {0};
    uint64_t start, end;

    assert_true(fw_span(fw, &start, &end));
    assert_true(fw_fill(fw, start, end, 0xFF, &f));
}

struct kind {
    const char *path;
    bool plain;
};

static const struct kind kinds[] = {
    {"test_formats.bin", false},  {"test_formats.hex", false},
    {"test_formats.srec", false}, {"test_formats.uf2", false},
    {"test_formats.dfu", false},  {"test_formats-plain.dfu", true},
};

/* Into a file and back; *want becomes what the format can hold. */
static void through(const struct kind *kind, struct fw *fw, struct fw *want)
{
    bool has_entry = fw->has_entry;
    uint64_t start, end;
    uint32_t address;
    struct fail f = {0};

    assert_true(fw_span(fw, &start, &end));
    address = (uint32_t)start;
    fw->plain_dfu = kind->plain;
    if (!fw_save(fw, kind->path, &f))
        fail_msg("%s", f.text);
    fw_free(fw);
    if (!fw_load(fw, kind->path, &address, &f))
        fail_msg("%s", f.text);
    unlink(kind->path);
    assert_true(fw->placed);
    if (fw->format == FW_UF2)
        fill_blocks(want, 256);
    if (!fw_format_has_place(fw->format))
        fill_gaps(want);
    if (fw->format == FW_HEX || fw->format == FW_SREC) {
        assert_int_equal(fw->has_entry, has_entry);
        if (has_entry)
            assert_int_equal(fw->entry, want->entry);
    } else {
        assert_false(fw->has_entry);
    }
}

/* An ELF file with one segment for each run of bytes. */
static void write_elf(const struct fw *fw, const char *path)
{
    uint64_t end;
    uint16_t count = 0;
    uint32_t offset;
    FILE *file = fopen(path, "wb");
    Elf32_Ehdr ehdr = {.e_type = ET_EXEC,
                       .e_machine = EM_ARM,
                       .e_version = EV_CURRENT,
                       .e_entry = fw->entry,
                       .e_phoff = sizeof(Elf32_Ehdr),
                       .e_ehsize = sizeof(Elf32_Ehdr),
                       .e_phentsize = sizeof(Elf32_Phdr)};

    assert_non_null(file);
    memcpy(ehdr.e_ident, ELFMAG "\1\1\1", 7);
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; at = end) {
        end = fw_find(fw, at, false);
        count++;
    }
    ehdr.e_phnum = count;
    offset = (uint32_t)(sizeof(Elf32_Ehdr) + count * sizeof(Elf32_Phdr));
    fwrite(&ehdr, 1, sizeof(ehdr), file);
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; at = end) {
        Elf32_Phdr phdr = {
            .p_type = PT_LOAD, .p_offset = offset, .p_paddr = (uint32_t)at};

        end = fw_find(fw, at, false);
        phdr.p_filesz = phdr.p_memsz = (uint32_t)(end - at);
        fwrite(&phdr, 1, sizeof(phdr), file);
        offset += phdr.p_filesz;
    }
    for (uint64_t at = 0; (at = fw_find(fw, at, true)) < FW_END; at++) {
        uint8_t byte;

        fw_get(fw, at, &byte, 1, 0);
        fputc(byte, file);
    }
    fclose(file);
}

/* From ELF into one format, from that into a second. */
static void check_pair(size_t a, size_t b, uint64_t seed)
{
    uint64_t random = seed * 0x9E3779B97F4A7C15ull | 1;
    struct fail f = {0};
    struct fw fw, want;
    uint64_t start, end;

    fw_init(&fw);
    fw_init(&want);
    add_random_parts(&want, &random);
    fw_span(&want, &start, &end);
    /* UF2 starts at a whole block, .hex and the like anywhere. */
    assert_true(fw_set(&want, (uint32_t)(start & ~255ull), "x", 1, &f));
    want.entry = next(&random) | 1;
    write_elf(&want, "test_formats.elf");
    if (!fw_load(&fw, "test_formats.elf", NULL, &f))
        fail_msg("%s", f.text);
    unlink("test_formats.elf");
    assert_true(same(&fw, &want) && fw.entry == want.entry);
    through(&kinds[a], &fw, &want);
    if (!same(&fw, &want))
        fail_msg("ELF to %s: SALLYPORT_TEST_SEED=%llu", kinds[a].path,
                 (unsigned long long)seed);
    through(&kinds[b], &fw, &want);
    if (!same(&fw, &want))
        fail_msg("%s to %s: SALLYPORT_TEST_SEED=%llu", kinds[a].path,
                 kinds[b].path, (unsigned long long)seed);
    fw_free(&fw);
    fw_free(&want);
}

static void every_format_becomes_every_other(void **state)
{
    uint64_t seed = seed_of_run();

    (void)state;
    for (uint64_t i = 0; i < PAIR_ROUNDS; i++) {
        for (size_t a = 0; a < COUNT(kinds); a++) {
            for (size_t b = 0; b < COUNT(kinds); b++)
                check_pair(a, b, seed + i);
        }
    }
}

static void alternate_settings_fit_into_dfuse_only(void **state)
{
    uint8_t data[SAMPLE_SIZE];

    (void)state;
    make_sample(data);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct fail f = {0};
        struct fw fw;

        fw_init(&fw);
        assert_true(load_dfu(&fw, data, sizeof(data), false, &f));
        fw.plain_dfu = kinds[i].plain;
        if (fw_save(&fw, kinds[i].path, &f)) {
            assert_string_equal(kinds[i].path, "test_formats.dfu");
            fw_free(&fw);
            assert_true(fw_load(&fw, kinds[i].path, NULL, &f));
            check_sample(&fw);
            unlink(kinds[i].path);
        } else {
            assert_int_equal(f.code, FAIL_UNFIT);
            assert_non_null(strstr(f.text, "alternate settings 0, 3"));
            assert_int_not_equal(access(kinds[i].path, F_OK), 0);
        }
        fw_free(&fw);
    }
}

static void data_without_addresses_gets_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct fail f = {0};
        struct fw fw;
        bool ok;

        fw_init(&fw);
        assert_true(fw_add(&fw, 0, "abcd", 4, &f));
        fw.plain_dfu = kinds[i].plain;
        ok = fw_save(&fw, kinds[i].path, &f);
        fw_free(&fw);
        assert_int_equal(ok, i == 0 || kinds[i].plain);
        if (ok)
            unlink(kinds[i].path);
        else
            assert_int_equal(f.code, FAIL_UNFIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_srec_is_refused_with_its_line),
        cmocka_unit_test(every_kind_of_srec_is_read),
        cmocka_unit_test(a_count_ends_a_file_as_well),
        cmocka_unit_test(srec_gets_the_shortest_addresses),
        cmocka_unit_test(many_records_are_counted),
        cmocka_unit_test(random_parts_survive_srec),
        cmocka_unit_test(dfuse_with_several_targets_and_garbage_in_names),
        cmocka_unit_test(what_others_write_is_read),
        cmocka_unit_test(malformed_dfuse_is_refused_with_its_place),
        cmocka_unit_test(dfuse_that_is_cut_or_flipped),
        cmocka_unit_test(plain_dfu_is_a_binary_with_a_suffix),
        cmocka_unit_test(one_alternate_setting_is_taken),
        cmocka_unit_test(every_format_becomes_every_other),
        cmocka_unit_test(alternate_settings_fit_into_dfuse_only),
        cmocka_unit_test(data_without_addresses_gets_none),
    };
    char directory[] = "/tmp/test_formats.XXXXXX";
    int failed;

    if (!mkdtemp(directory) || chdir(directory))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
