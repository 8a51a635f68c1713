"""
The sessions of a server: who is queued, who is active, who ends, and what each may read. All decisions are made here.

Every method takes ``now``, in seconds of a clock that only grows, and returns what followed as events. Nothing here
does I/O, waits, or calls anybody back: :mod:`patches.server.sessions.service` acts on the events.

Who becomes active is decided by :mod:`~patches.server.sessions.admission`, what stays in memory by
:mod:`~patches.server.sessions.windows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial

from patches.server.budget import SESSION_BYTES, SESSIONS
from patches.server.catalogue.delta import ReadableList
from patches.server.errors import Denied, OutOfOrder, SessionError, SessionExpired
from patches.server.sessions.admission import Admission
from patches.server.sessions.chunk_response import ChunkResponse
from patches.server.sessions.events import Arrived, Changed, Event
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import SessionStep, State
from patches.server.sessions.table import SessionTable
from patches.server.sessions.window import Window
from patches.server.sessions.windows import Windows
from patches.service.budget import Budget

#: How long a window stays whose last session has left, in seconds, unless its memory is wanted before.
IDLE_SECONDS = 3600.0
_SHARE = "its address has more places in the queue than others, and one of these found no place"
_SHORT = "the server is short of memory"
_NO_MEMORY = "the memory limit allows no further session"


class Wait(StrEnum):
    """A reason for which a session waits."""

    QUEUE = "queue"
    LOAD = "load"
    OTHERS = "others"


#: What a read results in: a chunk; what the session waits for; ``None``: everything was read.
ReadResult = ChunkResponse | Wait | None


class Sessions:
    """
    All sessions of a server.

    :param window_bytes: the number of bytes that one window may hold.
    """

    def __init__(self, limits: Limits, budget: Budget, window_bytes: int) -> None:
        self.limits = limits
        self.windows = Windows(budget, window_bytes, limits.chunk_timeout)
        self._budget = budget
        self._table = SessionTable()
        self._admission = Admission(limits, self._table, self.windows)
        self._ticked: float | None = None

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._table)

    # Questions

    def find(self, token: str) -> Session | None:
        """Return a session; ``None`` if it is not in the table."""
        return self._table.find(token)

    def get(self, token: str) -> Session:
        """Return a session; raises like :meth:`SessionTable.get`."""
        return self._table.get(token)

    def count(self, platform: str, state: State) -> int:
        """Return the number of sessions of a platform in a state."""
        return self._table.count(platform, state)

    def queue_position(self, session: Session) -> int | None:
        """Return the number of sessions before this one in its queue; ``None`` if it is not queued."""
        queue = self._admission.queues[session.platform]
        return queue.position(session) if session.state is State.QUEUED else None

    def expected_wait(self, session: Session, now: float) -> float:
        """Return the seconds until a queued session is activated, estimated from the pace of its queue; else 0."""
        return self._admission.expected_wait(session, now)

    # Requests of scanners

    def open(
        self, token: str, snapshot: ReadableList, owner: str, now: float, position: int = 0
    ) -> tuple[Session | Denied, list[Event]]:
        """
        Add a session; it is active at once if it can be.

        :param owner: the address or credential that opens it.
        :param position: the chunk that it needs first.
        :return: the session, or the reason for which there is none, and the time after which to try again.
        """
        if self._table.stopping is not None:
            return self._table.stopping, []
        platform, events = snapshot.platform, []
        queue = self._admission.queues[platform]
        if len(queue) >= self.limits.max_queued:
            retry = self._admission.retry_after(platform, now)
            displaced = queue.displaced_by(owner, self.limits.max_share * self.limits.max_queued)
            if displaced is None:
                return Denied("queue-full", f"{len(queue)} scanners wait for {platform}", retry), []
            events = self._end(displaced, SessionStep.DISPLACED, now, Denied("share", _SHARE, retry))
        if not self._budget.take(SESSIONS, SESSION_BYTES):
            return Denied("memory-limit", _NO_MEMORY, max(1, round(self.limits.session_timeout / 2))), events
        session = Session(token, snapshot, owner, position, now, now)
        self._table.add(session)
        return session, events + self._admission.enqueue(session, now)

    def resume(
        self, token: str, snapshot: ReadableList, owner: str, position: int, now: float
    ) -> tuple[Session | Denied, list[Event]]:
        """
        Continue a session at the chunk that its scanner needs next; it keeps its place if it is there.

        :return: as :meth:`open`.
        :raises OutOfOrder: if the list has no such chunk.
        """
        if not 0 <= position <= snapshot.chunks:
            raise OutOfOrder(position, snapshot.chunks)
        before = self.find(token)
        if before is not None and before.position == position and before.state is not State.COMPLETE:
            before.seen = now
            return before, []
        events = self._end(before, SessionStep.CLOSED, now, None) if before is not None else []
        session, opened = self.open(token, snapshot, owner, now, position)
        return session, events + opened

    def touch(self, token: str, now: float) -> Session:
        """Record a sign of life; raises like :meth:`get`."""
        session = self.get(token)
        session.seen = now
        return session

    def read(self, token: str, n: int, now: float) -> tuple[ReadResult, list[Event]]:
        """
        Read chunk ``n``; this acknowledges every chunk below it.

        :raises OutOfOrder: if it is out of turn; also raises like :meth:`get`.
        """
        session = self.touch(token, now)
        window = session.window
        if window is None:
            if n != session.position:
                raise OutOfOrder(n, session.position)
            return (Wait.QUEUE if session.state is State.QUEUED else None), []
        window.move(session, n)
        if n == window.chunks:
            return None, self._leave(session, SessionStep.FINISHED, now)
        chunk = window.serve(session)
        if chunk is None:
            window.ask(session)
        events = self.windows.fill(window)
        return chunk or (Wait.OTHERS if self.windows.is_starved(window) else Wait.LOAD), events

    def read_cached(self, token: str, n: int, now: float) -> tuple[ChunkResponse, list[Event]] | None:
        """Read chunk ``n`` if it is in memory and in turn; else return ``None``, and :meth:`read` waits or explains."""
        session = self._table.find(token)
        if session is None or (window := session.window) is None or n >= window.chunks:
            return None
        try:
            window.move(session, n)
        except OutOfOrder:
            return None
        chunk = window.serve(session)
        if chunk is None:
            return None
        session.seen = now
        return chunk, self.windows.fill(window) if window.wants_more else []

    def close(self, token: str, now: float) -> list[Event]:
        """Close a session at its scanner's request; raises like :meth:`get`."""
        return self._end(self.get(token), SessionStep.CLOSED, now, SessionExpired("it was closed"))

    # The catalogue, time and memory

    def end_load(self, window: Window, chunk: ChunkResponse | None, error: Exception | None = None) -> list[Event]:
        """
        Take a chunk that a window wanted.

        :param chunk: ``None``: it could not be loaded, because of *error*.
        """
        sessions, events = self.windows.end_load(window, chunk)
        return [Arrived(sessions, error), *events] if sessions else events

    def keep(self, lists: Iterable[ReadableList], now: float) -> list[Event]:
        """Keep these lists in memory, and no others, as far as memory is left over."""
        return self.windows.keep(lists, now)

    def freed(self, window: Window, size: int) -> list[Event]:
        """Release the bytes of a chunk that was dropped while it was being sent."""
        return self.windows.freed(window, size)

    def reclaim(self, purpose: str, size: int) -> list[Event]:
        """Drop chunks that nobody needs, until the budget could grant this many bytes for another purpose."""
        return self.windows.reclaim(purpose, size)

    def tick(self, now: float) -> list[Event]:
        """Expire silent sessions, let those that delay others go, and activate queued ones."""
        events = self._expire_silent(now)
        self.windows.keep_waiting_only(self._admission.waiting_revisions())
        passed, self._ticked = now - (now if self._ticked is None else self._ticked), now
        for window in self.windows:
            if not window.is_empty and self._delays_others(window):
                window.delay += passed
                events += self._let_go(window, passed, now)
        return events + self.windows.close_idle(now - IDLE_SECONDS) + self._admission.admit_all(now)

    def _expire_silent(self, now: float) -> list[Event]:
        events: list[Event] = []
        silent = [each for each in self if now - each.seen > self.limits.allowed_silence(each.state)]
        # The queued ones first: they must not get the places of the others.
        for session in sorted(silent, key=lambda each: each.state is not State.QUEUED):
            allowed = self.limits.allowed_silence(session.state)
            lost = f"the {session.state} session was silent for more than {allowed:g} s"
            ending = None if session.state is State.COMPLETE else SessionExpired(lost)
            events += self._end(session, SessionStep.SILENT, now, ending)
        return events

    def shed(self, state: State, most: int, now: float) -> list[Event]:
        """
        End sessions because memory is short: of the queued ones, the youngest; of the active ones, the slowest.

        :param most: the number of sessions that end, at most.
        """
        found = [each for each in self if each.state is state]
        found.sort(key=(lambda each: -each.ticket) if state is State.QUEUED else partial(_pace, now))
        retry = max(1, round(self.limits.session_timeout / 2))
        ending: SessionError = Denied("memory-limit", _SHORT, retry)
        if state is State.ACTIVE:
            ending = SessionExpired(f"{_SHORT}: it was one of the slowest; resume it")
        return [event for each in found[:most] for event in self._end(each, SessionStep.SHED, now, ending)]

    def end_list(self, revision: str, ending: SessionError, now: float) -> list[Event]:
        """End the sessions that still read a list, or are queued for it: its chunks are damaged."""
        found = [each for each in self if each.revision == revision and each.state is not State.COMPLETE]
        return [event for each in found for event in self._end(each, SessionStep.DAMAGED, now, ending)]

    def stop(self, now: float) -> list[Event]:
        """Deny everything from now on, and end all sessions."""
        self._table.stopping = Denied("stopping", "the server is stopping", 1)
        return [event for session in self for event in self._end(session, SessionStep.STOPPED, now, None)]

    # Those that delay others

    def _delays_others(self, window: Window) -> bool:
        queued = len(self._admission.queues[window.snapshot.platform]) > 0
        return queued or self.windows.is_short_of_memory or (self.windows.is_starved(window) and window.is_held_up)

    def _let_go(self, window: Window, passed: float, now: float) -> list[Event]:
        """
        Move the sessions apart that have delayed others for too long, or end them.

        In a whole pass, a session may delay others in its window for as long as it may at one chunk: then it gets a
        window of its own. It ends only where there is none, or its place is wanted, and it makes no progress.
        """
        events: list[Event] = []
        allowed, waits = self.limits.chunk_timeout, self.windows.is_starved(window) and window.is_held_up
        for session in window.sessions:
            if window.is_asking(session):
                continue
            session.held += passed if waits else 0.0
            stands = window.delay - session.delay >= allowed
            if (stands or session.held >= allowed) and not self._wants_its_place(session):
                events += self.windows.move_apart(session, now)
            if session.window is not window:
                self._table.take_step(session, SessionStep.SLOWED)
                events.append(Changed(session, SessionStep.SLOWED))
            elif stands:
                lost = f"chunk {session.position} was not consumed within {allowed:g} s, and others waited"
                events += self._end(session, SessionStep.OVERDUE, now, SessionExpired(lost))
        return events

    def _wants_its_place(self, session: Session) -> bool:
        """Return whether a window of its own would help nobody: others wait for a place, or for memory."""
        assert session.window is not None  # noqa: S101 - it is active
        return (
            session.window.is_private
            or self._admission.has_no_place(session.platform)
            or self.windows.is_short_of_memory
        )

    # Endings

    def _end(self, session: Session, step: SessionStep, now: float, ending: SessionError | None) -> list[Event]:
        """
        Remove a session from the table.

        :param ending: the answer to later requests; ``None``: it is unknown.
        """
        self._table.remove(session, ending)
        self._budget.release(SESSIONS, SESSION_BYTES)
        reason = str(ending) if ending is not None else ""
        return self._leave(session, step, now, reason)

    def _leave(self, session: Session, step: SessionStep, now: float, reason: str = "") -> list[Event]:
        """Take a step after which a session neither reads nor waits; the next ones in the queue follow."""
        events: list[Event] = [Changed(session, step, reason)]
        platform, window = session.platform, session.window
        if session.state is State.QUEUED:
            self._admission.remove(session)
        self._table.take_step(session, step)
        if window is None:
            return events
        events += self.windows.leave(session, now)
        if self._table.stopping is None:
            events += self._admission.follow(platform, window.is_empty, now)
        return events


def _pace(now: float, session: Session) -> float:
    """Return the chunks that a session has read a second."""
    return session.position / (now - session.opened + 1.0)
