/* SPDX-License-Identifier: MIT */
/*
 * volume.h - the volume BOOTLOADER of a board whose bootloader shows a drive,
 * as the operating system has it: where it is mounted, what its status file
 * says (docs/drive.md), a file onto it.
 */
#ifndef SALLYPORT_VOLUME_H
#define SALLYPORT_VOLUME_H

#include "fail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOLUME_LABEL "BOOTLOADER"

/* Longest name of a directory or device, with its 0. */
#define VOLUME_PATH 4096u

enum volume_state { VOLUME_READY, VOLUME_SUCCESS, VOLUME_ERROR };

/* What the status file says; texts end where its lines do. */
struct volume_status {
    char product[64];
    char board[64];
    char version[64]; /* of the bootloader, with its build */
    char layout[128]; /* of the flash, as DfuSe writes it (UM0424 clause 10) */
    char serial[64];
    uint32_t slot_start; /* where the application belongs */
    uint32_t slot_size;  /* bytes */
    enum volume_state state;
    uint32_t code;      /* enum err, core/err.h; 0 unless VOLUME_ERROR */
    uint32_t offset;    /* in the file that was wrong */
    char sentence[128]; /* what the code means */
    char firmware[64];  /* version and file of the application, as far as the
                           bootloader knows them, or "" */
};

struct volume {
    /* Where it is mounted; or the block device where it is not, which can be
     * looked at but not written to. */
    char path[VOLUME_PATH];
    bool mounted;
    /* Linux: name of its block device below /dev, and a number that is never
     * the same again after it was unplugged (that of its entry in sysfs).  ""
     * and 0 elsewhere, and for what is no mount point. */
    char device[64];
    uint64_t device_id;
    struct volume_status status;
};

/* Which volumes count; members that are NULL do not restrict. */
struct volume_filter {
    const char *mount;   /* this directory alone */
    const char *label;   /* another name than VOLUME_LABEL */
    const char *serial;  /* the board's */
    const char *absent;  /* a file that must not be there */
    uint64_t not_device; /* a device_id; 0 does not restrict */
};

/* Reads the n bytes of a status file.  FAIL_NO_DEVICE: it is none. */
bool volume_parse(const char *text, size_t n, struct volume_status *status,
                  struct fail *f);

/* Finds up to `max` volumes and returns how many there are (up to `max`).
 * Mounts come from mountinfo (proc_pid_mountinfo(5), "/proc/self/mountinfo")
 * where there is such a file, else from the directories in which systems put
 * them.  Volumes that are not mounted follow behind those that are. */
size_t volume_find(const struct volume_filter *filter, const char *mountinfo,
                   struct volume *found, size_t max);

/* Unmounts it, which tells the board that this was all: with the rights of
 * root, else by udisksctl(1) or diskutil(8).  False: neither could. */
bool volume_unmount(const struct volume *volume);

/* Puts a file onto a mounted volume and sees to it that all of it has left
 * this machine.  `progress` (or NULL) is told the bytes that the system took
 * so far.  FAIL_DEVICE: it does not fit there; FAIL_LOST: the volume went away,
 * perhaps because the board has decided already; FAIL_INTERRUPTED:
 * `progress` returned false. */
bool volume_write(const struct volume *volume, const char *name,
                  const void *data, size_t n,
                  bool (*progress)(void *context, size_t done, size_t all),
                  void *context, struct fail *f);

#endif
