"""Tests for :mod:`patches.scanner.matching.aliases`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.aliases import aliases_of, signed_source

SIGNED = Path(__file__).with_name("signed_packages.tsv")


def signed(source: str, version: str, scheme: str = "dpkg") -> list[tuple[str, str, str]]:
    """Return the names of a package apart from its own and its source's."""
    names = list(aliases_of(Package("name", version, "amd64", source, "source version"), scheme))
    assert names[:2] == [("binary", "name", version), ("source", source, "source version")]
    return names[2:]


class NameTests(SynchronousTestCase):
    """Names and versions under which lists refer to a package."""

    def test_plain(self) -> None:
        """Most packages have two names: their own and their source's."""
        for source in ("bash", "linux", "grub2", "linux-signed-doc-x-", "not-grub2-signed"):
            self.assertEqual([name for name in signed(source, "1+2.06-1") if name[1] == "grub2"], [])
        self.assertEqual(signed("bash", "5.2-1"), [])

    def test_kernels(self) -> None:
        """A signed kernel has the name of the kernel's source, and the version of the package."""
        for source, expected in (
            ("linux-signed", "linux"),
            ("linux-signed-amd64", "linux"),
            ("linux-signed-arm64", "linux"),
            ("linux-signed-i386", "linux"),
            ("linux-signed-hwe-6.8", "linux-hwe-6.8"),
            ("linux-signed-6.1-amd64", "linux-6.1"),
            ("linux-signed-5.10-arm64", "linux-5.10"),
            ("linux-signed-6.12-amd64", "linux-6.12"),
            ("linux-signed-4.19-i386", "linux-4.19"),
        ):
            self.assertEqual(signed(source, "6.1.76-1"), [("source", expected, "6.1.76-1")])
        self.assertEqual(signed("xlinux-signed", "6.1.76-1"), [])

    def test_loaders(self) -> None:
        """The version of a signed boot loader contains the version that was signed; Debian's has no hyphen."""
        for source, version, name, expected in (
            ("grub-efi-amd64-signed", "1+2.06+13+deb12u2", "grub2", "2.06-13+deb12u2"),
            ("grub-efi-arm64-signed", "1+2.14+4", "grub2", "2.14-4"),
            ("grub-efi-ia32-signed", "1+2.12~rc1+dfsg1+3", "grub2", "2.12~rc1+dfsg1-3"),
            ("shim-helpers-amd64-signed", "1+16.1+2~deb12u1", "shim", "16.1-2~deb12u1"),
            ("shim-signed", "1.51~1+deb12u1+16.1-2~deb12u1", "shim", "16.1-2~deb12u1"),
            ("shim-signed", "1.39+15+1533136590.3beb971-0ubuntu1", "shim", "15+1533136590.3beb971-0ubuntu1"),
            ("grub2-signed", "1.187.12+2.06-2ubuntu14.8", "grub2-unsigned", "2.06-2ubuntu14.8"),
            ("grub2-signed", "1.167+2.04-1ubuntu44", "grub2-unsigned", "2.04-1ubuntu44"),
            ("grub2-signed", "1.142.10+2.04-1ubuntu26.8", "grub2", "2.04-1ubuntu26.8"),
            ("grub2-signed", "1.93.30+2.02-2ubuntu8.24", "grub2", "2.02-2ubuntu8.24"),
        ):
            self.assertEqual(signed(source, version), [("source", name, expected)], version)
        self.assertEqual(signed("grub2-signed", "2.06"), [])

    def test_archives(self) -> None:
        """Signed packages of the archives have the name and version in their field ``Built-Using``."""
        rows = [line.split("\t") for line in SIGNED.read_text().splitlines() if not line.startswith("#")]
        self.assertEqual(len(rows), 515)
        for name, version, source, source_version, expected, signed_version in rows:
            found = signed_source(Package(name, version, "amd64", source, source_version))
            if source == "grub2-signed":
                expected = "grub2-unsigned"  # these are all of one GRUB for all releases
            self.assertEqual(found, (expected, signed_version), name)
            self.assertRegex(expected, r"\A(?:linux(?:-[a-z0-9.]+)*|grub2|grub2-unsigned|shim)\Z")
            self.assertRegex(signed_version, r"\A[0-9][^-]*(?:-[^-]+)+\Z")

    def test_other_schemes(self) -> None:
        """Only packages of dpkg have such names."""
        for scheme in ("rpm", "apk"):
            self.assertEqual(signed("grub2-signed", "1+2.06-13", scheme), [])
