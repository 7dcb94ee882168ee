#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sizes - flash, RAM and stack of every bootloader that was built.

Prints a table and writes build/sizes.json, a list of
{board, profile, flash, ram, stack, budget} in bytes:

  flash   from the first to behind the last byte that lies in flash
  ram     static data (.data and .bss), and code that runs from RAM
  stack   worst case, see stack_depth.py
  budget  what the profile may take of flash (__rom_budget, linker script)

Exit status 1 where a budget is exceeded, a budget or a bound of the stack is
missing, or static data and stack do not fit the RAM.

usage: sizes.py [BUILD_DIRECTORY]
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import stack_depth  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ("board", "profile", "flash", "budget", "left", "ram", "stack")


def measure(path):
    """The entry of one ELF, and the bytes of RAM it may use (or None)."""
    elf = stack_depth.Elf(path)
    linked = path.parent / "linked" / path.name  # not packed yet
    places = [(elf.load_address(address), size)
              for address, size, data, _ in elf.allocated() if data]
    flash = max(a + n for a, n in places) - min(a for a, _ in places)
    data = [(address, size) for address, size, bytes_, writable
            in elf.allocated() if writable or bytes_ is None]
    top = elf.symbol("_stack_top")
    room = top - min(address for address, _ in data) if top and data else None
    return {
        "board": path.parent.name,
        "profile": path.stem[len("sallyport-"):],
        "flash": flash,
        "ram": sum(size for _, size in data),
        "stack": stack_depth.worst(linked if linked.exists() else path)[0],
        "budget": elf.symbol("__rom_budget"),
    }, room


def complaints(entry, room):
    name = "%s, profile %s" % (entry["board"], entry["profile"])
    used = entry["ram"] + entry["stack"]
    if entry["budget"] is None:
        yield "%s: the linker script defines no __rom_budget" % name
    elif entry["flash"] > entry["budget"]:
        yield "%s: %d bytes over the flash budget" % (
            name, entry["flash"] - entry["budget"])
    if room is not None and used > room:
        yield "%s: static data and stack take %d bytes of %d" % (
            name, used, room)


def print_table(entries):
    rows = [COLUMNS]
    for entry in entries:
        left = None if entry["budget"] is None else \
            entry["budget"] - entry["flash"]
        values = dict(entry, left=left)
        rows.append(tuple("-" if values[c] is None else str(values[c])
                          for c in COLUMNS))
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        cells = [cell.ljust(width) if i < 2 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells))


def main():
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    entries, errors = [], []
    for path in sorted(build.glob("firmware/*/sallyport-*.elf")):
        try:
            entry, room = measure(path)
        except (stack_depth.StackError, OSError) as error:
            errors.append("%s: %s" % (path, error))
            continue
        entries.append(entry)
        errors += complaints(entry, room)
    if not entries and not errors:
        errors.append("no bootloader in %s/firmware, build first" % build)
    if entries:
        print_table(entries)
        (build / "sizes.json").write_text(json.dumps(entries, indent=2) + "\n")
    for error in errors:
        print("sizes: %s" % error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
