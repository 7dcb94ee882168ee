# SPDX-License-Identifier: MIT
"""
End-to-end cases of the drive: Linux mounts it, copies a file in one of the
usual ways, and finds the result on the volume that comes back.
"""

import contextlib
import random
import re
import subprocess
import time
from pathlib import Path

import images
from bench import (BOARDS, KB, LOGS, OTHERS, STAGED, STAGED_SLOW, Bench, Layout,
                   add, app_line, check, last_drawn, on_both, same)
from chip import ROOT
from guest.build import libraries

OLD, NEW = "1.0.0", "2.0.0"
CHUNKED = 150 * KB      # more than two chunks of 64 KB
LIMIT = 180             # from the end of the copy to the result
QUIET_LIMIT = 600       # the same where the host says nothing of an end

# What a user would see in the kernel's log, or a vendor be told of.
TROUBLE = re.compile(
    r"I/O error|lost .*page write|FAT-fs|Sense Key|Add\. Sense|FAILED Result|"
    r"rejecting I/O|reset (low|full|high)-speed|WARNING|BUG", re.I)
# It was still mounted when it went; there is no umount without this line.
GONE = "unable to read boot sector to mark fs as"

# How a file ($f) gets onto the volume ($m): a user, a script, dd with its
# own fsync after each 64 KB, a browser, a second try, a drag of several files.
WAYS = {
    "cp": 'cp $f "$m/app 2.0.$x"',
    "cp_then_sync": "cp $f $m/app.$x && sync",
    "dd": "dd if=$f of=$m/app.$x bs=4k",
    "dd_chunks":
        "i=0; while [ $((i * 65536)) -lt $(stat -c %s $f) ]; do\n"
        "dd if=$f of=$m/app.$x bs=64k count=1 skip=$i seek=$i "
        "conv=notrunc,fsync || exit\n"
        "i=$((i + 1)); done",
    "rename": 't="$m/Unconfirmed 429496.crdownload"; dd if=$f of="$t" bs=32k '
              '&& mv "$t" $m/app.$x',
    "overwrite": "cp $o $m/app.$x && cp $f $m/app.$x",
    "two_files": "cp $f $m/app.$x & a=$!; cp $p $m/photo.jpg || exit; "
                 "wait $a",
}
DESKTOP = ("cp", "rename")  # copied while udev looks on
MOUNTS = {"flush": "flush", "default": "rw", "sync": "sync"}
ENDS = {
    "umount": "umount $m",
    "eject": "umount $m && eject /dev/$d",
    "sync": "sync",
    "nothing": ":",
}


# ---- files ----

def plain(b, version, size=None, profile="both"):
    """The demo of that version in a file of `size` bytes."""
    name = {OLD: "demo-plain-%s.bin", NEW: "demo2-plain-%s.bin"}[version]
    return images.filled(b.board.read(name % profile),
                         size or b.board.size, int(version[0]))


def photo(size):
    """The head of a JPEG file and what compressed data look like."""
    return (bytes.fromhex("FFD8FFE000104A46494600010101004800480000")
            + random.Random(3).randbytes(size - 20))


def packed(b, kind, image, profile="both"):
    """The image as a file of this kind, and what flash holds then."""
    if kind == "plain":
        return image, image
    image = images.stamped(image)
    if kind == "bin":
        return image, image
    return (images.uf2(image, b.board.slot_of(profile)[0],
                       b.board.family),
            image + b"\xff" * (-len(image) % 256))


@on_both
def drive_convert_agrees_with_test(b):
    """The host tool's .uf2 is byte for byte that of images.py."""
    binary, out = LOGS / "convert.bin", LOGS / "convert.uf2"
    image = images.stamped(plain(b, NEW))
    start, _ = b.board.slot_of("both")
    binary.write_bytes(image)
    out.unlink(missing_ok=True)
    subprocess.run([ROOT / "build/bin/sallyport", "convert", binary, "-o", out,
                    "--board", b.board.name, "--address", "0x%08x" % start],
                   check=True, capture_output=True, timeout=60)
    same(out.read_bytes(), packed(b, "uf2", plain(b, NEW))[0], "file")


# ---- a chip that shows its drive ----

class Shown:
    """A chip with the old application in flash and the key held, plugged
    in."""

    def __init__(self, b, profile):
        self.b, self.profile = b, profile
        old = LOGS / ("old.%s.%s.bin" % (b.board.name, profile))
        self.old = images.stamped(plain(b, OLD, None, profile))
        self.slot = b.board.slot_of(profile)
        old.write_bytes(self.old)
        b.start("%s@0x%08x" % (old, self.slot[0]),
                firmware="sallyport-%s.elf" % profile,
                options=("--pin", "%s=%d" % (b.board.key,
                                               b.board.pressed)))

    def flash(self):
        start, size = self.slot
        at = start - 0x08000000
        return self.b.chip.flash(LOGS / "after.bin")[at:at + size]

    def reset(self):
        """Without the key."""
        board = self.b.board
        self.b.chip.command("pin %s=%d" % (board.key, not board.pressed))
        return self.b.reset()

    def installed(self, image, version=NEW):
        """Flash has the image, after the reset where that installs it, and
        the application runs."""
        staged = self.profile in ("staged", "full")
        before = self.flash()
        if staged:
            same(before[:len(self.old)], self.old, "the old application")
        else:
            same(before[:len(image)], image, "flash")
        self.b.app_says(version, self.reset(), LIMIT)
        same(self.flash()[:len(image)], image, "flash")


class Drive(Shown):
    """Its disk in the Linux guest."""

    def __init__(self, b, profile="both", desktop=False):
        self.guest = b.guest
        # As on a desktop udev reads a lot of a new disk.
        self.desktop = desktop
        self.guest.run("%s /run/quick; dmesg -c >/dev/null\n"
                       "echo 0 >/sys/module/usb_storage/parameters/delay_use"
                       % ("rm -f" if desktop else "touch"))
        super().__init__(b, profile)
        self.path = self.guest.usb_path(b.plugged)
        self.mount_point = "/mnt/" + self.path
        self.disk, self.number = None, 0
        self.wait_disk()

    def sh(self, script, limit=LIMIT):
        """Runs a script that knows $d and $m; it has to succeed."""
        result = self.guest.run("d=%s m=%s\n%s" % (
            self.disk, self.mount_point, script), limit)
        check(result.status == 0, "%s: status %d:\n%s", script, result.status,
              result.output[-800:])
        return result.output

    def wait_disk(self, limit=LIMIT):
        """Waits for another disk than the one before."""
        self.number, self.disk = self.guest.wait_disk(
            self.b.plugged, self.number, limit)

    def copy(self, data, way="cp", mount="flush", end="eject", suffix="bin",
             before=b"", beside=b""):
        """Mounts, copies, ends; returns the mark of the chip's events before
        that."""
        since = self.b.chip.mark()
        names = {"f": data, "o": before, "p": beside}
        for name, content in names.items():
            if content or name == "f":
                self.guest.put(content, "/tmp/%s.%s" % (name, self.path))
        self.sh("mkdir -p $m && mount -o %s /dev/$d $m" % MOUNTS[mount])
        self.sh("x=%s %s\n%s" % (
            suffix, " ".join("%s=/tmp/%s.%s" % (name, name, self.path)
                             for name in names), WAYS[way]))
        self.sh(ENDS[end])
        return since

    def wait_result(self, since, state, limit=LIMIT):
        """The fresh mount after a copy, as strict tools see it; returns the
        text of the status file."""
        self.b.chip.wait("usb: disconnect", limit, since)
        self.wait_disk()
        check(not self.trouble(), "the kernel's log has\n%s", self.trouble())
        return self.looks_clean(state)

    def looks_clean(self, state, closely=False):
        """udev has asked libblkid already; blkid reads as much again."""
        if self.desktop:
            printed = self.sh("udevadm info -q property /dev/$d")
            if closely:
                printed += self.sh("blkid -p -o udev /dev/$d")
            check("ID_FS_TYPE=vfat\n" in printed
                  and "ID_FS_LABEL=BOOTLOADER\n" in printed,
                  "blkid says\n%s", printed)
        more = self.more_files()
        printed = self.sh("fsck.fat -n /dev/$d")
        check(re.fullmatch(r"fsck.fat \S+ \(\S+\)\n/dev/\w+: %d files, "
                           r"\d+/\d+ clusters\n"
                           % (2 + len(more) + (5 if more else 0)), printed),
              "fsck.fat says\n%s", printed)
        printed = self.sh("mdir -b -i /dev/$d ::")
        check(printed.split() == ["::/" + name
                                  for name in [state + ".txt"] + more],
              "mdir says\n%s%s", printed,
              self.sh("mtype -i /dev/$d '::*.txt'"))
        text = self.sh("mkdir -p $m && mount -o ro /dev/$d $m &&"
                       " cat $m/%s.txt && umount $m" % state)
        check("result: %s" % state in text, "the status file says\n%s", text)
        if closely:
            same(self.sh("mtype -i /dev/$d ::%s.txt" % state), text,
                 "the status file as mtools reads it")
        return text

    def more_files(self):
        """Those beside the status file that are not hidden, where there is an
        application."""
        return (["INFO_UF2.TXT", "CURRENT.BIN", "CURRENT.UF2"]
                if self.profile == "full" else [])

    def trouble(self):
        log = self.guest.run("dmesg").output
        return "\n".join(line for line in log.splitlines()
                         if TROUBLE.search(line) and GONE not in line)


# ---- each way of copying on each kind of mount ----

def copies(b, way, mount, kind, end):
    size = CHUNKED if way == "dd_chunks" else None
    file, image = packed(b, kind, plain(b, NEW, size))
    drive = Drive(b, desktop=way in DESKTOP and not b.board.slow)
    since = drive.copy(
        file, way, mount, end, "uf2" if kind == "uf2" else "bin",
        before=packed(b, "bin", plain(b, OLD, 30 * KB))[0],
        beside=photo(90 * KB))
    drive.wait_result(since, "SUCCESS")
    drive.installed(image)
    return "%s, %s" % (kind, end)


def add_copies():
    """A square: each way meets each kind of mount and each kind of file.  A
    plain .bin has no end of its own, so that goes with an eject; of the two
    others one ends with umount.  A third of it is quick enough for every day:
    each way on each board."""
    kinds = ("bin", "uf2", "plain")
    for i, way in enumerate(WAYS):
        for j, mount in enumerate(MOUNTS):
            kind = kinds[(i + j) % 3]
            end = "umount" if kind == kinds[i % 2] else "eject"
            add("drive_%s_%s" % (way, mount),
                lambda b, row=(way, mount, kind, end): copies(b, *row), BOARDS,
                [b for n, b in enumerate(BOARDS) if (i + 2 * j + n) % 3])


add_copies()


def cp(b):
    return copies(b, "cp", "flush", "uf2", "umount")


add("drive_cp", cp, OTHERS)


# ---- a host that says nothing of an end ----

LEFT_ALONE = [
    ("cp", "flush", "bin", "nothing"),
    ("cp", "default", "plain", "nothing"),
    ("cp", "default", "uf2", "sync"),
    ("cp", "flush", "plain", "umount"),
]
LEFT_ALONE_SLOW = LEFT_ALONE[1:2]


@on_both
def drive_left_alone(b):
    """The file is there, and nobody touches the volume any more.  Several
    chips at once, because it takes its time."""
    rows = LEFT_ALONE_SLOW if b.board.slow else LEFT_ALONE
    benches = [Bench(b.guest, "%s-%s" % (b.name, chr(97 + i)), b.board)
               for i in range(len(rows))]
    with contextlib.ExitStack() as stack:
        started = time.monotonic()
        runs = []
        for bench, (way, mount, kind, end) in zip(benches, rows):
            stack.callback(bench.stop)
            drive = Drive(bench)
            file, image = packed(b, kind, plain(b, NEW))
            since = drive.copy(file, way, mount, end,
                               "uf2" if kind == "uf2" else "bin")
            runs.append((drive, since, image, end))
        # All of them first: who takes a volume off that has left complains.
        for drive, since, _, _ in runs:
            drive.b.chip.wait("usb: disconnect", QUIET_LIMIT, since)
        check(not drive.trouble(), "the kernel's log has\n%s",
              drive.trouble())
        for drive, _, image, end in runs:
            if end != "umount":
                drive.sh("umount $m")
            drive.wait_disk()
            drive.looks_clean("SUCCESS")
            drive.installed(image)
        for bench in benches:
            check(bench.stop() == 0, "%s: the chip ends badly", bench.name)
        return "%.0f s" % (time.monotonic() - started)


# ---- what is no firmware for this chip ----

def one_bit(data):
    data = bytearray(data)
    data[len(data) // 2 + 100] ^= 0x10  # in the data of a UF2 block, too
    return bytes(data)


def good_uf2(b):
    return packed(b, "uf2", plain(b, NEW))[0]


def other_uf2(b, address, family):
    return images.uf2(images.stamped(plain(b, NEW, 20 * KB)), address, family)


# name: (content, code of docs/errors.md, the old application is still there)
WRONG = {
    "photo": (lambda b: photo(90 * KB), (0x02,), True),
    "text": (lambda b: b"buy milk\n", (0x02,), True),
    "empty": (lambda b: b"", (0x02, 0x09), True),
    "other_product": (
        lambda b: images.stamped(plain(b, NEW), product=0x12345678),
        (0x01,), None),
    "damaged": (lambda b: one_bit(images.stamped(plain(b, NEW))),
                (0x07,), False),
    "truncated": (lambda b: images.stamped(plain(b, NEW))[:40 * KB],
                  (0x07, 0x09, 0x0A), False),
    "too_big": (
        lambda b: images.stamped(
            plain(b, NEW, b.board.slot_of("both")[1] + 4 * KB)),
        (0x08,), False),
    "damaged_uf2": (lambda b: one_bit(good_uf2(b)), (0x07,), False),
    "truncated_uf2": (lambda b: good_uf2(b)[:50 * KB], (0x09,), False),
    "other_family_uf2": (
        lambda b: other_uf2(b, b.board.slot_of("both")[0], 0xADA52840),
        (0x01,), True),
    "outside_uf2": (
        lambda b: other_uf2(b, 0x08000000, b.board.family),
        (0x03, 0x08), None),
}


def sentences():
    """Code and sentence of each error, as users find them."""
    return dict(re.findall(r"^\| ERR_\w+ \| (0x..) \| (.*?) \|",
                           (ROOT / "docs/errors.md").read_text(), re.M))


def refuses(b, name):
    content, codes, stays = WRONG[name]
    drive = Drive(b)
    file = content(b)
    end = drive.slot[0] - 0x08000000
    boot = b.chip.flash(LOGS / "before.bin")[:end]
    since = drive.copy(file, suffix="uf2" if "uf2" in name else "bin")
    text = drive.wait_result(since, "ERROR")
    said = re.search("result: ERROR *(0x..) (.*)", text)
    check(said and int(said.group(1), 16) in codes
          and said.group(2) == sentences()[said.group(1)],
          "the status file says\n%s", text)
    same(b.chip.flash(LOGS / "after.bin")[:end], boot,
         "the bootloader in flash")
    there = drive.flash()[:len(drive.old)] == drive.old
    check(there or not stays, "the old application is not there")
    since = drive.reset()
    if there:
        b.app_says(OLD, since)
    else:
        b.chip.wait("usb: configured", LIMIT, since)
        drive.wait_disk()
    check(not b.chip.find(app_line(NEW), since), "the wrong file runs")
    return said.group(2)


for number, wrong in enumerate(WRONG):
    add("drive_refuses_" + wrong, lambda b, name=wrong: refuses(b, name),
        BOARDS, [] if wrong in ("photo", "damaged") else [BOARDS[number % 2]])


@on_both
def drive_takes_a_good_file_after_a_bad_one(b):
    """An update without the application's help, after an error; and the
    result of the last one is what counts."""
    drive = Drive(b)
    since = drive.copy(one_bit(images.stamped(plain(b, NEW))))
    drive.wait_result(since, "ERROR")
    file, image = packed(b, "bin", plain(b, NEW))
    since = drive.copy(file)
    drive.wait_result(since, "SUCCESS")
    drive.installed(image)


def put_tool(guest):
    """The host tool with its libraries; returns how to call it."""
    tool = ROOT / "build/bin/sallyport"
    stripped = LOGS / "sallyport"
    subprocess.run(["strip", "-o", stripped, tool], check=True)
    guest.run("mkdir -p /tmp/tool")
    guest.put(stripped.read_bytes(), "/tmp/tool/sallyport")
    for library in libraries(tool):
        guest.run("test -e " + library).status and guest.put(
            Path(library).read_bytes(), "/tmp/tool/" + Path(library).name)
    guest.run("chmod +x /tmp/tool/sallyport")
    return "LD_LIBRARY_PATH=/tmp/tool /tmp/tool/sallyport"


def by_the_tool(b):
    """`sallyport drive` finds the volume, refuses what is not for it, and
    waits for the result, which nothing mounts here."""
    drive = Drive(b)
    tool = put_tool(b.guest)
    b.guest.put(b.board.read("demo2-both.elf"), "/tmp/app.elf")
    b.guest.put(b.board.read("demo2-drive.elf")
                if b.board.slot_of("drive") != drive.slot
                else other_uf2(b, drive.slot[0], 0xADA52840), "/tmp/wrong")
    drive.sh("mkdir -p $m && mount -o flush /dev/$d $m")
    wrong = b.guest.run(tool + " drive /tmp/wrong", LIMIT)
    check(wrong.status == 4 and "/tmp/wrong: the " in wrong.output,
          "status %d:\n%s", wrong.status, wrong.output)
    check(drive.sh("ls $m") == "READY.txt\n", "something was copied")
    since = b.chip.mark()
    said = b.guest.run(tool + " drive /tmp/app.elf", LIMIT)
    check(said.status == 0 and "SUCCESS: /tmp/app.elf is installed"
          in said.output and drive.mount_point in said.output,
          "status %d:\n%s", said.status, said.output)
    check("unmounted" in said.output, "it says\n%s", said.output)
    drive.wait_result(since, "SUCCESS")
    drive.installed(b.board.read("demo2-plain-both.bin"))


add("drive_by_the_tool", by_the_tool, BOARDS, BOARDS[1:])


@on_both
def drive_without_dfu_takes_a_file(b):
    """Profile `drive`: no other door, the application elsewhere."""
    drive = Drive(b, "drive")
    listing = b.dfu_util("-l").output
    check("Found DFU" not in listing, "dfu-util -l says\n%s", listing)
    image = images.stamped(plain(b, NEW, None, "drive"))
    since = drive.copy(image, mount="default", end="umount")
    drive.wait_result(since, "SUCCESS")
    drive.installed(image)


# ---- staged ----

def staged(b, way, mount, kind, end):
    """The old application stays until the reset that installs the new one."""
    drive = Drive(b, "staged")
    file, image = packed(b, kind, plain(b, NEW, None, "staged"), "staged")
    since = drive.copy(file, way, mount, end,
                       "uf2" if kind == "uf2" else "bin")
    drive.wait_result(since, "SUCCESS")
    drive.installed(image)


for row, others in ((("cp", "flush", "uf2", "umount"), BOARDS[1:]),
                    (("cp", "default", "bin", "eject"), BOARDS[:1]),
                    (("cp", "default", "plain", "eject"), BOARDS)):
    add("drive_staged_%s_%s" % row[1:3],
        lambda b, row=row: staged(b, *row), BOARDS, others)
add("drive_staged_cp", lambda b: staged(b, "cp", "flush", "uf2", "umount"),
    STAGED, STAGED_SLOW)


# ---- more files on the volume ----

def shows_the_application(b):
    """What is in flash can be copied away; dropped again, under its own name,
    it is installed."""
    drive = Drive(b, "full")
    drive.looks_clean("READY")
    printed = drive.sh("mount -o ro /dev/$d $m && ls -A $m && ls -A "
                       "$m/.fseventsd && cat $m/INFO_UF2.TXT")
    names, text = printed.split("UF2 Bootloader v")
    check(sorted(names.splitlines()) == sorted(
        drive.more_files() + ["READY.txt", "no_log", ".Trashes", ".fseventsd",
                              ".metadata_never_index",
                              "System Volume Information"]),
          "there are\n%s", names)
    check(re.fullmatch(r"\d+\.\d+\.\d+ Sallyport \S+\n"
                       r"Model: %s\w*\nBoard-ID: %s\S*-%s-v0\n"
                       % (b.board.name.upper()[:9], b.board.name.upper()[:9],
                          b.board.name), text), "INFO_UF2.TXT has\n%s", text)
    drive.sh("cp $m/CURRENT.* /tmp && umount $m")
    same(b.guest.get("/tmp/CURRENT.BIN"), drive.old, "CURRENT.BIN")
    file = b.guest.get("/tmp/CURRENT.UF2")
    image = b"".join(file[at + 32:at + 288] for at in range(0, len(file), 512))
    same(image[:len(drive.old)], drive.old, "CURRENT.UF2")
    since = b.chip.mark()
    drive.sh("mount -o flush /dev/$d $m && cp /tmp/CURRENT.UF2 $m/ && "
             "umount $m && eject /dev/$d")
    drive.wait_result(since, "SUCCESS")
    drive.installed(drive.old, OLD)


add("drive_shows_the_application", shows_the_application, BOARDS, BOARDS[1:])


# ---- files that carry addresses ----

def carries_addresses(b, suffix):
    """A .hex as GCC's objcopy makes it, a .dfu as UM0391 has it."""
    drive = Drive(b, "full")
    start = drive.slot[0]
    image = images.stamped(plain(b, NEW, None, "full"))
    if suffix == "hex":
        binary, out = LOGS / (b.name + ".bin"), LOGS / (b.name + ".hex")
        binary.write_bytes(image)
        subprocess.run(["arm-none-eabi-objcopy", "-I", "binary", "-O", "ihex",
                        "--change-addresses", "0x%08x" % start, binary, out],
                       check=True, timeout=60)
        file = out.read_bytes()
    else:
        half = len(image) // 2 & ~3
        file = images.dfuse([(start, image[:half]),
                             (start + half, image[half:])])
    since = drive.copy(file, mount="default", end="eject", suffix=suffix)
    drive.wait_result(since, "SUCCESS")
    drive.installed(image)


for suffix, others in (("hex", BOARDS[1:]), ("dfu", BOARDS[:1])):
    add("drive_full_" + suffix,
        lambda b, suffix=suffix: carries_addresses(b, suffix), BOARDS, others)


# ---- the largest files ----

LITTER = """mkdir -p "$m/System Volume Information" $m/.Trashes
echo x >"$m/System Volume Information/WPSettings.dat"
head -c 70000 /dev/urandom >$m/notes.txt
head -c 4096 /dev/urandom >$m/._app.bin
head -c 6148 /dev/urandom >$m/.DS_Store
"""


def largest(b, kind):
    drive = Drive(b)
    file, image = packed(b, kind, plain(b, NEW, drive.slot[1]))
    drive.sh("mkdir -p $m && mount -o flush /dev/$d $m\n" + LITTER
             + "umount $m")
    since = drive.copy(file, mount="default", end="umount",
                       suffix="uf2" if kind == "uf2" else "bin")
    drive.wait_result(since, "SUCCESS", 240)
    drive.installed(image)


for kind, others in (("bin", BOARDS[1:]), ("uf2", BOARDS[:1])):
    add("drive_takes_largest_" + kind, lambda b, kind=kind: largest(b, kind),
        BOARDS, others)


# ---- both doors ----

@on_both
def drive_and_dfu_on_one_device(b):
    """lsusb reads all of its descriptors; dfu-util works while the drive is
    mounted, and its update is what runs."""
    drive = Drive(b, desktop=True)
    text = drive.looks_clean("READY", True)
    check(b.board.name in text, "the status file says\n%s", text)
    drive.sh("mkdir -p $m && mount -o flush /dev/$d $m && ls $m")
    listing = drive.sh("lsusb -v -d 1209:0001 2>&1")
    for wanted in (r"bNumInterfaces +2", r"bInterfaceClass +254",
                   r"bInterfaceClass +8 ", r"bInterfaceSubClass +6 ",
                   r"bInterfaceProtocol +80", r"bDescriptorType +15",
                   r"D8DD60DF|d8dd60df"):
        check(re.search(wanted, listing), "lsusb -v has no %s:\n%s", wanted,
              listing)
    check(not re.search(r"(?i)warning|unrecogni|invalid|<unknown|bad|error|"
                        r"can't|junk", listing), "lsusb -v says\n%s", listing)
    result = b.dfu_util("-l")
    check(result.status == 0 and Layout(result.output).slot()
          == drive.slot, "dfu-util -l says\n%s", result.output)
    start, _ = drive.slot
    same(b.upload(start, 4 * KB), drive.old[:4 * KB], "read back")
    image = images.stamped(plain(b, NEW))
    b.update(image, start, leave=False)
    check(not drive.trouble(), "the kernel's log has\n%s", drive.trouble())
    check("READY.txt" in drive.sh("ls $m"), "the drive is not there any more")
    drive.sh("umount $m")
    check(not drive.trouble(), "the kernel's log has\n%s", drive.trouble())
    result = b.dfu_util("-a 0 -s 0x%08x:leave -D /tmp/in" % start)
    check(result.status == 0, "dfu-util ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    drive.installed(image)
