/* SPDX-License-Identifier: MIT */
/*
 * plat_f1.c - plat.h for STM32F103: start-up, facts for the boot decision,
 * the jump, time, LED, serial number.
 */
#include "plat.h"

#include "config.h"
#include "mailbox.h"
#include "port.h"
#include "stm32f1.h"

#define MAILBOX                                                                \
    ((volatile struct mailbox *)(BOARD_RAM_BASE + BOARD_RAM_SIZE -             \
                                 CONFIG_MAILBOX_SIZE))

static uint32_t now_ms;

/* ---- the reset path: clocks as reset left them ---- */

/* A turn takes 4 cycles, half a microsecond on HSI at 8 MHz without wait
 * states; good to some per cent, which is all that is asked of it. */
#define TURNS_PER_MS 2000u

static void spin(uint32_t turns)
{
    while (turns--)
        __asm volatile("" : : : "memory");
}

/* The pull needs some microseconds against the pin's and a short wire's
 * capacitance. */
#define KEY_SETTLE_TURNS 100u

static bool key_held(void)
{
    struct gpio *gpio = GPIO(BOARD_KEY_PORT);
    bool level;

    RCC->APB2ENR = RCC_APB2_IOP(BOARD_KEY_PORT);
    gpio_write(gpio, BOARD_KEY_PIN, !BOARD_KEY_ACTIVE);
    gpio_mode(gpio, BOARD_KEY_PIN, GPIO_IN_PULL);
    spin(KEY_SETTLE_TURNS);
    level = gpio->IDR >> BOARD_KEY_PIN & 1;
    /* As after reset, for the application. */
    RCC->APB2RSTR = RCC_APB2_IOP(BOARD_KEY_PORT);
    RCC->APB2RSTR = 0;
    RCC->APB2ENR = 0;
    return level == BOARD_KEY_ACTIVE;
}

void plat_boot_facts(struct boot_facts *facts)
{
    volatile struct mailbox *m = MAILBOX;
    uint32_t request = m->request;

    facts->vectors = (const uint32_t *)PART_APP_START;
    facts->asked = request == MAILBOX_REQUEST;
    if (CONFIG_DOUBLE_RESET_MS && m->reset_seen == MAILBOX_RESET_SEEN)
        facts->asked = true;
    facts->key = key_held();
    m->request = 0;
    if (CONFIG_DOUBLE_RESET_MS)
        m->reset_seen = 0;
}

void plat_double_reset_window(uint32_t ms)
{
    MAILBOX->reset_seen = MAILBOX_RESET_SEEN;
    while (ms--) {
        IWDG_KR = IWDG_KR_RELOAD; /* may have been started by option byte */
        spin(TURNS_PER_MS);
    }
    MAILBOX->reset_seen = 0;
}

_Noreturn void plat_jump(uint32_t vectors)
{
    const uint32_t *v = (const uint32_t *)vectors;

    SCB_VTOR = vectors;
    __asm volatile("msr msp, %0\n\tbx %1" : : "r"(v[0]), "r"(v[1]) : "memory");
    __builtin_unreachable();
}

_Noreturn void plat_reset(void)
{
    __asm volatile("dsb");
    SCB_AIRCR = SCB_AIRCR_RESET;
    for (;;)
        ;
}

/* ---- the bootloader runs ---- */

void plat_start(void)
{
    port_clock_start();
    SYSTICK->LOAD = PORT_HCLK_HZ / 8u / 1000u - 1u;
    SYSTICK->CTRL = SYSTICK_CTRL_ENABLE;
    RCC->APB2ENR = RCC_APB2_IOP(BOARD_LED_PORT) | RCC_APB2_IOP('A');
    gpio_mode(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, GPIO_OUT_2MHZ);
}

uint32_t plat_ms(void)
{
    IWDG_KR = IWDG_KR_RELOAD; /* may have been started by option byte */
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
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t word = REG32(UID_BASE + 4 * i);

        for (uint32_t j = 0; j < 8; j++, word <<= 4) {
            uint32_t nibble = word >> 28;

            *digits++ = (char)(nibble < 10 ? '0' + nibble : 'A' - 10 + nibble);
        }
    }
}
