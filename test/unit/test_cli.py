#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the sallyport tool as a user does: output, exit status, files.

usage: test_cli.py build/bin/sallyport
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TOOL = "build/bin/sallyport"
SYSTEM, USAGE, INPUT, UNFIT = 1, 2, 3, 4
SLOT = 0x08001000
BOARD = "stm32f103ze"
PRODUCT = 0x5A103E00


def image(size=1001, start=SLOT, sp=0x20010000, reset=None, words=()):
    """A plain application image; words: (offset, value) put over it."""
    data = bytearray((7 * i + i // 256) & 0xFF for i in range(size))
    data[0:0x40] = bytes(0x40)
    if reset is None:
        reset = start + 0x41
    struct.pack_into("<II", data, 0, sp, reset)
    for offset, value in words:
        struct.pack_into("<I", data, offset, value)
    return bytes(data)


def stamped(data, product=0, version=0):
    """What `sallyport stamp` has to make of it, computed here."""
    data = bytearray(data + b"\xFF" * (-len(data) % 4))
    struct.pack_into("<III", data, 0x1C, 0x594C4153, len(data), 0)
    struct.pack_into("<I", data, 0x28, product)
    struct.pack_into("<I", data, 0x34, version)
    struct.pack_into("<I", data, 0x24, zlib.crc32(data))
    return bytes(data)


def hex_record(kind, offset, data):
    record = struct.pack(">BHB", len(data), offset, kind) + data
    return ":%s%02X\n" % (record.hex().upper(), -sum(record) & 0xFF)


def hex_file(parts):
    text = ""
    for addr, data in parts:
        for i in range(0, len(data), 16):
            text += hex_record(4, 0, struct.pack(">H", (addr + i) >> 16))
            text += hex_record(0, (addr + i) & 0xFFFF, data[i:i + 16])
    return (text + hex_record(1, 0, b"")).encode()


def hex_contents(text):
    """{address: byte} of a HEX file; checks every record."""
    memory, base = {}, 0
    lines = text.decode().splitlines()
    assert lines[-1] == ":00000001FF"
    for line in lines:
        record = bytes.fromhex(line[1:])
        assert sum(record) & 0xFF == 0 and len(record) == record[0] + 5
        offset, kind, data = record[1] << 8 | record[2], record[3], record[4:-1]
        if kind == 4:
            base = int.from_bytes(data, "big") << 16
        elif kind == 0:
            for i, byte in enumerate(data):
                assert base + offset + i not in memory
                memory[base + offset + i] = byte
    return memory


def elf_file(sections, machine=40, headers_in_segment=False):
    """An ELF with one segment and one section for each (paddr, data)."""
    count = len(sections)
    names = b"\0.shstrtab\0"
    head = 52 + 32 * count
    body, phdrs, shdrs = b"", b"", bytes(40)
    for paddr, data in sections:
        offset = head + len(body)
        first = offset if not headers_in_segment else 0
        size = len(data) + offset - first
        phdrs += struct.pack("<8I", 1, first, paddr, paddr - offset + first,
                             size, size, 5, 4)
        shdrs += struct.pack("<10I", 0, 1, 6, paddr, offset, len(data),
                             0, 0, 4, 0)
        body += data
    shdrs += struct.pack("<10I", 1, 3, 0, 0, head + len(body), len(names),
                         0, 0, 1, 0)
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    ehdr = ident + struct.pack(
        "<HHIIIIIHHHHHH", 2, machine, 1, sections[0][0] + 0x41, 52,
        head + len(body) + len(names), 0x05000000, 52, 32, count, 40,
        count + 2, count + 1)
    return ehdr + phdrs + body + names + shdrs


class Tool(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.dir = self.temp.name

    def tearDown(self):
        self.temp.cleanup()

    def put(self, name, data):
        with open(os.path.join(self.dir, name), "wb") as file:
            file.write(data)
        return name

    def get(self, name):
        with open(os.path.join(self.dir, name), "rb") as file:
            return file.read()

    def run_tool(self, *args, status=0):
        """Output on success, the message (one line) otherwise."""
        before = sorted(os.listdir(self.dir))
        done = subprocess.run([TOOL, *args], cwd=self.dir, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status == 0:
            self.assertEqual(done.stderr, "")
            return done.stdout
        self.assertRegex(done.stderr, r"\Asallyport: [^\n]+\n\Z")
        self.assertEqual(sorted(os.listdir(self.dir)), before)
        return done.stderr[len("sallyport: "):].strip()

    def refuse(self, message, status, *args):
        self.assertEqual(self.run_tool(*args, status=status), message)


class Help(Tool):
    def test_help_names_every_exit_status(self):
        text = self.run_tool("--help")
        self.assertEqual(text, self.run_tool("help"))
        statuses = text.split("Exit status:\n")[1].splitlines()
        self.assertEqual([line.split()[0] for line in statuses],
                         [str(status) for status in range(10)])

    def test_help_of_a_verb_lists_what_its_synopsis_lists(self):
        text = self.run_tool("help", "stamp")
        self.assertEqual(text, self.run_tool("stamp", "--help"))
        synopsis, options = text.split("Options:\n")
        for name in re.findall(r"--[a-z]+", options):
            if name != "--output":
                self.assertIn("[" + name, synopsis)

    def test_version(self):
        self.assertRegex(self.run_tool("--version"),
                         r"\Asallyport \d+\.\d+\.\d+\n\Z")

    def test_docs_list_the_same_options_and_statuses(self):
        with open(os.path.join(TOP, "docs", "tool.md")) as file:
            doc = file.read()
        verbs = re.findall(r"^  (\w+) ", self.run_tool("help").split(
            "Verbs:\n")[1].split("\n\n")[0], re.M)
        self.assertEqual(re.findall(r"^## sallyport (\w+)$", doc, re.M),
                         verbs[:-1])
        self.assertEqual(verbs[-1], "help")
        devices = re.findall(
            r"^\| `(?:-\w, )?(--[^`]+)` \|",
            doc.split("\n## Devices\n")[1].split("\n## ")[0], re.M)
        self.assertGreater(len(devices), 3)
        for verb in verbs[:-1]:
            help_text = self.run_tool("help", verb)
            section = doc.split("\n## sallyport %s\n" % verb)[1]
            section = section.split("\n## ")[0]
            self.assertIn(help_text.splitlines()[0][len("usage: "):], section)
            options = re.findall(r"^  (?:-\w, )?(--[\w:-]+(?: \S+)?)  ",
                                 help_text, re.M)
            listed = re.findall(r"^\| `(?:-\w, )?(--[^`]+)` \|", section,
                                re.M)
            if options[:len(devices)] == devices:
                self.assertIn("(#devices)", section)
                listed = devices + listed
            self.assertEqual(listed, options)
        statuses = self.run_tool("--help").split("Exit status:\n")[1]
        for line in statuses.splitlines():
            number, sentence = line.split(None, 1)
            self.assertIn("| %s | %s |" % (number, sentence), doc)

    def test_bad_command_lines(self):
        self.put("a.bin", image())
        self.refuse("no verb given (see 'sallyport help')", USAGE)
        self.refuse("there is no verb 'fry' (see 'sallyport help')", USAGE,
                    "fry")
        self.refuse("there is no verb 'fry' (see 'sallyport help')", USAGE,
                    "help", "fry")
        self.refuse("stamp: no file given (see 'sallyport help stamp')",
                    USAGE, "stamp")
        self.refuse("stamp: no output given, add -o OUT", USAGE,
                    "stamp", "a.bin")
        self.refuse("stamp: option -o needs OUT (see 'sallyport help stamp')",
                    USAGE, "stamp", "a.bin", "-o")
        self.refuse("stamp: there is no option --fry (see 'sallyport help "
                    "stamp')", USAGE, "stamp", "a.bin", "--fry")
        self.refuse("stamp: there is no option -x (see 'sallyport help "
                    "stamp')", USAGE, "stamp", "a.bin", "-x")
        self.refuse("stamp: one file at a time, 'b' is too much (see "
                    "'sallyport help stamp')", USAGE, "stamp", "a.bin", "b")
        self.refuse("stamp: option --board is given twice (see 'sallyport "
                    "help stamp')", USAGE, "stamp", "a.bin", "--board", "x",
                    "--board", "y")
        self.refuse("o.elf: the name of the output has to end in .bin, .hex, "
                    ".srec, .dfu or .uf2", USAGE, "stamp", "a.bin", "-o", "o.elf")

    def test_bad_values(self):
        self.put("a.bin", image())
        stamp = ("stamp", "a.bin", "-o", "o.bin")
        for text in ("", "x", "0x", "-1", "010x", "0x100000000",
                     "4294967296", " 1"):
            for option in ("--address", "--product"):
                self.run_tool(*stamp, option, text, status=USAGE)
        self.refuse("version '1.2' is not X.Y.Z with X and Y up to 255 and Z "
                    "up to 65535", USAGE, *stamp, "--version", "1.2")
        self.assertRegex(
            self.run_tool(*stamp, "--board", "nucleo", status=USAGE),
            r"--board: there is no board 'nucleo', only .*" + BOARD)
        self.refuse("--product: stm32f103ze takes images for 0x5A103E00 or 0, "
                    "not 0x00000001", USAGE, *stamp, "--board", BOARD,
                    "--product", "1")


class Stamp(Tool):
    def test_bin_to_bin_needs_no_address(self):
        for size in (0x38, 0x39, 0x3A, 0x3B, 0x3C, 5000, 100000):
            self.put("a.bin", image(max(size, 0x40))[:size])
            self.run_tool("stamp", "a.bin", "-o", "o.bin")
            self.assertEqual(self.get("o.bin"), stamped(self.get("a.bin")))

    def test_the_report(self):
        data = image()
        self.put("a.bin", data)
        out = self.run_tool("stamp", "a.bin", "-o", "o.bin", "--board", BOARD,
                            "--version", "1.2.345")
        want = stamped(data, PRODUCT, 0x01020159)
        self.assertEqual(self.get("o.bin"), want)
        self.assertEqual(
            out, "o.bin: 1004 bytes, CRC 0x%08X, product 0x5A103E00, version "
            "1.2.345\n" % struct.unpack_from("<I", want, 0x24))

    def test_options_in_any_place_and_form(self):
        self.put("a.bin", image())
        self.run_tool("stamp", "--output=o.bin", "--version=1.0.0", "--",
                      "a.bin")
        self.assertEqual(self.get("o.bin"),
                         stamped(image(), 0, 0x01000000))
        self.run_tool("stamp", "-o", "o.bin", "a.bin", "--product", "0x10")
        self.assertEqual(self.get("o.bin"), stamped(image(), 16))

    def test_all_formats_make_the_same_image(self):
        data = image()
        want = stamped(data, PRODUCT, 0x01020003)
        self.put("a.bin", data)
        self.put("a.hex", hex_file([(SLOT, data)]))
        self.put("a.elf", elf_file([(SLOT, data)]))
        self.put("content.xyz", hex_file([(SLOT, data)]))
        self.put("elf.bin", elf_file([(SLOT, data)]))
        for name in ("a.bin", "a.hex", "a.elf", "content.xyz", "elf.bin"):
            options = ("--board", BOARD, "--version", "1.2.3",
                       "--address", hex(SLOT))
            self.run_tool("stamp", name, "-o", "o.bin", *options)
            self.run_tool("stamp", name, "-o", "o.hex", *options)
            self.assertEqual(self.get("o.bin"), want, name)
            self.assertEqual(hex_contents(self.get("o.hex")),
                             {SLOT + i: b for i, b in enumerate(want)}, name)

    def test_gaps_are_filled(self):
        data = image()
        parts = [(SLOT + 500, data[500:]), (SLOT, data[:400])]
        want = stamped(data[:400] + b"\xFF" * 100 + data[500:])
        for name, contents in (("a.hex", hex_file(parts)),
                               ("a.elf", elf_file(parts))):
            self.put(name, contents)
            self.run_tool("stamp", name, "-o", "o.bin")
            self.run_tool("stamp", name, "-o", "o.hex")
            self.assertEqual(self.get("o.bin"), want)
            self.assertEqual(hex_contents(self.get("o.hex")),
                             {SLOT + i: b for i, b in enumerate(want)})

    def test_elf_headers_in_the_first_segment_are_left_out(self):
        self.put("a.elf", elf_file([(SLOT, image())],
                                   headers_in_segment=True))
        self.run_tool("stamp", "a.elf", "-o", "o.bin", "--board", BOARD)
        self.assertEqual(self.get("o.bin"), stamped(image(), PRODUCT))

    def test_restamping(self):
        self.put("a.bin", image())
        self.run_tool("stamp", "a.bin", "-o", "o.bin", "--product", "7",
                      "--version", "1.2.3")
        self.run_tool("stamp", "o.bin", "-o", "p.bin")
        self.assertEqual(self.get("p.bin"), self.get("o.bin"))
        self.run_tool("stamp", "o.bin", "-o", "o.bin", "--version", "2.0.0")
        self.assertEqual(self.get("o.bin"), stamped(image(), 7, 0x02000000))

    def test_words_of_ff_are_free(self):
        data = image(words=[(o, 0xFFFFFFFF)
                            for o in (0x1C, 0x20, 0x24, 0x28, 0x34)])
        self.put("a.bin", data)
        self.run_tool("stamp", "a.bin", "-o", "o.bin")
        self.assertEqual(self.get("o.bin"), stamped(data))

    def test_images_that_cannot_be_stamped(self):
        stack = ("no stack pointer into RAM (0x20000000 to 0x20080000, or "
                 "CCM): the image has to start with the vector table")
        cases = [
            (image()[:0x34], "an image of 52 bytes is too small for a stamp, "
             "it needs 56"),
            (image(sp=0xFFFFFFFF), "the first word 0xFFFFFFFF is " + stack),
            (image(sp=0x20000000), "the first word 0x20000000 is " + stack),
            (image(sp=0x20080004), "the first word 0x20080004 is " + stack),
            (image(sp=0x20001002), "the first word 0x20001002 is " + stack),
            (image(reset=SLOT + 0x40), "the reset vector 0x08001040 is even, "
             "a Cortex-M needs an odd one (Thumb): the image has to start "
             "with the vector table"),
            (image(words=[(0x1C, 0xEFFFF123)]), "the reserved vector at "
             "offset 0x1C is in use (0xEFFFF123): set it to 0 in the start-up "
             "code, the stamp goes there"),
            (image(words=[(0x34, 1)]), "the reserved vector at offset 0x34 is "
             "in use (0x00000001): set it to 0 in the start-up code, the "
             "stamp goes there"),
            (image(reset=0x20000101), "the reset vector 0x20000101 lies "
             "outside the application's flash (0x00000000 to 0x1FFFFFFF): "
             "link the application for its slot"),
        ]
        for data, message in cases:
            self.put("a.bin", data)
            self.refuse("a.bin: " + message, UNFIT, "stamp", "a.bin", "-o",
                        "o.bin")

    def test_good_stack_pointers(self):
        for sp in (0x20000004, 0x20080000, 0x10010000):
            self.put("a.bin", image(sp=sp))
            self.run_tool("stamp", "a.bin", "-o", "o.bin")

    def test_a_reset_vector_outside_the_image(self):
        link = (": link the application for its slot, or say with --address "
                "where its vector table is")
        for reset in (SLOT - 1, SLOT + 1001 + 4):
            data = image(1000, reset=reset | 1)
            self.put("a.hex", hex_file([(SLOT, data)]))
            self.refuse("a.hex: the reset vector 0x%08X lies outside the image"
                        " (0x08001000 to 0x080013E7)" % (reset | 1) + link,
                        UNFIT, "stamp", "a.hex", "-o", "o.hex")

    def test_the_board_is_checked(self):
        board = ("-o", "o.bin", "--board", BOARD)
        self.put("a.hex", hex_file([(0x08000000, image(start=0x08000000))]))
        self.refuse("a.hex: the image (0x08000000 to 0x080003EB) is not "
                    "within the application's flash of stm32f103ze "
                    "(0x08001000 to 0x0807EFFF): link it for its slot",
                    UNFIT, "stamp", "a.hex", *board)
        self.put("a.hex", hex_file([(0x08001400, image(start=0x08001400))]))
        self.refuse("a.hex: the image starts at 0x08001400, which is not the "
                    "start of a flash page (2048 bytes) of stm32f103ze",
                    UNFIT, "stamp", "a.hex", *board)
        self.put("a.bin", image(sp=0x20018000))
        self.refuse("a.bin: the first word 0x20018000 is no stack pointer into"
                    " RAM (0x20000000 to 0x20010000): the image has to start "
                    "with the vector table", UNFIT, "stamp", "a.bin", *board)
        self.put("a.bin", image(reset=0x08000101))
        self.refuse("a.bin: the reset vector 0x08000101 lies outside the "
                    "application's flash (0x08001000 to 0x0807EFFF): link the "
                    "application for its slot", UNFIT, "stamp", "a.bin",
                    *board)

    def test_the_largest_slot(self):
        room = 512 * 1024 - 0x1000 - 4096
        self.put("a.bin", image(room))
        self.run_tool("stamp", "a.bin", "-o", "o.bin", "--board", BOARD)
        self.assertEqual(self.get("o.bin"), stamped(image(room), PRODUCT))
        self.put("a.bin", image(room + 1))
        os.remove(os.path.join(self.dir, "o.bin"))
        self.refuse("a.bin: the image has 516100 bytes, the largest slot of "
                    "stm32f103ze has 516096", UNFIT, "stamp", "a.bin", "-o",
                    "o.bin", "--board", BOARD)

    def test_each_board_has_its_own_slot(self):
        """An F4 starts applications behind its first sector, and their stack
        may lie in the core's own RAM."""
        board = ("-o", "o.bin", "--board", "stm32f407")
        start, room = 0x08004000, 1024 * 1024 - 0x4000
        for size, sp in ((1000, 0x20020000), (1000, 0x10010000),
                         (room, 0x20020000)):
            data = image(size, start=start, sp=sp)
            self.put("a.bin", data)
            self.run_tool("stamp", "a.bin", *board)
            self.assertEqual(self.get("o.bin"), stamped(data, 0x5A407600))
        os.remove(os.path.join(self.dir, "o.bin"))
        self.put("a.bin", image(room + 4, start=start))
        self.refuse("a.bin: the image has 1032196 bytes, the largest slot of "
                    "stm32f407 has 1032192", UNFIT, "stamp", "a.bin", *board)
        self.put("a.hex", hex_file([(SLOT, image())]))
        self.refuse("a.hex: the image (0x08001000 to 0x080013EB) is not "
                    "within the application's flash of stm32f407 "
                    "(0x08004000 to 0x080FFFFF): link it for its slot",
                    UNFIT, "stamp", "a.hex", *board)
        self.put("a.bin", image(start=start, sp=0x10010004))
        self.refuse("a.bin: the first word 0x10010004 is no stack pointer into"
                    " RAM (0x20000000 to 0x20020000, or CCM): the image has "
                    "to start with the vector table", UNFIT, "stamp", "a.bin",
                    *board)
        self.put("a.bin", image(sp=0x10010000))
        self.refuse("a.bin: the first word 0x10010000 is no stack pointer into"
                    " RAM (0x20000000 to 0x20010000): the image has to start "
                    "with the vector table", UNFIT, "stamp", "a.bin", "-o",
                    "o.bin", "--board", BOARD)

    def test_addresses(self):
        self.put("a.bin", image())
        self.refuse("a.bin: a raw binary file does not say where it belongs, "
                    "o.hex has to: give --address", USAGE, "stamp", "a.bin",
                    "-o", "o.hex", "--board", BOARD)
        self.refuse("a.bin: the image starts at 0x08001002, a vector table "
                    "needs a multiple of 4", UNFIT, "stamp", "a.bin", "-o",
                    "o.hex", "--address", "0x08001002")
        self.put("a.hex", hex_file([(SLOT, image())]))
        self.refuse("a.hex: there is data at 0x08001000, below --address "
                    "0x08002000", UNFIT, "stamp", "a.hex", "-o", "o.hex",
                    "--address", "0x08002000")
        self.put("a.hex", hex_file([(SLOT, image()),
                                    (0x1FFFF800, b"\xA5\x5A")]))
        self.refuse("a.hex: the data reaches from 0x08001000 to 0x1FFFF803, "
                    "more than 16 MB: take out what is not the application",
                    UNFIT, "stamp", "a.hex", "-o", "o.hex")


class Files(Tool):
    def test_inputs_that_cannot_be_read(self):
        stamp = ("-o", "o.bin")
        self.refuse("no.bin: No such file or directory", INPUT, "stamp",
                    "no.bin", *stamp)
        self.refuse(".: Is a directory", INPUT, "stamp", ".", *stamp)
        self.put("empty.bin", b"")
        self.refuse("empty.bin:0x0: the file is empty, expected "
                       "firmware", INPUT, "stamp",
                    "empty.bin", *stamp)
        self.put("a.elf", elf_file([(SLOT, image())], machine=62))
        self.refuse("a.elf:0x12: an ELF file for x86-64 (machine 62), expected ARM "
                    "(40)", INPUT, "stamp", "a.elf", *stamp)
        self.put("a.elf", b"\x7fELF")
        self.run_tool("stamp", "a.elf", *stamp, status=INPUT)
        self.put("a.hex", b"garbage\n")
        self.refuse("a.hex:1: the line does not start with ':'", INPUT,
                    "stamp", "a.hex", *stamp)
        self.put("a.hex", hex_record(1, 0, b"").encode())
        self.refuse("a.hex:1: no data in the Intel HEX file, expected "
                    "firmware", INPUT, "stamp",
                    "a.hex", *stamp)
        good = hex_file([(SLOT, image())])
        self.put("a.hex", good[:-12])
        self.assertIn("the file may be cut short",
                      self.run_tool("info", "a.hex", status=INPUT))

    def test_an_elf_of_this_machine(self):
        self.assertIn("expected ARM (40)",
                      self.run_tool("info", TOOL, status=INPUT))

    def test_an_output_that_cannot_be_written(self):
        self.put("a.bin", image())
        self.refuse("no/o.bin: cannot be written: No such file or directory",
                    SYSTEM, "stamp", "a.bin", "-o", "no/o.bin")
        os.mkdir(os.path.join(self.dir, "dir.bin"))
        self.refuse("dir.bin: cannot be written: Is a directory", SYSTEM,
                    "stamp", "a.bin", "-o", "dir.bin")

    def test_an_old_output_survives_an_error(self):
        self.put("a.bin", image(sp=0))
        self.put("o.bin", b"old")
        self.run_tool("stamp", "a.bin", "-o", "o.bin", status=UNFIT)
        self.assertEqual(self.get("o.bin"), b"old")

    def test_a_full_disk_is_an_error(self):
        self.put("a.bin", image())
        with open("/dev/full", "w") as full:
            done = subprocess.run([TOOL, "info", "a.bin"], cwd=self.dir,
                                  stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, SYSTEM)


class Info(Tool):
    def test_a_stamped_hex(self):
        data = stamped(image(), PRODUCT, 0x01020003)
        self.put("a.hex", hex_file([(SLOT, data)]))
        crc = struct.unpack_from("<I", data, 0x24)
        self.assertEqual(
            self.run_tool("info", "a.hex"),
            "file     a.hex\n"
            "format   Intel HEX\n"
            "address  0x08001000 to 0x080013EB\n"
            "size     1004 bytes\n"
            "vectors  stack 0x20010000, reset 0x08001041: good\n"
            "product  0x5A103E00 (stm32f103ze)\n"
            "version  1.2.3\n"
            "length   1004 bytes: good\n"
            "crc      0x%08X: good\n" % crc)

    def test_a_plain_bin(self):
        self.put("a.bin", image(sp=0))
        text = self.run_tool("info", "a.bin")
        self.assertIn("address  not in the file\n", text)
        self.assertIn("stamp    none\n", text)
        self.assertIn(": bad, the first word 0x00000000", text)

    def test_gaps_are_shown(self):
        self.put("a.hex", hex_file([(SLOT, image()), (SLOT + 2000, b"x")]))
        self.assertIn("size     2001 bytes with gaps, 2 parts\n",
                      self.run_tool("info", "a.hex"))

    def test_data_behind_a_stamped_image_is_fine(self):
        self.put("a.bin", stamped(image()) + b"\xFF" * 100)
        self.assertIn("length   1004 bytes: good\n",
                      self.run_tool("info", "a.bin"))

    def test_bad_stamps(self):
        data = bytearray(stamped(image()))
        data[500] ^= 1
        self.put("a.bin", data)
        self.assertRegex(self.run_tool("info", "a.bin", status=UNFIT),
                         r"a.bin: the stamp's CRC is 0x[0-9A-F]{8}, the "
                         r"image's is 0x[0-9A-F]{8}")
        for length in (0, 0x34, 1005, 1008, 0xFFFFFFFC):
            data = bytearray(stamped(image()))
            struct.pack_into("<I", data, 0x20, length)
            self.put("a.bin", data)
            self.refuse("a.bin: the stamp says %d bytes, there are 1004"
                        % length, UNFIT, "info", "a.bin")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
