/* SPDX-License-Identifier: MIT */
/* stm32f072.c - DS9826, RM0091, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "stm32f072", .model = "STM32F072RB", .family = "F0",               \
    .flash = 0x08000000, .flash_end = 0x08020000, .kv = 0x0801F000,            \
    .page = {{64, 2048}}, .erase_ms = {30}, .block = 2048,                     \
    .whole_pages = true, .setup_alone = true, .no_vtor = true, .unit = 2,      \
    .least = 2, .program_us = 54, .image = 12 * 1024, .reset_tries = 6,        \
    .ram = 0x20000000, .ram_end = 0x20004000, .unique_id = 0x1FFFF7AC,         \
    .product = 0x5A072B00, .uf2 = 0x647824B6, .key_port = 'A', .key_pin = 0,   \
    .key_pressed = 1

const struct rig_board rig_stm32f072[] = {
    {
        COMMON,
        .profile = "dfu",
        .slot = 0x08001000,
        .slot_end = 0x0801F000,
        .sector = {{2, 2048}, {60, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "02*002Ka,60*002Kg,02*002Ka",
    },
    {
        COMMON,
        .profile = "both",
        .slot = 0x08002800,
        .slot_end = 0x0801F000,
        .sector = {{5, 2048}, {57, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "05*002Ka,57*002Kg,02*002Ka",
    },
    {
        COMMON,
        .profile = "drive",
        .slot = 0x08002000,
        .slot_end = 0x0801F000,
        .sector = {{4, 2048}, {58, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "04*002Ka,58*002Kg,02*002Ka",
    },
    {
        COMMON,
        .profile = "staged",
        .slot = 0x08004000,
        .slot_end = 0x08011000,
        .download = 0x08011000,
        .record = 0x0801E000,
        .sector = {{8, 2048}, {26, 2048}, {28, 2048}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "08*002Ka,26*002Kg,28*002Ka,02*002Ka",
    },
    {0},
};
