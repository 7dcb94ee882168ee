/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - puts a stamp into an image and reads it back.  The format is
 * core/img.h's.
 */
#ifndef SALLYPORT_STAMP_H
#define SALLYPORT_STAMP_H

#include "board_info.h"
#include "fw.h"

/* Images are contiguous: gaps are filled.  One with parts further apart than
 * this has something in it that is not the application.  Bytes. */
#define STAMP_MAX_SIZE (16u * 1024 * 1024)

struct stamp {
    uint32_t length; /* bytes */
    uint32_t crc;
    uint32_t product;
    uint32_t version; /* major << 24 | minor << 16 | patch */
};

/* All optional; what is not said is kept from a stamp that is there, or 0. */
struct stamp_request {
    const struct board_info *board; /* or NULL */
    bool has_start;                 /* else: lowest address of the data */
    uint32_t start;
    bool has_product; /* else: the board's */
    uint32_t product;
    bool has_version;
    uint32_t version;
};

/* True where there is a stamp at start. */
bool stamp_get(const struct fw *fw, uint64_t start, struct stamp *stamp);

/* The checksum as a stamp of this length should have it; gaps count as
 * 0xFF. */
uint32_t stamp_crc(const struct fw *fw, uint64_t start, uint32_t length);

/* Fills the gaps inside the length of each stamp with 0xFF: flash that a file
 * leaves out keeps what it holds, but a stamp counts gaps as 0xFF.  Errors as
 * fw_add(). */
bool stamp_fill(struct fw *fw, struct fail *f);

/* Makes one contiguous image out of fw, fills in the stamp and tells what it
 * holds.  FAIL_UNFIT (text without the file's name): this is not an image
 * that can be stamped; fw is unchanged then. */
bool stamp_put(struct fw *fw, const struct stamp_request *request,
               struct stamp *stamp, struct fail *f);

/* "1.2.3"; major and minor up to 255, patch up to 65535.  FAIL_USAGE. */
bool stamp_parse_version(const char *text, uint32_t *version, struct fail *f);

#endif
