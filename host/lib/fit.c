/* SPDX-License-Identifier: MIT */
/* fit.c - see fit.h. */
#include "fit.h"

static bool check_family(const struct fw *fw, const struct board_info *board,
                         struct fail *f)
{
    if (!fw->has_family || fw->family == board->uf2_family)
        return true;
    return fail(f, FAIL_UNFIT,
                "the file is for family 0x%08X, %s takes 0x%08X: convert the "
                "firmware's .bin, .hex or ELF file for this board",
                fw->family, board->name, board->uf2_family);
}

static bool check_size(const struct board_info *board, uint64_t size,
                       struct fail *f)
{
    uint64_t room = board_info_slot_end(board) - board_info_slot_start(board);

    if (size <= room)
        return true;
    return fail(f, FAIL_UNFIT,
                "the image has %llu bytes, the largest slot of %s has %llu",
                (unsigned long long)size, board->name,
                (unsigned long long)room);
}

static bool check_place(const struct board_info *board, uint64_t start,
                        uint64_t end, struct fail *f)
{
    if (start < board_info_slot_start(board) ||
        end > board_info_slot_end(board))
        return fail(f, FAIL_UNFIT,
                    "the image (0x%08X to 0x%08X) is not within the "
                    "application's flash of %s (0x%08X to 0x%08X): link it "
                    "for its slot",
                    (uint32_t)start, (uint32_t)(end - 1), board->name,
                    board_info_slot_start(board),
                    (uint32_t)(board_info_slot_end(board) - 1));
    if ((start - board->flash_base) % board->flash_page)
        return fail(f, FAIL_UNFIT,
                    "the image starts at 0x%08X, which is not the start of a "
                    "flash page (%u bytes) of %s",
                    (uint32_t)start, board->flash_page, board->name);
    return true;
}

bool fit_board(const struct fw *fw, uint64_t start, uint64_t end,
               const struct board_info *board, struct fail *f)
{
    return check_family(fw, board, f) && check_size(board, end - start, f) &&
           (!fw->placed || check_place(board, start, end, f));
}
