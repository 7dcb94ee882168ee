#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The memory layout string of every bootloader that was built, read by the
rules of four hosts, which have to see the same sectors: all of the flash
without a gap, of which the part to be written begins where the demo does.

usage: test_layouts.py build/firmware [unittest options]
"""
import re
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "e2e"))
sys.dont_write_bytecode = True
from bench import facts_of  # noqa: E402

FIRMWARE = TOP / "build" / "firmware"
UNITS = {"B": 1, " ": 1, "K": 1024, "M": 1 << 20}
LONGEST = 126  # characters of a string descriptor (USB 2.0 clause 9.6.7)


class Unreadable(Exception):
    """This host cannot do anything with the string."""


def runs(address, found):
    """[(address, size of a sector, type)] of [(number, size, unit, type)]."""
    sectors = []
    for number, size, unit, kind in found:
        for _ in range(int(number)):
            sectors.append((address, int(size) * UNITS[unit], kind))
            address += int(size) * UNITS[unit]
    return sectors


def by_the_book(text):
    """UM0424, "DFU mode device descriptor": two digits of a number, three of
    a size, a unit, a letter; STM32CubeProgrammer is ST's own reader."""
    if not re.fullmatch(r"@[^/]+/0x[0-9A-Fa-f]{1,8}/"
                        r"\d{1,2}\*\d{1,3}[ BKM][a-g]"
                        r"(,\d{1,2}\*\d{1,3}[ BKM][a-g])*", text):
        raise Unreadable(text)
    _, address, rest = text.split("/")
    return runs(int(address, 16), re.findall(r"(\d+)\*(\d+)([ BKM])([a-g])",
                                             rest))


def by_dfu_util(text):
    """dfu-util 0.11: scanf("%d*%d%c%[^,/]") a run; the type is one letter;
    an address is masked with the size of its sector."""
    head = re.match(r"@[^/]+/0x([0-9a-fA-F]+)/", text)
    if not head:
        raise Unreadable(text)
    found, at = [], head.end()
    while at < len(text):
        run = re.match(r"\s*([+-]?\d+)\*\s*([+-]?\d+)(.)([^,/]+),?", text[at:],
                       re.S)
        if not run or len(run.group(4)) != 1 or run.group(3) not in UNITS:
            raise Unreadable(text)
        found.append(run.groups())
        at += run.end()
    sectors = runs(int(head.group(1), 16), found)
    for _, size, _ in sectors:
        if size & (size - 1):
            raise Unreadable("%s: a sector of %d bytes" % (text, size))
    return sectors


def by_fwupd(text):
    """fwupd 2: split at the slashes, then at the commas; up to 999 of both
    numbers, then one character each for unit and type."""
    zones = text.split("/")
    if not text.startswith("@") or len(zones) != 3:  # one zone is understood
        raise Unreadable(text)
    found = []
    for run in zones[2].split(","):
        parts = re.match(r"(\d+)\*(\d+)(.)(.)", run)
        if not parts or max(int(n) for n in parts.groups()[:2]) > 999 \
                or parts.group(3) not in UNITS \
                or parts.group(4) not in "abcdefg":
            raise Unreadable(text)
        found.append(parts.groups())
    if not zones[1].startswith("0x"):
        raise Unreadable(text)
    return runs(int(zones[1], 16), found)


def by_webdfu(text):
    """webdfu: whatever looks like a run is one, and the rest is skipped."""
    zone = re.search(r"/\s*(0x[0-9a-fA-F]{1,8})\s*/", text)
    if not text.startswith("@") or not zone:
        raise Unreadable(text)
    found = []
    at = zone.end()
    while run := re.compile(r"\s*(\d+)\s*\*\s*(\d+)\s?([ BKM])\s*([a-g])"
                            r"\s*,?\s*").match(text, at):
        found.append(run.groups())
        at = run.end()
    if not found:
        raise Unreadable(text)
    return runs(int(zone.group(1), 16), found)


HOSTS = (by_the_book, by_dfu_util, by_fwupd, by_webdfu)


def strings():
    """(board, profile, layout string) of what was built."""
    for path in sorted(FIRMWARE.glob("*/sallyport-*.elf")):
        linked = path.parent / "linked" / path.name  # not packed yet
        data = (linked if linked.exists() else path).read_bytes()
        found = re.findall(rb"@Internal Flash[ -~]*", data)
        if found:
            yield (path.parent.name, path.stem[len("sallyport-"):],
                   "@" + found[0].decode("ascii").lstrip("@"))


class Layouts(unittest.TestCase):
    def test_each_host_sees_the_same(self):
        boards = set()
        for board, profile, text in strings():
            boards.add(board)
            with self.subTest(board=board, profile=profile, text=text):
                self.assertLessEqual(len(text), LONGEST)
                sectors = by_the_book(text)
                for host in HOSTS:
                    self.assertEqual(host(text), sectors, host.__name__)
                self.covers_flash(board, sectors)
                self.has_the_demo(board, profile, sectors)
        self.assertEqual(boards, {path.name for path in FIRMWARE.iterdir()})

    def covers_flash(self, board, sectors):
        facts = facts_of(TOP / "board" / board)
        at = facts["FLASH_BASE"]
        for address, size, kind in sectors:
            self.assertEqual(address, at)
            self.assertIn(kind, "ag")
            at += size
        self.assertEqual(at, facts["FLASH_BASE"] + facts["FLASH_SIZE"])
        kinds = "".join(kind for _, _, kind in sectors)
        self.assertRegex(kinds, "^a+g+a*$")
        kv = sum(size for address, size, _ in sectors
                 if address >= at - facts["KV_SIZE"])
        self.assertEqual(kv, facts["KV_SIZE"])

    def has_the_demo(self, board, profile, sectors):
        demo = FIRMWARE / board / ("demo-%s.hex" % profile)
        if not demo.exists():  # a variant that uses another one's
            return
        upper, lower = (bytes.fromhex(line[1:]) for line
                        in demo.read_text().splitlines()[:2])
        start = next(address for address, _, kind in sectors if kind == "g")
        self.assertEqual(start, int.from_bytes(upper[4:6], "big") << 16
                         | int.from_bytes(lower[1:3], "big"))

    def test_what_hosts_stumble_over(self):
        good = "@Internal Flash /0x08000000/02*002Ka,63*008Kg"
        self.assertEqual(len({str(host(good)) for host in HOSTS}), 1)
        for bad, hosts in (
                (good[1:], HOSTS),
                (good.replace("/0x", "/"), HOSTS),
                (good.replace("63*", "126*"), (by_the_book,)),
                (good.replace("008K", "6144 "), (by_the_book, by_fwupd)),
                (good.replace("008K", "006K"), (by_dfu_util,)),
                (good.replace("8Kg", "8Kga"), (by_the_book, by_dfu_util)),
                (good.replace("8Kg", "8Gg"), (by_the_book, by_dfu_util,
                                              by_fwupd)),
                (good + "/0x1FFFF800/01*016Be", (by_the_book, by_fwupd))):
            for host in hosts:
                with self.subTest(bad=bad, host=host.__name__), \
                        self.assertRaises(Unreadable):
                    host(bad)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        FIRMWARE = Path(sys.argv.pop(1)).resolve()
    unittest.main()
