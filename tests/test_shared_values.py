"""Tests for :mod:`patches.shared_values`."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.shared_values import MOST_CHARACTERS, MOST_SHARED, SharedValues
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import decode_lines, encode_line


def record(name: str, version: str = "2-1") -> Vulnerability:
    """Return a record as it comes from a list: each text is an object of its own."""
    fixes = FixedPackage("sudo", version), FixedPackage("other", "3")
    (found,) = decode_lines(encode_line(Vulnerability(name, "debian-12", fixes, source="a b", cvss="c d")))
    return found


class SharedValuesTests(SynchronousTestCase):
    """Records of one list."""

    def setUp(self) -> None:
        self.shared = SharedValues()

    def test_shared(self) -> None:
        """The values that several records have in common are one object."""
        one, two, three = record("CVE-1"), record("CVE-2"), record("CVE-3", "2-2")
        self.assertIs(self.shared.fix(one.fixed_in[0]), self.shared.fix(two.fixed_in[0]))
        self.assertIs(self.shared.fix(one.fixed_in[0]).kind, self.shared.fix(three.fixed_in[0]).kind)
        for name in ("platform", "source", "cvss"):
            self.assertIs(getattr(self.shared.record(one), name), getattr(self.shared.record(two), name))

    def test_long_texts(self) -> None:
        """No text of a list is kept that is longer than any real one; each alias is bounded too."""
        long = "x" * 250_000
        odd = Vulnerability(long, "debian-12", (FixedPackage("sudo", long, note=long),), details_href=long, note=long)
        kept, fix = self.shared.record(evolve(odd, aliases=(long,))), self.shared.fix(odd.fixed_in[0])
        texts = (kept.name, kept.details_href, kept.note, kept.aliases[0], fix.version, fix.note)
        self.assertEqual({len(text or "") for text in texts}, {MOST_CHARACTERS})

    def test_same(self) -> None:
        """The values are the same as before, except for the packages of a record."""
        before = record("CVE-1")
        self.assertEqual(self.shared.record(before), evolve(before, fixed_in=()))
        self.assertEqual(self.shared.fix(before.fixed_in[0]), before.fixed_in[0])
        self.assertIsNone(self.shared.text(None))
        self.assertEqual(self.shared.text(""), "")

    def test_again(self) -> None:
        """A record that is named again is the same one, and its findings have one tuple of records."""
        before = record("CVE-1")
        one, two = self.shared.record(before), self.shared.record(before)
        self.assertIs(one, two)
        self.assertIs(self.shared.records((one,)), self.shared.records((two,)))
        self.assertEqual(self.shared.records((one, one)), (one, one))

    def test_bounded(self) -> None:
        """However many values there are, few of them are remembered."""
        for number in range(MOST_SHARED + 1):
            self.shared.text(f"text {number}")
        self.assertLess(len(self.shared._texts), 10)
