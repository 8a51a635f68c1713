"""Tests for :mod:`patches.server.refresh.source_state`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import NotThere, SourceError
from patches.interfaces import Offer
from patches.server.errors import CatalogueError
from patches.server.refresh.source_state import (
    EMPTY,
    INTERNAL_ERROR,
    RetrySchedule,
    SourceList,
    SourceState,
    lists_about,
    problem_of,
)
from tests.server.fake_source import PutFeed, PutSource

HOUR = timedelta(hours=1)


def raising(error: BaseException | None) -> Callable[[], Awaitable[None]]:
    """Return a function that fails with an error; ``None``: that succeeds."""

    async def work() -> None:
        if error is not None:
            raise error

    return work


class RetryScheduleTests(SynchronousTestCase):
    """Work that is repeated."""

    def setUp(self) -> None:
        self.subject = RetrySchedule()

    def attempt(self, error: BaseException | None = None) -> bool:
        """Attempt the work at second 100."""
        return self.successResultOf(
            ensureDeferred(self.subject.run("it", raising(error), lambda: 100.0, HOUR, lambda: 0.0))
        )

    def facts(self) -> tuple[float, int, int, str | None, bool]:
        """Return all attributes of the schedule."""
        return self.subject.due, self.subject.failures, self.subject.failed, self.subject.error, self.subject.absent

    def test_new(self) -> None:
        """Work that was never attempted is due, and has not failed."""
        self.assertEqual(self.facts(), (0.0, 0, 0, None, False))

    def test_pauses(self) -> None:
        """The pause doubles from ten seconds up to the interval, and is reset by a success."""
        pauses = []
        for _ in range(12):
            self.assertFalse(self.attempt(SourceError("broken")))
            pauses.append(self.subject.due - 100)
        self.assertEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600])
        self.assertEqual(self.facts(), (3700.0, 12, 12, "broken", False))
        self.assertTrue(self.attempt())
        self.assertEqual(self.facts(), (3700.0, 0, 12, None, False))
        self.attempt(SourceError("broken"))
        self.assertEqual(self.facts(), (110.0, 1, 13, "broken", False))

    def test_jitter(self) -> None:
        """A pause is shortened by up to half, so that servers that lost the same source do not retry in step."""
        self.subject.fail("broken", 0.0, HOUR, lambda: 1.0)
        self.assertEqual(self.subject.due, 5.0)

    def test_kinds(self) -> None:
        """External errors are reported as they are, and a missing file is distinguished from other errors."""
        self.attempt(NotThere("it answered 404"))
        self.assertEqual(self.facts()[3:], ("it answered 404", True))
        self.attempt(CatalogueError("the disk is full"))
        self.assertEqual(self.facts()[3:], ("the disk is full", False))
        self.attempt(NotThere("x"))
        self.attempt()
        self.assertEqual(self.facts()[3:], (None, False))

    def test_bug(self) -> None:
        """A bug is logged, and the reported error does not reveal its details."""
        self.assertFalse(self.attempt(ZeroDivisionError("secret")))
        self.assertEqual(self.facts(), (110.0, 1, 1, INTERNAL_ERROR, False))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cancelled(self) -> None:
        """A cancellation is not a failure, and is passed on."""
        making = ensureDeferred(self.subject.run("it", raising(CancelledError()), lambda: 100.0, HOUR))
        self.failureResultOf(making, CancelledError)
        self.assertEqual(self.facts(), (0.0, 0, 0, None, False))


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
