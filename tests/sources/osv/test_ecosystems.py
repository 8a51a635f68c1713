"""Tests for :mod:`patches.sources.osv.ecosystems`."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.osv.ecosystems import TABLE, Ecosystem, Ecosystems, Release
from patches.sources.parse_context import NoPlatform
from patches.vulnerability import FixedPackage
from tests.sources.osv_records import affected, parse, record


def refusal(ecosystems: Ecosystems, name: str) -> str:
    """Return the reason why an ecosystem is not a platform."""
    with pytest.raises(NoPlatform) as caught:
        ecosystems.place(name)
    return caught.value.reason


class EcosystemTests(SynchronousTestCase):
    """Conversion of the names of ecosystems to platforms."""

    def test_platforms(self) -> None:
        """An ecosystem that is a release of a distribution is its platform."""
        for name, platform in {
            "Debian:13": "debian-13",
            "Ubuntu:25.10": "ubuntu-25.10",
            "Alpine:v3.20": "alpine-3.20",
            "Alpine:edge": "alpine-edge",
            "Wolfi": "wolfi",
            "Chainguard": "chainguard",
            "AlmaLinux:10": "alma-10",
            "Rocky Linux:8": "rocky-8",
            "Red Hat:enterprise_linux:9::baseos": "rhel-9",
            "Red Hat:enterprise_linux:10.2": "rhel-10",
            "SUSE:Linux Enterprise Server 15 SP7": "sles-15.7",
            "SUSE:Linux Enterprise Module for Basesystem 15 SP7": "sles-15.7",
            "SUSE:Linux Enterprise Server 12 SP5": "sles-12.5",
            "SUSE:Linux Enterprise Server 16.0": "sles-16.0",
            "openSUSE:Leap 15.6": "opensuse-leap-15.6",
            "openSUSE:Tumbleweed": "opensuse-tumbleweed",
            "Mageia:9": "mageia-9",
            "Azure Linux:2": "azurelinux-2.0",
            "Azure Linux:3": "azurelinux-3.0",
            "openEuler:24.03-LTS-SP1": "openeuler-24.03.sp1",
        }.items():
            self.assertEqual(Ecosystems().place(name).platform, platform)

    def test_other_lineages(self) -> None:
        """Products and support tracks without hosts are not taken for platforms."""
        for name in (
            "Red Hat:rhel_eus:9.2::baseos",
            "Red Hat:openstack:17.1::el9",
            "SUSE:Linux Enterprise Server 15 SP3-LTSS",
            "SUSE:Package Hub 15 SP6",
            "SUSE:Linux Enterprise Module for Containers 12",
            "Debian",
            "Debian:12x",
        ):
            self.assertEqual(refusal(Ecosystems(), name), f"another lineage of {name.partition(':')[0]}")

    def test_own_row(self) -> None:
        """A row for an ecosystem can be added, or replaced."""
        releases = Release(r"TuxCare:(\d+)", "tuxcare-{0}"), Release("TuxCare", "tuxcare")
        row = Ecosystem("TuxCare", releases, "rpm", "binary")
        ecosystems = Ecosystems((*TABLE, row))
        document = record("CLSA-1", affected("TuxCare:Next 9", "a", "1"), affected("TuxCare:9", "a", "1-1"))
        found, skipped = parse(document, ecosystems=ecosystems)
        self.assertEqual(found["tuxcare-9"].fixed_in, (FixedPackage("a", "1-1", "binary"),))
        self.assertEqual(skipped, {"another lineage of TuxCare": 1})

    def test_bounded(self) -> None:
        """The memory of ecosystem names is bounded, even for a feed with a new one in each record."""
        ecosystems = Ecosystems()
        reasons = {refusal(ecosystems, f"Made up {number}") for number in range(10_000)}
        self.assertLess(len(reasons), 5000)

    def test_unknown(self) -> None:
        """The reason to skip an unknown ecosystem contains the beginning of its name, in printable ASCII."""
        for name, reason in {
            "PyPI": "unknown ecosystem: PyPI",
            "PyPI:1": "unknown ecosystem: PyPI",
            "": "unknown ecosystem: ",
            "é\n": "unknown ecosystem: \\xe9\\n",
            "x" * 1000: f"unknown ecosystem: {'x' * 30}",
        }.items():
            ecosystems = Ecosystems()
            self.assertEqual([refusal(ecosystems, name) for _ in range(2)], [reason] * 2)

    def test_hostile(self) -> None:
        """A release whose platform would be too long is not a platform."""
        self.assertEqual(refusal(Ecosystems(), f"Debian:{'9' * 100}"), "another lineage of Debian")

    def test_track(self) -> None:
        """The releases for subscribers are the same platforms, in a track."""
        found = {name: Ecosystems().place(name) for name in ("Ubuntu:22.04:LTS", "Ubuntu:Pro:22.04:LTS")}
        places = [(place.platform, place.track) for place in found.values()]
        self.assertEqual(places, [("ubuntu-22.04", None), ("ubuntu-22.04", "esm")])


class TableTests(SynchronousTestCase):
    """The rows of the table."""

    def test_rows(self) -> None:
        """Every ecosystem has one row, with a known order of versions and kind of packages."""
        self.assertEqual(len({row.name for row in TABLE}), len(TABLE))
        for row in TABLE:
            self.assertIn(row.scheme, ("dpkg", "rpm", "apk"))
            self.assertIn(row.kind, ("source", "binary"))
            self.assertTrue(all(release.pattern.pattern.startswith(row.name) for release in row.releases), row.name)

    def test_refusal(self) -> None:
        """A record is skipped if it repeats others, is not about security, or is not the ecosystem's."""
        rows = {row.name: row for row in TABLE}
        for ecosystem, record_id, reason in (
            ("Ubuntu", "UBUNTU-CVE-2024-1", None),
            ("Ubuntu", "USN-1-1", "repeats other records"),
            ("AlmaLinux", "ALSA-2024:1", None),
            ("AlmaLinux", "ALBA-2024:1", "not security"),
            ("AlmaLinux", "alsa-2024:1", "not a record of AlmaLinux"),
            ("SUSE", "SUSE-RU-2024:1-1", "not security"),
            ("Rocky Linux", "", "not a record of Rocky Linux"),
        ):
            self.assertEqual(rows[ecosystem].refusal(record_id), reason)
        self.assertIsNone(Ecosystem("X", (), "rpm", "binary").refusal("ANYTHING-1"))
