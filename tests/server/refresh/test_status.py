"""Tests for :mod:`patches.server.refresh.status`."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import Offer
from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.retry_schedule import RetrySchedule
from patches.server.refresh.source_state import SourceList, SourceState
from patches.server.refresh.status import NO_SOURCE, ListStatus
from tests.server.fake_catalogue import snapshot
from tests.server.fake_source import PutSource

_HOUR = timedelta(hours=1)


def checked(seconds: float, revision: str = "r1", source: str = "") -> Snapshot:
    """Create a snapshot that was checked at a given time."""
    return evolve(snapshot(revision=revision), checked=seconds, sources={source: {}} if source else {})


def source(*times: float, told: bool = True) -> SourceState:
    """Create a source with lists of Debian 12 that were checked at these times."""
    state = SourceState(PutSource("put"))
    state.take([Offer(f"{number}", None, "debian-12") for number in range(len(times))])
    for feed, seconds in zip(state.source_lists.values(), times, strict=True):
        feed.checked = seconds
    state.told = told
    return state


class SumTests(SynchronousTestCase):
    """The status of a platform as the sum of its lists."""

    def test_new(self) -> None:
        """A new status has neither a list nor an error."""
        status = ListStatus()
        self.assertEqual((status.snapshot, status.held_back, status.error, status.alarm), (None, None, None, None))
        self.assertEqual((status.failures, status.failed, status.on_demand), (0, 0, False))

    def test_failures(self) -> None:
        """The status has the most failures in a row, the total of all failures, and all errors."""
        state, status = source(1.0, 2.0), ListStatus()
        one, two = (feed.attempts for feed in state.source_lists.values())
        one.fail("first", 0.0, _HOUR)
        for _ in range(3):
            two.fail("second", 0.0, _HOUR)
        status.update("debian-12", [state], None)
        self.assertEqual((status.failures, status.failed, status.error), (3, 4, "put: first; put: second"))
        one.succeed(0.0, _HOUR)
        publishing = RetrySchedule()
        publishing.fail("disk", 0.0, _HOUR)
        status.update("debian-12", [state], publishing)
        self.assertEqual((status.failures, status.failed, status.error), (3, 5, "put: second"))
        two.succeed(0.0, _HOUR)
        status.update("debian-12", [state], publishing)
        self.assertEqual(status.error, "disk")
        status.update("debian-12", [], None)
        self.assertEqual((status.failures, status.failed, status.error), (0, 5, None))

    def test_no_source(self) -> None:
        """A missing source is reported only after all sources were asked."""
        status = ListStatus()
        for told, expected in ((False, None), (True, NO_SOURCE)):
            status.update("debian-12", [source(told=told)], None)
            self.assertEqual(status.error, expected)

    def test_checked_later(self) -> None:
        """A list that was delivered again is checked then, unless it is to be published; the time never decreases."""
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
        """A list is as old as its oldest part; a part that was not delivered since is as old as the current list."""
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
        """A source that has a part in the list, but was not asked yet, does not make the list newer."""
        status = ListStatus(checked(5.0, source="put"))
        self.assertEqual(status.checked("debian-12", [source(8.0, told=False)], 99.0), 5.0)
        self.assertEqual(status.checked("debian-12", [source(8.0)], 99.0), 8.0)


class TakeUpTests(SynchronousTestCase):
    """The lists that the catalogue has."""

    source_lists = (SourceList(Offer("k")),)

    def test_leader(self) -> None:
        """A leader knows the time of the last check better than the catalogue, and returns it."""
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
        """A follower adopts the lists of the catalogue, and knows nothing of sources."""
        status = ListStatus(checked(4.0), failures=2, error="broken")
        self.assertEqual(list(status.load_current(checked(5.0), checked(6.0, "r2"), False, self.source_lists)), [])
        self.assertEqual((status.snapshot, status.held_back), (checked(5.0), checked(6.0, "r2")))
        self.assertEqual((status.failures, status.error), (0, None))

    def test_alarm(self) -> None:
        """The alarm is the reason for which a list is held back."""
        self.assertEqual(ListStatus(held_back=evolve(checked(1.0), held_back="it shrinks")).alarm, "it shrinks")
