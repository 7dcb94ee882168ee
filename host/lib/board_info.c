/* SPDX-License-Identifier: MIT */
/* board_info.c - one board's board.h as data; compiled once per board, with
 * its folder in the include path (host/CMakeLists.txt). */
#include "board_info.h"

#include "board.h"

const struct board_info BOARD_INFO_SYMBOL = {
    .name = BOARD_NAME,
    .product = BOARD_PRODUCT,
    .vid = BOARD_VID,
    .pid = BOARD_PID,
    .model = BOARD_MODEL,
    .flash_base = BOARD_FLASH_BASE,
    .flash_size = BOARD_FLASH_SIZE,
    .flash_page = BOARD_FLASH_PAGE,
#ifdef BOARD_FLASH_ERASED
    .flash_erased = BOARD_FLASH_ERASED & 0xFF,
#else
    .flash_erased = 0xFF,
#endif
    .ram_base = BOARD_RAM_BASE,
    .ram_size = BOARD_RAM_SIZE,
#ifdef BOARD_CCM_BASE
    .ccm_base = BOARD_CCM_BASE,
    .ccm_size = BOARD_CCM_SIZE,
#endif
    .boot_size = BOARD_INFO_BOOT_SIZE,
    .boot_size_max = BOARD_INFO_BOOT_SIZE_MAX,
    .kv_size = BOARD_KV_SIZE,
    .uf2_family = BOARD_UF2_FAMILY,
};
