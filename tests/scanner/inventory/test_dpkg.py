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
from patches.scanner.inventory.dpkg_stanzas import LONGEST_LINE
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
        """Whether a package counts as installed depends on its state, not on the state that is wanted."""
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


class DamageTests(HostTestCase):
    """A damaged stanza is named, an incomplete database is an error in one line: never a shorter list."""

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

    def test_no_database(self) -> None:
        """What is no database is refused with its line: binary data, lost blocks, or text of another kind."""
        cases = {
            b"\x7fELF\x00\x01\x02": "line 1: binary",
            stanza("a").encode() + bytes(4096) + stanza("b").encode(): "line 11: binary",
            b"\x93\xfa\x01 noise\n": "line 1: not a field: not a dpkg database",
            b"Some text\n\nand more\n": "line 1: not a field: not a dpkg database",
        }
        for content, words in cases.items():
            self.write(content)
            self.refused("var/lib/dpkg/status", words)

    def problems(self, content: str | bytes) -> dict[str, str | None]:
        """Read a status file. Return the problem of each package by its name."""
        self.write(content)
        found = self.read()
        self.assertEqual([package.problem for package in found if "\n" in (package.problem or "")], [])
        return {package.name: package.problem for package in found}

    def test_damaged_stanza(self) -> None:
        """Each kind of damage of a stanza is the problem of its package, with its line; the others are read."""
        whole = stanza("a")
        cases = {
            whole.replace("Version: 1-1\n", ""): "line 11: it has no version",
            whole.replace("Version: 1-1\n", "Version:\n"): "it has no version",
            whole.replace("1-1", "1-1\n 2"): "version '1-1\\n2' is not valid",
            whole.replace("1-1", "1 2"): "version '1 2' is not valid",
            whole.replace("1-1", "1_2"): "version '1_2' is not valid",
            whole.replace("Status: install ok installed\n", ""): "status '' is not valid",
            whole.replace("installed", "instaXled"): "status 'install ok instaXled' is not valid",
            whole.replace("install ok", "install"): "status 'install installed' is not valid",
            whole.replace("Package: a", "Package: a b"): "package name 'a b' is not valid",
            whole.replace("Arch", "noise\nArch"): "line 14: not a field",
            whole.replace("Arch", "-X: 1\nArch"): "line 14: not a field",
            whole.replace("Arch", "Multi Arch: 1\nArch"): "line 14: not a field",
            whole.replace("Arch", "X: 1\nx: 2\nArch"): "line 15: the field is repeated: x",
            whole.replace("Arch", "Revision: 2\nArch"): "obsolete field Revision",
            whole.replace("Architecture: amd64", "Multi-Arch: same"): "Multi-Arch: same with the architecture ''",
            whole.replace("amd64", "all\nMulti-Arch: same"): "Multi-Arch: same with the architecture 'all'",
            whole.replace("amd64", "amd 64"): "architecture 'amd 64' is not valid",
            " text\n" + whole: "line 11: a continuation line without a field",
        }
        for content, words in cases.items():
            problems = self.problems(stanza("first") + content + stanza("last"))
            self.assertEqual(problems.keys(), {"first", "a", "last"})
            self.assertEqual((problems["first"], problems["last"]), (None, None))
            self.assertIn("var/lib/dpkg/status, ", problems["a"] or "")
            self.assertIn(words, problems["a"] or "")

    def test_damaged_last_stanza(self) -> None:
        """Damage of the last stanza is its problem, too, if the file is not truncated."""
        self.assertEqual(self.problems(stanza("a") + "noise\n").keys(), {"a", "(var/lib/dpkg/status, line 11)"})
        self.assertEqual(self.problems(stanza("a") + "Package: b\nnoise\n").keys(), {"a", "b"})

    def test_no_name(self) -> None:
        """A damaged stanza without a name stands for itself, by its place."""
        problems = self.problems(stanza("a") + stanza("b").replace("Package: b\n", ""))
        self.assertEqual(problems.keys(), {"a", "(var/lib/dpkg/status, line 11)"})
        self.assertIn("without a package name", problems["(var/lib/dpkg/status, line 11)"] or "")

    def test_no_empty_line(self) -> None:
        """If the empty line between two stanzas is lost, or has blanks, both packages are named."""
        for line in ("\n", "\n  \n"):
            problems = self.problems(stanza("a").replace("\n\n", line) + stanza("b"))
            self.assertIn("the next package begins within the stanza", problems["a"] or "")
            self.assertIsNone(problems["b"])

    def test_twice(self) -> None:
        """A package that is there twice is named with this problem, as dpkg refuses it; not if both are the same."""
        for content in (
            stanza("a") + stanza("a", "2-1"),
            stanza("a") + stanza("a").replace("amd64", "i386"),
            stanza("a") + stanza("a", more="Multi-Arch: same\n"),
            stanza("a") + stanza("a", state="deinstall ok config-files"),
        ):
            self.assertIn("exclude each other", self.problems(content)["a"] or "")
        same = stanza("a", more="Multi-Arch: same\n")
        self.assertEqual(self.problems(same + same.replace("amd64", "i386")), {"a": None})
        self.assertEqual(len(self.read()), 2)
        self.assertEqual(self.problems(same + same.replace("1-1", "2-1")), {"a": None})
        self.assertEqual([package.version for package in self.read()], ["2-1"])

    def test_endless_line(self) -> None:
        """A very long line is not read into memory."""
        self.write(stanza("a") + "Package: " + "x" * LONGEST_LINE)
        self.refused("too long")

    def test_cut_before_version(self) -> None:
        """A package that was removed, if its stanza ends before the version, is a sign of truncation."""
        self.write(stanza("a") + "Package: b\nStatus: deinstall ok config-files\n")
        self.refused("middle of a stanza")
        self.write(stanza("a") + "Package: b\nStatus: deinstall ok config-files\nVersion: 1\n")
        self.assertEqual(self.names(), ["a"])

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
