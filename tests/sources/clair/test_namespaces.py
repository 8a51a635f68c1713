"""Tests for :mod:`patches.sources.clair.namespaces`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import PATTERN, InvalidPlatform
from patches.sources.clair.namespaces import NAMESPACES, namespace_of, platform_of

OF_THE_FIRST_PATCHES = {
    **{f"alpine-3.{minor}": f"alpine:v3.{minor}" for minor in range(3, 9)},
    **{f"centos-{major}": f"centos:{major}" for major in (5, 6, 7)},
    **{f"debian-{release}": f"debian:{release}" for release in (8, 9, 10, "unstable")},
    **{f"oracle-{major}": f"oracle:{major}" for major in (5, 6, 7)},
    **{
        f"ubuntu-{release}": f"ubuntu:{release}"
        for release in (
            "12.04",
            "12.10",
            "13.04",
            "14.04",
            "14.10",
            "15.04",
            "15.10",
            "16.04",
            "16.10",
            "17.04",
            "17.10",
        )
    },
    "ubuntu-18.04": "ubuntu:18.04",
}
BY_RULE = {
    "debian:11": "debian-11",
    "alpine:v3.12": "alpine-3.12",
    "alpine:edge": "alpine-edge",
    "lab:x": "lab-x",
    "opensuse-leap:15.6": "opensuse-leap-15.6",
    "almalinux:8": "alma-8",
    "amzn:2023": "amazon-2023",
    "lab": "lab",
}
NO_PLATFORM = (
    "",
    ":",
    "debian:",
    ":9",
    "Debian:9",
    "debian:9 ",
    "lab:a/b",
    "lab:a:b",
    "ubuntu:Bionic",
    "lab:é",
    "x:" + "1" * 80,
)
#: These would be converted to another namespace's platform.
TAKEN = ("alpine:3.8", "amzn:1", "amazon:2", "alma:8", "debian-9", "lab:a-b", "centos:stream-8")


class NamespaceTests(SynchronousTestCase):
    """Platforms and namespaces."""

    def test_platforms_of_the_first_patches(self) -> None:
        """The platforms of the first Patches keep their namespaces; Clair has no Ubuntu 13.10."""
        self.assertEqual(len(OF_THE_FIRST_PATCHES), 28)
        for platform, namespace in OF_THE_FIRST_PATCHES.items():
            self.assertEqual(namespace_of(platform), namespace)
            self.assertEqual(platform_of(namespace), platform)
        self.assertNotIn("ubuntu-13.10", NAMESPACES)

    def test_amazon(self) -> None:
        """Amazon Linux has another name in Clair, and its first release is named by a date."""
        self.assertEqual(platform_of("amzn:2"), "amazon-2")
        self.assertEqual(platform_of("amzn:2018.03"), "amazon-1")
        self.assertEqual(namespace_of("amazon-1"), "amzn:2018.03")

    def test_any_other_namespace(self) -> None:
        """A namespace that is not in the table has a platform by rule, and the platform converts back to it."""
        for namespace, platform in BY_RULE.items():
            self.assertEqual(platform_of(namespace), platform)
            self.assertEqual(namespace_of(platform), namespace)

    def test_no_platform(self) -> None:
        """A namespace that is not a valid platform name has no platform."""
        for namespace in NO_PLATFORM:
            self.assertIsNone(platform_of(namespace), namespace)

    def test_never_two_namespaces_of_one_platform(self) -> None:
        """A namespace whose platform would convert back to another namespace has no platform."""
        for namespace in TAKEN:
            self.assertIsNone(platform_of(namespace), namespace)

    def test_invalid_platform(self) -> None:
        """A text that is not a platform name has no namespace."""
        with self.assertRaises(InvalidPlatform):
            namespace_of("no platform")

    @given(st.from_regex(r"[a-z]{1,8}:v?[a-z0-9.~+-]{1,8}", fullmatch=True) | st.text(max_size=12))
    def test_from_namespace_and_back(self, namespace: str) -> None:
        """The platform of any namespace converts back to it."""
        platform = platform_of(namespace)
        if platform is not None:
            self.assertEqual(namespace_of(platform), namespace)

    @given(st.from_regex(PATTERN, fullmatch=True).filter(lambda name: len(name) <= 64))
    def test_platform_to_namespace(self, platform: str) -> None:
        """The namespace of a platform converts back to it or has no platform; it never has another one."""
        self.assertIn(platform_of(namespace_of(platform)), (platform, None))
