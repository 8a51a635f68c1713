"""Tests for :mod:`patches.sources.red_hat`: the products that are Enterprise Linux itself."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.red_hat import platform_of_cpe


class ProductTests(SynchronousTestCase):
    """Names of products, in both forms."""

    def test_mainline(self) -> None:
        """The operating system and its repositories have a platform."""
        for cpe, platform in {
            "cpe:/o:redhat:enterprise_linux:9": "rhel-9",
            "cpe:/a:redhat:enterprise_linux:8::appstream": "rhel-8",
            "cpe:/o:redhat:enterprise_linux:10.2": "rhel-10",
            "cpe:/o:redhat:enterprise_linux:7::server": "rhel-7",
            "cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*": "rhel-9",
            "cpe:2.3:a:redhat:enterprise_linux:10\\.2:*:*:*:*:*:*:*": "rhel-10",
        }.items():
            self.assertEqual(platform_of_cpe(cpe), platform, cpe)

    def test_others(self) -> None:
        """Extended support, layered products, and other texts have no platform."""
        for cpe in (
            "cpe:/a:redhat:rhel_eus:9.2::appstream",
            "cpe:/o:redhat:rhel_aus:8.6::baseos",
            "cpe:/a:redhat:rhel_e4s:9.0::appstream",
            "cpe:/o:redhat:rhel_els:7",
            "cpe:/a:redhat:openshift:4.16::el9",
            "cpe:/o:redhat:enterprise_linux",
            "cpe:/o:redhat:enterprise_linux:9/../x:8",
            "cpe:/o:other:enterprise_linux:9",
            "cpe:2.3:h:redhat:enterprise_linux:9",
            "",
        ):
            self.assertIsNone(platform_of_cpe(cpe), cpe)
