/* SPDX-License-Identifier: MIT */
/* hex.h - words as eight upper-case hexadecimal digits. */
#ifndef SALLYPORT_HEX_H
#define SALLYPORT_HEX_H

#include <stdint.h>

/* The same of a constant, by the compiler: an initialiser's characters. */
#define HEX_CHAR(n, shift)                                                     \
    (char)(((n) >> (shift)&15) < 10 ? '0' + ((n) >> (shift)&15)                \
                                    : 'A' - 10 + ((n) >> (shift)&15))
#define HEX_CHARS(n)                                                           \
    HEX_CHAR(n, 28), HEX_CHAR(n, 24), HEX_CHAR(n, 20), HEX_CHAR(n, 16),        \
        HEX_CHAR(n, 12), HEX_CHAR(n, 8), HEX_CHAR(n, 4), HEX_CHAR(n, 0)

/* Writes no NUL; returns where the next character goes. */
char *hex_word(char *to, uint32_t word);

#endif
