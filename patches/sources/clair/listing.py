"""
One pass over a Clair's list: over all of it, or over what is different since the last pass.

The names of the list are walked, and the details of those that are new or may have changed are requested, a few at a
time. A list may change meanwhile, or Clair may still be loading: so the names are walked again afterwards, until they
are quiet, and what has changed is read again. A pass ends with the list as Clair has it, or raises; it is *growing* if
it did not become quiet within a bounded time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

from attrs import evolve
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

from patches.errors import SourceError
from patches.interfaces import IListing, RecordKey
from patches.platforms import Platform
from patches.skipped import NO_NAME
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.difference import compare
from patches.sources.clair.ledger import MOST_FOLLOWED, Ledger, Ledgers, new_state
from patches.sources.clair.namespaces import namespace_of
from patches.sources.clair.parser import Details
from patches.sources.clair.skipped_entries import SkippedEntries
from patches.sources.clair.walk import Names, walk
from patches.sources.ids import bare
from patches.vulnerability import Vulnerability

log = Logger()

#: How long the names must be unchanged, if the whole list was read or has changed meanwhile; in seconds.
QUIET_SECONDS = 2.0
#: How long a list that changes again and again is followed after it was read; then it is taken as it is.
GROWTH_SECONDS = 120.0

#: The reason to skip an entry that was deleted after it was listed.
GONE = "gone"


@implementer(IListing)
class ClairListing:
    """One pass over the list of one namespace."""

    claimed = None

    def __init__(
        self,
        api: ClairAPI,
        clock: IReactorTime,
        ledgers: Ledgers,
        platform: Platform,
        parallel: int,
        quiet_seconds: float = QUIET_SECONDS,
        before: Ledger | None = None,
        now: float = 0.0,
    ) -> None:
        """
        Create a listing; no request is sent yet.

        :param ledgers: receive the rows of the list.
        :param parallel: the number of details to request at once.
        :param quiet_seconds: how long the names must be unchanged, if the whole list was read or has changed meanwhile.
        :param before: the list at the last pass; ``None``: read the whole list.
        :param now: the time that is noted as that of a whole read, in seconds since the epoch.
        """
        self.partial = before is not None
        self.state: str | None = None
        self.found = 0
        self.gone: frozenset[RecordKey] = frozenset()
        self.is_growing = False
        self._api = api
        self._clock = clock
        self._ledgers = ledgers
        self._platform = platform
        self._namespace = namespace_of(str(platform))
        self._parallel = parallel
        self._quiet_seconds = quiet_seconds
        self._whole = before.whole if before is not None else now
        self._rows: dict[str, str] = dict(before.rows) if before is not None else {}
        self._left_out = SkippedEntries.of(before.left_out if before is not None else {})
        self._seen = set(self._rows)
        self._changes = 0
        self._begun = False

    @property
    def skipped(self) -> Counter[str]:
        """The number of entries skipped so far, by reason, those of earlier passes included."""
        return self._left_out.counts

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        if self._begun:
            raise RuntimeError("a listing can be read once only; get another one from the source")
        self._begun = True
        return self._read()

    async def _read(self) -> AsyncIterator[Vulnerability]:
        first, until = True, float("inf")
        while True:
            walked, before = self._clock.seconds(), self._changes
            names = await walk(self._api, self._namespace, self._platform)
            self._check(names)
            async for vulnerability in self._differences(names):
                yield vulnerability
            if self._changes != before and not first and not self.is_growing:
                message = "The list of {namespace} is still growing: it is read until it is quiet"
                log.info(message, namespace=self._namespace)
            self.is_growing = self._changes != before and not first
            if self._changes == before or self._clock.seconds() >= until:
                break
            until = min(until, self._clock.seconds() + GROWTH_SECONDS)
            if self.is_growing or not self.partial:
                await self._pause(walked + self._quiet_seconds)
            first = False
        self._note_gone(names)
        self._finish()

    async def _pause(self, until: float) -> None:
        seconds = until - self._clock.seconds()
        if seconds > 0:
            await deferLater(self._clock, seconds)

    def _check(self, names: Names) -> None:
        """
        Note the entries without a name.

        :raises SourceError: if a list that had entries has none: Clair is being loaded again.
        """
        if not names.all and self._rows:
            raise SourceError(f"Clair has nothing in its list of {self._namespace}, which was not empty before")
        self.found = len(names.all) + names.nameless
        self._left_out.note("", (NO_NAME,) * names.nameless)

    async def _differences(self, names: Names) -> AsyncIterator[Vulnerability]:
        """Yield what is different from the rows that the caller has."""
        difference = compare(self._rows, names.all)
        for run in difference.runs:
            async for vulnerability in self._verified(run.kept, names.told):
                yield vulnerability
            async for vulnerability in self._fetched(run.moved, names.told):
                yield vulnerability
        self._changes += len(difference.gone)
        self._seen.update(names.all)
        self._rows = {name: self._rows.get(name, "") for name in names.all}

    async def _verified(self, kept: list[str], told: Mapping[str, Details]) -> AsyncIterator[Vulnerability]:
        """Yield those of some rows that have changed without leaving their order; see :class:`.RowRun`."""
        for name in reversed(kept):
            details = told.get(name) or await self._api.details(self._namespace, name, self._platform)
            if details is not None and self._rows[name] == details.digest and name not in told:
                return
            for each in self._records(name, details):
                yield each

    async def _fetched(self, names: Iterable[str], told: Mapping[str, Details]) -> AsyncIterator[Vulnerability]:
        """Yield the records of some rows, in their order; a few requests are sent ahead."""
        left = iter(names)
        under_way: deque[tuple[str, Deferred[Details | None]]] = deque()
        try:
            while self._ask(left, told, under_way) or under_way:
                name, asked = under_way.popleft()
                for each in self._records(name, await asked):
                    yield each
        finally:
            # The consumer stopped early, or a request failed: cancel the others and drop their errors.
            for _, asked in under_way:
                asked.addErrback(lambda failure: None)
                asked.cancel()

    def _ask(
        self,
        names: Iterator[str],
        told: Mapping[str, Details],
        under_way: deque[tuple[str, Deferred[Details | None]]],
    ) -> bool:
        """Send as many requests as may be in progress. Return whether any was sent."""
        before = len(under_way)
        while len(under_way) < self._parallel and (name := next(names, None)) is not None:
            details = told.get(name)
            asked = self._api.details(self._namespace, name, self._platform) if details is None else None
            under_way.append((name, Deferred.fromCoroutine(asked) if asked is not None else succeed(details)))
        return len(under_way) > before

    def _records(self, name: str, details: Details | None) -> Iterator[Vulnerability]:
        """
        Yield the records of a row, if they are not those that the caller has.

        :param details: ``None``: it was deleted after it was listed.
        """
        before, now = self._rows.get(name), details.digest if details is not None else ""
        if before != now:
            self._rows[name] = now
            self._left_out.note(name, details.left_out if details is not None else (GONE,))
        if details is None or before == now:
            return
        self._changes += 1
        yield from self._bare(name, details.vulnerability)

    def _note_gone(self, names: Names) -> None:
        """Note the records of rows that are gone."""
        gone = self._seen.difference(names.all)
        for name in gone:
            self._left_out.note(name, ())
        records = (each for name in gone for each in self._bare(name, Vulnerability(name, str(self._platform))))
        self.gone = frozenset((each.platform, each.name, each.entry) for each in records)

    def _bare(self, name: str, vulnerability: Vulnerability) -> Iterator[Vulnerability]:
        """Yield the records of a row; those that are not named like the row may have the name of another one."""
        for each in bare(vulnerability):
            yield each if each.name == name and "/" not in name else evolve(each, entry=name)

    def _finish(self) -> None:
        ledger = None
        if self._left_out.is_known and len(self._rows) <= MOST_FOLLOWED:
            ledger = Ledger(new_state(), self._whole, self._rows, self._left_out.reasons)
            self.state = ledger.state
        self._ledgers.keep(str(self._platform), ledger)
