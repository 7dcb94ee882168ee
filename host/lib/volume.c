/* SPDX-License-Identifier: MIT */
/* volume.c - see volume.h: the status file, and a file onto the volume. */
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mount.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Bytes between two looks at the progress.  Each is flushed, because a system
 * would else take the whole file at once and send it when nobody looks. */
#define CHUNK (64u * 1024u)

/* The rest of the line behind `key`, NULL where no line begins with it. */
static const char *value_of(const char *text, const char *end, const char *key,
                            size_t *n)
{
    size_t key_size = strlen(key);

    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));

        if (!stop)
            stop = end;
        if ((size_t)(stop - text) >= key_size && !memcmp(text, key, key_size)) {
            *n = (size_t)(stop - text) - key_size;
            while (*n && (text[key_size + *n - 1] == '\r' ||
                          text[key_size + *n - 1] == ' '))
                --*n;
            return text + key_size;
        }
        text = stop + (stop < end);
    }
    return NULL;
}

static bool get_text(const char *text, const char *end, const char *key,
                     char *to, size_t size)
{
    size_t n;
    const char *value = value_of(text, end, key, &n);

    if (!value)
        return false;
    if (n >= size)
        n = size - 1;
    memcpy(to, value, n);
    to[n] = 0;
    for (; *to; to++) {
        if ((unsigned char)*to < ' ' || *to == 0x7F)
            *to = '?';
    }
    return true;
}

/* 0x and up to eight digits; *text is moved behind them. */
static bool get_hex(const char **text, uint32_t *value)
{
    char *end;
    unsigned long long v;

    if (strncmp(*text, "0x", 2))
        return false;
    v = strtoull(*text + 2, &end, 16);
    if (end == *text + 2 || end - *text > 10 || v > UINT32_MAX)
        return false;
    *text = end;
    *value = (uint32_t)v;
    return true;
}

static bool get_slot(const char *text, struct volume_status *s)
{
    if (!get_hex(&text, &s->slot_start) || *text++ != '+')
        return false;
    return get_hex(&text, &s->slot_size) && !*text && s->slot_size &&
           s->slot_start <= UINT32_MAX - s->slot_size;
}

/* "SUCCESS 0x00 no error" */
static bool get_result(const char *text, struct volume_status *s)
{
    static const char *const names[] = {
        [VOLUME_READY] = "READY",
        [VOLUME_SUCCESS] = "SUCCESS",
        [VOLUME_ERROR] = "ERROR",
    };
    size_t n = strcspn(text, " ");

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (n != strlen(names[i]) || strncmp(text, names[i], n))
            continue;
        s->state = (enum volume_state)i;
        text += n + strspn(text + n, " ");
        if (!get_hex(&text, &s->code))
            return false;
        text += strspn(text, " ");
        snprintf(s->sentence, sizeof(s->sentence), "%s", text);
        return true;
    }
    return false;
}

bool volume_parse(const char *text, size_t n, struct volume_status *status,
                  struct fail *f)
{
    const char *end = text + n;
    const char *at;
    char slot[64], result[160], offset[32];

    memset(status, 0, sizeof(*status));
    if (!get_text(text, end, "product: ", status->product,
                  sizeof(status->product)) ||
        !get_text(text, end, "board: ", status->board, sizeof(status->board)) ||
        !get_text(text, end, "slot: ", slot, sizeof(slot)) ||
        !get_slot(slot, status) ||
        !get_text(text, end, "result: ", result, sizeof(result)) ||
        !get_result(result, status))
        return fail(f, FAIL_NO_DEVICE,
                    "the status file is not that of a Sallyport bootloader");
    get_text(text, end, "version: ", status->version, sizeof(status->version));
    get_text(text, end, "flash: ", status->layout, sizeof(status->layout));
    get_text(text, end, "serial: ", status->serial, sizeof(status->serial));
    get_text(text, end, "firmware: ", status->firmware,
             sizeof(status->firmware));
    at = offset;
    if (get_text(text, end, "offset: ", offset, sizeof(offset)))
        get_hex(&at, &status->offset);
    return true;
}

static bool cannot_write(const char *path, struct fail *f)
{
    int error = errno;

    if (error == ENOSPC || error == EFBIG)
        return fail(f, FAIL_DEVICE, "%s: the file does not fit there", path);
    if (error == EACCES || error == EPERM || error == EROFS)
        return fail(f, FAIL_SYSTEM, "%s: cannot be written: %s", path,
                    strerror(error));
    return fail(f, FAIL_LOST, "%s: the volume went away in mid-copy: %s", path,
                strerror(error));
}

static bool write_all(int fd, const char *data, size_t n,
                      bool (*progress)(void *context, size_t done, size_t all),
                      void *context, const char *path, struct fail *f)
{
    size_t done = 0;

    while (done < n) {
        size_t want = n - done < CHUNK ? n - done : CHUNK;
        ssize_t got = write(fd, data + done, want);

        if (got < 0 && errno == EINTR)
            got = 0;
        if (got < 0)
            return cannot_write(path, f);
        done += (size_t)got;
        /* The last one is flushed together with the length of the file. */
        if (done < n && fdatasync(fd))
            return cannot_write(path, f);
        if (progress && !progress(context, done, n))
            return fail(f, FAIL_INTERRUPTED, "%s: interrupted in mid-copy",
                        path);
    }
    return true;
}

/* What the system still holds of the file, its directory and the volume. */
static bool flush(int fd, const char *directory, const char *path,
                  struct fail *f)
{
    int folder;

    if (fsync(fd))
        return cannot_write(path, f);
    folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cannot_write(path, f);
    fsync(folder);
#ifdef __linux__
    if (syncfs(folder)) { /* FSINFO as well */
        close(folder);
        return cannot_write(path, f);
    }
#else
    sync();
#endif
    close(folder);
    return true;
}

bool volume_write(const struct volume *volume, const char *name,
                  const void *data, size_t n,
                  bool (*progress)(void *context, size_t done, size_t all),
                  void *context, struct fail *f)
{
    char path[VOLUME_PATH + 64];
    bool ok;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", volume->path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return cannot_write(path, f);
    ok = write_all(fd, data, n, progress, context, path, f) &&
         flush(fd, volume->path, path, f);
    if (close(fd) && ok)
        ok = cannot_write(path, f);
    return ok;
}

/* Runs a program quietly; true if it is there and succeeds. */
static bool run(const char *const *argv)
{
    posix_spawn_file_actions_t actions;
    int status = -1, error;
    pid_t child;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);
    /* It does not change what it is given (POSIX, exec, rationale). */
    error = posix_spawnp(&child, argv[0], &actions, NULL, (char *const *)argv,
                         environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!error && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return !error && status == 0;
}

bool volume_unmount(const struct volume *volume)
{
#ifdef __linux__
    char node[sizeof(volume->device) + 8];

    if (!volume->device[0])
        return false;
    if (umount2(volume->path, 0) == 0)
        return true;
    snprintf(node, sizeof(node), "/dev/%s", volume->device);
    return run((const char *const[]){
        "udisksctl", "unmount", "--no-user-interaction", "-b", node, NULL});
#else
    return run((const char *const[]){"diskutil", "eject", volume->path, NULL});
#endif
}
