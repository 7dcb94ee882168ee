# SPDX-License-Identifier: MIT
"""End-to-end cases of DFU, of the running application, and of the tools."""

import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import images
import outside
import usbmon
from bench import (BOARDS, DFU_ID, KB, LOGS, OTHERS, OUTSIDE, STAGED,
                   STAGED_SLOW, Layout, add,
                   app_line, case, check, last_drawn, on_both, same)
from cases_drive import cp, put_tool
from chip import PROGRAM, ROOT


# ---- updates that work ----

@on_both
def list_shows_device(b):
    b.start()
    b.dfu_mode()
    result = b.dfu_util("-l")
    check(result.status == 0, "status %d", result.status)
    check("Found DFU: [%s]" % DFU_ID in result.output, "not found:\n%s",
          result.output)
    layout = Layout(result.output)
    check(layout.areas == b.board.areas, "layout is %s", layout.areas)
    check(layout.slot() == b.board.slot, "slot is %s", layout.slot())
    serial = re.search(r'serial="([^"]*)"', result.output)
    check(serial and re.fullmatch(r"[0-9A-F]{24}", serial.group(1)),
          "no serial number of 24 digits:\n%s", result.output)


def download_leave(b, image, size, version):
    start, _ = b.layout().slot()
    data = images.filled(image, size)
    since = b.chip.mark()
    b.update(data, start, limit=240)
    b.app_says(version, since)
    return start, data


@case
def download_100k_leave_starts_app(b):
    b.start()
    download_leave(b, b.board.read("demo-dfu.bin"), 100 * KB, "1.0.0")


@on_both
def download_100k_upload_equals(b):
    b.start()
    start, _ = b.layout().slot()
    data = images.filled(b.board.read("demo-dfu.bin"), 100 * KB)
    b.update(data, start, leave=False)
    same(b.upload(start, len(data)), data, "read back")


@on_both
def download_largest_leave_then_upload(b):
    """Fills the slot, starts it, and reads it back after a detach."""
    b.start()
    start, size = b.layout().slot()
    start, data = download_leave(b, b.board.read("demo-dfu.bin"), size, "1.0.0")
    enter_by_detach(b)
    same(b.upload(start, size), data, "read back")


def updates(b):
    """The largest image starts and reads back; then another one over it."""
    b.start()
    start, size = b.layout().slot()
    check((start, size) == b.board.slot_of("dfu"), "slot is 0x%08x, %d bytes",
          start, size)
    _, data = download_leave(b, b.board.read("demo-dfu.bin"), size, "1.0.0")
    enter_by_detach(b)
    same(b.upload(start, size), data, "read back")
    download_leave(b, b.board.read("demo2-dfu.bin"), b.board.size, "2.0.0")


add("updates", updates, OTHERS)


def staged_updates(b):
    """An image goes through the partition of its own and starts."""
    b.start(firmware="sallyport-staged.elf")
    start, _ = b.layout().slot()
    check(start == b.board.slot_of("staged")[0], "slot is 0x%08x", start)
    _, data = download_leave(b, b.board.read("demo-staged.bin"), b.board.size,
                             "1.0.0")
    enter_by_detach(b)
    same(b.upload(start, len(data)), data, "read back")


add("staged_updates", staged_updates, STAGED, STAGED_SLOW)


def outside_the_tree(b):
    """The worked example of docs/porting.md, as a user builds it."""
    outside.build(b.board.folder, LOGS.parent / "outside")
    updates(b)
    b.stop()
    return cp(b)


add("outside_the_tree", outside_the_tree, [OUTSIDE])


@case
def download_beyond_largest_refused(b):
    b.start()
    start, size = b.layout().slot()
    before = b.chip.flash(LOGS / "before.bin")
    data = images.filled(b.board.read("demo-dfu.bin"), size + 4)
    result = b.download(data, "0x%08x" % start)
    check(result.status != 0, "dfu-util ends with status 0")
    check("not writeable" in result.output, "dfu-util says:\n%s",
          result.output)
    same(b.chip.flash(LOGS / "after.bin"), before, "flash")


@case
def plain_image_leave_starts_app(b):
    b.start()
    start, _ = b.layout().slot()
    since = b.chip.mark()
    b.update(b.board.read("demo-plain-dfu.bin"), start)
    b.app_says("1.0.0", since)


def dfu_util_requests(pcap, opening):
    """What dfu-util sent in its second run, an update; the first was a list.
    Between the guest's SET_CONFIGURATION and the next enumeration, less two
    strings that the guest's kernel reads (of the configuration and of the
    interface) and the strings of the list."""
    found = usbmon.requests(pcap)
    configured = next(i for i, r in enumerate(found) if r[:2] == (0x00, 0x09))
    gone = next((i for i, r in enumerate(found)
                 if i > configured and r == (0x80, 0x06, 0x0100, 0, 8)),
                len(found))
    sent = found[configured + 3:gone]
    check(sent[:len(opening)] == opening, "dfu-util -l sends %s",
          sent[:len(opening)])
    return sent[len(opening):]


@case
def bench_sends_what_dfu_util_sends(b):
    """`make bench` imitates dfu-util: request for request, in order."""
    b.start()
    start, _ = b.layout().slot()
    data = images.filled(b.board.read("demo-dfu.bin"), 9 * b.board.block + 100)
    path = LOGS / "sequence.bin"
    path.write_bytes(data)
    printed = subprocess.run(
        [PROGRAM.with_name("bench"), "--sequence", path, b.board.name],
        capture_output=True, text=True, check=True).stdout
    mine = [tuple(int(word, 16) for word in line.split())
            for line in printed.splitlines()]
    since = b.chip.mark()
    b.update(data, start)
    b.app_says("1.0.0", since)
    check(b.stop() == 0, "the chip ends badly")
    strings = next(i for i, r in enumerate(mine) if r[1] != 0x06)
    real = dfu_util_requests(LOGS / (b.name + ".0.pcap"), mine[:strings])
    check(len(real) > 60, "dfu-util sends %d requests only", len(real))
    for i, (theirs, ours) in enumerate(zip(real, mine)):
        check(theirs == ours, "request %d: dfu-util %s, bench %s", i,
              "%02x %02x %04x %04x %04x" % theirs,
              "%02x %02x %04x %04x %04x" % ours)
    check(len(real) == len(mine), "dfu-util sends %d requests, bench %d",
          len(real), len(mine))


@case
def two_versions_one_after_the_other(b):
    b.start()
    start, _ = b.layout().slot()
    for name, version in (("demo-dfu.bin", "1.0.0"),
                          ("demo2-dfu.bin", "2.0.0"),
                          ("demo-dfu.bin", "1.0.0")):
        since = b.chip.mark()
        b.update(b.board.read(name), start)
        b.app_says(version, since)
        enter_by_detach(b)


@on_both
def dfuse_file_with_two_elements(b):
    """One that `sallyport merge` makes."""
    b.start()
    start, _ = b.layout().slot()
    demo = b.board.read("demo-dfu.bin")
    settings = images.filled(b"settings", 5000)
    far = start + 96 * KB
    with tempfile.TemporaryDirectory() as directory:
        data, merged = (Path(directory) / name for name in ("s.bin", "2.dfu"))
        data.write_bytes(settings)
        subprocess.run([ROOT / "build/bin/sallyport", "merge",
                        b.board.files / "demo-dfu.hex", "%s@%#x" % (data, far),
                        "-o", merged, "--board", b.board.name], check=True,
                       stdout=subprocess.DEVNULL)
        b.guest.put(merged.read_bytes(), "/tmp/2.dfu")
    result = b.dfu_util("-a 0 -D /tmp/2.dfu")
    check(result.status == 0, "dfu-util ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    same(b.upload(start, len(demo)), demo, "first element")
    same(b.upload(far, len(settings)), settings, "second element")
    since = b.reset()
    b.app_says("1.0.0", since)


@case
def dfuse_file_with_leave(b):
    b.start()
    start, _ = b.layout().slot()
    b.guest.put(images.dfuse([(start + 96 * KB, b"data" * 100),
                              (start, b.board.read("demo2-dfu.bin"))],
                             0x1209, 0x0001), "/tmp/2.dfu")
    since = b.chip.mark()
    result = b.dfu_util("-a 0 -s :leave -D /tmp/2.dfu")
    check(result.status == 0, "dfu-util ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    b.app_says("2.0.0", since)


@on_both
def mass_erase_then_download(b):
    """What lay behind the image is gone, too."""
    b.start()
    start, size = b.layout().slot()
    b.update(images.filled(b"old", 40 * KB), start + 16 * KB, leave=False)
    demo = b.board.read("demo-dfu.bin")
    since = b.chip.mark()
    result = b.download(demo, "0x%08x:mass-erase:force:leave" % start)
    check(result.status == 0, "dfu-util ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    b.app_says("1.0.0", since)
    flash = b.chip.flash(LOGS / "after.bin")
    at = start - 0x08000000
    same(flash[at:at + size], demo + b"\xff" * (size - len(demo)), "slot")


# ---- without :leave ----

@on_both
def stamped_without_leave_boots_after_reset(b):
    b.start()
    start, _ = b.layout().slot()
    b.update(b.board.read("demo-dfu.bin"), start, leave=False)
    since = b.reset()
    b.app_says("1.0.0", since)


@case
def plain_short_last_block_boots_after_reset(b):
    b.start()
    start, _ = b.layout().slot()
    data = b.board.read("demo-plain-dfu.bin")
    if len(data) % b.board.block == 0:
        data += b"\xff" * 4
    b.update(data, start, leave=False)
    since = b.reset()
    b.app_says("1.0.0", since)


def plain_of_whole_blocks(b):
    data = b.board.read("demo-plain-dfu.bin")
    return data + b"\xff" * (-len(data) % b.board.block)


@on_both
def plain_whole_blocks_without_leave_stays(b):
    b.start()
    start, _ = b.layout().slot()
    b.update(plain_of_whole_blocks(b), start, leave=False)
    since = b.reset()
    b.chip.wait(r"(?i)usb.*disconnect", 30, since)
    b.stays_in_bootloader(since)
    b.update(plain_of_whole_blocks(b), start)
    b.app_says("1.0.0", since)


@case
def plain_whole_blocks_with_leave_boots(b):
    b.start()
    start, _ = b.layout().slot()
    since = b.chip.mark()
    b.update(plain_of_whole_blocks(b), start)
    b.app_says("1.0.0", since)


# ---- plain DFU 1.1 ----

@on_both
def dfu11_download_starts_app(b):
    """No address, no leave: dfu-util resets the bus at the end, and the
    application comes up."""
    b.start(firmware="sallyport-dfu11.elf")
    b.dfu_mode()
    for name, version in (("demo-plain-dfu.bin", "1.0.0"),
                          ("demo2-dfu.bin", "2.0.0")):
        b.guest.put(b.board.read(name), "/tmp/in")
        since = b.chip.mark()
        result = b.dfu_util("-D /tmp/in")
        check(result.status == 0, "dfu-util -D ends with status %d:\n%s",
              result.status, last_drawn(result.output))
        check("dfuMANIFEST-WAIT-RESET" in result.output
              or "Resetting USB" in result.output,
              "no wait for a bus reset:\n%s", last_drawn(result.output))
        b.app_says(version, since)
        enter_by_detach(b)
    result = b.guest.run("rm -f /tmp/out; dfu-util -U /tmp/out", 120)
    check(result.status == 0, "dfu-util -U ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    got = b.guest.get("/tmp/out")
    _, size = b.board.slot
    check(len(got) == size, "%d bytes uploaded, not %d", len(got), size)
    image = b.board.read("demo2-dfu.bin")
    same(got[:len(image)], image, "read back")


# ---- what must not change ----

def refused(b, where, wanted, data=b"\xa5" * 4096):
    before = b.chip.flash(LOGS / "before.bin")
    result = b.download(data, where)
    check(result.status != 0, "dfu-util -s %s ends with status 0:\n%s",
          where, last_drawn(result.output))
    check(re.search(wanted, result.output), "dfu-util -s %s says:\n%s",
          where, last_drawn(result.output))
    same(b.chip.flash(LOGS / "after.bin"), before, "flash after -s " + where)


@on_both
def read_only_refused_by_layout(b):
    b.start()
    for start, size in b.layout().read_only():
        refused(b, "0x%08x" % start, "not writeable")
        refused(b, "0x%08x" % (start + size - 16), "not writeable", b"x" * 16)


@on_both
def read_only_refused_by_device(b):
    b.start()
    for start, size in b.layout().read_only():
        # errWRITE or errADDRESS, as GETSTATUS has it
        refused(b, "0x%08x:force" % start, r"status\((3|8)\)|errWRITE|errADDR")
        b.dfu_util("-l")


@on_both
def outside_flash_refused_by_device(b):
    b.start()
    b.dfu_mode()
    for address in (0x07FFF000, b.board.end, 0x20000000):
        refused(b, "0x%08x:force" % address, r"(?i)error|fail|not")


@on_both
def wrong_crc_fails_and_does_not_boot(b):
    b.start()
    start, _ = b.layout().slot()
    good = images.stamped(images.filled(b.board.read("demo-plain-dfu.bin"), 20 * KB))
    bad = bytearray(good)
    bad[12345] ^= 0x10
    result = b.download(bytes(bad), "0x%08x:leave" % start)
    check(result.status != 0, "dfu-util ends with status 0:\n%s",
          last_drawn(result.output))
    since = b.reset()
    b.stays_in_bootloader(since)
    # The same over an installed application: nothing new may run.
    b.update(b.board.read("demo-dfu.bin"), start)
    b.app_says("1.0.0", since)
    enter_by_detach(b)
    bad2 = bytearray(images.filled(b.board.read("demo2-dfu.bin"), 20 * KB))
    bad2[images.word(bad2, images.OFFSET_LENGTH) - 1] ^= 1
    result = b.download(bytes(bad2), "0x%08x:leave" % start)
    check(result.status != 0, "dfu-util ends with status 0:\n%s",
          last_drawn(result.output))
    since = b.reset()
    b.stays_in_bootloader(since, ["2.0.0"])
    b.update(good, start)
    b.app_says("1.0.0", since)


@case
def image_of_another_product_refused(b):
    b.start()
    start, _ = b.layout().slot()
    other = images.stamped(b.board.read("demo-plain-dfu.bin"), product=0x12345678)
    result = b.download(other, "0x%08x:leave" % start)
    check(result.status != 0, "dfu-util ends with status 0:\n%s",
          last_drawn(result.output))
    since = b.reset()
    b.stays_in_bootloader(since)


# ---- interrupted updates ----

class Progress:
    """Acts once when dfu-util has drawn its progress bar `count` times."""

    def __init__(self, count=None, action=None):
        self.left, self.action, self.drawn = count, action, 0

    def __call__(self, data):
        self.drawn += data.count(b"\r")
        if self.action and self.drawn >= self.left:
            action, self.action = self.action, None
            action()


VERSIONS = ("1.0.0", "2.0.0")


def put_images(b, size, stamped):
    """Both versions as files of `size` bytes that differ in every page;
    returns their paths in the guest."""
    paths = []
    for seed, name in enumerate(("demo-plain-dfu.bin", "demo2-plain-dfu.bin")):
        image = images.filled(b.board.read(name), size, seed)
        paths.append("/tmp/%s%d" % ("stamped" if stamped else "plain", seed))
        b.guest.put(images.stamped(image) if stamped else image, paths[-1])
    return paths


def write(b, path, live=None):
    """dfu-util with :leave, of a file in the guest."""
    start, _ = b.slot
    return b.dfu_util("-a 0 -s 0x%08x:leave -D %s" % (start, path), 60, live)


def whole_update(b, path, version, place):
    since = b.chip.mark()
    result = write(b, path)
    check(result.status == 0, "%s: a normal update ends with status %d:\n%s",
          place, result.status, last_drawn(result.output))
    b.app_says(version, since)
    enter_by_detach(b)


def only_whole_images_run(b, since, result, place, new):
    """After a start of the chip: the new version may run only if all of it
    had been written.  Ends in the bootloader."""
    event = b.chip.wait(r"(?i:usb.*configured)|%s|%s" % tuple(
        map(app_line, VERSIONS)), 10, since)
    runs = [v for v in VERSIONS if b.chip.find(app_line(v), since)]
    check(new not in runs or re.search(r"Download.*100%", result.output),
          "%s: half of %s runs: %s", place, new, event.string)
    if runs:
        enter_by_detach(b)


def interrupted_updates(b, interrupt, restore, one_in=1):
    """At points spread over an update of 17 KB, stamped and plain, to either
    version: it is interrupted, then sometimes the chip is reset, and a normal
    update succeeds."""
    points = max(b.board.points // one_in, 4)
    b.start()
    b.slot = b.layout().slot()
    kinds = [put_images(b, 16 * KB + 200, stamped)
             for stamped in (True, False)]
    whole = Progress()
    result = write(b, kinds[0][0], whole)
    check(result.status == 0, "first update:\n%s", last_drawn(result.output))
    b.app_says(VERSIONS[0])
    enter_by_detach(b)
    for point in range(points):
        count = 1 + point * (whole.drawn - 1) // points
        place = "point %d (%d of %d)" % (point, count, whole.drawn)
        target = 1 - point % 2
        path = kinds[point // 2 % 2][target]
        hit = Progress(count, lambda: interrupt(b))
        since = b.chip.mark()
        result = write(b, path, hit)
        check(hit.action is None, "%s: never reached:\n%s", place,
              last_drawn(result.output))
        started = restore(b)
        if not started and point // 4 % 2:
            since = b.reset()
            started = True
        if started:
            only_whole_images_run(b, since, result, place, VERSIONS[target])
        b.dfu_mode()
        whole_update(b, path, VERSIONS[target], place)
    return "%d points" % points


@on_both
def unplug_in_mid_update(b):
    def restore(b):
        time.sleep(0.2)
        b.chip.command("plug")
        b.dfu_mode()

    return interrupted_updates(b, lambda b: b.chip.command("unplug"), restore)


@on_both
def kill_dfu_util_in_mid_update(b):
    def restore(b):
        time.sleep(0.2)  # the page that is under way

    return interrupted_updates(b, lambda b: b.guest.kill(), restore, 2)


@case
def power_off_in_mid_update(b):
    def restore(b):
        time.sleep(0.2)
        b.chip.command("power on")
        return True

    return interrupted_updates(
        b, lambda b: b.chip.command("power off"), restore, 4)


@case
def power_cut_in_flash_operation(b):
    """The power fails before, inside or after a flash operation."""
    b.start()
    b.slot = b.layout().slot()
    paths = put_images(b, 12 * KB, True)
    whole_update(b, paths[0], VERSIONS[0], "first update")
    cuts = ("1:before", "1:torn", "2:after", "40:torn", "2000:torn",
            "3000:after")
    for turn, cut in enumerate(cuts):
        target = 1 - turn % 2
        since = b.chip.mark()
        b.chip.command("cut " + cut)
        result = write(b, paths[target])
        b.chip.wait("power: off, cut", 30, since)
        b.chip.wait("power: on", 30, since)
        b.dfu_mode()
        check(not b.chip.find(app_line(VERSIONS[target]), since),
              "cut %s: half of %s runs", cut, VERSIONS[target])
        check(result.status != 0, "cut %s: dfu-util ends with status 0", cut)
        whole_update(b, paths[target], VERSIONS[target], "cut " + cut)
    return "%d cuts" % len(cuts)


# ---- from the running application ----

def enter_by_detach(b):
    """dfu-util -e on the running demo: the bootloader comes back."""
    b.app_mode()
    result = b.dfu_util("-e")
    check(result.status == 0, "dfu-util -e ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    b.dfu_mode()


@on_both
def detach_enters_bootloader(b):
    b.start()
    start, _ = b.layout().slot()
    b.update(b.board.read("demo-dfu.bin"), start)
    b.app_says("1.0.0")
    enter_by_detach(b)
    since = b.reset()
    b.app_says("1.0.0", since)


@on_both
def download_to_running_application(b):
    """Plain -D: dfu-util detaches the application by itself."""
    b.start()
    start, _ = b.layout().slot()
    b.update(b.board.read("demo-dfu.bin"), start)
    b.app_says("1.0.0")
    b.app_mode()
    since = b.chip.mark()
    b.update(b.board.read("demo2-dfu.bin"), start)
    b.app_says("2.0.0", since)


def flash_by_the_tool(b):
    """`sallyport` on the guest's own USB: to the application, and back."""
    b.start(firmware="sallyport-both.elf")
    b.dfu_mode()
    tool = put_tool(b.guest)
    b.guest.put(b.board.read("demo-both.hex"), "/tmp/a.hex")
    b.guest.put(b.board.read("demo2-both.hex"), "/tmp/b.hex")

    def sallyport(arguments, status=0):
        result = b.guest.run("%s %s" % (tool, arguments), 120)
        check(result.status == status, "sallyport %s: status %d:\n%s",
              arguments, result.status, result.output)
        return result.output

    listed = sallyport("list")
    check(re.match(r"\d+-\d\S* +1209:0001 +[0-9A-F]{24} +DfuSe ", listed),
          "list: %s", listed)
    path = listed.split()[0]
    since = b.chip.mark()
    said = sallyport("flash /tmp/a.hex --path " + path)
    check("verified, application started" in said, "flash: %s", said)
    b.app_says("1.0.0", since)
    b.app_mode()
    # the application has a DFU interface: it is sent to the bootloader
    since = b.chip.mark()
    said = sallyport("flash /tmp/b.hex --stay")
    check("installed" in said, "flash: %s", said)
    sallyport("verify /tmp/b.hex")
    check("0x" in sallyport("verify /tmp/a.hex --diff", 8), "no difference")
    check("version  2.0.0" in sallyport("info"), "no version")
    sallyport("reboot")
    b.app_says("2.0.0", since)
    b.app_mode()


add("flash_by_the_tool", flash_by_the_tool, BOARDS, BOARDS[1:])


# ---- USB/IP: usbip and vhci_hcd of the guest ----

@case
def usbip_update_and_read_back(b):
    """The device leaves the bus twice; the script attaches it at once."""
    b.start_usbip()
    start, data = download_leave(b, b.board.read("demo-dfu.bin"), 60 * KB, "1.0.0")
    b.usbip_attach()
    b.app_mode()
    result = b.dfu_util("-e")
    check(result.status == 0, "dfu-util -e ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    b.usbip_attach()
    b.dfu_mode()
    same(b.upload(start, len(data)), data, "read back")


@case
def usbip_detach_and_attach_again(b):
    b.start_usbip()
    b.dfu_mode()
    check("Port 00" in b.usbip("port"), "no port is in use")
    b.usbip("detach -p 0")
    b.chip.wait("usbip: client left", 30)
    listing = b.usbip("list -r 10.0.2.2")
    check("1-1" in listing and DFU_ID in listing, "not listed:\n%s", listing)
    b.usbip_attach()
    b.dfu_mode()
    second = b.guest.usbip(b.chip.usbip_port, "attach -r 10.0.2.2 -b 1-1")
    check(second.status != 0, "a second client may attach")
    check("Found DFU" in b.dfu_util("-l").output,
          "the first client lost the device")


@case
def usbip_reset_reaches_the_chip(b):
    """USB/IP has no message for it; dfu-util -R is a reset of the port."""
    b.start_usbip()
    start, _ = b.layout().slot()
    since = b.chip.mark()
    result = b.dfu_util("-a 0 -s 0x%08x:4 -U /tmp/four -R" % start)
    check(result.status == 0, "dfu-util -R ends with status %d:\n%s",
          result.status, last_drawn(result.output))
    b.chip.wait("(?i)usb.*reset", 30, since)
    b.chip.wait("(?i)usb.*configured", 30, since)
    b.dfu_mode()


# ---- bad input to the tools ----

def bad_arguments(arguments, wanted):
    """sallyport-chip says one clear line and ends with status 2."""
    result = subprocess.run([PROGRAM, *map(str, arguments)],
                            capture_output=True, text=True, timeout=60,
                            stdin=subprocess.DEVNULL)
    text = result.stderr.strip()
    check(result.returncode == 2, "%s: status %d:\n%s", arguments,
          result.returncode, text)
    check(len(text.splitlines()) == 1, "%s: not one line:\n%s", arguments,
          text)
    check(re.search(wanted, text, re.I), "%s: says %r", arguments, text)


@case
def chip_bad_input(b):
    boot = b.board.files / "sallyport-dfu.elf"
    board = ["--board", b.board.name]
    junk = LOGS / "junk.bin"
    junk.write_bytes(b"x" * 4096)
    bad_arguments([*board, "--flash", "/nonexistent.elf"], "nonexistent")
    bad_arguments([*board, "--flash", "/bin/busybox"],
                  "machine|arm|elf")
    bad_arguments(["--board", "nosuch", "--flash", boot], "nosuch")
    bad_arguments(["--chip", "nosuch", "--flash", boot], "nosuch")
    bad_arguments([*board, "--flash", "%s@0x0807FF00" % junk], "outside|fit")
    bad_arguments([*board, "--flash", "%s@0x20000000" % junk], "outside|fit")
    bad_arguments([*board, "--flash", "%s@nonsense" % junk], "address|nonsen")
    bad_arguments([*board, "--flash", boot, "--nosuch"], "nosuch")
    bad_arguments([*board, "--flash", boot, "--usbredir", "nonsense"],
                  "nonsense|port")
    bad_arguments([*board, "--flash", boot, "--usbip", "127.0.0.1:nonsense"],
                  "nonsense|port")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bad_arguments([*board, "--flash", boot, "--usbredir", "127.0.0.1:%d"
                       % taken.getsockname()[1]], "in use|busy|listen")


@case
def chip_refuses_second_client(b):
    b.start()
    b.dfu_mode()
    since = b.chip.mark()
    with socket.create_connection(("127.0.0.1", b.chip.port), 5) as second:
        second.settimeout(30)
        while second.recv(4096):
            pass
    b.chip.wait(r"(?i)second|refuse|busy|already", 30, since)
    check("Found DFU" in b.dfu_util("-l").output,
          "the first client lost the device")


def tool_refuses(status, wanted, *arguments):
    """sallyport says one clear line and ends with this status."""
    result = subprocess.run([ROOT / "build/bin/sallyport", *map(
        str, arguments)], capture_output=True, text=True, timeout=60)
    text = (result.stdout + result.stderr).strip()
    check(result.returncode == status, "sallyport %s: status %d, not %d:\n%s",
          arguments, result.returncode, status, text)
    check(len(text.splitlines()) == 1, "sallyport %s: not one line:\n%s",
          arguments, text)
    check(re.search(wanted, text, re.I), "sallyport %s: says %r", arguments,
          text)


@case
def tool_bad_input(b):
    """The statuses are those of docs/tool.md."""
    out = LOGS / "tool-out.bin"
    good = b.board.files / "demo-plain-dfu.bin"
    short = LOGS / "short.bin"
    short.write_bytes(b.board.read("demo-plain-dfu.bin")[:48])
    tool_refuses(2, "nosuch", "nosuch")
    tool_refuses(2, "nosuch", "stamp", good, "--board", "nosuch", "-o", out)
    tool_refuses(2, "x.y", "stamp", good, "--version", "x.y", "-o", out)
    tool_refuses(3, "/nonexistent.bin", "stamp", "/nonexistent.bin", "-o",
                 out)
    tool_refuses(3, "ELF.*machine", "stamp", "/bin/busybox", "-o", out)
    tool_refuses(4, "too small", "stamp", short, "-o", out)
    tool_refuses(1, "/nonexistent/o", "stamp", good, "-o",
                 "/nonexistent/o.bin")
    check(not out.exists(), "an output file was left behind")


@case
def stamp_agrees_with_test(b):
    """The host tool's stamp is byte for byte that of images.py."""
    out = LOGS / "stamped.bin"
    out.unlink(missing_ok=True)
    subprocess.run([ROOT / "build/bin/sallyport", "stamp",
                    b.board.files / "demo-plain-dfu.bin", "--version", "1.2.3",
                    "-o", out], check=True, capture_output=True, timeout=60)
    got = out.read_bytes()
    same(got, images.stamped(b.board.read("demo-plain-dfu.bin"),
                             images.word(got, images.OFFSET_PRODUCT),
                             1 << 24 | 2 << 16 | 3), "stamped file")
