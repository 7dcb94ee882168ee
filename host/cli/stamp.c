/* SPDX-License-Identifier: MIT */
/* stamp.c - the verb `stamp`: see the help text below. */
#include "stamp.h"

#include "cli.h"

enum { OUTPUT, BOARD, ADDRESS, VERSION, PRODUCT };

static const struct cli_option options[] = {
    [OUTPUT] = {"output", 'o', "OUT", "file to write: .bin, .hex or .uf2"},
    [BOARD] = {"board", 0, "NAME", "product id of this board; it has to fit"},
    [ADDRESS] = {"address", 0, "ADDR", "where the image starts in flash"},
    [VERSION] = {"version", 0, "X.Y.Z", "version of the application"},
    [PRODUCT] = {"product", 0, "ID", "product id, 0 fits every product"},
    {0},
};

static bool check_product(const struct stamp_request *request, struct fail *f)
{
    const struct board_info *board = request->board;

    if (!board || !request->has_product || request->product == 0 ||
        request->product == board->product)
        return true;
    return fail(f, FAIL_USAGE,
                "--product: %s takes images for 0x%08X or 0, not 0x%08X",
                board->name, board->product, request->product);
}

static bool get_request(const struct cli_call *call,
                        struct stamp_request *request, struct fail *f)
{
    const char *const *value = call->value;

    request->has_start = value[ADDRESS] != NULL;
    request->has_version = value[VERSION] != NULL;
    request->has_product = value[PRODUCT] != NULL;
    return (!value[BOARD] || cli_board(value[BOARD], &request->board, f)) &&
           (!value[ADDRESS] ||
            cli_number("address", value[ADDRESS], &request->start, f)) &&
           (!value[VERSION] ||
            stamp_parse_version(value[VERSION], &request->version, f)) &&
           (!value[PRODUCT] ||
            cli_number("product", value[PRODUCT], &request->product, f)) &&
           check_product(request, f);
}

static void report(const char *output, const struct stamp *stamp)
{
    printf("%s: %u bytes, CRC 0x%08X, product 0x%08X, version %u.%u.%u\n",
           output, stamp->length, stamp->crc, stamp->product,
           stamp->version >> 24, stamp->version >> 16 & 0xFF,
           stamp->version & 0xFFFF);
}

static bool stamp_file(struct fw *fw, const char *path, const char *output,
                       const struct stamp_request *request, struct fail *f)
{
    struct stamp stamp;

    if (!fw_load(fw, path, request->has_start ? &request->start : NULL, f) ||
        !cli_check_placed(fw, path, output, "--address", f))
        return false;
    if (!stamp_put(fw, request, &stamp, f))
        return fail_at(f, "%s: ", path);
    if (request->board)
        fw_set_family(fw, request->board->uf2_family);
    if (!fw_save(fw, output, f))
        return false;
    report(output, &stamp);
    return true;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    struct stamp_request request = {0};
    enum fw_format format;
    struct fw fw;
    bool ok;

    if (!call->value[OUTPUT])
        return fail(f, FAIL_USAGE, "stamp: no output given, add -o OUT");
    if (!fw_format_of(call->value[OUTPUT], &format, f) ||
        !get_request(call, &request, f))
        return false;
    fw_init(&fw);
    ok = stamp_file(&fw, call->file, call->value[OUTPUT], &request, f);
    fw_free(&fw);
    return ok;
}

const struct cli_verb cli_stamp = {
    .name = "stamp",
    .synopsis = "IN -o OUT [--board NAME] [--address ADDR] [--version X.Y.Z] "
                "[--product ID]",
    .summary = "put length, checksum and version into an image",
    .details =
        "Writes IN (ELF, Intel HEX, UF2 or raw binary, told by content) as\n"
        "one image without gaps to OUT, with a stamp in reserved words of its\n"
        "vector table: the bootloader then knows where the image ends and\n"
        "whether it is whole.  Product id and version of an image that is\n"
        "stamped already stay unless they are given.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
