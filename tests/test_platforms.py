"""Tests for :mod:`patches.platforms`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import InvalidPlatform, Platform


class PlatformTests(SynchronousTestCase):
    """Names of platforms, and the properties of families."""

    def test_parts(self) -> None:
        """The longest known family ends where the version begins; of other names the last part is the version."""
        for name, family, version in (
            ("debian-12", "debian", "12"),
            ("opensuse-leap-15.6", "opensuse-leap", "15.6"),
            ("opensuse-tumbleweed", "opensuse", "tumbleweed"),
            ("centos-stream-9", "centos-stream", "9"),
            ("centos-7", "centos", "7"),
            ("wolfi", "wolfi", ""),
            ("alpine-3.20", "alpine", "3.20"),
            ("own-linux-4", "own-linux", "4"),
            ("own", "own", ""),
            ("debianish-1", "debianish", "1"),
        ):
            platform = Platform.from_name(name)
            self.assertEqual((platform.family, platform.version, str(platform)), (family, version, name))

    def test_refused(self) -> None:
        """An invalid platform name is refused, and a long one is not repeated completely."""
        for name in ("", "-", "Debian-12", "debian 12", "../x", "debian-12\n", "12", "debian-", "debian-12/x"):
            self.assertRaises(InvalidPlatform, Platform.from_name, name)
        message = str(self.assertRaises(InvalidPlatform, Platform.from_name, "x" * 1000))
        self.assertIn("x" * 64, message)
        self.assertNotIn("x" * 65, message)

    def test_schemes(self) -> None:
        """The family determines the order of versions and the kind of packages; an unknown family has no order."""
        for name, scheme, kind in (
            ("debian-12", "dpkg", "source"),
            ("alpine-3.20", "apk", "source"),
            ("rhel-9", "rpm", "binary"),
            ("rocky-9", "rpm", "source"),
            ("own-1", None, "source"),
        ):
            platform = Platform.from_name(name)
            self.assertEqual((platform.version_scheme, platform.package_kind), (scheme, kind), name)
