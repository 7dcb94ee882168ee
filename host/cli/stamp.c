/* SPDX-License-Identifier: MIT */
/* stamp.c - the verb `stamp`: see the help text below. */
#include "stamp.h"

#include "output.h"

enum { OUTPUT = CLI_OUTPUT, BOARD, ADDRESS, VERSION, PRODUCT, REST };

static const struct cli_option options[] = {
    CLI_OUTPUT_FIRST,
    [BOARD] = {"board", 0, "NAME", "product id of this board; it has to fit"},
    [ADDRESS] = {"address", 0, "ADDR", "where the image starts in flash"},
    [VERSION] = {"version", 0, "X.Y.Z", "version of the application"},
    [PRODUCT] = {"product", 0, "ID", "product id, 0 fits every product"},
    CLI_OUTPUT_REST(REST),
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

static bool stamp_file(struct fw *fw, const char *path,
                       const struct cli_output *out,
                       const struct stamp_request *request, struct fail *f)
{
    struct stamp stamp;

    if (!fw_load(fw, path, request->has_start ? &request->start : NULL, f) ||
        !cli_output_choose(out, fw, path, f))
        return false;
    if (fw->next)
        return fail(f, FAIL_UNFIT,
                    "%s: there is data for alternate settings %u, %u%s, one is "
                    "stamped: choose it with --alt",
                    path, fw->alternate, fw->next->alternate,
                    fw->next->next ? " and more" : "");
    if (!stamp_put(fw, request, &stamp, f))
        return fail_at(f, "%s: ", path);
    if (!cli_output_prepare(out, fw, path, "--address", f) ||
        !fw_save(fw, out->path, f))
        return false;
    if (!out->json)
        report(out->path, &stamp);
    return true;
}

static bool stamp_it(const struct cli_call *call, struct fail *f)
{
    struct stamp_request request = {0};
    struct cli_output out;
    struct fw fw;
    bool ok;

    if (!cli_output_get(&out, "stamp", REST, call, f) ||
        !get_request(call, &request, f))
        return false;
    out.board = request.board;
    fw_init(&fw);
    ok = stamp_file(&fw, call->file, &out, &request, f);
    fw_free(&fw);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    return cli_output_end(call, REST, stamp_it(call, f), f);
}

const struct cli_verb cli_stamp = {
    .name = "stamp",
    .synopsis = "IN -o OUT [--board NAME] [--address ADDR] [--version X.Y.Z] "
                "[--product ID] " CLI_OUTPUT_SYNOPSIS,
    .summary = "put length, checksum and version into an image",
    .details =
        "Writes IN (ELF, Intel HEX, S-record, .dfu, UF2 or raw binary, told\n"
        "by content) as one image without gaps to OUT, with a stamp in\n"
        "reserved words of its vector table: the bootloader then knows where\n"
        "the image ends and whether it is whole.  Product id and version of\n"
        "an image that is stamped already stay unless they are given.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
