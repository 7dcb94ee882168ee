/* SPDX-License-Identifier: MIT */
/* info.h - what `info` shows of files (info.c) and devices (info_device.c). */
#ifndef SALLYPORT_CLI_INFO_H
#define SALLYPORT_CLI_INFO_H

#include "stamp.h"
#include "target.h"
#include "vec.h"

/* Place, vectors and stamp of an image: lines of text, or members of *j where
 * that is not NULL.  FAIL_UNFIT: the stamp does not match. */
bool info_image(const struct fw *fw, struct json *j, struct fail *f);

/* Prints what is in a file (NULL: none) and f as one JSON object. */
void info_json(const char *path, const struct fail *f);

bool info_device(const struct cli_call *call, struct fail *f);

#endif
