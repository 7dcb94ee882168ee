/* SPDX-License-Identifier: MIT */
/*
 * startup.c - vector table and entry.  Nothing runs from an interrupt, so the
 * table ends with HardFault; a fault in the bootloader is a reset, which
 * comes back to a state that takes an update.
 */
#include "personality.h"
#include "plat.h"

#include <stdint.h>

extern uint32_t _bss_start[], _bss_end[], _stack_top[];

_Noreturn void sallyport_main(struct sallyport *s);
_Noreturn void Reset_Handler(void);

static struct sallyport sallyport;

_Noreturn void Reset_Handler(void)
{
    struct sallyport *s = &sallyport;

    for (uint32_t *p = _bss_start; p < _bss_end; p++)
        *p = 0;

    /* Hides the address from the optimiser: offsets from a pointer that is
     * passed on are shorter than addresses (measured: see docs/design.md). */
    __asm("" : "+r"(s));
    sallyport_main(s);
}

__attribute__((section(".vectors"),
               used)) static const void *const vectors[] = {
    _stack_top, (const void *)Reset_Handler, (const void *)plat_reset,
    (const void *)plat_reset};
