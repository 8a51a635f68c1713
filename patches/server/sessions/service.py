"""
The session service: it answers requests from the sessions, loads chunks, and wakes the requests that wait.

Each change of the sessions returns events. They are all accounted for before any Deferred fires, and a Deferred that
fires says only that its session has changed: the request then asks again. So no request finds the sessions in the
middle of a change, and the order in which requests are woken decides nothing. Many are woken in several turns of the
reactor.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from patches.server.budget import WINDOW
from patches.server.catalogue.delta import ReadableList
from patches.server.errors import (
    CatalogueAway,
    CatalogueError,
    ChunkMissing,
    Damaged,
    Denied,
    SessionExpired,
    WindowClosed,
)
from patches.server.sessions.chunk_response import ChunkResponse
from patches.server.sessions.events import Arrived, Changed, Dropped, Event, Load
from patches.server.sessions.expirations import ExpirationLog
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.sessions import ReadResult, Sessions, Wait
from patches.server.sessions.states import SessionStep, State
from patches.server.sessions.tokens import TokenKey
from patches.server.sessions.waiters import Waiters
from patches.server.sessions.window import Window
from patches.service.budget import Budget
from patches.service.log.trouble_log import TroubleLog
from patches.wording import one_line

log = Logger()

#: Loads a chunk of a list: ``(revision, number)``.
LoadChunk = Callable[[str, int], Deferred[ChunkResponse]]

#: How long a request waits for a chunk that is being loaded, if it does not ask for more; in seconds.
LOAD_SECONDS = 1.0
_DAMAGED = "its list is damaged in the catalogue, and is made anew; resume the session"
#: The counter that each step increments; a session that was resumed or has completed was not lost.
_COUNTED = {
    SessionStep.ADMITTED: "activated",
    SessionStep.FINISHED: "completed",
    SessionStep.SLOWED: "slowed",
    SessionStep.OVERDUE: "expired",
    SessionStep.DISPLACED: "denied",
    SessionStep.SHED: "shed",
    SessionStep.DAMAGED: "expired",
}


class SessionService:
    """
    The one place where sessions are opened, served and ended.

    :param load: reads a chunk of the catalogue.
    :param window_bytes: the number of bytes that one window may hold.
    :ivar sessions: the sessions, to look at.
    :ivar events: the number of events: ``opened`` (of these with a ``delta``), ``resumed``, ``activated``,
        ``completed``, ``closed``, ``expired``, ``denied``, ``slowed`` (moved to a window of its own), ``shed`` (ended
        while memory was short), ``served`` (chunks).
    """

    def __init__(
        self,
        limits: Limits,
        key: TokenKey,
        budget: Budget,
        load: LoadChunk,
        window_bytes: int,
        clock: IReactorTime,
    ) -> None:
        self.limits = limits
        self.sessions = Sessions(limits, budget, window_bytes)
        self.events: Counter[str] = Counter()
        self._key = key
        self._load = load
        self._clock = clock
        self._expirations = ExpirationLog(clock)
        self._memory = TroubleLog("Chunks cannot be read", "Chunks can be read again")
        self._waiting = Waiters(clock)
        self._followed: deque[Event] = deque()
        self._is_following = False
        #: Called with the revision of a list, and the damage, when a chunk could not be loaded.
        self.on_damage: Callable[[str, CatalogueError], object] = lambda revision, damage: None
        budget.reclaim = self._reclaim

    # Requests

    def open(self, snapshot: ReadableList, owner: str = "") -> Session:
        """
        Open a session on a list; it is active at once if it can be.

        :param owner: the address or credential that opens it.
        :raises Denied: with the reason, and the time after which to try again.
        """
        token = self._key.create(snapshot.platform, snapshot.revision)
        session = self._enter(lambda now: self.sessions.open(token, snapshot, owner, now))
        self.events["opened"] += 1
        self.events["delta"] += snapshot.delta_document() is not None
        return session

    def resume(self, token: str, snapshot: ReadableList, position: int, owner: str = "") -> Session:
        """
        Resume a session at the chunk that its scanner needs next.

        :param token: a token of our key, for this list.
        :raises Denied: as :meth:`open`.
        :raises OutOfOrder: if the list has no such chunk.
        """
        before = self.sessions.find(token)
        session = self._enter(lambda now: self.sessions.resume(token, snapshot, owner, position, now))
        self.events["resumed"] += session is not before
        return session

    def revision_of(self, token: str) -> str:
        """
        Return the revision of the list that a token is for; its session need not be here.

        :raises BadToken: if it is not a token of our key.
        """
        return self._key.read(token)[1]

    def find_held(self, revision: str, position: int | None = None) -> ReadableList | None:
        """
        Return a list that is in memory, for a session while the catalogue cannot be read.

        :param position: the chunk that the session needs next; ``None``: it needs all of them.
        """
        return self.sessions.windows.find_held(revision, position)

    def touch(self, token: str) -> Session:
        """
        Record a sign of life.

        :raises SessionExpired: if the session has ended; :exc:`Denied` if it gave its place to others.
        :raises UnknownSession: if no such session exists.
        """
        return self.sessions.touch(token, self._clock.seconds())

    def read_cached(self, token: str, n: int) -> ChunkResponse | None:
        """Serve a chunk that is in memory and in turn; ``None`` where :meth:`read` must wait or explain."""
        served = self.sessions.read_cached(token, n, self._clock.seconds())
        if served is None:
            return None
        self.events["served"] += 1
        if served[1]:
            self._follow(served[1])
        return served[0]

    async def read(self, token: str, n: int, seconds: float = 0.0) -> ReadResult:
        """
        Serve a chunk.

        :param seconds: how long to wait for it. For a chunk that is being loaded the wait is a second, at least.
        :return: the chunk; ``None`` if ``n`` is the number of chunks: everything was delivered. Else what the session
            still waits for.
        :raises OutOfOrder: if chunk ``n`` is out of turn.
        :raises SessionExpired: if the session has ended, or ends while it waits; likewise :exc:`UnknownSession` and
            :exc:`Denied`.
        :raises WindowClosed: if it was resumed by another request in the meantime.
        """
        session, began = self.touch(token), self._clock.seconds()
        while True:
            result, events = self.sessions.read(token, n, self._clock.seconds())
            if not isinstance(result, Wait):
                self._follow(events)
                self.events["served"] += result is not None
                return result
            # Registered before the events are followed: a load may end at once.
            changed = self._waiting.add(session)
            self._follow(events)
            longest = max(seconds, LOAD_SECONDS) if result is Wait.LOAD else seconds
            if not await self._waiting.within(began + longest - self._clock.seconds(), changed):
                return result
            self._check_same(session)

    async def until_active(self, token: str, seconds: float) -> Session:
        """Return a session once it is no longer queued, or after a time; raises like :meth:`read`."""
        session, began = self.touch(token), self._clock.seconds()
        while session.state is State.QUEUED:
            if not await self._waiting.within(began + seconds - self._clock.seconds(), self._waiting.add(session)):
                break
            self._check_same(session)
        return self.touch(token)

    def close(self, token: str) -> None:
        """Close a session at its scanner's request; raises like :meth:`touch`."""
        self._follow(self.sessions.close(token, self._clock.seconds()))
        self.events["closed"] += 1

    # The daemon

    def tick(self) -> None:
        """Expire silent sessions and those that hold up others; activate queued ones."""
        self._follow(self.sessions.tick(self._clock.seconds()))
        self._expirations.tick()

    def keep(self, lists: Iterable[ReadableList]) -> None:
        """Keep these lists in memory, and no others, as far as memory is left over."""
        self._follow(self.sessions.keep(lists, self._clock.seconds()))

    def shed(self, state: State, most: int) -> int:
        """End sessions because memory is short, so many at most; see :meth:`.Sessions.shed`. Return their number."""
        events = self.sessions.shed(state, most, self._clock.seconds())
        self._follow(events)
        return sum(isinstance(event, Changed) and event.step is SessionStep.SHED for event in events)

    def stop(self) -> None:
        """Refuse new sessions, and answer every request that waits."""
        self._follow(self.sessions.stop(self._clock.seconds()))

    def revisions_in_use(self) -> set[str]:
        """Return the revisions that sessions read or will read."""
        return {session.revision for session in self.sessions}

    def expected_wait(self, session: Session) -> float:
        """Return the seconds until a queued session is activated, estimated; 0 if it is not queued."""
        return self.sessions.expected_wait(session, self._clock.seconds())

    # What followed

    def _enter(self, change: Callable[[float], tuple[Session | Denied, list[Event]]]) -> Session:
        session, events = change(self._clock.seconds())
        self._follow(events)
        if isinstance(session, Denied):
            self.events["denied"] += 1
            raise session
        return session

    def _follow(self, events: Iterable[Event]) -> None:
        """Account for events, and for those that follow from them; then wake the requests that wait."""
        self._followed.extend(events)
        if self._is_following:
            return
        self._is_following = True
        try:
            while self._followed:
                self._account(self._followed.popleft())
        finally:
            self._is_following = False
        self._waiting.wake()

    def _account(self, event: Event) -> None:
        match event:
            case Changed(session, step, reason):
                self._count(session, step, reason)
                self._waiting.release([session])
            case Load(window, number):
                loading = self._load(window.snapshot.revision, number)
                loading.addCallbacks(
                    lambda chunk: self._end_loaded(window, chunk), lambda failure: self._end_failed(failure, event)
                )
            case Arrived(sessions, error):
                self._waiting.release(sessions, error)
            case Dropped(window, chunk):
                chunk.when_unpinned(lambda: self._follow(self.sessions.freed(window, chunk.size)))

    def _end_loaded(self, window: Window, chunk: ChunkResponse) -> None:
        self._memory.end()
        self._follow(self.sessions.end_load(window, chunk))

    def _end_failed(self, failure: Failure, load: Load) -> None:
        """End a load that failed; if the list is damaged, end the sessions that read it: they may come back."""
        if failure.check(MemoryError):
            self._memory.begin(one_line(MemoryError()))
        error, revision = _told(failure, load), load.window.snapshot.revision
        events = self.sessions.end_load(load.window, None, error)
        if isinstance(error, (Damaged, ChunkMissing)):
            ending = SessionExpired(f"{_DAMAGED}: {error}")
            events = self.sessions.end_list(revision, ending, self._clock.seconds()) + events
            self.on_damage(revision, error)
        self._follow(events)

    def _count(self, session: Session, step: SessionStep, reason: str) -> None:
        counted = _COUNTED.get(step) or ("expired" if step is SessionStep.SILENT and reason else None)
        if counted is not None:
            self.events[counted] += 1
        if counted == "expired":
            self._expirations.note(session.platform, reason)

    def _reclaim(self, purpose: str, size: int) -> None:
        if purpose == WINDOW:
            return  # which is what would be dropped from
        # Somebody is in the middle of something: no request is woken here.
        for event in self.sessions.reclaim(purpose, size):
            self._account(event)

    def _check_same(self, session: Session) -> None:
        if self.sessions.find(session.token) not in (session, None):
            raise WindowClosed()


def _told(failure: Failure, load: Load) -> Exception:
    """Log that a chunk could not be loaded. Return the error."""
    name = f"Chunk {load.number} of {load.window.snapshot.platform} {load.window.snapshot.revision}"
    if failure.check(CatalogueAway, MemoryError):
        pass  # which was logged once for all
    elif failure.check(CatalogueError):
        log.error("{name} could not be read: {error}", name=name, error=failure.value)
    else:
        log.failure("{name} could not be read from the catalogue", failure=failure, name=name)
    return failure.value if isinstance(failure.value, Exception) else CatalogueError("the load was cancelled")
