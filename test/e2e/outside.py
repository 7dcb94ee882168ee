# SPDX-License-Identifier: MIT
"""Boards outside the tree: their firmware, built as docs/bring-up.md says but
for the two profiles alone that are tested."""

import subprocess

from chip import ROOT

JOBS = "2"


def run(*command):
    done = subprocess.run(["nice", *map(str, command)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600)
    if done.returncode:
        raise OSError("%s: status %d\n%s" % (
            " ".join(map(str, command)), done.returncode, done.stdout[-2000:]))


def build(folder, place, profiles=("dfu", "both")):
    """Tool and firmware for the board in `folder`; the directory that
    corresponds to build/ is `place`."""
    board = folder.name
    common = ["-G", "Ninja", "-DSALLYPORT_BOARD_DIR=%s" % folder]
    run("cmake", "-S", ROOT, "-B", place, *common, "-DCMAKE_BUILD_TYPE=Debug",
        "-DSALLYPORT_TESTS=OFF", "-DSALLYPORT_FIRMWARE=OFF")
    run("cmake", "--build", place, "-j", JOBS, "--target", "sallyport",
        "firmware-pack")
    run("cmake", "-S", ROOT / "cmake/firmware", "-B", place / "firmware-build",
        *common, "-DCMAKE_TOOLCHAIN_FILE=%s" % (
            ROOT / "cmake/arm-none-eabi.cmake"),
        "-DSALLYPORT_BOARDS=" + board, "-DSALLYPORT_VERSION=0.0.0",
        "-DSALLYPORT_OUTPUT=%s" % (place / "firmware"),
        "-DSALLYPORT_TOOL=%s" % (place / "bin/sallyport"),
        "-DSALLYPORT_PACK=%s" % (place / "host/firmware-pack"))
    targets = ["%s-%s-%s" % (name, board, profile) for profile in profiles
               for name in ("sallyport", "demo", "demo2")]
    run("cmake", "--build", place / "firmware-build", "-j", JOBS, "--target",
        *targets)
