"""Tests for :mod:`patches.reporter.fields`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.fields import (
    MalformedReport,
    counts,
    host,
    number,
    platform,
    text,
    text_or_none,
    time,
)
from tests.control_characters import HARMFUL


class FieldTests(SynchronousTestCase):
    """Values of a report."""

    def refuse(self, parse: Callable[..., Any], *values: Any, **options: Any) -> None:
        """Check that each value is refused in one line, which names the member where the parser knows it."""
        for value in values:
            with self.assertRaises(MalformedReport) as caught:
                parse(value, **options)
            self.assertNotIn("\n", str(caught.exception))
            self.assertIn(options.get("name", ""), str(caught.exception))

    def test_host(self) -> None:
        """A host is a part of a path: printable ASCII without a slash or a space, and neither ``.`` nor ``..``."""
        for value in ("web-1", "192.0.2.1", "fe80::1%eth0", "...", ".a", "x" * 253):
            self.assertEqual(host(value), value)
        self.refuse(host, "", "a b", "a/b", ".", "..", "x" * 254, "\u00e9", "a\n", None, 7, ["a"])

    def test_platform(self) -> None:
        """A platform has the form of one."""
        self.assertEqual(platform("debian-12"), "debian-12")
        self.refuse(platform, "", "a b", "../x", "x" * 2000, None, 7)

    def test_text(self) -> None:
        """A text has from one to 1024 characters; an empty one is accepted where it may be; it can be shown."""
        for value in ("a", "a b", "\u00e9" * 1024):
            self.assertEqual(text(value, "it"), value)
        self.refuse(text, "", "x" * 1025, None, 7, ["a"], name="summary")
        self.assertEqual(text("", "it", least=0), "")
        for odd in HARMFUL:
            self.assertTrue(text(f"a{odd}", "it").isprintable())
        self.assertEqual(text("a\x1b[0m\n", "it"), r"a\x1b[0m\n")

    def test_absent_text(self) -> None:
        """Only an absent text is none; an empty one is refused."""
        self.assertIsNone(text_or_none(None, "it"))
        self.assertEqual(text_or_none("a", "it"), "a")
        self.refuse(text_or_none, "", 7, False, name="revision")

    def test_number(self) -> None:
        """A number is an integer that every JSON parser reads exactly."""
        for value in (0, 7, 2**53 - 1):
            self.assertEqual(number(value, "it"), value)
        self.refuse(number, -1, 2**53, 1.0, "1", True, None, [1], name="served")

    def test_counts(self) -> None:
        """Counts are an object of numbers; absent ones are empty."""
        self.assertEqual((counts(None, "it"), counts({}, "it"), counts({"a": 1}, "it")), ({}, {}, {"a": 1}))
        self.refuse(counts, [], 0, "", {"a": -1}, {"": 1}, {"a": None}, name="notEvaluated")

    def test_time(self) -> None:
        """A time has an offset, and is converted to UTC."""
        expected = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
        for value in ("2026-11-22T10:30:00Z", "2026-11-22T12:00:00+01:30", "2026-11-22 10:30:00+00:00"):
            self.assertEqual((time(value, "it"), time(value, "it").tzinfo), (expected, UTC))
        self.refuse(
            time, "2026-11-22T10:30:00", "2026-11-22", "soon", "", None, 7, "2026-13-01T00:00:00Z", name="began"
        )
        self.refuse(time, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", name="began")
