/* SPDX-License-Identifier: MIT */
/*
 * models.h - the chips that exist, one file of tables a family.
 */
#ifndef SIM_MODELS_H
#define SIM_MODELS_H

#include "model.h"

extern const struct chip_model model_stm32f103ze;
extern const struct chip_model model_stm32f103c8;
extern const struct chip_model model_stm32f407vg;
extern const struct chip_model model_stm32f411ce;
extern const struct chip_model model_stm32l072cz;
extern const struct chip_model model_stm32f072rb;
extern const struct chip_model model_apm32f407ig;
extern const struct chip_model model_stm32f107vc;
extern const struct chip_model model_stm32f103rc;

#endif
