"""Tests for :mod:`patches.sources.red_hat`: package URLs, and the products that are Enterprise Linux itself."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.red_hat import ProductRelease, RpmPurl


class ProductIdTests(SynchronousTestCase):
    """Ids of components that have no package URL."""

    def test_parsed(self) -> None:
        """An id is a name, a name in a module, or a whole build."""
        for text, purl in {
            "kernel": RpmPurl("kernel", arch="src"),
            "java-1.8.0-openjdk": RpmPurl("java-1.8.0-openjdk", arch="src"),
            "nodejs:18/nodejs": RpmPurl("nodejs", arch="src", module="nodejs:18"),
            "curl-0:7.76.1-26.el9_3.2.src": RpmPurl("curl", "0:7.76.1-26.el9_3.2", "src"),
            "perl-libs-4:5.32.1-480.el9.i686": RpmPurl("perl-libs", "4:5.32.1-480.el9", "i686"),
        }.items():
            self.assertEqual(RpmPurl.from_product_id(text), purl, text)

    def test_others(self) -> None:
        """Container images and other texts are none."""
        for text in ("", "openshift4/ose-base", "rhel8/httpd-24@sha256:0000", "a b", "-x", "x" * 1000, "a/b/c"):
            self.assertIsNone(RpmPurl.from_product_id(text), text)


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
            self.assertEqual(ProductRelease.from_cpe(cpe), ProductRelease(platform), cpe)

    def test_longer_support(self) -> None:
        """Products with longer support are tracks: of a minor release, or of a release after its end of life."""
        for cpe, platform, track in (
            ("cpe:/a:redhat:rhel_eus:9.2::appstream", "rhel-9", "eus-9.2"),
            ("cpe:/o:redhat:rhel_aus:8.6::baseos", "rhel-8", "aus-8.6"),
            ("cpe:/a:redhat:rhel_tus:8.8::appstream", "rhel-8", "tus-8.8"),
            ("cpe:/a:redhat:rhel_e4s:9.0::appstream", "rhel-9", "e4s-9.0"),
            ("cpe:2.3:a:redhat:rhel_eus:9.4:*:appstream:*:*:*:*:*", "rhel-9", "eus-9.4"),
            ("cpe:2.3:o:redhat:enterprise_linux_eus:10.0:*:*:*:*:*:*:*", "rhel-10", "eus-10.0"),
            ("cpe:/o:redhat:rhel_els:7", "rhel-7", "els"),
        ):
            self.assertEqual(ProductRelease.from_cpe(cpe), ProductRelease(platform, track), cpe)

    def test_others(self) -> None:
        """Layered products, and other texts, have no platform."""
        for cpe in (
            "cpe:/a:redhat:rhel_eus:9::appstream",
            "cpe:/a:redhat:rhel_extras:7",
            "cpe:/o:redhat:rhel_satellite_client:6::el9",
            "cpe:/a:redhat:openshift:4.16::el9",
            "cpe:/o:redhat:enterprise_linux",
            "cpe:/o:redhat:enterprise_linux:9/../x:8",
            "cpe:/o:other:enterprise_linux:9",
            "cpe:2.3:h:redhat:enterprise_linux:9",
            "",
        ):
            self.assertIsNone(ProductRelease.from_cpe(cpe), cpe)
