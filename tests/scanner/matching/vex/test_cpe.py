"""Tests for :mod:`patches.scanner.matching.vex.cpe`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.vex.cpe import platform_of_cpe


class CpeTests(SynchronousTestCase):
    """Names of operating systems, as vendors write them."""

    def test_platforms(self) -> None:
        """Both bindings are read; families of major releases have no minor version."""
        for cpe, platform in {
            "cpe:/o:redhat:enterprise_linux:8": "rhel-8",
            "cpe:/o:redhat:enterprise_linux:9.4": "rhel-9",
            "cpe:/a:redhat:enterprise_linux:9::appstream": "rhel-9",
            "cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*": "rhel-9",
            "cpe:/o:almalinux:almalinux:8::baseos": "alma-8",
            "cpe:/o:suse:sles:15:sp4": "sles-15.4",
            "cpe:2.3:o:suse:sles:15:sp4:*:*:*:*:*:*": "sles-15.4",
            "cpe:/o:opensuse:leap:15.5": "opensuse-leap-15.5",
            "cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*": "debian-12",
            "cpe:2.3:o:debian:debian_linux:12.0:*:*:*:*:*:*:*": "debian-12",
            "cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:lts:*:*:*": "ubuntu-22.04",
            "cpe:2.3:o:amazon:amazon_linux:2023:*:*:*:*:*:*:*": "amazon-2023",
        }.items():
            self.assertEqual(platform_of_cpe(cpe), platform, cpe)

    def test_others(self) -> None:
        """Other products, names without a release, and texts that are no CPE stand for no platform."""
        for cpe in (
            "cpe:/a:redhat:openshift:4.12::el8",
            "cpe:/o:redhat:enterprise_linux",
            "cpe:2.3:o:redhat:enterprise_linux:*:*:*:*:*:*:*:*",
            "cpe:2.3:o:redhat:enterprise_linux:9/8:*:*:*:*:*:*:*",
            "cpe:/h:redhat:enterprise_linux:9",
            "pkg:deb/debian/bash",
            "",
        ):
            self.assertIsNone(platform_of_cpe(cpe), cpe)

    def test_longer_support(self) -> None:
        """A product of longer support stands for its platform only where a build is meant."""
        for cpe in ("cpe:/a:redhat:rhel_eus:9.4::appstream", "cpe:/o:redhat:rhel_els:9"):
            self.assertIsNone(platform_of_cpe(cpe))
            self.assertEqual(platform_of_cpe(cpe, of_build=True), "rhel-9")
