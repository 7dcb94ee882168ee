/* SPDX-License-Identifier: MIT */
/* shells.c - completions of bash, zsh and fish. */
#include "doc.h"

#include <string.h>

#define BOARDS_SEPARATED_BY(between)                                           \
    for (int b_ = 0; board_infos[b_]; b_++)                                    \
    printf("%s%s", b_ ? (between) : "", board_infos[b_]->name)

/* ---- bash ---- */

static void bash_option_names(const struct cli_verb *v)
{
    for (const struct cli_option *o = v->options; o->name; o++) {
        if (o->letter)
            printf("-%c ", o->letter);
        printf("--%s ", o->name);
    }
    printf("--help");
}

static void bash_values(const struct cli_verb *v)
{
    for (const struct cli_option *o = v->options; o->name; o++) {
        enum doc_value value = doc_value_of(o);

        if (value == DOC_NONE)
            continue;
        printf("        %s:--%s", v->name, o->name);
        if (o->letter)
            printf("|%s:-%c", v->name, o->letter);
        printf(") ");
        if (value == DOC_FILE)
            printf("kind=file");
        else if (value == DOC_DIR)
            printf("kind=directory");
        else
            printf("kind=words");
        printf(" words='");
        if (value == DOC_BOARD)
            BOARDS_SEPARATED_BY(" ");
        printf("' ;;\n");
    }
}

void doc_bash(void)
{
    printf("# SPDX-License-Identifier: MIT\n"
           "# bash completion for sallyport(1), made by sallyport-doc.\n"
           "_sallyport()\n"
           "{\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]}\n"
           "    local prev=${COMP_WORDS[COMP_CWORD-1]} kind= words=\n"
           "\n"
           "    COMPREPLY=()\n"
           "    # --name=VALUE comes as three words\n"
           "    if [[ $cur == = ]]; then\n"
           "        cur=\n"
           "    elif [[ $prev == = ]]; then\n"
           "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    fi\n"
           "    case $verb:$prev in\n");
    for (size_t i = 0; cli_verbs[i]; i++)
        bash_values(cli_verbs[i]);
    printf("    esac\n"
           "    if [[ $COMP_CWORD == 1 ]]; then\n"
           "        kind=words words='");
    for (size_t i = 0; cli_verbs[i]; i++)
        printf("%s ", cli_verbs[i]->name);
    printf("help --help --version'\n"
           "    elif [[ -z $kind ]]; then\n"
           "        case $verb in\n");
    for (size_t i = 0; cli_verbs[i]; i++) {
        printf("        %s) words='", cli_verbs[i]->name);
        bash_option_names(cli_verbs[i]);
        printf("'%s ;;\n", cli_verbs[i]->files_max ? " kind=file" : "");
    }
    printf("        help) words='");
    for (size_t i = 0; cli_verbs[i]; i++)
        printf("%s%s", i ? " " : "", cli_verbs[i]->name);
    printf("' kind=words ;;\n"
           "        esac\n"
           "        [[ $cur == -* ]] && kind=words\n"
           "    fi\n"
           "    case $kind in\n"
           "    words) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
           "\"$cur\") ;;\n"
           "    file) compopt -o filenames 2>/dev/null\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
           "    directory) compopt -o filenames 2>/dev/null\n"
           "        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
           "    esac\n"
           "}\n"
           "complete -F _sallyport sallyport\n");
}

/* ---- zsh ---- */

/* Inside the quotes of an _arguments specification. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void zsh_option(const struct cli_option *o)
{
    enum doc_value value = doc_value_of(o);

    printf(" \\\n            ");
    if (o->many)
        printf("'*'");
    else if (o->letter) {
        printf("'(-%c --", o->letter);
        zsh_text(o->name);
        printf(")'");
    }
    if (o->letter)
        printf("{-%c,", o->letter);
    printf("'--");
    zsh_text(o->name);
    printf("%s'%s'[", o->arg ? "=" : "", o->letter ? "}" : "");
    zsh_text(o->help);
    printf("]");
    if (value != DOC_NONE) {
        printf(":");
        zsh_text(o->arg);
        printf(":");
    }
    if (value == DOC_FILE)
        printf("_files");
    else if (value == DOC_DIR)
        printf("_files -/");
    else if (value == DOC_BOARD) {
        printf("(");
        BOARDS_SEPARATED_BY(" ");
        printf(")");
    }
    printf("'");
}

void doc_zsh(void)
{
    printf("#compdef sallyport\n"
           "# SPDX-License-Identifier: MIT\n"
           "# zsh completion for sallyport(1), made by sallyport-doc.\n"
           "_sallyport()\n"
           "{\n"
           "    local -a verbs\n"
           "    verbs=(");
    for (size_t i = 0; cli_verbs[i]; i++) {
        printf("\n        '%s:", cli_verbs[i]->name);
        zsh_text(cli_verbs[i]->summary);
        printf("'");
    }
    printf("\n        'help:show this, or more about a verb'\n"
           "    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        if [[ $PREFIX == -* ]]; then\n"
           "            compadd -- --help --version\n"
           "        else\n"
           "            _describe verb verbs\n"
           "        fi\n"
           "        return\n"
           "    fi\n"
           "    local verb=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $verb in\n");
    for (size_t i = 0; cli_verbs[i]; i++) {
        printf("    %s)\n        _arguments", cli_verbs[i]->name);
        for (const struct cli_option *o = cli_verbs[i]->options; o->name; o++)
            zsh_option(o);
        printf(" \\\n            '--help[show this]'%s ;;\n",
               cli_verbs[i]->files_max ? " '*:file:_files'" : "");
    }
    printf("    help) _describe verb verbs ;;\n"
           "    esac\n"
           "}\n"
           "_sallyport \"$@\"\n");
}

/* ---- fish ---- */

/* ' and \ are what fish reads inside single quotes. */
static void fish_text(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void fish_option(const struct cli_verb *v, const struct cli_option *o)
{
    enum doc_value value = doc_value_of(o);

    printf("complete -c sallyport -n '__fish_seen_subcommand_from %s' -l %s",
           v->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (value == DOC_FILE)
        printf(" -r -F");
    else if (value == DOC_DIR)
        printf(" -x -a '(__fish_complete_directories)'");
    else if (value == DOC_BOARD) {
        printf(" -x -a '");
        BOARDS_SEPARATED_BY(" ");
        printf("'");
    } else if (value == DOC_OTHER)
        printf(" -x");
    printf(" -d ");
    fish_text(o->help);
    printf("\n");
}

void doc_fish(void)
{
    printf("# SPDX-License-Identifier: MIT\n"
           "# fish completion for sallyport(1), made by sallyport-doc.\n"
           "complete -c sallyport -n __fish_use_subcommand -f\n"
           "complete -c sallyport -n __fish_use_subcommand -l help -d 'show "
           "the verbs'\n"
           "complete -c sallyport -n __fish_use_subcommand -l version -d "
           "'show the version'\n"
           "complete -c sallyport -n __fish_use_subcommand -f -a help -d "
           "'show this, or more about a verb'\n"
           "complete -c sallyport -n '__fish_seen_subcommand_from help' -f "
           "-a '");
    for (size_t i = 0; cli_verbs[i]; i++)
        printf("%s%s", i ? " " : "", cli_verbs[i]->name);
    printf("'\n");
    for (size_t i = 0; cli_verbs[i]; i++) {
        const struct cli_verb *v = cli_verbs[i];

        printf("complete -c sallyport -n __fish_use_subcommand -f -a %s -d ",
               v->name);
        fish_text(v->summary);
        printf("\n");
        if (!v->files_max)
            printf("complete -c sallyport -n '__fish_seen_subcommand_from "
                   "%s' -f\n",
                   v->name);
        for (const struct cli_option *o = v->options; o->name; o++)
            fish_option(v, o);
        printf("complete -c sallyport -n '__fish_seen_subcommand_from %s' -l "
               "help -d 'show this'\n",
               v->name);
    }
}
