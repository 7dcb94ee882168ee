# SPDX-License-Identifier: MIT
"""A running sallyport-chip: its events line by line, its commands."""

import re
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build" / "bin" / "sallyport-chip"


class ChipError(Exception):
    """The chip did not do what was waited for; the text has its events."""


class Chip:
    """Starts a virtual chip.  Use it as a context manager.

    `flash` is a list of files (FILE or FILE@ADDR), `log` the file that gets
    every event with its time.  `on_line` is called with each event.  With a
    `model` it is a bare chip of that name."""

    def __init__(self, board, flash, log, options=(), on_line=None,
                 model=None):
        self.lines = []
        self.changed = threading.Condition()
        self.ended = False
        self.on_line = on_line
        self.log = Path(log).open("w")
        command = [str(PROGRAM), *(("--chip", model) if model
                                   else ("--board", board))]
        for item in flash:
            command += ["--flash", str(item)]
        command += ["--usbredir", "127.0.0.1:0", *map(str, options)]
        self.log.write("$ %s\n" % " ".join(command))
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", bufsize=1)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            listening = self.wait(r"listening usbredir \S+:(\d+)", 60)
        except ChipError:
            self.close()
            raise
        self.port = int(listening.group(1))
        self.usbip_port = None
        if "--usbip" in options:
            self.usbip_port = int(self.wait(r"listening usbip \S+:(\d+)",
                                            60).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            self.log.write("[%7.2f] %s\n" % (
                time.monotonic() - self.started, line))
            self.log.flush()
            with self.changed:
                self.lines.append(line)
                self.changed.notify_all()
            if self.on_line:
                self.on_line(line)
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def mark(self):
        """A point in the list of events, for `since`."""
        with self.changed:
            return len(self.lines)

    def find(self, pattern, since=0):
        """First event since a mark that matches, or None."""
        with self.changed:
            for line in self.lines[since:]:
                match = re.search(pattern, line)
                if match:
                    return match
        return None

    def wait(self, pattern, limit=10, since=0):
        """Waits for an event; returns the match."""
        deadline = time.monotonic() + limit
        at = since
        with self.changed:
            while True:
                while at < len(self.lines):
                    match = re.search(pattern, self.lines[at])
                    at += 1
                    if match:
                        return match
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise ChipError("the chip %s without %r; last events:\n%s"
                                    % ("ended" if self.ended else
                                       "ran %g s" % limit, pattern,
                                       "\n".join(self.lines[-12:])))
                self.changed.wait(left)

    def command(self, text):
        """One line to the chip's standard input."""
        self.log.write("[%7.2f] > %s\n" % (
            time.monotonic() - self.started, text))
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def flash(self, path):
        """Contents of the flash now."""
        path = Path(path)
        path.unlink(missing_ok=True)
        since = self.mark()
        self.command("save %s" % path)
        self.wait(r"saved", 10, since)
        return path.read_bytes()

    def close(self):
        """Ends the chip; returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode
