/* SPDX-License-Identifier: MIT */
/*
 * gpio_moder.h - GPIO with two bits of mode a pin: STM32F0 (RM0091 clause 8.4),
 * F4 (RM0090 clause 8.4) and L0 (RM0376 clause 9.4); included by the header of
 * each, which knows the base and what a reset leaves.
 */
#ifndef PORT_GPIO_MODER_H
#define PORT_GPIO_MODER_H

#include <stdint.h>

struct gpio {
    volatile uint32_t MODER, OTYPER, OSPEEDR, PUPDR, IDR, ODR, BSRR, LCKR,
        AFR[2];
};

#define GPIO_IN       0u
#define GPIO_OUT      1u /* push-pull and slow, as after a reset */
#define GPIO_ALT      2u
#define GPIO_PULL(up) ((up) ? 1u : 2u)

/* BSRR: the upper half resets. */
BOOT_PATH static inline void gpio_write(struct gpio *gpio, uint32_t pin,
                                        uint32_t level)
{
    gpio->BSRR = 1u << (level ? pin : pin + 16);
}

#endif
