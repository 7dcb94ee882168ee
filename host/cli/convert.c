/* SPDX-License-Identifier: MIT */
/* convert.c - the verb `convert`: see the help text below. */
#include "fit.h"
#include "output.h"
#include "stamp.h"
#include "vec.h"

enum { OUTPUT = CLI_OUTPUT, BOARD, ADDRESS, REST };

static const struct cli_option options[] = {
    CLI_OUTPUT_FIRST,
    [BOARD] = {"board", 0, "NAME", "board that it is for; it has to fit"},
    [ADDRESS] = {"address", 0, "ADDR", "where a raw binary starts in flash"},
    CLI_OUTPUT_REST(REST),
    {0},
};

struct request {
    const char *input;
    struct cli_output out;
    bool has_address; /* --address was given */
    bool placed;      /* by that, or by the board */
    uint32_t address;
};

static bool get_request(const struct cli_call *call, struct request *r,
                        struct fail *f)
{
    const char *const *value = call->value;

    *r = (struct request){.input = call->file};
    if (!cli_output_get(&r->out, "convert", REST, call, f))
        return false;
    r->has_address = value[ADDRESS] != NULL;
    if (value[BOARD] && !cli_board(value[BOARD], &r->out.board, f))
        return false;
    if (r->has_address)
        r->placed = cli_number("address", value[ADDRESS], &r->address, f);
    else if (r->out.board)
        r->placed = board_info_app_start(r->out.board, &r->address);
    return r->placed || !r->has_address;
}

static bool check_image(struct fw *fw, const struct request *r, struct fail *f)
{
    const struct board_info *board = r->out.board;
    uint64_t start = 0, end = 0;

    fw_span(fw, &start, &end);
    if (board && (!fit_board(fw, start, end, board, f) ||
                  !vec_check(fw, start, end, board, f)))
        return false;
    return stamp_fill(fw, f);
}

static bool convert(struct fw *fw, const struct request *r, struct fail *f)
{
    if (!fw_load(fw, r->input, r->placed ? &r->address : NULL, f) ||
        !cli_output_choose(&r->out, fw, r->input, f))
        return false;
    if (r->has_address && fw_format_has_place(fw->format))
        return fail(f, FAIL_USAGE,
                    "%s: the file (%s) says itself where it belongs, leave "
                    "out --address",
                    r->input, fw_format_name(fw->format));
    if (!check_image(fw, r, f))
        return fail_at(f, "%s: ", r->input);
    if (!cli_output_prepare(&r->out, fw, r->input,
                            r->out.board ? "--address" : "--board or --address",
                            f) ||
        !fw_save(fw, r->out.path, f))
        return false;
    cli_output_report(&r->out, fw);
    return true;
}

static bool convert_file(const struct cli_call *call, struct fail *f)
{
    struct request r;
    struct fw fw;
    bool ok;

    if (!get_request(call, &r, f))
        return false;
    fw_init(&fw);
    ok = convert(&fw, &r, f);
    fw_free(&fw);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    return cli_output_end(call, REST, convert_file(call, f), f);
}

const struct cli_verb cli_convert = {
    .name = "convert",
    .synopsis =
        "IN -o OUT [--board NAME] [--address ADDR] " CLI_OUTPUT_SYNOPSIS,
    .summary = "write a firmware file in another format",
    .details =
        "Writes IN (ELF, Intel HEX, S-record, .dfu, UF2 or raw binary, told\n"
        "by content) to OUT, whose ending says which format it gets.  With\n"
        "--board a raw binary is placed in that board's slot, a UF2 file gets\n"
        "the board's family id and a .dfu its USB ids.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
