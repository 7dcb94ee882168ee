# SPDX-License-Identifier: MIT
"""
The UEFI shell of Debian's ovmf package in QEMU without KVM: a firmware's own
USB stack, mass storage driver and FAT driver, and nothing of Linux.

    with Uefi(log_dir, {"FW.BIN": data}) as uefi:   # files of its fs0:
        with uefi.usb(port):                        # a sallyport-chip
            print(uefi.run("map -r"))

What it printed goes to LOG_DIR/uefi.log.
"""

import re
import socket
import time
from pathlib import Path

from vm import GuestError, Qmp, UsbHost

QEMU = [
    "qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64", "-M", "q35",
    "-bios", "/usr/share/ovmf/OVMF.fd", "-m", "256", "-nodefaults",
    "-no-user-config", "-display", "none", "-no-reboot",
    "-device", "qemu-xhci,id=xhci",
]
BOOT_LIMIT = 180  # seconds; ten are usual
ESCAPES = re.compile(r"\x1b\[[0-9;=?]*[A-Za-z]")
PROMPT = "Shell> "
USB2_PORTS = 4  # of QEMU's xHCI, behind as many of USB 3


class Uefi(UsbHost):
    """A machine that stands in its UEFI shell.  Use it as a context
    manager."""

    def __init__(self, log_dir, files):
        super().__init__(log_dir, "uefi.log")
        self.console = None
        self.text = ""
        try:
            self._start(files)
        except BaseException:
            self.close()
            raise

    def _start(self, files):
        disk = Path(self._path("disk"))
        disk.mkdir()
        for name, data in files.items():
            (disk / name).write_bytes(data)
        # It is the script that every UEFI shell looks for.
        (disk / "startup.nsh").write_text("@echo -off\r\n")
        self.started = time.monotonic()
        self._start_qemu(QEMU + [
            "-qmp", "unix:%s,server=on,wait=off" % self._path("qmp"),
            "-drive", "if=none,id=disk,format=raw,readonly=on,file=fat:%s"
            % disk, "-device", "virtio-blk-pci,drive=disk,romfile=",
            "-serial", "unix:%s,server=on,wait=off" % self._path("serial")],
            "qemu-uefi.log")
        self.qmp = self._connect("qmp", Qmp)
        self.console = self._connect("serial", self._open_console)
        self._until_prompt(BOOT_LIMIT)
        self._note("the shell is there after %.1f s"
                   % (time.monotonic() - self.started))

    def _open_console(self, path):
        console = socket.socket(socket.AF_UNIX)
        console.connect(path)
        console.settimeout(1)
        return console

    def close(self):
        if self.console:
            self.console.close()
        super().close()

    def _until_prompt(self, limit):
        """What is printed until the shell waits again."""
        deadline = time.monotonic() + limit
        raw = b""
        while True:
            try:
                raw += self.console.recv(65536)
                continue
            except socket.timeout:
                pass
            text = ESCAPES.sub("", raw.decode(errors="replace"))
            if text.endswith(PROMPT):
                return text[:-len(PROMPT)].replace("\r", "")
            if time.monotonic() > deadline:
                raise GuestError("the UEFI shell does not answer; it printed\n"
                                 + text[-1500:])

    def run(self, command, limit=120):
        """Runs a command of the shell; what it printed."""
        self._note("> " + command)
        for char in command + "\r":
            self.console.send(char.encode())
            time.sleep(0.005)  # the emulated UART has a FIFO of 16
        text = self._until_prompt(limit)
        self._note(text)
        return text

    def volume(self, device=None, limit=60):
        """The shell's name ("fs1:") for the volume of a device that is
        plugged in, or for that of the files.  Names change with each map."""
        place = (r"USB\(0x%X,0x\d\)" % (USB2_PORTS + self.hub_ports[device] - 1)
                 if device else r"HD\(\S+\)")
        deadline = time.monotonic() + limit
        while True:
            found = re.search(r"\b(FS\d+): [^\n]*\n\s+\S+/%s\n" % place,
                              self.run("map -r"))
            if found:
                return found.group(1).lower() + ":"
            if time.monotonic() > deadline:
                raise GuestError("no volume at %s in the UEFI shell" % place)

    def power_off(self):
        """As a user ends it."""
        self._note("> reset -s")
        self.console.send(b"reset -s\r")
        self.process.wait(60)
