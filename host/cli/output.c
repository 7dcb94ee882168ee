/* SPDX-License-Identifier: MIT */
/* output.c - see output.h. */
#include "output.h"

#include "info.h"

#include <string.h>

/* Exactly up to `end`, 1 to 4 hexadecimal digits. */
static bool take_id(const char **text, char end, uint16_t *id)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *p = *text;
    unsigned value = 0;

    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
        p += 2;
    *text = p;
    while (*p && *p != end && strchr(digits, *p) && p - *text < 4)
        value = value << 4 | ((unsigned)(strchr(digits, *p++) - digits) & 15);
    if (p == *text || *p != end)
        return false;
    *id = (uint16_t)value;
    *text = p + (end != '\0');
    return true;
}

/* VID:PID or VID:PID:REVISION. */
static bool get_usb(struct cli_output *out, const char *text, struct fail *f)
{
    const char *p = text;

    out->has_usb = true;
    out->bcd_device = FW_ANY_ID;
    if (take_id(&p, ':', &out->vid)) {
        const char *rest = p;

        if (take_id(&rest, '\0', &out->pid) ||
            (take_id(&p, ':', &out->pid) &&
             take_id(&p, '\0', &out->bcd_device)))
            return true;
    }
    return fail(
        f, FAIL_USAGE,
        "--vid:pid: '%s' is not VID:PID or VID:PID:REVISION, each of up to "
        "4 hexadecimal digits",
        text);
}

static bool get_dfu(struct cli_output *out, const char *text, struct fail *f)
{
    out->has_dfu = true;
    out->plain = !strcmp(text, "plain");
    return out->plain || !strcmp(text, "dfuse") ||
           fail(f, FAIL_USAGE, "--dfu: there is no '%s', only dfuse and plain",
                text);
}

static bool get_alt(struct cli_output *out, const char *text, struct fail *f)
{
    uint32_t alt;

    out->has_alt = true;
    if (!cli_number("alt", text, &alt, f))
        return false;
    out->alt = (uint8_t)alt;
    return alt <= 255 ||
           fail(f, FAIL_USAGE, "--alt: '%s' is not a number up to 255", text);
}

bool cli_output_get(struct cli_output *out, const char *verb, unsigned first,
                    const struct cli_call *call, struct fail *f)
{
    const char *const *value = call->value + first;

    *out = (struct cli_output){.path = call->value[CLI_OUTPUT]};
    if (!out->path)
        return fail(f, FAIL_USAGE, "%s: no output given, add -o OUT", verb);
    out->has_family = value[CLI_FAMILY] != NULL;
    out->json = value[CLI_JSON] != NULL;
    return fw_format_of(out->path, &out->format, f) &&
           (!value[CLI_ALT] || get_alt(out, value[CLI_ALT], f)) &&
           (!value[CLI_USB] || get_usb(out, value[CLI_USB], f)) &&
           (!value[CLI_DFU] || get_dfu(out, value[CLI_DFU], f)) &&
           (!value[CLI_FAMILY] ||
            cli_number("family", value[CLI_FAMILY], &out->family, f));
}

bool cli_output_choose(const struct cli_output *out, struct fw *fw,
                       const char *path, struct fail *f)
{
    if (out->has_alt && fw->format != FW_DFUSE)
        fw->alternate = out->alt; /* the file does not know of any */
    else if (out->has_alt && !fw_keep_alternate(fw, out->alt, f))
        return fail_at(f, "%s: ", path);
    return true;
}

static bool check_placed(const struct cli_output *out, const struct fw *fw,
                         const char *path, const char *remedy, struct fail *f)
{
    bool dfu = out->format == FW_DFUSE;

    if (fw->placed || out->format == FW_BIN || (dfu && fw->plain_dfu))
        return true;
    return fail(f, FAIL_USAGE,
                "%s: a %s file does not say where it belongs, %s has to: give "
                "%s%s",
                path, fw_format_name(fw->format), out->path, remedy,
                dfu ? ", or --dfu plain" : "");
}

static void set_ids(const struct cli_output *out, struct fw *fw)
{
    const struct board_info *board = out->board;

    if (board)
        fw_set_family(fw, board->uf2_family);
    if (out->has_family)
        fw_set_family(fw, out->family);
    if (board) {
        fw->vid = board->vid;
        fw->pid = board->pid;
    }
    if (out->has_usb) {
        fw->vid = out->vid;
        fw->pid = out->pid;
        fw->bcd_device = out->bcd_device;
    }
}

bool cli_output_prepare(const struct cli_output *out, struct fw *fw,
                        const char *path, const char *remedy, struct fail *f)
{
    set_ids(out, fw);
    /* A plain file stays plain until there are addresses for it. */
    fw->plain_dfu = out->has_dfu ? out->plain : fw->plain_dfu && !fw->placed;
    return check_placed(out, fw, path, remedy, f);
}

void cli_output_report(const struct cli_output *out, const struct fw *fw)
{
    uint64_t start = 0, end = 0;

    for (const struct fw *part = fw; part && !out->json; part = part->next) {
        fw_span(part, &start, &end);
        printf("%s: %llu bytes", out->path, (unsigned long long)(end - start));
        if (fw->placed)
            printf(", 0x%08X to 0x%08X", (uint32_t)start, (uint32_t)(end - 1));
        if (out->format == FW_UF2 && fw->has_family)
            printf(", family 0x%08X", fw->family);
        else if (out->format == FW_UF2)
            printf(", no family");
        if (out->format == FW_DFUSE && !fw->plain_dfu)
            printf(", alternate setting %u", part->alternate);
        if (out->format == FW_DFUSE)
            printf(", for %04X:%04X", fw->vid, fw->pid);
        printf("\n");
    }
}

bool cli_output_end(const struct cli_call *call, unsigned first, bool ok,
                    const struct fail *f)
{
    if (call->value[first + CLI_JSON])
        info_json(ok ? call->value[CLI_OUTPUT] : NULL, f);
    return ok;
}
