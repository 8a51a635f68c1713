"""Tests for :mod:`patches.scanner.inventory.apt_lists`."""

from __future__ import annotations

import gzip
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory.apt_lists import LISTS, foreign_origins
from patches.scanner.inventory.dpkg import DpkgInventory
from tests.integration.sample_host import write_host


class OriginTests(SynchronousTestCase):
    """Origins of packages."""

    def origins(self, **lists: bytes) -> dict[tuple[str, str], str]:
        """Return the origins of the packages in these lists."""
        root = Path(self.mktemp())
        (root / LISTS).mkdir(parents=True)
        for name, content in lists.items():
            (root / LISTS / name).write_bytes(content)
        return foreign_origins(root)

    def test_each_version(self) -> None:
        """Every version that a repository offers has its origin."""
        offered = b"Package: a\nVersion: 1\n\nPackage: a\nSize: 7\nVersion: 2\n\nPackage: b\n\nVersion: 3\n"
        found = self.origins(x_InRelease=b"Origin:  Acme Inc. \t\n", x_main_Packages=offered)
        self.assertEqual(found, {("a", "1"): "Acme Inc.", ("a", "2"): "Acme Inc.", ("b", "3"): "Acme Inc."})

    def test_repositories(self) -> None:
        """The lists of a repository are those whose names begin like that of its release."""
        offered = b"Package: a\nVersion: 1\n"
        self.assertEqual(self.origins(x_InRelease=b"Origin: Acme\n", y_Packages=offered), {})
        found = self.origins(
            x_Release=b"Origin: X\n",
            x_Packages=offered,
            y_InRelease=b"Origin: Y\n",
            y_Packages=b"Package: b\nVersion: 1\n",
        )
        self.assertEqual(found, {("a", "1"): "X", ("b", "1"): "Y"})

    def test_own_offer(self) -> None:
        """A version that the distribution offers too is its own, whoever copies it; several others are all named."""
        offered = b"Package: a\nVersion: 1\n"
        found = self.origins(
            w_InRelease=b"Origin: Z\n",
            w_Packages=offered + b"\nPackage: b\nVersion: 1\n",
            x_InRelease=b"Origin: Debian\n",
            x_Packages=offered,
            y_InRelease=b"Origin: Docker\r\n",
            y_Packages=offered + b"\nPackage: b\nVersion: 1\n",
        )
        self.assertEqual(found, {("b", "1"): "Docker; Z"})

    def test_distributions(self) -> None:
        """The repositories of distributions are not third-party ones, in whatever case their names are."""
        for origin in (
            b"Debian",
            b"debian backports",
            b"Ubuntu",
            b"UbuntuESM",
            b"Raspbian",
        ):
            lists = {"x_InRelease": b"Origin: " + origin + b"\n", "x_Packages": b"Package: a\nVersion: 1\n"}
            self.assertEqual(self.origins(**lists), {}, origin)

    def test_no_origin(self) -> None:
        """A release without an origin within its beginning is not read."""
        for release in (b"", b"Label: Acme\n", b"Origin:\n", b"x" * 70_000 + b"\nOrigin: Acme\n"):
            self.assertEqual(
                self.origins(x_InRelease=release, x_Packages=b"Package: a\nVersion: 1\n"), {}, release[:20]
            )

    def test_long_origin(self) -> None:
        """A long origin is shortened."""
        found = self.origins(x_InRelease=b"Origin: " + b"y" * 1000 + b"\n", x_Packages=b"Package: a\nVersion: 1\n")
        self.assertEqual(found, {("a", "1"): "y" * 80})

    def test_truncated(self) -> None:
        """Of a compressed list that is truncated, the part that can be read is used."""
        offered = b"".join(b"Package: p%d\nVersion: %d\n\n" % (number, number * 7919) for number in range(20_000))
        lists = {"x_InRelease": b"Origin: Acme\n", "x_Packages.gz": gzip.compress(offered)[:-100]}
        found = self.origins(**lists)
        self.assertEqual(found["p1", "7919"], "Acme")
        self.assertLess(len(found), 20_000)

    def test_absent(self) -> None:
        """A host without lists has no third-party packages that are known."""
        self.assertEqual(foreign_origins(Path(self.mktemp())), {})

    def test_links(self) -> None:
        """A link that leads out of the host's root is not followed."""
        root, outside = Path(self.mktemp()), Path(self.mktemp())
        (root / LISTS).mkdir(parents=True)
        outside.write_bytes(b"Package: a\nVersion: 1\n")
        (root / LISTS / "x_InRelease").write_bytes(b"Origin: Acme\n")
        (root / LISTS / "x_Packages").symlink_to(outside.absolute())
        self.assertEqual(foreign_origins(root), {})


class InventoryTests(SynchronousTestCase):
    """The vendors of installed packages."""

    def vendors(self, **lists: bytes) -> dict[str, str | None]:
        """Read a host whose apt has these lists; ``X`` in a name stands for a dot."""
        versions = {"docker-ce": "5:27.1-1", "bash": "5.2-1"}
        root = write_host(Path(self.mktemp()), "debian", "12", versions)
        (root / LISTS).mkdir(parents=True)
        for name, content in lists.items():
            (root / LISTS / name.replace("X", ".")).write_bytes(content)
        return {package.name: package.vendor for package in DpkgInventory().read(root)}

    OFFERED = b"Package: docker-ce\nVersion: 5:27.1-1\n\nPackage: docker-ce\nVersion: 5:26\n"

    def test_foreign(self) -> None:
        """A package that a third-party repository offers in this version has its origin; others have no origin."""
        release = b"-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Docker\nSuite: bookworm\n"
        expected = {"docker-ce": "Docker", "bash": None}
        plain = {"dXo_dists_InRelease": release, "dXo_dists_stable_binary-amd64_Packages": self.OFFERED}
        self.assertEqual(self.vendors(**plain), expected)
        packed = {"dXo_dists_Release": release, "dXo_dists_stable_PackagesXgz": gzip.compress(self.OFFERED)}
        self.assertEqual(self.vendors(**packed), expected)

    def test_own(self) -> None:
        """The distribution's own lists are not read, and damaged lists are skipped."""
        nothing = {"docker-ce": None, "bash": None}
        own = {"d_InRelease": b"Origin: Debian Backports\n", "d_Packages": self.OFFERED}
        self.assertEqual(self.vendors(**own), nothing)
        cut = {"d_InRelease": b"Origin: Docker\n", "d_PackagesXgz": gzip.compress(self.OFFERED)[:20]}
        self.assertEqual(self.vendors(**cut), nothing)
        self.assertEqual(self.vendors(d_InRelease=b"\xff", d_Packages=self.OFFERED), nothing)

    def test_field(self) -> None:
        """A package may name its origin itself."""
        root = write_host(Path(self.mktemp()), "debian", "12", {"thing": "1"})
        with (root / "var/lib/dpkg/status").open("ab") as status:
            status.write(b"Package: tool\nStatus: install ok installed\nVersion: 2\nOrigin: Acme\n\n")
        self.assertEqual([package.vendor for package in DpkgInventory().read(root)], [None, "Acme"])
