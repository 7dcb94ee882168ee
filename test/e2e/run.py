#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
End-to-end tests: the real bootloader ELF on the virtual chip, an unmodified
Linux in front of it, with an unmodified dfu-util and its own drivers for
drives.

    test/e2e/run.py                 all cases but the slow ones
    test/e2e/run.py unplug dfuse    those with one of these words in the name
    test/e2e/run.py stm32f407       those of a board
    test/e2e/run.py --list

The slow ones run where a word is given, or with SALLYPORT_TEST_SLOW=1.
One guest serves all cases; each case has its own chip.  What happened is in
build/e2e/logs: console.log and guest.log of the guest, one file a case for
the chip, and CASE.pcap for Wireshark.
"""

import contextlib
import os
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
from bench import CASES, LOGS, Bench, Failure, check  # noqa: E402
from chip import PROGRAM, ROOT, ChipError  # noqa: E402
from vm import Guest, GuestError  # noqa: E402
import cases_dfu  # noqa: E402,F401
import cases_drive  # noqa: E402,F401
import cases_uefi  # noqa: E402,F401


def run_case(case, guest):
    """(reason of the failure or None, a note of the case)."""
    bench = Bench(guest, case.name, case.board)
    try:
        note = case.function(bench)
        errors = bench.chip and bench.chip.find("guest error")
        status = bench.stop()
        check(status in (None, 0), "sallyport-chip ends with status %s: %s",
              status, errors.string if errors else "see its log")
        return None, note
    except (Failure, ChipError, GuestError, OSError,
            subprocess.SubprocessError) as error:
        return str(error), None
    except Exception:  # a mistake in the test is a failure, too
        return traceback.format_exc(), None
    finally:
        with contextlib.suppress(Exception):
            bench.stop()


def main(arguments):
    if "--list" in arguments:
        print("\n".join(case.name for case in CASES))
        return 0
    chosen = [case for case in CASES if not arguments
              or any(a in case.name for a in arguments)]
    if not arguments and os.environ.get("SALLYPORT_TEST_SLOW") != "1":
        chosen = [case for case in CASES if not case.slow]
        print("skipped %d slow cases: SALLYPORT_TEST_SLOW=1 runs them"
              % (len(CASES) - len(chosen)))
    if not chosen:
        print("e2e: no case with that in its name", file=sys.stderr)
        return 2
    for needed in [PROGRAM] + [board.files / "sallyport-dfu.elf"
                               for board in sorted(
                                   {case.board for case in chosen
                                    if not case.board.model},
                                   key=lambda board: board.name)]:
        if not needed.exists():
            print("e2e: %s is not built" % needed.relative_to(ROOT),
                  file=sys.stderr)
            return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.iterdir():
        old.unlink()
    started, failed, guest = time.monotonic(), 0, None
    try:
        for case in chosen:
            begun = time.monotonic()
            if guest is None:
                guest = Guest(LOGS)
            reason, note = run_case(case, guest)
            seconds = time.monotonic() - begun
            if reason is None:
                print("ok %s (%s%.1f s)" % (
                    case.name, note + ", " if note else "", seconds))
            else:
                failed += 1
                print("FAIL %s: %s" % (case.name,
                                       reason.replace("\n", "\n    ")))
                print("    replay: test/e2e/run.py %s; logs: %s"
                      % (case.name, (LOGS / case.name).relative_to(ROOT)))
                guest.close()  # the next case gets a fresh one
                guest = None
            sys.stdout.flush()
    except GuestError as error:
        print("FAIL guest: %s" % error)
        failed += 1
    finally:
        if guest:
            guest.close()
    print("e2e: %d passed, %d failed in %.0f s" % (
        len(chosen) - failed, failed, time.monotonic() - started))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
