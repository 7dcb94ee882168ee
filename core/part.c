/* SPDX-License-Identifier: MIT */
/*
 * part.c - the memory-layout string of DfuSe, made from the partition table
 * (config.h) by the compiler.
 */
#include "part.h"

/* ---- "@Internal Flash /0x08000000/02*002Ka,63*008Kg,02*002Ka" ---- */

#define DIGIT(n, unit) (char)('0' + (n) / (unit) % 10)
#define HEX_DIGIT(n, shift)                                                    \
    (char)(((n) >> (shift)&15) < 10 ? '0' + ((n) >> (shift)&15)                \
                                    : 'A' - 10 + ((n) >> (shift)&15))
/* n sectors of so many bytes each; in units of KB where it is one or more. */
#define RUN_UNITS(size) ((size) < 1024 ? (size) : (size) / 1024)
#define RUN(n, size, type)                                                     \
    DIGIT(n, 10), DIGIT(n, 1), '*', DIGIT(RUN_UNITS(size), 100),               \
        DIGIT(RUN_UNITS(size), 10), DIGIT(RUN_UNITS(size), 1),                 \
        (size) < 1024 ? ' ' : 'K', type

#define READ_ONLY        'a'
#define READ_ERASE_WRITE 'g'

const char part_layout[] = {'@',
                            'I',
                            'n',
                            't',
                            'e',
                            'r',
                            'n',
                            'a',
                            'l',
                            ' ',
                            'F',
                            'l',
                            'a',
                            's',
                            'h',
                            ' ',
                            '/',
                            '0',
                            'x',
                            HEX_DIGIT(BOARD_FLASH_BASE, 28),
                            HEX_DIGIT(BOARD_FLASH_BASE, 24),
                            HEX_DIGIT(BOARD_FLASH_BASE, 20),
                            HEX_DIGIT(BOARD_FLASH_BASE, 16),
                            HEX_DIGIT(BOARD_FLASH_BASE, 12),
                            HEX_DIGIT(BOARD_FLASH_BASE, 8),
                            HEX_DIGIT(BOARD_FLASH_BASE, 4),
                            HEX_DIGIT(BOARD_FLASH_BASE, 0),
                            '/',
                            PART_RUNS(RUN, READ_ONLY, READ_ERASE_WRITE),
                            '\0'};

_Static_assert(sizeof(part_layout) - 1 <= PART_LAYOUT_MAX, "too long");
