# SPDX-License-Identifier: MIT
"""
What the end-to-end cases work with: the boards, the list of cases, a bench
that has one virtual chip plugged into the guest, and checks.
"""

import math
import re
from collections import namedtuple

from chip import ROOT, Chip

FIRMWARE = ROOT / "build" / "firmware"
LOGS = ROOT / "build" / "e2e" / "logs"
DFU_ID = "1209:0001"
KB = 1024


def facts_of(folder):
    """What board.h defines as BOARD_...: numbers and letters."""
    text = (folder / "board.h").read_text()
    found = {}
    for key, value in re.findall(
            r"^#define BOARD_(\w+)\s+(.+?)\s*(?:/[*].*)?$", text, re.M):
        if re.fullmatch(r"'.'", value):
            found[key] = value[1]
        elif re.fullmatch(r"[0-9A-Fa-fxu()* ]+", value):
            factors = value.strip("()").replace("u", "").split("*")
            found[key] = math.prod(int(n, 0) for n in factors)
    return found


class Board:
    """What the cases know of a board.  areas: those of the layout of profile
    dfu (start, size, type letter), where they are checked."""

    def __init__(self, name, areas=(), points=0, folder=None, model=None):
        self.folder = folder or ROOT / "board" / name
        facts = facts_of(self.folder)
        self.name = name
        self.model = model      # a bare chip, where the board has no row
        self.files = FIRMWARE / name
        self.block = facts["FLASH_PAGE"]    # bytes a DNLOAD
        self.family = facts["UF2_FAMILY"]
        self.usb_id = "%04x:%04x" % (facts["VID"], facts["PID"])
        self.key = "P%s%d" % (facts["KEY_PORT"], facts["KEY_PIN"])
        self.pressed = facts["KEY_ACTIVE"]  # the level
        self.end = facts["FLASH_BASE"] + facts["FLASH_SIZE"]
        self.slot_end = self.end - facts["KV_SIZE"]
        self.areas = list(areas)
        self.points = points    # interrupted updates
        self.slow = False       # to simulate: many cycles a second
        # An image: more than the window of sectors in RAM, less than a minute
        # of erases.
        self.size = 40 * KB
        if areas:
            start = next(area[0] for area in areas if area[2] == "g")
            self.slot = start, self.slot_end - start

    def read(self, name):
        return (self.files / name).read_bytes()

    def slot_of(self, profile):
        """(start, size) of the slot of a profile: where its demo starts."""
        lines = self.read("demo-%s.hex" % profile).decode().splitlines()
        upper, lower = (bytes.fromhex(line[1:]) for line in lines[:2])
        start = (int.from_bytes(upper[4:6], "big") << 16
                 | int.from_bytes(lower[1:3], "big"))
        return start, self.slot_end - start


F103 = Board("stm32f103ze",
             [(0x08000000, 4 * KB, "a"), (0x08001000, 504 * KB, "g"),
              (0x0807F000, 4 * KB, "a")], 20)
F103.size = 60 * KB
F407 = Board("stm32f407",
             [(0x08000000, 16 * KB, "a"), (0x08004000, 48 * KB, "g"),
              (0x08010000, 64 * KB, "g"), (0x08020000, 896 * KB, "g")], 8)
F407.size = 100 * KB
F407.slow = True
BOARDS = (F103, F407)
# One case of each door on the others.
OTHERS = [Board(path.parent.name)
          for path in sorted(ROOT.glob("board/*/board.h"))
          if path.parent.name not in ("stm32f103ze", "stm32f407")
          and (FIRMWARE / path.parent.name).exists()]
# Of these, profile staged: every day where the flash differs from the boards
# above.
STAGED = [board for board in OTHERS
          if (board.files / "sallyport-staged.elf").exists()]
STAGED_SLOW = [board for board in STAGED if board.name != "stm32l072"]
# One outside the tree, which is built when its turn comes.
OUTSIDE = Board("gadget", folder=ROOT / "docs/example/gadget",
                model="stm32f103rc")
OUTSIDE.files = LOGS.parent / "outside/firmware/gadget"

# slow: left out unless it is asked for
Case = namedtuple("Case", "name function board slow")
CASES = []


class Failure(Exception):
    """A case did not get what it expects."""


def add(name, function, boards, slow=()):
    """A case on these boards; on those in `slow` it takes its time."""
    CASES.extend(Case("%s.%s" % (name, board.name), function, board,
                      board in slow) for board in boards)


def case(function):
    """A case on the first board."""
    add(function.__name__, function, [F103])
    return function


def on_both(function):
    """A case that every board has to pass."""
    add(function.__name__, function, BOARDS)
    return function


def check(condition, text, *arguments):
    if not condition:
        raise Failure(text % arguments if arguments else text)


class Layout:
    """The memory layout as `dfu-util -l` prints it."""

    def __init__(self, listing):
        found = re.search(r'name="@([^"/]*)/0x([0-9A-Fa-f]+)/([^"]*)"',
                          listing)
        check(found, "no layout string in the output of dfu-util -l:\n%s",
              listing)
        self.areas = []  # (start, size, type letter)
        address = int(found.group(2), 16)
        units = {"B": 1, " ": 1, "K": KB, "M": KB * KB}
        for run in found.group(3).split(","):
            part = re.fullmatch(r"(\d+)\*(\d+)([BKM ])([a-g])", run)
            check(part, "unreadable run %r in the layout string", run)
            size = int(part.group(1)) * int(part.group(2)) * units[
                part.group(3)]
            self.areas.append((address, size, part.group(4)))
            address += size

    def slot(self):
        """(start, size) of the writable areas, which follow each other."""
        writable = [area for area in self.areas if area[2] in "defg"]
        return writable[0][0], sum(size for _, size, _ in writable)

    def read_only(self):
        return [(start, size) for start, size, kind in self.areas
                if kind == "a"]


class Bench:
    """What a case works with: one chip, the guest, dfu-util."""

    def __init__(self, guest, name, board):
        self.guest, self.name, self.board = guest, name, board
        self.chip = None
        self.plugged = None
        self.slot = None  # (start, size), where a case keeps it

    def start(self, *more, options=(), firmware="sallyport-dfu.elf",
              plug=True):
        """A chip with the bootloader, and more files, in flash; plugged into
        the guest."""
        name = "%s.%d" % (self.name, len(list(LOGS.glob(self.name + ".*log"))))
        self.chip = Chip(self.board.name,
                         [self.board.files / firmware, *more],
                         LOGS / (name + ".log"),
                         ["--pcap", LOGS / (name + ".pcap"), *options],
                         model=self.board.model)
        if plug:
            self.plugged = self.guest.attach(self.chip.port)
        return self.chip

    def start_usbip(self, **more):
        """The same, attached by USB/IP."""
        self.guest.load_usbip()
        self.start(options=("--usbip", "127.0.0.1:0"), plug=False, **more)
        self.usbip_attach()

    def usbip(self, arguments):
        result = self.guest.usbip(self.chip.usbip_port, arguments)
        check(result.status == 0, "usbip %s ends with status %d:\n%s",
              arguments, result.status, result.output)
        return result.output

    def usbip_attach(self):
        self.usbip("attach -r 10.0.2.2 -b 1-1")

    def stop(self):
        """Unplugs and ends the chip; its exit status."""
        status = None
        if self.plugged:
            self.guest.detach(self.plugged)
            self.plugged = None
        if self.chip:
            status = self.chip.close()
            self.chip = None
        return status

    def dfu_mode(self, limit=60):
        """Waits until the guest has the bootloader on its bus."""
        self.guest.wait_usb(self.board.usb_id, "02", limit)

    def app_mode(self, limit=60):
        """Waits until the guest has the demo's run-time interface."""
        self.guest.wait_usb(self.board.usb_id, "01", limit)

    def dfu_util(self, arguments, limit=120, live=None):
        return self.guest.run("dfu-util " + arguments, limit, live)

    def layout(self):
        self.dfu_mode()
        return Layout(self.dfu_util("-l").output)

    def download(self, data, where, limit=120, path="/tmp/in", live=None):
        self.guest.put(data, path)
        return self.dfu_util("-a 0 -s %s -D %s" % (where, path), limit, live)

    def update(self, data, start, leave=True, limit=120):
        """A download that has to succeed."""
        where = "0x%08x%s" % (start, ":leave" if leave else "")
        result = self.download(data, where, limit)
        check(result.status == 0, "dfu-util -s %s ends with status %d:\n%s",
              where, result.status, last_drawn(result.output))
        return result

    def upload(self, start, size, limit=60):
        result = self.guest.run(
            "rm -f /tmp/out; dfu-util -a 0 -s 0x%08x:%d -U /tmp/out"
            % (start, size), limit)
        check(result.status == 0, "dfu-util -U ends with status %d:\n%s",
              result.status, last_drawn(result.output))
        return self.guest.get("/tmp/out")

    def app_says(self, version, since=0, limit=60):
        """Waits for the demo's line with its version on the USART."""
        self.chip.wait(app_line(version), limit, since)

    def stays_in_bootloader(self, since, versions=("1.0.0", "2.0.0")):
        self.dfu_mode()
        for version in versions:
            check(not self.chip.find(app_line(version), since),
                  "application %s runs", version)

    def reset(self):
        """Presses the reset key; returns the mark before it."""
        since = self.chip.mark()
        self.chip.command("reset")
        return since


def app_line(version):
    """The event in which the demo prints its version."""
    return r"(?i:usart).*\b%s\b" % re.escape(version)


def last_drawn(text):
    """dfu-util's output for a message: progress bars as they were last,
    without the copyright lines, the end of it."""
    lines = [[part for part in line.split("\r") if part][-1:]
             for line in text.splitlines()]
    return "\n".join(line[0] for line in lines if line and not re.match(
        r"dfu-util \d|Copyright|This program is Free|Please report|"
        r"dfu-util: (Warning: Invalid|A valid) DFU suffix", line[0]))[-800:]


def same(got, wanted, what):
    if got == wanted:
        return
    check(len(got) == len(wanted), "%s: %d bytes instead of %d", what,
          len(got), len(wanted))
    at = next(i for i, (a, b) in enumerate(zip(got, wanted)) if a != b)
    check(False, "%s: differs first at byte 0x%x (%s instead of %s)", what,
          at, got[at:at + 8].hex(), wanted[at:at + 8].hex())
