/* SPDX-License-Identifier: MIT */
/*
 * config.h - every option with its default, unit and reason, and what follows
 * from them and from the board: the partition table.
 */
#ifndef SALLYPORT_CONFIG_H
#define SALLYPORT_CONFIG_H

#include "board.h"

/* Bytes at the start of flash that belong to the bootloader; the application
 * starts behind them.  Set by the profile (cmake/profiles.cmake). */
#ifndef CONFIG_BOOT_SIZE
#error "CONFIG_BOOT_SIZE comes from the profile"
#endif

/* Version and build id, as hosts and applications can read them.  The build
 * says what they are. */
#ifndef CONFIG_VERSION
#define CONFIG_VERSION "0.0.0"
#endif
#ifndef CONFIG_BUILD
#define CONFIG_BUILD "unknown"
#endif

/* The DFU interface; 0 leaves it out. */
#ifndef CONFIG_DFU
#define CONFIG_DFU 1
#endif

/* DFU with ST's DfuSe extension; 0: plain DFU 1.1. */
#ifndef CONFIG_DFUSE
#define CONFIG_DFUSE 1
#endif

/* The drive: an interface with bulk endpoints beside endpoint 0; 0 leaves it
 * out. */
#ifndef CONFIG_MSC
#define CONFIG_MSC 0
#endif

/* Staged: the doors write to a partition of its own, `download`, and the boot
 * copies a whole image from there to the application's (stage.h); 0: they
 * write in place. */
#ifndef CONFIG_STAGED
#define CONFIG_STAGED 0
#endif

/* The drive takes files that carry addresses, Intel HEX and DfuSe, beside .bin
 * and .uf2. */
#ifndef CONFIG_FORMATS
#define CONFIG_FORMATS 0
#endif

/* The volume has files to read beside the status file: what UF2 hosts look for,
 * the application as it is, and what keeps systems from writing files of their
 * own. */
#ifndef CONFIG_FILES
#define CONFIG_FILES 0
#endif

/* What is in flash can be read: by DFU's upload, and where there are files, as
 * CURRENT.BIN and CURRENT.UF2.  0: only written.  The chip's own read
 * protection is what keeps a debugger out. */
#ifndef CONFIG_READBACK
#define CONFIG_READBACK 1
#endif

/* Of the drive: sectors of 512 bytes in RAM that read back as written, where
 * also a file's data wait until it is known where they belong.  The more, the
 * less order a host has to keep. */
#ifndef CONFIG_DRIVE_SECTORS
#if CONFIG_STAGED && defined(BOARD_STAGED_SECTORS)
/* What other formats need to know takes the room of some. */
#define CONFIG_DRIVE_SECTORS (BOARD_STAGED_SECTORS - (CONFIG_FORMATS ? 4u : 0))
#else
#define CONFIG_DRIVE_SECTORS BOARD_DRIVE_SECTORS
#endif
#endif

/* Of these, so many are kept free while an image comes, for what the host sends
 * during a flash operation. */
#ifndef CONFIG_DRIVE_SPARE
#define CONFIG_DRIVE_SPARE BOARD_DRIVE_SPARE
#endif

/* How long the host has been quiet when an update is over: after the volume
 * was ejected (Linux looks at it once more), after SYNCHRONIZE
 * CACHE, after the volume was marked as clean (Windows does so 1.5 s after its
 * last write, and may go on), and without either: hosts write metadata up to
 * 25 s after the data.  Milliseconds. */
#ifndef CONFIG_DRIVE_EJECT_MS
#define CONFIG_DRIVE_EJECT_MS 500u
#endif
#ifndef CONFIG_DRIVE_SYNC_MS
#define CONFIG_DRIVE_SYNC_MS 1000u
#endif
#ifndef CONFIG_DRIVE_CLEAN_MS
#define CONFIG_DRIVE_CLEAN_MS 2000u
#endif
#ifndef CONFIG_DRIVE_QUIET_MS
#define CONFIG_DRIVE_QUIET_MS 35000u
#endif

/* The application starts so many milliseconds after the volume with the
 * SUCCESS file has appeared, at once where that is 0, or at the next reset. */
#define CONFIG_DRIVE_NEVER 0xFFFFFFFFu
#ifndef CONFIG_DRIVE_START_MS
#define CONFIG_DRIVE_START_MS CONFIG_DRIVE_NEVER
#endif

/* Interfaces of the configuration, numbered from 0.  The bulk endpoints belong
 * to the last one. */
#ifndef CONFIG_INTERFACES
#define CONFIG_INTERFACES (CONFIG_DFU + CONFIG_MSC)
#endif

/* Two resets within this many milliseconds enter the bootloader; every start
 * of the application is late by as much.  0 leaves it out. */
#ifndef CONFIG_DOUBLE_RESET_MS
#define CONFIG_DOUBLE_RESET_MS 0
#endif

/* Entered on request (mailbox or double reset) and not configured by a host
 * for this long: back to the application.  Milliseconds, 0 leaves it out. */
#ifndef CONFIG_NO_HOST_MS
#define CONFIG_NO_HOST_MS 60000
#endif

/* A host that falls silent in mid-download: deferred erases are carried out
 * after this time.  Milliseconds. */
#ifndef CONFIG_IDLE_MS
#define CONFIG_IDLE_MS 1000
#endif

/* dfuMANIFEST was answered: the host's library may still finish its sleep
 * and its requests before the device goes.  Milliseconds. */
#ifndef CONFIG_LEAVE_MS
#define CONFIG_LEAVE_MS 100
#endif

/* Plain DFU 1.1: for so long a bus reset is waited for after the download,
 * before the application is started without one.  dfu-util asks again after
 * bwPollTimeout and a second.  Milliseconds. */
#ifndef CONFIG_WAIT_RESET_MS
#define CONFIG_WAIT_RESET_MS 8000
#endif

/* Plain DFU 1.1: after that bus reset the host looks whether it still has the
 * same device (Linux reads its descriptors again and configures it) and takes
 * the reset for failed where it has not.  Milliseconds. */
#ifndef CONFIG_AFTER_RESET_MS
#define CONFIG_AFTER_RESET_MS 500
#endif

/* D+ low before the reset into the application.  A hub takes 2.5 us for a
 * disconnect (USB 2.0 clause 7.1.7.3) and keeps the change until the host asks
 * (11.12.3), which may be later; the rest is for hubs that filter.
 * Milliseconds. */
#ifndef CONFIG_DISCONNECT_MS
#define CONFIG_DISCONNECT_MS 50
#endif

/* RAM at the end that the bootloader never touches (crash dumps), and behind
 * it the mailbox of four words.  Bytes. */
#ifndef CONFIG_NOINIT_SIZE
#define CONFIG_NOINIT_SIZE 1024
#endif
#define CONFIG_MAILBOX_SIZE 16

/* What an erased word of flash reads.  BOARD_FLASH_ROW, where it is defined:
 * bytes that take as long as one word, where all of them are erased. */
#ifndef BOARD_FLASH_ERASED
#define BOARD_FLASH_ERASED 0xFFFFFFFFu
#endif

/* Where the flash cannot make the first word invalid without an erase, and a
 * cut erase may leave it valid, a word of data EEPROM says that the image is
 * not whole (flash.h). */
#if defined(BOARD_FLASH_MARK) && !CONFIG_STAGED
#define CONFIG_MARK 1
#else
#define CONFIG_MARK 0
#endif
#ifndef BOARD_FLASH_MARK_MS /* typical time to write it, milliseconds */
#define BOARD_FLASH_MARK_MS 0u
#endif

/* Board-ID of INFO_UF2.TXT: chip, board, revision (github.com/microsoft/uf2).
 * A product has an id of its own in its board.h. */
#ifndef BOARD_UF2_ID
#define BOARD_UF2_ID BOARD_MODEL "-" BOARD_NAME "-v0"
#endif

/* ---- partition table: boot (read-only), app (writable), kv (read-only for
 * every door, the application's own).  Staged: what app was is shared by app,
 * download, which has the same size, and the record of what is in it ---- */

#define PART_BOOT_SIZE CONFIG_BOOT_SIZE
#define PART_APP_START (BOARD_FLASH_BASE + PART_BOOT_SIZE)
#define PART_APP_END   (PART_APP_START + PART_APP_SIZE)
#define PART_FLASH_END (BOARD_FLASH_BASE + BOARD_FLASH_SIZE)
#define PART_SHARED    (BOARD_FLASH_SIZE - PART_BOOT_SIZE - BOARD_KV_SIZE)
#if CONFIG_STAGED
#define PART_APP_SIZE       ((PART_SHARED - BOARD_RECORD_SIZE) / 2)
#define PART_DOWNLOAD_START PART_APP_END
#define PART_DOWNLOAD_END   (PART_DOWNLOAD_START + PART_APP_SIZE)
#define PART_RECORD_START   PART_DOWNLOAD_END
#define PART_RECORD_END     (PART_RECORD_START + BOARD_RECORD_SIZE)
#else
#define PART_APP_SIZE PART_SHARED
#endif

#endif
