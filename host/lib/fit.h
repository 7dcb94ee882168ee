/* SPDX-License-Identifier: MIT */
/* fit.h - does an image fit a board? */
#ifndef SALLYPORT_FIT_H
#define SALLYPORT_FIT_H

#include "board_info.h"
#include "fw.h"

/* Family, size, and place where it is known, of the image [start, end).
 * FAIL_UNFIT with what is wrong and what to do (without the file's name). */
bool fit_board(const struct fw *fw, uint64_t start, uint64_t end,
               const struct board_info *board, struct fail *f);

#endif
