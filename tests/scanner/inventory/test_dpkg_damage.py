"""Damaged dpkg databases: a damaged stanza is the problem of its package, a truncated file is an error."""

from __future__ import annotations

from patches.scanner.inventory.dpkg_stanzas import LONGEST_LINE
from tests.scanner.inventory.test_dpkg import HostTestCase, stanza


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
        """A file that is no database is refused with its line: binary data, lost blocks, or text of another kind."""
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
