/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - a chip as it is, bit for bit, and back.
 *
 * Flash is by far the largest part and changes rarely: snapshots and the chip
 * share one copy of it until it is written.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { PAGE = 1024 };

struct chip_snapshot {
    struct cpu_regs *regs;
    struct flash_image *flash;
    void *arena;
    uint8_t *ram, *ccm;
    char *usart;
    void *wire;
};

static void release(struct flash_image *f)
{
    if (f && --f->refs == 0)
        free(f);
}

/* The chip's flash as an image that nobody changes any more. */
static struct flash_image *share_flash(struct chip *c)
{
    size_t n = c->model->flash_size;

    if (c->flash_dirty || !c->image) {
        release(c->image);
        c->image = malloc(sizeof(*c->image) + n);
        if (!c->image)
            return NULL;
        c->image->refs = 1;
        memcpy(c->image->bytes, c->flash, n);
        c->flash_dirty = false;
    }
    c->image->refs++;
    return c->image;
}

static void *copy(const void *p, size_t n)
{
    void *q = malloc(n ? n : 1);

    if (q && n)
        memcpy(q, p, n);
    return q;
}

static bool save_wire(struct chip *c, struct chip_snapshot *s)
{
    if (!c->wire)
        return true;
    s->wire = calloc(1, wire_state_size(c->wire) + 1);
    if (!s->wire)
        return false;
    wire_save(c->wire, s->wire);
    return true;
}

struct chip_snapshot *chip_save(struct chip *c)
{
    struct chip_snapshot *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->regs = cpu_save(c->cpu);
    s->flash = share_flash(c);
    s->arena = copy(c->live, c->arena_size);
    s->ram = copy(c->ram, c->model->ram_size);
    s->ccm = copy(c->ccm, c->model->ccm_size);
    s->usart = copy(c->usart, c->live->usart_len);
    if (!s->regs || !s->flash || !s->arena || !s->ram || !s->ccm || !s->usart ||
        !save_wire(c, s)) {
        chip_snapshot_free(s);
        return NULL;
    }
    return s;
}

/* Copies what differs, so that translated code survives. */
static void restore_memory(struct chip *c, uint8_t *to, const uint8_t *from,
                           uint32_t base, size_t n)
{
    size_t at;

    for (at = 0; at < n; at += PAGE) {
        if (!memcmp(to + at, from + at, PAGE))
            continue;
        memcpy(to + at, from + at, PAGE);
        cpu_code_changed(c->cpu, base + (uint32_t)at, PAGE);
    }
}

static void restore_flash(struct chip *c, struct flash_image *f)
{
    if (f == c->image && !c->flash_dirty)
        return;
    restore_memory(c, c->flash, f->bytes, c->model->flash_base,
                   c->model->flash_size);
    f->refs++;
    release(c->image);
    c->image = f;
    c->flash_dirty = false;
}

static void restore_usart(struct chip *c, const struct chip_snapshot *s)
{
    if (!c->usart)
        return;
    memcpy(c->usart, s->usart, c->live->usart_len);
    c->usart[c->live->usart_len] = 0;
}

void chip_restore(struct chip *c, const struct chip_snapshot *s)
{
    cpu_restore(c->cpu, s->regs);
    restore_flash(c, s->flash);
    restore_memory(c, c->ram, s->ram, c->model->ram_base, c->model->ram_size);
    restore_memory(c, c->ccm, s->ccm, c->model->ccm_base, c->model->ccm_size);
    memcpy(c->live, s->arena, c->arena_size);
    fpu_follow_cpacr(c);
    restore_usart(c, s);
    if (c->wire)
        wire_restore(c->wire, s->wire);
}

void chip_snapshot_free(struct chip_snapshot *s)
{
    if (!s)
        return;
    cpu_regs_free(s->regs);
    release(s->flash);
    free(s->arena);
    free(s->ram);
    free(s->ccm);
    free(s->usart);
    free(s->wire);
    free(s);
}
