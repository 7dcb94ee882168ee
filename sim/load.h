/* SPDX-License-Identifier: MIT */
/*
 * load.h - puts firmware from a file into a chip's flash, as a programmer
 * would: no virtual time, no count of operations.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "chip.h"

enum { LOAD_ERROR_MAX = 300 };

/* path: .elf (by content; loadable segments at their physical addresses),
 * .hex (Intel HEX, by content), or anything else as plain bytes that go to
 * `address`; has_address false means that the caller gave none, which is an
 * error for plain bytes and taken as an error for the others if true.
 * Returns 0, or -1 with one line in error: the file, what is wrong, what to
 * do.  On an error the flash may hold a part of the file. */
int chip_load(struct chip *c, const char *path, bool has_address,
              uint32_t address, char error[LOAD_ERROR_MAX]);

/* "FILE" or "FILE@ADDRESS", as on the command line. */
int chip_load_spec(struct chip *c, const char *spec,
                   char error[LOAD_ERROR_MAX]);

#endif
