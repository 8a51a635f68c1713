"""Tests for :mod:`patches.sources.parse_context`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.parse_context import ParseContext


class ContextTests(SynchronousTestCase):
    """The counts of a parser."""

    def test_wants(self) -> None:
        """Without a selection every platform is wanted; with an empty one, none."""
        for wanted, expected in ((None, True), ({"debian-12"}, True), ({"debian-13"}, False), (set(), False)):
            self.assertIs(ParseContext("s", wanted).wants("debian-12"), expected)

    def test_counts(self) -> None:
        """Skipped entries are counted by reason, entries that are found as they are yielded."""
        context = ParseContext("s")
        context.skip("a")
        context.skip("a", 2)
        context.skip("b", 0)
        self.assertEqual((context.skipped["a"], context.skipped.total()), (3, 3))
        entries = context.counted("xyz")
        self.assertEqual((next(entries), context.found), ("x", 1))
        self.assertEqual((list(entries), context.found), (["y", "z"], 3))

    def test_unknown(self) -> None:
        """Names from the feed are in at most twenty reasons, with at most thirty characters each, in ASCII."""
        context = ParseContext("s")
        reasons = []
        for number in range(25):
            reasons.append(context.unknown("release", f"r{number}"))
            context.skip(reasons[-1])
        self.assertEqual(reasons[19:21], ["unknown release: r19", "unknown release"])
        self.assertEqual(context.unknown("release", "r3"), "unknown release: r3")
        self.assertEqual(len(context.skipped), 21)
        self.assertEqual(ParseContext("s").unknown("x", "é\n" + "a" * 90), "unknown x: \\xe9\\n" + "a" * 28)
