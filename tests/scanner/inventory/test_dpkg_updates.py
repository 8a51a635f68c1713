"""Tests for :mod:`patches.scanner.inventory.dpkg_updates`: the journal is read as dpkg-query reads it."""

from __future__ import annotations

from patches.scanner.inventory.dpkg import DpkgInventory
from patches.scanner.inventory.dpkg_updates import MOST_UPDATES, UPDATES
from tests.scanner.inventory.test_dpkg import HostTestCase, stanza

SAME = "Multi-Arch: same\n"


class UpdatesTests(HostTestCase):
    """Hosts whose dpkg runs, or was interrupted."""

    def found(self, status: str | None, *updates: str) -> list[tuple[str, str, str]]:
        """Read a host with this status and this journal. Return names, versions and architectures."""
        if status is not None:
            self.write(status)
        for number, content in enumerate(updates):
            self.write(content, f"{UPDATES}/{number:04}")
        packages = self.read()
        self.assertEqual([package.problem for package in packages if package.problem], [])
        return [(package.name, package.version, package.arch) for package in packages]

    def problems(self) -> dict[str, str | None]:
        """Read the host. Return the problem of each package by its name."""
        return {package.name: package.problem for package in self.read()}

    def test_added(self) -> None:
        """A package that only the journal has is installed."""
        self.assertEqual(self.found(stanza("a"), stanza("b")), [("a", "1-1", "amd64"), ("b", "1-1", "amd64")])

    def test_replaced(self) -> None:
        """Files are applied in the order of their names, and the last one counts."""
        self.assertEqual(self.found(stanza("a"), stanza("a", "3-1"), stanza("A", "2-1")), [("a", "2-1", "amd64")])

    def test_whole_entry(self) -> None:
        """The journal replaces the whole entry, its source too."""
        self.write(stanza("a", more="Source: s (9)\n"))
        self.write(stanza("a", "2"), f"{UPDATES}/0000")
        (package,) = self.read()
        self.assertEqual((package.source, package.source_version), ("a", "2"))

    def test_removed(self) -> None:
        """A package that is not installed any more, or has only its configuration, is gone."""
        gone = "Package: a\nStatus: purge ok not-installed\nArchitecture: amd64\n"
        for update in (gone, gone.replace("amd64", "i386"), stanza("a", state="deinstall ok config-files")):
            self.assertEqual(self.found(stanza("a") + stanza("b"), update), [("b", "1-1", "amd64")])

    def test_architectures(self) -> None:
        """Of a package that is there once any architecture is replaced; co-installable ones are kept apart."""
        other = stanza("a", "2-1").replace("amd64", "i386")
        self.assertEqual(self.found(stanza("a"), other), [("a", "2-1", "i386")])
        self.assertEqual(self.found(stanza("a", more=SAME), other), [("a", "2-1", "i386")])
        other = stanza("a", "2-1", more=SAME).replace("amd64", "i386")
        self.assertEqual(self.found(stanza("a", more=SAME), other), [("a", "1-1", "amd64"), ("a", "2-1", "i386")])
        both = stanza("a", more=SAME) + other
        gone = f"Package: a\nStatus: purge ok not-installed\nArchitecture: i386\n{SAME}"
        self.assertEqual(self.found(both, gone), [("a", "1-1", "amd64")])

    def test_excluded(self) -> None:
        """An update that excludes several installed architectures is refused by dpkg; all of them are named."""
        self.write(stanza("a", more=SAME) + stanza("a", more=SAME).replace("amd64", "i386"))
        self.write(stanza("a", "2-1"), f"{UPDATES}/0000")
        self.assertIn("exclude each other", self.problems()["a"] or "")

    def test_without_status(self) -> None:
        """As for dpkg-query, a journal without a status file, or with an empty one, is a database."""
        self.assertFalse(DpkgInventory().present(self.root))
        self.assertEqual(self.found(None, stanza("a")), [("a", "1-1", "amd64")])
        self.assertEqual(self.found("", stanza("a")), [("a", "1-1", "amd64")])

    def test_several(self) -> None:
        """A file may have several stanzas, or none."""
        self.assertEqual(self.found("", stanza("a") + stanza("b"), "", "\n\n")[0], ("a", "1-1", "amd64"))
        self.assertEqual(len(self.read()), 2)

    def test_other_names(self) -> None:
        """Files whose names are not numbers are not of the journal."""
        self.write(stanza("a"))
        for name in ("tmp.i", "0001.x", "x0001", "00-1"):
            self.write(stanza("b"), f"{UPDATES}/{name}")
        self.assertEqual(self.names(), ["a"])

    def test_unknown_order(self) -> None:
        """If the order of the files is not known, dpkg refuses them, and their packages are not evaluated."""
        self.write(stanza("a") + stanza("b"))
        self.write(stanza("a", "2"), f"{UPDATES}/1")
        self.write(stanza("a", "3"), f"{UPDATES}/0002")
        problems = self.problems()
        self.assertIn("names of different lengths", problems["a"] or "")
        self.assertIsNone(problems["b"])
        (self.root / UPDATES / "1").unlink()
        self.write(stanza("a", "3"), f"{UPDATES}/00000000001")
        (self.root / UPDATES / "0002").unlink()
        self.assertIn("more than 10 digits", self.problems()["a"] or "")

    def test_damaged(self) -> None:
        """A damaged or truncated update is the problem of its package; status has the others."""
        whole = stanza("a", "2-1")
        for content in (whole[:60], whole[: whole.index("Version")], whole.replace("2-1", "2 1"), "Package: a\n"):
            self.write(stanza("a") + stanza("b"))
            self.write(content, f"{UPDATES}/0000")
            problems = self.problems()
            self.assertEqual(problems.keys(), {"a", "b"})
            self.assertIn(f"{UPDATES}/0000, line ", problems["a"] or "")
            self.assertIsNone(problems["b"])
        self.write("Pack", f"{UPDATES}/0000")
        self.assertIn("line 1: not a field", self.problems()[f"({UPDATES}/0000, line 1)"] or "")

    def test_unreadable(self) -> None:
        """A folder in place of a file of the journal, or a file in place of the journal, is an error."""
        self.write(stanza("a"))
        (self.root / UPDATES / "0001").mkdir(parents=True)
        self.refused("Not a regular file")
        (self.root / UPDATES / "0001").rmdir()
        (self.root / UPDATES).rmdir()
        self.write("", UPDATES)
        self.refused(UPDATES, "Not a directory")
        (self.root / UPDATES).unlink()
        (self.root / UPDATES).symlink_to("updates")
        self.refused(UPDATES, "symbolic links")

    def test_endless(self) -> None:
        """A journal of very many files is refused before they are read."""
        self.write(stanza("a"))
        (self.root / UPDATES).mkdir()
        for number in range(MOST_UPDATES + 1):
            (self.root / UPDATES / f"{number:06}").touch()
        self.refused("too many for a journal")
