/* SPDX-License-Identifier: MIT */
/*
 * srec.h - Motorola S-records, read and written ("M68000 Family Programmer's
 * Reference Manual", M68000PM/AD, appendix C).
 */
#ifndef SALLYPORT_SREC_H
#define SALLYPORT_SREC_H

#include "fw.h"

#include <stdio.h>

/* Do these first bytes of a file, of which none are blank, begin a record? */
bool srec_is(const uint8_t *head, size_t n);

/* Reads records of all types (S0 to S3, S5 to S9).  The last one has to be
 * an end record (S7 to S9) or a count (S5, S6).  Start address 0 says that
 * there is no entry point.  `name` stands in messages, as name:line.  The
 * file stays open. */
bool srec_read(struct fw *fw, FILE *file, const char *name, struct fail *f);

/* Writes fw->name as S0, data records of 32 bytes with the shortest addresses
 * that hold all of it, their count, and the end record with the entry point.
 * Errors of the stream are the caller's to find. */
void srec_write(const struct fw *fw, FILE *file);

#endif
