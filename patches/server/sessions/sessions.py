"""
The session service: it joins sessions and windows, and decides who may read and when a window slides.

A snapshot that is being read has one cohort with one window. A queued session joins the cohort of its snapshot if the
window holds, or will hold, the chunk that the session needs. Where there is no cohort, the first session in the queue
creates one, if the budget grants the bytes of its window. When the last session of a cohort has left, the cohort ends,
and the next one gets a new window.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from patches.server.budget import SESSION_BYTES, SESSIONS, Budget
from patches.server.catalogue.delta import ReadableList
from patches.server.errors import Denied, OutOfOrder, SessionExpired, UnknownSession, WindowClosed
from patches.server.sessions.admission import Admission
from patches.server.sessions.chunk_response import ChunkResponse
from patches.server.sessions.cohorts import Cohorts, LoadChunk
from patches.server.sessions.expiry import Expiry
from patches.server.sessions.snapshot_refs import SnapshotRefs
from patches.server.sessions.table import Session, SessionTable, State
from patches.server.sessions.tokens import TokenKey
from patches.server.sessions.waiters import Waiters
from patches.server.sessions.window import Window


class SessionService:
    """
    The one place where sessions are opened, activated, served and expired.

    :ivar cohorts: the cohorts that read.
    :ivar events: the number of events: ``opened`` (of these with a ``delta``), ``resumed``, ``activated``,
        ``completed``, ``closed``, ``expired``, ``denied``, ``served`` (chunks).
    :param window_bytes: the size of one window.
    """

    def __init__(
        self,
        table: SessionTable,
        key: TokenKey,
        budget: Budget,
        load: LoadChunk,
        window_bytes: int,
        clock: IReactorTime,
    ) -> None:
        self.table = table
        self.cohorts = Cohorts(budget, load, window_bytes, table.limits.chunk_timeout)
        self.events: Counter[str] = Counter()
        self._key = key
        self._budget = budget
        self._clock = clock
        self._snapshots = SnapshotRefs()
        self._waiting = Waiters()
        self._admission = Admission(table, self.cohorts, self._snapshots, self._waiting, self.events, clock)
        self._expiry = Expiry(table, self.cohorts, self.events, self._gone)
        self._stopping = False

    def open(self, snapshot: ReadableList) -> Session:
        """
        Open a session on a snapshot; it is active at once if it can be.

        :raises Denied: with the reason, and the time after which to try again.
        """
        session = self._enter(self._key.create(snapshot.platform, snapshot.revision), snapshot, 0)
        self.events["opened"] += 1
        self.events["delta"] += snapshot.delta_document() is not None
        return session

    def resume(self, token: str, snapshot: ReadableList, position: int) -> Session:
        """
        Resume a session at the chunk that its scanner needs next.

        :param token: a token of our key, for this snapshot.
        :raises Denied: as :meth:`open`.
        :raises OutOfOrder: if the snapshot has no such chunk.
        """
        if not 0 <= position <= snapshot.chunks:
            raise OutOfOrder(position, snapshot.chunks)
        session = self.table.find(token)
        if session is not None and session.position == position and session.state is not State.COMPLETE:
            session.seen = self._clock.seconds()
            return session
        if session is not None:
            self._remove(session)
        session = self._enter(token, snapshot, position)
        self.events["resumed"] += 1
        return session

    def snapshot(self, session: Session) -> ReadableList:
        """Return the snapshot that a session reads."""
        return self._snapshots.get(session.revision)

    def touch(self, token: str) -> Session:
        """
        Record a sign of life.

        :raises SessionExpired: if the session has ended.
        :raises UnknownSession: if no such session exists.
        """
        session = self.table.get(token)
        session.seen = self._clock.seconds()
        return session

    def read_cached(self, token: str, n: int) -> ChunkResponse | None:
        """
        Serve a chunk if it is in the window.

        :return: ``None`` where :meth:`read` must wait or explain.
        """
        session = self.table.find(token)
        if session is None or session.state is not State.ACTIVE:
            return None
        window = self._window(session)
        if n >= window.chunks:
            return None
        try:
            loaded = window.read_cached(token, n)
        except OutOfOrder:
            return None
        self._note_position(session, n)
        self.events["served"] += loaded is not None
        return loaded

    async def read(self, token: str, n: int) -> ChunkResponse | None:
        """
        Serve a chunk; wait until the session is active and the window has slid there.

        :return: the chunk; ``None`` if ``n`` is the number of chunks: everything was delivered.
        :raises OutOfOrder: if chunk ``n`` is out of turn.
        :raises SessionExpired: if the session has ended, or ends while it waits; likewise :exc:`UnknownSession`.
        :raises WindowClosed: if it was resumed elsewhere in the meantime.
        :raises Denied: ``stopping``.
        """
        try:
            session = self.touch(token)
            if session.state is State.QUEUED:
                _in_order(n, session.position)
                await self.when_active(session)
                # Of several requests that waited, the response to one may have ended the session.
                if self.table.find(token) is not session:
                    raise WindowClosed()
            if session.state is State.COMPLETE or n == self.snapshot(session).chunks:
                self._finish(session, n)
                return None
            pending = self._window(session).read(token, n)
            self._note_position(session, n)
            loaded = await pending
        except WindowClosed as closed:
            raise self._ending(token) from closed
        session.seen = self._clock.seconds()
        self.events["served"] += 1
        return loaded

    def next_position(self, token: str) -> int:
        """Return the next chunk of a scanner that does not count; raises like :meth:`touch`."""
        session = self.touch(token)
        return self._window(session).next_position_of(token) if session.state is State.ACTIVE else session.position

    def when_active(self, session: Session) -> Deferred[None]:
        """
        Return a Deferred that fires when a session is no longer queued; it can be cancelled, and fails like
        :meth:`read`.
        """
        return self._waiting.add(session.token) if session.state is State.QUEUED else succeed(None)

    def close(self, token: str) -> None:
        """Close a session at its scanner's request; raises like :meth:`touch`."""
        self._remove(self.table.get(token), "it was closed")
        self.events["closed"] += 1

    def tick(self) -> None:
        """Expire silent sessions and those that hold up others; activate queued ones."""
        self._expiry.tick(self._clock.seconds())
        self._admission.tick()

    def stop(self) -> None:
        """Refuse new sessions, and answer every request that waits."""
        self._stopping = True
        for session in self.table:
            self._remove(session, "the server is stopping")

    def revisions_in_use(self) -> set[str]:
        """Return the revisions that sessions read or will read."""
        return self._snapshots.revisions()

    # Opening

    def _enter(self, token: str, snapshot: ReadableList, position: int) -> Session:
        self._refuse_if_stopping()
        if not self._budget.take(SESSIONS, SESSION_BYTES):
            self.events["denied"] += 1
            raise Denied("memory-limit", "the memory limit allows no further session", self.table.patience())
        try:
            session = self.table.open(token, snapshot.platform, snapshot.revision, position, self._clock.seconds())
        except Denied:
            self._budget.release(SESSIONS, SESSION_BYTES)
            self.events["denied"] += 1
            raise
        self._snapshots.take(snapshot)
        self._admission.enqueue(session)
        return session

    def _refuse_if_stopping(self) -> None:
        if self._stopping:
            raise Denied("stopping", "the server is stopping", 1)

    # Reading and closing

    def _note_position(self, session: Session, n: int) -> None:
        session.seen = self._clock.seconds()
        if n != session.position:
            session.position, session.moved = n, session.seen

    def _finish(self, session: Session, n: int) -> None:
        if session.state is State.COMPLETE:
            _in_order(n, session.position)
            return
        self._window(session).finish(session.token)
        session.position = n
        self.table.complete(session, self._clock.seconds())
        self.events["completed"] += 1
        self._admission.leave(session, last=self._stopping)

    def _remove(self, session: Session, reason: str | None = None) -> None:
        self.table.remove(session, reason)
        self._gone(session)

    def _gone(self, session: Session) -> None:
        """Release what a session was using, once it is out of the table."""
        # First what calls nobody back. The rest fires Deferreds: their callbacks serve other requests, and must find
        # that nothing of this session is in use any more.
        self._budget.release(SESSIONS, SESSION_BYTES)
        self._snapshots.release(session.revision)
        self._admission.leave(session, last=self._stopping)
        self._waiting.fail(session.token, self._ending(session.token))

    def _window(self, session: Session) -> Window:
        cohort = self.cohorts.get(session.revision)
        if cohort is None:
            raise WindowClosed()
        return cohort.window

    def _ending(self, token: str) -> Exception:
        """Return the error for requests that waited for a session that is gone."""
        if self._stopping:
            return Denied("stopping", "the server is stopping", 1)
        try:
            self.table.get(token)
        except SessionExpired as expired:
            return expired
        except UnknownSession:
            pass  # it is being resumed
        return WindowClosed()


def _in_order(n: int, position: int) -> None:
    if n != position:
        raise OutOfOrder(n, position)
