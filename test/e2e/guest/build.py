#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Builds the Linux guest of the end-to-end tests into build/guest:
`vmlinux` and `initrd.cpio`.

The kernel and udevd are Debian's own: their packages are downloaded and
unpacked, not installed.  dfu-util, usbip, busybox and the tools for drives are
the installed Debian programs, with the libraries that the loader names.  udevd
is there because a running libusb learns from it that a device came back, and
because it looks at each new disk as on a desktop.  Nothing is built again
while the inputs (this directory, the versions of the packages) stay what they
were.
"""

import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OUT = ROOT / "build" / "guest"

# Modules that the guest needs; what they depend on is found in the files.
# What a module asks for by name while it runs is listed too: the CRCs of
# sd_mod, the character sets of vfat.
MODULES = [
    "xhci_pci", "virtio_pci", "virtio_console",
    "cdc_acm", "usb_storage", "sd_mod", "vfat", "nls_cp437", "nls_ascii",
    "nls_iso8859_1", "nls_utf8", "crct10dif_generic", "crc64_rocksoft_generic",
]
# Loaded by `guest.load_usbip()`: sixteen more root hubs, and a network.
USBIP_MODULES = ["virtio_net", "vhci_hcd"]
# They come before busybox's of the same names.
PROGRAMS = ["/usr/bin/dfu-util", "/usr/bin/dfu-suffix", "/usr/bin/dfu-prefix",
            "/usr/sbin/usbip", "/usr/bin/lsusb", "/usr/bin/cp", "/usr/bin/dd",
            "/usr/bin/mv", "/usr/bin/sync", "/usr/bin/eject",
            "/usr/sbin/blkid", "/usr/sbin/fsck.fat", "/usr/bin/mtools"]
MTOOLS = ["mdir", "mtype"]  # names of /usr/bin/mtools
# The character set of names in a FAT, as mtools asks the C library for it.
CHARSETS = Path("/usr/lib/x86_64-linux-gnu/gconv")
RULES = ["50-udev-default.rules", "60-block.rules",
         "60-persistent-storage.rules"]
# What udev finds out about a disk takes libblkid thousands of sectors, at both
# ends of it: seconds at full speed.  Tests may do without.
QUICK_RULE = ('SUBSYSTEM=="block", TEST=="/run/quick", '
              'ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1"\n')
PACKAGES = ["dfu-util", "usbip", "busybox-static", "libc6", "libusb-1.0-0",
            "libudev1", "usbutils", "coreutils", "eject", "util-linux",
            "dosfstools", "mtools"]


class GuestError(Exception):
    """The guest cannot be built; the text says why."""


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        raise GuestError("%s: %s" % (" ".join(command[:3]),
                                     result.stderr.strip() or "failed"))
    return result.stdout


def kernel_package():
    """Name of the newest 6.1 kernel, neither the cloud nor the rt flavour;
    the one that the distribution points at where there is no 6.1."""
    names = run("apt-cache", "pkgnames", "linux-image-").split()
    plain = re.compile(r"linux-image-6\.1\.(\d+)-(\d+)-amd64$")
    found = [(tuple(map(int, m.groups())), m.group(0))
             for m in map(plain.match, names) if m]
    if found:
        return max(found)[1]
    depends = run("apt-cache", "depends", "linux-image-amd64")
    match = re.search(r"Depends: (linux-image-\S+)", depends)
    if not match:
        raise GuestError("no linux-image-*-amd64 in apt's lists")
    return match.group(1)


def downloaded(pattern, package):
    """A Debian package as a file in build/guest; fetched when it is not
    there.  `package` gives its name."""
    OUT.mkdir(parents=True, exist_ok=True)
    root = os.getuid() == 0
    options = ["-o", "APT::Sandbox::User=root"] if root else []
    for attempt in range(2):
        debs = sorted(OUT.glob(pattern))
        if debs:
            return debs[-1]
        try:
            if attempt == 1:  # no lists, or old ones
                run(*([] if root else ["sudo", "-n"]),
                    "apt-get", "-q", "update")
            run("apt-get", *options, "-q", "download", package(), cwd=OUT)
        except (GuestError, OSError) as error:
            if attempt == 1:
                raise GuestError("no %s for the guest: %s" % (pattern, error))
    return sorted(OUT.glob(pattern))[-1]


def extract_vmlinux(vmlinuz):
    """The ELF inside a bzImage: the xz stream that begins at its magic."""
    image = vmlinuz.read_bytes()
    start = image.find(b"\xfd7zXZ\x00")
    while start >= 0:
        try:
            kernel = lzma.LZMADecompressor().decompress(image[start:])
            if kernel.startswith(b"\x7fELF"):
                return kernel
        except lzma.LZMAError:
            pass
        start = image.find(b"\xfd7zXZ\x00", start + 1)
    raise GuestError("%s: no xz-compressed kernel in it" % vmlinuz.name)


def module_name(path):
    """usb-common.ko -> usb_common: files have either spelling."""
    return re.sub(r"\.ko(\.xz)?$", "", Path(path).name).replace("-", "_")


def module_files(tree):
    """Module name -> file; None for what is built into the kernel."""
    files = {}
    for builtin in tree.rglob("modules.builtin"):
        for line in builtin.read_text().split():
            files[module_name(line)] = None
    for path in tree.rglob("*.ko*"):
        files[module_name(path)] = path
    return files


def module_bytes(path):
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def load_order(files, roots):
    """[(name, contents)], what a module depends on before it."""
    order = {}

    def add(name):
        if name in order:
            return
        if name not in files:
            raise GuestError("the kernel has no module %s" % name)
        if files[name] is None:
            return
        data = module_bytes(files[name])
        match = re.search(rb"\0depends=([^\0]*)\0", b"\0" + data)
        for dependency in match.group(1).decode().split(",") if match else []:
            if dependency:
                add(module_name(dependency))
        order[name] = data

    for root in roots:
        add(root)
    return list(order.items())


def libraries(program):
    """Shared libraries of a program, the loader among them."""
    listing = run("ldd", str(program))
    missing = re.search(r"(\S+) => not found", listing)
    if missing:
        raise GuestError("%s needs %s" % (program, missing.group(1)))
    return re.findall(r"(/\S+) \(0x", listing)


def install(source, tree, target=None):
    path = tree / str(target or source).lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(source), path)
    path.chmod(0o755)


def install_program(source, tree, target=None):
    install(source, tree, target)
    for library in libraries(source):
        install(library, tree)


def install_udevd(tree, package):
    install_program(package / "bin/udevadm", tree, "bin/udevadm")
    (tree / "bin/systemd-udevd").symlink_to("udevadm")
    for rules in RULES:
        install(package / "lib/udev/rules.d" / rules, tree,
                "lib/udev/rules.d/" + rules)
    (tree / "lib/udev/rules.d/10-quick.rules").write_text(QUICK_RULE)


def install_modules(tree, listing, modules):
    for name, data in modules:
        (tree / "modules" / (name + ".ko")).write_bytes(data)
    (tree / "modules" / listing).write_text(
        "".join(name + "\n" for name, _ in modules))


def make_initrd(tree, modules, usbip_modules, udev):
    for directory in ("bin", "dev", "proc", "sys", "tmp", "run", "root",
                      "etc", "modules", "mnt", "var"):
        (tree / directory).mkdir(parents=True)
    (tree / "var/run").symlink_to("/run")  # usbip keeps its state there
    install("/bin/busybox", tree)
    for applet in run("/bin/busybox", "--list").split():
        if applet != "busybox":
            (tree / "bin" / applet).symlink_to("busybox")
    for program in PROGRAMS:
        install_program(program, tree)
    for name in MTOOLS:
        (tree / "usr/bin" / name).symlink_to("mtools")
    for name in ("IBM850.so", "gconv-modules", "gconv-modules.cache"):
        install(CHARSETS / name, tree)
    install_udevd(tree, udev)
    install_modules(tree, "order", modules)
    install_modules(tree, "usbip", usbip_modules)
    install(str(HERE / "init"), tree, "init")
    install(str(HERE / "agent"), tree, "bin/agent")

    names = subprocess.run(["find", ".", "-print0"], cwd=tree, check=True,
                           capture_output=True).stdout
    archive = subprocess.run(
        ["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=tree,
        input=names, check=True, capture_output=True).stdout
    (OUT / "initrd.cpio").write_bytes(archive)


def inputs_key():
    """Changes when something that goes into the guest changes."""
    digest = hashlib.sha256()
    for path in sorted(HERE.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update(run("dpkg-query", "-W", *PACKAGES).encode())
    return digest.hexdigest()


def build(say=print):
    """Returns (vmlinux, initrd), building them where they are not there."""
    vmlinux, initrd, stamp = OUT / "vmlinux", OUT / "initrd.cpio", OUT / "key"
    key = inputs_key()
    if (stamp.exists() and stamp.read_text() == key and vmlinux.exists()
            and initrd.exists()):
        return vmlinux, initrd
    say("   building the Linux guest (once)")
    kernel_deb = downloaded("linux-image-*.deb", kernel_package)
    udev_deb = downloaded("udev_*.deb", lambda: "udev")
    stamp.unlink(missing_ok=True)
    kernel, udev, tree = OUT / "kernel", OUT / "udev", OUT / "tree"
    for directory in (kernel, udev, tree):
        shutil.rmtree(directory, ignore_errors=True)
    run("dpkg-deb", "-x", str(kernel_deb), str(kernel))
    run("dpkg-deb", "-x", str(udev_deb), str(udev))
    vmlinux.write_bytes(
        extract_vmlinux(next((kernel / "boot").glob("vmlinuz-*"))))
    files = module_files(kernel)
    modules = load_order(files, MODULES)
    more = load_order(files, MODULES + USBIP_MODULES)
    make_initrd(tree, modules, more[len(modules):], udev)
    for directory in (kernel, udev, tree):
        shutil.rmtree(directory)
    stamp.write_text(key)
    return vmlinux, initrd


if __name__ == "__main__":
    try:
        print("\n".join(map(str, build())))
    except (GuestError, OSError) as error:
        print("guest: %s" % error, file=sys.stderr)
        sys.exit(1)
