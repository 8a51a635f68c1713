"""The service of first scanners: it opens their sessions, reads slices in threads, and ends silent sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError, ChunkMissing, Damaged, SessionExpired
from patches.server.first_scanner.slice_sessions import SliceLimits, SliceSession, SliceSessions
from patches.server.first_scanner.slices import ListSlice, read_slice
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import Budget

log = Logger()

#: Finds a list by its revision; ``None``: it is not in the catalogue.
FindSnapshot = Callable[[str], Awaitable[Snapshot | None]]

#: The most slices that are read at once: each has a chunk and a slice in memory, some 2 MiB, until it is read.
MOST_READS = 2


class FirstScannerService:
    """
    The one place where sessions of first scanners are opened, served and ended.

    :param run: runs what blocks.
    :ivar sessions: the sessions, to look at.
    :ivar events: the number of events: ``opened``, ``reopened``, ``completed``, ``expired``, ``denied``, ``slices``
        (served, with records), ``repeated`` (of these, again).
    """

    def __init__(
        self, limits: SliceLimits, key: TokenKey, budget: Budget, catalogue: Catalogue, run: Run, clock: IReactorTime
    ) -> None:
        self.sessions = SliceSessions(limits, budget)
        self.events: Counter[str] = Counter()
        self._key = key
        self._catalogue = catalogue
        self._run = run
        self._clock = clock
        self._reads = DeferredSemaphore(MOST_READS)
        #: Called with the revision of a list, and the damage, when a slice could not be read.
        self.on_damage: Callable[[str, CatalogueError], object] = lambda revision, damage: None

    def open(self, snapshot: Snapshot, owner: str) -> str:
        """
        Open a session. Return its token.

        :param owner: the address that opens it.
        :raises Denied: with the reason.
        """
        token = self._key.create(snapshot.platform, snapshot.revision)
        self._enter(token, snapshot, owner)
        self.events["opened"] += 1
        return token

    async def reopen(self, token: str, find: FindSnapshot, owner: str) -> None:
        """
        Open the session of another server, or of one before a restart, at the beginning of its list.

        A first scanner does not say what it has received, and stops for hours at an error: it gets all of it again.

        :param find: finds the list by its revision.
        :raises BadToken: if the token was not created with this key.
        :raises SessionExpired: if the list is no longer in the catalogue; :exc:`Denied` as :meth:`open`.
        """
        _, revision = self._key.read(token)
        snapshot = await find(revision)
        if snapshot is None:
            raise SessionExpired("its snapshot is no longer in the catalogue")
        if token not in self.sessions:  # else another request was faster
            self._enter(token, snapshot, owner)
            self.events["reopened"] += 1

    def _enter(self, token: str, snapshot: Snapshot, owner: str) -> None:
        try:
            self.sessions.open(token, snapshot, owner, self._clock.seconds())
        except Exception:
            self.events["denied"] += 1
            raise

    async def read(self, token: str, sequence: str | None) -> ListSlice | None:
        """
        Read the slice that answers a request; :meth:`serve` notes that it is served.

        :param sequence: if it is that of the last request, the last slice is read again.
        :return: ``None`` if another request reads for this session now.
        :raises SessionExpired: if the session has expired, :exc:`UnknownSession` if there is none; :exc:`Denied` if the
            server stops.
        :raises CatalogueError: if the catalogue cannot be read.
        """
        session = self._touch(token)
        if session.is_busy:
            return None
        session.is_busy = True
        try:
            start = session.start(sequence)
            found = await self._reads.run(self._run, read_slice, self._catalogue, session.snapshot, start)
        except (Damaged, ChunkMissing) as error:
            self.on_damage(session.snapshot.revision, error)
            raise
        finally:
            session.is_busy = False
        self._touch(token)  # it may have ended meanwhile
        return found

    def serve(self, token: str, found: ListSlice, sequence: str | None) -> None:
        """Note that a slice was served, so that the next request gets the next one."""
        session = self._touch(token)
        was_complete, repeats = session.is_complete, session.repeats(sequence)
        session.serve(found, sequence)
        self.events["slices"] += bool(found.lines)
        self.events["repeated"] += bool(found.lines) and repeats
        self.events["completed"] += session.is_complete and not was_complete

    def close(self, token: str) -> None:
        """Remove a session whose scanner has not received its token."""
        self.sessions.close(token)

    def tick(self) -> None:
        """End the sessions that are silent for too long."""
        for session in self.sessions.expire(self._clock.seconds()):
            self.events["expired"] += 1
            log.info("A session of a first scanner expired, of {platform}", platform=session.snapshot.platform)

    def stop(self) -> None:
        """Refuse new sessions, and end all that there are."""
        self.sessions.stop()

    def revisions_in_use(self) -> set[str]:
        """Return the revisions that sessions read."""
        return self.sessions.revisions()

    def _touch(self, token: str) -> SliceSession:
        return self.sessions.touch(token, self._clock.seconds())
