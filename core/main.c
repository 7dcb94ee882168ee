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

/* Off the bus for as long as a host needs to see it. */
static void disconnect(void)
{
    uint32_t start = plat_ms();

    dcd_disconnect();
    while (plat_ms() - start < CONFIG_DISCONNECT_MS)
        ;
}

/* Back to the reset path, from where the application is started. */
static _Noreturn void leave(void)
{
    disconnect();
    plat_reset();
}

/* The bootloader proper; s is all zero. */
_Noreturn void sallyport_serve(struct sallyport *s, enum boot_decision stay);

_Noreturn void sallyport_serve(struct sallyport *s, enum boot_decision stay)
{
    plat_start();
    plat_serial(s->serial);
    dfu_reset(&s->dfu);
    disconnect(); /* whoever ran before may have been connected */
    dcd_connect();
    for (;;) {
        uint32_t now;

        usbd_poll(&s->usbd);
        now = plat_ms(); /* not before a request has been dated */
        if (usbd_quiet(&s->usbd) && dfu_poll(&s->dfu, now))
            leave();
        if (s->usbd.config)
            stay = BOOT_STAY;
        if (CONFIG_NO_HOST_MS && stay && now > CONFIG_NO_HOST_MS)
            leave();
        show(s->dfu.status.bState, now);
    }
}

/* Right after reset, before any variable is initialised: starts the
 * application, or returns the argument for sallyport_serve(). */
enum boot_decision sallyport_boot(void);

enum boot_decision sallyport_boot(void)
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
    return decision;
}
