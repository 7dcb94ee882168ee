/* SPDX-License-Identifier: MIT */
/* test_volume.c - which mounted volumes are a board's, and status files of
 * any content. */
#include "volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

static const char good[] =
    "product: STM32F407VG\nboard: stm32f407\nversion: 0.1.0+0123abcd\n"
    "slot: 0x08004000+0x000fc000\nflash: @Internal Flash /0x08000000/1*16Ka\n"
    "serial: %s\noffset: 0x00000200\nresult: ERROR   0x02 no firmware\n";

struct place {
    char root[64];
    char mountinfo[128];
    struct volume found[4];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    strcpy(p->root, "/tmp/test_volume.XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->mountinfo, sizeof(p->mountinfo), "%s/mountinfo", p->root);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", p->root);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

/* A directory with the status file of a board, or none (serial NULL). */
static void put_volume(struct place *p, const char *name, const char *serial)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", p->root, name);
    assert_int_equal(mkdir(path, 0777), 0);
    if (!serial)
        return;
    strcat(path, "/ERROR.txt");
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, good, serial);
    fclose(file);
}

/* `mount` as mountinfo writes it. */
static void put_line(struct place *p, const char *mount, const char *type)
{
    FILE *file = fopen(p->mountinfo, "a");

    assert_non_null(file);
    fprintf(file,
            "99 1 0:77 / %s/%s rw,nosuid shared:5 master:1 - %s /dev/sdz rw\n",
            p->root, mount, type);
    fclose(file);
}

static size_t find(struct place *p, struct volume_filter filter)
{
    size_t n = volume_find(&filter, p->mountinfo, p->found, 4), mounted = 0;

    /* A real board on this machine is none of the test's. */
    while (mounted < n && p->found[mounted].mounted)
        mounted++;
    return mounted;
}

static void finds_mounted_volumes(void **state)
{
    struct place *p = *state;
    char path[256];

    put_volume(p, "BOOTLOADER", "A1");
    put_volume(p, "a b", "B2");
    put_volume(p, "stick", NULL);
    put_volume(p, "nfs", "C3");
    put_volume(p, "sshfs", "D4");
    put_line(p, "BOOTLOADER", "vfat");
    put_line(p, "a\\040b", "vfat");
    put_line(p, "stick", "vfat");
    put_line(p, "nfs", "nfs4");
    put_line(p, "sshfs", "fuse.sshfs");
    put_line(p, "gone", "vfat");
    assert_int_equal(find(p, (struct volume_filter){0}), 2);
    snprintf(path, sizeof(path), "%s/BOOTLOADER", p->root);
    assert_string_equal(p->found[0].path, path);
    assert_string_equal(p->found[0].status.serial, "A1");
    assert_string_equal(p->found[1].status.serial, "B2");

    assert_int_equal(find(p, (struct volume_filter){.serial = "b2"}), 1);
    snprintf(path, sizeof(path), "%s/a b", p->root);
    assert_string_equal(p->found[0].path, path);
    assert_int_equal(find(p, (struct volume_filter){.label = "BOOTLOADER"}), 1);
    assert_string_equal(p->found[0].status.serial, "A1");
    assert_int_equal(find(p, (struct volume_filter){.absent = "error.TXT"}), 0);
    assert_int_equal(find(p, (struct volume_filter){.mount = path}), 1);
}

static void leaves_out_volumes_whose_device_is_gone(void **state)
{
    struct place *p = *state;
    FILE *file;

    put_volume(p, "BOOTLOADER", "A1");
    file = fopen(p->mountinfo, "w");
    assert_non_null(file);
    fprintf(file, "99 1 8:65535 / %s/BOOTLOADER rw - vfat /dev/sdz rw\n",
            p->root);
    fclose(file);
    assert_int_equal(find(p, (struct volume_filter){0}), 0);
}

static void survives_other_mountinfos(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "1 2 3\n",
        "1 2 3 4 5 - vfat\n",
        "- - - - - - - - -\n",
        "1 2 0:3 / /\\04 rw - vfat x rw\n",
        "1 2 0:3 / /\\777 rw - vfat \\",
    };
    struct place *p = *state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        FILE *file = fopen(p->mountinfo, "w");

        assert_non_null(file);
        fputs(texts[i], file);
        fclose(file);
        assert_int_equal(find(p, (struct volume_filter){0}), 0);
    }
}

static void reads_a_status_file(void **state)
{
    struct volume_status s;
    struct fail f = {0};
    char text[512];

    (void)state;
    snprintf(text, sizeof(text), good, "2468");
    assert_true(volume_parse(text, strlen(text), &s, &f));
    assert_string_equal(s.product, "STM32F407VG");
    assert_string_equal(s.board, "stm32f407");
    assert_string_equal(s.version, "0.1.0+0123abcd");
    assert_string_equal(s.layout, "@Internal Flash /0x08000000/1*16Ka");
    assert_string_equal(s.serial, "2468");
    assert_int_equal(s.slot_start, 0x08004000);
    assert_int_equal(s.slot_size, 0xFC000);
    assert_int_equal(s.state, VOLUME_ERROR);
    assert_int_equal(s.code, 2);
    assert_int_equal(s.offset, 0x200);
    assert_string_equal(s.sentence, "no firmware");
    assert_string_equal(s.firmware, "");

    /* of a bootloader that shows more files */
    strcat(text, "不是固件\nfirmware: 1.2.3 DEMO.BIN\n");
    assert_true(volume_parse(text, strlen(text), &s, &f));
    assert_string_equal(s.sentence, "no firmware");
    assert_string_equal(s.firmware, "1.2.3 DEMO.BIN");
}

/* Cut anywhere, with anything in it: refused or read, never a control
 * character in what is printed. */
static void survives_damaged_status_files(void **state)
{
    unsigned seed = (unsigned)time(NULL);
    const char *given = getenv("SALLYPORT_TEST_SEED");
    char text[512];

    (void)state;
    if (given)
        seed = (unsigned)strtoul(given, NULL, 0);
    print_message("replay: SALLYPORT_TEST_SEED=%u\n", seed);
    srand(seed);
    for (int i = 0; i < 20000; i++) {
        struct volume_status s;
        struct fail f = {0};
        size_t n;
        char *cut; /* of its own size, for the address sanitizer */

        snprintf(text, sizeof(text), good, "2468");
        n = strlen(text);
        for (int k = rand() % 4; k > 0; k--)
            text[(size_t)rand() % n] = (char)rand();
        n = rand() % 2 ? n : (size_t)rand() % n;
        cut = malloc(n + 1);
        memcpy(cut, text, n);
        if (volume_parse(cut, n, &s, &f)) {
            assert_true(s.slot_size && strlen(s.sentence) < 128);
            for (const char *p = s.serial; *p; p++)
                assert_true((unsigned char)*p >= ' ');
        } else {
            assert_int_equal(f.code, FAIL_NO_DEVICE);
        }
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_mounted_volumes, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(leaves_out_volumes_whose_device_is_gone,
                                        make_place, remove_place),
        cmocka_unit_test_setup_teardown(survives_other_mountinfos, make_place,
                                        remove_place),
        cmocka_unit_test(reads_a_status_file),
        cmocka_unit_test(survives_damaged_status_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
