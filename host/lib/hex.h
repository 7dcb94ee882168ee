/* SPDX-License-Identifier: MIT */
/*
 * hex.h - Intel HEX, read and written ("Hexadecimal Object File Format
 * Specification", Intel, revision A, 1988).
 */
#ifndef SALLYPORT_HEX_H
#define SALLYPORT_HEX_H

#include "fw.h"

#include <stdio.h>

/* Reads records of all types (00 to 05) up to the end record.  `name` stands
 * in messages, as name:line.  The file stays open. */
bool hex_read(struct fw *fw, FILE *file, const char *name, struct fail *f);

/* Writes data records of 16 bytes, the entry point where there is one, and
 * the end record.  Errors of the stream are the caller's to find. */
void hex_write(const struct fw *fw, FILE *file);

#endif
