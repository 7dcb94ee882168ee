/* SPDX-License-Identifier: MIT */
/* stm32f407.c - DS8626, RM0090, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "stm32f407", .model = "STM32F407VG", .family = "F4",               \
    .flash = 0x08000000, .flash_end = 0x08100000,                              \
    .page = {{4, 16384}, {1, 65536}, {7, 131072}},                             \
    .erase_ms = {250, 550, 1000},                                              \
    .sector = {{4, 16384}, {1, 65536}, {7, 131072}}, .slot = 0x08004000,       \
    .block = 4096, .unit = 4, .least = 1, .program_us = 16,                    \
    .image = 40 * 1024, .reset_tries = 60, .ram = 0x20000000,                  \
    .ram_end = 0x20020000, .ccm = 0x10000000, .ccm_end = 0x10010000,           \
    .unique_id = 0x1FFF7A10, .product = 0x5A407600, .key_port = 'A',           \
    .key_pin = 0, .key_pressed = 1

#define IN_PLACE                                                               \
    .kv = 0x08100000, .slot_end = 0x08100000,                                  \
    .layout = "@Internal Flash /0x08000000/"                                   \
              "01*016Ka,03*016Kg,01*064Kg,07*128Kg"

#define STAGED                                                                 \
    .kv = 0x08100000, .slot_end = 0x08080000, .download = 0x08080000,          \
    .record = 0x080FC000,                                                      \
    .layout = "@Internal Flash /0x08000000/"                                   \
              "01*016Ka,03*016Kg,01*064Kg,03*128Kg,04*128Ka"

const struct rig_board rig_stm32f407[] = {
    {COMMON, IN_PLACE, .profile = "dfu"},
    {COMMON, IN_PLACE, .profile = "both"},
    {COMMON, IN_PLACE, .profile = "drive"},
    {COMMON, STAGED, .profile = "staged"},
    {COMMON, STAGED, .profile = "full"},
    {
        COMMON,
        .profile = "staged-kv", /* BOARD_KV_SIZE of 256 KB */
        .kv = 0x080C0000,
        .slot_end = 0x08060000,
        .download = 0x08060000,
        .record = 0x080BC000,
        .layout = "@Internal Flash /0x08000000/"
                  "01*016Ka,03*016Kg,01*064Kg,02*128Kg,03*128Ka,02*128Ka",
    },
    {0},
};
