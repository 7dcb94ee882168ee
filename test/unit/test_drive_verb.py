#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs `sallyport drive` on a directory that behaves as the volume of a board
does: it takes a file, goes away, and comes back with the result.

usage: test_drive_verb.py build/bin/sallyport
"""
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest

import test_cli
from test_cli import (INPUT, USAGE, UNFIT, elf_file, hex_file, image,
                      stamped)
from test_convert import uf2_image

NO_DEVICE, DEVICE, LOST, INTERRUPTED = 5, 6, 7, 9
BOARD, SERIAL, F1 = "stm32f103ze", "2468ACE01357", 0x5EE21072
PRODUCT = 0x5A103E00
SLOT, SLOT_SIZE = 0x08002000, 0x7D000
STATUS = """product: STM32F103ZE
board: %(board)s
version: 0.1.0+0123abcd
slot: 0x%(slot)08x+0x%(size)08x
flash: @Internal Flash /0x08000000/04*002Ka,62*008Kg,01*004Kg,02*002Ka
serial: %(serial)s
offset: 0x%(offset)08x
result: %(state)-7s 0x%(code)02x %(sentence)s
%(more)s"""


class Volume(threading.Thread):
    """`decide` gets the bytes of a file that seems to be complete and returns
    the result, (state, code, sentence, offset), or None: nothing happens."""

    def __init__(self, path, decide=lambda data: ("SUCCESS", 0, "no error", 0),
                 state="READY", leads_to=None, **facts):
        super().__init__(daemon=True)
        self.path, self.decide = path, decide
        self.facts = dict(board=BOARD, slot=SLOT, size=SLOT_SIZE,
                          serial=SERIAL, more="")
        self.facts.update(facts)
        self.name = self.data = None
        self.over = False
        self.show(state)
        # A file cannot be written to the end: its name leads elsewhere.
        self.early = leads_to == "/nowhere/at/all"
        for name in ("FIRMWARE.BIN", "FIRMWARE.UF2") if leads_to else ():
            os.symlink(leads_to, os.path.join(self.path, name))

    def show(self, state, code=0, sentence="no error", offset=0):
        os.mkdir(self.path)
        text = STATUS % dict(self.facts, state=state, code=code,
                             sentence=sentence, offset=offset)
        with open(os.path.join(self.path, state + ".txt"), "w",
                  encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def complete(data):
        if data[:4] == b"UF2\n":
            return len(data) == 512 * struct.unpack_from("<I", data, 24)[0]
        if data[0x1C:0x20] == b"SALY":
            length, = struct.unpack_from("<I", data, 0x20)
            return len(data) >= length
        return False

    def run(self):
        if self.early:
            time.sleep(0.5)
            self.decided(self.decide(b""))
            return
        while not self.over:
            time.sleep(0.02)
            for name in os.listdir(self.path):
                if name.startswith(".") or name.endswith(".txt") or \
                        os.path.islink(os.path.join(self.path, name)):
                    continue
                with open(os.path.join(self.path, name), "rb") as file:
                    data = file.read()
                if self.complete(data):
                    time.sleep(0.1)  # the host is through with its flush
                    self.name, self.data = name, data
                    self.decided(self.decide(data))
                    return

    def decided(self, result):
        if not result:
            return
        os.rename(self.path, self.path + ".gone")
        time.sleep(0.1)
        self.show(*result)


class Drive(test_cli.Tool):
    def setUp(self):
        super().setUp()
        self.volumes = []
        self.volume = None

    def tearDown(self):
        for volume in self.volumes:
            volume.over = True
            if volume.is_alive():
                volume.join(5)
        super().tearDown()

    def plug(self, *args, **kwargs):
        self.volume = Volume(os.path.join(self.dir, "BOOTLOADER"), *args,
                             **kwargs)
        self.volumes.append(self.volume)
        self.volume.start()

    def drive(self, name, *options, status=0):
        """Output; or the message, and the output in self.said.  The files of
        the directory are the fake's, so they may differ afterwards."""
        done = subprocess.run(
            [test_cli.TOOL, "drive", name, "--mount", "BOOTLOADER", *options],
            cwd=self.dir, text=True, capture_output=True, timeout=60)
        self.said = done.stdout
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status == 0:
            self.assertEqual(done.stderr, "")
            return done.stdout
        self.assertRegex(done.stderr, r"\Asallyport: [^\n]+\n\Z")
        return done.stderr[len("sallyport: "):].strip()

    def untouched(self):
        """Nothing was copied."""
        self.assertEqual(os.listdir(os.path.join(self.dir, "BOOTLOADER")),
                         ["READY.txt"])


class Installs(Drive):
    def test_a_stamped_bin_goes_as_it_is(self):
        data = stamped(image(5001, SLOT), PRODUCT)
        self.put("a.bin", data)
        self.plug()
        out = self.drive("a.bin")
        self.assertEqual((self.volume.name, self.volume.data),
                         ("FIRMWARE.BIN", data))
        self.assertEqual(
            out, "BOOTLOADER: STM32F103ZE (board stm32f103ze, serial "
            "2468ACE01357, bootloader 0.1.0+0123abcd), slot 0x08002000 to "
            "0x0807EFFF\na.bin: 5004 bytes as FIRMWARE.BIN\ncopied, "
            "waiting for the result: eject the volume, or the board takes its "
            "time\nSUCCESS: a.bin is installed, it "
            "starts at the next reset\n")

    def test_other_files_go_as_uf2(self):
        data = image(70001, SLOT)
        padded = data + b"\xFF" * (-len(data) % 256)
        for name, content in (("a.bin", data),
                              ("a.hex", hex_file([(SLOT, data)])),
                              ("a.elf", elf_file([(SLOT, data)]))):
            self.put(name, content)
            self.plug()
            self.drive(name)
            self.assertEqual(self.volume.name, "FIRMWARE.UF2")
            self.assertEqual(uf2_image(self.volume.data), (SLOT, padded, F1))
            os.rename(self.volume.path, self.volume.path + name)
            os.rename(self.volume.path + ".gone", self.volume.path + name
                      + ".gone")

    def test_a_stamped_hex_with_gaps(self):
        data = stamped(image(3001, SLOT)[:1000] + b"\xFF" * 500
                       + image(3000, SLOT)[1500:], PRODUCT)
        self.put("a.hex", hex_file([(SLOT, data[:1000]),
                                    (SLOT + 1500, data[1500:])]))
        self.plug()
        self.drive("a.hex")
        self.assertEqual(self.volume.data, data)

    def test_a_board_that_the_tool_does_not_know(self):
        data = stamped(image(1001, SLOT), 7)
        self.put("a.bin", data)
        self.plug(board="nucleo")
        self.drive("a.bin")
        self.assertEqual(self.volume.data, data)

    def test_after_an_earlier_result(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(state="SUCCESS")
        self.drive("a.bin")
        self.assertIsNotNone(self.volume.data)

    def test_volume_that_says_more(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(more="\u6ca1\u6709\u9519\u8bef\n"
                  "firmware: 1.2.3 APP.BIN\n")
        self.assertIn("has 1.2.3 APP.BIN now\n",
                      self.drive("a.bin", "--dry-run"))
        self.drive("a.bin", "--dry-run", "--json")
        self.assertEqual(json.loads(self.said)["firmware"], "1.2.3 APP.BIN")

    def test_dry_run_copies_nothing(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug()
        self.assertIn("a.bin: fits, 1004 bytes would be copied as "
                      "FIRMWARE.BIN\n", self.drive("a.bin", "--dry-run"))
        self.untouched()


class Results(Drive):
    def test_json(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: ("ERROR", 7, "image damaged", 0x1234))
        message = self.drive("a.bin", "--json", status=DEVICE)
        said = json.loads(self.said)
        self.assertGreater(said.pop("seconds"), 0)
        self.assertEqual(said, {
            "file": "a.bin", "volume": "BOOTLOADER", "product": "STM32F103ZE",
            "board": BOARD, "serial": SERIAL, "bootloader": "0.1.0+0123abcd",
            "address": "0x08002000", "room": SLOT_SIZE,
            "copied_as": "FIRMWARE.BIN", "copied": 1004, "result": "ERROR",
            "code": 7, "sentence": "image damaged", "offset": 0x1234,
            "status": DEVICE, "error": message})

    def test_json_of_a_file_that_is_none(self):
        self.put("bad.hex", b":0000\n")
        message = self.drive("bad.hex", "--json", status=INPUT)
        self.assertEqual(json.loads(self.said), {
            "file": "bad.hex", "status": INPUT, "error": message})

    def test_ctrl_c(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: None)
        with subprocess.Popen(
                [test_cli.TOOL, "drive", "a.bin", "--mount", "BOOTLOADER"],
                cwd=self.dir, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as tool:
            while "waiting" not in tool.stdout.readline():
                pass
            tool.send_signal(signal.SIGINT)
            self.assertEqual(tool.wait(20), INTERRUPTED)
            self.assertEqual(tool.stderr.read(), "sallyport: interrupted "
                             "while waiting for the result\n")

    def test_an_error_of_the_board(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: ("ERROR", 7, "image damaged", 0x1234))
        self.assertEqual(
            self.drive("a.bin", status=DEVICE),
            "a.bin: the board says ERROR 0x07 image damaged (offset "
            "0x00001234)")

    def test_a_board_that_has_seen_enough(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: ("ERROR", 4, "erase failed", 0x400),
                  leads_to="/nowhere/at/all")
        self.assertEqual(
            self.drive("a.bin", status=DEVICE),
            "a.bin: the board says ERROR 0x04 erase failed (offset "
            "0x00000400)")
        self.assertIn("went away in mid-copy, waiting", self.said)

    def test_a_board_that_has_it_already(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(leads_to="/nowhere/at/all")
        said = json.loads(self.drive("a.bin", "--json"))
        self.assertEqual((said["status"], said["result"]), (0, "SUCCESS"))
        self.assertNotIn("error", said)

    def test_pulled_out_in_mid_copy(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(leads_to="/nowhere/at/all")
        self.volume.show = lambda *result: None
        self.assertRegex(self.drive("a.bin", "--timeout", "1", status=LOST),
                         r"\ABOOTLOADER/FIRMWARE.BIN: the volume went away in "
                         r"mid-copy: ")

    def test_a_volume_that_is_full(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(leads_to="/dev/full")
        self.assertEqual(
            self.drive("a.bin", status=DEVICE),
            "BOOTLOADER/FIRMWARE.BIN: the file does not fit there")

    def test_ready_means_that_the_board_was_reset(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: ("READY", 0, "no error", 0))
        self.assertEqual(
            self.drive("a.bin", status=LOST), "the board was reset before "
            "the file was installed: try again")

    def test_nothing_comes(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: None)
        self.assertEqual(
            self.drive("a.bin", "--timeout", "1", status=LOST),
            "BOOTLOADER: the volume did not come back with a result within "
            "1 s; the file was copied, look at the board")

    def test_another_board_in_its_place(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug(lambda data: self.volume.facts.update(serial="OTHER") or
                  ("SUCCESS", 0, "no error", 0))
        self.drive("a.bin", "--timeout", "1", status=LOST)


class Refuses(Drive):
    def refuse_file(self, message, data, name="a.bin", status=UNFIT,
                    **facts):
        self.put(name, data)
        self.plug(**facts)
        self.assertEqual(self.drive(name, status=status), message)
        self.untouched()
        self.volume.over = True
        self.volume.join(5)
        os.rename(self.volume.path, self.volume.path + message[:20])

    def test_images_for_something_else(self):
        place = ("the image is for 0x%08X to 0x%08X, the slot of this board "
                 "is 0x08002000 to 0x0807EFFF: link it for that")
        at_dfu = image(1001, 0x08001000)
        self.refuse_file("a.hex: " + place % (0x08001000, 0x080013E8),
                         hex_file([(0x08001000, at_dfu)]), "a.hex")
        self.refuse_file(
            "a.bin: the reset vector 0x08001041 lies outside the image "
            "(0x08002000 to 0x080023E8): link the application for its slot, "
            "or say with --address where its vector table is", at_dfu)
        self.refuse_file(
            "a.bin: the image has 512001 bytes, the slot of this board has "
            "512000", image(SLOT_SIZE + 1, SLOT))
        self.refuse_file(
            "a.bin: the image is for product 0x5A407600, stm32f103ze is "
            "0x5A103E00", stamped(image(1001, SLOT), 0x5A407600))
        self.refuse_file(
            "a.bin: the first word 0x20020000 is no stack pointer into RAM "
            "(0x20000000 to 0x20010000): the image has to start with the "
            "vector table", image(1001, SLOT, sp=0x20020000))

    def test_another_family(self):
        self.put("o.bin", image(1001, SLOT, sp=0x20001000))
        self.run_tool("convert", "o.bin", "-o", "o.uf2", "--address",
                      hex(SLOT))
        data = bytearray(self.get("o.uf2"))
        for i in range(0, len(data), 512):
            struct.pack_into("<I", data, i + 8, 0x2000)
            struct.pack_into("<I", data, i + 28, 0x57755A57)
        self.refuse_file(
            "o.uf2: the file is for family 0x57755A57, stm32f103ze takes "
            "0x5EE21072: convert the firmware's .bin, .hex or ELF file for "
            "this board", data, "o.uf2")

    def test_several_alternate_settings(self):
        self.put("o.bin", stamped(image(1001, SLOT)))
        for alternate in "0", "1":
            self.run_tool("convert", "o.bin", "-o", alternate + ".dfu",
                          "--address", hex(SLOT), "--alt", alternate)
        self.run_tool("merge", "0.dfu", "1.dfu", "-o", "a.dfu")
        self.refuse_file(
            "a.dfu: the file has data for several alternate settings, the "
            "drive takes the application alone: take it out with 'sallyport "
            "convert --alt'", self.get("a.dfu"), "a.dfu")
        self.plug()
        self.drive("0.dfu")
        self.assertEqual(self.volume.data, self.get("o.bin"))

    def test_damaged_images(self):
        data = bytearray(stamped(image(1001, SLOT)))
        data[500] ^= 1
        self.refuse_file("a.bin: the file is damaged: its CRC is not that of "
                         "its stamp", bytes(data))
        self.refuse_file("a.bin: the stamp says 1004 bytes, the file has 800",
                         stamped(image(1001, SLOT))[:800])

    def test_files_that_are_none(self):
        self.plug()
        self.assertRegex(self.drive("none.bin", status=INPUT), "none.bin")
        self.put("bad.hex", b":0000\n")
        self.assertRegex(self.drive("bad.hex", status=INPUT), "bad.hex:1:")
        self.untouched()

    def test_the_file_is_looked_at_before_the_board(self):
        self.put("bad.hex", b":0000\n")
        self.assertRegex(self.drive("bad.hex", status=INPUT), "bad.hex:1:")


class Finds(Drive):
    def test_directories_that_are_no_volume(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        message = ("BOOTLOADER: no READY.txt, SUCCESS.txt or ERROR.txt of a "
                   "bootloader in this directory")
        self.assertEqual(self.drive("a.bin", status=NO_DEVICE), message)
        os.mkdir(os.path.join(self.dir, "BOOTLOADER"))
        self.assertEqual(self.drive("a.bin", status=NO_DEVICE), message)
        good = STATUS % dict(board=BOARD, slot=SLOT, size=SLOT_SIZE,
                             serial=SERIAL, state="READY", code=0, offset=0,
                             sentence="no error", more="")
        for text in ("", "Raspberry Pi RP2\n", good[:100],
                     good.replace("slot: 0x08002000+0x0007d000",
                                  "slot: 0xFFFFFFFF+0xFFFFFFFF"),
                     good.replace("slot: 0x", "slot: 0x0"),
                     good.replace("+0x0007d000", "+0x00000000"),
                     good.replace("result: READY", "result: GREEN"),
                     good.replace("result: READY   0x", "result: READY ")):
            self.assertNotEqual(text, good)
            self.put("BOOTLOADER/READY.txt", text.encode())
            self.assertEqual(self.drive("a.bin", status=NO_DEVICE), message)

    def test_the_status_file_in_capitals_with_cr_lf(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug()
        path = os.path.join(self.dir, "BOOTLOADER", "READY.txt")
        with open(path) as file:
            text = file.read()
        os.unlink(path)
        self.put("BOOTLOADER/READY.TXT", text.replace("\n", "\r\n").encode())
        self.assertIn("SUCCESS", self.drive("a.bin"))

    def test_serial(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.plug()
        self.assertEqual(
            self.drive("a.bin", "--serial", "ABC", status=NO_DEVICE),
            "BOOTLOADER: no READY.txt, SUCCESS.txt or ERROR.txt of a "
            "bootloader with serial number ABC in this directory")
        self.drive("a.bin", "--serial", SERIAL.lower())

    def test_none_at_all(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.assertRegex(
            self.run_tool("drive", "a.bin", "--label", "NO SUCH",
                          status=NO_DEVICE), "no volume NO SUCH is mounted")

    def test_bad_options(self):
        self.put("a.bin", stamped(image(1001, SLOT)))
        self.refuse("drive: --mount and --label exclude each other (see "
                    "'sallyport help drive')", USAGE, "drive", "a.bin",
                    "--mount", "x", "--label", "y")
        self.drive("a.bin", "--timeout", "soon", status=USAGE)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        test_cli.TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
