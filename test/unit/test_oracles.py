#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Firmware files of this build through the sallyport tool and through tools
that have nothing to do with it: what one writes the other has to read, with
the same bytes at the same addresses.

usage: test_oracles.py build/bin/sallyport build/firmware
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOL, FIRMWARE = "build/bin/sallyport", "build/firmware"
OBJCOPY = "arm-none-eabi-objcopy"
VID, PID, REVISION = 0x1209, 0x0001, 0x0123


def needs(*programs):
    missing = [name for name in programs if not shutil.which(name)]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))


def samples():
    """A bootloader and an application of each board."""
    found = []
    for board in sorted(os.listdir(FIRMWARE)):
        for name in ("sallyport-dfu.elf", "demo-dfu.elf"):
            found += glob.glob(os.path.join(FIRMWARE, board, name))
    return found


class Oracle(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.dir = self.temp.name
        files = samples()
        self.assertGreaterEqual(len(files), 2)
        self.samples = [self.sample(path) for path in files]

    def tearDown(self):
        self.temp.cleanup()

    def run_it(self, *args):
        done = subprocess.run(args, cwd=self.dir, capture_output=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, (args, done.stdout[-2000:],
                                              done.stderr[-2000:]))
        return done.stdout.decode(errors="replace")

    def get(self, name):
        with open(os.path.join(self.dir, name), "rb") as file:
            return file.read()

    def convert(self, name, output, *options):
        self.run_it(TOOL, "convert", name, "-o", output, *options)
        return self.get(output)

    def sample(self, path):
        """(path of the ELF, address, bytes) by objcopy."""
        self.run_it(OBJCOPY, "-O", "binary", path, "sample.bin")
        self.run_it(OBJCOPY, "-O", "srec", path, "sample.srec")
        lines = self.get("sample.srec").decode().split()
        address = min(int(line[4:12], 16) for line in lines
                      if line.startswith("S3"))
        return path, address, self.get("sample.bin")

    def check(self, name, address, data):
        """What the tool reads there."""
        text = self.run_it(TOOL, "info", name)
        self.assertIn("address  0x%08X to " % address, text)
        self.assertEqual(self.convert(name, "check.bin"), data, name)

    @needs(OBJCOPY)
    def test_objcopy(self):
        for path, address, data in self.samples:
            self.check(path, address, data)
            for form, name in (("ihex", "a.hex"), ("srec", "a.srec")):
                self.convert(path, name)
                self.run_it(OBJCOPY, "-I", form, "-O", "binary", name, "b.bin")
                self.assertEqual(self.get("b.bin"), data)
                for more in ([], ["--srec-len", "77"], ["--srec-forceS3"]):
                    self.run_it(OBJCOPY, *more, "-O", form, path, "c")
                    self.check("c", address, data)

    @needs("srec_cat")
    def test_srec_cat(self):
        for path, address, data in self.samples:
            for option, name in (("-intel", "a.hex"), ("-motorola", "a.srec")):
                self.convert(path, name)
                self.run_it("srec_cat", name, option, "-offset",
                            "-0x%X" % address, "-o", "b.bin", "-binary")
                self.assertEqual(self.get("b.bin"), data)
            with open(os.path.join(self.dir, "d.bin"), "wb") as file:
                file.write(data)
            for more in (["-intel"], ["-intel", "-obs=255"],
                         ["-motorola"], ["-motorola", "-obs=250"],
                         ["-motorola", "-disable=exec-start-address"],
                         ["-motorola", "-disable=header"],
                         ["-intel", "-execution-start-address=0x8000101"]):
                self.run_it("srec_cat", "d.bin", "-binary", "-offset",
                            "0x%X" % address, "-o", "c", *more)
                self.check("c", address, data)

    @needs("srec_cat")
    def test_srec_cat_in_segments_of_64k(self):
        """Intel HEX with records of type 02, S1 and S2 records."""
        data = self.samples[0][2][:4000]
        with open(os.path.join(self.dir, "d.bin"), "wb") as file:
            file.write(data)
        for address, more in ((0xFF00, ["-intel", "-address-length=3"]),
                              (0x400, ["-motorola", "-address-length=2"]),
                              (0xFF00, ["-motorola", "-address-length=3"])):
            self.run_it("srec_cat", "d.bin", "-binary", "-offset",
                        "0x%X" % address, "-o", "c", *more)
            self.check("c", address, data)

    @needs("dfu-suffix")
    def test_dfu_suffix(self):
        usb = "%04X:%04X:%04X" % (VID, PID, REVISION)
        for path, address, data in self.samples:
            for kind, number in (("dfuse", "0x011A"), ("plain", "0x0100")):
                self.convert(path, "a.dfu", "--dfu", kind, "--vid:pid", usb)
                text = self.run_it("dfu-suffix", "-c", "a.dfu")
                for name, value in (("BCD device", "0x%04X" % REVISION),
                                    ("Product ID", "0x%04X" % PID),
                                    ("Vendor ID", "0x%04X" % VID),
                                    ("BCD DFU", number)):
                    self.assertRegex(text, name + r":\s*" + value)
            with open(os.path.join(self.dir, "b.dfu"), "wb") as file:
                file.write(data)
            self.run_it("dfu-suffix", "-v", hex(VID), "-p", hex(PID), "-d",
                        hex(REVISION), "-a", "b.dfu")
            self.assertEqual(self.get("b.dfu"), self.get("a.dfu"))
            self.run_it("dfu-suffix", "-D", "a.dfu")
            self.assertEqual(self.get("a.dfu"), data)

    @needs("dfuse-pack")
    def test_dfuse_pack(self):
        for path, address, data in self.samples:
            self.convert(path, "a.dfu", "--vid:pid", "1209:0001")
            text = self.run_it("dfuse-pack", "-d", "a.dfu")
            self.assertNotIn("ERROR", text)
            self.assertIn("usb: 1209:0001", text)
            images = re.findall(r"\d+, address: 0x(\w+), size: (\d+)\n"
                                r'\s*DUMPED IMAGE TO "(.+)"', text)
            got = b""
            for at, size, name in images:
                got = got.ljust(int(at, 16) - address, b"\xFF")
                got += self.get(name)
            self.assertEqual(got, data)
            self.convert(path, "a.bin")
            self.convert(path, "a.srec")
            self.run_it("dfuse-pack", "-b", "0x%X:a.bin" % address, "-D",
                        "0x1209:0x0001", "b.dfu")
            self.check("b.dfu", address, data)
            self.assertIn("device   1209:0001",
                          self.run_it(TOOL, "info", "b.dfu"))
            self.run_it("dfuse-pack", "-s", "a.srec", "c.dfu")
            self.check("c.dfu", address, data)

    @needs("dfuse-pack")
    def test_dfuse_pack_with_alternate_settings(self):
        path, address, data = self.samples[0]
        self.convert(path, "a.bin")
        with open(os.path.join(self.dir, "o.bin"), "wb") as file:
            file.write(b"options")
        self.run_it("dfuse-pack", "-b", "0x%X:a.bin" % address, "-b",
                    "0x1FFFC000@1:o.bin", "b.dfu")
        self.convert("b.dfu", "c.dfu")
        for name in ("b.dfu", "c.dfu"):
            self.assertEqual(self.convert(name, "0.bin", "--alt", "0"), data)
            self.assertEqual(self.convert(name, "1.bin", "--alt", "1"),
                             b"options")
            text = self.run_it("dfuse-pack", name)
            self.assertIn("alt setting: 0", text)
            self.assertIn("alt setting: 1", text)

    @needs("dfu-suffix", "dfuse-pack")
    def test_what_the_build_makes(self):
        found = glob.glob(os.path.join(FIRMWARE, "*", "demo-*.dfu"))
        self.assertGreaterEqual(len(found), 4)
        for path in found:
            data = self.get(path[:-3] + "bin")
            self.assertEqual(self.convert(path, "a.bin"), data)
            uf2 = self.convert(path[:-3] + "uf2", "b.bin")
            self.assertEqual(uf2, data + b"\xFF" * (-len(data) % 256))
            self.run_it("dfu-suffix", "-c", path)
            text = self.run_it("dfuse-pack", path)
            self.assertIn("size: %d\n" % len(data), text)
            self.assertNotIn("ERROR", text)

    @needs("fwupdtool")
    def test_fwupdtool(self):
        for path, address, data in self.samples[:2]:
            for name, kind, more in (("a.dfu", "dfuse", ()),
                                     ("p.dfu", "dfu", ("--dfu", "plain")),
                                     ("a.hex", "ihex", ()),
                                     ("a.srec", "srec", ())):
                self.convert(path, name, *more)
                text = self.run_it("fwupdtool", "firmware-parse", name, kind)
                sizes = [int(size, 16) for size in re.findall(
                    r'<data[^>]* size="0x(\w+)"', text)]
                self.assertIn(len(data), sizes, text)
                if kind != "dfu":
                    self.assertIn("<addr>0x%x</addr>" % address, text)

    @needs("fwupdtool")
    def test_fwupdtool_writes_the_same_dfu(self):
        """And has nothing against our UF2."""
        for path, address, data in self.samples[:2]:
            want = self.convert(path, "a.dfu")
            self.run_it("fwupdtool", "firmware-convert", "a.dfu", "b.dfu",
                        "dfuse", "dfuse")
            self.assertEqual(self.get("b.dfu"), want)
            self.convert(path, "a.uf2")
            text = self.run_it("fwupdtool", "firmware-parse", "a.uf2", "uf2")
            self.assertIn("<addr>0x%x</addr>" % address, text)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        FIRMWARE = os.path.abspath(sys.argv.pop(2))
        TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
