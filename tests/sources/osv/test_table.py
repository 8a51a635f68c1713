"""Tests for :mod:`patches.sources.osv.table`: names of ecosystems as the feeds write them."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import Platform
from patches.sources.osv.ecosystems import ECOSYSTEMS
from patches.sources.osv.table import TABLE
from patches.sources.parse_context import NoPlatform
from patches.tracks import RULES, extension_of


class TableTests(SynchronousTestCase):
    """The rows of the table."""

    def test_rows(self) -> None:
        """Every ecosystem has one row, with a known order of versions and kind of packages."""
        self.assertEqual(len({row.name for row in TABLE}), len(TABLE))
        for row in TABLE:
            self.assertIn(row.scheme, ("dpkg", "rpm", "apk"))
            self.assertIn(row.kind, ("source", "binary"))
            self.assertTrue(all(release.pattern.pattern.startswith(row.name) for release in row.releases), row.name)

    def test_platforms(self) -> None:
        """An ecosystem that is a release of a distribution is its platform, on the main line."""
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
            "SUSE:Linux Enterprise Server 15": "sles-15",
            "SUSE:Linux Enterprise Server 16.0": "sles-16.0",
            "SUSE:Linux Enterprise Micro 5.3": "sl-micro-5.3",
            "SUSE:Linux Micro 6.0": "sl-micro-6.0",
            "openSUSE:Leap 15.6": "opensuse-leap-15.6",
            "openSUSE:Tumbleweed": "opensuse-tumbleweed",
            "Mageia:9": "mageia-9",
            "Azure Linux:2": "azurelinux-2.0",
            "Azure Linux:3": "azurelinux-3.0",
            "openEuler:24.03-LTS-SP1": "openeuler-24.03.sp1",
        }.items():
            place = ECOSYSTEMS.place(name)
            self.assertEqual((place.platform, place.track), (platform, None), name)
            row = next(row for row in TABLE if row.name == name.partition(":")[0])
            parsed = Platform.from_name(platform)
            self.assertEqual((parsed.version_scheme, parsed.package_kind), (row.scheme, row.kind))

    def test_tracks(self) -> None:
        """
        Subscriptions and longer support are tracks of the same platform.

        The names are those of Canonical's description of its OSV data, of ecosystems that osv.dev lists for Red Hat and
        SUSE, and of the products in SUSE's CSAF documents, as which SUSE names its ecosystems.
        """
        for name, platform, track in (
            ("Ubuntu:Pro:22.04:LTS", "ubuntu-22.04", "esm"),
            ("Ubuntu:Pro:22.04:LTS:Realtime:Kernel", "ubuntu-22.04", "realtime"),
            ("Ubuntu:Pro:Realtime:24.04:LTS", "ubuntu-24.04", "realtime"),
            ("Ubuntu:Pro:FIPS:16.04:LTS", "ubuntu-16.04", "fips"),
            ("Ubuntu:Pro:FIPS-updates:20.04:LTS", "ubuntu-20.04", "fips"),
            ("Ubuntu:Pro:FIPS-preview:22.04:LTS", "ubuntu-22.04", "fips"),
            ("Red Hat:rhel_eus:9.4::baseos", "rhel-9", "eus-9.4"),
            ("Red Hat:rhel_aus:8.4::appstream", "rhel-8", "aus-8.4"),
            ("Red Hat:rhel_tus:8.6::appstream", "rhel-8", "tus-8.6"),
            ("Red Hat:rhel_e4s:9.2::realtime", "rhel-9", "e4s-9.2"),
            ("Red Hat:rhel_e4s:8.2", "rhel-8", "e4s-8.2"),
            ("Red Hat:rhel_els:7", "rhel-7", "els"),
            ("Red Hat:enterprise_linux_eus:10.0", "rhel-10", "eus-10.0"),
            ("SUSE:Linux Enterprise Server 15 SP4-LTSS", "sles-15.4", "ltss"),
            ("SUSE:Linux Enterprise Server 12-LTSS", "sles-12", "ltss"),
            ("SUSE:Linux Enterprise Server 11 SP4 LTSS", "sles-11.4", "ltss"),
            ("SUSE:Linux Enterprise Server LTSS Extended Security 12 SP5", "sles-12.5", "ltss"),
            ("SUSE:Linux Enterprise Server 12 SP3-LTSS-TERADATA", "sles-12.3", "teradata"),
            ("SUSE:Linux Enterprise Server for SAP Applications 15 SP4", "sles-15.4", "sap"),
            ("SUSE:Linux Enterprise Server for SAP applications 16.0", "sles-16.0", "sap"),
            ("SUSE:Linux Enterprise High Availability Extension 15 SP4", "sles-15.4", "ha"),
            ("SUSE:Linux Enterprise Workstation Extension 15 SP4", "sles-15.4", "we"),
            ("SUSE:Linux Enterprise Desktop 15 SP4", "sles-15.4", "desktop"),
            ("SUSE:Linux Enterprise Live Patching 15 SP4", "sles-15.4", "live-patching"),
            ("SUSE:Linux Enterprise Module for Live Patching 15 SP4", "sles-15.4", "live-patching"),
            ("SUSE:Linux Enterprise High Performance Computing 15 SP7", "sles-15.7", "hpc"),
            ("SUSE:Linux Enterprise High Performance Computing 15 SP7-LTSS", "sles-15.7", "ltss"),
            ("SUSE:Linux Enterprise High Performance Computing 15 SP7-ESPOS", "sles-15.7", "espos"),
        ):
            place = ECOSYSTEMS.place(name)
            self.assertEqual((place.platform, place.track), (platform, track), name)
            self.assertTrue(extension_of(track) or track in {rule.track for rule in RULES}, track)

    def test_other_lineages(self) -> None:
        """Products of their own, and modules of several releases, are no platforms."""
        for name in (
            "Red Hat:openstack:17.1::el9",
            "Red Hat:rhel_extras:6",
            "Red Hat:rhel_eus:9",
            "SUSE:Linux Enterprise Server 11 SP4 LTSS EXTREME CORE",
            "SUSE:Linux Enterprise Real Time 15 SP4",
            "SUSE:Package Hub 15 SP6",
            "SUSE:Linux Enterprise Module for Containers 12",
            "Ubuntu:22.04:LTS:for:NVIDIA:BlueField",
        ):
            with pytest.raises(NoPlatform) as caught:
                ECOSYSTEMS.place(name)
            self.assertEqual(caught.value.reason, f"another lineage of {name.partition(':')[0]}")

    def test_unknown_releases(self) -> None:
        """A release that is neither a platform nor of a known lineage is unknown."""
        for name in (
            "Debian",
            "Debian:12x",
            "Ubuntu:weird",
            "Ubuntu:Pro:weird",
            "Red Hat:enterprise_linux:x",
            "SUSE:Linux Enterprise Server x",
            "openSUSE:Leap x",
            "openEuler:x",
        ):
            with pytest.raises(NoPlatform) as caught:
                ECOSYSTEMS.place(name)
            self.assertEqual(caught.value.reason, f"unknown release: {name[:30]}")
