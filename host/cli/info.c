/* SPDX-License-Identifier: MIT */
/* info.c - the verb `info`: what is in a firmware file. */
#include "cli.h"
#include "img.h"
#include "stamp.h"
#include "vec.h"

static const struct cli_option options[] = {{0}};

static void print_family(const struct fw *fw)
{
    const char *name = NULL;

    if (!fw->has_family) {
        printf("family   none\n");
        return;
    }
    for (int i = 0; board_infos[i] && !name; i++) {
        if (board_infos[i]->uf2_family == fw->family)
            name = board_infos[i]->name;
    }
    printf("family   0x%08X (%s)\n", fw->family,
           name ? name : "no board known here");
}

static bool is_dfu(const struct fw *fw)
{
    return fw->format == FW_DFUSE || fw->format == FW_DFU;
}

static void print_id(uint16_t id)
{
    if (id == FW_ANY_ID)
        printf("any");
    else
        printf("%04X", id);
}

static void print_device(const struct fw *fw)
{
    printf("device   ");
    print_id(fw->vid);
    printf(":");
    print_id(fw->pid);
    printf(", revision ");
    print_id(fw->bcd_device);
    printf("\n");
}

/* Whatever is in there, on one line. */
static void print_name(const struct fw *fw)
{
    for (const char *p = fw->name; *p; p++)
        putchar(*p >= ' ' && *p <= '~' ? *p : '?');
}

static void print_target(const struct fw *fw)
{
    if (fw->format == FW_DFUSE) {
        printf("target   alternate setting %u", fw->alternate);
        if (fw->name[0]) {
            printf(" (");
            print_name(fw);
            printf(")");
        }
        printf("\n");
    } else if (fw->name[0]) {
        printf("name     ");
        print_name(fw);
        printf("\n");
    }
}

static void print_place(const struct fw *fw, uint64_t start, uint64_t end)
{
    unsigned parts = 0;

    for (uint64_t at = start; at < end; parts++)
        at = fw_find(fw, fw_find(fw, at, false), true);
    if (fw->placed)
        printf("address  0x%08X to 0x%08X\n", (uint32_t)start,
               (uint32_t)(end - 1));
    else
        printf("address  not in the file\n");
    printf("size     %llu bytes", (unsigned long long)(end - start));
    if (parts > 1)
        printf(" with gaps, %u parts", parts);
    printf("\n");
    if (fw->has_entry)
        printf("entry    0x%08X\n", fw->entry);
    if (fw->format == FW_UF2)
        print_family(fw);
}

static void print_vectors(const struct fw *fw, uint64_t start, uint64_t end)
{
    struct vec v = vec_get(fw, start);
    struct fail why = {0};

    printf("vectors  stack 0x%08X, reset 0x%08X: ", v.sp, v.reset);
    if (vec_check(fw, start, end, NULL, &why))
        printf("good\n");
    else
        printf("bad, %s\n", why.text);
}

static const char *board_of(uint32_t product)
{
    for (int i = 0; board_infos[i]; i++) {
        if (board_infos[i]->product == product)
            return board_infos[i]->name;
    }
    return product ? "no board known here" : "every product";
}

/* True: the stamp fits the image. */
static bool print_stamp(const struct fw *fw, uint64_t start, uint64_t end,
                        const struct stamp *s, struct fail *f)
{
    bool fits = s->length >= IMG_HEADER_SIZE && s->length % 4 == 0 &&
                s->length <= end - start;
    uint32_t crc = fits ? stamp_crc(fw, start, s->length) : 0;

    printf("product  0x%08X (%s)\n", s->product, board_of(s->product));
    printf("version  %u.%u.%u\n", s->version >> 24, s->version >> 16 & 0xFF,
           s->version & 0xFFFF);
    printf("length   %u bytes: %s\n", s->length, fits ? "good" : "bad");
    printf("crc      0x%08X: %s\n", s->crc,
           fits && s->crc == crc ? "good" : "bad");
    if (!fits)
        return fail(f, FAIL_UNFIT, "the stamp says %u bytes, the file has %llu",
                    s->length, (unsigned long long)(end - start));
    if (s->crc != crc)
        return fail(f, FAIL_UNFIT,
                    "the stamp's CRC is 0x%08X, the image's is 0x%08X", s->crc,
                    crc);
    return true;
}

/* The bytes for one alternate setting. */
static bool print_part(const struct fw *fw, struct fail *f)
{
    uint64_t start = 0, end = 0;
    struct stamp s;

    fw_span(fw, &start, &end);
    print_target(fw);
    print_place(fw, start, end);
    print_vectors(fw, start, end);
    if (stamp_get(fw, start, &s))
        return print_stamp(fw, start, end, &s, f);
    printf("stamp    none\n");
    return true;
}

/* All of it, and the first thing that is wrong. */
static bool print_fw(const struct fw *fw, const char *path, struct fail *f)
{
    bool ok = true;

    printf("file     %s\n", path);
    printf("format   %s\n", fw_format_name(fw->format));
    if (is_dfu(fw))
        print_device(fw);
    for (const struct fw *part = fw; part; part = part->next) {
        struct fail later;

        ok = print_part(part, ok ? f : &later) && ok;
    }
    return ok || fail_at(f, "%s: ", path);
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct fw fw;
    bool ok;

    fw_init(&fw);
    ok = fw_load(&fw, call->file, NULL, f) && print_fw(&fw, call->file, f);
    fw_free(&fw);
    return ok;
}

const struct cli_verb cli_info = {
    .name = "info",
    .synopsis = "FILE",
    .summary = "show what is in a firmware file",
    .details =
        "Shows format, place, vectors and stamp of an ELF, Intel HEX,\n"
        "S-record, .dfu, UF2 or raw binary file.  A stamp that does not match\n"
        "its image is an error.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
