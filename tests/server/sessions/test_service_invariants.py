"""Invariants of sessions and their windows, whatever scanners, the catalogue and the memory budget do."""

from __future__ import annotations

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
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, SESSIONS, WINDOW
from patches.server.catalogue.delta import Delta, ReadableList
from patches.server.errors import Denied, SessionExpired, UnknownSession, WindowClosed
from patches.server.sessions.chunk_response import ChunkResponse
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits
from patches.server.sessions.states import LIVE, State
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import Budget
from tests.server.fake_catalogue import ShelfBroken, real, snapshot
from tests.server.scanner_model import Scanner
from tests.server.session_case import ROOMY, TIGHT

WHO = st.integers(0, 11)
LIMITS = Limits(max_active=2, max_queued=3, session_timeout=4.0, queue_timeout=6.0, chunk_timeout=5.0)
#: A scanner reads on, or only polls its session, or is silent.
HABITS = ["reads", "reads", "reads", "polls", "silent"]
#: The longest time, in seconds, that a scanner that keeps asking may take: each cohort before it at its slowest.
BOUND = 600


class SessionMachine(RuleBasedStateMachine):
    """A fleet of scanners of several platforms, with a clock."""

    @initialize(windows=st.integers(1, 3), entries=st.integers(3, 12), size=st.sampled_from([TIGHT, ROOMY]))
    def begin(self, windows: int, entries: int, size: int) -> None:
        """Create a server with memory for so many windows of a size, and for so many sessions."""
        self.clock = Clock()
        self.size = size
        self.budget = Budget(windows * size + entries * SESSION_BYTES, {WINDOW: size})
        key = TokenKey(b"k" * 32)
        self.session_service = SessionService(LIMITS, key, self.budget, self.load, size, self.clock)
        self.table = self.session_service.sessions
        self.current = {name: snapshot(3, name, f"{name} 0") for name in ("debian-12", "alpine-3.20")}
        self.scanners: list[Scanner] = []
        self.arrivals = 0
        self.troubles: list[Failure] = []
        self.delays = [0.0]
        self.active: set[str] = set()

    def load(self, revision: str, number: int) -> Deferred[ChunkResponse]:
        """Load a chunk after a delay, or fail."""
        delay = self.delays[(number + self.arrivals) % len(self.delays)]
        if delay < 0:
            return deferLater(self.clock, -delay, fail)
        return deferLater(self.clock, delay, real, revision, number)

    @rule(delays=st.lists(st.sampled_from([0.0, 0.0, 0.3, 2.0, -0.5]), min_size=1, max_size=4))
    def catalogue_changes_pace(self, delays: list[float]) -> None:
        """The catalogue becomes slow or quick, or fails now and then."""
        self.delays = delays
        for scanner in self.scanners:
            scanner.diligent = scanner.diligent and min(delays) >= 0

    @rule(chunks=st.integers(0, 5), platform=st.sampled_from(["debian-12", "alpine-3.20"]))
    def publish(self, chunks: int, platform: str) -> None:
        """A platform gets a new snapshot."""
        self.arrivals += 1
        self.current[platform] = snapshot(chunks, platform, f"{platform} {self.arrivals}")

    @rule(
        platform=st.sampled_from(["debian-12", "debian-12", "alpine-3.20"]),
        habit=st.sampled_from(HABITS),
        changes=st.sampled_from([None, None, 0, 2]),
        owner=st.sampled_from(["fleet", "fleet", "other"]),
    )
    def open(self, platform: str, habit: str, changes: int | None, owner: str) -> None:
        """A scanner opens a session on the whole list, or on so many chunks of a delta, unless it is denied."""
        self.arrivals += 1
        whole = self.current[platform]
        reads: ReadableList = whole
        if changes is not None:
            reads = Delta(f"{whole.revision} {changes}", "before", whole, changes, changes, ())
        try:
            session = self.session_service.open(reads, owner)
        except Denied as denied:
            self.check_denied(denied, platform)
        else:
            diligent = habit == "reads" and min(self.delays) >= 0
            self.scanners.append(Scanner(session.token, reads, 0, self.arrivals, habit, diligent=diligent))

    def check_denied(self, denied: Denied, platform: str) -> None:
        """A session is denied for a valid reason, and with a time for the retry."""
        assert denied.retry_after > 0
        full = self.table.count(platform, State.QUEUED) == LIMITS.max_queued
        assert full if denied.code == "queue-full" else self.budget.free(SESSIONS) < SESSION_BYTES, denied.code

    def alive(self) -> list[Scanner]:
        """Return the scanners that have not ended."""
        return [scanner for scanner in self.scanners if not scanner.over]

    @precondition(lambda self: self.scanners)
    @rule(who=WHO, habit=st.sampled_from(HABITS))
    def change_habit(self, who: int, habit: str) -> None:
        """A scanner becomes slow, silent, or comes back."""
        scanner = self.scanners[who % len(self.scanners)]
        scanner.habit = habit
        scanner.diligent = scanner.diligent and habit == "reads"

    @precondition(lambda self: self.scanners)
    @rule(who=WHO, back=st.integers(0, 2))
    def resume(self, who: int, back: int) -> None:
        """A scanner resumes its session, perhaps at a chunk that it was served before."""
        scanner = self.scanners[who % len(self.scanners)]
        self.arrivals += 1
        before = self.table.find(scanner.token)
        scanner.needs = max(0, scanner.needs - back)
        scanner.got = list(range(scanner.needs))
        try:
            session = self.session_service.resume(scanner.token, scanner.snapshot, scanner.needs)
        except Denied as denied:
            self.check_denied(denied, scanner.snapshot.platform)
            scanner.over = "denied"
        else:
            scanner.over = ""
            scanner.arrived = scanner.arrived if session is before else self.arrivals

    @precondition(lambda self: self.scanners)
    @rule(who=WHO)
    def close(self, who: int) -> None:
        """A scanner ends its session."""
        scanner = self.scanners[who % len(self.scanners)]
        scanner.diligent = False
        try:
            self.session_service.close(scanner.token)
        except (SessionExpired, Denied):
            assert scanner.over or self.table.find(scanner.token) is None
        except UnknownSession:
            assert scanner.over
        scanner.over = scanner.over or "closed"

    @precondition(lambda self: self.scanners)
    @rule(who=WHO)
    def hang_up(self, who: int) -> None:
        """A scanner cancels its waiting request."""
        asking = self.scanners[who % len(self.scanners)].asking
        if asking is not None:
            asking.cancel()

    @rule(seconds=st.integers(1, 8))
    def pass_time(self, seconds: int) -> None:
        """Time passes; each scanner acts four times a second."""
        for _ in range(4 * seconds):
            for scanner in self.alive():
                self.go_on(scanner)
            self.clock.advance(0.25)
            if self.clock.seconds() % 1 == 0:
                self.session_service.tick()
            self.first_come_first_served()

    def go_on(self, scanner: Scanner) -> None:
        """Run the next step of a scanner."""
        if scanner.habit == "silent":
            return
        if scanner.asking is not None and scanner.habit == "reads":
            if self.clock.seconds() < scanner.asked + 2:
                return
            scanner.asking.cancel()  # as the API does when it has parked a request for long enough
        try:
            if scanner.habit == "reads":
                self.read(scanner)
            else:
                self.session_service.touch(scanner.token)
        except (SessionExpired, UnknownSession, Denied) as gone:
            self.ended(scanner, gone)

    def read(self, scanner: Scanner) -> None:
        """Ask for the next chunk."""
        asking = ensureDeferred(self.session_service.read(scanner.token, scanner.needs, 1e6))
        scanner.asking, scanner.asked = asking, self.clock.seconds()
        asking.addCallback(scanner.take)
        asking.addErrback(self.is_waiting_for_memory, scanner)
        asking.addErrback(self.troubles.append)
        asking.addBoth(lambda _: setattr(scanner, "asking", None))

    def is_waiting_for_memory(self, failure: Failure, scanner: Scanner) -> None:
        """Accept an error as an answer if it is one that may occur."""
        failure.trap(SessionExpired, UnknownSession, WindowClosed, CancelledError, ShelfBroken, Denied)
        if failure.check(SessionExpired, UnknownSession, Denied):
            self.ended(scanner, failure.value)

    def ended(self, scanner: Scanner, gone: Exception) -> None:
        """Note that a session has ended: one whose scanner reads on never expires, and any other has a reason."""
        assert scanner.over or str(gone), "it ended without a reason"
        displaced = isinstance(gone, Denied) and gone.code == "share" and gone.retry_after > 0
        assert scanner.over or displaced or not scanner.diligent, f"it read on, and was expired: {gone}"
        scanner.over = scanner.over or "expired"

    @invariant()
    def counts(self) -> None:
        """Active, queued and complete sessions are counted correctly, and are within their limits."""
        for platform in self.current:
            for state in LIVE:
                mine = [s for s in self.table if (s.platform, s.state) == (platform, state)]
                assert self.table.count(platform, state) == len(mine)
            assert self.table.count(platform, State.ACTIVE) <= LIMITS.max_active
            assert self.table.count(platform, State.QUEUED) <= LIMITS.max_queued
            queued = [s for s in self.table if s.platform == platform and s.state is State.QUEUED]
            assert sorted(queued, key=lambda s: s.ticket) == list(self.table._admission.queues[platform])
            assert [self.table.queue_position(s) for s in self.table._admission.queues[platform]] == list(
                range(len(queued))
            )

    @invariant()
    def no_troubles(self) -> None:
        """A scanner never gets a chunk or an error that is not due."""
        for failure in self.troubles:
            failure.raiseException()

    @invariant()
    def active_read(self) -> None:
        """A session is active if and only if it has a place in a window, which keeps what it needs."""
        for window in self.table.windows:
            for session in window.sessions:
                assert session.window is window
                assert session.state is State.ACTIVE
                assert window.tail <= session.position
                assert window.snapshot.revision == session.revision
            assert (window.idle_since is None) == bool(window.sessions)
        placed = [session for window in self.table.windows for session in window.sessions]
        assert {id(s) for s in placed} == {id(s) for s in self.table if s.state is State.ACTIVE}

    @invariant()
    def accounts(self) -> None:
        """Each session and each window is granted the memory that it takes; no other memory is granted."""
        used = self.budget.used
        assert used[SESSIONS] == len(self.table) * SESSION_BYTES
        for window in self.table.windows:
            assert window.cached_bytes <= window.used <= window.granted
            assert window.used <= window.max_bytes
        assert used[WINDOW] >= sum(window.granted for window in self.table.windows)
        assert sum(used.values()) <= self.budget.limit
        assert self.session_service.revisions_in_use() == {s.revision for s in self.table}

    @invariant()
    def first_come_first_served(self) -> None:
        """A session is not activated before an earlier one that waits for the very same chunk."""
        arrived = {scanner.token: scanner.arrived for scanner in self.scanners}
        active = {s.token for s in self.table if s.state is State.ACTIVE}
        queued = [s for s in self.table if s.state is State.QUEUED]
        for token in active - self.active:
            new = self.table.get(token)
            for other in queued:
                same = (other.revision, other.position) == (new.revision, new.position)
                assert not same or token not in arrived or arrived[other.token] > arrived[token], "jumped the queue"
        self.active = active

    def teardown(self) -> None:
        """Without new sessions, each scanner that reads on is served in a bounded time, and all memory is released."""
        if not hasattr(self, "clock"):
            return
        self.delays = [0.0]
        session_service = [scanner for scanner in self.alive() if scanner.habit == "reads"]
        end = self.clock.seconds() + BOUND
        while not all(scanner.over for scanner in session_service):
            assert self.clock.seconds() < end, "somebody waits for ever"
            self.pass_time(1)
        for scanner in self.scanners:
            scanner.habit = "silent"
        self.pass_time(20)
        self.no_troubles()
        assert not len(self.table), "there are sessions for ever"
        self.session_service._follow(self.table.windows.close_idle(self.clock.seconds() + 1))
        assert not any(self.budget.used.values()), "memory is lost"
        assert all(scanner.asking is None for scanner in self.scanners), "somebody has no answer"


def fail() -> ChunkResponse:
    """Fail to load."""
    raise ShelfBroken()


class SessionInvariantsTests(SynchronousTestCase):
    """The invariants of sessions."""

    def test_invariants(self) -> None:
        """The invariants hold for any order of events."""
        run_state_machine_as_test(
            SessionMachine, settings=settings(max_examples=200, stateful_step_count=40, deadline=None)
        )
        self.flushLoggedErrors(ShelfBroken)
