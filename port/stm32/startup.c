/* SPDX-License-Identifier: MIT */
/*
 * startup.c - vector table and entry.  Nothing runs from an interrupt, so the
 * table ends with HardFault; a fault in the bootloader is a reset, which
 * comes back to a state that takes an update.
 */
#include "flash.h"
#include "personality.h"
#include "plat.h"
#include "port.h"

#include <stddef.h>
#include <stdint.h>

extern uint32_t _bss_start[], _bss_end[], _stack_top[];

enum boot_decision sallyport_boot(void);
BOOT_PATH_END _Noreturn void sallyport_serve(struct sallyport *s,
                                             enum boot_decision stay);
_Noreturn void Reset_Handler(void);

static struct sallyport sallyport;

#ifdef CONFIG_PACKED
#include "unpack.h"

extern uint8_t _code_start[], _code_end[], _packed[];
#endif

#if defined(CONFIG_PACKED) && CONFIG_MSC
bool sallyport_meanwhile(struct sallyport *s);

bool flash_meanwhile(void)
{
    return sallyport_meanwhile(&sallyport);
}
#endif

BOOT_PATH _Noreturn void Reset_Handler(void)
{
    struct sallyport *s = &sallyport;
    enum boot_decision stay = sallyport_boot();

    port_clock_start();
    port_start();
#ifdef CONFIG_PACKED
    unpack((struct unpack *)_bss_start, _code_start, _code_end, _packed);
    /* What was written is executed now (PM0214 clause 2.2.4). */
    __asm volatile("dsb\n\tisb" : : : "memory");
#endif
    /* Not before: it would make the start of the application late.  By words,
     * because the drive has all of the RAM. */
    for (uint32_t *p = _bss_start; p < _bss_end; p++)
        *p = 0;
    /* Hides the address from the optimiser: offsets from a pointer that is
     * passed on are shorter than addresses (-190 B). */
    __asm("" : "+r"(s));
    sallyport_serve(s, stay);
}

__attribute__((section(".vectors"), used))
const struct boot_table boot_table = {{_stack_top, (const void *)Reset_Handler,
                                       (const void *)plat_reset,
                                       (const void *)plat_reset},
                                      BOOT_VERSION};
_Static_assert(offsetof(struct boot_table, version) == BOOT_OFF_VERSION, "");
