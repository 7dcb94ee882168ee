/* SPDX-License-Identifier: MIT */
/*
 * main.c - `make bench`: updates, start of the application and bwPollTimeout
 * of the real bootloader on the virtual chip, against what the silicon needs.
 *
 *   bench [--json FILE] [--brief] [BOARD...]
 *   bench --sequence FILE BOARD
 */
#include "bench.h"

#include <string.h>
#include <unistd.h>

#define PROFILE "dfu"

double bench_seconds(sim_time t)
{
    return (double)t / (double)SIM_S;
}

size_t bench_slot_size(const struct rig *r)
{
    return r->board->slot_end - r->board->slot;
}

static const char *firmware(const char *board)
{
    return rig_firmware(board, "sallyport-" PROFILE ".elf");
}

/* The stated host: frames of 1 ms and nominal bit times; a transfer begins
 * 100 us after the one before has ended, in the frame that is under way, as
 * on xHCI; a packet that was refused comes again 50 us later.  Beside it
 * stands what becomes of an update by a host that starts each control
 * transfer in a new frame (host_timing_pc). */
static const struct host_timing stated = {
    .nak_retry = 50 * SIM_US,
    .turnaround = 100 * SIM_US,
};

static bool set_timing(struct rig *r, const struct host_timing *timing)
{
    host_free(r->host);
    r->host = host_new(r->chip, timing);
    return r->host != NULL;
}

struct rig *bench_rig(const char *board)
{
    struct rig *r = rig_new(board, firmware(board));

    if (r && set_timing(r, &host_timing_pc) && !rig_power_on(r))
        return r;
    fprintf(stderr, "bench: %s: no bootloader that enumerates\n", board);
    if (r && r->host)
        rig_free(r);
    return NULL;
}

/* ---- output ---- */

struct output {
    FILE *json; /* NULL: none */
    unsigned entries;
};

static void json_entry(struct output *o, const char *board)
{
    if (o->json)
        fprintf(o->json, "%s\n  {\"board\": \"%s\"", o->entries++ ? "," : "[",
                board);
}

/* framed: each transfer in a new frame, NULL where that was not run. */
static void print_update(struct output *o, const char *board, const char *name,
                         bool stamped, const struct bench_update *u,
                         const struct bench_update *framed)
{
    double t = bench_seconds(u->time), limit = bench_seconds(u->limit);

    printf("  %-9s %-7s %8.3f %8.3f %7.3f ", name,
           stamped ? "stamped" : "plain", t, limit, t / limit);
    if (framed)
        printf("%8.3f %6.3f", bench_seconds(framed->time),
               bench_seconds(framed->time) / limit);
    else
        printf("%8s %6s", "", "");
    printf(" %8.3f %5u %6u %5u %6u\n", bench_seconds(u->to_app), u->erases,
           u->programs, u->work.erases, u->work.programs);
    json_entry(o, board);
    if (o->json)
        fprintf(o->json,
                ", \"profile\": \"%s\", \"door\": \"dfu\", \"case\": \"%s%s\", "
                "\"seconds\": %.4f, \"limit_seconds\": %.4f, "
                "\"ratio\": %.4f}",
                PROFILE, name, stamped ? "" : "-plain", t, limit, t / limit);
}

static void print_shares(const struct bench_update *u)
{
    static const char *const kinds[KINDS] = {
        "opening", "erase commands", "Set Address",
        "data",    "GETSTATUS",      "ABORT, leave",
    };

    printf("  where the %.3f s of the full update go:\n",
           bench_seconds(u->whole));
    printf("  %-16s %6s %9s %9s\n", "requests", "number", "moving", "sleeping");
    for (unsigned i = 0; i < KINDS; i++)
        printf("  %-16s %6u %9.3f %9.3f\n", kinds[i], u->share[i].count,
               bench_seconds(u->share[i].moving),
               bench_seconds(u->share[i].sleeping));
}

/* u[0] by the stated host; u[1] by the other one, stamped images only. */
static bool under_both(struct rig *r, const char *name, bool stamped,
                       struct bench_update u[2])
{
    u[1] = (struct bench_update){0};
    return set_timing(r, &stated) && bench_update(r, name, stamped, &u[0]) &&
           (!stamped || (set_timing(r, &host_timing_pc) &&
                         bench_update(r, name, stamped, &u[1])));
}

static bool updates(struct output *o, struct rig *r)
{
    static const struct {
        const char *name;
        bool stamped;
    } cases[] = {{"full", true},      {"full", false},
                 {"one-page", true},  {"one-page", false},
                 {"unchanged", true}, {"unchanged", false}};
    struct bench_update u[2], full = {0};
    double virtual = 0, cpu = 0;
    bool ok = true;

    printf("  %-17s %8s %8s %7s %15s %8s %12s %12s\n"
           "  %-17s %8s %8s %7s %8s %6s %8s %12s %12s\n",
           "update by", "", "silicon", "", "one a frame", "to appli",
           "erases and", "of these", "dfu-util", "seconds", "needs", "ratio",
           "seconds", "ratio", "cation", "programs", "needed");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!under_both(r, cases[i].name, cases[i].stamped, u)) {
            printf("  %-9s %-7s fails\n", cases[i].name,
                   cases[i].stamped ? "stamped" : "plain");
            ok = false;
            continue;
        }
        print_update(o, r->board->name, cases[i].name, cases[i].stamped, &u[0],
                     cases[i].stamped ? &u[1] : NULL);
        if (i == 0)
            full = u[0];
        for (unsigned k = 0; k < (cases[i].stamped ? 2u : 1u); k++) {
            virtual += bench_seconds(u[k].to_app);
            cpu += u[k].cpu;
        }
    }
    print_shares(&full);
    printf("  virtual time runs at %.1f times the simulator's CPU time\n",
           virtual / cpu);
    return ok;
}

/* More than this is not good enough.  The flash of F4 is so fast that the
 * cable shows. */
static double drive_limit(const struct rig *r)
{
    return r->board->whole_pages ? 1.10 : 1.15;
}

static bool drives(struct output *o, const struct rig *r)
{
    static const char *const cases[COPIES] = {"full-bin", "full-uf2",
                                              "one-page", "unchanged"};
    const char *board = r->board->name;
    bool ok = true;

    printf("  copied onto the drive, Linux, full slot, stamped, "
           "profile " BENCH_DRIVE "\n  %-9s %8s %8s %7s %8s %8s %8s %8s\n",
           "", "seconds", "needs", "ratio", "and quiet", "in WRITE", "number",
           "behind");
    for (unsigned i = 0; i < COPIES; i++) {
        struct bench_drive d;
        double t, limit;

        if (!bench_drive(board, i, &d)) {
            printf("  %-9s fails\n", cases[i]);
            ok = false;
            continue;
        }
        t = bench_seconds(d.time);
        limit = bench_seconds(d.limit);
        printf("  %-9s %8.3f %8.3f %7.3f %9.3f %8.3f %8u %8.3f\n", cases[i], t,
               limit, t / limit, bench_seconds(d.quiet),
               bench_seconds(d.writing), d.writes, bench_seconds(d.behind));
        json_entry(o, board);
        if (o->json)
            fprintf(o->json,
                    ", \"profile\": \"" BENCH_DRIVE "\", \"door\": \"drive\", "
                    "\"case\": \"%s\", \"seconds\": %.4f, "
                    "\"limit_seconds\": %.4f, \"ratio\": %.4f, "
                    "\"quiet_seconds\": %.4f}",
                    cases[i], t, limit, t / limit, bench_seconds(d.quiet));
        if (i <= COPY_UF2 && t / limit > drive_limit(r)) {
            printf("  %s takes more than %.2f times what is needed\n", cases[i],
                   drive_limit(r));
            ok = false;
        }
    }
    return ok;
}

static bool has_profile(const char *board, const char *profile)
{
    const struct rig_board *row = rig_board(board);

    while (row->name && strcmp(row->profile, profile))
        row++;
    return row->name;
}

/* By DFU to download, then to the application: the flash does it twice. */
static bool staged(struct output *o, const char *board)
{
    const double limit = 1.15;
    struct rig *r = rig_new(board, rig_firmware(board, "sallyport-staged.elf"));
    struct bench_update u;
    double ratio = 0;
    bool ok = r && set_timing(r, &stated) && !rig_power_on(r) &&
              bench_update(r, "full", true, &u);

    if (ok) {
        ratio = bench_seconds(u.time) / bench_seconds(u.limit);
        printf("  profile staged, full slot of %u KB, two erases and two "
               "programs: %.3f s of %.3f s, ratio %.3f; %.3f s to the "
               "application; %u erases, %u programs of %u and %u\n",
               (unsigned)(bench_slot_size(r) / 1024), bench_seconds(u.time),
               bench_seconds(u.limit), ratio, bench_seconds(u.to_app), u.erases,
               u.programs, u.work.erases, u.work.programs);
        json_entry(o, board);
        if (o->json)
            fprintf(o->json,
                    ", \"profile\": \"staged\", \"door\": \"dfu\", "
                    "\"case\": \"full\", \"seconds\": %.4f, "
                    "\"limit_seconds\": %.4f, \"ratio\": %.4f}",
                    bench_seconds(u.time), bench_seconds(u.limit), ratio);
    } else {
        printf("  profile staged fails\n");
    }
    if (ratio > limit)
        printf("  that is more than %.2f times what is needed\n", limit);
    rig_free(r);
    return ok && ratio <= limit;
}

static bool boots(struct output *o, struct rig *r)
{
    sim_time power = bench_boot(r, RESET_POWER);
    sim_time pin = bench_boot(r, RESET_PIN);

    if (power == SIM_NEVER || pin == SIM_NEVER) {
        fprintf(stderr, "bench: the application does not start\n");
        return false;
    }
    printf(
        "  reset to application: power-on %.0f us (and what the silicon's own "
        "power-on reset takes), pin %.0f us\n",
        bench_seconds(power) * 1e6, bench_seconds(pin) * 1e6);
    json_entry(o, r->board->name);
    if (o->json)
        fprintf(o->json, ", \"case\": \"boot\", \"seconds\": %.6f}",
                bench_seconds(power > pin ? power : pin));
    return true;
}

static bool speed(struct output *o, const char *board)
{
    struct bench_speed s;

    if (!bench_speed(board, &s))
        return false;
    printf("  the simulator while the chip computes: %.1f MIPS, %.2f times as "
           "fast as the chip\n",
           s.mips, s.ratio);
    json_entry(o, board);
    if (o->json)
        fprintf(o->json,
                ", \"case\": \"simulator\", \"mips\": %.1f, "
                "\"ratio\": %.2f}",
                s.mips, s.ratio);
    return true;
}

static bool bench_board(struct output *o, const char *board, bool brief)
{
    struct rig *r = bench_rig(board);
    bool ok;

    if (!r)
        return false;
    printf("%s, profile " PROFILE ", %u KB\n", board,
           (unsigned)(bench_slot_size(r) / 1024));
    ok = updates(o, r);
    ok &= drives(o, r);
    if (has_profile(board, "staged"))
        ok &= staged(o, board);
    else
        printf("  there is no profile staged\n");
    ok &= boots(o, r);
    ok &= speed(o, board);
    if (!brief)
        ok &= set_timing(r, &host_timing_fast) && bench_polls(r, stdout);
    rig_free(r);
    return ok;
}

/* ---- arguments ---- */

static bool sequence(const char *file, const char *board)
{
    struct rig *r = bench_rig(board);
    bool ok = r && bench_print_sequence(r, file);

    rig_free(r);
    return ok;
}

/* All that have firmware. */
static bool every_board(struct output *o, bool brief)
{
    bool ok = true;

    for (size_t i = 0; rig_boards[i]; i++)
        if (!access(firmware(rig_boards[i]->name), R_OK))
            ok &= bench_board(o, rig_boards[i]->name, brief);
    return ok;
}

static bool named_boards(struct output *o, char **names, bool brief)
{
    bool ok = true;

    for (; *names; names++) {
        if (rig_board(*names))
            ok &= bench_board(o, *names, brief);
        else
            ok = false, fprintf(stderr, "bench: no board %s\n", *names);
    }
    return ok;
}

int main(int argc, char **argv)
{
    struct output o = {0};
    bool brief = false, ok;

    if (argc == 4 && !strcmp(argv[1], "--sequence"))
        return sequence(argv[2], argv[3]) ? 0 : 1;
    argv++;
    if (argv[0] && argv[1] && !strcmp(argv[0], "--json")) {
        o.json = fopen(argv[1], "w");
        if (!o.json) {
            perror(argv[1]);
            return 2;
        }
        argv += 2;
    }
    if (argv[0] && !strcmp(argv[0], "--brief"))
        brief = true, argv++;
    ok = *argv ? named_boards(&o, argv, brief) : every_board(&o, brief);
    if (o.json)
        fprintf(o.json, "%s\n]\n", o.entries ? "" : "[");
    if (o.json && fclose(o.json)) {
        perror("bench");
        return 2;
    }
    return ok ? 0 : 1;
}
