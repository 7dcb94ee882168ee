#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bill of materials of a release: has what SPDX 2.3 (clauses 6 to 11)
asks for, counts each file, and says what of others is in the firmware.

usage: test_sbom.py [build]
"""
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import sbom  # noqa: E402

BUILD = None
FACTS = {"version": "1.2.3", "commit": "0123456789abcdef", "epoch": 86400}
MAP = """Archive member included to satisfy reference by file (symbol)

/usr/lib/%s.a(%s)
                              main.o (memcpy)

Discarded input sections

 .text  /elsewhere/libodd.a(not.o)
"""
# Clause 11.1, those in use here, and what may stand at their ends.
RELATIONSHIPS = {"DESCRIBES": ("DOCUMENT", "Package"),
                 "CONTAINS": ("Package", "File"),
                 "STATIC_LINK": ("File", "Package"),
                 "DYNAMIC_LINK": ("Package", "Package"),
                 "BUILD_TOOL_OF": ("Package", "Package")}
LICENSES = {"MIT", "Zlib", "GPL-2.0-only", "GPL-2.0-or-later",
            "GPL-3.0-or-later", "LGPL-2.1-or-later", "LGPL-3.0-or-later"}
PURPOSES = {"APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER",
            "OPERATING-SYSTEM", "DEVICE", "FIRMWARE", "SOURCE", "ARCHIVE",
            "FILE", "INSTALL", "OTHER"}


def fault(text):
    raise AssertionError(text)


def check_license(text):
    """Annex D, as far as it is used."""
    if text in ("NOASSERTION", "NONE"):
        return
    for part in re.split(r" AND | OR ", text):
        name, _, exception = part.partition(" WITH ")
        if name not in LICENSES or exception not in ("",
                                                     "GCC-exception-3.1"):
            fault("no licence: %s" % text)


def check_package(package, files):
    for key in ("name", "downloadLocation", "copyrightText",
                "licenseConcluded", "licenseDeclared", "versionInfo"):
        package[key] or fault("%s: no %s" % (package["name"], key))
    check_license(package["licenseConcluded"])
    check_license(package["licenseDeclared"])
    if not re.fullmatch(r"NOASSERTION|(Person|Organization): .+",
                        package["supplier"]):
        fault("supplier %s" % package["supplier"])
    if package.get("primaryPackagePurpose", "OTHER") not in PURPOSES:
        fault("no purpose")
    for reference in package.get("externalRefs", ()):
        assert reference["referenceCategory"] == "PACKAGE-MANAGER"
        assert re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[\w.~%-]+",
                            reference["referenceLocator"]), reference
    if package["filesAnalyzed"]:  # clause 7.9: sorted SHA1 in one
        hashes = "".join(sorted(
            c["checksumValue"] for f in files for c in f["checksums"]
            if c["algorithm"] == "SHA1"))
        assert package["packageVerificationCode"][
            "packageVerificationCodeValue"] == hashlib.sha1(
                hashes.encode()).hexdigest()
        assert package["licenseInfoFromFiles"]
    else:
        assert "packageVerificationCode" not in package


def check_file(file, directory):
    assert file["fileName"].startswith("./")
    assert {c["algorithm"] for c in file["checksums"]} == {"SHA1", "SHA256"}
    data = (directory / file["fileName"]).read_bytes()
    for checksum in file["checksums"]:
        assert checksum["checksumValue"] == hashlib.new(
            checksum["algorithm"].lower(), data).hexdigest()
    check_license(file["licenseConcluded"])
    file["licenseInfoInFiles"] and file["copyrightText"] or fault("terms")
    assert set(file["fileTypes"]) <= {"BINARY", "TEXT", "ARCHIVE", "SOURCE"}


def validate(bill, directory):
    json.loads(json.dumps(bill))
    assert bill["spdxVersion"] == "SPDX-2.3"
    assert bill["dataLicense"] == "CC0-1.0"
    assert bill["SPDXID"] == "SPDXRef-DOCUMENT" and bill["name"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                        bill["creationInfo"]["created"])
    for creator in bill["creationInfo"]["creators"]:
        assert re.fullmatch(r"(Tool|Organization): .+", creator), creator
    ids = [bill["SPDXID"]]
    for package in bill["packages"]:
        check_package(package, bill["files"])
        ids.append(package["SPDXID"])
    for file in bill["files"]:
        check_file(file, directory)
        ids.append(file["SPDXID"])
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    for relation in bill["relationships"]:
        for end, kind in zip(("spdxElementId", "relatedSpdxElement"),
                             RELATIONSHIPS[relation["relationshipType"]]):
            assert relation[end] in ids, relation
            assert relation[end].startswith("SPDXRef-" + kind), relation
    names = {file["fileName"] for file in bill["files"]}
    assert names == {"./" + str(path.relative_to(directory))
                     for path in directory.rglob("*") if path.is_file()
                     and not path.name.endswith(".spdx.json")}


class Bills(unittest.TestCase):
    def setUp(self):
        self.temp = tempfile.TemporaryDirectory()
        self.dir = Path(self.temp.name) / "dist"
        self.maps = Path(self.temp.name) / "maps"
        for folder in (self.dir, self.maps):
            (folder / "board").mkdir(parents=True)
        self.put("LICENSE", b"MIT")
        self.put("board/a.elf", b"\x7fELF")
        self.put("board/a.hex", b":00000001FF\n")
        self.map("a", "Discarded input sections\n")

    def tearDown(self):
        self.temp.cleanup()

    def put(self, name, data):
        (self.dir / name).write_bytes(data)

    def map(self, name, text):
        (self.maps / "board" / (name + ".map")).write_text(text)

    def bill(self):
        return sbom.make(self.dir, self.maps, **FACTS)

    def test_it_is_valid_and_the_same_again(self):
        bill = self.bill()
        validate(bill, self.dir)
        self.assertEqual(bill["creationInfo"]["created"],
                         "1970-01-02T00:00:00Z")
        self.put("x.spdx.json", b"{}")  # its own place does not count
        self.assertEqual(json.dumps(self.bill()), json.dumps(bill))
        self.put("LICENSE", b"other")
        self.assertNotEqual(self.bill()["documentNamespace"],
                            bill["documentNamespace"])

    def test_firmware_of_our_own_links_nothing(self):
        kinds = {r["relationshipType"] for r in self.bill()["relationships"]}
        self.assertNotIn("STATIC_LINK", kinds)

    def test_what_the_linker_took_is_named(self):
        self.map("a", MAP % ("libgcc", "_udivmoddi4.o"))
        bill = self.bill()
        validate(bill, self.dir)
        file = next(f for f in bill["files"]
                    if f["fileName"] == "./board/a.elf")
        self.assertEqual(file["licenseConcluded"], "MIT AND GPL-3.0-or-later "
                         "WITH GCC-exception-3.1")
        self.assertEqual(file["comment"], "libgcc.a: _udivmoddi4.o")
        self.assertIn({"spdxElementId": file["SPDXID"],
                       "relationshipType": "STATIC_LINK",
                       "relatedSpdxElement":
                           "SPDXRef-Package-gcc-arm-none-eabi"},
                      bill["relationships"])

    def put_deb(self, depends):
        root = Path(self.temp.name) / "deb"
        (root / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (root / "DEBIAN/control").write_text(
            "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: b <c@d>\n"
            "Description: e\nDepends: %s\n" % depends)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root,
                        self.dir / "a.deb"], check=True, capture_output=True)

    def test_what_programs_load_is_named(self):
        self.put_deb("libc6 (>= 2.34), libunicorn2, libelf1, zlib1g-dev")
        bill = self.bill()
        validate(bill, self.dir)
        self.assertEqual(
            sorted(r["relatedSpdxElement"] for r in bill["relationships"]
                   if r["relationshipType"] == "DYNAMIC_LINK"),
            ["SPDXRef-Package-" + name
             for name in ("libc6", "libelf1", "libunicorn2")])
        terms = {f["fileName"]: f["licenseConcluded"] for f in bill["files"]}
        self.assertEqual(terms["./a.deb"], "MIT AND GPL-2.0-only")
        self.put_deb("libvendor1")
        with self.assertRaisesRegex(sbom.SbomError, "libvendor1"):
            self.bill()

    def test_an_unknown_library_stops_it(self):
        self.map("a", MAP % ("libvendor", "usb.o"))
        with self.assertRaisesRegex(sbom.SbomError, "usb.o from libvendor.a"):
            self.bill()

    def test_an_elf_without_a_map_stops_it(self):
        self.put("board/b.elf", b"\x7fELF")
        with self.assertRaises(OSError):
            self.bill()

    def test_the_firmware_has_nothing_of_others(self):
        """As the README says."""
        if not BUILD or not (BUILD / "firmware").exists():
            self.skipTest("no firmware is built")
        maps = BUILD / "firmware-build/maps"
        shutil.rmtree(self.dir)
        for path in maps.glob("*/*.map"):
            if not path.name.startswith("test-"):
                name = path.relative_to(maps).with_suffix(".elf")
                (self.dir / name.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(BUILD / "firmware" / name, self.dir / name)
        bill = sbom.make(self.dir, maps, **FACTS)
        validate(bill, self.dir)
        self.assertEqual([r for r in bill["relationships"]
                          if r["relationshipType"] == "STATIC_LINK"], [])
        boards = len(list(TOP.glob("board/*/board.h")))
        self.assertGreaterEqual(len(bill["files"]), 8 * boards)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        BUILD = Path(sys.argv.pop(1)).resolve()
    unittest.main()
