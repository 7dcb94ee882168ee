/* SPDX-License-Identifier: MIT */
/* cli.c - see cli.h. */
#include "cli.h"

#include <string.h>

#define USAGE(f, verb, format, ...)                                            \
    fail(f, FAIL_USAGE, "%s: " format " (see 'sallyport help %s')",            \
         (verb)->name, __VA_ARGS__, (verb)->name)

/* Index of the option that `arg` names, -1 for none.  *value is what the
 * same argument brings along (--name=VALUE), or NULL. */
static int find_option(const struct cli_option *options, const char *arg,
                       const char **value)
{
    *value = NULL;
    for (int i = 0; options[i].name; i++) {
        size_t n = strlen(options[i].name);

        if (options[i].letter && arg[1] == options[i].letter && !arg[2])
            return i;
        if (arg[1] != '-' || strncmp(arg + 2, options[i].name, n))
            continue;
        if (arg[2 + n] == '=')
            *value = arg + 2 + n + 1;
        if (arg[2 + n] == '=' || !arg[2 + n])
            return i;
    }
    return -1;
}

/* Takes one option and its value; *argv is moved to its last argument. */
static bool take_option(const struct cli_verb *verb, char *const **argv,
                        struct cli_call *call, struct fail *f)
{
    const char *arg = **argv;
    const char *value;
    int i = find_option(verb->options, arg, &value);
    const struct cli_option *option = &verb->options[i < 0 ? 0 : i];

    if (i < 0)
        return USAGE(f, verb, "there is no option %s", arg);
    if (call->value[i] && !option->many)
        return USAGE(f, verb, "option %s is given twice", arg);
    if (call->n_given == CLI_GIVEN_MAX)
        return USAGE(f, verb, "more than %u options", CLI_GIVEN_MAX);
    if (!option->arg && value)
        return USAGE(f, verb, "option --%s takes no value", option->name);
    if (!option->arg)
        value = "";
    else if (!value)
        value = *++*argv;
    if (!value)
        return USAGE(f, verb, "option %s needs %s", arg, option->arg);
    if (!call->value[i])
        call->value[i] = value;
    call->given[call->n_given].option = (unsigned)i;
    call->given[call->n_given++].value = value;
    return true;
}

const char *cli_next(const struct cli_call *call, unsigned option, size_t *at)
{
    while (*at < call->n_given) {
        size_t i = (*at)++;

        if (call->given[i].option == option)
            return call->given[i].value;
    }
    return NULL;
}

static bool take_file(const struct cli_verb *verb, const char *arg,
                      struct cli_call *call, struct fail *f)
{
    if (verb->files_max == 0)
        return USAGE(f, verb, "no file is wanted, '%s' is too much", arg);
    if (verb->files_max == 1 && call->n_files == 1)
        return USAGE(f, verb, "one file at a time, '%s' is too much", arg);
    if (call->n_files == verb->files_max || call->n_files == CLI_FILES_MAX)
        return USAGE(f, verb, "%zu files at most, '%s' is too much",
                     call->n_files, arg);
    if (!call->n_files)
        call->file = arg;
    call->files[call->n_files++] = arg;
    return true;
}

bool cli_parse(const struct cli_verb *verb, char *const *argv,
               struct cli_call *call, struct fail *f)
{
    bool only_files = false;

    memset(call, 0, sizeof(*call));
    for (; *argv; argv++) {
        if (!only_files && !strcmp(*argv, "--help")) {
            call->help = true;
            return true;
        }
        if (!only_files && !strcmp(*argv, "--")) {
            only_files = true;
        } else if (!only_files && (*argv)[0] == '-' && (*argv)[1]) {
            if (!take_option(verb, &argv, call, f))
                return false;
        } else if (!take_file(verb, *argv, call, f)) {
            return false;
        }
    }
    if (call->n_files == 0 && verb->files_min)
        return USAGE(f, verb, "%s", "no file given");
    if (call->n_files < verb->files_min)
        return USAGE(f, verb, "%u files are needed, %zu given", verb->files_min,
                     call->n_files);
    return true;
}

static void print_option(const struct cli_option *option, FILE *out)
{
    char syntax[64];
    char letter[5] = "";

    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(syntax, sizeof(syntax), "%s--%s%s%s", letter, option->name,
             option->arg ? " " : "", option->arg ? option->arg : "");
    fprintf(out, "  %-22s  %s\n", syntax, option->help);
}

void cli_print_help(const struct cli_verb *verb, FILE *out)
{
    fprintf(out, "usage: sallyport %s %s\n\n%s\n", verb->name, verb->synopsis,
            verb->details);
    if (!verb->options[0].name)
        return;
    fprintf(out, "\nOptions:\n");
    for (int i = 0; verb->options[i].name; i++)
        print_option(&verb->options[i], out);
}

static int digit_value(char c, uint32_t base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;

    return (uint32_t)value < base ? value : -1;
}

/* Not strtoul(): that takes signs and blanks, and 010 for 8. */
bool cli_number(const char *option, const char *text, uint32_t *value,
                struct fail *f)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    uint32_t base = is_hex ? 16 : 10;
    const char *p = text + (is_hex ? 2 : 0);
    uint64_t sum = 0;

    if (!*p)
        return fail(f, FAIL_USAGE, "--%s: '%s' is not a number", option, text);
    for (; *p; p++) {
        int digit = digit_value(*p, base);

        sum = sum * base + (uint32_t)digit;
        if (digit < 0 || sum > UINT32_MAX)
            return fail(f, FAIL_USAGE,
                        "--%s: '%s' is not a number up to 0xFFFFFFFF", option,
                        text);
    }
    *value = (uint32_t)sum;
    return true;
}

bool cli_board(const char *text, const struct board_info **board,
               struct fail *f)
{
    char names[256] = "";

    *board = board_info_find(text);
    if (*board)
        return true;
    for (int i = 0; board_infos[i]; i++) {
        size_t n = strlen(names);

        snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
                 board_infos[i]->name);
    }
    return fail(f, FAIL_USAGE, "--board: there is no board '%s', only %s", text,
                names);
}
