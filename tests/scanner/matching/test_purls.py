"""Packages as package URLs, the names that other tools use for them."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.purls import matches_package, purl_of
from tests.scanner.sample_outcomes import BASH, FOREIGN, SSL

RPM = Package("openssl-libs", "1:3.0.7-27.el9", "x86_64", "openssl", "3.0.7-27.el9")
APK = Package("libcrypto3", "3.1.4-r5", "x86_64", "openssl", "3.1.4-r5")
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=12)


def name_of(package: Package, platform: str, scheme: str | None = None) -> str:
    """Return a package's purl as text."""
    return purl_of(package, platform, scheme).to_string()


class NamingTests(SynchronousTestCase):
    """From a package to its purl."""

    def test_examples(self) -> None:
        """Type and namespace follow from the platform; epoch and source package are in the specified qualifiers."""
        self.assertEqual(
            name_of(SSL, "debian-12"),
            "pkg:deb/debian/libssl3@3.0.16-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl",
        )
        self.assertIn("upstream=bash%405.2.15-2", name_of(BASH, "ubuntu-24.04"))
        self.assertEqual(
            name_of(RPM, "rhel-9"),
            "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=rhel-9&epoch=1"
            "&upstream=openssl-3.0.7-27.el9.src.rpm",
        )
        self.assertEqual(
            name_of(APK, "alpine-3.20"),
            "pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.20&upstream=openssl",
        )

    def test_namespaces(self) -> None:
        """A namespace is the distribution's own name for itself."""
        for platform, namespace in {
            "alma-9": "almalinux",
            "amazon-2": "amzn",
            "oracle-8": "ol",
            "rocky-9": "rocky",
        }.items():
            self.assertEqual(purl_of(RPM, platform).namespace, namespace)

    def test_unknown_platform(self) -> None:
        """If the platform is not known, the version scheme of the database determines the type."""
        self.assertEqual(purl_of(BASH, "mine-1", "dpkg").type, "deb")
        self.assertEqual(purl_of(BASH, "", None).type, "generic")

    @given(WORDS, WORDS, WORDS, WORDS, st.sampled_from(("debian-12", "rocky-9", "alpine-3.20")))
    def test_any_text(self, name: str, version: str, source: str, source_version: str, platform: str) -> None:
        """Whatever the names are, the purl can be parsed again and names the same package."""
        package = Package(name, version, "amd64", source, source_version)
        purl = PackageURL.from_string(name_of(package, platform))
        self.assertEqual((purl.to_string(), purl.name), (name_of(package, platform), purl_of(package, platform).name))


class MatchingTests(SynchronousTestCase):
    """From a purl to a package."""

    def matches(self, text: str, package: Package = SSL, platform: str = "debian-12") -> bool:
        """Return whether a purl names a package."""
        return matches_package(PackageURL.from_string(text), package, platform)

    def test_own(self) -> None:
        """A package's own purl names it, and no other package."""
        for package, platform in ((SSL, "debian-12"), (RPM, "rhel-9"), (APK, "alpine-3.20"), (FOREIGN, "debian-12")):
            self.assertTrue(self.matches(name_of(package, platform), package, platform))
            self.assertFalse(
                self.matches(name_of(package, platform), evolve(package, name="other", source="other"), platform)
            )

    def test_open(self) -> None:
        """A part that the purl does not have may be anything."""
        for text in ("pkg:deb/debian/libssl3", "pkg:deb/libssl3", "pkg:deb/debian/libssl3?arch=amd64&distro=bookworm"):
            self.assertTrue(self.matches(text), text)

    def test_source(self) -> None:
        """The purl may name the source package."""
        for text in (
            "pkg:deb/debian/openssl",
            "pkg:deb/debian/openssl?arch=source",
            "pkg:deb/debian/openssl@3.0.16-1~deb12u1",
        ):
            self.assertTrue(self.matches(text), text)
        self.assertTrue(self.matches("pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src", RPM, "rhel-9"))
        self.assertFalse(self.matches("pkg:deb/debian/openssl?arch=amd64"))
        self.assertFalse(self.matches("pkg:deb/debian/libssl3?arch=source"))

    def test_other(self) -> None:
        """Another version, architecture, distribution or kind of package is another package."""
        for text in (
            "pkg:deb/debian/libssl3@3.0.17-1",
            "pkg:deb/debian/libssl3?arch=arm64",
            "pkg:deb/ubuntu/libssl3",
            "pkg:rpm/debian/libssl3",
            "pkg:npm/libssl3",
        ):
            self.assertFalse(self.matches(text), text)

    def test_epoch(self) -> None:
        """An epoch is a qualifier or a part of the version; without an epoch the purl matches any."""
        for text, same in {
            "openssl-libs@3.0.7-27.el9": True,
            "openssl-libs@3.0.7-27.el9?epoch=1": True,
            "openssl-libs@1:3.0.7-27.el9": True,
            "openssl-libs@3.0.7-27.el9?epoch=2": False,
            "openssl-libs@3.0.7-28.el9": False,
        }.items():
            self.assertEqual((text, self.matches(f"pkg:rpm/redhat/{text}", RPM, "rhel-9")), (text, same))
