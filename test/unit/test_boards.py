#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Folders of boards as their makers get them wrong: each ends in one sentence
that says which folder, what is wrong, and what belongs there.  That a right
one works is test/e2e (outside_the_tree)."""
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "docs/example/gadget"


class Boards(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.folder = Path(self.temp.name) / "gadget"
        shutil.copytree(EXAMPLE, self.folder)

    def tearDown(self):
        self.temp.cleanup()

    def find(self, *folders):
        """(status, what cmake says in one line)."""
        project = Path(self.temp.name) / "project"
        project.mkdir(exist_ok=True)
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.20)\nproject(boards NONE)\n"
            "include(%s)\n" % (TOP / "cmake/firmware/boards.cmake"))
        done = subprocess.run(
            ["cmake", "-S", project, "-B", project / "build",
             "-DSALLYPORT_BOARD_DIR=" + ";".join(map(str, folders))],
            text=True, capture_output=True)
        return done.returncode, " ".join(done.stderr.split())

    def refused(self, text, *folders):
        status, said = self.find(*(folders or [self.folder]))
        self.assertNotEqual(status, 0)
        self.assertIn("board folder %s: %s" % (
            (folders or [self.folder])[-1], text), said)

    def change(self, file, pattern, by):
        path = self.folder / file
        text, count = re.subn(pattern, by, path.read_text())
        self.assertEqual(count, 1)
        path.write_text(text)

    def test_the_example_is_right(self):
        self.assertEqual(self.find(self.folder), (0, ""))
        self.assertEqual(self.find(str(self.folder) + "/"), (0, ""))

    def test_files_are_missing(self):
        (self.folder / "board.cmake").unlink()
        self.refused("there is no board.cmake in it (docs/bring-up.md)")
        shutil.copy(EXAMPLE / "board.cmake", self.folder)
        (self.folder / "board.h").unlink()
        self.refused("there is no board.h in it (docs/bring-up.md)")

    def test_names(self):
        self.change("board.h", '"gadget"', '"Gadget"')
        self.refused('board.h has to say: #define BOARD_NAME "gadget", as '
                     'the folder is called')
        self.refused("there is a board stm32f407 already, in %s: name the "
                     "folder and BOARD_NAME otherwise"
                     % (TOP / "board/stm32f407"),
                     shutil.copytree(TOP / "board/stm32f407",
                                     Path(self.temp.name) / "stm32f407"))
        self.refused("a board's name is letters, digits, - and _",
                     shutil.copytree(EXAMPLE, Path(self.temp.name) / "a b"))

    def test_family(self):
        self.change("board.cmake", "F103", "F999")
        self.refused('FAMILY in board.cmake is "F999", known are F103, ')

    def test_memories(self):
        self.change("board.h", r"\(48u \* 1024u\)", "0xC000u")
        self.refused("board.h has to say how large the memory is, like this: "
                     "#define BOARD_RAM_SIZE (64u * 1024u)")

    def test_two_of_them(self):
        other = shutil.copytree(self.folder, Path(self.temp.name) / "other")
        (other / "board.h").write_text((other / "board.h").read_text().replace(
            '"gadget"', '"other"'))
        self.assertEqual(self.find(self.folder, other), (0, ""))


if __name__ == "__main__":
    unittest.main()
