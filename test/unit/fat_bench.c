/* SPDX-License-Identifier: MIT */
/* fat_bench.c - see fat_bench.h. */
#include "fat_bench.h"

#include "plat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void plat_serial(char *digits)
{
    memcpy(digits, SERIAL, PLAT_SERIAL_DIGITS);
}

#if CONFIG_FILES /* stage.c asks for them */
uint32_t plat_ms(void)
{
    return 0;
}

uint32_t plat_crc(uint32_t crc, uint32_t word, uint32_t n)
{
    (void)word, (void)n;
    return crc;
}
#endif

/* ---- the volume, as its own boot sector describes it ---- */

uint32_t u16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

/* What was in the buffer before must not show, nor may more be written. */
struct sector read_sector(const struct fat *fat, uint32_t lba)
{
    struct {
        struct sector sector;
        uint8_t behind[16];
    } buffer;

    struct fat_cluster cluster[FAT_FREE_END] = {0};

    fat_mount(cluster);
    memset(&buffer, 0xA5, sizeof(buffer));
    fat_read(fat, cluster, lba, buffer.sector.bytes);
    for (size_t i = 0; i < sizeof(buffer.behind); i++)
        assert_int_equal(buffer.behind[i], 0xA5);
    return buffer.sector;
}

struct volume open_volume(const struct fat *fat)
{
    struct sector boot = read_sector(fat, 0);
    const uint8_t *b = boot.bytes;
    struct volume v = {
        .fat = fat,
        .sectors = u32(b + 32),
        .reserved = u16(b + 14),
        .fat_size = u32(b + 36),
        .cluster_size = b[13],
        .root = u32(b + 44),
        .fsinfo = u16(b + 48),
        .backup = u16(b + 50),
    };

    v.data = v.reserved + b[16] * v.fat_size;
    v.clusters = (v.sectors - v.data) / v.cluster_size;
    return v;
}

uint32_t fat_value(const struct volume *v, uint32_t cluster)
{
    struct sector s = read_sector(v->fat, v->reserved + cluster / 128);

    return u32(s.bytes + cluster % 128 * 4) & 0x0FFFFFFF;
}

uint32_t cluster_lba(const struct volume *v, uint32_t cluster)
{
    return v->data + (cluster - 2) * v->cluster_size;
}

uint32_t chain_length(const struct volume *v, uint32_t cluster)
{
    uint32_t n = 1;

    for (; fat_value(v, cluster) < 0x0FFFFFF8; n++) {
        assert_int_equal(fat_value(v, cluster), cluster + 1);
        cluster++;
        assert_true(n < v->clusters);
    }
    return n;
}

uint32_t root_entries(const struct volume *v, uint8_t entries[][32],
                      uint32_t max)
{
    uint32_t sectors = chain_length(v, v->root) * v->cluster_size;
    uint32_t n = 0;

    for (uint32_t i = 0; i < sectors; i++) {
        struct sector s = read_sector(v->fat, cluster_lba(v, v->root) + i);

        for (uint32_t j = 0; j < 512; j += 32) {
            if (s.bytes[j] == 0)
                continue;
            assert_int_equal(n, i * 16 + j / 32); /* no hole: 0 is the end */
            assert_true(n < max);
            memcpy(entries[n++], s.bytes + j, 32);
        }
    }
    return n;
}

/* It is in one sector, so its size is. */
char *status_text(const struct volume *v, char text[513])
{
    uint8_t entries[16][32];
    struct sector s;
    uint32_t cluster, size;

    assert_true(root_entries(v, entries, 16) >= 2);
    cluster = u16(entries[1] + 26) | u16(entries[1] + 20) << 16;
    size = u32(entries[1] + 28);
    assert_in_range(size, 1, 512);
    s = read_sector(v->fat, cluster_lba(v, cluster));
    memset(text, 0, 513);
    memcpy(text, s.bytes, size);
    assert_int_equal(strlen(text), size);
    for (uint32_t i = size; i < 512; i++)
        assert_int_equal(s.bytes[i], 0);
    return text;
}

/* ---- tools of others ---- */

static char directory[] = "/tmp/sallyport-fat-XXXXXX";

int fat_bench_set_up(void **state)
{
    char path[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s:/usr/sbin:/sbin", getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("LC_ALL", "C", 1);
    setenv("MTOOLSRC", "/dev/null", 1);
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

int fat_bench_tear_down(void **state)
{
    (void)state;
    remove("image");
    remove("file");
    return rmdir(directory);
}

void dump(const struct fat *fat)
{
    FILE *file = fopen("image", "wb");

    assert_non_null(file);
    for (uint32_t lba = 0; lba < FAT_LBA(FAT_FILES_END); lba++) {
        struct sector s;

        if (lba == FAT_LBA(FAT_FREE)) {
            if (!CONFIG_FILES)
                break;
            lba = FAT_LBA(FAT_FREE_END);
            assert_int_equal(fseek(file, (long)lba * 512, SEEK_SET), 0);
        }
        s = read_sector(fat, lba);
        assert_int_equal(fwrite(s.bytes, 512, 1, file), 1);
    }
    assert_int_equal(fflush(file), 0);
    assert_int_equal(ftruncate(fileno(file), (off_t)FAT_VOLUME * 512), 0);
    fclose(file);
}

int run(const char *command, char *out, size_t size)
{
    FILE *pipe = popen(command, "r");
    size_t n;
    int result;

    assert_non_null(pipe);
    n = fread(out, 1, size - 1, pipe);
    out[n] = 0;
    while (fgetc(pipe) != EOF)
        ;
    result = pclose(pipe);
    if (!WIFEXITED(result) || WEXITSTATUS(result) == 127)
        fail_msg("%s: %s", command, out);
    return WEXITSTATUS(result);
}

void assert_run(const char *command, const char *line)
{
    char out[8192];

    if (run(command, out, sizeof(out)) != 0 || !strstr(out, line))
        fail_msg("%s: no \"%s\" in: %s", command, line, out);
}

void make_file(uint32_t size)
{
    FILE *file = fopen("file", "wb");

    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), size), 0);
    fclose(file);
}
