/* SPDX-License-Identifier: MIT */
/* part.c - the memory-layout string, for profiles that have no drive. */
#include "part.h"

const char part_layout[] = {PART_LAYOUT};
