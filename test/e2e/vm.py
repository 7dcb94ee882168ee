#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The Linux guest: QEMU without KVM, a command channel, files in and out, USB
devices plugged in and out through usbredir.

    with Guest(log_dir) as guest:
        with guest.usb(port):                   # a listening sallyport-chip
            print(guest.run("dfu-util -l").output)

The console of the guest goes to LOG_DIR/console.log, what was run and what
it printed to LOG_DIR/guest.log.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent / "guest"))
import build as guest_build  # noqa: E402

QEMU = [
    "qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64", "-M", "q35",
    "-bios", "qboot.rom", "-m", "256", "-nodefaults", "-no-user-config",
    "-display", "none", "-no-reboot",
]
CMDLINE = ("console=ttyS0 panic=-1 mitigations=off nokaslr tsc=reliable "
           "no_timer_check cryptomgr.notests quiet loglevel=7 printk.time=1")
HUB_PORTS = 4   # of QEMU's xHCI
BOOT_LIMIT = 60  # seconds; two or three are usual

Result = namedtuple("Result", "status output")


class GuestError(Exception):
    """The guest does not answer, or a command took too long."""


def begun(data, end):
    """How many of the last bytes of data are the first bytes of end."""
    for count in range(min(len(data), len(end)), 0, -1):
        if data.endswith(end[:count]):
            return count
    return 0


class Channel:
    """One agent in the guest (guest/agent has the protocol)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.setblocking(False)
        self.pending = b""
        self.requests = 0

    def close(self):
        self.socket.close()

    def send(self, data, limit=30):
        deadline = time.monotonic() + limit
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [self.socket], [], left)[1]:
                raise GuestError("the guest takes no data")
            view = view[self.socket.send(view[:65536]):]

    def receive(self, deadline):
        """Waits for more bytes to be in `pending`."""
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.socket], [], [], left)[0]:
            raise TimeoutError
        data = self.socket.recv(65536)
        if not data:
            raise GuestError("the guest is gone")
        self.pending += data
        return data

    def line(self, limit):
        deadline = time.monotonic() + limit
        while b"\n" not in self.pending:
            self.receive(deadline)
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode()

    def request(self, text):
        """Sends a request; returns the mark that its answer ends with."""
        self.requests += 1
        mark = "%08x%s" % (self.requests, os.urandom(6).hex())
        self.send(text.replace("@", mark, 1).encode() + b"\n")
        return mark.encode()

    def until(self, mark, limit, live=None):
        """(output, status) up to `\\nMARK STATUS\\n`.  `live` gets output as
        it arrives, but nothing that may be the beginning of the mark."""
        deadline = time.monotonic() + limit
        end = b"\n" + mark + b" "
        shown = 0
        while True:
            at = self.pending.find(end)
            if at >= 0 and b"\n" in self.pending[at + len(end):]:
                break
            if live and at < 0:
                safe = len(self.pending) - begun(self.pending, end)
                if safe > shown:
                    live(self.pending[shown:safe])
                    shown = safe
            self.receive(deadline)
        output = self.pending[:at]
        if live:
            live(output[shown:])
        tail, self.pending = self.pending[at + len(end):].split(b"\n", 1)
        return output, int(tail)

    def bytes(self, count, limit):
        deadline = time.monotonic() + limit
        while len(self.pending) < count:
            self.receive(deadline)
        data, self.pending = self.pending[:count], self.pending[count:]
        return data


class UsbHost:
    """A machine that devices are plugged into: `qmp` is QEMU's protocol."""

    def __init__(self, log_dir, log):
        self.log_dir = Path(log_dir)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        self.log = (self.log_dir / log).open("a")
        self.sockets = tempfile.mkdtemp(prefix="sallyport-guest-")
        self.devices = 0
        self.hub_ports = {}  # name -> port of the machine's root hub
        self.started = time.monotonic()  # and again when QEMU starts
        self.process = self.qmp = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        if self.qmp:
            self.qmp.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)
        self.log.close()

    def _path(self, name):
        return os.path.join(self.sockets, name)

    def _start_qemu(self, command, log):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL,
            stdout=(self.log_dir / log).open("w"), stderr=subprocess.STDOUT)
        self.qemu_log = self.log_dir / log

    def _connect(self, name, kind):
        deadline = time.monotonic() + 10
        while True:
            try:
                return kind(self._path(name))
            except OSError:
                if self.process.poll() is not None:
                    raise GuestError("QEMU does not start: "
                                     + self.qemu_log.read_text().strip())
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _note(self, text):
        self.log.write("[%7.2f] %s\n" % (time.monotonic() - self.started,
                                         text))
        self.log.flush()

    def attach(self, port):
        """Plugs the device of a usbredir server on 127.0.0.1:port in."""
        self.devices += 1
        name = "usb%d" % self.devices
        hub = next(n for n in range(1, HUB_PORTS + 1)
                   if n not in self.hub_ports.values())
        self.hub_ports[name] = hub
        self._note("attach %s at %s: port %d" % (name, self.usb_path(name),
                                                 port))
        self.qmp.call("chardev-add", id=name, backend={
            "type": "socket", "data": {
                "addr": {"type": "inet", "data": {
                    "host": "127.0.0.1", "port": str(port)}},
                "server": False}})
        self.qmp.call("device_add", driver="usb-redir", bus="xhci.0",
                      port=str(hub), id=name + "d", chardev=name)
        return name

    def usb_path(self, name):
        """The guest's name for the place where it is plugged in."""
        return "1-%d" % self.hub_ports[name]

    def detach(self, name):
        self._note("detach %s" % name)
        # QEMU removes the device at once, and the chardev with it.
        self.qmp.call("device_del", id=name + "d")
        del self.hub_ports[name]

    @contextlib.contextmanager
    def usb(self, port):
        name = self.attach(port)
        try:
            yield name
        finally:
            self.detach(name)


class Guest(UsbHost):
    """A running guest.  Use it as a context manager."""

    def __init__(self, log_dir):
        super().__init__(log_dir, "guest.log")
        self.main = self.side = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        vmlinux, initrd = guest_build.build()
        self.started = time.monotonic()
        command = list(QEMU)
        command += ["-kernel", str(vmlinux), "-initrd", str(initrd),
                    "-append", CMDLINE, "-chardev",
                    "file,id=log,append=on,path=%s"
                    % (self.log_dir / "console.log"),
                    "-serial", "chardev:log",
                    "-qmp", "unix:%s,server=on,wait=off" % self._path("qmp"),
                    "-device", "qemu-xhci,id=xhci",
                    "-netdev", "user,id=net,ipv6=off",
                    "-device", "virtio-net-pci,netdev=net,romfile=",
                    "-device", "virtio-serial-pci,id=vs"]
        for name in ("main", "side"):
            command += ["-chardev", "socket,id=%s,path=%s,server=on,wait=off"
                        % (name, self._path(name)),
                        "-device", "virtserialport,chardev=%s,name=%s"
                        % (name, name)]
        self._start_qemu(command, "qemu.log")
        self.main = self._connect("main", Channel)
        self.side = self._connect("side", Channel)
        self.qmp = self._connect("qmp", Qmp)
        for channel in (self.main, self.side):
            try:
                while channel.line(BOOT_LIMIT) != "agent ready":
                    pass
            except (TimeoutError, GuestError):
                raise GuestError("the guest does not boot\n" + self.tail())
        self.boot_seconds = time.monotonic() - self.started
        self._note("booted in %.1f s" % self.boot_seconds)

    def close(self):
        for part in (self.main, self.side):
            if part:
                part.close()
        super().close()

    def tail(self, lines=15):
        """What QEMU said and the end of the console, for a message about a
        failure."""
        text = ""
        for name, count in (("qemu.log", 5), ("console.log", lines)):
            path = self.log_dir / name
            if path.exists():
                text += "\n".join(path.read_text(
                    errors="replace").splitlines()[-count:]) + "\n"
        return text.strip()

    # ---- commands and files ----

    def run(self, script, limit=60, live=None):
        """Runs a shell script; Result(status, output with stderr in it).
        `live` is called with bytes of output while it runs.  After `limit`
        seconds the script is killed and GuestError raised."""
        self._note("$ " + script)
        encoded = base64.b64encode(script.encode()).decode()
        mark = self.main.request("run @ " + encoded)
        try:
            output, status = self.main.until(mark, limit, live)
        except TimeoutError:
            self.kill()
            try:
                output, status = self.main.until(mark, 60)
            except TimeoutError:
                raise GuestError("the guest hangs\n" + self.tail())
            text = output.decode(errors="replace")
            self._note("killed after %g s\n%s" % (limit, text))
            raise GuestError("%r took longer than %g s; it printed:\n%s"
                             % (script, limit, text[-2000:]))
        text = output.decode(errors="replace")
        self._note("status %d\n%s" % (status, text))
        return Result(status, text)

    def start(self, script):
        """Starts a script and returns at once; `finish` gives its result."""
        self._note("$ %s &" % script)
        encoded = base64.b64encode(script.encode()).decode()
        return self.main.request("run @ " + encoded)

    def finish(self, mark, limit=60):
        try:
            output, status = self.main.until(mark, limit)
        except TimeoutError:
            self.kill()
            self.main.until(mark, 60)
            raise GuestError("a started command took longer than %g s" % limit)
        text = output.decode(errors="replace")
        self._note("status %d\n%s" % (status, text))
        return Result(status, text)

    def side_run(self, script, limit=60):
        """Runs a short script while the main channel is busy."""
        encoded = base64.b64encode(script.encode()).decode()
        mark = self.side.request("run @ " + encoded)
        try:
            output, status = self.side.until(mark, limit)
        except TimeoutError:
            raise GuestError("the guest hangs\n" + self.tail())
        return Result(status, output.decode(errors="replace"))

    def kill(self, signal="KILL"):
        """Kills what the main channel runs, with its children."""
        self.side_run("kill -%s -$(cat /tmp/main.pid)" % signal)

    def put(self, data, path):
        """Writes a file in the guest."""
        self._note("put %s (%d bytes)" % (path, len(data)))
        mark = self.main.request("put @ %d %s" % (len(data), path))
        try:
            if self.main.line(60) != mark.decode() + " ready":
                raise GuestError("put: unexpected answer")
            self.main.send(data)
            _, status = self.main.until(mark, 60)
        except TimeoutError:
            raise GuestError("the guest takes no file\n" + self.tail())
        if status:
            raise GuestError("%s cannot be written in the guest" % path)

    def get(self, path):
        """Contents of a file in the guest, None where there is none."""
        mark = self.main.request("get @ %s" % path).decode()
        try:
            answer = self.main.line(60).split()
            if answer[0] != mark:
                raise GuestError("get: unexpected answer")
            size = int(answer[1])
            return self.main.bytes(size, 60) if size >= 0 else None
        except TimeoutError:
            raise GuestError("the guest gives no file\n" + self.tail())

    # ---- more USB ----

    def load_usbip(self):
        """Makes the guest a USB/IP client, once.  Its network reaches this
        machine's 127.0.0.1 as 10.0.2.2."""
        result = self.run(
            "[ -d /sys/module/vhci_hcd ] && exit\n"
            "while read m; do insmod /modules/$m.ko || exit 1; done "
            "</modules/usbip\n"
            "ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0")
        if result.status:
            raise GuestError("no USB/IP in the guest: " + result.output)

    def usbip(self, port, arguments):
        """The usbip program, for the server on this machine's port."""
        return self.run("usbip --tcp-port %d %s" % (port, arguments))

    def wait_usb(self, product, protocol, limit=60):
        """Waits until a device with that VID:PID is configured, with that
        protocol of its first interface (two hexadecimal digits)."""
        vid, pid = product.split(":")
        script = (
            "end=$(($(cut -d. -f1 /proc/uptime) + %d))\n"
            "while [ $(cut -d. -f1 /proc/uptime) -le $end ]; do\n"
            "for d in /sys/bus/usb/devices/*:1.0; do\n"
            "read -r x <$d/bInterfaceProtocol && [ $x = %s ] &&\n"
            "read -r v <${d%%:*}/idVendor && read -r p <${d%%:*}/idProduct &&\n"
            "[ $v:$p = %s:%s ] && exit 0\n"
            "done 2>/dev/null; usleep 20000; done; exit 1"
            % (limit, protocol, vid, pid))
        if self.run(script, limit * 3 + 10).status:
            raise GuestError("no USB device %s with protocol %s after %d s\n%s"
                             % (product, protocol, limit, self.tail()))

    def wait_disk(self, name, after=0, limit=60):
        """Waits until the device has a disk that is newer than number
        `after`, and udev is through with it; (number, name in /dev).  With
        /run/quick udev does not read it."""
        result = self.run(
            "end=$(($(cut -d. -f1 /proc/uptime) + %d))\n"
            "while [ $(cut -d. -f1 /proc/uptime) -le $end ]; do\n"
            "for s in /sys/bus/usb/devices/%s:1.*/host*/target*/*/block/*; do\n"
            "read -r n <$s/diskseq && [ $n -gt %d ] &&\n"
            "{ [ -e /run/quick ] ||\n"
            "ls -l /dev/disk/by-label | grep -q ${s##*/}$; } &&\n"
            "[ -b /dev/${s##*/} ] &&\n"
            "echo $n ${s##*/} && exit 0\n"
            "done 2>/dev/null; usleep 20000; done; exit 1"
            % (limit, self.usb_path(name), after), limit * 3 + 10)
        if result.status:
            raise GuestError("no new disk at %s after %d s\n%s" % (
                self.usb_path(name), limit, self.tail()))
        number, disk = result.output.split()
        return int(number), disk


class Qmp:
    """QEMU's machine protocol: one call at a time, events are dropped."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(60)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.call("qmp_capabilities")

    def close(self):
        self.file.close()
        self.socket.close()

    def call(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.file)
        self.file.write("\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise GuestError("QEMU is gone")
            answer = json.loads(line)
            if "error" in answer:
                raise GuestError("%s: %s" % (command,
                                             answer["error"]["desc"]))
            if "return" in answer:
                return answer["return"]


def main():
    """vm.py COMMAND [PORT...]: boots a guest with the devices of these
    usbredir servers and runs one command in it."""
    if len(sys.argv) < 2:
        print(main.__doc__, file=sys.stderr)
        return 2

    def live(data):
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    logs = guest_build.ROOT / "build" / "e2e" / "logs"
    try:
        with Guest(logs) as guest:
            for port in sys.argv[2:]:
                guest.attach(int(port))
            if sys.argv[2:]:
                time.sleep(1)
            return guest.run(sys.argv[1], 600, live).status
    except GuestError as error:
        print("vm: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
