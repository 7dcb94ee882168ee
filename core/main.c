/* SPDX-License-Identifier: MIT */
/*
 * main.c - from reset to the application or to the loop of the bootloader.
 */
#include "boot.h"
#include "config.h"
#include "flash.h"
#include "personality.h"
#include "plat.h"

/* Eight eighths of a second, lowest bit first. */
#define LED_READY  0x0Fu /* slow */
#define LED_ACTIVE 0x55u /* fast */
#define LED_ERROR  0x15u /* three flashes and a pause */

/* One pattern for both doors. */
static void show(const struct sallyport *s, uint32_t now_ms)
{
    uint32_t pattern = LED_READY;

    if (CONFIG_DFU && s->dfu.status.bState != DFU_dfuIDLE)
        pattern = s->dfu.status.bState == DFU_dfuERROR ? LED_ERROR : LED_ACTIVE;
#if CONFIG_MSC
    else if (s->drive.fat.state == FAT_ERROR)
        pattern = LED_ERROR;
    if (drive_busy(&s->drive))
        pattern = LED_ACTIVE;
#endif
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

/* To the bus, as a new device. */
static void connect(struct sallyport *s)
{
    disconnect();
#if CONFIG_MSC
    drive_mount(&s->drive);
#endif
    (void)s;
    dcd_connect();
}

/* noinline: found by measuring. */
#if CONFIG_MSC
#define STEP __attribute__((noinline))
#else
#define STEP
#endif

/* A step of what is under way.  True when it is time for the application. */
STEP static bool carry_on(struct sallyport *s, uint32_t now_ms)
{
#if CONFIG_MSC
    if (s->configured != s->usbd.config)
        drive_mount(&s->drive);
    s->configured = s->usbd.config;
    if (CONFIG_DFU)
        s->drive.shut = !dfu_idle(&s->dfu);
    msc_poll(&s->msc);
    switch (drive_poll(&s->drive, dcd_frame(),
                       msc_idle(&s->msc) && !(CONFIG_DFU && s->drive.shut))) {
    case DRIVE_REMOUNT:
        connect(s);
        break;
    case DRIVE_START:
        return true;
    case DRIVE_CARRY_ON:
        break;
    }
    if (drive_busy(&s->drive))
        return false; /* the update session is the drive's */
#endif
    return CONFIG_DFU && dfu_poll(&s->dfu, now_ms);
}

/* What an earlier run has left behind.  An update that is pending is installed
 * before the bus, and the decision is made anew; where it cannot be installed
 * the bootloader stays. */
static enum boot_decision stage(struct sallyport *s, enum boot_decision stay)
{
#if CONFIG_STAGED
    struct upd *u = &s->dfu.upd;

    if (stay == BOOT_INSTALL) {
        if (!stage_install(&u->stage, u->buf))
            plat_reset();
        stay = BOOT_STAY;
    }
    stage_start(&u->stage);
#elif CONFIG_MARK
    s->dfu.upd.held = flash_marked();
#endif
    (void)s;
    return stay;
}

/* While the flash works: the drive goes on with what does not need it.  False:
 * nothing is left that could be done. */
bool sallyport_meanwhile(struct sallyport *s);

#if CONFIG_MSC
bool sallyport_meanwhile(struct sallyport *s)
{
    enum dcd_event event;

    /* Another door's, or off the bus, where the USB block is in reset. */
    if ((CONFIG_DFU && !s->drive.opened) || s->drive.closing)
        return false;
    event = dcd_bulk_poll();
    if (event == DCD_BULK_OUT)
        msc_out(&s->msc);
    else if (event == DCD_BULK_IN)
        msc_in(&s->msc);
    msc_poll(&s->msc);
    return !s->msc.waiting;
}
#endif

/* The bootloader proper; s is all zero. */
BOOT_PATH_END _Noreturn void sallyport_serve(struct sallyport *s,
                                             enum boot_decision stay);

_Noreturn void sallyport_serve(struct sallyport *s, enum boot_decision stay)
{
    plat_start();
    plat_serial(s->serial);
    stay = stage(s, stay);
#if CONFIG_MSC
    s->msc.scsi.drive = &s->drive;
    s->drive.upd = &s->dfu.upd;
#endif
    if (CONFIG_DFU)
        dfu_reset(&s->dfu);
    connect(s); /* whoever ran before may have been connected */
    for (;;) {
        uint32_t now;

        usbd_poll(&s->usbd);
        now = plat_ms(); /* not before a request has been dated */
        if (usbd_quiet(&s->usbd) && carry_on(s, now))
            leave();
        if (s->usbd.config)
            stay = BOOT_STAY;
        if (CONFIG_NO_HOST_MS && stay && now > CONFIG_NO_HOST_MS)
            leave();
        show(s, now);
    }
}

/* Right after reset, before any variable is initialised: starts the
 * application, or returns the argument for sallyport_serve(). */
enum boot_decision sallyport_boot(void);

BOOT_PATH enum boot_decision sallyport_boot(void)
{
    struct boot_facts facts;
    enum boot_decision decision;

    plat_boot_facts(&facts);
#if CONFIG_STAGED
    facts.pending = stage_pending();
#endif
    decision = boot_decide(&facts);
    if (decision == BOOT_APP) {
        if (CONFIG_DOUBLE_RESET_MS)
            plat_double_reset_window(CONFIG_DOUBLE_RESET_MS);
        plat_jump((uint32_t)facts.vectors);
    }
    return decision;
}
