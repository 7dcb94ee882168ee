/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what it takes for a page of flash to hold other bytes, by the rules
 * of the board's flash: BOARD_FLASH_WORD is what it programs at once, a row is
 * what it programs in the same time as long as all of it is erased.
 */
#ifndef SALLYPORT_PLAN_H
#define SALLYPORT_PLAN_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

typedef BOARD_FLASH_WORD plan_word;
#define PLAN_ERASED ((plan_word)BOARD_FLASH_ERASED)
#define PLAN_WORDS  (BOARD_FLASH_PAGE / sizeof(plan_word)) /* of a page */
#ifdef BOARD_FLASH_ROW
#define PLAN_ROW (BOARD_FLASH_ROW / sizeof(plan_word))
#else
#define PLAN_ROW 1u
#endif

/* A word cannot be had without an erase of the page. */
#define PLAN_ERASE 0x10000u

/* Words to program for the page at `is` to hold `want`, both aligned to 4
 * bytes; with PLAN_ERASE, which the caller may also know beforehand: those
 * behind the erase.  quick: only whether there is PLAN_ERASE. */
static inline uint32_t plan_page(const void *is, const void *want,
                                 uint32_t plan, bool quick)
{
    const plan_word *from = is, *to = want;
    uint32_t filled = PLAN_ERASE;

    for (uint32_t i = 0; i < PLAN_WORDS;) {
        plan_word wanted = 0, differ = 0, refused = 0;

        for (uint32_t n = PLAN_ROW; n--; i++) {
            wanted |= to[i] ^ PLAN_ERASED;
            differ |= from[i] ^ to[i];
            refused |=
                BOARD_FLASH_CLEARS ? to[i] & ~from[i] : from[i] ^ PLAN_ERASED;
        }
        filled += (wanted != 0) * PLAN_ROW;
        if (!differ)
            continue;
        plan += PLAN_ROW;
        if (refused && quick)
            return PLAN_ERASE;
        if (refused)
            plan |= PLAN_ERASE;
    }
    return plan & PLAN_ERASE ? filled : plan;
}

/* Typical time of so many words, milliseconds. */
#define PLAN_MS(words)                                                         \
    (((words)*BOARD_FLASH_PROGRAM_MS + PLAN_WORDS - 1) / PLAN_WORDS)

#endif
