/* SPDX-License-Identifier: MIT */
/* board_find.c - looks up boards, see board_info.h. */
#include "board_info.h"

#include <stddef.h>
#include <string.h>

const struct board_info *board_info_find(const char *name)
{
    for (size_t i = 0; board_infos[i]; i++) {
        if (!strcmp(board_infos[i]->name, name))
            return board_infos[i];
    }
    return NULL;
}

uint32_t board_info_slot_start(const struct board_info *board)
{
    return board->flash_base + board->boot_size;
}

uint64_t board_info_slot_end(const struct board_info *board)
{
    return (uint64_t)board->flash_base + board->flash_size - board->kv_size;
}

bool board_info_app_start(const struct board_info *board, uint32_t *start)
{
    *start = board_info_slot_start(board);
    return board->boot_size == board->boot_size_max;
}
