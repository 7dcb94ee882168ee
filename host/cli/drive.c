/* SPDX-License-Identifier: MIT */
/* drive.c - the verb `drive`: an update by the volume that a board shows. */
#include "cli.h"
#include "fit.h"
#include "img.h"
#include "stamp.h"
#include "target.h"
#include "uf2.h"
#include "vec.h"
#include "volume.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOUNT, LABEL, SERIAL, TIMEOUT, DRY_RUN, JSON };

static const struct cli_option options[] = {
    [MOUNT] = {"mount", 0, "DIR", "where the volume is mounted"},
    [LABEL] = {"label", 0, "NAME", "its label, where that is not BOOTLOADER"},
    [SERIAL] = {"serial", 0, "SERIAL", "the board with this serial number"},
    [TIMEOUT] = {"timeout", 0, "SECONDS",
                 "how long to wait for the result, 120 if not given"},
    [DRY_RUN] = {"dry-run", 0, NULL, "find and check, copy nothing"},
    [JSON] = {"json", 0, NULL, "print one JSON object"},
    {0},
};

#define VOLUMES_MAX     16
#define TIMEOUT_SECONDS 120u
#define LOOK_MS         250 /* between two looks for the result */
#define MOUNTINFO       "/proc/self/mountinfo"

/* The names count for nothing on the volume, but that they may not begin with
 * a dot; it has to be one that the fresh volume does not have. */
#define NAME_BIN "FIRMWARE.BIN"
#define NAME_UF2 "FIRMWARE.UF2"

struct request {
    const char *file;
    struct volume_filter filter;
    uint32_t timeout; /* seconds */
    bool dry_run;
    bool as_json;
    struct json *json;
};

/* What is copied. */
struct load {
    const char *name; /* on the volume */
    char *data;
    size_t n;
};

/* A line, unless a JSON object is asked for. */
__attribute__((format(printf, 2, 3))) static void say(const struct request *r,
                                                      const char *format, ...)
{
    va_list args;

    if (r->as_json)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static const struct board_info *board_of(const struct volume_status *s)
{
    return board_info_find(s->board);
}

/* ---- which volume ---- */

static bool describe_choice(const struct volume *found, size_t n,
                            struct fail *f)
{
    char list[384] = "";

    for (size_t i = 0; i < n; i++) {
        size_t used = strlen(list);

        snprintf(list + used, sizeof(list) - used, "%s%s (serial %s)",
                 i ? ", " : "", found[i].path, found[i].status.serial);
    }
    return fail(f, FAIL_NO_DEVICE,
                "several boards show a drive, choose with --serial: %s", list);
}

static bool nothing_found(const struct request *r, struct fail *f)
{
    const struct volume_filter *filter = &r->filter;

    if (filter->mount)
        return fail(f, FAIL_NO_DEVICE,
                    "%s: no READY.txt, SUCCESS.txt or ERROR.txt of a "
                    "bootloader%s%s in this directory",
                    filter->mount, filter->serial ? " with serial number " : "",
                    filter->serial ? filter->serial : "");
    return fail(f, FAIL_NO_DEVICE,
                "no volume %s%s%s is mounted: start the bootloader of the "
                "board (reset with its key held), or name the directory with "
                "--mount",
                filter->label ? filter->label : VOLUME_LABEL,
                filter->serial ? " with serial number " : "",
                filter->serial ? filter->serial : "");
}

static bool choose_volume(const struct request *r, struct volume *volume,
                          struct fail *f)
{
    struct volume *found = calloc(VOLUMES_MAX, sizeof(*found));
    bool ok = false;
    size_t n;

    if (!found)
        return fail(f, FAIL_SYSTEM, "no memory");
    n = volume_find(&r->filter, MOUNTINFO, found, VOLUMES_MAX);
    if (n == 0) {
        nothing_found(r, f);
    } else if (n > 1) {
        describe_choice(found, n, f);
    } else if (!found->mounted) {
        fail(f, FAIL_NO_DEVICE,
             "%s is the volume, but it is not mounted: mount it "
             "(udisksctl mount -b %s), then try again",
             found->path, found->path);
    } else {
        *volume = *found;
        ok = true;
    }
    free(found);
    return ok;
}

static void show_volume(const struct request *r, const struct volume *v)
{
    const struct volume_status *s = &v->status;

    say(r, "%s: %s (board %s, serial %s, bootloader %s), slot 0x%08X to 0x%08X",
        v->path, s->product, s->board, s->serial[0] ? s->serial : "none",
        s->version[0] ? s->version : "unknown", s->slot_start,
        s->slot_start + (s->slot_size - 1));
    if (s->firmware[0])
        say(r, "%s: has %s now", v->path, s->firmware);
    json_string(r->json, "volume", v->path);
    json_string(r->json, "product", s->product);
    json_string(r->json, "board", s->board);
    json_string(r->json, "serial", s->serial);
    json_string(r->json, "bootloader", s->version);
    if (s->firmware[0])
        json_string(r->json, "firmware", s->firmware);
    json_hex(r->json, "address", s->slot_start, 8);
    json_number(r->json, "room", s->slot_size);
}

/* ---- does the file fit this board? ---- */

static bool check_place(uint64_t start, uint64_t end,
                        const struct volume_status *s, struct fail *f)
{
    uint64_t slot_end = (uint64_t)s->slot_start + s->slot_size;

    if (end - start > s->slot_size)
        return fail(f, FAIL_UNFIT,
                    "the image has %llu bytes, the slot of this board has %u",
                    (unsigned long long)(end - start), s->slot_size);
    if (start != s->slot_start || end > slot_end)
        return fail(f, FAIL_UNFIT,
                    "the image is for 0x%08X to 0x%08X, the slot of this "
                    "board is 0x%08X to 0x%08X: link it for that",
                    (uint32_t)start, (uint32_t)(end - 1), s->slot_start,
                    (uint32_t)(slot_end - 1));
    return true;
}

static bool check_stamp(const struct fw *fw, uint64_t start, uint64_t end,
                        const struct stamp *stamp,
                        const struct board_info *board, struct fail *f)
{
    if (stamp->length < IMG_HEADER_SIZE || stamp->length % 4 ||
        stamp->length > end - start)
        return fail(f, FAIL_UNFIT, "the stamp says %u bytes, the file has %llu",
                    stamp->length, (unsigned long long)(end - start));
    if (stamp->crc != stamp_crc(fw, start, stamp->length))
        return fail(f, FAIL_UNFIT,
                    "the file is damaged: its CRC is not that of its stamp");
    if (board && stamp->product && stamp->product != board->product)
        return fail(f, FAIL_UNFIT,
                    "the image is for product 0x%08X, %s is 0x%08X",
                    stamp->product, board->name, board->product);
    return true;
}

static bool check(const struct fw *fw, const struct volume_status *s,
                  bool *stamped, struct fail *f)
{
    const struct board_info *board = board_of(s);
    uint64_t start = 0, end = 0;
    struct stamp stamp;

    fw_span(fw, &start, &end);
    *stamped = stamp_get(fw, start, &stamp);
    return check_place(start, end, s, f) &&
           (!board || fit_board(fw, start, end, board, f)) &&
           vec_check(fw, start, end, board, f) &&
           (!*stamped || check_stamp(fw, start, end, &stamp, board, f));
}

/* ---- what is copied ---- */

static bool make_bin(const struct fw *fw, struct load *load, struct fail *f)
{
    uint64_t start = 0, end = 0;

    fw_span(fw, &start, &end);
    load->name = NAME_BIN;
    load->n = (size_t)(end - start);
    load->data = malloc(load->n);
    if (!load->data)
        return fail(f, FAIL_SYSTEM, "no memory");
    fw_get(fw, start, load->data, load->n, 0xFF);
    return true;
}

static bool make_uf2(const struct fw *fw, struct load *load, struct fail *f)
{
    FILE *file = open_memstream(&load->data, &load->n);
    bool ok;

    if (!file)
        return fail(f, FAIL_SYSTEM, "no memory");
    load->name = NAME_UF2;
    uf2_write(fw, file);
    ok = !ferror(file);
    if (fclose(file) || !ok)
        return fail(f, FAIL_SYSTEM, "no memory");
    return true;
}

/* A stamped image goes as a .bin, the shortest; what does not know its own end
 * as a UF2, of which the board sees when it is whole.  A board that this tool
 * does not know has a family that it does not know. */
static bool make_load(struct fw *fw, const struct volume_status *s,
                      bool stamped, struct load *load, struct fail *f)
{
    const struct board_info *board = board_of(s);

    if (stamped || (!board && !fw->has_family))
        return make_bin(fw, load, f);
    if (board)
        fw_set_family(fw, board->uf2_family);
    return make_uf2(fw, load, f);
}

static bool load_file(const struct request *r, const struct volume_status *s,
                      struct fw *fw, struct load *load, struct fail *f)
{
    bool stamped;

    if (!fw_load(fw, r->file, &s->slot_start, f))
        return false;
    if (fw->next)
        return fail(f, FAIL_UNFIT,
                    "%s: the file has data for several alternate settings, the "
                    "drive takes the application alone: take it out with "
                    "'sallyport convert --alt'",
                    r->file);
    if (!check(fw, s, &stamped, f) || !make_load(fw, s, stamped, load, f))
        return fail_at(f, "%s: ", r->file);
    return true;
}

/* ---- the result ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The volume as it comes back is another one: without the file. */
static bool came_back(const struct request *r, const struct volume *before,
                      const struct load *load, struct volume *after)
{
    struct volume_filter filter = {.label = r->filter.label,
                                   .serial = before->status.serial,
                                   .absent = load->name,
                                   .not_device = before->device_id};

    if (r->filter.mount) {
        filter.mount = before->path;
        if (volume_find(&filter, MOUNTINFO, after, 1))
            return true;
        filter.mount = NULL;
    }
    return volume_find(&filter, MOUNTINFO, after, 1) == 1;
}

static bool report(const struct request *r, const struct volume_status *s,
                   struct fail *f)
{
    static const char *const names[] = {
        [VOLUME_READY] = "READY",
        [VOLUME_SUCCESS] = "SUCCESS",
        [VOLUME_ERROR] = "ERROR",
    };

    json_string(r->json, "result", names[s->state]);
    if (s->state == VOLUME_SUCCESS) {
        say(r, "SUCCESS: %s is installed, it starts at the next reset",
            r->file);
        return true;
    }
    if (s->state == VOLUME_READY)
        return fail(f, FAIL_LOST,
                    "the board was reset before the file was installed: try "
                    "again");
    json_number(r->json, "code", s->code);
    json_string(r->json, "sentence", s->sentence);
    json_number(r->json, "offset", s->offset);
    return fail(f, FAIL_DEVICE,
                "%s: the board says ERROR 0x%02X %s (offset 0x%08X)", r->file,
                s->code, s->sentence, s->offset);
}

/* `copied`: all of it; else f has what went wrong. */
static bool wait_result(const struct request *r, const struct volume *volume,
                        const struct load *load, bool copied, struct fail *f)
{
    struct volume *after = calloc(1, sizeof(*after));
    double end = now() + r->timeout;
    bool back = false, ok = false;

    if (!after)
        return fail(f, FAIL_SYSTEM, "no memory");
    for (;;) {
        back = came_back(r, volume, load, after);
        if (back || target_stop || now() >= end)
            break;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000}, NULL);
    }
    if (back) {
        *f = (struct fail){0};
        ok = report(r, &after->status, f);
    } else if (target_stop) {
        fail(f, FAIL_INTERRUPTED, "interrupted while waiting for the result");
    } else if (copied) {
        fail(f, FAIL_LOST,
             "%s: the volume did not come back with a result within %u s; the "
             "file was copied, look at the board",
             volume->path, r->timeout);
    }
    free(after);
    return ok;
}

static bool go_on(void *context, size_t done, size_t all)
{
    (void)context, (void)done, (void)all;
    return !target_stop;
}

static bool copy(const struct request *r, const struct volume *volume,
                 const struct load *load, struct fail *f)
{
    double begun = now();
    bool copied, ok;

    say(r, "%s: %zu bytes as %s", r->file, load->n, load->name);
    target_catch_signals();
    copied =
        volume_write(volume, load->name, load->data, load->n, go_on, NULL, f);
    /* Where the volume went away the board may have seen enough, and be about
     * to say so. */
    if (!copied && f->code != FAIL_LOST)
        return false;
    if (!copied)
        say(r, "the volume went away in mid-copy, waiting for the result");
    else if (volume_unmount(volume))
        say(r, "copied and unmounted, waiting for the result");
    else
        say(r, "copied, waiting for the result: eject the volume, or the "
               "board takes its time");
    ok = wait_result(r, volume, load, copied, f);
    json_seconds(r->json, "seconds", now() - begun);
    return ok;
}

static bool update(const struct request *r, struct fw *fw, struct fail *f)
{
    struct volume *volume = calloc(1, sizeof(*volume));
    struct load load = {0};
    bool ok;

    if (!volume)
        return fail(f, FAIL_SYSTEM, "no memory");
    ok = choose_volume(r, volume, f);
    if (ok) {
        show_volume(r, volume);
        ok = load_file(r, &volume->status, fw, &load, f);
    }
    if (ok) {
        json_string(r->json, "copied_as", load.name);
        json_number(r->json, "copied", r->dry_run ? 0 : load.n);
    }
    if (ok && r->dry_run)
        say(r, "%s: fits, %zu bytes would be copied as %s", r->file, load.n,
            load.name);
    else if (ok)
        ok = copy(r, volume, &load, f);
    free(load.data);
    free(volume);
    return ok;
}

/* A file that is no firmware is told before a board is looked for. */
static bool check_file(const struct request *r, struct fail *f)
{
    struct fw fw;
    bool ok;

    fw_init(&fw);
    ok = fw_load(&fw, r->file, NULL, f);
    fw_free(&fw);
    return ok;
}

static bool run_request(const struct request *r, struct fail *f)
{
    struct fw fw;
    bool ok;

    if (!check_file(r, f))
        return false;
    fw_init(&fw);
    ok = update(r, &fw, f);
    fw_free(&fw);
    return ok;
}

static bool run(const struct cli_call *call, struct fail *f)
{
    const char *const *value = call->value;
    struct json json = {0};
    struct request r = {
        .file = call->file,
        .filter = {.mount = value[MOUNT],
                   .label = value[LABEL],
                   .serial = value[SERIAL]},
        .timeout = TIMEOUT_SECONDS,
        .dry_run = value[DRY_RUN] != NULL,
        .as_json = value[JSON] != NULL,
        .json = &json,
    };
    bool ok;

    if (value[MOUNT] && value[LABEL])
        return fail(f, FAIL_USAGE,
                    "drive: --mount and --label exclude each "
                    "other (see 'sallyport help drive')");
    if (value[TIMEOUT] && !cli_number("timeout", value[TIMEOUT], &r.timeout, f))
        return false;
    json_open(&json, NULL, '{');
    json_string(&json, "file", r.file);
    ok = run_request(&r, f);
    target_json_fail(&json, f);
    json_close(&json, '}');
    if (r.as_json && json_text(&json))
        puts(json_text(&json));
    json_free(&json);
    return ok;
}

const struct cli_verb cli_drive = {
    .name = "drive",
    .synopsis = "FILE [--mount DIR | --label NAME] [--serial SERIAL] "
                "[--timeout SECONDS] [--dry-run] [--json]",
    .summary = "install a file by the drive that a board shows",
    .details =
        "Finds the volume BOOTLOADER of a board, checks that FILE (ELF, Intel\n"
        "HEX, UF2 or raw binary, told by content) is for it, copies it\n"
        "there, unmounts the volume, and waits until it comes back with the\n"
        "result.  A stamped image is copied as a .bin, all else as a UF2 for\n"
        "the board's family, of which the board sees when it is whole.",
    .options = options,
    .files_min = 1,
    .files_max = 1,
    .run = run,
};
