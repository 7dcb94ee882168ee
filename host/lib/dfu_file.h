/* SPDX-License-Identifier: MIT */
/*
 * dfu_file.h - .dfu files, read and written: DfuSe's, which say where their
 * data belongs (UM0391, "DfuSe file format specification"), and plain ones of
 * DFU 1.1 (appendix B), which are a raw binary with a suffix.
 */
#ifndef SALLYPORT_DFU_FILE_H
#define SALLYPORT_DFU_FILE_H

#include "fw.h"

#include <stdio.h>

/* Is there a DFU suffix in the last bytes of a file? */
#define DFU_SUFFIX_SIZE 16u
bool dfu_file_has_suffix(const uint8_t tail[DFU_SUFFIX_SIZE]);

/* Do these first bytes of a file begin a DfuSe file? */
bool dfu_file_is_dfuse(const uint8_t *head, size_t n);

/* Reads the whole file; data of a second alternate setting and further ones
 * goes into fw->next.  Suffix and CRC have to be good and nothing may be left
 * over; names end at their NUL, whatever is behind it.  `name` stands in
 * messages, as name:offset.  The file is seekable and stays open. */
bool dfu_file_read_dfuse(struct fw *fw, FILE *file, const char *name,
                         struct fail *f);

/* The same for a plain file.  address: where its data belongs, or NULL: it is
 * placed at 0 and fw->placed stays false. */
bool dfu_file_read_plain(struct fw *fw, FILE *file, const char *name,
                         const uint32_t *address, struct fail *f);

/* One target for each alternate setting, one element for each run of bytes.
 * Errors of the stream are the caller's to find. */
void dfu_file_write_dfuse(const struct fw *fw, FILE *file);

/* The bytes from the first to the last, gaps as 0xFF. */
void dfu_file_write_plain(const struct fw *fw, FILE *file);

#endif
