/* SPDX-License-Identifier: MIT */
/*
 * fail.h - how libsallyport reports an error: a code, which is the tool's
 * exit status, and one line of text, in a struct that the caller owns.  The
 * library itself never prints and never exits.
 *
 * The codes are a promise to scripts: new ones are added at the end, none
 * changes its meaning.
 */
#ifndef SALLYPORT_FAIL_H
#define SALLYPORT_FAIL_H

#include <stdbool.h>

/* name, exit status, sentence (printed by --help) */
#define FAIL_LIST(X)                                                           \
    X(FAIL_NONE, 0, "done")                                                    \
    X(FAIL_SYSTEM, 1, "the system failed: output not writable, no memory")     \
    X(FAIL_USAGE, 2, "the command line is wrong")                              \
    X(FAIL_INPUT, 3, "an input file is missing, unreadable or malformed")      \
    X(FAIL_UNFIT, 4,                                                           \
      "the firmware does not fit: size, address, vectors, stamp, family")      \
    X(FAIL_NO_DEVICE, 5, "no device, or not the one that was asked for")       \
    X(FAIL_DEVICE, 6, "the device refused, or reports an error")               \
    X(FAIL_LOST, 7, "the device went away in the middle: unplugged, reset")    \
    X(FAIL_DIFFERS, 8, "the contents differ")                                  \
    X(FAIL_INTERRUPTED, 9, "interrupted")

#define FAIL_VALUE(name, value, sentence) name = value,
enum fail_code { FAIL_LIST(FAIL_VALUE) };
#undef FAIL_VALUE

/* Set to zero (`struct fail f = {0};`) before the first use. */
struct fail {
    enum fail_code code;
    char text[512]; /* one line, no newline; cut where it is longer */
};

/* Fills in f and returns false, so that `return fail(...)` reports. */
__attribute__((format(printf, 3, 4))) bool
fail(struct fail *f, enum fail_code code, const char *format, ...);

/* Puts more in front of a text that says too little about the place.
 * Returns false. */
__attribute__((format(printf, 2, 3))) bool fail_at(struct fail *f,
                                                   const char *format, ...);

#endif
