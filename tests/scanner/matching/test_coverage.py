"""Tests for :mod:`patches.scanner.matching.coverage`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.coverage import is_covered


class CoverageTests(SynchronousTestCase):
    """The packages of which the lists of a platform can have records."""

    def test_vendors(self) -> None:
        """A package of the distribution's own vendor is covered, in any case of letters; another vendor's is not."""
        for platform, vendor, expected in (
            ("debian-12", "Debian", True),
            ("debian-12", "Docker", False),
            ("debian-12", "", False),
            ("debian-12", "not Debian", False),
            ("ubuntu-24.04", "Canonical Ltd", True),
            ("rhel-9", "Red Hat, Inc.", True),
            ("rhel-9", "Fedora Project", False),
            ("opensuse-leap-15.6", "SUSE LLC <https://www.suse.com/>", True),
            ("photon-5", "VMware, Inc.", True),
            ("debian-12", None, True),
            ("alpine-3.20", "anybody", True),
            ("own-1", "anybody", True),
        ):
            package = Package("bash", "1", "amd64", "bash", "1", vendor=vendor)
            self.assertIs(is_covered(package, platform), expected, (platform, vendor))
