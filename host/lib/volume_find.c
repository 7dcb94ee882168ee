/* SPDX-License-Identifier: MIT */
/* volume_find.c - see volume.h: mounted volumes, and those that are not. */
#include "volume.h"

#include "bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#include <unistd.h>

/* The status file is one sector at most. */
#define STATUS_MAX 512u

static const char *const status_names[] = {"READY.txt", "SUCCESS.txt",
                                           "ERROR.txt"};
#define STATUS_NAMES (sizeof(status_names) / sizeof(status_names[0]))

/* ---- mounted ---- */

static bool read_status(const char *directory, const char *name,
                        struct volume_status *status)
{
    char path[VOLUME_PATH + 64], text[STATUS_MAX];
    struct fail f = {0};
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof(text));
    close(fd);
    return n > 0 && volume_parse(text, (size_t)n, status, &f);
}

/* Some mount FAT so that the case of a name counts. */
static bool look_in(const char *directory, const struct volume_filter *filter,
                    struct volume_status *status)
{
    DIR *dir = opendir(directory);
    bool found = false, absent = true;
    struct dirent *entry;

    if (!dir)
        return false;
    while ((entry = readdir(dir))) {
        if (filter->absent && !strcasecmp(entry->d_name, filter->absent))
            absent = false;
        for (size_t i = 0; i < STATUS_NAMES && !found; i++) {
            if (!strcasecmp(entry->d_name, status_names[i]))
                found = read_status(directory, entry->d_name, status);
        }
    }
    closedir(dir);
    return found && absent;
}

static bool wanted(const struct volume_filter *filter,
                   const struct volume_status *status)
{
    return !filter->serial || !strcasecmp(filter->serial, status->serial);
}

/* Fills in the device of a link to it in /sys. */
static void get_device(const char *link, struct volume *v)
{
    char target[PATH_MAX];
    struct stat st;
    const char *name;

    if (!realpath(link, target) || stat(target, &st))
        return;
    name = strrchr(target, '/') + 1;
    if (strlen(name) >= sizeof(v->device))
        return;
    strcpy(v->device, name);
    v->device_id = st.st_ino;
}

/* That of a directory which is a mount point. */
static void get_mounted_device(const char *directory, struct volume *v)
{
#ifdef __linux__
    char path[VOLUME_PATH + 8];
    struct stat here, above;

    snprintf(path, sizeof(path), "%s/..", directory);
    if (stat(directory, &here) || stat(path, &above) ||
        here.st_dev == above.st_dev)
        return;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(here.st_dev),
             minor(here.st_dev));
    get_device(path, v);
#else
    (void)directory, (void)v;
#endif
}

struct search {
    const struct volume_filter *filter;
    struct volume *found;
    size_t count, max;
};

static bool is_excluded(const struct volume_filter *filter,
                        const struct volume *v)
{
    return filter->not_device && filter->not_device == v->device_id;
}

static void try_mounted(struct search *s, const char *directory)
{
    struct volume *v = &s->found[s->count];

    if (s->count == s->max || strlen(directory) >= sizeof(v->path))
        return;
    for (size_t i = 0; i < s->count; i++) {
        if (!strcmp(s->found[i].path, directory))
            return;
    }
    memset(v, 0, sizeof(*v));
    get_mounted_device(directory, v);
    if (is_excluded(s->filter, v) ||
        !look_in(directory, s->filter, &v->status) ||
        !wanted(s->filter, &v->status))
        return;
    snprintf(v->path, sizeof(v->path), "%s", directory);
    v->mounted = true;
    s->count++;
}

/* "\040" is how mountinfo writes a blank. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] &&
            text[3]) {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
                           (text[3] - '0'));
            text += 3;
        } else {
            *to++ = *text;
        }
    }
    *to = 0;
}

/* Others may hang when they are looked at, those of a network most of all. */
static bool may_be_fat(const char *type)
{
    return !strcmp(type, "vfat") || !strcmp(type, "msdos") ||
           !strcmp(type, "fuseblk");
}

/* Does the device have this label, as udev says? */
static bool has_label(const char *device, const char *label)
{
    char link[PATH_MAX], target[PATH_MAX];

    snprintf(link, sizeof(link), "/dev/disk/by-label/%s", label);
    return realpath(link, target) && !strcmp(target, device);
}

/* The last part of a path begins with the label: BOOTLOADER, BOOTLOADER1. */
static bool is_named(const char *directory, const char *label)
{
    const char *last = strrchr(directory, '/');

    return last && !strncmp(last + 1, label, strlen(label));
}

/* A volume that was pulled out stays mounted and shows what was remembered of
 * it, but its device is not there any more.  "8:16"; major number 0: it has
 * none (fuse). */
static bool is_gone(const char *device)
{
    char path[64];

    if (!strncmp(device, "0:", 2))
        return false;
    snprintf(path, sizeof(path), "/sys/dev/block/%.32s", device);
    return access("/sys/dev/block", F_OK) == 0 && access(path, F_OK) != 0;
}

/* One line: id, parent, major:minor, root, mount point, options, optional
 * fields, "-", type, source, options of the superblock. */
static void try_line(struct search *s, char *line)
{
    char *fields[32];
    size_t n = 0, dash = 0;

    for (char *p = strtok(line, " \n"); p && n < 32; p = strtok(NULL, " \n")) {
        if (!strcmp(p, "-") && !dash)
            dash = n;
        fields[n++] = p;
    }
    if (dash < 5 || n < dash + 3 || !may_be_fat(fields[dash + 1]) ||
        is_gone(fields[2]))
        return;
    unescape(fields[4]);
    unescape(fields[dash + 2]);
    if (s->filter->label && !has_label(fields[dash + 2], s->filter->label) &&
        !is_named(fields[4], s->filter->label))
        return;
    try_mounted(s, fields[4]);
}

static void try_children(struct search *s, const char *parent)
{
    char path[VOLUME_PATH];
    struct dirent *entry;
    DIR *dir = opendir(parent);

    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
        if (is_named(path, s->filter->label ? s->filter->label : VOLUME_LABEL))
            try_mounted(s, path);
    }
    closedir(dir);
}

/* ---- not mounted: FAT32 File System Specification 1.03, as far as the root
 * directory of a volume whose bootloader made it (core/fat.c) ---- */

#define SECTOR 512u

static bool read_sector(int fd, uint64_t lba, uint8_t *to)
{
    return pread(fd, to, SECTOR, (off_t)(lba * SECTOR)) == SECTOR;
}

static bool label_is(const uint8_t *field, const char *label)
{
    char padded[12];

    snprintf(padded, sizeof(padded), "%-11s", label);
    return !memcmp(field, padded, 11);
}

/* "READY   TXT" of "READY.txt" */
static bool name_is(const uint8_t *field, const char *name)
{
    char padded[12];
    size_t stem = strcspn(name, ".");

    snprintf(padded, sizeof(padded), "%-8.*s%-3s", (int)stem, name,
             name + stem + (name[stem] == '.'));
    return !strncasecmp((const char *)field, padded, 11);
}

static bool status_in_root(int fd, const struct volume_filter *filter,
                           struct volume_status *status)
{
    const char *label = filter->label ? filter->label : VOLUME_LABEL;
    uint8_t boot[SECTOR], root[SECTOR], text[SECTOR];
    uint64_t data, per_cluster;
    bool found = false;

    if (!read_sector(fd, 0, boot) || boot[510] != 0x55 || boot[511] != 0xAA ||
        boot[11] != 0 || boot[12] != 2 || !label_is(boot + 71, label))
        return false;
    per_cluster = boot[13];
    data =
        (boot[14] | boot[15] << 8) + boot[16] * (uint64_t)get_le32(boot + 36);
    if (!read_sector(fd, data + (get_le32(boot + 44) - 2) * per_cluster, root))
        return false;
    for (uint8_t *e = root; e < root + SECTOR && *e; e += 32) {
        uint32_t size = get_le32(e + 28);
        uint64_t cluster =
            (uint64_t)(e[20] | e[21] << 8) << 16 | e[26] | e[27] << 8;
        struct fail f = {0};

        if (filter->absent && name_is(e, filter->absent))
            return false;
        for (size_t i = 0; i < STATUS_NAMES && !found; i++) {
            if (name_is(e, status_names[i]) && cluster >= 2)
                found =
                    read_sector(fd, data + (cluster - 2) * per_cluster, text) &&
                    volume_parse((char *)text, size < SECTOR ? size : SECTOR,
                                 status, &f);
        }
    }
    return found;
}

static void try_device(struct search *s, const char *name)
{
    struct volume *v = &s->found[s->count];
    char link[PATH_MAX];
    int fd;

    if (s->count == s->max)
        return;
    memset(v, 0, sizeof(*v));
    snprintf(link, sizeof(link), "/sys/class/block/%s", name);
    get_device(link, v);
    /* Even an open() has the kernel ask the board something. */
    if (is_excluded(s->filter, v))
        return;
    snprintf(v->path, sizeof(v->path), "/dev/%s", name);
    fd = open(v->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (status_in_root(fd, s->filter, &v->status) &&
        wanted(s->filter, &v->status))
        s->count++;
    close(fd);
}

/* Is a board with this serial number there already? */
static bool is_known(const struct search *s, const struct volume *v)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!strcmp(s->found[i].status.serial, v->status.serial))
            return true;
    }
    return false;
}

/* USB disks are those of the SCSI subsystem. */
static void try_devices(struct search *s)
{
    char line[128], name[64];
    FILE *file = fopen("/proc/partitions", "re");

    if (!file)
        return;
    while (fgets(line, sizeof(line), file)) {
        size_t before = s->count;

        if (sscanf(line, "%*u %*u %*u %63s", name) != 1 ||
            strncmp(name, "sd", 2))
            continue;
        try_device(s, name);
        if (s->count > before) { /* mounted, too? */
            s->count = before;
            if (!is_known(s, &s->found[before]))
                s->count = before + 1;
        }
    }
    fclose(file);
}

size_t volume_find(const struct volume_filter *filter, const char *mountinfo,
                   struct volume *found, size_t max)
{
    struct search s = {filter, found, 0, max};
    char *line = NULL;
    size_t size = 0;
    FILE *file;

    if (filter->mount) {
        try_mounted(&s, filter->mount);
        return s.count;
    }
    file = fopen(mountinfo, "re");
    if (!file) {
        try_children(&s, "/Volumes");
        return s.count;
    }
    while (getline(&line, &size, file) > 0)
        try_line(&s, line);
    free(line);
    fclose(file);
    try_devices(&s);
    return s.count;
}
