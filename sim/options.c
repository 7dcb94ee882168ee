/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: sallyport-chip (--board NAME | --chip NAME) [options]\n"
    "\n"
    "Runs firmware on a simulated microcontroller, with real USB hosts.\n"
    "\n"
    "  --board NAME         a board: its chip, crystal, pins\n"
    "  --chip NAME          a bare chip, with a pull-up on D+\n"
    "  --crystal HZ         of a bare chip, where it is not the usual one\n"
    "  --watch PA8          tell of changes of this pin of a bare chip;\n"
    "                       repeatable\n"
    "  --flash FILE[@ADDR]  load .elf, .hex, or .bin with @ADDR; repeatable\n"
    "  --usbredir HOST:PORT wait for QEMU (-device usb-redir); port 0: any\n"
    "  --usbip HOST[:PORT]  wait for Linux (usbip attach -r HOST -b 1-1);\n"
    "                       port 3240 by default, 0: any\n"
    "  --pin PA0=0|1        drive a pin from outside; repeatable\n"
    "  --time wall|fast     wall: virtual time follows the clock (default);\n"
    "                       fast: as fast as it goes while a host waits\n"
    "  --seconds N          end after N virtual seconds\n"
    "  --save FILE          write the flash contents at the end, as .bin\n"
    "  --pcap FILE          write the USB traffic for Wireshark (usbmon)\n"
    "  --cut N[:MODE]       power fails at flash operation N (0: the next)\n"
    "                       for 100 ms; before, torn (default), after\n"
    "  -v, --verbose        every change of a pin\n"
    "  --help, --version\n"
    "\n"
    "commands on standard input, one a line:\n"
    "  pin PA0=0|1|z        drive or release a pin\n"
    "  reset                pulse NRST\n"
    "  power off|on         the supply\n"
    "  unplug, plug         the USB cable\n"
    "  cut N[:MODE]         as the option\n"
    "  save FILE            write the flash contents now\n"
    "  quit                 end\n"
    "\n"
    "exit status: 0 at the end of its time or on SIGTERM, 2 for bad\n"
    "arguments, 3 when the firmware broke a rule of the silicon.\n";

const char *options_help(void)
{
    return help;
}

bool parse_pin(const char *text, struct pin_level *p)
{
    char end, level;

    if (sscanf(text, "P%c%2u=%c%c", &p->port, &p->pin, &level, &end) != 3)
        return false;
    if (p->port < 'A' || p->port > 'I' || p->pin > 15 || !strchr("01z", level))
        return false;
    p->level = level == 'z' ? -1 : level - '0';
    return true;
}

bool parse_cut(const char *text, struct cut_option *cut)
{
    static const char *const names[] = {
        [CUT_BEFORE] = "before", [CUT_TORN] = "torn", [CUT_AFTER] = "after"};
    const char *mode = strchr(text, ':');
    char *end;

    cut->set = true;
    cut->mode = CUT_TORN;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    cut->op = strtoull(text, &end, 10);
    if (errno || *end != (mode ? ':' : 0))
        return false;
    for (int i = CUT_BEFORE; mode && i <= CUT_AFTER; i++)
        if (!strcmp(mode + 1, names[i])) {
            cut->mode = (enum cut_mode)i;
            return true;
        }
    return !mode;
}

/* ---- one option ---- */

static bool fail(char *error, const char *what, const char *value,
                 const char *advice)
{
    snprintf(error, OPTIONS_ERROR_MAX, "%s %.80s: %s", what, value, advice);
    return false;
}

static bool set_board(struct options *o, const char *v, char *error)
{
    char advice[200];

    snprintf(advice, sizeof(advice), "no such board; there are %s",
             sim_board_names());
    o->board = sim_board_find(v);
    if (!o->board)
        return fail(error, "--board", v, advice);
    o->model = sim_board_model(o->board);
    return true;
}

static bool set_chip(struct options *o, const char *v, char *error)
{
    char advice[200];

    snprintf(advice, sizeof(advice), "no such chip; there are %s",
             chip_model_names());
    o->model = chip_model_find(v);
    return o->model || fail(error, "--chip", v, advice);
}

static bool set_crystal(struct options *o, const char *v, char *error)
{
    char *end;
    unsigned long hz = strtoul(v, &end, 10);

    o->own.hse_hz = (uint32_t)hz;
    return (*v >= '0' && *v <= '9' && !*end && hz >= 1000000 &&
            hz <= 50000000) ||
           fail(error, "--crystal", v, "want 1000000 to 50000000, in Hz");
}

static bool add_watched(struct options *o, const char *v, char *error)
{
    struct pin_level p;
    char text[16];

    snprintf(text, sizeof(text), "%.8s=z", v);
    if (!parse_pin(text, &p))
        return fail(error, "--watch", v, "want a pin, as in PA8");
    for (unsigned i = 0; i < BOARD_PINS; i++)
        if (!o->own.pins[i].name) {
            o->own.pins[i].name = "pin";
            o->own.pins[i].at.port = p.port;
            o->own.pins[i].at.pin = (uint8_t)p.pin;
            return true;
        }
    return fail(error, "--watch", v, "too many pins");
}

static bool add_flash(struct options *o, const char *v, char *error)
{
    if (o->n_flash == OPTIONS_FLASH)
        return fail(error, "--flash", v, "too many files");
    o->flash[o->n_flash++] = v;
    return true;
}

static bool add_pin(struct options *o, const char *v, char *error)
{
    if (o->n_pins == OPTIONS_PINS)
        return fail(error, "--pin", v, "too many pins");
    return parse_pin(v, &o->pins[o->n_pins++]) ||
           fail(error, "--pin", v, "want a pin and a level, as in PA0=1");
}

static bool set_time(struct options *o, const char *v, char *error)
{
    o->fast = !strcmp(v, "fast");
    return o->fast || !strcmp(v, "wall") ||
           fail(error, "--time", v, "want wall or fast");
}

static bool set_seconds(struct options *o, const char *v, char *error)
{
    char *end;
    double s = strtod(v, &end);

    if (end == v || *end || !isfinite(s) || s < 0 || s > 1e6)
        return fail(error, "--seconds", v, "want a number from 0 to 1000000");
    o->end = (sim_time)(s * (double)SIM_S);
    return true;
}

static bool set_cut(struct options *o, const char *v, char *error)
{
    return parse_cut(v, &o->cut) ||
           fail(error, "--cut", v,
                "want a number and perhaps a mode, as in 12:before, 12:torn, "
                "12:after");
}

static bool set_usbredir(struct options *o, const char *v, char *error)
{
    o->usbredir = v;
    return strchr(v, ':') ||
           fail(error, "--usbredir", v, "want HOST:PORT, as in 127.0.0.1:0");
}

static bool take(struct options *o, int key, const char *v, char *error)
{
    switch (key) {
    case 'b':
        return set_board(o, v, error);
    case 'c':
        return set_chip(o, v, error);
    case 'x':
        return set_crystal(o, v, error);
    case 'w':
        return add_watched(o, v, error);
    case 'f':
        return add_flash(o, v, error);
    case 'r':
        return set_usbredir(o, v, error);
    case 'i':
        o->usbip = v;
        return true;
    case 'p':
        return add_pin(o, v, error);
    case 't':
        return set_time(o, v, error);
    case 's':
        return set_seconds(o, v, error);
    case 'S':
        o->save = v;
        return true;
    case 'P':
        o->pcap = v;
        return true;
    case 'C':
        return set_cut(o, v, error);
    default:
        o->verbose = true;
        return true;
    }
}

/* ---- all of them ---- */

static const struct option names[] = {
    {"board", required_argument, NULL, 'b'},
    {"chip", required_argument, NULL, 'c'},
    {"crystal", required_argument, NULL, 'x'},
    {"watch", required_argument, NULL, 'w'},
    {"flash", required_argument, NULL, 'f'},
    {"usbredir", required_argument, NULL, 'r'},
    {"usbip", required_argument, NULL, 'i'},
    {"pin", required_argument, NULL, 'p'},
    {"time", required_argument, NULL, 't'},
    {"seconds", required_argument, NULL, 's'},
    {"save", required_argument, NULL, 'S'},
    {"pcap", required_argument, NULL, 'P'},
    {"cut", required_argument, NULL, 'C'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static enum options_result check(struct options *o, bool chip_given,
                                 char *error)
{
    const char *text = NULL;

    if (!o->model)
        text = "which chip? give --board NAME or --chip NAME; --help has all "
               "options";
    else if (o->board && chip_given)
        text = "--board and --chip: give one of them, a board has its chip";
    else if (o->board && (o->own.hse_hz || o->own.pins[0].name))
        text = "--crystal, --watch: a board has its own; they are for --chip";
    if (!text && (o->own.hse_hz || o->own.pins[0].name)) {
        o->own.name = o->model->name;
        o->own.model = o->model;
        if (!o->own.hse_hz)
            o->own.hse_hz = o->model->hse_hz;
        o->own.pullup = PULLUP_FIXED;
        o->board = &o->own;
    }
    if (!text)
        return OPTIONS_RUN;
    snprintf(error, OPTIONS_ERROR_MAX, "%s", text);
    return OPTIONS_ERROR;
}

enum options_result options_parse(struct options *o, int argc, char **argv,
                                  char error[OPTIONS_ERROR_MAX])
{
    bool chip_given = false;
    int key;

    memset(o, 0, sizeof(*o));
    o->end = SIM_NEVER;
    opterr = 0;
    while ((key = getopt_long(argc, argv, ":v", names, NULL)) != -1) {
        if (key == 'h')
            return OPTIONS_HELP;
        if (key == 'V')
            return OPTIONS_VERSION;
        if (key == '?' || key == ':') {
            snprintf(error, OPTIONS_ERROR_MAX, "%.80s: %s", argv[optind - 1],
                     key == '?' ? "no such option; --help has all"
                                : "wants a value; --help has all options");
            return OPTIONS_ERROR;
        }
        chip_given |= key == 'c';
        if (!take(o, key, optarg, error))
            return OPTIONS_ERROR;
    }
    if (optind < argc) {
        snprintf(error, OPTIONS_ERROR_MAX,
                 "%.80s: not an option; firmware is given with --flash",
                 argv[optind]);
        return OPTIONS_ERROR;
    }
    return check(o, chip_given, error);
}
