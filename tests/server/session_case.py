"""A case with a :class:`~patches.server.sessions.service.SessionService` that reads made-up lists."""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import SESSION_BYTES, WINDOW
from patches.server.catalogue.snapshot import Snapshot
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.sessions import ReadResult
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import Budget
from tests.server.fake_catalogue import Shelf, snapshot

#: The window has room for two of the small chunks of these tests, but not for a third.
TIGHT = MAX_RESPONSE_BYTES + 400
#: The window has room for every list of these tests.
ROOMY = 16 * MAX_RESPONSE_BYTES


class ReadingCase(SynchronousTestCase):
    """A case with two platforms, with memory for two tight windows and many sessions."""

    limits = Limits(max_active=3, max_queued=5, session_timeout=30, queue_timeout=60, chunk_timeout=20)
    window_bytes = TIGHT
    windows = 2
    room = 100

    def setUp(self) -> None:
        self.clock = Clock()
        self.shelf = Shelf()
        self.key = TokenKey(b"k" * 32)
        memory = self.windows * self.window_bytes
        self.budget = Budget(memory + self.room * SESSION_BYTES, {WINDOW: memory})
        self.service = SessionService(
            self.limits, self.key, self.budget, self.shelf.load, self.window_bytes, self.clock
        )
        self.sessions = self.service.sessions
        self.debian = snapshot(4, "debian-12", "d1")
        self.alpine = snapshot(4, "alpine-3.20", "a1")

    def open(self, what: Snapshot | None = None, owner: str = "") -> Session:
        """Open a session, of Debian by default."""
        return self.service.open(what or self.debian, owner)

    def ask(self, session: Session, n: int, seconds: float = 1e6) -> Deferred[ReadResult]:
        """Request a chunk, and wait for it."""
        return ensureDeferred(self.service.read(session.token, n, seconds))

    def active(self, session: Session) -> Deferred[Session]:
        """Wait until a session is active."""
        return ensureDeferred(self.service.until_active(session.token, 1e6))

    def forget_windows(self) -> None:
        """Close the windows that nobody reads."""
        self.service._follow(self.sessions.windows.close_idle(self.clock.seconds() + 1))

    def read(self, session: Session, *numbers: int) -> None:
        """Read chunks that must be available at once."""
        for n in numbers:
            chunk = self.successResultOf(self.ask(session, n))
            number = getattr(chunk, "number", chunk)
            self.assertEqual(number, n if n < session.snapshot.chunks else None)

    def read_all(self, session: Session) -> None:
        """Read all remaining chunks, and finish."""
        self.read(session, *range(session.position, 5))

    def pass_time(self, seconds: int, *alive: Session) -> None:
        """Advance the time, with a sign of life of each of these sessions every second."""
        for _ in range(seconds):
            self.clock.advance(1)
            for session in alive:
                if self.sessions.find(session.token) is not None:
                    self.service.touch(session.token)
            self.service.tick()
