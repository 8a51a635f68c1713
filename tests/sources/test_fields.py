"""Tests for :mod:`patches.sources.fields`."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.fields import (
    arch_restriction,
    arches_in_pattern,
    dicts,
    is_link,
    is_name,
    object_of,
    severity_in,
    sorted_packages,
    text_of,
    time_in,
)
from patches.vulnerability import FixedPackage, Severity


class TextTests(SynchronousTestCase):
    """Texts of feeds."""

    def test_names(self) -> None:
        """A name has 1 to 256 characters that can be printed, and no space."""
        for value in ("a", "~", "!", "libstdc++6", "a" * 256):
            self.assertTrue(is_name(value), value)
        for value in ("", "a b", "a\n", "é", "\x7f", "a" * 257, None, 7, b"a", ["a"]):
            self.assertFalse(is_name(value), value)

    def test_links(self) -> None:
        """A link is of a web page, and not too long."""
        for value in ("https://x", "http://x.test/a?b#c", "https://" + "a" * 2000):
            self.assertTrue(is_link(value))
        for value in (
            "https://",
            "ftp://x",
            "javascript:x",
            "https://x y",
            "https://" + "a" * 2001,
            "https://x\n",
            None,
        ):
            self.assertFalse(is_link(value), value)

    def test_times(self) -> None:
        """A time is returned unchanged; the year 1 counts as unknown."""
        for value in ("2026-01-01T00:00:00Z", "2026-01-01t00:00:00.123+01:00"):
            self.assertEqual(time_in(value), value)
        for other in ("0001-01-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "", None, 0):
            self.assertIsNone(time_in(other))

    def test_absent(self) -> None:
        """A text or an object is returned; any other value counts as an empty one."""
        for text, expected in (("a", "a"), ("", ""), (None, ""), (7, ""), (["a"], ""), ({}, ""), (b"a", "")):
            self.assertEqual(text_of(text), expected)
        for value in (None, "a", 7, [{"a": 1}]):
            self.assertEqual(object_of(value), {})
        self.assertEqual(object_of({"a": 1}), {"a": 1})

    def test_dicts(self) -> None:
        """Objects in a list are returned; other values have none."""
        self.assertEqual(dicts([{"a": 1}, 7, None, {}, []]), [{"a": 1}, {}])
        for value in (None, {"a": 1}, "text", 7):
            self.assertEqual(dicts(value), [])


class ArchitectureTests(SynchronousTestCase):
    """Architectures."""

    def test_patterns(self) -> None:
        """The alternatives of a pattern are returned; other patterns are not understood."""
        for pattern, expected in (
            ("aarch64|x86_64", {"aarch64", "x86_64"}),
            ("^(aarch64|x86_64)$", {"aarch64", "x86_64"}),
            ("noarch", {"noarch"}),
            ("a||b", {"a", "b"}),
        ):
            self.assertEqual(arches_in_pattern(pattern), expected)
        for pattern in (".*", "x86.64", "", "a|b?", "a" * 401):
            self.assertIsNone(arches_in_pattern(pattern), pattern)

    def test_restriction(self) -> None:
        """Builds for every machine, and source packages only, restrict nothing."""
        for arches, expected in (
            (["x86_64", "aarch64", "x86_64"], ("aarch64", "x86_64")),
            (["x86_64", "src"], ("x86_64",)),
            (["x86_64", "noarch"], None),
            (["src", "nosrc"], None),
            ([], None),
        ):
            self.assertEqual(arch_restriction(arches), expected)


class OrderTests(SynchronousTestCase):
    """Packages and severities."""

    def test_order(self) -> None:
        """The order depends on the packages only; each occurs once."""
        packages = [
            FixedPackage("a", None),
            FixedPackage("a", "1"),
            FixedPackage("a", "1", "binary"),
            FixedPackage("a", "1", introduced="0"),
            FixedPackage("a", "1", arches=("x",)),
            FixedPackage("b", "1", track="esm"),
        ]
        expected = sorted_packages(packages)
        self.assertEqual((set(expected), len(expected)), (set(packages), 6))
        for seed in range(9):
            self.assertEqual(sorted_packages(random.Random(seed).sample(packages * 2, 12)), expected)

    def test_severities(self) -> None:
        """Ratings are converted in any case, with Debian's asterisks and blanks; others are unknown."""
        for word, expected in (
            ("unimportant", Severity.NEGLIGIBLE),
            ("Low**", Severity.LOW),
            (" MODERATE ", Severity.MEDIUM),
            ("important", Severity.HIGH),
            ("Critical", Severity.CRITICAL),
            ("urgent", Severity.UNKNOWN),
            ("", Severity.UNKNOWN),
            (None, Severity.UNKNOWN),
            (3, Severity.UNKNOWN),
        ):
            self.assertIs(severity_in(word), expected, word)
