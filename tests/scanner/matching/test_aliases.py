"""Tests for :mod:`patches.scanner.matching.aliases`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.aliases import aliases_of


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
            ("linux-signed-amd64-lts", "linux-lts"),
        ):
            self.assertEqual(signed(source, "6.1.76-1"), [("source", expected, "6.1.76-1")])
        self.assertEqual(signed("xlinux-signed", "6.1.76-1"), [])

    def test_loaders(self) -> None:
        """The version of a signed boot loader contains the version that was signed."""
        grub = ("grub2-signed", "grub-efi-amd64-signed", "grub-efi-arm64-signed", "grub-efi-ia32-signed")
        shims = [f"shim-helpers-{arch}-signed" for arch in ("amd64", "arm64", "i386")]
        for source in grub:
            self.assertEqual(signed(source, "1+2.06-13+deb12u1"), [("source", "grub2", "2.06-13+deb12u1")], source)
        for source in ("shim-signed", *shims):
            version = "1.44~1+deb12u1+15.8-1~deb12u1"
            self.assertEqual(signed(source, version), [("source", "shim", "15.8-1~deb12u1")], source)
        self.assertEqual(signed("grub2-signed", "1.187.3+2.06-2ubuntu14.1"), [("source", "grub2", "2.06-2ubuntu14.1")])
        self.assertEqual(signed("grub2-signed", "2.06"), [])

    def test_other_schemes(self) -> None:
        """Only packages of dpkg have such names."""
        for scheme in ("rpm", "apk"):
            self.assertEqual(signed("grub2-signed", "1+2.06-13", scheme), [])
