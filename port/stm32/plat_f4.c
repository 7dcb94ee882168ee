/* SPDX-License-Identifier: MIT */
/* plat_f4.c - key, LED and watchdog of STM32F405, F407 and F411, see port.h.
 * RM0090 clauses 8.4 and 21.4. */
#include "board.h"
#include "port.h"

/* The pull needs some microseconds against the pin's and a short wire's
 * capacitance. */
#define KEY_SETTLE_TURNS 200u

BOOT_PATH bool port_key_held(void)
{
    struct gpio *gpio = GPIO(BOARD_KEY_PORT);
    bool level;

    RCC->AHB1ENR = RCC_AHB1_RESET | RCC_AHB1_GPIO(BOARD_KEY_PORT);
    (void)RCC->AHB1ENR; /* the clock takes two cycles (ES0182) */
    gpio->PUPDR |= GPIO_PULL(!BOARD_KEY_ACTIVE) << 2 * BOARD_KEY_PIN;
    port_spin(KEY_SETTLE_TURNS);
    level = gpio->IDR >> BOARD_KEY_PIN & 1;
    /* As after reset, for the application. */
    RCC->AHB1RSTR = RCC_AHB1_GPIO(BOARD_KEY_PORT);
    RCC->AHB1RSTR = 0;
    RCC->AHB1ENR = RCC_AHB1_RESET;
    return level == BOARD_KEY_ACTIVE;
}

BOOT_PATH void port_start(void)
{
    /* An option byte may have started the watchdog with 512 ms, and nobody
     * can feed it while a sector of 128 KB is erased (2 s, DS8626
     * table 40).  32 s; PR alone is written, and once, so that PVU need not
     * be waited for.  A watchdog that is not started does not start by this. */
    IWDG->KR = IWDG_KR_ACCESS;
    IWDG->PR = IWDG_PR_DIV256;
}
