/* SPDX-License-Identifier: MIT */
/*
 * demo_stm32.h - what demo_stm32.c asks of the family.
 */
#ifndef SALLYPORT_DEMO_STM32_H
#define SALLYPORT_DEMO_STM32_H

#include "port.h"

/* The USART of the console and its clock. */
#if defined(STM32F107) /* whose PA9 is VBUS */
#define DEMO_CONSOLE    USART2
#define DEMO_CONSOLE_HZ (PORT_HCLK_HZ / 2u)
#elif defined(STM32F1) || defined(STM32F0)
#define DEMO_CONSOLE    USART1
#define DEMO_CONSOLE_HZ PORT_HCLK_HZ
#else
#define DEMO_CONSOLE    USART2
#define DEMO_CONSOLE_HZ PORT_APB1_HZ
#endif

/* Clocks and pins of LED, key and console. */
void demo_pins(void);

#endif
