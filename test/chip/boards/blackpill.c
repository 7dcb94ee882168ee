/* SPDX-License-Identifier: MIT */
/* blackpill.c - DS10314, RM0383, and docs/design.md for the partitions. */
#include "rig.h"

#define COMMON                                                                 \
    .name = "blackpill", .model = "STM32F411CE", .family = "F4",               \
    .flash = 0x08000000, .flash_end = 0x08080000, .kv = 0x08080000,            \
    .page = {{4, 16384}, {1, 65536}, {3, 131072}},                             \
    .erase_ms = {250, 550, 1000},                                              \
    .sector = {{4, 16384}, {1, 65536}, {3, 131072}}, .slot = 0x08004000,       \
    .block = 4096, .unit = 4, .least = 1, .program_us = 16,                    \
    .image = 40 * 1024, .reset_tries = 60, .ram = 0x20000000,                  \
    .ram_end = 0x20020000, .unique_id = 0x1FFF7A10, .product = 0x5A411C00,     \
    .key_port = 'A', .key_pin = 0, .key_pressed = 0

#define IN_PLACE                                                               \
    .slot_end = 0x08080000, .layout = "@Internal Flash /0x08000000/"           \
                                      "01*016Ka,03*016Kg,01*064Kg,03*128Kg"

const struct rig_board rig_blackpill[] = {
    {COMMON, IN_PLACE, .profile = "dfu"},
    {COMMON, IN_PLACE, .profile = "both"},
    {COMMON, IN_PLACE, .profile = "drive"},
    {
        COMMON,
        .profile = "staged",
        .slot_end = 0x08040000,
        .download = 0x08040000,
        .record = 0x0807C000,
        .layout = "@Internal Flash /0x08000000/"
                  "01*016Ka,03*016Kg,01*064Kg,01*128Kg,02*128Ka",
    },
    {0},
};
