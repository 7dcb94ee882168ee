/* SPDX-License-Identifier: MIT */
/* demo_l0.c - the demo's pins on STM32L072. */
#include "demo_stm32.h"

#include "board.h"

#define AF_USART2 4u

void demo_pins(void)
{
    RCC->IOPENR =
        RCC_IOP('A') | RCC_IOP(BOARD_LED_PORT) | RCC_IOP(BOARD_KEY_PORT);
    RCC->APB1ENR |= RCC_APB1_USART2;
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT);
    gpio_mode(GPIO(BOARD_KEY_PORT), BOARD_KEY_PIN, GPIO_IN);
    GPIO(BOARD_KEY_PORT)->PUPDR |= GPIO_PULL(!BOARD_KEY_ACTIVE)
                                   << 2 * BOARD_KEY_PIN;
    GPIO('A')->AFR[0] = AF_USART2 << 4 * 2;
    gpio_mode(GPIO('A'), 2, GPIO_ALT);
}
