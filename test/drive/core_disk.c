/* SPDX-License-Identifier: MIT
 *
 * The core's drive, built for this machine.  The core casts addresses to 32
 * bits, so its state lies in the lowest gigabytes.
 */
#include "core_disk.h"

#include "crc32.h"
#include "fake_flash.h"

#include "boot.h"
#include "config.h"
#include "drive.h"
#include "fat.h"
#include "plat.h"
#include "upd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    COMMAND_US = 200, /* a command on the bus, */
    SECTOR_US = 450,  /* and each of its sectors */
    STEP_US = 10000,  /* between two looks at an idle drive */
    TURN_US = 50,     /* a turn of the loop */
    AWAY_US = 400000, /* off the bus, until the host has the volume again */
};

struct core_disk {
    struct drive drive;
    struct upd upd;
    _Alignas(4) uint8_t sector[FH_SECTOR];
    struct fake_flash *flash;
    uint64_t us;  /* of the chip: stalls are not in it (plat.h) */
    uint64_t off; /* of the wall, without frames on the bus */
    bool still;   /* there are none now, since: */
    uint64_t since;
    uint64_t away; /* until then off the bus; 0: on it */
    uint64_t random;
    unsigned mounts;
    bool started; /* the application, by the drive's own wish */
#if CONFIG_STAGED
    struct stage stage; /* of the boot, */
    _Alignas(4) uint8_t page[BOARD_FLASH_PAGE];
    uint8_t kept[BOARD_FLASH_SIZE]; /* and the flash before it */
#endif
};

static struct core_disk *the; /* plat.h has no argument for it */

/* ---- plat.h ---- */

uint32_t plat_ms(void)
{
    return (uint32_t)(the->us / 1000);
}

uint32_t plat_crc(uint32_t crc, uint32_t word, uint32_t n)
{
    return test_crc32(crc, (const uint8_t *)&word, n < 4 ? n : 4);
}

void plat_serial(char *digits)
{
    memcpy(digits, "0123456789ABCDEF76543210", PLAT_SERIAL_DIGITS);
}

/* ---- the loop of main.c ---- */

static uint64_t wall(const struct core_disk *d)
{
    return d->us + d->flash->busy_us;
}

/* As dcd_frame(): 11 bits, the others are anything. */
static uint32_t frame(struct core_disk *d)
{
    uint64_t now = d->still ? d->since : wall(d);

    return ((uint32_t)((now - d->off) / 1000) & 0x7FF) |
           payload_random(&d->random) << 11;
}

static void mount(struct core_disk *d)
{
    drive_mount(&d->drive);
    d->away = 0;
    d->mounts++;
}

/* A turn of the main loop.  idle: no command is under way. */
static void turn(struct core_disk *d, bool idle)
{
    uint64_t busy = d->flash->busy_us;

    if (d->away) {
        if (wall(d) >= d->away)
            mount(d);
        return;
    }
    switch (drive_poll(&d->drive, frame(d), idle)) {
    case DRIVE_REMOUNT:
        d->away = wall(d) + AWAY_US;
        break;
    case DRIVE_START:
        d->started = true;
        break;
    case DRIVE_CARRY_ON:
        break;
    }
    if (d->flash->busy_us != busy)
        d->us += TURN_US;
}

/* Until this time of the wall's clock. */
static void pass(struct core_disk *d, uint64_t until)
{
    while (wall(d) < until) {
        uint64_t busy = d->flash->busy_us, left;

        turn(d, true);
        if (d->flash->busy_us != busy || wall(d) >= until)
            continue;
        left = until - wall(d);
        d->us += left < STEP_US ? left : STEP_US;
    }
}

/* A few turns between two commands. */
static void breathe(struct core_disk *d)
{
    for (uint32_t n = 1 + payload_below(&d->random, 3); n; n--) {
        turn(d, true);
        d->us += TURN_US;
    }
}

/* ---- the disk ---- */

static bool present(const struct core_disk *d)
{
    return !d->away && block_present(&d->drive);
}

static bool command(struct core_disk *d)
{
    breathe(d);
    d->us += COMMAND_US;
    return present(d);
}

static uint32_t count(void *ctx)
{
    (void)ctx;
    return block_count();
}

static bool in_range(uint32_t lba, uint32_t n)
{
    return lba <= block_count() && n <= block_count() - lba;
}

static bool read_sectors(void *ctx, uint32_t lba, uint32_t n, uint8_t *to)
{
    struct core_disk *d = ctx;

    if (!command(d) || !in_range(lba, n))
        return false;
    for (; n; n--, lba++, to += FH_SECTOR) {
        block_read(&d->drive, lba, d->sector);
        memcpy(to, d->sector, FH_SECTOR);
        d->us += SECTOR_US;
    }
    return true;
}

static bool write_sectors(void *ctx, uint32_t lba, uint32_t n,
                          const uint8_t *from)
{
    struct core_disk *d = ctx;

    if (!command(d) || !in_range(lba, n))
        return false;
    for (; n; n--, lba++, from += FH_SECTOR) {
        memcpy(d->sector, from, FH_SECTOR);
        while (!block_write(&d->drive, lba, d->sector))
            turn(d, false);
        d->us += SECTOR_US;
        turn(d, false);
    }
    return true;
}

static bool sync_cache(void *ctx)
{
    struct core_disk *d = ctx;

    if (!command(d))
        return false;
    block_sync(&d->drive);
    return true;
}

static bool eject(void *ctx)
{
    struct core_disk *d = ctx;

    if (!command(d))
        return false;
    block_eject(&d->drive);
    return true;
}

static bool ready(void *ctx)
{
    return command(ctx);
}

static void wait_ms(void *ctx, uint32_t ms)
{
    struct core_disk *d = ctx;

    pass(d, wall(d) + 1000ull * ms);
}

/* ---- staged: what the boot does ---- */

#if CONFIG_STAGED

/* The doors write to download and to the record, and to nothing else. */
static void guard(struct core_disk *d)
{
    d->flash->from = PART_DOWNLOAD_START;
    d->flash->to = PART_RECORD_END;
}

/* A reset without the key, as main.c decides. */
static void install(struct core_disk *d)
{
    struct boot_facts facts = {.vectors = (const uint32_t *)PART_APP_START,
                               .pending = stage_pending()};

    if (boot_decide(&facts) != BOOT_INSTALL)
        return;
    d->flash->from = PART_APP_START;
    if (stage_install(&d->stage, d->page))
        snprintf(d->flash->fault, sizeof d->flash->fault,
                 "the image cannot be installed");
    if (stage_pending())
        snprintf(d->flash->fault, sizeof d->flash->fault,
                 "pending still, after it was installed");
    guard(d);
}

/* Looks at what a reset would make of it. */
static void look(struct core_disk *d, void (*at)(struct core_disk *d, void *to),
                 void *to)
{
    bool pending = stage_pending();
    uint64_t us = d->flash->busy_us;

    if (pending) {
        memcpy(d->kept, d->flash->cells, BOARD_FLASH_SIZE);
        install(d);
    }
    at(d, to);
    if (pending)
        memcpy(d->flash->cells, d->kept, BOARD_FLASH_SIZE);
    d->flash->busy_us = us;
}

/* Download and records as others have left them. */
static void leave_traces(struct core_disk *d, const uint8_t *slot)
{
    uint64_t random = test_crc32(0, slot, 4096) | (uint64_t)slot[9] << 32;
    uint8_t *download =
        d->flash->cells + (PART_DOWNLOAD_START - BOARD_FLASH_BASE);
    uint8_t *room = d->flash->cells + (PART_RECORD_START - BOARD_FLASH_BASE);
    uint32_t some = payload_below(&random, 4), at;
    uint32_t rooms = BOARD_RECORD_SIZE / STAGE_RECORD_ROOM;

    for (at = 0; some == 1 && at < PART_APP_SIZE; at += 4) {
        uint32_t word = payload_random(&random);
        memcpy(download + at, &word, 4);
    }
    if (some == 2) /* the same application, moved */
        memcpy(download, slot + BOARD_FLASH_PAGE,
               PART_APP_SIZE - BOARD_FLASH_PAGE);
    if (some == 3)
        memcpy(download, slot, PART_APP_SIZE);
    rooms = payload_below(&random, rooms + 1);
    for (uint32_t i = 0; i < rooms; i++, room += STAGE_RECORD_ROOM) {
        struct stage_record r = {.ready = STAGE_READY, .end = STAGE_DONE};
        switch (payload_below(&random, 3)) {
        case 0:
            r.end = 0; /* void */
            break;
        case 1:
            r.ready = 0xFFFFFFFF; /* torn */
            break;
        default:
            break;
        }
        memcpy(room, &r, sizeof r);
    }
}

#else

static void look(struct core_disk *d, void (*at)(struct core_disk *d, void *to),
                 void *to)
{
    at(d, to);
}

#endif

/* ---- the rig ---- */

/* Without power, all of RAM is lost. */
static void power_up(struct core_disk *d)
{
    memset(&d->drive, 0, sizeof d->drive);
    memset(&d->upd, 0, sizeof d->upd);
    d->drive.upd = &d->upd;
#if CONFIG_STAGED
    guard(d);
    if (payload_below(&d->random, 2)) /* the key is not held at once */
        install(d);
    stage_start(&d->upd.stage);
#endif
    d->us = (0x100000000ull - 20000) * 1000; /* the clock wraps soon */
    mount(d);
}

static void start(void *ctx, const uint8_t *slot)
{
    struct core_disk *d = ctx;

    fake_flash_load(d->flash, PART_APP_START, slot, PART_APP_SIZE);
    d->random = slot[0];
    d->started = false;
#if CONFIG_STAGED
    leave_traces(d, slot);
#endif
    power_up(d);
    d->mounts = 0;
}

static unsigned mounts(void *ctx)
{
    const struct core_disk *d = ctx;

    return d->mounts;
}

static void replug(void *ctx, uint32_t ms, bool power)
{
    struct core_disk *d = ctx;
    uint64_t was;

    if (power) {
        power_up(d);
        return;
    }
    /* No frames meanwhile. */
    was = wall(d);
    d->since = was;
    d->still = true;
    pass(d, was + 1000ull * ms);
    d->still = false;
    d->off += wall(d) - was;
    if (d->away)
        pass(d, d->away);
    /* A reset of the bus, unless an image is just being installed. */
    if (!d->drive.closing) {
        mount(d);
        return;
    }
    for (unsigned mounts = d->mounts; d->mounts == mounts;)
        pass(d, wall(d) + 1000000);
}

static void copy_slot(struct core_disk *d, void *to)
{
    memcpy(to, d->flash->cells + (PART_APP_START - BOARD_FLASH_BASE),
           PART_APP_SIZE);
}

static void slot(void *ctx, uint8_t *to)
{
    look(ctx, copy_slot, to);
}

static void decide(struct core_disk *d, void *to)
{
    struct boot_facts facts = {.vectors = (const uint32_t *)PART_APP_START};

    (void)d;
    *(bool *)to = boot_decide(&facts) == BOOT_APP;
}

static bool boots(void *ctx)
{
    bool starts;

    look(ctx, decide, &starts);
    return starts;
}

static const char *fault(void *ctx)
{
    const struct core_disk *d = ctx;

    if (d->flash->fault[0])
        return d->flash->fault;
    return d->started ? "the application was started" : NULL;
}

struct core_disk *core_disk_new(struct trial_rig *rig)
{
    static const struct trial_board board = {
        .name = BOARD_NAME,
        .slot = PART_APP_START,
        .slot_size = PART_APP_SIZE,
        .ram = BOARD_RAM_BASE,
        .ram_size = BOARD_RAM_SIZE,
        .product = BOARD_PRODUCT,
        .family = BOARD_UF2_FAMILY,
        /* STM32F1 and F4: github.com/microsoft/uf2, utils/uf2families.json */
        .other_family = BOARD_FLASH_CLEARS ? 0x5EE21072 : 0x57755A57,
        .vid = BOARD_VID,
        .pid = BOARD_PID,
    };
    struct core_disk *d = mmap(NULL, sizeof *d, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    if (d == MAP_FAILED)
        abort();
    the = d;
    d->flash = fake_flash_map();
    *rig = (struct trial_rig){
        .board = &board,
        /* What is not the file's takes room in download, too; of pages there is
         * always one for a page of the image, of large sectors not. */
        .beside = CONFIG_STAGED && PART_BIG_UNITS ? 128 * 1024 : 0,
        .staged = CONFIG_STAGED,
        .formats = CONFIG_FORMATS,
        .whole = PART_APP_SIZE - (PART_BIG_UNITS ? 160 : 24) * 1024,
        .dev = {d, count, read_sectors, write_sectors, sync_cache, eject, ready,
                wait_ms},
        .start = start,
        .mounts = mounts,
        .replug = replug,
        .slot = slot,
        .boots = boots,
        .fault = fault,
    };
    return d;
}

void core_disk_free(struct core_disk *d)
{
    munmap(d, sizeof *d);
    the = NULL;
}

struct fake_flash *core_disk_flash(const struct core_disk *d)
{
    return d->flash;
}

void core_disk_other_door(struct core_disk *d)
{
    drive_lost(&d->drive);
    memset(d->sector, 0x5A, sizeof d->sector);
    upd_erase(&d->upd, PART_APP_START);
    upd_begin(&d->upd, PART_APP_START, FH_SECTOR);
    upd_feed(&d->upd, d->sector, FH_SECTOR);
    upd_end(&d->upd, FH_SECTOR);
    upd_lost(&d->upd);
    while (upd_busy(&d->upd))
        upd_poll(&d->upd);
}
