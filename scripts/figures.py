#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
figures - writes docs/figures.md from what was measured: build/sizes.json
(`make sizes`) and build/bench.json (`make bench`).  Rows of boards that were
not measured this time stay as they are.

usage: figures.py            writes the file
       figures.py --check    exit status 1 where a budget in it is not that of
                             the build, or flash differs by a twentieth
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs/figures.md"
BUILD = ROOT / "build"
NEAR = 20  # flash may differ by this part of it

SIZES = "Sizes"
UPDATES = "Updates"
SPEED = "Start and simulator"
TABLES = {
    SIZES: ("board", "profile", "flash", "budget", "RAM", "stack"),
    UPDATES: ("board", "profile", "door", "case", "seconds", "silicon needs",
              "ratio"),
    SPEED: ("board", "reset to application", "simulator",
            "virtual to real time"),
}
KEYS = {SIZES: 2, UPDATES: 4, SPEED: 1}  # cells that name a row
CASES = ("full", "full-bin", "full-uf2", "one-page", "unchanged")

TEXT = """# Figures

Made by `scripts/figures.py` from `make sizes` and `make bench`; do not edit the
tables. `make bench BOARDS="bluepill stm32f072"` measures some of the boards;
all of them take about three minutes of one core.

## Sizes

Bytes, arm-none-eabi-gcc 12.2.1. Flash is from the first to behind the last byte;
RAM is static data, and code that runs from there (`both`, `drive`: what they do
not need otherwise they use as a window of sectors); stack is the worst case, by
`scripts/stack_depth.py`. `make test` holds budgets and, to a twentieth, flash in
this table against the build.

{Sizes}

## Updates

Virtual time, the same on any machine; [testing.md](testing.md#figures) says
what is measured and by which host. What the silicon needs is its erases and
programs by typical times of the data sheet, or the cable where that takes longer.
A short update is mostly the host's own requests and waits, so its ratio says
little and its seconds say more. Stamped images; `full-bin` and `full-uf2` are
files copied onto the drive, which waits 0.77 s more for the host to be quiet.

{Updates}

## Start and simulator

From reset to the first instruction of the application; and how fast one core of
the machine that wrote this table simulates a chip that computes all the time. A
chip that waits is simulated many times faster. Millions of instructions a second
and the ratio depend on the machine, which had other work on all its cores: left
alone it is faster. A dash: not measured.

{Start and simulator}

## Peers

What others need for what they do. Measured with the same compiler; flash is text
and data.

| what | flash | what it has, and what it leaves out |
|---|---|---|
| **`dfu`** | see above | DFU 1.1 and DfuSe, stamped images verified before they start, plain ones too, pages that do not change left alone, honest bwPollTimeout, read-only boot and settings areas, key, request, watchdog, half an image never starts |
| sboot_stm32, DFU 1.1, F103 | 3188 | no image check, no DfuSe, no driverless descriptors, blocks of 128 bytes |
| sboot_stm32, with CRC-32 and WCID | F103 3416, F072 3640, L072 4276, F107 3936, F405 4172 | the same with a check of the image at each start |
| davidgfnet, DfuSe, F103 | 3280, with upload 3340 | only the commands 0x21 and 0x41, 100 ms polls, range errors are ignored |
| davidgfnet with WinUSB, checksum, watchdog, F103 | 3580 | as above |
| libopencm3's example, dapboot, ST Cube (F407) | 6652, 7708, 16204 | DFU; half an image boots |
| **`drive`**, **`both`** | see above | .bin and .uf2 in any order of sectors that hosts write, result as a file, as `dfu`; `both`: the two at once |
| Telekatz, drive, .bin, F103 | 8448 | appends in the order of arrival, no check |
| mmoskal, drive, UF2, F103 | 11380 | starts after 500 ms of silence, complete or not |
| sfyip, drive, .hex, F103 | 15104 | |
| TinyUF2, drive, UF2, F4 | 16164 to 16604 | a part of an image may start |
| drive and DFU in one device on an STM32 | none known | |
| MicroPython mboot, signed, F405 | 18249 | DFU with signature, SD, I2C, gzip; 86 KB RAM |

Speed: libopencm3, davidgfnet and older Black Magic sleep 100 ms an operation (3.3
KB/s), ST Cube 50 ms, STM32duino 32 ms; sboot 20 ms with blocks of 128 bytes (6.4
KB/s at most); mboot and dapboot are as fast as the flash. The flash of the F103
itself takes 15 to 27 KB/s.
"""


def old_rows():
    """{table: {key: cells}} of the file as it is."""
    rows = {name: {} for name in TABLES}
    name = None
    for line in FILE.read_text().splitlines() if FILE.exists() else []:
        if line.startswith("## "):
            name = line[3:] if line[3:] in TABLES else None
        elif name and line.startswith("| ") and "---" not in line:
            cells = tuple(line.strip("| ").split(" | "))
            if cells != TABLES[name]:
                rows[name][cells[:KEYS[name]]] = cells
    return rows


def read(name):
    try:
        return json.loads((BUILD / name).read_text())
    except FileNotFoundError:
        return []


def sizes():
    return {(e["board"], e["profile"]): tuple(
        str(e[key]) for key in ("board", "profile", "flash", "budget", "ram",
                                "stack")) for e in read("sizes.json")}


def updates(entries):
    for e in entries:
        if e["case"] in CASES:
            yield (e["board"], e["profile"], e["door"], e["case"],
                   "%.3f" % e["seconds"], "%.3f" % e["limit_seconds"],
                   "%.3f" % e["ratio"])


def speeds(entries):
    found = {}
    for e in entries:
        cells = found.setdefault(e["board"], [e["board"], "-", "-", "-"])
        if e["case"] == "boot":
            cells[1] = "%.0f us" % (e["seconds"] * 1e6)
        elif e["case"] == "simulator":
            cells[2:] = ["%.0f MIPS" % e["mips"], "%.2f" % e["ratio"]]
    return [tuple(cells) for cells in found.values()]


def table(name, rows):
    order = {case: i for i, case in enumerate(CASES)}
    lines = ["| %s |" % " | ".join(TABLES[name]),
             "|%s" % ("---|" * len(TABLES[name]))]
    for key in sorted(rows, key=lambda k: tuple(
            "%d" % order.get(cell, 9) + cell if i == 3 else cell
            for i, cell in enumerate(k))):
        lines.append("| %s |" % " | ".join(rows[key]))
    return "\n".join(lines)


def write():
    rows = old_rows()
    bench = read("bench.json")
    fresh = {SIZES: sizes(),
             UPDATES: {c[:4]: c for c in updates(bench)},
             SPEED: {c[:1]: c for c in speeds(bench)}}
    for name in TABLES:
        boards = {key[0] for key in fresh[name]}
        rows[name] = {k: c for k, c in rows[name].items()
                      if k[0] not in boards}
        rows[name].update(fresh[name])
    text = TEXT
    for name in TABLES:
        text = text.replace("{%s}" % name, table(name, rows[name]))
    FILE.write_text(text)
    print("figures in %s" % FILE.relative_to(ROOT))


def check():
    built, wrong = sizes(), []
    for key, cells in old_rows()[SIZES].items():
        is_now = built.get(key)
        if not (BUILD / "firmware" / key[0]).exists():
            continue  # another board was chosen
        if is_now is None:
            wrong.append("%s, profile %s: not built" % key)
        elif any(not re.fullmatch(r"\d+", cell) for cell in cells[2:]):
            wrong.append("%s, profile %s: not a number" % key)
        elif cells[3] != is_now[3] or \
                abs(int(cells[2]) - int(is_now[2])) > int(is_now[2]) // NEAR:
            wrong.append("%s, profile %s: %s, it is %s" % (
                *key, " ".join(cells[2:]), " ".join(is_now[2:])))
    if not built:
        print("build/sizes.json is missing: scripts/sizes.py writes it")
    for line in wrong:
        print("docs/figures.md: " + line)
    if wrong:
        print("`make sizes` writes the table anew")
    return 1 if wrong or not built else 0


if __name__ == "__main__":
    sys.exit(check() if "--check" in sys.argv[1:] else write())
