/* SPDX-License-Identifier: MIT */
/* info.c - the verb `info`: what is in a firmware file; info_device.c has what
 * is on a device. */
#include "info.h"

#include "img.h"
#include "stamp.h"
#include "vec.h"

static const struct cli_option options[] = {
    TARGET_OPTION_TABLE,
    {0},
};

/* ---- each fact: a line of text, or a member of a JSON object ---- */

/* The boards whose chips are of that family. */
static void print_boards_of(const struct fw *fw)
{
    const char *before = "";

    for (int i = 0; board_infos[i]; i++)
        if (board_infos[i]->uf2_family == fw->family) {
            printf("%s%s", before, board_infos[i]->name);
            before = ", ";
        }
    if (!*before)
        printf("no board known here");
}

static void show_family(const struct fw *fw, struct json *j)
{
    if (j && fw->has_family)
        json_hex(j, "family", fw->family, 8);
    else if (!j && fw->has_family) {
        printf("family   0x%08X (", fw->family);
        print_boards_of(fw);
        printf(")\n");
    } else if (!j)
        printf("family   none\n");
}

static bool is_dfu(const struct fw *fw)
{
    return fw->format == FW_DFUSE || fw->format == FW_DFU;
}

static void id_text(char text[8], uint16_t id)
{
    snprintf(text, 8, id == FW_ANY_ID ? "any" : "%04X", id);
}

static void show_ids(const struct fw *fw, struct json *j)
{
    char vid[8], pid[8], revision[8];

    id_text(vid, fw->vid);
    id_text(pid, fw->pid);
    id_text(revision, fw->bcd_device);
    if (j) {
        json_string(j, "vid", vid);
        json_string(j, "pid", pid);
        json_string(j, "revision", revision);
    } else {
        printf("device   %s:%s, revision %s\n", vid, pid, revision);
    }
}

/* Whatever is in there, on one line. */
static void clean_name(const struct fw *fw, char text[sizeof(fw->name)])
{
    size_t i;

    for (i = 0; fw->name[i]; i++)
        text[i] = fw->name[i] >= ' ' && fw->name[i] <= '~' ? fw->name[i] : '?';
    text[i] = 0;
}

static void show_target(const struct fw *fw, struct json *j)
{
    char name[sizeof(fw->name)];

    clean_name(fw, name);
    if (j && fw->format == FW_DFUSE)
        json_number(j, "alternate", fw->alternate);
    if (j && name[0])
        json_string(j, "name", name);
    if (j)
        return;
    if (fw->format == FW_DFUSE)
        printf("target   alternate setting %u%s%s%s\n", fw->alternate,
               name[0] ? " (" : "", name, name[0] ? ")" : "");
    else if (name[0])
        printf("name     %s\n", name);
}

static void json_place(const struct fw *fw, uint64_t start, uint64_t end,
                       unsigned parts, struct json *j)
{
    if (fw->placed) {
        json_hex(j, "address", (uint32_t)start, 8);
        json_hex(j, "last", (uint32_t)(end - 1), 8);
    }
    json_number(j, "size", end - start);
    json_number(j, "parts", parts);
    if (fw->has_entry)
        json_hex(j, "entry", fw->entry, 8);
}

static void print_place(const struct fw *fw, uint64_t start, uint64_t end,
                        unsigned parts)
{
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
}

static void show_place(const struct fw *fw, uint64_t start, uint64_t end,
                       struct json *j)
{
    unsigned parts = 0;

    for (uint64_t at = start; at < end; parts++)
        at = fw_find(fw, fw_find(fw, at, false), true);
    if (j)
        json_place(fw, start, end, parts, j);
    else
        print_place(fw, start, end, parts);
    if (fw->format == FW_UF2)
        show_family(fw, j);
}

static void show_vectors(const struct fw *fw, uint64_t start, uint64_t end,
                         struct json *j)
{
    struct vec v = vec_get(fw, start);
    struct fail why = {0};
    bool good = vec_check(fw, start, end, NULL, &why);

    if (!j) {
        printf("vectors  stack 0x%08X, reset 0x%08X: %s%s\n", v.sp, v.reset,
               good ? "good" : "bad, ", why.text);
        return;
    }
    json_open(j, "vectors", '{');
    json_hex(j, "stack", v.sp, 8);
    json_hex(j, "reset", v.reset, 8);
    json_bool(j, "good", good);
    json_close(j, '}');
}

static const char *board_of(uint32_t product)
{
    for (int i = 0; board_infos[i]; i++) {
        if (board_infos[i]->product == product)
            return board_infos[i]->name;
    }
    return product ? "no board known here" : "every product";
}

static void print_stamp(const struct stamp *s, const char *version, bool fits,
                        bool good)
{
    printf("product  0x%08X (%s)\n", s->product, board_of(s->product));
    printf("version  %s\n", version);
    printf("length   %u bytes: %s\n", s->length, fits ? "good" : "bad");
    printf("crc      0x%08X: %s\n", s->crc, good ? "good" : "bad");
}

static void json_stamp(const struct stamp *s, const char *version, bool good,
                       struct json *j)
{
    json_open(j, "stamp", '{');
    json_hex(j, "product", s->product, 8);
    json_string(j, "board", board_of(s->product));
    json_string(j, "version", version);
    json_number(j, "length", s->length);
    json_hex(j, "crc", s->crc, 8);
    json_bool(j, "good", good);
    json_close(j, '}');
}

/* True: the stamp fits the image. */
static bool show_stamp(const struct fw *fw, uint64_t start, uint64_t end,
                       const struct stamp *s, struct json *j, struct fail *f)
{
    bool fits = s->length >= IMG_HEADER_SIZE && s->length % 4 == 0 &&
                s->length <= end - start;
    uint32_t crc = fits ? stamp_crc(fw, start, s->length) : 0;
    char version[16];

    snprintf(version, sizeof(version), "%u.%u.%u", s->version >> 24,
             s->version >> 16 & 0xFF, s->version & 0xFFFF);
    if (j)
        json_stamp(s, version, fits && s->crc == crc, j);
    else
        print_stamp(s, version, fits, fits && s->crc == crc);
    if (!fits)
        return fail(f, FAIL_UNFIT, "the stamp says %u bytes, there are %llu",
                    s->length, (unsigned long long)(end - start));
    if (s->crc != crc)
        return fail(f, FAIL_UNFIT,
                    "the stamp's CRC is 0x%08X, the image's is 0x%08X", s->crc,
                    crc);
    return true;
}

/* ---- an image: in a file for one alternate setting, on a device ---- */

bool info_image(const struct fw *fw, struct json *j, struct fail *f)
{
    uint64_t start = 0, end = 0;
    struct stamp s;

    fw_span(fw, &start, &end);
    show_target(fw, j);
    show_place(fw, start, end, j);
    show_vectors(fw, start, end, j);
    if (stamp_get(fw, start, &s))
        return show_stamp(fw, start, end, &s, j, f);
    if (!j)
        printf("stamp    none\n");
    return true;
}

/* All of it, and the first thing that is wrong. */
static bool show_fw(const struct fw *fw, const char *path, struct json *j,
                    struct fail *f)
{
    bool ok = true;

    if (j) {
        json_string(j, "file", path);
        json_string(j, "format", fw_format_name(fw->format));
        json_open(j, "images", '[');
    } else {
        printf("file     %s\n", path);
        printf("format   %s\n", fw_format_name(fw->format));
    }
    for (const struct fw *part = fw; part; part = part->next) {
        struct fail later;

        if (j)
            json_open(j, NULL, '{');
        if (is_dfu(fw) && part == fw)
            show_ids(fw, j);
        ok = info_image(part, j, ok ? f : &later) && ok;
        if (j)
            json_close(j, '}');
    }
    if (j)
        json_close(j, ']');
    return ok || fail_at(f, "%s: ", path);
}

void info_json(const char *path, const struct fail *f)
{
    struct json j = {0};
    struct fail why = {0};
    struct fw fw;

    fw_init(&fw);
    json_open(&j, NULL, '{');
    /* What is wrong with a stamp is in there; the file is as it should be. */
    if (path && fw_load(&fw, path, NULL, &why))
        show_fw(&fw, path, &j, &why);
    target_json_fail(&j, f);
    json_close(&j, '}');
    if (json_text(&j))
        puts(json_text(&j));
    json_free(&j);
    fw_free(&fw);
}

static bool info_file(const struct cli_call *call, struct fail *f)
{
    struct json j = {0}, *to = call->value[TARGET_JSON] ? &j : NULL;
    struct fw fw;
    bool ok;

    fw_init(&fw);
    json_open(&j, NULL, '{');
    ok = fw_load(&fw, call->file, NULL, f) && show_fw(&fw, call->file, to, f);
    target_json_fail(&j, f);
    json_close(&j, '}');
    if (to && json_text(&j))
        puts(json_text(&j));
    json_free(&j);
    fw_free(&fw);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    return call->file ? info_file(call, f) : info_device(call, f);
}

const struct cli_verb cli_info = {
    .name = "info",
    .synopsis = "[FILE] " TARGET_SYNOPSIS,
    .summary = "show what is in a firmware file, or on a device",
    .details =
        "Shows format, place, vectors and stamp of an ELF, Intel HEX,\n"
        "S-record, .dfu, UF2 or raw binary file; without FILE what a device\n"
        "is, its memory, and the same of the image that it has.  A stamp that\n"
        "does not match its image is an error.",
    .options = options,
    .files_max = 1,
    .run = run,
};
