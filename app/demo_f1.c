/* SPDX-License-Identifier: MIT */
/* demo_f1.c - the demo's pins on STM32F103 and F107. */
#include "demo_stm32.h"

#include "board.h"

#ifdef STM32F107
#define CONSOLE_PIN  2
#define CONSOLE_APB1 RCC_APB1_USART2
#define CONSOLE_APB2 0u
#else
#define CONSOLE_PIN  9
#define CONSOLE_APB1 0u
#define CONSOLE_APB2 RCC_APB2_USART1
#endif

void demo_pins(void)
{
    RCC->APB2ENR |= RCC_APB2_IOP('A') | RCC_APB2_IOP(BOARD_LED_PORT) |
                    RCC_APB2_IOP(BOARD_KEY_PORT) | CONSOLE_APB2;
    RCC->APB1ENR |= CONSOLE_APB1;
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT);
    gpio_write(GPIO(BOARD_KEY_PORT), BOARD_KEY_PIN, !BOARD_KEY_ACTIVE);
    gpio_mode(GPIO(BOARD_KEY_PORT), BOARD_KEY_PIN, GPIO_IN_PULL);
    gpio_mode(GPIO('A'), CONSOLE_PIN, GPIO_OUT_ALT_2MHZ);
}
