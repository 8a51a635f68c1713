"""Tests for :mod:`patches.scanner.list_watch`: whether there is another list is asked between scans."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import NotTold
from patches.scanner.client.http_client import Unreachable
from patches.scanner.list_watch import ComparedList, ListWatch

DEBIAN = ComparedList("debian-12", "r1")


class ListWatchTests(SynchronousTestCase):
    """A watch that asks every 100 s, with all the jitter that it may have, or half of it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[tuple[float, str, str]] = []
        self.results: list[bool | Exception | Deferred[bool]] = []
        self.changes: list[float] = []
        self.lines: list[str] = []

        def observe(event: object) -> None:
            self.lines.append(str(event["log_format"].format(**event)))  # type: ignore[index]

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    async def ask(self, platform: str, revision: str) -> bool:
        """Return or raise the next scripted result; the list is unchanged if there is none."""
        self.asked.append((self.clock.seconds(), platform, revision))
        result = self.results.pop(0) if self.results else False
        if isinstance(result, Exception):
            raise result
        return await result if isinstance(result, Deferred) else result

    def watch(self, jitter: float = 0.5) -> ListWatch:
        """Start a watch over a list that was compared."""

        def changed() -> None:
            self.changes.append(self.clock.seconds())

        watch = ListWatch(self.ask, timedelta(seconds=100), self.clock, changed, lambda: jitter)
        watch.compared = DEBIAN
        watch.startService()
        self.addCleanup(watch.stopService)
        return watch

    @property
    def times(self) -> list[float]:
        """The times of the questions."""
        return [time for time, _, _ in self.asked]

    def test_asks(self) -> None:
        """The first question comes at a random time, each further one within the frequency of the one before."""
        self.watch()
        self.clock.pump([5] * 60)
        self.assertEqual(self.times, [50, 145, 240])
        self.assertEqual(self.asked[0][1:], ("debian-12", "r1"))
        self.assertEqual((self.changes, self.lines), ([], []))

    def test_spread(self) -> None:
        """The first questions of a fleet fill the whole frequency."""
        for jitter in (0.0, 0.99):
            self.watch(jitter)
        self.clock.pump([1] * 99)
        self.assertEqual(self.times, [1, 99])

    def test_changed(self) -> None:
        """A list that has changed is scanned for at once; nothing more is asked until that scan has ended."""
        watch = self.watch()
        self.results = [True]
        self.clock.advance(50)
        self.assertEqual(self.changes, [50])
        self.assertEqual(self.lines, ["Scanning again: the list of debian-12 has changed"])
        watch.compared = None
        self.clock.pump([95] * 3)
        watch.compared = ComparedList("debian-12", "r2")
        self.clock.advance(95)
        self.assertEqual([revision for _, _, revision in self.asked], ["r1", "r2"])

    def test_unconfirmed(self) -> None:
        """If the server was away, the host is scanned again as soon as it says anything about the list."""
        watch = self.watch()
        watch.compared = ComparedList("debian-12", "r1", is_confirmed=False)
        self.results = [Unreachable("refused"), False]
        self.clock.pump([5] * 30)
        self.assertEqual(self.changes, [145])
        self.assertEqual(self.lines[-1], "Scanning again: the server is there again")

    def test_meanwhile(self) -> None:
        """An answer that comes when a scan has begun, or ended, meanwhile says nothing about the list of that."""
        for later in (None, ComparedList("debian-12", "r1")):
            answer: Deferred[bool] = Deferred()
            watch = self.watch()
            self.results = [answer]
            self.clock.advance(50)
            watch.compared = later
            answer.callback(True)
            watch.stopService()
        self.assertEqual((len(self.asked), self.changes), (2, []))

    def test_away(self) -> None:
        """A server that does not say it is asked again as usual, and told once; or as late as it wants."""
        self.watch()
        self.results = [Unreachable("refused"), Unreachable("refused"), NotTold("503: not-ready", 250.0)]
        self.clock.pump([5] * 120)
        self.assertEqual(self.times, [50, 145, 240, 490, 585])
        trouble = "The server does not say whether the list changed"
        self.assertEqual(self.lines, [f"{trouble}: refused", f"{trouble}: 503: not-ready", "The server says it again"])

    def test_bug(self) -> None:
        """No error ends the watch."""
        self.watch()
        self.results = [RuntimeError("a bug")]
        self.clock.pump([5] * 40)
        self.assertEqual(self.times, [50, 145])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_stops(self) -> None:
        """A watch that is stopped asks no more, and lets go of a question."""
        watch, cancelled = self.watch(), []
        answer: Deferred[bool] = Deferred(cancelled.append)
        self.results = [answer]
        self.clock.advance(50)
        self.successResultOf(watch.stopService())
        self.successResultOf(watch.stopService())
        self.assertEqual((len(cancelled), self.clock.getDelayedCalls()), (1, []))
