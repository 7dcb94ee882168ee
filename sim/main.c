/* SPDX-License-Identifier: MIT */
/*
 * main.c - sallyport-chip: a simulated microcontroller for real USB hosts.
 * options.c says what it can be told, session.c runs it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "load.h"
#include "model.h"
#include "session.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_GUEST = 3 };

static bool fail(const char *text)
{
    fprintf(stderr, "sallyport-chip: %s\n", text);
    return false;
}

static void print_pin(const struct board_named_pin *p)
{
    printf(", %s P%c%u (active %s)", p->name, p->at.port, p->at.pin,
           p->active_low ? "low" : "high");
}

static void print_board(const struct options *o)
{
    if (!o->board || o->board == &o->own) {
        printf("chip %s: crystal %u Hz\n", o->model->name,
               o->board ? o->board->hse_hz : o->model->hse_hz);
        return;
    }
    printf("board %s: %s, crystal %u Hz", o->board->name, o->model->name,
           o->board->hse_hz);
    for (unsigned i = 0; i < BOARD_PINS; i++)
        if (o->board->pins[i].at.port)
            print_pin(&o->board->pins[i]);
    printf("\n");
}

static bool load_all(struct session *s)
{
    char error[LOAD_ERROR_MAX];

    for (unsigned i = 0; i < s->o->n_flash; i++)
        if (chip_load_spec(s->chip, s->o->flash[i], error))
            return fail(error);
    chip_flash_changed(s->chip);
    return true;
}

static bool open_pcap(struct session *s)
{
    char text[LOG_TEXT];

    s->pcap = pcap_open(s->o->pcap);
    if (s->pcap) {
        pcap_attach(s->pcap, s->host);
        return true;
    }
    snprintf(text, sizeof(text), "--pcap %.100s: %s; choose another file",
             s->o->pcap, strerror(errno));
    return fail(text);
}

static bool open_usbredir(struct session *s)
{
    char error[FRONT_ERROR_MAX], text[FRONT_ERROR_MAX + 16];

    s->redir = usbredir_new(&s->front, s->o->usbredir, error);
    if (!s->redir) {
        snprintf(text, sizeof(text), "--usbredir %s", error);
        return fail(text);
    }
    printf("listening usbredir %s\n", usbredir_address(s->redir));
    return true;
}

static bool open_usbip(struct session *s)
{
    char error[FRONT_ERROR_MAX], text[FRONT_ERROR_MAX + 16];

    s->usbip = usbip_new(&s->front, s->o->usbip, error);
    if (!s->usbip) {
        snprintf(text, sizeof(text), "--usbip %s", error);
        return fail(text);
    }
    printf("listening usbip %s busid " USBIP_BUSID "\n",
           usbip_address(s->usbip));
    return true;
}

/* A host exists only where somebody listens to it. */
static bool open_host(struct session *s)
{
    const struct options *o = s->o;

    if (!o->usbredir && !o->usbip)
        return !o->pcap || fail("--pcap: there is no USB traffic without "
                                "--usbredir or --usbip");
    s->host = host_new(s->chip, &host_timing_fast);
    if (!s->host)
        return fail("--usbredir, --usbip: this chip has no USB block");
    front_open(&s->front, s->host, log_line, &s->log);
    if (o->pcap && !open_pcap(s))
        return false;
    return (!o->usbredir || open_usbredir(s)) && (!o->usbip || open_usbip(s));
}

static bool check_save(const char *path)
{
    FILE *f = path ? fopen(path, "ab") : NULL;
    char text[LOG_TEXT];

    if (f || !path) {
        if (f)
            fclose(f);
        return true;
    }
    snprintf(text, sizeof(text), "--save %.100s: %s; choose another file", path,
             strerror(errno));
    return fail(text);
}

/* Signals arrive through a descriptor, so that they end a wait and nothing
 * else. */
static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A background job must not touch the terminal. */
static bool may_read_input(void)
{
    return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

static void start(struct session *s)
{
    const struct options *o = s->o;

    for (unsigned i = 0; i < o->n_pins; i++)
        chip_pin_drive(s->chip, o->pins[i].port, o->pins[i].pin,
                       o->pins[i].level);
    if (o->cut.set)
        chip_cut_at(s->chip, o->cut.op, o->cut.mode, (uint32_t)o->cut.op);
    s->powered = true;
    chip_power(s->chip, true);
}

static int finish(struct session *s)
{
    bool ok = !s->o->save || session_save(s, s->o->save);

    log_end(&s->log);
    if (chip_guest_errors(s->chip))
        return EXIT_GUEST;
    return ok ? EXIT_OK : EXIT_FAILED;
}

static void close_all(struct session *s)
{
    usbredir_free(s->redir);
    usbip_free(s->usbip);
    front_close(&s->front);
    host_free(s->host);
    if (s->pcap && !pcap_close(s->pcap))
        fail("--pcap: the file is not complete");
    chip_free(s->chip);
    close(s->signals);
}

static int run(struct session *s)
{
    int status = EXIT_USAGE;

    if (load_all(s) && check_save(s->o->save) && open_host(s)) {
        start(s);
        session_run(s);
        status = finish(s);
    }
    close_all(s);
    return status;
}

static int run_options(const struct options *o)
{
    struct session s = {.o = o,
                        .pace.fast = o->fast,
                        .log.verbose = o->verbose,
                        .power_back = SIM_NEVER};

    print_board(o);
    s.chip = chip_new(o->model, o->board, log_event, &s.log);
    if (!s.chip) {
        fail("no CPU engine (libunicorn), or out of memory");
        return EXIT_FAILED;
    }
    s.log.chip = s.chip;
    s.signals = open_signals();
    s.input = may_read_input();
    return run(&s);
}

int main(int argc, char **argv)
{
    char error[OPTIONS_ERROR_MAX];
    struct options o;

    setvbuf(stdout, NULL, _IOLBF, 0);
    switch (options_parse(&o, argc, argv, error)) {
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return EXIT_OK;
    case OPTIONS_VERSION:
        puts("sallyport-chip " SALLYPORT_VERSION);
        return EXIT_OK;
    case OPTIONS_ERROR:
        fail(error);
        return EXIT_USAGE;
    default:
        return run_options(&o);
    }
}
