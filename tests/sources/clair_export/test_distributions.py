"""Tests for :mod:`patches.sources.clair_export.distributions`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.clair_export.distributions import release_of
from patches.sources.parse_context import NoPlatform, ParseContext
from patches.sources.red_hat import ProductRelease

CPE = "cpe:2.3:a:redhat:enterprise_linux:{}:*:appstream:*:*:*:*:*"


class PlatformTests(SynchronousTestCase):
    """Distributions and products."""

    def refused(self, **record: Any) -> str:
        """Return the reason why a vulnerability has no platform."""
        with self.assertRaises(NoPlatform) as caught:
            release_of(record, ParseContext("clair"))
        self.assertEqual(str(caught.exception), caught.exception.reason)
        return caught.exception.reason

    def test_distributions(self) -> None:
        """The platform is that of the distribution; minor versions are omitted where packages do not depend on them."""
        for (name, version), platform in {
            ("alpine", "3.20"): "alpine-3.20",
            ("alpine", "v3.9"): "alpine-3.9",
            ("alpine", "edge"): "alpine-edge",
            ("amzn", "2018.03"): "amazon-1",
            ("amzn", "2"): "amazon-2",
            ("amzn", "2023"): "amazon-2023",
            ("amzn", "2023.5"): "amazon-2023",
            ("debian", "12"): "debian-12",
            ("ol", "9"): "oracle-9",
            ("ol", "8.10"): "oracle-8",
            ("opensuse-leap", "15.6"): "opensuse-leap-15.6",
            ("opensuse-tumbleweed", ""): "opensuse-tumbleweed",
            ("photon", "5.0"): "photon-5.0",
            ("rhel", "9.4"): "rhel-9",
            ("sles", "15.6"): "sles-15.6",
            ("sles", "15"): "sles-15",
            ("ubuntu", "22.04"): "ubuntu-22.04",
        }.items():
            record = {"distribution": {"did": name, "version_id": version}}
            self.assertEqual(release_of(record, ParseContext("clair")).platform, platform)

    def test_unknown(self) -> None:
        """Another distribution, or a version in another form, is no platform; the reason contains both."""
        for name, version in (("gentoo", "1"), ("debian", "12.1"), ("ubuntu", "22.4"), ("alpine", "3"), ("amzn", "1")):
            reason = self.refused(distribution={"did": name, "version_id": version})
            self.assertEqual(reason, f"unknown distribution: {name} {version}")
        for version in ("", None, 12):
            reason = self.refused(distribution={"did": "debian", "version_id": version})
            self.assertEqual(reason, "unknown distribution: debian")

    def test_many_unknown(self) -> None:
        """The number of different reasons is limited."""
        context = ParseContext("clair")
        for number in range(100):
            try:
                release_of({"distribution": {"did": f"made-up-{number}"}}, context)
            except NoPlatform as error:
                context.skip(error.reason)
        self.assertEqual((context.skipped.total(), len(context.skipped)), (100, 21))

    def test_products(self) -> None:
        """Without a distribution the platform is that of the Red Hat product, from its CPE or its name."""
        for repository in (
            {"key": "rhel-cpe-repository", "name": CPE.format(9)},
            {"key": "rhel-cpe-repository", "cpe": CPE.format(9), "name": "x"},
            {"key": "rhel-cpe-repository", "cpe": "x", "name": CPE.format("9.4")},
            {"cpe": CPE.format(9)},
        ):
            record = {"distribution": {"did": "", "version_id": ""}, "repository": repository}
            self.assertEqual(release_of(record, ParseContext("clair")).platform, "rhel-9")

    def test_longer_support(self) -> None:
        """A product with longer support is a track."""
        cpe = "cpe:2.3:a:redhat:rhel_eus:9.4:*:baseos:*:*:*:*:*"
        record = {"repository": {"key": "rhel-cpe-repository", "cpe": cpe}}
        self.assertEqual(release_of(record, ParseContext("clair")), ProductRelease("rhel-9", "eus-9.4"))

    def test_distribution_first(self) -> None:
        """A distribution takes precedence over a product."""
        record = {"distribution": {"did": "rhel", "version_id": "8"}, "repository": {"cpe": CPE.format(9)}}
        self.assertEqual(release_of(record, ParseContext("clair")).platform, "rhel-8")

    def test_no_platform(self) -> None:
        """Container images, other products of Red Hat and everything else are no platforms, each with its reason."""
        image = {"key": "rhcc-container-repository", "name": CPE.format(9)}
        self.assertEqual(self.refused(repository=image), "container image")
        layered = {"key": "rhel-cpe-repository", "cpe": "cpe:2.3:a:redhat:openshift:4.16:*:el9:*:*:*:*:*"}
        self.assertEqual(self.refused(repository=layered), "another product of Red Hat")
        for record in ({}, {"distribution": None, "repository": 7}, {"repository": {"cpe": 7, "name": "pypi"}}):
            self.assertEqual(self.refused(**record), "no distribution")
