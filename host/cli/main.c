/* SPDX-License-Identifier: MIT */
/* main.c - the sallyport tool: finds the verb, prints errors, exits. */
#include "cli.h"

#include <errno.h>
#include <string.h>

static void print_codes(FILE *out)
{
#define FAIL_LINE(name, value, sentence)                                       \
    fprintf(out, "  %-8d %s\n", value, sentence);
    FAIL_LIST(FAIL_LINE)
#undef FAIL_LINE
}

static void print_usage(FILE *out)
{
    fprintf(out, "usage: sallyport VERB ...\n\n"
                 "Installs, makes and checks firmware for the Sallyport "
                 "bootloader.\n\nVerbs:\n");
    for (size_t i = 0; cli_verbs[i]; i++)
        fprintf(out, "  %-8s %s\n", cli_verbs[i]->name, cli_verbs[i]->summary);
    fprintf(out, "  %-8s %s\n", "help", "show this, or more about a verb");
    fprintf(out, "\nOptions:\n"
                 "  --help               show this\n"
                 "  --version            show the version\n"
                 "\nExit status:\n");
    print_codes(out);
}

static bool no_verb(const char *name, struct fail *f)
{
    return fail(f, FAIL_USAGE, "there is no verb '%s' (see 'sallyport help')",
                name);
}

static bool help(const char *name, struct fail *f)
{
    const struct cli_verb *verb;

    if (!name) {
        print_usage(stdout);
        return true;
    }
    verb = cli_find_verb(name);
    if (!verb)
        return no_verb(name, f);
    cli_print_help(verb, stdout);
    return true;
}

static bool run_verb(const struct cli_verb *verb, char *const *argv,
                     struct fail *f)
{
    struct cli_call call;

    if (!cli_parse(verb, argv, &call, f))
        return false;
    if (call.help)
        return help(verb->name, f);
    return verb->run(&call, f);
}

static bool run(char *const *argv, struct fail *f)
{
    const struct cli_verb *verb;

    if (!argv[0])
        return fail(f, FAIL_USAGE, "no verb given (see 'sallyport help')");
    if (!strcmp(argv[0], "--version")) {
        printf("sallyport %s\n", SALLYPORT_VERSION);
        return true;
    }
    if (!strcmp(argv[0], "--help"))
        return help(NULL, f);
    if (!strcmp(argv[0], "help"))
        return help(argv[1], f);
    verb = cli_find_verb(argv[0]);
    return verb ? run_verb(verb, argv + 1, f) : no_verb(argv[0], f);
}

int main(int argc, char **argv)
{
    struct fail f = {0};
    bool ok = run(argv + (argc > 0), &f);

    if (fflush(stdout) && ok)
        ok = fail(&f, FAIL_SYSTEM, "standard output: %s", strerror(errno));
    if (!ok)
        fprintf(stderr, "sallyport: %s\n", f.text);
    return ok ? 0 : (int)f.code;
}
