"""The dpkg database: every installed package is read, and damage is the problem of its package, or an error."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.interfaces import IInventory
from patches.scanner.inventory import Inventory, InventoryError, Package, read_inventory
from patches.scanner.inventory.dpkg import DpkgInventory
from patches.scanner.inventory.dpkg_packages import STATES
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
        self.write("".join(stanza(f"p{n}", state=f"hold reinstreq {s}") for n, s in enumerate(STATES)))
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

    def test_field_names(self) -> None:
        """A field may have any name that Policy 5.1 allows, and those that dpkg accepts besides."""
        names = ("3Essential", "X.Build.Id", "x", "A/B", "!$%", "#c", "Größe")
        for name in names:
            self.write(stanza("a", more=f"{name}: 1\n") + stanza("b", more=f"{name} : 1\n"))
            self.assertEqual([package.problem for package in self.read()], [None, None], name)

    def test_source_texts(self) -> None:
        """A package whose source is any other text counts under its own name and version."""
        own = Package("a", "1-1", "amd64", "a", "1-1")
        for source in (
            "https://example.org/a (3)",
            "A. Person <a@example.org>",
            "b (1",
            "b (",
            "b(1)",
            "b (1 2)",
            "b (x)",
        ):
            self.write(stanza("a", more=f"Source: {source}\n"))
            self.assertEqual(self.read(), (own,), source)

    def test_half_installed(self) -> None:
        """A package whose first unpacking failed has no version, and cannot be evaluated; nor is that truncation."""
        half = "Package: b\nStatus: install reinstreq half-installed\nArchitecture: amd64\n"
        for content in (half + "\n" + stanza("a"), stanza("a") + half, stanza("a") + half + "\n"):
            self.write(content)
            problems = {package.name: (package.version, package.problem) for package in self.read()}
            self.assertEqual(problems["a"], ("1-1", None))
            self.assertEqual(problems["b"][0], "")
            self.assertIn("half-installed without a version", problems["b"][1] or "")

    def test_as_dpkg_writes_it(self) -> None:
        """Names are in lower case, states in any case; a value may have several lines, and lines of blanks."""
        self.write(
            stanza("Foo", state="Install OK\n Installed").replace(" .\n", " \n")
            + stanza("b").replace("Architecture: amd64\n", "")
            + stanza("c").replace("\n", "\r\n")
            + stanza("d").replace("Some text", "Some\0text")
        )
        found = [(package.name, package.arch, package.problem) for package in self.read()]
        self.assertEqual(
            found, [("foo", "amd64", None), ("b", "all", None), ("c", "amd64", None), ("d", "amd64", None)]
        )

    def test_real_hosts(self) -> None:
        """Every real host has exactly the packages that dpkg-query lists."""
        hosts = [path.parent for path in shared("data/hosts").glob("*/*/inventory.json")]
        hosts = [host for host in hosts if DpkgInventory().present(host)]
        for host in hosts:
            expected = json.loads((host / "inventory.json").read_text())["packages"]
            attributes = ("name", "version", "arch", "source", "source_version")
            self.assertEqual([package for package in read_inventory(host).packages if package.problem], [])
            there = {tuple(row[a] for a in attributes) for row in expected if row["status"][1] not in "nc"}
            found = [tuple(getattr(p, a) for a in attributes) for p in read_inventory(host).packages]
            self.assertEqual(set(found), there, host)
            self.assertEqual(len(found), len(there), host)
        self.assertGreaterEqual(len(hosts), 6)
