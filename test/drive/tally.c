/* SPDX-License-Identifier: MIT
 *
 * What became of many trials.
 */
#include "tally.h"

#include <stdio.h>
#include <string.h>

enum {
    PRINTED = 20, /* trials in full of each sort, at most */
    FEW = 50,
};

static const char *const verdict_name[] = {"installed", "refused",
                                           "nothing happened", "WRONG"};

void tally_print_trial(enum host_kind kind, uint64_t seed,
                       const struct trial_result *r)
{
    printf("%s: --host %s --seed %llu (%s)\n    %s\n    host: %s; %llu ms, "
           "then %llu ms until the fresh mount\n",
           verdict_name[r->verdict], host_name(kind), (unsigned long long)seed,
           trial_group_name(r->group), r->what,
           r->host.text[0] ? r->host.text : "content",
           (unsigned long long)r->host.ms, (unsigned long long)r->ms);
    if (r->code)
        printf("    ERROR.txt: 0x%02X %s\n", r->code, r->sentence);
    if (r->text[0])
        printf("    %s\n", r->text);
}

/* Percent that have to be installed. */
static double least(const struct tally *t, enum host_kind kind,
                    enum trial_group group)
{
    if (t->all && trial_group_promised(group))
        return 100;
    if (group == TRIAL_UF2 || group == TRIAL_UF2_ODD)
        return 100;
    if (group != TRIAL_BIN || kind == HOST_FREEBSD || kind == HOST_RANDOM)
        return 0;
    return kind <= HOST_LINUX_RENAME ? 100 : 95;
}

void tally_add(struct tally *t, enum host_kind kind, uint64_t seed,
               const struct trial_result *r)
{
    struct tally_cell *c = &t->cell[kind][r->group];
    bool missed = r->promised && r->verdict != TRIAL_INSTALLED;

    t->trials++;
    c->trials++;
    c->installed += r->verdict == TRIAL_INSTALLED;
    c->refused += r->verdict == TRIAL_REFUSED;
    c->nothing += r->verdict == TRIAL_NOTHING;
    c->wrong += r->verdict == TRIAL_WRONG;
    c->complaints += r->complaint;
    t->wrong += r->verdict == TRIAL_WRONG;
    t->missed += missed;
    t->complained += r->complaint;
    if (r->ms > t->ms && r->verdict != TRIAL_NOTHING)
        t->ms = r->ms;
    if (r->code) {
        t->code[!r->promised][r->code % 16]++;
        memcpy(t->sentence[r->code % 16], r->sentence, sizeof r->sentence);
    }
    int sort = r->verdict == TRIAL_WRONG                   ? 0
               : missed && least(t, kind, r->group) == 100 ? 1
               : missed                                    ? 2
               : r->complaint                              ? 3
                                                           : -1;
    if (sort >= 0 && t->printed[sort]++ < PRINTED)
        tally_print_trial(kind, seed, r);
}

static double percent(uint32_t part, uint32_t all)
{
    return all ? 100.0 * part / all : 0;
}

void tally_print(const struct tally *t)
{
    struct tally_cell sum[TRIAL_GROUPS] = {0};

    printf("\ninstalled, %% of the trials (of two, none and broken, most are "
           "to be refused)\n%-16s",
           "");
    for (int g = 0; g < TRIAL_GROUPS; g++)
        printf("%10s", trial_group_name(g));
    printf("%8s%12s\n", "wrong", "complaints");
    for (int kind = 0; kind <= HOST_KINDS; kind++) {
        uint32_t wrong = 0, complaints = 0;

        printf("%-16s", kind < HOST_KINDS ? host_name(kind) : "all");
        for (int g = 0; g < TRIAL_GROUPS; g++) {
            const struct tally_cell *c =
                kind < HOST_KINDS ? &t->cell[kind][g] : &sum[g];
            if (c->trials)
                printf("%10.2f", percent(c->installed, c->trials));
            else
                printf("%10s", "-");
            wrong += c->wrong;
            complaints += c->complaints;
            if (kind < HOST_KINDS) {
                sum[g].trials += c->trials;
                sum[g].installed += c->installed;
                sum[g].wrong += c->wrong;
                sum[g].complaints += c->complaints;
            }
        }
        printf("%8u%12u\n", (unsigned)wrong, (unsigned)complaints);
    }
    printf("%-16s", "trials");
    for (int g = 0; g < TRIAL_GROUPS; g++)
        printf("%10u", (unsigned)sum[g].trials);
    printf("\n\nERROR.txt             right files    others\n");
    for (int i = 0; i < 16; i++) {
        if (t->code[0][i] || t->code[1][i])
            printf("%-26s %6u %9u\n", t->sentence[i], (unsigned)t->code[0][i],
                   (unsigned)t->code[1][i]);
    }
    printf("drive: %u trials, %u wrong, %u right files not installed, %u "
           "complaints "
           "of hosts; a fresh mount came %llu ms after the copy at most\n",
           (unsigned)t->trials, (unsigned)t->wrong, (unsigned)t->missed,
           (unsigned)t->complained, (unsigned long long)t->ms);
}

bool tally_good(const struct tally *t)
{
    bool good = t->wrong == 0;

    if (!good)
        printf("SHORT: %u wrong\n", (unsigned)t->wrong);
    for (int kind = 0; kind < HOST_KINDS; kind++) {
        for (int g = 0; g < TRIAL_GROUPS; g++) {
            const struct tally_cell *c = &t->cell[kind][g];
            double wanted = least(t, kind, g);
            /* A percentage of few says nothing. */
            if (c->trials == 0 || (wanted < 100 && c->trials < FEW) ||
                percent(c->installed, c->trials) >= wanted)
                continue;
            good = false;
            printf("SHORT: %s, %s: %u of %u installed, %.0f %% are wanted\n",
                   host_name(kind), trial_group_name(g), (unsigned)c->installed,
                   (unsigned)c->trials, wanted);
        }
    }
    return good;
}
