/* SPDX-License-Identifier: MIT */
/*
 * models.c - the boards as data, and looking up boards and chips by name.
 */
#include "models.h"

#include <strings.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct chip_model *const chips[] = {
    &model_stm32f103ze, &model_stm32f103c8, &model_stm32f407vg,
    &model_stm32f411ce, &model_stm32l072cz, &model_stm32f072rb,
    &model_apm32f407ig, &model_stm32f107vc, &model_stm32f103rc,
};
static const char chip_list[] = "stm32f103ze, stm32f103c8, stm32f407vg, "
                                "stm32f411ce, stm32l072cz, stm32f072rb, "
                                "apm32f407ig, stm32f107vc, stm32f103rc";

static const struct sim_board boards[] = {
    {
        .name = "stm32f103ze",
        .model = &model_stm32f103ze,
        .hse_hz = 8000000,
        .pins = {{"LED", {'B', 5}, true}, {"key", {'A', 0}, false}},
        .pullup = PULLUP_FIXED,
    },
    {
        .name = "bluepill",
        .model = &model_stm32f103c8,
        .hse_hz = 8000000,
        .pins = {{"LED", {'C', 13}, true}},
        .pulls = {{{'B', 2}, false}}, /* BOOT1 jumper, 100 kOhm */
        .pullup = PULLUP_FIXED,
    },
    {
        /* Laid out like the STM3210C-EVAL: LED1, the key between PB9 and
         * ground with its resistor; PA9 is VBUS. */
        .name = "stm32f107",
        .model = &model_stm32f107vc,
        .hse_hz = 25000000,
        .pins = {{"LED", {'D', 7}, false}, {"key", {'B', 9}, true}},
        .pulls = {{{'B', 9}, true}},
        .pullup = PULLUP_NONE, /* the chip has its own */
    },
    {
        /* Laid out like the STM32F4DISCOVERY. */
        .name = "stm32f407",
        .model = &model_stm32f407vg,
        .hse_hz = 8000000,
        .pins = {{"LED", {'D', 12}, false}, {"key", {'A', 0}, false}},
        .pulls = {{{'A', 0}, false}}, /* 220 kOhm at the user button */
        .pullup = PULLUP_NONE,        /* the chip has its own */
    },
    {
        /* WeAct's: the key is between PA0 and ground. */
        .name = "blackpill",
        .model = &model_stm32f411ce,
        .hse_hz = 25000000,
        .pins = {{"LED", {'C', 13}, true}, {"key", {'A', 0}, true}},
        .pullup = PULLUP_NONE,
    },
    {
        /* Laid out like the STM32F072B-DISCO; no crystal. */
        .name = "stm32f072",
        .model = &model_stm32f072rb,
        .pins = {{"LED", {'C', 6}, false}, {"key", {'A', 0}, false}},
        .pulls = {{{'A', 0}, false}}, /* 220 kOhm at the user button */
        .pullup = PULLUP_NONE,        /* the chip has its own */
    },
    {
        /* Geehy's APM32F407 MINI: LED3, KEY1; both keys are between their
         * pin and ground. */
        .name = "apm32f407",
        .model = &model_apm32f407ig,
        .hse_hz = 8000000,
        .pins = {{"LED", {'E', 5}, true}, {"key", {'A', 1}, true}},
        .pullup = PULLUP_NONE,
    },
    {
        /* Laid out like the B-L072Z-LRWAN1; no crystal. */
        .name = "stm32l072",
        .model = &model_stm32l072cz,
        .pins = {{"LED", {'B', 5}, false}, {"key", {'B', 2}, true}},
        .pullup = PULLUP_NONE, /* the chip has its own */
    },
};
static const char board_list[] = "stm32f103ze, bluepill, stm32f107, "
                                 "stm32f407, blackpill, stm32f072, "
                                 "apm32f407, stm32l072";

const struct chip_model *chip_model_find(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT(chips); i++)
        if (!strcasecmp(chips[i]->name, name))
            return chips[i];
    return NULL;
}

const struct sim_board *sim_board_find(const char *name)
{
    size_t i;

    for (i = 0; i < COUNT(boards); i++)
        if (!strcasecmp(boards[i].name, name))
            return &boards[i];
    return NULL;
}

const struct chip_model *sim_board_model(const struct sim_board *board)
{
    return board->model;
}

const char *chip_model_names(void)
{
    return chip_list;
}

const char *sim_board_names(void)
{
    return board_list;
}
