/* SPDX-License-Identifier: MIT */
/*
 * test_staged_cuts.c - power cuts in staged updates: before, inside and after
 * every flash operation of download, record and installation, and then again
 * at every operation of what the chip does about it.
 *
 *   test_staged_cuts BOARD [SCENARIO...]
 *
 * A chip that lost its power has its flash and nothing else, so points with the
 * same flash are judged once.  Where two chips that were switched on are alike
 * in flash, RAM and program counter at the same operation (all but the
 * millisecond counter, which nothing of this looks at), they go the same way:
 * that way is walked once.  So all pairs of cuts are covered without being made
 * one by one.
 *
 * SALLYPORT_TEST_SEED=n draws other patterns and another sample;
 * SALLYPORT_TEST_DEEP takes all points and all pairs.
 */
#include "clock.h"
#include "records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Bytes of noise at the start of each page: words that stay erased are no
 * operations, and those in a page are all alike.  A dense image has whole
 * pages of it. */
enum { ROOM = 512 * 1024, PAGES = 6, SPARSE = 128, TORN_ERASES = 6 };
/* 64 half-words of 52.5 us; and so many of them without any mean that a block
 * is over, or all of it: between leave and the installation are 150 ms and two
 * checks of the image. */
#define STEP (3360 * SIM_US)
enum { BLOCK_QUIET = 8, ALL_QUIET = 150 };
#define PATIENCE (400 * SIM_MS)

static bool deep(void)
{
    return getenv("SALLYPORT_TEST_DEEP") != NULL;
}

/* ---- what may be in the slot ---- */

struct scenario {
    const char *name;
    bool stamped, full, dense;
    enum { BY_PROGRAMMER, BY_UPDATE, WITH_PENDING, RECORDS_FULL } before;
    unsigned every; /* one in so many operations is cut */
    unsigned pairs; /* one in so many first cuts is followed by second ones;
                       0: none */
};

static const struct scenario scenarios[] = {
    {"stamped", true, false, false, BY_UPDATE, 7, 97},
    {"plain", false, false, false, BY_PROGRAMMER, 47, 997},
    {"replaced", true, false, false, WITH_PENDING, 97, 997},
    {"records", true, false, false, RECORDS_FULL, 47, 997},
    {"dense", true, false, true, BY_UPDATE, 401, 0},
    {"full", true, true, false, BY_PROGRAMMER, 23, 0},
};

static uint8_t old_image[ROOM], waiting[ROOM], new_image[ROOM], made[ROOM];

/* ---- sets of hashes, each with a number ---- */

struct entry {
    uint64_t key;
    unsigned long n;
};

struct set {
    struct entry *slot;
    size_t room, n;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
}

static uint64_t hash(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        h = mix(h, v);
    }
    return h | 1;
}

static struct entry *find(struct set *s, uint64_t key)
{
    size_t i = key & (s->room - 1);

    while (s->slot[i].key && s->slot[i].key != key)
        i = (i + 1) & (s->room - 1);
    return &s->slot[i];
}

/* The entry; with key 0 where it is new, for the caller to fill in. */
static struct entry *look_up(struct set *s, uint64_t key)
{
    if (2 * s->n >= s->room) {
        struct set bigger = {.room = s->room ? 2 * s->room : 4096, .n = s->n};

        bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
        if (!bigger.slot)
            abort();
        for (size_t i = 0; i < s->room; i++)
            if (s->slot[i].key)
                *find(&bigger, s->slot[i].key) = s->slot[i];
        free(s->slot);
        *s = bigger;
    }
    s->n += !find(s, key)->key;
    return find(s, key);
}

/* ---- the bench ---- */

static struct {
    struct rig *r;
    const struct scenario *s;
    struct clock clock;
    uint32_t bytes;   /* of the images */
    uint8_t *outside; /* the flash before; boot and kv stay so */
    struct chip_snapshot *home;
    uint64_t op;    /* number of the first operation of a step */
    unsigned depth; /* 0: the update; 1: what follows its cut */
    uint32_t seed;
    char where[160];
    struct set states, ways; /* judged; walked to their end, with operations */
    struct {
        unsigned long ops, before, torn, after, states, pairs, second;
        unsigned long old_apps, new_apps, most, bad;
    } n;
} lab;

static void bad(const char *what)
{
    if (++lab.n.bad <= 5)
        printf("FAIL %s: %s: %s (SALLYPORT_TEST_SEED=%u)\n", lab.s->name,
               lab.where, what, (unsigned)lab.seed);
}

/* The pages of the images in both partitions, and the records; the rest stays
 * as it was (check_outside()). */
static uint64_t flash_hash(void)
{
    const struct rig_board *b = lab.r->board;
    uint64_t h = hash(1, rig_flash(lab.r, b->slot), lab.bytes);

    h = hash(h, rig_flash(lab.r, b->download), lab.bytes);
    return hash(h, rig_flash(lab.r, b->record), b->kv - b->record);
}

/* Of a chip that was cut before an operation, RAM and all.  The marks of tries
 * count as soon as they are not blank, so a torn one is as good as another. */
static uint64_t way_hash(void)
{
    static uint8_t ram[0x20000];
    const struct rig_board *b = lab.r->board;
    size_t n = b->ram_end - b->ram;
    struct record rec = record_last(lab.r);
    uint8_t marks[4 * RECORD_ATTEMPTS];
    uint64_t h;

    if (n > sizeof(ram) || !chip_peek(lab.r->chip, b->ram, ram, n))
        abort();
    memset(ram + (lab.clock.counter - b->ram), 0, 4);
    if (!rec.at)
        return hash(mix(flash_hash(), chip_pc(lab.r->chip)), ram, n);
    record_marks(lab.r, &rec, marks);
    h = flash_hash();
    record_put_marks(lab.r, &rec, marks);
    return hash(mix(h, chip_pc(lab.r->chip)), ram, n);
}

static bool slot_is(const uint8_t *image)
{
    return rig_flash_is(lab.r, lab.r->board->slot, image, lab.bytes);
}

/* What the record says is so: a pending one stands for a whole image, the last
 * one that is done for what is in the slot. */
static void check_record(void)
{
    struct record rec = record_last(lab.r);

    if (record_count(lab.r, true) > 1)
        bad("two records are pending");
    if (rec.attempts > lab.n.most)
        lab.n.most = rec.attempts;
    if (rec.state == RECORD_NONE || rec.state == RECORD_VOID)
        return;
    if (rec.size != lab.bytes)
        bad("the record's size is wrong");
    if (rec.state == RECORD_PENDING) {
        record_image(lab.r, &rec, made, lab.bytes);
        if (memcmp(made, new_image, lab.bytes) &&
            memcmp(made, waiting, lab.bytes))
            bad("the record is ahead of download");
    } else if (!slot_is(old_image) && !slot_is(waiting) &&
               !slot_is(new_image)) {
        bad("the record is ahead of the application");
    }
}

static bool area_stays(uint32_t from, uint32_t end)
{
    const uint8_t *was = lab.outside + (from - lab.r->board->flash);

    return rig_flash_is(lab.r, from, was, end - from);
}

static void check_outside(void)
{
    const struct rig_board *b = lab.r->board;

    if (!area_stays(b->flash, b->slot) || !area_stays(b->kv, b->flash_end))
        bad("bootloader or kv changed");
    if (!area_stays(b->slot + lab.bytes, b->slot_end) ||
        !area_stays(b->download + lab.bytes, b->record))
        bad("pages behind the image changed");
    if (chip_guest_errors(lab.r->chip))
        bad(chip_last_guest_error(lab.r->chip));
}

/* ---- one chip that wakes up ---- */

/* Until the application runs or the power fails. */
static bool runs(void)
{
    return rig_app_runs(lab.r, PATIENCE);
}

static void check_application(void)
{
    bool pending = record_count(lab.r, true) != 0;

    host_wait(lab.r->host, SIM_MS);
    if (pending)
        bad("something is pending and yet the application runs");
    if (slot_is(new_image))
        lab.n.new_apps++;
    else if (slot_is(old_image) || slot_is(waiting))
        lab.n.old_apps++;
    else
        bad("half an image starts");
    if (chip_pc(lab.r->chip) - lab.r->board->slot >= lab.bytes)
        bad("the application does not run");
}

/* The chip is off and is switched on, without a cut; the operations that it
 * takes. */
static unsigned long recover(void)
{
    uint64_t ops = chip_flash_ops(lab.r->chip);

    chip_power(lab.r->chip, true);
    if (runs())
        check_application();
    else
        bad("no application runs");
    check_outside();
    check_record();
    return (unsigned long)(chip_flash_ops(lab.r->chip) - ops);
}

/* To erase what the bootloader erases together. */
static uint32_t erase_ops(uint32_t addr)
{
    return rig_page(lab.r->board, addr).size /
           chip_flash_page(lab.r->chip, addr);
}

/* The chip is off: the operations that it will take until the erase unit that
 * it is at is done.  Units are installed from the last to the first. */
static unsigned operations_of_unit(void)
{
    enum { LEAST = 2 };
    const struct rig_board *b = lab.r->board;
    uint8_t erased = chip_flash_erased(lab.r->chip);
    struct record rec = record_last(lab.r);
    struct rig_span unit = rig_page(b, b->slot + lab.bytes - 1);
    uint32_t mark = 4 / b->least;
    uint32_t vectors =
        rig_flash_blank(lab.r, b->slot, 8) ? 0 : erase_ops(b->slot);

    if (rec.state != RECORD_PENDING)
        return LEAST;
    record_image(lab.r, &rec, made, lab.bytes);
    for (; unit.start > b->slot; unit = rig_page(b, unit.start - 1)) {
        const uint8_t *is = rig_flash(lab.r, unit.start);
        uint32_t at = unit.start - b->slot, differ = 0, filled = 0, erase = 0;

        for (uint32_t i = 0; i < unit.size && at + i < lab.bytes;
             i += b->unit) {
            uint32_t d = 0, f = 0, e = 0;

            for (uint32_t k = i; k < i + b->unit; k++) {
                f |= made[at + k] != erased;
                d |= is[k] != made[at + k];
                e |= b->whole_pages ? is[k] != erased
                                    : (made[at + k] & ~is[k]) != 0;
            }
            differ += d;
            filled += f;
            erase |= d && e;
        }
        if (differ)
            return mark + vectors +
                   (erase ? erase_ops(unit.start) + filled : differ);
    }
    return LEAST;
}

/* The chip is off: a state to be judged.  Returns the operations of its
 * recovery. */
static unsigned long judge(void)
{
    struct entry *e = look_up(&lab.states, flash_hash());
    struct chip_snapshot *off;
    uint64_t key;

    if (e->key)
        return e->n;
    e->key = flash_hash();
    key = e->key;
    lab.n.states++;
    check_outside();
    check_record();
    off = chip_save(lab.r->chip);
    chip_power(lab.r->chip, true);
    chip_cut_at(lab.r->chip, operations_of_unit(), CUT_BEFORE, 1);
    if (runs()) {
        uint64_t ops = chip_flash_ops(lab.r->chip);

        chip_cut_never(lab.r->chip);
        check_application();
        check_outside();
        check_record();
        chip_restore(lab.r->chip, off);
        find(&lab.states, key)->n =
            (unsigned long)(ops - chip_flash_ops(lab.r->chip));
    } else {
        struct entry *way;
        uint64_t way_key = way_hash();

        if (!chip_was_cut(lab.r->chip))
            bad("no application runs");
        chip_cut_never(lab.r->chip);
        way = look_up(&lab.ways, way_key);
        if (!way->key) {
            way->key = way_key;
            chip_restore(lab.r->chip, off);
            find(&lab.ways, way_key)->n = recover();
        }
        find(&lab.states, key)->n = find(&lab.ways, way_key)->n;
    }
    chip_restore(lab.r->chip, off);
    chip_snapshot_free(off);
    return find(&lab.states, key)->n;
}

/* ---- cuts ---- */

static const char *const mode_name[] = {"before", "torn", "after"};

/* At operation i from here on; false: it did not come. */
static bool cut(const struct chip_snapshot *from, unsigned i,
                enum cut_mode mode, uint32_t seed)
{
    size_t n = lab.depth ? strlen(lab.where) : 0;

    snprintf(lab.where + n, sizeof(lab.where) - n,
             "%soperation %llu, %s, seed %u", n ? "; then " : "",
             (unsigned long long)lab.op + i, mode_name[mode], (unsigned)seed);
    chip_restore(lab.r->chip, from);
    chip_cut_at(lab.r->chip, i, mode, seed);
    host_wait(lab.r->host, 3 * SIM_S);
    chip_cut_never(lab.r->chip);
    return chip_was_cut(lab.r->chip);
}

static uint32_t torn_seed(unsigned i, unsigned pattern)
{
    return lab.seed * 2654435761u ^ ((uint32_t)(lab.op + i) * 64 + pattern + 1);
}

typedef void after_fn(unsigned long ops);

/* All cuts of one operation; `then` may do more with each chip that is off. */
static void cut_operation(const struct chip_snapshot *from, unsigned i,
                          after_fn *then)
{
    char where[sizeof(lab.where)];
    unsigned patterns = 1;

    memcpy(where, lab.where, sizeof(where));
    for (unsigned k = 0; k < 2 + patterns; k++) {
        enum cut_mode mode = k == 0   ? CUT_BEFORE
                             : k == 1 ? CUT_AFTER
                                      : CUT_TORN;
        uint64_t erases = chip_flash_erases(lab.r->chip);

        memcpy(lab.where, where, sizeof(where));
        if (!cut(from, i, mode, torn_seed(i, k)))
            bad("the operation did not come");
        if (k == 1 && chip_flash_erases(lab.r->chip) != erases)
            patterns = TORN_ERASES;
        then(judge());
        if (lab.depth)
            lab.n.second++;
        else if (mode == CUT_TORN)
            lab.n.torn++;
        else
            ++*(mode == CUT_BEFORE ? &lab.n.before : &lab.n.after);
    }
    memcpy(lab.where, where, sizeof(where));
}

typedef void visit_fn(const struct chip_snapshot *from, unsigned n);

/* Until the chip has done nothing to its flash for so many steps, or the
 * application runs. */
static void visit_all_of_it(visit_fn *visit, unsigned limit)
{
    struct chip *c = lab.r->chip;

    for (unsigned quiet = 0; quiet < limit && !chip_was_cut(c);) {
        struct chip_snapshot *from = chip_save(c);
        uint64_t ops = chip_flash_ops(c), work = chip_instructions(c);

        host_wait(lab.r->host, STEP);
        ops = chip_flash_ops(c) - ops;
        quiet++;
        if (ops || chip_instructions(c) - work < 1000)
            quiet = 0;
        if (ops) {
            struct chip_snapshot *end = chip_save(c);

            visit(from, (unsigned)ops);
            lab.op += ops;
            chip_restore(c, end);
            chip_snapshot_free(end);
        }
        chip_snapshot_free(from);
        if (rig_in_app(lab.r))
            break;
    }
}

/* ---- pairs ---- */

static void nothing_more(unsigned long ops)
{
    (void)ops;
}

/* Without DEEP a part of them. */
static bool second_in_sample(uint64_t op)
{
    enum { EVERY = 11 };

    return deep() || op % EVERY == lab.seed % EVERY;
}

static void visit_second(const struct chip_snapshot *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (second_in_sample(lab.op + i))
            cut_operation(from, i, nothing_more);
}

/* The chip is off after a first cut and takes so many operations to recover:
 * each of them is cut.  The first ones are this chip's own; from there on the
 * way is one that was walked, or is walked now. */
static struct set walked;

static void cut_again(unsigned long ops)
{
    unsigned own = operations_of_unit();
    struct chip_snapshot *off;
    uint64_t op = lab.op;
    struct entry *way;
    uint64_t key;

    lab.n.pairs += 3 * ops;
    if (!ops)
        return;
    off = chip_save(lab.r->chip);
    chip_power(lab.r->chip, true);
    {
        struct chip_snapshot *on = chip_save(lab.r->chip);

        lab.depth = 1;
        lab.op = 0;
        for (unsigned i = 0; i < own && i < ops; i++)
            if (i < 2 || second_in_sample(i))
                cut_operation(on, i, nothing_more);
        if (ops > own) {
            cut(on, own, CUT_BEFORE, 1);
            key = way_hash();
            way = look_up(&walked, key);
            if (!way->key) {
                way->key = key;
                chip_restore(lab.r->chip, on);
                visit_all_of_it(visit_second, ALL_QUIET);
            }
        }
        chip_snapshot_free(on);
    }
    lab.depth = 0;
    lab.op = op;
    chip_restore(lab.r->chip, off);
    chip_snapshot_free(off);
}

/* ---- the update ---- */

/* By the number of the operation; steps of few operations, which are records,
 * are taken as a whole.  Where rows are programmed each step has one operation,
 * and all of the image some hundred. */
enum { FEW = 4, ROW = 64, ROWS_EVERY = 3 };

static bool in_sample(uint64_t op, unsigned n, unsigned every)
{
    return deep() || n <= FEW || op % every == lab.seed % every;
}

static void visit_first(const struct chip_snapshot *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t op = lab.op + i;
        bool pairs =
            lab.s->pairs && in_sample(op / lab.s->every, FEW + 1, lab.s->pairs);

        if (lab.r->board->unit < ROW ? in_sample(op, n, lab.s->every)
                                     : in_sample(op, FEW + 1, ROWS_EVERY))
            cut_operation(from, i, pairs ? cut_again : nothing_more);
    }
}

/* Erases before operation i. */
static uint64_t erases_before(const struct chip_snapshot *from, unsigned i)
{
    cut(from, i, CUT_BEFORE, 1);
    return chip_flash_erases(lab.r->chip);
}

/* Of a full slot: between two pages.  Where a page is erased that is an erase,
 * else one in so many words as a page has. */
static void visit_ends(const struct chip_snapshot *from, unsigned n)
{
    static unsigned pages;
    unsigned lo = 0, hi = n - 1;
    uint64_t erases = erases_before(from, 0);

    if (!lab.r->board->whole_pages) {
        hi = (unsigned)(lab.op % (SPARSE / lab.r->board->unit));
        if (hi >= n)
            return;
    } else {
        while (lo < hi) {
            unsigned i = lo + (hi - lo + 1) / 2;

            if (erases_before(from, i) == erases)
                lo = i;
            else
                hi = i - 1;
        }
    }
    if (deep() || pages++ % lab.s->every == lab.seed % lab.s->every)
        cut_operation(from, hi, nothing_more);
}

static bool idle_in(unsigned state)
{
    struct rig_status s = rig_getstatus(lab.r);

    return s.result == 6 && s.status == 0 && s.state == state;
}

static bool request(uint16_t block, const void *data, size_t n, visit_fn *visit)
{
    if (rig_dnload(lab.r, block, data, n) < 0 || !idle_in(DFU_DNBUSY))
        return false;
    do
        visit_all_of_it(visit, BLOCK_QUIET);
    while (rig_getstate(lab.r) == DFU_DNBUSY);
    return idle_in(DFU_DNLOAD_IDLE);
}

static bool update(visit_fn *visit)
{
    const struct rig_board *b = lab.r->board;
    uint64_t ops = chip_flash_ops(lab.r->chip);

    for (uint32_t at = b->slot; at < b->slot + lab.bytes;
         at = rig_sector(b, at).start + rig_sector(b, at).size)
        if (!rig_ok(rig_erase(lab.r, at)))
            return false;
    for (uint32_t at = 0; at < lab.bytes; at += b->block)
        if (!rig_ok(rig_set_address(lab.r, b->slot + at)) ||
            !request(2, new_image + at, b->block, visit))
            return false;
    if (rig_abort(lab.r) < 0)
        return false;
    visit_all_of_it(visit, ALL_QUIET);
    if (!rig_ok(rig_set_address(lab.r, b->slot)) ||
        rig_leave(lab.r).state != DFU_MANIFEST)
        return false;
    visit_all_of_it(visit, ALL_QUIET);
    lab.n.ops = (unsigned long)(chip_flash_ops(lab.r->chip) - ops);
    /* The record of a full slot may be written while the host asks. */
    return runs() && slot_is(new_image) && (lab.s->full || lab.n.ops == lab.op);
}

/* ---- what was before ---- */

static void make_image(uint8_t *image, uint32_t seed, bool stamped)
{
    const struct rig_board *b = lab.r->board;

    rig_image(b, image, lab.bytes, seed);
    for (uint32_t at = 0; at < lab.bytes && !lab.s->dense; at += b->block)
        memset(image + at + SPARSE, chip_flash_erased(lab.r->chip),
               b->block - SPARSE);
    if (stamped)
        rig_stamp(b, image, lab.bytes);
}

static bool install(const uint8_t *image, bool leave)
{
    struct rig_update u = {.addr = lab.r->board->slot,
                           .data = image,
                           .n = lab.bytes,
                           .leave = leave};

    if (rig_open(lab.r) < 0 || rig_update(lab.r, &u))
        return false;
    if (!leave)
        rig_settle(lab.r);
    return !leave || runs();
}

static bool prepare(void)
{
    struct rig *r = lab.r;
    unsigned rooms = (r->board->kv - r->board->record) / RECORD_ROOM;

    make_image(old_image, 1, true);
    make_image(waiting, 2, true);
    make_image(new_image, 3, lab.s->stamped);
    if (lab.s->before == BY_PROGRAMMER)
        rig_flash_put(r, r->board->slot, old_image, lab.bytes);
    else if (rig_power_cycle(r) < 0 || !install(old_image, true))
        return false;
    if (rig_reset_with_key(r) < 0)
        return false;
    if (lab.s->before == WITH_PENDING && !install(waiting, false))
        return false;
    for (unsigned i = 0; lab.s->before == RECORDS_FULL && i + 1 < rooms; i++) {
        memset(rig_flash(r, r->board->record + (i + 1) * RECORD_ROOM), 0, 64);
        chip_flash_changed(r->chip);
    }
    if (lab.s->before != WITH_PENDING)
        memcpy(waiting, old_image, lab.bytes);
    if (rig_reset_with_key(r) < 0 || rig_open(r) < 0)
        return false;
    memcpy(lab.outside, rig_flash(r, r->board->flash),
           r->board->flash_end - r->board->flash);
    return true;
}

static struct chip_snapshot *fresh;

static void cut_everywhere(void **state)
{
    clock_t start = clock();

    memset(&lab.n, 0, sizeof(lab.n));
    lab.s = *state;
    lab.op = 0;
    lab.bytes = lab.s->full ? lab.r->board->slot_end - lab.r->board->slot
                            : PAGES * lab.r->board->block;
    chip_restore(lab.r->chip, fresh);
    assert_true(prepare());
    assert_true(update(lab.s->full ? visit_ends : visit_first));
    printf("cuts %s staged %s: %lu operations; points %lu before, %lu torn, "
           "%lu after; %lu different flash contents; starts of the old "
           "application %lu, of the new one %lu; pairs covered %lu, by %lu "
           "second cuts on %lu ways; most attempts %lu; failures %lu; seed %u; "
           "%.1f s\n",
           lab.r->board->name, lab.s->name, lab.n.ops, lab.n.before, lab.n.torn,
           lab.n.after, lab.n.states, lab.n.old_apps, lab.n.new_apps,
           lab.n.pairs, lab.n.second, (unsigned long)walked.n, lab.n.most,
           lab.n.bad, (unsigned)lab.seed,
           (double)(clock() - start) / CLOCKS_PER_SEC);
    assert_int_equal(lab.n.bad, 0);
    assert_int_equal(lab.n.before, lab.n.after);
    assert_true(lab.n.torn >= lab.n.before);
    assert_true(lab.s->full || lab.n.before >= lab.n.ops / lab.s->every);
    free(lab.states.slot);
    free(lab.ways.slot);
    free(walked.slot);
    lab.states = lab.ways = walked = (struct set){0};
}

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (!strcmp(name, argv[i]))
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    const char *board = argc > 1 ? argv[1] : "stm32f103ze";
    const char *seed = getenv("SALLYPORT_TEST_SEED");
    struct CMUnitTest tests[8];
    size_t n = 0;
    int failed;

    lab.seed = seed ? (uint32_t)strtoul(seed, NULL, 0) : 1;
    lab.r = rig_new(board, rig_firmware(board, "sallyport-staged.elf"));
    if (!lab.r)
        return 1;
    lab.outside = malloc(lab.r->board->flash_end - lab.r->board->flash);
    for (uint32_t a = lab.r->board->kv; a < lab.r->board->flash_end; a++)
        *rig_flash(lab.r, a) = (uint8_t)(a * 7 ^ a >> 8);
    chip_flash_changed(lab.r->chip);
    if (!lab.outside || rig_power_on(lab.r) < 0 ||
        !clock_find(&lab.clock, lab.r))
        return 1;
    fresh = chip_save(lab.r->chip);
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (wanted(scenarios[i].name, argc, argv))
            tests[n++] =
                (struct CMUnitTest){.name = scenarios[i].name,
                                    .test_func = cut_everywhere,
                                    .initial_state = (void *)&scenarios[i]};
    failed =
        n ? _cmocka_run_group_tests("staged cuts", tests, n, NULL, NULL) : 1;
    chip_snapshot_free(fresh);
    free(lab.outside);
    rig_free(lab.r);
    return failed;
}
