/* SPDX-License-Identifier: MIT */
/*
 * uf2.h - UF2, read and written (github.com/microsoft/uf2, README.md).  A
 * file of 512-byte blocks, each of which says where its data belongs.
 */
#ifndef SALLYPORT_UF2_H
#define SALLYPORT_UF2_H

#include "fw.h"

#include <stdio.h>

/* Bytes of data in each block that is written, at a multiple of as much. */
#define UF2_PAYLOAD 256u

/* Do these first bytes of a file begin a UF2 block? */
bool uf2_is(const uint8_t *head, size_t n);

/* Reads the whole file.  Its blocks have to be good, in order, all there and
 * for one family; what is marked as not for flash is left out.  `name` stands
 * in messages, as name:offset.  The file stays open. */
bool uf2_read(struct fw *fw, FILE *file, const char *name, struct fail *f);

/* Writes each block that has data, gaps in it as 0xFF, with the family id
 * where there is one.  Errors of the stream are the caller's to find. */
void uf2_write(const struct fw *fw, FILE *file);

#endif
