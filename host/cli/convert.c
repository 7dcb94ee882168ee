/* SPDX-License-Identifier: MIT */
/* convert.c - the verb `convert`: see the help text below. */
#include "cli.h"
#include "fit.h"
#include "stamp.h"
#include "vec.h"

enum { OUTPUT, BOARD, ADDRESS };

static const struct cli_option options[] = {
    [OUTPUT] = {"output", 'o', "OUT", "file to write: .bin, .hex or .uf2"},
    [BOARD] = {"board", 0, "NAME", "board that it is for; it has to fit"},
    [ADDRESS] = {"address", 0, "ADDR", "where a raw binary starts in flash"},
    {0},
};

struct request {
    const char *input;
    const char *output;
    const struct board_info *board; /* or NULL */
    bool has_address;               /* --address was given */
    bool placed;                    /* by that, or by the board */
    uint32_t address;
};

static bool get_request(const struct cli_call *call, struct request *r,
                        struct fail *f)
{
    const char *const *value = call->value;

    *r = (struct request){.input = call->file, .output = value[OUTPUT]};
    r->has_address = value[ADDRESS] != NULL;
    if (value[BOARD] && !cli_board(value[BOARD], &r->board, f))
        return false;
    if (r->has_address)
        r->placed = cli_number("address", value[ADDRESS], &r->address, f);
    else if (r->board)
        r->placed = board_info_app_start(r->board, &r->address);
    return r->placed || !r->has_address;
}

/* Flash that a UF2 or a .hex file leaves out keeps what it holds, but a stamp
 * counts gaps as 0xFF. */
static bool fill_stamped(struct fw *fw, uint64_t start, uint64_t end,
                         struct fail *f)
{
    struct stamp s;

    if (!stamp_get(fw, start, &s) || s.length > end - start)
        return true;
    return fw_fill(fw, start, start + s.length, 0xFF, f);
}

static bool check_image(struct fw *fw, const struct request *r, uint64_t *start,
                        uint64_t *end, struct fail *f)
{
    fw_span(fw, start, end);
    if (r->board && (!fit_board(fw, *start, *end, r->board, f) ||
                     !vec_check(fw, *start, *end, r->board, f)))
        return false;
    return fill_stamped(fw, *start, *end, f);
}

static void report(const struct fw *fw, const struct request *r, uint64_t start,
                   uint64_t end)
{
    enum fw_format format = FW_BIN;
    struct fail f = {0};

    printf("%s: %llu bytes", r->output, (unsigned long long)(end - start));
    if (fw->placed)
        printf(", 0x%08X to 0x%08X", (uint32_t)start, (uint32_t)(end - 1));
    fw_format_of(r->output, &format, &f);
    if (format == FW_UF2 && fw->has_family)
        printf(", family 0x%08X", fw->family);
    else if (format == FW_UF2)
        printf(", no family");
    printf("\n");
}

static bool convert(struct fw *fw, const struct request *r, struct fail *f)
{
    uint64_t start = 0, end = 0;

    if (!fw_load(fw, r->input, r->placed ? &r->address : NULL, f) ||
        !cli_check_placed(fw, r->input, r->output,
                          r->board ? "--address" : "--board or --address", f))
        return false;
    if (r->has_address && fw->format != FW_BIN)
        return fail(f, FAIL_USAGE,
                    "%s: the file (%s) says itself where it belongs, leave "
                    "out --address",
                    r->input, fw_format_name(fw->format));
    if (!check_image(fw, r, &start, &end, f))
        return fail_at(f, "%s: ", r->input);
    if (r->board)
        fw_set_family(fw, r->board->uf2_family);
    if (!fw_save(fw, r->output, f))
        return false;
    report(fw, r, start, end);
    return true;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    enum fw_format format;
    struct request r;
    struct fw fw;
    bool ok;

    if (!call->value[OUTPUT])
        return fail(f, FAIL_USAGE, "convert: no output given, add -o OUT");
    if (!fw_format_of(call->value[OUTPUT], &format, f) ||
        !get_request(call, &r, f))
        return false;
    fw_init(&fw);
    ok = convert(&fw, &r, f);
    fw_free(&fw);
    return ok;
}

const struct cli_verb cli_convert = {
    .name = "convert",
    .synopsis = "IN -o OUT [--board NAME] [--address ADDR]",
    .summary = "write a firmware file in another format",
    .details =
        "Writes IN (ELF, Intel HEX, UF2 or raw binary, told by content) to\n"
        "OUT, whose ending says which format it gets.  With --board a raw\n"
        "binary is placed in that board's slot, and a UF2 file gets the\n"
        "board's family id.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
