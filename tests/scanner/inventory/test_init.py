"""Tests for :mod:`patches.scanner.inventory`: which database of a host is read, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import IInventory
from patches.scanner import inventory
from patches.scanner.inventory import InventoryError, Package, databases, package_document, read_inventory
from patches.versions import SCHEMES

DPKG, APK = "var/lib/dpkg/status", "lib/apk/db/installed"
STANZA = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n\n"


class InventoryTests(SynchronousTestCase):
    """The inventory of a host."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())

    def write(self, path: str, content: str) -> None:
        """Write a database."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(content)

    def read(self, scheme: str | None = None) -> tuple[str, list[str]]:
        """Return the scheme and the names of the packages."""
        found = read_inventory(self.root, scheme)
        return found.scheme, [package.name for package in found.packages]

    def refused(self, scheme: str | None = None) -> str:
        """Return the reason for which a host is refused."""
        return str(self.assertRaises(InventoryError, read_inventory, self.root, scheme))

    def test_databases(self) -> None:
        """There is a reader for each scheme that has an order of versions."""
        self.assertEqual({database.scheme for database in databases()}, set(SCHEMES))
        for database in databases():
            self.assertTrue(IInventory.providedBy(database))

    def test_one(self) -> None:
        """The database that is there is read; a package that it has twice counts once."""
        self.write(DPKG, STANZA.format("bash") * 2)
        self.assertEqual(self.read(), ("dpkg", ["bash"]))

    def test_several(self) -> None:
        """Of several databases the first is read that is not empty; with a scheme, that of the scheme."""
        self.write(DPKG, "")
        self.write(APK, "P:musl\nV:1-r0\nA:x86_64\n\n")
        self.assertEqual(self.read(), ("apk", ["musl"]))
        self.write(DPKG, STANZA.format("bash"))
        self.assertEqual(self.read(), ("dpkg", ["bash"]))
        self.assertEqual(self.read("apk"), ("apk", ["musl"]))

    def test_none(self) -> None:
        """A host without a database, without one of the scheme, or without a package is refused with the reason."""
        self.assertEqual(self.refused(), f"no package database found under {self.root}")
        self.write(DPKG, "")
        self.assertEqual(self.refused(), f"the dpkg database under {self.root} has no installed package")
        self.assertEqual(self.refused("rpm"), f"no package database found under {self.root}")

    def test_too_many(self) -> None:
        """A database with more packages than any host has is refused."""
        self.patch(inventory, "MOST_PACKAGES", 2)
        self.write(DPKG, STANZA.format("a") + STANZA.format("b"))
        self.assertEqual(self.read(), ("dpkg", ["a", "b"]))
        self.write(DPKG, STANZA.format("a") + STANZA.format("b") + STANZA.format("c"))
        self.assertIn("too long to be a real database", self.refused())

    def test_unreadable(self) -> None:
        """A folder that cannot be searched is an error with its reason, not a missing database."""
        self.write("var/lib/x", "")
        link = self.root / "var/lib/dpkg"
        os.symlink(link.name, link)
        self.assertTrue(self.refused())

    def test_document(self) -> None:
        """A package in the wire format has its names, versions and architecture, and no more."""
        package = Package("libc6", "2-1", "amd64", "glibc", "2-1", vendor="Debian", problem="damaged")
        self.assertEqual(
            package_document(package),
            {"name": "libc6", "version": "2-1", "source": "glibc", "sourceVersion": "2-1", "arch": "amd64"},
        )
