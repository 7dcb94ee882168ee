/* SPDX-License-Identifier: MIT */
/* fw_same.h - do two firmwares have the same bytes at the same addresses, and
 * the same gaps? */
#ifndef TEST_FW_SAME_H
#define TEST_FW_SAME_H

#include "fw.h"

bool same(const struct fw *a, const struct fw *b);

#endif
