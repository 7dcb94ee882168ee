/* SPDX-License-Identifier: MIT */
/* stm32f103ze.c - DS5792, RM0008, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "stm32f103ze", .model = "STM32F103ZE", .family = "F1",             \
    .flash = 0x08000000, .flash_end = 0x08080000, .kv = 0x0807F000,            \
    .page = {{256, 2048}}, .erase_ms = {30}, .block = 2048,                    \
    .whole_pages = true, .setup_alone = true, .unit = 2, .least = 2,           \
    .program_us = 53, .image = 12 * 1024, .reset_tries = 6, .ram = 0x20000000, \
    .ram_end = 0x20010000, .unique_id = 0x1FFFF7E8, .product = 0x5A103E00,     \
    .key_port = 'A', .key_pin = 0, .key_pressed = 1

#define DRIVE                                                                  \
    .slot = 0x08002000, .slot_end = 0x0807F000,                                \
    .sector = {{4, 2048}, {62, 8192}, {1, 4096}, {2, 2048}},                   \
    .layout = "@Internal Flash /0x08000000/"                                   \
              "04*002Ka,62*008Kg,01*004Kg,02*002Ka"

#define STAGED                                                                 \
    .slot = 0x08004000, .slot_end = 0x08041000, .download = 0x08041000,        \
    .record = 0x0807E000,                                                      \
    .sector = {{8, 2048}, {61, 4096}, {62, 4096}, {2, 2048}},                  \
    .layout = "@Internal Flash /0x08000000/"                                   \
              "08*002Ka,61*004Kg,62*004Ka,02*002Ka"

const struct rig_board rig_stm32f103ze[] = {
    {
        COMMON,
        .profile = "dfu",
        .slot = 0x08001000,
        .slot_end = 0x0807F000,
        .sector = {{2, 2048}, {63, 8192}, {2, 2048}},
        .layout = "@Internal Flash /0x08000000/"
                  "02*002Ka,63*008Kg,02*002Ka",
    },
    {COMMON, DRIVE, .profile = "both"},
    {COMMON, DRIVE, .profile = "drive"},
    {COMMON, STAGED, .profile = "staged"},
    {COMMON, STAGED, .profile = "full"},
    {COMMON, STAGED, .profile = "full-closed"}, /* CONFIG_READBACK=0 */
    {0},
};
