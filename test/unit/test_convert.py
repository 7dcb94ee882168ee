#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs `sallyport convert` as a user does and checks UF2 files with a reader
of its own.  The random test prints its seed when it fails;
SALLYPORT_TEST_SEED=n replays it.

usage: test_convert.py build/bin/sallyport
"""
import glob
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import time
import unittest

import test_cli
from test_cli import (BOARD, INPUT, SLOT, SYSTEM, UNFIT, USAGE, elf_file,
                      hex_contents, hex_file, image, stamped)

F1, F4 = 0x5EE21072, 0x57755A57
F4_SLOT = 0x08004000


def uf2_parts(data):
    """[(address, 256 bytes)] and the family id of a file that the tool wrote;
    asserts all that the specification says of each block."""
    assert len(data) % 512 == 0
    parts, families = [], set()
    for i in range(0, len(data), 512):
        block = data[i:i + 512]
        assert block[:8] == b"UF2\n\x57\x51\x5d\x9e", i
        assert block[508:] == b"\x30\x6f\xb1\x0a", i
        flags, addr, size, number, count, family = struct.unpack_from(
            "<6I", block, 8)
        assert (number, count) == (i // 512, len(data) // 512), i
        assert size == 256 and addr % 256 == 0, i
        assert flags == (0x2000 if family else 0), i
        assert block[32 + 256:508] == bytes(220), i
        assert not parts or addr > parts[-1][0], i
        parts.append((addr, block[32:32 + 256]))
        families.add(family)
    assert len(families) == 1
    return parts, families.pop()


def uf2_image(data):
    """Start, contents and family of a file without gaps."""
    parts, family = uf2_parts(data)
    start = parts[0][0]
    assert [addr for addr, _ in parts] == list(
        range(start, start + 256 * len(parts), 256))
    return start, b"".join(part for _, part in parts), family


def uf2_file(parts, family=F1, total=None):
    blocks = b""
    for number, (addr, data) in enumerate(parts):
        blocks += struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, addr,
                              len(data), number,
                              len(parts) if total is None else total, family)
        blocks += data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return blocks


def padded(data):
    return data + b"\xFF" * (-len(data) % 256)


# Where a raw binary for this board belongs has to be said: its profiles have
# different slots.
PLACE = ("--address", "0x%08X" % SLOT)


class Convert(test_cli.Tool):
    def run_tool(self, *args, status=0):
        path = os.path.join(self.dir, args[1])
        if (args[0] == "convert" and args[1].endswith(".bin") and
                BOARD in args and "--address" not in args and not (
                    os.path.exists(path) and
                    self.get(args[1]).startswith((b"UF2", b"\x7fELF", b":")))):
            args += PLACE
        return super().run_tool(*args, status=status)

    def convert(self, name, output, *options):
        self.run_tool("convert", name, "-o", output, *options)
        return self.get(output)

    def refuse_it(self, message, status, name, output, *options):
        """Neither a new output nor another one appears."""
        self.put("old.uf2", b"old")
        self.put("old.bin", b"old")
        self.refuse(message.replace("OUT", output), status, "convert", name,
                    "-o", output, *options)
        old = "old" + output[output.rindex("."):]
        if "/" not in output:
            self.refuse(message.replace("OUT", old), status, "convert", name,
                        "-o", old, *options)
        self.assertEqual(self.get("old.uf2"), b"old")
        self.assertEqual(self.get("old.bin"), b"old")


class ToUf2(Convert):
    def test_each_board_has_its_slot_and_family(self):
        for board, slot, family in ((BOARD, SLOT, F1),
                                    ("stm32f407", F4_SLOT, F4)):
            for size in (100, 256, 257, 1001, 70000):
                data = image(size, start=slot)
                self.put("a.bin", data)
                self.assertEqual(
                    uf2_image(self.convert("a.bin", "o.uf2", "--board",
                                           board)),
                    (slot, padded(data), family))

    def test_the_largest_slot(self):
        for board, slot, room in ((BOARD, SLOT, 516096),
                                  ("stm32f407", F4_SLOT, 1032192)):
            data = image(room, start=slot)
            self.put("a.bin", data)
            self.assertEqual(
                uf2_image(self.convert("a.bin", "o.uf2", "--board",
                                       board))[:2], (slot, data))
            self.put("a.bin", data + b"x")
            self.refuse_it("a.bin: the image has %d bytes, the largest slot "
                           "of %s has %d" % (room + 1, board, room), UNFIT,
                           "a.bin", "p.uf2", "--board", board)

    def test_an_address_of_its_own(self):
        data = image(start=0x08002000)
        self.put("a.bin", data)
        self.assertEqual(
            uf2_image(self.convert("a.bin", "o.uf2", "--board", BOARD,
                                   "--address", "0x08002000")),
            (0x08002000, padded(data), F1))
        self.assertEqual(
            uf2_image(self.convert("a.bin", "o.uf2", "--address",
                                   "0x08002000")),
            (0x08002000, padded(data), 0))

    def test_a_stamp_stays_good(self):
        """Padding lies behind the length that the stamp covers."""
        data = stamped(image(), 0x5A103E00, 0x01020003)
        self.put("a.bin", data)
        got = uf2_image(self.convert("a.bin", "o.uf2", "--board", BOARD))[1]
        self.assertEqual(got, padded(data))
        text = self.run_tool("info", "o.uf2")
        self.assertIn("length   1004 bytes: good\n", text)
        self.assertRegex(text, r"crc      0x[0-9A-F]{8}: good\n")

    def test_all_formats_make_the_same_file(self):
        data = image()
        self.put("a.bin", data)
        want = self.convert("a.bin", "o.uf2", "--board", BOARD)
        self.put("a.hex", hex_file([(SLOT, data)]))
        self.put("a.elf", elf_file([(SLOT, data)]))
        self.put("a.uf2", want)
        self.put("hex.uf2", self.get("a.hex"))
        self.put("uf2.bin", want)
        for name in ("a.hex", "a.elf", "a.uf2", "hex.uf2", "uf2.bin"):
            self.assertEqual(self.convert(name, "p.uf2", "--board", BOARD),
                             want, name)
        self.assertEqual(self.convert("a.uf2", "p.uf2"), want)
        self.assertEqual(uf2_parts(self.convert("a.hex", "p.uf2"))[1], 0)

    def test_gaps_stay_gaps(self):
        data = image(3000)
        self.put("a.hex", hex_file([(SLOT, data[:600]),
                                    (SLOT + 2000, data[2000:])]))
        parts, _ = uf2_parts(self.convert("a.hex", "o.uf2"))
        whole = padded(data[:600] + b"\xFF" * 1400 + data[2000:])
        self.assertEqual(
            parts, [(SLOT + i, whole[i:i + 256]) for i in range(0, 3000, 256)
                    if i < 600 or i + 256 > 2000])

    def test_gaps_that_a_stamp_covers_are_filled(self):
        data = image(3000)
        data = stamped(data[:600] + b"\xFF" * 1400 + data[2000:])
        self.put("a.hex", hex_file([(SLOT, data[:600]),
                                    (SLOT + 2000, data[2000:])]))
        self.assertEqual(uf2_image(self.convert("a.hex", "o.uf2"))[1],
                         padded(data))

    def test_stamp_writes_uf2_as_well(self):
        self.put("a.elf", elf_file([(SLOT, image())]))
        self.run_tool("stamp", "a.elf", "-o", "o.uf2", "--board", BOARD)
        self.assertEqual(uf2_image(self.get("o.uf2")),
                         (SLOT, padded(stamped(image(), 0x5A103E00)), F1))

    def test_the_report(self):
        self.put("a.bin", image())
        self.assertEqual(
            self.run_tool("convert", "a.bin", "-o", "o.uf2", "--board",
                          BOARD),
            "o.uf2: 1001 bytes, 0x08001000 to 0x080013E8, family 0x5EE21072\n")
        self.assertEqual(
            self.run_tool("convert", "a.bin", "-o", "o.uf2", "--address",
                          "0x08001000"),
            "o.uf2: 1001 bytes, 0x08001000 to 0x080013E8, no family\n")
        self.assertEqual(self.run_tool("convert", "a.bin", "-o", "o.bin"),
                         "o.bin: 1001 bytes\n")

    def test_inputs_that_are_refused(self):
        board = ("--board", BOARD)
        self.refuse_it("no.bin: No such file or directory", INPUT, "no.bin",
                       "o.uf2", *board)
        self.put("empty.bin", b"")
        self.refuse_it("empty.bin:0x0: the file is empty, expected "
                       "firmware", INPUT, "empty.bin",
                       "o.uf2", *board)
        self.put("a.bin", image())
        boards = sorted(path.split(os.sep)[-2] for path in glob.glob(
            os.path.join(test_cli.TOP, "board", "*", "board.h")))
        self.refuse_it("--board: there is no board 'nucleo', only "
                       + ", ".join(boards), USAGE, "a.bin", "o.uf2",
                       "--board", "nucleo")
        self.refuse_it("a.bin: a raw binary file does not say where it belongs, "
                       "OUT has to: give --board or --address", USAGE,
                       "a.bin", "o.uf2")
        self.refuse_it("a.bin: the image (0x08000000 to 0x080003E8) is not "
                       "within the application's flash of stm32f103ze "
                       "(0x08001000 to 0x0807EFFF): link it for its slot",
                       UNFIT, "a.bin", "o.uf2", "--address", "0x08000000",
                       *board)
        self.refuse_it("OUT: the data starts at 0x08001004, in a UF2 file it "
                       "has to start at a multiple of 256: link it there, or "
                       "give its address", UNFIT, "a.bin", "o.uf2",
                       "--address", "0x08001004")
        self.refuse_it("--address: '4k' is not a number up to 0xFFFFFFFF",
                       USAGE, "a.bin", "o.uf2", "--address", "4k")
        self.refuse_it("a.bin: 1001 bytes at 0xFFFFFF00 go past the end of the "
                       "address space", INPUT, "a.bin", "o.uf2", "--address", "0xFFFFFF00")
        self.put("a.hex", hex_file([(SLOT, image())]))
        self.refuse_it("a.hex: the file (Intel HEX) says itself where it "
                       "belongs, leave out --address", USAGE, "a.hex",
                       "o.uf2", "--address", "0x08001000")

    def test_a_board_with_several_slots_asks_which(self):
        self.put("a.bin", image())
        message = super(Convert, self).run_tool(
            "convert", "a.bin", "-o", "o.uf2", "--board", BOARD, status=USAGE)
        self.assertEqual(message, "a.bin: a raw binary file does not say where it "
                         "belongs, o.uf2 has to: give --address")
        self.put("a.bin", image(start=F4_SLOT))
        self.run_tool("convert", "a.bin", "-o", "o.uf2", "--board",
                      "stm32f407")

    def test_images_for_something_else_are_refused(self):
        board = ("--board", BOARD)
        self.put("a.bin", b"\xFF\xD8\xFF\xE0" + image()[4:])
        self.refuse_it("a.bin: the first word 0xE0FFD8FF is no stack pointer "
                       "into RAM (0x20000000 to 0x20010000): the image has to "
                       "start with the vector table", UNFIT, "a.bin", "o.uf2",
                       *board)
        self.put("a.bin", image(start=0x08000000))
        self.refuse_it("a.bin: the reset vector 0x08000041 lies outside the "
                       "image (0x08001000 to 0x080013E8): link the "
                       "application for its slot, or say with --address where "
                       "its vector table is", UNFIT, "a.bin", "o.uf2", *board)
        self.put("a.uf2", uf2_file([(SLOT, image(256))], family=F4))
        self.refuse_it("a.uf2: the file is for family 0x57755A57, stm32f103ze "
                       "takes 0x5EE21072: convert the firmware's .bin, .hex "
                       "or ELF file for this board", UNFIT, "a.uf2", "o.uf2",
                       *board)
        self.refuse("a.uf2: the file is for family 0x57755A57, stm32f103ze "
                    "takes 0x5EE21072: convert the firmware's .bin, .hex or "
                    "ELF file for this board", UNFIT, "stamp", "a.uf2", "-o",
                    "o.bin", *board)

    def test_bad_command_lines(self):
        self.put("a.bin", image())
        self.refuse("convert: no output given, add -o OUT", USAGE, "convert",
                    "a.bin")
        self.refuse("o.elf: the name of the output has to end in .bin, .hex, "
                    ".srec, .dfu or .uf2", USAGE, "convert", "a.bin", "-o", "o.elf")
        self.refuse("convert: no file given (see 'sallyport help convert')",
                    USAGE, "convert", "-o", "o.uf2")

    def test_an_output_that_cannot_be_written(self):
        self.put("a.bin", image())
        self.refuse_it("OUT: cannot be written: No such file or directory",
                       SYSTEM, "a.bin", "no/o.uf2", "--board", BOARD)
        os.mkdir(os.path.join(self.dir, "dir.uf2"))
        self.refuse("dir.uf2: cannot be written: Is a directory", SYSTEM,
                    "convert", "a.bin", "-o", "dir.uf2", "--board", BOARD)

    def test_a_disk_that_is_full_half_way(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
        self.put("a.bin", image())
        self.put("o.uf2", b"old")
        done = subprocess.run(
            [test_cli.TOOL, "convert", "a.bin", "-o", "o.uf2", "--board",
             BOARD, *PLACE], cwd=self.dir, text=True, capture_output=True,
            preexec_fn=limit)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (SYSTEM, "", "sallyport: o.uf2: cannot be written: "
                          "File too large\n"))
        self.assertEqual(sorted(os.listdir(self.dir)), ["a.bin", "o.uf2"])
        self.assertEqual(self.get("o.uf2"), b"old")


class FromUf2(Convert):
    def test_there_and_back(self):
        data = image(5000)
        self.put("a.bin", data)
        self.convert("a.bin", "b.uf2", "--board", BOARD)
        self.assertEqual(self.convert("b.uf2", "c.bin"), padded(data))
        self.assertEqual(self.convert("b.uf2", "c.bin", "--board", BOARD),
                         padded(data))
        want = {SLOT + i: byte for i, byte in enumerate(padded(data))}
        self.assertEqual(hex_contents(self.convert("b.uf2", "c.hex")), want)
        self.assertEqual(self.convert("c.bin", "d.uf2", "--board", BOARD),
                         self.get("b.uf2"))

    def test_the_input_can_be_the_output(self):
        self.put("a.bin", image())
        want = self.convert("a.bin", "b.uf2", "--board", BOARD)
        self.put("same.uf2", want)
        self.assertEqual(self.convert("same.uf2", "same.uf2"), want)

    def test_gaps_become_ff(self):
        self.put("a.uf2", uf2_file([(SLOT, image(256)),
                                    (SLOT + 1024, b"x" * 100)]))
        self.assertEqual(self.convert("a.uf2", "o.bin"),
                         image(256) + b"\xFF" * 768 + b"x" * 100)

    def test_too_much_gap(self):
        self.put("a.uf2", uf2_file([(SLOT, image(256)),
                                    (0x1FFFF800, b"\xA5\x5A")]))
        self.refuse_it("OUT: the data reaches from 0x08001000 to 0x1FFFF801, "
                       "more than 256 MB with its gaps: take out what is not "
                       "the application", UNFIT, "a.uf2", "o.bin")

    def test_damaged_files(self):
        """The place of each kind of damage is test_uf2's."""
        good = uf2_file([(SLOT, image(256)), (SLOT + 256, bytes(256))])
        self.put("a.uf2", good[:512] + b"X" + good[513:])
        self.refuse_it("a.uf2:0x200: not a UF2 block: the magic number is "
                       "0x0A324658, expected 0x0A324655", INPUT, "a.uf2",
                       "o.bin")
        self.put("a.uf2", good[:512])
        self.refuse_it("a.uf2:0x200: cut short: 1 blocks, there should be 2",
                       INPUT, "a.uf2", "o.bin")
        self.put("a.uf2", b"nonsense" * 64)
        self.refuse_it("a.uf2:0x0: not a UF2 block: the magic number is "
                       "0x736E6F6E, expected 0x0A324655", INPUT, "a.uf2",
                       "o.bin")
        comment = bytearray(uf2_file([(SLOT, image(256))]))
        comment[8] |= 1
        self.put("a.uf2", comment)
        self.refuse_it("a.uf2:0x0: no data in the UF2 file, expected "
                       "firmware", INPUT, "a.uf2",
                       "o.bin")

    def test_info(self):
        self.put("a.uf2", uf2_file([(SLOT, image(256))]))
        text = self.run_tool("info", "a.uf2")
        self.assertIn("format   UF2\n", text)
        self.assertIn("address  0x08001000 to 0x080010FF\n", text)
        self.assertRegex(text, r"family   0x5EE21072 \((\w+, )*stm32f103ze(, \w+)*\)\n")
        self.put("a.uf2", uf2_file([(SLOT, image(256))], family=1))
        self.assertIn("family   0x00000001 (no board known here)\n",
                      self.run_tool("info", "a.uf2"))
        self.put("a.bin", image())
        self.convert("a.bin", "a.uf2", "--address", hex(SLOT))
        self.assertIn("family   none\n", self.run_tool("info", "a.uf2"))


class Random(Convert):
    def test_any_image_survives(self):
        seed = int(os.environ.get("SALLYPORT_TEST_SEED", time.time_ns()))
        r = random.Random(seed)
        with self.subTest(replay="SALLYPORT_TEST_SEED=%d" % seed):
            for _ in range(25):
                board, slot, room, family = r.choice(
                    [(BOARD, SLOT, 516096, F1),
                     ("stm32f407", F4_SLOT, 1032192, F4)])
                size = min(room, int(64 * 2 ** r.uniform(0, 14)))
                data = r.randbytes(size)
                data = struct.pack("<II", 0x20000400, slot + 9) + data[8:]
                self.put("a.bin", data)
                got = self.convert("a.bin", "b.uf2", "--board", board)
                self.assertEqual(uf2_image(got), (slot, padded(data), family))
                self.assertEqual(self.convert("b.uf2", "c.bin"), padded(data))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        test_cli.TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
