/* SPDX-License-Identifier: MIT */
/* stm32l072.c - DS10689, RM0376, and docs/design.md for the partitions.  A page
 * here are eight of the silicon's, as the bootloader takes them. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "stm32l072", .model = "STM32L072CZ", .family = "L0",               \
    .flash = 0x08000000, .flash_end = 0x08030000, .kv = 0x08030000,            \
    .page = {{192, 1024}}, .erase_ms = {27}, .block = 1024,                    \
    .whole_pages = true, .setup_alone = true, .marked = true, .unit = 64,      \
    .least = 4, .program_us = 3280, .image = 12 * 1024, .reset_tries = 6,      \
    .ram = 0x20000000, .ram_end = 0x20005000, .unique_id = 0x1FF80050,         \
    .unique_gap = 0x0C, .product = 0x5A107200, .uf2 = 0x202E3A91,              \
    .key_port = 'B', .key_pin = 2, .key_pressed = 0

#define DRIVE                                                                  \
    .slot = 0x08002C00, .slot_end = 0x08030000,                                \
    .sector = {{11, 1024}, {90, 2048}, {1, 1024}},                             \
    .layout = "@Internal Flash /0x08000000/11*001Ka,90*002Kg,01*001Kg"

const struct rig_board rig_stm32l072[] = {
    {
        COMMON,
        .profile = "dfu",
        .slot = 0x08001000,
        .slot_end = 0x08030000,
        .sector = {{4, 1024}, {94, 2048}},
        .layout = "@Internal Flash /0x08000000/04*001Ka,94*002Kg",
    },
    {COMMON, DRIVE, .profile = "both"},
    {
        COMMON,
        .profile = "staged",
        .slot = 0x08004000,
        .slot_end = 0x08019C00,
        .download = 0x08019C00,
        .record = 0x0802F800,
        .sector = {{16, 1024}, {87, 1024}, {89, 1024}},
        .layout = "@Internal Flash /0x08000000/16*001Ka,87*001Kg,89*001Ka",
    },
    {0},
};
