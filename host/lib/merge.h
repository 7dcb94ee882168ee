/* SPDX-License-Identifier: MIT */
/* merge.h - several firmware files in one. */
#ifndef SALLYPORT_MERGE_H
#define SALLYPORT_MERGE_H

#include "fw.h"

/* A file and what is in it. */
struct merge_part {
    char *path; /* for messages */
    struct fw fw;
};

/* Adds parts[i] to `into`, which has all parts before it and was empty before
 * the first.  Bytes that several of them have must be the same; so must the
 * family and the ids of a device where there are any.  The entry point is the
 * first one's that has one.  FAIL_UNFIT, with the names of both files, or as
 * fw_add(). */
bool merge_add(struct fw *into, const struct merge_part *parts, size_t i,
               struct fail *f);

#endif
