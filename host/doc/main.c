/* SPDX-License-Identifier: MIT */
/* main.c - see doc.h: sallyport-doc man|bash|zsh|fish|udev, or page. */
#include "doc.h"

#include <string.h>

enum doc_value doc_value_of(const struct cli_option *option)
{
    static const struct {
        const char *arg;
        enum doc_value value;
    } known[] = {
        {"FILE", DOC_FILE}, {"OUT", DOC_FILE}, {"IN", DOC_FILE},
        {"LOG", DOC_FILE},  {"DIR", DOC_DIR},
    };

    if (!option->arg)
        return DOC_NONE;
    if (!strcmp(option->name, "board"))
        return DOC_BOARD;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(option->arg, known[i].arg))
            return known[i].value;
    }
    return DOC_OTHER;
}

/* Is there a board before this one with the same ids? */
static bool ids_again(int board)
{
    for (int i = 0; i < board; i++) {
        if (board_infos[i]->vid == board_infos[board]->vid &&
            board_infos[i]->pid == board_infos[board]->pid)
            return true;
    }
    return false;
}

void doc_udev(void)
{
    printf("# SPDX-License-Identifier: MIT\n"
           "# Sallyport bootloaders may be used by whoever sits at this "
           "machine (logind's\n"
           "# uaccess); the number in the name has to be below 73.\n");
    for (int i = 0; board_infos[i]; i++) {
        if (ids_again(i))
            continue;
        printf("ACTION!=\"remove\", SUBSYSTEM==\"usb\", "
               "ENV{DEVTYPE}==\"usb_device\", ATTR{idVendor}==\"%04x\", "
               "ATTR{idProduct}==\"%04x\", TAG+=\"uaccess\"\n",
               board_infos[i]->vid, board_infos[i]->pid);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } kinds[] = {
        {"man", doc_man},   {"bash", doc_bash}, {"zsh", doc_zsh},
        {"fish", doc_fish}, {"udev", doc_udev},
    };
    bool known = false;

    for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(argv[1], kinds[i].name)) {
            kinds[i].print();
            known = true;
        }
    }
    if (argc == 4 && !strcmp(argv[1], "page")) {
        doc_page(argv[2], argv[3]);
        known = true;
    }
    if (known)
        return fflush(stdout) || ferror(stdout) ? 1 : 0;
    fprintf(stderr, "usage: sallyport-doc man|bash|zsh|fish|udev\n"
                    "       sallyport-doc page PROGRAM SENTENCE <HELP\n");
    return 2;
}
