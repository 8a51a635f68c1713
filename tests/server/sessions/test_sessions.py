"""Invariants of the pure core: sessions and windows as a machine whose every change is checked by its events."""

from __future__ import annotations

import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, WINDOW
from patches.server.errors import Denied, OutOfOrder, SessionError
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.events import Arrived, Changed, Dropped, Event, Load
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.sessions import Sessions, Wait
from patches.server.sessions.states import LIVE, SessionStep, State, next_state
from patches.server.sessions.window import Window
from patches.service.budget import Budget
from tests.server.fake_catalogue import blank, snapshot

WHO = st.integers(0, 7)
LIMITS = Limits(max_active=4, max_queued=4, session_timeout=20, queue_timeout=30, chunk_timeout=5)
CHUNKS = 6


class CoreMachine(RuleBasedStateMachine):
    """Scanners, loads and slow responses in any order; what each change returns is all that is known here."""

    @initialize(
        size=st.sampled_from([MAX_RESPONSE_BYTES, 3 * MAX_RESPONSE_BYTES, 8 * MAX_RESPONSE_BYTES]),
        windows=st.sampled_from([1.0, 1.5, 3.0]),
    )
    def begin(self, size: int, windows: float) -> None:
        """Create the sessions, with memory for one window, one and a half, or three."""
        self.now = 0.0
        self.budget = Budget(int(windows * size) + 8 * SESSION_BYTES, {WINDOW: int(windows * size)})
        self.sessions = Sessions(LIMITS, self.budget, size)
        self.states: dict[Session, State] = {}
        self.got: dict[Session, list[int]] = {}
        self.first: dict[Session, int] = {}
        self.asking: set[Session] = set()
        self.loads: list[tuple[Window, int]] = []
        self.sending: list[ChunkResponse] = []
        self.dropped: list[tuple[Window, ChunkResponse]] = []
        self.number = 0

    # What followed

    def follow(self, events: list[Event], new: Session | None = None) -> None:
        """Check the events of one change, in their order, against what is known."""
        if new is not None:
            self.states[new] = State.QUEUED
        for event in events:
            match event:
                case Changed(session, step, reason):
                    self.states[session] = next_state(self.states[session], step)
                    assert reason or step not in (SessionStep.OVERDUE, SessionStep.DISPLACED), (
                        "it ended without a reason"
                    )
                    self.asking.discard(session)
                case Load(window, number):
                    assert all(window is not other for other, _ in self.loads), "it loads two chunks at a time"
                    self.loads.append((window, number))
                case Arrived(sessions, _):
                    assert self.asking.issuperset(sessions), "a chunk arrives that nobody asked for"
                    self.asking -= set(sessions)
                case Dropped(window, chunk):
                    assert chunk in self.sending, "a chunk that is not being sent frees its memory at once"
                    self.dropped.append((window, chunk))
        for session, state in list(self.states.items()):
            assert session.state is state, "a session changed without an event"
            if state not in LIVE:
                del self.states[session]

    def live(self) -> list[Session]:
        """Return the sessions that are in the table."""
        return list(self.states)

    def someone(self, who: int) -> Session:
        """Return one of the live sessions."""
        return self.live()[who % len(self.states)]

    # What scanners do

    @rule(position=st.sampled_from([0, 0, 0, 3, CHUNKS]), owner=st.sampled_from("aab"), name=st.sampled_from("xxy"))
    def open(self, position: int, owner: str, name: str) -> None:
        """A scanner opens a session, or resumes one that this server does not know."""
        self.number += 1
        full = self.sessions.count(name, State.QUEUED) == LIMITS.max_queued
        session, events = self.sessions.open(f"{self.number}", snapshot(CHUNKS, name, name), owner, self.now, position)
        if isinstance(session, Denied):
            assert full if session.code == "queue-full" else session.code == "memory-limit"
            assert session.retry_after > 0
            self.follow(events)
            return
        self.got[session], self.first[session] = [], position
        self.follow(events, session)
        assert not full or any(isinstance(event, Changed) and event.step is SessionStep.DISPLACED for event in events)

    @precondition(lambda self: self.states)
    @rule(who=WHO, ahead=st.integers(0, 1))
    def read(self, who: int, ahead: int) -> None:
        """A scanner asks for the chunk at its position again, or for the next one."""
        session = self.someone(who)
        n = session.position + ahead
        legal = not ahead or (session.served and n <= CHUNKS)
        if not legal:
            with contextlib.suppress(OutOfOrder):
                self.sessions.read(session.token, n, self.now)
                raise AssertionError("a chunk out of turn was served")
            return
        result, events = self.sessions.read(session.token, n, self.now)
        if isinstance(result, Wait):
            assert (result is Wait.QUEUE) == (self.states[session] is State.QUEUED)
            self.asking |= {session} if session.state is State.ACTIVE else set()
        elif result is None:
            assert self.got[session] == list(range(self.first[session], CHUNKS)), "it ended early"
        else:
            assert result.number == n
            self.got[session] += [n] if n not in self.got[session] else []
            assert self.got[session] == list(range(self.first[session], n + 1)), "a chunk out of order"
            self.asking.discard(session)
            if who % 3 == 0:
                result.pin()
                self.sending.append(result)
        self.follow(events)

    @precondition(lambda self: self.states)
    @rule(who=WHO)
    def close(self, who: int) -> None:
        """A scanner ends its session."""
        self.follow(self.sessions.close(self.someone(who).token, self.now))

    @precondition(lambda self: self.sending)
    @rule(who=WHO)
    def sent(self, who: int) -> None:
        """The kernel has taken a response."""
        chunk = self.sending.pop(who % len(self.sending))
        chunk.unpin()
        if chunk in self.sending:
            return
        for window, other in [each for each in self.dropped if each[1] is chunk]:
            self.dropped.remove((window, other))
            self.follow(self.sessions.freed(window, chunk.size))

    # What the server does

    @precondition(lambda self: self.loads)
    @rule(which=WHO, size=st.integers(1, MAX_RESPONSE_BYTES), fails=st.sampled_from([False, False, True]))
    def loaded(self, which: int, size: int, fails: bool) -> None:
        """A load completes, or fails."""
        window, number = self.loads.pop(which % len(self.loads))
        chunk = None if fails else blank(number, size)
        self.follow(self.sessions.end_load(window, chunk, SessionError() if fails else None))

    @rule(seconds=st.integers(1, 7))
    def tick(self, seconds: int) -> None:
        """Time passes."""
        for _ in range(seconds):
            self.now += 1
            self.follow(self.sessions.tick(self.now))

    @rule(size=st.integers(1, 8 * MAX_RESPONSE_BYTES))
    def reclaim(self, size: int) -> None:
        """Something else wants memory: what sessions need stays."""
        needed = {(session, session.position) for session in self.live() if session.state is State.ACTIVE}
        self.follow(self.sessions.reclaim("connections", size))
        for session, position in needed:
            assert session.window is not None
            assert session.window.tail <= position

    # What must hold at any time

    @invariant()
    def bytes_are_counted(self) -> None:
        """Every byte of a window is granted; none stays granted that no window has; none is over the limit."""
        windows = list(self.sessions.windows)
        closed = {id(window): window for window, _ in (*self.dropped, *self.loads)}
        closed |= {id(window): window for window in windows}
        assert self.budget.used[WINDOW] == sum(window.granted for window in closed.values())
        assert sum(self.budget.used.values()) <= self.budget.limit
        for window in closed.values():
            leaving = sum(chunk.size for owner, chunk in self.dropped if owner is window)
            loading = sum(MAX_RESPONSE_BYTES for owner, _ in self.loads if owner is window)
            assert window.used == window.cached_bytes + leaving + loading
            assert window.used <= min(window.granted, window.max_bytes)

    @invariant()
    def nobody_is_lost(self) -> None:
        """All who opened a session and have not ended are queued, active in a window, or complete."""
        assert set(self.sessions) == set(self.states)
        for session in self.states:
            assert (session.window is not None) == (session.state is State.ACTIVE)

    @invariant()
    def nobody_waits_for_what_is_there(self) -> None:
        """A session that asks is waiting for a load, or for the memory that other sessions hold."""
        for session in self.asking & set(self.states):
            window = session.window
            assert window is not None
            assert window.is_asking(session)
            loading = any(owner is window for owner, _ in self.loads)
            assert loading or self.sessions.windows.is_starved(window), "nothing is being done for it"
            if not loading:
                needed = window.used + MAX_RESPONSE_BYTES
                assert not window.has_consumed or self.dropped
                full = needed > window.max_bytes or needed - window.granted > self.budget.free(WINDOW)
                assert full, "there is room for its chunk"

    def teardown(self) -> None:
        """Once loads and responses complete, each session reads everything in a bounded number of steps."""
        for _ in range(60 * CHUNKS if hasattr(self, "sessions") else 0):
            while self.loads:
                self.loaded(0, MAX_RESPONSE_BYTES, False)
            while self.sending:
                self.sent(0)
            for who, session in enumerate(self.live()):
                if session.state is State.ACTIVE and session in self.states:
                    self.read(who if self.live()[who % len(self.states)] is session else 0, int(session.served))
            self.now += 0.25
            if self.now % 1 == 0:
                self.follow(self.sessions.tick(self.now))
        assert all(s.state is State.COMPLETE for s in getattr(self, "states", ())), "somebody never got everything"


class CoreInvariantsTests(SynchronousTestCase):
    """The invariants of the core."""

    def test_invariants(self) -> None:
        """The invariants hold for any order of events."""
        run_state_machine_as_test(
            CoreMachine, settings=settings(max_examples=150, stateful_step_count=50, deadline=None)
        )
