/* SPDX-License-Identifier: MIT */
/*
 * demo_stm32.c - demo.h for all STM32: vector table, start-up, console, time
 * base.  Pins and their clocks are the family's.
 */
#include "demo_stm32.h"

#include "board.h"
#include "demo.h"
#include "sallyport_app.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(DEMO_SERIAL_DIGITS == SALLYPORT_SERIAL_DIGITS, "one rule");

extern uint32_t _stack_top[], _data_start[], _data_end[], _data_load[],
    _bss_start[], _bss_end[];

int main(void);
_Noreturn void Reset_Handler(void);

static volatile uint32_t now_ms;

static void tick(void)
{
    now_ms++;
}

static _Noreturn void fault(void)
{
    for (;;)
        ;
}

/* Words 7 to 10 and 13 are reserved by the architecture; there the stamp
 * goes. */
__attribute__((section(".vectors"),
               used)) static const void *const vectors[16] = {
    _stack_top,          (const void *)Reset_Handler, (const void *)fault,
    (const void *)fault, (const void *)fault,         (const void *)fault,
    (const void *)fault, [15] = (const void *)tick,
};

/* Interrupts find their handlers there: the bootloader has done it already
 * where the core has a register for it. */
#ifdef PORT_NO_VTOR
__attribute__((
    section(".ram_vectors"))) static uint32_t ram_vectors[COUNT(vectors)];

static void use_vectors(void)
{
    sallyport_vectors_to_ram(ram_vectors, vectors, COUNT(vectors));
}
#else
static void use_vectors(void)
{
    SCB_VTOR = (uint32_t)vectors;
}
#endif

_Noreturn void Reset_Handler(void)
{
    const uint32_t *from = _data_load;

    for (uint32_t *to = _data_start; to < _data_end;)
        *to++ = *from++;
    for (uint32_t *to = _bss_start; to < _bss_end;)
        *to++ = 0;
    use_vectors();
    main();
    fault();
}

void demo_start(void)
{
    port_clock_start();
    SYSTICK->LOAD = PORT_HCLK_HZ / 8u / 1000u - 1u;
    SYSTICK->CTRL = SYSTICK_CTRL_ENABLE | SYSTICK_CTRL_TICKINT;
    demo_pins();
    DEMO_CONSOLE->BRR = (DEMO_CONSOLE_HZ + 115200u / 2u) / 115200u;
    DEMO_CONSOLE->CR1 = USART_CR1_UE | USART_CR1_TE;
}

void demo_print(const char *text)
{
    for (; *text; text++) {
        while (!(DEMO_CONSOLE->SR & USART_SR_TXE))
            ;
        DEMO_CONSOLE->DR = (uint8_t)*text;
    }
    while (!(DEMO_CONSOLE->SR & USART_SR_TC))
        ;
}

uint32_t demo_ms(void)
{
    return now_ms;
}

void demo_led(bool on)
{
    gpio_write(GPIO(BOARD_LED_PORT), BOARD_LED_PIN, on == BOARD_LED_ACTIVE);
}

bool demo_key(void)
{
    return (GPIO(BOARD_KEY_PORT)->IDR >> BOARD_KEY_PIN & 1) == BOARD_KEY_ACTIVE;
}

void demo_serial(char serial[DEMO_SERIAL_DIGITS + 1])
{
    sallyport_serial(UID_BASE, serial);
}

const char *demo_bootloader_version(void)
{
    return sallyport_bootloader_version();
}

_Noreturn void demo_enter_bootloader(void)
{
    sallyport_enter_bootloader(BOARD_RAM_BASE + BOARD_RAM_SIZE);
}
