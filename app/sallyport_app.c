/* SPDX-License-Identifier: MIT */
/* sallyport_app.c - see sallyport_app.h. */
#include "sallyport_app.h"

#define MAILBOX_SIZE    16u
#define MAILBOX_REQUEST 0x594C4153u

#define BOOTLOADER_NAME 0x08000010u

#define SCB_AIRCR       (*(volatile uint32_t *)0xE000ED0Cu)
#define SCB_AIRCR_RESET (0x05FA0000u | 1u << 2) /* VECTKEY, SYSRESETREQ */

/* STM32F0 */
#define RCC_APB2ENR        (*(volatile uint32_t *)0x40021018u)
#define RCC_APB2ENR_SYSCFG 1u
#define SYSCFG_CFGR1       (*(volatile uint32_t *)0x40010000u)
#define SYSCFG_CFGR1_RAM   3u

_Noreturn void sallyport_enter_bootloader(uint32_t ram_end)
{
    *(volatile uint32_t *)(ram_end - MAILBOX_SIZE) = MAILBOX_REQUEST;
    __asm volatile("dsb" : : : "memory");
    SCB_AIRCR = SCB_AIRCR_RESET;
    for (;;)
        ;
}

/* Behind the bootloader's four vectors (core/boot.h) stands "Sallyport " and
 * what is asked for.  In the vector table of others there are an address or a
 * reserved word. */
const char *sallyport_bootloader_version(void)
{
    static const char name[] = "Sallyport ";
    const char *at = (const char *)BOOTLOADER_NAME;

    for (const char *n = name; *n; n++)
        if (*at++ != *n)
            return 0;
    return at;
}

void sallyport_vectors_to_ram(uint32_t *ram, const void *const *vectors,
                              uint32_t n)
{
    volatile uint32_t *to = ram;

    while (n--)
        *to++ = (uint32_t)*vectors++;
    RCC_APB2ENR |= RCC_APB2ENR_SYSCFG;
    SYSCFG_CFGR1 |= SYSCFG_CFGR1_RAM;
    __asm volatile("dsb" : : : "memory");
}

void sallyport_serial(uint32_t uid_base,
                      char serial[SALLYPORT_SERIAL_DIGITS + 1])
{
    const volatile uint32_t *uid = (const volatile uint32_t *)uid_base;
    /* On STM32L0 the third word does not follow the second. */
    uint32_t third = uid_base == 0x1FF80050u ? 5 : 2; /* RM0376 clause 33.2 */

    for (uint32_t i = 0; i < SALLYPORT_SERIAL_DIGITS; i++)
        serial[i] =
            "0123456789ABCDEF"[uid[i < 16 ? i / 8 : third] >> (28 - i % 8 * 4) &
                               15];
    serial[SALLYPORT_SERIAL_DIGITS] = '\0';
}
