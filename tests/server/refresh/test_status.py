"""Tests for :mod:`patches.server.refresh.status`."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import Offer
from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.source_state import RetrySchedule, SourceList, SourceState
from patches.server.refresh.status import NO_SOURCE, ListStatus
from tests.server.fake_catalogue import snapshot
from tests.server.fake_source import PutSource

_HOUR = timedelta(hours=1)


def checked(seconds: float, revision: str = "r1", source: str = "") -> Snapshot:
    """Make a snapshot that was checked at some time."""
    return evolve(snapshot(revision=revision), checked=seconds, sources={source: {}} if source else {})


def source(*times: float, told: bool = True) -> SourceState:
    """Make a source with lists of Debian 12, which were given at these times."""
    state = SourceState(PutSource("put"))
    state.take([Offer(f"{number}", None, "debian-12") for number in range(len(times))])
    for feed, seconds in zip(state.source_lists.values(), times, strict=True):
        feed.checked = seconds
    state.told = told
    return state


class SumTests(SynchronousTestCase):
    """What follows from the lists that it is made of."""

    def test_new(self) -> None:
        """Nothing is known, nothing has failed, and nothing is held back."""
        status = ListStatus()
        self.assertEqual((status.snapshot, status.held_back, status.error, status.alarm), (None, None, None, None))
        self.assertEqual((status.failures, status.failed, status.on_demand), (0, 0, False))

    def test_failures(self) -> None:
        """The most failures in a row, all failures that there ever were, and the first error are told."""
        state, status = source(1.0, 2.0), ListStatus()
        one, two = (feed.attempts for feed in state.source_lists.values())
        one.fail("first", 0.0, _HOUR)
        for _ in range(3):
            two.fail("second", 0.0, _HOUR)
        status.update("debian-12", [state], None)
        self.assertEqual((status.failures, status.failed, status.error), (3, 4, "first"))
        one.succeed(0.0, _HOUR)
        publishing = RetrySchedule()
        publishing.fail("disk", 0.0, _HOUR)
        status.update("debian-12", [state], publishing)
        self.assertEqual((status.failures, status.failed, status.error), (3, 5, "second"))
        status.update("debian-12", [], None)
        self.assertEqual((status.failures, status.failed, status.error), (0, 5, None))

    def test_no_source(self) -> None:
        """That no source has a list is said only once all of them were asked."""
        status = ListStatus()
        for told, expected in ((False, None), (True, NO_SOURCE)):
            status.update("debian-12", [source(told=told)], None)
            self.assertEqual(status.error, expected)

    def test_checked_later(self) -> None:
        """A list that was given again was checked then, unless it is to be made anew; never does that go back."""
        for given, publishing, expected in ((9.0, None, 9.0), (9.0, RetrySchedule(), 5.0), (3.0, None, 5.0)):
            status = ListStatus(snapshot=checked(5.0))
            status.update("debian-12", [source(given)], publishing)
            assert status.snapshot is not None
            self.assertEqual(status.snapshot.checked, expected)
        status = ListStatus(snapshot=checked(5.0), held_back=checked(5.0, "r2"))
        status.update("debian-12", [source(9.0)], None)
        assert status.snapshot is not None
        assert status.held_back is not None
        self.assertEqual((status.snapshot.checked, status.held_back.checked), (5.0, 9.0))

    def test_checked(self) -> None:
        """The oldest part tells how old a list is; what was not given since is as old as the current list."""
        for status, times, doubted, expected in (
            (ListStatus(), (7.0, 8.0), False, 7.0),
            (ListStatus(), (0.0, 8.0), False, 99.0),
            (ListStatus(checked(5.0)), (0.0, 8.0), False, 5.0),
            (ListStatus(checked(5.0)), (3.0, 8.0), False, 5.0),
            (ListStatus(checked(5.0)), (3.0, 8.0), True, 3.0),
            (ListStatus(checked(5.0)), (6.0, 8.0), False, 6.0),
        ):
            state = source(*times)
            state.source_lists["0"].doubted = doubted
            self.assertEqual(status.checked("debian-12", [state], 99.0), expected, (times, doubted))

    def test_untold(self) -> None:
        """A source that has a part in the list, and was not asked yet, keeps the list as old as it was."""
        status = ListStatus(checked(5.0, source="put"))
        self.assertEqual(status.checked("debian-12", [source(8.0, told=False)], 99.0), 5.0)
        self.assertEqual(status.checked("debian-12", [source(8.0)], 99.0), 8.0)


class TakeUpTests(SynchronousTestCase):
    """What the catalogue says."""

    source_lists = (SourceList(Offer("k")),)

    def test_leader(self) -> None:
        """Who refreshes a list knows better when it was checked than the catalogue does, and tells it."""
        status = ListStatus(checked(9.0), failures=2, error="broken")
        later = list(status.load_current(checked(5.0), None, True, self.source_lists))
        self.assertEqual(later, [(checked(5.0), 9.0)])
        self.assertEqual((status.snapshot, status.failures, status.error), (checked(9.0), 2, "broken"))
        self.assertEqual(
            list(status.load_current(checked(5.0, "r2"), None, True, self.source_lists)),
            [(checked(5.0, "r2"), 9.0)][:0],
        )
        self.assertEqual(status.snapshot, checked(5.0, "r2"))

    def test_follower(self) -> None:
        """Who does not knows what the catalogue says, and nothing of sources."""
        status = ListStatus(checked(4.0), failures=2, error="broken")
        self.assertEqual(list(status.load_current(checked(5.0), checked(6.0, "r2"), False, self.source_lists)), [])
        self.assertEqual((status.snapshot, status.held_back), (checked(5.0), checked(6.0, "r2")))
        self.assertEqual((status.failures, status.error), (0, None))

    def test_alarm(self) -> None:
        """Why a list is held back is told."""
        self.assertEqual(ListStatus(held_back=evolve(checked(1.0), held_back="it shrinks")).alarm, "it shrinks")
