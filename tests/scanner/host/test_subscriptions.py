"""Facts from a host's files and package names: tracks, origins, and the end of support."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import FAMILIES
from patches.scanner.host.end_of_life import ENDS, support_ended
from patches.scanner.host.os_release import support_end
from patches.scanner.host.subscriptions import tracks_of_host
from patches.scanner.inventory import Package
from patches.scanner.matching.coverage import VENDORS, is_covered
from tests.integration.sample_host import write_host

BASH = Package("bash", "5.0-6ubuntu1", "amd64", "bash", "5.0-6ubuntu1")


class ChannelTests(SynchronousTestCase):
    """Subscriptions to Ubuntu Pro."""

    def root(self, path: str = "", content: str = "") -> Path:
        """Create a root folder with one file."""
        root = Path(self.mktemp())
        root.mkdir()
        if path:
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(content)
        return root

    def test_version(self) -> None:
        """An installed version from the track remains a sign of the subscription."""
        for version, expected in (("1-2ubuntu3+esm1", True), ("1-2~esm2", True), ("1-2ubuntu3", False)):
            package = Package("p", version, "amd64", "p", version)
            self.assertEqual(bool(tracks_of_host(self.root(), [BASH, package])), expected, version)

    def test_files(self) -> None:
        """apt's sources and the client's status are signs; a file that cannot be read is not."""
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
            found = tracks_of_host(self.root(path, content), [BASH])
            self.assertEqual(found, {"esm"} if expected else set(), (path, content[:40]))


class CoverageTests(SynchronousTestCase):
    """The packages of which a platform's sources can have records."""

    def test_vendors(self) -> None:
        """A package of another vendor is not covered; a package of an unknown vendor is."""
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
        """Every family with vendors exists."""
        self.assertEqual(set(VENDORS) - set(FAMILIES), set())


class EndOfLifeTests(SynchronousTestCase):
    """The month in which the support of a platform ended."""

    def test_ended(self) -> None:
        """A platform has support until the end of the month in the table."""
        self.assertIsNone(support_ended("debian-11", date(2026, 8, 31)))
        self.assertEqual(support_ended("debian-11", date(2026, 9, 1)), "2026-08")
        self.assertIsNone(support_ended("made-up-1", date(2099, 1, 1)))

    def test_esm(self) -> None:
        """A subscriber has support for longer."""
        self.assertEqual(support_ended("ubuntu-18.04", date(2026, 1, 1)), "2023-05")
        self.assertIsNone(support_ended("ubuntu-18.04", date(2026, 1, 1), {"esm"}))
        self.assertEqual(support_ended("ubuntu-24.04", date(2030, 1, 1), {"esm"}), "2029-05")

    def test_told(self) -> None:
        """The end in the host's own files takes precedence."""
        self.assertEqual(support_ended("amazon-2", date(2026, 1, 1), told="2025-12"), "2025-12")
        self.assertIsNone(support_ended("amazon-2", date(2027, 1, 1), told="2027-06"))

    def test_support_end(self) -> None:
        """A host has the end in its os-release, as a date; any other value is ignored."""
        for value, expected in (("2028-06-15", "2028-06"), ("2028-13-01", None), ("soon", None)):
            root = write_host(Path(self.mktemp()), "amzn", "2023", {"bash": "1"})
            with (root / "etc/os-release").open("a") as file:
                file.write(f'SUPPORT_END="{value}"\n')
            self.assertEqual(support_end(root), expected)
        self.assertIsNone(support_end(Path(self.mktemp())))

    def test_table(self) -> None:
        """The table's months are months."""
        for platform, month in ENDS.items():
            date.fromisoformat(f"{month}-01")
            self.assertRegex(platform, r"\A[a-z-]+-\d")
