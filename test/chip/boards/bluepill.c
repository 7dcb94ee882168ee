/* SPDX-License-Identifier: MIT */
/* bluepill.c - DS5319, RM0008, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "bluepill", .model = "STM32F103C8", .family = "F1",                \
    .flash = 0x08000000, .flash_end = 0x08010000, .kv = 0x0800F800,            \
    .page = {{64, 1024}}, .erase_ms = {30}, .block = 1024,                     \
    .whole_pages = true, .setup_alone = true, .unit = 2, .least = 2,           \
    .program_us = 53, .image = 12 * 1024, .reset_tries = 6, .ram = 0x20000000, \
    .ram_end = 0x20005000, .unique_id = 0x1FFFF7E8, .product = 0x5A103C00,     \
    .key_port = 'B', .key_pin = 2, .key_pressed = 1

#define DRIVE                                                                  \
    .slot = 0x08002000, .slot_end = 0x0800F800,                                \
    .sector = {{8, 1024}, {54, 1024}, {2, 1024}},                              \
    .layout = "@Internal Flash /0x08000000/08*001Ka,54*001Kg,02*001Ka"

const struct rig_board rig_bluepill[] = {
    {
        COMMON,
        .profile = "dfu",
        .slot = 0x08001000,
        .slot_end = 0x0800F800,
        .sector = {{4, 1024}, {58, 1024}, {2, 1024}},
        .layout = "@Internal Flash /0x08000000/04*001Ka,58*001Kg,02*001Ka",
    },
    {COMMON, DRIVE, .profile = "both"},
    {COMMON, DRIVE, .profile = "drive"},
    {
        COMMON,
        .profile = "staged",
        .slot = 0x08004000,
        .slot_end = 0x08009800,
        .download = 0x08009800,
        .record = 0x0800F000,
        .sector = {{16, 1024}, {22, 1024}, {24, 1024}, {2, 1024}},
        .layout = "@Internal Flash /0x08000000/"
                  "16*001Ka,22*001Kg,24*001Ka,02*001Ka",
    },
    {0},
};
