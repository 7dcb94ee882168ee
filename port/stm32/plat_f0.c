/* SPDX-License-Identifier: MIT */
/* plat_f0.c - key and LED of STM32F072, see port.h.  RM0091 clause 8.4. */
#include "board.h"
#include "port.h"

/* The pull needs some microseconds against the pin's and a short wire's
 * capacitance. */
#define KEY_SETTLE_TURNS 100u

BOOT_PATH bool port_key_held(void)
{
    struct gpio *gpio = GPIO(BOARD_KEY_PORT);
    bool level;

    RCC->AHBENR = RCC_AHB_RESET | RCC_AHB_IOP(BOARD_KEY_PORT);
    gpio->PUPDR |= GPIO_PULL(!BOARD_KEY_ACTIVE) << 2 * BOARD_KEY_PIN;
    port_spin(KEY_SETTLE_TURNS);
    level = gpio->IDR >> BOARD_KEY_PIN & 1;
    /* As after reset, for the application. */
    RCC->AHBRSTR = RCC_AHB_IOP(BOARD_KEY_PORT);
    RCC->AHBRSTR = 0;
    RCC->AHBENR = RCC_AHB_RESET;
    return level == BOARD_KEY_ACTIVE;
}

BOOT_PATH void port_start(void)
{
    RCC->AHBENR = RCC_AHB_RESET | RCC_AHB_CRC | RCC_AHB_IOP(BOARD_LED_PORT);
}
