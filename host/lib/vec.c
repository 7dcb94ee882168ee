/* SPDX-License-Identifier: MIT */
/* vec.c - see vec.h. */
#include "vec.h"

#include "bytes.h"
#include "img.h"

/* Where RAM can be without knowing the chip: the largest SRAM of the parts
 * in reach is 512 KB, core-coupled memory (F4: 64 KB) is at 0x10000000. */
#define SRAM_BASE 0x20000000u
#define SRAM_END  0x20080000u
#define CCM_BASE  0x10000000u
#define CCM_SIZE  0x10000u

struct vec vec_get(const struct fw *fw, uint64_t start)
{
    uint8_t words[8];

    fw_get(fw, start, words, sizeof(words), 0xFF);
    return (struct vec){.sp = get_le32(words + IMG_OFF_SP),
                        .reset = get_le32(words + IMG_OFF_RESET)};
}

/* A stack grows down: its first value may be the end of the RAM, not the
 * start. */
static bool sp_within(uint32_t sp, uint32_t from, uint32_t to)
{
    return sp % 4 == 0 && sp > from && sp <= to;
}

static bool check_sp(uint32_t sp, const struct board_info *board,
                     struct fail *f)
{
    uint32_t from = board ? board->ram_base : SRAM_BASE;
    uint32_t to = board ? from + board->ram_size : SRAM_END;
    uint32_t ccm = board ? board->ccm_base : CCM_BASE;
    uint32_t ccm_size = board ? board->ccm_size : CCM_SIZE;

    if (sp_within(sp, from, to) || sp_within(sp, ccm, ccm + ccm_size))
        return true;
    return fail(f, FAIL_UNFIT,
                "the first word 0x%08X is no stack pointer into RAM "
                "(0x%08X to 0x%08X%s): the image has to start with the vector "
                "table",
                sp, from, to, ccm_size ? ", or CCM" : "");
}

/* A raw binary without an address: all that is known is that its reset
 * vector points into flash, for a board behind the bootloader. */
static bool check_unplaced(uint32_t reset, const struct board_info *board,
                           struct fail *f)
{
    uint32_t from = board ? board_info_slot_start(board) : 0;
    uint64_t to = board ? board_info_slot_end(board) : SRAM_BASE;

    if (reset >= from && reset < to)
        return true;
    return fail(f, FAIL_UNFIT,
                "the reset vector 0x%08X lies outside the application's flash "
                "(0x%08X to 0x%08X): link the application for its slot",
                reset, from, (uint32_t)(to - 1));
}

static bool check_reset(uint32_t reset, uint64_t start, uint64_t end,
                        struct fail *f)
{
    if (reset >= start && reset < end)
        return true;
    return fail(f, FAIL_UNFIT,
                "the reset vector 0x%08X lies outside the image (0x%08X to "
                "0x%08X): link the application for its slot, or say with "
                "--address where its vector table is",
                reset, (uint32_t)start, (uint32_t)(end - 1));
}

bool vec_check(const struct fw *fw, uint64_t start, uint64_t end,
               const struct board_info *board, struct fail *f)
{
    struct vec v = vec_get(fw, start);

    if (!check_sp(v.sp, board, f))
        return false;
    if (!(v.reset & 1))
        return fail(f, FAIL_UNFIT,
                    "the reset vector 0x%08X is even, a Cortex-M needs an odd "
                    "one (Thumb): the image has to start with the vector table",
                    v.reset);
    if (!fw->placed)
        return check_unplaced(v.reset, board, f);
    return check_reset(v.reset, start, end, f);
}
