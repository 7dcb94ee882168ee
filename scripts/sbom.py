#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
sbom - the bill of materials of a release (scripts/dist) as SPDX 2.3 JSON:
every file with its checksums and licence, what of others is linked into the
firmware (from the linker's maps), what the programs load, what built it.

    scripts/sbom.py DIRECTORY --maps MAPS --version X.Y.Z --commit ID
        --epoch SECONDS
"""

import argparse
import hashlib
import json
import re
import subprocess
import time
import uuid
from pathlib import Path

OWNER = "Organization: The Sallyport authors"
COPYRIGHT = "Copyright (c) 2026 The Sallyport authors"
# Archives of the cross compiler that a linker map may name, and their terms.
LINKED = {
    "libgcc": ("gcc-arm-none-eabi", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libg_nano": ("libnewlib-arm-none-eabi", "NOASSERTION"),
    "libc_nano": ("libnewlib-arm-none-eabi", "NOASSERTION"),
    "libg": ("libnewlib-arm-none-eabi", "NOASSERTION"),
    "libc": ("libnewlib-arm-none-eabi", "NOASSERTION"),
}
# Shared libraries of the host programs, by Debian package.
LOADED = {
    "libc6": "LGPL-2.1-or-later",
    "libelf1": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libnettle8": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libunicorn2": "GPL-2.0-only",
    "libusb-1.0-0": "LGPL-2.1-or-later",
    "libusbredirparser1": "LGPL-2.1-or-later",
    "zlib1g": "Zlib",
}
# Those whose terms go for a program that loads them.
COPYLEFT = {"libunicorn2": "GPL-2.0-only"}
BUILT_WITH = ["gcc-arm-none-eabi", "binutils-arm-none-eabi",
              "libnewlib-arm-none-eabi", "gcc", "cmake", "ninja-build"]


class SbomError(Exception):
    """No bill can be made; the text says why."""


def installed_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                          capture_output=True, text=True)
    return done.stdout or "unknown"


def members(text):
    """{archive: [member]} that a linker map says were taken."""
    taken = {}
    head = re.search(r"^Archive member included.*?\n\n(.*?)\n\n", text,
                     re.M | re.S)
    for archive, member in re.findall(r"^(\S+?)\((\S+)\)", head.group(1),
                                      re.M) if head else ():
        taken.setdefault(Path(archive).stem, []).append(member)
    return taken


def spdx_id(text):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", text)


def package(name, version, license, **more):
    return {
        "SPDXID": spdx_id("Package-" + name), "name": name,
        "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": license,
        "licenseDeclared": license, "copyrightText": "NOASSERTION", **more}


def debian(name, license="NOASSERTION"):
    version = installed_version(name)
    return package(name, version, license, supplier="NOASSERTION",
                   externalRefs=[{
                       "referenceCategory": "PACKAGE-MANAGER",
                       "referenceType": "purl",
                       "referenceLocator": "pkg:deb/debian/%s@%s" % (
                           name, version.replace("+", "%2B")
                           .replace(":", "%3A"))}])


class Bill:
    def __init__(self, version, commit, epoch):
        self.packages, self.files, self.relationships = {}, [], []
        self.sallyport = self.add(package(
            "sallyport", version, "MIT", supplier=OWNER, filesAnalyzed=True,
            copyrightText=COPYRIGHT, primaryPackagePurpose="FIRMWARE",
            sourceInfo="commit " + commit))
        self.version, self.commit, self.epoch = version, commit, epoch
        self.relate("SPDXRef-DOCUMENT", "DESCRIBES", self.sallyport["SPDXID"])

    def add(self, entry):
        return self.packages.setdefault(entry["SPDXID"], entry)

    def relate(self, one, kind, other):
        entry = {"spdxElementId": one, "relationshipType": kind,
                 "relatedSpdxElement": other}
        if entry not in self.relationships:
            self.relationships.append(entry)

    def add_file(self, path, name):
        data = path.read_bytes()
        kind = "TEXT" if path.suffix in (".hex", ".md", "") else "BINARY"
        kind = "ARCHIVE" if path.suffix in (".gz", ".deb") else kind
        entry = {
            "SPDXID": spdx_id("File-" + name), "fileName": "./" + name,
            "fileTypes": [kind],
            "checksums": [
                {"algorithm": "SHA1",
                 "checksumValue": hashlib.sha1(data).hexdigest()},
                {"algorithm": "SHA256",
                 "checksumValue": hashlib.sha256(data).hexdigest()}],
            "licenseConcluded": "MIT", "licenseInfoInFiles": ["MIT"],
            "copyrightText": COPYRIGHT}
        self.files.append(entry)
        self.relate(self.sallyport["SPDXID"], "CONTAINS", entry["SPDXID"])
        return entry

    def add_linked(self, entry, map_file):
        """What the linker took from archives of others."""
        for archive, taken in members(map_file.read_text()).items():
            if archive not in LINKED:
                raise SbomError("%s: the linker took %s from %s.a, whose "
                                "licence is not in scripts/sbom.py"
                                % (map_file, ", ".join(taken), archive))
            name, license = LINKED[archive]
            other = self.add(debian(name, license))
            self.relate(entry["SPDXID"], "STATIC_LINK", other["SPDXID"])
            entry["licenseConcluded"] = ("NOASSERTION" if license ==
                                         "NOASSERTION" else
                                         "MIT AND " + license)
            entry["comment"] = "%s.a: %s" % (archive, ", ".join(taken))

    def document(self):
        sha1 = sorted(file["checksums"][0]["checksumValue"]
                      for file in self.files)
        self.sallyport["packageVerificationCode"] = {
            "packageVerificationCodeValue":
                hashlib.sha1("".join(sha1).encode()).hexdigest()}
        self.sallyport["licenseInfoFromFiles"] = ["MIT"]
        name = "sallyport-" + self.version
        contents = json.dumps([self.files, self.packages, self.commit],
                              sort_keys=True)
        return {
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT", "name": name,
            "documentNamespace": "urn:uuid:%s" % uuid.uuid5(
                uuid.NAMESPACE_OID, contents),
            "creationInfo": {
                "created": time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                         time.gmtime(self.epoch)),
                "creators": [OWNER, "Tool: sallyport-sbom-" + self.version]},
            "packages": list(self.packages.values()), "files": self.files,
            "relationships": self.relationships}


def make(directory, maps, version, commit, epoch):
    """The document for the files below a directory; `maps` has the map of
    BOARD/NAME.elf as BOARD/NAME.map."""
    bill = Bill(version, commit, epoch)
    loaded = set()
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if not path.is_file() or name.endswith(".spdx.json"):
            continue
        entry = bill.add_file(path, name)
        if path.suffix == ".elf":
            bill.add_linked(entry, maps / Path(name).with_suffix(".map"))
        if path.suffix == ".deb":
            needs = depends(path)
            loaded |= set(needs)
            for name in set(needs) & set(COPYLEFT):
                entry["licenseConcluded"] = "MIT AND " + COPYLEFT[name]
                entry["comment"] = "a program in it loads " + name
    for name in sorted(loaded):
        license = LOADED.get(name)
        if license is None:
            raise SbomError("a package depends on %s, whose licence is not in "
                            "scripts/sbom.py" % name)
        bill.relate(bill.sallyport["SPDXID"], "DYNAMIC_LINK",
                    bill.add(debian(name, license))["SPDXID"])
    for name in BUILT_WITH:
        bill.relate(bill.add(debian(name))["SPDXID"], "BUILD_TOOL_OF",
                    bill.sallyport["SPDXID"])
    return bill.document()


def depends(deb):
    """Libraries that the programs of a Debian package load."""
    done = subprocess.run(["dpkg-deb", "-f", deb, "Depends"],
                          capture_output=True, text=True, check=True)
    names = [part.split()[0] for part in done.stdout.split(",")
             if part.strip()]
    return [name for name in names if not name.endswith("-dev")]


def main():
    parser = argparse.ArgumentParser(description="SPDX 2.3 of a release")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--maps", type=Path, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--epoch", type=int, required=True)
    given = parser.parse_args()
    print(json.dumps(make(given.directory, given.maps, given.version,
                          given.commit, given.epoch), indent=1))


if __name__ == "__main__":
    main()
