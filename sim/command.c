/* SPDX-License-Identifier: MIT */
/* command.c - the commands on standard input, for people and scripts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session.h"
#include "wire.h"

static void complain(struct session *s, const char *line, const char *why)
{
    char text[LOG_TEXT];

    snprintf(text, sizeof(text), "input: %.80s: %s", line, why);
    log_line(&s->log, text);
}

static bool do_pin(struct session *s, const char *arg)
{
    struct pin_level p;

    if (!parse_pin(arg, &p))
        return false;
    chip_pin_drive(s->chip, p.port, p.pin, p.level);
    return true;
}

static bool do_reset(struct session *s, const char *arg)
{
    chip_reset(s->chip, RESET_PIN);
    return !*arg;
}

static bool do_power(struct session *s, const char *arg)
{
    bool on = !strcmp(arg, "on");

    if (!on && strcmp(arg, "off"))
        return false;
    session_power(s, on);
    return true;
}

static bool plug(struct session *s, const char *arg, bool plugged)
{
    if (chip_wire(s->chip))
        wire_plug(chip_wire(s->chip), plugged);
    return !*arg;
}

static bool do_plug(struct session *s, const char *arg)
{
    return plug(s, arg, true);
}

static bool do_unplug(struct session *s, const char *arg)
{
    return plug(s, arg, false);
}

static bool do_cut(struct session *s, const char *arg)
{
    struct cut_option cut;

    if (!parse_cut(arg, &cut))
        return false;
    chip_cut_at(s->chip, cut.op, cut.mode, (uint32_t)cut.op);
    return true;
}

static bool do_save(struct session *s, const char *arg)
{
    char text[LOG_TEXT];

    if (!*arg)
        return false;
    if (session_save(s, arg)) {
        snprintf(text, sizeof(text), "saved %.150s", arg);
        log_line(&s->log, text);
    }
    return true;
}

static bool do_quit(struct session *s, const char *arg)
{
    s->quit = true;
    return !*arg;
}

static const struct {
    const char *name;
    bool (*run)(struct session *s, const char *arg);
    const char *form;
} commands[] = {
    {"pin", do_pin, "want pin PA0=0, PA0=1 or PA0=z"},
    {"reset", do_reset, "want reset"},
    {"power", do_power, "want power on or power off"},
    {"plug", do_plug, "want plug"},
    {"unplug", do_unplug, "want unplug"},
    {"cut", do_cut, "want cut N, N:before, N:torn or N:after"},
    {"save", do_save, "want save FILE"},
    {"quit", do_quit, "want quit"},
};

void session_command(struct session *s, char *line)
{
    size_t n = strcspn(line, " \t");
    char *arg = line + n + strspn(line + n, " \t");

    if (!*line)
        return;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strlen(commands[i].name) != n || memcmp(commands[i].name, line, n))
            continue;
        if (!commands[i].run(s, arg))
            complain(s, line, commands[i].form);
        return;
    }
    complain(s, line, "no such command; --help has them all");
}

/* One character of input. */
static void put(struct session *s, char ch)
{
    if (ch != '\n') {
        if (ch != '\r' && s->line_len < sizeof(s->line) - 1)
            s->line[s->line_len++] = ch;
        return;
    }
    s->line[s->line_len] = 0;
    s->line_len = 0;
    session_command(s, s->line);
}

void session_input(struct session *s)
{
    char buf[256];
    ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        s->input = false; /* the end of input is not the end of the run */
    for (ssize_t i = 0; i < n; i++)
        put(s, buf[i]);
}
