"""Tests for :mod:`patches.server.admin.bundle_commands`: what is exported is imported whole."""

from __future__ import annotations

import json
from pathlib import Path

from patches.server.catalogue.integrity import read_lines
from patches.signing import create_keys
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import from_wire
from tests.server.bundle_case import BundleCase, SignedCase, bundle, members
from tests.server.fake_catalogue import vulnerabilities


class RoundTripTests(BundleCase):
    """Bundles that are accepted."""

    def test_round_trip(self) -> None:
        """Imported lists are current, identical to the exported ones, and intact."""
        self.export()
        self.assertIn("not signed", self.imported())
        self.assertEqual(self.other.current(), self.catalogue.current())
        for number in range(self.big.chunks):
            chunks = [each.chunk(self.big.revision, number) for each in (self.catalogue, self.other)]
            self.assertEqual(chunks[0].encoded, chunks[1].encoded)
        self.assertEqual(self.run_command("check", folder=self.there).exit_code, 0)

    def test_platforms(self) -> None:
        """Only the requested platforms are exported; an import does not change other platforms."""
        self.export("--platform", "alpine-3.20")
        self.imported()
        self.assertEqual([each.platform for each in self.other.current()], ["alpine-3.20"])
        self.assertIn("rhel-9", self.refusal(2, "export", str(self.file), "--platform", "rhel-9"))

    def test_new_catalogue(self) -> None:
        """An import creates a missing catalogue, unless the bundle is refused."""
        data, empty = self.export(), Path(self.mktemp())
        empty.mkdir()
        self.file.write_bytes(data[:-1])
        self.refusal(5, "import", str(self.file), folder=empty)
        self.assertEqual(list(empty.iterdir()), [])
        self.file.write_bytes(data)
        self.assertEqual(self.run_command("import", str(self.file), folder=empty).exit_code, 0)

    def test_new_folder(self) -> None:
        """An import creates a missing state folder for its owner only; a folder that cannot be created is reported."""
        self.publish()
        self.run_command("export", str(self.file))
        folder = self.folder / "of" / "another"
        self.assertEqual(self.run_command("import", str(self.file), folder=folder).exit_code, 0)
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertIn("Not a directory", self.refusal(5, "import", str(self.file), folder=self.file / "x"))

    def test_control_characters(self) -> None:
        """Characters that cannot be shown are escaped: a list with some has another revision, others keep theirs."""
        odd = Vulnerability("CVE-2024-9999", "debian-12", (FixedPackage("op\x1b[2Jen", "1"),), note="\u202e")
        self.publish([*vulnerabilities(2000, "debian-12"), odd])
        self.export()
        for _ in range(2):
            self.imported()
            alpine, debian = self.other.current()
            self.assertEqual((alpine, debian.vulnerabilities), (self.small, 2001))
            self.assertNotEqual(debian.revision, self.catalogue.current()[1].revision)
            records = [from_wire(json.loads(line)) for line in read_lines(self.other, debian)]
            self.assertEqual((records[-1].fixed_in[0].name, records[-1].note), ("op\\x1b[2Jen", "\\u202e"))
            self.assertEqual(records[:-1], vulnerabilities(2000, "debian-12"))
            self.assertEqual(len(self.other.snapshots()), 2)
        self.assertEqual(self.run_command("check", folder=self.there).exit_code, 0)

    def test_again(self) -> None:
        """A newer list replaces the current one; an identical one updates the time of the check."""
        self.export()
        self.imported()
        self.publish(3000, now=2000.0)
        newer = self.publish(4, "alpine-3.20", now=2000.0)
        self.export()
        self.imported()
        alpine, debian = self.other.current()
        self.assertEqual((alpine, debian.created, debian.checked), (newer, self.big.created, 2000.0))
        self.assertEqual(len(self.other.snapshots()), 3)

    def test_older(self) -> None:
        """A bundle with a list older than the current one is refused as a whole, unless the import is forced."""
        old = self.export()
        self.publish(5, "debian-12", now=2000.0)
        self.export("--platform", "debian-12")
        self.imported()
        self.assertIn("debian-12: the current list was checked later", self.refused(old))
        self.imported("--force")
        self.assertEqual(self.other.current(), [self.small, self.big])

    def test_held(self) -> None:
        """A list that was held back is discarded by the import of another one."""
        self.export()
        self.other.publish("debian-12", [], {}, 500.0, lambda current, count: "too short")
        self.imported()
        self.assertEqual(self.other.held_back(), [])

    def test_not_a_file(self) -> None:
        """A path that does not exist, or is a folder, is reported in one line."""
        self.assertEqual(self.refusal(5, "import", "none", folder=self.there), "Error: none: there is no such file\n")
        self.assertIn("Is a directory", self.refusal(5, "import", ".", folder=self.there))
        said = self.refusal(5, "export", "none/bundle")
        self.assertEqual(said, "Error: none/bundle: there is no such folder\n")

    def test_another_file(self) -> None:
        """A file of another kind is not a bundle, however short it is."""
        for data in (b"", b"manifest.json", b"Patches\n=======\n" * 100):
            self.assertIn(f"{self.file}: is not a bundle of Patches (it does not begin", self.refused(data))


class SignedTests(SignedCase):
    """Signatures."""

    def test_signed(self) -> None:
        """A signed bundle is accepted with its key, and without a key."""
        self.export("--signing-key", str(self.key))
        self.assertNotIn("signature", self.imported(*self.verify))
        self.assertIn("the signature was not verified", self.imported())

    def test_refused(self) -> None:
        """With a key, a bundle is refused if it is unsigned or its signature is of another key or other lists."""
        self.assertIn("not signed", self.refused(self.export(), *self.verify))
        create_keys(other := Path(self.mktemp()))
        data = self.export("--signing-key", str(other))
        self.assertIn("not made with the trusted key", self.refused(data, *self.verify))
        small = members(self.export("--signing-key", str(self.key), "--platform", "alpine-3.20"))
        whole = members(self.export("--signing-key", str(self.key)))
        mixed = bundle([*whole[:2], small[2], *whole[3:]])
        self.assertIn("not made with the trusted key", self.refused(mixed, *self.verify))

    def test_bad_keys(self) -> None:
        """A key file that cannot be used is wrong usage."""
        self.refusal(2, "export", str(self.file), "--signing-key", f"{self.key}.pub")
        self.refusal(2, "import", str(self.file), "--verify-key", "none")
        self.assertEqual(self.run_keygen(self.key), 2)
