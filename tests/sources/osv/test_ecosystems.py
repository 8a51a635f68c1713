"""Tests for :mod:`patches.sources.osv.ecosystems`."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from patches.settings import BadSetting
from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.osv.ecosystems import Ecosystems, with_configured
from patches.sources.osv.rules import Ecosystem, Release
from patches.sources.osv.table import TABLE
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

    def test_own_row(self) -> None:
        """A row for an ecosystem can be added, or replaced."""
        releases = Release(r"TuxCare:(\d+)", "tuxcare-{0}"), Release("TuxCare", "tuxcare")
        row = Ecosystem("TuxCare", releases, "rpm", "binary")
        ecosystems = Ecosystems((*TABLE, row))
        document = record("CLSA-1", affected("TuxCare:Next 9", "a", "1"), affected("TuxCare:9", "a", "1-1"))
        found, skipped = parse(document, ecosystems=ecosystems)
        self.assertEqual(found["tuxcare-9"].fixed_in, (FixedPackage("a", "1-1", "binary"),))
        self.assertEqual(skipped, {"unknown release: TuxCare:Next 9": 1})

    def test_bounded(self) -> None:
        """The reasons are bounded, even for a feed with a new ecosystem in each record; known ones are still read."""
        names = [f"Made up {number}" for number in range(5000)]
        found, skipped = parse(record("DSA-1", *(affected(name, "a", "1") for name in (*names, "Debian:12"))))
        self.assertEqual(set(found), {"debian-12"})
        self.assertLess(len(skipped), 30)
        self.assertEqual(sum(skipped.values()), 5000)

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
        self.assertEqual(refusal(Ecosystems(), f"Debian:{'9' * 100}"), f"unknown release: Debian:{'9' * 23}")

    def test_track(self) -> None:
        """The track of a release may have parts of the ecosystem's name."""
        found = [Ecosystems().place(name) for name in ("Ubuntu:22.04:LTS", "Red Hat:rhel_eus:9.4::baseos")]
        places = [(place.platform, place.track) for place in found]
        self.assertEqual(places, [("ubuntu-22.04", None), ("rhel-9", "eus-9.4")])


class ConfiguredTests(SynchronousTestCase):
    """Ecosystems outside the table."""

    def test_platforms(self) -> None:
        """The platform of a configured ecosystem is its family with the release, or the family alone."""
        ecosystems = with_configured(
            [
                EcosystemConfig("Photon OS", "photon", "rpm", "binary"),
                EcosystemConfig("MinimOS", "minimos", "apk", "source"),
                EcosystemConfig("Alpaquita", "alpaquita", "apk", "source"),
                EcosystemConfig("BellSoft Hardened Containers", "bellsoft-hardened-containers", "apk", "source"),
            ]
        )
        for name, platform in {
            "Photon OS:4.0": "photon-4.0",
            "MinimOS": "minimos",
            "Alpaquita:23": "alpaquita-23",
            "Alpaquita:stream": "alpaquita-stream",
            "BellSoft Hardened Containers:25": "bellsoft-hardened-containers-25",
            "Debian:12": "debian-12",
        }.items():
            self.assertEqual(ecosystems.place(name).platform, platform)
        self.assertEqual(refusal(ecosystems, "Photon OS:4.0:x"), "unknown release: Photon OS:4.0:x")
        self.assertEqual(refusal(ecosystems, "Photon OSX:4.0"), "unknown ecosystem: Photon OSX")
        self.assertIn("MinimOS", ecosystems.names)

    def test_records(self) -> None:
        """Their records are read in their order of versions, with their kind of packages, whatever their ids are."""
        ecosystems = with_configured([EcosystemConfig("Photon OS", "photon", "rpm", "binary")])
        entries = affected("Photon OS:4.0", "curl", "8.1-2.ph4"), affected("Photon OS:5.0", "curl", "8.1-1.ph5")
        found, skipped = parse(record("PHSA-2023-4.0-1", *entries, related=["CVE-2023-0001"]), ecosystems=ecosystems)
        self.assertEqual((skipped, sorted(found)), ({}, ["photon-4.0", "photon-5.0"]))
        self.assertEqual(found["photon-4.0"].fixed_in, (FixedPackage("curl", "8.1-2.ph4", "binary"),))
        self.assertEqual(found["photon-4.0"].vulnerability_ids, ("CVE-2023-0001",))

    def test_known(self) -> None:
        """An ecosystem of the table cannot be configured again."""
        with self.assertRaisesRegex(BadSetting, r'^\[ecosystem."Debian"\]: this ecosystem is known'):
            with_configured([EcosystemConfig("Debian", "debian", "dpkg", "source")])
