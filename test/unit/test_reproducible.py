#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The firmware is the same to the byte wherever it is built: one bootloader
and its demo, twice.  `make dist` does it with everything.

usage: test_reproducible.py build/bin/sallyport
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
TOOL = TOP / "build/bin/sallyport"
PACK = TOP / "build/host/firmware-pack"
BOARD, PROFILE = "stm32f407", "both"
PARTS = ["app", "board", "cmake", "core", "port", "test/firmware"]


def run(*command, env):
    done = subprocess.run([str(part) for part in command], text=True, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError(done.stdout)


class Reproducible(unittest.TestCase):
    def build(self, place, **changed):
        """{file: contents}"""
        env = dict(os.environ, **changed)
        for part in PARTS:
            shutil.copytree(TOP / part, place / "source" / part)
        run("cmake", "-S", place / "source/cmake/firmware", "-B",
            place / "out", "-G", "Ninja", "-DSALLYPORT_TOOL=%s" % TOOL,
            "-DSALLYPORT_PACK=%s" % PACK, "-DSALLYPORT_OUTPUT=%s" % (place / "firmware"),
            "-DSALLYPORT_VERSION=1.2.3", "-DSALLYPORT_BUILD=01234567",
            "-DSALLYPORT_BOARDS=" + BOARD, "-DCMAKE_TOOLCHAIN_FILE=%s" % (
                place / "source/cmake/arm-none-eabi.cmake"), env=env)
        run("cmake", "--build", place / "out", "--target",
            "sallyport-%s-%s" % (BOARD, PROFILE),
            "demo-%s-%s" % (BOARD, PROFILE), env=env)
        return {str(path.relative_to(place / "firmware")): path.read_bytes()
                for path in (place / "firmware").rglob("*") if path.is_file()}

    def test_two_directories_one_result(self):
        with tempfile.TemporaryDirectory() as temp:
            one = self.build(Path(temp) / "a", TZ="UTC")
            other = self.build(Path(temp) / "some/other place",
                               TZ="Pacific/Kiritimati")
            self.assertEqual(sorted(one), sorted(other))
            self.assertGreaterEqual(len(one), 6)
            for name, data in one.items():
                self.assertEqual(data == other[name], True, name)
                self.assertNotIn(temp.encode(), data, name)
            self.assertIn(b"1.2.3+01234567", one[
                "%s/linked/sallyport-%s.elf" % (BOARD, PROFILE)])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        TOOL = Path(sys.argv.pop(1)).resolve()
    unittest.main()
