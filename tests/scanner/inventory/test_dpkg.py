"""The dpkg database: every installed package is read, and damage is an error."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.interfaces import IInventory
from patches.scanner.inventory import Inventory, InventoryError, Package, read_inventory
from patches.scanner.inventory.dpkg import LONGEST_LINE, STATES, DpkgInventory
from tests.shared_data import shared


def stanza(name: str, version: str = "1-1", state: str = "install ok installed", more: str = "") -> str:
    """Return a stanza as dpkg writes it."""
    return (
        f"Package: {name}\nStatus: {state}\nMaintainer: A\nArchitecture: amd64\n{more}Version: {version}\n"
        f"Description: {name}\n Some text: and more.\n .\n The end.\n\n"
    )


class HostTestCase(SynchronousTestCase):
    """A host in a temporary folder."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.root.mkdir()

    def write(self, content: str | bytes, path: str = "var/lib/dpkg/status") -> None:
        """Write a file on the host."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self) -> tuple[Package, ...]:
        """Read the host's packages."""
        return read_inventory(self.root).packages

    def names(self) -> list[str]:
        """Read the names of the host's packages."""
        return [package.name for package in self.read()]

    def refused(self, *words: str) -> None:
        """Check that the host is refused, in one line with these words."""
        message = str(self.assertRaises(InventoryError, self.read))
        self.assertNotIn("\n", message)
        for word in words:
            self.assertIn(word, message)


class ReadTests(HostTestCase):
    """Reading a valid database."""

    def test_interface(self) -> None:
        """The inventory has dpkg's scheme."""
        verifyObject(IInventory, DpkgInventory())
        self.write(stanza("a"))
        self.assertEqual(read_inventory(self.root).scheme, "dpkg")

    def test_present(self) -> None:
        """The database is present if there is a status file, or a folder of stanzas."""
        self.assertFalse(DpkgInventory().present(self.root))
        self.write(stanza("a"), "var/lib/dpkg/status.d/a")
        self.assertTrue(DpkgInventory().present(self.root))

    def test_source(self) -> None:
        """The version of a source defaults to the package's, and the source to the package itself."""
        self.write(
            stanza("libc6", "2.36-9+b1", more="Source: glibc (2.36-9)\n")
            + stanza("bash", "5.2-1+b1", more="Source: bash-source\n")
            + stanza("sed", "4.9-1")
        )
        expected = (
            Package("libc6", "2.36-9+b1", "amd64", "glibc", "2.36-9"),
            Package("bash", "5.2-1+b1", "amd64", "bash-source", "5.2-1+b1"),
            Package("sed", "4.9-1", "amd64", "sed", "4.9-1"),
        )
        self.assertEqual(read_inventory(self.root), Inventory("dpkg", expected))

    def test_states(self) -> None:
        """A package counts as installed by its state, not by the state that is wanted."""
        there = [f"p{number}" for number, state in enumerate(STATES) if STATES[state]]
        self.write("".join(stanza(f"p{n}", state=f"hold reinstreq {s.decode()}") for n, s in enumerate(STATES)))
        self.assertEqual(self.names(), there)
        self.assertEqual(len(there), len(STATES) - 2)

    def test_not_installed_without_version(self) -> None:
        """A package that is not installed needs no version."""
        self.write(stanza("a") + "Package: b\nStatus: unknown ok not-installed\nArchitecture: all\n\n")
        self.assertEqual(self.names(), ["a"])

    def test_status_folder(self) -> None:
        """A distroless image has one file per package, without states; files of checksums are skipped."""
        self.write(
            "Package: tzdata\nArchitecture: all\nVersion: 2024a-0\nDescription: zones", "var/lib/dpkg/status.d/t"
        )
        self.write("00 usr/share/zoneinfo\n", "var/lib/dpkg/status.d/t.md5sums")
        self.write("", "var/lib/dpkg/status")
        self.assertEqual(self.read(), (Package("tzdata", "2024a-0", "all", "tzdata", "2024a-0"),))

    def test_last_stanza_without_empty_line(self) -> None:
        """The last stanza may lack its empty line, as other tools than dpkg write it."""
        self.write((stanza("a") + stanza("b")).rstrip("\n") + "\n")
        self.assertEqual(self.names(), ["a", "b"])

    def test_other_encodings(self) -> None:
        """A person's name in an old encoding does no harm."""
        self.write(stanza("a").encode().replace(b"Maintainer: A", b"Maintainer: Andr\xe9"))
        self.assertEqual(self.names(), ["a"])

    def test_real_hosts(self) -> None:
        """Every real host has exactly the packages that dpkg-query lists."""
        hosts = [path.parent for path in shared("data/hosts").glob("*/*/inventory.json")]
        hosts = [host for host in hosts if DpkgInventory().present(host)]
        for host in hosts:
            expected = json.loads((host / "inventory.json").read_text())["packages"]
            attributes = ("name", "version", "arch", "source", "source_version")
            there = {tuple(row[a] for a in attributes) for row in expected if row["status"][1] not in "nc"}
            found = [tuple(getattr(p, a) for a in attributes) for p in read_inventory(host).packages]
            self.assertEqual(set(found), there, host)
            self.assertEqual(len(found), len(there), host)
        self.assertGreaterEqual(len(hosts), 6)


class DamageTests(HostTestCase):
    """An incomplete database is an error in one line, never a shorter list."""

    def test_nothing(self) -> None:
        """Without a database there is no inventory."""
        self.refused("no package database found under", str(self.root))

    def test_empty(self) -> None:
        """An empty database is not a clean host; nor is one with only removed packages."""
        for content in ("", "\n\n", stanza("a", state="deinstall ok config-files")):
            self.write(content)
            self.refused("no installed package")

    def test_cut_anywhere(self) -> None:
        """A file that is truncated anywhere in a stanza before its long description is refused."""
        first, second = stanza("alpha"), stanza("beta", more="Source: gamma (2)\n")
        for length in range(1, second.index("\n Some") + 1):
            self.write(first + second[:length])
            self.refused("var/lib/dpkg/status, line ")

    def test_damage(self) -> None:
        """Each kind of damage is named, with its line."""
        cases = {
            b"\x7fELF\x00\x01\x02": "line 1: binary",
            stanza("a").encode() + b"\x93\xfa\x01 noise\n": "line 11: not a field",
            stanza("a").replace("Version: 1-1\n", "").encode(): "package a has the version ''",
            stanza("a").replace("Status: install ok installed\n", "").encode(): "status ''",
            stanza("a", state="install ok instaXled").encode(): "instaXled",
            stanza("a").replace("Package: a\n", "").encode(): "package name ''",
            stanza("a", "1 2").encode(): "version '1 2'",
            stanza("a", more="Source: b (1\n").encode(): "source 'b (1'",
            stanza("a").replace("\n\n", "\n").encode() + stanza("b").encode(): "the field is repeated",
            b" text\n" + stanza("a").encode(): "continuation",
        }
        for content, words in cases.items():
            self.write(content)
            self.refused("var/lib/dpkg/status", words)

    def test_endless_line(self) -> None:
        """A very long line is not read into memory."""
        self.write(stanza("a") + "Package: " + "x" * LONGEST_LINE)
        self.refused("too long")

    def test_cut_file_of_folder(self) -> None:
        """A file in the folder that ends within a version is refused, too."""
        self.write("Package: a\nArchitecture: all\nVersion: 1.2", "var/lib/dpkg/status.d/a")
        self.refused("status.d/a", "middle of a line")

    def test_not_a_file(self) -> None:
        """A folder in place of the status file is an error."""
        (self.root / "var/lib/dpkg/status").mkdir(parents=True)
        self.refused("Not a regular file")

    def test_link_out(self) -> None:
        """A link is followed as on the host itself: never outside its root folder."""
        outside = self.root.parent / (self.root.name + "-outside")
        outside.write_text(stanza("outside"))
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        for target in (str(outside.resolve()), f"../../../../{outside.name}"):
            (self.root / "var/lib/dpkg/status").symlink_to(target)
            self.refused("no package database")
            (self.root / "var/lib/dpkg/status").unlink()

    def test_link_loop(self) -> None:
        """A link to itself is an error."""
        (self.root / "var/lib/dpkg").mkdir(parents=True)
        (self.root / "var/lib/dpkg/status").symlink_to("status")
        self.refused("symbolic links")
