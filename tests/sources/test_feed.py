"""Tests for :mod:`patches.sources.feed`: parsing in a thread, a batch at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.feed import FeedListing
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability


def records(count: int) -> list[Vulnerability]:
    """Return some records."""
    return [Vulnerability(f"CVE-2024-{number:04}", "debian-12") for number in range(count)]


class ListingTests(SynchronousTestCase):
    """Listings of generated files."""

    def read(
        self,
        parse: Callable[[], Iterator[Vulnerability]],
        context: ParseContext | None = None,
        run: Any = maybeDeferred,
    ) -> Deferred[list[Vulnerability]]:
        """Read a listing."""

        async def records() -> Iterator[Vulnerability]:
            return parse()

        listing = FeedListing(records, context or ParseContext("feed"), run)

        async def reading() -> list[Vulnerability]:
            return [each async for each in listing]

        return Deferred.fromCoroutine(reading())

    def test_batches(self) -> None:
        """All records are yielded, in order, some hundreds at a time."""
        calls = []

        def run(call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
            calls.append(call)
            return maybeDeferred(call, *arguments)

        found = self.successResultOf(self.read(lambda: iter(records(1000)), run=run))
        self.assertEqual((found, len(calls)), (records(1000), 6))

    def test_error(self) -> None:
        """An error of the parser is raised, after the records before it."""

        def parse() -> Iterator[Vulnerability]:
            yield from records(300)
            raise SourceError("damaged")

        self.failureResultOf(self.read(parse), SourceError)

    def test_cancelled(self) -> None:
        """A listing that is abandoned while a thread parses ends at once, and raises no error of the parser."""
        begun, end = threading.Event(), threading.Event()
        threads = []

        def parse() -> Iterator[Vulnerability]:
            begun.set()
            end.wait(10)
            yield from records(3)

        def run(call: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
            threads.append(threading.Thread(target=call, args=arguments))
            threads[-1].start()
            return Deferred()

        reading = self.read(parse, run=run)
        begun.wait(10)
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        end.set()
        threads[0].join(10)
