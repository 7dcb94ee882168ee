/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzzers of firmware files have in common: damage may be
 * refused, with its place, but what is read has to survive being written.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "fw.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* libFuzzer's, also called by replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef bool fuzz_read(struct fw *fw, FILE *file, const char *name,
                       struct fail *f);
typedef void fuzz_write(const struct fw *fw, FILE *file);

/* Reads the data, and what is made of it by `write`, NULL for none.  Aborts
 * where that differs, or where an error says nothing. */
void fuzz_format(const uint8_t *data, size_t size, fuzz_read *read,
                 fuzz_write *write);

/* An error has to be one line that begins with the place. */
void fuzz_check_error(const struct fail *f);

/* Puts right checksums in the lines of Intel HEX and S-record files, and the
 * CRC of a .dfu, into a copy (to be freed): else hardly anything that a fuzzer
 * tries gets past them. */
uint8_t *fuzz_repair_lines(const uint8_t *data, size_t size);
uint8_t *fuzz_repair_dfu(const uint8_t *data, size_t size);

#endif
