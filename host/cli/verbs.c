/* SPDX-License-Identifier: MIT */
/* verbs.c - the list of verbs: help, man page and completions follow it. */
#include "cli.h"

#include <stddef.h>
#include <string.h>

const struct cli_verb *const cli_verbs[] = {
    &cli_list,    &cli_flash, &cli_verify, &cli_read, &cli_erase,
    &cli_reboot,  &cli_watch, &cli_drive,  &cli_info, &cli_stamp,
    &cli_convert, &cli_merge, NULL,
};

const struct cli_verb *cli_find_verb(const char *name)
{
    for (size_t i = 0; cli_verbs[i]; i++) {
        if (!strcmp(cli_verbs[i]->name, name))
            return cli_verbs[i];
    }
    return NULL;
}
