"""What a host's files and names tell beside its packages: channels, origins, the end of its support."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import FAMILIES
from patches.scanner.channels import channels_of
from patches.scanner.coverage import VENDORS, is_covered
from patches.scanner.end_of_life import ENDS, ended
from patches.scanner.inventory import Package

BASH = Package("bash", "5.0-6ubuntu1", "amd64", "bash", "5.0-6ubuntu1")


class ChannelTests(SynchronousTestCase):
    """Whether a host is subscribed to Ubuntu Pro."""

    def root(self, path: str = "", content: str = "") -> Path:
        """Make a root folder with one file."""
        root = Path(self.mktemp())
        root.mkdir()
        if path:
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(content)
        return root

    def test_version(self) -> None:
        """A version from there is the sign that lasts."""
        for version, expected in (("1-2ubuntu3+esm1", True), ("1-2~esm2", True), ("1-2ubuntu3", False)):
            package = Package("p", version, "amd64", "p", version)
            self.assertEqual(bool(channels_of(self.root(), [BASH, package])), expected, version)

    def test_files(self) -> None:
        """apt's sources and the client's status tell; what cannot be read does not."""
        status = "var/lib/ubuntu-advantage/status.json"
        for path, content, expected in (
            ("etc/apt/sources.list.d/ubuntu-esm-infra.list", "", True),
            ("etc/apt/sources.list.d/ubuntu-esm-apps.sources", "", True),
            ("etc/apt/sources.list.d/ubuntu-esm-infra.list.save", "", False),
            ("etc/apt/sources.list.d/ubuntu.sources", "", False),
            (status, json.dumps({"attached": True}), True),
            (status, json.dumps({"attached": False}), False),
            (status, "[" * 10000, False),
            (status, "[]", False),
        ):
            found = channels_of(self.root(path, content), [BASH])
            self.assertEqual(found, {"esm"} if expected else set(), (path, content[:40]))


class CoverageTests(SynchronousTestCase):
    """Which packages the sources of a platform can know."""

    def test_vendors(self) -> None:
        """What another vendor built is not covered; where no vendor is known nothing can be said against it."""
        for platform, vendor, expected in (
            ("alma-9", "AlmaLinux", True),
            ("alma-9", "Fedora Project", False),
            ("rocky-8", "Rocky Enterprise Software Foundation", True),
            ("rhel-9", "Docker", False),
            ("rhel-9", "Red Hat, Inc.", True),
            ("debian-12", "Docker", False),
            ("ubuntu-22.04", "Canonical", True),
            ("alma-9", None, True),
            ("wolfi", "whoever", True),
        ):
            package = Package("p", "1", "x86_64", "p", "1", vendor=vendor)
            self.assertIs(is_covered(package, platform), expected, (platform, vendor))

    def test_families(self) -> None:
        """Vendors are told of families that there are."""
        self.assertEqual(set(VENDORS) - set(FAMILIES), set())


class EndOfLifeTests(SynchronousTestCase):
    """When the support of a platform ended."""

    def test_ended(self) -> None:
        """A platform has support up to the end of the month that is told."""
        self.assertIsNone(ended("debian-11", date(2026, 8, 31)))
        self.assertEqual(ended("debian-11", date(2026, 9, 1)), "2026-08")
        self.assertIsNone(ended("made-up-1", date(2099, 1, 1)))

    def test_esm(self) -> None:
        """A subscriber has support for longer."""
        self.assertEqual(ended("ubuntu-18.04", date(2026, 1, 1)), "2023-05")
        self.assertIsNone(ended("ubuntu-18.04", date(2026, 1, 1), {"esm"}))
        self.assertEqual(ended("ubuntu-24.04", date(2030, 1, 1), {"esm"}), "2029-05")

    def test_told(self) -> None:
        """What the host itself says of its end holds."""
        self.assertEqual(ended("amazon-2", date(2026, 1, 1), told="2025-12"), "2025-12")
        self.assertIsNone(ended("amazon-2", date(2027, 1, 1), told="2027-06"))

    def test_table(self) -> None:
        """The table's months are months."""
        for platform, month in ENDS.items():
            date.fromisoformat(f"{month}-01")
            self.assertRegex(platform, r"\A[a-z-]+-\d")
