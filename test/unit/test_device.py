#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sallyport tool on devices: virtual chips with the real bootloader, over
USB/IP, as a user runs it.  Times and states in virtual time:
test/chip/test_tool.c.

usage: test_device.py BOARD [unittest options]
"""
import hashlib
import json
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "e2e"))
import chip  # noqa: E402
import images  # noqa: E402

TOOL = TOP / "build" / "bin" / "sallyport"
FIRMWARE = TOP / "build" / "firmware"
SYSTEM, USAGE, INPUT, UNFIT, NO_DEVICE = 1, 2, 3, 4, 5
DEVICE, LOST, DIFFERS, INTERRUPTED = 6, 7, 8, 9

# Facts from the data sheets and docs; slots are those of profile `both`.
BOARDS = {
    "stm32f103ze": {"slot": 0x08002000, "end": 0x0807F000, "ram": 0x20010000,
                    "product": 0x5A103E00, "model": "STM32F103ZE",
                    "flash": 512, "other": "stm32f407"},
    "stm32f407": {"slot": 0x08004000, "end": 0x08100000, "ram": 0x20020000,
                  "product": 0x5A407600, "model": "STM32F407VG",
                  "flash": 1024, "other": "stm32f103ze"},
}
BOARD = "stm32f103ze"


def application(size, seed=1, board=None):
    """A plain image: vectors, noise; at its reset vector an endless loop."""
    facts = BOARDS[board or BOARD]
    data = bytearray(random.Random(seed).randbytes(size))
    data[:0x40] = bytes(0x40)
    struct.pack_into("<II", data, 0, facts["ram"], facts["slot"] + 0x41)
    data[0x40:0x42] = b"\xFE\xE7"
    return bytes(data)


class Chips(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.dir = Path(self.temp.name)
        self.facts = BOARDS[BOARD]
        self.chips = []

    def tearDown(self):
        for each in self.chips:
            self.assertEqual(each.close(), 0, "the firmware broke a rule")
        self.temp.cleanup()

    def chip(self, profile="both", board=None, image=None):
        """A running chip; .via are the options that lead to it.  With an image
        the key keeps it in its bootloader."""
        board = board or BOARD
        flash = [FIRMWARE / board / ("sallyport-%s.elf" % profile)]
        options = ["--usbip", "127.0.0.1:0", "--time", "fast"]
        if image:
            name = self.put("before%d.bin" % len(self.chips), image)
            flash.append("%s@0x%08X" % (name, self.facts["slot"]))
            options += ["--pin", "PA0=1"]
        new = chip.Chip(board, flash,
                        self.dir / ("chip%d.log" % len(self.chips)), options)
        self.chips.append(new)
        new.via = ["--via", "usbip:127.0.0.1:%d" % new.usbip_port]
        new.path = new.via[1] + "/1-1"
        self.await_device(new)  # it stays, because the slot is empty
        return new

    def await_device(self, device, mode=""):
        """Until it is on the bus: it connects twice after a reset."""
        for _ in range(200):
            done = subprocess.run([TOOL, "list", *device.via], text=True,
                                  capture_output=True, timeout=120)
            if done.returncode == 0 and mode in done.stdout:
                return
            time.sleep(0.05)
        self.fail("it does not come: " + done.stdout + done.stderr)

    def await_gone(self, device):
        """Until the bootloader has left the bus."""
        for _ in range(200):
            done = subprocess.run([TOOL, "list", *device.via],
                                  capture_output=True, timeout=120)
            if done.returncode == NO_DEVICE:
                return
            time.sleep(0.05)
        self.fail("it does not go")

    def slot(self, device, size=None):
        data = device.flash(self.dir / "saved.bin")
        at = self.facts["slot"] - 0x08000000
        return data[at:at + size] if size else data[at:]

    def put(self, name, data):
        path = self.dir / name
        path.write_bytes(data)
        return str(path)

    def demo(self, name, board=None):
        return str(FIRMWARE / (board or BOARD) / name)

    def run_tool(self, *args, status=0):
        """Standard output, or the error line where there is one."""
        done = subprocess.run([TOOL, *args], text=True, capture_output=True,
                              timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if status == 0:
            self.assertEqual(done.stderr, "")
            return done.stdout
        self.assertRegex(done.stderr, r"\A(sallyport: [^\n]+\n)+\Z")
        return done.stderr

    def devices(self, *args, status=0):
        """What --json says, a device each."""
        done = subprocess.run([TOOL, *args, "--json"], text=True,
                              capture_output=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout.count("\n"), 1)
        return json.loads(done.stdout)["devices"]

    def start(self, *args):
        return subprocess.Popen([TOOL, *args], text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def await_line(self, process, pattern):
        for line in process.stdout:
            if re.search(pattern, line):
                return
        self.fail("it ended without %r: %s" % (pattern, process.stderr.read()))

    def json_line(self, process):
        """The next line of `watch --json`."""
        guard = threading.Timer(60, process.kill)
        guard.start()
        line = process.stdout.readline()
        guard.cancel()
        self.assertTrue(line, "watch says nothing")
        return json.loads(line)

    def finish(self, process, status):
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, status, out + err)
        return err


class One(Chips):
    def test_list_and_info(self):
        device = self.chip()
        line = self.run_tool("list", *device.via)
        self.assertEqual(line.count("\n"), 1)
        for text in (device.path, "1209:0001", "DfuSe", self.facts["model"]):
            self.assertIn(text, line)
        found, = self.devices("list", *device.via)
        self.assertEqual(found["path"], device.path)
        self.assertEqual(found["product"], self.facts["model"])
        self.assertEqual(found["board"], BOARD)
        self.assertEqual(len(found["serial"]), 24)
        self.assertIn(found["serial"], line)

        text = self.run_tool("info", *device.via)
        self.assertIn("image    none", text)
        self.assertIn("read only", text)
        info, = self.devices("info", *device.via)
        memory = info["targets"][0]["memory"]
        self.assertEqual(memory[0]["address"], "0x08000000")
        self.assertFalse(memory[0]["write"])
        writable = [run for run in memory if run["write"]]
        self.assertEqual(int(writable[0]["address"], 16), self.facts["slot"])
        self.assertEqual(int(writable[-1]["last"], 16) + 1, self.facts["end"])
        self.assertNotIn("image", info)
        # the same text in the bootloader's flash, behind its vectors
        of_flash = device.flash(self.dir / "boot.bin")[0x10:].split(b"\0")[0]
        self.assertRegex(info["bootloader"], r"^\d+\.\d+\.\d+\+[0-9a-z~]+$")
        self.assertEqual(of_flash.decode(), "Sallyport " + info["bootloader"])
        self.assertIn("boot     Sallyport %s\n" % info["bootloader"], text)

    def test_the_whole_round(self):
        """flash, verify, read, info, reboot both ways, erase: the demo."""
        device = self.chip()
        demo, plain = self.demo("demo-both.hex"), self.demo("demo-both.bin")
        image = Path(plain).read_bytes()
        flashed, = self.devices("flash", demo, *device.via, "--stay")
        self.assertEqual(flashed["status"], 0)
        self.assertTrue(flashed["verified"])
        self.assertFalse(flashed["unchanged"] or flashed["started"])
        self.assertEqual(self.slot(device, len(image)), image)
        self.assertIn("the device has what is in",
                      self.run_tool("verify", demo, *device.via))
        for name in ("out.bin", "out.hex", "out.dfu", "out.uf2", "out.srec"):
            out = str(self.dir / name)
            self.run_tool("read", "-o", out, *device.via)
            self.run_tool("verify", out, *device.via)
        self.assertEqual((self.dir / "out.bin").read_bytes(), image)

        # the same lines for the device as for the file
        of_file = self.run_tool("info", demo).splitlines()
        of_device = self.run_tool("info", *device.via).splitlines()
        for key in ("address", "size", "vectors", "product", "version",
                    "length", "crc"):
            line, = [l for l in of_file if l.startswith(key + " ")]
            self.assertIn(line, of_device)
        info, = self.devices("info", *device.via)
        self.assertTrue(info["image"]["stamp"]["good"])
        self.assertEqual(info["image"]["size"], len(image))

        # unchanged: nothing is written, and it starts
        since = device.mark()
        flashed, = self.devices("flash", demo, *device.via)
        self.assertTrue(flashed["unchanged"] and flashed["started"])
        self.assertEqual(flashed["written"] + flashed["erased"], 0)
        device.wait(r"usb: disconnect", 10, since)
        self.await_device(device, "application")
        for verb in (("read", "-o", out), ("verify", demo), ("erase",)):
            self.assertIn("sallyport reboot", self.run_tool(
                *verb, *device.via, status=DEVICE))
        self.run_tool("reboot", *device.via)
        self.await_device(device, "DfuSe")
        # and flash does so by itself
        self.run_tool("reboot", *device.via)
        self.await_device(device, "application")
        flashed, = self.devices("flash", demo, "--stay", *device.via)
        self.assertTrue(flashed["unchanged"])

        self.run_tool("erase", *device.via)
        self.assertEqual(set(self.slot(device, len(image))), {0xFF})
        self.assertIn("errFIRMWARE",
                      self.run_tool("reboot", *device.via, status=DEVICE))
        self.assertIn("is empty", self.run_tool(
            "read", "-o", self.put("none.bin", b""), *device.via,
            status=DEVICE))
        self.assertIn("cannot be erased", self.run_tool(
            "erase", "--address", "0x08000000", "--length", "4", *device.via,
            status=UNFIT))

    def test_verify_and_diff(self):
        data = application(5000)
        device = self.chip(image=data)
        other = bytearray(data)
        other[1000] ^= 0xFF
        other[3001:3011] = bytes(10)
        name = self.put("b.bin", bytes(other))
        self.assertIn("at 0x%08X is the first of" % (
            self.facts["slot"] + 1000), self.run_tool(
                "verify", name, *device.via, status=DIFFERS))
        found, = self.devices("verify", name, "--diff", *device.via,
                              status=DIFFERS)
        self.assertEqual((found["same"], found["status"]), (False, DIFFERS))
        base = self.facts["slot"]
        now = bytearray(other)
        for line in found["differences"]:
            at = int(line["address"], 16) - base
            part = bytes.fromhex(line["device"])
            self.assertEqual(now[at:at + len(part)].hex(" ").upper(),
                             line["file"])
            now[at:at + len(part)] = part
        self.assertEqual(bytes(now), data)

    def test_refused_before_anything_changes(self):
        device = self.chip(image=application(6000, 3))
        slot, end = self.facts["slot"], self.facts["end"]
        size = end - slot
        before = self.slot(device)
        wrong = {
            "other.elf": None,
            "large.bin": (application(size + 4), "has room for"),
            "product.bin": (images.stamped(application(4000), 0x12345678),
                            "is for product 0x12345678"),
            "damaged.bin": (images.stamped(application(4000))[:-4] + b"abcd",
                            "is damaged"),
            "noise.bin": (random.Random(5).randbytes(4000), "stack pointer"),
            "foreign.dfu": (images.dfuse([(slot, application(4000))], 0x0483,
                                         0xDF11), "device 0483:df11"),
            "boot.dfu": (images.dfuse([(0x08000000, application(4000))]),
                         "the bootloader's flash, which is read-only"),
            "far.dfu": (images.dfuse([(0x20000000, application(4000))]),
                        "0x20000000"),
            "high.dfu": (images.dfuse([(slot + 0x4000, application(4000))]),
                         "applications start at 0x%08X" % slot),
            "behind.dfu": (images.dfuse([(slot, application(4000)),
                                         (end - 16, bytes(32))]), "room for"),
            "family.uf2": (images.uf2(application(4096), slot, 0xE48BFF56),
                           "family 0xE48BFF56"),
        }
        for name, case in wrong.items():
            if case:
                path, text = self.put(name, case[0]), case[1]
            else:
                path = self.demo("demo-both.elf", self.facts["other"])
                text = ""
            with self.subTest(name):
                message = self.run_tool("flash", path, *device.via,
                                        status=UNFIT)
                self.assertIn(text, message)
                self.assertIn(path + ": ", message)
                self.assertEqual(self.slot(device), before)
        self.run_tool("flash", self.put("cut.hex", b":10"), *device.via,
                      status=INPUT)
        report = self.run_tool("flash", self.put("new.bin", application(7000)),
                               "--dry-run", *device.via)
        self.assertIn("7000 of 7000 bytes would be written", report)
        self.assertEqual(self.slot(device), before)

    def interrupt(self, how, status):
        """Breaks off a flash in its middle; the next try succeeds."""
        device = self.chip(image=application(40000, 8))
        data = application(40000, 7)
        name = self.put("a.bin", data)
        process = self.start("flash", name, *device.via)
        self.await_line(process, "^erase")
        how(device, process)
        message = self.finish(process, status)
        found, = self.devices("flash", name, *device.via, "--stay")
        self.assertTrue(found["verified"])
        self.assertFalse(found["unchanged"])
        self.assertEqual(self.slot(device, len(data)), data)
        return message

    def test_pulled_out(self):
        def pull(device, process):
            device.command("unplug")
            process.wait(60)
            device.command("plug")
            self.await_device(device)
        self.assertRegex(self.interrupt(pull, LOST),
                         "went away .*: plug it in and try again")

    def test_power_fails(self):
        def cut(device, process):
            device.command("cut 3")
            process.wait(60)
            self.await_device(device)
        self.interrupt(cut, LOST)

    def test_ctrl_c(self):
        def interrupt(device, process):
            process.send_signal(signal.SIGINT)
        self.assertIn("interrupted", self.interrupt(interrupt, INTERRUPTED))

    def test_plain_dfu(self):
        device = self.chip("dfu11")
        self.assertIn("  DFU  ", self.run_tool("list", *device.via))
        facts = dict(self.facts)
        facts["slot"] = 0x08004000 if BOARD == "stm32f407" else 0x08001000
        start, data = facts["slot"], bytearray(application(5000))
        struct.pack_into("<I", data, 4, start + 0x41)
        name = self.put("a.bin", bytes(data))
        since = device.mark()
        found, = self.devices("flash", name, *device.via)
        self.assertFalse(found["verified"])  # it cannot be read after that
        device.wait("usb: disconnect", 15, since)
        device.command("pin PA0=1")
        device.command("reset")
        self.await_device(device)
        device.command("pin PA0=0")
        self.run_tool("verify", name, *device.via)
        self.run_tool("read", "-o", str(self.dir / "back.bin"), *device.via)
        self.assertEqual((self.dir / "back.bin").read_bytes().rstrip(b"\xff"),
                         bytes(data).rstrip(b"\xff"))
        self.run_tool("erase", *device.via, status=DEVICE)


class Selection(Chips):
    def test_which_one(self):
        first, second = self.chip(), self.chip(board=self.facts["other"])
        both = first.via + second.via
        lines = self.run_tool("list", *both).splitlines()
        self.assertEqual(len(lines), 2)
        serials = [device["serial"] for device in self.devices("list", *both)]
        # two servers are two that were named
        self.assertEqual(len(self.devices("info", *both)), 2)
        for option, value in (("--serial", serials[1]), ("--path",
                                                         second.path)):
            self.assertIn(second.path, self.run_tool("list", *both, option,
                                                     value))
        self.run_tool("list", *both, "--serial", "nobody", status=NO_DEVICE)
        self.run_tool("list", *both, "--vid:pid", "0483:df11",
                      status=NO_DEVICE)
        self.assertEqual(len(self.devices("list", *both, "-d", "1209:")), 2)
        self.assertIn("no such device", self.run_tool(
            "flash", self.demo("demo-both.elf"), *both, "--serial", "nobody",
            status=NO_DEVICE))
        for bad in ("1209", "1209:1:2", "x:y", "12345:1", ":"):
            self.run_tool("list", *both, "--vid:pid", bad, status=USAGE)

    def test_errors_in_json(self):
        done = subprocess.run([TOOL, "flash", "none.bin", "--json"], text=True,
                              capture_output=True, timeout=60)
        said = json.loads(done.stdout)
        self.assertEqual((said["devices"], said["status"]), ([], INPUT))
        self.assertEqual(done.stderr, "sallyport: %s\n" % said["error"])

    def test_servers(self):
        name = self.put("a.bin", application(4000))
        for text in ("usbip:", "usbip:127.0.0.1:x", "serial:COM1"):
            self.run_tool("flash", name, "--via", text, status=USAGE)
        self.assertIn("no connection", self.run_tool(
            "flash", name, "--via", "usbip:127.0.0.1:1", status=NO_DEVICE))
        device = self.chip()
        device.command("unplug")
        device.wait("usb: disconnect", 10)
        self.run_tool("flash", name, *device.via, status=NO_DEVICE)


class Many(Chips):
    def test_four_at_once(self):
        four = [self.chip() for _ in range(4)]
        via = [word for device in four for word in device.via]
        data = images.stamped(application(20000, 9), self.facts["product"])
        name = self.put("a.bin", data)
        found = self.devices("flash", name, "--stay", *via)
        self.assertEqual([each["path"] for each in found],
                         [device.path for device in four])
        self.assertTrue(all(each["verified"] for each in found))
        # at once: the longest, not all of them one after the other
        for device in four:
            self.assertEqual(self.slot(device, len(data)), data)
        # one is not there: the others are not touched
        new = self.put("b.bin", application(4000))
        four[2].command("unplug")
        four[2].wait("usb: disconnect", 10)
        self.assertIn("3 of 4 devices", self.run_tool("flash", new, *via,
                                                      status=NO_DEVICE))
        self.assertEqual(self.slot(four[0], len(data)), data)
        # one fails in the middle: the others do not care
        four[2].command("plug")
        self.await_device(four[2])
        four[1].command("cut 4")
        found = self.devices("flash", new, "--stay", *via, status=LOST)
        self.assertEqual([each["status"] for each in found],
                         [0, LOST, 0, 0])

    def test_runs_of_blank_and_of_other_bytes(self):
        """What the silicon has where it is erased: ones, or zeros on L0."""
        for board, slot, ram in ((BOARD, self.facts["slot"],
                                  self.facts["ram"]),
                                 ("stm32l072", 0x08002C00, 0x20005000)):
            data = bytearray(application(16384, 5))
            struct.pack_into("<II", data, 0, ram, slot + 0x41)
            data[4096:8192] = b"\xFF" * 4096
            data[9000:14000] = bytes(5000)
            name = self.put("runs.bin", bytes(data))
            device = self.chip(board=board)
            for verb in (("flash", name, "--stay"), ("verify", name)):
                self.run_tool(*verb, "--address", hex(slot), *device.via)
            out = self.dir / "read.bin"
            self.run_tool("read", "-o", str(out), *device.via)
            self.assertEqual(out.read_bytes(), data, board)

    def test_watch(self):
        first, second = self.chip(), self.chip()
        data = images.stamped(application(9000, 4), self.facts["product"])
        name = self.put("a.bin", data)
        log = self.dir / "watch.log"
        process = self.start("watch", name, *first.via, *second.via,
                             "--count", "3", "--log", str(log), "--json")
        lines = [self.json_line(process) for _ in range(2)]
        self.assertEqual({line["path"] for line in lines},
                         {first.path, second.path})
        # a board that comes back is a new one
        first.command("pin PA0=1")
        self.await_gone(first)
        time.sleep(1)  # it looks every 200 ms: the place has to be empty
        first.command("reset")
        lines.append(self.json_line(process))
        self.finish(process, 0)
        self.assertEqual(lines[2]["path"], first.path)
        self.assertEqual([line["unchanged"] for line in lines],
                         [False, False, True])
        for line in lines:
            self.assertEqual(line["sha256"],
                             hashlib.sha256(data).hexdigest())
            self.assertEqual(len(line["serial"]), 24)
            self.assertEqual(line["status"], 0)
            self.assertTrue(line["verified"] and line["started"])
            self.assertRegex(line["time"], r"\A\d{4}-.*T.*Z\Z")
        self.assertEqual([json.loads(line) for line
                          in log.read_text().splitlines()], lines)

    def test_watch_ends_by_ctrl_c(self):
        device = self.chip()
        other = self.demo("demo-both.elf", self.facts["other"])
        process = self.start("watch", other, *device.via, "--json")
        line = self.json_line(process)
        self.assertEqual(line["status"], UNFIT)
        process.send_signal(signal.SIGINT)
        self.assertIn("1 of 1 devices failed", self.finish(process, UNFIT))
        self.run_tool("watch", other, "--via", "usbip:127.0.0.1:1",
                      status=NO_DEVICE)

    def test_watch_leaves_applications_alone(self):
        """The one that it has installed has a DFU interface as well."""
        device = self.chip()
        process = self.start("watch", self.demo("demo-both.hex"), *device.via,
                             "--json")
        self.json_line(process)
        self.await_device(device, "application")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=60), ("", ""))
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in BOARDS:
        BOARD = sys.argv.pop(1)
    unittest.main()
