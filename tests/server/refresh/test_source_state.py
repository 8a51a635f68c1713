"""Tests for :mod:`patches.server.refresh.source_state`."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import Offer
from patches.server.refresh.source_state import EMPTY, SourceList, SourceState, lists_about, problem_of
from tests.server.fake_source import PutFeed, PutSource

HOUR = timedelta(hours=1)


class SourceStateTests(SynchronousTestCase):
    """A source with three lists: of one platform, of another one, and of platforms that only an import reveals."""

    def setUp(self) -> None:
        self.subject = SourceState(PutSource("fake"))
        self.offers = [Offer("a", "s1", "debian-12"), Offer("b", "s1", "debian-13"), Offer("c")]
        self.new = self.subject.take(self.offers)

    def settle(self, due: float = 1000.0) -> None:
        """Set the time at which the source and all its lists are due."""
        for attempts in self.subject.lists_of(None):
            attempts.due = due

    def test_take(self) -> None:
        """Lists that were offered before are kept; new ones are added, and missing ones removed."""
        self.assertEqual([(feed.offer.key, feed.platforms) for feed in self.new], [
            ("a", {"debian-12"}), ("b", {"debian-13"}), ("c", set()),
        ])  # fmt: skip
        first = self.subject.source_lists["a"]
        [new] = self.subject.take([Offer("a", "s2", "debian-12"), Offer("d")])
        self.assertIs(self.subject.source_lists["a"], first)
        self.assertEqual((first.offer.state, new.offer.key, list(self.subject.source_lists)), ("s2", "d", ["a", "d"]))
        self.assertTrue(self.subject.told)

    def test_concerning(self) -> None:
        """A platform depends on its source, on its own lists, and on those whose platforms are not known."""
        source_lists = self.subject.source_lists
        for platform, keys in (("debian-12", "ac"), ("debian-13", "bc"), ("other", "c"), (None, "abc")):
            expected = [self.subject.attempts, *(source_lists[key].attempts for key in keys)]
            found = self.subject.lists_of(platform)
            self.assertEqual([id(each) for each in found], [id(each) for each in expected], platform)

    def test_unconcerned(self) -> None:
        """A source of which all platforms are known, or that reads chosen ones only, concerns no other platform."""
        self.subject.source_lists["c"].platforms = {"debian-14"}
        self.assertEqual((self.subject.lists_of("other"), len(self.subject.lists_of("debian-14"))), ([], 2))
        chosen = SourceState(PutFeed("feed", {}))
        for wanted, count in ((set(), 0), ({"debian-12"}, 1)):
            chosen.source.wanted = wanted
            self.assertEqual(len(chosen.lists_of("debian-12")), count)

    def test_problems(self) -> None:
        """Problems carry the names of their sources; if there are too many, the others are counted."""
        states = [SourceState(PutSource(f"s{number}")) for number in range(9)]
        self.assertIsNone(problem_of(states))
        for state in states:
            state.attempts.fail("x" * 100, 0.0, HOUR)
        text = problem_of(states)
        assert text is not None
        self.assertTrue(text.startswith(f"s0: {'x' * 100}; s1: x"))
        self.assertTrue(text.endswith("x; and 5 more"))
        self.assertLess(len(text), 520)
        states[0].attempts.fail("x" * 1000, 0.0, HOUR)
        self.assertLess(len(problem_of(states) or ""), 520)

    def test_doubt(self) -> None:
        """If another server has read the source, it and all its lists are due at once, including later ones."""
        self.settle()
        self.assertFalse(self.subject.is_due(10.0))
        self.assertEqual([feed.doubted for feed in self.new], [False] * 3)
        self.subject.recheck_all(10.0)
        self.assertEqual({each.due for each in self.subject.lists_of(None)}, {10.0})
        self.assertEqual((self.subject.doubted, [feed.doubted for feed in self.new]), (True, [True] * 3))
        self.subject.source_lists["a"].doubted = False
        [later] = self.subject.take([*self.offers, Offer("d")])
        self.assertEqual((later.doubted, self.subject.source_lists["a"].doubted), (True, False))

    def test_due(self) -> None:
        """A source is due exactly when itself or one of its lists is due."""
        self.settle(10.0)
        self.assertEqual([self.subject.is_due(now) for now in (9.9, 10.0)], [False, True])
        self.settle(20.0)
        self.subject.source_lists["c"].attempts.due = 15.0
        self.assertEqual([self.subject.is_due(now) for now in (14.9, 15.0)], [False, True])

    def test_look_and_wait(self) -> None:
        """Lists with a state are due when the source was asked, or wait for that; others are not affected."""
        self.settle(100.0)
        self.subject.source_lists["b"].attempts.failures = 1
        self.subject.mark_due(50.0)
        self.assertEqual([feed.attempts.due for feed in self.new], [50.0, 100.0, 100.0])
        self.subject.attempts.due = 70.0
        self.subject.wait()
        self.assertEqual([feed.attempts.due for feed in self.new], [70.0, 100.0, 100.0])

    def test_settled(self) -> None:
        """A source is settled once it was asked and read; an empty or absent list is an answer, a failure is not."""
        self.settle()
        self.assertTrue(self.subject.is_settled(10.0))
        for error, absent, expected in (
            (f"{EMPTY}: x", False, True),
            (EMPTY, False, True),
            ("404", True, True),
            ("broken", False, False),
        ):
            self.subject.source_lists["a"].attempts.error, self.subject.source_lists["a"].attempts.absent = (
                error,
                absent,
            )
            self.assertIs(self.subject.is_settled(10.0), expected, error)
        self.subject.source_lists["a"].attempts.error = None
        self.assertFalse(self.subject.is_settled(1000.0))
        self.assertFalse(SourceState(PutSource("new")).is_settled(0.0))

    def test_feeds_about(self) -> None:
        """The lists of several sources that are known to be about a platform are returned."""
        other = SourceState(PutSource("other"))
        other.take([Offer("x", None, "debian-12")])
        found = lists_about("debian-12", [self.subject, other])
        self.assertEqual([feed.offer.key for feed in found], ["a", "x"])
        self.assertEqual(SourceList(Offer("k")).checked, 0.0)
