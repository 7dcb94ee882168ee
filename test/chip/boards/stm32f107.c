/* SPDX-License-Identifier: MIT */
/* stm32f107.c - DS6014, RM0008, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "stm32f107", .model = "STM32F107VC", .family = "F107",             \
    .flash = 0x08000000, .flash_end = 0x08040000, .kv = 0x0803F000,            \
    .page = {{128, 2048}}, .erase_ms = {30}, .block = 2048,                    \
    .whole_pages = true, .unit = 2, .least = 2, .program_us = 53,              \
    .image = 12 * 1024, .reset_tries = 6, .ram = 0x20000000,                   \
    .ram_end = 0x20010000, .unique_id = 0x1FFFF7E8, .product = 0x5A107C00,     \
    .key_port = 'B', .key_pin = 9, .key_pressed = 0

#define DRIVE                                                                  \
    .slot = 0x08002800, .slot_end = 0x0803F000,                                \
    .sector = {{5, 2048}, {60, 4096}, {1, 2048}, {2, 2048}},                   \
    .layout = "@Internal Flash /0x08000000/"                                   \
              "05*002Ka,60*004Kg,01*002Kg,02*002Ka"

const struct rig_board rig_stm32f107[] = {
    {
        COMMON,
        .profile = "dfu",
        .slot = 0x08001800,
        .slot_end = 0x0803F000,
        .sector = {{3, 2048}, {61, 4096}, {1, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "03*002Ka,61*004Kg,01*002Kg,02*002Ka",
    },
    {COMMON, DRIVE, .profile = "both"},
    {COMMON, DRIVE, .profile = "drive"},
    {
        COMMON,
        .profile = "staged",
        .slot = 0x08004000,
        .slot_end = 0x08021000,
        .download = 0x08021000,
        .record = 0x0803E000,
        .sector = {{8, 2048}, {58, 2048}, {60, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "08*002Ka,58*002Kg,60*002Ka,02*002Ka",
    },
    {0},
};
