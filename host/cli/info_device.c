/* SPDX-License-Identifier: MIT */
/* info_device.c - the verb `info` without a file: a device, its memory, the
 * image that is installed. */
#include "info.h"

#include "usb.h"

#include <string.h>

/* "2 x 2 KB" */
static void size_text(char text[32], const struct layout_run *run)
{
    if (run->sector % 1024)
        snprintf(text, 32, "%u x %u bytes", run->count, run->sector);
    else
        snprintf(text, 32, "%u x %u KB", run->count, run->sector / 1024);
}

static const char *type_text(unsigned type)
{
    static const char *const texts[] = {
        "nothing",    "read only",   "erase",        "read, erase",
        "write only", "read, write", "erase, write", "read, write, erase"};

    return texts[type & 7];
}

static void show_run(const struct layout_run *run, struct json *j)
{
    uint32_t last = (uint32_t)(layout_end(run) - 1);
    char size[32];

    size_text(size, run);
    if (!j) {
        printf("memory   0x%08X to 0x%08X: %s, %s\n", run->start, last, size,
               type_text(run->type));
        return;
    }
    json_open(j, NULL, '{');
    json_hex(j, "address", run->start, 8);
    json_hex(j, "last", last, 8);
    json_number(j, "sector", run->sector);
    json_number(j, "count", run->count);
    json_bool(j, "read", run->type & LAYOUT_READ);
    json_bool(j, "erase", run->type & LAYOUT_ERASE);
    json_bool(j, "write", run->type & LAYOUT_WRITE);
    json_close(j, '}');
}

static void show_alt(const struct device_alt *a, struct json *j)
{
    const char *name = a->has_layout ? a->layout.name : a->name;

    if (j) {
        json_open(j, NULL, '{');
        json_number(j, "alternate", a->number);
        json_string(j, "name", name);
        json_open(j, "memory", '[');
    } else {
        printf("target   alternate setting %u (%s)\n", a->number, name);
    }
    for (size_t i = 0; i < a->layout.runs; i++)
        show_run(&a->layout.run[i], j);
    if (j) {
        json_close(j, ']');
        json_close(j, '}');
    }
}

static void print_device(const struct device *d)
{
    printf("path     %s\n", d->path);
    printf("format   %s, blocks of %u bytes%s\n",
           d->runtime ? "application with a DFU interface"
           : d->dfuse ? "DfuSe"
                      : "DFU 1.1",
           d->block, d->attributes & DFU_CAN_UPLOAD ? "" : ", not readable");
    printf("device   %04X:%04X, revision %04X\n", d->vid, d->pid, d->bcd);
    printf("model    %s%s%s\n", d->model, d->vendor[0] ? ", " : "", d->vendor);
    printf("serial   %s\n", d->serial[0] ? d->serial : "none");
    printf("board    %s\n", d->board ? d->board->name : "not known here");
    if (d->bootloader[0])
        printf("boot     Sallyport %s\n", d->bootloader);
}

static void show_device(const struct device *d, struct json *j)
{
    if (j) {
        json_string(j, "format",
                    d->runtime ? "application"
                    : d->dfuse ? "DfuSe"
                               : "DFU 1.1");
        if (d->bootloader[0])
            json_string(j, "bootloader", d->bootloader);
        json_number(j, "block", d->block);
        json_bool(j, "readable", d->attributes & DFU_CAN_UPLOAD);
        json_open(j, "targets", '[');
    } else {
        print_device(d);
    }
    for (size_t i = 0; i < d->alts; i++)
        show_alt(&d->alt[i], j);
    if (j)
        json_close(j, ']');
}

static bool show_image(struct target *t, struct json *j, struct fail *f)
{
    uint64_t start, end;
    struct fw fw;
    bool ok;

    fw_init(&fw);
    fw.format = FW_BIN;
    ok = update_read_image(&t->update, 0, &fw, f);
    if (ok && fw_span(&fw, &start, &end)) {
        if (j)
            json_open(j, "image", '{');
        ok = info_image(&fw, j, f);
        if (j)
            json_close(j, '}');
    } else if (ok && !j) {
        printf("image    none, the application's flash is empty\n");
    }
    fw_free(&fw);
    return ok;
}

static bool work(struct target *t, void *ctx, struct fail *f)
{
    struct json *j = t->all->json ? &t->json : NULL;

    (void)ctx;
    t->update.progress = NULL;
    show_device(&t->d, j);
    if (t->d.runtime || !(t->d.attributes & DFU_CAN_UPLOAD))
        return true;
    return show_image(t, j, f);
}

/* One after the other, because each prints many lines. */
bool info_device(const struct cli_call *call, struct fail *f)
{
    struct targets all;
    bool ok;

    if (!targets_open(&all, call, f))
        return false;
    ok = targets_run_each(&all, work, NULL, f);
    targets_close(&all);
    return ok;
}
