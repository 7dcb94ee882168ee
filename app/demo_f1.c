/* SPDX-License-Identifier: MIT */
/* demo_f1.c - the demo's pins on STM32F103. */
#include "demo_stm32.h"

#include "board.h"

void demo_pins(void)
{
    RCC->APB2ENR |= RCC_APB2_IOP('A') | RCC_APB2_IOP(BOARD_LED_PORT) |
                    RCC_APB2_IOP(BOARD_KEY_PORT) | RCC_APB2_USART1;
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT);
    gpio_write(GPIO(BOARD_KEY_PORT), BOARD_KEY_PIN, !BOARD_KEY_ACTIVE);
    gpio_mode(GPIO(BOARD_KEY_PORT), BOARD_KEY_PIN, GPIO_IN_PULL);
    gpio_mode(GPIO('A'), 9, GPIO_OUT_ALT_2MHZ);
}
