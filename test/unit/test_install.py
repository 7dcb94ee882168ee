#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `make install` puts there: a project of somebody else finds the
library by pkg-config and by CMake, the shells complete what the help lists,
the manual page has it all.

usage: test_install.py build
"""
import gzip
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path("build")
TOP = Path(__file__).resolve().parents[2]

PROGRAM = """
#include <sallyport/board_info.h>
#include <sallyport/fw.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct fail f = {0};
    uint64_t start = 0, end = 0;
    struct fw fw;
    bool ok;

    fw_init(&fw);
    ok = argc == 2 && fw_load(&fw, argv[1], NULL, &f);
    if (ok && fw_span(&fw, &start, &end))
        printf("%s, %s at 0x%08llX\\n", board_infos[0]->name,
               fw_format_name(fw.format), (unsigned long long)start);
    fw_free(&fw);
    return ok ? 0 : (int)f.code;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(other LANGUAGES C)
find_package(sallyport %s CONFIG REQUIRED)
add_executable(other other.c)
target_link_libraries(other PRIVATE sallyport::sallyport)
"""
HEX = ":020000040800F2\n:0400000001020304F2\n:00000001FF\n"


def run(*arguments, **options):
    done = subprocess.run([str(a) for a in arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, **options)
    if done.returncode:
        raise AssertionError("%s: status %d\n%s" % (
            " ".join(map(str, arguments)), done.returncode, done.stdout))
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.dir = Path(cls.temp.name)
        cls.prefix = cls.dir / "prefix"
        for component in ("tool", "dev"):
            run("cmake", "--install", BUILD, "--prefix", cls.prefix,
                "--component", component)
        cls.tool = cls.prefix / "bin/sallyport"
        cls.version = run(cls.tool, "--version").split()[1]
        cls.verbs = re.findall(
            r"^  (\w+) ",
            run(cls.tool, "help").split("Verbs:")[1].split("\n\n")[0], re.M)
        cls.verbs.remove("help")

    @classmethod
    def tearDownClass(cls):
        cls.temp.cleanup()

    def file(self, pattern):
        found = list(self.prefix.glob(pattern))
        self.assertEqual(len(found), 1, pattern)
        return found[0]

    def options(self, verb):
        """[(letter or "", name, argument or "")] as the help lists them."""
        text = run(self.tool, "help", verb)
        _, _, listed = text.partition("\nOptions:\n")
        return re.findall(r"^  (?:-(\w), )?--([\w:-]+) ?(\S*)", listed, re.M)


class Library(Installed):
    def build_and_run(self, program):
        image = self.dir / "a.hex"
        image.write_text(HEX)
        self.assertRegex(run(program, image),
                         r"\A\w+, Intel HEX at 0x08000000\n\Z")

    def test_pkg_config(self):
        env = dict(os.environ, PKG_CONFIG_PATH=str(
            self.file("lib/**/pkgconfig/sallyport.pc").parent))
        self.assertEqual(run("pkg-config", "--modversion", "sallyport",
                             env=env).strip(), self.version)
        flags = run("pkg-config", "--cflags", "--libs", "sallyport",
                    env=env).split()
        source = self.dir / "other.c"
        source.write_text(PROGRAM)
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source,
            "-o", self.dir / "other", *flags)
        self.build_and_run(self.dir / "other")

    def test_cmake(self):
        project = self.dir / "project"
        project.mkdir()
        (project / "other.c").write_text(PROGRAM)
        major_minor = ".".join(self.version.split(".")[:2])
        (project / "CMakeLists.txt").write_text(PROJECT % major_minor)
        run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja",
            "-DCMAKE_PREFIX_PATH=%s" % self.prefix)
        run("cmake", "--build", project / "build")
        self.build_and_run(project / "build/other")

    def test_each_header_stands_alone(self):
        headers = sorted((self.prefix / "include/sallyport").glob("*.h"))
        self.assertGreater(len(headers), 4)
        for header in headers:
            run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror",
                "-fsyntax-only", "-x", "c", header)


class Pages(Installed):
    def page(self, name):
        """As one reads it, in one line."""
        path = self.file("share/man/man1/%s.1.gz" % name)
        source = gzip.decompress(path.read_bytes())
        self.assertEqual(path.read_bytes()[4:8], bytes(4))  # no time stamp
        done = subprocess.run(
            ["groff", "-man", "-Tascii", "-ww", "-rLL=500n", "-P-c", "-P-b",
             "-P-u"], input=source, capture_output=True, check=True)
        self.assertEqual(done.stderr, b"")
        return " ".join(done.stdout.decode().split())

    def test_the_manual_page_has_what_the_help_has(self):
        page = self.page("sallyport")
        for verb in self.verbs:
            lines = run(self.tool, "help", verb).splitlines()
            for line in [lines[0][len("usage: "):]] + lines[2:]:
                if line != "Options:":
                    self.assertIn(" ".join(line.split()), page)
        statuses = run(self.tool, "--help").split("Exit status:\n")[1]
        for line in statuses.splitlines():
            self.assertIn(" ".join(line.split()), page)

    def test_the_page_of_the_chip_is_its_help(self):
        text = run(self.prefix / "bin/sallyport-chip", "--help")
        self.assertIn(" ".join(text.split()), self.page("sallyport-chip"))


class Completions(Installed):
    def bash(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _sallyport; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        path = self.file("share/bash-completion/completions/sallyport")
        return sorted(run("bash", "--norc", "-c", script, "bash", path,
                          "sallyport", *words, cwd=self.dir).split())

    def test_bash_lists_verbs_and_options(self):
        self.assertEqual(self.bash(""), sorted(
            self.verbs + ["help", "--help", "--version"]))
        self.assertEqual(self.bash("help", ""), sorted(self.verbs))
        for verb in self.verbs:
            wanted = ["--help"]
            for letter, name, _ in self.options(verb):
                wanted += ["--" + name] + ["-" + letter] * bool(letter)
            self.assertEqual(self.bash(verb, "-"), sorted(wanted))

    def test_bash_knows_values(self):
        (self.dir / "some.bin").touch()
        (self.dir / "somewhere").mkdir(exist_ok=True)
        self.assertEqual(self.bash("stamp", "some"), ["some.bin", "somewhere"])
        boards = sorted(path.parent.name
                        for path in TOP.glob("board/*/board.h"))
        self.assertEqual(self.bash("stamp", "--board", ""), boards)
        self.assertEqual(self.bash("stamp", "--board", "="), boards)
        self.assertEqual(self.bash("stamp", "--board", "=", "stm32f1"),
                         [b for b in boards if b.startswith("stm32f1")])
        self.assertEqual(self.bash("stamp", "-o", "some.b"), ["some.bin"])
        self.assertEqual(self.bash("stamp", "--address", ""), [])

    def test_zsh_has_all_options(self):
        text = self.file("share/zsh/*/_sallyport").read_text()
        self.assertTrue(text.startswith("#compdef sallyport\n"))
        for verb in self.verbs:
            part = re.search(r"^    %s\)\n(.*?);;$" % verb, text,
                             re.M | re.S).group(1)
            found = re.findall(
                r"^ +(?:'[^']*')?(?:\{-(\w),)?'--([\w:\\-]+)=?'\}?'\[", part,
                re.M)
            found = [(letter, name.replace("\\:", ":"))
                     for letter, name in found]
            self.assertEqual(found, [(letter, name) for letter, name, _
                                     in self.options(verb)])
            self.assertIn("'%s:" % verb, text)

    def test_fish_has_all_options(self):
        text = self.file("share/fish/*/sallyport.fish").read_text()
        for verb in self.verbs:
            self.assertRegex(text, r"use_subcommand -f -a %s -d " % verb)
            found = re.findall(r"from %s' -l ([\w:-]+)(?: -s (\w))?" % verb,
                               text)
            self.assertEqual(found, [(name, letter) for letter, name, _
                                     in self.options(verb)] + [("help", "")])


class UdevRule(Installed):
    def test_it_names_the_boards(self):
        text = self.file("lib/udev/rules.d/*.rules").read_text()
        number = re.match(r"\d+", self.file("lib/udev/rules.d/*.rules").name)
        self.assertLess(int(number.group()), 73)  # 73-seat-late.rules
        wanted = set()
        for header in TOP.glob("board/*/board.h"):
            wanted.add(tuple(re.search(
                r"#define BOARD_%s +0x(\w+)u" % key,
                header.read_text()).group(1).lower() for key in ("VID",
                                                                 "PID")))
        found = re.findall(r'ATTR\{idVendor\}=="(\w+)", '
                           r'ATTR\{idProduct\}=="(\w+)", TAG\+="uaccess"',
                           text)
        self.assertEqual(sorted(found), sorted(wanted))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
