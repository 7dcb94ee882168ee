/* SPDX-License-Identifier: MIT */
/* demo_f0.c - the demo's pins on STM32F072. */
#include "demo_stm32.h"

#include "board.h"

#define AF_USART1 1u

void demo_pins(void)
{
    RCC->AHBENR |= RCC_AHB_IOP('A') | RCC_AHB_IOP(BOARD_LED_PORT) |
                   RCC_AHB_IOP(BOARD_KEY_PORT);
    RCC->APB2ENR |= RCC_APB2_USART1;
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT);
    GPIO(BOARD_KEY_PORT)->PUPDR |= GPIO_PULL(!BOARD_KEY_ACTIVE)
                                   << 2 * BOARD_KEY_PIN;
    GPIO('A')->AFR[1] = AF_USART1 << 4 * (9 - 8);
    gpio_mode(GPIO('A'), 9, GPIO_ALT);
}
