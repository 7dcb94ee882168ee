/* SPDX-License-Identifier: MIT */
/*
 * main.c - from reset to the application or to the loop of the bootloader.
 */
#include "boot.h"
#include "config.h"
#include "personality.h"
#include "plat.h"

/* Eight eighths of a second, lowest bit first. */
#define LED_READY  0x0Fu /* slow */
#define LED_ACTIVE 0x55u /* fast */
#define LED_ERROR  0x15u /* three flashes and a pause */

static void show(enum dfu_state state, uint32_t now_ms)
{
    uint32_t pattern = LED_ACTIVE;

    if (state == DFU_dfuERROR)
        pattern = LED_ERROR;
    else if (state == DFU_dfuIDLE)
        pattern = LED_READY;
    plat_led(pattern >> (now_ms / 128 % 8) & 1);
}

static void wait(uint32_t ms)
{
    uint32_t start = plat_ms();

    while (plat_ms() - start < ms)
        ;
}

/* Back to the reset path, from where the application is started. */
static _Noreturn void leave(void)
{
    dcd_disconnect();
    wait(CONFIG_DISCONNECT_MS);
    plat_reset();
}

static _Noreturn void serve(struct sallyport *s, bool timed)
{
    for (uint32_t i = 0; i < PLAT_SERIAL_DIGITS; i++)
        s->serial[i] = plat_serial_digit(i);
    dfu_init(&s->dfu);
    dcd_disconnect(); /* whoever ran before may have been connected */
    wait(CONFIG_DISCONNECT_MS);
    dcd_connect();
    for (;;) {
        uint32_t now;

        usbd_poll(&s->usbd);
        now = plat_ms(); /* not before a request has been dated */
        if (usbd_quiet(&s->usbd) && dfu_poll(&s->dfu, now))
            leave();
        timed &= !s->usbd.config;
        if (CONFIG_NO_HOST_MS && timed && now > CONFIG_NO_HOST_MS)
            leave();
        show(s->dfu.status.bState, now);
    }
}

_Noreturn void sallyport_main(struct sallyport *s);

_Noreturn void sallyport_main(struct sallyport *s)
{
    struct boot_facts facts;
    enum boot_decision decision;

    plat_boot_facts(&facts);
    decision = boot_decide(&facts);
    if (decision == BOOT_APP) {
        if (CONFIG_DOUBLE_RESET_MS)
            plat_double_reset_window(CONFIG_DOUBLE_RESET_MS);
        plat_jump((uint32_t)facts.vectors);
    }
    plat_start();
    serve(s, decision == BOOT_STAY_TIMED);
}
