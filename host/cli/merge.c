/* SPDX-License-Identifier: MIT */
/* merge.c - the verb `merge`: see the help text below. */
#include "merge.h"

#include "output.h"
#include "stamp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT = CLI_OUTPUT, BOARD, REST };

static const struct cli_option options[] = {
    CLI_OUTPUT_FIRST,
    [BOARD] = {"board", 0, "NAME", "board that it is for; it has to fit"},
    CLI_OUTPUT_REST(REST),
    {0},
};

/* FILE or FILE@ADDR.  The name goes into *path, to be freed. */
static bool split_name(const char *arg, char **path, bool *has_address,
                       uint32_t *address, struct fail *f)
{
    const char *at = strrchr(arg, '@');
    struct fail none;

    *path = strdup(arg);
    if (!*path)
        return fail(f, FAIL_SYSTEM, "no memory left");
    *has_address = at && access(arg, F_OK) != 0;
    if (!*has_address)
        return true;
    (*path)[at - arg] = '\0';
    return cli_number("", at + 1, address, &none) ||
           fail(f, FAIL_USAGE, "%s: '%s' behind the @ is no address", arg,
                at + 1);
}

static bool load(struct merge_part *part, const char *arg,
                 const struct cli_output *out, struct fail *f)
{
    bool has_address;
    uint32_t address;

    if (!split_name(arg, &part->path, &has_address, &address, f) ||
        !fw_load(&part->fw, part->path, has_address ? &address : NULL, f) ||
        !cli_output_choose(out, &part->fw, part->path, f))
        return false;
    if (has_address && fw_format_has_place(part->fw.format))
        return fail(f, FAIL_USAGE,
                    "%s: the file (%s) says itself where it belongs, leave "
                    "out @%s",
                    part->path, fw_format_name(part->fw.format),
                    strrchr(arg, '@') + 1);
    if (!part->fw.placed)
        return fail(f, FAIL_USAGE,
                    "%s: a %s file does not say where it belongs: give it as "
                    "%s@ADDR",
                    part->path, fw_format_name(part->fw.format), part->path);
    return stamp_fill(&part->fw, f) || fail_at(f, "%s: ", part->path);
}

/* Where its flash is is all that is asked: bootloaders have another place
 * than applications. */
static bool check_board(const struct merge_part *part,
                        const struct board_info *board, struct fail *f)
{
    uint64_t from = board->flash_base;
    uint64_t to = from + board->flash_size;
    uint64_t start = 0, end = 0;

    if (part->fw.has_family && part->fw.family != board->uf2_family)
        return fail(
            f, FAIL_UNFIT, "%s: the file is for family 0x%08X, %s takes 0x%08X",
            part->path, part->fw.family, board->name, board->uf2_family);
    fw_span(&part->fw, &start, &end);
    if (start >= from && end <= to)
        return true;
    return fail(f, FAIL_UNFIT,
                "%s: the data (0x%08X to 0x%08X) is not within the flash of %s "
                "(0x%08X to 0x%08X)",
                part->path, (uint32_t)start, (uint32_t)(end - 1), board->name,
                (uint32_t)from, (uint32_t)(to - 1));
}

static bool merge(struct merge_part *parts, const struct cli_call *call,
                  const struct cli_output *out, struct fail *f)
{
    struct fw fw;
    bool ok = true;

    fw_init(&fw);
    for (size_t i = 0; i < call->n_files && ok; i++)
        ok = load(&parts[i], call->files[i], out, f) &&
             (!out->board || check_board(&parts[i], out->board, f)) &&
             merge_add(&fw, parts, i, f);
    ok = ok && cli_output_prepare(out, &fw, out->path, "", f) &&
         fw_save(&fw, out->path, f);
    if (ok)
        cli_output_report(out, &fw);
    fw_free(&fw);
    return ok;
}

static bool merge_files(const struct cli_call *call, struct fail *f)
{
    struct merge_part *parts;
    struct cli_output out;
    bool ok;

    if (!cli_output_get(&out, "merge", REST, call, f) ||
        (call->value[BOARD] && !cli_board(call->value[BOARD], &out.board, f)))
        return false;
    parts = calloc(call->n_files, sizeof(*parts));
    if (!parts)
        return fail(f, FAIL_SYSTEM, "no memory left");
    for (size_t i = 0; i < call->n_files; i++)
        fw_init(&parts[i].fw);
    ok = merge(parts, call, &out, f);
    for (size_t i = 0; i < call->n_files; i++) {
        fw_free(&parts[i].fw);
        free(parts[i].path);
    }
    free(parts);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    return cli_output_end(call, REST, merge_files(call, f), f);
}

const struct cli_verb cli_merge = {
    .name = "merge",
    .synopsis = "IN[@ADDR]... -o OUT [--board NAME] " CLI_OUTPUT_SYNOPSIS,
    .summary = "put several firmware files into one",
    .details =
        "Writes all of IN (ELF, Intel HEX, S-record, .dfu, UF2; raw binary\n"
        "with the address of its first byte behind an @) to OUT: bootloader\n"
        "and application in one file for the factory.  Where two of them\n"
        "have a byte it has to be the same.",
    .options = options,
    .files_min = 1,
    .files_max = CLI_FILES_MAX,
    .run = run,
};
