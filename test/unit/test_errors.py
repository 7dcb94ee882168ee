#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/errors.md has each error of core/err.h, with its code and sentences."""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def of_header(text):
    status = dict(re.findall(r"DFU_STATUS_(\w+) = (0x[0-9A-F]{2})", text))
    rows = re.findall(r'[XDB]\((ERR_\w+), (\w+),\s*"([^"]*)",\s*"([^"]*)"\)',
                      text)
    return {name: (status[of], says, chinese)
            for name, of, says, chinese in rows}


def of_page(text):
    rows = re.findall(r"^\| (ERR_\w+) \| (0x\w+) \| ([^|]*) \|.*\| ([^|]*) \|$",
                      text, re.M)
    names = [row[0] for row in rows]
    assert len(names) == len(set(names)), "an error stands twice"
    return {row[0]: row[1:] for row in rows}


def main():
    header = of_header((TOP / "core/err.h").read_text().replace("\\\n", "\n"))
    page = of_page((TOP / "docs/errors.md").read_text())
    assert len(header) >= 10, "core/err.h is not understood any more"
    wrong = [name for name in sorted(header.keys() | page.keys())
             if header.get(name) != page.get(name)]
    for name in wrong:
        print(f"{name}: core/err.h has {header.get(name)}, "
              f"docs/errors.md {page.get(name)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
