#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast sallyport converts 16 MB, and in how much memory, beside srec_cat
and objcopy on the same files in the same run: processor time, the least of
some rounds.  Nobody else writes UF2, whose files are twice the image, so ELF to
UF2 stands beside objcopy's formats that have addresses as well.  Prints a
table.

usage: test_speed.py build/bin/sallyport
"""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

SIZE = 16 << 20
ROUNDS = 6  # at most; one is enough where all limits hold
OBJCOPY, LD = "arm-none-eabi-objcopy", "arm-none-eabi-ld"
MEMORY_LIMIT = 4 * SIZE

# name, command, name of what it must not be slower than
CASES = [
    ("sallyport .hex .dfu", ["TOOL", "convert", "a.hex", "-o", "o.dfu"]),
    ("srec_cat .hex .bin", ["srec_cat", "a.hex", "-intel", "-offset",
                            "-0x8000000", "-o", "s.bin", "-binary"]),
    ("objcopy .hex .bin", [OBJCOPY, "-I", "ihex", "-O", "binary", "a.hex",
                           "c.bin"]),
    ("sallyport .elf .uf2", ["TOOL", "convert", "a.elf", "-o", "o.uf2"]),
    ("objcopy .elf .hex", [OBJCOPY, "-O", "ihex", "a.elf", "c.hex"]),
    ("objcopy .elf .srec", [OBJCOPY, "-O", "srec", "a.elf", "c.srec"]),
    ("objcopy .elf .bin", [OBJCOPY, "-O", "binary", "a.elf", "d.bin"]),
]
LIMITS = [
    ("sallyport .hex .dfu", "srec_cat .hex .bin"),
    ("sallyport .hex .dfu", "objcopy .hex .bin"),
    ("sallyport .elf .uf2", "objcopy .elf .hex"),
    ("sallyport .elf .uf2", "objcopy .elf .srec"),
]


def run(arguments, directory):
    """(seconds of processor, bytes of memory at most)"""
    process = subprocess.Popen(arguments, cwd=directory,
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit("%s ends with status %d" % (arguments, status))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def digest(path):
    """In pieces: what this process holds counts as its children's memory."""
    sums = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 16):
            sums.update(piece)
    return sums.digest()


def make_inputs(directory):
    source = random.Random(1)
    with open(os.path.join(directory, "a.bin"), "wb") as file:
        for _ in range(SIZE >> 16):
            file.write(source.randbytes(1 << 16))
    with open(os.path.join(directory, "a.ld"), "w") as file:
        file.write("ENTRY(start) SECTIONS { . = 0x08000000; start = .; "
                   ".text : { *(.data) } }")
    run([OBJCOPY, "-I", "binary", "-O", "elf32-littlearm", "a.bin", "a.o"],
        directory)
    run([LD, "-T", "a.ld", "a.o", "-o", "a.elf"], directory)
    run([OBJCOPY, "-O", "ihex", "a.elf", "a.hex"], directory)


def place():
    """In memory where there is room, so that no disk has a say."""
    memory = "/dev/shm"
    if os.access(memory, os.W_OK) and (shutil.disk_usage(memory).free >
                                       24 * SIZE):
        return memory
    return None


def too_slow(best):
    return [pair for pair in LIMITS if best[pair[0]][0] > best[pair[1]][0]]


def measure(tool):
    best = {}
    with tempfile.TemporaryDirectory(dir=place()) as directory:
        make_inputs(directory)
        inputs = set(os.listdir(directory))
        want = digest(os.path.join(directory, "a.bin"))
        for number in range(ROUNDS):
            for name, arguments in CASES:
                arguments = [tool if word == "TOOL" else word
                             for word in arguments]
                seconds, memory = run(arguments, directory)
                least, most = best.get(name, (seconds, memory))
                best[name] = min(least, seconds), max(most, memory)
                output, = set(os.listdir(directory)) - inputs
                if name.startswith("sallyport") and number == 0:
                    # fast and wrong would be easy
                    run([tool, "convert", output, "-o", "o.bin"], directory)
                    if digest(os.path.join(directory, "o.bin")) != want:
                        sys.exit("%s has other bytes" % output)
                    os.unlink(os.path.join(directory, "o.bin"))
                os.unlink(os.path.join(directory, output))
            if not too_slow(best):
                break
    return best


def main():
    failed = 0
    best = measure(os.path.abspath(sys.argv[1]))
    for name, _ in CASES:
        print("%-20s %6.3f s  %5.1f MB" % (name, best[name][0],
                                           best[name][1] / (1 << 20)))
    for name, other in LIMITS:
        print("%s takes %.2f of %s" % (name, best[name][0] / best[other][0],
                                       other))
    for name, other in too_slow(best):
        print("FAIL: %s is slower than %s" % (name, other))
        failed = 1
    for name in best:
        if name.startswith("sallyport") and best[name][1] > MEMORY_LIMIT:
            print("FAIL: %s needs more than 4 times the image" % name)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
