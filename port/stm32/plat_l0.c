/* SPDX-License-Identifier: MIT */
/* plat_l0.c - key and LED of STM32L072, see port.h.  RM0376 clause 9.4. */
#include "board.h"
#include "port.h"

/* The pull needs some microseconds against the pin's and a short wire's
 * capacitance. */
#define KEY_SETTLE_TURNS 20u

BOOT_PATH bool port_key_held(void)
{
    struct gpio *gpio = GPIO(BOARD_KEY_PORT);
    bool level;

    RCC->IOPENR = RCC_IOP(BOARD_KEY_PORT);
    gpio_mode(gpio, BOARD_KEY_PIN, GPIO_IN);
    gpio->PUPDR |= GPIO_PULL(!BOARD_KEY_ACTIVE) << 2 * BOARD_KEY_PIN;
    port_spin(KEY_SETTLE_TURNS);
    level = gpio->IDR >> BOARD_KEY_PIN & 1;
    /* As after reset, for the application. */
    RCC->IOPRSTR = RCC_IOP(BOARD_KEY_PORT);
    RCC->IOPRSTR = 0;
    RCC->IOPENR = 0;
    return level == BOARD_KEY_ACTIVE;
}

BOOT_PATH void port_start(void)
{
    RCC->IOPENR = RCC_IOP(BOARD_LED_PORT);
    RCC->AHBENR = RCC_AHB_RESET | RCC_AHB_CRC;
}
