/* SPDX-License-Identifier: MIT
 *
 * A trial: what is drawn from the seed, the copy, the verdict.
 */
#include "trial.h"

#include "witness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* After the copy, for so long at most the drive may make up its mind. */
#define PATIENCE_MS 120000u
#define TURN_MS     200u
/* After ejecting: what is left of a slot is erased, what lies elsewhere in it
 * is moved, at worst with a page for each sector, and the image is checked. */
#define EJECT_MS 90000u

enum old { OLD_EMPTY, OLD_APP, OLD_SAME, OLD_HALF, OLDS };
static const char *const old_name[OLDS] = {"empty", "application",
                                           "the same application", "half"};

static const char *const group_name[TRIAL_GROUPS] = {
    "bin", "bin bits", "plain", "uf2",     "uf2 odd", "hex",
    "dfu", "two",      "none",  "garbled", "broken"};

const char *trial_group_name(enum trial_group group)
{
    return group_name[group];
}

bool trial_group_promised(enum trial_group group)
{
    return group <= TRIAL_DFU;
}

struct trials {
    const struct trial_rig *rig;
    const struct trial_board *board;
    struct witness witness;
    struct copier *copier;

    /* Of the trial that is running. */
    enum trial_group group;
    struct host_plan plan;
    struct host_file file[HOST_FILES];
    struct payload payload[HOST_FILES + 1]; /* the last one: for afterwards */
    enum old old;
    uint32_t old_length; /* of its image */
    bool old_boots;
    bool power;              /* the pulled cable is the supply */
    uint32_t unplugged;      /* for so many ms, else */
    uint8_t *before, *after; /* the slot */
};

struct trials *trials_new(const struct trial_rig *rig)
{
    struct trials *t = calloc(1, sizeof *t);

    fh_require(t != NULL);
    t->rig = rig;
    t->board = rig->board;
    t->copier = copier_new();
    t->before = malloc(t->board->slot_size);
    t->after = malloc(t->board->slot_size);
    fh_require(t->copier && t->before && t->after);
    for (unsigned i = 0; i <= HOST_FILES; i++)
        payload_init(&t->payload[i], t->board);
    memset(t->before, 0xFF, t->board->slot_size);
    rig->start(rig->dev.ctx, t->before);
    witness_init(&t->witness, rig);
    return t;
}

void trials_free(struct trials *t)
{
    witness_free(&t->witness);
    for (unsigned i = 0; i <= HOST_FILES; i++)
        payload_free(&t->payload[i]);
    copier_free(t->copier);
    free(t->before);
    free(t->after);
    free(t);
}

void trials_trace(struct trials *t, bool on)
{
    t->witness.trace = on;
}

/* ---- what is drawn ---- */

/* Most are small, some fill the slot. */
static uint32_t draw_length(const struct trials *t, uint64_t *random)
{
    uint32_t most = t->board->slot_size, n;

    if (t->rig->largest && t->rig->largest < most)
        most = t->rig->largest;
    if (t->plan.kind == HOST_UEFI || t->plan.flags & HOST_LITTER)
        most -= t->rig->beside * (1 + (t->plan.kind == HOST_UEFI));
    switch (payload_below(random, 40)) {
    case 0:
        return most - payload_below(random, 3) * payload_below(random, 300);
    case 1:
        n = most;
        break;
    case 2:
    case 3:
    case 4:
        n = 256 * 1024;
        break;
    default:
        n = 1u << (9 + payload_below(random, 8)); /* 512 to 64 KB */
        break;
    }
    n = 64 + payload_below(random, n);
    return n < most ? n : most;
}

/* A larger file of the other formats is read as it comes: that takes a host
 * that writes clusters in rising order, and once. */
static bool writes_in_order(const struct trials *t)
{
    switch (t->plan.kind) {
    case HOST_WINDOWS_2023:
    case HOST_FREEBSD:
    case HOST_RANDOM:
    case HOST_UEFI:
        return false;
    default:
        return !(t->plan.flags & (HOST_FRAGMENT | HOST_DUPLICATE)) &&
               t->group != TRIAL_TWO;
    }
}

/* Bytes of an image that the file can have. */
static uint32_t largest(const struct trials *t, enum payload_kind kind)
{
    uint32_t slot = t->board->slot_size, size = t->rig->whole;

    if (kind < PAYLOAD_KINDS)
        return slot;
    if (t->plan.kind == HOST_UEFI) /* writes 64 KB for a sector */
        size -= t->rig->beside + 0x10000;
    if (writes_in_order(t) && kind != PAYLOAD_HEX_ORDER)
        size = 3 * slot;
    if (kind == PAYLOAD_HEX_SREC || kind == PAYLOAD_HEX_ORDER)
        return size / 6;
    if (kind < PAYLOAD_DFUSE ||
        (kind >= PAYLOAD_MORE && kind < PAYLOAD_DFU_CRC))
        return size / 3;
    return size < slot ? size - 1024 : slot - 4;
}

static void draw_file(struct trials *t, uint64_t *random,
                      enum payload_kind kind)
{
    struct payload *p = &t->payload[t->plan.count];
    struct host_file *f = &t->file[t->plan.count++];
    uint32_t length = draw_length(t, random);

    /* Several files have to fit. */
    if (t->group == TRIAL_TWO && length > t->board->slot_size / 3)
        length = t->board->slot_size / 3;
    if (length > largest(t, kind))
        length = largest(t, kind);
    payload_make(p, t->board, kind, payload_random(random), length);
    f->name = payload_file(kind);
    f->data = p->data;
    f->size = p->size;
}

/* n kinds from the first one on, or with formats one of `more`, too. */
static enum payload_kind draw_kind(const struct trials *t, uint64_t *random,
                                   enum payload_kind first, uint32_t n,
                                   enum payload_kind first_more, uint32_t more)
{
    uint32_t k = payload_below(random, t->rig->formats ? n + more : n);

    return k < n ? first + k : first_more + k - n;
}

static enum payload_kind draw_firmware(const struct trials *t, uint64_t *random)
{
    return draw_kind(t, random, 0, PAYLOAD_FIRMWARE, PAYLOAD_KINDS,
                     PAYLOAD_MORE - PAYLOAD_KINDS);
}

static enum payload_kind draw_none(const struct trials *t, uint64_t *random)
{
    return draw_kind(t, random, PAYLOAD_FIRMWARE,
                     PAYLOAD_KINDS - PAYLOAD_FIRMWARE, PAYLOAD_MORE,
                     PAYLOAD_ALL - PAYLOAD_MORE);
}

static enum payload_kind draw_litter(uint64_t *random)
{
    return PAYLOAD_PHOTO + payload_below(random, 3);
}

static void draw_two(struct trials *t, uint64_t *random)
{
    unsigned photo = payload_below(random, 3);

    if (payload_below(random, 2))
        t->plan.flags |= HOST_TOGETHER;
    switch (payload_below(random, 4)) {
    case 0: /* firmware twice */
        draw_file(t, random, draw_firmware(t, random));
        draw_file(t, random, draw_firmware(t, random));
        if (!strcmp(t->file[0].name, t->file[1].name))
            t->plan.flags &= ~(unsigned)HOST_TOGETHER;
        break;
    case 1: /* one that will not do, then the right one */
        draw_file(t, random, draw_none(t, random));
        draw_file(t, random, draw_firmware(t, random));
        break;
    default:
        for (unsigned i = 0; i < 2 + photo / 2; i++)
            draw_file(t, random,
                      i == photo % 2 ? draw_firmware(t, random)
                                     : draw_litter(random));
        if (t->plan.count == 3 && !strcmp(t->file[1].name, t->file[2].name))
            t->plan.flags &= ~(unsigned)HOST_TOGETHER;
        break;
    }
}

/* A piece of a plain .bin is a plain .bin, where the host leaves it; so is a
 * .dfu without its suffix. */
static enum payload_kind says_its_end(enum payload_kind kind)
{
    if (kind == PAYLOAD_DFU)
        return PAYLOAD_DFUSE;
    return kind == PAYLOAD_PLAIN ? PAYLOAD_BIN : kind;
}

/* The cable is pulled, or the user cancels. */
static void draw_broken(struct trials *t, uint64_t *random)
{
    struct host_plan *plan = &t->plan;
    enum payload_kind kind = draw_firmware(t, random);
    bool cancel = payload_below(random, 2);

    if (cancel)
        kind = says_its_end(kind);
    draw_file(t, random, kind);
    uint32_t size = t->file[0].size;
    if (cancel) {
        /* A .bin is plain as long as there is no stamp. */
        plan->cut = 64 + payload_below(random, size - 64);
    } else {
        plan->pull = (int32_t)payload_below(random, size / 512 * 5 / 4 + 24);
        t->power = payload_below(random, 2);
        t->unplugged = payload_below(random, 60000);
    }
}

static void draw_old(struct trials *t, uint64_t *random)
{
    uint32_t size = t->board->slot_size, least = 64;
    uint8_t *slot = t->before;
    const struct payload *p = &t->payload[0];

    memset(slot, 0xFF, size);
    t->old = (enum old)payload_below(random, OLDS);
    if (t->old == OLD_SAME && !p->firmware)
        t->old = OLD_APP;
    t->old_boots = t->old == OLD_APP || t->old == OLD_SAME;
    t->old_length = 0;
    if (t->old == OLD_EMPTY)
        return;
    if (t->old == OLD_SAME) {
        memcpy(slot, p->image, p->length);
        t->old_length = payload_stamped(p) ? p->length : size;
        return;
    }
    bool stamped = payload_below(random, 3);
    t->old_length = least + payload_below(random, size - least);
    if (payload_below(random, 4))
        t->old_length = least + payload_below(random, 40000);
    /* Behind the image may be data. */
    if (payload_below(random, 2))
        payload_image(t->board, payload_random(random), size, true, slot);
    payload_image(t->board, payload_random(random), t->old_length, stamped,
                  slot);
    if (!stamped)
        t->old_length = size;
    if (t->old == OLD_HALF) {
        t->old_length = 0;
        memset(slot + 2, 0, 2); /* the first word is killed, or erased */
        if (payload_below(random, 2))
            memset(slot, 0xFF, 2048);
    }
}

static void draw(struct trials *t, enum host_kind kind, uint64_t seed)
{
    /* Percent of the trials, added up; without formats and with them. */
    static const uint8_t up_to[2][TRIAL_GROUPS] = {
        {30, 30, 37, 54, 68, 68, 68, 80, 90, 93, 100},
        {15, 15, 20, 28, 36, 56, 68, 78, 90, 93, 100}};
    uint64_t random = seed * 64 + (uint64_t)kind + 0x5EED0000000000ull;
    uint32_t dice = payload_below(&random, 100);
    enum payload_kind garbled;

    host_plan_seeded(&t->plan, kind, seed);
    t->plan.files = t->file;
    t->power = false;
    t->unplugged = 0;
    t->witness.garble = 0;
    for (unsigned i = 0; i <= HOST_FILES; i++)
        t->payload[i].firmware = false;
    t->group = TRIAL_BIN;
    while (dice >= up_to[t->rig->formats][t->group])
        t->group++;
    switch (t->group) {
    case TRIAL_BIN:
        draw_file(t, &random,
                  payload_below(&random, 5) ? PAYLOAD_BIN : PAYLOAD_BIN_TAIL);
        if (t->plan.flags & HOST_FRAGMENT)
            t->group = TRIAL_BIN_BITS;
        break;
    case TRIAL_PLAIN:
        draw_file(t, &random, PAYLOAD_PLAIN);
        break;
    case TRIAL_UF2:
        draw_file(t, &random, PAYLOAD_UF2 + payload_below(&random, 2));
        break;
    case TRIAL_UF2_ODD:
        draw_file(t, &random, PAYLOAD_UF2_GAPS + payload_below(&random, 4));
        break;
    case TRIAL_HEX:
        draw_file(t, &random,
                  PAYLOAD_HEX_GCC +
                      payload_below(&random, PAYLOAD_DFUSE - PAYLOAD_HEX_GCC));
        break;
    case TRIAL_DFU:
        draw_file(t, &random,
                  PAYLOAD_DFUSE +
                      payload_below(&random, PAYLOAD_MORE - PAYLOAD_DFUSE));
        break;
    case TRIAL_TWO:
        draw_two(t, &random);
        break;
    case TRIAL_NONE:
        draw_file(t, &random, draw_none(t, &random));
        break;
    case TRIAL_GARBLED:
        garbled = draw_firmware(t, &random);
        draw_file(t, &random, says_its_end(garbled));
        t->witness.garble = seed | 1;
        break;
    default:
        draw_broken(t, &random);
        break;
    }
    draw_old(t, &random);
}

static void describe(const struct trials *t, struct trial_result *r)
{
    size_t n;

    host_describe(&t->plan, r->what, sizeof r->what);
    for (unsigned i = 0; i < t->plan.count; i++) {
        n = strlen(r->what);
        snprintf(r->what + n, sizeof r->what - n, "%s %s of %u bytes",
                 i ? "," : ":", payload_name(t->payload[i].kind),
                 (unsigned)t->file[i].size);
    }
    n = strlen(r->what);
    snprintf(r->what + n, sizeof r->what - n, "; slot: %s", old_name[t->old]);
    n = strlen(r->what);
    if (t->plan.pull >= 0 && t->power)
        snprintf(r->what + n, sizeof r->what - n, "; power lost");
    else if (t->plan.pull >= 0)
        snprintf(r->what + n, sizeof r->what - n, "; out for %u ms",
                 (unsigned)t->unplugged);
}

/* ---- the verdict ---- */

__attribute__((format(printf, 2, 3))) static void wrong(struct trial_result *r,
                                                        const char *format, ...)
{
    va_list args;

    if (r->verdict == TRIAL_WRONG)
        return;
    r->verdict = TRIAL_WRONG;
    va_start(args, format);
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
}

/* The status file says: name and text have to agree. */
static void read_status(struct trials *t, struct trial_result *r)
{
    static const struct {
        const char *file, *state;
        enum trial_verdict verdict;
    } names[] = {{"READY.txt", "READY  ", TRIAL_NOTHING},
                 {"SUCCESS.txt", "SUCCESS", TRIAL_INSTALLED},
                 {"ERROR.txt", "ERROR  ", TRIAL_REFUSED}};
    uint8_t text[FH_SECTOR + 1];
    const char *why = NULL;
    unsigned found = 0, code;

    for (unsigned i = 0; i < 3; i++) {
        uint32_t size;
        const char *line;
        if (!host_load(t->copier, &t->rig->dev, t->plan.kind, names[i].file,
                       text, FH_SECTOR, &size, &why)) {
            if (why)
                wrong(r, "the volume afterwards: %s", why);
            continue;
        }
        found++;
        text[size] = 0;
        r->verdict = names[i].verdict;
        line = strstr((const char *)text, "result: ");
        if (!line || strncmp(line + 8, names[i].state, 7) != 0 ||
            sscanf(line + 15, " 0x%2x %47[^\n]", &code, r->sentence) != 2)
            wrong(r, "%s says: %s", names[i].file, line ? line : "nothing");
        else
            r->code = (uint8_t)code;
    }
    if (found != 1)
        wrong(r, "%u status files", found);
    if ((r->verdict == TRIAL_REFUSED) != (r->code != 0))
        wrong(r, "code 0x%02X in the status file", r->code);
}

/* On the volume as the host wrote it. */
static bool was_whole(const struct trials *t, const struct payload *p)
{
    return witness_has(&t->witness, p->data, p->needed, p->size);
}

static bool slot_has(const struct trials *t, const struct payload *p)
{
    return memcmp(t->after, p->image, p->length) == 0;
}

/* The first byte of the slot that is not so. */
static uint32_t differs(const struct trials *t, const uint8_t *image,
                        uint32_t i, uint32_t n)
{

    while (i < n && t->after[i] == image[i])
        i++;
    return i;
}

/* Is this what SUCCESS may mean?  Firmware whose file is whole on the volume,
 * or all of which is there and says so itself. */
static bool may_be(const struct trials *t, const struct payload *p)
{
    if (p->kind == PAYLOAD_UF2_HOSTILE || p->kind == PAYLOAD_HEX_HOSTILE ||
        p->kind == PAYLOAD_DFUSE_HOSTILE)
        return slot_has(t, p); /* what was spoiled does not matter */
    if (!p->firmware)
        return false;
    return was_whole(t, p) || (p->kind != PAYLOAD_PLAIN && slot_has(t, p));
}

static void judge_success(const struct trials *t, struct trial_result *r,
                          const struct payload *files, unsigned count)
{
    const struct payload *last = NULL;
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        if (!may_be(t, &files[i]))
            continue;
        last = &files[i];
        any |= slot_has(t, last);
    }
    if (!last)
        wrong(r, "SUCCESS, and no firmware was whole on the volume");
    else if (!any)
        wrong(r, "WRONG IMAGE: SUCCESS, and the slot differs at 0x%X of 0x%X",
              (unsigned)differs(t, last->image, 0, last->length),
              (unsigned)last->length);
    /* One after the other: the last one counts. */
    else if (!(t->plan.flags & HOST_TOGETHER) && !slot_has(t, last))
        wrong(r, "SUCCESS, and a firmware before the last one is installed");
    else if (!t->rig->boots(t->rig->dev.ctx))
        wrong(r, "SUCCESS, and the application does not start");
}

/* No SUCCESS: nothing starts, or what started before. */
static void judge_others(const struct trials *t, struct trial_result *r)
{
    /* Staged, nothing of the application changes before all is there. */
    if (t->rig->staged && memcmp(t->after, t->before, t->board->slot_size) == 0)
        return;
    if (!t->rig->staged && !t->rig->boots(t->rig->dev.ctx))
        return;
    if (!t->rig->staged && t->old_boots &&
        memcmp(t->after, t->before, t->old_length) == 0)
        return;
    /* Without power the word of the success is lost. */
    if (t->power && slot_has(t, &t->payload[0]) && was_whole(t, &t->payload[0]))
        return;
    wrong(r,
          "WRONG IMAGE: %s, and something starts; differs from the old "
          "application at 0x%X",
          r->verdict == TRIAL_REFUSED ? "ERROR" : "READY",
          (unsigned)differs(t, t->before, 0, t->old_length));
}

static void judge(struct trials *t, struct trial_result *r,
                  const struct payload *files, unsigned count, uint32_t every)
{
    int64_t lba;

    read_status(t, r);
    t->rig->slot(t->rig->dev.ctx, t->after);
    if (r->verdict == TRIAL_INSTALLED)
        judge_success(t, r, files, count);
    else
        judge_others(t, r);
    lba = witness_fresh(&t->witness, every);
    if (lba >= 0)
        wrong(r, "sector %u of the fresh volume is not as it should be",
              (unsigned)lba);
    /* UEFI writes pages. */
    if (t->witness.outside && t->plan.kind != HOST_UEFI)
        wrong(r, "%u sectors written outside of the free clusters",
              (unsigned)t->witness.outside);
    if (t->rig->fault(t->rig->dev.ctx))
        wrong(r, "%s", t->rig->fault(t->rig->dev.ctx));
}

/* ---- the copy ---- */

/* Until the drive has come back.  Where it has nothing to say, the user takes
 * it away in the end. */
static uint64_t settle(struct trials *t)
{
    const struct blockdev *dev = &t->rig->dev;
    uint64_t ms = 0;

    while (ms < PATIENCE_MS && !witness_gone(&t->witness)) {
        dev->wait(dev->ctx, TURN_MS);
        ms += TURN_MS;
    }
    if (!witness_gone(&t->witness))
        t->rig->replug(dev->ctx, 0, false);
    return ms;
}

/* Whatever the verdict was: the right file is taken afterwards. */
static void again(struct trials *t, uint64_t seed, struct trial_result *r)
{
    struct payload *p = &t->payload[HOST_FILES];
    uint64_t random = seed;
    enum payload_kind kind =
        payload_below(&random, 2) ? PAYLOAD_UF2 : PAYLOAD_BIN;
    struct trial_result then = {0};
    struct host_file file;
    struct host_plan plan = {.kind = HOST_LINUX_FLUSH,
                             .seed = seed,
                             .files = &file,
                             .count = 1,
                             .end = HOST_EJECT,
                             .pull = -1};

    payload_make(p, t->board, kind, seed, 64 + payload_below(&random, 12000));
    file = (struct host_file){payload_file(kind), p->data, p->size};
    witness_begin(&t->witness);
    t->witness.garble = 0;
    host_copy(t->copier, &t->witness.dev, &plan, &then.host);
    settle(t);
    judge(t, &then, p, 1, 61);
    if (then.verdict == TRIAL_WRONG)
        wrong(r, "a %s afterwards: %s", payload_name(kind), then.text);
    else if (then.verdict != TRIAL_INSTALLED)
        wrong(r, "a %s afterwards is refused: %s", payload_name(kind),
              then.sentence);
}

void trial_run(struct trials *t, enum host_kind kind, uint64_t seed,
               struct trial_result *r)
{
    struct host_plan *plan = &t->plan;

    memset(r, 0, sizeof *r);
    draw(t, kind, seed);
    describe(t, r);
    r->group = t->group;
    t->rig->start(t->rig->dev.ctx, t->before);
    witness_begin(&t->witness);
    host_copy(t->copier, &t->witness.dev, plan, &r->host);
    if (r->host.status == HOST_UNPLUGGED)
        t->rig->replug(t->rig->dev.ctx, t->unplugged, t->power);
    else
        r->ms = settle(t);
    judge(t, r, t->payload, plan->count, seed % 16 ? 61 : 1);
    r->promised = trial_group_promised(t->group);
    r->complaint = r->promised && r->host.status != HOST_OK;
    if (r->promised && r->verdict == TRIAL_REFUSED)
        snprintf(
            r->text, sizeof r->text,
            "the file was %swhole on the volume; behind the first word the "
            "slot differs at 0x%X "
            "of 0x%X",
            was_whole(t, &t->payload[0]) ? "" : "not ",
            (unsigned)differs(t, t->payload[0].image, 4, t->payload[0].length),
            (unsigned)t->payload[0].length);
    if (t->group == TRIAL_NONE && t->payload[0].code &&
        r->host.status == HOST_OK && r->code != t->payload[0].code)
        wrong(r, "0x%02X in the status file, 0x%02X was expected", r->code,
              t->payload[0].code);
    if (plan->end == HOST_EJECT && r->promised && r->ms > EJECT_MS)
        wrong(r, "%u ms from ejecting to the fresh mount", (unsigned)r->ms);
    if (r->host.status == HOST_NOT_MOUNTED)
        wrong(r, "the host does not mount it: %s", r->host.text);
    if (r->verdict != TRIAL_WRONG && seed % 8 == 3)
        again(t, seed, r);
}

bool trial_save(struct trials *t, enum host_kind kind, uint64_t seed,
                const char *directory)
{
    char path[300];
    bool saved = true;

    draw(t, kind, seed);
    for (unsigned i = 0; i < t->plan.count; i++) {
        snprintf(path, sizeof path, "%s/%u-%s", directory, i, t->file[i].name);
        FILE *out = fopen(path, "wb");
        saved &= out && fwrite(t->file[i].data, 1, t->file[i].size, out) ==
                            t->file[i].size;
        saved &= out && fclose(out) == 0;
    }
    return saved;
}
