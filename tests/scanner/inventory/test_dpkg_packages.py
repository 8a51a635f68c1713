"""Tests for :mod:`patches.scanner.inventory.dpkg_packages`; ``test_dpkg.py`` has whole databases."""

from __future__ import annotations

from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.inventory.dpkg_packages import STATES, entry_of, may_be_cut
from patches.scanner.inventory.dpkg_stanzas import Stanza, StanzaReader
from patches.scanner.inventory.dpkg_updates import JournalEntry

PLAIN = "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-1\n"


def stanza_of(text: str) -> Stanza:
    """Return the stanza of this text."""
    (stanza,) = StanzaReader("f").stanzas(BytesIO(text.encode()))
    return stanza


def entry(text: str) -> JournalEntry:
    """Return the entry of this text."""
    return entry_of("f", stanza_of(text))


class PackageTests(SynchronousTestCase):
    """Packages of single stanzas."""

    def test_whole(self) -> None:
        """A stanza without damage is a package without a problem."""
        package = Package("a", "1-1", "amd64", "s", "2", vendor="O")
        self.assertEqual(
            entry(PLAIN + "Source: s (2)\nMulti-Arch: same\nOrigin: O\n"),
            JournalEntry("a", "amd64", True, True, package),
        )
        self.assertFalse(entry(PLAIN + "Multi-Arch: foreign\n").co_installable)

    def test_states(self) -> None:
        """dpkg knows a package in each state but one; two states are not installed."""
        known = {state: entry(PLAIN.replace(" installed", f" {state}")) for state in STATES}
        self.assertEqual([state for state, each in known.items() if not each.is_known], ["not-installed"])
        self.assertEqual({state: each.package is not None for state, each in known.items()}, STATES)

    def test_words(self) -> None:
        """Each word of the status must be one of dpkg's."""
        for status in ("want ok installed", "install ko installed", "install ok here", "install ok", "a b c d", ""):
            package = entry(PLAIN.replace("install ok installed", status)).package
            self.assertIn(f"status {status!r} is not valid", str(package and package.problem))

    def test_removed_without_version(self) -> None:
        """Where dpkg demands a version of a removed package, its absence is a problem."""
        gone = PLAIN.replace("Version: 1-1\n", "")
        self.assertIn("no version", str(entry(gone.replace(" installed", " config-files")).package))
        self.assertIsNone(entry(gone.replace(" installed", " not-installed")).package)

    def test_names(self) -> None:
        """Of a name that is not valid the valid beginning is kept; without one the place stands for it."""
        for name, shown in (
            ("a_B", "a_b"),
            ("a:amd64", "a"),
            ("é", "(f, line 1)"),
            ("", "(f, line 1)"),
            ("-a", "(f, line 1)"),
        ):
            self.assertEqual(entry(PLAIN.replace("Package: a", f"Package: {name}")).name, shown)

    def test_cut(self) -> None:
        """A stanza without a description may be cut, unless it is of a package that needs none."""
        self.assertTrue(may_be_cut(stanza_of(PLAIN)))
        self.assertTrue(may_be_cut(stanza_of("Package: a\n")))
        self.assertFalse(may_be_cut(stanza_of(PLAIN + "Description: d\n")))
        self.assertFalse(may_be_cut(stanza_of("Package: a\nStatus: purge ok not-installed\n")))
        self.assertFalse(may_be_cut(stanza_of("Package: a\nStatus: install ok half-installed\n")))
        self.assertTrue(may_be_cut(stanza_of("Package: a\nStatus: deinstall ok config-files\n")))
