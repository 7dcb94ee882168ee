/* SPDX-License-Identifier: MIT */
/*
 * mem.c - the functions that C and the compiler itself may call, small
 * instead of fast: the C library's take 490 bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__attribute__((used)) void *memcpy(void *restrict to, const void *restrict from,
                                   size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;

    while (n--)
        *d++ = *s++;
    return to;
}

__attribute__((used)) void *memset(void *to, int value, size_t n)
{
    uint8_t *d = to;

    while (n--)
        *d++ = (uint8_t)value;
    return to;
}
