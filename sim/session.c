/* SPDX-License-Identifier: MIT */
/* session.c - see session.h. */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CUT_DARK (100 * SIM_MS) /* without power after --cut */

static sim_time earlier(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

/* ---- flash contents ---- */

static bool write_flash(struct session *s, FILE *f)
{
    size_t n = chip_flash_size(s->chip);

    return fwrite(chip_flash(s->chip), 1, n, f) == n;
}

bool session_save(struct session *s, const char *path)
{
    FILE *f = fopen(path, "wb");
    bool ok = f && write_flash(s, f);
    char text[LOG_TEXT];

    ok = f && !fclose(f) && ok;
    if (!ok) {
        snprintf(text, sizeof(text), "%.120s: cannot be written: %s", path,
                 strerror(errno));
        log_line(&s->log, text);
    }
    return ok;
}

/* ---- power ---- */

void session_power(struct session *s, bool on)
{
    s->power_back = SIM_NEVER;
    if (s->powered == on)
        return;
    s->powered = on;
    log_line(&s->log, on ? "power: on" : "power: off");
    chip_power(s->chip, on);
}

static void after_cut(struct session *s)
{
    if (!chip_was_cut(s->chip) || !s->powered)
        return;
    s->powered = false;
    log_line(&s->log, "power: off, cut in a flash operation");
    s->power_back = chip_now(s->chip) + CUT_DARK;
}

static void power_returns(struct session *s)
{
    if (chip_now(s->chip) < s->power_back)
        return;
    session_power(s, true);
}

/* ---- waiting ---- */

static void wait_for_something(struct session *s, uint64_t ns)
{
    struct pollfd fds[2 + USBREDIR_FDS + USBIP_FDS];
    struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    unsigned n = 0, redir, usbip;

    fds[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    fds[n++] =
        (struct pollfd){.fd = s->input ? STDIN_FILENO : -1, .events = POLLIN};
    redir = n;
    if (s->redir)
        n += usbredir_poll(s->redir, fds + n);
    usbip = n;
    if (s->usbip)
        n += usbip_poll(s->usbip, fds + n);
    if (ppoll(fds, n, &t, NULL) < 0)
        return;
    if (s->redir)
        usbredir_polled(s->redir, fds + redir);
    if (s->usbip)
        usbip_polled(s->usbip, fds + usbip);
    if (fds[0].revents)
        s->quit = true;
    if (fds[1].revents)
        session_input(s);
}

static enum pace_work work(const struct session *s)
{
    if (!s->host)
        return PACE_ALONE;
    return front_busy(&s->front) ? PACE_URGENT : PACE_IDLE;
}

static void io(struct session *s)
{
    if (s->redir)
        usbredir_io(s->redir);
    if (s->usbip)
        usbip_io(s->usbip);
}

static void step(struct session *s)
{
    struct pace_step p;

    io(s);
    p = pace_next(&s->pace, chip_now(s->chip), work(s));
    chip_run(s->chip, earlier(earlier(p.until, s->o->end), s->power_back));
    after_cut(s);
    power_returns(s);
    log_tick(&s->log);
    io(s);
    wait_for_something(s, p.wait_ns);
}

void session_run(struct session *s)
{
    while (!s->quit && chip_now(s->chip) < s->o->end)
        step(s);
}
