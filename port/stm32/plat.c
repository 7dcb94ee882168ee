/* SPDX-License-Identifier: MIT */
/*
 * plat.c - plat.h for all STM32: facts for the boot decision, the jump, time,
 * LED, serial number.  Pins and clocks are the family's (port.h).
 */
#include "plat.h"

#include "config.h"
#include "flash.h"
#include "hex.h"
#include "mailbox.h"
#include "port.h"

#define MAILBOX                                                                \
    ((volatile struct mailbox *)(BOARD_RAM_BASE + BOARD_RAM_SIZE -             \
                                 CONFIG_MAILBOX_SIZE))

static uint32_t now_ms;

/* ---- the reset path: clocks as reset left them ---- */

BOOT_PATH void port_spin(uint32_t turns)
{
    while (turns--)
        __asm volatile("" : : : "memory");
}

BOOT_PATH void plat_boot_facts(struct boot_facts *facts)
{
    volatile struct mailbox *m = MAILBOX;
    uint32_t request = m->request;

    facts->vectors = (const uint32_t *)PART_APP_START;
    facts->asked = request == MAILBOX_REQUEST;
    facts->key = port_key_held();
#if CONFIG_MARK
    facts->torn = flash_marked();
#endif
    m->request = 0;
}

BOOT_PATH void plat_double_reset_window(uint32_t ms)
{
    MAILBOX->request = MAILBOX_REQUEST;
    while (ms--) {
        IWDG->KR = IWDG_KR_RELOAD; /* may have been started by option byte */
        port_spin(PORT_TURNS_PER_MS);
    }
    MAILBOX->request = 0;
}

BOOT_PATH _Noreturn void plat_jump(uint32_t vectors)
{
    const uint32_t *v = (const uint32_t *)vectors;

#ifndef PORT_NO_VTOR /* then the application has to see to it */
    SCB_VTOR = vectors;
#endif
    __asm volatile("msr msp, %0\n\tbx %1" : : "r"(v[0]), "r"(v[1]) : "memory");
    __builtin_unreachable();
}

BOOT_PATH _Noreturn void plat_reset(void)
{
    __asm volatile("dsb");
    SCB_AIRCR = SCB_AIRCR_RESET;
    for (;;)
        ;
}

/* ---- the bootloader runs ---- */

void plat_start(void)
{
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT);
    SYSTICK->LOAD = PORT_HCLK_HZ / 8u / 1000u - 1u;
    SYSTICK->CTRL = SYSTICK_CTRL_ENABLE;
}

uint32_t plat_ms(void)
{
    IWDG->KR = IWDG_KR_RELOAD; /* may have been started by option byte */
    if (SYSTICK->CTRL & SYSTICK_CTRL_COUNTFLAG)
        now_ms++;
    return now_ms;
}

void plat_led(bool on)
{
    gpio_write(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, on == BOARD_LED_ACTIVE);
}

void plat_serial(char *digits)
{
    for (uint32_t i = 0; i < 3; i++)
        digits = hex_word(digits, REG32(UID_WORD(i)));
}
