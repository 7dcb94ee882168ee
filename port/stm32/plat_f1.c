/* SPDX-License-Identifier: MIT */
/* plat_f1.c - key and LED of STM32F103 and F107, see port.h.  RM0008
 * clause 9.2. */
#include "board.h"
#include "port.h"

/* The pull needs some microseconds against the pin's and a short wire's
 * capacitance. */
#define KEY_SETTLE_TURNS 100u

BOOT_PATH bool port_key_held(void)
{
    struct gpio *gpio = GPIO(BOARD_KEY_PORT);
    bool level;

    RCC->APB2ENR = RCC_APB2_IOP(BOARD_KEY_PORT);
    gpio_write(gpio, BOARD_KEY_PIN, !BOARD_KEY_ACTIVE);
    gpio_mode(gpio, BOARD_KEY_PIN, GPIO_IN_PULL);
    port_spin(KEY_SETTLE_TURNS);
    level = gpio->IDR >> BOARD_KEY_PIN & 1;
    /* As after reset, for the application. */
    RCC->APB2RSTR = RCC_APB2_IOP(BOARD_KEY_PORT);
    RCC->APB2RSTR = 0;
    RCC->APB2ENR = 0;
    return level == BOARD_KEY_ACTIVE;
}

BOOT_PATH void port_start(void)
{
    RCC->AHBENR = RCC_AHB_RESET | RCC_AHB_CRC | RCC_AHB_USB;
    RCC->APB2ENR = RCC_APB2_IOP(BOARD_LED_PORT) | RCC_APB2_IOP('A');
#ifndef STM32F107 /* whose USB block has a pull-up of its own */
    /* The board's pull-up says that somebody is here, which is not so yet. */
    port_usb_disconnect(true);
#endif
}
