/* SPDX-License-Identifier: MIT */
/* man.c - the manual page, in the macros of groff_man(7). */
#include "doc.h"

#include <string.h>

/* Text of which groff reads nothing as its own: "-" is typed as such, "\" and
 * quotes stay.  `line`: a control character could stand first. */
static void text(const char *s, size_t n, bool line)
{
    if (line && n && (*s == '.' || *s == '\''))
        fputs("\\&", stdout);
    for (; n; s++, n--) {
        switch (*s) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '\'':
            fputs("\\(aq", stdout);
            break;
        case '`':
            fputs("\\(ga", stdout);
            break;
        case '^':
            fputs("\\(ha", stdout);
            break;
        case '~':
            fputs("\\(ti", stdout);
            break;
        case '"':
            fputs("\\(dq", stdout);
            break;
        default:
            putchar(*s);
        }
    }
}

static void words(const char *s)
{
    text(s, strlen(s), true);
}

/* Paragraphs of a help text: lines are filled, those that are indented stay
 * as they are. */
static void paragraphs(const char *s)
{
    bool literal = false;

    while (*s) {
        size_t n = strcspn(s, "\n");
        bool indented = *s == ' ';

        if (indented != literal)
            fputs(indented ? ".PP\n.nf\n" : ".fi\n.PP\n", stdout);
        literal = indented;
        if (n == 0)
            fputs(".PP", stdout);
        text(s, n, true);
        putchar('\n');
        s += n + (s[n] == '\n');
    }
    if (literal)
        fputs(".fi\n", stdout);
}

static void option(const struct cli_option *o)
{
    printf(".TP\n\\fB");
    if (o->letter)
        printf("\\-%c\\fR, \\fB", o->letter);
    printf("\\-\\-");
    words(o->name);
    printf("\\fR");
    if (o->arg) {
        printf(" \\fI");
        words(o->arg);
        printf("\\fR");
    }
    putchar('\n');
    words(o->help);
    putchar('\n');
}

static void verb(const struct cli_verb *v)
{
    printf(".SS ");
    words(v->name);
    printf("\n\\fBsallyport %s\\fR ", v->name);
    words(v->synopsis);
    printf("\n.PP\n");
    paragraphs(v->details);
    for (const struct cli_option *o = v->options; o->name; o++)
        option(o);
}

static void statuses(void)
{
#define STATUS(name, value, sentence)                                          \
    printf(".TP\n.B %d\n", value);                                             \
    words(sentence);                                                           \
    putchar('\n');
    FAIL_LIST(STATUS)
#undef STATUS
}

static void head(const char *program, const char *sentence)
{
    printf(".\\\" SPDX-License-Identifier: MIT\n"
           ".\\\" Made by sallyport-doc from what the program says itself.\n"
           ".TH ");
    for (const char *p = program; *p; p++) {
        if (*p == '-')
            putchar('\\');
        putchar(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    }
    printf(" 1 \"\" \"sallyport " SALLYPORT_VERSION "\" \"User Commands\"\n"
           ".SH NAME\n");
    words(program);
    printf(" \\- ");
    words(sentence);
    putchar('\n');
}

void doc_page(const char *program, const char *sentence)
{
    char line[256];

    head(program, sentence);
    printf(".SH SYNOPSIS\n.nf\n");
    while (fgets(line, sizeof(line), stdin))
        words(line);
    printf(".fi\n.SH SEE ALSO\n.BR sallyport (1)\n");
}

void doc_man(void)
{
    head("sallyport",
         "firmware files and updates for the Sallyport USB bootloader");
    printf(".SH SYNOPSIS\n"
           ".B sallyport\n"
           ".I VERB\n"
           "\\&...\n"
           ".br\n"
           ".B sallyport help\n"
           "[\\fIVERB\\fR]\n"
           ".br\n"
           ".B sallyport\n"
           "\\fB\\-\\-help\\fR|\\fB\\-\\-version\\fR\n"
           ".SH DESCRIPTION\n"
           ".B sallyport\n"
           "makes, checks and installs firmware files for microcontrollers "
           "with the Sallyport USB bootloader.\n"
           "What is in a file counts when it is read, not its name; the "
           "ending of the name chooses the format when it is written.\n"
           "An output file is complete or it is not there.\n"
           ".PP\n"
           "Numbers are decimal or begin with 0x.\n"
           "A file whose name begins with \\- stands behind \\-\\-.\n"
           ".SH VERBS\n");
    for (size_t i = 0; cli_verbs[i]; i++)
        verb(cli_verbs[i]);
    printf(".SH OPTIONS\n"
           ".TP\n.B \\-\\-help\n"
           "Show the verbs, or behind a verb its options.\n"
           ".TP\n.B \\-\\-version\n"
           "Show the version.\n"
           ".SH EXIT STATUS\n");
    statuses();
    printf(".SH EXAMPLES\n"
           "Install an application by DFU:\n"
           ".PP\n.nf\n"
           "sallyport flash app.elf\n"
           ".fi\n"
           ".PP\n"
           "A stamped image for a board, and the same as a UF2 file:\n"
           ".PP\n.nf\n"
           "sallyport stamp app.elf \\-\\-board stm32f407 \\-\\-version "
           "1.2.3 \\-o app.bin\n"
           "sallyport convert app.bin \\-\\-board stm32f407 \\-o app.uf2\n"
           ".fi\n"
           ".PP\n"
           "Copy it to the drive of the board and wait for the result:\n"
           ".PP\n.nf\n"
           "sallyport drive app.uf2\n"
           ".fi\n"
           ".SH SEE ALSO\n"
           ".BR sallyport\\-chip (1),\n"
           ".BR dfu\\-util (1)\n");
}
