# SPDX-License-Identifier: MIT
"""
End-to-end cases of another host: the shell of a UEFI firmware copies a file
onto the drive.  It writes no end: the drive waits until it has been quiet for
long enough, so several chips are plugged in at once.
"""

import contextlib

from bench import F103, F407, LOGS, Bench, add, check
from cases_drive import NEW, QUIET_LIMIT, Shown, packed, plain
from uefi import Uefi

# board, profile, kind of file
ROWS = [(F103, "both", "uf2"), (F407, "full", "bin")]
SLOW = [(F103, "staged", "uf2"), (F103, "both", "plain"),
        (F407, "both", "bin"), (F407, "staged", "uf2")]


def file_name(number, kind):
    return "FW%d.%s" % (number, "UF2" if kind == "uf2" else "BIN")


def copies(b, rows, look):
    """look: the shell reads the status file of the fresh volume, too."""
    benches = [Bench(None, "%s-%s" % (b.name, chr(97 + i)), row[0])
               for i, row in enumerate(rows)]
    files, images = {}, []
    for number, (bench, (_, profile, kind)) in enumerate(zip(benches, rows)):
        data, image = packed(bench, kind, plain(bench, NEW, None, profile),
                             profile)
        files[file_name(number, kind)] = data
        images.append(image)
    with contextlib.ExitStack() as stack:
        uefi = stack.enter_context(Uefi(LOGS, files))
        runs = []
        for number, (bench, (_, profile, kind)) in enumerate(
                zip(benches, rows)):
            bench.guest = uefi
            stack.callback(bench.stop)
            shown = Shown(bench, profile)
            volume = uefi.volume(bench.plugged)
            since = bench.chip.mark()
            printed = uefi.run("cp %s\\%s %s\\" % (
                uefi.volume(), file_name(number, kind), volume))
            check("[ok]" in printed, "cp printed\n%s", printed)
            runs.append((shown, since, number))
        for shown, since, number in runs:
            # Off the bus it installs, where it does so in place.
            shown.b.chip.wait("usb: disconnect", QUIET_LIMIT, since)
            shown.b.chip.wait("usb: connect", QUIET_LIMIT, since)
            if look:
                text = uefi.run("type %s\\SUCCESS.TXT"
                                % uefi.volume(shown.b.plugged))
                check("result: SUCCESS" in text, "it says\n%s", text)
            shown.installed(images[number])
            check(shown.b.stop() == 0, "%s: the chip ends badly", shown.b.name)
        uefi.power_off()


add("uefi_shell_copies", lambda b: copies(b, ROWS, False), [F103])
add("uefi_shell_copies_more", lambda b: copies(b, SLOW, True), [F103], [F103])
