/* SPDX-License-Identifier: MIT */
/* progress.c - see progress.h. */
#include "progress.h"

#include <string.h>
#include <unistd.h>

#define BAR 30

static bool on_terminal(const struct target *t)
{
    return t->all->n == 1 && isatty(STDOUT_FILENO);
}

static void draw(struct target *t, enum update_phase phase, int percent,
                 uint64_t total)
{
    char bar[BAR + 1];

    memset(bar, ' ', BAR);
    memset(bar, '#', (size_t)(percent * BAR / 100));
    bar[BAR] = 0;
    printf("\r%-8s [%s] %3d %% of %llu KB", update_phase_name(phase), bar,
           percent, (unsigned long long)(total + 1023) / 1024);
    fflush(stdout);
    t->percent = percent;
}

void progress_end(struct target *t)
{
    if (t->percent >= 0)
        printf("\n");
    t->percent = -1;
}

void progress_show(void *ctx, enum update_phase phase, uint64_t done,
                   uint64_t total)
{
    struct target *t = ctx;
    int percent = total ? (int)(done * 100 / total) : 100;
    bool over = done >= total;

    if (on_terminal(t)) {
        if (t->phase != (int)phase)
            progress_end(t);
        if (t->phase != (int)phase || percent != t->percent)
            draw(t, phase, percent, total);
        t->phase = (int)phase;
        return;
    }
    if (over && total && t->phase != (int)phase) {
        target_say(t, "%-8s %llu bytes", update_phase_name(phase),
                   (unsigned long long)total);
        t->phase = (int)phase;
    }
}
