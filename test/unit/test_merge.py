#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs `sallyport merge` as a user does, and `convert`, `stamp` and `info` on
.dfu files and S-records.

usage: test_merge.py build/bin/sallyport
"""
import json
import os
import struct
import subprocess
import sys
import unittest
import zlib

import test_cli
from test_cli import (BOARD, INPUT, SLOT, UNFIT, USAGE, elf_file,
                      hex_contents, hex_file, image, stamped)
from test_convert import F1, F4, uf2_file, uf2_parts

BOOT = bytes(range(256)) * 8
BASE = 0x08000000


def dfuse(targets, vid=0xFFFF, pid=0xFFFF):
    """targets: [(alternate, [(address, data)])]"""
    body = b""
    for alternate, elements in targets:
        data = b"".join(struct.pack("<II", addr, len(d)) + d
                        for addr, d in elements)
        body += struct.pack("<6sBI255sII", b"Target", alternate, 1,
                            b"name %d" % alternate, len(data),
                            len(elements)) + data
    head = struct.pack("<5sBIB", b"DfuSe", 1, 11 + len(body), len(targets))
    file = head + body + struct.pack("<HHHH3sB", 0xFFFF, pid, vid, 0x011A,
                                     b"UFD", 16)
    return file + struct.pack("<I", zlib.crc32(file) ^ 0xFFFFFFFF)


class Merge(test_cli.Tool):
    def merge(self, *args):
        self.run_tool("merge", *args)
        return self.get(args[args.index("-o") + 1])

    def test_bootloader_and_application(self):
        app = stamped(image())
        whole = BOOT.ljust(SLOT - BASE, b"\xFF") + app
        self.put("boot.bin", BOOT)
        self.put("app.bin", app)
        self.put("boot.hex", hex_file([(BASE, BOOT)]))
        self.put("app.elf", elf_file([(SLOT, app)]))
        self.put("app.dfu", dfuse([(0, [(SLOT, app)])]))
        at = "app.bin@0x%X" % SLOT
        for files in (("boot.bin@0x8000000", at), (at, "boot.hex"),
                      ("boot.hex", "app.elf"), ("boot.hex", "app.dfu")):
            self.assertEqual(self.merge(*files, "-o", "o.bin"), whole)
        want = {BASE + i: byte for i, byte in enumerate(BOOT)}
        want.update({SLOT + i: byte for i, byte in enumerate(app)})
        text = self.merge("boot.hex", at, "-o", "o.hex", "--board", BOARD)
        self.assertEqual(hex_contents(text), want)
        parts, family = uf2_parts(self.merge("boot.hex", at, "-o", "o.uf2",
                                             "--board", BOARD))
        self.assertEqual(family, F1)
        self.assertEqual([addr for addr, _ in parts if addr < SLOT],
                         list(range(BASE, BASE + len(BOOT), 256)))

    def test_the_report(self):
        self.put("a.bin", BOOT)
        self.assertEqual(
            self.run_tool("merge", "a.bin@0x8000000", "-o", "o.hex"),
            "o.hex: 2048 bytes, 0x08000000 to 0x080007FF\n")

    def test_bytes_that_are_there_twice(self):
        self.put("a.hex", hex_file([(BASE, b"abcdef")]))
        self.put("b.hex", hex_file([(BASE + 4, b"efgh")]))
        self.put("c.hex", hex_file([(BASE + 100, b"c"), (BASE + 5, b"X")]))
        self.assertEqual(self.merge("a.hex", "b.hex", "-o", "o.bin"),
                         b"abcdefgh")
        self.refuse("c.hex: 0x58 at 0x08000005, where b.hex has 0x66: they "
                    "overlap", UNFIT, "merge", "a.hex", "b.hex", "c.hex",
                    "-o", "p.bin")
        self.refuse("b.hex: 0x66 at 0x08000005, where c.hex has 0x58: they "
                    "overlap", UNFIT, "merge", "c.hex", "b.hex", "-o",
                    "p.bin")

    def test_where_each_overlap_is_found(self):
        """Large files: any byte, also the last one."""
        # above 0x7F: not even one byte of it is taken for text
        data = bytes(i * i % 127 | 0x80 for i in range(200000))
        self.put("a.bin", data)
        for at in (0, 1, 65535, 65536, 100000, 199999):
            self.put("b.bin", bytes([data[at] ^ 1]))
            self.refuse("b.bin: 0x%02X at 0x%08X, where a.bin has 0x%02X: "
                        "they overlap" % (data[at] ^ 1, BASE + at, data[at]),
                        UNFIT, "merge", "a.bin@0x8000000",
                        "b.bin@0x%X" % (BASE + at), "-o", "o.bin")

    def test_addresses(self):
        self.put("a.bin", BOOT)
        self.put("a.hex", hex_file([(BASE, BOOT)]))
        self.put("name@1.hex", hex_file([(BASE, b"x")]))
        self.assertEqual(self.merge("name@1.hex", "-o", "o.bin"), b"x")
        self.refuse("a.bin: a raw binary file does not say where it belongs: "
                    "give it as a.bin@ADDR", USAGE, "merge", "a.bin", "-o",
                    "p.bin")
        self.refuse("a.hex: the file (Intel HEX) says itself where it "
                    "belongs, leave out @16", USAGE, "merge", "a.hex@16",
                    "-o", "p.bin")
        self.refuse("a.bin@x: 'x' behind the @ is no address", USAGE, "merge",
                    "a.bin@x", "-o", "p.bin")
        self.refuse("no.hex: No such file or directory", INPUT, "merge",
                    "no.hex", "-o", "p.bin")
        self.refuse("a.bin: 2048 bytes at 0xFFFFFF00 go past the end of the "
                    "address space", INPUT, "merge", "a.bin@0xFFFFFF00", "-o",
                    "p.bin")

    def test_what_has_to_agree(self):
        self.put("a.uf2", uf2_file([(BASE, b"a" * 256)], family=F1))
        self.put("b.uf2", uf2_file([(SLOT, b"b" * 256)], family=F4))
        self.refuse("b.uf2: the file is for family 0x57755A57, a.uf2 for "
                    "0x5EE21072", UNFIT, "merge", "a.uf2", "b.uf2", "-o",
                    "o.bin")
        self.refuse("b.uf2: the file is for family 0x57755A57, stm32f103ze "
                    "takes 0x5EE21072", UNFIT, "merge", "b.uf2", "-o",
                    "o.bin", "--board", BOARD)
        self.put("a.dfu", dfuse([(0, [(BASE, b"a")])], 0x1209, 1))
        self.put("b.dfu", dfuse([(0, [(SLOT, b"b")])], 0x0483, 0xDF11))
        self.refuse("b.dfu: the file is for device 0483:DF11, a.dfu for "
                    "1209:0001", UNFIT, "merge", "a.dfu", "b.dfu", "-o",
                    "o.bin")
        self.put("c.hex", hex_file([(0x20000000, b"c")]))
        self.refuse("c.hex: the data (0x20000000 to 0x20000000) is not within "
                    "the flash of stm32f103ze (0x08000000 to 0x0807FFFF)",
                    UNFIT, "merge", "a.uf2", "c.hex", "-o", "o.bin",
                    "--board", BOARD)

    def test_the_entry_is_the_first_one(self):
        self.put("a.elf", elf_file([(BASE, BOOT)]))
        self.put("b.elf", elf_file([(SLOT, image())]))
        self.merge("a.elf", "b.elf", "-o", "o.srec")
        self.assertIn("entry    0x08000041\n", self.run_tool("info", "o.srec"))
        self.merge("b.elf", "a.elf", "-o", "o.srec")
        self.assertIn("entry    0x08001041\n", self.run_tool("info", "o.srec"))

    def test_alternate_settings_stay_apart(self):
        self.put("a.dfu", dfuse([(0, [(BASE, b"a")]), (1, [(BASE, b"b")])]))
        self.put("c.bin", b"c")
        self.merge("a.dfu", "c.bin@0x8000001", "-o", "o.dfu")
        self.run_tool("convert", "o.dfu", "-o", "0.bin", "--alt", "0")
        self.assertEqual(self.get("0.bin"), b"ac")
        self.run_tool("convert", "o.dfu", "-o", "1.bin", "--alt", "1")
        self.assertEqual(self.get("1.bin"), b"b")

    def test_gaps_that_a_stamp_covers_are_filled(self):
        data = stamped(image(600) + b"\xFF" * 1400 + b"x" * 1000)
        self.put("app.hex", hex_file([(SLOT, data[:600]),
                                      (SLOT + 2000, data[2000:])]))
        self.put("boot.hex", hex_file([(BASE, BOOT)]))
        got = hex_contents(self.merge("boot.hex", "app.hex", "-o", "o.hex"))
        self.assertEqual(bytes(got[SLOT + i] for i in range(len(data))), data)


class Dfu(test_cli.Tool):
    def convert(self, name, output, *options):
        self.run_tool("convert", name, "-o", output, *options)
        return self.get(output)

    def test_a_board_gives_its_ids(self):
        self.put("a.bin", image())
        place = ("--address", hex(SLOT))
        got = self.convert("a.bin", "o.dfu", "--board", BOARD, *place)
        self.assertEqual(got[-16:-4],
                         b"\xff\xff\x01\x00\x09\x12\x1a\x01UFD\x10")
        got = self.convert("a.bin", "o.dfu", "--board", BOARD, "--vid:pid",
                           "0483:df11:0102", *place)
        self.assertEqual(got[-16:-4],
                         b"\x02\x01\x11\xdf\x83\x04\x1a\x01UFD\x10")
        self.run_tool("stamp", "a.bin", "-o", "s.dfu", "--board", BOARD,
                      *place)
        self.assertEqual(self.convert("s.dfu", "o.bin"),
                         stamped(image(), 0x5A103E00))

    def test_plain_stays_plain(self):
        self.put("a.bin", b"abc")
        plain = self.convert("a.bin", "p.dfu", "--dfu", "plain", "--vid:pid",
                             "1209:0001")
        self.assertEqual(self.convert("p.dfu", "q.dfu"), plain)
        self.assertEqual(self.convert("p.dfu", "o.bin"), b"abc")
        self.assertEqual(self.convert("p.dfu", "o.dfu", "--address",
                                      hex(SLOT)),
                         self.plain_name(dfuse([(0, [(SLOT, b"abc")])],
                                               0x1209, 1)))
        self.assertEqual(self.convert("o.dfu", "r.dfu", "--dfu", "plain"),
                         plain)
        self.refuse("p.dfu: a plain DFU 1.1 file does not say where it "
                    "belongs, o.hex has to: give --board or --address", USAGE,
                    "convert", "p.dfu", "-o", "o.hex")

    @staticmethod
    def plain_name(data):
        """The same file with a target that has no name."""
        data = data[:18] + bytes(259) + data[277:-4]
        return data + struct.pack("<I", zlib.crc32(data) ^ 0xFFFFFFFF)

    def test_the_content_counts_not_the_name(self):
        self.put("a.bin", dfuse([(0, [(SLOT, b"abc")])]))
        self.assertEqual(self.convert("a.bin", "o.bin"), b"abc")
        self.run_tool("convert", "o.bin", "-o", "p.dfu", "--dfu", "plain")
        os.rename(os.path.join(self.dir, "p.dfu"),
                  os.path.join(self.dir, "p.bin"))
        self.assertEqual(self.convert("p.bin", "q.bin"), b"abc")
        self.put("a.hex", b"\r\n\n" + b"S104000041BA\nS9030000FC\n")
        self.assertEqual(self.convert("a.hex", "o.bin"), b"A")
        self.put("a.srec", b" \n" + hex_file([(SLOT, b"abc")]))
        self.assertEqual(self.convert("a.srec", "o.bin"), b"abc")
        self.put("a.dfu", b"\x00\x00\x01\x20no DFU file at all")
        self.refuse("a.dfu:0x6: the last 16 bytes are no DFU suffix, expected "
                    "\"UFD\" at 0xE: the file may be cut short", INPUT,
                    "convert", "a.dfu", "-o", "o.bin")
        self.put("a.s19", b"\x00\x00\x01\x20")
        self.refuse("a.s19:1: the line does not start with 'S'", INPUT,
                    "convert", "a.s19", "-o", "p.bin")

    def test_every_ending(self):
        self.put("a.hex", hex_file([(SLOT, b"abc")]))
        for endings, start in ((("hex", "ihex", "ihx", "HEX"), b":02"),
                               (("srec", "s19", "s28", "s37", "mot", "S19"),
                                b"S0030000FC\nS3"),
                               (("dfu", "DFU"), b"DfuSe"), (("uf2",), b"UF2"),
                               (("bin",), b"abc")):
            for ending in endings:
                got = self.convert("a.hex", "o." + ending)
                self.assertEqual(got[:len(start)], start)

    def test_alternate_settings(self):
        self.put("a.dfu", dfuse([(0, [(SLOT, b"a")]), (2, [(SLOT, b"b")])]))
        self.refuse("o.hex: there is data for alternate settings 0, 2, a "
                    "file of format Intel HEX holds that of one: choose it "
                    "with --alt", UNFIT, "convert", "a.dfu", "-o", "o.hex")
        self.refuse("a.dfu: there is no data for alternate setting 1", UNFIT,
                    "convert", "a.dfu", "-o", "o.hex", "--alt", "1")
        self.refuse("a.dfu: there is data for alternate settings 0, 2, one is "
                    "stamped: choose it with --alt", UNFIT, "stamp", "a.dfu",
                    "-o", "o.dfu")
        self.assertEqual(self.convert("a.dfu", "o.bin", "--alt", "2"), b"b")
        self.put("b.bin", b"b")
        self.run_tool("convert", "b.bin", "-o", "o.dfu", "--alt", "7",
                      "--address", hex(SLOT))
        self.assertIn("target   alternate setting 7\n",
                      self.run_tool("info", "o.dfu"))

    def test_info(self):
        app = stamped(image(), 0x5A103E00, 0x01020003)
        self.put("a.dfu", dfuse([(0, [(SLOT, app)]), (1, [(0, b"b")])],
                                0x1209, 1))
        text = self.run_tool("info", "a.dfu")
        for line in ("format   DfuSe", "device   1209:0001, revision any",
                     "target   alternate setting 0 (name 0)",
                     "version  1.2.3",
                     "target   alternate setting 1 (name 1)"):
            self.assertIn(line + "\n", text)

    def test_bad_values(self):
        self.put("a.bin", image())
        to = ("convert", "a.bin", "-o", "o.dfu", "--address", "0")
        for text in ("", "1209", "1209:", ":1", "12093:1", "1209:00001",
                     "1209:1:", "1209:1:1:1", "12g9:1", "0x:1"):
            self.refuse("--vid:pid: '%s' is not VID:PID or VID:PID:REVISION, each "
                        "of up to 4 hexadecimal digits" % text, USAGE, *to,
                        "--vid:pid", text)
        self.refuse("--dfu: there is no 'st', only dfuse and plain", USAGE,
                    *to, "--dfu", "st")
        self.refuse("--alt: '256' is not a number up to 255", USAGE, *to,
                    "--alt", "256")
        self.run_tool(*to, "--vid:pid", "0x1209:0xAb", "--alt", "255", "--dfu",
                      "dfuse")
        self.assertEqual(self.get("o.dfu")[-14:-10], b"\xab\x00\x09\x12")

    def test_json(self):
        self.put("a.bin", stamped(image()))
        place = ("--address", hex(SLOT), "--json")
        for verb in ("convert", "stamp"):
            got = json.loads(self.run_tool(verb, "a.bin", "-o", "o.dfu",
                                           "--alt", "3", *place))
            self.assertEqual(got, json.loads(self.run_tool("info", "o.dfu",
                                                           "--json")))
            self.assertEqual((got["file"], got["format"], got["status"]),
                             ("o.dfu", "DfuSe", 0))
            self.assertEqual(got["images"][0]["alternate"], 3)
        got = json.loads(self.run_tool("merge", "o.dfu", "-o", "p.hex",
                                       "--json"))
        self.assertEqual(got["images"][0]["address"], "0x%08X" % SLOT)
        for verb in ("convert", "merge", "stamp"):
            done = subprocess.run(
                [test_cli.TOOL, verb, "none.bin", "-o", "q.dfu", "--json"],
                cwd=self.dir, text=True, capture_output=True)
            self.assertEqual(done.returncode, INPUT)
            self.assertEqual(json.loads(done.stdout), {
                "status": INPUT,
                "error": "none.bin: No such file or directory"})

    def test_family(self):
        self.put("a.bin", b"abc")
        got = self.convert("a.bin", "o.uf2", "--address", "0x10000000",
                           "--family", "0xE48BFF56")
        self.assertEqual(uf2_parts(got)[1], 0xE48BFF56)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        test_cli.TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
